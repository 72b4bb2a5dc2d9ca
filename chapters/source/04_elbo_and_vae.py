# %% [markdown]
# # 04 · Why maximize a bound, and when is it tight?
#
# Somebody wrote a seven. They had a digit in mind, a slant, a pen; you see only 64 pixels. A model with such hidden
# causes can write new digits. But how likely is *yours* under the model? That is an integral over all possible causes, and
# nobody can compute it. What do people maximize instead, and what do they lose?
#
# **After this chapter you can**
#
# - split the log-likelihood into a bound and a gap, and say when the gap is 0,
# - say what raising the bound does to the likelihood, and when it can lower it,
# - read the two terms of the bound of a variational autoencoder,
# - write the bound for several latent variables in a chain, from which diffusion models start.
#
# **You need** prior, evidence and posterior from [01 · Bayes](01_bayes.ipynb), Gaussians and the KL divergence from
# [02 · Distributions](02_distributions.ipynb), and [03 · Estimators](03_estimators.ipynb) (importance weights, the
# reparameterization trick, Jensen's inequality).
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 10 seconds.
#
# **For what comes next you need** the bound (section 3) and the chain (section 7), from which 05 and 08 continue. Chapter 04b,
# which trains a variational autoencoder on digits, needs sections 1, 3 and 6.
#
# **In the papers:** [KW14] Kingma and Welling 2014; [NH98] Neal and Hinton 1998 (section 5); [Luo22] Luo 2022, on
# hierarchical VAEs (section 7).

# %%
import math

import torch

from ddpm_lab import elbo, gaussians
from ddpm_lab.course import diagrams, explorers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, normal_like, seeded

z = torch.linspace(-8, 8, 1601, dtype=torch.float64)  # latent values on a grid, spacing 0.01


def normal(x, mean, var):
    """The density of N(mean, var) at x."""
    return torch.exp(-((x - mean) ** 2) / (2 * var)) / math.sqrt(2 * math.pi * var)

# %% [markdown]
# ## A first look: what caused this point?
#
# A hidden number $z$ is mapped to a point on a spiral, and noise is added. The red star below is such a noisy point. It
# lies between two arms.
#
# **Predict.** How sure can you be about the $z$ that caused it?

# %%
def spiral(z):
    """The point of the plane to which the cause z leads: (N,) -> (N, 2)."""
    below = torch.special.ndtr(z)  # the fraction of N(0, 1) below z, from 0 to 1
    angle, radius = 4 * math.pi * below, 0.2 + 1.2 * below
    return radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)


hidden = normal_like(torch.empty(1000, dtype=torch.float64), generator=seeded(1))  # first a cause
noise = normal_like(torch.empty(1000, 2, dtype=torch.float64), generator=seeded(2))
seen = spiral(hidden) + 0.15 * noise  # then a point, with a little noise
star = torch.tensor([-0.70, -0.51], dtype=torch.float64)  # what was its cause?
near = normal(star, spiral(z), 0.15**2).prod(1)  # p(star | z) for each z: a product over two axes
belief = normal(z, 0, 1) * near  # prior times likelihood
belief = belief / (belief.sum() * 0.01)  # divided by the evidence

# %%
fig, axes = figures.new(1, 2, width=8.4, height=3.4)
axes[0].scatter(*seen.T, s=3, color=figures.SKY)
axes[0].plot(*spiral(z).T, color=figures.GRAY)
for mark, place in zip((-1, 0, 1), spiral(torch.tensor([-1.0, 0.0, 1.0])).tolist()):
    axes[0].text(*place, f"z = {mark}", backgroundcolor="white", fontsize=9)
axes[0].plot(*star, "*", color=figures.RED, markersize=16)
axes[0].set(xlabel="first coordinate of x", ylabel="second", title="1000 points, one z each")
axes[1].plot(z, normal(z, 0, 1), ":", color=figures.GRAY, label="prior p(z)")
figures.curves(z, {"posterior p(z | star)": belief}, ax=axes[1], xlabel="latent variable z",
               ylabel="density", title="What caused the star?")
axes[1].set_xlim(-3, 3)
figures.show(fig, alt="Points along a spiral; the star between two arms has two likely causes.")
for side in (z < 0, z >= 0):
    print(f"likely cause z = {z[side][belief[side].argmax()]:+.2f}, "
          f"probability of this side {belief[side].sum() * 0.01:.2f}")

