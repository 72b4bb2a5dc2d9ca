"""Text to image in three small parts (chapter 17b): text encoder, denoiser of codes, decoder.

The parts are trained one after the other by `tools/text_to_image.py`: first a variational
autoencoder on MNIST's digits, shifted to five places; then, on its codes, a denoiser that reads
captions. `load` gives the system that the course ships.
"""

from ddpm_lab.course.text_to_image.captions import (
    DIGITS,
    LENGTH,
    PLACES,
    STROKES,
    UNSAID,
    VOCABULARY,
    Facts,
    caption,
    random_captions,
    tokens,
)
from ddpm_lab.course.text_to_image.measuring import (
    agrees,
    centered,
    ink,
    ink_center,
    measured,
    placed,
    shifted,
)
from ddpm_lab.course.text_to_image.networks import CodeDenoiser, TextEncoder
from ddpm_lab.course.text_to_image.system import System, load, sample, save

__all__ = [
    "DIGITS",
    "LENGTH",
    "PLACES",
    "STROKES",
    "UNSAID",
    "VOCABULARY",
    "CodeDenoiser",
    "Facts",
    "System",
    "TextEncoder",
    "agrees",
    "caption",
    "centered",
    "ink",
    "ink_center",
    "load",
    "measured",
    "placed",
    "random_captions",
    "sample",
    "save",
    "shifted",
    "tokens",
]
