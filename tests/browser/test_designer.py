"""The schedule designer under a reader's hands: keyboard, mouse, and no kernel at all.

Truth: the page. A picture has changed when the browser has loaded other bytes for it; it has been
painted at the next animation frame after that.
"""

import base64
import statistics
from functools import partial

import nbformat
import pytest

from ddpm_lab.course import explorers

IMPORT, MAKE = "from ddpm_lab.course import explorers", "explorers.schedule_designer()"
PICTURE = ".jp-OutputArea img.widget-image"
HANDLES = ".jp-OutputArea .noUi-handle"
FAMILY = ".jp-OutputArea select"

CUT_OFF = """() => [...document.querySelectorAll(".jp-OutputArea .widget-label")]
    .filter(label => label.scrollWidth > label.clientWidth).map(label => label.innerText)"""

# Times, in the page's own clock, from a key press to the first frame that has the new picture.
STOPWATCH = """() => {
    window.pressed = 0; window.painted = [];
    document.addEventListener("keydown", event => { window.pressed = event.timeStamp; }, true);
    document.addEventListener("load", event => {
        if (event.target.matches?.(".jp-OutputArea img.widget-image"))
            requestAnimationFrame(() => window.painted.push(performance.now() - window.pressed));
    }, true);
}"""


@pytest.fixture
def designer(lab, notebook, page):
    """A notebook with nothing but the designer, run."""
    opened = notebook(lab.write("designer.ipynb", IMPORT, MAKE))
    opened.run_all()
    page.wait_for_function("s => document.querySelector(s)?.naturalWidth > 0", arg=PICTURE)
    return opened


def picture(page):
    """The bytes on the screen."""
    script = """async s => {
        const bytes = await (await fetch(document.querySelector(s).src)).arrayBuffer();
        return btoa(Array.from(new Uint8Array(bytes), b => String.fromCharCode(b)).join(""));
    }"""
    return base64.b64decode(page.evaluate(script, PICTURE))


def changes(page, act):
    """Do something; wait until the picture has another address and is loaded."""
    before = page.locator(PICTURE).get_attribute("src")
    act()
    page.wait_for_function(
        """([selector, old]) => {
            const img = document.querySelector(selector);
            return img.src !== old && img.complete;
        }""",
        arg=[PICTURE, before],
    )


def visible_handles(page):
    return [handle for handle in page.locator(HANDLES).all() if handle.is_visible()]


def test_every_control_is_reached_and_moved_by_keyboard(designer, page):
    first = picture(page)
    page.locator(FAMILY).focus()
    for handle in visible_handles(page):  # T, beta_1, beta_T
        page.keyboard.press("Tab")
        while not page.evaluate("document.activeElement.matches('.noUi-handle')"):
            page.keyboard.press("Tab")  # a slider's number is a stop on the way
        assert handle.evaluate("handle => handle === document.activeElement")
        for key, back in (("ArrowLeft", "ArrowRight"), ("PageDown", "PageUp")):
            changes(page, partial(page.keyboard.press, key))
            assert picture(page) != first
            changes(page, partial(page.keyboard.press, back))
    assert designer.complaints() == []


def test_family_is_changed_by_keyboard(designer, page, pictures):
    page.locator(FAMILY).focus()
    assert len(visible_handles(page)) == 3
    assert page.evaluate(CUT_OFF) == []
    page.keyboard.press("Space")  # Lab takes bare arrow keys for itself; an open list gets them
    page.keyboard.press("ArrowDown")
    changes(page, lambda: page.keyboard.press("Enter"))
    assert page.locator(FAMILY).input_value() == "cosine"
    labels = page.locator(".jp-OutputArea .widget-label:visible").all_inner_texts()
    assert any("offset" in label for label in labels)
    assert not any("beta_1" in label for label in labels)
    assert page.evaluate(CUT_OFF) == []
    assert picture(page) == explorers.schedule_designer(family="cosine").widget.first_picture
    page.screenshot(path=str(pictures / "designer_cosine.png"))

    changes(page, lambda: page.locator(FAMILY).select_option("su"))
    assert len(visible_handles(page)) == 1
    assert page.get_by_text("This family has nothing else to set.").is_visible()
    assert designer.complaints() == []


def test_slider_is_dragged_by_mouse(designer, page, pictures):
    page.screenshot(path=str(pictures / "designer.png"))
    handle = visible_handles(page)[2]
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    first = picture(page)

    def drag():
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(20):
            page.mouse.move(x - 2 * step, y)
            page.wait_for_timeout(16)
        page.mouse.up()

    changes(page, drag)
    assert picture(page) != first
    assert designer.complaints() == []


def test_impossible_settings_are_explained(designer, page, pictures):
    visible_handles(page)[2].focus()  # beta_T: at its end nothing is left long before T = 1000
    changes(page, lambda: page.keyboard.press("End"))
    page.get_by_text("No picture: No schedule has these settings").wait_for()
    page.screenshot(path=str(pictures / "designer_impossible.png"))
    changes(page, lambda: page.keyboard.press("Home"))
    page.get_by_text("No picture").wait_for(state="hidden")
    assert designer.complaints() == []


def test_how_fast_it_is(lab, notebook, page, capsys):
    """Measures and reports (aim: 50 ms on two idle cores); no number of milliseconds is a test."""
    opened = notebook(lab.write("designer_timed.ipynb", IMPORT, MAKE))
    page.evaluate(STOPWATCH)
    cells = page.locator(".jp-CodeCell")
    cells.nth(0).locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+Enter")  # the imports; and on to the next cell
    page.locator(".jp-InputPrompt", has_text="[1]:").wait_for()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("() => window.painted.length")
    first = page.evaluate("window.painted[0]")

    visible_handles(page)[2].focus()  # beta_T
    moves = []
    for number in range(34):
        seen = page.evaluate("window.painted.length")
        page.keyboard.press("ArrowLeft" if number % 17 < 9 else "ArrowRight")
        page.wait_for_function("seen => window.painted.length > seen", arg=seen, polling=10)
        moves.append(page.evaluate("window.painted.at(-1)"))
        page.wait_for_timeout(60)  # a reader looks before pressing again
    moves = moves[4:]  # the first ones warm up
    median, slow = statistics.median(moves), statistics.quantiles(moves, n=10)[-1]
    with capsys.disabled():
        print(
            f"\nschedule designer: first picture {first:.0f} ms after the cell starts; "
            f"key press to painted: median {median:.0f} ms, p90 {slow:.0f} ms, {len(moves)} moves"
        )
    assert len(moves) == 30
    assert opened.complaints() == []


def test_stored_notebook_shows_a_picture_without_kernel(lab, page):
    """As the course stores it: no widget view, but the first picture and its sentence."""
    bundle, metadata = explorers.schedule_designer()._repr_mimebundle_()
    bundle.pop("application/vnd.jupyter.widget-view+json")
    output = nbformat.v4.new_output("display_data", data=bundle, metadata=metadata)
    cell = nbformat.v4.new_code_cell(MAKE, outputs=[output])
    name = lab.write("designer_stored.ipynb", cell)
    page.goto(f"{lab.base}/lab/tree/{name}?reset&token={lab.token}")
    img = page.wait_for_selector(".jp-OutputArea .jp-RenderedImage img")
    page.wait_for_function("img => img.naturalWidth > 800", arg=img)
    assert page.locator(PICTURE).count() == 0  # no widget: nothing was run
