"""The one place that refuses bad input. Each message says what must hold, what came, what to do.

The functions return what they checked, so that a check is one short line at the top of a function.
First come those that bring numbers into the form, and to the place, in which they are needed.
"""

import math
import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import torch

MANY = 10_000_000
"""More rows or points than this would fill the memory: a typing error."""
SEEDS = 2**64 - 1
"""The largest seed that torch takes."""
SIZE = 10**6
"""No layer of the course's networks is larger, and no checkpoint may ask for one."""

_KINDS = ("x0", "eps", "v")
_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_REAL = frozenset(_FLOATS + _WHOLE)
_DENSE = torch.strided
_NO_DEVICE = (RuntimeError, AssertionError, TypeError, ValueError, OverflowError)  # as backends say


# ------------------------------------------------------------------------------ where numbers lie


def float64(value):
    """Numbers as float64 on the CPU; gradients pass through.

    A tensor is moved first and converted then: not every device knows float64 (Apple's GPUs do
    not). And nothing here depends on PyTorch's default dtype and default device.
    """
    value = value.cpu() if isinstance(value, torch.Tensor) else value
    return torch.as_tensor(value, dtype=torch.float64, device="cpu")


def time_per_item(t, x):
    """(B,) int64 on the device of x, from one time or (B,) times: what networks are told."""
    if isinstance(t, torch.Tensor):
        return t.to(x.device, torch.int64).expand(len(x))
    return torch.full((len(x),), int(t), dtype=torch.int64, device=x.device)


def float64_on(device):
    """float64 where a device surely knows it, else float32."""
    return torch.float64 if device.type in ("cpu", "cuda") else torch.float32


def device(device):
    """A device that is there."""
    try:
        return torch.empty(0, dtype=torch.float32, device=torch.device(device)).device
    except _NO_DEVICE as error:
        raise ValueError(
            f"device must be one that this PyTorch can use; got {_repr(device)}: "
            f'{_first_line(error)} Use "cpu", or ask python -m ddpm_lab doctor what is there.'
        ) from error


# ------------------------------------------------------------------------------ one number


def _number(value):
    """A Python number, out of a number of any library; None for all else, and for True and False.

    Nothing is lost on the way: no fraction, no imaginary part.
    """
    if type(value) in (int, float):
        return value
    if hasattr(value, "ndim") and hasattr(value, "item"):  # of torch or NumPy
        try:
            value = value.item() if value.ndim == 0 else None
        except RuntimeError:  # a meta tensor has no value
            return None
    return value if isinstance(value, Real) and not isinstance(value, bool) else None


def _float(number):
    """A float, infinite where the number is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _digits(value, bound):
    """A number in few digits, but in enough of them to tell it from the bound that it breaks."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else f"about {'-' * (value < 0)}2**{_log2(value)}"
    texts = (f"{value:.{digits}g}" for digits in range(6, 18))
    return next((text for text in texts if float(text) != bound), f"{value:g}")


def _log2(value):
    return abs(value).bit_length() - 1


# ------------------------------------------------------------------------------ times


def schedule(schedule):
    """A noise schedule: what has a table abar."""
    if not isinstance(getattr(schedule, "abar", None), torch.Tensor):
        raise TypeError(
            f"schedule must be a Schedule; got {_say(schedule)}. "
            "Make one with a function of schedules, such as schedules.linear()."
        )
    return schedule


def _last(plan):
    """T of a schedule."""
    return len(schedule(plan).abar) - 1


def times(t, plan, *, T=None, lowest=1, batch=None, name="t"):
    """An int, or a (B,) int64 tensor on the CPU, inside lowest..T: the plan's T, or a given one."""
    T = _last(plan) if T is None else T
    if isinstance(t, torch.Tensor):
        t = _times_tensor(t, batch, name)
    elif type(t) is not int:
        number = _number(t)
        if not isinstance(number, Integral):
            raise TypeError(
                f"{name} must be an int or a (B,) int64 tensor; got {_say(t)}. "
                "Times count steps: they are never fractions. For a batch use torch.tensor([...])."
            )
        t = int(number)
    low, high = _range(t)
    if low < lowest or high > T:
        raise ValueError(
            f"{name} must lie in {lowest}..{T}{_why(low, lowest)}; got {_span(low, high)}."
            + _hint(low, high, lowest, T)
        )
    return t


