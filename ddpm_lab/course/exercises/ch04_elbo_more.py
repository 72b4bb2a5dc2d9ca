"""Exercises of chapter 04, the last ones: active latents, and the KL of two joint distributions."""

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal, one_of

# elbo.active_units: which latents of the best linear VAE are used --------------------------------


def _alive(spread, latents, var):
    """How many of the largest `latents` variances exceed the decoder's variance."""
    return int((_largest(spread, latents) > var).sum())


def _largest(spread, latents):
    return spread.sort(descending=True).values[:latents]


def _alive_cases():
    """Among them a tie, a variance just above var, and more latents than directions."""
    scale = round(near(1.0, 0.1), 2)
    many, few = [0.25, 4.0, 1.0, 0.6, 2.5], [0.6, 0.02, 0.3, 0.9]
    cases = [(many, 4, 0.8), (many, 2, 0.3), (many, 5, 2.0), (many, 3, 5.0), (many, 4, 1.0)]
    cases += [(few, 7, 0.2), (few, one_of(1, 2), 0.5), (few, 4, 0.85), (few, 3, 0.25)]
    for numbers, latents, var in cases:
        level, spread = scale * var, scale * torch.tensor(numbers, dtype=torch.float64)
        yield Case(f"latents = {latents}, var = {level:.4g}", (spread, latents, level))


def _lengths(spread, latents, var):
    return (_largest(spread, latents) - var).clamp(min=0)


def _costs(spread, latents, var):
    return 0.5 * (_largest(spread, latents) / var).clamp(min=1).log()


ACTIVE_UNITS = Exercise(
    reference=_alive,
    cases=_alive_cases,
    wrong={
        "there are at most `latents` of them, however many directions vary enough": (
            lambda spread, latents, var: int((spread > var).sum())
        ),
        "at most `latents` of them; and a direction that varies by exactly var is unused": (
            lambda spread, latents, var: int((spread >= var).sum())
        ),
        "the latents go to the directions that vary most; here they are not sorted": (
            lambda spread, latents, var: int((spread[:latents] > var).sum())
        ),
        "you sort upwards: the latents go to the directions that vary most": (
            lambda spread, latents, var: int((spread.sort().values[:latents] > var).sum())
        ),
        "a latent whose direction varies less than var collapses at the optimum": (
            lambda spread, latents, var: latents
        ),
        "a direction that varies by exactly var is unused: how long is its a_k in (4.12)?": (
            lambda spread, latents, var: int((_largest(spread, latents) >= var).sum())
        ),
        "you compare with the root of var; spread holds variances, so compare with the variance": (
            lambda spread, latents, var: _alive(spread, latents, var**0.5)
        ),
        "you compare with var squared; both are variances already": (
            lambda spread, latents, var: _alive(spread, latents, var**2)
        ),
        "the threshold is the decoder's variance, not the prior's": (
            lambda spread, latents, var: _alive(spread, latents, 1.0)
        ),
        "0.1 nats is a rule for trained networks; at the optimum, any a_k above 0 is active": (
            lambda spread, latents, var: int((_costs(spread, latents, var) > 0.1).sum())
        ),
        "the threshold is var itself, not twice var": (
            lambda spread, latents, var: _alive(spread, latents, 2 * var)
        ),
        "the threshold is var itself, not half of var": (
            lambda spread, latents, var: _alive(spread, latents, var / 2)
        ),
        "you compare shares of the total variance with var; compare the variances themselves": (
            lambda spread, latents, var: _alive(spread / spread.sum(), latents, var)
        ),
        "you compare with the mean of the variances; what does the decoder treat as noise?": (
            lambda spread, latents, var: _alive(spread, latents, spread.mean())
        ),
        "every direction counts here, up to `latents`; var decides which are worth a latent": (
            lambda spread, latents, var: _alive(spread, latents, 0.0)
        ),
        "these are the collapsed ones": (
            lambda spread, latents, var: latents - _alive(spread, latents, var)
        ),
        "these are the collapsed ones among the largest directions": (
            lambda spread, latents, var: int((_largest(spread, latents) < var).sum())
        ),
        "you count the directions that vary less than var: those are treated as noise": (
            lambda spread, latents, var: int((spread < var).sum())
        ),
        "you count up to `latents` of the directions that vary less than var: those are noise": (
            lambda spread, latents, var: min(latents, int((spread < var).sum()))
        ),
        "of the two numbers, the directions above var and `latents`, you take the larger": (
            lambda spread, latents, var: max(latents, int((spread > var).sum()))
        ),
        "this is the total length of all a_k; count those that are not 0": (
            lambda spread, latents, var: _lengths(spread, latents, var).sum()
        ),
        "this is the total KL in nats; count the latents that cost some": (
            lambda spread, latents, var: _costs(spread, latents, var).sum()
        ),
        "this is the total variance of the active directions; count them": (
            lambda spread, latents, var: _largest(spread, latents)[
                _largest(spread, latents) > var
            ].sum()
        ),
        "this is the place of the last active one, counted from 0; we want how many": (
            lambda spread, latents, var: max(_alive(spread, latents, var) - 1, 0)
        ),
        "one too few in every case; do you count from 0?": (
            lambda spread, latents, var: _alive(spread, latents, var) - 1
        ),
        "this is the whole part of the total length of all a_k; count those that are not 0": (
            lambda spread, latents, var: int(_lengths(spread, latents, var).sum())
        ),
        "this is the whole part of the total KL in nats; count the latents that cost some": (
            lambda spread, latents, var: int(_costs(spread, latents, var).sum())
        ),
        "one too many in every case": lambda spread, latents, var: _alive(spread, latents, var) + 1,
        "one short: of `latents` numbers you look at all but the last": (
            lambda spread, latents, var: _alive(spread, latents - 1, var)
        ),
        "there are as many directions as that; how many are worth a latent?": (
            lambda spread, latents, var: len(spread)
        ),
        "only whether any is active; count them": (
            lambda spread, latents, var: int(_alive(spread, latents, var) > 0)
        ),
        "this says which are active; count them": (
            lambda spread, latents, var: _largest(spread, latents) > var
        ),
        "this says which directions exceed var; count them, and mind `latents`": (
            lambda spread, latents, var: spread > var
        ),
        "these are the variances of the active directions; count them": (
            lambda spread, latents, var: _largest(spread, latents)[_largest(spread, latents) > var]
        ),
        "these are the squared lengths of (4.12); count those above 0": _lengths,
        "these are the KLs of (4.12); count those above 0": _costs,
    },
)


