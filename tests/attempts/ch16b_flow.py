"""Attempts at chapter 16b."""

import torch

from tests.attempts import right, wrong

# ---------------------------------------------------------------------------------- flow.velocity


@wrong("flow.velocity", "towards the data")
def _(x_tau, x0_hat, tau):
    return (x0_hat - x_tau) / tau


@wrong("flow.velocity", "the difference alone")
def _(x_tau, x0_hat, tau):
    return x_tau - x0_hat


@wrong("flow.velocity", "the noise")
def _(x_tau, x0_hat, tau):
    eps_hat = (x_tau - (1 - tau) * x0_hat) / tau
    return eps_hat


@wrong("flow.velocity", "divided by the time that is left")
def _(x_tau, x0_hat, tau):
    return (x0_hat - x_tau) / (1 - tau)


@wrong("flow.velocity", "no parentheses")
def _(x_tau, x0_hat, tau):
    return x_tau - x0_hat / tau


@wrong("flow.velocity", "roots as in a schedule")
def _(x_tau, x0_hat, tau):
    eps_hat = (x_tau - (1 - tau) ** 0.5 * x0_hat) / tau**0.5
    return eps_hat - x0_hat


@wrong("flow.velocity", "times tau")
def _(x_tau, x0_hat, tau):
    return tau * (x_tau - x0_hat)


@wrong("flow.velocity", "the ends of the line the other way round")
def _(x_tau, x0_hat, tau):
    eps_hat = (x_tau - tau * x0_hat) / (1 - tau)
    return eps_hat - x0_hat


@wrong("flow.velocity", "the sum of both ends")
def _(x_tau, x0_hat, tau):
    eps_hat = (x_tau - (1 - tau) * x0_hat) / tau
    return eps_hat + x0_hat


@wrong("flow.velocity", "the derivative of the mixture of x_tau and x0_hat")
def _(x_tau, x0_hat, tau):
    return (1 - tau) * x0_hat + tau * x_tau


@right("flow.velocity", "noise minus data")
def _(x_tau, x0_hat, tau):
    eps_hat = (x_tau - (1 - tau) * x0_hat) / tau
    return eps_hat - x0_hat


@right("flow.velocity", "in one line")
def _(x_tau, x0_hat, tau):
    return (x_tau - x0_hat) / tau


@right("flow.velocity", "a product with 1 / tau, in place of nothing")
def _(x_tau, x0_hat, tau):
    way = torch.sub(x_tau, x0_hat)
    return way.mul(1 / tau)


# ------------------------------------------------------------------------------- flow.to_velocity


@wrong("flow.to_velocity", "v is the velocity")
def _(schedule, v, x_t, t):
    return v


@wrong("flow.to_velocity", "the noise alone")
def _(schedule, v, x_t, t):
    return schedule.noise[t] * x_t + schedule.signal[t] * v


@wrong("flow.to_velocity", "data minus noise")
def _(schedule, v, x_t, t):
    x_0 = schedule.signal[t] * x_t - schedule.noise[t] * v
    eps = schedule.noise[t] * x_t + schedule.signal[t] * v
    return x_0 - eps


@wrong("flow.to_velocity", "scaled, and that is all")
def _(schedule, v, x_t, t):
    return (schedule.signal[t] + schedule.noise[t]) * v


@wrong("flow.to_velocity", "a sign in x_0")
def _(schedule, v, x_t, t):
    x_0 = schedule.signal[t] * x_t + schedule.noise[t] * v
    eps = schedule.noise[t] * x_t + schedule.signal[t] * v
    return eps - x_0


@wrong("flow.to_velocity", "abar for its root")
def _(schedule, v, x_t, t):
    abar = schedule.abar[t]
    x_0 = abar * x_t - (1 - abar) * v
    eps = (1 - abar) * x_t + abar * v
    return eps - x_0


@wrong("flow.to_velocity", "divided by the scale at the end")
def _(schedule, v, x_t, t):
    a, b = schedule.signal[t], schedule.noise[t]
    return v + (b - a) / (a + b) * x_t


@wrong("flow.to_velocity", "x_t brought to the straight path first")
def _(schedule, v, x_t, t):
    a, b = schedule.signal[t], schedule.noise[t]
    x = x_t / (a + b)
    return (b * x + a * v) - (a * x - b * v)


