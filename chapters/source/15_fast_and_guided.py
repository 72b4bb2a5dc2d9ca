# %% [markdown]
# # 15 · How few steps are enough?
#
# You can call a trained network a thousand times for one image, or ten times. Nothing has to be trained again: the
# number of steps is decided when you sample. Which sampler loses the least quality when calls are few, and where
# should its timesteps lie? Chapter 10b asked this for a perfect denoiser on toy data. Here we measure it on a trained
# network, with a baseline and error bars.
#
# **After this chapter you can**
#
# - compare samplers on a trained network, and say which differences are within noise,
# - explain why extrapolation works with DDIM's predictions and not with those of ancestral sampling,
# - choose timesteps and a sampler for a small number of calls,
# - compute the best variance of a long reverse step from the network's own error,
# - say what sampling costs, and which methods make it cheaper.
#
# **You need** ancestral sampling from [10 · Sampling without learning](10_sampling_without_learning.ipynb) and a
# trained network from [11 · Learning to denoise](11_learning_to_denoise.ipynb). What this chapter uses from
# [10b](10b_fewer_steps.ipynb) (DDIM and the ODE solvers), from [07b](07b_reverse_variance.ipynb) (the best variance)
# and from [14b](14b_sample_quality.ipynb) (distances between sets of images) is recalled in a few lines.
#
# **Time:** About {road} minutes. It runs in about 30 seconds.
#
# **For what comes next you need** the sections up to "Where should the timesteps lie?" for [15b · Guidance and
# editing](15b_guidance_and_editing.ipynb). Both parts share one numbering: exercises 15.1 and 15.2 and formulas
# (15.1), (15.9) and (15.10) are here, the others there.
#
# **In the papers:** [Song21a] and [Lu22] for few steps; [ND21, Sec. 3.1] and [Bao22] for the variance.

# %%
import json
import math
from functools import partial

import torch

from ddpm_lab import datasets, forward, metrics, samplers, schedules, training
from ddpm_lab.course import compare_samplers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, normal_like, seeded
from ddpm_lab.training import models, pretrained

model = pretrained.load("digits")  # trained with labels on 8 × 8 digits
schedule = model.schedule
classifier, _ = training.load(pretrained.path("features_digits"))
train, train_labels = datasets.digits("train")
test, test_labels = datasets.digits("test")

# %% [markdown] topics="C170"
# ## A first look: from 1 to 50 calls
#
# `pretrained.load` opens a network that comes with the course. This one draws 8 × 8 digits, and it takes the label
# of the digit as an input: you ask for a 3 and get a 3. (Part 15b explains how it also works without one.)
# `models.sample` draws images, by default with DPM-Solver++(2M), the solver of chapter 10b that remembers its
# previous prediction of $x_0$ and calls the network once per step.
#
# **Predict.** All rows below start from the same noise. How many calls does it take until you can read the digits?
# And until the images stop changing?

# %%
ten = torch.arange(10)
few = {n: models.sample(model, 10, label=ten, steps=n, generator=seeded(1))
       for n in (1, 2, 4, 10, 50)}
fig = figures.images(torch.cat([*few.values()]), columns=10, panel=0.62,
                     row_labels=[f"{n} calls" for n in few])
figures.show(fig, alt="Digits 0 to 9: gray with 1 call, clear with 4, the same from 10 to 50.")
for n, x in few.items():
    read = metrics.accuracy(classifier, x, ten).value
    change = (x - few[50]).square().mean().sqrt()
    print(f"{n:2} calls: {read:.0%} read as asked, {change:.2f} from the images with 50 calls")

# %% [markdown]
# With one call you see a mean, the blurred average of a digit (chapter 10). With four, you can read the digits, and
# from 10 to 50 calls they hardly change. So are ten calls as good as a thousand? Your eye judges single images; it is
# a poor judge of *distributions*. A classifier does not help either: it reads all ten gray means as the digits we
# asked for, and misreads one of the clear digits made with 50 calls. We need a distance between distributions.

