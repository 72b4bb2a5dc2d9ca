# %% [markdown]
# # 10 · How do you walk back, if the denoiser were perfect?
#
# Chapter 07 says where the chain was a moment ago, if you know the clean picture. When you sample, you
# do not know it: you have a guess. In this chapter the guess is the best one there is, written down
# exactly, without any network. Whatever goes wrong here, no training can mend. And very little has to
# go wrong.
#
# **After this chapter you can**
#
# - write down the perfect denoiser of a data set or of a mixture of Gaussians,
# - say what each line of the sampling algorithm does, and what happens if you leave it out,
# - derive DDIM, choose how much noise a walk throws, and run it both ways,
# - race samplers against each other fairly, with a floor and error bars.
#
# **You need** [05 · Forward](05_forward.ipynb), [07 · Posterior](07_posterior.ipynb), and of
# [09 · Predictions](09_predictions.ipynb) the idea that a guess of the data and a guess of the noise
# are one. About 80 minutes, with a good place for a break before "Throw less: DDIM"; all of it runs in
# under a minute.
#
# **In the papers:** [Ho20] Sec. 3.2 and Algorithm 2; [Song21a] the DDIM paper; [Song21b, Sec. 4.3] the
# flow; [Lu22] a fast solver.

# %%
import math
from functools import partial

import sympy as sp
import torch

from ddpm_lab import forward, ideal_denoisers, predictions, samplers, schedules
from ddpm_lab.course import figures
from ddpm_lab.datasets import digits, swiss_roll
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, normal_like, seeded
from ddpm_lab.schedules import coef, row

schedule = schedules.linear()  # beta from 1e-4 to 0.02 in 1000 steps
print(schedule)

# %% [markdown]
# ## A first look: there and back
#
# A classical figure ([SD15], Fig. 1) has three rows: data turn into noise, noise turns back into data,
# and some arrows. Here are the first two rows. The data lie on a spiral, the *Swiss roll*. We write it
# as 400 small round Gaussians along the curve, because for such data the best guess of $x_0$ is a
# formula. `schedules.timesteps(1000, 100)` is the list of times 1000, 990, …, 10, 0: a walk of 100 moves.
# Each move from a time $t$ to an earlier $s$ comes back as a record `w`: `w.s` is where it went, and
# `w.x_s` are the points there.

# %%
n = 400
pen = torch.full((n,), 0.03**2, dtype=torch.float64)  # variance of each small Gaussian
centers = swiss_roll(n, generator=seeded(10), std=0).double()
roll = ideal_denoisers.Mixture(torch.full((n,), 1 / n, dtype=torch.float64), centers, pen)
guess_roll = ideal_denoisers.mixture_denoiser(roll, schedule)

points = ideal_denoisers.sample(roll, 600, generator=seeded(1))
eps = normal_like(points, generator=seeded(2))
roll_noise = normal_like(points, generator=seeded(3))
walk = samplers.ddpm(schedule, guess_roll, roll_noise, times=schedules.timesteps(1000, 100),
                     generator=seeded(4))
roll_back = {1000: roll_noise} | {w.s: w.x_s for w in walk}  # time -> the points at that time

# %%
times = (0, 20, 60, 200, 1000)
there = {t: forward.noised(schedule, points, t, eps) if t else points for t in times}
frames = {f"forward, t = {t}": there[t] for t in times}
frames |= {f"back, t = {t}": roll_back[t] for t in times}
fig = figures.scatter_grid(frames, columns=5, panel=1.6, limit=2.2, size=3)
figures.show(fig, alt="Top: a spiral blurs into a cloud. Bottom, read leftward: a cloud curls up.")
for t in times:
    far = [torch.cdist(x[t].double(), centers).amin(1).mean() for x in (there, roll_back)]
    print(f"t = {t:4}: mean distance to the nearest center, forward {far[0]:.3f}, "
          f"back {far[1]:.3f}")

# %% [markdown]
# Read the lower row from right to left. At each time it looks like the picture above it, though its
# points never saw the data: they started as noise (right) and asked a denoiser a hundred times. In the
# end they lie a little closer to the curve (to the nearest of its 400 centers) than real data do, 0.019
# against 0.028. Remember that; it will turn up again.
#
# Three questions are left. What is the guess? What does the walk do with it? And what is in the third
# row?

# %% [markdown]
# ## The best guess, from Bayes' rule
#
# You see $x_t$. Many $x_0$ may have become it: each with the probability $q(x_0)$ of being data at all,
# times the probability $q(x_t \mid x_0)$ of having been noised to $x_t$. The guess with the smallest
# mean squared error is the average over all of them (chapter 09):
#
# $$\hat x_0(x_t, t) = E[x_0 \mid x_t]
# = \frac{\int x_0\; q(x_0)\; q(x_t \mid x_0)\, dx_0}{\int q(x_0)\; q(x_t \mid x_0)\, dx_0}. \tag{10.1}$$
#
# No formula is needed to *see* that: noise a million data, keep those that landed near 0.5, and look up
# where they came from. The data are the course's two-bump law, half of it around −0.97 and half around
# +0.97.

# %%
# eq: 10.1
bumps = ideal_denoisers.two_modes()
print(f"bumps at {bumps.mean[:, 0].tolist()}, each of standard deviation {bumps.var[0].sqrt():.3f}")
x_0 = ideal_denoisers.sample(bumps, 1_000_000, generator=seeded(1)).double()
x_t = forward.noised(schedule, x_0, 300, normal_like(x_0, generator=seeded(2)))
origin = x_0[(x_t - 0.5).abs() < 0.02]
print(f"{len(origin)} of a million landed near 0.5; they came from {origin.mean():.4f} on average "
      f"(standard error {origin.std() / math.sqrt(len(origin)):.4f})")

grid = torch.linspace(-4, 4, 8001, dtype=torch.float64)[:, None]
prior = ideal_denoisers.log_density(bumps, schedule, grid, 0).exp()  # q(x_0)
square = (0.5 - schedule.signal[300] * grid[:, 0]) ** 2
likely = torch.exp(-square / (2 * (1 - schedule.abar[300])))  # q(x_t = 0.5 | x_0)
print(f"(10.1) on a grid: {(grid[:, 0] * prior * likely).sum() / (prior * likely).sum():.4f}")

# %% [markdown]
# ### Exercise 10.1 · The perfect denoiser of a data set
#
# Now let the data be $N$ points, all equally likely. The integrals in (10.1) become sums over the
# points. Return the guess for a batch: `points` has shape `(N, D)`, `x_t` has shape `(B, D)`, `t` is a
# number. Where has a point $x_i$ moved to by time $t$, and how wide is the noise around it?
#
# <details><summary>Hint</summary>
#
# `torch.cdist(a, b)` gives all distances between the rows of `a` and those of `b`. Weights
# $e^{c_i}/\sum_j e^{c_j}$ are called a softmax: `c.softmax(dim=1)`; written by hand, the sum may
# underflow to 0.
#
# </details>

# %% tags=["exercise"]
def my_guess(points, schedule, x_t, t):
    """Return E[x_0 | x_t], shape (B, D), when x_0 is one of the points (N, D)."""
    ### BEGIN SOLUTION
    signal, noise_var = schedule.signal[t], 1 - schedule.abar[t]
    squares = torch.cdist(x_t, signal * points) ** 2
    weights = (-squares / (2 * noise_var)).softmax(dim=1)
    return weights @ points
    ### END SOLUTION


guess = check("sampling.dataset_denoiser", my_guess)

# %% [markdown]
# Written out, the exercise was
#
# $$\hat x_0 = \sum_{i=1}^{N} w_i\, x_i, \qquad
# w_i \propto \exp\Big(-\frac{\|x_t - \sqrt{\bar\alpha_t}\, x_i\|^2}{2\,(1-\bar\alpha_t)}\Big),
# \quad \sum_i w_i = 1. \tag{10.2}$$
#
# For a **mixture** of Gaussians with weights $\pi_k$, means $m_k$ and variances $v_k$ the same idea
# needs two facts. Blob $k$, noised, is a Gaussian around $\sqrt{\bar\alpha_t}\,m_k$ of variance
# $\bar\alpha_t v_k + 1-\bar\alpha_t$ (chapter 05). And inside a blob the guess is Bayes' rule for
# Gaussians (chapter 07): start from $m_k$ and lean toward what was seen. So
#
# $$\hat x_0 = \sum_k w_k \Big[m_k + g_k\,(x_t - \sqrt{\bar\alpha_t}\, m_k)\Big],\quad
# g_k = \frac{\sqrt{\bar\alpha_t}\, v_k}{\bar\alpha_t v_k + 1 - \bar\alpha_t},\quad
# w_k \propto \pi_k\, N\big(x_t;\, \sqrt{\bar\alpha_t}\, m_k,\, \bar\alpha_t v_k + 1 - \bar\alpha_t\big). \tag{10.3}$$

# %%
# eq: 10.2, 10.3
three = torch.tensor([[-1.0], [0.2], [1.0]], dtype=torch.float64)
x_0 = three[torch.randint(3, (1_000_000,), generator=seeded(3))]
x_t = forward.noised(schedule, x_0, 300, normal_like(x_0, generator=seeded(4)))
origin = x_0[(x_t - 0.5).abs() < 0.02]
here = torch.tensor([[0.5]], dtype=torch.float64)
print(f"three points: near 0.5 came from {origin.mean():.4f} "
      f"(standard error {origin.std() / math.sqrt(len(origin)):.4f}), "
      f"(10.2) gives {guess(three, schedule, here, 300).item():.4f}")
