# %% [markdown]
# # 04 · Why maximize a bound, when is it tight, and what does one step cost?
#
# Somebody wrote a seven: they had a digit in mind, a slant, a pen. You see 64 pixels and nothing of that. A
# model with such hidden causes can write new digits. But how likely does it find *yours*? That is a sum over
# all causes, and nobody can compute it. What do people maximize instead, and what do they lose?
#
# **After this chapter you can**
#
# - split the log-likelihood into a bound and a gap, in three ways, and say when the gap is 0,
# - say what pushing up the bound does to the likelihood, and when it does harm,
# - train a variational auto-encoder on real digits, and read its loss in nats,
# - say why some of its numbers stay unused and its pictures blurred, and what diffusion changes.
#
# **You need** [01 · Bayes](01_bayes.ipynb) (prior, evidence, posterior),
# [02 · Distributions](02_distributions.ipynb) (normal laws and the KL between them) and
# [03 · Estimators](03_estimators.ipynb) (standard errors, gradients through a draw). About 70 minutes without
# the parts marked *optional* (25 minutes more), with a place for a break; it runs in under a minute.
#
# **In the papers:** [KW14] Kingma and Welling 2014; [NH98] Neal and Hinton 1998 (section 5); [TB99] Tipping
# and Bishop 1999 and [Luc19] Lucas et al. 2019 (section 7); [Hig17] Higgins et al. 2017 (section 8).

# %%
import math

import torch

from ddpm_lab import datasets, elbo, gaussians, ideal_denoisers, networks, schedules
from ddpm_lab.course import explorers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded

z = torch.linspace(-8, 8, 1601, dtype=torch.float64)  # hidden causes on a grid, spacing 0.01


def normal(x, mean, var):
    """The density of N(mean, var) at x."""
    return torch.exp(-((x - mean) ** 2) / (2 * var)) / math.sqrt(2 * math.pi * var)

# %%
def spiral(z):
    """The place in the plane to which the cause z leads: (N,) -> (N, 2)."""
    share = torch.special.ndtr(z)  # the share of N(0, 1) below z, from 0 to 1
    angle, radius = 4 * math.pi * share, 0.2 + 1.2 * share
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
for mark in (-1.0, 0.0, 1.0):
    place = spiral(torch.tensor([mark]))[0].tolist()
    axes[0].text(*place, f"z = {mark:g}", backgroundcolor="white", fontsize=9)
axes[0].plot(*star, "*", color=figures.RED, markersize=16)
axes[0].set(xlabel="first number of x", ylabel="second", title="1000 data, each made by one z")
figures.curves(z, {"before: p(z)": normal(z, 0, 1), "for the star: p(z | x)": belief}, ax=axes[1],
               xlabel="hidden cause z", ylabel="density", title="What was the star's cause?")
axes[1].set_xlim(-3, 3)
figures.show(fig, alt="Points along a spiral; the star between two arms has two likely causes.")
for side in (z < 0, z >= 0):
    print(f"likely cause z = {z[side][belief[side].argmax()]:+.2f}, "
          f"probability of this side {belief[side].sum() * 0.01:.2f}")

# %% [markdown]
# ## 1 · Hidden causes
#
# Each point of the left picture was made in two draws: first a number $z$ that nobody sees, from $N(0, 1)$;
# then a point $x$ near the place on the spiral to which $z$ leads. What we see has two dimensions and a
# strange shape. What made it has one dimension and the simplest law there is. Plato's prisoners see shadows
# on a wall and must guess what casts them; much of science is of that kind. A hidden cause is also called a
# **latent variable** or a **code**.
#
# (A letter with two lives: in chapters 05 to 17 a sampler's fresh noise is called $z$. Here $z$ is the hidden
# cause, and noise is always $\epsilon$.)
#
# Four laws belong to such a model. Its adjustable numbers are called $\theta$.
#
# | law | name | here |
# |---|---|---|
# | $p(z)$ | **prior** of the cause | $N(0, 1)$ |
# | $p_\theta(x \mid z)$ | **decoder**, from cause to data | $N(\text{place of } z,\ 0.15^2 I)$ |
# | $p_\theta(x) = \int p_\theta(x \mid z)\,p(z)\,dz$ | **evidence**, or likelihood of the model | unknown |
# | $p_\theta(z \mid x)$ | **posterior**, from data to cause | two peaks for the star |
#
# The first two are chosen, and **generation** needs only them: draw $z$, then $x$. The last two follow, and
# **inference**, the way back from $x$ to $z$, is the hard one. The star lies between two arms. Its posterior
# has one peak at $z = -0.51$ with probability 0.55, and another at $0.83$. To find that we listed 1601 causes
# and divided by their sum, which is the evidence. For *one* hidden number this works. With 16 of them and
# only 100 grid points for each, the list has $10^{32}$ entries.
#
# The same sum stands in the way of training. A good model makes the data likely, so we would like to maximize
#
# $$\log p_\theta(x) = \log \int p_\theta(x \mid z)\,p(z)\,dz, \tag{4.1}$$
#
# averaged over the data. For the next sections take the model of chapter 03, small enough to know everything
# about it: $z \sim N(0, 1)$ and $x = 1.2\,z + 0.6\,\epsilon$, one number each, and one datum, $x = 1.5$.

# %%
# eq: 4.1
joint = normal(z, 0, 1) * normal(1.5, 1.2 * z, 0.36) * 0.01  # p(z) p(x | z), as masses on the grid
posterior = joint / joint.sum()
cause = Gaussian(torch.zeros(1, dtype=torch.float64), torch.tensor(1.0))
data = gaussians.push(cause, scale=1.2, noise_var=0.36)  # the law of 1.2 z + noise (chapter 02)
as_normal = normal(1.5, 0, data.var)
print(f"p(x) = {joint.sum():.6f} by the sum, {as_normal:.6f} as N(0, {data.var:.2f})")
print(f"log p(x) = {joint.sum().log():.4f} nats")
mean = (posterior * z).sum()
print(f"posterior: mean {mean:.4f}, variance {(posterior * (z - mean) ** 2).sum():.4f}")

# %% [markdown]
# The datum has $\log p(x) = -1.8378$, and its cause is $N(1, 0.2)$, given $x$. Remember both.
#
# ## 2 · Bayes' rule with a wrong posterior
#
# Bayes' rule, solved for the evidence, needs no integral at all:
#
# $$p_\theta(x) = \frac{p_\theta(x \mid z)\,p(z)}{p_\theta(z \mid x)} \qquad\text{for every single } z. \tag{4.2}$$
#
# The catch is the posterior below the line. So let a second law $q(z)$ stand in for it, one that we can write
# down, such as $N(0.3, 0.25)$. (When it depends on $x$ it is written $q(z \mid x)$ and called the
# **encoder**; a network that supplies a $q$ for every $x$ is an *amortized* one.) You may read that (4.2)
# then becomes $p_\theta(x) = p_\theta(x \mid z)\,p(z)/q(z \mid x)$, to be maximized.
#
# **Predict.** With the true posterior the fraction is $p(x) = 0.159162$ at every $z$. What is it with $q$, at
# $z = -0.5$ and at $z = 2$?

