"""Flow matching is v-prediction in other coordinates, and its velocity is a conditional mean.

Truth: Bayes' rule on the straight path by quadrature and in closed form, written down here without
a schedule; the quantiles that a one-dimensional flow must keep, by SciPy's root finder; all
permutations of a small batch; an arc of a circle, whose length is known.
"""

import itertools
import math

import numpy as np
import pytest
import torch
from refuses import refuses
from scipy import integrate, optimize, special, stats

from ddpm_lab import flow_matching as flow
from ddpm_lab import forward, ideal_denoisers, losses, predictions, samplers, schedules
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import zero_terminal

T = 200
MAKERS = {
    "straight": lambda: flow.straight(T),
    "linear": lambda: schedules.linear(T),
    "cosine": lambda: schedules.cosine(T),
    "quadratic": lambda: schedules.quadratic(T),
    "geometric": lambda: schedules.geometric(T),
    "logarithmic": lambda: schedules.logarithmic(T),
    "sigmoid": lambda: schedules.sigmoid(T),
    "su": lambda: schedules.su(T),
    "straight log-SNR": lambda: schedules.straight_log_snr(10.0, -10.0, T),
    "zero terminal": lambda: zero_terminal(schedules.linear(T)),
}
EACH = pytest.mark.parametrize("name", MAKERS)
TIMES = (1, 2, T // 4, T // 2, T - 1, T)
UNEVEN = ideal_denoisers.Mixture(
    torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64),
    torch.tensor([[-1.0, 0.5], [0.3, 0.9], [1.2, -0.7]], dtype=torch.float64),
    torch.tensor([0.04, 0.3, 0.01], dtype=torch.float64),
)
X = torch.tensor([[-0.9, 0.4], [0.0, 0.0], [0.7, 1.3], [2.0, -1.0]], dtype=torch.float64)


def close(a, b, tolerance=1e-10):
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def exact_velocity(mixture, x, tau):
    """E[eps - x_0 | x_tau = x] for x_tau = (1 - tau) x_0 + tau eps: Bayes' rule, in NumPy."""
    weight, mean, var = (part.numpy() for part in mixture)
    x, a = x.numpy()[:, None], 1 - tau
    spread = a**2 * var + tau**2  # of x_tau, given the component
    away = x - a * mean  # (B, K, D)
    log_p = np.log(weight) - 0.5 * (away**2).sum(2) / spread
    log_p -= 0.5 * mean.shape[1] * np.log(spread)
    p = special.softmax(log_p, axis=1)[..., None]
    x_0 = mean + (a * var / spread)[:, None] * away
    eps = (tau / spread)[:, None] * away
    return torch.from_numpy((p * (eps - x_0)).sum(1))


def test_the_closed_form_of_this_file_is_bayes_rule():
    """By quadrature over x_0, in one dimension."""
    two = ideal_denoisers.two_modes()
    std = float(two.var[0]) ** 0.5
    for tau, x in ((0.2, 0.4), (0.5, -0.3), (0.9, 1.0)):

        def joint(x_0, x=x, tau=tau):
            p = sum(stats.norm.pdf(x_0, m, std) / 2 for m in (-0.97, 0.97))
            return p * stats.norm.pdf(x, (1 - tau) * x_0, tau)

        def weighted(x_0, x=x, tau=tau, joint=joint):
            return ((x - (1 - tau) * x_0) / tau - x_0) * joint(x_0)

        over, under = (
            integrate.quad(f, -4, 4, points=(-1, 0, 1), epsabs=1e-13)[0] for f in (weighted, joint)
        )
        here = exact_velocity(two, torch.tensor([[x]], dtype=torch.float64), tau)
        assert float(here) == pytest.approx(over / under, abs=1e-9)


# The equivalence ---------------------------------------------------------------------------------


@EACH
def test_divided_by_the_scale_every_marginal_is_that_of_the_straight_path(name):
    schedule = MAKERS[name]()
    for t in TIMES:
        tau, scale = flow.tau(schedule)[t], flow.scale(schedule)[t]
        q = forward.marginal(schedule, X, t)
        close(q.mean / scale, (1 - tau) * X, 1e-12)
        close(q.var.sqrt() / scale, tau, 1e-12)


