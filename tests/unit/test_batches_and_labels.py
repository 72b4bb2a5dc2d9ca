"""Batches, labels and networks as people have them: understood, or refused in words.

Truth: the same run with batches in the course's own form, bit for bit; and one's own eyes for what
the messages say.
"""

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot
from torch.utils.data import DataLoader, TensorDataset

from ddpm_lab import gaussians, metrics, networks, schedules, training
from ddpm_lab import losses as ddpm_losses
from ddpm_lab.training import models, trainer
from ddpm_lab.training.config import from_dict

POINTS = gaussians.normal_like(torch.empty(64, 2), generator=gaussians.seeded(0))
IMAGES = gaussians.normal_like(torch.empty(64, 1, 8, 8), generator=gaussians.seeded(1)).clamp(-1, 1)
LABELS = torch.arange(64) % 10


def mlp():
    return networks.build(networks.MLP, seed=0, width=16, depth=1)


def unet(labels=10):
    return networks.build(networks.UNet, seed=0, width=8, mults=(1, 2), labels=labels)


def losses(net, batches, **options):
    rng = gaussians.seeded(2)
    steps = training.train(schedules.linear(50), net, batches, steps=3, generator=rng, **options)
    return [step.loss for step in steps]


@pytest.mark.parametrize(
    "loader",
    [
        DataLoader(POINTS, 16),
        DataLoader(TensorDataset(POINTS), 16),
        DataLoader(TensorDataset(POINTS, LABELS), 16),
        DataLoader(TensorDataset(POINTS, LABELS, LABELS), 16),
        DataLoader(POINTS.double(), 16),
        [(part, None) for part in POINTS.split(16)],
        [(part, ["a caption"] * 16) for part in POINTS.split(16)],
    ],
)
def test_a_network_without_labels_learns_from_the_points_of_any_loader(loader):
    assert losses(mlp(), loader) == losses(mlp(), POINTS.split(16))


def test_a_unet_without_labels_is_such_a_network():
    pairs = DataLoader(TensorDataset(IMAGES, LABELS), 16)
    assert losses(unet(labels=0), pairs) == losses(unet(labels=0), IMAGES.split(16))


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.to(torch.uint8),
        LABELS.int(),
        LABELS[:, None],
        one_hot(LABELS, 10),
        one_hot(LABELS, 10).float(),
        one_hot(LABELS, 10).bool(),
    ],
)
def test_labels_are_understood_in_the_forms_in_which_they_come(labels):
    want = losses(unet(), DataLoader(TensorDataset(IMAGES, LABELS), 16))
    assert losses(unet(), DataLoader(TensorDataset(IMAGES.double(), labels), 16)) == want
    net, t = unet(), torch.full((64,), 9)
    for each in net.parameters():
        each.data += 0.01  # a network that has learned something
    assert torch.equal(net(IMAGES, t, labels), net(IMAGES, t, LABELS))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (LABELS.float(), r"label must be None or \(16,\) int64; got torch.float32"),
        (one_hot(LABELS, 12), r"got torch.int64 of shape \(16, 12\)"),
        (one_hot(LABELS, 10) * 0.5, r"got torch.float32 of shape \(16, 10\)"),
        (LABELS + 2, r"label must lie in 0\.\.10 \(10: none given\); got 2\.\.11"),
        (LABELS - 1, r"got -1\.\.8\. Count the classes from 0"),
    ],
)
def test_labels_that_cannot_be_meant_are_named(labels, said):
    with pytest.raises(ValueError, match=said):
        losses(unet(), [DataLoader(TensorDataset(IMAGES, labels), 16).__iter__().__next__()] * 3)


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ({"image": IMAGES, "label": LABELS}, "got a dict of 'image', 'label'. Name its parts"),
        ((), "a batch must be a float tensor, or start with one .*; got a tuple"),
        (IMAGES.numpy(), "a batch must be a torch tensor"),
        ((IMAGES.to(torch.uint8), LABELS), "a batch must be floating point"),
        ((IMAGES, ["seven"] * 64), r"label must be None or \(64,\) int64; got list"),
    ],
)
def test_batches_of_another_form_are_named(batch, said):
    with pytest.raises(TypeError, match=said):
        losses(unet(), [batch])


def test_a_tensor_is_no_loader():
    for batches in (POINTS, 5):
        with pytest.raises(TypeError, match=r"iterator of batches; got .* Use datasets.batches"):
            losses(mlp(), batches)


def test_times_of_another_whole_dtype_reach_a_network_as_int64():
    t = torch.arange(1, 65, dtype=torch.int32).clamp(max=50)
    for each in (t, t.long()):
        loss = ddpm_losses.simple(schedules.linear(50), mlp(), "eps", POINTS, each, POINTS)
        assert loss.shape == (64,)


