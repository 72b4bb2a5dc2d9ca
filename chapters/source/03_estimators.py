# %% [markdown]
# # 03 · How good is a Monte Carlo answer?
#
# Most of the numbers in this course are averages that nobody can compute. So we draw at random, average the
# draws, and hope. When may we hope, and how does one improve a law through an average of random draws?
#
# **After this chapter you can**
#
# - put an error bar on any Monte Carlo answer, and say what the bar promises,
# - say when importance sampling works, and three ways in which it fails,
# - compute the gradient of an expectation in two ways, and say when which one is better, or wrong,
# - tell variance from bias, and say on which side of the truth an estimated log-evidence lies,
# - say why maximum likelihood, minimum KL and least squares are one idea.
#
# **You need** [01 · Bayes](01_bayes.ipynb) (the evidence) and [02 · Distributions](02_distributions.ipynb)
# (densities, Gaussians, KL). About 80 minutes to read and work through, without the two optional parts; the end
# of section 2 is a good place for a break. It runs in about 20 seconds.
#
# **In the papers:** [KW14] Kingma and Welling 2014, Sec. 2.4 (the reparameterization trick); [Wil92]
# Williams 1992 (score-function gradients); [Bur16] Burda et al. 2016 (importance-weighted bounds); [Moh20]
# Mohamed et al. 2020, a survey of Monte Carlo gradients.

# %%
import math

import sympy as sp
import torch

from ddpm_lab import estimators, gaussians, ideal_denoisers
from ddpm_lab.course import explorers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, seeded


def uniform(rng, *shape):
    """Draws from U(0, 1), in double precision."""
    return torch.rand(shape, generator=rng, dtype=torch.float64)


def normal(rng, *shape):
    """Draws from N(0, 1), in double precision."""
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def chance(theta):
    """How probable 7 heads in 10 tosses are, if the chance of heads is theta."""
    return 120 * theta**7 * (1 - theta) ** 3

# %%
fig, ax = figures.new(width=8, height=2.6)
rng, caught = seeded(1), 0
for i in range(30):
    value, stderr = estimators.monte_carlo(chance(uniform(rng, 100)))
    hit = bool(abs(value - 1 / 11) <= stderr)
    caught += hit
    style = {"color": figures.BLUE, "fmt": "o"} if hit else {"color": figures.RED, "fmt": "s"}
    ax.errorbar(i + 1, value, yerr=stderr, capsize=3, **style)
ax.axhline(1 / 11, color=figures.GRAY, linestyle="--")
ax.set(xlabel="repetition, each with 100 new draws", ylabel="estimate of the evidence")
figures.show(fig, alt="30 estimates with error bars around 1/11; squares mark bars that miss it.")
print(f"{caught} of 30 bars catch the dashed line, the exact answer 1/11 = {1 / 11:.4f}")

# %% [markdown]
# In chapter 01 a coin showed 7 heads in 10 tosses. The evidence, the probability of that before it was seen, was
# an integral over the coin's unknown chance of heads $\theta$, with a flat prior. An integral against a law is an
# **expectation**: an average over draws from that law, here the uniform law $U(0, 1)$:
#
# $$p(\text{7 heads}) = \int_0^1 f(\theta)\,d\theta = E_{\theta \sim U(0,1)}\big[f(\theta)\big]
# = \tfrac{1}{11}, \qquad f(\theta) = \binom{10}{7}\,\theta^7 (1-\theta)^3. \tag{3.1}$$
#
# So draw 100 values of $\theta$, average $f$, and you have an estimate: one dot of the picture. Draw again: another
# dot. The bars say how sure each estimate is. Blue dots: the bar catches the truth. Red squares: it does not.
#
# **Predict.** 8 of the 30 bars miss the line. Is something wrong with them?
#
# <details><summary>Answer</summary>
#
# No. A bar of one standard error is meant to catch the truth in about 68 of 100 cases, so in about 20 of 30. If all
# caught it, the bars would be too long.
#
# </details>

# %%
# eq: 3.1
theta = sp.symbols("theta", positive=True)
exact = sp.integrate(sp.binomial(10, 7) * theta**7 * (1 - theta) ** 3, (theta, 0, 1))
print("the integral:", exact)
spread = sp.integrate((120 * theta**7 * (1 - theta) ** 3) ** 2, (theta, 0, 1)) - exact**2  # Var f

# %% [markdown]
# ## 1 · The answer and its error bar
#
# Let $x_1, \dots, x_N$ be independent draws from a law $p$, and $f$ a function. The **Monte Carlo estimate**
# of an expectation is the mean over the draws:
#
# $$E_p[f(x)] \approx \frac{1}{N}\sum_{i=1}^{N} f(x_i). \tag{3.2}$$
#
# It is itself random: another $N$ draws give another mean. How far does it scatter? Variances of independent
# numbers add (chapter 02), so the sum has the variance $N \operatorname{Var} f$. Dividing the sum by $N$ divides its
# variance by $N^2$. What is left is $\operatorname{Var} f / N$. The square root is the **standard error**:
#
# $$\text{standard error} = \sqrt{\frac{\operatorname{Var} f(x)}{N}} \approx \frac{s}{\sqrt N}.
# \tag{3.3}$$
#
# Here $s$ is the standard deviation of the drawn values $f(x_i)$. (`values.std()` divides the summed squares of
# their deviations by $N - 1$, because the mean was fitted to the same values.)
#
# ### Exercise 3.1 · A mean and its error
#
# You will need it for every random number in this course. `values` has shape (N,). Return two numbers: the
# estimate (3.2) and its standard error (3.3).

