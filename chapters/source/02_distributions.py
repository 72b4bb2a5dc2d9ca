# %% [markdown]
# # 02 · Joint, marginal, conditional; what can be done to Gaussians?
#
# Diffusion is about many random numbers at once: a clean pixel, the noisy one, and all that lie between
# them. How do you describe them together? And what is left if you look at one of them only, or already
# know one of them?
#
# **After this chapter you can**
#
# - press a joint law onto an axis, cut a slice out of it, and say what each of the two tells you,
# - split a law of many variables by the chain rule, and say what the Markov property adds,
# - draw, push, condition and compare normal laws, and derive the formulas by completing a square,
# - say what a KL divergence measures, why it has a direction, and what each direction likes.
#
# **You need** [00 · Start here](00_start_here.ipynb), [01 · Bayes](01_bayes.ipynb) (only Bayes' rule),
# and integrals of powers of $x$. About 70 minutes to read and work through, in two halves with a place
# for a break between them, and without the two optional parts; it runs in about 15 seconds.
#
# **In the papers:** [Ho20] Sec. 2 takes all of this for granted; [Luo22] writes the algebra out.

# %%
import math
from itertools import permutations

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
# The cell drew two numbers between 0 and 1, each place as likely as any other (that is called
# *uniform*). It named the larger one $x$ and the smaller one $y$, and did so 200,000 times.
#
# **Predict.** Is $x$ as often below one half as above it? And $y$? Where do the points $(x, y)$ lie in
# the plane?
#
# <details><summary>Answer</summary>
#
# $x$ is below one half only if *both* numbers are: one time in four. With $y$ it is the other way
# round. No point lies above the diagonal, since $y \le x$.
#
# </details>

# %%
fig, axes = figures.new(1, 3, width=8.4, height=2.9)
axes[0].scatter(x[:2000], y[:2000], s=2, color=figures.BLUE)
axes[0].set(xlabel="x, data units", ylabel="y, data units", title="2000 of the pairs")
for ax, values, name in zip(axes[1:], (x, y), "xy"):
    ax.hist(values, bins=20, range=(0, 1), density=True, color=figures.SKY)
    ax.set(xlabel=f"{name}, data units", ylabel="density", title=f"{name} alone", ylim=(0, 2.1))
    above = (values > 0.5).double().mean()  # True counts as 1, False as 0
    print(f"{name}: mean {values.mean():.3f}, share above one half {above:.3f}")
figures.show(fig, alt="Points fill a triangle; x alone rises in a line, y alone falls in a line.")

# %% [markdown]
# Three pictures, three laws. A **law** says how probable each outcome is; another word for it is
# *distribution*. The left one is the **joint** law of the pair. The other two are its **marginals**:
# what is left if you look at one number only. $x$ lies above one half in 0.750 of the pairs, $y$ in
# 0.250.
#
# One habit of notation, before it confuses you: all laws are called $p$. **The letter in the bracket
# says which one is meant.** $p(x, y)$, $p(x)$ and $p(y)$ are three different functions.

# %% [markdown]
# ## The joint law: how much on each bit of area
#
# A **density** says how much probability (or *mass*) there is for each unit of area. As they were drawn,
# the two numbers fill a square evenly. To call the larger one $x$ folds that square along its diagonal.
# So the points fill the triangle evenly: the density is the same number everywhere in it, and 0 outside.
# All probability together is 1, and the triangle has area ½. So the number is 2:
#
# $$p(x, y) = 2 \;\text{ for } 0 \le y \le x \le 1, \text{ else } 0; \qquad
# \int_0^1\!\!\int_0^x 2\,dy\,dx = 1. \tag{2.1}$$
#
# Do not read 2 as a probability. A probability is density **times area**, and that never exceeds 1.
#
# **Predict.** Which share of the points has $x$ between 0.6 and 0.7 *and* $y$ between 0.2 and 0.3?

# %%
# eq: 2.1
X, Y = sp.symbols("x y", positive=True)  # symbols for SymPy, which does algebra and integrals
print("the integral of 2 over the triangle:", sp.integrate(2, (Y, 0, X), (X, 0, 1)))  # y first
inside = (x > 0.6) & (x < 0.7) & (y > 0.2) & (y < 0.3)
share = inside.double().mean()
stderr = (share * (1 - share) / n).sqrt()
print(f"density times area: {2 * 0.1 * 0.1:.4f}; counted: {share:.4f} ± {stderr:.4f}")

# %% [markdown]
# The number after ± is the **standard error** of the count: how far chance usually pushes it from the
# truth. For a share $s$ of $n$ draws it is $\sqrt{s(1-s)/n}$. About two counts in three are off by less
# than one standard error, and 95 % of them by less than two ([03 · Estimators](03_estimators.ipynb)
# says why). Ours, 0.0204, is off by little more than one: that is an ordinary accident.

# %% [markdown]
# ## Marginal: press the mass onto an axis
#
# What is the law of $x$ if nobody tells you $y$? Think of the density as a roof of height 2 over the
# triangle, and press all that lies under it onto the $x$-axis. At a place $x$ there is a strip of
# length $x$ and height 2, which runs from $y = 0$ to $y = x$:
#
# $$p(x) = \int p(x, y)\,dy = \int_0^x 2\,dy = 2x, \qquad
# p(y) = \int p(x, y)\,dx = \int_y^1 2\,dx = 2(1-y). \tag{2.2}$$
#
# To *marginalize* or *integrate out* $y$ means this: add up over all $y$. Below, ± is again a standard
# error. For the mean of $n$ draws it is their standard deviation, divided by $\sqrt n$.

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
# In one picture: the roof over the triangle, and the two marginals as shadows on the walls.

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
figures.show(fig, alt="A flat roof over a triangle; one wall shows a rising edge, one a falling.")
for at in (0, sp.Rational(1, 2), 1):
    print(f"shadows at {at}: p(x) = {p_x.subs(X, at)}, p(y) = {p_y.subs(Y, at)}")

# %% [markdown]
# ### Exercise 2.1 · Press a table
#
# Most laws have no formula for their marginals; a computer adds up a table. `joint` has shape
# `(nx, ny)`: `joint[i, j]` is the density at $x_i$ and $y_j$, and cells are `dy` wide in the
# $y$-direction. Return $p(x)$ at each $x_i$, shape `(nx,)`. (`joint.sum(dim=0)` adds up over the
# *first* axis, so it leaves the second one.)

# %% tags=["exercise"]
def my_marginal(joint, dy):
    """Return p(x) on the grid, shape (nx,)."""
    ### BEGIN SOLUTION
    return joint.sum(dim=1) * dy
    ### END SOLUTION


marginal = check("distributions.marginal", my_marginal)

# %%
grid = (torch.arange(200, dtype=torch.float64) + 0.5) / 200  # the middles of 200 cells
column, row = grid[:, None], grid[None, :]  # compared with each other they make a table, 200 by 200
joint = (row < column).double() + (row <= column)  # 2 inside; 1 in cells that are half inside
p = marginal(joint, dy=1 / 200)
print(f"p(x) at x = {grid[50]:.4f}: {p[50]:.4f}, 2x = {2 * grid[50]:.4f}")
print(f"the same as 2x everywhere: {torch.allclose(p, 2 * grid)}")

