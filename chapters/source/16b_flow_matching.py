# %% [markdown]
# # 16b · Why should the path from noise to data bend?
#
# The chain of this course mixes data and noise along a quarter of a circle, with factors whose squares add up to 1.
# Nothing so far has asked for a circle: it came with a chain that keeps the variance. What if you simply mix along
# the straight line between the two? This idea is known as *flow matching* or *rectified flow*, and many
# recent image models are trained with it. This chapter derives it, finds out how much of it is new, and straightens
# a flow until a single step is enough.
#
# **After this chapter you can**
#
# - write the flow-matching loss, and say why it may use the velocity of single pairs,
# - translate between this velocity and v-prediction, for every noise schedule,
# - say which paths are straight, and which are not,
# - straighten a flow by reflow, and measure what that gains,
# - say what optimal transport asks for, and how it is related to flows.
#
# **You need** v from [09 · Predictions](09_predictions.ipynb); DDIM and the probability-flow ODE from
# [10b](10b_fewer_steps.ipynb); the training loop of [11](11_learning_to_denoise.ipynb); and, for one argument, (16.5)
# to (16.7) of [16](16_continuous_time.ipynb).
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about half a
# minute.
#
# **For what comes next:** no later chapter builds on this one.
#
# **In the papers:** [Lip23] (flow matching); [Liu23] (rectified flow); [Alb23] (stochastic interpolants); [Ess24]
# (Stable Diffusion 3).

# %% [markdown]
# ## A first look: an arc and a line
#
# Let the data be a single point $x_0$, and take one sample of noise $\epsilon$. There are two ways to mix them:
#
# - along the arc, $\cos\varphi\;x_0 + \sin\varphi\;\epsilon$, as every variance preserving schedule does,
# - along the line, $(1-\tau)\,x_0 + \tau\,\epsilon$.
#
# Both have a velocity, the derivative with respect to $\varphi$ or $\tau$. Start at the noise and follow the velocity
# back with **Euler's method**: ask for the velocity, keep it for a whole step, ask again.
#
# **Predict.** How far from the data do you end with 1, 4 and 16 steps, on the arc and on the line?

# %%
import math
from functools import partial

import torch

from ddpm_lab import datasets, estimators, ideal_denoisers, metrics, networks, predictions
from ddpm_lab import flow_matching as flow
from ddpm_lab import forward, samplers, schedules
from ddpm_lab.course import explorers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded

point, noise = torch.tensor([[1.0, 0.3]]).double(), torch.tensor([[-0.6, 1.2]]).double()


def arc_velocity(x, phi):
    eps = (x - math.cos(phi) * point) / math.sin(phi)  # the data are known, so the noise is, too
    return math.cos(phi) * eps - math.sin(phi) * point


def line_velocity(x, tau):
    return (x - (1 - tau) * point) / tau - point


def follow(velocity, start, steps):
    places, h = [noise], start / steps
    for k in range(steps, 0, -1):
        places.append(places[-1] - h * velocity(places[-1], k * h))
    return torch.cat(places)


# %%
fig, axes = figures.new(1, 2, width=8.4, height=3.4, sharex=True, sharey=True)
for ax, (name, u, start) in zip(axes, (("arc", arc_velocity, math.pi / 2),
                                       ("line", line_velocity, 1.0))):
    ax.plot(*follow(u, start, 1000).T, color=figures.GRAY, label="exact path")
    for steps, color, mark in ((1, figures.RED, "s"), (4, figures.BLUE, "o")):
        places = follow(u, start, steps)
        ax.plot(*places.T, color=color, marker=mark, label=f"Euler steps: {steps}")
    ax.plot(*point[0], "k*", markersize=12, label="data")
    ax.set(title=f"along the {name}", xlabel="first coordinate", aspect="equal")
    misses = [(follow(u, start, n)[-1] - point).norm() for n in (1, 4, 16)]
    print(f"{name:>4}: 1, 4 and 16 steps miss by", ", ".join(f"{miss:.3f}" for miss in misses))