# %% tags=["exercise"]
def my_monte_carlo(values):
    """Return (mean, standard error) of N independent draws, values of shape (N,)."""
    ### BEGIN SOLUTION
    return values.mean(), values.std() / math.sqrt(len(values))
    ### END SOLUTION


monte_carlo = check("estimators.monte_carlo", my_monte_carlo)

# %%
# eq: 3.2, 3.3
rng = seeded(2)
for n in (100, 10_000, 1_000_000):
    value, stderr = monte_carlo(chance(uniform(rng, n)))
    print(f"N = {n:9,}: {value:.4f} ± {stderr:.4f}")
repeats = torch.stack([chance(uniform(rng, 100)).mean() for _ in range(10_000)])
print(f"N = 100, 10,000 times: the mean of all estimates is {repeats.mean():.4f}, "
      f"their standard deviation {repeats.std():.4f}")
print(f"(3.3) with the exact variance of f: {math.sqrt(spread / 100):.4f}")

# %% [markdown]
# From now on, "a ± b" means: estimate a, standard error b. A hundred times the draws make the bar ten times
# shorter: that is the $1/\sqrt N$. And the bar tells the truth about the scatter. Over 10,000 repetitions with
# $N = 100$ the estimates scatter by 0.0096, about the 0.0097 of (3.3); one repetition alone guessed 0.0103.
#
# The mean over all repetitions is 0.0909 = 1/11: on average the errors cancel. The estimate is **unbiased**; its only
# fault is variance.
#
# ### What the bar means
#
# The bar does not say "the error is at most this". It says how often such bars catch the truth.
#
# **Predict** how often a bar of one standard error, and one of two, catches 1/11.

# %%
rng = seeded(3)
off = []  # each repetition's error, in units of its own standard error
for _ in range(10_000):
    value, stderr = monte_carlo(chance(uniform(rng, 100)))
    off.append(abs(value - 1 / 11) / stderr)
off = torch.stack(off)
for width in (1, 2):
    share, promise = (off <= width).double().mean(), math.erf(width / math.sqrt(2))
    print(f"within {width} standard error{'s' * (width > 1)}: {share:.3f} of 10,000; "
          f"a Gaussian promises {promise:.3f}")

# %% [markdown]
# About 68 % and 95 %, as for a Gaussian, because a mean of many independent draws is nearly Gaussian (the
# central limit theorem). Two warnings, and we shall need both. The draws must be *many*, and their variance *finite*.
# And the bar is made from the same draws as the answer: what the draws did not see, the bar does not know.
#
# Note what is *not* in (3.3): the dimension of $x$. The grids of chapter 01 grew like $k^3$ for three unknowns.
# Draws do not care, as long as $\operatorname{Var} f$ does not grow.
#
# ## 2 · Draws from another law
#
# **Predict.** How often is a standard normal number larger than 4? (About 3 times in 100,000.) What will 10,000
# draws say, and with what error bar?

# %%
truth = 0.5 * math.erfc(4 / math.sqrt(2))  # P(x > 4) for x ~ N(0, 1)
rng, answers = seeded(4), {}
for _ in range(20):  # 20 repetitions with 10,000 draws each
    value, stderr = monte_carlo((normal(rng, 10_000) > 4).double())  # 1 where x > 4, else 0
    answer = f"{value:.1e} ± {stderr:.1e}"
    answers[answer] = answers.get(answer, 0) + 1
print(f"truth {truth:.2e}")
for answer, times in answers.items():
    print(f"{times:2} of 20 times: {answer}")

# %% [markdown]
# Most answers are zero plus or minus zero, and wrong: the second warning. No draw came beyond 4, so the bar knows
# nothing of it. The others are three times too high.
#
# The remedy is to draw where it matters, from another law $q$, and to correct for it. Multiply and divide by
# $q(x)$ under the integral:
#
# $$E_p[f] = \int p(x) f(x)\,dx = \int q(x)\,\frac{p(x)}{q(x)}\, f(x)\,dx
# = E_{x \sim q}\big[w(x)\, f(x)\big], \qquad w(x) = \frac{p(x)}{q(x)}. \tag{3.4}$$
#
# This is **importance sampling**, $q$ is the **proposal**, and $w$ are the **weights**: where $q$ draws more
# often than $p$ would, a draw counts less.
#
# ### Exercise 3.2 · Weighted draws
#
# Densities of many coordinates can be as small as $e^{-2000}$, which a computer rounds to 0. So one stores their
# logarithms. `values`, `log_p`, `log_q` have shape (N,) and belong to $N$ draws from $q$. Return the estimate of
# $E_p[f]$, one number.

# %% tags=["exercise"]
def my_importance(values, log_p, log_q):
    """Return the estimate of E_p[f] from values f(x_i) at draws x_i of q."""
    ### BEGIN SOLUTION
    weight = torch.exp(log_p - log_q)
    return (weight * values).mean()
    ### END SOLUTION


importance = check("estimators.importance", my_importance)

# %%
# eq: 3.4
def log_normal(x, mean=0.0, std=1.0):
    """log N(x; mean, std^2), in nats."""
    return -((x - mean) ** 2) / (2 * std**2) - math.log(std) - 0.5 * math.log(2 * math.pi)


