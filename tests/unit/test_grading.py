"""An attempt in a process of its own gets a grade, whatever it does to that process.

Truth: the references and the known mistakes are graded as `verdict` judges them; hostile attempts
are built to do one known thing, none of them gives the right answers, and so none may pass. Most
are graded by one `Grader`, which starts PyTorch once; some by `grade`, which starts it each time.
"""

import os
import sys
from functools import partial

import pytest
import torch

from ddpm_lab import forward
from ddpm_lab.course import exercises
from ddpm_lab.course.exercises import _answers, _wire, check, grading
from ddpm_lab.course.exercises.grader import Grader
from ddpm_lab.course.exercises.grading import grade
from ddpm_lab.gaussians import Gaussian, draw
from ddpm_lab.schedules import coef

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits")
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux says what is taken")


@pytest.fixture(scope="module")
def grader():
    """A second is enough for all."""
    with Grader(seconds=1.0, memory=2**29) as one:
        yield one


def source_of(body):
    """An attempt at `forward.step` with this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"import os, sys, torch\ndef my_step(schedule, x, t, z):\n{lines}"


def step(body, **limits):
    """Its grade, in a process that starts PyTorch."""
    return grade("forward.step", source_of(body), **{"seconds": 1.0, **limits})


RIGHT = "return (1 - schedule.beta[t]).sqrt() * x + schedule.beta[t].sqrt() * z"
WRONG = "return (1 - schedule.beta[t]) * x + schedule.beta[t].sqrt() * z"


# What can be said of ordinary attempts ------------------------------------------------------------


def test_a_right_answer_passes_and_a_known_mistake_gets_its_hint():
    assert step(RIGHT) == ("passed", "")
    assert step(WRONG) == ("wrong", exercises.verdict("forward.step", _wrong_step).message)


def _wrong_step(schedule, x, t, z):
    return (1 - schedule.beta[t]) * x + schedule.beta[t].sqrt() * z


def test_a_known_mistake_is_told_even_if_a_later_case_stops(grader):
    hint = grader.grade("forward.step", source_of(WRONG)).message
    stops = f"if x.dim() == 2: raise ValueError('an image')\n{WRONG}"
    found = grader.grade("forward.step", source_of(stops))
    assert found.status == "wrong" and found.message.startswith(f"{hint}; your function stopped")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("...", "not yet", "not yet"),
        ("x + z", "not yet", "`return`"),
        ("return 1 / 0", "wrong", "ZeroDivisionError"),
        ("x.zero_()\n" + RIGHT, "wrong", "changes what it is given"),
        ("return (return", "wrong", "SyntaxError"),
    ],
)
def test_the_line_is_that_of_check(body, status, said, grader):
    found = grader.grade("forward.step", source_of(body))
    assert found.status == status and said in found.message and "\n" not in found.message


def test_a_function_is_sent_with_what_it_uses():
    assert grade("forward.step", uses_others).status == "passed"
    assert grade("forward.marginal", own_marginal).status == "passed"
    assert grade("forward.marginal", check("forward.marginal", own_marginal)).status == "passed"


def own_marginal(schedule, x_0, t):
    abar = coef(schedule.abar[torch.as_tensor(t)], x_0)
    return Gaussian(abar.sqrt() * x_0, 1 - abar)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from ddpm_lab import forward\nf = forward.marginal", "defines no function"),
        (
            "from ddpm_lab import forward\ndef f(*args): return forward.marginal(*args)",
            "write it yourself: the package's forward.marginal",
        ),
        (
            "from ddpm_lab.forward import marginal as m\ndef f(*args): return m(*args)",
            "write it yourself",
        ),
        (
            "from ddpm_lab.course.exercises import exercise\n"
            "def f(*args): return exercise('forward.marginal').reference(*args)",
            "hand in your own work",
        ),
        (
            "def f(*args):\n    from ddpm_lab.course.exercises import ch05_forward\n"
            "    return ch05_forward.MARGINAL.reference(*args)",
            "hand in your own work",
        ),
        ("from ddpm_lab.course.exercises import _registry", "hand in your own work"),
        (
            "from ddpm_lab.course.exercises import check\n"
            "def f(*args): return 3\nf = check('forward.marginal', f)",
            "return a Gaussian",
        ),
    ],
)
def test_the_courses_own_answers_are_refused(text, said, grader):
    found = grader.grade("forward.marginal", text)
    assert found.status == "wrong" and said in found.message


def test_a_function_of_the_package_that_is_as_good_as_the_reference_is_refused(grader):
    text = "from ddpm_lab import estimators\ndef f(log_w): return estimators.log_mean_weight(log_w)"
    assert "write it yourself" in grader.grade("estimators.bound", text).message


OURS = "import functools\nfrom ddpm_lab import forward\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("forward.marginal", "f = forward.marginal"),
        ("forward.marginal", "f = functools.partial(forward.marginal)"),
        ("forward.marginal", "__name__ = 'ddpm_lab'\ndef f(*a): return forward.marginal(*a)"),
        (
            "posterior.mean",
            "def f(w, x_0, x, t): return forward.posterior(w, x_0, x, t, t - 1).mean",
        ),
    ],
)
def test_the_packages_function_is_refused_under_any_name(name, text, grader):
    found = grader.grade(name, OURS + text, function="f", seed=3)
    assert found.status == "wrong" and "write it yourself: the package's" in found.message


def test_a_function_of_the_course_is_not_the_learners():
    assert grade("forward.marginal", forward.marginal).status == "wrong"
    given_back = check("forward.marginal", lambda schedule, x_0, t: x_0)
    assert "write it yourself" in grade("forward.marginal", given_back).message
    reference = exercises.exercise("forward.step").reference
    assert "hand in your own function" in grade("forward.step", reference).message


def test_another_seed_tries_other_inputs(grader):
    by_heart = "def f(var, beta): return {0.02: 0.98995, 0.1: 0.98742}[beta]"
    text = "import math\ndef f(var, beta): return math.sqrt(1 - beta / var)"
    assert grader.grade("forward.keep_variance", text, seed=5).status == "passed"
    assert grader.grade("forward.keep_variance", by_heart, seed=5).status == "wrong"
    with pytest.raises(ValueError, match="seed"):
        grade("forward.keep_variance", text, seed=-1)


HALF = 0.5


def _root(x):
    return x**HALF


def uses_others(schedule, x: torch.Tensor, t, z):
    beta = schedule.beta[t]
    return draw(Gaussian(_root(1 - beta) * x, beta), z)


def test_a_value_and_the_name_of_the_attempt(grader):
    graded = partial(grader.grade, "start.clean")
    assert graded("guess = 7\nclean = 0").status == "passed"
    assert graded("clean = 0\nafter = 7", function="clean").status == "passed"
    found = graded("guess = 7", function="clean")
    assert found == ("wrong", "your code defines no clean")
    assert graded("def f(): return 0") == ("wrong", "your code defines no value")


def test_what_cannot_be_sent_is_refused_at_once():
    around = 3
    with pytest.raises(TypeError, match="source text, or a function"):
        grade("forward.step", lambda *args: 0)
    with pytest.raises(TypeError, match="source text, or a function"):
        grade("start.clean", 0)

    def inner(schedule, x, t, z):
        return around

    with pytest.raises(TypeError, match="stand alone"):
        grade("forward.step", inner)
    with pytest.raises(ValueError, match="must be an exercise"):
        grade("forward.stp", "")
    with pytest.raises(ValueError, match="seconds"):
        grade("forward.step", "", seconds=-1)
    with pytest.raises(ValueError, match="wall_seconds"):
        grade("forward.step", "", wall_seconds=-1)


def test_a_process_that_does_not_start_is_no_fault_of_the_attempt(monkeypatch):
    monkeypatch.setattr(grading._child, "__name__", "ddpm_lab.no_such_module")
    with pytest.raises(RuntimeError, match=r"must start; it did not: .*no_such_module"):
        step(RIGHT)


# What a process does not survive ------------------------------------------------------------------

FORGED = r"""
right = '✓ forward.step\n{"answers": "[1.0, 1.0, 1.0, 1.0]"}\n'
for fd in range(256):
    try:
        os.write(fd, right.encode())
    except OSError:
        pass
