"""How far are the samples from the data, and how sure are we?

Two sets of items, a and b, each drawn from a law we do not know. Are the laws alike? Each function
here gives one number for that, as an `Estimate` with its standard error:

    energy_distance     2 E|a - b| - E|a - a'| - E|b - b'|            no setting at all
    mmd                 E k(a, a') + E k(b, b') - 2 E k(a, b)          looks at one length scale
    sliced_wasserstein  how far the items must travel, seen from many directions
    frechet             the same travel between two Gaussians that are fitted to features

The first two are unbiased: for equal laws they scatter around 0, below it too. The other two are
never negative, so they are positive for equal laws, and the more so the fewer the items. Hence
**no number without its floor**: `floor` gives what the metric says of real data against real data.

A network that only repeats its training data gets the best marks of all. `nearest` shows the
training item next to a sample, and `memorization_test` says whether the samples lie nearer to the
data that the network saw than to data that it did not.

Features come from a small classifier of the same kind of pictures (`networks.Classifier`), fitted
by `train_classifier`. The items may live on any device: all sums are done in float64, which not
every device knows, and so on the CPU. Before this: samples, from `samplers`, of what `training`
made. Opened by chapter 14.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from ddpm_lab import _checks
from ddpm_lab.estimators import Estimate
from ddpm_lab.gaussians import normal_like
from ddpm_lab.types import Data

_ROOM = 1 << 22  # entries of one block of a distance matrix: 32 MiB in float64


class Nearest(NamedTuple):
    """The closest training item of each sample.

    >>> Nearest(distance=torch.tensor([0.5]), index=torch.tensor([7])).index
    tensor([7])
    """

    distance: Tensor
    """(B,) float64 on the CPU, data units: Euclidean, over all axes of an item."""
    index: Tensor
    """(B,) int64 on the CPU: which row of the training data it is."""


class Baseline(NamedTuple):
    """What a metric says of real data against real data: no model can be asked for less on average.

    >>> values = torch.tensor([0.03, 0.04, 0.06])
    >>> Baseline(median=0.04, lowest=0.03, highest=0.06, values=values).median
    0.04
    """

    median: float
    """The middle one of `values`."""
    lowest: float
    """The smallest of `values`."""
    highest: float
    """The largest of `values`. Of ten splits, it lies below about one perfect model in eleven."""
    values: Tensor
    """(splits,) float64, in the metric's unit, in the order in which they were drawn."""


# ------------------------------------------------------------------------------ pairs of items


def energy_distance(a: Data, b: Data) -> Estimate:
    """How much farther apart items of different sets are than items of the same set.

    2 E|a - b| - E|a - a'| - E|b - b'|,   |.| the Euclidean length   [SR13]

    Zero if and only if the two laws are equal, and no kernel or scale has to be chosen. The
    estimate averages over pairs of *different* items, which makes it unbiased: for equal laws it
    scatters around 0, and half of the time it is negative. Some libraries return the square root
    of this number, and count each item as a pair with itself, which adds a bias.

    Parameters
    ----------
    a, b : (N, *D) and (M, *D) float, at least 4 items each
        Independent items, in any order.

    Returns
    -------
    Estimate, data units
        The standard error follows from how much each item pulls (first order) and each pair
        (second order, which is all there is for equal laws).

    Raises
    ------
    TypeError, ValueError
        Unless both are finite floats with items of one shape on one device, 4 items or more.

    >>> a, b = torch.zeros(5, 2), torch.ones(7, 2)
    >>> round(energy_distance(a, b).value, 4)                # 2 sqrt(2) - 0 - 0
    2.8284
    >>> line = torch.arange(8.0).reshape(8, 1)
    >>> energy_distance(line[::2], line[1::2]).value < 0    # equal laws: it may be negative
    True
    """
    a, b = _flat(*_samples(a=a, b=b, lowest=4))
    return _pairs(lambda x, y: -torch.cdist(x, y), a, b)


