"""How few steps are enough, if the denoiser is perfect? Samplers on a mixture (chapter 10)."""

from functools import cache
from typing import Any

import torch

from ddpm_lab import gaussians, ideal_denoisers, samplers, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Menu, Stops
from ddpm_lab.course.explorers._drawing import Drawing, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, RED

STEPS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100)

QUESTION = "How few steps are enough, if the denoiser is perfect?"

CONTROLS = {
    "sampler": Menu(
        "sampler", "ddim", "How x_s is found from x_t and x0_hat", tuple(samplers.SAMPLERS)
    ),
    "steps": Stops("steps", 10, "The number of steps from t = 200 to t = 0", STEPS, highest=200),
}


def how_few_steps(**state: Any) -> Explorer:
    """How few steps are enough, if the denoiser is perfect? A sampler, a number, two views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> how_few_steps()
    How few steps are enough? ddim with 10 steps (10 calls of the denoiser): ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: where 600 points end. Right: how 24 of them got there. The denoiser is exact, so every
    error is the sampler's.

    >>> drawing().update(sampler="ddim", steps=10)[:32]
    'How few steps are enough? ddim w'
    """
    centers = ideal_denoisers.circle_mixture(8).mean
    figure, (left, right) = _axes(centers)
    ends = left.plot([], [], ".", color=BLUE, markersize=3, alpha=0.5)[0]
    paths = [right.plot([], [], color=RED, linewidth=0.8)[0] for _ in range(24)]
    stops = right.plot([], [], ".", color=BLUE, markersize=5)[0]

    def update(sampler, steps):
        film, calls = _film(sampler, steps)
        to_curve(ends, *film[-1].T)
        to_curve(stops, *film[-1, :24].T)
        for i, path in enumerate(paths):
            to_curve(path, *film[:, i].T)
        distance = torch.cdist(film[-1].double(), centers).amin(1)
        return (
            f"How few steps are enough? {sampler} with {steps} steps ({calls} calls of the "
            f"denoiser): {(distance < 0.15).double().mean():.0%} of the points end within 0.15 "
            f"of a center, on average {distance.mean():.3f} from it (real samples: 98.9 %, 0.063)."
        )

    return ready(figure, QUESTION, [ends, *paths, stops], update)


def _axes(centers):
    figure, axes = figures.new(1, 2, width=8.4, height=4.4)
    for ax, title in zip(axes, ("where they end", "how 24 of them got there")):
        ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", title=title)
        ax.set(xlabel="first coordinate", ylabel="second coordinate")
        ax.plot(*centers.T, "+", color=GRAY, markersize=9)
    return figure, axes


@cache
def _film(sampler, steps):
    """((steps + 1, 600, 2) points, number of denoiser calls) of one sampler on the mixture."""
    schedule = schedules.cosine(T=200)
    exact = ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(8), schedule)
    calls = 0

    def denoise(x_t, t):
        nonlocal calls
        calls += 1
        return exact(x_t, t)

    rng = gaussians.seeded(1)
    x_T = torch.randn(600, 2, generator=rng, dtype=torch.float32, device="cpu")
    times = schedules.timesteps(schedule.T, steps)
    taken = samplers.SAMPLERS[sampler](schedule, denoise, x_T, times=times, generator=rng)
    return torch.stack([x_T, *(step.x_s for step in taken)]), calls
