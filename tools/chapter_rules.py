"""What a stored notebook must keep to: lint, leaks and links. Nothing is run, nothing is fetched.

`tools/chapters.py` says what the rules are; here they are looked after. Each of the three takes
the project's folder and gives a list of problems, readable as they are.
"""

from __future__ import annotations

import ast
import html
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools import printed
from tools.chapters import (
    BEGIN,
    END,
    METADATA,
    ROOT,
    WIDGET_VIEW,
    ChapterError,
    chapters,
    checks_in,
    exercises,
    load,
    read,
    solution_lines,
    tags,
    texts,
)

TAGS = {"exercise", "solution", "demo"}
MIME_TYPES = {"text/plain", "text/html", "text/latex", "text/markdown", "image/png"}


def _on_notebooks(look: Callable[..., Iterator[str]]) -> Callable[..., list[str]]:
    """Make of `look(chapter, notebook, path, solved, root)` a check of all stored notebooks."""

    def run(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[str]:
        problems = []
        for chapter in chapters(root, wanted):
            for path, solved in chapter.readings():
                try:
                    found = list(look(chapter, load(path), path, solved, root))
                except ChapterError as error:
                    found = [str(error)]
                problems += [f"{path.relative_to(root).as_posix()}: {line}" for line in found]
        return problems

    run.__doc__ = look.__doc__
    return run


# ------------------------------------------------------------------------------------- leaks


@_on_notebooks
def leaks(chapter, notebook, path, solved, root) -> Iterator[str]:
    """Solutions only in the solved reading; in both, every verdict as it should be."""
    full = read(chapter.source, solved=True, markers=True)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [cell.source for cell in notebook.cells]
    shown += [text for output in outputs for *_, text in texts(output)]
    lines = [_plain(line) for text in shown for line in text.split("\n")]

    if any(marker in line for marker in (BEGIN, END) for line in lines):
        yield "holds a solution marker"
    if not solved:
        visible = read(chapter.source, solved=False)
        allowed = {_plain(line) for cell in visible.cells for line in cell.source.split("\n")}
        for cell, line in _secrets(full):
            if len(line) >= 12 and line in lines and line not in allowed:
                yield f"shows a line of the solution in cell {cell}: {line!r}"
        for cell in notebook.cells:
            if "solution" in tags(cell):
                yield f"cell {cell.id} is tagged solution"

    here = {check.name for check in exercises(notebook)}
    for check in exercises(full):
        if check.name not in here:
            yield f"has no check of {check.name!r}"
        want = f"✓ {check.name}" if solved else f"○ {check.name}: not yet"
        verdict = re.compile(rf"[○✓✗] {re.escape(check.name)}(:|\s|$)")
        said = [line for line in lines if verdict.match(line)]
        if said != [want]:
            yield f"should store the verdict {want!r}; it stores {said or 'none'}"


def _secrets(full) -> Iterator[tuple[str, str]]:
    """Each line, and its cell, that only the solved reading may hold."""
    for cell in full.cells:
        if "solution" in tags(cell):
            yield from ((cell.id, _plain(line)) for line in cell.source.split("\n"))
        elif cell.cell_type == "code":
            for inside, line in solution_lines(cell.source, cell.id):
                if inside and line.strip() not in (BEGIN, END):
                    yield cell.id, _plain(line)


def _plain(line: str) -> str:
    """A line without its layout, so that a re-indented copy is found too."""
    return " ".join(line.split())


# -------------------------------------------------------------------------------------- lint


@_on_notebooks
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
            problems += [*_lint_code(cell), *_lint_outputs(cell.outputs)]
        else:
            problems += _lint_markdown(cell.source)
        yield from (f"cell {cell.get('id')}: {problem}" for problem in problems)
    if solved:
        yield from _lint_exercises(read(chapter.source, solved=True, markers=True))


def _lint_tags(cell) -> Iterator[str]:
    for tag in tags(cell):
        if re.match("nbval-|raises-exception|skip-execution", tag):
            yield f"tag {tag!r} would hide it from the tests"
        elif tag not in TAGS:
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
    if len(lines) > most:
        yield f"has {len(lines)} lines of code; at most {most}"
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
    spoken = [_plain(html.unescape(text)) for text in spoken]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    for picture in pictures:
        alt = str(picture.metadata.get("image/png", {}).get("alt", ""))
        if len(alt.split()) < 3:
            yield "a picture has no alt text: metadata {'image/png': {'alt': 'some words'}}"
        elif not any(_plain(alt) in text for text in spoken):
            yield "JupyterLab hides the alt text of a picture: print it in the cell too"
    if pictures and not any(re.search(r"\d", text) for text in _compared(outputs)):
        yield "shows a picture but prints no number of it, so nbval has nothing to compare"


def _compared(outputs) -> Iterator[str]:
    for output in outputs:
        for _, key, text in texts(output):
            if key == "text" or (key == "text/plain" and not text.lstrip().startswith("<")):
                yield text


def _lint_markdown(source: str) -> Iterator[str]:
    text = _without_code(source)
    if re.search(r"!\[\s*\]", text) or _NO_ALT.search(text):
        yield "an image has no alt text"
    yield from math_problems(text)


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


def math_problems(markdown: str) -> Iterator[str]:
    """Why the LaTeX of a Markdown text could not be set by Jupyter or GitHub."""
    text = markdown.replace(r"\$", "")
    if text.count("$$") % 2:
        yield "a $$ has no partner"
        return
    formulas = re.findall(r"\$\$(.*?)\$\$", text, flags=re.S)
    prose = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    for paragraph in re.split(r"\n\s*\n", prose):
        if paragraph.count("$") % 2:
            yield f"a $ has no partner in {paragraph.strip()[:50]!r}"
            continue
        for formula in re.findall(r"\$([^$]*)\$", paragraph):
            formulas.append(formula)
            if formula != formula.strip():
                yield f"GitHub does not set ${formula}$: no blank just inside a dollar"
        if re.search(r"\\\\[(\[]|\\\(.*?\\\)", re.sub(r"\$[^$]*\$", "", paragraph)):
            yield r"write $...$ or $$...$$, not \( or \["
    for formula in formulas:
        where = f"in {formula.strip()[:50]!r}"
        bare = re.sub(r"\\[\\{}]", "", formula)
        if not formula.strip():
            yield "a formula is empty"
        if bare.count("{") != bare.count("}"):
            yield f"braces do not balance {where}"
        if len(re.findall(r"\\left\b", bare)) != len(re.findall(r"\\right\b", bare)):
            yield rf"\left and \right do not balance {where}"
        begins, ends = (re.findall(rf"\\{w}\s*{{([^}}]*)}}", formula) for w in ("begin", "end"))
        if sorted(begins) != sorted(ends):
            yield rf"\begin and \end do not balance {where}"


_FENCE = re.compile(r"^( *)(```+|~~~+).*?^ *\2[`~]* *$", re.M | re.S)


def _without_code(markdown: str) -> str:
    """Markdown without fenced and inline code, whose $ and brackets do not count."""
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", _FENCE.sub("", markdown))


# ------------------------------------------------------------------------------------- links


def links(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[str]:
    """Every relative link leads to a file, and every anchor to a heading. Nothing is fetched."""
    problems = []
    pages: list[tuple[Path, str, str]] = []  # the file, how to name the place, its Markdown
    for chapter in chapters(root, wanted):
        for path, solved in chapter.readings():
            name = path.relative_to(root).as_posix()
            try:
                cells = read(chapter.source, solved=solved).cells
            except ChapterError as error:
                problems.append(f"{name}: {error}")
                continue
            markdown = [cell for cell in cells if cell.cell_type == "markdown"]
            pages += [(path, f"{name}: cell {cell.id}", cell.source) for cell in markdown]
    for name in ("README.md", "CONTRIBUTING.md"):
        if not wanted and (root / name).exists():
            pages.append((root / name, name, (root / name).read_text(encoding="utf-8")))
    for path, name, text in pages:
        for target in _targets(text):
            problem = _broken(target, path, root.resolve())
            if problem:
                problems.append(f"{name}: link {target!r} {problem}")
    return problems


def _targets(markdown: str) -> list[str]:
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$", "", _without_code(markdown), flags=re.S)
    inline = re.findall(r"\]\(\s*<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)", text)
    defined = re.findall(r"^ {0,3}\[(?!\^)[^\]]+\]:\s*<?([^\s>]+)", text, flags=re.M)
    return inline + defined + re.findall(r"\b(?:src|href)=\"([^\"]*)\"", text)


def _broken(target: str, page: Path, root: Path) -> str | None:
    """What is wrong with a link, or None."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return "is not an address"
    if parts.scheme in ("http", "https"):
        good = re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?", parts.netloc)
        return None if good else "is not an address"
    if not target or parts.scheme or target.startswith("/"):
        return "is neither relative nor http(s)"
    file = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
    if root not in (file, *file.parents):
        return "leaves the project"
    if not file.exists():
        return "leads to no file"
    anchor = unquote(parts.fragment)
    lines = re.fullmatch(r"L(\d+)(?:-L(\d+))?", anchor)
    if lines and file.suffix == ".py":
        last, there = int(lines[2] or lines[1]), len(file.read_text("utf-8").splitlines())
        return None if last <= there else f"names line {last} of {there}"
    return None if not anchor or anchor in _anchors(file) else "leads to no heading there"


def _anchors(file: Path) -> set[str]:
    """The anchors of a page: JupyterLab's rule for notebooks, GitHub's for Markdown files."""
    if file.suffix == ".ipynb":
        cells = load(file).cells
        markdown = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        markdown = file.read_text(encoding="utf-8") if file.suffix == ".md" else ""
    found = set(re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", markdown))
    for heading in re.findall(r"^#{1,6} +(.+?)[ #]*$", _FENCE.sub("", markdown), flags=re.M):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        heading = re.sub(r"[`*]", "", heading)
        if file.suffix == ".ipynb":
            found.add(heading.replace(" ", "-"))
            continue
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        twins = [a for a in found if a == slug or re.fullmatch(re.escape(slug) + r"-\d+", a)]
        found.add(f"{slug}-{len(twins)}" if twins else slug)
    return found
