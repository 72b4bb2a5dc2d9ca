# %% [markdown]
# # 10b · How few steps will do?
#
# Algorithm 2 calls the denoiser a thousand times for one image, and in practice each call runs a large network.
# Can a sampler do with a hundred calls, or with ten? The denoiser is still perfect in this part, so whatever a
# sampler loses by taking fewer steps is its own loss. On the way you meet samplers that use no randomness at all.
#
# **After this chapter you can**
#
# - say why a single step cannot work, and what each further step adds,
# - derive DDIM and choose how much fresh noise a sampler uses,
# - run a deterministic sampler in both directions, and say what that is good for,
# - compare samplers fairly: by denoiser calls, with a baseline and error bars,
# - say what the ideal denoiser of a data set produces.
#
# **You need** [10 · Sampling without learning](10_sampling_without_learning.ipynb) without "Two bugs" and "The
# drift", and v from [09 · Predictions](09_predictions.ipynb).
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 20
# seconds.
#
# **For what comes next you need:** nothing for [chapter 11](11_learning_to_denoise.ipynb); DDIM, the flow and the
# solvers for [chapter 15](15_fast_and_guided.ipynb); the last section of the main road for chapters 12 and 14.
#
# **In the papers:** [Song21a] (DDIM); [Song21b, Sec. 4.3] (the probability-flow ODE); [Lu22] (DPM-Solver++).
#
# ## Why not jump to the guess?
#
# The denoiser is perfect. Why call it a thousand times? From $x_T$ straight to $\hat x_0$, done. Nothing forbids
# it: (10.4) holds for any two times $t > s$. **Predict.** The data have two modes, at −0.97 and 0.97. What do
# 10,000 samples look like after one step? After two?

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
    """Wasserstein distance to the two-mode distribution, as in part 10."""
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
# One step returns $E[x_0 \mid x_T]$, the average of everything that may still happen: all 10,000 samples lie
# within 0.027 of 0, where there are no data. **From pure noise nothing is decided yet, and a mean cannot decide.**
# Each step lets the sample commit to a little, and the next guess knows more. Two steps give W1 0.741, five 0.214,
# twenty 0.033, a hundred 0.012. (The red curve is the density of the data.)
#
# A sampler with fewer steps visits only some times of the chain. Their list is the **timestep spacing**, and
# sampling along it is also called *respacing* or a *sub-sequence*.
#
# ### Exercise 10.3 · Evenly spaced timesteps
#
# The list falls from $T$ to 0. Spread `steps` steps as evenly as whole numbers allow. (Any rounding will do, if
# the step sizes differ by at most one.)

# %% tags=["exercise"]
def my_timesteps(T, steps):
    """Return [T, …, 0], a list of ints, for `steps` even steps."""
    ### BEGIN SOLUTION
    return [round(T * (steps - k) / steps) for k in range(steps + 1)]
    ### END SOLUTION


timesteps = check("sampling.timesteps", my_timesteps)
print(timesteps(1000, 7))

# %% [markdown] topics="C162"
# ## Detour · Small variance, large variance, or one after the other?
#
# With few steps the two variances of Algorithm 2 no longer give the same samples. An exercise, and a common tip.

# %% [markdown]
# `var="small"` is right if the data are a single point, `var="large"` if they are $N(0, I)$. How much does it
# matter? For $N(0, 1)$ data you can know exactly, without a single sample: everything stays Gaussian with mean 0,
# so only the variance has to be followed. [Chapter 07b](07b_reverse_variance.ipynb) does it in general, and shows
# that the *best* variance lies between the two if the variance of the data is at most 1. **Predict.** With 10
# steps, how much of the standard deviation does the small variance lose?
#
# #### Exercise 10.4 · Follow the variance
#
# Data $N(0, 1)$, perfect guess $\hat x_0 = \sqrt{\bar\alpha_t}\,x_t$, steps of `samplers.ddpm_step` with its small
# variance. At `times[0]` the variance of $x$ is 1. What is it at `times[-1]`? (Each step multiplies $x_t$ by a
# factor and adds independent noise. Call `samplers.ddpm_step` with $x_t = 1$ to read off both.)

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
# claim: E08
for steps in (1000, 100, 20, 10):
    times = timesteps(1000, steps)
    # With the large variance every step keeps variance 1 (10.6), but for the last, which adds no
    # noise: it multiplies by the signal factor of the last time before 0.
    small_std = math.sqrt(follow_variance(schedule, times))
    print(f"{steps:4} steps: std with the small variance {small_std:.3f}, "
          f"with the large one {schedule.signal[times[-2]]:.3f}")

