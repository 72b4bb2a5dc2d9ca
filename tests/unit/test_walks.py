"""Walks: where they start, where they end, what they yield, and which walks are refused.

Truth: the contract of the samplers and of `chain`, and a one-point data set, whose exact denoiser
always answers with that point.
"""

from functools import partial

import pytest
import torch
from refuses import refuses

from ddpm_lab import forward, gaussians, ideal_denoisers, samplers, schedules

SCHEDULE = schedules.linear(T=20)
POINT = torch.tensor([[3.0, -1.0]])
TO_POINT = ideal_denoisers.dataset_denoiser(POINT, SCHEDULE)
X = torch.zeros(4, 2)

WALKS = {
    "reverse": lambda times: samplers.reverse(
        SCHEDULE, TO_POINT, X, times=times, generator=gaussians.seeded(0)
    ),
    "ode of order 1": lambda times: samplers.probability_flow_ode(
        SCHEDULE, TO_POINT, X, times=times, order=1
    ),
} | {
    name: lambda times, sampler=sampler: sampler(
        SCHEDULE, TO_POINT, X, times=times, generator=gaussians.seeded(0)
    )
    for name, sampler in samplers.SAMPLERS.items()
}
EACH = pytest.mark.parametrize("walk", WALKS)


@EACH
@pytest.mark.parametrize("times", [list(range(20, -1, -1)), [20, 7, 0], [13, 0], [20, 0]])
def test_every_walk_with_the_perfect_denoiser_ends_at_the_only_point(walk, times):
    x_0 = samplers.final(WALKS[walk](times))
    torch.testing.assert_close(x_0, POINT.expand(4, 2), rtol=1e-5, atol=1e-5)


@EACH
def test_a_walk_yields_its_moves_in_order_each_starting_where_the_last_ended(walk):
    times = [20, 11, 5, 0]
    moves = list(WALKS[walk](times))
    assert [(move.t, move.s) for move in moves] == [(20, 11), (11, 5), (5, 0)]
    assert torch.equal(moves[0].x_t, X)
    for before, after in zip(moves, moves[1:], strict=False):
        assert torch.equal(before.x_s, after.x_t)
    for move in moves:
        assert torch.equal(move.x0_hat, POINT.expand(4, 2))
        assert move.p.mean.shape == X.shape


@EACH
def test_times_may_be_a_list_a_tensor_or_a_range(walk):
    for times in ([20, 10, 0], torch.tensor([20, 10, 0]), range(20, -1, -10), (20, 10, 0)):
        assert [move.t for move in WALKS[walk](times)] == [20, 10]


@EACH
def test_a_walk_may_stop_before_the_clean_data(walk):
    assert [step.s for step in WALKS[walk]([20, 15, 10])] == [15, 10]


@pytest.mark.parametrize("walk", ["ode of order 1", "ddim", "probability_flow_ode", "dpmpp_2m"])
def test_a_deterministic_walk_has_laws_without_spread(walk):
    for move in WALKS[walk]([20, 10, 5, 0]):
        assert float(move.p.var) == 0 and torch.equal(move.p.mean, move.x_s)


@pytest.mark.parametrize("walk", ["reverse", "ddpm", "ddim", "dpmpp_2m"])
@pytest.mark.parametrize("times", [[0, 20], [20, 20, 0], [20, 5, 10, 0]])
def test_a_walk_back_must_fall(walk, times):
    with refuses(ValueError, "times must fall", "got", "timesteps"):
        list(WALKS[walk](times))


@pytest.mark.parametrize("order", [1, 2])
def test_the_flow_runs_both_ways_but_does_not_turn_round(order):
    flow = partial(samplers.probability_flow_ode, SCHEDULE, TO_POINT, X, order=order)
    assert [(move.t, move.s) for move in flow(times=[0, 5, 20])] == [(0, 5), (5, 20)]
    for times in ([20, 5, 10], [5, 5], [0, 5, 5]):
        with refuses(ValueError, "times must fall .* or rise", "got", "timesteps"):
            list(flow(times=times))


@EACH
@pytest.mark.parametrize("times", [[21, 0], [20, -1], [5], []])
def test_times_stay_within_the_schedule_and_make_a_move(walk, times):
    with refuses(ValueError, "times must (lie in 0..20|name at least one move)", "got"):
        list(WALKS[walk](times))


@EACH
def test_a_walk_counts_whole_steps(walk):
    with refuses(TypeError, "times must be an int", "got float"):
        list(WALKS[walk]([20, 10.5, 0]))


