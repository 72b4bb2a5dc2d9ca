# %% [markdown]
# # 15b · How do you ask for something?
#
# Ask a trained network for a 3 and you get a 3. How does that work, and what happens if you ask more strongly? And
# can a digit that you already have become another digit, in the same handwriting? Both are possible with the
# networks that we have: the first through guidance, the second because sampling without fresh noise gives every
# image a latent code. This chapter derives guidance from Bayes' rule, measures what it costs, and edits images.
#
# **After this chapter you can**
#
# - derive classifier-free guidance from Bayes' rule, and translate between its two conventions,
# - say why the label is sometimes dropped in training,
# - choose a guidance scale based on a measured trade-off,
# - encode an image, change its label, and decode it again,
# - interpolate between two noises on the sphere, and say what is wrong with the straight line.
#
# **You need** the score and its conversions from [09 · Predictions](09_predictions.ipynb), the probability-flow
# ODE of [10b](10b_fewer_steps.ipynb), and [15](15_fast_and_guided.ipynb) up to "Where should the timesteps lie?".
# The equations share one numbering with chapter 15: (15.2) to (15.8) are here, the others there.
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about a minute.
#
# **For what comes next:** no later chapter builds on this one; "From a label to a sentence" leads on to the
# papers.
#
# **In the papers:** [DN21] for classifier guidance; [HS22] for classifier-free guidance; [Song21a, Sec. 5] for
# codes and interpolation.

# %%
import math
from functools import partial

import torch
from safetensors.torch import load_file

from ddpm_lab import datasets, forward, ideal_denoisers, metrics, networks, predictions
from ddpm_lab import samplers, schedules, training
from ddpm_lab.course import compare_samplers, explorers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import models, pretrained

mnist, digits = pretrained.load("mnist"), pretrained.load("digits")  # 28 × 28 and 8 × 8
mnist_classifier, _ = training.load(pretrained.path("features_mnist"))
digits_classifier, _ = training.load(pretrained.path("features_digits"))
train, train_labels = datasets.digits("train")
test, test_labels = datasets.digits("test")

# %% [markdown] topics="C194"
# ## A first look: ask, and ask more strongly
#
# This network was trained on MNIST, handwritten digits of 28 × 28 pixels, with their labels. We ask it for the
# digits 0 to 9, with a number $w$ that sets how strongly it should follow the label.
#
# **Predict.** $w = 1$ is the plain request. What will the images for $w = 0$ and $w = 8$ look like?

# %%
fifty, ten = torch.arange(10).repeat(5), torch.arange(10)
asked = {w: models.sample(mnist, 50, label=fifty, steps=8, guidance_scale=w, generator=seeded(1))
         for w in (0.0, 1.0, 2.0, 4.0, 8.0)}
fig = figures.images(torch.cat([x[:10] for x in asked.values()]), columns=10, panel=0.7,
                     row_labels=[f"w = {w:g}" for w in asked])
figures.show(fig, alt="MNIST digits for five scales: as asked from w = 1 on, and bolder later.")
for w, x in asked.items():
    read = metrics.accuracy(mnist_classifier, x, fifty).value
    print(f"w = {w:g}: {read:.0%} of 50 read as asked; "
          f"ink {(x[:10] + 1).mean() / 2:.2f} of the paper")

# %% [markdown]
# With $w = 0$ the label is ignored, and any digit may appear. With $w = 1$ the classifier reads 96 % of 50 as asked,
# and from $w = 2$ on all of them. As $w$ grows, most strokes become bolder: ink covers 0.13 of the paper at $w = 1$
# and 0.19 at $w = 8$. Where does this $w$ come from, and how should you choose it?

# %% [markdown] topics="C194"
# ## Guidance from Bayes' rule
#
# We begin with data about which everything is known: two classes, $y = A$ and $y = B$, each a Gaussian on the line.
# The two overlap.
#
# Bayes' rule for noisy data says $q(x_t \mid y) = q(x_t)\,q(y \mid x_t)/q(y)$. Take logarithms and the gradient
# with respect to $x_t$; $q(y)$ does not depend on $x_t$ and drops out:
#
# $$\nabla \log q(x_t \mid y) = \nabla \log q(x_t) + \nabla \log q(y \mid x_t). \tag{15.2}$$
#
# The **conditional score** is the unconditional one plus a pull: the direction in which a classifier becomes more
# certain of $y$. (This classifier sees noisy data.)

# %%
half = torch.tensor([0.5, 0.5], dtype=torch.float64)
centers = torch.tensor([[-0.6], [0.6]], dtype=torch.float64)
both = ideal_denoisers.Mixture(half, centers, 0.8 * half)  # two Gaussians of variance 0.4
only_B = ideal_denoisers.Mixture(half[:1] * 2, both.mean[1:], both.var[1:])
cosine = schedules.cosine()
x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None].requires_grad_()


def score_of(f):
    """The gradient of f at each x; items do not mix, so one sum is enough for all."""
    return torch.autograd.grad(f(x).sum(), x)[0]


def log_q(mixture, t, x):
    return ideal_denoisers.log_density(mixture, cosine, x, t)


def log_prob_B(t, x):
    """log q(y = B | x_t): the part of the density at x_t that B contributes."""
    signal, var = cosine.signal[t], (cosine.abar[t] * both.var + 1 - cosine.abar[t])[0]
    return torch.nn.functional.logsigmoid(2 * signal * 0.6 * x[:, 0] / var)


# %%
# eq: 15.2
for t in (1, 300, 700):
    left = score_of(partial(log_q, only_B, t))
    right = score_of(partial(log_q, both, t)) + score_of(partial(log_prob_B, t))
    far = (left - right).abs().max()
    print(f"(15.2) at t = {t}: largest difference below 1e-12: {bool(far < 1e-12)}")

# %% [markdown]
# **Classifier guidance** [DN21] multiplies the pull by a factor $w$, the **guidance scale**:
#
# $$\text{score}_w = \nabla \log q(x_t) + w\,\nabla \log q(y \mid x_t). \tag{15.3}$$
#
# $w = 0$ ignores the label, $w = 1$ is (15.2), $w > 1$ exaggerates. But this needs a classifier for *noisy* images.
# **Predict.** Would an ordinary one do? Ours reads 99 % of clean digits correctly. How many will it read at
# $t = 300$, where you can hardly read them yourself?

# %%
for t in (0, 100, 200, 300, 500):
    noise = normal_like(test, generator=seeded(t))
    noisy = forward.noised(digits.schedule, test, t, noise) if t else test
    right = metrics.accuracy(digits_classifier, noisy, test_labels)
    print(f"t = {t:3}: {right.value:.0%} ± {right.stderr:.0%} read correctly")

