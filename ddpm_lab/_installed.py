"""Where are the chapters, configurations and checkpoints: in a clone, or in an installed wheel?

A wheel carries them inside the package, as `ddpm_lab/chapters`; in a clone they are beside it, in
`chapters`. Whatever needs one of them asks here.
"""

import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def course_folder() -> Path:
    """The folder of the chapters, with `configs` and `checkpoints` in it.

    >>> (course_folder() / "configs" / "digits.json").is_file()
    True
    """
    inside = PACKAGE / "chapters"
    return inside if inside.is_dir() else PACKAGE.parent / "chapters"


def clone() -> Path | None:
    """The clone that this package is read from, where `make` and `lab.py` are; None in a wheel."""
    return PACKAGE.parent if (PACKAGE.parent / "lab.py").is_file() else None


def install(what: str) -> str:
    """The command that installs something for the Python that runs, for advice.

    >>> install("pytest").endswith('-m pip install "pytest"')
    True
    """
    return f'"{sys.executable}" -m pip install "{what}"'
