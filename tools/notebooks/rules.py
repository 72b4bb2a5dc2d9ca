"""What the rules share: a look at each stored notebook, and Markdown without its code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tools.notebooks.sources import ROOT, ChapterError, chapters
from tools.notebooks.stored import load


def on_notebooks(look: Callable[..., Iterator[str]]) -> Callable[..., list[str]]:
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


FENCE = re.compile(r"^( *)(```+|~~~+).*?^ *\2[`~]* *$", re.M | re.S)


def without_code(markdown: str) -> str:
    """Markdown without fenced and inline code, whose $ and brackets do not count."""
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", FENCE.sub("", markdown))


def plain(line: str) -> str:
    """A line without its layout, so that a re-indented copy is found too."""
    return " ".join(line.split())