x = 4 + normal(seeded(4), 10_000)  # the proposal: N(4, 1)
log_p, log_q = log_normal(x), log_normal(x, mean=4.0)
print(f"truth {truth:.3e}, your estimate {importance((x > 4).double(), log_p, log_q):.3e}")
value, stderr = estimators.importance_sampling((x > 4).double(), log_p - log_q)
print(f"the package's, with its error: {value:.3e} ± {stderr:.1e}")
# Plain draws are 0 or 1: their variance is P (1 - P), about P.
print(f"plain draws needed for that error: about {truth / float(stderr) ** 2:.0e}")

# %% [markdown]
# Two percent accuracy from 10,000 draws. Plain Monte Carlo would have needed about 70 million.
#
# How good can a proposal be? For the coin, take as $q$ the *posterior* of chapter 01. Bayes' rule says posterior =
# likelihood × prior / evidence, so the weighted value, likelihood × prior / posterior, is the evidence, for
# *every* draw (the prior density is 1):

# %%
for theta in (0.2, 0.5, 0.8):
    posterior = 1320 * theta**7 * (1 - theta) ** 3  # its integral over 0..1 is 1
    print(f"theta = {theta}: w f = {chance(theta) * 1 / posterior:.6f}")

# %% [markdown]
# One draw would be enough: no variance at all. The catch: the constant 1320 contains the evidence, the very
# number that we look for. The best proposal is out of reach, but one can come close to it. That is what
# chapter 04 trains a network for, the encoder.
#
# ### How it fails
#
# Formula (3.4) comes with conditions, which are often left out. The first: **$q > 0$ wherever $p\,f \ne 0$.** Take
# $p = N(0,1)$ and a $q$ that never draws a negative number, $q(x) = 2\,p(x)$ for $x > 0$. All weights are ½.

# %%
# claim: E37
x = normal(seeded(5), 100_000).abs()
log_w = torch.full_like(x, math.log(0.5))
weights, mean = monte_carlo(log_w.exp()), estimators.importance_sampling(x, log_w)
print(f"mean weight {weights[0]:.3f} (should be 1)")
print(f"E_p[x] = {mean.value:.3f} ± {mean.stderr:.3f} (truth 0)")

# %% [markdown]
# Wrong by hundreds of error bars. The only sign is the mean weight, which should be 1, since $E_q[p/q] = \int p = 1$.
# Half of $p$ was never visited.
#
# Second: **the variance of $w f$ must be finite.** Take $f = 1$: the mean of $w$ is 1, so the variance of $w$ is
# $E_q[w^2] - 1$. For $p = N(0, 1)$ and $q = N(m, s^2)$ completing the square gives
#
# $$E_q[w^2] = \int \frac{p(x)^2}{q(x)}\,dx = \frac{s^2}{\sqrt{2s^2-1}}\,
# \exp\!\Big(\frac{m^2}{2s^2-1}\Big) \quad\text{if } s^2 > \tfrac12, \text{ else } \infty. \tag{3.5}$$
#
# **Predict.** Is it worse to draw twice too wide ($s = 2$) or twice too narrow ($s = \tfrac12$)? For each $s$
# we estimate the mean weight, whose truth is 1, 2000 times from 1000 draws, and count how often a bar of two
# standard errors catches it. Formula (3.5) is checked by **quadrature**, a sum over a fine grid.

# %%
# eq: 3.5
# claim: E37
def second_moment(s, edge):
    """E_q[w^2] by quadrature between -edge and edge."""
    x = torch.linspace(-edge, edge, 40_001, dtype=torch.float64)
    return ((2 * log_normal(x) - log_normal(x, std=s)).exp()).sum() * edge / 20_000


print("   s   E[w^2] by (3.5)   quadrature to ±10, to ±20   bars that catch 1   largest estimate")
for s in (2.0, 1.0, 0.8, 0.75, 0.7, 0.5):
    x = s * normal(seeded(6), 2000, 1000)  # 2000 repetitions; .T puts the draws first
    value, stderr = estimators.monte_carlo((log_normal(x) - log_normal(x, std=s)).exp().T)
    catch = ((value - 1).abs() <= 2 * stderr + 1e-9).double().mean()
    formula = s**2 / math.sqrt(2 * s**2 - 1) if s**2 > 0.5 else math.inf
    print(f"{s:4} {formula:17.3f} {second_moment(s, 10):19.3g} {second_moment(s, 20):8.3g} "
          f"{catch:19.3f} {value.max():18.3f}")

# %% [markdown]
# Too wide costs little. Too narrow is dangerous. For $s = 0.7$ and $0.5$ the tails of $q$ are so thin that the
# integral never ends: the further out one looks, the larger it gets. At $s = 0.5$ the bars that should catch
# 95 % catch 71 %. Most repetitions miss the rare huge weights and end too low, with small bars; a few meet one and
# end far too high, up to 6.5 instead of 1. Rule: let the proposal be **wider** than the target.
#
# Third: **dimension.** If coordinates are independent, their weights multiply, so
# $E_q[w^2]$ is (3.5) to the power of $D$. A good summary is the **effective sample size**, the number of equally
# weighted draws that $N$ weighted ones are worth:
#
# $$\mathrm{ESS} = \frac{\big(\sum_i w_i\big)^2}{\sum_i w_i^2} \approx \frac{N}{E_q[w^2]}. \tag{3.6}$$

