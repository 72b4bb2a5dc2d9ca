# %% [markdown] topics="C133"
# # 08b · Which weights, and how many bits?
#
# Chapter 08 derived a loss in which every time step has its weight, and then dropped the weights. Was that a
# mistake? And the bound comes in nats per image, while papers print bits per dimension. How do you get from one to
# the other without an error, and what does the result tell you about a model?
#
# **After this chapter you can**
#
# - compare the weights that the bound, the simple loss and Min-SNR give to an error, whichever quantity is predicted,
# - explain why the weights may be dropped, and at what cost,
# - draw $t$ by importance sampling without changing the loss,
# - compute bits per dimension for images with gray levels, and use them to judge a model.
#
# **You need** sections 4 to 6 of [08 · What exactly is minimized?](08_bound.ipynb), and importance sampling from
# [03 · How good is a Monte Carlo answer?](03_estimators.ipynb).
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 20 seconds.
#
# **For what comes next you need** section 1 (chapters 09, 11 and 12) and sections 4 and 5 (chapter 14).
#
# **In the papers:** [Ho20] Sec. 3.3, 3.4 and 4; [ND21] Sec. 3.3; [Hang23] Sec. 3.

# %%
import math

import torch

from ddpm_lab import datasets, forward, gaussians, ideal_denoisers, losses, schedules
from ddpm_lab.course import explorers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded

schedule = schedules.linear()
print(schedule)

# %% [markdown] topics="C133"
# ## 1 · Three ways to weight one error
#
# Chapter 08 found the weight of a squared error in the bound, $\tfrac12(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)$ for a
# prediction of $x_0$. Two other choices are common. The simple loss gives every squared error of $\epsilon$ the same
# weight. **Min-SNR weighting** [Hang23] caps the weight of an $x_0$-error at $\gamma = 5$:
#
# | loss | weight of $\lVert x_0 - \hat x_0\rVert^2$ |
# |---|---|
# | the bound, `vlb` | $\tfrac12(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)$ |
# | `simple` | $\mathrm{SNR}_t$ |
# | `min_snr` | $\min(\mathrm{SNR}_t, 5)$ |
#
# By (8.18) an $\epsilon$-error is $\mathrm{SNR}_t$ times an $x_0$-error, and a $v$-error $\mathrm{SNR}_t + 1$ times.
# So the *same loss* has a different weight for each prediction type: divide the weight on $x_0$ by $\mathrm{SNR}_t$ for
# $\epsilon$, and by $\mathrm{SNR}_t + 1$ for $v$.
#
# **Predict.** Compared with the bound, does $L_{\text{simple}}$ emphasize the large times or the small ones?

# %%
t = torch.arange(2, 1001)
look = {"vlb": (figures.PURPLE, "-"), "simple": (figures.GREEN, "--"),
        "min_snr": (figures.SKY, ":")}
fig, axes = figures.new(1, 3, width=8.4, height=3)
for ax, kind in zip(axes, ("x0", "eps", "v")):
    for name, (color, dash) in look.items():
        w = losses.weight(schedule, kind, t, name)
        ax.plot(t, w / w[258], color=color, linestyle=dash, label=name)  # SNR is 1 at t = 260
    ax.set(xlabel="time t, steps", title=f"on a squared {kind}-error", yscale="log")
axes[0].set_ylabel("weight, 1 at t = 260")
axes[0].legend(fontsize=9)
figures.show(fig, alt="At small t vlb is the largest weight, min_snr the smallest.")
print(f"SNR at t = 260: {schedule.snr[260]:.3f}; at t = 2: {schedule.snr[2]:.0f}")

# %%
# claim: E102
print("weight on          t = 1   t = 100   t = 131  t = 1000")
for kind in ("x0", "eps", "v"):
    for name in ("simple", "min_snr"):
        values = losses.weight(schedule, kind, torch.tensor([1, 100, 131, 1000]), name)
        print(f"{kind:>3}, {name:>7} " + "".join(f"{v:10.4g}" for v in values.tolist()))

# %%
# claim: E20, E86
beta, alpha, abar = schedule.beta[1:], schedule.alpha[1:], schedule.abar[1:]
weights = beta / (2 * alpha * (1 - abar))  # (8.19) with sigma_t^2 = beta_t
for t in (1, 10, 100, int(weights.argmin()) + 1, 1000):
    print(f"t = {t:4}: weight on eps in the bound {weights[t - 1]:.4f}, relative to the mean "
          f"{weights[t - 1] / weights.mean():6.3f}")
print(f"largest over smallest: {weights.max() / weights.min():.0f}")

