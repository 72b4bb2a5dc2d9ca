"""Diagrams that explain: each a function that returns a `Figure`, true for what it is given.

>>> from ddpm_lab.course import diagrams
>>> from ddpm_lab.networks import UNet, build
>>> type(diagrams.unet(build(UNet, seed=0))).__name__
'Figure'
"""

from ddpm_lab.course.diagrams.attention import attention_map, attention_weights
from ddpm_lab.course.diagrams.bound import bound_groupings
from ddpm_lab.course.diagrams.claim import claim_evidence, draw_evidence
from ddpm_lab.course.diagrams.flow import chain, encoder_decoder
from ddpm_lab.course.diagrams.heatmap import marginal_heatmap
from ddpm_lab.course.diagrams.posterior import tilted_posterior
from ddpm_lab.course.diagrams.unet import unet

__all__ = [
    "attention_map",
    "attention_weights",
    "bound_groupings",
    "chain",
    "claim_evidence",
    "draw_evidence",
    "encoder_decoder",
    "marginal_heatmap",
    "tilted_posterior",
    "unet",
]
