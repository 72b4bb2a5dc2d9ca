# %% [markdown]
# # 12 · How to denoise images?
#
# In chapter 11 a few layers learned to denoise points of a plane. A picture is a point too, one with as many
# coordinates as pixels. So the same network should do. What goes wrong, and what does a network for pictures know
# that those layers did not?
#
# **After this chapter you can**
#
# - say what each part of a U-Net is for, and follow the shapes through it,
# - try a design choice and say whether its effect is larger than chance,
# - say why batch norm is a bad companion of diffusion, and why it often works all the same,
# - tell what the scale of a loss does to SGD, and what to Adam,
# - judge a denoiser of real pictures, for which nobody knows the perfect loss.
#
# **You need** [11 · Learning to denoise](11_learning_to_denoise.ipynb) (Algorithm 1, the loss of v, fresh data) and the
# memorizing denoiser of [10 · Sampling without learning](10_sampling_without_learning.ipynb). About 75 minutes to read
# and work through, without the two optional sections; it runs in about 80 seconds.
#
# **In the papers:** [Ho20] Appendix B; U-Nets come from Ronneberger et al. 2015.

# %%
import copy
import json
import math

import torch
import torch.nn.functional as F
from torch import nn

from ddpm_lab import datasets, forward, ideal_denoisers, losses, metrics, networks
from ddpm_lab.course import ablation, figures
from ddpm_lab import predictions, samplers, schedules, training
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import pretrained

schedule = schedules.linear()
train, test = (datasets.digits(split)[0] for split in ("train", "test"))  # 896 and 901 digits
few = train[:100]

# %% [markdown]
# ## A first look: what is to be guessed
#
# Real data now: handwritten digits, 8 × 8 pixels from −1 (paper, shown black) to 1 (ink, shown white). A tensor
# of pictures has four axes, (items, channels, height, width); gray pictures have one channel.

# %%
clean, times = test[:8], (100, 200, 300, 500)
noisy = [forward.noised(schedule, clean, t, normal_like(clean, generator=seeded(t))) for t in times]
fig = figures.images(torch.cat([clean, *noisy]), columns=8, panel=0.55,
                     row_labels=["x_0", *[f"x_t, t = {t}" for t in times]])
figures.show(fig, alt="Eight digits under more and more noise; hardly one can be read at t = 300.")
for t in times:
    print(f"t = {t}: {schedule.signal[t]:.2f} of the digit, {schedule.noise[t]:.2f} of unit noise")

# %% [markdown]
# We shall need two tools. The first *judges*: the mean loss on 900 pictures, always with the same times and the same
# noise, so that two networks can be compared. The second *trains*: the loop of chapter 11, with the target v and a learning
# rate that falls to 0 (so no average of the weights is needed).

# %%
figures.show_source(ablation.loss_on)
figures.show_source(ablation.fit)
when, noise = ablation.TIMES, ablation.NOISE
loss_on, fit = ablation.loss_on, ablation.fit

# %%
look = (10, 30, 100, 200, 300, 400, 600, 800, 1000, 1200)
mlp = networks.build(networks.MLP, seed=0, dim=64, width=256, depth=2)  # a picture is 64 numbers
of_mlp = fit(mlp, few, 1200, size=64, look=look, new=test)

# %% [markdown]
# The MLP of chapter 11, a bit wider, has now been trained on 100 digits. **Predict.** How does its loss on *new* digits go, compared with
# the loss on its own?

# %%
fig = figures.curves(look, {"on its own 100 digits": [of_mlp[k][0] for k in look],
                            "on new digits": [of_mlp[k][1] for k in look]},
                     xlabel="training step", ylabel="loss of v", height=2.6)
figures.show(fig, alt="The loss on own digits keeps falling; on new digits it levels off.")
for k in (100, 600, 1200):
    print(f"step {k:4}: loss on its own digits {of_mlp[k][0]:.3f}, on new ones {of_mlp[k][1]:.3f}")

# %% [markdown]
# On its own digits it gets better and better, 0.425, 0.356, 0.327. On new ones the second half brings only 0.381 to 0.365. What it learns late
# holds more and more for its own 100 digits alone: it **memorizes**.
#
# Why does it carry over so little? Here is one reason, and it can be proved. **Predict.** Shuffle the 64 pixels of every
# picture, always in the same order, so that no human could read a digit any more. How much harder is the task for an MLP?
#
# <details><summary>Answer</summary>
#
# Not at all. Its first layer takes any list of 64 numbers. Shuffle the columns of that layer's weights and the rows of the last
# one's in the same order: this twin does on shuffled pictures exactly what the MLP does on proper ones. And since the first
# weights of all pixels are drawn alike, training finds the twin as easily.
#
# </details>

# %%
figures.show_source(ablation.scrambled)
order, scrambled = ablation.ORDER, ablation.scrambled
fig = figures.images(torch.cat([test[:8], scrambled(test[:8])]), columns=8, panel=0.6)
figures.show(fig, alt="Eight digits, and below them the same pixels in disorder: nothing to read.")
moved = (order != torch.arange(64)).sum()
print(f"{moved} of 64 pixels have moved; mean of all pixels {test.mean():.3f} before, "
      f"{scrambled(test).mean():.3f} after")

# %%
x_t, twin = forward.noised(schedule, test[:900], when, noise), copy.deepcopy(mlp)
with torch.no_grad():
    twin.proj_in.weight[:, :64] = mlp.proj_in.weight[:, order]  # the pixels; then waves of t
    twin.proj_out.weight[:] = mlp.proj_out.weight[order]
    twin.proj_out.bias[:] = mlp.proj_out.bias[order]
    far = (twin(scrambled(x_t), when) - scrambled(mlp(x_t, when))).abs().max()
    x_0, eps = scrambled(test[:900]), scrambled(noise)
    of_twin = losses.simple(schedule, twin, "v", x_0, when, eps).mean()
print(f"loss of the MLP on digits {loss_on(mlp, test):.3f}, of its twin on scrambled digits "
      f"{of_twin:.3f}")
print("largest difference of their outputs below 0.0001:", bool(far < 1e-4))

# %% [markdown]
# For an MLP a picture is a list. That neighbors belong together, and that a stroke is the same stroke further to the right,
# it would have to learn from examples. A network for pictures should *start* with such knowledge. To guess clean pixels it should
#
# 1. look at **neighbors**, in the same way everywhere;
# 2. see **far enough** to tell a 3 from an 8;
# 3. lose **no detail** on the way;
# 4. know **how noisy** its input is.
#
# The U-Net has one part for each. We build it up, and then take the parts out again, one at a time.

# %% [markdown]
# ## 1 · Neighbors: convolution
#
# A **convolution** computes each new pixel from the 3 × 3 pixels around the old one, with the same weights everywhere. If
# $C$ channels enter, feature $c$ at row $i$, column $j$ is
#
# $$y_{c,i,j} = b_c + \sum_{c'=1}^{C}\;\sum_{p=0}^{2}\sum_{q=0}^{2} W_{c,c',p,q}\; x_{c',\,i+p-1,\,j+q-1}, \tag{12.1}$$
#
# where pixels outside the picture count as 0 (*padding*). The weights $W$ and $b$ are learned; nothing in them depends on $i$ and $j$.