def item_times(t, plan, x):
    """(B,) int64 on the device of x, from one time or (B,) times, inside 1..T; and their value.

    The value is None if they are not all the same. What lies on a GPU is not looked at, for that
    would have to wait for all that it has to do yet, and the value is None, too.
    """
    if isinstance(t, torch.Tensor) and not _readable(t):
        return time_per_item(_time_tensor(t, len(x), "t"), x), None
    if type(t) is torch.Tensor and t.dtype == torch.int64 and t.shape == x.shape[:1]:
        low, high = t.aminmax()
        low, high = low.item(), high.item()
        if 1 <= low <= high < len(plan.abar):  # the usual case, first: it stands in every loop
            return t.to(x.device), low if low == high else None
    t = times(t, plan, batch=len(x))
    return time_per_item(t, x), t if isinstance(t, int) else None


def _times_tensor(t, batch, name):
    return _time_tensor(t, batch, name).detach().to("cpu", torch.int64)


def _time_tensor(t, batch, name):
    if t.dtype not in _WHOLE:
        raise TypeError(
            f"{name} must be int64; got a tensor of {t.dtype}. "
            "Times count steps: draw them with torch.randint, or convert with .long()."
        )
    _dense(t, name)
    if t.dim() > 1 or t.numel() == 0:
        raise ValueError(
            f"{name} must be one time or (B,) times; got shape {tuple(t.shape)}. "
            "Give one time per batch item."
        )
    if batch is not None and t.dim() == 1 and len(t) != batch:
        raise ValueError(
            f"{name} must hold one time per batch item ({batch}); got {len(t)}. "
            f"Use an int for one common time."
        )
    return t


def _range(t):
    return (t, t) if isinstance(t, int) else tuple(map(int, t.aminmax()))


def _span(low, high):
    low, high = _digits(low, None), _digits(high, None)
    return low if low == high else f"{low}..{high}"


def _why(low, lowest):
    return " (t=0 is clean data, nothing to undo)" if low == 0 and lowest == 1 else ""


def _hint(low, high, lowest, T):
    if lowest == 1 and low == 0 and high <= T - 1:
        return " Counting from 0? Add 1."
    if high == T + 1:
        return f" The last row of the schedule is T = {T}."
    return f" Choose times between {lowest} and {T}, or a schedule with another T."


def backward(t, s, plan, *, batch=None, onward=False):
    """Times t and s of a move from t back to s, 0 <= s < t <= T; or from s on to t."""
    advice = (
        "move on: s is the earlier time, t the later one"
        if onward
        else "move back: t is the later time, s the earlier one"
    )
    return _pair(t, s, plan, batch, advice)


def _pair(t, s, plan, batch, advice):
    T = _last(plan)
    t = times(t, None, T=T, batch=batch)
    s = times(s, None, T=T, lowest=0, batch=batch, name="s")
    if not _everywhere(s < t):
        swapped = _everywhere(s > t)
        raise ValueError(
            f"s must be smaller than t everywhere; got s = {few(s)} and t = {few(t)}. "
            + (f"Swap them if you meant to {advice}." if swapped else "The nearest is s = t - 1.")
        )
    return t, s


def _everywhere(condition):
    return condition if isinstance(condition, bool) else bool(condition.all())


def few(t):
    """The first of some times, for a message."""
    values = [t] if isinstance(t, int) else t.reshape(-1).tolist()
    return f"{values[0]}" if len(values) == 1 else f"{values[:4]}{' …' if len(values) > 4 else ''}"


# ------------------------------------------------------------------------------ tensors


