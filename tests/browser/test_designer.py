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
TRACKS = ".jp-OutputArea .noUi-target"
FAMILY = ".jp-OutputArea select"

CUT_OFF = """() => [...document.querySelectorAll(".jp-OutputArea .widget-label")]
    .filter(label => label.scrollWidth > label.clientWidth).map(label => label.innerText)"""

# In the page's own clock: a key is pressed, the first message leaves, a message with a picture
# comes in, and the first frame shows the picture. The script is there before JupyterLab is.
STOPWATCH = """(() => {
    const now = () => performance.now();
    window.times = {}; window.painted = [];
    document.addEventListener(
        "keydown", event => { window.times = {pressed: event.timeStamp}; }, true);
    document.addEventListener("load", event => {
        if (event.target.matches?.(".jp-OutputArea img")) requestAnimationFrame(
            () => window.painted.push({...window.times, painted: now()}));
    }, true);
    window.WebSocket = class extends WebSocket {
        constructor(...all) {
            super(...all);
            this.addEventListener("message", ({data}) => {
                if ((data.byteLength ?? data.length) > 4000) window.times.received = now();
            });
        }
        send(data) { window.times.sent ??= now(); super.send(data); }
    };
})()"""

IDLE = """() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"""

# What the kernel spends on a move.
TIMED = """import time
spent = []
def timed(run):
    def wrapped(*args, **settings):
        begun = time.perf_counter()
        try:
            return run(*args, **settings)
        finally:
            spent.append(1000 * (time.perf_counter() - begun))
    return wrapped
"""
OURS = """from ddpm_lab.course import explorers
from ddpm_lab.course.explorers._live import Live
Live.redraw = timed(Live.redraw)
"""
# The same picture as most notebooks would show it.
INTERACT = """%matplotlib inline
from IPython.display import display
from ipywidgets import FloatLogSlider, interact
from ddpm_lab.course import explorers
from ddpm_lab.course.explorers import noise_schedule
explorer = explorers.schedule_designer()
@timed
def show(beta_T):
    drawing = noise_schedule.drawing()
    drawing.update(**{n: c.default for n, c in explorer.declared.items()} | {"beta_T": beta_T})
    display(drawing.figure)
"""
SLIDER = "interact(show, beta_T=FloatLogSlider(0.02, min=-2.7, max=0, step=0.05));"


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
    """Measures and reports (aim: 50 ms on two idle cores, and a third of what `interact` takes);
    no number of milliseconds is a test.
    """
    page.add_init_script(STOPWATCH)
    ours = measured(lab, notebook, page, "designer_timed.ipynb", OURS, MAKE, handle=2)
    theirs = measured(lab, notebook, page, "interact_timed.ipynb", INTERACT, SLIDER, handle=0)
    with capsys.disabled():
        print("\nkey press to painted, medians of 30 moves in ms:")
        for name, parts in (("schedule designer", ours), ("interact, inline", theirs)):
            words = ", ".join(f"{part} {ms:.0f}" for part, ms in parts.items())
            print(f"{name:>18}: {words}")
        print(f"{'ratio':>18}: {ours['total'] / theirs['total']:.2f}")


def measured(lab, notebook, page, name, prepare, make, *, handle):
    """The medians of a move's parts in ms: total, 90th percentile, browser, kernel, messages."""
    opened = notebook(lab.write(name, TIMED + prepare, make, "print(*spent[-30:])"))
    cells = page.locator(".jp-CodeCell")
    cells.nth(0).locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+Enter")  # the imports; and on to the next cell
    page.locator(".jp-InputPrompt", has_text="[1]:").wait_for()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("() => window.painted.length")
    page.wait_for_function(IDLE)
    visible_handles(page)[handle].focus()  # beta_T
    moves = [one_move(page, "ArrowLeft" if n % 17 < 9 else "ArrowRight") for n in range(34)]
    moves = moves[4:]  # the first ones warm up
    cells.nth(2).locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+Enter")
    page.locator(".jp-InputPrompt", has_text="[3]:").wait_for()
    kernel = [float(ms) for ms in opened.outputs()[-1]["text"].split()]
    assert len(moves) == len(kernel) == 30
    assert opened.complaints() == []
    return in_parts(moves, kernel)


