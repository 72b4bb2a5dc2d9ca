# %% [markdown]
# # 07 · Where was the chain a moment ago?
#
# Adding noise is easy: we wrote the rule ourselves. To generate data, the chain has to be run backward. You are at
# $x_t$; where were you at an earlier time $s < t$? If you know where the chain started, the answer is a Gaussian
# with a formula. If you do not, the answer depends on the distribution of all data, and that is what a network has
# to learn.
#
# **After this chapter you can**
#
# - say which reverse distribution is intractable, which one has a closed form, and how they are related,
# - derive the closed form by completing the square, and read it as a precision-weighted average,
# - write its mean in terms of $x_0$ and in terms of the noise $\epsilon$,
# - explain why a single estimate of $x_0$ gives the exact mean of a reverse step, but not its variance.
#
# **You need** from [05 · How does data become noise?](05_forward.ipynb) the sections from "One step" to "A thousand
# steps are one line", above all the closed form (5.11), $x_t = \sqrt{\bar\alpha_t}\,x_0 +
# \sqrt{1-\bar\alpha_t}\,\epsilon$. Bayes' rule is in [01](01_bayes.ipynb), the Markov property and the
# precision of a Gaussian are in [02](02_distributions.ipynb), sections 5 and 8.
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 20
# seconds.
#
# **For what comes next you need** the whole main road. [07b](07b_reverse_variance.ipynb) asks how much noise
# a step back should add; [08](08_bound.ipynb) turns the formula (7.8) into a loss, and
# [10](10_sampling_without_learning.ipynb) into a sampler; [09](09_predictions.ipynb) uses (7.13).
#
# **In the papers:** [Ho20] Sec. 2, Eq. 6–7; [Luo22] for the algebra.

# %%
import math

import sympy as sp
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, samplers, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import draw, normal_like, seeded
from ddpm_lab.schedules import coef, row

schedule = schedules.linear()
data = ideal_denoisers.two_modes()  # two bumps of equal weight, at -0.97 and +0.97
print(schedule)
print("variance of each bump:", data.var.tolist())

# %% [markdown] topics="C112 C115"
# ## A first look: the same place, two answers
#
# Two million points start from data with two bumps and go through the noising chain to $s = 100$, then on to
# $t = 300$. At $t = 300$ we pick those that are near 0.2, and look up where they were at $s = 100$. (We take a
# gap of 200 steps so that there is something to see; later it will be one step. The steps in between merge into
# one Gaussian, as in chapter 05.)
#
# **Predict.** Sketch the histogram of their $x_{100}$ before you run the cells. Then keep only those that
# *started* near $x_0 = 1$. What is left of your histogram?

# %%
x_0 = ideal_denoisers.sample(data, 2_000_000, generator=seeded(1)).double()
x_s = forward.noised(schedule, x_0, 100, normal_like(x_0, generator=seeded(2)))
later = forward.transition(schedule, x_s, 100, 300)  # q(x_300 | x_100)
x_t = draw(later, normal_like(x_0, generator=seeded(3)))

here = (x_t - 0.2).abs() < 0.02  # near 0.2 at t = 300
known = here & ((x_0 - 1).abs() < 0.05)  # and started near 1
groups = {"all that are near 0.2": x_s[here], "those that started near 1": x_s[known]}
for name, group in groups.items():
    print(f"{name}: {len(group)} points, x_100 has mean {group.mean():.3f}, std {group.std():.3f}")
print(f"of all that are near 0.2, {(x_s[here] > 0).double().mean():.1%} were right of 0")

# %%
fig, ax = figures.new(height=2.8)
for (name, group), color in zip(groups.items(), (figures.SKY, figures.GREEN)):
    counts, *_ = ax.hist(group, bins=80, range=(-2, 2.5), color=color, label=name)
    print(f"{name}: the fullest of 80 bins holds {int(counts.max())}")
ax.set(xlabel="x_100, data units", ylabel="points in a bin", title="Where were they at s = 100?")
ax.legend(fontsize=9)
figures.show(fig, alt="All: two bumps, the right one higher. Those that started near 1: one bell.")

# %% [markdown]
# All points together form two bumps: 60.0 % were right of 0, the others left, and no single bell curve describes
# them. Those that started near 1 form a single bell, with mean 0.897 and standard deviation 0.308. Knowing $x_0$
# makes the question easy. This chapter derives that bell, and then asks what can be said without $x_0$.

# %% [markdown] topics="C112 C115"
# ## Two conditional distributions
#
# If you know only $x_t$, Bayes' rule gives the answer:
#
# $$q(x_s \mid x_t) = \frac{q(x_t \mid x_s)\, q(x_s)}{q(x_t)},
# \qquad q(x_s) = \int q(x_s \mid x_0)\, q(x_0)\, dx_0. \tag{7.1}$$
#
# The first factor is the noising chain, which we know. But $q(x_s)$ is the density of noisy images. To compute
# it we would need $q(x_0)$, the density of images, and if we had that, we would not need a model. So
# (7.1) is true but **intractable**: for real data it cannot be computed.
#
# Now apply the same rule with everything conditioned on $x_0$:
#
# $$q(x_s \mid x_t, x_0) = \frac{q(x_t \mid x_s, x_0)\, q(x_s \mid x_0)}{q(x_t \mid x_0)}
# = \frac{q(x_t \mid x_s)\, q(x_s \mid x_0)}{q(x_t \mid x_0)}. \tag{7.2}$$
#
# The second equality uses the Markov property: once $x_s$ is known, $x_0$ says nothing more about $x_t$. On
# the right are three Gaussians that we know, one `transition` and two `marginal`s; the distribution of the data is
# gone. (7.2) is called the **forward process posterior**, or just *the posterior*: the distribution of $x_s$
# after both $x_t$ and $x_0$ have been observed.
#
# For our toy data $q(x_0)$ *is* known, so we can compute both on a grid. Does (7.1) describe all the points
# near 0.2, and (7.2) those that started near 1?

# %%
# eq: 7.1
dx = 0.002
grid = torch.linspace(-4, 4, 4001, dtype=torch.float64)[:, None]  # positions, as a column


def density(s):
    """q(x_s) on the grid: possible for toy data only."""
    return ideal_denoisers.log_density(data, schedule, grid, s).exp()


