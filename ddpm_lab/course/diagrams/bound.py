"""Two ways to group the log of one ratio: the bound of a chain of latent variables.

    log w = log p(x_T) + sum_t [log p(x_{t-1} | x_t) - log q(x_t | x_{t-1})]

A term compares two distributions of the same variable, so each variable has one term. In step
pairs, q comes from the cleaner neighbor and p from the noisier one; with the posterior, both
distributions come from the noisier neighbor, and q knows x_0 besides. Only then is the mean of a
term a KL divergence in closed form. Chapter 08.
"""

from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from ddpm_lab import _checks
from ddpm_lab.course.diagrams._shapes import arrow, node, page, words
from ddpm_lab.course.style import BLUE, RED, STYLE


class Factor(NamedTuple):
    """One distribution: p or q, of x_k, given other variables.

    >>> Factor("q", 1, (2, 0)).tex
    'q(x_1|x_2,x_0)'
    """

    name: str
    """"p" or "q"."""
    of: int
    """The time k of its variable."""
    given: tuple[int, ...] = ()
    """The times of what is known."""

    @property
    def tex(self) -> str:
        """As LaTeX."""
        given = ",".join(f"x_{k}" for k in self.given)
        return f"{self.name}(x_{self.of}{'|' if given else ''}{given})"


class Term(NamedTuple):
    """log p - log q of one variable; x_0 is given, so its term has no q.

    >>> Term(Factor("p", 2), Factor("q", 2, (0,))).tex
    '\\\\frac{p(x_2)}{q(x_2|x_0)}'
    """

    p: Factor
    """The model's distribution."""
    q: Factor | None = None
    """The forward process's distribution."""

    @property
    def tex(self) -> str:
        """As LaTeX."""
        return self.p.tex if self.q is None else rf"\frac{{{self.p.tex}}}{{{self.q.tex}}}"


def step_pairs(T: int) -> list[Term]:
    """The terms for x_0, …, x_T if each noising step meets the denoising step into its variable.

    >>> [term.tex for term in step_pairs(1)]
    ['p(x_0|x_1)', '\\\\frac{p(x_1)}{q(x_1|x_0)}']
    """
    inner = [Term(_back(t), Factor("q", t, (t - 1,))) for t in range(1, T)]
    return [Term(_back(0)), *inner, Term(Factor("p", T), Factor("q", T, (T - 1,)))]


def with_posterior(T: int) -> list[Term]:
    """The terms for x_0, …, x_T if each denoising step meets the posterior q(x_t | x_{t+1}, x_0).

    >>> [term.tex for term in with_posterior(1)]
    ['p(x_0|x_1)', '\\\\frac{p(x_1)}{q(x_1|x_0)}']
    """
    inner = [Term(_back(t), Factor("q", t, (t + 1, 0))) for t in range(1, T)]
    return [Term(_back(0)), *inner, Term(Factor("p", T), Factor("q", T, (0,)))]


def _back(t):
    return Factor("p", t, (t + 1,))


@mpl.rc_context(STYLE)
def bound_groupings(T: int = 4) -> Figure:
    """Both groupings of log w, variable by variable: what each term compares, and what it knows.

    Blue arrows lead into a variable from what its q is given, red ones from what its p is given.
    log w is the sum of the logs of the fractions below the variables, in either row.

    Parameters
    ----------
    T : int from 2 to 6, steps of the chain

    Raises
    ------
    TypeError, ValueError
        For another T.

    >>> len(bound_groupings(3).axes)
    1
    """
    T = _checks.count(T, "T", lowest=2, highest=6, advice="More do not fit on a page.")
    fig, ax = page(max(1.45 * (T + 1), 6.5), 6.1)
    rows = (
        (4.75, 0.9, step_pairs(T), "In step pairs: one neighbor gives p, the other q"),
        (1.5, 1.45, with_posterior(T), "With the posterior: the noisier neighbor gives p and q"),
    )
    for y, above, terms, title in rows:
        words(ax, (0.25, y + above), title, ha="left", fontsize=12)
        for term in terms:
            _draw_term(ax, term, y)
    words(ax, (0.25, 0.2), "blue: what q is given", ha="left", color=BLUE)
    words(ax, (2.6, 0.2), "red, dashed: what p is given", ha="left", color=RED)
    return fig


def _draw_term(ax, term, y):
    """A variable, the arrows into it, and its fraction."""
    x, side = _place(term.p.of), 0.24
    node(ax, (x, y), f"$x_{term.p.of}$", radius=0.3)
    words(ax, (x, y - 0.88), f"${term.tex}$", fontsize=15 if term.q else 11)
    for factor, color, up in ((term.p, RED, -1), (term.q, BLUE, 1)):
        for k in () if factor is None else factor.given:
            start = _place(k)
            toward = 1 if start < x else -1
            bend = (0.3 if abs(k - term.p.of) == 1 else 0.26) * up * toward  # up or down, not left
            ends = (start + 0.2 * toward, y + up * side), (x - 0.2 * toward, y + up * side)
            arrow(ax, *ends, color=color, bend=bend, style="-" if up > 0 else "--")


def _place(k):
    return 0.725 + 1.45 * k
