"""Puts back what an attempt has changed besides giving an answer.

A chapter goes on after an attempt, and answers are compared in the same process. So what belongs to
all is put back: settings, random generators, names in modules, the output. What stays: imported
modules, files that were written, threads that were started.
"""

import os
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, suppress
from operator import is_
from pkgutil import walk_packages
from types import FunctionType
from typing import NamedTuple

import torch

import ddpm_lab
from ddpm_lab.course.exercises._settings import GENERATORS, GPU_GENERATORS, SETTINGS, signals


class Common(NamedTuple):
    """What can be done about what all share, between two calls of an attempt."""

    put_names_back: Callable[[], None]
    mute_output: Callable[[], None]


@contextmanager
def preserved():
    """All that belongs to others is afterwards as it was.

    Yields two functions for use between two calls of an attempt: `put_names_back`, for what is
    called there must be what it says it is, and `mute_output`.

    >>> with preserved() as common:
    ...     torch.set_default_dtype(torch.float64)
    ...     common.mute_output()
    ...     print("not seen")
    >>> torch.get_default_dtype()
    torch.float32
    """
    generators = GENERATORS + (GPU_GENERATORS if torch.cuda.is_initialized() else ())
    drawn = [(put, read()) for read, put in generators]
    settings = [(put, read, read()) for read, put in SETTINGS]
    with ExitStack() as stack:
        mute_output = stack.enter_context(_guarded_output())
        for context in _contexts():
            stack.enter_context(context)
        put_names_back = _names()
        try:
            yield Common(put_names_back, mute_output)
        finally:
            put_names_back()
            for put, before in drawn:
                put(before)
            for put, read, before in settings:
                with suppress(OSError):  # of a folder that is gone
                    if read() != before:
                        put(before)


def _contexts():
    yield warnings.catch_warnings()
    yield torch.inference_mode(torch.is_inference_mode_enabled())  # puts back the grad mode, too
    if threading.current_thread() is threading.main_thread():
        yield signals()
    if "matplotlib" in sys.modules:
        yield sys.modules["matplotlib"].rc_context()


# Names -----------------------------------------------------------------------------------------


def _names():
    """A function that gives all names their present meaning back."""
    classes = [(owner, dict(vars(owner))) for owner in _classes()]
    tables = [(table, dict(table)) for table in _tables()]
    codes = [(f, f.__code__) for f in _functions()]
    modes = torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()

    def put_back():
        for table, before in tables:
            _put_table_back(table, before)
        for owner, before in classes:
            _put_class_back(owner, before)
        for f, code in codes:
            if f.__code__ is not code:
                f.__code__ = code
        while torch._C._len_torch_function_stack() > modes[0]:  # what all calls of torch go through
            torch._C._pop_torch_function_stack()
        while torch._C._len_torch_dispatch_stack() > modes[1]:
            torch._C._pop_torch_dispatch_stack()

    return put_back


def _tables():
    """Where names stand that all use."""
    yield sys.modules
    for module in filter(None, map(sys.modules.get, _SHARED + _OURS)):
        yield vars(module)


_SHARED = (
    *("builtins", "sys", "os", "math", "time", "json", "random", "signal", "threading", "inspect"),
    *("gc", "numpy", "numpy.linalg", "numpy.random", "torch", "torch.nn", "torch.nn.functional"),
    *("torch.autograd", "torch.linalg", "torch.special", "torch.distributions"),
)
_OURS = tuple(module.name for module in walk_packages(ddpm_lab.__path__, "ddpm_lab."))


def _classes():
    """The classes whose methods all use."""
    holders = filter(None, map(sys.modules.get, ["torch.nn", "torch.distributions", *_OURS]))
    found = {x for holder in holders for x in vars(holder).values() if isinstance(x, type)}
    ours = {x for x in found if x.__module__.partition(".")[0] in ("torch", "ddpm_lab")}
    return [*ours, torch.Tensor]


def _functions():
    """The package's own functions, which judge the attempt."""
    for module in filter(None, map(sys.modules.get, _OURS)):
        yield from (x for x in vars(module).values() if type(x) is FunctionType)


def _put_table_back(table, before):
    """What was there is there again. What is new stays, for an import may have brought it."""
    if _same(table, before):
        return
    for name, value in before.items():
        if table.get(name) is not value:
            table[name] = value


def _same(table, before, *, all=all, len=len, map=map):  # the built-in ones, whatever they are now
    return len(table) == len(before) and all(map(is_, table.values(), before.values()))


def _put_class_back(owner, before):
    """The same for a class; there a new name may hide an inherited one, and goes."""
    if _same(vars(owner), before):
        return
    for name in set(vars(owner)) - set(before):
        delattr(owner, name)
    for name, value in before.items():
        if vars(owner).get(name) is not value:
            setattr(owner, name, value)


# Output ----------------------------------------------------------------------------------------

LONGEST = 20_000
"""Characters that an attempt may print; what goes beyond would only bury the verdict."""


@contextmanager
def _guarded_output():
    names = ("stdout", "stderr", "__stdout__", "__stderr__")
    before = {name: getattr(sys, name) for name in names}
    guarded = {name: stream and _Guarded(stream) for name, stream in before.items()}
    for name, stream in guarded.items():
        setattr(sys, name, stream)

    def mute():
        for stream in filter(None, guarded.values()):
            stream._left = 0

    try:
        with _open_files():
            yield mute
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)


@contextmanager
def _open_files():
    """What the process reads and writes by number is open afterwards, and what it was."""
    copies = []
    for number in (0, 1, 2):
        with suppress(OSError):  # none is open there
            copies.append((number, os.dup(number)))
    try:
        yield
    finally:
        for number, copy in copies:
            with suppress(OSError):
                if not _is_open_on(number, copy):
                    os.dup2(copy, number)
                os.close(copy)


def _is_open_on(number, copy):
    try:
        return os.path.sameopenfile(number, copy)
    except OSError:
        return False


class _Guarded:
    """An output that others still need: it cannot be closed or flooded, but it can be muted."""

    def __init__(self, stream):
        self._stream = stream
        self._left = LONGEST

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        if self._left > 0:
            self._stream.write(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._stream.write("…\n")
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def close(self, *args, **options):
        """Nothing: it is not the attempt's own."""

    detach = reconfigure = close