# %%
# eq: 12.1
conv = nn.Conv2d(1, 16, 3, padding=1).requires_grad_(False)  # 1 channel in, 16 features out
nn.init.normal_(conv.weight, generator=seeded(5))
x, (i, j) = test[:1], (0, 5)  # a pixel in the top row: some neighbors are padding
by_hand = [conv.bias[c] + sum(conv.weight[c, 0, p, q] * x[0, 0, i + p - 1, j + q - 1]
                              for p in range(3) for q in range(3) if i + p - 1 >= 0)
           for c in range(16)]
print("(12.1) agrees:", torch.allclose(conv(x)[0, :, i, j], torch.stack(by_hand), atol=1e-5))
print("shape:", tuple(x.shape), "->", tuple(conv(x).shape))
linear = nn.Linear(16 * 64, 16 * 64)
wide = nn.Conv2d(16, 16, 3, padding=1)
for name, layer in (("linear layer", linear), ("convolution", wide)):
    print(f"16 features of an 8 x 8 grid to 16 others, {name}: "
          f"{sum(p.numel() for p in layer.parameters()):,} weights")

# %% [markdown]
# 2,320 weights instead of a million, and they serve pictures of any size. (The price: it can use
# nothing but neighbors.)
#
# ### Exercise 12.1 · How large is the result?
#
# A kernel of `kernel` pixels is moved along a row of `n` pixels with `padding` zeros added at *each* end, in jumps of `stride`.
# At how many places does it fit? Return the whole number (`//` rounds down). It decides what fits on what: get it
# wrong, and a network of your own stops with an error message.

# %% tags=["exercise"]
def my_size(n, kernel, stride, padding):
    """Return the number of places."""
    ### BEGIN SOLUTION
    return (n + 2 * padding - kernel) // stride + 1
    ### END SOLUTION


size_of = check("unet.size", my_size)

# %% [markdown]
# In one line, with $k$ the kernel, $s$ the stride, $d$ the padding and $\lfloor\;\rfloor$ for rounding down:
#
# $$n' = \left\lfloor \frac{n + 2d - k}{s} \right\rfloor + 1. \tag{12.2}$$

# %%
# eq: 12.2
for n, kernel, stride, padding in ((8, 3, 1, 1), (8, 3, 1, 0), (8, 3, 2, 1), (7, 3, 2, 1)):
    made = nn.Conv2d(1, 1, kernel, stride=stride, padding=padding)(torch.zeros(1, 1, n, n))
    print(f"n = {n}, stride {stride}, padding {padding}: {made.shape[-1]} pixels, "
          f"(12.2) says {size_of(n, kernel, stride, padding)}")

# %% [markdown]
# Padding 1 keeps 8 at 8, stride 2 halves it. So 8 × 8 becomes 4 × 4; and 7 becomes 4 as well, which will not fit when it is
# doubled again. That is why a U-Net wants sides that can be halved without rest.
#
# ## 2 · Far enough: a coarse grid
#
# One convolution sees 3 pixels, two see 5: the *reach* grows by 2 for each layer. That is slow. After a convolution with stride 2, though,
# a step on the new grid is two pixels of the old one. With kernels $k_i$ and strides $s_i$
#
# $$\text{reach} = 1 + \sum_i (k_i - 1) \prod_{j < i} s_j. \tag{12.3}$$
#
# **Predict.** Five convolutions of kernel 3 reach 11 pixels. If the second of them has stride 2, how far do the five reach?
#
# <details><summary>Answer</summary>
#
# The first two add 2 each. Each of the other three adds 4: $1 + 2 + 2 + 4 + 4 + 4 = 17$.
#
# </details>

# %%
# eq: 12.3
seen = []
for strides in ((1, 1, 1, 1, 1), (1, 2, 1, 1, 1)):
    layers = nn.Sequential(*[nn.Conv2d(1, 1, 3, stride=s, padding=1, bias=False) for s in strides])
    for layer in layers:
        nn.init.constant_(layer.weight, 1 / 9)
    x = torch.zeros(1, 1, 32, 32, requires_grad=True)
    out = layers(x)
    out[0, 0, out.shape[2] // 2, out.shape[3] // 2].backward()  # on which pixels does it depend?
    seen.append(x.grad[0] / x.grad.max())
    reach = 1 + sum(2 * math.prod(strides[:k]) for k in range(5))
    print(f"strides {strides}: depends on {int((x.grad[0, 0].sum(0) > 0).sum())} columns, "
          f"(12.3) says {reach}")
fig = figures.images(2 * torch.stack(seen) - 1, ["all strides 1", "one stride of 2"], panel=1.8)
figures.show(fig, alt="32 x 32 pixels; those that count form a small square, then a larger one.")

# %% [markdown]
# One stride of 2 brings 17 columns instead of 11, and the layers after it work on a quarter of the points. So go down to a coarse grid to
# see the whole, and come up again for the details. On the way up each point is copied to a square of 2 × 2 (`F.interpolate`), and a
# convolution smooths the squares.
#
# ## 3 · No detail lost: skips
#
# A 4 × 4 grid cannot say where in its square of pixels a stroke ends. So what a block made before the halving is kept, and handed to the
# block at the same level on the way up; the two blocks are *twins*. Drawn with the fine grid on top, the way goes down and up like the letter U:
#
#     8 x 8    enter - block ------------ skip ------------ block - leave
#     4 x 4          shrink - block ----- skip ---- block - grow
#                              middle block (4 x 4)
#
# There are two ways to hand something over: *concatenate* (the channels of both are stacked, [Ho20]) or *sum*.
#
# ### Exercise 12.2 · What does a skip weigh?
#
# On the way up, `wide` features come from below and `wide` from the twin, and the block's first 3 × 3 convolution makes `wide`
# features of them. How many weights does it have, biases included, for `skip` = "concat" and for "sum"? (The difference is what
# concatenating costs.)

# %% tags=["exercise"]
def my_weights(wide, skip):
    """Return the number of weights of that convolution."""
    ### BEGIN SOLUTION
    enter = 2 * wide if skip == "concat" else wide
    return 9 * enter * wide + wide
    ### END SOLUTION


weights_of = check("unet.weights", my_weights)

# %%
for skip in ("concat", "sum"):
    net = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2), skip=skip)
    counted = [sum(p.numel() for p in part.parameters()) for part in (net.up[0][0].conv_1, net)]
    print(f"{skip}: {weights_of(16, skip):,} by your count, {counted[0]:,} in the network; "
          f"the whole network has {counted[1]:,}")

# %% [markdown]
# ## 4 · How noisy is it? Waves of t
#
# Chapter 11 has shown why the network is told $t$, and that waves carry it. As a formula [Ho20, Appendix B], with $d$ features,
#
# $$\big[\sin(t f_0), \dots, \sin(t f_{d/2-1}),\; \cos(t f_0), \dots, \cos(t f_{d/2-1})\big],
# \qquad f_k = 10000^{-k/(d/2)}. \tag{12.4}$$
#
# ### Exercise 12.3 · Write them
#
# `t` has shape (B,), whole numbers; return (B, dim), without a loop: every time meets every frequency. These waves
# are all that the network will know of $t$.

