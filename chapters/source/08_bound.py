# %% [markdown] topics="C124"
# # 08 · What exactly is minimized?
#
# A diffusion model is trained with one plain number: the squared error of its prediction. Papers say that this number
# comes from "a bound on the likelihood". You know this bound: it is the evidence lower bound of chapter 04, with
# $z = (x_1, \dots, x_T)$. What does it look like for a thousand latent variables, each as large as the image? How much
# does it lose? And how does an integral over thousands of variables turn into a squared error?
#
# **After this chapter you can**
#
# - explain why $\log p(x_0)$ cannot be computed, and prove the bound that replaces it,
# - split the bound into its three kinds of terms, and compute each of them,
# - turn one term into a weighted squared error, of $\hat x_0$ or of $\hat\epsilon$,
# - say why training groups the terms with the posterior, and how much the bound can lose.
#
# **You need** the evidence lower bound of [04](04_elbo_and_vae.ipynb), the forward process and the KL divergence
# of [05 · How does data become noise?](05_forward.ipynb), and the posterior $q(x_{t-1} \mid x_t, x_0)$ of
# [07 · Where was the chain a moment ago?](07_posterior.ipynb). Section 4
# uses a result of 07b, which it repeats.
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 25 seconds.
#
# **For what comes next you need** the three terms (section 4), one step as a squared error (section 5) and the
# loss (section 6). Chapters 09 to 11 and 14 build on these.
#
# **In the papers:** [Ho20] Sec. 2, 3.2 and Appendix A; [Kin21] Sec. 3 and 4; [Luo22] for the algebra.

# %%
import math

import sympy as sp
import torch

from ddpm_lab import datasets, forward, gaussians, ideal_denoisers, losses, samplers, schedules
from ddpm_lab.course import diagrams, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, draw, log_prob, normal_like, seeded
from ddpm_lab.schedules import row

schedule = schedules.linear()
print(schedule)

# %% [markdown]
# ## A first look: what does an image cost?
#
# A model that assigns an image the probability $p$ can store it in about $-\log_2 p$ bits: likely images get short
# codes. So we can judge a model by the number of bits that an image costs. The digits of this course have 64
# pixels with 17 gray levels each. If you know nothing about digits, you pay $\log_2 17 = 4.09$ bits per pixel.
#
# Chapter 00 introduced the ideal denoiser of the 896 training digits. Its samples are flawless digits, all of them
# copies. `losses.bound` adds up what an image costs under this model, one term for each $t$ from 1000 down to 1.
#
# **Predict.** How many bits per pixel does a training digit cost? And a digit that the model has never seen?
#
# <details><summary>Hint for the first</summary>
#
# All that has to be stored is *which* of the 896 digits it is.
#
# </details>

# %%
train, test = (datasets.digits(split)[0].double() for split in ("train", "test"))
memory = ideal_denoisers.dataset_denoiser(train, schedule)  # ideal for these 896 digits
costs = {}
for name, x_0 in (("training digit", train[:50]), ("new digit", test[:50])):
    terms = losses.bound(schedule, memory, x_0, generator=seeded(4), levels=17)  # 17 gray levels
    by_time = torch.cat([terms.decoder[:, None], terms.steps], dim=1)  # t = 1 … 1000
    costs[name] = losses.bits_per_dim(by_time, x_0).mean(0)  # mean of the 50 digits
    total = losses.bits_per_dim(terms.total, x_0)
    print(f"{name:>15}: {total.mean():8.4f} bits per pixel (mean of 50, "
          f"from {total.min():.4f} to {total.max():.4f})")
print(f"{'which of 896':>15}: {math.log2(896) / 64:8.4f}")
print(f"{'knowing nothing':>15}: {math.log2(17):6.2f}")

# %%
fig, ax = figures.new(height=3)
times = torch.arange(1000, 0, -1)
paid = {name: cost.flip(0).cumsum(0) for name, cost in costs.items()}  # from t = 1000 downward
figures.curves(times, paid, xlabel="time t, steps (sampling runs from left to right)",
               ylabel="cost so far, bits per pixel", log_y=True, ax=ax)
ax.axhline(math.log2(17), color=figures.GRAY, linestyle=":", label="knowing nothing")
ax.set(xlim=(1000, 0), ylim=(1e-3, 2e3))
ax.legend(fontsize=9)
figures.show(fig, alt="Both costs rise alike at first; one levels off at 0.15, the other explodes.")
for t in (600, 400, 200, 100, 10, 2, 1):
    seen, new = (paid[name][1000 - t].item() for name in costs)
    print(f"cost from t = 1000 down to {t:3}: training digit {seen:.4f}, new digit {new:.4f}")

# %% [markdown]
# A training digit costs 0.1536 bits per pixel. For the whole image that is $\log_2 896$ bits, to within 1 %: all
# that remains to be stored is which one it is. A new digit costs 926 bits per pixel, although knowing nothing costs
# 4.09. The denoiser is certain that the image is one of its 896, and the cost of being wrong is enormous.
#
# The curves agree down to $t = 400$: under this much noise all digits look alike. Below that, the denoiser settles
# on one of its digits. Its samples would never have shown you that it is a terrible model of new digits; the cost
# does. (Each number is an upper bound, estimated with random noise. This chapter explains why.)

# %% [markdown] topics="C138"
# ## 1 · The likelihood: an integral that nobody can compute
#
# The model is the reverse chain: start from $x_T \sim N(0, I)$, then draw each $x_{t-1}$ from a Gaussian
# $p(x_{t-1} \mid x_t)$ whose mean the denoiser supplies. Write $x_{0:T}$ for a whole **path** $x_0, \dots, x_T$.
# The model gives it the density $p(x_{0:T}) = p(x_T) \prod_t p(x_{t-1} \mid x_t)$. Many paths end in the same
# image, so the density of an image is the integral over all paths that end in it:
#
# $$p(x_0) = \int p(x_T) \prod_{t=1}^{T} p(x_{t-1} \mid x_t)\; dx_1 \cdots dx_T. \tag{8.1}$$
#
# This is the hierarchical VAE at the end of chapter 04, with latent variables $z = (x_1, \dots, x_T)$. We would
# like to minimize its average **negative log-likelihood** $-\log p(x_0)$. For our digits and $T = 1000$, (8.1) is an
# integral over 64,000 variables.
#
# In one dimension with ten steps, a grid can do it. Our test case is data with two modes, their ideal denoiser, ten
# steps of the cosine schedule, and the reverse variance $\beta_t$ (`var="large"` in code; `"small"` is the posterior's
# $\tilde\beta_t$). We compare two numbers. The entropy $H = -E \log q(x_0)$ is what the data cost if you know their
# true distribution; no model can do better on average. The cross-entropy $-E \log p(x_0)$ is what they cost under the
# model. The difference is $\mathrm{KL}(q(x_0) \,\|\, p(x_0))$.

