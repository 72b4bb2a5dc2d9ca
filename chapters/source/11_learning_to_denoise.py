# %% [markdown]
# # 11 · What if x0_hat cannot be computed?
#
# In chapter 10 the best estimate of the clean data was a formula, because the distribution of the data was a formula
# too. Nobody has a formula for the distribution of photographs. All you have is samples. How do you get a
# denoiser from samples, and how do you know that it is a good one?
#
# **After this chapter you can**
#
# - write the training algorithm of DDPM and say what each of its lines is for,
# - explain why training needs no chain although sampling has one,
# - judge whether a loss of 0.56 is good, and how much lower it could get,
# - distinguish what a network has learned from what it has memorized,
# - write a complete diffusion model, from data to samples, on one screen.
#
# **You need** the closed form (5.11) of [05](05_forward.ipynb); from [09](09_predictions.ipynb) the target v, (9.2),
# and "The best prediction is a mean, not a sample"; "The best estimate, from Bayes' rule" and "Algorithm 2, line by
# line" in [10](10_sampling_without_learning.ipynb).
#
# **Time:** about {road} minutes; the detours, which nothing later needs, add {detours}. The notebook runs in
# about two minutes.
#
# **For what comes next:** 12 and 12b use the training algorithm and the loss on held-out data; 13 uses everything up to
# the average of the weights; 12 to 15 use the energy distance, and 14b memorization.
#
# **In the papers:** [Ho20] Algorithm 1, Eq. 14 and Sec. 3.4; [SH22] Sec. 4 for the target v.

# %%
import math
import tempfile

import torch

from ddpm_lab import datasets, forward, ideal_denoisers, losses, metrics, networks
from ddpm_lab.course import explorers, figures
from ddpm_lab import predictions, samplers, schedules, training
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import coef, row
from ddpm_lab.training import loop

schedule = schedules.linear()
points = datasets.swiss_roll(20_000, generator=seeded(1))  # the training data: all that we have
k = 400  # the curve behind the data, for judging only: 400 points, evenly spaced along the spiral
angle = math.pi * (1 + 4 * (torch.arange(k, dtype=torch.float64) + 0.5) / k)
curve = 1.5 * angle[:, None] / (5 * math.pi) * torch.stack([angle.cos(), angle.sin()], dim=1)

# %% [markdown] topics="C152 C157"
# ## A first look: the ideal denoiser of a finite list
#
# One formula always works: the ideal denoiser (10.2) of a finite list of points. Give it 20 points and draw 1000
# samples. Where will they lie?

# %%
few = datasets.swiss_roll(20, generator=seeded(20))
copies = samplers.sample(schedule, ideal_denoisers.dataset_denoiser(few, schedule), (1000, 2),
                         generator=seeded(3))
fig = figures.scatter_grid({"20 data points": few, "1000 samples, exact formula": copies,
                            "goal: new data": datasets.swiss_roll(1000, generator=seeded(4))},
                           panel=2.6, limit=1.75, size=9)
figures.show(fig, alt="20 points; 1000 samples that all lie on these 20; a spiral of new data.")


def distance(a, b):
    """Mean distance from the points of a to the nearest of b, data units."""
    return torch.cdist(a.double(), b.double()).amin(1).mean().item()


print(f"from a sample to the nearest of the 20: {distance(copies, few):.4f}")
print(f"from new data to the nearest of the 20: {distance(points, few):.4f}")

# %% [markdown]
# Every sample *is* one of the 20 points: the mean distance is 0.0000, while new data are 0.2217 away. The formula is
# optimal for the list and useless as a generative model, because it memorizes. We want the denoiser of the
# *distribution* that the list was drawn from, and the list alone does not say what that is.
#
# So we approximate it with a network: a function of $(x_t, t)$ with adjustable numbers, its *weights*. The Swiss roll
# is a convenient test case because we know its distribution. The network does not get to see it; we use it only for
# evaluation.

# %% [markdown] topics="C152 C157"
# ## The training algorithm
#
# Chapter 09 showed that under a squared error the best prediction of anything is its conditional mean. So you need no
# formula to *aim* at the ideal denoiser. Make a noisy $x_t$ from data, let the network predict the noise in it, and
# take the squared error [Ho20, Eq. 14]:
#
# $$L_\text{simple} = E_{t,\,x_0,\,\epsilon}\,\big\|\epsilon - \mathrm{net}\big(\sqrt{\bar\alpha_t}\,x_0
# + \sqrt{1-\bar\alpha_t}\,\epsilon,\; t\big)\big\|^2, \qquad t \text{ uniform on } 1 \dots T. \tag{11.1}$$
#
# Algorithm 1 of [Ho20] repeats four lines:
#
# 1. draw data $x_0$ from the training set,
# 2. draw a time $t$, uniformly,
# 3. draw noise $\epsilon \sim N(0, I)$,
# 4. take one gradient step on the squared error.
#
# (Each time has the same weight here. The bound of chapter 08 weights them, and [08b](08b_weights_and_bits.ipynb) shows what
# it means to drop its weights.)
#
# Each step does this for a *batch* of a few hundred items. The mean over the batch is a Monte Carlo estimate of (11.1):
# unbiased, but noisy. Two of the lines are yours to write.
#
# ### Exercise 11.1 · Draw the times
#
# Return `size` times, uniform on $1 \dots T$, as an int64 tensor. Make the generator with `seeded(seed)`: the same seed
# must give the same times, another seed different ones.

# %% tags=["exercise"]
def my_times(T, size, seed):
    """Return (size,) int64 times, uniform on 1..T."""
    ### BEGIN SOLUTION
    return torch.randint(1, T + 1, (size,), generator=seeded(seed))
    ### END SOLUTION


draw_times = check("learning.times", my_times)

# %% [markdown]
# ### Exercise 11.2 · The loss, one number for each item
#
# Return the squared error of the predicted noise for each item of a batch: the **mean** over the data axes (so that
# images of different sizes can be compared; the square in (11.1) is a sum, larger by a constant factor), but *no*
# mean over the batch, because we will want to see at which $t$ the network does badly. `forward.noised` makes $x_t$.
# Items may have several data axes: `error.flatten(1)` joins them into one.

# %% tags=["exercise"]
def my_loss(schedule, net, x_0, t, eps):
    """Return (B,): each item's mean squared error of eps."""
    ### BEGIN SOLUTION
    x_t = forward.noised(schedule, x_0, t, eps)
    error = eps - net(x_t, t)
    return error.square().flatten(1).mean(dim=1)
    ### END SOLUTION


loss_of = check("learning.loss", my_loss)

# %% [markdown]
# Before there is a network, try two "networks" without weights: one always answers 0, the other returns its input
# $x_t$.

