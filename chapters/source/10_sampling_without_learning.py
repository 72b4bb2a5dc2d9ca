# %% [markdown]
# # 10 · How do you turn noise into data if the denoiser is perfect?
#
# Chapter 07 gives the distribution of an earlier state $x_s$ when both $x_t$ and the clean data $x_0$ are known.
# When you sample, you do not know $x_0$; you only have an estimate of it. In this chapter the estimate is the
# best possible one, computed exactly and without a network. Any error that remains is therefore the sampler's,
# and no amount of training could remove it.
#
# **After this chapter you can**
#
# - write down the ideal denoiser of a data set and of a mixture of Gaussians,
# - explain each line of DDPM's sampling algorithm, and implement it,
# - say why a sampler adds fresh noise, and what happens if it does not,
# - recognize two common bugs by what they do to the samples.
#
# **You need** [05 · Forward](05_forward.ipynb) (the closed form of $x_t$), [07 · Posterior](07_posterior.ipynb)
# (the posterior of an earlier state, and its mean in terms of the noise), and from [09 ·
# Predictions](09_predictions.ipynb) that an estimate of the data and an estimate of the noise are two forms of
# the same estimate, and what the score is.
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 20
# seconds.
#
# **For what comes next you need:** "The best estimate" and "Algorithm 2" in [11 · Learning to
# denoise](11_learning_to_denoise.ipynb); everything but "Two bugs" and "The drift" in [10b · How few steps will
# do?](10b_fewer_steps.ipynb).
#
# **In the papers:** [Ho20] Sec. 3.2 and Algorithm 2; [SD15] Fig. 1.

# %%
import math
from functools import partial

import sympy as sp
import torch

from ddpm_lab import forward, ideal_denoisers, predictions, samplers, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.datasets import digits, swiss_roll
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded

schedule = schedules.linear()  # beta from 1e-4 to 0.02 in 1000 steps
n = 400  # the data: a spiral, as 400 small round Gaussians along it
centers = swiss_roll(n, generator=seeded(10), std=0).double()
narrow = torch.full((n,), 0.03**2, dtype=torch.float64)  # variance of each Gaussian
roll = ideal_denoisers.Mixture(torch.full((n,), 1 / n, dtype=torch.float64), centers, narrow)
denoise_roll = ideal_denoisers.mixture_denoiser(roll, schedule)  # (x_t, t) -> best estimate of x_0
print(schedule)

# %%
points = ideal_denoisers.sample(roll, 600, generator=seeded(1))
eps, x_T = (normal_like(points, generator=seeded(i)) for i in (2, 3))
run = samplers.ddpm(schedule, denoise_roll, x_T, times=schedules.timesteps(1000, 100),
                    generator=seeded(4))
back = {1000: x_T} | {step.s: step.x_s for step in run}  # time -> the points at that time

times = (0, 20, 60, 200, 1000)
forth = {t: forward.noised(schedule, points, t, eps) if t else points for t in times}
frames = {f"forward, t = {t}": forth[t] for t in times}
frames |= {f"back, t = {t}": back[t] for t in times}
fig = figures.scatter_grid(frames, columns=5, panel=1.6, limit=2.2, size=3)
figures.show(fig, alt="Top: a spiral becomes a cloud. Bottom, leftward: a cloud becomes a spiral.")
for t in times:
    far = [torch.cdist(x[t].double(), centers).amin(1).mean() for x in (forth, back)]
    print(f"t = {t:4}: distance to the nearest center, forward {far[0]:.3f}, back {far[1]:.3f}")

# %% [markdown]
# ## A first look: there and back
#
# A classical figure ([SD15], Fig. 1) has three rows; here are the first two. In the upper row, data on a spiral,
# the *Swiss roll*, turn into noise. Read the lower row from right to left: 600 points of pure noise turn into a
# spiral in 100 steps. (`schedules.timesteps(1000, 100)` is the list of times 1000, 990, …, 10, 0. The sampler
# returns a record of each step: `step.s` is the time at which the step ends, and `step.x_s` are the points at
# that time.)
#
# At each time the two rows look alike, although the points in the lower row were never data: they started as
# noise, and the denoiser was called a hundred times. At the end they lie a little closer to the curve than real
# data do: their mean distance to the nearest center is 0.019, against 0.028. The first detour of chapter 10b
# explains why.
#
# Three questions remain. How does the denoiser estimate the clean data? What does a step do with this estimate?
# And what does the third row show?