# %%
# eq: 8.1
ten, data = schedules.cosine(T=10), ideal_denoisers.two_modes()
denoise = ideal_denoisers.mixture_denoiser(data, ten)
x = torch.linspace(-7, 7, 1401, dtype=torch.float64)[:, None]  # the grid, spacing 0.01


def reverse(x_t, t, var="large"):  # p(x_{t-1} | x_t)
    p = samplers.ddpm_step(ten, x_t, denoise(x_t, t), t, t - 1, var=var)
    return Gaussian(p.mean, ten.beta[1] if t == 1 else p.var)  # a density needs noise at the end


def density(var):
    """p(x_0) on the grid: integrate over x_10, then x_9, …, then x_1."""
    p = torch.exp(-(x[:, 0] ** 2) / 2) / math.sqrt(2 * math.pi)
    for t in range(10, 0, -1):
        step = reverse(x, t, var)
        kernel = torch.distributions.Normal(step.mean, step.var.sqrt()).log_prob(x.T).exp()
        p = (p[:, None] * kernel).sum(0) * 0.01
    return p

# %%
truth, model = ideal_denoisers.log_density(data, ten, x, 0).exp(), density("large")
entropy = -(truth * truth.log()).sum() * 0.01  # 0.01: the spacing of the grid
cross = -(truth * model.log()).sum() * 0.01
print(f"the model's density integrates to {model.sum() * 0.01:.6f}")
print(f"entropy {entropy:.4f}, cross-entropy {cross:.4f}, KL {cross - entropy:.4f} nats")

# %% [markdown]
# Without a grid one can still sample: (8.1) is the mean of $p(x_0 \mid x_1)$ over random paths of the model from
# $x_T$ down to $x_1$. In one dimension this works (the detour below). Does it work for images?
#
# **Predict.** The paths of the digit model above end at one of 896 digits, each about equally often. We estimate the
# probability of the first digit with 200 random paths. What estimate do you expect? (The truth is $1/896$, which costs
# $\log 896 = 6.8$ nats.)

# %%
times = [*range(1000, 0, -10), 0]  # every tenth time is enough here
ends = samplers.sample(schedule, memory, (200, 1, 8, 8), times=times, generator=seeded(3)).double()
target = train[:1].expand(200, 1, 8, 8)
# ends holds the means of p(x_0 | x_1); the log probability of gray levels is explained in 08b
each = gaussians.pixel_log_prob(Gaussian(ends, schedule.beta[1]), target, levels=17)
estimate = each.logsumexp(0) - math.log(200)  # log of the mean of p(x_0 | x_1)
print(f"Monte Carlo: {-estimate:.0f} nats; truth: {math.log(896):.1f} nats")
print(f"paths that ended at this digit: {int((each > -1).sum())} of 200; "
      f"one hit would give {math.log(200):.1f} nats")

# %% [markdown]
# None of the 200 paths ended at this digit, and the estimate is absurd. And this is the easiest case, with practically
# only 896 possible ends. A real model can end anywhere, and **almost all paths miss a given image**. To estimate (8.1) we
# need paths that end in $x_0$. We know how to make such paths: start at $x_0$ and add noise!

# %% [markdown]
# ### Detour · List the ends instead
#
# What do the digits really cost under the ideal denoiser of the first look?

# %%
def listed_cost(x_0):
    """Average over the 896 possible ends instead of over random paths; bits per pixel."""
    ends = Gaussian(train, schedule.beta[1])
    each = gaussians.pixel_log_prob(ends, x_0.expand_as(train), levels=17)
    return (math.log(896) - each.logsumexp(0)) / (64 * math.log(2))


for name, images in (("training digits", train[:50]), ("new digits", test[:50])):
    mean = torch.stack([listed_cost(digit) for digit in images]).mean()
    print(f"listing all 896 ends, {name}: {mean:.4f} bits per pixel")

# %% [markdown]
# So training digits really cost 0.1532 bits per pixel, and new digits **at most** 405 on average. The list leaves out
# the paths that end *between* two training digits. They are rare, but for an image that the model has never seen they
# can contribute more than all 896 listed ends together (a detour near the end finds some).

# %% [markdown]
# ### Detour · The integral by simulation
#
# Does the grid of section 1 agree with random paths?

# %%
particles = normal_like(torch.empty(200_000, 1, dtype=torch.float64), generator=seeded(1))
rng = seeded(2)
for t in range(10, 1, -1):
    particles = draw(reverse(particles, t), normal_like(particles, generator=rng))
for place in (0.97, 0.0):
    sampled = log_prob(reverse(particles, 1), torch.full_like(particles, place)).exp()
    on_grid = model[700 + round(100 * place)]  # row 700 of the grid is x = 0
    print(f"p({place}): grid {on_grid:.4f}, mean over 200,000 paths {sampled.mean():.4f} "
          f"± {sampled.std() / len(sampled) ** 0.5:.4f}")

# %% [markdown]
# It does, within the standard errors, and no grid was needed.

# %% [markdown] topics="C124"
# ## 2 · A lower bound on the log-likelihood
#
# Chapter 04 bounded $\log p(x)$ with **Jensen's inequality**. The logarithm is concave, so for a positive random
# variable $w$
#
# $$E[\log w] \;\le\; \log E[w], \quad\text{with equality only if } w \text{ is constant.} \tag{8.2}$$

# %% [markdown]
# ### Detour · Jensen's inequality from one tangent
#
# The proof takes two lines, if you would like to see it again; then an exercise.

# %% [markdown]
# The logarithm lies below each of its tangents. At the point $m > 0$ the tangent has slope $1/m$, so
#
# $$\log w \;\le\; \log m + \frac{w - m}{m} \qquad\text{for all } w > 0. \tag{8.3}$$
#
# (The difference of the two sides has the derivative $\frac1m - \frac1w$ in $w$. It falls up to $w = m$, rises
# from there on, and is 0 at $w = m$.) Let $w$ be random, choose $m = E[w]$, and take the mean on both sides. The
# last term becomes $(E[w] - m)/m = 0$, and (8.2) is left.

# %%
# eq: 8.2, 8.3
w = torch.linspace(0.05, 5, 400, dtype=torch.float64)
tangent = math.log(2) + (w - 2) / 2
fig = figures.curves(w, {"log w": w.log(), "tangent at m = 2": tangent}, xlabel="w", ylabel="value",
                     height=2.6)