@EACH
def test_a_number_of_steps_is_not_a_walk(walk):
    """The likely slip: `times=50` where `timesteps(T, 50)` was meant."""
    with refuses(TypeError, "times must", "got int 50", "timesteps"):
        list(WALKS[walk](50))


@pytest.mark.parametrize("order", [0, 3, 1.5, None])
def test_the_flow_has_order_one_or_two(order):
    with refuses(ValueError, "order must be one of 1, 2", "got"):
        list(samplers.probability_flow_ode(SCHEDULE, TO_POINT, X, times=[5, 0], order=order))


def test_a_random_walk_lands_where_its_law_and_its_noise_say():
    """x_s = mean + sqrt(var) z, z the next draw of the generator: the noise is really added."""
    rule = partial(samplers.ddpm_step, var="large")
    for sampler, least in (
        (partial(samplers.reverse, step=rule), 1e-4),
        (partial(samplers.ddpm, var="large"), 1e-4),
        (partial(samplers.ddim, eta=0.7), 2e-5),
    ):
        rng = gaussians.seeded(5)
        for move in sampler(SCHEDULE, TO_POINT, X, generator=gaussians.seeded(5)):
            z = torch.randn(X.shape, generator=rng)
            torch.testing.assert_close(move.x_s, move.p.mean + move.p.var.sqrt() * z)
            assert move.s == 0 or float(move.p.var) > least


def test_the_default_walk_visits_every_time():
    for sampler in (samplers.reverse, *samplers.SAMPLERS.values()):
        moves = list(sampler(SCHEDULE, TO_POINT, X, generator=gaussians.seeded(0)))
        assert [move.t for move in moves] == list(range(20, 0, -1))
        assert moves[-1].s == 0


def test_the_last_move_adds_no_noise():
    for sampler in (
        samplers.reverse,
        samplers.ddpm,
        partial(samplers.ddpm, var="large"),
        partial(samplers.ddim, eta=1.0),
        samplers.ddim,
    ):
        last = list(sampler(SCHEDULE, TO_POINT, X, generator=gaussians.seeded(0)))[-1]
        assert float(last.p.var) == 0 and torch.equal(last.x_s, last.p.mean)


@pytest.mark.parametrize("generator", [None, 0, torch])
def test_a_random_walk_needs_a_generator(generator):
    message = ("generator must be a torch.Generator", "got", "seeded")
    for walk in (
        lambda: list(samplers.reverse(SCHEDULE, TO_POINT, X, generator=generator)),
        lambda: samplers.ddpm(SCHEDULE, TO_POINT, X, generator=generator),
        lambda: samplers.ddim(SCHEDULE, TO_POINT, X, eta=0.5, generator=generator),
        lambda: list(forward.chain(SCHEDULE, X, generator=generator)),
        lambda: samplers.sample(SCHEDULE, TO_POINT, (4, 2), generator=generator),
    ):
        with refuses(TypeError, *message):
            walk()


def test_the_generator_cannot_be_forgotten():
    for call in (
        lambda: list(samplers.reverse(SCHEDULE, TO_POINT, X)),
        lambda: samplers.ddpm(SCHEDULE, TO_POINT, X),
        lambda: samplers.ddim(SCHEDULE, TO_POINT, X, eta=0.5),
        lambda: samplers.sample(SCHEDULE, TO_POINT, (4, 2)),
        lambda: forward.chain(SCHEDULE, X),
        lambda: ideal_denoisers.sample(ideal_denoisers.circle_mixture(), 5),
    ):
        with pytest.raises(TypeError, match="generator"):
            call()


