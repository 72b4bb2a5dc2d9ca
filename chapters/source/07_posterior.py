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
# - derive the formula by completing a square, and read it as two sources that are weighed,
# - write its mean with $x_0$, with the noise $\epsilon$ or with the score, and spot the usual slips,
# - say how much noise a reverse step should add, and for which data the two usual choices are right.
#
# **You need** [05 · How does data become noise?](05_forward.ipynb), above all its line (5.11), $x_t =
# \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\epsilon$. About 75 minutes to work through, with a place
# for a break on the way; it runs in under half a minute. Two exercises are optional.
#
# **In the papers:** [Ho20] Sec. 2, Eq. 6–7, and Sec. 3.2; [ND21] Sec. 3.1; [Luo22] for the algebra.

# %%
import math

import sympy as sp
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, samplers, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded
from ddpm_lab.schedules import coef, row

schedule = schedules.linear()
data = ideal_denoisers.two_modes()  # two bumps of equal weight, at -0.97 and +0.97
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
x_0 = ideal_denoisers.sample(data, 2_000_000, generator=seeded(1)).double()
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
# $x_t$. (The bridge below needs it a second time.) It does *not* turn $q(x_t \mid x_s, x_0)$ into
# $q(x_t \mid x_0)$: chapter 05 measured how far these are apart. On the right stand three Gaussians, and we
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
    return ideal_denoisers.log_density(data, schedule, grid, s).exp()


def way_back(x_t, t, s):
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
mean, var = moments(way_back(0.2, 300, 100))
print(f"q(x_s | x_t), (7.1):      mean {mean:.3f}, std {var.sqrt():.3f}")
p = log_posterior(1.0, 0.2, 300, 100).exp()
mean, var = moments(p)
print(f"q(x_s | x_t, x_0), (7.2): mean {mean:.3f}, std {var.sqrt():.3f}, "
      f"integral {p.sum() * dx:.6f}")

# %% [markdown]
# The walkers had means 0.197 and 0.897 and standard deviations 0.882 and 0.308. The two laws have 0.190 and
# 0.898, 0.885 and 0.309: the same, within what chance and our "near" allow. And (7.2) integrates to 1 by
# itself: it is a density already.

# %% [markdown]
# ## When is the way back a bell?
#
# The network of a diffusion model may answer with a Gaussian only. Is the truth one? In the first picture it
# was not. [Chapter 05](05_forward.ipynb) measured that steps back *to the data* come closer to a Gaussian
# as $\beta$ shrinks. But where in the chain the move is made matters, too.
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
# claim: E19
fig, axes = figures.new(1, 3, width=8.4, height=2.8)
for ax, (t, s) in zip(axes, ((260, 0), (39, 0), (479, 400))):
    fresh = 1 - schedule.abar[t] / schedule.abar[s]
    p = way_back(0.2, t, s)
    mean, var = moments(p)
    bell = gaussians.log_prob(Gaussian(mean.expand(4001, 1), var), grid).exp()
    figures.curves(grid[:, 0], {"q(x_s | x_t)": p, "best Gaussian": bell}, ax=ax,
                   title=f"{t} → {s}: {fresh:.0%} new", xlabel="x_s, data units", ylabel="")
    ax.set(xlim=(-2.5, 2.5), ylim=(0, 1.6 * float(p.max())))
    off = (p - bell).abs().max() / bell.max()
    print(f"{t} → {s}: the law is off its best Gaussian by up to {off:.1%} of the Gaussian's peak")
axes[0].set_ylabel("density")
figures.show(fig, alt="Left: two bumps, unlike their Gaussian. Middle, right: bells, on top of it.")

# %% [markdown]
# Half of new noise next to the data: off by 167.9 % of the peak. The same half at $s = 400$: 0.4 %. So "the
# reverse step is Gaussian" is a statement about small steps **and** smooth densities. In the limit of
# infinitely small steps it becomes a theorem: the way back has the form of the way forward ([SD15] Sec. 2.2;
# [And82] in continuous time).
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
# A first use, which comes back three times in this chapter. Let $x \sim N(0, 1)$, and let somebody measure
# it: $y = \rho\,x + \sqrt{1-\rho^2}\,\eta$ with an independent $\eta \sim N(0, 1)$. (Then $y$ has variance 1, too,
# and $\rho$ is the correlation of the two.) Before the measurement, $x$ has mean 0 and precision 1. The
# measurement says that $x$ is about $y/\rho$, with precision $\rho^2/(1-\rho^2)$. The precisions add to
# $1/(1-\rho^2)$, and your `fuse` gives
#
# $$q(x \mid y) = N\big(\rho\,y,\; 1-\rho^2\big). \tag{7.4}$$
#
# So for $N(0, 1)$ *data*, where $\rho = \sqrt{\bar\alpha_t}$ by (5.11), the mean of $x_0$ given $x_t$ is
# $\sqrt{\bar\alpha_t}\,x_t$, and its variance is $1-\bar\alpha_t$.

# %%
# eq: 7.4
rho, y = schedule.abar[300].sqrt(), 0.2
mean, var = fuse(0.0, 1.0, y / rho, (1 - rho**2) / rho**2)
print(f"fused: mean {mean:.4f}, variance {var:.4f}")
print(f"(7.4): mean {rho * y:.4f}, variance {1 - rho**2:.4f}")

