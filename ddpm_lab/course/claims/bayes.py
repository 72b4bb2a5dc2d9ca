"""Claims about Bayes' rule, coins, and what can be done to Gaussians."""

import torch

from ddpm_lab import bayes
from ddpm_lab.course.claims._claim import Claim, Curve, Evidence, Plot, claim, near


@claim(
    "E27",
    "bayes",
    said="Seven heads in ten tosses, every bias equally likely before: the evidence is about 0.1.",
    verdict="loose",
    correct="It is exactly 1/11 = 0.0909. With 0.1 the posterior would integrate to 0.909 instead "
    "of 1. Under a flat prior every number of heads has the same evidence, 1/11.",
    taught="01 · 2 · A belief about a number",
    source="001",
)
def _evidence_of_ten_tosses() -> Evidence:
    grid = torch.linspace(0, 1, 10_001, dtype=torch.float64)
    flat = torch.ones_like(grid)
    every = [float(bayes.coin_evidence(heads, 10, flat, grid)) for heads in range(11)]
    numbers = [
        near("evidence of 7 heads in 10", every[7], 1 / 11, 1e-6),
        near("integral of likelihood / 0.1", every[7] / 0.1, 0.9091, 1e-4),
        near(
            "largest distance from 1/11, any number of heads",
            max(abs(e - 1 / 11) for e in every),
            0.0,
            1e-6,
        ),
    ]
    return Evidence(
        numbers,
        Plot(
            "heads in ten tosses", "evidence", [Curve("flat prior", range(11), every, line=False)]
        ),
    )


CLAIMS: tuple[Claim, ...] = (_evidence_of_ten_tosses,)
"""In the order of the ledger."""