# %% [markdown]
# With 1000 steps nobody could tell the two apart: 0.996 and 1.000. With 10 the small variance loses a quarter of
# the standard deviation, 0.740. What the large one lacks, 0.947, is lost in the last step, which goes to a mean.
# The spiral at the start of part 10, sampled in 100 steps, shows the same:

# %%
n = 400
centers = swiss_roll(n, generator=seeded(10), std=0).double()
narrow = torch.full((n,), 0.03**2, dtype=torch.float64)
roll = ideal_denoisers.Mixture(torch.full((n,), 1 / n, dtype=torch.float64), centers, narrow)
guess_roll = ideal_denoisers.mixture_denoiser(roll, schedule)
x_T = normal_like(torch.empty(600, 2), generator=seeded(3))
for var in ("small", "large"):
    run = samplers.ddpm(schedule, guess_roll, x_T, var=var, times=timesteps(1000, 100),
                        generator=seeded(4))
    far = torch.cdist(samplers.final(run).double(), centers).amin(1).mean()
    print(f"{var} variance: mean distance to the nearest center {far:.3f}")

# %% [markdown]
# Real data have 0.028. The small variance makes the spiral too thin, the large one less so.
#
# A common tip is to sample with the large variance first and the small one in the last steps. Is it any good? Here
# are 100 steps for the two modes (standard deviation 0.243 within a mode):

# %%
def switched(schedule, x_t, x0_hat, t, s, last):
    """The step of `ddpm`: large variance, but small from time `last` on."""
    return samplers.ddpm_step(schedule, x_t, x0_hat, t, s, var="small" if t <= last else "large")


for name, last in (("large", 0), ("small from t = 50 on", 50), ("small", 1000)):
    y = samplers.sample(schedule, denoise, (5000, 1), sampler=samplers.reverse, generator=seeded(1),
                        step=partial(switched, last=last), times=timesteps(1000, 100))
    print(f"{name:>20}: std within a mode {(y.abs() - y.abs().mean()).std():.3f}, W1 {w1(y):.4f}")

# %% [markdown]
# On these data it helps: 0.238, between 0.256 and 0.223, and the smallest W1 of the three. At large $t$ the
# variance hardly depends on the choice; in the last steps it decides how sharp the samples are. Where to switch
# depends on how much detail the data have at that noise level, so the tip is one to try, not a rule. (A second tip
# is to place the steps unevenly, more of them where the guess changes most.)

