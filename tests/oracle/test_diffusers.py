"""The most used library, as an optional oracle: its schedulers and our steps agree, timesteps
included.

Truth: diffusers, where it is right. It counts times from 0 (its t is our t + 1), and it keeps its
betas and their product in float32, which leaves 1 - abar wrong by up to 2 parts in 10,000: hence
the tolerances. Clipping is off, and "sample" prediction hands over x0_hat itself.
"""

import pytest
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, predictions, samplers, schedules

diffusers = pytest.importorskip(
    "diffusers", reason="an optional oracle: pip install -e '.[bench]' to compare with diffusers"
)

SETTINGS = {
    "num_train_timesteps": 1000,
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "beta_schedule": "linear",
    "prediction_type": "sample",
}
SCHEDULE = schedules.linear()
STEPS = pytest.mark.parametrize("steps", [1000, 100, 20])


def data(seed):
    return gaussians.normal_like(torch.empty(4, 3), generator=gaussians.seeded(seed))


def moves(scheduler, steps):
    """(their t, our t, our s) of a walk; beyond their last time lies clean data, our s = 0."""
    scheduler.set_timesteps(steps)
    theirs = scheduler.timesteps.tolist()
    ours = [t + 1 for t in theirs] + [0]
    return list(zip(theirs, ours, ours[1:], strict=False))


def some(walk, n=12):
    """The first, the last, and a few moves between."""
    return walk[:: max(1, len(walk) // n)] + walk[-2:]


def close(got, want, rtol=1e-3, atol=1e-4):
    torch.testing.assert_close(got, want, rtol=rtol, atol=atol)


def test_the_tables_agree_as_far_as_float32_goes():
    theirs = diffusers.DDPMScheduler(**SETTINGS)
    close(theirs.alphas_cumprod.double(), SCHEDULE.abar[1:], rtol=1e-4, atol=0)
    off = (1 - theirs.alphas_cumprod[0].double()) / (1 - SCHEDULE.abar[1]) - 1
    assert 1e-6 < abs(float(off)) < 1e-3  # the price of float32, paid at t = 1


@pytest.mark.parametrize("offset", [0.008])
def test_the_cosine_tables_agree_as_far_as_float32_goes(offset):
    theirs = diffusers.DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2")
    close(
        theirs.alphas_cumprod.double(), schedules.cosine(offset=offset).abar[1:], rtol=2e-3, atol=0
    )


@STEPS
@pytest.mark.parametrize("var, name", [("small", "fixed_small"), ("large", "fixed_large")])
def test_ddpm_steps_agree(var, name, steps):
    scheduler = diffusers.DDPMScheduler(**SETTINGS, variance_type=name, clip_sample=False)
    x_t, x0_hat = data(0), data(1)
    for their_t, t, s in some(moves(scheduler, steps)):
        rng = gaussians.seeded(2)
        theirs = scheduler.step(x0_hat, their_t, x_t, generator=rng).prev_sample
        p = samplers.ddpm_step(SCHEDULE, x_t, x0_hat, t, s, var=var)
        z = gaussians.normal_like(x_t, generator=gaussians.seeded(2))
        close(gaussians.draw(p, z), theirs)


@STEPS
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_steps_agree(eta, steps):
    scheduler = diffusers.DDIMScheduler(**SETTINGS, clip_sample=False, set_alpha_to_one=True)
    x_t, x0_hat = data(0), data(1)
    for their_t, t, s in some(moves(scheduler, steps)):
        rng = gaussians.seeded(2)
        theirs = scheduler.step(x0_hat, their_t, x_t, eta=eta, generator=rng).prev_sample
        p = samplers.ddim_step(SCHEDULE, x_t, x0_hat, t, s, eta=eta)
        z = gaussians.normal_like(x_t, generator=gaussians.seeded(2))
        close(gaussians.draw(p, z), theirs)


def test_noising_and_velocity_agree():
    scheduler = diffusers.DDPMScheduler(**SETTINGS)
    x_0, eps, t = data(0), data(1), torch.tensor([1, 10, 500, 1000])
    close(forward.noised(SCHEDULE, x_0, t, eps), scheduler.add_noise(x_0, eps, t - 1), atol=1e-5)
    velocity = scheduler.get_velocity(x_0, eps, t - 1)
    close(predictions.target(SCHEDULE, "v", x_0, eps, t), velocity, atol=1e-5)


@pytest.mark.parametrize(
    "kind, name", [("eps", "epsilon"), ("v", "v_prediction"), ("x0", "sample")]
)
def test_kinds_of_prediction_agree(kind, name):
    scheduler = diffusers.DDIMScheduler(**SETTINGS | {"prediction_type": name}, clip_sample=False)
    scheduler.set_timesteps(1000)
    x_t, out = data(0), data(1)
    for t in (2, 100, 500, 900):
        theirs = scheduler.step(out, t - 1, x_t).pred_original_sample
        close(predictions.convert(SCHEDULE, out, kind, x_t, t).x0, theirs)


@pytest.mark.parametrize("steps", [20, 50])
def test_the_multistep_solver_agrees_over_a_whole_walk(steps):
    scheduler = diffusers.DPMSolverMultistepScheduler(
        **SETTINGS,
        algorithm_type="dpmsolver++",
        solver_order=2,
        timestep_spacing="trailing",
        final_sigmas_type="zero",
    )
    scheduler.set_timesteps(steps)
    walk = [int(t) + 1 for t in scheduler.timesteps] + [0]
    denoise = ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(8, std=0.2), SCHEDULE)
    x = start = data(3)[:, :2].contiguous()
    for their_t, t in zip(scheduler.timesteps, walk, strict=False):
        x = scheduler.step(denoise(x, t), their_t, x).prev_sample
    x_0 = samplers.final(samplers.dpmpp_2m(SCHEDULE, denoise, start, times=walk))
    close(x_0, x, rtol=5e-3, atol=5e-3)


def test_zero_terminal_snr_agrees():
    theirs = diffusers.DDIMScheduler(**SETTINGS, rescale_betas_zero_snr=True)
    ours = schedules.zero_terminal(SCHEDULE)
    close(theirs.alphas_cumprod.double()[:-1], ours.abar[1:-1], rtol=2e-3, atol=1e-7)