# %% [markdown] topics="C167 C170 C172"
# ## Five samplers on a trained network
#
# Chapters 10 and 10b compared samplers with a perfect denoiser. Now the denoiser is a trained network. Any of the
# five samplers below can use it (DDPM counts as two, one for each variance), because training fixes the marginals
# $q(x_t \mid x_0)$ and nothing else: a sampler is a choice made afterwards. In one line each (derived in chapters 10
# and 10b):
#
# | sampler | a step from $t$ to $s$ | calls per step |
# |---|---|--:|
# | DDPM | draws $x_s$ from the posterior with $\hat x_0$ in place of $x_0$; the variance is that of the posterior (small) or of the forward process (large) | 1 |
# | DDIM | combines $\hat x_0$ with the noise that $x_t$ and $\hat x_0$ imply; no fresh noise | 1 |
# | Heun | follows the ODE that DDIM solves, the probability-flow ODE, and corrects each step by a second evaluation at its end | 2 |
# | DPM++(2M) | DPM-Solver++(2M): extrapolates $\hat x_0$ from the last two predictions | 1 |
#
# The cost is counted in **calls of the network**. Heun's method makes two per step, so it gets half as many steps.
# Let us count them to be sure.

# %%
figures.show_source(compare_samplers.sample)
figures.show_source(compare_samplers.labels_and_noise)
sample = partial(compare_samplers.sample, schedule)
labels_and_noise = partial(compare_samplers.labels_and_noise, train_labels)

# %%
count = 0


def counted(x_t, t):
    """The network, and a count of how often it is called."""
    global count
    count += 1
    return models.denoiser(model)(x_t, t)


for name in compare_samplers.SAMPLERS:
    count = 0
    sample(name, counted, labels_and_noise(1, 0)[1], 10)
    print(f"{name:>11}, with a budget of 10 calls: makes {count}")

# %% [markdown]
# The metrics are those of chapter 14b. The **energy distance** is twice the mean distance between a sample and a real
# digit, minus the mean distances within the samples and within the real digits. On average it is 0 if both have the
# same distribution, and above 0 otherwise. The **Fréchet distance** compares mean and covariance of 32 features of a
# small classifier; even perfect samples score above 0, so it means nothing without a baseline. Our **baseline** is
# the score of real digits: we replace the samples by 200 real *training* digits, score them against the same 901
# held-out digits, and repeat this ten times.

# %%
label, x_T = labels_and_noise(200, 0)
denoise = models.denoiser(model, label)
test_features = metrics.features(classifier, test)


def baseline(metric, real, target, n):
    """(lowest, highest) of ten scores of n real training items in the place of samples."""
    rng = seeded(1)
    some = [real[torch.randperm(len(real), generator=rng)[:n]] for _ in range(10)]
    scores = [metric(items, target).value for items in some]
    return min(scores), max(scores)


lowest, highest = baseline(metrics.energy_distance, train, test, 200)
print(f"baseline, energy distance:  from {lowest:.3f} to {highest:.3f}")
features = metrics.features(classifier, train)
lowest, highest = baseline(metrics.frechet, features, test_features, 200)
print(f"baseline, Fréchet distance: from {lowest:.3f} to {highest:.3f}")

# %% [markdown]
# **Predict.** We draw 200 images with each sampler, with 4 and with 10 calls. Which sampler is ahead? Which ones
# reach the baseline?

# %%
# claim: E75
print("energy distance ± its standard error, then Fréchet distance; with 4 and with 10 calls")
for name in compare_samplers.SAMPLERS:
    line = []
    for n in (4, 10):
        x = sample(name, denoise, x_T, n)
        energy = metrics.energy_distance(x, test)
        frechet = metrics.frechet(metrics.features(classifier, x), test_features)
        line.append(f"{energy.value:+.3f} ± {energy.stderr:.3f}, {frechet.value:.2f}")
    print(f"{name:>11}:  " + "   ".join(line))

