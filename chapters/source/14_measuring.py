# %% [markdown]
# # 14 · How good is it, honestly?
#
# A network makes pictures, and they look fine. Are they as good as real ones? Better than those of last week's
# network? And what if they are copies?
#
# **After this chapter you can**
#
# - turn a bound into bits per dimension, and say what may be compared with what,
# - measure how far samples are from real data, in three ways, each with its floor and its error bar,
# - say what each measure sees, and what it does not see,
# - find out whether a model has memorized,
# - judge a sentence like "our FID is 3.1, better than their 3.3".
#
# **You need** the bill of [08 · The bound](08_bound.ipynb), standard errors from
# [03 · Estimators](03_estimators.ipynb), and the memory of
# [10 · Sampling without learning](10_sampling_without_learning.ipynb). About 100 minutes to work through, without the optional section; section 1, sections 2 and 3, and sections 4 to 7 make three sittings. It runs in about a minute.
#
# **In the papers:** [Heu17] (FID), [SR13] (energy distance), [Bon15] (sliced Wasserstein distance), [CF20] (the bias
# of FID); Theis, van den Oord and Bethge 2016 on why such measures disagree.

# %%
import itertools
import math
import tempfile

import torch
from safetensors.torch import load_file
from scipy import linalg, stats  # comes with scikit-learn
from torch.nn.functional import avg_pool2d, pad

from ddpm_lab import datasets, gaussians, ideal_denoisers, losses, metrics, samplers
from ddpm_lab import schedules, training
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, normal_like, seeded
from ddpm_lab.training import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, UNetConfig
from ddpm_lab.training import config as configs
from ddpm_lab.training import models, pretrained, trainer

# %% [markdown]
# ## Which ones are real?
#
# A network comes with the course. It was trained on 896 small digits; it is told a label, and draws. Here it makes 6
# sets of 300 digits, with labels as frequent as in its training digits. (`models.sample` does all that chapter 10 did by
# hand; 20 is the number of steps. Chapter 15 is about such numbers.)

# %%
(train, train_labels), (test, test_labels) = datasets.digits("train"), datasets.digits("test")
model = pretrained.load("digits")


def draw_labels(n, seed):
    """n labels, as frequent as in the training half."""
    return train_labels[torch.randint(len(train), (n,), generator=seeded(seed))]


sets = [models.sample(model, 300, label=draw_labels(300, seed), steps=20, generator=seeded(seed))
        for seed in range(6)]
made = torch.cat(sets)
print(f"{len(made)} digits made; {len(train)} were seen in training, {len(test)} were not")

# %%
shown = torch.cat([made[:20], test[20:40]])
fig = figures.images(shown, columns=10, panel=0.6, row_labels=["A", "A", "B", "B"])
figures.show(fig, alt="Two rows of digits marked A, two rows marked B; all look handwritten.")
for name, x in (("A", made[:20]), ("B", test[20:40])):
    print(f"{name}: mean of all pixels {x.mean():.2f}, standard deviation {x.std():.2f}")

# %% [markdown]
# **Predict.** One half is real. Which, A or B? How sure are you, and what would make you surer?
#
# <details><summary>Answer</summary>
#
# A was made by the network, B was written by people.
#
# </details>
#
# Looking is where one should begin. But twenty pictures do not show whether every fiftieth one is spoiled, whether the
# sevens are rare, or whether all of them are copies. And two people who look do not agree. So we ask three questions
# that have numbers for answers:
#
# 1. **What does a new picture cost** under the model? (bits per dimension)
# 2. **How far is the set of samples** from a set of real pictures? (distances)
# 3. **Are they copies?** (nearest neighbors)
#
# No one of them can stand in for another. That will be the main result. ("New" digits are the 901 that the network has
# never seen.)

# %% [markdown]
# ## 1 · What does a new picture cost?
#
# Chapter 08 wrote a bill: by the bound, a picture $x_0$ costs at most $L_T + \sum_t L_{t-1} + L_0$ nats: for the end of
# the walk, for its steps, and for the last step down to the gray levels. Two things come in before it can be compared with
# the bills of others.
#
# **Who is told the label must pay for the telling.** Our network knows that it draws a 7. Write $y$ for the label, one
# of $C$ equally likely ones. A sum of positive numbers is larger than any one of them, so
#
# $$p(x_0) = \sum_{y'} \tfrac1C\,p(x_0 \mid y') \;\ge\; \tfrac1C\,p(x_0 \mid y). \tag{14.1}$$
#
# The picture alone costs at most what it costs with the label **plus** $\log C$ nats for naming the label.
# For ten classes that is 3.32 bits, once for each picture.
#
# **Only real pixels are dimensions.** Networks like sides that can be halved, so MNIST's 28 × 28 pixels often get a
# margin of blank paper, 32 × 32. The margin costs the model next to nothing. Who divides by 1024 instead of 784 has a
# number that is 23 % smaller, and has learned nothing. With $D$ *real* numbers in a picture,
#
# $$\text{bits per dimension} = \frac{L_T + \sum_{t=2}^{T} L_{t-1} + L_0 + \log C}{D\,\log 2}. \tag{14.2}$$
#
# ### Exercise 14.1 · An honest number
#
# `nats` holds the bound of each picture of a batch, shape (B,), without the label. `x` holds the pictures, shape (B, channels,
# height, width), with `pad` pixels of paper added at *each* side. `classes` is $C$, or 1 if no label was told. Return (14.2) for
# each picture. This is the number that papers print, and each of its parts has been forgotten somewhere.

# %% tags=["exercise"]
def my_bits(nats, x, pad, classes):
    """Return bits per real number of each picture, label included, shape (B,)."""
    ### BEGIN SOLUTION
    _, channels, height, width = x.shape
    real = channels * (height - 2 * pad) * (width - 2 * pad)
    return (nats + math.log(classes)) / (real * math.log(2))
    ### END SOLUTION


bits = check("measuring.bits", my_bits)

# %%
# eq: 14.1, 14.2
p_x_given_y = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], dtype=torch.float64)
alone = -p_x_given_y.mean(0).log2()  # three pictures, two labels, both equally likely
for y in range(2):
    with_label = -p_x_given_y[y].log2() + 1  # one bit names the label
    print(f"label {y}: the three pictures cost {[round(float(b), 2) for b in alone]} bits; "
          f"with the label {[round(float(b), 2) for b in with_label]}")
even = torch.full((1,), 28 * 28 * math.log(256), dtype=torch.float64)  # all levels alike
framed = torch.zeros(1, 1, 32, 32)
print(f"8-bit pixels, nothing known: {bits(even, framed, 2, 1).item():.3f} bits/dim; "
      f"with the margin counted: {bits(even, framed, 0, 1).item():.3f}")

# %% [markdown]
# With its label a picture never costs less: (14.1) holds. The last line is a test for every code of this kind: 8-bit pixels of which nothing is
# known cost 8.000 bits. A margin that counts as pixels makes 6.125 of it, which is impossible.
#
# A bill needs yardsticks. Here are three models that know little. The first knows that there are 17 gray levels. The second puts a Gaussian on
# each pixel, with that pixel's mean and variance in the training half. The third has a table: how often did each pixel have each level?

# %%
count, know = len(test), {}
know["17 equal levels"] = torch.full((count,), 64 * math.log(17), dtype=torch.float64)
mean, var = train.double().mean(0), train.double().var(0) + 1 / 256  # a little more: none is 0
law = Gaussian(mean.expand(count, 1, 8, 8), var)
know["a Gaussian for each pixel"] = -gaussians.pixel_log_prob(law, test.double(), levels=17)
old, new = (((x + 1) * 8).round().long().flatten(1) for x in (train, test))  # levels 0 … 16
table = torch.stack([(old == k).sum(0) for k in range(17)]) + 1.0  # one more: none is 0
know["a table for each pixel"] = -(table / table.sum(0)).log().gather(0, new).sum(1).double()
for name, nats in know.items():
    print(f"{name:>25}: {bits(nats, test, 0, 1).mean():.2f} bits/dim on new digits")

# %% [markdown]
# (`gather` looks up, for each pixel of each digit, the row of its level.) Now the network.
#
# **Predict.** Its digits can hardly be told from real ones. Will it pay more than 4.09, less than 2.43, or something between?

# %%
plan = model.schedule  # linear, T = 1000
new, new_labels = test[:200], test_labels[:200]