def reverse_density(x_t, t, s):
    """q(x_s | x_t) on the grid, by Bayes' rule: one row for each x_t, given as a column."""
    step = forward.transition(schedule, grid, s, t)
    p = density(s) * torch.exp(-((x_t - step.mean[:, 0]) ** 2) / (2 * step.var))
    return p / (p.sum(-1, keepdim=True) * dx)


at_half = forward.marginal(schedule, grid, 100)  # q(x_s | x_0), for each x_0 on the grid
integrand = gaussians.log_prob(at_half, torch.full_like(grid, 0.5)).exp() * density(0)
at = 2250  # the row of x = 0.5
print(f"q(x_100) at 0.5: {density(100)[at]:.6f}, by the integral {integrand.sum() * dx:.6f}")

# %%
def moments(p):
    """Mean and variance of each density on the grid, one a row."""
    mean = (p @ grid) * dx
    return mean[..., 0], ((p * (grid[:, 0] - mean) ** 2).sum(-1) * dx)


def log_posterior(x_0, x_t, t, s):
    """log q(x_s | x_t, x_0) on the grid: the three logs of (7.2), with signs + + -."""
    start, stop = torch.full_like(grid, x_0), torch.full_like(grid, x_t)
    log_p = gaussians.log_prob(forward.transition(schedule, grid, s, t), stop)
    log_p = log_p + gaussians.log_prob(forward.marginal(schedule, start, s), grid)
    return log_p - gaussians.log_prob(forward.marginal(schedule, start, t), stop)


# %%
# eq: 7.1, 7.2
mean, var = moments(reverse_density(0.2, 300, 100))
print(f"q(x_s | x_t), (7.1):      mean {mean:.3f}, std {var.sqrt():.3f}")
p = log_posterior(1.0, 0.2, 300, 100).exp()
mean, var = moments(p)
print(f"q(x_s | x_t, x_0), (7.2): mean {mean:.3f}, std {var.sqrt():.3f}, "
      f"integral {p.sum() * dx:.6f}")

# %% [markdown]
# The simulated points had means 0.197 and 0.897 and standard deviations 0.882 and 0.308. The grid gives 0.190
# and 0.898, 0.885 and 0.309: the same, up to sampling error and our loose "near". And (7.2) integrates to 1
# without any normalization: it is a density already.

# %% [markdown] topics="C113"
# ## When is a reverse step Gaussian?
#
# We will model a reverse step by a Gaussian. Is the true $q(x_s \mid x_t)$ one? In the first figure it was
# not. [Chapter 05](05_forward.ipynb) found that a step back *to the data* comes closer to a Gaussian as $\beta$
# shrinks. But it also matters where in the chain the step is taken.
#
# **Predict.** Here are three moves. In (a), from $t = 260$ back to the data, half of the variance of $x_t$ is new
# noise, added since $s$; in (b), from $t = 39$ to the data, it is 2 %; in (c), from $t = 479$ to $s = 400$, again
# half. For which of them is $q(x_s \mid x_t)$ close to a Gaussian at $x_t = 0.2$?

# %%
# claim: E19
fig, axes = figures.new(1, 3, width=8.4, height=2.8)
for ax, (t, s) in zip(axes, ((260, 0), (39, 0), (479, 400))):
    fresh = 1 - schedule.abar[t] / schedule.abar[s]
    p = reverse_density(0.2, t, s)
    mean, var = moments(p)
    bell = torch.exp(-((grid[:, 0] - mean) ** 2) / (2 * var)) / (2 * torch.pi * var).sqrt()
    ax.plot(grid, p, color=figures.PURPLE, label="q(x_s | x_t)")
    ax.plot(grid, bell, color=figures.GRAY, linestyle="--", label="best Gaussian")
    ax.set(title=f"{t} → {s}: {fresh:.0%} new", xlabel="x_s, data units", xlim=(-2.5, 2.5))
    off = (p - bell).abs().max() / bell.max()
    print(f"{t} → {s}: off its best Gaussian by up to {off:.1%} of the Gaussian's peak")
axes[0].set_ylabel("density")
axes[0].legend(fontsize=9)
figures.show(fig, alt="Left: two bumps, unlike their Gaussian. Middle, right: bells, on top of it.")

# %% [markdown]
# For (b) and (c). With half new noise right next to the data, the density is off by up to 167.9 % of the Gaussian's
# peak. With the same half at $s = 400$ it is off by 0.4 %, because by then the two bumps have merged into nearly one
# bell. A step is small or large *compared with the structure of* $q(x_s)$. So "the reverse step is Gaussian" is a
# statement about small steps **and** smooth densities. For infinitely small steps it becomes a theorem: the reverse
# process has the same form as the forward process ([SD15] Sec. 2.2; [And82] in continuous time).
#
# <details><summary>Are there data for which no first step is small enough?</summary>
#
# Yes: two points. However small the step, $x_0$ given $x_1$ is one of those two points, never a bell. The
# theorem needs a smooth *density*. (Pixels with 256 gray levels are points, too; that is why the bound of
# chapter 08 treats its last step separately.)
#
# </details>

# %% [markdown] topics="C115 C116"
# ## Completing the square
#
# Back to (7.2), which is exactly Gaussian for every $s < t$. A Gaussian density is $e$ to the power of a quadratic,
# so the whole derivation is about one quadratic, and about one trick to read off its mean and variance. It is
# called **completing the square**: for $P > 0$,
#
# $$-\tfrac12\big(P\,x^2 - 2\,h\,x\big) = -\tfrac12\, P\,\Big(x - \frac hP\Big)^2 + \frac{h^2}{2P}. \tag{7.3}$$
#
# The last term does not contain $x$: it only scales the density, and the scale follows because the density
# integrates to 1. So whenever a log density is $-\tfrac12(P x^2 - 2 h x)$ plus terms without $x$, the distribution is
# $N(h/P,\; 1/P)$. The number $P$, one over the variance, is the precision (chapter 02).
#
# ### Exercise 7.1 · Two opinions about one number
#
# One source says $x \sim N(m_1, v_1)$. Another, independent one says $x \sim N(m_2, v_2)$. To combine them, multiply
# the two densities and scale the product to integrate to 1. Find its mean and variance: expand both squares,
# collect the terms in $x^2$ and in $x$, and use (7.3).
#
# <details><summary>Hint</summary>
#
# $-\frac{(x-m)^2}{2v} = -\frac12\big(\frac1v x^2 - 2\frac mv x\big)$ plus a term without $x$. What are
# $P$ and $h$ for the sum of two of these?
#
# </details>

