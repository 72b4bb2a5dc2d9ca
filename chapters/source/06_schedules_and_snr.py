# %% [markdown] topics="C097"
# # 06 · How fast should the signal go?
#
# A thousand numbers $\beta_t$ decide how fast an image drowns in noise. If you choose them badly, a third of the
# steps do almost nothing, or the image survives the whole chain. Several published tutorials have the second problem.
# How can you see it, and how do you choose better?
#
# **After this chapter you can**
#
# - put every schedule on one axis, log-SNR, and convert between $\beta$, $\bar\alpha$ and SNR,
# - say where a schedule spends its steps,
# - measure how much signal it leaves at $t = T$, and repair it,
# - adapt a schedule to the size of the images.
#
# **You need** two sections of [05 · How does data become noise, in one line?](05_forward.ipynb): the closed form
# (5.11) and "The end of the chain".
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 20
# seconds.
#
# **For what comes next you need** section 1 (chapters 08, 09 and 15), the cosine schedule of section 2 (08, 11, 13
# and 15) and zero terminal SNR from section 5 (09).
#
# **In the papers:** [Ho20] Sec. 4; [ND21] Sec. 3.2 (cosine); [Kin21] Sec. 3–5 (log-SNR); [Lin23] (zero terminal
# SNR); [Hoo23] Sec. 3.1 and [Chen23] (image size).

# %%
import math

import sympy
import torch

from ddpm_lab import datasets, forward, gaussians, predictions, schedules
from ddpm_lab.course import explorers, figures
from ddpm_lab.course.exercises import check, hint, solution

# A schedule keeps its color and its dashes in every figure.
names = ["linear", "su", "cosine", "quadratic", "sigmoid", "geometric", "logarithmic"]
LOOK = dict(zip(names, zip(figures.COLORS, figures.DASHES)))
LOOK |= {"geometric": (figures.SKY, (0, (9, 3))), "S in log-SNR": ("black", "-")}

linear, cosine, geometric = schedules.linear(), schedules.cosine(), schedules.geometric()

# %% [markdown]
# ## A first look: one digit, three schedules
#
# One digit (8×8 pixels, enlarged to 32×32) is mixed with the same noise at five times, under three schedules. Each
# title gives $t$ and $\bar\alpha_t$, the fraction of the variance that is signal.
#
# **Predict.** In which row is the digit lost first? Does the slowest row still end in pure noise?

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
# `linear` loses it first: at $t = 500$ only 0.0786 of the variance is signal. And `geometric` does not end in
# noise: 0.0228 is left, which is hard to see but easy to measure.

# %% [markdown] topics="C106"
# ## 1 · One axis for all schedules
#
# A schedule is usually given by its step variances $\beta_t$. They and the table of $\bar\alpha_t$ determine each
# other:
#
# $$\bar\alpha_t = \prod_{s=1}^{t} (1-\beta_s) \qquad\Longleftrightarrow\qquad
# \beta_t = 1 - \frac{\bar\alpha_t}{\bar\alpha_{t-1}} . \tag{6.1}$$
#
# For data of unit variance, $x_t$ contains signal of variance $\bar\alpha_t$ and noise of variance
# $1-\bar\alpha_t$. Their ratio is the **signal-to-noise ratio** (SNR). Its natural logarithm is the **log-SNR**
# $\lambda_t$, measured in nats:
#
# $$\mathrm{SNR}_t = \frac{\bar\alpha_t}{1-\bar\alpha_t} , \qquad
# \lambda_t = \log \mathrm{SNR}_t = \log\bar\alpha_t - \log(1-\bar\alpha_t) , \qquad
# \bar\alpha_t = \frac{1}{1+e^{-\lambda_t}} . \tag{6.2}$$
#
# ### Exercise 6.1 · log-SNR
#
# From the table `abar` compute the table of $\lambda_t$ with `torch.log`. Infinite values at the ends are fine: row
# 0, the clean data, has $\lambda_0 = +\infty$.

# %% tags=["exercise"]
def my_log_snr(abar):
    """Return log-SNR, in nats, for every entry of abar."""
    ### BEGIN SOLUTION
    return torch.log(abar) - torch.log1p(-abar)  # log1p(x) is log(1 + x), exact for small x too
    ### END SOLUTION


log_snr = check("schedules.log_snr", my_log_snr)

# %% [markdown]
# ### Why the logarithm?
#
# **It resolves both ends.** On the axis of $\bar\alpha$, 0.99 and 0.9999 are nearly the same point, yet the noise
# variance at one is 100 times that at the other. **A change of units is a shift.** If you multiply the data by $c$,
# the variance of the signal grows by $c^2$, so
#
# $$\lambda_t \;\longrightarrow\; \lambda_t + 2\log c \qquad\text{for every } t. \tag{6.3}$$

# %%
# eq: 6.1, 6.2, 6.3
for s in (linear, cosine):
    there = torch.allclose((1 - s.beta[1:]).cumprod(0), s.abar[1:], rtol=1e-10)
    back = torch.allclose(log_snr(s.abar).sigmoid(), s.abar, rtol=1e-10)
    print(f"{s.name}: beta gives abar (6.1): {there}; sigmoid(lambda) gives abar (6.2): {back}")

