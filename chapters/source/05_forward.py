# %% [markdown]
# # 05 · How does data become noise, in one line?
#
# You have a picture, and a recipe that adds a little noise, a thousand times over. Where does the
# picture end up? And do you really have to walk all thousand steps to know?
#
# **After this chapter you can**
#
# - write one noising step, and say what its square root is for,
# - merge any number of steps into one line, and prove it,
# - check that line against a simulation, with error bars,
# - say how far the end of the chain is from pure noise, in bits.
#
# **You need** [00 · Start here](00_start_here.ipynb), the normal law, and one fact about it: the
# variances of independent noises add ([02 · Distributions](02_distributions.ipynb) has both). Everything else is introduced on the way. About 60 minutes to read
# and work through; it runs in under a minute.
#
# **In the papers:** [Ho20] Ho, Jain and Abbeel 2020, Sec. 2, Eq. 2–4; [SD15] Sohl-Dickstein et al.
# 2015, where the idea comes from.

# %%
import math

import sympy as sp
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, losses, schedules
from ddpm_lab.course import figures
from ddpm_lab.datasets import digits
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded
from ddpm_lab.schedules import coef, row

schedule = schedules.linear()  # beta from 1e-4 to 0.02 in 1000 steps
print(schedule)

# %% [markdown]
# ## A first look: two crowds, one end
#
# Put 300 walkers at $x_0 = -2$ and 300 at $x_0 = +2$. Each takes a thousand small noisy steps.
#
# **Predict.** Will the two crowds still be apart at the end?

# %%
starts = torch.tensor([-2.0, 2.0], dtype=torch.float64).repeat_interleave(300)[:, None]
paths = torch.stack([x_t for t, x_t in forward.chain(schedule, starts, generator=seeded(5))])
left, right = paths[:, :300, 0], paths[:, 300:, 0]  # (1000 times, 300 walkers)

fig, ax = figures.new(height=3.2)
steps = torch.arange(1, 1001)
for crowd, color, name in ((left, figures.BLUE, "x_0 = -2"), (right, figures.RED, "x_0 = +2")):
    ax.plot(steps, crowd[:, :15], color=color, linewidth=0.5, alpha=0.5)
    ax.plot(steps, crowd.mean(1), color=color, linewidth=2.5, label=f"mean of 300 from {name}")
ax.set(xlabel="time t, steps", ylabel="x_t, data units", title="15 of each 300 paths, and means")
ax.legend(loc="upper right", fontsize=9)
figures.show(fig, alt="Two bundles of noisy paths, from -2 and +2, have merged by t = 800.")
for t in (1, 300, 1000):
    print(f"t = {t:4}: means {left[t - 1].mean():+.3f} {right[t - 1].mean():+.3f}, "
          f"stds {left[t - 1].std():.3f} {right[t - 1].std():.3f}")
print(f"chance moves a mean of 300 by about {1 / math.sqrt(300):.2f}")

# %% [markdown]
# The two means shrink from ±2 to near 0 (with 300 walkers chance alone moves a mean by about ±0.06), and
# both spreads grow to about 1. At $t = 1000$ you could
# no longer tell from a walker where it came from. That is what we want: **every** start ends in the
# same simple law, so a walk *back* can begin without knowing anything.
#
# Three questions are left. What exactly is one step? Why does the spread stop at 1? And is there a
# way to know $x_t$ without walking? The rest of the chapter answers them.

# %% [markdown]
# ## One step
#
# Here is the recipe of one step, as a law and as a sample:
#
# $$q(x_t \mid x_{t-1}) = N\big(\sqrt{1-\beta_t}\; x_{t-1},\; \beta_t I\big) \tag{5.3}$$
#
# $$x_t = \sqrt{\alpha_t}\; x_{t-1} + \sqrt{\beta_t}\; \epsilon_t,
# \qquad \alpha_t = 1 - \beta_t,\quad \epsilon_t \sim N(0, I). \tag{5.4}$$
#
# Both say the same. A normal with mean $a$ and variance $b^2$ is $a + b\,\epsilon$: shift and stretch
# a standard normal. The $I$ says that every pixel gets its own, independent noise of the same strength.
# And mind the root: $\beta_t$ is a **variance**, so the noise is multiplied by $\sqrt{\beta_t}$. Writing
# $\beta_t$ there is a common slip, in print as well.
#
# In code a move has two times, an earlier `s` and a later `t`; the step (5.3) is `s = t - 1`.

# %%
# eq: 5.3, 5.4
x_s = torch.full((200_000, 1), 0.5, dtype=torch.float64)  # everybody stands at 0.5 at s = 499
one_step = forward.transition(schedule, x_s, 499, 500)  # the law of x_500 given x_499
x_t = draw(one_step, normal_like(x_s, generator=seeded(3)))
print(f"beta_500 = {schedule.beta[500]:.5f}")
print(f"mean {x_t.mean():.5f}, the law says {math.sqrt(1 - schedule.beta[500]) * 0.5:.5f}")
print(f"var  {x_t.var():.5f}, the law says {schedule.beta[500]:.5f}")

