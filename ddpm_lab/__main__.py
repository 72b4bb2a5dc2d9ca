"""`python -m ddpm_lab doctor`: what does this machine have, and what is to be mended?

The doctor looks, and changes nothing; it needs no network. Each function below takes facts and
returns findings, so that the facts of another machine can be tried in a test. The other commands
(`train`, `sample`, `evaluate`) are told of in `commands`.
"""

import argparse
import io
import os
import platform
import re
import shutil
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import ddpm_lab
from ddpm_lab import _console
from ddpm_lab.cli import commands

ROOT = Path(__file__).resolve().parents[1]
EXTRA = "lab"  # what reading the chapters needs beside the package's own dependencies
MNIST = [
    f"{split}-{part}-ubyte.gz"
    for split in ("train", "t10k")
    for part in ("images-idx3", "labels-idx1")
]


class Finding(NamedTuple):
    """One line of the report; with advice it is a remark, or a problem if the course needs it."""

    name: str
    value: str
    advice: str = ""
    problem: bool = False


# --- From facts to findings -----------------------------------------------------------------------


def pinned_versions(constraints: str) -> dict[str, str]:
    """The pins of a constraints file that hold for this Python and system.

    >>> pinned_versions('numpy==2.4.6\\ntorch==1.0 ; python_version < "3"  # long ago')
    {'numpy': '2.4.6'}
    """
    from packaging.requirements import Requirement

    lines = (line.partition("#")[0].strip() for line in constraints.splitlines())
    pins = [Requirement(line) for line in lines if line]
    return {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def package_findings(
    needs: list[str], found: dict[str, str | None], tested: dict[str, str], in_venv: bool = True
) -> list[Finding]:
    """Is every package there, new enough, and the version that was tested?

    A build tag is no difference: 2.13.0+cpu is 2.13.0. Outside the course's own environment
    (`in_venv` False) the advice is for the pip of the Python that runs.

    >>> old, _ = package_findings(["numpy>=1.26", "torch>=2.4"], {"numpy": "1.20.0"}, {})
    >>> old.value, old.advice, old.problem
    ('1.20.0', 'must be >=1.26; run: python lab.py setup', True)
    """
    from packaging.requirements import Requirement
    from packaging.version import InvalidVersion

    findings = []
    for need in map(Requirement, needs):
        version, wanted = found.get(need.name), tested.get(need.name)
        command = f'"{sys.executable}" -m pip install "{need.name}{{}}"'
        mend = "python lab.py setup" if in_venv else command.format(need.specifier)
        try:
            fits = version is not None and need.specifier.contains(version, prereleases=True)
        except InvalidVersion:
            fits = False
        if version is None:
            finding = Finding(need.name, "missing", f"run: {mend}", problem=True)
        elif not fits:
            advice = f"must be {need.specifier}; run: {mend}"
            finding = Finding(need.name, version, advice, problem=True)
        elif wanted and version.partition("+")[0] != wanted:
            mend = mend if in_venv else command.format(f"=={wanted}")
            finding = Finding(need.name, version, f"tested with {wanted}; for that one: {mend}")
        else:
            finding = Finding(need.name, version)
        findings.append(finding)
    return findings


def device_finding(
    cuda: list[str], mps: bool, cuda_build: bool, driver: bool, linux: bool = True
) -> Finding:
    """Where will networks train?

    >>> device_finding(cuda=[], mps=False, cuda_build=False, driver=False).value
    'cpu (enough: only chapter 13 asks for a GPU)'
    """
    if cuda:
        return Finding("device", f"cuda ({', '.join(cuda)})")
    if mps:
        return Finding("device", "mps (Apple GPU)")
    value, advice = "cpu (enough: only chapter 13 asks for a GPU)", ""
    if driver and not cuda_build:
        advice = "an NVIDIA driver is here, but this PyTorch has no CUDA: "
        advice += "python lab.py setup --cuda" if linux else "see https://pytorch.org/get-started"
    elif driver:
        advice = (
            "an NVIDIA driver is here, but PyTorch cannot use it: is it too old? try nvidia-smi"
        )
    return Finding("device", value, advice)


def thread_finding(
    threads: int, omp: str | None, cores: float, load: float | None = None
) -> Finding:
    """Do PyTorch's threads fit the cores? Too many make small networks slower by far.

    >>> thread_finding(threads=64, omp=None, cores=2).advice
    'more threads than cores: training gets slower; set OMP_NUM_THREADS=2'
    """
    value = f"{threads} on {cores:g} cores, OMP_NUM_THREADS {omp or 'not set'}"
    if threads > max(cores, 1):
        advice = "more threads than cores: training gets slower; "
        advice += f"set OMP_NUM_THREADS={max(int(cores), 1)}"
    elif threads > 1 and load is not None and load > cores:
        advice = f"the machine is busy (load {load:.1f}): set OMP_NUM_THREADS=1 to train steadily"
    else:
        advice = ""
    return Finding("threads", value, advice)


def cpu_quota(text: str) -> float | None:
    """How many cores a container may use, from its `cpu.max`; None for all.

    >>> cpu_quota("150000 100000"), cpu_quota("max 100000"), cpu_quota("")
    (1.5, None, None)
    """
    quota, _, period = text.strip().partition(" ")
    known = quota.isdecimal() and period.isdecimal() and int(period)
    return int(quota) / int(period) if known else None


def data_findings(digits: bool, folder: Path | None, files: set[str]) -> list[Finding]:
    """Are the digits of the main path there, and what of MNIST is in the cache?"""
    if digits:
        findings = [Finding("digits 8x8", "there (they come with scikit-learn)")]
    else:
        advice = "scikit-learn is damaged: python lab.py clean, then python lab.py setup"
        findings = [Finding("digits 8x8", "missing", advice, problem=True)]
    if folder is None:
        return findings
    have = [name for name in MNIST if name in files]
    if len(have) == len(MNIST):
        return [*findings, Finding("MNIST", f"all {len(MNIST)} files in {folder}")]
    if not have:
        value = f"not in {folder} (optional; fetched when first asked for)"
        return [*findings, Finding("MNIST", value)]
    absent = ", ".join(name for name in MNIST if name not in have)
    value = f"{len(have)} of {len(MNIST)} files in {folder}: {', '.join(have)}"
    advice = f"fetched when first asked for, or put there by hand: {absent}"
    return [*findings, Finding("MNIST", value, advice)]


def checkpoint_finding(files: dict[str, int]) -> Finding:
    """Which trained networks lie beside the chapters?

    >>> checkpoint_finding({"digits.safetensors": 2_600_000}).value
    'digits.safetensors (2.6 MB)'
    """
    if not files:
        return Finding("checkpoints", "none yet (chapters make them)")
    empty = [name for name, size in files.items() if size == 0]
    value = ", ".join(f"{name} ({size / 1e6:.1f} MB)" for name, size in sorted(files.items()))
    advice = f"empty, delete and make again: {', '.join(empty)}" if empty else ""
    return Finding("checkpoints", value, advice, problem=bool(empty))


def report(findings: list[Finding], unicode: bool = True) -> list[str]:
    """The findings as aligned lines, advice below what it is about.

    >>> print("\\n".join(report([Finding("numpy", "2.0", "tested with 2.4.6")], unicode=False)))
    note  numpy  2.0
                 -> tested with 2.4.6
    <BLANKLINE>
    All that the course needs is here.
    """
    well, remark, bad, arrow = ("✓", "•", "✗", "→") if unicode else ("ok", "note", "BAD", "->")
    marks = [bad if f.problem else remark if f.advice else well for f in findings]
    left, middle = max(map(len, marks)), max(len(f.name) for f in findings)
    lines = []
    for mark, finding in zip(marks, findings):
        lines.append(f"{mark:<{left}}  {finding.name:<{middle}}  {finding.value}")
        if finding.advice:
            lines.append(f"{'':<{left + middle + 4}}{arrow} {finding.advice}")
    count = sum(f.problem for f in findings)
    verdict = f"To be mended: {count}." if count else "All that the course needs is here."
    return [*lines, "", verdict]


# --- The facts of this machine --------------------------------------------------------------------


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


def _packages():
    python = Finding("python", f"{platform.python_version()} ({sys.executable})")
    venv = ROOT / ".venv"
    in_venv = (ROOT / "lab.py").exists() and (
        not venv.exists() or Path(sys.prefix).resolve() == venv.resolve()
    )
    try:
        needs = _needs()
        constraints = ROOT / "constraints.txt"
        text = constraints.read_text(encoding="utf-8") if constraints.exists() else ""
        tested = pinned_versions(text)
    except ImportError as error:  # packaging, or the note that an installed ddpm-lab leaves
        mend = "python lab.py setup" if in_venv else f'"{sys.executable}" -m pip install ddpm-lab'
        return [python, Finding(error.name or "packages", "missing", f"run: {mend}", problem=True)]
    found = {name: _version(name) for name in (re.match(r"[\w.-]+", need)[0] for need in needs)}
    return [python, *package_findings(needs, found, tested, in_venv)]


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
        advice = "run: python lab.py clean, then python lab.py setup"
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
        ),
        thread_finding(
            torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS"), _cores(), _load()
        ),
    ]