# %% tags=["exercise"]
def my_waves(t, dim):
    """Return the features (12.4) of each time, shape (B, dim)."""
    ### BEGIN SOLUTION
    k = torch.arange(dim // 2, dtype=torch.float64)
    angle = t[:, None] * 10_000.0 ** (-k / (dim // 2))
    return torch.cat([angle.sin(), angle.cos()], dim=1)
    ### END SOLUTION


waves_of = check("unet.time_embedding", my_waves)

# %%
# eq: 12.4
t = torch.tensor([1, 2, 500, 501, 1000])
ours = networks.time_embedding(t, 16)
print("the package's function agrees:", torch.allclose(ours.double(), waves_of(t, 16), atol=1e-4))
for a, b in ((0, 1), (2, 3), (0, 4)):
    far = (ours[a] - ours[b]).square().sum()
    print(f"squared distance of t = {t[a]} and {t[b]}: {far:.2f}")

# %% [markdown]
# Times next to each other have waves close to each other, wherever they are; far times have not.
#
# ## 5 · A calm scale: group norm
#
# Through many layers numbers grow or shrink. A **norm** sets them back: subtract a mean, divide by a standard deviation. Means over *what*?
# **Group norm** takes, for each item by itself, a group of neighboring channels and all points of their grid:
#
# $$\hat x = \frac{x - m_g}{\sqrt{v_g + 10^{-5}}}, \qquad
# m_g, v_g: \text{mean and variance over group } g \text{ of this one item}. \tag{12.5}$$
#
# (`nn.GroupNorm` then gives each channel a learned factor and offset, at first 1 and 0.) One group of all channels is *layer norm*,
# one group per channel is *instance norm*. **Batch norm** is the odd one out: it takes each channel, over all
# items of the *batch*. Keep that in mind for later.
#
# ### Exercise 12.4 · Group norm by hand
#
# `x` is (B, C, H, W); neighboring channels form `groups` groups of C / groups. The variance divides by the number of values, not by one
# less. Which numbers share one mean? How can they be brought into one axis, and back?

# %% tags=["exercise"]
def my_normed(x, groups):
    """Return x with mean 0 and variance 1 in each group of each item, as in (12.5)."""
    ### BEGIN SOLUTION
    rows = x.reshape(len(x), groups, -1)
    mean, var = rows.mean(2, keepdim=True), rows.var(2, keepdim=True, correction=0)
    return ((rows - mean) / (var + 1e-5).sqrt()).reshape(x.shape)
    ### END SOLUTION


normed = check("unet.group_norm", my_normed)

# %%
# eq: 12.5
x = 5 + 3 * normal_like(torch.empty(2, 8, 4, 4), generator=seeded(6))
print("nn.GroupNorm agrees:", torch.allclose(nn.GroupNorm(4, 8)(x), normed(x, 4), atol=1e-5))
louder = torch.cat([10 * x[:1], x[1:]])
print("first item ten times as loud: its result moves by less than 0.0001:",
      bool((normed(louder, 4) - normed(x, 4))[0].abs().max() < 1e-4))
print("the other item's result is the same:", torch.equal(normed(louder, 4)[1], normed(x, 4)[1]))

# %% [markdown]
# How loud an item is does not matter any more, and no item notices another.
#
# ## 6 · The block
#
# Now the part that the network repeats. With $c_1, c_2$ two convolutions, $n_1, n_2$ two norms, and $\sigma(u) = u / (1 + e^{-u})$
# the bend between layers (`F.silu`), a block makes of its input $x$ and of what it is told about $t$
#
# $$h = c_1(\sigma(n_1(x))), \qquad
# \text{out} = \text{past}(x) + c_2\big(\sigma\big(n_2(h)\,(1 + \text{scale}_t) + \text{shift}_t\big)\big). \tag{12.6}$$
#
# - $\text{past}(x)$ is $x$ itself (a 1 × 1 convolution if the number of channels changes): the block adds a *correction*.
# - $\text{scale}_t$ and $\text{shift}_t$, one number each for every channel, come out of a linear layer. It is fed `emb`, which two
#   small layers, the same for all blocks, have made of the waves of $t$. So $t$ can turn a feature up, down, or off.
# - $c_2$ starts with all weights 0: an untrained block changes nothing (or no more than the 1 × 1 convolution does).
#
# (In the last line of the code stands `attention`, for the race in section 8. Most blocks have none.)

# %%
figures.show_source(networks.blocks.ResBlock.forward)

# %%
# eq: 12.6
net = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2))
block, rng = net.down[0][0], seeded(7)
nn.init.normal_(block.conv_2.weight, generator=rng)  # wake it up for the check
x, emb = (normal_like(torch.empty(s), generator=rng) for s in ((2, 16, 8, 8), (2, 64)))
with torch.no_grad():
    h = F.conv2d(F.silu(normed(x, 8)), block.conv_1.weight, block.conv_1.bias, padding=1)
    both = F.silu(emb) @ block.emb_proj.weight.T + block.emb_proj.bias  # 16 scales, 16 shifts
    scale, shift = both[:, :16, None, None], both[:, 16:, None, None]
    h = F.silu(normed(h, 8) * (1 + scale) + shift)
    by_hand = x + F.conv2d(h, block.conv_2.weight, block.conv_2.bias, padding=1)
    print("(12.6) agrees:", torch.allclose(block(x, emb), by_hand, atol=1e-3))
print(f"each item is told {both.shape[1]} numbers about t in this block")

# %% [markdown]
# ## 7 · The whole U-Net, shape by shape
#
# **Predict.** Our network has two levels: 16 features at 8 × 8, 32 features at 4 × 4. It concatenates. How many channels enter the two blocks on
# the way up?
#
# <details><summary>Answer</summary>
#
# 64 at the lower level (32 from the middle block, 32 from the twin), 32 at the upper (16 + 16).
#
# </details>
#
# A *hook* is a function that PyTorch calls whenever a layer has worked; ours prints the shapes.

# %%
def report(name):
    """A hook that prints what enters and what leaves."""
    return lambda layer, inputs, out: print(
        f"{name:>12}: {tuple(inputs[0].shape)!s:>14} -> {tuple(out.shape)}"
    )


net = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2))
x_t, t = torch.zeros(5, 1, 8, 8), torch.full((5,), 10)
parts = ("conv_in", "down.0.0", "downsample.0", "down.1.0", "middle",
         "up.1.0", "upsample.0", "up.0.0", "conv_out")
hooks = [net.get_submodule(name).register_forward_hook(report(name)) for name in parts]
out = net(x_t, t)
for hook in hooks:
    hook.remove()
print(f"the untrained guess of v is 0 everywhere: {not out.any()}")

# %%
figures.show_source(networks.UNet.forward)

