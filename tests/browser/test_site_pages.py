"""The site in Chromium: what a person with only a browser meets.

Build it first (`make site`), then `make browser ARGS=tests/browser/test_site_pages.py`. The pages
come from a web server on this machine, and whatever they ask of another one is an error.
"""

import json
import os
import re
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from tools.site.frames import STOPS
from tools.site.pages import notebooks

ROOT = Path(__file__).parents[2]
HTML = ROOT / "build" / "site" / "html"
REPOSITORY = os.environ.get("GITHUB_REPOSITORY")  # as `make site` was told
READ = [
    "index",
    "chapters/05_forward",
    "chapters/07_posterior",
    "chapters/glossary",
    "explorers/schedule_designer",
    "reference/forward",
    "claims",
]


@pytest.fixture(scope="module")
def browser(playwright, chromium):
    if not (HTML / "index.html").exists():
        pytest.fail("There is no site in build/site/html: run `make site` first.", pytrace=False)
    with playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as launched:
        yield launched


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def address():
    """The site on a web server that only this machine can ask."""
    handler = partial(Quiet, directory=HTML)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def site(browser, address):
    """Open a page of the site: the page, and what went wrong on it so far."""
    opened = []

    def go(name, width=1280, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened.append(page)
        wrong = []
        page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: leaves(asked.url, address) and wrong.append(asked.url))
        name, _, query = name.partition("?")
        page.goto(f"{address}/{name}.html?{query}")
        page.wait_for_load_state("load")
        return page, wrong

    yield go
    for page in opened:
        page.close()


def leaves(url, address):
    return not url.startswith((address, "data:", "blob:"))


def formulas_set(page):
    if not page.locator("script[src*=mathjax]").count():
        return  # a page without any
    page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
    page.evaluate("() => MathJax.startup.promise")


def all_of(page, selector, script):
    return page.locator(selector).evaluate_all(f"all => all.map(e => {script})")


# --- Explorers ------------------------------------------------------------------------------------


def test_every_page_is_there():
    assert {path.stem for path in (HTML / "chapters").glob("*.html")} == {
        path.stem for path in notebooks()
    }
    assert {path.stem for path in (HTML / "explorers").glob("*.html")} == {*STOPS, "index"}


@pytest.mark.parametrize("name", sorted(STOPS))
def test_an_explorer_moves_without_a_kernel(site, name):
    page, wrong = site(f"explorers/{name}")
    figure = page.locator("figure.explorer")
    canvas, words = figure.locator("canvas"), figure.locator("figcaption")
    page.wait_for_function(PAINTED)
    controls = figure.locator(".control input, .control select")
    assert controls.count() >= 2
    for k in range(controls.count()):
        control, before, picture = controls.nth(k), words.inner_text(), canvas.evaluate(PIXELS)
        assert control.evaluate("e => e.labels[0].innerText")  # its accessible name
        control.focus()
        first = control.input_value()
        page.keyboard.press("ArrowRight")
        if control.input_value() == first:  # it stands at its last stop
            page.keyboard.press("ArrowLeft")
        assert control.input_value() != first
        assert words.inner_text() != before
        assert canvas.get_attribute("aria-label") == words.inner_text()
        page.wait_for_function(f"old => ({PIXELS})({CANVAS}) !== old", arg=picture)
        if control.evaluate("e => e.type") == "range":
            assert control.get_attribute("aria-valuetext")
    assert not wrong


CANVAS = "document.querySelector('figure.explorer canvas')"
PAINTED = f"{CANVAS}.dataset.shown"

PIXELS = """c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data
    .reduce((sum, value) => (31 * sum + value) % 1000003, 7)"""

MOVES = """async () => {
  const figure = document.querySelector('figure.explorer');
  const canvas = figure.querySelector('canvas'), input = figure.querySelector('input');
  const took = [];
  for (let k = 0; k < 2 * Number(input.max); k++) {
    input.value = k % (Number(input.max) + 1);
    const start = performance.now();
    input.dispatchEvent(new Event('input'));
    canvas.getContext('2d').getImageData(0, 0, 1, 1);
    took.push(performance.now() - start);
    await new Promise(done => setTimeout(done, 20));
  }
  return took.sort((a, b) => a - b)[took.length >> 1];
}"""


def test_a_move_takes_milliseconds(site, capsys):
    page, _ = site("explorers/schedule_designer")
    page.wait_for_function(PAINTED)
    page.locator("figure.explorer").hover()
    page.wait_for_timeout(1000)
    milliseconds = page.evaluate(MOVES)
    with capsys.disabled():
        print(f"\nmedian time of a move on the page: {milliseconds:.1f} ms")
    assert milliseconds <= 50


def test_an_explorer_is_at_most_three_megabytes():
    for name in STOPS:
        strips = (HTML / "_static" / "explorers").glob(f"{name}-*")
        page = (HTML / "explorers" / f"{name}.html").stat().st_size
        assert page + sum(path.stat().st_size for path in strips) <= 3_000_000, name


