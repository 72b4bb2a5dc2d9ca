# %% [markdown]
# # 03 · How good is a Monte Carlo answer?
#
# Most of the numbers in this course are expectations that cannot be computed exactly. So we draw random samples and
# average. When can you trust such an average? And how do you improve a distribution by gradient descent if all you have
# is random samples from it?
#
# **After this chapter you can**
#
# - put an error bar on any Monte Carlo answer, and say what it promises,
# - use importance sampling, and recognize when it fails,
# - compute the gradient of an expectation in two ways, and choose between them,
# - tell variance from bias, and say on which side of the truth an estimated log-evidence lies,
# - explain why maximum likelihood, minimum KL and least squares are one idea.
#
# **You need** sections 1, 2 and 6 of [01 · Bayes](01_bayes.ipynb) (the evidence) and, from
# [02 · Distributions](02_distributions.ipynb), densities, Gaussians and the KL divergence.
#
# **Time:** about {road} minutes; the detours, which nothing later needs, add {detours}. The notebook runs in about 20 seconds.
#
# **For what comes next:** every chapter uses section 1; 04 needs all sections; 08 uses the last one.
#
# **In the papers:** [KW14] Kingma and Welling 2014, Sec. 2.4 (the reparameterization trick); [Wil92]
# Williams 1992 (score-function gradients); [Bur16] Burda et al. 2016 (importance-weighted bounds); [Moh20]
# Mohamed et al. 2020, a survey of Monte Carlo gradients.

# %%
import math
import textwrap

import sympy as sp
import torch

from ddpm_lab import estimators, gaussians, ideal_denoisers
from ddpm_lab.course import explorers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, seeded


def uniform(rng, *shape):
    """Samples from U(0, 1), in double precision."""
    return torch.rand(shape, generator=rng, dtype=torch.float64)


def normal(rng, *shape):
    """Samples from N(0, 1), in double precision."""
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def likelihood(theta):
    """Probability of 7 heads in 10 tosses if heads has probability theta."""
    return 120 * theta**7 * (1 - theta) ** 3


# %% [markdown] topics="C031"
# ## A first look: one integral, thirty estimates
#
# In chapter 01 a coin showed 7 heads in 10 tosses. The evidence was an integral over the coin's unknown probability of heads
# $\theta$, with a flat prior. An integral against a probability density is an
# **expectation**, an average over samples, here from the uniform distribution $U(0, 1)$:
#
# $$p(\text{7 heads}) = \int_0^1 f(\theta)\,d\theta = E_{\theta \sim U(0,1)}\big[f(\theta)\big]
# = \tfrac{1}{11}, \qquad f(\theta) = \binom{10}{7}\,\theta^7 (1-\theta)^3. \tag{3.1}$$
#
# So draw 100 values of $\theta$ and average $f$. That is one estimate. Below are 30 of them, each with a bar of one standard
# error to either side.
#
# **Predict.** How many of the 30 bars will miss the exact answer?

# %%
fig, ax = figures.new(width=8, height=2.6)
rng, caught = seeded(1), 0
for i in range(30):
    value, stderr = estimators.monte_carlo(likelihood(uniform(rng, 100)))
    hit = bool(abs(value - 1 / 11) <= stderr)
    caught += hit
    style = {"color": figures.BLUE, "fmt": "o"} if hit else {"color": figures.RED, "fmt": "s"}
    ax.errorbar(i + 1, value, yerr=stderr, capsize=3, **style)
ax.axhline(1 / 11, color=figures.GRAY, linestyle="--")
ax.set(xlabel="repetition, each with 100 new samples", ylabel="estimate of the evidence")
figures.show(fig, alt="30 estimates with error bars around 1/11; squares mark bars that miss it.")
print(f"{caught} of 30 bars catch the dashed line, the exact answer 1/11 = {1 / 11:.4f}")

# %%
# eq: 3.1
theta = sp.symbols("theta", positive=True)
exact = sp.integrate(sp.binomial(10, 7) * theta**7 * (1 - theta) ** 3, (theta, 0, 1))
print("the integral:", exact)
spread = sp.integrate((120 * theta**7 * (1 - theta) ** 3) ** 2, (theta, 0, 1)) - exact**2  # Var f


# %% [markdown]
# 8 of 30 miss, and nothing is wrong with them: a bar of one standard error is supposed to catch the truth in about 68 of 100
# cases. If all of them caught it, the bars would be too long.
#
# ## 1 · The answer and its error bar
#
# Let $x_1, \dots, x_N$ be independent samples from a distribution $p$, and $f$ a function. The **Monte Carlo estimate**
# of an expectation is the mean over the samples:
#
# $$E_p[f(x)] \approx \frac{1}{N}\sum_{i=1}^{N} f(x_i). \tag{3.2}$$
#
# It is itself random. How much does it vary? Variances of independent
# numbers add (chapter 02), so the sum has variance $N \operatorname{Var} f$. Dividing the sum by $N$ divides its
# variance by $N^2$, which leaves $\operatorname{Var} f / N$. The square root is the **standard error**:
#
# $$\text{standard error} = \sqrt{\frac{\operatorname{Var} f(x)}{N}} \approx \frac{s}{\sqrt N}.
# \tag{3.3}$$
#
# Here $s$ is the standard deviation of the sampled values $f(x_i)$. (`values.std()` divides the sum of squared
# deviations by $N - 1$, because the mean was estimated from the same values.)
#
# ### Exercise 3.1 · A mean and its error
#
# You will need this for every random number in the course. `values` has shape (N,). Return two numbers: the
# estimate (3.2) and its standard error (3.3).

# %% tags=["exercise"]
def my_monte_carlo(values):
    """Return (mean, standard error) of N independent samples, values of shape (N,)."""
    ### BEGIN SOLUTION
    return values.mean(), values.std() / math.sqrt(len(values))
    ### END SOLUTION


monte_carlo = check("estimators.monte_carlo", my_monte_carlo)

# %%
# eq: 3.2, 3.3
rng = seeded(2)
for n in (100, 10_000, 1_000_000):
    value, stderr = monte_carlo(likelihood(uniform(rng, n)))
    print(f"N = {n:9,}: {value:.4f} ± {stderr:.4f}")
repeats = torch.stack([likelihood(uniform(rng, 100)).mean() for _ in range(10_000)])
print(f"N = 100, 10,000 times: mean of the estimates {repeats.mean():.4f}, "
      f"standard deviation {repeats.std():.4f}")
print(f"(3.3) with the exact variance of f: {math.sqrt(spread / 100):.4f}")