denoise = ideal_denoisers.mixture_denoiser(bumps, schedule)
print(f"two bumps: (10.3) gives {denoise(here, 300).item():.4f}")
figures.show_source(ideal_denoisers.mixture_denoiser)

# %% [markdown]
# Simulation, grid and formulas agree within one and a half standard errors. (The package adds up (10.3)
# in an order that needs no array of size batch × blobs × dimensions. `_joint` returns the logarithm of
# $\pi_k N(x_t; \dots)$.)
#
# **Predict.** Sketch $\hat x_0$ against $x_t$ for the two bumps: at $t = 20$, where there is hardly any
# noise; at $t = 300$; at $t = 1000$.

# %%
x = torch.linspace(-2.5, 2.5, 501, dtype=torch.float64)[:, None]
curves = {f"t = {t}": denoise(x, t)[:, 0] for t in (20, 100, 300, 1000)}
fig = figures.curves(x[:, 0], curves, xlabel="x_t, data units", ylabel="best guess of x_0",
                     width=6, height=3)
figures.show(fig, alt="At t = 20 nearly the diagonal, at 100 and 300 an S, at 1000 flat at 0.")
for name, y in curves.items():
    print(f"{name:>8}: guess at x_t = 0.2 {y[270]:+.3f}, at 0.5 {y[300]:+.3f}, at 2 {y[450]:+.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# At $t = 20$ the guess is close to $x_t$ itself, nearly the diagonal. By $t = 300$ it is an S: which
# bump? At $t = 1000$ nothing can be seen, and the best guess is the mean of all data, 0, whatever $x_t$
# is. No data lie there.
#
# </details>

# %% [markdown]
# ## Algorithm 2, line by line
#
# Chapter 07 has the law of an earlier $x_s$ given **both** ends, $q(x_s \mid x_t, x_0)$. We know one
# end. So put the guess in the place of the other:
#
# $$p(x_s \mid x_t) = q\big(x_s \mid x_t,\; x_0 = \hat x_0(x_t, t)\big). \tag{10.4}$$
#
# That is the whole sampler. Is it allowed? Chapter 07 showed: the mean of (10.4) is **exactly** that of
# the true way back, because the mean is linear in $x_0$. The spread is a little too small, because the
# guess pretends to be sure. Small steps make that harmless; we will see how small.
#
# With $s = t-1$ and the guess written through the noise,
# $\hat x_0 = (x_t - \sqrt{1-\bar\alpha_t}\,\hat\epsilon)/\sqrt{\bar\alpha_t}$, this is the line of
# Algorithm 2 in [Ho20]:
#
# $$x_{t-1} = \frac{1}{\sqrt{\alpha_t}}\Big(x_t - \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\;\hat\epsilon\Big)
# + \sigma_t\, z, \qquad z \sim N(0, I). \tag{10.5}$$
#
# | Algorithm 2 | why |
# |---|---|
# | $x_T \sim N(0, I)$ | there every forward walk ends |
# | for $t = T, \dots, 1$ | $T$ moves, so $T$ calls of the denoiser |
# | $z \sim N(0, I)$ if $t > 1$, else $z = 0$ | fresh noise, but none into clean data |
# | the line (10.5) | a draw from the Gaussian (10.4) |
# | return $x_0$ | |

# %%
# eq: 10.4, 10.5
# claim: E41, E118
x_t = normal_like(torch.empty(1000, 1, dtype=torch.float64), generator=seeded(5))
worst = 0.0
for t in (1, 2, 500, 1000):
    x0_hat = denoise(x_t, t)
    law = forward.posterior(schedule, x0_hat, x_t, t, t - 1)  # (10.4)
    eps_hat = predictions.convert(schedule, x0_hat, "x0", x_t, t).eps
    share = schedule.beta[t] / schedule.noise[t]
    line = (x_t - share * eps_hat) / schedule.alpha[t].sqrt()  # (10.5) without its noise
    worst = max(worst, float((law.mean - line).abs().max()))
print(f"the mean of (10.4) and the line (10.5) differ by less than 1e-10: {worst < 1e-10}")
print(f"sigma_1000: {schedule.beta[1000].sqrt():.4f}; its square: {schedule.beta[1000]:.4f}")
figures.show_source(samplers.ddpm_step)

# %% [markdown]
# $\sigma_t$ is a **standard deviation**. Some notes call it "the variance", and then write
# $\mu + \Sigma\,z$ where $\mu + \sqrt{\Sigma}\,z$ is meant: 0.0200 instead of 0.1414 at $t = 1000$.
#
# Which $\sigma_t$? [Ho20] offers two: the posterior's variance $\tilde\beta_t$, in the package
# `var="small"`, and $\beta_t$, `var="large"`. They are right for data that are one point, and for data
# that are $N(0, I)$ (chapter 07). We compare them further down.
#
# **Predict.** A popular summary of (10.5): "the network predicts the noise, we subtract it from the
# image". How much of the predicted noise does one step subtract at $t = 500$: all, half, or a hundredth
# of it?

# %%
# claim: E40
for t in (2, 10, 500, 1000):
    share = schedule.beta[t] / (schedule.alpha[t] * (1 - schedule.abar[t])).sqrt()
    print(f"t = {t:4}: the step takes {share:.4f} of the predicted noise away, "
          f"then adds {schedule.beta[t].sqrt():.4f} of fresh noise")

# %% [markdown]
# About a hundredth: $\beta_t/\sqrt{\alpha_t(1-\bar\alpha_t)}$ is 0.0105 at $t = 500$. And then it
# **adds** ten times as much fresh noise, 0.1002. How can the small pulls win? They add up. The predicted
# noise changes little from one step to the next, so a hundred pulls in its direction take away about a
# hundred times as much as one. Fresh noises are independent: some cancel, and a hundred of them together
# are only ten times as large as one.
#
# ### Exercise 10.2 · One move of Algorithm 2
#
# Write (10.5) with $\sigma_t^2 = \beta_t$. `eps_hat` is the guess of the noise, `z` is standard normal,
# `t` is a number. Mind the third line of the table above: what about $t = 1$?

# %% tags=["exercise"]
def my_ancestral_step(schedule, x_t, eps_hat, t, z):
    """Return x_{t-1}."""
    ### BEGIN SOLUTION
    beta_t, alpha_t = schedule.beta[t], schedule.alpha[t]
    mean = (x_t - beta_t / (1 - schedule.abar[t]).sqrt() * eps_hat) / alpha_t.sqrt()
    return mean + beta_t.sqrt() * z if t > 1 else mean
    ### END SOLUTION


ancestral_step = check("sampling.ancestral_step", my_ancestral_step)

# %%
large = partial(samplers.ddpm, var="large")
x_T = normal_like(torch.empty(2000, 1, dtype=torch.float64), generator=seeded(6))
x, rng = x_T, seeded(7)
for t in range(1000, 0, -1):
    eps_hat = predictions.convert(schedule, denoise(x, t), "x0", x, t).eps
    x = ancestral_step(schedule, x, eps_hat, t, normal_like(x, generator=rng))
same = samplers.final(large(schedule, denoise, x_T, generator=seeded(7)))
print(f"mean distance from 0: {x.abs().mean():.3f} (data 0.970), std {x.std():.3f} (data 1)")
print(f"differs from samplers.ddpm by less than 1e-9: {bool((x - same).abs().max() < 1e-9)}")

# %% [markdown]
# A complete diffusion sampler: a loop of two lines, and your step. The course's loop is the same, with
# any two times $t > s$ and any kind of step. (`samplers.reverse` checks what you give it, then runs the
# loop below. `_steps` pairs up neighboring times, `_ask` calls the denoiser, with $t$ for every item.)

# %%
figures.show_source(samplers.ancestral._reverse)
print(f"moves of the default walk: {len(range(schedule.T, -1, -1)) - 1}")

# %% [markdown]
# ## Why throw fresh noise?
#
# We want to get rid of noise. Yet each step adds some. **Predict.** Leave it out: at each step go to
# the mean of (10.4), the most reasonable place. The data are $N(0, 1)$. What is the standard deviation
# of the samples?

# %%
# claim: E67
def mean_only(schedule, x_t, x0_hat, t, s):
    """The step of `ddpm` without its noise."""
    return Gaussian(samplers.ddpm_step(schedule, x_t, x0_hat, t, s).mean, torch.zeros(()))


bell = ideal_denoisers.circle_mixture(1, radius=0.0, std=1.0)  # one blob in the middle: N(0, I)
guess_bell = ideal_denoisers.mixture_denoiser(bell, schedule)
x = samplers.sample(schedule, guess_bell, (1000, 2), sampler=samplers.reverse, step=mean_only,
                    generator=seeded(8))
print(f"N(0, 1) data, means only: std {x.std():.4f}; sqrt(abar_T) = {schedule.signal[-1]:.4f}")

# %% [markdown]
# 0.0064 instead of 1: the cloud collapses onto its mean. Why this number? For such data everything can
# be done by hand. The best guess is $\hat x_0 = \sqrt{\bar\alpha_t}\,x_t$. Insert it in the mean of
# (10.4), use $\bar\alpha_t = \alpha_t\bar\alpha_{t-1}$, and collect:
#
# $$\frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\,\sqrt{\bar\alpha_t}\;x_t
# + \frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\;x_t
# = \sqrt{\alpha_t}\;\frac{\bar\alpha_{t-1}(1-\alpha_t) + 1 - \bar\alpha_{t-1}}{1-\bar\alpha_t}\; x_t
# = \sqrt{\alpha_t}\; x_t. \tag{10.6}$$
#
# Every step shrinks. After all of them,
# $x_0 = \sqrt{\alpha_1\alpha_2\cdots\alpha_T}\;x_T = \sqrt{\bar\alpha_T}\;x_T$.

# %%
# eq: 10.6
# SymPy computes with letters: build both sides, subtract, simplify; 0 is a proof.
a_t, abar_before = sp.symbols("alpha_t abar_before", positive=True)  # alpha_t and abar_{t-1}
abar_now = a_t * abar_before  # abar_t
on_guess = sp.sqrt(abar_before) * (1 - a_t) / (1 - abar_now)
on_x_t = sp.sqrt(a_t) * (1 - abar_before) / (1 - abar_now)
print("(10.6) left minus right:", sp.simplify(on_guess * sp.sqrt(abar_now) + on_x_t - sp.sqrt(a_t)))

# %% [markdown]
# And data in two bumps? To judge samples we need a ruler. The **Wasserstein distance** W1 is the mean
# distance by which the points of one sample must be moved to turn it into the other; in one dimension:
# sort both and compare. We sort the samples and compare with the exact quantiles of the data (the places
# below which a given share of it lies).
#
# One trick steadies the ruler. The data, the noise and the samplers do not change if left and right are
# swapped, so the mirrored samples are as good as the samples. We measure both together: then a surplus
# of a few points on one side, which is chance, does not count.

# %%
places = torch.linspace(-5, 5, 100_001, dtype=torch.float64)


def F(y):
    """Distribution function of the data: the share below y; ndtr is that of N(0, 1)."""
    std = bumps.var[0].sqrt()
    return sum(torch.special.ndtr((y - m) / std) for m in bumps.mean[:, 0]) / 2


def w1(samples):
    """Distance to the two-bump law, data units."""
    both = torch.cat([samples, -samples]).flatten().double().sort().values
    quantiles = places[torch.searchsorted(F(places), (torch.arange(len(both)) + 0.5) / len(both))]
    return (both - quantiles).abs().mean().item()


chance = [w1(ideal_denoisers.sample(bumps, 5000, generator=seeded(i))) for i in range(20)]
print(f"W1 of 5000 true draws, twenty times: {min(chance):.4f} to {max(chance):.4f}, "
      f"mean {sum(chance) / 20:.4f}")

# %%
# claim: E39, E67
own = partial(samplers.sample, schedule, denoise, (5000, 1), sampler=samplers.reverse)
walks = {name: own(step=step, generator=seeded(1))
         for name, step in (("means only", mean_only), ("with noise", samplers.ddpm_step))}
walks["true draws"] = ideal_denoisers.sample(bumps, 5000, generator=seeded(2))
fig, axes = figures.new(1, 3, height=2.5, sharex=True)
for ax, (name, y) in zip(axes, walks.items()):
    ax.hist(y[:, 0], bins=80, range=(-2, 2), density=True, color=figures.SKY)
    ax.set(title=name, xlabel="x_0, data units")
    print(f"{name}: std {y.std():.3f}, inside a bump {(y.abs() - y.abs().mean()).std():.3f}, "
          f"W1 {w1(y):.4f}, within 0.3 of the middle {(y.abs() < 0.3).double().mean():.2%}")
axes[0].set_ylabel("density")
figures.show(fig, alt="Means only: two thin spikes near ±0.66. With noise: two bumps as in data.")
edge = torch.tensor(0.3, dtype=torch.float64)
print(f"exactly: data {F(edge) - F(-edge):.2%}, pure noise {2 * torch.special.ndtr(edge) - 1:.2%}")

# %% [markdown]
# Without noise there are two thin spikes in the wrong place: the overall spread is 0.661 instead of 1,
# the one inside a bump 0.072 instead of 0.243. With noise both are right, and W1 is within what 5000
# true draws give.
#
# The reason is one sentence: **the earlier $x_s$ has a law, and a sampler has to draw from it, not
# report its mean.** The noise is no decoration, and no device for variety. It puts back the spread that
# taking means takes out. (There is *another* update that adds no noise and does not collapse. It is no
# mean. We get to it.)
#
# Some say: "such a model can generate any image." It generates its training law. Pure noise has 23.58 %
# of its points within 0.3 of the middle; the samples have 0.24 %, the data 0.29 %.
#
# ### What decides the sample?
#
# **Predict.** (a) Walk twice from the same $x_T$ with the same fresh noises $z$. (b) Walk twice from
# the same $x_T$, with other $z$. How alike are the ends? (c) Noise data up to $t$ and walk back from
# there: do you recover the original?

# %%
# claim: E121
def ends(x_t, seed, times):
    walk = samplers.ddpm(schedule, denoise, x_t, times=times, generator=seeded(seed))
    return samplers.final(walk)


def alike(a, b):
    return torch.corrcoef(torch.cat([a, b], dim=1).T)[0, 1].item()


x_T = normal_like(torch.empty(2500, 1), generator=seeded(1))
hundred = schedules.timesteps(1000, 100)
one, same, other = (ends(x_T, seed, hundred) for seed in (2, 2, 3))
print(f"same x_T, same z: equal {bool((one == same).all())}; same x_T, other z: correlation "
      f"{alike(one, other):+.2f}")

# %%
# claim: E107
x_0 = ideal_denoisers.sample(bumps, 2500, generator=seeded(4))
for t in (100, 300, 500, 1000):
    x_t = forward.noised(schedule, x_0, t, normal_like(x_0, generator=seeded(5)))
    print(f"noised to t = {t:4} and walked back: correlation with the original "
          f"{alike(x_0, ends(x_t, 6, range(t, -1, -1))):+.2f}")

# %% [markdown]
# (a) Equal to the last bit: a sample is a deterministic function of $x_T$ **and all the $z$**, a
# thousand more noises. (b) The start alone says almost nothing. (c) From $t = 100$ you get nearly the
# original, 0.95; from $t = 1000$ something new: 0.01, and chance alone gives ±0.02. "Removing the noise
# step by step finally recovers the original image" holds for little noise only.
# [Chapter 00](00_start_here.ipynb) saw it on digits.
#
# "A thousand times slower than a GAN" (a network that makes a picture in one call) is a statement about
# calls, nothing else: a sample costs $T$ of them. The rest of this chapter is about paying less.
#
# ### Optional: is it MCMC?
#
# **Predict.** The walk is a **M**arkov **c**hain, and it draws random numbers, which is **M**onte **C**arlo. So is it
# *MCMC*? That is the name of a method: a step that leaves a law *unchanged*, used again and again. Take true draws of
# the data and let the step of $t = 500$ loose on them, once and 100 times. Do they stay data?

# %%
# claim: E68
y, rng = ideal_denoisers.sample(bumps, 5000, generator=seeded(2)), seeded(3)
print(f"true draws: W1 {w1(y):.4f}")
for times in range(1, 101):
    law = samplers.ddpm_step(schedule, y, denoise(y, 500), 500, 499)
    y = law.mean + law.var.sqrt() * normal_like(y, generator=rng)
    if times in (1, 100):
        print(f"the step of t = 500, {times:3} times: W1 {w1(y):.4f}")

# %% [markdown]
# No: one step moves them from 0.0032 to 0.0161, a hundred to 0.3363. Our step at $t$ turns the law of $x_t$ into
# another one, that of $x_{t-1}$, and has its one place in the walk. Not MCMC.

# %% [markdown]
# ## Two slips at the edge of the table
#
# **The last noise.** Descriptions that say "add $\sigma_t z$ at every $t$" add noise to the finished
# picture. With `var="small"` nothing happens, because $\tilde\beta_1 = 0$. With `var="large"` it is
# $\sqrt{\beta_1}$. How much is that, on pixels with 256 gray levels from −1 to 1? And on a chain of 20 steps?
# (`schedules.respaced` keeps only some times of a schedule and numbers them anew, 0, 1, 2, ….)

# %%
# claim: E103
for steps in (1000, 20):
    short = schedules.respaced(schedule, schedules.timesteps(1000, steps))
    print(f"{steps:4} steps: sqrt(beta_1) = {short.beta[1].sqrt():.3f}, or "
          f"{127.5 * short.beta[1].sqrt():.2f} gray levels")

# %% [markdown]
# About one gray level with 1000 steps, hardly to be seen; 21.71 with 20.
#
# **The wrong time.** Code that counts from 0 tells the denoiser "$t-1$" when the noise is that of $t$.
# Nothing crashes.
#
# **Predict.** Told a smaller $t$ than the true one, the denoiser believes that there is less noise than
# there is. Will the bumps come out too wide or too narrow? And does it matter more with 1000 steps or
# with 20?

# %%
def trial(steps, shift):
    """4000 samples from a chain of `steps` steps whose denoiser is told t + shift."""
    short = schedules.respaced(schedule, schedules.timesteps(1000, steps))
    exact = ideal_denoisers.mixture_denoiser(bumps, short)

    def told(x_t, t):
        return exact(x_t, (t + shift).clamp(1, steps))

    return samplers.sample(short, told, (4000, 1), sampler=large, generator=seeded(1))


def judge(y):
    return f"{(y.abs() - y.abs().mean()).std():.3f}, {w1(y):.4f}"


print("   T   right           told t - 1      told t + 1      (std inside a bump, W1)")
for steps in (20, 100, 1000):
    right, less, more = (trial(steps, shift) for shift in (0, -1, 1))
    print(f"{steps:4}   {judge(right)}   {judge(less)}   {judge(more)}")

# %% [markdown]
# The data have 0.243 inside a bump, and a right walk of 100 steps gives 0.255. Told too small a $t$,
# the denoiser leaves noise in, 0.301; told too large a $t$ it overcleans, 0.204. With 1000 steps the
# slip nearly hides, 0.246 and 0.233 around a right 0.240: it is as small as one step is. That is how it
# survives.
#
# In this course row $t$ belongs to time $t$, and at $s = 0$ both variances are exactly 0.

# %% [markdown]
# ## The third row of the figure
#
# The figure of [SD15] has a third row, arrows: in our letters, $\mu(x_t, t) - x_t$. One set of notes
# reprints it and admits that its author could not read it. You can: it is the mean of a step back, minus
# where you stand. The **drift**.
#
# Insert in (10.5) that the best guess of the noise is the score,
# $\hat\epsilon = -\sqrt{1-\bar\alpha_t}\;\nabla\log q(x_t)$ (chapter 09; $\nabla \log q$ is the
# direction in which $x_t$ becomes likelier), and $1/\sqrt{\alpha_t} \approx 1 + \beta_t/2$:
#
# $$\mu(x_t, t) - x_t = \frac{x_t + \beta_t\,\nabla\log q(x_t)}{\sqrt{\alpha_t}} - x_t
# \;\approx\; \beta_t\,\Big(\frac{x_t}{2} + \nabla\log q(x_t)\Big). \tag{10.7}$$

# %%
# eq: 10.7
# claim: E76
x = torch.tensor([[-1.0], [-0.2], [0.2], [1.0], [2.0]], dtype=torch.float64, requires_grad=True)
ideal_denoisers.log_density(bumps, schedule, x, 300).sum().backward()
score, place = x.grad, x.detach()
drift = samplers.ddpm_step(schedule, place, denoise(place, 300), 300, 299).mean - place
middle = (place + schedule.beta[300] * score) / schedule.alpha[300].sqrt() - place
short = schedule.beta[300] * (place / 2 + score)
print("x_t:  ", [round(v, 1) for v in place[:, 0].tolist()])
print("drift:", [round(v, 5) for v in drift[:, 0].tolist()])
print(f"equal to the middle of (10.7) within 1e-12: {bool((drift - middle).abs().max() < 1e-12)}")
print(f"largest difference from its right side: {(drift - short).abs().max():.1e}")

# %% [markdown]
# **Predict.** Where do the arrows point on the Swiss roll, at $t = 20$, at $t = 200$, at $t = 1000$?
# (All arrows are drawn equally long; how long they really are, on average, stands in the titles.)

# %%
line = torch.linspace(-1.7, 1.7, 13)
mesh = torch.cartesian_prod(line, line)
fig, axes = figures.new(1, 3, width=8.4, height=3.3)
for ax, t in zip(axes, (20, 200, 1000)):
    arrow = samplers.ddpm_step(schedule, mesh, guess_roll(mesh, t), t, t - 1).mean - mesh
    length = arrow.norm(dim=1, keepdim=True)
    ax.quiver(*mesh.T, *(arrow / length).T, color=figures.ORANGE, width=0.006, scale=17)
    ax.scatter(*there[t].T, s=3, color=figures.BLUE, linewidths=0, zorder=3)
    ax.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), aspect="equal", xticks=[], yticks=[])
    ax.set_title(f"t = {t}, mean length {length.mean():.4f}")
    inward = -(arrow * mesh).sum() / (mesh**2).sum()
    print(f"t = {t:4}: mean length {length.mean():.4f}; inward by {inward:.4f} x_t on average")