# %% [markdown]
# `skips` is a stack: what was put on it last is taken off first, so each block gets its own skip. `_embedding` adds the label's
# embedding to that of $t$, `_shown` may add finer waves of the pixels, and `pixel_head` knows of gray levels: later chapters need these.
# `pixel_unshuffle` comes up below.
#
# The last convolution starts at 0 too, so the first guess of v is 0. **Predict.** Which weights get a gradient in the very first training
# step?
#
# <details><summary>Answer</summary>
#
# Those of the last convolution only: everything before it is multiplied by its zeros. In the second step the blocks' last
# convolutions follow, and from the third on all weights learn. A start at 0 costs two steps.
#
# </details>

# %%
adam, x_0 = training.adam(net, lr=3e-3), train[:32]
for step in (1, 2, 3):
    loss = losses.simple(schedule, net, "v", x_0, when[:32], noise[:32]).mean()
    adam.zero_grad()
    loss.backward()
    adam.step()
    learn = sum(p.numel() for p in net.parameters() if p.grad.any())
    print(f"step {step}: {learn:,} of {sum(p.numel() for p in net.parameters()):,} weights have a "
          f"gradient")

# %% [markdown]
# ### Against the MLP
#
# The same 100 digits as in the beginning; 300 steps of 32 digits, where the MLP had 1200 steps of 64. **Predict:** will the U-Net memorize less?

# %%
of_unet = fit(networks.build(networks.UNet, seed=0, width=16, mults=(1, 2)), few, 300, look=look,
              new=test)

# %%
fig, axes = figures.new(1, 2, height=2.9, sharey=True)
for ax, which, title in zip(axes, (0, 1), ("its own 100 digits", "new digits")):
    for (name, seen), color, dash in zip((("MLP", of_mlp), ("U-Net", of_unet)),
                                         (figures.BLUE, figures.RED), ("-", "--")):
        ax.plot(list(seen), [v[which] for v in seen.values()], dash, color=color, label=name)
    ax.set(xlabel="training step", title=f"loss on {title}", xscale="log")
axes[0].set_ylabel("loss of v")
axes[0].legend()
figures.show(fig, alt="On own digits both get equally low; on new ones only the U-Net does.")
for name, seen in (("MLP", of_mlp), ("U-Net", of_unet)):
    step, (own, new) = max(seen.items())
    print(f"{name:>5}, step {step:4}: own digits {own:.3f}, new digits {new:.3f}, "
          f"gap {new - own:.3f}")
print(f"weights: MLP {sum(p.numel() for p in mlp.parameters()):,}, "
      f"U-Net {sum(p.numel() for p in net.parameters()):,}")

# %% [markdown]
# On their own digits both end close together, at 0.327 and 0.321. On new digits the MLP has 0.365, the U-Net 0.331. What the U-Net learns from a hundred digits holds for
# others: its weights serve all places alike, so it can learn less about one place of one digit only. It has seen an eighth as
# many examples, and has fewer weights.
#
# ## 8 · Take each part out
#
# Notes and papers recommend many things: concatenate, no, sum; group norm, never batch norm; waves, or a learned table. Most of them
# give no number. Here is a race: 100 steps on all 896 training digits, judged on new digits, **one** choice changed at a time. Each is
# run with three seeds (other first weights, other batches, other noise): a difference smaller than that between seeds means nothing.
#
# Two choices need a word. *Table of t*: instead of waves, one row of 16 numbers for each $t$, random at the start and learned.
# *Attention*: each point of the coarse grid looks at all others. And three need surgery.

# %%
figures.show_source(ablation.cut_skips)
figures.show_source(ablation.hide_time)

# %%
figures.show_source(ablation.no_zero_init)

# %% [markdown]
# One more choice: **pixel-unshuffle**. Each square of 2 × 2 pixels becomes one point with four channels. Nothing
# is lost, and every layer has a quarter of the points to work on.
#
# ### Exercise 12.5 · Pixel-unshuffle by reshape
#
# Make (B, C, H, W) into (B, C p², H/p, W/p): the p² pixels of each square become channels, row by row. With several channels, the p² that
# come from the first one stand first, then those from the second. Split axes by `reshape`, put them into order by `permute`, and join them
# by `reshape`. (`reshape` alone tears images apart, without any error: a bug that many have had.)

