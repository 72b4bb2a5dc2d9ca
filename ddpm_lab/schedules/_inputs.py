"""What a schedule can be made of: a table of abar, step variances, or log-SNRs."""

import torch
from torch import Tensor

from ddpm_lab import _checks


def values(x, name: str) -> Tensor:
    """A (T,) float64 CPU tensor, T >= 1, of numbers that were given in any usual form."""
    x = _checks.numbers(x, name, must="hold real numbers", advice="Give (T,) floats.").detach()
    if x.dim() != 1 or len(x) == 0:
        raise ValueError(
            f"{name} must have shape (T,) with T >= 1; got {tuple(x.shape)}. "
            "Give one value per step."
        )
    return x


def beta(beta) -> Tensor:
    """(T,) step variances inside (0, 1]; 1 is allowed at the last step only (zero signal left)."""
    beta = values(beta, "beta")
    good = (beta > 0) & (beta < 1)
    good[-1] |= beta[-1] == 1
    if not bool(good.all()):
        t = int(torch.nonzero(~good)[0]) + 1
        raise ValueError(
            "beta must lie strictly between 0 and 1; got "
            f"beta_{t} = {_checks.digits(float(beta[t - 1]), 1)}. "
            "beta_t is the share of new noise in one step: with a short chain, lower beta_T."
        )
    return beta


def log_snr(log_snr) -> Tensor:
    """(T,) log-SNRs in nats that fall at every step and that float64 can tell from no noise."""
    log_snr = values(log_snr, "log_snr")
    if bool(torch.isnan(log_snr).any()):
        raise ValueError("log_snr must hold numbers; got NaN. Look at how it was computed.")
    if float(log_snr[0]) > 36:
        raise ValueError(
            "log_snr must not exceed 36 nats; got "
            f"{_checks.digits(float(log_snr[0]), 36)} at t = 1. "
            "Beyond that float64 cannot tell abar from 1: start with a little noise."
        )
    rises = log_snr[1:] >= log_snr[:-1]
    if bool(rises.any()):
        t = int(torch.nonzero(rises)[0]) + 1
        raise ValueError(
            "log_snr must fall at every step; got "
            f"{_checks.digits(float(log_snr[t - 1]), float(log_snr[t]))} at t = {t} and "
            f"{_checks.digits(float(log_snr[t]), float(log_snr[t - 1]))} at t = {t + 1}. "
            "A step adds noise."
        )
    return log_snr


def abar(abar: Tensor) -> Tensor:
    """(T+1,) float64 CPU table: abar_0 = 1, falling at every step, never below 0."""
    if not isinstance(abar, torch.Tensor) or abar.dtype != torch.float64 or abar.dim() != 1:
        raise TypeError(
            f"abar must be a (T+1,) float64 tensor; got {_checks.say(abar)}. "
            "Build a schedule with schedules.from_beta or schedules.from_log_snr."
        )
    if len(abar) < 2:
        raise ValueError(
            f"T must be at least 1, so abar needs 2 rows or more; got {len(abar)}. "
            "Row 0 is clean data, row t belongs to time t."
        )
    abar = _checks.numbers(abar, "abar").detach()
    if not bool(torch.isfinite(abar).all()):
        t = int(torch.nonzero(~torch.isfinite(abar))[0])
        raise ValueError(
            f"abar must be finite; got abar_{t} = {float(abar[t]):g}. Look for NaN in your betas."
        )
    if float(abar[0]) != 1.0:
        raise ValueError(
            f"abar_0 must be exactly 1 (clean data); got {_checks.digits(float(abar[0]), 1)}. "
            "Put a row 1.0 in front: row t belongs to time t."
        )
    _signal_until_T(abar)
    _noise_from_1(abar)
    falls = abar[1:] < abar[:-1]
    if not bool(falls.all()):
        t = int(torch.nonzero(~falls)[0]) + 1
        raise ValueError(
            "abar must fall at every step; got "
            f"abar_{t - 1} = {_checks.digits(float(abar[t - 1]), float(abar[t]))}, "
            f"abar_{t} = {_checks.digits(float(abar[t]), float(abar[t - 1]))}. "
            "A step adds noise, so signal can only shrink."
        )
    if float(abar[-1]) < 0:
        raise ValueError(
            f"abar must not be negative; got abar_{len(abar) - 1} = {float(abar[-1]):.6g}. "
            "abar_t is the share of signal variance that is left."
        )
    return abar


def _noise_from_1(abar):
    if float(abar[1]) == 1.0:
        raise ValueError(
            "abar must fall from the first step on; got abar_0 = 1, abar_1 = 1: beta_1 is 0 or too "
            "small for float64. Start with beta_1 = 1e-4, or leave out a step that adds no noise."
        )


def _signal_until_T(abar):
    if bool((abar[:-1] == 0).any()):
        t = int(torch.nonzero(abar == 0)[0])
        raise ValueError(
            f"abar may reach 0 at the last step only; got abar_{t} = 0 with T = {len(abar) - 1}. "
            "Lower beta or T: all signal is gone too early."
        )
