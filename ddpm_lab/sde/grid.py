"""How a density moves: the Fokker-Planck equation on a grid, in one dimension.

    dp/dt = -dF/dx,   F = drift p - (g^2 / 2) dp/dx                           [Song21b, App. D.1]

F is the flux, the probability that crosses a place per unit of time. The grid is conservative
(finite volumes): what leaves a cell enters its neighbor, and nothing leaves at the ends, so the
total probability stays exactly 1.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.sde import _inputs


def fokker_planck(
    drift: Callable[[Tensor, Tensor], Tensor],
    diffusion: Callable[[Tensor], Tensor],
    density: Tensor,
    edges: Tensor,
    times: Tensor,
) -> Tensor:
    """The density at later times, given that of the first one.

    Central differences for the flux through each edge, Crank-Nicolson in time: the error falls
    with the square of the cell's width and of the time step.

    Parameters
    ----------
    drift : (x (N + 1,), t) -> (N + 1,), such as `SDE.drift`
    diffusion : t -> g(t), such as `SDE.diffusion`
    density : (N,) float64, mean density in each cell at times[0]
    edges : (N + 1,) float64, evenly spaced, rising
    times : (n,) float64, rising within 0..1

    Returns
    -------
    (n, N) float64; row k belongs to times[k]

    Raises
    ------
    TypeError, ValueError
        Unless the edges and times rise and there is one density for each cell.

    >>> from ddpm_lab.sde import variance_preserving
    >>> vp, edges = variance_preserving(), torch.linspace(-6, 6, 121, dtype=torch.float64)
    >>> mid = (edges[1:] + edges[:-1]) / 2
    >>> normal = torch.exp(-(mid**2) / 2) / (2 * torch.pi) ** 0.5
    >>> later = fokker_planck(vp.drift, vp.diffusion, normal, edges, torch.linspace(0, 1, 11))
    >>> bool((later[-1] - normal).abs().max() < 1e-3)         # N(0, 1) stays N(0, 1)
    True
    """
    for function, name in ((drift, "drift"), (diffusion, "diffusion")):
        _checks.function(function, name)
    nodes = _inputs.nodes(times, falling=False)
    p, edges = _cells(density, edges)
    rows, old = [p], _operator(drift, diffusion, edges, nodes[0])
    one = torch.eye(len(p), dtype=torch.float64, device="cpu")
    for t, s in zip(nodes[1:], nodes[:-1]):
        new, half = _operator(drift, diffusion, edges, t), 0.5 * (t - s)
        p = torch.linalg.solve(one - half * new, p + half * (old @ p))
        rows.append(p)
        old = new
    return torch.stack(rows)


def _operator(drift, diffusion, edges, t):
    """The matrix L of dp/dt = L p: net flux into each cell, over its width."""
    width = edges[1] - edges[0]
    carried = 0.5 * drift(edges, t)[1:-1]  # half from each side of an inner edge
    spread = 0.5 * diffusion(t) ** 2 / width
    n = len(edges) - 1
    flux = torch.zeros(n + 1, n, dtype=torch.float64, device="cpu")  # no flux at the ends
    inner = torch.arange(1, n, device="cpu")
    flux[inner, inner - 1] = carried + spread
    flux[inner, inner] = carried - spread
    return (flux[:-1] - flux[1:]) / width


def _cells(density, edges):
    """Densities and edges as float64, one density for each cell."""
    finite, advice = "Look for NaN.", "Give (N,) floats."
    p = _checks.numbers(density, "density", finite=finite, advice=advice).detach()
    edges = _checks.numbers(edges, "edges", advice="Give (N + 1,) floats.").detach()
    if p.dim() != 1 or edges.shape != (len(p) + 1,) or len(p) < 2:
        raise ValueError(
            "edges must have shape (N + 1,) and density (N,), N >= 2; got "
            f"{tuple(edges.shape)} and {tuple(p.shape)}. A cell lies between two edges."
        )
    width = edges.diff()
    if not bool((width > 0).all()) or not torch.allclose(width, width.mean().expand_as(width)):
        raise ValueError(
            f"edges must rise in equal steps; got widths from {width.min():g} to {width.max():g}. "
            "Use torch.linspace."
        )
    return p, edges