# %% tags=["exercise"]
def my_unshuffle(x, p):
    """Return (B, C p^2, H/p, W/p): the squares of p x p pixels as channels."""
    ### BEGIN SOLUTION
    b, c, h, w = x.shape
    squares = x.reshape(b, c, h // p, p, w // p, p)
    return squares.permute(0, 1, 3, 5, 2, 4).reshape(b, c * p * p, h // p, w // p)
    ### END SOLUTION


unshuffle = check("unet.unshuffle", my_unshuffle)

# %%
four = unshuffle(test[:1], 2)
fig = figures.images(four[0], [f"channel {c}" for c in range(4)], panel=1.2)
figures.show(fig, alt="Four pictures of 4 x 4 pixels, each a coarse version of the same digit.")
print(f"{tuple(test[:1].shape)} -> {tuple(four.shape)}; and back without loss: "
      f"{torch.equal(F.pixel_shuffle(four, 2), test[:1])}")


# %%
def work(**config):
    """Multiplications in all convolutions for one picture, in millions."""
    total, net = [], networks.build(networks.UNet, seed=0, width=16, mults=(1, 2), **config)

    def count(layer, inputs, out):
        total.append(out.numel() * layer.weight[0].numel())  # for each number that leaves: 9 C

    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    net(torch.zeros(1, 1, 8, 8), torch.tensor([1]))
    return sum(total) / 1e6


for name, config in (("as it is", {}), ("unshuffled", {"patch": 2}), ("sum", {"skip": "sum"})):
    print(f"{name:>10}: {work(**config):.2f} million multiplications per picture")

# %% [markdown]
# **Predict**, before you run the race: which change will hurt most? Is there one that does nothing?
#
# <details><summary>Answer</summary>
#
# At the start cut skips and unshuffling hurt most, about equally; if nothing starts at 0, no difference can be seen. The table below has all.
#
# </details>

# %%
CHOICES = ablation.VARIANTS
ONLY_LONG = ("one grid only", "with attention")  # for 1000 steps only
for name, (settings, change, images) in CHOICES.items():
    done = change or images
    print(f"{name:>20}: {settings or ''}{done.__name__ if done else ''}")
figures.show_source(ablation.train_variant)

# %%
short = [name for name in CHOICES if name not in ONLY_LONG]
raced = {name: [ablation.train_variant(name, seed) for seed in range(3)] for name in short}

# %% [markdown]
# The same seed gives every choice the same batches, times and noise. So compare seed by seed: below stands the mean of the three
# *differences* to "as it is", and its standard error, their standard deviation divided by $\sqrt 3$. With three seeds that error is
# itself a rough guess, so believe a difference only if it is four times as large. (Even then, chance alone could say "yes" once in a
# long table; the last line gives the odds.)

# %%
def compare(scores):
    """Print and return name -> (mean difference to the first choice, its standard error)."""
    table, base = {}, torch.tensor(scores["as it is"])
    for name, each in scores.items():
        d = torch.tensor(each) - base
        table[name] = mean, error = d.mean().item(), d.std().item() / len(d) ** 0.5
        shown = round(mean, 3) + 0.0  # + 0.0: never "-0.000"
        line = f"{name:>20}: loss {sum(each) / len(each):.3f}"
        if name != "as it is":
            believe = "yes" if abs(mean) > 4 * error else "no"
            line += f", difference {shown:+.3f} ± {error:.3f}, believe it: {believe}"
        print(line)
    return table


# %%
short = compare({name: [loss for _, loss in each] for name, each in raced.items()})
luck = 1 - 4 / 18**0.5  # chance of Student's t, 2 degrees of freedom, to be beyond 4 or -4
print(f"if a change does nothing, three seeds say 'yes' in {luck:.1%} of all cases")

# %% [markdown]
# A hundred steps say who *starts* well. Who is ahead after a thousand? That takes minutes, so it was done once, by the same
# functions, and stored. `python tools/ablation_unet.py` does it again, and a test repeats one entry.

# %%
stored = json.loads((pretrained.FOLDER / "ablation_unet.json").read_text())
print("steps:", stored["steps"])
long = compare(stored["loss"])
for mults in ((1,), (1, 2)):
    net = networks.build(networks.UNet, seed=0, width=16, mults=mults)
    print(f"{len(mults)} grid(s): {sum(p.numel() for p in net.parameters()):,} weights")

# %%
fig, ax = figures.new(height=3.8)
names = [name for name in reversed(CHOICES) if name != "as it is"]
for table, steps, color, marker, shift in ((short, 100, figures.BLUE, "o", 0.15),
                                           (long, 1000, figures.RED, "s", -0.15)):
    rows = [(k + shift, *table[name]) for k, name in enumerate(names) if name in table]
    place, mean, error = zip(*rows)
    ax.errorbar(mean, place, xerr=[4 * e for e in error], fmt=marker, color=color, capsize=3,
                label=f"after {steps} steps")
ax.axvline(0, color=figures.GRAY, linewidth=1)
ax.set_yticks(range(len(names)), names)
ax.set(xlabel="loss on new digits, minus that of the network as it is; bars: 4 standard errors")
ax.legend()
figures.show(fig, alt="Early, cut skips and unshuffling are far behind; later, all are nearer.")
worst = max(long, key=lambda name: long[name][0])
print(f"largest difference after 1000 steps: {worst}, {long[worst][0]:+.3f}")

# %% [markdown]
# Part by part, with 100 and 1000 steps:
#
# - **Neighbors.** On scrambled pixels the U-Net loses 0.034, later 0.015. It knows something about pictures that is false there. (The MLP
#   could not lose anything.)
# - **Skips.** Without them +0.111, as bad a start as any. Later only +0.016. A likely reason: the middle of this network holds
#   $32 \cdot 4 \cdot 4 = 512$ numbers, room for 64 pixels, once it has learned to pack them. **Summing** instead of concatenating saves 16 % of the work, and costs 0.012 ±
#   0.005, later 0.003 ± 0.001: not more than we decided to believe. A slim net with sums may be a good bargain.
# - **Start at 0:** no difference that could be seen here.
# - **Unshuffling** brings a quarter of the work, and +0.110, later +0.042. With 8 × 8 pixels that is a bad bargain, as only 4 × 4 and 2 × 2 points are
#   left. On large pictures it may be a good one; the same race, at equal *time*, would tell.
# - **One grid only** is behind by 0.009; but it also has fewer weights, 28,801 instead of 110,993, so this alone does not say which of the two it lacks.
#   **Attention** changes nothing that could be seen on so small a grid: 0.000.
# - **Batch norm** makes no difference that we believe. The next section is about it.
# - **Being told t** is worth about 0.020. And the **table** of t has after 100 steps the loss of a network that is told nothing, 0.394 (its seeds differ too
#   much to believe the difference yet; after 1000 steps, +0.017, we do). Why?

# %%
def v_loss(net, t, say=None):
    """Loss on new digits at times t, if the network is told the times `say` (the true ones)."""
    x_0, eps, say = test[: len(t)], noise[: len(t)], t if say is None else say
    with torch.no_grad():
        return losses.simple(schedule, lambda x_t, t: net(x_t, say), "v", x_0, t, eps).mean().item()


# %%
# claim: E87
for name in ("as it is", "table of t"):
    right = sum(v_loss(net, when) for net, _ in raced[name]) / 3
    wrong = sum(v_loss(net, when, 1001 - when) for net, _ in raced[name]) / 3
    print(f"{name:>10}: loss when told t {right:.3f}, when told 1001 - t instead {wrong:.3f}")
fresh = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2), time="table")
before = fresh.time_embedding.table
after = raced["table of t"][0][0].time_embedding.table
still = (before.weight == after.weight).all(dim=1)[1:].sum()  # row t belongs to time t
print(f"rows of the table that 100 steps of 32 never moved: {still} of 1000; expected, if a row "
      f"moves when its time is drawn: {1000 * (1 - 1 / 1000) ** 3200:.0f}")

# %% [markdown]
# "A learned table and waves of t work alike", some say. At this length they do not. The wave network is lost when told a wrong time, 0.593. The table
# network does not notice, 0.395: it has not learned to use $t$, and judges the noise from the picture as well as it can. In 100 steps of 32 each row is drawn
# three times on average, and 42 rows *never*: what those say is what they said by chance at the start. Waves are alike for neighbors
# in time, so what is learned at $t = 500$ also serves 501, drawn or not. After 1000 steps the table is still 0.017 behind. With the 800,000
# steps of [Ho20] every row is seen often enough, and the two may well be alike; we have not tried.

# %% [markdown]
# ## 9 · Batch norm
#
# Batch norm is the norm of image classifiers. It takes mean and variance of a channel over the **batch**; during training it also keeps running
# means of both, and `net.eval()` makes it use these instead. Why is it so often advised against here?
#
# **Predict.** In training a batch mixes all times. In sampling all items have the *same* time. What happens to a norm that was made
# for a mix?
#
# <details><summary>Answer</summary>
#
# It depends on the mode. With the running means (`eval`) each item is treated as in the mix, whatever its companions are. In training mode the
# statistics are those of a single noise level, which the network has never met.
#
# </details>
#
# First the reason: how loud is one layer's input at each $t$, compared with the running variance that serves all of them?

# %%
net, heard, times = raced["batch norm"][0][0].eval(), [], (1, 50, 100, 200, 300, 500, 700, 1000)
norm = net.down[0][0].norm_2
hook = norm.register_forward_hook(lambda layer, inputs, out: heard.append(inputs[0].var((0, 2, 3))))
for t in times:
    with torch.no_grad():
        net(forward.noised(schedule, test[:900], t, noise), torch.full((900,), t))