# %% tags=["exercise"]
def my_fuse(m_1, v_1, m_2, v_2):
    """Return (mean, variance) of the density proportional to N(x; m_1, v_1) N(x; m_2, v_2)."""
    ### BEGIN SOLUTION
    precision = 1 / v_1 + 1 / v_2
    return (m_1 / v_1 + m_2 / v_2) / precision, 1 / precision
    ### END SOLUTION


fuse = check("posterior.precision", my_fuse)
print("N(0, 1) and N(2, 1):     mean {:.3f}, variance {:.3f}".format(*fuse(0.0, 1.0, 2.0, 1.0)))
print("N(0, 1) and N(2, 0.01):  mean {:.3f}, variance {:.3f}".format(*fuse(0.0, 1.0, 2.0, 0.01)))

# %% [markdown]
# Two equally vague opinions meet in the middle, and together they are twice as precise: variance 0.500. A
# precise opinion wins against a vague one: 1.980. **Precisions add**, and each mean is weighted by its precision.
#
# A first use. Let $x \sim N(0, 1)$, measured with noise: $y = \rho\,x + \sqrt{1-\rho^2}\,\eta$ with an independent
# $\eta \sim N(0, 1)$, so that $\rho$ is the correlation of $x$ and $y$. Before the measurement $x$ has mean 0 and
# precision 1. The measurement says that $x$ is about $y/\rho$, with precision $\rho^2/(1-\rho^2)$. The precisions
# add to $1/(1-\rho^2)$, and your `fuse` gives
#
# $$q(x \mid y) = N\big(\rho\,y,\; 1-\rho^2\big). \tag{7.4}$$
#
# So for $N(0, 1)$ *data*, where $\rho = \sqrt{\bar\alpha_t}$ by (5.11), $x_0$ given $x_t$ has mean
# $\sqrt{\bar\alpha_t}\,x_t$ and variance $1-\bar\alpha_t$.

# %%
# eq: 7.4
rho, y = schedule.abar[300].sqrt(), 0.2
mean, var = fuse(0.0, 1.0, y / rho, (1 - rho**2) / rho**2)
print(f"fused: mean {mean:.4f}, variance {var:.4f}")
print(f"(7.4): mean {rho * y:.4f}, variance {1 - rho**2:.4f}")

x_0 = normal_like(torch.empty(2_000_000, dtype=torch.float64), generator=seeded(4))
x_t = forward.noised(schedule, x_0, 300, normal_like(x_0, generator=seeded(5)))
near = x_0[(x_t - y).abs() < 0.02]
print(f"{len(near)} points near 0.2: mean {near.mean():.4f}, variance {near.var():.4f}, "
      f"standard error of the mean {near.std() / len(near) ** 0.5:.4f}")

# %% [markdown]
# ### The posterior, line by line
#
# Merge the steps $s+1, \dots, t$ as in chapter 05: the product of their alphas is $\alpha_{ts} =
# \bar\alpha_t/\bar\alpha_s$. For this move from $s$ to $t$ write $a = \sqrt{\alpha_{ts}}$ and $v = 1-\alpha_{ts}$, and
# for the move from 0 to $s$ write $b = \sqrt{\bar\alpha_s}$ and $u = 1-\bar\alpha_s$. So $x_t \sim N(a x_s, v)$ given
# $x_s$, and $x_s \sim N(b x_0, u)$ given $x_0$, for each pixel independently. The denominator of (7.2) does not
# contain $x_s$, so **as a function of $x_s$** only the product in the numerator matters:
#
# $$\log q(x_s \mid x_t, x_0) = -\frac12\Big[\frac{(x_t - a\,x_s)^2}{v} + \frac{(x_s - b\,x_0)^2}{u}\Big]
# + \text{terms without } x_s. \tag{7.5}$$
#
# Expand both squares and collect:
#
# $$= -\frac12\Big[\underbrace{\Big(\frac{a^2}{v} + \frac1u\Big)}_{P}\, x_s^2
# - 2\,\underbrace{\Big(\frac{a\,x_t}{v} + \frac{b\,x_0}{u}\Big)}_{h}\, x_s\Big] + \text{terms without } x_s.
# \tag{7.6}$$
#
# This has the form of (7.3). The first cell checks (7.5) against the three densities of the package, and the second
# checks (7.3) and (7.6) with SymPy.

# %%
# eq: 7.5
x_0, x_t, t, s = 1.0, 0.2, 300, 100  # as in the first look
alpha_ts = schedule.abar[t] / schedule.abar[s]
square = (x_t - alpha_ts.sqrt() * grid) ** 2 / (1 - alpha_ts)
square = square + (grid - schedule.abar[s].sqrt() * x_0) ** 2 / (1 - schedule.abar[s])
without = log_posterior(x_0, x_t, t, s) + 0.5 * square[:, 0]  # + 0.5, as (7.5) has -1/2
print(f"what (7.5) leaves out is {without[0]:.6f} at x_s = -4 and {without[-1]:.6f} at x_s = 4")

# %%
# eq: 7.3, 7.6
x_s_, x_t_, x_0_ = sp.symbols("x_s x_t x_0", real=True)  # with _: symbols, not numbers
P, h, a, b, u, v = sp.symbols("P h a b u v", positive=True)
completed = -P * (x_s_ - h / P) ** 2 / 2 + h**2 / (2 * P)
print("(7.3), left minus right:", sp.expand(-(P * x_s_**2 - 2 * h * x_s_) / 2 - completed))
exponent = (x_t_ - a * x_s_) ** 2 / v + (x_s_ - b * x_0_) ** 2 / u
P_here, h_here = a**2 / v + 1 / u, a * x_t_ / v + b * x_0_ / u
rest = sp.expand(exponent - (P_here * x_s_**2 - 2 * h_here * x_s_))
print("what (7.6) leaves out:", rest)
print("does it contain x_s?", rest.has(x_s_))

# %% [markdown]
# ### Exercise 7.2 · How certain are we?
#
# Turn $1/P$, the variance of $q(x_s \mid x_t, x_0)$, into a closed form in $\bar\alpha_s$ and $\bar\alpha_t$.
# Bring the two fractions of $P$ to a common denominator; what do you know about $a^2 u + v$? `t` and `s`
# are integers or batches of them; `row(schedule.abar, t)` reads the table. At $s = 0$ nothing is uncertain: check
# that your formula gives 0.
#
# <details><summary>Hint</summary>
#
# $a^2 u + v$ is the variance of two merged noises, as in (5.10): the noise of $x_s$, carried on to $t$, plus
# the new one.
#
# </details>

