"""How good is a trained network, honestly? Every number with its error and its baseline.

    found = evaluation.evaluate(models.load("runs/digits"), generator=rng)

Held-out loss per t, the bound in bits per dimension, distances of samples to held-out images beside
those of real images to real ones, and a test for memorization. Chapter 14 explains each.
"""

import math
from functools import partial
from typing import Any

import torch
from torch import nn

from ddpm_lab import _checks, estimators, losses, metrics, networks
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.samplers import SamplerName
from ddpm_lab.training import models
from ddpm_lab.training.data import data_of, padded
from ddpm_lab.training.log import BINS
from ddpm_lab.training.models import Model


def evaluate(
    model: Model,
    *,
    data=None,
    n: int = 1000,
    strata: int = 50,
    steps: int | None = None,
    sampler: SamplerName = models.SAMPLER,
    guidance_scale: float = 1.0,
    judge: nn.Module | None = None,
    matched: bool = False,
    generator: torch.Generator,
) -> dict:
    """How good is a network? Numbers with their errors, and the real-versus-real baselines.

    A network that was trained with labels gets those of the held-out images. Its bits then include
    those that name the label, log2(classes) for each image: so they bound what the image alone
    costs, and can be compared with those of a network without labels. Its samples get labels drawn
    from the training data: with the held-out ones they would match them better than other real
    images do.

    Parameters
    ----------
    data : data of your own, see `datasets.load`; else those that the run's folder remembers, or
        those of the configuration
    n : int, held-out images to look at, and samples to make; fewer if there are fewer
    strata : int, strata of t for the bound: calls of the network for each image
    steps, sampler, guidance_scale : how samples are made, see `models.sample`
    judge : a `networks.Classifier` for the Fréchet distance; without one it is left out
    matched : bool, give the samples the labels of the held-out images all the same: then no
        distance comes from the two halves' different shares of each class

    Returns
    -------
    dict of plain values, ready for JSON. Each number is {"value", "stderr"}; of one image alone
    nobody knows the error, which is then None:

        loss_per_t          held-out loss of the kind that was trained, in `BINS` ranges of t
        bits_per_dim        the bound: prior, steps, decoder, label, total, bits per real pixel;
                            padding is counted as cost, but not as pixels
        steps_per_t         the same bits of the steps, range by range
        energy_distance, sliced_wasserstein, frechet
                            samples against held-out images, with "baseline": real against real;
                            left out for fewer than 4 held-out images, or 8 in all
        memorization_test   share of samples nearer to what was seen, 0.5 if nothing is memorized
        left_out            what could not be measured, and why

    Raises
    ------
    TypeError, ValueError, OSError
        If an argument is out of range or the data cannot be read.

    >>> from ddpm_lab.training import pretrained
    >>> found = evaluate(pretrained.load("digits"), n=50, strata=5, steps=2, generator=seeded(0))
    >>> found["energy_distance"]["value"] < 1, found["left_out"]
    (True, {'frechet': 'no judge was given'})
    """
    rng, config = _checks.generator(generator), models.known(model).config
    _checks.choice(matched, (False, True), "matched")
    train, held_out = data_of(model, data)
    n = min(_checks.count(n, "n", lowest=8, advice="Try 1000."), len(held_out))
    strata = _checks.count(strata, "strata", advice="Try 50.")
    steps = models.default_steps(model) if steps is None else steps
    rows = _drawn(len(held_out), n, rng)
    real = held_out.images[rows]
    _try_judge(judge, real[:1])
    x = _checks.items(padded(real, config), model.shape, "padded data", advice="Give the run's.")
    labels = _labels(model, held_out)[rows] if model.net.labels else None
    label = _wanted(n, labels, train, matched, rng)
    made = models.sample(
        model, n, label=label, steps=steps, sampler=sampler, guidance_scale=guidance_scale,
        generator=rng,
    )  # fmt: skip
    bits, by_t = _bits(model, x, labels, strata, held_out.levels, rng)
    return {
        "step": model.step,
        "images": n,
        "told": "nothing" if labels is None else "labels",
        "made": {"sampler": sampler, "steps": steps, "guidance_scale": guidance_scale},
        "loss_per_t": _losses(model, x, labels, rng),
        "bits_per_dim": bits,
        "steps_per_t": by_t,
        **_distances(made.cpu(), real, train.images, held_out.images, judge, rng),
    }


def _try_judge(judge, one):
    """Can it look at these images? Asked of one of them, before the long work is done."""
    if judge is None:
        return
    _checks.instance(
        judge, networks.Classifier, "judge", advice="Train one with judges.of_dataset."
    )
    try:
        _features(judge, [one])
    except (TypeError, ValueError) as error:
        advice = "Take one that was trained on such images."
        raise ValueError(f"judge must take images like the data; got: {error} {advice}") from error


def _labels(model, held_out):
    """Labels of the held-out images, which the network can have been told."""
    if held_out.labels is None:
        raise ValueError(
            "the data must have labels for a network that was trained with them; got none. "
            "Give the data of the run."
        )
    name, highest = "the labels of the held-out images", model.config.classes
    labels = held_out.labels
    return _checks.labels(labels, len(labels), highest, "cpu", name=name, none=False)


