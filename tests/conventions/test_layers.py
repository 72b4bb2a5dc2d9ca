"""A module imports from strictly lower layers only, and heavy libraries only where they belong.

Truth: the table in the docstring of `ddpm_lab/__init__.py`, which readers see. The imports are read
from the source with `ast`, lazy ones inside functions too, so that nothing has to be installed or
run.
"""

import ast
import re
import sys
from functools import cache

from every import FILES, PACKAGE, every, tree

import ddpm_lab

# What may be imported at the top of a module, by the lowest layer that may do so.
FREE = {"torch": 0, "matplotlib": 6, "ipywidgets": 6, "IPython": 6}
FIGURES = 6  # from here on a module may load what it likes


def layers():
    """{module: layer} from the table in the package's docstring."""
    rows = re.findall(r"^    (\d)  (.+)$", ddpm_lab.__doc__, flags=re.M)
    table = {name: int(number) for number, names in rows for name in names.split()}
    assert table, "the docstring of ddpm_lab holds no table of layers"
    return table


def sources():
    """{module: its source files}; a folder is one module."""
    found = {}
    for path in FILES.values():
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if name != "__init__":
            found.setdefault(name, []).append(path)
    return found


MODULES = sources()
EACH = every({module: module for module in MODULES})


@cache
def imported(path):
    """(dotted name, is it at the top of the file?) for every import, also inside functions."""
    return list(_imported(tree(path)))


def _imported(tree):
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
        for name, _ in imported(path):
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
        for name, top in imported(path):
            library = name.split(".")[0]
            if top and library not in sys.stdlib_module_names and library != "ddpm_lab":
                lowest = FREE.get(library)
                assert lowest is not None and layers()[module] >= lowest, (
                    f"{path.name} imports {library} at its top; import it inside the function"
                )


@EACH
def test_pictures_and_widgets_belong_to_the_upper_layers(module):
    for path in MODULES[module]:
        libraries = {name.split(".")[0] for name, _ in imported(path)}
        if layers()[module] < FIGURES:
            assert not libraries & {"matplotlib", "ipywidgets", "IPython"}, path.name


def test_networks_know_nothing_of_diffusion():
    """Of the Gaussians only Bayes' rule for a pixel's level: it knows of no schedule either."""
    if "networks" in MODULES:
        assert set(ours("networks")) <= {"networks", "types", "_checks", "gaussians"}
        for path in MODULES["networks"]:
            for name, _ in imported(path):
                assert "gaussians" not in name or name.startswith("ddpm_lab.gaussians.pixels")


def test_the_package_lists_its_public_modules():
    public = {name for name in MODULES if not name.startswith("_")}
    assert set(ddpm_lab.__all__) == public


# --- Rooms: what lies inside a package, and inside `course` above all -----------------------------

COURSE = {
    "exercises": set(),  # judged without a figure: an attempt is numbers
    "explorers": {"figures", "style", "display", "claims", "diagrams", "words"},
    "figures": {"style", "display", "_drawable"},
    "_drawable": set(),
    "diagrams": {"figures", "style", "claims"},
    "style": set(),
    "display": {"style"},
    "ablation": set(),
    "compare_samplers": set(),
    "gpu_run": set(),
    "text_to_image": set(),
    "distillation": set(),
    "words": set(),
    "dit": {"ablation"},
    "eight_gaussians": set(),
    "exact_steps": set(),
    "hierarchy": set(),
    "learned_schedule": set(),
    "ode_likelihood": set(),
    "glossary": set(),
    "formulas": set(),
    "notation": set(),
    "claims": {"notation"},
}
"""Room of the course -> the other rooms of it that it may import."""


def dotted(path):
    """The name under which a file is imported."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    )


NAMES = {dotted(path) for path in FILES.values()}


def modules_imported(path):
    """The modules of ddpm_lab that a file imports: the longest part of each name that is one."""
    for name, _ in imported(path):
        while name.startswith("ddpm_lab.") and name not in NAMES:
            name = name.rpartition(".")[0]
        if name.startswith("ddpm_lab."):
            yield name


def of_course():
    return [path for path in MODULES.get("course", []) if path.parent != PACKAGE / "course"] + [
        path for path in (PACKAGE / "course").glob("*.py") if path.stem != "__init__"
    ]


def room(name):
    """`exercises` for ddpm_lab.course.exercises.ch05_forward."""
    return name.removeprefix("ddpm_lab.course").lstrip(".").partition(".")[0]


@every({path.relative_to(PACKAGE).as_posix(): path for path in of_course()})
def test_a_room_of_the_course_imports_only_what_it_may(path):
    own = room(dotted(path))
    others = {room(n) for n in modules_imported(path) if n.startswith("ddpm_lab.course.")}
    assert others - {own} <= COURSE[own]


@every({path.relative_to(PACKAGE).as_posix(): path for path in of_course()})
def test_widgets_belong_to_explorers_and_drawing_not_to_exercises(path):
    libraries = {name.split(".")[0] for name, _ in imported(path)}
    own = room(dotted(path))
    assert own == "explorers" or "ipywidgets" not in libraries
    drawing = {"explorers", "figures", "diagrams", "style", "display"}
    assert own in drawing or "matplotlib" not in libraries


@EACH
def test_a_private_room_is_entered_from_its_own_package_only(module):
    for path in MODULES[module]:
        for name in modules_imported(path):
            *above, last = name.split(".")
            home = ".".join(above)
            private = last.startswith("_") and home != "ddpm_lab"
            assert not private or dotted(path).startswith(home), f"{path.name} imports {name}"


@EACH
def test_the_rooms_of_a_package_import_each_other_in_one_direction(module):
    """A room that is loaded inside a function may be higher; at the top of a file, no circle."""
    graph = {}
    for path in MODULES[module]:
        if path.stem == "__init__":  # the front door re-exports what is behind it
            continue
        names = {name for name, top in imported(path) if top}
        graph[dotted(path)] = {
            other
            for other in (dotted(p) for p in MODULES[module] if p.stem != "__init__")
            if any(name == other or name.startswith(other + ".") for name in names)
        }
    while free := [name for name, needs in graph.items() if not needs & graph.keys()]:
        for name in free:
            del graph[name]
    assert not graph, f"these import each other: {sorted(graph)}"
