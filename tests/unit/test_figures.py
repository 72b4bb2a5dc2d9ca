"""Drawings show what they are given, in gray and in color, or say why they cannot.

Truth: the pixels of the PNG, read back by Matplotlib's own reader.
"""

from io import BytesIO

import pytest
import torch
from matplotlib import image

from ddpm_lab import gaussians
from ddpm_lab.course import figures

GRAY = gaussians.normal_like(torch.empty(3, 1, 8, 8), generator=gaussians.seeded(0)).clamp(-1, 1)
COLOR = gaussians.normal_like(torch.empty(3, 3, 8, 8), generator=gaussians.seeded(1)).clamp(-1, 1)


def pixels(x, **options):
    """(R, C, 4) of an image grid without its lines: 8 x 8 blocks of 10 pixels for each image."""
    page = torch.from_numpy(image.imread(BytesIO(figures.image_grid(x, **options))))
    blocks = page[7:-2:10].unflatten(1, (-1, 84))[:, :, 7:-2:10]  # (8, N, 8, 4)
    return blocks.permute(1, 3, 0, 2)[:, :3]


@pytest.mark.parametrize("x", [GRAY, GRAY[:, 0], COLOR])
@pytest.mark.parametrize("limit", [1.0, 2.0])
def test_an_image_grid_has_the_values_of_its_images(x, limit):
    want = (x[:, None] if x.dim() == 3 else x) / limit / 2 + 0.5
    torch.testing.assert_close(
        pixels(x, limit=limit), want.expand(3, 3, 8, 8), atol=2 / 255, rtol=0
    )


def test_color_is_drawn_as_color_in_a_grid():
    drawn = [ax.images[0].get_array() for ax in figures.images(COLOR).axes]
    shown = torch.stack([torch.from_numpy(each) for each in drawn]).permute(0, 3, 1, 2)
    torch.testing.assert_close(shown, COLOR / 2 + 0.5)


@pytest.mark.parametrize("draw", [figures.image_grid, lambda x: figures.png(figures.images(x))])
@pytest.mark.parametrize("x", [GRAY, COLOR])
def test_the_picture_does_not_depend_on_how_the_numbers_are_kept(draw, x):
    x = (8 * x).round() / 8  # numbers that 16 bits hold exactly
    same = draw(x)
    turned = x.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0)
    assert not turned.is_contiguous()
    for other in (x.bfloat16(), x.half(), turned, x.clone().requires_grad_()):
        assert draw(other) == same


@pytest.mark.parametrize("x", [GRAY, COLOR])
def test_what_lies_beyond_the_limit_is_cut_off(x):
    wild = torch.where(x.abs() > 0.5, 100 * x, x)
    assert figures.image_grid(wild) == figures.image_grid(wild.clamp(-1, 1))
    same, wild = (figures.images(each).axes[0].images[0] for each in (wild.clamp(-1, 1), wild))
    torch.testing.assert_close(*map(torch.from_numpy, (
        each.to_rgba(each.get_array()) for each in (same, wild)
    )))  # fmt: skip


def test_no_images_are_an_empty_figure():
    assert figures.images(GRAY[:0]).axes == []
    assert image.imread(BytesIO(figures.image_grid(GRAY[:0]))).shape[:2] == (84, 84)


