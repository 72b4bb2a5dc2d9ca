# %% [markdown]
# # 07b · How much noise should a step back add?
#
# A step back is a mean plus noise. Chapter 07 settled the mean; the noise looks like a detail. But if a sampler
# adds the wrong amount of noise, even a perfect denoiser yields samples that are too narrow or too wide. Which amount
# is right? The DDPM paper offers two answers, and says that both work. This chapter derives both, and shows for which
# data each is exact and when the choice matters.
#
# **After this chapter you can**
#
# - distinguish the noise of the last step from all the noise in $x_t$,
# - write the mean of a reverse step with the score, and state Tweedie's formula,
# - derive the best variance of a reverse step from the law of total variance,
# - say for which data $\tilde\beta_t$ and $\beta_t$ are optimal, and when a learned variance pays off.
#
# **You need** [07](07_posterior.ipynb) up to (7.13), without the detours, and (5.12) of
# [05](05_forward.ipynb), which splits the noise in $x_t$ into old and new.
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 20
# seconds.
#
# **For what comes next you need** the score (7.17) in [09](09_predictions.ipynb), the two variances in
# [10](10_sampling_without_learning.ipynb), and the best variance (7.21) in [15](15_fast_and_guided.ipynb).
#
# **In the papers:** [Ho20] Sec. 3.2; [ND21] Sec. 3.1; [Bao22] for the best variance.

# %%
import math

import sympy as sp
import torch

from ddpm_lab import forward, ideal_denoisers, samplers, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded
from ddpm_lab.schedules import coef, row

schedule = schedules.linear()
data = ideal_denoisers.two_modes()  # two bumps of equal weight, at -0.97 and +0.97
denoise = ideal_denoisers.mixture_denoiser(data, schedule)  # E[x_0 | x_t], exactly
print(schedule)

# %% [markdown] topics="C114 C122"
# ## A first look: one denoiser, three amounts of noise
#
# A step back samples from $N(\mu, \sigma^2 I)$: it computes $\mu + \sigma z$ with $z \sim N(0, I)$. Note the
# square root: $\sigma^2$ is the variance, and $z$ is multiplied by the standard deviation $\sigma$. At $t = 1000$
# the factor is 0.1414, not 0.0200.
#
# **Predict.** Three samplers use the same optimal denoiser and take all 1000 steps. The first has the posterior's
# variance $\tilde\beta_t$. The second forgets the square root and computes $\mu + \tilde\beta_t\,z$. The third
# doubles the variance. Does any of them lose one of the two bumps? What happens to the width of a bump?

# %%
# claim: E115
def with_variance(change):
    """The step of DDPM with the variance change(var) instead of var."""
    def step(schedule, x_t, x0_hat, t, s):
        p = samplers.ddpm_step(schedule, x_t, x0_hat, t, s)
        return Gaussian(p.mean, change(p.var))
    return step


x_T = normal_like(torch.empty(2000, 1, dtype=torch.float64), generator=seeded(1))
results = {}
changes = {"right": lambda v: v, "root forgotten": lambda v: v**2, "doubled": lambda v: 2 * v}
for name, change in changes.items():
    film = samplers.reverse(schedule, denoise, x_T, step=with_variance(change), generator=seeded(2))
    results[name] = x = samplers.final(film)
    print(f"{name:>14}: {len(x[x > 0])} of 2000 right of 0, with std {x[x > 0].std():.3f}")
print(f"      the data: std {data.var[1].sqrt():.3f} in each bump")

# %%
places = torch.linspace(-2, 2, 401, dtype=torch.float64)[:, None]
target = ideal_denoisers.log_density(data, schedule, places, 0).exp()
fig, axes = figures.new(1, 3, width=8.4, height=2.6, sharex=True)
for ax, (name, samples) in zip(axes, results.items()):
    bars, *_ = ax.hist(samples[:, 0], 90, (-2, 2), True, color=figures.SKY, label="samples")
    ax.plot(places, target, color=figures.GRAY, label="data")
    ax.set(title=name, xlabel="x_0, data units", xlim=(-2, 2), ylim=(0, 1.4 * bars.max()))
    print(f"{name:>14}: highest bar {bars.max():.2f}, data density up to {target.max():.2f}")
