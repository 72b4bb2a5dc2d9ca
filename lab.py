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

For authors: browser (a real JupyterLab in Chromium), notebooks (build them all),
mutants (would the tests notice a mistake?), bench (how fast and how good, beside other packages;
20 minutes, on a machine that does nothing else), lint, format, lock (the tested versions, anew).

Notebooks compute on half of the processor's threads, at most 4, so that a class can share a server;
OMP_NUM_THREADS sets another number.
"""

# Only the standard library, and only syntax that Python 3.6 can read:
# an old Python must get as far as the sentence that says it is too old.
import errno
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
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "ddpm-lab.json"  # what is set up, for which Python, in which folder

LOCK = ROOT / ".setup.lock"

LISTS = ["pyproject.toml", "lock.txt", "constraints.txt"]
EXTRAS = ["lab", "test"]  # what the two main commands need
IMPORTS = "torch numpy matplotlib sklearn jupyterlab ipywidgets ipykernel pytest nbval ddpm_lab"
FIRST_CHAPTER = "chapters/00_start_here.ipynb"
MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
OLDEST = (3, 10)
SIZES = {True: (0.4, 1.5), False: (3, 6)}  # GB to fetch and GB on disk, without CUDA and with it

# Of pip's settings in the environment, those that say where packages come from and how pip talks.
# The others (PIP_USER, PIP_TARGET, PIP_CONSTRAINT ...) would send ours elsewhere or change them.
PIP_KEPT = """index_url extra_index_url no_index find_links trusted_host cert client_cert proxy
 retries timeout default_timeout cache_dir no_cache_dir config_file keyring_provider use_feature
 no_input progress_bar no_color quiet verbose log""".upper().split()

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


def little_disk(free_gb, folder, need_gb):
    if free_gb >= need_gb:
        return ""
    return (
        f"The set-up needs {need_gb:g} GB or more in {folder}; {free_gb:.1f} GB are free.\n"
        "Make room, or move this folder to a larger disk, and run this again."
    )


def not_yours(folder, why):
    if os.access(str(folder), os.W_OK):
        return ""
    return (
        f"{why}\nTo mend that, set-up must write in {folder}, and you may not.\n"
        "Let its owner run `python lab.py setup` there, or clone the course into your own folder."
    )


def no_folder(path):
    if path.is_dir() or not path.exists():
        return ""
    return f"{path} must be a folder, and is a file.\nMove it away, then run this again."


def require(*obstacles):
    for text in obstacles:
        if text:
            raise Problem(text)


# --- What .venv holds -----------------------------------------------------------------------------


def digest():
    """One name for the present lists of packages."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in LISTS)).hexdigest()


def read_stamp():
    """What an earlier set-up noted; {} if that is no such note (half written, or not ours)."""
    kinds = {"lists": str, "folder": str, "python": str, "extras": list, "cpu": bool}
    try:
        stamp = json.loads(STAMP.read_text())
        fine = all(isinstance(stamp[name], kinds[name]) for name in stamp)
        return stamp if fine and all(isinstance(x, str) for x in stamp.get("extras", [])) else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def write_stamp(**facts):
    text = json.dumps({**read_stamp(), **facts}, indent=1)
    half = STAMP.with_name(STAMP.name + ".part")
    half.write_text(text)
    half.replace(STAMP)


def own_env(**more):
    """The environment for .venv's Python, without what would send it to other packages."""
    elsewhere = ("PYTHONHOME", "PYTHONPATH")
    return {**{k: v for k, v in os.environ.items() if k not in elsewhere}, **more}


def call(*words):
    """Run .venv's Python and hear what it says; status 1 if it does not even start."""
    command = [str(PYTHON), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, env=own_env())
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def venv_version():
    """The Python version inside .venv, like "3.11"; "" if it does not start."""
    return call("-Ic", "import sys; print('%d.%d' % sys.version_info[:2])").stdout.strip()


def look(extras, cpu=None):
    """What is to be done ("make", "remake", "install" or "" for nothing), and why."""
    if not VENV.exists():
        return "make", f"First start: everything goes into {VENV}"
    stamp, version = read_stamp(), venv_version()
    if not version:
        return "remake", "The environment in .venv is broken."
    if old_python(tuple(map(int, version.split(".")))):
        return "remake", f".venv is of Python {version}, which is too old."
    if stamp.get("python", version) != version:
        return "remake", f".venv was made for Python {stamp['python']}, which is now {version}."
    if stamp.get("folder", str(ROOT)) != str(ROOT):
        return "remake", f"This folder has moved: .venv was made in {stamp['folder']}."
    if cpu is not None and stamp.get("cpu", cpu) != cpu:
        return "remake", f"PyTorch is wanted {'without' if cpu else 'with'} CUDA now."
    if not stamp.get("lists"):
        return "install", "An earlier set-up did not finish; going on from there."
    if stamp["lists"] != digest():
        return "install", "The list of packages has changed."
    new = [extra for extra in extras if extra not in stamp.get("extras", [])]
    return ("install", f"Adding the tools for: {', '.join(new)}.") if new else ("", "")