"""

JUDGE_REPLACED = """
from ddpm_lab.course import exercises
from ddpm_lab.course.exercises import _judging, _wire, ch05_forward
torch.isclose = lambda *args, **kwargs: torch.tensor(True)
_judging.judged = exercises.verdict = lambda *args: exercises.Verdict("✓", "")
ch05_forward.STEP = ch05_forward.STEP._replace(cases=lambda: [], reference=my_step)
"""

EMPTIED = """
import sys
frame = sys._getframe()
while frame:
    for value in list(frame.f_locals.values()):
        if isinstance(value, list):
            value.clear()
    frame = frame.f_back
"""

FORKED = """
if os.fork() == 0:
    os.setsid()
    import time
    time.sleep(20)
    os._exit(0)
"""

HOSTILE = {
    "ends the process": ("os._exit(0)", "ended", "exit code 0"),
    "50 GB": ("bytearray(50 * 2**30)", "wrong", "MemoryError"),
    "50 GB in torch": ("torch.ones(50 * 2**27, dtype=torch.float64)", "wrong", "RuntimeError"),
    "all memory, bit by bit": ("x = []\nwhile True: x.append(bytearray(10**7))", "wrong", "Memory"),
    "C code without an end": ("sum(range(10**15))", "ended", "is there a loop"),
    "endless output": ("while True: print('✓ forward.step')", "wrong", "is there a loop"),
    "endless output from C": ("os.execvp('yes', ['yes', '✓'])", "ended", "is there a loop"),
    "kills itself": ("os.kill(os.getpid(), 9)", "ended", "SIGKILL"),
    "reads at address 0": ("import ctypes\nctypes.string_at(0)", "ended", "SIGSEGV"),
    "a loop that catches all": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "wrong",
        "is there a loop",
    ),
    "writes answers everywhere": (FORGED + "os._exit(0)", "ended", ""),
    "writes answers, then gives some": (FORGED + WRONG, "ended", "where only answers may stand"),
    "floods the channel": (
        "while True:\n    for fd in range(3, 9):\n        try: os.write(fd, b'1' * 10**5)\n"
        "        except OSError: pass",
        "ended",
        "",
    ),
    "replaces the judge": (JUDGE_REPLACED + WRONG, "wrong", "answers are closed"),
    "closes everything": ("os.closerange(0, 256)\n" + WRONG, "ended", "exit code"),
    "fills the disk": (
        "with open('big', 'wb') as file:\n    while True: file.write(bytes(10**6))",
        "wrong",
        "OSError",
    ),
    "a process that lives on": (FORKED + WRONG, "wrong", "your signal factor"),
    "a thread that lives on": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n" + WRONG,
        "wrong",
        "your signal factor",
    ),
    "empties all lists that it finds": (EMPTIED + WRONG, "ended", ""),
    "deep": ("x = []\nfor _ in range(10**5): x = [x]\nreturn x", "wrong", ""),
}


SLOW = ("all memory, bit by bit", "fills the disk")
"""How long it takes to fill memory or a disk is the machine's affair: no time may end it."""