def _tensor(x, name):
    """A tensor that holds its numbers, one beside the other."""
    if not isinstance(x, torch.Tensor):
        raise TypeError(
            f"{name} must be a torch tensor (B, *D); got {_say(x)}. Use torch.as_tensor."
        )
    return _dense(x, name)


def _dense(x, name, *, beside=None):
    """A dense tensor with values; beside one that has none, on meta, they are not needed."""
    plain = type(x) in (torch.Tensor, torch.nn.Parameter)  # other kinds know how they hold numbers
    empty = plain and x.is_meta and (beside is None or not beside.is_meta)
    if x.layout is not torch.strided or empty:
        raise TypeError(
            f"{name} must be a dense tensor that holds its values; got {_say(x)}"
            f"{' on meta' if x.is_meta else ''}. Use to_dense(); on meta there are no values."
        )
    return x


def data(x, name="x", *, empty=False):
    """A floating-point tensor with a batch axis. Its values are not looked at: NaN stays NaN."""
    plain = type(x) is torch.Tensor and x.layout is _DENSE and not x.is_meta
    if plain and x.dtype in _FLOATS and x.numel() and x.dim():
        return x  # the usual case, first: it stands in every loop
    _tensor(x, name)
    if x.dtype not in _FLOATS:
        raise TypeError(
            f"{name} must be floating point, in data units; got {x.dtype}. "
            "For 8-bit pixels: x.float() / 127.5 - 1."
        )
    if x.dim() == 0:
        raise ValueError(f"{name} must have a batch axis (B, *D); got a scalar. Use x.reshape(1).")
    if not (empty or x.numel()):
        raise ValueError(
            f"{name} must hold at least one item of at least one number; got shape "
            f"{tuple(x.shape)}. Leave out batches of nothing."
        )
    return x


def numbers(value, name, *, like=None, must="be a number or a tensor", truths=False, advice=""):
    """Real numbers in any usual form as a float64 tensor on the CPU, or as one like another tensor.

    Numbers, lists, arrays and tensors will do; no texts, no complex numbers, and True and False
    only where `truths` says so.
    """
    if isinstance(value, torch.Tensor):
        known = value.dtype in _REAL or (truths and value.dtype == torch.bool)
        x = _dense(value, name, beside=like) if known else None
    else:
        x = _array(value, "iufb" if truths else "iuf")
    if x is None:
        raise TypeError(f"{name} must {must}; got {_say(value)}. {advice}".rstrip())
    if like is None:
        return float64(x)
    if x.device != like.device:
        x = x.cpu()  # not every device has float64: it is left behind before it is moved
    return x.to(like.dtype).to(like.device)


def _array(value, kinds):
    """A float64 tensor, or None if the value does not consist of real numbers."""
    import numpy as np

    if (number := _number(value)) is not None:
        return float64(_float(number))
    if not isinstance(value, (list, tuple, range, np.ndarray)):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # rows of unequal length, a tensor without values
        return None
    return float64(array.astype("float64")) if array.dtype.kind in kinds else None


def _finite(x, name, *, advice):
    """Numbers that are neither NaN nor infinite."""
    good = torch.isfinite(x)
    if not bool(good.all()):
        raise ValueError(f"{name} must be finite; got {_bad(x, good):g}. {advice}")
    return x


def _bad(x, good):
    """The first number that is not good."""
    return float(x.detach().reshape(-1)[~good.reshape(-1)][0])


def instance(value, cls, name, *, advice):
    """An object of a class."""
    if not isinstance(value, cls):
        raise TypeError(f"{name} must be a {_path(cls)}; got {_say(value)}. {advice}")
    return value


def _path(cls):
    return f"{cls.__module__.removesuffix('.modules.module')}.{cls.__name__}"


def function(value, name, *, advice="Give a function."):
    """Something that can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be a function; got {_say(value)}. {advice}")
    return value


def iterator(values, name):
    """What can be gone through, one by one; a text is one thing."""
    try:
        if isinstance(values, (str, bytes)):
            raise TypeError
        return iter(values)
    except TypeError:
        raise TypeError(f"{name} must be a list or the like; got {_say(values)}.") from None


def method(net, what, name):
    """A network's own function of this name."""
    instance(net, torch.nn.Module, name, advice="See the classes of networks.")
    return function(
        getattr(net, what, None), f"{name}.{what}", advice="Take a network that has one."
    )