hook.remove()
ratio = torch.stack(heard) / norm.running_var  # (8 times, 16 channels)
for t, each in zip(times, ratio):
    print(f"t = {t:4}: variance / running variance: smallest {each.min():.2f}, "
          f"median {each.median():.2f}, largest {each.max():.2f}")

# %%
fig, ax = figures.new(height=2.7)
ax.plot(times, ratio, color=figures.BLUE, linewidth=0.8)
ax.axhline(1, color=figures.GRAY, linestyle="--")
ax.set(xlabel="time t, steps", ylabel="variance / running variance")
figures.show(fig, alt="16 curves, one per channel; most are far below 1 at t = 1, above 1 later.")
print(f"channels that are quieter at t = 1 than the running variance says: "
      f"{int((ratio[0] < 1).sum())} of 16")

# %% [markdown]
# What a layer hears at $t = 1$ has, in the median channel, 0.59 of the running variance; in the extreme one 0.28. At $t = 1000$ the median is 1.10. No
# single variance fits all times. Now the two modes:

# %%
def in_training_mode(net, t, size):
    """Loss at times t when batch norm uses the batch at hand; batches of `size`."""
    net, each = copy.deepcopy(net).train(), []  # a copy: looking changes the running means
    with torch.no_grad():
        for rows in torch.arange(len(t)).split(size):
            each.append(losses.simple(schedule, net, "v", test[rows], t[rows], noise[rows]))
    return torch.cat(each).mean().item()


# %%
# claim: E24
like = when.sort().values  # 30 neighbors in this list are nearly one time
cases = {"30 items, mixed t": (when, 30), "30 items, like t": (like, 30),
         "one item": (when[:99], 1)}
for name in ("as it is", "batch norm"):
    nets = [net.eval() for net, _ in raced[name]]
    for case, (t, size) in cases.items():
        more = torch.tensor([in_training_mode(net, t, size) - v_loss(net, t) for net in nets])
        mean = round(more.mean().item(), 3) + 0.0  # + 0.0: never "-0.000"
        print(f"{name:>10}, {case:>17}: loss in training mode minus loss in eval mode "
              f"{mean:+.3f} ± {more.std() / 3**0.5:.3f}")

# %% [markdown]
# The race said: no difference that we could believe, +0.009 ± 0.009 after 100 steps, −0.002 ± 0.001 after 1000. Judged with running means, batch norm
# *denoises as well as group norm* here, as far as three seeds can tell. The danger is the other mode. If all items have nearly one time, as in sampling, the loss rises by 0.045; and by 0.046 for
# an item alone. For group norm all rows are 0.000: it has no modes.
#
# So the advice "never batch norm" is good, but not because such a network cannot learn. It is because its guess for one picture depends on the others
# in the batch unless `eval()` is called, because the running means must fit the weights (an average of weights has none of its own), and
# because large pictures force small batches, with poor statistics. Group norm has none of these worries.
#
# ## 10 · The scale of the loss, and the learning rate
#
# "Sum the squared errors over the pixels. With their mean, training first converges and then diverges." So says a widely read note. Sum and mean differ by
# a factor $n$, the number of pixels. What can a factor do? Let $g$ be the gradient, $\eta$ the learning rate. SGD and Adam take the steps
#
# $$\text{SGD: } w \leftarrow w - \eta\,g, \qquad
# \text{Adam: } w \leftarrow w - \eta\,\frac{m}{\sqrt{v} + \text{eps}}, \tag{12.7}$$
#
# where $m$ is a running mean of $g$, and $v$ one of $g^2$ (not the target v of the network; both divided by $1 - \text{decay}^\text{step}$, because they start at 0). `eps` is a small constant
# against a division by 0, by default $10^{-8}$; it has nothing to do with the noise.

# %%
# eq: 12.7
slopes = normal_like(torch.empty(5, dtype=torch.float64), generator=seeded(9))  # five gradients
w = nn.Parameter(torch.zeros((), dtype=torch.float64))
adam, by_hand, m, v = torch.optim.Adam([w], lr=0.1, eps=1e-3), 0.0, 0.0, 0.0
for step, g in enumerate(slopes, start=1):
    w.grad = g.clone()
    adam.step()
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    by_hand -= 0.1 * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-3)
print(f"after 5 steps: torch {w.item():.6f}, (12.7) by hand {by_hand.item():.6f}")

# %% [markdown]
# ### Exercise 12.6 · The same run with a sum
#
# With the **mean** over n pixels you have used SGD at rate `lr_sgd`, and Adam at rate `lr_adam` with its `eps`. Now the loss becomes the **sum**, n times as
# large. Return three numbers, the rate for SGD and the rate and the eps for Adam, that repeat the old runs step by step.

# %% tags=["exercise"]
def my_same_run(n, lr_sgd, lr_adam, eps):
    """Return (rate for SGD, rate for Adam, eps for Adam) for the sum."""
    ### BEGIN SOLUTION
    return lr_sgd / n, lr_adam, n * eps
    ### END SOLUTION


same_run = check("unet.same_run", my_same_run)

# %%
def descend(optimizer, scale, steps=40, **options):
    """A bare loop: no clipping, one rate; the loss on new digits, and the last weights."""
    net = networks.build(networks.UNet, seed=0, width=16, mults=(1,))  # one grid: faster
    how, rng = optimizer(net.parameters(), **options), seeded(10)
    batches = datasets.batches(train, 32, generator=rng)
    for _ in range(steps):
        x_0, t = next(batches), torch.randint(1, 1001, (32,), generator=rng)
        eps = normal_like(x_0, generator=rng)
        loss = scale * losses.simple(schedule, net, "v", x_0, t, eps).mean()
        how.zero_grad()
        loss.backward()
        how.step()
    return loss_on(net, test), nn.utils.parameters_to_vector(net.parameters())


# %%
# claim: E09
SGD, Adam = torch.optim.SGD, torch.optim.Adam
sgd_rate, adam_rate, adam_eps = same_run(64, 0.1, 3e-3, 1e-8)
tried = {  # name: (loss, weights)
    "SGD, mean, rate 0.1": descend(SGD, 1, lr=0.1),
    "SGD, sum, rate 0.1": descend(SGD, 64, lr=0.1),
    "SGD, sum, your rate": descend(SGD, 64, lr=sgd_rate),
    "Adam, mean": descend(Adam, 1, lr=3e-3),
    "Adam, sum": descend(Adam, 64, lr=3e-3),
    "Adam, sum, your eps": descend(Adam, 64, lr=adam_rate, eps=adam_eps),
    "Adam, mean / 768": descend(Adam, 1 / 768, lr=3e-3),
    "Adam, mean / 768, eps 1e-6": descend(Adam, 1 / 768, lr=3e-3, eps=1e-6),
}

# %%
for name, (loss, weights) in tried.items():
    same = [n for n, (_, w) in tried.items() if n != name and torch.equal(w, weights)]
    note = f", same weights to the last bit: {same[0]}" if same else ""
    print(f"{name:>26}: loss on new digits {loss:.3f}{note}")

