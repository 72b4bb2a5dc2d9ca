"""Every law keeps the shape, the dtype and the batch axis of the data it is given.

Truth: the contract. float32 in, float32 out; float64 in, float64 out; one int for all is the same
as that int repeated; nothing is broadcast between data tensors; T = 1 and B = 1 are no special
case.
"""

import pytest
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, predictions, samplers, schedules

SHAPES = [(1,), (4,), (1, 3), (4, 3), (2, 1, 8, 8), (2, 1, 2, 1, 3, 2)]
DTYPES = [torch.float32, torch.float64]
SCHEDULES = [schedules.linear(), schedules.cosine(T=5), schedules.linear(T=1)]


def data_like(shape, dtype, seed=0):
    return gaussians.normal_like(torch.empty(shape, dtype=dtype), generator=gaussians.seeded(seed))


def item_mixture(x):
    size = x[0].numel()
    return ideal_denoisers.Mixture(
        torch.tensor([0.25, 0.75]),
        torch.stack([torch.zeros(size), torch.ones(size)]),
        torch.ones(2),
    )


# name -> function of (schedule, x, t); each returns one tensor shaped like x.
DATA_LAWS = {
    "noised": lambda c, x, t: forward.noised(c, x, t, x.flip(0)),
    "marginal": lambda c, x, t: forward.marginal(c, x, t).mean,
    "transition": lambda c, x, t: forward.transition(c, x, 0, t).mean,
    "posterior": lambda c, x, t: forward.posterior(c, x, x.flip(0), t, 0).mean,
    "convert x0": lambda c, x, t: predictions.convert(c, x, "x0", x.flip(0), t).score,
    "convert eps": lambda c, x, t: predictions.convert(c, x, "eps", x.flip(0), t).x0,
    "convert v": lambda c, x, t: predictions.convert(c, x, "v", x.flip(0), t).eps,
    "target x0": lambda c, x, t: predictions.target(c, "x0", x, x.flip(0), t),
    "target eps": lambda c, x, t: predictions.target(c, "eps", x, x.flip(0), t),
    "target v": lambda c, x, t: predictions.target(c, "v", x, x.flip(0), t),
    "denoiser": lambda c, x, t: predictions.denoiser(c, lambda x, t: 2 * x, "v", clip=1.0)(x, t),
    "guided": lambda c, x, t: predictions.guided(lambda x, t: 2 * x, lambda x, t: x, 3.0)(x, t),
    "mixture_denoiser": lambda c, x, t: ideal_denoisers.mixture_denoiser(item_mixture(x), c)(x, t),
    "dataset_denoiser": lambda c, x, t: ideal_denoisers.dataset_denoiser(x, c)(x, t),
    "ddpm": lambda c, x, t: samplers.ddpm_step(c, x, x.flip(0), t, 0).mean,
    "ddim": lambda c, x, t: samplers.ddim_step(c, x, x.flip(0), t, 0, eta=0.5).mean,
}
# name -> function of (schedule, x, t); each returns a Gaussian.
GAUSSIAN_LAWS = {
    "marginal": forward.marginal,
    "transition": lambda c, x, t: forward.transition(c, x, 0, t),
    "posterior": lambda c, x, t: forward.posterior(c, x, x.flip(0), t, 0),
    "ddpm small": lambda c, x, t: samplers.ddpm_step(c, x, x.flip(0), t, 0),
    "ddpm large": lambda c, x, t: samplers.ddpm_step(c, x, x.flip(0), t, 0, var="large"),
    "ddim": lambda c, x, t: samplers.ddim_step(c, x, x.flip(0), t, 0, eta=0.3),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("law", DATA_LAWS)
def test_laws_keep_shape_and_dtype(law, shape, dtype):
    for schedule in SCHEDULES:
        x = data_like(shape, dtype)
        for t in (1, schedule.T, torch.full((shape[0],), schedule.T)):
            out = DATA_LAWS[law](schedule, x, t)
            assert out.shape == x.shape
            assert out.dtype == dtype
            assert torch.isfinite(out).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("law", GAUSSIAN_LAWS)
def test_the_variance_of_a_law_is_a_scalar_or_one_number_per_batch_item(law, shape, dtype):
    x = data_like(shape, dtype)
    one = GAUSSIAN_LAWS[law](SCHEDULES[0], x, 7)
    many = GAUSSIAN_LAWS[law](SCHEDULES[0], x, torch.full((shape[0],), 7))
    assert one.var.shape == ()
    assert many.var.shape == (shape[0],) + (1,) * (len(shape) - 1)
    assert one.var.dtype == many.var.dtype == dtype
    assert bool((many.var == one.var).all())


@pytest.mark.parametrize("law", DATA_LAWS)
def test_one_int_for_all_is_that_int_repeated(law):
    x = data_like((4, 3), torch.float64)
    for t in (1, 500, 1000):
        one = DATA_LAWS[law](SCHEDULES[0], x, t)
        repeated = DATA_LAWS[law](SCHEDULES[0], x, torch.full((4,), t))
        assert torch.equal(one, repeated)


@pytest.mark.parametrize("kind", ["x0", "eps", "v"])
def test_all_four_predictions_keep_shape_and_dtype(kind):
    for dtype in DTYPES:
        x = data_like((2, 3, 4), dtype)
        p = predictions.convert(SCHEDULES[0], x.flip(0), kind, x, torch.tensor([1, 1000]))
        assert all(part.shape == x.shape and part.dtype == dtype for part in p)


def moves(walk, schedule, denoise, x, times):
    """The moves of any walk, given by its name."""
    rng = gaussians.seeded(0)
    if walk == "chain":
        return list(forward.chain(schedule, x, generator=rng))
    if walk == "reverse":
        return list(samplers.reverse(schedule, denoise, x, times=times, generator=rng))
    if walk == "probability_flow_ode 1":
        return list(samplers.probability_flow_ode(schedule, denoise, x, times=times, order=1))
    return list(samplers.SAMPLERS[walk](schedule, denoise, x, times=times, generator=rng))


WALKS = ["reverse", *samplers.SAMPLERS, "probability_flow_ode 1"]


@pytest.mark.parametrize("walk", [*WALKS, "chain"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1,), (1, 3), (3, 2, 2)])
def test_walks_keep_shape_and_dtype(walk, dtype, shape):
    x = data_like(shape, dtype)
    for schedule in SCHEDULES[1:]:
        denoise = ideal_denoisers.mixture_denoiser(item_mixture(x), schedule)
        walked = moves(walk, schedule, denoise, x, times=list(range(schedule.T, -1, -1)))
        assert len(walked) == schedule.T
        for move in walked:
            tensors = [move[1]] if walk == "chain" else [*move[2:4], *move.p, move.x_s]
            assert all(part.dtype == dtype and torch.isfinite(part).all() for part in tensors)
            assert move[-1].shape == shape


