# %% [markdown]
# # 10b · How few steps will do?
#
# Algorithm 2 calls the denoiser a thousand times for one image, and in practice each call runs a large network.
# Can a sampler manage with a hundred calls, or with ten? The denoiser is still perfect in this chapter, so any
# loss of quality from taking fewer steps is due to the sampler. On the way you will meet samplers that add no
# noise at all after the first draw.
#
# **After this chapter you can**
#
# - say why a single step cannot work, and what each further step adds,
# - derive DDIM and choose how much fresh noise a sampler uses,
# - run a deterministic sampler in both directions, and say what that is good for,
# - compare samplers fairly: by denoiser calls, with a baseline and error bars,
# - say what samples the ideal denoiser of a finite data set produces.
#
# **You need** [10 · Sampling without learning](10_sampling_without_learning.ipynb) without "Two bugs" and "The
# drift", and v from [09 · Predictions](09_predictions.ipynb).
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 20
# seconds.
#
# **For what comes next you need:** nothing for [chapter 11](11_learning_to_denoise.ipynb); DDIM, the
# probability-flow ODE and its solvers for [chapter 15](15_fast_and_guided.ipynb); "What a perfect denoiser
# cannot do" for [14b](14b_sample_quality.ipynb).
#
# **In the papers:** [Song21a] (DDIM); [Song21b, Sec. 4.3] (the probability-flow ODE); [Lu22] (DPM-Solver++).
#
# ## Why not jump to the estimate?
#
# The denoiser is perfect, so why call it a thousand times? Why not go straight from $x_T$ to $\hat x_0$? Nothing
# forbids it: (10.4) is defined for any two times $t > s$. **Predict.** The data have two modes, at −0.97 and
# 0.97. What do 10,000 samples look like if you take one step from $T$ to 0? And with two steps?

# %%
import math
from functools import partial

import sympy as sp
import torch

from ddpm_lab import ideal_denoisers, predictions, samplers, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.datasets import digits, swiss_roll
from ddpm_lab.gaussians import Gaussian, normal_like, seeded
from ddpm_lab.schedules import coef, row

schedule, modes = schedules.linear(), ideal_denoisers.two_modes()
denoise = ideal_denoisers.mixture_denoiser(modes, schedule)
places = torch.linspace(-5, 5, 100_001, dtype=torch.float64)
density = ideal_denoisers.log_density(modes, schedule, places[:, None], 0).exp()


def F(y):
    """Cumulative distribution function of the data; ndtr is that of N(0, 1)."""
    return sum(torch.special.ndtr((y - m) / modes.var[0].sqrt()) for m in modes.mean[:, 0]) / 2


def w1(samples):
    """Wasserstein distance to the two-mode distribution, as in chapter 10."""
    both = torch.cat([samples, -samples]).flatten().double().sort().values
    quantiles = places[torch.searchsorted(F(places), (torch.arange(len(both)) + 0.5) / len(both))]
    return (both - quantiles).abs().mean().item()


# %%
# claim: E117
large = partial(samplers.ddpm, var="large")
fig, axes = figures.new(1, 5, width=8.4, height=2.2, sharey=True)
for ax, steps in zip(axes, (1, 2, 5, 20, 100)):
    y = samplers.sample(schedule, denoise, (10_000, 1), sampler=large, generator=seeded(1),
                        times=schedules.timesteps(1000, steps))
    ax.hist(y[:, 0], bins=80, range=(-2, 2), density=True, color=figures.SKY)
    ax.plot(places, density, color=figures.RED, linewidth=1)
    ax.set(title=f"{steps} step" + "s" * (steps > 1), xlabel="x_0", xlim=(-2, 2), ylim=(0, 1.5))
    print(f"{steps:3} steps: farthest out {y.abs().max():.3f}, std {y.std():.3f}, W1 {w1(y):.3f}")
axes[0].set_ylabel("density")
figures.show(fig, alt="One step: a spike at 0, where no data are. With more steps, the two modes.")

# %% [markdown] topics="C170"
# One step returns $E[x_0 \mid x_T]$, the average over all data that $x_T$ could have come from: all 10,000
# samples lie within 0.027 of 0, where there are hardly any data. **In pure noise nothing is decided yet, and a
# mean cannot decide.** Each step commits the sample a little more, and so the next estimate is sharper. Two
# steps give W1 0.741, five 0.214, twenty 0.033, a hundred 0.012. (The red curve is the density of the data.)
#
# A sampler with fewer steps visits only some of the times of the chain. How these are chosen is called the
# **timestep spacing**; a schedule that keeps only these times is called *respaced*, and their list a
# *sub-sequence*.
#
# ### Exercise 10.3 · Evenly spaced timesteps
#
# Return a list of times that falls from $T$ to 0 in `steps` steps, spaced as evenly as whole numbers allow. (Any
# rounding will do if the step sizes differ by at most one.)

# %% tags=["exercise"]
def my_timesteps(T, steps):
    """Return [T, …, 0], a list of ints, for `steps` even steps."""
    ### BEGIN SOLUTION
    return [round(T * (steps - k) / steps) for k in range(steps + 1)]
    ### END SOLUTION


timesteps = check("sampling.timesteps", my_timesteps)
print(timesteps(1000, 7))

# %% [markdown] topics="C162"
# ## Detour · Small variance, large variance, or first one and then the other?
#
# With few steps the two variances of Algorithm 2 no longer give the same samples. This detour has an exercise
# and tests a common tip.

# %% [markdown]
# `var="small"` is right if the data are a single point, `var="large"` if they are $N(0, I)$. How much does the
# choice matter? For $N(0, 1)$ data everything stays Gaussian with mean 0, so you only need to track the variance.
# [Chapter 07b](07b_reverse_variance.ipynb) did so, and found that with few steps the small variance makes samples too
# narrow. Its function is yours to write; then two experiments go beyond it.
#
# #### Exercise 10.4 · Follow the variance
#
# The data are $N(0, 1)$, the ideal estimate is $\hat x_0 = \sqrt{\bar\alpha_t}\,x_t$, and the steps are those of
# `samplers.ddpm_step` with its default, the small variance. At `times[0]` the variance of $x$ is 1. What is it
# at `times[-1]`? (Each step multiplies $x_t$ by a factor and adds independent noise. Call `samplers.ddpm_step`
# with $x_t = 1$ to read off both.)

