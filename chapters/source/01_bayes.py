# %% [markdown]
# # 01 · Bayes: how do facts change beliefs, and what makes that hard?
#
# You find a coin and toss it ten times. It shows heads seven times. What is its probability of heads? You cannot
# read that number off a coin. But after ten tosses you should no longer believe what you believed before. What should
# you believe now, and how firmly?
#
# **After this chapter you can**
#
# - turn a belief and a fact into a new belief with Bayes' rule, and name its four parts,
# - say when data overrule a prior, and when they never will,
# - choose one number to summarize a belief, and say what it hides,
# - say what makes the evidence hard to compute, and what only looks hard,
# - explain what a denoiser has to do with all this.
#
# **You need** [00 · Start here](00_start_here.ipynb) for how exercises work, logarithms, and an integral as
# an area. No probability theory beyond "a probability is a number from 0 to 1".
#
# **Time:** about {road} minutes; the detours, which nothing later needs, add {detours}. The notebook runs in about ten
# seconds.
#
# **For what comes next:** 02, 03 and 04 use sections 1, 2 and 6; 07 uses section 1.
#
# **In the papers:** nothing yet. [Mac03] MacKay 2003, chapters 2, 3 and 28–30, tells the same story at length;
# [Luo22] starts where this chapter ends.

# %%
import math
import textwrap

import sympy as sp
import torch

from ddpm_lab import bayes, ideal_denoisers, schedules
from ddpm_lab.course import explorers, figures
from ddpm_lab.bayes import Beta
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import seeded

# %%
grid = bayes.unit_grid()  # 2001 candidates for the probability of heads, 0 to 1
flat = bayes.uniform(grid)  # before the first toss: no candidate is preferred
tosses = torch.rand(300, generator=seeded(1)) < 0.7  # True means heads: in 70 % of all cases
beliefs = {}
for n in (0, 1, 10, 50, 300):
    heads = int(tosses[:n].sum())  # the first n tosses; True counts as 1
    beliefs[f"{heads} heads in {n}"] = bayes.coin_posterior(heads, n, flat, grid)
fig = figures.curves(grid, beliefs, xlabel="theta, probability of heads", ylabel="density")
figures.show(fig, alt="A flat belief becomes a peak that gets narrower and narrower near 0.7.")
for name, belief in beliefs.items():
    mean, var = bayes.mean_and_var(belief, grid)
    print(f"{name:>16}: mean {mean:.3f}, standard deviation {var.sqrt():.3f}")

# %% [markdown] topics="C017"
# Each curve is a **belief** about the same coin, a simulated one with probability 0.7 of heads. The curve is high where
# a value of that probability seems plausible. Before the first toss it is flat. Every toss changes its shape. After 300
# tosses it is a narrow peak, and the standard deviation says how narrow. This chapter is about the rule behind these
# curves, and about what it costs to apply it when there is more than one unknown.

# %% [markdown] topics="C013 C014 C029"
# ## 1 · Two kinds of coins
#
# Start with two candidates instead of 2001. A box holds 100 coins: 80 are fair, 20 are bent and show
# heads in 9 tosses out of 10. You take one without looking and toss it once. Heads.
#
# **Predict.** How probable is it that your coin is bent: 20 %, 90 %, or what?
#
# Write $P(A)$ for the probability of $A$, and $P(A \mid B)$, read "A given B", for the **conditional probability** of $A$ among
# the cases in which $B$ happened. The probability that both happen can be written in two ways:
# $P(A \mid B)\,P(B)$ and $P(B \mid A)\,P(A)$. They are equal. Divide by $P(B)$, which must not be 0, and you
# have **Bayes' rule** (or *Bayes' theorem*):
#
# $$P(A \mid B) = \frac{P(B \mid A)\; P(A)}{P(B)}, \qquad P(B) \ne 0. \tag{1.1}$$
#
# $P(B)$ collects all the ways in which $B$ can happen, here with a bent coin or with a fair one (the
# **law of total probability**):
#
# $$P(B) = P(B \mid A)\,P(A) + P(B \mid \text{not } A)\,P(\text{not } A). \tag{1.2}$$
#
# For "A: the coin is bent" and "B: heads", the four parts have names:
#
# | name | what it is | here |
# |---|---|---|
# | **prior** $P(A)$ | what was believed before the fact | 0.2 |
# | **likelihood** $P(B \mid A)$ | how probable the cause makes the fact | 0.9 |
# | **evidence** $P(B)$ | how probable the fact was, all causes together | 0.58 |
# | **posterior** $P(A \mid B)$ | what to believe after the fact | ? |
#
# The rule reverses the direction. A model of coins gives *effect given cause*. You want *cause given effect*.
# The next cell applies the rule, and then counts: a million times a coin is drawn from the box and tossed.

# %%
# eq: 1.1, 1.2
posterior, evidence = bayes.rule(torch.tensor([0.8, 0.2]), torch.tensor([0.5, 0.9]))
print(f"the rule: heads in {evidence:.4f} of all cases, bent among them {posterior[1]:.4f}")
rng = seeded(0)
bent = torch.rand(1_000_000, generator=rng) < 0.2
heads = torch.rand(1_000_000, generator=rng) < torch.where(bent, 0.9, 0.5)
share = bent[heads].double().mean()  # bent[heads] keeps the cases that showed heads
stderr = (share * (1 - share) / heads.sum()).sqrt()
print(f"counted:  heads in {heads.double().mean():.4f} of all cases, "
      f"bent among them {share:.4f} ± {stderr:.4f}")


# %% [markdown]
# 31 %. Imagine that all 100 coins are tossed once. The 80 fair ones show about 40 heads, the 20 bent ones about 18. So of
# 58 heads, 18 come from bent coins. The number after ± is the **standard error** of the counted fraction: how far it
# typically is from the truth, since a million tosses are not infinitely many. ([03 · Estimators](03_estimators.ipynb) is
# about this.)
#
# ### Exercise 1.1 · Bayes' rule for a list
#
# Implement (1.1) for any number of candidates at once. `prior` and `likelihood` have shape (K,), one entry for
# each candidate; return the posterior, (K,). The evidence is (1.2), now with K terms. That is all there is to Bayes' rule.
#
# <details><summary>Hint</summary>
#
# `prior * likelihood` multiplies entry by entry; `.sum()` adds the entries up.
#
# </details>

# %% tags=["exercise"]
def my_rule(prior, likelihood):
    """Return the probability of each candidate after the fact, shape (K,)."""
    ### BEGIN SOLUTION
    joint = prior * likelihood
    return joint / joint.sum()
    ### END SOLUTION


rule = check("bayes.rule", my_rule)

# %%
if_heads = torch.tensor([0.5, 0.9], dtype=torch.float64)  # fair, bent
belief = torch.tensor([0.8, 0.2], dtype=torch.float64)
for toss in "HHHHT":
    belief = rule(belief, if_heads if toss == "H" else 1 - if_heads)
    print(f"after {toss}: bent with probability {belief[1]:.3f}")

# %% [markdown]
# The posterior after one toss is the prior of the next. Four heads lift "bent" from 0.2 to 0.724; a single tails
# brings it back down to 0.344, because a bent coin seldom shows tails. Facts can move a belief in either direction.

