"""Exercises of chapter 02, third part: KL between two Gaussians."""

import math

import torch

from ddpm_lab import gaussians
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import slips
from ddpm_lab.course.exercises._inputs import fresh, near, normal
from ddpm_lab.gaussians import Gaussian


def _kl(ratio, one, log, distance):
    """Half the sum of four terms: each a function of (r = v_p / v_q, v_p, v_q, d = m_p - m_q)."""

    def formula(m_p, v_p, m_q, v_q):
        given = v_p / v_q, v_p, v_q, m_p - m_q
        return 0.5 * (ratio(*given) + one(*given) + log(*given) + distance(*given))

    return formula


def _package_kl(m_p, v_p, m_q, v_q):
    return gaussians.kl(Gaussian(m_p[:, None], v_p[:, None]), Gaussian(m_q[:, None], v_q[:, None]))


def _kl_cases():
    rng = fresh(6)
    for n in (3, 5, 1):
        m_p, m_q = normal(rng, 2, n)
        v_p, v_q = torch.rand(2, n, generator=rng, dtype=torch.float64) * 2 + 0.1
        if n == 5:  # one pair is equal, one p very sharp
            m_q[0], v_q[0], v_p[1] = m_p[0], v_p[0], near(0.001)
        label = f"{n} pair{'s' * (n != 1)} of distributions"
        yield Case(label, (m_p, v_p, m_q, v_q))


_RIGHT = (
    lambda r, p, q, d: r,
    lambda r, p, q, d: -1,
    lambda r, p, q, d: -r.log(),
    lambda r, p, q, d: d**2 / q,
)

_RATIOS = {
    "the ratio of the variances is upside down, though the log is right": lambda r, p, q, d: 1 / r,
    "the ratio of the variances is missing: it is the mean of (x - m_p)^2 over v_q": (
        lambda r, p, q, d: 0 * r
    ),
    "the ratio of the variances is squared; v_p and v_q are variances already": (
        lambda r, p, q, d: r**2
    ),
    "the ratio of the standard deviations stands where that of the variances belongs": (
        lambda r, p, q, d: r**0.5
    ),
    "v_p is not divided by v_q": lambda r, p, q, d: p,
    "the ratio of the variances has the wrong sign": lambda r, p, q, d: -r,
}

_ONES = {
    "for equal distributions yours gives 1/2; the -1 is missing": lambda r, p, q, d: 0,
    "for equal distributions yours gives 1, and a KL is 0 there: check the sign of the 1": (
        lambda r, p, q, d: 1
    ),
    "for equal distributions yours gives -1/2: the 1 is inside the factor 1/2, so it counts once": (
        lambda r, p, q, d: -2
    ),
}

_LOGS = {
    "the log comes with a minus; with a plus, a narrow p would get a negative KL": (
        lambda r, p, q, d: r.log()
    ),
    "the log of the ratio is missing": lambda r, p, q, d: 0 * r,
    "you take the log of standard deviations; inside the factor 1/2 belongs that of variances": (
        lambda r, p, q, d: -r.log() / 2
    ),
    "your log counts twice: the factor 1/2 applies to the log of the variances": (
        lambda r, p, q, d: -2 * r.log()
    ),
    "log2 counts in bits; the other terms are in nats: take the natural logarithm": (
        lambda r, p, q, d: -r.log2()
    ),
    "log10 is no natural logarithm": lambda r, p, q, d: -r.log10(),
    "log(a / b) is log a - log b; you add the two": lambda r, p, q, d: -(p.log() + q.log()),
    "the ratio itself stands where its log belongs": lambda r, p, q, d: -r,
    "the log of a ratio is no ratio of logs": lambda r, p, q, d: -p.log() / q.log(),
    "the log of v_q is missing: it is that of the ratio": lambda r, p, q, d: -p.log(),
    "the log of v_p is missing: it is that of the ratio": lambda r, p, q, d: q.log(),
}

_DISTANCES = {
    "the squared distance of the means is measured in q's variance, not in p's": (
        lambda r, p, q, d: d**2 / p
    ),
    "the distance of the means is not squared": lambda r, p, q, d: d / q,
    "the distance of the means is squared; you take its absolute value": lambda r, p, q, d: (
        d.abs() / q
    ),
    "the distance of the means is divided by v_q twice; v_q is a variance already": (
        lambda r, p, q, d: d**2 / q**2
    ),
    "the squared distance is divided by a standard deviation; we want the variance of q": (
        lambda r, p, q, d: d**2 / q**0.5
    ),
    "the squared distance of the means is not divided by anything; in which unit is it measured?": (
        lambda r, p, q, d: d**2
    ),
    "the squared distance is multiplied by v_q; a wide q should be penalized less": (
        lambda r, p, q, d: d**2 * q
    ),
    "the squared distance is divided by both variances; only q's variance belongs there": (
        lambda r, p, q, d: d**2 / (p + q)
    ),
    "the squared distance is divided by the product of both variances; one of them is enough": (
        lambda r, p, q, d: d**2 / (p * q)
    ),
    "the means are left out: two distributions of equal variance may still differ": (
        lambda r, p, q, d: 0 * d
    ),
    "the factor 1/2 applies to the squared distance of the means, too": lambda r, p, q, d: (
        2 * d**2 / q
    ),
    "the distance is divided by a standard deviation, and not squared": (
        lambda r, p, q, d: d / q**0.5
    ),
    "the squared distances are summed over all pairs; each pair has its own": (
        lambda r, p, q, d: (d**2).sum() / q
    ),
    "the squared distance is halved twice": lambda r, p, q, d: d**2 / (2 * q),
    "the squared distance has the wrong sign; a KL grows as the means move apart": (
        lambda r, p, q, d: -(d**2) / q
    ),
}


