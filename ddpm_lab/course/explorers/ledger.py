"""True, false, or under which condition? The ledger of claims, one by one (chapter 18)."""

import textwrap
from functools import cache
from typing import Any, get_args

import ipywidgets as widgets
import numpy as np

from ddpm_lab.course import claims, figures
from ddpm_lab.course.claims import game
from ddpm_lab.course.diagrams import draw_evidence
from ddpm_lab.course.explorers._controls import Buttons, Count, Menu
from ddpm_lab.course.explorers._drawing import Drawing, ready
from ddpm_lab.course.explorers._explorer import Explorer, explore, in_columns
from ddpm_lab.course.style import BLUE, RED

QUESTION = "True, false, or under which condition?"
WIDTH = 8.4  # inches
GUESSES = ("no guess", "true", "false", "condition")

THEMES = tuple(theme for theme in get_args(claims.Theme) if game.in_round(theme))
CONTROLS = {
    "theme": Menu("theme", THEMES[0], "A round of the game", THEMES),
    "claim": Count("claim", 1, "Its place in the round; the last one if there are fewer", 1, 13),
    "guess": Buttons("your guess", GUESSES[0], "Uncovers the verdict and the evidence", GUESSES),
}


def true_or_false(**state: Any) -> Explorer:
    """True, false, or under which condition? A theme, a claim and a guess; the verdict and its
    evidence, which is computed there and then.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> true_or_false(theme="bayes")
    True, false, or under which condition? E27 (1 of 12 in bayes): Seven heads in ten
    tosses, every bias equally likely before: the evidence is about 0.1. No guess yet.
    """
    return explore(CONTROLS, drawing, state, _covered)


def _covered(controls: dict[str, Any]) -> widgets.Widget:
    """The panel; another claim covers the verdict again."""
    for name in ("theme", "claim"):
        controls[name].observe(lambda _: setattr(controls["guess"], "value", GUESSES[0]), "value")
    return in_columns(controls)


def drawing() -> Drawing:
    """Above: the claim, and after a guess the verdict and what holds. Below: the evidence.

    >>> drawing().update(theme="bayes", claim=1, guess="true").split("; ")[-1][:22]
    'the verdict is: loose.'
    """
    figure, ax = figures.new(width=WIDTH, height=5.2)
    ax.set_axis_off()
    look: Any = {"va": "top", "fontsize": 10, "linespacing": 1.25}
    said = figure.text(0.01, 0.915, "", style="italic", **look)
    verdict = figure.text(0.01, 0.8, "", weight="bold", **look)
    correct = figure.text(0.01, 0.76, "", **look)
    page = figure.figimage(_blank(), 8, 4)

    def update(theme, claim, guess):
        chosen = game.in_round(theme)
        one = chosen[min(claim, len(chosen)) - 1]
        open_verdict = guess != GUESSES[0]
        said.set_text(textwrap.fill(f"{one.id}: {one.said}", 104))
        color = BLUE if game.ANSWER[one.verdict] == guess else RED
        verdict.set(text=f"Verdict: {one.verdict}" if open_verdict else "", color=color)
        correct.set_text(textwrap.fill(one.correct, 104) if open_verdict else "")
        page.set_data(_picture(one.id) if open_verdict else _blank())
        about = f"{one.id} ({chosen.index(one) + 1} of {len(chosen)} in {theme}): {one.said}"
        return f"{QUESTION} {about} {_found(one, guess) if open_verdict else 'No guess yet.'}"

    return ready(figure, QUESTION, [said, verdict, correct, page], update)


def _found(one, guess):
    numbers = _evidence(one.id).numbers
    return (
        f"You say {guess}; the verdict is: {one.verdict}. The check computes {len(numbers)} "
        f"numbers, first {numbers[0].what}: {numbers[0].shown}."
    )


@cache
def _evidence(id):
    """What a check finds, once in a session."""
    return claims.LEDGER[id].check()


@cache
def _picture(id):
    """(H, W, 4) pixels of the evidence: drawn once, then shown in no time."""
    figure, ax = figures.new(width=WIDTH - 0.25, height=2.6)
    evidence = _evidence(id)
    draw_evidence(ax, evidence)
    # placed by hand: to look for room would take longer than to draw
    figure.set_layout_engine("none")
    ax.set_position((0.01, 0.02, 0.98, 0.96) if evidence.plot is None else (0.12, 0.2, 0.86, 0.76))
    return _pixels(figure)


@cache
def _blank():
    figure, ax = figures.new(width=WIDTH - 0.25, height=2.6)
    ax.set_axis_off()
    ax.text(0.5, 0.5, "Guess, and the evidence appears here.", ha="center", fontsize=11)
    return _pixels(figure)


def _pixels(figure):
    figure.canvas.draw()
    return np.array(figure.canvas.buffer_rgba())
