"""Functions of the package that would answer an exercise, beside its reference.

`check` lets them pass, for whoever learns alone may look; a grader refuses them. Where a worked
solution uses such a function, or the text of the exercise names it, it is not in this table.
"""

from collections.abc import Callable
from importlib import import_module
from inspect import isfunction
from typing import Any

from ddpm_lab.course.exercises._records import Exercise

_REFUSED = {
    "bayes.rule": "bayes.discrete.rule",
    "distributions.kl": "gaussians.kl gaussians.correlated.kl_full",
    "elbo.bound": "elbo.discrete.split",
    "elbo.kl": "elbo.bound.latent_kl",
    "elbo.loss": "elbo.bound.loss elbo.bound.terms",
    "posterior.mean": "forward.posterior",
    "posterior.var": "forward.posterior",
    "predictions.eps_to_x0": "predictions.convert",
    "predictions.v_target": "predictions.convert predictions.target",
    "predictions.v_to_x0": "predictions.convert",
    "predictions.score": "predictions.convert",
    "sampling.dataset_denoiser": "ideal_denoisers.dataset_denoiser",
    "sampling.ancestral_step": "samplers.steps.ddpm_step",
    "sampling.ddim_step": "samplers.steps.ddim_step",
    "guidance.classifier_free": "predictions.guided",
    "guidance.ode_step": "samplers.steps.ddim_step",
    "learning.loss": "losses.simple",
    "continuous.hutchinson": "sde.divergences.hutchinson",
    "continuous.implicit": "sde.matching.implicit_score_matching",
    "measuring.energy": "metrics.distances.energy_distance",
}


def refused(name: str, question: Exercise) -> list[Callable[..., Any]]:
    """All functions that must not be called by an attempt at this exercise.

    >>> from ddpm_lab.course.exercises import exercise
    >>> [f.__name__ for f in refused("posterior.mean", exercise("posterior.mean"))]
    ['_posterior_mean', 'posterior']
    """
    more = [_found(word) for word in _REFUSED.get(name, "").split()]
    every = [question.reference, *question.forbidden, *more]
    return list(dict.fromkeys(function for function in every if isfunction(function)))


def _found(word):
    module, _, name = word.rpartition(".")
    return getattr(import_module(f"ddpm_lab.{module}"), name)