def test_the_ledger_is_a_game_without_a_kernel(site):
    page, wrong = site("claims")
    page.select_option("#ledger-theme", label="bayes")
    first = page.locator(".claim:visible").first
    answer = first.get_attribute("data-answer")
    first.get_by_role("button", name=answer).click()
    assert first.locator("details").get_attribute("open") is not None
    assert "1 of 1" in page.locator(".ledger output").inner_text()
    other = page.locator(".claim:visible").nth(1)
    wrongly = "false" if other.get_attribute("data-answer") != "false" else "true"
    other.get_by_role("button", name=wrongly).focus()
    page.keyboard.press("Enter")
    assert "1 of 2" in page.locator(".ledger output").inner_text()
    assert not page.locator("section#forward").is_visible()
    assert not wrong


# --- Chapters -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_a_chapter_can_be_read(site, path):
    page, wrong = site(f"chapters/{path.stem}")
    formulas_set(page)
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert page.locator("mjx-container").count() > 5
    tags = set(re.findall(r"\\\\tag\{([\d.]+)\}", path.read_text(encoding="utf-8")))
    assert {f"mjx-eqn:{tag}" for tag in tags} <= set(all_of(page, "mjx-mtd[id]", "e.id"))
    alts = all_of(page, ".cell_output img", "e.alt")
    assert all(len(alt.split()) >= 3 for alt in alts)
    hrefs = all_of(page, "a[href]", "e.getAttribute('href')")
    assert any(href.endswith(f"/{path.name}") for href in hrefs)  # to download
    if REPOSITORY:
        for where in ("colab", "binder"):
            assert any(starts(path, where, href) for href in hrefs), where
    page.set_viewport_size({"width": 390, "height": 844})  # a phone's
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    text = "article p:not(table p), article li"  # a table scrolls by itself
    assert max(all_of(page, text, "e.getBoundingClientRect().right")) <= 391
    assert not wrong


PAPER = 681  # pixels: A4 without its margins of 15 mm
SEEN = ".bd-article :is(p, pre, img, canvas, table, mjx-math)"
LOST = """([selector, width]) => [...document.querySelectorAll(selector)]
    .filter(e => e.checkVisibility() && !e.closest('details:not([open])'))
    .filter(e => {
        const box = e.getBoundingClientRect();
        return box.width && (box.right > width + 1 || box.left < -1);
    }).map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", [*READ, "chapters/04_elbo_and_vae", "chapters/16b_flow_matching"])
def test_nothing_is_cut_off_on_paper(site, name):
    page, _ = site(name, scheme="dark")
    formulas_set(page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.set_viewport_size({"width": PAPER, "height": 960})
    page.emulate_media(media="print")
    assert page.evaluate(LOST, [SEEN, PAPER]) == []
    for part in (".bd-sidebar-primary", ".bd-sidebar-secondary", "button", ".controls"):
        assert not page.locator(part).and_(page.locator(":visible")).count(), part
    scrolls = "e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible'"
    scrolling = ".bd-article :is(pre, .highlight, .output, .math, .pst-scrollable-table-container)"
    assert not any(all_of(page, f"{scrolling}:not(span)", scrolls))
    color = page.locator(".bd-article p").first.evaluate("e => getComputedStyle(e).color")
    assert max(map(int, re.findall(r"\d+", color)[:3])) < 128  # dark letters
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("html").get_attribute("data-theme") == "dark"


def starts(path, where, href):
    """Does a link start this notebook on Colab, or on Binder?"""
    begins = {
        "colab": f"https://colab.research.google.com/github/{REPOSITORY}/blob/",
        "binder": f"https://mybinder.org/v2/gh/{REPOSITORY}/",
    }[where]
    return href.startswith(begins) and unquote(href).endswith(f"chapters/{path.name}")


def test_search_finds_the_posterior_variance(site):
    page, wrong = site("search?q=posterior+variance")
    page.wait_for_selector("#search-results li a")
    found = all_of(page, "#search-results li a", "e.href")
    assert any("07_posterior" in link for link in found)
    assert not wrong


class Links(HTMLParser):
    """The targets of a page's links, and its names that a link may lead to."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.names = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        self.names |= {facts.get("id"), facts.get("name")}
        self.targets += [facts[key] for key in ("href", "src") if facts.get(key)]


def test_every_link_within_the_site_leads_somewhere():
    pages = {path: Links(path) for path in HTML.rglob("*.html") if "_static" not in path.parts}
    broken = []
    for path, page in pages.items():
        for target in page.targets:
            place, name = urldefrag(target)
            parts = urlsplit(place)
            if parts.scheme or parts.netloc:
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages[file].names if file in pages else {""}
            if not file.exists() or not {name, unquote(name)} & {*known, "", "top"}:
                broken.append(f"{path.relative_to(HTML)}: {target}")
    assert not broken, broken


# --- For everyone ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", READ)
def test_axe_finds_no_serious_violation(site, name, scheme):
    from axe_core_python.sync_playwright import Axe

    page, _ = site(name, scheme=scheme)
    assert page.locator("html").get_attribute("data-theme") == scheme
    found = Axe().run(page)["violations"]
    serious = {each["id"]: each["nodes"][0]["html"][:200] for each in found
               if each["impact"] in ("serious", "critical")}  # fmt: skip
    assert not serious, json.dumps(serious, indent=1)
