"""`import ddpm_lab` loads nothing that is not used; `benchmarks/imports.py` measures what it costs.

Truth: `sys.modules` of a fresh process.
"""

import re
import subprocess
import sys

import ddpm_lab

TABLE = re.findall(r"^    (\d)  (.+)$", ddpm_lab.__doc__, flags=re.M)
BELOW_FIGURES = [name for number, names in TABLE if int(number) <= 5 for name in names.split()]
HEAVY = ("matplotlib", "ipywidgets", "IPython", "sklearn", "scipy", "pandas", "pooch", "jupyter")


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done


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