@pytest.mark.parametrize("shape", [(5,), (1, 3), (2, 1, 4, 4)])
def test_sample_draws_float32_of_the_shape_asked_for(shape):
    schedule = schedules.cosine(T=3)
    denoise = ideal_denoisers.dataset_denoiser(torch.zeros(2, *shape[1:]), schedule)
    x_0 = samplers.sample(schedule, denoise, shape, generator=gaussians.seeded(0))
    assert x_0.shape == shape and x_0.dtype == torch.float32


def test_gaussian_functions_sum_over_every_axis_but_the_batch():
    for shape in SHAPES:
        for dtype in DTYPES:
            x = data_like(shape, dtype).clamp(-1, 1)
            p = gaussians.Gaussian(x, torch.ones((), dtype=dtype))
            for out in (
                gaussians.log_prob(p, x),
                gaussians.kl(p, p),
                gaussians.pixel_log_prob(p, x),
                gaussians.log_prob(gaussians.Gaussian(x, torch.ones_like(x)), x),
            ):
                assert out.shape == shape[:1] and out.dtype == dtype
            constant = -0.5 * x[0].numel() * gaussians.LOG_2PI
            torch.testing.assert_close(
                gaussians.log_prob(p, x), torch.full(shape[:1], constant, dtype=dtype)
            )


@pytest.mark.parametrize("dtype", DTYPES)
def test_push_condition_and_draw_keep_the_dtype_of_the_data(dtype):
    x = data_like((3, 2), dtype)
    p = gaussians.Gaussian(x, torch.tensor(0.5, dtype=dtype))
    for scale in (2.0, torch.tensor(2.0, dtype=torch.float64)):
        for noise_var in (0.25, torch.tensor(0.25, dtype=torch.float64)):
            pushed = gaussians.push(p, scale, noise_var)
            conditioned = gaussians.condition(p, x, scale, noise_var)
            for q in (p, pushed, conditioned):
                assert q.mean.dtype == gaussians.draw(q, x).dtype == dtype


def test_log_density_returns_one_number_per_item_in_the_dtype_it_was_given():
    for shape in SHAPES:
        for dtype in DTYPES:
            x = data_like(shape, dtype)
            out = ideal_denoisers.log_density(item_mixture(x), SCHEDULES[0], x, 10)
            assert out.shape == shape[:1] and out.dtype == dtype


