"""Libraries that only some data sets need: imported when they are, and named when missing."""

from importlib import import_module
from types import ModuleType


def needed(module: str, package: str, why: str) -> ModuleType:
    """A module of a package that must be installed for this."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{package} must be installed: {why}; got {error}. Run: pip install {package}"
        ) from error
