# %% [markdown]
# # 12 · Which network denoises images?
#
# In chapter 11 a small multilayer perceptron learned to denoise points in a plane. An image is a point too, with one
# coordinate for each pixel, so the same network should work. It does, but badly. What goes wrong, and what does a
# network for images know from the start that the perceptron has to learn?
#
# **After this chapter you can**
#
# - say what each part of a U-Net is for, and follow the shapes through it,
# - write its time embedding and its normalization,
# - run an ablation, and say whether a difference is larger than the variation between seeds,
# - judge a denoiser of real images, for which nobody knows the lowest possible loss.
#
# **You need** the training loop and the loss of v from [11](11_learning_to_denoise.ipynb), and for section 10 the exact
# denoiser of a list of images from the beginning of [10](10_sampling_without_learning.ipynb). If you know convolutional
# networks, go to section 4.
#
# **Time:** about {road} minutes; the detours, which nothing later needs, add {detours}. The notebook runs in
# about 70 seconds, on a CPU.
#
# **For what comes next:** 12b uses sections 1 to 7; 13 uses sections 7 and 9.
#
# **In the papers:** [Ho20] Appendix B; the U-Net comes from [Ron15] Ronneberger et al. 2015.

# %%
import copy
import json
import math

import torch
import torch.nn.functional as F
from torch import nn

from ddpm_lab import datasets, forward, ideal_denoisers, losses, metrics, networks
from ddpm_lab.course import ablation, diagrams, explorers, figures
from ddpm_lab import predictions, samplers, schedules, training
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import pretrained

schedule = schedules.linear()
train, test = (datasets.digits(split)[0] for split in ("train", "test"))  # 896 and 901 digits
few = train[:100]

# %% [markdown]
# ## A first look: digits, and the network of chapter 11
#
# From now on the data are real: handwritten digits of 8 × 8 pixels, from −1 (paper, shown black) to 1 (ink, shown
# white). A batch of images has four axes, (items, channels, height, width); gray images have one channel.

# %%
clean, times = test[:8], (100, 200, 300, 500)
noisy = [forward.noised(schedule, clean, t, normal_like(clean, generator=seeded(t))) for t in times]
fig = figures.images(torch.cat([clean, *noisy]), columns=8, panel=0.55,
                     row_labels=["x_0", *[f"x_t, t = {t}" for t in times]])
figures.show(fig, alt="Eight digits under more and more noise; hardly any can be read at t = 300.")
for t in times:
    print(f"t = {t}: {schedule.signal[t]:.2f} of the digit, {schedule.noise[t]:.2f} of unit noise")

# %% [markdown]
# Two functions are used throughout this chapter. `loss_on` *judges* a network by its mean loss on 900 images, always
# with the same times and the same noise, so that two networks can be compared. `fit` *trains* it: the loop of chapter
# 11, with the target v and a learning rate that falls to 0.
#
# The first candidate is the multilayer perceptron (MLP) of chapter 11, a bit wider, trained on only 100 digits.
#
# **Predict.** How does its loss on *new* digits develop, compared with the loss on its own 100, those it is trained on?

# %%
figures.show_source(ablation.loss_on)
figures.show_source(ablation.fit)
when, noise = ablation.TIMES, ablation.NOISE
loss_on, fit = ablation.loss_on, ablation.fit
look = (10, 30, 100, 200, 300, 400, 600, 800, 1000, 1200)
mlp = networks.build(networks.MLP, seed=0, dim=64, width=256, depth=2)  # an image is 64 numbers
of_mlp = fit(mlp, few, 1200, size=64, look=look, new=test)

# %%
fig = figures.curves(look, {"on its own 100 digits": [of_mlp[k][0] for k in look],
                            "on new digits": [of_mlp[k][1] for k in look]},
                     xlabel="training step", ylabel="loss of v", height=2.6)
figures.show(fig, alt="The loss on own digits keeps falling; on new digits it levels off.")
for k in (100, 600, 1200):
    print(f"step {k:4}: loss on its own digits {of_mlp[k][0]:.3f}, on new ones {of_mlp[k][1]:.3f}")

# %% [markdown]
# On its own digits the loss keeps falling, from 0.425 to 0.356 to 0.327. On new digits the second half of the
# training lowers it only from 0.381 to 0.365. The gap between the two widens: more and more of what the network
# learns holds only for its own 100 digits. It is beginning to overfit.
#
# Why does part of what it learns hold for its own digits only? One reason can be proved. Shuffle the 64 pixels of
# every image, always in the same way, so that nobody could read a digit anymore.
#
# **Predict.** How much harder is the task for an MLP?

# %%
order, scrambled = ablation.ORDER, ablation.scrambled  # one fixed order of the 64 pixels
fig = figures.images(torch.cat([test[:8], scrambled(test[:8])]), columns=8, panel=0.6)
figures.show(fig, alt="Eight digits, and below them the same pixels in disorder: nothing to read.")
x_t, twin = forward.noised(schedule, test[:900], when, noise), copy.deepcopy(mlp)
with torch.no_grad():
    twin.proj_in.weight[:, :64] = mlp.proj_in.weight[:, order]  # 64 pixels; then the embedding of t
    twin.proj_out.weight[:] = mlp.proj_out.weight[order]
    twin.proj_out.bias[:] = mlp.proj_out.bias[order]
    far = (twin(scrambled(x_t), when) - scrambled(mlp(x_t, when))).abs().max()
print(f"{(order != torch.arange(64)).sum()} of 64 pixels have moved")
print("largest difference of their outputs below 0.0001:", bool(far < 1e-4))

