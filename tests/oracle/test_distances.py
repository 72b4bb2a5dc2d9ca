"""How far two sets are apart: known answers for each distance, and for its standard error.

Truth: scipy in one dimension, sums written out in plain loops, quadrature and closed forms between
Gaussians, an assignment problem solved exactly, scipy.linalg.sqrtm, and expectations that are no
simulations: every sample of a coin, or every way to deal the labels, is visited with its weight.
"""

import itertools
import math
from functools import partial

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, linalg, optimize, spatial, stats

from ddpm_lab import metrics
from ddpm_lab.gaussians import seeded


def normal(n, d, seed, mean=0.0, std=1.0):
    return mean + std * torch.randn(n, d, generator=seeded(seed), dtype=torch.float64)


def column(values):
    return torch.as_tensor(values, dtype=torch.float64).reshape(-1, 1)


# ------------------------------------------------------------------ energy distance and MMD


def test_energy_distance_is_that_of_scipy_without_the_pairs_of_an_item_with_itself():
    a, b = normal(17, 1, 0), normal(29, 1, 1, mean=0.4, std=1.5)
    with_itself = stats.energy_distance(a[:, 0].numpy(), b[:, 0].numpy()) ** 2
    within = [float((x - x.T).abs().mean()) / (len(x) - 1) for x in (a, b)]
    assert metrics.energy_distance(a, b).value == pytest.approx(with_itself - sum(within))


KERNELS = {
    "energy": (metrics.energy_distance, lambda x, y: -math.dist(x, y)),
    "gaussian": (
        partial(metrics.mmd, bandwidth=0.7),
        lambda x, y: math.exp(-(math.dist(x, y) ** 2) / (2 * 0.7**2)),
    ),
    "cubic": (
        partial(metrics.mmd, kernel="cubic"),
        lambda x, y: (sum(i * j for i, j in zip(x, y)) / 3 + 1) ** 3,
    ),
}


@pytest.mark.parametrize("name", KERNELS)
def test_pairs_are_averaged_as_the_formula_says(name):
    metric, k = KERNELS[name]
    a, b = normal(6, 3, 2), normal(9, 3, 3, mean=0.5)

    def mean(pairs):
        terms = [k(x.tolist(), y.tolist()) for x, y in pairs]
        return sum(terms) / len(terms)

    within = [mean(itertools.permutations(x, 2)) for x in (a, b)]
    wanted = sum(within) - 2 * mean(itertools.product(a, b))
    assert metric(a, b).value == pytest.approx(wanted, rel=1e-9)


def test_energy_distance_of_two_gaussians_on_a_line():
    # 2 int (F - G)^2, by quadrature; a miss of 4.5 standard errors has a chance of 7e-6
    def gap(x):
        return 2 * (stats.norm.cdf(x) - stats.norm.cdf(x, 0.5, 2.0)) ** 2

    truth, _ = integrate.quad(gap, -12, 12)
    found = metrics.energy_distance(normal(3000, 1, 4), normal(2000, 1, 5, mean=0.5, std=2.0))
    assert abs(found.value - truth) < 4.5 * found.stderr
    assert found.stderr < 0.1 * truth


def mean_length(shift, var, d):
    """E|x|, x ~ N(shift, var I) in d dimensions: the mean of a noncentral chi distribution."""
    scale = mpmath.sqrt(2 * var) * mpmath.gamma((d + 1) / 2) / mpmath.gamma(d / 2)
    return float(scale * mpmath.hyp1f1(-0.5, d / 2, -(shift**2) / (2 * var)))


def test_energy_distance_of_two_gaussians_in_five_dimensions():
    shift, std = 0.8 * math.sqrt(5), 1.5
    truth = 2 * mean_length(shift, 1 + std**2, 5) - mean_length(0, 2, 5)
    truth -= mean_length(0, 2 * std**2, 5)
    found = metrics.energy_distance(normal(1500, 5, 6), normal(1200, 5, 7, mean=0.8, std=std))
    assert abs(found.value - truth) < 4.5 * found.stderr  # false alarm: 7e-6
    assert found.stderr < 0.05 * truth