# %% [markdown]
# On an $\epsilon$-error the bound's weight (8.19), here with $\sigma_t^2 = \beta_t$, is 50.7 times its mean at $t = 1$,
# about equal to it at $t = 100$ and at $t = 1000$, and half of it in the middle. So dropping the weight takes emphasis
# away from the first hundred times, where there is little noise to remove, and gives it to the later ones. The weight
# at $t = 349$ relative to that at $t = 1$ rises by a factor of 101.
#
# A weight means nothing until you say on which error it acts. On an $x_0$-error the simple loss is far from flat: 9999 at
# $t = 1$ and 4e-05 at the end. Min-SNR has a smaller weight than the simple loss at low noise, whatever is predicted: at
# $t = 1$ it is 5, 0.0005 and 0.0005 on $x_0$, $\epsilon$ and $v$. From $t = 131$ on, where the SNR is below 5, the two are
# equal.

# %% [markdown] topics="C133 C145"
# ## 2 · Why can the weights be dropped?
#
# For each $t$ alone, a weight changes nothing: multiplied by any positive number, the squared error is smallest for the
# mean $E[x_0 \mid x_t]$. If every $t$ had a large network of its own, the weights would make no difference. A *shared*
# network has to compromise, and the weights decide in whose favor.
#
# Take the smallest shared network there is: $\hat\epsilon = w\,x_t$ with one number $w$ for all $t$, and $N(0, 1)$
# data. The best $w$ for time $t$ alone is $\sqrt{1-\bar\alpha_t}$, since $E[\epsilon\,x_t] = \sqrt{1-\bar\alpha_t}$ and
# $E[x_t^2] = 1$.
#
# **Predict.** We train the one $w$ with each of the three losses. Which loss gives the best bound, and which the
# smallest mean squared error?

# %%
# claim: E20
t = torch.arange(2, 1001)
noise, in_bound = schedule.noise[t], losses.weight(schedule, "eps", t, "vlb")


def step_terms(w):
    """Sum of L_{t-1} for eps_hat = w x_t: E(eps - w x_t)^2 = 1 - 2 w noise + w^2."""
    return (in_bound * (1 - 2 * w * noise + w**2)).sum().item()


print(f"its own w for every t:            sum of L_(t-1) {step_terms(noise):.4f} nats")
for name in ("vlb", "min_snr", "simple"):
    weight = losses.weight(schedule, "eps", t, name)
    w = ((weight * noise).sum() / weight.sum()).item()  # minimizes the weighted squared error
    error = (1 - 2 * w * noise + w**2).mean()
    print(f"one w for all, trained by {name:>7}: w = {w:.4f}, {step_terms(w):.4f} nats, "
          f"mean squared error {error:.4f}")

# %% [markdown]
# With its own $w$ for every $t$ the sum is 5.0700 nats, whichever weights are used for training. With one $w$ for all, each
# loss is best by its own measure: `vlb` by the bound, 6.8577 nats, and `simple` by the mean squared error, 0.3493.
#
# Ho et al. report the same for real networks: training with the bound's weights gives the better bound [Ho20, Table 1],
# training without them the better samples [Ho20, Table 2]. The dropped weights emphasize noise that no eye can see.
#
# Is minimizing the squared error maximum likelihood, then? For one step, with a fixed $\sigma_t$ and the weight
# $1/(2\sigma_t^2)$ on the error of the mean, it is: minus the log of a Gaussian density is a squared error plus a constant
# ([03](03_estimators.ipynb)). The sum over all steps is then the bound, and $L_{\text{simple}}$ is a *reweighted* bound.

# %% [markdown] topics="C073 C074 C130 C131 C132 C134"
# ## Detour · The same loss without the posterior
#
# You may have seen the loss derived with *two* noises per image. This direct derivation leads to the same loss, and it
# shows once more why a mean that can be computed analytically should be.

# %% [markdown]
# ### The KL of two joint distributions
#
# Minimize the KL divergence between the joint distributions of the forward and the reverse chain:
#
# $$\mathrm{KL}\big(q(x_{0:T}) \,\|\, p(x_{0:T})\big)
# = \sum_{t=1}^{T} E\big[-\log p(x_{t-1} \mid x_t)\big] + E\big[-\log p(x_T)\big] - H\big(q(x_{0:T})\big). \tag{8.21}$$
#
# Only the first sum depends on the model. (The goal is the same: since $q(x_{0:T}) = q(x_0)\,q(x_{1:T} \mid x_0)$, the
# left side is the mean of the bound (8.11) minus the entropy of the data.) The KL divergence *equals* the sum plus a
# constant, and the constant is huge. For the exact model of $N(0, 1)$ data:

