"""Samplers, driven by a denoiser that is known exactly: what may not matter, does not matter.

Truth: a stride on a long schedule visits the same noise levels as every step of the respaced one,
so both must give the same bits; one data point leaves nothing uncertain, so a ddpm step is the
forward posterior; an order 1 flow is ddim without fresh noise.
"""

from functools import partial

import pytest
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, predictions, samplers, schedules

RING = ideal_denoisers.circle_mixture(8)
POINTS = torch.tensor([[0.5, 1.0], [-1.0, 0.25], [1.0, -1.0]])
MAKERS = {
    "linear": schedules.linear,
    "cosine": schedules.cosine,
    "zero terminal": lambda: schedules.zero_terminal(schedules.linear()),
}
EACH = pytest.mark.parametrize("name", MAKERS)
STEPS = {
    "ddpm": samplers.ddpm_step,
    "ddpm large": partial(samplers.ddpm_step, var="large"),
    "ddim": samplers.ddim_step,
    "ddim half": partial(samplers.ddim_step, eta=0.5),
}
SAMPLERS = {
    "ddpm": samplers.ddpm,
    "ddpm large": partial(samplers.ddpm, var="large"),
    "ddim": samplers.ddim,
    "ddim half": partial(samplers.ddim, eta=0.5),
}
ORACLES = {
    "mixture": partial(ideal_denoisers.mixture_denoiser, RING),
    "data set": partial(ideal_denoisers.dataset_denoiser, POINTS),
}


def start(n=5, dtype=torch.float32, seed=0):
    return gaussians.normal_like(torch.empty(n, 2, dtype=dtype), generator=gaussians.seeded(seed))


@EACH
@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_striding_over_a_schedule_is_walking_the_respaced_one_bit_by_bit(name, oracle, sampler):
    schedule = MAKERS[name]()
    walk = schedules.timesteps(schedule.T, 7)
    short = schedules.respaced(schedule, walk)
    strided = samplers.sample(
        schedule,
        ORACLES[oracle](schedule),
        (5, 2),
        sampler=SAMPLERS[sampler],
        times=walk,
        generator=gaussians.seeded(0),
    )
    full = samplers.sample(
        short,
        ORACLES[oracle](short),
        (5, 2),
        sampler=SAMPLERS[sampler],
        generator=gaussians.seeded(0),
    )
    assert torch.isfinite(full).all()
    assert torch.equal(strided, full)


@EACH
def test_deterministic_walks_see_the_noise_levels_only(name):
    schedule = MAKERS[name]()
    walk = schedules.timesteps(schedule.T, 7)
    short = schedules.respaced(schedule, walk)
    every = list(range(7, -1, -1))
    # The flow's second look at the last move is a time between, which the short schedule has not.
    for run in (
        lambda c, times: samplers.probability_flow_ode(
            c, ORACLES["mixture"](c), start(), times=times, order=1
        ),
        lambda c, times: samplers.probability_flow_ode(
            c, ORACLES["mixture"](c), start(), times=times[:-1], order=2
        ),
        lambda c, times: samplers.dpmpp_2m(c, ORACLES["mixture"](c), start(), times=times),
    ):
        assert torch.equal(samplers.final(run(schedule, walk)), samplers.final(run(short, every)))


@EACH
@pytest.mark.parametrize("step", STEPS)
def test_a_sampler_takes_the_steps_of_its_rule_bit_by_bit(name, step):
    """`ddpm` and `ddim` compute before the loop what `reverse` asks the rule for in each step."""
    schedule = MAKERS[name]()
    denoise, times = ORACLES["mixture"](schedule), schedules.timesteps(schedule.T, 50)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        slow = samplers.reverse(
            schedule, denoise, start(dtype=dtype), times=times, step=STEPS[step],
            generator=gaussians.seeded(0),
        )  # fmt: skip
        fast = SAMPLERS[step](
            schedule, denoise, start(dtype=dtype), times=times, generator=gaussians.seeded(0)
        )
        for ours, theirs in zip(fast, slow, strict=True):
            assert ours[:2] == theirs[:2]
            for one, other in zip(
                (*ours[2:4], *ours.p, ours.x_s), (*theirs[2:4], *theirs.p, theirs.x_s)
            ):
                assert torch.equal(one, other) and one.dtype == other.dtype


@EACH
def test_the_order_one_flow_is_ddim_without_fresh_noise(name):
    schedule = MAKERS[name]()
    denoise, times = ORACLES["mixture"](schedule), schedules.timesteps(1000, 20)
    x_T = start(dtype=torch.float64)
    for ours, theirs in zip(
        samplers.probability_flow_ode(schedule, denoise, x_T, times=times, order=1),
        samplers.ddim(schedule, denoise, x_T, times=times),
        strict=True,
    ):
        torch.testing.assert_close(ours.x_s, theirs.x_s, rtol=1e-9, atol=1e-11)


