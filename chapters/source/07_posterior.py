# %% [markdown]
# # 07 · Where was the chain a moment ago?
#
# A walker of the noising chain stands at $x_t$. Where was it earlier, at a time $s < t$? Whoever can
# answer that can walk from noise back to data. There are two answers: one for those who know where the
# walk began, and one for those who do not. The first is a formula. The second is what a network is for.
#
# **After this chapter you can**
#
# - say which reverse law is out of reach, which one is a formula, and how the two belong together,
# - derive the formula by completing a square, and read it in three ways,
# - write its mean with $x_0$, with the noise $\epsilon$ or with the score, and spot the usual slips,
# - say how much noise a reverse step should add, and for which data the two usual choices are right.
#
# **You need** [05 · How does data become noise?](05_forward.ipynb), above all its line (5.11), $x_t =
# \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\epsilon$. About 90 minutes to work through, with a place
# for a break on the way; it runs in under half a minute.
#
# **In the papers:** [Ho20] Sec. 2, Eq. 6–7, and Sec. 3.2; [ND21] Sec. 3.1; [Luo22] for the algebra.

# %%
import math

import sympy as sp
import torch

from ddpm_lab import figures, forward, gaussians, oracles, samplers, schedules
from ddpm_lab.exercises import check
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded
from ddpm_lab.schedules import coef, row

schedule = schedules.linear()
data = oracles.two_modes()  # two bumps of equal weight, at -0.97 and +0.97
print(schedule)
print("variance of each bump:", data.var.tolist())

# %% [markdown]
# ## A first look: one place, two crowds
#
# Two million walkers start from two-bump data and take the noising chain to $s = 100$, then on to
# $t = 300$. At $t = 300$ we pick those who stand near 0.2 and look up where they were at $s = 100$. ("A
# moment" of 200 steps, so that there is something to see. In the end it will be one step.)
#
# **Predict.** Sketch the histogram of their $x_{100}$ before you run the cells. Now keep only those of
# them who *began* near $x_0 = 1$. What is left of your histogram?

# %%
x_0 = oracles.sample(data, 2_000_000, generator=seeded(1)).double()
x_s = forward.noised(schedule, x_0, 100, normal_like(x_0, generator=seeded(2)))
move_on = forward.transition(schedule, x_s, 100, 300)  # the law of x_300, given x_100
x_t = draw(move_on, normal_like(x_0, generator=seeded(3)))

here = (x_t - 0.2).abs() < 0.02  # they stand near 0.2 at t = 300
known = here & ((x_0 - 1).abs() < 0.05)  # and they began near 1
crowds = {"all who stand near 0.2": x_s[here], "of these, began near 1": x_s[known]}
for name, crowd in crowds.items():
    print(f"{name}: {len(crowd)} walkers, x_100 has mean {crowd.mean():.3f}, std {crowd.std():.3f}")
print(f"of all who stand near 0.2, {(x_s[here] > 0).double().mean():.1%} were right of 0")

# %%
fig, ax = figures.new(height=2.8)
for (name, crowd), color in zip(crowds.items(), (figures.SKY, figures.RED)):
    counts, *_ = ax.hist(crowd, bins=80, range=(-2, 2.5), color=color, label=name)
    print(f"{name}: the fullest of 80 bins holds {int(counts.max())}")
ax.set(xlabel="x_100, data units", ylabel="walkers in a bin", title="Who is at 0.2 when t = 300?")
ax.legend(fontsize=9)
figures.show(fig, alt="All: two bumps, the right one higher. Those that began near 1: one bell.")

# %% [markdown]
# Two crowds: 60.0 % were right of 0, the others left, and no single bell describes them. Of those who
# began near 1 a single bell is left, with mean 0.897 and standard deviation 0.308. Same place,
# same time; knowing $x_0$ makes the question easy. The rest of the chapter finds that bell, and then asks
# what to do without $x_0$.

# %% [markdown]
# ## Two laws that look alike
#
# The question for those who know nothing but $x_t$ is answered by Bayes' rule,
#
# $$q(x_s \mid x_t) = \frac{q(x_t \mid x_s)\, q(x_s)}{q(x_t)},
# \qquad q(x_s) = \int q(x_s \mid x_0)\, q(x_0)\, dx_0. \tag{7.1}$$
#
# The first factor is ours: it is the noising chain. But $q(x_s)$ is the density of slightly noisy
# pictures. To know it means to know $q(x_0)$, the density of pictures, and if we had that we would need no
# model. So (7.1) is true and **out of reach**.
#
# Now the same rule again, with everything conditioned on $x_0$:
#
# $$q(x_s \mid x_t, x_0) = \frac{q(x_t \mid x_s, x_0)\, q(x_s \mid x_0)}{q(x_t \mid x_0)}
# = \frac{q(x_t \mid x_s)\, q(x_s \mid x_0)}{q(x_t \mid x_0)}. \tag{7.2}$$
#
# The second equality uses the **Markov property**: once $x_s$ is known, $x_0$ says nothing more about
# $x_t$. It is used here and nowhere else. (It does *not* turn $q(x_t \mid x_s, x_0)$ into
# $q(x_t \mid x_0)$; chapter 05 measured how far these are apart.) On the right stand three Gaussians, and we
# know them all: one `transition` and two `marginal`s. No data law is left. The law (7.2) is called the
# **posterior** of $x_s$: the law after $x_t$ and $x_0$ have been looked at.
#
# Our toy data are special: their $q(x_0)$ *is* known, so we can look at both laws. Does (7.1) describe
# the crowd that stands near 0.2, and (7.2) the ones that began near 1?

# %%
# eq: 7.1
dx = 0.002
grid = torch.linspace(-4, 4, 4001, dtype=torch.float64)[:, None]  # places, as a column


def density(s):
    """q(x_s) on the grid: possible for toy data only."""
    return oracles.log_density(data, schedule, grid, s).exp()


def way_back(x_t, t, s):
    """q(x_s | x_t) on the grid, by Bayes' rule: one row for each x_t, given as a column."""
    step = forward.transition(schedule, grid, s, t)
    p = density(s) * torch.exp(-((x_t - step.mean[:, 0]) ** 2) / (2 * step.var))
    return p / (p.sum(-1, keepdim=True) * dx)


at_half = forward.marginal(schedule, grid, 100)  # q(x_s | x_0), for each x_0 on the grid
integrand = gaussians.log_prob(at_half, torch.full_like(grid, 0.5)).exp() * density(0)
print(f"q(x_100) at 0.5: {density(100)[2250]:.6f}, by the integral {integrand.sum() * dx:.6f}")

# %%
# eq: 7.1, 7.2
def moments(p):
    """Mean and variance of each density on the grid, one a row."""
    mean = (p @ grid) * dx
    return mean[..., 0], ((p * (grid[:, 0] - mean) ** 2).sum(-1) * dx)


mean, var = moments(way_back(0.2, 300, 100))
print(f"q(x_s | x_t), (7.1):      mean {mean:.3f}, std {var.sqrt():.3f}")
ones, here_now = torch.ones_like(grid), torch.full_like(grid, 0.2)
log_p = gaussians.log_prob(forward.transition(schedule, grid, 100, 300), here_now)
log_p = log_p + gaussians.log_prob(forward.marginal(schedule, ones, 100), grid)
log_p = log_p - gaussians.log_prob(forward.marginal(schedule, ones, 300), here_now)
mean, var = moments(log_p.exp())
print(f"q(x_s | x_t, x_0), (7.2): mean {mean:.3f}, std {var.sqrt():.3f}, "
      f"integral {log_p.exp().sum() * dx:.6f}")

# %% [markdown]
# The walkers had means 0.197 and 0.897 and standard deviations 0.882 and 0.308. The two laws have 0.190 and
# 0.898, 0.885 and 0.309: the same, within what chance and our "near" allow. And (7.2) integrates to 1 by
# itself: it is a density already.

# %% [markdown]
# ## When is the way back a bell?
#
# The network of a diffusion model may answer with a Gaussian only. Is the truth one? In the first picture it
# was not. [Chapter 05](05_forward.ipynb) measured that steps back *to the data* come closer to a Gaussian
# as $\beta$ shrinks. But size is not all: it also matters where in the chain the move is made.
#
# **Predict.** Three moves: (a) from $t = 260$ to the data, half of $x_t$'s variance being new noise; (b)
# from $t = 39$ to the data, 2 % new noise; (c) from $t = 479$ to $s = 400$, again half of it new. Which of
# them has a bell for a way back?
#
# <details><summary>Answer</summary>
#
# (b) and (c). A move is small or large *compared with the structure of $q(x_s)$*, the density one goes back
# to. The data have two narrow bumps, so (a) is a large move and (b) a small one. By $s = 400$ the bumps
# have melted into nearly one bell, and there half new noise is not much.
#
# </details>

