"""A hub for a class on one machine, installed once, then started, by one command.

    sudo python3 deploy/jupyterhub/hub.py names.csv --ip 0.0.0.0

As root, each student is a user of the system with files of their own; otherwise, or with --trial,
all run as you. Everything lies in one folder (--folder): the environment, which is shared and which
students can read but not change; the state of the hub; and passwords.csv, for you to hand out.

    python3 deploy/jupyterhub/hub.py --install-only --folder DIR    no more than the environment
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROXY = "configurable-http-proxy@5.3.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def options(argv=None):
    parser = argparse.ArgumentParser(
        prog="hub.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="?", type=Path, help="the class: names.csv of `class release`"
    )
    parser.add_argument("--folder", type=Path, default=Path("/srv/ddpm-lab"), help="%(default)s")
    parser.add_argument(
        "--ip", default="127.0.0.1", help="0.0.0.0 for the whole network; %(default)s"
    )
    parser.add_argument("--port", type=int, default=8000, help="and the two after it; %(default)s")
    parser.add_argument("--memory", default="2G", help="of each process of a student; %(default)s")
    parser.add_argument(
        "--idle", type=int, default=60, help="minutes until it is stopped; %(default)s"
    )
    parser.add_argument("--teacher", default="teacher", help="may look after servers; %(default)s")
    parser.add_argument("--ssl-key", type=Path, help="with --ssl-cert: https instead of http")
    parser.add_argument("--ssl-cert", type=Path)
    parser.add_argument(
        "--package", type=Path, default=ROOT, help="the wheel of `class package`; else this clone"
    )
    parser.add_argument("--trial", action="store_true", help="all students run as you: no accounts")
    parser.add_argument("--install-only", action="store_true")
    args = parser.parse_args(argv)
    if args.names is None and not args.install_only:
        parser.error("names must be a list of the class; got none. Or say --install-only.")
    return args


def closed(path):
    """The first folder on the way to a path that others may not enter; None if there is none."""
    way = [folder for folder in [*reversed(path.parents), path] if folder.is_dir()]
    return next((folder for folder in way if not folder.stat().st_mode & 0o001), None)


def missing(folder, args):
    """What this machine lacks, in words; "" if nothing."""
    if not args.install_only and not (shutil.which("node") and shutil.which("npm")):
        return "The hub's proxy needs Node.js and npm, and there are none: apt install nodejs npm"
    for path in () if args.trial or os.geteuid() else (Path(sys.base_prefix), folder):
        if closed(path):
            return (
                f"Students must be able to read {path}; {closed(path)} is closed to them. Start "
                "this with the system's Python (/usr/bin/python3), or choose another --folder."
            )
    return ""


def run(*words, **more):
    subprocess.run([*map(str, words)], check=True, **more)


def installed(folder, package=ROOT):
    """The Python of the folder's environment, which is made or brought up to date.

    One definition for a machine and for the image: the Dockerfile calls it, too.
    """
    env, python = folder / "env", folder / "env" / "bin" / "python"
    folder.mkdir(parents=True, exist_ok=True)
    if not python.exists():
        venv.create(env, with_pip=True)
    pip = [python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt"]
    if subprocess.run([*pip, "--index-url", CPU_INDEX, "--retries", "1", "torch"]).returncode:
        run(*pip, "torch")  # not from PyTorch's own index, then as pip finds it
    run(*pip, f"{package}[lab]", "-r", HERE / "requirements.txt")
    shutil.copy(HERE / "start-student", env / "bin" / "start-student")
    return python


def proxy(folder):
    """The proxy's program, installed if it is not there."""
    program = folder / "proxy" / "node_modules" / ".bin" / "configurable-http-proxy"
    if not program.exists():
        run("npm", "install", "--silent", "--prefix", folder / "proxy", PROXY)
    return program


def main(argv=None):
    args = options(argv)
    folder = args.folder.resolve()
    problem = missing(folder, args)
    if problem:
        print(problem, file=sys.stderr)
        return 1
    python = installed(folder, args.package.resolve())
    if args.install_only:
        return 0
    facts = {k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items()}
    facts |= {"proxy": str(proxy(folder)), "names": str(args.names.resolve())}
    (folder / "hub.json").write_text(json.dumps(facts, indent=1))
    os.execv(python, [*map(str, [python, HERE / "serve.py", folder])])


if __name__ == "__main__":
    sys.exit(main())
