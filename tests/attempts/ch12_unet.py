"""Attempts at the exercises of chapter 12."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ddpm_lab import networks
from tests.attempts import right, wrong

# 12.1 unet.size


@wrong("unet.size", "forgets the first place")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel) // stride


@wrong("unet.size", "padding at one end only")
def _(n, kernel, stride, padding):
    return (n + padding - kernel) // stride + 1


@wrong("unet.size", "no padding")
def _(n, kernel, stride, padding):
    return (n - kernel) // stride + 1


@wrong("unet.size", "no stride")
def _(n, kernel, stride, padding):
    return n + 2 * padding - kernel + 1


@wrong("unet.size", "the 1 added before the division")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel + 1) // stride


@wrong("unet.size", "no parentheses")
def _(n, kernel, stride, padding):
    return n + 2 * padding - kernel // stride + 1


@wrong("unet.size", "not rounded")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel) / stride + 1


@wrong("unet.size", "rounded up")
def _(n, kernel, stride, padding):
    return math.ceil((n + 2 * padding - kernel) / stride) + 1


@wrong("unet.size", "round instead of rounding down")
def _(n, kernel, stride, padding):
    return round((n + 2 * padding - kernel) / stride + 1)


@wrong("unet.size", "the kernel does not count")
def _(n, kernel, stride, padding):
    return (n + 2 * padding) // stride


@wrong("unet.size", "half a kernel at each end is lost")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - 2 * (kernel // 2)) // stride


@wrong("unet.size", "stride minus 1, as if it were a gap between kernels")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel) // (stride + 1) + 1


@wrong("unet.size", "kernels side by side, stride forgotten")
def _(n, kernel, stride, padding):
    return (n + 2 * padding) // kernel


@wrong("unet.size", "sign of the padding")
def _(n, kernel, stride, padding):
    return (n - 2 * padding - kernel) // stride + 1


@wrong("unet.size", "one place too many, plus 1 also for the stride")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel + stride) // stride + 1


@wrong("unet.size", "assumes a kernel of 3")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - 3) // stride + 1


@wrong("unet.size", "a range without its last place")
def _(n, kernel, stride, padding):
    return len(range(0, n + 2 * padding - kernel, stride))


@wrong("unet.size", "divides with a comma")
def _(n, kernel, stride, padding):
    return math.floor((n + 2 * padding - kernel), stride) + 1


@right("unet.size", "the formula")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel) // stride + 1


@right("unet.size", "the 1 pulled into the fraction")
def _(n, kernel, stride, padding):
    return (n + 2 * padding - kernel + stride) // stride


@right("unet.size", "counts by moving the kernel")
def _(n, kernel, stride, padding):
    places, left = 0, -padding
    while left + kernel <= n + padding:
        places += 1
        left += stride
    return places


@right("unet.size", "length of a range")
def _(n, kernel, stride, padding):
    return len(range(0, n + 2 * padding - kernel + 1, stride))


@right("unet.size", "numpy's floor, made whole")
def _(n, kernel, stride, padding):
    return np.int64(np.floor((n + 2 * padding - kernel) / stride) + 1)


@right("unet.size", "asks a convolution")
def _(n, kernel, stride, padding):
    conv = nn.Conv1d(1, 1, kernel, stride=stride, padding=padding)
    return conv(torch.zeros(1, 1, n)).shape[-1]


# 12.2 unet.weights


@wrong("unet.weights", "no biases")
def _(wide, skip):
    return 9 * wide * wide * (2 if skip == "concat" else 1)


@wrong("unet.weights", "a bias for each channel that enters")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return 9 * enter * wide + enter


@wrong("unet.weights", "concat doubles what leaves, too")
def _(wide, skip):
    channels = 2 * wide if skip == "concat" else wide
    return 9 * channels * channels + channels


@wrong("unet.weights", "twice the whole layer for concat, biases too")
def _(wide, skip):
    one = 9 * wide * wide + wide
    return 2 * one if skip == "concat" else one


@wrong("unet.weights", "concat and sum swapped")
def _(wide, skip):
    enter = wide if skip == "concat" else 2 * wide
    return 9 * enter * wide + wide


@wrong("unet.weights", "forgets the kernel")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return enter * wide + wide


@wrong("unet.weights", "kernel of 3 weights, not 3 x 3")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return 3 * enter * wide + wide


@wrong("unet.weights", "one kernel for each feature, whatever enters")
def _(wide, skip):
    return 9 * wide + wide


@wrong("unet.weights", "the same for both: the result has the same size")
def _(wide, skip):
    return 9 * wide * wide + wide


@wrong("unet.weights", "concat for both: 2 wide features come in any case")
def _(wide, skip):
    return 9 * 2 * wide * wide + wide


@wrong("unet.weights", "one bias for the layer")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return 9 * enter * wide + 1


@wrong("unet.weights", "a bias for each kernel")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return (9 + 1) * enter * wide


@wrong("unet.weights", "the difference between the two")
def _(wide, skip):
    return 9 * wide * wide


@wrong("unet.weights", "asks for another word")
def _(wide, skip):
    enter = 2 * wide if skip == "concatenate" else wide
    return 9 * enter * wide + wide


@wrong("unet.weights", "only the case of concat")
def _(wide, skip):
    if skip == "concat":
        return 9 * 2 * wide * wide + wide


@wrong("unet.weights", "always 16 features")
def _(wide, skip):
    return 4624 if skip == "concat" else 2320


@wrong("unet.weights", "asks the layer for a size that it does not have")
def _(wide, skip):
    conv = nn.Conv2d(2 * wide if skip == "concat" else wide, wide, 3)
    return conv.numel()


@wrong("unet.weights", "the layer's weight only, without its bias")
def _(wide, skip):
    conv = nn.Conv2d(2 * wide if skip == "concat" else wide, wide, 3)
    return conv.weight.numel()


@right("unet.weights", "channels in times channels out times 9, and biases")
def _(wide, skip):
    enter = 2 * wide if skip == "concat" else wide
    return 3 * 3 * enter * wide + wide


@right("unet.weights", "counts those of a layer")
def _(wide, skip):
    conv = nn.Conv2d({"concat": 2, "sum": 1}[skip] * wide, wide, 3, padding=1)
    return sum(p.numel() for p in conv.parameters())


@right("unet.weights", "factored, numpy")
def _(wide, skip):
    return np.int64(wide) * (18 * wide + 1 if skip == "concat" else 9 * wide + 1)


@right("unet.weights", "a loop over the features, a 0-d tensor")
def _(wide, skip):
    total = torch.tensor(0)
    for _feature in range(wide):
        total += 1
        for _source in ("below", "twin") if skip == "concat" else ("both together",):
            total += 3 * 3 * wide
    return total


# 12.3 unet.time_embedding


def _freq(dim):
    half = dim // 2
    return 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)


@wrong("unet.time_embedding", "cosines first, as in diffusers' flip_sin_to_cos")
def _(t, dim):
    x = t[:, None] * _freq(dim)
    return torch.cat([x.cos(), x.sin()], dim=1)


@wrong("unet.time_embedding", "sine and cosine in turn, as in the Transformer")
def _(t, dim):
    x = t[:, None] * _freq(dim)
    return torch.stack([x.sin(), x.cos()], dim=2).flatten(1)


@wrong("unet.time_embedding", "k / d in the exponent")
def _(t, dim):
    f = 10000.0 ** (-torch.arange(dim // 2, dtype=torch.float64) / dim)
    x = t[:, None] * f
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "d/2 - 1 in the exponent, as in Ho's code")
def _(t, dim):
    half = dim // 2
    f = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float64) / (half - 1))
    x = t[:, None] * f
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "sign of the exponent")
def _(t, dim):
    x = t[:, None] * (1 / _freq(dim))
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "2 pi in the waves")
def _(t, dim):
    x = 2 * math.pi * t[:, None] * _freq(dim)
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "t divided by 1000")
def _(t, dim):
    x = t[:, None] / 1000 * _freq(dim)
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "times counted from 0")
def _(t, dim):
    x = (t[:, None] - 1) * _freq(dim)
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "k from 1")
def _(t, dim):
    half = dim // 2
    f = 10000.0 ** (-torch.arange(1, half + 1, dtype=torch.float64) / half)
    x = t[:, None] * f
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "dim frequencies, twice as many features")
def _(t, dim):
    f = 10000.0 ** (-torch.arange(dim, dtype=torch.float64) / dim)
    x = t[:, None] * f
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "sines only")
def _(t, dim):
    f = 10000.0 ** (-torch.arange(dim, dtype=torch.float64) / dim)
    return (t[:, None] * f).sin()


@wrong("unet.time_embedding", "the cosines under the sines")
def _(t, dim):
    x = t[:, None] * _freq(dim)
    return torch.cat([x.sin(), x.cos()])


@wrong("unet.time_embedding", "an axis for sine and cosine")
def _(t, dim):
    x = t[:, None] * _freq(dim)
    return torch.stack([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "1000 for 10000")
def _(t, dim):
    half = dim // 2
    x = t[:, None] * 1000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "exp without the logarithm of 10000")
def _(t, dim):
    half = dim // 2
    x = t[:, None] * torch.exp(-torch.arange(half, dtype=torch.float64) / half)
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "log10 for log in the exponent")
def _(t, dim):
    half = dim // 2
    f = torch.exp(-math.log10(10000) * torch.arange(half, dtype=torch.float64) / half)
    x = t[:, None] * f
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "whole-number division in the exponent")
def _(t, dim):
    half = dim // 2
    x = t[:, None] * 10000.0 ** (-torch.arange(half) // half)
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "sin(t) times f instead of sin of t f")
def _(t, dim):
    f = _freq(dim)
    return torch.cat([t[:, None].sin() * f, t[:, None].cos() * f], dim=1)


@wrong("unet.time_embedding", "frequencies laid out by linspace, last one 1/10000")
def _(t, dim):
    x = t[:, None] * torch.logspace(0, -4, dim // 2, dtype=torch.float64)
    return torch.cat([x.sin(), x.cos()], dim=1)


@wrong("unet.time_embedding", "t as a row")
def _(t, dim):
    x = t * _freq(dim)
    return torch.cat([x.sin(), x.cos()])


@wrong("unet.time_embedding", "math.sin of a tensor")
def _(t, dim):
    x = t[:, None] * _freq(dim)
    return torch.cat([math.sin(x), math.cos(x)], dim=1)


@right("unet.time_embedding", "as (12.4)")
def _(t, dim):
    half = dim // 2
    f = 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    x = t[:, None] * f
    return torch.cat([x.sin(), x.cos()], dim=1)


@right("unet.time_embedding", "float32, with exp and log")
def _(t, dim):
    half = dim // 2
    f = torch.exp(-math.log(10000) * torch.arange(half) / half)
    x = t[:, None].float() * f
    return torch.cat([torch.sin(x), torch.cos(x)], dim=-1)


@right("unet.time_embedding", "whole numbers in the power, float32 by default")
def _(t, dim):
    half = dim // 2
    x = t[:, None] * 10000 ** (-torch.arange(half) / half)
    return torch.hstack([x.sin(), x.cos()])


@right("unet.time_embedding", "numpy")
def _(t, dim):
    half = dim // 2
    x = np.outer(t.numpy(), 10000.0 ** (-np.arange(half) / half))
    return np.concatenate([np.sin(x), np.cos(x)], axis=1)


@right("unet.time_embedding", "lists")
def _(t, dim):
    half = dim // 2
    f = [1 / 10000 ** (k / half) for k in range(half)]
    rows = []
    for when in t.tolist():
        rows.append([math.sin(when * g) for g in f] + [math.cos(when * g) for g in f])
    return rows


@right("unet.time_embedding", "the package's function")
def _(t, dim):
    return networks.time_embedding(t, dim)


# 12.4 unet.group_norm


@wrong("unet.group_norm", "variance with n - 1, torch's default")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    g = (g - g.mean(2, keepdim=True)) / (g.var(2, keepdim=True) + 1e-5).sqrt()
    return g.reshape(x.shape)


@wrong("unet.group_norm", "divides by the variance")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    g = (g - g.mean(2, keepdim=True)) / (g.var(2, keepdim=True, correction=0) + 1e-5)
    return g.reshape(x.shape)


@wrong("unet.group_norm", "1e-5 added to the standard deviation")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    g = (g - g.mean(2, keepdim=True)) / (g.std(2, keepdim=True, correction=0) + 1e-5)
    return g.reshape(x.shape)


@wrong("unet.group_norm", "no 1e-5: an even group becomes nan")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    g = (g - g.mean(2, keepdim=True)) / g.std(2, keepdim=True, correction=0)
    return g.reshape(x.shape)


@wrong("unet.group_norm", "1e-8, Adam's eps")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    g = (g - g.mean(2, keepdim=True)) / (g.var(2, keepdim=True, correction=0) + 1e-8).sqrt()
    return g.reshape(x.shape)


@wrong("unet.group_norm", "does not subtract the mean")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    return (g / (g.var(2, keepdim=True, correction=0) + 1e-5).sqrt()).reshape(x.shape)


@wrong("unet.group_norm", "subtracts the mean and stops")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    return (g - g.mean(2, keepdim=True)).reshape(x.shape)


@wrong("unet.group_norm", "precedence: only the mean is divided")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    g = g - g.mean(2, keepdim=True) / (g.var(2, keepdim=True, correction=0) + 1e-5).sqrt()
    return g.reshape(x.shape)


@wrong("unet.group_norm", "does not reshape back")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    return (g - g.mean(2, keepdim=True)) / (g.var(2, keepdim=True, correction=0) + 1e-5).sqrt()


@wrong("unet.group_norm", "groups over the whole batch")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    m = g.mean((0, 2), keepdim=True)
    v = g.var((0, 2), keepdim=True, correction=0)
    return ((g - m) / (v + 1e-5).sqrt()).reshape(x.shape)


@wrong("unet.group_norm", "batch norm")
def _(x, groups):
    return F.batch_norm(x, None, None, training=True)


@wrong("unet.group_norm", "layer norm: one group of all channels")
def _(x, groups):
    g = x.reshape(len(x), 1, -1)
    g = (g - g.mean(2, keepdim=True)) / (g.var(2, keepdim=True, correction=0) + 1e-5).sqrt()
    return g.reshape(x.shape)


@wrong("unet.group_norm", "instance norm: each channel by itself")
def _(x, groups):
    m = x.mean((2, 3), keepdim=True)
    v = x.var((2, 3), keepdim=True, correction=0)
    return (x - m) / (v + 1e-5).sqrt()


@wrong("unet.group_norm", "takes groups for the size of a group")
def _(x, groups):
    g = x.reshape(len(x), x.shape[1] // groups, -1)
    g = (g - g.mean(2, keepdim=True)) / (g.var(2, keepdim=True, correction=0) + 1e-5).sqrt()
    return g.reshape(x.shape)


@wrong("unet.group_norm", "every groups-th channel, not neighbors")
def _(x, groups):
    b, c, h, w = x.shape
    g = x.reshape(b, c // groups, groups, h, w)
    m = g.mean((1, 3, 4), keepdim=True)
    v = g.var((1, 3, 4), keepdim=True, correction=0)
    return ((g - m) / (v + 1e-5).sqrt()).reshape(x.shape)


@wrong("unet.group_norm", "over the channels of a group, point by point")
def _(x, groups):
    b, c, h, w = x.shape
    g = x.reshape(b, groups, c // groups, h, w)
    m, v = g.mean(2, keepdim=True), g.var(2, keepdim=True, correction=0)
    return ((g - m) / (v + 1e-5).sqrt()).reshape(x.shape)


@wrong("unet.group_norm", "along the groups instead of within them")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    g = (g - g.mean(1, keepdim=True)) / (g.var(1, keepdim=True, correction=0) + 1e-5).sqrt()
    return g.reshape(x.shape)


@wrong("unet.group_norm", "variance about 0")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    v = (g**2).mean(2, keepdim=True)
    return ((g - g.mean(2, keepdim=True)) / (v + 1e-5).sqrt()).reshape(x.shape)


@wrong("unet.group_norm", "no keepdim")
def _(x, groups):
    g = x.reshape(len(x), groups, -1)
    g = (g - g.mean(2)) / (g.var(2, correction=0) + 1e-5).sqrt()
    return g.reshape(x.shape)


@wrong("unet.group_norm", "torch's function with channels and groups swapped")
def _(x, groups):
    return nn.GroupNorm(x.shape[1], groups)(x)


@right("unet.group_norm", "by the hint")
def _(x, groups):
    g = x.reshape(x.shape[0], groups, -1)
    mean = g.mean(dim=2, keepdim=True)
    var = g.var(dim=2, keepdim=True, correction=0)
    return ((g - mean) / torch.sqrt(var + 1e-5)).reshape(x.shape)


@right("unet.group_norm", "torch's own")
def _(x, groups):
    return F.group_norm(x, groups)


@right("unet.group_norm", "layer norm of the rows")
def _(x, groups):
    rows = x.reshape(len(x), groups, -1)
    return F.layer_norm(rows, rows.shape[2:]).view_as(x)


@right("unet.group_norm", "a loop over items and groups")
def _(x, groups):
    out = torch.empty_like(x)
    size = x.shape[1] // groups
    for b in range(x.shape[0]):
        for g in range(groups):
            part = x[b, g * size : (g + 1) * size]
            centered = part - part.mean()
            out[b, g * size : (g + 1) * size] = centered / ((centered**2).mean() + 1e-5) ** 0.5
    return out


@right("unet.group_norm", "five axes")
def _(x, groups):
    b, c, h, w = x.shape
    g = x.view(b, groups, c // groups, h, w)
    v, m = torch.var_mean(g, dim=(2, 3, 4), keepdim=True, correction=0)
    return ((g - m) * torch.rsqrt(v + 1e-5)).flatten(1, 2)


@right("unet.group_norm", "numpy")
def _(x, groups):
    a = x.detach().numpy().reshape(len(x), groups, -1)
    a = (a - a.mean(axis=2, keepdims=True)) / np.sqrt(a.var(axis=2, keepdims=True) + 1e-5)
    return a.reshape(tuple(x.shape))


# 12.5 unet.unshuffle


@wrong("unet.unshuffle", "reshape alone")
def _(x, p):
    b, c, h, w = x.shape
    return x.reshape(b, c * p * p, h // p, w // p)


@wrong("unet.unshuffle", "the place in the square first, then the color")
def _(x, p):
    b, c, h, w = x.shape
    x = x.reshape(b, c, h // p, p, w // p, p)
    return x.permute(0, 3, 5, 1, 2, 4).reshape(b, c * p * p, h // p, w // p)


@wrong("unet.unshuffle", "slices side by side: right for one color only")
def _(x, p):
    return torch.cat([x[:, :, i::p, j::p] for i in range(p) for j in range(p)], dim=1)


@wrong("unet.unshuffle", "the squares column by column")
def _(x, p):
    b, c, h, w = x.shape
    x = x.reshape(b, c, h // p, p, w // p, p)
    return x.permute(0, 1, 5, 3, 2, 4).reshape(b, c * p * p, h // p, w // p)


@wrong("unet.unshuffle", "splits into (p, H/p): quarters of the picture as channels")
def _(x, p):
    b, c, h, w = x.shape
    x = x.reshape(b, c, p, h // p, p, w // p)
    return x.permute(0, 1, 2, 4, 3, 5).reshape(b, c * p * p, h // p, w // p)


@wrong("unet.unshuffle", "no permute")
def _(x, p):
    b, c, h, w = x.shape
    x = x.reshape(b, c, h // p, p, w // p, p)
    return x.reshape(b, c * p * p, h // p, w // p)


@wrong("unet.unshuffle", "height and width swapped in the permute")
def _(x, p):
    b, c, h, w = x.shape
    x = x.reshape(b, c, h // p, p, w // p, p)
    return x.permute(0, 1, 3, 5, 4, 2).reshape(b, c * p * p, h // p, w // p)


@wrong("unet.unshuffle", "the order of the way back: places before squares")
def _(x, p):
    b, c, h, w = x.shape
    x = x.reshape(b, c, h // p, p, w // p, p)
    return x.permute(0, 1, 2, 4, 3, 5).reshape(b, c * p * p, h // p, w // p)


@wrong("unet.unshuffle", "the inverse")
def _(x, p):
    return F.pixel_shuffle(x, p)


@wrong("unet.unshuffle", "the mean of each square")
def _(x, p):
    return F.avg_pool2d(x, p)


@wrong("unet.unshuffle", "one pixel of each square")
def _(x, p):
    return x[:, :, ::p, ::p]


@wrong("unet.unshuffle", "one coarse picture, repeated")
def _(x, p):
    return x[:, :, ::p, ::p].repeat(1, p * p, 1, 1)


@wrong("unet.unshuffle", "squares of 2 x 2 only")
def _(x, p):
    return F.pixel_unshuffle(x, 2)


@wrong("unet.unshuffle", "gray pictures only: the colors are lost")
def _(x, p):
    b, _, h, w = x.shape
    x = x[:, 0].reshape(b, h // p, p, w // p, p)
    return x.permute(0, 2, 4, 1, 3).reshape(b, p * p, h // p, w // p)


@wrong("unet.unshuffle", "takes the width to be the height")
def _(x, p):
    b, c, h = x.shape[:3]
    x = x.reshape(b, c, h // p, p, h // p, p)
    return x.permute(0, 1, 3, 5, 2, 4).reshape(b, c * p * p, h // p, h // p)


@wrong("unet.unshuffle", "unfold, without going back to a grid")
def _(x, p):
    return F.unfold(x, p, stride=p)


@wrong("unet.unshuffle", "view after permute")
def _(x, p):
    b, c, h, w = x.shape
    x = x.view(b, c, h // p, p, w // p, p).permute(0, 1, 3, 5, 2, 4)
    return x.view(b, c * p * p, h // p, w // p)


@wrong("unet.unshuffle", "numbers that are not whole, from /")
def _(x, p):
    b, c, h, w = x.shape
    x = x.reshape(b, c, h / p, p, w / p, p)
    return x.permute(0, 1, 3, 5, 2, 4).reshape(b, c * p**2, h / p, w / p)


@right("unet.unshuffle", "by the hint")
def _(x, p):
    b, c, h, w = x.shape
    x = x.reshape(b, c, h // p, p, w // p, p)
    return x.permute(0, 1, 3, 5, 2, 4).reshape(b, c * p * p, h // p, w // p)


@right("unet.unshuffle", "torch's own")
def _(x, p):
    return F.pixel_unshuffle(x, p)


@right("unet.unshuffle", "slices, stacked behind the colors")
def _(x, p):
    slices = [x[:, :, i::p, j::p] for i in range(p) for j in range(p)]
    return torch.stack(slices, dim=2).flatten(1, 2)


@right("unet.unshuffle", "unfold and back to a grid")
def _(x, p):
    h, w = x.shape[2] // p, x.shape[3] // p
    return F.unfold(x, p, stride=p).reshape(len(x), -1, h, w)


@right("unet.unshuffle", "a tensor's own unfold, once for each side")
def _(x, p):
    squares = x.unfold(2, p, p).unfold(3, p, p)
    return squares.permute(0, 1, 4, 5, 2, 3).flatten(1, 3)


@right("unet.unshuffle", "loops in numpy")
def _(x, p):
    a = x.numpy()
    b, c, h, w = a.shape
    out = np.zeros((b, c * p * p, h // p, w // p), dtype=a.dtype)
    for k in range(c):
        for i in range(p):
            for j in range(p):
                out[:, (k * p + i) * p + j] = a[:, k, i::p, j::p]
    return out


# 12.6 unet.same_run


@wrong("unet.same_run", "eps forgotten")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, eps


@wrong("unet.same_run", "eps divided, too")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, eps / n


@wrong("unet.same_run", "all divided")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam / n, eps / n


@wrong("unet.same_run", "Adam's rate divided like SGD's")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam / n, eps * n


@wrong("unet.same_run", "SGD's rate times n")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd * n, lr_adam, eps * n


@wrong("unet.same_run", "eps times the root of n")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, eps * math.sqrt(n)


@wrong("unet.same_run", "eps times n squared, because v has g squared")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, eps * n**2


@wrong("unet.same_run", "the root of n for SGD")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / math.sqrt(n), lr_adam, eps * n


@wrong("unet.same_run", "Adam's rate times n")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam * n, eps * n


@wrong("unet.same_run", "nothing changes")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd, lr_adam, eps


@wrong("unet.same_run", "SGD's rate as it was")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd, lr_adam, eps * n


@wrong("unet.same_run", "Adam first")
def _(n, lr_sgd, lr_adam, eps):
    return lr_adam, n * eps, lr_sgd / n


@wrong("unet.same_run", "the two rates only")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam


@wrong("unet.same_run", "SGD only")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n


@wrong("unet.same_run", "64 pixels always")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / 64, lr_adam, eps * 64


@wrong("unet.same_run", "// for /")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd // n, lr_adam, eps * n


@wrong("unet.same_run", "Adam's default for eps, whatever it was")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, 1e-8 * n


@wrong("unet.same_run", "a name that is not there")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, adam_eps * n  # noqa: F821


@right("unet.same_run", "a tuple")
def _(n, lr_sgd, lr_adam, eps):
    return lr_sgd / n, lr_adam, n * eps


@right("unet.same_run", "a list")
def _(n, lr_sgd, lr_adam, eps):
    rate = lr_sgd * (1 / n)
    return [rate, lr_adam, eps / (1 / n)]


@right("unet.same_run", "a tensor")
def _(n, lr_sgd, lr_adam, eps):
    old = torch.tensor([lr_sgd, lr_adam, eps], dtype=torch.float64)
    return old * torch.tensor([1 / n, 1, n])


@right("unet.same_run", "numpy")
def _(n, lr_sgd, lr_adam, eps):
    return np.array([lr_sgd, lr_adam, eps]) * np.array([n, 1, 1 / n]) ** -1.0


@right("unet.same_run", "0-d tensors")
def _(n, lr_sgd, lr_adam, eps):
    return torch.tensor(lr_sgd / n), torch.tensor(lr_adam), torch.tensor(eps * n)
