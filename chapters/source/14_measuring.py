# %% [markdown]
# # 14 · How good is it, honestly?
#
# A network draws images, and they look fine. Are they as good as real ones? Better than last week's? And are they
# new, or copies of what the network has seen? Looking is a good start, but it answers none of these questions. This
# chapter turns one question into a number: how many bits does a new image cost? Chapter
# [14b](14b_sample_quality.ipynb) then measures the samples themselves.
#
# **After this chapter you can**
#
# - turn a bound into publishable bits per dimension, with the label and the padding accounted for,
# - find out at which noise levels a model spends its bits, and choose where its chain should end,
# - use Bayes' rule to build into a network the knowledge that pixels have discrete gray levels,
# - compare your bound with the published values of other models, in the right unit.
#
# **You need** sections 4 and 5 of [08b · Which weights, and how many bits?](08b_weights_and_bits.ipynb), and
# standard errors from [03 · Estimators](03_estimators.ipynb).
#
# **Time:** about {road} minutes; the detour, which nothing later needs, adds {detours}. The notebook runs in about
# 40 seconds.
#
# **For what comes next you need** only "Which ones are real?" and section 1 (chapter 14b).
#
# **In the papers:** [Ho20] Sec. 3.3 and 4.3; [Kin21] for diffusion models trained for likelihood; [The16] on what
# likelihood does and does not tell.

# %%
import math
import tempfile

import torch
from scipy import stats  # comes with scikit-learn

from ddpm_lab import datasets, gaussians, losses, schedules, training
from ddpm_lab.course import figures, gpu_run
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, seeded
from ddpm_lab.training import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, UNetConfig
from ddpm_lab.training import models, pretrained, trainer

# %% [markdown]
# ## Which ones are real?
#
# The course comes with a network that was trained on 896 small digits. Given a label, it draws such a digit.
# (`models.sample` does what chapter 10 did by hand. Here it takes 20 steps; chapter 15 shows how few are enough.)
# The figure has two rows of its samples and two rows of real digits.
#
# **Predict.** Which pair of rows is real, A or B? How sure are you, and what would make you surer?

# %%
(train, train_labels), (test, test_labels) = datasets.digits("train"), datasets.digits("test")
model = pretrained.load("digits")
labels = train_labels[torch.randint(len(train), (20,), generator=seeded(0))]
made = models.sample(model, 20, label=labels, steps=20, generator=seeded(0))

rows = torch.cat([made, test[20:40]])
fig = figures.images(rows, columns=10, panel=0.6, row_labels=["A", "A", "B", "B"])
figures.show(fig, alt="Two rows of digits marked A, two rows marked B; all look handwritten.")
for name, x in (("A", made), ("B", test[20:40])):
    print(f"{name}: mean of all pixels {x.mean():.2f}, standard deviation {x.std():.2f}")
print(f"{len(train)} digits were used in training, {len(test)} were not")

# %% [markdown]
# <details><summary>Answer</summary>
#
# A was drawn by the network; B was written by people.
#
# </details>
#
# Twenty images cannot show whether one sample in fifty is spoiled, whether sevens are too rare, or whether all of
# the samples are copies. And two people who look may disagree. So we ask three questions that numbers can answer:
#
# 1. **What does a new image cost** under the model? (bits per dimension; this chapter)
# 2. **How far is the set of samples** from a set of real images? (distances; chapter 14b)
# 3. **Are the samples copies?** (nearest neighbors; chapter 14b)
#
# None of these measurements can replace another. ("New" digits are the 901 held-out ones, which were not used in
# training.)