# %%
# eq: 8.21
# claim: E12
half = 0.5 * math.log(2 * math.pi * math.e)  # entropy of N(0, 1)
step_entropies = half + 0.5 * schedule.beta[1:].log()  # N(·, beta_t), forward as well as reverse
first_sum = step_entropies.sum()  # E[-log p(x_{t-1} | x_t)] of the exact model
joint_entropy = half + step_entropies.sum()  # of x_0, and of every step given the one before
print(f"sum of E[-log p(x_(t-1) | x_t)]: {first_sum:.1f} nats")
print(f"plus E[-log p(x_T)] = {half:.4f}, minus the joint entropy {joint_entropy:.1f}: "
      f"KL = {abs(first_sum + half - joint_entropy):.4f}")

# %% [markdown]
# The KL is 0 and the sum is −1024.6.
#
# ### One term, two noises
#
# The mean in $E[-\log p(x_{t-1} \mid x_t)]$ is over all of $x_{0:T}$, but only two variables occur in it. Integrate out
# the others. The later ones, $x_{t+1:T}$, integrate to 1, because each $q(x_{k+1} \mid x_k)$ is normalized. The earlier
# ones, $x_{1:t-2}$, turn the product of the first steps into $q(x_{t-1} \mid x_0)$, by the closed form (5.11). So draw
# $x_0$, jump to $x_{t-1}$, and take one step to $x_t$. That needs two noises, $\bar\epsilon$ for the jump and
# $\epsilon_t$ for the step (at $t = 1$ there is no jump: $x_{t-1}$ is $x_0$ itself). By (7.14) the step can be solved
# for $x_{t-1} = (x_t - \sqrt{\beta_t}\,\epsilon_t)/\sqrt{\alpha_t}$. Give the model the same form, with
# $\epsilon_\theta(x_t)$ in place of $\epsilon_t$, and a variance $\sigma_t^2$. In $D$ dimensions
#
# $$E\big[-\log p(x_{t-1} \mid x_t)\big] = \frac{\beta_t}{2\alpha_t\sigma_t^2}\,E\|\epsilon_t - \epsilon_\theta\|^2
# + \frac D2\log(2\pi\sigma_t^2), \tag{8.22}$$
#
# $$x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{\alpha_t(1-\bar\alpha_{t-1})}\;\bar\epsilon + \sqrt{\beta_t}\;\epsilon_t. \tag{8.23}$$
#
# The second part of (8.22) is a constant **as long as $\sigma_t$ is fixed**. If you learn $\sigma_t$, keep it:
# without it, going from $\sigma = 1$ to $\sigma = 2$ at a squared error of 1 lowers the loss from 0.500 to 0.125;
# with it, the loss rises from 1.4189 to 1.7371.

# %%
# eq: 8.22, 8.23
t, count, rng = 500, 1_000_000, seeded(89)
x_0, eps_bar, eps_t = (normal_like(torch.empty(count).double(), generator=rng) for _ in range(3))
beta_t, alpha_t = schedule.beta[t], schedule.alpha[t]
x_s = schedule.signal[t - 1] * x_0 + schedule.noise[t - 1] * eps_bar
x_t = (schedule.signal[t] * x_0 + (alpha_t * (1 - schedule.abar[t - 1])).sqrt() * eps_bar
       + beta_t.sqrt() * eps_t)
model = (x_t - beta_t.sqrt() * 0.5 * x_t) / alpha_t.sqrt()  # eps_theta = x_t / 2, for example
left = -torch.distributions.Normal(model, beta_t.sqrt()).log_prob(x_s)
right = (eps_t - 0.5 * x_t) ** 2 / (2 * alpha_t) + 0.5 * (2 * math.pi * beta_t).log()
step = draw(forward.transition(schedule, x_s[:, None], t - 1, t), eps_t[:, None])[:, 0]
print(f"(8.23) is the step of the chain: {torch.allclose(x_t, step)}; "
      f"(8.22) holds on every path: {torch.allclose(left, right)}")

# %%
# claim: E26
for std in (1.0, 2.0):
    whole = 0.5 / std**2 + 0.5 * math.log(2 * math.pi * std**2)
    print(f"squared error 1, sigma {std:.0f}: {0.5 / std**2:.3f}, with the log {whole:.4f}")

# %% [markdown]
# ### Rotate the two noises into one
#
# $x_t$ contains only a weighted sum of the two noises, so that is all a network can see. Therefore we **rotate** the
# pair. With $a^2 = \alpha_t(1-\bar\alpha_{t-1})/(1-\bar\alpha_t)$ and $b^2 = \beta_t/(1-\bar\alpha_t)$, whose sum is 1,
#
# $$\epsilon = a\,\bar\epsilon + b\,\epsilon_t, \qquad \omega = b\,\bar\epsilon - a\,\epsilon_t
# \qquad\Longrightarrow\qquad \epsilon_t = b\,\epsilon - a\,\omega. \tag{8.24}$$
#
# A rotation (here with one sign flipped) turns independent standard normals into independent standard normals. All of
# the noise in $x_t$ is $\epsilon$; $\omega$ does not occur in $x_t$ at all, so we can average over it analytically.
# It has mean 0 and $E\|\omega\|^2 = D$:
#
# $$E\|\epsilon_t - \epsilon_\theta\|^2 = E\|b\,\epsilon - a\,\omega - \epsilon_\theta\|^2
# = b^2\,E\Big\|\epsilon - \frac{\epsilon_\theta}{b}\Big\|^2 + a^2 D. \tag{8.25}$$
#
# So we can regress on the *whole* noise $\epsilon$, with the network scaled by $1/b =
# \sqrt{1-\bar\alpha_t}/\sqrt{\beta_t}$. A network that predicts $\epsilon$ itself is $\hat\epsilon =
# \epsilon_\theta/b$. Its weight in (8.22) is $b^2\beta_t/(2\alpha_t\sigma_t^2)$, which is (8.19) again.
#
# **Predict.** The two squared errors in (8.25) have the same minimizer. Does it matter which of them you train on?