def test_mmd_of_two_gaussians():
    """E k(x, y) for x - y ~ N(s, v I) is (h^2 / (h^2 + v))^(d/2) exp(-|s|^2 / (2 (h^2 + v)))."""
    d, h, shift, std = 3, 1.3, 0.7, 0.6

    def mean_kernel(var, far):
        return (h**2 / (h**2 + var)) ** (d / 2) * math.exp(-d * far**2 / (2 * (h**2 + var)))

    truth = mean_kernel(2, 0) + mean_kernel(2 * std**2, 0) - 2 * mean_kernel(1 + std**2, shift)
    a, b = normal(1500, d, 8), normal(1200, d, 9, mean=shift, std=std)
    found = metrics.mmd(a, b, bandwidth=h)
    assert abs(found.value - truth) < 4.5 * found.stderr  # false alarm: 7e-6
    assert found.stderr < 0.1 * truth


def coins(metric, n, m, p, q):
    """(chance, value, stderr) of every sample of n and m coins: only the number of heads counts."""
    for i, j in itertools.product(range(n + 1), range(m + 1)):
        found = metric(column([1.0] * i + [0.0] * (n - i)), column([1.0] * j + [0.0] * (m - j)))
        yield stats.binom.pmf(i, n, p) * stats.binom.pmf(j, m, q), found.value, found.stderr


def moments(rows):
    chance, value, stderr = (np.array(x) for x in zip(*rows))
    mean = chance @ value
    return mean, chance @ (value - mean) ** 2, chance @ stderr**2


BANDWIDTH_1 = partial(metrics.mmd, bandwidth=1.0)
# Between two coins E k(a,a') + E k(b,b') - 2 E k(a,b) = (p - q)^2 (k(0,0) + k(1,1) - 2 k(0,1)).
SCALE = {"energy": 2.0, "gaussian": 2 - 2 * math.exp(-0.5), "cubic": 1 + 8 - 2.0}
METRIC = {
    "energy": metrics.energy_distance,
    "gaussian": BANDWIDTH_1,
    "cubic": partial(metrics.mmd, kernel="cubic"),
}


@pytest.mark.parametrize("name", METRIC)
@pytest.mark.parametrize(("p", "q"), [(0.2, 0.7), (0.5, 0.6), (0.4, 0.4)])
def test_the_estimate_is_unbiased_and_its_error_is_right(name, p, q):
    mean, var, claimed = moments(coins(METRIC[name], 16, 12, p, q))
    assert mean == pytest.approx(SCALE[name] * (p - q) ** 2, abs=1e-12)
    # unbiased where the laws differ; else the part that cannot be negative errs to the large side
    if p + 0.2 < q:
        assert claimed == pytest.approx(var, rel=0.02)
    else:
        assert var < claimed < 2.1 * var


def test_the_median_distance_is_that_of_all_pairs():
    a, b = normal(8, 4, 10), normal(11, 4, 11)
    wanted = np.median(spatial.distance.pdist(np.concatenate([a, b])))
    assert metrics.median_distance(a, b) == pytest.approx(wanted)  # 171 pairs: one is the middle


# ------------------------------------------------------------------ sliced Wasserstein


@pytest.mark.parametrize("m", [40, 27, 8, 101])
def test_on_a_line_it_is_the_wasserstein_distance_of_scipy(m):
    a, b = normal(40, 1, 12), normal(m, 1, 13, mean=0.3, std=2.0)
    found = metrics.sliced_wasserstein(a, b, order=1, directions=2, generator=seeded(0))
    assert found.value == pytest.approx(stats.wasserstein_distance(a[:, 0], b[:, 0]))


