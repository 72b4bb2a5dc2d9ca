# %% [markdown]
# # 12b · How do you build a U-Net yourself?
#
# Chapter 12 explained what each part of a U-Net is for. Here you write those parts: a residual block, self-attention,
# and the way down and up with its skip connections. You verify each part by loading the weights of the package's
# network into it. Then the network that *you* wrote learns to denoise images of your choice, and samples new ones.
#
# **After this chapter you can**
#
# - write a residual block that depends on the time embedding, and say how ours differs from Ho et al.'s,
# - write multi-head self-attention, and say what it costs,
# - write the forward pass of a U-Net, and verify that it is right,
# - train your own network on your own images, on a CPU or a GPU,
# - read the architecture of Ho et al.
#
# **You need** sections 1 to 7 of [12 · Which network denoises images?](12_unet.ipynb): convolution, skip connections,
# time embedding and group norm, but not the experiments that follow them; and the training loop of
# [11](11_learning_to_denoise.ipynb).
#
# **Time:** about {road} minutes; the detours, which nothing later needs, add {detours}. The notebook runs in about a
# minute, without a GPU.
#
# **For what comes next:** no later chapter needs this one; they use the package's network, which is the same.
#
# **In the papers:** [Ho20] Appendix B.

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

from ddpm_lab import datasets, forward, losses, metrics, networks
from ddpm_lab import predictions, samplers, schedules, training
from ddpm_lab.course import ablation, diagrams, figures
from ddpm_lab.course.exercises import check, exercise, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.networks.blocks import zero_init
from ddpm_lab.networks.embeddings import TimeEmbedding

# %% [markdown]
# ## The plan
#
# This is what you will build, with two resolutions. The drawing and the shapes, here for five images, are read from
# the package's network.

# %%
model = networks.build(networks.UNet, seed=0, width=16, mults=(1, 2), attention=(1,))
fig = diagrams.unet(model, side=8)
figures.show(fig, alt="A U-Net: blocks at 8 x 8 and 4 x 4, a skip at each, attention at 4 x 4.")


def report(name):
    """A hook that prints what enters a layer and what leaves it."""
    return lambda layer, inputs, out: print(
        f"{name:>13}: {tuple(inputs[0].shape)!s:>14} -> {tuple(out.shape)}"
    )


for name in ("conv_in", "down.0.0", "downsample.0", "down.1.0", "middle",
             "up.1.0", "upsample.0", "up.0.0", "conv_out"):
    model.get_submodule(name).register_forward_hook(report(name))
output = model(torch.zeros(5, 1, 8, 8), torch.full((5,), 10))

# %% [markdown]
# Before `upsample.0` each position is copied to 2 × 2, and before `up.1.0` and `up.0.0` the skip is concatenated;
# neither has weights.
#
# How will you know that yours is right? Training it will not tell you: **a network with a mistake trains, too.**
# Training adapts the weights to the mistake, and no error is raised. Compare outputs instead. Give your layers the
# names and shapes of a network that is known to be right, load its weights into yours, and run both on the same
# input. The outputs must be equal.
#
# ## 1 · The residual block
#
# A **residual block** computes a correction and adds it to its input. With $c_1, c_2$ two convolutions, $n_1, n_2$
# two group norms and $\sigma$ the SiLU (`F.silu`),
#
# $$\begin{aligned} h &= c_1(\sigma(n_1(x))), \qquad [\text{scale},\, \text{shift}] = W \sigma(\text{emb}) + b, \\
# \text{out} &= \text{shortcut}(x) + c_2\big(\sigma(n_2(h)\,(1 + \text{scale}) + \text{shift})\big). \end{aligned} \tag{12b.1}$$
#
# The **shortcut** is $x$ itself, or a 1 × 1 convolution if the number of channels changes. A linear layer turns the
# time embedding `emb` into one scale and one shift for each channel.
#
# The layers are given. In PyTorch, `block(x, emb)` calls `block.forward(x, emb)`, a function of the block itself,
# `self`, and of its inputs `x` and `emb`. You write that function.

