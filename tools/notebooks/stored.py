"""Notebooks as files: read, written, and what can be read in their outputs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import nbformat

from tools.notebooks.sources import ChapterError

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def load(path: Path):
    """A stored notebook, as it is; ChapterError if it is none of format 4."""
    if not path.exists():
        raise ChapterError("is missing: build the chapter")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.get("nbformat") != 4:
            raise ChapterError("is not in notebook format 4")
        for error in nbformat.validator.iter_validate(raw):
            raise ChapterError(f"is not a valid notebook: {str(error).splitlines()[0]}")
        return nbformat.v4.reads(json.dumps(raw))
    except (OSError, ValueError, AttributeError) as error:
        raise ChapterError(f"is not a notebook that can be read: {error}") from None


def written(notebook) -> str:
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def store(path: Path, text: str) -> None:
    """All of the file or nothing of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)


def texts(output) -> Iterator[tuple[dict, str, str]]:
    """Everything readable in an output, as (holder, key, text); pictures left out."""
    if "text" in output:
        yield output, "text", output["text"]
    for mime, text in output.get("data", {}).items():
        if isinstance(text, str) and not mime.startswith("image/"):
            yield output["data"], mime, text