def one_move(page, key):
    """Times of a move, from the key press on; then waits until nothing more is drawn.

    The output of `interact` is drawn once more when the kernel repeats what the page told it.
    """
    seen = page.evaluate("window.painted.length")
    page.keyboard.press(key)
    page.wait_for_function("seen => window.painted.length > seen", arg=seen, polling=10)
    page.wait_for_function(IDLE, polling=10)
    move, drawn = page.evaluate("n => window.painted[n]", seen), 0
    while drawn != (drawn := page.evaluate("window.painted.length")):
        page.wait_for_timeout(300)
        page.wait_for_function(IDLE, polling=10)
    return move


def in_parts(moves, kernel):
    total = [move["painted"] - move["pressed"] for move in moves]
    away = [move["received"] - move["sent"] for move in moves]
    return {
        "total": statistics.median(total),
        "p90": statistics.quantiles(total, n=10)[-1],
        "browser": statistics.median(a - b for a, b in zip(total, away)),
        "kernel": statistics.median(kernel),
        "messages": statistics.median(a - b for a, b in zip(away, kernel)),
    }


def test_controls_have_names_and_say_their_values_with_units(designer, page):
    page.wait_for_selector("[aria-valuetext='1000 steps']")
    spoken = [
        (handle.get_attribute("aria-label"), handle.get_attribute("aria-valuetext"))
        for handle in visible_handles(page)
    ]
    assert spoken == [
        ("T (steps)", "1000 steps"),
        ("beta_1 (variance per step)", "0.0001 variance per step"),
        ("beta_T (variance per step)", "0.02 variance per step"),
    ]
    changes(page, lambda: visible_handles(page)[0].press("ArrowLeft"))
    page.wait_for_selector("[aria-valuetext='700 steps']")
    assert page.locator(PICTURE).get_attribute("alt")
    assert page.get_by_role("button", name="Reset").is_visible()


def test_a_number_is_typed_and_reset_goes_back(designer, page):
    first = picture(page)
    field = page.get_by_label("T (steps), typed")
    field.fill("37")
    changes(page, lambda: field.press("Enter"))
    assert picture(page) == explorers.schedule_designer(T=37).widget.first_picture
    changes(page, page.get_by_role("button", name="Reset").click)
    assert picture(page) == first
    assert designer.complaints() == []


@pytest.mark.parametrize("width", [1280, 1024, 700])
def test_tracks_are_as_wide_as_the_picture_or_half_of_it(designer, page, width, pictures):
    page.set_viewport_size({"width": width, "height": 1000})
    page.wait_for_timeout(500)
    page.screenshot(path=str(pictures / f"designer_{width}.png"))
    shown = page.locator(PICTURE).bounding_box()
    tracks = [track.bounding_box() for track in page.locator(TRACKS).all() if track.is_visible()]
    columns = 2 if width == 1280 else 1
    for track in tracks:
        assert track["y"] < shown["y"]
        assert 0.9 * shown["width"] / columns < track["width"] <= shown["width"] / columns
    assert len({track["x"] for track in tracks}) == columns


def test_time_is_played(lab, notebook, page):
    opened = notebook(lab.write("played.ipynb", IMPORT, "explorers.four_names()"))
    opened.run_all()
    page.wait_for_function("s => document.querySelector(s)?.naturalWidth > 0", arg=PICTURE)
    changes(page, page.get_by_role("button", name="play t (steps)").click)
    page.wait_for_function(
        "s => parseFloat(document.querySelector(s).getAttribute('aria-valuetext')) > 350",
        arg=HANDLES,
    )
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