x, z = torch.randn(2, 1_000_000, generator=gaussians.seeded(1))  # data and noise, unit variance
signal, noise = linear.signal[500] * 3 * x, linear.noise[500] * z
print(f"lambda at t = 500, measured on 3 x: {float((signal.var() / noise.var()).log()):.2f}")
print(f"lambda_500 + 2 log 3 (6.3):         {float(linear.log_snr[500]) + 2 * math.log(3):.2f}")

# %% [markdown]
# The third reason is the most important. A question will lead you to it.
#
# **Predict.** `linear` reaches $\lambda = 0$ at one time, `cosine` at another. Which of the two images is noisier?

# %%
def time_of(schedule, lam):
    """The first t whose log-SNR is not above lam."""
    # Row 0, clean data, is counted too: n rows above lam are t = 0 … n - 1, so the next is t = n.
    return int((schedule.log_snr > lam).sum())


visits = [(s, lam, time_of(s, lam)) for s in (linear, cosine) for lam in (6, 3, 0, -3, -6)]
frames = torch.cat([forward.noised(s, x_0, t, eps) for s, _, t in visits])
titles = [f"λ = {lam}: t = {t}" for _, lam, t in visits]
fig = figures.images(frames, titles, columns=5, row_labels=["linear", "cosine"], panel=1.3, limit=2)
figures.show(fig, alt="Two rows of five noised digits that look alike, column by column.")
print(f"largest difference of two pixels: {float((frames[:5] - frames[5:]).abs().max()):.3f}")
print("times:", [t for _, _, t in visits[:5]], [t for _, _, t in visits[5:]])

# %% [markdown]
# Neither is. With the same noise, the image at $t = 260$ in one is the image at $t = 497$ in the other, because
# $\lambda$ determines $\bar\alpha$ (6.2). (Times are whole numbers, so pixels differ by up to 0.003.)
#
# **$t$ is only a label.** Two schedules that visit the same values of $\lambda$ are the same chain. A schedule
# decides one thing: *which noise levels are visited, and how many steps each region gets*.

# %% [markdown]
# ### Detour · From abar back to the betas
#
# The right half of (6.1) as a function is useful when you design a schedule on $\bar\alpha$ or on log-SNR.

# %% [markdown]
# #### Exercise 6.2 · The betas of a table
#
# From the $T+1$ rows of `abar` recover $\beta_1, \dots, \beta_T$.

# %% tags=["exercise"]
def my_beta_from_abar(abar):
    """Return beta_1 … beta_T, shape (T,)."""
    ### BEGIN SOLUTION
    return 1 - abar[1:] / abar[:-1]
    ### END SOLUTION


beta_from_abar = check("schedules.beta_from_abar", my_beta_from_abar)
for s in (linear, cosine):
    print(f"{s.name}: the betas are back:", torch.allclose(beta_from_abar(s.abar), s.beta[1:]))

# %% [markdown] topics="C098 C099 C102 C103"
# ## 2 · Seven schedules
#
# A schedule should usually do three things: lose little information early, reach pure noise at the end, and change
# smoothly in between. Let $a = 10^{-4}$ and $b = 0.02$ be the two ends of $\beta$, and let $u = (t-1)/(T-1)$ run from
# 0 to 1.
#
# | name | rule | remark |
# |---|---|---|
# | `linear` | $\beta_t = a + (b-a)\,u$ | the **linear schedule** of [Ho20] |
# | `su` | $\beta_t = b\,t/T$ | Su's variant of `linear`, which starts near 0 |
# | `quadratic` | $\beta_t = a + (b-a)\,u^2$ | |
# | `sigmoid` | $\beta_t = a + (b-a)\,S(u)$ | $S$: logistic curve of $12u-6$, stretched to meet 0 and 1 |
# | `geometric` | $\beta_t = a\,(b/a)^u$ | $\log\beta$ is a straight line |
# | `logarithmic` | $\beta_t = a + (b-a)\,\log t\,/\log T$ | |
# | `cosine` | $\bar\alpha_t$ itself, see (6.5) | the **cosine schedule** of [ND21] |

# %%
def draw(ax, x, tables, **labels):
    """Draw named curves, each schedule in its own look."""
    for name, table in tables.items():
        color, dash = LOOK[name]
        ax.plot(x, table, color=color, linestyle=dash, label=name)
    ax.set(**labels)


family = [linear, schedules.su(), cosine, schedules.quadratic(), schedules.sigmoid()]
family += [geometric, schedules.logarithmic()]

# %%
t = torch.arange(1, 1001)
fig, (left, right) = figures.new(1, 2, width=8.5, height=3.2)
fraction = r"$\bar\alpha_t$, fraction of variance"
draw(left, t, {s.name: s.abar[1:] for s in family}, xlabel="t", ylabel=fraction)
draw(right, t, {s.name: s.log_snr[1:] for s in family}, xlabel="t", ylabel=r"$\lambda_t$, nats")
fig.legend(*left.get_legend_handles_labels(), loc="outside right center", fontsize=9)
figures.show(fig, alt="Seven falling curves of abar and of log-SNR; logarithmic falls first.")
print("                abar_100  abar_500    abar_T   t where lambda = 0")
for s in family:
    values = "".join(f"{float(s.abar[k]):10.3g}" for k in (100, 500, 1000))
    print(f"{s.name:>14}{values}{time_of(s, 0):12}")

# %% [markdown]
# (`su` lies on `linear`.) Signal and noise are equally strong at $t = 72$ under `logarithmic` and at $t = 685$
# under `geometric`. What is left at the end differs even more: 0.0228 under `geometric`, 2.43e-09 under `cosine`.