x_0 = normal_like(torch.empty(2_000_000, dtype=torch.float64), generator=seeded(4))
x_t = forward.noised(schedule, x_0, 300, normal_like(x_0, generator=seeded(5)))
near = x_0[(x_t - y).abs() < 0.02]
print(f"{len(near)} walkers near 0.2: mean {near.mean():.4f}, variance {near.var():.4f}, "
      f"each ± {near.std() / len(near) ** 0.5:.4f}")

# %% [markdown]
# Formula and fusion agree, and so do the walkers, within what chance and our "near" allow.
#
# Now for real. Write $a = \sqrt{\alpha_{ts}}$ and $v = 1-\alpha_{ts}$ with $\alpha_{ts} =
# \bar\alpha_t/\bar\alpha_s$ for the move from $s$ to $t$, and $b = \sqrt{\bar\alpha_s}$, $u = 1-\bar\alpha_s$
# for the one from 0 to $s$. So $x_t \sim N(a x_s, v)$ and $x_s \sim N(b x_0, u)$. (One pixel at a time; the
# pixels do not mix.) The denominator of (7.2) has no $x_s$ in it, so **as a function of $x_s$** only the
# product above it matters:
#
# $$\log q(x_s \mid x_t, x_0) = -\frac12\Big[\frac{(x_t - a\,x_s)^2}{v} + \frac{(x_s - b\,x_0)^2}{u}\Big]
# + \text{anything without } x_s. \tag{7.5}$$
#
# Expand both squares and collect:
#
# $$= -\frac12\Big[\underbrace{\Big(\frac{a^2}{v} + \frac1u\Big)}_{P}\, x_s^2
# - 2\,\underbrace{\Big(\frac{a\,x_t}{v} + \frac{b\,x_0}{u}\Big)}_{h}\, x_s\Big] + \text{anything without } x_s.
# \tag{7.6}$$
#
# That is (7.3). Mind the bracket: the $\tfrac12$ belongs to *both* terms. The first cell checks (7.5) against
# the three laws of the package, the second one (7.3) and (7.6).

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
# Two lines in print are worth a number. One derivation closes the bracket too early: its exponent is
# $-\tfrac12 P x^2 - 2\mu x$, with the precision on the square only. Another says that products *and quotients* of
# Gaussians are Gaussian.
#
# **Predict.** $x_0 = 0.5$, $x_t = 0.3$, one step back from $t = 10$. Where does the exponent with the early bracket
# have its peak? And what is $N(0, 1)$ divided by $N(0, 0.5)$?

# %%
# claim: E97, E114
law = forward.posterior(schedule, *(torch.full((1, 1), v).double() for v in (0.5, 0.3)), 10, 9)
mean, var = law.mean.item(), law.var.item()
print(f"peak with the bracket {mean:.5f}, with the early one {-2 * mean * var:.5f}")
print(f"precision of N(0, 1) / N(0, 0.5): {1 / 1 - 1 / 0.5}")
P_10 = schedule.alpha[10] / schedule.beta[10] + 1 / (1 - schedule.abar[9])
print(f"precision of (7.2) at t = 10: {1 / var:.1f}; from the two factors above: {P_10:.1f}")

# %% [markdown]
# At $-0.00016$ instead of 0.32945. And a quotient subtracts precisions: $-1$ is no Gaussian, the density grows without
# bound. In (7.2) no such thing can happen, because the law below does not contain $x_s$: only the two above count,
# and their precisions add to 4198.5.
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
# With the common denominator, variance and mean are fractions over $a^2 u + v$, and that is an old friend: all
# the noise of $x_t$.
#
# $$\begin{aligned}
# \frac1P &= \frac{u\,v}{a^2 u + v}, \qquad \frac hP = \frac{a\,u\;x_t + b\,v\;x_0}{a^2 u + v}, \\
# a^2 u + v &= \alpha_{ts}(1-\bar\alpha_s) + 1 - \alpha_{ts} = 1 - \alpha_{ts}\bar\alpha_s = 1 - \bar\alpha_t.
# \end{aligned} \tag{7.7}$$
#
# Insert, and there is the law of the narrow bell, for any $0 \le s < t$:
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
# All differences are 0, and the package's bell is the one that (7.2) gave on the grid, 0.898 and 0.309.
#
# ### Exercise 7.3 (optional) · The paper's case
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
tilde_var = (1 - abar[:-1]) / (1 - abar[1:]) * beta
others = {"the mean of (7.8)": law.mean - tilde_mu, "the variance of (7.8)": law.var - tilde_var,
          "exercise 7.3": posterior_mean(schedule, start, now, t) - tilde_mu}
for name, difference in others.items():
    print(f"(7.9) equals {name}, t = 1 … 1000: {bool(difference.abs().max() < 1e-12)}")

# %% [markdown]
# Here is the function that the course uses: (7.8), for any two times.

# %%
figures.show_source(forward.posterior)

