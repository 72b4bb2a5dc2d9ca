# %% [markdown]
# # 14b · Are the samples as good as real images?
#
# Bits per dimension ask whether a model gives every real image enough probability. They never look at a sample.
# Here we do. How far is a set of samples from real images, how much of that distance is sampling noise, and are the
# samples perhaps copies of the training data? At the end you can judge a sentence like "our FID is 3.1, better than
# their 3.3".
#
# **After this chapter you can**
#
# - measure the distance between samples and real data, with a baseline and an error bar,
# - say what the Fréchet distance (FID) compares, why it is biased, and what it does not see,
# - test a model for memorization,
# - decide whether one result is better than another, or whether the difference is within the error.
#
# **You need** "Which ones are real?" and section 1 of [14 · How good is it, honestly?](14_measuring.ipynb),
# standard errors from [03 · Estimators](03_estimators.ipynb), and the ideal denoiser of [10 · Sampling without
# learning](10_sampling_without_learning.ipynb).
#
# **Time:** about {road} minutes; the detours, which nothing later needs, add {detours}. The notebook runs in about
# 50 seconds.
#
# **For what comes next you need** sections 1 and 2 (chapter 15).
#
# **In the papers:** [Heu17] (FID), [SR13] (energy distance), [Bon15] (sliced Wasserstein distance), [CF20] (the
# bias of FID), [The16] on why such measures disagree.

# %%
import itertools
import math
import tempfile

import torch
from safetensors.torch import load_file
from scipy import linalg, stats  # comes with scikit-learn
from torch.nn.functional import avg_pool2d, pad

from ddpm_lab import datasets, ideal_denoisers, metrics, samplers, schedules, training
from ddpm_lab.course import explorers, figures, gpu_run
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, UNetConfig
from ddpm_lab.training import models, pretrained, trainer

# %% [markdown]
# ## A first look: three sets of digits
#
# Two models were made from the same 896 training digits: the network of chapter 14, and the ideal denoiser of
# chapter 10, whose samples are training digits and nothing else. The network draws six sets of 300 digits here,
# with labels as frequent as in training; the ideal denoiser draws one. The third row is real digits that were not used
# in training.
#
# **Predict.** Will you see a difference between the three rows? And which of the two models should a distance to
# real digits prefer?

# %%
(train, train_labels), (test, test_labels) = datasets.digits("train"), datasets.digits("test")
model = pretrained.load("digits")


def draw_labels(n, seed):
    """n labels, as frequent as in the training half."""
    return train_labels[torch.randint(len(train), (n,), generator=seeded(seed))]


sets = [models.sample(model, 300, label=draw_labels(300, seed), steps=20, generator=seeded(seed))
        for seed in range(6)]
made = torch.cat(sets)
x_T = normal_like(torch.empty(300, 1, 8, 8), generator=seeded(13))
copies = samplers.final(samplers.dpmpp_2m(
    model.schedule, ideal_denoisers.dataset_denoiser(train, model.schedule), x_T,
    times=schedules.timesteps(1000, 20)))

# %%
trio = {"network": made, "ideal denoiser": copies, "new real digits": test[20:]}
fig = figures.images(torch.cat([x[:12] for x in trio.values()]), columns=12, panel=0.6,
                     row_labels=list(trio))
figures.show(fig, alt="Twelve digits of the network, of the ideal denoiser, and real ones.")
for name, x in trio.items():
    print(f"{name:>15}: {len(x):4} digits, standard deviation of all pixels {x.std():.2f}")

# %% [markdown]
# By eye the rows hardly differ. We need numbers, and numbers with error bars. (Section 4 comes back to the ideal
# denoiser: digits copied from the training data pass as real.)

# %% [markdown]
# ## 1 · How far apart are two sets?
#
# Samples and real images are two sets of points in a space of 64 dimensions. Do they come from the same
# distribution? Compare distances: if the distributions are equal, a point is on average as far from the points of
# the other set as from those of its own. The **energy distance** [SR13] measures by how much the two differ,
#
# $$\mathcal{E} = 2\,E|a - b| - E|a - a'| - E|b - b'|, \tag{14.5}$$
#
# with the Euclidean length $|\cdot|$, a random item $a$ of one set and $b$ of the other, and $a'$, $b'$ *another*
# item of the same set as $a$ or $b$. It is 0 only if the two distributions are equal, and it has nothing to tune.
# (It is a squared **maximum mean discrepancy** with the kernel $-|a - b|$; other kernels give other distances of
# this family.)
#
# ### Exercise 14.3 · Energy distance
#
# `a` has shape (N, D), `b` (M, D). Return the estimate of (14.5). `torch.cdist(a, b)` is the (N, M) table of all
# distances. In the second and third means no item may be paired with itself: that distance, 0, says nothing about
# the distribution. How many pairs are left?

# %% tags=["exercise"]
def my_energy(a, b):
    """Return the energy distance of two sets, over pairs of different items."""
    ### BEGIN SOLUTION
    n, m = len(a), len(b)
    within_a = torch.cdist(a, a).sum() / (n * (n - 1))
    within_b = torch.cdist(b, b).sum() / (m * (m - 1))
    return 2 * torch.cdist(a, b).mean() - within_a - within_b
    ### END SOLUTION


energy = check("measuring.energy", my_energy)

# %% [markdown]
# **Predict.** Take two sets of 100 points from the *same* distribution. Can the result be negative? How often?

# %%
# eq: 14.5
rng, unbiased, biased = seeded(3), [], []
for _ in range(400):
    a, b = (normal_like(torch.empty(100, 2).double(), generator=rng) for _ in range(2))
    unbiased.append(energy(a, b))
    within = torch.cdist(a, a).mean() + torch.cdist(b, b).mean()  # each item with itself, too
    biased.append(2 * torch.cdist(a, b).mean() - within)
for name, values in (("other items only", unbiased), ("with self-pairs", biased)):
    values = torch.stack(values)
    print(f"equal distributions, {name}: mean {values.mean():+.4f} ± {values.std() / 20:.4f}, "
          f"{(values < 0).double().mean():.0%} negative")