# %% [markdown]
# At $t = 100$ it still reads 96 %, at $t = 300$ 42 %, at $t = 500$ 17 %, little more than the 10 % of random
# guessing. It was never trained on noisy images. Its pull would be worthless at large $t$, and that is where the
# network decides which digit appears.
#
# So you would have to train a second network, on noisy images. **Classifier-free guidance** [HS22] avoids that. By
# (15.2) the pull is a *difference of two scores*, and a single network gives both if the label was left out for some
# of its training images. Insert $\nabla\log q(y \mid x_t) = \nabla\log q(x_t \mid y) - \nabla\log q(x_t)$ into
# (15.3):
#
# $$\text{score}_w = u + w\,(c - u), \qquad u = \nabla \log q(x_t), \quad c = \nabla \log q(x_t \mid y). \tag{15.4}$$
#
# A network outputs $\hat x_0$, $\hat\epsilon$ or $\hat v$, not a score. At a fixed $x_t$ and $t$ each of these is
# a number times the score plus something that depends on $x_t$ alone, $k\,\text{score} + r$ (chapter 09). Since
# the weights $1-w$ and $w$ add up to 1, the rule carries over:
#
# $$(1-w)\,(k\,u + r) + w\,(k\,c + r) = k\,\big[u + w\,(c-u)\big] + r. \tag{15.5}$$
#
# So you can apply guidance to any of the four (the score, $\hat x_0$, $\hat\epsilon$ or $\hat v$), and the result
# is the same.
#
# ### Exercise 15.3 · The guided estimate
#
# `asked` and `free` are two denoisers, functions of `(x_t, t)`: the conditional one, which knows the label, and the
# unconditional one. Return the guided estimate (15.4) of $x_0$ at `x_t`.

# %% tags=["exercise"]
def my_guided_estimate(asked, free, x_t, t, w):
    """Return the guided estimate of x_0, shaped like x_t."""
    ### BEGIN SOLUTION
    c, u = asked(x_t, t), free(x_t, t)
    return u + w * (c - u)
    ### END SOLUTION


guided_estimate = check("guidance.classifier_free", my_guided_estimate)

# %%
# eq: 15.3, 15.4
conditional = ideal_denoisers.mixture_denoiser(only_B, cosine)
unconditional = ideal_denoisers.mixture_denoiser(both, cosine)
x_t = x.detach()
by_scores = score_of(partial(log_q, both, 300)) + 3 * score_of(partial(log_prob_B, 300))  # (15.3)
guided = guided_estimate(conditional, unconditional, x_t, 300, 3.0)
far = by_scores - predictions.convert(cosine, guided, "x0", x_t, 300).score
print(f"(15.4) in x0 is (15.3) in the score, within 1e-10: {bool(far.abs().max() < 1e-10)}")

# %%
# eq: 15.5
noisy = forward.noised(digits.schedule, test[:50], 400, normal_like(test[:50], generator=seeded(1)))
t = torch.full((50,), 400)
with torch.no_grad():
    outs = [predictions.convert(digits.schedule, digits.net(noisy, t, y), "v", noisy, 400)
            for y in (test_labels[:50], None)]
x0 = {kind: predictions.convert(digits.schedule, u + 3 * (c - u), kind, noisy, 400).x0
      for kind in ("x0", "eps", "v") for c, u in [[getattr(p, kind) for p in outs]]}
for kind in ("eps", "v"):
    print(f"the network, guided in {kind} and in x0: the same within 0.001: "
          f"{bool((x0[kind] - x0['x0']).abs().max() < 1e-3)}")

# %% [markdown]
# ### Two conventions
#
# [HS22] write $(1+w)\,c - w\,u$. In their convention $w = 0$ *follows* the label and $w = -1$ ignores it; in ours,
# which most programs use, these are 1 and 0. **Predict.** A paper reports its best images at $w = 0.3$. You type 0.3
# into a program. What do you get?

# %%
c, u = conditional(x_t, 300), unconditional(x_t, 300)
paper = 1.3 * c - 0.3 * u
for w in (0.3, 1.3):
    off = (guided_estimate(conditional, unconditional, x_t, 300, w) - paper).abs().max()
    print(f"our w = {w}: differs from their w = 0.3 by {off:.3f}")

# %% [markdown]
# You get *less* than the plain request: the label counts for less than in a plain conditional network. To translate,
# add 1: the paper's 0.3 is 1.3 here.

# %% [markdown] topics="C194"
# ## Detour · What does guided sampling sample from?
#
# (15.4) looks like the score of $q(x_0)\,q(y \mid x_0)^w$. On the line we can test whether guided samples follow
# that distribution.

# %% [markdown]
# (15.4) is the gradient of $\log\big[q(x_t)\,q(y \mid x_t)^w\big]$. So one might expect samples from the *tilted
# distribution*
#
# $$q_w(x_0) \propto q(x_0)\; q(y \mid x_0)^w. \tag{15.6}$$
#
# On the line (15.6) is a curve on a grid. The probability-flow ODE carries quantiles to quantiles (10.14), so we
# start it from exact quantiles of the noise, and the result involves no randomness. **Predict.** Will the samples
# follow (15.6) at $w = 1$? At $w = 4$?

# %%
grid = torch.linspace(-4, 5, 901, dtype=torch.float64)[:, None]
levels = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
quantiles = torch.special.ndtri(levels)[:, None]  # of N(0, 1): where the ODE starts
hundred = schedules.timesteps(1000, 100)


def tilted(w):
    """Masses of (15.6) on the grid."""
    return torch.softmax(log_q(both, 0, grid) + w * log_prob_B(0, grid), dim=0)


def ode_ends(denoise, x_T):
    return samplers.final(samplers.probability_flow_ode(cosine, denoise, x_T, times=hundred))[:, 0]


def mean_std(p):
    mean = (p * grid[:, 0]).sum()
    return mean, (p * (grid[:, 0] - mean) ** 2).sum().sqrt()


# %%
ends = {w: ode_ends(predictions.guided(conditional, unconditional, w), quantiles)
        for w in (0.0, 1.0, 2.0, 4.0, 8.0)}
shown = (1.0, 2.0, 4.0)
fig = figures.histograms(
    {f"w = {w:g}": ends[w] for w in shown}, xlabel="x_0, data units",
    density={f"w = {w:g}": (grid[:, 0], tilted(w) / 0.01) for w in shown},
    names=("guided ODE", "tilted"), limits=(-2.5, 4))
figures.show(fig, alt="At w = 1 both agree; at w = 2 and 4 the ODE ends further right, narrower.")
for w in shown:
    print(f"w = {w:g}: peak of the tilted distribution at {grid[tilted(w).argmax()].item():.2f}, "
          f"median of the ODE's ends {ends[w].median():.2f}")

# %%
# eq: 15.6
for w, y in ends.items():
    mean, std = mean_std(tilted(w))
    exact = grid[torch.searchsorted(tilted(w).cumsum(0), levels).clamp(max=900), 0]
    print(f"w = {w:g}: tilted {mean:.3f} ± {std:.3f} (mean ± std), ODE {y.mean():.3f} "
          f"± {y.std():.3f}, W1 {(y - exact).abs().mean():.3f}")

