"""Bayes' rule where the hypotheses can be listed."""

from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.bayes._inputs import possible, probability, total_1


def rule(prior: Tensor, likelihood: Tensor) -> tuple[Tensor, Tensor]:
    """Bayes' rule for a list of hypotheses, one of which is true.

    posterior_k = prior_k likelihood_k / evidence,  evidence = sum over k of prior_k likelihood_k

    Parameters
    ----------
    prior : (K,) probabilities that sum to 1
    likelihood : (K,) probabilities
        Of the data under hypothesis k. They need not sum to 1.

    Returns
    -------
    posterior : (K,) float64, sums to 1
    evidence : () float64, the probability of the data, before knowing which hypothesis is true

    Raises
    ------
    ValueError
        Unless both hold probabilities, one for each hypothesis, the prior sums to 1, and the data
        are possible.

    >>> import torch
    >>> posterior, evidence = rule(torch.tensor([0.8, 0.2]), torch.tensor([0.5, 0.9]))
    >>> posterior.tolist(), float(evidence)
    ([0.6896, 0.3103], 0.58)
    """
    prior, likelihood = probability(prior, "prior"), probability(likelihood, "likelihood")
    _checks.alike(prior=prior, likelihood=likelihood)
    _checks.items(prior, (), "prior", advice="Give one probability for each hypothesis.")
    total_1(
        prior.sum(), "prior", advice="Divide it by its sum. One of the hypotheses must be true."
    )
    joint = prior * likelihood
    evidence = joint.sum()
    possible(evidence.log())
    return joint / evidence, evidence