# %% [markdown] topics="C100 C105"
# ### Detour · How much signal does 0.02 t/T leave?
#
# An integral answers this without a table, if you keep track of the factor 0.02.

# %% [markdown]
# `su` takes $\beta_t = 0.02\,t/T$. That is a simplification: in [Ho20] $\beta$ starts at 1e-4. Take logarithms,
# and let the sum become an integral:
#
# $$\log\sqrt{\bar\alpha_T} = \frac12\sum_{t=1}^{T} \log\Bigl(1 - \frac{0.02\,t}{T}\Bigr)
# \;\approx\; \frac T2 \int_0^1 \log(1 - 0.02\,\tau)\,d\tau . \tag{6.4}$$
#
# It is easy to slip here: without the factor 0.02 the integral is $-1$, which gives
# $\sqrt{\bar\alpha_T} \approx e^{-500}$.
#
# **Predict.** Without a computer: can the product of 1000 factors $\sqrt{1-\beta_t}$, none below $\sqrt{0.98}$, be
# so small?

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
# No: the product is at least $0.98^{500}$, which is 4.1e-05. With the factor 0.02 the integral is $-0.010067$, and
# $\sqrt{\bar\alpha_T}$ is 0.00648, not 7e-218. "Close enough to 0" holds for one pixel; section 5 shows where it
# fails.
#
# How much does the other start of $\beta$ matter? And what if you keep 0.02 but not $T = 1000$?

# %%
# claim: E10
apart = (su.signal - linear.signal).abs().max()
print(f"beta_1: {float(su.beta[1]):.3g} and {float(linear.beta[1]):.3g}; the signal factors "
      f"differ by {float(apart):.4f} at most")
for steps in (1000, 100, 10):
    print(f"su, T = {steps:4}: abar_T = {float(schedules.su(T=steps).abar[-1]):.3g}")

# %% [markdown]
# The different start hardly matters. But 0.02 belongs to $T = 1000$: with 100 steps, 0.362 of the variance is left,
# with 10 steps 0.895. Exercise 6.4 is about the remedy.

# %% [markdown] topics="C101"
# ### The cosine schedule and its clip
#
# $$\bar\alpha_t = \frac{f(t)}{f(0)} , \qquad
# f(t) = \cos^2\!\Bigl(\frac{t/T + s}{1 + s}\cdot\frac{\pi}{2}\Bigr) , \qquad s = 0.008 . \tag{6.5}$$
#
# At $t = T$ the cosine is 0, which would make $\beta_T = 1$: nothing is kept, and dividing by
# $\sqrt{\bar\alpha_T}$ becomes impossible (section 5). Therefore [ND21] clips every $\beta_t$ at 0.999. And why
# 0.008? So that the standard deviation of the first step's noise, $\sqrt{\beta_1}$, is slightly smaller than
# $1/127.5$, the gap between neighboring gray levels if 256 of them span $[-1, 1]$.

# %%
# eq: 6.5
# claim: E93
u = torch.arange(1001).double() / 1000
f = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
print("formula and table agree up to t = 999:", torch.allclose(cosine.abar[:-1], (f / f[0])[:-1]))
print(f"abar_T by the formula {float(f[-1] / f[0]):.1e} (a rounded 0), "
      f"by the table {float(cosine.abar[-1]):.3g}")
print("last betas:", [round(b, 3) for b in cosine.beta[-5:].tolist()])
for offset in (0.0, 0.008):
    first = schedules.cosine(offset=offset).beta[1].sqrt()
    print(f"s = {offset}: sqrt(beta_1) = {float(first):.4f}   (1/127.5 = {1 / 127.5:.4f})")

# %% [markdown]
# The end of `cosine` is very fast: the last betas are 0.556, 0.75 and 0.999, where `linear` ends at 0.02.

# %% [markdown]
# ### Detour · Names that mislead: quadratic and logarithmic
#
# Does a quadratic $\beta$ add more noise than the straight line, or less? Is a logarithm slow at first?

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
print("quadratic, abar_T: ours {}; with (t/T)² {}; code of [Ho20] {}".format(*ends))

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
# The quadratic schedule adds *less* noise than the line: the square of a number below 1 is smaller than the
# number. Its risk is too little noise, not too much: it leaves 28.2 times the signal that `linear` leaves. (Three
# rules go by this name; they leave 0.00114, 0.00113 and 0.000733.)
#
# A logarithm rises *fast* at first: `logarithmic` has $\beta_{100} = 0.0134$, and 0.345 of the variance is left at
# $t = 100$. The schedule that is slow at first is `geometric`, in which $\log\beta$ grows along a line:
# $\beta_{100} = 0.000169$.

# %% [markdown]
# ### Detour · Must the betas rise, and must the signal vanish?
#
# Two claims about $\beta$, tested on reversed, constant and shrinking betas.