a, b = (normal_like(torch.empty(4000, 1).double(), generator=rng) for _ in range(2))
across = 8**0.5 * stats.norm.pdf(0.5**0.5) + 2 * stats.norm.cdf(0.5**0.5) - 1  # a - b ~ N(-1, 2)
print(f"N(0, 1) and N(1, 1): {energy(a, b + 1):.3f}; exactly {2 * across - 4 / math.pi**0.5:.3f}")

# %% [markdown]
# For equal distributions the estimates scatter around 0, and 60 % of them are negative. That is no defect: an
# unbiased estimate of 0 that varies must sometimes be negative. If you clip it at 0 or include the self-pairs, it
# is biased: with self-pairs the mean is 0.0365 where the truth is 0. So a number such as 0.01 says nothing until
# you know what real data get against real data: the **real-versus-real baseline**.
#
# ### Exercise 14.4 · The baseline
#
# `data` are real items, shape (N, D). Each row of `orders` is a shuffled list of all N row numbers. For each order
# return `metric` of two sets: the first N // 2 items of the data *in that order*, and the N // 2 items that follow.
# (`metric` returns one number, a float or a tensor.)

# %% tags=["exercise"]
def my_baseline(metric, data, orders):
    """Return metric(half, other half) for each order, shape (number of orders,)."""
    ### BEGIN SOLUTION
    half = len(data) // 2
    values = [metric(data[order[:half]], data[order[half:2 * half]]) for order in orders]
    return torch.tensor([float(value) for value in values], dtype=torch.float64)
    ### END SOLUTION


baseline = check("measuring.baseline", my_baseline)

# %% [markdown]
# Now 600 samples against 600 real digits, three times, and 600 real digits against 600 others, in 30 orders.

# %%
def flat(x):
    """Images as rows of numbers."""
    return x.flatten(1).double()


real = torch.cat([train, test])  # all 1797 digits
some = real[torch.randperm(1797, generator=seeded(4))[:1200]]
orders = torch.stack([torch.randperm(1200, generator=seeded(k)) for k in range(30)])
of_real = baseline(energy, flat(some), orders)  # 600 against 600
of_made = [energy(flat(made[k:k + 600]), flat(test[:600])).item() for k in (0, 600, 1200)]
print(f"real against real, 30 orders: median {of_real.median():.4f}, "
      f"from {of_real.min():.4f} to {of_real.max():.4f}")
print("three sets of samples against real:", ", ".join(f"{value:.4f}" for value in of_made))
print(f"standard error of the first, from the package: "
      f"{metrics.energy_distance(made[:600], test[:600]).stderr:.4f}")

# %%
fig, ax = figures.new(height=2.2)
ax.hist(of_real, bins=12, color=figures.BLUE, label="real against real, 30 orders")
for k, value in enumerate(of_made):
    ax.axvline(value, color=figures.RED, linestyle="--",
               label=None if k else "samples against real, three sets")
ax.set(xlabel="energy distance of 600 and 600 digits, data units", ylabel="orders")
ax.legend(fontsize=9)
figures.show(fig, alt="A histogram of baseline values around 0; three lines at its right end.")
above = [int((of_real > value).sum()) for value in of_made]
print("of 30 baseline values, above each of the three:", *above)

# %% [markdown]
# A perfect model could land anywhere in the histogram. All three sets lie at its right end: 4 of the 30 baseline
# values exceed the first, 1 the second, none the third. So the samples look slightly less than perfect. But all
# three were compared with the *same* 600 real digits; if these are unusual, all three lines shift together. And the
# first set alone, 0.0082 ± 0.0064, shows nothing.

# %% [markdown]
# ### Detour · The sliced Wasserstein distance
#
# A second distance between sets asks how far the points of one set must be moved to become the other set. In one
# dimension this is easy to compute.

# %% [markdown]
# On a line, the cheapest way to move N points onto N others is to sort both sets and to match the $k$-th point with
# the $k$-th. The mean squared distance is then
#
# $$W_2^2 = \frac1N \sum_{k=1}^{N} \big(a_{(k)} - b_{(k)}\big)^2, \tag{14.6}$$
#
# where $a_{(k)}$ is the $k$-th smallest. In 64 dimensions one projects the points onto many random lines, averages
# (14.6) over the lines, and takes the square root: the **sliced Wasserstein distance** [Bon15]. It is never
# negative, so it is positive even for equal distributions, and it *needs* its baseline.

# %%
# eq: 14.6
rng = seeded(5)
a, b = (normal_like(torch.empty(7).double(), generator=rng) for _ in range(2))
by_sorting = (a.sort().values - b.sort().values).square().mean()
best = min((a - b[list(order)]).square().mean() for order in itertools.permutations(range(7)))
print(f"seven points: sorted {by_sorting:.4f}, best of all 5040 matchings {best:.4f}")


def sliced(a, b):
    """The package's sliced distance; the same lines each time."""
    return metrics.sliced_wasserstein(a, b, directions=64, generator=seeded(0))


found = sliced(made[:600], test[:600])
values = baseline(lambda a, b: sliced(a, b).value, some, orders[:10])
print(f"samples against real: {found.value:.4f} ± {found.stderr:.4f}\nreal against real: median "
      f"{values.median():.4f}, from {values.min():.4f} to {values.max():.4f}")

# %% [markdown]
# The samples' 0.0586 lies inside the range of real against real: by this distance nothing is wrong with them.

# %% [markdown] topics="C192"
# ## 2 · The Fréchet distance
#
# So far the sets were compared pixel by pixel. For the energy distance a stroke that is shifted by one pixel is far
# from the original, though a person would hardly notice. So let a network look: a small classifier, trained on the
# labels, describes each image by 32 numbers, its **features**. Fit one Gaussian to the features of the real images
# and one to those of the samples. The **Fréchet distance** is the least mean squared distance by which one Gaussian
# must be moved to become the other. It is known in closed form [DL82]:
#
# $$F = |m_1 - m_2|^2 + \mathrm{tr}\Big(\Sigma_1 + \Sigma_2 - 2\,\big(\Sigma_1 \Sigma_2\big)^{1/2}\Big), \tag{14.7}$$
#
# with means $m$, covariances $\Sigma$, the trace tr (the sum of the diagonal) and a matrix root, the matrix whose
# square is $\Sigma_1\Sigma_2$. The first term is the squared shift of the mean; the second measures the change of
# widths and directions. With the features of one large network, Inception, and usually 50,000 samples, $F$ is
# called the **Fréchet inception distance**, FID [Heu17], the most quoted metric of the field.