# %%
class Block(nn.Module):
    """The layers of a residual block."""

    def __init__(self, dim_in, dim_out, emb_dim, groups=8):
        super().__init__()
        self.norm_1 = nn.GroupNorm(groups, dim_in)
        self.conv_1 = nn.Conv2d(dim_in, dim_out, 3, padding=1)
        self.emb_proj = nn.Linear(emb_dim, 2 * dim_out)
        self.norm_2 = nn.GroupNorm(groups, dim_out)
        self.conv_2 = zero_init(nn.Conv2d(dim_out, dim_out, 3, padding=1))
        same = dim_in == dim_out
        self.shortcut = nn.Identity() if same else nn.Conv2d(dim_in, dim_out, 1)


# %% [markdown]
# ### Exercise 12b.1 · The block's forward pass
#
# `x` has shape (B, dim_in, H, W) and `emb` (B, emb_dim); return (12b.1), of shape (B, dim_out, H, W). The output of
# `self.emb_proj` holds all scales, then all shifts: `chunk(2, dim=1)` splits it.

# %% tags=["exercise"]
def my_block(self, x, emb):
    """Return shortcut(x) plus the correction."""
    ### BEGIN SOLUTION
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    h = self.norm_2(h) * (1 + scale) + shift
    return self.shortcut(x) + self.conv_2(F.silu(h))
    ### END SOLUTION


Block.forward = check("build.res_block", my_block)

# %%
# eq: 12b.1
def shake(net, seed):
    """Make all weights random, even those that start at 0 or 1, which would hide mistakes."""
    rng = seeded(seed)
    for weight in net.parameters():
        nn.init.normal_(weight, std=0.2, generator=rng)
    return net.requires_grad_(False)


given = shake(networks.blocks.ResBlock(16, 32, emb_dim=64), seed=1)
mine = Block(16, 32, emb_dim=64)
print(mine.load_state_dict(given.state_dict()))
x, emb = (normal_like(torch.empty(s), generator=seeded(2)) for s in ((5, 16, 8, 8), (5, 64)))
print("largest difference of the outputs:", (mine(x, emb) - given(x, emb)).abs().max().item())

# %% [markdown]
# `load_state_dict` is strict: it raises an error unless all names and all shapes agree. And the difference of the
# outputs is exactly 0.
#
# **Ho et al. add the embedding.** In their block it becomes one number per channel, which is added before the second
# norm: $n_2\big(c_1(\sigma(n_1(x))) + W\sigma(\text{emb}) + b\big)$. Scaling *and* shifting features by numbers that
# are computed from another input is called **FiLM**, feature-wise linear modulation [Per18]. Doing so right after a
# group norm is **adaptive group normalization** (AdaGN): [ND21] used it for diffusion, and [DN21] found that it gives
# better samples than adding.

# %% [markdown]
# ### Detour · What survives a norm?
#
# Ho et al. add the embedding *before* a norm. How much of it is left afterwards?

# %% [markdown]
# **Predict.** Ho et al. add the same number to all pixels of a channel, and then the norm subtracts the mean of each
# group of channels. If every group were a single channel, how much of the time embedding would survive?

# %%
h = normal_like(torch.empty(5, 32, 8, 8), generator=seeded(3))
added = 3 * normal_like(torch.empty(5, 32, 1, 1), generator=seeded(4))
for groups in (32, 8, 1):
    norm = nn.GroupNorm(groups, 32)
    change = (norm(h + added) - norm(h)).square().mean().sqrt()
    print(f"{groups:2} groups of {32 // groups:2} channels: what is added changes the result by "
          f"{change:.3f}")

# %% [markdown]
# None of it would survive: the change is 0.000, because the norm removes whatever all the numbers of a group share.
# With several channels in a group, only the *differences* between the channels survive. Nothing undoes a scale and a
# shift that come after the norm, and a scale of −1 even switches a channel off, apart from the shift.