def mmd(
    a: Data,
    b: Data,
    *,
    kernel: Literal["gaussian", "cubic"] = "gaussian",
    bandwidth: float | None = None,
) -> Estimate:
    """Maximum mean discrepancy, squared: do the items look alike through a kernel?

    E k(a, a') + E k(b, b') - 2 E k(a, b)                              [Gre12, Eq. 3]

        gaussian   k(x, y) = exp(-|x - y|^2 / (2 bandwidth^2))
        cubic      k(x, y) = (x . y / D + 1)^3, D numbers in an item   [Bin18]

    The Gaussian kernel sees differences at the scale of its bandwidth, and hardly any others. The
    cubic one compares moments up to the third; on the features of a classifier its number is known
    as the kernel (Inception) distance, the unbiased sister of `frechet`. The estimate is unbiased
    [Gre12, Lemma 6]; for equal laws half of them are negative.

    Parameters
    ----------
    a, b : (N, *D) and (M, *D) float, at least 4 items each
    kernel : "gaussian" or "cubic"
    bandwidth : float > 0, data units, for the Gaussian kernel; if None, `median_distance(a, b)`
        Numbers can be compared only for one bandwidth: for a race, take it from the real data.

    Returns
    -------
    Estimate; no unit for "gaussian"

    Raises
    ------
    TypeError, ValueError
        As `energy_distance`; for another kernel; if the bandwidth is not positive, or is given
        for "cubic".

    >>> a, b = torch.zeros(5, 1), torch.ones(7, 1)
    >>> round(mmd(a, b, bandwidth=1.0).value, 4)             # 1 + 1 - 2 exp(-1/2)
    0.7869
    >>> mmd(a, b, kernel="cubic").value                      # 1 + 8 - 2
    7.0
    """
    a, b = _flat(*_samples(a=a, b=b, lowest=4))
    if _checks.choice(kernel, ("gaussian", "cubic"), "kernel") == "cubic":
        _unused(bandwidth, "bandwidth", "the cubic kernel has no scale")
        return _pairs(lambda x, y: (x @ y.T / a.shape[1] + 1) ** 3, a, b)
    width = median_distance(a, b) if bandwidth is None else bandwidth
    width = _checks.between(
        width, 0, math.inf, "bandwidth", open_ends=True, advice="About the distance of two items."
    )
    return _pairs(lambda x, y: torch.exp(-0.5 * (torch.cdist(x, y) / width) ** 2), a, b)


def median_distance(a: Data, b: Data) -> float:
    """The distance that half of all pairs of items exceed: a bandwidth for `mmd`.

    Both sets are pooled; of more than 2,000 items, 2,000 evenly spaced rows are looked at.

    Parameters
    ----------
    a, b : (N, *D) and (M, *D) float

    Returns
    -------
    float, data units

    Raises
    ------
    TypeError, ValueError
        As `energy_distance`, but one item each is enough.

    >>> median_distance(torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0]]))   # of 1, 2, 3
    2.0
    """
    pool = torch.cat(_flat(*_samples(a=a, b=b)))
    last, n = len(pool) - 1, min(len(pool), 2000)
    rows = torch.linspace(0, last, n, dtype=torch.float32, device="cpu").long()
    return float(torch.pdist(pool[rows]).median())


def _flat(*sets):
    """(N, *D) -> (N, D) float64 on the CPU: sums over many items lose nothing."""
    return [_checks.float64(x.detach().reshape(len(x), -1)) for x in sets]