# %%
fig, axes = figures.new(1, 3, width=8.4, height=2.8)
for ax, (t, s) in zip(axes, ((260, 0), (39, 0), (479, 400))):
    fresh = 1 - schedule.abar[t] / schedule.abar[s]
    p = way_back(0.2, t, s)
    mean, var = moments(p)
    bell = gaussians.log_prob(Gaussian(mean.expand(4001, 1), var), grid).exp()
    figures.curves(grid[:, 0], {"q(x_s | x_t)": p, "best Gaussian": bell}, ax=ax,
                   title=f"{t} → {s}: {fresh:.0%} new", xlabel="x_s, data units", ylabel="")
    ax.set(xlim=(-2.5, 2.5), ylim=(0, 1.6 * float(p.max())))
    print(f"{t} → {s}, from x_t = 0.2: mean {mean:.3f}, std {var.sqrt():.3f}")
axes[0].set_ylabel("density")
figures.show(fig, alt="Left: two bumps, unlike their Gaussian. Middle, right: bells, on top of it.")

# %% [markdown]
# That was one place, $x_t = 0.2$. On average over all places, the KL of chapter 05 (the price, in nats, of
# taking one law for another) says how far the way back is from its best Gaussian:

# %%
def gap(t, s):
    """Mean KL from q(x_s | x_t) to the Gaussian with the same mean and variance, nats."""
    # That KL is the Gaussian's entropy minus the entropy of q(x_s | x_t).
    places = torch.linspace(-4, 4, 401, dtype=torch.float64)[:, None]  # values of x_t
    p = way_back(places, t, s)
    entropy = -(p * p.clamp(min=1e-300).log()).sum(-1) * dx
    kl = 0.5 * torch.log(2 * torch.pi * torch.e * moments(p)[1]) - entropy
    often = oracles.log_density(data, schedule, places, t).exp()
    return float((kl * often).sum() / often.sum())


for t, s in ((260, 0), (300, 100), (39, 0), (479, 400), (100, 99)):
    print(f"{t:3} → {s:3}: {gap(t, s):.1e} nats from a Gaussian, on average over x_t")

# %% [markdown]
# The same half of new noise costs $5.5\cdot10^{-1}$ nats next to the data and $7.4\cdot10^{-5}$ at $s = 400$.
# A single step of the chain, 100 → 99, is $4.9\cdot10^{-7}$ nats from a Gaussian. So "the reverse step is Gaussian" is a
# statement about small steps **and** smooth densities. In the limit of infinitely small steps it becomes
# a theorem: the way back has the form of the way forward ([SD15] Sec. 2.2; [And82] in continuous time).
#
# <details><summary>Are there data for which no first step is small enough?</summary>
#
# Yes: two points. Whatever the step, $x_0$ given $x_1$ sits on those two points, never on a bell. The
# condition is a smooth *density*. (Pixels with 256 gray levels are points, too; the bound of chapter 08
# treats its last step in a special way for that reason.)
#
# </details>

# %% [markdown]
# ## Completing the square
#
# Back to (7.2), which needs no luck. Three Gaussians are multiplied and divided; what comes out?
#
# A Gaussian density is $e$ to the power of a quadratic with a negative leading term. So the whole
# derivation is about one quadratic, and about one trick to read off its mean and variance. For $P > 0$,
#
# $$-\tfrac12\big(P\,x^2 - 2\,h\,x\big) = -\tfrac12\, P\,\Big(x - \frac hP\Big)^2 + \frac{h^2}{2P}. \tag{7.3}$$
#
# The last term has no $x$ in it: it only scales the density, and the scale is fixed by the integral being
# 1. So whenever a log density is $-\tfrac12(P x^2 - 2 h x)$ plus anything without $x$, the law is
# $N(h/P,\; 1/P)$. The number $P$, one over the variance, is called the **precision**.

# %%
# eq: 7.3
x, P, h = sp.symbols("x P h", positive=True)
left = -(P * x**2 - 2 * h * x) / 2
right = -P * (x - h / P) ** 2 / 2 + h**2 / (2 * P)
print("(7.3) left minus right:", sp.simplify(left - right))

# %% [markdown]
# ### Exercise 7.1 · Two opinions about one number
#
# One source says that $x$ is about $m_1$, give or take: $N(x; m_1, v_1)$. Another, independent one says
# $N(x; m_2, v_2)$. Together they say the product, scaled to integrate to 1. Find its mean and variance:
# expand both squares, collect $x^2$ and $x$, use (7.3).
#
# <details><summary>Hint</summary>
#
# $-\frac{(x-m)^2}{2v} = -\frac12\big(\frac1v x^2 - 2\frac mv x\big)$ plus something without $x$. What are
# $P$ and $h$ for the sum of two of these?
#
# </details>

# %% tags=["exercise"]
def my_fuse(m_1, v_1, m_2, v_2):
    """Return (mean, variance) of the law proportional to N(x; m_1, v_1) N(x; m_2, v_2)."""
    ### BEGIN SOLUTION
    total = 1 / v_1 + 1 / v_2
    return (m_1 / v_1 + m_2 / v_2) / total, 1 / total
    ### END SOLUTION


fuse = check("posterior.precision", my_fuse)
print("N(0, 1) and N(2, 1):     mean {:.3f}, variance {:.3f}".format(*fuse(0.0, 1.0, 2.0, 1.0)))
print("N(0, 1) and N(2, 0.01):  mean {:.3f}, variance {:.3f}".format(*fuse(0.0, 1.0, 2.0, 0.01)))

# %% [markdown]
# Two equally vague opinions meet in the middle, and together they are twice as sure: variance 0.500. A
# sharp opinion wins against a vague one: 1.980. **Precisions add**, and each mean counts by its precision.
#
# Now for real. Write $a = \sqrt{\alpha_{ts}}$ and $v = 1-\alpha_{ts}$ with $\alpha_{ts} =
# \bar\alpha_t/\bar\alpha_s$ for the move from $s$ to $t$, and $b = \sqrt{\bar\alpha_s}$, $u = 1-\bar\alpha_s$
# for the one from 0 to $s$. So $x_t \sim N(a x_s, v)$ and $x_s \sim N(b x_0, u)$. (One pixel at a time; the
# pixels do not mix.) The denominator of (7.2) has no $x_s$ in it, so **as a function of $x_s$** only the
# product above it matters:
#
# $$\log q(x_s \mid x_t, x_0) = -\frac12\Big[\frac{(x_t - a\,x_s)^2}{v} + \frac{(x_s - b\,x_0)^2}{u}\Big]
# + \text{anything without } x_s. \tag{7.4}$$
#
# Expand both squares and collect:
#
# $$= -\frac12\Big[\underbrace{\Big(\frac{a^2}{v} + \frac1u\Big)}_{P}\, x_s^2
# - 2\,\underbrace{\Big(\frac{a\,x_t}{v} + \frac{b\,x_0}{u}\Big)}_{h}\, x_s\Big] + \text{anything without } x_s.
# \tag{7.5}$$
#
# That is (7.3). The first cell checks (7.4) against the three laws of the package, the second one (7.5).

# %%
# eq: 7.4
abar_s, abar_t = schedule.abar[100], schedule.abar[300]
alpha_ts = abar_t / abar_s
square = (0.2 - alpha_ts.sqrt() * grid) ** 2 / (1 - alpha_ts)  # x_t = 0.2 as in the first picture
square = square + (grid - abar_s.sqrt() * 1) ** 2 / (1 - abar_s)  # and x_0 = 1
without = log_p + 0.5 * square[:, 0]  # log_p is the log of (7.2), from the cell above
print(f"what (7.4) leaves out is {without[0]:.6f} at x_s = -4 and {without[-1]:.6f} at x_s = 4")

# %%
# eq: 7.5
x_s_, x_t_, x_0_ = sp.symbols("x_s x_t x_0", real=True)  # with _: symbols, not walkers
a, b, u, v = sp.symbols("a b u v", positive=True)
exponent = (x_t_ - a * x_s_) ** 2 / v + (x_s_ - b * x_0_) ** 2 / u
P_, h_ = a**2 / v + 1 / u, a * x_t_ / v + b * x_0_ / u
rest = sp.expand(exponent - (P_ * x_s_**2 - 2 * h_ * x_s_))
print("what is left over:", rest)
print("does it contain x_s?", rest.has(x_s_))

# %% [markdown]
# Mind the bracket in (7.5): the $\tfrac12$ and the precision belong to the *whole* quadratic. One
# walk-through prints the exponent as $-\tfrac12\frac1\Sigma x^2 - 2\mu x$. Take that literally and the peak
# sits elsewhere, as a cell further down shows.
#
# ### Exercise 7.2 · How sure are we?
#
# Turn $1/P$ into a closed form in $\bar\alpha_s$ and $\bar\alpha_t$, the variance of $q(x_s \mid x_t, x_0)$.
# Bring the two fractions of $P$ to a common denominator; what do you know about $a^2 u + v$? `t` and `s`
# are ints or batches; `row(schedule.abar, t)` reads the table. At $s = 0$ there is nothing left to be
# unsure of: check that yours gives 0.
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
    left_s, left_t = row(schedule.abar, s), row(schedule.abar, t)
    v = 1 - left_t / left_s
    return v * (1 - left_s) / (1 - left_t)
    ### END SOLUTION


posterior_var = check("posterior.var", my_var)

