"""The process in which `grading.grade` runs an attempt: it gives answers, and judges nothing.

It reads its job from standard input and writes to what was standard output: a line when it is
ready, a line with the outcome. Whatever the attempt prints goes nowhere.
"""

import json
import linecache
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FunctionType
from typing import Any, NoReturn

from ddpm_lab.course.exercises import _judging, _sealing, exercise
from ddpm_lab.course.exercises._answers import Closed, Refused, Stopped, one_line
from ddpm_lab.course.exercises._attempt import answers_of, is_unwritten, late
from ddpm_lab.course.exercises._failures import in_words
from ddpm_lab.course.exercises._inputs import inputs_of
from ddpm_lab.course.exercises._limit import limited
from ddpm_lab.course.exercises._wire import written

READY = "ready"
FILE = "<attempt>"
LARGEST_FILE = 2**26
"""Bytes that an attempt may write into one file."""


def main() -> None:
    """Do the job that stands in the input."""
    do(json.loads(sys.stdin.buffer.read()), os.dup(1))


def do(job: dict[str, Any], channel_number: int, prepare: Callable[[], Any] = bool) -> NoReturn:
    """Do a job and end at once, with no last word of the attempt's.

    Parameters
    ----------
    job : what `grading.grade` has put together
    channel_number : the open file to which the outcome is written
    prepare : called before the attempt is, when all of the course's own is loaded
    """
    channel, end = os.fdopen(channel_number, "w", encoding="utf-8"), os._exit
    question = exercise(job["name"])
    with inputs_of(job["seed"]):
        _judging.right_answers(question)  # so that what is loaded on first use is loaded now
        _sealing.seal(job["name"], question)
        print(READY, file=channel, flush=True)
        _silence()
        prepare()
        _set_limits(job["seconds"], job["memory"])
        outcome = _outcome(question, job)
    print(json.dumps(outcome), file=channel, flush=True)
    end(0)


def _outcome(question, job):
    """{"answers": …}, {"nothing": is it unwritten?}, {"refused": why}, or {"stopped": […]}."""
    try:
        attempt = _defined(question, job)
        said = _judging.at_first_sight(question, attempt)
        if said == _judging.UNWRITTEN:
            return {"nothing": True}
        if said is not None:
            return {"refused": said.message}
        answers = answers_of(attempt, question, job["seconds"])
        if _judging.is_nothing(answers[0]):
            return {"nothing": is_unwritten(attempt)}
        return {"answers": written(answers)}
    except Stopped as stopped:
        return {"stopped": [str(stopped), written(stopped.answers)]}
    except Refused as refused:
        return {"refused": str(refused)}
    except RecursionError:
        return {"refused": "your answer is a list in a list in a list …, too deep to be read"}


def _defined(question, job):
    """What the source defines: what it calls `function`, or the last one of the wanted kind."""
    names = {"__name__": "attempt"}
    lines = job["source"].splitlines(keepends=True)
    linecache.cache[FILE] = (len(job["source"]), None, lines, FILE)
    try:
        limited(lambda run: run(partial(_executed, job["source"], names)), job["seconds"])
    except TimeoutError:
        raise Refused(late(job["seconds"])) from None
    if job["function"] is not None:
        if job["function"] not in names:
            raise Refused(f"your code defines no {job['function']}")
        return _handed_in(names, job["function"])
    wanted = _own_function if callable(question.reference) else _own_value
    found = [value for name, value in names.items() if wanted(name, value)]
    if not found:
        kind = "function" if callable(question.reference) else "value"
        raise Refused(f"your code defines no {kind}")
    return found[-1]


def _handed_in(names, name):
    """What is called `name`; what is no function of the attempt's own, as called by the attempt.

    So the package's own function is refused even where the attempt only gives it another name.
    """
    value = names[name]
    if not callable(value) or _own_function(name, value):
        return value
    if str(getattr(value, "__module__", "")).partition(".")[0] == "ddpm_lab":
        raise Refused(_sealing.told(value))
    names["__handed_in__"] = value
    call = "lambda *args, **kwargs: __handed_in__(*args, **kwargs)"
    return eval(compile(call, FILE, "eval"), names)


def _executed(source, names):
    failure = None
    try:
        exec(compile(source, FILE, "exec"), names)
    except BaseException as error:
        failure = error
    if type(failure) is Closed:
        raise Refused(one_line(str(failure)))
    if failure is not None:
        raise Refused(in_words(failure).replace("your function", "your code", 1))


def _own_function(name, value):
    return type(value) is FunctionType and value.__code__.co_filename == FILE


def _own_value(name, value):
    return not (name.startswith("__") or callable(value) or type(value) is type(sys))


def _silence():
    """What is printed from now on, by Python or by C, goes nowhere; nothing can be read."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)


def _set_limits(seconds, memory):
    """What the system itself enforces, where it can: seconds of processor time, and memory."""
    with suppress(ImportError):  # Windows has no such limits
        import resource

        # Its own clock ends an attempt after `seconds`, twice at most: here ends what it cannot.
        most = int(time.process_time() + 2 * seconds) + 2
        _set(resource, "RLIMIT_CPU", most, most + 1)
        _set(resource, "RLIMIT_CORE", 0, 0)
        _set(resource, "RLIMIT_FSIZE", LARGEST_FILE, LARGEST_FILE)
        with suppress(OSError):  # only Linux says how much there is already
            with open("/proc/self/statm", encoding="ascii") as file:
                now = int(file.read().split()[0]) * resource.getpagesize()
            _set(resource, "RLIMIT_AS", now + memory, now + memory)


def _set(resource, name, soft, hard):
    with suppress(ValueError, OSError, AttributeError):  # a lower limit may hold already
        resource.setrlimit(getattr(resource, name), (soft, hard))


if __name__ == "__main__":
    main()