# %% tags=["exercise"]
def my_follow_variance(schedule, times):
    """Return the variance of x at times[-1], a float."""
    ### BEGIN SOLUTION
    var, unit = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times, times[1:]):
        p = samplers.ddpm_step(schedule, unit, schedule.signal[t] * unit, t, s)
        var = p.mean.item() ** 2 * var + p.var.item()
    return var
    ### END SOLUTION


follow_variance = check("sampling.follow_variance", my_follow_variance)

# %%
std = math.sqrt(follow_variance(schedule, timesteps(1000, 10)))
print(f"ten steps with the small variance: std {std:.3f}, as in chapter 07b")

# %% [markdown]
# The spiral from the start of chapter 10, sampled in 100 steps, shows the same effect:

# %%
n = 400
centers = swiss_roll(n, generator=seeded(10), std=0).double()
narrow = torch.full((n,), 0.03**2, dtype=torch.float64)
roll = ideal_denoisers.Mixture(torch.full((n,), 1 / n, dtype=torch.float64), centers, narrow)
denoise_roll = ideal_denoisers.mixture_denoiser(roll, schedule)
x_T = normal_like(torch.empty(600, 2), generator=seeded(3))
for var in ("small", "large"):
    run = samplers.ddpm(schedule, denoise_roll, x_T, var=var, times=timesteps(1000, 100),
                        generator=seeded(4))
    far = torch.cdist(samplers.final(run).double(), centers).amin(1).mean()
    print(f"{var} variance: mean distance to the nearest center {far:.3f}")

# %% [markdown]
# For real data this distance is 0.028. The small variance makes the spiral too thin, the large variance only
# slightly.
#
# A common tip is to sample with the large variance first and with the small one in the last steps. Does it help?
# Here are 100 steps for the two modes (the data have standard deviation 0.243 within a mode):

# %%
def switched(schedule, x_t, x0_hat, t, s, last):
    """The step of `ddpm`: large variance, but small from time `last` on."""
    return samplers.ddpm_step(schedule, x_t, x0_hat, t, s, var="small" if t <= last else "large")


for name, last in (("large", 0), ("small from t = 50 on", 50), ("small", 1000)):
    y = samplers.sample(schedule, denoise, (5000, 1), sampler=samplers.reverse, generator=seeded(1),
                        step=partial(switched, last=last), times=timesteps(1000, 100))
    print(f"{name:>20}: std within a mode {(y.abs() - y.abs().mean()).std():.3f}, W1 {w1(y):.4f}")

# %% [markdown]
# On these data it helps: the standard deviation within a mode is 0.238, between 0.256 and 0.223, and W1 is the
# smallest of the three. At large $t$ the two variances are almost equal; in the last steps the choice determines
# how sharp the samples are. Where to switch depends on how much detail the data have at that noise level, so the
# tip is worth a try, but it is not a rule. (A second tip is to space the steps unevenly, with more of them where
# the estimate changes most.)

# %% [markdown] topics="C167 C168 C169 C172"
# ## DDIM: the same marginals with less fresh noise
#
# Training (chapter 11) only uses pairs $(x_0, x_t)$: one time $t$, never two times together. So all that a
# trained network can know about the chain is the marginals $q(x_t \mid x_0)$, the distribution at each time
# separately. Any other process with the same marginals can use the same denoiser. Let us look for one.
#
# Suppose you stand at $x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon$ and know $x_0$, so you
# know $\epsilon$ too. For an earlier time $s$, take the right amount of data, keep some of the *old* noise
# $\epsilon$, and add *fresh* noise $\sqrt v\,z$ of variance $v$ (not the prediction target v):
#
# $$x_s = \sqrt{\bar\alpha_s}\;x_0 + \sqrt{1-\bar\alpha_s - v}\;\epsilon + \sqrt{v}\;z,
# \qquad 0 \le v \le 1 - \bar\alpha_s. \tag{10.8}$$
#
# Given $x_0$, the noises $\epsilon$ and $z$ are independent, so their variances add:
#
# $$\operatorname{Var}(x_s \mid x_0) = (1-\bar\alpha_s - v) + v = 1-\bar\alpha_s,
# \qquad E[x_s \mid x_0] = \sqrt{\bar\alpha_s}\;x_0. \tag{10.9}$$
#
# So $x_s$ has the distribution $q(x_s \mid x_0)$ again, **for every $v$**: if the marginal is right at $t$, it
# is right at $s$. This is the **DDIM** step (denoising diffusion implicit model, [Song21a]). It specifies the
# variance of the fresh noise relative to the posterior's variance:
#
# $$v = \eta^2\,\tilde\beta_{ts}, \qquad
# \tilde\beta_{ts} = \frac{1-\bar\alpha_s}{1-\bar\alpha_t}\Big(1 - \frac{\bar\alpha_t}{\bar\alpha_s}\Big),
# \qquad 0 \le \eta \le 1. \tag{10.10}$$
#
# $\eta = 1$ is ancestral sampling with the small variance; $\eta = 0$ uses no fresh noise at all: a
# **deterministic sampler**, which you ran on digits in [chapter 00](00_start_here.ipynb). It does not collapse
# as the sampler without noise did in chapter 10. Going to a mean *drops* the term $\sqrt v\,z$, so after each
# step a variance of $v$ is missing. DDIM *replaces* it: with $v = 0$ the factor of the old noise grows to
# $\sqrt{1-\bar\alpha_s}$, and (10.9) still holds.
#
# **Where the error comes from.** (10.9) is exact for the true $x_0$; a sampler uses $\hat x_0$ and
# $\hat\epsilon$. Given $x_t$, the true $x_0$ varies around its mean $\hat x_0$, and a step loses this variation.
# With (10.10), written in terms of $x_t$ and $x_0$, a small step gives $x_0$ a weight proportional to the size
# of the step, so the lost variance is proportional to the square of the size. More and smaller steps therefore
# lose less in total. That is why the number of steps matters at all.
#
# ### Exercise 10.5 · A DDIM step
#
# Return the distribution of $x_s$ for a given $\hat x_0$, as a `Gaussian(mean, var)`. First solve
# $x_t = \sqrt{\bar\alpha_t}\,\hat x_0 + \sqrt{1-\bar\alpha_t}\,\hat\epsilon$ for $\hat\epsilon$. The times `t`
# and `s` may be batches (use `row` and `coef`). Careful: the DDIM paper writes $\alpha_t$ for our
# $\bar\alpha_t$.