# %% [markdown]
# With 4 calls the digits can be read, and yet every energy distance is above the baseline, whose upper end is
# 0.027. Heun's method is ahead with 0.049, although it takes only two steps. With 10 calls all five lie within the
# baseline, between 0.001 and 0.025: with 200 images this metric cannot distinguish them from real digits. The
# Fréchet distance detects no difference at all: every entry is within its baseline.
#
# Ancestral sampling (DDPM) also runs in 4 or 10 steps. The samplers differ in their error, not in whether they can
# skip steps.
#
# ### More images
#
# Two hundred images are too few to rank good samplers. So we ran the same functions once with more images: 800 for
# each entry, in four runs of 200 (`python tools/compare_samplers.py`, a few minutes).

# %%
long = json.loads(pretrained.path("digits").with_name("compare_samplers.json").read_text())
scores = {name: torch.tensor(found["energy"]) for name, found in long["samplers"].items()}


def show_table(runs):
    """A row for each number of calls: mean ± standard error over the runs, sampler by sampler."""
    print("calls" + "".join(f"{name:>16}" for name in runs))
    for k, n in enumerate(long["calls"]):
        cells = (f"{e[k].mean():.3f} ± {e[k].std() / len(e[k]) ** 0.5:.3f}" for e in runs.values())
        print(f"{n:5}" + "".join(f"{cell:>16}" for cell in cells))


# %%
lowest, highest = baseline(metrics.energy_distance, train, test, long["images"])
fig, ax = figures.new(width=7.5, height=3.6)
for (name, e), color, dash in zip(scores.items(), figures.COLORS, figures.DASHES):
    mean, error = e.mean(1), e.std(1) / e.shape[1] ** 0.5  # e: (numbers of calls, runs)
    ax.errorbar(long["calls"], mean, yerr=error, color=color, linestyle=dash, marker="o",
                markersize=4, capsize=3, label=name)
ax.axhspan(lowest, highest, color=figures.GRAY, alpha=0.25, label="baseline")
ax.set(xscale="log", xlabel="calls of the network", ylabel="energy distance, data units")
ax.set_xticks(long["calls"], long["calls"])
ax.legend(fontsize=9)
figures.show(fig, alt="Energy distance against calls: all fall; DDPM needs most calls to get down.")
show_table(scores)
print(f"baseline from {lowest:.3f} to {highest:.3f}")

# %%
print("energy distance minus that of Heun's method with as many calls")
show_table({name: e - scores["Heun"] for name, e in scores.items() if name != "Heun"})

# %% [markdown]
# An error bar is the standard error of the mean of four runs. The first table shows two things. From 20 calls on,
# every mean is within the baseline. And the single run above happened to be a favorable one: with 10 calls the small
# variance scored 0.025 there, but 0.045 on average over four runs.
#
# The second table is more precise. Within a run, all samplers start from the same noise and labels and are compared
# with the same real digits, so much of the random variation between runs cancels in a *difference*. This is a
# **paired comparison**.
#
# - **4 to 10 calls.** Heun's method is ahead of all others. With 10 calls DPM-Solver++(2M) is 0.008 ± 0.001
#   behind, DDIM 0.017 ± 0.001, the large variance 0.017 ± 0.004, the small one 0.031 ± 0.005.
# - **20 calls.** DPM-Solver++ has nearly caught up (0.002). DDIM is 0.007 behind, the small variance 0.012 ±
#   0.004, the large one 0.004 ± 0.003.
# - **50 and 200 calls.** Little is left to gain. DDIM is still measurably behind Heun's method, but only by 0.003
#   at 50 calls, a small fraction of the width of the baseline. DDPM with either variance is within two standard
#   errors of Heun's method.
#
# How many calls does a sampler need to come as close as it does with 200? On this network, with evenly spaced
# timesteps, Heun's method needs 6 to 10, DDPM about 20 with the large variance and 50 with the small one. Going
# from 50 to 200 calls brings no improvement that 800 images can show.