@pytest.mark.parametrize(("n", "m"), [(12, 12), (12, 8), (9, 4)])
def test_of_order_2_it_solves_the_assignment_of_equal_shares(n, m):
    a, b = normal(n, 1, 14), normal(m, 1, 15, mean=-0.5, std=3.0)
    common = math.lcm(n, m)  # every item becomes several of equal weight
    cost = (a.repeat_interleave(common // n) - b.repeat_interleave(common // m)[:, None]) ** 2
    rows, columns = optimize.linear_sum_assignment(cost.numpy())
    wanted = math.sqrt(float(cost[rows, columns].mean()))
    found = metrics.sliced_wasserstein(a, b, directions=2, generator=seeded(0))
    assert found.value == pytest.approx(wanted)


@pytest.mark.parametrize(("order", "mean"), [(1, 0.375), (2, 1 / math.sqrt(5))])
def test_a_shifted_copy_is_as_far_away_as_its_shadow_on_an_even_line(order, mean):
    # b = a + s travels |w . s| on line w: E|w . s|^2 = |s|^2 / D; for D = 5 E|w . s| = 3/8 |s|
    a = normal(50, 5, 16)
    shift = torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0], dtype=torch.float64)
    found = metrics.sliced_wasserstein(
        a, a + shift, order=order, directions=4000, generator=seeded(2)
    )
    wanted = mean * float(shift.norm())
    by_lines = wanted / math.sqrt(4000)  # the spread of |w . s|^p is below its mean
    assert found.value == pytest.approx(wanted, abs=4.5 * by_lines)  # false alarm: below 7e-6
    assert found.stderr > 0.3 * by_lines


# ------------------------------------------------------------------ Fréchet


def with_moments(mean, cov, seed, n=200):
    """n items whose sample mean and covariance are exactly these."""
    x = normal(n, len(mean), seed)
    x = x - x.mean(dim=0)
    x = torch.linalg.solve_triangular(torch.linalg.cholesky(x.T.cov()), x.T, upper=False).T
    values, axes = torch.linalg.eigh(cov)
    return mean + x @ (axes * values.clamp(min=0).sqrt()).T


def random_covariance(d, seed):
    x = normal(2 * d, d, seed)
    return x.T @ x / d


