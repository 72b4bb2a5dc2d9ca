# %% [markdown]
# # 02 · Joint, marginal, conditional: what can you do with Gaussians?
#
# Diffusion is about many random numbers at once: a clean pixel, its noisy version, and everything in between. How do
# you describe them together? What remains if you look at only one of them, or already know one of them? For Gaussians
# every answer is a short formula, and most formulas of diffusion are one of these.
#
# **After this chapter you can**
#
# - tell joint, marginal and conditional distributions apart, and compute the last two from the first,
# - factor a joint distribution by the chain rule, and say what the Markov property adds,
# - sample, transform and condition Gaussians, and derive the formulas by completing the square,
# - say what a KL divergence measures, why it has a direction, and what each direction prefers.
#
# **You need** [00 · Start here](00_start_here.ipynb), Bayes' rule and the standard error from
# [01 · Bayes](01_bayes.ipynb), and integrals of powers of $x$.
#
# **Time:** about {road} minutes; the detours, which nothing later needs, add {detours}. The notebook runs in about 15
# seconds.
#
# **For what comes next:** 05 uses sections 5 to 7, 07 section 8, 08 sections 4 and 9; 03 and 04 use all but section
# 5.
#
# **In the papers:** [Ho20] Ho, Jain and Abbeel 2020, Sec. 2, takes all of this for granted; [Luo22] Luo 2022 writes
# the algebra out.

# %%
import math
from itertools import permutations
from textwrap import fill

import sympy as sp
import torch
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from ddpm_lab import gaussians, ideal_denoisers, schedules
from ddpm_lab.course import explorers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded

n = 200_000
u = torch.rand(n, 2, generator=seeded(1), dtype=torch.float64)  # n rows of two numbers in [0, 1]
x, y = u.max(dim=1).values, u.min(dim=1).values  # the larger one of each row, and the smaller
print(f"the first pair: x = {x[0]:.3f}, y = {y[0]:.3f}")

# %% [markdown]
# ## A first look: the larger and the smaller of two
#
# The cell above drew two numbers from the **uniform distribution** on $[0, 1]$: every place is equally likely. It
# called the larger one $x$ and the smaller one $y$, and did so 200,000 times.
#
# **Predict.** How often is $x$ above one half? How often is $y$? Where do the points $(x, y)$ lie in the plane?

# %%
fig, axes = figures.new(1, 3, width=8.4, height=2.9)
axes[0].scatter(x[:2000], y[:2000], s=2, color=figures.BLUE)
axes[0].set(xlabel="x, data units", ylabel="y, data units", title="2000 of the pairs")
for ax, values, name in zip(axes[1:], (x, y), "xy"):
    ax.hist(values, bins=20, range=(0, 1), density=True, color=figures.SKY)
    ax.set(xlabel=f"{name}, data units", ylabel="density", title=f"{name} alone", ylim=(0, 2.1))
    above = (values > 0.5).double().mean()  # True counts as 1, False as 0
    print(f"{name}: mean {values.mean():.3f}, above one half in {above:.3f}")
figures.show(fig, alt="Points fill a triangle; the bars of x rise in a line, those of y fall.")

# %% [markdown]
# The points fill a triangle, since $y \le x$. And $x$ is above one half in 0.750 of the pairs, because it is *below*
# only if both numbers are; for $y$ it is 0.250.
#
# A quantity such as $x$, whose value depends on chance, is a **random variable**; its distribution says how probable
# each value is. The left panel shows the **joint distribution** of the pair, the other two show the **marginal
# distributions**: what you see if you look at one variable only.
#
# All distributions are called $p$. **The letters in the parentheses say which one is meant**: $p(x, y)$, $p(x)$ and
# $p(y)$ are three different functions.

# %% [markdown] topics="C024"
# ## 1 · The joint density
#
# A **probability density** says how much probability there is per unit of area. The two numbers, in the order in
# which they were drawn, fill the square evenly. Calling the larger one $x$ folds that square along its diagonal. So
# the density is the same everywhere in the triangle, and 0 outside. The total probability is 1 and the triangle has
# area ½, hence
#
# $$p(x, y) = 2 \;\text{ for } 0 \le y \le x \le 1, \text{ else } 0; \qquad
# \int_0^1\!\!\int_0^x 2\,dy\,dx = 1. \tag{2.1}$$
#
# The 2 is not a probability. A probability is density **times area**, and that never exceeds 1. Check it for a small
# square: $x$ between 0.6 and 0.7, and $y$ between 0.2 and 0.3.

# %%
# eq: 2.1
X, Y = sp.symbols("x y", positive=True)  # symbols for SymPy, which does algebra and integrals
print("the integral of 2 over the triangle:", sp.integrate(2, (Y, 0, X), (X, 0, 1)))  # y first
inside = (x > 0.6) & (x < 0.7) & (y > 0.2) & (y < 0.3)
fraction = inside.double().mean()
stderr = (fraction * (1 - fraction) / n).sqrt()
print(f"density times area: {2 * 0.1 * 0.1:.4f}; counted: {fraction:.4f} ± {stderr:.4f}")

# %% [markdown] topics="C025"
# The number after ± is the standard error of the count, $\sqrt{s(1-s)/n}$ for a fraction $s$ of $n$ samples: the
# typical distance from the truth. About one count in three is off by more than that. Ours is off by slightly more
# than one standard error, which is nothing unusual.
#
# ## 2 · Marginals: integrate the other variable out
#
# What is the distribution of $x$ alone? At each $x$, collect all the probability above it: a strip of height 2 that
# runs from $y = 0$ to $y = x$.
#
# $$p(x) = \int p(x, y)\,dy = \int_0^x 2\,dy = 2x, \qquad
# p(y) = \int p(x, y)\,dx = \int_y^1 2\,dx = 2(1-y). \tag{2.2}$$
#
# This is called *marginalizing* over $y$, or *integrating* $y$ *out*. Picture it as pressing all the probability
# onto the $x$-axis. The integral of a function times the density is its **expectation** $E$, which the mean over more
# and more samples approaches: $E[x] = \int x\,p(x)\,dx$.

# %%
# eq: 2.2
p_x = sp.integrate(2, (Y, 0, X))
p_y = sp.integrate(2, (X, Y, 1))
print(f"p(x) = {p_x},  p(y) = {p_y}")
for name, p, v, values in (("x", p_x, X, x), ("y", p_y, Y, y)):
    mean, above = sp.integrate(v * p, (v, 0, 1)), sp.integrate(p, (v, sp.Rational(1, 2), 1))
    print(f"{name}: mean {mean} (measured {values.mean():.4f} ± {values.std() / n**0.5:.4f}), "
          f"above one half {above}")

# %% [markdown]
# The measured means agree with the integrals within a standard error. (For the mean of $n$ samples, the standard
# error is their standard deviation divided by $\sqrt n$.)
#
# For most distributions there is no formula for the marginals. A computer then stores the joint density in a table
# and sums over one axis: `joint[i, j]` is the density at $x_i$ and $y_j$, in cells that are `dy` wide.

# %%
grid = (torch.arange(200, dtype=torch.float64) + 0.5) / 200  # midpoints of 200 cells
column, row = grid[:, None], grid[None, :]  # comparing them makes a table, 200 by 200
joint = (row < column).double() + (row <= column)  # 2 inside; 1 where a cell is half inside
p = joint.sum(dim=1) / 200  # over the second axis, y, whose cells are 1/200 wide
print(f"p(x) at x = {grid[50]:.4f}: {p[50]:.4f}; equal to 2x on the whole grid: "
      f"{torch.allclose(p, 2 * grid)}")

