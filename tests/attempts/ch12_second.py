"""Second attempts at chapter 12."""

import math

import numpy as np
import torch
from torch import nn

from tests.attempts import right, wrong

# ------------------------------------------------------------------------------------- unet.size


@wrong("unet.size", "forgets the first place")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel) // stride


@wrong("unet.size", "padding counted once")
def _(n, kernel, stride, padding):
    return (n + padding - kernel) // stride + 1


@wrong("unet.size", "no stride")
def _(n, kernel, stride, padding):
    return n + 2 * padding - kernel + 1


@wrong("unet.size", "adds 1 before it divides")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel + 1) // stride


@wrong("unet.size", "divides without rounding")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel) / stride + 1


@wrong("unet.size", "rounds up")
def _(n, kernel, stride, padding):
    return math.ceil((n + 2 * padding - kernel) / stride) + 1


@right("unet.size", "moves the kernel in a loop")
def _(n, kernel, stride, padding):
    places, left = 0, -padding
    while left + kernel <= n + padding:
        places += 1
        left += stride
    return places


@right("unet.size", "the length of a range")
def _(n, kernel, stride, padding):
    return len(range(0, n + 2 * padding - kernel + 1, stride))


# ---------------------------------------------------------------------------------- unet.weights


@wrong("unet.weights", "without biases")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return 9 * enter * wide


@wrong("unet.weights", "one bias for each input channel")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return 9 * enter * wide + enter


@wrong("unet.weights", "a single bias")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return 9 * enter * wide + 1


@wrong("unet.weights", "takes the sum for the wider one")
def _(wide, skip):
    enter = 2 * wide if skip == "sum" else wide
    return 9 * enter * wide + wide


@wrong("unet.weights", "a kernel of 3 numbers")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return 3 * enter * wide + wide


@wrong("unet.weights", "the concatenated width comes out too")
def _(wide, skip):
    width = 2 * wide if skip == "concat" else wide
    return 9 * width * width + width


@right("unet.weights", "builds the convolution and counts")
def _(wide, skip):
    conv = nn.Conv2d(2 * wide if skip == "concat" else wide, wide, 3, padding=1)
    return sum(p.numel() for p in conv.parameters())


@right("unet.weights", "per feature made")
def _(wide, skip):
    return wide * ({"concat": 18, "sum": 9}[skip] * wide + 1)


# --------------------------------------------------------------------------- unet.time_embedding


