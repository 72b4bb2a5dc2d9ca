# %% [markdown]
# # 05 · How does data become noise, in one line?
#
# A diffusion model destroys an image with a thousand small doses of noise and then learns to undo them. This
# chapter is about the first half. Where does an image end up? And do you have to take all thousand steps to
# find out?
#
# **After this chapter you can**
#
# - write one step of the forward process, and say what its square root is for,
# - merge any number of steps into one line, and prove it,
# - check that line against a simulation, with error bars,
# - say how far the end of the chain is from pure noise, in bits,
# - explain why the steps are small.
#
# **You need** [00 · Start here](00_start_here.ipynb) and the normal distribution with one fact about it: the
# variances of independent noises add (sections 6 and 7 of [02](02_distributions.ipynb)). This chapter
# continues the end of [04](04_elbo_and_vae.ipynb), but you can start here.
#
# **Time:** about {road} minutes; the detours, which nothing later needs, add {detours}. The notebook runs in
# about 15 seconds.
#
# **For what comes next:** 06 to 10 use the sections up to "A batch of images"; 06 and 08 also use "The
# end of the chain", and 08 the two sections after it.
#
# **In the papers:** [Ho20] Ho, Jain and Abbeel 2020, Sec. 2, Eq. 2–4; [SD15] Sohl-Dickstein et al. 2015,
# where the idea comes from.

# %%
import math

import sympy as sp
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, losses, schedules
from ddpm_lab.course import diagrams, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.datasets import digits
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded
from ddpm_lab.schedules import coef, row

schedule = schedules.linear()  # beta from 1e-4 to 0.02 in 1000 steps
print(schedule)

# %% [markdown] topics="C095 C096"
# ## A first look: two groups, one end
#
# Start 300 points at $x_0 = -2$ and 300 at $x_0 = +2$. Each takes a thousand small noisy steps of the
# **forward process** (or *diffusion process*): the fixed Markov chain that adds the noise.
#
# **Predict.** Will the two groups still be apart at the end?

# %%
starts = torch.tensor([-2.0, 2.0], dtype=torch.float64).repeat_interleave(300)[:, None]
paths = torch.stack([x_t for t, x_t in forward.chain(schedule, starts, generator=seeded(5))])
left, right = paths[:, :300, 0], paths[:, 300:, 0]  # (1000 times, 300 points)

fig = figures.paths(range(1, 1001), {"x_0 = -2": left, "x_0 = +2": right}, shown=15, height=3.2,
                    title="15 of 300 paths from each start, and the means")
figures.show(fig, alt="Two bundles of noisy paths, from -2 and +2, have merged by t = 800.")
for t in (1, 300, 1000):
    print(f"t = {t:4}: means {left[t - 1].mean():+.3f} {right[t - 1].mean():+.3f}, "
          f"standard deviations {left[t - 1].std():.3f} {right[t - 1].std():.3f}")
print(f"standard error of a mean of 300: about {1 / math.sqrt(300):.2f}")

# %% [markdown]
# No. Both means shrink from ±2 to about 0 (a mean of 300 has a standard error of 0.06), and both standard
# deviations settle near 1. At $t = 1000$ the position of a point tells you almost nothing about where it
# started. That is exactly what we want: **every** start ends in nearly the same simple distribution, so the way back
# can begin there without knowing anything about the image.
#
# The next figure shows *all* paths at once, for data with two modes: the color is the density of $x_t$ at each time.

# %%
two = ideal_denoisers.two_modes()
x_0 = torch.tensor([-0.97, -0.97, 0.97, 0.97], dtype=torch.float64)[:, None]
places = torch.tensor([[0.0], [0.97]], dtype=torch.float64)
few = torch.stack([x_0, *(x_t for _, x_t in forward.chain(schedule, x_0, generator=seeded(11)))])
fig = diagrams.marginal_heatmap(schedule, two, few[..., 0])
figures.show(fig, alt="The density of x_t: two narrow bands at t = 0 merge into one wide band.")
for t in (0, 300, 1000):
    middle, mode = ideal_denoisers.log_density(two, schedule, places, t).exp()
    print(f"t = {t:4}: density {middle:.4f} at 0, {mode:.4f} at 0.97")

# %% [markdown]
# The two bands of the data become one band around 0, and each path ends up wandering in it.
#
# Three questions remain. What exactly is one step? Why does the spread stop at 1? And can we know $x_t$
# without taking $t$ steps?

# %% [markdown] topics="C079 C080 C097"
# ## One step
#
# One step of the forward process, as a distribution and as a sample:
#
# $$q(x_t \mid x_{t-1}) = N\big(\sqrt{1-\beta_t}\; x_{t-1},\; \beta_t I\big) \tag{5.3}$$
#
# $$x_t = \sqrt{\alpha_t}\; x_{t-1} + \sqrt{\beta_t}\; \epsilon_t,
# \qquad \alpha_t = 1 - \beta_t,\quad \epsilon_t \sim N(0, I). \tag{5.4}$$
#
# Both lines say the same thing: $a + b\,\epsilon$ is a sample from the normal distribution with mean $a$ and variance
# $b^2$. The identity $I$ says that every pixel gets its own independent noise, all of the same strength; such noise is
# called **isotropic**. The numbers $\beta_1, \dots, \beta_T$ are the **noise schedule** (or *variance schedule*).
# Note the root in (5.4): $\beta_t$ is a **variance**, so the noise is multiplied by $\sqrt{\beta_t}$. Multiplying by
# $\beta_t$ instead is a common mistake.
#
# In code a step leads from an earlier time `s` to a later time `t`; the step (5.3) has `s = t - 1`.

