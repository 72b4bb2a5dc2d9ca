"""Bad inputs for every public function: one valid call each, one argument at a time replaced.

    python tests/property/bad_inputs.py [--all] [part of a name ...]

prints how each call ended; with --all every call that did not end well. `CALLS` holds the valid
calls and says what each argument may be; `swaps` makes the bad values; `judge` makes the call and
says how it ended:

    fine     the value is acceptable, and so is what came of it
    clear    a ValueError or TypeError of the package that names the argument
    cryptic  any other error
    silent   the value makes no sense, and a result came back all the same
    nan      NaN went in, and what came out does not show it

What an argument may be is decided here, by predicates that know nothing of the package's checks.
"""

# ruff: noqa: C408 (a call's arguments read best as dict(x=1))

import copy
import math
import numbers
import os
import re
import traceback
import warnings
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import torch

import ddpm_lab
from ddpm_lab import (
    bayes,
    datasets,
    discrete,
    elbo,
    estimators,
    flow_matching,
    forward,
    gaussians,
    ideal_denoisers,
    losses,
    metrics,
    networks,
    predictions,
    samplers,
    schedules,
    sde,
)
from ddpm_lab.course import display, figures

PACKAGE = str(Path(ddpm_lab.__file__).parent)

# ------------------------------------------------------------------------------ what is acceptable


def scalar(value):
    """A Python number, out of a number of any library; None for anything else."""
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        try:
            value = value.item() if value.ndim == 0 else None
        except (RuntimeError, ValueError):  # a tensor without values
            return None
    real = isinstance(value, (numbers.Real, Decimal)) and not isinstance(value, (bool, np.bool_))
    return value if real else None


def real(low=-math.inf, high=math.inf, ends=True):
    def fits(value):
        x = scalar(value)
        if x is None or x != x or x in (math.inf, -math.inf):
            return False
        return low <= x <= high if ends else low < x < high

    return fits


def whole(low=1, high=10**7):
    def fits(value):
        x = scalar(value)
        return isinstance(x, numbers.Integral) and low <= x <= high

    return fits


def one_of(*options):
    return lambda value: any(type(value) is type(each) and value == each for each in options)


def text(value):
    return isinstance(value, str)


def truth(value):
    return isinstance(value, (bool, np.bool_))


def anything(value):
    return True


def optional(fits):
    return lambda value: value is None or fits(value)


def a(cls):
    return lambda value: isinstance(value, cls)


def strided(value):
    return (
        isinstance(value, torch.Tensor)
        and value.layout is torch.strided
        and not value.is_quantized
        and not value.is_meta
    )


FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def data(*shape, dtypes=FLOATS, finite=False, low=-math.inf, high=math.inf, empty=False):
    """A floating-point tensor of a shape; None stands for any length. NaN is `judge`'s business."""

    def fits(value):
        if not (strided(value) and value.dtype in dtypes and (value.numel() or empty)):
            return False
        if value.dim() != len(shape) or any(n not in (None, m) for n, m in zip(shape, value.shape)):
            return False
        x = value.detach().double()
        if finite and not bool(torch.isfinite(x).all()):
            return False
        return not bool(((x < low) | (x > high)).any())

    return fits


def zeros_and_ones(value):
    """Tosses: no toss at all is a sequence too, of probability 1."""
    try:
        x = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return False
    return strided(x) and x.dim() in (1, 2) and bool(((x == 0) | (x == 1)).all())


def in_the_plane(value):
    """Items of D numbers, in any shape."""
    return batch(value) and value[0].numel() == D


def coefficient(value):
    """One number or one per item; NaN and infinity are passed on."""
    if isinstance(value, torch.Tensor):
        return strided(value) and value.dtype in FLOATS + INTS and value.shape in ((), (B,))
    return scalar(value) is not None or reals((B,))(value)


def any_shape(value):
    """A tensor of which only the shape counts."""
    return isinstance(value, torch.Tensor) and value.dim() > 0 and value.numel() > 0


def listed(value):
    """Several things, one after the other."""
    return hasattr(value, "__iter__") and not isinstance(value, (str, bytes))


def pair(value):
    return isinstance(value, (tuple, list)) and len(value) == 2


def curve(value):
    """x and y, as many of one as of the other."""
    return pair(value) and any(reals((n,))(value[0]) and reals((n,))(value[1]) for n in range(1, 9))


def ends(value):
    """None, or a lowest and a highest number of which one may be None."""
    known = [x for x in value if x is not None] if pair(value) else []
    numbers = all(map(real(-1e300, 1e300), known))
    return value is None or (pair(value) and numbers and (len(known) < 2 or known[0] < known[1]))


def batch(value):
    """Any floating-point tensor with a batch axis."""
    return strided(value) and value.dtype in FLOATS and value.dim() > 0 and value.numel() > 0


def reals(*shapes, low=-math.inf, high=math.inf, ends=True):
    """Finite real numbers in any form, of one of these shapes."""

    def fits(value):
        value = value if scalar(value) is None else _listed(value)
        if isinstance(value, torch.Tensor) and not strided(value):
            return False
        try:
            x = torch.as_tensor(value)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            return False
        if x.dtype not in FLOATS + INTS or not x.numel():
            return False
        if shapes and not any(
            x.dim() == len(shape) and all(n in (None, m) for n, m in zip(shape, x.shape))
            for shape in shapes
        ):
            return False
        x = x.detach().double()
        inside = (x >= low) & (x <= high) if ends else (x > low) & (x < high)
        return bool((inside & torch.isfinite(x)).all())

    return fits


def _listed(value):
    """A number of any library as a tensor; infinite if it is too large for one."""
    try:
        return torch.tensor(float(scalar(value)), dtype=torch.float64)
    except OverflowError:
        return torch.tensor(math.inf)


def times(lowest, T, n):
    """One time, or a time for each of n items."""

    def fits(value):
        if isinstance(value, torch.Tensor):
            shaped = value.dim() == 0 or value.shape == (n,)
            if not (strided(value) and value.dtype in INTS and shaped):
                return False
            return lowest <= int(value.min()) and int(value.max()) <= T
        return whole(lowest, T)(value)

    return fits


def labels(n, classes):
    return lambda value: (
        strided(value)
        and value.dtype == torch.int64
        and value.shape == (n,)
        and bool(((value >= 0) & (value <= classes)).all())
    )


def falling(T, last=None):
    """A falling list of times."""

    def fits(value):
        if isinstance(value, (torch.Tensor, np.ndarray)):
            if isinstance(value, torch.Tensor) and not strided(value):
                return False
            value = value.tolist()
        if not isinstance(value, (list, tuple, range)) or len(value) < 2:
            return False
        if not all(whole(0, T)(t) for t in value):
            return False
        good = all(int(s) < int(t) for t, s in zip(value, value[1:]))
        return good and last in (None, int(value[-1]))

    return fits


def sizes(low=1, high=64, least=1):
    return lambda value: (
        isinstance(value, (list, tuple))
        and len(value) >= least
        and all(whole(low, high)(n) for n in value)
    )


def gaussian(mean, low=0.0, ends=True):
    def fits(value):
        if not isinstance(value, gaussians.Gaussian) or not mean(value.mean):
            return False
        if not reals(low=low, ends=ends)(value.var):
            return False
        shape = getattr(value.var, "shape", ())
        try:
            return torch.broadcast_shapes(shape, value.mean.shape) == value.mean.shape
        except RuntimeError:
            return False

    return fits


def beta(value):
    return isinstance(value, bayes.Beta) and all(real(0, ends=False)(x) for x in value)


def mixture(value):
    if not isinstance(value, ideal_denoisers.Mixture):
        return False
    weight, mean, var = value
    return (
        reals((None,), low=0)(weight)
        and reals((len(weight), None))(mean)
        and reals((len(weight),), low=0)(var)
        and abs(float(torch.as_tensor(weight).detach().double().sum()) - 1) < 1e-6
    )


def definite(value):
    """Symmetric matrices with positive eigenvalues."""
    if not reals((D, D), (B, D, D))(value):
        return False
    x = torch.as_tensor(value).double()
    return bool((x == x.mT).all()) and bool((torch.linalg.eigvalsh(x) > 0).all())


def either_way(value):
    """A falling or a rising list of times."""
    turned = isinstance(value, (list, tuple, range, torch.Tensor, np.ndarray)) and len(value)
    return falling(T)(value) or (turned and falling(T)(list(value)[::-1]))


def rising(value):
    if not reals((None,))(value) or len(value) < 2:
        return False
    x = torch.as_tensor(value).double()
    return bool((x[1:] > x[:-1]).all())


# ------------------------------------------------------------------------------ bad values


class Odd(torch.Tensor):
    """A subclass of Tensor."""


