"""Randomness is an argument: nothing in the package draws from, or seeds, the global generators.

Truth: the states of torch's, numpy's and Python's global generators, before and after every public
function that takes a generator; and the source, where each call that draws must name its generator.
"""

import ast
import importlib
import inspect
import random
import re

import numpy as np
import pytest
import torch
from every import FILES, every, tree

import ddpm_lab
from ddpm_lab import forward, gaussians, ideal_denoisers, losses, samplers, schedules

SCHEDULE = schedules.cosine(T=5)
DENOISE = ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(), SCHEDULE)
X = torch.zeros(3, 2)

# How to call each drawing function of the mathematical core.
DRAWS = {
    "gaussians.normal_like": lambda rng: gaussians.normal_like(X, generator=rng),
    "forward.chain": lambda rng: list(forward.chain(SCHEDULE, X, generator=rng)),
    "losses.bound": lambda rng: losses.bound(SCHEDULE, DENOISE, X, generator=rng),
    "ideal_denoisers.sample": lambda rng: ideal_denoisers.sample(
        ideal_denoisers.circle_mixture(), 9, generator=rng
    ),
    "samplers.reverse": lambda rng: list(samplers.reverse(SCHEDULE, DENOISE, X, generator=rng)),
    "samplers.sample": lambda rng: samplers.sample(SCHEDULE, DENOISE, (3, 2), generator=rng),
    "samplers.ddpm": lambda rng: list(samplers.ddpm(SCHEDULE, DENOISE, X, generator=rng)),
    "samplers.ddim": lambda rng: list(samplers.ddim(SCHEDULE, DENOISE, X, eta=0.5, generator=rng)),
    "samplers.probability_flow_ode": lambda rng: list(
        samplers.probability_flow_ode(SCHEDULE, DENOISE, X, generator=rng)
    ),
    "samplers.dpmpp_2m": lambda rng: list(samplers.dpmpp_2m(SCHEDULE, DENOISE, X, generator=rng)),
}
UNUSED = ("samplers.probability_flow_ode", "samplers.dpmpp_2m")  # only to be called like the others
STILL = {
    "gaussians.seeded": lambda: gaussians.seeded(3),
    "samplers.ddim": lambda: list(samplers.ddim(SCHEDULE, DENOISE, X)),
    "samplers.probability_flow_ode": lambda: list(
        samplers.probability_flow_ode(SCHEDULE, DENOISE, X)
    ),
    "samplers.dpmpp_2m": lambda: list(samplers.dpmpp_2m(SCHEDULE, DENOISE, X)),
    "forward.noised": lambda: forward.noised(SCHEDULE, X, 3, X),
    "ideal_denoisers.dataset_denoiser": lambda: ideal_denoisers.dataset_denoiser(X, SCHEDULE)(X, 3),
}


def core():
    rows = re.findall(r"^    (\d)  (.+)$", ddpm_lab.__doc__, flags=re.M)
    return [name for number, names in rows if int(number) <= 4 for name in names.split()]


def state():
    """A copy of every global generator's state."""
    numpy_state = np.random.get_state()  # the state that must not move
    return (
        torch.get_rng_state().tolist(),
        random.getstate(),
        numpy_state[1].tolist(),
        numpy_state[2],
    )


@pytest.mark.parametrize("name", DRAWS)
def test_drawing_moves_the_given_generator_and_no_other(name):
    before, rng = state(), gaussians.seeded(0)
    at_start = rng.get_state()
    DRAWS[name](rng)
    assert state() == before
    if name not in UNUSED:
        assert not torch.equal(rng.get_state(), at_start)


@pytest.mark.parametrize("name", STILL)
def test_what_does_not_draw_moves_nothing(name):
    before = state()
    STILL[name]()
    assert state() == before


def test_no_drawing_function_of_the_core_is_missing_here():
    """A new function with a `generator` must join the table above."""
    found = {
        f"{module}.{name}"
        for module in core()
        if not module.startswith("_")
        for name, function in vars(importlib.import_module(f"ddpm_lab.{module}")).items()
        if inspect.isfunction(function)
        and f"{function.__module__}.".startswith(f"ddpm_lab.{module}.")
        and not name.startswith("_")
        and "generator" in inspect.signature(function).parameters
    }
    assert found == set(DRAWS), f"add to DRAWS: {sorted(found ^ set(DRAWS))}"


@pytest.mark.parametrize("name", [name for name in DRAWS if name not in UNUSED])
def test_the_generator_is_required_and_has_a_name(name):
    module, function = name.split(".")
    signature = inspect.signature(getattr(importlib.import_module(f"ddpm_lab.{module}"), function))
    generator = signature.parameters["generator"]
    assert generator.kind is inspect.Parameter.KEYWORD_ONLY
    if name in ("samplers.ddpm", "samplers.ddim"):  # called like samplers that need none
        with pytest.raises(TypeError, match=r"generator must be a torch.Generator; got NoneType"):
            DRAWS[name](None)
    else:
        assert generator.default is inspect.Parameter.empty


@pytest.mark.parametrize("name", [name for name in DRAWS if name not in UNUSED])
def test_the_same_seed_draws_the_same_whatever_the_global_state(name):
    def tensors(result):
        if isinstance(result, torch.Tensor):
            return [result]
        return (
            [x for part in result for x in tensors(part)]
            if isinstance(result, (list, tuple))
            else []
        )

    torch_state = torch.get_rng_state()
    try:
        one = tensors(DRAWS[name](gaussians.seeded(1)))
        torch.manual_seed(99)
        other = tensors(DRAWS[name](gaussians.seeded(1)))
    finally:
        torch.set_rng_state(torch_state)
    assert len(one) > 0
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


# The source --------------------------------------------------------------------------------------

TORCH_DRAWS = {
    "rand", "randn", "randint", "randperm", "multinomial", "bernoulli", "normal", "poisson",
    "rand_like", "randn_like", "randint_like", "normal_", "uniform_", "bernoulli_", "exponential_",
}  # fmt: skip
SEEDS = {"manual_seed", "manual_seed_all", "set_rng_state", "seed"}


@every(FILES)
def test_every_call_that_draws_names_its_generator(path):
    """Or is wrapped in `torch.random.fork_rng`, which puts the global state back."""
    forked = {
        id(inner)
        for outer in ast.walk(tree(path))
        if isinstance(outer, ast.With) and "fork_rng" in ast.unparse(outer.items[0])
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree(path)):
        if id(node) in forked:
            continue
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner, name = ast.unparse(node.func.value), node.func.attr
        where = f"{path.name}:{node.lineno}: {ast.unparse(node.func)}"
        assert owner not in ("random", "np.random", "numpy.random"), where
        if name in TORCH_DRAWS and owner != "nn.init":
            assert "generator" in {k.arg for k in node.keywords}, (
                f"{where} draws from the global state"
            )
        if name in SEEDS:
            assert owner not in ("torch", "torch.cuda", "np.random", "random"), where