# %% [markdown]
# It is not harder at all. Shuffle the columns of the first layer's weights and the rows of the last layer's in the
# same order, and this twin network does to shuffled images exactly what the MLP does to the original ones. Its
# initial weights are just as likely, too, so training finds it as easily.
#
# For an MLP an image is a list. It would have to learn from examples that neighboring pixels belong together, and
# that a stroke farther to the right is still the same stroke. A network for images should *start* with such
# knowledge. It should
#
# 1. combine **neighbors**, in the same way everywhere;
# 2. see **far enough** to tell a 3 from an 8;
# 3. lose **no detail** on the way;
# 4. know **how noisy** its input is.
#
# The **U-Net** has one part for each. We build it up, and then take the parts out again, one at a time.

# %% [markdown]
# ## 1 · Convolution: the same weights everywhere
#
# A **convolution** computes each new pixel from the 3 × 3 pixels around the old one, with the same weights
# everywhere. If $C$ channels come in, output channel (or **feature**) $c$ at row $i$, column $j$ is
#
# $$y_{c,i,j} = b_c + \sum_{c'=1}^{C}\;\sum_{p=0}^{2}\sum_{q=0}^{2} W_{c,c',p,q}\; x_{c',\,i+p-1,\,j+q-1}, \tag{12.1}$$
#
# where pixels outside the image count as 0 (**padding**). The weights $W$, called the **kernel**, and the biases $b$
# are learned; nothing in them depends on $i$ and $j$.

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
for layer in (nn.Linear(16 * 64, 16 * 64), nn.Conv2d(16, 16, 3, padding=1)):
    print(f"16 features of an 8 x 8 grid to 16 others, {type(layer).__name__:>6}: "
          f"{sum(p.numel() for p in layer.parameters()):,} weights")

# %% [markdown]
# 2,320 weights instead of a million, and they work for images of any size. The price is that one layer combines only
# neighbors. A step of 2 pixels from one output to the next, a **stride** of 2, makes the output half as high and wide.

# %% [markdown]
# ### Detour · How large is the output?
#
# Kernel, stride and padding decide which layers fit together, and which sizes of images a network accepts.

# %% [markdown]
# #### Exercise 12.1 · The size of the output
#
# A kernel of `kernel` pixels moves along a row of `n` pixels, with `padding` zeros added at *each* end, in steps of
# `stride`. In how many places does it fit? Return a whole number (`//` rounds down).

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
# With padding 1, 8 pixels stay 8, and a stride of 2 makes 4 of them. But 7 pixels also become 4, and doubling the grid
# again gives 8, not 7. That is why a U-Net wants sides that can be halved without a remainder.

# %% [markdown]
# ## 2 · Receptive field: how far does it see?
#
# The **receptive field** of an output is the part of the input it depends on. One convolution sees 3 pixels across,
# two see 5: each layer adds 2. That is slow. After a convolution with stride 2, though, one step on the new grid is
# two pixels of the old one. With kernels $k_i$ and strides $s_i$
#
# $$\text{width of the receptive field} = 1 + \sum_i (k_i - 1) \prod_{j < i} s_j. \tag{12.3}$$
#
# **Predict.** Five convolutions with kernel 3 see 11 pixels. If the second of them has stride 2, how many do the five
# see?

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
    width = 1 + sum(2 * math.prod(strides[:k]) for k in range(5))
    print(f"strides {strides}: depends on {int((x.grad[0, 0].sum(0) > 0).sum())} columns, "
          f"(12.3) says {width}")
fig = figures.images(2 * torch.stack(seen) - 1, ["all strides 1", "one stride of 2"], panel=1.8)
figures.show(fig, alt="32 x 32 pixels; those that count form a small square, then a larger one.")

# %% [markdown]
# The first two layers add 2 each, the other three add 4 each: $1 + 2 + 2 + 4 + 4 + 4 = 17$ columns instead of 11. And
# these three work on a quarter of the positions, so they are also cheaper.
#
# This suggests going to a coarser grid to see the whole (**downsampling**) and coming back to the fine grid for the
# details (**upsampling**). To upsample, copy each position to a square of 2 × 2 (`F.interpolate`), and let a
# convolution smooth the squares.

# %% [markdown]
# ## 3 · Skip connections: no detail is lost
#
# A 4 × 4 grid cannot say where within its square of pixels a stroke ends. So the features from the way down are kept,
# and each block on the way up also receives those from its own resolution: a **skip connection**. Drawn with the fine
# grid on top, the network has the shape of a U. This is ours, with 16 channels at 8 × 8 and 32 at 4 × 4.

# %%
net = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2))
fig = diagrams.unet(net, side=8)
figures.show(fig, alt="A U-Net: two resolutions, 8 x 8 and 4 x 4, with a skip connection at each.")
print(f"{sum(p.numel() for p in net.parameters()):,} weights")

# %% [markdown]
# The blocks on the way up receive twice as many channels as they return: at 4 × 4, 32 from the middle block and 32
# from the skip connection; at 8 × 8, 16 + 16. They are **concatenated** (the channels of both are stacked), as in
# [Ho20]; one can also add them.

# %% [markdown]
# ### Detour · What does concatenation cost?
#
# Adding is cheaper. By how much? Section 8 will say what it costs in quality.

# %% [markdown]
# #### Exercise 12.2 · Count the weights
#
# On the way up, `wide` features come from below and `wide` from the skip. The block's first 3 × 3 convolution makes
# `wide` features of them. How many weights does it have, biases included, for `skip` = "concat" and for "sum"?

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
    each = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2), skip=skip)
    counted = [sum(p.numel() for p in part.parameters()) for part in (each.up[0][0].conv_1, each)]
    print(f"{skip}: {weights_of(16, skip):,} by your count, {counted[0]:,} in the network; "
          f"the whole network has {counted[1]:,}")

