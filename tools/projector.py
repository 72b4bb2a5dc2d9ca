"""All explorers on one page with large letters, for a projector: `python -m tools projector`.

Voilà shows it without code; each explorer is made when it is chosen. What follows goes on to Voilà,
such as `--port=9000 --no-browser`.
"""

from __future__ import annotations

import subprocess
import sys

import nbformat

from tools.notebooks.sources import METADATA, ROOT
from tools.notebooks.stored import store, written

LETTERS = """\
from IPython.display import HTML

HTML(\"\"\"<title>Explorers</title><style>
body { --jp-widgets-font-size: 20px; --jp-widgets-inline-height: 36px; font-size: 20px; }
.ddpm-explorer { zoom: 1.3; }
.ddpm-explorer .ddpm-stops * { overflow: visible; }
.ddpm-explorer .widget-toggle-button { width: auto !important; padding: 0 14px; }
.ddpm-choice { width: auto; height: auto; align-items: center; }
.ddpm-choice, .ddpm-choice select, .ddpm-choice .widget-label { font-size: 26px; }
.ddpm-choice select, .ddpm-choice .widget-label { height: 48px; line-height: 48px; }
.ddpm-choice select { padding: 0 12px; }
</style>\"\"\")"""
CHOICE = """\
import ipywidgets
from ddpm_lab.course import explorers

names = [name for name in explorers.__all__ if name != "Explorer"]
words = {name.replace("_", " ").capitalize(): name for name in names}
choice = ipywidgets.Dropdown(options=words, value="schedule_designer")
choice.description, choice.style.description_width = "Explorer", "initial"
choice.add_class("ddpm-choice")
stage = ipywidgets.VBox()

def show(change=None):
    \"\"\"Put the chosen explorer on the stage; the one before it goes.\"\"\"
    for widget in stage.children:
        widget.close()
    stage.children = [getattr(explorers, choice.value)().widget]

choice.observe(show, "value")
show()
ipywidgets.VBox([choice, stage])"""


def page():
    """The page as a notebook that has not been run."""
    make = nbformat.v4.new_code_cell
    cells = [make(LETTERS, id="letters"), make(CHOICE, id="choice")]
    title = nbformat.v4.new_markdown_cell("# Explorers", id="title")
    return nbformat.v4.new_notebook(cells=[title, *cells], metadata=nbformat.from_dict(METADATA))


def main(words):
    path = ROOT / "build" / "projector" / "explorers.ipynb"
    store(path, written(page()))
    return subprocess.run([sys.executable, "-m", "voila", str(path), *words]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