# %% tags=["exercise"]
def my_ddim_step(schedule, x_t, x0_hat, t, s, eta):
    """Return the Gaussian distribution of x_s."""
    ### BEGIN SOLUTION
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    eps_hat = (x_t - coef(abar_t.sqrt(), x_t) * x0_hat) / coef((1 - abar_t).sqrt(), x_t)
    fresh = eta**2 * (1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s)
    old = coef((1 - abar_s - fresh).sqrt(), x_t) * eps_hat
    return Gaussian(coef(abar_s.sqrt(), x_t) * x0_hat + old, coef(fresh, x_t))
    ### END SOLUTION


ddim_step = check("sampling.ddim_step", my_ddim_step)

# %%
# eq: 10.8, 10.9
unit, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
worst = 0.0
for t, s in ((2, 1), (500, 499), (1000, 600), (40, 0)):
    for eta in (0.0, 0.5, 1.0):
        # The mean is (factor) x0_hat + kept x_t. With x0_hat = 0 and x_t = 1, kept is left.
        kept = ddim_step(schedule, unit, zero, t, s, eta).mean.item()
        p = ddim_step(schedule, schedule.signal[t] * unit, unit, t, s, eta)  # x_0 = 1, eps = 0
        var = kept**2 * (1 - schedule.abar[t]) + p.var.item()  # of q(x_t | x_0), carried to s
        worst = max(worst, abs(var - (1 - schedule.abar[s])), abs(p.mean - schedule.signal[s]))
print(f"(10.9) holds for all three eta within 1e-14: {bool(worst < 1e-14)}")

# %%
# eq: 10.10
# claim: E74
x_t, x0_hat = (normal_like(torch.empty(9, 1).double(), generator=seeded(i)) for i in (1, 2))
found = {"DDIM, eta = 1": ddim_step(schedule, x_t, x0_hat, 500, 480, 1.0),
         "DDPM, small": samplers.ddpm_step(schedule, x_t, x0_hat, 500, 480),
         "DDPM, large": samplers.ddpm_step(schedule, x_t, x0_hat, 500, 480, var="large")}
for name, p in found.items():
    away = (p.mean - found["DDIM, eta = 1"].mean).abs().max()
    print(f"500 → 480, {name:>13}: means equal within 1e-14: {bool(away < 1e-14)}, "
          f"variance {p.var.item():.4f}")

# %% [markdown]
# So "$\eta = 1$ is DDPM" means DDPM **with the small variance and the same timesteps**: here its variance is
# 0.1763, against 0.1796 for the large one.
#
# **Predict.** Three panels show the paths of samples that start from the same seven places, with $\eta = 0$, 0.5 and 1.
# Which panel has smooth paths? Can two of those cross?

# %%
x_T = normal_like(torch.empty(2000, 1), generator=seeded(11))
# the samples that start nearest to these seven places
seven = [int((x_T - place).abs().argmin()) for place in (-1.8, -1.2, -0.6, 0.1, 0.7, 1.3, 1.9)]
fig, axes = figures.new(1, 3, width=8.4, height=2.7, sharey=True)
for ax, eta in zip(axes, (0.0, 0.5, 1.0)):
    run = samplers.ddim(schedule, denoise, x_T, eta=eta, times=timesteps(1000, 250),
                        generator=seeded(12))
    path = {1000: x_T} | {step.s: step.x_s for step in run}
    for i, color in zip(seven, figures.COLORS):
        ax.plot(list(path), [x[i] for x in path.values()], color=color, linewidth=0.9)
    ax.set(title=f"eta = {eta:g}", xlabel="time t, steps", xlim=(1000, 0))
    stay = ((x_T > 0) == (path[0] > 0)).double().mean()
    print(f"eta = {eta:g}: {stay:.0%} end on the side they started from; W1 {w1(path[0]):.4f}")
axes[0].set_ylabel("x_t, data units")
figures.show(fig, alt="Paths to two modes: smooth for eta = 0, rougher for 0.5, jagged for 1.")

# %% [markdown]
# All three end close to the right distribution, by different paths. With $\eta = 0$ the paths are smooth and
# never cross, so each sample stays on its side. (In the limit of many steps they solve an ODE, as shown below. Two
# solutions that met at the same place and time would have the same future and the same past, so in one dimension
# solutions keep their order.) With $\eta = 1$ the start determines little.
#
# ### What allows few steps?
#
# DDIM's forward process is not a Markov chain (see the detour below). Is that why few steps are possible?
# Compare it with DDPM on the same timesteps.

# %%
# claim: E16, E75
three = {"DDPM, small": samplers.ddpm, "DDPM, large": large, "DDIM": samplers.ddim}


def four_runs(sampler, steps):
    """W1 of four runs of 5000 samples."""
    options = {"sampler": sampler, "times": timesteps(1000, steps)}
    return torch.tensor([w1(samplers.sample(schedule, denoise, (5000, 1), **options,
                                            generator=seeded(i))) for i in range(4)])


print("W1 of four runs:", *[f"{name:>17}" for name in three])
for steps in (5, 10, 20, 100):
    found = [four_runs(sampler, steps) for sampler in three.values()]
    print(f"{steps:9} steps:", *[f"  {v.mean():.4f} ± {v.std():.4f}" for v in found])

# %% [markdown]
# DDPM can take few steps too; what allows them is (10.4), which is defined for any $s < t$. DDIM changes the
# *error* and the *randomness*: on this distribution its error lies between those of the two variances at 5, 10
# and 20 steps. That ranking holds for this toy example only: for networks and images, [Song21a, Table 1] reports
# that DDIM is best with few steps and the large variance worst. Nothing here requires new training: DDIM is
# another way to sample, not another model. And a perfect denoiser, hence a perfect score, does not guarantee
# good samples: with 5 steps, W1 is above 0.2 for all three.

# %% [markdown]
# ### Detour · Which process is not Markov, and three pitfalls of DDIM
#
# This detour derives the forward process behind DDIM, shows two mistakes in its variance that are easy to miss,
# and explains why not every $v$ works.