# %% [markdown]
# **Predict.** You are given both marginals, $2x$ and $2(1-y)$. Can you work out the joint law from
# them?
#
# <details><summary>Answer</summary>
#
# No. The cell below mixes the $y$s among the pairs. Both marginals stay as they are, to the last digit,
# and the joint law becomes another one.
#
# </details>

# %%
mixed = y[torch.randperm(n, generator=seeded(2))]  # the same numbers in another order
for name, other in (("as drawn", y), ("y mixed", mixed)):
    covariance = ((x - x.mean()) * (other - other.mean())).mean()
    correlation = covariance / (x.std() * other.std())
    above = (other > x).double().mean()
    print(f"{name}: mean of y {other.mean():.4f}, above the diagonal {above:.4f}, "
          f"covariance {covariance:.4f}, correlation {correlation:.3f}")
print(f"in theory: covariance 1/36 = {1 / 36:.4f}; if independent, 1/6 = {1 / 6:.4f} is above")

# %% [markdown]
# Pressing loses something: how the two numbers hang together. The **covariance**, the mean of
# $(x - \text{mean})(y - \text{mean})$, measures a part of that; divided by both standard deviations it
# is the **correlation**, between −1 and 1. Mixed, $x$ and $y$ are **independent**: the joint density is
# the product $p(x)\,p(y)$, and a sixth of the points lies above the diagonal.

# %% [markdown]
# ## Conditional: cut a slice, scale it up
#
# Now somebody tells you that $x = 0.25$. What is the law of $y$? Cut the joint law along that line and
# forget the rest. The slice is 2 high and 0.25 long, so its area is 0.5. That is no density yet. Scale
# it up until its area is 1: divide it by its area. And that area is what (2.2) adds up, $p(x)$:
#
# $$p(y \mid x) = \frac{p(x, y)}{p(x)} = \frac{2}{2x} = \frac1x
# \quad\text{for } 0 \le y \le x, \text{ and only where } p(x) > 0. \tag{2.3}$$
#
# Read "the law of $y$, **given** $x$". Here it is flat: any $y$ up to $x$ is as likely as any other.
# Write $E[y \mid x]$ for the mean of $y$ over all draws that have this $x$ ($E$ for *expectation*). Of
# a flat law that is the middle:
#
# $$E[y \mid x] = \tfrac{x}{2}. \tag{2.4}$$
#
# The same the other way round: $p(x \mid y) = 2/(2(1-y)) = 1/(1-y)$ for $y \le x \le 1$.
#
# No pair has $x = 0.25$ to the last digit. In an experiment "given $x$" means: keep the pairs whose $x$
# is *near* 0.25. The nearer, the closer is their law to the slice.

# %%
# eq: 2.3, 2.4
# claim: E35
for place in (0.25, 0.5, 0.9):
    there = y[(x - place).abs() < 0.01]  # the sub-population that has x near this place
    low = (there < 0.1).double()
    root = len(there) ** 0.5  # of the number of draws, for the standard errors
    print(f"{len(there):4} pairs near x = {place}: mean of y {there.mean():.3f} "
          f"± {there.std() / root:.3f}, (2.4) {place / 2:.3f}; share with y < 0.1: "
          f"{low.mean():.3f} ± {low.std() / root:.3f}, (2.3) {0.1 / place:.3f}")
across = x[(y - 0.5).abs() < 0.01]
print(f"near y = 0.5: x from {across.min():.2f} to {across.max():.2f}, mean {across.mean():.3f}")

# %% [markdown]
# All agree within two standard errors. A conditional is the law of a **sub-population**: of those pairs
# only that have this $x$. Of the pairs with $x$ near 0.25, 40 % should have $y < 0.1$, and 0.398 do.
#
# ### Exercise 2.2 · Cut a table
#
# This is what "update on what you have seen" means for a computer that holds a table. From the same
# kind of table, return $p(y \mid x_i)$ at each $y_j$, shape `(ny,)`. (`joint[i]` is row `i`.)

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
figures.show(fig, alt="Four flat slices: the shorter, the higher; all have area 1.")
for (name, p), i in zip(slices.items(), (20, 50, 100, 180)):
    print(f"{name}: height {p.max():.2f}, 1/x = {1 / grid[i]:.2f}, area {p.mean():.3f}")

# %% [markdown]
# **Predict.** The height is $1/x$. How high is the slice at $x = 0.001$? Is something broken there?

# %%
print("     x   height    width   area   log-density (nats)   share of pairs below x")
for place in (0.5, 0.1, 0.01, 0.001):
    height = 1 / place
    print(f"{place:6}   {height:6.0f}   {place:6.3f}   {height * place:4.1f}   "
          f"{math.log(height):18.2f}   {place**2:22.6f}")

# %% [markdown]
# The height has **no bound**, and nothing is broken. The slice gets shorter as it gets higher, and its
# area stays 1: if $x$ is tiny, $y$ is known almost exactly, and a law that knows almost exactly has a
# high, thin density. Three things to remember:
#
# - At $x = 0$ itself (2.3) says nothing: no slice can be cut where there is no mass. You may read
#   $p(y \mid x) = 1/x$ "for $0 \le x \le 1$"; it holds for $0 < x \le 1$.
# - It happens rarely: $x$ is below 0.001 in one of a million pairs.
# - A log-density can be **positive**, here up to 6.91 *nats*, the unit of natural logarithms. So a
#   negative log-likelihood may well be −6.91: no bug. The last step of a diffusion sampler ends in a law
#   of width 0, whose density would be infinite; chapter 08 takes care of it.

# %% [markdown]
# ### Move the slice
#
# **Predict** before you move: for the triangle, the width of the slice depends on where you cut. Will
# it do so for the second law, *correlated normals*?

# %%
explorer = explorers.slice_of_the_joint()
print(explorer)
explorer

# %% [markdown]
# For the normals the cut moves the *center* of the slice, always by 0.8 of what you move the cut, and
# its width stays the same. That will make our life easy in the second half.
#
# | law | what it answers | how to get it |
# |---|---|---|
# | joint $p(x, y)$ | how probable is this pair? | everything is in it |
# | marginal $p(x)$ | how probable is this $x$, whatever $y$? | press: add up over $y$ |
# | conditional $p(y \mid x)$ | how probable is this $y$ *among those with this* $x$? | cut, divide by $p(x)$ |