axes[0].set_ylabel("density")
axes[0].legend(fontsize=9, loc="upper center")
figures.show(fig, alt="Right: as wide as the data. Root forgotten: two needles. Doubled: too wide.")

# %%
# claim: E41, E71, E113
for t in (2, 500, 1000):
    var = schedule.posterior_var[t]
    print(f"t = {t:4}: variance {var:.4g}, std {var.sqrt():.4f}, beta / variance "
          f"{schedule.beta[t] / var:.3f}")

# %% [markdown]
# None loses a bump; the denoiser takes care of that. But the widths are 0.237, 0.070 and 0.317, where the data have
# 0.243: too little noise gives needles, too much gives smeared bumps. Nothing crashes, and the samples stay near the
# data. To catch such a mistake, test a sampler on data whose distribution you know.
#
# In one misprint of $\tilde\beta_t$, $1-\bar\alpha_{t-1}$ stands in the denominator, too. It cancels, and
# $\beta_t$ is left: 2.199 times $\tilde\beta_t$ at $t = 2$, and hardly different at $t = 500$. Yet some papers choose
# $\beta_t$ on purpose. By the end of the chapter you will know when that is right.

# %% [markdown] topics="C120"
# ## Why not simply undo the last step?
#
# The step forward can be solved for $x_{t-1}$, without Bayes' rule:
#
# $$x_t = \sqrt{\alpha_t}\,x_{t-1} + \sqrt{\beta_t}\,\epsilon_t
# \quad\Longrightarrow\quad
# x_{t-1} = \frac{x_t - \sqrt{\beta_t}\,\epsilon_t}{\sqrt{\alpha_t}}. \tag{7.14}$$
#
# **Predict.** This is exact. So why not sample with it: draw a fresh $\epsilon_t \sim N(0, I)$, subtract, divide?
# What happens to the standard deviation of $N(0, 1)$ noise if you do that 1000 times?

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
# The standard deviation grows to 223. The noise $\epsilon_t$ is *part of* $x_t$ (their correlation is 0.102), so
# given $x_t$ it is no longer $N(0, I)$. Subtracting fresh noise adds variance, whereas subtracting the true noise
# removes it, and dividing by $\sqrt{\alpha_t}$ adds more.
#
# What we need is not a fresh sample of $\epsilon_t$ but its mean, given what we know. Given $x_0$, knowing $x_t$
# means knowing $\epsilon$, all the noise in it. And by (5.12),
# $\epsilon = \rho_t\,\epsilon_t + \sqrt{1-\rho_t^2}\;\bar\epsilon_{t-1}$, where $\bar\epsilon_{t-1}$ is the noise in
# $x_{t-1}$: so $\epsilon$ is a noisy measurement of $\epsilon_t$, as in (7.4). The mean of $\epsilon_t$ is
#
# $$E[\epsilon_t \mid x_t, x_0] = \rho_t\,\epsilon, \qquad \rho_t = \sqrt{\frac{\beta_t}{1-\bar\alpha_t}}, \tag{7.15}$$
#
# and with this mean in place of $\epsilon_t$, (7.14) becomes (7.13) after all:
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
print(f"(7.16): sqrt(beta) rho = {wrong * rho[499]:.5f}, beta / sqrt(1 - abar) = {right:.5f}")
print(f"without rho: {wrong:.5f}, {wrong / right:.2f} times as much")

# %% [markdown]
# So there are **two noises**: $\epsilon_t$, of the last step, and $\epsilon$, all the noise since $t = 0$. At $t = 1$
# they are the same; at $t = 100$ their correlation is 0.142. Networks are trained to predict $\epsilon$. If you
# put it in place of $\epsilon_t$ in (7.14), the step at $t = 500$ removes 9.58 times as much noise as it should.

# %% [markdown] topics="C119"
# ## Detour · Spot the bug
#
# An exercise in reading other people's notation, and what one lost square does to samples.

