"""The projector's page in Chromium, as Voilà shows it: large letters, each explorer, for everyone.

Truth: what the browser shows and measures; axe-core, which is not ours, for what keeps people out.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tools import projector
from tools.notebooks.stored import store, written

SHOWN = ".ddpm-explorer img.widget-image"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Voilà on a port that only this machine can ask."""
    path = tmp_path_factory.mktemp("projector") / "explorers.ipynb"
    store(path, written(projector.page()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [str(path), "--no-browser", f"--port={port}"]
    words += ["--Voila.ip=127.0.0.1", "--VoilaConfiguration.allow_theme_override=YES"]
    log = path.with_suffix(".log")
    with log.open("w") as said:
        voila = subprocess.Popen(
            [sys.executable, "-m", "voila", *words], stdout=said, stderr=said,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/voila/static/voila.js", voila, log)
        yield url
    finally:
        voila.terminate()
        voila.wait(20)


def _wait_for(url, process, log):
    while process.poll() is None:
        try:
            return urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return None  # it answers
        except OSError:
            time.sleep(0.2)
    return pytest.fail("Voilà did not start:\n" + log.read_text()[-3000:], pytrace=False)


@pytest.fixture(params=["light", "dark"])
def shown(request, browser, address):
    """The page with its first explorer, in one of the two themes, and what went wrong on it."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(300_000)
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{address}/?theme={request.param}")
    page.wait_for_selector(f"{SHOWN}[alt]")
    yield page, wrong
    page.close()


def test_axe_finds_no_serious_violation(shown):
    from axe_core_python.sync_playwright import Axe

    page, _ = shown
    found = Axe().run(page)["violations"]
    serious = {each["id"]: [node["html"][:200] for node in each["nodes"]] for each in found
               if each["impact"] in ("serious", "critical")}  # fmt: skip
    assert not serious, json.dumps(serious, indent=1)


def cut_off(page):
    """Words that do not fit into their fields."""
    fields = ".ddpm-choice *, .ddpm-explorer :is(.widget-label, input, button)"
    cut = "e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible'"
    return page.locator(fields).evaluate_all(
        f"all => all.filter(e => {cut}).map(e => e.outerHTML.slice(0, 200))"
    )


def test_letters_are_large_and_nothing_is_cut_off(shown, pictures):
    page, wrong = shown
    sizes = page.locator(".ddpm-explorer .widget-label, .ddpm-sentence").evaluate_all(
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize) * 1.3)"
    )
    assert min(sizes) >= 18  # a chapter has 13
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert cut_off(page) == []
    page.screenshot(path=str(pictures / "projector.png"), full_page=True)
    assert not wrong


def test_another_explorer_is_chosen_and_moved_by_the_keyboard(shown):
    page, wrong = shown
    page.get_by_label("Explorer", exact=True).select_option(label="Four names")
    page.wait_for_selector("[aria-label^='t (']")
    sentence = page.locator(".ddpm-sentence")
    before = sentence.inner_text()
    page.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "old => document.querySelector('.ddpm-sentence').innerText !== old", arg=before
    )
    assert page.locator(SHOWN).count() == 1
    page.get_by_label("Explorer", exact=True).select_option(label="True or false")
    page.wait_for_selector(".widget-toggle-button")
    assert cut_off(page) == []
    assert not wrong
