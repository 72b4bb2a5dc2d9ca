"""The same chain in seven notations, and how to translate one into another.

Papers use the letters alpha, beta and sigma for different things: "alpha" alone has four meanings.
A chain is fixed by one table, abar, so a notation is a set of functions of it:

    ours, Ho et al.   abar_t                 [Ho20]
    DDIM              alpha_t = abar_t       [Song21a]
    diffusers         row t - 1 of alphas_cumprod
    VDM               gamma_t = -log SNR_t   [Kin21]
    EDM               sigma_t = noise / signal, and x = x_t / signal    [Kar22]
    squared letters   abar_t there is the square root of ours, so its letters are squared

`TABLE` lists who writes what, `letters` computes the numbers, `abar_from` reads them back, and
`crosswalk` computes each quantity from the letters of each source.
"""

from collections.abc import Callable, Sequence
from math import expm1, log
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.types import Data, Table, Times

Notation = Literal["Ho", "DDIM", "diffusers", "VDM", "EDM", "squared letters"]
"""A paper's letters, a library's, or those of notes whose alpha and beta are square roots."""


class Row(NamedTuple):
    """One quantity in every notation: LaTeX without dollars, names of code in backticks.

    >>> next(row for row in TABLE if row.quantity == "signal-to-noise ratio").ours
    '`schedule.snr`'
    """

    quantity: str
    """in words"""
    ours: str
    """in this package"""
    ho: str
    """Ho et al. 2020"""
    ddim: str
    """Song et al. 2021 (DDIM)"""
    diffusers: str
    """the library"""
    vdm: str
    """Kingma et al. 2021"""
    edm: str
    """Karras et al. 2022"""
    squared: str
    """notes that call the square roots alpha and beta"""


_TABLE = r"""
clean data | `x_0` | \mathbf x_0 | \boldsymbol x_0 | `original_samples` | \mathbf x | \boldsymbol y | x_0
noisy data | `x_t` | \mathbf x_t | \boldsymbol x_t | `sample` | \mathbf z_t | \boldsymbol x = x_t/\sqrt{\bar\alpha_t} | x_t
clean data stands at | row 0 | t = 0 | t = 0 | no row | t = 0 | \sigma = 0 | t = 0
noise variance of one step | `schedule.beta` | \beta_t | 1 - \alpha_t/\alpha_{t-1} | `betas` | \sigma_{t \mid s}^2 |  | \beta_t^2
signal variance that one step keeps | `schedule.alpha` | \alpha_t | \alpha_t/\alpha_{t-1} | `alphas` | \alpha_{t \mid s}^2 |  | \alpha_t^2
signal variance that is left | `schedule.abar` | \bar\alpha_t | \alpha_t | `alphas_cumprod` | \alpha_t^2 | 1/(1 + \sigma^2) | \bar\alpha_t^2
factor of the clean data | `schedule.signal` | \sqrt{\bar\alpha_t} | \sqrt{\alpha_t} | `alphas_cumprod ** 0.5` | \alpha_t | 1/\sqrt{1 + \sigma^2} | \bar\alpha_t
factor of the noise | `schedule.noise` | \sqrt{1 - \bar\alpha_t} | \sqrt{1 - \alpha_t} | `(1 - alphas_cumprod) ** 0.5` | \sigma_t | \sigma/\sqrt{1 + \sigma^2} | \bar\beta_t
signal-to-noise ratio | `schedule.snr` | \bar\alpha_t/(1 - \bar\alpha_t) | \alpha_t/(1 - \alpha_t) | `compute_snr` | \mathrm{SNR}(t) = e^{-\gamma_t} | 1/\sigma^2 | \bar\alpha_t^2/\bar\beta_t^2
log-SNR | `schedule.log_snr` | \log \bar\alpha_t - \log(1 - \bar\alpha_t) | \log \alpha_t - \log(1 - \alpha_t) |  | -\gamma_t | -2 \log \sigma | 2 \log(\bar\alpha_t/\bar\beta_t)
posterior variance | `schedule.posterior_var` | \tilde\beta_t | \sigma_t^2(\eta = 1) | `variance_type="fixed_small"` | \sigma_{t \mid s}^2\,\sigma_s^2/\sigma_t^2 |  | (\bar\beta_{t-1}\,\beta_t/\bar\beta_t)^2
forward noise | `eps` | \boldsymbol\epsilon | \epsilon | `noise` | \boldsymbol\epsilon | \boldsymbol n/\sigma | \bar\varepsilon
estimate of the clean data | `x0_hat` | \hat{\mathbf x}_0 | f_\theta^{(t)}(\boldsymbol x_t) | `pred_original_sample` | \hat{\mathbf x}_\theta | D_\theta(\boldsymbol x; \sigma) | \hat x_0
output of the network | by `prediction_type` | \boldsymbol\epsilon_\theta | \epsilon_\theta^{(t)} | by `prediction_type` | \hat{\boldsymbol\epsilon}_\theta | F_\theta, \text{ which is } -v \text{ if } \sigma_\text{data} = 1 | \bar\varepsilon_\theta
"""  # noqa: E501