# %% [markdown]
# From now on, "a ± b" means: estimate a, standard error b. A hundred times the samples make the bar ten times shorter; that
# is the $1/\sqrt N$. And the bar is honest: over 10,000 repetitions with $N = 100$ the estimates have a standard deviation
# of 0.0096, where (3.3) says 0.0097. The mean over all repetitions is 0.0909 = 1/11. The estimate is **unbiased**: on
# average it is right, and all of its error is variance.
#
# The bar does not say "the error is at most this". It says how often such bars catch the truth.
#
# **Predict.** How often does a bar of one standard error catch 1/11, and how often one of two standard errors?

# %%
rng = seeded(3)
off = []  # each repetition's error, in units of its own standard error
for _ in range(10_000):
    value, stderr = monte_carlo(likelihood(uniform(rng, 100)))
    off.append(abs(value - 1 / 11) / stderr)
off = torch.stack(off)
for width in (1, 2):
    share, promise = (off <= width).double().mean(), math.erf(width / math.sqrt(2))
    print(f"within {width} standard error{'s' * (width > 1)}: {share:.3f} of 10,000; "
          f"a Gaussian promises {promise:.3f}")

# %% [markdown] topics="C032"
# About 68 % and 95 %, as for a Gaussian, because a mean of many independent samples is nearly Gaussian (the
# central limit theorem). Two warnings: the samples must be *many*, and their variance *finite*.
# And the bar is computed from the same samples as the answer, so it cannot reflect what those samples missed.
#
# Note what is *not* in (3.3): the dimension of $x$. The grids of chapter 01 grew like $k^3$ for three unknowns.
# Monte Carlo does not care, as long as $\operatorname{Var} f$ does not grow.
#
# ## 2 · Importance sampling: samples from another distribution
#
# **Predict.** A standard normal number is larger than 4 about 3 times in 100,000. What will an estimate from 10,000
# samples say, and with what error bar?

# %%
truth = 0.5 * math.erfc(4 / math.sqrt(2))  # P(x > 4) for x ~ N(0, 1)
rng, answers = seeded(4), {}
for _ in range(20):  # 20 repetitions with 10,000 samples each
    value, stderr = monte_carlo((normal(rng, 10_000) > 4).double())  # 1 where x > 4, else 0
    answer = f"{value:.1e} ± {stderr:.1e}"
    answers[answer] = answers.get(answer, 0) + 1
print(f"truth {truth:.2e}")
for answer, times in answers.items():
    print(f"{times:2} of 20 times: {answer}")


# %% [markdown]
# Most answers are zero plus or minus zero, and wrong. This is the second warning: no sample was larger than 4, so the bar
# does not show that anything is missing. The other answers are three times too high.
#
# The remedy is to sample where it matters, from another distribution $q$, and to correct for the difference. Multiply and
# divide by $q(x)$ under the integral:
#
# $$E_p[f] = \int p(x) f(x)\,dx = \int q(x)\,\frac{p(x)}{q(x)}\, f(x)\,dx
# = E_{x \sim q}\big[w(x)\, f(x)\big], \qquad w(x) = \frac{p(x)}{q(x)}. \tag{3.4}$$
#
# This is **importance sampling**; $q$ is the **proposal**, and $w$ are the **importance weights**: where $q$ samples more
# often than $p$ would, a sample counts less.

# %%
# eq: 3.4
def log_normal(x, mean=0.0, std=1.0):
    """log N(x; mean, std^2), in nats."""
    return -((x - mean) ** 2) / (2 * std**2) - math.log(std) - 0.5 * math.log(2 * math.pi)


x = 4 + normal(seeded(4), 10_000)  # the proposal: N(4, 1)
log_p, log_q = log_normal(x), log_normal(x, mean=4.0)
value, stderr = estimators.importance_sampling((x > 4).double(), log_p - log_q)
print(f"truth {truth:.3e}, importance sampling {value:.3e} ± {stderr:.1e}")
# Plain samples are 0 or 1: their variance is P (1 - P), about P.
print(f"plain samples needed for that error: about {truth / float(stderr) ** 2:.0e}")

# %% [markdown]
# An accuracy of two percent from 10,000 samples. Plain Monte Carlo would have needed about 70 million.
#
# Importance sampling has conditions. **$q > 0$ wherever $p\,f \ne 0$.** **The variance of $w f$ must be finite**: let the
# proposal be *wider* than the target, never narrower. And **the dimension must be low**: weights of independent coordinates
# multiply. A good summary is the **effective sample size**, the number of equally
# weighted samples that $N$ weighted ones are worth:
#
# $$\mathrm{ESS} = \frac{\big(\sum_i w_i\big)^2}{\sum_i w_i^2} \approx \frac{N}{E_q[w^2]}. \tag{3.5}$$
#
# **Predict.** The mean of the proposal is off by half a standard deviation in each coordinate. How many samples are 100,000
# worth in 1, 2, 10 and 50 dimensions?

# %%
# eq: 3.5
figures.show_source(estimators.effective_sample_size)
three = estimators.effective_sample_size(torch.tensor([0.0, 0.0, 0.0, -math.inf]))
print(f"four samples with weights 1, 1, 1, 0 are worth {three:.1f}")
for D in (1, 2, 10, 50):
    x = 0.5 + normal(seeded(7), 100_000, D)  # q = N(0.5, 1) in each coordinate
    log_w = (log_normal(x) - log_normal(x, mean=0.5)).sum(dim=1)
    ess = estimators.effective_sample_size(log_w)
    print(f"D = {D:2}: 100,000 samples are worth {ess:9.1f}; "
          f"N / E[w^2] = {1e5 * math.exp(-D / 4):9.1f}")

# %% [markdown]
# In one dimension the shift is harmless. In 50 dimensions 100,000 samples seem to be worth 117, and even that is flattering:
# the exact value, 0.4, is below *one* sample. The samples that were drawn say nothing about the rare, heavy ones that were not.
# An image has thousands of dimensions, so whole images cannot be weighted like this. Diffusion models take another
# route: many small steps, each of which is easy. (`logsumexp` is the logarithm of a sum of exponentials, computed so
# that nothing overflows.)

# %% [markdown]
# ### Detour · Exercise 3.2, weighted samples
#
# Write (3.4) as a function.

# %% [markdown]
# #### Exercise 3.2 · Weighted samples
#
# Densities over many coordinates can be as small as $e^{-2000}$, which a computer rounds to 0. So we store their
# logarithms. `values`, `log_p`, `log_q` have shape (N,) and belong to $N$ samples from $q$. Return the estimate of
# $E_p[f]$, one number.

# %% tags=["exercise"]
def my_importance(values, log_p, log_q):
    """Return the estimate of E_p[f] from values f(x_i) at samples x_i of q."""
    ### BEGIN SOLUTION
    weight = torch.exp(log_p - log_q)
    return (weight * values).mean()
    ### END SOLUTION