figures.show(fig, alt="At t = 20 arrows point to the nearest arm of the spiral; at 1000, inward.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# At $t = 1000$ to the center, everywhere: there $q(x_t)$ is nearly $N(0, I)$, its score is $-x_t$, and
# (10.7) says $-\tfrac12\beta_t x_t$. Half of $\beta_{1000} = 0.02$ is 0.01, and 0.0101 is printed. At
# $t = 200$ they still go mostly inward. At $t = 20$ each arrow goes to the nearest arm of the spiral.
#
# </details>
#
# Why then does the cloud not shrink at $t = 1000$? Because each step also *adds* noise, which blows it
# up by just as much. Arrows inward, noise outward, in balance. Take the noise away and the arrows win:
# that was the collapse. A figure of arrows shows half of what a step does.

# %% [markdown]
# ## Why not jump?
#
# A perfect denoiser is asked a thousand times. Why not once? From $x_T$ to $\hat x_0$, done. Some notes
# say that the way back *must* follow the steps of the way there. There is no such law: (10.4) holds for
# any $s < t$. So we need walks of any number of moves.
#
# ### Exercise 10.3 · A walk in fewer moves
#
# A walk is a falling list of times from $T$ to 0. Spread `steps` moves as evenly as whole numbers
# allow. (Any rounding will do, if moves differ by at most one.)

# %% tags=["exercise"]
def my_strides(T, steps):
    """Return [T, …, 0], a list of ints, for an even walk of `steps` moves."""
    ### BEGIN SOLUTION
    return [round(T * (steps - k) / steps) for k in range(steps + 1)]
    ### END SOLUTION


timesteps = check("sampling.timesteps", my_strides)
print(timesteps(1000, 7))

# %% [markdown]
# **Predict.** What do 10,000 samples look like after one jump? After two?

# %%
# claim: E117
fig, axes = figures.new(1, 5, width=8.4, height=2.2, sharey=True)
for ax, steps in zip(axes, (1, 2, 5, 20, 100)):
    y = samplers.sample(schedule, denoise, (10_000, 1), sampler=large, times=timesteps(1000, steps),
                        generator=seeded(1))
    ax.hist(y[:, 0], bins=80, range=(-2, 2), density=True, color=figures.SKY)
    ax.plot(grid, prior, color=figures.RED, linewidth=1)  # the data, from the cell of (10.1)
    ax.set(title=f"{steps} move" + "s" * (steps > 1), xlabel="x_0, data units", xlim=(-2, 2),
           ylim=(0, 1.5))
    print(f"{steps:3} moves: farthest out {y.abs().max():.3f}, std {y.std():.3f}, W1 {w1(y):.3f}")
axes[0].set_ylabel("density")
figures.show(fig, alt="One move: a spike at 0, where no data are. Later the two bumps appear.")

# %% [markdown]
# One jump returns $E[x_0 \mid x_T]$, the mean of everything that may still happen: all 10,000 samples
# within 0.027 of 0, and the data are at ±0.97. That is why. **From noise, nothing is decided yet, and a
# mean cannot decide.** Each move lets the walk commit to a little, and the next guess is better
# informed. Two moves give W1 0.741, five 0.214, twenty 0.033, a hundred 0.012.
#
# ### Small or large variance?
#
# `var="small"` is right if the data are one point, `var="large"` if they are $N(0, I)$. How much does
# it matter? For $N(0, 1)$ data we can know exactly, without drawing a single sample: everything stays
# Gaussian with mean 0, so only the variance has to be followed. **Predict.** With 10 moves, how much of
# the spread does the small variance lose?
#
# ### Exercise 10.4 · Follow the variance (optional: the chapter runs on without it)
#
# Data $N(0, 1)$, perfect guess $\hat x_0 = \sqrt{\bar\alpha_t}\,x_t$, steps of `samplers.ddpm_step` with its
# small variance. At `times[0]` the walker's variance is 1. What is it at `times[-1]`? (Each step
# multiplies $x_t$ by a factor and adds independent noise. Ask `samplers.ddpm_step` about $x_t = 1$ to read
# off both.)

# %% tags=["exercise"]
def my_follow_variance(schedule, times):
    """Return the variance of x at times[-1], a float."""
    ### BEGIN SOLUTION
    var, unit = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times, times[1:]):
        law = samplers.ddpm_step(schedule, unit, schedule.signal[t] * unit, t, s)
        var = law.mean.item() ** 2 * var + law.var.item()
    return var
    ### END SOLUTION


