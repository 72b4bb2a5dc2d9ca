"""More attempts at the exercises of chapter 09, in one line each where that is enough."""

import math

from ddpm_lab import forward
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


def K(v, x):
    return coef(v, x)


def A(s, t):
    return row(s.abar, t)


wrong("predictions.eps_to_x0", "subtract", lambda s, x, e, t: x - e)
wrong("predictions.eps_to_x0", "not divided", lambda s, x, e, t: x - K(row(s.noise, t), x) * e)
wrong(
    "predictions.eps_to_x0",
    "order",
    lambda s, x, e, t: x / K(row(s.signal, t), x) - K(row(s.noise, t), x) * e,
)
wrong(
    "predictions.eps_to_x0", "abar", lambda s, x, e, t: (x - K(1 - A(s, t), x) * e) / K(A(s, t), x)
)
wrong(
    "predictions.eps_to_x0",
    "plus",
    lambda s, x, e, t: (x + K(row(s.noise, t), x) * e) / K(row(s.signal, t), x),
)
wrong(
    "predictions.eps_to_x0",
    "swapped",
    lambda s, x, e, t: (x - K(row(s.signal, t), x) * e) / K(row(s.noise, t), x),
)
wrong(
    "predictions.eps_to_x0",
    "alpha",
    lambda s, x, e, t: (x - K(row(s.beta, t).sqrt(), x) * e) / K(row(s.alpha, t).sqrt(), x),
)
wrong(
    "predictions.eps_to_x0",
    "clipped",
    lambda s, x, e, t: ((x - K(row(s.noise, t), x) * e) / K(row(s.signal, t), x)).clamp(-1, 1),
)
right(
    "predictions.eps_to_x0",
    "ok float",
    lambda s, x, e, t: x.div(K(row(s.signal, t), x)).sub(
        K(row(s.noise, t) / row(s.signal, t), x) * e
    ),
)
right(
    "predictions.eps_to_x0",
    "snr",
    lambda s, x, e, t: K(1 / A(s, t).sqrt(), x) * x - K((1 / A(s, t) - 1).sqrt(), x) * e,
)
wrong("predictions.v_target", "sign", lambda s, x0, e, t: -forward.noised(s, e, t, -x0))
wrong("predictions.v_target", "no swap", lambda s, x0, e, t: forward.noised(s, x0, t, -e))
wrong("predictions.v_target", "plus", lambda s, x0, e, t: forward.noised(s, e, t, x0))
wrong("predictions.v_target", "x_t", lambda s, x0, e, t: forward.noised(s, x0, t, e))
wrong("predictions.v_target", "eps - x0", lambda s, x0, e, t: e - x0)
wrong(
    "predictions.v_target",
    "no roots",
    lambda s, x0, e, t: K(A(s, t), x0) * e - K(1 - A(s, t), x0) * x0,
)
wrong(
    "predictions.v_target",
    "swapped factors",
    lambda s, x0, e, t: K(row(s.noise, t), x0) * e - K(row(s.signal, t), x0) * x0,
)
right("predictions.v_target", "rotation", lambda s, x0, e, t: forward.noised(s, e, t, x0.neg()))
right(
    "predictions.v_target",
    "tables anyway",
    lambda s, x0, e, t: K(row(s.signal, t), x0) * e - K(row(s.noise, t), x0) * x0,
)
wrong("predictions.v_to_x0", "plus", lambda s, x, v, t: forward.noised(s, x, t, v))
wrong("predictions.v_to_x0", "eps", lambda s, x, v, t: forward.noised(s, v, t, x))
wrong("predictions.v_to_x0", "minus x", lambda s, x, v, t: forward.noised(s, -x, t, v))
wrong("predictions.v_to_x0", "swapped", lambda s, x, v, t: forward.noised(s, -v, t, x))
wrong("predictions.v_to_x0", "x - v", lambda s, x, v, t: x - v)
wrong(
    "predictions.v_to_x0", "no roots", lambda s, x, v, t: K(A(s, t), x) * x - K(1 - A(s, t), x) * v
)
right("predictions.v_to_x0", "ok", lambda s, x, v, t: forward.noised(s, x, t, -v))
right("predictions.v_to_x0", "negative twice", lambda s, x, v, t: -forward.noised(s, -x, t, v))
wrong("predictions.amplify", "inverse", lambda s, t: s.signal[t] / s.noise[t])
wrong("predictions.amplify", "squared", lambda s, t: (1 - s.abar[t]) / s.abar[t])
wrong("predictions.amplify", "1/signal", lambda s, t: 1 / s.signal[t])
wrong("predictions.amplify", "noise", lambda s, t: s.noise[t])
wrong("predictions.amplify", "snr", lambda s, t: s.snr[t])
wrong("predictions.amplify", "negative", lambda s, t: -s.noise[t] / s.signal[t])
wrong("predictions.amplify", "beta", lambda s, t: (s.beta[t] / s.alpha[t]).sqrt())
wrong("predictions.amplify", "t-1", lambda s, t: s.noise[t - 1] / s.signal[t - 1])
right("predictions.amplify", "snr**-.5", lambda s, t: s.snr[t] ** (-0.5))
right("predictions.amplify", "tan acos", lambda s, t: math.tan(math.acos(float(s.signal[t]))))
right("predictions.amplify", "exp log", lambda s, t: math.exp(-float(s.log_snr[t]) / 2))
wrong(
    "predictions.score",
    "sign",
    lambda s, x, x0, t: (x - K(row(s.signal, t), x) * x0) / K(1 - A(s, t), x),
)
wrong(
    "predictions.score",
    "std",
    lambda s, x, x0, t: -(x - K(row(s.signal, t), x) * x0) / K(row(s.noise, t), x),
)
wrong("predictions.score", "no signal", lambda s, x, x0, t: -(x - x0) / K(1 - A(s, t), x))
wrong(
    "predictions.score", "abar", lambda s, x, x0, t: -(x - K(A(s, t), x) * x0) / K(1 - A(s, t), x)
)
wrong(
    "predictions.score",
    "divided by abar",
    lambda s, x, x0, t: -(x - K(row(s.signal, t), x) * x0) / K(A(s, t), x),
)
wrong(
    "predictions.score",
    "beta",
    lambda s, x, x0, t: -(x - K(row(s.alpha, t).sqrt(), x) * x0) / K(row(s.beta, t), x),
)
wrong(
    "predictions.score",
    "brackets",
    lambda s, x, x0, t: K(row(s.signal, t), x) * x0 - x / K(1 - A(s, t), x),
)
right(
    "predictions.score",
    "ok",
    lambda s, x, x0, t: (K(row(s.signal, t), x) * x0 - x) / K(1 - A(s, t), x),
)
right(
    "predictions.score",
    "via eps",
    lambda s, x, x0, t: (
        -((x - K(row(s.signal, t), x) * x0) / K(row(s.noise, t), x)) / K(row(s.noise, t), x)
    ),
)
wrong(
    "predictions.same_loss",
    "eps inverse",
    lambda s, k, t: {"x0": 1.0, "eps": 1 / s.snr[t], "v": 1 / s.abar[t]}[k],
)
wrong(
    "predictions.same_loss",
    "roots",
    lambda s, k, t: {"x0": 1.0, "eps": s.snr[t].sqrt(), "v": 1 / s.noise[t]}[k],
)
wrong(
    "predictions.same_loss",
    "v=1+snr^2",
    lambda s, k, t: {"x0": 1.0, "eps": s.snr[t], "v": 1 + s.snr[t] ** 2}[k],
)
wrong("predictions.same_loss", "v=snr", lambda s, k, t: s.snr[t] if k != "x0" else 1.0)
wrong("predictions.same_loss", "all 1", lambda s, k, t: 1.0)
wrong(
    "predictions.same_loss",
    "v None",
    lambda s, k, t: 1.0 if k == "x0" else s.snr[t] if k == "eps" else None,
)
wrong(
    "predictions.same_loss",
    "v abar",
    lambda s, k, t: {"x0": 1.0, "eps": s.snr[t], "v": 1 / s.abar[t]}[k],
)
right(
    "predictions.same_loss",
    "ints",
    lambda s, k, t: (
        1
        if k == "x0"
        else float(s.abar[t] / (1 - s.abar[t]))
        if k == "eps"
        else float(1 / (1 - s.abar[t]))
    ),
)
right(
    "predictions.same_loss",
    "match",
    lambda s, k, t: s.snr[t] + 1 if k == "v" else s.snr[t] ** (k == "eps"),
)