# %% [markdown] topics="C136"
# ## 1 · What does a new image cost?
#
# Chapter 08 bounded the negative log-likelihood of an image $x_0$ by $L_T + \sum_{t=2}^{T} L_{t-1} + L_0$ nats: the
# end of the chain, its steps, and the last step down to the gray levels. Chapter 08b divided it by the number of
# pixels and by $\log 2$. Before you publish the result, look at two more things.
#
# **The label is part of the cost.** Our network is given the label, for example that the image is a 7. Write $y$
# for the label, one of $C$ equally likely classes. A sum of positive numbers is at least as large as any one of
# them, so
#
# $$p(x_0) = \sum_{y'} \tfrac1C\,p(x_0 \mid y') \;\ge\; \tfrac1C\,p(x_0 \mid y). \tag{14.1}$$
#
# The image alone costs at most what it costs with the label **plus** $\log C$ nats for naming the label. For ten
# classes that is 3.32 bits, once per image.
#
# **Only real pixels are dimensions.** U-Nets need sides that can be halved several times, so MNIST's 28 × 28 pixels
# are often padded to 32 × 32 with blank ones. The padding costs the model next to nothing, but if you divide by
# 1024 instead of 784, your result is 23 % smaller and your model no better. With $D$ *real* values per image,
#
# $$\text{bits per dimension} = \frac{L_T + \sum_{t=2}^{T} L_{t-1} + L_0 + \log C}{D\,\log 2}. \tag{14.2}$$
#
# ### Exercise 14.1 · Bits that you can publish
#
# `nats` holds the bound of each image of a batch, shape (B,), without the label. `x` holds the images, shape (B,
# channels, height, width), with `pad` blank pixels added at *each* side. `classes` is $C$, or 1 if the model was
# given no label. Return (14.2) for each image.

# %% tags=["exercise"]
def my_bits(nats, x, pad, classes):
    """Return bits per real value of each image, label included, shape (B,)."""
    ### BEGIN SOLUTION
    _, channels, height, width = x.shape
    real = channels * (height - 2 * pad) * (width - 2 * pad)
    return (nats + math.log(classes)) / (real * math.log(2))
    ### END SOLUTION


bits = check("measuring.bits", my_bits)

# %%
# eq: 14.1, 14.2
p_given_label = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], dtype=torch.float64)
alone = -p_given_label.mean(0).log2()  # three images, two labels, both equally likely
for label, p in enumerate(p_given_label):
    with_label = 1 - p.log2()  # one bit names the label
    print(f"label {label}: the three images cost {[round(float(b), 2) for b in alone]} bits; "
          f"with it {[round(float(b), 2) for b in with_label]}")
uniform = torch.full((1,), 28 * 28 * math.log(256), dtype=torch.float64)  # all levels alike
padded = torch.zeros(1, 1, 32, 32)
print(f"uniform 8-bit pixels: {bits(uniform, padded, 2, 1).item():.3f} bits/dim; "
      f"with the padding counted: {bits(uniform, padded, 0, 1).item():.3f}")

# %% [markdown]
# With its label, an image never costs less than alone, as (14.1) says. The last line is a test for all code of this kind: 8-bit
# pixels about which nothing is known cost 8.000 bits each. Counting the padding turns this into 6.125, which no
# model of such pixels can reach.
#
# ### Three simple models to compare with
#
# A number of bits means little without others to compare it with. The first model knows only that there are 17 gray
# levels. The second puts a Gaussian on each pixel, with that pixel's mean and variance in the training digits. The
# third is a table of how often each pixel has each level.

# %%
def levels_of(x):
    """Each pixel's level, 0 … 16, shape (B, 64)."""
    return ((x + 1) * 8).round().long().flatten(1)


mean, var = train.double().mean(0), train.double().var(0) + 1 / 256  # so that none is 0
per_pixel = Gaussian(mean.expand(len(test), 1, 8, 8), var)
table = torch.stack([(levels_of(train) == k).sum(0) for k in range(17)]) + 1.0  # none is 0
table_nats = -(table / table.sum(0)).log().gather(0, levels_of(test))
costs = {"17 equal levels": torch.full((len(test),), 64 * math.log(17), dtype=torch.float64),
         "a Gaussian for each pixel": -gaussians.pixel_log_prob(per_pixel, test.double(),
                                                                levels=17),
         "a table for each pixel": table_nats.sum(1).double()}
for name, nats in costs.items():
    print(f"{name:>25}: {bits(nats, test, 0, 1).mean():.2f} bits/dim on new digits")

# %% [markdown]
# (`gather` looks up the entry of each pixel's level.) Now for the network. A bound of 1000 terms would take 1000
# calls of the network for each image. **Stratified sampling** takes 30: the times 2 … 1000 are cut into 30 ranges,
# the strata, and one random time in each represents the whole range. The estimate stays unbiased, and because every
# range is visited, it varies much less than with 30 times drawn from the whole chain.
#
# **Predict.** The network's digits are hard to tell apart from real ones. Will a new digit cost more than 4.09 bits per
# pixel, less than 2.43, or something in between?

# %%
schedule = model.schedule  # linear, T = 1000
x_new, new_labels = test[:200], test_labels[:200]