# %% [markdown]
# ### Exercise 5.1 · One step by hand
#
# Write (5.4). `z` is standard normal noise, already drawn. The table `schedule.beta` has a row for
# every time: `schedule.beta[t]` belongs to the step that **ends** at `t`.

# %% tags=["exercise"]
def my_step(schedule, x, t, z):
    """Return x_t, given x at time t - 1 and the noise z."""
    ### BEGIN SOLUTION
    beta_t = schedule.beta[t]
    return (1 - beta_t).sqrt() * x + beta_t.sqrt() * z
    ### END SOLUTION


step = check("forward.step", my_step)

# %% [markdown]
# ## What is the square root for?
#
# Why shrink $x$ at all? Adding noise would be enough to drown the picture.
#
# **Predict.** Three data sets have variance 0.25, 1 and 4. What is the variance of $x_t$ at
# $t = 1000$, (a) with the factor $\sqrt{1-\beta_t}$, (b) without it? (For (b): there are 1000 betas, and
# they are 0.01 on average.)
#
# Take variances on both sides of (5.4). The two parts are independent, so
#
# $$\operatorname{Var} x_t = (1-\beta_t)\operatorname{Var} x_{t-1} + \beta_t. \tag{5.5}$$
#
# If $\operatorname{Var} x_{t-1} = 1$ the right side is 1 again, for *every* $\beta_t$. If it is not 1,
# subtract 1 on both sides: $\operatorname{Var} x_t - 1 = (1-\beta_t)(\operatorname{Var} x_{t-1} - 1)$.
# The distance from 1 shrinks by $\alpha_t$ in each step, so
#
# $$\operatorname{Var} x_t = 1 + \bar\alpha_t\,(\operatorname{Var} x_0 - 1),
# \qquad \bar\alpha_t = \alpha_1 \alpha_2 \cdots \alpha_t. \tag{5.6}$$

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
          f"at t = 100, 300, 1000; (5.6) agrees: {bool((var - formula).abs().max() < 1e-12)}")
growth["without it, Var x_0 = 1"] = without = 1 + schedule.beta.cumsum(0)
print(f"without the factor: Var x_0 + {without[-1] - 1:.2f}")
fig = figures.curves(range(1001), growth, xlabel="time t, steps", ylabel="Var x_t", height=3)
figures.show(fig, alt="With the factor all three variances go to 1; without it one grows to 11.05.")

# %% [markdown]
# With the factor, every start is drawn to 1: from 0.25 to 0.3272, 0.7027 and 1.0000; from 4 to 3.6911,
# 2.1893 and 1.0001. Without it 10.05 is added to whatever the data had, and more steps would add more.
#
# Two corrections to what is often said:
#
# - "The scaling keeps the variance." Only if it is 1 at the start; any other is *drawn to* 1. That is why
#   data are scaled first. (Scaling pixels to [−1, 1] brings them near 1, not to 1: the digits of this
#   course have 0.57, as a cell below prints.)
# - "Without the scaling the process is wrong." It is another convention, called *variance exploding*.
#   Divide its $x_t$ by $\sqrt{1 + \sum\beta}$ and you have a scaled chain again, with
#   $\bar\alpha_t = 1/(1+\sum_{s\le t}\beta_s)$. Such models work; they need far more noise than these
#   betas add.
#
# How far these betas get without the factor shows in what the end remembers of its start:

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
# Without the factor a third of the start is still there (0.301). With it, 0.006. So "the end is Gaussian noise
# because noise is added many times" leaves out half of the recipe: noise added many times *and nothing shrunk*
# ends at $N(x_0, 10.05)$, around its start.
#
# ### Exercise 5.2 · Keep the variance of your own data
#
# Suppose the data have variance `var`, not 1, and each step adds noise of variance `beta`. Which
# factor $f$ in $x_t = f\,x_{t-1} + \sqrt{\beta}\,\epsilon$ keeps the variance at `var`? (With
# `var = 1` your formula must give $\sqrt{1-\beta}$.)

# %% tags=["exercise"]
def my_factor(var, beta):
    """Return the factor on x that keeps its variance at `var`; a float."""
    ### BEGIN SOLUTION
    return math.sqrt(1 - beta / var)
    ### END SOLUTION


keep_variance = check("forward.keep_variance", my_factor)

# %% [markdown]
# ## Two steps are one step
#
# Now the trick that makes diffusion practical. Insert the first step into the second, line by line:
#
# $$\begin{aligned}
# x_2 &= \sqrt{\alpha_2}\; x_1 + \sqrt{\beta_2}\;\epsilon_2 \\
#     &= \sqrt{\alpha_2}\,\big(\sqrt{\alpha_1}\; x_0 + \sqrt{\beta_1}\;\epsilon_1\big) + \sqrt{\beta_2}\;\epsilon_2 \\
#     &= \sqrt{\alpha_2 \alpha_1}\; x_0 + \underbrace{\sqrt{\alpha_2 \beta_1}\;\epsilon_1 + \sqrt{\beta_2}\;\epsilon_2}_{\text{two noises}} .
# \end{aligned} \tag{5.7}$$
#
# **Predict.** $\epsilon_1$ and $\epsilon_2$ are independent. What is the variance of the two noises
# together?
#
# <details><summary>Answer</summary>
#
# Variances of independent noises add: $\alpha_2\beta_1 + \beta_2$. (Standard deviations do not.)
#
# </details>
#
# The sum of independent normals is normal. So the two noises are **one** noise
# $\sqrt{\alpha_2\beta_1 + \beta_2}\;\bar\epsilon$ with $\bar\epsilon \sim N(0, I)$: not the same
# number, but the same law. And its variance has a short form:
#
# $$\alpha_2\beta_1 + \beta_2 \;=\; \alpha_2(1-\alpha_1) + (1-\alpha_2) \;=\; 1 - \alpha_1\alpha_2. \tag{5.8}$$