# %% [markdown]
# With the common denominator, mean and variance are
#
# $$\frac1P = \frac{u\,v}{a^2 u + v},
# \qquad \frac hP = \frac{a\,u\;x_t + b\,v\;x_0}{a^2 u + v}, \tag{7.6}$$
#
# and the denominator is an old friend: all noise of $x_t$,
#
# $$a^2 u + v = \alpha_{ts}(1-\bar\alpha_s) + 1 - \alpha_{ts} = 1 - \alpha_{ts}\bar\alpha_s
# = 1 - \bar\alpha_t. \tag{7.7}$$
#
# Insert, and there is the law of the red bell, for any $0 \le s < t$:
#
# $$\boxed{\;q(x_s \mid x_t, x_0) = N\Big(
# \underbrace{\frac{\sqrt{\bar\alpha_s}\,(1-\alpha_{ts})}{1-\bar\alpha_t}}_{w_0}\, x_0
# + \underbrace{\frac{\sqrt{\alpha_{ts}}\,(1-\bar\alpha_s)}{1-\bar\alpha_t}}_{w_t}\, x_t,\;\;
# \frac{(1-\alpha_{ts})(1-\bar\alpha_s)}{1-\bar\alpha_t}\, I\Big)\;} \tag{7.8}$$

# %%
# eq: 7.6, 7.7, 7.8
bottom = a**2 * u + v
print("(7.6):", sp.simplify(1 / P_ - u * v / bottom),
      sp.simplify(h_ / P_ - (a * u * x_t_ + b * v * x_0_) / bottom))
A_s, A_t = sp.symbols("abar_s abar_t", positive=True)
values = {a: sp.sqrt(A_t / A_s), v: 1 - A_t / A_s, b: sp.sqrt(A_s), u: 1 - A_s}
print("(7.7):", sp.simplify(bottom.subs(values) - (1 - A_t)))
w_0 = sp.sqrt(A_s) * (1 - A_t / A_s) / (1 - A_t)
w_t = sp.sqrt(A_t / A_s) * (1 - A_s) / (1 - A_t)
small = (1 - A_t / A_s) * (1 - A_s) / (1 - A_t)
print("(7.8):", sp.simplify((h_ / P_).subs(values) - w_0 * x_0_ - w_t * x_t_),
      sp.simplify((1 / P_).subs(values) - small))
bell = forward.posterior(schedule, torch.tensor([[1.0]]), torch.tensor([[0.2]]), t=300, s=100)
print(f"the package, x_0 = 1, x_t = 0.2: mean {bell.mean.item():.3f}, std {bell.var.sqrt():.3f}")

# %% [markdown]
# All differences are 0, and the package's bell is the one that (7.2) gave on the grid, 0.898 and 0.309.
#
# ### Exercise 7.3 · The paper's case
#
# [Ho20] needs $s = t - 1$ only. Write the **mean** of $q(x_{t-1} \mid x_t, x_0)$ with the tables
# `schedule.beta`, `.alpha` and `.abar`. What becomes of $\alpha_{ts}$ and of $1-\alpha_{ts}$? Use
# `row(table, t)` and `coef(number, x_t)`, so that a batch of times works too; and $t = 1$ must give $x_0$.

# %% tags=["exercise"]
def my_mean(schedule, x_0, x_t, t):
    """Return the mean of q(x_{t-1} | x_t, x_0), shaped like x_t."""
    ### BEGIN SOLUTION
    alpha, beta = row(schedule.alpha, t), row(schedule.beta, t)
    left_at_t, left_before = row(schedule.abar, t), row(schedule.abar, t - 1)
    on_x_0 = left_before.sqrt() * beta / (1 - left_at_t)
    on_x_t = alpha.sqrt() * (1 - left_before) / (1 - left_at_t)
    return coef(on_x_0, x_t) * x_0 + coef(on_x_t, x_t) * x_t
    ### END SOLUTION


posterior_mean = check("posterior.mean", my_mean)

# %% [markdown]
# In the paper's letters, the mean is called $\tilde\mu_t$ and the variance $\tilde\beta_t$ [Ho20, Eq. 7]:
#
# $$\tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\, x_0
# + \frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\, x_t,
# \qquad \tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t. \tag{7.9}$$

# %%
# eq: 7.9
start, now = (normal_like(torch.ones(1000, 1).double(), generator=seeded(i)) for i in (4, 5))
t = torch.arange(1, 1001)  # 1000 items, each with a time of its own
law = forward.posterior(schedule, start, now, t, t - 1)
beta, alpha, abar = schedule.beta[1:, None], schedule.alpha[1:, None], schedule.abar[:, None]
tilde_mu = (abar[:-1].sqrt() * beta * start + alpha.sqrt() * (1 - abar[:-1]) * now) / (1 - abar[1:])
tilde_beta = (1 - abar[:-1]) / (1 - abar[1:]) * beta
others = {"(7.8), mean": law.mean - tilde_mu, "(7.8), variance": law.var - tilde_beta,
          "exercise 7.3": posterior_mean(schedule, start, now, t) - tilde_mu}
for name, difference in others.items():
    print(f"(7.9) equals {name}, t = 1 … 1000: {bool(difference.abs().max() < 1e-12)}")
misprint = (1 - schedule.abar[1]) / (1 - schedule.abar[1]) * schedule.beta[2]
print(f"tilde beta_2 = {tilde_beta[1].item():.3e}; with 1 - abar_1 below as well: {misprint:.3e}, "
      f"{misprint / tilde_beta[1].item():.2f} times as much")

# %% [markdown]
# The last line is a misprint that you may meet: $1-\bar\alpha_{t-1}$ above *and* below. Then the fraction
# cancels, $\beta_t$ is left, and the variance at $t = 2$ is 2.20 times what it should be. Funnily enough, that
# misprint is a choice that people make on purpose. We come to it.
#
# Here is the function that the course uses: (7.8), for any two times.

# %%
# eq: 7.8
figures.show_source(forward.posterior)

# %% [markdown]
# **Products and quotients.** "Products and quotients of Gaussians are Gaussian", people say. For products
# that is (7.3). Dividing *subtracts* precisions, so a quotient is a Gaussian only if the numerator is the
# more precise one. We were safe: the denominator of (7.2) has no $x_s$. The next cell looks at a quotient
# that fails, at ours at $t = 10$, and at the bracket slip from above.

# %%
print(f"N(x; 0, 1) / N(x; 0, 0.5): precision {1 / 1 - 1 / 0.5:+.1f}, so it grows without end")
beta, alpha, abar_s = schedule.beta[10], schedule.alpha[10], schedule.abar[9]
P_10 = alpha / beta + 1 / (1 - abar_s)
print(f"ours at t = 10: precision {alpha / beta:.1f} + {1 / (1 - abar_s):.1f} = {P_10:.1f}, "
      f"and 1 / tilde beta_10 = {1 / schedule.posterior_var[10]:.1f}")
both = torch.tensor([[0.5]]).double(), torch.tensor([[0.3]]).double()  # x_0 = 0.5, x_10 = 0.3
mu = forward.posterior(schedule, *both, 10, 9).mean.item()
# -x^2 / (2 var) - 2 mu x has slope 0 at x = -2 mu var
print(f"peak: {mu:.5f}; of the exponent without its bracket: {-2 * mu / P_10:.5f}")

# %% [markdown]
# ## If both ends are known, the way back is easy
#
# Suppose somebody tells you $x_0$. Then (7.8) walks you back from $x_T$: draw $x_s$, stand there, draw
# again. A path that is pinned at both ends is called a **bridge**.
#
# ### Exercise 7.4 · One move of a bridge
#
# Draw from $q(x_s \mid x_t, x_0)$, given standard normal noise `z`. `forward.posterior(schedule, x_0, x_t, t, s)`
# is the law; its fields are `mean` and `var`. Use no other function of the package.

# %% tags=["exercise"]
def my_move(schedule, x_0, x_t, t, s, z):
    """Return x_s, a draw of q(x_s | x_t, x_0) made of the standard normal noise z."""
    ### BEGIN SOLUTION
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + law.var.sqrt() * z
    ### END SOLUTION


move = check("posterior.draw", my_move)

# %% [markdown]
# **Predict.** 20,000 bridges lead from $x_{1000} = -1.5$ to $x_0 = 1$, in 100 moves of 10 steps. Where are
# they halfway, at $t = 500$: in the middle between −1.5 and 1?

# %%
start, x = (torch.full((20_000, 1), value, dtype=torch.float64) for value in (1.0, -1.5))
end, rng, bridges = x, seeded(5), {1000: x}
times = schedules.strides(1000, 100)  # 1000, 990, …, 10, 0
for t, s in zip(times, times[1:]):
    x = move(schedule, start, x, t, s, normal_like(x, generator=rng))
    bridges[s] = x
for s in (900, 500, 100, 0):
    jump = forward.posterior(schedule, start[:1], end[:1], 1000, s)  # (7.8) in a single move
    print(f"s = {s:3}: bridges have mean {bridges[s].mean():+.3f}, std {bridges[s].std():.3f}; "
          f"one move from T says {jump.mean.item():+.3f}, {jump.var.sqrt():.3f}")
print(f"chance moves a mean of 20,000 by about {1 / math.sqrt(20_000):.3f} standard deviations")