# %% [markdown] topics="C014 C016"
# ## 2 · A belief about a number
#
# Back to the coin from the beginning. Its probability of heads, $\theta$ ("theta"), may be any number from 0 to 1, so
# the belief is a **probability density** $p(\theta)$: a curve with area 1. The probability that $\theta$ lies between 0.6 and 0.7
# is the area under the curve between the two. The height at one point is not a probability; it may exceed 1. (A small
# $p$ is a density, a capital $P$ a probability.)
#
# Call the fact $X$: "7 heads in 10 tosses". One sequence with 7 heads and 3 tails has probability
# $\theta^7(1-\theta)^3$, since tosses are independent. There are $\binom{10}{7} = 120$
# such sequences. So the likelihood is
#
# $$P(X \mid \theta) = \binom{10}{7}\, \theta^7 (1-\theta)^3. \tag{1.3}$$
#
# The prior is flat, $p(\theta) = 1$. The evidence (1.2) had a sum over two causes; over all
# $\theta$ the sum becomes an integral:
#
# $$P(X) = \int_0^1 p(\theta)\, P(X \mid \theta)\, d\theta
# = \int_0^1 120\; \theta^7 (1-\theta)^3\, d\theta = \frac{1}{11}, \tag{1.4}$$
#
# and Bayes' rule gives
#
# $$p(\theta \mid X) = \frac{p(\theta)\, P(X \mid \theta)}{P(X)} = 1320\; \theta^7 (1-\theta)^3. \tag{1.5}$$

# %%
# eq: 1.4, 1.5
# claim: E27
t = sp.symbols("theta", positive=True)
likelihood = sp.binomial(10, 7) * t**7 * (1 - t) ** 3
evidence = sp.integrate(likelihood, (t, 0, 1))
print("evidence:", evidence, "=", round(float(evidence), 6))
print("posterior:", likelihood / evidence)
for p_X in (evidence, sp.Rational(1, 10)):
    area = sp.integrate(likelihood / p_X, (t, 0, 1))
    print(f"dividing by {p_X}: the posterior has area {float(area):.4f}")
on_grid = bayes.coin_posterior(7, 10, flat, grid)
by_hand = 1320 * grid**7 * (1 - grid) ** 3
print("the grid agrees:", torch.allclose(on_grid, by_hand, rtol=1e-9))

# %% [markdown]
# The evidence is 1/11. Rounding it to 0.1 would be an error of 10 %, and it shows: the posterior would have area 0.9091, and
# a belief that adds up to 91 % is no belief. Look at the three curves together:

# %%
# claim: E34
likelihood = bayes.coin_log_likelihood(7, 10, grid).exp()
curves = {"prior": flat, "likelihood": likelihood, "posterior": on_grid}
fig = figures.curves(grid, curves, xlabel="theta, probability of heads", ylabel="value")
figures.show(fig, alt="A flat prior at 1; the likelihood, a low hump; the posterior, a tall one.")
for name, values in curves.items():
    print(f"{name:>10}: area {bayes.integral(values, grid):.6f}, largest value {values.max():.3f}")
mean, var = bayes.mean_and_var(on_grid, grid)
print(f"posterior: mean {mean:.4f}, standard deviation {var.sqrt():.4f}, "
      f"highest at theta = {grid[on_grid.argmax()]:.2f}")
above = bayes.integral(on_grid[1000:], grid[1000:])  # the area from 0.5 to 1
print(f"probability that the coin prefers heads: {above:.3f}")


# %% [markdown]
# The figure sorts out four words that are easily mixed up:
#
# - The **likelihood is not a density of $\theta$**. Its area is 0.090909, not 1. As a function of $\theta$ it only
#   says how well each candidate explains the fact. Under a flat prior, that area is the evidence.
# - The **prior** is a distribution *over* hypotheses, not a hypothesis: a curve, not a coin.
# - The **posterior** is a distribution, too. If you keep its mean, 0.6667,
#   and drop the rest, you lose the standard deviation 0.1307, and the probability 0.887 that heads are preferred.
# - The **evidence** is one number: how probable the fact was before you knew anything but the prior.
#
# ### Exercise 1.2 · A posterior on a grid
#
# Implement (1.5) for any prior on a grid, (k,), and any number of tosses: return the density, (k,). It is exercise
# 1.1 with two additions. First, a density has *area* 1: divide by `bayes.integral(values, grid)`, not by the
# sum. Second, $0.7^{3500}$ is about $10^{-542}$, which the computer rounds to 0, and then you divide 0 by 0. So
# add logarithms:
#
# 1. `log_joint` = log of the prior + log-likelihood; `bayes.coin_log_likelihood(heads, tosses, grid)` gives the second,
# 2. subtract the largest entry, `log_joint.max()`, and only then take `.exp()`: now the largest value is 1, even if
#    every candidate explains the fact badly,
# 3. divide by the area. The factor that step 2 removes cancels. (So does the 120 of (1.3), or any other factor
#    without $\theta$.)

# %% tags=["exercise"]
def my_posterior(heads, tosses, prior, grid):
    """Return the density of theta after the tosses, at the points of the grid."""
    ### BEGIN SOLUTION
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    joint = (log_joint - log_joint.max()).exp()
    return joint / bayes.integral(joint, grid)
    ### END SOLUTION


coin_posterior = check("bayes.posterior", my_posterior)

# %%
print("0.7**3500 * 0.3**1500 =", 0.7**3500 * 0.3**1500)
for heads, n in ((7, 10), (70, 100), (3500, 5000)):
    belief = coin_posterior(heads, n, flat, grid)
    mean, var = bayes.mean_and_var(belief, grid)
    near = bayes.integral(belief[1300:1501], grid[1300:1501])  # the area from 0.65 to 0.75
    print(f"{heads:4} heads in {n:4}: mean {mean:.4f}, standard deviation {var.sqrt():.4f}; "
          f"P(0.65 … 0.75) = {near:.3f}")

# %% [markdown]
# Without logarithms the likelihood is rounded to 0, and there is nothing left to divide. The fraction of heads is 0.7 each
# time; what grows is the certainty. Fifty times as many tosses, 5000 instead of 100, make the posterior seven times
# narrower, 0.0065 instead of 0.0453: its width falls like $1/\sqrt n$.

# %% [markdown]
# ### Detour · Where the likelihood comes from, and why 1/11
#
# All 1024 sequences; Bayes' own argument with balls on a table; and "seven heads" against "this sequence".

# %% [markdown]
# First, (1.3) the slow way, by listing all sequences of ten tosses:

# %%
# eq: 1.3
theta = 0.6
sequences = torch.cartesian_prod(*[torch.tensor([0, 1])] * 10)  # every row is one sequence
probability = torch.where(sequences == 1, theta, 1 - theta).double().prod(dim=1)
seven = sequences.sum(dim=1) == 7
print(f"{len(sequences)} sequences, {int(seven.sum())} with seven heads; their "
      f"probabilities add to {probability[seven].sum():.6f}")
print(f"(1.3) at theta = 0.6: {bayes.coin_log_likelihood(7, 10, theta).exp():.6f}")

