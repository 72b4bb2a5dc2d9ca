"""Without widgets no explorer: this says how to get them, before anything else is imported."""

from ddpm_lab import _installed

try:
    import ipywidgets  # noqa: F401
except ImportError as error:
    raise ModuleNotFoundError(
        f"ipywidgets must be installed for the explorers; got {error}. "
        f"Run: {_installed.install('ipywidgets')}",
        name="ipywidgets",
    ) from error
