"""The one place that refuses bad input. Each message says what must hold, what came, what to do.

The functions return what they checked, so that a check is one short line at the top of a law. First
come those that bring numbers into the form, and to the place, in which they are needed.
"""

import inspect
import math
import os
from pathlib import Path

import torch

_KINDS = ("x0", "eps", "v")


def float64(value):
    """Numbers in any usual form, as float64 on the CPU; gradients pass through.

    A tensor is moved first and converted then: not every device knows float64 (Apple's GPUs do
    not). And nothing here depends on PyTorch's default dtype and default device.
    """
    value = _real(value).cpu() if isinstance(value, torch.Tensor) else value
    return torch.as_tensor(value, dtype=torch.float64, device="cpu")


def like(value, x):
    """A number or a tensor, as a tensor with the dtype and on the device of x."""
    value = _real(value) if isinstance(value, torch.Tensor) else float64(value)
    return value.to(x.device, x.dtype)


def _real(value):
    if value.is_complex():
        raise TypeError(f"numbers must be real; got {_say(value)}. Take its .real or .abs().")
    return value


def time_per_item(t, x):
    """(B,) int64 on the device of x, from one time or (B,) times: what networks are told."""
    if isinstance(t, torch.Tensor):
        return t.to(x.device).expand(len(x))
    return torch.full((len(x),), t, dtype=torch.int64, device=x.device)


def float64_on(device):
    """float64 where a device surely knows it, else float32."""
    return torch.float64 if device.type in ("cpu", "cuda") else torch.float32


def device(device):
    """A device that is there."""
    try:
        return torch.empty(0, dtype=torch.float32, device=device).device
    except (RuntimeError, AssertionError, TypeError) as error:  # each backend has a way of its own
        raise ValueError(
            f"device must be one that this PyTorch can use; got {str(device)!r}: "
            f'{_first_line(error)} Use "cpu", or ask python -m ddpm_lab doctor what is there.'
        ) from error


def generator_on(device):
    """A new generator on a device that has generators."""
    try:
        return torch.Generator(device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"device must be one on which this PyTorch can draw; got {str(device)!r}: "
            f'{_first_line(error)} Use "cpu": what it draws is moved to the data.'
        ) from error


def times(t, T, *, lowest=1, batch=None, name="t"):
    """An int, or a (B,) int64 tensor on the CPU, inside lowest..T."""
    if isinstance(t, torch.Tensor):
        t = _times_tensor(t, batch, name)
    elif isinstance(t, bool) or not hasattr(t, "__index__"):
        raise TypeError(
            f"{name} must be an int or a (B,) int64 tensor; got {_say(t)}. "
            "Times count steps: they are never fractions. For a batch use torch.tensor([...])."
        )
    else:
        t = int(t)
    low, high = _range(t)
    if low < lowest or high > T:
        raise ValueError(
            f"{name} must lie in {lowest}..{T}{_why(low, lowest)}; got {_span(low, high)}."
            + _hint(low, high, lowest, T)
        )
    return t


def _times_tensor(t, batch, name):
    if t.dtype == torch.bool or t.is_floating_point() or t.is_complex():
        raise TypeError(
            f"{name} must be int64; got a tensor of {t.dtype}. "
            "Times count steps: draw them with torch.randint, or convert with .long()."
        )
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
    return t.detach().to("cpu", torch.int64)


def _range(t):
    return (t, t) if isinstance(t, int) else (int(t.min()), int(t.max()))


def _span(low, high):
    return f"{low}" if low == high else f"{low}..{high}"


def _why(low, lowest):
    return " (t=0 is clean data, nothing to undo)" if low == 0 and lowest == 1 else ""


def _hint(low, high, lowest, T):
    if lowest == 1 and low == 0 and high <= T - 1:
        return " Counting from 0? Add 1."
    if high == T + 1:
        return f" The last row of the schedule is T = {T}."
    return f" Choose times between {lowest} and {T}, or a schedule with another T."


def backward(t, s, T, *, batch=None):
    """Times of a move from t back to s, 0 <= s < t <= T."""
    return _pair(t, s, T, batch, "move back: t is the later time, s the earlier one")


def forwards(s, t, T, *, batch=None):
    """Times of a move from s on to t, 0 <= s < t <= T."""
    t, s = _pair(t, s, T, batch, "move on: s is the earlier time, t the later one")
    return s, t


def _pair(t, s, T, batch, advice):
    t = times(t, T, batch=batch)
    s = times(s, T, lowest=0, batch=batch, name="s")
    if not _everywhere(s < t):
        swapped = _everywhere(s > t)
        raise ValueError(
            f"s must be smaller than t everywhere; got s = {_few(s)} and t = {_few(t)}. "
            + (f"Swap them if you meant to {advice}." if swapped else "The nearest is s = t - 1.")
        )
    return t, s