# %% [markdown]
# **Which process?** DDIM's *reverse* process is a Markov chain for every $\eta$: each step depends on $x_t$
# alone. For the forward process, apply Bayes' rule to get the distribution of $x_t$ given $x_s$ and $x_0$. Its
# mean is $\sqrt{\bar\alpha_t}\,x_0 + g\,(x_s - \sqrt{\bar\alpha_s}\,x_0)$ with
# $g = \sqrt{1-\bar\alpha_t}\sqrt{1-\bar\alpha_s-v}\,/\,(1-\bar\alpha_s)$, so the factor of $x_0$ is
# $\sqrt{\bar\alpha_t} - g\sqrt{\bar\alpha_s}$. The forward process is Markov only if it is 0.

# %%
# claim: E105
abar_t, abar_s = schedule.abar[500], schedule.abar[499]
for eta in (1.0, 0.5, 0.0):
    v = eta**2 * schedule.posterior_var[500]
    gain = (1 - abar_t).sqrt() * (1 - abar_s - v).sqrt() / (1 - abar_s)
    on_x_0 = round((abar_t.sqrt() - gain * abar_s.sqrt()).item(), 5) + 0.0  # no -0.0
    print(f"499 → 500, eta = {eta:g}: factor of x_0 {on_x_0:.5f}")

# %% [markdown]
# It is 0 for $\eta = 1$ only; otherwise $x_t$ depends on $x_0$ directly, not only through $x_s$.
#
# **Two mistakes in the variance.** First, $v$ is a variance, so it contains $\eta^2$, not $\eta$. Second, the
# $\alpha$ in a formula of [Song21a] is our $\bar\alpha$:

# %%
# claim: E73
tilde = schedule.posterior_var[500].item()
v = samplers.ddim_step(schedule, unit, unit, 500, 499, eta=0.5).var.item()
print(f"500 → 499, eta = 0.5: v = {v:.6f}; eta² tilde beta {0.25 * tilde:.6f}, "
      f"eta tilde beta {0.5 * tilde:.6f}")
a_s, a_t = schedule.alpha[499], schedule.alpha[500]
print(f"tilde beta {tilde:.3e}; with alpha for abar {(1 - a_s) / (1 - a_t) * (1 - a_t / a_s):.3e}")

# %% [markdown]
# The first mistake makes the variance twice as large at $\eta = 0.5$ (and cannot be seen at $\eta = 0$ and 1,
# the values that people test). The second makes it 500 times too small.
#
# **Not every $v$ works with an estimate.** As the step gets smaller, $v$ has to go to 0, as $\tilde\beta_{ts}$
# does. The largest value that (10.8) allows, $v = 1-\bar\alpha_s$, forgets all of the old noise; then the weight
# of $x_0$ is $\sqrt{\bar\alpha_s}$, however small the step, and the lost variation adds up. For $N(0, 1)$ data
# and all steps of a schedule:

# %%
for fine in (schedule, schedules.linear(T=10_000, beta_1=1e-5, beta_T=0.002)):
    none = all_fresh = 1.0  # the variance at T, for v = 0 and for v = 1 - abar_s
    for t in range(fine.T, 0, -1):
        none *= ddim_step(fine, unit, fine.signal[t] * unit, t, t - 1, 0.0).mean.item() ** 2
        all_fresh = (fine.abar[t - 1] * fine.abar[t] * all_fresh + 1 - fine.abar[t - 1]).item()
    print(f"{fine.T:5} steps: std with v = 0 {none**0.5:.3f}, "
          f"with v = 1 - abar_s {all_fresh**0.5:.3f} (data 1)")

# %% [markdown]
# With only fresh noise, the standard deviation is 0.703 instead of 1, and ten times as many steps do not help:
# it is 0.706.

# %% [markdown] topics="C171"
# ## The probability-flow ODE
#
# Take $\eta = 0$ and let the number of steps grow. What does the sampler become? Write the two factors in terms
# of an angle, $\cos\varphi_t = \sqrt{\bar\alpha_t}$ and $\sin\varphi_t = \sqrt{1-\bar\alpha_t}$: $\varphi = 0$
# means clean data, and at $T$ the angle is almost 90°. With
# $\hat v = \cos\varphi_t\,\hat\epsilon - \sin\varphi_t\,\hat x_0$ from chapter 09, a DDIM step is a
# **rotation**:
#
# $$x_s = \cos\varphi_s\;\hat x_0 + \sin\varphi_s\;\hat\epsilon
# = \cos(\varphi_s - \varphi_t)\;x_t + \sin(\varphi_s - \varphi_t)\;\hat v. \tag{10.11}$$
#
# For a small angle the cosine is close to 1 and the sine is close to the angle, so in the limit of small steps
# we get an ordinary differential equation (ODE), the **probability-flow ODE** [Song21b]:
#
# $$\frac{dx}{d\varphi} = \hat v(x, \varphi). \tag{10.12}$$
#
# It contains no noise, and yet its solutions have the same marginals $q(x_t)$ at all times [Song21b]. For
# $N(0, V)$ data the solution is known in closed form. All $q(x_t)$ are normal with variance
# $V_t = \bar\alpha_t V + 1-\bar\alpha_t$, and the flow (the map from $x_t$ to $x_s$ that the ODE defines)
# stretches by the ratio of the standard deviations:
#
# $$x_s = \sqrt{V_s / V_t}\;\,x_t. \tag{10.13}$$

# %%
# eq: 10.11, 10.12, 10.13
# letters instead of numbers: each print is a difference of two sides, and 0 is a proof
p, r, V, x0, e = sp.symbols("phi_t phi_s V x_0 epsilon", positive=True)
x_t_, v_ = sp.cos(p) * x0 + sp.sin(p) * e, sp.cos(p) * e - sp.sin(p) * x0
move = sp.cos(r) * x0 + sp.sin(r) * e
print("(10.11):", sp.simplify(sp.expand_trig(sp.cos(r - p) * x_t_ + sp.sin(r - p) * v_ - move)))
print("(10.12):", sp.simplify(sp.diff(move, r).subs(r, p) - v_))
V_p = sp.cos(p) ** 2 * V + sp.sin(p) ** 2  # variance of x_t
x_p = sp.sqrt(V_p)  # the flow that starts at sqrt(V), by (10.13)
best_x0 = sp.cos(p) * V / V_p * x_p  # the best estimate of x_0 there
best_eps = (x_p - sp.cos(p) * best_x0) / sp.sin(p)
slope = sp.cos(p) * best_eps - sp.sin(p) * best_x0
print("(10.13) solves (10.12):", sp.simplify(sp.diff(x_p, p) - slope) == 0)