# %% [markdown] topics="C167 C168 C169 C172"
# ## DDIM: the same marginals with less fresh noise
#
# Training (chapter 11) uses pairs $x_0, x_t$ only: one time, never two. So all that a trained network knows about
# the chain are the marginals $q(x_t \mid x_0)$, the distribution at each time separately. Any other process with
# the same marginals can use the same denoiser. Let us look for one.
#
# Suppose you stand at $x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon$ and know $x_0$, so you
# know $\epsilon$ too. For an earlier $s$ take the right amount of data, keep some of the *old* noise $\epsilon$,
# and add *fresh* noise $z$ of variance $v$:
#
# $$x_s = \sqrt{\bar\alpha_s}\;x_0 + \sqrt{1-\bar\alpha_s - v}\;\epsilon + \sqrt{v}\;z,
# \qquad 0 \le v \le 1 - \bar\alpha_s. \tag{10.8}$$
#
# Given $x_0$, the noises $\epsilon$ and $z$ are independent, so their variances add:
#
# $$\operatorname{Var}(x_s \mid x_0) = (1-\bar\alpha_s - v) + v = 1-\bar\alpha_s,
# \qquad E[x_s \mid x_0] = \sqrt{\bar\alpha_s}\;x_0. \tag{10.9}$$
#
# That is $q(x_s \mid x_0)$ again, **for every $v$**: if the marginal is right at $t$, it is right at $s$. This is
# the **DDIM** step (denoising diffusion implicit model, [Song21a]). It measures the fresh noise against the
# posterior's variance:
#
# $$v = \eta^2\,\tilde\beta_{ts}, \qquad
# \tilde\beta_{ts} = \frac{1-\bar\alpha_s}{1-\bar\alpha_t}\Big(1 - \frac{\bar\alpha_t}{\bar\alpha_s}\Big),
# \qquad 0 \le \eta \le 1. \tag{10.10}$$
#
# $\eta = 1$ is ancestral sampling with the small variance; $\eta = 0$ uses no fresh noise at all: a
# **deterministic sampler**, which you ran on digits in [chapter 00](00_start_here.ipynb). It does not collapse as
# the means of part 10 did. Going to a mean *drops* $\sqrt v\,z$, so a variance of $v$ is missing after each step.
# DDIM *replaces* it: with $v = 0$ the factor of the old noise grows to $\sqrt{1-\bar\alpha_s}$, and (10.9) still
# holds.
#
# **Where the error comes from.** (10.9) is exact for the true $x_0$; a sampler uses $\hat x_0$ and $\hat\epsilon$.
# Given $x_t$, the true $x_0$ scatters around its mean $\hat x_0$, and this scatter is lost. With (10.10) the
# weight of $x_0$ in a step is proportional to the size of the step, and the lost variance to its square. So more
# and smaller steps lose less in total. That is why the number of steps matters at all.
#
# ### Exercise 10.5 · A DDIM step
#
# Return the distribution of $x_s$, with $\hat x_0$ given, as a `Gaussian(mean, var)`. First solve
# $x_t = \sqrt{\bar\alpha_t}\,\hat x_0 + \sqrt{1-\bar\alpha_t}\,\hat\epsilon$ for $\hat\epsilon$. The times `t` and
# `s` may be batches (`row`, `coef`). Careful: the DDIM paper writes $\alpha_t$ for our $\bar\alpha_t$.

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
# So "$\eta = 1$ is DDPM" means DDPM **with the small variance and the same timesteps**: 0.1763 here, against
# 0.1796 for the large one.
#
# **Predict.** Seven samples start from the same seven places with $\eta = 0$, 0.5 and 1. Which of the three panels
# has smooth paths? Can two paths cross there?

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
# All three end in the right distribution, by different paths. With $\eta = 0$ the paths are smooth and never cross
# (in one dimension they cannot: the same place at the same time has the same future), so each sample stays on its
# side. With $\eta = 1$ the start decides little.
#
# ### What allows few steps?
#
# DDIM's forward process is not Markov (see the detour below). Is that why few steps are possible? Compare with
# DDPM on the same timesteps.

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
# DDPM runs in few steps just as well; what allows them is (10.4), which holds for any $s < t$. DDIM changes the
# *error* and the *randomness*: on this distribution it lies between the two variances at 5, 10 and 20 steps. That
# ranking belongs to this toy example: with networks and images [Song21a, Table 1] reports that DDIM is best with
# few steps, and the large variance worst. Nothing here required new training: DDIM is another way to sample, not
# another model. And a perfect denoiser, hence a perfect score, does not guarantee good samples: with 5 steps all
# three are off by more than 0.2.

# %% [markdown]
# ### Detour · Which process is not Markov, and three pitfalls of DDIM
#
# The forward process behind DDIM, two slips in its variance that look right at a glance, and why not every $v$
# will do.