def _everywhere(condition):
    return condition if isinstance(condition, bool) else bool(condition.all())


def _few(t):
    values = [t] if isinstance(t, int) else t.reshape(-1).tolist()
    return f"{values[0]}" if len(values) == 1 else f"{values[:4]}{' …' if len(values) > 4 else ''}"


def data(x, name="x"):
    """A floating-point tensor with a batch axis."""
    if not isinstance(x, torch.Tensor):
        raise TypeError(
            f"{name} must be a torch tensor (B, *D); got {_say(x)}. Use torch.as_tensor."
        )
    if not x.is_floating_point():
        raise TypeError(
            f"{name} must be floating point, in data units; got {x.dtype}. "
            "For 8-bit pixels: x.float() / 127.5 - 1."
        )
    if x.dim() == 0:
        raise ValueError(f"{name} must have a batch axis (B, *D); got a scalar. Use x.reshape(1).")
    return x


def alike(**tensors):
    """Data tensors of one shape, dtype and device: nothing is broadcast in silence."""
    (first_name, first), *others = tensors.items()
    data(first, first_name)
    for name, x in others:
        data(x, name)
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


def kind(kind):
    """The name of a prediction."""
    if kind not in _KINDS:
        raise ValueError(
            f"kind must be one of {', '.join(map(repr, _KINDS))}; got {kind!r}. "
            f"It names what the network's output means. {nearest([kind], _KINDS)}".rstrip()
        )
    return kind


def choice(value, options, name):
    """One of a few named options."""
    if value not in options:
        one_of = "one of " * (len(options) > 1)
        raise ValueError(
            f"{name} must be {one_of}{', '.join(map(repr, options))}; got {value!r}. "
            + nearest([value], options, "Choose one of them." if one_of else "Set it so.")
        )
    return value


def nearest(words, known, otherwise=""):
    """Advice on misspelt words: the known names that each of them resembles."""
    from difflib import get_close_matches

    lower = {str(name).lower(): str(name) for name in known}
    near = {lower[n]: 0 for w in words for n in get_close_matches(str(w).lower(), lower, n=1)}
    return f"Did you mean {', '.join(near)}?" if near else otherwise


def between(value, low, high, name, *, advice, open_ends=False):
    """A finite number between two bounds; `open_ends` excludes the bounds themselves."""
    try:
        number = float(value + 0)  # a text is no number, even if it spells one
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number; got {_say(value)}. {advice}") from None
    fits = low < number < high if open_ends else low <= number <= high
    if not (fits and math.isfinite(number)):  # NaN lands here too: no comparison holds for it
        signs = ("<", "<") if open_ends else ("<=", "<=")
        raise ValueError(
            f"{name} must satisfy {low:g} {signs[0]} {name} {signs[1]} {high:g}; "
            f"got {number:g}. {advice}"
        )
    return number