TABLE = tuple(
    Row(*(cell.strip() for cell in line.split(" | "))) for line in _TABLE.strip().splitlines()
)
"""Who writes what; "" where a source has no letter for it."""

HEADS = ("quantity", "ours", "Ho et al.", "DDIM", "diffusers", "VDM", "EDM", "squared letters")


def markdown(columns: Sequence[str] = HEADS[1:], rows: Sequence[Row] = TABLE) -> str:
    """The names table as Markdown, or some columns of it.

    Parameters
    ----------
    columns : some of `HEADS` but for the first, "quantity", which is always there

    >>> print(markdown(["ours", "diffusers", "Ho et al."], TABLE[:1]))
    | quantity | ours | diffusers | Ho et al. |
    |---|---|---|---|
    | clean data | `x_0` | `original_samples` | $\\mathbf x_0$ |
    """
    at = [HEADS.index(name) for name in columns]
    body = [[row.quantity, *(_cell(row[i]) for i in at)] for row in rows]
    head, *lines = [f"| {' | '.join(line)} |" for line in [["quantity", *columns], *body]]
    return "\n".join([head, "|---" * (1 + len(at)) + "|", *lines])


def _cell(text: str) -> str:
    if not text:
        return "–"
    return text if "`" in text or " row" in f" {text}" else f"${text}$"


def letters(schedule: Schedule, notation: Notation) -> dict[str, Table]:
    """Every letter of a notation as a table, under the name that its source uses.

    Parameters
    ----------
    schedule : Schedule
    notation : one of `Notation`

    Returns
    -------
    {name: (T+1,) float64}, row t for time t; (T,) for diffusers, which has no row for clean data

    >>> from ddpm_lab.schedules import linear
    >>> {name: round(float(table[500]), 4) for name, table in letters(linear(), "VDM").items()}
    {'alpha': 0.2803, 'sigma': 0.9599, 'SNR': 0.0853, 'gamma': 2.4617}
    """
    _checks.choice(notation, get_args(Notation), "notation")
    return _LETTERS[notation](schedule)


_LETTERS: dict[str, Callable[[Schedule], dict[str, Table]]] = {
    "Ho": lambda s: {"beta": s.beta, "alpha": s.alpha, "abar": s.abar, "beta~": s.posterior_var},
    "DDIM": lambda s: {"alpha": s.abar, "sigma": s.posterior_var.sqrt()},
    "diffusers": lambda s: {
        "betas": s.beta[1:],
        "alphas": s.alpha[1:],
        "alphas_cumprod": s.abar[1:],
    },
    "VDM": lambda s: {"alpha": s.signal, "sigma": s.noise, "SNR": s.snr, "gamma": -s.log_snr},
    "EDM": lambda s: {"sigma": s.noise / s.signal, "s": s.signal},
    "squared letters": lambda s: {
        "alpha": s.alpha.sqrt(),
        "beta": s.beta.sqrt(),
        "abar": s.signal,
        "beta bar": s.noise,
    },
}