# %% [markdown]
# ### Do the marginals determine the joint distribution?
#
# **Predict.** You are given both marginals, $2x$ and $2(1-y)$. Can you reconstruct the joint distribution from them?
# The next cell shuffles the values of $y$ among the pairs.

# %%
shuffled = y[torch.randperm(n, generator=seeded(2))]  # the same numbers in another order
for name, other in (("as drawn", y), ("shuffled", shuffled)):
    covariance = ((x - x.mean()) * (other - other.mean())).mean()
    correlation = covariance / (x.std() * other.std())
    above = (other > x).double().mean()
    print(f"{name}: mean of y {other.mean():.4f}, y > x in {above:.4f}, "
          f"covariance {covariance:.4f}, correlation {correlation:.3f}")
print(f"in theory: covariance 1/36 = {1 / 36:.4f}; if independent, y > x in 1/6 = {1 / 6:.4f}")


# %% [markdown]
# No. Both marginals stay exactly the same, and the joint distribution changes: now a sixth of the points have
# $y > x$. Marginals do not say how the variables are related. Part of that is measured by the **covariance**,
# the mean of $(x - E[x])(y - E[y])$. Divided by both standard deviations it is the **correlation**, a number
# between −1 and 1. After shuffling, $x$ and $y$ are **independent**: the joint density is the product
# $p(x)\,p(y)$, so knowing one says nothing about the other.

# %% [markdown]
# ### Detour · Exercise 2.1, the marginal of a table
#
# A first exercise, if you would like to write this sum as a function.

# %% [markdown]
# #### Exercise 2.1 · The marginal of a table
#
# `joint` has shape `(nx, ny)`: `joint[i, j]` is the density at $x_i$ and $y_j$, and cells are `dy` wide in the
# $y$-direction. Return $p(x)$ at each $x_i$, shape `(nx,)`. (`joint.sum(dim=0)` sums over the *first* axis, so the
# second one is left.)

# %% tags=["exercise"]
def my_marginal(joint, dy):
    """Return p(x) on the grid, shape (nx,)."""
    ### BEGIN SOLUTION
    return joint.sum(dim=1) * dy
    ### END SOLUTION


marginal = check("distributions.marginal", my_marginal)

# %%
p = marginal(joint, dy=1 / 200)
print(f"equal to 2x on the whole grid: {torch.allclose(p, 2 * grid)}")

# %% [markdown]
# ### Detour · The joint density and its marginals in three dimensions
#
# One figure: a roof over the triangle, and its two marginals as shadows on the walls.

# %%
roof = [(0.0, 0.0, 2.0), (1.0, 0.0, 2.0), (1.0, 1.0, 2.0)]  # corners (x, y, height)
faces = {  # corners -> color
    "floor": ([(a, b, 0.0) for a, b, _ in roof], figures.GRAY),
    "roof": (roof, figures.SKY),
    "p(x) = 2x": ([(0, 1.3, 0), (1, 1.3, 0), (1, 1.3, 2)], figures.RED),
    "p(y) = 2 - 2y": ([(-0.3, 0, 0), (-0.3, 1, 0), (-0.3, 0, 2)], figures.BLUE),
}

# %%
fig, ax = figures.new(width=6.4, height=4.6, subplot_kw={"projection": "3d"})
for name, (corners, color) in faces.items():
    ax.add_collection3d(Poly3DCollection([corners], facecolor=color, edgecolor=color, alpha=0.5))
    ax.text(*torch.tensor(corners).mean(dim=0), name, ha="center")
ax.set(xlabel="x, data units", ylabel="y, data units", zlabel="density", zlim=(0, 2.2))
ax.set(xlim=(-0.3, 1), ylim=(0, 1.3), xticks=(0, 0.5, 1), yticks=(0.5, 1), zticks=(0, 1, 2))
ax.set_box_aspect((1, 1, 0.7), zoom=0.85)
figures.show(fig, alt="A flat roof over a triangle; one wall shows a rising line, one a falling.")
for at in (0, sp.Rational(1, 2), 1):
    print(f"shadows at {at}: p(x) = {p_x.subs(X, at)}, p(y) = {p_y.subs(Y, at)}")

# %% [markdown] topics="C026"
# ## 3 · Conditionals: take a slice and renormalize
#
# Now you learn that $x = 0.25$. What is the distribution of $y$? Cut the joint density along that line and forget the
# rest. The slice is 2 high and 0.25 long; its area is 0.5, so it is not a density yet. Divide it by its area, which
# is exactly $p(x)$ of (2.2):
#
# $$p(y \mid x) = \frac{p(x, y)}{p(x)} = \frac{2}{2x} = \frac1x
# \quad\text{for } 0 \le y \le x, \text{ and only where } p(x) > 0. \tag{2.3}$$
#
# This is the **conditional distribution** of $y$ **given** $x$. Here it is uniform on $[0, x]$. Its mean,
# $E[y \mid x]$, is therefore the midpoint:
#
# $$E[y \mid x] = \tfrac{x}{2}. \tag{2.4}$$
#
# Conditioning on $y$ works the same way: $p(x \mid y) = 2/(2(1-y)) = 1/(1-y)$ for $y \le x \le 1$.
#
# No pair has $x = 0.25$ to the last digit. In an experiment, "given $x$" means: keep the pairs whose $x$ is *near*
# 0.25. So a conditional describes a *subpopulation*.

# %%
# eq: 2.3, 2.4
# claim: E35
for place in (0.25, 0.5, 0.9):
    there = y[(x - place).abs() < 0.01]  # the subpopulation with x near this place
    stderr, low = there.std() / len(there) ** 0.5, (there < 0.1).double().mean()
    print(f"x near {place}: mean of y {there.mean():.3f} ± {stderr:.3f}, (2.4) {place / 2:.3f}; "
          f"y < 0.1 in {low:.3f}, (2.3) {0.1 / place:.3f}")
across = x[(y - 0.5).abs() < 0.01]
print(f"y near 0.5: x from {across.min():.2f} to {across.max():.2f}, mean {across.mean():.3f}")


# %% [markdown]
# The means agree within two standard errors. And of the pairs with $x$ near 0.25, a fraction of 0.4 should have
# $y < 0.1$; we counted 0.398.
#
# ### Exercise 2.2 · The conditional of a table
#
# This is how a program updates a belief that is stored as a table. `joint` has shape `(nx, ny)`: `joint[i, j]` is the
# density at $x_i$ and $y_j$, and cells are `dy` wide in the $y$-direction. Return $p(y \mid x_i)$ at each $y_j$,
# shape `(ny,)`. (`joint[i]` is row `i`.)

# %% tags=["exercise"]
def my_conditional(joint, i, dy):
    """Return p(y | x_i) on the grid, shape (ny,)."""
    ### BEGIN SOLUTION
    return joint[i] / (joint[i].sum() * dy)
    ### END SOLUTION


conditional = check("distributions.conditional", my_conditional)

# %%
slices = {f"p(y | x = {grid[i]:.2f})": conditional(joint, i, 1 / 200) for i in (20, 50, 100, 180)}
fig = figures.curves(grid, slices, xlabel="y, data units", ylabel="density", height=2.6)
figures.show(fig, alt="Four flat slices: the shorter, the higher. All have area 1.")
for (name, p), i in zip(slices.items(), (20, 50, 100, 180)):
    print(f"{name}: height {p.max():.2f}, 1/x = {1 / grid[i]:.2f}, area {p.mean():.3f}")