# %% [markdown] topics="C196"
# ## Why does fresh noise spoil extrapolation?
#
# DPM-Solver++(2M) costs as much as DDIM and is better with few calls. DDIM keeps $\hat x_0$, its current estimate of
# $x_0$, fixed during a step; this solver *extrapolates* it from the last two estimates. This is (10.16) of part 10b,
# with $\lambda = \log(\text{signal}/\text{noise})$, half of the log-SNR of chapter 06, $h = \lambda_s - \lambda_t$
# for this step and $h'$ for the step before:
#
# $$x_s = \frac{\text{noise}_s}{\text{noise}_t}\,x_t + \text{signal}_s\,(1 - e^{-h})\,D, \qquad
# D = \hat x_0 + \frac{h}{2h'}\,(\hat x_0 - \hat x_0'), \tag{15.1}$$
#
# where $\hat x_0'$ is the estimate from the previous step. $D$ predicts what the estimate will be in the middle of
# the step, which works if the estimate changes steadily. Does it? **Predict.** Consider how the estimate changes from
# step to step, and take the cosine of the angle between two successive changes. What will it be on average in a run
# of DDIM, and in a run of DDPM?

# %%
# eq: 15.1
first, second, *_ = samplers.dpmpp_2m(schedule, denoise, x_T, times=[1000, 800, 650, 400])
lam = (schedule.signal / schedule.noise).log()
h, h_before = lam[650] - lam[800], lam[800] - lam[1000]
D = second.x0_hat + float(h / (2 * h_before)) * (second.x0_hat - first.x0_hat)
by_hand = (schedule.noise[650] / schedule.noise[800] * second.x_t
           + schedule.signal[650] * -torch.expm1(-h) * D)
print("(15.1) is what samplers.dpmpp_2m does:",
      torch.allclose(by_hand.float(), second.x_s, atol=1e-5))

# %%
for name in ("DDIM", "DDPM, small"):
    sampler = compare_samplers.SAMPLERS[name]
    steps = list(sampler(schedule, denoise, x_T, generator=seeded(1),
                         times=schedules.timesteps(1000, 20)))
    x0_hat = torch.stack([step.x0_hat.flatten(1) for step in steps[:-1]])
    change = x0_hat[1:] - x0_hat[:-1]
    cosine = torch.cosine_similarity(change[1:], change[:-1], dim=2).mean()
    print(f"{name:>11}: successive changes of the estimate have cosine {cosine:+.2f}")

# %% [markdown]
# With DDIM, successive changes point in similar directions (+0.57), so a line through the last two estimates helps to
# predict the next one. With DDPM they are nearly unrelated (−0.07): the fresh noise of each step changes the estimate
# in a new direction, and the last two estimates say next to nothing about the next change.
#
# So the fresh noise that DDPM adds defeats this extrapolation. But that is not the whole reason why DDPM needs many
# calls. DDIM adds no noise, but keeps its estimate fixed during a step, and with 10 calls it is no better than DDPM
# with the large variance (0.031 both). What saves calls is to follow the estimate *within* a step.

# %% [markdown] topics="C170"
# ## Where should the timesteps lie?
#
# `schedules.timesteps` spreads the timesteps evenly over $t$. But the fine details of an image are decided at small
# $t$, and an even spacing takes few steps there. [Song21a] use a *quadratic* spacing for one of their data sets,
# CIFAR-10.
#
# ### Exercise 15.1 · Quadratic spacing
#
# Return a decreasing list of integer times from `T` to 0. Its $k$-th entry from the end, counted from $k = 0$, is
# $T\,(k/\text{steps})^2$, rounded with `round`. Leave out duplicates: near 0, two entries may round to the same
# time.

# %% tags=["exercise"]
def my_quadratic(T, steps):
    """Return [T, …, 0], crowded near 0, strictly falling."""
    ### BEGIN SOLUTION
    times = {round(T * (k / steps) ** 2) for k in range(steps + 1)}  # a set: no repetitions
    return sorted(times, reverse=True)
    ### END SOLUTION


quadratic = check("guidance.timesteps", my_quadratic)

# %% [markdown]
# **Predict.** With 5 calls: does the quadratic spacing help DDIM, DPM-Solver++(2M) and DDPM alike?

# %%
for n in (5, 10):
    print(f"{n} calls, quadratic spacing: {quadratic(1000, n)}")
    for name in ("DDIM", "DPM++(2M)", "DDPM, large"):
        even, crowded = (metrics.energy_distance(sample(name, denoise, x_T, n, times=times), test)
                         for times in (None, quadratic(1000, n)))
        print(f"{name:>11}: even {even.value:.3f} ± {even.stderr:.3f}, "
              f"quadratic {crowded.value:.3f} ± {crowded.stderr:.3f}")