ANYWHERE = {
    "None": lambda: None,
    "True": lambda: True,
    "False": lambda: False,
    "empty text": lambda: "",
    "text": lambda: "abc",
    "a number's text": lambda: "1",
    "bytes": lambda: b"1",
    "empty list": list,
    "list": lambda: [1, 2],
    "list of None": lambda: [None],
    "list of texts": lambda: ["a", "b"],
    "list of lists": lambda: [[0.5, 0.5], [0.5, 0.5]],
    "ragged": lambda: [[0.5], [0.5, 0.5]],
    "tuple": lambda: (0.5, 0.5),
    "dict": lambda: {"a": 1},
    "set": lambda: {1, 2},
    "range": lambda: range(3),
    "object": object,
    "class": lambda: int,
    "function": lambda: len,
    "iterator": lambda: iter([1]),
    "path": lambda: Path("x"),
    "nan": lambda: math.nan,
    "inf": lambda: math.inf,
    "-inf": lambda: -math.inf,
    "-1": lambda: -1,
    "-0.5": lambda: -0.5,
    "0": lambda: 0,
    "-0.0": lambda: -0.0,
    "2.0": lambda: 2.0,
    "2.9": lambda: 2.9,
    "1j": lambda: 1j,
    "1+0j": lambda: 1 + 0j,
    "1e308": lambda: 1e308,
    "10**9": lambda: 10**9,
    "10**18": lambda: 10**18,
    "10**400": lambda: 10**400,
    "10**5000": lambda: 10**5000,
    "-10**400": lambda: -(10**400),
    "Fraction": lambda: Fraction(29, 10),
    "Decimal": lambda: Decimal("2.9"),
    "numpy float": lambda: np.float64(2.9),
    "numpy float16": lambda: np.float16(2.9),
    "numpy int": lambda: np.int64(-1),
    "numpy bool": lambda: np.bool_(True),
    "numpy complex": lambda: np.complex128(1 + 2j),
    "numpy nan": lambda: np.float64(math.nan),
    "numpy 0-d": lambda: np.array(2.9),
    "numpy of one": lambda: np.array([2.9]),
    "numpy array": lambda: np.array([0.5, 0.5]),
    "numpy objects": lambda: np.array([1, None], dtype=object),
    "numpy texts": lambda: np.array(["a", "b"]),
    "numpy complex array": lambda: np.array([1j, 2j]),
    "numpy structured": lambda: np.zeros(2, dtype=[("a", float), ("b", int)]),
    "numpy dates": lambda: np.array(["2020-01-01"], dtype="datetime64[D]"),
    "tensor 2.9": lambda: torch.tensor(2.9),
    "tensor nan": lambda: torch.tensor(math.nan),
    "tensor -1": lambda: torch.tensor(-1),
    "tensor True": lambda: torch.tensor(True),
    "tensor 1j": lambda: torch.tensor(1j),
    "tensor of one": lambda: torch.tensor([2.9]),
    "tensor of one int": lambda: torch.tensor([2]),
    "tensor of none": lambda: torch.empty(0),
    "tensor 5-d": lambda: torch.zeros(2, 1, 1, 1, 1),
    "meta scalar": lambda: torch.tensor(1.0, device="meta"),
    "meta": lambda: torch.zeros(4, 2, device="meta"),
    "sparse": lambda: torch.eye(2).to_sparse(),
    "estimate": lambda: estimators.Estimate(1.0, 0.1),
    "module": lambda: math,
}


def _filled(x, value):
    x = x.detach().clone()
    x.reshape(-1)[-1] = value
    return x


LIKE_A_TENSOR = {
    "like, NaN": lambda x: _filled(x, math.nan),
    "like, inf": lambda x: _filled(x, math.inf),
    "like, -inf": lambda x: _filled(x, -math.inf),
    "like, -4": lambda x: _filled(x, -4.0),
    "like, 2.5": lambda x: _filled(x, 2.5),
    "like, zeros": torch.zeros_like,
    "like, complex": lambda x: x.to(torch.complex64),
    "like, int": lambda x: x.long(),
    "like, bool": lambda x: x.bool(),
    "like, float16": lambda x: x.half(),
    "like, float8": lambda x: x.float().to(torch.float8_e4m3fn),
    "like, float64": lambda x: x.double(),
    "like, sparse": lambda x: x.detach().to_sparse(),
    "like, quantized": lambda x: torch.quantize_per_tensor(x.float(), 0.1, 0, torch.qint8),
    "like, meta": lambda x: x.to("meta"),
    "like, with slope": lambda x: x.detach().double().to(x.dtype).clone().requires_grad_(),
    "like, a subclass": lambda x: x.detach().clone().as_subclass(Odd),
    "like, a list": lambda x: x.tolist(),
    "like, numpy": lambda x: x.numpy(),
    "like, numpy objects": lambda x: x.numpy().astype(object),
    "like, numpy float16": lambda x: x.numpy().astype(np.float16),
    "like, one axis more": lambda x: x[..., None],
    "like, one item": lambda x: x[:1],
    "like, no item": lambda x: x[:0],
    "like, one more": lambda x: torch.cat([x, x[:1]]),
    "like, empty axis": lambda x: x[..., None][..., :0],
    "like, a scalar": lambda x: x.reshape(-1)[0],
    "like, flat": lambda x: x.reshape(-1),
    "like, turned": lambda x: x.mT if x.dim() > 1 else x[None],
}


def swaps(good):
    """(name, maker of a bad value) for an argument whose good value is this."""
    yield from ANYWHERE.items()
    if isinstance(good, torch.Tensor):
        for name, change in LIKE_A_TENSOR.items():
            skip = "slope" in name and not good.is_floating_point()
            skip |= not good.is_floating_point() and name[6:] in ("NaN", "inf", "-inf")
            skip |= name in ("like, one item", "like, no item", "like, one more") and not good.dim()
            if not skip:
                yield name, lambda change=change: change(good)
    elif isinstance(good, tuple) and hasattr(good, "_fields"):
        yield "a plain tuple", lambda: tuple(good)
        yield "too short", lambda: tuple(good)[:1]
        for field in good._fields:
            for name, make in swaps(getattr(good, field)):
                yield f".{field} = {name}", lambda f=field, make=make: good._replace(**{f: make()})
    elif isinstance(good, schedules.Schedule):
        yield "its table", lambda: good.abar


# ------------------------------------------------------------------------------ valid calls

T, B, D = 10, 4, 2
SCHEDULE = schedules.linear(T=T)
X = torch.linspace(-1, 1, B * D).reshape(B, D)
PICTURES = torch.linspace(-1, 1, 4 * 64).reshape(4, 1, 8, 8)
GRID = bayes.unit_grid(11)
CAUSES = torch.tensor([[0.4, 0.6], [0.5, 0.5]])
VAE = networks.build(networks.VAE, seed=0, shape=(D,), latents=2, width=8)
MLP = networks.build(networks.MLP, seed=0, width=8)
UNET = networks.build(networks.UNet, seed=0, width=8, mults=(1, 2), groups=4, labels=3)
JUDGE = networks.build(networks.Classifier, seed=0, width=8, mults=(1,), features=4)
POINTS = gaussians.normal_like(torch.zeros(12, D), generator=gaussians.seeded(0))


def normal(mean=X, var=0.5):
    return gaussians.Gaussian(mean, torch.tensor(var))


def halve(x_t, t):
    return 0.5 * x_t


def rng():
    return gaussians.seeded(0)


function = callable
like_x = data(B, D)
density = reals((11,), low=0)
LIKE_X = ((), (1,), (1, 1), (B, 1), (1, D), (D,), (B, D))
spot, spread = reals(*LIKE_X), reals(*LIKE_X, low=0)
positive = reals(*LIKE_X, low=0, ends=False)
weights = data(4, high=1e300)
chance = real(0, 1)
chances = reals(low=0, high=1)
device = one_of("cpu")
at = times(1, T, B)
before = times(0, T - 5, B)
after = times(6, T, B)
schedule = a(schedules.Schedule)
generator = a(torch.Generator)
kind = one_of("x0", "eps", "v")
network = a(torch.nn.Module)
betas = {"beta_1": real(0, 1, ends=False), "beta_T": real(0, 1, ends=False)}
sets = data(None, D, finite=True)
pictures = data(None, 1, None, None)


def symbols(value):
    """(B, *D) whole numbers 0, 1 or 2."""
    good = strided(value) and value.dtype == torch.int64 and value.dim() > 0 and value.numel()
    return bool(good and int(value.min()) >= 0 and int(value.max()) <= 2)


def same_letters(value):
    return symbols(value) and value.shape == (B, D)


def words(value):
    return symbols(value) and value.shape[1:] == (D,)