def bound(x, labels, chain=schedule, network_time=None):
    """The bound's terms, nats; `network_time` maps times of the chain to times of the network."""
    denoise = models.denoiser(model, labels)
    predict = denoise if network_time is None else lambda x_t, t: denoise(x_t, network_time[t])
    return losses.bound(chain, predict, x, generator=seeded(1), levels=17, strata=30)


def report(name, terms, x, classes=10):
    """Print (14.2) term by term; return the total of each image."""
    steps, last = (bits(n.double(), x, 0, 1).mean() for n in (terms.steps.sum(1), terms.decoder))
    total = bits(terms.total.double(), x, 0, classes)
    print(f"{name}: steps {steps:.3f} + last {last:.3f} + label {math.log2(classes) / 64:.3f}"
          f" = {total.mean():.2f} ± {total.std() / len(x)**0.5:.2f}")
    return total

# %%
terms = bound(x_new, new_labels)
whole_chain = report("200 new digits, bits/dim", terms, x_new)
print(f"the end of the chain, L_T: {bits(terms.prior, x_new, 0, 1).mean():.5f} bits/dim")

# %% [markdown]
# 2.88 bits, more than the table! Yet samples from the table would be a fog of independent pixels. Something is
# wrong, either with the network or with the way we count. (The number after ± is a standard error over the 200
# digits.)

# %% [markdown]
# ## 2 · At which noise levels does a model spend its bits?
#
# Each stratum contributes one estimated part of the bound. We add these parts up, starting at the data, and plot
# the running sum against the standard deviation of the noise in $x_t$, $\sqrt{1 - \bar\alpha_t}$.
#
# **Predict.** At which noise does the running sum reach half of the total: near 1, near 0.3, or below 0.1?

# %%
ends = torch.tensor([int(times[-1]) for times in losses.strata(schedule, 30)])
spent = bits(terms.steps.mean(0).double(), x_new[:1].expand(30, -1, -1, -1), 0, 1).cumsum(0)
fig = figures.curves(schedule.noise[ends], {"spent, from the data up to this noise": spent},
                     xlabel="noise in x_t, standard deviation, data units", ylabel="bits/dim",
                     log_x=True, ylim=(0, None), height=2.8)
fig.axes[0].axvline(1 / 16, color=figures.RED, linestyle=":", label="half a gray level, 1/16")
fig.axes[0].legend(fontsize=9)
figures.show(fig, alt="The sum rises steeply at first; half is spent below half a gray level.")
for k in (0, 6, 10, 14, 20, 29):
    print(f"noise up to {schedule.noise[ends[k]]:.3f} (t = {ends[k]:4}): {spent[k]:.2f} bits/dim")

# %% [markdown]
# More than half of the bits, about 1.5 of 2.83, are spent where the noise is smaller than **half a gray level**. At
# the lower end there is nothing left to learn: where the noise is a third of that, three standard deviations fit
# into half a level, and rounding to the nearest level is nearly always right. But the network does not round. It
# does not know that pixels have levels, and its training loss gives those times little weight, while the weight of
# a squared error in the bound (8.17) grows without limit as the noise goes to 0.
#
# One remedy needs no training: **end the chain earlier.** Let its last step lead from $t = 10$, say, straight to
# the gray levels. That is another model with the same network in it, and its last term $L_0$ knows the levels
# (8.27). Where to end is a choice, so we make it on *training* digits and judge it on new ones.

# %%
def ending_at(first, chain=schedule):
    """The chain T, …, first, 0, and the network's time for each of its times."""
    times = [0, *range(first, chain.T + 1)]
    return schedules.respaced(chain, times[::-1]), torch.tensor(times)


x_old, old_labels = train[:150], train_labels[:150]
for first in (1, 5, 10, 20):
    name = f"end at t = {first:2}, noise {schedule.noise[first]:.3f}"
    report(name, bound(x_old, old_labels, *ending_at(first)), x_old)

# %% [markdown]
# On training digits $t = 10$ is best, with 1.83. Now we take new digits, once with their own labels and once with
# the labels shuffled among the images (about one in ten stays right).
#
# **Predict.** Will a wrong label cost more or less than the 0.052 bits per pixel that we charge for naming one?