# %%
# eq: 5.3, 5.4
x_s = torch.full((200_000, 1), 0.5, dtype=torch.float64)  # all samples are at 0.5 at s = 499
one_step = forward.transition(schedule, x_s, 499, 500)  # q(x_500 | x_499)
x_t = draw(one_step, normal_like(x_s, generator=seeded(3)))
print(f"beta_500 = {schedule.beta[500]:.5f}")
print(f"mean {x_t.mean():.5f}, by (5.3) {math.sqrt(1 - schedule.beta[500]) * 0.5:.5f}")
print(f"variance {x_t.var():.5f}, by (5.3) {schedule.beta[500]:.5f}")

# %% [markdown]
# ### Exercise 5.1 · One step by hand
#
# Write (5.4). `z` is standard normal noise, already drawn. The table `schedule.beta` has one row for
# each time: `schedule.beta[t]` belongs to the step that **ends** at `t`.

# %% tags=["exercise"]
def my_step(schedule, x, t, z):
    """Return x_t, given x at time t - 1 and the noise z."""
    ### BEGIN SOLUTION
    beta_t = schedule.beta[t]
    return (1 - beta_t).sqrt() * x + beta_t.sqrt() * z
    ### END SOLUTION


step = check("forward.step", my_step)

# %% [markdown] topics="C081 C093"
# ## What is the square root for?
#
# Why shrink $x$ at all? Adding noise would be enough to drown the image.
#
# **Predict.** Three data sets have variance 0.25, 1 and 4. What is the variance of $x_t$ at
# $t = 1000$, (a) with the factor $\sqrt{1-\beta_t}$, (b) without it? (For (b): there are 1000 betas, and
# their mean is 0.01.)

# %%
# eq: 5.5, 5.6
# claim: E60, E88
growth = {}
for start in (0.25, 1.0, 4.0):
    var = torch.full((1001,), start, dtype=torch.float64)
    for t in range(1, 1001):
        var[t] = (1 - schedule.beta[t]) * var[t - 1] + schedule.beta[t]  # (5.5), step by step
    growth[f"with the factor, Var x_0 = {start:g}"] = var
    formula = 1 + schedule.abar * (start - 1)  # (5.6)
    print(f"Var x_0 = {start:4}: Var x_t = {var[100]:.4f}, {var[300]:.4f}, {var[1000]:.4f} "
          f"at 100, 300, 1000; off (5.6) by {(var - formula).abs().max():.0e}")
growth["without it, Var x_0 = 1"] = without = 1 + schedule.beta.cumsum(0)
print(f"without the factor: Var x_0 + {without[-1] - 1:.2f}")
fig = figures.curves(range(1001), growth, xlabel="time t, steps", ylabel="Var x_t", height=3)
figures.show(fig, alt="With the factor all three variances go to 1; without it one grows to 11.05.")

# %% [markdown]
# With the factor every variance is drawn toward 1: at $t = 100$, 300 and 1000, 0.25 has become 0.3272, 0.7027 and 1.0000.
# Without it the noise simply accumulates: 10.05 on top of whatever the data had.
#
# To see why, take variances on both sides of (5.4). The two parts are independent, so
#
# $$\operatorname{Var} x_t = (1-\beta_t)\operatorname{Var} x_{t-1} + \beta_t. \tag{5.5}$$
#
# If $\operatorname{Var} x_{t-1} = 1$, the right side is 1 again, for *every* $\beta_t$. If it is not, subtract 1 from
# both sides: $\operatorname{Var} x_t - 1 = (1-\beta_t)(\operatorname{Var} x_{t-1} - 1)$. The distance from 1 shrinks
# by $\alpha_t$ in each step, and therefore
#
# $$\operatorname{Var} x_t = 1 + \bar\alpha_t\,(\operatorname{Var} x_0 - 1),
# \qquad \bar\alpha_t = \alpha_1 \alpha_2 \cdots \alpha_t. \tag{5.6}$$
#
# This is the **variance preserving** convention: unit variance stays unit variance, and any other variance is drawn
# toward 1. That is one reason to scale data to a variance near 1 before training. Leaving the factor out is not wrong
# either; it is the **variance exploding** convention of another family of models, which needs far more noise than these
# betas add.

# %% [markdown]
# ### Detour · Data of another variance, and chains without the factor
#
# What is left of the start at the end of the chain, with the factor and without it? And which factor would preserve
# the variance of *your* data?

# %%
# claim: E88, E106
x_0 = normal_like(torch.empty(100_000, 1, dtype=torch.float64), generator=seeded(1))
eps = normal_like(x_0, generator=seeded(2))
exploding = x_0 + math.sqrt(without[-1] - 1) * eps  # all the noise of the chain, nothing shrunk
end = forward.noised(schedule, x_0, 1000, eps)


def correlation(a, b):
    return torch.corrcoef(torch.cat([a, b], dim=1).T)[0, 1].item()


print(f"correlation of x_0 and x_T without the factor: {correlation(x_0, exploding):.3f}")
print(f"correlation of x_0 and x_T with the factor:    {correlation(x_0, end):.3f}")
print(f"in theory: {1 / math.sqrt(without[-1]):.3f} and {schedule.signal[1000]:.4f}")
print(f"variance of the digits in [-1, 1]: {digits('all')[0].var():.2f}")

# %% [markdown]
# Without the factor, the end still has a correlation of 0.301 with its start; with it, 0.006. So the end is not
# standard normal merely "because noise is added many times": without shrinking, the chain ends at $N(x_0, 10.05)$, a
# normal distribution around its start. The two conventions are the same process in different units: divide the
# exploding $x_t$ by $\sqrt{1 + \sum\beta}$, and you have a variance preserving chain with
# $\bar\alpha_t = 1/(1+\sum_{s\le t}\beta_s)$.
#
# #### Exercise 5.2 · Preserve the variance of your own data
#
# Suppose the data have variance `var`, not 1 (the digits have 0.57), and each step adds noise of variance `beta`.
# Which factor $f$ in $x_t = f\,x_{t-1} + \sqrt{\beta}\,\epsilon$ keeps the variance at `var`? (With
# `var = 1` your formula must give $\sqrt{1-\beta}$.)