# %%
# eq: 14.7
def frechet(a, b):
    """(14.7) for the rows of a and b."""
    cov_a, cov_b = (torch.atleast_2d(torch.cov(x.T)) for x in (a, b))
    root = torch.as_tensor(linalg.sqrtm((cov_a @ cov_b).numpy()).real)
    return ((a.mean(0) - b.mean(0)).square().sum() + (cov_a + cov_b - 2 * root).trace()).item()


judge, facts = training.load(pretrained.path("features_digits"))
print(f"the classifier is right on {facts['accuracy']:.1%} of new digits")
of_made, of_train, of_test = (metrics.features(judge, x) for x in (made, train, test))
for name, x in (("samples", of_made[:890]), ("training digits", of_train[:890])):
    package = metrics.frechet(x, of_test[:890])
    print(f"890 {name} against 890 new digits: F = {frechet(x, of_test[:890]):.4f}; "
          f"the package {package.value:.4f} ± {package.stderr:.4f}")

# %% [markdown]
# Even real digits get 0.25 against real digits. We will come back to that. First, what does $F$ compare?
#
# **Predict.** The distribution with two modes at ±0.97 that you met in earlier chapters has mean 0 and variance 1.
# What is $F$ between it and $N(0, 1)$?

# %%
# claim: E43
rng = seeded(7)
two = ideal_denoisers.sample(ideal_denoisers.two_modes(), 100_000, generator=rng).double()
one = normal_like(two, generator=rng)
fig = figures.histograms({"two modes": two[:, 0], "one mode": one[:, 0]}, xlabel="x", height=2.2)
figures.show(fig, alt="Left two narrow peaks at -1 and 1; right one wide bell around 0.")
largest = stats.ks_2samp(two[:, 0].numpy(), one[:, 0].numpy()).statistic
print(f"two modes against one: F = {frechet(two, one):.5f}; the distribution functions differ by "
      f"up to {largest:.3f};\nenergy distance "
      f"{metrics.energy_distance(two[:2000], one[:2000]).value:.3f}")

# %% [markdown]
# $F$ is 0 up to sampling error, while the distribution functions differ by up to 0.2. FID does not compare two
# distributions; it compares **two Gaussians that were fitted to features**, and everything else goes unseen.
#
# ### The bias of FID
#
# Two sets from the same distribution differ in mean and covariance, by chance, and $F$ adds up squares. So $F$ is
# positive even for equal distributions, and it grows with fewer items and with more features. For N and M items
# with $d$ independent features of variance 1, approximately
#
# $$E[F] \approx \Big(\frac1N + \frac1M\Big)\,\frac{d\,(d + 5)}{4}. \tag{14.8}$$

# %%
# eq: 14.8
# claim: E43
rng = seeded(8)
for n in (200, 1000, 10_000):
    a, b = (normal_like(torch.empty(n, 64).double(), generator=rng) for _ in range(2))
    print(f"equal distributions, 64 features, {n:6,} items each: F = {frechet(a, b):4.1f}; "
          f"(14.8) says {2 / n * 64 * 69 / 4:4.1f}")

# %% [markdown]
# The same distribution on both sides, and $F$ is 10.6, 2.3 or 0.2. Only the number of items has changed. So an $F$
# without its $n$ means nothing, and two values can be compared only at equal $n$.
#
# **FID beside a second number.** FID does not check whether an image shows what was asked for. Text-to-image papers
# therefore plot FID against the **CLIP score**, which measures how well each image fits its text, according to a
# network trained on pairs of images and texts. Guidance ([15b](15b_guidance_and_editing.ipynb)) trades one for the
# other, so a model is not a point but a curve, and one compares curves ([17b](17b_systems.ipynb) reads one).

# %% [markdown]
# ### Detour · Try it yourself: a metric, n and noise
#
# How many images do you need to notice that something is wrong with them?

# %% [markdown]
# The "samples" are real digits with noise of standard deviation 0.6. Blue is real against real, red real against
# noisy.
#
# **Predict.** With 50 images on each side, how many of six noisy sets have a Fréchet distance above all six
# baseline values? From which $n$ on are all six sets above? Then change the metric and the noise.

# %%
explorer = explorers.real_against_real()
print(explorer)
explorer

# %%
for n in (50, 100, 200):
    said = explorer.describe(metric="Fréchet distance", n=n, noise=0.6)
    print(f"n = {n:3}: {said.split('; ')[1]}")

# %% [markdown]
# None of six at $n = 50$, five at 100, all at 200. With too few images you cannot distinguish a bad model from a
# perfect one.

# %% [markdown]
# ### Detour · Extrapolating to infinitely many items
#
# The bias falls like $1/n$. Can we compute $F$ for several $n$ and read off the value at $1/n = 0$?

# %% [markdown]
# We take real digits and samples, in the features of the classifier. (These features are not independent, so (14.8)
# does not give the size of the bias, but it still falls like $1/n$.)

# %%
of_all = torch.cat([of_train, of_test])
sizes, rng = (50, 75, 100, 200, 400, 890), seeded(9)


def mean_f(a, b, n, times=30):
    """Mean F of n rows of a against n rows of b; if they are one set, no row comes twice."""
    values = []
    for _ in range(times):
        rows, other = (torch.randperm(len(x), generator=rng) for x in (a, b))
        values.append(frechet(a[rows[:n]], b[rows[n:2 * n] if a is b else other[:n]]))
    return sum(values) / times


by_size = {"real against real": [mean_f(of_all, of_all, n) for n in sizes],
           "samples against new digits": [mean_f(of_made, of_test, n) for n in sizes]}