# %%
right_label = report("new digits", bound(x_new, new_labels, *ending_at(10)), x_new)
shuffled = new_labels[torch.randperm(len(x_new), generator=seeded(2))]
shuffled_label = report("with shuffled labels", bound(x_new, shuffled, *ending_at(10)), x_new)
change = shuffled_label - right_label  # the same images, the same noise
print(f"difference {change.mean():.2f} ± {change.std() / len(x_new)**0.5:.2f} bits/dim")

# %% [markdown]
# Now 1.89 bits on new digits, far below the table's 2.43. The same network on the same images needs one bit less
# per pixel: the bits are a property of the network *and* of the chain around it. On the training digits the same
# chain needs 1.83. A gap between training and new images is a sign of overfitting if it is clearly larger than its
# error. Here it is 0.06, with ± 0.02 on both (together ± 0.03): two standard errors, no more than a hint. Chapter
# 14b looks closer.
#
# And the network uses its label: with shuffled labels it needs 0.62 bits per pixel more. That is what a *wrong*
# label costs, not what the right one is worth. By (14.1) knowing the label can save at most $\log C$, here 0.052
# bits per pixel, and this is exactly what we charge for it.

# %% [markdown]
# ## 3 · A network that knows the gray levels
#
# The network did not round, because nothing in it knows of levels. Can we build that in? The 17 gray levels lie at
# $\ell_k = -1, -\tfrac78, \dots, 1$. Divide $x_t$ by its signal factor: each pixel becomes
# $z = x_t / \sqrt{\bar\alpha_t}$, which is one level plus Gaussian noise of variance
# $r^2 = (1 - \bar\alpha_t) / \bar\alpha_t$, a noisy observation of its own level. Let $p_k$ be the prior
# probability of level $k$. By Bayes' rule the posterior probability is proportional to $p_k$ times the likelihood
# of $z$. The posterior mean is the estimate with the least expected squared error, among those that use this pixel
# alone:
#
# $$\hat x_0 = \frac{\sum_k \ell_k\, p_k\, e^{-(z - \ell_k)^2 / 2 r^2}}{\sum_k p_k\, e^{-(z - \ell_k)^2 / 2 r^2}}. \tag{14.3}$$
#
# Where the noise is far smaller than the gap between two levels, one normalized weight is nearly 1 and the formula
# rounds. Where the noise is large, $z$ says little and the prior decides.
#
# ### Exercise 14.2 · Bayes' rule for a pixel
#
# `z` has shape (N,); `prior` and `level`, the $p_k$ and $\ell_k$, have shape (K,), for any number of levels K;
# `var` is $r^2$, a number. Return (14.3), shape (N,). (`z[:, None] - level` has shape (N, K). In these digits the
# blank level, −1, is by far the most frequent, so the prior matters.)

# %% tags=["exercise"]
def my_level(z, var, prior, level):
    """Return the posterior mean of the level given z, for each of N pixels."""
    ### BEGIN SOLUTION
    weight = prior * torch.exp(-(z[:, None] - level) ** 2 / (2 * var))
    return weight @ level / weight.sum(dim=1)
    ### END SOLUTION


best_level = check("measuring.level", my_level)

# %% [markdown]
# With very little noise every exponential may underflow to 0, so the package works with logarithms; it also takes a
# variance for each pixel. From here on we use a schedule, `fine`, that begins with noise well below a level and
# spreads its steps evenly over all noise levels: its log-SNR falls along a straight line from 8 to −7. Since the
# SNR is $1/r^2$, it begins at $r = e^{-4} = 0.018$, or 0.15 levels (there are 8 levels in each data unit).

# %%
# eq: 14.3
level = torch.linspace(-1, 1, 17)
frequency = datasets.level_counts(train, 17) / train.numel()  # of each level, over all pixels
line = ScheduleConfig("log_snr", first=8, last=-7, T=1000)
fine = line.built
r = (fine.noise / fine.signal).float()
z = torch.tensor([-0.9, 0.3])
for t in (1, 300, 1000):
    yours = best_level(z, r[t] ** 2, frequency, level)
    package = gaussians.level_mean(z, r[t] ** 2, frequency.log())
    print(f"r = {8 * r[t]:6.2f} levels: -0.9 becomes {yours[0]:6.3f}, 0.3 becomes {yours[1]:6.3f};"
          f" as in the package: {torch.allclose(yours, package, atol=1e-5)}")