# %% [markdown]
# **Predict.** Before any toss, with a flat prior, which number of heads in ten is the most probable? Five?
#
# $$\int_0^1 \binom{n}{h}\, \theta^h (1-\theta)^{n-h}\, d\theta = \frac{1}{n+1}
# \qquad \text{for every } h = 0, 1, \dots, n. \tag{1.6}$$
#
# None: all eleven numbers, 0 to 10, have the same evidence, 1/11. Bayes himself had an argument that
# needs no integral. Throw 11 balls on a table, uniformly and independently. The position of the first one, from 0 to 1,
# is $\theta$. Each other ball is a toss: it counts as heads if it lies to the left of the first, which happens with
# probability $\theta$. So the number of heads says *which place the first ball takes among all eleven from left to
# right*, and every place is equally probable.

# %%
# eq: 1.6
terms = [sp.binomial(10, h) * t**h * (1 - t) ** (10 - h) for h in range(11)]
print("the integral for h = 0 … 10:", *[sp.integrate(term, (t, 0, 1)) for term in terms])
balls = torch.rand(1_100_000, 11, generator=seeded(3))
heads = (balls[:, 1:] < balls[:, :1]).sum(dim=1)  # balls to the left of the first one
print("1,100,000 tables, how often each h:")
print(*torch.bincount(heads).tolist())
near = balls[heads == 7, 0].double()  # where the first ball lay, if seven are to its left
stderr = near.std() / math.sqrt(len(near))
print(f"first ball, given 7 to its left: mean {near.mean():.4f} ± {stderr:.4f}, "
      f"standard deviation {near.std():.4f}")

# %% [markdown]
# About 100,000 of 1,100,000 for each, as it should be. The last line is Bayes'
# rule without the rule: among the tables with seven balls to the left, the first ball's place has mean
# 0.6673 ± 0.0004 and standard deviation 0.1307. The posterior has 0.6667, less than two standard errors away, and 0.1307.
#
# Now suppose you wrote down the whole sequence HHTHHTHHHT, not only the count. Then $X$ is a different fact, and its
# likelihood has no 120 in front. **Predict.** Does the posterior change? Does the evidence?

# %%
# claim: E32
fair = torch.tensor(0.5)
for fact, ordered in (("7 heads in 10", False), ("HHTHHTHHHT", True)):
    likelihood = bayes.coin_log_likelihood(7, 10, grid, ordered=ordered).exp()
    evidence = bayes.coin_evidence(7, 10, flat, grid, ordered=ordered)
    mean, var = bayes.mean_and_var(likelihood / evidence, grid)
    if_fair = bayes.coin_log_likelihood(7, 10, fair, ordered=ordered).exp()
    print(f"{fact}: evidence {evidence:.6e} = 1/{1 / evidence:.1f}")
    print(f"    posterior mean {mean:.4f}, std {var.sqrt():.4f}; "
          f"P(X | fair) / P(X | flat) = {if_fair / evidence:.4f}")

# %% [markdown]
# The posterior is the same: a factor that does not depend on $\theta$ appears in the numerator and in the denominator, and
# cancels. The evidence changes: it is $1/11$ for the count and $1/1320$ for the sequence. Neither is wrong; they answer
# different questions. Two *models* may be compared by their evidence only
# if both are asked about the same $X$. Here a fair coin explains these data 1.2891 times as well as a coin that could be
# anything, counted either way.

# %% [markdown] topics="C018"
# ## 3 · One toss at a time, and a shortcut
#
# A density that is proportional to $\theta^{a-1}(1-\theta)^{b-1}$ has a name, the **Beta distribution**:
#
# $$\mathrm{Beta}(\theta;\, a, b) = \frac{\theta^{a-1} (1-\theta)^{b-1}}{B(a,b)},
# \qquad B(a, b) = \int_0^1 \theta^{a-1}(1-\theta)^{b-1}\, d\theta. \tag{1.7}$$
#
# (The name has nothing to do with the $\beta_t$ of later chapters.) The flat
# prior is Beta(1, 1); our posterior $1320\,\theta^7(1-\theta)^3$ is Beta(8, 4). Multiply a Beta prior by a likelihood
# $\theta^h(1-\theta)^{n-h}$: the exponents add, and the result is a Beta distribution again.
#
# $$\mathrm{Beta}(a, b) \;\xrightarrow{\;h \text{ heads in } n\;}\; \mathrm{Beta}(a + h,\; b + n - h). \tag{1.8}$$
#
# There is no integral left: you only *count*. A prior whose posterior stays in the same family is
# called **conjugate**. And (1.8) says what $a$ and $b$ mean: a prior is worth as much as $a + b$ imagined
# tosses, $a$ of them heads.

# %%
# eq: 1.7, 1.8
for prior in (Beta(1, 1), Beta(8, 4), Beta(2.5, 6)):
    a, b = prior
    area = sp.gamma(a) * sp.gamma(b) / sp.gamma(a + b)  # B(a, b) by the gamma function
    unscaled = grid ** (a - 1) * (1 - grid) ** (b - 1)
    gap = (bayes.integral(unscaled, grid) - float(area)).abs() / float(area)
    after = bayes.beta_density(bayes.conjugate(prior, heads=7, tosses=10), grid)
    by_grid = bayes.coin_posterior(7, 10, bayes.beta_density(prior, grid), grid)
    print(f"Beta({a}, {b}): B = {float(area):.6f}, by the grid the same to 1e-5: {gap < 1e-5}; "
          f"(1.8) agrees: {torch.allclose(after, by_grid, atol=1e-4)}")


# %% [markdown]
# ### Detour · Toss by toss
#
# Does the order of the tosses matter? A one-line exercise.

# %% [markdown]
# #### Exercise 1.3 · Keep counting
#
# Return the new pair $(a, b)$ of (1.8). The next cell runs through a sequence with it, toss by toss.

# %% tags=["exercise"]
def my_count(a, b, heads, tosses):
    """Return (a, b) of the Beta distribution after `heads` heads in `tosses` tosses."""
    ### BEGIN SOLUTION
    return a + heads, b + tosses - heads
    ### END SOLUTION


count_on = check("bayes.conjugate", my_count)

# %%
for sequence in ("HHTHHTHHHT", "TTTHHHHHHH"):
    a, b = 1, 1
    for toss in sequence:
        a, b = count_on(a, b, heads=int(toss == "H"), tosses=1)
    print(f"{sequence}: toss by toss Beta({a}, {b}); all at once Beta{count_on(1, 1, 7, 10)}")

# %% [markdown]
# Toss by toss or all at once, in this order or in that: the same belief. For independent tosses only the counts
# matter.

# %% [markdown]
# ### If it must be one number
#
# Sometimes one number must summarize the distribution: an *estimate*, written with a hat, $\hat\theta$. Three are usual.
# For $h$ heads in $n$ tosses, with the posterior Beta($A$, $B$) that (1.8) makes of the prior:
#
# $$\hat\theta_\text{MLE} = \frac{h}{n}, \qquad
# \hat\theta_\text{MAP} = \frac{A - 1}{A + B - 2}, \qquad
# \hat\theta_\text{mean} = \frac{A}{A + B}. \tag{1.9}$$
#
# The **maximum likelihood estimate** (**MLE**) is where the likelihood is highest. It ignores the prior. The
# **maximum a posteriori** estimate (**MAP**) is where the posterior is highest. (Its formula needs $A, B \ge 1$, not both 1.) And there
# is the **posterior mean**, which has the smallest mean squared error; it is what a perfect denoiser computes.
#
# **Predict.** A coin showed heads in 3 tosses out of 3. With a flat prior, what do MLE and mean say about the probability of
# tails in the next toss?