# %% [markdown]
# ## 2 · Self-attention
#
# A convolution mixes neighbors, with the same weights in every image. In **self-attention** each position collects
# from *all* positions, with weights that depend on what is there. Each position computes three vectors of length $d$
# from its features: a **query** (what am I looking for?), a **key** (what can be found here?) and a **value** (what
# do I pass on?). They are the rows of $Q$, $K$ and $V$, one row for each of the $n = H \cdot W$ positions, and
# [Vas17]
#
# $$\text{attention}(Q, K, V) = \text{softmax}\!\left(\frac{Q K^\top}{\sqrt d}\right) V. \tag{12b.2}$$
#
# | | $Q$, $K$, $V$ | scores $Q K^\top$ | weights: softmax of each row | result |
# |---|---|---|---|---|
# | shape | $(n, d)$ | $(n, n)$ | $(n, n)$, rows sum to 1 | $(n, d)$ |
#
# Each result is a weighted average of values, and the values whose keys match the query get the most weight.
# **Multi-head** attention does this several times side by side; each *head* has its own part of the channels, so each
# can look for something else.
#
# ### Exercise 12b.2 · The formula
#
# `query`, `key` and `value` have shape (B, heads, n, d). Return (12b.2) for each image and each head, in the same
# shape. A matrix product `@` works on the last two axes, and `key.transpose(-2, -1)` swaps these two.

# %% tags=["exercise"]
def my_attend(query, key, value):
    """Return softmax(Q K^T / sqrt(d)) V, shape (B, heads, n, d)."""
    ### BEGIN SOLUTION
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return scores.softmax(dim=-1) @ value
    ### END SOLUTION


attend = check("build.attend", my_attend)

# %%
# eq: 12b.2
query, key, value = normal_like(torch.empty(3, 5, 2, 16, 8), generator=seeded(5))
fast = F.scaled_dot_product_attention(query, key, value)  # the same, without storing the table
print("PyTorch's own agrees:", torch.allclose(attend(query, key, value), fast, atol=1e-5))
for d in (4, 64, 1024):
    q, k = normal_like(torch.empty(2, 200, d), generator=seeded(6))
    scores = q @ k.T
    most = [(s.softmax(1).amax(1).mean().item()) for s in (scores, scores / d**0.5)]
    print(f"d = {d:4}: standard deviation of a score {scores.std():4.1f}; largest weight "
          f"{most[0]:.2f}, with the root {most[1]:.2f}")

# %% [markdown]
# A score is a sum of $d$ products, so its standard deviation grows like $\sqrt d$. Without the root, the softmax for
# long vectors puts nearly all the weight on a single key, and its gradient almost vanishes; with the root, the scores
# have the same size for every $d$.
#
# What does attention cost? Compare it with a convolution on images of five sizes.

# %%
c = 64  # channels; multiplications per image: two products of (n, c), four 1 x 1 convolutions
print("   grid       scores   million multiplications: attention   3 x 3 convolution")
for side in (4, 8, 16, 32, 64):
    n = side**2
    print(f"{side:2} x {side:<2} {n * n:13,} {(2 * n * n * c + 4 * n * c * c) / 1e6:34,.1f} "
          f"{9 * n * c * c / 1e6:18,.1f}")

# %% [markdown]
# Doubling the side multiplies the number of scores, $(HW)^2$, by sixteen. At 16 × 16, attention costs somewhat more
# than a convolution; at 64 × 64, fifteen times as much. That is why U-Nets have it at coarse resolutions only.
#
# ### Exercise 12b.3 · Attention as a layer
#
# Now apply attention to images. The 1 × 1 convolution `self.qkv`, applied to `self.norm(x)`, turns $c$ channels into
# $3c$: all queries, then all keys, then all values. Within each of these, the channels of the first head come first.
# Bring them to shape (B, heads, n, d), where $d = c / \text{heads}$, use `attend`, bring the result back to (B, c, H,
# W), apply `self.proj`, and add `x`.
#
# Beware: `reshape` splits or joins neighboring axes, but never reorders anything. To swap axes, use `transpose`.

