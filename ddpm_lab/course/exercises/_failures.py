"""An exception of an attempt in words a learner can act on.

Python says what it could not do; most often a learner must hear what the mistake is. What Python
says stays, in brackets: it is what one meets elsewhere.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from ddpm_lab.course.exercises._answers import one_line, type_name
from ddpm_lab.schedules import Schedule

_BATCH = (
    "that works for one number, and here is a tensor of several, such as a batch of times; "
    "use operations on tensors (torch.where for `if`, x.sqrt() for math.sqrt)"
)
_WORDS = {
    r"size of tensor a .* must match .* size of tensor b|shape.*broadcast": (
        "two shapes do not fit; one number for each item must become a column, (B, 1, …), to "
        "multiply the items: x[:, None], or coef(value, x)"
    ),
    r"bitwise_(and|or)_cpu.* not implemented|unsupported operand type\(s\) for [&|]": (
        "& and | bind more tightly than < and <=; put each comparison in parentheses"
    ),
    r"bitwise_xor_cpu.* not implemented": "a power is ** in Python, not ^",
    r"tensors used as indices must be|slice indices must be integers": (
        "a place in a table or list is a whole number: an int or a tensor of them; //, not /"
    ),
    r"received an invalid combination of arguments": (
        "an argument has the wrong type or place: is a shape no tuple, a number no tensor?"
    ),
    r"torch\.return_types": (
        "max(dim=…) gives a pair, values and places: take .values, or .max() without dim"
    ),
    r"expected Tensor as element \d+": (
        "torch.cat joins tensors; make a number one first: torch.tensor([1.0])"
    ),
    r"'function' and '|and 'function'|'builtin_function_or_method' and": (
        "a function stands where its answer belongs: call it with its inputs"
    ),
    r"arg is an empty sequence|iterable argument is empty|cannot unpack": (
        "nothing (or not enough) is left to take from"
    ),
    r"values must be finite; got -?(nan|inf)": (
        "nan or infinity on the way: 0 times log 0, 0/0, log 0, or a missing exp?"
    ),
    r"grid must rise": "are the values and the grid in the right order? integral(values, grid)",
    r"only one element tensors can be converted|cannot be converted to Scalar|"
    r"only integer tensors of a single element|only 0-dimensional arrays|only length-1 arrays|"
    r"only size-1 arrays|Boolean value of Tensor with more than|truth value of an array": _BATCH,
    r"argument 'input' .* must be Tensor, not (float|int)": (
        "torch's functions take tensors; for a plain number use the math module, or x**0.5"
    ),
    r"must be real number, not Tensor|must be a real number, not list|must be real number": (
        "the math module takes one number; use x.sqrt(), torch.log(x), …"
    ),
    r"'(float|int)' object has no attribute '(sqrt|log|exp|abs|square|sum|mean)'": (
        "a plain number has no such method; use the math module, or x**0.5"
    ),
    r"'(float|int)' object is not (iterable|subscriptable)": (
        "a plain number stands where you expect a list"
    ),
    r"'(list|tuple)' object has no attribute '(sqrt|log|exp|abs|square|sum|mean|shape)'|"
    r"can't multiply sequence|unsupported operand type\(s\).*'(list|tuple)'": (
        "a list does not calculate; loop over it, or make it a tensor: torch.tensor(x)"
    ),
    r"unsupported operand type\(s\).*NoneType": (
        "something that you use is None; does a function of yours lack a `return`?"
    ),
    r"index .* out of (bounds|range)|index out of range": (
        "an index is off the end: tables have the rows 0 … T, lists the places 0 … len - 1"
    ),
    r"referenced before assignment|cannot access local variable": (
        "a name gets its value only in a branch that was not taken, or after its first use"
    ),
    r"expected scalar type|same dtype|expected m1 and m2 to have|mat1 and mat2 must have": (
        "float32 meets float64; bring both to one dtype: x.to(y.dtype)"
    ),
    r"does not require grad|does not have a grad_fn|[Cc]an't call numpy\(\) on": (
        "the gradient's thread is cut, or in the way; no detach(), no numpy, where gradients flow"
    ),
    r"math domain error|expected a nonnegative input|expected a positive input": (
        "a root or a logarithm of a number below 0 (or of 0)"
    ),
    r"division by zero|float division": "a division by 0; which case makes it 0?",
    r"Dimension out of range|dimension specified as": (
        "the tensor has fewer axes than you name; a number has none"
    ),
    r"shape '.*' is invalid for input of size|view size is not compatible": (
        "the values do not fit into that shape"
    ),
    r"a leaf Variable that requires grad": "do not change weights in place; return new values",
    r"maximum recursion depth": "the function calls itself without an end",
    r"unsupported operand type\(s\) for \^": "a power is ** in Python, not ^",
    r"has no attribute 'sqrt'|loop of ufunc does not support": (
        "numpy cannot do that here; use torch on tensors"
    ),
}


def in_words(
    error: BaseException, attempt: Any = None, stops: Mapping[str, str] | None = None
) -> str:
    """An exception of an attempt in one line; nothing that its class defines can hinder it.

    >>> in_words(ZeroDivisionError("division by zero"))  # doctest: +ELLIPSIS
    'your function stopped: a division by 0; which case makes it 0? (ZeroDivisionError: division...
    """
    if issubclass(type(error), SystemExit):
        return "your function ended the program; let it return instead"
    try:
        text = one_line(str(error))
    except BaseException:
        text = ""
    name = type_name(error)
    meant = _first_match(stops or {}, text) or _miscalled(text, attempt) or _meant(name, text)
    if meant:
        return f"your function stopped: {meant} ({name}: {text})"
    return f"your function stopped with {name}: {text}"


def _miscalled(text, attempt):
    """Whose inputs are not those that it is given: the attempt's, or those of what it calls?"""
    found = re.search(r"([\w<>]+)\(\) (takes .*positional|missing \d+ required|got an unexp)", text)
    if not found:
        return None
    if attempt is None or found[1] == getattr(attempt, "__name__", found[1]):
        return "it must take what the exercise's first line lists, in that order"
    return f"{found[1]} is called with other inputs than it takes; help({found[1]}) lists them"


def _meant(name, text):
    if name == "NameError":
        return "a name is not known here; is it misspelt, or from a cell that has not run?"
    found = re.search(r"'(\w+)' object has no attribute '(\w+)'", text)
    if found and found[1] == "Schedule":
        near = difflib.get_close_matches(found[2], _TABLES, 1, 0.5)
        return (
            f"did you mean schedule.{near[0]}?" if near else f"a Schedule has {', '.join(_TABLES)}"
        )
    return _first_match(_WORDS, text)


def _first_match(table: Mapping[str, str], text: str) -> str | None:
    return next((words for pattern, words in table.items() if re.search(pattern, text)), None)


_TABLES = ["abar", *(name for name, x in vars(Schedule).items() if isinstance(x, property))]