def count(value, name, *, lowest=1, advice=""):
    """A whole number, at least `lowest`."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number; got {_say(value)}. {advice}".rstrip())
    if int(value) < lowest:
        raise ValueError(f"{name} must be at least {lowest}; got {int(value)}. {advice}".rstrip())
    return int(value)


def counts(values, name, *, lowest, highest, advice):
    """A list of whole numbers within bounds; it may be empty."""
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"{name} must be a list of whole numbers; got {_say(values)}. {advice}")
    for value in values:
        if not lowest <= count(value, name, lowest=lowest, advice=advice) <= highest:
            raise ValueError(f"{name} must lie in {lowest}..{highest}; got {value}. {advice}")
    return tuple(values)


def multiple(value, of, name, *, advice):
    """A whole number that another one divides."""
    if value % of:
        raise ValueError(
            f"{name} must be a multiple of {of}; got {value}. {advice} "
            f"The next one is {value - value % of + of}."
        )
    return value


def variance(value, name, *, zero=True):
    """A finite variance, or a tensor of them: >= 0, or > 0 where a density is needed."""
    v = _real(value) if isinstance(value, torch.Tensor) else float64(value)
    good = torch.isfinite(v) & ((v >= 0) if zero else (v > 0))
    if not bool(good.all()):
        bad = float(v.reshape(-1)[~good.reshape(-1)][0])
        advice = (
            "Give a variance: the square of a standard deviation."
            if zero
            else "A law with variance 0 is a point: it has no density."
        )
        raise ValueError(
            f"{name} must be finite and {'>=' if zero else '>'} 0; got {bad:g}. {advice}"
        )
    return v


def narrower(p_var, q_var):
    """p.var < q.var everywhere: only then does p/q fall on both sides and belong to a law."""
    wide = ~(p_var < q_var)
    if bool(wide.any()):
        p_bad, q_bad = float(p_var[wide][0]), float(q_var[wide][0])
        raise ValueError(
            f"p must be narrower than q, p.var < q.var; got p.var = {p_bad:g} and "
            f"q.var = {q_bad:g}. Else p(x) / q(x) does not fall off and is no law: look at "
            "1/p.var - 1/q.var."
        )


def covariance(cov, mean, name):
    """(D, D) or (B, D, D) like the mean (B, D): symmetric, and a positive variance everywhere."""
    cov = like(cov, mean)
    D = mean.shape[-1]
    if mean.dim() != 2 or cov.shape not in ((D, D), (len(mean), D, D)):
        raise ValueError(
            f"{name} must have shape (D, D) or (B, D, D) beside a mean (B, D); got "
            f"{tuple(cov.shape)} beside {tuple(mean.shape)}. For one law use mean[None]."
        )
    if not torch.allclose(cov, cov.mT, rtol=1e-5, atol=0):
        raise ValueError(
            f"{name} must be symmetric; got {_few_list(cov.reshape(-1).tolist())}. "
            "Rows (i, j) and (j, i) are the same covariance."
        )
    if bool(torch.linalg.cholesky_ex(cov).info.any()):
        lowest = float(torch.linalg.eigvalsh(cov).min())
        raise ValueError(
            f"{name} must give every direction a variance > 0; got a smallest eigenvalue of "
            f"{lowest:.3g}. A correlation is at least -1 and at most 1; at the ends there is no "
            "density."
        )
    return cov


def fits(var, mean):
    """A variance that broadcasts to the mean's shape without making it grow."""
    try:
        var.expand(mean.shape)
    except RuntimeError:
        raise ValueError(
            f"var must broadcast to the mean's shape {tuple(mean.shape)}; got {tuple(var.shape)}. "
            "One variance for each item has shape (B, 1, ..., 1): see schedules.coef."
        ) from None
    return var


def factor(value, mean, name):
    """A factor like the mean, of a shape that does not make the mean grow."""
    try:
        return fits(like(value, mean), mean)
    except (TypeError, RuntimeError):
        raise TypeError(f"{name} must be a number or a tensor; got {_say(value)}.") from None
    except ValueError as error:
        raise ValueError(str(error).replace("var", name, 1)) from None


