"""How a message shows what came: short names for anything, and digits enough."""

import torch


def digits(value, bound):
    """A number in few digits, but in enough of them to tell it from the bound that it breaks."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else f"about {'-' * (value < 0)}2**{_log2(value)}"
    texts = (f"{value:.{digits}g}" for digits in range(6, 18))
    return next((text for text in texts if float(text) != bound), f"{value:g}")


def _log2(value):
    return abs(value).bit_length() - 1


def span(low, high):
    """A range of numbers, or the one number that it is."""
    low, high = digits(low, None), digits(high, None)
    return low if low == high else f"{low}..{high}"


def nearest(words, known, otherwise=""):
    """Advice on misspelt words: the known names that each of them resembles."""
    from difflib import get_close_matches

    lower = {str(name).lower(): str(name) for name in known}
    near = {lower[n]: 0 for w in words for n in get_close_matches(str(w).lower(), lower, n=1)}
    return f"Did you mean {', '.join(near)}?" if near else otherwise


def few(values):
    """One number as it is; a tensor or a list of them, cut short after the fifth of more than six.

    >>> few(torch.arange(9)), few(torch.tensor([4])), few([7, 0])
    ('[0, 1, 2, 3, 4, …]', '4', '[7, 0]')
    """
    if isinstance(values, torch.Tensor):
        values = values.item() if values.numel() == 1 else values.reshape(-1).tolist()
    if isinstance(values, (int, float)) or len(values) <= 6:
        return str(values)
    return f"[{', '.join(map(str, values[:5]))}, …]"


def first_line(error):
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
    return f"{type(value).__name__} {short_repr(value)}"


def short_repr(value):
    """The value as Python writes it, cut short, in one line."""
    try:
        text = " ".join(line.strip() for line in repr(value).splitlines())
    except Exception:  # any object's own code, or a number of 5000 digits
        return "that cannot be shown"
    return text if len(text) <= 40 else text[:37] + "..."