def _pairs(kernel, a, b):
    """E k(a, a') + E k(b, b') - 2 E k(a, b) over pairs of different items, with its error.

    Hoeffding splits the variance into that of the items' own pulls, and that of the pairs once the
    pulls are taken off. The spread of the estimated pulls holds pairs too, about twice too much;
    that is taken off again. The estimate is unbiased, but it is noisy where the pulls are nothing
    (equal laws), so the second part alone is the least that it may be.
    """
    n, m = len(a), len(b)
    row_aa, _, squares_aa = _kernel_sums(kernel, a, a, same=True)
    row_bb, _, squares_bb = _kernel_sums(kernel, b, b, same=True)
    row_ab, row_ba, squares_ab = _kernel_sums(kernel, a, b, same=False)
    value = row_aa.sum() / (n * (n - 1)) + row_bb.sum() / (m * (m - 1)) - 2 * row_ab.sum() / (n * m)

    pair_aa, pair_bb = _pair_variance(row_aa, squares_aa), _pair_variance(row_bb, squares_bb)
    pair_ab = squares_ab - row_ab.square().sum() / m - row_ba.square().sum() / n
    pair_ab = (pair_ab + row_ab.sum() ** 2 / (n * m)) / ((n - 1) * (m - 1))
    pairs = 2 * pair_aa / (n * (n - 1)) + 2 * pair_bb / (m * (m - 1)) + 4 * pair_ab / (n * m)

    pull_a = 2 * (row_aa / (n - 2) - row_ab / m)
    pull_b = 2 * (row_bb / (m - 2) - row_ba / n)
    inside = 4 * pair_aa / (n * (n - 2)) + 4 * pair_bb / (m * (m - 2)) + 8 * pair_ab / (n * m)
    pulls = pull_a.var() / n + pull_b.var() / m - inside
    var = float(pairs.clamp(min=0) + pulls.clamp(min=0))
    return Estimate(float(value), math.sqrt(var))


def _pair_variance(row, squares):
    """What varies in k(x, x') beyond the pulls of x and x': unbiased, from U-centered entries."""
    n = len(row)
    left = squares - 2 * row.square().sum() / (n - 2) + row.sum() ** 2 / ((n - 1) * (n - 2))
    return left / (n * (n - 3))