# %%
# eq: 4.2
# claim: E45
q = normal(z, 0.3, 0.25) * 0.01  # a guess at the posterior: N(0.3, 0.25)
for value in (-0.5, 0.3, 1.0, 2.0):
    i = round((value + 8) * 100)  # its row in the grid
    print(f"z = {value:4}: joint / posterior = {joint[i] / posterior[i]:.6f}, "
          f"joint / q = {joint[i] / q[i]:.5f}")

# %% [markdown]
# With $q$ the fraction is 0.002 here and 4.7 there. It is no longer $p(x)$, and maximizing it means nothing:
# a $q$ that avoids the chosen $z$ makes it as large as you like. Call it the **weight** of $z$,
#
# $$w(z) = \frac{p_\theta(x \mid z)\,p(z)}{q(z)}. \tag{4.3}$$
#
# There are three ways to get rid of the $z$ in it: look at one $z$; average over draws of $q$, then take the
# log; or take the log, then average. **Predict:** which of the three could judge a $q$?

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
# - **One $z$**: any number comes out. The worst $q$, far away at $-2$, gives the largest.
# - **Average, then log**: always −1.8378, the true $\log p(x)$, since
#   $E_q[w] = \int q\,\frac{p(x \mid z)p(z)}{q}\,dz = p(x)$. That is right, and blind to $q$.
# - **Log, then average**: never above −1.8378, the higher the better $q$ is, and exactly that for the
#   posterior $N(1, 0.2)$, where all weights are equal.
#
# The third one is the **evidence lower bound**, or ELBO, that you met in chapter 03. It judges $q$ *and* it
# is a mean over draws of $q$, which anybody can estimate.
#
# ## 3 · The same identity, three ways
#
# **Insert $q$.** Begin with $\log p(x)$, which does not depend on $z$. Averaging it over any law of $z$
# changes nothing; then use (4.2), then multiply and divide by $q(z)$:
#
# $$\begin{aligned}
# \log p(x) &= E_q\big[\log p(x)\big]  \\
# &= E_q\Big[\log \frac{p(x, z)}{p(z \mid x)}\Big] \\
# &= E_q\Big[\log \frac{p(x, z)}{q(z)} + \log\frac{q(z)}{p(z \mid x)}\Big] \\
# &= \underbrace{E_q\Big[\log \frac{p(x, z)}{q(z)}\Big]}_{\text{ELBO}}
# + \underbrace{\mathrm{KL}\big(q(z) \,\|\, p(z \mid x)\big)}_{\text{gap}, \ \ge\ 0}.
# \end{aligned} \tag{4.4}$$
#
# Here $p(x, z) = p(x \mid z)\,p(z)$. One line of the four uses more than algebra: the first needs that $q$ is
# *normalized*. And the KL is finite only if $q$ stays where the posterior is above 0.
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
# $-1.837832 = -3.076260 + 1.238428$. And a $q$ that puts 27 % of its mass where the posterior has none pays
# with an infinite KL; its bound is $-\infty$, which is true and useless. "$q$ is arbitrary" needs these two
# conditions.
#
# **From the KL side.** Start from what we would like to make small, the KL to the posterior, and insert
# Bayes' rule:
#
# $$\mathrm{KL}\big(q \,\|\, p(z \mid x)\big) = E_q\big[\log q(z) - \log p(x, z)\big] + \log p(x). \tag{4.5}$$
#
# The unknown $\log p(x)$ leaves the mean as a constant. So to bring $q$ close to a posterior that nobody can
# compute, minimize the first term, which everybody can. Why not the KL in the other direction,
# $\mathrm{KL}(p(z \mid x) \,\|\, q)$? Its mean runs over draws of the posterior, and those are what we do not
# have.
#
# **By Jensen.** $\log E_q[w] \ge E_q[\log w]$ for any positive $w$ (chapter 03). With (4.3) the left side is
# $\log p(x)$:
#
# $$\log p(x) = \log E_q[w] \;\ge\; E_q[\log w], \quad\text{with equality only if } w \text{ is constant.} \tag{4.6}$$
#
# This is the shortest way, and the only one of the three that does not say how large the gap is.

# %%
# eq: 4.5, 4.6
exact = Gaussian(torch.tensor([1.0]), torch.tensor(0.2))  # the posterior
for m, v in ((0.3, 0.25), (0.9, 0.25), (1.0, 0.2)):
    found = elbo.split(normal(z, m, v) * 0.01, joint)
    guess = Gaussian(torch.tensor([m]), torch.tensor(v))
    formula = gaussians.kl(guess, exact).item()  # KL of two normals, from chapter 02
    print(f"q = N({m}, {v:4}): log p(x) {found.log_evidence:.4f}, ELBO {found.elbo:.4f}, "
          f"gap {found.kl:.4f}; KL to N(1, 0.2) by formula {formula:.4f}")

# %% [markdown]
# ### Exercise 4.1 · The bound of a list
#
# Suppose there are only a few possible causes. `q` holds their probabilities under $q$, `joint` the numbers
# $p(x, z)$ for one and the same $x$ (so they add up to $p(x)$, not to 1). Both have shape `(K,)`.

# %% tags=["exercise"]
def my_bound(q, joint):
    """Return the ELBO, nats."""
    ### BEGIN SOLUTION
    return (q * (joint / q).log()).sum()
    ### END SOLUTION


bound = check("elbo.bound", my_bound)
three = torch.tensor([0.02, 0.05, 0.03], dtype=torch.float64)  # p(x, z) for three causes
tries = {"the posterior": [0.2, 0.5, 0.3], "no idea": [1 / 3] * 3, "sure": [0.8, 0.1, 0.1]}
for name, weights in tries.items():
    print(f"q is {name:>13}: ELBO {bound(torch.tensor(weights).double(), three):.4f}, "
          f"log p(x) {three.sum().log():.4f}")

# %% [markdown]
# ## 4 · Move q yourself
#
# Left: the posterior, and your $q$. Right: the ELBO for every place of $q$'s mean, under the line
# $\log p(x)$.
#
# **Predict** before you move. (1) Which $q$ closes the gap completely? (2) What happens to the line
# $\log p(x)$ when you move $q$? (3) Choose *two bumps* and $x = 2$. There $x = 1.2\,|z| + 0.6\,\epsilon$, so
# $z$ and $-z$ are equally likely. How small can the gap get?
#
# <details><summary>Answer</summary>
#
# (1) Mean 1 and standard deviation $\sqrt{0.2} \approx 0.45$, the posterior. (2) Nothing: only the share of
# ELBO and KL changes. (3) About 0.69 nats, at mean ±1.35 and standard deviation 0.45: one normal law cannot
# cover two bumps that far apart, so it settles on one (chapter 02), and forgetting half of the cases costs
# $\log 2 = 0.69$. The next cell searches.
#
# </details>

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
# ### Optional: the word *variational*
#
# Calculus asks where a *number* makes a function largest. The **calculus of variations** asks which
# *function* makes a number largest: here the function is $q$, and the number the ELBO. At the best function,
# small variations change nothing to first order. You may read that $\theta$ is what is varied; in variational
# inference it is $q$. Move the mean of the best $q$ by $\delta$ of its standard deviations: the ELBO loses
# $\delta^2/2$, which has no part of first order.

# %%
# claim: E44
for delta in (0.1, 0.01, 0.001):
    moved = normal(z, 1.0 + delta * math.sqrt(0.2), 0.2) * 0.01
    lost = elbo.split(moved, joint).kl
    print(f"mean moved by {delta:5} standard deviations: the ELBO falls by {lost:.0e}")