# %% [markdown]
# ## The best estimate, from Bayes' rule
#
# You observe $x_t$. Many different $x_0$ could have led to it. By Bayes' rule, the weight of each is
# proportional to the prior density $q(x_0)$ times the likelihood $q(x_t \mid x_0)$, the density of noising $x_0$
# to exactly this $x_t$. The estimate with the smallest mean squared error is the weighted average over all of
# them, the conditional mean (chapter 09). A function that returns it is called the **ideal denoiser**, also the
# *optimal* or *Bayes* denoiser:
#
# $$\hat x_0(x_t, t) = E[x_0 \mid x_t]
# = \frac{\int x_0\; q(x_0)\; q(x_t \mid x_0)\, dx_0}{\int q(x_0)\; q(x_t \mid x_0)\, dx_0}. \tag{10.1}$$
#
# You can check (10.1) by simulation: noise a million data points, keep those that land near 0.5, and average the
# $x_0$ they came from. The data come from the course's two-mode distribution: half of its probability lies
# around −0.97, half around +0.97.

# %%
# eq: 10.1
modes = ideal_denoisers.two_modes()
print(f"modes at {modes.mean[:, 0].tolist()}, each of standard deviation {modes.var[0].sqrt():.3f}")
x_0 = ideal_denoisers.sample(modes, 1_000_000, generator=seeded(1)).double()
x_t = forward.noised(schedule, x_0, 300, normal_like(x_0, generator=seeded(2)))
origin = x_0[(x_t - 0.5).abs() < 0.02]
print(f"{len(origin)} of a million landed near 0.5; mean origin {origin.mean():.4f} "
      f"(standard error {origin.std() / math.sqrt(len(origin)):.4f})")

grid = torch.linspace(-4, 4, 8001, dtype=torch.float64)[:, None]
prior = ideal_denoisers.log_density(modes, schedule, grid, 0).exp()  # q(x_0)
square = (0.5 - schedule.signal[300] * grid[:, 0]) ** 2
likely = torch.exp(-square / (2 * (1 - schedule.abar[300])))  # q(x_t = 0.5 | x_0)
print(f"(10.1) on a grid: {(grid[:, 0] * prior * likely).sum() / (prior * likely).sum():.4f}")

# %% [markdown]
# ### Exercise 10.1 · The ideal denoiser of a data set
#
# Now let the data be $N$ points, all equally probable. The integrals in (10.1) become sums over the points.
# Return the estimate for a batch: `points` has shape `(N, D)`, `x_t` has shape `(B, D)`, and `t` is a number. To
# get the weights, ask first: given $x_0 = x_i$, what are the mean and the variance of $x_t$?
#
# <details><summary>Hint</summary>
#
# `torch.cdist(a, b)` gives all distances between the rows of `a` and the rows of `b`. Weights of the form
# $e^{c_i}/\sum_j e^{c_j}$ are called a softmax: `c.softmax(dim=1)`. If you write it by hand, all the
# exponentials may underflow, and you divide 0 by 0.
#
# </details>

# %% tags=["exercise"]
def my_estimate(points, schedule, x_t, t):
    """Return E[x_0 | x_t], shape (B, D), when x_0 is one of the points (N, D)."""
    ### BEGIN SOLUTION
    signal, noise_var = schedule.signal[t], 1 - schedule.abar[t]
    squares = torch.cdist(x_t, signal * points) ** 2
    weights = (-squares / (2 * noise_var)).softmax(dim=1)
    return weights @ points
    ### END SOLUTION


estimate = check("sampling.dataset_denoiser", my_estimate)

# %% [markdown]
# As a formula, the ideal denoiser of a data set is
#
# $$\hat x_0 = \sum_{i=1}^{N} w_i\, x_i, \qquad
# w_i \propto \exp\Big(-\frac{\|x_t - \sqrt{\bar\alpha_t}\, x_i\|^2}{2\,(1-\bar\alpha_t)}\Big),
# \quad \sum_i w_i = 1. \tag{10.2}$$
#
# For a **mixture of Gaussians** with weights $\pi_k$, means $m_k$ and variances $v_k$, two facts are enough.
# First, component $k$ after noising is a Gaussian with mean $\sqrt{\bar\alpha_t}\,m_k$ and variance
# $\bar\alpha_t v_k + 1-\bar\alpha_t$ (chapter 05). Second, within a component the estimate follows from Bayes'
# rule for Gaussians (chapter 07): start from $m_k$ and correct it in proportion to how far $x_t$ is from its
# expected value. So
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
      f"(standard error {origin.std() / math.sqrt(len(origin)):.4f})")