# %% [markdown]
# ## One joint law, two ways to split it
#
# Multiply (2.3) by $p(x)$. And do the same for the slices in the other direction:
#
# $$p(x, y) = p(x)\,p(y \mid x) = p(y)\,p(x \mid y). \tag{2.5}$$
#
# For the triangle: $2x \cdot \frac1x = 2$ and $2(1-y)\cdot\frac1{1-y} = 2$. Divide by $p(y)$ and you
# have Bayes' rule of chapter 01. Press (2.5) onto the $y$-axis, and you have the rule of **total
# probability**:
#
# $$p(y) = \int p(y \mid x)\,p(x)\,dx. \tag{2.6}$$
#
# The law of $y$ is a mixture of slices, each slice counted as often as its $x$ occurs.
#
# (2.5) is also a recipe for drawing: **first** $x$ from $p(x)$, **then** $y$ from $p(y \mid x)$. The
# noising chain of chapter 05 is drawn like this, one variable after the other, and so is the way back
# in every sampler.

# %%
# eq: 2.5, 2.6
print("p(x) p(y|x) =", 2 * X * (1 / X), "   p(y) p(x|y) =", sp.simplify(2 * (1 - Y) / (1 - Y)))
print("(2.6): p(y) =", sp.integrate((1 / X) * 2 * X, (X, Y, 1)))

# %% [markdown]
# ## More than two: the chain rule
#
# With more variables, split off one after the other. The next one is always conditioned on **all**
# before it:
#
# $$p(x_0, x_1, \dots, x_n) = p(x_0)\;p(x_1 \mid x_0)\;p(x_2 \mid x_0, x_1)
# \cdots p(x_n \mid x_0, \dots, x_{n-1}). \tag{2.7}$$
#
# This **chain rule** assumes nothing. It is (2.5), used $n$ times. And the numbering was our choice:
# any order will do, with other factors.
#
# A law with a finite number of cases is a table, here 2 × 3 × 4 positive numbers that add to 1.
# `marginal_of` presses it:

# %%
table = torch.rand(2, 3, 4, generator=seeded(4), dtype=torch.float64)
table = table / table.sum()


def marginal_of(table, keep):
    """Add up all axes that are not in `keep`; they stay, with length 1, so that shapes fit."""
    gone = [axis for axis in range(table.dim()) if axis not in keep]
    return table.sum(dim=gone, keepdim=True) if gone else table


for keep in ((0,), (0, 2), ()):
    print(f"keep {keep}: shape {tuple(marginal_of(table, keep).shape)}")
first, second = marginal_of(table, (0,)).flatten()
print(f"axis 0 alone: {first:.3f} and {second:.3f}; no axis: {marginal_of(table, ()).item():.3f}")

# %% [markdown]
# ### Exercise 2.3 · Split a table, in any order
#
# That any order works is easier to believe once your own code has done it. `order` is a tuple of axes
# such as `(2, 0, 1)`. Return a list of factors, one for each axis in that order: the law of this
# variable, given all that come earlier in the order. Each factor keeps three axes, as `marginal_of`
# does.
#
# <details><summary>Hint</summary>
#
# By (2.3) a factor is a fraction: the marginal of "earlier and this one", divided by the marginal of
# "earlier". `order[:k]` are the first `k` axes, and `order[:k + 1]` are these and the next one.
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
    print(f"order {order}: the product is the table again: {bool(again < 1e-15)}")
alone = [marginal_of(table, (k,)) for k in range(3)]
short = marginal_of(table, (1, 2)) / marginal_of(table, (1,))  # p(x_2 | x_1), without x_0
first, second, _ = chain_rule(table, (0, 1, 2))
without = first * second * short
for name, guess in (("three marginals", math.prod(alone)), ("x_0 left out", without)):
    print(f"{name}: {(guess - table).abs().sum() / 2:.1%} of the probability is in wrong cells")

# %% [markdown]
# All six orders rebuild the table. Two shortcuts do not. The product of the marginals puts 19.9 % of
# the probability into wrong cells (what is too much in some is missing in others, hence the half): it
# would need independence. Leaving $x_0$ out of the last factor misplaces 18.4 %: it would need what
# comes next.
#
# Diffusion uses (2.7) in two orders. The noising chain goes from the data to noise; the sampler goes
# from noise to data. Both are splits of *one and the same* joint law. The first has easy factors, since
# we choose them. The factors of the second are what a network has to learn.

# %% [markdown]
# ## The Markov property: what may be left out
#
# A chain $x_0, x_1, x_2, \dots$ has the **Markov property** if, once the present is known, the past
# says nothing more about the future:
#
# $$p(x_2 \mid x_0, x_1) = p(x_2 \mid x_1). \tag{2.8}$$
#
# Then every factor of the chain rule needs its neighbor only:
#
# $$p(x_0, x_1, \dots, x_n) = p(x_0)\,\prod_{k=1}^{n} p(x_k \mid x_{k-1}). \tag{2.9}$$
#
# Here are two chains. Both start at a standard normal $x_0$ and make two steps
# $x_k = \sqrt{0.9}\;x_{k-1} + \sqrt{0.1}\;e_k$, a little shrinking and a little noise. (That is a
# noising step of diffusion, of a coarse kind.) In the **fresh** chain each noise $e_k$ is a new
# standard normal number. In the **sticky** chain the second noise remembers the first:
# $e_2 = 0.6\,e_1 + 0.8\,\text{new}$, which is a standard normal number as well (why, will be said under
# *Push*). One draw of a whole chain is called a *walker*.
#
# **Predict.** Pick the walkers that stand at $x_1 \approx 0.5$, and sort them: did they come from a
# *low* $x_0$ (below 0.5) or from a *high* one? In which chain do the two groups differ at $x_2$?
#
# <details><summary>Answer</summary>
#
# In the sticky one. Who came from low down needed a large $e_1$ to reach 0.5, and gets a part of it
# again.
#
# </details>

# %%
many = torch.empty(2_000_000, dtype=torch.float64)  # two million walkers; only its shape is used
x_0, e_1, new = (normal_like(many, generator=seeded(k)) for k in (20, 21, 22))
keep, add = math.sqrt(0.9), math.sqrt(0.1)
x_1 = keep * x_0 + add * e_1
ends = {"fresh": keep * x_1 + add * new, "sticky": keep * x_1 + add * (0.6 * e_1 + 0.8 * new)}
here = (x_1 - 0.5).abs() < 0.02
print(f"{int(here.sum())} walkers stand near x_1 = 0.5")

# %%
fig, axes = figures.new(1, 2, width=8.4, height=2.6, sharey=True)
for ax, (name, x_2) in zip(axes, ends.items()):
    for past, from_there, look in (("low", x_0 < 0.5, "-"), ("high", x_0 >= 0.5, "--")):
        group = x_2[here & from_there]
        color = figures.BLUE if past == "low" else figures.RED
        ax.hist(group, bins=40, density=True, histtype="step", ls=look, color=color, label=past)
        print(f"{name}, from {past} x_0: mean of x_2 {group.mean():.3f} "
              f"± {group.std() / len(group) ** 0.5:.3f}, std {group.std():.3f}")
    ax.set(xlabel="x_2, data units", ylabel="density", title=f"{name} noise")
axes[0].legend(fontsize=9, title="x_0 was")
figures.show(fig, alt="Fresh noise: both groups lie on each other. Sticky noise: they are apart.")