# %% [markdown] topics="C182"
# ## 4 · The time embedding: how noisy is it?
#
# Chapter 11 showed why the network needs $t$ as an input, and that sines and cosines carry it well. This is the
# **sinusoidal position embedding** of [Vas17], which [Ho20] uses for $t$. With $d$ features, it is
#
# $$\big[\sin(t f_0), \dots, \sin(t f_{d/2-1}),\; \cos(t f_0), \dots, \cos(t f_{d/2-1})\big],
# \qquad f_k = 10000^{-k/(d/2)}. \tag{12.4}$$
#
# (Ho et al.'s code divides $k$ by $d/2 - 1$ instead, a small difference.)
#
# ### Exercise 12.3 · Write the embedding
#
# `t` has shape (B,), whole numbers. Return shape (B, dim), without a loop: every time is multiplied by every
# frequency. This is all that the network will know about $t$.

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
# Neighboring times have similar embeddings wherever they are (1.03 between 1 and 2, and between 500 and 501); distant
# times do not (11.48). So what is learned at one time helps at the times around it.

# %% [markdown] topics="C181"
# ## 5 · Group normalization: a stable scale
#
# Through many layers, numbers grow or shrink. A normalization layer resets them: subtract a mean, divide by a standard
# deviation. A mean over *what*? **Group normalization** (group norm) takes, for each item separately, a group of
# neighboring channels and all their pixels:
#
# $$\hat x = \frac{x - m_g}{\sqrt{v_g + 10^{-5}}}, \qquad
# m_g, v_g: \text{mean and variance over group } g \text{ of this one item}. \tag{12.5}$$
#
# (`nn.GroupNorm` then gives each channel a learned factor and offset, initially 1 and 0.) A single group with all
# channels is **layer normalization**, and one group per channel is **instance normalization**. **Batch normalization**
# is different: it takes each channel separately, over all items of the *batch*. A detour tests it.
#
# ### Exercise 12.4 · Group norm by hand
#
# `x` is (B, C, H, W); neighboring channels form `groups` groups of C / groups. The variance divides by the number of
# values, not by one less. Which numbers share one mean? How can you bring them into one axis, and back?

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
print("first item times 10: its result changes by less than 0.0001:",
      bool((normed(louder, 4) - normed(x, 4))[0].abs().max() < 1e-4))
print("the other item's result is the same:", torch.equal(normed(louder, 4)[1], normed(x, 4)[1]))

# %% [markdown]
# The scale of an item no longer matters, and no item affects another.

# %% [markdown]
# ## 6 · The residual block
#
# This is the part that the network repeats. With $c_1, c_2$ two convolutions, $n_1, n_2$ two group norms, and
# $\sigma(u) = u / (1 + e^{-u})$ the activation function SiLU (`F.silu`), a **residual block** turns its input $x$ into
#
# $$h = c_1(\sigma(n_1(x))), \qquad
# \text{out} = \text{shortcut}(x) + c_2\big(\sigma\big(n_2(h)\,(1 + \text{scale}_t) + \text{shift}_t\big)\big). \tag{12.6}$$
#
# - The **shortcut** is $x$ itself (or a 1 × 1 convolution, if the number of channels changes): the block learns only a
#   *correction* to it.
# - $\text{scale}_t$ and $\text{shift}_t$, each with one number per channel, come from a linear layer applied to
#   $\sigma(\text{emb})$. Two small layers, shared by all blocks, make `emb` from the time embedding. So $t$ can turn
#   each feature up, down, or off.
# - $c_2$ starts with all weights 0, a **zero initialization**: an untrained block is the identity (or the 1 × 1
#   convolution).

# %%
# eq: 12.6
block, rng = net.down[0][0], seeded(7)
nn.init.normal_(block.conv_2.weight, generator=rng)  # or the correction would be 0
x, emb = (normal_like(torch.empty(s), generator=rng) for s in ((2, 16, 8, 8), (2, 64)))
with torch.no_grad():
    h = F.conv2d(F.silu(normed(x, 8)), block.conv_1.weight, block.conv_1.bias, padding=1)
    both = F.silu(emb) @ block.emb_proj.weight.T + block.emb_proj.bias  # 16 scales, 16 shifts
    scale, shift = both[:, :16, None, None], both[:, 16:, None, None]
    h = F.silu(normed(h, 8) * (1 + scale) + shift)
    by_hand = x + F.conv2d(h, block.conv_2.weight, block.conv_2.bias, padding=1)
    print("(12.6) agrees:", torch.allclose(block(x, emb), by_hand, atol=1e-3))
print(f"numbers about t that each item receives in this block: {both.shape[1]}")

# %% [markdown]
# ## 7 · The whole U-Net
#
# All parts are in place. Larger U-Nets have one more. A convolution combines neighbors, with fixed weights. In
# **self-attention** every position takes a weighted average over *all* positions, with weights that depend on what is
# there. From its features each position computes a **query** (what it looks for), a **key** (what it can be found by)
# and a **value** (what it passes on). Collected as the rows of $Q$, $K$ and $V$, with $d$ numbers per row, the result
# is $\text{softmax}(Q K^\top / \sqrt d)\, V$ [Vas17]. On a grid of $H \times W$ this takes $(HW)^2$ weights, so it is
# used at coarse resolutions only, in [Ho20] at 16 × 16. Our network has none. Section 8 tries it, and
# [12b](12b_build_a_unet.ipynb) builds it, together with the rest of the network.
#
# **What does each block see?** The explorer shows the trained network that comes with the course; it has a third
# resolution, 2 × 2. Choose a block: on the left the input, in the middle four of its features, on the right the
# receptive field of one position.

