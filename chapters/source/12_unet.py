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
# memorizing denoiser of [10 · Sampling without learning](10_sampling_without_learning.ipynb). About 70 minutes to read
# and work through; it runs in about 75 seconds.
#
# **In the papers:** [Ho20] Appendix B; U-Nets come from Ronneberger et al. 2015.

# %%
import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from ddpm_lab import datasets, figures, forward, losses, metrics, networks, oracles
from ddpm_lab import predictions, samplers, schedules, training
from ddpm_lab.exercises import check
from ddpm_lab.gaussians import normal_like, seeded

schedule = schedules.linear()
train, test = (datasets.digits(split)[0] for split in ("train", "test"))  # 896 and 901 digits
few = train[:100]

# %% [markdown]
# ## A first look: what is to be guessed
#
# Real data now: handwritten digits, 8 × 8 pixels from −1 (paper) to 1 (ink). A tensor of pictures has four
# axes, (items, channels, height, width); gray pictures have one channel.

# %%
clean, times = test[:8], (100, 200, 300, 500)
noisy = [forward.noised(schedule, clean, t, normal_like(clean, generator=seeded(t))) for t in times]
fig = figures.images(torch.cat([clean, *noisy]), columns=8, panel=0.55,
                     row_labels=["x_0", *[f"x_t, t = {t}" for t in times]])
figures.show(fig, alt="Eight digits, under more and more noise; at t = 500 hardly one can be read.")
for t in times:
    print(f"t = {t}: {schedule.signal[t]:.2f} of the digit, {schedule.noise[t]:.2f} of unit noise")

# %% [markdown]
# We shall need two tools. The first *judges*: the mean loss on 900 pictures, always with the same times and the same
# noise, so that two networks can be compared. The second *trains*: the loop of chapter 11, with the target v and a learning
# rate that falls to 0 (so no average of the weights is needed).

# %%
when = torch.randint(1, 1001, (900,), generator=seeded(1))
noise = normal_like(test[:900], generator=seeded(2))


def loss_on(net, x_0):
    """Mean loss of v on these digits; a shorter list is gone through several times."""
    was = net.training
    net.eval()  # to be judged; this will matter in the section on batch norm
    with torch.no_grad():
        x_0 = x_0.repeat(9, 1, 1, 1)[:900]
        loss = losses.simple(schedule, net, "v", x_0, when, noise).mean().item()
    net.train(was)
    return loss


# %%
def fit(net, x_0, steps, *, size=32, seed=3, look=()):
    """Train on x_0; returns step -> (loss on x_0, loss on new digits) for the steps to look at."""
    rng, seen = seeded(seed), {}
    batches = datasets.batches(x_0, size, generator=rng)
    adam = torch.optim.Adam(net.parameters(), fused=True)  # fused: the same, a little faster
    for step in training.train(schedule, net, batches, kind="v", steps=steps, lr=3e-3,
                               optimizer=adam, generator=rng):
        if step.step in look:
            seen[step.step] = loss_on(net, x_0), loss_on(net, test)
    return seen


look = (10, 30, 100, 200, 300, 400, 600, 800, 1000)
mlp = networks.build(networks.MLP, seed=0, dim=64, width=384, depth=2)  # a picture is 64 numbers
of_mlp = fit(mlp, few, 1000, size=64, look=look)

# %% [markdown]
# The MLP of chapter 11, a bit wider, has now been trained on 100 digits. **Predict.** How does its loss on *new* digits go, compared with
# the loss on its own?

# %%
fig = figures.curves(look, {"on its own 100 digits": [of_mlp[k][0] for k in look],
                            "on new digits": [of_mlp[k][1] for k in look]},
                     xlabel="training step", ylabel="loss of v", height=2.6)
figures.show(fig, alt="The loss on own digits keeps falling; on new digits it levels off.")
for k in (100, 400, 1000):
    print(f"step {k:4}: loss on its own digits {of_mlp[k][0]:.3f}, on new ones {of_mlp[k][1]:.3f}")

# %% [markdown]
# On its own digits it gets better and better, from 0.410 after 100 steps to 0.320 after 1000. On new ones it is at 0.383 after 400 steps
# and gains little after that, 0.367. What it learns late holds for its own 100 digits only: it **memorizes**.
#
# Why does it carry over so little? Here is one reason, and it can be proved. **Predict.** Shuffle the 64 pixels of every
# picture, always in the same order, so that no human could read a digit any more. How much harder is the task for an MLP?
#
# <details><summary>Answer</summary>
#
# Not at all. Its first layer takes any list of 64 numbers. Shuffle the columns of that layer's weights and the rows of the last
# one's in the same order: this twin does on shuffled pictures exactly what the MLP does on proper ones.
#
# </details>

