"""The worked solution of an exercise, as it stands in the source of its chapter.

An edition for students leaves the chapters' sources out; then there is none to show.
"""

import re

from ddpm_lab._installed import course_folder

_MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")


def solution_of(name: str) -> str | None:
    """The solved cell of an exercise, without its check; None in an edition without solutions.

    >>> print(solution_of("forward.merge"))  # doctest: +ELLIPSIS
    def my_merge(betas):
    ...
        return factor, var
    """
    for file in sorted((course_folder() / "source").glob("[0-9]*.py")):
        for cell in re.split(r"^# %%.*\n", file.read_text(encoding="utf-8"), flags=re.M):
            if f'check("{name}"' in cell:
                return _without_check(cell)
    return None


def _without_check(cell):
    lines = [line for line in cell.split("\n") if line.strip() not in _MARKERS]
    end = next(i for i, line in enumerate(lines) if "check(" in line)
    return "\n".join(lines[:end]).strip()