# %%
# eq: 5.7, 5.8
alpha_1, alpha_2 = sp.symbols("alpha_1 alpha_2", positive=True)
beta_1, beta_2 = 1 - alpha_1, 1 - alpha_2
x0, eps_1, eps_2 = sp.symbols("x_0 epsilon_1 epsilon_2")
x1 = sp.sqrt(alpha_1) * x0 + sp.sqrt(beta_1) * eps_1
x2 = sp.expand(sp.sqrt(alpha_2) * x1 + sp.sqrt(beta_2) * eps_2)
noise_var = x2.coeff(eps_1) ** 2 + x2.coeff(eps_2) ** 2
factor_gap = sp.simplify(x2.coeff(x0) - sp.sqrt(alpha_1 * alpha_2))
var_gap = sp.simplify(noise_var - (1 - alpha_1 * alpha_2))
print("factor on x_0, minus sqrt(alpha_1 alpha_2): ", factor_gap)
print("noise variance, minus (1 - alpha_1 alpha_2):", var_gap)

# %% [markdown]
# Both differences are 0: the algebra holds. Does the simulation agree? And what if the two noises
# were *not* independent? Take $\beta_1 = \beta_2 = 0.02$.

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
# Independent noises give 0.0395, and (5.8) says 0.0396. The same noise twice gives 0.0789, twice as much:
# merging **needs** independence. So does (5.5), of a noise and the place it is added to: with a correlation of 0.5
# one step takes the variance from 1 to 1.14. And "one noise" is meant *in law*: the merged noise is another
# number than either.
#
# ### Exercise 5.3 · Merge any number of steps
#
# Two steps were (5.7). Now merge as many as there are: `betas` is a list of numbers. Return the factor on
# $x_0$ and the variance of the merged noise. Do it step by step: what does one more step do to each?

# %% tags=["exercise"]
def my_merge(betas):
    """Return (factor on x_0, variance of the merged noise) after all steps; two floats."""
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

# %% [markdown]
# ## And so are a thousand: induction
#
# Suppose that after $t-1$ steps we have already merged everything into one noise:
#
# $$x_{t-1} = \sqrt{\bar\alpha_{t-1}}\; x_0 + \sqrt{1-\bar\alpha_{t-1}}\;\bar\epsilon_{t-1}. \tag{5.9}$$
#
# For $t - 1 = 0$ this holds, because $\bar\alpha_0 = 1$. (Our tables have that row: row 0 is clean
# data. Leave it out, and every second formula needs a special case.) One more step gives
#
# $x_t = \sqrt{\alpha_t\bar\alpha_{t-1}}\; x_0
# + \sqrt{\alpha_t(1-\bar\alpha_{t-1})}\;\bar\epsilon_{t-1} + \sqrt{\beta_t}\;\epsilon_t$,
# and the variances of the two independent noises add up to
#
# $$\alpha_t(1-\bar\alpha_{t-1}) + \beta_t = 1 - \alpha_t\bar\alpha_{t-1} = 1 - \bar\alpha_t. \tag{5.10}$$
#
# So (5.9) holds at $t$ as well, and therefore at every $t$. The chain has become one line:
#
# $$\boxed{\;x_t = \sqrt{\bar\alpha_t}\; x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon,
# \qquad q(x_t \mid x_0) = N\big(\sqrt{\bar\alpha_t}\,x_0,\,(1-\bar\alpha_t) I\big)\;} \tag{5.11}$$
#
# The one noise $\epsilon$ is made of all the small ones:
#
# $$\bar\epsilon_t = \frac{\sqrt{\alpha_t}\sqrt{1-\bar\alpha_{t-1}}\;\bar\epsilon_{t-1}
# + \sqrt{\beta_t}\;\epsilon_t}{\sqrt{1-\bar\alpha_t}}. \tag{5.12}$$

# %%
# eq: 5.9, 5.10, 5.12
alpha_t, abar_s = sp.symbols("alpha_t abar_s", positive=True)  # abar_s stands for abar_{t-1}
left_side = alpha_t * (1 - abar_s) + (1 - alpha_t)
print("(5.10) left minus right:", sp.simplify(left_side - (1 - alpha_t * abar_s)))

merged = torch.zeros(50_000, dtype=torch.float64)
rng = seeded(4)
for t in range(1, 1001):
    fresh = normal_like(merged, generator=rng)
    old = schedule.alpha[t].sqrt() * schedule.noise[t - 1] * merged
    merged = (old + schedule.beta[t].sqrt() * fresh) / schedule.noise[t]  # (5.12)
