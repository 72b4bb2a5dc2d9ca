"""`ddpm-lab claims`: does every check of the ledger of claims hold here?

Without claims it runs all checks and prints a line for each; with claims, such as E66, it shows
each in full and draws its evidence.
"""

import shutil
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddpm_lab import _console
from ddpm_lab.cli import options

if TYPE_CHECKING:  # torch takes a second to import, and `--help` shall be quick
    from ddpm_lab.course.claims import Claim, Evidence

THEMES = (
    "bayes", "estimators", "elbo", "forward", "schedules", "posterior", "bound", "predictions",
    "reverse", "practice",
)  # fmt: skip
WIDE = 88  # characters of a line at most


def add(commands) -> None:
    """Add `claims` to a parser's commands."""
    text = "check what is said about diffusion models, claim by claim"
    note = (
        "Without claims: runs the checks and prints a line for each; the exit status is 1 if one\n"
        "does not hold. All take about a minute. With claims, such as E66 or 66: shows each in\n"
        "full and draws its evidence into E66.png in the current folder. A file that is there\n"
        "already stays as it is, unless --picture names it."
    )
    parser = options.command(commands, "claims", run, text, note)
    parser.add_argument(
        "ids", metavar="CLAIM", nargs="*", help="its number in the ledger; default: all"
    )
    parser.add_argument(
        "--theme", metavar="THEME", choices=THEMES, nargs="+", action="extend",
        help=f"only these themes: {', '.join(THEMES)}",
    )  # fmt: skip
    parser.add_argument(
        "--picture", metavar="FILE", help="draw the evidence of one claim into this .png"
    )
    parser.add_argument("--no-picture", action="store_true", help="draw nothing")


def run(args) -> int:
    """Check, and say what was found; the exit status."""
    from ddpm_lab.course import claims

    if args.ids and args.theme:
        raise ValueError("--theme must stand alone; got claims besides. Leave one of them out.")
    chosen = [_claim(text, claims.LEDGER) for text in args.ids]
    _check_picture(args, chosen)
    if chosen:
        held = [_show(one, args) for one in chosen]  # all are shown, whether they hold or not
        return int(not all(held))
    themes = args.theme or THEMES
    return _check([one for one in claims.LEDGER.values() if one.theme in themes])


def _claim(text, ledger):
    """The claim that somebody means by E66, e66 or 66."""
    from ddpm_lab import _checks

    name = f"E{text.upper().removeprefix('E'):0>2}"
    if name not in ledger:
        advice = _checks.nearest([name], ledger, f"See them all: {options.program()} claims")
        raise ValueError(
            f"CLAIM must be one of the {len(ledger)} in the ledger; got {text}. {advice}"
        )
    return ledger[name]


def _check_picture(args, chosen):
    """Refuse a picture that cannot be drawn, before the work is done."""
    from ddpm_lab import _files

    if args.picture is None:
        return
    if len(chosen) != 1 or args.no_picture:
        raise ValueError(
            f"--picture must name the file for one claim; got {len(chosen)} claims. Name one, or "
            "leave --picture out: then E66 is drawn into E66.png."
        )
    if Path(args.picture).suffix.lower() != ".png":
        raise ValueError(f"--picture must end in .png; got {args.picture}.")
    _files.check_writable(args.picture)


# ------------------------------------------------------------------------------ all, a line each


def _check(chosen):
    """Run the checks, a line each; 0 if all of them hold."""
    start, failed = time.monotonic(), []
    for one in chosen:
        failed += [] if _line(one) else [one.id]
    took = f"{time.monotonic() - start:.0f} s"
    if failed:
        _console.say(f"{len(failed)} of {len(chosen)} do not hold: {', '.join(failed)}. {took}")
    else:
        _console.say(f"All {len(chosen)} hold. {took}")
    return int(bool(failed))


def _line(one: "Claim") -> bool:
    """Run one check and print its line, and what is wrong where it does not hold."""
    start = time.monotonic()
    evidence, error = _evidence(one)
    holds = evidence is not None and evidence.holds
    end = f"{time.monotonic() - start:6.1f} s {'✓' if holds else '✗'}"
    room = _width() - len(end) - 2  # a console without ✗ says BAD
    said = f"{one.id:<5} {one.verdict:<17}  {' '.join(one.said.split())}"
    _console.say(f"{_cut(said, room):<{room}}{end}")
    wrong = [error] if evidence is None else [_number(n) for n in evidence.numbers if not n.holds]
    for each in wrong:
        _say_wrapped(each, "      ")
    sys.stdout.flush()
    return holds


def _evidence(one) -> "tuple[Evidence | None, str]":
    """What a check finds; or None, and the error that it ended with."""
    try:
        return one.check(), ""
    except Exception as error:  # a check that cannot be run is one that does not hold
        return None, f"{type(error).__name__}: {error}"


def _cut(text, room):
    return text if len(text) <= room else text[: room - 3].rstrip() + "..."


def _width():
    """Characters in a line: the terminal's, at least 60 and at most 88."""
    return min(max(shutil.get_terminal_size((WIDE, 24)).columns, 60), WIDE)


# ------------------------------------------------------------------------------ one in full


def _show(one: "Claim", args: Any) -> bool:
    """Print a claim in full and draw it; does it hold?"""
    evidence, error = _evidence(one)
    _console.say(f"{one.id} · theme {one.theme}")
    rows = {"said": one.said, "verdict": one.verdict, "correct": one.correct}
    rows |= {"taught": one.taught, "source": f"study notes {one.source}"}
    for name, text in rows.items():
        _say_wrapped(text, f"  {name:<9}")
    if evidence is None:
        _say_wrapped(f"✗ {error}", "  ")
        return False
    for number in evidence.numbers:
        _say_wrapped(_number(number), f"  {'✓' if number.holds else '✗'} ")
    if not args.no_picture:
        _draw(one, evidence, args.picture)
    _console.say("")
    return evidence.holds


def _number(number):
    return f"{number.what}: {number.shown}, wanted {number.wanted}"


def _say_wrapped(text, first):
    """Print a paragraph; its lines after the first one stand under its beginning."""
    after = " " * len(first)
    for line in textwrap.wrap(text, _width(), initial_indent=first, subsequent_indent=after):
        _console.say(line)


def _draw(one, evidence, asked):
    """Write the picture; one that nobody asked for disturbs no file, and may fail."""
    from ddpm_lab import _files
    from ddpm_lab.course import diagrams, figures

    path = Path(asked or f"{one.id}.png")
    if asked is None and path.exists():
        return _console.say(f"  {path} is there already and stays; --picture FILE draws another")
    try:
        _files.write_whole(path, figures.png(diagrams.claim_evidence(one, evidence), scale=2))
        _console.say(f"  picture  {path}")
    except OSError as error:
        if asked is not None:
            raise
        print(f"{error} Or say --no-picture.", file=sys.stderr)
