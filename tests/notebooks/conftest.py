"""A toy course: the smallest project that has everything a chapter may have."""

import shutil
from pathlib import Path

import pytest

from tools.notebooks import building

EXERCISES = '''
"""Stand-in for the package's exercises: the same contract, one exercise."""

from typing import NamedTuple


class Verdict(NamedTuple):
    mark: str
    message: str


def verdict(name, attempt):
    try:
        got = attempt(3)
    except NotImplementedError:
        got = None
    if got == 9:
        return Verdict("✓", "")
    return Verdict("○", "not yet") if got is None else Verdict("✗", "square it")


def check(name, attempt):
    mark, message = verdict(name, attempt)
    print(f"{mark} {name}: {message}" if message else f"{mark} {name}")
    return attempt if mark == "✓" else lambda x: x * x
'''

FIGURES = '''
"""Stand-in for the package's figures: a picture with alt text, and a slider with a still."""

import base64
import io

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display


def parabola(power=2):
    fig, ax = plt.subplots(figsize=(2, 1))
    ax.plot([x**power for x in range(5)])
    file = io.BytesIO()
    fig.savefig(file, format="png")
    plt.close(fig)
    return file.getvalue()


def bundle(png, alt):
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": alt}
    return data, {"image/png": {"alt": alt}}


def show(png, alt):
    data, metadata = bundle(png, alt)
    display(data, metadata=metadata, raw=True)
    print("Figure:", alt)


class Explorer(ipywidgets.VBox):
    def __init__(self, alt):
        self.alt, self.image = alt, ipywidgets.Image(value=parabola(2), format="png")
        slider = ipywidgets.IntSlider(2, 1, 5, description="power")
        slider.observe(lambda change: setattr(self.image, "value", parabola(change.new)), "value")
        super().__init__([slider, self.image])
        print("Explorer:", alt)

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = bundle(self.image.value, self.alt)
        return {**super()._repr_mimebundle_(**kwargs), **data}, metadata
'''

TEXT = '''\
# %% [markdown]
# # Toys: what is a square?
#
# About {road} minutes.
#
# A formula, $x^2 = x \\cdot x$, and links: [readme](../README.md#the-toy), [next](02_more.ipynb).

# %%
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check

figures.show(figures.parabola(), alt="a parabola through 0, 1, 4, 9 and 16")

# %% tags=["exercise"]
def my_square(x):
    """The square of `x`."""
    ### BEGIN SOLUTION
    squared_value = x * x
    return squared_value
    ### END SOLUTION


square = check("toy.square", my_square)

# %% [markdown] tags=["solution"]
# Multiplying a number by itself squares it; see [the toy](../README.md).

# %%
print(square(5))

# %%
figures.Explorer("a parabola whose power 2 a slider moves")
'''

MORE = """\
# %% [markdown]
# # More: links between chapters
#
# About {road} minutes.
#
# Back to [squares](01_toy.ipynb#Toys:-what-is-a-square?).
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """The toy course with its notebooks, built once; use `toy`, a copy, to change something."""
    root = tmp_path_factory.mktemp("toy")
    files = {
        "README.md": "# Readme\n\n## The toy\n\nSee [it](chapters/01_toy.ipynb).\n",
        "ddpm_lab/__init__.py": "",
        "ddpm_lab/course/exercises.py": EXERCISES,
        "ddpm_lab/course/figures.py": FIGURES,
        "chapters/source/01_toy.py": TEXT,
        "chapters/source/02_more.py": MORE,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    assert building.build(root) == []
    return root


@pytest.fixture
def toy(built, tmp_path) -> Path:
    root = tmp_path / "toy"
    shutil.copytree(built, root)
    return root