# %% [markdown]
# At $w = 0$ and 1 the ODE and the tilted distribution agree to the spacing of the grid. At $w = 2$ they do not: the
# ODE ends around 0.982 ± 0.487, the tilted distribution has 0.791 ± 0.546. At $w = 4$ it is 1.449 ± 0.380 instead of
# 0.959 ± 0.484. Guidance overshoots, and its samples are too similar to each other. Neither a network's error nor
# steps that are too long can be the reason, because both denoisers are exact, and with the same steps $w = 1$ agrees.
#
# Why? Add noise to the tilted distribution and ask for its score at time $t$. Tilting weights each $x_0$ by
# $q(y \mid x_0)^w$, so the noised density is $q(x_t)$ times the *mean of a power*, and guidance uses the *power of
# a mean*:
#
# $$q_w(x_t) \propto q(x_t)\;E\big[q(y \mid x_0)^w \mid x_t\big] \;\neq\; q(x_t)\;E\big[q(y \mid x_0) \mid x_t\big]^w = q(x_t)\;q(y \mid x_t)^w. \tag{15.7}$$
#
# The two agree at $w = 0$ and 1, and at $t = 0$, where there is nothing left to average. In between they do not. So
# the guided scores do not belong to our forward process from *any* distribution. At $t = 0$ they are the score of the
# tilted distribution, so the process would have to start from that distribution; but its noised scores at $t > 0$ are
# different. Then even the choice of the sampler changes what you sample from.

# %%
w, t = 4.0, 500
mass = tilted(w)
points = ideal_denoisers.Mixture(mass / mass.sum(), grid, torch.full((901,), 1e-4).double())
exact = ideal_denoisers.mixture_denoiser(points, cosine)  # for the tilted distribution
mean, std = mean_std(mass)
y = ode_ends(exact, quantiles[::10])
print(f"ODE with the left side of (15.7): {y.mean():.3f} ± {y.std():.3f}, "
      f"tilted {mean:.3f} ± {std:.3f}")

# %%
# eq: 15.7
for place in (-1.0, 0.0, 1.0):
    here = torch.tensor([[place]], dtype=torch.float64)
    posterior = torch.softmax(log_q(both, 0, grid) - (here - cosine.signal[t] * grid[:, 0])[0] ** 2
                              / (2 * (1 - cosine.abar[t])), dim=0)  # q(x_0 | x_t) on the grid
    p = log_prob_B(0, grid).exp()
    print(f"x_500 = {place:+}: mean of the power {(posterior * p**w).sum():.4f}, power of the mean "
          f"{(posterior * p).sum() ** w:.4f}, {log_prob_B(t, here).exp().item() ** w:.4f}")

# %%
x_T = normal_like(torch.empty(2000, 1, dtype=torch.float64), generator=seeded(1))
for w in (2.0, 4.0):
    guided = predictions.guided(conditional, unconditional, w)
    y = samplers.final(samplers.ddpm(cosine, guided, x_T, times=schedules.timesteps(1000, 250),
                                     generator=seeded(2)))
    print(f"w = {w:g}, with fresh noise (DDPM): {y.mean():.3f} ± {y.std():.3f}, standard error "
          f"of the mean {y.std() / 2000**0.5:.3f}")

# %% [markdown]
# With the left side of (15.7) the ODE does reach the tilted distribution, 0.952 against 0.959. At $x_{500} = 0$ the
# mean of the power is 0.2369 and the power of the mean 0.0625. With fresh noise the mean is 0.905 at $w = 2$, where
# the ODE has 0.982 and the tilted distribution 0.791: the ODE and DDPM draw from two distributions with the same
# scores, and neither is the tilted one. [BN24] prove that these differ, and describe what guidance does instead. None
# of them is *the* right one. Guidance is a heuristic, judged by its images.

# %% [markdown]
# ## Two networks in one
#
# For (15.4) the network must know both $c$ and $u$. The trick is label dropout (chapter 13): in training, the label
# of some images ([HS22] recommend 10 to 20 %; here it is one in eight for the small digits and one in four for MNIST)
# is replaced by the null label, which means "no label given". For the network the null label is one more row in the
# table of label embeddings, learned like the others. When you sample, call it with the label for $c$ and with the
# null label for $u$.
#
# **Predict.** How much does knowing the label reduce the error of $\hat x_0$ at $t = 100$? And at $t = 1000$?

# %%
def errors(net, t, label):
    """Squared error of x0_hat at one time for each of 300 held-out digits, a mean over pixels."""
    denoise = predictions.denoiser(digits.schedule, partial(net, label=label), "v")
    x_0 = test[:300]
    x_t = forward.noised(digits.schedule, x_0, t, normal_like(x_0, generator=seeded(t)))
    with torch.no_grad():
        return (denoise(x_t, t) - x_0).square().flatten(1).mean(1)


for t in (100, 300, 500, 700, 1000):
    without, with_label = errors(digits.net, t, None), errors(digits.net, t, test_labels[:300])
    gain = without - with_label
    print(f"t = {t:4}: error without the label {without.mean():.3f}, with it "
          f"{with_label.mean():.3f}; gain {gain.mean():.3f} ± {gain.std() / len(gain) ** 0.5:.3f}")

# %% [markdown]
# At small $t$ the label hardly helps, by 0.002 at $t = 100$, because the digit can be seen. At $t = 1000$ it
# removes 0.124 of 0.292: nothing of the image can be seen, and the label is all that is known. The difference between
# the two predictions is all that guidance has to work with.

# %% [markdown]
# ### Detour · What if training never drops the label?
#
# Two small networks, trained for a few seconds each, differ only in the rate of their label dropout.

# %%
def trained(dropout):
    """A small network after 400 short updates with this label dropout."""
    net, rng = networks.build(networks.UNet, seed=0, width=16, mults=(1,), labels=10), seeded(1)
    batches = datasets.batches(train, 32, labels=train_labels, generator=rng)
    for _ in training.train(digits.schedule, net, batches, prediction_type="v", steps=400, lr=3e-3,
                            label_dropout=dropout, generator=rng):
        pass
    return net.eval()