# %%
# eq: 8.24, 8.25
b = (beta_t / (1 - schedule.abar[t])).sqrt()
a = (1 - b**2).sqrt()
eps, omega = a * eps_bar + b * eps_t, b * eps_bar - a * eps_t
print(f"correlation of eps and omega {torch.corrcoef(torch.stack([eps, omega]))[0, 1]:+.4f}; "
      f"eps_t is b eps - a omega: {torch.allclose(eps_t, b * eps - a * omega, atol=1e-9)}")
w = torch.tensor(0.5, dtype=torch.float64)  # the network: eps_hat = w x_t, eps_theta = b w x_t
two, one = (eps_t - b * w * x_t) ** 2, b**2 * (eps - w * x_t) ** 2
print(f"(8.25): two noises {two.mean():.4f}; one noise {one.mean():.5f} + a² {a**2:.4f} "
      f"= {one.mean() + a**2:.4f}")

# %%
# claim: E04, E11
slopes = {"two noises": -2 * (eps_t / b - w * x_t) * x_t, "one noise": -2 * (eps - w * x_t) * x_t}
for name, slope in slopes.items():  # d/dw of the loss, divided by b²
    print(f"{name}: gradient {slope.mean():.3f} ± {slope.std() / count**0.5:.3f}, "
          f"variance {slope.var():.2f}")
print(f"ratio of the variances: {slopes['two noises'].var() / slopes['one noise'].var():.0f}")
print(f"ratio of the weights, 1/b²: {1 / b**2:.1f}")

# %% [markdown]
# The expected gradient is the same, but its variance is not: 365 against 2. At $t = 500$ you would need 182 times as many
# images for the same precision. This is the Rao–Blackwellization of chapter 08 once more: the posterior takes the
# mean over $x_{t-1}$ given $x_t$ and $x_0$, which is the mean over $\omega$. The two routes are the same idea.
#
# Be careful with the weight: if you keep the factor of (8.22) but regress on the whole $\epsilon$, the weight is too
# large by a factor of $1/b^2$, which is 91.8 at $t = 500$.

# %% [markdown] topics="C188"
# ## 3 · How should $t$ be drawn?
#
# Training with the bound's weights, or computing the bound itself, means estimating a sum of 999 terms from one
# random $t$. Here are these terms for $N(0, 1)$ data and variance $\tilde\beta_t$. The error $x_0 - \hat x_0$ of the
# ideal denoiser is normal with variance $1 - \bar\alpha_t$, so each term is known.

# %%
every = torch.arange(2, 1001)
term = losses.weight(schedule, "x0", every, "vlb") * (1 - schedule.abar[every])
fig, ax = figures.new(height=2.6)
ax.plot(every, term, color=figures.GRAY)
ax.set(xscale="log", yscale="log", xlabel="time t, steps", ylabel="$E[L_{t-1}]$, nats")
figures.show(fig, alt="A term falls from 0.6 nats at t = 2 by six decades until t = 1000.")
part = term.cumsum(0) / term.sum()
print(f"t = 2: {term[0]:.3f} nats, t = 1000: {term[-1]:.1e}, sum {term.sum():.4f}; "
      f"{part[8]:.0%} of it at t <= 10, {part[98]:.0%} at t <= 100")

# %% [markdown]
# The terms differ by six orders of magnitude, so uniform samples mostly pick terms that are nearly 0. Importance
# sampling draws the large ones more often, with probabilities $p_t$.
#
# ### Exercise 8.4 · Draw the large terms more often
#
# `t` holds the times that were drawn, `loss` holds the term at each of them, and `p[t]` is the probability of drawing
# time $t$ (`p` has an entry for every time from 0 on). Return one estimate of the **sum** of all terms for each draw.
# Its expected value must be the sum, whatever `p` is. By what must a term be multiplied? (Check: for uniform draws of
# $t = 2, \dots, 1000$ your factor must be 999.)

