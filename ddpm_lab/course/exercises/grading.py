"""Grades an attempt in a process of its own.

`check` runs an attempt in your notebook: that is quick, and enough for your own work. If you grade
the work of others, some attempts end the process, take all the memory, or call C code that never
comes back. Here each attempt gets a process with limits, and only its *answers* come out of it:
they are compared with the right ones here, so an attempt that prints ✓ has said nothing.

The package's function that an exercise asks for is refused there, and the course's own answers are
out of reach: what counts is the learner's own code.

It is no sandbox: an attempt can read your files and use the network. Grade the work of strangers on
a machine, or in an account, that has nothing to lose.
"""

import ast
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import IO, Any, Literal, NamedTuple

import torch

import ddpm_lab
from ddpm_lab import _checks
from ddpm_lab.course.exercises import Exercise, _child, _judging, _sealing, _wire, exercise
from ddpm_lab.course.exercises._answers import one_line
from ddpm_lab.course.exercises._attempt import late
from ddpm_lab.course.exercises._inputs import inputs_of

LARGEST = 2**26
"""Bytes that are read of what a process says; no right answers need a tenth of that."""
STARTING = 600.0
"""Seconds in which a process must be ready, on the busiest machine."""


class Grade(NamedTuple):
    """The verdict on an attempt in a process of its own.

    >>> Grade("passed", "").status
    'passed'
    """

    status: Literal["passed", "not yet", "wrong", "ended"]
    """`ended`: the process ended, or had to be ended, before there was an answer."""
    message: str
    """What to tell the learner; nothing if it passed."""


def grade(
    name: str,
    attempt: str | Callable[..., Any],
    *,
    function: str | None = None,
    seed: int = 0,
    seconds: float = 10.0,
    memory: int = 2**31,
    wall_seconds: float | None = None,
) -> Grade:
    """Judge an attempt in a process of its own, with limits of time and memory.

    Parameters
    ----------
    name : such as "forward.marginal"
    attempt : str or function
        Source text; or a function made by `def`, whose source is taken along with the imported
        names, the numbers and the functions that it uses.
    function : str
        What the text calls the attempt; else it is the last function (or value) that it defines.
    seed : 0 or more
        Chooses the inputs; those of 0 are the ones that `check` uses, so take another for marks.
    seconds : positive
        Processor time for the text, and again for the answers. Where the system has limits (Linux,
        macOS), it ends what does not stop by itself.
    memory : positive, bytes
        What an attempt may take besides PyTorch itself. Only Linux can hold it to that.
    wall_seconds : positive
        Time by the clock; the only limit, on Windows, for C code that never comes back. Generous if
        not given, because a busy machine is slow: a minute and ten times `seconds`.

    Raises
    ------
    RuntimeError
        If the process does not start: that is no fault of the attempt.

    >>> grade("start.clean", "clean = 1000").status
    'wrong'
    """
    seconds, memory, wait = limits(seconds, memory, wall_seconds)
    seed = _checks.count(
        seed, "seed", lowest=0, highest=2**31, advice="Give a whole number for each student."
    )
    question = exercise(name)
    if _is_ours(attempt):
        return Grade("wrong", _sealing.told(attempt))
    source = attempt if isinstance(attempt, str) else _source_of(attempt)
    job = {"name": name, "source": source, "function": function, "seed": seed}
    job |= {"seconds": seconds, "memory": memory}
    with torch.device("cpu"), inputs_of(seed):
        return judged(question, _Process(job, wait), seconds)


def limits(seconds: float, memory: int, wall_seconds: float | None) -> tuple[float, int, float]:
    """The limits of an attempt, checked; the last one is chosen, if it is not given.

    >>> limits(10.0, 2**31, None)
    (10.0, 2147483648, 160.0)
    """
    advice = "Give a number of seconds."
    seconds = _checks.between(seconds, 0, 1e6, "seconds", advice=advice, open_ends=True)
    memory = _checks.count(memory, "memory", advice="Give a number of bytes, such as 2**31.")
    if wall_seconds is None:
        return seconds, memory, 60 + 10 * seconds
    wall = _checks.between(wall_seconds, 0, 1e6, "wall_seconds", advice=advice, open_ends=True)
    return seconds, memory, wall


def judged(question: Exercise, process: Any, seconds: float) -> Grade:
    """The grade of an attempt whose process is over; the inputs are those of `inputs_of`.

    Parameters
    ----------
    process : has `said`, `errors`, `code`, `late`, `wait`, as `_Process` has
    """
    outcome = _outcome_of(process, seconds)
    if isinstance(outcome, Grade):
        return outcome
    wanted = _judging.right_answers(question)
    try:
        words, answers = outcome if isinstance(outcome, list) else (None, outcome)
        answers = _wire.read(answers)
        if words is None and len(answers) != len(wanted):
            return _UNREADABLE
        if words is None:
            verdict = _judging.judged(question, answers, wanted)
        else:
            words = one_line(str(words), longest=400)
            verdict = _judging.stopped(question, words, answers, wanted)
    except Exception:  # what was forged is unreadable in a way of its own
        return _UNREADABLE
    return Grade("passed" if verdict.mark == "✓" else "wrong", verdict.message)


