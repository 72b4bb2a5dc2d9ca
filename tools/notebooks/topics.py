"""Which section teaches which topic of the syllabus (`chapters/source/topics.txt`).

The first Markdown cell of a section names its topics: `# %% [markdown] topics="C079 C080"`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tools.notebooks.sources import ROOT, cells_of, chapters


def titles(root: Path = ROOT) -> dict[str, str]:
    """The syllabus: what each topic is about."""
    lines = (root / "chapters/source/topics.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def taught(root: Path = ROOT, wanted: Sequence[str] = ()) -> dict[str, list[str]]:
    """Topic -> the places that teach it, as "05: One step"."""
    places: dict[str, list[str]] = {}
    for chapter in chapters(root, wanted):
        heading = ""
        for cell in cells_of(chapter.source):
            found = re.findall(r"^#+ (.+)$", cell.source, re.M)
            if cell.cell_type == "markdown" and found:
                heading = found[0]
            for topic in cell.metadata.get("topics", "").split():
                places.setdefault(topic, []).append(f"{chapter.number}: {heading}")
    return places


def print_topics(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[str]:
    """The table topic -> sections, and the topics that nothing teaches."""
    known, places = titles(root), taught(root, wanted)
    for topic, title in known.items():
        print(f"{topic} {title:60} {'; '.join(places.get(topic, ['–']))}")
    return [f"{topic} is not in topics.txt" for topic in sorted(set(places) - set(known))]