# %% tags=["exercise"]
def my_factor(var, beta):
    """Return the factor on x that keeps its variance at `var`; a float."""
    ### BEGIN SOLUTION
    return math.sqrt(1 - beta / var)
    ### END SOLUTION


keep_variance = check("forward.keep_variance", my_factor)

# %% [markdown] topics="C082 C040"
# ## Two steps are one step
#
# Here is the trick that makes diffusion models practical. Substitute the first step into the second:
#
# $$\begin{aligned}
# x_2 &= \sqrt{\alpha_2}\; x_1 + \sqrt{\beta_2}\;\epsilon_2 \\
#     &= \sqrt{\alpha_2}\,\big(\sqrt{\alpha_1}\; x_0 + \sqrt{\beta_1}\;\epsilon_1\big) + \sqrt{\beta_2}\;\epsilon_2 \\
#     &= \sqrt{\alpha_2 \alpha_1}\; x_0 + \underbrace{\sqrt{\alpha_2 \beta_1}\;\epsilon_1 + \sqrt{\beta_2}\;\epsilon_2}_{\text{two noises}} .
# \end{aligned} \tag{5.7}$$
#
# **Predict.** $\epsilon_1$ and $\epsilon_2$ are independent. What is the variance of the two noises together? Can you
# write it in terms of $\alpha_1\alpha_2$ alone?

# %%
# eq: 5.7, 5.8
alpha_1, alpha_2 = sp.symbols("alpha_1 alpha_2", positive=True)
beta_1, beta_2 = 1 - alpha_1, 1 - alpha_2
x0, eps_1, eps_2 = sp.symbols("x_0 epsilon_1 epsilon_2")
x1 = sp.sqrt(alpha_1) * x0 + sp.sqrt(beta_1) * eps_1
x2 = sp.expand(sp.sqrt(alpha_2) * x1 + sp.sqrt(beta_2) * eps_2)
noise_var = x2.coeff(eps_1) ** 2 + x2.coeff(eps_2) ** 2
print("factor of x_0:  ", sp.simplify(x2.coeff(x0)))
print("noise variance: ", sp.factor(sp.simplify(noise_var)))

# %% [markdown]
# Variances of independent noises add (standard deviations do not), and the sum has a short form:
#
# $$\alpha_2\beta_1 + \beta_2 \;=\; \alpha_2(1-\alpha_1) + (1-\alpha_2) \;=\; 1 - \alpha_1\alpha_2. \tag{5.8}$$
#
# A sum of independent normal variables is normal. So the two noises together are **one** noise
# $\sqrt{1-\alpha_1\alpha_2}\;\bar\epsilon$ with $\bar\epsilon \sim N(0, I)$. (This $\bar\epsilon$ is neither $\epsilon_1$
# nor $\epsilon_2$ but a weighted sum of both.)

# %% [markdown]
# ### Detour · What if the noises are not independent?
#
# A simulation with $\beta_1 = \beta_2 = 0.02$, with independent noises and with others.

# %%
# claim: E26, E70, E108
eps_1 = normal_like(torch.empty(400_000, 1, dtype=torch.float64), generator=seeded(1))
eps_2 = normal_like(eps_1, generator=seeded(2))
for name, second in (("independent", eps_2), ("the same noise twice", eps_1)):
    merged = math.sqrt(0.98 * 0.02) * eps_1 + math.sqrt(0.02) * second
    print(f"{name:>20}: variance {merged.var():.4f}")
print(f"1 - alpha_1 alpha_2 = {1 - 0.98**2:.4f}")
half_old = 0.5 * eps_1 + math.sqrt(0.75) * eps_2  # variance 1, correlation 0.5 with eps_1
step_var = (math.sqrt(0.98) * eps_1 + math.sqrt(0.02) * half_old).var()
print(f"a step from x of variance 1, its noise correlated 0.5 with x: variance {step_var:.2f}")

# %% [markdown]
# Independent noises give 0.0395 where (5.8) says 0.0396. Using the same noise twice gives 0.0789, twice as much:
# merging **needs** independence. So does (5.5): noise that has a correlation of 0.5 with the $x$ it is added to
# raises the variance from 1 to 1.14 in a single step.

# %% [markdown]
# ### Exercise 5.3 · Merge any number of steps
#
# Now merge as many steps as there are: `betas` is a list of numbers. Return the factor of
# $x_0$ and the variance of the merged noise. Go step by step: what does one more step do to each?

# %% tags=["exercise"]
def my_merge(betas):
    """Return (factor of x_0, variance of the merged noise) after all steps; two floats."""
    ### BEGIN SOLUTION
    factor, var = 1.0, 0.0
    for beta in betas:
        factor = factor * math.sqrt(1 - beta)
        var = (1 - beta) * var + beta
    return factor, var
    ### END SOLUTION


merge = check("forward.merge", my_merge)
print("two steps of 0.02:  ", [round(value, 6) for value in merge([0.02, 0.02])])
print("fifty steps of 0.02:", [round(value, 6) for value in merge([0.02] * 50)])