def bill(x, labels, walk=plan, back=None):
    """The bound's parts, nats; `back` gives the network's time for each time of the walk."""
    knows = models.denoiser(model, labels)
    guess = knows if back is None else lambda x_t, t: knows(x_t, back[t])
    return losses.bound(walk, guess, x, generator=seeded(1), levels=17, strata=30)


def report(name, parts, x, classes=10):
    """Print (14.2) part by part; returns the total of each picture."""
    each = [bits(nats.double(), x, 0, 1).mean() for nats in (parts.steps.sum(1), parts.decoder)]
    total = bits(parts.total.double(), x, 0, classes)
    print(f"{name}: steps {each[0]:.3f} + last {each[1]:.3f} + label {math.log2(classes) / 64:.3f}"
          f" = {total.mean():.2f} ± {total.std() / len(x)**0.5:.2f} bits/dim")
    return total

# %%
whole = bill(new, new_labels)
at_least = report("200 new digits", whole, new)
print(f"the end of the walk, L_T: {bits(whole.prior, new, 0, 1).mean():.5f} bits/dim")

# %% [markdown]
# 2.88 bits, more than the table! The table would draw a fog of independent pixels, and it has the better bill. Something is wrong, with the
# network or with the bill. (The ± is a standard error over the 200 digits.) Look where the bits go.
#
# `strata=30` cuts the times 2 … 1000 into 30 strata and looks at one random time in each, so each stratum is one entry of the bill. We add
# the entries up, beginning at the data, and draw the sum over the noise in $x_t$, its standard deviation $\sqrt{1 - \bar\alpha_t}$.

# %%
ends = torch.tensor([int(stretch[-1]) for stretch in losses.strata(plan, 30)])
paid = bits(whole.steps.mean(0).double(), new[:1].expand(30, -1, -1, -1), 0, 1).cumsum(0)
fig, ax = figures.new(height=2.8)
figures.curves(plan.noise[ends], {"paid, from the data up to this noise": paid}, ax=ax,
               xlabel="noise in x_t, standard deviation, data units", ylabel="bits/dim")
ax.axvline(1 / 16, color=figures.RED, linestyle=":", label="half a gray level, 1/16")
ax.set(xscale="log", ylim=(0, None))
ax.legend(fontsize=9)
figures.show(fig, alt="The cost rises steeply at first; half is paid below half a gray level.")
for k in (0, 6, 10, 14, 20, 29):
    print(f"noise up to {plan.noise[ends[k]]:.3f} (t = {ends[k]:4}): {paid[k]:.2f} bits/dim")

# %% [markdown]
# More than half of all bits, about 1.5 of 2.83, are paid where the noise is smaller than **half a gray level**. There is little to learn there. Where the noise is a third of that, three standard deviations fit into half a level: whoever knows that pixels have 17 levels rounds, and is nearly always right. The network does not round. Nobody told it of levels, and its training loss hardly counts those times, while the bound's price for a squared
# error grows without limit as the noise goes to 0 (8.17).
#
# The cure costs nothing: **end the walk earlier.** Let its last step go from $t = 10$, say, straight to the gray levels. That is another model with the same network in it, and
# its last entry $L_0$ knows the levels (8.27). Where to end is a choice. So it is made on *training* digits, and judged on new ones.

# %%
def ended(first, walk=plan):
    """The walk T, …, first, 0, and the network's time for each of its own times."""
    times = [0, *range(first, walk.T + 1)]
    return schedules.respaced(walk, times[::-1]), torch.tensor(times)


old, old_labels = train[:150], train_labels[:150]
for first in (1, 5, 10, 20):
    name = f"training digits, walk ends at t = {first:2}, noise {plan.noise[first]:.3f}"
    report(name, bill(old, old_labels, *ended(first)), old)

# %%
told = report("new digits, told the label", bill(new, new_labels, *ended(10)), new)
shuffled = new_labels[torch.randperm(len(new), generator=seeded(2))]
lied = report("new digits, told another's label", bill(new, shuffled, *ended(10)), new)
difference = lied - told  # the same pictures, the same noise
print(f"difference {difference.mean():.2f} ± {difference.std() / len(new)**0.5:.2f} bits/dim")

# %% [markdown]
# Now 1.89 bits on new digits, far below the table. Same network, same pictures, one bit less for each pixel: a bill belongs to a network *and* to the walk around it. On the
# training digits the same walk asks for 1.83. A gap between seen and new pictures is a sign of memorizing, if it is larger than its error. Here it is 0.06, with ± 0.02 on both (together ± 0.03): about two errors, a hint and no more. Section 5 looks closer. And the network uses its label: told the label of
# another digit, it pays 0.62 bits per pixel more. So the label is worth a lot, and must not be had for nothing.

# %% [markdown]
# ### Tell it of the levels
#
# The digits' network did not round, because nobody told it of levels. Can it be told? The 17 gray levels lie at $\ell_k = -1, -\tfrac78, \dots, 1$. Divide $x_t$ by the signal. Each pixel becomes $z = x_t / \sqrt{\bar\alpha_t}$, one level plus Gaussian noise of variance $r^2 = (1 - \bar\alpha_t) / \bar\alpha_t$: a noisy
# look at its own level. Let $p_k$ say how probable level $k$ was before the look. Bayes' rule weighs the levels anew, by $p_k$ times the density of the look, whose constant factor cancels. The mean of the levels with these weights is, from this pixel alone, the guess with the least expected squared error:
#
# $$\hat x_0 = \frac{\sum_k \ell_k\, p_k\, e^{-(z - \ell_k)^2 / 2 r^2}}{\sum_k p_k\, e^{-(z - \ell_k)^2 / 2 r^2}}. \tag{14.3}$$
#
# Where the noise is far below a level, one weight is nearly 1: the formula rounds. Where it is large, the look says nothing and the prior $p_k$ decides.
#
# ### Exercise 14.2 · Bayes for a pixel
#
# `z` has shape (N,); `prior` and `level`, the $p_k$ and $\ell_k$ of K levels, have shape (K,), for any K levels; `var` is $r^2$, a number. Return (14.3), shape (N,). `z[:, None] - level` has shape (N, K). (Paper is by far the most frequent level of these digits. So the prior matters, and it is the part that is forgotten.)

# %% tags=["exercise"]
def my_level(z, var, prior, level):
    """Return the mean of the level given z, for each of N pixels."""
    ### BEGIN SOLUTION
    weight = prior * torch.exp(-(z[:, None] - level) ** 2 / (2 * var))
    return weight @ level / weight.sum(dim=1)
    ### END SOLUTION


best_level = check("measuring.level", my_level)

# %% [markdown]
# For very little noise every exponential may come out as 0. So the package works with logarithms, and takes a variance for each pixel. And we take a schedule, `fine`, that begins at less noise than the network's `plan`, well below a level, and gives every size of noise its share of the steps: its log-SNR falls along a straight
# line from 8 to −7. As the SNR is $1/r^2$, it starts at $r = e^{-4} = 0.018$, or 0.15 levels (there are 8 levels in each data unit). `share` is how often each level occurs.

# %%
# eq: 14.3
level, share = torch.linspace(-1, 1, 17), datasets.level_counts(train, 17) / train.numel()
line = ScheduleConfig("log_snr", first=8, last=-7, T=1000)
fine = line.built
r = (fine.noise / fine.signal).float()
z = torch.tensor([-0.9, 0.3])
for t in (1, 300, 1000):
    ours = best_level(z, r[t] ** 2, share, level)
    theirs = gaussians.level_mean(z, r[t] ** 2, share.log())
    print(f"noise r of {8 * r[t]:6.2f} levels: -0.9 becomes {ours[0]:6.3f}, 0.3 {ours[1]:6.3f}; "
          f"the package says the same: {torch.allclose(ours, theirs, atol=1e-5)}")

# %% [markdown]
# At 1.38 levels −0.9 becomes −0.972, though the level −0.875 is nearer: paper, −1, is so frequent. At 265 levels everything becomes the mean, −0.390.
#
# Now the rule alone. As prior take how often each level occurs in the training half, the same for every pixel. That is a model of *independent* pixels. For such a model we know what a pixel of a digit must cost on average, without any diffusion: the mean of $-\log_2$ of its level's share. (The table above had shares of its own for each place in the
# picture, 2.43. Here all places have the same, so it is more.)
#
# **Predict.** (14.3) is the best guess for such pixels, and with the best guess the bound can be tight (chapter 08). Will the bill of the walk come out near that number or far from it?

