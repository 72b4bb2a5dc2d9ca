"""Grades many attempts, each in a process of its own that starts in no time.

`grading.grade` starts Python and PyTorch anew for each attempt, which takes seconds. A `Grader`
does so once, and each attempt gets a copy of that process. Where the system allows it, the attempt
runs as another user (if you are root), without network, and sees no other process.

On Windows, which has no such copies, a `Grader` grades as `grading.grade` does.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any, NamedTuple

import torch

from ddpm_lab.course.exercises import _server, exercise, grading
from ddpm_lab.course.exercises._inputs import inputs_of
from ddpm_lab.course.exercises.grading import Grade


class _Said(NamedTuple):
    """What an attempt's process has said, and how it ended."""

    said: str
    code: int
    late: bool
    wait: float
    errors: str


class Grader:
    """Holds the process of which every attempt gets a copy; use it with `with`.

    Parameters
    ----------
    seconds, memory, wall_seconds : as for `grading.grade`, for each attempt

    >>> with Grader(seconds=1.0) as grader:
    ...     grader.grade("start.mix", "def f(a): return 1 / 0", function="f").status
    'wrong'
    """

    def __init__(
        self, *, seconds: float = 10.0, memory: int = 2**31, wall_seconds: float | None = None
    ):
        self.seconds, self.memory, self.wait = grading.limits(seconds, memory, wall_seconds)
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self._protection = _server.Protection("", False, False)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stop()
        self._errors.close()

    @property
    def protection(self) -> _server.Protection:
        """What keeps attempts from the rest of the machine."""
        if hasattr(os, "fork"):
            self._running()
        return self._protection

    def grade(self, name: str, source: str, *, function: str | None = None, seed: int = 0) -> Grade:
        """Judge an attempt; the parameters are those of `grading.grade`.

        Raises
        ------
        RuntimeError
            If the process does not start: that is no fault of the attempt.
        """
        if not hasattr(os, "fork"):
            limits = {"seconds": self.seconds, "memory": self.memory, "wall_seconds": self.wait}
            return grading.grade(name, source, function=function, seed=seed, **limits)
        job = {"name": name, "source": source, "function": function, "seed": seed}
        job |= {"seconds": self.seconds, "memory": self.memory, "wait": self.wait}
        with torch.device("cpu"), inputs_of(seed):
            question = exercise(name)
            said = self._asked(job)
            if said is None:
                return Grade("ended", "your code ended the process that watches over it")
            return grading.judged(question, said, self.seconds)

    def _asked(self, job: dict[str, Any]) -> _Said | None:
        """What became of a job; None if the process that serves did not live to tell."""
        process = self._running()
        with suppress(OSError):
            process.stdin.write(json.dumps(job).encode() + b"\n")  # pyright: ignore
            process.stdin.flush()  # pyright: ignore
            line = self._line(process, self.wait + 60)
            if line is not None:
                said, code, late = line
                return _Said(said, code, late, self.wait, self._last_error())
        self._stop()
        return None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _server.__name__],
                cwd=os.sep,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
            )
            line = self._line(self._process, grading.STARTING)
            if line is None:
                raise RuntimeError(
                    f"the process for grading must start; it did not: {self._last_error()}"
                )
            self._protection = _server.Protection(*line)
        return self._process

    def _line(self, process, seconds) -> list[Any] | None:
        """The next line that it says; None if none comes."""
        text, until, pipe = bytearray(), time.monotonic() + seconds, process.stdout.fileno()
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            part = os.read(pipe, 2**20) if ready else b""
            if not part:
                return None
            text += part
        return json.loads(text)

    def _last_error(self):
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - 4000))
        return (self._errors.read().decode("utf-8", "replace").strip().splitlines() or ["?"])[-1]

    def _stop(self):
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    pipe.close()  # pyright: ignore[reportOptionalMemberAccess]
            process.wait()


def _environment():
    """As for a single attempt; each makes its own folder for temporary files."""
    found = grading.environment(os.devnull)
    for name in ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"):
        del found[name]
    return found