# %% tags=["exercise"]
def my_var(schedule, t, s):
    """Return the variance of q(x_s | x_t, x_0), for one pair of times or for a batch of them."""
    ### BEGIN SOLUTION
    u, all_noise = 1 - row(schedule.abar, s), 1 - row(schedule.abar, t)
    v = 1 - row(schedule.abar, t) / row(schedule.abar, s)
    return u * v / all_noise
    ### END SOLUTION


posterior_var = check("posterior.var", my_var)

# %% [markdown]
# With the common denominator, variance and mean are fractions over $a^2 u + v$, the variance of all the noise in $x_t$:
#
# $$\begin{aligned}
# \frac1P &= \frac{u\,v}{a^2 u + v}, \qquad \frac hP = \frac{a\,u\;x_t + b\,v\;x_0}{a^2 u + v}, \\
# a^2 u + v &= \alpha_{ts}(1-\bar\alpha_s) + 1 - \alpha_{ts} = 1 - \alpha_{ts}\bar\alpha_s = 1 - \bar\alpha_t.
# \end{aligned} \tag{7.7}$$
#
# Inserting the tables gives the narrow bell of the first figure, for any $0 \le s < t$:
#
# $$\boxed{\;q(x_s \mid x_t, x_0) = N\Big(
# \underbrace{\frac{\sqrt{\bar\alpha_s}\,(1-\alpha_{ts})}{1-\bar\alpha_t}}_{w_0}\, x_0
# + \underbrace{\frac{\sqrt{\alpha_{ts}}\,(1-\bar\alpha_s)}{1-\bar\alpha_t}}_{w_t}\, x_t,\;\;
# \frac{(1-\alpha_{ts})(1-\bar\alpha_s)}{1-\bar\alpha_t}\, I\Big)\;} \tag{7.8}$$

# %%
# eq: 7.7, 7.8
bottom = a**2 * u + v
fractions = (1 / P_here - u * v / bottom, h_here / P_here - (a * u * x_t_ + b * v * x_0_) / bottom)
A_s, A_t = sp.symbols("abar_s abar_t", positive=True)
values = {a: sp.sqrt(A_t / A_s), v: 1 - A_t / A_s, b: sp.sqrt(A_s), u: 1 - A_s}
print("(7.7), three differences:", *(sp.simplify(line) for line in fractions),
      sp.simplify(bottom.subs(values) - (1 - A_t)))
on_x_0 = sp.sqrt(A_s) * (1 - A_t / A_s) / (1 - A_t)  # the two weights of (7.8)
on_x_t = sp.sqrt(A_t / A_s) * (1 - A_s) / (1 - A_t)
left_over = (1 - A_t / A_s) * (1 - A_s) / (1 - A_t)  # and its variance
print("(7.8), mean and variance:", sp.simplify((1 / P_here).subs(values) - left_over),
      sp.simplify((h_here / P_here).subs(values) - on_x_0 * x_0_ - on_x_t * x_t_))
bell = forward.posterior(schedule, torch.tensor([[1.0]]), torch.tensor([[0.2]]), t=300, s=100)
print(f"the package, x_0 = 1, x_t = 0.2: mean {bell.mean.item():.3f}, std {bell.var.sqrt():.3f}")

# %% [markdown]
# All differences are 0, and the package gives what (7.2) gave on the grid, 0.898 and 0.309. Here is its function,
# for any two times:

# %%
figures.show_source(forward.posterior)

# %% [markdown] topics="C116"
# ### Detour · Exercise 7.3, the case of the paper
#
# Write the mean for a single step yourself, from the tables of the schedule, before you read it below.

# %% [markdown]
# #### Exercise 7.3 · The case of the paper
#
# [Ho20] needs $s = t - 1$ only. Write the **mean** of $q(x_{t-1} \mid x_t, x_0)$ with the tables
# `schedule.beta`, `.alpha` and `.abar`. What becomes of $\alpha_{ts}$ and of $1-\alpha_{ts}$? Use
# `row(table, t)` and `coef(number, x_t)`, so that a batch of times works too; and $t = 1$ must give $x_0$.

# %% tags=["exercise"]
def my_mean(schedule, x_0, x_t, t):
    """Return the mean of q(x_{t-1} | x_t, x_0), shaped like x_t."""
    ### BEGIN SOLUTION
    alpha, beta = row(schedule.alpha, t), row(schedule.beta, t)
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, t - 1)
    on_x_0 = abar_s.sqrt() * beta / (1 - abar_t)
    on_x_t = alpha.sqrt() * (1 - abar_s) / (1 - abar_t)
    return coef(on_x_0, x_t) * x_0 + coef(on_x_t, x_t) * x_t
    ### END SOLUTION


posterior_mean = check("posterior.mean", my_mean)
start, now = (normal_like(torch.ones(1000, 1).double(), generator=seeded(i)) for i in (2, 3))
t = torch.arange(1, 1001)  # 1000 items, each with a time of its own
q = forward.posterior(schedule, start, now, t, t - 1)
off = (posterior_mean(schedule, start, now, t) - q.mean).abs().max()
print(f"equals the mean of (7.8), t = 1 … 1000: {bool(off < 1e-12)}")

# %% [markdown]
# ### One step, in the notation of the paper
#
# For $s = t - 1$, $\alpha_{ts}$ is $\alpha_t$ and $1-\alpha_{ts}$ is $\beta_t$. The paper calls the mean
# $\tilde\mu_t$ and the variance $\tilde\beta_t$ [Ho20, Eq. 7]:
#
# $$\tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\, x_0
# + \frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\, x_t,
# \qquad \tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t. \tag{7.9}$$