def _record(value, fields, name, *, example):
    """A named tuple with these fields."""
    if getattr(value, "_fields", None) != fields:
        raise TypeError(f"{name} must be a {example}; got {_say(value)}. Use its named tuple.")
    return value


def alike(**tensors):
    """Data tensors of one shape, dtype and device: nothing is broadcast in silence."""
    (first_name, first), *others = tensors.items()
    data(first, first_name)
    for name, x in others:
        data(x, name)
        if x.shape == first.shape and x.dtype == first.dtype and x.device == first.device:
            continue
        for what in ("shape", "dtype", "device"):
            ours, theirs = getattr(first, what), getattr(x, what)
            if ours != theirs:
                if what == "shape":
                    ours, theirs = tuple(ours), tuple(theirs)
                raise ValueError(
                    f"{first_name} and {name} must have the same {what}; "
                    f"got {ours} and {theirs}. {_ALIGN[what]}"
                )
    return tuple(tensors.values())


_ALIGN = {
    "shape": "Nothing is broadcast here: expand one of them on purpose.",
    "dtype": "Convert one of them with .to(dtype).",
    "device": "Move one of them with .to(device).",
}


def prediction_type(prediction_type):
    """The name of a prediction."""
    return choice(
        prediction_type,
        _KINDS,
        "prediction_type",
        advice="It names what the network's output means.",
    )


def choice(value, options, name, *, advice="") -> Any:
    """One of a few named options. Neither is True the option 1, nor 2.0 the option 2."""
    plain = value if isinstance(value, bool) else _number(value)
    plain = str(value) if isinstance(value, str) else plain
    if not any(type(plain) is type(each) and plain == each for each in options):
        one_of = "one of " * (len(options) > 1)
        otherwise = "" if advice else "Choose one of them." if one_of else "Set it so."
        near = nearest([value] if isinstance(value, str) else [], options, otherwise)
        raise ValueError(
            f"{name} must be {one_of}{', '.join(map(repr, options))}; got {_repr(value)}. "
            + f"{advice} {near}".strip()
        )
    return plain


def nearest(words, known, otherwise=""):
    """Advice on misspelt words: the known names that each of them resembles."""
    from difflib import get_close_matches

    lower = {str(name).lower(): str(name) for name in known}
    near = {lower[n]: 0 for w in words for n in get_close_matches(str(w).lower(), lower, n=1)}
    return f"Did you mean {', '.join(near)}?" if near else otherwise


def between(value, low, high, name, *, advice, open_ends=False):
    """A finite number between two bounds; `open_ends` excludes the bounds themselves."""
    number = _number(value)
    if number is None:
        raise TypeError(f"{name} must be a number; got {_say(value)}. {advice}")
    number = _float(number)
    fits = low < number < high if open_ends else low <= number <= high
    if not (fits and math.isfinite(number)):  # NaN lands here too: no comparison holds for it
        sign = "<" if open_ends else "<="
        broken = high if number > low else low
        raise ValueError(
            f"{name} must satisfy {_digits(low, number)} {sign} {name} {sign} "
            f"{_digits(high, number)}; got {_digits(number, broken)}. {advice}"
        )
    return number


def count(value, name, *, lowest=1, highest=2**63 - 1, advice=""):
    """A whole number within bounds. A fraction is none, and neither is a float such as 2.0."""
    number = _number(value)
    if not isinstance(number, Integral):
        raise TypeError(f"{name} must be a whole number; got {_say(value)}. {advice}".rstrip())
    number = int(number)
    for bound, broken, what in (
        (lowest, number < lowest, "least"),
        (highest, number > highest, "most"),
    ):
        if broken:
            raise ValueError(
                f"{name} must be at {what} {bound}; got {_digits(number, bound)}. {advice}".rstrip()
            )
    return number