# %%
explorer = explorers.what_a_block_sees()
print(explorer)
explorer

# %% [markdown]
# Try `conv_in`, the blocks on the way down, and those on the way up. On the way down more and more pixels matter. The
# last block on the way up again depends mostly on what is near: the skip connections bring the details back.

# %% [markdown]
# ### Detour · What does starting at zero cost?
#
# The last convolution of the network is zero-initialized as well, so the first prediction of v is 0 everywhere.

# %% [markdown]
# **Predict.** Which weights have a nonzero gradient in the very first training step?

# %%
net = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2))
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
# Only the 145 weights of the last convolution: everything before it is multiplied by its zeros. In the second step
# the last convolutions of the blocks follow, and everything on the direct path around the blocks' corrections
# (`conv_in`, downsampling, upsampling, shortcuts, the last norm); from the third step on all weights learn. So
# starting at zero costs two steps.

# %% [markdown]
# ### Does it generalize better than the MLP?
#
# The U-Net gets the same 100 digits as the MLP at the beginning, but only 300 steps of 32 digits, where the MLP had
# 1200 steps of 64. Will the gap between its loss on its own digits and on new ones be smaller?

# %%
of_unet = fit(networks.build(networks.UNet, seed=0, width=16, mults=(1, 2)), few, 300, look=look,
              new=test)
both, never = {"MLP": of_mlp, "U-Net": of_unet}, (math.nan, math.nan)
fig, axes = figures.new(1, 2, height=2.9, sharey=True)
for ax, (name, seen) in zip(axes, both.items()):
    own, new = zip(*(seen.get(k, never) for k in look))
    figures.curves(look, {"on its own 100 digits": own, "on new digits": new}, ax=ax, log_x=True,
                   title=name, xlabel="training step", ylabel="loss of v")
figures.show(fig, alt="The MLP's losses on its own and on new digits part; the U-Net's hardly do.")
for name, seen in both.items():
    step, (own, new) = max(seen.items())
    print(f"{name:>5}, step {step:4}: own digits {own:.3f}, new digits {new:.3f}, "
          f"gap {new - own:.3f}")
print(f"weights: MLP {sum(p.numel() for p in mlp.parameters()):,}, "
      f"U-Net {sum(p.numel() for p in net.parameters()):,}")

# %% [markdown]
# On their own digits both end close together, here at 0.327 and 0.321. On new digits the MLP has 0.365 and the U-Net
# 0.331. What the U-Net learns from a hundred digits generalizes better, most likely because the same weights serve all
# places: it has less room to learn what holds only at one place of one digit. And in training it saw only an eighth
# as many noisy images, and it has fewer weights.

# %% [markdown] topics="C183"
# ## 8 · Ablation: take each part out
#
# Concatenate or add? Group norm or batch norm? Sinusoids or a learned table? An **ablation** removes or changes *one*
# part at a time and measures what that costs. Ours trains seven variants, one of them the unchanged baseline, for 100
# steps on all 896 training digits and judges them on new digits. Four more take part only in a longer comparison,
# after 1000 steps. Each variant is trained with three seeds (different initial weights, batches and noise), because a
# difference smaller than that between seeds means nothing.

# %%
VARIANTS = ablation.VARIANTS
ONLY_LONG = ("skips summed", "no zero init", "one resolution", "attention")  # 1000 steps only
for name, (settings, change, images) in VARIANTS.items():
    done = change or images
    print(f"{name:>16}: {settings or ''}{done.__name__ if done else ''}")
figures.show_source(ablation.cut_skips)

# %% [markdown]
# Each row after the first is one change to the baseline, the network drawn in section 3. `cut_skips` replaces what
# comes through the skip connections by zeros; `hide_time` always gives the network $t = 0$; `no_zero_init` starts all
# convolutions at random. *Table of times* replaces the sinusoids by one learned row of 16 numbers for each $t$.
# **Pixel-unshuffle** turns each square of 2 × 2 pixels into one position with four channels: nothing is lost, and
# every layer has a quarter of the positions to work on.

# %% [markdown]
# ### Detour · Pixel-unshuffle by hand
#
# How do you turn pixels into channels without mixing up the image, and how much work does it save?

# %% [markdown]
# #### Exercise 12.5 · Pixel-unshuffle with reshape
#
# Turn (B, C, H, W) into (B, C p², H/p, W/p): the p² pixels of each square become channels, row by row. With several
# channels, the p² from the first one come first, then those from the second. Split axes with `reshape`, reorder them
# with `permute`, and join them with `reshape`. (`reshape` alone scrambles images without any error, a common bug.)

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
figures.show(fig, alt="Four images of 4 x 4 pixels, each a coarse version of the same digit.")
print(f"{tuple(test[:1].shape)} -> {tuple(four.shape)}; and back without loss: "
      f"{torch.equal(F.pixel_shuffle(four, 2), test[:1])}")


# %%
def work(**config):
    """Multiplications in all convolutions for one image, in millions."""
    total, net = [], networks.build(networks.UNet, seed=0, width=16, mults=(1, 2), **config)

    def count(layer, inputs, out):
        total.append(out.numel() * layer.weight[0].numel())  # for each output number: 9 C

    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)  # called whenever the layer has run
    net(torch.zeros(1, 1, 8, 8), torch.tensor([1]))
    return sum(total) / 1e6


