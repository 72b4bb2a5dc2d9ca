"""How strongly should the network listen to the label? Classifier-free guidance (chapter 15)."""

from functools import cache
from typing import Any

import torch

from ddpm_lab import gaussians, predictions, samplers, schedules, training
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Stops
from ddpm_lab.course.explorers._drawing import Drawing, ready
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, RED
from ddpm_lab.training import pretrained

SCALES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
STEPS = (2, 3, 4, 5, 6)
IMAGES = 6

QUESTION = "How strongly should the network listen to the label?"

CONTROLS = {
    "label": Count("label (digit)", 3, "What is asked for", 0, 9),
    "guidance_scale": Stops(
        "guidance scale w", 1.0, "0 ignores the label, 1 follows it, more exaggerates it", SCALES
    ),
    "steps": Stops("steps", 6, "The number of steps from noise to data", STEPS, highest=20),
    "seed": Count("seed", 0, "Decides the noise that the six images start from", 0, 20),
}


def guidance_dial(**state: Any) -> Explorer:
    """How strongly should the network listen? A label, a guidance scale, steps and a seed; two
    views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> guidance_dial()
    How strongly should the network listen? Asked for 3 with w = 1, 6 steps (6 calls), seed 0: ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: six images of the digits network for this label, made with `dpmpp_2m` from noise
    that the seed alone decides. Right: what the classifier reads in them, digit by digit.

    >>> drawing().update(label=3, guidance_scale=1.0, steps=5, seed=0)[:45]
    'How strongly should the network listen? Asked'
    """
    figure, made, read = _axes()
    page = made.imshow(_blank(0.0).numpy(), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    above = {"ha": "center", "va": "bottom", "fontsize": 10}
    names = [made.text(column + 3.5, row - 0.9, "", **above) for row, column in _CORNERS]
    (asked,) = read.plot([], [], "v", color=RED, label="asked for")
    bars = read.bar(range(10), [0.0] * 10, color=BLUE, label="read")
    read.set_yticks([0, 0.25, 0.5, 0.75, 1])
    read.legend(loc="upper center", fontsize=9, ncols=2)

    def update(label, guidance_scale, steps, seed):
        w = guidance_scale
        x, probability = _images(label, w, steps, seed)
        page.set_data(_page(x).numpy())
        read_as = probability.argmax(dim=1)
        for word, name in zip(names, read_as.tolist()):
            word.set_text(str(name) if name == label else f"{name}, not {label}")
        for bar, height in zip(bars, probability.mean(dim=0).tolist()):
            bar.set_height(height)
        asked.set_data([label], [1.04])
        calls = steps * (1 if w in (0.0, 1.0) else 2)
        asked_for = f"{label} with w = {w:g}, {steps} steps ({calls} calls), seed {seed}"
        right = int((read_as == label).sum())
        return _sentence(asked_for, f"{right} of {IMAGES} are read as {label}", x)

    return ready(figure, QUESTION, [page, *names, *bars, asked], update)


def _axes():
    figure, (made, read) = figures.new(1, 2, width=8.4, height=3.7)
    made.set(title="Six images, and what they are read as")
    made.set_axis_off()
    read.set(xlim=(-0.6, 9.6), ylim=(0, 1.3), xlabel="digit", ylabel="mean probability, no unit")
    read.set(title="What the classifier reads", xticks=range(10))
    return figure, made, read


_PAGE = (2 * 12 + 1, 3 * 10 + 2)  # six images of 8 x 8 pixels, with room for their names
_CORNERS = [(4 + 12 * row, 2 + 10 * column) for row in range(2) for column in range(3)]


def _blank(value):
    return torch.full(_PAGE, value, dtype=torch.float32, device="cpu")


def _page(x):
    """All images on one page."""
    page = _blank(1.0)
    for image, (row, column) in zip(x, _CORNERS):
        page[row : row + 8, column : column + 8] = image[0]
    return page


def _sentence(asked_for, read_as, x):
    return (
        f"How strongly should the network listen? Asked for {asked_for}: {read_as}; "
        f"they are {torch.pdist(x.flatten(1).double()).mean():.1f} apart on average; "
        f"{(x.abs() > 0.99).double().mean():.0%} of their pixels are black or white."
    )


@cache
def _pretrained():
    """(network, classifier) for 8 x 8 digits that come with the course."""
    classifier, _ = training.load(pretrained.path("features_digits"))
    return pretrained.load("digits"), classifier


@cache
def _images(label, w, steps, seed):
    """((6, 1, 8, 8) images, (6, 10) probabilities of each digit according to the classifier)."""
    model, classifier = _pretrained()
    rng = gaussians.seeded(seed)
    x_T = torch.randn(IMAGES, *model.shape, generator=rng, dtype=torch.float32, device="cpu")
    times = schedules.timesteps(model.schedule.T, steps)
    with torch.inference_mode():
        denoise = _denoiser(model, label, w)
        x = samplers.final(samplers.dpmpp_2m(model.schedule, denoise, x_T, times=times))
        return x, classifier(x).softmax(dim=1)


def _denoiser(model, label, w):
    """The guided denoiser, which asks the network once for what `models.denoiser` asks twice: with
    the label and without it (the null label), as one batch.
    """
    weights = {label: w, model.net.labels: 1 - w}
    asked = torch.tensor(
        [each for each, weight in weights.items() if weight], dtype=torch.int64, device="cpu"
    )

    def denoise(x_t, t):
        n = len(asked)
        labels = asked.repeat_interleave(len(x_t))
        v = model.net(x_t.repeat(n, 1, 1, 1), t.repeat(n), labels).unflatten(0, (n, -1))
        v: Any = sum(weights[each] * part for each, part in zip(asked.tolist(), v))
        return predictions.convert(model.schedule, v, "v", x_t, t).x0.clamp(-1, 1)

    return denoise