@wrong("flow.to_velocity", "signal minus noise")
def _(schedule, v, x_t, t):
    a, b = schedule.signal[t], schedule.noise[t]
    return (a + b) * v + (a - b) * x_t


@wrong("flow.to_velocity", "the row before")
def _(schedule, v, x_t, t):
    a, b = schedule.signal[t - 1], schedule.noise[t - 1]
    return (a + b) * v + (b - a) * x_t


@right("flow.to_velocity", "noise minus data")
def _(schedule, v, x_t, t):
    x_0 = schedule.signal[t] * x_t - schedule.noise[t] * v
    eps = schedule.noise[t] * x_t + schedule.signal[t] * v
    return eps - x_0


@right("flow.to_velocity", "two factors")
def _(schedule, v, x_t, t):
    a, b = schedule.signal[t], schedule.noise[t]
    return (a + b) * v + (b - a) * x_t


@right("flow.to_velocity", "by the estimate of the data")
def _(schedule, v, x_t, t):
    a, b = schedule.signal[t], schedule.noise[t]
    x_tau, tau = x_t / (a + b), b / (a + b)
    return (x_tau - (a * x_t - b * v)) / tau


# ------------------------------------------------------------------------------------- flow.euler


@wrong("flow.euler", "away from the data")
def _(velocity, x_1, taus):
    x = x_1
    for i in range(len(taus) - 1):
        x = x + (taus[i] - taus[i + 1]) * velocity(x, taus[i])
    return x


@wrong("flow.euler", "without the length of the step")
def _(velocity, x_1, taus):
    x = x_1
    for tau in taus[:-1]:
        x = x - velocity(x, tau)
    return x


@wrong("flow.euler", "asks at the end of the step")
def _(velocity, x_1, taus):
    x = x_1
    for t, s in zip(taus, taus[1:]):
        x = x + (s - t) * velocity(x, s)
    return x


@wrong("flow.euler", "even steps")
def _(velocity, x_1, taus):
    x, n = x_1, len(taus) - 1
    for tau in taus[:-1]:
        x = x - velocity(x, tau) / n
    return x


@wrong("flow.euler", "one step short")
def _(velocity, x_1, taus):
    x = x_1
    for i in range(len(taus) - 2):
        x = x + (taus[i + 1] - taus[i]) * velocity(x, taus[i])
    return x


@wrong("flow.euler", "the whole way")
def _(velocity, x_1, taus):
    path = [x_1]
    for t, s in zip(taus, taus[1:]):
        path.append(path[-1] + (s - t) * velocity(path[-1], t))
    return path


@wrong("flow.euler", "the velocity at the start for all")
def _(velocity, x_1, taus):
    x = x_1
    for t, s in zip(taus, taus[1:]):
        x = x + (s - t) * velocity(x_1, t)
    return x


@wrong("flow.euler", "from the data on")
def _(velocity, x_1, taus):
    x, back = x_1, taus[::-1]
    for t, s in zip(back, back[1:]):
        x = x + (s - t) * velocity(x, t)
    return x


@wrong("flow.euler", "Heun's method")
def _(velocity, x_1, taus):
    x = x_1
    for t, s in zip(taus, taus[1:]):
        first = velocity(x, t)
        second = velocity(x + (s - t) * first, s)
        x = x + (s - t) * 0.5 * (first + second)
    return x


@wrong("flow.euler", "forgets where it was")
def _(velocity, x_1, taus):
    for t, s in zip(taus, taus[1:]):
        x = x_1 + (s - t) * velocity(x_1, t)
    return x


@right("flow.euler", "pairs of times")
def _(velocity, x_1, taus):
    x = x_1
    for t, s in zip(taus, taus[1:]):
        x = x + (s - t) * velocity(x, t)
    return x


@right("flow.euler", "minus a positive step")
def _(velocity, x_1, taus):
    x = x_1.clone()
    for i in range(1, len(taus)):
        x -= (taus[i - 1] - taus[i]) * velocity(x, taus[i - 1])
    return x


@right("flow.euler", "a fold")
def _(velocity, x_1, taus):
    if len(taus) == 1:
        return x_1
    moved = x_1 + (taus[1] - taus[0]) * velocity(x_1, taus[0])
    rest = taus[1:]
    for t, s in zip(rest, rest[1:]):
        moved = torch.add(moved, velocity(moved, t), alpha=s - t)
    return moved
