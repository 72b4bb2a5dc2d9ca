"""The wheel works alone: in an environment of its own, outside every clone.

Truth: the wheel and the sdist are built here from this folder; the wheel is installed in a new
environment, which borrows the libraries of this one, but not its ddpm_lab; and its commands are run
in an empty folder. `.ci/run package` does the same with every library installed afresh, and runs
every chapter there.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

import ddpm_lab
from ddpm_lab.cli import copies

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "someone/some-name"
OURS = (".git", ".venv", "__pycache__", "build", "dist", "runs", "wheels", "*.egg-info", ".*_cache")
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
TIED_TO_A_CLONE = ("lab.py", "make ", "chapters/c")

pytestmark = pytest.mark.slow


def python(*words, cwd, **env):
    ours = {"PYTHONPATH", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL"}
    env = {name: value for name, value in os.environ.items() if name not in ours} | env
    done = subprocess.run(list(map(str, words)), cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist and the wheel, as GitHub would build them."""
    folder = tmp_path_factory.mktemp("build")
    shutil.copytree(ROOT, folder / "clone", ignore=shutil.ignore_patterns(*OURS))
    code = "from setuptools import build_meta as b; b.build_sdist('dist'); b.build_wheel('dist')"
    python(sys.executable, "-c", code, cwd=folder / "clone", GITHUB_REPOSITORY=REPOSITORY)
    (sdist,), (wheel,) = ((folder / "clone/dist").glob(kind) for kind in ("*.tar.gz", "*.whl"))
    return sdist, wheel


class Place:
    """An empty folder, and an environment that holds the wheel."""

    def __init__(self, folder, wheel):
        self.here = folder / "an empty folder"
        self.here.mkdir()
        venv.create(folder / "env", with_pip=False)
        self.scripts = folder / "env" / SCRIPTS
        self.python = self.scripts / Path(sys.executable).name
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = Path(python(self.python, "-c", code, cwd=self.here).strip())
        # Read after what lies in the environment itself; and no .pth file in there is followed.
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
        words = [sys.executable, "-m", "pip", "--python", self.python, "install", "-q"]
        python(*words, "--no-deps", "--no-index", wheel, cwd=self.here)

    @property
    def env(self):
        path = f"{self.scripts}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "OMP_NUM_THREADS": "1", "DDPM_LAB_DATA": str(self.here / "no data")}

    def __call__(self, *words):
        """What the program says; nothing it says is about a clone."""
        said = python(self.scripts / "ddpm-lab", *words, cwd=self.here, **self.env)
        assert not any(word in said for word in TIED_TO_A_CLONE), said
        return said


@pytest.fixture(scope="module")
def place(built, tmp_path_factory):
    return Place(tmp_path_factory.mktemp("place"), built[1])


# --- What is in them ------------------------------------------------------------------------------


def test_the_wheel_holds_the_package_and_what_the_learner_needs(built):
    with zipfile.ZipFile(built[1]) as wheel:
        names = set(wheel.namelist())
    chapters = ROOT / "chapters"
    wanted = {path for path in ROOT.glob("ddpm_lab/**/*") if path.is_file()}
    wanted = {path for path in wanted if path.suffix not in (".pyc", ".pyo")}
    wanted |= {*chapters.glob("[0-9]*.ipynb"), *chapters.glob("source/*.py")}
    wanted |= {chapters / name for name in copies.PAGES}
    wanted |= {*chapters.glob("configs/*.json"), *chapters.glob("checkpoints/*.safetensors")}
    wanted |= {path.with_suffix(".json") for path in chapters.glob("checkpoints/*.jsonl")}
    paths = {path.relative_to(ROOT).as_posix() for path in wanted}
    assert {f"ddpm_lab/{p}" if p.startswith("chapters/") else p for p in paths} <= names
    for name in names:
        assert name.startswith(("ddpm_lab/", "ddpm_lab-")), name
        assert not re.search(r"tests?/|solutions/|spread\.json|metrics\.json$", name), name


def test_the_sdist_holds_what_git_holds(built):
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("no clone: there is nothing to compare with")
    words = ["git", "ls-files", "-z"]
    tracked = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    there = {name for name in tracked.split("\0") if name and (ROOT / name).exists()}
    assert there <= names, sorted(there - names)[:9]