def test_frechet_of_covariances_that_commute():
    turn = torch.linalg.qr(normal(6, 6, 17)).Q
    var_a = torch.tensor([4.0, 1.0, 0.25, 9.0, 2.0, 1.0], dtype=torch.float64)
    var_b = torch.tensor([1.0, 1.0, 4.0, 0.01, 3.0, 16.0], dtype=torch.float64)
    mean_a, mean_b = normal(2, 6, 18)
    a = with_moments(mean_a, turn @ var_a.diag() @ turn.T, 19)
    b = with_moments(mean_b, turn @ var_b.diag() @ turn.T, 20, n=150)
    wanted = (mean_a - mean_b).square().sum() + (var_a.sqrt() - var_b.sqrt()).square().sum()
    assert metrics.frechet(a, b).value == pytest.approx(float(wanted), rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_frechet_of_any_covariances_is_the_formula_with_scipys_root(seed):
    mean_a, mean_b = normal(2, 7, 21 + seed)
    cov_a, cov_b = random_covariance(7, 30 + seed), random_covariance(7, 40 + seed)
    root = linalg.sqrtm((cov_a @ cov_b).numpy())
    wanted = float((mean_a - mean_b).square().sum()) + np.trace(
        cov_a.numpy() + cov_b.numpy() - 2 * root.real
    )
    a, b = with_moments(mean_a, cov_a, 50 + seed), with_moments(mean_b, cov_b, 60 + seed)
    assert metrics.frechet(a, b).value == pytest.approx(wanted, rel=1e-9)


def test_frechet_keeps_its_digits_where_covariances_are_nearly_singular():
    # standard deviations 1e-9 and 3e-9 beside 1 and 2: the wanted 4e-18 is far below the rounding
    # of the covariances, 1 + 4e-18 is 1; but a root of a rounded product would be off by 1e-8
    std_a = torch.tensor([1.0, 1e-9, 0.0], dtype=torch.float64)
    std_b = torch.tensor([2.0, 3e-9, 0.0], dtype=torch.float64)
    turn = torch.linalg.qr(normal(3, 3, 70)).Q
    zero = torch.zeros(3, dtype=torch.float64)
    base = with_moments(zero, torch.eye(3, dtype=torch.float64), 71)
    found = metrics.frechet(base * std_a @ turn, base * std_b @ turn)
    assert found.value == pytest.approx(1.0, abs=1e-13)


def test_frechet_with_fewer_items_than_features_lives_in_their_plane():
    # 20 items in 50 dimensions that lie in a common plane: an isometry changes nothing
    a, b = normal(20, 2, 72), normal(15, 2, 73, mean=1.0, std=2.0)
    plane = torch.linalg.qr(normal(50, 2, 74)).Q.T
    flat, deep = metrics.frechet(a, b), metrics.frechet(a @ plane, b @ plane)
    assert deep.value == pytest.approx(flat.value, rel=1e-12)
    assert deep.stderr == pytest.approx(flat.stderr, rel=1e-9)


def test_frechet_of_a_set_with_itself_is_zero():
    a = 100 + normal(40, 64, 75)
    assert metrics.frechet(a, a.flip(0)).value == pytest.approx(0.0, abs=1e-10)


def test_frechet_is_blind_to_all_but_two_moments():
    """A fair coin and a bell-shaped set with the coin's mean and variance: 0; the pairs see it."""
    coin = column([-1.0, 1.0] * 50)
    bell = column(stats.norm.ppf((np.arange(100) + 0.5) / 100))
    bell = (bell - bell.mean()) / bell.std() * coin.std()
    assert metrics.frechet(coin, bell).value == pytest.approx(0.0, abs=1e-12)
    seen = metrics.energy_distance(coin, bell)
    assert seen.value > 4 * seen.stderr


def test_frechet_of_two_samples_of_one_law_is_its_published_bias():
    """About (1/N + 1/M) d (d + 5) / 4 for unit covariance: d shifts and d (d + 1) / 2 entries.

    A second-order expansion: good to d / N. The spread of a mean of 20 is 1 in 100.
    """
    d, n, m = 16, 1000, 800
    found = [metrics.frechet(normal(n, d, 100 + k), normal(m, d, 200 + k)).value for k in range(20)]
    assert np.mean(found) == pytest.approx((1 / n + 1 / m) * d * (d + 5) / 4, rel=0.06)


# ------------------------------------------------------------------ errors and memory


@pytest.mark.parametrize(("n", "groups"), [(12, 12), (12, 4), (10, 50)])
def test_the_jackknife_of_a_mean_is_the_textbook_error(n, groups):
    """Leaving out equal parts: the variance of the parts' means over their number."""
    a, b = normal(n, 1, 80), torch.zeros(4, 1, dtype=torch.float64)
    found = metrics.jackknife(lambda a, b: a.mean() - b.mean(), a, b, groups=groups)
    parts = [a[g :: min(groups, n)].mean() for g in range(min(groups, n))]
    assert found.stderr == pytest.approx(np.std(parts, ddof=1) / math.sqrt(len(parts)))
    assert found.value == pytest.approx(float(a.mean()))


@pytest.mark.parametrize("n", [300, 5000])
def test_nearest_neighbors_are_those_of_a_search_tree(n):
    x, train = normal(1500, 3, 81), normal(n, 3, 82)
    distance, index = spatial.cKDTree(train.numpy()).query(x.numpy())
    found = metrics.nearest(x, train)
    assert found.index.tolist() == index.tolist()
    assert found.distance.numpy() == pytest.approx(distance, rel=1e-12)


@pytest.mark.parametrize("b", [1, 5, 40])
def test_memorization_test_has_the_mean_and_the_error_of_shuffled_labels(b):
    """If nothing is memorized the labels are dealt at random: visit every one of the 70 deals."""
    pool, x = normal(8, 2, 83), normal(b, 2, 84)
    values, stderrs = [], []
    for chosen in itertools.combinations(range(8), 4):
        rest = [i for i in range(8) if i not in chosen]
        found = metrics.memorization_test(x, pool[list(chosen)], pool[rest], generator=seeded(0))
        values.append(found.value)
        stderrs.append(found.stderr)
    assert np.mean(values) == pytest.approx(0.5)
    assert stderrs == pytest.approx([np.std(values)] * 70)