@LINUX
@pytest.mark.parametrize("name", HOSTILE)
def test_no_attempt_passes_by_force(name, grader, monkeypatch):
    """In a process that starts PyTorch, and in one that a `Grader` forks."""
    body, status, said = HOSTILE[name]
    seconds = 1000.0 if name in SLOW else 1.0
    monkeypatch.setattr(grader, "seconds", seconds)
    forked = grader.grade("forward.step", source_of(body))
    for found in (forked, step(body, memory=2**29, seconds=seconds)):
        assert found.status == status and said in found.message
        assert "\n" not in found.message and "✓" not in found.message


@POSIX
def test_what_waits_for_ever_is_ended_by_the_clock(grader, monkeypatch):
    """All signals blocked, and no processor time used: nothing but the clock can tell."""
    body = (
        "import signal, select\nsignal.pthread_sigmask(0, range(1, 65))\nselect.select([], [], [])"
    )
    late = ("ended", "no answer after 2 seconds by the clock")
    assert step(body, seconds=1000.0, wall_seconds=2.0) == late
    monkeypatch.setattr(grader, "seconds", 1000.0)
    monkeypatch.setattr(grader, "wait", 2.0)
    assert grader.grade("forward.step", source_of(body)) == late


@POSIX
def test_a_text_that_never_ends_is_ended(grader, monkeypatch):
    monkeypatch.setattr(grader, "seconds", 0.5)
    assert "is there a loop" in grader.grade("forward.step", "while True: pass").message
    assert "is there a loop" in grade("forward.step", "while True: pass", seconds=0.5).message


def test_an_attempt_finds_no_secrets_in_its_variables_and_leaves_no_files(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "1")
    body = "open('left', 'w').write('x')\nreturn os.environ.get('SECRET_TOKEN') or 1 / 0"
    before = set(os.listdir())
    assert "ZeroDivisionError" in step(body).message
    assert set(os.listdir()) == before


# What one process tells another -------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        [1, 2.5, True, None, "text", float("inf")],
        (torch.arange(6).reshape(2, 3), torch.zeros(0, 3), torch.tensor(0.1, dtype=torch.bfloat16)),
        [Gaussian(torch.ones(2, dtype=torch.float64), torch.tensor([True, False]))],
        [_answers.Other("set"), [[], ()]],
    ],
)
def test_answers_come_back_as_they_were(answer):
    assert repr(_wire.read(_wire.written(answer))) == repr(answer)


@pytest.mark.parametrize(
    "text",
    ["", "[1]", '{"run": ["os.system"]}', '{"tensor": ["float64", [1], ""]}', '{"tuple": 3}',
     '{"tensor": ["torch.float64", [1000000, 1000000], "AAAA"]}', "{}", "[" * 10**5],
)  # fmt: skip
def test_what_was_not_written_by_us_is_refused(text):
    with pytest.raises((ValueError, TypeError, KeyError, RuntimeError, RecursionError)):
        _wire.read(text)
