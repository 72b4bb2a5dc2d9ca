"""Ends what does not end by itself.

An attempt runs in the thread that called `check`, so that Ctrl-C and a notebook's stop button reach
it as they reach any cell. A second thread taps the first on the shoulder, 20 times per second; the
tapped thread itself looks at its clock, and raises `Ended` where the attempt is running. Two rules:

- What counts is the processor time of the attempt, so that a busy machine makes nobody late. An
  attempt that sleeps uses none: it is ended after as many seconds of doing nothing.
- Nothing is raised into an import: a module that is torn while it loads is broken for good.

An attempt may turn a deaf ear to taps, by a handler of its own or a mask. Then the second thread
raises an exception in the first, at its next step, whose making lets it listen again.

Code in C that never returns to Python, such as `sum(range(10**12))`, cannot be ended by anything
in the same process.
"""

import ctypes
import signal
import sys
import threading
import time
from _thread import interrupt_main
from collections.abc import Callable
from functools import partial
from typing import Any

TICK = 0.05
"""Seconds between two taps."""

ASLEEP = 5e-4
"""Who works less than this in a tick (seconds of processor time) did nothing. A process that waits
for a busy processor gets longer slices than this."""

# By default nothing happens on this signal, so that one too many does no harm.
_TAP = getattr(signal, "SIGURG", None) or getattr(signal, "SIGBREAK")  # noqa: B009


class Ended(BaseException):
    """Raised into an attempt that has to end; `except Exception` lets it by."""


class _EndedAgain(Ended):
    """For an attempt that has caught one: taps as it is made, so that the next follows at once.

    Whatever is wrapped in `try` is left in this way, for the step after a `try` is outside of it.
    """

    __init__ = staticmethod(partial(interrupt_main, _TAP))  # pyright: ignore


def limited(work: Callable[..., Any], seconds: float) -> Any:
    """work(run), where each `run(f)` is f() and can be ended; nothing is raised between these.

    Raises
    ------
    TimeoutError
        If it has worked, or slept, for more than `seconds`.
    KeyboardInterrupt
        If the user stopped it.

    >>> limited(lambda run: run(lambda: 3), seconds=1)
    3
    """
    limit = _Limit(seconds)
    outcome = None
    try:
        with limit:
            outcome = work(limit.run)
    except BaseException:  # an attempt may have caught `Ended` and raised something else
        if not (limit.over or limit.stopped):
            raise
    if limit.stopped:
        signal.raise_signal(signal.SIGINT)
        raise KeyboardInterrupt
    if limit.over:
        raise TimeoutError
    return outcome


class _Limit:
    """The clock of one attempt, and who looks at it."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.over = self.stopped = False
        self._error = Ended
        self._thread = threading.get_ident()
        # Signals reach the main thread only; another one is tapped in a rougher way.
        self._main = threading.current_thread() is threading.main_thread()
        self._clock = time.thread_time if self._main else time.process_time
        self._handlers = {}
        self._unheard = 0
        self._done = threading.Event()
        self._tapper = threading.Thread(target=self._tap, daemon=True)

    def run(self, work):
        """The frame below which an attempt runs; only there may anything be raised."""
        return work()

    def __enter__(self):
        self._start = self._seen = self._clock()
        self._begun = time.process_time()
        self._idle = 0
        if self._main:
            self._listen()
            if callable(signal.getsignal(signal.SIGINT)):  # a background job ignores it
                self._handle(signal.SIGINT, self._on_stop)
        self._tapper.start()

    def __exit__(self, *error):
        self._done.set()
        self._tapper.join()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if not self._main:
            _raise_in(self._thread, None)

    def _listen(self):
        self._handle(_TAP, self._on_tap)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {_TAP})

    def _handle(self, number, handler):
        before = signal.signal(number, handler) or signal.SIG_DFL
        self._handlers.setdefault(number, before)

    def _tap(self):
        while not self._done.wait(TICK):
            if not self._main:
                if self._due(sys._current_frames().get(self._thread)):
                    _raise_in(self._thread, Ended)
            elif self._is_deaf():
                _raise_in(self._thread, type("Listen", (Ended,), {"__init__": self._awake}))
            elif hasattr(signal, "pthread_kill"):
                signal.pthread_kill(self._thread, _TAP)  # ends a sleep, too
            else:
                interrupt_main(_TAP)

    def _is_deaf(self):
        """Has it been at work for too long, and not heard a tap for a second?"""
        self._unheard += 1
        late = time.process_time() - self._begun > self.seconds
        return late and self._unheard * TICK > 1 and _inside(sys._current_frames()[self._thread])

    def _awake(self, *args):
        """Made in the first thread, which may set its handlers."""
        self.over, self._unheard = True, 0
        self._listen()

    def _on_tap(self, signum, frame):
        self._unheard = 0
        if self._due(frame):
            error, self._error = self._error, _EndedAgain
            raise error

    def _on_stop(self, signum, frame):
        again, self.stopped = self.stopped, True
        if _inside(frame, in_imports=again):
            raise Ended

    def _due(self, frame):
        now = self._clock()
        self._idle = self._idle + 1 if now - self._seen < ASLEEP else 0
        self._seen = now
        late = now - self._start > self.seconds or self._idle * TICK > self.seconds
        self.over = self.over or late
        return (self.over or self.stopped) and _inside(frame)


def _inside(frame, in_imports=False):
    """Does an attempt run here? Not in `run` itself, and not while it imports something."""
    run = _Limit.run.__code__
    if frame is None or frame.f_code is run:
        return False
    while frame is not None and frame.f_code is not run:
        if frame.f_code.co_filename.startswith("<frozen importlib") and not in_imports:
            return False
        frame = frame.f_back
    return frame is not None


def _raise_in(thread, error):
    """Raise in another thread at its next step; None takes back what was not yet raised."""
    error = error if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error)