@pytest.mark.parametrize(
    "wrong",
    [torch.zeros(1, 3), torch.zeros(4, 1), torch.zeros(3), torch.zeros(4, 3, 1), torch.zeros(3, 4)],
)
def test_shapes_that_would_broadcast_are_refused(wrong):
    x, c, z = torch.zeros(4, 3), SCHEDULES[0], gaussians.Gaussian
    one = torch.tensor(1.0)
    calls = [
        lambda: forward.noised(c, x, 5, wrong),
        lambda: forward.posterior(c, wrong, x, 5, 4),
        lambda: predictions.convert(c, wrong, "eps", x, 5),
        lambda: predictions.target(c, "eps", x, wrong, 5),
        lambda: samplers.ddpm_step(c, x, wrong, 5, 4),
        lambda: samplers.ddim_step(c, x, wrong, 5, 4),
        lambda: gaussians.draw(z(x, one), wrong),
        lambda: gaussians.log_prob(z(x, one), wrong),
        lambda: gaussians.pixel_log_prob(z(x, one), wrong),
        lambda: gaussians.kl(z(x, one), z(wrong, one)),
        lambda: gaussians.condition(z(x, one), wrong, 1.0, 1.0),
        lambda: predictions.denoiser(c, lambda x, t: wrong, "eps")(x, 5),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"same shape; got .* Nothing is broadcast"):
            call()


WRONG_ANSWERS = {"shape": lambda x_t, t: x_t[:1], "dtype": lambda x_t, t: x_t.double()}


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("fault", WRONG_ANSWERS)
def test_a_denoiser_that_answers_in_another_shape_or_dtype_is_refused(walk, fault):
    with pytest.raises(ValueError, match=f"same {fault}; got"):
        moves(walk, SCHEDULES[0], WRONG_ANSWERS[fault], torch.zeros(4, 3), times=[5, 2])


@pytest.mark.parametrize("fault", WRONG_ANSWERS)
def test_guidance_between_answers_of_another_shape_or_dtype_is_refused(fault):
    both = [WRONG_ANSWERS[fault], lambda x_t, t: x_t]
    for conditional, unconditional in (both, both[::-1]):
        with pytest.raises(ValueError, match=f"same {fault}; got"):
            predictions.guided(conditional, unconditional, 2.0)(torch.zeros(4, 3), 5)


def test_float32_and_float64_are_never_mixed_in_silence():
    x, c, z = torch.zeros(4, 3), SCHEDULES[0], gaussians.Gaussian
    one = torch.tensor(1.0)
    for call in (
        lambda: forward.noised(c, x, 5, x.double()),
        lambda: forward.posterior(c, x, x.double(), 5, 4),
        lambda: predictions.convert(c, x.double(), "eps", x, 5),
        lambda: samplers.ddpm_step(c, x, x.double(), 5, 4),
        lambda: samplers.ddim_step(c, x, x.double(), 5, 4),
        lambda: gaussians.draw(z(x, one), x.double()),
        lambda: gaussians.kl(z(x, one), z(x.double(), one)),
    ):
        with pytest.raises(ValueError, match=r"same dtype; got torch.float.* Convert one of them"):
            call()


def test_integer_data_is_refused_and_the_message_shows_how_to_scale_pixels():
    x, c, rng = torch.zeros(4, 3, dtype=torch.uint8), SCHEDULES[0], gaussians.seeded(0)
    for call in (
        lambda: forward.transition(c, x, 0, 5),
        lambda: forward.marginal(c, x, 5),
        lambda: forward.noised(c, x, 5, x),
        lambda: forward.posterior(c, x, x, 5, 4),
        lambda: next(forward.chain(c, x, generator=rng)),
        lambda: predictions.convert(c, x, "v", x, 5),
        lambda: predictions.target(c, "v", x, x, 5),
        lambda: predictions.denoiser(c, lambda x, t: x, "v")(x, 5),
        lambda: ideal_denoisers.dataset_denoiser(x, c),
        lambda: ideal_denoisers.dataset_denoiser(x.float(), c)(x, 5),
        lambda: ideal_denoisers.mixture_denoiser(item_mixture(x), c)(x, 5),
        lambda: ideal_denoisers.log_density(item_mixture(x), c, x, 5),
        lambda: samplers.ddpm_step(c, x, x, 5, 4),
        lambda: samplers.ddim_step(c, x, x, 5, 4),
        lambda: next(samplers.reverse(c, lambda x, t: x, x, generator=rng)),
        lambda: next(samplers.probability_flow_ode(c, lambda x, t: x, x, times=[2, 1])),
        lambda: next(samplers.dpmpp_2m(c, lambda x, t: x, x, times=[2, 1])),
        lambda: gaussians.normal_like(x, generator=rng),
        lambda: schedules.coef(torch.tensor(1.0), x),
    ):
        with pytest.raises(TypeError, match=r"floating point.*got torch.uint8.*127.5 - 1"):
            call()


def test_a_list_or_a_scalar_is_not_a_batch():
    c = SCHEDULES[0]
    with pytest.raises(TypeError, match=r"x_0 must be a torch tensor.*got list.*torch.as_tensor"):
        forward.marginal(c, [0.0, 1.0], 5)
    with pytest.raises(ValueError, match=r"batch axis.*got a scalar.*reshape\(1\)"):
        forward.marginal(c, torch.tensor(1.0), 5)
