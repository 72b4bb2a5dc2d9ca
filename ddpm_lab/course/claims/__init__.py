"""The ledger of claims: what is said about diffusion models, each settled by a computation.

Study notes, tutorials and talks repeat some hundred sentences about DDPM. Some are right, more are
right only under a condition that is left out, and some are wrong. Each one here is worded anew and
carries a verdict, the statement that holds, and a function that computes the evidence.

    >>> from ddpm_lab.course import claims
    >>> claims.LEDGER["E27"].verdict
    'loose'
    >>> claims.LEDGER["E27"].check().holds
    True

`_claim` says what a claim is; one file per theme holds the claims themselves. Chapter 18 plays with
them, and `ddpm-lab claims` runs every check.
"""

from ddpm_lab.course.claims import (
    bayes,
    bound,
    elbo,
    estimators,
    forward,
    posterior,
    practice,
    predictions,
    reverse,
    schedules,
)
from ddpm_lab.course.claims._claim import (
    Claim,
    Curve,
    Evidence,
    Number,
    Plot,
    Theme,
    Verdict,
    at_least,
    at_most,
    claim,
    near,
)

__all__ = [
    "LEDGER",
    "Claim",
    "Curve",
    "Evidence",
    "Number",
    "Plot",
    "Theme",
    "Verdict",
    "at_least",
    "at_most",
    "claim",
    "near",
]

_THEMES = (  # in the order of the chapters
    bayes,
    estimators,
    elbo,
    forward,
    schedules,
    posterior,
    bound,
    predictions,
    reverse,
    practice,
)

LEDGER: dict[str, Claim] = {
    one.id: one
    for one in sorted(
        (one for theme in _THEMES for one in theme.CLAIMS), key=lambda c: int(c.id[1:])
    )
}
"""Every claim by its number in the ledger, in order."""