# %% [markdown]
# **Which process?** DDIM's *reverse* process is a Markov chain for every $\eta$: each step sees $x_t$ alone. For
# the forward process apply Bayes' rule from $x_s$ to $x_t$, given $x_0$. The mean is
# $\sqrt{\bar\alpha_t}\,x_0 + g\,(x_s - \sqrt{\bar\alpha_s}\,x_0)$ with
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
# It is 0 for $\eta = 1$ only; otherwise $x_t$ depends on $x_0$ directly.
#
# **Two slips in the variance.** $v$ is a variance, so it has $\eta^2$, not $\eta$. And a formula of [Song21a] must
# be read with its own $\alpha$, which is our $\bar\alpha$:

# %%
# claim: E73
tilde = schedule.posterior_var[500].item()
v = samplers.ddim_step(schedule, unit, unit, 500, 499, eta=0.5).var.item()
print(f"500 → 499, eta = 0.5: v = {v:.6f}; eta² tilde beta {0.25 * tilde:.6f}, "
      f"eta tilde beta {0.5 * tilde:.6f}")
a_s, a_t = schedule.alpha[499], schedule.alpha[500]
print(f"tilde beta {tilde:.3e}; with alpha for abar {(1 - a_s) / (1 - a_t) * (1 - a_t / a_s):.3e}")

# %% [markdown]
# The first slip is a factor of 2 (and hides at $\eta = 0$ and 1, where one tests). The second makes the variance
# 500 times too small.
#
# **Not every $v$ works with a guess.** $v$ has to shrink with the step, as it does between 0 and
# $\tilde\beta_{ts}$. The largest that (10.8) allows, $v = 1-\bar\alpha_s$, forgets all of the old noise; then the
# weight of $x_0$ is $\sqrt{\bar\alpha_s}$, however small the step, and the lost scatter adds up. For $N(0, 1)$
# data and all steps of a schedule:

# %%
for fine in (schedule, schedules.linear(T=10_000, beta_1=1e-5, beta_T=0.002)):
    none = all_fresh = 1.0  # the variance at T, for v = 0 and for v = 1 - abar_s
    for t in range(fine.T, 0, -1):
        none *= ddim_step(fine, unit, fine.signal[t] * unit, t, t - 1, 0.0).mean.item() ** 2
        all_fresh = (fine.abar[t - 1] * fine.abar[t] * all_fresh + 1 - fine.abar[t - 1]).item()
    print(f"{fine.T:5} steps: std with v = 0 {none**0.5:.3f}, "
          f"with v = 1 - abar_s {all_fresh**0.5:.3f} (data 1)")

# %% [markdown]
# With only fresh noise, 0.703 of the standard deviation is left, and ten times as many steps do not help: 0.706.

# %% [markdown] topics="C171"
# ## The probability-flow ODE
#
# Take $\eta = 0$ and more and more steps. What does the sampler become? Write the two factors as an angle,
# $\cos\varphi_t = \sqrt{\bar\alpha_t}$ and $\sin\varphi_t = \sqrt{1-\bar\alpha_t}$: 0 is clean data, almost 90° is
# noise. With $\hat v = \cos\varphi_t\,\hat\epsilon - \sin\varphi_t\,\hat x_0$ from chapter 09, a DDIM step is a
# **rotation**:
#
# $$x_s = \cos\varphi_s\;\hat x_0 + \sin\varphi_s\;\hat\epsilon
# = \cos(\varphi_s - \varphi_t)\;x_t + \sin(\varphi_s - \varphi_t)\;\hat v. \tag{10.11}$$
#
# For a small angle the cosine is 1 and the sine is the angle, so the limit is an ordinary differential equation,
# the **probability-flow ODE** [Song21b]:
#
# $$\frac{dx}{d\varphi} = \hat v(x, \varphi). \tag{10.12}$$
#
# It contains no noise, and it keeps all marginals. For $N(0, V)$ data the solution is known. All $q(x_t)$ are
# normal with variance $V_t = \bar\alpha_t V + 1-\bar\alpha_t$, and the flow stretches by the ratio of standard
# deviations:
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
guess_0 = sp.cos(p) * V / V_p * x_p  # the best guess of x_0 there
guess_e = (x_p - sp.cos(p) * guess_0) / sp.sin(p)
slope = sp.cos(p) * guess_e - sp.sin(p) * guess_0
print("(10.13) solves (10.12):", sp.simplify(sp.diff(x_p, p) - slope) == 0)