follow_variance = check("sampling.follow_variance", my_follow_variance)

# %%
# claim: E08
for steps in (1000, 100, 20, 10):
    times = timesteps(1000, steps)
    # With the large variance every move keeps variance 1 (10.6), but for the last, which adds no
    # noise: it multiplies by the signal factor of the last stop before 0.
    small_std = math.sqrt(follow_variance(schedule, times))
    print(f"{steps:4} moves: std with the small variance {small_std:.3f}, "
          f"with the large one {schedule.signal[times[-2]]:.3f}")
wide = samplers.final(large(schedule, guess_roll, roll_noise, times=timesteps(1000, 100),
                            generator=seeded(4)))
far = torch.cdist(wide.double(), centers).amin(1).mean()
print(f"the spiral of the first picture, with the large variance: mean distance {far:.3f}")

# %% [markdown]
# With 1000 moves you could not tell the two apart by looking: 0.996 and 1.000. With 10, the small
# variance loses a quarter of the spread, 0.740. What is still missing with the large variance, 0.947,
# is the last move's: it goes to a mean. And here is a reason why the spiral of the first picture came
# out too thin: same start, same number of moves, but with the large variance the points lie 0.026 from
# the nearest center instead of 0.019. (Real data: 0.028.)
#
# So "the two choices behave alike" is a statement about many moves. (And about samples, not about the
# likelihood that [chapter 08](08_bound.ipynb) counts: there a step with too narrow a law costs.)
#
# *A good place for a break: you have the whole ancestral sampler. What follows is about throwing less.*