fourth = (merged**4).mean()
print(f"the merged noise after 1000 steps: mean {merged.mean():+.4f}, variance {merged.var():.4f}, "
      f"4th moment {fourth:.3f} (a normal has 3)")

# %% [markdown]
# A thousand noises, merged by (5.12), are again standard normal: mean near 0, variance near 1, fourth
# moment near 3.
#
# A remark before you write it down yourself: the bar in $\bar\alpha_t = \prod_{s=1}^{t}\alpha_s$ means
# "product **up to t**". You may meet it printed with the product up to $T$; then every time would be the
# end.
#
# ### Exercise 5.4 · The whole walk in one jump
#
# Write $q(x_t \mid x_0)$ as a `Gaussian(mean, var)`. `row(schedule.abar, t)` gives $\bar\alpha_t$, for
# one time or for a batch of times; `coef(value, x_0)` shapes it so that it fits `x_0`.

# %% tags=["exercise"]
def my_marginal(schedule, x_0, t):
    """Return the Gaussian q(x_t | x_0)."""
    ### BEGIN SOLUTION
    signal_share = row(schedule.abar, t)
    mean = coef(signal_share.sqrt(), x_0) * x_0
    return Gaussian(mean, coef(1 - signal_share, x_0))
    ### END SOLUTION


marginal = check("forward.marginal", my_marginal)

# %% [markdown]
# One more remark, on numbers. $1 - \bar\alpha_1$ is a small difference of large numbers. Whoever stores
# $\bar\alpha$ in float32 and subtracts then loses digits:

# %%
early = 1 - schedule.abar.float()[1]  # cast first, subtract then
late = (1 - schedule.abar[1]).float()  # subtract first, cast then
exact = 1e-4
for name, value in (("cast first", early.item()), ("cast last", late.item())):
    print(f"1 - abar_1, {name:>10}: {value:.6e}, relative error {abs(value / exact - 1):.0e}")

# %% [markdown]
# That is why our tables are float64, and why a coefficient is cast to the data's type as the last thing.

# %% [markdown]
# ## Does the chain agree?
#
# Algebra can be wrong, and so can code. So walk 20,000 chains, step by step, from $x_0 = 3$, and
# compare their mean and variance with the one-line formula. The last two columns say how far off the
# simulation is, in units of its own standard error ($\sqrt{v/n}$ for a mean, $v\sqrt{2/n}$ for the variance
# $v$ of a normal): values within about ±3 are what chance gives.
#
# **Predict.** At $t = 300$ the signal factor is 0.6296. Where is the crowd, and how wide?

# %%
# eq: 5.11
n = 20_000
x_0 = torch.full((n, 1), 3.0, dtype=torch.float64)
walk = forward.chain(schedule, x_0, generator=seeded(60))
snapshots = {t: x_t for t, x_t in walk if t in (100, 300, 1000)}
print("   t     mean  formula      var  formula    off (mean, var)")
for t, x_t in snapshots.items():
    law = marginal(schedule, x_0[:1], t)
    mean, var = law.mean.item(), law.var.item()
    off_mean = (x_t.mean().item() - mean) / math.sqrt(var / n)
    off_var = (x_t.var().item() - var) / (var * math.sqrt(2 / n))
    print(f"{t:4}  {x_t.mean():7.4f}  {mean:7.4f}  {x_t.var():7.4f}  {var:7.4f}    "
          f"{off_mean:+.1f}  {off_var:+.1f}")
print(f"signal factor at t = 300: {schedule.signal[300]:.4f}")

# %%
fig, axes = figures.new(1, 3, height=2.6, sharey=True)
grid = torch.linspace(-4, 4.5, 300, dtype=torch.float64)[:, None]
for ax, (t, x_t) in zip(axes, snapshots.items()):
    law = marginal(schedule, x_0[:1], t)
    density = gaussians.log_prob(Gaussian(law.mean.expand_as(grid), law.var), grid).exp()
    ax.hist(x_t[:, 0], bins=60, density=True, color=figures.SKY, label="20,000 walks")
    ax.plot(grid[:, 0], density, color=figures.RED, label="one line (5.11)")
    ax.set(title=f"t = {t}", xlabel="x_t, data units", xlim=(-4, 4.5))
    print(f"t = {t:4}: peak of the density {density.max():.3f}")
axes[0].set_ylabel("density")
axes[-1].legend(fontsize=9, loc="upper right")
figures.show(fig, alt="Histograms of the walks lie on the formula's bell curves at three times.")

# %% [markdown]
# The walks and the line agree within chance. (Put a wrong $\alpha$ into the formula, and the last two
# columns jump: that is what error bars are for.) At $t = 300$ the mean is 1.8889 and the variance 0.6036,
# and a thousand steps were not needed to know it.
#
# Here is the function that the whole course uses. Compare it with (5.11) and with your own.

# %%
# eq: 5.11
figures.show_source(forward.marginal)

