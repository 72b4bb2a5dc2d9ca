"""Draw, push, condition, compare: by hand on numbers, and what is refused.

Truth: arithmetic that fits in the head, and the docstrings' Raises lines.
"""

import math

import pytest
import torch
from refuses import refuses

from ddpm_lab import gaussians
from ddpm_lab.gaussians import Gaussian


def law(mean, var):
    return Gaussian(
        torch.tensor([mean], dtype=torch.float64), torch.tensor(var, dtype=torch.float64)
    )


def test_a_draw_is_the_mean_plus_the_standard_deviation_times_z():
    z = torch.tensor([0.5], dtype=torch.float64)
    assert gaussians.draw(law(1.0, 4.0), z).tolist() == [2.0]
    assert gaussians.draw(law(1.0, 0.0), z).tolist() == [1.0]


def test_a_python_number_as_variance_keeps_all_its_digits():
    mean, z = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    assert float(gaussians.draw(Gaussian(mean, 0.1), z)) == math.sqrt(0.1)
    want = -0.5 * math.log(2 * math.pi * 0.1) - 0.5 / 0.1
    assert float(gaussians.log_prob(Gaussian(mean, 0.1), z)) == pytest.approx(want, rel=1e-14)


def test_variances_add_when_noise_is_pushed_on():
    pushed = gaussians.push(law(3.0, 1.0), scale=2.0, noise_var=5.0)
    assert (float(pushed.mean), float(pushed.var)) == (6.0, 9.0)


def test_precisions_add_when_something_is_seen():
    seen = gaussians.condition(law(0.0, 1.0), torch.tensor([2.0], dtype=torch.float64), 1.0, 1.0)
    assert (float(seen.mean), float(seen.var)) == (1.0, 0.5)


def test_who_knows_already_learns_nothing():
    seen = gaussians.condition(law(3.0, 0.0), torch.tensor([9.0], dtype=torch.float64), 2.0, 0.1)
    assert (float(seen.mean), float(seen.var)) == (3.0, 0.0)


def test_the_variance_is_counted_once_per_data_axis():
    """A scalar variance stands for all axes: log_prob and kl must count every one of them."""
    x = torch.ones(2, 3, 4, dtype=torch.float64)
    one = gaussians.log_prob(law(0.0, 2.0), torch.ones(1, dtype=torch.float64))
    for var in (torch.tensor(2.0), torch.full((2, 1, 1), 2.0), torch.full((2, 3, 4), 2.0)):
        p, q = Gaussian(0 * x, var), Gaussian(0 * x, 3 * var)
        assert gaussians.log_prob(p, x).tolist() == pytest.approx([12 * float(one)] * 2, rel=1e-14)
        per_axis = 0.5 * (1 / 3 - 1 + math.log(3))
        assert gaussians.kl(p, q).tolist() == pytest.approx([12 * per_axis] * 2, rel=1e-14)