def test_one_seed_gives_one_sample():
    ring = ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(), SCHEDULE)
    one, same, other = (
        samplers.sample(SCHEDULE, ring, (5, 2), generator=gaussians.seeded(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_deterministic_steps_need_noise_for_the_start_only():
    ring = ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(), SCHEDULE)
    x_T = gaussians.normal_like(torch.empty(5, 2), generator=gaussians.seeded(1))
    one, other = (
        samplers.reverse(
            SCHEDULE, ring, x_T, step=samplers.ddim_step, generator=gaussians.seeded(seed)
        )
        for seed in (1, 2)
    )
    end = samplers.final(one)
    assert torch.equal(end, samplers.final(other))
    for sampler in (samplers.ddim, samplers.probability_flow_ode, samplers.dpmpp_2m):
        rng = gaussians.seeded(1)
        end = samplers.final(sampler(SCHEDULE, ring, x_T))
        assert torch.equal(end, samplers.final(sampler(SCHEDULE, ring, x_T, generator=rng)))
        assert torch.equal(rng.get_state(), gaussians.seeded(1).get_state())  # nothing was drawn


def test_sample_starts_from_noise_and_returns_where_the_sampler_ends():
    ring = ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(), SCHEDULE)
    for name, options in (
        ("ddpm", {"var": "large"}),
        ("ddim", {"eta": 0.5}),
        ("probability_flow_ode", {"order": 1}),
        ("dpmpp_2m", {}),
    ):
        sampler, rng, times = samplers.SAMPLERS[name], gaussians.seeded(1), [20, 12, 3, 0]
        x_T = gaussians.normal_like(torch.empty(5, 2), generator=rng)
        end = samplers.final(sampler(SCHEDULE, ring, x_T, times=times, generator=rng, **options))
        for chosen in (name, sampler):
            x_0 = samplers.sample(
                SCHEDULE, ring, (5, 2), sampler=chosen, times=times,
                generator=gaussians.seeded(1), **options,
            )  # fmt: skip
            assert torch.equal(x_0, end)


def test_a_sampler_that_is_not_known_is_refused():
    with refuses(ValueError, "sampler must be one of 'ddpm', 'ddim'", "got 'ddmp'", "ddpm"):
        samplers.sample(SCHEDULE, TO_POINT, (4, 2), sampler="ddmp", generator=gaussians.seeded(0))
    with refuses(TypeError, "unexpected keyword argument 'eta'"):
        samplers.sample(SCHEDULE, TO_POINT, (4, 2), eta=0.5, generator=gaussians.seeded(0))


def test_final_keeps_the_last_step_and_refuses_what_is_no_trajectory():
    steps = list(WALKS["ddpm"]([20, 10, 0]))
    assert samplers.final(steps) is steps[-1].x_s
    assert samplers.final(iter(steps[:1])) is steps[0].x_s
    with refuses(ValueError, "number of steps in trajectory must be at least 1", "got 0"):
        samplers.final([])
    with refuses(TypeError, "each step of trajectory must be a .*Step", "got a tensor"):
        samplers.final(X)
    with refuses(TypeError, "trajectory must be", "got"):
        samplers.final(3)


def test_walking_leaves_gradients_off_inside_and_on_outside():
    weight = torch.ones(2, requires_grad=True)

    def denoise(x_t, t):
        assert not torch.is_grad_enabled()
        return weight * x_t

    for walk in (
        sampler(SCHEDULE, denoise, X, times=[9, 4, 0], generator=gaussians.seeded(0))
        for sampler in (samplers.reverse, *samplers.SAMPLERS.values())
    ):
        for move in walk:
            assert torch.is_grad_enabled()
            assert not move.x_s.requires_grad


def test_the_chain_visits_every_time_and_starts_from_clean_data():
    tiny = schedules.from_beta([1e-12, 0.5])
    visited = list(forward.chain(tiny, X + 1, generator=gaussians.seeded(0)))
    assert [t for t, _ in visited] == [1, 2]
    torch.testing.assert_close(visited[0][1], X + 1, rtol=0, atol=1e-4)


def test_walks_do_not_change_their_input():
    for walk in WALKS.values():
        list(walk([20, 10, 0]))
    list(forward.chain(SCHEDULE, X, generator=gaussians.seeded(0)))
    assert torch.equal(X, torch.zeros(4, 2))


def test_arguments_are_checked_at_the_call_and_not_at_the_first_move():
    generator = gaussians.seeded(0)
    for sampler in (samplers.reverse, *samplers.SAMPLERS.values()):
        with refuses(ValueError, "times must fall"):
            sampler(SCHEDULE, TO_POINT, X, times=[5, 5, 0], generator=generator)
        with refuses(TypeError, "generator must be"):
            sampler(SCHEDULE, TO_POINT, X, times=[5, 0], generator=3)
        with refuses(TypeError, "denoise must be a function"):
            sampler(SCHEDULE, None, X, times=[5, 0], generator=generator)
        with refuses(TypeError, "x_T must be"):
            sampler(SCHEDULE, TO_POINT, [0.0], times=[5, 0], generator=generator)
    for call in (
        lambda: samplers.ddpm(SCHEDULE, TO_POINT, X, generator=generator, var="medium"),
        lambda: samplers.ddim(SCHEDULE, TO_POINT, X, generator=generator, eta=1.5),
    ):
        with refuses(ValueError, "(var|eta) must", "got"):
            call()
    with pytest.raises(TypeError, match="generator"):
        forward.chain(SCHEDULE, X, generator=None)