# %% [markdown]
# ## If both ends are known, the way back is easy
#
# Suppose somebody tells you $x_0$. Then (7.8) walks you back from $x_T$: draw $x_s$, stand there, draw
# again. A path that is pinned at both ends is called a **bridge**. (May one forget $x_t$ when standing at
# $x_s$? Yes, by the Markov property, read backwards: once $x_s$ is known, $x_t$ says nothing more about the
# places before it.)
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
pin, end = (torch.full((20_000, 1), value, dtype=torch.float64) for value in (1.0, -1.5))
walker, rng, bridges = end, seeded(5), {1000: end}
times = schedules.timesteps(1000, 100)  # 1000, 990, …, 10, 0
for t, s in zip(times, times[1:]):
    walker = move(schedule, pin, walker, t, s, normal_like(walker, generator=rng))
    bridges[s] = walker
for s in (900, 500, 100, 0):
    jump = forward.posterior(schedule, pin[:1], end[:1], 1000, s)  # (7.8) in a single move
    print(f"s = {s:3}: bridges have mean {bridges[s].mean():+.3f}, std {bridges[s].std():.3f}; "
          f"one move from T says {jump.mean.item():+.3f}, {jump.var.sqrt():.3f}")
print(f"chance moves a mean of 20,000 by about {1 / math.sqrt(20_000):.3f} standard deviations")

# %%
fig, ax = figures.new(height=3)
paths = torch.stack([bridges[s][:25, 0] for s in times])
ax.plot(times, paths, color=figures.SKY, linewidth=0.6)
middle = torch.stack([bridges[s].mean() for s in times])
two_std = 2 * torch.stack([bridges[s].std() for s in times])
ax.plot(times, middle, color=figures.BLUE, label="mean of 20,000")
for edge, name in ((middle - two_std, "mean ± 2 std"), (middle + two_std, None)):
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
# `samplers.ddpm_step` is `forward.posterior` with `x0_hat` in the place of $x_0$.

# %% [markdown]
# ## Who pulls harder?
#
# The mean is a mixture of both ends, $w_0 x_0 + w_t x_t$.
#
# **Predict.** One step back, $s = t-1$. Who pulls harder at $t = 1$, at $t = 2$, at $t = 1000$: $x_0$ or
# $x_t$? And do the two weights add to 1?

# %%
# claim: E104
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
# The **variance** knows no data: $\tilde\beta_t$ contains neither $x_0$ nor $x_t$, and is a table, made before any
# picture is seen (`schedule.posterior_var`). It depends on all of $\beta_1 \dots \beta_t$.
#
# Where do the weights come from? **Two sources, weighed by precision.** From $x_0$ comes $x_s \approx b\,x_0$
# with precision $1/u$. From $x_t$ comes $x_s \approx x_t / a$ with precision $a^2/v$. So (7.6) says
#
# $$\text{mean} = \frac{\frac{1}{u}\, b\,x_0 + \frac{a^2}{v}\, \frac{x_t}{a}}{\frac1u + \frac{a^2}{v}},
# \qquad \frac{1}{\text{variance}} = \frac1u + \frac{a^2}{v}, \tag{7.10}$$
#
# which is your `fuse` from exercise 7.1. It is also Bayes' rule for Gaussians: the **prior**, the law before
# one looks at the new fact, is what $x_0$ says about $x_s$; the new fact is $x_t$.

# %%
# eq: 7.10
abar_s, alpha_ts = schedule.abar[100], schedule.abar[300] / schedule.abar[100]
sources = {
    "x_0 = 1 says": (abar_s.sqrt(), 1 - abar_s),
    "x_t = 0.2 says": (0.2 / alpha_ts.sqrt(), (1 - alpha_ts) / alpha_ts),
}
sources["fused"] = fuse(*sources["x_0 = 1 says"], *sources["x_t = 0.2 says"])
one = torch.ones(1, 1, dtype=torch.float64)
law = forward.posterior(schedule, one, 0.2 * one, 300, 100)
for name, (mean, var) in {**sources, "(7.8)": (law.mean.item(), law.var.item())}.items():
    print(f"{name:>14}: mean {mean:.5f}, variance {var:.5f}, precision {1 / var:.2f}")
last = schedule.alpha[1000] / schedule.beta[1000]  # a^2 / v for 1000 -> 999
print(f"1000 → 999: precision {1 / (1 - schedule.abar[999]):.0f} from x_0, {last:.0f} from x_t")

# %%
fig, ax = figures.new(height=2.8)
bells = {name: gaussians.log_prob(Gaussian(mean.expand(4001, 1), var), grid).exp()
         for name, (mean, var) in sources.items()}
figures.curves(grid[:, 0], bells, ax=ax, xlabel="x_100, data units", ylabel="density")
ax.set_xlim(-3, 3)
figures.show(fig, alt="A broad bell from x_t, a narrow one from x_0, and the product, narrower.")
print("peaks:", ", ".join(f"{name} {bell.max():.3f}" for name, bell in bells.items()))

# %% [markdown]
# That is the narrow bell of the first picture again: $x_0$ with precision 9.71, $x_t$ with 0.79; together
# 10.50. In the step 1000 → 999 it is the other way round: precision 1 from the clean end, 49 from $x_t$.

# %% [markdown]
# **Predict.** Start at $t = 500$. One step back, $x_t$ has nearly all the weight. How far back must $s$ lie
# until $x_0$ pulls harder: 10, 100 or 200 steps? Guess first, then move the slider, and watch the two dots.

# %%
from ddpm_lab.course import explorers