# --- Set-up ---------------------------------------------------------------------------------------


def setup(extras=(), cpu=None, repair=False):
    """Bring .venv up to date, whatever state it is in. Safe to interrupt and to repeat."""
    start, here = time.monotonic(), ".".join(map(str, sys.version_info[:2]))
    require(old_python(sys.version_info[:3]), no_folder(VENV))
    extras = sorted({*EXTRAS, *extras, *read_stamp().get("extras", [])})
    todo, why = look(extras, cpu)
    if repair or todo:
        require(not_yours(ROOT, why or CHECKING))
        with one_at_a_time():
            todo, why = look(extras, cpu)  # anew: another set-up may have finished meanwhile
            if todo or repair:
                set_up(todo or "install", why or CHECKING, extras, cpu)
                say(f"Set-up took {seconds(start)}.\n")
                return
    inside = read_stamp().get("python", here)
    kept = "" if inside == here else f"; with Python {inside}, kept until you say `clean`"
    say(f"Set-up: there already ({seconds(start)}{kept}).")


def set_up(todo, why, extras, cpu):
    say(why)
    if cpu is None:
        cpu = read_stamp().get("cpu", platform.system() == "Linux" and not has_nvidia())
    if todo == "install":
        say("[1/3] An environment of its own: there already")
        require(not_yours(VENV, why))
    else:
        say("[1/3] An environment of its own")
        require(
            no_venv(sys.version_info[:3]),
            intel_mac(platform.system(), platform.machine()),
            little_disk(shutil.disk_usage(str(ROOT)).free / 1e9, ROOT, sizes(cpu)[1] + 0.5),
        )
        make_venv()
    # An empty "lists" until all is done: so an interrupted set-up is known by its stamp.
    write_stamp(lists="", folder=str(ROOT), python=venv_version(), cpu=cpu)
    say("[2/3] Packages: PyTorch, JupyterLab and the test tools")
    install(extras, cpu)
    say("[3/3] A first import of everything")
    first_import()
    write_stamp(lists=digest(), extras=extras)


@contextmanager
def one_at_a_time():
    """Wait for another set-up of this folder. A dead one holds nothing: the system lets go."""
    with open(str(LOCK), "a+") as file:
        waited = False
        while not take(file):
            if not waited:
                file.seek(0)
                say(f"Another set-up is at work in this folder ({file.read()}): waiting for it.")
            waited = True
            time.sleep(0.5)
        with suppress(OSError):
            LOCK.chmod(0o666)  # others who use this folder must be able to wait, too
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
        yield


def take(file):
    """Lock an open file if nobody has; True also where the file system knows no locks."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(1000)  # behind what stands there, which others may then still read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def inside_venv():
    return VENV.exists() and Path(sys.prefix).resolve() == VENV.resolve()


def remove_venv():
    """Of a link only the link: where it leads to, somebody else made something."""
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        say("      Removing the old .venv first.")
        shutil.rmtree(str(VENV))


def make_venv():
    if inside_venv():
        raise Problem("You are inside .venv, which must be made anew: `deactivate`, then again.")
    remove_venv()
    command = [sys.executable, "-m", "venv", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True, env=own_env())
    if made.returncode:
        raise Problem(
            f"Python could not make the environment:\n{indent(made.stdout + made.stderr)}\n"
            "Mend that, then run this again."
        )


def sizes(cpu):
    """GB to fetch and on disk. Only on Linux does pip's usual PyTorch bring CUDA along."""
    return SIZES[cpu or platform.system() != "Linux"]


def install(extras, cpu):
    say("      About {} GB to fetch and {} GB on disk; a minute or more.".format(*sizes(cpu)))
    say("      Ctrl-C stops it; what has been fetched by then is kept.")
    if call("-Ic", "import pip").returncode:  # as uv makes them
        call("-Im", "ensurepip")
    pip("--no-deps", "--require-hashes", "-r", "lock.txt")
    install_torch(cpu)
    pip("-q", "--no-build-isolation", "-c", "constraints.txt", "-e", f".[{','.join(extras)}]")
    settings = VENV / "share/jupyter/lab/settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(QUIET, indent=1))