# %% [markdown]
# This is what the closed form is **for**. Training picks a random time for each picture and needs
# $x_t$ there. Walking costs $t$ random numbers for each pixel, jumping costs one. No error piles up.
# So training never walks the chain; only sampling does, on the way back.
#
# **What "Markov" means here.** $x_t$ is independent of $x_0$ *given* $x_{t-1}$. It does not mean that
# they have nothing to do with each other. And $q(x_t \mid x_{t-1}, x_0)$ equals $q(x_t \mid x_{t-1})$,
# not $q(x_t \mid x_0)$, as some walk-throughs print.

# %%
# claim: E109, E112
strong = schedules.from_beta([0.1, 0.1])
x_0 = normal_like(torch.empty(100_000, 1, dtype=torch.float64), generator=seeded(7))
(_, x_1), (_, x_2) = forward.chain(strong, x_0, generator=seeded(8))
left_over = x_2 - math.sqrt(0.9) * x_1  # what x_1 does not explain of x_2
print(f"correlation of x_0 and x_2:                      {correlation(x_0, x_2):.3f}")
print(f"correlation of x_0 and what x_1 leaves of x_2:  {correlation(x_0, left_over):+.3f}")
one, whole = schedule.beta[100].item(), 1 - schedule.abar[100].item()
print(f"t = 100: Var(x_t | x_t-1, x_0) = {one:.5f}, Var(x_t | x_0) = {whole:.5f}, "
      f"{whole / one:.0f} times as much")

# %% [markdown]
# Start and end are strongly correlated, 0.900. Once $x_1$ has explained its part, nothing is left but
# chance. At $t = 100$ the two variances that get confused differ by a factor of 50.
#
# ### Exercise 5.5 · A batch in which everyone has their own time
#
# In training, each picture of a batch gets its own random $t$. Write (5.11) for a batch:
# `t` has shape `(B,)`, `x_0` and `eps` have shape `(B, D)`. Look out: if `B` equals `D`, a factor of
# shape `(B,)` multiplies the **wrong axis**, without an error.

# %% tags=["exercise"]
def my_noised(schedule, x_0, t, eps):
    """Return x_t, shape (B, D): item i of the batch at its own time t[i]."""
    ### BEGIN SOLUTION
    signal, noise = row(schedule.signal, t), row(schedule.noise, t)
    return coef(signal, x_0) * x_0 + coef(noise, x_0) * eps
    ### END SOLUTION


noised = check("forward.noised", my_noised)

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
# Eight digits, eight times, one line of code, no walk. Up to which time can *you* still see the digit
# above? The likeness falls with the signal factor, with the scatter that 64 pixels leave.

# %% [markdown]
# ## Signal and noise, two factors
#
# Read (5.11) as an engineer: $\sqrt{\bar\alpha_t}$ is the **signal factor**, $\sqrt{1-\bar\alpha_t}$
# the **noise factor**.
#
# **Predict.** The two are sometimes called the weights of an average, but it is their squares that add
# to 1. At which $\bar\alpha_t$ is their plain sum largest, and how large is it?

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
print(f"the squares add to 1 within {(schedule.signal**2 + schedule.noise**2 - 1).abs().max():.0e}")
print(f"at t = 1000 the signal factor is {schedule.signal[1000]:.6f}")

# %%
# claim: E120
for beta in (0.02, 0.9):  # a single step from x = 1: its mean and std are the two factors
    law = forward.transition(schedules.from_beta([beta]), torch.ones(1, 1).double(), 0, 1)
    a, b = law.mean.item(), law.var.sqrt().item()
    print(f"a step of beta = {beta}: factors add to {a + b:.4f}, squares to {a**2 + b**2:.4f}")

# %% [markdown]
# At $\bar\alpha_t = \tfrac12$, where signal and noise are equally strong; here that is $t = 260$, and the
# sum is 1.4142 there. Think of the two legs of a right triangle with hypotenuse 1. It is variances that
# are shared out, not amplitudes.
#
# You may read that $T$ must be large and each $\beta$ small *so that* the two parts make up 1. No: for a single
# step with $\beta = 0.02$ the factors add to 1.1314, and the squares add to 1 for a large $\beta$ as well. The two
# wishes have other reasons. A large $T$ (or rather a large sum of betas) empties $\bar\alpha_T$: the next section. Small
# betas make the way back learnable: the end of this chapter.