explorer = explorers.who_pulls_harder()
print(explorer)  # the picture in words
explorer

# %%
unit, zero = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
for back in (1, 10, 100, 200):
    pull_0 = forward.posterior(schedule, unit, zero, 500, 500 - back).mean.item()
    pull_t = forward.posterior(schedule, zero, unit, 500, 500 - back).mean.item()
    print(f"{back:3} back: weight {pull_0:.3f} on x_0, {pull_t:.3f} on x_t")

# %% [markdown]
# 10 and 100 are too few (0.286 against 0.554); at 200 it is $x_0$, 0.548 against 0.292.

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
walkers = crowds["all who stand near 0.2"]  # their x_100, from the first look
ax.hist(walkers, bins=80, range=(-2, 2.5), density=True, color=figures.SKY, label="walkers")
for i in range(1000, 3001, 100):  # x_0 = -2, -1.8, …, 2: each bell stands for a stretch of 0.2
    name = "bells for single x_0" if i == 1000 else None
    ax.plot(grid, 0.2 * origin[i] * bells[i], color=figures.GRAY, linewidth=0.8, label=name)
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
# claim: E98, E99, E111
denoise = ideal_denoisers.mixture_denoiser(data, schedule)  # E[x_0 | x_t], exactly
place = torch.full((1, 1), 0.2, dtype=torch.float64)
for t, s in ((300, 100), (500, 499), (2, 1)):
    mean, var = moments(way_back(0.2, t, s))
    guess = forward.posterior(schedule, denoise(place, t), place, t, s)
    print(f"{t} → {s}: mean {mean:.6f}, with x0_hat {guess.mean.item():.6f}; "
          f"variance {var:.4g}, with x0_hat {guess.var:.4g}")

# N(0, 1) data stay N(0, 1): (7.4) with rho² = alpha_ts, so Var(x_s | x_t) = 1 - alpha_ts
print(f"N(0, 1) data, 2 → 1: variance {1 - schedule.alpha[2]:.3e}, "
      f"with x_0 known {schedule.posterior_var[2]:.3e}")

# %% [markdown]
# The means agree to the last digit shown, the variances do not: at 300 → 100 the true one is 0.7827, eight
# times the posterior's 0.09522. For $N(0,1)$ data at $t = 2$ it is $1.199\cdot10^{-4}$ against
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
# The result: $\alpha_t$ becomes $\alpha_{ts}$, and $\beta_t$ becomes $1-\alpha_{ts}$, so the mean is
# $\big(x_t - \frac{1-\alpha_{ts}}{\sqrt{1-\bar\alpha_t}}\,\epsilon\big)/\sqrt{\alpha_{ts}}$. The root of
# $1-\bar\alpha_t$ stays as it is, for $\epsilon$ is still all the noise in $x_t$.

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
# what we know. Given $x_0$, knowing $x_t$ means knowing $\epsilon$, all the noise in it. And by (5.12), $\epsilon =
# \rho_t\,\epsilon_t + \sqrt{1-\rho_t^2}\;\bar\epsilon_{t-1}$: a measurement of $\epsilon_t$, as in (7.4). So its mean is
#
# $$E[\epsilon_t \mid x_t, x_0] = \rho_t\,\epsilon, \qquad \rho_t = \sqrt{\frac{\beta_t}{1-\bar\alpha_t}}, \tag{7.15}$$
#
# and the shortcut arrives at (7.13) after all:
#
# $$E[x_{t-1} \mid x_t, x_0] = \frac{x_t - \sqrt{\beta_t}\,\rho_t\,\epsilon}{\sqrt{\alpha_t}},
# \qquad \sqrt{\beta_t}\,\rho_t = \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}. \tag{7.16}$$

# %%
# eq: 7.15, 7.16
# claim: E03, E116
rho = (schedule.beta[1:] / (1 - schedule.abar[1:])).sqrt()  # row t - 1 belongs to t
for t in (1, 100, 500):
    print(f"t = {t:3}: correlation of eps_t with eps is rho = {rho[t - 1]:.3f}")
start, older, last = (normal_like(x_499, generator=seeded(i)) for i in (3, 4, 5))
x_499 = forward.noised(schedule, start, 499, older)
x_500 = draw(forward.transition(schedule, x_499, 499, 500), last)
eps = (x_500 - schedule.signal[500] * start) / schedule.noise[500]  # all noise in x_500
slope = (eps * last).mean() / (eps**2).mean()
print(f"slope of eps_500 on eps: {slope:.4f} ± {1 / math.sqrt(len(last)):.4f}, "
      f"(7.15) says {rho[499]:.4f}")
right, wrong = schedule.beta[500] / schedule.noise[500], schedule.beta[500].sqrt()
print(f"(7.16): sqrt(beta) rho = {wrong * rho[499]:.5f}, beta / sqrt(1 - abar) = {right:.5f}; "
      f"without rho {wrong:.5f}, {wrong / right:.2f} times as much")

# %% [markdown]
# So there are **two noises**: $\epsilon_t$, of the last step, and $\epsilon$, all of it since $t = 0$. At
# $t = 1$ they are the same, at $t = 100$ their correlation is 0.142. Networks are trained on $\epsilon$. Put it
# in the place of $\epsilon_t$ in (7.14), and at $t = 500$ each step takes away 9.58 times too much.

