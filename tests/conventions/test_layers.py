"""A module imports from strictly lower layers only, and heavy libraries only where they belong.

Truth: the table in the docstring of `ddpm_lab/__init__.py`, which readers see. The imports are read
from the source with `ast`, lazy ones inside functions too, so that nothing has to be installed or
run.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

import ddpm_lab

PACKAGE = Path(ddpm_lab.__file__).parent
# What may be imported at the top of a module, by the lowest layer that may do so.
FREE = {"torch": 0, "matplotlib": 5, "ipywidgets": 5, "IPython": 5}
FIGURES = 5  # from here on a module may load what it likes


def layers():
    """{module: layer} from the table in the package's docstring."""
    rows = re.findall(r"^    (\d)  (.+)$", ddpm_lab.__doc__, flags=re.M)
    table = {name: int(number) for number, names in rows for name in names.split()}
    assert table, "the docstring of ddpm_lab holds no table of layers"
    return table


def sources():
    """{module: its source files}; a folder is one module."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if name != "__init__":
            found.setdefault(name, []).append(path)
    return found


MODULES = sources()
EACH = pytest.mark.parametrize("module", MODULES)


def imported(tree):
    """(dotted name, is it at the top of the module?) for every import, also inside functions."""
    inside = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        top = id(node) not in inside
        if isinstance(node, ast.Import):
            yield from ((alias.name, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "write absolute imports: the layers are easier to read"
            yield from ((f"{node.module}.{alias.name}", top) for alias in node.names)


def ours(module):
    """The ddpm_lab modules that this one imports."""
    table = layers()
    for path in MODULES[module]:
        for name, _ in imported(ast.parse(path.read_text())):
            parts = name.split(".")
            if parts[0] == "ddpm_lab" and len(parts) > 1 and parts[1] in table:
                yield parts[1]


def test_every_module_stands_in_the_table_and_every_entry_is_a_module():
    assert set(layers()) == set(MODULES)


@EACH
def test_a_module_imports_from_strictly_lower_layers_only(module):
    table = layers()
    for other in set(ours(module)) - {module}:
        assert table[other] < table[module], (
            f"{module} (layer {table[module]}) imports {other} (layer {table[other]})"
        )


@EACH
def test_heavy_libraries_are_loaded_where_they_are_used(module):
    """At the top of a module below the figures: the standard library, torch, and lower layers."""
    if layers()[module] >= FIGURES:
        return
    for path in MODULES[module]:
        for name, top in imported(ast.parse(path.read_text())):
            library = name.split(".")[0]
            if top and library not in sys.stdlib_module_names and library != "ddpm_lab":
                lowest = FREE.get(library)
                assert lowest is not None and layers()[module] >= lowest, (
                    f"{path.name} imports {library} at its top; import it inside the function"
                )


@EACH
def test_pictures_and_widgets_belong_to_the_upper_layers(module):
    for path in MODULES[module]:
        libraries = {name.split(".")[0] for name, _ in imported(ast.parse(path.read_text()))}
        if layers()[module] < FIGURES:
            assert not libraries & {"matplotlib", "ipywidgets", "IPython"}, path.name


def test_networks_know_nothing_of_diffusion():
    """Of the Gaussians only Bayes' rule for a pixel's level: it knows of no schedule either."""
    if "networks" in MODULES:
        assert set(ours("networks")) <= {"networks", "types", "_checks", "gaussians"}
        for path in MODULES["networks"]:
            for name, _ in imported(ast.parse(path.read_text())):
                assert "gaussians" not in name or name.startswith("ddpm_lab.gaussians.pixels")


def test_the_package_lists_its_public_modules():
    public = {name for name in MODULES if not name.startswith("_")}
    assert set(ddpm_lab.__all__) == public