# %%
def pixel_alone(x_t, t):
    """Each pixel for itself: the prior is the share of each level."""
    z = x_t.flatten(1) / fine.signal[t].float()[:, None]
    var = (r[t] ** 2)[:, None].expand_as(z)  # one for each pixel
    return gaussians.level_mean(z.flatten(), var.flatten(), share.log()).view_as(x_t)


must = -share.log2()[((new + 1) * 8).round().long()].flatten(1).mean(1)
cost = losses.bound(fine, pixel_alone, new, generator=seeded(1), levels=17, strata=100)
asked = bits(cost.total.double(), new, 0, 1)
more = asked - must
print(f"independent pixels must cost {must.mean():.3f} bits/dim; the walk asks {asked.mean():.3f}; "
      f"difference {more.mean():.3f} ± {more.std() / 200**0.5:.3f}")

# %% [markdown]
# Near: the walk asks 3.007, the pixels must cost 2.983. A bound lies above, and here it lies above by 0.024, less than one percent. So the walk itself wastes little. If the bills of two networks differ here by much more than that, it is their guesses that differ.
#
# Now let the neighbors speak. They cannot be asked by a formula; that is what a network is for. So a network gets another task. Its output is no longer a guess but **a prior for each pixel**, given all it sees, and (14.3) makes the guess of it. (In `networks.UNet` the setting is `levels=17`. The network gives 16 numbers for each pixel. A learned table turns them into one number for each level. These are added to the logarithms
# of the shares, and a softmax makes the prior. The guess is converted to eps, so that the same loss can train it. And at its entrance the network is shown two more pictures: what each pixel alone says, as x0 and as eps.) Strictly it is no prior, because the network has seen this pixel too. Training finds the numbers with which (14.3) guesses well.
#
# **Predict.** Two small networks, alike but for the first and the last layer and the rule: the same data, loss, seed, and 300 steps. (The loss has the bound's own weights.) At which noise will their bills differ most?

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
pair, rows = {"eps": trained(), "a prior": trained(levels=17)}, []
for name, network in pair.items():
    cost = losses.bound(fine, models.denoiser(network, new_labels), new, generator=seeded(1),
                        levels=17, strata=30)
    report(f"{name:>7}", cost, new)
    each = bits(cost.steps.mean(0).double(), new[:1].expand(30, -1, -1, -1), 0, 1)
    rows.append(each.view(6, 5).sum(1))  # 30 stretches, five in a row of the table

# %%
stops = [int(stretch[-1]) for stretch in losses.strata(fine, 30)][4::5]
print("noise r up to (levels)    eps  a prior")
for t, plain, prior in zip(stops, *rows):
    print(f"{8 * r[t]:22.2f} {plain:6.3f} {prior:8.3f}")

# %% [markdown]
# 2.48 and 1.98, half a bit for each pixel. (Do not set them beside the 1.89 above: that is a larger network, trained much longer.) Most of it is in the first row, below 0.28 levels of noise: 0.522 and 0.145. Above one level the two pay nearly the same.
#
# But is that fair? Above, ending the walk early was a cure too: it leaves the levels to $L_0$. So let each network have the end that suits it best, of four (t = 1, 60, 110 or 165), chosen on training digits.

# %%
def early(network, first, x, labels):
    """The bill of a walk that ends at `first`."""
    (walk, back), knows = ended(first, fine), models.denoiser(network, labels)
    return losses.bound(walk, lambda x_t, t: knows(x_t, back[t]), x, generator=seeded(1),
                        levels=17, strata=30)


for name, network in pair.items():
    seen = {first: early(network, first, old, old_labels).total.mean()
            for first in (1, 60, 110, 165)}
    first = min(seen, key=seen.get)
    report(f"{name:>7}, end at {8 * r[first]:.2f} levels",
           early(network, first, new, new_labels), new)

# %% [markdown]
# Now 2.17 against 1.98: the early end is worth 0.31 to the network that guesses eps; the other keeps the whole walk. Of the half bit 0.19 remains. (One training each. The second network is also shown more, so how much is due to that and how much to the rule, these two cannot say.)

# %% [markdown]
# ### Beside the flows
#
# For MNIST, models of another kind, *normalizing flows*, have published values from 0.97 to 1.06 bits per dimension. May we compare? A flow has a **density** $p$, and a
# density at whole gray levels can be made as large as one likes, by narrow spikes. So noise $u$, uniform in $[0, 1)$, is added to each level $x$, and the mean of
# $-\log p(x + u)$ is reported. That is called *dequantization*. The probability of the level itself is the integral over its cell, so by Jensen's inequality (8.3)
#
# $$-\log P(x) = -\log \int_0^1 p(x + u)\,du \;\le\; -\int_0^1 \log p(x + u)\,du. \tag{14.4}$$
#
# So a flow's number is an upper limit for the bill of a discrete model; and so is ours, for another reason. Both say: coded with this model, the file needs no more bits than that. They may stand
# side by side if the unit is right: the density must be one *per gray level*. Per unit of the range $[-1, 1]$, with 256 levels, it is another number, by $\log_2 127.5$ bits. (Chapter 08 has met that slip.)

# %%
# eq: 14.4
law = stats.norm(5.3, 0.8)  # a density over gray levels; level x owns the cell from x to x + 1
u = torch.linspace(0, 1, 10_001, dtype=torch.float64)
for x in (3, 5, 7):
    log_p = torch.as_tensor(law.logpdf(x + u.numpy()))
    exact = -math.log2(law.cdf(x + 1) - law.cdf(x))
    integral = -math.log2(torch.trapezoid(log_p.exp(), u))
    print(f"level {x}: {exact:.4f} bits (by the integral {integral:.4f}), "
          f"dequantized {-torch.trapezoid(log_p, u) / math.log(2):.4f}")

# %% [markdown]
# Two MNIST networks come with the course: nearly the same layers, the same pictures, no GPU. One was made for pictures: it counts all times alike, as errors of v ("simple", cosine schedule). The other was made for small bills ("vlb"): it has the bound's own weights, predicts a prior for each of 256 levels, and
# its schedule is a straight line of log-SNR that begins at less noise. Each has a **card**, which says how it was made and how it did on held-out pictures. (You need not have MNIST. Who has it can repeat this:
# `python -m ddpm_lab evaluate --run mnist`.)

# %%
shipped_share = pretrained.load("mnist_likelihood").net.pixel_head.log_prior.exp()
print(f"MNIST's training pictures: {shipped_share[0]:.1%} of all pixels are paper, level 0; "
      f"independent pixels would cost {-(shipped_share * shipped_share.log2()).sum():.2f} bits/dim")

# %%
def card(name):
    """How a network that comes with the course was made, and how good it is."""
    return pretrained.model_card(name)


cards = {"simple": card("mnist"), "vlb": card("mnist_likelihood")}
for name, facts in cards.items():
    found = facts["metrics"]["bits_per_dim"]
    parts = " + ".join(f"{part} {found[part]['value']:.3f}" for part in
                       ("prior", "steps", "decoder", "label"))
    print(f"{name:>6}, {facts['step']:6,} training steps, {facts['metrics']['images']} held-out "
          f"pictures:\n        {parts} = {found['total']['value']:.2f} "
          f"± {found['total']['stderr']:.2f} bits/dim")
    noise = configs.from_dict(facts["config"]).schedule.built.noise[1]
    print(f"        the walk ends at noise {noise:.4f}; half a gray level is {1 / 255:.4f}")

# %%
best = cards["vlb"]["metrics"]["bits_per_dim"]["total"]["value"]
print(f"our target was 1.05; met: {best <= 1.05}; our training took "
      f"{cards['vlb']['seconds'] / 60:.0f} minutes, {cards['vlb']['threads']}")

# %%
flows = {"Real NVP": 1.06, "Glow": 1.05, "FFJORD": 0.99, "Residual Flow": 0.97}
rows = {f"ours, {name}": facts["metrics"]["bits_per_dim"]["total"]["value"]
        for name, facts in cards.items()} | flows
fig, ax = figures.new(height=2.4)
for place, (name, value) in enumerate(rows.items()):
    ours = name.startswith("ours")
    ax.plot(value, -place, "o" if ours else "s", color=figures.BLUE if ours else figures.GRAY)