# %% [markdown]
# With fresh noise both groups go on alike: their means, 0.469 and 0.475, are as near as two numbers
# with a standard error of 0.003 each can be expected to be. With sticky noise the past shows: 0.634 and
# 0.351.
#
# In a table (2.8) can be seen directly. The product from above that left $x_0$ out has factors like
# those in (2.9). So it must be a Markov law: its own $p(x_2 \mid x_0, x_1)$ must not depend on $x_0$.

# %%
# eq: 2.8, 2.9
for name, law in (("the table", table), ("x_0 left out", without)):
    _, _, last = chain_rule(law, (0, 1, 2))  # p(x_2 | x_0, x_1)
    print(f"{name}: p(x_2 = 0 | x_0, x_1 = 0) is {last[0, 0, 0]:.3f} for x_0 = 0, "
          f"{last[1, 0, 0]:.3f} for x_0 = 1; p(x_2 = 0 | x_1 = 0) is {short[0, 0, 0]:.3f}")

# %% [markdown]
# 0.253 twice: there $x_0$ has no say. (In the first table it has: 0.216 or 0.315.)
#
# You may read two sentences about noising chains that need care:
#
# - "It is Markov because a step has nothing to do with the one before." The *noises* have nothing to do
#   with each other, nor with the past. The *states* have a lot to do with each other.
# - "$p(x_2 \mid x_1, x_0) = p(x_2 \mid x_0)$." The Markov property drops the **far** one, not the near one.
#
# The next cell measures both in the fresh chain.

# %%
# claim: E112, E109
x_2 = ends["fresh"]
left = x_2 - keep * x_1  # the rest: what x_1 leaves unexplained of x_2
pairs = {"x_1 and x_2": (x_1, x_2), "x_0 and x_2": (x_0, x_2), "x_0 and the rest": (x_0, left)}
for name, pair in pairs.items():
    print(f"correlation of {name}: {torch.corrcoef(torch.stack(pair))[0, 1]:+.3f}")
print(f"(correlation of independent numbers, by chance: ± {1 / math.sqrt(len(many)):.4f})")
print(f"variance of x_2 given x_1 and x_0: {left.var():.3f}")
print(f"variance of x_2 given x_0 only:    {(x_2 - keep**2 * x_0).var():.3f}")

# %% [markdown]
# Neighbors are strongly correlated, 0.949, and so are start and end, 0.900. But to what $x_1$ leaves
# unexplained, $x_0$ adds nothing: −0.001, zero up to chance. And the two variances, 0.100 and 0.190, are
# not the same. (After a hundred steps they differ by a factor of 50, as chapter 05 measures.)
#
# **A good place for a break.** The first half in one sentence: press for a marginal, cut and scale for
# a conditional, and a joint law is a product of conditionals, in any order. The second half does all
# this with one family of laws, where every answer is a formula.

# %% [markdown]
# ## Gaussians: draw
#
# The **normal** or **Gaussian** law $N(m, v)$ has a mean $m$ and a *variance* $v$, the square of its
# standard deviation. Its log-density is a parabola:
#
# $$\log N(x; m, v) = -\tfrac12\Big[\frac{(x - m)^2}{v} + \log v + \log 2\pi\Big]. \tag{2.10}$$
#
# To draw from it, take a standard normal number $z \sim N(0, 1)$, stretch it and shift it:
#
# $$x = m + \sqrt v\; z. \tag{2.11}$$
#
# In code a law is a pair, `Gaussian(mean, var)`. Four things can be done to it: **draw, push,
# condition, compare**. Almost every formula of diffusion is one of them.
#
# **Predict.** About two thirds of all draws lie within one standard deviation of the mean. For
# $N(3, 4)$: between which numbers?

# %%
# eq: 2.10, 2.11
p = Gaussian(torch.full((n,), 3.0, dtype=torch.float64), torch.tensor(4.0, dtype=torch.float64))
draws = draw(p, normal_like(p.mean, generator=seeded(6)))
line = torch.linspace(-13, 19, 2001, dtype=torch.float64)
density = torch.exp(-0.5 * ((line - 3) ** 2 / 4 + math.log(4) + math.log(2 * math.pi)))
fig, ax = figures.new(height=2.6)
ax.hist(draws, bins=80, density=True, color=figures.SKY, label="200,000 draws, (2.11)")
ax.plot(line, density, color=figures.RED, label="(2.10)")
ax.set(xlabel="x, data units", ylabel="density", xlim=(-6, 12))
ax.legend(fontsize=9)
figures.show(fig, alt="The histogram of the draws follows the bell of the formula, centered at 3.")
for low, high in ((1, 5), (-1, 7)):
    print(f"between {low} and {high}: {((draws > low) & (draws < high)).double().mean():.1%}")

# %%
# eq: 2.10
for name, f in {"area": 1 + 0 * line, "mean": line, "variance": (line - 3) ** 2}.items():
    print(f"(2.10): {name} {torch.trapezoid(f * density, line):.4f}")  # adds up f times density
print(f"draws: mean {draws.mean():.3f}, variance {draws.var():.3f}")
places = line[:, None]  # the package wants one row for each draw or place: shape (2001, 1)
ours = gaussians.log_prob(Gaussian(0 * places + 3, 4.0), places)
print(f"gaussians.log_prob says the same: {torch.allclose(ours.exp(), density)}")
figures.show_source(draw)

# %% [markdown]
# 68.3 % lie between 1 and 5: the standard deviation is 2, not 4. Mixing up the two is one of the
# commonest slips in diffusion code. Here the field is called `var` and holds a variance, always. (Lines
# with `_checks` refuse bad input with a message; `_like` gives the variance the type of `z`.)

# %% [markdown]
# ## Push: scale it and add noise
#
# Multiply $x \sim N(m, v)$ by a number $a$, and add **independent** noise of variance $w$. The result
# is normal again:
#
# $$a\,x + \text{noise} \;\sim\; N\big(a\,m,\; a^2 v + w\big). \tag{2.12}$$
#
# **Predict.** Two independent noises have standard deviations 3 and 4. Which standard deviation has
# their sum?
#
# <details><summary>Answer</summary>
#
# 5, not 7. *Variances* add: 9 + 16 = 25. At times one noise is up while the other is down.
#
# </details>
#
# First against draws, for $x \sim N(1, 9)$ and noise of variance 16. Then the shape: why is the sum
# normal again? By total probability (2.6) the density of a sum $s$ is $\int p(s \mid x)\,p(x)\,dx$. The
# second cell adds this integral up on a grid.

# %%
# eq: 2.12
p = Gaussian(torch.ones_like(many), torch.tensor(9.0, dtype=torch.float64))  # N(1, 9)
start = draw(p, normal_like(p.mean, generator=seeded(7)))
noise = 4 * normal_like(start, generator=seeded(8))
for scale in (1.0, 2.0):
    law, end = gaussians.push(p, scale, noise_var=16.0), scale * start + noise
    stderr = end.std() / len(end) ** 0.5
    print(f"{scale:g} x + noise: push says mean {law.mean[0]:g} and variance {law.var:g}; "
          f"draws say {end.mean():.3f} ± {stderr:.3f} and {end.var():.2f}")