# %% [markdown] topics="C083 C084 C085 C086 C089 C091"
# ## A thousand steps are one line
#
# The general case follows by induction. Suppose that $t-1$ steps have already been merged:
#
# $$x_{t-1} = \sqrt{\bar\alpha_{t-1}}\; x_0 + \sqrt{1-\bar\alpha_{t-1}}\;\bar\epsilon_{t-1}. \tag{5.9}$$
#
# For $t - 1 = 0$ this holds, because $\bar\alpha_0 = 1$. (Row 0 of our tables is clean data.) Take one more step:
# $x_t = \sqrt{\alpha_t\bar\alpha_{t-1}}\; x_0
# + \sqrt{\alpha_t(1-\bar\alpha_{t-1})}\;\bar\epsilon_{t-1} + \sqrt{\beta_t}\;\epsilon_t$.
# The variances of the two independent noises add up to
#
# $$\alpha_t(1-\bar\alpha_{t-1}) + \beta_t = 1 - \alpha_t\bar\alpha_{t-1} = 1 - \bar\alpha_t. \tag{5.10}$$
#
# So (5.9) also holds at $t$, and hence at every $t$. The whole chain is one line, the **closed form** of the
# forward process:
#
# $$\boxed{\;x_t = \sqrt{\bar\alpha_t}\; x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon,
# \qquad q(x_t \mid x_0) = N\big(\sqrt{\bar\alpha_t}\,x_0,\,(1-\bar\alpha_t) I\big)\;} \tag{5.11}$$
#
# The factor $\sqrt{\bar\alpha_t}$ is the **signal factor**, $\sqrt{1-\bar\alpha_t}$ the **noise factor**; their squares
# add to 1. The bar means "product **up to t**": $\bar\alpha_t = \prod_{s=1}^{t}\alpha_s$. And the one noise $\epsilon$ is made of
# all the small ones:
#
# $$\bar\epsilon_t = \frac{\sqrt{\alpha_t}\sqrt{1-\bar\alpha_{t-1}}\;\bar\epsilon_{t-1}
# + \sqrt{\beta_t}\;\epsilon_t}{\sqrt{1-\bar\alpha_t}}. \tag{5.12}$$

# %%
# eq: 5.9, 5.10, 5.12
alpha_t, abar_s = sp.symbols("alpha_t abar_s", positive=True)  # abar_s stands for abar_{t-1}
left_side = alpha_t * (1 - abar_s) + (1 - alpha_t)
print("(5.10), left minus right:", sp.simplify(left_side - (1 - alpha_t * abar_s)))

merged = torch.zeros(50_000, dtype=torch.float64)
rng = seeded(4)
for t in range(1, 1001):
    fresh = normal_like(merged, generator=rng)
    old = schedule.alpha[t].sqrt() * schedule.noise[t - 1] * merged
    merged = (old + schedule.beta[t].sqrt() * fresh) / schedule.noise[t]  # (5.12)
print(f"merged noise after 1000 steps: mean {merged.mean():+.4f}, variance {merged.var():.4f}, "
      f"4th moment {(merged**4).mean():.3f}")

# %% [markdown]
# A thousand noises, merged by (5.12), are standard normal again: mean near 0, variance near 1, fourth moment near 3.
#
# ### Exercise 5.4 · The whole chain in one jump
#
# Write $q(x_t \mid x_0)$ as a `Gaussian(mean, var)`. `row(schedule.abar, t)` gives $\bar\alpha_t$ for
# one time or for a batch of times; `coef(value, x_0)` shapes it so that it broadcasts over `x_0`.

# %% tags=["exercise"]
def my_marginal(schedule, x_0, t):
    """Return the Gaussian q(x_t | x_0)."""
    ### BEGIN SOLUTION
    kept = row(schedule.abar, t)
    mean = coef(kept.sqrt(), x_0) * x_0
    return Gaussian(mean, coef(1 - kept, x_0))
    ### END SOLUTION


marginal = check("forward.marginal", my_marginal)

# %% [markdown]
# ### Detour · Why the tables are float64
#
# $1 - \bar\alpha_1$ is a small difference of two nearly equal numbers. If you store $\bar\alpha$ in float32 and subtract
# afterwards, you lose digits.

# %%
early = 1 - schedule.abar.float()[1]  # cast first, subtract then
late = (1 - schedule.abar[1]).float()  # subtract first, cast then
exact = 1e-4
for name, value in (("cast first", early.item()), ("cast last", late.item())):
    print(f"1 - abar_1, {name:>10}: {value:.6e}, relative error {abs(value / exact - 1):.0e}")

# %% [markdown]
# That is why our tables are float64, and why a coefficient is cast to the type of the data as the very last step.

# %% [markdown] topics="C090"
# ## Does the chain agree with the formula?
#
# Algebra can be wrong, and so can code. So simulate 20,000 chains step by step from $x_0 = 3$ and
# compare their mean and variance with (5.11). The last two columns give the deviation in units of its standard
# error ($\sqrt{v/n}$ for a mean, $v\sqrt{2/n}$ for the variance $v$ of a normal distribution): values within ±3 are
# expected.
#
# **Predict.** At $t = 300$ the signal factor is 0.6296. What are the mean and the standard deviation
# of the 20,000 points?

# %%
# eq: 5.11
n = 20_000
x_0 = torch.full((n, 1), 3.0, dtype=torch.float64)
chain = forward.chain(schedule, x_0, generator=seeded(60))
snapshots = {t: x_t for t, x_t in chain if t in (100, 300, 1000)}
print("   t     mean  formula      var  formula    off (mean, var)")
for t, x_t in snapshots.items():
    q_t = marginal(schedule, x_0[:1], t)
    mean, var = q_t.mean.item(), q_t.var.item()
    off_mean = (x_t.mean().item() - mean) / math.sqrt(var / n)
    off_var = (x_t.var().item() - var) / (var * math.sqrt(2 / n))
    print(f"{t:4}  {x_t.mean():7.4f}  {mean:7.4f}  {x_t.var():7.4f}  {var:7.4f}    "
          f"{off_mean:+.1f}  {off_var:+.1f}")

