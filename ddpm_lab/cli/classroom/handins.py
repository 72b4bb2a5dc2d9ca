"""Which lines of a hand-in belong to an exercise? Nothing is run to find out.

A notebook is read as text and cut into statements. An exercise's attempt is the name that is handed
to its `check`; with it comes what it uses, and what that uses, and no more: neither the other cells
nor their slow computations, and no cell that a learner has broken or deleted.
"""

import ast
import json
import re
import symtable
from collections.abc import Iterable, Mapping
from typing import NamedTuple

LARGEST = 2 * 10**5
"""Characters of a cell that are looked at."""
HANDED_IN = "_handed_in"
"""What an attempt is called that has no name of its own, such as `check("…", lambda t: 3)`."""


class Attempt(NamedTuple):
    """What a hand-in says about one exercise."""

    source: str
    """Text that defines the attempt; empty if there is none."""
    function: str
    """What the text calls it."""
    is_open: bool = False
    """Is it there, and still as it was handed out?"""
    notes: tuple[str, ...] = ()
    """What a teacher may want to look at; it costs no points."""


class _Statement(NamedTuple):
    text: str
    node: ast.stmt
    binds: frozenset[str]
    needs: frozenset[str]


class _Call(NamedTuple):
    place: int
    exercise: str
    attempt: ast.expr


def code_cells(text: str) -> list[tuple[str, list[str]]]:
    """Source and tags of the code cells of a notebook file.

    Returns
    -------
    list of (source, tags)

    Raises
    ------
    ValueError
        If it is no notebook.

    >>> code_cells('{"cells": [{"cell_type": "code", "source": ["x = 1"]}]}')
    [('x = 1', [])]
    """
    try:
        cells = json.loads(text)["cells"]
        found = [cell for cell in cells if cell["cell_type"] == "code"]
        return [(_joined(c["source"]), list(c.get("metadata", {}).get("tags", []))) for c in found]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError("a hand-in must be a notebook; got a file that cannot be read") from None


def exercises_in(text: str) -> dict[str, str]:
    """{exercise: the name of its attempt} in a notebook of the course, in order.

    >>> exercises_in('{"cells": [{"cell_type": "code", "source": "f = check(\\'a.b\\', my_f)"}]}')
    {'a.b': 'my_f'}
    """
    found = {}
    for source, tags in code_cells(text):
        if "demo" not in tags:
            for call in _calls(_statements([source])[0]):
                found[call.exercise] = ast.unparse(call.attempt)
    return found


def attempts(text: str, wanted: Mapping[str, str]) -> dict[str, Attempt]:
    """What a hand-in says about each exercise.

    Parameters
    ----------
    text : of the hand-in's file
    wanted : {exercise: the name of its attempt in the course's own notebook}

    >>> cell = {"cell_type": "code", "source": "k = 2\\ndef my_f(x):\\n    return k * x"}
    >>> attempts(json.dumps({"cells": [cell]}), {"a.b": "my_f"})["a.b"].source
    'k = 2\\ndef my_f(x):\\n    return k * x\\n'
    """
    sources = [source for source, _ in code_cells(text)]
    statements, broken = _statements(sources)
    calls = {call.exercise: call for call in _calls(statements)}
    common = tuple(_tampering(statements))
    found = {}
    for name, usual in wanted.items():
        one = _read_attempt(statements, broken, calls.get(name), usual)
        found[name] = one._replace(notes=one.notes + common) if one.source else one
    return found


def _joined(source):
    """The text of a cell, without halves of letters, which JSON can hold and no file can."""
    text = source if isinstance(source, str) else "".join(source)
    return text.encode("utf-8", "replace").decode()


# Statements ---------------------------------------------------------------------------------------


def _statements(sources: Iterable[str]) -> tuple[list[_Statement], list[str]]:
    """The statements of all cells that can be read, and the cells that cannot."""
    found, broken = [], []
    for source in sources:
        plain = _without_magic(source)
        try:
            if len(plain) > LARGEST:
                raise ValueError("a cell must be one that somebody has written")
            found += [_statement(plain, node) for node in ast.parse(plain).body]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            broken.append(plain[:LARGEST])
    return found, broken


