"""A classifier whose features serve to compare images: its training and its use."""

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from ddpm_lab import _checks
from ddpm_lab.estimators import Estimate
from ddpm_lab.gaussians.checks import check_variance
from ddpm_lab.metrics._samples import samples
from ddpm_lab.networks import Classifier
from ddpm_lab.networks.checks import check_batch, check_finite
from ddpm_lab.types import Data


def train_classifier(
    net: nn.Module,
    batches: Iterable[tuple[Data, Tensor]],
    *,
    steps: int,
    lr: float = 3e-3,
) -> Iterator[float]:
    """Train a classifier, one visible step at a time.

    Each step: one Adam step on the cross-entropy of a batch, with a learning rate that falls to 0
    along half a cosine. All randomness lies in the batches.

    Parameters
    ----------
    net : a `networks.Classifier`, or another module from images to logits; changed in place
    batches : iterator of pairs (x, labels), such as `datasets.batches(x, size, labels=labels, …)`
    steps : int, number of updates
    lr : float, the largest learning rate

    Yields
    ------
    float, nats: the mean cross-entropy of the batch, after the update that it led to

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the batches run out, or the loss is no longer finite.

    >>> from ddpm_lab import datasets, gaussians, networks
    >>> x, labels = datasets.digits("train")
    >>> data = datasets.batches(x, 64, labels=labels, generator=gaussians.seeded(0))
    >>> net = networks.build(networks.Classifier, seed=0, width=16)
    >>> seen = list(train_classifier(net, data, steps=60))
    >>> seen[-1] < 1.0 < seen[0]                            # guessing costs log 10 = 2.3 nats
    True
    """
    _checks.instance(net, nn.Module, "net", advice="See networks.Classifier.")
    steps = _checks.count(steps, "steps", advice="One step is one update.")
    lr = _checks.between(lr, 0, math.inf, "lr", open_ends=True, advice="Start with 3e-3.")
    return _train_classifier(net, _checks.iterator(batches, "batches"), steps, lr)


def _train_classifier(net, batches, steps, lr):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    net.train()
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = lr * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        x, labels = _labeled(next(batches, None), step)
        logits = net(x)
        labels = _checks.labels(
            labels, len(x), logits.shape[1], x.device, name="labels", none=False
        )
        loss = nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(net.parameters(), math.inf)  # measured, not shortened
        found, _ = check_finite(loss, norm, step)
        optimizer.step()
        yield found
    net.eval()


def _labeled(pair, step):
    """The next (x, labels) of a classifier's training run; None means that they ran out."""
    x, label = check_batch(pair, step)
    if label is None:
        raise TypeError(
            f"batches must hold pairs (x, labels); got {_checks.say(pair)}. "
            "Give datasets.batches its `labels`."
        )
    return x, label


@torch.no_grad()
def standardize(net: Classifier, x: Data) -> None:
    """Choose the units of a classifier's features: mean 0 and variance 1 on the given images.

    The logits stay the same, as the last layer undoes the change. Without this, longer training
    makes larger features, and the Fréchet distance grows with them.

    Parameters
    ----------
    net : a `networks.Classifier`; its last two layers are changed in place
    x : (N, C, H, W) float in [-1, 1], N >= 2: the data it was trained on

    Raises
    ------
    TypeError, ValueError
        Unless x is a float tensor with a batch axis, and every feature varies on it.

    >>> from ddpm_lab import datasets, networks
    >>> x, _ = datasets.digits("train")
    >>> net = networks.build(networks.Classifier, seed=0)
    >>> standardize(net, x)
    >>> seen = features(net, x)
    >>> seen.mean(dim=0).abs().max() < 1e-4, (seen.var(dim=0) - 1).abs().max() < 1e-3
    (tensor(True), tensor(True))
    """
    for layer in ("feature_layer", "head"):
        _part(net, layer)
    seen = features(net, x)
    mean, var = (
        seen.mean(dim=0),
        check_variance(seen.var(dim=0), "the features' var", zero=False),
    )
    mean, std = mean.to(net.feature_layer.bias), var.sqrt().to(net.feature_layer.bias)
    net.head.bias.add_(net.head.weight @ mean)
    net.head.weight.mul_(std)
    net.feature_layer.bias.sub_(mean).div_(std)
    net.feature_layer.weight.div_(std[:, None])


def features(net: nn.Module, x: Data, *, size: int = 512) -> Tensor:
    """The features of images in a classifier: numbers in which similarity can be measured.

    Parameters
    ----------
    net : a `networks.Classifier`, or another module with a method `features`
    x : (N, C, H, W) float in [-1, 1], on the network's device
    size : int, images at a time

    Returns
    -------
    (N, F) float64 on the CPU, in the network's own units (see `standardize`)

    Raises
    ------
    TypeError, ValueError
        Unless x is a float tensor with a batch axis, and size >= 1.

    >>> from ddpm_lab import networks
    >>> net = networks.build(networks.Classifier, seed=0, features=32)
    >>> features(net, torch.zeros(3, 1, 8, 8)).shape
    torch.Size([3, 32])
    """
    return _checks.float64(_in_parts(_part(net, "features"), x, size))


def _part(net, name):
    """A layer, or a method, that not every network has."""
    advice = "Take a networks.Classifier."
    return _checks.function(getattr(net, name, None), f"net.{name}", advice=advice)


def accuracy(net: nn.Module, x: Data, labels: Tensor, *, size: int = 512) -> Estimate:
    """The accuracy of a classifier: the fraction of images that it classifies correctly.

    Parameters
    ----------
    net : a `networks.Classifier`, or another module from images to logits
    x : (N, C, H, W) float in [-1, 1], on the network's device
    labels : (N,) int64, on any device
    size : int, images at a time

    Returns
    -------
    Estimate, a fraction; standard error sqrt(value (1 - value) / N)

    Raises
    ------
    TypeError, ValueError
        Unless x is a float tensor with a batch axis, with one label for each item, and size >= 1.

    >>> from ddpm_lab import networks
    >>> net = networks.build(networks.Classifier, seed=0)
    >>> blank = torch.zeros(4, 1, 8, 8)
    >>> predicted = int(net(blank)[0].argmax())
    >>> accuracy(net, blank, torch.full((4,), predicted)).value
    1.0
    """
    _checks.function(net, "net")
    samples(x=x)
    logits = _in_parts(net, x, size)
    labels = _checks.labels(labels, len(x), logits.shape[1], x.device, name="labels", none=False)
    value = int((logits.argmax(dim=1) == labels).sum()) / len(x)
    return Estimate(value, math.sqrt(value * (1 - value) / len(x)))


@torch.no_grad()
def _in_parts(function, x, size):
    _checks.data(x)
    size = _checks.count(size, "size", advice="Try 512.")
    return torch.cat([function(part) for part in x.split(size)])