# %% [markdown]
# The smaller $x$, the higher and narrower the slice. Its height $1/x$ has no bound; its area is always 1.

# %% [markdown] topics="C027"
# These are the three kinds of distribution, side by side:
#
# | distribution | what it answers | how to get it |
# |---|---|---|
# | joint $p(x, y)$ | how probable is this pair? | everything is in it |
# | marginal $p(x)$ | how probable is this $x$, whatever $y$ is? | integrate over $y$ |
# | conditional $p(y \mid x)$ | how probable is this $y$ *among the pairs with this* $x$? | slice, divide by $p(x)$ |

# %% [markdown]
# ### Detour · Move the slice
#
# For the triangle, the width of the slice depends on where you cut. Is that also true of two correlated normal
# variables (their bell-shaped density is the subject of section 6)? Switch to them and move the cut.

# %%
explorer = explorers.slice_of_the_joint()
print(explorer)
explorer

# %% [markdown]
# No. For normal variables only the *center* of the slice moves, by the correlation (0.8 in the explorer) times the
# distance that you move the cut. The width stays the same. This is what makes Gaussians easy.

# %% [markdown]
# ### Detour · How high can a density be?
#
# Can a log-density be positive, and is that a bug?

# %% [markdown]
# **Predict.** How high is the slice at $x = 0.001$? Is something wrong there?

# %%
print("     x   height    width   area   log-density (nats)   fraction of pairs below x")
for place in (0.5, 0.1, 0.01, 0.001):
    height = 1 / place
    print(f"{place:6}   {height:6.0f}   {place:6.3f}   {height * place:4.1f}   "
          f"{math.log(height):18.2f}   {place**2:25.6f}")

# %% [markdown]
# A thousand, and nothing is wrong: a distribution that is concentrated on a short interval has a high, narrow
# density. So a log-density can be **positive**, here up to 6.91 *nats* (the unit of natural logarithms), and a
# negative log-likelihood of −6.91 is not a bug. At $x = 0$ itself there is no slice to renormalize, and (2.3) says
# nothing.

# %% [markdown] topics="C029"
# ## 4 · The chain rule: a joint distribution is a product
#
# Multiply (2.3) by $p(x)$, and do the same for slices in the other direction. This is the *product rule*:
#
# $$p(x, y) = p(x)\,p(y \mid x) = p(y)\,p(x \mid y). \tag{2.5}$$
#
# For the triangle: $2x \cdot \frac1x = 2$ and $2(1-y)\cdot\frac1{1-y} = 2$. Dividing by $p(y)$ gives Bayes' rule.
# Integrating over $x$ gives the **law of total probability**, which averages the slices, each weighted by the
# probability of its $x$:
#
# $$p(y) = \int p(y \mid x)\,p(x)\,dx. \tag{2.6}$$
#
# (2.5) is also a recipe for sampling: **first** $x$ from $p(x)$, **then** $y$ from $p(y \mid x)$.

# %%
# eq: 2.5, 2.6
print("p(x) p(y|x) =", 2 * X * (1 / X), "   p(y) p(x|y) =", sp.simplify(2 * (1 - Y) / (1 - Y)))
print("(2.6): p(y) =", sp.integrate((1 / X) * 2 * X, (X, Y, 1)))

# %% [markdown] topics="C028"
# With more variables, split off one after another. Each is conditioned on **all** before it:
#
# $$p(x_0, x_1, \dots, x_n) = p(x_0)\;p(x_1 \mid x_0)\;p(x_2 \mid x_0, x_1)
# \cdots p(x_n \mid x_0, \dots, x_{n-1}). \tag{2.7}$$
#
# This **chain rule of probability** assumes nothing; it is (2.5), used $n$ times. And the numbering was our choice:
# every order works, with different factors.
#
# Diffusion uses two orders. The forward process goes from data to noise, the sampler from noise to data. Both factor
# *the same* joint distribution. The factors of the first are easy, since we choose them. Those of the second are what
# a network has to learn.

# %% [markdown] topics="C030"
# ## 5 · The Markov property: what may be left out
#
# A chain $x_0, x_1, x_2, \dots$ has the **Markov property** if, once the present is known, the past says nothing more
# about the future:
#
# $$p(x_2 \mid x_0, x_1) = p(x_2 \mid x_1). \tag{2.8}$$
#
# Then each factor of the chain rule needs only its neighbor:
#
# $$p(x_0, x_1, \dots, x_n) = p(x_0)\,\prod_{k=1}^{n} p(x_k \mid x_{k-1}). \tag{2.9}$$
#
# Compare two chains. Both start at a standard normal $x_0$ and take two steps
# $x_k = \sqrt{0.9}\;x_{k-1} + \sqrt{0.1}\;e_k$: shrink a little, add a little noise, as in the forward process. In
# the *fresh* chain every $e_k$ is new. In the *sticky* chain the second noise remembers the first,
# $e_2 = 0.6\,e_1 + 0.8\,\text{new}$.
#
# **Predict.** Look only at samples with $x_1 \approx 0.5$. Some came from an $x_0$ below 0.5, some from above. In
# which chain do these two groups differ at $x_2$?

# %%
many = torch.empty(2_000_000, dtype=torch.float64)  # two million chains; only its shape is used
x_0, e_1, new = (normal_like(many, generator=seeded(k)) for k in (20, 21, 22))
keep, add = math.sqrt(0.9), math.sqrt(0.1)
x_1 = keep * x_0 + add * e_1
ends = {"fresh": keep * x_1 + add * new, "sticky": keep * x_1 + add * (0.6 * e_1 + 0.8 * new)}
here = (x_1 - 0.5).abs() < 0.02
print(f"{int(here.sum())} chains pass near x_1 = 0.5")

# %%
fig, axes = figures.new(1, 2, width=8.4, height=2.6, sharey=True)
for ax, (name, x_2) in zip(axes, ends.items()):
    for past, came, look in (("low", x_0 < 0.5, "-"), ("high", x_0 >= 0.5, "--")):
        group = x_2[here & came]
        color = figures.BLUE if past == "low" else figures.RED
        ax.hist(group, bins=40, density=True, histtype="step", ls=look, color=color, label=past)
        print(f"{name}, from {past} x_0: mean of x_2 {group.mean():.3f} "
              f"± {group.std() / len(group) ** 0.5:.3f}, std {group.std():.3f}")
    ax.set(xlabel="x_2, data units", ylabel="density", title=f"{name} noise")
axes[0].legend(fontsize=9, title="x_0 was")
figures.show(fig, alt="Fresh noise: both groups coincide. Sticky noise: they are apart.")

# %% [markdown]
# In the sticky chain. A sample that came from below needed a large $e_1$ to reach 0.5, and gets part of it again: the
# means are 0.634 and 0.351. With fresh noise they are 0.469 and 0.475, which agree within two standard errors.
#
# So it is the *noises* that must be independent. The states are not: neighbors in the chain are strongly correlated.
# And (2.8) lets you leave out only what lies *before* the known state.

# %% [markdown]
# ### Detour · How strongly are the states correlated?
#
# The correlation of two neighbors, and how much more uncertain $x_2$ is if you know only $x_0$.