# %% [markdown]
# ## Throw less: DDIM
#
# Training (chapter 11) uses pairs $x_0, x_t$ only: one time, never two. So all that a trained network
# knows of the chain are the **marginals** $q(x_t \mid x_0)$, the law at each time for itself. Whatever
# else has the same marginals is served by the same denoiser. Let us look for such a walk, line by line.
#
# Suppose you stand at $x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon$ and know
# $x_0$, so you know $\epsilon$ too. For an earlier $s$ take the right amount of data, keep some of the
# *old* noise $\epsilon$, and fill up with *fresh* noise $z$ of variance $v$:
#
# $$x_s = \sqrt{\bar\alpha_s}\;x_0 + \sqrt{1-\bar\alpha_s - v}\;\epsilon + \sqrt{v}\;z,
# \qquad 0 \le v \le 1 - \bar\alpha_s. \tag{10.8}$$
#
# Given $x_0$, the noises $\epsilon$ and $z$ are independent, so their variances add:
#
# $$\operatorname{Var}(x_s \mid x_0) = (1-\bar\alpha_s - v) + v = 1-\bar\alpha_s,
# \qquad E[x_s \mid x_0] = \sqrt{\bar\alpha_s}\;x_0. \tag{10.9}$$
#
# That is $q(x_s \mid x_0)$ again, **for every $v$**, as long as $x_0$ is known. So if the marginal is
# right at $t$, it is right at $s$; it is right at $T$ by choice; hence it is right everywhere. [Song21a]
# measures the fresh noise against the posterior's variance:
#
# $$v = \eta^2\,\tilde\beta_{ts}, \qquad
# \tilde\beta_{ts} = \frac{1-\bar\alpha_s}{1-\bar\alpha_t}\Big(1 - \frac{\bar\alpha_t}{\bar\alpha_s}\Big),
# \qquad 0 \le \eta \le 1. \tag{10.10}$$
#
# $\eta = 1$ is the walk that we had, and $\eta = 0$ throws nothing. That case, $v = 0$, you know: it is
# the loop after Exercise 0.3 of [chapter 00](00_start_here.ipynb).
#
# Here is the update promised above, which adds no noise and does not collapse. Going to the **mean** keeps
# $\sqrt{1-\bar\alpha_s-v}$ of the old noise and drops $\sqrt{v}\,z$: in every move a variance of $v$ is
# missing. DDIM does not drop the fresh noise, it **replaces** it by old: with $v = 0$ the kept noise
# grows to $\sqrt{1-\bar\alpha_s}$, and (10.9) stays right.
#
# **The price of a guess.** (10.9) is exact for the true $x_0$; a sampler puts in $\hat x_0$ and
# $\hat\epsilon$. Given $x_t$, the true $x_0$ still scatters around its mean $\hat x_0$, and this scatter
# is lost. How much of it would have reached $x_s$? With (10.10), the weight of $x_0$ in a move is in
# proportion to the size of the move, and the lost variance to its square. So ever more, ever smaller
# moves lose less and less in all; for $s$ far from $t$ the mean stands in for $x_0$ only approximately.
# That is why the number of moves matters at all.
#
# And it is why not every $v$ will do once there is a guess: $v$ has to shrink with the move, as it does
# between 0 and $\tilde\beta_{ts}$. The largest that (10.8) allows, $v = 1-\bar\alpha_s$, forgets all of
# the old noise; then the weight of $x_0$ is $\sqrt{\bar\alpha_s}$, however small the move.
#
# ### Exercise 10.5 · A DDIM step
#
# Return the law of $x_s$, with $\hat x_0$ given, as a `Gaussian(mean, var)`. First solve
# $x_t = \sqrt{\bar\alpha_t}\,\hat x_0 + \sqrt{1-\bar\alpha_t}\,\hat\epsilon$ for $\hat\epsilon$. The
# times `t` and `s` may be batches (`row`, `coef`). A warning: the DDIM paper writes $\alpha_t$ for our
# $\bar\alpha_t$.

# %% tags=["exercise"]
def my_ddim_step(schedule, x_t, x0_hat, t, s, eta):
    """Return the Gaussian law of x_s."""
    ### BEGIN SOLUTION
    left_t, left_s = row(schedule.abar, t), row(schedule.abar, s)
    eps_hat = (x_t - coef(left_t.sqrt(), x_t) * x0_hat) / coef((1 - left_t).sqrt(), x_t)
    fresh = eta**2 * (1 - left_s) / (1 - left_t) * (1 - left_t / left_s)
    old = coef((1 - left_s - fresh).sqrt(), x_t) * eps_hat
    return Gaussian(coef(left_s.sqrt(), x_t) * x0_hat + old, coef(fresh, x_t))
    ### END SOLUTION


ddim_step = check("sampling.ddim_step", my_ddim_step)

# %%
# eq: 10.8, 10.9
unit, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
worst = 0.0
for t, s in ((2, 1), (500, 499), (1000, 600), (40, 0)):
    for eta in (0.0, 0.5, 1.0):
        # The mean is (factor on x_0) x0_hat + kept x_t. Ask with x0_hat = 0, x_t = 1: kept is left.
        kept = ddim_step(schedule, unit, zero, t, s, eta).mean.item()
        law = ddim_step(schedule, schedule.signal[t] * unit, unit, t, s, eta)  # x_0 = 1, eps = 0
        var = kept**2 * (1 - schedule.abar[t]) + law.var.item()  # q(x_t | x_0), pushed on to s
        worst = max(worst, abs(var - (1 - schedule.abar[s])), abs(law.mean - schedule.signal[s]))
print(f"(10.9) holds for all three eta within 1e-14: {bool(worst < 1e-14)}")

# %%
# N(0, 1) data and their perfect guess sqrt(abar_t) x_t, all steps of a schedule
for fine in (schedule, schedules.linear(T=10_000, beta_1=1e-5, beta_T=0.002)):
    none = all_fresh = 1.0  # the variance at T, for v = 0 and for v = 1 - abar_s
    for t in range(fine.T, 0, -1):
        none *= ddim_step(fine, unit, fine.signal[t] * unit, t, t - 1, 0.0).mean.item() ** 2
        all_fresh = (fine.abar[t - 1] * fine.abar[t] * all_fresh + 1 - fine.abar[t - 1]).item()
    print(f"{fine.T:5} moves: std with v = 0 {none**0.5:.3f}, "
          f"with v = 1 - abar_s {all_fresh**0.5:.3f} (data 1)")

# %%
# eq: 10.10
# claim: E74
x_t, x0_hat = (normal_like(torch.empty(9, 1).double(), generator=seeded(i)) for i in (1, 2))
laws = {"ddim, eta = 1": ddim_step(schedule, x_t, x0_hat, 500, 480, 1.0),
        "ddpm small": samplers.ddpm_step(schedule, x_t, x0_hat, 500, 480),
        "ddpm large": samplers.ddpm_step(schedule, x_t, x0_hat, 500, 480, var="large")}
for name, law in laws.items():
    away = (law.mean - laws["ddim, eta = 1"].mean).abs().max()
    print(f"500 → 480, {name:>13}: means equal within 1e-14: {bool(away < 1e-14)}, "
          f"variance {law.var.item():.4f}")

# %% [markdown]
# With all the noise fresh, 0.703 of the spread is left. Ten times as many moves do not help: 0.706.
#
# "$\eta = 1$ is DDPM" means: DDPM **with the small variance, on the same times**. Now look at the walks.
#
# **Predict.** Seven walkers, each sent off three times from the same $x_T$, with $\eta = 0$, 0.5 and 1.
# Which of the three panels has smooth lines? And can lines cross in it?

# %%
x_T = normal_like(torch.empty(2000, 1), generator=seeded(11))
# the walkers that start nearest to these seven places
seven = [int((x_T - place).abs().argmin()) for place in (-1.8, -1.2, -0.6, 0.1, 0.7, 1.3, 1.9)]
fig, axes = figures.new(1, 3, width=8.4, height=2.7, sharey=True)
for ax, eta in zip(axes, (0.0, 0.5, 1.0)):
    walk = samplers.ddim(schedule, denoise, x_T, eta=eta, times=timesteps(1000, 250),
                         generator=seeded(12))
    path = {1000: x_T} | {w.s: w.x_s for w in walk}
    for i, color in zip(seven, figures.COLORS):
        ax.plot(list(path), [x[i] for x in path.values()], color=color, linewidth=0.9)
    ax.set(title=f"eta = {eta:g}", xlabel="time t, steps (the way back)", xlim=(1000, 0))
    stay = ((x_T > 0) == (path[0] > 0)).double().mean()
    print(f"eta = {eta:g}: {stay:.0%} end on the side they started from; W1 {w1(path[0]):.4f}")
axes[0].set_ylabel("x_t, data units")
figures.show(fig, alt="Paths to two bumps: smooth for eta = 0, rougher for 0.5, jagged for 1.")

# %% [markdown]
# All three end in the right law, by different roads. With $\eta = 0$ the lines are smooth and never
# cross (in one dimension they cannot: the same place at the same time has the same future), and
# everyone stays on their side. With $\eta = 1$ the start decides little.
#
# Did leaving the Markov property make few steps possible? That is often said. Let us count.

# %%
# claim: E16, E75
three = {"ddpm small": samplers.ddpm, "ddpm large": large, "ddim": samplers.ddim}


def four_runs(sampler, moves):
    """W1 of four runs of 5000 samples."""
    options = {"sampler": sampler, "times": timesteps(1000, moves)}
    return torch.tensor([w1(samplers.sample(schedule, denoise, (5000, 1), **options,
                                            generator=seeded(i))) for i in range(4)])


print("W1, mean ± spread of four runs:", *[f"{name:>20}" for name in three])
for moves in (5, 10, 20, 100):
    found = [four_runs(sampler, moves) for sampler in three.values()]
    print(f"{moves:3} moves" + " " * 22, *[f"     {v.mean():.4f} ± {v.std():.4f}" for v in found])