def counts(values, name, *, lowest, highest, advice):
    """A list of whole numbers within bounds; it may be empty."""
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"{name} must be a list of whole numbers; got {_say(values)}. {advice}")
    found = tuple(count(value, name, lowest=lowest, advice=advice) for value in values)
    for value in found:
        if value > highest:
            raise ValueError(
                f"{name} must lie in {lowest}..{highest}; got {_digits(value, highest)}. {advice}"
            )
    return found


def multiple(value, of, name, *, advice):
    """A whole number that another one divides."""
    if value % of:
        raise ValueError(
            f"{name} must be a multiple of {of}; got {value}. {advice} "
            f"The next one is {value - value % of + of}."
        )
    return value


def variance(value, name, *, zero=True, like=None, what="the mean's shape"):
    """A finite variance, or a tensor of them: >= 0, or > 0 where a density is needed."""
    v = numbers(value, name) if like is None else _broadcast(value, like, name, what)
    if v.dim() == 0 and 0 < v.item() < math.inf:
        return v  # the usual case, without a tensor of truth values
    good = ((v >= 0) if zero else (v > 0)) & (v < math.inf)
    if not bool(good.all()):
        advice = (
            "Give a variance: the square of a standard deviation."
            if zero
            else "A law with variance 0 is a point: it has no density."
        )
        sign = ">=" if zero else ">"
        raise ValueError(f"{name} must be finite and {sign} 0; got {_bad(v, good):g}. {advice}")
    return v


def gaussian(p, name, *, zero=True):
    """A Gaussian with its variance like the mean: >= 0, or > 0 where a density is needed."""
    _record(p, ("mean", "var"), name, example="Gaussian(mean, var)")
    data(p.mean, f"{name}.mean")
    return p._replace(var=variance(p.var, f"{name}.var", zero=zero, like=p.mean))


def factor(value, x, name, *, what="the mean's shape"):
    """A finite number, or numbers like x, of a shape that does not make x grow."""
    return _finite(_broadcast(value, x, name, what), name, advice="Look for NaN.")


def _broadcast(value, x, name, what):
    """A number, or numbers like x, of a shape that does not make x grow."""
    value = numbers(value, name, like=x)
    try:
        if value.dim():
            value.expand(x.shape)
    except RuntimeError:
        raise ValueError(
            f"{name} must broadcast to {what} {tuple(x.shape)}; got {tuple(value.shape)}. One "
            "number for each item has shape (B, 1, ..., 1): see schedules.coef."
        ) from None
    return value


def pixels(x, name="x"):
    """Pixel values in [-1, 1]."""
    largest = float(x.abs().max())
    if not largest <= 1 + 1e-6:
        raise ValueError(
            f"{name} must lie in [-1, 1]; got values up to {_digits(largest, 1)}. "
            "For 8-bit pixels: x.float() / 127.5 - 1."
        )
    return x


def at_most(value, highest, name, *, advice=""):
    """A whole number that is at most `highest`."""
    if value > highest:
        raise ValueError(f"{name} must be at most {highest}; got {value}. {advice}".rstrip())
    return value


def same_batch(**tensors):
    """Tensors with the same number of items."""
    (first_name, first), (name, other) = tensors.items()
    _tensor(first, first_name)
    _tensor(other, name)
    if first.dim() == 0 or other.dim() == 0 or len(first) != len(other):
        raise ValueError(
            f"{first_name} and {name} must have the same number of items; "
            f"got shapes {tuple(first.shape)} and {tuple(other.shape)}. Both begin with B."
        )


def items(x, shape, name, *, advice="Reshape it, or make the network for items of another shape."):
    """Data whose items have a given shape; there may be none of them."""
    data(x, name, empty=True)
    if tuple(x.shape[1:]) != tuple(shape):
        batch = ", ".join(map(str, ("B", *shape)))
        raise ValueError(f"{name} must have shape ({batch}); got {tuple(x.shape)}. {advice}")
    return x