# %%
class Attention(nn.Module):
    """The layers of self-attention; `heads` is how many share the channels."""

    def __init__(self, dim, heads=1, groups=8):
        super().__init__()
        self.heads, self.norm = heads, nn.GroupNorm(groups, dim)
        self.qkv = nn.Conv2d(dim, 3 * dim, 1)
        self.proj = zero_init(nn.Conv2d(dim, dim, 1))


# %% tags=["exercise"]
def my_attention(self, x):
    """Return x plus what its positions collect from each other, shape (B, c, H, W)."""
    ### BEGIN SOLUTION
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    out = attend(query, key, value)
    return x + self.proj(out.transpose(-1, -2).reshape(b, c, h, w))
    ### END SOLUTION


Attention.forward = check("build.attention", my_attention)

# %%
given = shake(networks.blocks.SelfAttention(64), seed=7)
mine = Attention(64, heads=given.heads).requires_grad_(False)
mine.load_state_dict(given.state_dict())
x = normal_like(torch.empty(2, 64, 4, 4), generator=seeded(8))
same = torch.allclose(mine(x), given(x), atol=1e-4)
print(f"{given.heads} heads; equal up to rounding: {same}")

order = torch.randperm(16, generator=seeded(9))
shuffled, result = (u.flatten(2)[..., order].reshape(u.shape) for u in (x, mine(x)))
moved = torch.allclose(mine(shuffled), result, atol=1e-4)
print("positions shuffled: the same result, shuffled:", moved)

# %% [markdown]
# The second printed line shows that attention does not know where a position *is*: if you shuffle the positions, the
# same results come out, shuffled. In a U-Net, the convolutions around it provide that information.
#
# ## 3 · The U-Net
#
# A block with attention is a residual block followed by self-attention. Everything else is lists of blocks and
# convolutions.

# %%
class AttentionBlock(Block):
    """A residual block, then self-attention."""

    def __init__(self, dim_in, dim_out, emb_dim):
        super().__init__(dim_in, dim_out, emb_dim)
        self.attention = Attention(dim_out, heads=max(1, dim_out // 32))

    def forward(self, x, emb):
        return self.attention(super().forward(x, emb))


def row(dim_in, dim_out, emb_dim, blocks, attention):
    """The blocks of one resolution, on one side."""
    kind = AttentionBlock if attention else Block
    return nn.ModuleList(kind(dim_in, dim_out, emb_dim) for _ in range(blocks))


# %%
class UNet(nn.Module):
    """The layers of a U-Net; `attention` lists the resolutions with attention, 0 the finest."""

    def __init__(self, channels=1, width=16, mults=(1, 2), blocks=1, attention=()):
        super().__init__()
        dims, emb_dim, conv = [width * m for m in mults], 4 * width, nn.Conv2d
        levels, steps = [(d, i in attention) for i, d in enumerate(dims)], [*zip(dims, dims[1:])]
        self.time_embedding = TimeEmbedding(width, emb_dim)  # chapter 12, and two linear layers
        self.conv_in = conv(channels, dims[0], 3, padding=1)
        self.down = nn.ModuleList(row(d, d, emb_dim, blocks, a) for d, a in levels)
        self.downsample = nn.ModuleList(conv(a, b, 3, stride=2, padding=1) for a, b in steps)
        self.middle = row(dims[-1], dims[-1], emb_dim, 1, bool(attention))[0]
        self.up = nn.ModuleList(row(2 * d, d, emb_dim, blocks, a) for d, a in levels)
        self.upsample = nn.ModuleList(conv(b, a, 3, padding=1) for a, b in steps)
        last = zero_init(conv(dims[0], channels, 3, padding=1))
        self.conv_out = nn.Sequential(nn.GroupNorm(8, dims[0]), nn.SiLU(), last)


# %% [markdown]
# ### Exercise 12b.4 · Down and up
#
# `x_t` has shape (B, channels, H, W) and `t` (B,); return the shape of `x_t`. Keep the skips in a list, as a
# **stack**: last in, first out.
#
# 1. `emb = self.time_embedding(t)`, and `self.conv_in` makes the first features `h`. Every block is called as
#    `block(h, emb)`.
# 2. *Down*, resolution by resolution: `self.downsample[i - 1]` (not for resolution 0), then the blocks in
#    `self.down[i]`. Put the output of each block on the stack.
# 3. `self.middle`.
# 4. *Up*, from the coarsest resolution: each block in `self.up[i]` gets `h` and the last skip of the stack,
#    concatenated along the channels, `h` first. Then (not for resolution 0) copy each position to a square of 2 × 2
#    by `F.interpolate(h, scale_factor=2.0)`, and apply `self.upsample[i - 1]`.
# 5. `self.conv_out`.

# %% tags=["exercise"]
def my_unet(self, x_t, t):
    """Return the network's output, of the shape of x_t."""
    ### BEGIN SOLUTION
    emb = self.time_embedding(t)
    h, skips = self.conv_in(x_t), []
    for i, blocks in enumerate(self.down):
        if i:
            h = self.downsample[i - 1](h)
        for block in blocks:
            h = block(h, emb)
            skips.append(h)
    h = self.middle(h, emb)
    for i, blocks in reversed(list(enumerate(self.up))):
        for block in blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), emb)
        if i:
            h = self.upsample[i - 1](F.interpolate(h, scale_factor=2.0))
    return self.conv_out(h)
    ### END SOLUTION