# %% [markdown]
# ### Exercise 7.6 · Spot the bug
#
# One derivation writes a step with letters that are the **square roots** of ours:
#
# | theirs | in our notation |
# |---|---|
# | $a$ | $\sqrt{\alpha_t}$ |
# | $b$ | $\sqrt{\beta_t}$ |
# | $\bar b$ | $\sqrt{1-\bar\alpha_t}$ |
#
# For the mean of a step back it prints $\big(x_t - \frac{b}{\bar b}\,\epsilon\big) / a$, with $\epsilon$ as in
# (7.13). Something was lost between one notation and the other. Write the line as it should be, in *their* letters.

# %% tags=["exercise"]
def my_roots(x_t, eps, a, b, b_bar):
    """Return the mean of a step back; a, b, b_bar are the square roots in the table above."""
    ### BEGIN SOLUTION
    return (x_t - b**2 / b_bar * eps) / a
    ### END SOLUTION


mean_in_roots = check("posterior.roots", my_roots)

# %%
# claim: E02
def printed(schedule, x_t, x0_hat, t, s):
    """The printed line, with the noise that belongs to x0_hat."""
    eps_hat = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    mean = (x_t - schedule.beta[t].sqrt() / schedule.noise[t] * eps_hat) / schedule.alpha[t].sqrt()
    return Gaussian(mean, samplers.ddpm_step(schedule, x_t, x0_hat, t, s).var)


x = samplers.final(samplers.reverse(schedule, denoise, x_T, step=printed, generator=seeded(2)))
print(f"b for b²: {len(x[x > 0])} of 2000 right of 0, there mean {x[x > 0].mean():.3f}, "
      f"std {x[x > 0].std():.3f}")

# %% [markdown]
# With the printed line each bump shrinks to a needle of standard deviation 0.013: the step removes far too much
# noise, and the denoiser keeps pulling the samples to the centers of the bumps.

# %% [markdown] topics="C123"
# ## The mean in terms of the score
#
# The **score function**, or score, is the gradient of the log density with respect to $x_t$, $\nabla \log q(x_t)$: it
# points in the direction in which the density grows fastest. (Chapter 03 used the word for a derivative with respect
# to *parameters*.)
# Three lines connect it with the noise. First, the gradient of $q(x_t) = \int q(x_t \mid x_0)\, q(x_0)\,dx_0$ acts on the
# first factor only. That is the Gaussian (5.11): its gradient brings down
# $-\frac{x_t - \sqrt{\bar\alpha_t}\,x_0}{1-\bar\alpha_t}$, which is $-\epsilon/\sqrt{1-\bar\alpha_t}$. Then divide by
# $q(x_t)$: by Bayes' rule, $q(x_t \mid x_0)\,q(x_0) / q(x_t) = q(x_0 \mid x_t)$, and the integral is an expectation.
#
# $$\begin{aligned}
# \nabla q(x_t) &= \int \nabla q(x_t \mid x_0)\; q(x_0)\, dx_0 \\
# &= \int -\frac{\epsilon}{\sqrt{1-\bar\alpha_t}}\; q(x_t \mid x_0)\, q(x_0)\, dx_0 \\
# \nabla \log q(x_t) = \frac{\nabla q(x_t)}{q(x_t)} &= -\frac{E[\epsilon \mid x_t]}{\sqrt{1-\bar\alpha_t}}.
# \end{aligned} \tag{7.17}$$
#
# The best estimate of the noise *is* the score, up to a factor. Solved for $x_0$ with (7.12), the same identity reads
# $E[x_0 \mid x_t] = \big(x_t + (1-\bar\alpha_t)\,\nabla\log q(x_t)\big)/\sqrt{\bar\alpha_t}$ and is called **Tweedie's
# formula**: the density of the noisy data alone determines the optimal denoiser.
#
# ### Exercise 7.7 · Uphill
#
# Write the mean of $q(x_s \mid x_t)$ with the score in place of the noise, for any $s < t$: insert (7.17) into
# your formula of exercise 7.5, $\big(x_t - \frac{1-\alpha_{ts}}{\sqrt{1-\bar\alpha_t}}\,\epsilon\big)/\sqrt{\alpha_{ts}}$.
# Mind the sign.

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
# a small step uphill, then undo the shrinking. We test it at two places at $t = 500$. The mean comes from
# Bayes' rule on the grid, as in chapter 07, and the score from automatic differentiation of $\log q(x_t)$.