# %% [markdown]
# **Predict.** Take the betas of `linear` in reversed order, or 1000 betas that all equal 0.01. What is $\bar\alpha_T$?

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
# A product does not depend on the order of its factors: 4.036e-05 again. The constant betas leave 4.317e-05. And
# $\bar\alpha$ falls for any betas in $(0, 1)$. Rising betas choose *where* the steps go: in reversed order, half
# the signal is gone at $t = 35$ instead of 260.
#
# Do not confuse two fractions: $\beta_t$ is the fraction of *new* noise in a step, 0.020 at $T$; the fraction of
# noise in the image is $1-\bar\alpha_t$, 0.99996 at $T$.
#
# Does $\bar\alpha_t$ go to 0 in a long chain because every $\beta_t$ lies in $(0,1)$? Not necessarily. What counts
# is the sum of the betas:
#
# $$1 - \sum_{s=1}^{t}\beta_s \;\le\; \prod_{s=1}^{t}(1-\beta_s) \;\le\;
# \exp\Bigl(-\sum_{s=1}^{t} \beta_s\Bigr) . \tag{6.6}$$
#
# **Predict.** Try $\beta_t = 1/(t+1)$, $1/(t+1)^2$ and $2^{-t}$. For which of the three does $\bar\alpha_t$ go to
# 0?

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
# Only for the first, where $\bar\alpha_t = 1/(t+1)$. The other two converge to 0.5 and 0.288788. The *sum* of the
# betas must diverge, as it does for the first (11.0902 after 100,000 steps, and it grows without bound).
#
# Why? On the right of (6.6), each factor obeys $1-\beta \le e^{-\beta}$, so a divergent sum forces the product
# to 0. On the left, apply $(1-a)(1-b) \ge 1-a-b$ again and again. If the sum is finite, drop the first steps
# until the rest sums to less than 1: for the rest, the left bound is positive.

# %% [markdown] topics="C104"
# ## 3 · Where are the steps spent?
#
# At $\lambda > 4$ there is more than $e^4 \approx 55$ times as much signal as noise, and hardly anything to denoise.
# At $\lambda \le -4$ a single pixel of $x_t$ shows hardly any signal. In between, the image takes shape.
#
# ### Exercise 6.3 · Steps in a band
#
# Return the fraction (a float from 0 to 1) of the steps $1, \dots, T$ whose log-SNR lies in
# $(\text{low}, \text{high}]$. Row 0 is not a step.

# %% tags=["exercise"]
def my_steps_in_band(schedule, low, high):
    """Return the fraction of steps with low < log-SNR <= high."""
    ### BEGIN SOLUTION
    lam = schedule.log_snr[1:]
    return float(((low < lam) & (lam <= high)).double().mean())
    ### END SOLUTION


steps_in_band = check("schedules.steps_in_band", my_steps_in_band)

# %%
# claim: E92
print("                 above 4   (-4, 4]  -4 or less    abar at T/4, T/2, 3T/4")
for s in family:
    bands = [steps_in_band(s, *band) for band in ((4, math.inf), (-4, 4), (-math.inf, -4))]
    quarters = [f"{float(s.abar[k]):.4f}" for k in (250, 500, 750)]
    print(f"{s.name:>14}" + "".join(f"{part:10.3f}" for part in bands), "    ", *quarters)

# %% [markdown]
# | schedule | strength | weakness |
# |---|---|---|
# | `linear` | simple; close to noise at $T = 1000$ | 0.371 of the steps at $\lambda \le -4$ |
# | `cosine` | 0.835 of the steps in the middle | its last steps need a clip |
# | `quadratic` | loses little early: $\bar\alpha_{250} = 0.8796$ | leaves too much at the end, 0.00114 |
# | `logarithmic` | ends in noise | 0.708 of the steps at $\lambda \le -4$: the signal is gone at once |
#
# Is this why `cosine` gives better images? It may be part of the reason: [ND21, Fig. 4] could skip up to a fifth of
# the reverse steps of `linear` at 64×64 with little harm, which fits the 0.371. Another argument is that human
# perception is logarithmic; nothing here tests it.

# %% [markdown] topics="C109"
# ### Detour · How fast does log-SNR fall?
#
# How fast is a schedule on the axis of log-SNR, and why must you name the axis?

# %% [markdown]
# **Predict.** How far does $\lambda$ fall per step? Sketch this speed for `linear` and for `cosine` against
# $\lambda$, from clean to noisy.

# %%
def speed(schedule, lam):
    """How far log-SNR falls in the step that crosses lam, nats per step."""
    t = (schedule.log_snr.unsqueeze(1) > lam).sum(0)  # time_of, for many lam at once
    return schedule.log_snr[t - 1] - schedule.log_snr[t]


lam = torch.arange(6, -9, -0.5, dtype=torch.float64)
speeds = {s.name: speed(s, lam) for s in (linear, cosine, schedules.sigmoid())}

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
falls = [linear.log_snr[k] - linear.log_snr[k + 1] for k in (1, 10, 100, 250, 999)]
print("  linear at t = 1, 10, 100, 250, 999:", *[f"{float(v):.4f}" for v in falls])

# %% [markdown]
# `linear` does not lose information at a constant rate: 0.7882 after $t = 1$, 0.0107 at $t = 250$, 0.0202 at the
# end. At $\lambda = 6$, 2 and 0 `cosine` is about half as fast; at $-4$ and $-6$ it is faster. So it saves its
# steps for the middle.
#
# Always name the axis. That `linear` is "too slow late" holds for $\bar\alpha$, which has only 0.0034 left to lose
# in the last quarter. On the axis of $\lambda$ its last step is nearly twice as large as the one at $t = 250$.