for name, config in (("baseline", {}), ("pixel-unshuffle", {"patch": 2}), ("sum", {"skip": "sum"})):
    print(f"{name:>15}: {work(**config):.2f} million multiplications per image")

# %% [markdown]
# Pixel-unshuffle needs about a quarter of the work. Adding the skips instead of concatenating them saves 16 %.

# %% [markdown]
# ### The results
#
# The same seed gives every variant the same batches, times and noise. So compare seed by seed: the table shows the
# mean of the three *differences* from the baseline, and its standard error, their standard deviation divided by
# $\sqrt 3$. With three seeds that error is itself a rough estimate, so believe a difference only if it is more than
# four times the error.
#
# **Predict.** Which change will hurt most? Is there one that makes no difference?

# %%
short = [name for name in VARIANTS if name not in ONLY_LONG]
runs, raced = [(name, seed) for name in short for seed in range(3)], {name: [] for name in short}
for name, seed in figures.track(runs, "networks trained"):
    raced[name].append(ablation.train_variant(name, seed))


# %%
def compare(scores):
    """Print and return name -> (mean difference from the baseline, its standard error)."""
    table, base = {}, torch.tensor(scores["baseline"])
    for name, each in scores.items():
        d = torch.tensor(each) - base
        table[name] = mean, error = d.mean().item(), d.std().item() / len(d) ** 0.5
        shown = round(mean, 3) + 0.0  # + 0.0: never "-0.000"
        line = f"{name:>16}: loss {sum(each) / len(each):.3f}"
        if name != "baseline":
            believe = "yes" if abs(mean) > 4 * error else "no"
            line += f", difference {shown:+.3f} ± {error:.3f}, believe it: {believe}"
        print(line)
    return table


# %%
after_100 = compare({name: [loss for _, loss in each] for name, each in raced.items()})
luck = 1 - 4 / 18**0.5  # probability that Student's t, 2 degrees of freedom, is beyond 4 or -4
print(f"if a change does nothing, three seeds say 'yes' in {luck:.1%} of all cases")

# %% [markdown]
# Removing the skip connections and adding pixel-unshuffle hurt most, +0.111 and +0.110. Two differences we do not
# believe yet: batch norm, +0.009 ± 0.009, and the table of times, +0.020 ± 0.007. (Hiding the time costs 0.020, too,
# but with an error of only 0.001.) The last line is a warning: the more rows a table has, the more likely it is that
# chance alone produces a "yes".
#
# A hundred steps show which variant *starts* well. Which is ahead after a thousand? Training for that long takes
# minutes, so it was done once, with the same functions, and the losses were stored (`python tools/ablation_unet.py`
# repeats it). Differences are rounded after subtracting.

# %%
stored = json.loads((pretrained.FOLDER / "ablation_unet.json").read_text())
print("steps:", stored["steps"])
after_1000 = compare(stored["loss"])
for mults in ((1,), (1, 2)):
    each = networks.build(networks.UNet, seed=0, width=16, mults=mults)
    print(f"{len(mults)} resolution(s): {sum(p.numel() for p in each.parameters()):,} weights")

# %%
fig, ax = figures.new(height=3.6)
names = [name for name in reversed(VARIANTS) if name != "baseline"]
for table, steps, color, mark, shift in ((after_100, 100, figures.BLUE, "o", 0.15),
                                         (after_1000, 1000, figures.RED, "s", -0.15)):
    rows = [(k + shift, *table[name]) for k, name in enumerate(names) if name in table]
    place, mean, error = zip(*rows)
    ax.errorbar(mean, place, xerr=[4 * e for e in error], fmt=mark, color=color, capsize=3,
                label=f"after {steps} steps")
ax.axvline(0, color=figures.GRAY, linewidth=1)
ax.set_yticks(range(len(names)), names)
ax.set(xlabel="loss on new digits, minus the baseline's; bars: 4 standard errors")
ax.legend()
figures.show(fig, alt="Early, no skips and unshuffling are far behind; later, all are nearer.")
worst = max(after_1000, key=lambda name: after_1000[name][0])
print(f"largest difference after 1000 steps: {worst}, {after_1000[worst][0]:+.3f}")

# %% [markdown]
# Part by part, after 100 steps and later, after 1000 (a single number for summed skips, one resolution or attention
# is from later):
#
# - **Neighbors.** On scrambled pixels the U-Net loses 0.034, later 0.015: what it assumes about images is false
#   there. (The MLP had nothing to lose.)
# - **Skip connections.** Without them +0.111, later only +0.016. A likely reason is that the middle of this network
#   holds $32 \cdot 4 \cdot 4 = 512$ numbers, enough for 64 pixels once it has learned to pack them. *Adding* instead
#   of concatenating costs 0.003 ± 0.001, by our rule too little to be believed.
# - **Resolutions.** A network with a single one is behind by 0.009, but it also has fewer weights, 28,801 instead of
#   110,993, so this does not say whether it lacks resolutions or weights. **Attention** makes no visible difference
#   on so small a grid, 0.000. So a slim U-Net, with summed skips and without attention, should be a good start for
#   images as small as these.
# - **Pixel-unshuffle** costs +0.110, later +0.042, a bad bargain for 8 × 8 pixels, since the two grids are left with
#   only 4 × 4 and 2 × 2 positions. On large images it may be a good one.
# - **Time.** Knowing $t$ is worth about 0.020. The *table* of times is no better than no time at all after 100 steps,
#   0.394, and after 1000 it is still 0.017 behind the sinusoids.
# - **Zero initialization** and **batch norm**: no difference that we believe. A detour takes a closer look at batch norm.

# %% [markdown] topics="C182"
# ### Detour · Why is a learned table of times so slow?
#
# With enough training, a learned table and sinusoids may work equally well. In runs as short as ours they do not. Why?

