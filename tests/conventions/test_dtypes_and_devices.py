"""A tensor that the package makes has the dtype and the device that its code names.

Truth: the house rule. PyTorch's defaults belong to whoever uses the package: after
`torch.set_default_dtype` or `torch.set_default_device` a `torch.zeros(3)` is another tensor. So
every call that makes one out of nothing names both; or it is a method of a tensor that has them
(`x.new_zeros`), or a `..._like`. Read from the source with `ast`.
"""

import ast

import pytest
from every import FILES, every

# `exercises` makes the inputs of its questions while the CPU is the default: see `verdict`. So do
# the checks of `claims`: see `claim`.
EACH = every(
    {name: path for name, path in FILES.items() if path.parent.name not in ("exercises", "claims")}
)
BOTH = {"zeros", "ones", "full", "empty", "eye", "linspace", "tensor", "asarray", "rand", "randn"}
WHOLE = {"arange", "randint", "randperm", "as_tensor"}  # whole numbers are int64 in any case
DRAWS = {"figures", "explorers"}  # figures: never on a device


def calls(source):
    """(line, name, keywords) of each call of a function of torch, or of a method."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            of_torch = isinstance(owner, ast.Name) and owner.id == "torch"
            named = {each.arg for each in node.keywords}
            yield node.lineno, node.func.attr, named, of_torch, node


def inside_layers(source):
    """The lines of `__init__` in classes: layers take the defaults, like those of torch.nn, and
    `networks.build` sets these."""
    return {
        line
        for outer in ast.walk(ast.parse(source))
        if isinstance(outer, ast.ClassDef)
        for method in outer.body
        if isinstance(method, ast.FunctionDef) and method.name == "__init__"
        for line in range(method.lineno, method.end_lineno + 1)
    }


def unnamed(source):
    """What a file makes without saying of which dtype, or where."""
    layers = inside_layers(source)
    for line, name, named, of_torch, _ in calls(source):
        wanted = {"dtype", "device"} if name in BOTH else {"device"} if name in WHOLE else set()
        if of_torch and line not in layers and not wanted <= named:
            yield f"line {line}: torch.{name} without {', '.join(sorted(wanted - named))}"


def widened(source):
    """Where a file converts to float64 in place: on some devices there is none."""
    for line, name, _, of_torch, node in calls(source):
        arguments = [*node.args, *(each.value for each in node.keywords)]
        to_float64 = name in ("to", "type") and any(
            isinstance(each, ast.Attribute) and each.attr in ("float64", "double")
            for each in arguments
        )
        if not of_torch and (name == "double" or to_float64):
            yield f"line {line}: .{name} to float64"


@EACH
def test_what_is_made_names_its_dtype_and_device(path):
    found = list(unnamed(path.read_text(encoding="utf-8")))
    assert not found, f"{path.name}: {found}; name both, or use x.new_zeros and the like"


@EACH
def test_float64_is_made_in_one_place(path):
    if not DRAWS & {path.stem, path.parent.name}:
        found = list(widened(path.read_text(encoding="utf-8")))
        assert not found, f"{path.name}: {found}; use _checks.float64, which moves to the CPU first"


@pytest.mark.parametrize(
    ("source", "finds"),
    [
        ("torch.zeros(3)", unnamed),
        ("torch.zeros(3, dtype=torch.float32)", unnamed),
        ("torch.randn(3, generator=rng, device=rng.device)", unnamed),
        ("torch.arange(3)", unnamed),
        ("x.double()", widened),
        ("x.to(torch.float64)", widened),
        ("x.to(device, dtype=torch.double)", widened),
    ],
)
def test_the_rules_see_what_they_forbid(source, finds):
    assert list(finds(source))
    for good in ("x.new_zeros(3)", "torch.zeros_like(x)", "torch.arange(3, device=x.device)"):
        assert not list(unnamed(good)) and not list(widened(good))