# %%
# eq: 11.1
x_0, t = points[:2000], draw_times(1000, 2000, seed=5)
eps = normal_like(x_0, generator=seeded(6))
nets = {"always answers 0": lambda x_t, t: 0 * x_t, "copies x_t": lambda x_t, t: x_t}
for name, net in nets.items():
    print(f"a 'network' that {name}: loss {loss_of(schedule, net, x_0, t, eps).mean():.3f}")
picked = loss_of(schedule, lambda x_t, t: x_t, x_0, t, eps)
for low, high in ((1, 100), (451, 550), (901, 1000)):
    print(f"t = {low}..{high}: copying x_t costs {picked[(t >= low) & (t <= high)].mean():.4f}")
package = losses.simple(schedule, lambda x_t, t: x_t, "eps", x_0, t, eps)
print("the same as losses.simple:", torch.allclose(picked, package))

# %% [markdown]
# At large $t$ copying is nearly perfect (0.0001): $x_t$ is almost pure noise. At small $t$ it is worse than answering 0
# (1.1626 against 1). Keep this in mind: *one* average over all times hides very different behavior. `losses.simple`,
# the package's version, does the same for any target (eps, x0 or v).
#
# ### The network and the loop
#
# Any function of $x_t$ and $t$ will do. Ours is a **multilayer perceptron** (MLP): layers of weighted sums with a
# nonlinear function between them, here SiLU, $u/(1+e^{-u})$. This is all of it, apart from checks of its input:

# %%
figures.show_source(networks.MLP.forward)


def fit(times, steps=1000):
    """Algorithm 1 and nothing else; times(step) gives each item of a batch its t."""
    net = networks.build(networks.MLP, seed=0, dim=2, width=64)
    optimizer, rng = torch.optim.Adam(net.parameters(), lr=3e-3), seeded(8)
    batches = datasets.batches(points, 256, generator=rng)
    for step in range(1, steps + 1):
        x_0 = next(batches)
        eps = normal_like(x_0, generator=rng)
        loss = loss_of(schedule, net, x_0, times(step), eps).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


# %% [markdown] topics="C078"
# The network concatenates $x_t$ with 64 features of $t$ (`sinusoids`, explained below). Three layers then each add a
# correction, and `proj_out` returns two numbers, the predicted noise.
#
# `fit` is the bare training loop. `loss.backward()`, *backpropagation*, computes the derivative of the loss with
# respect to every weight. `optimizer.step()` moves the weights downhill: **Adam** is gradient descent that divides
# each weight's step by the typical size of its gradient; the **learning rate** `lr` sets the length of the steps.
#
# That is plain **regression**: inputs, targets, a squared error. There is no second network to compete with, as in a
# GAN (generative adversarial network), so no delicate balance has to be kept. And unlike in a VAE (chapter 04) the
# encoder is fixed: the noisy inputs keep their distribution while the network learns, and the posterior cannot
# collapse.

# %% [markdown] topics="C154"
# ## Why does training need no chain?
#
# Sampling goes from $T$ down to 0, one step after another. **Predict.** To train at $t = 700$, do you need the 699
# noising steps before it? Or the network's output at $t = 701$?
#
# <details><summary>Answer</summary>
#
# Neither. The closed form (5.11) gives $x_{700}$ from $x_0$ in one line, and the target at $t = 700$ does not
# depend on any other prediction.
#
# </details>
#
# The objective is a *sum over times* of separate regressions, and you can estimate a sum from a few randomly chosen
# terms. With $L_t$ the loss at time $t$,
#
# $$\frac{1}{T}\sum_{t=1}^{T} L_t = E_{t \sim U\{1..T\}}\,[L_t]. \tag{11.2}$$
#
# For the "network" that copies $x_t$, and data from $N(0,1)$, $L_t = E(\epsilon - x_t)^2 = 2 - 2\sqrt{1-\bar\alpha_t}$:

# %%
# eq: 11.2
L = 2 - 2 * schedule.noise[1:]  # L_t for t = 1 … 1000, exact
print(f"all 1000 terms: {L.mean():.4f}")
for size in (10, 100, 10_000):
    drawn = L[draw_times(1000, size, seed=7) - 1]  # L[0] belongs to t = 1
    stderr = drawn.std() / math.sqrt(size)
    print(f"{size:6} random terms: {drawn.mean():.4f} (standard error {stderr:.4f})")
print(f"noise draws per item: 1 by the closed form, {(1 + 1000) / 2} on average by walking to t")

# %% [markdown]
# All three agree with the mean of all 1000 terms to within about two standard errors. (With 10 terms, the standard
# error itself is only a rough estimate.) So the gradient from random times is unbiased, and an item costs one draw of
# noise instead of 500.5 on average.

# %% [markdown] topics="C153"
# ## Why *random* times?
#
# You could also go through the times in order. **Predict.** Train one network on random times, and another one on
# $t = 1$ in the first step, $t = 2$ in the next, and so on up to 1000. At which times will the second network be good
# in the end? We judge both on **held-out data**, `fresh`, on which no network in this chapter is trained.

# %%
by_order = {
    "random": fit(lambda step: draw_times(1000, 256, seed=step)),
    "in order": fit(lambda step: torch.full((256,), step)),
}
fresh = datasets.swiss_roll(10_000, generator=seeded(9))  # held-out data
look = (10, 100, 200, 300, 400, 600, 800, 900, 1000)
trained = {name: [] for name in by_order}
with torch.no_grad():
    for t in look:
        eps, when = normal_like(fresh, generator=seeded(t)), torch.full((10_000,), t)
        for name, net in by_order.items():
            trained[name].append(loss_of(schedule, net, fresh, when, eps).mean().item())

# %%
fig = figures.curves(look, trained, xlabel="time t, steps", ylabel="loss of eps", log_y=True,
                     height=2.6)
figures.show(fig, alt="Trained in order of time the net is worse everywhere, most at large t.")
for i, t in enumerate(look):
    values = ", ".join(f"{name} {losses_at[i]:.4f}" for name, losses_at in trained.items())
    print(f"loss at t = {t:4}, times drawn {values}")

# %% [markdown]
# At $t = 10$ the network trained in order is *worse than answering 0* (1.4196 against 1): it has forgotten what it
# learned first. It is behind even at $t = 1000$, which it saw last, 0.0674 against 0.0029, probably because it spent
# only one step at each time. With random times every batch contains all noise levels.

# %% [markdown]
# ## Detour · All times share one set of weights, and exercises 11.3 and 11.4
#
# Why does training on one time hurt another? A network with a single weight shows it exactly.

