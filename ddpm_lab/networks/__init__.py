"""What to use when the best denoiser cannot be written down?

A network of the form net(x_t, t) -> output, to be fitted by `training.train`. It knows nothing of
diffusion: what its output *means* is decided outside, by `predictions.denoiser`. It must be given
t, because one network serves all noise levels; `time_embedding` turns the number t into features
that a linear layer can use. Chapter 11 opens the `MLP`, chapter 12 the `UNet`; the `VAE` belongs
to chapter 04, the `Classifier` to the metrics of chapter 14.

One network a file, and their parts beside them: `embeddings`, `blocks`, `pixel_head`.
"""

from ddpm_lab.networks.building import build
from ddpm_lab.networks.classifier import Classifier
from ddpm_lab.networks.embeddings import time_embedding
from ddpm_lab.networks.mlp import MLP
from ddpm_lab.networks.unet import UNet, side_factor
from ddpm_lab.networks.vae import VAE

__all__ = ["MLP", "VAE", "Classifier", "UNet", "build", "side_factor", "time_embedding"]