def batch(batch, step):
    """(x, label or None) of what a loader yields; None means that it ran out."""
    if batch is None:
        raise ValueError(
            f"batches must last for all steps; they ended before step {step}. "
            "Use datasets.batches, which never ends."
        )
    if isinstance(batch, dict) or (isinstance(batch, (tuple, list)) and not batch):
        names = f" of {', '.join(map(repr, batch))}" if batch else ""
        raise TypeError(
            "a batch must be a float tensor, or start with one as in (x, labels); got a "
            f"{type(batch).__name__}{names}. Name its parts, as in "
            '((b["image"], b["label"]) for b in loader).'
        )
    x, label = (*batch, None)[:2] if isinstance(batch, (tuple, list)) else (batch, None)
    return data(x, "a batch"), label


def images(x, channels, factor, name="x_t"):
    """(B, channels, H, W) with sides that a U-Net can halve."""
    data(x, name, empty=True)
    if x.dim() != 4 or x.shape[1] != channels:
        raise ValueError(
            f"{name} must be images of shape (B, {channels}, H, W); got {tuple(x.shape)}. "
            "Reshape them, or make the network with other `channels`."
        )
    if x.shape[2] % factor or x.shape[3] % factor:
        raise ValueError(
            f"height and width must be multiples of {factor} for this network; got "
            f"{x.shape[2]} x {x.shape[3]}. Pad the images, as a run does with pad=1 or more, or "
            "take fewer resolutions."
        )


def labels(label, n, classes, device, *, name="label", none=True):
    """(n,) int64 labels in 0..classes - 1; with `none` also `classes`, which means: none given.

    A column of labels, one-hot rows and other whole numbers are understood.
    """
    if label is None and none:
        return torch.full((n,), classes, dtype=torch.int64, device=device)
    must = f"{name} must be {'None or ' if none else ''}({n},) int64"
    tensor = isinstance(label, torch.Tensor)
    try:
        label = _dense(label if tensor else torch.as_tensor(label, device="cpu"), name)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{must}; got {_say(label)}. One whole number per image.") from None
    label = label.cpu() if torch.device(device).type == "cpu" else label
    if label.shape == (n, classes) and _one_hot(label):
        label = label.long().argmax(dim=1)
    label = label[:, 0] if label.shape == (n, 1) else label
    fractions = label.is_floating_point() or label.is_complex() or label.dtype == torch.bool
    if fractions or label.shape != (n,):
        raise ValueError(
            f"{must}; got {label.dtype} of shape {tuple(label.shape)}. "
            "One whole number per image: convert them with .long()."
        )
    label, highest = label.long(), classes if none else classes - 1
    if n and _readable(label) and not 0 <= int(label.min()) <= int(label.max()) <= highest:
        what, came = f" ({classes}: none given)" * none, (int(label.min()), int(label.max()))
        raise ValueError(
            f"{name} must lie in 0..{highest}{what}; got {_span(*came)}. Count the classes from 0."
        )
    return label.to(device)


def path_of(path, name="path"):
    """A path as people write it: ~ is the home folder, which no shell fills in after `--out=`."""
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise TypeError(f"{name} must be a path; got {_say(path)}. Give text or Path.") from None
    if not text:
        raise ValueError(f"{name} must name a file or a folder; got an empty text. Fill it in.")
    path = Path(os.path.expanduser(text))
    if text.startswith("~") and str(path)[0] == "~":
        raise ValueError(
            f"{name} must begin with a known home folder; got {text}. "
            f"If that is really its name here, write {os.path.join(os.curdir, text)}."
        )
    return Path.cwd() / path if str(path)[0] == "~" else path  # ./~x, which Path makes ~x