# %% [markdown]
# Are the time steps optimized independently? Only if each $t$ has a network of its own. Ours share all weights. Take
# the smallest shared network, one weight $w$ with
# $\mathrm{net}(x_t, t) = w\,x_t$, on $N(0, 1)$ data. Then $E\,x_t^2 = 1$ and $E\,\epsilon\,x_t =
# \sqrt{1-\bar\alpha_t}$, so
#
# $$L_t(w) = E(\epsilon - w\,x_t)^2 = 1 - 2w\sqrt{1-\bar\alpha_t} + w^2. \tag{11.3}$$
#
# ### Exercise 11.3 · The slope
#
# Return the derivative of (11.3) with respect to $w$. ($t$ is an int; `schedule.noise[t]` is the square root.)

# %% tags=["exercise"]
def my_slope(schedule, w, t):
    """Return dL_t / dw at w."""
    ### BEGIN SOLUTION
    return 2 * w - 2 * schedule.noise[t]
    ### END SOLUTION


slope = check("learning.gradient", my_slope)

# %% [markdown]
# ### Exercise 11.4 · A step for one time is a step for all
#
# Take one gradient step on $L_t$, with learning rate `lr`. By how much does the loss at **another** time
# change? (After minus before, exactly.)

# %% tags=["exercise"]
def my_one_step(schedule, w, t, other, lr):
    """Return L_other after one step on L_t, minus L_other before it."""
    ### BEGIN SOLUTION
    moved = w - lr * slope(schedule, w, t)
    return moved**2 - w**2 - 2 * (moved - w) * schedule.noise[other]
    ### END SOLUTION


one_step = check("learning.one_step", my_one_step)

# %%
# eq: 11.3
# claim: E14
x_0 = normal_like(torch.empty(1_000_000, 1, dtype=torch.float64), generator=seeded(1))
eps = normal_like(x_0, generator=seeded(2))
for t in (1, 1000):
    measured = ((eps - 0.5 * forward.noised(schedule, x_0, t, eps)) ** 2).mean()
    print(f"t = {t:4}: loss at w = 0.5 {measured:.3f}, (11.3) says "
          f"{1 - schedule.noise[t] + 0.25:.3f}; slope {slope(schedule, 0.5, t):+.3f}")
for t, other in ((1, 1), (1, 1000)):
    change = one_step(schedule, 0.5, t, other, 0.1)
    print(f"one step of 0.1 on t = {t} changes the loss at t = {other} by {change:+.4f}")
best = schedule.noise[1:].mean()
print(f"best w for t = 1: {schedule.noise[1]:.2f}, for t = 1000: {schedule.noise[1000]:.2f}, "
      f"for the mean of all L_t: {best:.3f}")

# %% [markdown]
# The two times pull in opposite directions, +0.980 and −1.000. A step that lowers the loss at $t = 1$ by 0.0864 raises
# it at $t = 1000$ by 0.1076. With one weight for all times, the best compromise is 0.806, which is right for neither.
# A larger network has enough weights to treat times differently, but it needs $t$ as an input, and it must not be
# trained on one time for long.

# %% [markdown] topics="C155 C156"
# ## How does the network know the time?
#
# Does it need to? Ask the ideal denoiser for its best estimate at the same point, at three times. (It is the denoiser
# (10.3) of 400 small Gaussians along the curve. They overlap so closely that their mixture is the smooth spiral.)

# %%
one = torch.ones(k, dtype=torch.float64)
roll = ideal_denoisers.Mixture(weight=one / k, mean=curve, var=0.05**2 * one)  # width 0.05
exact = ideal_denoisers.mixture_denoiser(roll, schedule)
for t in (10, 200, 900):
    first, second = exact(torch.tensor([[0.5, 0.5]]), t)[0].tolist()
    print(f"t = {t:3}: best estimate of x_0 for x_t = (0.5, 0.5): "
          f"({first:.3f}, {second:.3f})")

# %% [markdown]
# The same point has three right answers: almost the point itself at $t = 10$, and close to the mean of all data at
# $t = 900$. So the network needs $t$ as an input. A single number would work poorly, because layers are smooth
# functions of their input and neighboring times differ by only a thousandth of the range. So $t$ enters as 64 sines
# and cosines of different frequencies, a **sinusoidal time embedding** [Ho20, Appendix B]; chapter 12 has the formula.
#
# With $t$ as an input, one network is the denoiser for every noise level. For images it will be a U-Net
# (chapter 12), and nothing else in this chapter changes.

# %% [markdown]
# ### Detour · What do the 64 features encode?
#
# The features as an image, and a test of the claim that they encode the signal-to-noise ratio.

# %%
wave = networks.time_embedding(torch.arange(1, 1001), 64)
fig, axes = figures.new(1, 2, height=2.9, gridspec_kw={"width_ratios": [2, 1]})
axes[0].imshow(wave.T, aspect="auto", cmap="gray", extent=(1, 1000, 63.5, -0.5))
axes[0].set(xlabel="time t, steps", ylabel="feature", title="64 features, -1 black, 1 white")
axes[0].grid(False)
like = torch.nn.functional.cosine_similarity(wave, wave[499], dim=1)
figures.curves(range(1, 1001), {"": like}, ax=axes[1], xlabel="time t, steps", ylabel="cosine",
               title="similarity to t = 500")
figures.show(fig, alt="Left: stripes, high frequencies to low ones. Right: a peak at t = 500.")
near = ", ".join(f"{like[t - 1]:.3f} at {t}" for t in (500, 501, 510, 550, 700, 1000))
print("cosine similarity to t = 500:")
print(near)

# %% [markdown]
# High frequencies (the top of each half) tell neighbors apart; low ones give the rough position in time. The similarity
# of two times falls from 0.966 for neighbors to 0.658 ten steps on and 0.201 at $t = 1000$: nearby times share much of
# what is learned, distant times need not.
#
# Do the features encode the signal-to-noise ratio? Fit log-SNR by a weighted sum of them, for our schedule, and use
# the same sum for the cosine schedule:

# %%
# claim: E87
features = torch.cat([wave, torch.ones(1000, 1)], dim=1).double()  # and a constant
ours, other = (s.log_snr[1:, None] for s in (schedule, schedules.cosine()))
weights = torch.linalg.lstsq(features, ours, driver="gelsd").solution  # least squares, for ours
for name, wanted in (("our schedule", ours), ("cosine", other)):
    explained = 1 - ((features @ weights - wanted) ** 2).mean() / wanted.var()
    print(f"share of the variance of log-SNR explained, {name}: {explained:.3f}")