# %%
order = torch.randperm(64, generator=seeded(4))


def scrambled(x):
    """The same pictures, their pixels in another order."""
    return x.flatten(1)[:, order].reshape(x.shape)


fig = figures.images(torch.cat([test[:8], scrambled(test[:8])]), columns=8, panel=0.6)
figures.show(fig, alt="Eight digits, and below them the same pixels in disorder: nothing to read.")
moved = (order != torch.arange(64)).sum()
print(f"{moved} of 64 pixels have moved; mean ink {test.mean():.3f} and {scrambled(test).mean():.3f}")

# %%
x_t, twin = forward.noised(schedule, test[:900], when, noise), copy.deepcopy(mlp)
with torch.no_grad():
    twin.enter.weight[:, :64] = mlp.enter.weight[:, order]  # the pixels; behind them come waves of t
    twin.leave.weight[:], twin.leave.bias[:] = mlp.leave.weight[order], mlp.leave.bias[order]
    far = (twin(scrambled(x_t), when) - scrambled(mlp(x_t, when))).abs().max()
print(f"loss of the MLP on digits {loss_on(mlp, test):.3f}, of its twin on scrambled digits "
      f"{losses.simple(schedule, twin, 'v', scrambled(test[:900]), when, scrambled(noise)).mean():.3f}")
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
# 2,320 weights instead of a million, and they serve pictures of any size. (The price is in the first line of the formula: it can
# use nothing but neighbors.)
#
# ### Exercise 12.1 · How large is the result?
#
# A kernel of `kernel` pixels is moved along a row of `n` pixels with `padding` zeros added at *each* end, in jumps of `stride`.
# At how many places does it fit? Return the whole number (`//` rounds down). It decides what fits on what, and is the commonest reason for an
# error message in a network of your own.

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
fig = figures.images(2 * torch.stack(seen) - 1, ["all strides 1", "one stride of 2"], panel=2.2)
figures.show(fig, alt="32 x 32 pixels; those that count form a small square, then a larger one.")

# %% [markdown]
# One stride of 2 brings 17 columns instead of 11, and the layers after it work on a quarter of the points. So go down to a coarse grid to
# see the whole, and come up again for the details. On the way up each point is copied to a square of 2 × 2 (`F.interpolate`), and a
# convolution smooths the squares.
#
# ## 3 · No detail lost: skips
#
# A 4 × 4 grid cannot say where in its square of pixels a stroke ends. So what was there before the halving is kept, and handed to the
# layer at the same level on the way up, its *twin*. Drawn with the fine grid on top, the way goes down and up like the letter U:
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
# features of them. How many weights does it have, biases included, for `skip` = "concat" and for "sum"? (The larger part of a
# network's weights is in such places.)

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
# `t` has shape (B,), whole numbers; return (B, dim). `t[:, None] * f` multiplies every time with every frequency. (A widely used copy of
# this function zeroes the features of the wrong axis. Nothing stops, the training is only worse.)