# %%
fig, ax = figures.new(height=3)
paths = torch.stack([bridges[s][:25, 0] for s in times])
ax.plot(times, paths, color=figures.SKY, linewidth=0.6)
middle = torch.stack([bridges[s].mean() for s in times])
spread = 2 * torch.stack([bridges[s].std() for s in times])
ax.plot(times, middle, color=figures.BLUE, label="mean of 20,000")
for edge, name in ((middle - spread, "mean ± 2 std"), (middle + spread, None)):
    ax.plot(times, edge, color=figures.RED, linestyle="--", label=name)
ax.set(xlabel="time t, steps (read from left to right: the way back)", ylabel="x_t, data units")
ax.set_xlim(1000, 0)
ax.legend(fontsize=9, loc="lower right")
figures.show(fig, alt="25 noisy paths start together at -1.5 and meet again exactly at x_0 = 1.")
print(f"the mean crosses 0 at t = {next(t for t, m in zip(times, middle) if m > 0)}")

# %% [markdown]
# Not in the middle: at $t = 500$ the mean is +0.247 and the standard deviation 0.961, almost that of pure
# noise. The pin at $x_T$ loosens early: after ten moves the mean is at −0.555 already. The pin at $x_0$ pulls
# late, and holds exactly. And many small moves agree with a single big one at all four times, up to the 0.007
# by which chance moves a mean of 20,000: (7.8) holds for all pairs $s < t$ together.
#
# So *if* $x_0$ were known, generating would be a walk with a formula. A sampler does not know it. It asks a
# denoiser for a guess $\hat x_0$, makes one move of the bridge to that guess, and asks again:
# `samplers.ddpm` is `forward.posterior` with `x0_hat` in the place of $x_0$.

# %% [markdown]
# ## Three ways to read it
#
# **First reading: the mean is a mixture of both ends**, $w_0 x_0 + w_t x_t$.
#
# **Predict.** One step back, $s = t-1$. Who pulls harder at $t = 1$, at $t = 2$, at $t = 1000$: $x_0$ or
# $x_t$? And do the two weights add to 1?

# %%
t = torch.arange(1, 1001)
unit, zero = torch.ones(1000, 1).double(), torch.zeros(1000, 1).double()
weight_0 = forward.posterior(schedule, unit, zero, t, t - 1).mean[:, 0]  # x_0 = 1, x_t = 0
weight_t = forward.posterior(schedule, zero, unit, t, t - 1).mean[:, 0]  # x_0 = 0, x_t = 1
fig = figures.curves(t, {"w_0, pull of x_0": weight_0, "w_t, pull of x_t": weight_t},
                     xlabel="time t, steps (log scale)", ylabel="weight, no unit", height=2.6)
fig.axes[0].set_xscale("log")
figures.show(fig, alt="The pull of x_0 falls from 1 to nearly 0; x_t's rises, ahead from t = 3 on.")
for i in (1, 2, 3, 10, 100, 1000):
    print(f"t = {i:4}: w_0 = {weight_0[i - 1]:.4g}, w_t = {weight_t[i - 1]:.4f}, "
          f"sum {weight_0[i - 1] + weight_t[i - 1]:.4f}")
print("x_t pulls harder from t =", int(t[weight_t > weight_0][0]), "on")

# %% [markdown]
# At $t = 1$ it is all $x_0$, at $t = 2$ still a little more of it (0.5453 against 0.4547), and from $t = 3$
# on $x_t$ pulls harder. A step back is a small step; at $t = 1000$ the clean end has a weight of 0.0001.
# These are not the weights of an average: their sum is 1 up to a term of the size of $\beta_t$, 0.9901 at
# the end.
#
# **Second reading: the variance knows no data.** $\tilde\beta_t$ contains neither $x_0$ nor $x_t$. It is a
# table, made before any picture is seen (`schedule.posterior_var`). But it depends on all of $\beta_1 \dots
# \beta_t$, not on $\beta_t$ alone.
#
# **Third reading: two sources, weighted by precision.** In (7.5) each source has a share. From $x_0$ comes
# $x_s \approx b\,x_0$ with precision $1/u$. From $x_t$ comes $x_s \approx x_t / a$ with precision $a^2/v$. So
#
# $$\text{mean} = \frac{\frac{1}{u}\, b\,x_0 + \frac{a^2}{v}\, \frac{x_t}{a}}{\frac1u + \frac{a^2}{v}},
# \qquad \frac{1}{\text{variance}} = \frac1u + \frac{a^2}{v}, \tag{7.10}$$
#
# which is your `fuse` from exercise 7.1. It is also Bayes' rule for Gaussians: the prior is what $x_0$ says
# about $x_s$ (a **prior** is the law before one looks at the new fact), the new fact is $x_t$. The package
# has that rule as `gaussians.condition`. Three ways to the same law:

# %%
# eq: 7.10
for t, s in ((300, 100), (1000, 999)):
    abar_s, abar_t = schedule.abar[s], schedule.abar[t]
    a_2, v_ = abar_t / abar_s, 1 - abar_t / abar_s  # a^2 and v
    prior = forward.marginal(schedule, torch.ones(1, 1).double(), s)  # x_0 = 1
    seen = torch.full((1, 1), 0.2).double()  # x_t = 0.2
    bayes = gaussians.condition(prior, seen, scale=a_2.sqrt(), noise_var=v_)
    fused = fuse(prior.mean, prior.var, seen / a_2.sqrt(), v_ / a_2)
    law = forward.posterior(schedule, torch.ones(1, 1).double(), seen, t, s)
    print(f"{t} → {s}: precision {1 / prior.var:.5g} from x_0, {a_2 / v_:.5g} from x_t")
    for name, (mean, var) in (("posterior", law), ("condition", bayes), ("fuse", fused)):
        print(f"    {name:>9}: mean {mean.item():.5f}, variance {var.item():.5g}")

# %%
fig, ax = figures.new(height=2.8)
abar_s, alpha_ts = schedule.abar[100], schedule.abar[300] / schedule.abar[100]
sources = {
    "x_0 = 1 says": (abar_s.sqrt(), 1 - abar_s),
    "x_t = 0.2 says": (0.2 / alpha_ts.sqrt(), (1 - alpha_ts) / alpha_ts),
}
sources["both together"] = fuse(*sources["x_0 = 1 says"], *sources["x_t = 0.2 says"])
bells = {}
for name, (mean, var) in sources.items():
    bells[name] = gaussians.log_prob(Gaussian(mean.expand(4001, 1), var), grid).exp()
    print(f"{name:>15}: mean {mean:.3f}, variance {var:.3f}, precision {1 / var:.2f}")
figures.curves(grid[:, 0], bells, ax=ax, xlabel="x_100, data units", ylabel="density")
ax.set_xlim(-3, 3)
figures.show(fig, alt="A broad bell from x_t, a narrow one from x_0, and the product, narrower.")

# %% [markdown]
# That is the red bell of the first picture again: $x_0$ with precision 9.71, $x_t$ with 0.79; together
# 10.50. In the step 1000 → 999 it is the other way round: precision 1 from the clean end, 49 from $x_t$.

# %% [markdown]
# Who pulls harder, $x_0$ or $x_t$? Move $t$, $s$ and the two ends, and watch which source decides.
#
# <!-- explorer: who_pulls_harder -->

# %% [markdown]
# ## One law is the mixture of the other
#
# One walk-through says: since $q(x_{t-1} \mid x_t)$ is unknown, *turn it into* $q(x_{t-1} \mid x_t, x_0)$. Then
# it goes on as if the two were one. They are not. Whoever does not know $x_0$ must average over what it may
# have been:
#
# $$q(x_s \mid x_t) = \int q(x_s \mid x_t, x_0)\; q(x_0 \mid x_t)\; dx_0. \tag{7.11}$$
#
# Only the first factor in the integral is always Gaussian. Here is the first picture once more, built from
# (7.11): one bell for each possible $x_0$, as high as that $x_0$ is probable.

# %%
# eq: 7.11
origin = way_back(0.2, 300, 0)  # q(x_0 | x_t = 0.2) on the grid
inner = forward.posterior(schedule, grid, torch.full_like(grid, 0.2), 300, 100)  # one for each x_0
apart = grid[:, 0] - inner.mean  # (x_0, x_s)
bells = torch.exp(-(apart**2) / (2 * inner.var)) / (2 * torch.pi * inner.var).sqrt()
mixture = (origin * dx) @ bells  # the integral (7.11)
same = bool((mixture - way_back(0.2, 300, 100)).abs().max() < 1e-9)
print(f"(7.11) equals Bayes' rule (7.1): {same}; the higher peak is {mixture.max():.3f}, "
      f"near x_100 = {grid[mixture.argmax()].item():.2f}")

# %%
fig, ax = figures.new(height=3)
ax.hist(x_s[here], bins=80, range=(-2, 2.5), density=True, color=figures.SKY, label="walkers")
for i in range(1000, 3001, 100):  # x_0 = -2, -1.8, …, 2: each bell stands for a stretch of 0.2
    name = "bells for single x_0" if i == 1000 else None
    ax.plot(grid, 0.2 * origin[i] * bells[i], color=figures.GREY, linewidth=0.8, label=name)
ax.plot(grid, mixture, color=figures.RED, label="mixture (7.11)")
ax.set(xlim=(-2, 2.5), xlabel="x_100, data units", ylabel="density")
ax.legend(fontsize=9)
figures.show(fig, alt="Small bells, one for each x_0, add up to the two crowds of the walkers.")
tall = (origin[1000:3001:100] * 0.2).max()
print(f"the tallest of the thin bells stands for {tall:.0%} of all walkers at 0.2")