# %% [markdown]
# With 5 calls the quadratic spacing brings DPM-Solver++ from 0.045 down to 0.006, well inside the baseline, and DDIM
# from 0.055 to 0.030. The large variance gets worse, from 0.054 to 0.079. With 10 calls all three gain, by at most
# 0.012, about one and a half standard errors. So with few steps, *where* they lie matters as much as *which* solver
# takes them: here DPM-Solver++ gains more from the spacing than you would gain by replacing DDIM with DPM-Solver++.
# This is one schedule, one network and one list of times. With another schedule, the same $t$ would mean a different
# noise level.

# %% [markdown] topics="C149 C150"
# ## Which variance, with few steps?
#
# We return to ancestral sampling, which adds fresh noise. Chapter 07b derived the best variance of a step from $t$ to
# $s$, (7.21): $\sigma_*^2 = \tilde\beta_{ts} + w_0^2\,E\operatorname{Var}(x_0 \mid x_t)$. Here
# $\beta_{ts} = 1 - \bar\alpha_t/\bar\alpha_s$ is the large variance,
# $\tilde\beta_{ts} = \beta_{ts}\,(1-\bar\alpha_s)/(1-\bar\alpha_t)$ the small one, and
# $w_0 = \sqrt{\bar\alpha_s}\,\beta_{ts}/(1-\bar\alpha_t)$ the weight of $\hat x_0$ in the mean of the step. The best
# variance lies between these two if $E\operatorname{Var}(x_0 \mid x_t) \le 1-\bar\alpha_t$. That holds for all data
# whose variance is at most 1, such as pixels in $[-1, 1]$; for $N(0, 4)$ it does not (07b).
#
# For a **learned variance** [ND21, Sec. 3.1], the network also outputs a number $v$ for each pixel (not the $v$ of
# chapter 09). As $v$ goes from 0 to 1, the variance goes from the small one to the large one, along a *log* scale,
# since the two may differ by a large factor:
#
# $$\sigma^2(v) = \exp\big(v \log \beta_{ts} + (1 - v) \log \tilde\beta_{ts}\big). \tag{15.9}$$
#
# ### Exercise 15.2 · Between the two variances
#
# Write (15.9) for the step from `t` to `s` (numbers, `s` at least 1). `v` may be a tensor.

# %% tags=["exercise"]
def my_learned_var(schedule, t, s, v):
    """Return the variance of the step from t to s, shaped like v."""
    ### BEGIN SOLUTION
    abar_t, abar_s = schedule.abar[t], schedule.abar[s]
    large = 1 - abar_t / abar_s
    small = large * (1 - abar_s) / (1 - abar_t)
    return torch.exp(v * large.log() + (1 - v) * small.log())
    ### END SOLUTION


learned_var = check("guidance.learned_var", my_learned_var)

# %%
# eq: 15.9
def variance(t, s, v):
    """(15.9) for a number v."""
    return learned_var(schedule, t, s, torch.tensor(v, dtype=torch.float64))


one = torch.ones(1, 1, dtype=torch.float64)
small, large = (samplers.ddpm_step(schedule, one, one, 100, 50, var=name).var
                for name in ("small", "large"))
for v, expected in ((0.0, small), (0.5, (small * large).sqrt()), (1.0, large)):
    print(f"100 → 50, v = {v}: variance {variance(100, 50, v):.5f}; "
          f"by samplers.ddpm_step {expected:.5f}")

# %% [markdown]
# Our network was not trained to choose $v$. But its own mean squared error *is* an estimate of
# $E\operatorname{Var}(x_0 \mid x_t)$, the only unknown: for the optimal denoiser the two are equal [Bao22]. So we
# can compute the best $v$ for each step. If a step uses the variance $\sigma^2$ instead of the best one,
# $\sigma_*^2$, it loses, for each pixel,
#
# $$\tfrac12\left(\frac{\sigma_*^2}{\sigma^2} - 1 - \log\frac{\sigma_*^2}{\sigma^2}\right) \text{ nats} \tag{15.10}$$
#
# of log-density, by (7.19). **Predict.** For which steps is the best $v$ near 1, and for which near 0?