# %% tags=["exercise"]
def my_importance(loss, t, p):
    """Return one estimate of the sum of all terms for each drawn time, shape (N,)."""
    ### BEGIN SOLUTION
    return loss / p[t]
    ### END SOLUTION


importance = check("bound.importance", my_importance)

# %% [markdown]
# In one line,
#
# $$\sum_{t=2}^{T} L_{t-1} = \sum_{t=2}^{T} p_t\,\frac{L_{t-1}}{p_t} = E_{t \sim p}\Big[\frac{L_{t-1}}{p_t}\Big]. \tag{8.26}$$
#
# In training, each term is itself a random number $\ell_t$ with mean $L_{t-1}$, from one image and one noise. The
# estimate $\ell_t/p_t$ has the smallest variance for $p_t \propto \sqrt{E[\ell_t^2]}$ [ND21, Sec. 3.3]. Here
# $\ell_t = E[L_{t-1}]\,z^2$ with a standard normal $z$, so this is proportional to the mean of the term.
#
# **Predict.** We use this best $p_t$, but forget the factor $1/p_t$ and multiply by 999 as for uniform draws. Is the
# result too large or too small?

# %%
# eq: 8.26
# claim: E17
uniform, best = (torch.cat([torch.zeros(2).double(), v / v.sum()]) for v in (torch.ones(999), term))
print(f"the sum: {term.sum():.4f} nats; (8.26) holds: "
      f"{[round(float((p[2:] * importance(term, every, p)).sum()), 4) for p in (uniform, best)]}")
rng = seeded(90)
for name, p in (("uniform", uniform), ("importance", best)):
    t = torch.multinomial(p, 400_000, replacement=True, generator=rng)
    z = normal_like(torch.empty(400_000, dtype=torch.float64), generator=rng)
    loss = losses.weight(schedule, "x0", t, "vlb") * (1 - schedule.abar[t]) * z**2
    each = importance(loss, t, p)
    print(f"{name}: {each.mean():.3f} ± {each.std() / 400_000**0.5:.3f}, one draw ± "
          f"{each.std():.1f}; with the factor 999 instead {999 * loss.mean():.1f}")
theory = [((3 * term**2 / p[2:]).sum() - term.sum() ** 2).item() for p in (uniform, best)]
print(f"in theory: ± {theory[0]**0.5:.1f} and ± {theory[1]**0.5:.1f}, ratio of variances "
      f"{theory[0] / theory[1]:.0f}")

# %% [markdown]
# Both are right on average, and importance sampling has 1/39 of the variance. (The theory uses $E[z^4] = 3$. The
# measured 48.5 is above its 44.8, because with uniform draws a few huge terms dominate.) With the factor 999 in place of
# $1/p_t$ you get 133 instead of 5.07, which is far too large. In training, this would not be a better estimate of
# the bound but a loss with *different weights*. Importance sampling of $t$ is a technique for training with the bound's
# weights, or for computing the bound; it does not change how images are sampled.

# %% [markdown] topics="C135"
# ## 4 · The last step, and what a pixel costs
#
# $L_0 = E[-\log p(x_0 \mid x_1)]$ is not of the form (8.17). At $t = 1$ the posterior is a single point, with weight 1 on
# $x_0$, weight 0 on $x_1$ and variance 0. So the model needs a variance of its own, $\sigma_1^2 > 0$. This package
# uses $\beta_1$; the published DDPM code uses $\tilde\beta_2$.

# %%
# claim: E65
unit_x = torch.ones(1, 1, dtype=torch.float64)
for name, x_0, x_1 in (("x_0", unit_x, 0 * unit_x), ("x_1", 0 * unit_x, unit_x)):
    q = forward.posterior(schedule, x_0, x_1, 1, 0)
    print(f"weight of {name} at t = 1: {q.mean.item():.4f}, variance {q.var.item():.4f}")
print(f"beta_1 = {schedule.beta[1]:.2e}, tilde beta_2 = {schedule.posterior_var[2]:.2e}")
decoder = 0.5 * (2 * math.pi * math.e * schedule.beta[1]).log()  # of the exact model
print(f"N(0, 1) data, data units:    L_0 = {decoder:.4f} nats")
print(f"the same, in gray levels of 0 … 255: {decoder + math.log(127.5):.4f} nats")

