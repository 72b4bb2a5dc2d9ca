"""Our networks in pipelines of diffusers, and its U-Nets and schedules here.

Its t counts from 0: its t = 0 … T - 1 are our t = 1 … T. It calls what is predicted "epsilon",
"v_prediction" and "sample" (our x0), and keeps tables in float32.
"""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from ddpm_lab import _checks, schedules
from ddpm_lab.networks.checks import check_no_label
from ddpm_lab.predictions import check_prediction_type
from ddpm_lab.schedules import Schedule
from ddpm_lab.schedules.checks import check_schedule, check_times, time_per_item
from ddpm_lab.training import models
from ddpm_lab.training.models import Model
from ddpm_lab.types import Data, PredictionType

PREDICTIONS = {"eps": "epsilon", "v": "v_prediction", "x0": "sample"}
"""Our names of what a network predicts -> theirs."""


def scheduler(schedule: Schedule, prediction_type: PredictionType = "x0") -> dict[str, Any]:
    """The settings of a scheduler of diffusers that walks along one of our schedules.

    They fit `DDPMScheduler`, `DDIMScheduler` and `DPMSolverMultistepScheduler`, among others, which
    leave out with a warning what they do not know. The steps are spaced as by
    `schedules.timesteps` where their number divides T.

    Parameters
    ----------
    prediction_type : what the network predicts; "x0" for a `DiffusersDenoiser`

    Returns
    -------
    dict of plain values, ready for JSON

    >>> scheduler(schedules.linear(T=2))["trained_betas"]
    [0.0001, 0.02]
    """
    theirs = PREDICTIONS[check_prediction_type(prediction_type)]
    return {
        "num_train_timesteps": check_schedule(schedule).T,
        "trained_betas": [float(beta) for beta in schedule.beta[1:]],
        "prediction_type": theirs,
        "timestep_spacing": "trailing",
        "clip_sample": True,
        "clip_sample_range": 1.0,
    }


def schedule_of(scheduler: Any) -> Schedule:
    """The schedule of a scheduler of diffusers: its betas, which are float32.

    Parameters
    ----------
    scheduler : anything with `betas`, (T,) numbers in (0, 1)

    Raises
    ------
    TypeError, ValueError
        If it has no betas, or others.

    >>> schedule_of(SimpleNamespace(betas=torch.tensor([0.5, 0.5])))
    Schedule('diffusers', T=2, abar_T=0.250)
    """
    betas = getattr(scheduler, "betas", None)
    if not isinstance(betas, Tensor):
        raise TypeError(
            f"scheduler must have betas, as diffusers.DDPMScheduler has; got "
            f"{type(scheduler).__name__}. Schedulers that are made of sigmas alone have none."
        )
    betas = _checks.numbers(betas, "betas", finite="Look for NaN.").detach()
    return schedules.from_beta(betas, name="diffusers")


class DiffusersDenoiser(nn.Module):
    """A trained network as the `unet` of a pipeline of diffusers, which predicts the clean image.

    Its estimate stays in [-1, 1], as everywhere here, so that all schedulers clip alike. Use it
    with `scheduler(model.schedule)`.

    Parameters
    ----------
    model : see `models.load`
    label : what all images shall show; None if nothing is said
    guidance_scale : float, how strongly the label is followed

    >>> from ddpm_lab.training import pretrained
    >>> net = DiffusersDenoiser(pretrained.load("digits"), label=3)
    >>> net(torch.zeros(2, 1, 8, 8), 999).sample.shape
    torch.Size([2, 1, 8, 8])
    """

    def __init__(self, model: Model, label: int | None = None, guidance_scale: float = 1.0) -> None:
        super().__init__()
        channels, height, width = models.known(model).shape
        if label is not None:
            label = _checks.count(label, "label", lowest=0, advice="It counts from 0.")
        self.model, self.label, self.guidance_scale = model, label, guidance_scale
        self._estimate(1)  # refuses what it cannot follow
        self.net = model.net  # so that `.to(device)` moves it
        self.config = SimpleNamespace(
            in_channels=channels, out_channels=channels, sample_size=(height, width)
        )

    @property
    def device(self) -> torch.device:
        """Where it works."""
        return next(self.net.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of its weights."""
        return next(self.net.parameters()).dtype

    def forward(self, sample: Data, timestep: Tensor | int, **others: Any) -> Any:
        """(B, C, H, W), their time 0..T-1 -> an object whose `sample` is x0_hat, (B, C, H, W)."""
        n = len(_checks.items(sample, self.model.shape, "sample"))
        last, how = self.model.schedule.T - 1, {"name": "timestep", "wait": False}
        t = check_times(_whole(timestep), None, T=last, lowest=0, batch=n, **how)
        t = time_per_item(t, sample) + 1
        with torch.no_grad():
            return SimpleNamespace(sample=self._estimate(n)(sample, t))

    def _estimate(self, n):
        """The denoiser of n images."""
        label = None
        if self.label is not None:
            label = torch.full((n,), self.label, dtype=torch.int64, device="cpu")
        return models.denoiser(self.model, label, guidance_scale=self.guidance_scale)


def _whole(timestep):
    """Their time as whole numbers: some of their schedulers give them as floats, such as 980.0."""
    if not isinstance(timestep, Tensor) or timestep.dtype == torch.bool:
        return timestep
    if timestep.layout is not torch.strided or timestep.is_meta:
        return timestep
    t = timestep.reshape(()) if timestep.numel() == 1 else timestep
    return t.long() if t.dtype in _FLOATS and bool((t == t.round()).all()) else t


_FLOATS = torch.float32, torch.float64, torch.float16, torch.bfloat16


def _images(x_t):
    """Of any size: how large they may be, the network knows."""
    if _checks.data(x_t, "x_t").dim() != 4:
        raise ValueError(
            f"x_t must be images of shape (B, C, H, W); got {tuple(x_t.shape)}. Reshape them."
        )
    return x_t


class DiffusersNet(nn.Module):
    """A `UNet2DModel` of diffusers as a `Net` of ours, to sample with, to measure or to train.

    With class embeddings the last of them is the null label, as in our `UNet`.

    Parameters
    ----------
    unet : called as unet(x_t, their t, class_labels=…), with a field `sample` in what it returns

    >>> unet = lambda x, t: SimpleNamespace(sample=0 * x)
    >>> DiffusersNet(unet)(torch.ones(2, 1, 4, 4), torch.tensor([1, 1000])).shape
    torch.Size([2, 1, 4, 4])
    """

    def __init__(self, unet: Any) -> None:
        super().__init__()
        _checks.function(unet, "unet", advice="Give a UNet2DModel of diffusers.")
        self.unet = unet
        embeddings = getattr(getattr(unet, "config", None), "num_class_embeds", None)
        self.labels = max(0, (embeddings or 0) - 1)
        """Number of classes, which is also the null label."""

    def forward(self, x_t: Data, t: Tensor, label: Tensor | None = None) -> Data:
        """(B, C, H, W), (B,) 1..T, (B,) labels -> (B, C, H, W)."""
        n = len(_images(x_t))
        t = time_per_item(check_times(t, None, T=_checks.SIZE, batch=n, wait=False), x_t)
        if not self.labels:
            check_no_label(label)
            return self.unet(x_t, t - 1).sample
        label = _checks.labels(label, len(x_t), self.labels, x_t.device)
        return self.unet(x_t, t - 1, class_labels=label).sample