def abar_from(notation: Notation, table: Tensor) -> Table:
    """Our table, read from the letter that fixes a chain in each notation.

    Parameters
    ----------
    notation : one of `Notation`
    table : (T+1,) float64, or (T,) without the row of clean data as in diffusers
        abar (Ho), alpha (DDIM), alphas_cumprod (diffusers), gamma (VDM), sigma (EDM), abar (squared
        letters).

    Returns
    -------
    (T+1,) float64, with abar_0 = 1

    >>> from ddpm_lab.schedules import linear
    >>> gamma = letters(linear(), "VDM")["gamma"]
    >>> bool(torch.allclose(abar_from("VDM", gamma), linear().abar, rtol=1e-12))
    True
    """
    _checks.choice(notation, get_args(Notation), "notation")
    abar = _ABAR[notation](_checks.float64(table))
    return torch.cat([abar.new_ones(1), abar]) if abar[0] < 1 else abar


_ABAR: dict[str, Callable[[Tensor], Tensor]] = {
    "Ho": lambda abar: abar,
    "DDIM": lambda abar: abar,
    "diffusers": lambda abar: abar,
    "VDM": lambda gamma: (-gamma).sigmoid(),
    "EDM": lambda noise_to_signal: 1 / (1 + noise_to_signal.square()),
    "squared letters": lambda signal: signal.square(),
}


def which_alpha(last: float, schedule: Schedule) -> list[str]:
    """Whose alpha is it? Told by its value at T, which differs a lot between the notations.

    Parameters
    ----------
    last : the page's alpha_T, to three digits or more
    schedule : Schedule, the chain of the page

    Returns
    -------
    names of `Notation`; more than one if they agree there, none if no alpha fits

    >>> from ddpm_lab.schedules import linear
    >>> [which_alpha(value, linear()) for value in (0.98, 0.98995, 0.00635, 4.04e-05)]
    [['Ho'], ['squared letters'], ['VDM'], ['DDIM']]
    """
    ends = {
        name: float(letters(schedule, name)["alpha"][-1])
        for name in get_args(Notation)
        if "alpha" in letters(schedule, name)
    }
    return [name for name, end in ends.items() if abs(last - end) <= 2e-3 * end]


# One quantity, computed from the letters of each source -------------------------------------------


def crosswalk(schedule: Schedule, t: int) -> dict[str, dict[Notation, float]]:
    """Quantities at time t, each computed from a source's own letters alone.

    That the numbers of a row agree is what makes the formulas in a row of `TABLE` translations of
    each other. Steps are those from t to t - 1, and the variance of a reverse step is beta~.

    Parameters
    ----------
    t : int, 2..T; at t = 1 the posterior's variance is 0, and weights divide by it

    Returns
    -------
    {quantity: {notation: value}}, in the order of `Notation`

    >>> from ddpm_lab.schedules import linear
    >>> row = crosswalk(linear(), 500)["posterior variance"]
    >>> {name: round(value, 7) for name, value in row.items()}        # doctest: +ELLIPSIS
    {'Ho': 0.0100314, 'DDIM': 0.0100314, ... 'squared letters': 0.0100314}
    """
    t = _checks.count(t, "t", lowest=2, highest=schedule.T, advice="A step needs a time before t.")
    found = {}
    for name, formulas in _QUANTITIES.items():
        rows = letters(schedule, name)
        first = 1 if name == "diffusers" else 0
        now, before = (
            {letter: float(table[at - first]) for letter, table in rows.items()}
            for at in (t, t - 1)
        )
        for quantity, formula in zip(_NAMES, formulas):
            found.setdefault(quantity, {})[name] = formula(now, before)
    return found


_NAMES = (
    "noise variance of one step",
    "signal variance that one step keeps",
    "signal variance that is left",
    "factor of the clean data",
    "factor of the noise",
    "signal-to-noise ratio",
    "log-SNR",
    "posterior variance",
    "how much of eps the reverse mean removes",
    "weight of the bound on the squared eps-error",
    "weight of the bound on the squared x0-error",
)

_Formula = Callable[[dict[str, float], dict[str, float]], float]


