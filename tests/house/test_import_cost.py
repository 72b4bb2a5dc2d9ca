"""`import ddpm_lab` costs little more than `import torch`, and loads nothing that is not used.

Truth: Python's own `-X importtime`, in a fresh process. It lists the self time of every imported
module, so that torch and what comes after it are measured in one process, under one load. A ratio
does not depend on the machine; the best of three attempts does not depend on what else it is doing.
"""

import re
import subprocess
import sys

import ddpm_lab

TABLE = re.findall(r"^    (\d)  (.+)$", ddpm_lab.__doc__, flags=re.M)
CORE = [name for number, names in TABLE if int(number) <= 3 for name in names.split()]
BELOW_FIGURES = [name for number, names in TABLE if int(number) <= 4 for name in names.split()]
HEAVY = ("matplotlib", "ipywidgets", "IPython", "sklearn", "scipy", "pandas", "pooch", "jupyter")


def run(code, *options):
    done = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done


def added_share():
    """Microseconds of imports after torch's, over those of torch."""
    # Spelled out: imports through a module's __getattr__ are not listed by -X importtime.
    everything = f"import torch, {', '.join(f'ddpm_lab.{name}' for name in CORE)}"
    lines = run(everything, "-X", "importtime").stderr.splitlines()
    rows = [re.match(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)", line) for line in lines]
    rows = [(int(m[1]), int(m[2]), m[4]) for m in rows if m]
    at = next(i for i, row in enumerate(rows) if row[2] == "torch")
    after = rows[at + 1 :]
    assert {f"ddpm_lab.{name}" for name in CORE} <= {name for *_, name in after}
    return sum(self_time for self_time, *_ in after) / rows[at][1]


def test_importing_the_core_adds_at_most_fifteen_percent_to_importing_torch():
    shares = []
    for _ in range(3):
        shares.append(added_share())
        if shares[-1] <= 0.15:
            break
    assert min(shares) <= 0.15, f"it adds {min(shares):.0%}"


def test_the_core_loads_no_library_that_it_does_not_need():
    """Compared with torch alone: what torch itself loads is not ours to judge."""
    code = "import sys, torch; before = set(sys.modules)\n"
    code += "import " + ", ".join(f"ddpm_lab.{name}" for name in BELOW_FIGURES)
    code += "\nprint(*{name.split('.')[0] for name in set(sys.modules) - before})"
    loaded = set(run(code).stdout.split()) & set(HEAVY)
    assert not loaded, f"importing the modules below the figures loads {loaded}"


def test_importing_the_package_loads_no_module_before_it_is_used():
    listing = "import sys, ddpm_lab; print(*[n for n in sys.modules if n.split('.')[0] in NAMES])"
    code = "NAMES = ('ddpm_lab', 'torch'); " + listing
    assert run(code).stdout.split() == ["ddpm_lab"]


def test_a_module_that_does_not_exist_is_named_together_with_those_that_do():
    code = "import ddpm_lab\ntry: ddpm_lab.sampler\nexcept AttributeError as e: print(e)"
    answer = run(code).stdout
    assert "'sampler'" in answer and "samplers" in answer