# %% [markdown]
# An ODE can be solved in **both directions**. From $T$ to 0 it turns noise into data. From 0 to $T$ it gives each
# data point a latent code; this is called **DDIM inversion**, or encoding.
#
# ### Exercise 10.6 · Encode
#
# Follow (10.11), first form, along rising `times` such as `[0, 10, 20, …, 1000]`. At each time call
# `denoise(x, t)` with `t` a tensor of shape `(B,)`, solve for $\hat\epsilon$, and mix for the next time. At
# $t = 0$ clean data are their own guess, $\hat x_0 = x_0$, and contain no noise yet. For the noise that comes,
# look ahead: call the denoiser at $t = 1$ with $\sqrt{\bar\alpha_1}\,x_0$, and use the $\hat\epsilon$ of that
# answer.
#
# <details><summary>Hint</summary>
#
# `torch.full((len(x),), t)` is the batch of times. Up or down is the same formula; only the order of the times
# differs.
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
# **Predict.** You encode 1000 real samples of the two-mode distribution. How are the codes distributed? And if you
# decode them again with 20, 100 or 1000 steps, how well do you get the data back?

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
# With many steps the codes are standard normal, up to sampling error, and with 1000 steps the round trip misses by
# 0.0023. The codes could have been predicted. In one dimension the flow cannot change the order of points, and it
# carries the distribution of the data to that of the noise. So it must carry quantiles to quantiles: with $F$ the
# cumulative distribution function of the data and $\Phi$ that of $N(0, 1)$,
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
# So diffusion does have a latent code as small as the image, if you sample without fresh noise. It lets you
# **encode** real data, **interpolate** between two codes (detour below), and **reproduce** a sample exactly from
# its starting noise, also while you change something else, such as the number of steps.

# %% [markdown]
# ## Better ODE solvers
#
# With 20 steps the round trip missed by 0.1036. (10.11) keeps its guess fixed during the whole step, like Euler's
# method, so the error of one step is of second order in its size, and that of the whole run, a sum of many steps,
# of **first order**: half the step size, half the error. There are two remedies, both of **second order**.
#
# **Heun's method** looks again where it landed, and takes the mean of both slopes. With $\hat v_t$ the slope at
# $x_t$ and $\hat v_s$ the slope where (10.11) lands,
#
# $$x_s = x_t + \tan\frac{\varphi_s - \varphi_t}{2}\;\big(\hat v_t + \hat v_s\big). \tag{10.15}$$
#
# (For small steps the tangent is half the angle; with it the step is exact if the guess does not change.) It costs
# two denoiser calls a step: `probability_flow_ode(…, order=2)`.
#
# **DPM-Solver++(2M)** [Lu22] remembers the guess of the step before, at time $r > t$, and extrapolates. This makes
# it a **multistep method**; it costs one call a step (`dpmpp_2m`, below DPM++(2M)). With
# $\lambda = \log(\sqrt{\bar\alpha}/\sqrt{1-\bar\alpha})$,
#
# $$x_s = \frac{\sqrt{1-\bar\alpha_s}}{\sqrt{1-\bar\alpha_t}}\,x_t + \sqrt{\bar\alpha_s}\,\big(1 - e^{-h}\big)\,D, \quad
# D = \hat x_0^{(t)} + \frac{h}{2h'}\big(\hat x_0^{(t)} - \hat x_0^{(r)}\big), \quad
# h = \lambda_s - \lambda_t,\; h' = \lambda_t - \lambda_r. \tag{10.16}$$
#
# With $D = \hat x_0^{(t)}$, as in its first and its last step, it is DDIM.

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
# Formula (10.13) is an exact answer to measure the solvers against. **Predict.** Sixteen times as many steps: by
# what factor does the error fall at order 1, and at order 2?

