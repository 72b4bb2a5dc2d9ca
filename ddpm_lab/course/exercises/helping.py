"""Help on demand: the next hint, the worked solution, and how far you are."""

from collections import Counter
from html import escape

from ddpm_lab.course.exercises import _registry, _show, _solutions, _tries
from ddpm_lab.course.exercises.help import help_for

TRIES = 3
"""After so many different wrong tries the solution is shown when first asked for."""

_hinted: Counter[str] = Counter()
_asked: Counter[str] = Counter()


def hint(name: str) -> None:
    """Show the next hint for an exercise; each helps more than the one before.

    Raises
    ------
    ValueError
        If there is no such exercise.

    >>> hint("forward.step")  # doctest: +ELLIPSIS
    Hint 1 of 2 for forward.step: One step shrinks x a little...
    """
    _registry.exercise(name)
    hints = help_for(name).hints
    number = min(_hinted[name] + 1, len(hints))
    _hinted[name] += 1
    text = f"Hint {number} of {len(hints)} for {name}: {hints[number - 1]}"
    if _hinted[name] > len(hints):
        text += f'\n  That was the last one; solution("{name}") shows the solution.'
    _say(text)


def solution(name: str) -> None:
    """Show the worked solution of an exercise and its reason: after three tries, or if asked twice.

    Raises
    ------
    ValueError
        If there is no such exercise.

    >>> solution("forward.merge")  # doctest: +ELLIPSIS
    forward.merge: ...try first: ... Ask again to see it all the same.
    >>> solution("forward.merge")  # doctest: +ELLIPSIS
    def my_merge(betas):
    ...
    """
    _registry.exercise(name)
    _asked[name] += 1
    left = TRIES - wrong_tries(name)
    solved = any(t.mark == "✓" for t in _tries.tries() if t.exercise == name)
    if _asked[name] == 1 and left > 0 and not solved:
        more = "1 more wrong try" if left == 1 else f"{left} wrong tries"
        _say(
            f"{name}: better try first: hint({name!r}) helps, and after {more} this shows the "
            "solution. Ask again to see it all the same."
        )
        return
    code = _solutions.solution_of(name)
    if code is None:
        _say(f"{name}: this edition holds no solutions; ask your teacher.")
        return
    why = help_for(name).why
    html = f"<pre>{escape(code)}</pre><p>{escape(why)}</p>"
    _show.show(f"{code}\n\nWhy: {why}", html)


def wrong_tries(name: str) -> int:
    """Different wrong tries at an exercise so far.

    >>> wrong_tries("forward.keep_variance")
    0
    """
    return len({t.which for t in _tries.tries() if t.exercise == name and t.mark == "✗"})


def offer(name: str) -> str:
    """What is said under a wrong try.

    >>> offer("forward.step")
    'hint("forward.step") helps on.'
    """
    more = f' solution("{name}") shows how.' if wrong_tries(name) >= TRIES else ""
    return f'hint("{name}") helps on.{more}'


def _say(text):
    _show.show(text, escape(text))


def progress() -> None:
    """Show which exercises you have solved, chapter by chapter, and where to go on.

    >>> progress()  # doctest: +ELLIPSIS
    00 start          0 of 4 ...
    """
    done = {t.exercise for t in _tries.tries() if t.mark == "✓"}
    tried = {t.exercise for t in _tries.tries()} - done
    rows = [(label, keys, [k for k in keys if k in done]) for label, keys in _registry.chapters()]
    lines = [_row(label, keys, got) for label, keys, got in rows]
    total = sum(len(keys) for _, keys, _ in rows)
    following = next((k for _, keys, _ in rows for k in keys if k not in done), None)
    lines.append(
        f"{len(done)} of {total} exercises are right"
        + (f", {len(tried)} are tried. Go on with {following}." if following else ": all of them.")
    )
    _show.show("\n".join(lines), _table(rows, lines[-1]))


def _row(label, keys, got):
    bar = "■" * len(got) + "□" * (len(keys) - len(got))
    return f"{label:<18} {len(got)} of {len(keys)}  {bar}"


def _table(rows, last):
    cells = "".join(
        f'<tr><td style="text-align:left">{escape(label)}</td><td>{len(got)} of {len(keys)}</td>'
        f'<td><progress value="{len(got)}" max="{len(keys)}" aria-label="{escape(label)}">'
        "</progress></td></tr>"
        for label, keys, got in rows
    )
    return f"<table>{cells}</table><p>{escape(last)}</p>"