ax.set(yticks=range(0, -len(rows), -1), yticklabels=rows, xlim=(0.9, None), ylim=(-5.5, 0.5),
       xlabel="bits per dimension, MNIST (circles: our bounds; squares: flows, as published)")
figures.show(fig, alt="Ours, simple, is far to the right; ours, vlb, is among the flows.")
print(", ".join(f"{name}: {value:.2f}" for name, value in rows.items()))

# %% [markdown]
# The course had set itself a target, 1.05, the value of the flow called Glow. The network that was made for it has 1.00 ± 0.01: below Glow and Real NVP, about level with FFJORD, above Residual Flow. It took about an hour of a CPU, and a prior for each pixel.
#
# In *bits* the ranking of our two is clear, 1.00 against 2.03. Almost half of the simple network's bill is its last entry. Its walk ends at noise 0.0064, *above* half a gray level, 0.0039, and the last jump costs 0.967 bits per pixel. The "vlb" network's walk ends at 0.0012, and the jump costs 0.001. (Which of the differences
# between the two brought how much, two networks cannot tell.) Which of them draws better *pictures* is another question; section 7 asks it.
#
# (Two warnings about tables elsewhere. "80 nats" on MNIST is about *binary* pixels, another data set. And a number that does not say "held-out" may be about pictures that the
# model has seen.)

# %% [markdown]
# ## 2 · How far apart are two sets?
#
# Samples and real pictures are two sets of points in a space of 64 dimensions. Were they drawn from one law? Take lengths: if the laws are alike, a point is as far from those of the
# other set as from those of its own. The **energy distance** [SR13] is the difference,
#
# $$\mathcal{E} = 2\,E|a - b| - E|a - a'| - E|b - b'|, \tag{14.5}$$
#
# with the Euclidean length $|\cdot|$, an item $a$ of one set and $b$ of the other, and $a'$, $b'$ *another* item of the same set. For laws it is 0 if and only if they are equal, and it has no
# setting that one could choose.
#
# ### Exercise 14.3 · Energy distance
#
# `a` has shape (N, D), `b` (M, D). Return the estimate of (14.5). `torch.cdist(a, b)` is the (N, M) table of all distances. In the second and third mean no item may be
# paired with itself: that distance, 0, says nothing about the law. How many pairs are left? This measure assumes the least, and you will use it below.

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
# **Predict.** Two sets of 100 points from the *same* law. Can the result be negative? How often?

# %%
# eq: 14.5
rng, fair, with_selves = seeded(3), [], []
for _ in range(400):
    a, b = (normal_like(torch.empty(100, 2).double(), generator=rng) for _ in range(2))
    fair.append(energy(a, b))
    with_selves.append(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean()
                       - torch.cdist(b, b).mean())
for name, values in (("other items only", fair), ("with self-pairs", with_selves)):
    values = torch.stack(values)
    print(f"equal laws, {name}: mean {values.mean():+.4f} ± {values.std() / 20:.4f}, "
          f"{(values < 0).double().mean():.0%} negative")

# %%
a, b = (normal_like(torch.empty(4000, 1).double(), generator=rng) for _ in range(2))
unit, found = stats.norm(), metrics.energy_distance(a, b + 1)
across = 8**0.5 * unit.pdf(0.5**0.5) + 2 * unit.cdf(0.5**0.5) - 1  # E|a - b|: a - b is N(-1, 2)
print(f"N(0, 1) and N(1, 1): {energy(a, b + 1):.3f} ± {found.stderr:.3f}, in closed form "
      f"{2 * across - 4 / math.pi**0.5:.3f}")

# %% [markdown]
# For equal laws the estimates scatter around 0, and 60 % of them are negative. That is no defect. An estimate which is right *on average*, and whose truth is 0, must be negative at times. Cut it
# at 0, or count the self-pairs, and it is biased: 0.0365 where 0 is true. So a single number such as 0.01 says nothing, until one knows **what real data get against real data**. That is the **floor**.
#
# ### Exercise 14.4 · The floor
#
# `data` are real items, shape (N, D). Each row of `orders` is a shuffled list of all N row numbers. For each order return `metric` of two sets: the first N // 2 items of the data *in that order*, and the N // 2 items
# that follow. (`metric` returns one number: a float, or a tensor.) No number of this chapter can be read without it.

# %% tags=["exercise"]
def my_floor(metric, data, orders):
    """Return metric(half, other half) for each order, shape (number of orders,)."""
    ### BEGIN SOLUTION
    half = len(data) // 2
    values = [metric(data[order[:half]], data[order[half:2 * half]]) for order in orders]
    return torch.tensor([float(value) for value in values], dtype=torch.float64)
    ### END SOLUTION


floor = check("measuring.baseline", my_floor)

# %%
def flat(x):
    """Pictures as rows of numbers."""
    return x.flatten(1).double()


everything = torch.cat([train, test])  # all 1797 real digits
some = everything[torch.randperm(1797, generator=seeded(4))[:1200]]
orders = torch.stack([torch.randperm(1200, generator=seeded(k)) for k in range(30)])
of_real = floor(energy, flat(some), orders)  # 600 against 600
of_made = [energy(flat(made[k:k + 600]), flat(test[:600])).item() for k in (0, 600, 1200)]
print(f"real against real, 30 orders: median {of_real.median():.4f}, "
      f"from {of_real.min():.4f} to {of_real.max():.4f}")
print("three sets of samples against real:", ", ".join(f"{value:.4f}" for value in of_made))
one = metrics.energy_distance(made[:600], test[:600])
print(f"the package, first set: {one.value:.4f} ± {one.stderr:.4f}")

# %%
fig, ax = figures.new(height=2.2)
ax.hist(of_real, bins=12, color=figures.SKY, label="real against real, 30 orders")
for k, value in enumerate(of_made):
    ax.axvline(value, color=figures.RED, linestyle="--",
               label=None if k else "samples against real, three sets")
ax.set(xlabel="energy distance of 600 and 600 digits, data units", ylabel="orders")
ax.legend(fontsize=9)
figures.show(fig, alt="A heap of real-against-real values around 0; three lines at its right end.")
above = [int((of_real > value).sum()) for value in of_made]
print("of 30 real-against-real values, above each of the three:", *above)

# %% [markdown]
# A perfect model would land somewhere in the heap, about as often left of the median as right of it. All three sets lie at its right end: one is exceeded by 4 of the 30 real values, one by 1, one by none. So the samples look a little less than perfect. But mind: all three were compared with the *same* 600 real digits, and if these are unusual, all three lines move together. Three lines are not three independent witnesses. And the first set alone, 0.0082 ± 0.0064, shows nothing.
#
# ### A second measure: how far must they travel?
#
# On a line, the cheapest way to carry N points to N others is known: sort both, and match the $k$-th with the $k$-th. The mean squared travel is
#
# $$W_2^2 = \frac1N \sum_{k=1}^{N} \big(a_{(k)} - b_{(k)}\big)^2, \tag{14.6}$$
#
# where $a_{(k)}$ is the $k$-th smallest. In 64 dimensions one looks at the shadows of the points on many random lines, takes the mean of (14.6) over the lines, and its root: the
# **sliced Wasserstein distance**. Travel is never negative, so it is positive even for equal laws. It *needs* its floor.

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


one = sliced(made[:600], test[:600])
heap = floor(lambda a, b: sliced(a, b).value, some, orders[:10])
print(f"samples against real: {one.value:.4f} ± {one.stderr:.4f}\nreal against real: median "
      f"{heap.median():.4f}, from {heap.min():.4f} to {heap.max():.4f}")

# %% [markdown]
# ## 3 · Means and covariances: the Fréchet distance
#
# The samples' 0.0586 lies inside the range of real against real: by this measure nothing is wrong with them. Both measures compare pixels. A stroke that is moved by one pixel is far away for them, and a person would not mind. So let a network look: a small classifier, trained on the labels,
# describes each picture by 32 numbers, its **features**. Fit one Gaussian to the features of the real pictures, one to those of the samples, and ask how far the cheapest plan must carry one to the
# other, in squared length. For Gaussians that is known [DL82]:
#
# $$F = |m_1 - m_2|^2 + \mathrm{tr}\Big(\Sigma_1 + \Sigma_2 - 2\,\big(\Sigma_1 \Sigma_2\big)^{1/2}\Big), \tag{14.7}$$
#
# with means $m$, covariances $\Sigma$, the trace tr (the sum of the diagonal), and a matrix root: the matrix whose square is $\Sigma_1\Sigma_2$. With the features of one large network, Inception, and
# 50,000 samples, this $F$ is the **FID** [Heu17], the most printed number of the field.
#
# ### Exercise 14.5 · Two Gaussians with independent features
#
# If both covariances are diagonal, the root is taken number by number. Return $F$ for means and variances given as four tensors of shape (D,). Write it for one feature first: then you see what the
# trace measures.