# %% [markdown]
# An ODE can be solved in **both directions**. From $T$ to 0 it turns noise into data. From 0 to $T$ it turns
# each data point into a latent code; this is called **DDIM inversion**, or encoding.
#
# ### Exercise 10.6 · Encode
#
# Follow (10.11), first form, along rising `times` such as `[0, 10, 20, …, 1000]`. At each time call
# `denoise(x, t)` with `t` a tensor of shape `(B,)`, solve for $\hat\epsilon$, and combine the two for the next
# time. The first step, from $t = 0$, is special. Clean data are their own estimate, $\hat x_0 = x_0$, and
# contain no noise to solve for. So look ahead for $\hat\epsilon$: call the denoiser at $t = 1$ with
# $\sqrt{\bar\alpha_1}\,x_0$ in place of $x_1$, and solve for $\hat\epsilon$ there.
#
# <details><summary>Hint</summary>
#
# `torch.full((len(x),), t)` is the batch of times. The formula is the same in both directions; only the order of
# the times differs.
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
# **Predict.** You encode 1000 real samples of the two-mode distribution. How are the codes distributed? And if
# you encode and decode with 20, 100 or 1000 steps, how well do you recover the data?

# %%
# claim: E21
x_0 = ideal_denoisers.sample(modes, 1000, generator=seeded(13)).double()
upward = {n: timesteps(1000, n)[::-1] for n in (20, 100, 1000)}
codes = {n: encode(schedule, denoise, x_0, times) for n, times in upward.items()}
for n, times in upward.items():
    down = samplers.final(samplers.probability_flow_ode(schedule, denoise, codes[n],
                                                        times=times[::-1], order=1))
    miss = (down - x_0).square().mean().sqrt()
    print(f"{n:4} steps: codes have std {codes[n].std():.3f}; there and back the root mean square "
          f"error is {miss:.4f}")

# %% [markdown]
# With many steps the codes have the standard deviation of standard normal samples, up to sampling error, and
# with 1000 steps the error of the round trip is 0.0023. So diffusion does have a latent code as small as the image, if you
# sample without fresh noise. It lets you **encode** real data, **interpolate** between two codes (a detour near the end),
# and **reproduce** a sample from its starting noise alone: you can keep the noise fixed and compare, for example,
# different numbers of steps.

# %% [markdown]
# ### Detour · Which code belongs to which data point?
#
# In one dimension the exact codes are known.

# %% [markdown]
# In one dimension the flow cannot change the order of points, and it carries the distribution of the data to that of
# the noise, almost exactly $N(0, 1)$. So it must carry quantiles to quantiles: with $F$ the cumulative
# distribution function of the data and $\Phi$ that of $N(0, 1)$,
#
# $$\Phi(x_T) = F(x_0). \tag{10.14}$$

# %%
# eq: 10.14
for n, code in codes.items():
    error = (torch.special.ndtr(code) - F(x_0)).abs().max()
    print(f"{n:4} steps: error in (10.14) up to {error:.4f}")
fig, ax = figures.new(width=5, height=3)
y = torch.linspace(-1.7, 1.7, 400, dtype=torch.float64)
ax.plot(y, torch.special.ndtri(F(y)), color=figures.RED, label="exact, (10.14)")
ax.scatter(x_0, codes[1000], s=5, color=figures.BLUE, label="1000 codes", zorder=3)
ax.set(xlabel="x_0, data units", ylabel="code x_T")
ax.legend(fontsize=9)
figures.show(fig, alt="Codes against data: a rising curve, flat between the two modes.")
print(f"largest distance of a code from the curve: "
      f"{(codes[1000] - torch.special.ndtri(F(x_0))).abs().max():.3f}")

# %% [markdown]
# ## Better ODE solvers
#
# With 20 steps the error of the round trip was 0.1036. Like Euler's method, (10.11) keeps its estimate fixed
# during the whole step. So the error of one step is of second order in the step size, and the error of a whole
# run, the sum over many steps, is of **first order**: half the step size, half the error. There are two
# remedies, both of **second order**: half the step size, a quarter of the error.
#
# **Heun's method** evaluates the slope again at the point where the step of (10.11) lands, and uses the mean of
# both slopes. With $\hat v_t$ the slope at $x_t$ and $\hat v_s$ the slope at that point,
#
# $$x_s = x_t + \tan\frac{\varphi_s - \varphi_t}{2}\;\big(\hat v_t + \hat v_s\big). \tag{10.15}$$
#
# (For small steps the tangent is close to half the angle; the tangent makes the step exact if the estimate does
# not change.) It costs two denoiser calls per step: `probability_flow_ode(…, order=2)`.
#
# **DPM-Solver++(2M)** [Lu22] remembers the estimate of the previous step, at time $r > t$, and extrapolates.
# This makes it a **multistep method**; it costs one call per step (`dpmpp_2m`, below DPM++(2M)). With
# $\lambda = \log(\sqrt{\bar\alpha}/\sqrt{1-\bar\alpha})$, half the log-SNR of chapter 06,
#
# $$x_s = \frac{\sqrt{1-\bar\alpha_s}}{\sqrt{1-\bar\alpha_t}}\,x_t + \sqrt{\bar\alpha_s}\,\big(1 - e^{-h}\big)\,D, \quad
# D = \hat x_0^{(t)} + \frac{h}{2h'}\big(\hat x_0^{(t)} - \hat x_0^{(r)}\big), \quad
# h = \lambda_s - \lambda_t,\; h' = \lambda_t - \lambda_r. \tag{10.16}$$
#
# With $D = \hat x_0^{(t)}$, as in its first step (no previous estimate) and its last ($\lambda$ is infinite at
# $t = 0$), it is DDIM.