# %% [markdown]
# ## The end of the chain
#
# As $\bar\alpha_t \to 0$ the line (5.11) becomes $x_T \approx \epsilon$: mean 0 and variance 1,
# whatever the picture was. Two things follow.
#
# **We know where to start the way back**: at $N(0, I)$, which needs no picture. That the end is Gaussian is
# our choice. (Many small noises of another shape would add up to nearly a Gaussian as well, by the central
# limit theorem; Gaussian noise makes it exact at *every* t. Another end needs another kind of damage, such
# as masking.)
#
# **The end has forgotten the picture.** $x_T$ is no code that you could edit: all it knows of the picture
# is bounded by the tiny signal that is left.
#
# How tiny? We need a way to compare two laws. The **Kullback–Leibler divergence**
# $\mathrm{KL}(q \,\|\, p) = E_q[\log q - \log p]$ is the price, in *nats* (divide by $\log 2$ for *bits*), of
# taking draws of $q$ for draws of $p$. It is never negative, 0 only if the laws are equal, and not
# symmetric. For two normals in one dimension, $q = N(m, v)$ against $p = N(0, 1)$, it is
#
# $$\mathrm{KL}\big(N(m, v) \,\|\, N(0, 1)\big) = \tfrac12\,\big[\,v + m^2 - 1 - \log v\,\big]. \tag{5.13}$$
#
# Insert the end of the chain, $m = \sqrt{\bar\alpha_T}\,x_0$ and $v = 1-\bar\alpha_T$, and sum over the
# dimensions. The bound of chapter 08 calls the result $L_T$:
#
# $$L_T = \mathrm{KL}\big(q(x_T \mid x_0) \,\|\, N(0, I)\big)
# = \tfrac12 \sum_{\text{dims}} \big[(1-\bar\alpha_T) + \bar\alpha_T x_0^2 - 1 - \log(1-\bar\alpha_T)\big]. \tag{5.14}$$
#
# **Predict.** Someone shortens the chain from $T = 1000$ to $T = 100$ to save time and keeps
# $\beta$ from 0.0001 to 0.02. What happens to the end?

# %%
# eq: 5.13, 5.14
m, v = torch.tensor([0.6], dtype=torch.float64), torch.tensor(0.5, dtype=torch.float64)
grid = torch.linspace(-8, 9, 20_001, dtype=torch.float64)
log_q = -((grid - m) ** 2) / (2 * v) - 0.5 * math.log(2 * math.pi * v)
log_p = -(grid**2) / 2 - 0.5 * math.log(2 * math.pi)
integral = torch.trapezoid(log_q.exp() * (log_q - log_p), grid)
print(f"KL(N(0.6, 0.5) || N(0, 1)): integral {integral:.6f}, "
      f"(5.13) gives {float(0.5 * (v + m**2 - 1 - v.log())):.6f}")

# %%
# eq: 5.14
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
    print(f"{name:>28}: signal factor {math.sqrt(abar_T):.5f}, "
          f"L_T = {L_T:.3g} nats, (5.14) gives {formula:.3g}")

# %% [markdown]
# With the full chain $L_T$ is 2.02e-05 nats for each number in the picture. Squeezed into 100
# steps it is 0.226 nats, more than ten thousand times as much: the signal factor is 0.60, so 60 % of the
# picture's amplitude is still there when sampling pretends that nothing is. "The prior term is about zero" holds
# for a schedule **and** a $T$. Stopping the usual chain halfway costs 0.0409 nats; the cosine schedule ends
# far closer to noise than it needs to. Chapter 06 finds five tutorials in this trap.
#
# Also, $q(x_T) = N(0, I)$ is a limit. Unless the data were $N(0, I)$ from the start, it is close, not exact:

# %%
# claim: E15, E70
for var_0 in (0.25, 4.0):
    print(f"Var x_0 = {var_0}: Var x_T = {1 + schedule.abar[-1] * (var_0 - 1):.6f}")
both = torch.tensor([[-2.0], [2.0]], dtype=torch.float64)
for t in (1, 100, 300, 600, 1000):
    law = forward.marginal(schedule, both, t)
    apart = gaussians.kl(Gaussian(law.mean[:1], law.var), Gaussian(law.mean[1:], law.var)).item()
    told = schedule.information[t].item()
    print(f"t = {t:4}: KL between the crowds from -2 and +2: {apart:9.2e} nats; "
          f"x_t can tell at most {told:.2e} nats about x_0")

# %% [markdown]
# The two crowds of the first picture are 80,000 nats apart at $t = 1$ and 0.0003 nats apart at the end.
# The last column is the most that one number of $x_t$ can say about $x_0$ when the data have variance 1;
# chapter 06 explains it. It falls from 4.6 nats to $2\cdot 10^{-5}$. (That the last value equals $L_T$ above
# is no accident: for data with $x_0^2 = 1$ both are $-\tfrac12\log(1-\bar\alpha_T)$.)
#
# If you know variational auto-encoders: people praise diffusion models for having no "posterior collapse",
# the illness in which the code says nothing about the picture. That is true, because nobody trains this
# encoder. But look again: the top code $x_T$ says nothing about the picture, **by design**.
#
# ### Exercise 5.6 · How far is your data's end from noise?
#
# Return $L_T$ for each item of a batch in **bits per dimension**. You may use `forward.marginal`,
# `gaussians.kl` (nats, summed over an item) and `losses.bits_per_dim(nats, x_0)`. Two things to mind: the
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
# On real digits the full chain leaves 2.09e-05 bits per pixel, the squeezed one 0.252. (A little less than for
# $x_0^2 = 1$ above, because the mean square of a pixel is 0.717.)
#
# ## Where this chain comes from, and why its steps are small
#
# A variational auto-encoder ([chapter 04](04_elbo_and_vae.ipynb)) explains a picture by one hidden $z$: a learned encoder
# $q(z \mid x)$ and a learned decoder $p(x \mid z)$. Diffusion replaces the one step by $T$ small ones.
# Write $x_{0:T}$ for all of $x_0, x_1, \dots, x_T$. The encoder's and the decoder's **joint laws** are
#
# $$q(x_{0:T}) = q(x_0) \prod_{t=1}^{T} q(x_t \mid x_{t-1}),
# \qquad p_\theta(x_{0:T}) = p(x_T) \prod_{t=1}^{T} p_\theta(x_{t-1} \mid x_t), \tag{5.15}$$
#
# where $\theta$ stands for the network's weights. Ho et al. simplify three times: the **encoder is fixed**
# (that is the chain of this chapter: it learns nothing), each **reverse step is Gaussian** with a fixed
# variance, and the network predicts the **noise** instead of the mean.
#
# Training makes the two joint laws alike. Does that make the law of the *pictures* right? Yes: leaving
# variables out can only bring two laws closer,
#
# $$\mathrm{KL}\big(q(x_0) \,\|\, p_\theta(x_0)\big) \;\le\;
# \mathrm{KL}\big(q(x_{0:T}) \,\|\, p_\theta(x_{0:T})\big). \tag{5.16}$$
#
# Check it for one step in one dimension, with data $N(0, 1)$ and $\beta = 0.3$. The exact decoder is
# $x_0 = \sqrt{0.7}\,x_1 + \sqrt{0.3}\,z$; ours is a little wrong, its factor is 10 % too small.