# %% [markdown]
# With a Gaussian density, $L_0$ is again a squared error, $\|x_0 - \hat x_0\|^2/(2\sigma_1^2)$, plus a constant; in this
# sense it joins the other terms. But minus a log density is not a number of bits. It can be negative, and it depends
# on the unit: measured in gray levels from 0 to 255, the same model costs $\log 127.5$ nats more per number. Neither
# value means anything without its unit.
#
# Pixel values are integer gray levels, and a *level* has a probability: that of its interval. The $n$ levels are evenly
# spaced from −1 to 1. Each gets the interval that reaches half a level to either side, and the first and the last also get
# the tails, so that the probabilities add up to 1. This is the **discretized Gaussian decoder** of [Ho20, Eq. 13]. With
# half a level $h = 1/(n-1)$ and the cumulative distribution function $\Phi$ of $N(0, 1)$,
#
# $$P(x) = \Phi\Big(\frac{x + h - \mu}{\sigma}\Big) - \Phi\Big(\frac{x - h - \mu}{\sigma}\Big),
# \tag{8.27}$$
#
# where the first $\Phi$ is replaced by 1 if $x = 1$, and the second by 0 if $x = -1$.
#
# ### Exercise 8.5 · What a pixel costs
#
# `mean` and `x` hold one number for each pixel, and `var` is one variance for all. Return what each pixel costs:
# minus the log of its level's probability under $N(\text{mean}, \text{var})$, in nats. `torch.special.ndtr` is
# $\Phi$.

# %% tags=["exercise"]
def my_pixel_cost(mean, var, x, levels):
    """Return what each gray level x costs under N(mean, var), nats, shape (N,)."""
    ### BEGIN SOLUTION
    half = 1 / (levels - 1)
    upper = torch.where(x > 1 - half, torch.inf, (x + half - mean) / var.sqrt())
    lower = torch.where(x < -1 + half, -torch.inf, (x - half - mean) / var.sqrt())
    return -(torch.special.ndtr(upper) - torch.special.ndtr(lower)).log()
    ### END SOLUTION


pixel_cost = check("bound.pixel_cost", my_pixel_cost)

# %% [markdown]
# ### Exercise 8.6 · Bits per dimension
#
# Papers print **bits per dimension**: the negative log-likelihood (or its bound) of an image in bits, divided by the
# number of its values. `nats` holds the bound of each image of a batch, `x` the images. Return bits per dimension,
# one number for each image. (A color image of 32 × 32 pixels has 3072 dimensions.)

# %% tags=["exercise"]
def my_bits_per_dim(nats, x):
    """Return the bound in bits for each number of an image, shape (B,)."""
    ### BEGIN SOLUTION
    return nats / (x[0].numel() * math.log(2))
    ### END SOLUTION


bits_per_dim = check("bound.bits_per_dim", my_bits_per_dim)

# %% [markdown]
# Here is a test for any such code: 8-bit pixels, all 256 levels equally likely.
#
# **Predict.** How many bits per dimension does the best model need? And a model that puts one Gaussian on every
# pixel?

# %%
# eq: 8.27
levels = torch.linspace(-1, 1, 256, dtype=torch.float64)
uniform_nats = torch.full((1,), 64 * math.log(256))  # an image of 64 such pixels
print(f"counting: {bits_per_dim(uniform_nats, torch.zeros(1, 1, 8, 8)).item():.3f} bits/dim")
height = 1 / (2 + 2 / 255)  # uniform density from half a level below -1 to half a level above 1
print(f"uniform density times width of a level: {-math.log2(height * 2 / 255):.3f} bits/dim")
for var in (0.1, 0.3, 0.5, 1.0):
    var, zero = torch.tensor(var, dtype=torch.float64), torch.zeros_like(levels)
    cost = pixel_cost(zero, var, levels, 256)
    package = gaussians.pixel_log_prob(Gaussian(zero[:, None], var), levels[:, None])
    print(f"N(0, {var:.1f}): probabilities add to {(-cost).exp().sum():.6f}; "
          f"{bits_per_dim(cost, levels[:, None]).mean():.3f} bits/dim; as in the package: "
          f"{torch.allclose(-cost, package, rtol=1e-9)}")

# %% [markdown]
# Exactly 8.000 bits: each of 256 equally likely levels takes one byte. A Gaussian needs more, whatever its width. If your
# code gives the uniform distribution anything but 8.000, look for mixed-up units: nats for bits, an image for
# a pixel, or densities on another scale.
#
# $L_{\text{simple}}$ treats $t = 1$ like any other time. That replaces (8.27) by the density times the width of
# a level, and ignores both tails and $\sigma_1$ [Ho20, Sec. 3.4].
#
# ### Try it yourself: where are the bits?
#
# The explorer adds up the bound of the ideal denoiser of the 896 digits, from $t = T$ down, for the schedule and the number
# of steps that you choose. No perfect model can do with less than the bits that say *which* of the digits it is.
#
# **Predict.** At which times are most of the bits spent? What makes the bound larger if $T$ is too small?

# %%
explorer = explorers.where_the_bits_are()
print(explorer)
explorer

# %%
for name, T in (("linear", 1000), ("linear", 100), ("cosine", 1000), ("cosine", 100)):
    said = explorer.describe(schedule=name, T=T).split("? ", 1)[1]
    print(said.split(" bits/dim")[0])
