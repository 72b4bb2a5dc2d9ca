"""Who says how good samples of your own data are? A classifier of them: a judge.

The Fréchet distance compares features of images, and the features come from a small classifier that
was trained on real images alone. Those of the course's data sets ship with it; `fitted` makes one
for any data with labels, and the command `judge` keeps it beside a run, where `evaluate` finds it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from ddpm_lab import _checks, datasets, metrics, networks
from ddpm_lab.datasets import Dataset
from ddpm_lab.gaussians import seeded
from ddpm_lab.types import Data

Labeled = tuple[Data, Tensor]
"""Images and their labels."""
_AS_THEY_ARE = {"accuracy": lambda x: x}


def fitted(
    train: Labeled,
    test: Labeled,
    *,
    seed: int = 0,
    size: int = 128,
    steps: int = 1000,
    lr: float = 3e-3,
    views: Mapping[str, Callable[[Data], Data]] = _AS_THEY_ARE,
    **config,
) -> tuple[networks.Classifier, dict]:
    """A classifier with features of unit variance, and the facts about it.

    Parameters
    ----------
    train, test : images and labels to learn from, and to be judged by
    seed : int, fixes everything that is drawn
    size : int, images in a batch
    steps, lr : see `metrics.train_classifier`
    views : ways to show an image, {fact: function}. Batches are shown in each of them in turn, and
        the accuracy in each of them is a fact. The features are standardized on the first.
    config : what `networks.Classifier` takes

    Returns
    -------
    (Classifier, facts)

    >>> from ddpm_lab import datasets
    >>> both = datasets.digits("train"), datasets.digits("test")
    >>> _, facts = fitted(*both, steps=60, width=16)
    >>> facts["accuracy"] > 0.6
    True
    """
    _check_pairs(train=train, test=test)
    _check_views(views)
    steps = _checks.count(steps, "steps", highest=_checks.MANY, advice="1000 are usual.")
    (x, labels), begin, show = train, time.perf_counter(), list(views.values())
    batches = datasets.batches(x, size, labels=labels, generator=seeded(seed))
    shown = ((show[k % len(show)](x), marks) for k, (x, marks) in enumerate(batches))
    net = networks.build(networks.Classifier, seed=seed, **config)
    for _loss in metrics.train_classifier(net, shown, steps=steps, lr=lr):
        pass
    metrics.standardize(net, show[0](x))
    seconds = round(time.perf_counter() - begin, 1)
    facts = {"seed": seed, "steps": steps, "batch": size, "lr": lr}
    for fact, view in views.items():
        facts[fact] = round(float(metrics.accuracy(net, view(test[0]), test[1]).value), 4)
    return net, {**facts, "seconds": seconds, "device": "cpu"}


def _check_views(views):
    """Functions by name, one at least: on the first the features are standardized."""
    if not isinstance(views, Mapping) or not views:
        raise TypeError(
            f"views must be one function or more by name; got {_checks.say(views)}. "
            "Leave it out to show images as they are."
        )
    for name, view in views.items():
        _checks.function(view, f"views[{name!r}]")


def _check_pairs(**pairs):
    """Images and a tensor of labels, each."""
    for name, each in pairs.items():
        if not isinstance(each, (tuple, list)) or len(each) != 2:
            got = _checks.say(each)
            raise TypeError(f"{name} must be (images, labels); got {got}. Name both, in a pair.")
        _checks.data(each[0], f"the images of {name}")
        _checks.instance(each[1], Tensor, f"the labels of {name}", advice="Use torch.as_tensor.")


def of_dataset(
    train: Dataset, test: Dataset, *, steps: int = 1000, seed: int = 0
) -> tuple[networks.Classifier, dict]:
    """A judge of any data set with labels: the deeper, the larger its images are.

    Returns
    -------
    (Classifier, facts)

    Raises
    ------
    ValueError
        If the data have no labels, or one class alone.

    >>> data = [datasets.load("digits", split) for split in ("train", "test")]
    >>> net, facts = of_dataset(*data, steps=2)
    >>> facts["data"], net.head.out_features
    ('digits', 10)
    """
    for name, each in (("train", train), ("test", test)):
        _checks.instance(each, Dataset, name, advice="Use datasets.load.")
    classes = _classes(train, test)
    mults = (1, 2, 2) if max(train.size) <= 12 else (1, 2, 4, 4)
    mults += (4,) * (max(train.size) // 48).bit_length()
    pair: Any = (train.images, train.labels), (test.images, test.labels)
    net, facts = fitted(
        *pair, seed=seed, size=min(128, len(train)), steps=steps, channels=train.channels, width=16,
        mults=mults, features=64, labels=classes,
    )  # fmt: skip
    return net, {"data": train.name, "checksum": train.checksum, "classes": classes, **facts}


def _classes(train, test):
    """How many there are: two or more."""
    if len(train) < 2:
        raise ValueError(
            f"the data must have two images or more to learn from; got {len(train)}. Add some."
        )
    classes = len(train.classes or ())
    if classes < 2 or test.labels is None:
        raise ValueError(
            "the data must have two classes or more, which a judge can learn to tell apart; got "
            f"{classes or 'no labels'}. Put the images of each class into a folder of its own."
        )
    return classes