def test_the_links_of_the_readme_lead_somewhere_from_everywhere(built):
    """On PyPI nothing lies beside the README: its links are whole, and to files that exist."""
    with zipfile.ZipFile(built[1]) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
        text = wheel.read(name).decode()
    home, tag = f"https://github.com/{REPOSITORY}", f"v{ddpm_lab.__version__}"
    assert f"Project-URL: Source, {home}\n" in text
    links = re.findall(r"(!?)\[[^\[\]]*\]\(([^)]+)\)", text)
    assert len(links) > 30 and any(mark for mark, _ in links)
    links += [("", link) for link in re.findall(r"\)\]\(([^)]+)\)", text)]  # around the badges
    for mark, link in links:
        assert link.startswith("https://"), link
        if link.startswith(home):
            kind, version, path = link.removeprefix(f"{home}/").split("/", 2)
            assert (kind, version) == ("raw" if mark else "blob", tag), link
            assert (ROOT / path).exists(), link


def test_without_github_no_address_is_made_up(tmp_path):
    code = "import setuptools; setuptools.setup = lambda **words: globals().update(words)\n"
    code += "exec(open('setup.py').read(), {'__file__': 'setup.py', '__name__': 'setup'})\n"
    code += "print(project_urls, long_description == open('README.md', encoding='utf-8').read())"
    assert python(sys.executable, "-c", code, cwd=ROOT).split() == ["{}", "True"]


# --- What it does ---------------------------------------------------------------------------------


def test_the_package_is_the_wheels_own(place):
    code = "import ddpm_lab; print(ddpm_lab.__file__)"
    said = python(place.python, "-c", code, cwd=place.here, **place.env)
    assert str(place.scripts.parent) in said
    assert place("--version") == f"ddpm-lab {ddpm_lab.__version__}\n"
    module = [place.python, "-m", "ddpm_lab", "--version"]
    assert python(*module, cwd=place.here, **place.env) == place("--version")


def test_the_chapters_are_opened(place):
    place("open", "course", "--only-copy")
    names = {path.name for path in (place.here / "course").glob("*.ipynb")}
    chapters = {path.name for path in (ROOT / "chapters").glob("[0-9]*.ipynb")}
    assert names == chapters | set(copies.PAGES)


def test_the_doctor_is_content(place):
    said = place("doctor")
    assert "All that the course needs is here." in said and "digits.safetensors" in said


def test_a_run_is_trained_sampled_and_measured_by_name(place):
    words = ["steps=20", "batch=8", "net.width=8", "samples_every=20"]
    said = place("train", "--config", "digits", "--out", "a run", "--set", *words)
    assert "20 steps done" in said and "See:  ddpm-lab sample --run 'a run'" in said
    place("sample", "--run", "a run", "--n", "2", "--steps", "2")
    place("sample", "--run", "mnist", "--n", "2", "--steps", "2", "--label", "7", "--out", "7.npy")
    quick = ["--n", "20", "--strata", "2", "--steps", "2"]
    place("evaluate", "--run", "digits", *quick)
    found = json.loads((place.here / "digits.metrics.json").read_text())
    assert found["network"] == "digits" and found["frechet"]["value"] > 0
    assert (place.here / "samples.png").exists() and (place.here / "7.npy").exists()


def test_an_explorer_is_made(place):
    code = "from ddpm_lab.course import explorers; print(explorers.schedule_designer())"
    assert python(place.python, "-c", code, cwd=place.here, **place.env).strip()


def test_notebooks_run_in_its_own_environment(place):
    """The chapters themselves are run by `.ci/run package`."""
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "id": "a"}
    code = f"import ddpm_lab.training\nassert {str(place.scripts.parent)!r} in ddpm_lab.__file__"
    notebook = {"cells": [cell | {"source": code}], "metadata": {}}
    (place.here / "mine").mkdir()
    path = place.here / "mine" / "00_mine.ipynb"
    path.write_text(json.dumps(notebook | {"nbformat": 4, "nbformat_minor": 5}))
    before = path.read_bytes()
    said = place("test", "mine", "--only", "00")
    assert re.search(r"^00_mine +passed", said, re.M) and said.endswith("All passed.\n")
    assert path.read_bytes() == before


def test_jupyterlab_starts_there(place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [place.scripts / "ddpm-lab", "open", "course", "--no-browser", f"--port={port}"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | place.env
    with open(place.here / "log", "wb") as log:
        server = subprocess.Popen(
            list(map(str, words)), cwd=place.here, env=env, stdout=log, stderr=log
        )
    try:
        status = None
        while status is None and server.poll() is None:
            time.sleep(0.2)
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status")
            except urllib.error.HTTPError as error:
                status = error.code
            except OSError:
                continue
        assert status == 403, (place.here / "log").read_text()  # it wants the token it has printed
        assert "/lab/tree/00_start_here.ipynb?token=" in (place.here / "log").read_text()
    finally:
        server.terminate()
        server.wait()
