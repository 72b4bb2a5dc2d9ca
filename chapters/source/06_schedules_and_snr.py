# %% [markdown]
# # 06 · How fast should the signal go?
#
# [Chapter 05](05_forward.ipynb) mixed data and noise, $x_t = \sqrt{\bar\alpha_t}\,x_0 +
# \sqrt{1-\bar\alpha_t}\,\epsilon$, and took the table $\bar\alpha_0, \dots, \bar\alpha_T$ as given.
# Somebody has to choose it. Here, that is you.
#
# **After this chapter you can**
#
# - read every schedule on one axis, log-SNR, and walk between $\beta$, $\bar\alpha$ and SNR,
# - say where a schedule spends its steps, and how many bits of the data it leaves at the end,
# - give a larger image the extra noise it needs,
# - design a schedule to order, and say what is known about a best one.
#
# **You need** [chapter 05](05_forward.ipynb) and about 75 minutes; it runs in under half a minute. **In the
# papers** (authors at the end): [Ho20, Sec. 4], [ND21, Sec. 3.2], [Kin21, Sec. 3–5], [Lin23],
# [Hoo23, Sec. 3.1], [Chen23].

# %%
import math

import sympy
import torch

from ddpm_lab import datasets, forward, gaussians, losses, predictions, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check, hint, solution

# A schedule keeps its color and its dashes in every figure.
names = ["linear", "su", "cosine", "quadratic", "sigmoid", "geometric", "logarithmic"]
LOOK = dict(zip(names, zip(figures.COLORS, figures.DASHES)))
LOOK |= {"geometric": (figures.SKY, (0, (9, 3))), "S in log-SNR": ("black", "-")}

linear, cosine, geometric = schedules.linear(), schedules.cosine(), schedules.geometric()
for s in (linear, cosine, geometric):
    print(f"{s.name:>9}: T = {s.T}, abar_500 = {float(s.abar[500]):.3g}")

# %% [markdown]
# ## A first picture
#
# One digit (8×8 pixels, enlarged to 32×32), one noise, five times, the three schedules above. Over each
# picture stand $t$ and $\bar\alpha_t$, the share of signal variance.
#
# **Predict.** In which row is the digit lost first? Does the slowest row still reach pure noise?

# %%
images, labels = datasets.digits("test")
x_0 = torch.nn.Upsample(scale_factor=4, mode="nearest")(images[labels == 3][1:2])
eps = gaussians.normal_like(x_0, generator=gaussians.seeded(6))

times, three = [1, 250, 500, 750, 1000], [linear, cosine, geometric]
frames = [forward.noised(s, x_0, t, eps) for s in three for t in times]
titles = [f"t={t}: {float(s.abar[t]):.2g}" for s in three for t in times]
rows = [s.name for s in three]
fig = figures.images(torch.cat(frames), titles, columns=5, row_labels=rows, panel=1.3, limit=2)
figures.show(fig, alt="A handwritten 3 drowns in noise: first in linear, last in geometric.")
for s in three:
    print(f"{s.name:>9}: abar_t =", "  ".join(f"{float(s.abar[t]):.3g}" for t in times))

# %% [markdown]
# <details><summary>Answer</summary>
#
# `linear` loses it first: at $t = 500$ it keeps 0.0786 of the signal's variance. And `geometric` does not
# end in noise: 0.0228 is left. That is hard to see and, as you will find, easy to measure.
#
# </details>

# %% [markdown]
# ## 1 · One axis for all schedules
#
# A schedule is usually written as step variances $\beta_t$. They and the table say the same:
#
# $$\bar\alpha_t = \prod_{s=1}^{t} (1-\beta_s) \qquad\Longleftrightarrow\qquad
# \beta_t = 1 - \frac{\bar\alpha_t}{\bar\alpha_{t-1}} . \tag{6.1}$$
#
# For data of unit variance, $x_t$ holds signal of variance $\bar\alpha_t$ and noise of variance
# $1-\bar\alpha_t$. Their ratio is the *signal-to-noise ratio*, and its logarithm, in nats, is $\lambda_t$:
#
# $$\mathrm{SNR}_t = \frac{\bar\alpha_t}{1-\bar\alpha_t} , \qquad
# \lambda_t = \log \mathrm{SNR}_t = \log\bar\alpha_t - \log(1-\bar\alpha_t) , \qquad
# \bar\alpha_t = \frac{1}{1+e^{-\lambda_t}} . \tag{6.2}$$
#
# ### Exercise 6.1 · log-SNR
#
# From the table `abar` make the table of $\lambda_t$, with `torch.log`. Infinite ends are fine: row 0, clean
# data, has $\lambda_0 = +\infty$.

# %% tags=["exercise"]
def my_log_snr(abar):
    """Return log-SNR, in nats, for every entry of abar."""
    ### BEGIN SOLUTION
    return torch.log(abar) - torch.log1p(-abar)  # log1p(x) is log(1 + x), exact for small x too
    ### END SOLUTION


log_snr = check("schedules.log_snr", my_log_snr)

# %% [markdown]
# ### Exercise 6.2 · The betas, back again
#
# From the $T+1$ rows of `abar` recover $\beta_1, \dots, \beta_T$.

# %% tags=["exercise"]
def my_beta_from_abar(abar):
    """Return beta_1 … beta_T, shape (T,)."""
    ### BEGIN SOLUTION
    return 1 - abar[1:] / abar[:-1]
    ### END SOLUTION


beta_from_abar = check("schedules.beta_from_abar", my_beta_from_abar)

# %% [markdown]
# Why is $\lambda$ the axis to think on? **First, it shows both ends.** For $\bar\alpha$, 0.99 and 0.9999
# are nearly the same point, yet one has 100 times the noise of the other. **Second, a change of units
# is a shift.** Multiply the data by $c$ and the signal's variance grows by $c^2$, so
#
# $$\lambda_t \;\longrightarrow\; \lambda_t + 2\log c \qquad\text{for every } t. \tag{6.3}$$

# %%
# eq: 6.1, 6.2, 6.3
for s in (linear, cosine):
    beta, lam = beta_from_abar(s.abar), log_snr(s.abar)
    there = torch.allclose((1 - beta).cumprod(0), s.abar[1:], rtol=1e-10)
    back = torch.allclose(lam.sigmoid(), s.abar, rtol=1e-10)
    print(f"{s.name}: beta gives abar (6.1): {there}; sigmoid(lambda) gives abar (6.2): {back}")
ends = log_snr(torch.tensor([0.99, 0.9999], dtype=torch.float64))
print(f"abar = 0.99, 0.9999: lambda = {float(ends[0]):.2f}, {float(ends[1]):.2f}")

x, z = torch.randn(2, 1_000_000, generator=gaussians.seeded(1))  # data and noise, unit variance
signal, noise = linear.signal[500] * 3 * x, linear.noise[500] * z
print(f"lambda at t = 500, measured on 3 x: {float((signal.var() / noise.var()).log()):.2f}")
print(f"lambda_500 + 2 log 3 (6.3):         {float(linear.log_snr[500]) + 2 * math.log(3):.2f}")

# %% [markdown]
# A third reason goes deepest. **Predict.** Take the time at which `linear` has $\lambda = 0$, and the time
# at which `cosine` has. Which of the two pictures is noisier?

