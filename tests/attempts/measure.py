"""How the exercises treat the attempts: counted per exercise.

    python -m tests.attempts.measure [NAME ...]      exercises or groups, such as forward; -v lists

Fails if a wrong attempt is accepted, a right one refused, or more than one wrong one in twenty gets
no more than numbers: 0 accepted, 0 refused, at least 95 % named.
"""

import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

from ddpm_lab.course import exercises
from tests.attempts import ATTEMPTS

KINDS = ("accepted", "refused", "bare", "named", "right")


def load() -> None:
    """Read the attempts of all chapters."""
    for path in sorted(Path(__file__).parent.glob("ch*.py")):
        import_module(f"tests.attempts.{path.stem}")


def outcome(attempt) -> tuple[str, str]:
    """One of KINDS, and what was said."""
    verdict = exercises.verdict(attempt.exercise, attempt.answer)
    passed = verdict.mark == "✓"
    if attempt.is_right:
        return ("right" if passed else "refused"), verdict.message
    return ("accepted" if passed else "named" if verdict.named else "bare"), verdict.message


NAMED = 0.95
"""Share of the wrong attempts whose mistake must be named."""


def of_exercise(name: str) -> list[tuple[str, str, str]]:
    """(kind, what was handed in, what was said) for each attempt at an exercise."""
    load()
    attempts = [attempt for attempt in ATTEMPTS if attempt.exercise == name]
    found = [(attempt.what, *outcome(attempt)) for attempt in attempts]
    return [(kind, what, said) for what, kind, said in found]


def main() -> int:
    """Print what was found; 0 if it is good enough."""
    wanted = [word for word in sys.argv[1:] if word != "-v"]
    names = [n for n in exercises.names() if not wanted or {n, n.partition(".")[0]} & {*wanted}]
    quiet = () if "-v" in sys.argv else ("named", "right")
    table: dict[str, Counter] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, found in zip(names, pool.map(of_exercise, names)):
            table[name] = Counter(kind for kind, _, _ in found)
            for kind, what, said in found:
                if kind not in quiet:
                    print(f"{kind:9}{name}: {what}\n         {said}", flush=True)
    print(f"\n{'':28}{''.join(f'{kind:>10}' for kind in KINDS)}")
    total: Counter = Counter()
    for name, counts in table.items():
        print(f"{name:28}{''.join(f'{counts[kind]:10}' for kind in KINDS)}")
        total += counts
    print(f"{'all':28}{''.join(f'{total[kind]:10}' for kind in KINDS)}")
    share = total["named"] / max(1, total["named"] + total["bare"] + total["accepted"])
    print(f"of the wrong ones {share:.1%} are named")
    return int(total["accepted"] > 0 or total["refused"] > 0 or share < NAMED)


if __name__ == "__main__":
    sys.exit(main())
