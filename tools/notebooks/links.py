"""Links: every relative one leads to a file, every anchor to a heading. Nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.notebooks.reference import stored_pages
from tools.notebooks.rules import FENCE, without_code
from tools.notebooks.sources import ROOT, ChapterError, chapters, read
from tools.notebooks.stored import load


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
    docs = sorted(path.relative_to(root).as_posix() for path in (root / "docs").glob("*.md"))
    for name in () if wanted else ("README.md", "CONTRIBUTING.md", *docs):
        if (root / name).exists():
            pages.append((root / name, name, (root / name).read_text(encoding="utf-8")))
    for path in () if wanted else stored_pages(root):
        markdown = [cell for cell in load(path).cells if cell.cell_type == "markdown"]
        pages += [(path, f"chapters/{path.name}", cell.source) for cell in markdown]
    for path, name, text in pages:
        for target in _targets(text):
            problem = _broken(target, path, root.resolve())
            if problem:
                problems.append(f"{name}: link {target!r} {problem}")
    return problems


def _targets(markdown: str) -> list[str]:
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$", "", without_code(markdown), flags=re.S)
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
    for heading in re.findall(r"^#{1,6} +(.+?)[ #]*$", FENCE.sub("", markdown), flags=re.M):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        heading = re.sub(r"[`*]", "", heading)
        if file.suffix == ".ipynb":
            found.add(heading.replace(" ", "-"))
            continue
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        twins = [a for a in found if a == slug or re.fullmatch(re.escape(slug) + r"-\d+", a)]
        found.add(f"{slug}-{len(twins)}" if twins else slug)
    return found