@pytest.mark.parametrize("draw", [figures.images, figures.image_grid])
@pytest.mark.parametrize(
    "x, words",
    [
        (torch.zeros(2, 1, 0, 8), "must hold images"),
        (torch.zeros(8, 8), r"got \(8, 8\). One image alone is x\[None\]"),
        (torch.zeros(2, 2, 8, 8), r"\(N, 3, H, W\) for color; got \(2, 2, 8, 8\)"),
        (
            torch.zeros(2, 1, 8, 8).index_fill(0, torch.tensor([1]), torch.nan),
            "NaN or infinity, first in item 1",
        ),
        (torch.full((1, 3, 8, 8), torch.inf), "NaN or infinity, first in item 0"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), "floating point"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(draw, x, words):
    with pytest.raises((TypeError, ValueError), match=words):
        draw(x)


def test_scatter_grid_takes_any_float_and_refuses_what_is_no_plane():
    x = GRAY.reshape(-1, 2).half().float()
    drawn = [
        figures.scatter_grid({"x": each}).axes[0].collections[0].get_offsets()
        for each in (x, x.half(), x.double().requires_grad_(), x[:0])
    ]
    assert (drawn[0] == drawn[1]).all() and (drawn[0] == drawn[2]).all() and len(drawn[3]) == 0
    for frames, words in (
        ({}, "at least 1; got 0"),
        ({"t = 1": torch.zeros(5, 3)}, r"t = 1 must have shape \(B, 2\)"),
        ({"t = 1": torch.full((5, 2), torch.nan)}, "t = 1 must be finite; got NaN"),
    ):
        with pytest.raises(ValueError, match=words):
            figures.scatter_grid(frames)


def test_a_curve_in_16_bits_is_the_curve():
    y = torch.tensor([0.0, 0.5, -1.0])
    fig = figures.curves([0, 1, 2], {"y": y.bfloat16()}, xlabel="x", ylabel="y")
    assert fig.axes[0].lines[0].get_ydata().tolist() == y.tolist()


def test_curves_carry_points_scales_and_limits():
    fig = figures.curves(
        [1, 10], {"y": [1, 2]}, xlabel="x", ylabel="y", log_x=True, ylim=(0, None),
        points={"measured": (torch.tensor([3.0]), torch.tensor([1.5]))},
    )  # fmt: skip
    (ax,) = fig.axes
    assert ax.get_xscale() == "log" and ax.get_yscale() == "linear" and ax.get_ylim()[0] == 0
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["y", "measured"]
    assert ax.lines[1].get_xydata().tolist() == [[3.0, 1.5]]
    plain = figures.curves([0, 1], {"y": [1, 2]}, xlabel="x", ylabel="y", legend=False)
    assert plain.axes[0].get_legend() is None


def test_histograms_have_the_area_one_on_one_scale_and_their_curves():
    samples = {"a": GRAY, "b": 3 * GRAY[:2].bfloat16()}
    curve = torch.tensor([-1.0, 1.0]), torch.tensor([0.5, 0.5])
    fig = figures.histograms(samples, xlabel="x", density={"b": curve}, bins=7)
    for ax in fig.axes:
        assert sum(bar.get_width() * bar.get_height() for bar in ax.patches) == pytest.approx(1)
        assert len(ax.patches) == 7 and ax.get_xlim() == fig.axes[0].get_xlim()
    assert [len(ax.lines) for ax in fig.axes] == [0, 1]
    same = figures.histograms(samples, xlabel="x", density=curve, limits=(-1, 1))
    assert [len(ax.lines) for ax in same.axes] == [1, 1]
    assert same.axes[1].get_xlim() == (-1, 1)
    for wrong, words in (({}, "at least 1"), ({"a": "text"}, "a must be")):
        with pytest.raises((TypeError, ValueError), match=words):
            figures.histograms(wrong, xlabel="x")


def test_paths_show_a_few_and_the_mean_of_all():
    walks = {"up": GRAY[0, 0], "down": -GRAY[0, 0]}
    (ax,) = figures.paths(range(80, 0, -10), walks, shown=3).axes
    assert len(ax.lines) == 2 * (3 + 1) and ax.get_xlim() == (80, 10)
    mean = torch.as_tensor(ax.lines[3].get_ydata())
    torch.testing.assert_close(mean, GRAY[0, 0].double().mean(1))
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["mean, up", "mean, down"]
    (bare,) = figures.paths(range(8), {"": GRAY[0, 0]}, mean=False).axes
    assert len(bare.lines) == 8 and bare.get_legend() is None
    with pytest.raises(ValueError, match=r"a row for each of 3 times"):
        figures.paths([0, 1, 2], walks)