# %% [markdown]
# ## 5 · Does a higher bound mean a higher likelihood?
#
# We raise the ELBO, but what we want is $\log p_\theta(x)$. Take turns:
#
# 1. Keep $\theta$ and improve $q$. By (4.4) the sum of ELBO and gap is fixed, so the gap shrinks. With $q$ at
#    the posterior it is 0, and the ELBO *is* the log-likelihood.
# 2. Keep $q$ and improve $\theta$ until the ELBO is higher. The log-likelihood lies above the ELBO, so
#
# $$\log p_{\text{new}}(x) \;\ge\; \mathrm{ELBO}(q, \theta_{\text{new}}) \;\ge\;
# \mathrm{ELBO}(q, \theta_{\text{old}}) \;=\; \log p_{\text{old}}(x). \tag{4.7}$$
#
# So the likelihood never falls. This is the **EM algorithm** (for expectation and maximization) [NH98].
#
# **Predict.** Which sign in (4.7) needs that $q$ is the *exact* posterior?
#
# <details><summary>Answer</summary>
#
# The equals sign. If $q$ cannot be the posterior, the old ELBO lies below the old log-likelihood, and the
# chain says nothing about the latter.
#
# </details>
#
# Test it with two hidden numbers, $x = \theta\,(z_1 + z_2) + \epsilon$, and data with $E[x^2] = 9$. The
# variance of $x$ is $2\theta^2 + 1$, so the most likely $\theta$ is 2. Given $x$, the two causes are tied
# together: if $z_1$ was large, $z_2$ need not have been. Two runs, with two kinds of $q$:
#
# - **the posterior.** Only the sum $z_1 + z_2$ matters. Its prior is $N(0, 2)$, and `condition` (chapter 02)
#   gives it the mean $2\theta x/(1 + 2\theta^2)$ and the variance $2/(1 + 2\theta^2)$.
# - **independent** $z_1$ and $z_2$, called *mean-field*: what nearly every VAE does. The best such $q$ has the
#   same mean, and the variance $1/(1+\theta^2)$ for each number (an optional cell below tries others), so
#   $2/(1+\theta^2)$ for the sum. It misses the posterior by
#
# $$\mathrm{KL} = \tfrac12 \log\frac{(1+\theta^2)^2}{1 + 2\theta^2}. \tag{4.8}$$
#
# How does $\theta$ improve, for a given $q$? It enters the ELBO only through
# $-\frac12 E_q[(x - \theta\,(z_1 + z_2))^2]$, a squared error. So the best $\theta$ is the slope of a
# straight-line fit, $E[x\,(z_1+z_2)] / E[(z_1+z_2)^2]$.

# %%
def log_likelihood(theta):
    """Mean of log p(x) over data with E[x^2] = 9."""
    return -0.5 * (math.log(2 * math.pi * (2 * theta**2 + 1)) + 9 / (2 * theta**2 + 1))


def gap(theta):
    """(4.8): KL from the best independent q to the posterior."""
    return 0.5 * math.log((1 + theta**2) ** 2 / (1 + 2 * theta**2))


def turns(theta, exact, rounds=100):
    """EM, the thetas on the way: q for this theta, then the theta that fits x to z_1 + z_2 best."""
    path = [theta]
    for _ in range(rounds):
        var = 2 / (1 + 2 * theta**2) if exact else 2 / (1 + theta**2)  # of z_1 + z_2 under q
        slope = 2 * theta / (1 + 2 * theta**2)  # its mean is slope * x
        theta = slope * 9 / (slope**2 * 9 + var)  # E[x (z_1 + z_2)] / E[(z_1 + z_2)^2]
        path.append(theta)
    return path

# %%
# claim: E50
thetas = torch.linspace(0.5, 3, 251).tolist()
curve = {"log-likelihood": [log_likelihood(t) for t in thetas],
         "best ELBO with independent q": [log_likelihood(t) - gap(t) for t in thetas]}
fig = figures.curves(thetas, curve, xlabel="theta", ylabel="nats, mean over the data", height=2.8)
fig.axes[0].set_ylim(-4, -2.4)
for exact, color in ((True, figures.BLUE), (False, figures.RED)):
    path = turns(0.6, exact)
    y = [log_likelihood(t) - (0 if exact else gap(t)) for t in path]
    fig.axes[0].plot(path, y, "o", color=color, markersize=4)
    name = "the posterior" if exact else "independent"
    print(f"q {name:>13}: theta goes 0.6, {path[1]:.3f}, {path[2]:.3f}, … {path[-1]:.4f}; "
          f"log-likelihood {log_likelihood(path[-1]):.4f}, ELBO {y[-1]:.4f}")
figures.show(fig, alt="The likelihood peaks at theta 2; the best independent bound peaks at 1.47.")
print(f"nats lost {log_likelihood(2) - log_likelihood(path[-1]):.4f}, gap {gap(path[-1]):.4f}")

# %% [markdown]
# With the posterior, EM climbs to 2.0000. With independent $q$ it climbs to 1.4735, where the gap is 0.3163
# nats and the likelihood 0.0815 nats *below* its maximum. Begin at the best $\theta = 2$ and climb the
# dashed curve: you lose likelihood. The bound prefers models whose posterior its $q$ can imitate.
#
# You may read the argument as "the ELBO is maximal, so the KL is 0, so the likelihood is maximal". What is
# true: that holds if the family of $q$ contains the posterior, for every $x$ and every $\theta$. Then the
# equals sign in (4.7) holds. In general raising the ELBO raises *the ELBO*, a floor under the likelihood.
#
# (A sentence of the same kind, "at the maximum the KL from data to model is 0", was settled in chapter 03:
# that KL is between two laws of $x$, and has nothing to do with the gap, which is between two laws of $z$.)

# %% [markdown]
# ### Optional: (4.7) and (4.8) in numbers
#
# First the chain (4.7), in three turns. Then the best independent $q$: its precision (one over the variance)
# is the diagonal of the posterior's precision matrix. Does a wider or a narrower $q$ come closer?

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
    print(f"KL of the two normals, variances of q times {factor:4}: {nats:.4f}")
print(f"start at the best theta, 2, and raise this bound: the log-likelihood changes by "
      f"{log_likelihood(theta) - log_likelihood(2.0):+.4f}")

# %% [markdown]
# In the first three lines the numbers rise from left to right, as (4.7) says. And both other variances miss
# the posterior by more than $1/(1+\theta^2)$ does.