def pixels(x, name="x"):
    """Pixel values in [-1, 1]."""
    largest = float(x.abs().max())
    if not largest <= 1 + 1e-6:
        raise ValueError(
            f"{name} must lie in [-1, 1]; got values up to {largest:g}. "
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
    if first.dim() == 0 or other.dim() == 0 or len(first) != len(other):
        raise ValueError(
            f"{first_name} and {name} must have the same number of items; "
            f"got shapes {tuple(first.shape)} and {tuple(other.shape)}. Both begin with B."
        )


def per_item(value, x):
    """A scalar, or one number per batch item of x."""
    value = value if isinstance(value, torch.Tensor) else float64(value)
    if value.dim() > 1 or (value.dim() == 1 and len(value) != len(x)):
        raise ValueError(
            f"a coefficient must be one number or one per batch item ({len(x)}); "
            f"got shape {tuple(value.shape)}. Use one time per batch item, or one int for all."
        )
    return value


def mixture(mixture):
    """Weights, means and variances of a mixture as float64 on the CPU."""
    weight, mean, var = (float64(part).detach() for part in mixture)
    if mean.dim() != 2 or weight.shape != mean.shape[:1] or var.shape != mean.shape[:1]:
        raise ValueError(
            "a mixture must have weight (K,), mean (K, D), var (K,); got "
            f"{tuple(weight.shape)}, {tuple(mean.shape)}, {tuple(var.shape)}. One row per blob."
        )
    if not bool((weight >= 0).all()) or abs(float(weight.sum()) - 1) > 1e-6:
        raise ValueError(
            "the mixture's weights must be >= 0 and sum to 1; "
            f"got a sum of {float(weight.sum()):g}. Divide them by their sum."
        )
    variance(var, "var")
    return weight, mean, var


def item_size(flat, size):
    """(B, D) data whose items have exactly `size` numbers."""
    if flat.shape[1] != size:
        raise ValueError(
            f"each item of x_t must hold {size} numbers, like the mixture's means; "
            f"got {flat.shape[1]}. Check the shape of x_t."
        )
    return flat


def item_shape(x_t, shape):
    """Data whose items are shaped like those of the data set."""
    data(x_t, "x_t")
    if x_t.shape[1:] != shape:
        raise ValueError(
            f"items of x_t must be shaped like the data set's, {tuple(shape)}; "
            f"got {tuple(x_t.shape[1:])}. Check the shape of x_t."
        )
    return x_t


def signal_left(abar_t, t):
    """abar_t > 0: dividing by sqrt(abar_t) needs some signal."""
    if not bool((abar_t > 0).all()):
        raise ValueError(
            f"abar_t must be > 0 to read x0 off eps; got abar_t = 0 at t = {_few(t)}. "
            "No signal left there: predict v or x0."
        )


def items(x, shape, name):
    """Data whose items have a given shape."""
    data(x, name)
    if tuple(x.shape[1:]) != tuple(shape):
        batch = ", ".join(map(str, ("B", *shape)))
        raise ValueError(
            f"{name} must have shape ({batch}); got {tuple(x.shape)}. "
            "Reshape it, or make the network for items of another shape."
        )
    return x


def not_negative(x, name):
    """A tensor of finite numbers, none below 0: densities, probabilities."""
    lowest = float(x.min()) if x.numel() else 0.0
    if not (lowest >= 0 and bool(torch.isfinite(x).all())):
        raise ValueError(
            f"{name} must hold finite numbers, none below 0; got {lowest:g} as the smallest. "
            "Give probabilities or densities, not their logarithms."
        )
    return x


def masses(x, name):
    """Probabilities along the last axis: not negative, and of sum 1."""
    total = not_negative(x, name).sum(-1)
    off = (total - 1).abs() > 1e-4
    if bool(off.any()):
        raise ValueError(
            f"{name} must sum to 1 along its last axis; got a sum of {float(total[off][0]):.6g}. "
            "Divide by the sum; a density on a grid needs its spacing as a factor."
        )
    return x


def batch(x_0, step):
    """The next batch of a training run; None means that they ran out."""
    if x_0 is None:
        raise ValueError(
            f"batches must last for all steps; they ended before step {step}. "
            "Use datasets.batches, which never ends."
        )
    return data(x_0, "a batch")


def picture(x, channels, factor, name="x_t"):
    """(B, channels, H, W) with sides that the levels of a U-Net can halve."""
    data(x, name)
    if x.dim() != 4 or x.shape[1] != channels:
        raise ValueError(
            f"{name} must be pictures of shape (B, {channels}, H, W); got {tuple(x.shape)}. "
            "Reshape them, or make the network with other `channels`."
        )
    if x.shape[2] % factor or x.shape[3] % factor:
        raise ValueError(
            f"height and width must be multiples of {factor} for this network; got "
            f"{x.shape[2]} x {x.shape[3]}. Pad the pictures, or take fewer levels."
        )


def labels(label, n, classes, device):
    """(n,) int64 labels in 0..classes, where `classes` means: none given."""
    if label is None:
        return torch.full((n,), classes, dtype=torch.int64, device=device)
    label = torch.as_tensor(label, device="cpu") if not isinstance(label, torch.Tensor) else label
    label = label.to(device)
    if label.dtype != torch.int64 or label.shape != (n,):
        raise ValueError(
            f"label must be None or ({n},) int64; got {label.dtype} of shape "
            f"{tuple(label.shape)}. One whole number per picture."
        )
    if (
        n
        and label.device.type == "cpu"  # to ask a GPU would make it wait
        and not torch.compiler.is_compiling()
        and not 0 <= int(label.min()) <= int(label.max()) <= classes
    ):
        raise ValueError(
            f"label must lie in 0..{classes} ({classes}: none given); got "
            f"{int(label.min())}..{int(label.max())}. Count the classes from 0."
        )
    return label


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


def like_weights(x, weight, name="x_t"):
    """Data that a network can take: like its weights, unless autocast brings both together."""
    mixed, wide = x.dtype != weight.dtype, torch.float64 in (x.dtype, weight.dtype)
    if x.device != weight.device or (mixed and (wide or not autocast_on(x.device))):
        raise ValueError(
            f"{name} must be like the network's weights, {weight.dtype} on {weight.device}; got "
            f"{x.dtype} on {x.device}. Convert one of them with .to(dtype) or .to(device)."
        )


def autocast_on(device):
    """Does autocast choose 16 bits on such a device just now?"""
    kind = device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def mapping(values, name):
    """Values by name."""
    if not isinstance(values, dict):
        raise TypeError(
            f"{name} must hold named settings; got {_say(values)}. In JSON they stand between "
            f"braces; with --set each is named by itself, as {name}.NAME=VALUE."
        )
    return values


def autocasts(kind):
    """A kind of device on which PyTorch can choose 16 bits for some operations."""
    if not torch.amp.is_autocast_available(kind):
        raise ValueError(
            f"precision must be float32 on this device; got bfloat16, and PyTorch has no autocast "
            f"for {kind}. Set precision to float32, or to auto."
        )


def settings(values, function, name):
    """Named settings that a function, or a class, takes: none unknown, none missing."""
    mapping(values, name)
    known = inspect.signature(function).parameters
    needed = [each.name for each in known.values() if each.default is each.empty]
    unknown = sorted(map(str, values.keys() - known.keys()))
    missing = [each for each in needed if each not in values]
    if unknown or missing:
        raise ValueError(
            f"{name} must use the names {', '.join(known)}; got "
            f"{', '.join(unknown) or f'no {missing[0]}'}. "
            + nearest(unknown, known, "Correct or add that name.")
        )
    return values


def config(config):
    """A network's configuration out of a file: names with plain values of a sane size."""
    for name, value in config.items():
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, (bool, int, float, str)) or (
                isinstance(each, (int, float)) and not abs(each) <= 65_536
            ):
                raise ValueError(f"{name} = {_say(value)} is no setting of a network")
        if isinstance(value, list) and len(value) > 64:
            raise ValueError(f"{name} has {len(value)} entries")
    return config


