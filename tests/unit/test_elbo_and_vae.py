"""The bound and the VAE: shapes, types, edges, and every promised error message.

Truth: sums done by hand on two or three causes, and the definition of each part put together from
`gaussians`.
"""

import math

import pytest
import torch

from ddpm_lab import elbo, gaussians, networks, training
from ddpm_lab.gaussians import Gaussian

D = torch.float64


def small(**config):
    """An untrained VAE in float64 for items of shape (2, 3)."""
    config = {"shape": (2, 3), "latents": 2, "width": 8, "depth": 1} | config
    return networks.build(networks.VAE, seed=3, **config).double()


def noise(*shape, seed=0):
    return gaussians.normal_like(torch.empty(*shape, dtype=D), generator=gaussians.seeded(seed))


# split


def test_the_parts_add_up_to_the_log_of_the_sum():
    q, joint = noise(5, 4).softmax(-1), noise(5, 4, seed=1).exp()
    found = elbo.split(q, joint)
    assert found.log_evidence.shape == found.elbo.shape == found.kl.shape == (5,)
    torch.testing.assert_close(found.log_evidence, joint.sum(-1).log())
    torch.testing.assert_close(found.elbo + found.kl, found.log_evidence)
    assert bool((found.kl > 0).all())


def test_the_posterior_closes_the_gap():
    joint = torch.tensor([0.2, 0.5, 0.1], dtype=D)
    found = elbo.split(joint / joint.sum(), joint)
    assert found.kl.item() == pytest.approx(0, abs=1e-15)
    assert found.elbo.item() == pytest.approx(math.log(0.8))


def test_a_cause_without_mass_counts_nothing():
    q, joint = torch.tensor([0.5, 0.5, 0.0], dtype=D), torch.tensor([0.1, 0.1, 0.2], dtype=D)
    found = elbo.split(q, joint)
    assert found.elbo.item() == pytest.approx(math.log(0.2))
    assert found.kl.item() == pytest.approx(math.log(2))  # half of the posterior is ignored


def test_a_q_outside_the_posterior_has_an_infinite_gap():
    found = elbo.split(torch.tensor([0.5, 0.5]), torch.tensor([0.3, 0.0]))
    assert found.elbo == -math.inf and found.kl == math.inf
    assert found.log_evidence.item() == pytest.approx(math.log(0.3))


@pytest.mark.parametrize(
    ("q", "joint", "said"),
    [
        ([0.5, 0.4], [0.1, 0.1], "q must sum to 1 along its last axis; got a sum of 0.9"),
        ([1.5, -0.5], [0.1, 0.1], "q must hold finite numbers, none below 0; got -0.5"),
        ([0.5, 0.5], [0.1, -0.1], "joint must hold finite numbers, none below 0; got -0.1"),
        ([0.5, 0.5], [0.1, math.inf], "joint must hold finite numbers"),
        ([0.5, 0.5], [0.1, 0.1, 0.1], "q and joint must have the same shape"),
    ],
)
def test_what_is_no_table_is_refused(q, joint, said):
    with pytest.raises(ValueError, match=said):
        elbo.split(torch.tensor(q), torch.tensor(joint))


# terms, loss, log_evidence


def test_the_terms_are_put_together_from_encoder_decoder_and_prior():
    vae, x, eps = small(var=0.3), noise(4, 2, 3), noise(4, 2, seed=1)
    found = elbo.terms(vae, x, eps)
    mean, log_var = vae.encode(x)
    z = mean + log_var.exp().sqrt() * eps
    pixels = torch.distributions.Normal(vae.decode(z), math.sqrt(0.3))
    torch.testing.assert_close(found.reconstruction, pixels.log_prob(x).sum((1, 2)))
    prior = Gaussian(torch.zeros_like(mean), torch.ones((), dtype=D))
    torch.testing.assert_close(found.kl, gaussians.kl(Gaussian(mean, log_var.exp()), prior))
    torch.testing.assert_close(found.total, found.reconstruction - found.kl)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 4.0])
def test_the_loss_is_minus_the_elbo_with_the_kl_counted_beta_times(beta):
    vae, x, eps = small(), noise(4, 2, 3), noise(4, 2, seed=1)
    found = elbo.terms(vae, x, eps)
    ours = elbo.loss(vae, x, eps, beta=beta)
    torch.testing.assert_close(ours, beta * found.kl - found.reconstruction)
    assert ours.shape == (4,)
    assert torch.equal(elbo.loss(vae, x, eps), -found.total)


def test_gradients_reach_encoder_decoder_and_if_asked_the_variance():
    for learn in (True, False):
        vae = small(learn_var=learn)
        elbo.loss(vae, noise(4, 2, 3), noise(4, 2, seed=1)).mean().backward()
        for part in (vae.encoder, vae.decoder):
            assert all(float(p.grad.abs().max()) > 0 for p in part.parameters())
        assert (vae.log_var.grad is not None) == learn


def test_one_weight_is_log_of_joint_over_q():
    vae, x, eps = small(), noise(4, 2, 3), noise(1, 4, 2, seed=1)
    q = elbo.encode(vae, x)
    z = gaussians.draw(q, eps[0])
    weight = (
        gaussians.log_prob(elbo.decode(vae, z), x)
        + gaussians.log_prob(elbo.prior(z), z)
        - gaussians.log_prob(q, z)
    )
    torch.testing.assert_close(elbo.log_evidence(vae, x, eps), weight.detach())