def _readable(x):
    """May its values be looked at? To ask a GPU would make it wait."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def _one_hot(label):
    return not _readable(label) or bool(
        ((label == 0) | (label == 1)).all() & (label.sum(1) == 1).all()
    )


def mapping(values, name):
    """Values by name."""
    if not isinstance(values, dict):
        raise TypeError(
            f"{name} must hold named settings; got {_say(values)}. In JSON they stand between "
            f"braces; with --set each is named by itself, as {name}.NAME=VALUE."
        )
    return values


def finite_step(loss, grad_norm, step):
    """Loss and length of the gradient as numbers: with others a step would destroy the network."""
    loss, grad_norm = torch.stack([loss.detach(), grad_norm.to(loss)]).cpu().tolist()
    finite_loss(loss, step)
    if not math.isfinite(grad_norm):
        raise ValueError(
            f"the gradient must be finite; got one of length {grad_norm} at step {step}, which was "
            'not taken. Lower lr, or train with precision="float32".'
        )
    return loss, grad_norm


def finite_loss(loss, step):
    """A loss that is still a number: beyond that point training only destroys the network."""
    if not math.isfinite(loss):
        raise ValueError(
            f"the loss must be finite; got {float(loss)} at step {step}. "
            "Lower lr, or look for NaN in the data."
        )


def generator(rng):
    """A torch.Generator: randomness is an argument, never a hidden global."""
    if not isinstance(rng, torch.Generator):
        raise TypeError(
            f"generator must be a torch.Generator; got {_say(rng)}. Use gaussians.seeded(0)."
        )
    return rng


def timesteps(times_, plan, *, to_zero=False, either_way=False):
    """A falling list of times inside 0..T with at least one move; or, either way, a rising one."""
    listed = _time_list(times_, _last(plan))
    if to_zero and listed[-1] != 0:
        raise ValueError(f"times must end at 0, the clean data; got {_few_list(listed)}. Append 0.")
    down = all(s < t for t, s in zip(listed, listed[1:]))
    up = all(s > t for t, s in zip(listed, listed[1:]))
    if not either_way and not down:
        raise ValueError(
            f"times must fall, like [T, ..., 0]; got {_few_list(listed)}. "
            "Use schedules.timesteps(T, steps)."
        )
    if not (down or up):
        raise ValueError(
            f"times must fall (decode) or rise (encode) throughout; got {_few_list(listed)}. "
            "Use schedules.timesteps(T, steps), or its reverse."
        )
    return listed


def _time_list(times_, T):
    if isinstance(times_, torch.Tensor):
        _times_tensor(_tensor(times_, "times").reshape(-1)[:1], None, "times")  # of which kind
    listed = times_.tolist() if hasattr(times_, "tolist") else times_
    if not isinstance(listed, (list, tuple, range)):
        raise TypeError(
            f"times must be a list of times, like [T, ..., 0]; got {_say(times_)}. "
            "For a number of steps use schedules.timesteps(T, steps)."
        )
    if len(listed) < 2:
        raise ValueError(
            f"times must name at least one move, so two times; got {len(listed)}. "
            "Use schedules.timesteps(T, steps)."
        )
    if all(type(t) is int for t in listed) and 0 <= min(listed) <= max(listed) <= T:
        return list(listed)
    return [times(t, None, T=T, lowest=0, name="times") for t in listed]


def _few_list(values):
    return str(values) if len(values) <= 6 else f"[{', '.join(map(str, values[:5]))}, …]"


def _first_line(error):
    """What an error of PyTorch says first: some go on for a page."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return first.partition(". ")[0].rstrip(".") + "."


def one_line(error):
    """What an error says, in one line of sane length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."


def say(value):
    """A short name for anything: what a message shows of a wrong argument."""
    if isinstance(value, torch.Tensor):
        layout = "" if value.layout is torch.strided else f", {value.layout}"
        return f"a tensor {tuple(value.shape)} of {value.dtype}{layout}"
    return f"{type(value).__name__} {_repr(value)}"


_say = say


def _repr(value):
    """The value as Python writes it, cut short."""
    try:
        text = repr(value)
    except Exception:  # any object's own code, or a number of 5000 digits
        return "that cannot be shown"
    return text if len(text) <= 40 else text[:37] + "..."