# %%
# eq: 2.12
line = torch.linspace(-40, 40, 801, dtype=torch.float64)[:, None]
at_x = gaussians.log_prob(Gaussian(0 * line, 9.0), line).exp()
s_given_x = torch.exp(-((line.T - line) ** 2) / 32) / math.sqrt(2 * math.pi * 16)  # table [s, x]
p_s = s_given_x @ at_x * 0.1  # (2.6): for each s, add up over all x; 0.1 is the spacing
bell = gaussians.log_prob(Gaussian(0 * line, 25.0), line).exp()
print("the integral (2.6) gives N(0, 25):", torch.allclose(p_s, bell, atol=1e-9))
figures.show_source(gaussians.push)

# %% [markdown]
# So push *is* total probability, the pressing of the first half, solved once and for all. (And the
# sticky noise was standard normal indeed: $0.6^2 + 0.8^2 = 1$.)
#
# **And if the noises are not independent?** For means 0 the variance of a sum is
# $E[(x + y)^2] = E[x^2] + 2\,E[x y] + E[y^2]$. The middle term is twice the covariance:
#
# $$\operatorname{Var}(x + y) = v_x + v_y + 2\operatorname{Cov}(x, y). \tag{2.13}$$
#
# ### Exercise 2.4 · The variance of a sum
#
# If you merge noises that are not independent, you need this. Usually you know their correlation
# $\rho$ and not their covariance; how are the two related? (The first half of this chapter defined the
# correlation.) Three Python numbers come in: the variances `v_x` and `v_y`, and `rho`. (So take
# `math.sqrt`.) Return the variance of $x + y$, not the standard deviation.

# %% tags=["exercise"]
def my_sum_var(v_x, v_y, rho):
    """Return the variance of x + y, if their correlation is rho."""
    ### BEGIN SOLUTION
    return v_x + v_y + 2 * rho * math.sqrt(v_x * v_y)
    ### END SOLUTION


sum_var = check("distributions.sum_var", my_sum_var)

# %%
# eq: 2.13
z_1, z_2 = (normal_like(torch.empty(n, dtype=torch.float64), generator=seeded(k)) for k in (9, 10))
rhos = torch.arange(-40, 41, dtype=torch.float64) / 40  # from -1 to 1
measured = [(3 * z_1 + 4 * (r * z_1 + (1 - r**2).sqrt() * z_2)).std() for r in rhos[::10]]
formula = [math.sqrt(sum_var(9.0, 16.0, r.item())) for r in rhos]
fig = figures.curves(rhos, {"(2.13)": formula}, xlabel="correlation of the two noises",
                     ylabel="std of the sum, data units", height=2.6)
fig.axes[0].plot(rhos[::10], measured, "o", color=figures.RED, label="draws")
fig.axes[0].legend(fontsize=9)
figures.show(fig, alt="The spread of the sum rises from 1 to 7 as the correlation rises from -1.")
for i in (0, 4, 8):
    print(f"correlation {rhos[10 * i]:2.0f}: draws {measured[i]:.2f}, (2.13) {formula[10 * i]:.2f}")

# %%
# claim: E108
first = 0.98 * 0.02  # the second step multiplies the first noise by sqrt(0.98)
apart, same = (sum_var(first, 0.02, rho) for rho in (0.0, 1.0))
print(f"two noising steps of variance 0.02, merged: {apart:.4f}; the same noise twice: {same:.4f}")

# %% [markdown]
# Merging two noising steps into one (chapter 05) gives a noise of variance 0.0396, *because* their
# noises are independent. With the same noise twice it would be 0.0792.
#
# **Predict.** Take a standard normal $z$ and flip a fair coin: heads $y = z$, tails $y = -z$. Is $y$
# normal? What is the correlation of $z$ and $y$? Is $z + y$ normal?

# %%
# claim: E108
sign = torch.where(torch.rand(n, generator=seeded(11)) < 0.5, -1.0, 1.0)  # a fair coin, -1 or 1
flipped = sign * z_1  # normal too: the bell is symmetric
both = torch.corrcoef(torch.stack([z_1, flipped]))[0, 1]
zero = (z_1 + flipped == 0).double().mean()
print(f"z and ±z: correlation {both:.3f}; their sum is exactly 0 in {zero:.1%} of the draws")

# %% [markdown]
# Both are normal, and their correlation is 0 up to chance: $zy$ is $z^2$ or $-z^2$, equally often. But
# their sum is exactly 0 in half of the draws, so it is not normal at all. "Uncorrelated" is enough for
# the *variance* (2.13), and not for the *law*. **Push needs independent noise.**

# %% [markdown]
# ## Condition: complete the square
#
# Now the other direction. Before you measure, you believe $x \sim N(m, v)$ (the *prior* of chapter 01).
# A measurement gives $y = a\,x + \text{noise}$, with noise of variance $w$. What do you believe about
# $x$ once you have seen $y$? By (2.5) the joint density is $p(x)\,p(y \mid x)$. Hold $y$ fixed and look
# at it as a function of $x$: that is a *slice*, and we want it scaled to area 1.
#
# Take the log and multiply by −2. Two parabolas:
#
# $$-2\log p(x, y) = \frac{(x - m)^2}{v} + \frac{(y - a x)^2}{w} + \text{const}. \tag{2.14}$$
#
# Expand, and collect what multiplies $x^2$ and what multiplies $x$:
#
# $$= P\,x^2 - 2h\,x + \frac{m^2}{v} + \frac{y^2}{w} + \text{const}, \qquad
# P = \frac1v + \frac{a^2}{w}, \quad h = \frac mv + \frac{a\,y}{w}. \tag{2.15}$$
#
# **Complete the square**: write $P x^2 - 2 h x$ as $P\,(x - h/P)^2 - h^2/P$. (Expand it to see that it
# is the same.) What is left, $m^2/v + y^2/w - h^2/P$, has no $x$ in it, and turns out to be one square,
# too:
#
# $$= P\,\Big(x - \frac hP\Big)^2 + \frac{(y - a m)^2}{a^2 v + w} + \text{const}. \tag{2.16}$$
#
# Let SymPy check each line against the one before.

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
# Read (2.16) from left to right. The first term is a Gaussian in $x$, with mean $h/P$ and variance
# $1/P$: the **posterior** $p(x \mid y)$. The second is a Gaussian in $y$, with mean $a m$ and variance
# $a^2 v + w$: that is `push`, the marginal $p(y)$. So completing the square turned $p(x)\,p(y \mid x)$
# into $p(y)\,p(x \mid y)$: the two sides of (2.5), for Gaussians. One joint law; press it and you get
# `push`, cut it and you get `condition`.
#
# $P$, one over the variance, is called the **precision**. In words: **precisions add**, and the mean is
# the precision-weighted mean of what the prior says, $m$, and what the measurement says, $y/a$. The
# package writes the same with a *gain* $K$, the part of the surprise $y - a m$ that we believe:
#
# $$\frac hP = m + K\,(y - a m), \qquad \frac1P = \frac{v\,w}{a^2 v + w}, \qquad
# K = \frac{a\,v}{a^2 v + w}. \tag{2.17}$$
#
# **Predict.** The forecast says 20 degrees, standard deviation 2. Your thermometer says 23, standard
# deviation 1. What do you believe?

