"""Who wins, the prior or the data? A coin's belief before and after its tosses (chapter 01)."""

import math
from functools import cache
from typing import Any

import torch

from ddpm_lab import bayes
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Menu, Stops
from ddpm_lab.course.explorers._drawing import Drawing, empty_curves, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GREEN, RED

PRIORS = ("flat", "nearly fair", "nearly always tails", "at most 1/2")
"""Beta(1, 1), Beta(50, 50), Beta(2, 50); and uniform from 0 to 1/2."""
TOSSES = (0, 10, 20, 30, 50, 70, 100, 200, 300, 500, 700, 1000, 2000, 3000, 5000, 7000, 10_000)

QUESTION = "Who wins, the prior or the data?"

CONTROLS = {
    "prior": Menu(
        "prior (belief before)", "nearly fair", "What is believed before the first toss", PRIORS
    ),
    "tosses": Stops("tosses", 10, "How often the coin is tossed", TOSSES),
    "percent": Count(
        "heads (percent of tosses)", 70, "How many of the tosses show heads", 0, 100, step=10
    ),
}


def prior_against_data(**state: Any) -> Explorer:
    """Who wins, the prior or the data? A prior, a number of tosses, a percentage of heads; two
    views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> prior_against_data()
    Who wins, the prior or the data? Prior nearly fair, 7 heads in 10 tosses: ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: prior, likelihood and posterior of a coin's probability of heads. Right: mean and
    spread of the posterior, for every number of tosses.

    >>> drawing().update(prior="flat", tosses=10, percent=70)[:47]
    'Who wins, the prior or the data? Prior flat, 7 '
    """
    figure, beliefs, path = _axes()
    styles = ((BLUE, "--", "prior"), (RED, "-.", "likelihood"), (GREEN, "-", "posterior"))
    curves = empty_curves(beliefs, styles)
    observed = path.axhline(0.7, color=RED, linestyle="-.", label="heads / tosses")
    (mean_line,) = empty_curves(path, [(GREEN, "-", "posterior mean")])
    edges = [path.plot([], [], color=GREEN, linestyle=":", linewidth=1)[0] for _ in range(2)]
    edges[0].set_label("± standard deviation")
    dot = path.plot([], [], "o", color=GREEN)[0]
    beliefs.legend(loc="upper center", fontsize=9, ncols=3)
    path.legend(loc="lower right", fontsize=9)

    def update(prior, tosses, percent):
        heads = round(tosses * percent / 100)
        for curve, (x, y) in zip(curves, _three_beliefs(prior, heads, tosses)):
            to_curve(curve, *_down_to_zero(x, y / y.max()))
        n, mean, std = _beliefs_by_tosses(prior, percent)
        to_curve(mean_line, n, mean)
        for edge, sign in zip(edges, (1, -1)):
            to_curve(edge, n, mean + sign * std)
        observed.set_ydata([percent / 100] * 2)
        after = [value.item() for value in _moments(prior, percent, (tosses,))]
        dot.set_data([max(tosses, 5)], after[:1])
        facts = f"Prior {prior}, {heads} heads in {tosses} tosses"
        return _sentence(facts, (mean[0], std[0]), after)

    return ready(figure, QUESTION, [observed, *curves, *edges, mean_line, dot], update)


def _axes():
    """The figure and its two axes; a log axis has no 0, so 0 tosses stand at 5."""
    figure, (beliefs, path) = figures.new(1, 2, width=8.4, height=3.7)
    beliefs.set(xlim=(0, 1), ylim=(0, 1.45), xlabel="theta, probability of heads", yticks=[])
    beliefs.set(ylabel="value / its peak", title="Prior, likelihood, posterior")
    path.set(xscale="log", xlim=(4, 12_000), ylim=(-0.02, 1.02), xlabel="tosses (log scale)")
    path.set(ylabel="probability of heads", title="Posterior by number of tosses")
    path.set_xticks([5, 10, 100, 1000, 10_000], ["0", "10", "100", "1000", "10000"])
    path.minorticks_off()
    return figure, beliefs, path


def _sentence(facts, before, after):
    """`before` and `after` are the mean and the standard deviation of the belief."""
    return (
        f"Who wins, the prior or the data? {facts}: "
        f"the mean of the belief goes from {before[0]:.3f} to {after[0]:.3f}, its standard "
        f"deviation from {before[1]:.4f} to {after[1]:.4f}."
    )


def _three_beliefs(prior, heads, tosses):
    """(grid, values) of the prior, the likelihood and the posterior."""
    grid, density = _prior(prior)
    posterior = bayes.coin_posterior(heads, tosses, density, grid)
    theta = bayes.unit_grid(501)
    likelihood = bayes.coin_log_likelihood(heads, tosses, theta)  # of a count: never tiny
    return (grid, density), (theta, likelihood.exp()), (grid, posterior)


def _down_to_zero(x, y):
    """A curve that ends before 1 goes on as 0: nothing is left out of sight."""
    end = torch.tensor([float(x[-1]), 1.0], dtype=torch.float64, device="cpu")
    return (x, y) if x[-1] == 1 else (torch.cat([x, end]), torch.cat([y, 0 * end]))


@cache
def _prior(name):
    """(grid, density); a prior that rules something out has a grid that ends there."""
    a_b = {"nearly fair": (50, 50), "nearly always tails": (2, 50)}.get(name, (1, 1))
    grid = bayes.unit_grid(4001)
    if name == "at most 1/2":
        return grid / 2, bayes.uniform(grid / 2)
    return grid, bayes.beta_density(bayes.Beta(*a_b), grid)


@cache
def _beliefs_by_tosses(prior, percent):
    """(tosses, mean, std) of the posterior for all of TOSSES; 0 stands at 5 on the log axis."""
    return torch.tensor(TOSSES, dtype=torch.int64, device="cpu").clamp(min=5), *_moments(
        prior, percent, TOSSES
    )


def _moments(prior, percent, tosses):
    """Mean and standard deviation of the posterior, for several numbers of tosses at once.

    `bayes.coin_posterior` takes one number; to call it for each of them would be felt.
    """
    grid, density = _prior(prior)
    heads = grid.new_tensor([round(n * percent / 100) for n in tosses])[:, None]
    tails = grid.new_tensor(tosses)[:, None] - heads
    log_joint = torch.xlogy(heads, grid) + torch.xlogy(tails, 1 - grid) + density.log()
    log_joint[:, [0, -1]] += math.log(0.5)  # the cells at both ends are half as wide
    mass = log_joint.softmax(dim=1)
    mean = mass @ grid
    return mean, (mass * (grid - mean[:, None]) ** 2).sum(dim=1).sqrt()
