"""The package's coefficients, derived once more by computer algebra from first principles.

Truth: SymPy. Each law is derived from its definition (merge two noises; complete a square; demand
the right marginal), evaluated with 30 digits at rational numbers, and compared with what the
package does.
"""

import math

import pytest
import sympy as sp
import torch

from ddpm_lab import forward, gaussians, losses, predictions, samplers, schedules

abar_s, abar_t = sp.symbols("abar_s abar_t", positive=True)
x_0, x_s, x_t, x0_hat = sp.symbols("x_0 x_s x_t x0_hat", real=True)
alpha_ts = abar_t / abar_s

# Four chains 0 < s < t: an early, a middle and a late move, and one that ends without signal.
CHAINS = [
    (sp.Rational(9999, 10000), sp.Rational(9995, 10000)),
    (sp.Rational(3, 5), sp.Rational(1, 7)),
    (sp.Rational(1, 50), sp.Rational(1, 30000)),
    (sp.Rational(1, 3), sp.Integer(0)),
]
EACH = pytest.mark.parametrize("at_s, at_t", CHAINS)


def table(at_s, at_t):
    """A schedule of two steps with these two levels of signal: s = 1, t = 2."""
    rows = torch.tensor([1.0, float(at_s), float(at_t)], dtype=torch.float64)
    return schedules.Schedule("two steps", rows)


def number(expression, at_s, at_t, **values):
    values = {sp.Symbol(k, real=True): sp.Rational(v) for k, v in values.items()}
    # Substituting the float64 rows, not the rationals: the table is what the package is given.
    rows = {abar_s: sp.Float(float(at_s), 40), abar_t: sp.Float(float(at_t), 40)}
    return float(sp.N(expression.subs(rows).subs(values), 30))


def one(x):
    return torch.tensor([[float(x)]], dtype=torch.float64)


def square_in(variable, log_density):
    """Mean and variance of the Gaussian with this quadratic log density: completing the square."""
    quadratic = sp.Poly(sp.expand(log_density), variable)
    two, first, _ = quadratic.all_coeffs()
    return sp.simplify(-first / (2 * two)), sp.simplify(-1 / (2 * two))


POSTERIOR_MEAN, POSTERIOR_VAR = square_in(
    x_s,
    -((x_t - sp.sqrt(alpha_ts) * x_s) ** 2) / (2 * (1 - alpha_ts))
    - (x_s - sp.sqrt(abar_s) * x_0) ** 2 / (2 * (1 - abar_s)),
)


@EACH
def test_two_steps_merge_into_one(at_s, at_t):
    """x_t = sqrt(alpha) (signal x_0 + noise z_1) + sqrt(1 - alpha) z_2: collect x_0 and the
    variances.
    """
    z_1, z_2 = sp.symbols("z_1 z_2")
    merged = sp.expand(
        sp.sqrt(alpha_ts) * (sp.sqrt(abar_s) * x_0 + sp.sqrt(1 - abar_s) * z_1)
        + sp.sqrt(1 - alpha_ts) * z_2
    )
    on_x_0 = sp.simplify(merged.coeff(x_0))
    var = sp.simplify(merged.coeff(z_1) ** 2 + merged.coeff(z_2) ** 2)
    assert sp.simplify(on_x_0 - sp.sqrt(abar_t)) == 0
    assert sp.simplify(var - (1 - abar_t)) == 0
    p = forward.marginal(table(at_s, at_t), one(1), 2)
    assert float(p.mean) == pytest.approx(number(on_x_0, at_s, at_t), rel=1e-14)
    assert float(p.var) == pytest.approx(number(var, at_s, at_t), rel=1e-12)


@EACH
@pytest.mark.parametrize("ends", [(1, 0), (0, 1), (2, -3)])
def test_the_posterior_completes_the_square(at_s, at_t, ends):
    known = {"x_0": ends[0], "x_t": ends[1]}
    p = forward.posterior(table(at_s, at_t), one(ends[0]), one(ends[1]), 2, 1)
    assert float(p.mean) == pytest.approx(number(POSTERIOR_MEAN, at_s, at_t, **known), rel=1e-11)
    assert float(p.var) == pytest.approx(number(POSTERIOR_VAR, at_s, at_t), rel=1e-11)


