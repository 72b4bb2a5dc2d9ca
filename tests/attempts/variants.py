"""Chapters go on with any accepted answer, of whatever type.

    python -m tests.attempts.variants STYLE [CHAPTER ...]       such as: numpy 05 06

Runs solved chapters in which every exercise's solution answers in another style (numpy arrays,
lists, float32, one number in a box): each must be accepted, and every cell after it must run.
"""

import asyncio
import sys
from functools import wraps

import nbformat
import numpy as np
import torch

from ddpm_lab.course import exercises
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import Schedule


def as_numpy(x):
    """Arrays and numpy's numbers."""
    if isinstance(x, torch.Tensor):
        return x.detach().numpy()
    if isinstance(x, tuple) and not isinstance(x, Gaussian):
        return np.array([as_numpy(part) for part in x])
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        return np.float64(x) if isinstance(x, float) else np.int64(x)
    return [as_numpy(part) for part in x] if type(x) is list else x


def as_lists(x):
    """Lists and plain numbers."""
    if isinstance(x, torch.Tensor):
        return x.tolist()
    if type(x) in (list, tuple):
        return [as_lists(part) for part in x]
    return x


def as_float32(x):
    """float32, and a tensor for a number or a pair."""
    if isinstance(x, torch.Tensor):
        return x.float() if x.is_floating_point() else x
    if isinstance(x, float):
        return torch.tensor(x)
    if type(x) is tuple and all(isinstance(part, (float, torch.Tensor)) for part in x):
        return torch.stack([torch.as_tensor(part).float() for part in x])
    return [as_float32(part) for part in x] if type(x) is list else x


def as_box(x):
    """One number in a box: shape (1,)."""
    if isinstance(x, torch.Tensor) and x.ndim == 0:
        return x.reshape(1)
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        return torch.tensor([x])
    return x


STYLES = {"numpy": as_numpy, "lists": as_lists, "float32": as_float32, "box": as_box}


def install(style: str) -> None:
    """From now on every answer that is checked comes in another style, and must be accepted."""
    change, check = STYLES[style], exercises.check

    def checked(name, attempt):
        question = exercises.exercise(name)
        if (question.gradients or question.judge) and style in ("numpy", "lists"):
            return check(name, attempt)
        if not callable(attempt):
            right = exercises.verdict(name, attempt).mark == "✓"
            return accepted(name, change(attempt)) if right else check(name, attempt)

        @wraps(attempt)
        def other(*args, **kwargs):
            answer = attempt(*args, **kwargs)
            return answer if isinstance(answer, Schedule) else change(answer)

        return accepted(name, other)

    def accepted(name, answer):
        use = check(name, answer)
        verdict = exercises.verdict(name, answer)
        assert verdict.mark == "✓", f"{name} as {style}: {verdict.message}"
        return use

    exercises.check = checked


def main() -> int:
    """Run the chapters; 0 if all go on to their end."""
    from tools.notebooks.running import clean_room, execute
    from tools.notebooks.sources import ROOT, ChapterError, chapters, read

    failed = 0
    with clean_room(ROOT) as env:
        for chapter in chapters(ROOT, sys.argv[2:]):
            notebook = read(chapter.source, solved=True)
            first = f"from tests.attempts import variants\nvariants.install({sys.argv[1]!r})"
            notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
            try:
                asyncio.run(execute(notebook, ROOT / "chapters" / "solutions", env, 3600))
                print(f"ok      {chapter.slug}", flush=True)
            except ChapterError as error:
                failed += 1
                print(f"FAILED  {chapter.slug}: {str(error)[-1500:]}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