# %%
grid = torch.linspace(-4, 4.5, 300, dtype=torch.float64)[:, None]
densities = {}
for t in snapshots:
    q_t = marginal(schedule, x_0[:1], t)
    density = gaussians.log_prob(Gaussian(q_t.mean.expand_as(grid), q_t.var), grid).exp()
    densities[f"t = {t}"] = (grid[:, 0], density)
    print(f"t = {t:4}: peak of the density {density.max():.3f}")
fig = figures.histograms({f"t = {t}": x_t[:, 0] for t, x_t in snapshots.items()}, density=densities,
                         names=("20,000 chains", "(5.11)"), xlabel="x_t, data units",
                         limits=(-4, 4.5))
figures.show(fig, alt="Histograms of the chains lie on the formula's bell curves at three times.")

# %% [markdown]
# They agree within the standard errors. (Put a wrong $\alpha$ into the formula and the last two columns
# jump; that is what error bars are for.) At $t = 300$ the mean is 1.8889 and the variance 0.6036
# (standard deviation 0.777), and you did not need 300 steps to know it. Here is the function that the whole course uses.
# Compare it with (5.11) and with your own.

# %%
# eq: 5.11
figures.show_source(forward.marginal)

# %% [markdown]
# This is what the closed form is **for**: training picks a random time for each image and needs
# $x_t$ there. Simulating the chain takes $t$ random numbers per pixel, the closed form takes one.
# Training therefore never runs the chain. Only sampling goes step by step, on the way back.

# %% [markdown] topics="C087 C092"
# ## A batch of images
#
# ### Exercise 5.5 · A batch in which every image has its own time
#
# In training, each image of a batch gets its own random $t$. Write (5.11) for a batch:
# `t` has shape `(B,)`, `x_0` and `eps` have shape `(B, D)`. Careful: if `B` equals `D`, a factor of
# shape `(B,)` multiplies the **wrong axis**, without an error. The tables `schedule.signal` and `schedule.noise`
# hold the signal and the noise factor of every time. (Other libraries call this function `q_sample` or `add_noise`.)

# %% tags=["exercise"]
def my_noised(schedule, x_0, t, eps):
    """Return x_t, shape (B, D): item i of the batch at its own time t[i]."""
    ### BEGIN SOLUTION
    signal, noise = row(schedule.signal, t), row(schedule.noise, t)
    return coef(signal, x_0) * x_0 + coef(noise, x_0) * eps
    ### END SOLUTION


noised = check("forward.noised", my_noised)

# %% [markdown]
# **Predict.** Below are eight digits at eight times. Up to which time will *you* still recognize the digit?

# %%
images, labels = digits("train")
picked = images[torch.tensor([(labels == d).nonzero()[0].item() for d in range(8)])]
times = torch.tensor([1, 50, 150, 250, 350, 500, 700, 1000])
flat = picked.flatten(1)
batch = noised(schedule, flat, times, normal_like(flat, generator=seeded(9)))
both = torch.cat([picked, batch.reshape(picked.shape)])
fig = figures.images(both, [f"t = {t}" for t in times.tolist()], columns=8, limit=1.5,
                     row_labels=["clean", "at time t"])
figures.show(fig, alt="Eight clean digits, and below each the same one at a later and later time.")
match = torch.corrcoef(torch.cat([batch, flat]))[:8, 8:].diagonal()
print("signal factor:                  ", [round(v, 2) for v in schedule.signal[times].tolist()])
print("correlation with the clean one: ", [round(c, 2) for c in match.tolist()])

# %% [markdown]
# Eight digits, eight times, one line of code and no chain. The correlation roughly follows the signal factor,
# with the scatter to be expected from only 64 pixels.

# %% [markdown]
# ### Detour · Two factors whose squares add to 1
#
# The signal factor and the noise factor are sometimes called the weights of an average. Where is their plain sum
# largest, and how large is it?

# %%
# claim: E108
fig = figures.curves(
    range(1001),
    {"signal factor sqrt(abar)": schedule.signal, "noise factor sqrt(1 - abar)": schedule.noise,
     "sum of their squares": schedule.signal**2 + schedule.noise**2},
    xlabel="time t, steps", ylabel="factor", height=2.8,
)
figures.show(fig, alt="The signal factor falls from 1 to 0.006 as the noise factor rises to 1.")
total = schedule.signal + schedule.noise
crossing = int((schedule.abar < 0.5).nonzero()[0])
print(f"the factors cross at t = {crossing}; their sum there is {total.max():.4f}, the largest")
print(f"at t = 1000 the signal factor is {schedule.signal[1000]:.6f}")

# %%
# claim: E120
for beta in (0.02, 0.9):  # a single step from x = 1: its mean and std are the two factors
    q_1 = forward.transition(schedules.from_beta([beta]), torch.ones(1, 1).double(), 0, 1)
    a, b = q_1.mean.item(), q_1.var.sqrt().item()
    print(f"a step of beta = {beta}: factors add to {a + b:.4f}, squares to {a**2 + b**2:.4f}")

# %% [markdown]
# At $\bar\alpha_t = \tfrac12$, where signal and noise are equally strong (here $t = 260$), the sum is 1.4142. Think of
# the legs of a right triangle with hypotenuse 1: it is the variances that add to 1, not the amplitudes. The squares add
# to 1 for every $\beta$, small or large. Small betas and a large $T$ have other purposes: a large sum of betas drives
# $\bar\alpha_T$ toward 0, and small betas make the way back learnable. The next sections show both.