# %% [markdown]
# The thin bells are all equally wide; the two crowds come from $x_0$ being unknown. Two consequences, both
# for the rest of the course:
#
# **The mean needs one number only.** The mean of each bell is *linear* in $x_0$, so averaging (7.8) over
# $q(x_0 \mid x_t)$ replaces $x_0$ by its mean: $E[x_s \mid x_t] = w_0\,E[x_0 \mid x_t] + w_t\,x_t$. Whoever
# has the best guess $\hat x_0 = E[x_0 \mid x_t]$ has the exact mean of the way back. **The spread is not
# covered.** It is larger than the one of (7.8), by what $x_0$ contributes.

# %%
denoise = oracles.mixture_denoiser(data, schedule)  # E[x_0 | x_t], exactly
place = torch.full((1, 1), 0.2, dtype=torch.float64)
for t, s in ((300, 100), (500, 499), (2, 1)):
    mean, var = moments(way_back(0.2, t, s))
    guess = forward.posterior(schedule, denoise(place, t), place, t, s)
    print(f"{t} → {s}: mean {mean:.6f}, with x0_hat {guess.mean.item():.6f}; "
          f"variance {var:.4e}, with x0_hat {guess.var:.4e}")

# N(0, 1) data stay N(0, 1), and x_t = sqrt(alpha) x_s + …: so Var(x_s | x_t) = 1 - alpha
print(f"N(0, 1) data, 2 → 1: variance {1 - schedule.alpha[2]:.3e}, "
      f"with x_0 known {schedule.posterior_var[2]:.3e}")

# %% [markdown]
# The means agree to the last digit shown, the variances do not: at 300 → 100 the true one is 0.783, eight
# times the posterior's 0.0952. For $N(0,1)$ data at $t = 2$ it is $1.199\cdot10^{-4}$ against
# $5.453\cdot10^{-5}$. So we keep $q(x_{t-1} \mid x_t, x_0)$ not because it equals the law that we want, but
# as a **training target**: chapter 08 shows that the bound asks for it.
#
# This also fixes the form of the model. Ho et al. take $p_\theta(x_{t-1} \mid x_t) = N(\mu_\theta(x_t, t),\,
# \sigma_t^2 I)$: the network gives the mean, at each step one draws from this law, and $\sigma_t^2$ is a
# table. (The second slot of $N$ holds a variance. You may meet a standard deviation there.)
#
# This is a good place for a break.

# %% [markdown]
# ## Get rid of $x_0$: the mean, told by the noise
#
# A network may guess $x_0$, but it may as well guess the noise $\epsilon$, since one gives the other. Solve
# (5.11) for $x_0$,
#
# $$x_0 = \frac{x_t - \sqrt{1-\bar\alpha_t}\;\epsilon}{\sqrt{\bar\alpha_t}}, \tag{7.12}$$
#
# and insert it into (7.9). The second line uses $\bar\alpha_t = \alpha_t\bar\alpha_{t-1}$ in the first fraction
# and multiplies the second one by $\sqrt{\alpha_t}/\sqrt{\alpha_t}$. The third collects $x_t$ and uses
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
# Here $\epsilon$ is the noise that was really mixed in: it is as unknown as $x_0$ was. But (7.13) is linear
# in it, too, so the best guess $\hat\epsilon = E[\epsilon \mid x_t]$ gives the exact mean of
# $q(x_{t-1} \mid x_t)$.
#
# ### Exercise 7.5 · The same for any move
#
# (7.13) is for one step. Do the elimination again for (7.8), any $s < t$: which factor does $\epsilon$ get,
# and what stands in front of it all? Test your formula against (7.13) at $s = t - 1$ first.

# %% tags=["exercise"]
def my_eps_mean(schedule, x_t, eps, t, s):
    """Return the mean of q(x_s | x_t, x_0), from x_t and the noise in it."""
    ### BEGIN SOLUTION
    left_t = row(schedule.abar, t)
    kept = left_t / row(schedule.abar, s)
    on_eps = (1 - kept) / (1 - left_t).sqrt()
    return (x_t - coef(on_eps, x_t) * eps) / coef(kept.sqrt(), x_t)
    ### END SOLUTION


eps_mean = check("posterior.eps_mean", my_eps_mean)

# %% [markdown]
# ## A shortcut: turn one step around
#
# Was all this Bayes needed? The step forward can be solved for $x_{t-1}$, without any Bayes at all:
#
# $$x_t = \sqrt{\alpha_t}\,x_{t-1} + \sqrt{\beta_t}\,\epsilon_t
# \quad\Longrightarrow\quad
# x_{t-1} = \frac{x_t - \sqrt{\beta_t}\,\epsilon_t}{\sqrt{\alpha_t}}. \tag{7.14}$$
#
# **Predict.** This is exact. So why not sample with it: draw a fresh $\epsilon_t \sim N(0, I)$, subtract,
# divide? What happens to $N(0, 1)$ noise if you do that 1000 times?
#
# <details><summary>Answer</summary>
#
# Because $\epsilon_t$ is *part of* $x_t$, so given $x_t$ it is not $N(0, I)$ any more. A fresh draw adds
# variance where the true one takes it away, and dividing by $\sqrt{\alpha_t}$ adds more. The next cell
# computes how much.
#
# </details>

# %%
# eq: 7.14
x_499 = normal_like(torch.empty(200_000, 1, dtype=torch.float64), generator=seeded(1))
eps_500 = normal_like(x_499, generator=seeded(2))
x_500 = draw(forward.transition(schedule, x_499, 499, 500), eps_500)
alpha, beta = schedule.alpha[500], schedule.beta[500]
undone = (x_500 - beta.sqrt() * eps_500) / alpha.sqrt()
print(f"with the true noise, (7.14) gives x_499: {bool((undone - x_499).abs().max() < 1e-12)}")
print(f"variance of x_500: {x_500.var():.3f}; its correlation with eps_500: "
      f"{torch.corrcoef(torch.cat([x_500, eps_500], 1).T)[0, 1]:.3f}")
var = 1.0
for t in range(1000, 0, -1):
    var = float((var + schedule.beta[t]) / schedule.alpha[t])
print(f"with fresh noise, 1000 steps: std {math.sqrt(var):.0f} instead of 1")

# %% [markdown]
# A standard deviation of 223 instead of 1. What is needed is not a draw of $\epsilon_t$ but its mean, given
# what we know. Given $x_0$, knowing $x_t$ means knowing $\epsilon$, all the noise in it. And chapter 05 said what
# that is made of: by (5.12), $\epsilon = \rho_t\,\epsilon_t + \sqrt{1-\rho_t^2}\;\bar\epsilon_{t-1}$ with $\rho_t =
# \sqrt{\beta_t / (1-\bar\alpha_t)}$, the part of the last step. So $\rho_t$ is the correlation of the two, and
# jointly normal numbers of variance 1 predict each other with their correlation as slope:
#
# $$E[\epsilon_t \mid x_t, x_0] = \rho_t\,\epsilon, \qquad \rho_t = \sqrt{\frac{\beta_t}{1-\bar\alpha_t}}, \tag{7.15}$$
#
# and the shortcut arrives at (7.13) after all:
#
# $$E[x_{t-1} \mid x_t, x_0] = \frac{x_t - \sqrt{\beta_t}\,\rho_t\,\epsilon}{\sqrt{\alpha_t}},
# \qquad \sqrt{\beta_t}\,\rho_t = \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}. \tag{7.16}$$

# %%
# eq: 7.15, 7.16
rho = (schedule.beta[1:] / (1 - schedule.abar[1:])).sqrt()
for t in (1, 2, 10, 100, 1000):
    print(f"t = {t:4}: correlation of eps_t with eps is rho = {rho[t - 1]:.3f}")
older, last = (normal_like(torch.ones(400_000).double(), generator=seeded(i)) for i in (3, 4))
t = 500
whole = schedule.alpha[t].sqrt() * schedule.noise[t - 1] * older + schedule.beta[t].sqrt() * last
whole = whole / schedule.noise[t]  # (5.12): all noise of x_500, as one
slope = (whole * last).mean() / (whole**2).mean()
print(f"slope of eps_500 on eps: {slope:.4f} ± {1 / math.sqrt(len(last)):.4f}, "
      f"(7.15) says {rho[t - 1]:.4f}")
right, wrong = schedule.beta[t] / schedule.noise[t], schedule.beta[t].sqrt()
print(f"factor on eps: beta / sqrt(1 - abar) = {right:.5f}; sqrt(beta) = {wrong:.5f}, "
      f"{wrong / right:.2f} times as much")
print(f"(7.16): sqrt(beta) rho = {schedule.beta[t].sqrt() * rho[t - 1]:.5f}")