fig.axes[0].plot([1, 3], [0, math.log(3)], "o:", color=figures.GRAY, label="w is 1 or 3")
fig.axes[0].set(ylim=(-1.5, 2.3))
fig.axes[0].legend(fontsize=9)
figures.show(fig, alt="The log lies below its tangent; the chord from 1 to 3 lies below the log.")
print(f"smallest (tangent - log) on the grid: {(tangent - w.log()).min():.6f}")
print(f"w = 1 or 3, evenly: E[log w] = {math.log(3) / 2:.4f}, log E[w] = {math.log(2):.4f}")

# %% [markdown]
# #### Exercise 8.1 · How much is lost?
#
# `w` holds the values that a positive random variable can take, and `p` their probabilities. Return how much
# Jensen's inequality loses, in nats: the right side of (8.2) minus the left.

# %% tags=["exercise"]
def my_jensen_gap(w, p):
    """Return the gap between the two sides of Jensen's inequality, not negative."""
    ### BEGIN SOLUTION
    return (p * w).sum().log() - (p * w.log()).sum()
    ### END SOLUTION


jensen_gap = check("bound.jensen_gap", my_jensen_gap)

# %% [markdown]
# ### The bound for a whole chain
#
# Multiply and divide (8.1) by the distribution of the noising chain, $q(x_{1:T} \mid x_0)$. The integral becomes
# a mean over noising paths from $x_0$:
#
# $$p(x_0) = \int q(x_{1:T} \mid x_0)\, \frac{p(x_{0:T})}{q(x_{1:T} \mid x_0)}\, dx_{1:T} = E_q[w],
# \qquad w = \frac{p(x_{0:T})}{q(x_{1:T} \mid x_0)}. \tag{8.4}$$
#
# Now (8.2) gives
#
# $$\log p(x_0) \;\ge\; E_q[\log w]. \tag{8.5}$$
#
# This is the evidence lower bound (ELBO) of chapter 04, with $z = (x_1, \dots, x_T)$ and an encoder that has no parameters
# to learn. Its negative, $L = -E_q[\log w]$, is an *upper* bound on the negative log-likelihood, also
# called the **variational bound** (VLB). This is what is minimized.
#
# What did we lose? Write $p(x_{0:T}) = p(x_0)\,p(x_{1:T} \mid x_0)$. Then $\log w = \log p(x_0) -
# \log\frac{q(x_{1:T} \mid x_0)}{p(x_{1:T} \mid x_0)}$, and the mean of the last logarithm is a KL divergence:
#
# $$\log p(x_0) - E_q[\log w] = \mathrm{KL}\big(q(x_{1:T} \mid x_0) \,\|\, p(x_{1:T} \mid x_0)\big). \tag{8.6}$$
#
# So the bound is tight if noising paths from $x_0$ have the same distribution as the model's own paths to $x_0$. Let us
# check this in a case small enough to enumerate: a fixed $x_0$ and three possible paths.

# %%
# eq: 8.4, 8.5, 8.6
p_joint = torch.tensor([0.02, 0.05, 0.03], dtype=torch.float64)  # p(x_0 and path i), i = 1, 2, 3
evidence = p_joint.sum()  # (8.1): the sum over all paths
for q in ([0.2, 0.5, 0.3], [0.4, 0.3, 0.3], [0.98, 0.01, 0.01]):
    q = torch.tensor(q, dtype=torch.float64)
    w = p_joint / q
    kl = (q * (q / (p_joint / evidence)).log()).sum()  # to p(path | x_0) = p_joint / evidence
    bound = (q * w.log()).sum()
    print(f"E_q[w] = {(q * w).sum():.1f}; log p(x_0) = {evidence.log():.4f}, "
          f"bound {bound:.4f}, gap {evidence.log() - bound:.4f}, KL {kl:.4f}")

# %% [markdown]
# $E_q[w]$ is $p(x_0)$ for every $q$. The gap is 0 for the first $q$, the model's own distribution of paths, and
# 1.4843 nats for the worst. In each line it agrees with the KL divergence.

# %% [markdown] topics="C126"
# ## 3 · Two ways to group one sum
#
# The logarithm turns products into sums. With $q(x_{1:T} \mid x_0) = \prod_t q(x_t \mid x_{t-1})$,
#
# $$\log w = \log p(x_T) + \sum_{t=1}^{T} \big[\log p(x_{t-1} \mid x_t) - \log q(x_t \mid x_{t-1})\big]. \tag{8.7}$$
#
# These are $2T + 1$ numbers, and there are two ways to group them. **In step pairs**, we put together the two
# distributions *of* $x_t$, one from each side:
#
# $$\log w = \log p(x_0 \mid x_1) + \sum_{t=1}^{T-1} \log\frac{p(x_t \mid x_{t+1})}{q(x_t \mid x_{t-1})}
# + \log\frac{p(x_T)}{q(x_T \mid x_{T-1})}. \tag{8.8}$$
#
# **With the posterior**, we first reverse each noising step by Bayes' rule. That is (7.2), solved for the
# noising step, for $t \ge 2$:
#
# $$q(x_t \mid x_{t-1}) = q(x_{t-1} \mid x_t, x_0)\;\frac{q(x_t \mid x_0)}{q(x_{t-1} \mid x_0)}. \tag{8.9}$$
#
# Insert it into (8.7). Each $\log q(x_t \mid x_0)$ with $2 \le t < T$ occurs twice, with opposite signs, and
# cancels. What is left of the fractions is $-\log q(x_T \mid x_0) + \log q(x_1 \mid x_0)$, and the latter cancels
# the noising step $t = 1$, which was not reversed. So
#
# $$\log w = \log\frac{p(x_T)}{q(x_T \mid x_0)}
# + \sum_{t=2}^{T} \log\frac{p(x_{t-1} \mid x_t)}{q(x_{t-1} \mid x_t, x_0)} + \log p(x_0 \mid x_1). \tag{8.10}$$
#
# Here are both groupings for a chain of four steps. Each term is printed below its variable.

# %%
figures.show(diagrams.bound_groupings(4),
             alt="In step pairs p and q look from opposite sides; in the second row both from x_t.")
print("T = 4: (8.7) has 2T + 1 = 9 logarithms, and either grouping has T + 1 = 5 terms")

