"""Set up once, then work. Needs Python 3.10 or newer, and nothing else.

    python lab.py                    open JupyterLab on the first chapter
    python lab.py test               run every test
    (with make: make lab, make test; on Windows: py lab.py, py lab.py test)

The first start makes the folder .venv and installs everything there; later starts take seconds.

    python lab.py --port 9999        what follows goes on to JupyterLab (also --no-browser) ...
    python lab.py test -k schedule   ... or to pytest; name files to run only those
    python lab.py --cuda             PyTorch with CUDA, or --cpu: without (6 GB or 1.5 GB); if you
                                     say neither, Linux gets CUDA where it has an NVIDIA driver
    python lab.py setup              install, or repair, and no more
    python lab.py doctor             say what this machine has, and what to mend
    python lab.py clean              remove .venv and all caches

What authors need besides (lint, notebooks, browser ...): python -m tools --help

Notebooks compute on half of the processor's threads, at most 4, so that a class can share a server;
OMP_NUM_THREADS sets another number.
"""

# Only the standard library, and only syntax that Python 3.6 can read, here and in tools/setup:
# an old Python must get as far as the sentence that says it is too old.
import os
import signal
import socket
import subprocess
import sys
import time

from tools.setup import place
from tools.setup.environment import clean, setup
from tools.setup.pip_words import AGAIN
from tools.setup.place import Problem, own_env, say, seconds

FIRST_CHAPTER = "chapters/00_start_here.ipynb"


def threads():
    """About the number of cores (two threads each), and no more than small networks make use of."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return str(max(1, min(4, (mine or 1) // 2)))


def run(*command, **env):
    """Run .venv's Python from the project folder; its exit status."""
    child = subprocess.Popen(
        [str(place.PYTHON), *map(str, command)], cwd=str(place.ROOT), env=own_env(**env)
    )
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the child heard Ctrl-C as well, and decides: Jupyter asks first


def option(extra, name):
    """The value of --name 1 or --name=1 among the words of a command; None if absent."""
    for word, following in zip(extra, [*extra[1:], ""]):
        if word == name:
            return following
        if word.startswith(name + "="):
            return word[len(name) + 1 :]
    return None


def names_a_file(word):
    return not word.startswith("-") and (place.ROOT / word.split("::")[0]).exists()


def is_taken(port):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_notice(extra, taken=is_taken):
    """What to say about the port before Jupyter starts; a Problem if the wish cannot be met."""
    wish = option(extra, "--port")
    if wish is None:
        return (
            "Port 8888 is taken, most likely by another JupyterLab. This one takes the next free\n"
            "port: go by the address it prints."
            if taken(8888)
            else ""
        )
    if not (wish.isdigit() and 0 < int(wish) < 65536):
        raise Problem(f"--port wants a number from 1 to 65535; got {wish!r}.")
    if taken(int(wish)):
        raise Problem(
            f"Port {wish} is taken by another program.\n"
            f"Name another (--port {int(wish) % 65535 + 1}), or leave --port out: JupyterLab then "
            "finds a free one."
        )
    return ""


def jupyter_command(extra, root=None):
    """The words that start JupyterLab in the project folder, on the first chapter."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0 if root is None else root
    command = ["-m", "jupyterlab", f"--ServerApp.root_dir={place.ROOT}"]
    if root and "--allow-root" not in extra:
        command.append("--allow-root")
    if not any(map(names_a_file, extra)) and (place.ROOT / FIRST_CHAPTER).exists():
        command.append(f"--LabApp.default_url=/lab/tree/{FIRST_CHAPTER}")
    return command + extra


def lab(extra):
    notice = port_notice(extra)
    if notice:
        say(notice)
    say("Opening JupyterLab. Leave this window open; Ctrl-C here stops it.\n")
    few = os.environ.get("OMP_NUM_THREADS") or threads()
    return run(*jupyter_command(extra), OMP_NUM_THREADS=few)


NO_TESTS = 5  # pytest's exit status for it
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval.cfg"]
NO_NBVAL = ["-p", "no:nbval"]  # two seconds for each process, where there is no notebook to run
STEPS = {
    "tests": [*NO_NBVAL, "tests", "--ignore=tests/browser"],
    "doctests": [*NO_NBVAL, "--doctest-modules", "ddpm_lab"],
    # Outputs must be the stored ones. my_* are a reader's copies; the solved chapters differ in the
    # exercises alone, and .ci/run runs them.
    "chapters": [*NBVAL, "--ignore-glob=*my_*", "--ignore=chapters/solutions", "chapters"],
}


def steps(extra):
    """What pytest runs, by name: everything, or the files that the reader named."""
    if any(map(names_a_file, extra)):
        return {"what you named": NBVAL + extra}
    # Two files at a time, each whole; words like --pdb ask for one process. In their order:
    # pytest-xdist would put long files of few tests last, each on its own.
    two = [] if extra else ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    return {name: [*two, *words, *extra] for name, words in STEPS.items()}


def test(extra, run=run):
    """Run every step, whatever the ones before it gave."""
    # One thread: several test processes that each take all cores are many times slower, not faster.
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    start, statuses, lines = time.monotonic(), {}, []
    for name, words in steps(extra).items():
        say(f"== {name}")
        begun = time.monotonic()
        status = run("-m", "pytest", "-q", *words, OMP_NUM_THREADS=threads)
        verdict = {0: "passed", NO_TESTS: "found no test"}.get(status, "FAILED")
        statuses[name] = status
        lines.append(f"{name:<16}{verdict:<16}{seconds(begun)}")
    # A reader's choice may leave a step without tests. Without one, no test is a failure.
    fine = {0, NO_TESTS} if extra else {0}
    failed = [name for name, status in statuses.items() if status not in fine]
    if set(statuses.values()) == {NO_TESTS}:
        failed, verdict = list(statuses), f"FAILED: {' '.join(extra)} chose no test."
    else:
        verdict = f"FAILED: {', '.join(failed)}." if failed else "All passed."
    say("\n" + "\n".join(lines) + f"\nTests took {seconds(start)}. {verdict}")
    return 1 if failed else 0


COMMANDS = {  # name: (what it does with the remaining words, the extras it needs besides)
    "lab": (lab, []),
    "test": (test, []),
    "setup": (lambda extra: 0, []),
    "doctor": (lambda extra: run("-m", "ddpm_lab", "doctor", *extra), []),
    "clean": (lambda extra: clean() or 0, None),  # None: not even .venv
}


def parse(words, commands):
    """(command, the other words, PyTorch without CUDA?); the first command when none is named."""
    wishes = {"--cpu": True, "--cuda": False}
    wish = {wishes[word] for word in words if word in wishes}
    if len(wish) > 1:
        raise Problem("--cpu or --cuda, not both.")
    cpu, words = (wish or {None}).pop(), [word for word in words if word not in wishes]
    if words and words[0] in commands:
        return words[0], words[1:], cpu
    if words and not words[0].startswith("-") and not names_a_file(words[0]):
        there = f"No command {words[0]!r}. There are: {', '.join(commands)}"
        raise Problem(f"{there}; for authors, see `python -m tools --help`.")
    return next(iter(commands)), words, cpu


def main(words, commands=COMMANDS, about=__doc__):
    if words[:1] in (["-h"], ["--help"], ["help"]):
        say(about.strip())
        return 0
    try:
        command, extra, cpu = parse(words, commands)
        action, extras = commands[command]
        if extras is not None:
            setup(extras, cpu, repair=command == "setup")
        return action(extra)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\nA file could not be read or written: {error}\n{AGAIN}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. {AGAIN}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
