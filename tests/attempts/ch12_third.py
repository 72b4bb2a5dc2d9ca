"""More attempts at the exercises of chapter 12, in one line each where that is enough."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.attempts import right, wrong


def wv(freq, join=lambda s, c: torch.cat([s, c], 1)):

    def f(t, dim):
        a = t[:, None].double() * freq(dim)
        return join(a.sin(), a.cos())

    return f


def fr(d):
    return 10000.0 ** (-torch.arange(d // 2, dtype=torch.float64) / (d // 2))


def gn(shape, dims, unb=False, eps=1e-05, root=True):

    def f(x, groups):
        y = x.reshape(shape(x, groups))
        m = y.mean(dims, keepdim=True)
        v = y.var(dims, keepdim=True, unbiased=unb)
        return ((y - m) / ((v + eps).sqrt() if root else v + eps)).reshape(x.shape)

    return f


def sg(x, g):
    return (x.shape[0], g, -1)


wrong("unet.size", "ceil", lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1)
wrong("unet.size", "one padding", lambda n, k, s, p: (n + p - k) // s + 1)
wrong("unet.size", "no + 1", lambda n, k, s, p: (n + 2 * p - k) // s)
wrong("unet.size", "+1 inside", lambda n, k, s, p: (n + 2 * p - k + 1) // s)
wrong("unet.size", "n / s", lambda n, k, s, p: n // s)
wrong("unet.size", "float", lambda n, k, s, p: (n + 2 * p - k) / s + 1)
wrong("unet.size", "round", lambda n, k, s, p: round((n + 2 * p - k) / s + 1))
wrong("unet.size", "kernel 3", lambda n, k, s, p: (n + 2 * p - 3) // s + 1)
right("unet.size", "range", lambda n, k, s, p: len(range(0, n + 2 * p - k + 1, s)))
right(
    "unet.size",
    "conv",
    lambda n, k, s, p: F.conv1d(
        torch.zeros(1, 1, n), torch.zeros(1, 1, k), stride=s, padding=p
    ).shape[-1],
)
right("unet.size", "floor float", lambda n, k, s, p: math.floor((n + 2 * p - k) / s + 1))
right("unet.size", "float that is whole", lambda n, k, s, p: (n + 2 * p - k) // s + 1.0)
wrong("unet.weights", "no bias", lambda w, skip: 9 * w * w * (2 if skip == "concat" else 1))
wrong(
    "unet.weights",
    "bias 2w",
    lambda w, skip: 9 * w * w * (2 if skip == "concat" else 1) + (2 * w if skip == "concat" else w),
)
wrong("unet.weights", "swapped", lambda w, skip: 9 * w * w * (1 if skip == "concat" else 2) + w)
wrong("unet.weights", "one bias", lambda w, skip: 9 * w * w * (2 if skip == "concat" else 1) + 1)
wrong(
    "unet.weights",
    "out 2w",
    lambda w, skip: 9 * 2 * w * 2 * w + 2 * w if skip == "concat" else 9 * w * w + w,
)
wrong("unet.weights", "kernel 3", lambda w, skip: 3 * w * w * (2 if skip == "concat" else 1) + w)
wrong("unet.weights", "concat only", lambda w, skip: 18 * w * w + w)
wrong("unet.weights", "sum None", lambda w, skip: 18 * w * w + w if skip == "concat" else None)
right(
    "unet.weights",
    "count parameters",
    lambda w, skip: sum(
        p.numel() for p in nn.Conv2d(w * (1 + (skip == "concat")), w, 3).parameters()
    ),
)
right(
    "unet.weights",
    "tensor",
    lambda w, skip: torch.tensor(w * (9 * w * (2 if skip == "concat" else 1) + 1)),
)
wrong("unet.time_embedding", "interleaved", wv(fr, lambda s, c: torch.stack([s, c], 2).flatten(1)))
wrong("unet.time_embedding", "cos first", wv(fr, lambda s, c: torch.cat([c, s], 1)))
wrong(
    "unet.time_embedding",
    "d/2-1",
    wv(lambda d: 10000.0 ** (-torch.arange(d // 2, dtype=torch.float64) / (d // 2 - 1))),
)
wrong(
    "unet.time_embedding",
    "/dim",
    wv(lambda d: 10000.0 ** (-torch.arange(d // 2, dtype=torch.float64) / d)),
)
wrong(
    "unet.time_embedding",
    "plus",
    wv(lambda d: 10000.0 ** (torch.arange(d // 2, dtype=torch.float64) / (d // 2))),
)
wrong(
    "unet.time_embedding",
    "k from 1",
    wv(lambda d: 10000.0 ** (-torch.arange(1, d // 2 + 1, dtype=torch.float64) / (d // 2))),
)
wrong("unet.time_embedding", "2 pi", wv(lambda d: 2 * math.pi * fr(d)))
wrong(
    "unet.time_embedding",
    "1000",
    wv(lambda d: 1000.0 ** (-torch.arange(d // 2, dtype=torch.float64) / (d // 2))),
)
wrong("unet.time_embedding", "sines only", wv(fr, lambda s, c: torch.cat([s, s], 1)))
wrong(
    "unet.time_embedding",
    "dim axis 0",
    lambda t, dim: torch.cat([(fr(dim)[:, None] * t).sin(), (fr(dim)[:, None] * t).cos()]),
)
right(
    "unet.time_embedding",
    "einsum",
    lambda t, dim: (lambda a: torch.cat([a.sin(), a.cos()], -1))(
        torch.einsum("b,k->bk", t.float(), fr(dim).float())
    ),
)
right(
    "unet.time_embedding",
    "numpy outer",
    lambda t, dim: (lambda a: np.hstack([np.sin(a), np.cos(a)]))(
        np.outer(t.numpy(), np.exp(-np.log(10000.0) * np.arange(dim // 2) / (dim // 2)))
    ),
)
right(
    "unet.time_embedding",
    "complex",
    lambda t, dim: (lambda z: torch.cat([z.imag, z.real], 1))(
        torch.polar(torch.ones(len(t), dim // 2, dtype=torch.float64), t[:, None] * fr(dim))
    ),
)
right(
    "unet.time_embedding",
    "lists",
    lambda t, dim: [
        [math.sin(x * 10000 ** (-k / (dim // 2))) for k in range(dim // 2)]
        + [math.cos(x * 10000 ** (-k / (dim // 2))) for k in range(dim // 2)]
        for x in t.tolist()
    ],
)
wrong("unet.group_norm", "unbiased", gn(sg, -1, unb=True))
wrong("unet.group_norm", "no root", gn(sg, -1, root=False))
wrong("unet.group_norm", "no eps", gn(sg, -1, eps=0))
wrong(
    "unet.group_norm",
    "batch",
    lambda x, g: (
        (x - x.mean((0, 2, 3), keepdim=True))
        / (x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-05).sqrt()
    ),
)
wrong("unet.group_norm", "layer", lambda x, g: gn(sg, -1)(x, 1))
wrong("unet.group_norm", "instance", lambda x, g: gn(sg, -1)(x, x.shape[1]))
wrong(
    "unet.group_norm",
    "interleaved groups",
    lambda x, g: (
        lambda y: (
            (y - y.mean((1, 3, 4), keepdim=True))
            / (y.var((1, 3, 4), keepdim=True, unbiased=False) + 1e-05).sqrt()
        ).reshape(x.shape)
    )(x.reshape(len(x), -1, g, *x.shape[2:])),
)
wrong("unet.group_norm", "groups as size", lambda x, g: gn(sg, -1)(x, x.shape[1] // g))
wrong(
    "unet.group_norm",
    "pixel by pixel",
    lambda x, g: (
        lambda y: (
            (y - y.mean(2, keepdim=True)) / (y.var(2, keepdim=True, unbiased=False) + 1e-05).sqrt()
        ).reshape(x.shape)
    )(x.reshape(len(x), g, -1, *x.shape[2:])),
)
wrong(
    "unet.group_norm",
    "eps on the std",
    lambda x, g: (
        lambda y: (
            (y - y.mean(-1, keepdim=True)) / (y.std(-1, keepdim=True, unbiased=False) + 1e-05)
        ).reshape(x.shape)
    )(x.reshape(len(x), g, -1)),
)
wrong(
    "unet.group_norm",
    "across items",
    lambda x, g: (
        lambda y: (
            (y - y.mean((0, 2), keepdim=True))
            / (y.var((0, 2), keepdim=True, unbiased=False) + 1e-05).sqrt()
        ).reshape(x.shape)
    )(x.reshape(len(x), g, -1)),
)
right(
    "unet.group_norm",
    "F.layer_norm",
    lambda x, g: F.layer_norm(x.reshape(len(x), g, -1), (x.numel() // len(x) // g,)).reshape(
        x.shape
    ),
)
right(
    "unet.group_norm",
    "batch_norm trick",
    lambda x, g: F.batch_norm(x.reshape(1, len(x) * g, -1), None, None, training=True).reshape(
        x.shape
    ),
)
right(
    "unet.group_norm",
    "loops",
    lambda x, g: torch.stack(
        [
            torch.cat(
                [(c - c.mean()) / (c.var(unbiased=False) + 1e-05).sqrt() for c in item.chunk(g)]
            )
            for item in x
        ]
    ),
)
right("unet.group_norm", "F.group_norm", lambda x, g: F.group_norm(x, g))
wrong(
    "unet.unshuffle",
    "reshape",
    lambda x, p: x.reshape(x.shape[0], x.shape[1] * p * p, x.shape[2] // p, x.shape[3] // p),
)
wrong(
    "unet.unshuffle",
    "blocks",
    lambda x, p: (
        x.reshape(*x.shape[:2], p, x.shape[2] // p, p, x.shape[3] // p)
        .permute(0, 1, 2, 4, 3, 5)
        .reshape(len(x), -1, x.shape[2] // p, x.shape[3] // p)
    ),
)
wrong(
    "unet.unshuffle",
    "channel last",
    lambda x, p: (
        x.reshape(*x.shape[:2], x.shape[2] // p, p, x.shape[3] // p, p)
        .permute(0, 3, 5, 1, 2, 4)
        .reshape(len(x), -1, x.shape[2] // p, x.shape[3] // p)
    ),
)
wrong(
    "unet.unshuffle",
    "columns first",
    lambda x, p: (
        x.reshape(*x.shape[:2], x.shape[2] // p, p, x.shape[3] // p, p)
        .permute(0, 1, 5, 3, 2, 4)
        .reshape(len(x), -1, x.shape[2] // p, x.shape[3] // p)
    ),
)
wrong("unet.unshuffle", "p=2", lambda x, p: F.pixel_unshuffle(x, 2))
wrong(
    "unet.unshuffle",
    "transposed",
    lambda x, p: (
        x.reshape(*x.shape[:2], x.shape[2] // p, p, x.shape[3] // p, p)
        .permute(0, 1, 3, 5, 4, 2)
        .reshape(len(x), -1, x.shape[2] // p, x.shape[3] // p)
    ),
)
wrong("unet.unshuffle", "average", lambda x, p: F.avg_pool2d(x, p).repeat_interleave(p * p, 1))
right("unet.unshuffle", "F", lambda x, p: F.pixel_unshuffle(x, p))
right(
    "unet.unshuffle",
    "strided slices",
    lambda x, p: torch.stack([x[:, :, i::p, j::p] for i in range(p) for j in range(p)], 2).flatten(
        1, 2
    ),
)
right(
    "unet.unshuffle",
    "unfold",
    lambda x, p: F.unfold(x, p, stride=p).reshape(len(x), -1, x.shape[2] // p, x.shape[3] // p),
)
right(
    "unet.unshuffle",
    "conv with one-hot kernels",
    lambda x, p: F.conv2d(
        x,
        torch.eye(p * p, dtype=x.dtype).reshape(p * p, 1, p, p).repeat(x.shape[1], 1, 1, 1),
        stride=p,
        groups=x.shape[1],
    ),
)
wrong("unet.same_run", "times n", lambda n, a, b, e: (a * n, b, e * n))
wrong("unet.same_run", "all divided", lambda n, a, b, e: (a / n, b / n, e / n))
wrong("unet.same_run", "eps unchanged", lambda n, a, b, e: (a / n, b, e))
wrong("unet.same_run", "eps / n", lambda n, a, b, e: (a / n, b, e / n))
wrong("unet.same_run", "eps n^2", lambda n, a, b, e: (a / n, b, e * n * n))
wrong("unet.same_run", "eps root n", lambda n, a, b, e: (a / n, b, e * math.sqrt(n)))
wrong("unet.same_run", "order", lambda n, a, b, e: (b, a / n, e * n))
wrong("unet.same_run", "adam / n", lambda n, a, b, e: (a / n, b / n, e * n))
right("unet.same_run", "numpy", lambda n, a, b, e: np.array([a, b, e]) * np.array([1 / n, 1, n]))
right("unet.same_run", "list", lambda n, a, b, e: [a / n, b, n * e])