# %% [markdown]
# So there are **two noises**: $\epsilon_t$, of the last step, and $\epsilon$, all of it since $t = 0$. At
# $t = 1$ they are the same, at $t = 100$ their correlation is 0.142. Networks are trained on $\epsilon$. Put it
# in the place of $\epsilon_t$ in (7.14), and at $t = 500$ each step takes away 9.58 times too much.
#
# ### Exercise 7.6 · Spot the bug
#
# One set of notes calls its letters $\alpha, \beta$ as we do, but they are the **square roots** of ours:
#
# | theirs | in our letters |
# |---|---|
# | $a$ | $\sqrt{\alpha_t}$ |
# | $b$ | $\sqrt{\beta_t}$ |
# | $\bar b$ | $\sqrt{1-\bar\alpha_t}$ |
#
# For the mean of a step back it prints $\big(x_t - \frac{b}{\bar b}\,\epsilon\big) / a$, with $\epsilon$ as in
# (7.13). Something went wrong on the way from one notation to the other. Write the line as it should be,
# in *their* letters.

# %% tags=["exercise"]
def my_roots(x_t, eps, a, b, b_bar):
    """Return the mean of a step back; a, b, b_bar are the square roots in the table above."""
    ### BEGIN SOLUTION
    return (x_t - b**2 / b_bar * eps) / a
    ### END SOLUTION


mean_in_roots = check("posterior.roots", my_roots)

# %% [markdown]
# ## What such slips look like
#
# Slips like these do not crash. So let us see two of them at work: the line as printed in exercise 7.6, and
# a draw that multiplies $z$ by the *variance* instead of its root (that, too, is in print). Both
# get the exact denoiser of the two-bump data and walk all 1000 steps.
#
# **Predict.** Which one loses the two bumps? Which makes them too narrow?

# %%
def timid(schedule, x_t, x0_hat, t, s):
    """A draw mean + var z, with var for the standard deviation: its variance is var squared."""
    law = samplers.ddpm(schedule, x_t, x0_hat, t, s)
    return Gaussian(law.mean, law.var**2)


def printed(schedule, x_t, x0_hat, t, s):
    """The line of exercise 7.6 as printed, with the noise that belongs to x0_hat."""
    eps_hat = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    mean = (x_t - schedule.beta[t].sqrt() / schedule.noise[t] * eps_hat) / schedule.alpha[t].sqrt()
    return Gaussian(mean, samplers.ddpm(schedule, x_t, x0_hat, t, s).var)


# %%
x_T = normal_like(torch.empty(2000, 1, dtype=torch.float64), generator=seeded(1))
results = {}
for name, step in (("correct", samplers.ddpm), ("variance as std", timid), ("b for b²", printed)):
    *_, last = samplers.reverse(schedule, denoise, x_T, step=step, generator=seeded(2))
    results[name] = last.x_s
    right = last.x_s[last.x_s > 0]
    print(f"{name:>15}: right of 0: {len(right)} of 2000, there mean {right.mean():.3f}, "
          f"std {right.std():.3f}")
print(f"the data: mean {data.mean[1].item():.3f}, std {data.var[1].sqrt():.3f} in each bump")
for t in (1, 1000):
    std = schedule.beta[t].sqrt().item()
    print(f"t = {t:4}: variance {std**2:.4f}, std {std:.4f}: a factor of {1 / std:.1f}")

# %%
fig, axes = figures.new(1, 3, width=8.4, height=2.6, sharex=True)
target = density(0)
for ax, (name, x) in zip(axes, results.items()):
    look = {"bins": 90, "range": (-2, 2), "density": True, "color": figures.SKY}
    counts, *_ = ax.hist(x[:, 0], **look, label="samples")
    ax.plot(grid, target, color=figures.RED, label="data")
    ax.set(title=name, xlabel="x_0, data units", xlim=(-2, 2))
    print(f"{name:>15}: highest bar {counts.max():.2f}, the data's density has {target.max():.2f}")
axes[0].set_ylabel("density")
axes[2].legend(fontsize=9, loc="upper center")
figures.show(fig, alt="The correct samples fit the data's two bumps; the two slips give needles.")

# %% [markdown]
# Neither loses the bumps; both make needles of them: standard deviations 0.070 and 0.013 where the data have
# 0.243 and the correct walk gives 0.237. Nothing crashed, and the samples sit near the data, because the
# denoiser keeps calling them there. It takes data whose law is known to see that a root is missing. Yet the
# two that get confused are far apart: 0.0200 and 0.1414 at $t = 1000$, a factor of 100 at $t = 1$.

# %% [markdown]
# ## The mean, told by the score
#
# The **score** is the gradient of the log density, $\nabla \log q(x_t)$: the direction in which $x_t$ becomes
# more probable. Two lines connect it with the noise. The gradient of $q(x_t) = \int q(x_t \mid x_0)\,
# q(x_0)\,dx_0$ acts on the first factor only, and that one is the Gaussian (5.11) with gradient
# $-\frac{x_t - \sqrt{\bar\alpha_t}\,x_0}{1-\bar\alpha_t}\,q(x_t \mid x_0) =
# -\frac{\epsilon}{\sqrt{1-\bar\alpha_t}}\,q(x_t \mid x_0)$. Divide by $q(x_t)$, and Bayes' rule makes an
# average over $q(x_0 \mid x_t)$ of it:
#
# $$\nabla \log q(x_t) = -\frac{E[\epsilon \mid x_t]}{\sqrt{1-\bar\alpha_t}}. \tag{7.17}$$
#
# ### Exercise 7.7 · Uphill
#
# Write the mean of $q(x_s \mid x_t)$ with the score in the place of the noise, for any $s < t$: (7.17) into
# your formula of exercise 7.5. Mind the sign; one set of notes lost it here.

# %% tags=["exercise"]
def my_score_mean(schedule, x_t, score, t, s):
    """Return E[x_s | x_t], from x_t and the score at (x_t, t)."""
    ### BEGIN SOLUTION
    alpha_ts = row(schedule.abar, t) / row(schedule.abar, s)
    return (x_t + coef(1 - alpha_ts, x_t) * score) / coef(alpha_ts.sqrt(), x_t)
    ### END SOLUTION


score_mean = check("posterior.score_mean", my_score_mean)

# %% [markdown]
# For one step it is the shortest of all forms,
#
# $$E[x_{t-1} \mid x_t] = \frac{x_t + \beta_t\,\nabla \log q(x_t)}{\sqrt{\alpha_t}}: \tag{7.18}$$
#
# a small step uphill, then undo the shrinking. Is it true? Take two places at $t = 500$. The truth is Bayes
# on the grid, and the score comes from differentiating the log density of $q(x_t)$ by machine.

# %%
# eq: 7.17
places = torch.tensor([[0.3], [1.0]], dtype=torch.float64, requires_grad=True)
log_q = oracles.log_density(data, schedule, places, 500)
score = torch.autograd.grad(log_q.sum(), places)[0]
places = places.detach()
eps_hat = (places - schedule.signal[500] * denoise(places, 500)) / schedule.noise[500]
for name, values in {"score": score, "(7.17)": -eps_hat / schedule.noise[500]}.items():
    print(f"{name:>6} at 0.3 and 1.0:", [round(value, 6) for value in values[:, 0].tolist()])

# %%
# eq: 7.18
alpha, beta, noise_500 = schedule.alpha[500], schedule.beta[500], schedule.noise[500]
answers = {
    "(7.18)": (places + beta * score) / alpha.sqrt(),
    "exercise 7.7": score_mean(schedule, places, score, 500, 499),
    "sign lost": (places - beta / noise_500 * score) / alpha.sqrt(),  # and a root too many
}
print("Bayes on the grid:", [f"{moments(way_back(x, 500, 499))[0]:.5f}" for x in (0.3, 1.0)])
for name, mean in answers.items():
    print(f"{name:>17}:", [f"{value:.5f}" for value in mean[:, 0].tolist()])

# %% [markdown]
# (7.18) agrees with Bayes to five digits. With the sign lost, the mean moves *away* from the bumps: 0.30465
# and 1.01553. Chapter 09 puts the names $x_0$, $\epsilon$, score and one more side by side.

# %% [markdown]
# ## How much noise should a step back add?
#
# The mean is settled. The model $N(\mu, \sigma_t^2 I)$ still needs its variance, one number for each move. With
# the mean $\mu = E[x_s \mid x_t]$, the log density that the model gives to the true $x_s$, on average over the
# chain and for one coordinate, is
#
# $$E\Big[-\tfrac12 \log(2\pi\sigma^2) - \frac{(x_s - \mu)^2}{2\sigma^2}\Big],
# \quad\text{largest at}\quad \sigma_*^2 = E\big[(x_s - \mu)^2\big] = E\,\operatorname{Var}(x_s \mid x_t). \tag{7.19}$$
#
# (Set the derivative in $\sigma^2$ to 0.) The best variance is the mean squared error of the best mean. How
# large is it? Think of two dice in a row: first $x_0$ is drawn from $q(x_0 \mid x_t)$, then $x_s$ from
# the bell (7.8) that belongs to it. The spread of the outcome is the spread *within* a bell plus the spread
# *of the bells' centers* (the law of total variance):
#
# $$\operatorname{Var}(x_s \mid x_t) = E\big[\operatorname{Var}(x_s \mid x_t, x_0) \,\big|\, x_t\big]
# + \operatorname{Var}\big(E[x_s \mid x_t, x_0] \,\big|\, x_t\big). \tag{7.20}$$