def samples(lowest=1, **sets):
    """Sets of finite data items of one shape on one device."""
    (first_name, first), *others = sets.items()
    data(first, first_name)
    for name, x in others:
        data(x, name)
        if x.shape[1:] != first.shape[1:]:
            raise ValueError(
                f"{first_name} and {name} must hold items of one shape; got "
                f"{tuple(first.shape[1:])} and {tuple(x.shape[1:])}. Only the counts may differ."
            )
        if x.device != first.device:
            raise ValueError(
                f"{first_name} and {name} must lie on one device; got {first.device} and "
                f"{x.device}. Move one of them with .to(device)."
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


def unused(value, name, why):
    """An option that has no meaning here must not be given."""
    if value is not None:
        raise ValueError(f"{name} must be None: {why}; got {value!r}. Leave it out.")


def measured(value):
    """The number that a metric returned, bare or as an Estimate."""
    value = getattr(value, "value", value)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"metric must return a number or an Estimate; got {_say(value)}. "
            "Give a function of two sets of items, like metrics.energy_distance."
        ) from None


def labeled(pair, step):
    """The next (x, labels) of a classifier's training run; None means that they ran out."""
    if pair is None:
        batch(None, step)
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(
            f"batches must hold pairs (x, labels); got {_say(pair)}. "
            "Give datasets.batches its `labels`."
        )
    x = data(pair[0], "x")
    label = pair[1] if isinstance(pair[1], torch.Tensor) else torch.as_tensor(pair[1], device="cpu")
    label = label.to(x.device)
    if label.dtype != torch.int64 or label.shape != (len(x),):
        raise ValueError(
            f"labels must be ({len(x)},) int64, one per picture; got {label.dtype} of shape "
            f"{tuple(label.shape)}. Convert them with .long()."
        )
    return x, label


def rebuildable(config, weights):
    """A configuration that asks for no more layers than the file has weights for.

    Else a small file could keep us busy for hours, making layers that it does not fill.
    """
    levels = len(config.get("mults", (1, 2, 2)))
    depth = config.get("depth", 0) + config.get("blocks", 1) * levels
    if depth > len(weights):
        raise ValueError(f"it asks for {depth} layers and has {len(weights)} tensors")


def home(kinds, device):
    """The kinds of device on which a run's generators live, and the one on which it shall go on."""
    if foreign := sorted(kinds - {"cpu", torch.device(device).type}):
        raise ValueError(
            f"device must be {foreign[0]}, where the run was made and draws its noise; got "
            f"{device}. Go on there; or take the averaged network alone, which a run keeps in "
            "net.safetensors: training.load opens it anywhere."
        )


def moves(classes, labels, drop_label):
    """Room for the moved pictures' labels, and none of them hidden."""
    if labels != 2 * classes or drop_label:
        raise ValueError(
            f"with moves net.labels must be {2 * classes}, twice the classes, and drop_label 0; "
            f"got {labels} and {drop_label:g}. The labels are hidden by datasets.with_moved."
        )


def has_levels(net):
    """A network that was made for grey levels."""
    if not net.levels:
        raise ValueError(
            "levels must be set in a network that shall know them; got a network without. "
            "Build it with levels=256."
        )


