"""What is computed depends neither on the device of the data nor on PyTorch's defaults.

Truth: the same call on the CPU with the defaults that PyTorch starts with. Three other places are
tried: a device that refuses float64, as Apple's GPUs do, and refuses to mix with the CPU; a default
dtype of float64; and the default device "meta", whose tensors hold no numbers, so that whatever is
made there by mistake cannot be read. A machine without a GPU has no device of the first kind:
`Apart` pretends to be one. It also goes by the name "meta", which every PyTorch knows.
"""

import contextlib
import json
import math
import types

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from ddpm_lab import (
    bayes,
    cli,
    datasets,
    discrete,
    elbo,
    estimators,
    flow_matching,
    forward,
    gaussians,
    ideal_denoisers,
    interop,
    losses,
    metrics,
    networks,
    predictions,
    samplers,
    schedules,
    sde,
    training,
)
from ddpm_lab.cli import devices
from ddpm_lab.course import exercises
from ddpm_lab.gaussians import Gaussian, seeded
from ddpm_lab.training import evaluation, models, pretrained, streams, trainer
from ddpm_lab.training.config import from_dict

# ------------------------------------------------------------------------------ a stand-in

APART = torch.device("meta")
ATEN = torch.ops.aten
MOVES = {ATEN._to_copy, ATEN.copy_}
READERS = {ATEN._local_scalar_dense, ATEN.nonzero, ATEN.equal, ATEN.is_nonzero}
READS = []  # what has read numbers from the device: a GPU would have to be waited for
LOOKUPS = {ATEN.index, ATEN.index_put_, ATEN._index_put_impl_}  # row numbers may stay on the CPU


class Apart(torch.Tensor):
    """A tensor that says that it lives elsewhere; its numbers lie in `inside`, on the CPU."""

    @staticmethod
    def __new__(cls, inside):
        return torch.Tensor._make_wrapper_subclass(
            cls, inside.shape, strides=inside.stride(), storage_offset=inside.storage_offset(),
            dtype=inside.dtype, device=APART,
        )  # fmt: skip

    def __init__(self, inside):
        self.inside = inside

    def __repr__(self, **_):
        return f"Apart({self.inside!r})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return carried_out(func, args, kwargs or {})


