"""Estimators: shapes, types, and what each refuses.

Truth: the promises of the docstrings.
"""

import pytest
import torch

from ddpm_lab import estimators
from ddpm_lab.estimators import (
    effective_sample_size,
    importance_sampling,
    log_mean_weight,
    monte_carlo,
    pathwise_gradient,
    score_function_gradient,
)

BOTH_GRADIENTS = pytest.mark.parametrize("gradient", [pathwise_gradient, score_function_gradient])


def total(x):
    return x.reshape(len(x), -1).square().sum(1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_type_that_comes_in_goes_out(dtype):
    x, eps = torch.ones(4, 2, dtype=dtype), torch.zeros(4, 3, dtype=dtype)
    log_w = torch.zeros(4, dtype=dtype)
    for estimate in (
        monte_carlo(x),
        importance_sampling(x, log_w),
        importance_sampling(x, log_w, self_normalized=True),
    ):
        assert estimate.value.dtype == estimate.stderr.dtype == dtype
        assert estimate.value.shape == estimate.stderr.shape == (2,)
    assert effective_sample_size(log_w).dtype == log_mean_weight(log_w).dtype == dtype
    for gradient in (pathwise_gradient, score_function_gradient):
        assert gradient(total, 1.0, 0.5, eps).dtype == dtype


@BOTH_GRADIENTS
@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 1, 4)])
def test_gradients_are_shaped_like_the_noise(gradient, shape):
    assert gradient(total, 0.5, 2.0, torch.ones(shape)).shape == shape


@BOTH_GRADIENTS
def test_means_and_variances_may_be_given_per_coordinate_or_per_draw(gradient):
    eps = torch.ones(3, 2)
    per_axis = gradient(total, torch.tensor([0.0, 1.0]), torch.tensor([1.0, 4.0]), eps)
    per_draw = gradient(
        total, torch.tensor([0.0, 1.0]).expand(3, 2), torch.tensor([1.0, 4.0]).expand(3, 2), eps
    )
    assert torch.equal(per_axis, per_draw)
    assert torch.equal(per_axis[0], per_axis[1])


@BOTH_GRADIENTS
def test_gradients_carry_no_graph_and_work_inside_no_grad(gradient):
    mean = torch.zeros(2, requires_grad=True)
    var = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        inside = gradient(total, mean, var, torch.ones(3, 2))
    outside = gradient(total, mean, var, torch.ones(3, 2))
    assert not outside.requires_grad and torch.equal(inside, outside)
    assert mean.grad is None


def test_a_point_has_a_path_but_no_score():
    assert pathwise_gradient(total, 1.0, 0.0, torch.ones(1, 1)).item() == 2
    with pytest.raises(ValueError, match="var must be finite and > 0"):
        score_function_gradient(total, 1.0, 0.0, torch.ones(1, 1))


@BOTH_GRADIENTS
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((total, 1.0, -1.0, torch.ones(3)), ValueError, "var must be finite"),
        ((total, torch.ones(2), 1.0, torch.ones(3)), ValueError, "mean must broadcast"),
        ((total, "one", 1.0, torch.ones(3)), TypeError, "mean must be a number"),
        ((total, 1.0, 1.0, torch.ones(3, dtype=torch.int64)), TypeError, "eps must be floating"),
        ((lambda x: x.square().mean(), 1.0, 1.0, torch.ones(3)), ValueError, r"f\(x\) must have"),
        ((lambda x: x, 1.0, 1.0, torch.ones(3, 2)), ValueError, r"shape \(3,\), one number"),
    ],
)
def test_gradients_refuse(gradient, arguments, error, message):
    with pytest.raises(error, match=message):
        gradient(*arguments)


def test_a_function_without_a_slope_is_sent_to_the_other_estimator():
    with pytest.raises(ValueError, match="score_function_gradient"):
        pathwise_gradient(lambda x: (x > 0).float(), 1.0, 1.0, torch.ones(3))
    assert score_function_gradient(lambda x: (x > 0).float(), 1.0, 1.0, torch.ones(3)).sum() == 3


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([1.0, 2.0], TypeError, "values must be a torch tensor"),
        (torch.tensor([1, 2]), TypeError, "floating point"),
        (torch.tensor([1.0]), ValueError, "at least 2; got 1.*variance"),
        (torch.ones(0), ValueError, "at least 2; got 0"),
    ],
)
def test_means_refuse(values, error, message):
    with pytest.raises(error, match=message):
        monte_carlo(values)
    with pytest.raises(error, match=message):
        importance_sampling(values, torch.zeros(2))


@pytest.mark.parametrize(
    "log_weight",
    [
        torch.tensor([0.0, torch.nan]),
        torch.tensor([0.0, torch.inf]),
        torch.tensor([-torch.inf, -torch.inf]),
        torch.zeros(2, 0),
        torch.tensor([[0.0, 1.0], [-torch.inf, -torch.inf]]),
    ],
)
def test_weights_that_weigh_nothing_are_refused(log_weight):
    for function in (effective_sample_size, log_mean_weight):
        with pytest.raises(ValueError, match=r"log_weight must hold.*infinity"):
            function(log_weight)


def test_each_draw_has_one_weight():
    with pytest.raises(ValueError, match="values and log_weight must have the same number"):
        importance_sampling(torch.ones(3), torch.zeros(4))
    with pytest.raises(TypeError, match="log_weight must be a torch tensor"):
        importance_sampling(torch.ones(3), [0.0, 0.0, 0.0])


def test_a_weight_of_zero_is_no_trouble():
    log_w = torch.tensor([0.0, -torch.inf, -torch.inf, -torch.inf])
    f = torch.tensor([3.0, 1.0, 1.0, 1.0])
    assert importance_sampling(f, log_w).value == 0.75
    assert importance_sampling(f, log_w, self_normalized=True).value == 3
    assert effective_sample_size(log_w) == 1


def test_an_estimate_is_a_value_and_its_error():
    value, stderr = estimators.Estimate(1.0, 0.1)
    assert (value, stderr) == (1.0, 0.1)