# %%
# eq: 7.19, 7.20
variance, mse = sp.symbols("sigma2 mse", positive=True)  # sigma^2, and E(x_s - mu)^2
expected = -sp.log(2 * sp.pi * variance) / 2 - mse / (2 * variance)
print("(7.19): best sigma^2 =", sp.solve(sp.diff(expected, variance), variance))
_, total = moments(way_back(0.2, 300, 100))
_, of_x_0 = moments(origin)  # Var(x_0 | x_t = 0.2), from the section on the mixture
centers = inner.mean[:, 0]  # E[x_s | x_t, x_0] for each x_0
center = (origin * centers).sum() * dx
of_centers = (origin * (centers - center) ** 2).sum() * dx
print(f"(7.20) at x_300 = 0.2: within {inner.var:.4f} + of the centers {of_centers:.4f} "
      f"= {inner.var + of_centers:.4f}; total {total:.4f}")
print(f"Var(x_0 | x_t) = {of_x_0:.4f}")

# %% [markdown]
# ### Exercise 7.8 · The best variance
#
# Insert (7.8) into (7.20) and average over $x_t$: what is $\sigma_*^2$ for the move from $t$ to $s$, if
# `spread` stands for $E\,\operatorname{Var}(x_0 \mid x_t)$, one number? (Check on the last two lines above:
# how do 0.6875 and 0.8965 hang together?)

# %% tags=["exercise"]
def my_optimal_var(schedule, t, s, spread):
    """Return E Var(x_s | x_t), if E Var(x_0 | x_t) is `spread`."""
    ### BEGIN SOLUTION
    left_s, left_t = row(schedule.abar, s), row(schedule.abar, t)
    v = 1 - left_t / left_s
    weight = left_s.sqrt() * v / (1 - left_t)
    return v * (1 - left_s) / (1 - left_t) + weight**2 * spread
    ### END SOLUTION


optimal_var = check("posterior.optimal_var", my_optimal_var)

# %% [markdown]
# The answer, for one step:
#
# $$\sigma_*^2 = \tilde\beta_t + c_t^2\; E\,\operatorname{Var}(x_0 \mid x_t),
# \qquad c_t = w_0 = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}. \tag{7.21}$$
#
# [Bao et al. 2022](https://arxiv.org/abs/2201.06503) estimate it for trained networks. What is unknown in a
# real step is not $\tilde\beta_t$, as one set of notes has it: there is no $x_0$ in that. Unknown is how far
# $x_0$ spreads.
#
# **Two kinds of data make it easy.** If all data are *one point*, $x_0$ is known, the spread is 0, and
# $\sigma_*^2 = \tilde\beta_t$. If the data are $N(0, I)$, then $x_0$ and $x_t$ are normal with variance 1 and
# correlation $\sqrt{\bar\alpha_t}$, so $\operatorname{Var}(x_0 \mid x_t) = 1 - \bar\alpha_t$, and
#
# $$\tilde\beta_t + c_t^2\,(1-\bar\alpha_t)
# = \frac{\beta_t\,(1-\bar\alpha_{t-1}) + \bar\alpha_{t-1}\,\beta_t^2}{1-\bar\alpha_t}
# = \frac{\beta_t\,(1-\bar\alpha_{t-1}\alpha_t)}{1-\bar\alpha_t} = \beta_t. \tag{7.22}$$
#
# These are the two choices of [Ho20, Sec. 3.2], $\tilde\beta_t$ and $\beta_t$, and that is where they come
# from: two extreme laws of data.

# %%
# eq: 7.21, 7.22
tilde = be * (1 - A_s) / (1 - A_t)
c_2 = A_s * be**2 / (1 - A_t) ** 2
print("(7.22):", sp.simplify(tilde + c_2 * (1 - A_t) - be))

rng, point = seeded(9), torch.zeros(400_000, 1, dtype=torch.float64)
for name, x in (("one point", point), ("N(0, 1)", normal_like(point, generator=rng))):
    x_9 = forward.noised(schedule, x, 9, normal_like(x, generator=rng))
    x_10 = draw(forward.transition(schedule, x_9, 9, 10), normal_like(x_9, generator=rng))
    best = (x_9 * x_10).mean() / (x_10**2).mean() * x_10  # the best linear guess of x_9
    error = ((x_9 - best) ** 2).mean()
    print(f"{name:>9}: mean squared error of the best guess of x_9: {error:.4e}")
spread = torch.tensor([0.0, 1 - schedule.abar[10]], dtype=torch.float64)
print("(7.21) says", *(f"{v:.4e}" for v in optimal_var(schedule, 10, 9, spread).tolist()))
print(f"tilde beta_10 = {schedule.posterior_var[10]:.4e}, beta_10 = {schedule.beta[10]:.4e}")

# %% [markdown]
# The simulation agrees with both. (With 400,000 walkers, chance moves such a number by about 0.2 %.)
#
# **Predict.** Our two-bump data lie between the extremes: not one point, and no single bell. Will the best
# variance at $t = 2$ lie near $\tilde\beta_2$ or near $\beta_2$, which are more than a factor 2 apart? And at
# $t = 100$?

# %%
# eq: 7.21
wide = torch.linspace(-7, 7, 2801, dtype=torch.float64)[:, None]  # values of x_t


def spread_of(t):
    """E Var(x_0 | x_t) for the two-bump data: 1 - E[x0_hat^2], as their variance is 1."""
    often = oracles.log_density(data, schedule, wide, t).exp() * 0.005
    return 1 - (often * denoise(wide, t)[:, 0] ** 2).sum()


t = torch.arange(1, 1001)
two_bumps = torch.stack([spread_of(int(i)) for i in t])  # row i - 1 belongs to t = i
best = optimal_var(schedule, t, t - 1, two_bumps)
small, large = schedule.posterior_var[1:], schedule.beta[1:]
print("   t   tilde beta        best        beta   best / tilde beta   tilde beta / beta")
for i in (2, 10, 100, 500, 1000):
    low, mid, top = (table[i - 1].item() for table in (small, best, large))
    print(f"{i:4}   {low:.4e}  {mid:.4e}  {top:.4e}   {mid / low:17.4f}   {low / top:17.4f}")

# %%
fig, axes = figures.new(1, 2, height=3)
three = {"beta": large, "best, two bumps": best, "tilde beta": small}
figures.curves(t[1:], {name: v[1:] for name, v in three.items()}, ax=axes[0], log_y=True,
               xlabel="time t, steps", ylabel="variance, data units²", title="on log axes")
shares = {name: v[1:] / large[1:] for name, v in three.items()}
figures.curves(t[1:], shares, ax=axes[1], xlabel="time t, steps", ylabel="variance / beta",
               title="as a share of beta")
for ax in axes:
    ax.set_xscale("log")
figures.show(fig, alt="The best variance follows beta; tilde beta starts at half, then catches up.")
for name, v in shares.items():
    print(f"{name}: share of beta", ", ".join(f"{v[i - 2]:.3f} at t = {i}" for i in (2, 10, 60)))

# %% [markdown]
# At $t = 2$ the best variance is $1.1969\cdot10^{-4}$, almost $\beta_2$ and 2.19 times $\tilde\beta_2$: seen
# from so near, a smooth density is flat, and knowing $x_2$ leaves $x_0$ as open as for a broad bell. Later
# the choice hardly matters: 1.009 at $t = 100$, and from there on all three are one line.
#
# So "estimate $x_0$, and the way back is known" holds for the mean, not for the spread; and the two choices
# differ only in the first steps of the chain, which are the last ones of the walk back.
#
# **Is the truth always between the two?** If the data have variance 1 or less, yes: the best guess of $x_0$
# is never worse than the best straight-line guess, whose error is at most $1-\bar\alpha_t$, the case of
# (7.22). And if they have more? For $N(0, s^2)$ data, $\operatorname{Var}(x_0 \mid x_t) =
# s^2(1-\bar\alpha_t)/(\bar\alpha_t s^2 + 1-\bar\alpha_t)$. Try some $s^2$:

# %%
def normal_spread(var_0, t):
    """Var(x_0 | x_t) for N(0, var_0) data, the same for every x_t."""
    abar_t = row(schedule.abar, t)
    return var_0 * (1 - abar_t) / (abar_t * var_0 + 1 - abar_t)


print(f"tilde beta_2 = {small[1]:.4e}, beta_2 = {large[1]:.4e}")
for var_0 in (1e-9, 0.25, 1.0, 4.0):
    law = optimal_var(schedule, t, t - 1, normal_spread(var_0, t))
    above = int((law[1:] > large[1:] * (1 + 1e-9)).sum())
    print(f"N(0, {var_0:g}) data: best variance at t = 2 {law[1]:.4e}; "
          f"above beta at {above} of 999 steps")

# %% [markdown]
# Data of variance 4 ask for more than $\beta_t$, at all 999 steps. One more reason to scale your data.
#
# ## Does the choice matter?
#
# **For samples: with few steps.** With $N(0, 1)$ data we can follow the variance through the whole walk and
# need no sampling. Moves are strided here, $S$ of them, and `ddpm` adds no noise in the last one.