# %%
# eq: 3.6
figures.show_source(estimators.effective_sample_size)
three = estimators.effective_sample_size(torch.tensor([0.0, 0.0, 0.0, -math.inf]))
print(f"four draws with weights 1, 1, 1, 0 are worth {three:.1f}")
for D in (1, 2, 10, 50):
    x = 0.5 + normal(seeded(7), 100_000, D)  # q = N(0.5, 1) in each coordinate
    log_w = (log_normal(x) - log_normal(x, mean=0.5)).sum(dim=1)
    ess = estimators.effective_sample_size(log_w)
    print(f"D = {D:2}: 100,000 draws are worth {ess:9.1f}; "
          f"N / E[w^2] = {1e5 * math.exp(-D / 4):9.1f}")

# %% [markdown]
# (`logsumexp` is the logarithm of a sum of exponentials, computed so that nothing overflows; a weight of 0 has the
# logarithm $-\infty$.) A proposal that lies half a standard deviation off in each coordinate is harmless in one
# dimension. In 50 dimensions 100,000 draws seem to be worth 117. And even that flatters: the exact promise, 0.4, is
# below *one* draw. The draws cannot know of the heavy ones that did not come.
#
# A picture has thousands of dimensions, so whole pictures cannot be weighed like this. Diffusion models take another
# way: many small steps, each of which is easy.
#
# **Predict** before you move: in 10 dimensions, how far may the mean of $q$ lie from 0 until 1000 draws are
# worth fewer than 10? With mean 0, which hurts more, std 0.7 or std 1.5?

# %%
explorer = explorers.importance_sampling()
print(explorer)
explorer

# %% [markdown]
# The answers, in the explorer's words:

# %%
for mean, std in ((0.9, 1.0), (0.0, 0.7), (0.0, 1.5)):
    print(explorer.describe(mean=mean, std=std, dimension=10))

# %% [markdown]
# Less than one standard deviation: at 0.9 the 1000 draws are worth 8. And 0.7 hurts more than 1.5: 82 against 147
# draws, and the 82 has no promise behind it.
#
# If $p$ is known only up to a constant factor, as a posterior is, divide by the sum of the weights instead of by $N$:
# $\sum_i w_i f_i / \sum_i w_i$. The constant cancels. The price of this **self-normalized** estimate is a small bias;
# section 4 measures it.
#
# ## 3 · Gradients through a draw
#
# So far the law was given. Learning *changes* a law. An encoder (chapter 04) sets the mean $a$ and the standard
# deviation $b$ of a Gaussian, and asks which way to move them so that $E_{x \sim N(a, b^2)}[f(x)]$ falls. That takes
# the derivative of an expectation by the parameters of the law that is drawn from. How can one differentiate a random
# draw?
#
# ### Way one: move the draws
#
# Chapter 02 drew from a Gaussian like this:
#
# $$x = a + b\,\epsilon, \quad \epsilon \sim N(0, 1) \qquad\text{gives}\qquad x \sim N(a, b^2). \tag{3.7}$$
#
# This is called **reparameterization**. All randomness sits in $\epsilon$, whose law has *no parameter*. Keep
# $\epsilon$ fixed, and $x$ is an ordinary function of $a$ and $b$.
#
# **Predict.** Nine draws as dots. When $a$ grows by 1, how do they move? When $b$ doubles, which of them move
# most?

# %%
# eq: 3.7
eps = normal(seeded(8), 9)
laws = {"a = 0, b = 1": (0, 1), "a = 1, b = 1": (1, 1), "a = 1, b = 2": (1, 2)}
fig, ax = figures.new(width=8, height=2.4)
places = torch.stack([a + b * eps for a, b in laws.values()])
ax.plot(places, [2, 1, 0], color=figures.GRAY, linewidth=0.8)
for height, x in zip((2, 1, 0), places):
    ax.plot(x, [height] * 9, "o", color=figures.BLUE)
ax.set(yticks=[2, 1, 0], yticklabels=list(laws), xlabel="x, data units", ylim=(-0.4, 2.4))
figures.show(fig, alt="Nine draws shift together when a grows, and fan out when b doubles.")
many = normal(seeded(9), 1_000_000)
for name, (a, b) in laws.items():
    x = a + b * many
    print(f"{name}: first two draws {a + b * eps[0]:+.3f}, {a + b * eps[1]:+.3f}; "
          f"of a million: mean {x.mean():.3f}, variance {x.var():.3f}")

# %% [markdown]
# Every dot follows a path: with $a$ it moves at speed $\partial x/\partial a = 1$, with $b$ at speed
# $\partial x/\partial b = \epsilon$, so outer draws move most. The law of $\epsilon$ does not change, so the
# derivative may be taken of each draw. That is the **pathwise gradient**:
#
# $$\frac{\partial}{\partial a} E[f] = E\Big[\frac{\partial}{\partial a} f(a + b\,\epsilon)\Big], \qquad
# \frac{\partial}{\partial b} E[f] = E\Big[\frac{\partial}{\partial b} f(a + b\,\epsilon)\Big]. \tag{3.8}$$
#
# ### Exercise 3.3 · The pathwise gradient
#
# This is how the encoder of chapter 04 learns. `slope` is the function $f'$; it takes and returns tensors. `eps` has
# shape (N,). Work out the two derivatives inside the brackets of (3.8) by the chain rule, and return two tensors of
# shape (N,): for each draw its derivative by $a$, and by $b$. (Do not average, we want to see how they scatter.)

