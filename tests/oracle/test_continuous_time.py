"""Processes in continuous time: closed forms against derivatives, quadrature and each other.

Truth: automatic differentiation and SciPy's quadrature for the closed forms; the discrete chain for
the limit; exact marginals of a mixture for densities, samplers and likelihoods; a matrix
exponential for a linear flow; all 2^D vectors of signs for Hutchinson's estimator.
"""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, linalg, optimize, special

from ddpm_lab import ideal_denoisers, schedules, sde
from ddpm_lab.gaussians import Gaussian, log_prob, seeded

VP, VE = sde.variance_preserving(), sde.variance_exploding(0.05, 8.0)
PROCESSES = {"VP": VP, "VE": VE, "VP rescaled": sde.rescaled(VP)}
EACH = pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
MODES, CIRCLE = ideal_denoisers.two_modes(), ideal_denoisers.circle_mixture(5, std=0.3)
TIMES = (0.05, 0.3, 0.8, 1.0)


def number(x):
    return torch.tensor(x, dtype=torch.float64)


def line(a, b, n):
    return torch.linspace(a, b, n, dtype=torch.float64)


def slope(f, t):
    """df/dt by automatic differentiation."""
    t = number(t).requires_grad_()
    (found,) = torch.autograd.grad(f(t), t)
    return float(found)


# --- The forward process --------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("t", TIMES)
def test_mean_and_variance_obey_their_equations(process, t):
    """signal' = f signal and (noise^2)' = 2 f noise^2 + g^2."""
    at = number(t)
    f, g_2 = float(process.rate(at)), float(process.diffusion_var(at))
    var, signal = float(process.noise_var(at)), float(process.signal(at))
    if f:
        assert slope(process.signal, t) == pytest.approx(f * signal, rel=1e-10)
    assert slope(process.noise_var, t) == pytest.approx(2 * f * var + g_2, rel=1e-9)


@EACH
def test_the_clean_data_are_at_0(process):
    assert float(process.signal(number(0.0))) == 1
    assert float(process.noise_var(number(0.0))) == 0


def test_signal_is_the_integral_of_beta():
    for t in TIMES:
        total, _ = integrate.quad(lambda u: float(VP.diffusion_var(number(u))), 0, t)
        assert float(VP.signal(number(t)) ** 2) == pytest.approx(math.exp(-total), rel=1e-10)


@pytest.mark.parametrize("process", [VE, sde.rescaled(VP)], ids=["VE", "VP rescaled"])
def test_the_noise_of_an_exploding_process_is_the_integral_of_g_squared(process):
    for t in TIMES:
        total, _ = integrate.quad(lambda u: float(process.diffusion_var(number(u))), 0, t)
        assert float(process.noise_var(number(t))) == pytest.approx(total, rel=1e-8)


