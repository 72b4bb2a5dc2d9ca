"""Which networks on which machines? All that is assumed has a name here, and says where from."""

from __future__ import annotations

from typing import NamedTuple

from ddpm_lab.training import pretrained, read_config

# One GPU: NVIDIA's data sheet of the H200 (SXM). Products in bfloat16 without sparsity.
PEAK = 989e12
"""FLOP/s"""
MEMORY = 141e9
"""bytes"""
POWER = 700.0
"""watts of the board, without the machine around it"""

UTILIZATION = 0.3
"""Share of PEAK that training reaches: assumed, about as in [DN21, Table 7]. `tools.gpu_run`
measures the course's own network on a GPU that somebody has."""

# What joins GPUs, bytes/s in each direction, for each GPU.
NVLINK = 450e9
"""in one machine: half of the data sheet's 900 GB/s, which counts both directions"""
NETWORK = 50e9
"""between machines such as a DGX H200: 400 Gb/s for each GPU"""
ETHERNET = 1.25e9
"""between two ordinary machines: 10 Gb/s"""

EVALUATIONS = 40
"""Calls of the network for a sample: 20 steps, the package's default, each with guidance."""

# The autoencoder of latent diffusion that turns 8 x 8 pixels into one position [Rom22], as in
# Stable Diffusion 1: FLOP for an image of 256 x 256. Counted from diffusers' AutoencoderKL.
ENCODER = 0.271e12
DECODER = 0.620e12


class Case(NamedTuple):
    """A network, and how it is trained."""

    name: str
    shape: tuple[int, int, int]
    """(C, H, W) of what it is shown"""
    settings: dict
    """of `networks.UNet`"""
    batch: dict[int, int]
    """GPUs -> images of an update"""
    images: float
    """of a whole training"""
    latent: bool = False

    @property
    def before(self) -> float:
        """FLOP before the first step: the encoder's, once for each image of the data."""
        return BEDROOMS * ENCODER if self.latent else 0.0

    @property
    def after(self) -> float:
        """FLOP after the last step of a sample: the decoder's."""
        return DECODER if self.latent else 0.0


def _ours() -> Case:
    """The network of `configs/mnist_gpu.json`."""
    config = read_config(pretrained.FOLDER.parent / "configs" / "mnist_gpu.json")
    batch = dict.fromkeys((1, 8, 64), config.batch)
    settings = {k: v for k, v in config.net.settings().items() if k != "channels"}
    return Case("28 × 28, the course's", (1, 28, 28), settings, batch, config.steps * config.batch)


OURS = _ours()

# ImageNet at 64 x 64 [ND21]: 1.5 million updates of 128 images; 2048 where there are many GPUs.
_64 = {"width": 128, "mults": (1, 2, 3, 4), "blocks": 3, "attention": (2, 3)}
_BATCH_64, _IMAGES_64 = {1: 128, 8: 128, 64: 2048}, 1_500_000 * 128
# LSUN bedrooms at 256 x 256 [Ho20; ND21]: 2.4 million updates of 64 images; 256 as in [DN21].
_256 = {"width": 128, "mults": (1, 1, 2, 2, 4, 4), "blocks": 2, "attention": (4,)}
_BATCH_256, _IMAGES_256 = {1: 64, 8: 64, 64: 256}, 2_400_000 * 64
_BATCH_SMALL = {1: 64, 8: 64, 64: 2048}
BEDROOMS = 3_033_042
"""Images of LSUN's bedrooms."""
# Latents of 32 x 32 [Rom22]: the settings of its ImageNet network at f = 8.
_LATENT = {"width": 256, "mults": (1, 2, 4), "blocks": 2, "attention": (0, 1, 2)}

NAIVE = (
    Case("64 × 64, the course's", (3, 64, 64), OURS.settings, _BATCH_64, _IMAGES_64),
    Case("256 × 256, the course's", (3, 256, 256), OURS.settings, _BATCH_256, _IMAGES_256),
)
"""The course's network, shown larger images."""
PLANNED = (
    Case("64 × 64", (3, 64, 64), _64, _BATCH_64, _IMAGES_64),
    Case("256 × 256, pixels", (3, 256, 256), _256, _BATCH_256, _IMAGES_256),
    Case("256 × 256, patches of 4", (3, 256, 256), _64 | {"patch": 4}, _BATCH_SMALL, _IMAGES_256),
    Case("256 × 256, latents", (4, 32, 32), _LATENT, _BATCH_SMALL, _IMAGES_256, latent=True),
)
"""Those that a larger training would use."""
GPUS = (1, 8, 64)