def _from_abar(a: Callable[[dict[str, float]], float]) -> tuple[_Formula, ...]:
    """The formulas of a source whose one letter is the signal variance that is left."""
    return (
        lambda n, b: 1 - a(n) / a(b),
        lambda n, b: a(n) / a(b),
        lambda n, b: a(n),
        lambda n, b: a(n) ** 0.5,
        lambda n, b: (1 - a(n)) ** 0.5,
        lambda n, b: a(n) / (1 - a(n)),
        lambda n, b: log(a(n)) - log(1 - a(n)),
        lambda n, b: (1 - a(b)) / (1 - a(n)) * (1 - a(n) / a(b)),
        lambda n, b: (1 - a(n) / a(b)) / (a(n) / a(b) * (1 - a(n))) ** 0.5,
        lambda n, b: (a(b) / (1 - a(b)) * (1 - a(n)) / a(n) - 1) / 2,
        lambda n, b: (a(b) / (1 - a(b)) - a(n) / (1 - a(n))) / 2,
    )


_QUANTITIES: dict[Notation, tuple[_Formula, ...]] = {
    "Ho": (
        lambda n, b: n["beta"],
        lambda n, b: n["alpha"],
        lambda n, b: n["abar"],
        lambda n, b: n["abar"] ** 0.5,
        lambda n, b: (1 - n["abar"]) ** 0.5,
        lambda n, b: n["abar"] / (1 - n["abar"]),
        lambda n, b: log(n["abar"]) - log(1 - n["abar"]),
        lambda n, b: n["beta~"],
        lambda n, b: n["beta"] / (n["alpha"] * (1 - n["abar"])) ** 0.5,
        lambda n, b: n["beta"] ** 2 / (2 * n["beta~"] * n["alpha"] * (1 - n["abar"])),
        lambda n, b: b["abar"] * n["beta"] ** 2 / (2 * n["beta~"] * (1 - n["abar"]) ** 2),
    ),
    "DDIM": _from_abar(lambda row: row["alpha"]),
    "diffusers": _from_abar(lambda row: row["alphas_cumprod"]),
    "VDM": (
        lambda n, b: n["sigma"] ** 2 - (n["alpha"] / b["alpha"] * b["sigma"]) ** 2,
        lambda n, b: (n["alpha"] / b["alpha"]) ** 2,
        lambda n, b: n["alpha"] ** 2,
        lambda n, b: n["alpha"],
        lambda n, b: n["sigma"],
        lambda n, b: n["SNR"],
        lambda n, b: -n["gamma"],
        lambda n, b: -expm1(b["gamma"] - n["gamma"]) * b["sigma"] ** 2,
        lambda n, b: -expm1(b["gamma"] - n["gamma"]) * n["sigma"] * b["alpha"] / n["alpha"],
        lambda n, b: expm1(n["gamma"] - b["gamma"]) / 2,
        lambda n, b: (b["SNR"] - n["SNR"]) / 2,
    ),
    "EDM": (
        lambda n, b: (n["sigma"] ** 2 - b["sigma"] ** 2) / (1 + n["sigma"] ** 2),
        lambda n, b: (n["s"] / b["s"]) ** 2,
        lambda n, b: 1 / (1 + n["sigma"] ** 2),
        lambda n, b: n["s"],
        lambda n, b: n["s"] * n["sigma"],
        lambda n, b: n["sigma"] ** -2,
        lambda n, b: -2 * log(n["sigma"]),
        lambda n, b: (b["s"] * b["sigma"]) ** 2 * (1 - (b["sigma"] / n["sigma"]) ** 2),
        lambda n, b: b["s"] * (n["sigma"] - b["sigma"] ** 2 / n["sigma"]),
        lambda n, b: ((n["sigma"] / b["sigma"]) ** 2 - 1) / 2,
        lambda n, b: (b["sigma"] ** -2 - n["sigma"] ** -2) / 2,
    ),
    "squared letters": (
        lambda n, b: n["beta"] ** 2,
        lambda n, b: n["alpha"] ** 2,
        lambda n, b: n["abar"] ** 2,
        lambda n, b: n["abar"],
        lambda n, b: n["beta bar"],
        lambda n, b: (n["abar"] / n["beta bar"]) ** 2,
        lambda n, b: 2 * log(n["abar"] / n["beta bar"]),
        lambda n, b: (b["beta bar"] * n["beta"] / n["beta bar"]) ** 2,
        lambda n, b: n["beta"] ** 2 / (n["alpha"] * n["beta bar"]),
        lambda n, b: (n["beta"] / (n["alpha"] * b["beta bar"])) ** 2 / 2,
        lambda n, b: ((b["abar"] / b["beta bar"]) ** 2 - (n["abar"] / n["beta bar"]) ** 2) / 2,
    ),
}


