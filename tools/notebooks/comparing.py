"""How a stored notebook differs from a fresh one: cell by cell, within tolerances."""

from __future__ import annotations

import base64
import difflib
import hashlib
import io
import json
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from tools import printed
from tools.notebooks.sources import ChapterError
from tools.notebooks.stored import load, texts, written


def _shown(cell, outputs: bool) -> list[str]:
    """A cell as lines to compare: its kind and text and, if wanted, what it shows."""
    lines = [f"[{cell.cell_type}]", *cell.source.split("\n")]
    for output in cell.get("outputs", []) if outputs else []:
        lines.append(f"[{output.output_type}]")
        for _, key, text in texts(output):
            lines += [f"{key}: {line}" for line in text.rstrip("\n").split("\n")]
        for mime, data in output.get("data", {}).items():
            if mime.startswith("image/"):
                digest = hashlib.sha256(str(data).encode()).hexdigest()[:8]
                lines.append(f"picture {mime} {digest}")
        if output.get("metadata"):
            lines.append(f"metadata: {json.dumps(output.metadata, sort_keys=True)}")
        if output.output_type == "error":
            lines.append(f"error: {output.ename}: {output.evalue}")
    return lines


def differences(stored, fresh, *, outputs: bool) -> list[str]:
    """Cell by cell, how a stored notebook differs from a fresh one ('-' stored, '+' fresh)."""
    old = [_shown(c, outputs) for c in stored.cells]
    new = [_shown(c, outputs) for c in fresh.cells]
    found = []
    matcher = difflib.SequenceMatcher(
        a=[tuple(c) for c in old], b=[tuple(c) for c in new], autojunk=False
    )
    for what, i, i_end, j, j_end in matcher.get_opcodes():
        if what == "equal":
            continue
        for k in range(max(i_end - i, j_end - j)):
            a = old[i + k] if i + k < i_end else []
            b = new[j + k] if j + k < j_end else []
            cell = stored.cells[i + k] if a else fresh.cells[j + k]
            lines = [
                line[:160]
                for line in difflib.unified_diff(a, b, n=0, lineterm="")
                if not line.startswith(("---", "+++", "@@"))
            ]
            kind = "is stored but not in the text" if not b else "differs"
            kind = "is missing in the stored notebook" if not a else kind
            if all(line[1:].startswith("picture") for line in lines):
                kind = "differs in its picture only"
            more = [f"... {len(lines) - 12} more lines"] if len(lines) > 12 else []
            found.append("\n    ".join([f"cell {cell.get('id', '?')} {kind}", *lines[:12], *more]))
    return found


def against(path: Path, again: Path) -> list[str]:
    """How a stored notebook differs from one that was built anew, cell by cell."""
    stored, fresh = load(path), load(again)
    if written(stored) == written(fresh):
        return []
    return differences(stored, fresh, outputs=True) or ["metadata, ids or layout differ"]


def keep_stored(path: Path, notebook) -> None:
    """What another machine may print in another way stays as it is stored.

    So a chapter that is built on another machine changes only where it has really changed: up to
    the first cell with another code. What comes after it is new.
    """
    try:
        code = {cell.id: cell for cell in load(path).cells if cell.cell_type == "code"}
    except ChapterError:  # none yet, or a broken one
        return
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        old = code.get(cell.id)
        if old is None or old.source != cell.source:
            return  # from here on numbers and pictures are those of another code
        _keep_outputs(old, cell)


def _keep_outputs(stored, fresh):
    printed.settle_outputs(stored.outputs, fresh.outputs, printed.Tolerance.of(fresh.metadata))
    for old, new in zip(_pictures(stored), _pictures(fresh)):
        if "tolerance" in fresh.metadata or alike(old["image/png"], new["image/png"]):
            new["image/png"] = old["image/png"]


def _pictures(cell) -> list[dict]:
    return [o.data for o in cell.outputs if "image/png" in o.get("data", {})]


FEW_PIXELS = 0.005
"""Share of the pixels that may differ visibly: rounding moves the edge of a line, no more."""


def alike(stored: str, fresh: str) -> bool:
    """Do two pictures differ by rounding only? A wrong curve differs in far more pixels."""
    if stored == fresh:
        return True
    a, b = (Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB") for png in (stored, fresh))
    if a.size != b.size:
        return False
    visible = ImageChops.difference(a, b).convert("L").point(lambda level: 255 * (level > 32))
    return ImageStat.Stat(visible).mean[0] / 255 <= FEW_PIXELS
