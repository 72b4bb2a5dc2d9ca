"""Continuous time: what is refused, and with which words; shapes and dtypes.

Truth: the docstrings of `ddpm_lab.sde`.
"""

import pytest
import torch
from refuses import refuses

from ddpm_lab import ideal_denoisers, sde
from ddpm_lab.gaussians import seeded

VP, X = sde.variance_preserving(), torch.ones(3, 2)
MODES = ideal_denoisers.two_modes()


def still(x, t=None):
    return -x


def test_times_lie_between_0_and_1():
    for use in (VP.drift, VP.marginal):
        with refuses(ValueError, "t must lie in 0..1; got 500", "divide steps by T"):
            use(X, 500)
    with refuses(ValueError, "t must lie in 0..1; got nan"):
        VP.diffusion(float("nan"))
    with refuses(ValueError, "t must be one time or one per batch item"):
        VP.drift(X, torch.tensor([0.1, 0.2]))


def test_a_batch_may_have_its_own_times():
    t = torch.tensor([0.0, 0.5, 1.0])
    p = VP.marginal(X, t)
    assert p.var.shape == (3, 1)
    torch.testing.assert_close(p.mean[0], X[0])
    assert VP.log_snr(t).shape == (3,)
    assert float(VP.log_snr(0.0)) == float("inf")


def test_processes_need_positive_rates():
    with refuses(ValueError, "beta_0"):
        sde.variance_preserving(beta_0=-1)
    with refuses(ValueError, "sigma_max"):
        sde.variance_exploding(sigma_max=0)
    with refuses(ValueError, "sigma_min"):
        sde.variance_exploding(2.0, 1.0)
    with refuses(TypeError, "rate must be a function"):
        sde.SDE("x", 1, torch.sqrt, torch.sqrt, torch.sqrt)
    with refuses(TypeError, "sde must be a"):
        sde.rescaled(3)


def test_times_of_a_run_fall():
    for times in ([0.0, 1.0], [1.0, 1.0], [1.0]):
        with refuses(ValueError, "times must"):
            sde.simulate(VP, still, X, times=times, dial=0.0)
    with refuses(ValueError, "times must lie in 0..1"):
        sde.simulate(VP, still, X, times=[1000, 0], dial=0.0)


def test_noise_needs_a_generator():
    with refuses(TypeError, "generator"):
        sde.simulate(VP, still, X, times=[1.0, 0.0])
    assert len(list(sde.simulate(VP, still, X, times=[1.0, 0.5, 0.0], dial=0.0))) == 2


def test_the_dial_is_not_negative():
    with refuses(ValueError, "dial"):
        sde.reverse_drift(VP, still, X, 0.5, -1)


def test_a_score_is_shaped_like_x():
    with refuses(ValueError, "score must return a tensor shaped like x"):
        sde.reverse_drift(VP, lambda x, t: x[:, :1], X, 0.5)
    with refuses(ValueError, "field must return a tensor shaped like x"):
        sde.divergence(lambda x: x.sum(), X)


def test_a_constant_field_has_no_divergence():
    value, found = sde.divergence(torch.ones_like, X)
    assert value.shape == (3, 2) and found.tolist() == [0, 0, 0]
    _, found = sde.hutchinson(torch.ones_like, X, torch.ones_like(X))
    assert found.tolist() == [0, 0, 0]


def test_dtypes_are_kept():
    score = sde.mixture_score(VP, MODES)
    x = torch.ones(4, 1)
    assert score(x, torch.tensor(0.5)).dtype == torch.float32
    *_, (_, end) = sde.simulate(VP, score, x, times=[1.0, 0.5, 0.0], generator=seeded(0))
    assert end.dtype == torch.float32 and end.shape == (4, 1)
    found = sde.log_likelihood(still, x, times=[0.0, 1.0], log_prior=lambda x: x.sum(1))
    assert found.log_prob.dtype == torch.float32 and found.log_prob.shape == (4,)


def test_images_have_likelihoods_too():
    x = torch.zeros(2, 1, 3, 3)
    found = sde.log_likelihood(still, x, times=[0.0, 1.0], log_prior=lambda x: x.sum((1, 2, 3)),
                               probes=2, generator=seeded(0))  # fmt: skip
    torch.testing.assert_close(found.log_prob, torch.full((2,), -9.0))


def test_probes_need_a_generator():
    with refuses(TypeError, "generator"):
        sde.log_likelihood(still, X, times=[0.0, 1.0], log_prior=torch.sum, probes=1)
    with refuses(ValueError, "probes"):
        sde.log_likelihood(still, X, times=[0.0, 1.0], log_prior=torch.sum, probes=0)


@pytest.mark.parametrize(
    ("edges", "words"),
    [(torch.ones(4), "edges must rise"), (torch.arange(9.0), "edges must have shape")],
)
def test_a_grid_has_even_cells(edges, words):
    with refuses(ValueError, words):
        sde.fokker_planck(VP.drift, VP.diffusion, torch.ones(3), edges, [0.0, 1.0])


def test_a_mixture_has_points_of_its_own_dimension():
    with refuses(ValueError, "x must have shape"):
        sde.log_density(MODES, X)
    with refuses(ValueError, "t must"):
        sde.mixture_at(VP, MODES, 1.5)


def test_score_matching_needs_noise():
    with refuses(ValueError, "noise"):
        sde.denoising_score_matching(still, X, X, noise=0.0)
    with refuses(ValueError, "x and true_score must have the same shape"):
        sde.explicit_score_matching(still, X, X[:2])
    with refuses(ValueError, "x and probe must have the same shape"):
        sde.sliced_score_matching(still, X, X[:2])