# %% tags=["exercise"]
def my_pathwise(slope, a, b, eps):
    """Return (d/da, d/db), each (N,): one estimate per draw."""
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
# The truth: $E[x^2] = a^2 + b^2$ (mean squared plus variance), so the derivatives are $2a = 2$ and $2b = 4$.
# `estimators.pathwise_gradient` needs no $f'$: PyTorch's automatic differentiation finds the slope of $f$ at each
# draw. (Its arguments are mean and *variance*, as everywhere in the package.)
#
# ### Way two: reweigh the draws
#
# You may read that without this trick "the gradient cannot flow". It can, another way. Leave the draws where
# they are, and ask how their *probability* changes. Under the integral only the density depends on $a$, and
# $\partial_a N = N\,\partial_a \log N$:
#
# $$\frac{\partial}{\partial a} E[f] = \int f\,\frac{\partial N(x; a, b^2)}{\partial a}\,dx
# = E\Big[f(x)\,\frac{\partial \log N(x; a, b^2)}{\partial a}\Big] = E\Big[f(x)\,\frac{x - a}{b^2}\Big]. \tag{3.9}$$
#
# This is the **score-function gradient**, also called REINFORCE. Draws with a large $f$ are made more likely.
# It needs values of $f$ only, no slope.
#
# One refinement. The **score** $(x-a)/b^2$ has mean 0. So one may subtract a constant, a **baseline** $c$, from $f$:
# on average nothing changes, $E[c\,(x-a)/b^2] = 0$.
#
# ### Exercise 3.4 · The score-function gradient
#
# `f` takes draws (N,) and returns values (N,); `mean` and `var` are numbers, `x` holds draws from
# $N(\text{mean}, \text{var})$. Return (N,), one estimate of the derivative by the mean per draw, with the baseline
# subtracted from $f$.

# %% tags=["exercise"]
def my_score_function(f, mean, var, x, baseline):
    """Return (N,): one estimate of d/d mean E[f] per draw."""
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
    print(f"{name:>26}: {value:.3f} ± {stderr:.3f}, variance of one draw {each.var():.2f}")
theirs = estimators.score_function_gradient(torch.square, 1.0, 4.0, eps, baseline=5.0)
ours = score_function(torch.square, 1.0, 4.0, 1 + 2 * eps, 5.0)
print("at variance 4, the package's is the same:", torch.allclose(theirs, ours))

# %% [markdown]
# Both are right within their bars. The variances of single draws are about 4 and 30 (exactly 4 and 30, by the moments
# of a Gaussian), so the score function needs 30/4 = 7.5 times the draws for the same bar. A baseline helps: with
# $c = E[f] = 2$ the variance is 18, and 14, at $c = 4$, is the best that a constant can do here.
#
# So **reparameterization is not the only way, it is the quiet way**. (You may read that it moves the randomness
# "into a parameter". The reverse: it moves it into $\epsilon$, whose law has none.)
#
# ### Optional: in many dimensions
#
# **Predict.** How do the two variances grow with the dimension? Take $f(x) = \sum_d x_d^2$, and the derivative by the
# first mean only.

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
# The pathwise variance stays at 4: a slope knows which coordinate is responsible. The score function multiplies *all*
# of $f$ by the first coordinate's score. The other 99 coordinates are noise to it, and push the variance to 41,000; a
# baseline takes off most, but not all.
#
# ### Where the quiet way is wrong
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
    print(error)

# %% [markdown]
# Zero, without any noise, and wrong. The slope of a step is 0 wherever there is one; all that matters happens
# at the jump, which no draw hits. The score function is right. So: pathwise where $f$ is smooth; score function
# where it jumps, where choices are discrete, or where $f$ is a black box. (Given a comparison instead of
# `sign`, the package refuses and says why.) The networks of this course are smooth.
#
# ### What variance does to training
#
# Training is many small steps along estimated gradients ("stochastic gradient descent"). Here: find the $a$ that
# minimizes $E_{x \sim N(a,1)}[(x - 3)^2] = (a-3)^2 + 1$. Start at 0, and move 300 times by $-0.05$ times a gradient
# from **one** draw.
#
# **Predict.** Both gradients are unbiased. Will both arrive at 3?

# %%
def train(gradient, draws=1, runs=200):
    """(301, runs): the parameter a of 200 independent runs, after each step."""
    rng, a = seeded(14), torch.zeros(runs, dtype=torch.float64)
    path = [a]
    for _ in range(300):
        means = a.repeat(draws)  # each run's own a, once for each of its draws
        each = gradient(lambda x: (x - 3) ** 2, means, 1.0, normal(rng, draws * runs))
        a = a - 0.05 * each.reshape(draws, runs).mean(dim=0)
        path.append(a)
    return torch.stack(path)


paths = {"pathwise, 1 draw": train(estimators.pathwise_gradient),
         "score function, 1 draw": train(estimators.score_function_gradient),
         "score function, 25 draws": train(estimators.score_function_gradient, draws=25)}

# %%
fig, axes = figures.new(1, 3, width=8.4, height=2.6, sharey=True)
for ax, (name, path) in zip(axes, paths.items()):
    ax.plot(path[:, :5], color=figures.BLUE, linewidth=0.8)
    ax.axhline(3, color=figures.GRAY, linestyle="--")
    ax.set(title=name, xlabel="training step", ylim=(-1, 6.5))
    off = path[100:] - 3  # the start is over
    print(f"{name:>24}: on average at {3 + off[-1].mean():.2f} after 300 steps; from 3 it is "
          f"{off[-1].square().mean().sqrt():.2f} away (root mean square), at worst "
          f"{off.abs().max():.1f}")
