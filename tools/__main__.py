"""Commands for authors; each installs first what it needs besides the set-up of lab.py.

python -m tools lint        ruff, codespell, and pyright for the types
python -m tools format      what ruff can mend by itself
python -m tools notebooks   build all chapters, or those named: notebooks 05
python -m tools site        the course as web pages, into build/site/html
python -m tools browser     tests in a real JupyterLab in Chromium
python -m tools mutants     would the tests notice a mistake?
python -m tools bench       how fast and how good, beside other packages; 20 minutes, on a
                            machine that does nothing else
python -m tools slides      slides of all chapters, or of those named: slides 05
python -m tools projector   all explorers on one page with large letters, by Voila
python -m tools badges      the README's badges; with OWNER/NAME, its place on GitHub, all of them
python -m tools lock        the tested versions, anew
(with make: make lint, make format ...)
"""

# Syntax that Python 3.6 can read, as in lab.py, which says that it is too old.
import os
import shutil
import sys
from pathlib import Path

import lab
from lab import names_a_file, run
from tools.setup.place import PYTHON, Problem, say

MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
LINTERS = [
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["codespell_lib", "."],  # its settings, and pyright's, stand in pyproject.toml
    ["pyright", "--pythonpath", str(PYTHON)],
]


def lint(extra, run=run):
    """Every linter, whatever the ones before it said; words go on to the first."""
    failed = []
    for words in LINTERS:
        if run("-m", *words, *(extra if words == LINTERS[0] else [])):
            failed.append(words[0])
    if failed:
        say("FAILED: {}.".format(", ".join(failed)))
    return 1 if failed else 0


def reformat(extra):
    run("-m", "ruff", "check", "--fix-only", ".", *extra)
    return run("-m", "ruff", "format", ".")


def chromium(which=shutil.which):
    """Where the browser is; a Problem if there is none."""
    names = ["chromium", "chromium-browser", "google-chrome", "chrome"]
    for path in [os.environ.get("CHROMIUM"), *map(which, names), MAC_CHROME]:
        if path and Path(path).exists():
            return path
    raise Problem(
        "This test drives JupyterLab in Chromium, and there is none.\n"
        "Debian, Ubuntu: sudo apt install chromium. Elsewhere install Chromium or Chrome;\n"
        "if it is not found then, set CHROMIUM to the path of the program."
    )


NOT_SITE = "--ignore=tests/browser/test_site_pages.py"  # needs `make site`; then name the file


def browser(extra):
    words = extra if any(map(names_a_file, extra)) else ["tests/browser", NOT_SITE, *extra]
    return run("-m", "pytest", "-q", *words, CHROMIUM=chromium(), OMP_NUM_THREADS="1")


def bench(extra):
    """Speed and quality beside the other packages that are installed; kept in benchmarks/."""
    words = {name: [name] for name in ("moves", "speed", "quality")}
    words["speed_without_16_bit"] = ["speed", "--without-16-bit"]
    for name in extra or words:
        script, *options = words[name]
        options += ["--out", "benchmarks/" + name + ".json"]
        if run("benchmarks/" + script + ".py", *options):
            return 1
    return 0


COMMANDS = {  # name: (what it does with the remaining words, the extras it needs)
    "lint": (lint, ["author"]),
    "format": (reformat, ["author"]),
    "notebooks": (lambda extra: run("tools/chapters.py", "build", *extra, OMP_NUM_THREADS="1"), []),
    "site": (lambda extra: run("-m", "tools.site", *extra, OMP_NUM_THREADS="1"), ["site"]),
    "browser": (browser, ["browser", "teach"]),  # Voila shows the projector's page
    "mutants": (lambda extra: run("tools/mutants.py", *extra, OMP_NUM_THREADS="1"), []),
    "bench": (bench, ["bench"]),
    "slides": (lambda extra: run("-m", "tools.slides", *extra), []),
    "projector": (lambda extra: run("-m", "tools.projector", *extra), ["teach"]),
    "badges": (lambda extra: run("-m", "tools.badges", *extra), []),
    "lock": (lambda extra: run("tools/lock.py", *extra), ["author"]),
}

if __name__ == "__main__":
    sys.exit(lab.main(sys.argv[1:] or ["--help"], COMMANDS, __doc__))
