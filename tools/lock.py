"""Write the tested versions anew from pyproject.toml: `python -m tools lock`.

constraints.txt   one version of every package of every extra, for each Python and system
lock.txt          what every reader installs (the extras lab and test), with hashes

What is pinned already stays; `python -m tools lock --upgrade` takes the newest of everything, and
`--upgrade-package NAME` of one. uv resolves for all Pythons and systems at once.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "--no-header"]
UV += ["--universal", "--python-version", "3.10", "--no-annotate", "--no-sources"]
OURS = ["lab", "test"]  # the extras that lab.py installs for everyone

HEAD = """\
# Made from pyproject.toml by `python -m tools lock`; do not edit.
"""
CONSTRAINTS = (
    HEAD
    + """\
# The versions this was tested with, of all extras. PyTorch's newest build differs between versions
# of macOS, so it is pinned on Linux only, and its CUDA packages by PyTorch itself.

"""
)
LOCK = (
    HEAD
    + """\
# What every reader installs, with the hashes of the files. PyTorch is not here: which build of it
# is right depends on the machine, and lab.py chooses.

"""
)


def resolve(name, *words):
    """uv's answer; the pins that the file `name` holds already are kept."""
    print(f"{name} ...", flush=True)
    subprocess.run([*UV, "--output-file", name, *words], cwd=ROOT, check=True)
    text = (ROOT / name).read_text(encoding="utf-8")
    # PyTorch names its CUDA packages itself, and only in its CUDA build.
    return re.sub(r"^(nvidia|cuda|triton)[^\n]*\n(    [^\n]*\n)*", "", text, flags=re.M)


def main(words):
    text = resolve("constraints.txt", "--all-extras", *words)
    text = re.sub(r"^(torch==\S+).*$", r'\1 ; sys_platform == "linux"', text, flags=re.M)
    (ROOT / "constraints.txt").write_text(CONSTRAINTS + text, encoding="utf-8")

    extras = [word for extra in OURS for word in ("--extra", extra)]
    same = ["--constraints", "constraints.txt", "--generate-hashes", "--no-emit-package", "torch"]
    text = resolve("lock.txt", *extras, *same)
    text = text.partition("\n# The following packages were excluded")[0] + "\n"
    (ROOT / "lock.txt").write_text(LOCK + text.strip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