# %%
# eq: 7.9
start, now = (normal_like(torch.ones(1000, 1).double(), generator=seeded(i)) for i in (4, 5))
t = torch.arange(1, 1001)  # 1000 items, each with a time of its own
q = forward.posterior(schedule, start, now, t, t - 1)
beta, alpha, abar = schedule.beta[1:, None], schedule.alpha[1:, None], schedule.abar[:, None]
tilde_mu = (abar[:-1].sqrt() * beta * start + alpha.sqrt() * (1 - abar[:-1]) * now) / (1 - abar[1:])
tilde_var = (1 - abar[:-1]) / (1 - abar[1:]) * beta
others = {"the mean of (7.8)": q.mean - tilde_mu, "the variance of (7.8)": q.var - tilde_var}
for name, difference in others.items():
    print(f"(7.9) equals {name}, t = 1 … 1000: {bool(difference.abs().max() < 1e-12)}")

# %% [markdown] topics="C117"
# ## Which end pulls harder?
#
# The mean combines both ends, $w_0 x_0 + w_t x_t$. The variance $\tilde\beta_t$ contains neither: it is a table,
# computed before any image is seen (`schedule.posterior_var`).
#
# **Predict.** One step back, $s = t-1$. Which end has the larger weight at $t = 1$, at $t = 2$, at $t = 1000$: $x_0$
# or $x_t$? And do the two weights add to 1?

# %%
# claim: E104
t = torch.arange(1, 1001)
unit, zero = torch.ones(1000, 1).double(), torch.zeros(1000, 1).double()
weight_0 = forward.posterior(schedule, unit, zero, t, t - 1).mean[:, 0]  # x_0 = 1, x_t = 0
weight_t = forward.posterior(schedule, zero, unit, t, t - 1).mean[:, 0]  # x_0 = 0, x_t = 1
fig = figures.curves(t, {"w_0, weight of x_0": weight_0, "w_t, weight of x_t": weight_t},
                     xlabel="time t, steps (log scale)", ylabel="weight, no unit", log_x=True,
                     height=2.6)
figures.show(fig, alt="The weight of x_0 falls from 1 to nearly 0; x_t's rises, larger from t = 3.")
for i in (1, 2, 3, 10, 100, 1000):
    print(f"t = {i:4}: w_0 = {weight_0[i - 1]:.4g}, w_t = {weight_t[i - 1]:.4f}, "
          f"sum {weight_0[i - 1] + weight_t[i - 1]:.4f}")
print("x_t has the larger weight from t =", int(t[weight_t > weight_0][0]), "on")

# %% [markdown]
# At $t = 1$ the mean is all $x_0$, at $t = 2$ still slightly more $x_0$ (0.5453 against 0.4547), and from $t = 3$ on
# $x_t$ has the larger weight. A step back is small: at $t = 1000$, $x_0$ has a weight of only 0.0001. These are
# not quite the weights of an average: their sum differs from 1 by a term of the order of $\beta_t$, and is 0.9901 at
# the end.
#
# The weights come from **two sources, weighted by precision.** $x_0$ says that $x_s$ is about
# $b\,x_0$, with precision $1/u$. $x_t$ says that it is about $x_t / a$, with precision $a^2/v$. So (7.6) gives
#
# $$\text{mean} = \frac{\frac{1}{u}\, b\,x_0 + \frac{a^2}{v}\, \frac{x_t}{a}}{\frac1u + \frac{a^2}{v}},
# \qquad \frac{1}{\text{variance}} = \frac1u + \frac{a^2}{v}, \tag{7.10}$$
#
# which is your `fuse` from exercise 7.1. In Bayesian terms, what $x_0$ says about $x_s$ is the prior,
# and $x_t$ is the observation.

# %%
# eq: 7.10
abar_s, alpha_ts = schedule.abar[100], schedule.abar[300] / schedule.abar[100]
sources = {
    "x_0 = 1 says": (abar_s.sqrt(), 1 - abar_s),
    "x_t = 0.2 says": (0.2 / alpha_ts.sqrt(), (1 - alpha_ts) / alpha_ts),
}
sources["fused"] = fuse(*sources["x_0 = 1 says"], *sources["x_t = 0.2 says"])
one = torch.ones(1, 1, dtype=torch.float64)
q = forward.posterior(schedule, one, 0.2 * one, 300, 100)
for name, (mean, var) in {**sources, "(7.8)": (q.mean.item(), q.var.item())}.items():
    print(f"{name:>14}: mean {mean:.5f}, variance {var:.5f}, precision {1 / var:.2f}")
last = schedule.alpha[1000] / schedule.beta[1000]  # a^2 / v for 1000 -> 999
print(f"1000 → 999: precision {1 / (1 - schedule.abar[999]):.0f} from x_0, {last:.0f} from x_t")

# %%
bells = {name: torch.exp(-((grid[:, 0] - mean) ** 2) / (2 * var)) / (2 * torch.pi * var).sqrt()
         for name, (mean, var) in sources.items()}
fig = figures.curves(grid[:, 0], bells, xlabel="x_100, data units", ylabel="density", height=2.8)
fig.axes[0].set_xlim(-3, 3)
figures.show(fig, alt="A broad bell from x_t, a narrow one from x_0, and the product, narrower.")
print("peaks:", ", ".join(f"{name} {bell.max():.3f}" for name, bell in bells.items()))

# %% [markdown]
# That is the narrow bell of the first figure again: precision 9.71 from $x_0$ and 0.79 from $x_t$, together
# 10.50. In the step 1000 → 999 it is the other way around: precision 1 from the clean end, 49 from $x_t$.

# %% [markdown] topics="C117"
# ### Detour · The weights for any two times
#
# An interactive figure: choose $t$, $s$ and both ends, and watch the two weights.

# %% [markdown]
# **Predict.** Start at $t = 500$. One step back, $x_t$ has nearly all the weight. How far back must $s$ lie
# for $x_0$ to have more: 10, 100 or 200 steps? Answer first, then move the slider and watch the two dots.

# %%
from ddpm_lab.course import explorers

explorer = explorers.who_pulls_harder()
print(explorer)  # the figure in words
explorer

# %%
unit, zero = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
for back in (1, 10, 100, 200):
    pull_0 = forward.posterior(schedule, unit, zero, 500, 500 - back).mean.item()
    pull_t = forward.posterior(schedule, zero, unit, 500, 500 - back).mean.item()
    print(f"{back:3} back: weight {pull_0:.3f} on x_0, {pull_t:.3f} on x_t")

# %% [markdown]
# 10 and 100 are too few (0.286 against 0.554); at 200 it is $x_0$, 0.548 against 0.292.

# %% [markdown] topics="C117"
# ## Detour · Both ends known: a bridge
#
# If $x_0$ were known, (7.8) would take you back from $x_T$: sample $x_s$, move there, sample again.