# %% [markdown] topics="C043 C044 C047 C048 C051"
# ## 1 · Latent variables
#
# Each point on the left was made in two steps: first a number $z$ that nobody sees, from $N(0, 1)$; then a point $x$ near
# the place on the spiral to which $z$ is mapped. What we see has two dimensions and a complicated shape. What caused it
# has one dimension and one of the simplest distributions there are. Plato's prisoners see shadows on a wall and have to
# guess what casts them; much of science is of that kind. A variable of the model that is never observed is a **latent
# variable**, or a *code*.
#
# (In chapters 05 to 17 a sampler's fresh noise is called $z$. Here $z$ is the latent variable, and noise is always
# $\epsilon$.)
#
# Four distributions belong to such a model. Its parameters are called $\theta$.
#
# | distribution | name | here |
# |---|---|---|
# | $p(z)$ | prior | $N(0, 1)$ |
# | $p_\theta(x \mid z)$ | **decoder**, from code to data | $N(\text{place of } z,\ 0.15^2 I)$ |
# | $p_\theta(x) = \int p_\theta(x \mid z)\,p(z)\,dz$ | evidence, also called marginal likelihood | unknown |
# | $p_\theta(z \mid x)$ | posterior, from data to code | two peaks for the star |
#
# The first two are chosen, and **generation** needs only them: sample $z$, then $x$. The last two follow, and
# **inference**, the way back from $x$ to $z$, is the hard one. The star lies between two arms: its posterior has one peak
# at $z = -0.51$ (probability 0.55 for its side, $z < 0$) and another at $0.83$. To find that we evaluated prior times
# likelihood at 1601 values of $z$ and divided by their sum times the spacing, which is the evidence. For *one* latent
# variable this works. With 16 of them, even 100 grid points for each would make a list of $10^{32}$ entries.
#
# The same integral also stands in the way of training. A good model makes the data likely, so we would like to maximize
#
# $$\log p_\theta(x) = \log \int p_\theta(x \mid z)\,p(z)\,dz, \tag{4.1}$$
#
# averaged over the data. In other words, we want a small negative log-likelihood; chapter 03 showed that this also
# makes the KL from data to model small. For the next sections take the model of chapter 03, in which everything can
# be computed: $z \sim N(0, 1)$ and $x = 1.2\,z + 0.6\,\epsilon$, one number each, and one data point, $x = 1.5$.

# %%
# eq: 4.1
joint = normal(z, 0, 1) * normal(1.5, 1.2 * z, 0.36) * 0.01  # p(z) p(x | z), as masses on the grid
posterior = joint / joint.sum()
cause = Gaussian(torch.zeros(1, dtype=torch.float64), torch.tensor(1.0))
data = gaussians.push(cause, scale=1.2, noise_var=0.36)  # the distribution of x (chapter 02)
exact_density = normal(1.5, 0, data.var)
print(f"p(x) = {joint.sum():.6f} by the sum, {exact_density:.6f} as N(0, {data.var:.2f})")
print(f"log p(x) = {joint.sum().log():.4f} nats")
mean = (posterior * z).sum()
print(f"posterior: mean {mean:.4f}, variance {(posterior * (z - mean) ** 2).sum():.4f}")

# %% [markdown]
# So $\log p(x) = -1.8378$, and the posterior of the code is $N(1, 0.2)$. Remember both.

# %% [markdown] topics="C049 C050 C052"
# ## 2 · Bayes' rule with an approximate posterior
#
# Bayes' rule, solved for the evidence, needs no integral at all:
#
# $$p_\theta(x) = \frac{p_\theta(x \mid z)\,p(z)}{p_\theta(z \mid x)} \qquad\text{for every single } z. \tag{4.2}$$
#
# The catch is the posterior in the denominator. So let a second distribution $q(z)$ stand in for it, one that we can
# write down, such as $N(0.3, 0.25)$. Approximating a posterior by the best member of a family is called **variational
# inference**. When $q$ depends on $x$ it is written $q(z \mid x)$ and called the **encoder**. If one network supplies
# the $q$ for every $x$, instead of a search for each, that is **amortized inference**.
#
# **Predict.** With the true posterior, $N(1, 0.2)$, the fraction is $p(x) = 0.159162$ at every $z$. With our $q$, will it be
# larger or smaller than that at $z = -0.5$? And at $z = 2$?

# %%
# eq: 4.2
# claim: E45
q = normal(z, 0.3, 0.25) * 0.01  # a guess at the posterior: N(0.3, 0.25)
for value in (-0.5, 0.3, 1.0, 2.0):
    i = round((value + 8) * 100)  # its row in the grid
    print(f"z = {value:4}: joint / posterior = {joint[i] / posterior[i]:.6f}, "
          f"joint / q = {joint[i] / q[i]:.5f}")

# %% [markdown]
# Smaller at $-0.5$, where $q$ exceeds the posterior, and larger at 2: the fraction is 0.002 and 4.7. It is no longer
# $p(x)$, and maximizing it at some $z$ would be pointless: a $q$ that avoids this $z$ makes it as large as you like. It
# is the importance weight of chapter 03,
#
# $$w(z) = \frac{p_\theta(x \mid z)\,p(z)}{q(z)}. \tag{4.3}$$
#
# There are three ways to turn it into one number: look at one $z$; average over samples of $q$, then take the
# logarithm; or take the logarithm, then average. Which of the three can judge a $q$?

# %%
# eq: 4.3
print("q             log w(2)   log E_q[w]   E_q[log w]   standard deviation of log w")
for m, v in ((-2.0, 0.25), (0.3, 0.25), (0.9, 0.25), (1.0, 0.2)):
    other = normal(z, m, v) * 0.01
    log_w = (joint / other).log()
    average = (other * log_w).sum()
    spread = (other * (log_w - average) ** 2).sum().sqrt()
    print(f"N({m:4}, {v:4}) {log_w[1000]:9.4f} {(other * log_w.exp()).sum().log():12.4f} "
          f"{average:12.4f} {spread:15.4f}")  # row 1000 of the grid is z = 2

# %% [markdown]
# - **One $z$**: anything can come out. The worst $q$, far away at $-2$, gives the largest number.
# - **Average, then log**: always −1.8378, the true $\log p(x)$, because
#   $E_q[w] = \int q\,\frac{p(x \mid z)\,p(z)}{q}\,dz = p(x)$. That is right, but it cannot tell a good $q$ from a bad one.
# - **Log, then average**: never above −1.8378, higher for a better $q$, and equal to it for the posterior $N(1, 0.2)$,
#   where all weights are equal.
#
# The third is the evidence lower bound, or ELBO, of chapter 03. It judges $q$, *and* it is a mean over samples of
# $q$, which we can estimate.