print(f"three points: (10.2) gives {estimate(three, schedule, here, 300).item():.4f}")
denoise = ideal_denoisers.mixture_denoiser(modes, schedule)
print(f"two modes: (10.3) gives {denoise(here, 300).item():.4f}")

# %% [markdown]
# The simulations agree with the grid and the formulas within one and a half standard errors.
#
# **Predict.** Sketch $\hat x_0$ against $x_t$ for the two modes: at $t = 20$, where there is hardly any noise; at
# $t = 100$ and 300; and at $t = 1000$.

# %%
x = torch.linspace(-2.5, 2.5, 501, dtype=torch.float64)[:, None]
curves = {f"t = {t}": denoise(x, t)[:, 0] for t in (20, 100, 300, 1000)}
fig = figures.curves(x[:, 0], curves, xlabel="x_t, data units", ylabel="best estimate of x_0",
                     width=6, height=3)
figures.show(fig, alt="At t = 20 nearly the diagonal, at 100 and 300 an S, at 1000 flat at 0.")
for name, y in curves.items():
    print(f"{name:>8}: estimate at x_t = 0.2 {y[270]:+.3f}, at 0.5 {y[300]:+.3f}, "
          f"at 2 {y[450]:+.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# At $t = 20$ the estimate is close to $x_t$ itself, so the curve is nearly the diagonal. At $t = 100$ and
# $t = 300$ it is S-shaped: the main question is which of the two modes $x_t$ came from. At $t = 1000$ hardly
# anything of the data is left in $x_t$, and the best estimate is close to the mean of all data, 0, whatever
# $x_t$ is, even though there are hardly any data near 0.
#
# </details>

# %% [markdown] topics="C158 C159"
# ## Algorithm 2, line by line
#
# Chapter 07 derives the distribution of an earlier $x_s$ given **both** ends, $q(x_s \mid x_t, x_0)$. You know
# one end, $x_t$; for the other, substitute the estimate:
#
# $$p(x_s \mid x_t) = q\big(x_s \mid x_t,\; x_0 = \hat x_0(x_t, t)\big). \tag{10.4}$$
#
# That is the whole sampler. Drawing each state from its distribution given the state drawn before it is called
# **ancestral sampling**. Is the substitution justified? The mean of (10.4) is **exactly** that of the true
# $q(x_s \mid x_t)$, because the posterior mean is linear in $x_0$ (chapter 07). The variance is too small,
# because the estimate is treated as if it were certain. For small steps that does little harm; chapter 10b
# measures how small they must be.
#
# With $s = t-1$ and the estimate expressed in terms of the noise,
# $\hat x_0 = (x_t - \sqrt{1-\bar\alpha_t}\,\hat\epsilon)/\sqrt{\bar\alpha_t}$, a sample from (10.4) is the
# central line of Algorithm 2 in [Ho20]:
#
# $$x_{t-1} = \frac{1}{\sqrt{\alpha_t}}\Big(x_t - \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\;\hat\epsilon\Big)
# + \sigma_t\, z, \qquad z \sim N(0, I). \tag{10.5}$$
#
# | Algorithm 2 | why |
# |---|---|
# | $x_T \sim N(0, I)$ | the forward process ends there (almost) |
# | for $t = T, \dots, 1$ | $T$ steps, so $T$ calls of the denoiser |
# | $z \sim N(0, I)$ if $t > 1$, else $z = 0$ | fresh noise, but none in the last step, which returns clean data |
# | the line (10.5) | a sample from the Gaussian (10.4) |
# | return $x_0$ | |
#
# $\sigma_t$ is a **standard deviation**; its square is a variance. [Ho20] offers two: the posterior's variance
# $\tilde\beta_t$ (`var="small"` in the package) and $\beta_t$ (`var="large"`). [Chapter
# 07b](07b_reverse_variance.ipynb) says when each is right. Below, $\mu(x_t, t)$ denotes the mean of (10.4) for
# $s = t - 1$.

# %%
# eq: 10.4, 10.5
# claim: E41, E118
x_t = normal_like(torch.empty(1000, 1, dtype=torch.float64), generator=seeded(5))
worst = 0.0
for t in (1, 2, 500, 1000):
    x0_hat = denoise(x_t, t)
    p = forward.posterior(schedule, x0_hat, x_t, t, t - 1)  # (10.4)
    eps_hat = predictions.convert(schedule, x0_hat, "x0", x_t, t).eps
    on_eps = schedule.beta[t] / schedule.noise[t]
    line = (x_t - on_eps * eps_hat) / schedule.alpha[t].sqrt()  # (10.5) without its noise
    worst = max(worst, float((p.mean - line).abs().max()))
print(f"the mean of (10.4) and the line (10.5) differ by less than 1e-10: {worst < 1e-10}")
print(f"sigma_1000: {schedule.beta[1000].sqrt():.4f}; its square: {schedule.beta[1000]:.4f}")

# %% [markdown]
# ### One step, worked out
#
# Follow a single step, first at $t = 999$ and then at $t = 100$. The data are 896 images of handwritten digits,
# 8 × 8 pixels each, and the denoiser is (10.2).
#
# **Predict.** What does $\hat x_0$ look like at $t = 999$? And how much of $\hat\epsilon$ does one step
# subtract: all of it, half of it, or only a few percent?

# %%
# claim: E40
images, _ = digits("train")
denoise_digits = ideal_denoisers.dataset_denoiser(images, schedule)
rows = []
for t in (999, 100):
    x_t = forward.noised(schedule, images[:1], t, normal_like(images[:1], generator=seeded(2)))
    x0_hat = denoise_digits(x_t, t)
    eps_hat = predictions.convert(schedule, x0_hat, "x0", x_t, t).eps
    p = samplers.ddpm_step(schedule, x_t, x0_hat, t, t - 1, var="large")
    rows += [x_t, eps_hat, x0_hat, p.mean, draw(p, normal_like(x_t, generator=seeded(3)))]
    scale, on_eps = 1 / schedule.alpha[t].sqrt(), schedule.beta[t] / schedule.noise[t]
    print(f"x_{t - 1} = {scale:.4f} (x_{t} - {on_eps:.4f} eps_hat) + {p.var.sqrt().max():.4f} z")
fig = figures.images(torch.cat(rows), ["x_t", "eps_hat", "x0_hat", "mean", "x_{t-1}"], columns=5,
                     row_labels=["t = 999", "t = 100"], limit=2, panel=1.1)
figures.show(fig, alt="At t = 999 the estimate is the average digit; at 100 the digit itself.")

# %%
def rms(a):
    return a.square().mean().sqrt().item()


average = images.mean(0)
for t, (x_t, eps_hat, x0_hat, mean, x_s) in ((999, rows[:5]), (100, rows[5:])):
    print(f"t = {t}, root mean squares: x0_hat - average digit {rms(x0_hat - average):.4f}, "
          f"x0_hat - x_0 {rms(x0_hat - images[:1]):.4f}")
    print(f"  x_t - eps_hat {rms(x_t - eps_hat):.4f}, mean - x_t {rms(mean - x_t):.4f}, "
          f"x_s - mean {rms(x_s - mean):.4f}")

# %% [markdown]
# At $t = 999$ the estimate is the average of all digits, within 0.0035, and $\hat\epsilon$ is nearly $x_t$
# itself. The step subtracts 0.0200 times $\hat\epsilon$, a fiftieth of it, and **adds** seven times as much
# fresh noise, of standard deviation 0.1414. At $t = 100$ the estimate is the digit that we started from; the
# step subtracts 0.0065 times $\hat\epsilon$ and adds noise of standard deviation 0.0455. So a single step hardly
# changes the image. How can such small corrections prevail over larger noise? They accumulate. The predicted
# noise changes little from one step to the next, so a hundred corrections in its direction remove about a
# hundred times as much as one. The fresh noises are independent: they partly cancel, and the sum of a hundred of
# them is only about ten times as large as one.
#
# ### Exercise 10.2 · One step of Algorithm 2
#
# Implement (10.5) with $\sigma_t^2 = \beta_t$. `eps_hat` is the estimate of the noise, `z` is standard normal,
# and `t` is a number. Mind the third row of the table above: what happens at $t = 1$?

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
# This is a complete diffusion sampler: a loop of two lines around your step. The package's loop does the same
# for any decreasing list of times and any kind of step. (`_steps` pairs neighboring times; `_ask` calls the
# denoiser with the same $t$ for every item of the batch.)

# %%
figures.show_source(samplers.ancestral._reverse)

# %% [markdown] topics="C160"
# ## Why add fresh noise?
#
# The goal is to remove noise, yet each step adds some. **Predict.** Leave the noise out: at each step go to the
# mean of (10.4), the best single estimate of $x_s$. The data are $N(0, 1)$. What is the standard deviation of
# the samples?

# %%
# claim: E67
def mean_only(schedule, x_t, x0_hat, t, s):
    """The step of `ddpm` without its noise."""
    return Gaussian(samplers.ddpm_step(schedule, x_t, x0_hat, t, s).mean, torch.zeros(()))


bell = ideal_denoisers.circle_mixture(1, radius=0.0, std=1.0)  # N(0, I), as one component
denoise_bell = ideal_denoisers.mixture_denoiser(bell, schedule)
x = samplers.sample(schedule, denoise_bell, (1000, 2), sampler=samplers.reverse, step=mean_only,
                    generator=seeded(8))
print(f"N(0, 1) data, means only: std {x.std():.4f}; sqrt(abar_T) = {schedule.signal[-1]:.4f}")

# %% [markdown]
# It is 0.0064 instead of 1: the samples collapse onto the mean of the data. For such data you can derive this
# number by hand. The best estimate is $\hat x_0 = \sqrt{\bar\alpha_t}\,x_t$. Substitute it into the mean of
# (10.4), use $\beta_t = 1 - \alpha_t$ and $\bar\alpha_t = \alpha_t\bar\alpha_{t-1}$, and collect terms:
#
# $$\frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\,\sqrt{\bar\alpha_t}\;x_t
# + \frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\;x_t
# = \sqrt{\alpha_t}\;\frac{\bar\alpha_{t-1}(1-\alpha_t) + 1 - \bar\alpha_{t-1}}{1-\bar\alpha_t}\; x_t
# = \sqrt{\alpha_t}\; x_t. \tag{10.6}$$
#
# Every step shrinks $x_t$. After all of them,
# $x_0 = \sqrt{\alpha_1\alpha_2\cdots\alpha_T}\;x_T = \sqrt{\bar\alpha_T}\;x_T$.

# %%
# eq: 10.6
# SymPy computes with letters: build both sides, subtract, simplify; 0 is a proof.
a_t, abar_before = sp.symbols("alpha_t abar_before", positive=True)  # alpha_t and abar_{t-1}
abar_now = a_t * abar_before  # abar_t
on_x0_hat = sp.sqrt(abar_before) * (1 - a_t) / (1 - abar_now)
on_x_t = sp.sqrt(a_t) * (1 - abar_before) / (1 - abar_now)
left = on_x0_hat * sp.sqrt(abar_now) + on_x_t
print("(10.6) left minus right:", sp.simplify(left - sp.sqrt(a_t)))

# %% [markdown]
# And data with two modes? To judge samples we need a metric. The **Wasserstein distance** W1 between two
# distributions is the smallest mean distance over which probability has to be moved to turn one into the other.
# In one dimension it is easy to compute: sort the samples and average their distances from the exact quantiles
# of the data.
#
# One trick reduces the noise of this metric. Neither the data distribution nor the sampler changes if left and
# right are swapped, so a mirrored sample is as valid as the original. We measure both together; then it no
# longer matters if, by chance, a few more points lie on one side.

# %%
places = torch.linspace(-5, 5, 100_001, dtype=torch.float64)


def F(y):
    """Cumulative distribution function of the data; ndtr is that of N(0, 1)."""
    std = modes.var[0].sqrt()
    return sum(torch.special.ndtr((y - m) / std) for m in modes.mean[:, 0]) / 2


def w1(samples):
    """Wasserstein distance to the two-mode distribution, data units."""
    both = torch.cat([samples, -samples]).flatten().double().sort().values
    quantiles = places[torch.searchsorted(F(places), (torch.arange(len(both)) + 0.5) / len(both))]
    return (both - quantiles).abs().mean().item()


real = [w1(ideal_denoisers.sample(modes, 5000, generator=seeded(i))) for i in range(20)]
print(f"W1 of 5000 real samples, twenty times: {min(real):.4f} to {max(real):.4f}, "
      f"mean {sum(real) / 20:.4f}")

# %% [markdown]
# No sampler that returns 5000 independent samples can be expected to do better. Now compare the sampler
# without noise and the one with noise:

# %%
# claim: E39, E67
own = partial(samplers.sample, schedule, denoise, (5000, 1), sampler=samplers.reverse)
results = {name: own(step=step, generator=seeded(1))
           for name, step in (("means only", mean_only), ("with noise", samplers.ddpm_step))}
results["real samples"] = ideal_denoisers.sample(modes, 5000, generator=seeded(2))
fig, axes = figures.new(1, 3, height=2.5, sharex=True)
for ax, (name, y) in zip(axes, results.items()):
    ax.hist(y[:, 0], bins=80, range=(-2, 2), density=True, color=figures.SKY)
    ax.set(title=name, xlabel="x_0, data units", ylabel="density")
    print(f"{name:>12}: std {y.std():.3f}, within a mode {(y.abs() - y.abs().mean()).std():.3f}, "
          f"W1 {w1(y):.4f}, in |x| < 0.3: {(y.abs() < 0.3).double().mean():.2%}")
figures.show(fig, alt="Means only: two thin spikes near ±0.66. With noise: two modes as in data.")
edge = torch.tensor(0.3, dtype=torch.float64)
print(f"in |x| < 0.3 exactly: data {F(edge) - F(-edge):.2%}, "
      f"pure noise {2 * torch.special.ndtr(edge) - 1:.2%}")

# %% [markdown]
# Without noise there are two thin spikes in the wrong places: the overall standard deviation is 0.661 instead of
# 1, and within a mode it is 0.072 instead of 0.243. With noise both are nearly right (0.997 and 0.238), and W1
# is as small as for 5000 real samples.
#
# The reason in one sentence: **the earlier state $x_s$ has a distribution, and a sampler must draw from it, not
# return its mean.** The noise restores the spread that taking means removes. (Chapter 10b has *another* update
# that adds no noise and yet does not collapse, because it does not go to a mean.)
#
# The last column shows that the sampler avoids regions where there are hardly any data: 23.58 % of pure noise
# lies within 0.3 of the middle, but only 0.24 % of the samples with noise do, as in the data (0.29 %).

# %% [markdown] topics="C161 C165"
# ## What decides the sample?
#
# **Predict.** (a) Sample twice from the same $x_T$ with the same fresh noises $z$. (b) Sample twice from the same
# $x_T$ with different $z$. How alike are the results? (c) Noise data up to $t$ and sample back from there: do you
# recover the original?

# %%
# claim: E121
def ends(x_t, seed, times):
    run = samplers.ddpm(schedule, denoise, x_t, times=times, generator=seeded(seed))
    return samplers.final(run)


def alike(a, b):
    return torch.corrcoef(torch.cat([a, b], dim=1).T)[0, 1].item()


x_T = normal_like(torch.empty(2500, 1), generator=seeded(1))
hundred = schedules.timesteps(1000, 100)
one, same, other = (ends(x_T, seed, hundred) for seed in (2, 2, 3))
print(f"same x_T, same z: equal {bool((one == same).all())}")
print(f"same x_T, different z: correlation {alike(one, other):+.2f}")

# %%
# claim: E107
x_0 = ideal_denoisers.sample(modes, 2500, generator=seeded(4))
for t in (100, 300, 500, 1000):
    x_t = forward.noised(schedule, x_0, t, normal_like(x_0, generator=seeded(5)))
    print(f"noised to t = {t:4} and sampled back: correlation with the original "
          f"{alike(x_0, ends(x_t, 6, range(t, -1, -1))):+.2f}")

# %% [markdown]
# (a) They are equal to the last bit: a sample is a deterministic function of $x_T$ **and all the $z$**, here 99
# further noise vectors (the last step adds none). (b) The start alone determines almost nothing. (c) From
# $t = 100$ you nearly recover the original: the correlation is 0.95. From $t = 1000$ you get something new: the
# correlation is 0.01, no larger than its standard error of 0.02 for independent samples.
#
# **Compared with a GAN.** A generative adversarial network makes an image from one vector in *one* call of its
# network; the ancestral sampler needs $T$ calls. ("A thousand times slower" compares the numbers of calls, not
# the cost of a call.) The vector is a **latent code** of the image: change it a little and the image changes a
# little, so you can interpolate and edit. But nothing in a GAN's training makes individual coordinates stand for
# something such as age or pose; its codes are not **disentangled** by construction. The ancestral sampler's code
# would be $x_T$ together with all the $z$, far larger than the image and therefore of little use. Chapter 10b
# has an answer to both problems: samplers with fewer calls, and a code of the same size as the image.

# %% [markdown]
# ## Two bugs that do not crash
#
# **Noise in the last step.** What happens if you add $\sigma_t z$ at every $t$, including $t = 1$? With
# `var="small"` nothing happens, because $\tilde\beta_1 = 0$. With `var="large"` the finished image gets noise of
# standard deviation $\sqrt{\beta_1}$. How much is that for pixels with 256 gray levels from −1 to 1? And how
# much is it in a chain of only 20 steps? (`schedules.respaced` keeps only some of the times of a schedule and
# renumbers them 0, 1, 2, ….)

# %%
# claim: E103
for steps in (1000, 20):
    short = schedules.respaced(schedule, schedules.timesteps(1000, steps))
    print(f"{steps:4} steps: sqrt(beta_1) = {short.beta[1].sqrt():.3f}, or "
          f"{127.5 * short.beta[1].sqrt():.2f} gray levels")

# %% [markdown]
# With 1000 steps it is about one gray level, hardly visible; with 20 steps it is 21.71 gray levels, visible
# grain.
#
# **The wrong time.** This is an off-by-one error: code that counts from 0 calls the denoiser with $t - 1$
# although the noise in $x_t$ is that of time $t$.
#
# **Predict.** With too small a $t$, the denoiser expects less noise than there is. Do the modes come out too
# wide or too narrow? And does the bug matter more with 1000 steps or with 20?

# %%
def trial(steps, shift):
    """4000 samples from a chain of `steps` steps that calls the denoiser with t + shift."""
    short = schedules.respaced(schedule, schedules.timesteps(1000, steps))
    exact = ideal_denoisers.mixture_denoiser(modes, short)

    def shifted(x_t, t):
        return exact(x_t, (t + shift).clamp(1, steps))

    return samplers.sample(short, shifted, (4000, 1), sampler=large, generator=seeded(1))


print("std within a mode (data: 0.243) and W1, when the denoiser is called with")
print("steps   t               t - 1           t + 1")
for steps in (20, 100, 1000):
    found = [trial(steps, shift) for shift in (0, -1, 1)]
    judged = [f"{(y.abs() - y.abs().mean()).std():.3f}, {w1(y):.4f}" for y in found]
    print(f"{steps:5}   {'   '.join(judged)}")

# %% [markdown]
# They come out too wide: with 100 steps the standard deviation is 0.301 for $t-1$ against 0.255 without the bug,
# because the denoiser leaves some of the noise in. With $t+1$ it removes too much, and the standard deviation is
# 0.204. The bug matters more with few steps. With 1000 steps it nearly hides, with 0.246 and 0.233 on either
# side of 0.240, because neighboring times differ so little; that is why it can go unnoticed. To avoid it, in
# this course row $t$ of a table belongs to time $t$, and row 0 to clean data.

# %% [markdown] topics="C163"
# ## The drift: the third row of the figure
#
# The third row of the figure in [SD15] shows arrows: in our notation, $\mu(x_t, t) - x_t$, the mean of a reverse
# step minus the current state. This difference is called the **drift**. The best estimate of the noise is a
# multiple of the score, $\hat\epsilon = -\sqrt{1-\bar\alpha_t}\;\nabla\log q(x_t)$ (chapter 09). Substitute this
# into (10.5). With $1/\sqrt{\alpha_t} \approx 1 + \beta_t/2$,
#
# $$\mu(x_t, t) - x_t = \frac{x_t + \beta_t\,\nabla\log q(x_t)}{\sqrt{\alpha_t}} - x_t
# \;\approx\; \beta_t\,\Big(\frac{x_t}{2} + \nabla\log q(x_t)\Big). \tag{10.7}$$

# %%
# eq: 10.7
# claim: E76
x = torch.tensor([[-1.0], [-0.2], [0.2], [1.0], [2.0]], dtype=torch.float64, requires_grad=True)
ideal_denoisers.log_density(modes, schedule, x, 300).sum().backward()
score, place = x.grad, x.detach()
drift = samplers.ddpm_step(schedule, place, denoise(place, 300), 300, 299).mean - place
middle = (place + schedule.beta[300] * score) / schedule.alpha[300].sqrt() - place
short = schedule.beta[300] * (place / 2 + score)
print("x_t:  ", [round(v, 1) for v in place[:, 0].tolist()])
print("drift:", [round(v, 5) for v in drift[:, 0].tolist()])
print(f"equal to the middle of (10.7) within 1e-12: {bool((drift - middle).abs().max() < 1e-12)}")
print(f"largest difference from its right side: {(drift - short).abs().max():.1e}")

# %% [markdown]
# **Predict.** For the Swiss roll, where do the arrows point at $t = 20$, at $t = 200$ and at $t = 1000$? (All
# arrows are drawn with the same length; their true mean length is in the titles.)

# %%
line = torch.linspace(-1.7, 1.7, 13)
mesh = torch.cartesian_prod(line, line)
fig, axes = figures.new(1, 3, width=8.4, height=3.3)
for ax, t in zip(axes, (20, 200, 1000)):
    arrow = samplers.ddpm_step(schedule, mesh, denoise_roll(mesh, t), t, t - 1).mean - mesh
    length = arrow.norm(dim=1, keepdim=True)
    ax.quiver(*mesh.T, *(arrow / length).T, color=figures.RED, width=0.006, scale=17)
    ax.scatter(*forth[t].T, s=3, color=figures.SKY, linewidths=0, zorder=3)
    ax.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), aspect="equal", xticks=[], yticks=[])
    ax.set_title(f"t = {t}, mean length {length.mean():.4f}")
    inward = -(arrow * mesh).sum() / (mesh**2).sum()
    print(f"t = {t:4}: mean length {length.mean():.4f}; inward by {inward:.4f} x_t on average")
