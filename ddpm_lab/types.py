"""The types that every other module uses, with shapes and units.

x_t is data at time t. Time runs from t = 0, clean data, to t = T, nearly pure noise.
A Greek letter is spelled out except `eps`; a bar is glued on (`abar`); a subscript follows `_`
(`x_t`, `alpha_ts`); a hat marks an estimate (`x0_hat`). `eps` is the noise that made x_t,
`z` is fresh noise drawn while sampling.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from torch import Tensor

Data = Tensor
"""(B, *D) float: a batch of B things in data units (images: [-1, 1]).

Dense, of float16, bfloat16, float32 or float64, and not empty. Its values are not looked at unless
a function says so: where NaN or infinity goes in, NaN or infinity comes out.
"""

Times = int | Tensor
"""One time for the whole batch, or (B,) int64. From 1 to T unless a function says otherwise."""

Timesteps = Sequence[int] | Tensor
"""The times at which a sampler stops, such as [T, …, 0]: falling, or rising to encode."""

Table = Tensor
"""(T+1,) float64 on the CPU. Row t belongs to time t; row 0 is clean data."""

PredictionType = Literal["x0", "eps", "v"]
"""What a network predicts; also called parameterization."""

VarianceType = Literal["small", "large"]
"""The variance of a reverse step: the posterior's, or 1 - alpha_ts; see `samplers.ddpm_step`."""

Net = Callable[[Data, Tensor], Data]
"""(x_t, t: (B,) int64) -> output of some `PredictionType`, shaped like x_t."""

Denoiser = Callable[[Data, Tensor], Data]
"""(x_t, t: (B,) int64) -> x0_hat, shaped like x_t."""