# %%
def best_v(t, s):
    """The v of (15.9) with the best variance, from the network's error on held-out digits."""
    x_0, label = test[:300], test_labels[:300]
    x_t = forward.noised(schedule, x_0, t, normal_like(x_0, generator=seeded(t)))
    error = (models.denoiser(model, label)(x_t, t) - x_0).square().mean()
    abar_t, abar_s = schedule.abar[t], schedule.abar[s]
    w_0 = abar_s.sqrt() * (1 - abar_t / abar_s) / (1 - abar_t)
    small, large = variance(t, s, 0.0), variance(t, s, 1.0)
    best = small + w_0**2 * error
    return float((best / small).log() / (large / small).log())


# %%
chosen = {}  # number of steps -> {t: v}
for n in (10, 20):
    times = schedules.timesteps(1000, n)
    with torch.no_grad():
        chosen[n] = {t: best_v(t, s) for t, s in zip(times, times[1:]) if s}
    v = [f"{v:.2f}" for v in chosen[n].values()]
    print(f"{n} steps: v = {', '.join(v[:3])}, …, {', '.join(v[-3:])}")
    for v, name in ((0.0, "small"), (1.0, "large")):
        r = torch.stack([variance(t, s, best) / variance(t, s, v)
                         for (t, best), s in zip(chosen[n].items(), times[1:])])
        print(f"   the {name} variance loses {(0.5 * (r - 1 - r.log())).sum():.3f} nats per pixel")

# %%
# eq: 15.10
x = torch.linspace(-9, 9, 3001, dtype=torch.float64)  # (15.10) against a sum over a grid


def log_normal(var):
    return -0.5 * (x**2 / var + math.log(2 * math.pi * var))


for best, used in ((0.5, 0.2), (0.5, 1.3)):
    loss = (log_normal(best).exp() * (log_normal(best) - log_normal(used))).sum() * 0.006
    print(f"best {best}, used {used}: costs {loss:.4f} nats, (15.10) says "
          f"{0.5 * (best / used - 1 - math.log(best / used)):.4f}")

# %% [markdown]
# No $v$ is near 1. Far from the data, where $\bar\alpha_t \approx 0$ and the two variances are close, $v$ is about
# equal to the error itself, 0.17 at $t = 1000$; for $N(0, I)$ data it would be 1. Toward the data it rises, to 0.30
# (10 steps) and 0.41 (20 steps) in the last step that adds noise. Digits are far from $N(0, I)$: given the noisy
# image, the network knows most pixels well. For the log-density the choice matters: over 10 steps the small
# variance loses 0.041 nats per pixel and the large one 0.195; over 20 steps 0.096 and 0.232.
#
# **Predict.** What about the samples? Does the best variance give a smaller energy distance than the small and the
# large one?

# %%
# claim: E101
def ddpm_best(schedule, x_t, x0_hat, t, s):
    """The step of `ddpm` with the best variance."""
    step = samplers.ddpm_step(schedule, x_t, x0_hat, t, s)
    if not s:
        return step
    return Gaussian(step.mean, learned_var(schedule, t, s, torch.tensor(best[t])))