# %% [markdown]
# ## 6 · A variational auto-encoder
#
# Now the real thing. The causes are `latents` numbers with the prior $N(0, I)$. Two small networks supply the
# rest:
#
# | network | in | out | law |
# |---|---|---|---|
# | encoder, weights $\varphi$ | a picture $x$ | mean and log-variance, one each per latent | $q_\varphi(z \mid x)$, normal, independent axes |
# | decoder, weights $\theta$ | a code $z$ | a mean picture $\mu_\theta(z)$ | $p_\theta(x \mid z) = N(\mu_\theta(z), \sigma^2 I)$ |
#
# $\sigma^2$ is one constant. (Some notes print the decoder's mean as $\mu_\varphi$, and the encoder as
# $p_\varphi$. Keep the letters apart: $\varphi$ looks at pictures, $\theta$ makes them.) Split the joint law
# in the ELBO, $p(x, z) = p(x \mid z)\,p(z)$, and it falls into two terms that each have a meaning:
#
# $$\mathrm{ELBO} = \underbrace{E_q\big[\log p_\theta(x \mid z)\big]}_{\text{reconstruction}}
# \;-\; \underbrace{\mathrm{KL}\big(q_\varphi(z \mid x) \,\|\, p(z)\big)}_{\text{what the code costs}}. \tag{4.9}$$
#
# Mind the $E_q$. It is missing in some notes, and then the right side depends on $z$:

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
# The second term has a closed form. For one axis it was in chapter 02; independent axes add up:
#
# $$\mathrm{KL}\big(N(m, \operatorname{diag} v) \,\|\, N(0, I)\big) = \tfrac12 \sum_k \big[v_k + m_k^2 - 1 - \log v_k\big]. \tag{4.10}$$
#
# ### Exercise 4.2 · What a code costs
#
# The encoder gives `mean` and `log_var`, the *logarithm* of the variance, each of shape `(B, K)`: `B`
# pictures, `K` latents. (A network may output any number, and the exponential of any number is a valid
# variance.) Return (4.10) for each picture, shape `(B,)`.

# %% tags=["exercise"]
def my_kl(mean, log_var):
    """Return KL(N(mean, exp(log_var)) || N(0, I)) for each item, nats: (B,)."""
    ### BEGIN SOLUTION
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(dim=1)
    ### END SOLUTION


code_cost = check("elbo.kl", my_kl)

# %%
# eq: 4.10
mean, log_var = torch.tensor([[0.3]]), torch.tensor([[0.25]]).log()
by_formula = code_cost(mean, log_var).item()
print(f"our q, N(0.3, 0.25): by the grid {to_prior:.4f}, by (4.10) {by_formula:.4f}")
for m, v in ((0.0, 1.0), (1.0, 1.0), (0.0, 0.01), (2.0, 0.01)):
    cost = code_cost(torch.tensor([[m]]), torch.tensor([[v]]).log()).item()
    print(f"q = N({m:g}, {v:4g}) costs {cost:.3f} nats")

# %% [markdown]
# A $q$ equal to the prior costs nothing and says nothing. To be sure of a number to within 0.1 costs 1.8
# nats, and 3.8 if that number is unusual. The KL is the price of information in the code.
#
# The first term of (4.9) is a squared error in disguise. For $D$ pixels,
#
# $$\log p_\theta(x \mid z) = -\frac{\|x - \mu_\theta(z)\|^2}{2\sigma^2} - \frac{D}{2}\log(2\pi\sigma^2). \tag{4.11}$$
#
# ### Exercise 4.3 · What is left of the picture
#
# Return (4.11) for each item. `x` and `x_mean` have shape `(B, …)`, so flatten the errors first:
# `(x - x_mean).flatten(1)` is `(B, D)`. `var` is $\sigma^2$, a tensor with one number in it, so take
# `var.log()`. (`math.log(var)` would give the right number and cut the gradient.)

# %% tags=["exercise"]
def my_reconstruction(x, x_mean, var):
    """Return log N(x; x_mean, var I) for each item, nats: (B,)."""
    ### BEGIN SOLUTION
    error = (x - x_mean).flatten(1)
    constant = error.shape[1] * (2 * math.pi * var).log()
    return -0.5 * (error.square().sum(dim=1) / var + constant)
    ### END SOLUTION


reconstruction = check("elbo.reconstruction", my_reconstruction)

# %%
# eq: 4.11
train, test = (datasets.digits(split)[0] for split in ("train", "test"))  # (896, 1, 8, 8), (901, …)
average = train.mean(0).expand_as(test)  # always guess the mean picture
law = torch.distributions.Normal(average, math.sqrt(0.1))  # an independent implementation
theirs = law.log_prob(test).sum((1, 2, 3)).mean()
ours = reconstruction(test, average, torch.tensor(0.1)).mean()
print(f"guessing the mean picture, sigma^2 = 0.1: {ours:.2f} nats; PyTorch's own: {theirs:.2f}")

# %% [markdown]
# ### Exercise 4.4 · The loss
#
# Put it together. The mean over $q$ is estimated by **one** draw of the code. So that the gradient passes
# through the draw, write it as $z = m + \sqrt{v}\,\epsilon$ with noise `eps` that has no weights in it
# (chapter 03). An optimizer *minimizes*, so the loss is **minus** the ELBO. `beta` multiplies the KL; it is 1
# until section 8.
#
# `x` is a batch of `B` pictures, and `eps` has the shape of their codes, `(B, K)`. `vae.encode(x)` gives
# `mean, log_var`; `vae.decode(z)` gives the mean picture; `vae.var` is $\sigma^2$, a tensor. (Your two
# functions above are at hand: `reconstruction` and `code_cost`.)

# %% tags=["exercise"]
def my_loss(vae, x, eps, beta=1.0):
    """Return beta * KL - reconstruction for each item, nats: (B,)."""
    ### BEGIN SOLUTION
    mean, log_var = vae.encode(x)
    code = mean + (0.5 * log_var).exp() * eps
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(code), vae.var)
    ### END SOLUTION


loss_of = check("elbo.loss", my_loss)

# %% [markdown]
# The package says the same in `elbo.terms` and `elbo.loss`:

# %%
figures.show_source(elbo.terms)
figures.show_source(elbo.loss)

# %% [markdown]
# And this is all of the training: networks, the bound, and gradient steps on random batches. A batch of 64
# digits stands for all 896: its mean gradient is right on average, like every mean of random terms.

# %%
def fit(vae, x, loss_of=loss_of, steps=1500, size=64, lr=2e-3):
    """Raise the bound on batches of x; return the loss of every step."""
    rng, history = seeded(1), []
    optimizer = torch.optim.Adam(vae.parameters(), lr=lr)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)  # lr falls to 0
    for _, batch in zip(range(steps), datasets.batches(x, size, generator=rng)):
        eps = normal_like(batch.new_empty(size, vae.latents), generator=rng)
        loss = loss_of(vae, batch, eps).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
        history.append(loss.item())
    return torch.tensor(history)

# %%
# claim: E56
vae = networks.build(networks.VAE, seed=0, shape=(1, 8, 8), latents=16, var=0.1)
code = vae.encode(train)[0]
print(f"pictures {tuple(train.shape)}, codes {tuple(code.shape)}, "
      f"decoded {tuple(vae.decode(code).shape)}")
history = fit(vae, train)
smooth = history.reshape(-1, 50).mean(1)  # means of 50 steps
fig = figures.curves(torch.arange(25, 1500, 50), {"": smooth}, xlabel="step", height=2.4,
                     ylabel="loss = -ELBO, nats")
figures.show(fig, alt="The loss falls from above 100 to 16 nats, fast at first.")
print("mean loss of steps 1-50, 451-500, 951-1000, 1451-1500:",
      ", ".join(f"{smooth[i]:.2f}" for i in (0, 9, 19, 29)))

# %%
@torch.no_grad()
def judge(vae, x, draws=20):
    """Reconstruction, KL, ELBO: means over x and draws, nats; and the ELBO's standard error."""
    eps = normal_like(x.new_empty(draws, len(x), vae.latents), generator=seeded(9))
    found = [elbo.terms(vae, x, noise) for noise in eps]
    rec = torch.stack([terms.reconstruction for terms in found]).mean(0)  # one number for each item
    total = rec - found[0].kl
    stderr = total.std() / math.sqrt(len(x))
    return rec.mean().item(), found[0].kl.mean().item(), total.mean().item(), stderr.item()


