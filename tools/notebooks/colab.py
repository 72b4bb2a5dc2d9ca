"""The set-up cell of every notebook: it installs the course on Colab, and is idle elsewhere.

No chapter's text holds it. It stands after the title, folded, and counts no minutes.
"""

from __future__ import annotations

import nbformat

import ddpm_lab

ID = "setup"
TAG = "remove-cell"
"""The site leaves out cells with this tag: there a button does what the cell would do."""
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}
"""To JupyterLab, and to Colab, which shows the title and a button."""

SOURCE = """\
# @title Set-up: on Colab, run this cell first. Where the course is installed, it does nothing.
import importlib.util

if importlib.util.find_spec("ddpm_lab") is None:
    import subprocess
    import sys

    wanted = ["ddpm-lab=={version}", "ipywidgets", "scipy", "sympy"]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *wanted], check=True)
    importlib.invalidate_caches()
"""
"""Without the extra `lab`: on Colab that would replace the JupyterLab that is running."""


def with_set_up(notebook):
    """The notebook with its set-up cell after the title; unchanged if it has no code.

    An older set-up cell is replaced, so that this can be done again.
    """
    cells = [cell for cell in notebook.cells if cell.id != ID]
    if any(cell.cell_type == "code" for cell in cells):
        source = SOURCE.format(version=ddpm_lab.__version__).rstrip()
        metadata = {"tags": [TAG], **FOLDED}
        cells.insert(1, nbformat.v4.new_code_cell(source, id=ID, metadata=metadata))
    notebook.cells = cells
    return notebook