# %% [markdown]
# In the first row $p$ and $q$ are given neighbors on opposite sides. In the second row both are given the same,
# noisier neighbor, and $q$ also knows $x_0$.
#
# To test all this we take data whose exact reverse step we know. If $x_0 \sim N(0, 1)$, then every $x_t$ is
# $N(0, 1)$, and neighbors have the correlation $\sqrt{\alpha_t}$. By (7.4) the exact reverse step is
# $p(x_{t-1} \mid x_t) = N(\sqrt{\alpha_t}\,x_t, \beta_t)$. We follow 2000 paths through all 1000 steps. (The
# `factor` in the code will spoil the model on purpose, later.)
#
# **Predict.** The model is exact. How much does $\log w$ differ from $\log p(x_0)$, from path to path?

# %%
x_0 = normal_like(torch.empty(2000, 1, dtype=torch.float64), generator=seeded(81))
path = torch.stack([x_0, *(x_t for _, x_t in forward.chain(schedule, x_0, generator=seeded(82)))])
prior = Gaussian(torch.zeros_like(x_0), torch.tensor(1.0))


def logs_at(t, factor):
    """log p(x_{t-1}|x_t), log q(x_{t-1}|x_t, x_0), their KL, log q(x_t|x_{t-1}); all paths."""
    x_s, x_t = path[t - 1], path[t]
    model = Gaussian(factor * schedule.alpha[t].sqrt() * x_t, schedule.beta[t])
    known = forward.posterior(schedule, x_0, x_t, t, t - 1) if t > 1 else model  # unused at t = 1
    ahead = forward.transition(schedule, x_s, t - 1, t)
    kl = gaussians.kl(known, model)
    return torch.stack([log_prob(model, x_s), log_prob(known, x_s), kl, log_prob(ahead, x_t)])


def logs(factor=1.0):
    """The same for all t: four tables (1000, 2000), in which row t - 1 belongs to t."""
    return torch.stack([logs_at(t, factor) for t in range(1, 1001)], dim=1)

# %%
# eq: 8.7, 8.8, 8.9, 8.10
p, known, kl, q = logs()
start = log_prob(prior, path[-1])
marginals = torch.stack([log_prob(forward.marginal(schedule, x_0, t), path[t])
                         for t in range(1, 1001)])