class Pretended(TorchDispatchMode):
    """While it is entered, tensors that are asked for on that device are made there."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return carried_out(func, args, kwargs or {})


def carried_out(func, args, kwargs):
    """The operation on the CPU, if a device would have done it; its result where it belongs."""
    tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
    apart = [each for each in tensors if isinstance(each, Apart)]
    here = [each for each in tensors if not isinstance(each, Apart) and each.dim() > 0]
    kind = func.overloadpacket
    if apart and here and kind not in MOVES | LOOKUPS:
        raise RuntimeError(f"Expected all tensors to be on the same device: {func}")
    asked = kwargs.get("device")
    there = torch.device(asked) == APART if asked is not None else bool(apart)
    if kind is ATEN.copy_:
        there = isinstance(args[0], Apart)
    by_mask = kind is ATEN.index and any(each.dtype == torch.bool for each in tensors)
    if apart and (kind in READERS or by_mask or (kind in MOVES and not there)):
        READS.append(str(kind))
    out = func(*tree_map(inside, args), **tree_map(inside, kwargs))
    originals = {id(each.inside): each for each in apart}  # what is changed in place stays itself
    return tree_map(lambda each: placed(each, originals, func), out) if there else out


def inside(each):
    if isinstance(each, torch.device):
        return torch.device("cpu")
    return each.inside if isinstance(each, Apart) else each


def placed(each, originals, func):
    if not isinstance(each, torch.Tensor):
        return each
    if each.dtype in (torch.float64, torch.complex128):
        raise TypeError(f"this device knows no float64: {func}")
    return originals[id(each)] if id(each) in originals else Apart(each)


def away(x):
    """A tensor, or what holds tensors, on the pretended device."""
    return tree_map(lambda each: each.to(APART) if isinstance(each, torch.Tensor) else each, x)


@pytest.fixture
def pretended(monkeypatch):
    swaps = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(
        True
    )  # a Parameter becomes Apart as whole
    monkeypatch.setattr(
        streams, "seeded", lambda seed, device="cpu": seeded(seed)
    )  # it cannot draw
    with Pretended():
        yield
    torch.__future__.set_swap_module_params_on_conversion(swaps)


@pytest.mark.usefixtures("pretended")
def test_the_pretended_device_refuses_what_it_shall_refuse():
    x = away(torch.ones(2))
    assert x.device == APART and x.cpu().tolist() == [1, 1]
    for wrong in (lambda: x.double(), lambda: torch.zeros(2, dtype=torch.float64, device=APART)):
        with pytest.raises(TypeError, match="no float64"):
            wrong()
    with pytest.raises(RuntimeError, match="same device"):
        x + torch.ones(2)
    assert (x + torch.tensor(1.0)).cpu().tolist() == [2, 2]
    x.mul_(3)
    assert x.cpu().tolist() == [3, 3]


@pytest.mark.usefixtures("pretended")
def test_reading_from_the_pretended_device_is_counted():
    x = away(torch.arange(3.0))
    for read in (
        lambda: x[0].item(), lambda: float(x.sum()), lambda: bool(x.any()),
        lambda: x.cpu(), lambda: x.nonzero(), lambda: torch.equal(x, x), lambda: x[x > 1],
        lambda: torch.empty(3).copy_(x),
    ):  # fmt: skip
        READS.clear()
        read()
        assert READS
    READS.clear()
    x.add_(1).to(torch.int64), torch.ones(3).to(x), x[torch.tensor([0, 2])], len(x), x.shape
    assert not READS


# ------------------------------------------------------------------------------ what is tried

PLAN = schedules.linear(T=20, beta_1=0.02, beta_T=0.3)
RING = ideal_denoisers.circle_mixture(8)
_X = torch.randn(12, 1, 4, 4, generator=seeded(0), dtype=torch.float32, device="cpu")
_PIXELS = (_X * 4).round().clamp(-8, 8) / 8
_T = torch.tensor([1, 2, 20] * 4, device="cpu")
_PLANE = ideal_denoisers.sample(RING, 12, generator=seeded(1))
_LABELS = torch.arange(12, device="cpu") % 10


def rng():
    return seeded(0)


def net(to, cls=networks.UNet, **config):
    """A network whose every layer says something, in its place."""
    made = networks.build(cls, seed=0, **config)
    for each, weight in enumerate(made.parameters()):
        if not bool(weight.any()):
            weight.data = 0.1 * gaussians.normal_like(weight.data, generator=seeded(each))
    return made.to(to(_X).device)


def small(to, **config):
    return net(to, width=8, mults=(1, 2), **config)


def levels_net(to):
    made = small(to, levels=17, T=20)
    ratio = (PLAN.noise / PLAN.signal).float()
    made.set_pixel_prior(ratio, datasets.level_counts(to(_PIXELS), 17).float() + 1)
    return made


def ideal():
    return ideal_denoisers.dataset_denoiser(_PIXELS, PLAN)


def walked(walk, to, **settings):
    *_, last = walk(PLAN, ideal(), to(_X), times=[20, 9, 3, 0], **settings)
    return last._replace(t=0, s=0)


def trained(made, to, data=_PIXELS, labels=None, **settings):
    labels = None if labels is None else to(labels)
    stream = datasets.batches(to(data), 6, labels=labels, generator=rng())
    seen = list(training.train(PLAN, made, stream, steps=2, generator=rng(), **settings))
    return [(each.loss, each.grad_norm, each.per_example) for each in seen]


def judged(to):
    judge = net(to, networks.Classifier, width=8, features=4)
    metrics.standardize(judge, to(_X))
    return metrics.features(judge, to(_X)), metrics.accuracy(judge, to(_X), to(_LABELS))


def vae(to):
    made, x = net(to, networks.VAE, shape=(1, 4, 4), latents=3), to(_X)
    eps = to(_X[:, 0, 0, :3])
    return (
        elbo.terms(made, x, eps), elbo.log_evidence(made, x, torch.stack([eps, -eps])),
        elbo.latent_kl(elbo.encode(made, x)), elbo.ppca(x, latents=2, var=0.5)[2:],
    )  # fmt: skip


_WORDS = torch.tensor([[0, 1], [1, 1], [2, 0]], dtype=torch.int64, device="cpu")
VP, MASK = sde.variance_preserving(), discrete.absorbing(3)


def followed(to):
    """A process of continuous time, back to the data and up with its log-density."""
    score, x = sde.mixture_score(VP, RING), to(_PLANE)
    way = [x for _, x in sde.simulate(VP, score, x, times=[0.9, 0.5, 0.1], generator=rng())]
    field = sde.probability_flow(VP, score)
    up = {"times": [0.1, 0.6], "log_prior": lambda x: x.square().sum(1)}
    return (
        way, VP.marginal(x, 0.3), sde.log_likelihood(field, x, **up),
        sde.log_likelihood(field, x, probes=2, generator=rng(), **up),
    )  # fmt: skip


def straightened(to):
    """The straight path, its velocity, its loss and its pairs."""
    plan, x = flow_matching.straight(8), to(_PLANE)
    net = flow_matching.velocity(plan, ideal_denoisers.mixture_denoiser(RING, plan))
    path = flow_matching.solve(plan, net, x, times=[8, 3, 0], order=2)
    return (
        path, flow_matching.straightness(plan, path, [8, 3, 0]),
        flow_matching.loss(plan, net, x, 5, x.flip(0)), flow_matching.optimal_pairs(x, x.flip(0)),
        flow_matching.denoiser(plan, net)(x, 5), flow_matching.to_v(plan, x, x.flip(0), 5),
    )  # fmt: skip


def spelled(to):
    """A chain on symbols, forward and back."""
    x, t = to(_WORDS), to(_T[:3])
    denoise = discrete.dataset_denoiser(x, PLAN, MASK)
    return (
        discrete.marginal(PLAN, MASK, x, t), discrete.transition(PLAN, MASK, x, 1, 5),
        discrete.posterior(PLAN, MASK, x, torch.full_like(x, 2), 5, 1), denoise(x, t),
        discrete.draw(to(COV.abs()), generator=rng()),
        discrete.bound(PLAN, MASK, denoise, to(_WORDS[:2]), generator=rng()).steps,
        discrete.sample(PLAN, MASK, denoise, (4, 2), times=[20, 5, 0], generator=rng()),
    )  # fmt: skip


def in_their_pipeline(to):
    """Our network as diffusers calls it, and theirs as we do."""
    model = pretrained.load("digits")
    model.net.to(to(_X).device)
    ours = interop.DiffusersDenoiser(model, label=3)
    theirs = interop.DiffusersNet(lambda x, t: types.SimpleNamespace(sample=x / (t[0] + 2)))
    x = to(_PIXELS[:2]).repeat(1, 1, 2, 2)  # 8 x 8
    t = torch.tensor(980.0, dtype=torch.float32, device="cpu")  # some of their schedulers say so
    return ours(x, t).sample, theirs(to(_X), to(_T))


NARROW = Gaussian(_X, (_X[:, :1, :1, :1] / 4).exp())
WIDE = Gaussian(_X.flip(0), (2 + _X[:, :1, :1, :1] / 4).exp())
COV = torch.tensor([[1.0, 0.5], [0.5, 2.0]], dtype=torch.float32, device="cpu")

ANYWHERE = {
    "noised": lambda to: forward.noised(PLAN, to(_X), to(_T), to(_X.flip(0))),
    "marginal": lambda to: forward.marginal(PLAN, to(_X), 7),
    "transition": lambda to: forward.transition(PLAN, to(_X), 3, 7),
    "posterior": lambda to: forward.posterior(PLAN, to(_X), to(_X.flip(0)), to(_T), to(_T) - 1),
    "chain": lambda to: [x for _, x in forward.chain(PLAN, to(_X), generator=rng())][-1],
    "draw": lambda to: gaussians.draw(Gaussian(*to(tuple(NARROW))), to(_X)),
    "push": lambda to: gaussians.push(Gaussian(*to(tuple(NARROW))), 2.0, 0.1),
    "condition": lambda to: gaussians.condition(Gaussian(*to(tuple(NARROW))), to(_X), 2.0, 0.1),
    "product": lambda to: gaussians.product(to(NARROW), to(WIDE)),
    "quotient": lambda to: gaussians.quotient(to(NARROW), to(WIDE)),
    "log_prob": lambda to: gaussians.log_prob(to(NARROW), to(_X)),
    "kl": lambda to: gaussians.kl(to(NARROW), to(WIDE)),
    "kl_full": lambda to: gaussians.kl_full(to(_PLANE), COV, to(_PLANE.flip(0)), to(COV.mT)),
    "pixel_log_prob": lambda to: gaussians.pixel_log_prob(to(NARROW), to(_PIXELS), levels=17),
    "level_mean": lambda to: gaussians.level_mean(
        to(_X[:, 0, 0, 0]), to(_X[:, 0, 0, 1].exp()), to(_X[0, 0, 0])
    ),
    "convert": lambda to: predictions.convert(PLAN, to(_X), "v", to(_X.flip(0)), to(_T)),
    "target": lambda to: predictions.target(PLAN, "v", to(_X), to(_X.flip(0)), 5),
    "denoiser": lambda to: predictions.denoiser(PLAN, small(to), "eps", clip=1.0)(to(_X), 5),
    "guided": lambda to: predictions.guided(ideal(), lambda x, t: x / 2, 2.0)(to(_X), to(_T)),
    "mixture": lambda to: ideal_denoisers.mixture_denoiser(RING, PLAN)(to(_PLANE), to(_T)),
    "log_density": lambda to: ideal_denoisers.log_density(RING, PLAN, to(_PLANE), 3),
    "dataset": lambda to: ideal_denoisers.dataset_denoiser(to(_X), PLAN)(to(_X.flip(0)), 3),
    "reverse": lambda to: walked(samplers.reverse, to, generator=rng()),
    "ddpm": lambda to: walked(samplers.ddpm, to, generator=rng()),
    "ddim": lambda to: walked(samplers.ddim, to, generator=rng(), eta=0.5),
    "probability_flow_ode": lambda to: walked(samplers.probability_flow_ode, to),
    "dpmpp_2m": lambda to: walked(samplers.dpmpp_2m, to),
    "sample": lambda to: samplers.sample(
        PLAN, ideal(), (2, 1, 4, 4), times=[20, 5, 0], generator=rng(), device=to(_X).device
    ),
    "simple": lambda to: losses.simple(PLAN, small(to), "eps", to(_X), 5, to(_X.flip(0))),
    "bound": lambda to: losses.bound(PLAN, ideal(), to(_PIXELS), generator=rng(), levels=17),
    "bound, strata": lambda to: losses.bound(
        PLAN, ideal(), to(_X), generator=rng(), var="large", strata=5
    ),
    "bits": lambda to: losses.bits_per_dim(to(_X[:, 0, 0, 0]), to(_X)),
    "weight": lambda to: losses.weight(PLAN, "v", to(_T), "vlb"),
    "monte_carlo": lambda to: estimators.monte_carlo(to(_X)),
    "importance": lambda to: estimators.importance_sampling(to(_X), to(_X[:, 0, 0, 0])),
    "worth": lambda to: estimators.effective_sample_size(to(_X[0, 0])),
    "pathwise": lambda to: estimators.pathwise_gradient(
        lambda x: x.square().sum(1), 1.0, to(COV.diagonal()), to(_PLANE)
    ),
    "score function": lambda to: estimators.score_function_gradient(
        lambda x: x.sum(1), to(COV[0]), 0.5, to(_PLANE)
    ),
    "posterior of a coin": lambda to: bayes.coin_posterior(
        7, 10, bayes.uniform(to(_T.float().unique() / 20)), to(_T.float().unique() / 20)
    ),
    "rule": lambda to: bayes.rule(to(COV[0] / 1.5), [0.5, 0.25]),
    "two coins": lambda to: bayes.two_coin_log_likelihood(to(_T % 2), to(COV[0] / 2), 0.5, 0.25),
    "vae": vae,
    "energy_distance": lambda to: metrics.energy_distance(to(_X[:5]), to(_X[5:])),
    "mmd": lambda to: metrics.mmd(to(_X[:5]), to(_X[5:])),
    "mmd, cubic": lambda to: metrics.mmd(to(_X[:5]), to(_X[5:]), kernel="cubic"),
    "sliced": lambda to: metrics.sliced_wasserstein(to(_X[:5]), to(_X[5:]), generator=rng()),
    "frechet": lambda to: metrics.frechet(to(_PLANE[:5]), to(_PLANE[5:])),
    "jackknife": lambda to: metrics.jackknife(
        lambda a, b: a.mean() - b.mean(), to(_X[:5]), to(_X[5:])
    ),
    "nearest": lambda to: metrics.nearest(to(_X[:5]), to(_X)),
    "memorization_test": lambda to: metrics.memorization_test(
        to(_X[:3]), to(_X[3:8]), to(_X[8:]), generator=rng()
    ),
    "real_baseline": lambda to: metrics.real_baseline(
        metrics.energy_distance, to(_X), splits=2, generator=rng()
    ),
    "features, accuracy": judged,
    "classifier": lambda to: list(
        metrics.train_classifier(
            net(to, networks.Classifier, width=8, features=4),
            datasets.batches(to(_X), 6, labels=to(_LABELS), generator=rng()),
            steps=2,
        )
    ),
    "moved": lambda to: datasets.augment_shifts(to(_X), to(_LABELS), 10),
    "level_counts": lambda to: datasets.level_counts(to(_PIXELS), 17),
    "batches": lambda to: next(
        datasets.batches(to(_X), 5, labels=to(_LABELS), generator=rng(), start=3)
    ),
    "levels": lambda to: levels_net(to)(to(_PIXELS), to(_T)),
    "training": lambda to: trained(small(to, labels=10), to, labels=_LABELS, weight="vlb"),
    "training, ema": lambda to: trained(
        made := small(to, time="table", skip="sum", attention=(1,)), to, ema=training.EMA(made)
    ),
    "training, levels": lambda to: trained(levels_net(to), to),
    "training, in parts": lambda to: trained(
        small(to, dropout=0.1), to, accumulate=2, lr_schedule="linear"
    ),
    "sde": followed,
    "flow_matching": straightened,
    "discrete": spelled,
    "interop": in_their_pipeline,
    "training, points": lambda to: trained(
        net(to, networks.MLP, width=16), to, data=_PLANE, prediction_type="v", weight="min_snr"
    ),
}
"""Called with a function that brings data into place; what comes back is the same everywhere."""


def same(found, wanted, *, exact):
    """Alike in structure, dtype and value, wherever they lie."""
    for ours, theirs in zip(tree_leaves(found), tree_leaves(wanted), strict=True):
        if isinstance(theirs, torch.Tensor):
            assert ours.dtype == theirs.dtype and not theirs.is_meta
            close = {"rtol": 0, "atol": 0} if exact else {"rtol": 1e-4, "atol": 1e-5}
            torch.testing.assert_close(ours.detach().cpu(), theirs.detach(), **close)
        elif isinstance(theirs, float) and not exact:
            assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5)
        else:
            assert ours == theirs


@pytest.mark.parametrize("name", ANYWHERE)
@pytest.mark.usefixtures("pretended")
def test_a_device_without_float64_gives_the_same(name):
    same(ANYWHERE[name](away), ANYWHERE[name](lambda x: x), exact=False)


def results_stay(name):
    """Those that lie on the CPU wherever the data are: float64, and what goes with it."""
    return [each.device.type for each in tree_leaves(ANYWHERE[name](away)) if torch.is_tensor(each)]


@pytest.mark.usefixtures("pretended")
def test_results_lie_where_the_docstrings_say():
    for name in ("pixel_log_prob", "kl_full", "mixture", "dataset", "bound", "dpmpp_2m", "sample"):
        assert set(results_stay(name)) == {"meta"}
    for name in ("nearest", "real_baseline", "weight", "posterior of a coin"):
        assert set(results_stay(name)) == {"cpu"}


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


DEFAULTS = {
    "float64": lambda: default_dtype(torch.float64),
    "meta": lambda: torch.device("meta"),
}
NOT_BY_DATA = {
    "schedules": lambda: [
        make(T=9).abar
        for make in (
            schedules.linear, schedules.quadratic, schedules.logarithmic, schedules.geometric,
            schedules.sigmoid, schedules.su, schedules.cosine,
        )
    ],
    "more schedules": lambda: [
        schedules.from_beta([0.1, 0.2]).beta, schedules.from_log_snr([3.0, -3.0]).posterior_var,
        schedules.zero_terminal(PLAN).abar, schedules.scaled_snr(PLAN, 4).abar,
        schedules.respaced(PLAN, [20, 4, 0]).abar, schedules.row(PLAN.abar, 3),
        training.ScheduleConfig("log_snr", first=9.0, last=-9.0).built.abar,
    ],
    "planes": lambda: [
        getattr(datasets, name)(9, generator=rng())
        for name in ("concentric_circles", "moons", "checkerboard", "swiss_roll")
    ],
    "digits": lambda: datasets.digits("test"),
    "mixtures": lambda: [
        RING, ideal_denoisers.two_modes(), ideal_denoisers.sample(RING, 9, generator=rng()),
    ],
    "bayes": lambda: [
        bayes.unit_grid(5), bayes.coin_log_evidence(7, 10, bayes.uniform(bayes.unit_grid(9)),
        bayes.unit_grid(9)), bayes.beta_density(bayes.Beta(2, 3), bayes.unit_grid(5)),
        bayes.two_coin_log_likelihood_brute([1, 0, 1], 0.9, 0.5, 0.25),
        bayes.mean_and_var([1.0, 2.0, 3.0], [0.0, 0.5, 1.0]), bayes.rule([0.8, 0.2], [0.5, 0.9]),
    ],
    "stretches": lambda: [*losses.strata(PLAN, 4), *losses.strata(PLAN)],
    "estimators": lambda: estimators.pathwise_gradient(torch.square, 1.0, 0.1, _X[:, 0, 0, 0]),
    "median_distance": lambda: metrics.median_distance(_X, _X.flip(1)),
    "weights": lambda: [dict(each(lambda x: x).state_dict()) for each in (small, levels_net)],
}  # fmt: skip


@pytest.mark.parametrize("default", DEFAULTS)
@pytest.mark.parametrize("name", ANYWHERE | NOT_BY_DATA)
def test_the_defaults_of_pytorch_change_nothing(name, default):
    call = NOT_BY_DATA.get(name) or (lambda: ANYWHERE[name](lambda x: x))
    wanted = call()
    with DEFAULTS[default]():
        found = call()
    same(found, wanted, exact=True)


# ------------------------------------------------------------------------------ whole runs


def run(folder, device, **settings):
    small = {"width": 8, "mults": [1, 2]}
    plain = {"steps": 2, "batch": 8, "log_every": 1, "precision": "float32"}
    plain |= {"data": {"name": "digits"}, **settings, "net": small | settings.get("net", {})}
    config = from_dict(plain)
    made = trainer.train(config, folder, device=device)
    return [(line["loss"], line["grad_norm"]) for line in training.read_log(folder)], made.net


def measured(path, device):
    judge = training.load(pretrained.path("features_digits"))[0].to(device)
    model = models.load(path, device)
    return evaluation.evaluate(model, n=8, strata=2, steps=2, judge=judge, generator=rng())


SHIFTS = {"name": "digits", "augment_shifts": True}
SETTINGS = {
    "labels": {"data": SHIFTS, "net": {"labels": 20}, "label_dropout": 0},
    "levels": {"net": {"levels": 17, "waves": [1]}, "prediction_type": "eps"},
}


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_run_on_a_device_without_float64_is_that_of_the_cpu(settings, tmp_path, pretended):
    settings = SETTINGS[settings]
    wanted, _ = run(tmp_path / "cpu", "cpu", **settings)
    found, net = run(tmp_path / "apart", APART, **settings)
    assert next(net.parameters()).device == APART
    same(found, wanted, exact=False)
    same(measured(tmp_path / "cpu", APART), measured(tmp_path / "cpu", "cpu"), exact=False)


@pytest.mark.usefixtures("pretended")
def test_a_run_goes_on_where_it_was_left(tmp_path):
    whole, _ = run(tmp_path / "whole", APART, save_every=1)
    config = training.read_config(tmp_path / "whole" / "config.json")
    left = trainer.train(
        config, tmp_path / "half", device=APART, on_step=lambda step: step.step == 1
    )
    assert left.step == 1
    trainer.train(config, tmp_path / "half", device=APART)
    lines = training.read_log(tmp_path / "half")
    same([(line["loss"], line["grad_norm"]) for line in lines], whole, exact=False)


@pytest.mark.usefixtures("pretended")
def test_a_shipped_network_samples_on_a_device_without_float64():
    path, how = pretrained.path("digits"), {"steps": 2, "label": 3, "guidance_scale": 2.0}
    found = models.sample(models.load(path, APART), 1, generator=rng(), **how)
    assert found.device == APART
    same(found, models.sample(models.load(path), 1, generator=rng(), **how), exact=False)


@pytest.mark.usefixtures("pretended")
def test_the_commands_work_on_a_device_without_float64(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(devices, "pick", lambda name: APART)
    config, out = tmp_path / "config.json", str(tmp_path / "run")
    settings = {"data": {"name": "digits"}, "net": {"width": 8, "mults": [1, 2]}}
    config.write_text(json.dumps(settings | {"steps": 1, "batch": 8}))
    assert cli.main(["train", "--config", str(config), "--out", out]) == 0
    pictures = str(tmp_path / "pictures.png")
    assert cli.main(["sample", "--run", out, "--n", "2", "--steps", "1", "--out", pictures]) == 0
    assert cli.main(["evaluate", "--run", out, "--n", "8", "--strata", "2", "--steps", "1"]) == 0
    assert "bits/dim" in capsys.readouterr().out
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["frechet"]["value"] > 0


@pytest.mark.parametrize("default", DEFAULTS)
def test_a_run_and_a_shipped_network_know_no_defaults(default, tmp_path):
    path = pretrained.path("digits")

    def all_of_it(folder):
        losses, net = run(folder, "cpu", net={"levels": 17}, prediction_type="eps")
        made = models.sample(models.load(path), 1, steps=2, label=3, generator=rng())
        return losses, dict(net.state_dict()), made, measured(folder, "cpu")

    wanted = all_of_it(tmp_path / "plain")
    with DEFAULTS[default]():
        found = all_of_it(tmp_path / "other")
    same(found, wanted, exact=True)


@pytest.mark.parametrize("default", DEFAULTS)
def test_the_answers_to_the_exercises_are_right_whatever_the_defaults(default):
    names = exercises.names()
    with DEFAULTS[default]():
        for name in names[:: len(names) // 12]:
            assert exercises.verdict(name, exercises.exercise(name).reference).mark == "✓", name


# ------------------------------------------------------------------------------ float64 or not


class Elsewhere(torch.Generator):
    """A generator that says that it lives on the pretended device."""

    device = APART


@pytest.mark.usefixtures("pretended")
def test_a_generator_of_a_device_without_float64_draws_what_it_can():
    far = Elsewhere().manual_seed(0)
    wide = torch.zeros(500, 2, dtype=torch.float64)
    z = gaussians.normal_like(wide, generator=far)
    assert z.dtype == torch.float64 and z.device.type == "cpu" and 0.9 < z.std() < 1.1
    assert ideal_denoisers.sample(RING, 9, generator=far).device.type == "cpu"
    metrics.sliced_wasserstein(_X[:5], _X[5:], generator=far)


def test_a_generator_on_a_gpu_that_is_not_there_is_refused_in_words():
    for device in ("meta", "cuda:99", "no such device"):
        with pytest.raises(ValueError, match=r'device must be .*; got .* Use "cpu"'):
            seeded(0, device)


def test_a_device_that_is_not_there_is_refused_in_words(tmp_path):
    config = from_dict(
        {"data": {"name": "digits"}, "net": {"width": 8, "mults": [1, 2]}, "steps": 1}
    )
    stored = training.save_run(tmp_path / "run.safetensors", trainer.init(config))
    for call in (
        lambda device: samplers.sample(PLAN, ideal(), (1, 1, 4, 4), generator=rng(), device=device),
        lambda device: trainer.init(config, device),
        lambda device: trainer.train(config, tmp_path / "none", device=device),
        lambda device: pretrained.load("digits", device),
        lambda device: training.load_run(stored, device),
    ):
        for device in ("cuda:99", "no such device"):
            with pytest.raises(ValueError, match="device must be one that this PyTorch can use"):
                call(device)
    assert not (tmp_path / "none").exists()


NETS = {
    "MLP": lambda made, x: made(x[:, 0, 0, :2], _T),
    "UNet": lambda made, x: made(x, _T),
    "Classifier": lambda made, x: made(x),
    "VAE": lambda made, x: made(x),
}


@pytest.mark.parametrize("name", NETS)
def test_a_network_refuses_data_of_another_dtype_or_device_in_words(name):
    shape = {"shape": (1, 4, 4)} if name == "VAE" else {}
    made = networks.build(getattr(networks, name), seed=0, **shape)
    for x in (_X.double(), _X.half(), _X.bfloat16()):
        with pytest.raises(TypeError, match=r"like the network's weights; got torch\.\w+\. .*\.to"):
            NETS[name](made, x)
    with Pretended(), pytest.raises(ValueError, match=r"like the network's weights; got meta\. "):
        NETS[name](made, away(_X))
    with pytest.raises(TypeError, match=r"must be torch\.float64, like the network's weights"):
        NETS[name](made.double(), _X)
    NETS[name](made.double(), _X.double())
    with training.autocast("bfloat16", "cpu"):
        NETS[name](made.float(), _X.bfloat16())


def test_complex_numbers_are_refused_in_words():
    x = torch.complex(_X, _X)
    for call in (
        lambda: forward.marginal(PLAN, x, 3),
        lambda: metrics.nearest(x, x),
        lambda: bayes.rule(x.flatten()[:2], [0.5, 0.5]),
        lambda: gaussians.push(NARROW, x[:, :1, :1, :1], 1.0),
        lambda: gaussians.draw(NARROW._replace(var=x[:, :1, :1, :1]), _X),
        lambda: ideal_denoisers.mixture_denoiser(
            RING._replace(var=torch.complex(RING.var, RING.var)), PLAN
        ),
        lambda: schedules.from_beta(x.flatten()[:2]),
    ):
        with pytest.raises(TypeError, match=r"must .*; got .*complex"):
            call()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sixteen_bits_in_are_sixteen_bits_out(dtype):
    names = (
        "noised", "marginal", "posterior", "push", "condition", "log_prob", "kl", "pixel_log_prob",
        "convert", "target", "dataset", "ddpm", "probability_flow_ode", "dpmpp_2m", "bound",
        "monte_carlo",
    )  # fmt: skip

    def rough(x):
        return tree_map(lambda each: each.to(dtype) if each.is_floating_point() else each, x)

    for name in names:
        for found, wanted in zip(
            tree_leaves(ANYWHERE[name](rough)),
            tree_leaves(ANYWHERE[name](lambda x: x)),
            strict=True,
        ):
            if isinstance(found, torch.Tensor):
                assert found.dtype == dtype, name
                assert (found.float() - wanted).abs().max() < 0.1 * (1 + wanted.abs().max()), name


def test_metrics_take_sixteen_bits():
    found = metrics.energy_distance(_X[:5].bfloat16(), _X[5:].bfloat16())
    assert math.isclose(found.value, metrics.energy_distance(_X[:5], _X[5:]).value, abs_tol=0.05)


# ------------------------------------------------------------------------------ autocast


def test_precision_auto_works_where_pytorch_has_no_onednn(monkeypatch):
    monkeypatch.setattr(torch.ops, "mkldnn", types.SimpleNamespace(), raising=False)
    with training.autocast("auto", "cpu"):
        assert not torch.is_autocast_enabled("cpu")


def test_autocast_is_entered_only_if_it_is_wanted():
    for precision in ("float32", "auto"):
        with training.autocast(precision, "meta"):  # a kind that autocast does not know
            pass
    with pytest.raises(ValueError, match="precision must be float32 on this device; got bfloat16"):
        training.autocast("bfloat16", "meta")
    with training.autocast("bfloat16", "cpu"):
        assert torch.is_autocast_enabled("cpu")


def test_set_pixel_prior_takes_any_device_and_precision():
    made = small(lambda x: x, levels=17, T=20)
    ratio, share = PLAN.noise / PLAN.signal, torch.arange(1, 18, dtype=torch.float64)
    made.set_pixel_prior(ratio, share)
    same(made.pixel_head.noise_to_signal, ratio.float(), exact=True)
    same(made.pixel_head.log_prior.exp(), (share / share.sum()).float(), exact=False)
    made.to("meta").set_pixel_prior(
        ratio, share
    )  # nothing to read there: it is enough that it fits


def test_a_network_is_built_without_a_touch_of_any_random_state():
    before = torch.get_rng_state()
    path = pretrained.path("digits")
    networks.build(networks.MLP, seed=0)
    training.load(path)
    assert torch.equal(torch.get_rng_state(), before)


# ------------------------------------------------------------------------------ nothing is read


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize("cls", [networks.MLP, networks.UNet])
@pytest.mark.parametrize("prediction_type", ["x0", "eps", "v"])
@pytest.mark.parametrize("name", samplers.SAMPLERS)
def test_a_sampling_loop_reads_nothing_from_the_device(name, prediction_type, cls):
    sizes = {networks.MLP: {"dim": 16, "width": 8}, networks.UNet: {"width": 8, "mults": (1, 2)}}
    plain = predictions.denoiser(PLAN, net(away, cls, **sizes[cls]), prediction_type, clip=1.0)
    denoise = predictions.guided(plain, lambda x_t, t: x_t / 2, 2.0)
    for times in (
        ([20, 9, 3, 0], [0, 3, 20]) if name == "probability_flow_ode" else ([20, 9, 3, 0],)
    ):
        trajectory = samplers.SAMPLERS[name](PLAN, denoise, away(_X), times=times, generator=rng())
        READS.clear()
        end = samplers.final(trajectory)
        assert not READS
        assert end.device == APART and bool(end.isfinite().all())


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize("prediction_type", ["x0", "eps", "v"])
def test_the_loss_reads_nothing_and_a_training_step_its_two_numbers_at_once(prediction_type):
    made, x_0, eps = small(away), away(_X), away(_X.flip(0))
    READS.clear()
    losses.simple(PLAN, made, prediction_type, x_0, _T, eps).mean().backward()
    assert not READS
    trained(made, away, prediction_type=prediction_type)
    assert len(READS) == 2  # two steps, and in each the loss together with the gradient's norm