# %%
grid = torch.linspace(-4, 4, 4001, dtype=torch.float64)[:, None]  # positions, as a column


def reverse_probabilities(x_t, t, s):
    """q(x_s | x_t) on the grid, by Bayes' rule: a row of probabilities for each x_t."""
    step = forward.transition(schedule, grid, s, t)
    prior = ideal_denoisers.log_density(data, schedule, grid, s)
    return (prior - (x_t - step.mean[:, 0]) ** 2 / (2 * step.var)).softmax(-1)


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
    "mean, Bayes": reverse_probabilities(places, 500, 499) @ grid,
    "mean by (7.18)": (places + schedule.beta[500] * score) / schedule.alpha[500].sqrt(),
    "your 7.7": score_mean(schedule, places, score, 500, 499),
}
for name, value in answers.items():
    print(f"{name:>15}, at 0.3 and 1.0:", [f"{number:.5f}" for number in value[:, 0].tolist()])

# %%
# claim: E05
beta, noise = schedule.beta[500], schedule.noise[500]
minus = (places - beta / noise * score) / schedule.alpha[500].sqrt()  # inserted only halfway
print("with a minus, at 0.3 and 1.0:", [f"{v:.5f}" for v in minus[:, 0].tolist()])

# %% [markdown]
# (7.17) and (7.18) hold to the five digits shown. If you replace $\epsilon$ by the score itself, without
# the sign and the factor, you get 0.30465 and 1.01553 instead of 0.29851 and 0.99501: the mean moves *away* from
# where $x_t$ is more probable. [Chapter 09](09_predictions.ipynb) puts $x_0$, $\epsilon$, the score and one more
# target side by side.

# %% [markdown] topics="C146"
# ## Which variance is best?
#
# A step back is now a small step uphill, plus noise. How much noise? The model $N(\mu, \sigma_t^2 I)$ has one number
# $\sigma_t^2$ for each step. With the exact mean $\mu = E[x_s \mid x_t]$, the log density that the model gives to the
# true $x_s$, on average and for one coordinate, is
#
# $$E\Big[-\tfrac12 \log(2\pi\sigma^2) - \frac{(x_s - \mu)^2}{2\sigma^2}\Big],
# \quad\text{largest at}\quad \sigma_*^2 = E\big[(x_s - \mu)^2\big] = E\,\operatorname{Var}(x_s \mid x_t). \tag{7.19}$$
#
# (Set the derivative with respect to $\sigma^2$ to zero.) The best variance is the mean squared error of the best mean. To
# compute it, think of $x_s$ as drawn in two stages: first $x_0$ from $q(x_0 \mid x_t)$, then $x_s$ from the Gaussian
# (7.8) that belongs to this $x_0$. The variance of the result is the variance *within* the Gaussians plus the variance
# *of their means*. This is the **law of total variance**:
#
# $$\operatorname{Var}(x_s \mid x_t) = E\big[\operatorname{Var}(x_s \mid x_t, x_0) \,\big|\, x_t\big]
# + \operatorname{Var}\big(E[x_s \mid x_t, x_0] \,\big|\, x_t\big). \tag{7.20}$$

# %%
# eq: 7.19, 7.20
variance, mse = sp.symbols("sigma2 mse", positive=True)  # sigma^2, and E(x_s - mu)^2
expected = -sp.log(2 * sp.pi * variance) / 2 - mse / (2 * variance)
print("(7.19): best sigma^2 =", sp.solve(sp.diff(expected, variance), variance))


def variance_of(values, p):
    """Variance of the values, one for each position, under the probabilities p."""
    return p @ values**2 - (p @ values) ** 2


origin = reverse_probabilities(0.2, 300, 0)  # q(x_0 | x_t = 0.2) on the grid
q = forward.posterior(schedule, grid, torch.full_like(grid, 0.2), 300, 100)  # one for each x_0
of_means = variance_of(q.mean[:, 0], origin)
total = variance_of(grid[:, 0], reverse_probabilities(0.2, 300, 100))
print(f"(7.20) at x_300 = 0.2: within {q.var:.4f} + of the means {of_means:.4f} "
      f"= {q.var + of_means:.4f}; total {total:.4f}")
