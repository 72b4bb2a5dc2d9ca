"""Every setting of a configuration, with its default and what it means, for `train --help`.

They are read out of the text of `training/config.py`, where they are made and explained: there is
no second list that could fall behind. Reading a text needs no PyTorch, and `--help` stays quick.
"""

import ast
import json
import textwrap
from collections.abc import Iterator

from ddpm_lab import _installed


def settings() -> Iterator[tuple[str, str, str]]:
    """(name, default, meaning) of each setting, as `--set` takes it.

    >>> next(settings())[:2]
    ('data.name', '"mnist"')
    """
    text = (_installed.PACKAGE / "training" / "config.py").read_text(encoding="utf-8")
    classes = {each.name: each for each in ast.parse(text).body if isinstance(each, ast.ClassDef)}
    for name, default, meaning in _fields(classes["RunConfig"]):
        if isinstance(default, ast.Call):  # a part: field(default_factory=DataConfig)
            part = classes[ast.unparse(default.keywords[0].value)]
            inner = _fields(part)
        else:
            inner, part = [("", default, meaning)], None
        for under, value, said in inner:
            yield f"{name}.{under}" if part else name, _plain(value), said


def _fields(cls):
    """(name, default, docstring) of each field of a class."""
    for each, after in zip(cls.body, [*cls.body[1:], None]):
        if isinstance(each, ast.AnnAssign) and each.value is not None:
            said = after.value if isinstance(after, ast.Expr) else None
            text = said.value if isinstance(said, ast.Constant) else ""
            yield ast.unparse(each.target), each.value, " ".join(str(text).split())


def _plain(value):
    """A default as `--set` takes it: JSON's words."""
    found = ast.literal_eval(value)
    if found is None or isinstance(found, bool):
        return str(found).lower()
    return json.dumps(found)


def listed() -> str:
    """All settings for people, in columns.

    >>> print(listed().splitlines()[0])
    settings, for --set NAME=VALUE or a configuration's file, each with its default:
    """
    rows = ["settings, for --set NAME=VALUE or a configuration's file, each with its default:"]
    for name, default, meaning in settings():
        head = f"  {name} = {default}"
        first = head.ljust(31) + " "
        rows += textwrap.wrap(
            meaning, 100, initial_indent=first, subsequent_indent=" " * 32, break_long_words=False
        )
    return "\n".join(rows)