# %% [markdown]
# ## 4 · Does the chain end in noise?
#
# Sampling starts from $N(0, I)$, while training has seen $q(x_T \mid x_0)$. The gap between the two is the prior
# term $L_T$ (5.14), and no network can reduce it. For one number of the data with $x_0^2 = 1$, everything but the
# logarithm cancels:
#
# $$L_T = \tfrac12\bigl[(1-\bar\alpha_T) + \bar\alpha_T x_0^2 - 1 - \log(1-\bar\alpha_T)\bigr]
# = -\tfrac12\log(1-\bar\alpha_T) . \tag{6.7}$$

# %%
# eq: 6.7
# claim: E62
def terminal_nats(schedule):
    """L_T in nats per number, for x_0^2 = 1."""
    return -0.5 * math.log1p(-float(schedule.abar[-1]))


one = torch.ones(1, 1, dtype=torch.float64)
prior = gaussians.Gaussian(torch.zeros_like(one), torch.tensor(1.0))
for s in (linear, cosine, schedules.linear(T=100)):
    kl = float(gaussians.kl(forward.marginal(s, one, s.T), prior))
    print(f"{s.name:>6}, T = {s.T:4}: L_T by (6.7) {terminal_nats(s):.3g} nats, KL {kl:.3g} nats")

# %% [markdown]
# Five good, published tutorials have schedules of their own: *The Annotated Diffusion Model* (Hugging Face),
# *Diffusion from scratch* (FilippoMB), the notebooks of the book *Understanding Deep Learning* (udlbook), those of
# ACIDS at IRCAM (approximated by our `sigmoid`, $\beta$ from 1e-5 to 1e-2), and *tiny-diffusion*.
#
# **Predict.** `linear` was made for $T = 1000$. To be quick, one of the tutorials sets $T = 300$ and keeps the
# betas from 1e-4 to 0.02. Which signal factor $\sqrt{\bar\alpha_T}$ is left: about 0.001, 0.02 or 0.2?

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
print("                    T     abar_T  sqrt(abar_T)  SNR_T   L_T, bits per number")
for name, s in published.items():
    values = [s.abar[-1], s.signal[-1], s.snr[-1], terminal_nats(s) / math.log(2)]
    print(f"{name:>15}{s.T:6}" + "".join(f"{float(v):11.2g}" for v in values))

# %% [markdown]
# It is 0.22. In the last two images you can even read the digit: 0.6 of the variance is still signal. A sampler that
# starts from $N(0, I)$ then gives the network inputs that it never saw in training. The cause is always the same:
# fewer steps, and betas that stayed small.
#
# ### Exercise 6.4 · Another T, noise again
#
# Since $\log(1-\beta) \approx -\beta$ for small $\beta$, (6.1) says $\bar\alpha_T \approx e^{-\sum_t\beta_t}$: the
# *sum* of the betas decides. Return a `schedules.linear(T, beta_1, beta_T)` whose betas have the same sum as with
# $T = 1000$: multiply both ends, 1e-4 and 0.02, by one factor. Which one? (For $T > 20$; a beta must stay below 1.)

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
# On the right every chain ends in noise. At $T = 25$ the noise is even purer, because $\log(1-\beta)$ is below
# $-\beta$, and the larger $\beta$ is, the wider the gap. To learn what $T$ alone does, compare models trained with
# the schedules on the right; on the left two things change at once.

# %% [markdown]
# ## 5 · A trace of signal reveals the brightness
#
# `linear` leaves 4.04e-05 of the variance. In one pixel that is nothing, but a network sees all pixels. Suppose an
# image of $n$ numbers is brighter than gray by $m$ everywhere. The average of $n$ independent noises of variance 1
# has variance $1/n$, so the mean of $x_T$ is
#
# $$\frac1n\sum_{i=1}^{n} x_{T,i} = \sqrt{\bar\alpha_T}\,m + \sqrt{\frac{1-\bar\alpha_T}{n}}\;z ,
# \quad z \sim N(0,1) , \qquad \mathrm{SNR}_{\text{mean}} = n\,m^2\,\mathrm{SNR}_T . \tag{6.8}$$
#
# In units of its noise, the mean is $\pm\sqrt{\mathrm{SNR}_{\text{mean}}} + z$, so its sign is right with probability
# $\Phi(\sqrt{\mathrm{SNR}_{\text{mean}}})$, where $\Phi$ is the distribution function of $N(0, 1)$
# (`torch.special.ndtr`).
#
# **Predict.** You get 200 images at $t = T$, 256×256 pixels in three colors. Half come from bright images
# ($m = 0.5$), half from dark ones ($m = -0.5$). You classify each by the sign of its mean: how many will you get
# right?

# %%
# eq: 6.8
# claim: E90
def guessed_right(schedule, rng, m=0.5, size=(3, 256, 256)):
    """How many of 200 noise images reveal their brightness by the sign of their mean."""
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
# You get 183 right. The SNR of the mean is 1.98; at 512×512 it is 7.94, at 32×32 only 0.031.
#
# So on large images a network can learn to read the brightness off $x_T$. In sampling it always meets a mean of about
# 0, and then makes images of medium brightness. [Lin23] found this in well-known models and proposed **zero terminal
# SNR**: shift and stretch $\sqrt{\bar\alpha}$ so that its first value stays and its last becomes 0,
#
# $$\sqrt{\bar\alpha_t}\;\longrightarrow\; \bigl(\sqrt{\bar\alpha_t} - \sqrt{\bar\alpha_T}\bigr)
# \frac{\sqrt{\bar\alpha_1}}{\sqrt{\bar\alpha_1} - \sqrt{\bar\alpha_T}} , \qquad t = 1, \dots, T .
# \tag{6.9}$$
#
# ### Exercise 6.5 · Zero terminal SNR
#
# Write (6.9). It applies to $t \ge 1$; row 0 stays 1. The last row must be *exactly* 0. Leave the given schedule
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
for row in (1, 500, 1000):
    print(f"sqrt(abar_{row}): {float(linear.signal[row]):.6f} -> {float(mended.signal[row]):.6f}")