# %% [markdown]
# The fit is all but perfect for ours, 1.000, and nearly useless for the cosine schedule, 0.116. The features encode
# $t$. Which SNR belongs to it is a fact about the schedule, which the network learns from its data.
#
# A related question about images: what makes their parts fit together? It is not that the loss weights all pixels
# equally, because the best prediction of each pixel is its own conditional mean, whatever positive weight its error
# has. The parts fit because each pixel is predicted from the whole $x_t$.

# %% [markdown] topics="C152 C157"
# ## A real training run
#
# `training.train` is the same loop with four additions. It can predict any target; we take **v**, because an error in
# v is never amplified ([09](09_predictions.ipynb)). The learning rate falls to 0 along half a cosine. A gradient
# longer than `clip` is shortened to that length (**gradient clipping**), so that one unlucky batch cannot throw the
# weights off. And it keeps an average of the weights, `ema.net`, which a later section explains. (A **warm-up**, a
# learning rate that first rises from 0, is the option `warmup`; this small network needs none.) It yields after each
# step, so that you can follow the training.
#
# **Predict.** Sketch the loss against the training step. Does it go to 0?

# %%
net = networks.build(networks.MLP, seed=0, dim=2, width=64, depth=3)
ema, rng = training.EMA(net, decay=0.999), seeded(2)
batches = datasets.batches(points, 1024, generator=rng)
eps, t = normal_like(fresh, generator=seeded(10)), draw_times(1000, 10_000, seed=11)
seen, learning = [], []  # each step's loss; now and then, the loss on held-out data
steps = training.train(schedule, net, batches, prediction_type="v", steps=5000, lr=1e-2, ema=ema,
                       generator=rng)
for _, step in zip(figures.track(range(5000), "training steps"), steps):
    seen.append(step.loss)
    if step.step % 500 == 0 or step.step in (50, 200):
        with torch.no_grad():
            both = [losses.simple(schedule, n, "v", fresh, t, eps).mean() for n in (net, ema.net)]
        learning.append((step.step, *both))
print(f"{sum(p.numel() for p in net.parameters()):,} weights, {len(seen):,} steps")

# %%
def ideal(x_t, t):
    """The ideal denoiser, in the form of a network that predicts v."""
    return predictions.convert(schedule, exact(x_t, t), "x0", x_t, t).v


seen = torch.tensor(seen)
running = seen.unfold(0, 100, 1).mean(1)  # means of 100 steps in a row
best_v = losses.simple(schedule, ideal, "v", fresh, t, eps)
print(f"first step {seen[0]:.3f}; mean of the last 100 {running[-1]:.3f}")
print(f"standard deviation of single steps at the end: {seen[-1000:].std():.3f}")
print(f"ideal denoiser on held-out data: {best_v.mean():.3f}")

# %% tolerance={"abs": 0.008}
fig, ax = figures.new(height=3)
ax.plot(range(1, 5001), seen, color=figures.GRAY, linewidth=0.3, alpha=0.6, label="one step")
ax.plot(range(100, 5001), running, color=figures.RED, linewidth=2, label="mean of the last 100")
ax.axhline(best_v.mean(), color=figures.BLUE, linestyle="--", label="ideal denoiser")
ax.set(xlabel="training step", ylabel="loss of v", ylim=(0.5, 0.66))
ax.legend(fontsize=9, ncols=3)
figures.show(fig, alt="A noisy loss creeps from 0.6 down to about 0.56, and not to 0.")
print(f"largest and smallest loss of a single step: {seen.max():.3f}, {seen.min():.3f}")

# %% [markdown]
# The loss falls from 0.605 to 0.561, and that is all. Single steps scatter by 0.016, because each batch has different
# data, times and noise. So a single value says next to nothing; the mean of a hundred shows a slow decrease. Toward
# what? The dashed line is the loss of the *ideal* denoiser, 0.559. (It was estimated on other points with other
# noise, so the curve may dip below it.)
#
# Your numbers may differ in their last digits: another processor rounds the eighth digit differently, and 5000 steps
# amplify this.

# %% [markdown]
# ### Detour · The package's loop, line by line
#
# The source of the loop, and what each line adds to `fit`.

# %%
figures.show_source(loop._steps)

# %% [markdown]
# The first lines set the learning rate. Then come the three draws, `x_0`, `t` and `eps`; the loss; its gradient,
# clipped; the step of Adam; the update of the average. `label`, `_shard` and `autocast` are for larger training runs:
# class labels, several processes, 16-bit numbers (chapter 13). `per_t` holds a weight for each time, here 1 for all.
# Lines with `check` stop with a readable message, for instance if the loss is no longer a number.

# %% [markdown] topics="C152"
# ## "My loss is 0.56. Is that good?"
#
# The number alone cannot tell. For *any* prediction $f$ of a quantity $y$, the squared error splits:
#
# $$E\,\|y - f(x)\|^2 = \underbrace{E\,\big\|y - E[y \mid x]\big\|^2}_{\text{irreducible}}
# + \underbrace{E\,\big\|f(x) - E[y \mid x]\big\|^2}_{\text{excess}}. \tag{11.4}$$
#
# (Insert $E[y \mid x]$ and multiply out. The mixed term is
# $2\,E\big[(y - E[y \mid x])\cdot(E[y \mid x] - f(x))\big]$. For a fixed $x$ the second factor is a constant and the
# first has mean 0, so the mixed term vanishes.) The first part is the *irreducible loss* of chapter 09, the **floor**
# for short. No network can change it: many clean $x_0$ lead to the same $x_t$, and nothing in $x_t$ says which it
# was. The second part is the network's own: its squared distance from the ideal denoiser.
#
# ### Exercise 11.5 · The floor of an eps-loss
#
# From clean data `x_0`, the conditional means `best` $= E[x_0 \mid x_t]$ and the time, estimate the irreducible loss
# **of eps**: one number, the mean over everything. (The factor between the squared errors of $x_0$ and eps is in
# (9.9). `t` may be an int or a batch, for which chapter 05 has `row` and `coef`.)

# %% tags=["exercise"]
def my_irreducible(schedule, x_0, best, t):
    """Return the mean squared error of eps that remains with the best estimate of x_0."""
    ### BEGIN SOLUTION
    snr = coef(row(schedule.snr, t), x_0)
    return (snr * (x_0 - best).square()).mean()
    ### END SOLUTION


irreducible = check("learning.irreducible", my_irreducible)

# %% tolerance={"abs": 0.0008}
# eq: 11.4
learned = predictions.denoiser(schedule, ema.net, "v")
x_t = forward.noised(schedule, fresh, t, eps)
best = exact(x_t, t)
with torch.no_grad():
    v_hat = ema.net(x_t, t)