# %% [markdown]
# SGD does need its rate divided by 64. With the old one it explodes: `nan` means *not a number*. With yours it repeats the run **bit for
# bit** (64 is a power of two, so that no rounding changes). Adam does not care: 0.428 for mean and sum. It divides by the size of the gradient.
#
# What remains is `eps`. Make the gradients 768 times smaller still: the sum over our 64 pixels, divided by $64 \cdot 768 = 49{,}152$. That alone
# changes little, 0.430. With an eps of $10^{-6}$, the default of some optimizers, eps is no longer small beside $\sqrt v$: 0.466, *slower*. But nothing
# diverged in these 40 steps, nor in the runs of 1000 and more in this chapter, all of them with Adam and a mean (there gradients longer
# than 1 are shortened to 1). So a very small loss can slow Adam down; that training must diverge could not be reproduced.
#
# **Predict.** A picture of 128 × 128 pixels in three colors has 49,152 numbers. Is the gradient of their *mean* 768 times smaller than ours?

# %%
fresh = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2))
ablation.no_zero_init(fresh, 0)  # or all gradients but one layer's would be 0
for k in (1, 2, 4):
    x_0 = train[:32].repeat(1, 1, k, k)  # each digit k x k times, side by side
    eps = normal_like(x_0, generator=seeded(16))
    loss = losses.simple(schedule, fresh, "v", x_0, when[:32], eps).mean()
    grads = torch.autograd.grad(loss, [*fresh.parameters()])
    length = sum(g.square().sum() for g in grads).sqrt()
    print(f"{8 * k:2} x {8 * k:2} pixels: length of the mean loss's gradient {length:.2f}")

# %% [markdown]
# No: 16 times as many pixels, and the gradient is no shorter. The weights of a convolution serve all places. Their gradient adds up what all places
# say, and the mean divides by as many. It is the *sum* whose gradient grows with the picture.
#
# ### Optional: 16-bit numbers
#
# There is one more suspect: float16 numbers, in which whatever is smaller than $3 \cdot 10^{-8}$ becomes 0. Which loss can suffer?

# %%
net = raced["as it is"][0][0]
for name, scale in (("sum", 64), ("mean", 1), ("mean / 768", 1 / 768)):
    loss = scale * losses.simple(schedule, net, "v", train[:32], when[:32], noise[:32]).mean()
    grads = torch.autograd.grad(loss, [*net.parameters()])
    g = torch.cat([each.flatten() for each in grads])
    gone = ((g.half() == 0) & (g != 0)).double().mean()  # half: 16 bits, 5 of them for the exponent
    print(f"{name:>10}: {gone:.1%} of the gradient's numbers become 0 in 16 bits")

# %% [markdown]
# For sum and mean next to nothing is lost; for a loss 768 times smaller a quarter of the gradient, 25.3 %. (Hence the *loss scaling* of 16-bit
# training: multiply the loss by a large number, divide the gradient by it afterwards. The other 16-bit format, bfloat16, has no such gap.) Clipping by
# length depends on the scale too, and so does a second loss that is added to the first.
#
# ### And the learning rate?
#
# **Predict.** The same note calls $10^{-4}$ large. Forty steps of Adam at $10^{-4}, 10^{-3}, 10^{-2}, 10^{-1}$: which is best?

# %%
# claim: E23
for rate in (1e-4, 1e-3, 1e-2, 1e-1):
    print(f"Adam at rate {rate:g}: loss on new digits {descend(Adam, 1, lr=rate)[0]:.3f}")

# %% [markdown]
# In 40 steps $10^{-4}$ hardly gets anywhere, 0.724, and $10^{-2}$ is best, 0.386. Large and small are relative: to the network, the batch, the number of steps. [Ho20] took
# $2 \cdot 10^{-4}$ for 32 × 32 pixels (800,000 steps) and $2 \cdot 10^{-5}$ for 256 × 256, with much larger networks. The note itself used $10^{-3}$ with
# LAMB, an Adam that measures its step against the size of each layer's weights, so its rates mean something else. Try a few, ten-fold
# apart, for a minute each.
#
# ## 11 · A real one
#
# Now 1000 steps of 64 digits: all 896 training digits, about 70 times each. Then look at it as chapter 11 did, time by time.

# %%
net = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2))
for step, (own, new) in fit(net, train, 1000, size=64, look=look, new=test).items():
    print(f"step {step:4}: loss on training digits {own:.3f}, on new digits {new:.3f}")

# %% [markdown]
# Is 0.297 good? Chapter 11 compared with the floor. For real digits **nobody knows the floor**. But there are two things to compare with:
#
# - the loss on **new digits**, against that on training digits: the gap is what was memorized, and whatever else sets the two lists apart;
# - the **memory** of chapter 10, the exact denoiser of the 896 training digits (10.2). On *new* digits no denoiser's loss is below the floor, so
#   the memory's is not either: it bounds the floor from above.
#
# **Predict.** At which times will the memory be better than the network on new digits: small, middle, large, never?

# %%
learned = predictions.denoiser(schedule, net.eval(), "v")
memory = ideal_denoisers.dataset_denoiser(train, schedule)


def at(t, denoise, x_0):
    """Loss of v at one time by (9.9), one number for each picture."""
    x_t = forward.noised(schedule, x_0, t, normal_like(x_0, generator=seeded(t)))
    with torch.no_grad():
        miss = denoise(x_t, torch.full((len(x_0),), t)) - x_0
    return (schedule.snr[t] + 1) * miss.square().flatten(1).mean(1)


times = (1, 10, 30, 100, 150, 200, 250, 300, 400, 500, 700, 1000)
who = {"network, training digits": (learned, train), "network, new digits": (learned, test),
       "memory, training digits": (memory, train), "memory, new digits": (memory, test)}
table = {name: [at(t, denoise, x_0) for t in times] for name, (denoise, x_0) in who.items()}

# %%
fig, ax = figures.new(height=3.2)
ys = {name: torch.stack(each).mean(1) for name, each in table.items()}
figures.curves(times, ys, ax=ax, xlabel="time t, steps", ylabel="loss of v")
ax.set_ylim(0, 1)  # the memory's loss on new digits leaves the picture at small t
figures.show(fig, alt="The network's curves agree; the memory's part at t = 400, one down, one up.")
print("   t   network: own    new      memory: own    new")
for t, a, b, c, d in zip(times, *ys.values()):
    print(f"{t:4} {a:14.3f} {b:8.3f} {c:14.3f} {d:8.3f}")
most = max(each.std() / len(each) ** 0.5 for each in table["network, new digits"])
behind = table["network, new digits"][7] - table["memory, new digits"][7]  # the same noise
print(f"standard errors of the network's columns: at most {most:.3f}\nnetwork minus memory, new "
      f"digits, t = {times[7]}: {behind.mean():.3f} ± {behind.std() / len(behind) ** 0.5:.3f}")

# %%
for k in (5, 10):
    own, new = (table[f"network, {which} digits"][k] for which in ("training", "new"))
    error = (own.var() / len(own) + new.var() / len(new)) ** 0.5
    print(f"network, new minus own, t = {times[k]}: {new.mean() - own.mean():.3f} ± {error:.3f}")

