"""Set up once, then work. Needs Python 3.10 or newer, and nothing else.

    python lab.py                    open JupyterLab on the first chapter
    python lab.py test               run every test
    (with make: make lab, make test; on Windows: py lab.py, py lab.py test)

The first start makes the folder .venv and installs everything there; later starts take seconds.

    python lab.py --port 9999        what follows goes on to JupyterLab (also --no-browser) ...
    python lab.py test -k schedule   ... or to pytest; name files to run only those
    python lab.py --cpu              on Linux without an NVIDIA card: a far smaller PyTorch
    python lab.py setup              install, and no more
    python lab.py doctor             say what this machine has, and what to mend
    python lab.py clean              remove .venv and all caches

For authors: browser (a real JupyterLab in Chromium), notebooks (build them all),
mutants (would the tests notice a mistake?), bench (how fast and how good, beside other packages;
20 minutes, on a machine that does nothing else), lint, format.
"""

# Only the standard library, and only syntax that Python 3.6 can read:
# an old Python must get as far as the sentence that says it is too old.
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "ddpm-lab.json"  # what is set up, for which Python, in which folder

LISTS = ["pyproject.toml", "constraints.txt"]
EXTRAS = ["lab", "test"]  # what the two main commands need
IMPORTS = "torch numpy matplotlib sklearn jupyterlab ipywidgets ipykernel pytest nbval ddpm_lab"
FIRST_CHAPTER = "chapters/00_start_here.ipynb"
MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
OLDEST = (3, 10)
NEED_GB = 2

# JupyterLab would ask every new reader about its news, in front of the chapter.
QUIET = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    }
}


class Problem(Exception):
    """What is missing and what to do: printed as it is, without a traceback."""


def say(text=""):
    print(text, flush=True)


def seconds(since):
    took = time.monotonic() - since
    return f"{took:.1f} s" if took < 10 else f"{took:.0f} s"


# --- Can this machine do it? Each returns what to say, or "" if all is well -----------------------


def old_python(version, which=shutil.which):
    if version >= OLDEST:
        return ""
    text = f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; "
    text += f"this is Python {'.'.join(map(str, version))}.\n"
    for name in (f"python3.{minor}" for minor in range(14, OLDEST[1] - 1, -1)):
        if which(name):
            return text + f"This machine seems to have one: {name} lab.py  (make lab PY={name})."
    return text + "Install one from https://www.python.org/downloads/ and run this with it."


def no_venv(version, spec=find_spec):
    absent = [name for name in ("venv", "ensurepip") if spec(name) is None]
    if not absent:
        return ""
    return (
        f"This Python came without {' and '.join(absent)}, so it cannot make an environment.\n"
        f"Debian, Ubuntu: sudo apt install python3-venv  (or python3.{version[1]}-venv), "
        "then run this again.\n"
        "Elsewhere: install Python from https://www.python.org/downloads/ and run this with it."
    )


def intel_mac(system, machine):
    if (system, machine) != ("Darwin", "x86_64"):
        return ""
    return (
        "PyTorch 2.4 and newer are not made for Intel Macs.\n"
        "If yours is an Apple-silicon Mac, this Python is an Intel build: install the universal\n"
        "one from https://www.python.org/downloads/. If not, use another machine, or Binder."
    )


def little_disk(free_gb, folder):
    if free_gb >= NEED_GB:
        return ""
    return (
        f"The set-up needs {NEED_GB} GB or more in {folder}; {free_gb:.1f} GB are free.\n"
        "Make room, or move this folder to a larger disk, and run this again."
    )


def large_torch(system, cpu, nvidia):
    """A hint, not an obstacle: on Linux pip's usual PyTorch brings CUDA, useful or not."""
    if system != "Linux" or cpu or nvidia:
        return ""
    return (
        "      No NVIDIA driver here. If pip begins to fetch cuda and nvidia packages (some 3 GB,\n"
        "      8 GB on disk), stop it with Ctrl-C and take PyTorch's CPU build, 0.2 GB:\n"
        "      python lab.py --cpu  (make lab CPU=1)"
    )


def require(*obstacles):
    for text in obstacles:
        if text:
            raise Problem(text)


# --- What .venv holds -----------------------------------------------------------------------------


