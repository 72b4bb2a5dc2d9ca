"""Every public name explains itself: what it is, what comes out, what is refused, and an example
that runs.

Truth: the house rules for docstrings. Whether the examples are right is checked by running them
(`pytest --doctest-modules ddpm_lab`); here they must exist. Sources named in brackets must stand in
references.bib.
"""

import ast
import re

import pytest
from every import FILES as ALL
from every import PACKAGE, every, tree

ROOT = PACKAGE.parent
FILES = {name: p for name, p in ALL.items() if p.parent != PACKAGE / "course" / "exercises"}
# "A schedule from its step variances" says what comes out; numbers need a shape and a unit.
NUMBERS = r"\b(Tensor|Data|Gaussian|Prediction|Bound|Iterator|tuple|list|float|Mixture|Denoiser)\b"


def public(kind):
    """{file and name: its node}"""
    return {
        f"{file}: {node.name}": node
        for file, path in FILES.items()
        for node in tree(path).body
        if isinstance(node, kind) and not node.name.startswith("_")
    }


FUNCTIONS = public(ast.FunctionDef)
CLASSES = public(ast.ClassDef)


def of_public_modules(nodes):
    return {name: node for name, node in nodes.items() if not is_private(name.partition(":")[0])}


def is_private(file):
    return any(part.startswith("_") and part != "__init__.py" for part in file.split("/"))


def of_the_library(nodes):
    """Without the program's own: what a command does is seen by running it."""
    public = of_public_modules(nodes)
    return {name: node for name, node in public.items() if not name.startswith("cli")}


@every(FILES)
def test_every_module_opens_with_what_it_is_about(path):
    assert (ast.get_docstring(tree(path)) or "").strip()


@every(FUNCTIONS | CLASSES)
def test_every_public_name_has_a_docstring_that_starts_with_a_sentence(node):
    text = ast.get_docstring(node) or ""
    first = text.split("\n\n")[0]
    assert first and first.rstrip()[-1] in ".:?", f"{node.name}: {first!r}"


@every(of_the_library(FUNCTIONS))
def test_every_public_function_has_an_example(node):
    assert ">>> " in ast.get_docstring(node), f"{node.name} has no doctest"


@every(of_the_library(CLASSES))
def test_every_public_class_has_an_example(node):
    assert ">>> " in ast.get_docstring(node), f"{node.name} has no doctest"


@every(of_public_modules(CLASSES))
def test_every_public_method_and_property_has_a_docstring(node):
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
            # `forward` of a network is PyTorch's name; the class says what comes in and out
            assert ast.get_docstring(part) or part.name == "forward", f"{node.name}.{part.name}"


@every(of_the_library(CLASSES))
def test_every_field_of_a_named_tuple_says_what_it_holds(node):
    bases = {ast.unparse(base) for base in node.bases}
    if "NamedTuple" not in bases:
        return
    fields = {part.target.id for part in node.body if isinstance(part, ast.AnnAssign)}
    said = {
        before.target.id
        for before, after in zip(node.body, node.body[1:], strict=False)
        if isinstance(before, ast.AnnAssign)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }
    in_text = {name for name in fields if re.search(rf"\b{name}\b", ast.get_docstring(node) or "")}
    # A time is a time: t and s are explained once, in the types.
    assert fields - said - in_text <= {"t", "s"}, f"{node.name}: {fields - said - in_text}"


@every(of_public_modules(FUNCTIONS))
def test_a_function_that_returns_numbers_says_their_shape_and_unit(node):
    returned = ast.unparse(node.returns) if node.returns else ""
    text = ast.get_docstring(node)
    sections = re.search(r"^(Parameters|Raises)\n-+", text, flags=re.M)
    if sections and re.search(NUMBERS, returned):
        assert re.search(r"^(Returns|Yields)\n-+", text, flags=re.M), f"{node.name} -> {returned}"


@every(of_the_library(FUNCTIONS))
def test_a_function_that_checks_its_input_says_what_it_refuses(node):
    """In the ranges of its parameters, or, where that does not say it all, under Raises."""
    checks = any(
        isinstance(part, ast.Raise)
        or (isinstance(part, ast.Attribute) and ast.unparse(part.value) == "_checks")
        or (isinstance(part, ast.Name) and part.id.startswith("check_"))
        for part in ast.walk(node)
    )
    if checks:
        text = ast.get_docstring(node)
        said = re.search(r"^(Parameters|Raises)\n-+", text, flags=re.M)
        assert said, f"{node.name} does not say what it takes and what it refuses"


@every(of_public_modules(FUNCTIONS))
def test_docstrings_name_only_parameters_that_exist(node):
    """A docstring that drifts from the signature misleads more than none."""
    text = ast.get_docstring(node)
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w+\n-+|^>>>|\Z)", text, flags=re.M | re.S)
    if not section:
        return
    arguments = node.args
    if arguments.kwarg:
        return  # **state may be described key by key
    names = {a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    names |= {arguments.vararg.arg} if arguments.vararg else set()
    for line in re.findall(r"^([\w*]+(?:, [\w*]+)*) :", section[1], flags=re.M):
        for name in line.split(", "):
            assert name.lstrip("*") in names, f"{node.name} has no parameter {name!r}"


# Sources -----------------------------------------------------------------------------------------


def cited():
    """{key: first file that cites it} for brackets like [Ho20, Eq. 4] and [Hoo23, Sec. 3.1;
    Chen23].
    """
    found = {}
    for path in FILES.values():
        for bracket in re.findall(r"\[([A-Z][^\[\]]*)\]", path.read_text()):
            for part in bracket.split(";"):
                key = re.match(r"\s*([A-Z][A-Za-z]+\d\d[a-z]?)(?=[,\s]|$)", part)
                if key:
                    found.setdefault(key[1], path.name)
    return found


def test_the_papers_are_cited_by_key():
    assert {"Ho20", "Song21a", "Kin21", "ND21", "Lin23"} <= set(cited())


@pytest.mark.parametrize("key", sorted(cited()))
def test_every_cited_source_is_in_the_bibliography(key):
    bibliography = ROOT / "references.bib"
    assert bibliography.exists(), (
        "references.bib is missing: it holds the sources that docstrings cite"
    )
    keys = re.findall(r"^@\w+\{\s*([^,\s]+)\s*,", bibliography.read_text(), flags=re.M)
    assert key in keys, f"[{key}] is cited in {cited()[key]} but not in references.bib"


def test_the_bibliography_has_no_key_twice():
    bibliography = ROOT / "references.bib"
    assert bibliography.exists(), (
        "references.bib is missing: it holds the sources that docstrings cite"
    )
    keys = re.findall(r"^@\w+\{\s*([^,\s]+)\s*,", bibliography.read_text(), flags=re.M)
    assert len(keys) == len(set(keys))