# %% [markdown]
# ## Three slips
#
# Three slips that are in print, and that do not crash:
#
# 1. **A root too few.** $\big(x_t - \frac{b}{\bar b}\,\epsilon\big) / a$, exercise 7.6.
# 2. **A variance for a standard deviation.** $\mu + \Sigma\,z$ where $\mu + \sqrt\Sigma\,z$ is meant.
# 3. **$1-\bar\alpha_{t-1}$ above and below** in $\tilde\beta_t$. The fraction cancels and $\beta_t$ is left.
#    Funnily enough, some choose $\beta_t$ on purpose. We come to it.
#
# ### Exercise 7.6 (optional) · Spot the bug
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
# Now see the first two slips at work. Both get the exact denoiser of the two-bump data and walk all 1000
# steps.
#
# **Predict.** Does either lose the two bumps? What happens to their width?

# %%
def timid(schedule, x_t, x0_hat, t, s):
    """A draw mean + var z, with var for the standard deviation: its variance is var squared."""
    law = samplers.ddpm_step(schedule, x_t, x0_hat, t, s)
    return Gaussian(law.mean, law.var**2)


def printed(schedule, x_t, x0_hat, t, s):
    """The line of exercise 7.6 as printed, with the noise that belongs to x0_hat."""
    eps_hat = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    mean = (x_t - schedule.beta[t].sqrt() / schedule.noise[t] * eps_hat) / schedule.alpha[t].sqrt()
    return Gaussian(mean, samplers.ddpm_step(schedule, x_t, x0_hat, t, s).var)


# %%
# claim: E02, E41, E71, E113, E115
x_T = normal_like(torch.empty(2000, 1, dtype=torch.float64), generator=seeded(1))
results = {}
rules = {"correct": samplers.ddpm_step, "variance as std": timid, "b for b²": printed}
for name, step in rules.items():
    x = samplers.final(samplers.reverse(schedule, denoise, x_T, step=step, generator=seeded(2)))
    results[name], right = x, x[x > 0]
    print(f"{name:>15}: right of 0: {len(right)} of 2000, there mean {right.mean():.3f}, "
          f"std {right.std():.3f}")
print(f"the data: mean {data.mean[1].item():.3f}, std {data.var[1].sqrt():.3f} in each bump")
var = schedule.posterior_var[2]
print(f"t = 2: posterior variance {var:.2e}, std {var.sqrt():.1e}: a factor of "
      f"{1 / var.sqrt():.0f}; beta is {schedule.beta[2] / var:.2f} times the variance")

# %%
fig, axes = figures.new(1, 3, width=8.4, height=2.6, sharex=True)
target = density(0)
for ax, (name, samples) in zip(axes, results.items()):
    look = {"bins": 90, "range": (-2, 2), "density": True, "color": figures.SKY}
    counts, *_ = ax.hist(samples[:, 0], **look, label="samples")
    ax.plot(grid, target, color=figures.RED, label="data")
    ax.set(title=name, xlabel="x_0, data units", xlim=(-2, 2))
    print(f"{name:>15}: highest bar {counts.max():.2f}, the data's density has {target.max():.2f}")
axes[0].set_ylabel("density")
axes[2].legend(fontsize=9, loc="upper center")
figures.show(fig, alt="The correct samples fit the data's two bumps; the two slips give needles.")

# %% [markdown]
# Neither loses the bumps; both make needles of them: standard deviations 0.070 and 0.013 where the data have
# 0.243 and the correct walk gives 0.237. The samples sit near the data, because the denoiser keeps calling
# them there. It takes data whose law is known to see that a root is missing. At $t = 2$ the standard deviation
# 7.4e-03 is 135 times its variance, 5.45e-05; and the third slip makes that variance 2.20 times too large.

# %% [markdown]
# ## The mean, told by the score
#
# The **score** is the gradient of the log density, $\nabla \log q(x_t)$: the direction in which $x_t$ becomes
# more probable. Three lines connect it with the noise. First, the gradient of $q(x_t) = \int q(x_t \mid x_0)\,
# q(x_0)\,dx_0$ acts on the first factor only. That one is the Gaussian (5.11): its gradient brings down
# $-\frac{x_t - \sqrt{\bar\alpha_t}\,x_0}{1-\bar\alpha_t}$, which is $-\epsilon/\sqrt{1-\bar\alpha_t}$. Then divide by
# $q(x_t)$: by Bayes' rule, $q(x_t \mid x_0)\,q(x_0) / q(x_t) = q(x_0 \mid x_t)$, and the integral is an average.
#
# $$\begin{aligned}
# \nabla q(x_t) &= \int \nabla q(x_t \mid x_0)\; q(x_0)\, dx_0 \\
# &= \int -\frac{\epsilon}{\sqrt{1-\bar\alpha_t}}\; q(x_t \mid x_0)\, q(x_0)\, dx_0 \\
# \nabla \log q(x_t) = \frac{\nabla q(x_t)}{q(x_t)} &= -\frac{E[\epsilon \mid x_t]}{\sqrt{1-\bar\alpha_t}}.
# \end{aligned} \tag{7.17}$$
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
# eq: 7.17, 7.18
places = torch.tensor([[0.3], [1.0]], dtype=torch.float64, requires_grad=True)
log_q = ideal_denoisers.log_density(data, schedule, places, 500)
score = torch.autograd.grad(log_q.sum(), places)[0]  # each place has its own term in the sum
places = places.detach()
eps_hat = (places - schedule.signal[500] * denoise(places, 500)) / schedule.noise[500]
answers = {
    "score": score,
    "score by (7.17)": -eps_hat / schedule.noise[500],
    "mean, Bayes": moments(way_back(places, 500, 499))[0][:, None],
    "mean by (7.18)": (places + schedule.beta[500] * score) / schedule.alpha[500].sqrt(),
    "your 7.7": score_mean(schedule, places, score, 500, 499),
}
for name, value in answers.items():
    print(f"{name:>15}, at 0.3 and 1.0:", [f"{number:.5f}" for number in value[:, 0].tolist()])