for name, x in (("seen", train), ("new", test)):
    rec, cost, total, stderr = judge(vae, x)
    print(f"{name:>4} digits: reconstruction {rec:6.2f}, KL {cost:5.2f} ({cost / math.log(2):.1f} "
          f"bits), ELBO {total:6.2f} ± {stderr:.2f} nats per digit")
var = ((average - test) ** 2).mean()  # the best variance for it
print(f"always the mean picture: {reconstruction(test, average, var).mean():.2f}")

# %% [markdown]
# A new digit's bound is −18.47 nats (± is the standard error over digits), and that is the honest number: for
# the digits that the network has seen it is 3 nats higher. On average a code tells at most 12.17 nats about
# its digit, 17.6 bits. (A density may exceed 1 and its log 0, so bounds have no natural zero. Compare them
# with each other: always answering the mean picture has −51.78.)
#
# A picture goes into a code and comes back, hence **auto-encoder**; *variational*, because $q$ is varied to
# raise the bound.
#
# **Predict.** Below: new digits, the same after encoding and decoding, pictures decoded from random codes of
# the prior, and a straight walk between the codes of a 0 and a 1. How will the third row differ from the
# first?

# %%
with torch.no_grad():
    codes = normal_like(torch.empty(8, 16), generator=seeded(3))
    start, end = elbo.encode(vae, test[[6, 3]]).mean  # the codes of a 0 and a 1
    walk = start + torch.linspace(0, 1, 8)[:, None] * (end - start)
    rows = [test[:8], vae(test[:8]), vae.decode(codes), vae.decode(walk)]
names = ["new digits", "reconstructed", "from the prior", "between two codes"]
fig = figures.images(torch.cat(rows), columns=8, row_labels=names)
figures.show(fig, alt="Digits, softer reconstructions, soft digit-like samples, and a morph.")
print(f"squared error per pixel of the reconstructions: {((vae(test) - test) ** 2).mean():.4f}")
print(f"of the mean picture:                            {((average - test) ** 2).mean():.4f}")

# %% [markdown]
# Sixteen numbers keep most of a digit, random ones make digit-like pictures, and between two codes lie
# plausible pictures: the code can be edited. All of it is soft, as if out of focus. Sections 7 and 9 say why.
#
# How large is the gap? The bound cannot tell. But the weights (4.3) can, many of them:
# $\log\frac1S\sum_s w(z_s)$ with $S$ draws of $q$ rises towards $\log p(x)$ as $S$ grows (chapter 03). It
# also shows what the encoder is good for: one could draw the codes from the prior instead.

# %%
few = test[:100]
eps = normal_like(torch.empty(2000, 100, 16), generator=seeded(4))
print(f"ELBO, the average of 1 draw:   {elbo.log_evidence(vae, few, eps[:1]).mean():8.2f}")
for S in (10, 100, 2000):
    print(f"{S:5} draws of the encoder:    {elbo.log_evidence(vae, few, eps[:S]).mean():8.2f}")
with torch.no_grad():
    guess = elbo.decode(vae, eps[:, 0])  # 2000 codes of the prior
    from_prior = [gaussians.log_prob(guess, x.expand_as(guess.mean)).logsumexp(0) for x in few]
print(f" 2000 draws of the prior:      {torch.stack(from_prior).mean() - math.log(2000):8.2f}")

# %% [markdown]
# The average bound of these 100 digits is −17.76 nats, from one draw each; 2000 draws of the encoder say that
# $\log p(x)$ is at least −15.88. So the gap is about 2 nats or more: what the encoder says is not quite this
# decoder's posterior. And 2000 draws of the prior do not even reach the bound: nearly all of them miss the
# digit. The encoder knows where to look.
#
# One can also maximize *that* bound, which is tighter; chapter 03 showed the price.
#
# ### Optional: what minibatches do, and do not
#
# "Random batches give unbiased gradients, so stochastic gradient descent reaches the maximum." The first half
# is true. With a *constant* step $\eta$ the weights do not settle, they rattle around a place where the mean
# gradient is 0. The smallest case: estimate the mean of $N(0,1)$ data by steps on
# $\frac12(\theta - \bar x)^2$ for batches of 10. Then $\theta$ keeps a variance of
# $\frac{\eta}{2-\eta}\cdot\frac1{10}$. That is why `fit` lets its step fall to 0.

# %%
# claim: E55
means = normal_like(torch.empty(200_000, 10, dtype=torch.float64), generator=seeded(5)).mean(1)
for name, size in (("constant step 0.1", lambda n: 0.1), ("falling, 1 / n", lambda n: 1 / n)):
    theta, path = 1.0, []
    for n, batch_mean in enumerate(means.tolist(), start=1):
        theta = theta - size(n) * (theta - batch_mean)
        path.append(theta)
    late = torch.tensor(path[100_000:], dtype=torch.float64)
    print(f"{name:>17}: the last 100,000 theta scatter by {late.std():.4f}")
print(f"theory for the constant step: {math.sqrt(0.1 / 1.9 / 10):.4f}")

# %% [markdown]
# With the constant step $\theta$ rattles by 0.07 for ever, as the theory says, within chance; with a falling
# one it settles.
#
# **A good place for a break.** So far: what the bound is, and a network that raises it. Next: what the
# constant $\sigma^2$ does.

# %% [markdown]
# ## 7 · The decoder's variance decides what is worth saying
#
# "The decoder's variance is a constant, and need not concern us," say some notes. Take the one VAE that can
# be solved by hand: a **straight-line** decoder, $\mu(z) = c + \sum_k a_k z_k$ with vectors $a_k$. In one
# dimension $x$ then is $N(c, a^2 + \sigma^2)$. Data of variance $\lambda$ want $a^2 + \sigma^2 = \lambda$;
# but $a^2$ cannot be negative. So if $\lambda < \sigma^2$ the best is $a = 0$: the code is not used. It is
# the same in every direction [TB99]. Turn the axes so that the data along them are uncorrelated, the
# **principal** directions, and call the variances along them $\lambda_1 \ge \lambda_2 \ge \dots$. At the
# maximum $a_k$ points along the $k$-th of them, with
#
# $$\|a_k\|^2 = \max(0,\ \lambda_k - \sigma^2), \qquad
# \text{mean } \mathrm{KL}_k = \tfrac12 \log\max\!\Big(1,\ \frac{\lambda_k}{\sigma^2}\Big), \tag{4.12}$$
#
# and the posterior is a normal law with independent axes, so the bound is tight [Luc19]. A latent with
# $a_k = 0$ is **dead**, or collapsed: its $q$ is the prior, whatever $x$ is.
#
# ### Exercise 4.5 · How many are alive?
#
# `spread` holds the variances of the data along all principal directions, in any order. The code has
# `latents` numbers; `var` is $\sigma^2$. How many latents are alive at the optimum?
# (`spread.sort(descending=True).values` may help.)

# %% tags=["exercise"]
def my_alive(spread, latents, var):
    """Return the number of latents that the best linear VAE uses, an int."""
    ### BEGIN SOLUTION
    largest = spread.sort(descending=True).values[:latents]
    return int((largest > var).sum())
    ### END SOLUTION


