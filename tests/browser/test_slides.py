"""Slides of every chapter in a real Chromium: nothing overflows, all is set, no network is asked.

Truth: the browser's own measure of each slide against the page of 1280 × 720 for which it is made.
"""

from pathlib import Path

import pytest

from tools.notebooks.sources import chapters
from tools.slides.__main__ import main

pytestmark = pytest.mark.browser

MEASURE = """async () => {
    await MathJax.startup.promise;
    const found = [];
    for (const slide of Reveal.getSlides()) {
        const place = Reveal.getIndices(slide);
        Reveal.slide(place.h, place.v);
        await Promise.all([...slide.querySelectorAll('img')].map(image => image.decode()));
        const wide = [...slide.querySelectorAll('p, li, h1, h2, img, mjx-container')].filter(
            part => part.offsetLeft + part.getBoundingClientRect().width > 1280);
        found.push({title: slide.innerText.slice(0, 60), height: slide.scrollHeight,
            wide: wide.length, errors: slide.querySelectorAll('mjx-merror').length,
            raw: /\\$|\\\\\\w/.test(slide.innerText),
            silent: [...slide.querySelectorAll('img')].filter(image => !image.alt).length});
    }
    return found;
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("slides")


@pytest.fixture(scope="module")
def page(playwright, chromium):
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.said.append((message.type, message.text)))
    page.on("pageerror", lambda error: page.said.append(("error", str(error))))
    yield page
    browser.close()


@pytest.mark.parametrize("slug", [chapter.slug for chapter in chapters()])
def test_no_slide_overflows(folder, page, slug):
    page.asked.clear(), page.said.clear()
    assert main([slug, "--out", str(folder)]) == 0
    page.goto((Path(folder) / f"{slug}.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady() && window.MathJax.startup")
    found = page.evaluate(MEASURE)
    assert len(found) > 8
    bad = [
        slide
        for slide in found
        if slide["height"] > 720 or any(slide[k] for k in ("wide", "errors", "raw", "silent"))
    ]
    assert not bad
    assert not [url for url in page.asked if not url.startswith(("file:", "data:"))]
    assert not [text for kind, text in page.said if kind == "error"]