# %% tags=["exercise"]
def my_waves(t, dim):
    """Return the features (12.4) of each time, shape (B, dim)."""
    ### BEGIN SOLUTION
    k = torch.arange(dim // 2, dtype=torch.float64)
    angle = t[:, None] * 10_000.0 ** (-k / (dim // 2))
    return torch.cat([angle.sin(), angle.cos()], dim=1)
    ### END SOLUTION


waves_of = check("unet.waves", my_waves)

# %%
# eq: 12.4
t = torch.tensor([1, 2, 500, 501, 1000])
ours = networks.time_embedding(t, 16)
print("the package's function agrees:", torch.allclose(ours.double(), waves_of(t, 16), atol=1e-4))
for a, b in ((0, 1), (2, 3), (0, 4)):
    far = (ours[a] - ours[b]).square().sum()
    print(f"squared distance of t = {t[a]} and {t[b]}: {far:.2f}")

# %% [markdown]
# ## 5 · A calm scale: group norm
#
# Through many layers numbers grow or shrink. A **norm** sets them back: subtract a mean, divide by a standard deviation. Means over *what*?
# **Group norm** takes, for each item by itself, a group of neighboring channels and all points of their grid:
#
# $$\hat x = \frac{x - m_g}{\sqrt{v_g + 10^{-5}}}, \qquad
# m_g, v_g: \text{mean and variance over group } g \text{ of this one item}. \tag{12.5}$$
#
# One group of all channels is *layer norm*, one group per channel is *instance norm*. **Batch norm** is the odd one out: it takes each channel, over all
# items of the *batch*. Keep that in mind for later.
#
# ### Exercise 12.4 · Group norm by hand
#
# `x` is (B, C, H, W); neighboring channels form `groups` groups of C / groups. Hint: `x.reshape(B, groups, -1)` puts each group into one row;
# `mean(dim=2, keepdim=True)` and `var(dim=2, keepdim=True, correction=0)` average it; reshape back at the end.

# %% tags=["exercise"]
def my_normed(x, groups):
    """Return x with mean 0 and variance 1 in each group of each item, as in (12.5)."""
    ### BEGIN SOLUTION
    rows = x.reshape(len(x), groups, -1)
    mean, var = rows.mean(2, keepdim=True), rows.var(2, keepdim=True, correction=0)
    return ((rows - mean) / (var + 1e-5).sqrt()).reshape(x.shape)
    ### END SOLUTION


normed = check("unet.normed", my_normed)

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
# - $\text{scale}_t$ and $\text{shift}_t$, one number each for every channel, come out of a linear layer that is fed the waves of $t$. So
#   $t$ can turn a feature up, down, or off.
# - $c_2$ starts with all weights 0: an untrained block changes nothing.

# %%
figures.show_source(networks._Block.forward)

# %%
# eq: 12.6
net = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2))
block, rng = net.down[0][0], seeded(7)
nn.init.normal_(block.conv_2.weight, generator=rng)  # wake it up for the check
x, about = (normal_like(torch.empty(s), generator=rng) for s in ((2, 16, 8, 8), (2, 64)))
with torch.no_grad():
    h = F.conv2d(F.silu(normed(x, 8)), block.conv_1.weight, block.conv_1.bias, padding=1)
    both = F.silu(about) @ block.about.weight.T + block.about.bias  # (2, 32): 16 scales, 16 shifts
    scale, shift = both[:, :16, None, None], both[:, 16:, None, None]
    h = F.silu(normed(h, 8) * (1 + scale) + shift)
    by_hand = x + F.conv2d(h, block.conv_2.weight, block.conv_2.bias, padding=1)
    print("(12.6) agrees:", torch.allclose(block(x, about), by_hand, atol=1e-3))
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
        f"{name:>8}: {str(tuple(inputs[0].shape)):>14} -> {tuple(out.shape)}"
    )


net = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2))
x_t, t = torch.zeros(5, 1, 8, 8), torch.full((5,), 10)
parts = ("enter", "down.0.0", "shrink.0", "down.1.0", "middle", "up.1.0", "grow.0", "up.0.0", "leave")
hooks = [net.get_submodule(name).register_forward_hook(report(name)) for name in parts]
out = net(x_t, t)
for hook in hooks:
    hook.remove()
print(f"the untrained guess of v is 0 everywhere: {not out.any()}")

# %%
figures.show_source(networks.UNet.forward)

# %% [markdown]
# `seen` is a stack: what was put on it last is taken off first, so each block gets its own twin. The lines about `label` and `waves`
# belong to later chapters: a network may be told which digit to draw, and may be shown finer waves of the pixels. `pixel_unshuffle`
# comes up below.
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
# Same 100 digits as in the first picture, 300 steps of 32 digits, where the MLP had 1000 steps of 64. **Predict:** will it memorize less?

# %%
of_unet = fit(networks.build(networks.UNet, seed=0, width=16, mults=(1, 2)), few, 300, look=look)

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

# %% [markdown]
# On their own digits both end at 0.32. On new digits the MLP has 0.367, the U-Net 0.331: what the U-Net learns from a hundred digits holds for
# others, because it can hardly learn anything that is not about neighbors. It needed a seventh of the examples, and has fewer weights.
#
# ## 8 · Take each part out
#
# Notes and papers recommend many things: concatenate, no, sum; group norm, never batch norm; waves, or a learned table. Most of them give no
# number. Here is a race: the same 100 steps on all 896 training digits, judged on new digits, one choice changed at a time. Each with
# three seeds (other first weights, other batches, other noise), because a difference smaller than that between seeds means nothing.
#
# First, two pieces of surgery: a net whose skips hand over zeros, and one where nothing starts at 0.

