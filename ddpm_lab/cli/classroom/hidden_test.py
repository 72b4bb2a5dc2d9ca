"""For nbgrader: a hidden test judges an answer as `ddpm-lab class grade` judges a hand-in.

`tools/chapters.py release` writes one call of `require` under each exercise. What is judged is the
text of the answer, in a process of its own and on the student's inputs; so it makes no difference
what the notebook has done to `check`, or to the name of the answer.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from ddpm_lab.cli.classroom import handins
from ddpm_lab.cli.classroom.roster import seed_of
from ddpm_lab.course.exercises.grading import Grade, grade


def require(
    name: str, usual: str, cells: Sequence[str], *, secret: str, student: str | None = None
) -> None:
    """Raise AssertionError, with what to tell the learner, unless an answer is right.

    Parameters
    ----------
    name : such as "forward.marginal"
    usual : what the chapter calls the attempt
    cells : the sources of all cells that have been run, as IPython keeps them in `In`
    secret, student : choose the inputs; by default nbgrader's folder says who the student is

    >>> require("start.clean", "clean", ["clean = ..."], secret="s", student="s01")
    Traceback (most recent call last):
    AssertionError: start.clean: not yet
    """
    made = [{"cell_type": "code", "source": source} for source in cells]
    attempt = handins.attempts(json.dumps({"cells": made}), {name: usual})[name]
    found = _judged(name, attempt, seed_of(secret, student or Path.cwd().parent.name))
    if found.status != "passed":
        raise AssertionError(f"{name}: {found.message or found.status}")


def _judged(name, attempt, seed):
    if attempt.is_open or not attempt.source:
        return Grade("not yet", "not yet")
    return grade(name, attempt.source, function=attempt.function, seed=seed)