# %%
# eq: 2.17
K = a * v / (a**2 * v + w)
print("(2.17), left minus right:", sp.simplify(h / P - (m + K * (ys - a * m))),
      sp.simplify(1 / P - v * w / (a**2 * v + w)))
forecast = Gaussian(torch.full((1,), 20.0).double(), torch.tensor(4.0).double())
belief = gaussians.condition(forecast, torch.tensor([23.0]).double(), scale=1.0, noise_var=1.0)
print(f"condition: mean {belief.mean.item():.3f}, variance {belief.var.item():.3f}")
true = 20 + 2 * normal_like(many, generator=seeded(12))
shown = true + normal_like(true, generator=seeded(13))
near = true[(shown - 23).abs() < 0.05]  # all worlds in which the thermometer shows 23
stderr = near.std() / len(near) ** 0.5
print(f"{len(near)} worlds: mean {near.mean():.3f} ± {stderr:.3f}, variance {near.var():.3f}")

# %%
line = torch.linspace(13, 28, 301, dtype=torch.float64)[:, None]
laws = {"before: N(20, 4)": (20.0, 4.0), "the reading: N(23, 1)": (23.0, 1.0),
        "after": (belief.mean.item(), belief.var.item())}
bells = {name: gaussians.log_prob(Gaussian(0 * line + mean, var), line).exp()
         for name, (mean, var) in laws.items()}
fig = figures.curves(line[:, 0], bells, xlabel="temperature, degrees", ylabel="density, 1 / degree",
                     height=2.6)
figures.show(fig, alt="The belief after lies between both, near the reading, and is sharper.")
print(f"gain {4 / (4 + 1):.1f}: of the surprise of 3 degrees, {0.8 * 3:.1f} are believed")
figures.show_source(gaussians.condition)

# %% [markdown]
# 22.4 degrees: near the reading, because its precision is 1 against the forecast's ¼. And the variance,
# 0.8, is smaller than both. To see something never makes a Gaussian belief vaguer.
#
# ### Exercise 2.5 · Many readings
#
# Many poor measurements can make a good one. How good? Before any reading,
# $x \sim N(\text{mean}, \text{var})$. Each of the readings `ys`, a tensor of shape `(n,)`, is $x$ plus its
# own independent noise of variance `noise_var`. Return the mean and the variance of $x$ given all of
# them. It must work for $n = 0$, too. (`ys.sum()` of no numbers is 0, `ys.mean()` is not.)

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
# (Here ± is the standard deviation of the belief.) One poor reading, with standard deviation 3, helps a
# little: 2.00 falls to 1.66. Thirty of them bring it to 0.53. The mean is 22.30 then; the truth is 22.

# %% [markdown]
# ## Optional: product and quotient
#
# The chapters to come get along with `condition`. Derivations that you meet elsewhere like to multiply
# and divide Gaussians. Conditioning multiplied two of them in $x$: the prior, and what the reading says
# of $x$. In general a **product** of two, scaled to area 1, is
#
# $$N(x; m_1, v_1)\,N(x; m_2, v_2) \;\propto\; N(x; m, v), \qquad
# \frac1v = \frac1{v_1} + \frac1{v_2}, \quad \frac mv = \frac{m_1}{v_1} + \frac{m_2}{v_2}. \tag{2.18}$$
#
# ($\propto$ means: equal up to a factor without $x$.) For the **quotient** the precisions are
# subtracted:
#
# $$\frac{N(x; m_1, v_1)}{N(x; m_2, v_2)} \;\propto\; N(x; m, v), \qquad
# \frac1v = \frac1{v_1} - \frac1{v_2}, \quad \frac mv = \frac{m_1}{v_1} - \frac{m_2}{v_2}, \tag{2.19}$$
#
# *if* the first precision is the larger one.
#
# **Predict.** What does $N(0, \tfrac12)/N(0, 1)$ look like? And $N(0, 1)/N(0, \tfrac12)$?

# %%
# eq: 2.18, 2.19
one, two = (Gaussian(torch.tensor([[mean]]).double(), torch.tensor(var).double())
            for mean, var in ((0.5, 0.5), (3.0, 2.0)))
spots = torch.tensor([[-1.0], [0.0], [3.0]], dtype=torch.float64)


def log_density(p):
    return gaussians.log_prob(Gaussian(p.mean.expand(3, 1), p.var), spots)


for name, made, sign in (("product", gaussians.product(one, two), +1),
                         ("quotient", gaussians.quotient(one, two), -1)):
    factor = (log_density(one) + sign * log_density(two) - log_density(made)).exp()
    print(f"{name}: mean {made.mean.item():+.3f}, variance {made.var.item():.3f}; "
          f"factor at three places {[round(f, 4) for f in factor.tolist()]}")
back = gaussians.quotient(gaussians.product(one, two), two)
print(f"product / second: mean {back.mean.item():.3f}, variance {back.var.item():.3f}")
figures.show_source(gaussians.product)

# %% [markdown]
# The factor is the same at all places, so shape, mean and variance are right. It is not 1: a product of
# two densities is no density *before* it is scaled. In code a product is one `condition`: the second
# factor counts as a reading. And the quotient takes a product back: it removes a factor that was counted
# already. (So do not multiply two *beliefs* that rest on the same prior: it would count twice.)
#
# You may read that products and quotients of Gaussians are Gaussian. For quotients, look at the
# prediction again:

# %%
# claim: E97
line = torch.linspace(-3, 3, 601, dtype=torch.float64)
half, unit = (torch.exp(-(line**2) / (2 * v)) / math.sqrt(2 * math.pi * v) for v in (0.5, 1.0))
fig = figures.curves(line, {"N(0, 1/2) / N(0, 1)": half / unit, "N(0, 1) / N(0, 1/2)": unit / half},
                     xlabel="x, data units", ylabel="ratio of the densities", height=2.6)
fig.axes[0].set_ylim(0, 8)
figures.show(fig, alt="One ratio is a bell, the other a bowl that grows without bound.")
for end in (2, 4, 6):
    line = torch.linspace(-end, end, 2001, dtype=torch.float64)
    print(f"area under N(0, 1) / N(0, 1/2) from -{end} to {end}: "
          f"{torch.trapezoid(torch.exp(line**2 / 2) / math.sqrt(2), line):.4g}")
print(f"its precision would be 1/1 - 1/0.5 = {1 / 1 - 1 / 0.5}")

# %%
try:
    gaussians.quotient(Gaussian(torch.zeros(1), 1.0), Gaussian(torch.zeros(1), 0.5))
except ValueError as error:
    print(error)

