"""Drawings that move: the pictures behind the explorers of chapters 01 to 04, 07, 09, 10 and 15.

Each function draws one question and returns a `Scene`: a figure whose axes never change, the
artists that move, and the function that moves them to a state and says in a sentence what they
then show. `render` turns a scene and a state into a still picture; `explorers` puts sliders on it.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import matplotlib as mpl
import torch
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from ddpm_lab import (
    bayes,
    elbo,
    estimators,
    forward,
    gaussians,
    ideal_denoisers,
    predictions,
    samplers,
    schedules,
    training,
)
from ddpm_lab.course import figures
from ddpm_lab.course.figures import BLUE, GRAY, GREEN, ORANGE, RED
from ddpm_lab.training import runs

GRID = torch.linspace(-3, 3, 241, dtype=torch.float64, device="cpu")[:, None]


class Scene(NamedTuple):
    """A picture in its parts.

    >>> Scene._fields
    ('figure', 'moving', 'update')
    """

    figure: Figure
    moving: list[Artist]
    """The artists that depend on the state; they lie above all others."""
    update: Callable[..., str]
    """(**state) -> a sentence; sets the artists, without drawing."""


def render(scene: Callable[[], Scene], **state) -> Figure:
    """A scene as a still picture of one state.

    >>> len(render(four_names, t=300).axes)
    2
    """
    figure, _, update = scene()
    update(**state)
    return figure


# Chapter 01 --------------------------------------------------------------------------------------

PRIORS = ("flat", "nearly fair", "nearly always tails", "at most 1/2")
"""The priors that can be chosen: Beta(1, 1), Beta(50, 50), Beta(2, 50); flat from 0 to 1/2."""
TOSSES = (0, 10, 20, 30, 50, 70, 100, 200, 300, 500, 700, 1000, 2000, 3000, 5000, 7000, 10_000)
"""The numbers of tosses that can be chosen."""


def prior_against_data() -> Scene:
    """Who wins, the prior or the data? State: prior, tosses, share (of heads, tens of percent).

    Left: prior, likelihood and posterior of a coin's chance of heads. Right: the mean of the
    posterior and its spread, for every number of tosses.

    >>> _, _, update = prior_against_data()
    >>> update(prior="flat", tosses=10, share=70)[:47]
    'Who wins, the prior or the data? Prior flat, 7 '
    """
    figure, laws, path = _coin_axes()
    styles = ((BLUE, "--", "prior"), (RED, "-.", "likelihood"), (GREEN, "-", "posterior"))
    curves = [laws.plot([], [], color=c, linestyle=d, label=n)[0] for c, d, n in styles]
    share_line = path.axhline(0.7, color=RED, linestyle="-.", label="heads / tosses")
    mean_line = path.plot([], [], color=GREEN, label="posterior mean")[0]
    edges = [path.plot([], [], color=GREEN, linestyle=":", linewidth=1)[0] for _ in range(2)]
    edges[0].set_label("± standard deviation")
    dot = path.plot([], [], "o", color=GREEN)[0]
    laws.legend(loc="upper center", fontsize=9, ncols=3)
    path.legend(loc="lower right", fontsize=9)

    def update(prior="nearly fair", tosses=10, share=70):
        grid, density = _coin_prior(prior)
        heads = round(tosses * share / 100)
        posterior = bayes.coin_posterior(heads, tosses, density, grid)
        chances = bayes.unit_grid(501)
        likelihood = bayes.coin_log_likelihood(heads, tosses, chances)  # of a count: never tiny
        shapes = (grid, density), (chances, likelihood.exp()), (grid, posterior)
        for curve, (x, y) in zip(curves, shapes):
            curve.set_data(*_down_to_zero(x, y / y.max()))
        n, mean, std = _beliefs_by_tosses(prior, share)
        mean_line.set_data(n, mean)
        for edge, sign in zip(edges, (1, -1)):
            edge.set_data(n, mean + sign * std)
        share_line.set_ydata([share / 100] * 2)
        i = TOSSES.index(tosses)
        dot.set_data([n[i]], [mean[i]])
        return (
            f"Who wins, the prior or the data? Prior {prior}, {heads} heads in {tosses} tosses: "
            f"the mean of the belief goes from {mean[0]:.3f} to {mean[i]:.3f}, its standard "
            f"deviation from {std[0]:.4f} to {std[i]:.4f}."
        )

    return _ready(figure, [share_line, *curves, *edges, mean_line, dot], update)


def _coin_axes():
    """The figure of `prior_against_data`; a log axis has no 0, so 0 tosses stand at 5."""
    figure, (laws, path) = figures.new(1, 2, width=8.4, height=3.4)
    laws.set(xlim=(0, 1), ylim=(0, 1.45), xlabel="theta, chance of heads", yticks=[])
    laws.set(ylabel="value / its peak", title="Before, the facts, after")
    path.set(xscale="log", xlim=(4, 12_000), ylim=(-0.02, 1.02), xlabel="tosses (log scale)")
    path.set(ylabel="chance of heads", title="Posterior by number of tosses")
    path.set_xticks([5, 10, 100, 1000, 10_000], ["0", "10", "100", "1000", "10000"])
    path.minorticks_off()
    return figure, laws, path


def _down_to_zero(x, y):
    """A curve that ends before 1 goes on as 0: nothing is left out of sight."""
    end = torch.tensor([float(x[-1]), 1.0], dtype=torch.float64, device="cpu")
    return (x, y) if x[-1] == 1 else (torch.cat([x, end]), torch.cat([y, 0 * end]))


@cache
def _coin_prior(name):
    """(grid, density); a prior that rules something out has a grid that ends there."""
    a_b = {"nearly fair": (50, 50), "nearly always tails": (2, 50)}.get(name, (1, 1))
    grid = bayes.unit_grid(4001)
    if name == "at most 1/2":
        return grid / 2, bayes.uniform(grid / 2)
    return grid, bayes.beta_density(bayes.Beta(*a_b), grid)


@cache
def _beliefs_by_tosses(prior, share):
    """(tosses, mean, std) of the posterior for all of TOSSES; 0 stands at 5 on the log axis."""
    grid, density = _coin_prior(prior)
    found = [
        bayes.mean_and_var(bayes.coin_posterior(round(n * share / 100), n, density, grid), grid)
        for n in TOSSES
    ]
    mean, var = (torch.stack(part) for part in zip(*found))
    return mean.new_tensor(TOSSES).clamp(min=5), mean, var.sqrt()


# Chapter 02 --------------------------------------------------------------------------------------

JOINTS = ("triangle", "correlated normals")
"""The joint laws that can be cut; both live in the unit square."""


def slice_of_the_joint() -> Scene:
    """What does a slice of a joint law say? State: law, held, at.

    Left: the joint density of (x, y), and the line along which it is cut. Right: the slice as it
    is cut, the slice scaled to area 1 (the conditional law), and the law of all (the marginal).

    >>> _, _, update = slice_of_the_joint()
    >>> update(law="triangle", held="x", at=0.25)[:49]
    'What does a slice say? triangle, cut at x = 0.25:'
    """
    figure, (whole, cut) = figures.new(1, 2, width=8.4, height=3.8)
    whole.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title="The joint law (darker is denser)")
    whole.set(xlabel="x, data units", ylabel="y, data units")
    whole.grid(False)
    cut.set(xlim=(0, 1), ylim=(0, 8), title="The law along the cut")
    cut.set(xlabel="the coordinate that is free, data units", ylabel="density, 1 / data unit")
    roof = whole.imshow([[0.0]], origin="lower", extent=(0, 1, 0, 1), cmap="Blues")
    line = whole.plot([], [], color=RED, linewidth=2)[0]
    styles = ((GRAY, ":", "all: the marginal"), (BLUE, "--", "the slice as it is cut"),
              (RED, "-", "scaled to area 1: the conditional"))  # fmt: skip
    curves = [cut.plot([], [], color=c, linestyle=d, label=n)[0] for c, d, n in styles]
    cut.legend(loc="upper right", fontsize=9)

    def update(law="triangle", held="x", at=0.25):
        joint = _joint(law, CELLS[:, None], CELLS)
        roof.set_data(joint.T.numpy())
        roof.set_clim(0, joint.max())
        line.set_data(*(([at, at], [0, 1]) if held == "x" else ([0, 1], [at, at])))
        raw = _joint(law, at, CELLS) if held == "x" else _joint(law, CELLS, at)
        area = raw.mean()  # the cells fill the unit interval, so a mean is an integral
        everyone = joint.mean(0 if held == "x" else 1)
        for curve, density in zip(curves, (everyone, raw, raw / area)):
            curve.set_data(CELLS, density)
        free, (mean, std) = "y" if held == "x" else "x", _spread(raw / area)
        mean_all, std_all = _spread(everyone)
        return (
            f"What does a slice say? {law}, cut at {held} = {at:.2f}: the slice has area "
            f"{area:.3f}; scaled to area 1 it is up to {(raw / area).max():.2f} high. There {free} "
            f"has mean {mean:.3f} and standard deviation {std:.3f}; for all, {mean_all:.3f} and "
            f"{std_all:.3f}."
        )

    return _ready(figure, [roof, line, *curves], update)


CELLS = (torch.arange(200, dtype=torch.float64, device="cpu") + 0.5) / 200
"""The middles of 200 cells that fill the unit interval."""


def _joint(law, x, y):
    """p(x, y): 2 below the diagonal of the unit square; or two normals with correlation 0.8."""
    x, y = (torch.as_tensor(each, dtype=torch.float64, device="cpu") for each in (x, y))
    if law == "triangle":
        return (y <= x).double() + (y < x)  # half on the edge: a cell there is half inside
    a, b = (x - 0.5) / 0.12, (y - 0.5) / 0.12
    square = (a**2 - 1.6 * a * b + b**2) / 0.36  # 0.36 = 1 - 0.8^2
    return torch.exp(-square / 2) / (2 * math.pi * 0.12**2 * 0.6)


def _spread(density):
    """Mean and standard deviation of a density on the cells."""
    mean = (density * CELLS).mean()
    return mean, (density * (CELLS - mean) ** 2).mean().sqrt()


# Chapter 03 --------------------------------------------------------------------------------------

WEIGHED = 1000
"""The number of draws that the picture weighs."""


def which_draws_count() -> Scene:
    """When does importance sampling collapse? State: mean, std, dimension.

    Left: p and q in the first coordinate, and draws of q as dots whose area is their weight. Right:
    what 1000 draws are worth, for every dimension.

    >>> _, _, update = which_draws_count()
    >>> update(mean=0.5, std=1.0, dimension=10)[:55]
    'When does importance sampling collapse? q = N(0.5, 1²) '
    """
    figure, (laws, worth) = figures.new(1, 2, width=8.4, height=3.6)
    laws.set(xlim=(-5, 6), ylim=(-0.25, 0.85), xlabel="first coordinate, data units")
    laws.set(ylabel="density, 1 / data unit", title="Draws of q, as large as their weight")
    laws.set_yticks([0, 0.2, 0.4, 0.6, 0.8])
    worth.set(xlim=(0, 51), ylim=(0.8, 1400), yscale="log", xlabel="dimension")
    worth.set(ylabel="effective sample size, draws", title="What 1000 draws are worth")
    x = torch.linspace(-5, 6, 221, dtype=torch.float64, device="cpu")
    laws.plot(x, _bell(x, 0.0, 1.0), color=BLUE, label="p = N(0, 1)")
    curve = laws.plot([], [], color=RED, linestyle="--", label="q")[0]
    dots = laws.scatter([0.0], [0.0], color=ORANGE, alpha=0.5, edgecolors="black", linewidths=0.5)
    promise = worth.plot([], [], color=BLUE, label="1000 / E[w²]")[0]
    found = worth.plot([], [], ".", color=RED, markersize=4, label="these draws")[0]
    mark = worth.axvline(10, color=GRAY, linestyle=":")
    laws.legend(loc="upper right", fontsize=9)
    worth.legend(loc="upper right", fontsize=9)

    def update(mean=0.5, std=1.0, dimension=10):
        q = _bell(x, mean, std)
        curve.set_data(x, q)
        eps = _fixed_noise(WEIGHED, 50)
        draws = mean + std * eps
        log_w = ((eps**2 - draws**2) / 2 + math.log(std)).cumsum(dim=1)  # column D - 1: D axes
        share = log_w[:, dimension - 1].softmax(dim=0)
        dots.set_offsets(torch.stack([draws[:, 0], -0.12 - 0.08 * eps[:, 1].tanh()], dim=1).numpy())
        dots.set_sizes((4000 * share).numpy())
        ess = estimators.effective_sample_size(log_w.T)
        found.set_data(range(1, 51), ess)
        mark.set_xdata([dimension, dimension])
        second = _second_moment(mean, std)
        left = [WEIGHED * second**-d for d in range(1, 51)] if second < math.inf else []
        promise.set_data(range(1, len(left) + 1), left)
        return (
            f"When does importance sampling collapse? q = N({mean:g}, {std:g}²) for p = N(0, 1), "
            f"dimension {dimension}: 1000 draws are worth {ess[dimension - 1]:.1f}, the heaviest "
            f"has {share.max():.1%} of all weight; {_in_the_limit(second, dimension)}."
        )

    return _ready(figure, [curve, dots, promise, found, mark], update)


def _in_the_limit(second, dimension):
    if second == math.inf:
        return "w² has no mean, so no number of draws settles it"
    return f"for ever more draws the share tends to {second**-dimension:.2g}"


def _second_moment(mean, std):
    """E_q[w^2] for one coordinate, w = N(x; 0, 1) / N(x; mean, std^2)."""
    if 2 * std**2 <= 1:
        return math.inf
    room = 2 * std**2 - 1
    return std**2 / math.sqrt(room) * math.exp(mean**2 / room)


@cache
def _fixed_noise(n, dimensions):
    """The same standard normal noise for every state."""
    rng = gaussians.seeded(3)
    return torch.randn(n, dimensions, generator=rng, dtype=torch.float64, device="cpu")


# Chapter 04 --------------------------------------------------------------------------------------

CAUSES = torch.linspace(
    -8, 8, 801, dtype=torch.float64, device="cpu"
)  # hidden causes z, spacing 0.02
MEANS = torch.linspace(-2.5, 2.5, 101, dtype=torch.float64, device="cpu")[:, None]
TWO_MODELS = ("one bump", "two bumps")
"""The models that can be chosen: x is 1.2 z, or 1.2 |z|, plus noise of standard deviation 0.6."""


def how_tight() -> Scene:
    """How tight can q make the bound? State: model, x, mean, std.

    Left: the posterior of the hidden cause, and the q that you choose. Right: the ELBO for every
    place of q's mean, under the line log p(x), which no q can move; the gap is a KL.

    >>> _, _, update = how_tight()
    >>> update(model="one bump", x=1.5, mean=0.3, std=0.5)[:47]
    'How tight can q make the bound? At x = 1.5: log'
    """
    figure, (laws, bounds) = figures.new(1, 2, width=8.4, height=3.4)
    laws.set(xlim=(-3, 3), ylim=(0, 2), xlabel="hidden cause z", ylabel="density")
    laws.set(title="What x says of z, and what q says")
    bounds.set(xlim=(-2.5, 2.5), ylim=(-8, 0), xlabel="mean of q", ylabel="nats")
    bounds.set(title="The bound, for every place of q")
    styles = ((GRAY, ":", "prior p(z)"), (BLUE, "-", "posterior p(z | x)"), (RED, "--", "q(z)"))
    curves = [laws.plot([], [], color=c, linestyle=d, label=n)[0] for c, d, n in styles]
    ceiling = bounds.plot([], [], color=BLUE, label="log p(x)")[0]
    floor = bounds.plot([], [], color=RED, linestyle="--", label="ELBO")[0]
    gap = bounds.plot([], [], color=ORANGE, marker="o", linewidth=3, label="KL, the gap")[0]
    laws.legend(loc="upper left", fontsize=9)
    bounds.legend(loc="lower center", fontsize=9, ncols=3, columnspacing=1)
    curves[0].set_data(CAUSES, _bell(CAUSES, 0.0, 1.0))

    def update(model="one bump", x=1.5, mean=0.3, std=0.5):
        joint = _causes_of(model, x)
        q = torch.softmax(-((CAUSES - MEANS) ** 2) / (2 * std**2), dim=-1)
        landscape = elbo.split(q, joint.expand_as(q)).elbo
        here = torch.softmax(-((CAUSES - mean) ** 2) / (2 * std**2), dim=-1)
        found = elbo.split(here, joint)
        curves[1].set_data(CAUSES, joint / joint.sum() / 0.02)
        curves[2].set_data(CAUSES, here / 0.02)
        ceiling.set_data([-2.5, 2.5], [found.log_evidence] * 2)
        floor.set_data(MEANS[:, 0], landscape)
        gap.set_data([mean, mean], [found.elbo, found.log_evidence])
        return (
            f"How tight can q make the bound? At x = {x:g}: log p(x) = {found.log_evidence:.4f} "
            f"nats, whatever q is; with q = N({mean:g}, {std:g}²) the ELBO is {found.elbo:.4f} and "
            f"the KL to the posterior {found.kl:.4f}."
        )

    return _ready(figure, [*curves, ceiling, floor, gap], update)


def _causes_of(model, x):
    """Masses p(x, z) of the causes on the grid."""
    made = 1.2 * (CAUSES.abs() if model == "two bumps" else CAUSES)
    return 0.02 * _bell(CAUSES, 0.0, 1.0) * _bell(made, x, 0.6)


def _bell(x, mean, std):
    return torch.exp(-((x - mean) ** 2) / (2 * std**2)) / (std * math.sqrt(2 * math.pi))


# Chapter 07 --------------------------------------------------------------------------------------


def who_pulls_harder() -> Scene:
    """Who pulls harder on x_s, the clean x_0 or the noisy x_t? State: t, back, x_0, x_t.

    Left: what x_0 alone says of x_s, what x_t alone says, and the product of both, the posterior.
    Right: the two weights of its mean, for every s between 0 and t.

    >>> _, _, update = who_pulls_harder()
    >>> update(t=500, back=1, x_0=1.0, x_t=-0.5)[:46]
    'Who pulls harder? From t = 500 back to s = 499'
    """
    schedule = schedules.linear()
    figure, (laws, weights) = figures.new(1, 2, width=8.4, height=3.4)
    laws.set(xlim=(-3, 3), ylim=(0, 1.5), xlabel="x_s, data units", yticks=[])
    laws.set(ylabel="density / its peak", title="Three opinions about x_s")
    weights.set(xlim=(0, 1), ylim=(-0.03, 1.05), xlabel="s / t", ylabel="weight in the mean")
    weights.set(title="How far to lean, by s")
    styles = (
        (BLUE, "--", "x_0 alone"),
        (RED, "-.", "x_t alone"),
        (GREEN, "-", "both: the posterior"),
    )
    curves = [laws.plot([], [], color=c, linestyle=d, label=n)[0] for c, d, n in styles]
    lines = [weights.plot([], [], color=c, linestyle=d, label=n)[0] for c, d, n in
             ((BLUE, "--", "on x_0"), (RED, "-.", "on x_t"))]  # fmt: skip
    dots = [weights.plot([], [], "o", color=color)[0] for color in (BLUE, RED)]
    laws.legend(loc="upper right", fontsize=9)
    weights.legend(loc="center left", fontsize=9)

    def update(t=500, back=1, x_0=1.0, x_t=-0.5):
        s = max(t - back, 0)
        at = GRID.new_full((1, 1), x_0), GRID.new_full((1, 1), x_t)
        both = forward.posterior(schedule, *at, t, s)
        for curve, density in zip(curves, _opinions(schedule, *at, t, s, both)):
            curve.set_data(GRID[:, 0], density)
        share, w_0, w_t = _weights(schedule, t)
        lines[0].set_data(share, w_0)
        lines[1].set_data(share, w_t)
        dots[0].set_data([s / t], [w_0[s]])
        dots[1].set_data([s / t], [w_t[s]])
        return (
            f"Who pulls harder? From t = {t} back to s = {s}: weight {w_0[s]:.4f} on x_0 and "
            f"{w_t[s]:.4f} on x_t; the posterior has mean {both.mean.item():+.3f} and standard "
            f"deviation {both.var.item() ** 0.5:.4f}."
        )

    return _ready(figure, [*curves, *lines, *dots], update)


def _opinions(schedule, x_0, x_t, t, s, both):
    """q(x_s | x_0), q(x_t | x_s) as a function of x_s, and their product, each over its peak."""
    abar_s, abar_t = schedule.abar[s], schedule.abar[t]
    alpha = abar_t / abar_s
    views = (
        (abar_s.sqrt() * x_0, 1 - abar_s),
        (x_t / alpha.sqrt(), (1 - alpha) / alpha),
        (both.mean, both.var),
    )
    for mean, var in views:  # a law narrower than the grid's spacing is drawn that wide
        yield torch.exp(-((GRID - mean) ** 2) / (2 * var.clamp(min=1.5e-4)))[:, 0]


@cache
def _weights(schedule, t):
    """(s / t, weight on x_0, weight on x_t) for s = 0 … t - 1."""
    s = torch.arange(t, device="cpu")
    one, zero = GRID.new_ones(t, 1), GRID.new_zeros(t, 1)
    times = torch.full_like(s, t)
    w_0 = forward.posterior(schedule, one, zero, times, s).mean[:, 0]
    w_t = forward.posterior(schedule, zero, one, times, s).mean[:, 0]
    return s / t, w_0, w_t


# Chapter 09 --------------------------------------------------------------------------------------


def four_names() -> Scene:
    """How do x0, eps, v and the score look as t runs? State: t.

    Left: the best predictions for data in two bumps, over the density of x_t. Right: what an error
    of size 1 in each does to the guessed picture, with a mark at t.

    >>> _, _, update = four_names()
    >>> update(t=500)[:41]
    'How does one guess look under four names?'
    """
    schedule, data = schedules.linear(), ideal_denoisers.two_modes()
    denoise = ideal_denoisers.mixture_denoiser(data, schedule)
    figure, (guesses, errors) = figures.new(1, 2, width=8.4, height=3.4)
    guesses.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="x_t, data units", ylabel="best prediction")
    guesses.set(title="One guess, four names")
    styles = ((BLUE, "-", "x0"), (RED, "--", "eps"), (GREEN, "-.", "v"), (ORANGE, ":", "score"))
    curves = [guesses.plot([], [], color=c, linestyle=d, label=n)[0] for c, d, n in styles]
    crowd = guesses.plot([], [], color=GRAY, linewidth=1, label="density of x_t")[0]
    t_all = range(1, 1001)
    errors.plot(
        t_all, schedule.noise[1:] / schedule.signal[1:], color=RED, linestyle="--", label="eps"
    )
    errors.plot(t_all, schedule.noise[1:], color=GREEN, linestyle="-.", label="v")
    errors.axhline(1, color=BLUE, label="x0")
    errors.set(yscale="log", xlabel="time t, steps", ylabel="error in x0, data units")
    errors.set(title="What an error of 1 in each does")
    errors.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    errors.minorticks_off()
    mark = errors.axvline(500, color=GRAY)
    guesses.legend(loc="lower right", fontsize=9, ncols=2)
    errors.legend(loc="upper left", fontsize=9)

    def update(t=300):
        found = predictions.convert(schedule, denoise(GRID, t), "x0", GRID, t)
        for curve, value in zip(curves, found):
            curve.set_data(GRID[:, 0], value[:, 0])
        density = ideal_denoisers.log_density(data, schedule, GRID, t).exp()
        crowd.set_data(GRID[:, 0], density - 3)
        mark.set_xdata([t, t])
        factor = (schedule.noise[t] / schedule.signal[t]).item()
        right = [f"{name} {value[-41].item():+.2f}" for name, value in found._asdict().items()]
        return (
            f"How does one guess look under four names? At t = {t} and x_t = 2: "
            f"{', '.join(right)}; an error of 1 in eps is {factor:.3g} in x0, one in v "
            f"{schedule.noise[t].item():.3g}."
        )

    return _ready(figure, [crowd, *curves, mark], update)


# Chapter 10 --------------------------------------------------------------------------------------

WALKS = tuple(samplers.SAMPLERS)
"""The samplers that can be chosen."""


def how_few_steps() -> Scene:
    """How few steps are enough? State: walk, steps.

    Left: where 600 points end. Right: how 24 of them got there. The denoiser is exact, so every
    error is the sampler's.

    >>> _, _, update = how_few_steps()
    >>> update(walk="ddim", steps=10)[:32]
    'How few steps are enough? ddim w'
    """
    figure, axes = figures.new(1, 2, width=8.4, height=4.1)
    for ax, title in zip(axes, ("where they end", "how 24 of them got there")):
        ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", title=title)
        ax.set(xlabel="first coordinate", ylabel="second coordinate")
    centers = ideal_denoisers.circle_mixture(8).mean
    for ax in axes:
        ax.plot(*centers.T, "+", color=GRAY, markersize=9)
    ends = axes[0].plot([], [], ".", color=BLUE, markersize=3, alpha=0.5)[0]
    paths = [axes[1].plot([], [], color=RED, linewidth=0.8)[0] for _ in range(24)]
    stops = axes[1].plot([], [], ".", color=BLUE, markersize=5)[0]

    def update(walk="ddim", steps=10):
        film, calls = _film(walk, steps)
        ends.set_data(*film[-1].T)
        stops.set_data(*film[-1, :24].T)
        for i, path in enumerate(paths):
            path.set_data(*film[:, i].T)
        distance = torch.cdist(film[-1].double(), centers).amin(1)
        return (
            f"How few steps are enough? {walk} with {steps} steps ({calls} calls of the denoiser): "
            f"{(distance < 0.15).double().mean():.0%} of the points end inside a blob, on average "
            f"{distance.mean():.3f} from its center (true draws: 98.9 %, 0.063)."
        )

    return _ready(figure, [ends, *paths, stops], update)


@cache
def _film(walk, steps):
    """((steps + 1, 600, 2) points, number of denoiser calls) of one walk on the ring."""
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
    moves = samplers.SAMPLERS[walk](schedule, denoise, x_T, times=times, generator=rng)
    return torch.stack([x_T, *(move.x_s for move in moves)]), calls


# Chapter 15 --------------------------------------------------------------------------------------

GUIDANCE = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""The weights that can be chosen: 0 ignores the label, 1 follows it, more exaggerates it."""
DIAL_STEPS = (3, 4, 5, 6, 8, 10, 15, 20)
"""The numbers of steps that can be chosen."""