whole = losses.simple(schedule, ema.net, "v", fresh, t, eps).detach()
excess = ((v_hat - ideal(x_t, t)) ** 2).mean(1)
mixed = whole - best_v - excess  # (11.4) says: 0 on average
print(f"loss of v {whole.mean():.4f} = floor {best_v.mean():.4f} + excess {excess.mean():.4f}"
      f" + mixed {mixed.mean():+.4f} (standard error {mixed.std() / 100:.4f})")
as_eps = predictions.convert(schedule, v_hat, "v", x_t, t).eps
print(f"the same predictions as eps: loss {((as_eps - eps) ** 2).mean():.4f}, "
      f"floor {irreducible(schedule, fresh, best, t):.4f}")

# %% [markdown]
# The split holds: the mixed term is 0 within its standard error. Of the loss of 0.560, 0.559 is the floor, and the
# network is responsible only for the rest, here 0.0013. So **0.56 is excellent**. The same predictions, counted as
# predictions of eps, have a loss of 0.194, a different number for the same denoiser. A loss is good or bad only
# *relative to its floor*, and the floor depends on $t$. So compare time by time:

# %% tolerance={"abs": 0.03, "units": 50}
times = (1, 3, 10, 30, 50, 100, 200, 250, 300, *range(400, 701, 100), 750, 800, 900, 1000)
table = {}
for t in times:
    x_t = forward.noised(schedule, fresh, t, normal_like(fresh, generator=seeded(100 + t)))
    with torch.no_grad():
        ours, best = learned(x_t, t), exact(x_t, t)
    scale = schedule.snr[t] + 1  # from squared errors of x0 to those of v
    floor, loss = (scale * ((x0_hat - fresh) ** 2).mean(1) for x0_hat in (best, ours))
    paired = loss - floor  # the same data, the same noise: most of the chance cancels
    table[t] = (floor.mean(), loss.mean(), loss.mean() / floor.mean(),
                paired.mean() / (paired.std() / 100),
                (scale * (ours - best) ** 2).mean() / floor.mean())
print("   t    floor     loss    ratio  difference/stderr   excess/floor by (11.4)")
for t, line in table.items():
    print(f"{t:4} {line[0]:8.3f} {line[1]:8.3f} {line[2]:8.3f} {line[3]:14.1f} {line[4]:18.4f}")

# %% tolerance={"units": 40}
fig, axes = figures.new(1, 2, height=2.9)
floor, loss, ratio, sigmas, excess = (torch.stack(column) for column in zip(*table.values()))
figures.curves(times, {"ideal denoiser": floor, "learned": loss}, ax=axes[0],
               xlabel="time t, steps", ylabel="loss of v, held-out data")
figures.curves(times, {"": ratio}, ax=axes[1], xlabel="time t, steps", ylabel="loss / floor")
figures.show(fig, alt="The learned loss lies on the floor, except for a few percent at small t.")
middle = torch.tensor([250 <= t <= 750 for t in times])
print(f"t = 250..750: largest ratio {ratio[middle].max():.3f}; all times: {ratio.max():.3f}")
print(f"smallest difference to the floor: {sigmas.min():+.1f} standard errors")

# %% [markdown]
# From $t = 250$ to 750 the learned loss is within 0.1 % of the floor. What remains is at small $t$: about 1.03 times
# the floor at $t = 30$, 1.02 times at $t = 10$. There the best estimate must resolve the width of the spiral's arms,
# 0.05, and the network is still too smooth for that.
#
# Nowhere is the loss significantly *below* the floor: the smallest difference here is +0.2 standard errors. A loss far
# below it would mean a bug, such as testing on the training data. For real data the floor cannot be computed; chapter
# 14 compares with held-out data instead, per $t$.

# %% [markdown]
# ## An average of the weights
#
# The loop also kept `ema.net`, an **exponential moving average** (EMA) of the weights, updated after every step:
#
# $$\bar w_n = \kappa_n\,\bar w_{n-1} + (1-\kappa_n)\, w_n, \qquad
# \kappa_n = \min\Big(0.999, \frac{1+n}{10+n}\Big). \tag{11.5}$$
#
# With 0.999 the average covers about the last 1000 steps. Why average? A gradient from a batch is unbiased, but never
# exact, so the weights jitter around their best values. At the start $\kappa_n$ is smaller, so that the untrained
# weights are soon forgotten. **Predict.** When will the average have the lower loss: early, late, or always?

# %% tolerance={"rel": 0.005}
print("step   loss on held-out data: last weights   average")
for step, raw, averaged in learning:
    print(f"{step:4} {raw:37.4f} {averaged:9.4f}")

# %% [markdown]
# The average is ahead as long as the learning rate is high, 0.568 against 0.570 after 2000 steps. At the end both have
# 0.560: the learning rate has fallen to 0, and the weights have come to rest anyway. So an EMA has the effect of a
# decaying learning rate, whenever you choose to stop.

# %% [markdown]
# ### Detour · How much do the weights jitter? And exercise 11.6
#
# The simplest possible regression shows what the average removes.

# %% [markdown]
# #### Exercise 11.6 · One update of the average
#
# With $\kappa_n = 0.999$ from the start, the average after 200 updates would still
# contain $0.999^{200}$, 82 %, of the *untrained* weights. So update
# $n = 1, 2, \dots$ keeps $\frac{1+n}{10+n}$ of the average, but never more than `decay`. Return the average after
# update $n$, as a new tensor.

# %% tags=["exercise"]
def my_ema(average, new, n, decay):
    """Return the average after update n, given the one before it and the new weights."""
    ### BEGIN SOLUTION
    keep = min(decay, (1 + n) / (10 + n))
    return keep * average + (1 - keep) * new
    ### END SOLUTION


ema_update = check("learning.ema", my_ema)

# %% [markdown]
# Now estimate the mean of $N(0,1)$ data with a *constant* learning rate $\eta$: steps on $\tfrac12(w - x)^2$ with
# batches of $B$, $w \leftarrow w - \eta\,(w - \text{batch mean})$. The weight never comes to rest. Once its variance
# no longer changes, $\mathrm{Var}\,w = (1-\eta)^2\,\mathrm{Var}\,w + \eta^2/B$, so
#
# $$\mathrm{sd}(w) = \sqrt{\frac{\eta}{(2-\eta)\,B}}. \tag{11.6}$$

# %%
# eq: 11.5, 11.6
# claim: E55
rng = seeded(12)
w = average = torch.full((500,), 3.0)  # 500 runs at once
for n in range(1, 4001):
    batch_mean = normal_like(torch.empty(500, 16), generator=rng).mean(1)  # B = 16
    w = w - 0.1 * (w - batch_mean)  # eta = 0.1
    average = ema_update(average, w, n, 0.999)