# %%
inverse = 1 / torch.tensor(sizes, dtype=torch.float64)
fig, ax = figures.new(height=2.8)
last = torch.stack([torch.ones(3).double(), inverse[-3:]], dim=1)  # the three largest n
for (name, values), color in zip(by_size.items(), (figures.BLUE, figures.RED)):
    ax.plot(inverse, values, "o-", color=color, label=name)
    line = torch.linalg.lstsq(last, torch.tensor(values[-3:]).double()[:, None]).solution
    print(f"{name}: " + ", ".join(f"{v:.2f}" for v in values) + f"; at 1/n = 0: {line[0, 0]:.2f}")
ax.set(xlabel="1 / n, for n items on each side", ylabel="F, squared feature units")
ax.legend(fontsize=9)
figures.show(fig, alt="Both curves are nearly straight lines; the samples' lies a little higher.")

# %% [markdown]
# Against $1/n$ both are nearly straight lines (the kinks at the right are due to chance), so one can **extrapolate** to
# infinitely many items [CF20]: draw the line through the last points to the axis. Real against real ends at 0.00,
# as it must. The samples end at 0.27. How far can we trust that? The standard error of one pair of sets was 0.16
# above, so the 0.27 is less than two standard errors from 0. Raw numbers would have misled you: the samples' 0.44
# at $n = 890$ looks better than *real* digits' 0.74 at $n = 200$.

# %% [markdown]
# ### Detour · Two Gaussians with independent features
#
# If the features are independent, (14.7) becomes a short sum. It shows what the trace measures.

# %% [markdown]
# #### Exercise 14.5 · Two Gaussians with independent features
#
# If both covariances are diagonal, the matrix root is the root of each diagonal entry. Return $F$ for means and
# variances given as four tensors of shape (D,). Write (14.7) down for one feature first.

# %% tags=["exercise"]
def my_frechet(mean_1, var_1, mean_2, var_2):
    """Return the (squared) Fréchet distance of two Gaussians with independent features."""
    ### BEGIN SOLUTION
    spread = var_1 + var_2 - 2 * (var_1 * var_2).sqrt()
    return ((mean_1 - mean_2) ** 2 + spread).sum()
    ### END SOLUTION


frechet_diagonal = check("measuring.frechet", my_frechet)

# %%
rng = seeded(6)
a, turn = (normal_like(torch.empty(n, 3).double(), generator=rng) for n in (500, 3))
a, turn = torch.linalg.qr(a - a.mean(0)).Q * 500**0.5, torch.linalg.qr(turn).Q  # a: uncorrelated
b = a * torch.tensor([2.0, 1.0, 0.5]) + torch.tensor([0.0, 3.0, 0.0])
short = frechet_diagonal(a.mean(0), a.var(0), b.mean(0), b.var(0))
print(f"exercise 14.5: {short:.4f}, (14.7): {frechet(a, b):.4f}; "
      f"both sets rotated: {frechet(a @ turn, b @ turn):.4f}")

# %% [markdown]
# The short form agrees with (14.7), and rotating both sets changes nothing: $F$ does not depend on the axes. With
# standard deviations $s$, each feature adds $(m_1 - m_2)^2 + (s_1 - s_2)^2$: the squared shift of the mean, and the
# squared change of the width.

# %% [markdown]
# ## 3 · What does each distance see?
#
# Now an experiment in which we know what is wrong. Take 448 *real* digits, damage them in several ways, and compare
# them, as "samples", with 448 other real ones. The damages are **blur** (mix with the mean of the 3 × 3 neighbors),
# **noise**, **missing classes** (replaced by other digits; in a generative model this is called **mode dropping**),
# and **repeats** (few different digits, each many times). The first row of the table has no damage at all, as from
# a model that returns its training digits.
#
# To put all distances on one scale, we subtract the baseline's median and divide by the baseline's standard
# deviation. The third distance is the sliced Wasserstein distance (the detour in section 1); like the energy
# distance it compares pixels.
#
# **Predict.** Which distance will react most to the missing 0? Which will hardly react to blur?

# %%
all_labels = torch.cat([train_labels, test_labels])
rows = torch.randperm(1797, generator=seeded(10))
pool, pool_labels = real[rows[:896]], all_labels[rows[:896]]
spare, spare_labels = real[rows[896:]], all_labels[rows[896:]]


