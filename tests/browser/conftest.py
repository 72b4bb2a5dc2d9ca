"""A real JupyterLab with a real browser in front of it, on a copy of the chapters.

Nothing here is skipped: `make browser` is the only command that runs these tests, and whoever asks
for them wants to know what is missing.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"

# The news pop-up would cover the notebook. Cells out of sight shall be in the page, too.
SETTINGS = """{
  "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false},
  "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}
}"""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def playwright():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.fail(
            "The browser tests need playwright; it is not installed. "
            "Run them with `make browser`, or: pip install -e '.[browser]'",
            pytrace=False,
        )
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium that is on this machine already."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.fail(
            "The browser tests need Chromium or Chrome; none was found on PATH. Install one "
            "(Debian: apt install chromium), or name it: CHROMIUM=/path/to/chrome make browser",
            pytrace=False,
        )
    return found


_JUPYTER = ("CONFIG", "DATA", "RUNTIME")  # the user's own settings and kernels stay out of it


class Lab:
    """A running JupyterLab: its address, its token and the folder it serves."""

    def __init__(self, folder):
        self.folder = folder
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.base = f"http://127.0.0.1:{free.getsockname()[1]}"

    def start(self):
        settings = self.folder / "settings"
        settings.mkdir()
        (settings / "overrides.json").write_text(SETTINGS)
        own = {f"JUPYTER_{what}_DIR": str(self.folder / what) for what in _JUPYTER}
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self.base.rsplit(":", 1)[1],
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self.folder,
            "IdentityProvider.token": self.token,
            "LabApp.app_settings_dir": settings,
            "LabApp.extension_manager": "readonly",
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "LabApp.expose_app_in_browser": True,  # the tests ask it when a run has ended
        }
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        self.log = self.folder / "jupyterlab.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command + [f"--{name}={value}" for name, value in options.items()],
                cwd=self.folder,
                env={**os.environ, **own, "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=log,
            )
        while self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.base}/api?token={self.token}", timeout=2).close()
                return
            except OSError:
                time.sleep(0.2)
        self.stop()
        pytest.fail("JupyterLab did not start:\n" + self.log.read_text()[-3000:], pytrace=False)

    def stop(self):
        self.process.terminate()  # it ends its kernels, then itself
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def write(self, name, *cells):
        """A new notebook in the served folder; a cell is its source, or a whole code cell."""
        made = [nbformat.v4.new_code_cell(c) if isinstance(c, str) else c for c in cells]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=kernel), self.folder / name)
        return name


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    if CHAPTERS.is_dir():  # a copy: no test ever touches the stored notebooks
        shutil.copytree(
            CHAPTERS, lab.folder / "chapters", ignore=shutil.ignore_patterns(".ipynb_checkpoints")
        )
    lab.start()
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def browser(playwright, chromium):
    browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(600_000)  # ms; a busy machine is slow, not wrong
    yield page
    page.close()


@pytest.fixture
def pictures(tmp_path):
    """Where screenshots go: the folder $DDPM_LAB_SCREENSHOTS, else one of pytest's."""
    folder = Path(os.environ.get("DDPM_LAB_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def notebook(lab, page):
    """Opens a notebook of the served folder; ends its kernel after the test."""
    opened = []

    def open_(name):
        opened.append(Notebook(lab, page, name))
        return opened[-1]

    yield open_
    for each in opened:
        each.end()


class Notebook:
    """A notebook open in the page."""

    def __init__(self, lab, page, name):
        self.page = page
        page.goto(f"{lab.base}/lab/tree/{name}?reset&token={lab.token}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.evaluate("jupyterapp.restored")
        page.evaluate("jupyterapp.shell.currentWidget.sessionContext.ready")
        # Ready is said a moment before idle; a run started in between is now and then lost.
        page.wait_for_selector(
            ".jp-Notebook-ExecutionIndicator[data-status=idle]", state="attached"
        )

    def run_all(self):
        """Run > Run All Cells; returns how many seconds it took."""
        start = time.monotonic()
        self.page.evaluate("""jupyterapp.commands.execute("notebook:run-all-cells")""")
        return time.monotonic() - start

    def cells(self):
        """The notebook as Lab would save it now."""
        return self.page.evaluate("jupyterapp.shell.currentWidget.content.model.toJSON()")["cells"]

    def outputs(self):
        return [output for cell in self.cells() for output in cell.get("outputs", [])]

    def complaints(self):
        """Every error and every word on stderr."""
        return [
            "".join(output.get("text", [])) or f"{output.get('ename')}: {output.get('evalue')}"
            for output in self.outputs()
            if output["output_type"] == "error" or output.get("name") == "stderr"
        ]

    def end(self):
        self.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
