"""Names from the field, short functions, no assert on user input, nothing left to do.

Truth: the house rules. Banned names are ambiguous: sigma is a standard deviation, a variance or a
noise-to-signal ratio depending on the paper, alphas_cumprod hides which alpha, prev and next point
both ways in time. Read from the source with `ast`, so that comments and docstrings may still quote
the papers.
"""

import ast
import inspect
import io
import re
import statistics
import textwrap
import tokenize
from functools import cache

from every import FILES, PACKAGE, every, tree

import ddpm_lab
from ddpm_lab import _checks

ROOT = PACKAGE.parent
BANNED = {"sigma", "alphas_cumprod", "prev", "next", "cur"}
LONGEST = 38
"""Lines of code in the body of a function."""
P90 = 12
"""Lines of code in the body that nine of ten functions do not exceed."""
LONGEST_MODULE, MEDIAN_MODULE = 500, 200
"""Lines, docstrings and all."""
CHECKS = 17
"""General checks; whoever adds one says why."""


@every(FILES)
def test_ambiguous_names_are_not_used(path):
    """As a variable, an argument, an attribute or a function; calling Python's next() is fine."""
    used = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name) and not (
            node.id == "next" and isinstance(node.ctx, ast.Load)
        ):
            used.setdefault(node.id, node.lineno)
        elif isinstance(node, (ast.arg, ast.keyword)) and node.arg:
            used.setdefault(node.arg, node.lineno)
        elif isinstance(node, ast.Attribute):
            used.setdefault(node.attr, node.lineno)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            used.setdefault(node.name, node.lineno)
    found = {name: line for name, line in used.items() if name in BANNED}
    assert not found, f"{path.name}: {found}"


def code_lines(node, text):
    """Lines of a function that hold code: no docstring, no comment, no blank line."""
    lines = set()
    docstring = node.body[0] if ast.get_docstring(node) is not None else None
    source = "".join(text.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno])
    skip = (
        range(docstring.lineno - node.lineno + 1, docstring.end_lineno - node.lineno + 2)
        if docstring
        else ()
    )
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    for token in tokenize.generate_tokens(io.StringIO(textwrap.dedent(source)).readline):
        if token.type not in ignored and token.string.strip():
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - set(skip))


def body_lines(node, text):
    """The same without its arguments, which stand one on a line."""
    return code_lines(node, text) - (node.body[0].lineno - node.lineno)


@cache
def lengths():
    """{file and function: its lines of code}"""
    return {
        f"{file}: {node.name} in line {node.lineno}": body_lines(node, path.read_text())
        for file, path in FILES.items()
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def test_a_function_fits_on_a_screen():
    too_long = {name: n for name, n in lengths().items() if n > LONGEST}
    assert not too_long


def test_most_functions_are_short():
    assert sorted(lengths().values())[int(0.9 * len(lengths()))] <= P90


def test_modules_are_small_rooms():
    """Lists of mistakes that learners make are data: they count for the longest, not the median."""
    lines = {file: len(path.read_text().splitlines()) for file, path in FILES.items()}
    too_long = {file: n for file, n in lines.items() if n > LONGEST_MODULE}
    assert not too_long, f"more than {LONGEST_MODULE} lines: {too_long}"
    code = [n for file, n in lines.items() if n > 5 and not re.search(r"/ch\d\d_", file)]
    assert statistics.median(code) <= MEDIAN_MODULE


@every(FILES)
def test_bad_input_is_refused_with_words_and_never_with_assert(path):
    asserts = [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.Assert)]
    assert not asserts, f"{path.name}: assert in line {asserts}; raise ValueError with a message"


@every(FILES)
def test_bad_input_is_refused_at_the_door(path):
    """In the mathematical core a check is a function: of `_checks` or a `checks.py`, or private."""
    rows = re.findall(r"^    (\d)  (.+)$", ddpm_lab.__doc__, flags=re.M)
    core = {name for number, names in rows if int(number) <= 4 for name in names.split()}
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    private = room.startswith("_") or (path.stem.startswith("_") and path.stem != "__init__")
    if room not in core or private or path.stem == "checks":
        return
    functions = [node for node in tree(path).body if isinstance(node, ast.FunctionDef)]
    for function in (node for node in functions if not node.name.startswith("_")):
        raised = [node.lineno for node in ast.walk(function) if isinstance(node, ast.Raise)]
        assert not raised, f"{path.name}: raise in line {raised}; make the check a function"


@cache
def _customers():
    """{what `_checks` offers: the rooms that use it}; a room is a module, or a folder of them."""
    found = {name: set() for name in _checks.__all__ if inspect.isfunction(getattr(_checks, name))}
    for path in FILES.values():
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "_checks":
                found.get(node.attr, set()).add(room)
    return found


def test_a_general_check_serves_more_than_one_room():
    lonely = {name: rooms for name, rooms in _customers().items() if len(rooms) < 2}
    assert not lonely, f"put it beside its only customer: {lonely}"


def test_general_checks_are_few():
    """Counted are those that refuse; how a message shows a value, and conversions, are none."""
    conversions = {"float64", "float64_on", "readable"}
    words = {name for name, value in vars(_checks.words).items() if inspect.isfunction(value)}
    assert len(_customers().keys() - conversions - words) <= CHECKS


def test_nothing_is_left_to_do():
    words = re.compile(
        r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b"
    )
    folders = [PACKAGE, ROOT / "tests", ROOT / "tools", ROOT / "chapters" / "source"]
    files = [p for folder in folders if folder.exists() for p in folder.rglob("*.py")]
    files += [p for pattern in ("*.py", "*.md", "*.toml", "*.yml") for p in ROOT.glob(pattern)]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if words.search(line)
    ]
    assert not found, found
