"""What ipywidgets leaves out: a layout that fits the window, and names for screen readers.

A slider of ipywidgets has no accessible name, and is read out as the number of its stop: T = 1000,
the twelfth stop, as "11.0". Only the page can tell it better, so a script goes there with each
explorer.
"""

import ipywidgets as widgets

_STYLE = """<style>
.ddpm-explorer { max-width: 100%; overflow: hidden; }
.ddpm-controls .widget-inline-hbox, .ddpm-stops {
    flex-wrap: wrap; height: auto; width: auto; margin: 2px 4px 6px; align-items: center;
}
.ddpm-stops { position: relative; overflow: visible; }
.ddpm-stops > .widget-hslider { flex: 1 1 100%; margin: 0; }
.ddpm-stops > .widget-text { position: absolute; right: 0; top: 0; margin: 0; width: 84px; }
.ddpm-controls .widget-inline-hbox > .widget-label {
    order: 0; flex: 1 1 calc(100% - 100px); width: auto; max-width: calc(100% - 92px);
    text-align: left; height: 30px; line-height: 30px;
}
.ddpm-controls .widget-readout {
    order: 1; flex: 0 0 84px; margin: 0; height: 30px; line-height: 28px;
    border: 1px solid var(--jp-border-color1, #bdbdbd);
}
.ddpm-controls .slider-container { order: 2; flex: 1 1 100%; margin: 2px 9px 0; }
.ddpm-controls .widget-dropdown > select { order: 2; flex: 1 1 100%; }
.ddpm-stops > .widget-text > input { text-align: center; height: 30px; }
.ddpm-buttons { align-items: center; }
</style>"""

_SCRIPT = """
const set = (node, name, text) => {
    if (node && text && node.getAttribute(name) !== text) node.setAttribute(name, text);
};
const say = root => {
    for (const handle of root.querySelectorAll(".noUi-handle")) {
        const slider = handle.closest(".widget-hslider");
        const label = slider.querySelector(".widget-label").textContent;
        const field = slider.closest(".ddpm-stops")?.querySelector("input");
        const readout = slider.querySelector(".widget-readout");
        const unit = label.match(/\\((.*)\\)/)?.[1] ?? "";
        const value = field ? field.value : readout.textContent;
        set(handle, "aria-label", label);
        set(handle, "aria-valuetext", `${value} ${unit}`.trim());
        set(field ?? readout, "aria-label", label + ", typed");
        if (!field) set(readout, "role", "textbox");
    }
    for (const icon of root.querySelectorAll(".ddpm-buttons .widget-play i")) {
        const what = root.querySelector(".ddpm-buttons .widget-label").textContent;
        const act = icon.className.match(/fa-(play|pause|stop)/)?.[1];
        if (act) set(icon.closest("button"), "aria-label", act + what.replace("play", ""));
    }
    const image = root.querySelector("img.widget-image");
    if (image) set(image, "alt", image.title || "The picture; the sentence below describes it");
    set(root.querySelector(".ddpm-sentence"), "aria-live", "polite");
};
const start = tries => {
    const root = element.closest(".ddpm-explorer");
    if (!root) { if (tries) setTimeout(() => start(tries - 1), 100); return; }
    const changes = {subtree: true, childList: true, characterData: true, attributes: true,
                     attributeFilter: ["aria-valuetext", "class", "src"]};
    new MutationObserver(() => say(root)).observe(root, changes);
    say(root);
};
start(50);
"""


def style() -> widgets.Widget:
    """The style sheet of all explorers.

    >>> style().value[:7]
    '<style>'
    """
    return widgets.HTML(_STYLE, layout={"display": "none"})


def speaker() -> widgets.Widget:
    """Gives every control its name and its value with the unit, now and after each change.

    >>> list(speaker().outputs[0]["data"])
    ['application/javascript']
    """
    script = {"application/javascript": _SCRIPT}
    output = {"output_type": "display_data", "data": script, "metadata": {}}
    return widgets.Output(outputs=(output,), layout={"height": "0", "overflow": "hidden"})