def row_of(x, n, name, advice):
    """(n,) numbers."""
    if x.shape != (n,):
        raise ValueError(f"{name} must have shape ({n},); got {tuple(x.shape)}. {advice}")


def told_of_noise(ratio):
    """A network for grey levels that knows how much noise there is at each time."""
    if not bool(ratio[-1] > 0):
        raise ValueError(
            "a network with levels must know its schedule; got one that was never told. "
            "Call net.know_levels(schedule.noise / schedule.signal, shares) first."
        )


def finite_loss(loss, step):
    """A loss that is still a number: beyond that point training only destroys the network."""
    if not bool(torch.isfinite(loss)):
        raise ValueError(
            f"the loss must be finite; got {loss.item()} at step {step}. "
            "Lower lr, or look for NaN in the data."
        )


def built(net):
    """The configuration of a network made by networks.build."""
    if not hasattr(net, "config"):
        raise TypeError(
            f"net must be made by networks.build, which records its configuration; "
            f"got a bare {type(net).__name__}. Use networks.build({type(net).__name__}, seed=0)."
        )
    return net.config


def like_draws(value, eps, name):
    """A number, or a tensor that broadcasts to the draws' shape without making them more."""
    try:
        value = like(value, eps)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"{name} must be a number or a tensor; got {_say(value)}. "
            "Give one number, or one for each coordinate."
        ) from None
    try:
        value.expand(eps.shape)
    except RuntimeError:
        raise ValueError(
            f"{name} must broadcast to the shape of eps, {tuple(eps.shape)}; "
            f"got {tuple(value.shape)}. Give one number, or one for each coordinate."
        ) from None
    return value


def one_per_item(value, x, name):
    """What a function of x gave back: (N,), one number for each of the N draws."""
    if not isinstance(value, torch.Tensor) or value.shape != x.shape[:1]:
        raise ValueError(
            f"{name} must have shape ({len(x)},), one number per draw; got {_say(value)}. "
            "Sum over the coordinates, but not over the draws."
        )
    return value


def differentiable(value):
    """Values that know how they depend on x."""
    if not value.requires_grad:
        raise ValueError(
            "f must be made of differentiable torch operations; got values without a slope, as "
            "after a comparison. If f jumps, use score_function_gradient."
        )
    return value


def log_weight(x):
    """(..., N) logarithms of weights: -inf means weight 0, but not for all draws."""
    data(x, "log_weight")
    top = x.amax(dim=-1) if x.shape[-1] else x.sum(dim=-1)  # NaN stays NaN, and no draws give 0
    if not bool(torch.isfinite(top).all()) or x.shape[-1] == 0:
        raise ValueError(
            "log_weight must hold, for each row, a largest weight that is finite and above 0; "
            f"got {_say(x)}. Look for NaN, infinity, or a q that never draws where p lives."
        )
    return x


def generator(rng):
    """A torch.Generator: randomness is an argument, never a hidden global."""
    if not isinstance(rng, torch.Generator):
        raise TypeError(
            f"generator must be a torch.Generator; got {_say(rng)}. Use gaussians.seeded(0)."
        )
    return rng


def chance(value, name):
    """Numbers from 0 to 1, as a float64 tensor."""
    p = float64(value)
    good = (p >= 0) & (p <= 1)
    if not bool(good.all()):
        bad = float(p.reshape(-1)[~good.reshape(-1)][0])
        raise ValueError(
            f"{name} must lie between 0 and 1; got {bad:g}. It is a chance: divide percent by 100."
        )
    return p


def heads(heads, tosses):
    """0 <= heads <= tosses, whole numbers."""
    tosses = count(tosses, "tosses", lowest=0, advice="No toss yet is 0.")
    heads = count(heads, "heads", lowest=0, advice="Count the tosses that show heads.")
    return at_most(heads, tosses, "heads", advice="Heads are some of the tosses."), tosses


def tosses(tosses):
    """(rows, size) float64 zeros and ones; a plain list of tosses becomes rows of one."""
    x = float64(tosses)
    if x.dim() not in (1, 2):
        raise ValueError(
            f"tosses must have shape (n,), or (rows, size) with one coin per row; got "
            f"{tuple(x.shape)}. One toss alone is torch.tensor([1])."
        )
    if not bool(((x == 0) | (x == 1)).all()):
        bad = x[(x != 0) & (x != 1)][0].item()
        raise ValueError(f"tosses must be 1 (heads) or 0 (tails); got {bad:g}. Recode them.")
    return x if x.dim() == 2 else x[:, None]