def test_the_same_seed_gives_the_same_noise_and_another_seed_another():
    x = torch.zeros(5)
    draws = [gaussians.normal_like(x, generator=gaussians.seeded(s)) for s in (7, 7, 8)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("not_a_generator", [None, 0, torch, torch.randn])
def test_randomness_is_an_argument(not_a_generator):
    kind = type(not_a_generator).__name__
    with refuses(TypeError, "generator must be a torch.Generator", f"got {kind}", "seeded"):
        gaussians.normal_like(torch.zeros(2), generator=not_a_generator)
    with pytest.raises(TypeError, match="generator"):
        gaussians.normal_like(torch.zeros(2))


@pytest.mark.parametrize("noise_var", [-1.0, math.nan, math.inf, torch.tensor([-1.0])])
def test_a_noise_variance_is_finite_and_not_negative(noise_var):
    with refuses(ValueError, "noise_var must be finite and >= 0", "got", "square of a standard"):
        gaussians.push(law(0.0, 1.0), 1.0, noise_var)


@pytest.mark.parametrize("noise_var", [0.0, -1.0, math.nan])
def test_conditioning_needs_some_noise(noise_var):
    with refuses(ValueError, "noise_var must be finite and > 0", "got"):
        gaussians.condition(law(0.0, 1.0), torch.zeros(1, dtype=torch.float64), 1.0, noise_var)


@pytest.mark.parametrize("var", [0.0, -1.0, math.nan, math.inf])
def test_a_point_has_no_density(var):
    x = torch.zeros(1, dtype=torch.float64)
    good, bad = law(0.0, 1.0), law(0.0, var)
    for call in (
        lambda: gaussians.log_prob(bad, x),
        lambda: gaussians.pixel_log_prob(bad, x),
        lambda: gaussians.kl(good, bad),
        lambda: gaussians.kl(bad, good),
    ):
        with refuses(ValueError, "var must be finite and > 0", "got", "no density"):
            call()


def test_draw_refuses_a_negative_variance_rather_than_returning_nan():
    with refuses(ValueError, "var must", ">= 0", "got -1"):
        gaussians.draw(law(0.0, -1.0), torch.zeros(1, dtype=torch.float64))


def test_pixels_lie_between_minus_one_and_one():
    p = Gaussian(torch.zeros(1, 1), torch.tensor(1.0))
    for value in (1.01, -2.0, math.nan):
        with refuses(ValueError, r"x must lie in \[-1, 1\]", "got values up to", "127.5 - 1"):
            gaussians.pixel_log_prob(p, torch.full((1, 1), value))


def test_there_are_at_least_two_grey_levels():
    p, x = Gaussian(torch.zeros(1, 1), torch.tensor(1.0)), torch.ones(1, 1)
    with refuses(ValueError, "levels must be at least 2", "got 1", "256"):
        gaussians.pixel_log_prob(p, x, levels=1)
    with refuses(TypeError, "levels must be a whole number", "got float 2.0"):
        gaussians.pixel_log_prob(p, x, levels=2.0)


def test_a_variance_of_the_wrong_shape_is_named():
    p = Gaussian(torch.zeros(2, 3), torch.ones(2))
    with refuses(
        ValueError, r"var must broadcast to the mean's shape \(2, 3\)", r"got \(2,\)", "coef"
    ):
        gaussians.log_prob(p, torch.zeros(2, 3))


def test_a_scale_never_makes_the_mean_grow():
    p = Gaussian(torch.zeros(2, 1), torch.ones(()))
    with refuses(ValueError, "scale must broadcast", r"got \(2, 3\)"):
        gaussians.push(p, torch.ones(2, 3))
    with refuses(TypeError, "scale must be a number or a tensor", "str"):
        gaussians.push(p, "a")


def test_push_and_condition_keep_the_dtype_of_the_mean():
    p = Gaussian(torch.zeros(2, 3), torch.ones(()))
    half = torch.tensor(0.5, dtype=torch.float64)
    for found in (gaussians.push(p, half, half), gaussians.condition(p, p.mean, half, half)):
        assert found.mean.dtype == found.var.dtype == torch.float32


@pytest.mark.parametrize("seed", [1.5, "1", None, -1])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises((TypeError, ValueError), match="seed must be"):
        gaussians.seeded(seed)


def test_two_equal_opinions_meet_in_the_middle_and_one_can_be_taken_back():
    both = gaussians.product(law(0.0, 1.0), law(2.0, 1.0))
    assert (float(both.mean), float(both.var)) == (1.0, 0.5)
    left = gaussians.quotient(both, law(2.0, 1.0))
    assert (float(left.mean), float(left.var)) == (0.0, 1.0)


def test_a_product_and_a_quotient_keep_shape_and_dtype():
    p, q = Gaussian(torch.zeros(2, 3), 0.5), Gaussian(torch.ones(2, 3), torch.full((2, 1), 2.0))
    for made in (gaussians.product(p, q), gaussians.quotient(p, q)):
        assert made.mean.shape == (2, 3) and made.mean.dtype == made.var.dtype == torch.float32


@pytest.mark.parametrize("q_var", [0.5, 1.0])
def test_a_quotient_needs_a_narrower_numerator(q_var):
    """N(0, 1) / N(0, 1/2) grows like e^{x^2 / 2}, and N(0, 1) / N(0, 1) is flat."""
    with refuses(ValueError, "narrower", f"got p.var = 1 and q.var = {q_var:g}", "no density"):
        gaussians.quotient(law(0.0, 1.0), law(0.0, q_var))


def test_a_quotient_is_refused_if_a_single_axis_is_too_wide():
    p = Gaussian(torch.zeros(2, 2), torch.tensor([[0.5, 0.5], [0.5, 3.0]]))
    with refuses(ValueError, "narrower", "got p.var = 3 and q.var = 2"):
        gaussians.quotient(p, Gaussian(torch.zeros(2, 2), 2.0))


@pytest.mark.parametrize("function", [gaussians.product, gaussians.quotient])
def test_opinions_are_about_the_same_thing(function):
    with refuses(ValueError, "p_mean and q_mean must have the same shape", "Nothing is broadcast"):
        function(law(0.0, 0.5), Gaussian(torch.zeros(2, dtype=torch.float64), 1.0))
    with refuses(ValueError, "must be finite and > 0", "got 0"):
        function(law(0.0, 0.5), law(0.0, 0.0))


@pytest.mark.parametrize(
    ("cov", "said"),
    [
        (torch.eye(3), r"shape \(D, D\) or \(B, D, D\).*got \(3, 3\) beside \(1, 2\)"),
        (torch.ones(2), r"got \(2,\) beside"),
        (torch.tensor([[1.0, 0.5], [0.1, 1.0]]), "be symmetric"),
        (torch.tensor([[1.0, 2.0], [2.0, 1.0]]), "smallest eigenvalue of -1.*correlation"),
        (torch.tensor([[1.0, 1.0], [1.0, 1.0]]), "give every direction a variance > 0"),
    ],
)
def test_a_covariance_is_symmetric_and_leaves_every_direction_some_width(cov, said):
    zero, eye = torch.zeros(1, 2), torch.eye(2)
    with refuses(ValueError, "p_cov must", said):
        gaussians.kl_full(zero, cov, zero, eye)
    with refuses(ValueError, "q_cov must", said):
        gaussians.kl_full(zero, eye, zero, cov)


def test_kl_full_wants_a_batch_of_means():
    with refuses(ValueError, "beside a mean \\(B, D\\)", "mean\\[None\\]"):
        gaussians.kl_full(torch.zeros(2), torch.eye(2), torch.zeros(2), torch.eye(2))
