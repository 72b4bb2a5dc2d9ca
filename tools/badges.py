"""The README's badges: `python -m tools badges [OWNER/NAME]` writes them.

A badge is a drawing in docs/badges of what this repository says of itself, so none is missing
offline or before there is an address. With OWNER/NAME, the place on GitHub, the line also shows how
the workflows stand, and has buttons that open the first chapter on Colab and on Binder.
"""

from __future__ import annotations

import re
import sys
from html import escape

import yaml

from tools.notebooks.sources import ROOT

README, FOLDER = ROOT / "README.md", ROOT / "docs" / "badges"
LINE = re.compile(r"^\[!\[.*$", flags=re.M)
"""The README's line of badges."""
FIRST = "chapters/00_start_here.ipynb"
SYSTEMS = {"ubuntu-latest": "Linux", "macos-latest": "macOS", "windows-latest": "Windows"}
BLUE, GREEN, ORANGE = "#0b5a94", "#1a6b33", "#9c4a00"
"""Dark enough for white letters."""
_LETTER, _HIGH = 6, 20

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{high}" role="img"
 aria-label="{words}">
<title>{words}</title>
<rect width="{width}" height="{high}" rx="3" fill="#444"/>
<path d="M{left} 0h{right}a3 3 0 0 1 3 3v{side}a3 3 0 0 1 -3 3h-{right}z" fill="{color}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{mid_left}" y="14" textLength="{long_left}">{label}</text>
<text x="{mid_right}" y="14" textLength="{long_right}">{value}</text>
</g></svg>
"""


def svg(label: str, value: str, color: str) -> str:
    """A badge of two fields.

    >>> "<title>Python: 3.10</title>" in svg("Python", "3.10", BLUE)
    True
    """
    long_left, long_right = _LETTER * len(label), _LETTER * len(value)
    left, width = long_left + 12, long_left + long_right + 24
    return _SVG.format(
        width=width, high=_HIGH, left=left, right=width - left - 3, side=_HIGH - 6, color=color,
        mid_left=left / 2, mid_right=(left + width) / 2, long_left=long_left,
        long_right=long_right, label=escape(label), value=escape(value),
        words=escape(f"{label}: {value}"),
    )  # fmt: skip


def matrix() -> dict[str, list[str]]:
    """The Pythons and systems on which the workflow `tests` runs."""
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["jobs"]["test"]["strategy"]["matrix"]


def drawings() -> dict[str, str]:
    """{file in docs/badges: SVG}."""
    tried = matrix()
    systems = " · ".join(SYSTEMS[name] for name in tried["os"])
    return {
        "python.svg": svg("Python", f"{tried['python'][0]} to {tried['python'][-1]}", BLUE),
        "systems.svg": svg("CI", systems, GREEN),
        "license.svg": svg("license", "MIT · CC BY 4.0", BLUE),
        "colab.svg": svg("open in", "Colab", ORANGE),
        "binder.svg": svg("open in", "Binder", ORANGE),
    }


def line(repository: str = "") -> str:
    """The badges in Markdown; with a repository OWNER/NAME, also those that need its address."""
    pythons = matrix()["python"]
    found = [
        f"[![Python {pythons[0]}–{pythons[-1]}](docs/badges/python.svg)](pyproject.toml)",
        "[![Linux, macOS, Windows](docs/badges/systems.svg)](.github/workflows/tests.yml)",
        "[![MIT license](docs/badges/license.svg)](LICENSE)",
    ]
    if repository:
        home = f"https://github.com/{repository}"
        colab = f"https://colab.research.google.com/github/{repository}/blob/main/{FIRST}"
        binder = f"https://mybinder.org/v2/gh/{repository}/main?labpath={FIRST}"
        found += [
            f"[![{name}]({home}/actions/workflows/{name}.yml/badge.svg)]"
            f"({home}/actions/workflows/{name}.yml)"
            for name in ("tests", "chapters")
        ]
        found.append(f"[![Colab](docs/badges/colab.svg)]({colab})")
        found.append(f"[![Binder](docs/badges/binder.svg)]({binder})")
    return " ".join(found)


def repository_of(readme: str) -> str:
    """The OWNER/NAME that a README's badges name; "" if none does.

    >>> repository_of(line("someone/ddpm-lab")), repository_of(line())
    ('someone/ddpm-lab', '')
    """
    found = re.search(r"github\.com/([\w.-]+/[\w.-]+)/actions/workflows/", readme)
    return found[1] if found else ""


def main(words: list[str]) -> int:
    """Draw the badges and put their line into the README."""
    if len(words) > 1 or any(not re.fullmatch(r"[\w.-]+/[\w.-]+", word) for word in words):
        print("The repository must be one OWNER/NAME, as in someone/ddpm-lab.", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    for name, text in drawings().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    fresh = line(words[0] if words else repository_of(text))
    README.write_text(LINE.sub(lambda _: fresh, text, count=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