# %% [markdown]
# The second ratio is $\propto e^{+x^2/2}$: a bowl. Its area is infinite, and no factor makes it 1. A
# quotient of Gaussians is a Gaussian **only if the numerator is narrower**.
#
# Why does Bayes' rule, which divides, never run into this? Its denominator $p(y)$ has no $x$ in it. As
# a function of $x$ it is one number, which only scales. Look for *which variable* a density is read in,
# before you call something a quotient.
#
# ### Where this returns
#
# Chapter 07 asks where the noising chain was a step ago, if $x_0$ is known. That is one `condition`.
# Before $x_t$ is seen, $x_{t-1}$ has variance $1-\bar\alpha_{t-1}$, by (0.1). The step to $x_t$ is a
# measurement with $a^2 = \alpha_t = 1 - \beta_t$ and $w = \beta_t$. So the precisions add to
# $P = 1/(1-\bar\alpha_{t-1}) + \alpha_t/\beta_t$, and the variance is
# $1/P = \beta_t\,(1-\bar\alpha_{t-1})/(1-\bar\alpha_t)$. A misprint of it circulates, with
# $1-\bar\alpha_{t-1}$ above *and* below: that cancels to $\beta_t$, as if the past told nothing.

# %%
# claim: E97, E113
s = schedules.linear()
for t in (10, 2):
    precision = s.alpha[t] / s.beta[t] + 1 / (1 - s.abar[t - 1])
    right = s.beta[t] * (1 - s.abar[t - 1]) / (1 - s.abar[t])
    misprint = s.beta[t] * (1 - s.abar[t - 1]) / (1 - s.abar[t - 1])
    print(f"t = {t:2}: precision {precision:.1f}; variance {1 / precision:.3e}, "
          f"closed form {right:.3e}, misprint {misprint:.3e} ({misprint / right:.2f} times)")

# %% [markdown]
# Near the data the misprint makes the variance 2.20 times too large. (By a funny coincidence $\beta_t$
# is also the other choice of [Ho20] for the noise of a sampler's step; chapter 07 compares the two.)

# %% [markdown]
# ## Compare: a price for taking one law for another
#
# How bad is it to take a law $q$ for the true law $p$? Draw $x$ from $p$, and ask how much more
# probable $p$ finds it than $q$ does, as a logarithm. The mean of that is the **Kullback–Leibler
# divergence**,
#
# $$\mathrm{KL}(p \,\|\, q) = E_{x\sim p}\big[\log p(x) - \log q(x)\big], \tag{2.20}$$
#
# in nats (divide by $\log 2$ for bits). It is never negative: a logarithm lies below its tangent at 1,
# $\log u \le u - 1$, so $-\mathrm{KL} = E_p[\log\frac qp] \le E_p[\frac qp] - 1 = \int q\,dx - 1 = 0$.
# And it is 0 only if $u = \frac qp$ is 1 everywhere, that is for equal laws.
#
# For $p = N(m_p, v_p)$ and $q = N(m_q, v_q)$ insert (2.10) twice. The two $\log 2\pi$ cancel, and the KL
# is half of $E_p(x - m_q)^2/v_q + \log v_q - E_p(x - m_p)^2/v_p - \log v_p$. One of the two means you
# know by name. For the other write $x - m_q = (x - m_p) + (m_p - m_q)$ and square it: the mixed term
# has mean 0.
#
# ### Exercise 2.6 · The price in closed form
#
# The loss of a diffusion model is a sum of a thousand of these. Work out the two means, insert them,
# and write what you get for tensors of shape `(n,)`, one pair of distributions for each entry.
# `v.log()` is the natural logarithm. (Two equal distributions must give 0.)

# %% tags=["exercise"]
def my_kl(m_p, v_p, m_q, v_q):
    """Return KL(p || q) in nats, shape (n,)."""
    ### BEGIN SOLUTION
    ratio = v_p / v_q
    return 0.5 * (ratio - 1 - ratio.log() + (m_p - m_q) ** 2 / v_q)
    ### END SOLUTION


kl = check("distributions.kl", my_kl)

# %% [markdown]
# With both means inserted this is the closed form:
#
# $$\mathrm{KL}\big(N(m_p, v_p)\,\|\,N(m_q, v_q)\big)
# = \tfrac12\Big[\frac{v_p}{v_q} - 1 - \log\frac{v_p}{v_q} + \frac{(m_p - m_q)^2}{v_q}\Big]. \tag{2.21}$$
#
# Three roads to the same number: the formula; the integral (2.20), added up on a grid; and a **Monte
# Carlo** mean of 200,000 draws from $p$. Beside them stands a formula that circulates, with $v_q/v_p$
# for $v_p/v_q$, and $v_p$ below the means.
#
# **Predict.** Is $\mathrm{KL}(N(0,1)\,\|\,N(0,2))$ the same as $\mathrm{KL}(N(0,2)\,\|\,N(0,1))$?

# %%
# eq: 2.20, 2.21
# claim: E63
line = torch.linspace(-25, 25, 50_001, dtype=torch.float64)
for numbers in ((0.0, 1.0, 0.0, 2.0), (0.0, 2.0, 0.0, 1.0), (0.6, 0.5, 0.0, 1.0)):
    m_p, v_p, m_q, v_q = torch.tensor(numbers, dtype=torch.float64)
    p, q = (torch.distributions.Normal(m, v.sqrt()) for m, v in ((m_p, v_p), (m_q, v_q)))
    integral = torch.trapezoid(p.log_prob(line).exp() * (p.log_prob(line) - q.log_prob(line)), line)
    sample = m_p + v_p.sqrt() * z_1
    prices = p.log_prob(sample) - q.log_prob(sample)
    printed = 0.5 * (v_q / v_p - 1 - (v_p / v_q).log() + (m_p - m_q) ** 2 / v_p)
    ours = kl(*(value[None] for value in (m_p, v_p, m_q, v_q)))
    print(f"N({m_p}, {v_p}) to N({m_q}, {v_q}): formula {ours.item():.4f}, integral "
          f"{integral:.4f}, draws {prices.mean():.4f} ± {prices.std() / n**0.5:.4f}; "
          f"upside down {printed:.4f}")

# %% [markdown]
# 0.0966 one way, 0.1534 the other: a KL has a **direction**, so it is no distance. The draws agree
# within two standard errors. The formula with the ratios upside down gives 0.8466 for the first pair,
# which is neither direction, and for the second one it is negative, which no KL can be. (Where both
# variances are equal it does no harm. So it survives in print.)

# %% [markdown]
# ## What each direction likes
#
# Let $p$ have two bumps of equal weight, at −0.97 and 0.97, and let $q$ be one Gaussian, the best there
# is. $q$ cannot be right. How it will be wrong depends on the direction.
#
# **Predict.** Which $q$ has the smallest $\mathrm{KL}(p\,\|\,q)$: one bell over both bumps, or one bell
# on one bump? And the smallest $\mathrm{KL}(q\,\|\,p)$?