# %% [markdown] topics="C088 C094"
# ## The end of the chain
#
# As $\bar\alpha_t \to 0$, (5.11) becomes $x_T \approx \epsilon$: mean 0 and variance 1, whatever the image was.
#
# **We know where the way back starts**: at $N(0, I)$, from which we can sample without any image. Gaussian noise is our
# choice. Many small noises of another shape would also add up to a nearly normal distribution, by the central
# limit theorem; Gaussian noise makes it exact at *every* $t$, and the normal distribution is easy to sample.
#
# **The end has forgotten the image**, or nearly so. How much is left? The Kullback–Leibler divergence of [02](02_distributions.ipynb) measures it: the expected extra cost, in *nats*
# (divide by $\log 2$ for *bits*), of describing samples from $q$ as if they came from $p$. For two normal distributions in
# one dimension
#
# $$\mathrm{KL}\big(N(m, v) \,\|\, N(0, 1)\big) = \tfrac12\,\big[\,v + m^2 - 1 - \log v\,\big]. \tag{5.13}$$
#
# Insert the end of the chain, $m = \sqrt{\bar\alpha_T}\,x_0$ and $v = 1-\bar\alpha_T$, and sum over the
# dimensions. This is the **prior term** $L_T$ of the bound in chapter 08:
#
# $$L_T = \mathrm{KL}\big(q(x_T \mid x_0) \,\|\, N(0, I)\big)
# = \tfrac12 \sum_{\text{dims}} \big[(1-\bar\alpha_T) + \bar\alpha_T x_0^2 - 1 - \log(1-\bar\alpha_T)\big]. \tag{5.14}$$
#
# **Predict.** To save time, someone shortens the chain from $T = 1000$ to $T = 100$ and keeps
# $\beta$ running from 0.0001 to 0.02. What happens to the end?

# %%
# eq: 5.13, 5.14
# claim: E62
one = torch.ones(1, 1, dtype=torch.float64)  # one dimension with x_0^2 = 1
prior = Gaussian(torch.zeros_like(one), torch.ones((), dtype=torch.float64))
ends = {
    "linear, T = 1000": schedule,
    "the same, stopped at t = 500": schedules.Schedule("cut", schedule.abar[:501]),
    "1e-4 … 0.02 in T = 100": schedules.linear(T=100),
    "cosine, T = 1000": schedules.cosine(),
}
for name, s in ends.items():
    L_T, abar_T = gaussians.kl(forward.marginal(s, one, s.T), prior).item(), s.abar[-1].item()
    formula = 0.5 * ((1 - abar_T) + abar_T - 1 - math.log1p(-abar_T))  # (5.14) with x_0 = 1
    print(f"{name:>27}: signal {math.sqrt(abar_T):.5f}, "
          f"L_T = {L_T:.3g} nats, by (5.14) {formula:.3g}")

# %% [markdown]
# With the full chain, $L_T$ is 2.02e-05 nats for a dimension with $x_0^2 = 1$. With the same range of $\beta$ in 100
# steps it is 0.226 nats, more than ten thousand times as much: the signal factor is 0.60, so 60 % of the
# image's amplitude is still there, while sampling starts as if nothing were left of it. "The prior term is about zero" is a
# statement about a schedule **and** its $T$. Stopping the usual chain halfway costs 0.0409 nats; the cosine schedule gets
# far closer to pure noise than it needs to.

# %% [markdown]
# ### Detour · How far from noise do the digits end?
#
# The same number for real images, in bits per dimension, by a function that you write.

# %% [markdown]
# #### Exercise 5.6 · The prior term in bits per dimension
#
# Return $L_T$ for each item of a batch in **bits per dimension**. You may use `forward.marginal`,
# `gaussians.kl` (nats, summed over an item) and `losses.bits_per_dim(nats, x_0)`. Two things to watch: the
# prior's mean needs the shape of `x_0`, and the check uses a short chain, so ask for `schedule.T`.

# %% tags=["exercise"]
def my_prior_bits(schedule, x_0):
    """Return KL(q(x_T | x_0) || N(0, I)) for each item of x_0, bits per dimension: shape (B,)."""
    ### BEGIN SOLUTION
    end = forward.marginal(schedule, x_0, schedule.T)
    prior = Gaussian(torch.zeros_like(x_0), torch.ones((), dtype=x_0.dtype))
    return losses.bits_per_dim(gaussians.kl(end, prior), x_0)
    ### END SOLUTION


prior_bits = check("forward.prior_bits", my_prior_bits)
real = digits("all")[0].double()
for s in (schedule, schedules.linear(T=100), schedules.cosine()):
    bits = prior_bits(s, real).mean()
    print(f"{s.name:>7}, T = {s.T:4}: {bits:.3g} bits/dim on {len(real)} real digits")
print(f"mean square of a pixel: {(real**2).mean():.3f}")

# %% [markdown]
# On real digits the full chain leaves 2.09e-05 bits per pixel, the short one 0.252. (In nats both are less than
# for $x_0^2 = 1$ above, because the mean square of a pixel is 0.717.)

# %% [markdown]
# ### Detour · What does $x_t$ still know about $x_0$?
#
# The two groups of the first figure in numbers: how far apart are they at each time, and how much can $x_t$ reveal
# about its start?

# %%
# claim: E15, E70
for var_0 in (0.25, 4.0):
    print(f"Var x_0 = {var_0}: Var x_T = {1 + schedule.abar[-1] * (var_0 - 1):.6f}")
both = torch.tensor([[-2.0], [2.0]], dtype=torch.float64)
for t in (1, 100, 300, 600, 1000):
    q_t = forward.marginal(schedule, both, t)
    apart = gaussians.kl(Gaussian(q_t.mean[:1], q_t.var), Gaussian(q_t.mean[1:], q_t.var)).item()
    known = schedule.information[t].item()
    print(f"t = {t:4}: KL of the two groups {apart:8.2e} nats; "
          f"x_t tells at most {known:.2e} nats about x_0")