# %% tags=["exercise"]
def my_frechet(mean_1, var_1, mean_2, var_2):
    """Return the (squared) Fréchet distance of two Gaussians with independent features."""
    ### BEGIN SOLUTION
    spread = var_1 + var_2 - 2 * (var_1 * var_2).sqrt()
    return ((mean_1 - mean_2) ** 2 + spread).sum()
    ### END SOLUTION


frechet_diagonal = check("measuring.frechet", my_frechet)

# %% [markdown]
# For one feature $F = (m_1 - m_2)^2 + (s_1 - s_2)^2$, with standard deviations $s$: the shift of the place, and the change of the width. Now for any covariances, with SciPy's matrix root, and checked in three ways.

# %%
# eq: 14.7
def frechet(a, b):
    """(14.7) for the rows of a and b."""
    cov_a, cov_b = (torch.atleast_2d(torch.cov(x.T)) for x in (a, b))
    root = torch.as_tensor(linalg.sqrtm((cov_a @ cov_b).numpy()).real)
    return ((a.mean(0) - b.mean(0)).square().sum() + (cov_a + cov_b - 2 * root).trace()).item()


rng = seeded(6)
a, mix, turn = (normal_like(torch.empty(n, 3).double(), generator=rng) for n in (500, 3, 3))
a, turn = torch.linalg.qr(a - a.mean(0)).Q * 500**0.5, torch.linalg.qr(turn).Q  # a: uncorrelated
b = a * torch.tensor([2.0, 1.0, 0.5]) + torch.tensor([0.0, 3.0, 0.0])
alone = frechet_diagonal(a.mean(0), a.var(0), b.mean(0), b.var(0))
print(f"independent features: exercise 14.5 {alone:.4f}, (14.7) {frechet(a, b):.4f}; "
      f"both sets turned {frechet(a @ turn, b @ turn):.4f}")
print(f"any covariances: (14.7) {frechet(a, b @ mix):.4f}, "
      f"the package {metrics.frechet(a, b @ mix).value:.4f}")

# %% [markdown]
# "FID measures how far two laws are apart", one reads. **Predict.** The law with two bumps, at −0.97 and +0.97, of chapter 09 has mean 0 and variance 1. What is $F$ between it and $N(0, 1)$?

# %%
# claim: E43
rng = seeded(7)
two = ideal_denoisers.sample(ideal_denoisers.two_modes(), 100_000, generator=rng).double()
one = normal_like(two, generator=rng)
largest = stats.ks_2samp(two[:, 0].numpy(), one[:, 0].numpy()).statistic
print(f"two bumps against one: F = {frechet(two, one):.5f}; the distribution functions "
      f"differ by up to {largest:.3f}; energy distance "
      f"{metrics.energy_distance(two[:2000], one[:2000]).value:.3f}")

# %% [markdown]
# $F$ is 0 up to chance, while the distribution functions differ by 0.2. What is true: FID compares **two Gaussians that were fitted to features**. All else goes unseen.
#
# ### Its bias
#
# Two sets from one law have different means and covariances, by chance, and $F$ adds up squares. So it is positive for equal laws: the more so, the fewer the items and the more the features. For N and M items with
# $d$ independent features of variance 1, nearly
#
# $$E[F] \approx \Big(\frac1N + \frac1M\Big)\,\frac{d\,(d + 5)}{4}. \tag{14.8}$$

# %%
# eq: 14.8
# claim: E43
rng = seeded(8)
for n in (200, 1000, 10_000):
    a, b = (normal_like(torch.empty(n, 64).double(), generator=rng) for _ in range(2))
    print(f"equal laws, 64 features, {n:6,} items each: F = {frechet(a, b):4.1f}; "
          f"(14.8) says {2 / n * 64 * 69 / 4:4.1f}")

# %% [markdown]
# The same law on both sides, and $F$ is 10.6, 2.3 or 0.2. Nothing but the number of items has changed. So an $F$ without its $n$ is no number, and two of them can be compared only at equal $n$.
#
# Now real digits, in the features of the classifier. (They are not independent, so (14.8) does not give the size. But the fall with $1/n$ remains.)

# %%
judge, facts = training.load(pretrained.path("features_digits"))
print(f"the classifier names {facts['accuracy']:.1%} of new digits rightly")
of_all, of_test, of_made = (metrics.features(judge, x) for x in (everything, test, made))
sizes, rng = (50, 75, 100, 200, 400, 890), seeded(9)


def mean_f(a, b, n, times=30):
    """Mean F of n rows of a against n rows of b; if they are one set, no row comes twice."""
    values = []
    for _ in range(times):
        rows, other = (torch.randperm(len(x), generator=rng) for x in (a, b))
        values.append(frechet(a[rows[:n]], b[rows[n:2 * n] if a is b else other[:n]]))
    return sum(values) / times


curves = {"real against real": [mean_f(of_all, of_all, n) for n in sizes],
          "samples against new digits": [mean_f(of_made, of_test, n) for n in sizes]}

# %%
inverse = 1 / torch.tensor(sizes, dtype=torch.float64)
fig = figures.curves(inverse, curves, xlabel="1 / n, for n items on each side",
                     ylabel="F, squared feature units", height=2.8)
for line in fig.axes[0].lines:
    line.set_marker("o")
figures.show(fig, alt="Both curves are nearly straight lines; the samples' lies a little higher.")
last = torch.stack([torch.ones(3).double(), inverse[-3:]], dim=1)  # the three largest n
for name, values in curves.items():
    line = torch.linalg.lstsq(last, torch.tensor(values[-3:]).double()[:, None]).solution
    print(f"{name}: " + ", ".join(f"{v:.2f}" for v in values) + f"; at 1/n = 0: {line[0, 0]:.2f}")
one = metrics.frechet(of_made[:890], of_test[:890])
print(f"one pair of sets, n = 890: {one.value:.2f} ± {one.stderr:.2f}")

# %% [markdown]
# Against $1/n$ both are nearly straight lines (the kinks at the right are chance: each point is a mean of 30 values that scatter widely), so one can **extrapolate** to infinitely many items [CF20]: draw the line through the last points to the axis. Real against real ends at 0.00, as it must. The samples end at 0.27, and the ± of 0.16, of one pair of sets, says how far to trust that: less than two errors from 0. Note what the raw numbers would have done: the samples' 0.44 at $n = 890$ looks better than *real* digits' 0.74 at $n = 200$.
#
# ## 4 · What does each one see?
#
# Now an experiment in which the truth is known. Take 448 *real* digits, damage them more and more, hand them in as "samples", and measure them against 448 other real ones. Four damages: **blur** (mix with the mean of the 3 × 3
# neighbors), **noise**, **missing classes** (replaced by other digits), and **repeats** (few different digits, each of them many times). And one thing more: no damage. A model that returns its training digits
# does that.
#
# To have one unit for three measures, we count standard deviations of the floor above the floor's median.
#
# **Predict.** Which measure will notice most that no digit is a 0? Which will hardly mind blur? Which will notice that the "samples" are training digits?

# %%
names, rows = torch.cat([train_labels, test_labels]), torch.randperm(1797, generator=seeded(10))
pool, pool_names = everything[rows[:896]], names[rows[:896]]
spare, spare_names = everything[rows[896:]], names[rows[896:]]