# %%
# claim: E109, E112
x_2 = ends["fresh"]
rest = x_2 - keep * x_1  # what x_1 leaves unexplained of x_2
for name, pair in (("x_1 and x_2", (x_1, x_2)), ("x_0 and the rest", (x_0, rest))):
    print(f"correlation of {name}: {torch.corrcoef(torch.stack(pair))[0, 1]:+.3f}")
print(f"variance of x_2 given x_1, with or without x_0: {rest.var():.3f}")
print(f"variance of x_2 given x_0 only: {(x_2 - keep**2 * x_0).var():.3f}")

# %% [markdown]
# Neighbors have correlation 0.949. But $x_0$ adds nothing to what $x_1$ says: what $x_1$ leaves unexplained of $x_2$ is
# uncorrelated with $x_0$. Given $x_1$ the variance of $x_2$ is 0.100; given only $x_0$ it is 0.190. So
# $p(x_2 \mid x_1, x_0)$ is $p(x_2 \mid x_1)$, not $p(x_2 \mid x_0)$. Over a hundred steps the two variances differ by far
# more.

# %% [markdown]
# ### Detour · Factor a table in any order, with exercise 2.3
#
# The chain rule and the Markov property where nothing is hidden: in a table of 24 probabilities.

# %% [markdown]
# A distribution with finitely many cases is a table, here 2 × 3 × 4 positive numbers with sum 1. `marginal_of`
# computes its marginals:

# %%
table = torch.rand(2, 3, 4, generator=seeded(4), dtype=torch.float64)
table = table / table.sum()


def marginal_of(table, keep):
    """Sum over all axes not in `keep`; they stay, with length 1, so that shapes fit."""
    gone = [axis for axis in range(table.dim()) if axis not in keep]
    return table.sum(dim=gone, keepdim=True) if gone else table


for kept in ((0,), (0, 2), ()):
    print(f"keep {kept}: shape {tuple(marginal_of(table, kept).shape)}")
first, second = marginal_of(table, (0,)).flatten()
print(f"axis 0 alone: {first:.3f} and {second:.3f}; no axis: {marginal_of(table, ()).item():.3f}")


# %% [markdown]
# #### Exercise 2.3 · The chain rule for a table
#
# `order` is a tuple of axes such as `(2, 0, 1)`. Return a list of factors, one for each axis in that order: the
# distribution of this variable, given all that come earlier in the order. Each factor keeps three axes, as
# `marginal_of` does.
#
# <details><summary>Hint</summary>
#
# By (2.3) a factor is a fraction: the marginal of "the earlier ones and this one", divided by the marginal of "the
# earlier ones". `order[:k]` are the first `k` axes, and `order[:k + 1]` are these and the next one.
#
# </details>

# %% tags=["exercise"]
def my_factors(table, order):
    """Return [p(first), p(second | first), p(third | first, second)], each with 3 axes."""
    ### BEGIN SOLUTION
    factors = []
    for k in range(len(order)):
        factors.append(marginal_of(table, order[: k + 1]) / marginal_of(table, order[:k]))
    return factors
    ### END SOLUTION


chain_rule = check("distributions.chain_rule", my_factors)

# %%
# eq: 2.7
for order in permutations((0, 1, 2)):
    first, second, third = chain_rule(table, order)
    again = (first * second * third - table).abs().max()
    print(f"order {order}: the product gives the table back: {bool(again < 1e-15)}")
alone = [marginal_of(table, (k,)) for k in range(3)]
short = marginal_of(table, (1, 2)) / marginal_of(table, (1,))  # p(x_2 | x_1), without x_0
first, second, _ = chain_rule(table, (0, 1, 2))
without = first * second * short
for name, guess in (("three marginals", math.prod(alone)), ("x_0 left out", without)):
    print(f"{name}: {(guess - table).abs().sum() / 2:.1%} of the probability is in wrong cells")

# %% [markdown]
# All six orders give the table back. Two shortcuts do not. The product of the marginals puts 19.9 % of the
# probability into the wrong cells (too much in some is missing in others, hence the factor ½): it would need
# independence. Leaving $x_0$ out of the last factor misplaces 18.4 %: it would need the Markov property.
#
# That second product has the factors of (2.9). So it must itself be a Markov chain: its $p(x_2 \mid x_0, x_1)$ must
# not depend on $x_0$.

# %%
# eq: 2.8, 2.9
for name, values in (("the table", table), ("x_0 left out", without)):
    _, _, last = chain_rule(values, (0, 1, 2))  # p(x_2 | x_0, x_1)
    print(f"{name}: p(x_2 = 0 | x_0, x_1 = 0) is {last[0, 0, 0]:.3f} for x_0 = 0, "
          f"{last[1, 0, 0]:.3f} for x_0 = 1")
print(f"p(x_2 = 0 | x_1 = 0) is {short[0, 0, 0]:.3f}")


# %% [markdown]
# It does not: 0.253 both times. In the first table it does, 0.216 or 0.315.

# %% [markdown]
# ## 6 · Gaussians: density and samples
#
# This is a good place for a break. From now on nearly all distributions belong to one family, in which every answer
# is a formula.
#
# The **normal distribution** or **Gaussian distribution** $N(m, v)$ has mean $m$ and **variance** $v$, the mean
# squared deviation from the mean. The square root of the variance is the **standard deviation**. The log-density is
# a parabola:
#
# $$\log N(x; m, v) = -\tfrac12\Big[\frac{(x - m)^2}{v} + \log v + \log 2\pi\Big]. \tag{2.10}$$
#
# To sample from it, scale and shift a standard normal number $z \sim N(0, 1)$:
#
# $$x = m + \sqrt v\; z. \tag{2.11}$$
#
# In code a Gaussian is a pair, `Gaussian(mean, var)`. The next sections use four of the package's operations on it:
# `draw`, `push`, `condition` and `kl`.
#
# **Predict.** About two thirds of all samples lie within one standard deviation of the mean. For $N(3, 4)$, between
# which numbers is that?

# %%
# eq: 2.10, 2.11
def bell(x, mean, var):
    """The density (2.10) of N(mean, var) at x."""
    return torch.exp(-0.5 * ((x - mean) ** 2 / var + math.log(var) + math.log(2 * math.pi)))


p = Gaussian(torch.full((n,), 3.0, dtype=torch.float64), torch.tensor(4.0, dtype=torch.float64))
samples = draw(p, normal_like(p.mean, generator=seeded(6)))
line = torch.linspace(-13, 19, 2001, dtype=torch.float64)
fig = figures.histograms({"N(3, 4)": samples}, xlabel="x, data units", limits=(-6, 12),
                         density=(line, bell(line, 3.0, 4.0)), names=("samples (2.11)", "(2.10)"))
figures.show(fig, alt="The histogram of the samples follows the bell curve, centered at 3.")
for low, high in ((1, 5), (-1, 7)):
    print(f"between {low} and {high}: {((samples > low) & (samples < high)).double().mean():.1%}")

# %%
# eq: 2.10
for name, f in {"area": 1 + 0 * line, "mean": line, "variance": (line - 3) ** 2}.items():
    print(f"(2.10): {name} {torch.trapezoid(f * bell(line, 3.0, 4.0), line):.4f}")
print(f"samples: mean {samples.mean():.3f}, variance {samples.var():.3f}")
figures.show_source(draw)