UNet.forward = check("build.unet", my_unet)

# %% [markdown]
# Now verify it: load the weights of the package's network into yours, with and without attention.

# %%
x_t = normal_like(torch.empty(5, 1, 8, 8), generator=seeded(10))
t = torch.tensor([1, 30, 200, 500, 1000])
for where in ((), (1,)):
    sizes = {"width": 16, "mults": (1, 2), "blocks": 2, "attention": where}
    given = shake(networks.build(networks.UNet, seed=0, **sizes), seed=11)
    mine = UNet(**sizes)
    mine.load_state_dict(given.state_dict())
    counts = [sum(p.numel() for p in net.parameters()) for net in (mine, given)]
    gap = (mine(x_t, t) - given(x_t, t)).abs().max() / given(x_t, t).abs().max()
    shown = "0" if gap == 0 else "below 0.00001" if gap < 1e-5 else f"{gap:.5f}"
    print(f"attention at {where or 'no resolution'}: {counts[0]:,} parameters, the package "
          f"{counts[1]:,}; difference {shown}")

# %% [markdown]
# Without attention the two agree to the last bit. With attention the difference is rounding: the package uses
# PyTorch's fast version, which sums in a different order.

# %% [markdown]
# ### Detour · Where are the parameters?
#
# Which part of the network has the most: the way down, the middle, or the way up?

# %% [markdown]
# **Predict.** Remember the channels that enter each block. Which part has the most parameters?

# %%
net = UNet(width=16, mults=(1, 2), attention=(1,))
total = sum(p.numel() for p in net.parameters())
for name, part in net.named_children():
    count = sum(p.numel() for p in part.parameters())
    print(f"{name:>14}: {count:7,}, {count / total:4.0%}")
print(f"{'all':>14}: {total:7,}")

# %% [markdown]
# The way up, with 39 %, because concatenation doubles the channels that enter its blocks.

# %% [markdown]
# ### Detour · Would the loss have shown a mistake?
#
# Two networks with a mistake are trained, to see how much of it the loss shows.

# %% [markdown]
# **Predict.** Below are two networks with one mistake each. In the first, the heads are turned back into an image by
# `reshape` alone, which tears the image apart: positions and channels get mixed up. In the second, the blocks
# multiply by `scale`, not by 1 + `scale`. How much higher is their loss after 100 training steps?