@EACH
def test_the_velocity_of_a_mixture_is_the_conditional_mean(name):
    schedule = MAKERS[name]()
    u = flow.velocity(schedule, ideal_denoisers.mixture_denoiser(UNEVEN, schedule))
    for t in TIMES:
        close(u(X, t), exact_velocity(UNEVEN, X, float(flow.tau(schedule)[t])))


@EACH
def test_v_prediction_and_velocity_are_the_same_both_ways(name):
    schedule = MAKERS[name]()
    denoise = ideal_denoisers.mixture_denoiser(UNEVEN, schedule)
    for t in TIMES:
        x_t = flow.scale(schedule)[t] * X
        v = predictions.convert(schedule, denoise(x_t, t), "x0", x_t, t).v
        exact = exact_velocity(UNEVEN, X, float(flow.tau(schedule)[t]))
        close(flow.to_velocity(schedule, v, x_t, t), exact)
        close(flow.to_v(schedule, exact, x_t, t), v)
        as_denoiser = flow.denoiser(schedule, flow.velocity(schedule, denoise))
        close(as_denoiser(x_t, t), denoise(x_t, t))


def test_each_item_may_have_a_time_of_its_own():
    schedule, t = MAKERS["cosine"](), torch.tensor([1, 50, 120, T])
    denoise = ideal_denoisers.mixture_denoiser(UNEVEN, schedule)
    u = flow.velocity(schedule, denoise)
    one_by_one = torch.cat([u(X[i : i + 1], int(t[i])) for i in range(4)])
    close(u(X, t), one_by_one)
    eps = normal_like(X, generator=seeded(1))
    points = [flow.interpolate(schedule, X[i : i + 1], int(t[i]), eps[i : i + 1]) for i in range(4)]
    close(flow.interpolate(schedule, X, t, eps), torch.cat(points))
    v = normal_like(X, generator=seeded(2))
    for change in (flow.to_velocity, flow.to_v):
        rows = [change(schedule, v[i : i + 1], X[i : i + 1], int(t[i])) for i in range(4)]
        close(change(schedule, v, X, t), torch.cat(rows))


@EACH
def test_euler_on_the_straight_path_is_ddim(name):
    """DDIM turns by an angle; in the other coordinates the same step is a straight line."""
    schedule = MAKERS[name]()
    denoise = ideal_denoisers.mixture_denoiser(UNEVEN, schedule)
    times = [T, T - 1, 110, 40, 3, 0]
    start = flow.scale(schedule)[T] * X
    ddim = [step.x_s for step in samplers.ddim(schedule, denoise, start, times=times)]
    path = flow.solve(schedule, flow.velocity(schedule, denoise), X, times=times)
    for s, x_s, x_tau in zip(times[1:], ddim, path[1:], strict=True):
        close(x_s / flow.scale(schedule)[s], x_tau, 1e-9)


@EACH
def test_the_loss_is_the_v_loss_times_the_squared_scale(name):
    schedule, x_0 = MAKERS[name](), X
    eps = normal_like(x_0, generator=seeded(3))

    def v_net(x_t, t):
        return torch.tanh(x_t) + t[:, None] / 100

    for t in (1, 77, T):
        scale = flow.scale(schedule)[t]

        def u_net(x_tau, t, scale=scale):
            return flow.to_velocity(schedule, v_net(scale * x_tau, t), scale * x_tau, t)

        ours = flow.loss(schedule, u_net, x_0, t, eps)
        close(ours, scale**2 * losses.simple(schedule, v_net, "v", x_0, t, eps))


def test_the_straight_schedule_has_the_log_snr_of_its_docstring():
    tau = np.arange(1, T) / T
    log_snr = 2 * np.log((1 - tau) / tau)
    np.testing.assert_allclose(flow.straight(T).log_snr[1:-1].numpy(), log_snr, atol=1e-11)
    np.testing.assert_allclose(flow.tau(flow.straight(T)).numpy(), np.arange(T + 1) / T, atol=1e-15)