# %%
# eq: 1.9
fine = bayes.unit_grid(200_001)
for a, b, h, n in ((1, 1, 7, 10), (1, 1, 3, 3), (2, 5, 7, 10), (50, 50, 7, 10)):
    likelihood = bayes.coin_log_likelihood(h, n, fine)
    after = bayes.coin_posterior(h, n, bayes.beta_density(Beta(a, b), fine), fine)
    mle, peak = fine[likelihood.argmax()], fine[after.argmax()]
    mean, _ = bayes.mean_and_var(after, fine)
    A, B = bayes.conjugate(Beta(a, b), h, n)
    formulas = h / n, (A - 1) / (A + B - 2), A / (A + B)
    print(f"Beta({a}, {b}), {h} in {n}: on the grid {mle:.4f} {peak:.4f} {mean:.4f}; (1.9) "
          + " ".join(f"{x:.4f}" for x in formulas))


# %% [markdown]
# The MLE is $\hat\theta = 1$: after only three tosses, tails would be impossible. The mean is $\hat\theta = 4/5$: tails have
# probability 1/5. For the next toss the posterior mean is *the* probability of heads: the average over all
# candidates, each weighted by the belief in it.

# %% [markdown]
# ### Detour · Which of the three answers is best?
#
# An exercise, a contest, and a peak that moves when you change units.

# %% [markdown]
# #### Exercise 1.4 · Three answers
#
# Return the three numbers of (1.9) in this order. You are given the prior's `a` and `b` and the tosses: what are $A$ and
# $B$? Then MLE and mean compete. (With a flat prior, the MAP equals the MLE.)

# %% tags=["exercise"]
def my_three_answers(a, b, heads, tosses):
    """Return (MLE, MAP, posterior mean) for a Beta(a, b) prior."""
    ### BEGIN SOLUTION
    A, B = a + heads, b + tosses - heads  # the posterior's
    return heads / tosses, (A - 1) / (A + B - 2), A / (A + B)
    ### END SOLUTION


three_answers = check("bayes.three_answers", my_three_answers)

# %%
rng, n = seeded(4), 10
worlds = {
    "all theta equally often": torch.rand(200_000, generator=rng, dtype=torch.float64),
    "every coin has 0.95": torch.full((200_000,), 0.95, dtype=torch.float64),
}
table = [three_answers(1, 1, h, n) for h in range(n + 1)]
answers = torch.tensor(table, dtype=torch.float64)  # row h: the answers after h heads
for world, theta in worlds.items():
    heads = torch.binomial(torch.full_like(theta, n), theta, generator=rng).long()
    squares = (answers[heads] - theta[:, None]) ** 2  # (200_000, 3): one column for each answer
    error, stderr = squares.mean(dim=0), squares.std(dim=0) / len(theta) ** 0.5
    print(f"{world:>23}: squared error, MLE {error[0]:.5f} ± {stderr[0]:.5f}, "
          f"mean {error[2]:.5f} ± {stderr[2]:.5f}")

# %% [markdown]
# If the world is as the prior says, the mean wins, 0.01388 against 0.01666. It must: for squared error nothing beats the
# posterior mean. If the world consists of coins with 0.95, the flat prior pulls the wrong way, and the MLE wins by far.
# Take the MLE if you have plenty of data, or no prior that you trust; the mean for the smallest squared error or for the
# probability of the next toss; the MAP if you can climb to a peak but cannot integrate.
#
# But a peak depends on the scale. Write the same belief in terms of the *log-odds*
# $u = \log\frac{\theta}{1-\theta}$, and its peak moves to another coin:

# %%
u = torch.linspace(-4, 6, 200_001, dtype=torch.float64)
theta = u.sigmoid()  # back from log-odds to the probability
# The same mass on another scale: d theta = theta (1 - theta) du.
density_u = bayes.beta_density(Beta(8, 4), theta) * theta * (1 - theta)
peak = theta[density_u.argmax()]
print(f"area in u: {bayes.integral(density_u, u):.4f}")
print(f"peak over theta: {Beta(8, 4).mode:.4f}; peak over the log-odds: {peak:.4f}")
print(f"mean of theta: {Beta(8, 4).mean:.4f} and {bayes.integral(density_u * theta, u):.4f}")

# %% [markdown]
# One belief, two peaks, 0.7 and 0.6667. The mean of $\theta$ is the same in both. A peak is a place where a
# *density* is high, and densities depend on the scale; areas do not.

# %% [markdown] topics="C017"
# ## 4 · Prior against data
#
# Three priors see the same tosses, 70 % heads each time. One is flat. One is confident that the coin is *nearly fair*:
# Beta(50, 50). One is certain that $\theta$ is *at most 1/2*, and is flat below that.
#
# **Predict.** Which of them will the data convince in the end?

# %%
# claim: E28
half = torch.linspace(0, 0.5, 100_001, dtype=torch.float64)  # these candidates end at 1/2
priors = {"flat": (fine, bayes.uniform(fine)),
          "nearly fair": (fine, bayes.beta_density(Beta(50, 50), fine)),
          "at most 1/2": (half, bayes.uniform(half))}
