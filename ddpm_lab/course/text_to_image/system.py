"""The system as a whole: kept in one small file, and asked for images."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ddpm_lab import networks, predictions, samplers, schedules
from ddpm_lab.course.text_to_image.captions import tokens
from ddpm_lab.course.text_to_image.networks import CodeDenoiser
from ddpm_lab.gaussians import normal_like
from ddpm_lab.networks import VAE
from ddpm_lab.schedules import Schedule
from ddpm_lab.training import models, pretrained
from ddpm_lab.types import Data, Denoiser

LATENTS, WIDTH = 24, 256
"""Numbers in a code, and hidden units of the autoencoder."""
SCHEDULE = schedules.cosine()


class System(NamedTuple):
    """The trained parts, and what ties them together.

    >>> System._fields
    ('vae', 'net', 'mean', 'std', 'usual_ink')
    """

    vae: VAE
    """The autoencoder: (B, 1, 28, 28) <-> (B, LATENTS)"""
    net: CodeDenoiser
    """v of scaled codes, with the text encoder inside it"""
    mean: Tensor
    """(LATENTS,) mean of the training images' codes"""
    std: Tensor
    """(LATENTS,) their standard deviation: diffusion sees (code - mean) / std"""
    usual_ink: Tensor
    """(10,) median ink of each digit: less is thin, more is bold"""

    @property
    def schedule(self) -> Schedule:
        """The schedule of the diffusion on codes."""
        return SCHEDULE

    def denoiser(self, captions: Tensor | None = None, guidance_scale: float = 1.0) -> Denoiser:
        """(z_t, t) -> z0_hat, guided by tokens; None is the empty caption."""
        free = predictions.denoiser(SCHEDULE, self.net, "v")
        if captions is None or guidance_scale == 0:
            return free

        def hearing(z_t, t):
            return self.net(z_t, t, captions)

        asked = predictions.denoiser(SCHEDULE, hearing, "v")
        return asked if guidance_scale == 1 else predictions.guided(asked, free, guidance_scale)

    @torch.no_grad()
    def decode(self, z: Tensor) -> Data:
        """(B, LATENTS) scaled codes -> (B, 1, 28, 28) images in [-1, 1]."""
        return self.vae.decode(z * self.std + self.mean).clamp(-1, 1)


def new() -> System:
    """A system that has learned nothing yet.

    >>> new().net(torch.zeros(1, LATENTS), torch.ones(1, dtype=torch.int64)).abs().max().item()
    0.0
    """
    vae = networks.build(VAE, seed=0, shape=(1, 28, 28), latents=LATENTS, width=WIDTH, var=0.03)
    net = networks.build(CodeDenoiser, seed=0, latents=LATENTS)
    zeros = torch.zeros(LATENTS, dtype=torch.float32, device="cpu")
    return System(
        vae, net, zeros, zeros + 1, torch.full((10,), 0.1, dtype=torch.float32, device="cpu")
    )


def save(path: Path, system: System) -> None:
    """Write a system to one safetensors file, in 16 bits: half the size, and no visible change.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Path(folder, "system.safetensors"), new())
    ...     load(Path(folder, "system.safetensors")).std[:3]
    tensor([1., 1., 1.])
    """
    kept = {f"vae.{name}": value for name, value in system.vae.state_dict().items()}
    kept |= {f"net.{name}": value for name, value in system.net.state_dict().items()}
    kept |= {name: getattr(system, name) for name in ("mean", "std", "usual_ink")}
    save_file({name: value.half().contiguous() for name, value in kept.items()}, path)


def load(path: Path | None = None) -> System:
    """Read a system; by default the one that the course ships.

    >>> load().std.shape
    torch.Size([24])
    """
    found = load_file(pretrained.path("text_to_image") if path is None else path)
    system = new()
    for part in ("vae", "net"):
        weights = {k.partition(".")[2]: v.float() for k, v in found.items() if k.startswith(part)}
        getattr(system, part).load_state_dict(weights)
        getattr(system, part).eval().requires_grad_(False)
    return system._replace(**{k: found[k].float() for k in ("mean", "std", "usual_ink")})


@torch.no_grad()
def sample(
    system: System,
    captions: Sequence[str] | Tensor,
    *,
    guidance_scale: float = 1.0,
    steps: int = models.STEPS,
    generator: torch.Generator,
) -> Data:
    """Images for captions: encode the text, draw codes by diffusion, decode them.

    Parameters
    ----------
    captions : texts, or their (B, LENGTH) tokens; an empty text asks for nothing
    guidance_scale : 0 ignores the caption, 1 follows it, more exaggerates it
    steps : of DPM-Solver++(2M)

    Returns
    -------
    (B, 1, 28, 28) float in [-1, 1]

    >>> from ddpm_lab.gaussians import seeded
    >>> sample(load(), ["a bold 3", ""], steps=4, generator=seeded(0)).shape
    torch.Size([2, 1, 28, 28])
    """
    asked = captions if isinstance(captions, Tensor) else tokens(captions)
    z_T = torch.empty(len(asked), LATENTS, dtype=torch.float32, device="cpu")
    z_T = normal_like(z_T, generator=generator)
    denoise = system.denoiser(asked, guidance_scale)
    times = schedules.timesteps(SCHEDULE.T, steps)
    return system.decode(samplers.final(samplers.dpmpp_2m(SCHEDULE, denoise, z_T, times=times)))