def digest():
    """One name for the present lists of packages."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in LISTS)).hexdigest()


def read_stamp():
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def write_stamp(**facts):
    STAMP.write_text(json.dumps({**read_stamp(), **facts}, indent=1))


def venv_version():
    """The Python version inside .venv, like "3.11"; "" if it does not start or has no pip."""
    code = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    try:
        ran = subprocess.run([str(PYTHON), "-Ic", code], capture_output=True, text=True)
    except OSError:
        return ""
    return ran.stdout.strip()


def look(extras):
    """What is to be done ("make", "remake", "install" or "" for nothing), and why."""
    if not VENV.exists():
        return "make", ""
    stamp, version = read_stamp(), venv_version()
    if not version:
        return "remake", "The environment in .venv is broken."
    if stamp.get("python", version) != version:
        return "remake", f".venv was made for Python {stamp['python']}, which is now {version}."
    if stamp.get("folder", str(ROOT)) != str(ROOT):
        return "remake", f"This folder has moved: .venv was made in {stamp['folder']}."
    if not stamp.get("lists"):
        return "install", "An earlier set-up did not finish; going on from there."
    if stamp["lists"] != digest():
        return "install", "The list of packages has changed."
    new = [extra for extra in extras if extra not in stamp["extras"]]
    return ("install", f"Adding the tools for: {', '.join(new)}.") if new else ("", "")


# --- Set-up ---------------------------------------------------------------------------------------


def setup(extras=(), cpu=False):
    """Bring .venv up to date, whatever state it is in. Safe to interrupt and to repeat."""
    start, here = time.monotonic(), ".".join(map(str, sys.version_info[:2]))
    require(old_python(sys.version_info[:3]))
    extras = sorted({*EXTRAS, *extras, *read_stamp().get("extras", [])})
    todo, why = look(extras)
    if not todo:
        inside = read_stamp()["python"]
        kept = "" if inside == here else f"; with Python {inside}, kept until you say `clean`"
        say(f"Set-up: there already ({seconds(start)}{kept}).")
        return
    say(why or f"First start: everything goes into {VENV}")
    if todo == "install":
        say("[1/3] An environment of its own: there already")
    else:
        say("[1/3] An environment of its own")
        require(
            no_venv(sys.version_info[:3]),
            intel_mac(platform.system(), platform.machine()),
            little_disk(shutil.disk_usage(str(ROOT)).free / 1e9, ROOT),
        )
        make_venv()
    # An empty "lists" until all is done: so an interrupted set-up is known by its stamp.
    write_stamp(lists="", folder=str(ROOT), python=venv_version())
    say("[2/3] Packages: PyTorch, JupyterLab and the test tools")
    install(extras, cpu)
    say("[3/3] A first import of everything")
    first_import()
    write_stamp(lists=digest(), extras=extras)
    say(f"Set-up took {seconds(start)}.\n")


def make_venv():
    if Path(sys.prefix).resolve() == VENV:
        raise Problem("You are inside .venv, which must be made anew: `deactivate`, then again.")
    if VENV.exists():
        say("      Removing the old .venv first.")
        shutil.rmtree(str(VENV))
    command = [sys.executable, "-m", "venv", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        raise Problem(
            f"Python could not make the environment:\n{indent(made.stdout + made.stderr)}\n"
            "Mend that, then run this again."
        )


def install(extras, cpu):
    say("      About 330 MB to fetch and 1.6 GB on disk (with CUDA more like 3 and 8 GB);")
    say("      a minute or more. Ctrl-C stops it; what has been fetched by then is kept.")
    hint = large_torch(platform.system(), cpu, has_nvidia())
    if hint:
        say(hint)
    words = ["-c", "constraints.txt", "-e", f".[{','.join(extras)}]"]
    if cpu:
        words += ["--extra-index-url", CPU_INDEX]
    status, complaints = pip_install(words)
    if status:
        raise Problem("Step 2 of 3, the packages, stopped. " + why_pip_failed(complaints))
    settings = VENV / "share/jupyter/lab/settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(QUIET, indent=1))


def pip_install(words):
    """Run pip in the open; its exit status, and what it wrote to stderr."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *words]
    heard = []
    with subprocess.Popen(
        command, cwd=str(ROOT), stderr=subprocess.PIPE, text=True, errors="replace"
    ) as pip:
        while True:
            try:
                for line in pip.stderr:
                    heard.append(line)
                    sys.stderr.write(line)
                break
            except KeyboardInterrupt:
                continue  # pip heard Ctrl-C as well, and tidies up
    return pip.returncode, "".join(heard)