# %%
# eq: 5.15, 5.16
from torch.distributions import MultivariateNormal, kl_divergence

a = math.sqrt(0.7)  # q: x_0 ~ N(0, 1) and x_1 = a x_0 + sqrt(0.3) eps, so x_1 ~ N(0, 1) too


def joint(b):
    """The law of (x_0, x_1) if x_1 ~ N(0, 1) and x_0 = b x_1 + sqrt(0.3) z."""
    return MultivariateNormal(torch.zeros(2), torch.tensor([[b * b + 0.3, b], [b, 1.0]]))


for name, b in (("10 % too small", 0.9 * a), ("exact", a)):
    data, decoded = (Gaussian(torch.zeros(1), torch.tensor(v)) for v in (1.0, b * b + 0.3))
    print(f"decoder's factor {name}: KL of the joint laws {kl_divergence(joint(a), joint(b)):.4f} "
          f"nats, of the laws of x_0 {gaussians.kl(data, decoded).item():.4f} nats")

# %% [markdown]
# The joint KL, 0.0117 nats, lies above the KL that we care about, 0.0053; with the exact decoder both
# are 0. Pushing the joint KL down pushes a ceiling down. Chapter 08 splits this ceiling into its terms.
#
# **Why small steps?** The reverse step $q(x_{t-1} \mid x_t)$ is what the network must imitate, and all it
# may use is a Gaussian. **Predict:** the data sit in two bumps, at ±0.97. A walker stands at $x_1 = 0.3$
# after *one* noising step. What does the law of its $x_0$ look like if that step was big ($\beta = 0.5$)?
# If it was small ($\beta = 0.02$)?

# %%
x = torch.linspace(-3, 3, 3001, dtype=torch.float64)
modes = ideal_denoisers.two_modes()
bumps = ideal_denoisers.log_density(modes, schedule, x[:, None], 0).exp()  # q(x_0) on a grid


def way_back(x_1, beta):
    """q(x_0 | x_1) on the grid, by Bayes: proportional to q(x_0) q(x_1 | x_0)."""
    p = bumps * torch.exp(-((x_1 - math.sqrt(1 - beta) * x) ** 2) / (2 * beta))
    return p / (p.sum(-1, keepdim=True) * 0.002)  # 0.002 is the spacing of the grid


# %%
fig, axes = figures.new(1, 2, height=2.6)
for ax, beta in zip(axes, (0.5, 0.02)):
    p = way_back(0.3, beta)
    mean = (p * x).sum() * 0.002
    std = ((p * (x - mean) ** 2).sum() * 0.002).sqrt()
    normal = torch.exp(-((x - mean) ** 2) / (2 * std**2)) / (std * math.sqrt(2 * math.pi))
    figures.curves(x, {"q(x_0 | x_1)": p, "Gaussian": normal}, ax=ax, title=f"beta = {beta}",
                   xlabel="x_0, data units", ylabel="density")
    print(f"beta = {beta}: mean {mean:.3f}, std {std:.3f}")
figures.show(fig, alt="For beta 0.5 the way back has two bumps; for beta 0.02 it is one bell.")

# %% [markdown]
# After the big step the walker may have come from either bump; no Gaussian can say that. After the small
# step it came from nearby. Now measure it for all $x_1$ together: the mean KL from the true way back to the
# Gaussian with the same mean and variance. (That KL is the Gaussian's entropy, $\tfrac12\log(2\pi e\,v)$,
# minus the entropy of the true law.)