def grid(grid):
    """(k,) float64 points, k >= 2, each larger than the one before."""
    x = float64(grid).detach()
    if x.dim() != 1 or len(x) < 2:
        raise ValueError(
            f"grid must have shape (k,) with k >= 2; got {tuple(x.shape)}. Use bayes.unit_grid()."
        )
    rises = x[1:] > x[:-1]
    if not bool(rises.all()):
        i = int(torch.nonzero(~rises)[0])
        raise ValueError(
            f"grid must rise from each point to the next; got {float(x[i]):g} and then "
            f"{float(x[i + 1]):g}. Sort it and drop what is there twice."
        )
    return x


def along(values, grid):
    """Numbers whose last axis runs along the grid, as float64."""
    x = float64(values).detach()
    if x.dim() == 0 or x.shape[-1] != len(grid):
        raise ValueError(
            f"values must have one number for each of the {len(grid)} grid points along the last "
            f"axis; got shape {tuple(x.shape)}. Compute them from the grid."
        )
    return x


def on_grid(values, grid, name):
    """A density on a grid: one number >= 0 for each point, not all of them 0."""
    x = float64(values).detach()
    if x.shape != grid.shape:
        raise ValueError(
            f"{name} must have one value for each of the {len(grid)} grid points; got shape "
            f"{tuple(x.shape)}. Compute it from the grid."
        )
    good = torch.isfinite(x) & (x >= 0)
    if not bool(good.all()):
        i = int(torch.nonzero(~good)[0])
        raise ValueError(
            f"{name} must be finite and >= 0; got {float(x[i]):g} at {float(grid[i]):g}. "
            "It is a density; where it is infinite, leave the point out of the grid."
        )
    if not bool((x > 0).any()):
        raise ValueError(
            f"{name} must be > 0 somewhere; got 0 at every point. A law puts its mass somewhere."
        )
    return x


def total(amount, name, *, advice):
    """What a law adds up to: 1, up to the rounding of a coarse grid."""
    if not abs(float(amount) - 1) <= 0.01:
        raise ValueError(f"{name} must have total 1; got {float(amount):.4g}. {advice}")


def possible(log_evidence):
    """A finite log-evidence: what was seen had some chance before it was seen."""
    if not bool(torch.isfinite(log_evidence)):
        raise ValueError(
            "the data must be possible under the prior; got evidence 0: wherever the prior is "
            "> 0, the likelihood is 0. No data can bring back what a prior rules out: widen it."
        )


def beta_law(law):
    """Two numbers a, b > 0."""
    for name, value in zip("ab", law):
        between(value, 0, math.inf, name, advice="Beta(1, 1) is flat.", open_ends=True)
    return law


def single_peak(a, b):
    """A Beta law with one highest point inside [0, 1]."""
    if not (a >= 1 and b >= 1 and a + b > 2):
        raise ValueError(
            f"the mode needs a >= 1, b >= 1 and a + b > 2; got Beta({a:g}, {b:g}). "
            "A flat law has no single peak, and below 1 the density grows without bound."
        )


def values(x, name):
    """A (T,) float64 CPU tensor, T >= 1, of numbers that were given in any usual form."""
    x = x if isinstance(x, torch.Tensor) else float64(x)
    if x.is_complex() or x.dtype == torch.bool:
        raise TypeError(f"{name} must hold real numbers; got {x.dtype}. Give (T,) floats.")
    if x.dim() != 1 or len(x) == 0:
        raise ValueError(
            f"{name} must have shape (T,) with T >= 1; got {tuple(x.shape)}. "
            "Give one value per step."
        )
    return float64(x).detach()


def beta(beta):
    """(T,) step variances inside (0, 1]; 1 is allowed at the last step only (zero signal left)."""
    beta = values(beta, "beta")
    good = (beta > 0) & (beta < 1)
    good[-1] |= beta[-1] == 1
    if not bool(good.all()):
        t = int(torch.nonzero(~good)[0]) + 1
        raise ValueError(
            f"beta must lie strictly between 0 and 1; got beta_{t} = {float(beta[t - 1]):g}. "
            "beta_t is the share of new noise in one step: with a short chain, lower beta_T."
        )
    return beta


def log_snr(log_snr):
    """(T,) log-SNRs in nats that fall at every step and that float64 can tell from no noise."""
    log_snr = values(log_snr, "log_snr")
    if bool(torch.isnan(log_snr).any()):
        raise ValueError("log_snr must hold numbers; got NaN. Look at how it was computed.")
    if float(log_snr[0]) > 36:
        raise ValueError(
            f"log_snr must not exceed 36 nats; got {float(log_snr[0]):g} at t = 1. "
            "Beyond that float64 cannot tell abar from 1: start with a little noise."
        )
    rises = log_snr[1:] >= log_snr[:-1]
    if bool(rises.any()):
        t = int(torch.nonzero(rises)[0]) + 1
        raise ValueError(
            f"log_snr must fall at every step; got {float(log_snr[t - 1]):g} at t = {t} and "
            f"{float(log_snr[t]):g} at t = {t + 1}. A step adds noise."
        )
    return log_snr


