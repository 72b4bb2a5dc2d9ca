"""Makes an accepted answer one that a chapter can go on with.

An answer is right in any honest form: a list, an array, float32. The cells after it expect what the
course's own function returns, so an accepted function is wrapped: what it returns is brought to the
form (type, dtype, shape of a single number) that the right answer has.
"""

from functools import wraps
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ddpm_lab.course.exercises._differences import as_tensor
from ddpm_lab.course.exercises._records import Exercise
from ddpm_lab.gaussians import Gaussian


class _Form(NamedTuple):
    """What a right answer looks like."""

    kind: Any  # its type
    parts: tuple["_Form", ...] = ()
    ndim: int = 0
    dtype: torch.dtype | None = None


def usable(attempt: Any, question: Exercise) -> Any:
    """An accepted attempt, in the form of the right answer.

    >>> from ddpm_lab.course.exercises import Case
    >>> one = Case("x", (torch.ones(2),))
    >>> question = Exercise(reference=lambda x: x.sum(), cases=lambda: [one])
    >>> usable(lambda x: [2.0], question)(torch.ones(2))
    tensor(2.)
    """
    if not callable(question.reference):
        return _in_form(attempt, _form(question.reference), ())
    if attempt is question.reference:
        return attempt
    forms = _forms(question)
    usual = next(iter(forms.values()))

    @wraps(attempt)
    def in_form(*args, **kwargs):
        inputs = (*args, *kwargs.values())
        form = forms.get(_kinds(args), usual)
        tensors = [x for x in inputs if isinstance(x, Tensor)]
        if tensors and _kinds(args) not in forms:  # it was tried on others, such as numbers
            form = _of_tensors(form, single=all(x.ndim == 0 for x in tensors))
        return _in_form(attempt(*args, **kwargs), form, inputs)

    return in_form


def _forms(question: Exercise) -> dict[tuple, _Form]:
    """The forms of the right answers, by the kinds of the inputs."""
    found: dict[tuple, _Form] = {}
    for case in question.cases():
        found.setdefault(_kinds(case.args), _form(question.reference(*case.args)))
    return found


def _of_tensors(form: _Form, *, single: bool) -> _Form:
    """The form where tensors come in: tensors go out, and one number if all hold a single one."""
    if form.kind in (int, float):
        form = _Form(Tensor, ndim=-1, dtype=torch.float64)
    if form.kind is Tensor and single:
        form = form._replace(ndim=0)
    return form._replace(parts=tuple(_of_tensors(part, single=single) for part in form.parts))


def _kinds(args):
    return tuple((type(x), x.ndim if isinstance(x, Tensor) else 0) for x in args)


def _form(x) -> _Form:
    if isinstance(x, Tensor):
        return _Form(Tensor, ndim=x.ndim, dtype=x.dtype)
    if isinstance(x, Gaussian):
        return _Form(Gaussian)
    if type(x) in (list, tuple):
        parts = tuple(_form(part) for part in x)
        one = len(set(parts)) == 1  # as many as there are
        return _Form(type(x), parts[:1] if one and type(x) is list else parts)
    return _Form(type(x))


def _in_form(x: Any, form: _Form, inputs: tuple) -> Any:
    if form.kind is Tensor:
        return _as_tensor(x, form, inputs)
    if form.kind is Gaussian and isinstance(x, Gaussian):
        form = _Form(Tensor, ndim=-1)
        return Gaussian(_as_tensor(x.mean, form, inputs), _as_tensor(x.var, form, inputs))
    if form.kind in (list, tuple):
        parts = list(x)
        forms = form.parts if len(form.parts) == len(parts) else form.parts[:1] * len(parts)
        found = [_in_form(part, f, inputs) for part, f in zip(parts, forms)]
        return found if form.kind is list else tuple(found)
    if form.kind in (int, float, bool, str) and type(x) is not form.kind:
        return form.kind(x.item() if hasattr(x, "item") else x[0] if type(x) is list else x)
    return x


def _as_tensor(x, form, inputs):
    like = next(_float_tensors(inputs), None)
    dtype = form.dtype or torch.float64
    if dtype.is_floating_point and like is not None:  # the arithmetic of what it is given
        dtype = like.dtype
    if not isinstance(x, Tensor):
        x = as_tensor(x, dtype)
    elif x.dtype != dtype:
        x = x.to(dtype)
    if like is not None and x.device != like.device:
        x = x.to(like.device)
    return x.reshape(()) if form.ndim == 0 and x.ndim and x.numel() == 1 else x


def _float_tensors(inputs):
    """The tensors of real numbers among the inputs, and in lists of them."""
    for x in inputs:
        if isinstance(x, Tensor) and x.is_floating_point():
            yield x
        elif isinstance(x, (list, tuple)):
            yield from _float_tensors(x)