# %%
def cut(net, seed):
    """Replace what a twin hands over by zeros; everything else stays, even the shapes."""
    def forget(block, inputs):
        up, twin = inputs[0].chunk(2, dim=1)  # the two halves of the channels
        return torch.cat([up, 0 * twin], dim=1), inputs[1]
    for level in net.up:
        for block in level:
            block.register_forward_pre_hook(forget)


def awake(net, seed):
    """Convolutions that start at 0 start like all others: even draws, width by what enters."""
    rng = seeded(seed)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d) and not layer.weight.any():
            k = layer.weight[0].numel() ** -0.5
            nn.init.uniform_(layer.weight, -k, k, generator=rng)


# %% [markdown]
# And one choice that has not been explained: **pixel-unshuffle**. Each square of 2 × 2 pixels becomes one point with four channels. Nothing is lost, and every
# layer has a quarter of the points to work on.
#
# ### Exercise 12.5 · Pixel-unshuffle by reshape
#
# Make (B, C, H, W) into (B, C p², H/p, W/p). The p² pixels of a square become channels in reading order. Hint: split the height into
# (H/p, p) and the width into (W/p, p) by `reshape`, bring the axes into the right order by `permute`, and `reshape` again. (It teaches what `reshape` can
# and cannot do; `reshape` alone scrambles pictures without an error, a well-known bug.)

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
fig = figures.images(four[0], [f"channel {c}" for c in range(4)], panel=1.3)
figures.show(fig, alt="Four pictures of 4 x 4 pixels, each a coarse version of the same digit.")
print(f"{tuple(test[:1].shape)} -> {tuple(four.shape)}; and back without loss: "
      f"{torch.equal(F.pixel_shuffle(four, 2), test[:1])}")


def work(**config):
    """Multiplications in all convolutions for one picture, in millions."""
    total, net = [], networks.build(networks.UNet, seed=0, width=16, mults=(1, 2), **config)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda l, i, out: total.append(out.numel() * l.weight[0].numel()))
    net(torch.zeros(1, 1, 8, 8), torch.tensor([1]))
    return sum(total) / 1e6


print(f"millions of multiplications per picture: {work():.2f} as it is, "
      f"{work(patch=2):.2f} with pixel-unshuffle, {work(skip='sum'):.2f} with summed skips")

# %%
CHOICES = {  # name: (what the network is made with, what is done to it)
    "as it is": ({}, None),
    "skips cut": ({}, cut),
    "skips summed": ({"skip": "sum"}, None),
    "table of t": ({"time": "table"}, None),
    "nothing starts at 0": ({}, awake),
    "pixel-unshuffle": ({"patch": 2}, None),
    "batch norm": ({"norm": "batch"}, None),
    "pixels scrambled": ({}, None),
}


def race(name, seed, steps=100):
    """The network after so many steps, and its loss on new digits."""
    config, change = CHOICES[name]
    net = networks.build(networks.UNet, seed=seed, **{"width": 16, "mults": (1, 2), **config})
    if change:
        change(net, seed)
    ours, new = (map(scrambled, (train, test)) if name == "pixels scrambled" else (train, test))
    fit(net, ours, steps, seed=seed + 10)
    return net, loss_on(net, new)


# %%
raced = {name: [race(name, seed) for seed in range(3)] for name in CHOICES}

# %% [markdown]
# The same seed gives every choice the same batches, times and noise. So compare seed by seed: the mean of the three *differences* to "as it
# is", and its standard error, their standard deviation divided by $\sqrt 3$. With three seeds that error is itself a rough guess; believe a
# difference that is four times as large.

# %%
def compare(scores):
    """name -> (loss, mean difference to the first, its standard error); printed."""
    table = {name: torch.tensor(each) for name, each in scores.items()}
    base = table["as it is"]
    for name, each in table.items():
        d = each - base
        mean, error = d.mean().item(), d.std().item() / len(d) ** 0.5
        verdict = "-" if name == "as it is" else "yes" if abs(mean) > 4 * error else "no"
        print(f"{name:>25}: {each.mean():.3f}   {mean:+.3f} ± {error:.3f}   believe it: {verdict}")
        table[name] = (each.mean().item(), mean, error)
    return table


print(f"{'after 100 steps':>25}:  loss  difference")
short = compare({name: [loss for _, loss in each] for name, each in raced.items()})