plain = start + p.sum(0) - q.sum(0)
pairs = p[0] + (p[1:] - q[:-1]).sum(0) + start - q[-1]
posterior = start - marginals[-1] + (p[1:] - known[1:]).sum(0) + p[0]
bayes = known[1:] + marginals[1:] - marginals[:-1] - q[1:]
for name, difference in (("(8.9), right minus left", bayes), ("(8.8) minus (8.7)", pairs - plain),
                         ("(8.10) minus (8.7)", posterior - plain),
                         ("log w minus log p(x_0)", plain - log_prob(prior, x_0))):
    print(f"{name:>23}: below 1e-10 on every path: {bool((difference.abs() < 1e-10).all())}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Not at all. If the model is exact, $p(x_{1:T} \mid x_0) = q(x_{1:T} \mid x_0)$, so $w = p(x_0)$ on *every*
# path: a constant, and Jensen's inequality loses nothing.
#
# </details>
#
# Both groupings give the same number, path by path. But computing 1000 terms for each training image would be far
# too slow. Instead one draws **one random $t$** and multiplies its term by the number of terms. Now the grouping
# matters.
#
# **Predict.** With one random $t$, which grouping gives the noisier estimate of $\log w$?

# %%
# claim: E66
tables = {"exact model": (p, known, kl, q), "means 0.1 % too small": logs(0.999)}
for name, (p_, known_, kl_, q_) in tables.items():
    whole = start + p_.sum(0) - q_.sum(0) - log_prob(prior, x_0)
    print(f"{name}: standard deviations, nats")
    print(f"    whole path, log w - log p(x_0)          {whole.std():8.4f}")
    print(f"    one random t, step pairs                {999 * (p_[1:] - q_[:-1]).std():8.1f}")
    print(f"    one random t, posterior, x_(t-1) drawn  {999 * (p_[1:] - known_[1:]).std():8.1f}")
    print(f"    one random t, posterior, KL             {999 * kl_[1:].std():8.1f}")

# %% [markdown]
# The step pairs do. The whole sum has no noise for the exact model, in *either* grouping. Noise arises when we take
# one term out of a sum whose terms cancel: for the exact model a pair term is half the difference of two squared
# standard normal variables, which are nearly independent, plus a constant. Its standard deviation is about 1, and it is
# multiplied by 999. The posterior grouping does the canceling analytically, in (8.10), which reduces 998 to 93. And the
# mean over $x_{t-1}$ is the KL divergence of two Gaussians, known in closed form, which leaves 30. Replacing a random
# variable by its conditional mean is called **Rao–Blackwellization**. So training uses (8.10).

# %% [markdown] topics="C125 C136 C137"
# ## 4 · The three terms of the bound
#
# Take the mean of (8.10), with a minus sign. For each fixed $x_t$, the mean over $x_{t-1}$ is a KL divergence:
#
# $$L = \underbrace{\mathrm{KL}\big(q(x_T \mid x_0) \,\|\, p(x_T)\big)}_{L_T}
# + \sum_{t=2}^{T} \underbrace{E_{q(x_t \mid x_0)}\,\mathrm{KL}\big(q(x_{t-1} \mid x_t, x_0) \,\|\, p(x_{t-1} \mid x_t)\big)}_{L_{t-1}}
# + \underbrace{E\big[-\log p(x_0 \mid x_1)\big]}_{L_0}. \tag{8.11}$$
#
# - $L_T$, the **prior matching term**: how far the end of the chain is from the noise that sampling starts with.
#   It has no parameters, and it is small (chapter 05).
# - $L_{t-1}$, one of the $T - 1$ **denoising matching terms**: at $x_t$, how well does the model's step match the
#   posterior, which knows $x_0$?
# - $L_0$, the **reconstruction term**: the last step, down to the data.
#
# Compare the VAE of chapter 04: it has $L_0$ and $L_T$ only, since it has only one step.
#
# For $N(0, 1)$ data we have the exact model. Its variance is $\beta_t$; the posterior's is $\tilde\beta_t =
# \beta_t\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}$. The posterior's mean differs from the model's by a random
# $\Delta\mu_t$ of mean 0, and by the law of total variance (7.22) the two add up:
# $\tilde\beta_t + E[\Delta\mu_t^2] = \beta_t$.
# In the KL of two Gaussians ((8.14) below; $E$ now also averages over the data) this gives
#
# $$E[L_{t-1}] = \frac12\Big[\underbrace{\frac{\tilde\beta_t + E[\Delta\mu_t^2]}{\beta_t} - 1}_{0}
# + \log\frac{\beta_t}{\tilde\beta_t}\Big] = \frac12\log\frac{1-\bar\alpha_t}{1-\bar\alpha_{t-1}}, \tag{8.12}$$
#
# and the sum over $t$ telescopes, because neighboring terms cancel:
#
# $$\sum_{t=2}^{T} E[L_{t-1}] = \frac12\log\frac{1-\bar\alpha_T}{1-\bar\alpha_1}. \tag{8.13}$$
#
# **Predict.** The model is exact, so the mean of its bound equals the entropy of the data, the least possible.
# Is the sum of the $L_{t-1}$ then 0?

# %%
# eq: 8.11, 8.12, 8.13
# claim: E61, E119
by_8_12 = 0.5 * (1 - schedule.abar[2:]).log() - 0.5 * (1 - schedule.abar[1:-1]).log()
by_beta = 0.5 * (schedule.beta[2:] / schedule.posterior_var[2:]).log()
by_8_13 = 0.5 * ((1 - schedule.abar[-1]) / (1 - schedule.abar[1])).log()
steps = kl[1:].sum(0)  # one sample of each KL, from the 2000 paths of section 3
print(f"(8.12): both logs agree: {torch.allclose(by_8_12, by_beta, rtol=1e-9)}")
print(f"L_1 (t = 2) alone: {by_8_12[0]:.4f} nats")
print(f"{len(by_8_12)} terms: sum {by_8_12.sum():.4f}, (8.13) {by_8_13:.4f}; "
      f"paths {steps.mean():.3f} ± {steps.std() / 2000**0.5:.3f}")
end = -0.5 * (1 - schedule.abar[-1]).log()  # E[L_T], as E[x_0^2] = 1
decoder = 0.5 * (2 * math.pi * math.e * schedule.beta[1]).log()
print(f"L_T {end:.1e} + steps {by_8_13:.4f} + L_0 {decoder:.4f} = {end + by_8_13 + decoder:.4f}; "
      f"entropy {0.5 * math.log(2 * math.pi * math.e):.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# No, and it cannot be. $q(x_{t-1} \mid x_t, x_0)$ knows $x_0$, and $p(x_{t-1} \mid x_t)$ does not. So every
# $L_{t-1}$ is positive, even for the exact model. The bound is tight all the same, because $L_0$ is *negative*
# here: it is minus a log density, and a density can exceed 1.
#
# </details>
#
# The three terms, 2.0e-05 + 4.6052 − 3.1862 = 1.4189 nats, add up to the entropy. The step $t = 2$ alone costs
# 0.394 nats. This is a cost of **information**, not of error: each step reveals a little more of $x_0$ than $x_t$
# did, even if the model makes no mistake.

# %% [markdown] topics="C127 C128"
# ## 5 · One step is one squared error
#
# Now comes the central step. The model uses the posterior's formula with its estimate $\hat x_0$ in place of $x_0$, and
# the same variance. So $L_{t-1}$ compares two Gaussians. Per dimension, with means $m_1, m_2$ and variances
# $v_1, v_2$,
#
# $$\mathrm{KL}\big(N(m_1, v_1) \,\|\, N(m_2, v_2)\big)
# = \tfrac12\Big[\frac{v_1}{v_2} - 1 - \log\frac{v_1}{v_2} + \frac{(m_1 - m_2)^2}{v_2}\Big]. \tag{8.14}$$
#
# Both fractions have the *second* variance in the denominator. With equal variances only the squared difference
# of the means is left, divided by *twice* the variance.

# %%
# eq: 8.14
# claim: E63
grid = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
for m_1, v_1, m_2, v_2 in ((0.0, 1.0, 0.0, 2.0), (0.5, 0.7, -0.3, 0.7)):
    one, two = (torch.distributions.Normal(m, v**0.5) for m, v in ((m_1, v_1), (m_2, v_2)))
    log_1, log_2 = one.log_prob(grid), two.log_prob(grid)
    integral = torch.trapezoid(log_1.exp() * (log_1 - log_2), grid)
    formula = 0.5 * (v_1 / v_2 - 1 - math.log(v_1 / v_2) + (m_1 - m_2) ** 2 / v_2)
    swapped = 0.5 * (v_2 / v_1 - 1 - math.log(v_1 / v_2) + (m_1 - m_2) ** 2 / v_1)
    print(f"N({m_1}, {v_1}) to N({m_2}, {v_2}): integral {integral:.4f}, (8.14) {formula:.4f}, "
          f"v_2/v_1 {swapped:.4f}")

# %% [markdown]
# Our two means differ in one place: both are $w_0\,(\text{clean image}) + w_t\,x_t$ by (7.8). For a step from $t$
# to any earlier $s$, with $\alpha_{ts} = \bar\alpha_t/\bar\alpha_s$ (which is $\alpha_t$ for $s = t - 1$),
#
# $$\mu(x_t, x_0) - \mu(x_t, \hat x_0) = w_0\,(x_0 - \hat x_0),
# \qquad w_0 = \frac{\sqrt{\bar\alpha_s}\,(1-\alpha_{ts})}{1-\bar\alpha_t}. \tag{8.15}$$
#
# ### Exercise 8.2 · What one step costs
#
# Return the KL of the two posteriors for a step from $t$ to any $s < t$, $s \ge 1$: in nats, one number for each
# item of the batch, summed over all of its dimensions. `forward.posterior(schedule, x_0, x_t, t, s)` gives a
# Gaussian with `mean` and `var`. You are not given the item's $x_t$. Why is it not needed?

# %% tags=["exercise"]
def my_step_kl(schedule, x_0, x0_hat, t, s):
    """Return KL(q(x_s | x_t, x_0) || q(x_s | x_t, x0_hat)) for each item, shape (B,)."""
    ### BEGIN SOLUTION
    anywhere = torch.zeros_like(x_0)  # any x_t will do: it cancels in the difference of the means
    one = forward.posterior(schedule, x_0, anywhere, t, s)
    two = forward.posterior(schedule, x0_hat, anywhere, t, s)
    square = ((one.mean - two.mean) ** 2).reshape(len(x_0), -1).sum(1)
    return square / (2 * one.var)
    ### END SOLUTION


step_kl = check("bound.step_kl", my_step_kl)

# %% [markdown]
# There is a much shorter form. With the posterior's variance
# $v = (1-\alpha_{ts})(1-\bar\alpha_s)/(1-\bar\alpha_t)$,
#
# $$\begin{aligned}
# \frac{w_0^2}{2v} &= \frac12\cdot\frac{\bar\alpha_s\,(1-\alpha_{ts})^2}{(1-\bar\alpha_t)^2}\cdot
# \frac{1-\bar\alpha_t}{(1-\alpha_{ts})(1-\bar\alpha_s)}
# && \text{insert} \\
# &= \frac12\cdot\frac{\bar\alpha_s\,(1-\alpha_{ts})}{(1-\bar\alpha_t)(1-\bar\alpha_s)}
# && \text{cancel} \\
# &= \frac12\cdot\frac{\bar\alpha_s-\bar\alpha_t}{(1-\bar\alpha_t)(1-\bar\alpha_s)}
# && \bar\alpha_s\,\alpha_{ts} = \bar\alpha_t \\
# &= \frac12\cdot\frac{\bar\alpha_s(1-\bar\alpha_t)-\bar\alpha_t(1-\bar\alpha_s)}{(1-\bar\alpha_t)(1-\bar\alpha_s)}
# && \text{add and subtract } \bar\alpha_s\bar\alpha_t \\
# &= \frac12\Big(\frac{\bar\alpha_s}{1-\bar\alpha_s} - \frac{\bar\alpha_t}{1-\bar\alpha_t}\Big)
# = \frac12\,(\mathrm{SNR}_s - \mathrm{SNR}_t).
# && \text{two fractions}
# \end{aligned} \tag{8.16}$$
#
# So the cost of a whole step comes down to one line [Kin21, Eq. 13]:
#
# $$\boxed{\;L_{t-1} = \tfrac12\,(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)\; E\,\|x_0 - \hat x_0(x_t, t)\|^2\;} \tag{8.17}$$

# %%
# eq: 8.15, 8.16
A_s, A_t = sp.symbols("abar_s abar_t", positive=True)
x0, x0_hat, x_t = sp.symbols("x_0 xhat_0 x_t")
a_ts = A_t / A_s
w_0 = sp.sqrt(A_s) * (1 - a_ts) / (1 - A_t)
w_t = sp.sqrt(a_ts) * (1 - A_s) / (1 - A_t)
v = (1 - a_ts) * (1 - A_s) / (1 - A_t)
means = (w_0 * x0 + w_t * x_t) - (w_0 * x0_hat + w_t * x_t)
lines = [w_0**2 / (2 * v), A_s * (1 - a_ts) / (1 - A_t) / (1 - A_s) / 2,
         (A_s - A_t) / (1 - A_t) / (1 - A_s) / 2,
         (A_s * (1 - A_t) - A_t * (1 - A_s)) / (1 - A_t) / (1 - A_s) / 2,
         (A_s / (1 - A_s) - A_t / (1 - A_t)) / 2]
print("(8.15):", sp.simplify(means - w_0 * (x0 - x0_hat)))
print("(8.16), line by line:", [sp.simplify(b - a) for a, b in zip(lines, lines[1:])])

# %%
# eq: 8.17
# claim: E64
rng = seeded(88)
clean, x0_hat, there = (normal_like(torch.empty(3, 5).double(), generator=rng) for _ in range(3))
for t in (2, 100, 1000):
    exact = gaussians.kl(forward.posterior(schedule, clean, there, t, t - 1),
                         forward.posterior(schedule, x0_hat, there, t, t - 1))
    weight = losses.weight(schedule, "x0", t, "vlb")
    by_8_17 = weight * ((clean - x0_hat) ** 2).sum(1)
    yours = step_kl(schedule, clean, x0_hat, t, t - 1)
    same = torch.allclose(by_8_17, exact, rtol=1e-9), torch.allclose(yours, exact, rtol=1e-9)
    print(f"t = {t:4}: weight {weight:#.5g}; KL agrees with (8.17) and Exercise 8.2: {same}")
print(f"t =    1: weight {losses.weight(schedule, 'x0', 1, 'vlb'):.4g}")

# %% [markdown]
# Read (8.17) as *weight times squared error*. The weight is half the SNR that the step gains. A squared error of 1
# costs 2726.3 nats at $t = 2$, 0.089 at $t = 100$, and 4.1e-07 at $t = 1000$. At $t = 1$ the weight is infinite,
# because there the posterior is a single point. So $t = 1$ is *not* in the sum; it has its own term $L_0$ (chapter
# 08b).

# %% [markdown]
# ## Detour · How tight is the bound?
#
# Entropy, cross-entropy and bound, for data whose exact model is known.

# %% [markdown]
# With (8.17) we can compute the bound without any sampling, if we know the mean squared error $E(x_0 - \hat x_0)^2$.
# For the ideal denoiser and data of mean 0 and variance 1 it is $1 - E[\hat x_0^2]$: the variance of $x_0$, minus the
# part that the estimate explains. The expectation is a sum over a grid of $x_t$. If the model uses $\beta_t$ instead of
# $\tilde\beta_t$, (8.14) contains the ratio $r = \tilde\beta_t/\beta_t$, which also multiplies the squared error.

# %%
def errors(mixture, schedule):
    """E(x_0 - x0_hat)^2 of the ideal denoiser for t = 1 … T; data of variance 1."""
    best, explained = ideal_denoisers.mixture_denoiser(mixture, schedule), []
    for t in range(1, schedule.T + 1):
        mass = ideal_denoisers.log_density(mixture, schedule, x, t).exp() * 0.01  # x is the grid
        explained.append((mass * best(x, t)[:, 0] ** 2).sum())
    return 1 - torch.stack(explained)


def expected_bound(error, schedule, var):
    """E[L_T], E[L_{t-1}] for t = 2 … T, and E[L_0], nats."""
    weight = losses.weight(schedule, "x0", torch.arange(2, schedule.T + 1), "vlb")
    r = schedule.posterior_var[2:] / schedule.beta[2:] if var == "large" else torch.ones(())
    steps = 0.5 * (r - 1 - r.log()) + r * weight * error[1:]
    last = 0.5 * ((2 * math.pi * schedule.beta[1]).log() + error[0] / schedule.beta[1])
    return -0.5 * torch.log1p(-schedule.abar[-1]), steps, last

# %%
# claim: E100
parts = (torch.tensor(v, dtype=torch.float64) for v in ([1.0], [[0.0]], [1.0]))
unit = ideal_denoisers.Mixture(*parts)
entropies = {"N(0, 1)": 0.5 * math.log(2 * math.pi * math.e), "two modes": entropy.item()}
for name, mixture in (("N(0, 1)", unit), ("two modes", data)):
    error = errors(mixture, schedule)
    for var in ("large", "small"):
        L_T, steps, L_0 = expected_bound(error, schedule, var)
        total = (L_T + steps.sum() + L_0).item()
        print(f"{name:>9}, {var}: {L_T:.1e} + {steps.sum():.4f} {L_0:+.4f} = {total:.4f}; "
              f"entropy {entropies[name]:.4f}, gap {abs(total - entropies[name]):.4f} nats")

# %% [markdown]
# With 1000 steps and variance $\beta_t$ the bound of the ideal denoiser is tight or nearly so: it equals the entropy for
# $N(0, 1)$, and exceeds it by 0.0057 nats for the two modes. With $\tilde\beta_t$ the gaps are 0.4649 and 0.4445 nats, the
# cost of a wrong variance (chapter 07b).
#
# Back to our test case with ten steps, where $p(x_0)$ itself is known. Three numbers must be in this order: entropy ≤
# cross-entropy ≤ bound. The first gap is due to the model, the second to Jensen's inequality.
#
# **Predict.** $\tilde\beta_t$ costs more *in the bound*. Is the model with $\tilde\beta_t$ then also the worse
# model of the data?

# %%
# claim: E72, E77
for var in ("large", "small"):
    L_T, steps, L_0 = expected_bound(errors(data, ten), ten, var)
    bound = L_T + steps.sum() + L_0
    cross = -(truth * density(var).log()).sum() * 0.01
    x_0 = ideal_denoisers.sample(data, 20_000, generator=seeded(86)).double()
    sampled = losses.bound(ten, denoise, x_0, generator=seeded(87), var=var).total
    print(f"var={var!r}: {entropy:.4f} <= {cross:.4f} <= {bound:.4f} nats; above the entropy "
          f"{cross - entropy:.4f}, {bound - entropy:.4f}")
    stderr = sampled.std() / 20_000**0.5
    print(f"    losses.bound, 20,000 samples: {sampled.mean():.3f} ± {stderr:.3f}")

# %% [markdown]
# No! The first bound lies 0.2438 nats above the entropy, but only 0.0683 of these are due to the model. For the second
# bound these numbers are 0.6295 and 0.0245: with $\tilde\beta_t$ the model is *better*, although its bound is far
# worse. A bound guarantees a ceiling, not a ranking.
#
# The cross-entropy is the middle number; training minimizes a reweighted version of the last one, the bound. An exact
# likelihood needs one more idea, a deterministic path [Song21b], which chapter 10b introduces.

# %% [markdown] topics="C129 C133"
# ## 6 · From the bound to the loss that is trained
#
# Most networks predict not $x_0$ but the noise $\epsilon$, or $v = \sqrt{\bar\alpha_t}\,\epsilon -
# \sqrt{1-\bar\alpha_t}\,x_0$ (chapter 09). All three contain the same information, because $x_t$ is known:
# subtract $x_t = \sqrt{\bar\alpha_t}\,\hat x_0 + \sqrt{1-\bar\alpha_t}\,\hat\epsilon$ from (5.11), and the errors
# are related by
#
# $$\|\epsilon - \hat\epsilon\|^2 = \mathrm{SNR}_t\,\|x_0 - \hat x_0\|^2, \qquad
# \|v - \hat v\|^2 = (\mathrm{SNR}_t + 1)\,\|x_0 - \hat x_0\|^2. \tag{8.18}$$

# %%
# eq: 8.18
e0, signal, noise = sp.symbols("e_0 signal noise", positive=True)  # e_0 = x_0 - x0_hat
e_eps = sp.solve(signal * e0 + noise * sp.Symbol("e"), sp.Symbol("e"))[0]  # x_t has no error
e_v = signal * e_eps - noise * e0
snr = signal**2 / noise**2
print("(8.18), eps:", sp.simplify(e_eps**2 - snr * e0**2))
print("(8.18), v:  ", sp.simplify((e_v**2 - (snr + 1) * e0**2).subs(signal**2, 1 - noise**2)))

# %% [markdown]
# ### Exercise 8.3 · The weight of an $\epsilon$-error
#
# The reverse step has a variance `var` of the model's own choice, $\sigma_t^2$. The part of the KL (8.14) that
# depends on the prediction is the squared difference of the means over $2\sigma_t^2$. Write it as a weight times
# $\|\epsilon - \hat\epsilon\|^2$ and return the weight. You need only (8.15), for $s = t - 1$, and (8.18);
# `row(schedule.beta, t)` reads $\beta_t$ for one time or for a batch of times.

# %% tags=["exercise"]
def my_weight_eps(schedule, t, var):
    """Return the factor on ||eps - eps_hat||^2 in the KL of the step from t to t - 1."""
    ### BEGIN SOLUTION
    abar_s, abar_t = row(schedule.abar, t - 1), row(schedule.abar, t)
    w_0 = abar_s.sqrt() * row(schedule.beta, t) / (1 - abar_t)
    return w_0**2 / (2 * var) / row(schedule.snr, t)
    ### END SOLUTION


weight_eps = check("bound.weight_eps", my_weight_eps)

# %% [markdown]
# Simplified, the weight is [Ho20, Eq. 12]
#
# $$\frac{\beta_t^2}{2\sigma_t^2\,\alpha_t\,(1-\bar\alpha_t)}. \tag{8.19}$$
#
# The loss that is usually trained drops this weight, and draws $t$ uniformly. It is called the **simple loss**
# [Ho20, Eq. 14]:
#
# $$L_{\text{simple}} = E_{t,\,x_0,\,\epsilon}\;\big\|\epsilon - \hat\epsilon\big(\sqrt{\bar\alpha_t}\,x_0 +
# \sqrt{1-\bar\alpha_t}\,\epsilon,\; t\big)\big\|^2. \tag{8.20}$$

# %%
# eq: 8.19
t = torch.arange(1, 1001)
weights = weight_eps(schedule, t, schedule.beta[t])  # sigma_t^2 = beta_t
formula = schedule.beta[t] / (2 * schedule.alpha[t] * (1 - schedule.abar[t]))
print(f"(8.19) agrees: {torch.allclose(weights, formula, rtol=1e-9)}; weight at t = 1: "
      f"{weights[0]:.4f}, smallest {weights.min():.4f} at t = {int(weights.argmin()) + 1}")

# %%
# eq: 8.20
def net(x_t, t):
    return 0.8 * x_t  # any network that predicts eps will do here


rng, x_0, t = seeded(80), test[:5], torch.tensor([1, 30, 300, 600, 1000])
eps = normal_like(x_0, generator=rng)
signal, noise = (table[t].reshape(5, 1, 1, 1) for table in (schedule.signal, schedule.noise))
by_hand = ((eps - net(signal * x_0 + noise * eps, t)) ** 2).sum((1, 2, 3))  # (8.20), per image
loss = losses.simple(schedule, net, "eps", x_0, t, eps)
print(f"losses.simple is (8.20), divided by the 64 dimensions: "
      f"{torch.allclose(64 * loss, by_hand)}")
figures.show_source(losses.simple)

# %% [markdown]
# That is the whole derivation: an integral over 64,000 variables, a bound, 999 KL divergences, a squared error for each,
# and finally one random $t$. The dropped weight is 0.5001 at $t = 1$ and 0.0050 at $t = 349$. The effect of dropping it
# is the first question of chapter 08b.

# %% [markdown]
# ## Popular claims, checked
#
# - **The mean of $L$ is an upper bound on the cross-entropy, not the cross-entropy itself.** "Diffusion models minimize the
#   cross-entropy" or "give the exact likelihood" is not what (8.11) says: 0.6977 ≤ 0.7660 ≤ 0.9415 in the detour.
# - **The reverse step should be the average of the posteriors, not equal to one of them.** "Make
#   $p(x_{t-1} \mid x_t)$ equal to $q(x_{t-1} \mid x_t, x_0)$" is
#   impossible: even for the exact model the sum of these KL divergences is 4.6052 nats.

# %% [markdown]
# ## Detour · How much cheaper can a new digit be?
#
# The 405 bits per pixel of the detour in section 1 are an upper bound. Paths that end between two training digits give a tighter one.

# %% [markdown]
# Take the two training digits $a$ and $b$ nearest to the new digit. On the boundary between them the denoiser
# cannot decide, and predicts the midpoint $m = (a+b)/2$, which is closer to the new digit than $a$ or $b$. So we
# choose our own distribution $q$ of paths: noising paths from $m$ in every direction but one. In the direction
# from $b$ to $a$ they get very little noise, so that they stay where the denoiser is undecided. By (8.5), *any* $q$ gives
# an upper bound, $E_q[-\log w]$.

# %%
new, old = test[:50].flatten(1), train.flatten(1)
pair = old[torch.cdist(new, old).argsort(1)[:, :2]]  # the two nearest training digits of each
middle, gap = pair.mean(1), (pair[:, 0] - pair[:, 1]).norm(dim=1, keepdim=True)
along = (pair[:, 0] - pair[:, 1]) / gap  # unit vector from one to the other


def width(t):
    """Standard deviation of q along that direction: the denoiser must stay undecided."""
    undecided = (1 - schedule.abar[t]) / (schedule.signal[t] * gap)
    return torch.minimum(0.1 * undecided, schedule.posterior_var[min(t + 1, 1000)].sqrt())[:, 0]


def between(t, rng):  # a sample of x_t
    eps = normal_like(middle, generator=rng)
    e = (eps * along).sum(1, keepdim=True)
    across = schedule.noise[t] * (eps - e * along)
    return schedule.signal[t] * middle + across + width(t)[:, None] * e * along

# %%
def estimate(x_t, t):
    return memory(x_t.reshape(-1, 1, 8, 8), t).flatten(1)


rng = seeded(6)
nats = 0.5 * ((schedule.signal[-1] * middle) ** 2).sum(1) + 0.5 * (width(1000) ** 2 - 1)
nats = nats - width(1000).log()  # so far the KL at t = T, as in (8.14)
for t in range(1000, 1, -1):
    x_t = between(t, rng)
    q, p = (forward.posterior(schedule, x_0, x_t, t, t - 1) for x_0 in (middle, estimate(x_t, t)))
    shift = ((schedule.signal[t - 1] * middle - p.mean) * along).sum(1)
    across = ((q.mean - p.mean) ** 2).sum(1) - ((q.mean - p.mean) * along).sum(1) ** 2
    r = width(t - 1) ** 2 / p.var
    nats = nats + 0.5 * ((across + shift**2) / p.var + r - 1 - r.log())  # (8.14)
last = Gaussian(estimate(between(1, rng), 1), schedule.beta[1])
bits = losses.bits_per_dim(nats - gaussians.pixel_log_prob(last, new, levels=17), new)
print(f"at most {bits.mean():.1f} bits per pixel, ± {bits.std() / 50**0.5:.1f} (50 digits)")

# %% [markdown]
# So new digits cost at most about 334 bits per pixel on average, well below 405. More pairs, and the best point
# between them instead of the midpoint, would lower the bound further. Either way, it is a terrible model of new digits.

# %% [markdown] topics="C092"
# ## Detour · Does isotropic noise limit the model?
#
# The noise of this chain is the same in every direction. What does that cost?

# %% [markdown]
# Take isotropic Gaussian
# steps and the ideal denoiser, and see whether the gap to the entropy stops shrinking at some number of steps. (In one
# dimension the question is about the Gaussian shape of the steps only.)

# %%
# claim: E89
for count in (10, 100, 1000):
    fewer = schedules.respaced(schedule, schedules.timesteps(1000, count))
    L_T, steps, L_0 = expected_bound(errors(data, fewer), fewer, "large")
    gap = L_T + steps.sum() + L_0 - entropy
    print(f"two modes, {count:4} steps: {gap:.4f} nats above the entropy")

# %% [markdown]
# For this distribution it does not stop: 0.3962, 0.0557, 0.0057 nats. With ten times as many steps, the gap falls to about
# a seventh, and then to about a tenth. (`schedules.respaced` is the same noise with fewer steps; chapter 10 explains it.
# Chapter 07 says why the gap closes for smooth densities: the reverse of a small step is nearly Gaussian.)

# %% [markdown]
# ## Recap
#
# The likelihood of an image is an integral over all paths, and almost all paths miss it. Averaging over noising paths
# from the image, with the log inside the mean, gives a bound. It is tight if the noising paths are distributed like the
# model's own. Grouped with the posterior, it has three kinds of terms. A denoising matching term is a squared error,
# weighted by half the gain in SNR. The simple loss drops the weight on the error of $\epsilon$. Wherever a mean can be
# computed analytically, do so.
#
# **One formula to keep**
#
# $$L_{t-1} = \tfrac12\,(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)\; E\,\|x_0 - \hat x_0(x_t, t)\|^2$$
#
# **Exercises:** 8.1 `bound.jensen_gap` (detour) · 8.2 `bound.step_kl` · 8.3 `bound.weight_eps`
#
# **To think about.** Doubling the number of steps between the same two times never makes the bound of an ideal
# denoiser worse. Why? (Compare one step with two in (8.17): which error is multiplied by which part of the weight?)
#
# **Before:** [07b · How much noise should a step back add?](07b_reverse_variance.ipynb) · **Next:**
# [08b · Which weights, and how many bits?](08b_weights_and_bits.ipynb)
#
# **Read on:** [Ho20] Sec. 3.4 and Appendix A; [Kin21] Sec. 3–5 for the bound as an integral over SNR; [Luo22] for
# both groupings.