# VDM and EDM: more than other letters -------------------------------------------------------------


def vdm_step(schedule: Schedule, s: int, t: int) -> tuple[float, float]:
    """VDM's letters of a step from s to t: alpha_{t|s} and sigma_{t|s}^2.

    q(z_t | z_s) = N(alpha_{t|s} z_s, sigma_{t|s}^2 I),
    sigma_{t|s}^2 = sigma_t^2 - alpha_{t|s}^2 sigma_s^2    [Kin21]

    Parameters
    ----------
    s, t : int, 0 <= s < t <= T

    Returns
    -------
    two float: the factor, and the variance in data units squared

    >>> from ddpm_lab.schedules import linear
    >>> vdm_step(linear(), 999, 1000)
    (0.989949, 0.02)
    """
    signal, noise = schedule.signal, schedule.noise
    alpha_ts = signal[t] / signal[s]
    return float(alpha_ts), float(noise[t] ** 2 - alpha_ts**2 * noise[s] ** 2)


def edm_input(schedule: Schedule, x_t: Data, t: Times) -> Data:
    """EDM's noisy data, x = x_t / signal = x_0 + sigma eps: its signal is never scaled down.

    Parameters
    ----------
    x_t : (B, *D) float, data units
    t : int or (B,) int64, 1..T, with some signal left

    Returns
    -------
    (B, *D) float, data units

    >>> from ddpm_lab.schedules import linear
    >>> edm_input(linear(), torch.ones(1, 1), 500)
    tensor([[3.5672]])
    """
    return x_t / coef(row(schedule.signal, t), x_t)


def edm_score(schedule: Schedule, x_t: Data, x0_hat: Data, t: Times) -> Data:
    """EDM's score, of the density of x_t / signal: our score times the signal factor.

    grad log p(x; sigma) = (D(x; sigma) - x) / sigma^2    [Kar22, Eq. 3]

    Parameters
    ----------
    x_t, x0_hat : (B, *D) float, data units
    t : int or (B,) int64, 1..T

    Returns
    -------
    (B, *D) float, 1 / data units

    >>> from ddpm_lab.schedules import linear
    >>> edm_score(linear(), torch.zeros(1, 1), torch.ones(1, 1), 500)
    tensor([[0.0853]])
    """
    variance = coef(row(1 / schedule.snr, t), x_t)
    return (x0_hat - edm_input(schedule, x_t, t)) / variance


class Preconditioning(NamedTuple):
    """EDM's factors around the network: D = c_skip x + c_out F(c_in x)    [Kar22, Table 1].

    >>> edm_preconditioning(torch.tensor(1.0), sigma_data=1.0).c_skip
    tensor(0.5000)
    """

    c_skip: Tensor
    """how much of the input goes straight to the output"""
    c_out: Tensor
    """scale of the network's output"""
    c_in: Tensor
    """scale of its input"""


def edm_preconditioning(noise: Tensor, *, sigma_data: float = 0.5) -> Preconditioning:
    """The factors that keep input and target of EDM's network at variance 1.

    With sigma_data = 1, c_in x = x_t and F = -v: the network predicts v with the other sign.

    Parameters
    ----------
    noise : () or (B,) float, >= 0
        EDM's sigma, the standard deviation of the noise in x.
    sigma_data : standard deviation of the data

    Returns
    -------
    Preconditioning, each shaped like `noise`

    >>> [round(float(c), 4) for c in edm_preconditioning(torch.tensor(0.5))]
    [0.5, 0.3536, 1.4142]
    """
    total = noise.square() + sigma_data**2
    return Preconditioning(sigma_data**2 / total, noise * sigma_data / total.sqrt(), total.rsqrt())
