"""The exercises of a chapter: the lines that check them."""

from __future__ import annotations

import ast
from typing import NamedTuple

from tools.notebooks.sources import tags


class Check(NamedTuple):
    """One line `target = check("name", attempt)`, at lines first..last of its cell."""

    name: str
    attempt: str
    target: str
    first: int
    last: int


def checks_in(source: str) -> list[Check]:
    """The exercise checks at the left margin of a code cell; none if it is not plain Python."""
    found: list[Check] = []
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return found
    for node in statements:
        call = getattr(node, "value", None)
        if not (isinstance(node, (ast.Assign, ast.Expr)) and isinstance(call, ast.Call)):
            continue
        function = call.func
        called = getattr(function, "id", None) or getattr(function, "attr", None)
        arguments = call.args
        if called != "check" or len(arguments) < 2 or not isinstance(arguments[0], ast.Constant):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        found.append(
            Check(
                str(arguments[0].value),
                ast.unparse(arguments[1]),
                ast.unparse(target) if target is not None else "verdict",
                node.lineno,
                node.end_lineno or node.lineno,
            )
        )
    return found


def exercises(notebook) -> list[Check]:
    """All checks of a reading that are exercises, in order."""
    code = [c for c in notebook.cells if c.cell_type == "code" and "demo" not in tags(c)]
    return [found for cell in code for found in checks_in(cell.source)]