figures.show(fig, alt="At t = 20 arrows point to the nearest arm of the spiral; at 1000, inward.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# At $t = 1000$ they all point to the center: there $q(x_t)$ is nearly $N(0, I)$, its score is nearly $-x_t$, and
# (10.7) gives $-\tfrac12\beta_t x_t$. Half of $\beta_{1000} = 0.02$ is 0.01; the cell prints 0.0101. At
# $t = 200$ they still point mostly inward. At $t = 20$ each arrow points to the nearest arm of the spiral.
#
# </details>
#
# Why, then, does the cloud of points not shrink at $t = 1000$? Because each step also *adds* noise, which
# expands it by just as much. Without the noise only the drift is left, and the samples collapse, as you saw
# above. A figure of the drift shows only half of what a step does.

# %% [markdown] topics="C166"
# ## Detour · Is it MCMC?
#
# Sampling simulates a Markov chain with random numbers, so "Markov chain" and "Monte Carlo" both apply. Is it
# MCMC?

# %% [markdown]
# **Markov chain Monte Carlo (MCMC)** is the name of a particular method: repeat a step that leaves the target
# distribution *unchanged* until the samples come from that distribution. **Predict.** Take real samples of the
# data and apply the reverse step of $t = 500$ to them, once and 100 times. Are they still distributed like the
# data?

# %%
# claim: E68
y, rng = ideal_denoisers.sample(modes, 5000, generator=seeded(2)), seeded(3)
print(f"real samples: W1 {w1(y):.4f}")
for count in range(1, 101):
    p = samplers.ddpm_step(schedule, y, denoise(y, 500), 500, 499)
    y = draw(p, normal_like(y, generator=rng))
    if count in (1, 100):
        print(f"the step of t = 500, {count:3} times: W1 {w1(y):.4f}")

# %% [markdown]
# No: one step takes W1 from 0.0032 to 0.0161, and a hundred steps take it to 0.3363. Ancestral sampling is not
# MCMC. A step at $t$ turns the distribution of $x_t$ into *another* one, that of $x_{t-1}$, and is used once, at
# its place in the chain. (Some samplers insert true MCMC steps between those of the chain, which leave the
# distribution at a given $t$ approximately unchanged; they are called Langevin correctors [Song21b].)

# %% [markdown]
# ## Popular claims, checked
#
# - **One step subtracts a small part of the predicted noise**: 0.0200 times $\hat\epsilon$ at $t = 999$. Then it
#   adds fresh noise of standard deviation 0.1414. "Predict the noise and subtract it from the image" leaves out
#   both.
# - **The fresh noise restores the spread of the distribution**: without it the standard deviation within a mode is
#   0.072 instead of 0.243. It is not there "for variety".
# - **$\sigma_t$ is the square root of the variance**: 0.1414 at $t = 1000$, not 0.0200. In code, write
#   `mean + var.sqrt() * z`.

# %% [markdown]
# ## Recap
#
# The best estimate of the clean data is a conditional mean, and for a data set or a mixture of Gaussians it is a
# short formula. Put it in place of $x_0$ in the posterior, draw a sample and repeat: that is ancestral sampling,
# Algorithm 2 of DDPM. In each step the drift pulls inward or toward the data and fresh noise pushes outward.
# Both are needed, except in the last step, which adds no noise. Two bugs that do not crash, noise in the last
# step and a time that is off by one, hide in long chains and show in short ones.
#
# **One formula to keep**
#
# $$p(x_s \mid x_t) = q\big(x_s \mid x_t,\; x_0 = \hat x_0(x_t, t)\big)$$
#
# **Exercises:** 10.1 `sampling.dataset_denoiser` · 10.2 `sampling.ancestral_step`
#
# **To think about.** The mean of (10.4) is right for any two times $t > s$. What, then, goes wrong if you jump
# from $T$ to 0 in a single step?
#
# **Before:** [09 · Predictions](09_predictions.ipynb) · **Next:**
# [10b · How few steps will do?](10b_fewer_steps.ipynb)
#
# **Read on:** [Ho20] Sec. 3.2; [Song21b] on correctors; [SD15] Fig. 1.