def test_the_chain_converges_to_the_process_at_order_1():
    errors = []
    for T in (500, 1000, 2000):
        beta = VP.diffusion_var(torch.arange(1, T + 1, dtype=torch.float64) / T) / T
        abar = schedules.from_beta(beta).abar
        errors.append(abs(float(abar[T // 2]) - float(VP.signal(number(0.5)) ** 2)))
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.05)


def test_the_linear_schedule_is_nearly_this_chain():
    """1e-4 … 0.02 in 1000 steps is 0.1 … 20 per unit of time."""
    t = torch.arange(0, 1001, dtype=torch.float64) / 1000
    assert float((schedules.linear().signal - VP.signal(t)).abs().max()) < 1e-3


def test_one_short_step_has_drift_and_diffusion():
    """The transition from t to t + h is 1 + h f and h g^2 up to order h^2."""
    for process in PROCESSES.values():
        for t in (0.2, 0.7):
            h = 1e-5
            a, b = process.signal(number(t)), process.signal(number(t + h))
            mean = float(b / a)
            var = float(process.noise_var(number(t + h)) - mean**2 * process.noise_var(number(t)))
            x = torch.ones(1, 1, dtype=torch.float64)
            assert (mean - 1) / h == pytest.approx(float(process.drift(x, t)), rel=1e-3, abs=1e-9)
            assert var / h == pytest.approx(float(process.diffusion(t)) ** 2, rel=1e-3)


def test_rescaling_keeps_the_log_snr():
    for t in TIMES:
        assert float(sde.rescaled(VP).log_snr(t)) == pytest.approx(float(VP.log_snr(t)), abs=1e-9)


# --- Mixtures -------------------------------------------------------------------------------------


def test_the_mixture_at_t_is_that_of_the_chain_with_the_same_signal():
    x = torch.randn(20, 2, generator=seeded(1), dtype=torch.float64)
    for t in TIMES:
        beta = 1 - float(VP.signal(number(t)) ** 2)
        chain = schedules.from_beta([beta])
        want = ideal_denoisers.log_density(CIRCLE, chain, x, 1)
        torch.testing.assert_close(sde.log_density(sde.mixture_at(VP, CIRCLE, t), x), want)


@EACH
@pytest.mark.parametrize("t", [0.0, *TIMES])
def test_the_score_is_the_gradient_of_the_log_density(process, t):
    x = torch.randn(20, 2, generator=seeded(2), dtype=torch.float64).requires_grad_()
    log_q = sde.log_density(sde.mixture_at(process, CIRCLE, t), x)
    (want,) = torch.autograd.grad(log_q.sum(), x)
    found = sde.mixture_score(process, CIRCLE)(x.detach(), number(t))
    torch.testing.assert_close(found, want)


# --- Densities on a grid --------------------------------------------------------------------------


def cells(process, t, edges):
    """The exact mean density of the two modes in each cell, by their distribution functions."""
    at = sde.mixture_at(process, MODES, t)
    below = special.ndtr((edges.numpy()[:, None] - at.mean[:, 0].numpy()) / at.var.sqrt().numpy())
    return torch.as_tensor(np.diff(below @ at.weight.numpy())) / edges.diff()


def grid_error(process, n, steps, end=0.2):
    edges = line(-6, 6, n + 1)
    found = sde.fokker_planck(process.drift, process.diffusion, cells(process, 0.0, edges), edges,
                              line(0, end, steps + 1))  # fmt: skip
    return float((found[-1] - cells(process, end, edges)).abs().max()), found, edges


@EACH
def test_fokker_planck_follows_the_exact_marginals_at_order_2(process):
    coarse, found, edges = grid_error(process, 150, 50)
    fine, *_ = grid_error(process, 300, 100)
    assert fine < 4e-3
    assert coarse / fine == pytest.approx(4, rel=0.25)
    mass = found.sum(dim=1) * (edges[1] - edges[0])
    torch.testing.assert_close(mass, mass[:1].expand_as(mass), rtol=0, atol=1e-12)


@EACH
@pytest.mark.parametrize("dial", [0.0, 0.5, 1.0, 2.0])
def test_every_process_of_the_family_keeps_the_marginals(process, dial):
    """In forward time the density of the reversed process obeys  dq/dt = -(b q)' - dial^2 g^2/2 q''
    with b the drift. Truth: the exact q, differentiated automatically.
    """
    score = sde.mixture_score(process, MODES)
    x = line(-2, 2, 9)[:, None].requires_grad_()
    t = 0.3

    def q(x, t):
        return sde.log_density(sde.mixture_at(process, MODES, t), x).exp()

    def d(y):
        return torch.autograd.grad(y.sum(), x, create_graph=True)[0][:, 0]

    b = sde.reverse_drift(process, score, x, t, dial)[:, 0]
    g_2 = float(process.diffusion(t)) ** 2
    right = -d(b * q(x, t)) - dial**2 * g_2 / 2 * d(d(q(x, t)))
    h = 1e-5
    left = (q(x, t + h) - q(x, t - h)) / (2 * h)
    torch.testing.assert_close(right, left, rtol=1e-5, atol=1e-6)


# --- Samplers -------------------------------------------------------------------------------------

QUANTILES = (0.05, 0.2, 0.4, 0.7, 0.95)


def quantiles(process, t):
    at = sde.mixture_at(process, MODES, t)
    mean, std, w = at.mean[:, 0].numpy(), at.var.sqrt().numpy(), at.weight.numpy()

    def below(x, u):
        return float((w * special.ndtr((x - mean) / std)).sum()) - u

    found = [optimize.brentq(below, -60, 60, args=(u,), xtol=1e-13) for u in QUANTILES]
    return torch.tensor(found, dtype=torch.float64)[:, None]


def euler_error(process, steps):
    run = sde.simulate(process, sde.mixture_score(process, MODES), quantiles(process, 1.0),
                       times=line(1, 0, steps + 1), dial=0.0)  # fmt: skip
    *_, (s, x) = run
    assert s == 0
    return float((x - quantiles(process, 0.0)).square().mean().sqrt())


@pytest.mark.parametrize("process", [VP, VE], ids=["VP", "VE"])
def test_the_ode_carries_quantiles_and_euler_has_order_1(process):
    coarse, fine = euler_error(process, 400), euler_error(process, 1600)
    assert fine < 0.02
    assert coarse / fine == pytest.approx(4, rel=0.35)


@pytest.mark.parametrize("dial", [0.0, 0.5, 1.0, 1.5])
def test_euler_maruyama_has_the_moments_of_its_recursion(dial):
    """For N(0, V) data each step multiplies by a number and adds noise: variances by hand.

    4 standard errors of a variance from 20,000 samples: a false alarm in 16,000 runs.
    """
    V, steps, n = 0.25, 60, 20_000
    data = ideal_denoisers.Mixture(*map(number, ([1.0], [[0.0]], [V])))
    times = line(1, 0, steps + 1)
    x = torch.randn(n, 1, generator=seeded(5), dtype=torch.float64)
    run = sde.simulate(VP, sde.mixture_score(VP, data), x, times=times, dial=dial,
                       generator=seeded(6))  # fmt: skip
    *_, (_, x) = run
    var = 1.0
    for t, s in itertools.pairwise(times.tolist()):
        beta, abar = 0.1 + 19.9 * t, math.exp(-0.1 * t - 9.95 * t**2)
        total = abar * V + 1 - abar
        factor = 1 + (t - s) * beta * (0.5 - (1 + dial**2) / 2 / total)
        var = factor**2 * var + dial**2 * beta * (t - s)
    assert float(x.var()) == pytest.approx(var, abs=4 * var * math.sqrt(2 / n))


def test_more_steps_bring_every_process_to_the_data():
    """W1 to the exact quantiles, 2000 points; the sampling error of W1 is about 0.017."""
    levels = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    grid = line(-3, 3, 60_001)
    at = MODES.mean[:, 0], MODES.var.sqrt()
    F = 0.5 * torch.special.ndtr((grid[:, None] - at[0]) / at[1]).sum(1)
    want = grid[torch.searchsorted(F, levels).clamp(max=60_000)]
    for dial in (0.0, 0.5, 1.0, 1.5):
        x = torch.randn(2000, 1, generator=seeded(7), dtype=torch.float64)
        run = sde.simulate(VP, sde.mixture_score(VP, MODES), x, times=line(1, 0, 301), dial=dial,
                           generator=seeded(8))  # fmt: skip
        *_, (_, x) = run
        assert float((x[:, 0].sort().values - want).abs().mean()) < 0.05


# --- Divergence and likelihood --------------------------------------------------------------------


def field(x):
    """Not linear, with mixed derivatives; one item does not see the others."""
    return torch.sin(
        x @ torch.tensor([[1.0, 2.0, 0.0], [0.3, -1.0, 1.0], [0.0, 0.5, 1.5]]).double()
    )


def test_the_divergence_is_the_trace_of_the_jacobian():
    x = torch.randn(4, 3, generator=seeded(9), dtype=torch.float64)
    value, found = sde.divergence(field, x)
    want = [torch.autograd.functional.jacobian(lambda y: field(y[None])[0], row).trace()
            for row in x]  # fmt: skip
    torch.testing.assert_close(found, torch.stack(want))
    torch.testing.assert_close(value, field(x))


def test_hutchinson_is_unbiased():
    """The mean over all eight vectors of signs is the trace itself."""
    x = torch.randn(4, 3, generator=seeded(10), dtype=torch.float64)
    all_signs = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=3)), dtype=torch.float64)
    found = [sde.hutchinson(field, x, v.expand(4, 3))[1] for v in all_signs]
    torch.testing.assert_close(torch.stack(found).mean(0), sde.divergence(field, x)[1])
    assert float(torch.stack(found).std(0).min()) > 0.1  # alone, each is off


