"""The divergence of a field, the trace of its Jacobian: exact, and estimated.

The exact divergence in D dimensions takes D derivatives. Hutchinson's estimator takes one,

    div f = E[v' (df/dx) v],      E[v v'] = I                                       [Hut89; Gra19]

with a random vector v of independent signs. `log_likelihood` and two kinds of score matching need
it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.sde import _inputs
from ddpm_lab.types import Data


def divergence(
    field: Callable[[Data], Data], x: Data, *, create_graph: bool = False
) -> tuple[Data, Tensor]:
    """The field at x and its exact divergence, by D derivatives.

    Parameters
    ----------
    field : x -> a vector at each x, (B, *D) both; items must not depend on each other
    create_graph : keep what is needed to differentiate the result, as in training

    Returns
    -------
    (field(x), (B,) float)

    >>> divergence(lambda x: x**2, torch.tensor([[1.0, 2.0]]))
    (tensor([[1., 4.]]), tensor([6.]))
    """
    x, value = _values(field, x, create_graph)
    flat = value.reshape(len(x), -1)
    parts = [_pulled(flat[:, i].sum(), x, create_graph)[:, i] for i in range(flat.shape[1])]
    total = torch.stack(parts).sum(dim=0)
    return (value, total) if create_graph else (value.detach(), total.detach())


def hutchinson(
    field: Callable[[Data], Data], x: Data, probe: Data, *, create_graph: bool = False
) -> tuple[Data, Tensor]:
    """The field at x and an unbiased estimate of its divergence, by one derivative.

    v' (df/dx) v  for one probe v per item.

    Parameters
    ----------
    field : x -> a vector at each x, (B, *D) both; items must not depend on each other
    probe : (B, *D) float, independent with mean 0 and variance 1, such as random signs
    create_graph : keep what is needed to differentiate the result, as in training

    Returns
    -------
    (field(x), (B,) float)

    >>> x = torch.tensor([[1.0, 2.0]])
    >>> hutchinson(lambda x: x**2, x, torch.tensor([[1.0, -1.0]]))    # no mixed derivatives: exact
    (tensor([[1., 4.]]), tensor([6.]))
    """
    _checks.alike(x=x, probe=probe)
    return mean_of_probes(field, x, [probe], create_graph)


def mean_of_probes(
    field: Callable[[Data], Data], x: Data, probes: list[Data], create_graph: bool = False
) -> tuple[Data, Tensor]:
    """The field at x, asked once, and the mean of `hutchinson` over several probes.

    >>> x = torch.tensor([[1.0, 2.0]])
    >>> mean_of_probes(lambda x: x**2, x, [torch.ones(1, 2), -torch.ones(1, 2)])[1]
    tensor([6.])
    """
    x, value = _values(field, x, create_graph)
    found = [_pulled((value * v).sum(), x, create_graph) * v.reshape(len(x), -1) for v in probes]
    total = torch.stack(found).mean(dim=0).sum(dim=1)
    return (value, total) if create_graph else (value.detach(), total.detach())


def signs(x: Data, generator: torch.Generator) -> Data:
    """Random signs shaped like x: the probe with the smallest variance for independent entries.

    Parameters
    ----------
    x : (B, *D) float; its values do not matter

    Returns
    -------
    (B, *D) float, each -1 or 1, no unit

    >>> from ddpm_lab.gaussians import seeded
    >>> signs(torch.zeros(1, 3), seeded(0)).abs()
    tensor([[1., 1., 1.]])
    """
    rng = _checks.generator(generator)
    bits = torch.randint(2, x.shape, generator=rng, device=rng.device)
    return (2 * bits - 1).to(x)


def _values(field, x, create_graph):
    """x as a place to differentiate at, and the field there."""
    _checks.choice(create_graph, (False, True), "create_graph")
    _checks.function(field, "field", advice="Give a function of x.")
    x = _checks.data(x).detach().requires_grad_()
    with torch.enable_grad():
        value = field(x)
    return x, _inputs.field_value(value, x, "field")


def _pulled(scalar, x, create_graph):
    """The gradient of a sum, (B, D); zero where nothing depends on x."""
    if not scalar.requires_grad:
        return torch.zeros_like(x).reshape(len(x), -1)
    found: Any = torch.autograd.grad(
        scalar, x, create_graph=create_graph, retain_graph=True, allow_unused=True
    )[0]
    return (torch.zeros_like(x) if found is None else found).reshape(len(x), -1)
