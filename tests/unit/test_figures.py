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
