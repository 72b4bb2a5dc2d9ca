"""Draw the README's picture with the course's own functions: python tools/readme_figure.py"""

from pathlib import Path

import torch

from ddpm_lab import datasets, gaussians, ideal_denoisers, samplers, schedules
from ddpm_lab.course import figures

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
    """Two films, one above the other: eight blobs, and real digits. No network in either."""
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


if __name__ == "__main__":
    path = ROOT / "docs" / "walk.png"
    path.write_bytes(figures.png(draw()))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB")