def _without_magic(source):
    """A cell without the lines that only a notebook understands: %, !, ?."""
    if source.lstrip().startswith("%%"):
        return ""
    kept = [re.sub(r"^\s*([%!?].*|[\w.]+\?+\s*)$", "pass", line) for line in source.split("\n")]
    # Only where the cell is no Python: % at the start of a line may continue an expression.
    return source if _is_python(source) else "\n".join(kept)


def _is_python(source):
    try:
        ast.parse(source[:LARGEST])
        return True
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _statement(source, node):
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    text = "\n".join(source.split("\n")[first - 1 : node.end_lineno])
    if not _is_alone(text):
        text = ast.unparse(node)
    table = symtable.symtable(text, "cell", "exec")
    symbols = table.get_symbols()
    binds = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    return _Statement(text, node, frozenset(binds.union(_changed(node))), frozenset(_needed(table)))


def _is_alone(text):
    try:
        return len(ast.parse(text).body) == 1
    except SyntaxError:
        return False


def _changed(node):
    """Names of which a statement changes a part: `Block.forward = …`, `table[0] = …`."""
    for target in getattr(node, "targets", None) or [getattr(node, "target", None)]:
        inside = target
        while isinstance(inside, (ast.Attribute, ast.Subscript)):
            inside = inside.value
        if isinstance(inside, ast.Name) and inside is not target:
            yield inside.id


def _needed(table, inside=False):
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (not inside or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _needed(child, inside=True)


def _calls(statements) -> list[_Call]:
    """All `check("exercise", attempt)`, wherever they stand."""
    found = []
    for place, statement in enumerate(statements):
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Call) and len(node.args) == 2 and _name(node.func) == "check":
                first, attempt = node.args
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.append(_Call(place, first.value, attempt))
    return found


def _name(node):
    return getattr(node, "id", None) or getattr(node, "attr", None)


# An attempt ---------------------------------------------------------------------------------------


def _read_attempt(statements, broken, call, usual) -> Attempt:
    """An attempt; of one that is nested too deep to be read, that."""
    try:
        return _attempt(statements, broken, call, usual)
    except (RecursionError, MemoryError, SyntaxError, ValueError):
        return Attempt("", usual, notes=("it is nested too deep, or too long, to be read",))


def _attempt(statements, broken, call, usual) -> Attempt:
    notes = []
    end = len(statements) if call is None else call.place
    name, extra = _handed_in(statements, call, usual)
    if call is None:
        notes.append("its check is gone")
    elif name not in (usual, HANDED_IN):
        notes.append(f"handed in as {name}, not {usual}")
    if not extra and not any(name in s.binds for s in statements):
        return _unread(broken, usual, tuple(notes))
    needs = extra[0].needs if extra else {name}
    chosen = [statements[i] for i in _closure(statements, needs, end)] + extra
    if any(_gives_back(s, name) for s in chosen):
        notes.append(f"{name} is replaced by what check gives back")
    source = "".join(f"{s.text}\n" for s in chosen)
    is_open = not extra and _is_open(chosen, name)
    return Attempt(source, name, is_open, (*notes, *_unusual(chosen)))


def _handed_in(statements, call, usual):
    """The name of what is handed in, and a statement that gives it one if it has none."""
    if call is None or not isinstance(call.attempt, ast.Name):
        if call is None or isinstance(call.attempt, ast.Constant):
            return usual, []
        text = f"{HANDED_IN} = {ast.unparse(call.attempt)}"
        return HANDED_IN, [_statement(text, ast.parse(text).body[0])]
    name = call.attempt.id
    return (name if any(name in s.binds for s in statements) else usual), []


