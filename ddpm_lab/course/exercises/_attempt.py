"""Runs an attempt on the inputs of a question, and brings back copies of its answers.

Whatever an attempt does, there comes a list of answers or one line: an exception is put into words,
changed inputs are noticed, and what all share is put back.
"""

import ast
import inspect
import sys
import zlib
from functools import partial
from pathlib import Path
from textwrap import dedent
from types import FunctionType
from typing import Any

import torch

from ddpm_lab.course.exercises import _trials
from ddpm_lab.course.exercises._answers import Closed, Refused, Stopped, one_line, plain, type_name
from ddpm_lab.course.exercises._differences import difference
from ddpm_lab.course.exercises._failures import in_words
from ddpm_lab.course.exercises._limit import limited
from ddpm_lab.course.exercises._records import Exercise
from ddpm_lab.course.exercises._state import preserved


def answers_of(attempt: Any, question: Exercise, seconds: float) -> list[Any]:
    """The attempt's answer to each trial, within a limit of processor time.

    Raises
    ------
    Refused
        With the line to tell, if it gives no answers; `Stopped`, if it gave some.
    """
    untouched = list(_trials.trials(question))
    try:
        return limited(partial(_attempted, attempt, question, untouched), seconds)
    except TimeoutError:
        raise Refused(late(seconds)) from None


def late(seconds: float) -> str:
    """What is said of an attempt that works on and on."""
    return f"no answer after {seconds:g} seconds; is there a loop without an end?"


def is_unwritten(attempt: Any) -> bool:
    """Is the body of a function a docstring and `...` at most, as far as its source is known?"""
    if type(attempt) is not FunctionType:
        return False
    try:
        body = _function_body(attempt.__code__)
    except Exception:  # no source, or one that cannot be read
        return True
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )


def fingerprint(attempt: Any) -> str:
    """By which the same attempt is known again."""
    try:
        text = inspect.getsource(attempt)
    except Exception:
        code = getattr(attempt, "__code__", None)
        text = repr((code.co_code, code.co_names)) if code else one_line(repr(plain(attempt)))
    return f"{zlib.crc32(text.encode('utf-8', 'replace')):08x}"


def _function_body(code):
    named = code.co_filename.startswith("<")  # a cell, not a file
    if not (named or Path(code.co_filename).is_file()):
        raise OSError("not a file")
    found = ast.parse(dedent(inspect.getsource(code))).body[0]
    if not isinstance(found, ast.FunctionDef):
        raise TypeError("not a def")
    return found.body


def _attempted(attempt, question, untouched, run):
    """The answers; `run` calls what is the attempt's own, within a limit."""
    answers = []
    with preserved() as common:
        for trial, before in zip(list(_trials.trials(question)), untouched):
            try:
                answer = run(partial(_called, attempt, trial, question.stops))
            except Stopped as stopped:
                stopped.answers = answers
                raise
            common.put_names_back()
            common.mute_output()  # what it prints in one case is enough
            answers.append(run(partial(_copied, answer, trial)))
            if run(partial(_changed, trial.args, before.args)):
                raise Refused(
                    "your function changes what it is given; work on a copy: x.clone(), list(x)"
                )
    return answers


def _called(attempt, trial, stops):
    hooks: Any = ((sys.setprofile, sys.getprofile()), (sys.settrace, sys.gettrace()))
    answer = failure = None
    try:
        answer = trial.ask(attempt)
    except BaseException as error:  # SystemExit, too: an attempt must not end the notebook
        failure = BaseException.with_traceback(error, None)  # lets go of what its frames hold
    for put_back, before in hooks:  # at once, for they follow every step of ours
        try:
            put_back(before)
        except BaseException:  # the attempt's hook has just had its last word
            put_back(before)
    if type(failure) is Closed:
        raise Refused(one_line(str(failure)))
    if failure is not None:
        raise Stopped(f"{in_words(failure, attempt, stops)} (for {trial.label})")
    return answer


def _copied(answer, trial):
    try:
        return plain(answer)
    except Refused:
        raise
    except BaseException as error:
        name = type_name(error)
    raise Refused(f"your answer cannot be read; trying to ends with {name} (for {trial.label})")


def _changed(args, untouched):
    """Are the inputs no longer what they were?"""
    try:
        return any(difference(_input(x), _input(y)) for x, y in zip(args, untouched))
    except Exception:  # it has become something that cannot even be looked at
        return True


def _input(x):
    """An input as a plain copy; of a network its weights, of a function nothing."""
    if isinstance(x, torch.nn.Module):
        x = list(x.state_dict().values())
    return 0 if isinstance(x, FunctionType) else plain(x)