axes[0].set_ylabel("second coordinate")
axes[1].legend(fontsize=9)
figures.show(fig, alt="Euler steps leave the arc on its outer side; on the line they stay on it.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# On the line one step is exact, because the velocity never changes. On the arc one step misses by 1.372, and four
# steps still by 0.084.
#
# </details>
#
# So why should the path bend? The answer has two parts, and the first is a surprise.

# %% [markdown]
# ## The straight path, and which way its time runs
#
# The **straight path** of a pair $(x_0, \epsilon)$ and its velocity are
#
# $$x_\tau = (1-\tau)\,x_0 + \tau\,\epsilon, \qquad 0 \le \tau \le 1, \tag{16b.1}$$
#
# $$\frac{d x_\tau}{d\tau} = \epsilon - x_0. \tag{16b.2}$$
#
# As everywhere in this course time starts at the data: $\tau = 0$ is clean, $\tau = 1$ is noise, and the velocity
# points from the data to the noise. Papers disagree about this, so look before you copy a formula:
#
# | | data at | noise at | point | velocity |
# |---|---|---|---|---|
# | here, [Ess24] | $0$ | $1$ | $(1-\tau)\,x_0 + \tau\,\epsilon$ | $\epsilon - x_0$ |
# | [Lip23], [Liu23] | $1$ | $0$ | $t\,x_1 + (1-t)\,x_0$ | $x_1 - x_0$ |
#
# In the second row $x_1$ is the data and $x_0$ the noise. Put $t = 1 - \tau$, and the velocity changes its sign.
# ([Lip23] leave a little noise at the data end.)
#
# `flow.straight(1000)` is a schedule with the times $\tau = t/1000$; networks get $t$, as always.

# %%
# eq: 16b.1, 16b.2
path = flow.straight(1000)
x_0 = datasets.moons(500, generator=seeded(1)).double()
eps = normal_like(x_0, generator=seeded(2))
x_tau = flow.interpolate(path, x_0, 400, eps)
print("(16b.1) at tau = 0.4:", torch.allclose(x_tau, 0.6 * x_0 + 0.4 * eps))
later = flow.interpolate(path, x_0, 401, eps)
print("(16b.2), from tau = 0.400 to 0.401:", torch.allclose((later - x_tau) / 0.001, eps - x_0))

# %% [markdown]
# ## One place, many velocities
#
# With more than one data point a difficulty appears: many lines pass through the same place, each with its own
# **conditional velocity** $\epsilon - x_0$. A sampler at $x$ cannot know which line it is on. It can follow the mean
# of their velocities, the **marginal velocity**
#
# $$u(x, \tau) = E\big[\epsilon - x_0 \mid x_\tau = x\big]. \tag{16b.3}$$
#
# Is that enough? Yes: how the density at a place changes depends only on how much probability flows through it on
# average, the flux of (16.5). So points that start as noise and follow $u$ have the right distribution at *every* $\tau$
# [Lip23, Theorem 1]. The argument is the one that gave the probability-flow ODE (16.7).
#
# And the marginal velocity is something you already have. By (16b.1) $\epsilon = (x - (1-\tau)\,x_0)/\tau$. Put this
# into (16b.3), and only the mean of $x_0$ is left, the ideal denoiser's $\hat x_0$.
#
# ### Exercise 16.7 · The velocity from an estimate
#
# Return the velocity at `x_tau`, if `x0_hat` is the estimate of the data. `tau` is a number in $0 < \tau \le 1$.

# %% tags=["exercise"]
def my_velocity(x_tau, x0_hat, tau):
    """Return the velocity, shaped like x_tau."""
    ### BEGIN SOLUTION
    return (x_tau - x0_hat) / tau
    ### END SOLUTION


velocity_at = check("flow.velocity", my_velocity)

# %% [markdown]
# Test it against (16b.3) on a million pairs: data with two modes on the line (chapter 10), at $\tau = 0.5$. Take the
# pairs that pass near a place, and average their velocities.

# %%
# eq: 16b.3
modes = ideal_denoisers.two_modes()
denoise = ideal_denoisers.mixture_denoiser(modes, path)
many = ideal_denoisers.sample(modes, 1_000_000, generator=seeded(3)).double()
eps = normal_like(many, generator=seeded(4))
x_half = flow.interpolate(path, many, 500, eps)
for place in (-1.0, 0.3, 1.0):
    near = (eps - many)[(x_half - place).abs() < 0.02]
    average = estimators.monte_carlo(near)
    x = torch.tensor([[place]]).double()
    exact = velocity_at(x, denoise(flow.scale(path)[500] * x, 500), 0.5)
    print(f"x = {place:+}: {len(near):5} pairs pass with mean velocity {average.value.item():+.2f} "
          f"± {average.stderr.item():.2f}, exact {exact.item():+.2f}")

# %% [markdown]
# (`denoise` expects $x_t$ of a variance preserving chain; the factor `flow.scale` translates, see (16b.7).)
#
# **Predict.** The paths of the pairs are straight. Are the paths of points that follow the marginal velocity
# straight, too? Can they cross?

# %%
u = flow.velocity(path, denoise)
times = schedules.timesteps(1000, 100)
levels = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
start = torch.special.ndtri(levels)[:, None]  # quantiles of the noise
way = flow.solve(path, u, start, times=times, order=2)[..., 0]
fig, axes = figures.new(1, 2, width=8.4, height=3.2, sharey=True)
ends = torch.stack([eps[:40, 0], many[:40, 0]])
figures.paths([1, 0], {"": ends}, xlabel="tau", ylabel="x, data units", mean=False, shown=40,
              ax=axes[0], title="straight paths of 40 pairs")
figures.paths(flow.tau(path)[times], {"": way[:, 25::50]}, xlabel="tau", ylabel="", mean=False,
              shown=40, ax=axes[1], title="40 paths of the marginal velocity")
figures.show(fig, alt="Left: straight lines that cross. Right: bent paths that never cross.")
turns = (way[1:, 1200] - way[:-1, 1200]) / -0.01
print(f"velocity on the path from x = {start[1200].item():.2f}: {turns[0]:+.2f} at first, "
      f"at most {turns.max():+.2f}, at least {turns.min():+.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# No to both. The lines of the pairs cross everywhere. The paths of the marginal velocity never cross, since at each
# place and time there is one velocity only, and so they must bend. At $\tau = 1$ the estimate is the mean of all
# data, so all of them head for 0; later they turn to one of the modes.
#
# </details>
#
# Do the bent paths end in the right distribution? In one dimension, not crossing means that quantiles go to quantiles.

# %%
places = torch.linspace(-3, 3, 60_001, dtype=torch.float64)
below = sum(torch.special.ndtr((places - m) / modes.var[0].sqrt()) for m in modes.mean[:, 0]) / 2
right = places[torch.searchsorted(below, levels)]
print(f"2000 quantiles: the ends differ from the data's by {(way[-1] - right).abs().mean():.4f} "
      f"on average, by {(way[-1] - right).abs().max():.3f} at most")

# %% [markdown]
# They do. So **"straight" holds for single pairs, not for the paths that a sampler follows.** Straight pairs alone
# do not make sampling possible in one step.

# %% [markdown]
# ## The flow-matching loss
#
# For real data $u$ is unknown, and a network has to learn it. The obvious loss compares the network with $u$, which
# we do not have. **Flow matching** compares it with the velocity of a pair:
#
# $$L = E_{\tau,\,x_0,\,\epsilon}\,\big\|\mathrm{net}(x_\tau, \tau) - (\epsilon - x_0)\big\|^2. \tag{16b.4}$$
#
# Why is that allowed? Fix $\tau$, write $n$ for the network's output and $w = \epsilon - x_0$, and insert $u$:
#
# $$\|n - w\|^2 = \|n - u\|^2 + 2\,(n-u)\cdot(u-w) + \|u - w\|^2. \tag{16b.5}$$
#
# Average first over all pairs that pass through a given $x_\tau$. There $n$ and $u$ are fixed, and the mean of $w$
# is $u$, by (16b.3). So the middle term vanishes:
#
# $$E\,\|n-w\|^2 = E\,\|n-u\|^2 + E\,\|u-w\|^2. \tag{16b.6}$$
#
# The last term does not contain the network. Both losses have **the same gradient and the same minimum at $n = u$**;
# the loss of pairs is only larger, by a constant. (As in chapter 09, the best prediction is a conditional mean.) Check
# it for two data points and a "network" with two weights; sums over a fine grid stand for the means.

# %%
# eq: 16b.4, 16b.5, 16b.6
tau, two = 0.5, torch.tensor([-1.0, 0.6]).double()
weights = torch.tensor([0.7, -0.3]).double().requires_grad_()
x = torch.linspace(-6, 6, 6001).double()[:, None]  # places; column k: pairs with data point k
eps = (x - (1 - tau) * two) / tau
p = (-0.5 * eps**2).exp()
p = p / p.sum()  # probability of each place and data point
w, n = eps - two, weights[0] * torch.sin(2 * x) + weights[1] * x**2
u = (p * w).sum(1, keepdim=True) / p.sum(1, keepdim=True)
pairs, marginal = (p * (n - w) ** 2).sum(), (p * (n - u) ** 2).sum()
for name, loss in (("pairs", pairs), ("u", marginal)):
    slope = torch.autograd.grad(loss, weights, retain_graph=True)[0].tolist()
    print(f"compared with {name:>5}: loss {loss:.4f}, gradient {slope[0]:+.6f}, {slope[1]:+.6f}")
middle, last = (p * (n - u) * (u - w)).sum(), (p * (u - w) ** 2).sum()
print(f"the middle term is 0 within 1e-12: {bool(abs(middle) < 1e-12)}; "
      f"the last one is {last:.4f}, the difference {pairs - marginal:.4f}")

# %% [markdown]
# The gradients agree in all digits. The losses differ by 1.4948, the last term of (16b.6). That constant is the
# irreducible loss (chapter 11): no network gets below it.

# %% [markdown]
# ## Is this a new model?
#
# Divide $x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon$ by the sum of its two factors. What is
# left has factors that add up to 1, and so it stands on the straight path:
#
# $$\frac{x_t}{\text{signal}_t + \text{noise}_t} = x_\tau, \qquad
# \tau = \frac{\text{noise}_t}{\text{signal}_t + \text{noise}_t}, \tag{16b.7}$$
#
# with $\text{signal}_t = \sqrt{\bar\alpha_t}$ and $\text{noise}_t = \sqrt{1-\bar\alpha_t}$. So every schedule follows
# the straight path, up to a change of scale. The velocities correspond, too:
# $v = \text{signal}\,\epsilon - \text{noise}\,x_0$, (9.2), is the one along the arc, $u = \epsilon - x_0$ the one along the line.
#
# ### Exercise 16.8 · From v to the velocity
#
# A network has predicted `v` at `x_t`, for a schedule and an int `t`. Return the corresponding velocity
# $u = \epsilon - x_0$. (Chapter 09: $x_0 = \text{signal}\;x_t - \text{noise}\;v$ and
# $\epsilon = \text{noise}\;x_t + \text{signal}\;v$; the tables are `schedule.signal` and `schedule.noise`.)

# %% tags=["exercise"]
def my_to_velocity(schedule, v, x_t, t):
    """Return the velocity on the straight path, shaped like v."""
    ### BEGIN SOLUTION
    signal, noise = schedule.signal[t], schedule.noise[t]
    return (signal + noise) * v + (noise - signal) * x_t
    ### END SOLUTION


to_velocity = check("flow.to_velocity", my_to_velocity)

# %%
# eq: 16b.7
plans = (schedules.linear(), schedules.cosine(), schedules.sigmoid(), schedules.su())
x_0 = datasets.moons(500, generator=seeded(1)).double()
for schedule in plans:
    tau, scale = flow.tau(schedule), flow.scale(schedule)
    holds = True
    for t in (1, 250, 500, 900):
        q = forward.marginal(schedule, x_0, t)
        holds &= torch.allclose(q.mean / scale[t], (1 - tau[t]) * x_0)
        holds &= torch.allclose(q.var.sqrt() / scale[t], tau[t])
    places = ", ".join(f"{tau[t]:.2f}" for t in (0, 250, 500, 750, 1000))
    print(f"{schedule.name:>7}: (16b.7) holds: {holds}; t = 0, 250 … 1000 is tau = {places}")

# %%
ring = ideal_denoisers.circle_mixture(8)
x_tau = normal_like(torch.empty(100, 2).double(), generator=seeded(5))
for schedule in plans:
    exact, worst = ideal_denoisers.mixture_denoiser(ring, schedule), 0.0
    for t in (1, 250, 500, 900):
        tau, x_t = flow.tau(schedule)[t], flow.scale(schedule)[t] * x_tau
        v = predictions.convert(schedule, exact(x_t, t), "x0", x_t, t).v
        abar = (1 - tau) ** 2 / ((1 - tau) ** 2 + tau**2)  # a schedule that stops at this tau
        line = schedules.Schedule("line", torch.stack([torch.ones_like(abar), abar]))
        x0_hat = ideal_denoisers.mixture_denoiser(ring, line)(flow.scale(line)[1] * x_tau, 1)
        off = to_velocity(schedule, v, x_t, t) - velocity_at(x_tau, x0_hat, tau)
        worst = max(worst, off.abs().max().item())
    print(f"{schedule.name:>7}: u from v and u from 16.7 agree within 1e-10: {worst < 1e-10}")

# %% [markdown]
# With Gaussian noise and random pairs the answer is no. Flow matching has the marginals, the best predictor and the
# ODE of every variance preserving chain. You can train a network one way and sample from it the other way
# (`flow.to_velocity`, `flow.to_v`); only the coordinates differ.
#
# ### Euler on the line is DDIM
#
# Then why did the arc do so badly in the first look? Take one Euler step from $\tau$ to $\sigma < \tau$ on the line,
# with the estimate $u = \hat\epsilon - \hat x_0$:
#
# $$x_\tau + (\sigma - \tau)\,(\hat\epsilon - \hat x_0) = (1-\sigma)\,\hat x_0 + \sigma\,\hat\epsilon. \tag{16b.8}$$
#
# It keeps both estimates and mixes them anew. That is the DDIM step with $\eta = 0$. Nobody follows the arc with
# Euler's method: DDIM rotates by the exact angle instead, (10.11), and a rotation on the arc is an Euler step on the
# line.
#
# ### Exercise 16.9 · Follow the velocity
#
# `velocity(x, tau)` is any velocity, and `taus` a falling list of times, such as `[1.0, 0.6, 0.0]`. Start with `x_1`
# at `taus[0]`, take one Euler step to each further time, and return where the last one ends.

# %% tags=["exercise"]
def my_euler(velocity, x_1, taus):
    """Return x at taus[-1], shaped like x_1."""
    ### BEGIN SOLUTION
    x = x_1
    for tau, sigma in zip(taus, taus[1:]):
        x = x + (sigma - tau) * velocity(x, tau)
    return x
    ### END SOLUTION


euler = check("flow.euler", my_euler)

# %% [markdown]
# **Predict.** Take ten DDIM steps, evenly spaced in $t$, and ten Euler steps on the line at the same noise levels. How
# far apart are the samples?

# %%
# eq: 16b.8
steps = schedules.timesteps(1000, 10)


def on_the_line(x, tau, schedule, exact):
    t = int((flow.tau(schedule) - tau).abs().argmin())
    return velocity_at(x, exact(flow.scale(schedule)[t] * x, t), tau)


for schedule in plans:
    exact = ideal_denoisers.mixture_denoiser(ring, schedule)
    u = partial(on_the_line, schedule=schedule, exact=exact)
    x_T = flow.scale(schedule)[-1] * x_tau
    ddim = samplers.final(samplers.ddim(schedule, exact, x_T, times=steps))
    off = (euler(u, x_tau, flow.tau(schedule)[steps].tolist()) - ddim).abs().max().item()
    print(f"{schedule.name:>7}: Euler on the line and DDIM agree within 1e-10: {off < 1e-10}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Not at all: up to rounding they are the same samples.
#
# </details>
#
# So every sample of DDIM (with $\eta = 0$) that you have seen is also one of Euler's method on the straight path. That is
# the first part of the answer: **the bend of a pair's path is a matter of coordinates.** What the choice
# of a path really changes is more modest:
#
# 1. **Where the steps lie.** Steps of equal length in $t$ are not equal in $\tau$: on the linear schedule, $t = 500$ is
#    already at $\tau = 0.77$ (printed above).
# 2. **Which times training looks at.** $u$ is v times $\text{signal} + \text{noise}$, plus something known. So the
#    flow-matching loss is the v-loss with the weight $(\text{signal} + \text{noise})^2$, between 1 and 2, at times
#    drawn evenly in $\tau$.
# 3. **What the network outputs**: $u$ instead of v or $\epsilon$.
#
# These choices matter for real networks. But a straight path is not a new kind of model.

# %% [markdown]
# ## Train one
#
# The second part of the answer concerns the paths that a sampler follows. Train a network first: the data are eight
# small Gaussians on a circle, the network is the MLP of chapter 11. In `fit`, the function `pairs` draws a batch of
# data *and* noise; later we replace it.

# %%
points = ideal_denoisers.sample(ring, 20_000, generator=seeded(6))


def fit(pairs, steps=1000):
    """Flow matching: train a network on the velocities of pairs."""
    net = networks.build(networks.MLP, seed=0, dim=2, width=64)
    optimizer, rng = torch.optim.Adam(net.parameters(), lr=3e-3), seeded(8)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        x_0, eps = pairs(rng)
        t = torch.randint(1, 1001, (len(x_0),), generator=rng)
        optimizer.zero_grad()
        flow.loss(path, net, x_0, t, eps).mean().backward()
        optimizer.step()
        slower.step()
    return net


# %%
def random_pairs(rng, size=256):
    x_0 = points[torch.randint(len(points), (size,), generator=rng)]
    return x_0, normal_like(x_0, generator=rng)


def quality(net, steps):
    """Energy distance of 2000 samples to real data."""
    ends = flow.solve(path, net, start, times=schedules.timesteps(1000, steps))[-1]
    return metrics.energy_distance(ends, test)


test, other = (ideal_denoisers.sample(ring, 2000, generator=seeded(k)) for k in (10, 11))
start = normal_like(test, generator=seeded(12))
first = fit(random_pairs)
report = {f"{n:3} Euler steps": quality(first, n) for n in (1, 2, 4, 8, 100)}
for name, far in {"real data": metrics.energy_distance(other, test), **report}.items():
    print(f"{name:>15}: energy distance {far.value:.3f} ± {far.stderr:.3f}")

# %% [markdown]
# Real data against real data is the baseline. With 100 steps the samples are close to it; with one they are useless,
# as always: one step from pure noise goes to the mean of all data.

# %% [markdown]
# ## Reflow: train again, on your own pairs
#
# The paths bend because the lines of the pairs cross, and the lines cross because data and noise were paired at
# random. But the first network has made better pairs: each noise, and the sample to which the flow led it. **Reflow**
# [Liu23] trains a second network on these:
#
# 1. draw noises, follow the first network in many small steps, and keep the pairs (end, start),
# 2. train a new network on these pairs, with the same loss.
#
# The result is called a **rectified flow**. **Predict.** The paths of a flow do not cross. What does that suggest
# about the straight lines between the new pairs? How good will one step be?

# %%
times = schedules.timesteps(1000, 100)
own_start = normal_like(torch.empty(10_000, 2), generator=seeded(13))
own_end = flow.solve(path, first, own_start, times=times)[-1]


def own_pairs(rng, size=256):
    i = torch.randint(len(own_start), (size,), generator=rng)
    return own_end[i], own_start[i]


second = fit(own_pairs)
for n in (1, 2, 4, 8, 100):
    far = quality(second, n)
    print(f"{n:3} Euler steps: energy distance {far.value:.3f} ± {far.stderr:.3f}")

# %%
fig, axes = figures.new(1, 2, width=8.4, height=4.5, sharex=True, sharey=True)
for ax, (name, net) in zip(axes, (("first network", first), ("after reflow", second))):
    way = flow.solve(path, net, start, times=times)
    ax.plot(*way[:, :60].permute(2, 0, 1), color=figures.BLUE, linewidth=0.8)
    ax.plot(*way[0, :60].T, ".", color=figures.GRAY, label="noise")
    ax.plot(*way[-1, :60].T, ".", color=figures.RED, label="sample")
    ax.set(title=name, xlabel="first coordinate", aspect="equal")
    ax.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6))
    bend = estimators.monte_carlo(flow.straightness(path, way, times))
    print(f"{name}: S = {bend.value:.3f} ± {bend.stderr:.3f}")
axes[0].set_ylabel("second coordinate")
axes[0].legend(fontsize=9)
figures.show(fig, alt="The paths of the first network are bent; after reflow they are straight.")

# %% [markdown]
# $S$ measures how much the velocity along a path varies around its mean,
#
# $$S = \int_0^1 \big\|(x_{\tau=1} - x_{\tau=0}) - u(x_\tau, \tau)\big\|^2\,d\tau, \tag{16b.9}$$
#
# here averaged over 2000 noises. $S = 0$ means straight, at constant speed; then one Euler step is exact.
#
# <details><summary>Answer</summary>
#
# The paths do not cross, so the lines between their ends hardly cross either (in the plane two lines may still meet).
# The velocity at a place is then nearly certain, and it hardly changes along the way. Reflow lowers $S$ from about
# 0.68 to less than 0.02, and the energy distance after **one** step from about 0.6 to less than 0.02.
#
# </details>
#
# The price is to sample 10,000 pairs in 100 steps each, and to train again. And the second network learns to repeat the
# samples of the first, with their errors: with 100 steps it is no better than the first.

# %%
# eq: 16b.9
way = flow.solve(path, first, start, times=times).double()
mean, speed = way[0] - way[-1], way.diff(dim=0) / -0.01  # tau falls by 0.01 a step
by_hand = ((mean - speed).square().sum(dim=2) * 0.01).sum(dim=0)
same = torch.allclose(by_hand, flow.straightness(path, way, times))
print(f"(16b.9) as a sum over 100 steps: {by_hand.mean():.2f}; as flow.straightness: {same}")

# %% [markdown] topics="C110"
# ## What has optimal transport to do with it?
#
# A rule that says which noise goes with which data is a **coupling**: a joint distribution of $x_0$ and $\epsilon$
# with the right marginals. Random pairs are one coupling, the pairs of a flow another. **Optimal transport**
# asks for the coupling that moves as little as possible. Its mean squared distance is the squared
# 2-Wasserstein distance,
#
# $$W^2 = \min_{\text{couplings}} E\,\|\epsilon - x_0\|^2. \tag{16b.10}$$
#
# On the line the best coupling keeps the order: smallest to smallest. A flow on the line cannot change the order, so
# it is optimal from the start. In the plane, `flow.optimal_pairs` finds the best coupling of two finite sets, an
# assignment problem whose cost grows with the cube of their size. For training, one therefore pairs within each
# batch: **minibatch optimal transport** [Poo23; Ton24]. **Predict.** The best coupling needs all points at once. Is it
# of any use to pair only four noises with four data points?

# %%
# eq: 16b.10
quantile = torch.special.ndtri(levels)[:, None]
line = flow.solve(path, flow.velocity(path, denoise), quantile, times=times, order=2)[..., 0]
print(f"on the line: the flow moves {(line[0] - line[-1]).square().mean():.4f}, quantile to "
      f"quantile is {(line[0] - right).square().mean():.4f}")
data, eps = test[:512].double(), start[:512].double()
for size in (1, 4, 16, 64, 512):
    batches = zip(data.split(size), eps.split(size))
    paired = torch.cat([flow.optimal_pairs(x_0, noise) for x_0, noise in batches])
    cost = estimators.monte_carlo((paired - data).square().sum(1))
    print(f"in the plane, pairs within batches of {size:3}: mean squared distance "
          f"{cost.value:.2f} ± {cost.stderr:.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# It is: batches of four already halve the mean squared distance, and batches of 64 come close to pairing all 512.
# (That is in the plane. In many dimensions the images of a batch are all about equally far from a given noise, and pairing
# within a batch helps far less.)
#
# </details>
#
# ### Why reflow never moves farther
#
# Take any coupling with $w = \epsilon - x_0$, and its marginal velocity $u$. Split two mean squares into the square
# of the mean and the variance: first that of $w$ at each place, as in (16b.6) with $n = 0$; then that of $u$ along
# each path of the flow, where the mean over time is $x_{\tau=1} - x_{\tau=0}$ and the variance is $S$. (Points of the
# flow have the same distribution as $x_\tau$ at every $\tau$, so $E\|u\|^2$ is the same number in both.)
#
# $$E\|w\|^2 = \underbrace{E\|w-u\|^2}_{\text{crossing}} + E\|u\|^2, \qquad
# E\|u\|^2 = \underbrace{E\,S}_{\text{bending}}
# + \underbrace{E\|x_{\tau=1} - x_{\tau=0}\|^2}_{\text{squared distance of the new pairs}}. \tag{16b.11}$$
#
# So the new pairs move less than the old ones, by exactly the crossing of the lines and the bending of the paths. No
# round of reflow makes that distance longer, and all rounds together cannot save more than the first distance. So crossing and
# bending must go to zero as reflow is repeated [Liu23].

# %%
# eq: 16b.11
u = flow.velocity(path, ideal_denoisers.mixture_denoiser(ring, path))
x_0 = ideal_denoisers.sample(ring, 100_000, generator=seeded(14)).double()
eps, t = normal_like(x_0, generator=seeded(15)), torch.arange(1, 1001).repeat(100)
crossing = 2 * flow.loss(path, u, x_0, t, eps)  # a sum over the two axes, not a mean
way = flow.solve(path, u, start.double(), times=times, order=2)
moved, bent = (way[0] - way[-1]).square().sum(1), flow.straightness(path, way, times)
print(f"mean squared distance of random pairs: exactly 2 + 1 + 2 · 0.05² = {3 + 2 * 0.05**2:.3f}")
parts = {"crossing": crossing, "bending": bent, "new distance": moved, "the last two": bent + moved}
for name, part in parts.items():
    part = estimators.monte_carlo(part)
    print(f"{name:>12}: {part.value:.3f} ± {part.stderr:.3f}")
print(f"sum of the parts: {crossing.mean() + (bent + moved).mean():.3f}")

# %%
ends, noises = way[-1, :500], way[0, :500]
best = (flow.optimal_pairs(ends, noises) - ends).square().sum(1).mean()
print(f"500 pairs of this flow move {moved[:500].mean():.3f}; in the best order {best:.3f}")

# %% [markdown]
# The parts add up, within the error bars. More than half of the mean squared distance of random pairs is crossing.
# And the new pairs are the best possible, to three digits. That is no rule; these symmetric data are a lucky case.
#
# ### What reflow does not do
#
# **Predict.** Let data and noise both be $N(0, I)$ in the plane, and pair each noise with itself, rotated by 90 degrees.
# Do the lines of two such pairs meet at the same time and place? What does reflow do with them, and what is the best
# coupling?

# %%
turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).double()


def of_the_only_pair(x, t):
    """The velocity at x: solve x = ((1 - tau) turn + tau I) eps for the noise."""
    tau = t.double()[:, None, None] / 1000
    eps = torch.linalg.solve((1 - tau) * turn + tau * torch.eye(2), x[:, :, None])[:, :, 0]
    return eps - eps @ turn.T


eps = normal_like(torch.empty(500, 2).double(), generator=seeded(16))
t = torch.randint(1, 1001, (500,), generator=seeded(17))
crossing = 2 * flow.loss(path, of_the_only_pair, eps @ turn.T, t, eps).mean()
print(f"crossing {crossing:.3f}; mean squared distance of the pairs "
      f"{(eps - eps @ turn.T).square().sum(1).mean():.2f}, of each noise and itself 0")

# %% [markdown]
# <details><summary>Answer</summary>
#
# No two lines meet, because each place and time belongs to one $\epsilon$ only. So there is nothing to straighten:
# reflow returns the same pairs. Their mean squared distance is about 4, that of random pairs, where 0 would do: each
# noise with itself.
#
# </details>
#
# So **reflow makes paths straight; it does not, in general, make the distance as short as possible.** To be optimal,
# a straight flow must also have a velocity that is a gradient [Liu22].

# %% [markdown]
# ### Detour · The shortest path
#
# Chapter 06 asked whether some schedule is the *shortest path* to noise. Now the question has an answer.

# %% [markdown]
# Among all velocities that turn one distribution into the other, optimal transport has the least mean square
# $\int E\|u\|^2\,d\tau$, and this least value is $W^2$ [BB00]. How far from it are the arc (at constant angular
# velocity) and the line, each with its marginal velocity?

# %%
angle = math.pi / 2 * flow.tau(path)
arc = schedules.Schedule("arc", torch.cos(angle).square() * (angle < math.pi / 2))
x_0, eps = (x.double() for x in random_pairs(seeded(18), size=20_000))
t = torch.randint(1, 1001, (20_000,), generator=seeded(19))
x_t = forward.noised(arc, x_0, t, eps)
x0_hat = ideal_denoisers.mixture_denoiser(ring, arc)(x_t, t)
v = predictions.convert(arc, x0_hat, "x0", x_t, t).v
found = {"line": u(flow.interpolate(path, x_0, t, eps), t), "arc": v * math.pi / 2}
for name, velocity in found.items():
    energy = estimators.monte_carlo(velocity.square().sum(1))
    print(f"{name:>4}: mean squared velocity {energy.value:.3f} ± {energy.stderr:.3f}")
print(f"straight from the start of each path to its end: {moved.mean():.3f}")

# %%
for tau in (1.0, 1 / 3, 0.0):  # a coordinate of the data has variance 1/2
    on_the_arc = math.cos(math.pi / 2 * tau) ** 2 / 2 + math.sin(math.pi / 2 * tau) ** 2
    print(f"tau = {tau:.2f}: variance on the line {(1 - tau) ** 2 / 2 + tau**2:.2f}, "
          f"on the arc {on_the_arc:.2f}")

# %% [markdown]
# Neither is the shortest. The mean squared velocity is 1.219 on the line and *less* on the arc, 0.886; the same
# points, moved straight to where the flow ends, need only 0.445. Straight pairs did not help the distribution: on
# the line the cloud first shrinks below the variance of the data (0.33 against 0.50 for a coordinate), then grows
# again. **A straight line for each pair says nothing about the shortest path of the distribution.**

# %% [markdown]
# ## Detour · Try it yourself: an arc or a line, and how many steps?
#
# The explorer shows both paths and what Euler's method makes of them.

# %% [markdown]
# The eight Gaussians once more, with the exact velocity, so every error is Euler's. Choose the path and the number of
# steps, and move $\tau$ from the noise (1) to the data (0). **Predict.** Is Euler on the line better than Euler on
# the arc here, as it was for a single data point?

# %%
explorer = explorers.straight_or_bent(steps=4)
print(explorer)
print("the same on the arc:", explorer.describe(path="arc").rpartition("; ")[2])
explorer

# %% [markdown]
# <details><summary>Answer</summary>
#
# It is not: with four steps, Euler on the arc is even a little closer to the exact ends, 0.160 against 0.178. Neither
# marginal path is straight, and that is what counts. (A sampler does not take Euler steps on the arc but turns by the
# exact angle. Then both are the same.)
#
# </details>

# %% [markdown]
# ## Detour · At which times should a flow be trained?
#
# Stable Diffusion 3 draws its training times from a special distribution, and shifts times for large images. Both are
# simple in log-SNR.

# %% [markdown]
# On the straight path $\mathrm{SNR} = (1-\tau)^2/\tau^2$. [Ess24, Sec. 3.1] argue that the middle is the hard part: at
# $\tau = 1$ the best answer is the input minus the mean of the data, at $\tau = 0$ simply minus the input. So they draw
# $\tau$ from a **logit-normal distribution**, $\tau = 1/(1+e^{-z})$ with $z \sim N(m, s^2)$; among the settings they
# compared, $m = 0$, $s = 1$ did consistently well. What is that as a distribution of the log-SNR $\lambda$?
#
# $$\lambda = 2 \log\frac{1-\tau}{\tau} = -2z \;\sim\; N(-2m,\; 4s^2). \tag{16b.12}$$
#
# It is a Gaussian over log-SNR. And for larger images, which need more noise (chapter 06), they replace $\tau$ by
# $k\tau/(1 + (k-1)\tau)$ with a factor $k > 1$ [Ess24, Sec. 5.3.2]. Since $(1-\tau)/\tau$ is then divided by $k$, this
# divides the SNR by $k^2$:
#
# $$\tau' = \frac{k\,\tau}{1 + (k-1)\,\tau} \quad\Longrightarrow\quad
# \mathrm{SNR}' = \frac{\mathrm{SNR}}{k^2}. \tag{16b.13}$$
#
# `schedules.scaled_snr` does the same. How large is the irreducible loss along the path, and how often does each
# distribution draw a time there?

# %%
# eq: 16b.12, 16b.13
z = normal_like(torch.empty(100_000).double(), generator=seeded(20))
tau = torch.sigmoid(z)
print("(16b.12):", torch.allclose(2 * torch.log((1 - tau) / tau), -2 * z))
every, k = flow.tau(path), 3.0
shifted = flow.tau(schedules.scaled_snr(path, 1 / k**2))
print("(16b.13):", torch.allclose(shifted, k * every / (1 + (k - 1) * every)))
x_0, eps = (x.double() for x in random_pairs(seeded(21), size=5000))
for t in (50, 200, 400, 600, 800, 950):
    least = 2 * flow.loss(path, u, x_0, t, eps).mean()
    share = ((tau - t / 1000).abs() < 0.05).double().mean()
    print(f"tau = {t / 1000:.2f}: irreducible loss {least:.2f}; within 0.05: uniform 10%, "
          f"logit-normal {share:.0%}")

# %% [markdown]
# The middle is hard here, too: the irreducible loss is largest at $\tau = 0.4$. But training cannot lower that part of
# the loss. What counts is how far a network stays above it, and how much an error at that time harms the samples. So
# such distributions are found by experiments with real networks.

# %% [markdown]
# ## Popular claims, checked
#
# - **With Gaussian noise and random pairs, flow matching is v-prediction in other coordinates**: same marginals, same
#   velocity within 1e-10, and Euler's method is DDIM. It is not a different family of models.
# - **The paths of the pairs are straight, those of the samples are not**: with the exact velocity of eight Gaussians
#   $S$ is 0.75, and one step ends at the mean. It takes reflow, or better pairs, to straighten what a sampler
#   follows.
# - **Reflow straightens; it does not solve optimal transport**: pairs rotated by 90 degrees have lines that never meet,
#   stay as they are, and keep a mean squared distance of about 4, where 0 is possible. What is guaranteed is that no round
#   makes the distance longer (16b.11).

# %% [markdown]
# ## Recap
#
# Mix data and noise along the straight line, and let a network learn the velocity of the pairs, $\epsilon - x_0$, by
# a squared error: its best answer is the mean velocity at each place, and following that one leads from noise to data.
# Divided by the sum of its two factors, every variance preserving chain is this path, v-prediction is this velocity,
# and DDIM is Euler's method on it. So the path need not bend, and it makes little difference that it did. The paths of
# the *samples* bend because the lines of random pairs cross. Better pairs, by reflow or within batches, straighten
# them, until few steps are enough.
#
# **One formula to keep**
#
# $$u(x, \tau) = E[\epsilon - x_0 \mid x_\tau = x] = \frac{x - \hat x_0}{\tau}$$
#
# **Exercises:** 16.7 `flow.velocity` · 16.8 `flow.to_velocity` · 16.9 `flow.euler`
#
# **To think about.** Reflow trains on the samples of the network before it, with their errors. What would happen to these
# small errors if you repeated reflow ten times?
#
# **Before:** [16 · What remains when T goes to infinity?](16_continuous_time.ipynb) · **Next:**
# [17 · Beyond](17_beyond.ipynb)
#
# **Read on:** [Lip23] Sec. 3 and 4; [Liu23]; [Ess24] Sec. 3; [Liu22] on reflow and optimal transport.
