"""Is the difference larger than the real-versus-real baseline? A metric and n (chapter 14)."""

from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from ddpm_lab import datasets, gaussians, metrics, training
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Menu, Stops
from ddpm_lab.course.explorers._drawing import Drawing, empty_curves, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, RED
from ddpm_lab.training import pretrained

QUESTION = "Is the difference larger than the real-versus-real baseline?"
SIZES = (25, 50, 100, 200, 400)
NOISES = (0.3, 0.6, 0.9)
SPLITS = 6
PLACES = torch.linspace(-0.2, 0.2, SPLITS, dtype=torch.float64, device="cpu")
"""Where the dots stand beside each other."""
METRICS = {
    "Fréchet distance": metrics.frechet,
    "energy distance": metrics.energy_distance,
    "sliced Wasserstein": partial(metrics.sliced_wasserstein, directions=32),
}

CONTROLS = {
    "metric": Menu(
        "metric (of 32 features)",
        "Fréchet distance",
        "How two sets of images are compared",
        tuple(METRICS),
    ),
    "n": Stops("n (images in each set)", 50, "As many images are in both sets", SIZES, only=True),
    "noise": Stops(
        "noise (data units)",
        0.6,
        "Standard deviation of the noise on one of the sets, which the metric should notice",
        NOISES,
        only=True,
    ),
}


def real_against_real(**state: Any) -> Explorer:
    """Is the difference larger than the real-versus-real baseline? A metric, n, a defect; two
    views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> real_against_real()
    Is the difference larger than the real-versus-real baseline? Fréchet distance, n = 50: ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: the metric between disjoint sets of real digits, and between real and noisy ones, for
    every n. Right: its six values of each kind at the chosen n.

    >>> drawing().update(metric="energy distance", n=50, noise=0.6)[:60]
    'Is the difference larger than the real-versus-real baseline?'
    """
    figure, by_size, values = _axes()
    for metric in METRICS:
        for noise in (0.0, *NOISES):
            _values(metric, noise)  # now, so that no move has to wait
    styles = ((BLUE, "-", "real against real"), (RED, "--", "real against noisy"))
    medians = empty_curves(by_size, styles)
    edges = [
        by_size.plot([], [], color=color, linestyle=":", linewidth=1)[0]
        for color, *_ in styles
        for _ in range(2)
    ]
    mark = by_size.axvline(50, color=GRAY, linestyle=":")
    dots = [values.plot([], [], "o", color=color)[0] for color, *_ in styles]
    by_size.legend(loc="upper right", fontsize=9)

    def update(metric, n, noise):
        at, unit = SIZES.index(n), _values(metric, NOISES[-1])[-1].median()
        found = [_values(metric, each) for each in (0.0, noise)]
        for i, rows in enumerate(found):
            scaled = rows / unit
            for curve, y in zip(
                (medians[i], *edges[2 * i : 2 * i + 2]),
                (scaled.median(dim=1).values, scaled.amin(dim=1), scaled.amax(dim=1)),
            ):
                to_curve(curve, scaled.new_tensor(SIZES), y)
            to_curve(dots[i], i + PLACES, scaled[at])
        mark.set_xdata([n, n])
        real, noisy = (rows[at] for rows in found)
        return (
            f"{QUESTION} {metric}, n = {n}: real against real {_said(real)}, real against real "
            f"with noise {noise:g} {_said(noisy)}; {int((noisy > real.max()).sum())} of {SPLITS} "
            f"noisy sets lie above all baselines."
        )

    return ready(figure, QUESTION, [*medians, *edges, mark, *dots], update)


def _axes():
    figure, (by_size, values) = figures.new(1, 2, width=8.4, height=3.7)
    by_size.set(xscale="log", xlim=(20, 500), ylim=(-1, 4), xlabel="n, images (log scale)")
    by_size.set(ylabel="metric / that of noise 0.9, n = 400", title="Median, lowest, highest")
    by_size.set_xticks(SIZES, [str(n) for n in SIZES])
    by_size.minorticks_off()
    values.set(xlim=(-0.5, 1.5), ylim=(-1, 4), title="Six pairs of sets at this n")
    values.set_xticks([0, 1], ["real, real", "real, noisy"])
    values.axhline(0, color=GRAY, linewidth=0.8)
    return figure, by_size, values


def _said(values):
    return f"{values.min():.3g} to {values.max():.3g}"


@cache
def _features(noise):
    """(901, 32) features of the test digits, with noise on the pixels."""
    net, _ = training.load(pretrained.path("features_digits"))
    images, _ = datasets.digits("test")
    eps = gaussians.normal_like(images, generator=gaussians.seeded(3))
    return metrics.features(net, images + noise * eps)


@cache
def _values(metric, noise) -> Tensor:
    """(sizes, splits): the metric between n real images and n other ones, with this noise."""
    real, noisy = _features(0.0), _features(noise)
    rng = gaussians.seeded(4)
    orders = [torch.randperm(len(real), generator=rng, device="cpu") for _ in range(SPLITS)]
    return torch.tensor(
        [[_compare(metric, real[o[:n]], noisy[o[n : 2 * n]]) for o in orders] for n in SIZES],
        dtype=torch.float64,
        device="cpu",
    )


def _compare(metric, a, b):
    lines = {"generator": gaussians.seeded(0)} if metric == "sliced Wasserstein" else {}
    return METRICS[metric](a, b, **lines).value
