"""The bound against laws that can be written down.

Truth: normal densities and KLs by torch.distributions; marginals of linear models by hand; the best
linear VAE by scipy's general optimizer, which knows nothing of eigenvectors; and the optimum of
Tipping and Bishop 1999 and Lucas et al. 2019 for what training reaches.
"""

import math

import pytest
import torch
from scipy.optimize import minimize
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from ddpm_lab import datasets, elbo, gaussians, networks
from ddpm_lab.gaussians import Gaussian, normal_like, seeded

D = torch.float64
Z = torch.linspace(-9, 9, 3601, dtype=D)  # spacing 0.005
CORNERS = torch.cartesian_prod(*(torch.tensor([-s, s], dtype=D) for s in (2.0, 1.0, 0.5)))


def draws(*shape, seed):
    return normal_like(torch.empty(*shape, dtype=D), generator=seeded(seed))


@pytest.mark.parametrize(("x", "mean", "std"), [(1.5, 0.3, 0.5), (-2.0, 0.0, 1.0), (0.4, 1.0, 0.2)])
def test_the_split_of_a_linear_model_is_known(x, mean, std):
    """z ~ N(0, 1), x ~ N(1.2 z, 0.36): so x ~ N(0, 1.8), z | x ~ N(2 x / 3, 0.2)."""
    zero, one, x, mean, std = (torch.tensor(v, dtype=D) for v in (0.0, 1.0, x, mean, std))
    joint = (Normal(zero, one).log_prob(Z) + Normal(1.2 * Z, 0.6 * one).log_prob(x)).exp()
    q = Normal(mean, std)
    found = elbo.split(0.005 * q.log_prob(Z).exp(), 0.005 * joint)
    log_p = Normal(zero, one * math.sqrt(1.8)).log_prob(x)
    gap = kl_divergence(q, Normal(2 * x / 3, one * math.sqrt(0.2)))
    torch.testing.assert_close(found.log_evidence, log_p, rtol=1e-9, atol=0)
    torch.testing.assert_close(found.kl, gap, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.elbo, log_p - gap, rtol=1e-9, atol=0)


def test_what_a_code_costs_is_the_kl_of_torch():
    q = Gaussian(draws(6, 4, seed=1), draws(6, 4, seed=2).exp())
    theirs = kl_divergence(Normal(q.mean, q.var.sqrt()), Normal(0.0, 1.0))
    torch.testing.assert_close(elbo.latent_kl(q), theirs, rtol=1e-9, atol=1e-12)


def best_line(x, latents, var):
    """A linear VAE whose weights are set, not trained: the optimum by `ppca`, in float64."""
    best = elbo.ppca(x, latents, var)
    line = networks.build(
        networks.VAE, seed=0, shape=x.shape[1:], latents=latents, depth=0, var=var
    )
    line = line.double().requires_grad_(False)
    total = (best.axes**2).sum(0) + var  # the data's variance along a live axis
    line.log_var.fill_(math.log(var))  # float64 throughout
    line.decoder[0].weight.copy_(best.axes)
    line.decoder[0].bias.copy_(best.center)
    line.encoder[0].weight.copy_(
        torch.cat([best.axes.T / total[:, None], torch.zeros_like(best.axes.T)])
    )
    line.encoder[0].bias.copy_(torch.cat([-best.axes.T @ best.center / total, (var / total).log()]))
    return line, best