# %%
def time_of(schedule, lam):
    """The first t whose log-SNR is not above lam."""
    # Row 0, clean data, is counted too: n rows above lam are t = 0 … n - 1, so the next is t = n.
    return int((schedule.log_snr > lam).sum())


levels = [6, 3, 0, -3, -6]
visits = [(s, lam, time_of(s, lam)) for s in (linear, cosine) for lam in levels]
frames = torch.cat([forward.noised(s, x_0, t, eps) for s, _, t in visits])
titles = [f"λ = {lam}: t = {t}" for _, lam, t in visits]
rows = ["linear", "cosine"]
fig = figures.images(frames, titles, columns=5, row_labels=rows, panel=1.3, limit=2)
figures.show(fig, alt="Two rows of five noised digits that look alike, column by column.")
print(f"largest difference of two pixels: {float((frames[:5] - frames[5:]).abs().max()):.3f}")
print("times:", [t for _, _, t in visits[:5]], [t for _, _, t in visits[5:]])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Neither. At $t = 260$ in one and at $t = 497$ in the other the picture is the same, because $\lambda$
# alone gives $\bar\alpha$ (6.2). Pixels differ by at most 0.003, since times are whole numbers.
#
# </details>
#
# **$t$ is only a label.** Two schedules with the same values of $\lambda$ at their steps are the same
# model. A schedule decides one thing: *which noise levels are visited, and how often*.

# %% [markdown]
# ## 2 · Seven ways to go
#
# Let $a = 10^{-4}$ and $b = 0.02$ be two ends for $\beta$, and let $u = (t-1)/(T-1)$ run from 0 to 1.
#
# | name | rule | remark |
# |---|---|---|
# | `linear` | $\beta_t = a + (b-a)\,u$ | [Ho20] |
# | `su` | $\beta_t = b\,t/T$ | named after the author of one of the notes, Su |
# | `quadratic` | $\beta_t = a + (b-a)\,u^2$ | |
# | `sigmoid` | $\beta_t = a + (b-a)\,S(u)$ | $S$: logistic curve of $12u-6$, stretched to meet 0 and 1 |
# | `geometric` | $\beta_t = a\,(b/a)^u$ | $\log\beta$ on a straight line |
# | `logarithmic` | $\beta_t = a + (b-a)\,\log t\,/\log T$ | |
# | `cosine` | $\bar\alpha_t$ itself, see (6.5) | [ND21] |

# %%
def draw(ax, x, tables, **labels):
    """Draw named curves, each schedule in its own look."""
    for name, table in tables.items():
        color, dash = LOOK[name]
        ax.plot(x, table, color=color, linestyle=dash, label=name)
    ax.set(**labels)


# %%
family = [linear, schedules.su(), cosine, schedules.quadratic(), schedules.sigmoid()]
family += [geometric, schedules.logarithmic()]
t = torch.arange(1, 1001)
fig, (left, right) = figures.new(1, 2, width=8.5, height=3.2)
share = r"$\bar\alpha_t$, share of variance"
draw(left, t, {s.name: s.abar[1:] for s in family}, xlabel="t", ylabel=share)
draw(right, t, {s.name: s.log_snr[1:] for s in family}, xlabel="t", ylabel=r"$\lambda_t$, nats")
fig.legend(*left.get_legend_handles_labels(), loc="outside right center", fontsize=9)
figures.show(fig, alt="Seven falling curves of abar and of log-SNR; logarithmic falls first.")
print("                abar_100  abar_500    abar_T   t where lambda = 0")
for s in family:
    values = "".join(f"{float(s.abar[k]):10.3g}" for k in (100, 500, 1000))
    print(f"{s.name:>14}{values}{time_of(s, 0):12}")

# %% [markdown]
# ### `su`, and an integral that came out wrong
#
# How much signal does $\beta_t = 0.02\,t/T$ leave? Take logs, and let the sum become an integral:
#
# $$\log\sqrt{\bar\alpha_T} = \frac12\sum_{t=1}^{T} \log\Bigl(1 - \frac{0.02\,t}{T}\Bigr)
# \;\approx\; \frac T2 \int_0^1 \log(1 - 0.02\,\tau)\,d\tau . \tag{6.4}$$
#
# A widely read set of notes says that the integral is $-1$, so
# $\sqrt{\bar\alpha_T} \approx e^{-T/2} = e^{-500}$. **Predict**, without a computer: can 1000 factors
# $\sqrt{1-\beta_t}$, none below $\sqrt{0.98}$, have such a product?