# %%
label, x_T = compare_samplers.labels_and_noise(train_labels, 200, 0)
for dropout in figures.track((0.0, 0.1), "networks trained"):
    net = trained(dropout)
    with_label, without = (
        torch.stack([errors(net, t, y).mean() for t in (300, 500, 700, 1000)]).mean()
        for y in (test_labels[:300], None))
    print(f"dropout {dropout:.0%}: error with the label {with_label:.3f}, without it {without:.3f}")
    for w in (1.0, 2.0):
        denoise = models.denoiser(digits._replace(net=net), label, guidance_scale=w)
        x = compare_samplers.sample(digits.schedule, "DPM++(2M)", denoise, x_T, 10)
        energy = metrics.energy_distance(x, test)
        print(f"   guided with w = {w:g}: energy {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# With the label the two are equally good here, 0.168 and 0.167: dropping a tenth of the labels has no visible cost.
# Without the label, the network that was never trained on the null label is worse, 0.291 against 0.267. In (15.4)
# the unconditional prediction, and with it this error, has the factor $1 - w$: at $w = 2$ the energy distance of
# its images is 0.150, that of the other network's 0.062. So guidance needs label dropout, and 10 % is enough here.

# %% [markdown] topics="C192 C194"
# ## How strongly? A trade-off
#
# Now we draw 200 of the small digits for each $w$, and compare them with real ones. **Predict.** As $w$ grows from
# 0 to 8, what happens to the proportion that is read as asked, to the variety of the samples, and to their distance
# from real digits?

# %%
label, x_T = compare_samplers.labels_and_noise(train_labels, 200, 0)


def ten_steps(denoise, x_T):
    """Small digits, by 10 steps of DPM-Solver++(2M)."""
    return compare_samplers.sample(digits.schedule, "DPM++(2M)", denoise, x_T, 10)


def variety(x, label):
    """The mean distance of two items with the same label, averaged over the ten labels."""
    same = [torch.pdist(x[label == y].flatten(1).double()).mean() for y in range(10)]
    return torch.stack(same).mean()


def baseline(metric, real, target, n):
    """(lowest, highest) of ten scores of n real training items in the place of samples."""
    rng = seeded(1)
    some = [real[torch.randperm(len(real), generator=rng)[:n]] for _ in range(10)]
    scores = [metric(items, target).value for items in some]
    return min(scores), max(scores)


# %%
train_features, test_features = (metrics.features(digits_classifier, x) for x in (train, test))
real = {"energy": baseline(metrics.energy_distance, train, test, 200),
        "Fréchet": baseline(metrics.frechet, train_features, test_features, 200)}
rows = []
for w in (0.0, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0):
    x = ten_steps(models.denoiser(digits, label, guidance_scale=w), x_T)
    energy, features = metrics.energy_distance(x, test), metrics.features(digits_classifier, x)
    frechet = metrics.frechet(features, test_features).value
    read = metrics.accuracy(digits_classifier, x, label).value
    rows.append((w, read, energy.value, energy.stderr))
    print(f"w = {w:3g}: read as asked {read:5.1%}; variety {variety(features, label):.2f}; energy "
          f"{energy.value:+.3f} ± {energy.stderr:.3f}, Fréchet {frechet:.2f}")
read = metrics.accuracy(digits_classifier, test, test_labels).value
print(f"   real: read correctly {read:.1%}; variety {variety(test_features, test_labels):.2f}; "
      f"baselines up to {real['energy'][1]:.3f} and {real['Fréchet'][1]:.2f}")

# %%
_, read, energy, error = (torch.tensor(column) for column in zip(*rows))
fig, ax = figures.new(width=5.5, height=3.2)
ax.errorbar(read, energy, yerr=error, color=figures.BLUE, marker="o", capsize=3)
names = ("w = 0", "0.5", "", "1 to 2", "", "4", "8")  # three points lie on top of each other
for name, a, b in zip(names, read, energy):
    below = -16 if "to" in name else 5
    ax.annotate(name, (a, b), xytext=(-8, below), textcoords="offset points", ha="right")
ax.axhspan(*real["energy"], color=figures.GRAY, alpha=0.25, label="baseline")
ax.set(xlabel="proportion read as asked", ylabel="energy distance, data units", xlim=(-0.1, 1.05))
ax.legend(fontsize=9, loc="upper left")
figures.show(fig, alt="First the proportion rises, then the distance: a corner near w = 1.")
print(f"corner: w = 1, {read[2]:.1%} read as asked; distance {energy[2]:.3f} there and "
      f"{energy[-1]:.3f} at w = 8")

# %% [markdown]
# Three things happen, at different scales.
#
# - **Up to $w = 1$ the label gains influence**: the proportion read as asked rises from 10 % (random guessing) to
#   63 % at $w = 0.5$ and 98.5 % at $w = 1$. For real digits it is 98.7 %.
# - **From $w = 1$ on, variety is lost.** Two real digits with the same label are on average 1.96 apart in feature
#   space; two samples are 1.65 apart at $w = 1$ and 0.98 at $w = 2$, half as much as real ones. The energy distance
#   of 200 images does not detect this: from $w = 1$ to 2 it is within the baseline.
# - **Beyond $w = 2$ the energy distance grows too**: it is 0.055 at $w = 4$ and 0.138 at $w = 8$, while the baseline
#   ends at 0.027. The classifier still reads nearly all of them as asked, and variety even *seems* to grow again, to
#   1.38, probably because of the high contrast.
#
# The Fréchet distance of the features never exceeds its baseline, while the energy distance of the
# pixels clearly detects the change. A metric can detect only what it measures.

# %% [markdown]
# ### Detour · Choosing a scale by a rule
#
# How do you turn a trade-off between two aims into a decision?

# %% [markdown]
# #### Exercise 15.4 · Choose a scale
#
# Each row of `rows` is `(w, proportion read as asked, distance, its standard error)`. Write a rule that picks a
# scale: among the rows with a proportion of at least `wanted`, one whose distance is smallest, or not
# distinguishable from the smallest. Return its `w`. There may be more than one right answer.

# %% tags=["exercise"]
def my_choose(rows, wanted):
    """Return the w of a row."""
    ### BEGIN SOLUTION
    good = [row for row in rows if row[1] >= wanted]
    return min(good, key=lambda row: row[2])[0]
    ### END SOLUTION


choose = check("guidance.choose", my_choose)

# %%
for wanted in (0.5, 0.9, 0.97):
    if any(row[1] >= wanted for row in rows):
        print(f"at least {wanted:.0%} read as asked: your rule takes w = {choose(rows, wanted):g}")

# %% [markdown]
# The answer is the same all three times. A rule that takes $w = 1$ or 2 is also right, because their distances differ
# from the smallest by less than a standard error. Choose according to what *you* want: 1 for more variety, 1.5 for
# fewer misreadings.

# %% [markdown]
# ### Detour · The same with larger images
#
# We repeat the measurement for the 50 MNIST images per scale of the first look, now in the features of a
# classifier, and compare with those of real held-out images.

# %%
stored = load_file(pretrained.path("features_mnist_real"))
real_features, real_labels = stored["features"][:2000].double(), stored["labels"][:2000]
for w, x in asked.items():
    features = metrics.features(mnist_classifier, x)
    energy = metrics.energy_distance(features, real_features)
    print(f"w = {w:g}: variety {variety(features, fifty):.1f}, energy in features "
          f"{energy.value:+.2f} ± {energy.stderr:.2f}")
others = stored["features"][2000:].double()
low, high = baseline(metrics.energy_distance, others, real_features, 50)
print(f"real images: variety {variety(real_features, real_labels):.1f}; "
      f"50 of them score {low:.2f} to {high:.2f}")

# %% [markdown]
# The trade-off is the same: variety falls from 4.3 at $w = 1$ to 3.4, 3.1 and 3.0, while real images have 4.2. (The
# 9.7 at $w = 0$ is not the variety of one digit, because there the label is ignored.) The energy distances from
# $w = 1$ on differ by less than a standard error, so 50 images cannot say which $w$ is best. (All four lie just below
# the range for real images, by less than a standard error: that does not make them better than real ones.)

# %% [markdown]
# ### Detour · Try it yourself: the guidance dial
#
# Change $w$, the label, the number of steps, and the seed, which decides the noise. Numbers beyond a slider's stops,
# such as 20 steps, can be typed. Which of the four changes what the digit *is*, and which only how it is *written*?

# %%
explorer = explorers.guidance_dial()
print(explorer)
explorer

# %%
for w, steps in ((0.0, 8), (1.0, 8), (2.0, 8), (8.0, 8), (8.0, 20)):
    sentence = explorer.describe(label=3, guidance_scale=w, steps=steps, seed=0)
    print(sentence.split("Asked for ")[1].replace(": ", ":\n   ").replace(" on average", ""))

# %% [markdown]
# Once $w$ is about 1, the label decides what the digit is. The steps, the noise (try other seeds) and any further
# increase of $w$ only change how it is written. With $w = 0$, only 1 of 6 is read as a 3; from $w = 1$ on, all six are.
# Between there and $w = 8$ there is nothing left to gain, but the images are distorted: on average they are 5.2 apart
# instead of 3.9. (This is a distance between pixels, so it can grow although variety in the classifier's features is
# lost.) More steps do not undo that: with 20 they are 5.3 apart, and 39 % of the pixels are black or white instead of
# 35 %.

# %% [markdown]
# ### Detour · With and without clamping
#
# `models.denoiser` clamps every estimate of $x_0$ to $[-1, 1]$, the range of the pixels. A guided estimate easily
# leaves this range.

# %% [markdown]
# **Predict.** What happens at $w = 8$ without the clamp? (Note that after a clamp (15.5) no longer holds: guiding
# $\hat x_0$, $\hat\epsilon$ or $\hat v$ then gives different results.)

# %%
def unclamped(label, w):
    """The guided denoiser exactly as in (15.4)."""
    conditional = predictions.denoiser(digits.schedule, partial(digits.net, label=label), "v")
    unconditional = predictions.denoiser(digits.schedule, digits.net, "v")
    return predictions.guided(conditional, unconditional, w)


for w in (1.0, 2.0, 8.0):
    for name, denoise in (("clamped", models.denoiser(digits, label[:100], guidance_scale=w)),
                          ("not clamped", unclamped(label[:100], w))):
        x = ten_steps(denoise, x_T[:100])
        energy = metrics.energy_distance(x, test)
        print(f"w = {w:g}, {name:>11}: largest pixel "
              f"{x.abs().max():.2f}, beyond ±1.05 {(x.abs() > 1.05).double().mean():.1%}, "
              f"energy {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# At $w = 1$ the clamp makes no measurable difference to the energy distance. At $w = 8$ without it, 29.3 % of the
# pixels leave the range, the largest value is 3.14, and the distance is 0.380 instead of 0.151. The clamp is no
# cure, though: every pixel that it cuts off becomes pure black or pure white. That is the *saturation* that you see
# in strongly guided images.

# %% [markdown] topics="C168 C169 C171"
# ## One noise, one image
#
# Without fresh noise the image is a function of $x_T$. **Predict.** Two *different* deterministic solvers start
# from the same noise. How alike are their images? And two runs of DDPM from the same noise?

# %%
def draw(name, x_T, calls, label=ten, seed=1):
    """MNIST images (32 × 32, with their border) that a sampler makes of x_T."""
    denoise = models.denoiser(mnist, label)
    return compare_samplers.sample(mnist.schedule, name, denoise, x_T, calls, seed=seed)


x_T, other = (normal_like(torch.empty(10, 1, 32, 32), generator=seeded(i)) for i in (7, 8))
made = {"Heun, 40 calls": draw("Heun", x_T, 40), "DPM++(2M), 10": draw("DPM++(2M)", x_T, 10),
        "DDIM, 40": draw("DDIM", x_T, 40), "DDPM, 40": draw("DDPM, small", x_T, 40),
        "DDPM, 40, again": draw("DDPM, small", x_T, 40, seed=2),
        "Heun, other noise": draw("Heun", other, 40)}
fig = figures.images(models.without_padding(torch.cat([*made.values()]), mnist), columns=10,
                     panel=0.62, row_labels=[*made])
figures.show(fig, alt="Heun, DPM++(2M) and DDIM draw the same digits; DDPM draws others.")
for name, x in list(made.items())[1:]:
    far = (x - made["Heun, 40 calls"]).flatten(1).norm(dim=1).mean()
    print(f"Heun, 40 calls, and {name}: {far:.1f} apart")

# %% [markdown]
# Three deterministic solvers give nearly the same image: DDIM is 0.6 away from Heun's method, and ten calls of
# DPM-Solver++ are 2.5 away, while other noise is 17.9 away. The image belongs to the *ODE*, and solvers only find
# it more or less exactly. So you can **reproduce** an image from its noise, or preview it with ten calls and draw
# it again with forty. With DDPM the starting noise determines next to nothing: its images are 17.9 and 16.6 away
# from Heun's, as far as images of the same labels from other noise.
#
# ### Encoding
#
# So an image has a *code*: run the ODE upward, from the image to its noise (encoding; with DDIM steps it is called
# DDIM inversion). Chapter 10b did this with a perfect denoiser. Does it work with a trained network? Treat six of the
# DDPM images above as images that you found somewhere. They were drawn with fresh noise in each step, so we know no
# $x_T$ that leads to them.
#
# ### Exercise 15.5 · One step, in either direction
#
# You are at $x_t$ and have the estimate $\hat x_0$. Take a DDIM step without fresh noise ($\eta = 0$) to time `s`,
# which may be earlier *or later* than `t`. (Both times are numbers, `t` at least 1. First solve
# $x_t = \sqrt{\bar\alpha_t}\,\hat x_0 + \sqrt{1-\bar\alpha_t}\,\hat\epsilon$ for the noise.)

# %% tags=["exercise"]
def my_move(schedule, x_t, x0_hat, t, s):
    """Return x_s."""
    ### BEGIN SOLUTION
    eps_hat = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    return schedule.signal[s] * x0_hat + schedule.noise[s] * eps_hat
    ### END SOLUTION


move = check("guidance.ode_step", my_move)

# %%
found, found_labels = made["DDPM, 40"][:6], ten[:6]
denoise_found = models.denoiser(mnist, found_labels)


def follow(x, times):
    """Take your steps through these times, falling or rising."""
    x = x.double()
    for t, s in zip(times, times[1:]):
        # at t = 0 clean data are their own estimate and hold no noise: step as if from t = 1
        here = max(t, 1)
        with torch.no_grad():
            x0_hat = denoise_found(x.float(), torch.full((len(x),), here)).double() if t else x
        x = move(mnist.schedule, x, x0_hat, here, s) if t else mnist.schedule.signal[s] * x
    return x


# %%
def heun(schedule, denoise, x, times):
    return samplers.final(samplers.probability_flow_ode(schedule, denoise, x, times=times))


def quadratic(steps):
    """The timesteps of exercise 15.1."""
    return sorted({round(1000 * (k / steps) ** 2) for k in range(steps + 1)}, reverse=True)


def error(again, x_0):
    """Root mean squared error of a pixel."""
    return (again - x_0).square().mean().sqrt()


# %%
# claim: E21
print("error: root mean squared error of a pixel, up and down again, data units")
for n in figures.track((5, 20, 50), "numbers of steps tried"):
    for name, times in (("even", schedules.timesteps(1000, n)), ("quadratic", quadratic(n))):
        code = follow(found, times[::-1])
        print(f"{n:2} of your steps, {name:>9}: error {error(follow(code, times), found):.3f}, "
              f"codes have std {code.std():.3f}")
    code = heun(mnist.schedule, denoise_found, found, quadratic(n)[::-1])
    again = heun(mnist.schedule, denoise_found, code, quadratic(n))
    print(f"{n:2} Heun steps, quadratic: error {error(again, found):.3f}, "
          f"codes have std {code.std():.3f}")

# %%
paper = torch.cat([*made.values()]).std(0) < 0.05  # of the 60 images above, none has ink there
print(f"std of the codes: {code[:, paper].std():.2f} at {int(paper.sum())} pixels that are "
      f"always paper, {code[:, ~paper].std():.2f} at the other {int((~paper).sum())}")
real, denoise_real = test[:20], models.denoiser(digits, test_labels[:20])  # 8 × 8, never seen
code = heun(digits.schedule, denoise_real, real, quadratic(50)[::-1])
again = heun(digits.schedule, denoise_real, code, quadratic(50))
print(f"20 real digits of 8 × 8 pixels, 50 Heun steps: error {error(again, real):.3f}")

# %% [markdown]
# The codes lead back to the images: with 50 quadratically spaced Heun steps the error of a pixel is 0.001, far less
# than the gap between two gray levels ($2/255 \approx 0.008$). The same holds for real digits of 8 × 8 pixels that
# the network for these has never seen. So sampling without fresh noise does give every image a latent code, and you
# can edit it. In ancestral sampling $x_T$ alone is no such code.
#
# - **An accurate round trip does not prove that the code is right.** With 50 evenly spaced steps the error is only
#   0.030, but the codes have a standard deviation of 0.349, where noise has 1. The way up and the way down make
#   similar errors, which cancel. The first step up, from clean data, is the main cause: it should be *short*. The
#   quadratic spacing gives 0.509, and with Heun's method 0.686.
# - **Why not 1?** More than half of the pixels are paper in all the images above. A pixel that never varies has nothing
#   to encode: there the codes have a standard deviation of 0.56, at the other pixels 0.83.

# %% [markdown] topics="C165 C171"
# ## Editing: the same code, another label
#
# Encode the six found images with their own labels. Then decode each code with *every* label.
#
# **Predict.** What will ten digits decoded from one code have in common?

# %%
codes = heun(mnist.schedule, denoise_found, found, quadratic(30)[::-1])
back = draw("DPM++(2M)", codes, 20, label=found_labels)
rows = [torch.cat([found[i : i + 1], draw("DPM++(2M)", codes[i].expand(10, 1, 32, 32), 20)])
        for i in range(6)]
fig = figures.images(models.without_padding(torch.cat(rows), mnist),
                     ["found", *(f"as {y}" for y in range(10))], columns=11, panel=0.62)
figures.show(fig, alt="Six rows: a digit, then its code decoded as 0 to 9 in a similar hand.")
ink = torch.stack([torch.stack([(row[0] + 1).mean(), (row[1:] + 1).mean()]) / 2 for row in rows], 1)
edited = models.without_padding(torch.cat([row[1:] for row in rows]), mnist)
print(f"back with its own label: error of a pixel {(back - found).square().mean().sqrt():.2f}")
read = metrics.accuracy(mnist_classifier, edited, ten.repeat(6)).value
print(f"{read:.0%} of the 60 are read as asked; ink of an image and of its row: "
      f"correlation {torch.corrcoef(ink)[0, 1]:+.1f}")

# %% [markdown]
# With its own label, a code leads back to its image; the root mean squared error of a pixel is 0.02, on a scale from
# −1 to 1. Of the 60 images, 87 % are read as the label they were decoded with, and each row keeps something of the
# handwriting: if the found image is bold, so is its row (a correlation of 0.9 over six rows). So the code holds what
# the label does not say, down to the dot beside the 2, and something of the old digit too: as a 1, the 2 still looks
# like a 2. This kind of editing needs no new network: encode with the label that the image has, decode with the label
# that you want.
#
# Like a GAN's code, it is not *disentangled*: nothing guarantees that any one coordinate stands for slant or
# thickness ([chapter 10](10_sampling_without_learning.ipynb)).

# %% [markdown]
# ### Detour · In color: only part of the way up
#
# Encoding is one way to keep features of an image. There is a shorter way, in which you need not follow the ODE upward.

# %% [markdown]
# **SDEdit** [Meng22] takes the image to a noisy time $t$ in one step, by (5.11), and samples from there, with the
# label that you want and with any sampler. We try it in color, with a U-Net for emoji of 32 × 32 pixels that was
# trained like the one for MNIST. Its labels are the eight groups of Unicode (smileys, people, animals, food, …). It
# has never seen the eight emoji below, one from each group. We ask for food each time, with $w = 1$; the lemon
# already is food.
#
# **Predict.** As $t$ grows, what goes first: details, outlines or colors? At which $t$ is nothing left of the image?

# %%
emoji, food = pretrained.load("emoji"), datasets.bundled.GROUPS.index("Food & Drink")
unseen, groups = datasets.emoji("test")
times = schedules.timesteps(1000, 20)  # 50 apart, wherever we start


def redraw(x, label, t):
    """Add noise up to time t, and sample from there."""
    x_t = forward.noised(emoji.schedule, x, t, normal_like(x, generator=seeded(0)))
    denoise = models.denoiser(emoji, torch.as_tensor(label).expand(len(x)))
    return samplers.final(samplers.dpmpp_2m(emoji.schedule, denoise, x_t,
                                            times=[s for s in times if s <= t]))


eight = unseen[[int((groups == group).nonzero()[0]) for group in range(8)]]
starts = (200, 400, 600, 800, 1000)
fig = figures.images(torch.cat([eight, *(redraw(eight, food, t) for t in starts)]), columns=8,
                     panel=0.62, row_labels=["found", *(f"food, from {t}" for t in starts)])
figures.show(fig, alt="Emoji drawn again as food: details go first, colors stay up to t = 800.")

# %%
many, background = unseen[::9], unseen.mean(0)  # white around them, which is no resemblance
emoji_classifier, _ = training.load(pretrained.path("features_emoji"))


def as_food(x):
    """The proportion that is read as food."""
    return metrics.accuracy(emoji_classifier, x, torch.full((len(x),), food)).value


def kept(x, part):
    """Correlation of a part of the images with that of the found ones."""
    pair = torch.stack([part(each - background).flatten() for each in (x, many)])
    return torch.corrcoef(pair)[0, 1]


# %%
print("from t =   correlation of mean colors   of pixels' brightness   read as food")
print(f"   found {as_food(many):68.0%}")
for t in starts:
    x = redraw(many, food, t)
    print(f"{t:8} {kept(x, lambda x: x.mean((2, 3))):28.2f} {kept(x, lambda x: x.mean(1)):24.2f} "
          f"{as_food(x):14.0%}")
real_food = as_food(unseen[groups == food])
print(f"{len(many)} unseen emoji; {real_food:.0%} of all real food is read as food")
signal, noise = emoji.schedule.signal[800], emoji.schedule.noise[800]
print(f"at t = 800: signal {signal:.2f}, noise of a pixel {noise:.2f}, of the mean of 1,024 "
      f"pixels {noise / 32:.2f}")

# %%
down, across = torch.meshgrid(*[torch.linspace(-1, 1, 32)] * 2, indexing="ij")


def paint(inside, *color):
    """A shape in one color on white paper."""
    return torch.where(inside, torch.tensor(color).view(3, 1, 1), torch.ones(3, 32, 32))


disk, square = down**2 + across**2 < 0.8, torch.maximum(down.abs(), across.abs()) < 0.75
triangle = (down > 2 * across.abs() - 0.9) & (down < 0.8)
sketches = torch.stack([paint(disk, 1.0, 0.6, -0.8), paint(disk, 0.8, -0.6, -0.6),
                        paint(triangle, -0.6, 0.3, -0.5), paint(square, -0.8, -0.2, 0.8)])

# %%
wanted = torch.tensor([0, 3, 2, 7])  # a smiley, food, nature, a symbol
drawn = {t: redraw(sketches, wanted, t) for t in (600, 800, 900)}
fig = figures.images(torch.cat([sketches, *drawn.values()]), columns=4, panel=0.62,
                     row_labels=["sketch", *(f"from {t}" for t in drawn)])
figures.show(fig, alt="Plain shapes get shading; from 900 the yellow disk has a hint of a face.")
for t, x in drawn.items():
    print(f"from t = {t}: a pixel changes by {(x - sketches).square().mean().sqrt():.2f}")

# %% [markdown]
# Details go first, then outlines, and the mean color last. From $t = 800$ the mean color of an emoji and that of its
# redrawn version have a correlation of 0.96, the brightness of single pixels 0.73. Of our five starts only
# $t = 1000$, where hardly anything but noise is left, keeps nothing. The reason is averaging. At $t = 800$ a pixel is
# multiplied by 0.31 and gets noise of standard deviation 0.95. The mean color is multiplied by 0.31 too, but the
# noise of a mean over 1,024 pixels is only 0.03. So coarse features are still there when the details are lost in the
# noise, and sampling keeps the coarse features. The label decides only where they leave room: 13 % of the found emoji
# are read as food, 16 % from $t = 400$, 32 % from $t = 800$, and 52 % from $t = 1000$, the same proportion as of real
# food.
#
# In the last figure we start from sketches, which have *only* coarse features. A pixel changes by 0.18 from $t = 600$
# and by 0.36 from $t = 900$ (root mean square, in data units), where the yellow disk has a hint of a face and the
# triangle a ragged outline, while the red disk gets little more than shading. About a thousand emoji and a small
# network do not go far; large networks turn sketches into photographs [Meng22].
#
# Which way is better? Encoding gives the image back if the label stays the same, and SDEdit does not. But SDEdit
# needs no run upward, and it works with every sampler.

# %% [markdown] topics="C171"
# ## Between two noises
#
# Which noise lies *between* two noises? The obvious answer is the straight line $(1-\lambda)\,a + \lambda\,b$ (here
# $\lambda$ runs from 0 to 1; it is not the log-SNR). With 64 pixels the lengths of $a$ and $b$ are about
# $\sqrt{64} = 8$. How long is their midpoint?
#
# If $a$ and $b$ are independent, each pixel of the mixture has variance $(1-\lambda)^2 + \lambda^2$, one half in
# the middle. So the midpoint is shorter by a factor of $\sqrt{1/2}$: the network is called with $t = T$, where it
# expects pure noise of variance 1, and gets noise of half that variance. Stay on the sphere instead, on the **great
# circle** through both. This is **spherical interpolation** (*slerp*). With $\theta$ the angle between $a$ and $b$,
#
# $$\text{slerp}(a, b, \lambda) = \frac{\sin((1-\lambda)\,\theta)\; a + \sin(\lambda\,\theta)\; b}{\sin\theta}, \qquad
# \cos\theta = \frac{a \cdot b}{\|a\|\,\|b\|}. \tag{15.8}$$
#
# ### Exercise 15.6 · The great circle
#
# `a` and `b` have shape `(B, *D)`, and `share` is $\lambda$, a number. Each item has its own angle. (`torch.acos`
# inverts the cosine. `x.flatten(1)` makes one row of each item.)

# %% tags=["exercise"]
def my_slerp(a, b, share):
    """Return the points between a and b on their great circles, shaped like a."""
    ### BEGIN SOLUTION
    flat_a, flat_b = a.flatten(1), b.flatten(1)
    cosine = (flat_a * flat_b).sum(1) / (flat_a.norm(dim=1) * flat_b.norm(dim=1))
    angle = torch.acos(cosine).reshape(-1, *[1] * (a.dim() - 1))  # (B, 1, ...)
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
    ### END SOLUTION


slerp = check("guidance.slerp", my_slerp)

# %%
def line(a, b, share):
    return (1 - share) * a + share * b


def length(x):
    return x.flatten(1).norm(dim=1)


one, two = (compare_samplers.labels_and_noise(train_labels, 300, seed)[1] for seed in (20, 21))
angle = torch.acos(torch.cosine_similarity(one.flatten(1), two.flatten(1)))
print(f"angles between noises: {torch.rad2deg(angle).mean():.1f} ± "
      f"{torch.rad2deg(angle).std():.1f} degrees")
for share in (0.0, 0.25, 0.5):
    print(f"lambda = {share}: length on the line {length(line(one, two, share)).mean():.2f} "
          f"(in theory {8 * math.hypot(1 - share, share):.2f}), on the circle "
          f"{length(slerp(one, two, share)).mean():.2f}")

# %%
# eq: 15.8
a, b = (x / length(x)[:, None, None, None] for x in (one, two))  # noises of length 1
third = slerp(a, b, 1 / 3)
turned = torch.acos((third * a).flatten(1).sum(1))
print("the point at a third has length 1 and a third of the angle:",
      torch.allclose(length(third), torch.ones(300)) and torch.allclose(turned, angle / 3))

# %% [markdown]
# What do the images look like? Encode two pairs of the found digits, this time without labels, mix their codes, and
# decode without labels. For comparison, mix the pixels themselves.

# %%
shares = [k / 8 for k in range(9)]
free = models.denoiser(mnist)
up = heun(mnist.schedule, free, found[[1, 3, 4, 5]], quadratic(30)[::-1])
mixed = {"mixed pixels": torch.stack([line(found[[1, 4]], found[[3, 5]], s) for s in shares], 1)}
for name, mix in (("codes, line", line), ("codes, circle", slerp)):
    code = torch.stack([mix(up[[0, 2]], up[[1, 3]], s) for s in shares], 1)  # (2, 9, 1, 32, 32)
    mixed[name] = draw("DPM++(2M)", code.flatten(0, 1), 20, label=None).reshape(code.shape)
images = torch.cat([x[pair] for pair in range(2) for x in mixed.values()])
fig = figures.images(models.without_padding(images, mnist), columns=9, panel=0.62,
                     row_labels=[*mixed] * 2)
figures.show(fig, alt="Between two digits: mixed pixels are double exposures, codes give strokes.")
for name, x in mixed.items():
    middle = models.without_padding(x[:, 4], mnist)
    sure = mnist_classifier(middle).softmax(dim=1).amax(dim=1)
    print(f"{name:>13}, in the middle: the classifier is {sure[0]:.0%} and {sure[1]:.0%} sure")

# %% [markdown]
# Mixed pixels are double exposures, and in the middle the classifier is only 72 % and 96 % sure of what it reads.
# Mixed codes give clean strokes, and the classifier is 100 % sure, on the line and on the circle. So is the circle
# unnecessary? Two midpoints cannot tell you about a distribution. The midpoints of 200 pairs of noises, decoded to
# small digits, can.

# %%
middles = {"middle of the line": line(one, two, 0.5), "middle of the circle": slerp(one, two, 0.5),
           "fresh noise": compare_samplers.labels_and_noise(train_labels, 300, 22)[1]}
middles = {name: ten_steps(models.denoiser(digits), x_T[:200]) for name, x_T in middles.items()}
middles["mixed real pixels"] = line(test[:200], test[200:400], 0.5)
for name, x in middles.items():
    energy = metrics.energy_distance(x, test)
    print(f"{name:>20}: energy {energy.value:.3f} ± {energy.stderr:.3f}, "
          f"{torch.pdist(x.flatten(1).double()).mean():.2f} apart on average")

# %% [markdown]
# Images from the midpoints of 200 lines have an energy distance of 0.112 ± 0.029 from real digits, those from 200
# circles 0.032 ± 0.015, and those from fresh noise 0.018 ± 0.010: here the circle cannot be distinguished from fresh
# noise. Images from the line are also more similar to each other, 5.05 apart against 5.49. At $t = T$ the network was
# never trained on noise this weak. And averaging the pixels of two real digits does not give a digit at all: the
# distance is 0.154.

# %% [markdown] topics="C189 C190 C193 C194"
# ## From a label to a sentence
#
# **Conditioning** is not special to diffusion: a conditional VAE or GAN also takes $y$ as an extra input. Replace
# the label by a sentence, and you have a **text-to-image** model. It usually has three parts:
#
# 1. a **text encoder**, which turns the sentence into vectors; the denoiser receives them in place of our label
#    embedding, usually by **cross-attention**, in which the queries come from the image and the keys and values
#    from the text,
# 2. a diffusion model, which draws either small pixels or a *latent code*, with classifier-free guidance and an
#    empty sentence as the null label,
# 3. a **decoder**, which turns the small image or the code into a large image.
#
# The parts can be trained separately. In **latent diffusion** [Rom22], of which Stable Diffusion is an instance,
# the decoder belongs to an autoencoder that is trained first; then noise is added to its codes instead of the
# pixels, and everything you have learned applies to these codes. Imagen [Sah22] stays with pixels. DALL·E 2 first draws
# an image embedding from the text, by diffusion, and decodes that.
#
# [17b](17b_systems.ipynb) builds a small system of this kind and says what is known about the size of each part.

# %% [markdown]
# ## Popular claims, checked
#
# - **Guidance does not sample from $q(x)\,q(y \mid x)^w$**, except at $w = 0$ and 1: on the line the mean is 0.982
#   instead of 0.791 at $w = 2$ (detour). Guidance is a heuristic, judged by its images.
# - **More guidance trades variety for agreement with the label, and too much distorts the distribution**: variety
#   falls from 1.65 to 0.98 from $w = 1$ to 2, and the energy distance rises to 0.138 at $w = 8$. It does not simply
#   make "better images".
# - **Diffusion has a latent code if you sample without fresh noise**: the round trip has an error of 0.001. An accurate
#   round trip alone does not prove that the code is right, though: codes with standard deviation 0.349 also led back to
#   their images.

# %% [markdown]
# ## Recap
#
# Bayes' rule turns a label into a pull on the score. One network gives that pull as a difference of two predictions,
# if its labels were sometimes dropped in training. The guidance scale moves the prediction beyond the conditional
# one: as it grows, first the label is followed, then variety is lost, then the whole distribution is distorted. What
# guided sampling draws from is not $q(x)\,q(y \mid x)^w$. Without fresh noise every image has a code: you can encode
# it, change the label or interpolate on the great circle, and decode.
#
# **One formula to keep**
#
# $$\text{guided} = u + w\,(c - u): \quad 0 \text{ ignores}, \quad 1 \text{ follows}, \quad \text{more exaggerates}$$
#
# **Exercises:** 15.3 `guidance.classifier_free` · 15.4 `guidance.choose` · 15.5 `guidance.ode_step` · 15.6
# `guidance.slerp`
#
# **To think about.** Guidance at large $t$ decides *which* digit, at small $t$ how sharp it is. Let $w$ depend on
# $t$: in which half of the steps does guidance cost the most variety?
#
# **Before:** [15 · How few steps are enough?](15_fast_and_guided.ipynb) · **Next:**
# [16 · What remains when T goes to infinity?](16_continuous_time.ipynb)
#
# **Read on:** [HS22]; [DN21] for classifier guidance; [BN24] on what guidance samples; [Song21a] Sec. 5 on codes
# and interpolation; [Meng22] for SDEdit.