# %%
bell = ideal_denoisers.circle_mixture(1, radius=0.0, std=0.5)  # N(0, V) with V = 0.25
guess_bell = ideal_denoisers.mixture_denoiser(bell, schedule)
x_T = torch.ones(1, 2, dtype=torch.float64)
wanted = math.sqrt(0.25 / (schedule.abar[-1] * 0.25 + 1 - schedule.abar[-1]))  # (10.13), from 1
numbers = (20, 40, 80, 160, 320)
print("steps:         ", *[f"{n:7}" for n in numbers])
for name, solver in (("order 1", ddim_run), ("order 2", heun_run)):
    runs = [solver(schedule, guess_bell, x_T, times=schedules.timesteps(1000, n)) for n in numbers]
    found = [abs(samplers.final(run)[0, 0].item() - wanted) for run in runs]
    order = math.log2(found[0] / found[-1]) / 4  # 320 = 20 * 2^4
    print(f"{name}: errors", *[f"{e:.5f}" for e in found], f"measured order {order:.2f}")

# %% [markdown]
# With twice the steps the error is about half at order 1 (measured order 0.97) and about a quarter at order 2
# (1.91). 20 steps of order 2 miss by 0.00411, 320 of order 1 by 0.00469. In denoiser calls that is 40 against 320.

# %% [markdown] topics="C161"
# ## A race
#
# Five samplers, one ideal denoiser, eight narrow Gaussians on a circle (chapter 00). The cost is counted in
# **denoiser calls**, in papers the **number of function evaluations (NFE)**: each call runs a network, and the
# rest is free. So Heun's method gets half as many steps.
#
# The metric is the **sliced Wasserstein distance**: project the points onto a direction, take W1, average over
# directions. And there is a **baseline**: the score of 1000 *real* samples. Below it, this metric cannot see a
# difference. (Neither data nor samplers change if the circle is turned by 45 degrees, so we measure all eight
# turned copies together.)
#
# **Predict.** Which sampler is best with 10 calls? With 100? How many calls until the first one reaches the
# baseline?

# %%
circle = ideal_denoisers.circle_mixture(8)
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
truth, again = ([ideal_denoisers.sample(circle, 1000, generator=seeded(i)) for i in seeds]
                for seeds in (range(100, 120), range(200, 220)))
# Row k of a profile is the k-th quantile in each direction. The mean over 20 sets of real samples
# is close to the exact one; W1 is the mean distance from it, entry by entry.
reference = torch.stack([profile(x) for x in truth]).mean(0)
baseline = [(profile(x) - reference).abs().mean() for x in again]
print(f"baseline, 1000 real samples twenty times: mean {sum(baseline) / 20:.4f}, "
      f"from {min(baseline):.4f} to {max(baseline):.4f}")

# %%
guess_circle = ideal_denoisers.mixture_denoiser(circle, schedule)
five = three | {"Heun": samplers.probability_flow_ode, "DPM++(2M)": samplers.dpmpp_2m}


def last_step(name, calls, seed):
    """The last step of a run for 1000 points that costs `calls` calls of the denoiser."""
    times = schedules.timesteps(1000, calls)
    times = times[::2] if name == "Heun" else times  # two calls a step
    x_T = normal_like(torch.empty(1000, 2), generator=seeded(seed))
    # one seed for the start, another for the fresh noise: the same one would repeat its numbers
    rng = seeded(99 - seed)
    return list(five[name](schedule, guess_circle, x_T, times=times, generator=rng))[-1]