# %%
def final_std(steps, var):
    """Standard deviation of the samples for N(0, 1) data, after a walk of so many moves."""
    times, total = schedules.strides(1000, steps), 1.0
    x_t = torch.ones(1, 1, dtype=torch.float64)  # a step multiplies x_t by a number: try it on 1
    for t, s in zip(times, times[1:]):
        law = samplers.ddpm(schedule, x_t, coef(schedule.signal[t], x_t) * x_t, t, s, var=var)
        total = law.mean.item() ** 2 * total + law.var.item()
    return math.sqrt(total)


print("moves:      ", [1000, 100, 20, 10])
for var in ("small", "large"):
    print(f"var={var!r}:", [round(final_std(S, var), 3) for S in (1000, 100, 20, 10)])

# %% [markdown]
# The data have 1. With $\tilde\beta$ ("small") the samples come out a little tight, 0.996, after 1000 moves
# and much too tight, 0.740, after 10. With $\beta$ ("large") only the last move costs something. But do not
# carry this over to pictures: it is about data of which $\beta$ is the right choice. Chapter 15 compares samplers
# at few steps.
#
# **For the likelihood: always.** The likelihood is how probable the model finds the data; chapter 08 bounds
# it by a sum over moves. If the model's variance is $\sigma^2$ where $\sigma_*^2$ would be best, (7.19) says what
# that costs in one move, in nats per dimension:
#
# $$\tfrac12\Big[\frac{\sigma_*^2}{\sigma^2} - 1 - \log\frac{\sigma_*^2}{\sigma^2}\Big]. \tag{7.23}$$

# %%
# eq: 7.23
drop = expected.subs(variance, mse) - expected  # value at the best variance, minus value at sigma^2
r = mse / variance
print("(7.23):", sp.simplify(sp.expand_log(drop - (r - 1 - sp.log(r)) / 2, force=True)))


def price(best, used):
    """(7.23), summed over the moves, nats per dimension."""
    ratio = best / used
    return abs(float((0.5 * (ratio - 1 - ratio.log())).sum()))  # abs: no "-0.0000" in print


print(f"two bumps, t = 2 … 10 alone: tilde beta costs {price(best[1:10], small[1:10]):.4f} nats")

# %%
spreads = {"two bumps": lambda t: two_bumps[t - 1], "N(0, 1)": lambda t: normal_spread(1.0, t),
           "N(0, 0.05²)": lambda t: normal_spread(0.05**2, t)}
for moves in (1000, 20):
    times = torch.tensor(schedules.strides(1000, moves))
    later, earlier = times[:-2], times[1:-1]  # all moves but the last one, to s = 0
    point = optimal_var(schedule, later, earlier, 0.0)  # tilde beta, and its like for long moves
    broad = optimal_var(schedule, later, earlier, normal_spread(1.0, later))  # beta, and its like
    for name, spread_at in spreads.items():
        law = optimal_var(schedule, later, earlier, spread_at(later))
        print(f"{moves:4} moves, {name:>11}: tilde beta costs {price(law, point):.4f}, "
              f"beta {price(law, broad):.4f} nats")

# %% [markdown]
# "$\tilde\beta$ is the more exact choice, and it hardly matters", says one set of notes. It is exact for one
# point. For the two bumps and 1000 moves it costs 0.4416 nats per dimension, 0.3900 of them on $t = 2 \dots
# 10$, and $\beta$ costs 0.0029. With 20 moves and narrow data the roles are swapped: 0.0009 against 0.4525.
# There is no right choice without looking at data and number of moves.
#
# **What DDPM did.** The paper reports that both choices gave similar samples, at $T = 1000$
# [Ho20, Sec. 3.2]. "DDPM uses $\tilde\beta$", you may read. As far as its released scripts show, the
# CIFAR-10 models took the larger one and the 256 × 256 models the smaller. So name the choice when you
# report a result.

# %% [markdown]
# ## Fixed or learned?
#
# Ho et al. fix $\sigma_t^2$. It is one thing less to learn, and a variance is a delicate output: if it comes
# out too small, (7.23) explodes. [ND21, Sec. 3.1] learn it after all: for each pixel the network chooses how
# far to go from $\tilde\beta_t$ ($f = 0$) to $\beta_t$ ($f = 1$) on a log scale, $\log \sigma^2 = f \log \beta_t +
# (1 - f) \log \tilde\beta_t$.
#
# **Predict.** Think of a photograph of a flat sky above grass. Given $x_t$, for which pixels does the
# network know $x_0$ well? Which $f$ do they want?
#
# <details><summary>Answer</summary>
#
# The sky's: near one point, so $f$ near 0. The grass is open, so $f$ near 1. One $\sigma_t$ for the whole
# picture is a compromise. The cell models a sky pixel by $N(0, 0.01^2)$ and a grass pixel by
# $N(0, 1)$.
#
# </details>

# %%
for i in (2, 10, 100):
    now = torch.tensor(i)
    top, bottom = schedule.beta[i].log(), schedule.posterior_var[i].log()
    for name, var_0 in (("sky", 0.01**2), ("grass", 1.0)):
        law = optimal_var(schedule, now, now - 1, normal_spread(var_0, now))
        f = (law.log() - bottom) / (top - bottom)
        print(f"t = {i:3}, {name:>5}: best variance {law:.4e}, f = {f:.3f}")

# %% [markdown]
# The grass wants $f = 1$, that is $\beta$, at all times. The sky wants 0.404 at $t = 2$ and 0.001 at
# $t = 100$. Learned variances are for the likelihood and for short walks; chapter 15 comes back to them.

# %% [markdown]
# ## Recap
#
# The way back $q(x_s \mid x_t)$ needs the density of the data and is out of reach. Once $x_0$ is known,
# Bayes' rule is a product of Gaussians: precisions add, the mean is pulled by both ends, and the variance is
# a table. The first law is the mixture of the second over what $x_0$ may have been. That is why the best
# guess of $x_0$, or of the noise, or the score, gives the exact mean of a step back, and why the best
# variance is $\tilde\beta_t$ plus what $x_0$ leaves open: $\tilde\beta_t$ for one point, $\beta_t$ for
# $N(0, I)$, in between for most of what we model.
#
# **One formula to keep**
#
# $$q(x_{t-1} \mid x_t, x_0) = N\Big(\frac{1}{\sqrt{\alpha_t}}\Big(x_t - \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\,\epsilon\Big),\;
# \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t\, I\Big)$$
#
# **What notes get wrong here**
#
# | often said | better | shown above |
# |---|---|---|
# | we turn $q(x_{t-1} \mid x_t)$ into $q(x_{t-1} \mid x_t, x_0)$ | one is the mixture of the other | 1.199e-04 and 5.453e-05 |
# | reverse steps are Gaussian | if the step is small for the density it leads to | 5.5e-01 and 7.4e-05 nats |
# | quotients of Gaussians are Gaussian | if precision is left | −1.0 |
# | variance $(1-\alpha_t)(1-\bar\alpha_{t-1})/(1-\bar\alpha_{t-1})$ | $1-\bar\alpha_t$ below | 2.20 times too large |
# | exponent $-\tfrac12\tfrac1\Sigma x^2 - 2\mu x$ | the bracket holds both terms | peak at −0.00016, not 0.32945 |
# | the $\epsilon$ in the mean is the noise of the step | all noise since $t = 0$ | correlation 0.142 at $t = 100$ |
# | $(x_t - \frac{b}{\bar b}\epsilon)/a$ in roots | $b^2$ above | std 0.013, not 0.243 |
# | mean $x_t$ *minus* a score | plus | 0.30465, not 0.29851 |
# | $x_{t-1} = \mu + \Sigma\,z$ | $\mu + \sqrt\Sigma\,z$ | std 0.070, not 0.243 |
# | the exact variance is unknown because $x_0$ is | $\tilde\beta$ has no $x_0$ in it; the spread of $x_0$ is unknown | 5.453e-05, best 1.1969e-04 |
# | with a guess of $x_0$ the way back is known | its mean is, its spread is not | 2.1949 at $t = 2$ |
# | $\tilde\beta$ is the exact choice | for one point; $\beta$ for $N(0, I)$ | 0.4416 and 0.0029 nats |
#
# **Exercises:** 7.1 `posterior.precision` · 7.2 `posterior.var` · 7.3 `posterior.mean` · 7.4
# `posterior.draw` · 7.5 `posterior.eps_mean` · 7.6 `posterior.roots` · 7.7 `posterior.score_mean` · 7.8
# `posterior.optimal_var`
#
# **To think about.** A network gives $\hat x_0$ with an error of its own, so its $E(x_0 - \hat x_0)^2$ is
# larger than $E \operatorname{Var}(x_0 \mid x_t)$. Which variance should go with *that* mean: more than
# (7.21), or less?
#
# <details><summary>Answer</summary>
#
# More. The best variance is the mean squared error of the mean in use, as in (7.19); with $\hat x_0$ in (7.8)
# it is $\tilde\beta_t + c_t^2\,E(x_0 - \hat x_0)^2$.
#
# </details>
#
# **Before:** [06 · How fast should the signal go?](06_schedules_and_snr.ipynb) · **Next:**
# [08 · What exactly is minimized?](08_bound.ipynb)
#
# **Read on:** [Ho20] Sec. 2 and 3.2; [ND21] Sec. 3.1 for learned variances; [Luo22] for the same algebra in
# other words; [SD15] Sec. 2.2 for why the way back has the same form.