# %% [markdown]
# Three ranges. From $t = 500$ on, network and memory agree within 0.005: under so much noise there is next to nothing to memorize, and the memory serves
# new digits almost as well as its own. At $t \le 150$ the memory is hopeless on new digits (812 at $t = 1$, against 0.854): it insists on one of its own 896. There
# the network is what no list can be.
#
# In between, at $t = 250$ to 400, the memory *wins*: 0.231 against 0.251 at $t = 300$. So the floor there is at most 0.231, and our network is 0.021 ± 0.003 or more
# above it. More steps, or a larger network, have something to gain. The network's gap between own and new digits is largest at $t = 200$, 0.014 ± 0.004. At
# $t = 700$, where next to nothing can be memorized, it is 0.005 ± 0.003, so that much may be a difference of the two lists. Little has been memorized.
#
# ### Samples

# %%
made = samplers.sample(schedule, learned, (600, 1, 8, 8), sampler="ddim",
                       times=schedules.timesteps(1000, 50), generator=seeded(11))
near = metrics.nearest(made, train)
row = torch.cat([test[20:30], made[:10], train[near.index[:10]], made[10:20]])
rows = ["real digits", "samples", "nearest training digit", "more samples"]
fig = figures.images(row, columns=10, panel=0.62, row_labels=rows)
figures.show(fig, alt="Samples look like handwritten digits; none is a copy of its nearest one.")
real = metrics.nearest(test, train)
print(f"distance to the nearest training digit: samples {near.distance.mean():.2f} (smallest "
      f"{near.distance.min():.2f}), new real digits {real.distance.mean():.2f}")

# %%
closer = metrics.memorization_test(made, train, test, generator=seeded(12))
print(f"share of samples closer to a training digit than to a new one: {closer.value:.2f} "
      f"± {closer.stderr:.2f}")
for name, x in (("samples", made), ("training digits", train[:600])):
    energy = metrics.energy_distance(x, test)
    print(f"energy distance of {name} to new digits: {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# Digits, most of them. Not copies: they are *farther* from the training digits (2.78) than new real ones are (2.22), and no nearer to those than to new
# ones, 0.53 ± 0.02. And not quite as good as real: too far away, and with an energy distance (chapter 11) to new digits of 0.023 ± 0.007, where real digits have 0.004 ± 0.005. Some strokes end
# in nothing. That was less than half a minute of training, on one core; chapter 13 spends more.
#
# ### Optional: which times to draw?
#
# Chapter 11 asked: some times matter more for samples; could one draw them more often? Yes, and the loss stays the same on average if each term is divided
# by how much more often its time comes. With $p_t$ the probability of $t$ and $L_t$ its loss,
#
# $$\frac1T\sum_t L_t = E_{t \sim p}\!\left[\frac{L_t}{T\,p_t}\right]. \tag{12.8}$$
#
# Chapter 08 won a factor 39 of variance that way, for the bound. **Predict:** how much is it for the plain loss of v? (The best $p_t$
# is in proportion to the root of the mean of $L_t^2$.)

# %%
# eq: 12.8
# claim: E17
t = torch.arange(1, 1001).repeat(9)  # nine digits at every time
x_0 = test.repeat(10, 1, 1, 1)[:9000]
with torch.no_grad():
    eps = normal_like(x_0, generator=seeded(13))
    L = losses.simple(schedule, net, "v", x_0, t, eps).double()
second = L.square().reshape(9, 20, 50).mean((0, 2))  # mean of L² in 20 stretches of 50 times
p = second.sqrt().repeat_interleave(50)
p = (p / p.sum()).repeat(9) / 9  # for each of the 9000 pairs of a digit and a time
drawn = torch.multinomial(p, 100_000, replacement=True, generator=seeded(14))
even = L[torch.randint(9000, (100_000,), generator=seeded(15))]

# %%
draws = {"even": even, "importance": L[drawn] / (9000 * p[drawn]), "no factor": L[drawn]}
for name, each in draws.items():
    print(f"{name:>10}: {each.mean():.3f} ± {each.std() / 100_000**0.5:.4f}, "
          f"variance of one draw {each.var():.4f}")
print(f"all 9000 pairs: {L.mean():.3f}")

# %% [markdown]
# With the factor both are right, and the variance falls from 0.0112 to 0.0080, by 1.4 and not by 39: from $t = 100$ on the loss of v is
# nearly the same at all times. So importance sampling is a trick for losses as uneven as the bound's. Without the factor you get 0.306 instead of 0.296, which is another loss.
#
# ## Recap
#
# A list of pixels is not a picture. The U-Net starts from what is true for all pictures: neighbors matter, everywhere in the same way
# (convolution), the whole matters (a coarse grid), details matter (skips), and the right answer depends on the noise (waves of t in every block). Therefore
# what it learns from a hundred digits holds for others. Which of its details matter, only a race with several seeds can say; and the answer changes with the
# size of the pictures and the number of steps.
#
# **One formula to keep**
#
# $$\text{out} = \text{past}(x) + c_2\big(\sigma\big(n_2(h)\,(1 + \text{scale}_t) + \text{shift}_t\big)\big), \qquad h = c_1(\sigma(n_1(x)))$$
#
# **Popular claims, checked**
#
# | often said | better | shown above |
# |---|---|---|
# | use the sum of the squared errors; with the mean training diverges | Adam does not care; a large eps slows a tiny loss down; SGD needs another rate; no run of Adam diverged | 0.428 twice; 0.466 with eps 1e-6; the same bits with your rates |
# | never batch norm | its loss is as good if `eval()` is called; its training mode is wrong for one time or one item | −0.002 ± 0.001; +0.045, +0.046 |
# | a learned table of times works as well as waves | not in 1000 steps; each time must be drawn often | +0.017; 42 of 1000 rows not moved in 100 steps |
# | sum the skips, leave out attention | a small price at most, on this small grid and in 1000 steps | 0.003 ± 0.001; 0.000 |
# | 1e-4 is a large learning rate | it depends on network, batch and steps | 0.724 at 1e-4, 0.386 at 1e-2 |
# | draw important times more often | only with the factor $1/(T p_t)$, and it gains little for this loss | variance / 1.4, not 39 |
#
# **Exercises:** 12.1 `unet.size` · 12.2 `unet.weights` · 12.3 `unet.time_embedding` · 12.4 `unet.group_norm` · 12.5 `unet.unshuffle` · 12.6 `unet.same_run`
#
# **To think about.** A digit moved by one pixel is still a digit. Is our U-Net's guess for the moved picture the moved guess? Where does that fail? (At the edges,
# because of the padding; and a move by one pixel is no whole number of points on the coarse grid.)
#
# **Before:** [11 · Learning to denoise](11_learning_to_denoise.ipynb) · **Next:**
# [13 · How does it grow up?](13_gpu_training.ipynb)
#
# **Read on:** [Ho20] Appendix B. Ronneberger et al. 2015 for the U-Net, Wu and He 2018 for group norm, Ioffe and Szegedy 2015 for batch norm.