# %% [markdown]
# A random path that is pinned at both ends is called a **bridge**. (At $x_s$ you may forget $x_t$: by the Markov
# property, read backward, it says nothing more about earlier times.)
#
# ### Exercise 7.4 · One step of a bridge
#
# Sample from $q(x_s \mid x_t, x_0)$, given standard normal noise `z`. `forward.posterior(schedule, x_0, x_t, t, s)`
# is the distribution; its fields are `mean` and `var`. Use no other function of the package.

# %% tags=["exercise"]
def my_move(schedule, x_0, x_t, t, s, z):
    """Return x_s, a sample of q(x_s | x_t, x_0) made of the standard normal noise z."""
    ### BEGIN SOLUTION
    q = forward.posterior(schedule, x_0, x_t, t, s)
    return q.mean + q.var.sqrt() * z
    ### END SOLUTION


move = check("posterior.draw", my_move)

# %% [markdown]
# **Predict.** 20,000 bridges lead from $x_{1000} = -1.5$ to $x_0 = 1$, in 100 moves of 10 steps. Where is their mean
# at $t = 500$: halfway between −1.5 and 1?

# %%
pin, end = (torch.full((20_000, 1), value, dtype=torch.float64) for value in (1.0, -1.5))
x, rng, bridges = end, seeded(5), {1000: end}
times = schedules.timesteps(1000, 100)  # 1000, 990, …, 10, 0
for t, s in zip(times, times[1:]):
    x = move(schedule, pin, x, t, s, normal_like(x, generator=rng))
    bridges[s] = x
for s in (900, 500, 100, 0):
    jump = forward.posterior(schedule, pin[:1], end[:1], 1000, s)  # (7.8) in a single move
    print(f"s = {s:3}: bridges have mean {bridges[s].mean():+.3f}, std {bridges[s].std():.3f}; "
          f"one move from T says {jump.mean.item():+.3f}, {jump.var.sqrt():.3f}")
print(f"the standard error of a mean of 20,000 is {1 / math.sqrt(20_000):.3f} standard deviations")

# %%
fig, ax = figures.new(height=3)
paths = torch.stack([bridges[s][:25, 0] for s in times])
ax.plot(times, paths, color=figures.GREEN, linewidth=0.5, alpha=0.6)
middle = torch.stack([bridges[s].mean() for s in times])
two_std = 2 * torch.stack([bridges[s].std() for s in times])
ax.plot(times, middle, color=figures.GREEN, linewidth=2.5, label="mean of 20,000")
for edge, name in ((middle - two_std, "mean ± 2 std"), (middle + two_std, None)):
    ax.plot(times, edge, color=figures.GRAY, linestyle="--", label=name)
ax.set(xlabel="time t, steps (from left to right: backward)", ylabel="x_t, data units")
ax.set_xlim(1000, 0)
ax.legend(fontsize=9, loc="lower right")
figures.show(fig, alt="25 noisy paths start together at -1.5 and meet again exactly at x_0 = 1.")
print(f"the mean crosses 0 at t = {next(t for t, m in zip(times, middle) if m > 0)}")

# %% [markdown]
# No. Halfway in value would be −0.25; at $t = 500$ the mean is +0.247 and the standard deviation 0.961, almost that
# of pure noise. The starting point −1.5 is forgotten early: after ten moves the mean is already at −0.555. The pull
# of the end point comes late, but the end point is reached exactly. And many small moves agree with a single big one
# at all four times, up to the standard error: (7.8) is consistent for all pairs $s < t$.

# %% [markdown] topics="C112 C114 C118"
# ## One distribution is a mixture of the other
#
# In generation $x_0$ is not known. Then you have to average over what it may have been:
#
# $$q(x_s \mid x_t) = \int q(x_s \mid x_t, x_0)\; q(x_0 \mid x_t)\; dx_0. \tag{7.11}$$
#
# Only the first factor in the integral is always Gaussian. Here is the first figure once more, built from
# (7.11): one bell for each possible $x_0$, with a height proportional to the probability of that $x_0$.

# %%
# eq: 7.11
origin = reverse_density(0.2, 300, 0)  # q(x_0 | x_t = 0.2) on the grid
inner = forward.posterior(schedule, grid, torch.full_like(grid, 0.2), 300, 100)  # one for each x_0
apart = grid[:, 0] - inner.mean  # (x_0, x_s)
bells = torch.exp(-(apart**2) / (2 * inner.var)) / (2 * torch.pi * inner.var).sqrt()
mixture = (origin * dx) @ bells  # the integral (7.11)
same = bool((mixture - reverse_density(0.2, 300, 100)).abs().max() < 1e-9)
print(f"(7.11) equals Bayes' rule (7.1): {same}; the higher peak is {mixture.max():.3f}, "
      f"near x_100 = {grid[mixture.argmax()].item():.2f}")

# %%
fig, ax = figures.new(height=3)
points = groups["all that are near 0.2"]  # their x_100, from the first look
ax.hist(points, bins=80, range=(-2, 2.5), density=True, color=figures.SKY, alpha=0.4,
        label="simulated")
for i in range(1000, 3001, 100):  # x_0 = -2, -1.8, …, 2: each bell stands for an interval of 0.2
    name = "single x_0" if i == 1000 else None
    ax.plot(grid, 0.2 * origin[i] * bells[i], color=figures.GREEN, linewidth=1, label=name)
ax.plot(grid, mixture, color=figures.PURPLE, label="mixture (7.11)")
ax.set(xlim=(-2, 2.5), xlabel="x_100, data units", ylabel="density")
ax.legend(fontsize=9)
figures.show(fig, alt="Small bells, one for each x_0, add up to the two bumps of the simulation.")
tall = (origin[1000:3001:100] * 0.2).max()
print(f"the tallest of the thin bells stands for {tall:.0%} of all points near 0.2")

# %% [markdown]
# The thin bells all have the same width; the two bumps arise because $x_0$ is unknown. Two consequences follow, and
# the rest of the course uses both.
#
# **The mean needs only one estimate.** The mean of each bell is *linear* in $x_0$, so averaging (7.8) over
# $q(x_0 \mid x_t)$ replaces $x_0$ by its mean: $E[x_s \mid x_t] = w_0\,E[x_0 \mid x_t] + w_t\,x_t$. The best estimate
# $\hat x_0 = E[x_0 \mid x_t]$ (best in mean squared error), as a function of $x_t$ and $t$, is called the **optimal
# denoiser**, and it gives the exact mean of the reverse step. **The variance needs more.** It is larger than that of
# (7.8), by what the uncertainty about $x_0$ adds.

