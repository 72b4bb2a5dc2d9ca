"""What makes a section a detour: the main road does not need it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator

from tools.notebooks.minutes import placed


def borrowed(cells: Iterable) -> Iterator[str]:
    """Each name that a cell of the main road reads, though only a detour has defined it."""
    road, detours = set(dir(builtins)), set()
    for cell, text, inside in placed(cells):
        if cell.cell_type != "code":
            continue
        read, bound = _names(text)
        if inside:
            detours |= bound
            continue
        for name in sorted(read & detours - bound - road):
            yield f"cell {cell.id}: reads {name!r}, which only a detour defines"
        road |= bound


def _names(code: str) -> tuple[set[str], set[str]]:
    """What a cell reads, and what it binds: by assignment, definition or import."""
    read, bound = set(), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
    return read, bound