def sliced_w1(*args):
    """Of the points that `last_step` ends with."""
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
# Columns are 6, 10, 20, 40 and 100 calls, ± is the spread over five seeds, and the gray band is the baseline.
#
# - **With 6 and 10 calls** Heun's method, with 3 and 5 steps, is first (0.0736) and then last (0.0917): an order
#   says something about *small* steps only. With 10 calls DPM-Solver++ (0.0684) and the large variance (0.0714)
#   are ahead, and the spreads do not tell which of the two is first.
# - **With 20 calls** the other four nearly coincide, 0.0203 to 0.0229.
# - **With 100 calls** the large variance (0.0019) and Heun (0.0018) reach the baseline, 0.0017. This metric, with
#   1000 points, cannot tell them from data. The other three are about five to six and a half times above it.
#
# Do not read this as a ranking of samplers. The large variance wins here because two errors cancel (detour below),
# and with networks and images the order is another one (chapter 15). What carries over is the method: count calls,
# show the spread, know the baseline.
#
# ### Try it yourself: how few steps are enough?
#
# Choose a sampler and a number of steps, and watch where 600 points end. How many steps of `ddim` put half of the
# points within 0.15 of a center? And how many of the second-order `probability_flow_ode`, which makes two calls a
# step?

# %%
from ddpm_lab.course import explorers

explorer = explorers.how_few_steps()
print(explorer)
explorer

# %% [markdown]
# Four settings, to check your answer:

# %%
for sampler, steps in (("ddim", 5), ("ddim", 7), ("probability_flow_ode", 2),
                       ("probability_flow_ode", 3)):
    sentence = explorer.describe(sampler=sampler, steps=steps)
    print(sentence.removeprefix("How few steps are enough? ").split(" of the points")[0])

# %% [markdown]
# Between 5 and 7 steps of `ddim`; 3 steps of the second-order solver, which are 6 calls.

# %% [markdown]
# ## Detour · Why the large variance wins this race
#
# Two things in the race are odd. DPM-Solver++, of second order, hardly improves from 20 calls to 40. And the large
# variance, which is right for $N(0, I)$ and not for these data, reaches the baseline.

# %% [markdown]
# The suspect is the last step, a jump to a mean. So measure how wide the Gaussians are before it, and replace it
# by many small steps.

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
            heun_run(schedule, guess_circle, last.x_t, times=range(last.t, -1, -1)))
        w, w_slow = ((profile(y) - reference).abs().mean() for y in (last.x_s, slow))
        print(f"{name:>11}, {n:3} calls: {width(last.x_t, last.t) / true_width:.2f} of the true "
              f"width at t = {last.t}")
        print(f"{'':>11}  sliced W1 {w:.4f}, with a slow last step {w_slow:.4f}")

# %% [markdown]
# DPM-Solver++ arrives with the right width, 1.01 and 0.99. But its last step cannot extrapolate ($\lambda$ is
# infinite at $t = 0$), so it goes to a mean and makes the Gaussians too narrow. In small steps the same move
# brings the distance from 0.0194 down to 0.0059 with 40 calls, and to 0.0023 with 100. The large variance arrives
# too wide, 1.35 with 100 calls; the last step makes it narrower, which happens to fit. A more accurate last step
# makes it worse, 0.0097 instead of 0.0017: on these data it wins by **two errors that cancel**.

# %% [markdown]
# ## What a perfect denoiser cannot do
#
# So far the data were distributions with a density. What about the ideal denoiser of a finite *data set*, (10.2),
# the one that every training aims at?
#
# **Predict.** 896 digits, their ideal denoiser, 100 samples. How many samples are new? And with few steps, when
# there is no time to find an exact copy?

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
    print(f"{n:2} steps: {copies:3} of 100 are copies, median distance {far.median():.3f}")
# three samples, a row each: where it ended for each number of steps, then its nearest digit
strip = torch.stack([*shown, images[nearest[:3]]], dim=1).flatten(0, 1)
fig = figures.images(strip, [f"{n} steps" for n in numbers] + ["nearest"], columns=7, panel=1.0)
figures.show(fig, alt="Three rows: from gray blur at 3 steps to a digit, equal to its nearest.")

# %% [markdown]
# With 50 steps all 100 samples are copies of training digits: this is **memorization**. Fewer steps do not make
# *new* digits, only unfinished ones. It makes no difference whether the same knowledge is expressed as a
# prediction of $x_0$, of the noise or of v (detour below). The goal of training, reached exactly, memorizes. New
# images come from the way in which a network *misses* it; chapters 11 and 14b look at how.