axes[0].set_ylabel("parameter a, data units")
figures.show(fig, alt="Five runs each: calm, wild, and calm again with 25 draws per step.")

# %% [markdown]
# All three arrive *on average*. But one draw of the noisy gradient keeps throwing $a$ about: in the end it is
# 0.57 away, against 0.22. Averaging 25 draws per step calms it to 0.09, at 25 times the cost. A smaller step
# would calm it too, and need more steps. That is what variance costs: **time**. Here it does not
# move the place where training ends. A bias would.
#
# ## 4 · Bias: the error that averaging repetitions does not remove
#
# An estimator $\hat G$ of $G$ is **biased** if $E[\hat G] \ne G$. Means are unbiased. But functions of means
# usually are not. Look at the self-normalized estimate, a ratio $A/B$ of two means, with few draws. Truth:
# $E_p[x] = 0$.

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
# With two draws the ratio is off by 0.426, towards the mean of $q$. The bias falls about like $1/N$, to a tenth
# for ten times the draws, until it drowns in noise (the last row is within its bar). An estimate that
# tends to the truth as $N$ grows is called **consistent**. The plain mean is at 0 within its bars for every $N$.
#
# "By Jensen's inequality $E[A/B] \ne E[A]/E[B]$", some notes argue. Ratios *are* biased as a rule, but Jensen
# is not why: $A$ and $B$ come from the same draws, and the sign can go either way. What Jensen does settle is
# the **logarithm**. Its graph bends down, so the logarithm of a mean is never below the mean of the logarithms:
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
# Now the example that chapter 04 will train. A datum $x$ has a hidden cause $z$: $p(z) = N(0, 1)$ and
# $p_\theta(x \mid z) = N(\theta z,\ 0.36)$, with $\theta = 1.2$ (a parameter of the model here, no coin). We saw
# $x = 1.5$. Its evidence is an expectation over causes, drawn from a proposal $q$ as in (3.4):
#
# $$p_\theta(x) = \int p(z)\,p_\theta(x \mid z)\,dz = E_{z \sim q}[w], \qquad
# w = \frac{p(z)\,p_\theta(x \mid z)}{q(z)}. \tag{3.11}$$
#
# Everything is Gaussian, so chapter 02 gives the exact answers: `push` sends the law of $z$ through "times
# $\theta$, plus noise", `condition` gives the posterior. The proposal is a mediocre guess, $q = N(0.3,\ 0.25)$.

# %%
def log_weight(z, mean=0.3, theta=1.2):
    """log w for causes z that were drawn from q = N(mean, 0.25)."""
    joint = log_normal(z) + log_normal(1.5, mean=theta * z, std=0.6)
    return joint - log_normal(z, mean=mean, std=0.5)


