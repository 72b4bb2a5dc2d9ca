"""Bad inputs for every public function: one valid call each, one argument at a time replaced.

    python tests/property/bad_inputs.py [--all] [part of a name ...]

prints how each call ended; with --all every call that did not end well. `CALLS` holds the valid
calls and says what each argument may be; `swaps` makes the bad values; `judge` makes the call and
says how it ended:

    fine     the value is acceptable, and so is what came of it
    clear    a ValueError, TypeError or FileNotFoundError of the package that names the argument
    cryptic  any other error
    silent   the value makes no sense, and a result came back all the same
    nan      NaN went in, and what came out does not show it

What an argument may be is decided here, by predicates that know nothing of the package's checks.
"""

# ruff: noqa: C408 (a call's arguments read best as dict(x=1))

import copy
import functools
import json
import math
import numbers
import os
import re
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

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
    interop,
    losses,
    metrics,
    networks,
    predictions,
    samplers,
    schedules,
    sde,
    training,
)
from ddpm_lab.course import display, figures
from ddpm_lab.training import config as settings
from ddpm_lab.training import evaluation, judges, models, pretrained, trainer

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


# the arguments of `networks.UNet` and the settings of `training.UNetConfig`, which has ranges
A_UNET = dict(
    **dict(channels=1, width=8, mults=(1, 2), blocks=1, attention=(1,), patch=1, labels=3),
    **dict(skip="sum", time="sinusoid", waves=(1,), norm="group", groups=4, T=T),
    **dict(levels=0, hidden_features=4, dropout=0.1),
)
OF_ANY_UNET = dict(
    labels=whole(0, 10**6),
    skip=one_of("concat", "sum"),
    time=one_of("sinusoid", "table"),
    norm=one_of("group", "batch"),
    groups=lambda v: whole(1, 8)(v) and not 8 % scalar(v),
    dropout=real(0, 1 - 1e-12),
)

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
            labels=lambda v: labels(4, 9)(_column(torch.as_tensor(v))),
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
        A_UNET,
        dict(
            channels=whole(high=10**6),
            width=lambda v: whole(4, 10**6)(v) and not scalar(v) % 4,
            mults=sizes(),
            blocks=whole(high=10**6),
            attention=sizes(0, 1, least=0),
            patch=whole(high=10**6),
            waves=sizes(0, 16, least=0),
            T=whole(high=10**6),
            levels=lambda v: whole(0, 10**6)(v) and scalar(v) != 1,
            hidden_features=whole(high=10**6),
            **OF_ANY_UNET,
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


# ------------------------------------------------------------------------------ training, interop

HOME = tempfile.TemporaryDirectory()
"""Files to read; it goes when the process ends."""
FEW = datasets.Dataset("few", PICTURES.repeat(5, 1, 1, 1), torch.arange(20) % 4)
SMALL = training.RunConfig(
    training.DataConfig("few"),
    training.ScheduleConfig("linear", T=T),
    training.UNetConfig(width=8, mults=(1,), groups=4, labels=4),
    training.OptimizerConfig(warmup=0),
    steps=1,
    batch=2,
    precision="float32",
    held_out_every=0,
)
RUN = trainer.init(SMALL, data=FEW)
MODEL = models.snapshot(SMALL, RUN)
METRICS = {"images": 8, "bits_per_dim": {"total": {"value": 1.0, "stderr": 0.1}}}
EVERY_METRIC = METRICS | {
    "frechet": {"value": 1.0, "stderr": None, "baseline": {"lowest": 0.5, "highest": 1.0}}
}


def _stored():
    """{what it is: its path}, of files that can be read."""
    home = Path(HOME.name)
    pixels, marks = ((FEW.images[:, 0] + 1) * 127.5).byte().numpy(), FEW.labels.numpy()
    np.savez(home / "few.npz", images=pixels, labels=marks)
    (home / "config.json").write_text(json.dumps(settings.to_dict(SMALL)))
    (home / "log.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
    training.save(home / "mlp.safetensors", MLP)
    training.save_run(home / "run.safetensors", RUN)
    facts = {"config": settings.to_dict(SMALL), "step": 0, "shape": [1, 8, 8]}
    training.save(home / "net.safetensors", MODEL.net, **facts)
    return {each.name: each for each in home.iterdir()}


FILES = _stored()


def at_home(function):
    """In an empty folder that goes away again: a bad path may well be a good one to write to."""

    @functools.wraps(function)
    def inside(**arguments):
        before = Path.cwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                return function(**arguments)
            finally:
                os.chdir(before)

    return inside


def remembered(facts):
    """What comes back of what a network was stored with."""
    path = training.save("net.safetensors", MLP, facts=facts)
    return training.load(path)[1]["facts"]


def any_path(value):
    """A path as the system takes it."""
    return isinstance(value, (str, bytes, os.PathLike)) and len(os.fspath(value)) > 0


def file(name):
    return lambda value: value == FILES[name]


def the_model():
    """A trained network, without bad values for each of its fields."""
    return MODEL


def trained(value):
    """A network with all that its use needs: pixels of one shape, padding, steps."""
    sides = sizes(1, 4096)
    return (
        isinstance(value, models.Model)
        and network(value.net)
        and isinstance(value.config, training.RunConfig)
        and sides(value.shape)
        and tuple(value.shape) == MODEL.shape
        and whole(0, 2**63)(value.step)
        and optional(lambda v: sizes(1, 8)(v) and len(v) == 2)(value.size)
        and optional(a(dict))(value.data)
    )


def named(*names):
    """Values by some of these names."""
    return lambda value: isinstance(value, dict) and {*value} <= {*names}


def at_rest(value):
    """A run that can go on."""
    return (
        isinstance(value, training.Run)
        and network(value.net)
        and isinstance(value.ema, training.EMA)
        and isinstance(value.optimizer, torch.optim.Optimizer)
        and isinstance(value.generators, dict)
        and all(map(generator, value.generators.values()))
        and whole(0, 2**63)(value.step)
        and isinstance(value.facts, dict)
    )


def plain(value):
    """What JSON can hold; arrays and tensors are lists of numbers."""
    if isinstance(value, dict):
        return all(map(text, value)) and all(map(plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(plain, value))
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        return not (isinstance(value, torch.Tensor) and value.is_meta) and plain(value.tolist())
    return value is None or isinstance(value, (bool, int, float, str))


def run_config(value):
    return isinstance(value, training.RunConfig)


def stored_as(part):
    """Use of a part of a configuration: it goes into a file and comes back the same."""

    def used(made):
        config = made if part is None else training.RunConfig(**{part: made})
        written = json.loads(json.dumps(settings.to_dict(config)))
        if settings.from_dict(written) != config:
            raise RuntimeError(f"it does not come back: {written}")
        return made

    return used


def height_and_width(value):
    """One number for both, or two; None leaves the images as they are."""
    return whole(1, 4096)(value) or (sizes(1, 4096)(value) and len(value) == 2)


def some(low=1, high=64, least=1):
    """Several whole numbers, or one alone."""
    return lambda value: whole(low, high)(value) or sizes(low, high, least)(value)


def computed(context):
    """A product of matrices in a context."""
    with context:
        return torch.ones(2, 2) @ torch.ones(2, 2)


def images_and_labels(value):
    return pair(value) and data(4, 1, 8, 8)(value[0]) and labels(4, 3)(value[1])


def judge_of(images, labels):
    both = images, labels
    return judges.fitted(both, both, size=2, steps=1, width=8, mults=(1,), features=4, labels=4)


def unet(x, t):
    """As diffusers' networks answer."""
    return SimpleNamespace(sample=0 * x)


def their_times(value):
    """One time 0..T - 1 or one for each of four, floats too if they are whole."""
    if isinstance(value, torch.Tensor) and strided(value) and value.dtype in FLOATS:
        value = value.long() if bool((value == value.round()).all()) else None
    return times(0, T - 1, 4)(value.reshape(()) if getattr(value, "shape", 0) == (1,) else value)


def none(value):
    return value is None


sampler = one_of("ddpm", "ddim", "probability_flow_ode", "dpmpp_2m")
scale = real(-1e6, 1e6)
rate = one_of("cosine", "linear", "constant")
accuracy = one_of("float32", "bfloat16", "float16", "auto")
importance = one_of("simple", "min_snr", "vlb")
positive_number = real(0, ends=False)
wanted_label = optional(lambda v: whole(0, 3)(v) or labels(2, 3)(_column(torch.as_tensor(v))))
DENOISER = interop.DiffusersDenoiser(MODEL, label=1)
THEIRS = interop.DiffusersNet(unet)

CALLS |= {
    "training.adam": call(
        training.adam,
        dict(net=MLP, lr=1e-3, weight_decay=0.5),
        dict(net=network, lr=positive_number, weight_decay=real(0, 1e6)),
    ),
    "training.EMA": call(
        training.EMA, dict(net=MLP, decay=0.5), dict(net=network, decay=real(0, 1 - 1e-12))
    ),
    "training.autocast": call(
        training.autocast,
        dict(precision="bfloat16", device="cpu"),
        dict(precision=accuracy, device=device),
        computed,
    ),
    "training.train": call(
        training.train,
        dict(
            schedule=SCHEDULE,
            net=MLP,
            batches=lambda: iter([X] * 3),
            prediction_type="eps",
            steps=2,
            lr=1e-3,
            warmup=1,
            clip=1.0,
            lr_schedule="linear",
            weight="min_snr",
            label_dropout=0.5,
            precision="float32",
            accumulate=2,
            ema=None,
            optimizer=None,
            start=0,
            rank=0,
            world_size=1,
            generator=rng,
            noise=None,
        ),
        dict(
            schedule=schedule,
            net=network,
            batches=lambda v: False,
            prediction_type=kind,
            steps=whole(1, math.inf),
            lr=positive_number,
            warmup=whole(0, math.inf),
            clip=positive_number,
            lr_schedule=rate,
            weight=importance,
            label_dropout=chance,
            precision=accuracy,
            accumulate=lambda v: whole(1, 4)(v) and not 4 % scalar(v),
            ema=optional(a(training.EMA)),
            optimizer=optional(a(torch.optim.Optimizer)),
            start=whole(0, 2),
            rank=whole(0, 0),
            world_size=whole(1, 2),
            generator=generator,
            noise=optional(generator),
        ),
        first,
    ),
    "training.save": call(
        at_home(training.save),
        dict(path="net.safetensors", net=MLP),
        dict(path=any_path, net=network),
    ),
    "training.save's": call(
        at_home(remembered),
        dict(facts={"steps": 1}),
        dict(facts=plain),
    ),
    "training.load": call(
        at_home(training.load),
        dict(path=FILES["mlp.safetensors"]),
        dict(path=file("mlp.safetensors")),
    ),
    "training.save_run": call(
        at_home(training.save_run),
        dict(path="run.safetensors", run=RUN),
        dict(path=any_path, run=lambda v: at_rest(v) and plain(v.facts)),
    ),
    "training.load_run": call(
        at_home(training.load_run),
        dict(path=FILES["run.safetensors"], device="cpu"),
        dict(path=file("run.safetensors"), device=device),
    ),
    "training.read_config": call(
        at_home(training.read_config),
        dict(path=FILES["config.json"]),
        dict(path=file("config.json")),
    ),
    "training.read_log": call(
        at_home(training.read_log), dict(path=FILES["log.jsonl"]), dict(path=any_path)
    ),
    "training.DataConfig": call(
        training.DataConfig,
        dict(
            name="digits",
            size=8,
            fit="crop",
            channels=1,
            held_out=0.5,
            pad=4,
            workers=0,
            augment_shifts=False,
        ),
        dict(
            name=text,
            size=optional(height_and_width),
            fit=optional(one_of("crop", "resize", "pad")),
            channels=optional(whole(1, 4096)),
            held_out=chance,
            pad=whole(0, 4096),
            workers=whole(0, 256),
            augment_shifts=truth,
        ),
        stored_as("data"),
    ),
    "training.ScheduleConfig": call(
        training.ScheduleConfig,
        dict(
            name="linear",
            T=T,
            beta_1=1e-4,
            beta_T=0.02,
            steepness=None,
            offset=None,
            beta_max=None,
            first=None,
            last=None,
            snr_factor=0.5,
        ),
        dict(
            name=one_of("linear", "quadratic", "logarithmic", "geometric"),
            T=whole(1, 10**6),
            beta_1=optional(betas["beta_1"]),
            beta_T=optional(betas["beta_T"]),
            **dict.fromkeys(("steepness", "offset", "beta_max", "first", "last"), none),
            snr_factor=optional(positive_number),
        ),
        stored_as("schedule"),
    ),
    "training.ScheduleConfig of a cosine": call(
        lambda **given: training.ScheduleConfig("cosine", T, **given),
        dict(offset=0.008, beta_max=0.999),
        dict(offset=optional(real(0)), beta_max=optional(real(0, 1))),
        stored_as("schedule"),
    ),
    "training.ScheduleConfig of a sigmoid": call(
        lambda **given: training.ScheduleConfig("sigmoid", T, **given),
        dict(steepness=6.0),
        dict(steepness=optional(positive_number)),
        stored_as("schedule"),
    ),
    "training.ScheduleConfig of log-SNR": call(
        lambda **given: training.ScheduleConfig("log_snr", T, **given),
        dict(first=9.0, last=-9.0),
        dict(first=optional(real()), last=optional(real())),
        stored_as("schedule"),
    ),
    "training.UNetConfig": call(
        training.UNetConfig,
        A_UNET,
        dict(
            channels=optional(whole(1, 4096)),
            width=lambda v: whole(4, 65_536)(v) and not scalar(v) % 4,
            mults=some(),
            blocks=whole(1, 100),
            attention=some(0, 1, least=0),
            patch=whole(1, 64),
            waves=some(0, 16, least=0),
            T=whole(1, 10**6),
            levels=lambda v: whole(0, 65_536)(v) and scalar(v) != 1,
            hidden_features=whole(1, 4096),
            **OF_ANY_UNET,
        ),
        stored_as("net"),
    ),
    "training.OptimizerConfig": call(
        training.OptimizerConfig,
        dict(lr=1e-3, schedule="cosine", warmup=5, weight_decay=0.1, clip=1.0, ema=0.9),
        dict(
            lr=positive_number,
            schedule=rate,
            warmup=whole(0, math.inf),
            weight_decay=real(0, 1e6),
            clip=positive_number,
            ema=real(0, 1 - 1e-12),
        ),
        stored_as("optimizer"),
    ),
    "training.RunConfig": call(
        training.RunConfig,
        dict(
            data=SMALL.data,
            schedule=SMALL.schedule,
            net=SMALL.net,
            optimizer=SMALL.optimizer,
            steps=1,
            batch=2,
            accumulate=1,
            prediction_type="v",
            weight="simple",
            label_dropout=0.5,
            precision="float32",
            seed=0,
            log_every=1,
            save_every=1,
            keep=0,
            held_out_every=0,
            samples_every=0,
        ),
        dict(
            data=a(training.DataConfig),
            schedule=a(training.ScheduleConfig),
            net=a(training.UNetConfig),
            optimizer=a(training.OptimizerConfig),
            **dict.fromkeys(
                ("steps", "batch", "accumulate", "log_every", "save_every"), whole(1, math.inf)
            ),
            prediction_type=kind,
            weight=importance,
            label_dropout=chance,
            precision=accuracy,
            seed=whole(0, 2**64 - 1),
            **dict.fromkeys(("keep", "held_out_every", "samples_every"), whole(0, math.inf)),
        ),
        stored_as(None),
    ),
    "training.config.from_dict": call(
        settings.from_dict,
        dict(values={"net": {"width": 16}}, where="config"),
        dict(values=named("net"), where=anything),
    ),
    "training.config.from_dict of parts": call(
        lambda net: settings.from_dict({"net": net}),
        dict(net={"width": 16}),
        dict(net=named("width")),
    ),
    "training.config.to_dict": call(settings.to_dict, dict(config=SMALL), dict(config=run_config)),
    "training.models.load": call(
        at_home(models.load),
        dict(path=FILES["net.safetensors"], device="cpu"),
        dict(path=file("net.safetensors"), device=device),
    ),
    "training.models.snapshot": call(
        models.snapshot,
        dict(config=SMALL, run=RUN),
        dict(config=run_config, run=lambda v: at_rest(v) and "shape" in v.facts),
    ),
    "training.models.denoiser": call(
        models.denoiser,
        dict(model=the_model, label=torch.tensor([1, 2]), guidance_scale=2.0),
        dict(
            model=trained,
            label=lambda v: labels(2, 3)(_column(torch.as_tensor(v))),
            guidance_scale=scale,
        ),
        closure(PICTURES[:2]),
    ),
    "training.models.known": call(models.known, dict(model=MODEL), dict(model=trained)),
    "training.models.how_many": call(
        models.how_many, dict(model=the_model, n=2), dict(model=trained, n=whole(1, 2**26))
    ),
    "training.models.sample": call(
        models.sample,
        dict(
            model=MODEL,
            n=2,
            label=torch.tensor([1, 2]),
            steps=1,
            sampler="ddim",
            guidance_scale=1.0,
            generator=rng,
        ),
        dict(
            model=trained,
            n=whole(2, 2),
            label=wanted_label,
            steps=optional(whole(1, T)),
            sampler=sampler,
            guidance_scale=scale,
            generator=generator,
        ),
    ),
    "training.models.trajectory": call(
        models.trajectory,
        dict(
            model=the_model,
            n=2,
            label=1,
            steps=1,
            sampler="ddpm",
            guidance_scale=1.0,
            generator=rng,
        ),
        dict(
            model=trained,
            n=whole(1, 256),
            label=wanted_label,
            steps=optional(whole(1, T)),
            sampler=sampler,
            guidance_scale=scale,
            generator=generator,
        ),
        first,
    ),
    "training.models.default_steps": call(
        models.default_steps, dict(model=the_model), dict(model=trained)
    ),
    "training.models.without_padding": call(
        models.without_padding,
        dict(x=PICTURES, model=the_model),
        dict(x=data(None, 1, 8, 8, empty=True), model=trained),
    ),
    **{
        f"training.pretrained.{function.__name__}": call(
            function, dict(name="digits"), dict(name=one_of("digits"))
        )
        for function in (pretrained.path, pretrained.model_card, pretrained.training_log)
    },
    "training.pretrained.load": call(
        pretrained.load,
        dict(name="digits", device="cpu"),
        dict(name=one_of("digits"), device=device),
    ),
    "training.judges.fitted": call(
        functools.partial(judges.fitted, width=8, mults=(1,), features=4, labels=4),
        dict(
            train=(PICTURES, torch.arange(4)),
            test=(PICTURES, torch.arange(4)),
            seed=0,
            size=2,
            steps=1,
            lr=1e-3,
            views={"accuracy": lambda x: x},
        ),
        dict(
            train=images_and_labels,
            test=images_and_labels,
            seed=whole(0, 2**64 - 1),
            size=whole(1, 4),
            steps=whole(1, 10),
            lr=positive_number,
            views=lambda v: isinstance(v, Mapping) and v and all(map(callable, v.values())),
        ),
    ),
    "training.judges.fitted by parts": call(
        judge_of,
        dict(images=PICTURES, labels=torch.arange(4)),
        dict(
            images=data(4, 1, 8, 8, finite=True),
            labels=lambda v: labels(4, 3)(_column(torch.as_tensor(v))),
        ),
    ),
    "training.judges.of_dataset": call(
        judges.of_dataset,
        dict(train=FEW, test=FEW, steps=1, seed=0),
        dict(
            train=a(datasets.Dataset),
            test=a(datasets.Dataset),
            steps=whole(1, 10),
            seed=whole(0, 2**64 - 1),
        ),
    ),
    "training.evaluation.evaluate": call(
        evaluation.evaluate,
        dict(
            model=the_model,
            data=FILES["few.npz"],
            n=8,
            strata=1,
            steps=1,
            sampler="ddim",
            guidance_scale=1.0,
            judge=None,
            matched=False,
            generator=rng,
        ),
        dict(
            model=trained,
            data=file("few.npz"),
            n=whole(8, math.inf),
            strata=whole(1, math.inf),
            steps=optional(whole(1, T)),
            sampler=sampler,
            guidance_scale=scale,
            judge=optional(a(networks.Classifier)),
            matched=truth,
            generator=generator,
        ),
    ),
    "training.trainer.init": call(
        at_home(trainer.init),
        dict(config=SMALL, device="cpu", data=FEW, init_from=None),
        dict(config=run_config, device=device, data=a(datasets.Dataset), init_from=none),
    ),
    "training.trainer.train": call(
        at_home(trainer.train),
        dict(
            config=SMALL,
            folder="run",
            resume=True,
            device="cpu",
            data=FILES["few.npz"],
            compile=False,
            init_from=None,
            on_data=lambda found: None,
            on_log=lambda line: None,
            on_sample=lambda run: None,
            on_step=lambda step: False,
        ),
        dict(
            config=run_config,
            folder=any_path,
            resume=truth,
            device=device,
            data=file("few.npz"),
            compile=truth,
            init_from=none,
            on_data=function,
            on_log=function,
            on_sample=function,
            on_step=function,
        ),
    ),
    "interop.model_card": call(
        interop.model_card,
        dict(model=MODEL, name="few", license="mit", metrics=EVERY_METRIC, onnx=False),
        dict(
            model=trained,
            name=text,
            license=lambda v: text(v) and bool(re.fullmatch(r"[a-z0-9.-]+", v)),
            metrics=lambda v: v is None or v is EVERY_METRIC,
            onnx=truth,
        ),
    ),
    "interop.model_card's": call(
        lambda metrics: interop.model_card(MODEL, "few", "mit", METRICS | {"images": metrics}),
        dict(metrics=8),
        dict(metrics=whole(1, math.inf)),
    ),
    "interop.DiffusersDenoiser": call(
        interop.DiffusersDenoiser,
        dict(model=the_model, label=1, guidance_scale=2.0),
        dict(model=trained, label=whole(0, 3), guidance_scale=scale),
        lambda made: made(PICTURES, 3).sample,
    ),
    "interop.DiffusersDenoiser's": call(
        DENOISER,
        dict(sample=PICTURES, timestep=torch.tensor(3)),
        dict(sample=data(None, 1, 8, 8, empty=True), timestep=their_times),
        lambda found: found.sample,
    ),
    "interop.DiffusersNet": call(interop.DiffusersNet, dict(unet=unet), dict(unet=function)),
    "interop.DiffusersNet's": call(
        THEIRS,
        dict(x_t=PICTURES, t=torch.full((4,), 5), label=None),
        dict(x_t=data(4, 1, None, None), t=times(1, 10**6, 4), label=none),
    ),
    "interop.schedule_of": call(
        interop.schedule_of,
        dict(scheduler=SimpleNamespace(betas=torch.tensor([0.5, 0.5]))),
        dict(scheduler=lambda v: hasattr(v, "betas")),
    ),
    "interop.schedule_of betas": call(
        lambda betas: interop.schedule_of(SimpleNamespace(betas=betas)),
        dict(betas=torch.tensor([0.25, 0.5])),
        dict(betas=lambda v: strided(v) and reals((None,), low=0, high=1, ends=False)(v)),
    ),
    "interop.scheduler": call(
        interop.scheduler,
        dict(schedule=SCHEDULE, prediction_type="x0"),
        dict(schedule=schedule, prediction_type=kind),
    ),
}


# ------------------------------------------------------------------------------ the verdict


SLOW = ("training.trainer.train(compile = True)",)  # a compiler works for a minute
FRESH = ("batches", "fig")


def made(good):
    """The arguments of one call: what has a state is made anew."""
    return {name: _fresh(name, value) for name, value in good.items()}


def _fresh(name, value):
    if value is rng or value is the_model or name in FRESH:
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
                label = f"{name}({argument} = {bad})"
                if label not in SLOW:
                    yield label, name, argument, make


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
    kinds = TypeError, ValueError, FileNotFoundError
    clear = isinstance(error, kinds) and raised_in.startswith(PACKAGE) and named
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
    "betas": ("beta",),
    "batches": ("batch",),
    "images": ("labels", "size", "features", "x"),
    "sample": ("x_t",),
    "x_t": ("t",),
    "values": ("config",),  # as `where` calls them
    "path": ("config",),
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