def damages(x, labels):
    """448 digits, damaged in many ways: name -> pictures."""
    smooth = avg_pool2d(pad(x, [1] * 4, value=-1.0), 3, 1)
    noise, found = normal_like(x, generator=seeded(11)), {"none": x}
    found |= {f"blur, {s:.0%} of the mean": (1 - s) * x + s * smooth for s in (0.1, 0.2, 0.4)}
    found |= {f"noise, std {s}": (x + s * noise).clamp(-1, 1) for s in (0.1, 0.2, 0.4)}
    for name, first in (("no 0", 1), ("no 0, 1, 2", 3)):
        others = spare[spare_names >= first][:int((labels < first).sum())]
        found[name] = torch.cat([x[labels >= first], others])
    return found | {f"{448 // k} digits, {k} times": x[:448 // k].repeat(k, 1, 1, 1)
                    for k in (2, 8, 32)}

# %%
examples = damages(pool[:448], pool_names[:448])
chosen = {name: examples[name] for name in ("none", "blur, 40% of the mean", "noise, std 0.4")}
fig = figures.images(torch.cat([x[:8] for x in chosen.values()]), columns=8, panel=0.6,
                     row_labels=list(chosen))
figures.show(fig, alt="Eight digits; the same ones blurred; the same ones with gray noise.")
print("standard deviation of all pixels:",
      "; ".join(f"{name}: {x.std():.2f}" for name, x in chosen.items()))

# %%
measures = {"energy": lambda a, b: metrics.energy_distance(a, b).value,
            "sliced": lambda a, b: sliced(a, b).value,
            "Fréchet": lambda a, b: frechet(metrics.features(judge, a), metrics.features(judge, b))}
orders = torch.stack([torch.randperm(896, generator=seeded(k)) for k in range(20)])
floors = {name: floor(measure, pool, orders) for name, measure in measures.items()}
seen = {what: torch.zeros(3).double() for what in examples}
for order in orders[:4]:
    real = pool[order[448:]]
    for what, x in damages(pool[order[:448]], pool_names[order[:448]]).items():
        found = [(measure(x, real) - floors[name].median()) / floors[name].std()
                 for name, measure in measures.items()]
        seen[what] += torch.stack(found) / 4  # the mean of four orders
print(f"{'damage':>22}" + "".join(f"{name:>9}" for name in floors))
for what, row in seen.items():
    print(f"{what:>22}" + "".join(f"{value:9.1f}" for value in row))

# %%
fig, ax = figures.new(height=4)
for k, (name, marker) in enumerate(zip(floors, "os^")):
    ax.plot([row[k] for row in seen.values()], range(0, -len(seen), -1), marker,
            color=figures.COLORS[k], label=name)
ax.axvspan(-2, 2, color=figures.GRAY, alpha=0.2, label="like real ones")
ax.set_xscale("symlog", linthresh=2)
ax.set(yticks=range(0, -len(seen), -1), yticklabels=seen, xticks=(-2, 0, 2, 10, 50, 200),
       xticklabels=(-2, 0, 2, 10, 50, 200),
       xlabel="deviations of the floor above its median (logarithmic beyond 2)")
ax.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
figures.show(fig, alt="Each damage is far outside for some measures; undamaged digits for none.")
for k, name in enumerate(floors):
    escaped = [what for what, row in seen.items() if row[k] < 2]
    print(f"not seen by {name}, below two deviations: {', '.join(escaped)}")

# %% [markdown]
# Each measure sees what it was made to see.
#
# - **Energy and sliced** compare pixels. 40 % of blur lies 41 and 25 deviations above the floor, strong noise 18 and 17. A missing class is only a small part of all distances: 4.
# - **Fréchet** compares features of a network that was trained to *name* digits, and blur does not change a digit's name: 2.0 deviations for the strongest blur. But the missing 0 moves mean and covariance: 10.9, far more than
#   for the others. (Inception does see blur [Heu17]. Each network has blind spots of its own.)
# - **Repeats**: 56 digits, eight times each, are noticed by all. 224 digits twice each nearly escape: 3.0, 4.1, 2.6.
# - **No damage**: within one deviation, for all three. (It had to be near 0: these four pairs are among the twenty that make the floor.)
#
# So no measure alone is enough, and "the FID" least of all. Say which measure, which features, how many items.
#
# ## 5 · Copies
#
# The first line of that table is the trouble. Real digits got perfect marks; of course. But a network that has learned its data **by heart** hands in real digits, too, and wins every race against real data. So of a set of samples one must ask
# one thing more.
#
# Chapter 10 has such a model: the **memory**, the exact denoiser of the 896 training digits. Look at samples of both, and below each at the training digit that is nearest to it.

# %%
memory = ideal_denoisers.dataset_denoiser(train, plan)
x_T = normal_like(torch.empty(300, 1, 8, 8), generator=seeded(13))
copies = samplers.final(samplers.dpmpp_2m(plan, memory, x_T, times=schedules.timesteps(1000, 20)))
near = {"network": metrics.nearest(made, train), "memory": metrics.nearest(copies, train)}
rows = [made[:10], train[near["network"].index[:10]], copies[:10], train[near["memory"].index[:10]]]
fig = figures.images(torch.cat(rows), columns=10, panel=0.6, row_labels=[
    "network", "nearest training digit", "memory", "nearest training digit"])
figures.show(fig, alt="The network's digits resemble their neighbors; the memory's equal them.")
for name, found in (near | {"new real digits": metrics.nearest(test, train)}).items():
    print(f"{name:>16}: distance to the nearest training digit: mean {found.distance.mean():.2f}, "
          f"smallest {found.distance.min():.2f}")

# %% [markdown]
# The memory's samples are copies, every one. The network's are not: no distance is below 1.04, and the mean, 2.24, is that of new real digits, 2.22. Is nothing memorized, then? The mean distance does not say: dull pictures lie nearer to
# everything, and noisy ones farther. A sharper question: does a sample lie nearer to a picture that was *seen* than to any that was *not*? If nothing was memorized, that is the toss of a coin: a share of 0.5.
#
# ### Exercise 14.6 · Nearer to what was seen?
#
# `x` (B, D) are samples, `train` (N, D) and `held_out` (M, D) real items, in random order. Return the share of samples whose nearest item of both sets is a training item; a tie counts one half. But the nearest of 1000 is nearer than the nearest of
# 100, for no good reason. So first cut the larger set to its first items, as many as the smaller one has. (With unequal sets an honest model may look like a thief, or a thief honest.)

# %% tags=["exercise"]
def my_share(x, train, held_out):
    """Return the share of samples that are closer to the training items."""
    ### BEGIN SOLUTION
    size = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:size]).min(dim=1).values
    new = torch.cdist(x, held_out[:size]).min(dim=1).values
    return (seen < new).double().mean() + (seen == new).double().mean() / 2
    ### END SOLUTION


share_of = check("measuring.memorization", my_share)

# %%
asked = {"network": (made, train, test), "memory": (copies, train, test),
         "new real digits": (test[:300], train, test[300:])}  # 300 in the role of samples
for name, (x, old, other) in asked.items():
    found = metrics.memorization_test(x, old, other, generator=seeded(14))
    print(f"{name:>16}: yours {share_of(flat(x), flat(old), flat(other)):.2f}; the package "
          f"{found.value:.2f} ± {found.stderr:.2f}")
few, x = flat(test[300:400]), flat(test[:300])
unfair = torch.cdist(x, flat(train)).min(1).values < torch.cdist(x, few).min(1).values
print(f"new real digits, 896 seen against 100 not seen: {unfair.double().mean():.2f}")

# %% [markdown]
# The memory: 1.00. New real digits: 0.50 ± 0.03, as it should be. (Yours may differ by an error or so: 896 and 601 are unequal, you keep the *first* 601, the package draws 601 by lot.) And our network: 0.61 ± 0.02, five errors above one half. It does not copy, but it leans to what it has seen, which the eye, the mean distance and all three measures have missed. (It met each of the 896
# digits, as it is or moved a little, hundreds of times.) The last line is the trap of unequal sets: 0.89 for digits that nobody has memorized.
#
# The ± deserves a word. A share of 1800 coin tosses would have an error of 0.012. But many samples have the *same* nearest digit, and then they are no independent tosses; the package counts that.
#
# Beside the share there is one more guard, the bill of section 1. It is judged on new pictures, and a memory has none to offer: 926 bits per pixel, in chapter 08.
#
# ## 6 · How sure are we?
#
# A measured number holds at least three kinds of chance: which samples were drawn, which real pictures they were compared with, and which network came out of the training. The **jackknife** estimates the first two from one pair of sets. Leave out
# a part of the items and compute the number again, for each of $G$ parts in turn. If $s_g$ is the number without part $g$, and $\bar s$ their mean,
#
# $$\mathrm{stderr}^2 = \frac{G - 1}{G} \sum_{g=1}^{G} (s_g - \bar s)^2, \tag{14.9}$$
#
# for each of the two sets; then the two squares are added. (Why so large a factor? The $s_g$ share nearly all their items, so they differ far less than fresh sets would.) For a mean it is exactly the textbook's formula:

