"""Our networks in pipelines of diffusers, and its U-Nets and schedules here.

Its t counts from 0: its t = 0 … T - 1 are our t = 1 … T. It calls what is predicted "epsilon",
"v_prediction" and "sample" (our x0), and keeps tables in float32.
"""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from ddpm_lab import _checks, schedules
from ddpm_lab.predictions import check_prediction_type
from ddpm_lab.schedules import Schedule
from ddpm_lab.schedules.checks import check_schedule
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
    return schedules.from_beta(_checks.float64(betas), name="diffusers")


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
        channels, height, width = model.shape
        self.model, self.label, self.guidance_scale = model, label, guidance_scale
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
        n = len(sample)
        t = torch.as_tensor(timestep, dtype=torch.int64, device=sample.device).expand(n) + 1
        label = None if self.label is None else torch.full_like(t, self.label)
        estimate = models.denoiser(self.model, label, guidance_scale=self.guidance_scale)
        with torch.no_grad():
            return SimpleNamespace(sample=estimate(sample, t))


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
        self.unet = unet
        embeddings = getattr(getattr(unet, "config", None), "num_class_embeds", None)
        self.labels = max(0, (embeddings or 0) - 1)
        """Number of classes, which is also the null label."""

    def forward(self, x_t: Data, t: Tensor, label: Tensor | None = None) -> Data:
        """(B, C, H, W), (B,) 1..T, (B,) labels -> (B, C, H, W)."""
        if not self.labels:
            return self.unet(x_t, t - 1).sample
        label = _checks.labels(label, len(x_t), self.labels, x_t.device)
        return self.unet(x_t, t - 1, class_labels=label).sample
