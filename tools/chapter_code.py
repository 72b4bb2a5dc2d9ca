"""A chapter's own functions, for work that is too long for the chapter.

Such work is done once, and kept in a file that the chapter reads. It must be the chapter's code
that did it: so the functions are taken out of the chapter's text, not written again.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import jupytext

ARITHMETIC = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE", "OMP_NUM_THREADS": "1"}
"""As in chapters/conftest.py, so that other processors agree."""


def names(source: Path, last: str, data: set[str]) -> dict:
    """All names of a chapter's imports and functions, up to the cell that defines `last`.

    Of its variables only those in `data` are computed.
    """
    wanted = []
    for cell in jupytext.read(source).cells:
        if cell.cell_type == "code":
            wanted += [node for node in ast.parse(cell.source).body if _belongs(node, data)]
            if any(getattr(node, "name", "") == last for node in wanted):
                break
    found: dict = {}
    exec(compile(ast.Module(wanted, []), str(source), "exec"), found)
    return found


def _belongs(node, data):
    if isinstance(node, ast.Assign):
        targets = {name.id for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name)}
        return bool(targets) and targets <= data
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef))


def with_its_arithmetic(main) -> int:
    """The status of `main`, in a process whose torch computes like the stored chapters."""
    if ARITHMETIC.items() - os.environ.items():  # must be there before torch is imported
        return subprocess.call([sys.executable, *sys.argv], env={**os.environ, **ARITHMETIC})
    return main()
