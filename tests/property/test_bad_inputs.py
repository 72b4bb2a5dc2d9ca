"""Whatever is given in the place of a good argument is refused with words, or does no harm.

Truth: the predicates of `bad_inputs`, which say what each argument may be without asking the
package; and for single doors arithmetic, and the number that must not be cut down.
"""

import inspect
import math
import random
from collections import Counter
from fractions import Fraction

import bad_inputs
import numpy as np
import pytest
import torch
from refuses import refuses

from ddpm_lab import (
    _checks,
    bayes,
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
from ddpm_lab.course import display, figures
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.training import config, evaluation, judges, models, pretrained, trainer

MODULES = (
    *(
        bayes,
        gaussians,
        estimators,
        elbo,
        schedules,
        forward,
        predictions,
        ideal_denoisers,
        samplers,
    ),
    *(losses, sde, flow_matching, discrete, metrics, networks, display, figures),
    *(training, config, models, pretrained, judges, evaluation, trainer, interop),
)
WITH_CLASSES = networks, training, interop
"""A class that is called takes part; a named tuple does not, since it looks at nothing."""
LEFT_OUT = {"interop.to_onnx", "interop.onnx_difference"}
"""They need packages that may not be there; `test_interop` calls them where they are."""
X = torch.tensor([[1.0, -2.0], [0.5, 3.0]])


# The sweep ---------------------------------------------------------------------------------------


def public_functions():
    """(name, function) of each, by the first module of `MODULES` that has it."""
    seen = set()
    for module in MODULES:
        room = module.__name__.removeprefix("ddpm_lab.").removeprefix("course.")
        for name, value in vars(module).items():
            ours = (getattr(value, "__module__", None) or "").startswith(module.__name__)
            if not ours or name.startswith("_") or value in seen or not wanted(value, module):
                continue
            seen.add(value)
            if (known_as := f"{room}.{name}") not in LEFT_OUT:
                yield pytest.param(known_as, value, id=known_as)


def wanted(value, module):
    made = inspect.isclass(value) and not hasattr(value, "_fields") and module in WITH_CLASSES
    return inspect.isfunction(value) or made


@pytest.mark.parametrize(("name", "function"), list(public_functions()))
def test_every_public_function_takes_part_with_all_its_arguments(name, function):
    good = bad_inputs.CALLS[name][1]
    wanted = {
        p.name for p in inspect.signature(function).parameters.values() if p.kind != p.VAR_KEYWORD
    }
    assert good.keys() == wanted


@pytest.mark.parametrize("name", [name for name in bad_inputs.CALLS if "show" not in name])
def test_the_good_calls_are_good(name):
    function, good, fits, after = bad_inputs.CALLS[name]
    after(function(**bad_inputs.made(good)))
    arguments = bad_inputs.made(good)
    unfit = {each for each in good if not fits[each](arguments[each])}
    assert unfit <= {"batches"}  # an iterator cannot be looked at without using it up


def test_bad_inputs_are_refused_with_words_that_name_the_argument(capsys):
    """A few thousand of all cases, the same ones each time; `python bad_inputs.py` tries them all.

    10**9 is left out: where a check is missing it would fill the memory.
    """
    cases = [case for case in bad_inputs.cases() if "10**9" not in case[0]]
    found = {}
    for label, *case in random.Random(0).sample(cases, 3000):
        found[label] = bad_inputs.judge(*case)
    verdicts = Counter(verdict for verdict, _ in found.values())
    harm = {
        label: words for label, (verdict, words) in found.items() if verdict in ("silent", "nan")
    }
    assert not harm
    cryptic = {label: words for label, (verdict, words) in found.items() if verdict == "cryptic"}
    assert len(cryptic) <= 0.02 * len(found), cryptic
    assert verdicts["clear"] > 0.8 * len(found)  # the sweep still finds what is to be refused


# One number --------------------------------------------------------------------------------------

FRACTIONS = [2.9, 2.0, torch.tensor(2.9), torch.tensor(2.0), np.float64(2.9), np.array(2.9)]
NO_NUMBERS = [True, "2", None, [2], 2j, np.complex128(2), torch.tensor(2j), np.bool_(True)]
MORE_THAN_ONE = [torch.tensor([2]), np.array([2]), torch.tensor([2.9]), np.array([[2]])]


@pytest.mark.parametrize("value", [*FRACTIONS, *NO_NUMBERS, *MORE_THAN_ONE, Fraction(2)], ids=repr)
def test_a_count_is_never_cut_down_to_a_whole_number(value):
    for call in (
        lambda: schedules.linear(T=value),
        lambda: gaussians.seeded(value),
        lambda: networks.build(networks.MLP, seed=value),
        lambda: networks.MLP(width=value),
        lambda: networks.Classifier(labels=value),
        lambda: networks.VAE(latents=value),
        lambda: networks.UNet(groups=value),
        lambda: bayes.conjugate(bayes.Beta(1, 1), 1, value),
        lambda: ideal_denoisers.circle_mixture(value),
    ):
        with refuses(TypeError, "must be a whole number", "got"):
            call()


@pytest.mark.parametrize("two", [np.int64(2), np.uint8(2), np.array(2), torch.tensor(2)], ids=repr)
def test_a_whole_number_of_any_library_is_that_number(two):
    assert torch.equal(schedules.linear(T=two).abar, schedules.linear(T=2).abar)
    assert schedules.timesteps(10, two) == [10, 5, 0]
    assert gaussians.seeded(two).initial_seed() == 2
    assert networks.MLP(dim=two).dim == 2 and networks.VAE(shape=(two, 3)).shape == (2, 3)
    assert forward.marginal(schedules.linear(), X, two).mean.shape == X.shape


@pytest.mark.parametrize("value", [*NO_NUMBERS, *MORE_THAN_ONE, 1 + 0j], ids=repr)
def test_a_number_is_real_and_one_alone(value):
    for call in (
        lambda: samplers.ddim_step(schedules.linear(), X, X, 5, 4, eta=value),
        lambda: predictions.guided(len, len, value),
        lambda: schedules.cosine(offset=value),
        lambda: ideal_denoisers.circle_mixture(radius=value),
    ):
        with refuses(TypeError, "must be a number", "got"):
            call()


@pytest.mark.parametrize(
    "half", [np.float16(0.5), np.array(0.5), torch.tensor(0.5), Fraction(1, 2)]
)
def test_a_real_number_of_any_library_is_that_number(half):
    ours = samplers.ddim_step(schedules.linear(), X, X, 5, 4, eta=half)
    assert torch.equal(ours.var, samplers.ddim_step(schedules.linear(), X, X, 5, 4, eta=0.5).var)
    pushed = gaussians.push(Gaussian(X, half), half, half)
    assert torch.equal(pushed.mean, X / 2) and float(pushed.var) == 0.5**3 + 0.5


@pytest.mark.parametrize("size", [10**9, 10**18, 10**400, 10**5000], ids="abcd")
def test_what_would_fill_the_memory_or_never_end_is_refused_at_once(size):
    for call in (
        lambda: bayes.unit_grid(size),
        lambda: schedules.su(size),
        lambda: schedules.timesteps(size, 5),
        lambda: networks.MLP(depth=size),
        lambda: networks.UNet(blocks=size),
        lambda: networks.time_embedding(torch.arange(3), size),
        lambda: ideal_denoisers.sample(
            ideal_denoisers.circle_mixture(), size, generator=gaussians.seeded(0)
        ),
        lambda: metrics.real_baseline(
            len, X.repeat(9, 1), splits=size, generator=gaussians.seeded(0)
        ),
        lambda: samplers.sample(schedules.linear(), len, (size, 2), generator=gaussians.seeded(0)),
    ):
        with refuses(ValueError, "must be at most|must lie in", "got"):
            call()


def test_a_number_is_shown_in_enough_digits_to_tell_it_from_its_bound():
    for value, bound, text in (
        (0.5, 1, "0.5"),
        (2 / 3, 1, "0.666667"),
        (1.0000000001, 1, "1.0000000001"),
        (1 - 1e-12, 1.0, "0.999999999999"),
        (math.inf, 1, "inf"),
        (1.0, 1.0, "1"),
        (7, 5, "7"),
        (-(10**400), 0, "about -2**1328"),
    ):
        assert _checks.digits(value, bound) == text
    assert "\n" not in _checks.say(np.eye(3)) + _checks.say([X])  # a message is one line
    with refuses(ValueError, "eta <= 1; got 1.0000000001"):
        samplers.ddim_step(schedules.linear(), X, X, 5, 4, eta=1.0000000001)


def test_sizes_that_are_small_one_by_one_may_be_too_many_together():
    for shape in ((10**5, 10**5), (2, *[100] * 5)):
        with refuses(ValueError, "the product of shape must be at most", "in several parts"):
            discrete.sample(
                schedules.linear(), discrete.uniform(3), len, shape, generator=gaussians.seeded(0)
            )


# Tensors and what holds them ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("var", "error"),
    [
        (-4.0, ValueError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        (torch.tensor([[1.0], [-4.0]]), ValueError),
        (torch.ones(3, 1, 1), ValueError),
        (None, TypeError),
        ("1", TypeError),
        (True, TypeError),
        (1j, TypeError),
        (torch.tensor(1 + 0j), TypeError),
        (torch.eye(2).to_sparse(), TypeError),
    ],
    ids=repr,
)
def test_a_gaussian_without_a_variance_is_none(var, error):
    bad, good = Gaussian(X, var), Gaussian(X, torch.tensor(1.0))
    for call in (
        lambda: gaussians.draw(bad, X),
        lambda: gaussians.push(bad, 1.0),
        lambda: gaussians.condition(bad, X, 1.0, 1.0),
        lambda: gaussians.product(bad, good),
        lambda: gaussians.product(good, bad),
        lambda: gaussians.kl(bad, good),
        lambda: elbo.latent_kl(bad),
    ):
        with refuses(error, r"\b[pq]\.var|\bprior\.var", "must", "got"):
            call()


@pytest.mark.parametrize(
    "bad", [None, X, (X, X), ideal_denoisers.two_modes(), 1.0], ids=lambda x: type(x)
)
def test_only_a_gaussian_is_a_gaussian(bad):
    for call in (
        lambda: gaussians.draw(bad, X),
        lambda: gaussians.push(bad, 1.0),
        lambda: gaussians.log_prob(bad, X),
    ):
        with refuses(TypeError, "p must be a Gaussian", "got"):
            call()


@pytest.mark.parametrize(
    "bad", [None, 1000, X, "linear", schedules.linear, schedules.linear().abar]
)
def test_only_a_schedule_is_a_schedule(bad):
    for call in (
        lambda: forward.marginal(bad, X, 5),
        lambda: forward.chain(bad, X, generator=gaussians.seeded(0)),
        lambda: predictions.denoiser(bad, len, "eps"),
        lambda: ideal_denoisers.dataset_denoiser(X, bad),
        lambda: samplers.dpmpp_2m(bad, len, X, times=[2, 1]),
        lambda: losses.weight(bad, "eps", 5, "simple"),
        lambda: schedules.zero_terminal(bad),
    ):
        with refuses(TypeError, "schedule must be a Schedule", "got", "schedules.linear"):
            call()


@pytest.mark.parametrize(
    ("x", "error"),
    [
        (X.to(torch.complex64), TypeError),
        (X.to_sparse(), TypeError),
        (X.to("meta"), TypeError),
        (X.to(torch.float8_e4m3fn), TypeError),
        (X[:0], ValueError),
        (X[:, :0], ValueError),
    ],
    ids=["complex", "sparse", "meta", "float8", "no item", "no number"],
)
def test_data_are_dense_real_tensors_of_something(x, error):
    for call in (
        lambda: forward.marginal(schedules.linear(), x, 5),
        lambda: gaussians.normal_like(x, generator=gaussians.seeded(0)),
        lambda: gaussians.draw(Gaussian(x, 1.0), x),
        lambda: elbo.prior(x),
    ):
        with refuses(error, "must", "got"):
            call()


@pytest.mark.parametrize("values", [[1.0, math.nan], [[1.0], [1.0, 2.0]], ["a"], [1j], [None]])
def test_numbers_on_a_grid_are_real_and_finite(values):
    with pytest.raises((TypeError, ValueError), match=r"values must .* got"):
        bayes.integral(values, [0.0, 1.0])


def test_numbers_may_come_as_a_list_an_array_or_a_tensor():
    grid = [0.0, 0.5, 1.0]
    for form in (list, np.array, torch.tensor, lambda x: np.array(x, dtype=np.float16)[::-1][::-1]):
        assert float(bayes.integral(form([0, 1, 2]), form(grid))) == 1.0
        assert schedules.from_beta(form([0.5, 0.5])).abar.tolist() == [1, 0.5, 0.25]


def test_what_is_nan_in_data_is_nan_in_the_result():
    """The promise of `types.Data`: values are not looked at, and nothing is hidden either."""
    x = X.clone()
    x[0, 0] = math.nan
    schedule = schedules.linear()
    for found in (
        forward.noised(schedule, x, 5, X),
        forward.posterior(schedule, X, x, 5, 4).mean,
        predictions.convert(schedule, x, "v", X, 5).x0,
        samplers.ddim_step(schedule, X, x, 5, 4).mean,
        gaussians.draw(Gaussian(X, 1.0), x),
    ):
        assert torch.isnan(found).any() and torch.isfinite(found[1]).all()


def test_a_covariance_that_rounding_alone_makes_positive_is_refused():
    flat = torch.full((2, 2), 0.5)  # a point on a line: no density, eigenvalues 0 and 1
    for call in (
        lambda: gaussians.kl_full(X, torch.eye(2), X, flat),
        lambda: gaussians.kl_full(X, flat, X, torch.eye(2)),
    ):
        with refuses(ValueError, "_cov must give every direction a variance > 0", "eigenvalue"):
            call()


@pytest.mark.parametrize("bad", [True, 2.0, "2", torch.tensor(2), None])
def test_an_option_is_what_it_looks_like(bad):
    if not isinstance(bad, torch.Tensor):  # a 0-d tensor of a whole number is that number
        with refuses(ValueError, "order must be one of 1, 2", "got"):
            samplers.probability_flow_ode(schedules.linear(), len, X, times=[2, 1], order=bad)
    with refuses(ValueError, "ordered must be one of False, True", "got"):
        bayes.coin_log_likelihood(1, 2, 0.5, ordered=1 if bad is True else bad)


def test_a_time_for_each_item_is_never_broadcast_by_a_network():
    for net, x in (
        (networks.build(networks.MLP, seed=0), torch.zeros(3, 2)),
        (networks.build(networks.UNet, seed=0, width=8, mults=(1,)), torch.zeros(3, 1, 4, 4)),
    ):
        with refuses(TypeError, r"t must be \(3,\) int64, one time per item", "got"):
            net(x, torch.tensor([5]))