# %%
def v_loss(net, t, given=None):
    """Loss on new digits at times t, if the network receives the times `given` (default: t)."""
    x_0, eps, given = test[: len(t)], noise[: len(t)], t if given is None else given
    with torch.no_grad():
        loss = losses.simple(schedule, lambda x_t, t: net(x_t, given), "v", x_0, t, eps)
    return loss.mean().item()


# %%
# claim: E87
for name in ("baseline", "table of times"):
    right = sum(v_loss(net, when) for net, _ in raced[name]) / 3
    wrong = sum(v_loss(net, when, 1001 - when) for net, _ in raced[name]) / 3
    print(f"{name:>14}: loss given t {right:.3f}, given 1001 - t instead {wrong:.3f}")
fresh = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2), time="table")
before = fresh.time_embedding.table
after = raced["table of times"][0][0].time_embedding.table
still = (before.weight == after.weight).all(dim=1)[1:].sum()  # row t belongs to time t
print(f"rows of the table that 100 steps of 32 never moved: {still} of 1000")
print(f"expected, if a row moves when its time is drawn: {1000 * (1 - 1 / 1000) ** 3200:.0f}")

# %% [markdown]
# Given a wrong time, the network with sinusoids fails, 0.593. The one with the table does not notice, 0.395: it has
# not learned to use $t$, and judges the noise from the image as well as it can. In 100 steps of 32, each row is drawn
# three times on average, and 42 rows *never*; they still hold their random initial values. Sinusoids are similar for
# neighboring times, so what is learned at $t = 500$ also serves 501. With the 800,000 steps of [Ho20] every row is
# drawn often, and the two may well be equal; we have not tried.

# %% [markdown] topics="C181"
# ## Detour · Batch normalization
#
# Why is it so often advised against for diffusion models? (`v_loss` comes from the detour before this one.)

# %% [markdown]
# Batch normalization (batch norm) is common in image classifiers. It takes the mean and variance of a channel over
# all pixels of the batch. During training it also keeps running averages of both, and `net.eval()` makes it use these
# instead.
#
# In training a batch mixes all times; in sampling all items have the *same* time. Look at the variance of one layer's
# input at each $t$, compared with the running variance that serves all of them.

# %%
net, found = raced["batch norm"][0][0].eval(), []
norm = net.down[0][0].norm_2
hook = norm.register_forward_hook(lambda layer, inputs, out: found.append(inputs[0].var((0, 2, 3))))
for t in (1, 100, 300, 500, 1000):
    with torch.no_grad():
        net(forward.noised(schedule, test[:900], t, noise), torch.full((900,), t))
    ratio = found[-1] / norm.running_var  # of 16 channels
    print(f"t = {t:4}: variance / running variance: smallest {ratio.min():.2f}, "
          f"median {ratio.median():.2f}, largest {ratio.max():.2f}")
hook.remove()

# %% [markdown]
# At $t = 1$ the median channel has 0.59 of the running variance, the smallest 0.28; at $t = 1000$ the median is 1.10.
# No single variance fits all times.
#
# **Predict.** Does the loss rise in `eval` mode (running averages) or in training mode (the batch at hand), if all
# items of a batch have nearly the same time?

# %%
def in_training_mode(net, t, size):
    """Loss at times t when batch norm uses the batch at hand; batches of `size`."""
    net, each = copy.deepcopy(net).train(), []  # a copy: running it changes the averages
    with torch.no_grad():
        for rows in torch.arange(len(t)).split(size):
            each.append(losses.simple(schedule, net, "v", test[rows], t[rows], noise[rows]))
    return torch.cat(each).mean().item()


# %%
# claim: E24
like = when.sort().values  # 30 neighbors in this list have nearly the same time
cases = {"30 items, mixed t": (when, 30), "30 items, like t": (like, 30),
         "one item": (when[:99], 1)}
for name in ("baseline", "batch norm"):
    nets = [net.eval() for net, _ in raced[name]]
    for case, (t, size) in cases.items():
        more = torch.tensor([in_training_mode(net, t, size) - v_loss(net, t) for net in nets])
        mean = round(more.mean().item(), 3) + 0.0  # + 0.0: never "-0.000"
        print(f"{name:>10}, {case:>17}: loss in training mode minus eval mode "
              f"{mean:+.3f} ± {more.std() / 3**0.5:.3f}")

# %% [markdown]
# It rises in training mode. If all items have nearly the same time, as in sampling, the loss rises by 0.045, and for
# a single item by 0.046. With its running averages, though, batch norm denoises *as well as group norm* here, as far
# as three seeds can tell: −0.002 ± 0.001 after 1000 steps.
#
# So the advice "no batch norm" is good, but not because such a network cannot learn. Unless `eval()` is called, its
# prediction for one image depends on the others in the batch; the running averages must fit the weights (so an EMA of
# the weights needs its own running averages); and large images force small batches, whose statistics are poor. Group
# norm has no such modes: its differences are all 0.000.

# %% [markdown] topics="C180"
# ## 9 · Adam, and the scale of the loss
#
# All our networks are trained with Adam (chapter 11). Let $g$ be the gradient of the loss and $\eta$ the learning
# rate. Plain stochastic gradient descent (SGD) and Adam take the steps
#
# $$\text{SGD: } w \leftarrow w - \eta\,g, \qquad
# \text{Adam: } w \leftarrow w - \eta\,\frac{m}{\sqrt{v} + \text{eps}}, \tag{12.7}$$
#
# where $m$ is a running average of $g$, and $v$ one of $g^2$ (not the target v of the network). Each is divided by
# $1 - \text{decay}^\text{step}$, with its own decay, because both start at 0. Here `eps` is a small constant, by
# default $10^{-8}$, that prevents a division by 0; it has nothing to do with the noise.

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
# Multiply the loss by any factor: $g$, $m$ and $\sqrt v$ grow alike, so Adam's step stays the same, except for eps.
# SGD's step grows. So for Adam it hardly matters whether the squared errors are summed or averaged over the pixels.