class Own(nn.Module):
    """A reader's network: it knows of no attribute, only of an argument."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.on_x, self.on_y = nn.Linear(3, 2), nn.Embedding(11, 2)
        self.heard = []

    def forward(self, x_t, t, label=None):
        self.heard.append(label)
        h = self.on_x(torch.cat([x_t, t[:, None] / 50], 1))
        return h if label is None else h + self.on_y(label)


class WithoutLabel(Own):
    def forward(self, x_t, t):
        return super().forward(x_t, t)


class NeedsLabel(Own):
    def forward(self, x_t, t, *, label):
        return super().forward(x_t, t, label)


class Counted(Own):
    labels = 10


PAIRS = list(zip(POINTS.split(16), LABELS.split(16)))


def test_a_network_of_ones_own_hears_labels_if_it_has_such_an_argument():
    for make, label_dropout, heard in (
        (Own, 0.0, [True] * 3),
        (Own, 1.0, [False] * 3),
        (WithoutLabel, 0.0, [False] * 3),
        (NeedsLabel, 1.0, [True] * 3),  # it cannot do without
    ):
        net = make()
        losses(net, PAIRS, label_dropout=label_dropout)
        assert [label is not None for label in net.heard] == heard, make
        for label, (_, want) in zip(net.heard, PAIRS):
            assert label is None or torch.equal(label, want)


def test_one_that_says_how_many_hears_the_number_after_the_last_for_none():
    net = Counted()
    losses(net, PAIRS, label_dropout=0.5)
    hidden = torch.stack(net.heard) == 10
    assert 0.2 < hidden.double().mean() < 0.8
    want = torch.stack([label for _, label in PAIRS[:3]])
    assert torch.equal(torch.stack(net.heard)[~hidden], want[~hidden])


def test_wrappers_do_not_hide_what_a_network_hears():
    for make in (Own, Counted, WithoutLabel):
        wrapped = make()
        losses(torch.compile(wrapped, backend="eager"), PAIRS, label_dropout=0.0)
        assert (wrapped.heard[0] is None) == (make is WithoutLabel)


def test_a_network_with_other_arguments_is_named():
    class Other(Own):
        def forward(self, x_t, t, context):
            return x_t

    with pytest.raises(
        TypeError, match=r"net\(x_t, t, label=label\).*got Other.forward\(x_t, t, c"
    ):
        losses(Other(), PAIRS)


@pytest.mark.parametrize(("make", "x"), [(mlp, POINTS), (unet, IMAGES)])
def test_a_network_in_float64_gets_float64(make, x):
    seen = losses(make().double(), DataLoader(x, 16))
    assert seen == losses(make().double(), DataLoader(x.double(), 16))


@pytest.mark.parametrize("net, x", [(mlp(), POINTS), (unet(), IMAGES)])
def test_a_network_called_directly_names_what_does_not_fit(net, x):
    for t, said in (
        (5, r"t must be \(64,\) int64, one time per item; got int 5"),
        (torch.full((64,), 5.0), "got a tensor .* of torch.float32"),
        (torch.full((64,), 5).int(), "of torch.int32"),
        (torch.full((63,), 5), r"got a tensor \(63,\)"),
        (torch.full((64, 1), 5), r"got a tensor \(64, 1\)"),
        (torch.full((64,), -1), r"t must lie in 0\.\.T; got -1"),
    ):
        with pytest.raises((TypeError, ValueError), match=said):
            net(x, t)
    t = torch.full((64,), 5)
    with pytest.raises(TypeError, match=r"x_t must be torch.float32, .* got torch.float64"):
        net(x.double(), t)
    with pytest.raises((TypeError, ValueError), match="x_t must"):
        net(x[:, :1, ..., None], t)
    assert net(x[:0], t[:0]).shape == x[:0].shape


def test_a_table_of_times_has_an_end():
    net = networks.build(networks.UNet, seed=0, width=8, mults=(1, 2), time="table", T=9)
    with pytest.raises(ValueError, match=r"t must lie in 0\.\.9; got 5\.\.10"):
        net(IMAGES[:2], torch.tensor([5, 10]))


def test_vae_and_classifier_name_another_precision():
    vae = networks.build(networks.VAE, seed=0)
    judge = networks.build(networks.Classifier, seed=0, width=8)
    for call in (vae, judge, judge.features):
        with pytest.raises(TypeError, match=r"x must be torch.float32, like the network's weights"):
            call(IMAGES.double())
    with pytest.raises(TypeError, match=r"z must be torch.float32"):
        vae.decode(torch.zeros(2, 8).double())


def test_classifiers_understand_and_refuse_the_same_labels():
    def taught(labels):
        judge = networks.build(networks.Classifier, seed=0, width=8)
        return judge, list(metrics.train_classifier(judge, [(IMAGES, labels)], steps=1))

    judge, want = taught(LABELS)
    for labels in (LABELS.byte(), LABELS[:, None], one_hot(LABELS, 10)):
        assert taught(labels)[1] == want
        assert metrics.accuracy(judge, IMAGES, labels) == metrics.accuracy(judge, IMAGES, LABELS)
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.9; got 1\.\.10"):
        list(metrics.train_classifier(judge, [(IMAGES, LABELS + 1)], steps=1))


@pytest.mark.parametrize("labels", [10, 20])
def test_the_label_for_none_cannot_be_asked_for(labels):
    moves = {"augment_shifts": True} if labels == 20 else {}
    net = {"width": 8, "mults": [1, 2], "labels": labels}
    config = from_dict({"data": {"name": "digits", **moves}, "net": net, "label_dropout": 0})
    model = models.snapshot(config, trainer.init(config))
    for label in (10, labels, -1, torch.tensor([1, 10]), one_hot(LABELS[:2], 12)):
        with pytest.raises(ValueError, match=r"label must (lie in 0\.\.9|be \(2,\) int64)"):
            models.sample(model, 2, label=label, steps=1, generator=gaussians.seeded(0))
        with pytest.raises(ValueError, match=r"label must (lie in 0\.\.9|be \([12],\) int64)"):
            models.denoiser(model, label)
    want = models.sample(model, 2, label=LABELS[:2], steps=1, generator=gaussians.seeded(0))
    for label in (LABELS[:2].byte(), LABELS[:2, None], one_hot(LABELS[:2], 10)):
        made = models.sample(model, 2, label=label, steps=1, generator=gaussians.seeded(0))
        assert torch.equal(made, want)