# %%
wrong = {name: exercise(f"build.{name}").wrong for name in ("attention", "res_block")}
mistakes = {  # from the lists by which `check` recognizes mistakes, each under its hint
    "none": (Block, Block.forward),
    "torn": (Attention, wrong["attention"][
        "on the way back the axes must be swapped before reshape: (…, n, d) to (…, d, n)"]),
    "without the 1": (Block, wrong["res_block"][
        "multiply by 1 + scale: a scale of 0 should leave the features as they are"]),
}
train, test = (datasets.digits(split)[0] for split in ("train", "test"))

# %%
for name, (part, mistake) in mistakes.items():
    right, part.forward = part.forward, mistake
    for seed in (0, 1):
        net = networks.build(UNet, seed=seed, attention=(1,))
        ablation.fit(net, train, 100, seed=seed)  # the training of chapter 12
        loss = ablation.loss_on(net, test)
        print(f"mistake: {name:13}  seed {seed}: loss on new digits {loss:.3f}")
    part.forward = right

# %% [markdown]
# The loss of the torn network is no higher than that of the right one. (On so small a grid attention is worth little,
# as chapter 12 measured, so a mistake in it costs little. On large images it would cost you quality, and you would
# not know why.) The second mistake raises the loss by about 0.02, but you would not notice that without the right
# network to compare with. The comparison of outputs finds both at once.

# %% [markdown] topics="C184"
# ## 4 · Train your network
#
# Choose the images: the digits, the emoji that come with the course, or a folder of your own, such as `"my_images"`,
# with at least 64 images. All are resized to `size` × `size` pixels; `size` must be even, because the network halves
# it once. The second line of the cell chooses a GPU if there is one. Apart from that, a GPU needs only `.to(device)`
# for the network and the images.

# %%
source, size = "digits", 8  # or "emoji", 16
device = "cuda" if torch.cuda.is_available() else "cpu"
data, new = (datasets.load(source, split, size=size) for split in ("train", "test"))
schedule = schedules.linear()
print(data)


# %%
def loss_on(net, x_0):
    """Mean loss of v on these images, always at the same times and with the same noise."""
    x_0 = x_0[:900].to(device)
    t = torch.randint(1, schedule.T + 1, (len(x_0),), generator=seeded(12))
    eps = normal_like(x_0, generator=seeded(13))
    with torch.no_grad():
        return losses.simple(schedule, net, "v", x_0, t, eps).mean().item()


def draw(net, n):
    """Samples in 50 steps of DDIM, always from the same noise."""
    denoise = predictions.denoiser(schedule, net, "v")
    times = schedules.timesteps(schedule.T, 50)
    how = {"sampler": "ddim", "times": times, "generator": seeded(14), "device": device}
    return samplers.sample(schedule, denoise, (n, *data.shape), **how).cpu()


baseline = loss_on(lambda x_t, t: 0 * x_t, new.images)
print(f"baseline, the loss of always answering 0: {baseline:.3f}")

# %% [markdown]
# A loss means nothing without a number to compare it with. One such number is this baseline, 0.798 for digits. Others
# come from chapter 12: on new digits, an MLP trained on only 100 digits reached about 0.37, and the package's U-Net
# without attention about 0.31 after 600 steps of 64 images.
#
# **Predict.** What will yours reach?

# %%
sizes = {"channels": data.channels, "width": 16, "mults": (1, 2), "attention": (1,)}
net = networks.build(UNet, seed=0, **sizes).to(device)
rng, made = seeded(15), {}
batches = datasets.batches(data.images.to(device), 64, generator=rng)
how = {"prediction_type": "v", "steps": 600, "lr": 3e-3, "generator": rng}
for step in training.train(schedule, net, batches, **how):
    if step.step in (10, 50, 100, 200, 400, 600):
        made[step.step] = draw(net, 10)
        print(f"step {step.step:4}: loss on new images {loss_on(net, new.images):.3f}")

