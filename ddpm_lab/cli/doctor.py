"""`ddpm-lab doctor`: what does this machine have, and what is to be mended?

The doctor looks, and changes nothing; it needs no network. Here it gathers the facts; `findings`
says what they mean.
"""

import io
import os
import platform
import re
import shutil
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import ddpm_lab
from ddpm_lab import _installed
from ddpm_lab.cli import options
from ddpm_lab.cli.findings import (
    Finding,
    again,
    checkpoint_finding,
    cpu_quota,
    data_findings,
    device_finding,
    package_findings,
    pinned_versions,
    report,
    thread_finding,
)

EXTRA = "lab"  # what reading the chapters needs beside the package's own dependencies


def add(commands) -> None:
    """Add `doctor` to a parser's commands."""
    text = "say what this machine has and what to mend"
    options.command(commands, "doctor", lambda args: doctor(), text)


def _version(package):
    try:
        return metadata.version(package)  # None where the package's own note is damaged
    except (metadata.PackageNotFoundError, KeyError):
        return None


def _needs():
    """What this package says it needs, with the extra that reads the chapters."""
    from packaging.requirements import Requirement

    lines = metadata.requires("ddpm-lab") or []
    needs = [Requirement(line) for line in lines]
    chosen = [
        need for need in needs if need.marker is None or need.marker.evaluate({"extra": EXTRA})
    ]
    return [f"{need.name}{need.specifier}" for need in chosen]


def _in_venv():
    """Is this the environment that `lab.py` has made for the clone, or may make?"""
    clone = _installed.clone()
    if clone is None:
        return False
    venv = clone / ".venv"
    return not venv.exists() or Path(sys.prefix).resolve() == venv.resolve()


def _packages():
    python = Finding("python", f"{platform.python_version()} ({sys.executable})")
    try:
        needs = _needs()
        tested = pinned_versions(_constraints())
    except ImportError as error:  # packaging, or the note that an installed ddpm-lab leaves
        name = error.name or "packages"
        return [python, Finding(name, "missing", f"run: {_install_all()}", problem=True)]
    found = {name: _version(name) for name in (re.split(r"[^\w.-]", need)[0] for need in needs)}
    return [python, *package_findings(needs, found, tested, _in_venv())]


def _constraints():
    """The tested versions, which a clone says and a wheel does not."""
    clone = _installed.clone()
    path = clone and clone / "constraints.txt"
    return path.read_text(encoding="utf-8") if path and path.exists() else ""


def _install_all():
    if _in_venv():
        return "python lab.py setup"
    clone = _installed.clone()
    what = f'-e "{clone}[{EXTRA}]"' if clone else f'"ddpm-lab[{EXTRA}]"'
    return f'"{sys.executable}" -m pip install {what}'


def _cores():
    """Cores this process may use: all, or those it is bound to, or what a container grants."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = Path("/sys/fs/cgroup/cpu.max")
    try:
        granted = cpu_quota(limits.read_text())
    except OSError:  # no container, or one that keeps its limits to itself
        granted = None
    return min(bound or 1, granted or float("inf"))


def _load():
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows; a system that does not tell
        return None


def _torch():
    try:
        import torch

        from ddpm_lab import datasets  # noqa: F401  (does the course itself import?)
    except Exception as error:  # a half-written package raises anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        advice = f"run: {again('torch', _in_venv())}"
        return [Finding("import torch", f"fails: {reason}", advice, problem=True)]
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    driver = bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia").exists()
    return [
        device_finding(
            [torch.cuda.get_device_name(i) for i in range(cuda)],
            torch.backends.mps.is_available(),
            torch.version.cuda is not None,
            driver,
            platform.system() == "Linux",
            _in_venv(),
        ),
        thread_finding(
            torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS"), _cores(), _load()
        ),
    ]


def _has_digits():
    sklearn = find_spec("sklearn")
    origin = sklearn and sklearn.origin
    return bool(origin and (Path(origin).parent / "datasets/data/digits.csv.gz").exists())


def _data():
    digits, in_venv = _has_digits(), _in_venv()
    findings = data_findings(digits, None, set(), in_venv)
    try:
        from ddpm_lab import datasets

        folder = datasets.cache_folder() / "mnist"
        files = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except ImportError:  # without torch or pooch nothing knows where the cache is
        return findings
    except (OSError, RuntimeError, ValueError) as error:  # no right to look; ~name of nobody
        advice = "set DDPM_LAB_DATA to the full path of a folder of your own"
        return [*findings, Finding("MNIST", f"cannot be read: {error}", advice)]
    return data_findings(digits, folder, files, in_venv)


def _checkpoints():
    folder = _installed.course_folder()
    if not folder.is_dir():  # a package that was copied by hand, alone
        return []
    try:
        found = sorted((folder / "checkpoints").glob("*.safetensors"))
        return [checkpoint_finding({path.name: path.stat().st_size for path in found})]
    except OSError as error:
        return [Finding("checkpoints", f"cannot be read: {error}", "may you read that folder?")]


def doctor() -> int:
    """Print what this machine has and what to mend; 0 if the course can be read, else 1."""
    findings = [*_packages(), *_torch(), *_data(), *_checkpoints()]
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path must be exact: no plain letters here
        sys.stdout.reconfigure(errors="backslashreplace")
    print(f"ddpm-lab {ddpm_lab.__version__} on {platform.system()} {platform.machine()}\n")
    print("\n".join(report(findings, unicode)))
    return int(any(finding.problem for finding in findings))