# %% [markdown] topics="C040"
# 68.3 % lie between 1 and 5: the standard deviation is 2, not 4. Confusing variance and standard deviation is one of
# the most common mistakes in diffusion code. In this course `var` is always a variance. (Lines with `check` reject
# bad input.)
#
# ## 7 · Push: scale and add noise
#
# Multiply $x \sim N(m, v)$ by a number $a$, and add *independent* Gaussian noise of mean 0 and variance $w$. The
# result is Gaussian again:
#
# $$a\,x + \text{noise} \;\sim\; N\big(a\,m,\; a^2 v + w\big). \tag{2.12}$$
#
# The mean is $a\,m$. The variance is the mean square of the deviation, $a\,(x - m) + \text{noise}$. When you expand
# the square, the two squared terms have means $a^2 v$ and $w$, and the mixed term has mean 0, because the two are
# independent. **Variances of independent variables add.**
#
# **Predict.** Two independent noises have standard deviations 3 and 4. What is the standard deviation of their sum?

# %%
# eq: 2.12
z_1, z_2 = (normal_like(x, generator=seeded(k)) for k in (9, 10))
p = Gaussian(torch.ones_like(x), torch.tensor(9.0, dtype=torch.float64))  # N(1, 9)
for scale in (1.0, 2.0):
    pushed, end = gaussians.push(p, scale, noise_var=16.0), scale * draw(p, z_1) + 4 * z_2
    print(f"{scale:g} x + noise: push gives mean {pushed.mean[0]:g}, variance {pushed.var:g}; "
          f"samples {end.mean():.3f}, {end.var():.2f}")
two_steps = gaussians.push(Gaussian(torch.zeros(1), 0.02), math.sqrt(0.98), noise_var=0.02)
print(f"two noising steps of variance 0.02 are one of variance {two_steps.var.item():.4f}")

# %% [markdown]
# 5, not 7: variances add, 9 + 16 = 25, since the two noises partly cancel. The last line is what chapter 05 does a
# thousand times: $\sqrt{0.98}\,\sqrt{0.02}\,\epsilon_1 + \sqrt{0.02}\,\epsilon_2$ is a single Gaussian noise.
#
# The algebra of section 8 shows why the sum is Gaussian again.

# %% [markdown]
# ### Detour · More about sums, with exercise 2.4
#
# Why is the sum Gaussian? What if the noises are correlated? And is "uncorrelated" enough, or do they have to be
# independent?

# %% [markdown]
# By total probability (2.6) the density of a sum $s$ is $\int p(s \mid x)\,p(x)\,dx$. Compute this integral on a
# grid, for the noises of variance 9 and 16:

# %%
# eq: 2.12
line = torch.linspace(-40, 40, 801, dtype=torch.float64)
s_given_x = bell(line[:, None], line, 16.0)  # a table [s, x]
p_s = s_given_x @ bell(line, 0.0, 9.0) * 0.1  # (2.6): for each s, sum over x; 0.1 is the spacing
print("(2.6) gives N(0, 25):", torch.allclose(p_s, bell(line, 0.0, 25.0), atol=1e-9))


# %% [markdown]
# So `push` *is* total probability, solved once and for all.
#
# Now let the noises be dependent. For means 0 the variance of a sum is $E[(x + y)^2] = E[x^2] + 2\,E[x y] + E[y^2]$.
# The middle term is twice the covariance:
#
# $$\operatorname{Var}(x + y) = v_x + v_y + 2\operatorname{Cov}(x, y). \tag{2.13}$$
#
# #### Exercise 2.4 · The variance of a sum
#
# Usually you know the correlation $\rho$ of two noises and not their covariance; how are the two related? (Section 2
# defines both.) Three Python numbers come in: the variances `v_x` and `v_y`, and `rho`; so use `math.sqrt`. Return
# the variance of $x + y$, not the standard deviation.

# %% tags=["exercise"]
def my_sum_var(v_x, v_y, rho):
    """Return the variance of x + y, if their correlation is rho."""
    ### BEGIN SOLUTION
    return v_x + v_y + 2 * rho * math.sqrt(v_x * v_y)
    ### END SOLUTION


sum_var = check("distributions.sum_var", my_sum_var)

# %%
# eq: 2.13
rhos = torch.arange(-40, 41, dtype=torch.float64) / 40  # from -1 to 1
measured = [(3 * z_1 + 4 * (r * z_1 + (1 - r**2).sqrt() * z_2)).std() for r in rhos[::10]]
formula = [math.sqrt(sum_var(9.0, 16.0, r.item())) for r in rhos]
fig = figures.curves(rhos, {"(2.13)": formula}, points={"samples": (rhos[::10], measured)},
                     xlabel="correlation of the two noises", ylabel="std of the sum, data units")
figures.show(fig, alt="The std of the sum rises from 1 to 7 as the correlation goes from -1 to 1.")
for i in (0, 4, 8):
    print(f"correlation {rhos[10 * i]:2.0f}: samples {measured[i]:.2f}, "
          f"(2.13) {formula[10 * i]:.2f}")

# %%
# claim: E108
first = 0.98 * 0.02  # the second step multiplies the first noise by sqrt(0.98)
apart, same = (sum_var(first, 0.02, rho) for rho in (0.0, 1.0))
print(f"two noising steps of variance 0.02, merged: {apart:.4f}; the same noise twice: {same:.4f}")

# %% [markdown]
# Two noising steps merge into a noise of variance 0.0396 *because* their noises are independent. With the same noise
# twice it would be 0.0792. (And the second noise of the sticky chain is standard normal: $0.6^2 + 0.8^2 = 1$.)
#
# **Predict.** Take a standard normal $z$ and toss a fair coin: heads $y = z$, tails $y = -z$. Is $y$ normal? What is
# the correlation of $z$ and $y$? Is $z + y$ normal?

# %%
# claim: E108
sign = torch.where(torch.rand(n, generator=seeded(11)) < 0.5, -1.0, 1.0)  # a fair coin, -1 or 1
flipped = sign * z_1  # normal, too: the bell is symmetric
both = torch.corrcoef(torch.stack([z_1, flipped]))[0, 1]
zero = (z_1 + flipped == 0).double().mean()
print(f"z and ±z: correlation {both:.3f}; their sum is exactly 0 in {zero:.1%} of the samples")

# %% [markdown]
# Both are normal and their correlation is 0 up to sampling error: $zy$ is $z^2$ or $-z^2$, equally often. But their
# sum is exactly 0 in half of the samples, so it is not normal at all. Uncorrelated is enough for the *variance*,
# not for the *distribution*. `push` needs independent noise.

# %% [markdown] topics="C041"
# ## 8 · Condition: complete the square
#
# Now the other direction. Before a measurement you believe $x \sim N(m, v)$, the *prior*. The measurement gives
# $y = a\,x + \text{noise}$, with noise of variance $w$. What is the *posterior*, the distribution of $x$ given $y$?
# By (2.5) the joint density is $p(x)\,p(y \mid x)$. Hold $y$ fixed and look at it as a function of $x$: that is a
# *slice*, to be scaled to area 1. The logarithm, times −2, is a sum of two parabolas:
#
# $$-2\log p(x, y) = \frac{(x - m)^2}{v} + \frac{(y - a x)^2}{w} + \text{const}. \tag{2.14}$$
#
# Expand, and collect the coefficients of $x^2$ and $x$:
#
# $$= P\,x^2 - 2h\,x + \frac{m^2}{v} + \frac{y^2}{w} + \text{const}, \qquad
# P = \frac1v + \frac{a^2}{w}, \quad h = \frac mv + \frac{a\,y}{w}. \tag{2.15}$$
#
# **Complete the square**: write $P x^2 - 2 h x$ as $P\,(x - h/P)^2 - h^2/P$. What is left, $m^2/v + y^2/w - h^2/P$,
# does not contain $x$, and also turns out to be a single square:
#
# $$= P\,\Big(x - \frac hP\Big)^2 + \frac{(y - a m)^2}{a^2 v + w} + \text{const}. \tag{2.16}$$
#
# SymPy checks each line against the one before.