def install_torch(cpu):
    words = ["-c", "constraints.txt", "torch"]
    if cpu:
        # In .venv already, or in a folder of wheels? Then PyTorch's own index need not be asked.
        ways = [["--no-index"], ["--index-url", CPU_INDEX, "--retries", "1", "--timeout", "10"]]
        for way in ways:
            status, complaints = pip_install([*way, *words], aloud=False)
            if not status:
                return
            if "No matching distribution" not in complaints:
                raise Problem(STOPPED + why_pip_failed(complaints))
        say(f"      {CPU_INDEX} cannot be reached, or has no build")
        say("      for this machine: going on with what pip finds.")
    pip(*words)


def pip(*words):
    status, complaints = pip_install(words)
    if status:
        raise Problem(STOPPED + why_pip_failed(complaints))


def pip_install(words, aloud=True):
    """Run pip in the open; its exit status, and what it wrote to stderr."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *words]
    env = own_env(PIP_USER="0")  # a configuration file may ask for --user
    for name in [name for name in env if name.startswith("PIP_")]:
        if name[4:] not in ["USER", *PIP_KEPT]:
            del env[name]
    heard = []
    with subprocess.Popen(
        command, cwd=str(ROOT), stderr=subprocess.PIPE, text=True, errors="replace", env=env
    ) as child:
        while True:
            try:
                for line in child.stderr:
                    heard.append(line)
                    if aloud:
                        sys.stderr.write(line)
                break
            except KeyboardInterrupt:
                continue  # pip heard Ctrl-C as well, and tidies up
    return child.returncode, "".join(heard)


def first_import():
    """Import what matters once: it finds a half-written package, and warms the caches."""
    code = "import sys\nfor name in sys.argv[1:]: print(name, flush=True); __import__(name)"
    tried = call("-Ic", code, *IMPORTS.split())
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


CHECKING = "Checking what is there."
STOPPED = "Step 2 of 3, the packages, stopped. "
AGAIN = "Run the same command again: it goes on where it stopped."
OFFLINE = (
    """No network on this machine? On one that has it, with the same system and Python, run
    python -m pip download -d wheels --no-deps -r lock.txt
    python -m pip download -d wheels -c constraints.txt torch
in a copy of this folder (for PyTorch without CUDA, end the second line with
--no-deps --index-url """
    + CPU_INDEX
    + """), bring `wheels` here, set PIP_NO_INDEX=1 and PIP_FIND_LINKS=wheels in
the environment, and run this again."""
)

# Signs in what pip says, most telling first, and what they mean to a reader.
PIP_TROUBLES = [
    (
        r"Operation canceled by user|KeyboardInterrupt",
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
        r"DO NOT MATCH THE HASHES",
        "A package is not the one that lock.txt names: damaged on its way, or replaced.\nAnother "
        "index or folder of wheels may hold the right one; `pip cache purge` forgets a damaged\n"
        f"one. {AGAIN}",
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


def threads():
    """About the number of cores (two threads each), and no more than small networks make use of."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return str(max(1, min(4, (mine or 1) // 2)))


def run(*command, **env):
    """Run .venv's Python from the project folder; its exit status."""
    child = subprocess.Popen([str(PYTHON), *map(str, command)], cwd=str(ROOT), env=own_env(**env))
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
    few = os.environ.get("OMP_NUM_THREADS") or threads()
    return run(*jupyter_command(extra), OMP_NUM_THREADS=few)


NO_TESTS = 5  # pytest's exit status for it
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval.cfg"]
STEPS = {
    "tests": ["tests", "--ignore=tests/browser"],
    "doctests": ["--doctest-modules", "ddpm_lab"],
    # Outputs must be the stored ones. my_* are a reader's copies; the solved chapters differ in the
    # exercises alone, and .ci/run runs them.
    "chapters": [*NBVAL, "--ignore-glob=*my_*", "--ignore=chapters/solutions", "chapters"],
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
    if inside_venv():
        raise Problem("You are inside .venv, which is to be removed: type `deactivate`, try again.")
    require(no_folder(VENV))
    remove_venv()
    with suppress(OSError):
        LOCK.unlink()
    for name in [".pytest_cache", ".hypothesis", ".ruff_cache", "build"]:
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
    "lock": (lambda extra: run("tools/lock.py", *extra), ["author"]),
}


def parse(words):
    """(command, the other words, PyTorch without CUDA?); `lab` when no command is named."""
    wishes = {"--cpu": True, "--cuda": False}
    wish = {wishes[word] for word in words if word in wishes}
    if len(wish) > 1:
        raise Problem("--cpu or --cuda, not both.")
    cpu, words = (wish or {None}).pop(), [word for word in words if word not in wishes]
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