def abar(abar):
    """(T+1,) float64 CPU table: abar_0 = 1, falling at every step, never below 0."""
    if not isinstance(abar, torch.Tensor) or abar.dtype != torch.float64 or abar.dim() != 1:
        raise TypeError(
            f"abar must be a (T+1,) float64 tensor; got {_say(abar)}. "
            "Build a schedule with schedules.from_beta or schedules.from_log_snr."
        )
    if len(abar) < 2:
        raise ValueError(
            f"T must be at least 1, so abar needs 2 rows or more; got {len(abar)}. "
            "Row 0 is clean data, row t belongs to time t."
        )
    abar = abar.detach().cpu()
    if not bool(torch.isfinite(abar).all()):
        t = int(torch.nonzero(~torch.isfinite(abar))[0])
        raise ValueError(
            f"abar must be finite; got abar_{t} = {float(abar[t]):g}. Look for NaN in your betas."
        )
    if float(abar[0]) != 1.0:
        raise ValueError(
            f"abar_0 must be exactly 1 (clean data); got {float(abar[0]):.6g}. "
            "Put a row 1.0 in front: row t belongs to time t."
        )
    _signal_until_T(abar)
    falls = abar[1:] < abar[:-1]
    if not bool(falls.all()):
        t = int(torch.nonzero(~falls)[0]) + 1
        raise ValueError(
            f"abar must fall at every step; got abar_{t - 1} = {float(abar[t - 1]):.6g}, "
            f"abar_{t} = {float(abar[t]):.6g}. A step adds noise, so signal can only shrink."
        )
    if float(abar[-1]) < 0:
        raise ValueError(
            f"abar must not be negative; got abar_{len(abar) - 1} = {float(abar[-1]):.6g}. "
            "abar_t is the share of signal variance that is left."
        )
    return abar


def _signal_until_T(abar):
    if bool((abar[:-1] == 0).any()):
        t = int(torch.nonzero(abar == 0)[0])
        raise ValueError(
            f"abar may reach 0 at the last step only; got abar_{t} = 0 with T = {len(abar) - 1}. "
            "Lower beta or T: all signal is gone too early."
        )


def walk(times_, T, *, to_zero=False):
    """A falling list of times inside 0..T with at least one move."""
    walk = _time_list(times_, T)
    if to_zero and walk[-1] != 0:
        raise ValueError(f"times must end at 0, the clean data; got {_few_list(walk)}. Append 0.")
    if any(s >= t for t, s in zip(walk, walk[1:])):
        raise ValueError(
            f"times must fall, like [T, ..., 0]; got {_few_list(walk)}. "
            "Use schedules.strides(T, steps)."
        )
    return walk


def path(times_, T):
    """A strictly monotone list of times inside 0..T with at least one move: down or up."""
    path = _time_list(times_, T)
    down = all(s < t for t, s in zip(path, path[1:]))
    up = all(s > t for t, s in zip(path, path[1:]))
    if not (down or up):
        raise ValueError(
            f"times must fall (decode) or rise (encode) throughout; got {_few_list(path)}. "
            "Use schedules.strides(T, steps), or its reverse."
        )
    return path


def _time_list(times_, T):
    if not hasattr(times_, "__len__"):
        raise TypeError(
            f"times must be a list of times, like [T, ..., 0]; got {_say(times_)}. "
            "For a number of steps use schedules.strides(T, steps)."
        )
    listed = times_.tolist() if isinstance(times_, torch.Tensor) else list(times_)
    if len(listed) < 2:
        raise ValueError(
            f"times must name at least one move, so two times; got {len(listed)}. "
            "Use schedules.strides(T, steps)."
        )
    return [times(t, T, lowest=0, name="times") for t in listed]


def _few_list(values):
    return str(values) if len(values) <= 6 else f"[{', '.join(map(str, values[:5]))}, …]"


def _first_line(error):
    """What an error of PyTorch says first: some go on for a page."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return first.partition(". ")[0].rstrip(".") + "."


def _say(value):
    """A short name for anything: what a message shows of a wrong argument."""
    if isinstance(value, torch.Tensor):
        return f"a tensor {tuple(value.shape)} of {value.dtype}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 40 else text[:37] + '...'}"
