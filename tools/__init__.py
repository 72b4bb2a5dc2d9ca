"""Tools for the authors of the course; a reader of the chapters never needs them."""

import os
from pathlib import Path


def path(text: str) -> Path:
    """A path of the command line: ~ is the home folder, which no shell fills in after `--out=`.

    >>> path("~/runs") == Path.home() / "runs"
    True
    """
    return Path(os.path.expanduser(text))
