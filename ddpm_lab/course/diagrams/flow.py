"""The two flows of the course: a chain of ever noisier data, and the two halves of a VAE."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.course import figures
from ddpm_lab.course.diagrams._shapes import arrow, box, node, page, words
from ddpm_lab.course.style import BLUE, GRAY, GREEN, RED, STYLE

GAP = "⋯"
NAMES = ("x_0", GAP, "x_{t-1}", "x_t", GAP, "x_T")


@mpl.rc_context(STYLE)
def chain(images: Tensor | None = None, *, names: Sequence[str] = NAMES) -> Figure:
    """The diffusion chain: the forward process q above, the learned reverse process below.

    Each arrow of the forward process is q(x_t | x_{t-1}), each of the reverse process
    p_theta(x_{t-1} | x_t)  [Ho20, Fig. 2]. Here, as everywhere in the course, the clean data are at
    the left, at t = 0.

    Parameters
    ----------
    images : (N, 1, H, W) or (N, 3, H, W) float, data units: one for each name, shown above it
    names : of the variables, in LaTeX, from clean to noisy; "⋯" stands for those left out

    Raises
    ------
    TypeError, ValueError
        Unless there are two names or more, and as many images as variables.

    >>> len(chain(names=("x_0", "x_1", "x_2")).axes)
    1
    """
    names = list(_checks.iterator(names, "names"))
    variables = [name for name in names if name != GAP]
    _checks.count(len(variables), "the number of names", lowest=2, advice="Draw one step or more.")
    room = 0.0 if images is None else 1.1
    fig, ax = page(1.45 * len(names), 1.6 + room)
    places = [(0.725 + 1.45 * k, 0.8) for k in range(len(names))]
    for name, place in zip(names, places):
        if name == GAP:
            words(ax, place, GAP, fontsize=16)
        else:
            node(ax, place, f"${name}$")
    for (a, left), (b, right) in zip(zip(names, places), zip(names[1:], places[1:])):
        _both_ways(ax, left, right, a, b)
    if images is not None:
        _pictures(fig, images, [p for p, name in zip(places, names) if name != GAP])
    return fig


def _both_ways(ax, left, right, a, b):
    """Noise is added to the right, and removed to the left; beside a gap arrows have no name."""
    (x_1, y), (x_2, _) = left, right
    middle = (x_1 + x_2) / 2
    arrow(ax, (x_1 + 0.33, y + 0.15), (x_2 - 0.33, y + 0.15), color=BLUE, bend=0.25)
    arrow(ax, (x_2 - 0.33, y - 0.15), (x_1 + 0.33, y - 0.15), color=RED, bend=0.25, style="--")
    if GAP not in (a, b):
        words(ax, (middle, y + 0.5), rf"$q({b}\,|\,{a})$", color=BLUE)
        words(ax, (middle, y - 0.55), rf"$p_\theta({a}\,|\,{b})$", color=RED)


def _pictures(fig, images, places):
    """An image above each node."""
    drawn = figures.images(images).axes
    if len(drawn) != len(places):
        raise ValueError(
            f"images must hold one image for each of {len(places)} variables; got {len(drawn)}. "
            "A gap has none."
        )
    width, height = fig.get_size_inches()
    for ax, (x, _) in zip(drawn, places):
        shown = ax.images[0]
        inset = fig.add_axes((x / width - 0.5 / width, 1.55 / height, 1 / width, 1 / height))
        inset.imshow(shown.get_array(), cmap="gray", clim=shown.get_clim(), origin="upper")
        inset.set(xticks=[], yticks=[])


@mpl.rc_context(STYLE)
def encoder_decoder() -> Figure:
    """A variational auto-encoder: encoder, latent code, decoder, and the two terms of the ELBO.

    The encoder gives q(z | x) = N(m(x), diag v(x)), the reparameterization trick draws a code, and
    the decoder gives p(x | z) = N(mu(z), sigma^2 I)  [KW14, Sec. 2.3-2.4].

    >>> len(encoder_decoder().axes)
    1
    """
    fig, ax = page(8.8, 2.9)
    y = 1.75
    node(ax, (0.5, y), "$x$")
    box(ax, (2.35, y), "encoder $\\phi$\n"
        "$q_\\phi(z|x) = N(m_\\phi(x),\\, \\mathrm{diag}\\, v_\\phi(x))$",
        size=(2.5, 0.8), color=BLUE)  # fmt: skip
    node(ax, (4.4, y), "$z$", color=GREEN)
    box(ax, (6.45, y), "decoder $\\theta$\n$p_\\theta(x|z) = N(\\mu_\\theta(z),\\, \\sigma^2 I)$",
        size=(2.5, 0.8), color=RED)  # fmt: skip
    node(ax, (8.3, y), "$\\hat{x}$")
    for left, right in ((0.83, 1.1), (3.6, 4.07), (4.73, 5.2), (7.7, 7.97)):
        arrow(ax, (left, y), (right, y))
    node(ax, (4.4, 2.55), "$\\epsilon$", radius=0.22)
    arrow(ax, (4.4, 2.33), (4.4, y + 0.33))
    words(ax, (4.7, 2.57), "$\\epsilon \\sim N(0, I)$", ha="left")
    words(ax, (4.4, 1.2), "$z = m_\\phi(x) + \\sqrt{v_\\phi(x)}\\;\\epsilon$", color=GREEN)
    words(ax, (4.4, 0.45), "$\\mathrm{ELBO} = E_q[\\log p_\\theta(x|z)] - "
          "\\mathrm{KL}(q_\\phi(z|x)\\,\\|\\,p(z))$,   prior $p(z) = N(0, I)$",
          fontsize=12, color=GRAY)  # fmt: skip
    return fig