# %% [markdown] topics="C180"
# ### Detour · Sum or mean of the squared errors?
#
# Does training diverge if the loss is a mean over the pixels, and not a sum? The two differ only by a factor, the
# number of pixels. What can a factor do?

# %% [markdown]
# #### Exercise 12.6 · The same run with a sum
#
# With the **mean** over n pixels you have used SGD with the learning rate `lr_sgd`, and Adam with `lr_adam` and its
# `eps`. Now the loss becomes the **sum**, n times as large. Return three numbers, the rate for SGD, and the rate and
# the eps for Adam, that repeat the old runs step by step.

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
    net = networks.build(networks.UNet, seed=0, width=16, mults=(1,))  # one resolution: faster
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
    note = f", same weights: {same[0]}" if same else ""
    print(f"{name:>26}: loss on new digits {loss:.3f}{note}")

# %% [markdown]
# SGD does need its rate divided by 64. With the old rate its loss explodes (`nan` means *not a number*). With yours
# it repeats the run **bit for bit**: 64 is a power of two, so no rounding changes. For Adam it makes no difference:
# 0.428 for mean and sum.
#
# What remains is `eps`. Make the gradients of the mean another 768 times smaller: the sum over our 64 pixels, divided
# by $64 \cdot 768 = 49{,}152$. That alone changes little, 0.430. With an eps of $10^{-6}$, the default of some
# optimizers, eps is no longer small compared to $\sqrt v$, and training is *slower*, 0.466. But no run with Adam
# diverged, here or in the longer trainings of this chapter (which use Adam, a mean, and clip gradients longer than
# 1). So a very small loss can slow Adam down; it did not make it diverge in any run.
#
# **Predict.** An image of 128 × 128 pixels in three colors has 49,152 numbers. Is the gradient of their *mean* 768
# times smaller than ours?

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
# It is not: with 16 times as many pixels the gradient is no shorter. The weights of a convolution serve all places.
# Their gradient sums over all places, and the mean divides by as many. It is the gradient of the *sum* that grows with
# the image.
#
# Chapter 13 trains with 16-bit numbers. In one format, float16, everything below $3 \cdot 10^{-8}$ becomes 0. Which
# loss suffers?

# %%
net = raced["baseline"][0][0]
for name, scale in (("sum", 64), ("mean", 1), ("mean / 768", 1 / 768)):
    loss = scale * losses.simple(schedule, net, "v", train[:32], when[:32], noise[:32]).mean()
    grads = torch.autograd.grad(loss, [*net.parameters()])
    g = torch.cat([each.flatten() for each in grads])
    gone = ((g.half() == 0) & (g != 0)).double().mean()  # half: 16 bits, 5 of them for the exponent
    print(f"{name:>10}: {gone:.1%} of the gradient's numbers become 0 in 16 bits")

# %% [markdown]
# With the sum or the mean, next to nothing is lost; with a loss 768 times smaller, a quarter of the gradient's
# numbers, 25.3 %, become 0. Hence the **loss scaling** of 16-bit training: multiply the loss by a large number, and
# divide the gradient by it afterwards. Clipping by length depends on the scale, too, and so does the balance with a
# second loss that is added to the first.

# %% [markdown] topics="C184"
# ## 10 · A real network, and how to judge it
#
# Now we train for 600 steps of 64 digits, in which each of the 896 training digits is seen about 43 times.

# %%
net = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2))
for step, (own, new) in fit(net, train, 600, size=64, look=look, new=test).items():
    print(f"step {step:4}: loss on training digits {own:.3f}, on new digits {new:.3f}")

# %% [markdown]
# Is 0.306 good? Chapter 11 compared its network with the lowest possible loss, the floor. For real digits *nobody
# knows* that number. But there are two things to compare with:
#
# - the loss on **new digits**, against that on training digits: the gap is what was memorized, plus whatever else
#   distinguishes the two sets;
# - the **memorizing denoiser**, that is, the ideal denoiser (10.2) of the 896 training digits. On *new* digits no
#   denoiser can beat the lowest possible loss on average, so this denoiser's loss bounds it from above.
#
# **Predict.** At which times will the memorizing denoiser beat the network on new digits: small, middle, large,
# never?

# %%
learned = predictions.denoiser(schedule, net.eval(), "v")
memorizing = ideal_denoisers.dataset_denoiser(train, schedule)


def at(t, denoise, x_0):
    """Loss of v at one time by (9.9), one number for each image."""
    x_t = forward.noised(schedule, x_0, t, normal_like(x_0, generator=seeded(t)))
    with torch.no_grad():
        miss = denoise(x_t, torch.full((len(x_0),), t)) - x_0
    return (schedule.snr[t] + 1) * miss.square().flatten(1).mean(1)


times = (1, 10, 30, 100, 150, 200, 250, 300, 400, 500, 700, 1000)
who = {"network, training digits": (learned, train), "network, new digits": (learned, test),
       "memorizing, training digits": (memorizing, train),
       "memorizing, new digits": (memorizing, test)}
table = {name: [at(t, denoise, x_0) for t in times] for name, (denoise, x_0) in who.items()}