def causes(rng, K):
    """Draws of q, K in each row; the larger K, the fewer rows."""
    return 0.3 + 0.5 * normal(rng, 4_000_000 // max(K, 20), K)

# %%
prior = Gaussian(torch.zeros(1, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64))
seen = torch.tensor([1.5], dtype=torch.float64)
log_evidence = gaussians.log_prob(gaussians.push(prior, 1.2, 0.36), seen).item()
posterior = gaussians.condition(prior, seen, 1.2, 0.36)
print(f"log p(x) = {log_evidence:.4f} nats; posterior N({posterior.mean.item():.1f}, "
      f"{posterior.var.item():.1f})")

# %% [markdown]
# The weights estimate $p_\theta(x)$ without bias. But training wants its *logarithm*. Take $K$ weights and
#
# $$\log \hat p = \log \frac{1}{K}\sum_{k=1}^{K} w_k, \qquad E[\log \hat p\,] \le \log E[\hat p\,] = \log p_\theta(x).
# \tag{3.12}$$
#
# Jensen says: **too low, on average, for every $K$.** So it is a lower bound. For $K = 1$ its mean has a name, the
# evidence lower bound, **ELBO**; for $K > 1$ it is the importance-weighted bound (IWAE, [Bur16]).
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
    draws = bound(log_weight(causes(rng, K)))
    value, stderr = monte_carlo(draws)
    gaps[K] = value - log_evidence
    print(f"K = {K:3}: bound {value:.4f} ± {stderr:.4f}, bias {gaps[K]:+.4f}")

# %%
fig, ax = figures.new(width=6, height=2.6)
ax.plot(list(gaps), [log_evidence + gap for gap in gaps.values()], "o-", color=figures.RED,
        label="bound")
ax.axhline(log_evidence, color=figures.BLUE, linestyle="--", label="log p(x)")
ax.set(xlabel="number of weights K", ylabel="nats", xscale="log")
ax.legend(loc="lower right")
ax.set_xticks(list(gaps), map(str, gaps), minor=False)
ax.minorticks_off()
figures.show(fig, alt="The bound rises with K towards the dashed line log p(x), from below.")
print("below the line, in nats:", ", ".join(f"{-gap:.4f}" for gap in gaps.values()))

# %% [markdown]
# Faster, at the end like $1/K$. To see why, write $\hat p = p\,(1+\delta)$ and expand: $\log\hat p \approx
# \log p + \delta - \delta^2/2$. The mean of $\delta$ is 0; the mean of $\delta^2$ is the variance of $\hat p/p$. So
#
# $$E[\log \hat p\,] - \log p \;\approx\; -\frac{1}{2K}\,\frac{\operatorname{Var} w}{(E w)^2}. \tag{3.13}$$

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
# Both agree within the noise. (For small $K$ the expansion is no use: what it neglects is too large.) And the gap at
# $K = 1$ is something you know: the KL from $q$ to the posterior. Chapter 04 proves that, and makes a method of it.
#
# ### Optional: gradients of the bound
#
# "One cannot maximize $\log E_q[w]$ directly: too much variance, and bias", one reads. Let us measure. By the
# chain rule the derivative of $\log\hat p$ by $\theta$ is a weighted mean of single derivatives:
#
# $$\frac{\partial}{\partial\theta} \log \frac1K \sum_k w_k = \sum_k \bar w_k\,
# \frac{\partial \log w_k}{\partial\theta}, \qquad \bar w_k = \frac{w_k}{\sum_j w_j}. \tag{3.14}$$
#
# The $\bar w_k$ lie between 0 and 1 (`softmax` of the log-weights). With $K = 1$ the one weight is 1: the
# "direct" gradient **is** that of the ELBO. For more, we compare it with the plain average of $K$ ELBO
# gradients. The true $\log p$ has the derivative $\theta\,(x^2/v^2 - 1/v)$ with $v = \theta^2 + 0.36$, which is
# 0.1667.

# %%
# claim: E51, E52, E54
rng = seeded(17)
print("  K   mean of (3.14)      bias      variance: (3.14)   average of K ELBO gradients")
for K in (1, 4, 8, 64, 512):
    z = causes(rng, K)
    slopes = z * (1.5 - 1.2 * z) / 0.36  # d log w / d theta
    weighted = (log_weight(z).softmax(1) * slopes).sum(1)
    value, stderr = monte_carlo(weighted)
    print(f"{K:3} {value:9.4f} ± {stderr:.4f} {value - 1 / 6:+9.4f} {weighted.var():15.3f} "
          f"{slopes.mean(1).var():22.3f}")

# %%
# eq: 3.14
theta = torch.tensor(1.2, dtype=torch.float64, requires_grad=True)
bound(log_weight(z[:5], theta=theta)).sum().backward()  # automatic differentiation
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
# So it is a trade, tightness against noise, and no impossibility. Nor is the bias a law of nature: if $q$ is the
# posterior, all weights are alike, and the bias is 0.
#
# And how should $q$ itself be improved through $\log \hat p$? The true $\log p_\theta(x)$ does not contain $q$,
# so its derivative by $q$'s mean $m$ is exactly 0. Whatever gradient $q$ receives is *pure bias*, and must fade
# as the bound tightens. Pathwise, with $z = m + 0.5\,\epsilon$:

# %%
# claim: E53
rng = seeded(18)
for K in (1, 4, 16, 64, 256):
    z = causes(rng, K)
    slopes = -z + 1.2 * (1.5 - 1.2 * z) / 0.36  # d log w / dm along the path; log q does not move
    each = (log_weight(z).softmax(1) * slopes).sum(1)
    value, stderr = monte_carlo(each)
    print(f"K = {K:3}: mean {value:.4f} ± {stderr:.4f}, "
          f"mean / standard deviation {value / each.std():.3f}")

# %% [markdown]
# From 3.5 down to 0.04, and it sinks faster than its noise: one estimate's signal-to-noise ratio falls from 1.4 to
# 0.1. **The encoder learns because the bound is loose.** With many weights it hardly hears anything. Rainforth
# et al. 2018 studied this under a telling title: tighter bounds are not necessarily better.
#
# ## 5 · One idea under three names
#
# What does one maximize when a law $p_\theta$ is fitted to data? The mean log-likelihood. The data are draws from an
# unknown law $p^\ast$, so this mean estimates an expectation:
#
# $$\frac1N\sum_i \log p_\theta(x_i) \;\approx\; E_{p^\ast}[\log p_\theta(x)]
# = -H(p^\ast) - \mathrm{KL}(p^\ast \,\|\, p_\theta). \tag{3.15}$$
#
# The second half is the definition of the KL (chapter 02), $\mathrm{KL} = E_{p^\ast}[\log p^\ast] -
# E_{p^\ast}[\log p_\theta]$, with the **entropy** of the data, $H(p^\ast) = -E_{p^\ast}[\log p^\ast]$. The middle
# with the opposite sign is called the **cross-entropy**.
#
# A KL is never negative, and 0 only if the two laws are equal: it measures how badly $p_\theta$ misses. And $H$ does
# not depend on $\theta$. So **maximum likelihood is minimum KL**, in the direction
# $\mathrm{KL}(\text{data} \,\|\, \text{model})$. Of the two directions it is the one that needs nothing but draws of
# $p^\ast$, which is why models are trained with it.
#
# **Predict.** Our test data are the two bumps of chapter 02, with mean 0 and variance 1. Of all Gaussians $N(0, 1)$
# fits them best. Is the KL then 0?

# %%
# eq: 3.15
# claim: E46, E47
data = ideal_denoisers.two_modes()  # half N(-0.97, 0.0591), half N(0.97, 0.0591)
x = torch.linspace(-8, 8, 160_001, dtype=torch.float64)
bumps = sum(log_normal(x, mean=m, std=math.sqrt(0.0591)).exp() / 2 for m in (-0.97, 0.97))
inside = bumps > 0  # far out the density is 0 in double precision
H = -(bumps * bumps.log())[inside].sum() * 1e-4
KL = (bumps * (bumps.log() - log_normal(x)))[inside].sum() * 1e-4
print(f"quadrature: H = {H:.4f}, KL = {KL:.4f}, -H - KL = {-H - KL:.4f} nats")
drawn = ideal_denoisers.sample(data, 100_000, generator=seeded(19)).double()[:, 0]
value, stderr = monte_carlo(log_normal(drawn))
print(f"mean log-likelihood of 100,000 draws: {value:.4f} ± {stderr:.4f}")
for mean, std in ((0.0, 0.8), (0.0, 1.25), (0.3, 1.0)):
    print(f"N({mean}, {std}^2): {monte_carlo(log_normal(drawn, mean=mean, std=std))[0]:.4f}")

# %% [markdown]
# No: 0.7212 nats are left, because no Gaussian has two bumps. "At the maximum the KL is 0" holds only if the
# family of models contains the law of the data. The three other Gaussians do worse, as they should.
#
# Two remarks. The mean log-likelihood is sometimes called importance sampling. It is plain Monte Carlo: the
# data *are* draws of $p^\ast$; there is no $q$ and no weight. And if a text says that diffusion models
# "minimize the cross-entropy": that number stands between the entropy and the bound that is really used.
# Chapter 08 measures all three.
#
# ### Least squares
#
# The third name. Let the model be a Gaussian with a mean that we choose and a **fixed** variance. For one coordinate
# its negative log-density is $(x - \mu)^2/(2\,\mathrm{var}) + \tfrac12\log(2\pi\,\mathrm{var})$, by (2.10). The last
# term does not contain $\mu$. So the best $\mu$ is the one with the smallest squared error.
#
# ### Exercise 3.6 · Squared error as a likelihood
#
# This is the loss of every network in this course, in disguise. `x` and `mean` have shape (n, D), `var` is a
# number. The $D$ coordinates are independent, so their densities multiply. Return (n,): each item's negative
# log-density, in nats. (`math.log` and `math.pi` will be of use.)

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
# First the check of (3.16). We lay lines of many slopes $k$ through 40 points. For every slope, the negative
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
    print(f"{name:>21}: over 2000 data sets the slope errs by {off.std():.3f}")

# %% [markdown]
# With one variance for all, likelihood and least squares have the same minimum, whatever that variance is. With
# two variances they do not: the noisy half should count a hundred times less, because of the factor
# $1/(2\,\mathrm{var})$, and over many data sets this makes the slope about five times more accurate. So "the
# squared error *is* Gaussian maximum likelihood" needs a condition: **one fixed variance, or the right
# weights**. DDPM's usual loss drops such weights, on purpose; chapter 08 shows which.
#
# ## Recap
#
# An expectation is estimated by a mean of draws, with standard error $s/\sqrt N$; such a bar catches the truth
# in 68 of 100 cases, if the draws saw what matters. Draws of another law can be reweighed, as long as that
# law reaches all that matters, is not narrower, and the dimension is low. Gradients pass through a draw in two ways: move the
# draws (quiet, needs a smooth $f$), or reweigh them (noisy, needs nothing). Variance costs time, bias changes
# the answer. The logarithm of a mean weight is too low on average, and less so with more weights. Maximum
# likelihood is minimum KL, and with one fixed variance it is least squares.
#
# **One formula to keep**
#
# $$\frac{\partial}{\partial a}\, E_{x \sim N(a, b^2)}[f(x)] = E_{\epsilon \sim N(0,1)}\big[f'(a + b\,\epsilon)\big]$$
#
# **Popular claims, checked**
#
# | often said | better | shown above |
# |---|---|---|
# | without reparameterization the gradient cannot flow | it can, with more noise | variance 4 against 30 |
# | importance sampling works for any $q$ | $q > 0$ where needed, wider tails, few dimensions | 0.399 for 0; 71 % for 95 %; 0.4 draws |
# | $\log E_q[w]$ cannot be optimized directly | with $K = 1$ that is the ELBO; with more, a trade | table after (3.14) |
# | by Jensen a ratio is biased | Jensen is about the logarithm; ratios are biased in general, by O(1/N) | 0.426 with two draws |
# | the ELBO gradient is unbiased | for the ELBO; not for $\log p$ | 0.1167, not 0.1667 |
# | the encoder's gradient comes from $\log p(x)$ | that one is 0; the encoder lives on the gap | 3.5 down to 0.04 |
# | at the maximum of the likelihood the KL is 0 | only if the family holds the data's law | 0.7212 left |
# | the average log-likelihood is importance sampling | plain Monte Carlo: no $q$, no weights | −1.4191 ± 0.0008 |
# | the squared error is maximum likelihood | with one fixed variance, or weights | three slopes |
#
# **Exercises:** 3.1 `estimators.monte_carlo` · 3.2 `estimators.importance` · 3.3 `estimators.pathwise` · 3.4
# `estimators.score_function` · 3.5 `estimators.bound` · 3.6 `estimators.gaussian_nll`
#
# **Before:** [02 · Distributions](02_distributions.ipynb) · **Next:** [04 · ELBO and
# VAE](04_elbo_and_vae.ipynb), where the pathwise gradient trains an encoder, and the gap below $\log p(x)$ gets
# its name.