def test_the_posterior_is_the_papers_equation_7():
    alpha, beta = alpha_ts, 1 - alpha_ts
    mean = (sp.sqrt(abar_s) * beta * x_0 + sp.sqrt(alpha) * (1 - abar_s) * x_t) / (1 - abar_t)
    assert sp.simplify(POSTERIOR_MEAN - mean) == 0
    assert sp.simplify(POSTERIOR_VAR - beta * (1 - abar_s) / (1 - abar_t)) == 0


def ddim_coefficients(var):
    """Demand that x_s = a x_0 + b x_t + sqrt(var) z has the marginal q(x_s | x_0), for any x_0."""
    a, b = sp.symbols("a b", nonnegative=True)
    b_squared = sp.solve(b**2 * (1 - abar_t) + var - (1 - abar_s), b**2)[0]
    kept = sp.sqrt(b_squared)
    return sp.solve(a + kept * sp.sqrt(abar_t) - sp.sqrt(abar_s), a)[0], kept


@EACH
@pytest.mark.parametrize("eta", [0, sp.Rational(1, 2), sp.Rational(9, 10), 1])
def test_ddim_is_the_only_step_with_this_noise_and_the_right_marginal(at_s, at_t, eta):
    var = eta**2 * (1 - abar_s) / (1 - abar_t) * (1 - alpha_ts)
    on_x0, on_x_t = ddim_coefficients(var)
    p = samplers.ddim_step(table(at_s, at_t), one(1), one(0), 2, 1, eta=float(eta))
    assert float(p.mean) == pytest.approx(number(on_x_t, at_s, at_t), rel=1e-10, abs=1e-15)
    p = samplers.ddim_step(table(at_s, at_t), one(0), one(1), 2, 1, eta=float(eta))
    assert float(p.mean) == pytest.approx(number(on_x0, at_s, at_t), rel=1e-10, abs=1e-15)
    assert float(p.var) == pytest.approx(number(sp.sympify(var), at_s, at_t), rel=1e-10, abs=0)


def test_the_variance_of_eta_one_is_the_one_that_makes_the_forward_chain_forget_x_0():
    """Bayes turns q(x_s | x_t, x_0) into q(x_t | x_s, x_0): one variance removes x_0 from it."""
    var = sp.Symbol("var", positive=True)
    on_x0, on_x_t = ddim_coefficients(var)
    log_joint = -((x_s - on_x0 * x_0 - on_x_t * x_t) ** 2) / (2 * var) - (
        x_t - sp.sqrt(abar_t) * x_0
    ) ** 2 / (2 * (1 - abar_t))
    onward_mean, _ = square_in(x_t, log_joint)
    seen = sp.diff(onward_mean, x_0)
    markov = (1 - abar_s) / (1 - abar_t) * (1 - alpha_ts)
    levels = {abar_s: sp.Rational(3, 5), abar_t: sp.Rational(1, 7)}
    assert sp.simplify(seen.subs(var, markov).subs(levels)) == 0
    assert sp.N(seen.subs(var, markov / 4).subs(levels)) != 0


@EACH
def test_a_bound_term_is_half_the_loss_of_snr_times_the_squared_error(at_s, at_t):
    """KL of two Gaussians of one variance is (difference of means)^2 / (2 var)."""
    miss = POSTERIOR_MEAN.subs(x_0, x0_hat) - POSTERIOR_MEAN
    term = miss**2 / (2 * POSTERIOR_VAR)
    snr_s, snr_t = abar_s / (1 - abar_s), abar_t / (1 - abar_t)
    weight = (snr_s - snr_t) / 2
    assert sp.simplify(term - weight * (x_0 - x0_hat) ** 2) == 0
    schedule = table(at_s, at_t)
    want = number(weight, at_s, at_t)
    assert float(losses.weight(schedule, "x0", 2, "vlb")) == pytest.approx(want, rel=1e-10)
    truth = forward.posterior(schedule, one(0.5), one(0.2), 2, 1)
    model = samplers.ddpm_step(schedule, one(0.2), one(-1.5), 2, 1)
    assert float(gaussians.kl(truth, model)) == pytest.approx(4 * want, rel=1e-10)