for n in (10, 20):
    best, times = chosen[n], schedules.timesteps(1000, n)
    run = samplers.reverse(schedule, denoise, x_T, step=ddpm_best, times=times, generator=seeded(1))
    drawn = {name: sample(name, denoise, x_T, n) for name in ("DDPM, small", "DDPM, large")}
    drawn["DDPM, best"] = samplers.final(run)
    for name, x in drawn.items():
        energy = metrics.energy_distance(x, test)
        print(f"{n} calls, {name}: energy {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# Two hundred images show no difference: 0.025, 0.018 and 0.021 with 10 calls, and 0.006, 0.005 and 0.005 with 20. The
# three differ by no more than a standard error each time. (The long comparison, which did not include the best
# variance, separates the other two: 0.045 for the small and 0.031 for the large one at 10 calls.) So whether a
# learned variance helps depends on what you measure. For these samples it brings nothing that 200 images can show;
# for the likelihood it brings a lot. The large variance, which is worse for the likelihood, even gives the better
# samples in the long comparison. (We used one $v$ for each step; [ND21] learn one for each pixel.)

# %% [markdown] topics="C161 C195 C196"
# ## What does sampling cost?
#
# Seconds depend on the machine; the number of calls does not. These times were measured once, on one core of a
# server processor, in the long comparison.

# %%
print("              calls   CPU seconds for 100 digits   energy distance")
for name, n in (("DDPM, small", 200), ("DDPM, large", 50), ("DDIM", 20), ("DPM++(2M)", 20),
                ("Heun", 10), ("DPM++(2M)", 4)):
    k = long["calls"].index(n)
    seconds, e = (torch.tensor(long["samplers"][name][key][k]) for key in ("seconds", "energy"))
    print(f"{name:>11} {n:7} {seconds.mean() / long['images'] * 100:20.1f} {e.mean():24.3f} "
          f"± {e.std() / len(e) ** 0.5:.3f}")

# %% [markdown]
# A call costs about the same whichever sampler makes it. Two hundred calls of DDPM (small variance) and twenty of
# DPM-Solver++ end about equally far from real digits, 0.015 ± 0.006 and 0.014 ± 0.006; the first takes 3.7 seconds,
# the second 0.4. But nobody needs those 200 calls: with the large variance, 50 calls of DDPM, 0.9 seconds, are
# enough.
#
# **Three ways to be faster.** What you have seen is the first: *better solvers* for the same network. Besides DDIM
# and DPM-Solver there are others, such as DEIS, which extrapolates the noise prediction with a polynomial. The
# second is **distillation**: train a student network to reach in one step the point where its teacher arrives in
# two. Repeat, and each round halves the number of steps; [SH22] go from 1024 steps or more down to 4. The third is
# a *smaller space*: run the diffusion on the latent code of an autoencoder instead of the pixels (part 15b). They
# can be combined.
#
# **Strengths and weaknesses.** A GAN needs a single call; a diffusion model needs several, even with good solvers. In
# return, its training is plain regression, without the instability of two competing networks; its samples are sharp;
# and it has a bound on the likelihood, so it can be compared in bits. It is also said that diffusion models have no
# latent code that you could edit. Part 15b tests that.

# %% [markdown]
# ## Popular claims, checked
#
# - **DDPM can also take few steps.** You do not need a non-Markovian sampler for that; the samplers differ in their
#   error. At 20 calls the means of all five samplers are within the baseline of 200 real digits.
# - **A learned variance helps the likelihood.** With 10 or 20 steps a fixed one loses 0.041 to 0.232 nats per
#   pixel, even though 200 samples do not show it.
# - **Four calls give readable digits, not the right distribution.** Readable is a property of one image. At 4
#   calls every energy distance is above the baseline.

# %% [markdown]
# ## Recap
#
# The cost of sampling is the number of network calls. With a trained network and 4 to 10 calls Heun's method is
# ahead, then DPM-Solver++(2M); from 50 calls on, every sampler is within 0.006 of Heun's method, far less than the
# width of the baseline. Without fresh noise the estimate changes steadily, so a solver can extrapolate it. With few
# calls the spacing of the timesteps matters as much as the solver. The best variance of a long step follows from the
# network's own error, and it improves the likelihood.
#
# **One formula to keep**
#
# $$D = \hat x_0 + \frac{h}{2h'}\,(\hat x_0 - \hat x_0')$$
#
# **Exercises:** 15.1 `guidance.timesteps` · 15.2 `guidance.learned_var`
#
# **To think about.** All distances here are measured on samples whose labels are as frequent as in training. If a
# sampler drew perfect 1s and bad 8s, which of our numbers would show it?
#
# **Before:** [14b · Are the samples as good as real images?](14b_sample_quality.ipynb) · **Next:** [15b · How do
# you ask for something?](15b_guidance_and_editing.ipynb)
#
# **Read on:** [Lu22] Sec. 4; [Song21a] Sec. 5; [ND21] Sec. 3.1; [Bao22]; [SH22] for distillation.