def first_import():
    """Import what matters once: it finds a half-written package, and warms the caches."""
    code = "import sys\nfor name in sys.argv[1:]: print(name, flush=True); __import__(name)"
    command = [str(PYTHON), "-Ic", code, *IMPORTS.split()]
    tried = subprocess.run(command, capture_output=True, text=True)
    if tried.returncode:
        raise Problem(
            f"Step 3 of 3 stopped: {tried.stdout.split()[-1]} does not import:\n"
            f"{indent(tried.stderr)}\n"
            "Most often a package was half written. Start afresh: python lab.py clean, then this."
        )


def has_nvidia():
    return bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia").exists()


def indent(text, lines=5):
    return "\n".join("    " + line for line in text.strip().splitlines()[-lines:])


AGAIN = "Run the same command again: it goes on where it stopped."
OFFLINE = """No network on this machine? On one that has it, with the same system and Python, run
    python -m pip download -d wheels -c constraints.txt ".[lab,test]" "setuptools>=77"
in a copy of this folder, bring `wheels` here, set PIP_NO_INDEX=1 and PIP_FIND_LINKS=wheels in
the environment, and run this again."""

# Signs in what pip says, most telling first, and what they mean to a reader.
PIP_TROUBLES = [
    (
        r"Operation cancelled by user|KeyboardInterrupt",
        f"You stopped it.\n{AGAIN}",
    ),
    (
        r"No space left on device|Errno 28|not enough space on the disk",
        "The disk is full.\nMake room (pip also writes to its cache, `pip cache dir`, and to the "
        f"folder for temporary files).\n{AGAIN}",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "The package index answered, but its certificate is not trusted here.\nBehind a company "
        f"or school proxy: set PIP_CERT to its certificate file.\n{AGAIN}",
    ),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError"
        r"|Failed to establish a new connection|Temporary failure in name resolution"
        r"|getaddrinfo failed|Network is unreachable|Connection refused|Connection reset"
        r"|Connection aborted|IncompleteRead|Tunnel connection failed",
        "The package index cannot be reached.\nCheck the network; behind a proxy set HTTPS_PROXY."
        f"\n{AGAIN}\n{OFFLINE}",
    ),
    (
        r"No matching distribution found for (?P<package>[^\s;]+)",
        "No build of {package} was found for this machine.\nThe Python may be too new (3.10 to "
        "3.14 are known to have everything) or the processor unusual;\nwith PIP_NO_INDEX set, the "
        f"folder in PIP_FIND_LINKS lacks it.\n{OFFLINE}",
    ),
    (
        r"ResolutionImpossible",
        "No set of packages fits this Python and constraints.txt; pip names one above.\nWith "
        f"PIP_NO_INDEX set, the folder in PIP_FIND_LINKS may lack it.\n{OFFLINE}",
    ),
    (
        r"Permission ?[dD]enied|WinError 5\b",
        "A file could not be written.\nIs the folder yours, and is JupyterLab from .venv still "
        f"running? Close it.\n{AGAIN}",
    ),
]


def why_pip_failed(complaints):
    """What stopped pip, in plain words, from what it wrote to stderr."""
    for sign, meaning in PIP_TROUBLES:
        found = re.search(sign, complaints)
        if found:
            return meaning.format(**found.groupdict())
    return f"pip says above why.\n{AGAIN}\nIf it stops there again: python lab.py clean, then this."


# --- Running things in .venv ----------------------------------------------------------------------


