"""Put the packages into .venv with pip, PyTorch by a way of its own."""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tools.setup import place
from tools.setup.pip_words import CPU_INDEX, STOPPED, why_pip_failed
from tools.setup.place import Problem, own_env, say

IMPORTS = "torch numpy matplotlib sklearn jupyterlab ipywidgets ipykernel pytest nbval ddpm_lab"
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


def has_nvidia():
    return bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia").exists()


def sizes(cpu):
    """GB to fetch and on disk. Only on Linux does pip's usual PyTorch bring CUDA along."""
    return SIZES[cpu or platform.system() != "Linux"]


def install(extras, cpu):
    say("      About {} GB to fetch and {} GB on disk; a minute or more.".format(*sizes(cpu)))
    say("      Ctrl-C stops it; what has been fetched by then is kept.")
    if place.call("-Ic", "import pip").returncode:  # as uv makes them
        place.call("-Im", "ensurepip")
    pip("--no-deps", "--require-hashes", "-r", "lock.txt")
    install_torch(cpu)
    pip("-q", "--no-build-isolation", "-c", "constraints.txt", "-e", f".[{','.join(extras)}]")
    settings = place.VENV / "share/jupyter/lab/settings"
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
    command = [str(place.PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *words]
    env = own_env(PIP_USER="0")  # a configuration file may ask for --user
    for name in [name for name in env if name.startswith("PIP_")]:
        if name[4:] not in ["USER", *PIP_KEPT]:
            del env[name]
    heard = []
    with subprocess.Popen(
        command, cwd=str(place.ROOT), stderr=subprocess.PIPE, text=True, errors="replace", env=env
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
    tried = place.call("-Ic", code, *IMPORTS.split())
    if tried.returncode:
        raise Problem(
            f"Step 3 of 3 stopped: {tried.stdout.split()[-1]} does not import:\n"
            f"{indent(tried.stderr)}\n"
            "Most often a package was half written. Start afresh: python lab.py clean, then this."
        )


def indent(text, lines=5):
    return "\n".join("    " + line for line in text.strip().splitlines()[-lines:])