def _cross_entropy(m_p, v_p, m_q, v_q):
    return 0.5 * ((2 * math.pi * v_q).log() + (v_p + (m_p - m_q) ** 2) / v_q)


KL = Exercise(
    reference=_package_kl,
    cases=_kl_cases,
    wrong={
        **slips(_kl, _RIGHT, _RATIOS, _ONES, _LOGS, _DISTANCES),
        "the ratios are upside down, though the log is right: whose variance do you divide by?": (
            _kl(lambda r, p, q, d: 1 / r, *_RIGHT[1:3], lambda r, p, q, d: d**2 / p)
        ),
        "this is KL(q || p), the other direction": (
            lambda m_p, v_p, m_q, v_q: _package_kl(m_q, v_q, m_p, v_p)
        ),
        "this is the sum of both directions; we want KL(p || q) only": (
            lambda m_p, v_p, m_q, v_q: (
                _package_kl(m_p, v_p, m_q, v_q) + _package_kl(m_q, v_q, m_p, v_p)
            )
        ),
        "this is the mean of both directions; we want KL(p || q) only": (
            lambda m_p, v_p, m_q, v_q: (
                0.5 * (_package_kl(m_p, v_p, m_q, v_q) + _package_kl(m_q, v_q, m_p, v_p))
            )
        ),
        "the factor 1/2 is missing: it applies to all terms": (
            lambda m_p, v_p, m_q, v_q: 2 * _package_kl(m_p, v_p, m_q, v_q)
        ),
        "the factor 1/2 applies to all terms; yours applies to the first one only": _kl(
            _RIGHT[0], *(lambda *given, f=f: 2 * f(*given) for f in _RIGHT[1:])
        ),
        "the factor 1/2 applies to all terms; yours applies only to the last one": _kl(
            *(lambda *given, f=f: 2 * f(*given) for f in _RIGHT[:3]), distance=_RIGHT[3]
        ),
        "the factor 1/2 applies to all terms; yours applies only to the log": _kl(
            *(lambda *given, f=f: 2 * f(*given) for f in _RIGHT[:2]),
            log=_RIGHT[2],
            distance=lambda r, p, q, d: 2 * d**2 / q,
        ),
        "the factor 1/2 is missing in the ratio and the means; the log has it": _kl(
            lambda r, p, q, d: 2 * r, *_RIGHT[1:3], lambda r, p, q, d: 2 * d**2 / q
        ),
        "the log is right, but in the ratios the variances are squared": _kl(
            lambda r, p, q, d: r**2, *_RIGHT[1:3], lambda r, p, q, d: d**2 / q**2
        ),
        "only the means are left: right if both variances are equal, and they may differ": _kl(
            *[lambda r, p, q, d: 0 * r] * 3, distance=_RIGHT[3]
        ),
        "x varies under p; you evaluate (2.18) only at the mean of p": _kl(
            *[lambda r, p, q, d: 0 * r] * 2, log=_RIGHT[2], distance=_RIGHT[3]
        ),
        "v_p and v_q are variances; yours treats them as standard deviations": (
            lambda m_p, v_p, m_q, v_q: _package_kl(m_p, v_p**2, m_q, v_q**2)
        ),
        "v_p and v_q are variances; you take roots of them before they go in": (
            lambda m_p, v_p, m_q, v_q: _package_kl(m_p, v_p**0.5, m_q, v_q**0.5)
        ),
        "this is the cross-entropy; a KL subtracts the entropy of p": _cross_entropy,
        "the mixed term: (m_p - m_q)^2 is not m_p^2 - m_q^2": lambda m_p, v_p, m_q, v_q: (
            0.5 * (v_p / v_q - 1 - (v_p / v_q).log() + (m_p**2 - m_q**2) / v_q)
        ),
        "the means are added; what counts is their difference": lambda m_p, v_p, m_q, v_q: (
            _package_kl(m_p, v_p, -m_q, v_q)
        ),
        "this is the sum over all pairs; return one number for each pair": (
            lambda m_p, v_p, m_q, v_q: _package_kl(m_p, v_p, m_q, v_q).sum()
        ),
        "this is the mean over all pairs; return one number for each pair": (
            lambda m_p, v_p, m_q, v_q: _package_kl(m_p, v_p, m_q, v_q).mean()
        ),
        "this is in bits; we want nats: the natural logarithm, and no division by log 2": (
            lambda m_p, v_p, m_q, v_q: _package_kl(m_p, v_p, m_q, v_q) / math.log(2)
        ),
    },
)