# %% [markdown]
# The re-spaced DDPM runs in few moves as well. On this law, DDIM comes between the two variances at 5,
# 10 and 20 moves. What DDIM changes is the *error* and the *randomness*; what allows few steps is
# (10.4), which holds for any $s < t$. Take the ranking as one about this toy: with networks and
# pictures [Song21a, Table 1] reports that DDIM wins at few steps, and the large variance loses. And
# none of this needed new training: DDIM is another way to sample, not another model.
#
# ("A model that knows the score guarantees good samples", you may read. Here it is known exactly, and with 5 moves
# each of the three misses by more than 0.2.)
#
# ### Optional: two slips, and what is no longer Markov
#
# Two slips in print: $v = \eta\,\tilde\beta_{ts}$, although $v$ is a variance and has $\eta^2$; and a formula of
# [Song21a] read with our $\alpha$, where its $\alpha$ is our $\bar\alpha$. Both look right at a glance.

# %%
# claim: E73
tilde = schedule.posterior_var[500].item()
v = samplers.ddim_step(schedule, unit, unit, 500, 499, eta=0.5).var.item()
print(f"500 → 499, eta = 0.5: v = {v:.6f}; eta² tilde beta {0.25 * tilde:.6f}, "
      f"eta tilde beta {0.5 * tilde:.6f}")
a_s, a_t = schedule.alpha[499], schedule.alpha[500]
print(f"tilde beta {tilde:.3e}; with alpha for abar {(1 - a_s) / (1 - a_t) * (1 - a_t / a_s):.3e}")

# %% [markdown]
# The first is too large by a factor of 2 (and right at $\eta = 0$ and 1, where one tests). The second makes the
# variance 500 times too small.
#
# "Must the *reverse* process be Markov?" is an exercise in one textbook. **Predict.** Which of the two is it that DDIM
# frees from the Markov property, the way there or the way back?
#
# Run Bayes' rule from $x_s$ to $x_t$, given $x_0$:
# $E[x_t \mid x_s, x_0] = \sqrt{\bar\alpha_t}\,x_0 + g\,(x_s - \sqrt{\bar\alpha_s}\,x_0)$ with gain
# $g = \sqrt{1-\bar\alpha_t}\sqrt{1-\bar\alpha_s-v}\,/\,(1-\bar\alpha_s)$. The factor on $x_0$ is
# $\sqrt{\bar\alpha_t} - g\sqrt{\bar\alpha_s}$.

# %%
# claim: E105
left_t, left_s = schedule.abar[500], schedule.abar[499]
for eta in (1.0, 0.5, 0.0):
    v = eta**2 * schedule.posterior_var[500]
    gain = (1 - left_t).sqrt() * (1 - left_s - v).sqrt() / (1 - left_s)
    on_x_0 = left_t.sqrt() - gain * left_s.sqrt()
    on_x_0 = round(on_x_0.item(), 5) + 0.0  # + 0.0 makes 0.0 of -0.0
    print(f"499 → 500, eta = {eta:g}: factor on x_0 {on_x_0:.5f}")

# %% [markdown]
# The way there: the factor is 0 for $\eta = 1$ only, so otherwise $x_t$ looks back past $x_s$ to $x_0$. The walk
# *back* is a Markov chain for every $\eta$: each step looks at $x_t$ alone.

# %% [markdown]
# ## No dice at all: a flow
#
# Take $\eta = 0$ and more and more moves. What does the walk become? Write the two factors as an angle,
# $\cos\varphi_t = \sqrt{\bar\alpha_t}$ and $\sin\varphi_t = \sqrt{1-\bar\alpha_t}$: 0 is clean data,
# almost 90° is noise. With $\hat v = \cos\varphi_t\,\hat\epsilon - \sin\varphi_t\,\hat x_0$ from
# chapter 09, the move is a **rotation**:
#
# $$x_s = \cos\varphi_s\;\hat x_0 + \sin\varphi_s\;\hat\epsilon
# = \cos(\varphi_s - \varphi_t)\;x_t + \sin(\varphi_s - \varphi_t)\;\hat v. \tag{10.11}$$
#
# For a tiny turn the cosine is 1 and the sine is the angle, so the limit is a differential equation,
# the **probability flow** [Song21b]:
#
# $$\frac{dx}{d\varphi} = \hat v(x, \varphi). \tag{10.12}$$
#
# No noise in it, and all marginals kept. What it does can be said exactly for $N(0, V)$ data, where all
# $q(x_t)$ are normal with variance $V_t = \bar\alpha_t V + 1-\bar\alpha_t$. The flow stretches by the
# ratio of standard deviations,
#
# $$x_s = \sqrt{V_s / V_t}\;\,x_t. \tag{10.13}$$

# %%
# eq: 10.11, 10.12, 10.13
# again letters instead of numbers: each print is a difference of two sides, and 0 is a proof
p, r, V, x0, e = sp.symbols("phi_t phi_s V x_0 epsilon", positive=True)
x_t_, v_ = sp.cos(p) * x0 + sp.sin(p) * e, sp.cos(p) * e - sp.sin(p) * x0
move = sp.cos(r) * x0 + sp.sin(r) * e
print("(10.11):", sp.simplify(sp.expand_trig(sp.cos(r - p) * x_t_ + sp.sin(r - p) * v_ - move)))
print("(10.12):", sp.simplify(sp.diff(move, r).subs(r, p) - v_))
V_p = sp.cos(p) ** 2 * V + sp.sin(p) ** 2  # variance of x_t
x_p = sp.sqrt(V_p)  # the flow that starts at sqrt(V), by (10.13)
guess_0 = sp.cos(p) * V / V_p * x_p  # the best guess of x_0 there
guess_e = (x_p - sp.cos(p) * guess_0) / sp.sin(p)
slope = sp.cos(p) * guess_e - sp.sin(p) * guess_0
print("(10.13) solves (10.12):", sp.simplify(sp.diff(x_p, p) - slope) == 0)

# %% [markdown]
# A differential equation can be run **both ways**. Down, it makes data out of noise. Up, it gives each
# datum a *code*.
#
# ### Exercise 10.6 · Encode
#
# Follow (10.11), first form, along rising `times` such as `[0, 10, 20, …, 1000]`. At each time ask
# `denoise(x, t)` with `t` a tensor of shape `(B,)`, get $\hat\epsilon$, and mix for the next time. At
# $t = 0$ clean data are their own guess, $\hat x_0 = x_0$, and hold no noise yet. For the noise that they are about to
# meet look ahead: ask at $t = 1$ about $\sqrt{\bar\alpha_1}\,x_0$, and take the $\hat\epsilon$ of that answer.
#
# <details><summary>Hint</summary>
#
# `torch.full((len(x),), t)` is the batch of times. Up or down is the same formula; only the order of
# times differs.
#
# </details>

# %% tags=["exercise"]
def my_encode(schedule, denoise, x_0, times):
    """Return where x_0 is at times[-1]; times rise from 0."""
    ### BEGIN SOLUTION
    x = x_0
    for t, s in zip(times, times[1:]):
        look, x_look = (t, x) if t > 0 else (1, schedule.signal[1] * x)
        x0_hat = denoise(x_look, torch.full((len(x),), look))
        eps_hat = (x_look - schedule.signal[look] * x0_hat) / schedule.noise[look]
        x = schedule.signal[s] * (x0_hat if t > 0 else x) + schedule.noise[s] * eps_hat
    return x
    ### END SOLUTION


encode = check("sampling.encode", my_encode)

# %% [markdown]
# **Predict.** You encode 1000 true data of the two-bump law. (a) How are the codes distributed? (b)
# Which datum gets the code 0? (c) Decode the codes again with 20, 100, 1000 moves. How well do you get
# the data back?

# %%
# claim: E21
x_0 = ideal_denoisers.sample(bumps, 1000, generator=seeded(13)).double()
upward = {n: timesteps(1000, n)[::-1] for n in (20, 100, 1000)}
codes = {n: encode(schedule, denoise, x_0, times) for n, times in upward.items()}
for n, times in upward.items():
    down = samplers.final(samplers.probability_flow_ode(schedule, denoise, codes[n],
                                                        times=times[::-1], order=1))
    miss = (down - x_0).square().mean().sqrt()
    print(f"{n:4} moves: codes have std {codes[n].std():.3f}, there and back off by {miss:.4f} "
          "(root mean square)")
middle = encode(schedule, denoise, torch.zeros(1, 1, dtype=torch.float64), upward[1000])
print(f"code of the datum 0: {middle.abs().item():.3f}")

# %% [markdown]
# With many moves the codes are standard normal within chance, the datum in the middle gets 0, and with
# 1000 moves there and back misses by 0.0023. The codes could have been known beforehand. In one
# dimension the flow cannot change the order of points, and it carries the law of the data to that of
# noise. So it must carry quantile to quantile: with $F$ the distribution function of the data and $\Phi$
# that of $N(0, 1)$,
#
# $$\Phi(x_T) = F(x_0). \tag{10.14}$$

# %%
# eq: 10.14
for n, code in codes.items():
    error = (torch.special.ndtr(code) - F(x_0)).abs().max()
    print(f"{n:4} moves: error in (10.14) up to {error:.4f}")