def _data():
    sklearn = find_spec("sklearn")
    digits = sklearn and Path(sklearn.origin).parent / "datasets/data/digits.csv.gz"
    findings = data_findings(bool(digits and digits.exists()), None, set())
    try:
        from ddpm_lab import datasets

        folder = datasets.cache_folder() / "mnist"
        files = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except ImportError:  # without torch or pooch nothing knows where the cache is
        return findings
    except (OSError, RuntimeError, ValueError) as error:  # no right to look; ~name of nobody
        advice = "set DDPM_LAB_DATA to the full path of a folder of your own"
        return [*findings, Finding("MNIST", f"no telling: {error}", advice)]
    return data_findings(bool(digits and digits.exists()), folder, files)


def _checkpoints():
    folder = ROOT / "chapters"
    if not folder.is_dir():  # installed without the course beside it
        return []
    try:
        found = sorted((folder / "checkpoints").glob("*.safetensors"))
        return [checkpoint_finding({path.name: path.stat().st_size for path in found})]
    except OSError as error:
        return [Finding("checkpoints", f"no telling: {error}", "may you read that folder?")]


def doctor() -> int:
    """Print what this machine has and what to mend; 0 if the course can be read, else 1."""
    findings = [*_packages(), *_torch(), *_data(), *_checkpoints()]
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path must be exact: no plain letters here
        sys.stdout.reconfigure(errors="backslashreplace")
    print(f"ddpm-lab {ddpm_lab.__version__} on {platform.system()} {platform.machine()}\n")
    print("\n".join(report(findings, unicode)))
    return int(any(finding.problem for finding in findings))


def main(argv: list[str] | None = None) -> int:
    """`python -m ddpm_lab COMMAND`: the exit status."""
    _console.prepare()
    parser = argparse.ArgumentParser(prog="python -m ddpm_lab", description="The course's tools.")
    chosen = parser.add_subparsers(dest="command", required=True, metavar="command")
    command = chosen.add_parser("doctor", help="say what this machine has and what to mend")
    command.set_defaults(run=lambda args: doctor())
    commands.add(chosen)
    args = parser.parse_args(argv)
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