print(f"beta_T: {float(linear.beta[-1]):.3f} -> {float(mended.beta[-1]):.3f}")
print(f"right: {guessed_right(mended, gaussians.seeded(2))} of 200")
try:
    predictions.convert(mended, eps, "eps", eps, mended.T)  # x_T is eps now; so is the answer
except ValueError as error:
    print("ValueError:", str(error).split(";")[0])

# %% [markdown]
# Now 100 of 200 are right, no better than guessing. The repair has a price: $\beta_T = 1$, so $x_T$ *is* the noise. A
# network that predicts $\epsilon$ only has to copy its input there, and
# $\hat x_0 = (x_T - \sqrt{1-\bar\alpha_T}\,\hat\epsilon)/\sqrt{\bar\alpha_T}$ is $0/0$, which the package refuses to
# compute. Networks that predict $x_0$, or the $v$ of [chapter 09](09_predictions.ipynb), have no such problem.

# %% [markdown] topics="C110"
# ## Detour · How much does a noisy image tell about the clean one?
#
# Information theory answers in bits. It gives SNR a meaning, and the schedule a relation to channel capacity and
# to optimal transport.

# %% [markdown]
# Let $x_0 \sim N(0,1)$. Then $x_t$ has standard deviation 1, and its noise has standard deviation
# $\sqrt{1-\bar\alpha_t}$. So $1/\sqrt{1-\bar\alpha_t} = \sqrt{1+\mathrm{SNR}_t}$ noise widths fit into the spread
# of $x_t$, and about that many values can be distinguished. The logarithm of this number is the **mutual
# information** of $x_0$ and $x_t$: by how much knowing $x_0$ lowers the entropy $h = -E[\log p]$ of $x_t$. The
# entropy of $N(m, v)$ is $\tfrac12\log 2\pi e\,v$. So, for each number,
#
# $$I(x_0; x_t) = h(x_t) - h(x_t \mid x_0)
# = \tfrac12\log 2\pi e - \tfrac12\log 2\pi e\,(1-\bar\alpha_t)
# = -\tfrac12\log(1-\bar\alpha_t) = \tfrac12\log(1+\mathrm{SNR}_t) . \tag{6.10}$$
#
# At a given variance no distribution has more entropy than the Gaussian. So for *any* data of unit variance (6.10)
# is an upper bound: the most that a channel with Gaussian noise can carry, its *capacity*.
#
# ### Exercise 6.6 · Information, in bits
#
# From a tensor of SNRs return how many *bits* of information one number of $x_t$ carries about $x_0 \sim N(0,1)$.
# (`torch.log` gives nats.)

# %% tags=["exercise"]
def my_information(snr):
    """Return I(x_0; x_t) in bits per number."""
    ### BEGIN SOLUTION
    return 0.5 * torch.log2(1 + snr)
    ### END SOLUTION


information = check("schedules.information", my_information)

# %% [markdown]
# **Predict.** Let $x_0$ be $+1$ or $-1$ with equal probability: again unit variance, but it holds only one bit.
# Where will its curve leave the Gaussian one?

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
two = torch.tensor([bits(modes * abar.sqrt(), 1 - abar, 1 - abar) for abar in lam.sigmoid()])

# %%
fig, ax = figures.new(width=7)
ax.plot(lam, information(lam.exp()), "k-", label="½ log₂(1 + SNR)")
ax.plot(lam[::3], normal[::3], "k.", label="x_0 ~ N(0, 1), by quadrature")
ax.plot(lam, two, "k--", label="x_0 = ±1, by quadrature")
ax.set(xlim=(6, -6), xlabel=r"$\lambda$, nats (clean on the left)", ylabel="bits per number")
ax.legend()
figures.show(fig, alt="Information falls with log-SNR; the ±1 data never give more than one bit.")
print("(6.10) and quadrature agree:", torch.allclose(normal, information(lam.exp()), atol=1e-6))
for level in (6, 2, 0, -2, -6):
    at = lam == level
    print(f"lambda = {level:2}: N(0,1) {float(normal[at]):.4f} bits, ±1 {float(two[at]):.4f} bits")

# %% [markdown]
# The bound holds everywhere. In the noisy half the curves nearly coincide, with 0.0916 and 0.0915 bits at
# $\lambda = -2$. In the clean half the $\pm1$ data have no more than their one bit to give.
#
# What does this say about the end of the chain, and about the path that leads there?

# %%
# claim: E15
for k in (1, linear.T):
    print(f"t = {k:4}: at most {float(linear.information[k]):.3g} nats per number")
for side in (32, 256):
    nats = float(linear.information[-1]) * 3 * side**2
    print(f"t = 1000, {side}x{side}x3: at most {nats:.3g} nats per image")
print(f"L_T by (6.7): {terminal_nats(linear):.3g} nats per number")
for s in (linear, cosine):
    turns = s.signal.arccos().diff()[100:900]  # (signal, noise) = (cos, sin) of an angle
    print(f"{s.name}: {float(turns.min()):.5f} to {float(turns.max()):.5f} radians per step")

