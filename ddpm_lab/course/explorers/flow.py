"""Why should the path from noise to data bend? Euler's method on two paths (chapter 16b)."""

import math
from functools import cache
from typing import Any

import torch

from ddpm_lab import flow_matching, gaussians, ideal_denoisers, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Menu, Range, Stops
from ddpm_lab.course.explorers._drawing import Drawing, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, RED

PATHS = ("straight line", "arc")
STEPS = (1, 2, 3, 4, 5, 7, 10, 15, 20)

QUESTION = "Why should the path from noise to data bend?"

CONTROLS = {
    "path": Menu("path", "straight line", "How a pair of data and noise is mixed", PATHS),
    "tau": Range(
        "tau", 0.0, "The share of the way back that is left: 1 noise, 0 data", 0.0, 1.0, plays=True
    ),
    "steps": Stops("Euler steps", 4, "Steps of Euler's method from tau = 1 to 0", STEPS),
}


def straight_or_bent(**state: Any) -> Explorer:
    """Why should the path bend? A path, a time and a number of Euler steps; two views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> straight_or_bent()
    Why should the path bend? On the straight line, 4 Euler steps, at tau = 0: ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: how 24 points moved from the noise to tau. Right: where 400 of them are at tau. The
    velocity is exact, so every error is Euler's. On the arc the angle is tau pi / 2.

    >>> drawing().update(path="arc", tau=0.5, steps=10)[:38]
    'Why should the path bend? On the arc, '
    """
    centers = ideal_denoisers.circle_mixture(8).mean
    figure, (left, right) = _axes(centers)
    ends = _true_ends()  # now, so that no move has to wait for it
    paths = [left.plot([], [], color=RED, linewidth=0.8)[0] for _ in range(24)]
    stops = left.plot([], [], ".", color=BLUE, markersize=5)[0]
    places = right.plot([], [], ".", color=BLUE, markersize=3, alpha=0.6)[0]

    def update(path, tau, steps):
        film = _until(_film(path, steps), tau)
        to_curve(places, *film[-1].T)
        to_curve(stops, *film[:, :24].reshape(-1, 2).T)
        for i, line in enumerate(paths):
            to_curve(line, *film[:, i].T)
        miss = (_film(path, steps)[-1] - ends).norm(dim=1)
        return (
            f"Why should the path bend? On the {path}, {steps} Euler step{'s' * (steps > 1)}, at "
            f"tau = {tau:g}: the points have come {_length(film):.2f} on average; at tau = 0 they "
            f"end {miss.mean():.3f} from where the exact flow ends."
        )

    return ready(figure, QUESTION, [*paths, stops, places], update)


def _axes(centers):
    figure, axes = figures.new(1, 2, width=8.4, height=5.0)
    for ax, title in zip(axes, ("the paths of 24 points", "400 points at tau")):
        ax.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal", title=title)
        ax.set(xlabel="first coordinate", ylabel="second coordinate")
        ax.plot(*centers.T, "+", color=GRAY, markersize=9)
    return figure, axes


def _until(film, tau):
    """The part of a film from the noise to tau: Euler moves evenly between two stops."""
    done = (1 - tau) * (len(film) - 1)
    whole = min(int(done + 1e-9), len(film) - 1)
    part = done - whole
    if part < 1e-9:
        return film[: whole + 1]
    return torch.cat([film[: whole + 1], torch.lerp(film[whole], film[whole + 1], part)[None]])


def _length(film):
    return film.diff(dim=0).norm(dim=2).sum(dim=0).mean() if len(film) > 1 else 0.0


@cache
def _film(path, steps):
    """(steps + 1, 400, 2): Euler's method with the exact velocity of a path."""
    ring = ideal_denoisers.circle_mixture(8)
    if path == "straight line":
        schedule = flow_matching.straight(steps)
        denoise = ideal_denoisers.mixture_denoiser(ring, schedule)
        velocity = flow_matching.velocity(schedule, denoise)
        return flow_matching.solve(schedule, velocity, _noise())
    return _euler_on_the_arc(ring, steps)


def _euler_on_the_arc(ring, steps):
    """x = cos(phi) x_0 + sin(phi) eps, dx / dphi = v, in even steps of the angle."""
    phi = math.pi / 2 * flow_matching.tau(flow_matching.straight(steps))
    schedule = schedules.Schedule("arc", torch.cat([phi.cos()[:-1] ** 2, phi.new_zeros(1)]))
    denoise = ideal_denoisers.mixture_denoiser(ring, schedule)
    film = [_noise()]
    for t in range(steps, 0, -1):
        x = film[-1]
        x0_hat = denoise(x, torch.tensor(t, dtype=torch.int64, device="cpu"))
        eps_hat = (x - phi[t].cos() * x0_hat) / phi[t].sin()
        v = phi[t].cos() * eps_hat - phi[t].sin() * x0_hat
        film.append(x - math.pi / 2 / steps * v)
    return torch.stack(film)


@cache
def _noise():
    rng = gaussians.seeded(1)
    return torch.randn(400, 2, generator=rng, dtype=torch.float64, device="cpu")


@cache
def _true_ends():
    """Where the exact flow ends; it is the same on both paths."""
    schedule = flow_matching.straight(60)
    ring = ideal_denoisers.circle_mixture(8)
    velocity = flow_matching.velocity(schedule, ideal_denoisers.mixture_denoiser(ring, schedule))
    return flow_matching.solve(schedule, velocity, _noise(), order=2)[-1]
