"""The minutes of each chapter in the README's table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tools.notebooks.minutes import LONGEST, rounded
from tools.notebooks.sources import ROOT, chapters, minutes_of

_ROW = re.compile(r"(\]\(chapters/(\w+)\.ipynb\) )(\d+)( min)")


def write_minutes(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[str]:
    """Print the minutes of each chapter and write them into the README."""
    road = {}
    for chapter in chapters(root, wanted):
        spent = minutes_of(chapter.source)
        road[chapter.slug] = rounded(spent.road)
        remark = f"  over {LONGEST}" if spent.road > LONGEST else ""
        print(f"{spent.road:4.0f} + {spent.detours:3.0f} for detours  {chapter.slug}{remark}")
    page = root / "README.md"
    old = page.read_text(encoding="utf-8")
    new = _ROW.sub(lambda row: f"{row[1]}{road.get(row[2], row[3])}{row[4]}", old)
    page.write_text(new, encoding="utf-8", newline="\n")
    return []


def minutes_in(page: str) -> dict[str, int]:
    """What the table says, by chapter."""
    return {slug: int(number) for _, slug, number, _ in _ROW.findall(page)}
