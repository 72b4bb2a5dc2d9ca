"""Exercises of chapter 15, second part: the choice of a guidance scale."""

import math

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import near

# guidance.choose: a trade-off, judged ------------------------------------------------------------


def _choose(rows, wanted):
    """The scale of least distance among those that are read as asked often enough."""
    return min((row for row in rows if row[1] >= wanted), key=lambda row: row[2])[0]


_READ_WELL = (  # w, share read as asked, distance to real images, its standard error
    (0.0, 0.11, 0.030, 0.004),
    (0.5, 0.81, 0.032, 0.003),
    (0.75, 0.90, 0.013, 0.003),
    (1.5, 0.96, 0.045, 0.003),
    (3.0, 0.98, 0.055, 0.005),
    (4.0, 0.999, 0.210, 0.030),
    (8.0, 0.98, 0.380, 0.001),
)
_NEGATIVE = (  # an energy distance may be negative
    (7.0, 0.99, 0.140, 0.002),
    (0.25, 0.30, -0.055, 0.004),
    (2.5, 0.97, -0.018, 0.004),
    (1.5, 0.94, 0.012, 0.003),
    (0.5, 0.62, -0.036, 0.005),
    (5.0, 0.95, 0.260, 0.006),
    (4.0, 0.96, 0.100, 0.004),
)
_ALIKE = (  # several right answers: not told apart from the smallest distance
    (0.0, 0.004, 0.006, 0.008),
    (0.5, 0.60, 0.030, 0.008),
    (1.0, 0.975, 0.013, 0.008),
    (1.5, 0.97, 0.012, 0.009),
    (2.5, 0.99, 0.070, 0.009),
    (6.0, 0.98, 0.300, 0.010),
)


def _choose_cases():
    shift = near(0.1, spread=0.05) - 0.1  # another ruler, which changes no difference
    for rows, several in (
        (_READ_WELL, (0.9, 0.7, 0.97, 0.985)),
        (_NEGATIVE, (0.95, 0.5, 0.35)),
        (_ALIKE, (0.9, 0.985)),
    ):
        moved = [(w, read, far + shift, error) for w, read, far, error in rows]
        for wanted in several:
            yield Case(f"wanted = {wanted:g}, {len(rows)} rows", (list(moved), wanted))


def _judge_choice(case, answer):
    """Any scale that is read as asked often enough, and near enough to the best of those."""
    rows, wanted = case.args
    row = next((row for row in rows if _is_number(answer, row[0])), None)
    if row is None:
        return f"return the w of one of the rows; you return {_shown(answer)}"
    w, read, distance, stderr = row
    if read < wanted:
        return f"w = {w:g} is read as asked in {read:.0%} only"
    best, _, least, its_stderr = next(row for row in rows if row[0] == _choose(rows, wanted))
    if distance - least > 2 * math.hypot(stderr, its_stderr):
        return f"w = {w:g} is {distance - least:.3f} farther from real images than w = {best:g}"
    return None


def _is_number(answer, w):
    try:
        return not isinstance(answer, (str, list, tuple)) and math.isclose(float(answer), w)
    except (TypeError, ValueError, RuntimeError):
        return False


def _shown(answer):
    return f"{answer:g}" if isinstance(answer, (int, float)) else f"a {type(answer).__name__}"


def _picked(key, *, rows=lambda row, wanted: row[1] >= wanted, column=0):
    """The row of least key among some rows; its w, or another column."""

    def pick(all_rows, wanted):
        some = [row for row in all_rows if rows(row, wanted)]
        return min(some or all_rows, key=key)[column]

    return pick


def _distance(row):
    return row[2]


_ROWS = {
    "nearest to real images, but not showing what was asked: look at the proportion first": (
        lambda row, wanted: True
    ),
    "at least means >=: a row that is read exactly as often as wanted is good enough": (
        lambda row, wanted: row[1] > wanted
    ),
    "the wrong side of wanted: you choose among the rows that are read too rarely": (
        lambda row, wanted: row[1] <= wanted
    ),
    "the wrong side of wanted: you choose among the rows with a proportion below it": (
        lambda row, wanted: row[1] < wanted
    ),
    "wanted is a proportion between 0 and 1, as the rows have it; you read it as percent": (
        lambda row, wanted: row[1] >= wanted / 100
    ),
    "the proportion is the second column; you compare w with wanted": (
        lambda row, wanted: row[0] >= wanted
    ),
}
_KEYS = {
    "the first that is read well enough need not be the nearest: compare the distances": (
        lambda row: 0
    ),
    "that is the smallest w that is read as asked; another one may be nearer: compare distances": (
        lambda row: row[0]
    ),
    "that is the largest w that is read as asked; a smaller one is nearer to real images": (
        lambda row: -row[0]
    ),
    "you take the largest distance; nearest to real images is the smallest": lambda row: -row[2],
    "a distance below 0 is a small one, by chance: do not take its absolute value": (
        lambda row: abs(row[2])
    ),
    "you take the smallest standard error; it says how sure a distance is, not how small": (
        lambda row: row[3]
    ),
    "you take the least proportion that is enough; among those compare the distances": (
        lambda row: row[1]
    ),
    "you trade proportion against distance; once it is enough, only the distance counts": (
        lambda row: -row[1] / row[2]
    ),
    "you subtract the proportion from the distance; once it is enough, only the distance counts": (
        lambda row: row[2] - row[1]
    ),
    "you divide by the standard errors; the smallest distance was asked for": (
        lambda row: row[2] / row[3]
    ),
}
_NOT_W = {
    "return the w of the row that you chose; you return its proportion": 1,
    "return the w of the row that you chose; you return its distance": 2,
    "return the w of the row that you chose; you return its standard error": 3,
    "return the w of the row that you chose, not the whole row": slice(None),
}


def _unlike_least_of_all(rows, wanted):
    least = min(rows, key=_distance)
    alike = [row for row in rows if row[2] <= least[2] + least[3]]
    return max(alike, key=lambda row: row[1])[0]


CHOOSE = Exercise(
    reference=_choose,
    cases=_choose_cases,
    judge=_judge_choice,
    stops={
        "empty sequence": "no row is left to choose from; which rows have at least what is wanted?"
    },
    wrong={
        **{hint: _picked(_distance, rows=rows) for hint, rows in _ROWS.items()},
        **{hint: _picked(key) for hint, key in _KEYS.items()},
        **{hint: _picked(_distance, column=place) for hint, place in _NOT_W.items()},
        "the best read is not the best: beyond what was wanted, agreement costs variety": (
            lambda rows, wanted: max(rows, key=lambda row: row[1])[0]
        ),
        "more guidance is not more quality: look at the distance": (
            lambda rows, wanted: max(row[0] for row in rows)
        ),
        "you return the largest proportion; return the w of the row that you chose": (
            lambda rows, wanted: max(row[1] for row in rows)
        ),
        "the last that is read well enough need not be the nearest: compare the distances": (
            lambda rows, wanted: [row[0] for row in rows if row[1] >= wanted][-1]
        ),
        "at least wanted, not as near to it as possible: among those compare the distances": (
            lambda rows, wanted: min(rows, key=lambda row: abs(row[1] - wanted))[0]
        ),
        "you return the place of the row in the list; return its w": (
            lambda rows, wanted: [row[0] for row in rows].index(_choose(rows, wanted))
        ),
        "the smallest distance of ALL rows does not count: first leave out those read too rarely": (
            _unlike_least_of_all
        ),
        "you return several; any one of them is right, but return one": (
            lambda rows, wanted: [row[0] for row in rows if row[1] >= wanted]
        ),
    },
)
