"""In how many bits are convolutions and matrix products computed? Mixed precision by autocast.

bfloat16 keeps the range of float32 with 16 bits less for the digits; hardware that has it is twice
as fast or more, other hardware is slower. Older GPUs have float16 alone, whose range is small:
there the loss is multiplied by a scale (`_parts`). Weights, sums and the loss stay in float32.
Chapter 13 measures it.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, get_args

import torch

from ddpm_lab import _checks

Precision = Literal["float32", "bfloat16", "float16", "auto"]
_SIXTEEN = {"bfloat16": torch.bfloat16, "float16": torch.float16, "auto": torch.bfloat16}


def autocast(precision: Precision, device) -> AbstractContextManager:
    """A context in which convolutions and matrix products run in 16 bits, if that is asked for.

    Weights, sums and the loss stay in float32. "auto" asks for it where the hardware has bfloat16:
    GPUs since Ampere, CPUs with AVX512-BF16 or AMX.

    Raises
    ------
    ValueError
        For another precision or device, or for 16 bits on a kind of device for which PyTorch has
        no autocast.

    >>> with autocast("float32", "cpu"):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.float32
    """
    _checks.choice(precision, get_args(Precision), "precision")
    kind = _checks.device(device, _kind).type
    if precision == "float32" or (precision == "auto" and not _has_bfloat16(kind)):
        return nullcontext()
    if not torch.amp.is_autocast_available(kind):
        raise ValueError(
            f"precision must be float32 on this device; got {precision}, and PyTorch has no "
            f"autocast for {kind}. Set precision to float32, or to auto."
        )
    return torch.autocast(kind, _SIXTEEN[precision])


def _kind(device: torch.device) -> torch.device:
    """Any device that PyTorch knows, whether it is there or not: nothing is put on it."""
    return device


def _has_bfloat16(kind):
    """Is it hardware that calculates in bfloat16? Else 16 bits are slower than 32."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        return kind == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    except AttributeError:  # a PyTorch without oneDNN, as on some ARM machines
        return False