# %% [markdown]
# With noise of 1.38 levels, −0.9 becomes −0.972, although the level −0.875 is nearer: the blank level, −1, is so
# frequent. With 265 levels everything becomes the prior mean, −0.390.
#
# ### The formula alone
#
# First use (14.3) alone as a denoiser, with the frequencies of the levels in the training digits as prior, the same
# for every pixel. That is a model of *independent* pixels, and we can compute without any diffusion what such a
# model must charge: the mean of $-\log_2$ of the frequency of each pixel's level. (The table in section 1 had
# frequencies for each place in the image, so it needs fewer bits.)
#
# **Predict.** (14.3) is the optimal denoiser for such pixels, and with the optimal denoiser the bound can be
# tight (a detour of chapter 08). Will the bound come out near that number or far above it?

# %%
def each_pixel_alone(x_t, t):
    """The posterior mean of each pixel, whatever the other pixels are."""
    z = x_t.flatten(1) / fine.signal[t].float()[:, None]
    var = (r[t] ** 2)[:, None].expand_as(z)  # one for each pixel
    return gaussians.level_mean(z.flatten(), var.flatten(), frequency.log()).view_as(x_t)


exact = -frequency.log2()[levels_of(x_new)].mean(1)
terms = losses.bound(fine, each_pixel_alone, x_new, generator=seeded(1), levels=17, strata=100)
bounded = bits(terms.total.double(), x_new, 0, 1)
excess = bounded - exact
print(f"independent pixels cost {exact.mean():.3f} bits/dim; the bound is {bounded.mean():.3f}; "
      f"difference {excess.mean():.3f} ± {excess.std() / 200**0.5:.3f}")

# %% [markdown]
# It comes out close: 3.007, where the pixels cost exactly 2.983. The bound is higher by 0.024, less than one
# percent. So the chain itself wastes little: if two networks differ by much more than that, the difference lies in
# their predictions.
#
# ### A network that predicts the prior
#
# No formula tells us what the other pixels say about this one; that is what a network is for. So we give the
# network another task. Its output is no longer an estimate of $x_0$ or of the noise, but *a prior for each pixel*,
# and (14.3) turns this prior into the estimate. Such an output layer is called a **categorical head**. In
# `networks.UNet` the setting is `levels=17`: the network returns 16 features for each pixel, a learned table turns
# them into one number for each level, these are added to the logarithms of the frequencies, and a softmax makes the
# prior. The estimate of $x_0$ is converted to eps, so the usual loss can train it. As further inputs the network
# receives the estimate from each pixel alone, as $x_0$ and as eps. (Strictly speaking its output is not a prior,
# because the network sees this pixel, too. Training finds the numbers with which (14.3) predicts well.)
#
# We train two small networks with the weights of the bound. Both have the same data, loss, seed and number of
# steps, 300; they differ only in their first and last layers and in (14.3).
#
# **Predict.** At which noise levels will their costs differ most?

# %%
def trained(**more):
    """A small network after 300 steps with the bound's weights, "vlb"."""
    net = UNetConfig(width=16, mults=(1, 2), labels=10, **more)
    config = RunConfig(data=DataConfig("digits"), schedule=line, net=net, prediction_type="eps",
                       optimizer=OptimizerConfig(lr=4e-3, warmup=20, ema=0.97), weight="vlb",
                       steps=300, batch=64, precision="float32", save_every=300, samples_every=0)
    with tempfile.TemporaryDirectory() as folder:
        return models.snapshot(config, trainer.train(config, folder))

# %%
pair, rows = {"eps": trained(), "prior": trained(levels=17)}, []
for name, network in pair.items():
    terms = losses.bound(fine, models.denoiser(network, new_labels), x_new, generator=seeded(1),
                         levels=17, strata=30)
    report(f"{name:>5}", terms, x_new)
    each = bits(terms.steps.mean(0).double(), x_new[:1].expand(30, -1, -1, -1), 0, 1)
    rows.append(each.view(6, 5).sum(1))  # five of the 30 strata in each row of the table
ends = [int(times[-1]) for times in losses.strata(fine, 30)][4::5]
print("noise r up to (levels)   eps  prior")
for t, plain, prior in zip(ends, *rows):
    print(f"{8 * r[t]:22.2f} {plain:5.3f} {prior:6.3f}")