# %% [markdown]
# At $t = 1$ a number of $x_t$ carries up to 4.61 nats about $x_0$; at $T$ only 2.02e-05, exactly $L_T$. A 32×32 color
# image has at most 0.062 nats left, a 256×256 one 3.97: the trace of signal again. So $x_T$ is not a *code* of $x_0$:
# the chain is made to forget.
#
# Is some schedule the *shortest* path to noise? Among variance preserving schedules all paths from data to noise are
# equally long: as points (signal factor, noise factor), all follow the same quarter circle, `cosine` at a steady
# 0.00156 radians a step. A straight line, $(1-u)\,x_0 + u\,\epsilon$, is a different path; flow matching takes it.
# Optimal transport asks yet another question: which noise should be paired with which image, so that the mean squared
# distance is smallest? Here $x_0$ and $\epsilon$ are drawn independently, and no schedule changes that.

# %% [markdown] topics="C107"
# ## 6 · Larger images need more noise
#
# Should a larger image get the same schedule?
#
# **Predict.** Enlarge a small image and noise it at the same $t$. Is it now easier or harder to recognize?

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
pick = int((labels[:100] == 3).nonzero()[1])  # the digit of the first figure
enlarge = torch.nn.Upsample(size=32, mode="nearest")  # for the eye: all panels alike
shown = [x_0, *(enlarge(view[[pick]].float()) for view in views.values())]
fig = figures.images(torch.cat(shown), ["clean", *views], panel=1.7, limit=2)
figures.show(fig, alt="A digit, clean and noised, 8×8 and 32×32: block averages bring it back.")
for name in ("8×8", "32×32, averaged"):
    print(f"{name:>15}: SNR measured {1 / float((views[name] - small).var()):.3f}")

# %% [markdown]
# Easier. Each pixel is as noisy as before, but your eye averages, and so does a network. Block averages of the
# enlarged digits have 16 times the SNR of the small ones, 3.878 against 0.243.
#
# ### Exercise 6.7 · The SNR of block averages
#
# From SNRs per pixel return the SNRs of $k \times k$ block averages. All pixels of a block have the same signal
# and independent noises. (SNR compares variances. What is the variance of the mean of $n$ independent noises?)

# %% tags=["exercise"]
def my_seen_by_blocks(snr, k):
    """Return the SNR of a k x k block average."""
    ### BEGIN SOLUTION
    return snr * k**2
    ### END SOLUTION


seen_by_blocks = check("schedules.seen_by_blocks", my_seen_by_blocks)

# %% [markdown]
# The average keeps the signal, and the standard deviation of its noise is $k$ times smaller:
#
# $$\frac1{k^2}\sum_{i=1}^{k^2}\bigl(\sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\epsilon_i\bigr)
# = \sqrt{\bar\alpha_t}\,x_0 + \frac{\sqrt{1-\bar\alpha_t}}{k}\,z , \qquad
# \mathrm{SNR}^{\text{block}}_t = k^2\,\mathrm{SNR}_t . \tag{6.11}$$
#
# The remedy is to shift the whole log-SNR curve by $-2\log k$: divide every SNR by $k^2$, `schedules.scaled_snr`
# [Hoo23, Chen23]. By (6.3), dividing the data by $k$ has the same effect.

# %%
# eq: 6.11
# claim: E96
print(f"SNR per pixel {float(linear.snr[at]):.3f}, of 4 x 4 blocks by (6.11) "
      f"{float(seen_by_blocks(linear.snr[at], k)):.3f}")
repaired = averaged(schedules.scaled_snr(linear, 1 / k**2), large, k)
print(f"after the shift, 4 x 4 blocks: SNR measured {1 / float((repaired - small).var()):.3f}")
for s in (linear, cosine):
    crossings = {n: int((seen_by_blocks(s.snr, n) > 1).sum()) for n in (1, 2, 4, 8)}
    print(f"{s.name}: n x n blocks reach SNR = 1 at t =", crossings)
    shifted = schedules.scaled_snr(s, 1 / 8**2)
    crossing = int((seen_by_blocks(shifted.snr, 8) > 1).sum())
    print(f"{s.name} with SNR / 64: 8 x 8 blocks reach it at t = {crossing}")
print(f"log-SNR moved by {float(shifted.log_snr[500] - s.log_snr[500]):.3f}")

# %% [markdown]
# Seen in blocks of 8×8, `cosine` spends 921 of its 1000 steps before noise takes over; after a shift by $-4.159$
# it is 497 again. (In a photograph blocks are not quite flat, and the gain is somewhat below $k^2$.) [ND21]
# proposed `cosine` because `linear` was too noisy for *small* images, 64×64 and 32×32.
#
# For special images, medical ones for example, we know of no tested rule. (6.8) says what to look at: a feature of
# contrast $m$ that covers $n$ pixels has the SNR $n\,m^2\,\mathrm{SNR}_t$. Faint, small features disappear first.

# %% [markdown]
# ## 7 · Try it: the schedule designer
#
# The explorer shows six linked views of one schedule. Predict first, then move a slider, then look.
#
# 1. Start with `linear` and $T = 1000$, and lower $T$. Where does the gauge change to "signal survives"? Raise
#    `beta_T` until it changes back.
# 2. Choose `cosine` at $T = 50$. Why does the gauge stay at "gone"? Lower `beta_max` to 0.5.

