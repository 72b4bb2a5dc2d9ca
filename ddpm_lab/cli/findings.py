"""From facts about a machine to findings: what is well, what is worth a remark, what is a problem?

Pure functions, so that the facts of another machine can be tried in a test. What they advise exists
where it is read: `lab.py` in the environment of a clone (`in_venv`), pip elsewhere.
"""

import sys
from pathlib import Path
from typing import NamedTuple

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


def again(package: str, in_venv: bool = True) -> str:
    """How to install a damaged package anew: with `lab.py` in the clone's environment, else pip.

    >>> again("torch")
    'python lab.py clean, then python lab.py setup'
    """
    if in_venv:
        return "python lab.py clean, then python lab.py setup"
    return f'"{sys.executable}" -m pip install --force-reinstall {package}'


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
    cuda: list[str],
    mps: bool,
    cuda_build: bool,
    driver: bool,
    linux: bool = True,
    in_venv: bool = True,
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
        ours = linux and in_venv
        advice += "python lab.py setup --cuda" if ours else "see https://pytorch.org/get-started"
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


def data_findings(
    digits: bool, folder: Path | None, files: set[str], in_venv: bool = True
) -> list[Finding]:
    """Are the digits of the main path there, and what of MNIST is in the cache?

    >>> data_findings(True, None, set())[0].value
    'there (they come with scikit-learn)'
    """
    if digits:
        findings = [Finding("digits 8x8", "there (they come with scikit-learn)")]
    else:
        advice = f"scikit-learn is damaged: {again('scikit-learn', in_venv)}"
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