def shares(value):
    """What adds up to a distribution along the last axis."""
    good = batch(value) and value.shape[-1] > 0 and bool((value >= 0).all())
    return good and bool((value.sum(-1) > 0).all())


def clean_or_predicted(value):
    return same_letters(value) or (shares(value) and value.shape == (B, D, 3))


def probabilities(value):
    """Of three symbols, in any form."""
    return enough_noise(value) and len(value) == 3


def enough_noise(value):
    """Probabilities of three symbols, or more."""
    if not reals((None,), low=0)(value) or len(value) < 3:
        return False
    return abs(float(torch.as_tensor(value).detach().sum()) - 1) < 1e-6


def even(value):
    """The same step between neighbors."""
    steps = torch.as_tensor(value).detach().double().diff()
    return bool((steps - steps.mean()).abs().max() < 1e-5)


def strict_mixture(value):
    return mixture(value) and reals((None,), low=0, ends=False)(value.var)


def unit_times(value):
    """One time in 0..1, or one for each item."""
    return reals((), (B,), low=0, high=1)(value)


def within_unit(falls, high=1.0):
    """A list of numbers that fall, or rise, within 0 and `high`."""

    def fits(value):
        if not reals((None,), low=0 if high == 1 else -high, high=high)(value) or len(value) < 2:
            return False
        x = torch.as_tensor(value).double().diff()
        return bool(((x < 0) if falls else (x > 0)).all())

    return fits


ANY, MASK = discrete.uniform(3), discrete.absorbing(3)
LETTERS = torch.arange(B * D).reshape(B, D) % 3
EVEN = torch.full((B, D, 3), 1 / 3)
BEST = discrete.dataset_denoiser(LETTERS, SCHEDULE, ANY)
VP = sde.variance_preserving()


def pull(x, t):
    return -x


def shown(value):
    """Gray images, or none at all."""
    return any(data(*axes, empty=True)(value) for axes in ((None, 1, None, None), (None,) * 3))


def _column(value):
    """A column of labels is understood as labels."""
    return value[:, 0] if value.dim() == 2 and value.shape[1] == 1 else value


def enough(n):
    return lambda value: sets(value) and len(value) >= n


def call(function, good, fits, after=lambda result: result):
    """A function, its valid arguments, what each of them may be, and how its result is used."""
    return function, good, fits, after


def closure(x_t=X, t=5):
    return lambda denoise: denoise(x_t, t)


def first(iterator):
    return list(islice(iterator, 2))


def _by_beta(make):
    good = dict(T=T, beta_1=1e-4, beta_T=0.02)
    return call(make, good, dict(T=whole(), **betas))


