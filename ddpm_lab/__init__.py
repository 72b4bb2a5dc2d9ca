"""ddpm-lab: denoising diffusion, from Bayes to a U-Net, in tested functions.

Two nouns and one arrow carry the whole package:

- a `Schedule` says how much signal is left at each time t (`schedules`),
- a `Gaussian` is a mean and a variance (`gaussians`),
- a `Denoiser` maps (x_t, t) to an estimate x0_hat (`ideal_denoisers`, or a network).

The modules are ordered like the chapters. A module imports only from lower layers:

    0  types            _console     _installed
    1  _checks
    2  bayes            gaussians    schedules   _files
    3  estimators       forward      predictions
    4  elbo             samplers     losses      networks   flow_matching  ideal_denoisers
    5  datasets         metrics      sde        discrete
    6  training
    7  course          interop
    8  cli
    9  __main__

`course` holds what only the notebooks need, `cli` the commands: the library imports neither.
`interop` speaks to other people's programs.

`import ddpm_lab` is cheap: a module is loaded when it is first used.

>>> from ddpm_lab import schedules
>>> schedules.linear().T
1000
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what __getattr__ gives, for editors and type checkers
    from ddpm_lab import (
        bayes,
        cli,
        course,
        datasets,
        discrete,
        elbo,
        estimators,
        flow_matching,
        forward,
        gaussians,
        ideal_denoisers,
        interop,
        losses,
        metrics,
        networks,
        predictions,
        samplers,
        schedules,
        sde,
        training,
        types,
    )

__version__ = "0.1.0"

__all__ = [
    "bayes",
    "cli",
    "course",
    "datasets",
    "discrete",
    "elbo",
    "estimators",
    "flow_matching",
    "forward",
    "gaussians",
    "ideal_denoisers",
    "interop",
    "losses",
    "metrics",
    "networks",
    "predictions",
    "samplers",
    "schedules",
    "sde",
    "training",
    "types",
]


def __getattr__(name):
    """Load `ddpm_lab.<module>` on first use, so that what is not used costs nothing."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"ddpm_lab has no module {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return sorted([*__all__, "__version__"])
