"""From a stored chapter to a notebook of slides, one Markdown cell a slide."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

from tools.notebooks.lessons import aims, sections
from tools.notebooks.stored import load

WORDS = 60
"""Of text on a slide, about; a sentence is not cut."""
ITEMS = 6
"""Aims on a slide."""
HEIGHT = 260
"""Characters of LaTeX on a slide; longer formulas get one of their own."""


def deck(path: Path):
    """The slides of a chapter, as a notebook."""
    notebook = load(path)
    cells = [_cell(text, kind) for kind, text in slides(notebook)]
    for number, cell in enumerate(cells):
        cell["id"] = f"s{number:03d}"
    return nbformat.v4.new_notebook(cells=cells, metadata={"title": _title(notebook)})


def _cell(text, kind):
    return nbformat.v4.new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})


def _title(notebook):
    return notebook.cells[0].source.partition("\n")[0].removeprefix("# ")


def slides(notebook) -> Iterator[tuple[str, str]]:
    """("slide" or "subslide", Markdown): a column for each section, below it what belongs to it."""
    yield "slide", f"# {_title(notebook)}"
    goals = aims(notebook)[:ITEMS]
    if goals:
        yield "subslide", "## After this chapter you can\n\n" + "\n".join(f"- {g}" for g in goals)
    for section in sections(notebook):
        if not section.detour and section.title:
            yield from _section(section)


def _section(section) -> Iterator[tuple[str, str]]:
    """The slides of a section; what a detour `###` within it holds is left out."""
    heading, cells = f"## {section.title}", list(_road(section.cells))
    lead, first = _lead(cells), True
    for formulas in _grouped(list(_formulas(cells))) or [[]]:
        text = [heading, *([lead] if first and lead else []), *formulas]
        yield ("slide" if first else "subslide"), "\n\n".join(text)
        first = False
    for cell in cells:
        if cell.cell_type == "code":
            yield from (("subslide", f"{heading}\n\n{image}") for image in _figures(cell))
        else:
            yield from (
                ("subslide", f"{heading}\n\n{asked}") for asked in _predictions(cell.source)
            )


def _road(cells):
    """The cells that are not in a detour."""
    inside = False
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            inside = bool(re.match(r"#+ Detour", cell.source))
        if not inside:
            yield cell


def _paragraphs(source):
    plain = re.sub(r"<details>.*?</details>", "", source, flags=re.S)
    return [part.strip() for part in re.split(r"\n\s*\n", plain) if part.strip()]


_NO_LEAD = re.compile(r"#|\*\*|\$\$|[-|>*<]|\d+\.|```|!\[")


def _lead(cells):
    """The first sentences of the first paragraph; "" if it is no plain text."""
    texts = [p for c in cells if c.cell_type == "markdown" for p in _paragraphs(c.source)]
    text = next((p for p in texts if not _NO_LEAD.match(p)), "")
    return _short(text)


def _short(text):
    """The first sentences, of about so many words as a slide takes, without links."""
    text = " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).split())
    kept = ""
    for sentence in re.split(r"(?<=[.?!:])\s+(?=[A-Z$*`])", text):
        if kept and len(f"{kept} {sentence}".split()) > WORDS:
            break
        kept = f"{kept} {sentence}".strip()
    return kept if len(kept.split()) <= 1.5 * WORDS else ""


_DISPLAYED = re.compile(r"(\*\*One formula to keep\*\*\s*)?\$\$(.+?)\$\$", re.S)


def _formulas(cells) -> Iterator[str]:
    """The numbered formulas, and the one to keep, as they are displayed."""
    for cell in cells:
        if cell.cell_type == "markdown":
            for kept, latex in _DISPLAYED.findall(cell.source):
                if kept or r"\tag" in latex:
                    yield f"$${_numbered(latex.strip())}$$"


def _numbered(latex):
    """A formula with its number beside it: too wide, it can be made smaller as a whole."""
    label = re.search(r"\\tag\{([^}]*)\}", latex)
    plain = re.sub(r"\s*\\tag\{[^}]*\}", "", latex)
    return rf"{plain} \qquad \text{{({label[1]})}}" if label else plain


def _grouped(formulas):
    """Formulas by slide: as many as fit one below the other."""
    groups: list[list[str]] = []
    for formula in formulas:
        full = not groups or sum(map(_size, groups[-1])) + _size(formula) > HEIGHT
        if full:
            groups.append([])
        groups[-1].append(formula)
    return groups


def _size(formula):
    return len(formula) + 80 * formula.count(r"\\")


def _predictions(source) -> Iterator[str]:
    for paragraph in _paragraphs(source):
        if paragraph.startswith("**Predict"):
            yield paragraph


def _figures(cell) -> Iterator[str]:
    """The figures of a cell with their sentences for those who do not see them."""
    for output in cell.outputs:
        picture = output.get("data", {}).get("image/png")
        if picture:
            alt = html.escape(str(output.metadata.get("image/png", {}).get("alt", "")), quote=True)
            data = picture.replace("\n", "")
            yield f'<img alt="{alt}" src="data:image/png;base64,{data}">'