def _wanted(n, labels, train, matched, rng):
    """The labels that samples get."""
    drawn = torch.randint(len(train), (n,), generator=rng, device=rng.device).cpu()
    if labels is None or matched:
        return labels
    return train.labels[drawn]


def _drawn(most, n, rng):
    """n of `most` row numbers, in random order."""
    return torch.randperm(most, generator=rng, device=rng.device)[:n].cpu()


def _parts(model, x, labels):
    """Images and their labels, on the network's device, some at a time."""
    for rows in torch.arange(len(x), device="cpu").split(models.PART):
        part = None if labels is None else labels[rows].to(model.device)
        yield x[rows].to(model.device), part


@torch.no_grad()
def _losses(model, x, labels, rng):
    """The held-out loss in ranges of t: each image is looked at once in each range."""
    plan, found = model.schedule, []
    for span in torch.arange(1, plan.T + 1, device="cpu").tensor_split(min(BINS, plan.T)):
        values = []
        for x_0, label in _parts(model, x, labels):
            t = torch.randint(len(span), (len(x_0),), generator=rng, device=rng.device)
            eps, net = normal_like(x_0, generator=rng), partial(model.net, label=label)
            loss = losses.simple(plan, net, model.config.prediction_type, x_0, span[t.cpu()], eps)
            values.append(loss.cpu())
        found.append({"t": [int(span[0]), int(span[-1])], **_mean(torch.cat(values))})
    return found


def _bits(model, x, labels, strata, levels, rng):
    """The bound term by term, and its steps range by range, in bits per real pixel."""
    plan, found = model.schedule, []
    strata = min(strata, plan.T - 1) or None  # T = 1 has no steps
    for x_0, label in _parts(model, x, labels):
        denoise = models.denoiser(model, label)
        cost = losses.bound(plan, denoise, x_0, generator=rng, levels=levels, strata=strata)
        real = models.without_padding(x_0, model)
        found.append([_checks.float64(losses.bits_per_dim(nats, real)) for nats in cost])
    prior, steps, decoder = map(torch.cat, zip(*found))
    nats = math.log(model.config.classes) if labels is not None else 0.0
    named = losses.bits_per_dim(x.new_full((len(x),), nats), models.without_padding(x, model))
    rows = {"prior": prior, "steps": steps.sum(dim=1), "decoder": decoder, "label": named}
    rows["total"] = prior + rows["steps"] + decoder + named
    return {name: _mean(row) for name, row in rows.items()}, _by_range(plan, steps, strata)


def _by_range(plan, steps, strata):
    """The cost of the strata (N, strata), added up in at most `BINS` ranges of t."""
    spans, found = losses.strata(plan, strata), []
    for own in torch.arange(len(spans), device="cpu").tensor_split(min(BINS, len(spans)) or 1):
        if len(own):
            ends = [int(spans[own[0]][0]), int(spans[own[-1]][-1])]
            found.append({"t": ends, **_mean(steps[:, own].sum(dim=1))})
    return found


def _distances(made, held_out, train, every_held_out, judge, rng):
    """Samples against held-out images; and, for each metric, real images against real ones."""
    pool = torch.cat([train, every_held_out])
    pool = pool[_drawn(len(pool), 8 * len(made), rng)]
    sets = made, held_out, pool
    compared: dict[str, Any] = {"energy_distance": (metrics.energy_distance, sets)}
    compared["sliced_wasserstein"] = _sliced_wasserstein, sets
    left_out = {} if judge is not None else {"frechet": "no judge was given"}
    if judge is not None:
        compared["frechet"] = metrics.frechet, _features(judge, sets)
    if len(made) < 4 or len(pool) < 8:
        left_out |= dict.fromkeys(compared, "too few held-out images")
        compared = {}
    found = {name: _compared(metric, sets, rng) for name, (metric, sets) in compared.items()}
    nearer = metrics.memorization_test(made, train, every_held_out, generator=rng)
    found["memorization_test"] = {"value": nearer.value, "stderr": nearer.stderr}
    return found | {"left_out": left_out}


def _compared(metric, sets, rng) -> dict[str, Any]:
    """One metric with its error, and the same between disjoint sets of real images."""
    made, held_out, pool = sets
    value, size = metric(made, held_out), min(len(made), len(pool) // 2)
    baseline = metrics.real_baseline(metric, pool, size=size, generator=rng)
    baseline = {"median": baseline.median, "lowest": baseline.lowest, "highest": baseline.highest}
    return {"value": value.value, "stderr": value.stderr, "baseline": baseline}


def _sliced_wasserstein(a, b):
    """With the same directions each time."""
    return metrics.sliced_wasserstein(a, b, generator=seeded(0))


def _features(judge, sets):
    device = next(judge.parameters()).device
    return [metrics.features(judge, part.to(device)) for part in sets]


def _mean(values):
    if len(values) == 1:
        return {"value": float(values), "stderr": None}
    value, stderr = estimators.monte_carlo(_checks.float64(values))
    return {"value": float(value), "stderr": float(stderr)}