# %%
line = torch.linspace(-7, 7, 701, dtype=torch.float64)[:, None]
two_bumps = ideal_denoisers.two_modes()  # their log-density, below; t = 0 means: without any noise
log_p = ideal_denoisers.log_density(two_bumps, schedules.linear(), line, 0)[None, :]
means, variances = torch.linspace(-1.5, 1.5, 101), torch.logspace(-2, 0.5, 51)
m, v = torch.cartesian_prod(means.double(), variances.double()).T[:, :, None]  # each with each
log_q = -0.5 * ((line.T - m) ** 2 / v + v.log() + math.log(2 * math.pi))
prices = {  # (2.20), added up on the grid, whose spacing is 0.02
    "KL(p || q)": (log_p.exp() * (log_p - log_q)).sum(dim=1) * 0.02,
    "KL(q || p)": (log_q.exp() * (log_q - log_p)).sum(dim=1) * 0.02,
}
best = {name: price.argmin() for name, price in prices.items()}
for name, i in best.items():
    print(f"smallest {name}: {prices[name][i]:.3f} nats, by the bell with mean {m[i].item():+.2f} "
          f"and variance {v[i].item():.3f}")
print(f"log 2 = {math.log(2):.3f}; the bumps lie at {two_bumps.mean[:, 0].tolist()}")

# %%
bells = {"p": log_p[0].exp()}
bells |= {f"q with the smallest {name}": log_q[i].exp() for name, i in best.items()}
fig = figures.curves(line[:, 0], bells, xlabel="x, data units", ylabel="density", height=2.8)
fig.axes[0].set_xlim(-3, 3)
figures.show(fig, alt="p has two bumps. One q is a wide bell over both, one sits on one bump.")
where = line[:, 0].abs() < 0.3
for name, bell in bells.items():
    print(f"{name}: probability between -0.3 and 0.3: {bell[where].sum() * 0.02:.3f}")

# %% [markdown]
# $\mathrm{KL}(p\,\|\,q)$ asks the draws of $p$. A $q$ that is missing where $p$ has mass pays dearly,
# so it **covers** everything, the empty middle too: mean 0 and variance 1.0, the mean and variance of
# $p$. $\mathrm{KL}(q\,\|\,p)$ asks the draws of $q$. A $q$ that stands where $p$ has nothing pays
# dearly, so it **seeks** one bump and ignores the other. It pays about $\log 2 = 0.693$ nats for
# missing half of the mass. (By symmetry the other bump is as good; the grid's first one won.)
#
# Neither is *the* right direction. They answer different questions: maximum likelihood takes the first
# one; the bound of chapter 04 the second one, for its hidden variable.

# %% [markdown]
# ## Optional: numbers that hang together
#
# So far, each number had a law of its own. For $D$ numbers with means $\mu$ and a *covariance matrix*
# $\Sigma$ (variances on its diagonal, covariances beside it) the same derivation gives
#
# $$\mathrm{KL}(p \,\|\, q) = \tfrac12\Big[\operatorname{tr}(\Sigma_q^{-1}\Sigma_p) - D
# - \log\frac{\det\Sigma_p}{\det\Sigma_q}
# + (\mu_p-\mu_q)^{\mathsf T}\,\Sigma_q^{-1}(\mu_p-\mu_q)\Big]. \tag{2.22}$$
#
# Compare term by term with (2.21): again $q$'s matrix is the one that is inverted. The package does not
# compute it this way. It stretches and turns the axes until $q$ is $N(0, I)$ and the axes of $p$ are
# independent, which changes no KL, and adds up (2.21) over the axes.

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
prices = p.log_prob(sample) - q.log_prob(sample)
print(f"(2.22) {formula:.4f}, kl_full {gaussians.kl_full(mu_p, cov_p, mu_q, cov_q).item():.4f}, "
      f"draws {prices.mean():.4f} ± {prices.std() / n**0.5:.4f}")

# %%
zero = torch.zeros(1, 2).double()
hang = torch.tensor([[1.0, 0.9], [0.9, 1.0]]).double()
price = gaussians.kl_full(zero, hang, zero, torch.eye(2).double()).item()
print(f"equal marginals, correlation 0.9 taken for 0: {price:.4f} nats")
zero = torch.zeros(1, 3).double()
for name, x_2 in ends.items():
    cov = torch.cov(torch.stack([x_0, x_1, x_2]))
    guess = cov.clone()
    guess[0, 2] = guess[2, 0] = cov[0, 1] * cov[1, 2] / cov[1, 1]  # what (2.8) would imply
    price = gaussians.kl_full(zero, cov, zero, guess).item()
    print(f"{name}: covariance of x_0 and x_2 {cov[0, 2]:.3f}, Markov would be {guess[0, 2]:.3f}; "
          f"KL {price:.3f} nats")

# %% [markdown]
# Two laws with the *same* marginals can be 0.8304 nats apart: how numbers hang together has a price of
# its own. And the loss in the sticky chain can be told in nats. The Markov guess keeps the covariances
# of neighbors; what it gets wrong is the one of $x_0$ and $x_2$. That costs 0.205 nats for each walker;
# in the fresh chain it costs nothing.

# %% [markdown]
# ## Recap
#
# A joint law holds everything. Press it for a marginal; cut it and scale for a conditional; split it
# into a product in any order; and leave out what a Markov chain forgets. For Gaussians all of this is
# arithmetic: push adds variances (of independent noises), condition adds precisions (a quotient
# subtracts them, as long as something is left), and a KL is a formula with a direction.
#
# **One formula to keep**
#
# $$p(x)\,p(y \mid x) = p(y)\,p(x \mid y): \qquad
# N(x; m, v)\,N(y; a x, w) = N(y;\, a m,\, a^2 v + w)\;N\big(x;\, \tfrac hP,\, \tfrac1P\big)$$
#
# **Popular claims, checked**
#
# | often said | better | shown above |
# |---|---|---|
# | a density is at most 1 | its *area* is 1; $1/x$ has no bound | log-density 6.91 |
# | $p(y \mid x) = 1/x$ for $0 \le x \le 1$ | for $0 < x$: at 0 there is no slice | (2.3) |
# | both marginals give the joint law | not how they hang together | 0 or 0.1667 above the diagonal |
# | Markov: a step is unrelated to the one before | its *noise* is; states correlate | 0.949, 0.900 |
# | $p(x_2 \mid x_1, x_0) = p(x_2 \mid x_0)$ | Markov: it equals $p(x_2 \mid x_1)$ | 0.100, not 0.190 |
# | noises add | variances of *independent* noises add | 5, not 7; 0.0396, not 0.0792 |
# | a quotient of Gaussians is a Gaussian | only if the numerator is narrower | optional part: precision −1.0 |
# | KL with $v_q/v_p$ | $v_p/v_q$: the second law below | 0.0966, not 0.8466 |
#
# **Exercises:** 2.1 `distributions.marginal` · 2.2 `distributions.conditional` · 2.3
# `distributions.chain_rule` · 2.4 `distributions.sum_var` · 2.5 `distributions.readings` · 2.6
# `distributions.kl`
#
# **Before:** [01 · Bayes](01_bayes.ipynb) · **Next:** [03 · Estimators](03_estimators.ipynb) asks how
# good an answer by random draws is. In a hurry for diffusion? [05 · Forward](05_forward.ipynb) is
# `push`, a thousand times.
