"""What is set for a whole process, and how it is put back.

Each setting is a pair: what reads it, and what puts back what was read.
"""

import faulthandler
import gc
import os
import random
import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None

Setting = tuple[Callable[[], Any], Callable[[Any], Any]]


def _folder():
    with suppress(OSError):  # it may be gone
        return os.getcwd()


def _set_environ(variables):
    os.environ.clear()
    os.environ.update(variables)


def _set_imports(lists):
    sys.path[:], sys.meta_path[:], sys.path_hooks[:] = lists


def _set_device(device):
    torch.set_default_device(None if device.type == "cpu" else device)


def _frozen():
    """Has anybody frozen objects? The explorers do, and then to count them takes long."""
    return "ddpm_lab.course.explorers" in sys.modules or gc.get_freeze_count() > 0


def _set_collecting(on):
    (gc.enable if on else gc.disable)()


def _nested():
    """How many autocast contexts are open. Inside one, weights that were cast are cast no more."""
    torch.autocast_increment_nesting()
    return torch.autocast_decrement_nesting()


def _set_nested(number):
    while _nested() > number:
        torch.autocast_decrement_nesting()
    while _nested() < number:
        torch.autocast_increment_nesting()
    torch.clear_autocast_cache()


def _flushes():
    """Are numbers too small for all their digits taken as 0? There is no other way to ask."""
    return float(torch.full((), 1e-310, dtype=torch.float64) * 1.0) == 0


_LIMITS = [
    number
    for name in ("CPU", "FSIZE", "NOFILE", "STACK")
    if (number := getattr(resource, f"RLIMIT_{name}", None)) is not None
]


def _limits():
    return [resource.getrlimit(number) for number in _LIMITS] if resource else []


def _set_limits(limits):
    for number, limit in zip(_LIMITS, limits):
        with suppress(ValueError, OSError):  # who lowers the upper limit, lowers it for good
            if resource is not None:
                resource.setrlimit(number, limit)


# What torch.set_printoptions sets.
_PRINTED = vars(torch._tensor_str.PRINT_OPTS)  # pyright: ignore[reportAttributeAccessIssue]

SETTINGS: tuple[Setting, ...] = (
    (_limits, _set_limits),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (sys.getswitchinterval, sys.setswitchinterval),
    (gc.isenabled, _set_collecting),
    (gc.get_threshold, lambda counts: gc.set_threshold(*counts)),
    (_frozen, lambda frozen: frozen or gc.unfreeze()),
    (_folder, os.chdir),
    (lambda: dict(os.environ), _set_environ),
    (lambda: [list(x) for x in (sys.path, sys.meta_path, sys.path_hooks)], _set_imports),
    (torch.get_default_device, _set_device),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (lambda: torch.is_autocast_enabled("cpu"), lambda on: torch.set_autocast_enabled("cpu", on)),
    (lambda: torch.get_autocast_dtype("cpu"), lambda dtype: torch.set_autocast_dtype("cpu", dtype)),
    (torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled),
    (_nested, _set_nested),
    (_flushes, torch.set_flush_denormal),
    (lambda: dict(_PRINTED), _PRINTED.update),
    (np.get_printoptions, lambda options: np.set_printoptions(**options)),
    (np.geterr, lambda errors: np.seterr(**errors)),
)

GENERATORS: tuple[Setting, ...] = (
    (torch.get_rng_state, torch.set_rng_state),
    (np.random.get_state, np.random.set_state),
    (random.getstate, random.setstate),
)
GPU_GENERATORS: tuple[Setting, ...] = (
    (torch.cuda.get_rng_state_all, torch.cuda.set_rng_state_all),
)

# Signals ---------------------------------------------------------------------------------------

_NAMES = "INT TERM ABRT BREAK ALRM VTALRM PROF CHLD HUP USR1 USR2 PIPE WINCH URG"
_NUMBERS = [n for name in _NAMES.split() if (n := getattr(signal, f"SIG{name}", None))]
_TIMERS = [
    (getattr(signal, f"ITIMER_{name}"), getattr(signal, f"SIG{rings}"))
    for name, rings in (("REAL", "ALRM"), ("VIRTUAL", "VTALRM"), ("PROF", "PROF"))
    if hasattr(signal, f"ITIMER_{name}")
]


@contextmanager
def signals():
    """Handlers, timers and the mask are afterwards as they were; for the main thread."""
    before = {number: signal.getsignal(number) for number in _NUMBERS}
    ours = [(timer, rings) for timer, rings in _TIMERS if not any(signal.getitimer(timer))]
    mask = getattr(signal, "pthread_sigmask", lambda how, mask: mask)
    blocked = mask(getattr(signal, "SIG_BLOCK", 0), [])
    for _, rings in ours:
        if before[rings] is signal.SIG_DFL:  # which would end the process
            signal.signal(rings, signal.SIG_IGN)
    try:
        yield
    finally:
        for timer, _ in ours:
            signal.setitimer(timer, 0)
        faulthandler.cancel_dump_traceback_later()
        mask(getattr(signal, "SIG_SETMASK", 0), blocked)
        for number, handler in before.items():
            if signal.getsignal(number) is not handler and handler is not None:
                signal.signal(number, handler)
