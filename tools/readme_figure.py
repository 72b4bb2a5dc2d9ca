"""Draw the README's pictures with the course's own functions: python -m tools.readme_figure"""

import io
from pathlib import Path

import torch

from ddpm_lab import datasets, gaussians, ideal_denoisers, samplers, schedules
from ddpm_lab.course import explorers, figures
from ddpm_lab.training import models, pretrained
from tools.site.frames import drawn

ROOT = Path(__file__).resolve().parents[1]
WANTED = (200, 110, 70, 40, 20, 8, 0)


def film(denoise, shape, schedule, *, seed):
    """Snapshots of one walk from noise to data, as {title: x_t}."""
    rng = gaussians.seeded(seed)
    x_T = gaussians.normal_like(torch.empty(shape), generator=rng)
    frames = {schedule.T: x_T}
    for walk in samplers.ddpm(schedule, denoise, x_T, generator=rng):
        if walk.s in WANTED:
            frames[walk.s] = walk.x_s
    return {f"t = {t}": x_t for t, x_t in frames.items()}


def draw():
    """Two films, one above the other: eight clusters, and real digits. No network in either."""
    schedule = schedules.cosine(T=200)
    blobs = film(
        ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(8), schedule),
        (2000, 2),
        schedule,
        seed=0,
    )
    images, _ = datasets.digits("train")
    digits = film(
        ideal_denoisers.dataset_denoiser(images, schedule), (1, 1, 8, 8), schedule, seed=11
    )
    fig, axes = figures.new(2, len(blobs), width=8.4, height=2.75)
    for ax, (title, points) in zip(axes[0], blobs.items()):
        ax.scatter(*points.T, s=1.5, color=figures.BLUE, alpha=0.5, linewidths=0)
        ax.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), aspect="equal", title=title)
    for ax, image in zip(axes[1], digits.values()):
        ax.imshow(image[0, 0], cmap="gray", vmin=-1.5, vmax=1.5, interpolation="nearest")
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(True)
        ax.spines[:].set_color("#BBBBBB")
    return fig


STOPS = (0.003, 0.005, 0.008, 0.013, 0.02, 0.03, 0.05, 0.08, 0.13)
"""beta_T of the moving picture, there and back."""


def designer():
    """The schedule designer as its last step's variance grows, and back: pictures of one size."""
    explorer = explorers.schedule_designer()
    defaults = {name: control.default for name, control in explorer.declared.items()}
    states = [defaults | {"beta_T": value} for value in (*STOPS, *STOPS[-2:0:-1])]
    return [picture for picture, _ in drawn(*explorer.draw(), states, dpi=100)]


def samples():
    """Two digits of each class from the network `mnist` that comes with the course."""
    labels = torch.arange(10).repeat(2)
    x = models.sample(pretrained.load("mnist"), 20, label=labels, generator=gaussians.seeded(0))
    return figures.image_grid(x, columns=10)


def _store(name, data):
    path = ROOT / "docs" / name
    path.write_bytes(data)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    _store("walk.png", figures.png(draw()))
    _store("samples.png", samples())
    first, *others = [picture.quantize(64) for picture in designer()]
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=250, loop=0)
    _store("designer.gif", file.getvalue())