importance = check("estimators.importance", my_importance)
x = 4 + normal(seeded(4), 10_000)  # as above
yours = importance((x > 4).double(), log_normal(x), log_normal(x, mean=4.0))
print(f"P(x > 4), your estimate: {yours:.3e}")

# %% [markdown]
# ### Detour · The best proposal, and how importance sampling fails
#
# One perfect proposal, two failures in numbers, and an explorer to produce your own.

# %% [markdown]
# How good can a proposal be? For the coin, take as $q$ the *posterior* of chapter 01. By Bayes' rule
# likelihood × prior / posterior is the evidence, for *every* sample:

# %%
for theta in (0.2, 0.5, 0.8):
    posterior = 1320 * theta**7 * (1 - theta) ** 3  # its integral over 0..1 is 1
    print(f"theta = {theta}: w f = {likelihood(theta) * 1 / posterior:.6f}")

# %% [markdown]
# A single sample would be enough: no variance at all. The catch is that the constant 1320 contains the evidence, the very
# number we are looking for. The best proposal is out of reach, but you can come close to it. In
# chapter 04b a network, the encoder, is trained for that.
#
# Now the failures. First, **$q = 0$ where $p > 0$.** Take $p = N(0,1)$ and a $q$ that never produces a negative number,
# $q(x) = 2\,p(x)$ for $x > 0$. All weights are ½.

# %%
# claim: E37
x = normal(seeded(5), 100_000).abs()
log_w = torch.full_like(x, math.log(0.5))
weights, mean = monte_carlo(log_w.exp()), estimators.importance_sampling(x, log_w)
print(f"mean weight {weights[0]:.3f} (should be 1)")
print(f"E_p[x] = {mean.value:.3f} ± {mean.stderr:.3f} (truth 0)")


# %% [markdown]
# Wrong by hundreds of error bars. The only sign is the mean weight, which should be 1, since $E_q[p/q] = \int p = 1$.
# Half of $p$ was never sampled.
#
# Second, **infinite variance.** For $p = N(0, 1)$ and $q = N(m, s^2)$ completing the square gives
#
# $$E_q[w^2] = \int \frac{p(x)^2}{q(x)}\,dx = \frac{s^2}{\sqrt{2s^2-1}}\,
# \exp\!\Big(\frac{m^2}{2s^2-1}\Big) \quad\text{if } s^2 > \tfrac12, \text{ else } \infty. \tag{3.6}$$
#
# **Predict.** Which is worse, a proposal that is twice too wide ($s = 2$) or one that is twice too narrow ($s = \tfrac12$)?
# For each $s$ we estimate the mean weight, which should be 1, 2000 times from 1000 samples, and count how often a bar of
# two standard errors catches it. Formula (3.6) is checked by **quadrature**, a sum over a fine grid.

# %%
# eq: 3.6
# claim: E37
def second_moment(s, edge):
    """E_q[w^2] by quadrature between -edge and edge."""
    x = torch.linspace(-edge, edge, 40_001, dtype=torch.float64)
    return ((2 * log_normal(x) - log_normal(x, std=s)).exp()).sum() * edge / 20_000


print("   s  E[w^2] by (3.6)  quadrature to ±10, to ±20  bars that catch 1  largest estimate")
for s in (2.0, 1.0, 0.8, 0.75, 0.7, 0.5):
    x = s * normal(seeded(6), 2000, 1000)  # 2000 repetitions; .T puts the samples first
    value, stderr = estimators.monte_carlo((log_normal(x) - log_normal(x, std=s)).exp().T)
    catch = ((value - 1).abs() <= 2 * stderr + 1e-9).double().mean()
    formula = s**2 / math.sqrt(2 * s**2 - 1) if s**2 > 0.5 else math.inf
    print(f"{s:4} {formula:16.3f} {second_moment(s, 10):17.3g} {second_moment(s, 20):9.3g} "
          f"{catch:17.3f} {value.max():17.3f}")

# %% [markdown]
# Too wide costs little. Too narrow is dangerous. For $s = 0.7$ and $0.5$ the tails of $q$ are so thin that the
# integral diverges: the farther out you look, the larger it gets. At $s = 0.5$ the bars that should catch
# the truth 95 % of the time catch it 71 % of the time. Most repetitions miss the rare huge weights and end too low, with
# small bars; a few meet one and end far too high, up to 6.5 instead of 1.
#
# **Predict** before you move the sliders: in 10 dimensions, how far can the mean of $q$ move from 0 before 1000 samples are
# worth fewer than 10? With mean 0, which hurts more, a standard deviation of 0.7 or of 1.5?

# %%
explorer = explorers.importance_sampling()
print(explorer)
explorer

# %%
for mean, std in ((0.9, 1.0), (0.0, 0.7), (0.0, 1.5)):
    print(textwrap.fill(explorer.describe(mean=mean, std=std, dimension=10), 88))

# %% [markdown]
# Less than one standard deviation: at 0.9 the 1000 samples are worth 8. And 0.7 hurts more than 1.5: 82 against 147
# samples, and the 82 has no guarantee behind it, since $w$ has infinite variance there.

# %% [markdown] topics="C033 C034"
# ## 3 · Gradients through random samples
#
# So far the distribution was given. Learning *changes* a distribution. An encoder (chapter 04) outputs the mean $a$ and the
# standard deviation $b$ of a Gaussian, and needs to know how to change them so that $E_{x \sim N(a, b^2)}[f(x)]$ falls.
# That takes the derivative of an expectation with respect to the parameters of the very distribution that is sampled. How
# do you differentiate a random sample?
#
# ### Move the samples: the reparameterization trick
#
# Chapter 02 sampled a Gaussian like this:
#
# $$x = a + b\,\epsilon, \quad \epsilon \sim N(0, 1) \qquad\text{gives}\qquad x \sim N(a, b^2). \tag{3.7}$$
#
# This is the **reparameterization trick**. All randomness is in $\epsilon$, whose distribution has *no parameters*. For fixed
# $\epsilon$, $x$ is an ordinary function of $a$ and $b$.
#
# Below are nine samples as dots. See how they move when $a$ grows by 1, and when $b$ doubles.

# %%
# eq: 3.7
eps = normal(seeded(8), 9)
settings = {"a = 0, b = 1": (0, 1), "a = 1, b = 1": (1, 1), "a = 1, b = 2": (1, 2)}
fig, ax = figures.new(width=8, height=2.4)
places = torch.stack([a + b * eps for a, b in settings.values()])
ax.plot(places, [2, 1, 0], color=figures.GRAY, linewidth=0.8)
for height, x in zip((2, 1, 0), places):
    ax.plot(x, [height] * 9, "o", color=figures.BLUE)