alive = check("elbo.active_units", my_alive)

# %% [markdown]
# **Predict.** Three uncorrelated numbers with variances 4, 1 and 0.25, and three latents. How many are alive
# for $\sigma^2 = 0.1$, 0.5, 2 and 5? And will training find that? (The data below are eight corner points
# with just these variances. `depth=0` makes encoder and decoder straight lines.)

# %%
# eq: 4.12
# claim: E57
corners = torch.cartesian_prod(*(torch.tensor([-s, s]) for s in (2.0, 1.0, 0.5))).repeat(25, 1)
spread = torch.tensor([4.0, 1.0, 0.25])
for var in (0.1, 0.5, 2.0, 5.0):
    best = elbo.ppca(corners, latents=3, var=var)  # (4.12)
    line = networks.build(networks.VAE, seed=0, shape=(3,), latents=3, depth=0, var=var)
    _ = fit(line, corners, steps=1000, size=200, lr=0.1)
    with torch.no_grad():
        costs = elbo.latent_kl(elbo.encode(line, corners)).mean(0).sort(descending=True).values
    trained, formula = ([round(c, 2) for c in kl.tolist()] for kl in (costs, best.kl))
    print(f"sigma^2 = {var}: {alive(spread, 3, var)} alive; KL of each {trained}, best {formula}; "
          f"ELBO {judge(line, corners, 500)[2]:.2f}, best {best.log_evidence:.2f}")

# %% [markdown]
# 3, 2, 1, 0: the decoder declares everything below $\sigma^2$ to be noise, and noise is not put into the
# code. Training comes within 0.01 nats of the best. Nothing went wrong in the dead cases. Dead latents are
# often blamed on the bound, but here the likelihood itself is at its maximum.
#
# Does it hold for digits and curved decoders? Train the same network with other variances. We call a latent
# alive if it costs more than 0.1 nats.

# %%
vaes = {0.1: vae}
for var in (0.02, 0.5, 2.0):
    vaes[var] = networks.build(networks.VAE, seed=0, shape=(1, 8, 8), latents=16, var=var)
    _ = fit(vaes[var], train)
spread = torch.linalg.eigvalsh(torch.cov(train.flatten(1).T))  # variances along the principal axes
for var, net in sorted(vaes.items()):
    with torch.no_grad():
        costs = elbo.latent_kl(elbo.encode(net, test)).mean(0)
        error = ((net(test) - test) ** 2).mean()
    print(f"sigma^2 = {var:5}: {int((costs > 0.1).sum()):2} alive (straight lines: "
          f"{alive(spread, 16, var):2}), KL {costs.sum():5.2f}, squared error {error:.3f}, "
          f"ELBO of new digits {judge(net, test)[2]:7.2f}")
straight = elbo.ppca(train, latents=16, var=0.1).log_evidence
print(f"0.1, digits seen: ELBO {judge(vae, train)[2]:.2f}, best straight lines {straight:.2f}")

# %%
with torch.no_grad():
    rows = [test[:10], *(vaes[var](test[:10]) for var in (0.02, 0.1, 0.5, 2.0))]
names = ["new digits", *(f"variance {var}" for var in (0.02, 0.1, 0.5, 2))]
fig = figures.images(torch.cat(rows), columns=10, panel=0.7, row_labels=names)
figures.show(fig, alt="Reconstructions as the variance grows: sharp, soft, then one gray blob.")
print("contrast (standard deviation of a pixel over these ten digits, mean over pixels):",
      ", ".join(f"{row.std(0).mean():.2f}" for row in rows))

# %% [markdown]
# From 16 latents in use down to one, and from sharp pictures to one gray blob. All four bounds are about the
# *same* digits, so they compare: 0.1 is the best on new ones. Too small a $\sigma^2$ pays for every missed
# pixel, too large a one calls digits noise.
#
# A riddle of the table: at $\sigma^2 = 0.1$ straight lines would use all 16 latents, and the network uses 9.
# It has the better bound all the same, −15.56 against −23.13 on the digits seen. One curved latent does the
# work of several straight ones.
#
# (You may read that diffusion models know no dead latents. True, because their encoder is fixed; and yet the
# last code of a diffusion model is dead by design, as chapter 05 shows.)
#
# ### Optional: let training choose the variance
#
# $\sigma^2$ can be one more weight, which raises the same ELBO.

# %%
for steps in (1500, 3000):
    learned = networks.build(networks.VAE, seed=0, shape=(1, 8, 8), latents=16, learn_var=True)
    _ = fit(learned, train, elbo.loss, steps=steps)
    print(f"{steps} steps: sigma^2 from 0.1 to {learned.var:.3f}, "
          f"ELBO of new digits {judge(learned, test)[2]:.2f}")

# %% [markdown]
# Learned, it sinks to 0.086 in the same number of steps, and new digits gain 1.3 nats. With twice the steps
# it sinks further: the better the decoder gets, the less it has to call noise. So "the best $\sigma^2$" is a
# property of model, data *and* training.

# %% [markdown]
# ### Optional: the hidden variance of a common loss
#
# Much code trains on the mean squared error over the pixels plus the KL. That is (4.9) times −1 with
# $\|x-\mu\|^2/D$ in place of $\|x-\mu\|^2/(2\sigma^2)$, so $\sigma^2 = D/2$: for 64 pixels, 32, and for
# $32 \times 32$ pixels in three colors 1536. By (4.12) not one straight-line latent survives. Seen in another
# way, a *mean* where the log-density has a *sum* multiplies the KL by $D$:

# %%
# claim: E58
eps = normal_like(torch.empty(901, 16), generator=seeded(6))
with torch.no_grad():
    found = elbo.terms(vae, test, eps)
    mean_over_pixels = (-found.reconstruction / 64 + found.kl).mean()
    print(f"64 (mean over pixels + KL) = {64 * mean_over_pixels:.2f}; "
          f"loss with beta = 64: {elbo.loss(vae, test, eps, beta=64).mean():.2f}")
constant = 0.5 * math.log(2 * math.pi * 0.1**2)
print(f"constant in -log p(x|z) at sigma = 0.1, per pixel: {constant:.4f} nats")
print(f"largest variance {spread.max():.2f}: {alive(spread, 16, 32.0)} of 16 alive at sigma^2 = 32")

# %% [markdown]
# ## 8 · Counting the KL more, or less
#
# The **beta-VAE** [Hig17] trains $E_q[\log p(x \mid z)] - \beta\,\mathrm{KL}$ on purpose: $\beta > 1$ to get
# few, well-separated latents, $\beta < 1$ to get sharper pictures.
#
# **Predict.** Is it still a lower bound of $\log p(x)$: for $\beta = 4$? For $\beta = 0.25$?
#
# A KL is never negative. So with $\beta > 1$ we subtract more, and a bound stays a bound, only looser. With
# $\beta < 1$ we subtract too little. How much too little? Divide by $\beta$: what is left is an ELBO, with
# $p(x \mid z)^{1/\beta}$ in the place of $p(x \mid z)$. Its largest value is the log of *its* evidence,
# reached by *its* posterior (section 3). Multiply by $\beta$ again:
#
# $$\max_q \big\{E_q[\log p(x \mid z)] - \beta\,\mathrm{KL}(q \,\|\, p(z))\big\} =
# \beta \log E_{p(z)}\big[p(x \mid z)^{1/\beta}\big], \qquad q \propto p(z)\,p(x \mid z)^{1/\beta}. \tag{4.13}$$