@wrong("unet.time_embedding", "sines and cosines take turns")
def _(t, dim):
    f = 10000 ** (-torch.arange(dim // 2) / (dim / 2))
    angle = t[:, None] * f
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)


@wrong("unet.time_embedding", "k divided by dim")
def _(t, dim):
    f = 10000 ** (-torch.arange(dim // 2) / dim)
    angle = t[:, None] * f
    return torch.cat([angle.sin(), angle.cos()], dim=1)


@wrong("unet.time_embedding", "ends at 1/10000, as the code of the paper")
def _(t, dim):
    half = dim // 2
    f = torch.exp(-math.log(10000) * torch.arange(half) / (half - 1))
    angle = t[:, None] * f
    return torch.cat([angle.sin(), angle.cos()], dim=1)


@wrong("unet.time_embedding", "cosines first")
def _(t, dim):
    f = 10000 ** (-torch.arange(dim // 2) / (dim / 2))
    angle = t[:, None] * f
    return torch.cat([angle.cos(), angle.sin()], dim=1)


@wrong("unet.time_embedding", "no minus in the exponent")
def _(t, dim):
    f = 10000 ** (torch.arange(dim // 2) / (dim / 2))
    angle = t[:, None] * f
    return torch.cat([angle.sin(), angle.cos()], dim=1)


@wrong("unet.time_embedding", "joined along the times")
def _(t, dim):
    f = 10000 ** (-torch.arange(dim // 2) / (dim / 2))
    angle = t[:, None] * f
    return torch.cat([angle.sin(), angle.cos()])


@right("unet.time_embedding", "float32, outer product, exponential")
def _(t, dim):
    half = dim // 2
    f = torch.exp(-math.log(10000) * torch.arange(half).float() / half)
    angle = torch.outer(t.float(), f)
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1)


@right("unet.time_embedding", "numpy, fills an array")
def _(t, dim):
    out = np.zeros((len(t), dim))
    k = np.arange(dim // 2)
    angle = t.numpy()[:, None] / 10000.0 ** (2 * k / dim)
    out[:, : dim // 2] = np.sin(angle)
    out[:, dim // 2 :] = np.cos(angle)
    return out


# ------------------------------------------------------------------------------- unet.group_norm


@wrong("unet.group_norm", "divides by the variance")
def _(x, groups):
    B = len(x)
    rows = x.reshape(B, groups, -1)
    m = rows.mean(dim=2, keepdim=True)
    v = rows.var(dim=2, keepdim=True, correction=0)
    return ((rows - m) / (v + 1e-5)).reshape(x.shape)


@wrong("unet.group_norm", "the variance with n - 1")
def _(x, groups):
    rows = x.reshape(len(x), groups, -1)
    m, v = rows.mean(dim=2, keepdim=True), rows.var(dim=2, keepdim=True)
    return ((rows - m) / (v + 1e-5).sqrt()).reshape(x.shape)


@wrong("unet.group_norm", "groups of channels that are not neighbors")
def _(x, groups):
    B, C, H, W = x.shape
    rows = x.reshape(B, C // groups, groups, H, W)
    m = rows.mean(dim=(1, 3, 4), keepdim=True)
    v = rows.var(dim=(1, 3, 4), keepdim=True, correction=0)
    return ((rows - m) / (v + 1e-5).sqrt()).reshape(B, C, H, W)


@wrong("unet.group_norm", "each channel by itself")
def _(x, groups):
    m = x.mean(dim=(2, 3), keepdim=True)
    v = x.var(dim=(2, 3), keepdim=True, correction=0)
    return (x - m) / torch.sqrt(v + 1e-5)


@wrong("unet.group_norm", "over the items of the batch as well")
def _(x, groups):
    B, C, H, W = x.shape
    rows = x.reshape(B, groups, C // groups, H, W)
    m = rows.mean(dim=(0, 2, 3, 4), keepdim=True)
    v = rows.var(dim=(0, 2, 3, 4), keepdim=True, correction=0)
    return ((rows - m) / torch.sqrt(v + 1e-5)).reshape(B, C, H, W)


@wrong("unet.group_norm", "does not reshape back")
def _(x, groups):
    rows = x.reshape(len(x), groups, -1)
    m = rows.mean(dim=2, keepdim=True)
    v = rows.var(dim=2, keepdim=True, correction=0)
    return (rows - m) / torch.sqrt(v + 1e-5)


@right("unet.group_norm", "loops over items and groups")
def _(x, groups):
    out = torch.empty_like(x)
    size = x.shape[1] // groups
    for b in range(len(x)):
        for g in range(groups):
            part = x[b, g * size : (g + 1) * size]
            m = part.mean()
            v = ((part - m) ** 2).mean()
            out[b, g * size : (g + 1) * size] = (part - m) / (v + 1e-5) ** 0.5
    return out


@right("unet.group_norm", "numpy, five axes, float32")
def _(x, groups):
    B, C, H, W = x.shape
    y = x.numpy().astype(np.float32).reshape(B, groups, C // groups, H, W)
    m, v = y.mean((2, 3, 4), keepdims=True), y.var((2, 3, 4), keepdims=True)
    return torch.from_numpy(((y - m) / np.sqrt(v + 1e-5)).reshape(B, C, H, W))


# -------------------------------------------------------------------------------- unet.unshuffle


@wrong("unet.unshuffle", "one reshape")
def _(x, p):
    B, C, H, W = x.shape
    return x.reshape(B, C * p * p, H // p, W // p)


@wrong("unet.unshuffle", "splits the sides as (p, H/p)")
def _(x, p):
    B, C, H, W = x.shape
    six = x.reshape(B, C, p, H // p, p, W // p)
    return six.permute(0, 1, 2, 4, 3, 5).reshape(B, C * p * p, H // p, W // p)


@wrong("unet.unshuffle", "column by column")
def _(x, p):
    B, C, H, W = x.shape
    six = x.reshape(B, C, H // p, p, W // p, p)
    return six.permute(0, 1, 5, 3, 2, 4).reshape(B, C * p * p, H // p, W // p)


@wrong("unet.unshuffle", "all channels of the first place first")
def _(x, p):
    return torch.cat([x[:, :, i::p, j::p] for i in range(p) for j in range(p)], dim=1)


@wrong("unet.unshuffle", "the other direction")
def _(x, p):
    return nn.functional.pixel_shuffle(x, p)


@wrong("unet.unshuffle", "stays with six axes")
def _(x, p):
    B, C, H, W = x.shape
    return x.reshape(B, C, H // p, p, W // p, p).permute(0, 1, 3, 5, 2, 4)


@right("unet.unshuffle", "stacks shifted grids")
def _(x, p):
    grids = [x[:, :, i::p, j::p] for i in range(p) for j in range(p)]
    return torch.stack(grids, dim=2).flatten(1, 2)


@right("unet.unshuffle", "a loop over all channels, numpy")
def _(x, p):
    B, C, H, W = x.shape
    out = np.zeros((B, C * p * p, H // p, W // p), dtype=np.float64)
    for c in range(C):
        for i in range(p):
            for j in range(p):
                out[:, c * p * p + i * p + j] = x[:, c, i::p, j::p]
    return out


# --------------------------------------------------------------------------------- unet.same_run


@wrong("unet.same_run", "both rates divided")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam / n, eps


@wrong("unet.same_run", "eps left alone")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, eps


@wrong("unet.same_run", "eps divided")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, eps / n


@wrong("unet.same_run", "SGD's rate multiplied")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd * n, lr_adam, eps * n


@wrong("unet.same_run", "eps as if it stood under the root")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, eps * n**2


@wrong("unet.same_run", "everything divided")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam / n, eps / n


@right("unet.same_run", "a list")
def _(n, lr_sgd, lr_adam, eps):
    return [lr_sgd / n, lr_adam, n * eps]


@right("unet.same_run", "a tensor")
def _(n, lr_sgd, lr_adam, eps):
    factor = torch.tensor([1 / n, 1.0, n], dtype=torch.float64)
    return torch.tensor([lr_sgd, lr_adam, eps], dtype=torch.float64) * factor


# unet.time_embedding, without the minus


@wrong("unet.time_embedding", "a power without its minus")
def _(t, dim):
    f = 10_000 ** (torch.arange(dim // 2) / (dim // 2))
    angle = t[:, None] * f
    return torch.cat([angle.sin(), angle.cos()], dim=1)


@wrong("unet.time_embedding", "an exponential without its minus")
def _(t, dim):
    f = torch.exp(math.log(10_000) * torch.arange(dim // 2) / (dim // 2))
    angle = t[:, None].float() * f[None]
    return torch.cat([angle.sin(), angle.cos()], dim=-1)