counts = (0, 10, 100, 1000, 10_000, 100_000)
means = {name: [] for name in priors}
for name, (points, prior) in priors.items():
    for n in counts:
        belief = bayes.coin_posterior(n * 7 // 10, n, prior, points)
        means[name].append(bayes.mean_and_var(belief, points)[0].item())
print("     tosses" + "".join(f"{n:>9}" for n in counts))
for name, values in means.items():
    print(f"{name:>11}" + "".join(f"{value:9.5f}" for value in values))

# %% [markdown]
# They convince the flat one at once, the second one slowly, and the third one never. The prior Beta(50, 50) is worth 100
# tosses: at $n = 100$ it counts as much as the data, and the mean is in the middle, 0.6. In general, for a Beta prior,
#
# $$\hat\theta_\text{mean} = w\,\frac{a}{a+b} + (1 - w)\,\frac{h}{n}, \qquad w = \frac{a+b}{a+b+n}: \tag{1.10}$$
#
# a compromise between the prior's mean and the fraction of heads. The prior's weight $w$ falls to 0 as $n$ grows. Priors of
# other shapes with some mass around the truth are forgotten in the end, too.
#
# The third has reached 0.49999 and cannot pass 1/2, however many data there are. Where the prior is 0, prior times
# likelihood is 0. No data can bring back what a prior rules out.

# %% [markdown]
# ### Detour · A figure, the formula, and sliders
#
# The three means over the number of tosses, and priors of your own.

# %%
places = [1, *counts[1:]]  # a log scale has no 0, so it is drawn at 1
fig = figures.curves(places, means, xlabel="tosses (log scale)", ylabel="posterior mean of theta")
fig.axes[0].set_xscale("log")
fig.axes[0].set_xticks(places, [str(n) for n in counts])
fig.axes[0].axhline(0.7, color=figures.GRAY, linewidth=1)
figures.show(fig, alt="Two means converge to 0.7; that of the prior 'at most 1/2' stays below 0.5.")
print("at the end, distance from 0.7: "
      + ", ".join(f"{name} {abs(values[-1] - 0.7):.5f}" for name, values in means.items()))

# %%
# eq: 1.10
for a, b, h, n in ((1, 1, 7, 10), (50, 50, 70, 100), (2, 50, 700, 1000)):
    w = (a + b) / (a + b + n)
    compromise = w * a / (a + b) + (1 - w) * h / n
    mean = bayes.conjugate(Beta(a, b), h, n).mean
    print(f"Beta({a}, {b}), {h} in {n}: w = {w:.4f}, compromise {compromise:.6f}, mean {mean:.6f}")
try:
    bayes.coin_posterior(7, 10, (grid == 0).double(), grid)  # certain that heads never happen
except ValueError as error:
    print(textwrap.fill(str(error), 88))

# %% [markdown]
# The last line shows the extreme case: under a prior that is certain of $\theta = 0$, seven heads have evidence 0,
# and (1.1) would divide by it.
#
# Now try it yourself. Left: prior, likelihood and posterior, each divided by its own peak so that all three can be seen.
# Right: where the posterior goes with more tosses. **Predict** first: how many tosses does the prior "nearly always tails",
# Beta(2, 50), need before its mean passes 0.5, if 70 % are heads?

# %%
explorer = explorers.prior_against_data()
print(explorer)
explorer

# %% [markdown]
# By (1.10), $(2 + 0.7\,n)/(52 + n) > 0.5$, so $n > 120$: at 100 tosses the mean has not passed 0.5, at 200 it has.

# %% [markdown]
# ### Detour · What does the posterior converge to, and what if the model is wrong?
#
# The fraction of heads, the truth, or something else?

# %% [markdown] topics="C015"
# **Predict.** Toss a coin with $\theta = 0.7$ a thousand
# times, and repeat the whole experiment again and again. How much does the fraction $h/n$ vary, compared with the width of
# the posterior in one experiment?

# %%
# claim: E29
rng = seeded(5)
for n in (10, 1000, 100_000):
    often, theta = torch.full((20_000,), float(n)), torch.full((20_000,), 0.7)
    heads = torch.binomial(often, theta, generator=rng)
    width = torch.tensor([bayes.conjugate(Beta(1, 1), int(h), n).var for h in heads]).sqrt().mean()
    print(f"n = {n:6}: h/n has mean {(heads / n).mean():.4f} and standard deviation "
          f"{(heads / n).std():.4f}; a posterior's is {width:.4f}")

# %% [markdown]
# At $n = 1000$ both are 0.0145. The fraction $h/n$ of one experiment is off by about as much as its posterior is
# wide: the posterior says honestly how far off it may be. As
# $n \to \infty$, the posterior converges to a point at the **true** $\theta$, and so does $h/n$, at the same rate $1/\sqrt n$.
#
# Both do *if the model is right*. That tosses are independent is an assumption. It is built into the likelihood, and so
# into the evidence and the posterior, and Bayes' rule never questions it. Take a *sticky* coin: in nine of ten tosses it
# repeats the last result. It is fair, half heads in the long run. We analyze it as if the tosses were independent, and ask
# how often the truth, 0.5, lies in the posterior's "95 % interval", mean ± 1.96 standard deviations.

# %%
rng, runs, n = seeded(6), 4000, 1000
for stay in (0.5, 0.9):  # probability of repeating the last toss; 0.5: ordinary
    toss = torch.rand(runs, generator=rng) < 0.5
    heads = toss.long()
    for _ in range(n - 1):
        repeats = torch.rand(runs, generator=rng) < stay
        toss = torch.where(repeats, toss, ~toss)  # ~ turns heads into tails
        heads += toss
    a, b = 1.0 + heads, 1.0 + n - heads
    std = (a * b / (a + b + 1)).sqrt() / (a + b)  # the posterior's standard deviation
    inside = ((a / (a + b) - 0.5).abs() < 1.96 * std).double().mean()
    print(f"repeats {stay:.0%}: posterior ± {std.mean():.4f}, h/n ± {(heads / n).std():.4f}; "
          f"95 % interval holds the truth: {inside:.1%}")

# %% [markdown]
# For the ordinary coin, 94.6 % of the intervals contain the truth, as they should. For the sticky coin only 48.3 % do: the
# posterior's standard deviation is 0.0157, while that of $h/n$ is 0.0477. More tosses or a finer grid would not help; the
# intervals would only get narrower. What helps is another likelihood.

# %% [markdown] topics="C020"
# ## 5 · Two coins, and a hidden choice
#
# Now something is hidden. Before each toss somebody takes coin 1 with probability $\alpha$ or coin 2 with probability
# $1 - \alpha$, and does not say which. The coins show heads with probabilities $p_1$ and $p_2$. You see only the results
# $x_1, \dots, x_n$ (1 for heads, 0 for tails), never the choices $z_1, \dots, z_n$, each 1 or 2. A variable like
# $z$ that takes part and is never observed is called a **latent variable**.
#
# For the likelihood, sum over everything that may have happened unseen, all lists $z = (z_1, \dots, z_n)$ of choices:
#
# $$P(x \mid p_1, p_2, \alpha) = \sum_{z \in \{1, 2\}^n}\; \prod_{i=1}^{n} P(z_i)\, P(x_i \mid z_i). \tag{1.11}$$
#
# Here $P(z_i)$ is $\alpha$ or $1 - \alpha$, and $P(x_i \mid z_i)$ is $p_{z_i}$ for heads
# and $1 - p_{z_i}$ for tails.
#
# **Predict.** How many terms does the sum have for $n = 10$ tosses? For 100? Is there a way around it?
#
# Look at two tosses. Write $A_i = \alpha\, P(x_i \mid 1)$ and $B_i = (1-\alpha)\, P(x_i \mid 2)$. The four terms are
# $A_1A_2 + A_1B_2 + B_1A_2 + B_1B_2$. And that is $(A_1 + B_1)(A_2 + B_2)$. In the same way for $n$ tosses, **the sum of
# products is a product of sums**:
#
# $$P(x \mid p_1, p_2, \alpha) = \prod_{i=1}^{n} \big[\alpha\, P(x_i \mid 1) + (1-\alpha)\, P(x_i \mid 2)\big]. \tag{1.12}$$
#
# That works because the choices are independent of each other. In each bracket, the probability of heads is
#
# $$m = \alpha\, p_1 + (1-\alpha)\, p_2, \qquad\text{so}\qquad
# P(x \mid p_1, p_2, \alpha) = m^h (1-m)^{n-h}. \tag{1.13}$$

# %%
# eq: 1.11, 1.12, 1.13
# claim: E30
p_1, p_2, alpha, h, n = 0.3, 0.9, 0.4, 7, 10
seen = torch.tensor([1] * h + [0] * (n - h))
brute = bayes.two_coin_log_likelihood_brute(seen, p_1, p_2, alpha).exp()
product = bayes.two_coin_log_likelihood(seen, p_1, p_2, alpha).exp()
m = alpha * p_1 + (1 - alpha) * p_2
print(f"all {2**n} terms: {brute:.9e}; the product: {product:.9e}; "
      f"with m: {m**h * (1 - m) ** (n - h):.9e}")
print(f"differ by less than 1e-16: {(brute - product).abs() < 1e-16}")
A, B, C, D = sp.symbols("A_1 A_2 B_1 B_2")
print("two tosses:", sp.factor(A * B + A * D + C * B + C * D))


# %% [markdown]
# The same number from $2^{10} = 1024$ terms and from 10 brackets. (For 100 tosses it would be $2^{100} \approx 10^{30}$
# terms.) Before you give up on a sum, check whether it factorizes.
#
# ### Exercise 1.5 · The product of sums
#
# Return the **logarithm** of (1.12): with a thousand tosses the product itself would be too small for the computer.
# `tosses` has shape (n,) and holds 0 and 1; the three probabilities are plain numbers; the answer is one number.
#
# <details><summary>Hint</summary>
#
# `torch.where(tosses == 1, p_1, 1 - p_1)` gives $P(x_i \mid 1)$ for every toss at once. Mix it with that of coin 2,
# then `.log()`, then `.sum()`.
#
# </details>

# %% tags=["exercise"]
def my_two_coins(tosses, p_1, p_2, alpha):
    """Return log P(x | p_1, p_2, alpha) in time proportional to n."""
    ### BEGIN SOLUTION
    with_1 = torch.where(tosses == 1, p_1, 1 - p_1).double()
    with_2 = torch.where(tosses == 1, p_2, 1 - p_2).double()
    return (alpha * with_1 + (1 - alpha) * with_2).log().sum()
    ### END SOLUTION


two_coins = check("bayes.two_coins", my_two_coins)

# %%
for n in (10, 100, 1000, 10_000):
    seen = torch.tensor([1, 1, 1, 1, 1, 1, 1, 0, 0, 0]).repeat(n // 10)
    value = two_coins(seen, 0.3, 0.9, 0.4)
    print(f"n = {n:6}: log-likelihood {value:10.2f}; brackets {n:6}, "
          f"terms of the long sum 10^{n * math.log10(2):.0f}")

# %% [markdown]
# ### Detour · When the cost is real
#
# The trick needs independent choices. A chain of dependent ones is still cheap.

# %% [markdown]
# Suppose that the person tends to keep the coin in hand, with probability 0.8: then
# $z_2$ depends on $z_1$, and (1.12) no longer holds. Even so a *chain* like this is cheap. Go from toss to toss and
# keep two numbers, the probability of all tosses so far *and* coin 1 (or 2) now in hand. With K coins that costs
# $n\,K^2$ multiplications instead of $K^n$. Only when every choice depends on many others does
# the sum become truly exponential.

# %%
coins = torch.tensor([0.3, 0.9], dtype=torch.float64)
move = torch.tensor([[0.8, 0.2], [0.2, 0.8]], dtype=torch.float64)  # row: now; column: next
seen = torch.tensor([1, 1, 0, 1, 1, 0, 1, 1, 1, 0])
fits = torch.where(seen[:, None] == 1, coins, 1 - coins)  # (10, 2): P(x_i | coin)
first = torch.tensor([0.4, 0.6], dtype=torch.float64)
so_far = first * fits[0]
for fit in fits[1:]:
    so_far = (so_far @ move) * fit  # @ adds over the coin that was in hand before
z = torch.cartesian_prod(*[torch.tensor([0, 1])] * 10)
every = first[z[:, 0]] * fits[torch.arange(10), z].prod(dim=1)
every = every * move[z[:, :-1], z[:, 1:]].prod(dim=1)
print(f"chain: {so_far.sum():.6e} with 9 · 4 products; all {len(z)} terms: {every.sum():.6e}")

# %% [markdown]
# ### Detour · What these tosses can never tell you
#
# Ten thousand tosses, 70 % heads. How well do you know $m$, $p_1$ and $\alpha$?

# %% [markdown]
# In (1.13) the three unknowns enter through $m$ *alone*. All coins with the same $m$ explain the
# data equally well, whatever $n$ is. For a belief over three unknowns, cut the unit cube into $100^3$ little boxes, with a flat
# prior, and compute the
# posterior probability of each box. (A `None` in square brackets adds an axis of length 1, so that arrays combine to all $100^3$
# combinations. `softmax` is steps 2 and 3 of exercise 1.2: exp, then divide by the sum.)

# %%
# claim: E31
k = 100
axis = (torch.arange(k, dtype=torch.float64) + 0.5) / k  # the middles of 100 slices
p_1, p_2, alpha = axis[:, None, None], axis[None, :, None], axis[None, None, :]
unknowns = {"m": alpha * p_1 + (1 - alpha) * p_2, "p_1": p_1, "alpha": alpha}


def belief_of(seen):
    """The posterior probability of each box, (k, k, k); they add to 1."""
    log_likelihood = bayes.two_coin_log_likelihood(seen, p_1, p_2, alpha)
    return log_likelihood.flatten().softmax(dim=0).reshape(k, k, k)


def moments(value, belief):
    mean = (value * belief).sum()
    return mean, ((value - mean) ** 2 * belief).sum().sqrt()


# %%
beliefs = {0: torch.full((k, k, k), 1 / k**3, dtype=torch.float64)}  # nothing seen yet
for n in (10, 1000, 10_000):
    seen = torch.tensor([1, 1, 1, 1, 1, 1, 1, 0, 0, 0]).repeat(n // 10)
    beliefs[n] = belief_of(seen)
for n, belief in beliefs.items():
    spreads = [f"{name} {moments(value, belief)[1]:.4f}" for name, value in unknowns.items()]
    print(f"n = {n:6}: standard deviation of " + ", ".join(spreads))

# %% [markdown]
# $m$ is known to 0.0046 after ten thousand tosses. $p_1$ and $\alpha$ are hardly better known than at the start: their
# standard deviations have gone from 0.289 to 0.230 and to 0.279. And there they stay: more data concentrate the posterior
# not on a point but on a **surface**, the one on which $\alpha p_1 + (1 - \alpha) p_2 = 0.7$. The parameters $p_1$, $p_2$
# and $\alpha$ are **not identifiable** from single tosses.
#
# Another experiment can tell them apart: take a coin, toss it **ten times**, put it back. Then (1.12) has one bracket for
# each row of ten, with the probability of the whole row in place of $P(x_i \mid 1)$ and $P(x_i \mid 2)$. The last panel below has
# as many tosses as the second, in rows.

# %%
rng = seeded(7)
z = torch.rand(100, 1, generator=rng) < 2 / 3  # 100 rows; coin 1, with 0.9, in two of three
rows = (torch.rand(100, 10, generator=rng) < torch.where(z, 0.9, 0.3)).long()  # else 0.3; m = 0.7
beliefs["rows"] = belief_of(rows)
titles = {10: "10 single tosses", 1000: "1000 single tosses", "rows": "100 rows of 10"}
fig, axes = figures.new(1, 3, width=8.4, height=3.1)
for ax, (which, title) in zip(axes, titles.items()):
    plane = beliefs[which].sum(dim=2)  # add over alpha: what is believed of the two coins
    ax.imshow(plane.sqrt(), origin="lower", extent=(0, 1, 0, 1), cmap="cividis")
    ax.set(title=title, xlabel="p_2, probability of heads", ylabel="p_1, probability of heads")
    ax.grid(False)
    corners = plane[:70, 70:].sum() + plane[70:, :70].sum()
    print(f"{title:>18}: P(one coin above 0.7, the other below): {corners:.3f}")
figures.show(fig, alt="Belief about p_1, p_2: two broad fields; two sharp rectangles; two spots.")

# %% [markdown]
# Bright means plausible (the square root of the density is drawn, so that faint parts show). After 1000 single tosses two
# rectangles are left: one coin above 0.7, the other below. The
# rows leave two small spots. Why two?

# %%
belief = beliefs["rows"]
for name, where in (("everywhere", belief), ("where p_1 > p_2", belief * (p_1 > p_2))):
    where = where / where.sum()
    said = [f"{n} {moments(v, where)[0]:.3f} ± {moments(v, where)[1]:.3f}"
            for n, v in (("p_1", p_1), ("p_2", p_2), ("alpha", alpha))]
    print(f"{name:>15}: " + ", ".join(said))
swapped = belief.transpose(0, 1).flip(2)  # p_1 and p_2 exchanged, alpha and 1 - alpha exchanged
print("the belief is its own mirror image:", torch.allclose(belief, swapped))


# %% [markdown]
# Because nothing in the data says which coin is *called* 1. Exchange the names, $(p_1, p_2, \alpha) \to
# (p_2, p_1, 1 - \alpha)$, and the likelihood is the same (**label switching**). Then the posterior mean is a trap: it says
# about 0.6 for both coins, and no such coin exists. Agree that coin 1 is the one with more heads, and the problem is gone: in
# the second line, the values that produced these data, 0.9, 0.3 and 2/3, all lie within one standard deviation.

# %% [markdown] topics="C019 C021"
# ## 6 · The evidence is the hard part
#
# For the two coins the evidence is an integral over three unknowns. With a flat prior on the cube,
#
# $$P(x) = \int_0^1\!\!\int_0^1\!\!\int_0^1 P(x \mid p_1, p_2, \alpha)\; dp_1\, dp_2\, d\alpha. \tag{1.14}$$
#
# A grid with $k$ points along each axis needs $k^3$ values. With $d$ unknowns it needs $k^d$: the **curse of
# dimensionality**. The alternative is **Monte Carlo**: draw the unknowns from the prior, $N$ times, and take the *mean* of the
# $N$ likelihoods. An integral against a density is an expectation:
# $\int p(\theta)\,f(\theta)\,d\theta = E_{\theta \sim p}[f(\theta)]$, the mean of the *function* $f$ over samples of $\theta$.
#
# ### Exercise 1.6 · The evidence as a mean
#
# You are given the *log*-likelihoods of $N$ samples from the prior, shape (N,). Return two numbers: the mean of the $N$
# likelihoods, which estimates the evidence, and its standard error: the standard deviation of the $N$ likelihoods,
# `.std()`, divided by $\sqrt N$.

# %% tags=["exercise"]
def my_by_draws(log_likelihood):
    """Return (evidence, its standard error) from N log-likelihoods of samples from the prior."""
    ### BEGIN SOLUTION
    likelihood = log_likelihood.exp()
    return likelihood.mean(), likelihood.std() / math.sqrt(len(likelihood))
    ### END SOLUTION


by_draws = check("bayes.monte_carlo", my_by_draws)

# %%
# eq: 1.14
# claim: E32
a, b, c = sp.symbols("p_1 p_2 alpha")
heads = c * a + (1 - c) * b
polynomial = sp.Poly(sp.expand(heads**7 * (1 - heads) ** 3), a, b, c)
exact = sum(f / ((i + 1) * (j + 1) * (k + 1)) for (i, j, k), f in polynomial.terms())
print(f"exactly:                    {float(exact):.6e}")
seen = torch.tensor([1] * 7 + [0] * 3)
for k in (10, 30, 100):
    x = (torch.arange(k, dtype=torch.float64) + 0.5) / k
    values = bayes.two_coin_log_likelihood(seen, x[:, None, None], x[None, :, None], x).exp()
    print(f"grid, {k:3}^3 = {k**3:8} values: {values.mean():.6e}")
draws = torch.rand(3, 1_000_000, generator=seeded(8), dtype=torch.float64)
estimate, stderr = by_draws(bayes.two_coin_log_likelihood(seen, *draws))
print(f"{draws.shape[1]} random samples:       {estimate:.6e} ± {stderr:.1e}")

# %% [markdown]
# The integral is 9.043356e-04: exactly by algebra (each power
# $p_1^i$ integrates to $1/(i+1)$), to 0.3 % from a grid of 1000 values, and by random samples within their standard
# error. **Three unknowns are easy.** The trouble begins with many. For the 64 pixels of a small digit, a grid with only ten
# points per axis has $10^{64}$ values. The cost of Monte Carlo does not explode like that, but the more data and unknowns,
# the narrower the region where the likelihood is not tiny, and the fewer samples hit it.
# [03 · Estimators](03_estimators.ipynb) samples more cleverly.

# %% [markdown]
# ### Detour · How fast does the cost grow?
#
# Both statements in numbers.

# %%
for d, what in ((3, "two coins"), (10, "ten unknowns"), (64, "8 x 8 pixels")):
    values = 10.0**d  # ten grid points along each axis: a coarse grid
    print(f"{what:>12}: 10 points per axis are {values:.0e} values; "
          f"at a billion a second {values / 1e9 / 3.15e7:.1e} years")
for n in (10, 1000, 100_000):
    seen = torch.tensor([1, 1, 1, 1, 1, 1, 1, 0, 0, 0]).repeat(n // 10)
    logs = bayes.two_coin_log_likelihood(seen, *draws[:, :10_000])
    estimate, stderr = by_draws(logs - logs.max())  # a common factor: else all is rounded to 0
    print(f"n = {n:6}: 10,000 samples, relative error {stderr / estimate:.3f}")

# %% [markdown]
# With 100,000 tosses the relative error of the same 10,000
# samples is 0.123, with 10 tosses it was 0.009. With many unknowns, none of them
# hits the region that counts.

# %% [markdown]
# ### Detour · "This integral cannot be solved"
#
# A normal density has no elementary antiderivative. Is that an obstacle?

# %% [markdown] topics="C022"
# No formula made of powers, exp and log has the normal density as its derivative. But that does not mean there is no number. The
# integral has a name, erf, and every computer knows it:
#
# $$\int_{-1}^{2} N(x;\, 0, 1)\, dx = \tfrac12\, \mathrm{erf}\Big(\frac{2}{\sqrt2}\Big)
# + \tfrac12\, \mathrm{erf}\Big(\frac{1}{\sqrt2}\Big). \tag{1.15}$$
#
# A common example has two unknowns, the mean $\mu$ and the variance $\sigma^2$ of a normal distribution, both known
# to lie in a box. Its evidence for data $x_1, \dots, x_n$ is, up to the flat prior's constant,
#
# $$\int_0^b \int_{-a}^{a}\; \prod_{i=1}^{n} N(x_i;\, \mu, \sigma^2)\; d\mu\; d\sigma^2. \tag{1.16}$$
#
# With $n$ data of mean
# $\bar x$, the inner integral is (1.15) again; the outer one is the area under a curve in one variable.

# %%
# eq: 1.15, 1.16
# claim: E33
x = torch.linspace(-1, 2, 3001, dtype=torch.float64)
area = bayes.integral((-(x**2) / 2).exp() / math.sqrt(2 * math.pi), x)
print(f"(1.15): grid {area:.6f}, erf {0.5 * (math.erf(2 / 2**0.5) + math.erf(1 / 2**0.5)):.6f}")
data, a, b = torch.tensor([0.3, -0.5, 1.1, 0.1], dtype=torch.float64), 2.0, 3.0
v, mu = torch.linspace(1e-4, b, 3001).double(), torch.linspace(-a, a, 801).double()
squares = ((data - mu[:, None]) ** 2).sum(dim=1)  # (801,): one sum for each mu
inside = (2 * math.pi * v[:, None]) ** -2 * (-squares / (2 * v[:, None])).exp()
by_grid = bayes.integral(bayes.integral(inside, mu), v)
center, rest = data.mean(), ((data - data.mean()) ** 2).sum()
erf = 0.5 * (torch.erf((a - center) / (v / 2).sqrt()) + torch.erf((a + center) / (v / 2).sqrt()))
inner = (2 * math.pi * v) ** -2 * (-rest / (2 * v)).exp() * (2 * math.pi * v / 4).sqrt() * erf
print(f"(1.16): grid over both {by_grid:.6f}, erf inside {bayes.integral(inner, v):.6f}")

# %% [markdown]
# Both ways give the same number. Integrals in one, two or three dimensions are a matter of milliseconds. What is hard is
# **many dimensions**.

# %% [markdown] topics="C023"
# ## 7 · The general task, and a denoiser
#
# **Bayesian inference** always has the same parts: an unknown, a prior for it, a model of how it produces data, then the
# data themselves, and the question of what to believe now. The coin made it easy to overlook two obstacles. **The likelihood
# may be hard to write down**: what is $P(X \mid \theta)$ if $X$ is a photograph? And **the evidence may be hard to
# compute**. Ways to live with that:
#
# | method | idea | where |
# |---|---|---|
# | conjugate prior | the integral has a formula | (1.8); Gaussians: [02](02_distributions.ipynb) |
# | grid | sum over all candidates | few unknowns: this chapter |
# | Monte Carlo, importance sampling | average over samples | [03](03_estimators.ipynb) |
# | **Markov chain Monte Carlo** (**MCMC**) | a random walk that leaves the posterior unchanged | a detour of [10](10_sampling_without_learning.ipynb) |
# | **variational inference** | the closest distribution of a simple family | [04](04_elbo_and_vae.ipynb) |
#
# The last two need the posterior only up to a constant factor, so they avoid the evidence. (The sampler of chapter 00 is a
# Markov chain, but not MCMC: its steps are made to *change* the distribution.)
#
# **Denoising is Bayesian inference**, too. The unknown is the clean data $x_0$; its prior is the distribution of the data. The
# fact is the noisy $x_t$; the likelihood is the noising of chapter 00, a normal distribution with mean
# $\sqrt{\bar\alpha_t}\,x_0$ and variance $1 - \bar\alpha_t$. With $q$ for all these distributions,
#
# $$q(x_0 \mid x_t) = \frac{q(x_0)\; q(x_t \mid x_0)}{q(x_t)}, \qquad
# \hat x_0 = \int x_0\; q(x_0 \mid x_t)\; dx_0. \tag{1.17}$$
#
# Here $q(x_t)$ is the evidence. The perfect denoiser of chapter 00 returns the *mean* of this posterior. Test it
# on data with two modes, for one noisy point $x_t = 0.4$, with the functions of section 2.
#
# **Predict.** Will the denoiser return one of the modes?

# %%
schedule, two_modes = schedules.cosine(T=200), ideal_denoisers.two_modes()
x_0 = torch.linspace(-3, 3, 3001, dtype=torch.float64)
prior = ideal_denoisers.log_density(two_modes, schedule, x_0[:, None], 0).exp()  # t = 0: the data
t, x_t = 120, 0.4
signal, noise = schedule.signal[t], schedule.noise[t]  # the roots of abar_t and of 1 - abar_t
likelihood = (-((x_t - signal * x_0) ** 2) / (2 * noise**2)).exp()  # its peak is 1
after = bayes.normalized(prior * likelihood, x_0)
fig = figures.curves(x_0, {"prior: the data": prior, "likelihood": likelihood, "posterior": after},
                     xlabel="x_0, data units", ylabel="density (likelihood: peak = 1)")
mean, _ = bayes.mean_and_var(after, x_0)
fig.axes[0].axvline(mean, color=figures.GRAY, linewidth=1)  # the posterior's mean
figures.show(fig, alt="Two equal modes; a broad hump; then the right mode is higher.")
print(f"t = {t}, x_t = {x_t}: the likelihood peaks at x_t / {signal:.3f} = {x_t / signal:.3f}")
print(f"probability of the right mode {bayes.integral(after[1500:], x_0[1500:]):.3f}")

# %%
# eq: 1.17
denoise = ideal_denoisers.mixture_denoiser(two_modes, schedule)  # the perfect denoiser, by formula
x0_hat = denoise(torch.tensor([[x_t]], dtype=torch.float64), t).item()
print(f"posterior mean, the gray line: {mean:.6f}; the denoiser says {x0_hat:.6f}")

# %% [markdown]
# No. The noisy point favors the right mode, but only with probability 0.661; the denoiser's answer, the posterior mean, lies
# between the modes, where there are hardly any data. A mean does not show the shape of the distribution behind it.
# For photographs $q(x_0)$ cannot be written down, and the integral has thousands of dimensions. This course teaches
# how a network learns the answer anyway.

# %% [markdown]
# ## Recap
#
# A belief is a distribution. A fact multiplies it by the likelihood, and the evidence makes its area 1 again. For ten tosses with
# seven heads and a flat prior the evidence is 1/11 and the posterior Beta(8, 4), with mean 0.6667 and standard deviation
# 0.1307. More data narrow the posterior like $1/\sqrt n$, if the model is right, if the prior has not ruled out the truth, and
# if the data can tell the candidates apart at all. The cost is in the evidence, and it comes above all from the number of
# unknowns.
#
# **One formula to keep**
#
# $$\text{posterior} = \frac{\text{prior} \times \text{likelihood}}{\text{evidence}}, \qquad
# p(\theta \mid X) = \frac{p(\theta)\, P(X \mid \theta)}{\int p(\theta')\, P(X \mid \theta')\, d\theta'}$$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | the likelihood is not a density of $\theta$ | it is the distribution of $\theta$ | its area is 0.090909 |
# | the data win where the prior has mass | whatever the prior, the posterior ends the same | it stays below 0.5, at 0.49999 |
# | independent hidden choices factorize into $n$ brackets | hidden choices cost $2^n$ terms | the same number from both |
#
# **Exercises:** 1.1 `bayes.rule` · 1.2 `bayes.posterior` · 1.3 `bayes.conjugate` · 1.4 `bayes.three_answers` · 1.5
# `bayes.two_coins` · 1.6 `bayes.monte_carlo`
#
# **To think about.** A test for a rare illness is right in 99 % of all cases, ill or well, and one person in 1000 is ill.
# Your test is positive. Use `bayes.rule` to find out how worried to be.
#
# <details><summary>Answer</summary>
#
# You are ill with probability 9 %: of 100,000 people, 99 of the 100 ill and 999 of the 99,900 well have a positive test.
#
# </details>
#
# **Before:** [00 · Start here](00_start_here.ipynb) · **Next:**
# [02 · Distributions](02_distributions.ipynb)