print(f"spread after 4000 constant steps: last weights {w.std():.4f}, by (11.6) "
      f"{math.sqrt(0.1 / (1.9 * 16)):.4f}; average {average.std():.4f}")
young = math.prod((1 + n) / (10 + n) for n in range(1, 201))
print(f"share of the start after 200 updates: plain {0.999**200:.2f}, with kappa {young:.0e}")

# %% [markdown]
# The last weights keep jittering by 0.0582, as (11.6) says; their average only by 0.0086. So mini-batch gradient
# descent with a constant learning rate does not converge to the minimum; it converges to a *distribution* around it.

# %% [markdown] topics="C152"
# ## Sampling: swap one line
#
# Nothing in the sampler changes. Chapter 10 passed it the ideal denoiser, here `exact`. We pass `learned`, which is
# `predictions.denoiser(schedule, ema.net, "v")`. Its loss is within about 3 % of the floor at all times. Does that
# show in the samples?

# %% tolerance={"units": 30}
denoisers = {"ideal denoiser": exact, "learned denoiser": learned}
moves = schedules.timesteps(1000, 200)
made = {"held-out data": fresh[:2000]} | {
    name: samplers.sample(schedule, denoise, (2000, 2), times=moves, generator=seeded(13))
    for name, denoise in denoisers.items()
}
fig = figures.scatter_grid(made, panel=2.7, limit=1.75)
figures.show(fig, alt="Three spirals; the learned one has some strays between its arms.")
for name, x in made.items():
    stray = (torch.cdist(x.double(), curve).amin(1) > 0.15).double().mean()
    print(f"{name:>16}: mean distance to the curve {distance(x, curve):.3f}, "
          f"farther than 0.15: {stray:.1%}")

# %% [markdown]
# The learned spiral is nearly as sharp as the data, 0.05 against 0.04, but it has strays, points between the arms: here
# 5.2 % of the samples, against 0.4 % of the data. (The ideal denoiser's samples lie even closer to the curve than the
# data, 0.034: 200 steps are too few to restore all of the blur.)
#
# For data without a known curve you need a metric that compares two sets of samples. One is the **energy distance**,
# $2\,E|a-b| - E|a-a'| - E|b-b'|$ for independent samples $a, a'$ and $b, b'$ of the two: it is 0 only if the two
# distributions are equal. (Its estimate is unbiased, so for equal distributions it scatters around 0 and can be
# negative.)

# %% tolerance={"abs": 8e-05}
blurred = fresh[:2000] + 0.3 * normal_like(fresh[:2000], generator=seeded(19))
for name, x in (made | {"data blurred by 0.3": blurred}).items():
    far = metrics.energy_distance(x, fresh[5000:])
    print(f"{name:>19}: energy distance to 5000 other data {far.value:+.5f} ± {far.stderr:.5f}")
print(f"distance of the blurred data to the curve: {distance(blurred, curve):.3f}")

# %% [markdown]
# The energy distance detects the blur and does *not* detect the strays: the learned samples are as close to 0 as real
# data are. A metric that finds no difference has not shown that there is none. Chapter 14 is about that.

# %% [markdown]
# ### Detour · Where does the learned denoiser go wrong?
#
# Which times produce the strays, and where do the two score fields differ?

# %% [markdown]
# Let the ideal denoiser help at some times, and the learned one do the rest.
# **Predict.** Would you rather have help at the last 20 times, or at the 980 others?

# %% tolerance={"units": 10}
def helped(low, high):
    """The learned denoiser, with the exact one in its place for low < t <= high."""
    return lambda x_t, t: (exact if low < int(t[0]) <= high else learned)(x_t, t)


for low, high in ((0, 20), (20, 1000)):
    x = samplers.sample(schedule, helped(low, high), (2000, 2), times=moves, generator=seeded(13))
    stray = (torch.cdist(x.double(), curve).amin(1) > 0.15).double().mean()
    print(f"exact for {low} < t <= {high}: mean distance {distance(x, curve):.3f}, "
          f"farther than 0.15: {stray:.1%}")

# %% [markdown]
# Help at the last 20 times removes the strays: 0.5 % remain here, nearly as in the data. Help at all the *other*
# times leaves 1.8 % here. The table of losses alone would have pointed to $t = 30$. But early errors put points only
# a little off the curve, and a denoiser that is accurate at the last twenty times pulls them back; errors made at the
# very end remain.
#
# Now draw both score fields (chapter 09), each times $1-\bar\alpha_t$, so
# that an arrow points from $x_t$ to $\sqrt{\bar\alpha_t}\,\hat x_0$. (At $t = 300$
# the arrows are drawn at a third of their length. The gray spiral is the data, scaled by $\sqrt{\bar\alpha_t}$.)

# %% tolerance={"abs": 0.02}
grid = torch.cartesian_prod(*[torch.linspace(-1.5, 1.5, 10)] * 2)
fig, axes = figures.new(1, 2, width=8.4, height=4.2, sharey=True)
to_scale = {"angles": "xy", "scale_units": "xy"}  # arrows in data units
for ax, t, shrink in zip(axes, (50, 300), (1, 3)):
    ax.scatter(*(schedule.signal[t] * curve).T, s=5, color=figures.GRAY)
    looks = (figures.BLUE, 0.014), (figures.RED, 0.004)
    for (name, denoise), (color, width) in zip(denoisers.items(), looks):
        arrow = schedule.signal[t] * denoise(grid, t).detach() - grid
        ax.quiver(*grid.T, *arrow.T, color=color, width=width, label=name, scale=shrink, **to_scale)
        print(f"t = {t}, {name}: mean length of an arrow {arrow.norm(dim=1).mean():.3f}")
    ax.set(title=f"t = {t}", xlabel="first coordinate of x_t", aspect="equal",
           xlim=(-1.75, 1.75), ylim=(-1.75, 1.75))
axes[0].set_ylabel("second coordinate of x_t")
axes[0].legend(fontsize=9, loc="upper left", framealpha=1)
figures.show(fig, alt="Arrows lead to the spiral; learned and exact ones differ a bit at t = 50.")

# %% tolerance={"rel": 0.5}
for t in (10, 50, 300, 900):
    noisy = forward.noised(schedule, fresh, t, normal_like(fresh, generator=seeded(t)))
    wrong = []
    for x in (noisy, grid):
        a, b = (predictions.convert(schedule, denoise(x, t).detach(), "x0", x, t).score
                for denoise in denoisers.values())
        wrong.append((b - a).norm() / a.norm())
    print(f"t = {t:3}: relative error of the score {wrong[0]:5.1%} on noised data, "
          f"{wrong[1]:5.1%} on the grid")