# %%
ys = {name: torch.stack(each).mean(1) for name, each in table.items()}
fig = figures.curves(times, ys, xlabel="time t, steps", ylabel="loss of v", ylim=(0, 1), height=3.2)
figures.show(fig, alt="The network's curves agree; the others part at t = 400, one down, one up.")
print("   t   network: own    new  memorizing: own    new")
for t, a, b, c, d in zip(times, *ys.values()):
    print(f"{t:4} {a:14.3f} {b:8.3f} {c:14.3f} {d:8.3f}")
behind = table["network, new digits"][7] - table["memorizing, new digits"][7]  # the same noise
print(f"network minus memorizing, new digits, t = {times[7]}: {behind.mean():.3f} ± "
      f"{behind.std() / len(behind) ** 0.5:.3f}")
for k in (5, 10):
    own, new = (table[f"network, {which} digits"][k] for which in ("training", "new"))
    error = (own.var() / len(own) + new.var() / len(new)) ** 0.5
    print(f"network, new minus own, t = {times[k]}: {new.mean() - own.mean():.3f} ± {error:.3f}")

# %% [markdown]
# There are three ranges. From $t = 700$ on, the two denoisers agree within 0.001: under so much noise there is
# hardly anything to memorize. Up to $t = 150$ the memorizing one is worse on new digits (at $t = 200$ they are about
# equal), and hopeless at small $t$ (812 at $t = 1$, against 0.919), because it insists on one of its own 896. There the
# network does what a list of training digits cannot: it generalizes.
#
# In between, at $t = 250$ to 500, the memorizing denoiser *wins*: 0.231 against 0.264 at $t = 300$. So the lowest
# possible loss there is at most 0.231, and our network is above it by at least 0.033 ± 0.003. There is room for
# improvement, perhaps with more steps or a larger network.
#
# Has the network memorized? Its gap between own and new digits is largest at $t = 200$, 0.010 ± 0.005. At $t = 700$,
# where there is hardly anything to memorize, the gap is still 0.005 ± 0.003. So perhaps half of the 0.010 is just a
# difference between the two sets of digits. Little has been memorized.

# %% [markdown]
# ### Samples

# %%
made = samplers.sample(schedule, learned, (600, 1, 8, 8), sampler="ddim",
                       times=schedules.timesteps(1000, 50), generator=seeded(11))
rows = {"real digits": test[20:30], "samples": made[:10], "more samples": made[10:20]}
fig = figures.images(torch.cat([*rows.values()]), columns=10, panel=0.62, row_labels=[*rows])
figures.show(fig, alt="Ten real digits, and twenty samples that look like handwritten digits.")
for name, x in (("samples", made), ("training digits", train[:600])):
    energy = metrics.energy_distance(x, test)
    print(f"energy distance of {name} to new digits: {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# Most of them can be read as digits, but several are ambiguous. They are not quite as good as real ones: their energy
# distance (chapter 11) to new digits is 0.025 ± 0.006, where real digits have 0.004 ± 0.005. Are they copies of
# training digits? [14b](14b_sample_quality.ipynb) tests for that.
#
# This network took less than half a minute to train on one CPU core. So do not begin by copying the paper's
# network, which is hundreds of times larger. Denoising is plain regression; a modest U-Net shows results, and lets you
# try out an idea in a minute.

# %% [markdown]
# ## Popular claims, checked
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | for Adam the scale of the loss hardly matters; a large eps slows down a tiny loss; SGD needs another rate | sum the squared errors: with their mean training diverges | 0.428 for both; 0.466 with eps 1e-6; SGD bit for bit |
# | with `eval()`, batch norm is as good here; in training mode it fails where all items have the same time, or there is only one | batch norm does not work for diffusion | −0.002 ± 0.001; +0.045, +0.046 |
# | within 1000 steps sinusoids are ahead: a table learns a time only when it is drawn | a learned table of times works as well as sinusoids | +0.017; 42 of 1000 rows never moved in 100 steps |
#
# ## Recap
#
# An image is more than a list of pixels. The U-Net starts from what is true of all images: neighbors matter,
# everywhere in the same way (convolution), the whole matters (downsampling), details matter (skip connections), and
# the right answer depends on the noise (the time embedding in every block). That is why what it learns from a hundred
# digits generalizes better than what an MLP learns. Only an ablation with several seeds can say which of its details
# matter, and the answer changes with the number of steps, and probably with the size of the images.
#
# **One formula to keep**
#
# $$\text{out} = \text{shortcut}(x) + c_2\big(\sigma\big(n_2(h)\,(1 + \text{scale}_t) + \text{shift}_t\big)\big), \qquad h = c_1(\sigma(n_1(x)))$$
#
# **Exercises:** 12.1 `unet.size` · 12.2 `unet.weights` · 12.3 `unet.time_embedding` · 12.4 `unet.group_norm` · 12.5
# `unet.unshuffle` · 12.6 `unet.same_run`
#
# **To think about.** A digit shifted by one pixel is still a digit. Is our U-Net's prediction for the shifted image
# the same as its prediction for the original, shifted? Where does that fail? (At the edges, because of the padding;
# and a shift by one pixel is half a position on the coarse grid.)
#
# **Before:** [11 · What if x0_hat cannot be computed?](11_learning_to_denoise.ipynb) · **Next:** [12b · How do you
# build a U-Net yourself?](12b_build_a_unet.ipynb), or [13 · How do you train at scale?](13_gpu_training.ipynb)
#
# **Read on:** [Ho20] Appendix B. [Ron15] for the U-Net, [He16] for residual blocks, [WH18] for group norm, [IS15] for
# batch norm, [KB15] for Adam.