# %%
# claim: E98, E99, E111
denoise = ideal_denoisers.mixture_denoiser(data, schedule)  # E[x_0 | x_t], exactly
place = torch.full((1, 1), 0.2, dtype=torch.float64)
for t, s in ((300, 100), (500, 499), (2, 1)):
    mean, var = moments(reverse_density(0.2, t, s))
    model = forward.posterior(schedule, denoise(place, t), place, t, s)
    print(f"{t} → {s}: mean {mean:.6f}, with x0_hat {model.mean.item():.6f}; "
          f"variance {var:.4g}, with x0_hat {model.var:.4g}")

# N(0, 1) data stay N(0, 1): (7.4) with rho² = alpha_ts, so Var(x_s | x_t) = 1 - alpha_ts
print(f"N(0, 1) data, 2 → 1: variance {1 - schedule.alpha[2]:.3e}, "
      f"with x_0 known {schedule.posterior_var[2]:.3e}")

# %% [markdown]
# The means agree to the last digit shown, the variances do not: at 300 → 100 the true one is 0.7827, eight
# times the posterior's 0.09522. For $N(0,1)$ data at $t = 2$ it is $1.199\cdot10^{-4}$ against
# $5.453\cdot10^{-5}$. So the two distributions are different, and we keep $q(x_{t-1} \mid x_t, x_0)$ not as a
# stand-in for $q(x_{t-1} \mid x_t)$ but as a **training target**: chapter 08 shows that the bound asks for it.

# %% [markdown] topics="C114 C121 C122"
# ## What a sampler does with it
#
# This fixes the form of the model. Ho et al. take $p_\theta(x_{t-1} \mid x_t) = N(\mu_\theta(x_t, t),\,
# \sigma_t^2 I)$. The network's output defines the mean, and
# $\sigma_t^2$ is a table. To generate, draw $x_T$ from $N(0, I)$ and sample from this distribution at every step,
# from $t = T$ down to 1: this is the **reverse process**. In words: predict $\hat x_0$, take one step back as if the
# prediction were true, and predict again. In the package, `samplers.ddpm_step` is `forward.posterior` with `x0_hat` in
# place of $x_0$.
#
# **Predict.** Why many steps? At $x_{300} = 0.2$, jump straight to the best estimate $\hat x_0$. Is it a likely data
# point?

# %%
x0_hat = denoise(place, 300)
there = ideal_denoisers.log_density(data, schedule, x0_hat, 0).exp().item()
print(f"x0_hat at x_300 = 0.2: {x0_hat.item():.3f}; data density there {there:.5f}, "
      f"at its highest {density(0).max():.3f}")

# %% [markdown]
# No: $\hat x_0 = 0.192$ is an average over both bumps and lies in the gap between them, where the data density is
# 0.00488 instead of up to 0.821. For images, such an average is blurry. A small step moves only slightly toward it,
# and as $t$ falls, the estimate becomes sharp. [Chapter 10b](10b_fewer_steps.ipynb) compares few steps with many.
#
# The update of [chapter 00](00_start_here.ipynb) (DDIM) keeps all of the old noise; the posterior replaces some of it by
# fresh noise.

# %% [markdown]
# ### Detour · How much of the noise is replaced?
#
# The posterior and the update of chapter 00, side by side.

# %% [markdown]
# Insert (5.11) for $x_t$ into (7.8). A sample of the
# posterior becomes $x_s = \sqrt{\bar\alpha_s}\,x_0 + c\,\epsilon + \sigma z$ with fresh noise $z$ and
# $c^2 + \sigma^2 = 1-\bar\alpha_s$. The total noise is right for time $s$, but some of the old noise has been
# replaced by fresh noise.

# %%
zero = torch.zeros(1, 1, dtype=torch.float64)
for t, s in ((300, 100), (500, 499)):
    x_t = zero + schedule.noise[t]  # x_0 = 0 and eps = 1, so the mean is c
    q = forward.posterior(schedule, zero, x_t, t, s)
    ddim = samplers.ddim_step(schedule, x_t, zero, t, s)  # the update of chapter 00
    print(f"{t} → {s}: noise {1 - schedule.abar[s]:.4f}; old + fresh: "
          f"posterior {q.mean.item() ** 2:.4f} + {q.var.item():.4f}, "
          f"ddim {ddim.mean.item() ** 2:.4f} + {ddim.var.item():.0f}")

# %% [markdown]
# The update of chapter 00 keeps all the old noise and adds none. The posterior replaces 0.0100 of 0.9206
# in the step 500 → 499, and nearly everything, 0.0952 of 0.1030, in the long move 300 → 100.

# %% [markdown] topics="C118 C119"
# ## The mean in terms of the noise
#
# A network may predict $x_0$, but it can just as well predict the noise $\epsilon$, since one gives the other. Solve
# (5.11) for $x_0$,
#
# $$x_0 = \frac{x_t - \sqrt{1-\bar\alpha_t}\;\epsilon}{\sqrt{\bar\alpha_t}}, \tag{7.12}$$
#
# and insert it into (7.9). The second line uses $\bar\alpha_t = \alpha_t\bar\alpha_{t-1}$ in the first fraction
# and multiplies the second fraction by $\sqrt{\alpha_t}/\sqrt{\alpha_t}$. The third collects $x_t$ and uses
# $\bar\alpha_t = \alpha_t\bar\alpha_{t-1}$ again, the last one $\alpha_t + \beta_t = 1$:
#
# $$\begin{aligned}
# \tilde\mu_t
# &= \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\cdot
#    \frac{x_t - \sqrt{1-\bar\alpha_t}\,\epsilon}{\sqrt{\bar\alpha_t}}
#    + \frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\,x_t \\
# &= \frac{\beta_t}{\sqrt{\alpha_t}\,(1-\bar\alpha_t)}\,\big(x_t - \sqrt{1-\bar\alpha_t}\,\epsilon\big)
#    + \frac{\alpha_t\,(1-\bar\alpha_{t-1})}{\sqrt{\alpha_t}\,(1-\bar\alpha_t)}\,x_t \\
# &= \frac{\beta_t + \alpha_t - \bar\alpha_t}{\sqrt{\alpha_t}\,(1-\bar\alpha_t)}\,x_t
#    - \frac{\beta_t}{\sqrt{\alpha_t}\,\sqrt{1-\bar\alpha_t}}\,\epsilon \\
# &= \frac{1}{\sqrt{\alpha_t}}\Big(x_t - \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\,\epsilon\Big).
# \end{aligned} \tag{7.13}$$