# The gradient ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [0.25, 0.5, 0.9])
def test_the_conditional_loss_has_the_gradient_of_the_marginal_one(tau):
    """For a network with two weights and data of two points, by sums over a fine grid of eps or x,
    whose error vanishes for Gaussian integrands; the losses themselves differ."""
    t, schedule = round(tau * T), flow.straight(T)
    points = torch.tensor([-1.0, 0.6], dtype=torch.float64)
    eps = torch.linspace(-9, 9, 4001, dtype=torch.float64)
    density = (-0.5 * eps**2).exp() / math.sqrt(2 * math.pi) * (eps[1] - eps[0])
    weights = torch.tensor([0.7, -0.3], dtype=torch.float64, requires_grad=True)

    def net(x, t):
        return weights[0] * torch.sin(2 * x) + weights[1] * x**2

    x_0 = points.repeat_interleave(len(eps))[:, None]
    pairs = flow.loss(schedule, net, x_0, t, eps.repeat(2)[:, None])
    conditional = (pairs * density.repeat(2) / 2).sum()
    x = torch.linspace(-9, 9, 8001, dtype=torch.float64)
    p = torch.stack([(-0.5 * ((x - (1 - tau) * m) / tau) ** 2).exp() for m in points]) / 2
    p = p / (tau * math.sqrt(2 * math.pi))
    velocity = sum(q * ((x - (1 - tau) * m) / tau - m) for q, m in zip(p, points)) / p.sum(0)
    marginal = (p.sum(0) * (velocity.nan_to_num() - net(x, t)) ** 2).sum() * (x[1] - x[0])
    (one,) = torch.autograd.grad(conditional, weights)
    (other,) = torch.autograd.grad(marginal, weights)
    close(one, other, 1e-9)
    assert conditional > marginal + 0.1


# Following the velocity --------------------------------------------------------------------------

QUANTILES = (0.03, 0.1, 0.2, 0.35, 0.6, 0.75, 0.9, 0.98)


def quantiles(tau):
    """x with F_tau(x) = q for the two modes on the straight path."""
    std = math.sqrt((1 - tau) ** 2 * 0.0591 + tau**2)
    centers = (1 - tau) * np.array([-0.97, 0.97])

    def below(x, q):
        return float(special.ndtr((x - centers) / std).mean()) - q

    roots = [optimize.brentq(below, -12, 12, args=(q,), xtol=1e-14) for q in QUANTILES]
    return torch.tensor(roots, dtype=torch.float64)[:, None]


