"""Lint: what a stored notebook may hold and show. Nothing is run."""

from __future__ import annotations

import ast
import html
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from tools import printed
from tools.notebooks import colab
from tools.notebooks.detours import borrowed
from tools.notebooks.exercises import checks_in, exercises
from tools.notebooks.mathematics import math_problems
from tools.notebooks.minutes import DETOUR, LONGEST
from tools.notebooks.rules import on_notebooks, plain, without_code
from tools.notebooks.sources import METADATA, minutes_of, read, solution_lines, tags
from tools.notebooks.stored import WIDGET_VIEW, texts

TAGS = {"exercise", "solution", "demo"}
MIME_TYPES = {"text/plain", "text/html", "text/latex", "text/markdown", "image/png"}


@on_notebooks
def lint(chapter, notebook, path, solved, root) -> Iterator[str]:
    """The house rules for what a notebook holds and shows."""
    size = path.stat().st_size
    if size > 2_500_000:
        yield f"has {size / 1e6:.1f} MB; at most 2.5 MB, or GitHub may not show it"
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "its kernel is not named python3"
    if "widgets" in notebook.metadata:
        yield "holds the state of widgets; GitHub then calls it invalid"
    for name in sorted(set(notebook.metadata) - set(METADATA) - {"widgets"}):
        yield f"holds metadata {name!r}, which the build does not write"

    first = notebook.cells[0] if notebook.cells else {}
    if first.get("cell_type") != "markdown" or not first.source.startswith("# "):
        yield "must begin with a Markdown cell that starts with '# Title'"
    ids = [str(cell.get("id")) for cell in notebook.cells]
    for name in sorted({i for i in ids if ids.count(i) > 1}):
        yield f"two cells have the id {name}"

    yield from _lint_minutes(chapter.source)

    names = [check.name for check in exercises(notebook)]
    known = {check.name for check in exercises(read(chapter.source, solved=True))}
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"checks {name!r} twice"
    for name in sorted(set(names) - known):
        yield f"checks {name!r}, which is not in {chapter.source.name}"

    count = 0
    for cell in notebook.cells:
        problems = [*_lint_tags(cell), *_lint_tolerance(cell), *_lint_machine(cell, root)]
        if cell.cell_type == "code":
            count += bool(cell.source.strip())
            if cell.source.strip() and cell.execution_count != count:
                problems.append("was not run in order: build the chapter, do not edit a notebook")
            problems += [*_lint_code(cell), *_lint_outputs(cell.outputs), *_lint_width(cell)]
        else:
            problems += _lint_markdown(cell.source)
        yield from (f"cell {cell.get('id')}: {problem}" for problem in problems)
    if solved:
        text = read(chapter.source, solved=True, markers=True)
        yield from _lint_exercises(text)
        yield from borrowed(text.cells)


def _lint_minutes(source: Path) -> Iterator[str]:
    """A chapter is one sitting, and says how long it is."""
    road = minutes_of(source).road
    if "{road}" not in source.read_text(encoding="utf-8"):
        yield "does not say how long it takes: write {road} into its first cell"
    elif road > LONGEST:
        yield f"its main road takes {road:.0f} minutes; at most {LONGEST}: make detours of parts"


def _lint_tags(cell) -> Iterator[str]:
    for tag in tags(cell):
        if re.match("nbval-|raises-exception|skip-execution", tag):
            yield f"tag {tag!r} would hide it from the tests"
        elif tag not in TAGS and (cell.get("id"), tag) != (colab.ID, colab.TAG):
            yield f"unknown tag {tag!r}; known are {', '.join(sorted(TAGS))}"


def _lint_tolerance(cell) -> Iterator[str]:
    """A tolerance is for numbers that a cell prints, and leaves something to compare."""
    if "tolerance" not in cell.metadata:
        return
    try:
        tolerance = printed.Tolerance.of(cell.metadata)
        if not (0 <= tolerance.rel <= 0.5 and tolerance.abs >= 0 and 1 <= tolerance.units <= 100):
            yield f"rel must lie in 0..0.5, abs be >= 0, units lie in 1..100; got {tolerance}"
    except TypeError as error:
        yield f"tolerance must state rel, abs or units: {error}"
    if cell.cell_type != "code" or not any(_compared(cell.outputs)):
        yield "states a tolerance, but prints nothing"


_PLACE = re.compile(
    r"(?<![\w.~-])/(?:home|root|Users|tmp|opt|mnt|usr/lib|usr/local|var/folders)\b"
    r"|\b[A-Z]:\\(?:Users|Windows|Program|Temp)|\bsite-packages\b"
)


def _lint_machine(cell, root: Path) -> Iterator[str]:
    """No trace of the machine that ran it."""
    printed = [text for output in cell.get("outputs", []) for *_, text in texts(output)]
    for text in (cell.source, *printed):
        place = _PLACE.search(text) or re.search(re.escape(str(root.resolve())), text)
        if place:
            yield f"names a path of one machine: {place[0]!r}"
    host = platform.node()  # a short one, such as "noise", may well be an honest word
    if len(host) >= 6 and any(re.search(rf"\b{re.escape(host)}\b", text) for text in printed):
        yield f"names the machine that ran it: {host!r}"