# %%
chosen = {"real images": new.images[:10]} | {f"step {k}": made[k] for k in (10, 100, 200, 600)}
fig = figures.images(torch.cat([*chosen.values()]), columns=10, panel=0.62, row_labels=[*chosen])
figures.show(fig, alt="Real images, and below them samples that turn from blots into images.")
some = torch.randperm(len(data), generator=seeded(16))[:300]  # they may be sorted by class
for name, x in (("samples", draw(net, 300)), ("training images", data.images[some])):
    energy = metrics.energy_distance(x, new.images)
    print(f"energy distance of {name} to new images: {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# Here it ends at 0.30, close to the package's. Most of the decrease happens in the first 100 steps. After that the
# samples keep their shapes and get clearer, though not every one becomes a digit. By energy distance (chapter 11) they
# are not quite as good as real digits: 0.025 ± 0.008; training digits have −0.005 ± 0.006, consistent with 0.
#
# **Now with your own images.** Choose another source, and run this section again. Larger images in color need larger
# `sizes`, say `"width": 32` and `"mults": (1, 2, 2)`, for which `size` must be a multiple of 4, and more steps. The
# emoji at 16 × 16 take a few minutes on a CPU. Chapter 13 shows how to train for an hour without losing anything.

# %% [markdown]
# ### Detour · What does your network look at?
#
# Your weights also fit the package's network. So all of its tools work for yours, such as this one, which shows what
# one position attends to.

# %%
same, image = networks.UNet(**sizes), new.images[:1]
same.load_state_dict(net.state_dict())
x_t = forward.noised(schedule, image, 300, normal_like(image, generator=seeded(17)))
fig = diagrams.attention_map(same, x_t, 300, (2, 3))
figures.show(fig, alt="A noisy image, and over it how much one position attends to the others.")
weights = diagrams.attention_weights(same, x_t, torch.tensor([300]))[0, 0].flatten(2)
print(f"the largest weight of a position is between {weights.amax(2).min():.2f} and "
      f"{weights.amax(2).max():.2f}; equal weights would be {1 / weights.shape[2]:.2f}")

# %% [markdown]
# The weights are far from equal. This position, in the middle of the digit, attends mostly to two corners of the
# image. One map of one small network does not say what attention is good for, but it shows that some positions count
# much more than others.

# %% [markdown]
# ## 5 · Ho et al.'s network
#
# You can now read the network of [Ho20, Appendix B] as a list of differences from yours:
#
# | | yours | Ho et al., for CIFAR-10 |
# |---|---|---|
# | image | 8 × 8, one channel | 32 × 32, three channels |
# | resolutions | 8, 4 | 32, 16, 8, 4 |
# | channels | 16, 32 | 128, 256, 256, 256 |
# | blocks per resolution | 1 down, 1 up | 2 down, 3 up |
# | skips | from each block down | also from `conv_in` and each downsampling: 12 in all |
# | attention | at 4 × 4, and in the middle | at 16 × 16, and in the middle; always one head |
# | middle | a block with attention | a block, attention, a block |
# | time embedding | scales and shifts after the second norm | is added before it |
# | groups of a norm | 8 | 32 |
# | **dropout** (sets random features to 0 in training, against overfitting) | none | 0.1, before the second convolution |
# | parameters | 0.12 million | 35.7 million |
#
# The rest is as in your network: concatenated skips, nearest-neighbor upsampling followed by a convolution, SiLU,
# sinusoidal time embedding, and blocks whose last convolution starts at 0.

# %% [markdown]
# ### Detour · Where do 35.7 million parameters come from?
#
# The count goes down and up the network like your forward pass, with the same stack.

# %%
def conv(a, b, k=3):
    """Weights and biases of a convolution from a to b channels; k = 1: also of a linear layer."""
    return k * k * a * b + b


def block(a, b):
    """Two norms, two convolutions, the embedding's layer, and the shortcut if it needs one."""
    return 2 * a + conv(a, b) + conv(512, b, 1) + 2 * b + conv(b, b) + (a != b) * conv(a, b, 1)


def attention(c):
    """A norm, and four layers: query, key, value, output."""
    return 2 * c + 4 * conv(c, c, 1)


# %%
dims, skips, c = (128, 256, 256, 256), [128], 128  # resolutions 32, 16, 8, 4
total = conv(128, 512, 1) + conv(512, 512, 1) + conv(3, c)  # the embedding of t, conv_in
for i, dim in enumerate(dims):
    for a in (c, dim):
        total += block(a, dim) + (i == 1) * attention(dim)
    total += (i < 3) * conv(dim, dim)  # downsampling
    skips, c = skips + [dim] * (3 if i < 3 else 2), dim
total += 2 * block(c, c) + attention(c)  # the middle
for i, dim in reversed(list(enumerate(dims))):
    for a in (c, dim, dim):
        total += block(a + skips.pop(), dim) + (i == 1) * attention(dim)
    total += (i > 0) * conv(dim, dim)  # upsampling
    c = dim
total += 2 * c + conv(c, 3)  # the last norm, conv_out
print(f"{total:,} parameters; skips left on the stack: {len(skips)}")

# %% [markdown]
# ## Detour · What does a diffusion transformer replace?
#
# The other architecture of today, as a list of differences.

# %% [markdown]
# A **diffusion transformer** (DiT) [PX23] looks the same from the outside: it maps $(x_t, t)$ to the shape of $x_t$,
# so schedule, loss and samplers stay. Inside,
#
# - **patches** replace `conv_in`: each square of pixels becomes one position, or *token*, as pixel-unshuffle did in
#   chapter 12;
# - **position embeddings** are added to the tokens, because attention does not know where they are;
# - **transformer blocks**, all alike and all at *one* resolution, replace the way down, the way up and the skips.
#   Each has self-attention and then an MLP for each token, both with a residual connection;
# - **adaLN-Zero** replaces AdaGN: the embedding of t gives scale and shift for a layer norm, and a *gate* that
#   multiplies the correction and starts at 0, as `conv_2` does in your block.
#
# It gives up the built-in knowledge about neighbors and scales, which must now be learned. In return, it is one
# simple block, repeated. The cost of attention again grows as $n^2$, so DiT works on an autoencoder's latent images
# of 32 × 32 in patches of 2 × 2: 256 tokens, as many as in Ho et al.'s attention.
#
# ## Recap
#
# A U-Net is three short functions: a residual block that the time embedding scales and shifts, attention as a
# weighted average over all positions, and a stack that hands each skip to the way up. Equal outputs for equal weights
# showed that they are right, which no loss could have shown.
#
# **Two formulas to keep**
#
# $$\text{out} = \text{shortcut}(x) + c_2\big(\sigma(n_2(h)\,(1 + \text{scale}_t) + \text{shift}_t)\big), \qquad
# \text{attention} = \text{softmax}(Q K^\top / \sqrt d)\, V$$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | equal outputs for equal weights show that a network is right | it trains, so it is right | 0.38 with and without torn heads |
# | attention alone does not know positions | attention sees all, so it knows where things are | shuffled in, shuffled out |
#
# **Exercises:** 12b.1 `build.res_block` · 12b.2 `build.attend` · 12b.3 `build.attention` · 12b.4 `build.unet`
#
# **To think about.** Your network was trained on 8 × 8 images. Does it accept one of 16 × 16, and what will it make
# of it?
#
# **Before:** [12 · Which network denoises images?](12_unet.ipynb) · **Next:** [13 · How do you train at
# scale?](13_gpu_training.ipynb)
#
# **Read on:** [He16] for residual blocks, [Ron15] for the U-Net, [Vas17] for attention, [Per18] for
# FiLM, [DN21] for an ablation of the U-Net, [PX23] for the transformer.
