"""Puts a verdict where it is seen: in color in a notebook, in plain words everywhere else.

The sign and the words say all that the color says. A notebook keeps both forms; screen readers and
the checks of the chapters read the plain one.
"""

from html import escape

from ddpm_lab import _console
from ddpm_lab.course.exercises._records import Verdict

COLORS = {"✓": "#1a7f37", "✗": "#b42318", "○": "#59636e"}
"""White letters on each are easy to read (5:1 and more), on a light page and on a dark one."""
WORDS = {"✓": "right", "✗": "not yet right", "○": "open"}


def show_verdict(verdict: Verdict, name: str, offer: str = "") -> None:
    """One line about an attempt, and under it what helps on.

    >>> show_verdict(Verdict("○", "not yet"), "forward.step")
    ○ forward.step: not yet
    """
    text = f"{verdict.mark} {name}"
    text = f"{text}: {verdict.message}" if verdict.message else text
    sign = (
        f'<span style="background:{COLORS[verdict.mark]};color:#fff;border-radius:4px;'
        f'padding:1px 7px;white-space:nowrap">{verdict.mark} {WORDS[verdict.mark]}</span>'
    )
    rest = f": {escape(verdict.message)}" if verdict.message else ""
    below = f"<br><small>{escape(offer)}</small>" if offer else ""
    html = f"{sign} <b>{escape(name)}</b>{rest}{below}"
    show(f"{text}\n  {offer}" if offer else text, html)


def show(text: str, html: str) -> None:
    """Show html in a notebook, and the text everywhere else."""
    if in_notebook():
        from IPython.display import display

        block = f'<div role="status" style="margin:3px 0">{html}</div>'
        display({"text/plain": text, "text/html": block}, raw=True)
    else:
        _console.say(text)


def in_notebook() -> bool:
    """Does this run in a notebook's kernel?

    >>> in_notebook()
    False
    """
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None