def _kernel_sums(kernel, x, y, same):
    """Sums of k over each row and column, and of its squares; without i = j if y is x."""
    row, column, squares = [], 0, 0
    size = max(1, _ROOM // len(y))
    for start in range(0, len(x), size):
        k = kernel(x[start : start + size], y)
        if same:
            k.diagonal(offset=start).zero_()
        row.append(k.sum(dim=1))
        column = column + k.sum(dim=0)
        squares = squares + k.square().sum()
    return torch.cat(row), column, squares


# ------------------------------------------------------------------------------ travel


def sliced_wasserstein(
    a: Data,
    b: Data,
    *,
    order: Literal[1, 2] = 2,
    directions: int = 128,
    generator: torch.Generator,
) -> Estimate:
    """How far one set must travel to become the other, seen as shadows on random lines.

    SW_p = (mean over lines of W_p^p)^(1/p),  W_p^p = int_0^1 |Q_a(u) - Q_b(u)|^p du   [Bon15]

    On a line the best plan is known: sort both sets and match the quantiles Q. That is exact for
    sets of unequal size too: an item is split where the plan needs it.

    Parameters
    ----------
    a, b : (N, *D) and (M, *D) float, at least 4 items each
    order : 1 or 2, the p of the formula. 2 counts few far movers more.
    directions : int >= 2, number of lines through the origin, drawn evenly
    generator : torch.Generator
        Draws the lines. Use one seed in a race: then all see the same lines.

    Returns
    -------
    Estimate, data units
        The standard error covers the items (`jackknife`) and the lines. It does not cover the
        bias: the value is positive even for equal laws; compare it with its `floor`.

    Raises
    ------
    TypeError, ValueError
        As `energy_distance`; unless order is 1 or 2, directions >= 2, and `generator` a
        torch.Generator.

    >>> from ddpm_lab.gaussians import seeded
    >>> a, b = torch.zeros(5, 1), torch.full((7, 1), 3.0)     # in one dimension: one line
    >>> round(sliced_wasserstein(a, b, generator=seeded(0)).value, 4)
    3.0
    """
    a, b = _flat(*_samples(a=a, b=b, lowest=4))
    order = _checks.choice(order, (1, 2), "order")
    directions = _checks.count(
        directions, "directions", lowest=2, highest=100_000, advice="Try 128."
    )
    rng = _checks.generator(generator)
    lines = normal_like(a.new_empty(a.shape[1], directions), generator=rng)
    lines = lines / lines.norm(dim=0)
    (a, *fewer_a), (b, *fewer_b) = _shadows(a @ lines), _shadows(b @ lines)
    costs = _line_costs(a, b, order)  # (directions,)
    value = float(costs.mean() ** (1 / order))
    without_a = [_line_costs(part, b, order).mean() ** (1 / order) for part in fewer_a]
    without_b = [_line_costs(a, part, order).mean() ** (1 / order) for part in fewer_b]
    slope = value ** (1 - order) / order if value > 0 else 0.0
    by_lines = slope * float(costs.std()) / math.sqrt(directions)
    return Estimate(value, math.hypot(_jackknife_error(without_a, without_b), by_lines))


def _shadows(x, groups=20):
    """The sorted columns of x, then the same without its g-th part, as `jackknife` parts it.

    Sorting is nearly all the work, and what is left of a sorted column is still sorted.
    """
    groups = min(groups, len(x))
    x, row = x.T.sort(dim=1)
    yield x
    for g in range(groups):
        yield x[row % groups != g].reshape(len(x), -1)


def _line_costs(a, b, order):
    """W_p^p between the rows of a (L, N) and b (L, M), both sorted: (L,)."""
    rank_a, rank_b, width = _quantile_pairs(a.shape[1], b.shape[1])
    return (a[:, rank_a] - b[:, rank_b]).abs() ** order @ width


def _quantile_pairs(n, m):
    """Which ranks of n and of m sorted items share a stretch of [0, 1], and how long it is.

    In units of 1 / (n m) all ends are whole numbers, so that no rounding splits an item.
    """
    ranks = torch.arange(1, max(n, m) + 1, device="cpu")
    ends = torch.cat([m * ranks[:n], n * ranks[:m]]).unique()
    starts = torch.cat([ends.new_zeros(1), ends[:-1]])
    return starts // m, starts // n, _checks.float64(ends - starts) / (n * m)


def frechet(features_a: Tensor, features_b: Tensor) -> Estimate:
    """The squared travel between two Gaussians that are fitted to features.

    |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2))   [DL82; Heu17]

    With the features of the Inception network this is the FID of the literature. Nothing but means
    and covariances is compared: two laws can differ in all else and have distance 0.

    **Biased.** For two sets of one law it is not 0 but about (1/N + 1/M) d (d + 5) / 4 for d
    independent features of variance 1. The bias falls with the number of items, grows with the
    square of the number of features, and is not the same for two models [CF20], so that even a
    race at one N needs the `floor` beside it. Numbers of different feature networks, and of
    different N, cannot be compared.

    Parameters
    ----------
    features_a, features_b : (N, *D) and (M, *D) float, at least 4 items each
        From `features`; far more items than numbers in an item.

    Returns
    -------
    Estimate, feature units squared
        The standard error comes from `jackknife`; it does not cover the bias.

    Raises
    ------
    TypeError, ValueError
        As `energy_distance`.

    >>> a = torch.tensor([[-1.0], [1.0], [-1.0], [1.0]])
    >>> round(frechet(a, 3 * a + 5).value, 4)            # 5^2 + (3 - 1)^2 cov, cov = 4/3
    30.3333
    """
    a, b = _flat(*_samples(features_a=features_a, features_b=features_b, lowest=4))
    return jackknife(_frechet, a, b)


def _frechet(a, b):
    """With cov = R^T R, tr (cov_a cov_b)^(1/2) is the sum of the singular values of R_a R_b^T.

    No covariance is formed, inverted or rooted, so nothing breaks when one is singular.
    """
    shift = a.mean(dim=0) - b.mean(dim=0)
    root_a, root_b = _covariance_root(a), _covariance_root(b)
    overlap = torch.linalg.svdvals(root_a @ root_b.T).sum()
    return shift.square().sum() + root_a.square().sum() + root_b.square().sum() - 2 * overlap


def _covariance_root(x):
    """R with R^T R the covariance of the rows of x (divided by N - 1)."""
    return torch.linalg.qr(x - x.mean(dim=0), mode="r").R / math.sqrt(len(x) - 1)


def jackknife(
    statistic: Callable[[Tensor, Tensor], float], a: Data, b: Data, *, groups: int = 20
) -> Estimate:
    """A standard error where there is no formula: leave out a part and see how the number moves.

    stderr^2 = sum over a and b of (G - 1)/G sum_g (s_g - mean s)^2, s_g without the g-th of G parts

    Nothing is drawn: item i belongs to part i mod G. Where the statistic is smooth this is right on
    average; for equal laws, where a distance has its kink, it errs to the large side, by up to a
    half in our simulations.

    Parameters
    ----------
    statistic : (a, b) -> number
    a, b : (N, *D) and (M, *D) float, independent items in random order, at least 4 each: labels
        0, 1, ..., 9 over and over would give each part a class of its own
    groups : int >= 2, number of parts; at most the number of items is used

    Returns
    -------
    Estimate, in the statistic's unit; its value is statistic(a, b)

    Raises
    ------
    TypeError, ValueError
        As `energy_distance`, and unless groups >= 2.

    >>> a, b = torch.arange(10.0).reshape(10, 1), torch.zeros(10, 1)
    >>> found = jackknife(lambda a, b: a.mean() - b.mean(), a, b)
    >>> round(found.stderr, 4), round(float(a.std() / 10**0.5), 4)    # exact for a mean
    (0.9574, 0.9574)
    """
    _checks.function(statistic, "statistic")
    _samples(a=a, b=b, lowest=4)
    groups = _checks.count(groups, "groups", lowest=2, advice="Try 20.")
    without_a = [statistic(part, b) for part in _leave_out(a, groups)]
    without_b = [statistic(a, part) for part in _leave_out(b, groups)]
    return Estimate(float(statistic(a, b)), _jackknife_error(without_a, without_b))


def _jackknife_error(*without):
    """From the numbers without each part, one list for each set."""
    sets = [_checks.float64([float(s) for s in left]) for left in without]
    return math.sqrt(sum((len(s) - 1) * float(s.var(correction=0)) for s in sets))


def _leave_out(x, groups):
    """x without its g-th part, for each g."""
    groups = min(groups, len(x))
    part = torch.arange(len(x), device=x.device) % groups
    return (x[part != g] for g in range(groups))


# ------------------------------------------------------------------------------ memory


@torch.no_grad()
def nearest(x: Data, train: Data) -> Nearest:
    """The training item that looks most like each sample: is it a copy?

    min over i of |x - train_i|, Euclidean. Done in blocks, so that no (B, N) matrix is ever held.

    Parameters
    ----------
    x : (B, *D) float
    train : (N, *D) float

    Returns
    -------
    Nearest: (B,) distances in data units, exactly 0 for a copy, and (B,) row numbers of `train`;
        on the CPU

    Raises
    ------
    TypeError, ValueError
        Unless both are finite floats with items of one shape on one device.

    >>> train = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    >>> found = nearest(torch.tensor([[3.0, 3.0], [0.0, 0.0]]), train)
    >>> found.distance, found.index
    (tensor([1., 0.], dtype=torch.float64), tensor([1, 0]))
    """
    x, train = _samples(x=x, train=train)
    x, train = x.reshape(len(x), -1).cpu(), train.reshape(len(train), -1).cpu()
    index = torch.cat([_nearest_rows(_checks.float64(block), train) for block in x.split(1024)])
    gaps = [
        (_checks.float64(block) - _checks.float64(train[rows])).norm(dim=1)
        for block, rows in zip(x.split(1024), index.split(1024))
    ]
    return Nearest(torch.cat(gaps), index)


def _nearest_rows(block, train):
    best = block.new_full((len(block),), math.inf)
    index = torch.zeros_like(best, dtype=torch.int64)
    size = _ROOM // 1024
    for start in range(0, len(train), size):
        gap, row = torch.cdist(block, _checks.float64(train[start : start + size])).min(dim=1)
        closer = gap < best
        best, index = torch.where(closer, gap, best), torch.where(closer, row + start, index)
    return index


def memorization_test(
    x: Data, train: Data, held_out: Data, *, generator: torch.Generator
) -> Estimate:
    """Do samples lie nearer to what the network saw than to equally good data it did not see?

    The share of samples whose nearest neighbor in both sets together is a training item: 0.5 if
    nothing is memorized, 1 if the samples are copies. A tie counts one half.

    A larger set has the nearer neighbors for no good reason, so the larger one is cut down to the
    size of the smaller one by drawing without replacement. A copy of an item that was cut is then
    not seen as one.

    Parameters
    ----------
    x : (B, *D) float, samples
    train, held_out : (N, *D) and (M, *D) float, of one law and in no order that matters
    generator : torch.Generator, draws which items stay

    Returns
    -------
    Estimate, a share
        The standard error is that of a network that memorizes nothing, where "training" and
        "held out" are labels that might as well be swapped. It counts that samples which share
        their nearest neighbor go one way together.

    Raises
    ------
    TypeError, ValueError
        Unless all are finite floats with items of one shape on one device, and `generator` is a
        torch.Generator.

    >>> from ddpm_lab.gaussians import seeded, normal_like
    >>> data = normal_like(torch.zeros(200, 2), generator=seeded(0))
    >>> train, held_out = data[:100], data[100:]
    >>> memorization_test(train + 1e-6, train, held_out, generator=seeded(1)).value
    1.0
    """
    rng = _checks.generator(generator)
    _samples(x=x, train=train, held_out=held_out)
    size = min(len(train), len(held_out))
    train, held_out = _some(train, size, rng), _some(held_out, size, rng)
    ours, theirs = nearest(x, train), nearest(x, held_out)
    wins = _checks.float64(ours.distance < theirs.distance)
    wins = wins + 0.5 * (ours.distance == theirs.distance)

    neighbor = torch.where(ours.distance <= theirs.distance, ours.index, size + theirs.index)
    share = _checks.float64(torch.bincount(neighbor, minlength=2 * size)) / len(x)
    var = 0.25 * 2 * size / (2 * size - 1) * float(share.square().sum() - 1 / (2 * size))
    return Estimate(float(wins.mean()), math.sqrt(max(var, 0.0)))


def _some(x, size, rng):
    """`size` items of x, all of them in order if there are no more."""
    if len(x) == size:
        return x
    return x[torch.randperm(len(x), generator=rng, device=rng.device)[:size].to(x.device)]


# ------------------------------------------------------------------------------ the floor


def real_baseline(
    metric: Callable[[Data, Data], Estimate | float],
    data: Data,
    *,
    size: int | None = None,
    splits: int = 10,
    generator: torch.Generator,
) -> Baseline:
    """What the metric says of real data against real data: the mark that perfect samples would get.

    Each split shuffles the data and compares the first `size` items with the next `size`.

    Parameters
    ----------
    metric : (a, b) -> Estimate or number, such as `energy_distance`; to give settings, use
        functools.partial
    data : (N, *D) float, real items, or their features
    size : int in 4..N // 2, items on each side; if None, N // 2
        Take as many as in the comparison that it shall stand beside: a floor falls with size.
    splits : int >= 1
    generator : torch.Generator, shuffles the data

    Returns
    -------
    Baseline: median, lowest, highest and the (splits,) values, in the metric's unit

    Raises
    ------
    TypeError, ValueError
        Unless `data` are finite floats, 4 <= size <= N // 2, splits >= 1, `generator` is a
        torch.Generator, and the metric returns a number.

    >>> from ddpm_lab.gaussians import seeded, normal_like
    >>> data = normal_like(torch.zeros(400, 2), generator=seeded(0))
    >>> found = real_baseline(energy_distance, data, generator=seeded(1))
    >>> found.lowest < 0 < found.highest
    True
    """
    _checks.function(metric, "metric")
    rng = _checks.generator(generator)
    _samples(data=data, lowest=8)
    splits = _checks.count(splits, "splits", highest=10_000, advice="Try 10.")
    half = len(data) // 2
    size = half if size is None else _checks.count(size, "size", lowest=4, advice="Try more.")
    _checks.at_most(size, half, "size", advice="Two parts that share no item must fit into data.")
    values = []
    for _ in range(splits):
        order = torch.randperm(len(data), generator=rng, device=rng.device).to(data.device)
        values.append(_measured(metric(data[order[:size]], data[order[size : 2 * size]])))
    values = _checks.float64(values)
    return Baseline(float(values.quantile(0.5)), float(values.min()), float(values.max()), values)


# ------------------------------------------------------------------------------ a judge's features


def train_classifier(
    net: nn.Module,
    batches: Iterable[tuple[Data, Tensor]],
    *,
    steps: int,
    lr: float = 3e-3,
) -> Iterator[float]:
    """Teach a classifier to name what it sees, one visible step at a time.

    Each step: one Adam step on the cross-entropy of a batch, with a learning rate that falls to 0
    along half a cosine. All randomness lies in the batches.

    Parameters
    ----------
    net : a `networks.Classifier`, or another module from pictures to logits; changed in place
    batches : iterator of pairs (x, labels), such as `datasets.batches(x, size, labels=labels, …)`
    steps : int, number of updates
    lr : float, the largest learning rate

    Yields
    ------
    float, nats: the mean cross-entropy of the batch, after the update that it led to

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the batches run out, or the loss is no longer finite.

    >>> from ddpm_lab import datasets, gaussians, networks
    >>> x, labels = datasets.digits("train")
    >>> data = datasets.batches(x, 64, labels=labels, generator=gaussians.seeded(0))
    >>> net = networks.build(networks.Classifier, seed=0, width=16)
    >>> seen = list(train_classifier(net, data, steps=60))
    >>> seen[-1] < 1.0 < seen[0]                            # guessing costs log 10 = 2.3 nats
    True
    """
    _checks.instance(net, nn.Module, "net", advice="See networks.Classifier.")
    steps = _checks.count(steps, "steps", advice="One step is one update.")
    lr = _checks.between(lr, 0, math.inf, "lr", open_ends=True, advice="Start with 3e-3.")
    return _train_classifier(net, _checks.iterator(batches, "batches"), steps, lr)


def _train_classifier(net, batches, steps, lr):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    net.train()
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = lr * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        x, labels = _checks.labeled(next(batches, None), step)
        logits = net(x)
        labels = _checks.labels(
            labels, len(x), logits.shape[1], x.device, name="labels", none=False
        )
        loss = nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(net.parameters(), math.inf)  # measured, not shortened
        found, _ = _checks.finite_step(loss, norm, step)
        optimizer.step()
        yield found
    net.eval()


@torch.no_grad()
def standardize(net: nn.Module, x: Data) -> None:
    """Choose the units of a classifier's features: mean 0 and variance 1 on the given pictures.

    What it says of a picture stays the same, as the logits undo the change. Without this a longer
    training makes longer features, and the Fréchet distance grows with them.

    Parameters
    ----------
    net : a `networks.Classifier`; its last two layers are changed in place
    x : (N, C, H, W) float in [-1, 1], N >= 2: the data it was trained on

    Raises
    ------
    TypeError, ValueError
        Unless x is a float tensor with a batch axis, and every feature varies on it.

    >>> from ddpm_lab import datasets, networks
    >>> x, _ = datasets.digits("train")
    >>> net = networks.build(networks.Classifier, seed=0)
    >>> standardize(net, x)
    >>> seen = features(net, x)
    >>> seen.mean(dim=0).abs().max() < 1e-4, (seen.var(dim=0) - 1).abs().max() < 1e-3
    (tensor(True), tensor(True))
    """
    for layer in ("feature_layer", "head"):
        _checks.method(net, layer, "net")
    seen = features(net, x)
    mean, var = (
        seen.mean(dim=0),
        _checks.variance(seen.var(dim=0), "the features' var", zero=False),
    )
    mean, std = mean.to(net.feature_layer.bias), var.sqrt().to(net.feature_layer.bias)
    net.head.bias += net.head.weight @ mean
    net.head.weight *= std
    net.feature_layer.bias.sub_(mean).div_(std)
    net.feature_layer.weight.div_(std[:, None])


def features(net: nn.Module, x: Data, *, size: int = 512) -> Tensor:
    """What a classifier sees in pictures, as numbers in which likeness can be measured.

    Parameters
    ----------
    net : a `networks.Classifier`, or another module with a method `features`
    x : (N, C, H, W) float in [-1, 1], on the network's device
    size : int, pictures at a time

    Returns
    -------
    (N, F) float64 on the CPU, in the network's own units (see `standardize`)

    Raises
    ------
    TypeError, ValueError
        Unless x is a float tensor with a batch axis, and size >= 1.

    >>> from ddpm_lab import networks
    >>> net = networks.build(networks.Classifier, seed=0, features=32)
    >>> features(net, torch.zeros(3, 1, 8, 8)).shape
    torch.Size([3, 32])
    """
    return _checks.float64(_in_parts(_checks.method(net, "features", "net"), x, size))


def accuracy(net: nn.Module, x: Data, labels: Tensor, *, size: int = 512) -> Estimate:
    """The share of pictures that a classifier names rightly.

    Parameters
    ----------
    net : a `networks.Classifier`, or another module from pictures to logits
    x : (N, C, H, W) float in [-1, 1], on the network's device
    labels : (N,) int64, on any device
    size : int, pictures at a time

    Returns
    -------
    Estimate, a share; standard error sqrt(share (1 - share) / N)

    Raises
    ------
    TypeError, ValueError
        Unless x is a float tensor with a batch axis, with one label for each item, and size >= 1.

    >>> from ddpm_lab import networks
    >>> net = networks.build(networks.Classifier, seed=0)
    >>> blank = torch.zeros(4, 1, 8, 8)
    >>> named = int(net(blank)[0].argmax())
    >>> accuracy(net, blank, torch.full((4,), named)).value
    1.0
    """
    _checks.function(net, "net")
    _samples(x=x)
    logits = _in_parts(net, x, size)
    labels = _checks.labels(labels, len(x), logits.shape[1], x.device, name="labels", none=False)
    share = int((logits.argmax(dim=1) == labels).sum()) / len(x)
    return Estimate(share, math.sqrt(share * (1 - share) / len(x)))


@torch.no_grad()
def _in_parts(function, x, size):
    _checks.data(x)
    size = _checks.count(size, "size", advice="Try 512.")
    return torch.cat([function(part) for part in x.split(size)])


# ------------------------------------------------------------------------------ what is refused


def _samples(lowest=1, **sets):
    """Sets of finite data items of one shape on one device."""
    (first_name, first), *others = sets.items()
    for name, x in others:
        if isinstance(first, Tensor) and isinstance(x, Tensor) and x.device != first.device:
            raise ValueError(
                f"{first_name} and {name} must lie on one device; got {first.device} and "
                f"{x.device}. Move one of them with .to(device)."
            )
    _checks.data(first, first_name, empty=True)
    for name, x in others:
        _checks.data(x, name, empty=True)
        if x.shape[1:] != first.shape[1:]:
            raise ValueError(
                f"{first_name} and {name} must hold items of one shape; got "
                f"{tuple(first.shape[1:])} and {tuple(x.shape[1:])}. Only the counts may differ."
            )
    for name, x in sets.items():
        _enough(x, name, lowest)
    return tuple(sets.values())


def _enough(x, name, lowest):
    if len(x) < lowest or x[:1].numel() == 0:
        raise ValueError(
            f"{name} must hold at least {lowest} items of one number or more; got shape "
            f"{tuple(x.shape)}. Draw more items."
        )
    good = torch.isfinite(x.detach()).reshape(len(x), -1).all(dim=1)
    if not bool(good.all()):
        raise ValueError(
            f"{name} must be finite; got {int((~good).sum())} of {len(x)} items with NaN or "
            f"infinity, the first at row {int(torch.nonzero(~good)[0])}. Did the sampler diverge?"
        )


def _unused(value, name, why):
    """An option that has no meaning here must not be given."""
    if value is not None:
        raise ValueError(f"{name} must be None: {why}; got {value!r}. Leave it out.")


def _measured(value):
    """The number that a metric returned, bare or as an Estimate."""
    value = getattr(value, "value", value)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            "metric must return a number or an Estimate; got "
            f"{type(value).__name__} {value!r:.40}. "
            "Give a function of two sets of items, like metrics.energy_distance."
        ) from None