CALLS = {
    "gaussians.seeded": call(
        gaussians.seeded,
        dict(seed=0, device="cpu"),
        dict(seed=whole(0, 2**64 - 1), device=device),
    ),
    "gaussians.normal_like": call(
        gaussians.normal_like, dict(x=X, generator=rng), dict(x=any_shape, generator=generator)
    ),
    "gaussians.draw": call(
        gaussians.draw, dict(p=normal(), z=X), dict(p=gaussian(like_x), z=like_x)
    ),
    "gaussians.push": call(
        gaussians.push,
        dict(p=normal(), scale=0.5, noise_var=0.5),
        dict(p=gaussian(batch), scale=spot, noise_var=spread),
    ),
    "gaussians.push by tensors": call(
        gaussians.push,
        dict(p=normal(), scale=torch.ones(B, 1), noise_var=torch.ones(B, 1)),
        dict(p=gaussian(like_x), scale=spot, noise_var=spread),
    ),
    "gaussians.condition": call(
        gaussians.condition,
        dict(prior=normal(), y=X, scale=0.5, noise_var=torch.tensor(0.5)),
        dict(prior=gaussian(like_x), y=like_x, scale=spot, noise_var=positive),
    ),
    "gaussians.product": call(
        gaussians.product,
        dict(p=normal(), q=normal()),
        dict(p=gaussian(like_x), q=gaussian(like_x, ends=False)),
    ),
    "gaussians.quotient": call(
        gaussians.quotient,
        dict(p=normal(var=0.25), q=normal()),
        dict(p=gaussian(like_x, ends=False), q=gaussian(like_x, ends=False)),
    ),
    "gaussians.log_prob": call(
        gaussians.log_prob,
        dict(p=normal(), x=X),
        dict(p=gaussian(like_x, ends=False), x=like_x),
    ),
    "gaussians.kl": call(
        gaussians.kl,
        dict(p=normal(), q=normal()),
        dict(p=gaussian(like_x, ends=False), q=gaussian(like_x, ends=False)),
    ),
    "gaussians.kl_full": call(
        gaussians.kl_full,
        dict(p_mean=X, p_cov=torch.eye(D), q_mean=X, q_cov=torch.eye(D)),
        dict(p_mean=like_x, q_mean=like_x, p_cov=definite, q_cov=definite),
    ),
    "gaussians.pixel_log_prob": call(
        gaussians.pixel_log_prob,
        dict(p=normal(), x=X, levels=256),
        dict(
            p=gaussian(like_x, ends=False),
            x=data(B, D, low=-1 - 1e-6, high=1 + 1e-6),
            levels=whole(2, 10**6),
        ),
    ),
    "gaussians.level_mean": call(
        gaussians.level_mean,
        dict(y=X[:, 0], var=torch.ones(B), log_prior=torch.zeros(B, 3)),
        dict(
            y=data(B),
            var=reals((), (1,), (B,), low=0, ends=False),
            log_prior=lambda v: (data(B, None)(v) or data(None)(v)) and v.shape[-1] > 1,
        ),
    ),
    "bayes.rule": call(
        bayes.rule,
        dict(prior=torch.tensor([0.5, 0.5]), likelihood=torch.tensor([0.5, 0.9])),
        dict(prior=reals((2,), low=0, high=1), likelihood=reals((2,), low=0, high=1)),
    ),
    "bayes.unit_grid": call(bayes.unit_grid, dict(points=11), dict(points=whole(2))),
    "bayes.integral": call(
        bayes.integral,
        dict(values=GRID**2, grid=GRID),
        dict(values=lambda v: reals((11,), (None, 11))(v), grid=rising),
    ),
    "bayes.normalized": call(
        bayes.normalized, dict(values=GRID**2, grid=GRID), dict(values=density, grid=rising)
    ),
    "bayes.mean_and_var": call(
        bayes.mean_and_var, dict(density=GRID**2, grid=GRID), dict(density=density, grid=rising)
    ),
    "bayes.uniform": call(bayes.uniform, dict(grid=GRID), dict(grid=rising)),
    "bayes.coin_log_likelihood": call(
        bayes.coin_log_likelihood,
        dict(heads=7, tosses=10, theta=0.5, ordered=False),
        dict(heads=whole(0, 10), tosses=whole(7, 2**53), theta=chances, ordered=truth),
    ),
    "bayes.coin_posterior": call(
        bayes.coin_posterior,
        dict(heads=7, tosses=10, prior=torch.ones(11), grid=GRID),
        dict(heads=whole(0, 10), tosses=whole(7, 2**53), prior=density, grid=rising),
    ),
    "bayes.coin_log_evidence": call(
        bayes.coin_log_evidence,
        dict(heads=7, tosses=10, prior=torch.ones(11), grid=GRID, ordered=False),
        dict(heads=whole(0, 10), tosses=whole(7, 2**53), prior=density, grid=rising, ordered=truth),
    ),
    "bayes.coin_evidence": call(
        bayes.coin_evidence,
        dict(heads=7, tosses=10, prior=torch.ones(11), grid=GRID, ordered=False),
        dict(heads=whole(0, 10), tosses=whole(7, 2**53), prior=density, grid=rising, ordered=truth),
    ),
    "bayes.Beta": call(
        lambda a, b: (bayes.Beta(a, b).mean, bayes.Beta(a, b).var),
        dict(a=2.0, b=3.0),
        dict(a=real(0, ends=False), b=real(0, ends=False)),
    ),
    "bayes.conjugate": call(
        bayes.conjugate,
        dict(prior=bayes.Beta(2, 3), heads=7, tosses=10),
        dict(prior=beta, heads=whole(0, 10), tosses=whole(7, 2**53)),
    ),
    "bayes.beta_density": call(
        bayes.beta_density, dict(belief=bayes.Beta(2, 3), grid=GRID), dict(belief=beta, grid=rising)
    ),
    "bayes.two_coin_log_likelihood": call(
        bayes.two_coin_log_likelihood,
        dict(tosses=torch.tensor([1, 1, 0]), p_1=0.9, p_2=0.5, alpha=0.25),
        dict(
            tosses=zeros_and_ones,
            p_1=chances,
            p_2=chances,
            alpha=chances,
        ),
    ),
    "bayes.two_coin_log_likelihood_brute": call(
        bayes.two_coin_log_likelihood_brute,
        dict(tosses=torch.tensor([1, 1, 0]), p_1=0.9, p_2=0.5, alpha=0.25),
        dict(
            tosses=zeros_and_ones,
            p_1=chances,
            p_2=chances,
            alpha=chances,
        ),
    ),
    "estimators.monte_carlo": call(
        estimators.monte_carlo,
        dict(values=X),
        dict(values=lambda v: batch(v) and len(v) > 1),
    ),
    "estimators.importance_sampling": call(
        estimators.importance_sampling,
        dict(values=X, log_weight=torch.zeros(4), self_normalized=True),
        dict(values=lambda v: batch(v) and len(v) == 4, log_weight=weights, self_normalized=truth),
    ),
    "estimators.effective_sample_size": call(
        estimators.effective_sample_size, dict(log_weight=torch.zeros(4)), dict(log_weight=batch)
    ),
    "estimators.log_mean_weight": call(
        estimators.log_mean_weight, dict(log_weight=torch.zeros(4)), dict(log_weight=batch)
    ),
    "estimators.pathwise_gradient": call(
        estimators.pathwise_gradient,
        dict(f=lambda x: x.square().sum(1), mean=0.5, var=0.5, eps=X),
        dict(f=function, mean=spot, var=spread, eps=batch),
    ),
    "estimators.score_function_gradient": call(
        estimators.score_function_gradient,
        dict(f=lambda x: x.square().sum(1), mean=0.5, var=0.5, eps=X, baseline=0.5),
        dict(f=function, mean=spot, var=positive, eps=batch, baseline=real()),
    ),
    "elbo.split": call(
        elbo.split,
        dict(q=CAUSES, joint=CAUSES / 2),
        dict(q=data(2, 2, finite=True, low=0), joint=data(2, 2, finite=True, low=0)),
    ),
    "elbo.encode": call(elbo.encode, dict(vae=VAE, x=X), dict(vae=network, x=data(None, D))),
    "elbo.decode": call(elbo.decode, dict(vae=VAE, z=X), dict(vae=network, z=data(None, 2))),
    "elbo.prior": call(elbo.prior, dict(z=X), dict(z=any_shape)),
    "elbo.latent_kl": call(elbo.latent_kl, dict(q=normal()), dict(q=gaussian(batch, ends=False))),
    "elbo.terms": call(
        elbo.terms, dict(vae=VAE, x=X, eps=X), dict(vae=network, x=like_x, eps=like_x)
    ),
    "elbo.loss": call(
        elbo.loss,
        dict(vae=VAE, x=X, eps=X, beta=0.5),
        dict(vae=network, x=like_x, eps=like_x, beta=real(0)),
    ),
    "elbo.log_evidence": call(
        elbo.log_evidence,
        dict(vae=VAE, x=X, eps=torch.stack([X, -X])),
        dict(vae=network, x=like_x, eps=data(None, B, 2)),
    ),
    "elbo.ppca": call(
        elbo.ppca,
        dict(x=X, latents=1, var=0.5),
        dict(x=batch, latents=whole(1, D), var=real(0, ends=False)),
    ),
    "schedules.Schedule": call(
        schedules.Schedule,
        dict(name="custom", abar=torch.tensor([1.0, 0.5, 0.2], dtype=torch.float64)),
        dict(name=text, abar=data(None, dtypes=(torch.float64,), low=0, high=1)),
    ),
    "schedules.coef": call(
        schedules.coef,
        dict(value=torch.ones(B, dtype=torch.float64), x=X),
        dict(value=coefficient, x=any_shape),
    ),
    "schedules.from_beta": call(
        schedules.from_beta,
        dict(beta=torch.tensor([0.5, 0.5]), name="custom"),
        dict(beta=reals((None,), low=0, high=1), name=text),
    ),
    "schedules.linear": _by_beta(schedules.linear),
    "schedules.quadratic": _by_beta(schedules.quadratic),
    "schedules.logarithmic": _by_beta(schedules.logarithmic),
    "schedules.geometric": _by_beta(schedules.geometric),
    "schedules.sigmoid": call(
        schedules.sigmoid,
        dict(T=T, beta_1=1e-4, beta_T=0.02, steepness=6.0),
        dict(T=whole(), **betas, steepness=real(0, 100, ends=False)),
    ),
    "schedules.su": call(schedules.su, dict(T=T), dict(T=whole())),
    "schedules.cosine": call(
        schedules.cosine,
        dict(T=T, offset=0.008, beta_max=0.999),
        dict(T=whole(), offset=real(0, 1), beta_max=real(0, 1, ends=False)),
    ),
    "schedules.straight_log_snr": call(
        schedules.straight_log_snr,
        dict(first=8, last=-7, T=T),
        dict(first=real(-7, 36), last=real(-100, 8), T=whole(2)),
    ),
    "schedules.make": call(
        schedules.make,
        dict(name="su"),
        dict(name=one_of(*set(schedules.SCHEDULES) - {"log_snr"})),
    ),
    "schedules.from_log_snr": call(
        schedules.from_log_snr,
        dict(log_snr=torch.tensor([4.0, 0.0, -4.0]), name="custom"),
        dict(log_snr=lambda v: reals((None,))(v) or data(None)(v), name=text),
    ),
    "schedules.zero_terminal": call(
        schedules.zero_terminal, dict(schedule=SCHEDULE), dict(schedule=schedule)
    ),
    "schedules.scaled_snr": call(
        schedules.scaled_snr,
        dict(schedule=SCHEDULE, factor=0.5),
        dict(schedule=schedule, factor=real(0, ends=False)),
    ),
    "schedules.respaced": call(
        schedules.respaced,
        dict(schedule=SCHEDULE, times=[10, 5, 0]),
        dict(schedule=schedule, times=falling(T, last=0)),
    ),
    "schedules.timesteps": call(
        schedules.timesteps, dict(T=T, steps=5), dict(T=whole(5), steps=whole(1, T))
    ),
    "schedules.row": call(
        schedules.row,
        dict(table=SCHEDULE.abar, t=5),
        dict(
            table=data(None),
            t=lambda v: times(0, T, len(v) if isinstance(v, torch.Tensor) and v.dim() == 1 else 0)(
                v
            ),
        ),
    ),
    "forward.transition": call(
        forward.transition,
        dict(schedule=SCHEDULE, x_s=X, s=5, t=6),
        dict(schedule=schedule, x_s=batch, s=before, t=after),
    ),
    "forward.marginal": call(
        forward.marginal,
        dict(schedule=SCHEDULE, x_0=X, t=torch.full((B,), 5)),
        dict(schedule=schedule, x_0=batch, t=at),
    ),
    "forward.noised": call(
        forward.noised,
        dict(schedule=SCHEDULE, x_0=X, t=5, eps=X),
        dict(schedule=schedule, x_0=like_x, t=at, eps=like_x),
    ),
    "forward.posterior": call(
        forward.posterior,
        dict(schedule=SCHEDULE, x_0=X, x_t=X, t=6, s=5),
        dict(schedule=schedule, x_0=like_x, x_t=like_x, t=after, s=before),
    ),
    "forward.chain": call(
        forward.chain,
        dict(schedule=SCHEDULE, x_0=X, generator=rng),
        dict(schedule=schedule, x_0=batch, generator=generator),
        first,
    ),
    "predictions.check_prediction_type": call(
        predictions.check_prediction_type,
        dict(prediction_type="v"),
        dict(prediction_type=kind),
    ),
    "predictions.convert": call(
        predictions.convert,
        dict(schedule=SCHEDULE, out=X, prediction_type="eps", x_t=X, t=5),
        dict(schedule=schedule, out=like_x, prediction_type=kind, x_t=like_x, t=at),
    ),
    "predictions.target": call(
        predictions.target,
        dict(schedule=SCHEDULE, prediction_type="v", x_0=X, eps=X, t=5),
        dict(schedule=schedule, prediction_type=kind, x_0=like_x, eps=like_x, t=at),
    ),
    "predictions.denoiser": call(
        predictions.denoiser,
        dict(schedule=SCHEDULE, net=halve, prediction_type="eps", clip=1.0),
        dict(
            schedule=schedule,
            net=function,
            prediction_type=kind,
            clip=optional(real(0, ends=False)),
        ),
        closure(),
    ),
    "predictions.denoiser's": call(
        predictions.denoiser(SCHEDULE, halve, "eps"), dict(x_t=X, t=5), dict(x_t=batch, t=at)
    ),
    "predictions.guided": call(
        predictions.guided,
        dict(conditional=halve, unconditional=halve, guidance_scale=0.5),
        dict(conditional=function, unconditional=function, guidance_scale=real()),
        closure(),
    ),
    "predictions.guided's": call(
        predictions.guided(halve, halve, 2.0), dict(x_t=X, t=5), dict(x_t=batch, t=anything)
    ),
    "ideal_denoisers.circle_mixture": call(
        ideal_denoisers.circle_mixture,
        dict(k=4, radius=0.5, std=0.5),
        dict(k=whole(), radius=real(0), std=real(0)),
    ),
    "ideal_denoisers.two_modes": call(ideal_denoisers.two_modes, {}, {}),
    "ideal_denoisers.parts": call(
        ideal_denoisers.parts,
        dict(mixture=ideal_denoisers.circle_mixture(2)),
        dict(mixture=mixture),
    ),
    "ideal_denoisers.sample": call(
        ideal_denoisers.sample,
        dict(mixture=ideal_denoisers.circle_mixture(2), n=4, generator=rng),
        dict(mixture=mixture, n=whole(), generator=generator),
    ),
    "ideal_denoisers.log_density": call(
        ideal_denoisers.log_density,
        dict(mixture=ideal_denoisers.circle_mixture(2), schedule=SCHEDULE, x_t=X, t=5),
        dict(mixture=mixture, schedule=schedule, x_t=in_the_plane, t=times(0, T, B)),
    ),
    "ideal_denoisers.mixture_denoiser": call(
        ideal_denoisers.mixture_denoiser,
        dict(mixture=ideal_denoisers.circle_mixture(2), schedule=SCHEDULE),
        dict(mixture=mixture, schedule=schedule),
        closure(),
    ),
    "ideal_denoisers.mixture_denoiser's": call(
        ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(2), SCHEDULE),
        dict(x_t=X, t=5),
        dict(x_t=in_the_plane, t=at),
    ),
    "ideal_denoisers.dataset_denoiser": call(
        ideal_denoisers.dataset_denoiser,
        dict(x=X, schedule=SCHEDULE),
        dict(x=in_the_plane, schedule=schedule),
        closure(),
    ),
    "ideal_denoisers.dataset_denoiser's": call(
        ideal_denoisers.dataset_denoiser(X, SCHEDULE),
        dict(x_t=X, t=5),
        dict(x_t=in_the_plane, t=at),
    ),
    "flow_matching.straight": call(flow_matching.straight, dict(T=T), dict(T=whole())),
    "flow_matching.tau": call(flow_matching.tau, dict(schedule=SCHEDULE), dict(schedule=schedule)),
    "flow_matching.scale": call(
        flow_matching.scale, dict(schedule=SCHEDULE), dict(schedule=schedule)
    ),
    "flow_matching.interpolate": call(
        flow_matching.interpolate,
        dict(schedule=SCHEDULE, x_0=X, t=5, eps=X),
        dict(schedule=schedule, x_0=like_x, t=times(0, T, B), eps=like_x),
    ),
    "flow_matching.loss": call(
        flow_matching.loss,
        dict(schedule=SCHEDULE, net=halve, x_0=X, t=5, eps=X),
        dict(schedule=schedule, net=function, x_0=like_x, t=times(0, T, B), eps=like_x),
    ),
    "flow_matching.to_velocity": call(
        flow_matching.to_velocity,
        dict(schedule=SCHEDULE, v=X, x_t=X, t=5),
        dict(schedule=schedule, v=like_x, x_t=like_x, t=times(0, T, B)),
    ),
    "flow_matching.to_v": call(
        flow_matching.to_v,
        dict(schedule=SCHEDULE, u=X, x_t=X, t=5),
        dict(schedule=schedule, u=like_x, x_t=like_x, t=times(0, T, B)),
    ),
    "flow_matching.velocity": call(
        flow_matching.velocity,
        dict(schedule=SCHEDULE, denoise=halve),
        dict(schedule=schedule, denoise=function),
        closure(),
    ),
    "flow_matching.velocity's": call(
        flow_matching.velocity(SCHEDULE, halve), dict(x_tau=X, t=5), dict(x_tau=batch, t=at)
    ),
    "flow_matching.denoiser": call(
        flow_matching.denoiser,
        dict(schedule=SCHEDULE, net=halve),
        dict(schedule=schedule, net=function),
        closure(),
    ),
    "flow_matching.denoiser's": call(
        flow_matching.denoiser(SCHEDULE, halve), dict(x_t=X, t=5), dict(x_t=batch, t=at)
    ),
    "flow_matching.solve": call(
        flow_matching.solve,
        dict(schedule=SCHEDULE, net=halve, x_1=X, times=[T, 5, 0], order=2),
        dict(
            schedule=schedule,
            net=function,
            x_1=batch,
            times=optional(falling(T)),
            order=one_of(1, 2),
        ),
    ),
    "flow_matching.straightness": call(
        flow_matching.straightness,
        dict(schedule=SCHEDULE, path=torch.stack([X, X, -X]), times=[T, 5, 0]),
        dict(
            schedule=schedule,
            path=lambda v: batch(v) and len(v) == 3 and v.dim() > 1,
            times=lambda v: falling(T)(v) and len(v) == 3,
        ),
    ),
    "flow_matching.optimal_pairs": call(
        flow_matching.optimal_pairs,
        dict(x_0=X, eps=X),
        dict(x_0=data(B, D, finite=True), eps=data(B, D, finite=True)),
    ),
    "discrete.uniform": call(discrete.uniform, dict(K=3), dict(K=whole(2))),
    "discrete.absorbing": call(discrete.absorbing, dict(K=3), dict(K=whole(2))),
    "discrete.transition": call(
        discrete.transition,
        dict(schedule=SCHEDULE, noise=MASK, x_s=LETTERS, s=5, t=6),
        dict(schedule=schedule, noise=enough_noise, x_s=symbols, s=before, t=after),
    ),
    "discrete.marginal": call(
        discrete.marginal,
        dict(schedule=SCHEDULE, noise=MASK, x_0=LETTERS, t=5),
        dict(schedule=schedule, noise=enough_noise, x_0=symbols, t=times(1, T, B)),
    ),
    "discrete.posterior": call(
        discrete.posterior,
        dict(schedule=SCHEDULE, noise=ANY, x_0=LETTERS, x_t=LETTERS, t=6, s=5),
        dict(
            schedule=schedule,
            noise=probabilities,
            x_0=same_letters,
            x_t=same_letters,
            t=after,
            s=before,
        ),
    ),
    "discrete.posterior of a prediction": call(
        discrete.posterior,
        dict(schedule=SCHEDULE, noise=ANY, x_0=EVEN, x_t=LETTERS, t=6, s=5),
        dict(
            schedule=schedule,
            noise=probabilities,
            x_0=clean_or_predicted,
            x_t=same_letters,
            t=after,
            s=before,
        ),
    ),
    "discrete.draw": call(
        discrete.draw, dict(p=EVEN, generator=rng), dict(p=shares, generator=generator)
    ),
    "discrete.dataset_denoiser": call(
        discrete.dataset_denoiser,
        dict(x=LETTERS, schedule=SCHEDULE, noise=ANY, weight=torch.full((B,), 0.25)),
        dict(
            x=same_letters,
            schedule=schedule,
            noise=probabilities,
            weight=optional(
                lambda v: reals((B,), low=0)(v) and float(torch.as_tensor(v).detach().sum()) > 0
            ),
        ),
        closure(LETTERS),
    ),
    "discrete.dataset_denoiser's": call(
        discrete.dataset_denoiser(LETTERS, SCHEDULE, ANY),
        dict(x_t=LETTERS, t=5),
        dict(x_t=words, t=at),
    ),
    "discrete.sample": call(
        discrete.sample,
        dict(
            schedule=SCHEDULE,
            noise=ANY,
            denoise=BEST,
            shape=(B, D),
            times=[T, 5, 0],
            generator=rng,
        ),
        dict(
            schedule=a(schedules.Schedule),
            noise=probabilities,
            denoise=function,
            shape=lambda v: sizes(high=10**6)(v) and list(v[1:]) == [D],
            times=optional(falling(T, 0)),
            generator=generator,
        ),
    ),
    "discrete.bound": call(
        discrete.bound,
        dict(schedule=SCHEDULE, noise=ANY, denoise=BEST, x_0=LETTERS, generator=rng),
        dict(
            schedule=schedule, noise=probabilities, denoise=function, x_0=words, generator=generator
        ),
    ),
    "sde.variance_preserving": call(
        sde.variance_preserving,
        dict(beta_0=0.1, beta_1=20.0),
        dict(beta_0=real(0, 1e4, ends=False), beta_1=real(0, 1e4, ends=False)),
    ),
    "sde.variance_exploding": call(
        sde.variance_exploding,
        dict(sigma_min=0.01, sigma_max=50.0),
        dict(sigma_min=real(0, 50, ends=False), sigma_max=real(0.01, 1e6, ends=False)),
    ),
    "sde.rescaled": call(sde.rescaled, dict(sde=VP), dict(sde=a(sde.SDE))),
    "sde.SDE": call(
        sde.SDE,
        dict(name="mine", rate=len, diffusion_var=len, signal=len, noise_var=len),
        dict(
            name=anything,
            rate=function,
            diffusion_var=function,
            signal=function,
            noise_var=function,
        ),
    ),
    "sde.SDE's drift": call(VP.drift, dict(x=X, t=0.5), dict(x=batch, t=unit_times)),
    "sde.SDE's diffusion": call(
        VP.diffusion, dict(t=0.5), dict(t=reals((), (None,), high=1, low=0))
    ),
    "sde.SDE's marginal": call(VP.marginal, dict(x_0=X, t=0.5), dict(x_0=batch, t=unit_times)),
    "sde.SDE's log_snr": call(VP.log_snr, dict(t=0.5), dict(t=reals((), (None,), high=1, low=0))),
    "sde.reverse_drift": call(
        sde.reverse_drift,
        dict(sde=VP, score=pull, x=X, t=0.5, dial=1.0),
        dict(sde=a(sde.SDE), score=function, x=batch, t=chance, dial=real(0, 100)),
    ),
    "sde.probability_flow": call(
        sde.probability_flow,
        dict(sde=VP, score=pull),
        dict(sde=a(sde.SDE), score=function),
        lambda field: field(X, torch.tensor(0.5)),
    ),
    "sde.simulate": call(
        sde.simulate,
        dict(sde=VP, score=pull, x=X, times=[1.0, 0.5, 0.0], dial=1.0, generator=rng),
        dict(
            sde=a(sde.SDE),
            score=function,
            x=batch,
            times=within_unit(falls=True),
            dial=real(0, 100),
            generator=generator,
        ),
        first,
    ),
    "sde.divergence": call(
        sde.divergence,
        dict(field=torch.sin, x=X, create_graph=False),
        dict(field=function, x=batch, create_graph=truth),
    ),
    "sde.hutchinson": call(
        sde.hutchinson,
        dict(field=torch.sin, x=X, probe=X, create_graph=False),
        dict(field=function, x=like_x, probe=like_x, create_graph=truth),
    ),
    "sde.fokker_planck": call(
        sde.fokker_planck,
        dict(
            drift=VP.drift,
            diffusion=VP.diffusion,
            density=torch.full((4,), 0.25),
            edges=torch.linspace(-2, 2, 5),
            times=[0.0, 0.5, 1.0],
        ),
        dict(
            drift=function,
            diffusion=function,
            density=reals((4,)),
            edges=lambda v: rising(v) and len(v) == 5 and even(v),
            times=within_unit(falls=False),
        ),
    ),
    "sde.log_likelihood": call(
        sde.log_likelihood,
        dict(
            field=lambda x, t: -x,
            x=X,
            times=[0.0, 0.5, 1.0],
            log_prior=lambda x: -(x**2).reshape(len(x), -1).sum(1),
            probes=2,
            generator=rng,
        ),
        dict(
            field=function,
            x=batch,
            times=lambda v: within_unit(falls=True, high=1e300)(v) or rising(v),
            log_prior=function,
            probes=optional(whole(1, 10_000)),
            generator=generator,
        ),
    ),
    "sde.explicit_score_matching": call(
        sde.explicit_score_matching,
        dict(model=torch.sin, x=X, true_score=X),
        dict(model=function, x=like_x, true_score=like_x),
    ),
    "sde.implicit_score_matching": call(
        sde.implicit_score_matching, dict(model=torch.sin, x=X), dict(model=function, x=batch)
    ),
    "sde.sliced_score_matching": call(
        sde.sliced_score_matching,
        dict(model=torch.sin, x=X, probe=X),
        dict(model=function, x=like_x, probe=like_x),
    ),
    "sde.denoising_score_matching": call(
        sde.denoising_score_matching,
        dict(model=torch.sin, x_0=X, eps=X, signal=0.5, noise=0.5),
        dict(
            model=function,
            x_0=like_x,
            eps=like_x,
            signal=real(-1e6, 1e6),
            noise=real(0, 1e6, ends=False),
        ),
    ),
    "sde.mixture_at": call(
        sde.mixture_at,
        dict(sde=VP, mixture=ideal_denoisers.circle_mixture(2), t=0.5),
        dict(sde=a(sde.SDE), mixture=mixture, t=chance),
    ),
    "sde.log_density": call(
        sde.log_density,
        dict(mixture=ideal_denoisers.circle_mixture(2), x=X),
        dict(mixture=strict_mixture, x=data(None, D, empty=True)),
    ),
    "sde.mixture_score": call(
        sde.mixture_score,
        dict(sde=VP, mixture=ideal_denoisers.circle_mixture(2)),
        dict(sde=a(sde.SDE), mixture=mixture),
        lambda score: score(X, torch.tensor(0.5)),
    ),
    "samplers.ddpm_step": call(
        samplers.ddpm_step,
        dict(schedule=SCHEDULE, x_t=X, x0_hat=X, t=6, s=5, var="large"),
        dict(
            schedule=schedule,
            x_t=like_x,
            x0_hat=like_x,
            t=after,
            s=before,
            var=one_of("small", "large"),
        ),
    ),
    "samplers.ddim_step": call(
        samplers.ddim_step,
        dict(schedule=SCHEDULE, x_t=X, x0_hat=X, t=6, s=5, eta=0.5),
        dict(schedule=schedule, x_t=like_x, x0_hat=like_x, t=after, s=before, eta=chance),
    ),
    "samplers.reverse": call(
        samplers.reverse,
        dict(
            schedule=SCHEDULE,
            denoise=halve,
            x_T=X,
            step=samplers.ddpm_step,
            times=[10, 5, 0],
            generator=rng,
        ),
        dict(
            schedule=schedule,
            denoise=function,
            x_T=batch,
            step=function,
            times=optional(falling(T)),
            generator=generator,
        ),
        first,
    ),
    "samplers.sample": call(
        samplers.sample,
        dict(
            schedule=SCHEDULE,
            denoise=halve,
            shape=(4, 2),
            sampler="dpmpp_2m",
            times=[10, 5, 0],
            generator=rng,
            device="cpu",
        ),
        dict(
            schedule=schedule,
            denoise=function,
            shape=sizes(high=10**6),
            sampler=one_of(*samplers.SAMPLERS),
            times=optional(falling(T)),
            generator=generator,
            device=device,
        ),
    ),
    "samplers.final": call(
        samplers.final,
        dict(trajectory=list(samplers.dpmpp_2m(SCHEDULE, halve, X, times=[10, 0]))),
        dict(trajectory=lambda value: bool(value) and isinstance(value[-1], samplers.Step)),
    ),
    **{
        f"samplers.{name}": call(
            sampler,
            dict(schedule=SCHEDULE, denoise=halve, x_T=X, times=[10, 5, 0], generator=rng)
            | {option: value for option, (value, _) in options.items()},
            dict(schedule=schedule, denoise=function, x_T=batch)
            | dict(
                times=optional(either_way)
                if name == "probability_flow_ode"
                else optional(falling(T))
            )
            | dict(generator=generator if name == "ddpm" else optional(generator))
            | {option: rule for option, (_, rule) in options.items()},
            first,
        )
        for (name, sampler), options in zip(
            samplers.SAMPLERS.items(),
            (
                dict(var=("large", one_of("small", "large"))),
                dict(eta=(0.0, chance)),
                dict(order=(2, one_of(1, 2))),
                {},
            ),
            strict=True,
        )
    },
    "losses.simple": call(
        losses.simple,
        dict(schedule=SCHEDULE, net=halve, prediction_type="eps", x_0=X, t=5, eps=X),
        dict(schedule=schedule, net=function, prediction_type=kind, x_0=like_x, t=at, eps=like_x),
    ),
    "losses.bound": call(
        losses.bound,
        dict(
            schedule=SCHEDULE,
            denoise=halve,
            x_0=X,
            generator=rng,
            var="large",
            levels=256,
            strata=4,
        ),
        dict(
            schedule=schedule,
            denoise=function,
            x_0=lambda v: batch(v) and data(*v.shape, low=-1 - 1e-6, high=1 + 1e-6)(v),
            generator=generator,
            var=one_of("small", "large"),
            levels=optional(whole(2, 10**6)),
            strata=optional(whole(1, T - 1)),
        ),
    ),
    "losses.strata": call(
        losses.strata,
        dict(schedule=SCHEDULE, n=4),
        dict(schedule=schedule, n=optional(whole(1, T - 1))),
    ),
    "losses.weight": call(
        losses.weight,
        dict(schedule=SCHEDULE, prediction_type="eps", t=5, name="min_snr", gamma=5.0),
        dict(
            schedule=schedule,
            prediction_type=kind,
            t=lambda v: times(1, T, len(v) if isinstance(v, torch.Tensor) and v.dim() == 1 else 0)(
                v
            ),
            name=one_of("simple", "vlb", "min_snr"),
            gamma=real(0, ends=False),
        ),
    ),
    "losses.bits_per_dim": call(
        losses.bits_per_dim,
        dict(nats=torch.ones(B), x=X),
        dict(nats=lambda v: batch(v) and len(v) == B, x=lambda v: any_shape(v) and len(v) == B),
    ),
    "metrics.energy_distance": call(
        metrics.energy_distance,
        dict(a=POINTS, b=POINTS[:6]),
        dict(a=enough(4), b=enough(4)),
    ),
    "metrics.mmd": call(
        metrics.mmd,
        dict(a=POINTS, b=POINTS[:6], kernel="gaussian", bandwidth=0.5),
        dict(
            a=enough(4),
            b=enough(4),
            kernel=one_of("gaussian"),
            bandwidth=optional(real(0, ends=False)),
        ),
    ),
    "metrics.median_distance": call(
        metrics.median_distance,
        dict(a=POINTS, b=POINTS[:6]),
        dict(a=enough(1), b=enough(1)),
    ),
    "metrics.sliced_wasserstein": call(
        metrics.sliced_wasserstein,
        dict(a=POINTS, b=POINTS[:6], order=2, directions=4, generator=rng),
        dict(
            a=enough(4), b=enough(4), order=one_of(1, 2), directions=whole(2), generator=generator
        ),
    ),
    "metrics.frechet": call(
        metrics.frechet,
        dict(features_a=POINTS, features_b=POINTS[:6]),
        dict(features_a=enough(4), features_b=enough(4)),
    ),
    "metrics.jackknife": call(
        metrics.jackknife,
        dict(statistic=lambda a, b: a.mean() - b.mean(), a=POINTS, b=POINTS[:6], groups=4),
        dict(statistic=function, a=enough(4), b=enough(4), groups=whole(2, math.inf)),
    ),
    "metrics.nearest": call(
        metrics.nearest, dict(x=POINTS, train=POINTS[:6]), dict(x=enough(1), train=enough(1))
    ),
    "metrics.memorization_test": call(
        metrics.memorization_test,
        dict(x=POINTS, train=POINTS[:6], held_out=POINTS[6:], generator=rng),
        dict(x=enough(1), train=enough(1), held_out=enough(1), generator=generator),
    ),
    "metrics.real_baseline": call(
        metrics.real_baseline,
        dict(metric=metrics.energy_distance, data=POINTS, size=4, splits=2, generator=rng),
        dict(
            metric=function,
            data=lambda v: batch(v) and len(v) >= 8 and data(*v.shape, finite=True)(v),
            size=optional(whole(4, 6)),
            splits=whole(1, 1000),
            generator=generator,
        ),
    ),
    "metrics.train_classifier": call(
        metrics.train_classifier,
        dict(
            net=JUDGE,
            batches=lambda: iter([(PICTURES, torch.arange(4))] * 3),
            steps=2,
            lr=1e-3,
        ),
        dict(
            net=network, batches=lambda v: False, steps=whole(1, math.inf), lr=real(0, ends=False)
        ),
        first,
    ),
    "metrics.standardize": call(
        metrics.standardize,
        dict(net=JUDGE, x=PICTURES),
        dict(net=network, x=data(None, 1, None, None, finite=True)),
    ),
    "metrics.features": call(
        metrics.features,
        dict(net=JUDGE, x=PICTURES, size=2),
        dict(net=network, x=pictures, size=whole(1, math.inf)),
    ),
    "metrics.accuracy": call(
        metrics.accuracy,
        dict(net=JUDGE, x=PICTURES, labels=torch.arange(4), size=2),
        dict(
            net=network,
            x=data(4, 1, None, None),
            labels=lambda v: labels(4, 9)(torch.as_tensor(v)),
            size=whole(1, math.inf),
        ),
    ),
    "networks.time_embedding": call(
        networks.time_embedding,
        dict(t=torch.arange(B), dim=4, max_period=100.0),
        dict(
            t=lambda v: strided(v) and v.dtype in FLOATS + INTS and v.dim() == 1,
            dim=lambda v: whole(2, 10**6)(v) and not scalar(v) % 2,
            max_period=real(1, ends=False),
        ),
    ),
    "networks.build": call(
        networks.build,
        dict(cls=networks.MLP, seed=0),
        dict(
            cls=lambda v: isinstance(v, type) and issubclass(v, torch.nn.Module),
            seed=whole(0, 2**64 - 1),
        ),
    ),
    "networks.MLP": call(
        networks.MLP,
        dict(dim=2, width=8, depth=1, time_dim=4),
        dict(
            dim=whole(high=10**6),
            width=whole(high=10**6),
            depth=whole(0, 10**6),
            time_dim=lambda v: whole(2, 10**6)(v) and not scalar(v) % 2,
        ),
    ),
    "networks.VAE": call(
        networks.VAE,
        dict(shape=(2,), latents=2, width=8, depth=1, var=0.5, learn_var=False),
        dict(
            shape=sizes(high=10**6, least=0),
            latents=whole(high=10**6),
            width=whole(high=10**6),
            depth=whole(0, 10**6),
            var=real(0, ends=False),
            learn_var=truth,
        ),
    ),
    "networks.UNet": call(
        networks.UNet,
        dict(
            channels=1,
            width=8,
            mults=(1, 2),
            blocks=1,
            attention=(1,),
            patch=1,
            labels=3,
            skip="sum",
            time="sinusoid",
            waves=(1,),
            norm="group",
            groups=4,
            T=T,
            levels=0,
            hidden_features=4,
            dropout=0.1,
        ),
        dict(
            channels=whole(high=10**6),
            width=lambda v: whole(4, 10**6)(v) and not scalar(v) % 4,
            mults=sizes(),
            blocks=whole(high=10**6),
            attention=sizes(0, 1, least=0),
            patch=whole(high=10**6),
            labels=whole(0, 10**6),
            skip=one_of("concat", "sum"),
            time=one_of("sinusoid", "table"),
            waves=sizes(0, 16, least=0),
            norm=one_of("group", "batch"),
            groups=lambda v: whole(1, 8)(v) and not 8 % scalar(v),
            T=whole(high=10**6),
            levels=lambda v: whole(0, 10**6)(v) and scalar(v) != 1,
            hidden_features=whole(high=10**6),
            dropout=real(0, 1 - 1e-12),
        ),
    ),
    "networks.side_factor": call(
        networks.side_factor,
        dict(patch=1, mults=(1, 2)),
        dict(patch=whole(high=65_536), mults=sizes()),
    ),
    "networks.Classifier": call(
        networks.Classifier,
        dict(channels=1, width=8, mults=(1, 2), features=4, labels=3),
        dict(
            channels=whole(high=10**6),
            width=lambda v: whole(8, 10**6)(v) and not scalar(v) % 8,
            mults=sizes(),
            features=whole(high=10**6),
            labels=whole(high=10**6),
        ),
    ),
    "networks.MLP's": call(
        MLP,
        dict(x_t=X, t=torch.full((B,), 5)),
        dict(x_t=in_the_plane, t=data(B, dtypes=INTS + FLOATS)),
    ),
    "networks.VAE.encode": call(VAE.encode, dict(x=X), dict(x=data(None, D, empty=True))),
    "networks.VAE.decode": call(VAE.decode, dict(z=X), dict(z=data(None, 2, empty=True))),
    "networks.UNet's": call(
        UNET,
        dict(x_t=PICTURES, t=torch.full((4,), 5), label=torch.tensor([0, 1, 2, 3])),
        dict(
            x_t=data(4, 1, None, None),
            t=data(4, dtypes=INTS + FLOATS),
            label=optional(lambda v: labels(4, 3)(_column(torch.as_tensor(v)))),
        ),
    ),
    "networks.Classifier's": call(
        JUDGE, dict(x=PICTURES), dict(x=data(None, 1, None, None, empty=True))
    ),
    "datasets.concentric_circles": call(
        datasets.concentric_circles,
        dict(n=4, generator=rng, std=0.5),
        dict(n=whole(), generator=generator, std=chance),
    ),
    "datasets.moons": call(
        datasets.moons,
        dict(n=4, generator=rng, std=0.5),
        dict(n=whole(), generator=generator, std=chance),
    ),
    "datasets.checkerboard": call(
        datasets.checkerboard,
        dict(n=4, generator=rng),
        dict(n=whole(), generator=generator),
    ),
    "datasets.swiss_roll": call(
        datasets.swiss_roll,
        dict(n=4, generator=rng, std=0.5),
        dict(n=whole(), generator=generator, std=chance),
    ),
    "figures.new": call(
        figures.new,
        dict(rows=1, columns=2, width=4.0, height=2.0),
        dict(
            rows=whole(high=100),
            columns=whole(high=100),
            width=real(0, 600, ends=False),
            height=real(0, 600, ends=False),
        ),
    ),
    "figures.curves": call(
        figures.curves,
        dict(
            x=torch.arange(3),
            ys={"y": torch.ones(3)},
            xlabel="x",
            ylabel="y",
            title="",
            log_x=False,
            log_y=False,
            ylim=None,
            points=None,
            legend=True,
            ax=None,
        ),
        dict(
            x=reals((3,)),
            ys=lambda v: isinstance(v, dict) and all(reals((3,))(y) for y in v.values()),
            xlabel=text,
            ylabel=text,
            title=text,
            log_x=truth,
            log_y=truth,
            ylim=ends,
            points=lambda v: v is None or (isinstance(v, dict) and all(map(curve, v.values()))),
            legend=truth,
            ax=lambda v: v is None,
        ),
    ),
    "figures.histograms": call(
        figures.histograms,
        dict(
            samples={"one": torch.arange(3.0)},
            xlabel="x",
            density=None,
            names=("samples", "density"),
            bins=3,
            limits=None,
            width=4.0,
            height=2.0,
        ),
        dict(
            samples=lambda v: isinstance(v, dict) and v and all(reals()(y) for y in v.values()),
            xlabel=text,
            density=lambda v: v is None or isinstance(v, dict) or curve(v),
            names=lambda v: isinstance(v, tuple) and len(v) >= 2 and all(map(text, v[:2])),
            bins=whole(high=10_000),
            limits=ends,
            width=real(0, 600, ends=False),
            height=real(0, 600, ends=False),
        ),
    ),
    "figures.paths": call(
        figures.paths,
        dict(
            times=torch.arange(3),
            bundles={"a": torch.zeros(3, 2)},
            xlabel="x",
            ylabel="y",
            title="",
            shown=2,
            mean=True,
            ax=None,
        ),
        dict(
            times=reals((3,)),
            bundles=lambda v: (
                isinstance(v, dict) and v and all(reals((3, None))(y) for y in v.values())
            ),
            xlabel=text,
            ylabel=text,
            title=text,
            shown=whole(1, 1000),
            mean=truth,
            ax=lambda v: v is None,
        ),
    ),
    "figures.scatter_grid": call(
        figures.scatter_grid,
        dict(frames={"one": X}, columns=1, limit=1.0, size=2.0, panel=1.0),
        dict(
            frames=lambda v: (
                isinstance(v, dict) and v and all(reals((None, 2))(y) for y in v.values())
            ),
            columns=optional(whole(high=1000)),
            limit=real(0, ends=False),
            size=real(0, ends=False),
            panel=real(0, 100, ends=False),
        ),
    ),
    "figures.images": call(
        figures.images,
        dict(x=PICTURES, titles=("a",), columns=2, panel=1.0, row_labels=("a",), limit=1.0),
        dict(
            x=shown,
            titles=listed,
            columns=optional(whole(high=1000)),
            panel=real(0, 100, ends=False),
            row_labels=listed,
            limit=real(0, ends=False),
        ),
    ),
    "figures.image_grid": call(
        figures.image_grid,
        dict(x=PICTURES, columns=2, limit=1.0),
        dict(
            x=shown,
            columns=optional(whole(high=1000)),
            limit=real(0, ends=False),
        ),
    ),
    "display.show": call(
        display.show,
        dict(fig=lambda: figures.new()[0], alt="A line."),
        dict(fig=a(figures.Figure), alt=lambda v: text(v) and bool(v.strip())),
    ),
    "display.show_source": call(
        display.show_source, dict(function=gaussians.draw), dict(function=lambda v: v is Odd)
    ),
    "display.png": call(
        display.png,
        dict(fig=lambda: figures.new()[0], scale=1.0),
        dict(fig=a(figures.Figure), scale=real(0.1, 10)),
    ),
    "display.track": call(
        display.track,
        dict(items=[1, 2], what="items"),
        dict(items=anything, what=text),
    ),
}