# %%
# eq: 10.15, 10.16
ddim_run, heun_run = (partial(samplers.probability_flow_ode, order=order) for order in (1, 2))


def slope(x, t):
    return predictions.convert(schedule, denoise(x, t), "x0", x, t).v


r, t, s = 550, 500, 450
phi, lam = torch.atan2(schedule.noise, schedule.signal), (schedule.signal / schedule.noise).log()
x_r = normal_like(torch.empty(5, 1, dtype=torch.float64), generator=seeded(1))
x_t, landed = (step.x_s for step in ddim_run(schedule, denoise, x_r, times=[r, t, s]))
x_s = x_t + torch.tan((phi[s] - phi[t]) / 2) * (slope(x_t, t) + slope(landed, s))
far = x_s - samplers.final(heun_run(schedule, denoise, x_t, times=[t, s]))
print(f"(10.15) and the package differ by less than 1e-14: {bool(far.abs().max() < 1e-14)}")
now, h, h_before = denoise(x_t, t), lam[s] - lam[t], lam[t] - lam[r]
D = now + h / (2 * h_before) * (now - denoise(x_r, r))
x_s = schedule.noise[s] / schedule.noise[t] * x_t + schedule.signal[s] * (1 - (-h).exp()) * D
far = x_s - samplers.final(samplers.dpmpp_2m(schedule, denoise, x_r, times=[r, t, s]))
print(f"(10.16) and the package differ by less than 1e-14: {bool(far.abs().max() < 1e-14)}")

# %% [markdown]
# Formula (10.13) gives an exact solution against which to measure the solvers. **Predict.** If you take sixteen
# times as many steps, by what factor does the error fall at order 1, and at order 2?

# %%
bell = ideal_denoisers.circle_mixture(1, radius=0.0, std=0.5)  # N(0, V) with V = 0.25
denoise_bell = ideal_denoisers.mixture_denoiser(bell, schedule)
x_T = torch.ones(1, 2, dtype=torch.float64)
wanted = math.sqrt(0.25 / (schedule.abar[-1] * 0.25 + 1 - schedule.abar[-1]))  # (10.13), from 1
numbers = (20, 40, 80, 160, 320)
print("steps:         ", *[f"{n:7}" for n in numbers])
for name, solver in (("order 1", ddim_run), ("order 2", heun_run)):
    runs = [solver(schedule, denoise_bell, x_T, times=timesteps(1000, n)) for n in numbers]
    found = [abs(samplers.final(run)[0, 0].item() - wanted) for run in runs]
    order = math.log2(found[0] / found[-1]) / 4  # 320 = 20 * 2^4
    print(f"{name}: errors", *[f"{e:.5f}" for e in found], f"measured order {order:.2f}")

# %% [markdown]
# In theory the error falls by a factor of 16 at order 1 and of $16^2 = 256$ at order 2. Measured, the factors
# are about 15 and 200, which correspond to orders 0.97 and 1.91. With 20 steps of order 2 the error is 0.00411,
# and with 320 steps of order 1 it is 0.00469. In denoiser calls that is 40 against 320.

# %% [markdown] topics="C161"
# ## A race
#
# Now compare five samplers with the same ideal denoiser, on eight narrow Gaussians on a circle (chapter 00). The
# cost is counted in **denoiser calls**, in papers the **number of function evaluations (NFE)**: in practice each
# call runs a network, and everything else costs next to nothing. So Heun's method gets half as many steps.
#
# The metric is the **sliced Wasserstein distance**: project the points onto a direction, compute W1 in one
# dimension, and average over directions. There is also a **baseline**: the metric of 1000 *real* samples. When a
# sampler reaches it, this metric can no longer tell its samples from real ones. (Neither the data distribution
# nor the samplers change if the circle is rotated by 45 degrees, so we measure all eight rotated copies
# together.)
#
# **Predict.** Which sampler is best with 10 calls? With 100? How many calls does it take until the first sampler
# reaches the baseline?

# %%
circle = ideal_denoisers.circle_mixture(8)
turn = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64) / math.sqrt(2)  # by 45 degrees
angles = torch.arange(8, dtype=torch.float64) * math.pi / 32
directions = torch.stack([angles.cos(), angles.sin()])  # (2, 8); the turns do the rest


def profile(y):
    """Sorted projections of the points and of their rotated copies, (8 n, 8 directions)."""
    copies = [y.double()]
    for _ in range(7):
        copies.append(copies[-1] @ turn)
    return torch.cat([c @ directions for c in copies]).sort(0).values


# %%
truth, again = ([ideal_denoisers.sample(circle, 1000, generator=seeded(i)) for i in seeds]
                for seeds in (range(100, 120), range(200, 220)))
# Row k of a profile is the k-th quantile in each direction. The mean over 20 sets of real samples
# is close to the exact one; W1 is the mean distance from it, entry by entry.
reference = torch.stack([profile(x) for x in truth]).mean(0)
baseline = [(profile(x) - reference).abs().mean() for x in again]
print(f"baseline, 1000 real samples twenty times: mean {sum(baseline) / 20:.4f}, "
      f"from {min(baseline):.4f} to {max(baseline):.4f}")

# %%
denoise_circle = ideal_denoisers.mixture_denoiser(circle, schedule)
five = three | {"Heun": samplers.probability_flow_ode, "DPM++(2M)": samplers.dpmpp_2m}


def last_step(name, calls, seed):
    """The last step of a run for 1000 points that costs `calls` calls of the denoiser."""
    times = schedules.timesteps(1000, calls)
    times = times[::2] if name == "Heun" else times  # two calls a step
    x_T = normal_like(torch.empty(1000, 2), generator=seeded(seed))
    # one seed for the start, another for the fresh noise: the same one would repeat its numbers
    rng = seeded(99 - seed)
    return list(five[name](schedule, denoise_circle, x_T, times=times, generator=rng))[-1]


def sliced_w1(*args):
    """Sliced W1 of the points that `last_step` ends with."""
    return (profile(last_step(*args).x_s) - reference).abs().mean().item()


# %%
calls = (6, 10, 20, 40, 100)
print("denoiser calls:", calls)
results = {name: torch.tensor([[sliced_w1(name, c, seed) for seed in range(5)] for c in calls])
           for name in five}