print(f"Var(x_0 | x_t) = {variance_of(grid[:, 0], origin):.4f}")

# %% [markdown]
# ### Exercise 7.8 · The best variance
#
# Insert (7.8) into (7.20) and average over $x_t$: what is $\sigma_*^2$ for the move from $t$ to $s$, if
# `spread` stands for $E\,\operatorname{Var}(x_0 \mid x_t)$? (Check on the last two lines above: how are 0.6875 and
# 0.8965 related?) As in 7.2, `t` and `s` are integers or batches, and `spread` is one number or one
# for each item.

# %% tags=["exercise"]
def my_optimal_var(schedule, t, s, spread):
    """Return E Var(x_s | x_t), if E Var(x_0 | x_t) is `spread`."""
    ### BEGIN SOLUTION
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    v = 1 - abar_t / abar_s
    w_0 = abar_s.sqrt() * v / (1 - abar_t)
    return v * (1 - abar_s) / (1 - abar_t) + w_0**2 * spread
    ### END SOLUTION


optimal_var = check("posterior.optimal_var", my_optimal_var)

# %% [markdown] topics="C146 C147 C148"
# ## Two kinds of data with a simple answer
#
# For one step the answer is
#
# $$\sigma_*^2 = \tilde\beta_t + w_0^2\; E\,\operatorname{Var}(x_0 \mid x_t),
# \qquad w_0 = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t} \text{ as in (7.8)}. \tag{7.21}$$
#
# The only unknown is the expected variance of $x_0$ given $x_t$. ([Bao22] estimate it for trained networks.) It is easy
# for two kinds of data:
#
# - **All data are one point.** Then $x_0$ is known, its variance is 0, and $\sigma_*^2 = \tilde\beta_t$.
# - **The data are $N(0, I)$.** Then $\operatorname{Var}(x_0 \mid x_t) = 1 - \bar\alpha_t$ by (7.4), and
#
# $$\tilde\beta_t + w_0^2\,(1-\bar\alpha_t)
# = \frac{\beta_t\,(1-\bar\alpha_{t-1}) + \bar\alpha_{t-1}\,\beta_t^2}{1-\bar\alpha_t}
# = \frac{\beta_t\,(1-\bar\alpha_{t-1}\alpha_t)}{1-\bar\alpha_t} = \beta_t. \tag{7.22}$$
#
# These are the two choices of [Ho20, Sec. 3.2], $\tilde\beta_t$ and $\beta_t$, known in code as *fixed small* and *fixed
# large* (here `var="small"` and `var="large"`).
#
# **Is the best variance always between the two?** If the data have variance at most 1 in each coordinate, yes. The
# best estimate of $x_0$ is at least as good as the best *linear* estimate, whose mean squared error for data of variance
# $s^2$ is $\frac{s^2(1-\bar\alpha_t)}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}$, and that is at most $1-\bar\alpha_t$ exactly
# when $s^2 \le 1$. Pixels scaled to $[-1, 1]$ satisfy this. For data $N(0, 4)$ the next cell shows the opposite.

# %%
# eq: 7.21, 7.22
# claim: E08
t = torch.arange(1, 1001)
difference = optimal_var(schedule, t, t - 1, 1 - schedule.abar[1:]) - schedule.beta[1:]
print(f"(7.22) holds for t = 1 … 1000: {bool(difference.abs().max() < 1e-12)}")
for s_2, moves in ((0.25, 1000), (1.0, 1000), (4.0, 1000), (4.0, 10)):  # N(0, s_2) data
    stops = torch.tensor(schedules.timesteps(1000, moves)[:-1])
    t, s = stops[:-1], stops[1:]
    noise = 1 - schedule.abar[t]
    spread = s_2 * noise / (schedule.abar[t] * s_2 + noise)  # the linear estimate is the best one
    ratio = optimal_var(schedule, t, s, spread) / (1 - schedule.abar[t] / schedule.abar[s])
    print(f"N(0, {s_2}), {moves:4} moves: best variance / large one at most {ratio.max():.4f}, "
          f"above 1: {int((ratio > 1 + 1e-9).sum())} of {len(t)}")

