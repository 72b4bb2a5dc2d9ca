"""What a cell printed is compared as numbers: neither a last digit nor a wrong one escapes.

The truth is arithmetic on the few digits that stand here, and, at the end, what nbval itself says
of a notebook whose stored outputs were changed on purpose.
"""

import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from tools import machines, printed
from tools.notebooks import sources

EXACT = printed.Tolerance()


@pytest.mark.parametrize(
    "stored, fresh",
    [
        ("loss 0.684", "loss 0.683"),
        ("loss 0.999 |", "loss 1.000 |"),
        ("0.68", "0.679"),  # round() drops a zero at the end
        ("-0.00", "0.00"),
        ("mean −0.50", "mean -0.49"),
        ("tensor([1.0000, -0.5000])", "tensor([0.9999, -0.5001])"),
        ("|  9.99 |", "| 10.00 |"),  # a table is padded
        ("1.2e-05", "1.1e-05"),
        ("1,000 of 10,000 at 0.5", "1,000 of 10,000 at 0.6"),
        ("nan inf ✓", "nan inf ✓"),
    ],
)
def test_a_last_digit_may_differ(stored, fresh):
    assert printed.settle(stored, fresh, EXACT) == stored


@pytest.mark.parametrize(
    "stored, fresh",
    [
        ("loss 0.684", "loss 0.682"),
        ("T = 1000.", "T = 1001."),  # a whole number and a full stop
        ("10 of 12", "11 of 12"),
        ("10,000", "10,001"),
        ("tensor([1., 2.])", "tensor([1., 3.])"),
        ("1e-05", "2e-05"),
        ("0.5", "-0.5"),
        ("0.5", "nan"),
        ("✓ 0.500", "✗ 0.500"),
        ("x_1 0.5", "x_2 0.5"),  # a name
        ("0.5 0.6", "0.5"),
        ("0.5", "0.5\n"),
        ("a 0.5", "b 0.5"),
    ],
)
def test_all_else_is_a_difference(stored, fresh):
    assert printed.settle(stored, fresh, EXACT) != stored


@pytest.mark.parametrize(
    "tolerance, stored, near, far",
    [
        ({"rel": 0.1}, "2.000", "2.200", "2.202"),
        ({"rel": 0.1}, "200", "220", "221"),
        ({"rel": 0.1}, "-2.000", "-1.800", "-1.798"),
        ({"abs": 0.05}, "0.000", "-0.050", "0.051"),
        ({"abs": 0.05, "rel": 0.1}, "2.000", "2.200", "2.202"),
        ({"abs": 1e-12}, "3e-16", "9e-13", "2e-12"),
        ({"units": 4}, "2.00", "2.04", "2.05"),
        ({"units": 4}, "1.20e-05", "1.24e-05", "1.25e-05"),
        ({"units": 4, "abs": 2}, "20", "22", "23"),
    ],
)
def test_a_tolerance_holds_exactly(tolerance, stored, near, far):
    covers = printed.Tolerance.of({"tolerance": tolerance}).covers
    assert covers(stored, near) and not covers(stored, far)


def test_only_what_differs_is_left_different():
    stored = "step 100 loss 0.500\nstep 200 loss 0.400"
    fresh = "step 100 loss 0.501\nstep 200 loss 0.450"
    assert printed.settle(stored, fresh, EXACT) == "step 100 loss 0.500\nstep 200 loss 0.450"


def test_a_misspelt_tolerance_is_refused():
    with pytest.raises(TypeError, match="relative"):
        printed.Tolerance.of({"tolerance": {"relative": 0.1}})


def test_machines_say_what_differs_beyond_a_last_digit():
    v4 = nbformat.v4

    def notebook(text):
        output = v4.new_output("stream", name="stdout", text=text)
        return v4.new_notebook(cells=[v4.new_code_cell("x", id="a", outputs=[output])])

    stored = notebook("fine 0.50\nfar 2.00 one")
    assert machines.differing(stored, notebook("fine 0.51\nfar 2.00 one")) == {}
    near = machines.differing(stored, notebook("fine 0.50\nfar 2.20 one"))
    far = machines.differing(stored, notebook("fine 0.50\nfar 1.50 one"))
    assert near == {"a": {"2.00": "2.20"}} and far == {"a": {"2.00": "1.50"}}
    assert machines.further(machines.further({}, near), far) == far
    assert machines.further(machines.further({}, far), near) == far
    words = machines.differing(stored, notebook("fine 0.50\nfar 2.00 two"))
    assert words == {"a": {"far 2.00 one": "far 2.00 two"}}


def test_an_emulated_machine_forgets_what_was_said_of_arithmetic_before():
    around = {"PATH": "p", "MKL_CBWR": "COMPATIBLE", "OMP_NUM_THREADS": "7"}
    env = machines.environment("old", around)
    assert env == {"PATH": "p"} | machines.MACHINES["old"]
    assert "MKL_CBWR" not in env


NBVAL = ["--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider"]


def test_nbval_takes_a_number_within_the_tolerance_and_no_other(tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "chapters").mkdir()
    for name in ("tools/__init__.py", "tools/printed.py", "chapters/conftest.py"):
        shutil.copy(sources.ROOT / name, tmp_path / name)
    cells = [
        ("print(0.684)", "0.683\n", {}),
        ("print(0.684)", "0.682\n", {}),
        ("print(0.684)", "0.650\n", {"tolerance": {"rel": 0.06}}),
        ("print(0.684)", "0.600\n", {"tolerance": {"rel": 0.06}}),
        ("print('ten', 10)", "ten 10\n", {}),
        ("print('ten', 10)", "ten 11\n", {}),
    ]
    v4 = nbformat.v4
    notebook = v4.new_notebook(metadata=sources.METADATA)
    for source, text, metadata in cells:
        output = v4.new_output("stream", name="stdout", text=text)
        cell = v4.new_code_cell(source, outputs=[output], metadata=metadata, execution_count=1)
        notebook.cells.append(cell)
    nbformat.write(notebook, tmp_path / "chapters" / "01_toy.ipynb")
    line = [sys.executable, "-m", "pytest", *NBVAL, "-rA", f"--rootdir={tmp_path}", "chapters"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    red = re.findall(r"^FAILED .*::Cell (\d)", done.stdout, flags=re.M)
    green = re.findall(r"^PASSED .*::Cell (\d)", done.stdout, flags=re.M)
    assert (green, red) == (["0", "2", "4"], ["1", "3", "5"]), done.stdout + done.stderr