said = explorer.describe(percent=20).split(". ")[-1], explorer.describe(percent=40).split(". ")[-1]
print(f"linear, T = 1000\n  {said[0]}\n  {said[1]}")

# %% [markdown]
# Neither the noisiest times nor the cleanest: with `linear` the times from 20 to 40 % of $T$ cost 60 % of all bits, because
# there it is decided which digit it will be. With 100 of its steps the chain does not reach noise, and $L_T$ costs 0.25
# bits per dimension. With 100 steps of `cosine` it is the last step, $L_0$, and the longer steps that cost a little more.

# %% [markdown]
# ## 5 · Bits per dimension as a judge
#
# In chapter 08 a new digit cost 926 bits per pixel under the ideal denoiser of the 896 training digits. The remedy is
# to allow for new digits *near* the old ones: put an isotropic Gaussian of standard deviation $h$ around each training
# digit. That is a mixture, and its ideal denoiser is available. We use every tenth time only, from $t = 20$ on, so that
# $\sigma_1$ of the last step is about half a gray level.
#
# **Predict.** As $h$ grows from 0, how does the bound change, for training digits and for new ones?

# %%
train, test = (datasets.digits(split)[0].double() for split in ("train", "test"))
short = schedules.respaced(schedule, [*range(1000, 10, -10), 0])
print(f"sigma_1 = {short.beta[1].sqrt():.3f}, half a gray level = {1 / 16:.4f}")


def smoothed_bits(h, x_0):
    """Bits per pixel for x_0; every training digit gets a Gaussian of standard deviation h."""
    equal = torch.full((len(train),), 1 / len(train), dtype=torch.float64)
    mixture = ideal_denoisers.Mixture(equal, train.flatten(1), torch.full_like(equal, h**2))
    denoise = ideal_denoisers.mixture_denoiser(mixture, short)
    terms = losses.bound(short, denoise, x_0, generator=seeded(4), levels=17, var="large")
    return bits_per_dim(terms.total, x_0)


print(f"h = 0: new digits {smoothed_bits(0.0, test[:50]).mean():.1f} bits/pixel")

# %%
widths = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 1.0)
judged = {"training digits": [], "new digits": []}
for h in widths:
    judged["training digits"].append(smoothed_bits(h, train[:50]).mean())
    new = smoothed_bits(h, test[:50])
    judged["new digits"].append(new.mean())
    print(f"h = {h:4}: training digits {judged['training digits'][-1]:6.3f}, "
          f"new digits {new.mean():6.3f} ± {new.std() / 50**0.5:.3f} bits/pixel")

# %%
shown = {name: torch.stack(values) for name, values in judged.items()}
fig = figures.curves(widths, shown, xlabel="width h of each Gaussian, data units",
                     ylabel="bits per pixel", ylim=(0, 12), height=3)
fig.axes[0].axhline(math.log2(17), color=figures.GRAY, linestyle=":", label="knowing nothing")
fig.axes[0].legend(fontsize=9)
figures.show(fig, alt="The bound rises with h for training digits; it falls, then rises for new.")
best = int(shown["new digits"].argmin())
print(f"best width for new digits: h = {widths[best]}, {shown['new digits'][best]:.2f} bits/pixel")
# a table: for every pixel, how often each level occurs in training, plus one (so none is 0)
ink = ((train + 1) * 8).round().long().flatten(1)  # levels 0 … 16
table = torch.stack([(ink == k).sum(0) for k in range(17)]) + 1.0
cost = -(table / table.sum(0)).log2().gather(0, ((test + 1) * 8).round().long().flatten(1))
print(f"for comparison, a table of each pixel's gray levels: {cost.mean():.2f} bits/pixel")

# %% [markdown]
# For training digits the bound only rises with $h$: nothing beats memorization on the data that were memorized. For new
# digits it has a minimum, 3.03 bits per pixel at $h = 0.3$, where the two curves are much closer. (At $h = 0$ it is now
# 14.4 and not 926, because the last step has a larger variance and so forgives more.) The 3.03 bits are less than knowing
# nothing costs, 4.09, and more than a plain table of how often each pixel has each gray level, 2.43! Isotropic
# Gaussians do not know that pixels near the edge are nearly always blank. (Two cautions: ours is an upper bound,
# while the table's value is exact. And we chose $h$ on the digits that we evaluate on, which flatters it a little.)
#
# Bits per dimension compare models of all kinds. Whether they also tell which model makes better *images* is another
# question, for chapter 14.

# %% [markdown] topics="C111"
# ## Detour · Is there a best schedule?
#
# For the bound there is half an answer: with many steps only the two ends of a schedule matter.