def run(*command, **env):
    """Run .venv's Python from the project folder; its exit status."""
    child = subprocess.Popen(
        [str(PYTHON), *map(str, command)], cwd=str(ROOT), env={**os.environ, **env}
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
    return not word.startswith("-") and (ROOT / word.split("::")[0]).exists()


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
    command = ["-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}"]
    if root and "--allow-root" not in extra:
        command.append("--allow-root")
    if not any(map(names_a_file, extra)) and (ROOT / FIRST_CHAPTER).exists():
        command.append(f"--LabApp.default_url=/lab/tree/{FIRST_CHAPTER}")
    return command + extra


def lab(extra):
    notice = port_notice(extra)
    if notice:
        say(notice)
    say("Opening JupyterLab. Leave this window open; Ctrl-C here stops it.\n")
    return run(*jupyter_command(extra))


NO_TESTS = 5  # pytest's exit status for it
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval.cfg"]
STEPS = {
    "tests": ["tests", "--ignore=tests/browser"],
    "doctests": ["--doctest-modules", "ddpm_lab"],
    # chapters and chapters/solutions: outputs must be the stored ones; my_* are a reader's copies
    "chapters": [*NBVAL, "--ignore-glob=*my_*", "chapters"],
}


def steps(extra):
    """What pytest runs, by name: everything, or the files that the reader named."""
    if any(map(names_a_file, extra)):
        return {"what you named": NBVAL + extra}
    chosen = {name: words + extra for name, words in STEPS.items()}
    if not extra:  # two files at a time, each whole; words like --pdb ask for one process
        for name in ("tests", "chapters"):
            chosen[name] = ["-n", "2", "--dist", "loadfile", *chosen[name]]
    return chosen


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


def chromium(which=shutil.which):
    """Where the browser is; a Problem if there is none."""
    names = ["chromium", "chromium-browser", "google-chrome", "chrome"]
    for path in [os.environ.get("CHROMIUM"), *map(which, names), MAC_CHROME]:
        if path and Path(path).exists():
            return path
    raise Problem(
        "This test drives JupyterLab in Chromium, and there is none.\n"
        "Debian, Ubuntu: sudo apt install chromium. Elsewhere install Chromium or Chrome;\n"
        "if it is not found then, set CHROMIUM to the path of the program."
    )


def browser(extra):
    words = extra if any(map(names_a_file, extra)) else ["tests/browser", *extra]
    return run("-m", "pytest", "-q", *words, CHROMIUM=chromium(), OMP_NUM_THREADS="1")


def bench(extra):
    """Speed and quality beside the other packages that are installed; kept in benchmarks/."""
    for name in extra or ["speed", "quality"]:
        if run("benchmarks/" + name + ".py", "--out", "benchmarks/" + name + ".json"):
            return 1
    return 0


def lint(extra):
    found = run("-m", "ruff", "check", ".", *extra)
    return run("-m", "ruff", "format", "--check", ".") or found


def reformat(extra):
    run("-m", "ruff", "check", "--fix-only", ".", *extra)
    return run("-m", "ruff", "format", ".")


def clean():
    """Remove what set-up, tests and editors made; nothing that a person wrote."""
    if Path(sys.prefix).resolve() == VENV:
        raise Problem("You are inside .venv, which is to be removed: type `deactivate`, try again.")
    for name in [".venv", ".pytest_cache", ".hypothesis", ".ruff_cache", "build"]:
        shutil.rmtree(str(ROOT / name), ignore_errors=True)
    for pattern in ["*.egg-info", "**/__pycache__", "**/.ipynb_checkpoints"]:
        for folder in list(ROOT.glob(pattern)):
            shutil.rmtree(str(folder), ignore_errors=True)
    say("Removed .venv and the caches.")


COMMANDS = {  # name: (what it does with the remaining words, the extras it needs besides)
    "lab": (lab, []),
    "test": (test, []),
    "setup": (lambda extra: 0, []),
    "doctor": (lambda extra: run("-m", "ddpm_lab", "doctor", *extra), []),
    "browser": (browser, ["browser"]),
    "notebooks": (lambda extra: run("tools/chapters.py", "build", *extra, OMP_NUM_THREADS="1"), []),
    "mutants": (lambda extra: run("tools/mutants.py", *extra, OMP_NUM_THREADS="1"), []),
    "bench": (bench, ["bench"]),
    "lint": (lint, ["author"]),
    "format": (reformat, ["author"]),
}


def parse(words):
    """(command, the other words, --cpu?); `lab` when no command is named."""
    cpu, words = "--cpu" in words, [word for word in words if word != "--cpu"]
    if words and words[0] in [*COMMANDS, "clean"]:
        return words[0], words[1:], cpu
    if words and not words[0].startswith("-") and not names_a_file(words[0]):
        raise Problem(f"No command {words[0]!r}. There are: {', '.join([*COMMANDS, 'clean'])}.")
    return "lab", words, cpu


def main(words):
    if words[:1] in (["-h"], ["--help"], ["help"]):
        say(__doc__.strip())
        return 0
    try:
        command, extra, cpu = parse(words)
        if command == "clean":
            return clean() or 0
        action, extras = COMMANDS[command]
        setup(extras, cpu)
        return action(extra)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. {AGAIN}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
