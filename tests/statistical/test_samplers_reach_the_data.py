"""With a denoiser that is exactly right, walking back must return the data's own law.

Truth: the data themselves. Sliced Wasserstein distances are measured here by a few lines of numpy,
as the mean distance to ten reference data sets, and judged against their own floor: the same number
for twenty fresh draws of the data. A right sampler looks like one more draw. It passes below the
floor's mean plus 4 standard deviations: for a bell-shaped floor a false alarm has a chance of 3e-5.
The seeds are fixed.
"""

import numpy as np
import pytest
import torch

from ddpm_lab import gaussians, ideal_denoisers, samplers, schedules

pytestmark = pytest.mark.statistical
N = 4000
RING = ideal_denoisers.circle_mixture(8)
ANGLES = np.linspace(0, np.pi, 32, endpoint=False)
DIRECTIONS = np.stack([np.cos(ANGLES), np.sin(ANGLES)])


def sliced(a, b):
    """Root mean square, over 32 directions, of the 1-D Wasserstein-2 distance: sort and compare."""
    a, b = (np.sort(x.double().numpy() @ DIRECTIONS, axis=0) for x in (a, b))
    return float(np.sqrt(((a - b) ** 2).mean()))


def data(seed):
    return ideal_denoisers.sample(RING, N, generator=gaussians.seeded(1000 + seed))


REFERENCES = [data(seed) for seed in range(10)]


def distance(samples):
    return float(np.mean([sliced(samples, reference) for reference in REFERENCES]))


@pytest.fixture(scope="module")
def limit():
    """Above this, samples are not one more draw of the data."""
    floor = np.array([distance(data(100 + seed)) for seed in range(20)])
    return floor.mean() + 4 * floor.std(ddof=1)


def run(schedule, sampler, times=None, seed=0, **options):
    denoise = ideal_denoisers.mixture_denoiser(RING, schedule)
    rng = gaussians.seeded(seed)
    return samplers.sample(
        schedule, denoise, (N, 2), sampler=sampler, times=times, generator=rng, **options
    )


@pytest.mark.parametrize(
    ("sampler", "options"),
    [("ddpm", {}), ("ddpm", {"var": "large"}), ("ddim", {"eta": 0.5})],
    ids=["ddpm small", "ddpm large", "ddim half"],
)
def test_a_thousand_steps_return_the_data(sampler, options, limit):
    assert distance(run(schedules.linear(), sampler, **options)) < limit


@pytest.mark.parametrize(
    "make", [schedules.cosine, lambda: schedules.zero_terminal(schedules.linear())]
)
def test_other_schedules_return_the_data_too(make, limit):
    schedule = make()
    times = schedules.timesteps(1000, 500)
    assert distance(run(schedule, "ddpm", times)) < limit


def test_the_judge_can_tell_a_bad_sampler(limit):
    """Power: few steps, one jump, or a ring a tenth too small all lie beyond the limit."""
    linear = schedules.linear()
    assert distance(run(linear, "ddim", schedules.timesteps(1000, 8))) > limit
    assert distance(run(linear, "ddpm", [1000, 0])) > 5 * limit
    small = ideal_denoisers.sample(
        ideal_denoisers.circle_mixture(8, radius=0.9), N, generator=gaussians.seeded(5)
    )
    assert distance(small) > limit


@pytest.mark.parametrize("sampler", ["probability_flow_ode", "dpmpp_2m"])
def test_deterministic_solvers_return_the_data_in_fifty_steps(sampler, limit):
    schedule = schedules.cosine()
    assert distance(run(schedule, sampler, schedules.timesteps(1000, 50), seed=3)) < limit


def test_the_exact_denoiser_of_a_data_set_can_only_return_what_it_has_seen():
    """Every sample is one of the points, and every point comes up its fair share of times (|z| <
    5).
    """
    points = torch.tensor([[0.0, 0.0], [1.0, 0.5], [-1.5, 0.2], [0.3, -1.2], [-0.4, 1.6]])
    schedule = schedules.linear()
    denoise = ideal_denoisers.dataset_denoiser(points, schedule)
    n = 2500
    x = samplers.sample(
        schedule,
        denoise,
        (n, 2),
        times=schedules.timesteps(1000, 500),
        generator=gaussians.seeded(11),
    )
    distances, nearest = (x[:, None] - points).norm(dim=2).min(dim=1)
    assert float(distances.max()) < 1e-6
    counts = nearest.bincount(minlength=5).double()
    z = (counts - n / 5) / (n * 0.2 * 0.8) ** 0.5
    assert float(z.abs().max()) < 5


def test_the_flow_of_a_data_set_lands_on_points_too():
    points = torch.tensor([[-1.0], [0.2], [1.0]])
    schedule = schedules.cosine()
    denoise = ideal_denoisers.dataset_denoiser(points, schedule)
    x_T = gaussians.normal_like(torch.empty(500, 1), generator=gaussians.seeded(12))
    x = samplers.final(
        samplers.probability_flow_ode(
            schedule, denoise, x_T, times=schedules.timesteps(1000, 100), order=1
        )
    )
    nearest = (x - points.T).abs().min(dim=1).values
    assert float((nearest < 1e-4).double().mean()) > 0.98  # the rest started between two points