# ------------------------------------------------------------------------------ the verdict


FRESH = ("batches", "fig")


def made(good):
    """The arguments of one call: what has a state is made anew."""
    return {name: _fresh(name, value) for name, value in good.items()}


def _fresh(name, value):
    if value is rng or name in FRESH:
        return value()
    return copy.deepcopy(value) if isinstance(value, torch.nn.Module) else value


def cases(only=()):
    """(label, name of the call, argument, maker of the bad value) for everything here."""
    for name, (_, good, _, _) in CALLS.items():
        if only and not any(part in name for part in only):
            continue
        for argument, value in good.items():
            for bad, make in swaps(value):
                if callable(value) and bad in ("class", "function"):
                    continue  # what another function does with its arguments is its own business
                yield f"{name}({argument} = {bad})", name, argument, make


def judge(name, argument, make):
    """(verdict, what was said or came back)."""
    function, good, fits, after = CALLS[name]
    arguments = made(good)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arguments[argument] = bad = make()
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
        return "fine", "this tensor has no such form"
    try:
        acceptable = bool(fits[argument](bad))
    except Exception:
        acceptable = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = after(function(**arguments))
    except Exception as error:
        return _of_an_error(error, argument), f"{type(error).__name__}: {error}"[:300]
    if not acceptable:
        return "silent", _short(result)
    looked_at = fits[argument] not in (any_shape, anything) and name not in HIDDEN
    if looked_at and _has_nan(bad) and not _has_nan(result):
        return "nan", _short(result)
    return "fine", ""