# %% [markdown]
# The two need 2.48 and 1.98, a difference of half a bit per pixel. Most of the difference is in the first row, where
# the noise is below 0.28 levels: 0.522 against 0.145. Above one level the two cost nearly the same. (Do not compare
# these with the 1.89 above, which belongs to a larger network that was trained much longer.)

# %% [markdown]
# ### Detour · Is the comparison fair?
#
# Ending the chain early was a remedy, too: it leaves the levels to $L_0$. How much of the half bit remains if each
# network gets the end that suits it best?

# %%
def ended_early(network, first, x, labels):
    """The bound of a chain that ends at `first`."""
    (chain, network_time), denoise = ending_at(first, fine), models.denoiser(network, labels)
    return losses.bound(chain, lambda x_t, t: denoise(x_t, network_time[t]), x,
                        generator=seeded(1), levels=17, strata=30)


for name, network in pair.items():
    on_training = {first: ended_early(network, first, x_old, old_labels).total.mean()
                   for first in (1, 60, 110, 165)}
    first = min(on_training, key=on_training.get)
    report(f"{name:>5}, end at {8 * r[first]:.2f} levels",
           ended_early(network, first, x_new, new_labels), x_new)

# %% [markdown]
# The end is chosen on training digits, out of four. Now it is 2.17 against 1.98: the early end saves 0.31 bits for
# the network that predicts eps, while the other does best with its whole chain. Of the half bit, 0.19 remains. (Each
# was trained only once. The second network also gets more input, so two networks cannot say how much is due to that
# and how much to (14.3).)

# %% [markdown]
# ## 4 · Comparing with normalizing flows
#
# For MNIST, **normalizing flows**, models that transform noise into data by an invertible network and so have an
# exact density, have published values from 0.97 to 1.06 bits per dimension. May we compare? A density at whole gray
# levels can be made as large as one likes, with narrow spikes, so it says nothing. Instead one adds noise $u$,
# uniform in $[0, 1)$, to each level $x$ and reports the mean of $-\log p(x + u)$. This is called
# **dequantization**. The probability of the level itself is the integral of the density over its cell, so by
# Jensen's inequality (8.2)
#
# $$-\log P(x) = -\log \int_0^1 p(x + u)\,du \;\le\; -\int_0^1 \log p(x + u)\,du. \tag{14.4}$$
#
# A flow's number is an upper bound on the cost under a discrete model; so is ours, for another reason. Both say
# that this model can encode the image in no more bits than that. The two may be compared if the unit is right: the
# density must be *per gray level*. Per unit of the range $[-1, 1]$, with 256 levels, the number changes by
# $\log_2 127.5$ bits.

# %%
# eq: 14.4
normal = stats.norm(5.3, 0.8)  # a density over gray levels; level x owns the cell from x to x + 1
u = torch.linspace(0, 1, 10_001, dtype=torch.float64)
for x in (3, 5, 7):
    log_p = torch.as_tensor(normal.logpdf(x + u.numpy()))
    exact = -math.log2(normal.cdf(x + 1) - normal.cdf(x))
    integral = -math.log2(torch.trapezoid(log_p.exp(), u))
    print(f"level {x}: {exact:.4f} bits (by the integral {integral:.4f}), "
          f"dequantized {-torch.trapezoid(log_p, u) / math.log(2):.4f}")

# %% [markdown]
# Two MNIST networks come with the course, with nearly the same layers, both trained without a GPU. One was made for
# good images: its loss weights errors of v equally at all times ("simple", cosine schedule). The other was made for
# few bits ("vlb"): its loss has the weights of the bound, it predicts a prior over 256 levels, and its log-SNR is a
# straight line that begins at less noise. The model card of each (chapter 13) says how it was trained and how it
# did on held-out images. (You do not need MNIST. If you have it, `python -m ddpm_lab evaluate --run mnist` measures
# again.)
#
# **Predict.** How many bits does each of them need? For comparison, the next cell first prints what independent
# pixels cost.

# %%
frequency = pretrained.load("mnist_likelihood").net.pixel_head.log_prior.exp()
print(f"MNIST's training images: {frequency[0]:.1%} of all pixels are blank; independent "
      f"pixels cost {-(frequency * frequency.log2()).sum():.2f}")