# %% [markdown] topics="C053 C054 C055"
# ## 3 · The evidence lower bound
#
# How far is the bound from $\log p(x)$? Begin with $\log p(x)$, which does not depend on $z$, so averaging it over
# any distribution of $z$ changes nothing. Then use (4.2), and multiply and divide by $q(z)$:
#
# $$\begin{aligned}
# \log p(x) &= E_q\big[\log p(x)\big]  \\
# &= E_q\Big[\log \frac{p(x, z)}{p(z \mid x)}\Big] \\
# &= E_q\Big[\log \frac{p(x, z)}{q(z)} + \log\frac{q(z)}{p(z \mid x)}\Big] \\
# &= \underbrace{E_q\Big[\log \frac{p(x, z)}{q(z)}\Big]}_{\text{ELBO}}
# + \underbrace{\mathrm{KL}\big(q(z) \,\|\, p(z \mid x)\big)}_{\text{gap}, \ \ge\ 0}.
# \end{aligned} \tag{4.4}$$
#
# Here $p(x, z) = p(x \mid z)\,p(z)$ is the joint density. Two conditions are easy to overlook. The first line needs a
# *normalized* $q$, and the KL is finite only if $q$ has no mass where the posterior is 0.
# (`elbo.split` takes `q` and `joint` as lists of masses and returns $\log p(x)$, ELBO and gap.)

# %%
# eq: 4.4
# claim: E48
lines = {
    "E_q[log p(x)]": (q * joint.sum().log()).sum(),
    "E_q[log p(x,z) / p(z|x)]": (q * (joint / posterior).log()).sum(),
    "E_q[log p(x,z) / q]": (q * (joint / q).log()).sum(),
    "E_q[log q / p(z|x)]": (q * (q / posterior).log()).sum(),
}
for name, value in lines.items():
    print(f"{name:>25} = {value:+.6f}")
print(f"{'the last two together':>25} = {sum(list(lines.values())[2:]):+.6f}")
only_right = elbo.split(q / q.sum(), torch.where(z > 0, joint, 0.0))  # a prior that lives on z > 0
below = torch.special.ndtr(torch.tensor(-0.6))  # 0 is 0.6 standard deviations below q's mean
print(f"a prior on z > 0, q(z < 0) = {below:.3f}: ELBO {only_right.elbo}, KL {only_right.kl}")

# %% [markdown]
# $-1.837832 = -3.076260 + 1.238428$. And a $q$ with 27 % of its mass where the posterior has none has an infinite KL;
# its bound is $-\infty$, which is true and useless.
#
# **The same from the KL side.** We would like $q$ to be close to the posterior. Insert Bayes' rule into that KL:
#
# $$\mathrm{KL}\big(q \,\|\, p(z \mid x)\big) = E_q\big[\log q(z) - \log p(x, z)\big] + \log p(x). \tag{4.5}$$
#
# The unknown $\log p(x)$ is only a constant. So to approach a posterior that nobody can compute, minimize the first term.
# It is minus the ELBO, and it can be computed. Why not the other direction, $\mathrm{KL}(p(z \mid x) \,\|\, q)$? Because
# it is a mean over samples of the posterior, which we do not have.
#
# **The same by Jensen's inequality.** $\log E_q[w] \ge E_q[\log w]$ for any positive $w$ (chapter 03). With (4.3) the
# left side is $\log p(x)$:
#
# $$\log p(x) = \log E_q[w] \;\ge\; E_q[\log w], \quad\text{with equality only if } w \text{ is constant.} \tag{4.6}$$
#
# This is the shortest derivation, and the only one of the three that does not say how large the gap is.

# %%
# eq: 4.5, 4.6
exact = Gaussian(torch.tensor([1.0]), torch.tensor(0.2))  # the posterior
for m, v in ((0.3, 0.25), (0.9, 0.25), (1.0, 0.2)):
    found = elbo.split(normal(z, m, v) * 0.01, joint)
    guess = Gaussian(torch.tensor([m]), torch.tensor(v))
    formula = gaussians.kl(guess, exact).item()  # KL to N(1, 0.2), by chapter 02
    print(f"q = N({m}, {v:4}): log p(x) {found.log_evidence:.4f}, ELBO {found.elbo:.4f}, "
          f"gap {found.kl:.4f}; by formula {formula:.4f}")

# %% [markdown]
# ### Exercise 4.1 · The bound of a list
#
# Suppose the latent variable has only a few possible values. `q` holds their probabilities under $q$, `joint` the
# numbers $p(x, z)$ for one and the same $x$ (so they add up to $p(x)$, not to 1). Both have shape `(K,)`. Return the ELBO,
# one number.

# %% tags=["exercise"]
def my_bound(q, joint):
    """Return the ELBO, nats."""
    ### BEGIN SOLUTION
    return (q * (joint / q).log()).sum()
    ### END SOLUTION


bound = check("elbo.bound", my_bound)
three = torch.tensor([0.02, 0.05, 0.03], dtype=torch.float64)  # p(x, z) for three values of z
tries = {"the posterior": [0.2, 0.5, 0.3], "uniform": [1 / 3] * 3, "confident": [0.8, 0.1, 0.1]}
for name, weights in tries.items():
    print(f"q is {name:>13}: ELBO {bound(torch.tensor(weights).double(), three):.4f}, "
          f"log p(x) {three.sum().log():.4f}")