def test_the_bound_weight_on_eps_is_the_papers_equation_12():
    """beta^2 / (2 var alpha (1 - abar)) with var = posterior_var, times 1, is the x0 weight over
    SNR.
    """
    beta = 1 - alpha_ts
    paper = beta**2 / (2 * POSTERIOR_VAR * alpha_ts * (1 - abar_t))
    snr_s, snr_t = abar_s / (1 - abar_s), abar_t / (1 - abar_t)
    assert sp.simplify(paper - (snr_s / snr_t - 1) / 2) == 0
    at_s, at_t = CHAINS[1]
    got = losses.weight(table(at_s, at_t), "eps", 2, "vlb")
    assert float(got) == pytest.approx(number(paper, at_s, at_t), rel=1e-12)


def test_the_reverse_mean_in_noise_form_is_the_papers_equation_11():
    """(x_t - beta eps / sqrt(1 - abar)) / sqrt(alpha) is the posterior mean, x_0 read off eps."""
    eps, beta = sp.Symbol("eps"), 1 - alpha_ts
    x0_from_eps = (x_t - sp.sqrt(1 - abar_t) * eps) / sp.sqrt(abar_t)
    noise_form = (x_t - beta * eps / sp.sqrt(1 - abar_t)) / sp.sqrt(alpha_ts)
    assert sp.simplify(POSTERIOR_MEAN.subs(x_0, x0_from_eps) - noise_form) == 0
    at_s, at_t = CHAINS[1]
    schedule = table(at_s, at_t)
    x0_hat = predictions.convert(schedule, one(0.7), "eps", one(0.4), 2).x0
    got = float(samplers.ddpm_step(schedule, one(0.4), x0_hat, 2, 1).mean)
    values = {eps: sp.Rational(7, 10), x_t: sp.Rational(4, 10)}
    assert got == pytest.approx(number(noise_form.subs(values), at_s, at_t), rel=1e-12)


def test_v_is_a_rotation():
    """(x_t, v) = R (x_0, eps) with R' R = 1, so x_0 = signal x_t - noise v."""
    signal, noise = sp.sqrt(abar_t), sp.sqrt(1 - abar_t)
    rotation = sp.Matrix([[signal, noise], [-noise, signal]])
    assert sp.simplify(rotation.T * rotation - sp.eye(2)) == sp.zeros(2)
    back = rotation.T
    schedule = table(sp.Rational(3, 5), sp.Rational(1, 7))
    p = predictions.convert(schedule, one(0.3), "v", one(0.8), 2)
    for got, row in ((p.x0, back.row(0)), (p.eps, back.row(1))):
        want = (row * sp.Matrix([sp.Rational(8, 10), sp.Rational(3, 10)]))[0]
        assert float(got) == pytest.approx(
            number(want, sp.Rational(3, 5), sp.Rational(1, 7)), rel=1e-14
        )


def test_the_angle_of_the_flow():
    """With cos(phi) = signal, d x / d phi = v for constant x_0 and eps, and the step with the mean
    of both slopes and tan(half the angle) is exact then: the rule that `flow` states.
    """
    phi, half, eps = sp.symbols("phi half eps", real=True)
    path = sp.cos(phi) * x_0 + sp.sin(phi) * eps
    v = sp.cos(phi) * eps - sp.sin(phi) * x_0
    assert sp.simplify(sp.diff(path, phi) - v) == 0
    end = phi + 2 * half
    moved = sp.cos(half) * (path.subs(phi, end) - path)
    assert sp.expand(sp.expand_trig(moved - sp.sin(half) * (v + v.subs(phi, end)))).simplify() == 0


def test_mutual_information_of_the_gaussian_channel():
    """I(x_0; x_t) = h(x_t) - h(x_t | x_0) for x_0 ~ N(0, 1), h = 1/2 log(2 pi e var)."""
    entropy = lambda var: sp.log(2 * sp.pi * sp.E * var) / 2  # noqa: E731
    information = entropy(sp.Integer(1)) - entropy(1 - abar_t)
    schedule = table(sp.Rational(3, 5), sp.Rational(1, 7))
    want = number(information, sp.Rational(3, 5), sp.Rational(1, 7))
    assert float(schedule.information[2]) == pytest.approx(want, rel=1e-13)
    assert want == pytest.approx(0.5 * math.log1p(float(schedule.snr[2])), rel=1e-13)