fig, ax = figures.new(width=5, height=3)
y = torch.linspace(-1.7, 1.7, 400, dtype=torch.float64)
ax.plot(y, torch.special.ndtri(F(y)), color=figures.RED, label="exact, (10.14)")
ax.scatter(x_0, codes[1000], s=5, color=figures.BLUE, label="1000 codes", zorder=3)
ax.set(xlabel="datum x_0, data units", ylabel="code x_T")
ax.legend(fontsize=9)
figures.show(fig, alt="Codes against data: a rising curve, flat between the two bumps.")
print(f"largest distance of a code from the curve: "
      f"{(codes[1000] - torch.special.ndtri(F(x_0))).abs().max():.3f}")

# %% [markdown]
# "Diffusion has no latent code (no hidden description of a picture that one could edit), its output is
# pure chance": true of the ancestral walk, not of this one. What it is good for: **encoding** real data,
# **interpolating** between codes (below), and **reproducing** a sample from its noise alone.
#
# ### Better solvers
#
# With 20 moves the round trip missed by 0.1036. (10.11) keeps its guess fixed during the whole move; so
# the error of a move is of second order in its size, and that of the walk, a sum of many moves, of
# **first order**: half the stride, half the error. Two remedies:
#
# - **look again** where you landed, and take the mean of both slopes (Heun's method,
#   `probability_flow_ode(…, order=2)`). Two calls a move.
# - **remember** the last guess and extrapolate (`dpmpp_2m`, [Lu22]'s DPM-Solver++(2M)). One call a
#   move.
#
# Formula (10.13) is an exact answer to measure them against.

# %%
narrow = ideal_denoisers.circle_mixture(1, radius=0.0, std=0.5)  # V = 0.25
guess_narrow = ideal_denoisers.mixture_denoiser(narrow, schedule)
x_T = torch.ones(1, 2, dtype=torch.float64)
wanted = math.sqrt(0.25 / (schedule.abar[-1] * 0.25 + 1 - schedule.abar[-1]))  # (10.13), from 1
numbers = (20, 40, 80, 160, 320)
print("moves:        ", *[f"{n:8}" for n in numbers])
for order in (1, 2):
    found = []
    for n in numbers:
        end = samplers.final(samplers.probability_flow_ode(
            schedule, guess_narrow, x_T, times=timesteps(1000, n), order=order))
        found.append(abs(end[0, 0].item() - wanted))
    slope = math.log2(found[0] / found[-1]) / 4  # 320 = 20 * 2^4: halvings of the error a doubling
    print(f"order {order}: errors", *[f"{e:.6f}" for e in found], f"slope {slope:.2f}")

# %% [markdown]
# Twice the moves, half the error at order 1 (slope 0.97) and close to a quarter at order 2 (slope
# 1.91). 20 moves of order 2 miss by 0.004112, 320 of order 1 by 0.004687. In calls that is 40 against 320.

# %% [markdown]
# ## A race
#
# Five samplers, one perfect denoiser, the ring of eight blobs from chapter 00. The currency is
# **denoiser calls**: in practice a call is a run of a big network, and the rest is free. So order 2
# gets half as many moves.
#
# The ruler is the **sliced** Wasserstein distance: project the points onto a direction, take W1,
# average over directions. And there is a **floor**: what 1000 *true* draws score. Below that, this ruler
# with this many points cannot see a difference. (A steadying trick again: the ring looks the same after
# a turn by 45 degrees, and so does the law of every sampler. So we measure all eight turned copies of the
# samples together.)
#
# **Predict.** Which sampler is best with 10 calls? Which with 100? How many calls until the first one
# reaches the floor?

# %%
ring = ideal_denoisers.circle_mixture(8)
turn = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64) / math.sqrt(2)  # by 45 degrees
angles = torch.arange(8, dtype=torch.float64) * math.pi / 32
directions = torch.stack([angles.cos(), angles.sin()])  # (2, 8); the turns do the rest


def profile(y):
    """Sorted projections of the points and of their turned copies, (8 n, 8 directions)."""
    copies = [y.double()]
    for _ in range(7):
        copies.append(copies[-1] @ turn)
    return torch.cat([c @ directions for c in copies]).sort(0).values


# %%
truth = [profile(ideal_denoisers.sample(ring, 1000, generator=seeded(100 + i))) for i in range(20)]
# Columns of a profile are sorted, so row k is the k-th quantile. The mean over 20 sets of true
# draws is close to the exact one. W1 is the mean distance from it, entry by entry.
reference = torch.stack(truth).mean(0)
again = (ideal_denoisers.sample(ring, 1000, generator=seeded(200 + i)) for i in range(20))
floor = [(profile(x) - reference).abs().mean() for x in again]
print(f"floor, 1000 true draws twenty times: mean {sum(floor) / 20:.4f}, "
      f"from {min(floor):.4f} to {max(floor):.4f}")

# %%
guess_ring = ideal_denoisers.mixture_denoiser(ring, schedule)
five = three | {"flow, order 2": samplers.probability_flow_ode, "multistep": samplers.dpmpp_2m}


def last_move(name, calls, seed):
    """The last move of 1000 walks that cost `calls` calls of the denoiser."""
    times = timesteps(1000, calls)
    x_T = normal_like(torch.empty(1000, 2), generator=seeded(seed))
    times = times[::2] if name == "flow, order 2" else times  # two calls a step
    # one seed for the start, another for the fresh noise: the same one would repeat its numbers
    rng = seeded(99 - seed)
    return list(five[name](schedule, guess_ring, x_T, times=times, generator=rng))[-1]


# %%
def score_of(*args):
    """Sliced W1 of what `last_move` ends with."""
    return (profile(last_move(*args).x_s) - reference).abs().mean().item()


calls = (6, 10, 20, 40, 100)
results = {name: torch.tensor([[score_of(name, c, seed) for seed in range(5)] for c in calls])
           for name in five}
print("denoiser calls:", calls)

# %%
fig, ax = figures.new(width=7.5, height=3.6)
for name, color, dash in zip(five, figures.COLORS, figures.DASHES):
    mean, spread = results[name].mean(1), results[name].std(1)
    ax.errorbar(calls, mean, yerr=spread, color=color, linestyle=dash, marker="o", markersize=4,
                capsize=3, label=name)
    print(f"{name:>13}: " + "   ".join(f"{m:.4f} ± {s:.4f}" for m, s in zip(mean, spread)))
ax.axhspan(min(floor), max(floor), color=figures.GRAY, alpha=0.25, label="floor: true draws")
ax.set(xscale="log", yscale="log", xlabel="denoiser calls", ylabel="sliced W1, data units")
ax.set_xticks(calls, calls)
ax.legend(fontsize=9)
figures.show(fig, alt="Errors fall; at 100 calls order 2 and the large variance are at the floor.")

# %% [markdown]
# Columns are 6, 10, 20, 40 and 100 calls; ± is the spread over five seeds, and the gray band is the
# floor.
#
# - **With 6 and 10 calls** order 2, which has 3 and 5 moves, is first (0.0736) and then last (0.0917):
#   an order is a promise about *small* moves. With 10, `multistep` (0.0684) and the large variance
#   (0.0714) are ahead; the spreads do not tell which of them is first.
# - **With 20 calls** the lines of the other four nearly coincide, 0.0203 to 0.0229.
# - **With 100 calls** the large variance (0.0019) and order 2 (0.0018) are at the floor, 0.0017. This
#   ruler, with 1000 points, cannot tell those two from data. The other three are five to six and a half
#   times above it.
#
# Two things are odd. `multistep`, of second order, hardly improves from 20 calls to 40. And the large
# variance, right for $N(0, I)$ and not for these data, reaches the floor. The suspect is the last move, a
# jump to a mean. So look how wide the blobs are before it, and replace it by many small moves.

# %%
def width(y, t):
    """Standard deviation of points around the nearest blob center at time t, data units."""
    now = schedule.signal[t] * ring.mean
    return (y.double() - now[torch.cdist(y.double(), now).argmin(1)]).std()


for name in ("multistep", "ddpm large"):
    for n in (40, 100):
        last = last_move(name, n, seed=0)
        true_width = (schedule.abar[last.t] * ring.var[0] + 1 - schedule.abar[last.t]).sqrt()
        slow = samplers.final(samplers.probability_flow_ode(
            schedule, guess_ring, last.x_t, times=range(last.t, -1, -1)))
        print(f"{name:>10}, {n:3} calls: {width(last.x_t, last.t) / true_width:.2f} of the true "
              f"width at t = {last.t}; W1 {(profile(last.x_s) - reference).abs().mean():.4f}, "
              f"with a slow last move {(profile(slow) - reference).abs().mean():.4f}")

# %% [markdown]
# `multistep` arrives with the right width, 1.01 and 0.99. But its last move cannot extrapolate (at $t = 0$
# its variable, the log of signal over noise, is infinite), so it jumps to a mean and makes the blobs too
# thin. Done slowly, the same move brings the distance from 0.0194 down to 0.0059 with 40 calls, and with
# 100 close to the floor, 0.0023. The large variance arrives too wide, 1.35 with 100 calls; the jump makes
# it thinner, which happens to fit. A better last move makes it worse, 0.0097 instead of 0.0017: on these
# data it wins by **two errors that cancel**.
#
# So do not read the race as a ranking of samplers. With networks and pictures [Song21a, Table 1] reports
# another order (chapter 15). The method carries over: count calls, show the spread, know the floor.

# %% [markdown]
# ### Try it yourself: how few steps are enough?
#
# Choose a sampler and a number of steps, and watch where 600 points end on the ring. **Predict** first: how
# many steps of `ddim` put half of the points inside a blob? And of the second-order flow, which calls the
# denoiser twice in a step?

# %%
from ddpm_lab.course import explorers

explorer = explorers.how_few_steps()
print(explorer)
explorer