_UNREADABLE = Grade("ended", "your code wrote where only answers may stand")


# What the process said -------------------------------------------------------------------------


def _outcome_of(process, seconds):
    """The answers as text, with how it stopped before them if it did; or a grade without any."""
    ready, _, said = process.said.partition("\n")
    if ready != _child.READY:
        why = process.errors.strip().splitlines() or ["it said nothing"]
        raise RuntimeError(f"the process for grading must start; it did not: {why[-1]}")
    if process.late:
        return Grade("ended", f"no answer after {process.wait:g} seconds by the clock")
    try:
        ((kind, value),) = json.loads(said).items()
    except Exception:
        return _UNREADABLE if said else Grade("ended", _last_words(process.code, seconds))
    if kind == "nothing":
        return Grade("not yet", _judging.nothing(unwritten=value).message)
    if type(value) is {"answers": str, "stopped": list}.get(kind):
        return value
    return Grade("wrong", one_line(str(value), longest=400)) if kind == "refused" else _UNREADABLE


def _last_words(code, seconds):
    if code >= 0:
        return f"your code ended its process, with exit code {code}"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        if name == "SIGXCPU":
            return late(seconds)
        return f"your code ended its process, or was ended for too much time or memory ({name})"
    return f"your code ended its process (signal {-code})"


class _Process:
    """An attempt's process, from its start to its end."""

    def __init__(self, job, wait):
        self.wait, self.late = wait, False
        self._read = bytearray()
        new_folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        with new_folder as folder, tempfile.TemporaryFile() as errors:
            self._run(job, folder, errors)
            errors.seek(0)
            self.errors = errors.read().decode("utf-8", "replace")
        self.said = bytes(self._read).decode("utf-8", "replace")

    def _run(self, job: dict[str, Any], folder: str, errors: IO[bytes]) -> None:
        command = [sys.executable, "-m", _child.__name__]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        text = json.dumps(job).encode()
        talk = threading.Thread(target=self._give_and_read, args=(process, text), daemon=True)
        talk.start()
        try:
            self._watch(process)
        finally:
            self.code = _ended(process)
        talk.join(5.0)  # a process that has left the group may still hold the other end

    def _watch(self, process):
        begun, limit, ready = time.monotonic(), STARTING, False
        while process.poll() is None:
            time.sleep(0.02)
            if self._read and not ready:
                begun, limit, ready = time.monotonic(), self.wait, True
            if time.monotonic() - begun > limit:
                self.late = True
                return

    def _give_and_read(self, process, job):
        with suppress(OSError), process.stdin:
            process.stdin.write(job)
        with process.stdout:
            while len(self._read) <= LARGEST and (part := process.stdout.read1(2**16)):
                self._read += part


def _ended(process):
    """Its exit code; it, and all that it has started, is ended if it has not."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    return process.wait()


_KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def environment(folder: str) -> dict[str, str]:
    """Few variables: what else stands in them is none of an attempt's business."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    package = str(Path(ddpm_lab.__file__).resolve().parents[1])
    paths = os.pathsep.join([package, *(path for path in sys.path if os.path.isabs(path))])
    own = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), folder)
    return kept | own | {"PYTHONPATH": paths, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}


# A function as text ----------------------------------------------------------------------------


def _is_ours(attempt):
    """Is it a function of the course's own, such as what `check` returned for a wrong attempt?"""
    module = getattr(inspect.unwrap(attempt) if callable(attempt) else attempt, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] == "ddpm_lab"


def _source_of(function):
    """The source of a function, after that of what it uses."""
    if callable(function):
        function = inspect.unwrap(function)  # what `check` returned for a right attempt
    if type(function) is not FunctionType or function.__name__ == "<lambda>":
        raise TypeError(
            "attempt must be source text, or a function made by def; got "
            f"{type(function).__name__}. Give the text of the cell in which it stands."
        )
    return "from __future__ import annotations\n" + "\n".join(_parts(function, set()))


def _parts(function, seen):
    seen.add(function.__name__)
    if function.__closure__:
        raise TypeError(
            f"attempt must stand alone; {function.__name__} uses names of a function around it. "
            "Give the text of both."
        )
    text = dedent(inspect.getsource(function))
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    for name in sorted(used & set(function.__globals__) - seen):
        seen.add(name)
        yield from _definition(name, function.__globals__[name], seen)
    yield text


def _definition(name, value, seen):
    """Lines after which `name` means `value` elsewhere; none if there are no such lines."""
    if isinstance(value, ModuleType):
        yield f"import {value.__name__} as {name}"
    elif isinstance(value, (bool, int, float, str)):
        yield f"{name} = {value!r}"
    elif _is_importable(value):
        yield f"from {value.__module__} import {value.__qualname__} as {name}"
    elif type(value) is FunctionType:
        value = inspect.unwrap(value)  # what `check` returned for a right function
        yield from _parts(value, seen)
        if value.__name__ != name:
            yield f"{name} = {value.__name__}"


def _is_importable(value):
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if not isinstance(module, str) or module == "__main__":
        return False
    return getattr(sys.modules.get(module), name, None) is value