fig, ax = figures.new(width=7.5, height=3.6)
for name, color, dash in zip(five, figures.COLORS, figures.DASHES):
    mean, spread = results[name].mean(1), results[name].std(1)
    ax.errorbar(calls, mean, spread, color=color, linestyle=dash, marker="o", capsize=3, label=name)
    print(f"{name:>11}: " + "  ".join(f"{m:.4f}±{s:.4f}" for m, s in zip(mean, spread)))
ax.axhspan(min(baseline), max(baseline), color=figures.GRAY, alpha=0.25, label="real samples")
ax.set(xscale="log", yscale="log", xlabel="denoiser calls", ylabel="sliced W1, data units")
ax.set_xticks(calls, calls)
ax.legend(fontsize=9)
figures.show(fig, alt="Errors fall; at 100 calls Heun and the large variance are at the baseline.")

# %% [markdown]
# The columns are 6, 10, 20, 40 and 100 calls, ± is the standard deviation over five seeds, and the gray band is
# the range of the baseline.
#
# - **With 6 and 10 calls** Heun's method, with 3 and 5 steps, is first (0.0736) and then last (0.0917): the
#   order of a method says something about *small* steps only. With 10 calls DPM-Solver++ (0.0684) and the large
#   variance (0.0714) are ahead; the difference between the two is within their spread.
# - **With 20 calls** Heun's method is still last (0.0359), and the other four nearly coincide, from 0.0203 to
#   0.0229.
# - **With 100 calls** the large variance (0.0019) and Heun's method (0.0018) reach the baseline, 0.0017, which
#   no sampler has reached with 40. This metric, with 1000 points, cannot tell their samples from data. The other
#   three are still at about five to six and a half times the baseline.
#
# Do not read this as a ranking of samplers. The large variance does well here because two errors cancel (detour
# below), and with networks and images the ranking is different (chapter 15). What carries over is the method:
# count calls, show the spread, know the baseline.

# %% [markdown]
# ### Detour · Try it yourself: how few steps are enough?
#
# The explorer of this race, and two numbers to find with it.

# %% [markdown]
# Choose a sampler and a number of steps, and see where 600 points end up. How many steps of `ddim` does it take
# until half of the points lie within 0.15 of a center? And how many of the second-order `probability_flow_ode`,
# which makes two calls per step? (The schedule here has 200 steps, so the numbers differ from those of the
# race.)

# %%
from ddpm_lab.course import explorers

explorer = explorers.how_few_steps()
print(explorer)
explorer

# %% [markdown]
# Here are four settings to check your answer:

# %%
for sampler, steps in (("ddim", 5), ("ddim", 6), ("probability_flow_ode", 2),
                       ("probability_flow_ode", 3)):
    sentence = explorer.describe(sampler=sampler, steps=steps)
    print(sentence.removeprefix("How few steps are enough? ").split(" of the points")[0])

# %% [markdown]
# It takes 6 steps of `ddim`, or 3 steps of the second-order solver: 6 calls in both cases.

# %% [markdown]
# ## Detour · Why the large variance wins this race
#
# Two results of the race are surprising. DPM-Solver++, of second order, hardly improves from 20 calls to 40. And
# the large variance, which is right for $N(0, I)$ data but not for these, reaches the baseline.

# %% [markdown]
# The suspect is the last step, which jumps to a mean. So measure how wide the Gaussians are before that step,
# and then replace it by many small steps.

# %%
def width(y, t):
    """Standard deviation of points around the nearest center at time t, data units."""
    now = schedule.signal[t] * circle.mean
    return (y.double() - now[torch.cdist(y.double(), now).argmin(1)]).std()


for name in ("DPM++(2M)", "DDPM, large"):
    for n in (40, 100):
        last = last_step(name, n, seed=0)
        true_width = (schedule.abar[last.t] * circle.var[0] + 1 - schedule.abar[last.t]).sqrt()
        slow = samplers.final(
            heun_run(schedule, denoise_circle, last.x_t, times=range(last.t, -1, -1)))
        w, w_slow = ((profile(y) - reference).abs().mean() for y in (last.x_s, slow))
        print(f"{name:>11}, {n:3} calls: {width(last.x_t, last.t) / true_width:.2f} of the true "
              f"width at t = {last.t}")
        print(f"{'':>11}  sliced W1 {w:.4f}, with a slow last step {w_slow:.4f}")

# %% [markdown]
# DPM-Solver++ arrives at the last step with nearly the right width, 1.01 and 0.99 times the true one. But its
# last step cannot extrapolate ($\lambda$ is infinite at $t = 0$), so it goes to a mean and makes the Gaussians
# too narrow. If the last step is replaced by small ones, the distance falls from 0.0194 to 0.0059 after 40
# calls, and from 0.0091 to 0.0023 after 100. With the large variance the Gaussians arrive too wide, at 1.35
# times the true width with 100 calls, and the last step then makes them narrower by about the right amount. A
# more accurate last step makes the result worse, 0.0097 instead of 0.0017: on these data the large variance does
# well because of **two errors that cancel**.

# %% [markdown]
# ## What a perfect denoiser cannot do
#
# So far in this chapter the data had a density. What about the ideal denoiser of a finite *data set*, (10.2)? On
# the training data, it is the exact minimizer of the loss that chapter 11 trains with.
#
# **Predict.** You draw 100 samples with the ideal denoiser of the 896 digits. How many of them are new? And are the
# samples new digits if the steps are too few to reach an exact copy?

# %%
images, _ = digits("train")
denoise_digits = ideal_denoisers.dataset_denoiser(images, schedule)
digit_noise = normal_like(images[:100], generator=seeded(3))
shown, numbers = [], (3, 5, 8, 10, 20, 50)
for n in numbers:
    x = samplers.final(
        samplers.ddim(schedule, denoise_digits, digit_noise, times=timesteps(1000, n)))
    far, nearest = torch.cdist(x.flatten(1).double(), images.flatten(1).double()).min(1)
    shown.append(x[:3])
    copies = int((far < 1e-3).sum())
    print(f"{n:2} steps: {copies:3} of 100 are copies, median distance {far.median():.3f}")