@pytest.mark.parametrize(("latents", "var"), [(3, 0.1), (3, 0.5), (2, 0.3), (1, 2.0)])
def test_at_the_optimum_every_weight_is_the_evidence(latents, var):
    """The encoder is the posterior, so log w = log p(x) at every draw: the bound is tight."""
    turn = torch.linalg.qr(draws(3, 3, seed=5))[0]
    x = CORNERS @ turn + torch.tensor([0.3, -1.0, 2.0], dtype=D)
    line, best = best_line(x, latents, var)
    law = MultivariateNormal(best.center, best.axes @ best.axes.T + var * torch.eye(3, dtype=D))
    for seed in range(3):
        found = elbo.log_evidence(line, x, draws(1, 8, latents, seed=seed))
        torch.testing.assert_close(found, law.log_prob(x), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(law.log_prob(x).mean(), best.log_evidence, rtol=1e-9, atol=0)
    costs = elbo.latent_kl(elbo.encode(line, x)).mean(0)
    torch.testing.assert_close(costs, best.kl, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("latents", "var"), [(3, 0.1), (2, 0.5), (2, 0.9), (1, 0.2)])
def test_no_other_straight_line_is_more_likely(latents, var):
    """scipy's BFGS, from three random starts, over all entries of the axes."""
    x = draws(50, 3, seed=7) @ torch.tensor([[1.5, 0.2, 0], [0, 1.0, 0.4], [0, 0, 0.5]], dtype=D)
    best, eye = elbo.ppca(x, latents, var), torch.eye(3, dtype=D)

    def cost(flat):
        axes = torch.tensor(flat, dtype=D).reshape(3, latents).requires_grad_()
        law = MultivariateNormal(best.center, axes @ axes.T + var * eye)
        value = -law.log_prob(x).mean()
        (slope,) = torch.autograd.grad(value, axes)
        return value.item(), slope.flatten().numpy()

    found = [
        minimize(cost, draws(3 * latents, seed=s).numpy(), jac=True, tol=1e-9).fun
        for s in (1, 2, 3)
    ]
    assert -min(found) == pytest.approx(best.log_evidence.item(), abs=1e-6)


def exact_elbo(line, x):
    """The mean ELBO of a linear VAE without draws: E_q of a squared error is known."""
    q = elbo.encode(line, x)
    axes, var = line.decoder[0].weight, line.var
    square = ((x - line.decode(q.mean)) ** 2).sum(1) + q.var @ (axes**2).sum(0)
    reconstruction = -square / (2 * var) - 0.5 * x.shape[1] * (2 * math.pi * var).log()
    return (reconstruction - elbo.latent_kl(q).sum(1)).mean().item()


def trained_line(x, latents, var):
    line = networks.build(networks.VAE, seed=0, shape=(3,), latents=latents, depth=0, var=var)
    rng, steps = seeded(1), 1000
    optimizer = torch.optim.Adam(line.parameters(), lr=0.1)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _, batch in zip(range(steps), datasets.batches(x, len(x), generator=rng)):
        eps = normal_like(batch.new_empty(len(x), latents), generator=rng)
        loss = elbo.loss(line, batch, eps).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
    return line.requires_grad_(False)


@pytest.mark.parametrize(("var", "alive"), [(0.1, 3), (0.5, 2), (2.0, 1), (5.0, 0)])
def test_training_reaches_the_optimum_and_its_number_of_live_latents(var, alive):
    """Data of variances 4, 1 and 1/4: a latent lives if its direction varies more than `var`.

    The distance from the optimum is what a finite run leaves: 0.0003 to 0.0007 nats here; we allow
    0.005. A dead latent at the optimum costs exactly 0; we allow 0.005 nats.
    """
    x = CORNERS.float().repeat(25, 1)
    line, best = trained_line(x, 3, var), elbo.ppca(x, 3, var)
    assert 0 <= best.log_evidence.item() - exact_elbo(line, x) + 1e-6 < 0.005
    costs = elbo.latent_kl(elbo.encode(line, x)).mean(0).sort(descending=True).values
    assert int((costs > 0.005).sum()) == alive == int((best.kl > 0).sum())
    torch.testing.assert_close(costs.double(), best.kl, atol=0.05, rtol=0)


def test_the_mean_of_many_draws_is_the_bound_computed_without_draws():
    """4000 draws; the tolerance is five standard errors: false alarm below 1 in a million."""
    line = networks.build(networks.VAE, seed=2, shape=(3,), latents=2, depth=0, var=0.4).double()
    line.requires_grad_(False)
    each = torch.stack([elbo.terms(line, CORNERS, draws(8, 2, seed=s)).total for s in range(4000)])
    stderr = each.mean(1).std() / math.sqrt(4000)
    assert each.mean().item() == pytest.approx(exact_elbo(line, CORNERS), abs=5 * stderr.item())


def test_weights_average_to_the_evidence():
    """E[w] = p(x) for any encoder: an untrained one, and the marginal of a linear decoder."""
    line = networks.build(networks.VAE, seed=2, shape=(3,), latents=2, depth=0, var=0.8).double()
    line.requires_grad_(False)
    axes, center = line.decoder[0].weight, line.decoder[0].bias
    law = MultivariateNormal(center, axes @ axes.T + 0.8 * torch.eye(3, dtype=D))
    x = CORNERS[:2] / 2
    each = torch.stack([elbo.log_evidence(line, x, draws(1, 2, 2, seed=s)) for s in range(4000)])
    ratio = (each - law.log_prob(x)).exp()
    stderr = ratio.std(0) / math.sqrt(4000)
    assert bool(((ratio.mean(0) - 1).abs() < 5 * stderr).all())  # false alarm: 1 in a million
    assert bool((each.mean(0) < law.log_prob(x)).all())  # one draw is the ELBO: too low


@pytest.mark.parametrize("beta", [1.0, 2.0, 8.0])
def test_from_beta_one_on_the_loss_is_never_below_the_true_cost(beta):
    """On average over draws, for a poor encoder; and beta = 0 can lie below."""
    line, best = best_line(CORNERS, 3, 0.1)
    law = MultivariateNormal(best.center, best.axes @ best.axes.T + 0.1 * torch.eye(3, dtype=D))
    eps = [draws(8, 3, seed=s) for s in range(500)]
    mean = torch.stack([elbo.loss(line, CORNERS, e, beta=beta).mean() for e in eps]).mean()
    free = torch.stack([elbo.loss(line, CORNERS, e, beta=0.0).mean() for e in eps]).mean()
    cost = -law.log_prob(CORNERS).mean()
    assert mean > cost - 0.1 and free < cost - 1.0


def test_reconstruction_is_the_log_density_of_torch():
    vae = networks.build(networks.VAE, seed=1, shape=(1, 4, 4), latents=3, var=0.3).double()
    x, eps = draws(5, 1, 4, 4, seed=1), draws(5, 3, seed=2)
    z = gaussians.draw(elbo.encode(vae, x), eps)
    theirs = Normal(vae.decode(z), math.sqrt(0.3)).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(elbo.terms(vae, x, eps).reconstruction, theirs, rtol=1e-6, atol=1e-6)