# %%
rng, origins = seeded(9), torch.zeros(400_000, 1, dtype=torch.float64)
normal = normal_like(origins, generator=rng)
for name, start, spread in (("one point", origins, 0), ("N(0, 1)", normal, 1 - schedule.abar[10])):
    x_9 = forward.noised(schedule, start, 9, normal_like(start, generator=rng))
    x_10 = draw(forward.transition(schedule, x_9, 9, 10), normal_like(x_9, generator=rng))
    slope = (x_9 * x_10).mean() / (x_10**2).mean()  # jointly normal: the best estimate is linear
    error = ((x_9 - slope * x_10) ** 2).mean()
    print(f"{name:>9}: mean squared error of the best estimate of x_9 {error:.4e}, "
          f"(7.21) {optimal_var(schedule, 10, 9, spread):.4e}")
print(f"tilde beta_10 = {schedule.posterior_var[10]:.4e}, beta_10 = {schedule.beta[10]:.4e}")

# %% [markdown]
# The simulation agrees with both, within two standard errors of about 0.2 % each. And for $N(0, 4)$ the best variance is above
# the large one at all 999 steps: by 0.33 % at most for single steps, by up to 38 % if there are only ten long moves.

# %% [markdown] topics="C149"
# ## Between the two: data with two bumps
#
# **Predict.** Our two-bump data have variance 1, but are neither one point nor a single bell. At $t = 2$ the two
# choices are more than a factor of 2 apart. Will the best variance be closer to $\tilde\beta_2$ or to $\beta_2$? How
# much does the choice matter at $t = 100$?

# %%
# eq: 7.21
# claim: E98, E99
wide = torch.linspace(-7, 7, 2801, dtype=torch.float64)[:, None]  # values of x_t


def spread_of(t):
    """E Var(x_0 | x_t) for the two-bump data: 1 - E[x0_hat^2], as their variance is 1."""
    q = ideal_denoisers.log_density(data, schedule, wide, t).exp() * 0.005
    return 1 - (q * denoise(wide, t)[:, 0] ** 2).sum()


t = torch.arange(1, 1001)
two_bumps = torch.stack([spread_of(int(i)) for i in t])  # row i - 1 belongs to t = i
variances = {"tilde beta": schedule.posterior_var[1:], "beta": schedule.beta[1:],
             "best, two bumps": optimal_var(schedule, t, t - 1, two_bumps)}
for i in (2, 10, 100, 1000):
    low, top, best = (table[i - 1].item() for table in variances.values())
    print(f"t = {i:4}: tilde beta {low:.4e}, beta {top:.4e}, best {best:.4e}, "
          f"{best / low:.3f} of tilde beta")
print(f"at t = 2 the noise has std {schedule.noise[2]:.3f}, a bump {data.var[0].sqrt():.3f}")

# %%
# claim: E07
shares = {name: v[1:] / schedule.beta[2:] for name, v in variances.items()}
fig = figures.curves(t[1:], shares, log_x=True, xlabel="time t, steps (log scale)", height=2.8,
                     ylabel="variance / beta, no unit", title="Three variances, divided by beta")
figures.show(fig, alt="The best variance follows beta; tilde beta starts at half, then catches up.")
for name, v in shares.items():
    print(f"{name}, divided by beta, at t = 2, 10, 100, 1000:",
          ", ".join(f"{v[i - 2]:.3f}" for i in (2, 10, 100, 1000)))

# %% [markdown]
# At $t = 2$ the best variance is $1.1969\cdot10^{-4}$, almost $\beta_2$ and 2.195 times $\tilde\beta_2$. Why? The
# noise in $x_2$ has a standard deviation of only 0.015, and at that scale a bump of standard deviation 0.243 is nearly
# flat. So, given $x_2$, $x_0$ is about as uncertain as for broad data. Later the choice hardly matters: a factor of
# 1.009 at $t = 100$, 1.000 at the end. The two choices differ only in the first steps of the chain, which are the
# last ones of sampling: $\tilde\beta_t$ is 0.455 of $\beta_t$ at $t = 2$ and 0.982 of it at $t = 100$.