# three samples, a row each: where it ended for each number of steps, then its nearest digit
strip = torch.stack([*shown, images[nearest[:3]]], dim=1).flatten(0, 1)
fig = figures.images(strip, [f"{n} steps" for n in numbers] + ["nearest"], columns=7, panel=1.0)
figures.show(fig, alt="Three rows: from gray blur at 3 steps to a digit, equal to its nearest.")

# %% [markdown]
# With 50 steps all 100 samples are copies of training digits: this is **memorization**. Fewer steps do not make
# *new* digits, only unfinished ones. It makes no difference whether the denoiser is expressed as a prediction of
# $x_0$, of the noise or of v (detour below). A network that minimized the training loss exactly would only
# memorize. New images come from the way in which a network *misses* this minimum; chapters 11 and 14b examine
# how.

# %% [markdown] topics="C164 C171"
# ## Detour · Interpolation: mixing two codes
#
# With the probability-flow ODE you can encode two data points, mix their codes and decode the mixture. What lies
# between the two points?

# %% [markdown]
# Mix with weights $1-\lambda$ and $\lambda$. (Here $\lambda$ is a number from 0 to 1, as in [Ho20], not the
# $\lambda$ of (10.16). The Swiss roll and its denoiser come from the first detour: run its cells first.)
# **Predict.** Take two points on different arms of the Swiss roll. As $\lambda$ goes from 0 to 1, where does the
# decoded mixture go, along the roll or across the gaps?

# %%
solve = partial(heun_run, schedule, denoise_roll)  # the denoiser of the first detour
both = centers[torch.cdist(torch.tensor([[-0.3, 0.0], [0.9, -0.1]]).double(), centers).argmin(1)]
lam = torch.linspace(0, 1, 41, dtype=torch.float64)[:, None]
up = samplers.final(solve(both, times=timesteps(1000, 100)[::-1]))
mixed = (1 - lam) * up[:1] + lam * up[1:]  # mix the codes
routes = {"mix the data": (1 - lam) * both[:1] + lam * both[1:],
          "mix the codes": samplers.final(solve(mixed, times=timesteps(1000, 100)))}

# %%
fig, ax = figures.new(width=4.6, height=4.2)
ax.scatter(*centers.T, s=3, color=figures.RED, label="data")
for (name, y), color, mark in zip(routes.items(), (figures.GRAY, figures.BLUE), ("x", "o")):
    ax.scatter(*y.T, s=14, color=color, marker=mark, label=name, zorder=3)
    far = torch.cdist(y, centers).amin(1)
    print(f"{name}: within 0.09 of a center {(far < 0.09).double().mean():.0%}, "
          f"farthest {far.max():.2f}, longest jump {(y[1:] - y[:-1]).norm(dim=1).max():.2f}")
ax.set(aspect="equal", xlabel="first coordinate", ylabel="second coordinate", ylim=(-1.2, 2.2))
ax.legend(fontsize=9, loc="upper left")
figures.show(fig, alt="Mixed data cross the gaps of the spiral; mixed codes stay on its arms.")

# %% [markdown]
# Count a point as on the spiral if a center lies within 0.09. Of the mixed data only 27 % are on it; of the
# points decoded from mixed codes all are. But from one arm to the next these **jump**, by up to 0.74; they do
# not travel along the roll. A code says where a point lies in the distribution, not what it means: like a GAN's
# codes, it is not disentangled.
#
# **How [Ho20] interpolates.** That paper does not use an ODE. It noises **both** images to a time $t$, mixes the
# noisy images, and samples back from there (Sec. 4.4). If you mixed the clean images first and noised the
# mixture, the mean would be the same. Would the noise be as strong?

# %%
# claim: E22
one, two = (normal_like(torch.empty(1_000_000).double(), generator=seeded(i)) for i in (14, 15))
for weight in (0.25, 0.5):
    mixed = (1 - weight) * one + weight * two  # the noise of a mixture of noisy images
    print(f"lambda = {weight}: std of the noise {mixed.std():.3f}, "
          f"in theory {math.hypot(1 - weight, weight):.4f} instead of 1")

# %% [markdown]
# It is smaller, with standard deviation 0.7071 times the right one at $\lambda = 0.5$, because two independent
# noises partly cancel. The denoiser is called with $t$, but its input contains less noise than it expects at
# $t$.

# %% [markdown]
# ## Popular claims, checked
#
# - **One step fails because it returns a mean**: all samples within 0.027 of 0. The reverse process need not
#   retrace the forward process step by step.
# - **DDPM can take few steps, and so can DDIM**: (10.4) is defined for any $s < t$. It is not the non-Markov
#   forward process of DDIM that allows them.
# - **Diffusion has a latent code**, if you sample without fresh noise: encoding and decoding return the data
#   within 0.0023 (root mean square). Ancestral sampling has no code of that size.

# %% [markdown]
# ## Recap
#
# One step returns an average over all data; each further step commits the sample a little more. Only the
# marginals matter to a denoiser, so you may choose the variance of the fresh noise between 0 and
# $\tilde\beta_{ts}$, if you keep just enough of the old noise: this is DDIM. Without fresh noise, sampling
# solves an ODE, which can be solved in both directions, and better solvers need fewer calls. With a perfect
# denoiser and 100 calls, two of five samplers reach the baseline of our metric, one of them because two errors
# cancel. The ideal denoiser of a finite data set can only copy its items.
#
# **One formula to keep**
#
# $$x_s = \sqrt{\bar\alpha_s}\;\hat x_0 + \sqrt{1-\bar\alpha_s - v}\;\hat\epsilon + \sqrt{v}\;z, \qquad v = \eta^2\,\tilde\beta_{ts}$$
#
# **Exercises:** 10.3 `sampling.timesteps` · 10.4 `sampling.follow_variance` (detour) · 10.5 `sampling.ddim_step` ·
# 10.6 `sampling.encode`
#
# **To think about.** The race compared samplers by a distance between distributions. What would you measure if
# you wanted to *edit* an image, that is, encode it, change the code and decode?
#
# **Before:** [10 · Sampling without learning](10_sampling_without_learning.ipynb) · **Next:**
# [11 · Learning to denoise](11_learning_to_denoise.ipynb)
#
# **Read on:** [Ho20] Sec. 4.4; [Song21a] Sec. 3–5 and Appendix B; [Song21b] Sec. 4.3; [Lu22] Sec. 4.