# %% [markdown]
# Where there is a lot of noise, the fields agree: 1.2 % at $t = 300$ and 0.0 % at $t = 900$. At $t = 50$ the score is
# off by 17 % here, at $t = 10$ by 28 %. Yet the *losses* there were only about 1.01 and 1.02 times the floor. Both are
# true: most of the loss at small $t$ is noise that nothing can predict, and a small excess on a large floor may be a
# large part of what *can* be predicted. Away from the data, on the grid, the errors at $t = 10$ are larger still, 54 %
# here: the network was never trained there.

# %% [markdown] topics="C157"
# ## What has it learned, and what has it memorized?
#
# The exact minimizer of the loss on a finite list of points is the ideal denoiser of that list, and it copies the
# list, whether you predict $x_0$, the noise or v (chapter 10b). So why does our network not copy its 20,000 points?
#
# **Predict.** Train the same network, with the same code and batch size, on the 20 points of the first figure. What
# will its samples look like? And how will its loss on held-out data change during training?

# %%
def train_on(data, steps, seed=0, look=lambda step, net: None):
    """A fresh network and its denoiser, trained on these points; `look` sees every step."""
    net, rng = networks.build(networks.MLP, seed=seed, dim=2, width=64), seeded(seed + 14)
    ema = training.EMA(net)
    batches = datasets.batches(data, 1024, generator=rng)
    run = training.train(schedule, net, batches, prediction_type="v", steps=steps, lr=1e-2,
                         ema=ema, generator=rng)
    for _, step in zip(figures.track(range(steps), "training steps"), run):
        look(step.step, ema.net)
    return ema.net, predictions.denoiser(schedule, ema.net, "v")


# %%
own = few.repeat(500, 1)  # 10,000 draws of the 20 points
history = {"on its 20 points": [], "on held-out data": []}
eps, t = normal_like(fresh, generator=seeded(10)), draw_times(1000, 10_000, seed=11)


def look(step, net):
    if step % 50 == 0:
        for losses_so_far, data in zip(history.values(), (own, fresh)):
            losses_so_far.append(losses.simple(schedule, net, "v", data, t, eps).mean().item())


_, from_20 = train_on(few.repeat(1000, 1), steps=3000, look=look)
for name, values in history.items():
    print(f"loss {name}: lowest {min(values):.2f}, at the end {values[-1]:.2f}")
fig = figures.curves(range(50, 3001, 50), history, xlabel="training step", ylabel="loss of v",
                     height=2.6)
figures.show(fig, alt="The loss on the 20 points falls; on held-out data it soon rises.")

# %% tolerance={"abs": 0.005}
# claim: E82
again = samplers.sample(schedule, from_20, (2000, 2), times=moves, generator=seeded(13))
full = made["learned denoiser"]
fig = figures.scatter_grid({"20 data points": few, "network trained on them": again,
                            "network trained on 20,000": full},
                           panel=2.7, limit=1.75, size=4)
figures.show(fig, alt="20 points; samples on them and on short bridges; the full spiral beside it.")
print("mean distance                to the nearest of the 20   to the curve")
for name, x in (("held-out data", fresh), ("ideal denoiser of the 20", copies),
                ("network, 20 points", again), ("network, 20,000 points", full)):
    print(f"{name:>24} {distance(x, few):28.3f} {distance(x, curve):14.3f}")

# %% [markdown]
# The network has learned the 20 points, and bridges between neighboring ones. Its samples lie 0.050 from the nearest
# of the 20, held-out data 0.220: it has mostly memorized. The ideal denoiser of the list builds no bridges (0.000).
# They come from the network, which prefers smooth functions.
#
# The curves show **overfitting**: the loss on the 20 points keeps falling, to 0.50, while the loss on held-out data
# rises from 0.58 to 0.68. If you have little data, stop where the loss on held-out data is lowest: **early stopping**.
# More data help, too, and so do altered copies that could be real data, such as images shifted by a pixel (**data
# augmentation**, `datasets.augment_shifts`).
#
# The samples of the network trained on 20,000 points lie as far from the 20 as held-out data do, 0.223 against 0.220.
# That network has the same objective, the same target and the same number of weights. So **generalization comes from
# the data and the network, not from the objective**.

# %% [markdown]
# ### Detour · The gap between training and held-out loss, time by time
#
# Where does a memorizing network show itself?

# %% tolerance={"rel": 0.05}
def v_loss(denoise, x_0, t, seed):
    """Loss of v at time t on the points x_0."""
    x_t = forward.noised(schedule, x_0, t, normal_like(x_0, generator=seeded(seed)))
    with torch.no_grad():
        return ((schedule.snr[t] + 1) * ((denoise(x_t, t) - x_0) ** 2).mean()).item()


tests = {"network, 20,000 points": (learned, points[:10_000]), "network, 20 points": (from_20, own),
         "ideal, 20 points": (ideal_denoisers.dataset_denoiser(few, schedule), own)}
for name, (denoise, data) in tests.items():
    for t in (10, 100, 1000):
        print(f"{name:>22}, t = {t:4}: loss on its own data {v_loss(denoise, data, t, 15):.3f}, "
              f"on held-out data {v_loss(denoise, fresh, t, 16):.3f}")

# %% [markdown]
# It shows itself at small times. At $t = 10$ the network with 20 points has a loss of 0.30 on its own data and of 3.8
# on held-out data; for the exact minimizer the two are 0.079 and 20.751. At $t = 1000$ memorizing makes no difference:
# the network and the exact minimizer both have 0.432 and about 0.468. There $v$ is almost $-x_0$ and the best
# prediction a constant, so these are variances, and that of the 20 points happens to be smaller. The network with
# 20,000 points has no gap, 0.81 and 0.80 at $t = 10$. A warning: 0.30 is far below the floor of 0.795. A low
# *training* loss alone proves nothing.

# %% [markdown]
# ## Detour · Save the network and load it again
#
# Training takes time, so store its result.

# %% [markdown]
# `training.save` writes a **checkpoint**: the weights, what is needed to rebuild the
# network, and facts of your choice. The format, *safetensors*, holds numbers and text and **executes nothing**. (A
# pickle, which many older checkpoints are, is a program, and loading it runs it.)

# %%
with tempfile.TemporaryDirectory() as folder:
    facts = {"prediction_type": "v", "steps": 5000, "data": "roll"}
    path = training.save(f"{folder}/roll.safetensors", ema.net, **facts)
    loaded, facts = training.load(path)
print(facts)
x_t, t = fresh[:100], draw_times(1000, 100, seed=16)
print("same output, bit for bit:", torch.equal(loaded(x_t, t), ema.net(x_t, t)))