# %%
explorer = explorers.schedule_designer()
print(explorer)  # the figure in words
explorer

# %% [markdown]
# <details><summary>What you should have seen</summary>
#
# 1. At $T = 500$, where the table of Exercise 6.4 has 0.00635. A larger `beta_T` repairs it, as in that exercise.
# 2. `cosine` is a function of $t/T$, so it ends in noise at any $T$, until the clip takes effect.
#
# </details>

# %% [markdown] topics="C108"
# ## Detour · Your own schedule
#
# Design a schedule that falls slowly, then fast, then slowly.

# %% [markdown]
# A popular wish is to preserve the data early on, reach noise at the end, and go *slow, fast, slow*, like an S. On which
# axis? In $\beta$, `sigmoid` does it; in $\bar\alpha$, `cosine`. In $\lambda$ no schedule in this package does, so
# you will write one.
#
# ### Exercise 6.8 · An S in log-SNR
#
# Write a function from $T$ to a schedule with (1) $\bar\alpha_1 \ge 0.99$, (2) $\bar\alpha_T \le 0.001$, and (3)
# $\lambda$ falling at least 1.5 times as fast in the middle third of the steps as in the first and in the last.
# Many answers are right. `schedules.from_log_snr` takes $\lambda_1, \dots, \lambda_T$.

# %% tags=["exercise"]
def my_s_shaped(T):
    """Return a Schedule whose log-SNR falls slow, fast, slow."""
    ### BEGIN SOLUTION
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    return schedules.from_log_snr(8 * torch.cos(math.pi * u))
    ### END SOLUTION


s_shaped = check("schedules.s_shaped", my_s_shaped)

# %%
rivals = {"S in log-SNR": s_shaped(1000), "cosine": cosine, "sigmoid": schedules.sigmoid()}
t = torch.arange(1, 1001)
fig, (left, right) = figures.new(1, 2, width=8.5, height=3.0)
draw(left, t, {name: s.abar[1:] for name, s in rivals.items()}, xlabel="t", ylabel=fraction)
draw(right, t, {name: s.log_snr[1:] for name, s in rivals.items()}, xlabel="t",
     ylabel=r"$\lambda_t$, nats (cut off at −14)", ylim=(-14, 11))
left.legend(fontsize=9)
figures.show(fig, alt="The S in log-SNR is a cliff in abar; cosine is an S in abar only.")
print("                fall of log-SNR in three thirds    fall of abar        steps in (-4, 4]")
for name, s in {**rivals, **{s.name: s for s in family}}.items():
    thirds = [-table[[1, 334, 667, 1000]].diff() for table in (s.log_snr, s.abar)]
    shown = "    ".join(" ".join(f"{float(v):7.3f}" for v in third) for third in thirds)
    print(f"{name:>14}  {shown}  {steps_in_band(s, -4, 4):10.3f}")

# %% [markdown]
# The course's own answer is
#
# $$\lambda_t = 8\cos\Bigl(\pi\,\frac{t-1}{T-1}\Bigr) . \tag{6.12}$$
#
# Look where this wish leads. The S rushes through $(-4, 4]$, where the image takes shape, with 0.333 of its
# steps (`cosine`: 0.835), and lingers where there is little to do. In $\lambda$ all seven schedules of section 2 go
# fast, *slow*, fast. Such a wish means nothing until you name the axis.

# %%
# eq: 6.12
u = torch.linspace(0, 1, 1000, dtype=torch.float64)
own = schedules.from_log_snr(8 * torch.cos(math.pi * u))
print("wishes (1), (2) for (6.12):", [f"{float(own.abar[k]):.4g}" for k in (1, -1)])

# %% [markdown]
# Is there a best schedule? For the bound of chapter 08 there is half an answer, in a detour of
# [chapter 08b](08b_weights_and_bits.ipynb).

# %% [markdown]
# ## Recap
#
# A schedule is a path along log-SNR, and $t$ is only a label on it. Where log-SNR falls slowly, the schedule
# spends its steps. Where it ends decides whether sampling starts from the right distribution. Few steps need large
# betas, and a larger image needs its whole curve shifted down.
#
# **One formula to keep**
#
# $$\lambda_t = \log\frac{\bar\alpha_t}{1-\bar\alpha_t}$$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | what is left at $T$ depends on the schedule *and* on $T$ | the signal vanishes at $T$ | 0.6 of the variance left with $T = 50$ |
# | `cosine` is designed on $\bar\alpha$; its end is so fast that it is clipped | it is designed on SNR and ends slowly | last betas 0.556, 0.75, 0.999 |
# | blocks see $k^2$ times the SNR: large images need more noise | `linear` for small images, `cosine` for large ones | SNR 3.878 against 0.243 |
#
# **Exercises:** 6.1 `schedules.log_snr` · 6.2 `schedules.beta_from_abar` · 6.3 `schedules.steps_in_band` ·
# 6.4 `schedules.rescaled` · 6.5 `schedules.zero_terminal` · 6.6 `schedules.information` ·
# 6.7 `schedules.seen_by_blocks` · 6.8 `schedules.s_shaped`
#
# **Before:** [05 · How does data become noise, in one line?](05_forward.ipynb) · **Next:**
# [07 · Where was the chain a moment ago?](07_posterior.ipynb)