# %%
# eq: 6.4
# claim: E01
tau = sympy.symbols("tau")
integral = sympy.integrate(sympy.log(1 - tau / 50), (tau, 0, 1))
su = schedules.su()
print(f"integral of log(1 - 0.02 tau): {float(integral):.6f}")
print(f"integral of log(1 - tau):      {sympy.integrate(sympy.log(1 - tau), (tau, 0, 1))}")
print(f"sqrt(abar_T) by the integral:  {math.exp(500 * integral):.3g}")
print(f"sqrt(abar_T) by the table:     {float(su.signal[-1]):.3g}")
print(f"0.98^500 = {0.98**500:.2g}   e^-500 = {math.exp(-500):.1g}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# No: the product is at least $0.98^{500}$, which is 4.1e-05.
#
# </details>
#
# The integral is $-1$ if you forget the 0.02. With it, it is $-0.010067$, and $\sqrt{\bar\alpha_T}$ is
# 0.00648, not 7e-218. "Close enough to 0" holds for one pixel; section 6 shows where it fails.
#
# The same notes call $\beta_t = 0.02\,t/T$ the schedule of DDPM. It is their simplification: in [Ho20] $\beta$ starts
# at 1e-4. **Predict.** How much does the other start change? And what if someone takes "0.02" but not $T = 1000$?

# %%
# claim: E10
apart = (su.signal - linear.signal).abs().max()
print(f"beta_1: {float(su.beta[1]):.3g} and {float(linear.beta[1]):.3g}; the signal factors "
      f"differ by {float(apart):.4f} at most")
for steps in (1000, 100, 10):
    print(f"su, T = {steps:4}: abar_T = {float(schedules.su(T=steps).abar[-1]):.3g}")

# %% [markdown]
# The start changes hardly anything. The 0.02 belongs to its $T$: with 100 steps 0.362 of the variance is left, with
# 10 steps 0.895. Exercise 6.4 will say what to do.
#
# ### `cosine`, and its clip
#
# $$\bar\alpha_t = \frac{f(t)}{f(0)} , \qquad
# f(t) = \cos^2\!\Bigl(\frac{t/T + s}{1 + s}\cdot\frac{\pi}{2}\Bigr) , \qquad s = 0.008 . \tag{6.5}$$
#
# At $t = T$ the cosine is 0 and would make $\beta_T = 1$: nothing is kept, and whoever divides by
# $\sqrt{\bar\alpha_T}$ divides by 0 (section 6). Hence [ND21] clips every $\beta_t$ at 0.999. And why 0.008? So
# that the first step's noise, $\sqrt{\beta_1}$, is a little smaller than $1/127.5$, the gap between two of 256
# gray levels of pixels in $[-1, 1]$.

# %%
# eq: 6.5
# claim: E93
u = torch.arange(1001).double() / 1000
f = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
print("formula and table agree up to t = 999:", torch.allclose(cosine.abar[:-1], (f / f[0])[:-1]))
print(f"abar_T by the formula: {float(f[-1] / f[0]):.1e} (a rounded 0)")
print(f"abar_T by the table:   {float(cosine.abar[-1]):.3g}")
print("last betas:", [round(b, 3) for b in cosine.beta[-5:].tolist()])
for offset in (0.0, 0.008):
    first = schedules.cosine(offset=offset).beta[1].sqrt()
    print(f"s = {offset}: sqrt(beta_1) = {float(first):.4f}   (1/127.5 = {1 / 127.5:.4f})")

# %% [markdown]
# ### Names that mislead
#
# **Predict.** (a) Between the same ends, does a quadratic $\beta$ add more noise than the straight line, or
# less? (b) "$\beta$ grows like a logarithm", "$\log\beta$ grows along a line": which is slow at first?

# %%
a, b, T = 1e-4, 0.02, 1000
t = torch.arange(1, T + 1).double()
u = (t - 1) / (T - 1)
rules = {
    "linear": a + (b - a) * u,
    "quadratic": a + (b - a) * u**2,
    "geometric": a * (b / a) ** u,
    "logarithmic": a + (b - a) * t.log() / math.log(T),
}
named = {s.name: s for s in family}
same = [torch.allclose(beta, named[name].beta[1:]) for name, beta in rules.items()]
print("the four rules give the package's betas:", all(same))
squares = [rules["quadratic"], a + (b - a) * (t / T) ** 2, (a**0.5 + (b**0.5 - a**0.5) * u) ** 2]
ends = [f"{float(schedules.from_beta(beta).abar[-1]):.3g}" for beta in squares]
print("quadratic, abar_T: ours {}; (t/T)² of notes {}; code of [Ho20] {}".format(*ends))

# %%
# claim: E94, E95
fig, ax = figures.new(width=7)
draw(ax, t, rules, xlabel="t", ylabel=r"$\beta_t$, variance per step", yscale="log")
ax.legend(fontsize=9)
figures.show(fig, alt="Step variances: logarithmic above linear, quadratic and geometric below.")
print("               beta_100   beta_500   abar_100     abar_T   / linear")
for s in (named[name] for name in rules):
    values = [s.beta[100], s.beta[500], s.abar[100], s.abar[T], s.abar[T] / linear.abar[T]]
    print(f"{s.name:>12}", "".join(f"{float(v):11.3g}" for v in values))

# %% [markdown]
# <details><summary>Answer</summary>
#
# (a) Less: the square of a number below 1 is smaller than the number. The danger is too *little* noise:
# 28.2 times the signal of `linear` is left.
# (b) `geometric`: $\beta_{100}$ is 0.000169. A logarithm rises *fast* at first, to 0.0134, and 0.345 of the
# variance is left at $t = 100$. Notes that call it "slow early" describe `geometric`.
#
# </details>

# %% [markdown]
# ## 3 · Two beliefs about $\beta$
#
# **Predict.** Take the betas of `linear` in reversed order, or 1000 times 0.01. What is $\bar\alpha_T$?
# Must $\beta$ rise at all?

# %%
# claim: E42, E110
for name, s in {
    "rising": linear,
    "reversed": schedules.from_beta(linear.beta[1:].flip(0)),
    "constant 0.01": schedules.from_beta([0.01] * 1000),
}.items():
    falls = bool((s.abar.diff() < 0).all())
    print(f"{name:>13}: abar_T = {float(s.abar[-1]):.4g}; abar falls at every step: {falls}; "
          f"lambda = 0 at t = {time_of(s, 0)}")
print(f"linear at T: beta = {float(linear.beta[-1]):.3f}, "
      f"1 - abar = {1 - float(linear.abar[-1]):.5f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# A product does not care about order: 4.036e-05 again. The constant leaves 4.317e-05. And $\bar\alpha$
# falls whatever betas in $(0, 1)$ do.
#
# </details>
#
# Rising betas choose *where* the steps go: reversed, half the signal is gone at $t = 35$ instead of 260. Mind
# the words, too: $\beta_t$ is the share of *new* noise in a step, 0.020 at $T$; the share of noise in the
# picture is $1-\bar\alpha_t$, 0.99996 at $T$.
#
# **Predict.** Notes say: every $\beta_t$ lies in $(0,1)$, therefore $\bar\alpha_t \to 0$. Try
# $\beta_t = 1/(t+1)$, $1/(t+1)^2$ and $2^{-t}$. Which of the three $\bar\alpha_t$ go to 0?

# %%
# eq: 6.6
# claim: E69
n = torch.arange(1, 100_001).double()
for name, beta in {"1/(t+1)": 1 / (n + 1), "1/(t+1)^2": 1 / (n + 1) ** 2, "2^-t": 0.5**n}.items():
    total, product = beta.cumsum(0), (1 - beta).cumprod(0)
    fits = bool(((1 - total <= product + 1e-9) & (product <= (-total).exp() + 1e-9)).all())
    print(f"beta_t = {name:>9}: sum {float(total[-1]):7.4f}, abar {float(product[-1]):.6f}; "
          f"both bounds of (6.6) hold: {fits}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The first only: it is $1/(t+1)$. The others stop at 0.5 and at 0.288788. All three betas shrink to 0.
#
# </details>
#
# The *sum* of the betas must be infinite, as the first is (11.0902 after 100,000 steps, and slowly on):
#
# $$1 - \sum_{s=1}^{t}\beta_s \;\le\; \prod_{s=1}^{t}(1-\beta_s) \;\le\;
# \exp\Bigl(-\sum_{s=1}^{t} \beta_s\Bigr) . \tag{6.6}$$
#
# <details><summary>Why</summary>
#
# On the right each factor obeys $1-\beta \le e^{-\beta}$, so an infinite sum forces the product to 0. On the
# left, $(1-a)(1-b) \ge 1-a-b$, again and again. If the sum is finite, drop the first steps, until the rest
# sums to less than 1: over the rest the left bound is positive.
#
# </details>
#
# Real schedules are finite. The better question, for section 5: what *is* $\bar\alpha_T$?

# %% [markdown]
# ## 4 · Where are the steps spent?
#
# At $\lambda > 4$ there is more than $e^4 \approx 55$ times more signal than noise: hardly anything to
# denoise. At $\lambda \le -4$ there is hardly anything to see, in *one* number. (Section 8: a large image
# shifts this band.) In between, things are decided.
#
# ### Exercise 6.3 · Steps in a band
#
# Return the share (a float from 0 to 1) of the steps $1, \dots, T$ whose log-SNR lies in
# $(\text{low}, \text{high}]$. Row 0 is no step. For tensors "and" is `&`, with brackets around each comparison.

# %% tags=["exercise"]
def my_steps_in_band(schedule, low, high):
    """Return the share of steps with low < log-SNR <= high."""
    ### BEGIN SOLUTION
    lam = schedule.log_snr[1:]
    return float(((low < lam) & (lam <= high)).double().mean())
    ### END SOLUTION


steps_in_band = check("schedules.steps_in_band", my_steps_in_band)

# %%
# claim: E92
print("                 above 4   (-4, 4]  -4 or less    abar at T/4, T/2, 3T/4")
for s in family:
    shares = [steps_in_band(s, *band) for band in ((4, math.inf), (-4, 4), (-math.inf, -4))]
    quarters = [f"{float(s.abar[k]):.4f}" for k in (250, 500, 750)]
    print(f"{s.name:>14}" + "".join(f"{share:10.3f}" for share in shares), "    ", *quarters)

# %% [markdown]
# **Predict.** How fast does $\lambda$ fall per step? Notes say: `linear` loses information at a constant
# rate, and `cosine` is slower where there is much signal. Sketch both speeds against $\lambda$, then run.

# %%
def speed(schedule, lam):
    """How far log-SNR falls in the step that crosses lam, nats per step."""
    t = (schedule.log_snr.unsqueeze(1) > lam).sum(0)  # time_of, for many lam at once
    return schedule.log_snr[t - 1] - schedule.log_snr[t]


lam = torch.arange(6, -9, -0.5, dtype=torch.float64)
speeds = {name: speed(named[name], lam) for name in ("linear", "cosine", "sigmoid")}
falls = [linear.log_snr[k] - linear.log_snr[k + 1] for k in (1, 10, 100, 250, 999)]

# %%
# claim: E91
fig, ax = figures.new(width=7)
draw(ax, lam, speeds, xlabel=r"$\lambda$, nats (clean on the left)", yscale="log",
     ylabel=r"fall of $\lambda$ per step, nats", xlim=(6.5, -9))
ax.legend(fontsize=9)
figures.show(fig, alt="All start fast at the clean end; only cosine is as fast at the noisy end.")
for name, v in speeds.items():
    shown = [f"{float(v[lam == level]):.4f}" for level in (6, 2, 0, -4, -6)]
    print(f"{name:>8} at lambda = 6, 2, 0, -4, -6:", *shown)
print("  linear at t = 1, 10, 100, 250, 999:", *[f"{float(v):.4f}" for v in falls])

# %% [markdown]
# The rate of `linear` is far from constant: 0.7882 after $t = 1$, 0.0107 at $t = 250$, 0.0202 at the end.
# The other half holds: at $\lambda = 6$, 2 and 0 `cosine` is about half as fast as `linear`, at $-4$ and $-6$
# faster. It saves steps for the middle: 0.835 of them lie in $(-4, 4]$, against 0.591.
#
# "`linear` is too fast early and too slow late": fast early it is on both axes. Slow late is true of
# $\bar\alpha$, with only 0.0034 left to lose in the last quarter, and false of $\lambda$, whose last step is
# nearly twice that at $t = 250$. Always name the axis. As for *quality*: `linear` spends 0.371 of its steps at
# $\lambda \le -4$, and [ND21, Fig. 4] could skip up to a fifth of the way back at 64×64, from its noisy end,
# with little harm. That points the same way.

# %% [markdown]
# ## 5 · Does the walk end in noise?
#
# Sampling starts from $N(0, I)$; training saw $q(x_T \mid x_0)$. The gap is $L_T$ (5.14), and no network can
# lower it. Per number of the data, with $x_0^2 = 1$, all but the logarithm cancels:
#
# $$L_T = \tfrac12\bigl[(1-\bar\alpha_T) + \bar\alpha_T x_0^2 - 1 - \log(1-\bar\alpha_T)\bigr]
# = -\tfrac12\log(1-\bar\alpha_T) . \tag{6.7}$$

# %%
# eq: 6.7
# claim: E62
def terminal_bits(schedule):
    """L_T in bits per dimension, for x_0^2 = 1."""
    one = torch.ones(1, 1, dtype=torch.float64)
    noise = gaussians.Gaussian(torch.zeros_like(one), torch.tensor(1.0))
    gap = gaussians.kl(forward.marginal(schedule, one, schedule.T), noise)
    return float(losses.bits_per_dim(gap, one))


cut = schedules.from_beta(linear.beta[1:501], "linear, cut")
for s in (linear, cosine, cut, schedules.linear(T=100)):
    nats, bits = -0.5 * math.log1p(-float(s.abar[-1])), terminal_bits(s)
    print(f"{s.name:>11}, T = {s.T:4}: L_T = {nats:.3g} nats = {bits:.3g} bits; "
          f"the KL is (6.7): {math.isclose(nats, bits * math.log(2), rel_tol=1e-6)}")

# %% [markdown]
# And now five good, widely used tutorials: *The Annotated Diffusion Model* (Hugging Face), *Diffusion from
# scratch* (FilippoMB), the notebooks of the book *Understanding Deep Learning* (udlbook), those of ACIDS at
# IRCAM, and *tiny-diffusion*. Four appear with the defaults they ship, ACIDS approximately: our `sigmoid` over
# its range, $\beta$ from 1e-5 to 1e-2.
#
# **Predict.** `linear` was made for $T = 1000$. Hugging Face's tutorial wants to be quick and sets $T = 300$,
# same betas. Which factor $\sqrt{\bar\alpha_T}$ is left in front of $x_0$: about 0.001, 0.02 or 0.2?

# %%
published = {
    "DDPM [Ho20]": linear,
    "Hugging Face": schedules.linear(T=300),
    "FilippoMB": schedules.linear(T=200),
    "udlbook": schedules.from_beta([0.01511] * 100),
    "ACIDS (approx.)": schedules.sigmoid(T=100, beta_1=1e-5, beta_T=1e-2),
    "tiny-diffusion": schedules.linear(T=50),
}
x_T = torch.cat([forward.noised(s, x_0, s.T, eps) for s in published.values()])
fig = figures.images(x_T, list(published), panel=1.3, limit=2)
figures.show(fig, alt="A digit at t = T: noise for DDPM, and more of a 3 from left to right.")
print("                    T     abar_T  sqrt(abar_T)  SNR_T  L_T, bits/dim")
for name, s in published.items():
    values = [s.abar[-1], s.signal[-1], s.snr[-1], terminal_bits(s)]
    print(f"{name:>15}{s.T:6}" + "".join(f"{float(v):11.2g}" for v in values))

# %% [markdown]
# <details><summary>Answer</summary>
#
# 0.22.
#
# </details>
#
# In the last two pictures you can read the digit. A sampler that starts from $N(0, I)$ starts from a law
# that this network has never seen. The cause each time: few steps, and betas that stayed small. Fewer steps
# must each do more.
#
# ### Exercise 6.4 · Another T, noise again
#
# By (6.6) it is the *sum* of the betas that decides what is left. Return `schedules.linear` with `T` steps
# whose betas have the sum that they have with $T = 1000$: multiply both its ends, 1e-4 and 0.02, by one factor.
# Which one? (For $T > 20$; a beta must stay below 1.)

# %% tags=["exercise"]
def my_rescaled(T):
    """Return a linear Schedule with T steps whose betas have the sum of linear(1000)'s."""
    ### BEGIN SOLUTION
    return schedules.linear(T, 1e-4 * 1000 / T, 0.02 * 1000 / T)
    ### END SOLUTION


rescaled = check("schedules.rescaled", my_rescaled)

# %%
print("    T   abar_T, same betas   abar_T, rescaled")
for steps in (25, 50, 100, 250, 500, 1000):
    fixed, scaled = schedules.linear(T=steps).abar[-1], rescaled(steps).abar[-1]
    print(f"{steps:5}{float(fixed):21.3g}{float(scaled):19.3g}")

# %% [markdown]
# On the right each end is noise as well, at $T = 25$ even purer, 2.42e-07: $\log(1-\beta) < -\beta$, the more
# so the larger $\beta$. One README finds that longer diffusion gives better pictures. Perhaps; but on the left
# two things change, $T$ and the end. To learn about $T$ alone, compare on the right.

# %% [markdown]
# ## 6 · What a whisper of signal does
#
# `linear` leaves 4.04e-05 of the variance. Per pixel that is nothing. But a network sees all pixels. Let an
# image of $n$ numbers be brighter than gray by $m$ everywhere. An average of $n$ independent noises has
# variance $1/n$, so the mean of $x_T$ is
#
# $$\frac1n\sum_{i=1}^{n} x_{T,i} = \sqrt{\bar\alpha_T}\,m + \sqrt{\frac{1-\bar\alpha_T}{n}}\;z ,
# \quad z \sim N(0,1) , \qquad \mathrm{SNR}_{\text{mean}} = n\,m^2\,\mathrm{SNR}_T . \tag{6.8}$$
#
# In units of its noise the mean is $\pm\sqrt{\mathrm{SNR}_{\text{mean}}} + z$. So its sign is right with
# probability $\Phi(\sqrt{\mathrm{SNR}_{\text{mean}}})$, where $\Phi$ is the normal's distribution function,
# `torch.special.ndtr`.
#
# **Predict.** You get 200 images at $t = T$, 256×256 in three colors. Half come from bright pictures
# ($m = 0.5$), half from dark ones ($m = -0.5$). All look like pure noise. Guess each by the sign of its
# mean: how many will be right?

# %%
# eq: 6.8
# claim: E90
def guessed_right(schedule, rng, m=0.5, size=(3, 256, 256)):
    """How many of 200 noise images betray their brightness by the sign of their mean."""
    right = 0
    for sign in [1, -1] * 10:
        image = torch.full((10, *size), sign * m)
        noise = gaussians.normal_like(image, generator=rng)
        x_T = forward.noised(schedule, image, schedule.T, noise)
        right += int((x_T.mean(dim=(1, 2, 3)) * sign > 0).sum())
    return right


snr = {side: 3 * side**2 * 0.5**2 * linear.snr[-1] for side in (32, 256, 512)}
print("SNR of the mean:", ", ".join(f"{side}x{side}x3 {float(v):.3g}" for side, v in snr.items()))
expected = 200 * float(torch.special.ndtr(snr[256].sqrt()))
print(f"right: {guessed_right(linear, gaussians.seeded(2))} of 200; (6.8) expects {expected:.0f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 183. The signal-to-noise ratio of the mean is 1.98; at 512×512 it would be 7.94, at 32×32 only 0.031.
#
# </details>
#
# So on large images a network learns to read the brightness off $x_T$. In sampling it then meets a mean of 0,
# always: medium brightness. [Lin23] found this in well-known models, and a remedy: shift and stretch
# $\sqrt{\bar\alpha}$ so that its first value stays and its last becomes 0,
#
# $$\sqrt{\bar\alpha_t}\;\longrightarrow\; \bigl(\sqrt{\bar\alpha_t} - \sqrt{\bar\alpha_T}\bigr)
# \frac{\sqrt{\bar\alpha_1}}{\sqrt{\bar\alpha_1} - \sqrt{\bar\alpha_T}} , \qquad t = 1, \dots, T .
# \tag{6.9}$$
#
# ### Exercise 6.5 · Zero at the end
#
# Write (6.9). It is for $t \ge 1$; row 0 stays 1. The last row must be *exactly* 0. Leave the given schedule
# as it is and work on a copy, `schedule.abar.clone()`. Return `schedules.Schedule("zero terminal", abar)`.

# %% tags=["exercise"]
def my_zero_terminal(schedule):
    """Return the Schedule with no signal left at T."""
    ### BEGIN SOLUTION
    signal = schedule.abar.clone().sqrt()
    first, last = signal[1].item(), signal[-1].item()
    signal[1:] = (signal[1:] - last) * first / (first - last)
    signal[-1] = 0.0
    return schedules.Schedule("zero terminal", signal**2)
    ### END SOLUTION


zero_terminal = check("schedules.zero_terminal", my_zero_terminal)

# %%
# eq: 6.9
mended = zero_terminal(linear)
for row, name in ((1, "sqrt(abar_1)"), (500, "sqrt(abar_500)"), (-1, "sqrt(abar_T)")):
    print(f"{name}: {float(linear.signal[row]):.6f} -> {float(mended.signal[row]):.6f}")
print(f"largest change of sqrt(abar): {float((mended.signal - linear.signal).abs().max()):.4f}")
print(f"beta_T: {float(linear.beta[-1]):.3f} -> {float(mended.beta[-1]):.3f}")
print(f"right: {guessed_right(mended, gaussians.seeded(2))} of 200")
try:
    predictions.convert(mended, eps, "eps", eps, mended.T)  # x_T is eps now; so is the answer
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# Now 100 of 200, by luck the very half. The price: $\beta_T = 1$, so $x_T$ *is* the noise. A network that
# predicts $\epsilon$ need only copy its input there, and
# $\hat x_0 = (x_T - \sqrt{1-\bar\alpha_T}\,\hat\epsilon)/\sqrt{\bar\alpha_T}$ is $0/0$: the package refuses.
#
# A way out is to predict another mixture, $v = \sqrt{\bar\alpha_t}\,\epsilon - \sqrt{1-\bar\alpha_t}\,x_0$. At
# $T$ it is $-x_0$, and $\hat x_0 = \sqrt{\bar\alpha_t}\,x_t - \sqrt{1-\bar\alpha_t}\,\hat v$ divides by nothing
# ([chapter 09](09_predictions.ipynb)).

# %% [markdown]
# ## 7 · How much can a noisy picture tell?
#
# Let $x_0 \sim N(0,1)$. Then $x_t$ has spread 1, and its noise has width $\sqrt{1-\bar\alpha_t}$. How many
# noise widths fit into the spread of $x_t$? It is $1/\sqrt{1-\bar\alpha_t} = \sqrt{1+\mathrm{SNR}_t}$ of them:
# about so many values can be told apart. The logarithm of that is the **mutual information**: by how much
# knowing $x_0$ lowers the *entropy* of $x_t$. The entropy of a density $p$, its spread on a log scale, is
# $h = -E[\log p]$; that of $N(m, v)$ is $\tfrac12\log 2\pi e\,v$. So per number
#
# $$I(x_0; x_t) = h(x_t) - h(x_t \mid x_0)
# = \tfrac12\log 2\pi e - \tfrac12\log 2\pi e\,(1-\bar\alpha_t)
# = -\tfrac12\log(1-\bar\alpha_t) = \tfrac12\log(1+\mathrm{SNR}_t) . \tag{6.10}$$
#
# At a given variance no law has more entropy than the Gaussian. So for *any* data of unit variance (6.10) is
# an upper bound, the most that a line with Gaussian noise can carry: the capacity of the Gaussian channel.
#
# ### Exercise 6.6 · Information, in bits
#
# From a tensor of SNRs return the *bits* that one number of $x_t$ tells about $x_0 \sim N(0,1)$. (`torch.log`
# gives nats.)

# %% tags=["exercise"]
def my_information(snr):
    """Return I(x_0; x_t) in bits per number."""
    ### BEGIN SOLUTION
    return 0.5 * torch.log2(1 + snr)
    ### END SOLUTION


information = check("schedules.information", my_information)

# %% [markdown]
# **Predict.** Let $x_0$ be $+1$ or $-1$ with equal chance: unit variance too, but only one bit to tell. Where
# will its curve leave the Gaussian one?

# %%
# eq: 6.10
x = torch.linspace(-9, 9, 60_001, dtype=torch.float64).reshape(-1, 1)


def bits(means, var, noise_var):
    """h(x_t) - h(x_t | x_0) in bits, by a sum over x; x_t is an even mixture of Gaussians."""
    p = ((-0.5 * (x - means) ** 2 / var).exp() / (2 * math.pi * var).sqrt()).mean(1)
    entropy = -torch.special.xlogy(p, p).sum() * (x[1] - x[0])  # xlogy: 0 log 0 is 0
    return float(entropy - 0.5 * (2 * math.pi * math.e * noise_var).log()) / math.log(2)


lam = torch.linspace(6, -6, 49, dtype=torch.float64)
center, unit = torch.zeros(1), torch.ones(1)  # x_0 ~ N(0, 1): x_t ~ N(0, 1) at every t
modes = torch.tensor([-1.0, 1.0])  # x_0 = ±1: one Gaussian of variance 1 - abar at each mode
normal = torch.tensor([bits(center, unit, 1 - abar) for abar in lam.sigmoid()]).double()
two = [bits(modes * abar.sqrt(), 1 - abar, 1 - abar) for abar in lam.sigmoid()]

# %%
two = torch.tensor(two).double()
told = {
    "½ log₂(1 + SNR)": information(lam.exp()),
    "x_0 ~ N(0, 1), by quadrature": normal,
    "x_0 = ±1, by quadrature": two,
}
fig = figures.curves(lam, told, xlabel=r"$\lambda$, nats (clean on the left)",
                     ylabel="bits told by one number", width=7)
fig.axes[0].invert_xaxis()
figures.show(fig, alt="Information falls with log-SNR; the ±1 data never tells more than one bit.")
print("(6.10) and quadrature agree:", torch.allclose(normal, information(lam.exp()), atol=1e-6))
for level in (6, 2, 0, -2, -6):
    at = lam == level
    print(f"lambda = {level:2}: N(0,1) {float(normal[at]):.4f} bits, ±1 {float(two[at]):.4f} bits")

# %% [markdown]
# The bound holds everywhere. In the noisy half the curves run together, 0.0916 and 0.0915 bits at
# $\lambda = -2$. In the clean half the $\pm1$ data runs out of things to tell.

# %%
# claim: E15
for k in (1, linear.T):
    nats = float(linear.information[k])
    print(f"t = {k:4}: at most {nats:.3g} nats per number")
for side in (32, 256):
    print(f"t = 1000, {side}x{side}x3: at most {nats * 3 * side**2:.3g} nats per image")
print(f"L_T by (6.7): {terminal_bits(linear) * math.log(2):.3g} nats per number")
for s in (linear, cosine):
    turns = s.signal.arccos().diff()[100:900]  # (signal, noise) = (cos, sin) of an angle
    print(f"{s.name}: {float(turns.min()):.5f} to {float(turns.max()):.5f} radians per step")

# %% [markdown]
# At $t = 1$ up to 4.61 nats per number; at $T$ 2.02e-05, the very number that $L_T$ was. A 32×32 color image
# has at most 0.062 nats left, a 256×256 one 3.97: section 6's whisper again. So $x_T$ is no *code* of $x_0$:
# the walk is made to forget.
#
# Is some schedule the *shortest* path to noise? No: as points (signal factor, noise factor) all walk the same
# quarter circle, `cosine` at an even 0.00156 radians a step.

# %% [markdown]
# ## 8 · Larger images need more noise
#
# **Predict.** A rule of thumb says: at 64×64 `linear` will do; from 256×256 on take `cosine`, which keeps the
# signal longer. Enlarge a small picture and noise it at the same $t$. Is it now easier or harder to
# recognize?

# %%
k, at = 4, 400
small = images[:100].double()
large = small.repeat_interleave(k, 2).repeat_interleave(k, 3)  # each pixel becomes a k x k block
rng = gaussians.seeded(3)


def averaged(schedule, image, side):
    """Noise the images at one time, average blocks of side x side, undo the factor on x_0."""
    x_t = forward.noised(schedule, image, at, gaussians.normal_like(image, generator=rng))
    return torch.nn.functional.avg_pool2d(x_t, side) / schedule.signal[at]


views = {"8×8": averaged(linear, small, 1), "32×32": averaged(linear, large, 1)}
views["32×32, averaged"] = averaged(linear, large, k)

# %%
pick = int((labels[:100] == 3).nonzero()[1])  # the digit of the first picture
enlarge = torch.nn.Upsample(size=32, mode="nearest")  # for the eye: all panels alike
shown = [x_0, *(enlarge(view[[pick]].float()) for view in views.values())]
fig = figures.images(torch.cat(shown), ["clean", *views], panel=1.7, limit=2)
figures.show(fig, alt="A digit, clean and noised, 8×8 and 32×32: block averages bring it back.")
for name in ("8×8", "32×32, averaged"):
    print(f"{name:>15}: SNR measured {1 / float((views[name] - small).var()):.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Easier. Each pixel is as noisy as before, but your eye averages, and so does a network: block averages of the
# enlarged digits have 16 times the SNR of the small ones, 3.878 against 0.243.
#
# </details>
#
# A $k\times k$ block of equal pixels is $k^2$ times the same signal, with $k^2$ independent noises. What does averaging
# do to each of the two?
#
# ### Exercise 6.7 · What blocks see
#
# From SNRs per pixel return the SNRs of $k \times k$ block averages. (SNR compares variances. What is the variance of
# the mean of $n$ independent noises? A power is `**` in Python.)

# %% tags=["exercise"]
def my_seen_by_blocks(snr, k):
    """Return the SNR of a k x k block average."""
    ### BEGIN SOLUTION
    return snr * k**2
    ### END SOLUTION


seen_by_blocks = check("schedules.seen_by_blocks", my_seen_by_blocks)

# %% [markdown]
# The average keeps its signal, and the standard deviation of its noise is $k$ times smaller:
#
# $$\frac1{k^2}\sum_{i=1}^{k^2}\bigl(\sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\epsilon_i\bigr)
# = \sqrt{\bar\alpha_t}\,x_0 + \frac{\sqrt{1-\bar\alpha_t}}{k}\,z , \qquad
# \mathrm{SNR}^{\text{block}}_t = k^2\,\mathrm{SNR}_t . \tag{6.11}$$
#
# So the rule of thumb is upside down: [ND21] made `cosine` because `linear` was too noisy for 64×64 and
# 32×32.
#
# The repair is one shift of the whole curve, by $-2\log k$: divide every SNR by $k^2$,
# `schedules.scaled_snr` [Hoo23, Chen23]. How far does the middle of the walk move, there and back?

# %%
# eq: 6.11
# claim: E96
print(f"SNR per pixel {float(linear.snr[at]):.3f}, of 4 x 4 blocks by (6.11) "
      f"{float(seen_by_blocks(linear.snr[at], k)):.3f}")
repaired = averaged(schedules.scaled_snr(linear, 1 / k**2), large, k)
print(f"repaired, 4 x 4 blocks: SNR measured {1 / float((repaired - small).var()):.3f}")
for s in (linear, cosine):
    crossings = {n: int((seen_by_blocks(s.snr, n) > 1).sum()) for n in (1, 2, 4, 8)}
    print(f"{s.name}: n x n blocks reach SNR = 1 at t =", crossings)
for s in (linear, cosine):
    shifted = schedules.scaled_snr(s, 1 / 8**2)
    crossing = int((seen_by_blocks(shifted.snr, 8) > 1).sum())
    shift = float(shifted.log_snr[500] - s.log_snr[500])
    print(f"{s.name} with SNR / 64: 8 x 8 blocks at t = {crossing}; log-SNR moved by {shift:.3f}")

# %% [markdown]
# Seen in blocks of 8×8, `cosine` has walked 921 of its 1000 steps before noise takes over; shifted by
# $-4.159$, it is back at 497. By (6.3) you may as well divide the data by $k$. (In a photograph blocks are not
# quite flat, and the gain lies somewhat below $k^2$.)

# %% [markdown]
# ## 9 · The same curve weighs the loss
#
# The schedule says which noise levels are practiced. The *loss* says how much an error counts there, and
# borrows the same curve. As weights on the squared error of a guess of $x_0$:
#
# | loss | weight | |
# |---|---|---|
# | the bound, `vlb` | $\tfrac12(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)$ | [chapter 08](08_bound.ipynb) derives it |
# | `simple` [Ho20] | $\mathrm{SNR}_t$ | the squared error of a guess of $\epsilon$ |
# | `min_snr` [Hang23] | $\min(\mathrm{SNR}_t, 5)$ | the same, capped |
#
# **Predict.** `linear` has SNR 9999 at $t = 1$. What share of the weight of `simple` does the cap leave there?

# %%
# claim: E102
t = torch.arange(2, 1001)  # at t = 1 the weight of the bound is infinite
snr = linear.snr
table = {"vlb": (snr[1:-1] - snr[2:]) / 2, "simple": snr[2:], "min_snr": snr[2:].clamp(max=5)}
same = [torch.allclose(losses.weight(linear, "x0", t, name), table[name]) for name in table]
print("table and package agree:", same)
for k in (1, 100, 130, 131):
    simple, capped = (losses.weight(linear, "x0", k, name) for name in ("simple", "min_snr"))
    on_eps, on_v = (losses.weight(linear, kind, k, "min_snr") for kind in ("eps", "v"))
    print(f"t = {k:3}: simple {float(simple):.4g}, min_snr {float(capped):.4g}, "
          f"ratio {float(capped / simple):.4f}; min_snr on eps {float(on_eps):.4f}, "
          f"on v {float(on_v):.4f}")

# %% [markdown]
# 0.0005 of it; the cap acts up to $t = 130$.
#
# "Min-SNR lowers the weight where there is little noise": say on whose error. Seen from $x_0$ it is 5, as long as
# the cap acts. A squared error of $\epsilon$ is $\mathrm{SNR}_t$ times one of $x_0$, so its weight is
# $\min(\mathrm{SNR}_t, 5)/\mathrm{SNR}_t$: the column "ratio", 0.0005 at $t = 1$, 0.5740 at $t = 100$ and 1 from $t = 131$ on.

# %% [markdown]
# ## 10 · Play
#
# Six views of one schedule, linked. Guess first, then move, then look.
#
# 1. **Shorter.** Start at `linear` with $T = 1000$ and lower $T$. Where does the gauge turn to "signal
#    survives"? Then raise `beta_T` until it turns back. Which exercise is this?
# 2. **Shorter, again.** Choose `cosine` at $T = 50$. Why is the gauge calm? Now lower `beta_max` to 0.5.
# 3. **Twins.** Switch between `linear` and `su` at $T = 1000$. Which of the six views can tell them apart?

# %%
from ddpm_lab.course import explorers

explorer = explorers.schedule_designer()
print(explorer)  # the picture in words
explorer

# %%
from ddpm_lab.course.explorers import noise_schedule

stops = [0.02 * 10 ** (k / 20) for k in range(4)]  # the slider of beta_T has 20 stops per decade
twins = [{"family": name, "T": 1000, "beta_T": 0.02} for name in ("su", "linear")]
states = [*twins, {"family": "linear", "T": 700, "beta_T": 0.02}]
states += [{"family": "linear", "T": 500, "beta_T": stop} for stop in stops]
states += [{"family": "cosine", "T": 50, "beta_max": beta_max} for beta_max in (0.999, 0.501)]
for state in states:
    abar_T = float(noise_schedule.build(**state).abar[-1])
    name, T, last = state.values()
    print(f"{name:>6}  {T:4}  {last:<6.3g}  -> abar_T = {abar_T:.2g}: "
          f"{noise_schedule.terminal_zone(abar_T)}")

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# 1. At $T = 500$, with 0.0064 left; the third stop above 0.02, $\beta_T = 0.0283$, repairs it. Exercise 6.4.
# 2. `cosine` is a function of $t/T$, so it ends in noise at any $T$, until the clip bites: 0.0011.
# 3. Hardly any. At the very left the variances and the weights start elsewhere, and the gauge reads 4.2e-05
#    instead of 4e-05.
#
# </details>

# %% [markdown]
# ## 11 · Your own schedule, and a best one?
#
# A popular wish: keep the data early, reach noise at the end, and go *slow, fast, slow*, like an S. On which
# axis? In $\beta$ `sigmoid` does it, in $\bar\alpha$ `cosine`. In $\lambda$ nothing in this package does, so
# you will.
#
# ### Exercise 6.8 · An S in log-SNR
#
# Write a function from $T$ to a schedule with (1) $\bar\alpha_1 \ge 0.99$, (2) $\bar\alpha_T \le 0.001$, and
# (3) $\lambda$ falling at least 1.5 times as fast in the middle third of the steps as in the first and in the
# last. Many answers are right. `schedules.from_log_snr` takes $\lambda_1, \dots, \lambda_T$.
#
# <details><summary>Hint</summary>
#
# Half a wave of a cosine falls slow, fast, slow: for example from about 8 to about $-8$.
#
# </details>

# %% tags=["exercise"]
def my_s_shaped(T):
    """Return a Schedule whose log-SNR falls slow, fast, slow."""
    ### BEGIN SOLUTION
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    return schedules.from_log_snr(8 * torch.cos(math.pi * u))
    ### END SOLUTION


s_shaped = check("schedules.s_shaped", my_s_shaped)

# %%
rivals = {"S in log-SNR": s_shaped(1000), "cosine": cosine, "sigmoid": named["sigmoid"]}
t = torch.arange(1, 1001)
fig, (left, right) = figures.new(1, 2, width=8.5, height=3.0)
draw(left, t, {name: s.abar[1:] for name, s in rivals.items()}, xlabel="t", ylabel=share)
draw(right, t, {name: s.log_snr[1:] for name, s in rivals.items()}, xlabel="t",
     ylabel=r"$\lambda_t$, nats (cut off at −14)", ylim=(-14, 11))
left.legend(fontsize=9)
figures.show(fig, alt="The S in log-SNR is a cliff in abar; cosine is an S in abar only.")
print("                fall of log-SNR in three thirds    fall of abar        steps in (-4, 4]")
for name, s in {**rivals, **named}.items():
    thirds = [-table[[1, 334, 667, 1000]].diff() for table in (s.log_snr, s.abar)]
    shown = "    ".join(" ".join(f"{float(v):7.3f}" for v in third) for third in thirds)
    print(f"{name:>14}  {shown}  {steps_in_band(s, -4, 4):10.3f}")

# %% [markdown]
# The course's own answer is
#
# $$\lambda_t = 8\cos\Bigl(\pi\,\frac{t-1}{T-1}\Bigr) . \tag{6.12}$$
#
# Look what the wish has done. The S hurries through $(-4, 4]$, where things are decided, with 0.333 of its
# steps (`cosine`: 0.835), and lingers where there is nothing to do. In $\lambda$ all seven of the family go
# fast, *slow*, fast. A wish without an axis is not a wish.
#
# So is there a *best* schedule? For the bound there is half an answer. Each step costs half the fall of SNR
# (section 9) times the *mmse*, the minimum mean squared error: what a perfect denoiser still misses. That is a
# Riemann sum. With ever more steps between the same ends it becomes an integral over SNR [Kin21, Sec. 5],
#
# $$\sum_{t=2}^{T} \tfrac12(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)\,\mathrm{mmse}(\mathrm{SNR}_t)
# \;\longrightarrow\; \tfrac12\int_{\mathrm{SNR}_T}^{\mathrm{SNR}_1} \mathrm{mmse}(r)\,dr , \tag{6.13}$$
#
# and an integral does not know how fast you walked. For $x_0 \sim N(0,1)$ the mmse is
# $\mathrm{Var}(x_0 \mid x_t) = 1-\bar\alpha_t = 1/(1+\mathrm{SNR}_t)$, and the integral is the information lost
# on the way, the difference of (6.10).
#
# **Predict.** Two walks from $\lambda = 8$ to $-8$: a straight line, and the S. Which sum is smaller with 16
# steps? With 4096?

# %%
# eq: 6.12
u = torch.linspace(0, 1, 1000, dtype=torch.float64)
own = schedules.from_log_snr(8 * torch.cos(math.pi * u))
print("wishes (1), (2) for (6.12):", [f"{float(own.abar[k]):.4g}" for k in (1, -1)])
x, z = torch.randn(2, 1_000_000, generator=gaussians.seeded(4))
signal, noise = linear.signal[300], linear.noise[300]
missed = x - signal * (signal * x + noise * z)  # the best guess of x_0 is signal * x_t
print(f"Var(x_0 | x_t) at t = 300: {float(missed.var()):.2f}; "
      f"1 / (1 + SNR) = {1 / (1 + float(linear.snr[300])):.2f}")

# %%
# eq: 6.13
# claim: E25
def terms(lam):
    """The terms of (6.13) for x_0 ~ N(0, 1), nats."""
    snr = lam.exp()
    return 0.5 * (snr[:-1] - snr[1:]) / (1 + snr[1:])


for K in (8, 16, 32, 64, 256, 4096):
    u = torch.linspace(0, 1, K + 1, dtype=torch.float64)
    line, wave = terms(8 - 16 * u), terms(8 * torch.cos(math.pi * u))
    # K times one random term estimates the sum; "scatter" is the standard deviation of that.
    print(f"{K:4} steps: line {float(line.sum()):8.4f}, S {float(wave.sum()):8.4f} nats;"
          f"  scatter {float(K * line.std()):6.2f}, {float(K * wave.std()):6.2f}")
lost = information(torch.tensor([8.0, -8.0], dtype=torch.float64).exp()).diff().abs()
print(f"the integral: {float(lost) * math.log(2):.4f} nats")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The line, with 16 steps: 6.4438 nats, against 7.1687 for the S. With 4096 both are close to the
# integral: 4.0068 and 4.0082, against 4.0000. Every row lowered both sums.
#
# </details>
#
# So with many steps only the two *ends* matter for the bound. (And "how many steps are best?", often called an open
# question, is none for the bound of a perfect denoiser: more are never worse.) The *terms* differ, though, and a training step
# looks at one random $t$: such an estimate of the sum has scatter 3.47 for the line, 4.18 for the S, at 4096
# steps ([chapter 08](08_bound.ipynb)). For few steps, and for the quality of samples, the path does matter,
# and schedules are still found by trying. A universal best is not known.

# %% [markdown]
# ## Recap
#
# A schedule is a walk along log-SNR, and $t$ is a label on it. Where it walks slowly, it spends its steps;
# where it ends decides whether sampling starts from the right law. Betas need not rise, but they need a
# large sum. A large image needs its whole curve shifted down. With many steps, the bound sees only the ends.
#
# **One formula to keep**
#
# $$\lambda_t = \log\frac{\bar\alpha_t}{1-\bar\alpha_t}$$
#
# **What notes get wrong here**
#
# | often said | better | shown above |
# |---|---|---|
# | $\int_0^1\log(1-0.02\tau)\,d\tau = -1$, so $e^{-500}$ is left | $-0.010067$; $\sqrt{\bar\alpha_T}$ is 0.00648 | section 2 |
# | logarithmic growth is slow early; quadratic is aggressive late | the fastest start of all; milder than linear | section 2 |
# | `cosine` is designed on SNR and ends too slowly | on $\bar\alpha$; so fast that it is clipped | section 2 |
# | DDPM takes $\beta_t = 0.02\,t/T$ | it starts at 1e-4; and 0.02 is for $T = 1000$ | 0.362 is left with $T = 100$ |
# | $\beta$ must rise | any order leaves 4.036e-05 | section 3 |
# | $\beta_t \in (0,1)$ makes $\bar\alpha_t \to 0$ | only with an infinite sum: 0.5 and 0.288788 are left | section 3 |
# | `linear` loses information at a constant rate | in $\lambda$ 0.7882 to 0.0107 per step | section 4 |
# | the signal vanishes at $T$ | 3.97 nats in a 256×256 image; 0.6 of the variance with $T = 50$ | sections 5–7 |
# | min-SNR lowers the weight at low noise | on $\epsilon$ and on $v$; on $x_0$ it is 5 there | section 9 |
# | `linear` for small images, `cosine` for large ones | blocks see $k^2$ times the SNR: large images need more noise | section 8 |
#
# **Exercises:** 6.1 `schedules.log_snr` · 6.2 `schedules.beta_from_abar` · 6.3 `schedules.steps_in_band` ·
# 6.4 `schedules.rescaled` · 6.5 `schedules.zero_terminal` · 6.6 `schedules.information` ·
# 6.7 `schedules.seen_by_blocks` · 6.8 `schedules.s_shaped`
#
# **Before:** [05 · How does data become noise, in one line?](05_forward.ipynb) · **Next:**
# [07 · Where was the chain a moment ago?](07_posterior.ipynb)
#
# **Read on.** [ND21], Nichol and Dhariwal 2021, Sec. 3.2, for `cosine`; [Kin21], Kingma, Salimans, Poole and
# Ho 2021, Sec. 3–5, for log-SNR as the axis; [Lin23], Lin, Liu, Li and Yang 2023, for zero terminal SNR;
# [Hoo23], Hoogeboom, Heek and Salimans 2023, Sec. 3.1, and [Chen23], Chen 2023, for image size; [Hang23],
# Hang and others 2023, for min-SNR. [Ho20] is the DDPM paper of Ho, Jain and Abbeel 2020.