# %% [markdown]
# Store the *prediction type* with the weights, as we did. Nothing in the weights says whether they predict eps, x0 or
# v, and a sampler that assumes the wrong one fails without an error message.

# %% [markdown]
# ## Detour · Another data set: two moons
#
# Nothing above depends on spirals. The same code learns another distribution in the plane.

# %%
moons = datasets.moons(20_000, generator=seeded(17))
_, moon_denoiser = train_on(moons, steps=2000)
new = samplers.sample(schedule, moon_denoiser, (2000, 2), times=moves, generator=seeded(18))
fig = figures.scatter_grid({"data": moons[:2000], "learned": new}, panel=2.7, limit=1.75)
figures.show(fig, alt="Two half circles that reach into each other: data, and samples alike.")
bare = datasets.moons(3000, generator=seeded(19), std=0.0)  # the curve without its blur
for name, x in (("data", moons[:2000]), ("learned", new)):
    print(f"{name:>7}: mean distance to the curve {distance(x, bare):.3f}, "
          f"on the right {(x[:, 0] > 0).double().mean():.1%}, "
          f"energy distance {metrics.energy_distance(x, moons[15_000:]).value:+.5f}")

# %% [markdown]
# The moons come out sharp, 0.041 against 0.040, and each half gets about half of the samples. Change `moons` to
# `concentric_circles` or `checkerboard` and see which is harder: closed curves close together, or hard edges?

# %% [markdown]
# ## Detour · Explore: watch a denoiser being learned
#
# Eight Gaussians on a circle, a time, and the number of training steps: how far is the learned estimate from the exact
# one?

# %% [markdown]
# **Predict** before you move anything: where do the learned estimates lie before training? At which times are they the
# last to reach the exact ones?

# %%
explorer = explorers.learned_against_exact()
print(explorer)
explorer

# %% [markdown] topics="C152 C184"
# ## A complete program on one screen
#
# All of this fits on one screen and needs little more than PyTorch: a schedule, a network, the loss, the loop and the
# sampler. The data are new, two interleaving half circles; the generator `rng` makes the run repeatable.

# %%
points = datasets.moons(20_000, generator=seeded(17))
beta = torch.cat([torch.zeros(1), torch.linspace(1e-4, 0.02, 1000)])  # row t belongs to time t
abar = (1 - beta).cumprod(0)
rng = torch.Generator().manual_seed(0)


class Net(torch.nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.first, self.last = torch.nn.Linear(2 + 64, width), torch.nn.Linear(width, 2)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in range(3))

    def forward(self, x_t, t):
        angle = t[:, None] * torch.logspace(0, -4, 32)  # 32 frequencies: sinusoidal time embedding
        h = self.first(torch.cat([x_t, angle.sin(), angle.cos()], dim=1))
        for layer in self.layers:
            h = h + layer(torch.nn.functional.silu(h))
        return self.last(torch.nn.functional.silu(h))


# %%
net = networks.build(Net, seed=0)  # Net(), with reproducible weights
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for step in figures.track(range(2000), "training steps"):
    x_0 = points[torch.randint(len(points), (1024,), generator=rng)]  # Algorithm 1
    t = torch.randint(1, 1001, (1024,), generator=rng)
    eps = torch.randn(x_0.shape, generator=rng)
    x_t = abar[t].sqrt()[:, None] * x_0 + (1 - abar[t]).sqrt()[:, None] * eps
    loss = (eps - net(x_t, t)).square().mean()
    optimizer.param_groups[0]["lr"] = 1e-2 * (1 - step / 2000)  # falls to 0
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %%
x = torch.randn(2000, 2, generator=rng)  # Algorithm 2
with torch.no_grad():
    for t in range(1000, 0, -1):
        eps_hat = net(x, torch.full((2000,), t))
        x = (x - beta[t] / (1 - abar[t]).sqrt() * eps_hat) / (1 - beta[t]).sqrt()
        if t > 1:
            x = x + beta[t].sqrt() * torch.randn(x.shape, generator=rng)
fig = figures.scatter_grid({"data": points[:2000], "samples": x}, panel=2.7, limit=1.75)
figures.show(fig, alt="Two half circles that reach into each other: data, and samples alike.")
bare = datasets.moons(3000, generator=seeded(19), std=0.0)  # the two curves without their blur
for name, shown in (("data", points[:2000]), ("samples", x)):
    print(f"{name:>7}: mean distance to the curves {distance(shown, bare):.2f}")

# %% [markdown]
# The samples lie on both moons, 0.05 from the curves here, where the data are at 0.04. Start your own projects like
# this. Do not copy the network of a paper first: what you train is plain regression, so a modest network shows
# results within minutes, and tells you whether the rest of the program is right. Then enlarge it. Chapter 12 does
# that for images.

# %% [markdown]
# ## Recap
#
# If the distribution of the data is unknown, learn the best estimate by regression: data, a random time, noise, squared
# error, one gradient step. Training needs no chain, because $x_t$ has a closed form and the loss is a sum over times.
# One network serves all times, with $t$ as an input. A loss means nothing until it is compared with its floor, time by
# time; ours is within 0.1 % of it from $t = 250$ to 750. The samplers of chapter 10 take the learned denoiser as it is.
# The exact minimizer of the objective would copy the data; that a network does not is due to the data and the network.
#
# **One formula to keep**
#
# $$\text{loss} = \text{irreducible} + E\,\big\|f(x_t, t) - E[y \mid x_t]\big\|^2$$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | with one network, the times share their weights | each step is optimized independently | a step on t = 1 raises the loss at t = 1000 by 0.1076 |
# | the exact minimizer copies the data for every target | predicting noise generalizes, predicting the mean memorizes | first figure; 20 points |
# | an EMA helps while the learning rate is high | an EMA always helps | 0.568 and 0.570 at step 2000; 0.560 twice at the end |
#
# **Exercises:** 11.1 `learning.times` · 11.2 `learning.loss` · 11.3 `learning.gradient` · 11.4 `learning.one_step` ·
# 11.5 `learning.irreducible` · 11.6 `learning.ema`
#
# **To think about.** The strays come from errors at small $t$. How would you draw the times to train these more often?
# What would you have to do to the loss to keep (11.1) unchanged? (Divide each term by how much more often its time is
# drawn.)
#
# **Before:** [10b · How few steps will do?](10b_fewer_steps.ipynb) · **Next:** [12 · Which network denoises
# images?](12_unet.ipynb)
#
# **Read on:** [Ho20] Sec. 3.4, 4.2 and Appendix B; [SH22] Sec. 4; [Vin11] for regression as score matching.