# %%
# claim: E05
beta, noise = schedule.beta[500], schedule.noise[500]
printed_mean = (places - beta / noise * score) / schedule.alpha[500].sqrt()  # as in those notes
print("the printed line, at 0.3 and 1.0:", [f"{v:.5f}" for v in printed_mean[:, 0].tolist()])

# %% [markdown]
# (7.17) and (7.18) hold to the five digits shown. The notes that lost the sign (and divided by
# $\sqrt{1-\bar\alpha_t}$ on top) get 0.30465 and 1.01553: their mean moves *away* from where $x_t$ is likelier.
# Chapter 09 puts the names $x_0$, $\epsilon$, score and one more side by side.

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
origin = way_back(0.2, 300, 0)  # q(x_0 | x_t = 0.2) on the grid
_, of_x_0 = moments(origin)
law = forward.posterior(schedule, grid, torch.full_like(grid, 0.2), 300, 100)  # one for each x_0
centers = law.mean[:, 0]
center = (origin * centers).sum() * dx
of_centers = (origin * (centers - center) ** 2).sum() * dx
print(f"(7.20) at x_300 = 0.2: within {law.var:.4f} + of the centers {of_centers:.4f} "
      f"= {law.var + of_centers:.4f}; total {total:.4f}")
print(f"Var(x_0 | x_t) = {of_x_0:.4f}")

# %% [markdown]
# ### Exercise 7.8 · The best variance
#
# Insert (7.8) into (7.20) and average over $x_t$: what is $\sigma_*^2$ for the move from $t$ to $s$, if
# `spread` stands for $E\,\operatorname{Var}(x_0 \mid x_t)$? (Check on the last two lines above: how do 0.6875 and
# 0.8965 hang together?) As in 7.2, `t` and `s` are ints or batches, and `spread` is one number or one for each.

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
# $$\sigma_*^2 = \tilde\beta_t + w_0^2\; E\,\operatorname{Var}(x_0 \mid x_t),
# \qquad w_0 = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t} \text{ as in (7.8)}. \tag{7.21}$$
#
# [Bao et al. 2022](https://arxiv.org/abs/2201.06503) estimate it for trained networks. What is unknown in a
# real step is not $\tilde\beta_t$, as one set of notes has it: there is no $x_0$ in that. Unknown is how far
# $x_0$ spreads.
#
# **Two kinds of data make it easy.** If all data are *one point*, $x_0$ is known, the spread is 0, and
# $\sigma_*^2 = \tilde\beta_t$. If the data are $N(0, I)$, then (7.4) gave $\operatorname{Var}(x_0 \mid x_t) =
# 1 - \bar\alpha_t$, and
#
# $$\tilde\beta_t + w_0^2\,(1-\bar\alpha_t)
# = \frac{\beta_t\,(1-\bar\alpha_{t-1}) + \bar\alpha_{t-1}\,\beta_t^2}{1-\bar\alpha_t}
# = \frac{\beta_t\,(1-\bar\alpha_{t-1}\alpha_t)}{1-\bar\alpha_t} = \beta_t. \tag{7.22}$$
#
# These are the two choices of [Ho20, Sec. 3.2], $\tilde\beta_t$ and $\beta_t$, and that is where they come
# from: two extreme laws of data.

# %%
# eq: 7.21, 7.22
# claim: E08
t = torch.arange(1, 1001)
difference = optimal_var(schedule, t, t - 1, 1 - schedule.abar[1:]) - schedule.beta[1:]
print(f"(7.22) holds for t = 1 … 1000: {bool(difference.abs().max() < 1e-12)}")
rng, origins = seeded(9), torch.zeros(400_000, 1, dtype=torch.float64)
normal = normal_like(origins, generator=rng)
for name, start, open_ in (("one point", origins, 0.0), ("N(0, 1)", normal, 1 - schedule.abar[10])):
    x_9 = forward.noised(schedule, start, 9, normal_like(start, generator=rng))
    x_10 = draw(forward.transition(schedule, x_9, 9, 10), normal_like(x_9, generator=rng))
    slope = (x_9 * x_10).mean() / (x_10**2).mean()  # jointly normal: the best guess is a line
    error = ((x_9 - slope * x_10) ** 2).mean()
    print(f"{name:>9}: mean squared error of the best guess of x_9 {error:.4e}, "
          f"(7.21) {optimal_var(schedule, 10, 9, open_):.4e}")