def _of_an_error(error, argument):
    raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
    named = any(
        re.search(rf"\b{re.escape(word)}\b", str(error))
        for word in (argument, *ALSO.get(argument, ()))
    )
    clear = isinstance(error, (TypeError, ValueError)) and raised_in.startswith(PACKAGE) and named
    return "clear" if clear else "cryptic"


ALSO = {  # a record's field names the record, and a mismatch may name the other side
    "p": ("mean", "var", "p_mean"),
    "q": ("mean", "var", "q_mean"),
    "prior": ("mean", "var", "a", "b"),
    "mixture": ("weight", "mean", "var", "weights"),
    "law": ("a", "b"),
    "x_0": ("t", "x"),
    "x": ("value", "labels", "x_t", "features"),
    "eps": ("z", "f"),
    "grid": ("theta",),
}
# Where NaN need not show: one row is read, only the shape counts, or a pixel is left blank.
HIDDEN = ("schedules.row", "losses.bits_per_dim", "figures.images", "figures.image_grid")


def _has_nan(value):
    if isinstance(value, torch.Tensor):
        if not strided(value):
            return False
        return bool(torch.isnan(value.detach().to(torch.complex128).abs()).any())
    if isinstance(value, (tuple, list)):
        return any(map(_has_nan, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fc" and bool(np.isnan(value).any())
    return isinstance(value, (float, np.floating)) and value != value


def _short(value):
    try:
        return re.sub(r"\s+", " ", repr(value))[:120]
    except Exception:
        return f"a {type(value).__name__} that cannot be shown"


# ------------------------------------------------------------------------------ all of them


def watched(only=(), seconds=20, memory=6 << 30):
    """(label, verdict, words) of every case, with a limit on time and memory (not on Windows)."""
    import json
    import resource
    import signal

    todo = list(cases(only))
    done = 0
    while done < len(todo):
        inlet, outlet = os.pipe()
        child = os.fork()
        if not child:
            os.close(inlet)
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 1)
            with os.fdopen(outlet, "w") as pipe:
                for label, *case in todo[done:]:
                    signal.alarm(seconds)  # its default action ends the process, in C code too
                    pipe.write(json.dumps([label, *judge(*case)]) + "\n")
                    pipe.flush()
            os._exit(0)
        os.close(outlet)
        with os.fdopen(inlet) as pipe:
            for line in pipe:
                done += 1
                yield json.loads(line)
        _, status = os.waitpid(child, 0)
        if status:
            label = todo[done][0]
            done += 1
            yield label, "hang", f"ended by signal {status & 127}"


def main(arguments):
    """Print how every call ended, and those that did not end well."""
    everything = "--all" in arguments
    found = list(watched([each for each in arguments if not each.startswith("-")]))
    bad = [each for each in found if each[1] not in ("fine", "clear")]
    for label, verdict, words in bad if everything else bad[:40]:
        print(f"{verdict:8}{label}\n        {words}")
    print(len(found), dict(Counter(verdict for _, verdict, _ in found)))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