def _lint_code(cell) -> Iterator[str]:
    lines = [line for line in cell.source.split("\n") if line.strip()]
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        yield f"is not plain Python: {error.msg}"
    if any(re.search(r";\s*(#.*)?$", line) for line in lines):
        yield "a closing ';' does not hide output everywhere: write `_ = ...`"
    if re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_\w+", cell.source):
        yield "a comment would hide it from the tests"
    most = 25 if "exercise" in tags(cell) else 15
    code = [line for line in lines if not re.match(r"(from|import) ", line)]
    if len(code) > most:
        yield f"has {len(code)} lines of code; at most {most}"
    wide = max(map(len, lines), default=0)
    if wide > 100:
        yield f"has a line of {wide} columns; at most 100"


_NO_ALT = re.compile(r"<img\b(?![^>]*\balt=([\"'])[^\"']+\1)")


def _lint_outputs(outputs) -> Iterator[str]:
    for output in outputs:
        data = output.get("data", {})
        page = data.get("text/html", "")
        if output.output_type == "error":
            yield f"stores an error: {output.ename}: {output.evalue}"
        if output.get("name") == "stderr":
            yield f"stores a warning: {(output.text.strip().splitlines() or [''])[-1][:80]!r}"
        if WIDGET_VIEW in data:
            yield "stores a widget view, which nothing can show without a kernel"
        for mime in sorted(set(data) - MIME_TYPES - {WIDGET_VIEW}):
            yield f"stores {mime}, which not every viewer shows"
        if re.search(r"<(script|iframe|object|embed)\b", page):
            yield "stores HTML with a script or a frame, which GitHub removes"
        if _NO_ALT.search(page):
            yield "stores an HTML image without alt text"
        if any("\r" in text or "\b" in text for *_, text in texts(output)):
            yield "stores a progress bar"

    # What a reader who cannot see the picture meets in JupyterLab, and what nbval compares.
    spoken = [text for output in outputs for _, key, text in texts(output) if key != "text/plain"]
    spoken = [plain(html.unescape(text)) for text in spoken]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    for picture in pictures:
        alt = str(picture.metadata.get("image/png", {}).get("alt", ""))
        if len(alt.split()) < 3:
            yield "a picture has no alt text: metadata {'image/png': {'alt': 'some words'}}"
        elif not any(plain(alt) in text for text in spoken):
            yield "JupyterLab hides the alt text of a picture: print it in the cell too"
    if pictures and not any(re.search(r"\d", text) for text in _compared(outputs)):
        yield "shows a picture but prints no number of it, so nbval has nothing to compare"


def _lint_width(cell) -> Iterator[str]:
    """What a cell prints fits beside its picture; the package's own source may be wider."""
    text = "\n".join(text for out in cell.outputs for _, key, text in texts(out) if key == "text")
    wide = max(map(len, text.split("\n")))
    if wide > 88 and "show_source(" not in cell.source:
        yield f"prints a line of {wide} columns; at most 88, or a narrow window breaks it"


def _compared(outputs) -> Iterator[str]:
    for output in outputs:
        for _, key, text in texts(output):
            if key == "text" or (key == "text/plain" and not text.lstrip().startswith("<")):
                yield text


def _lint_markdown(source: str) -> Iterator[str]:
    text = without_code(source)
    if re.search(r"!\[\s*\]", text) or _NO_ALT.search(text):
        yield "an image has no alt text"
    yield from math_problems(text)
    if DETOUR.match(source) and len(source.strip().split("\n\n")) > 3:
        yield "a detour is folded under its heading: a paragraph in this cell, the rest below"


def _lint_exercises(notebook) -> Iterator[str]:
    """Tags, solutions and checks must fit together; seen with the markers in place."""
    open_exercise = None
    for cell in notebook.cells:
        if "solution" in tags(cell) and cell.cell_type == "code":
            yield f"cell {cell.id}: only Markdown may be tagged solution"
        if cell.cell_type != "code":
            continue
        found = checks_in(cell.source)
        holds = any(inside for inside, _ in solution_lines(cell.source, cell.id))
        if holds != ("exercise" in tags(cell)):
            yield f"cell {cell.id}: the tag exercise and a solution block belong together"
        calls = len(re.findall(r"\bcheck\(\s*[\"']", cell.source))
        if "demo" not in tags(cell) and calls != len(found):
            yield f"cell {cell.id}: write each check as one statement at the left margin"
        for check in found:
            if not check.attempt.isidentifier():
                yield f"cell {cell.id}: check({check.name!r}, ...) takes the name of an attempt"
        if holds and open_exercise:
            yield f"cell {open_exercise}: its check must come before the next exercise"
        open_exercise = cell.id if holds else open_exercise
        open_exercise = None if found else open_exercise
    if open_exercise:
        yield f"cell {open_exercise}: this exercise has no check"