print(f"tilde beta_10 = {schedule.posterior_var[10]:.4e}, beta_10 = {schedule.beta[10]:.4e}")

# %% [markdown]
# The simulation agrees with both. (With 400,000 walkers, chance moves such a number by about 0.2 %.)
#
# **Predict.** Our two-bump data lie between the extremes: not one point, and no single bell. Will the best
# variance at $t = 2$ lie near $\tilde\beta_2$ or near $\beta_2$, which are more than a factor 2 apart? And at
# $t = 100$?

# %%
# eq: 7.21
# claim: E98, E99
wide = torch.linspace(-7, 7, 2801, dtype=torch.float64)[:, None]  # values of x_t


def spread_of(t):
    """E Var(x_0 | x_t) for the two-bump data: 1 - E[x0_hat^2], as their variance is 1."""
    often = ideal_denoisers.log_density(data, schedule, wide, t).exp() * 0.005
    return 1 - (often * denoise(wide, t)[:, 0] ** 2).sum()


t = torch.arange(1, 1001)
two_bumps = torch.stack([spread_of(int(i)) for i in t])  # row i - 1 belongs to t = i
three = {"beta": schedule.beta[1:], "tilde beta": schedule.posterior_var[1:],
         "best, two bumps": optimal_var(schedule, t, t - 1, two_bumps)}
for i in (2, 10, 100, 1000):
    top, low, mid = (table[i - 1].item() for table in three.values())
    print(f"t = {i:4}: tilde beta {low:.4e}, best {mid:.4e}, {mid / low:.3f} of it; beta {top:.4e}")
print(f"at t = 2 the noise has std {schedule.noise[2]:.3f}, a bump {data.var[0].sqrt():.3f}")

# %%
# claim: E07
shares = {name: v[1:] / schedule.beta[2:] for name, v in three.items()}
fig = figures.curves(t[1:], shares, height=2.8, xlabel="time t, steps (log scale)",
                     ylabel="variance / beta, no unit", title="Variances, as a share of beta")
fig.axes[0].set_xscale("log")
figures.show(fig, alt="The best variance follows beta; tilde beta starts at half, then catches up.")
for name, v in shares.items():
    print(f"{name}, share of beta at t = 2, 10, 100, 1000:",
          ", ".join(f"{v[i - 2]:.3f}" for i in (2, 10, 100, 1000)))

# %% [markdown]
# At $t = 2$ the best variance is $1.1969\cdot10^{-4}$, almost $\beta_2$ and 2.195 times $\tilde\beta_2$. Why?
# The noise in $x_2$ has a standard deviation of 0.015 only, and over such a width a bump of standard deviation
# 0.243 is nearly flat. So $x_2$ leaves $x_0$ as open as for a broad bell. Later the choice hardly matters: a
# factor of 1.009 at $t = 100$, 1.000 at the end.
#
# So "estimate $x_0$, and the way back is known" holds for the mean, not for the spread; and the two choices
# differ only in the first steps of the chain, which are the last ones of the walk back: $\tilde\beta_t$ is 0.455 of
# $\beta_t$ at $t = 2$ and 0.982 of it at $t = 100$.
#
# ("DDPM uses $\tilde\beta_t$", you may read. The paper reports both choices [Ho20, Sec. 3.2], and its released code uses
# both: $\beta_t$ for CIFAR-10, $\tilde\beta_t$ for the pictures of 256×256.)

# %% [markdown]
# ## Does the choice matter?
#
# With few moves, yes. With $N(0, 1)$ data we can follow the variance through the whole walk and need no
# sampling. And [ND21, Sec. 3.1] learn the variance instead: for each pixel the network chooses how far to go
# from $\tilde\beta_t$ ($f = 0$) to $\beta_t$ ($f = 1$) on a log scale.
#
# **Predict.** A photograph of a flat sky above grass. For which pixels does the network know $x_0$ well?
# Which $f$ do they want?

# %%
def final_std(moves, var):
    """Standard deviation of the samples for N(0, 1) data, after a walk of so many moves."""
    times, total = schedules.timesteps(1000, moves), 1.0
    one = torch.ones(1, 1, dtype=torch.float64)  # a step multiplies x_t by a number: try it on 1
    for t, s in zip(times, times[1:]):
        x0_hat = coef(schedule.signal[t], one) * one  # E[x_0 | x_t] = sqrt(abar_t) x_t, by (7.4)
        law = samplers.ddpm_step(schedule, one, x0_hat, t, s, var=var)
        total = law.mean.item() ** 2 * total + law.var.item()
    return math.sqrt(total)


for name, var in (("tilde beta", "small"), ("beta", "large")):
    print(f"10 moves with {name}: std {final_std(10, var):.3f} (the data: 1)")
r = schedule.beta[2:] / schedule.posterior_var[2:]  # best / used, for N(0, 1) data
print(f"with tilde beta, (7.19) loses {0.5 * (r - 1 - r.log()).sum():.4f} nats in 999 steps")

