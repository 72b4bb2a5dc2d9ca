"""What comes with the course, by name: `--config digits`, `--run mnist`."""

from pathlib import Path

from ddpm_lab import _installed


def configs() -> list[str]:
    """Names of the configurations that come with the course.

    >>> "digits" in configs()
    True
    """
    return _names("configs", ".json")


def networks() -> list[str]:
    """Names of the pretrained networks that come with the course: those with a log of their run.

    >>> "mnist" in networks()
    True
    """
    return _names("checkpoints", ".jsonl")


def config(text: str) -> Path:
    """The file that `--config` means: a path, or the name of a configuration of the course."""
    return _named(text, "configs", ".json", Path(text).is_file())


def checkpoint(text: str) -> Path:
    """What `--run` and `--init` mean: a path, or the name of a network of the course."""
    path = Path(text)  # a folder that only has the name of a network is none
    return _named(text, "checkpoints", ".safetensors", path.is_file() or holds_network(path))


def judge(text: str) -> Path:
    """What `--judge` means: a path, or the name of a classifier of the course."""
    return _named(text, "checkpoints", ".safetensors", Path(text).exists(), judges)


def holds_network(folder: Path) -> bool:
    """Has a run been stored in the folder?

    >>> holds_network(Path("no such folder"))
    False
    """
    return any((folder / name).exists() for name in ("net.safetensors", "run.safetensors"))


def is_ours(file: Path) -> bool:
    """Does a file come with the course? Nothing is written beside it.

    >>> is_ours(checkpoint("digits")), is_ours(Path("runs/digits/net.safetensors"))
    (True, False)
    """
    return file.parent == _installed.course_folder() / "checkpoints"


def judges() -> list[str]:
    """Names of the classifiers that come with the course, for the Fréchet distance.

    >>> "features_digits" in judges()
    True
    """
    return [name for name in _names("checkpoints", ".safetensors") if name.startswith("features_")]


def _names(folder, suffix):
    try:
        files = (_installed.course_folder() / folder).glob(f"*{suffix}")
        return sorted(path.stem for path in files)
    except OSError:  # no right to look: `--help` and all that needs no name still work
        return []


def _named(text, folder, suffix, is_path, names=networks):
    ours = _installed.course_folder() / folder / f"{text}{suffix}"
    if is_path or Path(text).name != text:  # with folders in it
        return Path(text)
    if not ours.is_file() and not Path(text).suffix and not Path(text).exists():
        from ddpm_lab import _checks

        known = configs() if folder == "configs" else names()
        raise FileNotFoundError(
            f"{text} must be a path, or a name that comes with the course ({', '.join(known)}); "
            f"there is no such file or folder. {_checks.nearest([text], known, 'Check it.')}"
        )
    return ours if ours.is_file() else Path(text)
