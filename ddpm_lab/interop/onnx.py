"""The denoiser as an ONNX file, which runs without PyTorch, and a check of its numbers."""

import logging
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ddpm_lab import _checks, _files, _installed
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import models
from ddpm_lab.training.models import Model
from ddpm_lab.types import Data


class _Estimate(nn.Module):
    """(x_t, t, label) -> x0_hat in [-1, 1], as `models.denoiser`, in operations that ONNX has."""

    signal: Tensor
    noise: Tensor

    def __init__(self, model):
        super().__init__()
        self.net, self.prediction_type = model.net, model.config.prediction_type
        self.register_buffer("signal", model.schedule.signal.float())
        self.register_buffer("noise", model.schedule.noise.float())

    def forward(self, x_t, t, label=None):
        out = self.net(x_t, t, label) if self.net.labels else self.net(x_t, t)
        signal, noise = self.signal[t][:, None, None, None], self.noise[t][:, None, None, None]
        if self.prediction_type == "v":
            out = signal * x_t - noise * out
        elif self.prediction_type == "eps":
            out = (x_t - noise * out) / signal
        return out.clamp(-1.0, 1.0)


def to_onnx(model: Model, path) -> Path:
    """Write the denoiser of a network: x_t, t (and label) in, x0_hat in [-1, 1] out.

    Inputs are `x_t` (B, C, H, W) float32, `t` (B,) int64 in 1..T, and for a network that knows
    labels `label` (B,) int64, in which the number of classes is the null label; the output is
    `x0_hat`. B may be any number.

    Parameters
    ----------
    path : usually ending in .onnx

    Returns
    -------
    Path

    Raises
    ------
    ImportError, ValueError
        If onnx or onnxscript is not installed, or the network has `levels`, whose head ONNX cannot
        express.

    >>> from ddpm_lab.training import pretrained
    >>> to_onnx(pretrained.load("digits"), "digits.onnx")  # doctest: +SKIP
    """
    path = _checks.path_of(path)
    if models.known(model).config.net.levels:
        raise ValueError(
            "net.levels must be 0 for ONNX; got "
            f"{model.config.net.levels}. The head over pixel levels needs PyTorch."
        )
    _files.check_writable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    inputs = _inputs(model, 2)
    try:
        with _quiet():
            program = torch.onnx.export(
                _Estimate(model).eval(), tuple(inputs.values()), dynamo=True, verbose=False,
                input_names=list(inputs), output_names=["x0_hat"],
                dynamic_shapes=[{0: torch.export.Dim("batch")} for _ in inputs],
            )  # fmt: skip
            program.save(str(path))  # type: ignore[union-attr]
    except ImportError as error:
        raise _missing(error) from error
    return path


@contextmanager
def _quiet():
    """Without PyTorch's warnings about its own inside, and about torchvision."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def onnx_difference(model: Model, path, n: int = 8) -> float:
    """The largest difference between what a file says, by onnxruntime, and what the network says.

    Parameters
    ----------
    path : of a file that `to_onnx` wrote
    n : int, noisy images that are tried, at times spread over 1..T

    Returns
    -------
    float, data units

    Raises
    ------
    ImportError, OSError, ValueError
        If onnxruntime is not installed, or the file is not there or no ONNX file.

    >>> onnx_difference(model, "digits.onnx") < 1e-4  # doctest: +SKIP
    True
    """
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise _missing(error) from error
    n = _checks.count(n, "n", highest=models.PART, advice="Try 8.")
    inputs, session = _inputs(models.known(model), n), _opened(onnxruntime, path)
    theirs = session.run(None, {name: each.numpy() for name, each in inputs.items()})[0]
    x_t, t, *label = inputs.values()
    ours = _estimate(model, x_t, t, *label)
    return float((ours - torch.from_numpy(theirs)).abs().max())


def _opened(onnxruntime, path):
    """A file of ONNX, ready to be asked."""
    path = _checks.path_of(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path must name a file that to_onnx wrote; there is none at {path}. Write it first."
        )
    try:
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its own kinds, which are no ValueErrors
        raise ValueError(
            f"{path} must be a file that to_onnx wrote; got: {_checks.one_line(error)} Write it "
            "again."
        ) from error


@torch.no_grad()
def _estimate(model: Model, x_t: Data, t: Tensor, label: Tensor | None = None) -> Data:
    """x0_hat of the network itself, on the CPU."""
    denoise = models.denoiser(model, label)
    return denoise(x_t.to(model.device), t.to(model.device)).cpu()


def _inputs(model, n) -> dict[str, Any]:
    """n noisy images, their times, and labels if the network knows any."""
    x = torch.empty(n, *model.shape, dtype=torch.float32, device="cpu")
    t = torch.linspace(1, model.schedule.T, n, dtype=torch.float32, device="cpu").long()
    inputs = {"x_t": normal_like(x, generator=seeded(0)), "t": t}
    if model.net.labels:
        inputs["label"] = torch.arange(n, device="cpu") % model.config.classes
    return inputs


def _missing(error):
    advice = f"Install it: {_installed.install('ddpm-lab[interop]')}"
    return ImportError(f"onnx, onnxscript and onnxruntime must be installed; got {error}. {advice}")