# %%
# eq: 4.13
# claim: E59
p_z, p_x = normal(z, 0, 1) * 0.01, normal(1.0, z, 1.0)  # z ~ N(0, 1), x ~ N(z, 1), datum x = 1
print(f"log p(x) = {(p_z * p_x).sum().log():.4f}")
for beta in (0.1, 0.25, 1.0, 4.0):
    best = p_z * p_x ** (1 / beta)
    formula = beta * best.sum().log()  # the right side
    best = best / best.sum()
    value = (best * p_x.log()).sum() - beta * (best * (best / p_z).log()).sum()  # the left side
    print(f"beta = {beta:4}: best value {value:.4f}, by formula {formula:.4f}; "
          f"its q has variance {(best * (z - (best * z).sum()) ** 2).sum():.3f}")

# %% [markdown]
# For $\beta = 0.1$ and 0.25 the "bound" lies *above* $\log p(x) = -1.5155$: no bound at all. For 4 it is one.
#
# ### Optional: beta is a variance in disguise
#
# With a normal decoder there is nothing mysterious about $\beta$. Pull it out of the bracket: up to constants
#
# $$-\frac{\|x - \mu\|^2}{2\sigma^2} - \beta\,\mathrm{KL} \;=\; \beta\,\Big[-\frac{\|x - \mu\|^2}{2\,\beta\sigma^2} - \mathrm{KL}\Big], \tag{4.14}$$
#
# which trains the very networks that $\sigma^2_\text{new} = \beta\sigma^2$ would, with the honest bound. So
# section 7 already showed what $\beta$ does.

# %%
# eq: 4.14
eps = normal_like(torch.empty(901, 16), generator=seeded(6))
with torch.no_grad():
    x_mean = vae.decode(draw(elbo.encode(vae, test), eps))
    square, cost = ((x_mean - test) ** 2).flatten(1).sum(1), elbo.terms(vae, test, eps).kl
    left_side = -square / (2 * 0.1) - 5 * cost
    right_side = 5 * (-square / (2 * 5 * 0.1) - cost)
print(f"beta = 5 with sigma^2 = 0.1: {left_side.mean():.3f}; "
      f"5 times sigma^2 = 0.5: {right_side.mean():.3f}")

# %% [markdown]
# ## 9 · Where the blur comes from
#
# Everybody shows the decoder's **mean**. But the model says that a picture is the mean *plus* noise of
# variance $\sigma^2$ in every pixel. Here are both.

# %%
with torch.no_grad():
    codes = normal_like(torch.empty(2000, 16), generator=seeded(3))
    law = elbo.decode(vae, codes)  # p(x | z) for 2000 codes of the prior
    drawn = draw(law, normal_like(law.mean, generator=seeded(7)))
rows = torch.cat([train[:8], law.mean[:8], drawn[:8]])
fig = figures.images(rows, columns=8, row_labels=["digits", "means", "true draws"])
figures.show(fig, alt="Real digits; soft decoded means; the same means with grain in every pixel.")
for name, x in (("digits", train), ("means", law.mean), ("true draws", drawn)):
    print(f"{name:>10}: variance of a pixel {x.var(0).mean():.3f}, "
          f"pixels beyond -0.75 or 0.75: {(x.abs() > 0.75).float().mean():.2f}")

# %% [markdown]
# The means lack almost half of the variance of the digits (0.163 of 0.292), and the honest draws put most of
# it back, as grain. (Not the clear black, −1, and white, 1: of real pixels 0.65 lie beyond ±0.75, of drawn
# ones 0.49.) A code of 16 numbers does not say where exactly the pen went; squared error then answers with
# the *average* of all pictures that share the code, and an average of sharp pictures is blurred. The rest is
# treated as if every pixel had its own noise.
#
# ### Optional: are three normal laws too few?
#
# You may read another reason: "encoder, decoder and prior are only normal laws, so a one-step VAE is too
# simple." A normal prior and a normal decoder make nearly **any** law if the decoder's mean is curved. Take
# $F$, the distribution function of the two-bump data, and $\Phi$, that of the normal. The decoder
# $N\big(F^{-1}(\Phi(z)),\ s^2\big)$ makes two-bump data with noise of variance $s^2$ on top:

# %%
# claim: E18, E38
two = ideal_denoisers.two_modes()
log_data = ideal_denoisers.log_density(two, schedules.linear(T=1), z[:, None], 0)
for s in (0.5, 0.2, 0.05, 0.01):
    blurred = ideal_denoisers.Mixture(two.weight, two.mean, two.var + s**2)  # decoded
    log_made = ideal_denoisers.log_density(blurred, schedules.linear(T=1), z[:, None], 0)
    nats = (log_data.exp() * (log_data - log_made)).sum() * 0.01
    print(f"decoder's standard deviation {s:4}: KL from the data to the model {nats:.2e} nats")

# %% [markdown]
# As close as you like. And this decoder was written down with no encoder in sight. So a second sentence
# falls, that a generative model must learn generation **and** inference. GANs and autoregressive models
# (which write a picture pixel by pixel) learn no $q(z \mid x)$; diffusion fixes one. (And
# $p(\text{label} \mid x)$, which a classifier learns, is not $q(\text{latent} \mid x)$.)
#
# What does limit a one-step VAE is the other side. As $s$ shrinks, the decoder's posterior becomes narrow and
# oddly shaped for *every* $x$ (remember the star), and one network must name its mean and width in one go, as
# a normal law with independent axes. The bound then is loose (the 2 nats above), and it pulls the decoder
# towards worlds that such an encoder can explain (section 5).
#
# | relative | what changes |
# |---|---|
# | conditional VAE | both networks are also told a label $c$; the bound is one of $\log p(x \mid c)$ |
# | GAN | no $q$, no likelihood: a second network tells real from made, the two play a min–max game |
# | conditional GAN | the same, and both players are told $c$ |
# | diffusion | $q$ is fixed, and goes in $T$ small steps: plain regression |

# %% [markdown]
# ## 10 · Two joint laws, and the door to diffusion
#
# One more way to write the loss, the one that generalizes. Encoder and decoder each tell a complete story of
# $(x, z)$:
#
# - **from the data**: draw $x$ from the data's law $\tilde p(x)$, then $z$ from the encoder;
# - **from the prior**: draw $z$ from $N(0, I)$, then $x$ from the decoder.
#
# Training makes the two joint laws alike:
#
# $$\mathrm{KL}\big(\tilde p(x)\,q(z \mid x) \,\big\|\, p(z)\,p_\theta(x \mid z)\big) = -E_{\tilde p}\big[\mathrm{ELBO}(x)\big] - H(\tilde p). \tag{4.15}$$
#
# For the log of the fraction is $\log\tilde p(x) - \log\frac{p(z)\,p(x \mid z)}{q(z \mid x)}$, and the means
# of its two parts are $-H(\tilde p)$ and minus the mean ELBO. The entropy $H$ of the data has no weights in
# it, so minimizing one side is minimizing the other.
#
# ### Exercise 4.6 · The KL of the two stories
#
# A small world again: `data`, shape `(M,)`, holds the probabilities of $M$ pictures; `encoder`, `(M, K)`, has
# $q(z \mid x)$ in row $x$; `joint`, `(M, K)`, has the decoder's $p(x, z)$. Return the left side of (4.15).
# (`data[:, None]` has shape `(M, 1)` and multiplies every entry of a row.)