# elbo.joint_kl: from the joint distribution of encoder and data to the model's -------------------


def _joint_kl(data, encoder, joint):
    """sum over x, z of data(x) encoder(z | x) log(data(x) encoder(z | x) / joint(x, z))."""
    ours = data[:, None] * encoder
    return (ours * (ours / joint).log()).sum()


def _joint_kl_cases():
    rng = fresh(46)
    for M, K in ((3, 5), (4, 2), (2, 7)):
        data, encoder = normal(rng, M).softmax(0), normal(rng, M, K).softmax(1)
        joint = 0.9 * normal(rng, M, K).flatten().softmax(0).reshape(M, K)
        yield Case(f"{M} data, {K} causes", (data, encoder, joint))


def _wrong_joint_kl(formula):
    """From a formula in the data as a column, the encoder, the joint, and data times encoder."""

    def wrong(data, encoder, joint):
        column = data[:, None]
        return formula(column, encoder, joint, column * encoder)

    return wrong


def _kl_of(p, q):
    return (p * (p / q).log()).sum()


def _evidence(joint):
    return joint.sum(1, keepdim=True)


_WRONG_JOINT_KLS = {
    "this is minus the mean ELBO; inside the log the data's own probability is missing": (
        lambda data, encoder, joint, ours: (ours * (encoder / joint).log()).sum()
    ),
    "this is the mean ELBO, to be maximized; the KL has data * encoder in the log": (
        lambda data, encoder, joint, ours: (ours * (joint / encoder).log()).sum()
    ),
    "subtract the entropy of the data: if both joints were equal, 0 must be left": (
        lambda data, encoder, joint, ours: (ours * (encoder / joint / data).log()).sum()
    ),
    "the ELBO's sign is reversed; if it is large the two joints are close, and the KL is small": (
        lambda data, encoder, joint, ours: (ours * (joint * data / encoder).log()).sum()
    ),
    "the sign is reversed": lambda data, encoder, joint, ours: -_kl_of(ours, joint),
    "this is the KL in the other direction; the mean is taken over data and encoder": (
        lambda data, encoder, joint, ours: _kl_of(joint, ours)
    ),
    "the weight in your mean is joint; the mean is taken over data and encoder": (
        lambda data, encoder, joint, ours: (joint * (ours / joint).log()).sum()
    ),
    "weight each x by its probability in the data": (
        lambda data, encoder, joint, ours: (encoder * (ours / joint).log()).sum()
    ),
    "weight each z by its probability under the encoder": (
        lambda data, encoder, joint, ours: (data * (ours / joint).log()).sum()
    ),
    "the images are not weighted equally; weight each by its probability in the data": (
        lambda data, encoder, joint, ours: (encoder * (ours / joint).log()).sum(1).mean()
    ),
    "the images do not count alike: each counts with data, in the mean and inside the log": (
        lambda data, encoder, joint, ours: _kl_of(encoder, joint) / len(data)
    ),
    "the mean ELBO is a plain mean here; each image counts with its probability in the data": (
        lambda data, encoder, joint, ours: (
            _kl_of(encoder, joint) / len(data) + (data * data.log()).sum()
        )
    ),
    "the ELBOs are added without weights; each image counts with its probability in the data": (
        lambda data, encoder, joint, ours: _kl_of(encoder, joint) + (data * data.log()).sum()
    ),
    "the first joint begins with a sample of x: it is data[:, None] * encoder": (
        lambda data, encoder, joint, ours: _kl_of(encoder, joint)
    ),
    "a mean needs weights; here every pair (x, z) counts equally": (
        lambda data, encoder, joint, ours: (ours / joint).log().sum()
    ),
    "a mean needs weights: this is a plain mean over all pairs (x, z)": (
        lambda data, encoder, joint, ours: (ours / joint).log().mean()
    ),
    "you average the entries; they hold their weights already, so they are added": (
        lambda data, encoder, joint, ours: _kl_of(ours, joint) / ours.numel()
    ),
    "this is the mean gap of the bound; the joint KL adds that of the distributions of x": (
        lambda data, encoder, joint, ours: (ours * (encoder / joint * _evidence(joint)).log()).sum()
    ),
    "this is the gap of the bound, without the data: the joint KL compares joints of x and z": (
        lambda data, encoder, joint, ours: _kl_of(encoder, joint / _evidence(joint))
    ),
    "this compares the distributions of x only; the joint KL adds the mean gap of the bound": (
        lambda data, encoder, joint, ours: _kl_of(data, _evidence(joint))
    ),
    "this compares the distributions of the code only; keep x and z together": (
        lambda data, encoder, joint, ours: _kl_of(ours.sum(0), joint.sum(0))
    ),
    "you compare with p(z | x); the second joint is p(x, z), as given": (
        lambda data, encoder, joint, ours: _kl_of(ours, joint / _evidence(joint))
    ),
    "joint is p(x, z) as it is; do not normalize it": (
        lambda data, encoder, joint, ours: _kl_of(ours, joint / joint.sum())
    ),
    "only the data stand in the numerator; the first joint is data times encoder": (
        lambda data, encoder, joint, ours: (ours * (data / joint).log()).sum()
    ),
    "only log(data * encoder) is averaged: minus an entropy; where is the model's joint?": (
        lambda data, encoder, joint, ours: (ours * ours.log()).sum()
    ),
    "this is the cross-entropy of the two joints; subtract the entropy of the first": (
        lambda data, encoder, joint, ours: -(ours * joint.log()).sum()
    ),
    "log joint is added; in the log of a fraction that of the denominator is subtracted": (
        lambda data, encoder, joint, ours: (ours * (ours * joint).log()).sum()
    ),
    "the log of a fraction is a difference of logs, not a fraction of logs": (
        lambda data, encoder, joint, ours: (ours * ours.log() / joint.log()).sum()
    ),
    "these are bits; we want nats": (
        lambda data, encoder, joint, ours: (ours * (ours / joint).log2()).sum()
    ),
    "data and encoder are added; a joint is their product": (
        lambda data, encoder, joint, ours: _kl_of(data + encoder, joint)
    ),
    "the logarithm stands outside: first the log of each fraction, then the mean": (
        lambda data, encoder, joint, ours: (ours * (ours / joint)).sum().log()
    ),
    "the logarithm is missing": lambda data, encoder, joint, ours: (ours * (ours / joint)).sum(),
    "one number for each x; add them up": (
        lambda data, encoder, joint, ours: (ours * (ours / joint).log()).sum(1)
    ),
    "one number for each z; add them up": (
        lambda data, encoder, joint, ours: (ours * (ours / joint).log()).sum(0)
    ),
    "one number for each pair (x, z); add them up": (
        lambda data, encoder, joint, ours: ours * (ours / joint).log()
    ),
}

JOINT_KL = Exercise(
    reference=_joint_kl,
    cases=_joint_kl_cases,
    wrong={hint: _wrong_joint_kl(formula) for hint, formula in _WRONG_JOINT_KLS.items()},
)