# %% [markdown]
# The same sentences for four settings, to check your prediction:

# %%
for sampler, steps in (("ddim", 5), ("ddim", 7), ("probability_flow_ode", 2),
                       ("probability_flow_ode", 3)):
    sentence = explorer.describe(sampler=sampler, steps=steps)
    sentence = sentence.removeprefix("How few steps are enough? ")
    print(sentence.split(", on av")[0])

# %% [markdown]
# Half of the points: between 5 and 7 steps of `ddim` (42 % and 67 %), between 2 and 3 of the flow (23 % and
# 59 %), which are 4 and 6 calls.

# %% [markdown]
# ## What a perfect denoiser cannot do
#
# All this time we had the best denoiser there is. What about the best one for a finite *data set*, the
# one that every training aims at?
#
# **Predict.** 896 digits, their exact denoiser (10.2), 100 samples. How many are new? And with few
# moves, when there is no time to find the exact copy?

# %%
images, _ = digits("train")
guess_digit = ideal_denoisers.dataset_denoiser(images, schedule)
digit_noise = normal_like(images[:100], generator=seeded(3))
shown, numbers = [], (3, 5, 8, 10, 20, 50)
for n in numbers:
    x = samplers.final(samplers.ddim(schedule, guess_digit, digit_noise, times=timesteps(1000, n)))
    far, nearest = torch.cdist(x.flatten(1).double(), images.flatten(1).double()).min(1)
    shown.append(x[:3])
    copies = int((far < 1e-3).sum())
    print(f"{n:2} moves: {copies:3} of 100 are copies, median distance {far.median():.3f}")
# three walkers, a row each: where it ended for each number of moves, then its nearest digit
strip = torch.stack([*shown, images[nearest[:3]]], dim=1).flatten(0, 1)
fig = figures.images(strip, [f"{n} moves" for n in numbers] + ["nearest"], columns=7, panel=1.0)
figures.show(fig, alt="Three rows: from gray blur at 3 moves to a digit, equal to its nearest.")

# %% [markdown]
# With 50 moves, all 100 are copies of training digits. Fewer moves do not make *new* digits, they make
# unfinished ones. Nor does it help to predict something else. A table in one set of notes says that
# predicting the mean memorizes and predicting the noise generalizes; so let us dress the same exact
# knowledge in three ways.

# %%
# claim: E82
eight = swiss_roll(8, generator=seeded(1))
exact = ideal_denoisers.dataset_denoiser(eight, schedule)


def best_net(x_t, t, kind):
    """The best possible network that predicts x0, eps or v."""
    return getattr(predictions.convert(schedule, exact(x_t, t), "x0", x_t, t), kind)


for kind in ("x0", "eps", "v"):
    wrapped = predictions.denoiser(schedule, partial(best_net, kind=kind), kind)
    y = samplers.sample(schedule, wrapped, (500, 2), generator=seeded(2))
    far, which = torch.cdist(y.double(), eight.double()).min(1)
    visits = torch.bincount(which, minlength=8).tolist()
    print(f"{kind:>3}: farthest from a data point {far.max():.0e}; visits {visits}")

# %% [markdown]
# All three copy, to the rounding of float32, and visit all eight points about equally often. The goal
# of training, reached exactly, memorizes in every dress. What makes new pictures is that a network
# *misses* it in a good way; chapters 11 and 14 look at how.
#
# ### Between two data
#
# With the flow you can mix two **codes**: encode two data, mix the codes with weights $1-\lambda$ and
# $\lambda$, decode. **Predict.** Two points on different arms of the spiral: where does the mixture travel,
# along the roll or across the gaps?

# %%
both = centers[torch.cdist(torch.tensor([[-0.3, 0.0], [0.9, -0.1]]).double(), centers).argmin(1)]
lam = torch.linspace(0, 1, 41, dtype=torch.float64)[:, None]
straight = (1 - lam) * both[:1] + lam * both[1:]  # mix the data
solve = partial(samplers.probability_flow_ode, schedule, guess_roll)
up = samplers.final(solve(both, times=timesteps(1000, 100)[::-1]))
mixed = (1 - lam) * up[:1] + lam * up[1:]  # mix the codes
down = samplers.final(solve(mixed, times=timesteps(1000, 100)))
routes = {"mix the data": straight, "mix the codes": down}

# %%
fig, ax = figures.new(width=4.6, height=4.2)
ax.scatter(*centers.T, s=3, color=figures.SKY, label="data")
for (name, y), color, mark in zip(routes.items(), (figures.GRAY, figures.RED), ("x", "o")):
    ax.scatter(*y.T, s=14, color=color, marker=mark, label=name, zorder=3)
    far = torch.cdist(y, centers).amin(1)
    print(f"{name}: within 0.09 (3 pen widths) of a center {(far < 0.09).double().mean():.0%}, "
          f"farthest {far.max():.2f}, longest jump {(y[1:] - y[:-1]).norm(dim=1).max():.2f}")
ax.set(aspect="equal", xlabel="first coordinate", ylabel="second coordinate", ylim=(-1.2, 2.2))
ax.legend(fontsize=9, loc="upper left")
figures.show(fig, alt="Mixed data cross the gaps of the spiral; mixed codes stay on its arms.")

# %% [markdown]
# Say that a point is on the spiral if a center lies within 0.09. Of the mixed data only 27 % are. Of the
# mixed codes all are. But look how they get from one arm to the next: they **jump**, by up to 0.74, and
# they do not travel along the roll. A code says where a point lies in the law, not what it means.
#
# ### Optional: how [Ho20] mixes two pictures
#
# That paper has no flow and does something else: it noises **both** pictures to a time $t$, mixes the noisy ones and
# walks back from there (Sec. 4.4). You may read that it mixes the pictures and noises the mixture. The mean is the same.
# **Predict.** Is the noise?

# %%
# claim: E22
one, two = (normal_like(torch.empty(1_000_000).double(), generator=seeded(i)) for i in (14, 15))
for share in (0.25, 0.5):
    mixed = (1 - share) * one + share * two  # noise of a mixture of noisy data; theirs has std 1
    print(f"lambda = {share}: std of the noise {mixed.std():.3f}, "
          f"in theory {math.hypot(1 - share, share):.4f} instead of 1")

# %% [markdown]
# It shrinks, to 0.7071 halfway: two independent noises partly cancel. The denoiser is told $t$ and then meets less
# noise than $t$ stands for.

# %% [markdown]
# ## Recap
#
# The best guess of the clean data is a mean, and for a data set or a mixture it is a short formula. Put
# it in the place of $x_0$ in the posterior, draw, repeat: that is ancestral sampling. The drift pulls
# to the center or to the data, the noise pushes back, and both are needed, except in the last move. One
# jump gives the mean of everything; each further move lets the walk commit. Only the marginals matter,
# so between 0 and $\tilde\beta_{ts}$ the variance of the fresh noise is free, if the old noise is kept to
# match (DDIM); with none, the walk is a flow that runs both ways. With a perfect denoiser and 100 calls,
# two of five samplers on a ring reach the floor of our ruler, one of them by luck. The perfect denoiser of
# a data set can only copy it.
#
# **One formula to keep**
#
# $$x_s = \sqrt{\bar\alpha_s}\;\hat x_0 + \sqrt{1-\bar\alpha_s - v}\;\hat\epsilon + \sqrt{v}\;z, \qquad v = \eta^2\,\tilde\beta_{ts}$$
#
# **What notes get wrong here**
#
# | often said | better | shown above |
# |---|---|---|
# | predict the noise and subtract it | a step takes away 0.0105 of it at t = 500, and adds 0.1002 fresh | Algorithm 2 |
# | $\sigma_t$ is the variance | its root: 0.1414, not 0.0200, at t = 1000 | Algorithm 2 |
# | noise is added for variety | means only collapse: 0.072 inside a bump instead of 0.243 | fresh noise |
# | do not jump, because the way back must follow the way there | because one jump returns a mean: all within 0.027 of 0 | why not jump |
# | small and large variance behave alike | with 1000 moves 0.996 and 1.000, with 10 moves 0.740 and 0.947 | variance |
# | $v = \eta\,\tilde\beta$ | $\eta^2\tilde\beta$ | 0.002508, not 0.005016 |
# | DDIM's way back is not Markov | its way there is not | factor −0.00154 |
# | it is MCMC | a step of $t$ does not keep the data's law | 0.0032 → 0.0161 |
# | add noise at every $t$ | not at $t = 1$ | 21.71 gray levels with 20 steps |
# | interpolation mixes pictures, then noises | [Ho20] noises, then mixes | noise 0.7071 instead of 1 |
# | no latent code, no editing | the flow runs both ways: 0.0026 there and back | flow |
# | predicting the noise generalizes | the exact optimum copies in every dress | 8 points, 896 digits |
#
# **Exercises:** 10.1 `sampling.dataset_denoiser` · 10.2 `sampling.ancestral_step` · 10.3
# `sampling.timesteps` · 10.4 `sampling.follow_variance` (optional) · 10.5 `sampling.ddim_step` · 10.6
# `sampling.encode`
#
# **To think about.** The race judged samplers by a distance between laws. What would you measure if you
# wanted to *edit* a picture, that is, encode it, change the code, and decode?
#
# **Before:** [09 · Predictions](09_predictions.ipynb) · **Next:**
# [11 · Learning to denoise](11_learning_to_denoise.ipynb)
#
# **Read on:** [Ho20] Sec. 3.2 and 4.4; [Song21a] Sec. 3–5 and Appendix B; [Song21b] Sec. 4.3; [Lu22]
# Sec. 4; [SD15] Fig. 1.