ax.set(yticks=[2, 1, 0], yticklabels=list(settings), xlabel="x, data units", ylim=(-0.4, 2.4))
figures.show(fig, alt="Nine samples shift together when a grows, and fan out when b doubles.")
many = normal(seeded(9), 1_000_000)
for name, (a, b) in settings.items():
    x = a + b * many
    print(f"{name}: first two samples {a + b * eps[0]:+.3f}, {a + b * eps[1]:+.3f}; "
          f"of a million: mean {x.mean():.3f}, variance {x.var():.3f}")


# %% [markdown]
# Every dot follows a path: with $a$ it moves at speed $\partial x/\partial a = 1$, with $b$ at speed
# $\partial x/\partial b = \epsilon$, so the outer ones move most. The distribution of $\epsilon$ does not change, so the
# derivative may be taken of each sample. That is the **pathwise gradient**:
#
# $$\frac{\partial}{\partial a} E[f] = E\Big[\frac{\partial}{\partial a} f(a + b\,\epsilon)\Big], \qquad
# \frac{\partial}{\partial b} E[f] = E\Big[\frac{\partial}{\partial b} f(a + b\,\epsilon)\Big]. \tag{3.8}$$
#
# ### Exercise 3.3 · The pathwise gradient
#
# This is how the encoder of chapter 04b learns. `slope` is the function $f'$; it takes and returns tensors. `eps` has
# shape (N,). Work out the two derivatives inside the brackets of (3.8) by the chain rule, and return two tensors of
# shape (N,): for each sample its derivative with respect to $a$ and to $b$. (Do not average; we want to see how they vary.)

# %% tags=["exercise"]
def my_pathwise(slope, a, b, eps):
    """Return (d/da, d/db), each (N,): one estimate per sample."""
    ### BEGIN SOLUTION
    along = slope(a + b * eps)
    return along, along * eps
    ### END SOLUTION


pathwise = check("estimators.pathwise", my_pathwise)

# %%
# eq: 3.8
eps = normal(seeded(10), 100_000)
by_a, by_b = pathwise(lambda x: 2 * x, 1.0, 2.0, eps)  # f(x) = x^2 has slope 2 x
for name, each in (("a", by_a), ("b", by_b)):
    value, stderr = monte_carlo(each)
    print(f"d/d{name} E[x^2] at a = 1, b = 2: {value:.3f} ± {stderr:.3f}")
automatic = estimators.pathwise_gradient(torch.square, 1.0, 4.0, eps)  # variance 4 = 2^2
print("the package's, by automatic differentiation, the same:", torch.allclose(by_a, automatic))


# %% [markdown]
# Both are right: $E[x^2] = a^2 + b^2$ (the square of the mean plus the variance), so the derivatives are $2a = 2$ and
# $2b = 4$.
# `estimators.pathwise_gradient` needs no $f'$: automatic differentiation finds the slope of $f$ at each
# sample. (Its arguments are mean and *variance*, as everywhere in the package.)
#
# Reparameterization is not the only way for a gradient to pass through a random sample. The **score-function gradient** (or
# REINFORCE) reweights the samples instead of moving them. It works even where $f$ jumps, but for $f(x) = x^2$ at $a = b = 1$ its
# variance is 7.5 times as large (the next detour measures it). Variance costs **time**: training then needs smaller steps or
# more samples per step. The networks of this course are smooth, so we use the pathwise gradient.

# %% [markdown]
# ### Detour · Reweight the samples: the score-function gradient
#
# The other way, with an exercise; then both in many dimensions, on a step function and in a training run.

# %% [markdown]
# Leave the samples where they are, and ask how their *probability* changes. Under the integral only
# the density depends on $a$, and $\partial_a N = N\,\partial_a \log N$:
#
# $$\frac{\partial}{\partial a} E[f] = \int f\,\frac{\partial N(x; a, b^2)}{\partial a}\,dx
# = E\Big[f(x)\,\frac{\partial \log N(x; a, b^2)}{\partial a}\Big] = E\Big[f(x)\,\frac{x - a}{b^2}\Big]. \tag{3.9}$$
#
# This is the score-function gradient. Samples with a large $f$ are made more likely.
# It needs only values of $f$, no slope. The factor $(x-a)/b^2$ is called a **score**: the derivative of the log-density with
# respect to a *parameter*. (From chapter 07 on, "score" means the derivative with respect to $x$, which for this Gaussian is
# $-(x-a)/b^2$, the opposite sign. Same word, two derivatives.)
#
# One refinement. The score has mean 0. So you may subtract a constant, a **baseline** $c$ (the simplest *control variate*),
# from $f$: on average nothing changes, since $E[c\,(x-a)/b^2] = 0$.
#
# #### Exercise 3.4 · The score-function gradient
#
# `f` takes samples (N,) and returns values (N,); `mean` and `var` are numbers, `x` holds samples from
# $N(\text{mean}, \text{var})$. Return (N,), one estimate per sample of the derivative with respect to the mean, with the baseline
# subtracted from $f$.

# %% tags=["exercise"]
def my_score_function(f, mean, var, x, baseline):
    """Return (N,): one estimate of d/d mean E[f] per sample."""
    ### BEGIN SOLUTION
    return (f(x) - baseline) * (x - mean) / var
    ### END SOLUTION


score_function = check("estimators.score_function", my_score_function)

# %%
# eq: 3.9
# claim: E36
x = 1.0 + normal(seeded(11), 1_000_000)
print("d/da E[x^2] at a = b = 1; truth 2")
rows = {"pathwise": 2 * x, **{f"score function, baseline {c}":
        score_function(torch.square, 1.0, 1.0, x, c) for c in (0, 2, 4)}}
for name, each in rows.items():
    value, stderr = monte_carlo(each)
    print(f"{name:>26}: {value:.3f} ± {stderr:.3f}, variance of one sample {each.var():.2f}")
theirs = estimators.score_function_gradient(torch.square, 1.0, 4.0, eps, baseline=5.0)
ours = score_function(torch.square, 1.0, 4.0, 1 + 2 * eps, 5.0)
print("at variance 4, the package's is the same:", torch.allclose(theirs, ours))


# %% [markdown]
# Both are right within their bars. The variances of single samples are about 4 and 30, so the score function needs
# 30/4 = 7.5 times the samples for the same bar. A baseline helps: with
# $c = E[f] = 2$ the variance is 18, and 14, at $c = 4$, is the best that a constant can do here.
#
# So the pathwise gradient is the **low-variance** way. It
# needs a smooth $f$. Where $f$ jumps, where choices are discrete, or where $f$ is a black box, the score function still works.
#
# **Predict.** How do the two variances grow with the dimension? Take $f(x) = \sum_d x_d^2$, and the derivative with respect
# to the first mean only.

