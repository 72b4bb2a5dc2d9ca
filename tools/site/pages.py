"""The pages that Sphinx reads: the stored notebooks, the explorers, the package, and docs/."""

from __future__ import annotations

import base64
import html
import importlib
import inspect
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import ddpm_lab
from ddpm_lab.course import claims
from ddpm_lab.course.claims import game
from tools.notebooks.sources import ROOT
from tools.notebooks.stored import load
from tools.site import frames

REFERENCE = ("cheat_sheet", "formulas", "glossary")  # not numbered, built from the sources


def assemble(source: Path, films: dict[str, dict[str, Any]]) -> None:
    """Fill an empty folder with all that Sphinx reads.

    Parameters
    ----------
    source : the folder
    films : explorer -> what its page needs, as `embedded` takes it
    """
    shutil.copytree(ROOT / "docs", source, dirs_exist_ok=True)
    shutil.copyfile(ROOT / "CHANGELOG.md", source / "changelog.md")
    for path in source.glob("*.md"):
        text = _within_the_site(path.read_text(encoding="utf-8"))
        text = _WANTED.sub(lambda found: _raw(embedded(films[found[1]], ".")), text)
        path.write_text(text, encoding="utf-8")
    chapters = source / "chapters"
    chapters.mkdir()
    for path in notebooks():
        notebook = load(path)
        for cell in notebook.cells:
            _prepare(cell, chapters, f"{path.stem}-{cell.id}", films)
        (chapters / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    for name, film in films.items():
        text = f"# {film['question']}\n\n{_raw(embedded(film, '..'))}\n\n{_where(name)}\n"
        _write(source / "explorers" / f"{name}.md", text)
    _write(source / "claims.md", ledger())
    for name in sorted(ddpm_lab.__all__):
        _write(source / "reference" / f"{name}.md", _module(name))


def notebooks() -> list[Path]:
    """The learner's notebooks, in order, then the pages to look things up."""
    folder = ROOT / "chapters"
    return [*sorted(folder.glob("[0-9]*.ipynb")), *(folder / f"{n}.ipynb" for n in REFERENCE)]


def _within_the_site(text: str) -> str:
    """Links of a page to the chapters and to the package lead to their pages here; those to other
    files of the repository become words.
    """
    text = re.sub(r"\]\((?:\.\./)?chapters/(\w+\.ipynb)", r"](chapters/\1", text)
    text = re.sub(r"\]\(\.\./ddpm_lab/(?!course)(\w+)[^)]*\)", r"](reference/\1.md)", text)
    return re.sub(r"\[([^\]]+)\]\((?:\.\./|[A-Z]+\.md|references|ddpm_lab)[^)]*\)", r"\1", text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


# --------------------------------------------------------------------------------- notebooks


def _prepare(cell, folder: Path, name: str, films) -> None:
    """Pictures become files with alt text; an explorer's picture becomes one that moves."""
    if cell.cell_type != "code":
        cell.source = _LINK.sub(lambda found: _MATH.sub("", unquote(found[0])), cell.source)
        return
    moving = next((film for film in films if f"explorers.{film}(" in cell.source), None)
    said = {_alt(output) for output in cell.outputs}
    for k, output in enumerate(cell.outputs):
        if "image/png" in output.get("data", {}):
            page = (
                embedded(_showing(films[moving], _alt(output)), "..")
                if moving
                else _image(output, folder / "pictures" / f"{name}-{k}.png")
            )
            output["data"] = {"text/html": page}
        elif "text" in output:
            output["text"] = _unsaid(output.text, said)
    cell.outputs = [output for output in cell.outputs if output.get("text", "-")]


def _unsaid(text: str, said: set[str]) -> str:
    """A printed text without the alt texts, which JupyterLab does not read out otherwise."""
    if " ".join(text.split()) in said:  # in several lines
        return ""
    return "".join(line for line in text.splitlines(True) if line.strip() not in said)


_LINK = re.compile(r"(?<=\]\()[\w./]*\.ipynb#[^)\s]+|(?<=\]\()#[^)\s]+")
"""The target of a link to a heading, which the notebooks write as an address."""

_MATH = re.compile(r"\$[^$]*\$")
"""What MyST leaves out of a heading before it asks for the heading's name."""


def anchor(title: str) -> str:
    """The name of a heading in a link, as JupyterLab has it.

    >>> anchor("1 · Two kinds of coins")
    '1-·-Two-kinds-of-coins'
    """
    return title.replace(" ", "-")


def _alt(output) -> str:
    return output.get("metadata", {}).get("image/png", {}).get("alt", "")


def _image(output, path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(base64.b64decode(output.data["image/png"]))
    width = output.metadata["image/png"].get("width")
    size = f' width="{width}"' if width else ""
    where = f"../_static/pictures/{path.name}"
    return f'<img src="{where}" alt="{html.escape(_alt(output))}"{size} loading="lazy">'


# --------------------------------------------------------------------------------- explorers


def described(film: frames.Film) -> dict[str, Any]:
    """What a page needs of a film, besides its strips; it can be stored as JSON."""
    width, height = film.size
    question = film.sentences[0].partition("?")[0] + "?"
    return {
        "name": film.name,
        "question": question,
        "controls": film.controls,
        "width": width,
        "height": height,
        "sentences": film.sentences,
        "strips": len(film.strips),
    }


def _showing(film: dict[str, Any], sentence: str) -> dict[str, Any]:
    """The film with the picture in front that a sentence describes, if it has that."""
    if sentence not in film["sentences"]:
        return film
    rest, controls = film["sentences"].index(sentence), []
    for control in film["controls"]:
        rest, at = divmod(rest, len(control["stops"]))
        controls.append(control | {"first": at})
    return film | {"controls": controls}


def embedded(film: dict[str, Any], root: str) -> str:
    """HTML of an explorer that `explorer.js` brings to life.

    Parameters
    ----------
    film : as `described` gives it
    root : where the site begins, seen from the page
    """
    strips = [f"{root}/_static/explorers/{film['name']}-{k}.webp" for k in range(film["strips"])]
    data = json.dumps(film | {"strips": strips}).replace("</", "<\\/")
    return (
        f'<figure class="explorer"><script type="application/json">{data}</script>'
        "<noscript>The sliders of this picture need JavaScript.</noscript></figure>"
    )


_WANTED = re.compile(r"<!-- explorer: (\w+) -->")
"""Where a page of docs/ has an explorer."""


def _raw(page: str) -> str:
    return f"```{{raw}} html\n{page}\n```"


def _where(name: str) -> str:
    """The chapter that shows an explorer."""
    for path in notebooks():
        if f"explorers.{name}(" in path.read_text(encoding="utf-8"):
            return f"In the course: {{doc}}`../chapters/{path.stem}`."
    return ""


# ------------------------------------------------------------------------------------ claims


def ledger() -> str:
    """Markdown of all claims by theme, each with its verdict folded under it; `ledger.js` makes a
    game of it.
    """
    lines = ["# The ledger of claims\n\nTrue, false, or under which condition? Guess first."]
    for theme in get_args(claims.Theme):
        lines.append(f"## {theme.upper() if theme == 'elbo' else theme.capitalize()}")
        lines += [_claim(one) for one in claims.LEDGER.values() if one.theme == theme]
    return "\n\n".join(lines) + "\n"


def _claim(one: claims.Claim) -> str:
    said, correct = (html.escape(text) for text in (one.said, one.correct))
    where = (
        f"Taught in {html.escape(one.taught)}. The evidence: <code>ddpm-lab claims {one.id}</code>"
    )
    return _raw(
        f'<div class="claim" data-answer="{game.ANSWER[one.verdict]}"><p><b>{one.id}</b> {said}</p>'
        f"\n<details><summary>The verdict on {one.id}</summary>"
        f"<p><b>{one.verdict.capitalize()}.</b> {correct}</p><p>{where}</p></details></div>"
    )


# --------------------------------------------------------------------------------- reference


def _module(name: str) -> str:
    """The page of a public module: its docstring, and each name that it makes public."""
    module = importlib.import_module(f"ddpm_lab.{name}")
    lines = [f".. automodule:: ddpm_lab.{name}"]
    for public in _public(module):
        kind = _kind(getattr(module, public))
        lines.append(f".. {kind}:: ddpm_lab.{name}.{public}")
        if kind == "autoclass":
            lines[-1] += "\n   :members:"
    return f"# `{name}`\n\n```{{eval-rst}}\n" + "\n\n".join(lines) + "\n```\n"


def _public(module) -> Sequence[str]:
    """`__all__`; in a module without it, what it defines itself."""
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    return getattr(module, "__all__", own)


def _kind(value) -> str:
    if inspect.isclass(value):
        return "autoclass"
    return "autofunction" if callable(value) and hasattr(value, "__code__") else "autodata"