# %% [markdown]
# ## 4 · Move q yourself
#
# Left: the posterior, and your $q$. Right: the ELBO for every mean of $q$, below the line $\log p(x)$.
#
# **Predict** before you move anything. (1) Which $q$ closes the gap completely? (2) What happens to the line $\log p(x)$
# when you move $q$? (3) Choose *two bumps* and $x = 2$. There $x = 1.2\,|z| + 0.6\,\epsilon$, so $z$ and $-z$ are
# equally likely. How small can the gap get?

# %%
explorer = explorers.how_tight()
print(explorer)
explorer

# %%
bumps = normal(z, 0, 1) * normal(2.0, 1.2 * z.abs(), 0.36) * 0.01  # two bumps, x = 2
tried = []
for m in torch.arange(0, 2, 0.05).tolist():
    for s in torch.arange(0.2, 1.5, 0.05).tolist():
        other = torch.softmax(-((z - m) ** 2) / (2 * s**2), dim=0)  # N(m, s^2) as masses
        tried.append((elbo.split(other, bumps).kl.item(), m, s))
smallest, m, s = min(tried)
print(f"smallest gap {smallest:.4f} nats, at mean {m:.2f} and standard deviation {s:.2f}; "
      f"log 2 = {math.log(2):.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# (1) Mean 1 and standard deviation $\sqrt{0.2} \approx 0.45$, the posterior. (2) Nothing: only the split between ELBO
# and KL changes. (3) 0.69 nats, as the search shows. One Gaussian cannot cover two modes that far apart, so it settles
# on one of them (chapter 02), and missing half of the posterior costs $\log 2 = 0.69$.
#
# </details>

# %% [markdown] topics="C045 C046"
# ### Detour · The word *variational*
#
# Calculus asks which *number* makes a function largest. The **calculus of variations** asks which *function* makes
# a number largest.

# %% [markdown]
# Here the function is $q$, and the number is the ELBO. At the best function, a small variation does not change this number to
# first order. In practice $q$ is usually restricted to a family with parameters, and only these are varied.
# Move the mean of the best $q$ by $\delta$ of its standard deviations: the ELBO loses $\delta^2/2$, which has no term
# of first order.

# %%
# claim: E44
for delta in (0.1, 0.01, 0.001):
    moved = normal(z, 1.0 + delta * math.sqrt(0.2), 0.2) * 0.01
    lost = elbo.split(moved, joint).kl
    print(f"mean moved by {delta:5} standard deviations: the ELBO falls by {lost:.0e}")

# %% [markdown] topics="C057"
# ## 5 · Does a higher bound mean a higher likelihood?
#
# We raise the ELBO, but what we want is $\log p_\theta(x)$. Alternate between two steps:
#
# 1. Keep $\theta$ and improve $q$. By (4.4) the sum of ELBO and gap is fixed, so the gap shrinks. With $q$ equal to the
#    posterior it is 0, and the ELBO *is* the log-likelihood.
# 2. Keep $q$ and improve $\theta$ until the ELBO is higher. The log-likelihood lies above the ELBO, so
#
# $$\log p_{\text{new}}(x) \;\ge\; \mathrm{ELBO}(q, \theta_{\text{new}}) \;\ge\;
# \mathrm{ELBO}(q, \theta_{\text{old}}) \;=\; \log p_{\text{old}}(x). \tag{4.7}$$
#
# So the likelihood never falls. This is the **EM algorithm** (expectation–maximization) of Dempster, Laird and Rubin
# [DLR77]. The view of it as coordinate ascent, on one function of $q$ and $\theta$, is due to Neal and Hinton [NH98].
#
# Only the equals sign needs the *exact* posterior. If $q$ cannot be the posterior, the old ELBO lies below the old
# log-likelihood, and the chain says nothing about the latter. Does that matter? Take two latent variables,
# $x = \theta\,(z_1 + z_2) + \epsilon$. Given $x$, they are correlated: if $z_1$ was large, $z_2$ was
# probably small. But the usual $q$, also in section 6, has independent latents, the **mean-field** approximation:

# %%
theta = 2.0
precision = torch.eye(2, dtype=torch.float64) + theta**2  # of the posterior: 1 + θ² and θ²
found = diagrams.tilted_posterior([0, 0], torch.linalg.inv(precision))
figures.show(found.figure, alt="A tilted ellipse p; the left q is narrow, the right one wide.")
print(f"left: variances {found.narrow_var[0]:.2f}, KL(q || p) {found.narrow_kl:.4f} nats")
print(f"right: variances {found.wide_var[0]:.2f}, KL(p || q) {found.wide_kl:.4f} nats")

# %% [markdown]
# The bound uses the left one, which minimizes $\mathrm{KL}(q \,\|\, p)$. It has the variance $1/(1+\theta^2)$ for each
# latent, and its KL to the posterior is
#
# $$\mathrm{KL} = \tfrac12 \log\frac{(1+\theta^2)^2}{1 + 2\theta^2}, \tag{4.8}$$
#
# 0.5108 nats at $\theta = 2$. The gap grows with $\theta$. Now let the data have $E[x^2] = 9$. The model's $x$ has the
# variance $2\theta^2 + 1$, so the maximum likelihood estimate of $\theta$ is exactly 2.
#
# **Predict.** If you maximize the bound with the best independent $q$, do you find $\theta = 2$, less or more?

# %%
# claim: E50
def log_likelihood(theta):
    """Mean of log p(x) over data with E[x^2] = 9."""
    return -0.5 * (math.log(2 * math.pi * (2 * theta**2 + 1)) + 9 / (2 * theta**2 + 1))


def gap(theta):
    """(4.8): KL from the best independent q to the posterior."""
    return 0.5 * math.log((1 + theta**2) ** 2 / (1 + 2 * theta**2))


thetas = torch.linspace(0.5, 3, 251).tolist()
exact_curve = [log_likelihood(t) for t in thetas]
bound_curve = [log_likelihood(t) - gap(t) for t in thetas]

# %%
curve = {"log-likelihood": exact_curve, "best ELBO with independent q": bound_curve}
fig = figures.curves(thetas, curve, xlabel="theta", ylabel="nats, mean over the data", height=2.8,
                     ylim=(-4, -2.4))
figures.show(fig, alt="The likelihood peaks at theta 2; the best independent bound peaks at 1.47.")
for name, values in curve.items():
    top = thetas[values.index(max(values))]
    print(f"{name:>28}: top at theta = {top:.2f}, log-likelihood "
          f"{log_likelihood(top):.4f}, gap {gap(top):.4f}")

# %% [markdown]
# Less: 1.47. There the log-likelihood is 0.08 nats *below* its maximum, because the bound prefers models whose posterior
# its $q$ can imitate. If you start at $\theta = 2$ and climb the dashed curve, you lose likelihood. So raising the ELBO
# raises a lower bound on the log-likelihood. The likelihood itself is guaranteed to rise with it only if $q$ starts as the
# exact posterior.

# %% [markdown]
# ### Detour · EM in numbers
#
# EM itself, with both kinds of $q$, and a check that no other variances come closer than those of (4.8).

# %% [markdown]
# Only the sum $z_1 + z_2$ matters. Its prior is $N(0, 2)$, and `condition` (chapter 02) gives its posterior the
# mean $2\theta x/(1 + 2\theta^2)$ and the variance $2/(1 + 2\theta^2)$. The independent $q$ has the same mean, and the
# variance $2/(1+\theta^2)$ for the sum. For a given $q$, $\theta$ enters the ELBO only through the squared error
# $-\frac12 E_q[(x - \theta\,(z_1 + z_2))^2]$. So the best $\theta$ is the slope of a linear fit,
# $E[x\,(z_1+z_2)] / E[(z_1+z_2)^2]$.

# %%
def turns(theta, exact, rounds=100):
    """EM, the thetas on the way: q for this theta, then the theta that fits x to z_1 + z_2 best."""
    path = [theta]
    for _ in range(rounds):
        var = 2 / (1 + 2 * theta**2) if exact else 2 / (1 + theta**2)  # of z_1 + z_2 under q
        slope = 2 * theta / (1 + 2 * theta**2)  # its mean is slope * x
        theta = slope * 9 / (slope**2 * 9 + var)  # E[x (z_1 + z_2)] / E[(z_1 + z_2)^2]
        path.append(theta)
    return path


for exact_q, name in ((True, "the posterior"), (False, "independent")):
    path = turns(0.6, exact_q)
    print(f"q {name:>13}: theta goes 0.6, {path[1]:.3f}, {path[2]:.3f}, … {path[-1]:.4f}; "
          f"log-likelihood {log_likelihood(path[-1]):.4f}")
print(f"nats lost {log_likelihood(2) - log_likelihood(path[-1]):.4f}, gap {gap(path[-1]):.4f}")

# %%
# eq: 4.7
def misfit(theta, q_theta):
    """E_q[(x - theta (z_1 + z_2))^2] if q is the posterior for q_theta; the ELBO has -1/2 of it."""
    slope, var = 2 * q_theta / (1 + 2 * q_theta**2), 2 / (1 + 2 * q_theta**2)
    return 9 - 2 * theta * slope * 9 + theta**2 * (slope**2 * 9 + var)


path = turns(0.6, exact=True)
for old, new in zip(path[:3], path[1:]):
    raised = log_likelihood(old) + (misfit(old, old) - misfit(new, old)) / 2  # same q, new theta
    print(f"theta {old:.3f} to {new:.3f}: log p_old {log_likelihood(old):.4f}, ELBO(q, new) "
          f"{raised:.4f}, log p_new {log_likelihood(new):.4f}")

# %%
# eq: 4.8
theta = turns(2.0, exact=False)[-1]
precision = torch.eye(2, dtype=torch.float64) + theta**2  # of the posterior: I + theta^2 (1 1; 1 1)
zero = torch.zeros(1, 2, dtype=torch.float64)
print(f"gap at theta = {theta:.4f} by (4.8): {gap(theta):.4f}")
for factor in (0.8, 1.0, 1.25):
    alone = factor * torch.eye(2, dtype=torch.float64) / (1 + theta**2)
    nats = gaussians.kl_full(zero, alone, zero, torch.linalg.inv(precision)).item()  # chapter 02
    print(f"KL of the two Gaussians, variances of q times {factor:4}: {nats:.4f}")
print(f"start at the best theta, 2, and raise this bound: the log-likelihood changes by "
      f"{log_likelihood(theta) - log_likelihood(2.0):+.4f}")

# %% [markdown]
# With the posterior, EM climbs to 2.0000; with the independent $q$, to 1.4735. In the three lines of the second cell the
# numbers rise from left to right, as (4.7) says. And both other variances are farther from the posterior than
# $1/(1+\theta^2)$.

# %% [markdown] topics="C056 C061 C064"
# ## 6 · Two terms, and the variational autoencoder
#
# Split the joint density in the ELBO, $p(x, z) = p(x \mid z)\,p(z)$, and it becomes two terms that each have a meaning:
#
# $$\mathrm{ELBO} = \underbrace{E_q\big[\log p_\theta(x \mid z)\big]}_{\text{reconstruction}}
# \;-\; \underbrace{\mathrm{KL}\big(q_\phi(z \mid x) \,\|\, p(z)\big)}_{\text{cost of the code}}. \tag{4.9}$$
#
# The first term is large if $x$ can be reconstructed from its code. The second keeps the codes close to samples from the prior.
# The mean $E_q$ is part of the first term: at a single $z$ the right side depends on $z$.

# %%
# eq: 4.9
# claim: E49
log_likelihoods = normal(1.5, 1.2 * z, 0.36).log()
to_prior = (q * (q / (normal(z, 0, 1) * 0.01)).log()).sum()
print(f"E_q[log p(x|z)] - KL = {(q * log_likelihoods).sum() - to_prior:.4f}; "
      f"the ELBO was {elbo.split(q, joint).elbo:.4f}")
for value in (-0.2, 0.3, 0.8):
    i = round((value + 8) * 100)
    print(f"without the mean, at z = {value:4}: {log_likelihoods[i] - to_prior:.4f}")

# %% [markdown]
# If the encoder (weights $\phi$) and the decoder (weights $\theta$) are neural networks, trained together by gradient descent
# on minus the ELBO, the model is a **variational autoencoder** (VAE) [KW14]. An image becomes a code and then an image
# again, hence *autoencoder*; *variational*, because $q$ is varied to raise the bound. Usually $q$ is Gaussian with independent
# axes, and $z$ is sampled with the reparameterization trick, so that the gradient reaches the encoder.

# %%
figures.show(diagrams.encoder_decoder(), alt="Image to encoder to code z to decoder to mean image.")
print("for 64 pixels and 16 latents: the encoder gives 16 means and 16 variances,")
print("the decoder turns a code of 16 numbers into a mean image of 64 pixels")

# %% [markdown]
# [Chapter 04b](04b_vae_on_digits.ipynb) builds one for digits. It finds three weaknesses of doing everything in *one*
# step: its Gaussian $q$ misses the posterior by about 2 nats, some latents remain unused, and the images are blurred.
# (Formulas 4.10 to 4.14 and Exercises 4.3 to 4.6 are in that chapter.)

# %% [markdown] topics="C066"
# ## Detour · The VAE as a KL between two joint distributions
#
# One more way to write the loss. Chapter 05 meets it again for a whole chain.

# %% [markdown]
# Encoder and decoder each describe how a pair $(x, z)$ arises:
#
# - **from the data**: sample $x$ from the distribution of the data $\tilde p(x)$, then $z$ from the encoder;
# - **from the prior**: sample $z$ from $N(0, I)$, then $x$ from the decoder.
#
# Training makes the two joint distributions alike:
#
# $$\mathrm{KL}\big(\tilde p(x)\,q(z \mid x) \,\big\|\, p(z)\,p_\theta(x \mid z)\big) = -E_{\tilde p}\big[\mathrm{ELBO}(x)\big] - H(\tilde p). \tag{4.15}$$
#
# The log of the ratio is $\log\tilde p(x) - \log\frac{p(z)\,p(x \mid z)}{q(z \mid x)}$, and the means of its two parts are
# $-H(\tilde p)$ and minus the mean ELBO. The entropy $H$ of the data does not depend on the weights, so minimizing one side
# also minimizes the other.
#
# ### Exercise 4.2 · The KL of the two joints
#
# A finite example: `data`, shape `(M,)`, holds the probabilities of $M$ images; `encoder`, `(M, K)`, has $q(z \mid x)$ in
# row $x$; `joint`, `(M, K)`, has the decoder's $p(x, z)$. Return the left side of (4.15). (`data[:, None]` has shape `(M, 1)`
# and multiplies every entry of a row.)

# %% tags=["exercise"]
def my_joint_kl(data, encoder, joint):
    """Return KL(data * encoder || joint), nats."""
    ### BEGIN SOLUTION
    ours = data[:, None] * encoder
    return (ours * (ours / joint).log()).sum()
    ### END SOLUTION


joint_kl = check("elbo.joint_kl", my_joint_kl)

# %%
# eq: 4.15
x = torch.linspace(-8, 8, 321, dtype=torch.float64)  # the model of section 1, all of it on a grid
made = normal(x[:, None], 1.2 * z[::5], 0.36) * normal(z[::5], 0, 1) * 0.05**2  # spacings 0.05
p_data = normal(x, 0, 1.8) * 0.05  # data as the model makes them
H = 0.5 * math.log(2 * math.pi * math.e * 1.8)  # their entropy, as a density
for name, slope, var in (("exact", 2 / 3, 0.2), ("poor", 0.2, 0.25)):
    encoder = normal(z[::5], slope * x[:, None], var) * 0.05
    elbos = elbo.split(encoder / encoder.sum(1, keepdim=True), made).elbo
    nats = (p_data * elbos).sum() - math.log(0.05)  # per unit of x instead of per grid point
    print(f"encoder N({slope:.2f} x, {var}), {name:>5}: -E[ELBO] {-nats:.4f}, minus H: "
          f"{abs(-nats - H):.4f}; joint KL {abs(joint_kl(p_data, encoder, made)):.4f}")

# %% [markdown]
# With the exact encoder the two joints are equal and the KL is 0, although the loss, −E[ELBO], is 1.7128: it cannot
# fall below the entropy of the data. With the poor encoder, the $q$ of section 2, the KL is 0.9934 nats. A loss does not
# measure a distance until its constant is subtracted. For a chain of 1000 steps the constant is huge, as a detour of
# [chapter 08b](08b_weights_and_bits.ipynb) computes.

# %% [markdown] topics="C069"
# ## 7 · Several latent variables in a chain
#
# With one latent variable, a single step has to do everything. So let the latent variable have a cause of its own.
#
# In a **hierarchical VAE** the decoder samples the top latent from the prior, then each latent from the one above it, and
# finally $x$. The encoder goes the other way, from $x$ to the top. If each variable depends only on its neighbor, the
# hierarchy is called *Markovian* [Luo22]. With two latent variables:

# %%
fig = diagrams.chain(names=("x", "z_1", "z_2"))
figures.show(fig, alt="x, z_1, z_2 in a row: q goes from x to z_2, p_theta from z_2 back to x.")
print("encoder q: x to z_1 to z_2; decoder p: z_2 to z_1 to x")

# %% [markdown]
# $$p(x, z_1, z_2) = p(z_2)\,p(z_1 \mid z_2)\,p(x \mid z_1), \qquad
# q(z_1, z_2 \mid x) = q(z_1 \mid x)\,q(z_2 \mid z_1). \tag{4.16}$$
#
# We need no new theory. Nothing in (4.4) said that $z$ is a single number, so read $z = (z_1, z_2)$. Insert (4.16) and
# pair each step of the encoder with the step of the decoder that undoes it:
#
# $$\log p(x) \;\ge\; \mathrm{ELBO} = E_q\Big[\log\frac{p(x \mid z_1)}{q(z_1 \mid x)}
# + \log\frac{p(z_1 \mid z_2)}{q(z_2 \mid z_1)} + \log p(z_2)\Big]. \tag{4.17}$$
#
# A third latent adds the term $\log\frac{p(z_2 \mid z_3)}{q(z_3 \mid z_2)}$, and the last term becomes $\log p(z_3)$. The gap
# is still the KL from $q$ to the posterior. Given $z_1$, the data say nothing more about $z_2$, so the KL of the two chains
# is a sum over steps:
#
# $$\log p(x) - \mathrm{ELBO} = \mathrm{KL}\big(q(z_1 \mid x) \,\|\, p(z_1 \mid x)\big)
# + E_q\big[\mathrm{KL}\big(q(z_2 \mid z_1) \,\|\, p(z_2 \mid z_1)\big)\big]. \tag{4.18}$$
#
# Put one and two more levels on top of the model of section 1: $z_1 = \sqrt{0.6}\,z_2 + \sqrt{0.4}\,\epsilon$, and
# $z_2$ from $z_3$ likewise, with the top latent from $N(0, 1)$. Then $z_1$ is $N(0, 1)$ as before, and the evidence stays at
# −1.8378. The first step of the encoder is our old $q$, $N(0.2\,x,\ 0.25)$, which at $x = 1.5$ is $N(0.3, 0.25)$. Each further
# step is $N(0.7\,z,\ 0.5)$; the exact one would be $N(\sqrt{0.6}\,z,\ 0.4)$.
#
# **Predict.** With one latent the gap was 1.2384 nats. Will it shrink, stay or grow with two and three?

# %%
def log_normal(square, var):
    """E[log N(y; m, var)] if E[(y - m)^2] is `square`, nats."""
    return -0.5 * (math.log(2 * math.pi * var) + square / var)


def chain_bound(square, encoder, decoder):
    """The ELBO (4.17) at x^2 = `square`; each step is (factor, variance), from x to the top."""
    total = 0.0
    for (up, noise), (down, var) in zip(encoder, decoder):
        error = (1 - down * up) ** 2 * square + down**2 * noise  # E_q[(z_1 - down z_2)^2]
        total += log_normal(error, var) - log_normal(noise, noise)
        square = up**2 * square + noise  # E_q[z_2^2]
    return total + log_normal(square, 1.0)  # log p of the top latent

# %%
def chain_evidence(square, decoder):
    """log p(x) exactly: the variance of x, from the top of the chain down."""
    var = 1.0
    for down, noise in reversed(decoder):
        var = down**2 * var + noise
    return log_normal(square, var)


root = math.sqrt(0.6)
decoder = [(1.2, 0.36), (root, 0.4), (root, 0.4)]  # p(x | z_1), p(z_1 | z_2), p(z_2 | z_3)
tight = [(2 / 3, 0.2), (root, 0.4), (root, 0.4)]  # the exact posteriors
rough = [(0.2, 0.25), (0.7, 0.5), (0.7, 0.5)]
for T in (1, 2, 3):
    log_p = chain_evidence(1.5**2, decoder[:T])
    best, loose = (chain_bound(1.5**2, q_[:T], decoder[:T]) for q_ in (tight, rough))
    print(f"T = {T}: log p(x) {log_p:.4f}; ELBO, exact encoder {best:.4f}, rough {loose:.4f}; "
          f"gap {log_p - loose:.4f}")

# %%
# eq: 4.16, 4.17, 4.18
eps = normal_like(torch.empty(2, 200_000, dtype=torch.float64), generator=seeded(8))
z_1 = 0.3 + 0.5 * eps[0]  # the rough encoder, sampled
z_2 = 0.7 * z_1 + math.sqrt(0.5) * eps[1]
p = normal(z_2, 0, 1) * normal(z_1, root * z_2, 0.4) * normal(1.5, 1.2 * z_1, 0.36)
log_w = (p / (normal(z_1, 0.3, 0.25) * normal(z_2, 0.7 * z_1, 0.5))).log()
print(f"ELBO of two latents, from samples: {log_w.mean():.4f} ± {log_w.std() / len(z_1)**0.5:.4f}")
first = gaussians.kl(Gaussian(eps.new_tensor([0.3]), eps.new_tensor(0.25)),
                     Gaussian(eps.new_tensor([1.0]), eps.new_tensor(0.2))).item()
miss = (0.7 - root) ** 2 * (0.3**2 + 0.25)  # E_q of the squared distance of the two means
second = 0.5 * ((0.5 + miss) / 0.4 - 1 - math.log(0.5 / 0.4))
print(f"(4.18): {first:.4f} + {second:.4f} = {first + second:.4f}")

# %% [markdown]
# It grows, to 1.2542 and 1.2723: each level adds the KL of its own step, 0.0158 and 0.0181 nats, and nothing else. With the
# exact encoder the bound is tight for every number of latents. Sampling agrees: −3.0948 ± 0.0040 for two of them, where
# the formula gives −3.0921.

# %% [markdown] topics="C070"
# ### Fix the encoder
#
# For Gaussian data more levels gain nothing. For images they can, because each step may be small. A curve is drawn well
# with straight pieces if the pieces are short; likewise, the way back from a small step is nearly Gaussian, and one hard
# task becomes many easy ones (chapter 05 measures how nearly). But *learning* many encoders together with many decoders
# is delicate: the upper latents easily end up unused.
#
# The way out is not to learn the encoder at all. Let every step shrink its input a little and add noise,
# $q(z_t \mid z_{t-1}) = N(\sqrt{0.7}\,z_{t-1},\ 0.3)$ with $z_0 = x$. Such an encoder has nothing to learn, and the decoder
# has a fixed task: undo the noise. Take data from $N(0, 1.8)$, and for each decoder step the exact way back,
# $p(z_{t-1} \mid z_t) = q(z_{t-1} \mid z_t)$, which `condition` of chapter 02 gives. The top latent is sampled from $N(0, 1)$.
#
# **Predict.** The encoder knows nothing about the model. Where can a gap still come from, and how does it change with the
# number of steps $T$?

# %%
for T in (1, 2, 3, 10):
    square, decoder = 1.8, []  # E[z_t^2], from the data up
    for _ in range(T):
        above = 0.7 * square + 0.3
        decoder.append((math.sqrt(0.7) * square / above, 0.3 * square / above))
        square = above
    log_p = chain_evidence(1.8, decoder)  # means over the data, E[x^2] = 1.8
    elbo_T = chain_bound(1.8, [(math.sqrt(0.7), 0.3)] * T, decoder)
    print(f"T = {T:2}: Var z_T = {square:.4f}, mean log p(x) {log_p:.4f}, mean ELBO {elbo_T:.4f}, "
          f"gap {log_p - elbo_T:.4f}")
print(f"minus the entropy of the data: {-0.5 * math.log(2 * math.pi * math.e * 1.8):.4f}")

# %% [markdown]
# The steps back are exact, so only the top is wrong: the decoder starts from variance 1, and the encoder arrives at 1.56
# for one step, but at 1.0226 for ten. The gap shrinks from 0.0247 to 0.0001 nats. With ten steps the mean log-likelihood
# itself is, to four digits, the best possible one, minus the entropy of the data.
#
# A diffusion model is this hierarchical VAE with $T$ latent variables as large as the image, $z = (x_1, \dots, x_T)$, and a
# fixed encoder that only adds noise: [chapter 05](05_forward.ipynb) builds that encoder, and
# [chapter 08](08_bound.ipynb) turns its bound (4.17) into the loss that is minimized.

# %% [markdown]
# ## Popular claims, checked
#
# - **Only the posterior turns $p(x \mid z)\,p(z)/q(z \mid x)$ into $p(x)$.** With another $q$ it depends on $z$: 0.002 and 4.7
#   where $p(x)$ is 0.159 (section 2). So it cannot be maximized in place of $p(x)$.
# - **The mean over $q$ belongs to the bound.** Without it, $\log p(x \mid z) - \mathrm{KL}$ is −4.9763 or −1.1763, depending on
#   $z$, where the ELBO is −3.0763 (section 6).
# - **Raising the bound raises a lower bound on the likelihood.** "The ELBO is maximal, so the KL is 0, so the likelihood is
#   maximal" holds if the family of $q$ contains the posterior. With a mean-field $q$ we found $\theta = 1.47$ where the
#   likelihood has its maximum at 2 (section 5).

# %% [markdown]
# ## Recap
#
# A model with latent variables gives a data point the evidence $p(x) = \int p(x \mid z)\,p(z)\,dz$. For any $q$, $\log p(x)$
# is the ELBO plus the KL from $q$ to the posterior. Improving $q$ moves nats from the gap to the bound and leaves their sum
# as it is. Raising the bound is guaranteed to raise the likelihood only if $q$ can be the posterior. With several latents in a
# chain the bound is a sum over steps, and with a fixed encoder that adds noise the chain is a diffusion model.
#
# **One formula to keep**
#
# $$\log p(x) = \underbrace{E_q[\log p(x \mid z)] - \mathrm{KL}\big(q(z \mid x) \,\|\, p(z)\big)}_{\text{ELBO}} + \mathrm{KL}\big(q(z \mid x) \,\|\, p(z \mid x)\big)$$
#
# **Exercises:** 4.1 `elbo.bound` · 4.2 `elbo.joint_kl` (detour)
#
# **Before:** [03 · Estimators](03_estimators.ipynb) · **Next:** [04b · a VAE on digits](04b_vae_on_digits.ipynb), or
# straight on to [05 · How does data become noise, in one line?](05_forward.ipynb)