# %% [markdown]
# The KL between the two groups is 80,000 nats at $t = 1$ and 0.0003 nats at the end.
# The last column is the most that one component of $x_t$ can reveal about $x_0$ if the data have variance 1;
# chapter 06 derives it. It falls from 4.6 nats to $2\cdot 10^{-5}$, which is $L_T$ again:
# for data with $x_0^2 = 1$ both are $-\tfrac12\log(1-\bar\alpha_T)$. The variance at the end is close to 1 but equals it only in
# the limit, unless the data had variance 1 to begin with.
#
# Diffusion models are praised for having no *posterior collapse*, the failure of VAEs in which the code says nothing about
# the image. True: this encoder is not trained, so it cannot collapse. But its last code $x_T$ says almost nothing about the
# image, **by design**.

# %% [markdown] topics="C069 C071 C072 C075 C076"
# ## Where this chain comes from
#
# [Chapter 04](04_elbo_and_vae.ipynb) ended with a *hierarchical* VAE: an image is explained by several latent variables
# $z_1, \dots, z_T$, each encoded from the one before. A diffusion model is that hierarchical VAE with $T$ levels, with
# $z_t = x_t$ of the same size as the image. Write $x_{0:T}$ for all of $x_0, x_1, \dots, x_T$. Encoder and decoder define two
# **joint distributions**:
#
# $$q(x_{0:T}) = q(x_0) \prod_{t=1}^{T} q(x_t \mid x_{t-1}),
# \qquad p_\theta(x_{0:T}) = p(x_T) \prod_{t=1}^{T} p_\theta(x_{t-1} \mid x_t), \tag{5.15}$$
#
# where $p(x_T) = N(0, I)$ and $\theta$ stands for the weights of the network. [Ho20] makes three simplifying choices: the
# **encoder is fixed** (it is the chain of this chapter and learns nothing), each **reverse step is Gaussian** with a
# fixed variance, and the network predicts the **noise** instead of the mean.
#
# Training makes the two joint distributions alike. Does that make the distribution of the *images* right? Yes: dropping
# variables never increases the KL divergence, so pushing down the KL of the joints pushes down a ceiling on the KL of the
# images. Chapter 08 splits this ceiling into its terms.

# %% [markdown]
# ### Detour · The ceiling in numbers
#
# A chain of one step, a decoder that is slightly wrong, and both KL divergences.

# %% [markdown]
# Dropping variables never increases the KL divergence:
#
# $$\mathrm{KL}\big(q(x_0) \,\|\, p_\theta(x_0)\big) \;\le\;
# \mathrm{KL}\big(q(x_{0:T}) \,\|\, p_\theta(x_{0:T})\big). \tag{5.16}$$
#
# Check it for one step in one dimension, with data $N(0, 1)$ and $\beta = 0.3$. The exact decoder is
# $x_0 = \sqrt{0.7}\,x_1 + \sqrt{0.3}\,z$; ours is slightly wrong, with a factor 10 % too small.

# %%
# eq: 5.15, 5.16
from torch.distributions import MultivariateNormal, kl_divergence

a = math.sqrt(0.7)  # q: x_0 ~ N(0, 1) and x_1 = a x_0 + sqrt(0.3) eps, so x_1 ~ N(0, 1) too


def joint(b):
    """The distribution of (x_0, x_1) if x_1 ~ N(0, 1) and x_0 = b x_1 + sqrt(0.3) z."""
    return MultivariateNormal(torch.zeros(2), torch.tensor([[b * b + 0.3, b], [b, 1.0]]))


for name, b in (("10 % too small", 0.9 * a), ("exact", a)):
    data, decoded = (Gaussian(torch.zeros(1), torch.tensor(v)) for v in (1.0, b * b + 0.3))
    print(f"decoder's factor {name}: KL of the joints {kl_divergence(joint(a), joint(b)):.4f} "
          f"nats, KL of x_0 {gaussians.kl(data, decoded).item():.4f} nats")

# %% [markdown]
# The joint KL, 0.0117 nats, is above the KL that we care about, 0.0053; with the exact decoder both
# are 0.

# %% [markdown] topics="C070"
# ## Why are the steps small?
#
# The reverse step $q(x_{t-1} \mid x_t)$ is what the network has to imitate, and all it has is a Gaussian. Small steps make
# that possible. Approximating a curve by straight lines works the same way: one long piece fits badly, but many short
# pieces fit well.
#
# **Predict.** The data have two modes, at ±0.97. A point is at $x_1 = 0.3$ after *one* noising step. What does the
# distribution of its $x_0$ look like if that step was large ($\beta = 0.5$)? If it was small ($\beta = 0.02$)?

# %%
x = torch.linspace(-3, 3, 3001, dtype=torch.float64)
modes = ideal_denoisers.two_modes()
data = ideal_denoisers.log_density(modes, schedule, x[:, None], 0).exp()  # q(x_0) on a grid


def way_back(x_1, beta):
    """q(x_0 | x_1) on the grid, by Bayes: proportional to q(x_0) q(x_1 | x_0)."""
    p = data * torch.exp(-((x_1 - math.sqrt(1 - beta) * x) ** 2) / (2 * beta))
    return p / (p.sum(-1, keepdim=True) * 0.002)  # 0.002 is the spacing of the grid


def moments(p):
    mean = (p * x).sum(-1, keepdim=True) * 0.002
    return mean, (p * (x - mean) ** 2).sum(-1, keepdim=True) * 0.002