@EACH
def test_with_one_data_point_every_bound_term_is_exactly_zero(name):
    """KL(q(x_s | x_t, x_0) || p(x_s | x_t)) = 0: x0_hat is the point, so both laws are one."""
    schedule = MAKERS[name]()
    point = torch.tensor([[0.3, -0.7]], dtype=torch.float64)
    denoise = ideal_denoisers.dataset_denoiser(point, schedule)
    t = torch.arange(2, schedule.T + 1)
    x_0 = point.expand(len(t), 2)
    eps = gaussians.normal_like(x_0, generator=gaussians.seeded(0))
    x_t = forward.noised(schedule, x_0, t, eps)
    truth = forward.posterior(schedule, x_0, x_t, t, t - 1)
    model = samplers.ddpm_step(schedule, x_t, denoise(x_t, t), t, t - 1)
    assert torch.equal(gaussians.kl(truth, model), torch.zeros(len(t), dtype=torch.float64))


@pytest.mark.parametrize("step", STEPS)
def test_an_item_does_not_notice_its_neighbours(step):
    schedule = schedules.linear()
    denoise = ORACLES["mixture"](schedule)
    x = start(6, torch.float64)
    for t, s in ((1000, 700), (300, 1), (5, 0)):
        x0_hat = denoise(x, t)
        whole = STEPS[step](schedule, x, x0_hat, t, s).mean
        for i in range(6):
            alone = denoise(x[i : i + 1], t)
            torch.testing.assert_close(alone[0], x0_hat[i], rtol=1e-12, atol=1e-12)
            one = STEPS[step](schedule, x[i : i + 1], x0_hat[i : i + 1], t, s).mean
            assert torch.equal(one[0], whole[i])


@pytest.mark.parametrize("oracle", ORACLES)
def test_each_item_of_a_batch_may_have_its_own_time(oracle):
    schedule = schedules.cosine()
    denoise = ORACLES[oracle](schedule)
    x, t = start(5, torch.float64), torch.tensor([1, 10, 300, 999, 1000])
    together = denoise(x, t)
    for i in range(5):
        alone = denoise(x[i : i + 1], int(t[i]))
        torch.testing.assert_close(together[i], alone[0], rtol=1e-12, atol=1e-12)


def test_the_shape_of_an_item_does_not_matter_to_an_oracle():
    schedule = schedules.linear()
    x = gaussians.normal_like(torch.empty(3, 12), generator=gaussians.seeded(1))
    points = gaussians.normal_like(torch.empty(4, 12), generator=gaussians.seeded(2))
    flat = ideal_denoisers.dataset_denoiser(points, schedule)(x, 300)
    shaped = ideal_denoisers.dataset_denoiser(points.reshape(4, 3, 2, 2), schedule)(
        x.reshape(3, 3, 2, 2), 300
    )
    assert torch.equal(shaped.reshape(3, 12), flat)


@EACH
def test_a_data_set_is_a_mixture_of_points(name):
    schedule = MAKERS[name]()
    as_points = ideal_denoisers.dataset_denoiser(POINTS, schedule)
    mixture = ideal_denoisers.Mixture(
        torch.full((3,), 1 / 3, dtype=torch.float64), POINTS, torch.zeros(3)
    )
    as_mixture = ideal_denoisers.mixture_denoiser(mixture, schedule)
    x = start(200, torch.float64)
    for t in (1, 10, 300, 1000):
        torch.testing.assert_close(as_points(x, t), as_mixture(x, t), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("turn", [0.3, 1.0, 2.0])
def test_a_turned_ring_is_denoised_into_turned_estimates(turn):
    """The oracle has no preferred direction: rotate the data and x_t, and x0_hat rotates."""
    schedule, angle = schedules.linear(), torch.tensor(turn, dtype=torch.float64)
    rotate = torch.stack(
        [torch.stack([angle.cos(), angle.sin()]), torch.stack([-angle.sin(), angle.cos()])]
    )
    turned = RING._replace(mean=RING.mean @ rotate)
    x = start(20, torch.float64)
    for t in (1, 100, 1000):
        want = ideal_denoisers.mixture_denoiser(RING, schedule)(x, t) @ rotate
        got = ideal_denoisers.mixture_denoiser(turned, schedule)(x @ rotate, t)
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", samplers.SAMPLERS)
def test_a_step_is_the_same_for_a_wrapped_network_and_for_a_denoiser_of_ones_own(name):
    """A sampler asks the former with one time for all, and the latter with one for each item."""
    schedule, asked = schedules.linear(T=40), []

    def net(x_t, t):
        asked.append((t.dtype, t.shape))
        return x_t.sin() * t[:, None] / 40

    wrapped = predictions.denoiser(schedule, net, "v")

    def own(x_t, t):
        return wrapped(x_t, t)

    draws = (
        samplers.final(
            samplers.SAMPLERS[name](
                schedule, denoise, start(3, torch.float32), generator=gaussians.seeded(0)
            )
        )
        for denoise in (wrapped, own)
    )
    assert torch.equal(*draws)
    assert set(asked) == {(torch.int64, (3,))}


@pytest.mark.parametrize("name", samplers.SAMPLERS)
def test_a_wrapped_network_that_answers_in_another_shape_is_refused_by_every_sampler(name):
    schedule = schedules.linear(T=40)
    denoise = predictions.denoiser(schedule, lambda x_t, t: x_t[:, :1], "v")
    steps = samplers.SAMPLERS[name](
        schedule, denoise, start(3, torch.float32), generator=gaussians.seeded(0)
    )
    with pytest.raises(ValueError, match="x_t and out must have the same shape"):
        samplers.final(steps)
