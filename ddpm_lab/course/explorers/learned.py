"""How far is a learned denoiser from the exact one? Eight Gaussians in the plane (chapter 11)."""

import copy
from functools import cache
from typing import Any

import torch

from ddpm_lab import (
    datasets,
    forward,
    gaussians,
    ideal_denoisers,
    networks,
    predictions,
    schedules,
    training,
)
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Stops
from ddpm_lab.course.explorers._drawing import Drawing, empty_curves, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, GREEN, RED, SKY

QUESTION = "How far is a learned denoiser from the exact one?"
STEPS = (0, 10, 30, 100, 300, 1000)
SHOWN = 80
"""Points that are shown, of 500."""
TIMES = torch.arange(20, 1001, 20, device="cpu")
"""Where the errors over t are computed."""

CONTROLS = {
    "t": Count("t (steps)", 150, "The time, out of T = 1000", 1, 1000, plays=True),
    "steps": Stops(
        "training (steps)", 100, "How long the network has been trained", STEPS, only=True
    ),
}


def learned_against_exact(**state: Any) -> Explorer:
    """How far is a learned denoiser from the exact one? A time and the training; two views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> learned_against_exact()
    How far is a learned denoiser from the exact one? At t = 150 after 100 training steps: ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: the exact estimate of x_0 for 80 noised points, and the learned one. Right: both errors
    for every t; the exact denoiser's is the irreducible one.

    >>> drawing().update(t=150, steps=100)[:51]
    'How far is a learned denoiser from the exact one? A'
    """
    figure, plane, errors = _axes()
    for steps in STEPS:
        _errors(steps)  # now, so that no move has to wait
    (apart,) = empty_curves(plane, [(GRAY, "-", "")])
    dots = [
        plane.plot([], [], look, color=color, markersize=size, label=label)[0]
        for look, color, size, label in (
            (".", SKY, 3, "x_t"), ("o", BLUE, 4, "exact x0_hat"), ("s", RED, 3, "learned x0_hat")
        )
    ]  # fmt: skip
    lines = empty_curves(errors, ((RED, "--", "learned"), (GREEN, ":", "learned - exact")))
    mark = errors.axvline(150, color=GRAY, linestyle=":")
    to_curve(errors.plot([], [], color=BLUE, label="exact: irreducible")[0], TIMES, _errors(0)[0])
    plane.legend(loc="upper left", fontsize=9)
    errors.legend(loc="upper left", fontsize=9)

    def update(t, steps):
        x_0, *places = _estimates(t, steps)
        for dot, place in zip(dots, places):
            to_curve(dot, *place[:SHOWN].T)
        _, *estimates = places
        to_curve(apart, *_segments(*(each[:SHOWN] for each in estimates)))
        for line, error in zip(lines, _errors(steps)[1:]):
            to_curve(line, TIMES, error)
        mark.set_xdata([t, t])
        exact, learned = (_rms(each - x_0) for each in estimates)
        return (
            f"{QUESTION} At t = {t} after {steps} training steps: the two estimates of x_0 "
            f"are {_rms(estimates[0] - estimates[1]):.3f} apart; the exact one is off by "
            f"{exact:.3f}, the learned one by {learned:.3f} (root mean squares over 500 points, "
            f"data units)."
        )

    return ready(figure, QUESTION, [apart, *dots, *lines, mark], update)


def _axes():
    figure, (plane, errors) = figures.new(1, 2, width=8.4, height=4.4)
    plane.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), aspect="equal", title="Estimates for 80 points")
    plane.set(xlabel="first coordinate", ylabel="second coordinate")
    errors.set(xlim=(0, 1000), ylim=(0, 1.4), xlabel="time t, steps")
    errors.set(ylabel="root mean square, data units", title="Errors of x0_hat over t")
    return figure, plane, errors


def _segments(start, end):
    """One curve with gaps: from each start to its end."""
    gap = torch.full_like(start, torch.nan)
    return torch.stack([start, end, gap], dim=1).reshape(-1, 2).T


def _rms(x):
    """Root mean square of the lengths of (B, 2) vectors."""
    return float(x.square().sum(dim=1).mean().sqrt())


@cache
def _setting():
    """(schedule, exact denoiser, 500 points that training does not see, their noise)"""
    data, schedule = ideal_denoisers.circle_mixture(8, std=0.1), schedules.linear()
    x_0 = ideal_denoisers.sample(data, 500, generator=gaussians.seeded(5))
    eps = gaussians.normal_like(x_0, generator=gaussians.seeded(6))
    return schedule, ideal_denoisers.mixture_denoiser(data, schedule), x_0, eps


@cache
def _trained():
    """training steps -> network: a small MLP that predicts v, as in chapter 11."""
    schedule, *_ = _setting()
    rng = gaussians.seeded(2)
    points = ideal_denoisers.sample(
        ideal_denoisers.circle_mixture(8, std=0.1), 20_000, generator=rng
    )
    net = networks.build(networks.MLP, seed=0, dim=2, width=64)
    found = {0: copy.deepcopy(net)}
    batches = datasets.batches(points, 256, generator=rng)
    for done in training.train(
        schedule, net, batches, prediction_type="v", steps=STEPS[-1], lr=5e-3, generator=rng
    ):
        if done.step in STEPS:
            found[done.step] = copy.deepcopy(net)
    return found


def _estimates(t, steps):
    """(500, 2) each: x_0, x_t, the exact estimate and the learned one."""
    schedule, exact, x_0, eps = _setting()
    x_t = forward.noised(schedule, x_0, t, eps)
    learned = predictions.denoiser(schedule, _trained()[steps], "v")
    times = torch.full((len(x_0),), t, dtype=torch.int64, device="cpu")
    with torch.no_grad():
        return x_0, x_t, exact(x_t, times), learned(x_t, times)


@cache
def _errors(steps):
    """Over TIMES: the errors of the exact and of the learned estimate, and their distance."""
    rows = []
    for t in TIMES.tolist():
        x_0, _, exact, learned = _estimates(t, steps)
        rows.append([_rms(exact - x_0), _rms(learned - x_0), _rms(learned - exact)])
    return torch.tensor(rows, dtype=torch.float64, device="cpu").T