# %%
fig, axes = figures.new(1, 2, height=2.6)
for ax, beta in zip(axes, (0.5, 0.02)):
    p = way_back(0.3, beta)
    mean, var = moments(p)
    normal = torch.exp(-((x - mean) ** 2) / (2 * var)) / (2 * math.pi * var).sqrt()
    figures.curves(x, {"q(x_0 | x_1)": p, "Gaussian": normal}, ax=ax, title=f"beta = {beta}",
                   xlabel="x_0, data units", ylabel="density")
    print(f"beta = {beta}: mean {mean.item():.3f}, standard deviation {var.sqrt().item():.3f}")
figures.show(fig, alt="For beta 0.5 the way back has two modes; for beta 0.02 it is one bell.")

# %% [markdown]
# After the large step the point may have come from either mode, which no Gaussian can express. After the small
# step it must have come from nearby. Measured over all $x_1$ (in the detour), the way back is 0.677 nats from a Gaussian
# after the large step, and 0.000020 nats after a step of $\beta = 0.004$. This is why
# diffusion models take many small steps.

# %% [markdown]
# ### Detour · How far from a Gaussian is the way back?
#
# The expected KL divergence, for four sizes of a step.

# %% [markdown]
# We take the KL from the true reverse step to a Gaussian with the same mean and, as in the model, one variance for all
# $x_1$ (the best one), and average over $x_1$.

# %%
# claim: E19
def gap(beta):
    """Expected KL from q(x_0 | x_1) to a Gaussian of the same mean and one variance, nats."""
    x_1 = torch.linspace(-4, 4, 401, dtype=torch.float64)[:, None]
    p = way_back(x_1, beta)
    often = (data * torch.exp(-((x_1 - math.sqrt(1 - beta) * x) ** 2) / (2 * beta))).sum(1)
    entropy = -(p * p.clamp(min=1e-300).log()).sum(1) * 0.002
    var = (moments(p)[1][:, 0] * often).sum() / often.sum()  # the best single variance
    kl = 0.5 * torch.log(2 * torch.pi * torch.e * var) - entropy
    return float((kl * often).sum() / often.sum())


gaps = {beta: gap(beta) for beta in (0.5, 0.1, 0.02, 0.004)}
for beta, nats in gaps.items():
    print(f"beta = {beta:5}: {nats:.6f} nats from a Gaussian")
print(f"from beta = 0.02 to 0.004: a factor of {gaps[0.02] / gaps[0.004]:.0f}")

# %% [markdown]
# Going from $\beta = 0.02$ to 0.004 takes five times as many steps and makes the gap of this single step 54 times smaller.
# Over a whole chain with fixed ends the total gap falls more slowly, roughly like one over the number of steps; chapter
# 08 measures that in a detour.

# %% [markdown]
# ## Detour · Does a path of normal steps explain it?
#
# Between any two distributions there is a path of simple normal steps. But that is not why many steps beat one: even a
# single step has that power.

# %% [markdown] topics="C077"
# Let $z \sim N(0,1)$, and let $\Phi$ and $F$ be the distribution functions of the normal distribution and of the target. Then
# $F^{-1}(\Phi(z))$ has exactly the target distribution. The next cell does it for the density $p(x) = 2x$, with one normal step
# $N(F^{-1}(\Phi(z)),\, 0.001^2)$.

# %%
# claim: E06
def largest_gap(x):
    """Largest distance between the distribution function of the samples and F(x) = x^2."""
    n = len(x)
    return (x.clamp(0, 1).sort().values ** 2 - torch.arange(1, n + 1) / n).abs().max()


z = normal_like(torch.empty(100_000, dtype=torch.float64), generator=seeded(1))
single = torch.special.ndtr(z).sqrt() + 0.001 * normal_like(z, generator=seeded(2))
exact = torch.special.ndtr(normal_like(z, generator=seeded(3))).sqrt()
print(f"one normal step: {largest_gap(single):.4f}; exact samples: {largest_gap(exact):.4f}")

# %% [markdown]
# One step does as well as exact sampling. What is special about *this* chain is not that a path exists, but
# that each of its small steps can be *learned*, by plain regression.

# %% [markdown]
# ## Recap
#
# One step of the forward process shrinks the image by $\sqrt{1-\beta_t}$ and adds noise of variance $\beta_t$. The
# shrinking draws every variance toward 1. Independent Gaussian noises merge, so two steps are one step and,
# by induction, a thousand steps are one line; a simulation of 20,000 chains agrees with it. At the end the image is
# forgotten up to $2\cdot 10^{-5}$ nats per dimension, provided the
# schedule really reaches noise. And the steps are small so that each reverse step is nearly Gaussian.
#
# **One formula to keep**
#
# $$x_t = \sqrt{\bar\alpha_t}\; x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon$$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | the noise is scaled by $\sqrt{\beta_t}$: $\beta_t$ is a variance | scaled by $\beta_t$ | one step |
# | a variance of 1 is preserved, any other is drawn toward 1 | the scaling preserves the variance | 0.25 → 0.3272, 0.7027, 1.0000 |
# | the prior term depends on the schedule and $T$ | the prior term is zero | 2.02e-05 or 0.226 nats |
#
# **Exercises:** 5.1 `forward.step` · 5.2 `forward.keep_variance` · 5.3 `forward.merge` · 5.4
# `forward.marginal` · 5.5 `forward.noised` · 5.6 `forward.prior_bits`
#
# **To think about.** Isotropic noise makes all formulas one-dimensional. Would noise that is stronger in smooth regions be
# better? It could change how many steps are needed, not *which* data can be modeled.
#
# **Before:** [04 · The bound and the VAE](04_elbo_and_vae.ipynb), or straight from
# [00 · Start here](00_start_here.ipynb) · **Next:**
# [06 · How fast should the signal go?](06_schedules_and_snr.ipynb)