# %% [markdown] topics="C149"
# ## When does the choice matter?
#
# It matters when the steps are few and long. `schedules.timesteps(1000, 10)` gives the times 1000, 900, …, 0 of ten
# moves. For a move from $t$ to $s$, $\tilde\beta$ stands for the variance of (7.8) and $\beta$ for $1-\alpha_{ts}$.
# For $N(0, 1)$ data we can follow the variance through all moves without sampling: each one multiplies $x$ by a factor
# and adds independent noise.
#
# **Predict.** The data have standard deviation 1, and $\beta$ is the right choice for them. With $\tilde\beta$, what is
# the standard deviation of the samples after 1000 steps, and after 10?

# %%
def final_std(moves, var):
    """Standard deviation of the samples for N(0, 1) data, after this many moves."""
    times, total = schedules.timesteps(1000, moves), 1.0
    one = torch.ones(1, 1, dtype=torch.float64)  # a move multiplies x_t by a number: try it on 1
    for t, s in zip(times, times[1:]):
        x0_hat = coef(schedule.signal[t], one) * one  # E[x_0 | x_t] = sqrt(abar_t) x_t, by (7.4)
        p = samplers.ddpm_step(schedule, one, x0_hat, t, s, var=var)
        total = p.mean.item() ** 2 * total + p.var.item()
    return math.sqrt(total)


moves = (5, 10, 20, 50, 100, 1000)
stds = {f"{name} ({var})": [final_std(n, var) for n in moves]
        for name, var in (("tilde beta", "small"), ("beta", "large"))}
for n, small, large in zip(moves, *stds.values()):
    print(f"{n:4} moves: std {small:.3f} with tilde beta, {large:.3f} with beta (the data: 1)")

# %%
fig = figures.curves(moves, stds, log_x=True, xlabel="number of moves (log scale)", height=2.6,
                     ylabel="std of the samples", title="Samples of N(0, 1) data")
figures.show(fig, alt="Both rise to 1 with more moves; tilde beta stays lower, 0.740 at 10 moves.")
r = schedule.beta[2:] / schedule.posterior_var[2:]  # best / used, for N(0, 1) data
print(f"with tilde beta, (7.19) loses {0.5 * (r - 1 - r.log()).sum():.4f} nats in 999 steps")

# %%
# claim: E100, E101
for n in (1000, 20):  # the two bumps; all moves but the last, which ends in data
    stops = torch.tensor(schedules.timesteps(1000, n)[:-1])
    t, s = stops[:-1], stops[1:]
    best = optimal_var(schedule, t, s, two_bumps[t - 1])
    used = {"tilde beta": optimal_var(schedule, t, s, 0.0),  # x_0 known: one point
            "beta": 1 - schedule.abar[t] / schedule.abar[s]}
    lost = {name: (0.5 * (best / v - 1 - (best / v).log())).sum() for name, v in used.items()}
    print(f"two bumps, {n:4} moves, nats lost with",
          ", ".join(f"{name} {nats:.4f}" for name, nats in lost.items()))

# %% [markdown]
# After 1000 moves both are fine, 0.996 and 1.000. After 10 moves $\tilde\beta$ gives 0.740 and $\beta$ 0.947.
# (For these data $\beta$ is exact in every move but the last, which returns $\hat x_0$ without noise: 0.947 is
# $\sqrt{\bar\alpha_{100}}$.)
#
# The **likelihood** depends on the choice even with many steps. If $\sigma_*^2$ is best, a step with variance $\sigma^2$
# loses $\tfrac12\big(r - 1 - \log r\big)$ nats in (7.19), with $r = \sigma_*^2/\sigma^2$. (Chapter 08 adds these
# terms up to a bound on the likelihood.) For $N(0, 1)$ data $\tilde\beta$ loses 0.4649 nats over 999 steps. For the
# two bumps $\tilde\beta$ loses 0.4416 nats and $\beta$ 0.0029. With 20 moves both fixed choices lose, 0.4055 and
# 0.0549 nats: long moves are where a better variance would help.

