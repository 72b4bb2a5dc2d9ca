"""The pages of reference beside the chapters: glossary, formulas, cheat sheet.

    chapters/glossary.ipynb      every term: meaning, where it is introduced, its names in code
    chapters/formulas.ipynb      every numbered formula: where, its function, its paper
    chapters/cheat_sheet.ipynb   DDPM on a page, with a cell that runs; text in chapters/source

The first two hold no code: they are put together from `chapters/source`, where a term is introduced
in **bold** and a formula carries a \\tag, and from `ddpm_lab.course.glossary` and `.formulas`. So a
chapter that is split or renamed needs no change here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import nbformat

from ddpm_lab.course import formulas, glossary, notation
from tools.notebooks.comparing import differences
from tools.notebooks.mathematics import math_problems
from tools.notebooks.rules import without_code
from tools.notebooks.running import clean_room, execute, settle
from tools.notebooks.sources import METADATA, ROOT, ChapterError, cells_of, chapters, read
from tools.notebooks.stored import load, store, written

PAGES = ("glossary", "formulas", "cheat_sheet")


# What the chapters say ----------------------------------------------------------------------------


class Part(NamedTuple):
    """The Markdown under one heading of a chapter."""

    slug: str
    chapter: str  # its title
    section: str  # "" before the first heading
    text: str

    def link(self) -> str:
        """Markdown that leads there."""
        anchor = re.sub(r"[`*]", "", self.section).replace(" ", "-")
        target = f"{self.slug}.ipynb" + (f"#{quote(anchor)}" if anchor else "")
        number = self.slug.partition("_")[0]
        return f"[{' · '.join(filter(None, (number, self.section)))}]({target})"


def parts(root: Path = ROOT) -> Iterator[Part]:
    """All parts of all chapters in order; recaps, which introduce nothing, are left out."""
    for chapter in chapters(root):
        title = section = ""
        for cell in cells_of(chapter.source):
            if cell.cell_type != "markdown":
                continue
            for text in re.split(r"^(?=##? )", cell.source, flags=re.M):
                heading = re.match(r"(##?) (.+)", text)
                if heading and heading[1] == "#":
                    title = heading[2]
                elif heading:
                    section = heading[2].strip()
                if not section.startswith("Recap"):
                    yield Part(chapter.slug, title, section, text)


def plain(phrase: str) -> str:
    """A term as it is compared: lower case, without brackets, mathematics and closing marks."""
    phrase = re.sub(r"\s*\([^)]*\)|[$`]", "", phrase.replace("–", "-"))
    return " ".join(phrase.split()).strip(" .,:;?!").lower()


def introductions(root: Path = ROOT) -> dict[str, Part]:
    """{bold phrase: the part of a chapter where it is bold first}."""
    found: dict[str, Part] = {}
    for part in parts(root):
        text = re.sub(r"\$\$.*?\$\$", "", without_code(part.text), flags=re.S)
        for phrase in re.findall(r"\*\*(.+?)\*\*", text, flags=re.S):
            found.setdefault(plain(phrase), part)
    return found


def introduced(term: glossary.Term, bold: dict[str, Part]) -> Part | None:
    """Where a term, or another name of it, is introduced; singular or plural."""
    words = [plain(name) for name in (term.name, *term.also)]
    forms = {form for word in words for form in (word, f"{word}s", re.sub("y$", "ies", word))}
    return next((part for phrase, part in bold.items() if phrase in forms), None)


class Tagged(NamedTuple):
    """A numbered formula of a chapter."""

    key: tuple[str, str]  # under which `ddpm_lab.course.formulas` knows it
    latex: str
    part: Part


def tagged(root: Path = ROOT) -> list[Tagged]:
    """All numbered formulas of all chapters, in order.

    The second part of a long chapter, `07b_variance`, counts as `07_posterior`: (7.19) keeps its
    key wherever the chapter is cut, and (7b.3) has the number b3.
    """
    first = {c.number[:2]: c.slug[3:] for c in reversed(chapters(root))}  # 07 comes before 07b
    return [
        Tagged((first[part.slug[:2]], re.sub(r"^\d+(b?)\.", r"\1", label[1])), latex.strip(), part)
        for part in parts(root)
        for latex in re.findall(r"\$\$(.+?)\$\$", part.text, flags=re.S)
        if (label := re.search(r"\\tag\{([\w.]+)\}", latex))
    ]


# The pages ----------------------------------------------------------------------------------------

GLOSSARY = """\
# Glossary