cards = {"simple": pretrained.model_card("mnist"), "vlb": pretrained.model_card("mnist_likelihood")}
for name, card in cards.items():
    found = card["metrics"]["bits_per_dim"]
    parts = " + ".join(f"{part} {found[part]['value']:.3f}"
                       for part in ("prior", "steps", "decoder", "label"))
    noise = training.config.from_dict(card["config"]).schedule.built.noise[1]
    print(f"{name}, {card['step']:,} training steps, {card['metrics']['images']} held-out images:\n"
          f"    {parts} = {found['total']['value']:.2f} ± {found['total']['stderr']:.2f}\n"
          f"    the chain ends at noise {noise:.4f}; half a gray level is {1 / 255:.4f}")

# %%
flows = {"Real NVP": 1.06, "Glow": 1.05, "FFJORD": 0.99, "Residual Flow": 0.97}
ours = {f"ours, {name}": card["metrics"]["bits_per_dim"]["total"]["value"]
        for name, card in cards.items()}
fig, ax = figures.new(height=2.4)
ax.plot(list(flows.values()), list(flows), "s", color=figures.GRAY, label="flows, as published")
ax.plot(list(ours.values()), list(ours), "o", color=figures.BLUE, label="our bounds")
ax.set(xlim=(0.9, None), xlabel="bits per dimension, MNIST")
ax.legend(fontsize=9)
figures.show(fig, alt="Ours, simple, is far to the right; ours, vlb, is among the flows.")
for group in (ours, flows):
    print(", ".join(f"{name}: {value:.2f}" for name, value in group.items()))
print(f"training of vlb: {cards['vlb']['seconds'] / 60:.0f} minutes on a CPU")

# %% [markdown]
# The network that was made for few bits reaches 1.00 ± 0.01: below Glow [KD18] and Real NVP [Din17], about level
# with FFJORD [Gra19], above Residual Flow [Che19]. What it took was about an hour of training on a CPU and a
# predicted prior for each pixel. (Ours is measured on 1000 held-out images; the published values are for all 10,000
# test images.)
#
# The ranking of our two networks is clear, 1.00 against 1.91. Almost half of the simple network's cost is its last
# term: its chain ends at noise 0.0064, *above* half a gray level, 0.0039, so the last step costs 0.929 bits per
# pixel. The other chain ends at 0.0012, and its last step costs 0.001. (Several things differ between the two, and
# two networks cannot tell how much each of them contributed.) Which one draws better *images* is another question,
# for [14b](14b_sample_quality.ipynb).
#
# Would a larger network, trained on a GPU, need still fewer bits?

# %%
for line in gpu_run.bits_lines("mnist_likelihood", "mnist_gpu_likelihood"):
    print(line)

# %% [markdown]
# If the second line says "no such run", the question is still open, and we do not guess. (Section 9 of chapter 13
# says how such a line is filled in.)
#
# Two cautions about published tables. Values such as "80 nats" on MNIST refer to *binary* pixels, which are another
# data set. And a number that is not labeled "held-out" may come from images that the model has seen.

# %% [markdown]
# ## Popular claims, checked
#
# - **Bits include the label, and only real pixels are counted.** A class-conditional model that leaves out
#   $\log C$, or a padded one that divides by all pixels, reports too little: 6.125 instead of 8.000.
# - **Bits are a property of the network and its chain.** The same network has 2.88 or 1.89 bits per dimension,
#   depending on where the chain ends.
# - **A bound may be compared with a dequantized density** if both are per gray level: each is an upper bound.

# %% [markdown]
# ## Recap
#
# What does a new image cost? Take the bound on held-out images, add the label, and divide by the number of real
# pixel values. Look at the noise levels at which the bits are spent: below half a gray level, a network that does not
# know the levels wastes them. An earlier end of the chain helps, and so does Bayes' rule with a prior that the network
# predicts. In the right unit the result can be compared with normalizing flows. Bits do not say how good the
# samples are.
#
# **One formula to keep**
#
# $$-\log p(x_0) \;\le\; -\log p(x_0 \mid y) + \log C$$
#
# **Exercises:** 14.1 `measuring.bits` · 14.2 `measuring.level`
#
# **To think about.** Instead of the label, a model is given a blurred copy of the image. What must be added to its
# cost?
#
# **Before:** [13 · How do you train at scale?](13_gpu_training.ipynb) · **Next:** [14b · Are the samples as good as real
# images?](14b_sample_quality.ipynb)
#
# **Read on:** [Kin21] for diffusion models that were trained for likelihood; [The16], *A note on the evaluation of
# generative models*.