# %%
# eq: 7.12, 7.13
al, A_s, eps = sp.symbols("alpha_t abar_s epsilon", positive=True)  # A_s is abar_{t-1}
be, A_t, root = 1 - al, al * A_s, sp.sqrt(al)
noise = sp.sqrt(1 - A_t)
clean = (x_t_ - noise * eps) / sp.sqrt(A_t)  # (7.12)
print("(7.12) back into (5.11):", sp.simplify(sp.sqrt(A_t) * clean + noise * eps - x_t_))
lines = [
    sp.sqrt(A_s) * be / (1 - A_t) * clean + root * (1 - A_s) / (1 - A_t) * x_t_,
    (be * (x_t_ - noise * eps) + al * (1 - A_s) * x_t_) / (root * (1 - A_t)),
    (be + al - A_t) / (root * (1 - A_t)) * x_t_ - be / (root * noise) * eps,
    (x_t_ - be / noise * eps) / root,
]
for number, (one, following) in enumerate(zip(lines, lines[1:]), start=1):
    print(f"line {number} minus line {number + 1}:", sp.simplify(one - following))

# %% [markdown]
# Here $\epsilon$ is the noise that was actually added, as unknown as $x_0$ was. But (7.13) is linear in it, so the
# best estimate $\hat\epsilon = E[\epsilon \mid x_t]$ gives the exact mean of $q(x_{t-1} \mid x_t)$.
#
# ### Exercise 7.5 · The same for any move
#
# (7.13) is for one step. Eliminate $x_0$ from the mean of (7.8) in the same way, for any $s < t$: which factor
# does $\epsilon$ get, and what stands in front of the bracket? Test your formula against (7.13) at $s = t - 1$ first.

# %% tags=["exercise"]
def my_eps_mean(schedule, x_t, eps, t, s):
    """Return the mean of q(x_s | x_t, x_0), from x_t and the noise in it."""
    ### BEGIN SOLUTION
    abar_t = row(schedule.abar, t)
    alpha_ts = abar_t / row(schedule.abar, s)
    on_eps = (1 - alpha_ts) / (1 - abar_t).sqrt()
    return (x_t - coef(on_eps, x_t) * eps) / coef(alpha_ts.sqrt(), x_t)
    ### END SOLUTION


eps_mean = check("posterior.eps_mean", my_eps_mean)

# %% [markdown] tags=["solution"]
# $\alpha_t$ becomes $\alpha_{ts}$, and $\beta_t$ becomes $1-\alpha_{ts}$, so the mean is
# $\big(x_t - \frac{1-\alpha_{ts}}{\sqrt{1-\bar\alpha_t}}\,\epsilon\big)/\sqrt{\alpha_{ts}}$. The root of
# $1-\bar\alpha_t$ stays, because $\epsilon$ is still all the noise in $x_t$.

# %% [markdown]
# ## Popular claims, checked
#
# - **$q(x_{t-1} \mid x_t)$ is a mixture of the $q(x_{t-1} \mid x_t, x_0)$, and has a larger variance.** Some
#   derivations replace one by the other. Only the means agree, if $x_0$ is replaced by $\hat x_0$; the variances are
#   1.199e-04 and 5.453e-05 for $N(0, 1)$ data at $t = 2$.
# - **In the exponent, the precision multiplies both terms:** $-\tfrac12(Px^2 - 2hx)$ with $h = P\mu$. With the
#   bracket closed too early, $-\tfrac12 P x^2 - 2\mu x$, the peak is somewhere else.
# - **A quotient of two Gaussians is Gaussian only if the precision stays positive.** (Chapter 02 has products and
#   quotients.) In (7.2) nothing can go wrong: the denominator does not contain $x_s$, and the two precisions of the
#   numerator add.

# %%
# claim: E97, E114
x_0, x_t = torch.tensor([[0.5]]).double(), torch.tensor([[0.3]]).double()
q = forward.posterior(schedule, x_0, x_t, 10, 9)
mean, var = q.mean.item(), q.var.item()
print(f"peak at t = 10: {mean:.5f}; with the bracket closed too early {-2 * mean * var:.5f}")
print(f"precision of N(0, 1) / N(0, 0.5): {1 / 1 - 1 / 0.5}")
P_10 = schedule.alpha[10] / schedule.beta[10] + 1 / (1 - schedule.abar[9])
print(f"precision of (7.2) at t = 10: {1 / var:.1f}; from the numerator alone: {P_10:.1f}")

# %% [markdown]
# ## Recap
#
# The reverse distribution $q(x_s \mid x_t)$ needs the density of the data and is intractable. Once $x_0$ is known,
# Bayes' rule multiplies two Gaussians: precisions add, the mean is a weighted sum of both ends, and the
# variance is a table. The first distribution is the mixture of the second over what $x_0$ may have been. That is
# why the best estimate of $x_0$, or of the noise, gives the exact mean of a reverse step; its variance is larger.
#
# **One formula to keep**
#
# $$q(x_{t-1} \mid x_t, x_0) = N\Big(\frac{1}{\sqrt{\alpha_t}}\Big(x_t - \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\,\epsilon\Big),\;
# \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t\, I\Big)$$
#
# (Here $\epsilon$ is all the noise in $x_t$, accumulated since $t = 0$; not the noise of the last step.)
#
# **Exercises:** 7.1 `posterior.precision` · 7.2 `posterior.var` · 7.3 `posterior.mean` (detour) · 7.4
# `posterior.draw` (detour) · 7.5 `posterior.eps_mean`
#
# **Before:** [06 · How fast should the signal go?](06_schedules_and_snr.ipynb) · **Next:**
# [07b · How much noise should a step back add?](07b_reverse_variance.ipynb)
#
# **Read on:** [Ho20] Sec. 2; [Luo22] for the same algebra in other words; [SD15] Sec. 2.2 for why the reverse process
# has the same form as the forward one.