@pytest.mark.parametrize("order", [1, 2])
def test_solving_keeps_quantiles_at_the_promised_order(order):
    schedule = flow.straight(640)
    two = ideal_denoisers.two_modes()
    u = flow.velocity(schedule, ideal_denoisers.mixture_denoiser(two, schedule))
    steps = (20, 40, 80, 160)
    errors = []
    for n in steps:
        times = schedules.timesteps(640, n)
        path = flow.solve(schedule, u, quantiles(1.0), times=times, order=order)
        errors.append(float((path[-1] - quantiles(0.0)).square().mean().sqrt()))
        close(path[n // 2], quantiles(0.5), 20 * errors[-1])  # and on the way
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.25)
    assert errors[-1] < (0.02, 2e-3)[order - 1]


def test_a_single_point_is_reached_in_one_step():
    schedule = flow.straight(10)
    point = torch.tensor([[0.3, -0.7]], dtype=torch.float64)
    u = flow.velocity(schedule, ideal_denoisers.dataset_denoiser(point, schedule))
    path = flow.solve(schedule, u, X, times=[10, 0])
    close(path[-1], point.expand(4, 2), 1e-12)


def test_a_network_gets_one_time_per_item_and_keeps_its_dtype():
    seen = []

    def net(x, t):
        seen.append(t)
        return torch.zeros_like(x)

    x = torch.ones(3, 1, 2, 2)
    path = flow.solve(flow.straight(4), net, x, times=[4, 2, 0], order=2)
    assert path.shape == (3, 3, 1, 2, 2) and path.dtype == torch.float32
    assert [t.tolist() for t in seen] == [[4] * 3, [2] * 3, [2] * 3]  # the last step asks once
    assert flow.denoiser(flow.straight(4), net)(x, 2).dtype == torch.float32
    assert flow.loss(flow.straight(4), net, x, torch.tensor([0, 1, 4]), x).shape == (3,)


# Pairs -------------------------------------------------------------------------------------------


def test_an_arc_is_as_far_from_straight_as_its_length_says():
    """At constant speed: S = length^2 - chord^2, here (pi / 2)^2 - 2."""
    schedule = flow.straight(1000)
    angle = math.pi / 2 * flow.tau(schedule).flip(0)
    arc = torch.stack([angle.cos(), angle.sin()], dim=1)[:, None].expand(-1, 3, -1)
    found = flow.straightness(schedule, arc, range(1000, -1, -1))
    close(found, torch.full((3,), math.pi**2 / 4 - 2, dtype=torch.float64), 1e-5)
    uneven = flow.straightness(schedules.linear(1000), arc, range(1000, -1, -1))
    assert bool((uneven > found).all())  # the same places, not at constant speed


def test_straightness_is_that_of_the_whole_item():
    schedule, times = flow.straight(4), [4, 2, 0]
    path = normal_like(torch.empty(3, 5, 2, 3).double(), generator=seeded(4))
    parts = [flow.straightness(schedule, path[:, :, i, j], times) for i in (0, 1) for j in range(3)]
    close(flow.straightness(schedule, path, times), sum(parts), 1e-12)


def test_pairs_are_the_best_of_all_permutations():
    for seed in range(5):
        x_0, eps = (
            normal_like(torch.empty(6, 2).double(), generator=seeded(seed + k)) for k in (0, 9)
        )
        best = min(
            float((x_0 - eps[list(p)]).square().sum()) for p in itertools.permutations(range(6))
        )
        paired = flow.optimal_pairs(x_0, eps)
        assert float((x_0 - paired).square().sum()) == pytest.approx(best, rel=1e-12)
        assert sorted(paired.tolist()) == sorted(eps.tolist())


def test_on_the_line_the_best_pairs_keep_the_order():
    x_0, eps = (normal_like(torch.empty(100, 1), generator=seeded(k)) for k in (1, 2))
    paired = flow.optimal_pairs(x_0, eps)
    assert paired.dtype == torch.float32
    assert torch.equal(paired[x_0[:, 0].argsort()], eps.sort(dim=0).values)


def test_pairs_of_images():
    x_0, eps = (normal_like(torch.empty(8, 1, 2, 2), generator=seeded(k)) for k in (1, 2))
    flat = flow.optimal_pairs(x_0.flatten(1), eps.flatten(1))
    assert torch.equal(flow.optimal_pairs(x_0, eps).flatten(1), flat)


# What is refused ---------------------------------------------------------------------------------


def test_what_makes_no_sense_is_refused_with_words():
    schedule, x = flow.straight(10), torch.zeros(2, 2)
    for error, words, call in (
        (ValueError, "T must", lambda: flow.straight(0)),
        (TypeError, "schedule must", lambda: flow.tau(schedule.abar)),
        (ValueError, "t must lie in 0..10", lambda: flow.interpolate(schedule, x, 11, x)),
        (ValueError, "x_0 and eps must", lambda: flow.interpolate(schedule, x, 1, x[:1])),
        (ValueError, "net_output must", lambda: flow.loss(schedule, lambda x, t: x[:1], x, 1, x)),
        (ValueError, "x_t and v must", lambda: flow.to_velocity(schedule, x[:1], x, 1)),
        (ValueError, "x_t and u must", lambda: flow.to_v(schedule, x[:1], x, 1)),
        (ValueError, "t must lie in 1..10", lambda: flow.velocity(schedule, lambda x, t: x)(x, 0)),
        (ValueError, "t must lie in 1..10", lambda: flow.denoiser(schedule, lambda x, t: x)(x, 0)),
        (TypeError, "denoise must", lambda: flow.velocity(schedule, 1)),
        (TypeError, "net must", lambda: flow.denoiser(schedule, 1)),
        (ValueError, "order must", lambda: flow.solve(schedule, lambda x, t: x, x, order=3)),
        (ValueError, "times must", lambda: flow.solve(schedule, lambda x, t: x, x, times=[0, 1])),
        (ValueError, "velocity must", lambda: flow.solve(schedule, lambda x, t: x[:1], x)),
        (ValueError, "path must", lambda: flow.straightness(schedule, x[None], [10, 0])),
        (ValueError, "x_0 must be finite", lambda: flow.optimal_pairs(x + math.nan, x)),
    ):
        with refuses(error, words, "got"):
            call()