# %% tags=["exercise"]
def my_joint_kl(data, encoder, joint):
    """Return KL(data * encoder || joint), nats."""
    ### BEGIN SOLUTION
    story = data[:, None] * encoder
    return (story * (story / joint).log()).sum()
    ### END SOLUTION


joint_kl = check("elbo.joint_kl", my_joint_kl)

# %%
# eq: 4.15
x = torch.linspace(-8, 8, 321, dtype=torch.float64)  # the model of section 1, all of it on a grid
made = normal(x[:, None], 1.2 * z[::5], 0.36) * normal(z[::5], 0, 1) * 0.05**2  # spacings 0.05
data_law = normal(x, 0, 1.8) * 0.05  # data as the model makes them
H = 0.5 * math.log(2 * math.pi * math.e * 1.8)  # their entropy, as a density
for name, slope, var in (("exact", 2 / 3, 0.2), ("poor", 0.2, 0.25)):
    encoder = normal(z[::5], slope * x[:, None], var) * 0.05
    elbos = elbo.split(encoder / encoder.sum(1, keepdim=True), made).elbo
    nats = (data_law * elbos).sum() - math.log(0.05)  # per unit of x instead of per grid point
    print(f"encoder N({slope:.2f} x, {var}), {name:>5}: -E[ELBO] {-nats:.4f}, minus H: "
          f"{abs(-nats - H):.4f}; joint KL {abs(joint_kl(data_law, encoder, made)):.4f}")

# %% [markdown]
# With the exact encoder both stories are the same law and the KL is 0, although the loss, −E[ELBO], is
# 1.7128: it cannot fall below the entropy of the data. With the poor encoder, the $q$ of section 2, they are
# 0.9934 nats apart. A loss is no distance until its constant is subtracted.
#
# ### Optional: how large can the constant be?
#
# Some notes hide it behind a "$\propto$" where "$= \dots + \text{const}$" is meant. Look ahead to a story in
# 1000 steps. Take $N(0, 1)$ data, and let each step shrink $x$ and add noise of variance $\beta_t$ so that it
# stays $N(0, 1)$. The exact way back has the same variances (chapter 08), the two joint laws are equal, and
# the sum of what the 1000 steps back cost, $-E[\log p(x_{t-1} \mid x_t)]$, is a sum of entropies of narrow
# normal laws:

# %%
# claim: E12
beta_t = schedules.linear().beta[1:]  # 1000 variances, from 0.0001 to 0.02
steps = 0.5 * (2 * math.pi * math.e * beta_t).log()  # the entropy of each step back, nats
print(f"sum of the 1000 steps' costs: {steps.sum():.1f} nats; KL of the two joint laws: 0")

# %% [markdown]
# So −1024.6 is *perfect* there, and 0 would be awful.

# %% [markdown]
# ## 11 · What does one step cost?
#
# A new digit costs our first VAE 12.17 nats for the code and 6.30 for the rest, and about 2 or more of these
# 18.47 nats are paid only because $q$ is not the posterior. The price of doing it in **one** step is that
# everything is hard at once: the encoder must be learned, its normal law does not fit, unused latents die,
# and what the code does not say turns to blur.
#
# Diffusion changes two things, and nothing in (4.15):
#
# 1. Replace the one step by $T$ small ones: $x_0 \to x_1 \to \dots \to x_T$, with $(x_1, \dots, x_T)$ in the
#    place of $z$. If the steps are small enough, the way back *is* nearly normal.
# 2. **Fix the encoder.** It only adds noise, in a way that we choose. There is nothing to learn in it, and
#    what the decoder is shown does not move while it learns.
#
# What is left to learn is the decoder, one small step at a time. Chapter 05 builds the encoder.

# %% [markdown]
# ## Recap
#
# A model with hidden causes gives a datum the evidence $p(x) = \int p(x \mid z)\,p(z)\,dz$. For any $q$,
# $\log p(x)$ is the ELBO plus the KL from $q$ to the posterior: insert $q$, or start from the KL, or use
# Jensen. Moving $q$ shifts nats between the two and leaves the sum. Raising the bound raises the likelihood
# for sure only if $q$ can be the posterior. A VAE learns $q(z \mid x)$ and $p(x \mid z)$ together by gradient
# steps on minus the ELBO; the decoder's variance decides how many latents are worth their nats. Read as the
# KL of two joint laws, the same loss carries over to $T$ steps.
#
# **One formula to keep**
#
# $$\log p(x) = \underbrace{E_q[\log p(x \mid z)] - \mathrm{KL}\big(q(z \mid x) \,\|\, p(z)\big)}_{\text{ELBO}} + \mathrm{KL}\big(q(z \mid x) \,\|\, p(z \mid x)\big)$$
#
# **Popular claims, checked**
#
# | often said | better | shown above |
# |---|---|---|
# | $p(x) = p(x \mid z)\,p(z)/q(z \mid x)$ | for the posterior only; else it depends on $z$ | 0.002 and 4.7, not 0.159 |
# | $q$ is arbitrary | normalized, and only where the posterior is above 0 | KL = ∞ |
# | ELBO $= \log p(x \mid z) - \mathrm{KL}$ | the mean over $q$ belongs to it | −4.9763, −2.5763, −1.1763, not −3.0763 |
# | maximal ELBO, so KL = 0, so maximal likelihood | if the family of $q$ contains the posterior | 1.4735 for 2; 0.0815 nats lost |
# | in variational inference $\theta$ is varied | $q$ is | $\delta^2/2$ |
# | unbiased gradients bring SGD to the maximum | with a constant step it rattles on | 0.0729 |
# | the decoder is $N(\mu_\varphi, \sigma^2)$ | $\mu_\theta(z)$: the encoder's $\varphi$ makes codes, not pictures | 16 and 64 numbers |
# | the decoder's variance is not our concern | it sets the number of live latents | 3, 2, 1, 0 |
# | the loss is the ELBO; mean or sum of squares, no matter | minus the ELBO; a mean over $D$ pixels is $\beta = D$ | 785.31 |
# | a beta-VAE maximizes a bound | for $\beta \ge 1$ | −1.0843 above −1.5155 |
# | three normal laws are too weak | the curved decoder makes any law; $q$ is the weak part | 4.23e-04 nats |
# | a generative model must learn inference | GANs and diffusion learn none | section 9 |
# | loss $\propto$ joint KL | $=$ joint KL + constant | −1024.6 for a KL of 0 |
#
# **Exercises:** 4.1 `elbo.bound` · 4.2 `elbo.kl` · 4.3 `elbo.reconstruction` · 4.4 `elbo.loss` · 4.5
# `elbo.active_units` · 4.6 `elbo.joint_kl`
#
# **To think about.** A dead latent costs nothing and says nothing. Could a model have *no* live latent and
# still be perfect? (Yes: if the decoder can make the data without it. What would it take, for digits?)
#
# **Before:** [03 · Estimators](03_estimators.ipynb) · **Next:**
# [05 · How does data become noise, in one line?](05_forward.ipynb)