def damages(x, labels):
    """448 digits, damaged in many ways: name -> images."""
    smooth = avg_pool2d(pad(x, [1] * 4, value=-1.0), 3, 1)
    noise, found = normal_like(x, generator=seeded(11)), {"none": x}
    found |= {f"blur, {s:.0%} of the mean": (1 - s) * x + s * smooth for s in (0.1, 0.2, 0.4)}
    found |= {f"noise, std {s}": (x + s * noise).clamp(-1, 1) for s in (0.1, 0.2, 0.4)}
    for name, first in (("no 0", 1), ("no 0, 1, 2", 3)):
        others = spare[spare_labels >= first][:int((labels < first).sum())]
        found[name] = torch.cat([x[labels >= first], others])
    return found | {f"{448 // k} digits, {k} times": x[:448 // k].repeat(k, 1, 1, 1)
                    for k in (2, 8, 32)}

# %%
distances = {
    "energy": lambda a, b: metrics.energy_distance(a, b).value,
    "sliced": lambda a, b: metrics.sliced_wasserstein(
        a, b, directions=64, generator=seeded(0)).value,
    "Fréchet": lambda a, b: frechet(metrics.features(judge, a), metrics.features(judge, b))}
orders = torch.stack([torch.randperm(896, generator=seeded(k)) for k in range(20)])
baselines = {name: baseline(distance, pool, orders) for name, distance in distances.items()}

# %%
seen = {}  # damage -> deviations, the mean of four orders
for order in orders[:4]:
    others = pool[order[448:]]
    for what, x in damages(pool[order[:448]], pool_labels[order[:448]]).items():
        found = [(distance(x, others) - baselines[name].median()) / baselines[name].std()
                 for name, distance in distances.items()]
        seen[what] = seen.get(what, 0) + torch.stack(found) / 4
print(f"{'damage':>22}" + "".join(f"{name:>9}" for name in distances))
for what, row in seen.items():
    print(f"{what:>22}" + "".join(f"{value:9.1f}" for value in row))

# %%
fig, ax = figures.new(height=3.8)
for k, (name, marker) in enumerate(zip(distances, "os^")):
    ax.plot([row[k] for row in seen.values()], list(seen), marker, label=name,
            color=(figures.GREEN, figures.ORANGE, figures.PURPLE)[k])
ax.axvspan(-2, 2, color=figures.BLUE, alpha=0.15, label="like real ones")
ax.set_xscale("symlog", linthresh=2)
ax.set(xticks=(-2, 0, 2, 10, 50), xticklabels=(-2, 0, 2, 10, 50),
       xlabel="deviations of the baseline above its median (logarithmic beyond 2)")
ax.invert_yaxis()
ax.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
figures.show(fig, alt="Each damage is far outside for some distances; undamaged digits for none.")
for k, name in enumerate(distances):
    escaped = [what for what, row in seen.items() if row[k] < 2]
    print(f"not seen by {name} (below two deviations):\n    {'; '.join(escaped)}")

# %% [markdown]
# Each distance sees what it was built to see.
#
# - **Energy and sliced** compare pixels: 41 and 25 deviations for the strongest blur, 18 and 17 for strong noise. A
#   missing class changes only a small part of all distances: 4.
# - **Fréchet** compares features of a network that was trained to *name* digits, and blur does not change a digit's
#   name: 2.0. But the missing 0 shifts mean and covariance: 10.9. (Inception does react to blur [Heu17]; each
#   network has blind spots of its own.)
# - **Repeats**: 56 digits, eight times each, are noticed by all. 224 digits twice each nearly escape: 3.0, 4.1,
#   2.6.
# - **No damage**: at most about one deviation for all three.
#
# So no single distance is enough. Report which distance you used, which features, and how many items.

# %% [markdown]
# ## 4 · Are the samples copies?
#
# The first row of that table is the problem. Real digits get a perfect result, of course. But so does a network
# that has learned its data by heart. Such memorization (chapter 10b) passes every comparison with real data, so we
# need a separate test for it. Look up the **nearest neighbor** of each sample, the training digit with the smallest
# distance to it.

# %%
near = {"network": metrics.nearest(made, train), "ideal denoiser": metrics.nearest(copies, train)}
rows = [made[:10], train[near["network"].index[:10]],
        copies[:10], train[near["ideal denoiser"].index[:10]]]
fig = figures.images(torch.cat(rows), columns=10, panel=0.6, row_labels=[
    "network", "nearest training digit", "ideal denoiser", "nearest training digit"])
figures.show(fig, alt="The network's digits resemble their neighbors; "
                      "the ideal denoiser's equal them.")
for name, found in (near | {"new real digits": metrics.nearest(test, train)}).items():
    print(f"{name:>16}: distance to the nearest training digit: mean {found.distance.mean():.2f}, "
          f"smallest {found.distance.min():.2f}")
for name, x in (("network, first set", sets[0]), ("network, third set", sets[2]),
                ("ideal denoiser", copies)):
    found = metrics.energy_distance(x, test)
    print(f"{name:>18}: energy distance to new digits {found.value:.3f} ± {found.stderr:.3f}")

# %% [markdown]
# The ideal denoiser's samples are copies, every one, and yet their energy distance to new digits is in the range of
# the network's sets. The network's samples are not copies: no distance is below 1.04, and the mean, 2.24, is that
# of new real digits, 2.22. Is nothing memorized, then? The mean distance cannot tell, since blurry images lie
# nearer to everything and noisy ones farther. A sharper question is whether a sample lies nearer to an image that
# was *seen* in training than to any that was *not*. If nothing was memorized, both are equally probable: the
# expected fraction is 0.5.
#
# ### Exercise 14.6 · Nearer to the training data?
#
# `x` (B, D) are samples, `train` (N, D) and `held_out` (M, D) real items, in random order. Return the fraction of
# samples whose nearest item of both sets is a training item; a tie counts one half. But whatever the model, the
# nearest of 1000 items is usually nearer than the nearest of 100. So first shorten the larger set: keep as many of
# its first items as the smaller set has.

# %% tags=["exercise"]
def my_share(x, train, held_out):
    """Return the fraction of samples that are closer to the training items."""
    ### BEGIN SOLUTION
    size = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:size]).min(dim=1).values
    new = torch.cdist(x, held_out[:size]).min(dim=1).values
    return (seen < new).double().mean() + (seen == new).double().mean() / 2
    ### END SOLUTION


share = check("measuring.memorization", my_share)

# %%
tested = {"network": (made, train, test), "ideal denoiser": (copies, train, test),
          "new real digits": (test[:300], train, test[300:])}  # 300 in the role of samples
for name, (x, old, other) in tested.items():
    found = metrics.memorization_test(x, old, other, generator=seeded(14))
    print(f"{name:>16}: yours {share(flat(x), flat(old), flat(other)):.2f}; the package "
          f"{found.value:.2f} ± {found.stderr:.2f}")
few, x = flat(test[300:400]), flat(test[:300])
unfair = torch.cdist(x, flat(train)).min(1).values < torch.cdist(x, few).min(1).values
print(f"new real digits, 896 training digits against 100 others: {unfair.double().mean():.2f}")

# %% [markdown]
# The ideal denoiser has a fraction of 1.00, and new real digits 0.50 ± 0.03, as they should. (Your value may differ
# by a standard error or so: the sets have 896 and 601 digits; you keep the *first* 601 training digits, and the
# package draws 601 at random.) Our network has 0.61 ± 0.02, five standard errors above one half. It does not copy,
# but its samples lie closer to what it has seen. The eye, the mean distance to the nearest digit and the distances
# between sets do not show this. The last line shows the effect of unequal sets: 0.89 for digits that nobody has
# memorized, close to 896/996 = 0.90, the training digits' share of all items. (The ± is larger than for 1800 coin
# tosses, 0.012, because samples with the same nearest digit are not independent.)
#
# Bits on held-out images are one more safeguard: the ideal denoiser of the training digits charged 926 bits per
# pixel for a new digit ([08](08_bound.ipynb)).

# %% [markdown]
# ## 5 · How large is the error?
#
# A measured number has at least three sources of randomness: which samples were drawn, which real images they were
# compared with, and which network the training produced. The standard errors after ± estimate the effect of the
# first two from one pair of sets, by a formula or by the **jackknife**, which leaves out one part of the items at a
# time (detour below). Sampling again with another seed shows the effect of the first.

