"""Puts back what an attempt has changed besides giving an answer.

A chapter goes on after an attempt, and answers are compared in the same process. So what belongs to
all is put back: settings, random generators, names in modules, the output. What stays: imported
modules, files that were written, threads that were started.
"""

import builtins
import math
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, suppress
from operator import is_
from pkgutil import walk_packages
from typing import Any, NamedTuple

import numpy as np
import torch

import ddpm_lab
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import Schedule

# Settings, as (read, put back) -----------------------------------------------------------------


def _folder():
    with suppress(OSError):  # it may be gone
        return os.getcwd()


def _set_environ(variables):
    os.environ.clear()
    os.environ.update(variables)


def _set_path(folders):
    sys.path[:] = folders


def _set_device(device):
    torch.set_default_device(None if device.type == "cpu" else device)


# What torch.set_printoptions sets.
_PRINTED = vars(torch._tensor_str.PRINT_OPTS)  # pyright: ignore[reportAttributeAccessIssue]

_Setting = tuple[Callable[[], Any], Callable[[Any], Any]]

_SETTINGS: tuple[_Setting, ...] = (
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (sys.getswitchinterval, sys.setswitchinterval),
    (_folder, os.chdir),
    (lambda: dict(os.environ), _set_environ),
    (lambda: list(sys.path), _set_path),
    (torch.get_default_device, _set_device),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (lambda: dict(_PRINTED), _PRINTED.update),
    (np.get_printoptions, lambda options: np.set_printoptions(**options)),
    (np.geterr, lambda errors: np.seterr(**errors)),
)

_GENERATORS: tuple[_Setting, ...] = (
    (torch.get_rng_state, torch.set_rng_state),
    (np.random.get_state, np.random.set_state),
    (random.getstate, random.setstate),
)
_GPU_GENERATORS = ((torch.cuda.get_rng_state_all, torch.cuda.set_rng_state_all),)


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
    generators = _GENERATORS + (_GPU_GENERATORS if torch.cuda.is_initialized() else ())
    drawn = [(put, read()) for read, put in generators]
    settings = [(put, read, read()) for read, put in _SETTINGS]
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
        yield _signals()
    if "matplotlib" in sys.modules:
        yield sys.modules["matplotlib"].rc_context()


@contextmanager
def _signals():
    before = {number: signal.getsignal(number) for number in _NUMBERS}
    yield
    for number, handler in before.items():
        if signal.getsignal(number) is not handler and handler is not None:
            signal.signal(number, handler)


_NAMES = "INT TERM ABRT BREAK ALRM VTALRM PROF CHLD HUP USR1 USR2 PIPE WINCH URG"
_NUMBERS = [n for name in _NAMES.split() if (n := getattr(signal, f"SIG{name}", None))]

# Names -----------------------------------------------------------------------------------------


def _names():
    """A function that gives all names their present meaning back."""
    classes = [(owner, dict(vars(owner))) for owner in (torch.Tensor, Gaussian, Schedule)]
    tables = [(table, dict(table)) for table in _tables()]
    modes = torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()

    def put_back():
        for table, before in tables:
            _put_table_back(table, before)
        for owner, before in classes:
            _put_class_back(owner, before)
        while torch._C._len_torch_function_stack() > modes[0]:  # what all calls of torch go through
            torch._C._pop_torch_function_stack()
        while torch._C._len_torch_dispatch_stack() > modes[1]:
            torch._C._pop_torch_dispatch_stack()

    return put_back


def _tables():
    """Where names stand that all use."""
    yield sys.modules
    for module in (builtins, sys, math, torch, torch.nn.functional, torch.linalg, torch.special):
        yield vars(module)
    for module in filter(None, map(sys.modules.get, _OURS)):
        yield vars(module)


_OURS = [module.name for module in walk_packages(ddpm_lab.__path__, "ddpm_lab.")]


def _put_table_back(table, before):
    """What was there is there again. What is new stays, for an import may have brought it."""
    if len(table) == len(before) and all(map(is_, table.values(), before.values())):
        return
    for name, value in before.items():
        if table.get(name) is not value:
            table[name] = value


def _put_class_back(owner, before):
    """The same for a class; there a new name may hide an inherited one, and goes."""
    if all(map(is_, vars(owner).values(), before.values())) and len(vars(owner)) == len(before):
        return
    for name in set(vars(owner)) - set(before):
        delattr(owner, name)
    for name, value in before.items():
        if vars(owner).get(name) is not value:
            setattr(owner, name, value)


# Output ----------------------------------------------------------------------------------------


@contextmanager
def _guarded_output():
    before = sys.stdout, sys.stderr
    streams = [stream and _Guarded(stream) for stream in before]
    sys.stdout, sys.stderr = streams

    def mute():
        for stream in filter(None, streams):
            stream._muted = True

    try:
        yield mute
    finally:
        sys.stdout, sys.stderr = before


class _Guarded:
    """An output that others still need: it cannot be closed, but it can be muted."""

    def __init__(self, stream):
        self._stream = stream
        self._muted = False

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        return len(text) if self._muted else self._stream.write(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def close(self):
        """Nothing: it is not the attempt's own."""