# %%
# eq: 14.9
values = normal_like(torch.empty(100).double(), generator=seeded(15))
left = torch.stack([values[torch.arange(100) % 20 != g].mean() for g in range(20)])
parts = values.reshape(5, 20).mean(0)  # the means of the twenty parts themselves
print(f"jackknife {(19 / 20 * (left - left.mean()).square().sum()).sqrt():.4f}; standard deviation "
      f"of the twenty parts' means, divided by the root of 20: {parts.std() / 20**0.5:.4f}")
by_seed = [metrics.energy_distance(x, test) for x in sets]
energies = torch.tensor([found.value for found in by_seed])
print("energy distance, six seeds:", ", ".join(f"{value:.3f}" for value in energies))
print(f"spread over the seeds {energies.std():.3f}; a single one's standard error "
      f"{by_seed[0].stderr:.3f} to {by_seed[2].stderr:.3f}")
print("Fréchet distance, six seeds:",
      ", ".join(f"{frechet(metrics.features(judge, x), of_test):.2f}" for x in sets))

# %% [markdown]
# One network, six seeds: from −0.003 to 0.031, and in $F$ from 0.29 to 0.86. Who prints the best of six seeds prints chance. The seeds' own spread, 0.014, is of the size of the printed standard errors, 0.006 to 0.016. (For this distance they come from a formula, not from the jackknife.) The two do not measure quite the same. All six sets are compared with the *same* new digits, so their chance is in the standard error and not in the spread. And one kind of chance is in neither. There is one training only: another seed for the training gives another network (chapter 12 has trained several, and the differences mattered).
#
# ### Exercise 14.7 · A sentence from a paper
#
# "Our FID is 3.1, better than their 3.3." Is it? Both are given as (value, standard error, number of items). Return `"first"` or `"second"`, whichever is better, if they differ by more than **two** standard errors of the difference;
# else `"neither"`. The errors are independent, so their squares add up. And what does (14.8) say if the numbers of items differ?

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
# So the sentence is right, or says nothing, or compares what cannot be compared. It depends on two numbers that it does not give.
#
# ### A ladder: quality against training
#
# What does more training buy? A small network learns the digits here and now, and we stop at some steps to measure: the energy distance of 300 samples to new digits, and the share of samples nearer to training digits. The last rung is the
# network that comes with the course: a larger one, which has seen sixteen times as many digits.
#
# **Predict.** How will the two numbers go?

# %%
config = RunConfig(data=DataConfig("digits"), schedule=ScheduleConfig("linear", T=1000),
                   net=UNetConfig(width=16, mults=(1, 2), labels=10), steps=300, batch=64,
                   optimizer=OptimizerConfig(lr=4e-3, warmup=20, ema=0.97), precision="float32",
                   save_every=300, samples_every=25)
rungs = {}  # digits seen in training -> (energy distance, share)


def measured(x):
    share = metrics.memorization_test(x, train, test, generator=seeded(16))
    return metrics.energy_distance(x, test), share


def look(run):
    """Is called by the training loop every 25 steps."""
    if run.step in (25, 50, 100, 200, 300):
        x = models.sample(models.snapshot(config, run), 300, label=draw_labels(300, 1), steps=20,
                        generator=seeded(1))
        rungs[run.step * config.batch] = measured(x)

# %%
with tempfile.TemporaryDirectory() as folder:
    trainer.train(config, folder, on_sample=look)
shipped = card("digits")
rungs[shipped["step"] * shipped["config"]["batch"]] = measured(sets[1])  # same labels, same noise
for number, (far, share) in rungs.items():
    print(f"{number:7,} digits seen: energy distance {far.value:.3f} ± {far.stderr:.3f}, "
          f"share {share.value:.2f} ± {share.stderr:.2f}")
heap = metrics.real_baseline(metrics.energy_distance, everything, size=300, splits=20,
                             generator=seeded(17))
print(f"real against real, 300 and 300: energy distance {heap.lowest:.3f} to {heap.highest:.3f}")
print(f"time for the last rung: {shipped['seconds']:.0f} s on one core")

# %%
fig, axes = figures.new(1, 2, width=8.4, height=2.9)
for ax, k, name in zip(axes, (0, 1), ("energy distance, data units", "share nearer to training")):
    values = [each[k] for each in rungs.values()]
    ax.errorbar(list(rungs), [v.value for v in values], [2 * v.stderr for v in values],
                fmt="o-", color=figures.BLUE, capsize=3)
    ax.set(xscale="log", xlabel="digits seen in training", ylabel=name)
axes[0].axhspan(heap.lowest, heap.highest, color=figures.GRAY, alpha=0.3)
axes[0].text(0.03, 0.08, "real against real", transform=axes[0].transAxes, fontsize=9)
axes[1].axhline(0.5, color=figures.GRAY, linestyle=":")
figures.show(fig, alt="Distance (bars: two errors) falls to the floor; the last share rises.")
print(f"shares: {', '.join(f'{share.value:.2f}' for _, share in rungs.values())}")

# %% [markdown]
# (The bars are two standard errors long on each side.) The first rungs are steep: 0.143, 0.081, 0.051. Between the third and the fourth, 0.051 and 0.045, the errors leave no room for a verdict. The last rung, 0.020 ± 0.013, lies in the band of real against real: with 300 samples this measure has nothing more to ask for.
#
# But look at the right panel. The small network's share is one half within its errors. The last rung's is 0.62 ± 0.03. The better pictures came with sixteen times as much training, in a larger network, and with memory. How much of the gain is memory, these two numbers do not say. (Two things changed at once between the last two rungs,
# size and length. Which of them did it, this ladder does not say.) A ladder that shows only the left panel invites one to climb until everything is a copy.
#
# ## 7 · Cheap bills, good pictures
#
# Back to the two MNIST networks. In bits, the one that was made for small bills wins by far. **Predict.** Whose pictures are better?

# %%
stored = load_file(pretrained.path("features_mnist_real"))
labels, drawn = stored["train_labels"][:200].long(), {}  # as frequent as in real ones, shuffled
noise = normal_like(torch.empty(200, 1, 32, 32), generator=seeded(18))  # one noise for both


def middle(x, side):
    """The middle of pictures, side x side pixels."""
    edge = (x.shape[-1] - side) // 2
    return x[..., edge : edge + side, edge : edge + side]


for name, file in (("simple", "mnist"), ("vlb", "mnist_likelihood")):
    network = pretrained.load(file)
    walk, knows = network.schedule, models.denoiser(network, labels)
    x = samplers.final(samplers.dpmpp_2m(walk, knows, middle(noise, network.shape[-1]),
                                         times=schedules.timesteps(walk.T, 20)))
    drawn[name] = middle(x, 28)  # one network works with a margin, the other without

# %%
first = [int((labels == digit).nonzero()[k]) for k in (0, 1) for digit in range(10)]
picture = torch.cat([x[first] for x in drawn.values()])
fig = figures.images(picture, columns=10, panel=0.75, row_labels=["simple", "simple", "vlb", "vlb"])
figures.show(fig, alt="Two rows of MNIST digits of each network, 0 to 9; nearly all can be read.")
for name, x in drawn.items():
    gray = ((x > -0.9) & (x < 0.9)).double().mean()
    print(f"{name:>6}: mean of all pixels {x.mean():.2f}, share of gray ones {gray:.2f}")

# %% [markdown]
# No MNIST is needed to compare them with real pictures: the features of 3000 held-out ones, and of 3000 training ones, come with the course. Besides $F$ we take the energy distance *of features*. It has no bias, whatever $n$.

# %%
judge, facts = training.load(pretrained.path("features_mnist"))
print(f"the judge names {facts['accuracy']:.1%} of held-out MNIST pictures rightly")
real, others = stored["features"].double(), stored["train_features"].double().split(200)
ours = {name: metrics.features(judge, x) for name, x in drawn.items()}
for what, measure in (("Fréchet", metrics.frechet), ("energy", metrics.energy_distance)):
    found = {name: measure(x, real) for name, x in ours.items()}
    heap = torch.tensor([measure(x, real).value for x in others[:8]])
    for name, each in found.items():
        print(f"{what:>8}, {name:>6}: {each.value:6.3f} ± {each.stderr:.3f}")
    print(f"{what:>8}, 200 real pictures, 8 times: median {heap.median():.3f}, {heap.min():.3f} to "
          f"{heap.max():.3f}; better: {verdict((*found['simple'], 200), (*found['vlb'], 200))}")