The {count} standard terms of the course. Each is introduced once, in **bold**, where it is first
needed; the link leads there. Then come its names in `ddpm_lab`, and in
[diffusers](https://github.com/huggingface/diffusers) if it has one.

See also [all formulas](formulas.ipynb) and [DDPM on a page](cheat_sheet.ipynb). At the end of this
page: [one chain in seven notations](#One-chain,-seven-notations)."""

NOTATIONS = r"""## One chain, seven notations

The letters alpha, beta and sigma mean something else in every source: `ddpm_lab.course.notation`
translates. *Squared letters* are those of notes whose $\alpha$ and $\beta$ are the square roots of
Ho's. In VDM a step from $s$ to $t$ has $\alpha_{t \mid s} = \alpha_t/\alpha_s$ and
$\sigma_{t \mid s}^2 = \sigma_t^2 - \alpha_{t \mid s}^2\,\sigma_s^2$.

"""


def glossary_cells(root: Path) -> Iterator[str]:
    """The Markdown cells of the glossary: one a theme, then the notations."""
    bold = introductions(root)
    yield GLOSSARY.format(count=len(glossary.TERMS))
    for theme in glossary.THEMES:
        terms = [term for term in glossary.TERMS.values() if term.theme == theme]
        entries = [_entry(term, introduced(term, bold)) for term in terms]
        yield "\n".join([f"## {theme}", "", *entries])
    papers, code = ("Ho et al.", "DDIM", "squared letters"), ("diffusers", "VDM", "EDM")
    yield NOTATIONS + "\n\n".join(notation.markdown(["ours", *some]) for some in (papers, code))


def _entry(term: glossary.Term, part: Part | None) -> str:
    """Three lines of a list: the term, what it means, its names in code."""
    others = [name for name in term.also if not _same_words(name, term.name)]
    also = f" (also {', '.join(others)})" if others else ""
    head = [f"**{term.name}**{also}", term.chinese, part.link() if part else ""]
    theirs = f"diffusers `{_short(term.diffusers)}`" if term.diffusers else ""
    code = " · ".join(filter(None, [_names(term.code), theirs]))
    return "- " + "<br>".join(filter(None, [" · ".join(filter(None, head)), term.meaning, code]))


def _short(dotted: str) -> str:
    """A name in diffusers without its modules."""
    return re.sub(r"^([a-z_0-9]+\.)+", "", dotted)


def _same_words(a: str, b: str) -> bool:
    """Is one of two names only a longer form of the other?"""
    a, b = plain(a), plain(b)
    return a in b or b in a


def _names(code) -> str:
    return ", ".join(f"`{name}`" for name in code)


FORMULAS = """\
# All formulas

Every numbered formula of the chapters: where it is derived, the function of `ddpm_lab` that
computes it, and its number in the papers. A formula without a function is a step of a derivation.
Each one is checked by a cell of its chapter.

See also [the glossary](glossary.ipynb) and [DDPM on a page](cheat_sheet.ipynb)."""


def formula_cells(root: Path) -> Iterator[str]:
    """The Markdown cells of the page of formulas: one a chapter, then the papers."""
    yield FORMULAS
    every = tagged(root)
    for slug in dict.fromkeys(formula.part.slug for formula in every):
        mine = [formula for formula in every if formula.part.slug == slug]
        yield "\n\n".join([f"## {mine[0].part.chapter}", *map(_formula, mine)])
    yield "\n".join(["## The papers", "", *_papers(root)])


def _formula(formula: Tagged) -> str:
    names = formulas.FORMULAS.get(formula.key, formulas.Formula((), ""))
    facts = [formula.part.link(), _names(names.code), names.paper and f"[{names.paper}]"]
    return f"{' · '.join(filter(None, facts))}\n\n$${formula.latex}$$"


def _papers(root: Path) -> Iterator[str]:
    """The papers that formulas name, from the bibliography."""
    text = (root / "references.bib").read_text(encoding="utf-8")
    wanted = {names.paper.partition(",")[0] for names in formulas.FORMULAS.values()}
    for key, entry in re.findall(r"^@\w+\{(\w+),(.*?)^\}", text, flags=re.M | re.S):
        if key in wanted:
            author, title, year = (_field(entry, name) for name in ("author", "title", "year"))
            yield f"- **{key}** {author}: *{title}*, {year}"


def _field(entry: str, name: str) -> str:
    found = re.search(rf"\b{name}\s*=\s*\{{(.*?)\}},?\s*$", entry, flags=re.M | re.S)
    return re.sub(r"[{}]", "", " ".join(found[1].split())) if found else ""


# Built and checked --------------------------------------------------------------------------------


def page(root: Path, name: str):
    """A page as a notebook that has not been run."""
    if name == "cheat_sheet":
        return read(_text(root), solved=False)
    cells = glossary_cells(root) if name == "glossary" else formula_cells(root)
    made = [nbformat.v4.new_markdown_cell(text, id=f"c{n:03d}") for n, text in enumerate(cells)]
    return nbformat.v4.new_notebook(cells=made, metadata=nbformat.from_dict(METADATA))


def _text(root: Path) -> Path:
    return root / "chapters" / "source" / "cheat_sheet.py"


def stored_pages(root: Path = ROOT) -> list[Path]:
    """Where the pages lie; none in a project without them."""
    home = root / "chapters"
    return [home / f"{name}.ipynb" for name in PAGES] if _text(root).exists() else []


def pages(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[str]:
    """Write the pages that are not what the sources give; return what went wrong.

    They are made from all chapters, whichever are `wanted`.
    """
    problems = []
    for path in stored_pages(root):
        try:
            if _differs(root, path):
                _build(root, path)
        except ChapterError as error:
            problems.append(f"{path.relative_to(root).as_posix()}: {error}")
    return problems


def _build(root: Path, path: Path) -> None:
    notebook = page(root, path.stem)
    if path.stem == "cheat_sheet":
        with clean_room(root) as env:
            asyncio.run(execute(notebook, path.parent, env))
    settle(notebook)
    store(path, written(notebook))


def _differs(root: Path, path: Path) -> list[str]:
    """How a stored page differs from what the sources give."""
    fresh = page(root, path.stem)
    return differences(load(path), fresh, outputs=False) if path.exists() else ["is missing"]


def page_problems(root: Path = ROOT) -> list[str]:
    """Are the pages what the sources give, and can their formulas be set? Nothing is run."""
    problems = []
    for path in stored_pages(root):
        name = path.relative_to(root).as_posix()
        if _differs(root, path):
            problems.append(
                f"{name} is not what the sources give: `python tools/chapters.py pages`"
            )
        markdown = [c.source for c in page(root, path.stem).cells if c.cell_type == "markdown"]
        problems += [f"{name}: {p}" for text in markdown for p in math_problems(without_code(text))]
    return problems
