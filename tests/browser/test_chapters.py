"""Every chapter as a reader meets it: opened in JupyterLab, Run All, looked at.

Truth: what the page shows and what the notebook holds after the run, nothing stored before.
"""

from pathlib import Path

import pytest

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"
NAMES = [path.name for path in sorted(CHAPTERS.glob("*.ipynb"))]


def test_there_are_chapters():
    assert NAMES, "chapters/ holds no notebook: build them with `make notebooks`"


@pytest.mark.parametrize("name", NAMES)
def test_chapter_runs(notebook, page, pictures, name, capsys):
    chapter = notebook(f"chapters/{name}")
    seconds = chapter.run_all()
    with capsys.disabled():
        print(f"\n{name}: Run All took {seconds:.1f} s (aim: a minute on two idle cores)")

    assert chapter.complaints() == []
    code = [cell for cell in chapter.cells() if cell["cell_type"] == "code" and cell["source"]]
    assert code or name in ("formulas.ipynb", "glossary.ipynb")
    assert [cell["source"] for cell in code if not cell["execution_count"]] == [], "not run"
    assert silent_pictures(chapter, page) == []
    assert page.locator("mjx-merror, .katex-error").all_inner_texts() == [], "a formula is broken"

    screenshots(page, pictures, Path(name).stem)


def silent_pictures(chapter, page):
    """What says nothing to a reader who does not see it, or does not load at all."""
    found = [
        output["data"]["text/plain"]
        for output in chapter.outputs()
        if "image/png" in output.get("data", {})
        and not output["metadata"].get("image/png", {}).get("alt", "").strip()
    ]
    # Lab keeps the alt text of an output to itself, so the page is asked about all other images.
    found += page.evaluate(
        """() => [...document.querySelectorAll(".jp-Notebook img")]
            .filter(img => !img.closest(".jp-RenderedImage"))
            .filter(img => !(img.alt || img.title || "").trim())
            .map(img => "no words: " + img.outerHTML.slice(0, 200))"""
    )
    found += page.evaluate(
        """() => [...document.querySelectorAll(".jp-Notebook img")]
            .filter(img => img.complete && !img.naturalWidth)
            .map(img => "not loaded: " + img.outerHTML.slice(0, 200))"""
    )
    return found


def screenshots(page, folder, stem):
    """The whole notebook, in pictures that are three screens tall."""
    page.set_viewport_size({"width": 1280, "height": 2700})
    page.wait_for_timeout(500)  # Lab lays the page out anew
    scroller = page.evaluate_handle(
        """() => {
            const scrolls = box => box.scrollHeight > box.clientHeight
                && getComputedStyle(box).overflowY != "visible";
            let box = document.querySelector(".jp-Notebook .jp-Cell");
            while (!scrolls(box) && box.parentElement) box = box.parentElement;
            return box;
        }"""
    )
    end, tall = scroller.evaluate("box => [box.scrollHeight, box.clientHeight]")
    for number, top in enumerate(range(0, end, tall), start=1):
        scroller.evaluate("(box, top) => { box.scrollTop = top; }", top)
        page.screenshot(path=str(folder / f"{stem}_{number}.png"))