# %% [markdown]
# "Neither", by both measures, and both networks lie within what 200 real pictures get. Is there no more to be had from 200 pictures? Look at the rows again. Both networks began with the *same noise* and were told the same labels, and they drew nearly the same digits! So their
# errors are not independent, as the verdict assumes. What chance did to one, it did to the other. Then the *difference* has a smaller error than its parts: leave the same pictures out on both sides.

# %%
def gap(rows):
    """F of vlb minus F of simple, for these of the 200 pairs."""
    return frechet(ours["vlb"][rows], real) - frechet(ours["simple"][rows], real)


left = torch.tensor([gap(torch.arange(200) % 20 != g) for g in range(20)])
error = (19 / 20 * (left - left.mean()).square().sum()).sqrt()
alone = math.hypot(*(metrics.frechet(ours[name], real).stderr for name in ours))
print(f"F of vlb minus F of simple: {gap(torch.arange(200)):.2f}, in pairs ± {error:.2f}; "
      f"if they were independent ± {alone:.2f}")
apart = (drawn["vlb"] - drawn["simple"]).flatten(1).norm(dim=1).mean()
others = (drawn["vlb"] - drawn["simple"].roll(1, 0)).flatten(1).norm(dim=1).mean()
print(f"distance of the two pictures from the same noise {apart:.1f}, from different {others:.1f}")

# %% [markdown]
# In pairs the error is 0.18, and not 0.44. (It leaves out samples only; the 3000 real pictures are the same for both. Pictures from the same noise are 5.7 apart, others 19.7.) The difference itself is 0.05 ± 0.18: still no verdict. The cards have 1000 samples, three times, with the same labels and the same real pictures for both networks, but not the same noise:

# %%
# claim: E20
for name, facts in cards.items():
    found = facts["metrics"]
    print(f"{name:>6}: {found['bits_per_dim']['total']['value']:.2f} bits/dim; with "
          f"{found['images']} samples:")
    for what in ("frechet", "energy_distance"):
        values = ", ".join(f"{value:.3f}" for value in facts["by_seed"][what])
        low = found[what]["baseline"]
        print(f"        {what:>15}, by seed: {values} (± {found[what]['stderr']:.3f}); "
              f"real against real {low['lowest']:.3f} to {low['highest']:.3f}")
for what in ("frechet", "energy_distance"):
    simple, vlb = (torch.tensor(facts["by_seed"][what]) for facts in cards.values())
    print(f"{what}, vlb minus simple, seed by seed: "
          + ", ".join(f"{value:+.3f}" for value in vlb - simple))

# %% [markdown]
# A claim that circulates: *dropping the bound's weights makes better samples.* Here it does not show. The differences in $F$ are −0.042, +0.227 and +0.034: one seed for the network with the bound's weights, two against it, and a single $F$ has an error of 0.26 or 0.28. In pixels (energy distance) it is the same, with other signs. Both lie at the upper end of real against real, or a
# little above it. So these two draw alike, as far as 1000 samples can tell, and one of them pays half for a new picture. (The claim was made for larger pictures and longer training. There it may well hold.)
#
# Mind what this does not show. Five things differ between the two (weights, schedule, what is guessed and how, the entrance, the margin), and the second was shown two and a half times as many pictures. And there is one training of each.
#
# ### Optional: a bill has no taste
#
# How can the two come apart? Take a model that should embarrass every bill: with probability 0.01 it hands you a digit of our network, else noise. Its probability of a picture is
# $p' = 0.01\,p + 0.99\,p_\text{noise} \ge 0.01\,p$, so
#
# $$-\log p'(x_0) \;\le\; -\log p(x_0) + \log 100. \tag{14.10}$$
#
# **Predict.** How many bits per dimension more is that at most, for 64 pixels? And for MNIST's 784?

# %%
# eq: 14.10
log_p = -told * 64 * math.log(2)  # of each new digit, by its bill; nats
log_noise = torch.full_like(log_p, -64 * math.log(17))  # each level alike
mixed = bits(-torch.logaddexp(math.log(0.01) + log_p, math.log(0.99) + log_noise), new, 0, 1)
print(f"network {told.mean():.3f}, with 99 % noise {mixed.mean():.3f} bits/dim: "
      f"{(mixed - told).mean():.3f} more; (14.10) allows {math.log2(100) / 64:.3f} "
      f"(MNIST: {math.log2(100) / 784:.4f})")
grains = torch.randint(17, (300, 1, 8, 8), generator=seeded(19)) / 8 - 1
grains[[7, 111, 222]] = made[:3]  # three of 300
fig = figures.images(grains[:16], columns=16, panel=0.5)
figures.show(fig, alt="Fifteen squares of noise and one digit among them.")
print(f"energy distance of such samples to new digits: "
      f"{metrics.energy_distance(grains, test).value:.2f}")

# %% [markdown]
# 0.104 bits, for a model of which 99 pictures in 100 are garbage. It has still a far better bill than the table (2.43), and the energy distance of its samples is 3.64, a hundred times that of any set of our network above. For MNIST the same trick costs 0.0085 bits, about one error bar of section 1. The reverse is the
# memory: perfect pictures, and 926 bits. So a bill asks whether **nothing real is called impossible**. It does not ask what the model hands out, one picture at a time. That is what the distances are for. The example is by Theis, van den Oord and Bethge (2016).
#
# ## Recap
#
# Three questions, and none answers another. *What does a new picture cost?* The bound, with the label, over real pixels, on held-out pictures; and mind where the walk ends. *How far is the set of samples from real pictures?* Energy distance, sliced distance, Fréchet distance of
# features: each with the floor, at the same number of items, with an error bar. *Are they copies?* The share of samples that lie nearer to what was seen than to what was not, with equal sets.
#
# **One formula to keep**
#
# $$\mathcal{E} = 2\,E|a - b| - E|a - a'| - E|b - b'|$$
#
# **Popular claims, checked**
#
# | often said | better | shown above |
# |---|---|---|
# | a bill is a bill | label and margin count; so does the end of the walk | 6.125 instead of 8.000; 2.88 and 1.89 |
# | FID measures how far two laws are apart | two Gaussians, fitted to features | 0.00001 where the laws differ by 0.195 |
# | our FID is 3.1, better than 3.3 | at the same n, and beyond the errors | 10.6, 2.3, 0.2 for one law |
# | a distance must not be negative | an unbiased one of equal laws often is | 60 % |
# | as near to real data as real data are: a perfect model | or a memory | none: 0.6, 0.7, 1.0; share 1.00 |
# | no copy found, so nothing memorized | ask for the share | distance 2.24 and 2.22, share 0.61 ± 0.02 |
# | dropping the bound's weights makes better samples | not seen here; and the bill doubles | −0.042, +0.227, +0.034; 2.03 and 1.00 |
# | overlapping error bars: no difference | not if the two share their chance: look at pairs | ± 0.44 becomes ± 0.18 |
#
# (A note on text-to-image models says that a larger text encoder matters more than a larger "vision encoder", by FID. The paper behind it compares the text encoder with the *U-Net*, the denoiser; and it draws FID against a second number, how well the
# picture fits the text, because with guidance each can be traded for the other. Chapter 15 turns that dial.)
#
# **Exercises:** 14.1 `measuring.bits` · 14.2 `measuring.level` · 14.3 `measuring.energy` · 14.4 `measuring.baseline` · 14.5 `measuring.frechet` · 14.6 `measuring.memorization` · 14.7 `measuring.verdict`
#
# **To think about.** Somebody moves all samples by one pixel to the right. What will the energy distance say, and what $F$? Which answer would you want? (Then try it: `torch.roll(made, 1, dims=-1)`.)
#
# **Before:** [13 · How does it grow up?](13_gpu_training.ipynb) · **Next:**
# [15 · How few steps are enough, and how do you ask for something?](15_fast_and_guided.ipynb)
#
# **Read on:** [Heu17] and [CF20] for FID and its bias; Theis, van den Oord and Bethge 2016, *A note on the evaluation of generative models*.