# %%
# eq: 2.14, 2.15, 2.16
xs, ys, m, a = sp.symbols("x y m a", real=True)
v, w = sp.symbols("v w", positive=True)
normal = sp.exp(-((xs - m) ** 2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)
seen = sp.exp(-((ys - a * xs) ** 2) / (2 * w)) / sp.sqrt(2 * sp.pi * w)
line_14 = (xs - m) ** 2 / v + (ys - a * xs) ** 2 / w
const = sp.simplify(sp.expand_log(-2 * sp.log(normal * seen), force=True) - line_14)
P, h = 1 / v + a**2 / w, m / v + a * ys / w
line_15 = P * xs**2 - 2 * h * xs + m**2 / v + ys**2 / w
line_16 = P * (xs - h / P) ** 2 + (ys - a * m) ** 2 / (a**2 * v + w)
print("(2.14): what is left has x or y in it:", const.has(xs) or const.has(ys))
print("(2.15) minus (2.14):", sp.simplify(sp.expand(line_15 - line_14)))
print("(2.16) minus (2.15):", sp.simplify(line_16 - line_15))

# %% [markdown]
# Read (2.16) from left to right. The first term belongs to a Gaussian in $x$ with mean $h/P$ and variance $1/P$: the
# posterior $p(x \mid y)$. The second belongs to a Gaussian in $y$ with mean $a m$ and variance $a^2 v + w$: the
# marginal $p(y)$, which `push` computes. So completing the square turned $p(x)\,p(y \mid x)$ into
# $p(y)\,p(x \mid y)$, the two sides of (2.5).
#
# $P$, one over the variance, is the **precision**. **Precisions add**, and the posterior mean is the
# precision-weighted mean of what the prior says, $m$, and what the measurement says, $y/a$. The package writes the
# same with a *gain* $K$, which turns the prediction error $y - a m$ into a correction of the mean (as in a Kalman
# filter):
#
# $$\frac hP = m + K\,(y - a m), \qquad \frac1P = \frac{v\,w}{a^2 v + w}, \qquad
# K = \frac{a\,v}{a^2 v + w}. \tag{2.17}$$
#
# **Predict.** The forecast says 20 degrees, standard deviation 2. Your thermometer says 23, standard deviation 1.
# What should you believe now?

# %%
# eq: 2.17
K = a * v / (a**2 * v + w)
print("(2.17), left minus right:", sp.simplify(h / P - (m + K * (ys - a * m))),
      sp.simplify(1 / P - v * w / (a**2 * v + w)))
forecast = Gaussian(torch.full((1,), 20.0).double(), torch.tensor(4.0).double())
belief = gaussians.condition(forecast, torch.tensor([23.0]).double(), scale=1.0, noise_var=1.0)
print(f"condition: mean {belief.mean.item():.3f}, variance {belief.var.item():.3f}, "
      f"gain {4 / (4 + 1)}")
true = 20 + 2 * normal_like(many, generator=seeded(12))
shown = true + normal_like(true, generator=seeded(13))
near = true[(shown - 23).abs() < 0.05]  # all cases in which the thermometer shows 23
stderr = near.std() / len(near) ** 0.5
print(f"{len(near)} such cases: mean {near.mean():.3f} ± {stderr:.3f}, variance {near.var():.3f}")

# %%
line = torch.linspace(13, 28, 301, dtype=torch.float64)
bells = {"prior N(20, 4)": bell(line, 20.0, 4.0), "reading N(23, 1)": bell(line, 23.0, 1.0),
         "posterior N(22.4, 0.8)": bell(line, belief.mean.item(), belief.var.item())}
fig = figures.curves(line, bells, xlabel="temperature, degrees", ylabel="density", height=2.6)
figures.show(fig, alt="The posterior lies between both, near the reading, and is narrower.")
figures.show_source(gaussians.condition)


# %% [markdown]
# You should believe 22.4 degrees. That is closer to the reading, whose precision is 1, than to the forecast, whose
# precision is ¼. The gain of 0.8 turns a prediction error of 3 degrees into a correction of 2.4. The posterior
# variance, 0.8, is smaller than both: a measurement never makes a Gaussian belief less certain.
#
# ### Exercise 2.5 · Many readings
#
# Many poor measurements can make a good one. How good? Before any reading, $x \sim N(\text{mean}, \text{var})$. Each
# of the readings `ys`, a tensor of shape `(n,)`, is $x$ plus its own independent noise of variance `noise_var`.
# Return the mean and the variance of $x$ given all of them. It must also work for $n = 0$. (For an empty tensor
# `ys.sum()` is 0, but `ys.mean()` is `nan`.)

# %% tags=["exercise"]
def my_readings(mean, var, ys, noise_var):
    """Return (mean, variance) of x, given all readings."""
    ### BEGIN SOLUTION
    precision = 1 / var + len(ys) / noise_var
    return (mean / var + ys.sum() / noise_var) / precision, 1 / precision
    ### END SOLUTION


readings = check("distributions.readings", my_readings)

# %%
shows = 22 + 3 * normal_like(many[:30], generator=seeded(14))  # the truth is 22
for k in (0, 1, 30):
    mean, var = readings(20.0, 4.0, shows[:k], 9.0)  # the readings have variance 9
    print(f"after {k:2} readings: {mean:.2f} ± {math.sqrt(var):.2f}")


# %% [markdown]
# (Here ± is the standard deviation of the belief.) One poor reading helps a little: 2.00 falls to 1.66. Thirty bring
# it to 0.53, with mean 22.30; the truth is 22.
#
# In chapter 07, with the letters of chapter 00, the chain is at $x_t$, and $x_0$ is known. Where was it a step ago?
# That is one `condition`: before $x_t$ is seen, $x_{t-1}$ has variance $1-\bar\alpha_{t-1}$, and the step to $x_t$ is
# a measurement of it, with $a^2 = \alpha_t$ and $w = \beta_t$.

# %% [markdown] topics="C037 C038"
# ## 9 · The KL divergence: the price of a wrong distribution
#
# How bad is it to use a distribution $q$ when the true one is $p$? Sample $x$ from $p$, and ask how much more
# probable it is under $p$ than under $q$, on a logarithmic scale. The mean is the **Kullback–Leibler divergence**, or
# **KL divergence**,
#
# $$\mathrm{KL}(p \,\|\, q) = E_{x\sim p}\big[\log p(x) - \log q(x)\big], \tag{2.18}$$
#
# in nats (divide by $\log 2$ for bits). It is never negative: since $\log u \le u - 1$,
# $-\mathrm{KL} = E_p[\log\frac qp] \le E_p[\frac qp] - 1 \le 0$, where the last step is
# $E_p[\frac qp] = \int_{p>0} q\,dx \le 1$. And it is 0 only if $p$ and $q$ are equal.
#
# For $p = N(m_p, v_p)$ and $q = N(m_q, v_q)$ insert (2.10) twice. The two $\log 2\pi$ cancel, and the KL is half of
# $E_p[(x - m_q)^2]/v_q + \log v_q - E_p[(x - m_p)^2]/v_p - \log v_p$. One of the two means you know, since it is the
# variance of $p$. For the other, write $x - m_q = (x - m_p) + (m_p - m_q)$ and square it: the mixed term has mean 0.
#
# ### Exercise 2.6 · The KL in closed form
#
# The bound of a diffusion model (chapter 08) is a sum of about a thousand of these. Work out the two means, insert
# them, and write the result for tensors of shape `(n,)`, one pair of distributions per entry. `v.log()` is the
# natural logarithm. (Two equal distributions must give 0.)

# %% tags=["exercise"]
def my_kl(m_p, v_p, m_q, v_q):
    """Return KL(p || q) in nats, shape (n,)."""
    ### BEGIN SOLUTION
    ratio = v_p / v_q
    return 0.5 * (ratio - 1 - ratio.log() + (m_p - m_q) ** 2 / v_q)
    ### END SOLUTION


kl = check("distributions.kl", my_kl)

# %% [markdown]
# <details><summary>The closed form, to compare with yours</summary>
#
# With both means inserted:
#
# $$\mathrm{KL}\big(N(m_p, v_p)\,\|\,N(m_q, v_q)\big)
# = \tfrac12\Big[\frac{v_p}{v_q} - 1 - \log\frac{v_p}{v_q} + \frac{(m_p - m_q)^2}{v_q}\Big]. \tag{2.19}$$
#
# </details>
#
# Compare three routes to the same number: the formula, the integral (2.18) on a grid, and the mean over 200,000
# samples from $p$.

# %%
# eq: 2.18, 2.19
line = torch.linspace(-25, 25, 50_001, dtype=torch.float64)
for numbers in ((0.0, 1.0, 0.0, 2.0), (0.0, 2.0, 0.0, 1.0), (0.6, 0.5, 0.0, 1.0)):
    m_p, v_p, m_q, v_q = torch.tensor(numbers, dtype=torch.float64)
    p, q = (torch.distributions.Normal(m, v.sqrt()) for m, v in ((m_p, v_p), (m_q, v_q)))
    integral = torch.trapezoid(p.log_prob(line).exp() * (p.log_prob(line) - q.log_prob(line)), line)
    sample = m_p + v_p.sqrt() * z_1
    log_ratio = p.log_prob(sample) - q.log_prob(sample)
    formula = kl(*(value[None] for value in (m_p, v_p, m_q, v_q))).item()
    print(f"N({m_p}, {v_p}) to N({m_q}, {v_q}): formula {formula:.4f}, integral {integral:.4f}, "
          f"samples {log_ratio.mean():.4f} ± {log_ratio.std() / n**0.5:.4f}")

# %% [markdown]
# All agree within two standard errors. And 0.0966 one way is 0.1534 the other way: a KL divergence has a
# **direction**, so it is not a distance.

# %% [markdown]
# ## 10 · What does each direction prefer?
#
# Let $p$ have two bumps of equal weight, at −0.97 and 0.97, and let $q$ be the best single Gaussian. It cannot fit
# both bumps; how it fails depends on the direction.
#
# **Predict.** Which $q$ has the smallest $\mathrm{KL}(p\,\|\,q)$: one bell over both bumps, or one bell on one bump?
# Which has the smallest $\mathrm{KL}(q\,\|\,p)$?

# %%
line = torch.linspace(-7, 7, 701, dtype=torch.float64)  # spacing 0.02
two_bumps = ideal_denoisers.two_modes()
log_p = ideal_denoisers.log_density(two_bumps, schedules.linear(), line[:, None], 0)  # no noise yet
means, variances = torch.linspace(-1.5, 1.5, 101), torch.logspace(-2, 0.5, 51)
m, v = torch.cartesian_prod(means.double(), variances.double()).T[:, :, None]  # all pairs
log_q = -0.5 * ((line - m) ** 2 / v + v.log() + math.log(2 * math.pi))
kls = {"KL(p || q)": (log_p.exp() * (log_p - log_q)).sum(dim=1) * 0.02,  # (2.18) on the grid
       "KL(q || p)": (log_q.exp() * (log_q - log_p)).sum(dim=1) * 0.02}
bells = {"p": log_p.exp()}
for name, values in kls.items():
    i = values.argmin()
    bells[f"q with the smallest {name}"] = log_q[i].exp()
    print(f"smallest {name}: {values[i]:.3f} nats, mean {m[i].item():+.2f}, "
          f"variance {v[i].item():.3f}")

# %%
fig = figures.curves(line, bells, xlabel="x, data units", ylabel="density", height=2.8)
fig.axes[0].set_xlim(-3, 3)
figures.show(fig, alt="p has two bumps. One q is a wide bell over both, one sits on one bump.")
for name, values in bells.items():
    print(f"{name}: probability between -0.3 and 0.3: {values[line.abs() < 0.3].sum() * 0.02:.3f}")
print(f"log 2 = {math.log(2):.3f}")

# %% [markdown]
# $\mathrm{KL}(p\,\|\,q)$ averages over samples from $p$. A $q$ that is small where $p$ has mass is heavily penalized,
# so the best $q$ is **mode-covering**: mean 0 and variance 1.0, the mean and variance of $p$, with mass in the empty
# middle. $\mathrm{KL}(q\,\|\,p)$ averages over samples from $q$. A $q$ that puts mass where $p$ has none is heavily
# penalized, so the best $q$ is **mode-seeking**: it settles on one bump. That costs it about $\log 2 = 0.693$ nats
# for missing half of the mass. (By symmetry, the other bump is just as good.)
#
# Neither is *the* right direction. Maximum likelihood minimizes the first, with $p$ the data and $q$ the model; the
# bound of chapter 04 uses the second for its hidden (latent) variable.

# %% [markdown]
# ## Detour · Products and quotients of Gaussians
#
# Many derivations multiply and divide Gaussian densities. What does that mean, and when is a quotient a Gaussian?

# %% [markdown] topics="C041"
# Conditioning multiplied two Gaussians in $x$: the prior, and what the reading says about $x$. In general a *product*
# of two, scaled to area 1, is
#
# $$N(x; m_1, v_1)\,N(x; m_2, v_2) \;\propto\; N(x; m, v), \qquad
# \frac1v = \frac1{v_1} + \frac1{v_2}, \quad \frac mv = \frac{m_1}{v_1} + \frac{m_2}{v_2}. \tag{2.20}$$
#
# ($\propto$ means: equal up to a factor without $x$.) For the *quotient* the precisions are subtracted,
#
# $$\frac{N(x; m_1, v_1)}{N(x; m_2, v_2)} \;\propto\; N(x; m, v), \qquad
# \frac1v = \frac1{v_1} - \frac1{v_2}, \quad \frac mv = \frac{m_1}{v_1} - \frac{m_2}{v_2}, \tag{2.21}$$
#
# *if* the first precision is the larger one.

# %%
# eq: 2.20, 2.21
one, two = (Gaussian(torch.tensor([[mean]]).double(), torch.tensor(var).double())
            for mean, var in ((0.5, 0.5), (3.0, 2.0)))
spots = torch.tensor([-1.0, 0.0, 3.0], dtype=torch.float64)
for name, made, sign in (("product", gaussians.product(one, two), +1),
                         ("quotient", gaussians.quotient(one, two), -1)):
    result = bell(spots, 0.5, 0.5) * bell(spots, 3.0, 2.0) ** sign
    factor = result / bell(spots, made.mean.item(), made.var.item())
    print(f"{name}: mean {made.mean.item():+.3f}, variance {made.var.item():.3f}; "
          f"factor {[round(f, 4) for f in factor.tolist()]}")
back = gaussians.quotient(gaussians.product(one, two), two)
print(f"product / second: mean {back.mean.item():.3f}, variance {back.var.item():.3f}")

# %% [markdown]
# The factor is the same at all three places, so shape, mean and variance are right. It is not 1: a product of two
# densities is not a density *until* it is renormalized. The quotient undoes a product: it removes a factor that was
# already counted. (For that reason, do not multiply two *posteriors* that rest on the same prior: it would count
# twice.)
#
# **Predict.** What does $N(0, \tfrac12)/N(0, 1)$ look like? And $N(0, 1)/N(0, \tfrac12)$?

# %%
# claim: E97
line = torch.linspace(-3, 3, 601, dtype=torch.float64)
half, unit = bell(line, 0.0, 0.5), bell(line, 0.0, 1.0)
fig = figures.curves(line, {"N(0, 1/2) / N(0, 1)": half / unit, "N(0, 1) / N(0, 1/2)": unit / half},
                     xlabel="x, data units", ylabel="ratio of the densities", ylim=(0, 8))
figures.show(fig, alt="One ratio is a bell, the other a bowl that grows without bound.")
for end in (2, 4, 6):
    line = torch.linspace(-end, end, 2001, dtype=torch.float64)
    area = torch.trapezoid(bell(line, 0.0, 1.0) / bell(line, 0.0, 0.5), line)
    print(f"area under N(0, 1) / N(0, 1/2) from -{end} to {end}: {area:.4g}")
print(f"its precision would be 1/1 - 1/0.5 = {1 / 1 - 1 / 0.5}")

# %%
try:
    gaussians.quotient(Gaussian(torch.zeros(1), 1.0), Gaussian(torch.zeros(1), 0.5))
except ValueError as error:
    print(fill(str(error), 88))

# %% [markdown]
# The second ratio is $\propto e^{+x^2/2}$: a bowl with infinite area, which no factor can scale to 1. A quotient of
# Gaussians is a Gaussian **only if the numerator is narrower**.
#
# Why does Bayes' rule, which divides, never have this problem? Its denominator $p(y)$ does not contain $x$. As a
# function of $x$ it is one number, which only rescales. Before you call something a quotient, ask which variable the
# density is a function of.

# %% [markdown]
# ## Detour · The KL of correlated variables
#
# The closed form for vectors, and what correlations are worth in nats.

# %% [markdown] topics="C038"
# For $D$ variables with means $\mu$ and a *covariance matrix* $\Sigma$ (variances on its diagonal, covariances off
# it) the same derivation gives
#
# $$\mathrm{KL}(p \,\|\, q) = \tfrac12\Big[\operatorname{tr}(\Sigma_q^{-1}\Sigma_p) - D
# - \log\frac{\det\Sigma_p}{\det\Sigma_q}
# + (\mu_p-\mu_q)^{\mathsf T}\,\Sigma_q^{-1}(\mu_p-\mu_q)\Big]. \tag{2.22}$$
#
# Compare term by term with (2.19): again it is $q$'s matrix that is inverted. The package computes it differently: it
# rotates and scales the axes until $q$ is $N(0, I)$ and the axes of $p$ are independent, which does not change the
# KL, and sums (2.19) over the axes.

# %%
# eq: 2.22
mu_p, mu_q = torch.tensor([[0.3, -0.2]]).double(), torch.tensor([[0.0, 0.1]]).double()
cov_p = torch.tensor([[1.0, 0.6], [0.6, 0.8]]).double()
cov_q = torch.tensor([[2.0, -0.3], [-0.3, 0.5]]).double()
inverse, apart = torch.linalg.inv(cov_q), (mu_p - mu_q)[0]
log_ratio = (cov_p.det() / cov_q.det()).log()
formula = 0.5 * ((inverse @ cov_p).trace() - 2 - log_ratio + apart @ inverse @ apart)
p, q = (torch.distributions.MultivariateNormal(m[0], c) for m, c in ((mu_p, cov_p), (mu_q, cov_q)))
sample = mu_p + torch.stack([z_1, z_2], dim=1) @ torch.linalg.cholesky(cov_p).T
log_ratios = p.log_prob(sample) - q.log_prob(sample)
print(f"(2.22) {formula:.4f}, kl_full {gaussians.kl_full(mu_p, cov_p, mu_q, cov_q).item():.4f}, "
      f"samples {log_ratios.mean():.4f} ± {log_ratios.std() / n**0.5:.4f}")

# %%
zero, cov = torch.zeros(1, 2).double(), torch.tensor([[1.0, 0.9], [0.9, 1.0]]).double()
nats = gaussians.kl_full(zero, cov, zero, torch.eye(2).double()).item()
print(f"equal marginals, correlation 0.9 taken for 0: {nats:.4f} nats")
zero = torch.zeros(1, 3).double()
for name, x_2 in ends.items():
    cov = torch.cov(torch.stack([x_0, x_1, x_2]))
    guess = cov.clone()
    guess[0, 2] = guess[2, 0] = cov[0, 1] * cov[1, 2] / cov[1, 1]  # what (2.8) would imply
    nats = gaussians.kl_full(zero, cov, zero, guess).item()
    print(f"{name}: covariance of x_0 and x_2 {cov[0, 2]:.3f}, if Markov {guess[0, 2]:.3f}; "
          f"KL {nats:.3f} nats")

# %% [markdown]
# Two distributions with the *same* marginals can be 0.8304 nats apart. The two chains of section 5 can now be
# compared in nats. The Markov approximation keeps the covariances of neighbors and gets that of $x_0$ and $x_2$
# wrong. This costs 0.205 nats in the sticky chain, and nothing in the fresh one.

# %% [markdown]
# ## Recap
#
# A joint distribution contains everything. Integrate to get a marginal; slice and renormalize to get a conditional.
# You can write it as a product of conditionals in any order, and in a Markov chain each factor needs only its
# neighbor. For Gaussians all of this is arithmetic: `push` adds the variances of independent noises, `condition` adds
# precisions, and the KL divergence is a formula with a direction: mode-covering one way, mode-seeking the other.
#
# **One formula to keep**
#
# $$p(x)\,p(y \mid x) = p(y)\,p(x \mid y): \qquad
# N(x; m, v)\,N(y; a x, w) = N(y;\, a m,\, a^2 v + w)\;N\big(x;\, \tfrac hP,\, \tfrac1P\big)$$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | a density has area 1; its height has no bound | a density is at most 1 | detour: log-density 6.91 |
# | in a Markov chain the *noises* are independent; neighboring states correlate | a state is independent of the one before | detour: 0.949 |
# | a quotient of Gaussians is Gaussian only if the numerator is narrower | it always is | detour: precision −1.0 |
#
# **Exercises:** 2.1 `distributions.marginal` · 2.2 `distributions.conditional` · 2.3 `distributions.chain_rule` · 2.4
# `distributions.sum_var` · 2.5 `distributions.readings` · 2.6 `distributions.kl`
#
# **Before:** [01 · Bayes](01_bayes.ipynb) · **Next:** [03 · Estimators](03_estimators.ipynb) asks how good an
# answer from random samples is. If you are in a hurry to get to diffusion: [05 · Forward](05_forward.ipynb) is
# `push`, a thousand times.