# %%
# claim: E100, E101
for moves in (1000, 20):  # the two bumps; all moves but the last, which ends in data
    stops = torch.tensor(schedules.timesteps(1000, moves)[:-1])
    t, s = stops[:-1], stops[1:]
    best = optimal_var(schedule, t, s, two_bumps[t - 1])
    used = {"tilde beta": optimal_var(schedule, t, s, 0.0),  # nothing left open: one point
            "beta": 1 - schedule.abar[t] / schedule.abar[s]}
    lost = {name: (0.5 * (best / v - 1 - (best / v).log())).sum() for name, v in used.items()}
    print(f"two bumps, {moves:4} moves, nats lost against the best variance:",
          ", ".join(f"{name} {nats:.4f}" for name, nats in lost.items()))

# %%
for i, name, var_0 in ((2, "sky", 0.01**2), (100, "sky", 0.01**2), (2, "grass", 1.0)):
    abar = schedule.abar[i]
    left_open = 1 / (1 / var_0 + abar / (1 - abar))  # Var(x_0 | x_t): the precisions add
    best = optimal_var(schedule, torch.tensor(i), torch.tensor(i - 1), left_open)
    low, top = schedule.posterior_var[i].log(), schedule.beta[i].log()
    print(f"t = {i:3}, {name:>5}: the data's std {var_0**0.5:.2f}, the noise's "
          f"{schedule.noise[i]:.3f}, f = {(best.log() - low) / (top - low):.3f}")

# %% [markdown]
# After 10 moves $\tilde\beta$ ("small" in the package) gives a standard deviation of 0.740 and $\beta$ ("large")
# 0.947, for data of which $\beta$ is the right choice; and the log density (7.19) is 0.4649 nats lower with
# $\tilde\beta$. So "the walk back is insensitive to the variance" is about samples after many moves. For the log density
# of the two bumps, 1000 moves cost 0.4416 nats with $\tilde\beta$ and 0.0029 with $\beta$. And "a learned variance brings
# little"? With 20 moves the two fixed choices lose 0.4055 and 0.0549 nats, which a variance that is learned well would
# not. Few moves, and likelihood, are what it is for.
#
# Grass, modeled as $N(0, 1)$, wants $f = 1$. A sky pixel, $N(0, 0.01^2)$, is near one point:
# $f = 0.001$ at $t = 100$. But at $t = 2$ the noise is 0.015 wide, much like the sky's own 0.01, so
# $x_2$ adds little to what one knows of the sky, and $x_0$ stays open on that scale: $f = 0.404$. With pictures and
# $T = 1000$ the two fixed choices gave similar samples [Ho20, Sec. 3.2]. Chapter 15 comes back to this, with networks and few steps.

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
# (Here $\epsilon$ is all the noise in $x_t$, gathered since $t = 0$; not the noise of the last step.)
#
# **What notes get wrong here**
#
# | often said | better | shown above |
# |---|---|---|
# | we turn $q(x_{t-1} \mid x_t)$ into $q(x_{t-1} \mid x_t, x_0)$ | one is the mixture of the other | variances 1.199e-04 and 5.453e-05 |
# | the $\epsilon$ in the mean is the noise of the step | all the noise in $x_t$ | correlation 0.142 at $t = 100$ |
# | $(x_t - \frac{b}{\bar b}\epsilon)/a$ in roots | $b^2$ above | std 0.013, not 0.243 |
# | $x_{t-1} = \mu + \Sigma\,z$ | $\mu + \sqrt\Sigma\,z$ | std 0.070, not 0.243 |
# | with a guess of $x_0$ the way back is known | its mean is, its spread is not | 2.195 at $t = 2$ |
# | in the exponent, $-\frac12 P x^2 - 2\mu x$ | $P$ multiplies both terms | peak at $-0.00016$, not 0.32945 |
# | a quotient of Gaussians is Gaussian | if the precision stays positive | $-1$ |
# | the mean from the score has a minus | a plus: uphill | 1.01553, not 0.99501 |
# | the choice of the variance hardly matters | for samples after many moves | 0.4055 and 0.0549 nats in 20 moves |
# | $\tilde\beta$ is the exact choice | for one point; $\beta$ for $N(0, I)$ | 2.3818e-04 and 2.7928e-04 at $t = 10$ |
#
# **Exercises:** 7.1 `posterior.precision` · 7.2 `posterior.var` · 7.3 `posterior.mean` (optional) · 7.4
# `posterior.draw` · 7.5 `posterior.eps_mean` · 7.6 `posterior.roots` (optional) · 7.7 `posterior.score_mean` · 7.8
# `posterior.optimal_var`
#
# **To think about.** A network gives $\hat x_0$ with an error of its own, so its $E(x_0 - \hat x_0)^2$ is
# larger than $E \operatorname{Var}(x_0 \mid x_t)$. Which variance should go with *that* mean: more than
# (7.21), or less?
#
# <details><summary>Answer</summary>
#
# More. The best variance is the mean squared error of the mean in use, as in (7.19); with $\hat x_0$ in (7.8)
# it is $\tilde\beta_t + w_0^2\,E(x_0 - \hat x_0)^2$.
#
# </details>
#
# **Before:** [06 · How fast should the signal go?](06_schedules_and_snr.ipynb) · **Next:**
# [08 · What exactly is minimized?](08_bound.ipynb)
#
# **Read on:** [Ho20] Sec. 2 and 3.2; [ND21] Sec. 3.1 for learned variances; [Luo22] for the same algebra in
# other words; [SD15] Sec. 2.2 for why the way back has the same form.