def _unread(broken, usual, notes):
    """There is no such name, unless it stands in a cell that is no Python: then that is judged."""
    for text in reversed(broken):
        if re.search(rf"^(def {re.escape(usual)}\b|{re.escape(usual)}\s*=)", text, flags=re.M):
            return Attempt(text, usual, notes=notes)
    return Attempt("", usual, notes=notes)


def _closure(statements, needs, end) -> list[int]:
    """Places of the statements that give the names a meaning, and of what these need."""
    chosen, names, seen = set(), list(needs), set()
    while names:
        if (name := names.pop()) in seen:
            continue
        seen.add(name)
        for place in _bindings(statements, name, end):
            chosen.add(place)
            names += statements[place].needs
    stars = {i for i, s in enumerate(statements) if _is_for_all(s.node)}
    future = [i for i in stars if getattr(statements[i].node, "module", "") == "__future__"]
    return [*sorted(future), *sorted((chosen | stars) - {*future})]


def _bindings(statements, name, end):
    """Where a name gets its meaning, up to a place; anywhere, if it gets none there."""
    places = [i for i, s in enumerate(statements) if name in s.binds]
    places = [i for i in places if i <= end] or places
    whole = [n for n, i in enumerate(places) if _is_whole(statements[i], name)]
    return places[whole[-1] :] if whole else places


def _is_whole(statement, name):
    """Does it give the name a meaning that does not build on an earlier one?"""
    made = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    changed = set(_changed(statement.node))
    recursive = isinstance(statement.node, ast.FunctionDef)
    builds = name in statement.needs and not recursive
    return isinstance(statement.node, made) and not builds and name not in changed


def _is_for_all(node):
    """An import that can concern any name."""
    star = isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    return star or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _is_open(chosen, name):
    """Is the attempt still a docstring and `...`, or `name = ...`?"""
    last = [s.node for s in chosen if name in s.binds and not _gives_back(s, name)]
    body = getattr(last[-1], "body", None) if last else None
    if isinstance(body, list):
        return all(
            isinstance(node, ast.Pass)
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            for node in body
        )
    value = getattr(last[-1], "value", None) if last else None
    return isinstance(value, ast.Constant) and value.value in (None, ...)


# What a teacher may want to see -------------------------------------------------------------------


def _gives_back(statement, name):
    value = getattr(statement.node, "value", None)
    called = _name(value.func) if isinstance(value, ast.Call) else None
    return name in statement.binds and called == "check"


_MODULES = {
    "ctypes", "gc", "importlib", "inspect", "os", "pathlib", "shutil", "signal", "socket",
    "subprocess", "sys", "urllib",
}  # fmt: skip
_WORDS = {
    "__closure__", "__code__", "__globals__", "__import__", "__loader__", "__name__", "__wrapped__",
    "_getframe", "compile", "eval", "exec", "open",
}  # fmt: skip
"""No exercise needs them, nor these modules."""


def _unusual(chosen):
    """By which an attempt reaches beyond its exercise."""
    words: set[str] = set()
    modules: set[str] = set()
    for statement in chosen:
        for node in ast.walk(statement.node):
            words |= {getattr(node, "id", ""), getattr(node, "attr", "")}
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add(str(node.module).partition(".")[0])
    found = sorted((words & _WORDS) | (modules & _MODULES))
    return [f"uses {', '.join(found)}"] if found else []


def _tampering(statements):
    """Does a notebook put something of its own in the place of the course's check?"""
    for statement in statements:
        node = statement.node
        ours = isinstance(node, ast.ImportFrom) and str(node.module).startswith("ddpm_lab")
        if "check" in statement.binds and not ours:
            yield "the notebook has a check of its own"
            return
        targets = getattr(node, "targets", [])
        if any(isinstance(t, ast.Attribute) and t.attr in ("check", "verdict") for t in targets):
            yield "the notebook replaces the course's check"
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            words = {a.value for a in call.args if isinstance(a, ast.Constant)}
            if _name(call.func) == "setattr" and words & {"check", "verdict", "exercise"}:
                yield "the notebook replaces the course's check"
                return