# %%
by_seed = [metrics.energy_distance(x, test) for x in sets]
energies = torch.tensor([found.value for found in by_seed])
errors = torch.tensor([found.stderr for found in by_seed])
print("energy distance, six seeds:", ", ".join(f"{value:.3f}" for value in energies))
print(f"standard deviation of the six {energies.std():.3f}; their standard errors "
      f"{errors.min():.3f} to {errors.max():.3f}")
print("Fréchet distance, six seeds:",
      ", ".join(f"{frechet(metrics.features(judge, x), of_test):.2f}" for x in sets))

# %% [markdown]
# One network, six seeds of the sampler: from −0.003 to 0.031, and in $F$ from 0.29 to 0.86. If you report the best
# of six seeds, you report luck. The standard deviation of the six energy distances, 0.014, is of the same size as
# their standard errors, 0.006 to 0.016. (All six sets are compared with the *same* new digits, so only the standard
# errors include that source.) Neither includes the third source: another seed of the *training* gives another
# network.
#
# ### Exercise 14.7 · A sentence from a paper
#
# "Our FID is 3.1, better than their 3.3." Is it? Both are given as (value, standard error, number of items). Return
# `"first"` or `"second"`, whichever is better, if they differ by more than **two** standard errors of the
# difference; otherwise `"neither"`. The errors are independent, so their squares add. If the numbers of items
# differ, return `"neither"`, too: by (14.8) the two then have different biases.

# %% tags=["exercise"]
def my_verdict(first, second):
    """Return "first", "second" or "neither"; each is (value, standard error, number of items)."""
    ### BEGIN SOLUTION
    (a, error_a, n_a), (b, error_b, n_b) = first, second
    if n_a != n_b or abs(a - b) <= 2 * math.hypot(error_a, error_b):
        return "neither"
    return "first" if a < b else "second"
    ### END SOLUTION


verdict = check("measuring.verdict", my_verdict)

# %%
for error, n in ((0.02, 50_000), (0.1, 50_000), (0.02, 10_000)):
    first, second = (3.1, error, 50_000), (3.3, error, n)
    print(f"3.1 ± {error}, n = 50,000, against 3.3 ± {error}, n = {n:,}: "
          f"better is {verdict(first, second)}")

# %% [markdown]
# So the sentence may be right, it may say nothing, or it may compare what cannot be compared. That depends on the
# standard errors and on $n$, which the sentence does not give.

# %% [markdown]
# ### Detour · The jackknife
#
# How can one pair of sets tell us how much the result would vary for other pairs?

# %% [markdown]
# Leave out a part of the items and compute the number again, for each of $G$ parts in turn. If $s_g$ is the number
# without part $g$, and $\bar s$ the mean of these,
#
# $$\mathrm{stderr}^2 = \frac{G - 1}{G} \sum_{g=1}^{G} (s_g - \bar s)^2, \tag{14.9}$$
#
# for each of the two sets; then the two squares are added. (Why the large factor? The sets behind the $s_g$ share
# nearly all their items, so the $s_g$ differ far less than values from independent sets would.) For a mean and
# equal parts, (14.9) gives the textbook formula:

# %%
# eq: 14.9
values = normal_like(torch.empty(100).double(), generator=seeded(15))
without = torch.stack([values[torch.arange(100) % 20 != g].mean() for g in range(20)])
parts = values.reshape(5, 20).mean(0)  # the means of the twenty parts themselves
print(f"jackknife {(19 / 20 * (without - without.mean()).square().sum()).sqrt():.4f}; standard "
      f"deviation of the parts' means / root of 20: {parts.std() / 20**0.5:.4f}")

# %% [markdown]
# The two agree to all printed digits. In `metrics.frechet` the items are divided into 20 parts.

# %% [markdown]
# ### Detour · Quality against training
#
# What does more training buy? A small network learns the digits here and now; at five points we measure energy
# distance and memorization, and compare with the network of the course, which is larger and has seen sixteen times
# as many digits.

# %% [markdown]
# **Predict.** How will the two numbers change with training?

# %%
config = RunConfig(data=DataConfig("digits"), schedule=ScheduleConfig("linear", T=1000),
                   net=UNetConfig(width=16, mults=(1, 2), labels=10), steps=300, batch=64,
                   optimizer=OptimizerConfig(lr=4e-3, warmup=20, ema=0.97), precision="float32",
                   save_every=300, samples_every=25)
measured = {}  # digits seen in training -> (energy distance, fraction nearer to training digits)


def measure(x):
    """Energy distance to new digits, and the fraction nearer to training digits."""
    fraction = metrics.memorization_test(x, train, test, generator=seeded(16))
    return metrics.energy_distance(x, test), fraction


def look(run):
    """Called by the training loop every 25 steps."""
    if run.step in (25, 50, 100, 200, 300):
        x = models.sample(models.snapshot(config, run), 300, label=draw_labels(300, 1), steps=20,
                          generator=seeded(1))
        measured[run.step * config.batch] = measure(x)

# %%
with tempfile.TemporaryDirectory() as folder:
    trainer.train(config, folder, on_sample=look)
card = pretrained.model_card("digits")
measured[card["step"] * card["config"]["batch"]] = measure(sets[1])  # same labels, same noise
for seen_digits, (far, fraction) in measured.items():
    print(f"{seen_digits:7,} digits seen: energy distance {far.value:.3f} ± {far.stderr:.3f}, "
          f"fraction {fraction.value:.2f} ± {fraction.stderr:.2f}")
values = metrics.real_baseline(metrics.energy_distance, real, size=300, splits=20,
                               generator=seeded(17))
print(f"real against real, 300 and 300: energy distance {values.lowest:.3f} to "
      f"{values.highest:.3f}\ntime to train the last one: {card['seconds']:.0f} s on one core")

# %%
fig, axes = figures.new(1, 2, width=8.4, height=2.9)
for ax, k, name in zip(axes, (0, 1), ("energy distance, data units", "nearer to training digits")):
    found = [each[k] for each in measured.values()]
    ax.errorbar(list(measured), [v.value for v in found], [2 * v.stderr for v in found],
                fmt="o-", color=figures.RED, capsize=3)
    ax.set(xscale="log", xlabel="digits seen in training", ylabel=name)