# %% [markdown] topics="C150 C151"
# ## Fixed or learned?
#
# **Reasons to fix it.** The simple loss of chapter 08 does not contain $\sigma_t$, the network needs one output fewer,
# and samples after 1000 steps hardly depend on the choice. When [Ho20, Sec. 4.2] learned a variance for each pixel
# with the bound as the loss, training was unstable and samples were worse.
#
# **How to learn it anyway.** To improve the likelihood and to sample in fewer steps, [ND21, Sec. 3.1] let the network output a
# number $f$ for each pixel and interpolate on a log scale, $\log\sigma^2 = f \log\beta_t + (1-f)\log\tilde\beta_t$. The
# simple loss gives $f$ no gradient, so they train with $L_\text{hybrid} = L_\text{simple} + 0.001\,L_\text{vlb}$. The
# gradient of $L_\text{vlb}$, the bound of chapter 08, is stopped at the mean: it trains only the variance and cannot spoil the mean. The
# bound alone has a very noisy gradient; chapter 08b shows what helps.
#
# **Predict.** A photograph shows a flat sky above grass. For which of the two would a network choose $f$ near 1, and
# for which near 0?

# %%
for i, name, var_0 in ((2, "sky", 0.01**2), (100, "sky", 0.01**2), (2, "grass", 1.0)):
    abar = schedule.abar[i]
    spread = 1 / (1 / var_0 + abar / (1 - abar))  # Var(x_0 | x_t): the precisions add
    best = optimal_var(schedule, torch.tensor(i), torch.tensor(i - 1), spread)
    low, top = schedule.posterior_var[i].log(), schedule.beta[i].log()
    print(f"t = {i:3}, {name:>5}: the data's std {var_0**0.5:.2f}, the noise's "
          f"{schedule.noise[i]:.3f}, f = {(best.log() - low) / (top - low):.3f}")

# %% [markdown]
# For grass, modeled as $N(0, 1)$, $f = 1$. A sky pixel, $N(0, 0.01^2)$, is almost one point: $f = 0.001$ at $t = 100$.
# But at $t = 2$ the noise is 0.015 wide, similar to the sky's own 0.01, so $x_2$ adds little to what is known about the
# sky: $f = 0.404$. Different textures need different variances, and only a learned variance can serve both.
# [Chapter 15](15_fast_and_guided.ipynb) comes back to this, with networks and few steps.

# %% [markdown] topics="C149"
# ## Popular claims, checked
#
# - **Which variance is exact depends on the data:** $\tilde\beta_t$ for one point, $\beta_t$ for $N(0, I)$. So
#   $\tilde\beta_t$ is not "the exact choice": for the two bumps it is the worse of the two.
# - **What is unknown in a reverse step is the variance of $x_0$ given $x_t$,** not $\tilde\beta_t$, which does not contain
#   $x_0$ at all. With $\hat x_0$ in place of $x_0$, (7.8) gives the mean of the step; but for the
#   two bumps at $t = 2$ the best variance is 2.195 times that of (7.8).
# - **The DDPM paper reports both choices** [Ho20, Sec. 3.2], not just $\tilde\beta_t$; its released code uses $\beta_t$
#   for CIFAR-10 and $\tilde\beta_t$ for the 256×256 images.

# %% [markdown]
# ## Recap
#
# A step back has a mean, which follows from an estimate of $x_0$, of the noise or of the score, and a variance. The
# best variance is the mean squared error of the mean: $\tilde\beta_t$ plus what the uncertainty about $x_0$ adds. For
# one point that is $\tilde\beta_t$, for $N(0, I)$ it is $\beta_t$, and for data of variance at most 1 it lies in
# between. With many steps the choice hardly affects samples; with few steps, and for the likelihood, it does.
#
# **One formula to keep**
#
# $$\sigma_*^2 = \tilde\beta_t + w_0^2\; E\,\operatorname{Var}(x_0 \mid x_t)$$
#
# **Exercises:** 7.6 `posterior.roots` (detour) · 7.7 `posterior.score_mean` · 7.8 `posterior.optimal_var`
#
# **To think about.** A network's $\hat x_0$ has an error of its own, so its $E(x_0 - \hat x_0)^2$ is
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
# **Before:** [07 · Where was the chain a moment ago?](07_posterior.ipynb) · **Next:**
# [08 · What exactly is minimized?](08_bound.ipynb)
#
# **Read on:** [Ho20] Sec. 3.2; [ND21] Sec. 3.1 for learned variances; [Bao22] for the best variance.