def test_many_weights_are_averaged_before_the_log():
    vae, x, eps = small(), noise(4, 2, 3), noise(6, 4, 2, seed=1)
    each = torch.stack([elbo.log_evidence(vae, x, eps[s : s + 1]) for s in range(6)])
    torch.testing.assert_close(elbo.log_evidence(vae, x, eps), each.exp().mean(0).log())
    assert not elbo.log_evidence(vae, x, eps).requires_grad


def test_bad_arguments_are_named():
    vae, x = small(), noise(4, 2, 3)
    with pytest.raises(ValueError, match="beta must satisfy 0 <= beta"):
        elbo.loss(vae, x, noise(4, 2), beta=-1.0)
    with pytest.raises(ValueError, match="mean and z must have the same shape"):
        elbo.terms(vae, x, noise(4, 3))
    with pytest.raises(ValueError, match="mean and z must have the same shape"):
        elbo.log_evidence(vae, x, noise(4, 2))  # (S, B, K) is wanted, not (B, K)


# latent_kl


def test_the_cost_of_each_latent_adds_up_to_the_kl():
    q = Gaussian(noise(5, 3), noise(5, 3, seed=1).exp())
    each = elbo.latent_kl(q)
    assert each.shape == (5, 3) and bool((each >= 0).all())
    torch.testing.assert_close(each.sum(1), gaussians.kl(q, elbo.prior(q.mean)))
    one = elbo.latent_kl(Gaussian(q.mean, torch.ones((), dtype=D)))  # a variance for all
    torch.testing.assert_close(one, q.mean**2 / 2)


# ppca


def test_dead_latents_have_no_axis_and_no_cost():
    x = torch.cartesian_prod(*(torch.tensor([-s, s], dtype=D) for s in (2.0, 1.0, 0.5)))
    best = elbo.ppca(x, latents=3, var=0.5)
    assert best.axes.shape == (3, 3) and best.center.abs().max() < 1e-15
    assert best.axes.norm(dim=0).tolist() == pytest.approx([math.sqrt(3.5), math.sqrt(0.5), 0])
    assert best.kl.tolist() == pytest.approx([math.log(8) / 2, math.log(2) / 2, 0])
    pictures = elbo.ppca(x.reshape(8, 1, 3), latents=1, var=0.5)  # items of any shape
    assert pictures.axes.shape == (3, 1)
    assert pictures.log_evidence < best.log_evidence


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"latents": 0}, "latents must be at least 1"),
        ({"latents": 4}, "latents must be at most 3"),
        ({"var": 0.0}, "var must satisfy 0 < var"),
    ],
)
def test_ppca_refuses_what_has_no_optimum(change, said):
    with pytest.raises(ValueError, match=said):
        elbo.ppca(noise(9, 3), **({"latents": 2, "var": 0.1} | change))


# networks.VAE


def test_a_vae_maps_pictures_to_codes_and_back():
    vae = small(latents=5)
    mean, log_var = vae.encode(noise(7, 2, 3))
    assert mean.shape == log_var.shape == (7, 5)
    assert vae.decode(mean).shape == vae(noise(7, 2, 3)).shape == (7, 2, 3)
    torch.testing.assert_close(vae(noise(7, 2, 3)), vae.decode(vae.encode(noise(7, 2, 3))[0]))


def test_depth_zero_is_a_straight_line():
    vae, z = small(depth=0), noise(2, 2)
    middle = vae.decode(z.mean(0, keepdim=True))
    torch.testing.assert_close(middle[0], vae.decode(z).mean(0))
    assert not torch.allclose(small().decode(z.mean(0, keepdim=True))[0], small().decode(z).mean(0))


def test_the_variance_is_what_was_given_and_can_be_frozen():
    assert small(var=0.25).var.item() == pytest.approx(0.25)
    assert not small().log_var.requires_grad
    assert small(learn_var=True).log_var.requires_grad


def test_a_saved_vae_comes_back(tmp_path):
    vae = networks.build(networks.VAE, seed=1, shape=(3,), latents=2, width=8, var=0.7)
    again, facts = training.load(training.save(tmp_path / "vae.safetensors", vae, beta=1.0))
    assert facts == {"beta": 1.0} and again.config == {**vae.config, "shape": [3]}
    x = torch.ones(2, 3)
    assert torch.equal(again(x), vae(x)) and torch.equal(again.var, vae.var)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"latents": 0}, "latents must be at least 1"),
        ({"depth": -1}, "depth must be at least 0"),
        ({"var": 0.0}, "var must satisfy 0 < var"),
        ({"shape": (0,)}, "shape must be at least 1"),
    ],
)
def test_impossible_sizes_are_refused(config, said):
    with pytest.raises(ValueError, match=said):
        networks.build(networks.VAE, seed=0, **config)


def test_items_of_another_shape_are_refused():
    vae = small()
    with pytest.raises(ValueError, match=r"x must have shape \(B, 2, 3\); got \(4, 6\)"):
        vae.encode(noise(4, 6))
    with pytest.raises(ValueError, match=r"z must have shape \(B, 2\); got \(4, 3\)"):
        vae.decode(noise(4, 3))
    with pytest.raises(TypeError, match="x must be floating point"):
        vae.encode(torch.zeros(4, 2, 3, dtype=torch.uint8))