axes[0].axhspan(values.lowest, values.highest, color=figures.BLUE, alpha=0.15)
axes[0].text(0.03, 0.08, "real against real", transform=axes[0].transAxes, fontsize=9)
axes[1].axhline(0.5, color=figures.BLUE, linestyle=":")
figures.show(fig, alt="The distance falls to the baseline; the fraction stays at 0.5, then rises.")
print("fractions:", ", ".join(f"{fraction.value:.2f}" for _, fraction in measured.values()))

# %% [markdown]
# (The bars reach two standard errors to each side.) The first points fall steeply: 0.143, 0.081, 0.051. The step
# from 0.051 to 0.045 is well within the errors. The last point, 0.020 ± 0.013, lies in the band of real against
# real: with 300 samples this distance cannot show any further progress.
#
# But look at the right panel. The small network's fraction is one half within its errors; the last one is 0.62 ±
# 0.03. The better images came with sixteen times as much training, a larger network, and memorization. How much of
# the gain is memorization, these numbers do not say. A plot that shows only the left panel invites you to train
# until everything is a copy.

# %% [markdown] topics="C133"
# ## Detour · Do fewer bits mean better images?
#
# Two networks whose bits differ by a factor of two, judged by their samples.

# %% [markdown]
# Back to the two MNIST networks of chapter 14 (section 4). The one with the weights of the bound ("vlb") needs half
# as many bits as the one with the simple loss. Here are ten digits of each.
#
# **Predict.** Which one draws better images?

# %%
rows = [models.sample(pretrained.load(file), 10, label=torch.arange(10), steps=20,
                      generator=seeded(18)) for file in ("mnist", "mnist_likelihood")]
fig = figures.images(torch.cat(rows), columns=10, panel=0.75, row_labels=["simple", "vlb"])
figures.show(fig, alt="A row of MNIST digits of each network, 0 to 9; nearly all can be read.")
print("; ".join(f"{name}: mean of all pixels {x.mean():.2f}"
                for name, x in zip(("simple", "vlb"), rows)))

# %% [markdown]
# Ten digits decide nothing. The model cards have 1000 samples of each network, with three seeds.

# %%
# claim: E20
cards = {"simple": pretrained.model_card("mnist"), "vlb": pretrained.model_card("mnist_likelihood")}
for name, card in cards.items():
    found = card["metrics"]
    print(f"{name:>6}: {found['bits_per_dim']['total']['value']:.2f} bits/dim; "
          f"{found['images']} samples:")
    for what in ("frechet", "energy_distance"):
        values = ", ".join(f"{value:.3f}" for value in card["by_seed"][what])
        low = found[what]["baseline"]
        print(f"    {what:>15}, by seed: {values} (± {found[what]['stderr']:.3f}); "
              f"baseline {low['lowest']:.3f} to {low['highest']:.3f}")
for what in ("frechet", "energy_distance"):
    simple, vlb = (torch.tensor(card["by_seed"][what]) for card in cards.values())
    print(f"{what}, vlb minus simple, seed by seed: "
          + ", ".join(f"{value:+.3f}" for value in vlb - simple))

# %% [markdown]
# Dropping the weights of the bound improved samples greatly in [Ho20, Table 1], for color images of 32 × 32 pixels:
# FID 3.17 instead of 13.51, and slightly more bits, 3.75 instead of 3.70. Here such an improvement can hardly be
# seen. The differences in $F$ are +0.048, +0.237 and +0.120, all in favor of the simple loss, but a single $F$ has a
# standard error of 0.24 or 0.28. In pixels (energy distance) the differences are just as small, with both signs.
# Nearly all values lie near the upper end of real against real or a little above it. As far as 1000 samples can tell,
# the two networks draw about equally well, and one of them needs about half as many bits.
#
# This does not refute the paper. Five things differ between our two networks (weights, schedule, prediction type and
# output layer, input layer, padding), the second was trained on a quarter more images, and there is one training of
# each.

# %% [markdown]
# ### Larger networks
#
# Larger networks for the same two tasks are meant for a GPU. How far are their samples from real ones, with a label
# and without?

# %%
for line in gpu_run.sample_lines("mnist", "mnist_gpu", "mnist_likelihood", "mnist_gpu_likelihood"):
    print(line)

# %% [markdown]
# A line that says "no such run" is still open: such a network has not been trained yet. (Section 9 of chapter 13
# says how it is filled in.)

# %% [markdown]
# ### The same noise: compare in pairs
#
# Let both networks start from the same noise. Can 200 pairs of images decide more than two independent sets?

# %%
stored = load_file(pretrained.path("features_mnist_real"))
labels, drawn = stored["train_labels"][:200].long(), {}  # as frequent as in real ones, shuffled
noise = normal_like(torch.empty(200, 1, 32, 32), generator=seeded(18))


def middle(x, side):
    """The middle of images, side x side pixels."""
    edge = (x.shape[-1] - side) // 2
    return x[..., edge : edge + side, edge : edge + side]


for name, file in (("simple", "mnist"), ("vlb", "mnist_likelihood")):
    network = pretrained.load(file)
    x = samplers.final(samplers.dpmpp_2m(
        network.schedule, models.denoiser(network, labels), middle(noise, network.shape[-1]),
        times=schedules.timesteps(network.schedule.T, 20)))
    drawn[name] = middle(x, 28)  # one network works with padding, the other without

# %%
chosen = [int((labels == digit).nonzero()[k]) for k in (0, 1) for digit in range(10)]
fig = figures.images(torch.cat([x[chosen] for x in drawn.values()]), columns=10, panel=0.75,
                     row_labels=["simple", "simple", "vlb", "vlb"])