# %%
# claim: E19
def gap(beta):
    """Mean KL from q(x_0 | x_1) to its best Gaussian, nats."""
    x_1 = torch.linspace(-4, 4, 401, dtype=torch.float64)[:, None]
    p = way_back(x_1, beta)
    mean = (p * x).sum(1, keepdim=True) * 0.002
    var = (p * (x - mean) ** 2).sum(1) * 0.002
    entropy = -(p * p.clamp(min=1e-300).log()).sum(1) * 0.002
    often = (bumps * torch.exp(-((x_1 - math.sqrt(1 - beta) * x) ** 2) / (2 * beta))).sum(1)
    kl = 0.5 * torch.log(2 * torch.pi * torch.e * var) - entropy
    return float((kl * often).sum() / often.sum())


for beta in (0.5, 0.1, 0.02, 0.004):
    print(f"beta = {beta:5}: {gap(beta):.6f} nats from a Gaussian")

# %% [markdown]
# From 0.549 nats down to 0.000004. Smaller steps mean more of them, but the bargain is good: from
# $\beta = 0.02$ to 0.004 you need five times as many steps, and each is more than eighty times closer to a
# Gaussian. That is the reason for many small steps.
#
# <details><summary>A bigger reason that explains nothing</summary>
#
# Some notes say: between *any* two laws there is a path of simple normal steps, and therefore many steps beat
# one. As a statement about generators that is true of a single step already: with $z \sim N(0,1)$ and the
# distribution functions $\Phi$ of the normal and $F$ of the target, $F^{-1}(\Phi(z))$ has exactly the target
# law. The next cell does it for $p(x) = 2x$, with one normal step $N(F^{-1}(\Phi(z)),\, 0.001^2)$.
#
# </details>

# %%
# claim: E06
def largest_gap(x):
    """Largest distance between the distribution function of the draws and F(x) = x^2."""
    n = len(x)
    return (x.clamp(0, 1).sort().values ** 2 - torch.arange(1, n + 1) / n).abs().max()


z = normal_like(torch.empty(100_000, dtype=torch.float64), generator=seeded(1))
single = torch.special.ndtr(z).sqrt() + 0.001 * normal_like(z, generator=seeded(2))
exact = torch.special.ndtr(normal_like(z, generator=seeded(3))).sqrt()
print(f"one normal step: {largest_gap(single):.4f}; as many exact draws: {largest_gap(exact):.4f}")

# %% [markdown]
# One step does as well as exact draws do. What is special about *this* chain is not that a path exists, but
# that its small steps can be *learned*, one plain regression each.

# %% [markdown]
# ## Recap
#
# One noising step shrinks the picture by $\sqrt{1-\beta_t}$ and adds noise of variance $\beta_t$. The
# shrinking draws every variance to 1. Independent Gaussian noises merge, so two steps are one step, and
# by induction a thousand steps are one line. A simulation of 20,000 chains agrees with that line within
# chance. At the end the picture is forgotten up to $2\cdot 10^{-5}$ nats per dimension, provided the
# schedule really reaches noise.
#
# **One formula to keep**
#
# $$x_t = \sqrt{\bar\alpha_t}\; x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon$$
#
# **What notes get wrong here**
#
# | often said | better | shown above |
# |---|---|---|
# | the noise is scaled by $\beta_t$ | by $\sqrt{\beta_t}$: $\beta_t$ is a variance | one step |
# | $\bar\alpha_t$ is the product up to $T$ | up to $t$ | induction |
# | the scaling keeps the variance | only a variance of 1; others are drawn to 1 | 0.25 → 0.3272, 0.7027, 1.0000 |
# | without it the process is wrong | it is the variance-exploding convention, and needs more noise | correlation 0.301 |
# | the factors are weights of an average | their squares add to 1, their sum reaches 1.4142 | two factors |
# | $q(x_t \mid x_{t-1}, x_0) = q(x_t \mid x_0)$ | it equals $q(x_t \mid x_{t-1})$ | 0.00207, not 0.10298 |
# | the prior term is zero | it depends on schedule and $T$ | 2.02e-05 or 0.226 nats |
# | many steps work because a path of normal steps exists | because small reverse steps are nearly Gaussian | 0.549 → 0.000004 nats |
# | the end is Gaussian because noise is added many times | it needs the shrinking too; then it is exact at every t | correlation 0.301 |
# | small betas and a large $T$ make the parts add to 1 | squares add to 1 for every $\beta$ | sum 1.1314 |
#
# **Exercises:** 5.1 `forward.step` · 5.2 `forward.keep_variance` · 5.3 `forward.merge` · 5.4
# `forward.marginal` · 5.5 `forward.noised` · 5.6 `forward.prior_bits`
#
# **To think about.** The noise here is the same for every pixel and direction (isotropic), which makes
# all formulas one-dimensional. Would noise that is stronger in smooth regions be better? Isotropic noise
# does not limit *which* data can be modeled: the chain is a linear system driven by Gaussian noise, and
# its end is noise for every start. What other noise might change is how many steps it takes.
#
# **Before:** [04 · The bound and the VAE](04_elbo_and_vae.ipynb), or straight from
# [00 · Start here](00_start_here.ipynb) · **Next:**
# [06 · How fast should the signal go?](06_schedules_and_snr.ipynb)
#
# **Read on:** [Ho20] Sec. 2 and Appendix B; [SD15] Sec. 2 for the same chain before it had this name;
# [Kin21] for a chain with infinitely many steps.