# %%
def summed(x):
    """f: (N, D) -> (N,), the sum of squares."""
    return x.square().sum(dim=1)


for D in (1, 10, 100):
    eps = normal(seeded(12), 50_000, D)
    path = estimators.pathwise_gradient(summed, 1.0, 1.0, eps)
    plain = estimators.score_function_gradient(summed, 1.0, 1.0, eps)
    less = estimators.score_function_gradient(summed, 1.0, 1.0, eps, baseline=2 * D)  # E[f] = 2 D
    print(f"D = {D:3}: pathwise {path[:, 0].var():.1f}, score function {plain[:, 0].var():8.1f}, "
          f"with baseline {less[:, 0].var():6.1f}")


# %% [markdown]
# The pathwise variance stays at 4: the slope with respect to the first coordinate contains nothing of the others. The score
# function multiplies *all* of $f$ by the score of the first coordinate. For $D = 100$ the other 99 coordinates are just
# noise and push the variance to 41,000; a baseline removes most of it, but not all.
#
# **Predict.** $f$ is a step: 1 for $x > 0$, else 0. Then $E[f] = P(x > 0)$, which grows with $a$. What does the
# pathwise gradient answer?

# %%
def step(x):
    """1 for x > 0, 0 for x < 0."""
    return (x.sign() + 1) / 2


eps = normal(seeded(13), 100_000)
print(f"truth, the density of N(1, 1) at 0: {math.exp(-0.5) / math.sqrt(2 * math.pi):.4f}")
for gradient in (estimators.pathwise_gradient, estimators.score_function_gradient):
    value, stderr = monte_carlo(gradient(step, 1.0, 1.0, eps))
    print(f"{gradient.__name__:>24}: {value:.4f} ± {stderr:.4f}")
try:
    estimators.pathwise_gradient(lambda x: (x > 0).double(), 1.0, 1.0, eps)
except ValueError as error:
    print(textwrap.fill(str(error), 88))


# %% [markdown]
# Zero, without any noise, and wrong. The slope of a step is 0 wherever there is one; all that matters happens
# at the jump, which no sample hits. The score function is right. (Given a comparison instead of
# `sign`, the package refuses and says why.) The networks of this course are smooth.
#
# Now training: many small steps along estimated gradients (stochastic gradient descent). Find the $a$ that
# minimizes $E_{x \sim N(a,1)}[(x - 3)^2] = (a-3)^2 + 1$. Start at 0, and move 300 times by $-0.05$ times a gradient
# from **one** sample.
#
# **Predict.** Both gradients are unbiased. Will both arrive at 3?

# %%
def train(gradient, n=1, runs=200):
    """(301, runs): the parameter a of 200 independent runs, after each step."""
    rng, a = seeded(14), torch.zeros(runs, dtype=torch.float64)
    path = [a]
    for _ in range(300):
        means = a.repeat(n)  # each run's own a, once for each of its samples
        each = gradient(lambda x: (x - 3) ** 2, means, 1.0, normal(rng, n * runs))
        a = a - 0.05 * each.reshape(n, runs).mean(dim=0)
        path.append(a)
    return torch.stack(path)


paths = {"pathwise, 1 sample": train(estimators.pathwise_gradient),
         "score function, 1 sample": train(estimators.score_function_gradient),
         "score function, 25 samples": train(estimators.score_function_gradient, n=25)}

# %%
fig, axes = figures.new(1, 3, width=8.4, height=2.6, sharey=True)
for ax, (name, path) in zip(axes, paths.items()):
    ax.plot(path[:, :5], color=figures.BLUE, linewidth=0.8)
    ax.axhline(3, color=figures.GRAY, linestyle="--")
    ax.set(title=name, xlabel="training step", ylim=(-1, 6.5))
    off = path[100:] - 3  # the start is over
    print(f"{name:>26}: mean {3 + off[-1].mean():.2f} after 300 steps; off by "
          f"RMS {off[-1].square().mean().sqrt():.2f}, at worst {off.abs().max():.1f}")
axes[0].set_ylabel("parameter a, data units")
figures.show(fig, alt="Five runs each: calm, wild, and calm again with 25 samples per step.")

# %% [markdown]
# All three arrive *on average*. But with one sample of the score-function gradient, $a$ keeps jumping around: in the end it
# is typically 0.57 away, against 0.22 for the pathwise gradient. Averaging 25 samples per step reduces that to 0.09, at 25
# times the cost. Here variance does not shift the place where training ends. A bias would.

# %% [markdown] topics="C035 C036"
# ## 4 · Bias: the error that averaging does not remove
#
# An estimator $\hat G$ of $G$ is **biased** if $E[\hat G] \ne G$. Means are unbiased. Functions of means usually are not.
# The case that matters most for us is the **logarithm**. Its graph is concave, so the logarithm of a mean is never below
# the mean of the logarithms (**Jensen's inequality**):
#
# $$\log E[w] \;\ge\; E[\log w], \qquad w > 0, \tag{3.10}$$
#
# with equality only if $w$ does not vary. The smallest example: $w$ is ½ or 2, each with probability ½.

# %%
# eq: 3.10
print(f"log E[w] = {math.log(0.5 * 0.5 + 0.5 * 2):.3f}, "
      f"E[log w] = {0.5 * math.log(0.5) + 0.5 * math.log(2):.3f}")


# %% [markdown]
# ### The log-evidence, always too low
#
# Here is the example with which chapter 04 continues. A data point $x$ has a latent variable $z$: $p(z) = N(0, 1)$ and
# $p_\theta(x \mid z) = N(\theta z,\ 0.36)$, with $\theta = 1.2$ (a parameter of the model here, not a coin). We observed
# $x = 1.5$. Its evidence is an expectation over $z$, sampled from a proposal $q$ as in (3.4):
#
# $$p_\theta(x) = \int p(z)\,p_\theta(x \mid z)\,dz = E_{z \sim q}[w], \qquad
# w = \frac{p(z)\,p_\theta(x \mid z)}{q(z)}. \tag{3.11}$$
#
# Everything is Gaussian, so chapter 02 gives the exact answers: `push` sends the distribution of $z$ through "times
# $\theta$, plus noise", and `condition` gives the posterior. The proposal is a mediocre one, $q = N(0.3,\ 0.25)$.

# %%
def log_weight(z, mean=0.3, theta=1.2):
    """log w for z drawn from q = N(mean, 0.25)."""
    joint = log_normal(z) + log_normal(1.5, mean=theta * z, std=0.6)
    return joint - log_normal(z, mean=mean, std=0.5)


