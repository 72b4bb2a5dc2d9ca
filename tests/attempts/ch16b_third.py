"""More attempts at the exercises of chapter 16b, in one line each where that is enough."""

import math

import numpy as np

from tests.attempts import right, wrong


def eu(step, n=0):

    def f(vel, x, taus):
        for a, b in zip(taus, taus[1:]):
            x = step(vel, x, a, b)
        return x

    return f


wrong("flow.velocity", "sign", lambda x, h, tau: (h - x) / tau)
wrong("flow.velocity", "not divided", lambda x, h, tau: x - h)
wrong("flow.velocity", "1-tau", lambda x, h, tau: (x - h) / max(1 - tau, 0.001))
wrong("flow.velocity", "eps", lambda x, h, tau: (x - (1 - tau) * h) / tau)
wrong("flow.velocity", "eps - x0, scaled", lambda x, h, tau: (x - (1 - tau) * h) / tau - x)
wrong("flow.velocity", "root tau", lambda x, h, tau: (x - h) / math.sqrt(tau))
wrong("flow.velocity", "times tau", lambda x, h, tau: (x - h) * tau)
wrong("flow.velocity", "eps not divided", lambda x, h, tau: x - (1 - tau) * h - h)
right("flow.velocity", "eps - x0", lambda x, h, tau: (x - (1 - tau) * h) / tau - h)
right("flow.velocity", "np", lambda x, h, tau: np.divide(x.numpy() - h.numpy(), tau))
wrong("flow.to_velocity", "v", lambda s, v, x, t: v)
wrong(
    "flow.to_velocity",
    "x0 - eps",
    lambda s, v, x, t: s.signal[t] * x - s.noise[t] * v - (s.noise[t] * x + s.signal[t] * v),
)
wrong(
    "flow.to_velocity",
    "sum",
    lambda s, v, x, t: s.signal[t] * x - s.noise[t] * v + (s.noise[t] * x + s.signal[t] * v),
)
wrong(
    "flow.to_velocity",
    "abar",
    lambda s, v, x, t: (1 - s.abar[t]) * x + s.abar[t] * v - (s.abar[t] * x - (1 - s.abar[t]) * v),
)
wrong("flow.to_velocity", "tau used", lambda s, v, x, t: v / (s.signal[t] + s.noise[t]))
wrong(
    "flow.to_velocity",
    "eps sign",
    lambda s, v, x, t: s.noise[t] * x - s.signal[t] * v - (s.signal[t] * x - s.noise[t] * v),
)
wrong(
    "flow.to_velocity",
    "x0 sign",
    lambda s, v, x, t: s.noise[t] * x + s.signal[t] * v - (s.signal[t] * x + s.noise[t] * v),
)
wrong(
    "flow.to_velocity",
    "t-1",
    lambda s, v, x, t: (
        s.noise[t - 1] * x + s.signal[t - 1] * v - (s.signal[t - 1] * x - s.noise[t - 1] * v)
    ),
)
right(
    "flow.to_velocity",
    "collected",
    lambda s, v, x, t: (s.noise[t] - s.signal[t]) * x + (s.noise[t] + s.signal[t]) * v,
)
right(
    "flow.to_velocity",
    "math",
    lambda s, v, x, t: (
        (math.sqrt(1 - s.abar[t]) - math.sqrt(s.abar[t])) * x
        + (math.sqrt(1 - s.abar[t]) + math.sqrt(s.abar[t])) * v
    ),
)
wrong("flow.euler", "wrong direction", eu(lambda v, x, a, b: x + (a - b) * v(x, a)))
wrong("flow.euler", "at the end", eu(lambda v, x, a, b: x + (b - a) * v(x, b)))
wrong("flow.euler", "no length", eu(lambda v, x, a, b: x - v(x, a)))
wrong("flow.euler", "times tau", eu(lambda v, x, a, b: x + b * v(x, a)))
wrong(
    "flow.euler",
    "even steps",
    lambda v, x, ts: eu(lambda v_, x_, a, b: x_ - (ts[0] - ts[-1]) / (len(ts) - 1) * v_(x_, a))(
        v, x, ts
    ),
)
wrong(
    "flow.euler",
    "last missing",
    lambda v, x, ts: eu(lambda v_, x_, a, b: x_ + (b - a) * v_(x_, a))(v, x, ts[:-1]),
)
wrong("flow.euler", "midpoint", eu(lambda v, x, a, b: x + (b - a) * v(x, (a + b) / 2)))
wrong("flow.euler", "first velocity", lambda v, x, ts: x + (ts[-1] - ts[0]) * v(x, ts[0]))
wrong(
    "flow.euler",
    "heun",
    eu(lambda v, x, a, b: x + (b - a) * (v(x, a) + v(x + (b - a) * v(x, a), b)) / 2),
)
wrong("flow.euler", "in place", eu(lambda v, x, a, b: x.add_((b - a) * v(x, a))))
right("flow.euler", "ok", eu(lambda v, x, a, b: x - (a - b) * v(x, a)))
right(
    "flow.euler",
    "recursion",
    lambda v, x, ts: (lambda go: go(go, x, ts))(
        lambda go, x, ts: x if len(ts) < 2 else go(go, x + (ts[1] - ts[0]) * v(x, ts[0]), ts[1:])
    ),
)
right(
    "flow.euler",
    "all points",
    lambda v, x, ts: (
        lambda xs: (
            [xs.append(xs[-1] + (b - a) * v(xs[-1], a)) for a, b in zip(ts, ts[1:])] and xs[-1]
        )
    )([x]),
)