def guidance_dial() -> Scene:
    """How strongly should the network listen? State: label, weight, steps, seed.

    Left: eight pictures of the digits network for this label, made with `dpmpp_2m` from noise that
    the seed alone decides. Right: what the classifier reads in them, digit by digit.

    >>> _, _, update = guidance_dial()
    >>> update(label=3, weight=1.0, steps=5, seed=0)[:45]
    'How strongly should the network listen? Asked'
    """
    figure, (made, read) = figures.new(1, 2, width=8.4, height=3.4)
    made.set(title="Eight pictures, and what they are read as")
    made.set_axis_off()
    sheet = made.imshow(_blank(0.0).numpy(), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    names = [made.text(x, y, "", ha="center", va="bottom", fontsize=10) for y, x in _names_at()]
    read.set(xlim=(-0.6, 9.6), ylim=(0, 1.3), xlabel="digit", ylabel="mean probability, no unit")
    read.set(title="What the classifier reads", xticks=range(10))
    (asked,) = read.plot([], [], "v", color=RED, label="asked for")
    bars = read.bar(range(10), [0.0] * 10, color=BLUE, label="read")
    read.set_yticks([0, 0.25, 0.5, 0.75, 1])
    read.legend(loc="upper center", fontsize=9, ncols=2)

    def update(label=3, weight=1.0, steps=8, seed=0):
        x, chance = _dial(label, weight, steps, seed)
        page = _blank(1.0)
        for picture, (row, column) in zip(x, _corners()):
            page[row : row + 8, column : column + 8] = picture[0]
        sheet.set_data(page.numpy())
        named = chance.argmax(dim=1)
        for word, name in zip(names, named.tolist()):
            word.set_text(str(name) if name == label else f"{name}, not {label}")
        for bar, height in zip(bars, chance.mean(dim=0).tolist()):
            bar.set_height(height)
        asked.set_data([label], [1.04])
        apart = torch.pdist(x.flatten(1).double()).mean()
        full = (x.abs() > 0.99).double().mean()
        calls = steps * (1 if weight in (0.0, 1.0) else 2)
        return (
            f"How strongly should the network listen? Asked for {label} with w = {weight:g}, "
            f"{steps} steps ({calls} calls), seed {seed}: {int((named == label).sum())} of 8 are "
            f"read as {label}; they are {apart:.1f} apart on average; {full:.0%} of their pixels "
            "are black or white."
        )

    return _ready(figure, [sheet, *names, *bars, asked], update)


_SHEET = (2 * 12 + 1, 4 * 10 + 2)  # eight pictures of 8 x 8 pixels, with room for their names


def _blank(ink):
    return torch.full(_SHEET, ink, dtype=torch.float32, device="cpu")


def _corners():
    """Upper left pixel of each of the eight pictures."""
    return [(4 + 12 * row, 2 + 10 * column) for row in range(2) for column in range(4)]


def _names_at():
    """Where the name of each picture stands: above its middle."""
    return [(row - 0.9, column + 3.5) for row, column in _corners()]


@cache
def _digits_lab():
    """(network, classifier) for 8 x 8 digits that come with the course."""
    judge, _ = training.load(runs.shipped("features_digits"))
    return runs.read(runs.shipped("digits")), judge


@cache
def _dial(label, weight, steps, seed):
    """((8, 1, 8, 8) pictures, (8, 10) probabilities of each digit according to the classifier)."""
    model, judge = _digits_lab()
    rng, told = gaussians.seeded(seed), label if weight else None  # w = 0: no need to ask twice
    x = runs.sample(
        model, 8, label=told, steps=steps, guidance=weight if weight else 1.0, generator=rng
    )
    with torch.no_grad():
        return x, judge(x).softmax(dim=1)


@mpl.rc_context(figures.STYLE)
def _ready(figure, moving, update):
    """Freeze the layout, and lift what moves above all that stays: then it can be redrawn alone."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for order, artist in enumerate(moving):
        artist.set_zorder(10 + order)
    return Scene(figure, moving, update)