def from_q(rng, K):
    """Samples of q, K in each row; the larger K, the fewer rows."""
    return 0.3 + 0.5 * normal(rng, 4_000_000 // max(K, 20), K)


# %%
prior = Gaussian(torch.zeros(1, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64))
seen = torch.tensor([1.5], dtype=torch.float64)
log_evidence = gaussians.log_prob(gaussians.push(prior, 1.2, 0.36), seen).item()
posterior = gaussians.condition(prior, seen, 1.2, 0.36)
print(f"log p(x) = {log_evidence:.4f} nats; posterior N({posterior.mean.item():.1f}, "
      f"{posterior.var.item():.1f})")


# %% [markdown]
# The weights estimate $p_\theta(x)$ without bias. But training needs its *logarithm*. Take $K$ weights and
#
# $$\log \hat p = \log \frac{1}{K}\sum_{k=1}^{K} w_k, \qquad E[\log \hat p\,] \le \log E[\hat p\,] = \log p_\theta(x).
# \tag{3.12}$$
#
# By Jensen it is **too low, on average, for every $K$**: a lower bound. For $K = 1$ its mean is the
# **evidence lower bound** (**ELBO**); for $K > 1$ it is the importance-weighted bound (IWAE, [Bur16]).
#
# ### Exercise 3.5 · The log of a mean weight
#
# `log_w` has shape (n, K): n repetitions with $K$ weights each, as logarithms in nats. Return (n,), each row's
# $\log\hat p$. Some log-weights are near −2000, so do not take `exp` of them: `log_w.logsumexp(1)` is the
# logarithm of the *sum* of the weights along axis 1. (`log_w.shape[1]` is $K$.)

# %% tags=["exercise"]
def my_bound(log_w):
    """Return (n,): log of the mean of each row's K weights, nats."""
    ### BEGIN SOLUTION
    return log_w.logsumexp(1) - math.log(log_w.shape[1])
    ### END SOLUTION


bound = check("estimators.bound", my_bound)

# %% [markdown]
# **Predict.** How does the gap to $\log p$ shrink with $K$: like $1/\sqrt K$, as error bars do, or faster?

# %%
# eq: 3.11, 3.12
rng = seeded(16)
gaps = {}
for K in (1, 8, 64, 512):
    values = bound(log_weight(from_q(rng, K)))
    value, stderr = monte_carlo(values)
    gaps[K] = value - log_evidence
    print(f"K = {K:3}: bound {value:.4f} ± {stderr:.4f}, bias {gaps[K]:+.4f}")

# %% [markdown]
# Faster, in the end like $1/K$. And the gap at $K = 1$ is something you know: it is $\mathrm{KL}(q \,\|\, \text{posterior})$,
# as the detour checks. Chapter 04 proves that and builds a method on it.

# %% [markdown]
# ### Detour · How large is the gap?
#
# A formula for many weights, and the exact value for one.

# %% [markdown]
# Write $\hat p = p\,(1+\delta)$ and expand: $\log\hat p \approx
# \log p + \delta - \delta^2/2$. The mean of $\delta$ is 0; the mean of $\delta^2$ is the variance of $\hat p/p$. So
#
# $$E[\log \hat p\,] - \log p \;\approx\; -\frac{1}{2K}\,\frac{\operatorname{Var} w}{(E w)^2}. \tag{3.13}$$

# %%
fig, ax = figures.new(width=6, height=2.6)
ax.plot(list(gaps), [log_evidence + gap for gap in gaps.values()], "o-", color=figures.RED,
        label="bound")
ax.axhline(log_evidence, color=figures.BLUE, linestyle="--", label="log p(x)")
ax.set(xlabel="number of weights K", ylabel="nats", xscale="log")
ax.legend(loc="lower right")
ax.set_xticks(list(gaps), map(str, gaps), minor=False)
ax.minorticks_off()
figures.show(fig, alt="The bound rises with K toward the dashed line log p(x), from below.")
print("below the line, in nats:", ", ".join(f"{-gap:.4f}" for gap in gaps.values()))

# %%
# eq: 3.13
z = torch.linspace(-15, 15, 30_001, dtype=torch.float64)
second = ((2 * log_weight(z) + log_normal(z, mean=0.3, std=0.5)).exp() * 0.001).sum()
variance = second / math.exp(2 * log_evidence) - 1  # of w / p; quadrature
for K in (64, 512):
    print(f"K = {K:3}: (3.13) says {-variance / (2 * K):+.4f}, measured {gaps[K]:+.4f}")
q = Gaussian(torch.full_like(seen, 0.3), torch.full_like(seen, 0.25))
print(f"K =   1: minus KL(q || posterior) is {-gaussians.kl(q, posterior).item():+.4f}, "
      f"measured {gaps[1]:+.4f}")

# %% [markdown]
# All three agree within the noise. (For small $K$ the expansion is of no use, because the terms it drops are too large.)

# %% [markdown]
# ### Detour · Self-normalized weights are biased
#
# If $p$ is known only up to a constant factor, as a posterior often is, you divide by the sum of the weights.

# %% [markdown]
# The estimate is $\sum_i w_i f_i / \sum_i w_i$, a ratio $A/B$ of two means; the constant cancels. The price is a bias. The
# truth here is $E_p[x] = 0$.

# %%
rng = seeded(15)
for n in (2, 10, 100, 1000):
    x = 1 + 1.5 * normal(rng, n, 1_000_000 // n)  # q = N(1, 1.5^2); each column is one repetition
    w = (log_normal(x) - log_normal(x, mean=1.0, std=1.5)).exp()
    ratios = (w * x).sum(0) / w.sum(0)
    value, stderr = monte_carlo(ratios)
    plain, plain_err = monte_carlo((w * x).mean(0))
    print(f"N = {n:4}: self-normalized {value:+.3f} ± {stderr:.3f}, "
          f"plain {plain:+.3f} ± {plain_err:.3f}")

# %% [markdown]
# With two samples the ratio is off by 0.426, toward the mean of $q$. The bias falls roughly like $1/N$, to a tenth
# for ten times the samples, until it drowns in noise (the last row is within its bar). An estimate that
# tends to the truth as $N$ grows is called **consistent**. The plain mean is at 0 within its bars for every $N$. (Ratios
# are biased in general, in either direction; that is not Jensen's inequality, since $A$ and $B$ come from the same samples.)

# %% [markdown]
# ### Detour · Gradients of the bound
#
# Can you maximize $\log E_q[w]$ directly? What variance and what bias does that bring?

# %% [markdown]
# By the chain rule the derivative of $\log\hat p$ with respect to $\theta$ is a weighted mean of single derivatives:
#
# $$\frac{\partial}{\partial\theta} \log \frac1K \sum_k w_k = \sum_k \bar w_k\,
# \frac{\partial \log w_k}{\partial\theta}, \qquad \bar w_k = \frac{w_k}{\sum_j w_j}. \tag{3.14}$$
#
# The $\bar w_k$ lie between 0 and 1 (`softmax` of the log-weights). With $K = 1$ the one weight is 1: the
# "direct" gradient **is** that of the ELBO. For larger $K$, compare it with the plain average of $K$ ELBO
# gradients. The true $\log p$ has the derivative $\theta\,(x^2/v^2 - 1/v)$ with $v = \theta^2 + 0.36$, which is
# 0.1667.

# %%
# claim: E51, E52, E54
rng = seeded(17)
print("  K   mean of (3.14)      bias      variance: (3.14)   average of K ELBO gradients")
for K in (1, 4, 8, 64, 512):
    z = from_q(rng, K)
    slopes = z * (1.5 - 1.2 * z) / 0.36  # d log w / d theta
    weighted = (log_weight(z).softmax(1) * slopes).sum(1)
    value, stderr = monte_carlo(weighted)
    print(f"{K:3} {value:9.4f} ± {stderr:.4f} {value - 1 / 6:+9.4f} {weighted.var():15.3f} "
          f"{slopes.mean(1).var():22.3f}")

# %%
# eq: 3.14
theta = torch.tensor(1.2, dtype=torch.float64, requires_grad=True)
estimators.log_mean_weight(log_weight(z[:5], theta=theta)).sum().backward()
print("(3.14) by automatic differentiation:", torch.allclose(theta.grad, weighted[:5].sum()))
print(f"exact: ELBO gradient {(1.5 * 0.3 - 1.2 * (0.3**2 + 0.25)) / 0.36:.4f}, "
      f"log p gradient {1.2 * (1.5**2 / 1.8**2 - 1 / 1.8):.4f}")

# %% [markdown]
# - $K = 1$: the mean, 0.1188, is the gradient *of the ELBO*, exactly 0.1167. "The ELBO gradient is unbiased"
#   needs the words *for the ELBO*; for $\log p$ it is off by −0.05.
# - Larger $K$: the bias vanishes in the end, but first it **grows**, and changes its sign.
# - Variance: from $K = 8$ on, the weighted gradient is noisier than the average of as many ELBO gradients
#   (at $K = 4$ it happens to be calmer).
#
# So you can maximize the tighter bound directly, at the price of noisier gradients. If $q$ is the
# posterior, all weights are equal and the bias is 0.
#
# And how should $q$ itself be improved through $\log \hat p$? The true $\log p_\theta(x)$ does not contain $q$,
# so its derivative with respect to $q$'s mean $m$ is exactly 0. As an estimate of that derivative, whatever gradient $q$
# receives is *pure bias*, and it must fade as the bound tightens. Pathwise, with $z = m + 0.5\,\epsilon$:

# %%
# claim: E53
rng = seeded(18)
for K in (1, 4, 16, 64, 256):
    z = from_q(rng, K)
    slopes = -z + 1.2 * (1.5 - 1.2 * z) / 0.36  # d log w / dm along the path; log q does not move
    each = (log_weight(z).softmax(1) * slopes).sum(1)
    value, stderr = monte_carlo(each)
    print(f"K = {K:3}: mean {value:.4f} ± {stderr:.4f}, "
          f"mean / standard deviation {value / each.std():.3f}")

# %% [markdown]
# The mean falls from 3.5 to 0.04, and it falls faster than its noise: the signal-to-noise ratio of one estimate drops from 1.4 to
# 0.1. **The encoder learns because the bound is loose.** [Rai18] studies this under a telling title: "Tighter variational
# bounds are not necessarily better".

# %% [markdown] topics="C039 C042 C145"
# ## 5 · Maximum likelihood, minimum KL, least squares
#
# What do you maximize when a distribution $p_\theta$ is fitted to data? The mean log-likelihood. The data are samples from an
# unknown distribution $p^\ast$, so this mean is a Monte Carlo estimate of an expectation:
#
# $$\frac1N\sum_i \log p_\theta(x_i) \;\approx\; E_{p^\ast}[\log p_\theta(x)]
# = -H(p^\ast) - \mathrm{KL}(p^\ast \,\|\, p_\theta). \tag{3.15}$$
#
# The second half is the definition of the KL (chapter 02),
# $\mathrm{KL} = E_{p^\ast}[\log p^\ast] - E_{p^\ast}[\log p_\theta]$, with the **entropy** of the data,
# $H(p^\ast) = -E_{p^\ast}[\log p^\ast]$. The expectation in the middle, with the opposite sign, is the **cross-entropy**;
# the mean over the data, with the opposite sign, is the **negative log-likelihood** (NLL) per item.
#
# A KL is never negative, and 0 only if the two distributions are equal. And $H$ does
# not depend on $\theta$. So **maximum likelihood is minimum KL**, in the direction
# $\mathrm{KL}(\text{data} \,\|\, \text{model})$. This direction needs only samples from
# $p^\ast$, which is why models are trained with it.
#
# **Predict.** Our test data have two modes, mean 0 and variance 1. Of all Gaussians $N(0, 1)$
# fits them best. Is the KL then 0?

# %%
# eq: 3.15
# claim: E46, E47
data = ideal_denoisers.two_modes()  # half N(-0.97, 0.0591), half N(0.97, 0.0591)
x = torch.linspace(-8, 8, 160_001, dtype=torch.float64)
density = sum(log_normal(x, mean=m, std=math.sqrt(0.0591)).exp() / 2 for m in (-0.97, 0.97))
inside = density > 0  # far out the density is 0 in double precision
H = -(density * density.log())[inside].sum() * 1e-4
KL = (density * (density.log() - log_normal(x)))[inside].sum() * 1e-4
print(f"quadrature: H = {H:.4f}, KL = {KL:.4f}, -H - KL = {-H - KL:.4f} nats")
drawn = ideal_denoisers.sample(data, 100_000, generator=seeded(19)).double()[:, 0]
value, stderr = monte_carlo(log_normal(drawn))
print(f"mean log-likelihood of 100,000 samples: {value:.4f} ± {stderr:.4f}")
for mean, std in ((0.0, 0.8), (0.0, 1.25), (0.3, 1.0)):
    print(f"N({mean}, {std}^2): {monte_carlo(log_normal(drawn, mean=mean, std=std))[0]:.4f}")


# %% [markdown]
# No: 0.7212 nats remain, because no Gaussian has two modes. At the maximum of the likelihood, the KL is 0 only if
# the family of models contains the distribution of the data. The three other Gaussians do worse, as they should.
#
# ### Least squares
#
# Let the model be a Gaussian with a mean that we choose and a **fixed** variance. For one coordinate
# its negative log-density is $(x - \mu)^2/(2\,\mathrm{var}) + \tfrac12\log(2\pi\,\mathrm{var})$, by (2.10). The last
# term does not contain $\mu$. So the best $\mu$ is the one with the smallest squared error.
#
# ### Exercise 3.6 · Squared error as a likelihood
#
# This is, in disguise, the loss of nearly every network in this course. `x` and `mean` have shape (n, D), `var` is a
# number. The $D$ coordinates are independent, so their densities multiply. Return (n,): each item's negative
# log-density, in nats. (`math.log` and `math.pi` will help.)

# %% tags=["exercise"]
def my_gaussian_nll(x, mean, var):
    """Return (n,): -log N(x; mean, var I) of each row, nats."""
    ### BEGIN SOLUTION
    D = x.shape[1]
    squares = ((x - mean) ** 2).sum(1)
    return squares / (2 * var) + D / 2 * math.log(2 * math.pi * var)
    ### END SOLUTION


gaussian_nll = check("estimators.gaussian_nll", my_gaussian_nll)

# %% [markdown]
# Densities multiply, so their logarithms add up over the coordinates:
#
# $$-\log N(x; \mu, \mathrm{var}\,I) = \frac{\|x - \mu\|^2}{2\,\mathrm{var}}
# + \frac{D}{2}\log(2\pi\,\mathrm{var}), \qquad \|x - \mu\|^2 = \sum_{d=1}^{D}(x_d - \mu_d)^2. \tag{3.16}$$
#
# Every pixel counts the same here, because every coordinate has the same variance. That is an assumption about the noise,
# not about the image: it says nothing about whether neighboring pixels belong together. How pixels depend on each other
# is left to the network that computes $\mu$.

# %% [markdown]
# ### Detour · When the variance is not the same for all
#
# Squared error *is* Gaussian maximum likelihood, on one condition.

# %% [markdown]
# First check (3.16) with 40 points and lines $y = k x$ of many slopes $k$. For every slope, the negative
# log-likelihood and the squared error / (2 var) should differ by the same constant.

# %%
# eq: 3.16
rng = seeded(20)
inputs = uniform(rng, 40, 1)
var = torch.where(torch.arange(40) < 20, 0.01, 1.0)  # a quiet half and a noisy half
y = 2 * inputs + var.sqrt()[:, None] * normal(rng, 40, 1)  # the true slope is 2
slopes = torch.linspace(0, 4, 401, dtype=torch.float64)
squares = torch.stack([(y - k * inputs).square().sum() for k in slopes])
losses = torch.stack([gaussian_nll(y, k * inputs, 0.3).sum() for k in slopes])
rest = losses - squares / 0.6
print(f"(3.16) without its first term: between {rest.min():.4f} and {rest.max():.4f}; "
      f"20 log(2 pi 0.3) = {20 * math.log(2 * math.pi * 0.3):.4f}")

# %% [markdown]
# **Predict.** The first half of the points has noise of variance 0.01, the second half of variance 1. One fit
# uses one variance for all, the other the right one for each half. Do both find the slope of least squares?

# %%
# claim: E86
quiet, noisy = slice(0, 20), slice(20, 40)
own = torch.stack([gaussian_nll(y[quiet], k * inputs[quiet], 0.01).sum()
                   + gaussian_nll(y[noisy], k * inputs[noisy], 1.0).sum() for k in slopes])
fits = {"least squares": squares, "likelihood, var 0.3 for all": losses,
        "likelihood, each half its own var": own}
for name, loss in fits.items():
    print(f"{name:>33}: best slope {slopes[loss.argmin()]:.2f} (truth 2)")
fig = figures.curves(slopes, {name: loss - loss.min() for name, loss in fits.items()},
                     xlabel="slope k", ylabel="loss above its minimum", width=8, height=2.8)
fig.axes[0].set_ylim(0, 30)
fig.axes[0].legend(loc="center left", fontsize=9, bbox_to_anchor=(1, 0.5))
figures.show(fig, alt="Two bowls with the same lowest point; a third, far steeper, with another.")

# %%
u = inputs[:, 0]
noise = var.sqrt() * normal(rng, 2000, 40)  # of 2000 new data sets
for name, weight in (("least squares", 1), ("each half its own var", 1 / var)):
    off = (weight * u * noise).sum(1) / (weight * u**2).sum()  # best slope - 2, solved by hand
    print(f"{name:>21}: over 2000 data sets the error of the slope is {off.std():.3f}")

# %% [markdown]
# With one variance for all, likelihood and least squares have the same minimum, whatever that variance is. With
# two variances they do not: the noisy half should count a hundred times less, because of the factor
# $1/(2\,\mathrm{var})$, and over many data sets this makes the slope about five times more accurate. So the condition
# is **one fixed variance, or the right weights**. DDPM's usual loss drops such weights on purpose; chapter 08b shows which.

# %% [markdown]
# ## Recap
#
# An expectation is estimated by a mean of samples, with standard error $s/\sqrt N$; such a bar catches the truth in 68 of
# 100 cases, if the samples saw what matters. Samples from another distribution can be reweighted, as long as it covers all
# that matters and is not narrower, and the dimension is low. Gradients pass through a sample in two ways: move the samples
# (low variance, needs a smooth $f$), or reweight them (high variance, needs only values). Variance costs time, bias changes
# the answer. The logarithm of a mean weight is too low on average, and less so with more weights. Maximum likelihood is
# minimum KL, and with one fixed variance it is least squares.
#
# **One formula to keep**
#
# $$\frac{\partial}{\partial a}\, E_{x \sim N(a, b^2)}[f(x)] = E_{\epsilon \sim N(0,1)}\big[f'(a + b\,\epsilon)\big]$$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | without reparameterization the gradient is noisier | it cannot flow at all | variance 4 against 30 |
# | the ELBO gradient is unbiased for the ELBO | it is unbiased | 0.1167, not 0.1667 |
# | the mean log-likelihood is plain Monte Carlo: no $q$, no weights | it is importance sampling | −1.4191 ± 0.0008 |
#
# **Exercises:** 3.1 `estimators.monte_carlo` · 3.2 `estimators.importance` (detour) · 3.3 `estimators.pathwise` · 3.4
# `estimators.score_function` (detour) · 3.5 `estimators.bound` · 3.6 `estimators.gaussian_nll`
#
# **Before:** [02 · Distributions](02_distributions.ipynb) · **Next:**
# [04 · The bound and the VAE](04_elbo_and_vae.ipynb), where the gap below $\log p(x)$ becomes a method; in 04b the pathwise
# gradient trains an encoder.