# %% [markdown] topics="C164 C171"
# ## Detour · Interpolation: mixing two codes
#
# With the flow you can encode two data points, mix their codes and decode. What lies between them?

# %% [markdown]
# Mix with weights $1-\lambda$ and $\lambda$. **Predict.** Two points on different arms of the Swiss roll: where
# does the mixture go, along the roll or across the gaps?

# %%
solve = partial(heun_run, schedule, guess_roll)  # the denoiser of the first detour
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
# Call a point on the spiral if a center lies within 0.09. Of the mixed data only 27 % are; of the mixed codes all
# are. But from one arm to the next they **jump**, by up to 0.74; they do not travel along the roll. A code says
# where a point lies in the distribution, not what it means: like a GAN's codes, it is not disentangled.
#
# **How [Ho20] interpolates.** That paper has no flow. It noises **both** images to a time $t$, mixes the noisy
# ones, and samples back from there (Sec. 4.4). Mixing the images first and noising the mixture would have the same
# mean. Is the noise the same?

# %%
# claim: E22
one, two = (normal_like(torch.empty(1_000_000).double(), generator=seeded(i)) for i in (14, 15))
for weight in (0.25, 0.5):
    mixed = (1 - weight) * one + weight * two  # the noise of a mixture of noisy images
    print(f"lambda = {weight}: std of the noise {mixed.std():.3f}, "
          f"in theory {math.hypot(1 - weight, weight):.4f} instead of 1")

# %% [markdown]
# It is smaller, 0.7071 halfway, because two independent noises partly cancel. The denoiser is called with $t$ and
# then meets less noise than $t$ stands for.

# %% [markdown]
# ## Popular claims, checked
#
# - **One step fails because it returns a mean**: all samples within 0.027 of 0. The reverse process need not
#   retrace the forward process step by step.
# - **Few steps work for DDPM as well as for DDIM**: (10.4) holds for any $s < t$. It is not the non-Markov forward
#   process that allows them.
# - **Diffusion has a latent code**, if you sample without fresh noise: there and back within 0.0023. Ancestral
#   sampling has no code of that size.

# %% [markdown]
# ### Detour · Popular claims, checked further
#
# Does predicting the noise protect against memorization?

# %% [markdown]
# A network may predict $x_0$, the noise or v. Take the ideal denoiser of eight points in these three forms, and
# sample with each.

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
# All three copy, to the rounding of float32, and visit all eight points about equally often. Whether a trained
# network memorizes depends on the network and its training, not on the form of its prediction.

# %% [markdown]
# ## Recap
#
# One step gives the mean of everything; each further step lets the sample commit. Only the marginals matter to a
# denoiser, so between 0 and $\tilde\beta_{ts}$ the variance of the fresh noise is free, if the old noise is kept
# to match: DDIM. Without fresh noise, sampling solves an ODE that runs both ways, and better solvers need fewer
# calls. With a perfect denoiser and 100 calls, two of five samplers reach the baseline of our metric, one of them
# because two errors cancel. The ideal denoiser of a data set can only copy it.
#
# **One formula to keep**
#
# $$x_s = \sqrt{\bar\alpha_s}\;\hat x_0 + \sqrt{1-\bar\alpha_s - v}\;\hat\epsilon + \sqrt{v}\;z, \qquad v = \eta^2\,\tilde\beta_{ts}$$
#
# **Exercises:** 10.3 `sampling.timesteps` · 10.4 `sampling.follow_variance` (detour) · 10.5 `sampling.ddim_step` ·
# 10.6 `sampling.encode`
#
# **To think about.** The race compared samplers by a distance between distributions. What would you measure if you
# wanted to *edit* an image: encode it, change the code, and decode?
#
# **Before:** [10 · Sampling without learning](10_sampling_without_learning.ipynb) · **Next:**
# [11 · Learning to denoise](11_learning_to_denoise.ipynb)
#
# **Read on:** [Ho20] Sec. 4.4; [Song21a] Sec. 3–5 and Appendix B; [Song21b] Sec. 4.3; [Lu22] Sec. 4.