figures.show(fig, alt="Two rows of MNIST digits of each network, 0 to 9; nearly all can be read.")
judge, facts = training.load(pretrained.path("features_mnist"))
print(f"the classifier is right on {facts['accuracy']:.1%} of held-out MNIST images")
held_out, others = stored["features"].double(), stored["train_features"].double().split(200)
ours = {name: metrics.features(judge, x) for name, x in drawn.items()}
for what, distance in (("Fréchet", metrics.frechet), ("energy", metrics.energy_distance)):
    found = {name: distance(x, held_out) for name, x in ours.items()}
    values = torch.tensor([distance(x, held_out).value for x in others[:8]])
    print(f"{what:>7}: " + ", ".join(f"{name} {each.value:.3f} ± {each.stderr:.3f}"
                                     for name, each in found.items()))
    print(f"         200 real images, 8 times: {values.min():.3f} to {values.max():.3f}; better: "
          f"{verdict((*found['simple'], 200), (*found['vlb'], 200))}")

# %% [markdown]
# The verdict is "neither" for both distances (computed on features here), and both networks lie within the range of
# 200 real images. (No MNIST is needed: the features of 3000 held-out images come with the course.) But look at the
# rows: with the same noise and the same labels the two networks drew nearly the same digits! The two sets are
# correlated, so much of the sampling noise cancels in the *difference* of the two $F$. The jackknife can use this:
# leave out the same pairs on both sides. (The verdict assumes independent errors.)

# %%
def gap(rows):
    """F of vlb minus F of simple, for these of the 200 pairs."""
    return frechet(ours["vlb"][rows], held_out) - frechet(ours["simple"][rows], held_out)


without = torch.tensor([gap(torch.arange(200) % 20 != g) for g in range(20)])
error = (19 / 20 * (without - without.mean()).square().sum()).sqrt()
unpaired = math.hypot(*(metrics.frechet(x, held_out).stderr for x in ours.values()))
print(f"F of vlb minus F of simple: {gap(torch.arange(200)):.2f}, in pairs ± {error:.2f}; "
      f"if they were independent ± {unpaired:.2f}")
apart = (drawn["vlb"] - drawn["simple"]).flatten(1).norm(dim=1).mean()
shifted = (drawn["vlb"] - drawn["simple"].roll(1, 0)).flatten(1).norm(dim=1).mean()
print(f"distance of two images from the same noise {apart:.1f}, from different {shifted:.1f}")

# %% [markdown]
# In pairs the standard error is 0.14 instead of 0.43. (Only samples are left out; the 3000 real images are the same
# for both.) Images from the same noise are 5.7 apart, others 19.7. The difference itself is 0.10 ± 0.14: still no
# verdict.

# %% [markdown]
# ### A model with good bits and bad samples
#
# How can bits and sample quality disagree? Here is a model that draws noise in 99 cases out of 100 and still has good
# bits.

# %% [markdown]
# With probability 0.01 it draws a digit of our network, otherwise noise. Its probability of an image is
# $p' = 0.01\,p + 0.99\,p_\text{noise} \ge 0.01\,p$, so
#
# $$-\log p'(x_0) \;\le\; -\log p(x_0) + \log 100. \tag{14.10}$$
#
# **Predict.** How many more bits per dimension is that at most, for 64 pixels? And for MNIST's 784?

# %%
# eq: 14.10
log_p = torch.full((200,), -1.89 * 64 * math.log(2)).double()  # new digits, by chapter 14; nats
log_noise = torch.full_like(log_p, -64 * math.log(17))  # each level alike
mixture = torch.logaddexp(math.log(0.01) + log_p, math.log(0.99) + log_noise)
more = ((log_p - mixture) / (64 * math.log(2))).mean()
print(f"with 99 % noise {1.89 + more:.3f} bits/dim, {more:.3f} more; (14.10) allows "
      f"{math.log2(100) / 64:.3f} (MNIST: {math.log2(100) / 784:.4f})")
grains = torch.randint(17, (300, 1, 8, 8), generator=seeded(19)) / 8 - 1
grains[[7, 111, 222]] = made[:3]  # three of 300
fig = figures.images(grains[:16], columns=16, panel=0.5)
figures.show(fig, alt="Fifteen squares of noise and one digit among them.")
print(f"energy distance of such samples to new digits: "
      f"{metrics.energy_distance(grains, test).value:.2f}")

# %% [markdown]
# Only 0.104 bits more, for a model whose samples are garbage in 99 cases out of 100. It still has far fewer bits
# than the table of chapter 14 (2.43), and the energy distance of its samples is 3.64, more than a hundred times that
# of any set of our network. For MNIST the same trick costs 0.0085 bits, about one error bar. The ideal denoiser is the
# reverse: perfect images and 926 bits. Bits ask whether *every real image gets enough probability*. They do not ask
# whether a typical sample looks real; that is what distances are for. The example is from [The16].

# %% [markdown]
# ## Popular claims, checked
#
# - **FID compares two Gaussians fitted to features**, not two distributions: 0.00001 where the distribution
#   functions differ by up to 0.195. And it depends on $n$: 10.6, 2.3 and 0.2 for one and the same distribution.
# - **"No sample is a copy" does not mean that nothing was memorized.** The nearest distances are those of new
#   digits, 2.24 and 2.22, and yet the fraction is 0.61 ± 0.02.

# %% [markdown]
# ## Recap
#
# How far are samples from real images? Use the energy distance of pixels and the Fréchet distance of features, with
# their real-versus-real baselines at the same number of items and with error bars. Each detects some kinds of
# damage and misses others. None detects copies: for that, test whether samples lie nearer to training data than to
# held-out data, with sets of equal size. None of this replaces bits on held-out images, and bits do not replace it.
#
# **One formula to keep**
#
# $$\mathcal{E} = 2\,E|a - b| - E|a - a'| - E|b - b'|$$
#
# **Exercises:** 14.3 `measuring.energy` · 14.4 `measuring.baseline` · 14.5 `measuring.frechet` · 14.6
# `measuring.memorization` · 14.7 `measuring.verdict`
#
# **To think about.** Shift all samples by one pixel to the right. How will the energy distance react, and how will
# $F$? Which reaction would you want? (Then try it: `torch.roll(made, 1, dims=-1)`.)
#
# **Before:** [14 · How good is it, honestly?](14_measuring.ipynb) · **Next:** [15 · How few steps are
# enough?](15_fast_and_guided.ipynb)
#
# **Read on:** [Heu17] and [CF20] for FID and its bias; [The16], *A note on the evaluation of generative models*.