def standard(x):
    return log_prob(Gaussian(torch.zeros_like(x), torch.ones((), dtype=x.dtype)), x)


def test_a_linear_flow_is_a_matrix_exponential():
    A = torch.tensor([[0.2, -1.0], [0.7, -0.5]], dtype=torch.float64)
    x = torch.randn(5, 2, generator=seeded(11), dtype=torch.float64)
    found = sde.log_likelihood(lambda x, t: x @ A.T, x, times=line(0, 1.5, 61), log_prior=standard)
    end = x @ torch.as_tensor(linalg.expm(1.5 * A.numpy())).T
    torch.testing.assert_close(found.end, end, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(found.log_prob, standard(end) + 1.5 * A.trace(), rtol=1e-6,
                               atol=1e-7)  # fmt: skip


@pytest.mark.parametrize("process", [VP, VE], ids=["VP", "VE"])
def test_the_ode_finds_the_exact_density_of_a_mixture(process):
    x = ideal_denoisers.sample(CIRCLE, 20, generator=seeded(12)).double()
    prior = sde.mixture_at(process, CIRCLE, 1.0)
    flow = sde.probability_flow(process, sde.mixture_score(process, CIRCLE))
    want, errors = sde.log_density(CIRCLE, x), []
    for steps in (40, 80):
        found = sde.log_likelihood(flow, x, times=line(0, 1, steps + 1),
                                   log_prior=lambda y: sde.log_density(prior, y))  # fmt: skip
        errors.append(float((found.log_prob - want).abs().max()))
    assert errors[1] < 1e-4
    assert errors[0] / errors[1] > 8  # order 4 would be 16


def test_probes_are_right_on_average():
    """20 probes against the exact divergence: 4 standard errors of the mean over the points."""
    x = ideal_denoisers.sample(CIRCLE, 10, generator=seeded(13)).double()
    flow = sde.probability_flow(VP, sde.mixture_score(VP, CIRCLE))
    options = {"times": line(0, 1, 16), "log_prior": standard}
    exact = sde.log_likelihood(flow, x, **options)
    rough = sde.log_likelihood(flow, x, **options, probes=20, generator=seeded(14))
    torch.testing.assert_close(rough.end, exact.end)
    one = [sde.log_likelihood(flow, x, **options, probes=1, generator=seeded(k)).log_prob
           for k in range(6)]  # fmt: skip
    spread = float(torch.stack(one).std(0).mean())
    away = float((rough.log_prob - exact.log_prob).mean().abs())
    assert 0 < away < 4 * spread / math.sqrt(200)


# --- Score matching -------------------------------------------------------------------------------

NODES, WEIGHTS = (torch.as_tensor(v) for v in np.polynomial.hermite_e.hermegauss(60))
WEIGHTS = WEIGHTS / WEIGHTS.sum()
NOISE = 0.6


def model(theta):
    """Scores that are not right for any theta, and not linear."""
    return lambda x: torch.tanh(theta * x) - x


def averages(theta):
    """Means of explicit, implicit and denoising losses over the noised two modes, by quadrature."""
    x_0 = (MODES.mean[:, 0] + MODES.var.sqrt() * NODES[:, None]).flatten()  # 60 x 2 nodes
    w_0 = (0.5 * WEIGHTS[:, None]).expand(-1, 2).flatten()
    pairs, eps = torch.cartesian_prod(x_0, NODES).T
    w = (w_0[:, None] * WEIGHTS).flatten()
    x = (pairs + NOISE * eps)[:, None]
    noised = MODES._replace(var=MODES.var + NOISE**2)
    here = x.clone().requires_grad_()
    (true,) = torch.autograd.grad(sde.log_density(noised, here).sum(), here)
    losses = (
        sde.explicit_score_matching(model(theta), x, true),
        sde.implicit_score_matching(model(theta), x),
        sde.denoising_score_matching(model(theta), pairs[:, None], eps[:, None], noise=NOISE),
    )
    return [float((w * loss.detach()).sum()) for loss in losses], float((w * true[:, 0] ** 2).sum())


def test_three_kinds_differ_by_constants():
    """[Hyv05] and [Vin11]: implicit = explicit - E|s|^2/2; denoising = implicit + 1/(2 noise^2)."""
    for theta in (-1.0, 0.5, 2.0):
        (explicit, implicit, denoising), fisher = averages(theta)
        assert implicit == pytest.approx(explicit - fisher / 2, abs=1e-8)
        assert denoising == pytest.approx(implicit + 0.5 / NOISE**2, abs=1e-8)


def test_sliced_is_implicit_on_average_over_all_signs():
    x = torch.randn(6, 3, generator=seeded(15), dtype=torch.float64)
    all_signs = itertools.product((-1.0, 1.0), repeat=3)
    found = [sde.sliced_score_matching(field, x, torch.tensor(v).double().expand(6, 3)).detach()
             for v in all_signs]  # fmt: skip
    want = sde.implicit_score_matching(field, x).detach()
    torch.testing.assert_close(torch.stack(found).mean(0), want)


def test_the_losses_can_be_trained():
    """Gradients reach a parameter: for s = -theta x and N(0, V) data the minimum is at 1/V."""
    V = 0.5
    x, theta = math.sqrt(V) * NODES[:, None], number(1.3).requires_grad_()
    probe = torch.ones_like(x)
    for loss in (
        sde.implicit_score_matching(lambda x: -theta * x, x),
        sde.sliced_score_matching(lambda x: -theta * x, x, probe),
    ):
        (slope,) = torch.autograd.grad((WEIGHTS * loss).sum(), theta)
        assert float(slope) == pytest.approx(1.3 * V - 1, abs=1e-10)
