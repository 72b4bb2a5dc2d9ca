"""How much noise may the way back have? From the ODE to the SDE by one dial (chapter 16)."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from ddpm_lab import gaussians, ideal_denoisers, sde
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Stops
from ddpm_lab.course.explorers._drawing import Drawing, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, RED, SKY
from ddpm_lab.types import Data

DIALS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
STEPS = (5, 10, 15, 20, 30, 50, 70, 100, 150)

QUESTION = "How much noise may the way back have?"

CONTROLS = {
    "dial": Stops(
        "dial kappa", 1.0, "0 is the ODE, 1 the reverse-time SDE, more is noisier", DIALS
    ),
    "steps": Stops("steps", 100, "The number of Euler-Maruyama steps from t = 1 to 0", STEPS),
    "seed": Count("seed", 0, "Decides the starts and the fresh noise", 0, 20),
}

POINTS, SHOWN, BINS = 1000, 16, 40


def sde_or_ode(**state: Any) -> Explorer:
    """How much noise may the way back have? A dial, a number of steps and a seed; two views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> sde_or_ode()
    How much noise may the way back have? Dial 1, 100 steps, seed 0: W1 to the data 0.0...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: sixteen paths from noise to data. Right: where 1000 end, beside the density of the
    data. The score is exact, so every error is that of the steps.

    >>> drawing().update(dial=0.0, steps=20, seed=0)[:50]
    'How much noise may the way back have? Dial 0, 20 s'
    """
    figure, (left, right) = _axes()
    paths = [left.plot([], [], color=BLUE, linewidth=0.8)[0] for _ in range(SHOWN)]
    edges = torch.linspace(-2, 2, BINS + 1, dtype=torch.float64, device="cpu")
    bars = right.bar(((edges[1:] + edges[:-1]) / 2).tolist(), [0.0] * BINS, 4 / BINS, color=SKY)

    def update(dial, steps, seed):
        times, film = _film(dial, steps, seed)
        for i, path in enumerate(paths):
            to_curve(path, times, film[:, i])
        heights = torch.histc(film[-1], BINS, -2, 2) / POINTS * (BINS / 4)
        for bar, height in zip(bars, heights.tolist()):
            bar.set_height(height)
        across = ((film[0] > 0) != (film[-1] > 0)).double().mean()
        return (
            f"How much noise may the way back have? Dial {dial:g}, {steps} steps, seed {seed}: "
            f"W1 to the data {_w1(film[-1]):.3f}, {across:.0%} of the points change sides."
        )

    return ready(figure, QUESTION, [*paths, *bars, *right.lines], update)


def _axes():
    figure, (left, right) = figures.new(1, 2, width=8.4, height=3.7)
    left.set(xlim=(1, 0), ylim=(-3.6, 3.6), xlabel="time t, no unit", ylabel="x_t, data units")
    left.set(title="Sixteen paths")
    right.set(xlim=(-2, 2), ylim=(0, 1.5), xlabel="x_0, data units", ylabel="density")
    right.set(title="Where 1000 points end")
    x = torch.linspace(-2, 2, 201, dtype=torch.float64, device="cpu")
    density = sde.log_density(ideal_denoisers.two_modes(), x[:, None]).exp()
    right.plot(x.numpy(), density.numpy(), color=RED, label="data")
    right.legend(loc="upper center", fontsize=9)
    return figure, (left, right)


def exact_score(x: Data, t: Tensor) -> Data:
    """The score of the noised two modes, as `sde.mixture_score` has it, in one line for speed:
    for 1/2 N(m, v) + 1/2 N(-m, v) it is (m tanh(m x / v) - x) / v.

    >>> exact_score(torch.zeros(1), torch.tensor(0.5, dtype=torch.float64))
    tensor([0.])
    """
    abar = float(_process().signal(t)) ** 2
    m, v = 0.97 * abar**0.5, abar * 0.0591 + 1 - abar
    return (m * torch.tanh(m / v * x) - x) / v


@cache
def _process():
    return sde.variance_preserving()


@cache
def _film(dial, steps, seed):
    """The times (steps + 1,) and where all points are at each, (steps + 1, POINTS)."""
    rng = gaussians.seeded(seed)
    x = torch.randn(POINTS, generator=rng, dtype=torch.float32, device="cpu")
    times = torch.linspace(1, 0, steps + 1, dtype=torch.float64, device="cpu")
    run = sde.simulate(_process(), exact_score, x, times=times, dial=dial, generator=rng)
    return times, torch.stack([x, *(x_s for _, x_s in run)])


@cache
def _quantiles():
    """Of the two modes, at the middle of each of POINTS equal parts."""
    x = torch.linspace(-3, 3, 6001, dtype=torch.float64, device="cpu")
    data = ideal_denoisers.two_modes()
    below = torch.special.ndtr((x[:, None] - data.mean[:, 0]) / data.var.sqrt()).mean(dim=1)
    levels = (torch.arange(POINTS, dtype=torch.float64, device="cpu") + 0.5) / POINTS
    return x[torch.searchsorted(below, levels).clamp(max=len(x) - 1)]


def _w1(x):
    return float((x.double().sort().values - _quantiles()).abs().mean())