# %% [markdown]
# By (8.17) each step costs half the fall of SNR times the *minimum mean squared error* (mmse), what even a perfect
# denoiser misses. The sum over the steps is a Riemann sum. With ever more steps between the same ends it becomes an
# integral over SNR [Kin21, Sec. 5],
#
# $$\sum_{t=2}^{T} \tfrac12(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)\,\mathrm{mmse}(\mathrm{SNR}_t)
# \;\longrightarrow\; \tfrac12\int_{\mathrm{SNR}_T}^{\mathrm{SNR}_1} \mathrm{mmse}(r)\,dr, \tag{8.28}$$
#
# and the integral does not depend on how fast the SNR falls, and where. For $x_0 \sim N(0,1)$ the mmse is
# $\mathrm{Var}(x_0 \mid x_t) = 1-\bar\alpha_t = 1/(1+\mathrm{SNR}_t)$, and the integral is
# $\tfrac12\log\frac{1+\mathrm{SNR}_1}{1+\mathrm{SNR}_T}$: the information that is lost on the way, (6.10) in nats.
#
# **Predict.** Take two paths of $\lambda$, the log-SNR, from 8 to −8: a straight line, and the S of exercise 6.8, which
# falls slowly, then fast, then slowly. Which sum is smaller with 16 steps? With 4096?

# %%
# eq: 8.28
# claim: E25
def terms(lam):
    """The terms of (8.28) for x_0 ~ N(0, 1), nats."""
    snr = lam.exp()
    return 0.5 * (snr[:-1] - snr[1:]) / (1 + snr[1:])


for K in (8, 16, 32, 64, 256, 4096):
    u = torch.linspace(0, 1, K + 1, dtype=torch.float64)
    line, wave = terms(8 - 16 * u), terms(8 * torch.cos(math.pi * u))
    # K times one random term estimates the sum; "scatter" is the standard deviation of that.
    print(f"{K:4} steps: line {float(line.sum()):8.4f}, S {float(wave.sum()):8.4f} nats;"
          f"  scatter {float(K * line.std()):6.2f}, {float(K * wave.std()):6.2f}")
ends = torch.tensor([8.0, -8.0], dtype=torch.float64).exp()
print(f"the integral: {float(-0.5 * ends.log1p().diff()):.4f} nats")

# %% [markdown]
# With 16 steps the line is smaller, 6.4438 nats against 7.1687 for the S. With 4096 both are close to the integral,
# which is 4.0000: 4.0068 and 4.0082.
#
# So with many steps only the two *ends* matter for the bound. How many steps are best? For the bound of a perfect
# denoiser, adding stops between the old ones never makes it worse, because the mmse falls as SNR grows; each row
# of the table keeps the stops of the row before. (For discrete data the question is different; chapter 17b
# takes it up.)
#
# The *terms* do differ, and a training step looks at one random $t$: such an estimate of the sum has a standard
# deviation of 3.47 for the line and 4.18 for the S at 4096 steps. [Kin21] therefore *learns* its schedule, the
# ends to improve the bound and the path between them to reduce this variance ([17](17_beyond.ipynb) does so in a detour).
# Others let the schedule depend on the image, or on the task. For few steps, and for the quality of samples, the path does
# matter, and schedules are still found by trial. A universally best one is not known.

# %% [markdown]
# ## Popular claims, checked
#
# - **The simple loss is a reweighted bound.** "The squared error is maximum likelihood" needs a fixed $\sigma_t$ and the
#   weight of (8.19), which ranges from 50.7 to 0.5 times its mean.
# - **The joint KL equals the sum of the terms plus a constant**, and is not proportional to it: it is 0
#   where the sum is −1024.6 (in the detour).
# - **Importance sampling of $t$ needs the factor $1/p_t$**: 5.07 with it, 133 without.

# %% [markdown]
# ## Recap
#
# The bound, the simple loss and Min-SNR weight the same squared error differently, and the weight depends on what is
# predicted. With a network for each time that would change nothing; in a shared network the simple loss moves emphasis
# from invisible noise to what one can see. To estimate a sum from one random term, divide by its probability. The last
# step needs its own variance, and pixels need the probability of a level. Then the bound is a number of bits, by which
# any model can be judged.
#
# **One formula to keep**
#
# $$\text{bits per dimension} = \frac{L_T + \sum_t L_{t-1} + L_0}{D \log 2}$$
#
# **Exercises:** 8.4 `bound.importance` · 8.5 `bound.pixel_cost` · 8.6 `bound.bits_per_dim`
#
# **Before:** [08 · What exactly is minimized?](08_bound.ipynb) · **Next:** [09 · x0, eps, v, score: which should a
# network predict, and does it matter?](09_predictions.ipynb)
#
# **Read on:** [Ho20] Sec. 3.4 and 4; [ND21] Sec. 3 for learned variances and importance sampling; [Hang23] for Min-SNR;
# [Kin21] Sec. 5 for what the weights mean in continuous time.
