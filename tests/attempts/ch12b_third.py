"""More attempts at the exercises of chapter 12b, in one line each where that is enough."""

import math

import torch
import torch.nn.functional as F

from ddpm_lab import forward
from ddpm_lab.schedules import row
from tests.attempts import right, wrong


def blk(mod=lambda h, s, b: h * (1 + s) + b, act=F.silu, order=True, sc=True, emb_act=True):

    def f(self, x, emb):
        h = self.conv_1(act(self.norm_1(x)))
        s, b = self.emb_proj(F.silu(emb) if emb_act else emb)[:, :, None, None].chunk(2, dim=1)
        h = mod(self.norm_2(h), s, b)
        h = act(h)
        h = self.conv_2(h)
        return self.shortcut(x) + h if sc else h

    return f


def q(s, a, b, t, u):
    return forward.posterior(s, a, b, t, u)


def att(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


def at(split, back=lambda o, x: o.mT.reshape(x.shape), norm=True, res=True, proj=True):

    def f(self, x):
        B, c, h, w = x.shape
        y = self.qkv(self.norm(x) if norm else x)
        q, k, v = split(y, self.heads, B, c, h * w)
        o = back(att(q, k, v), x)
        o = self.proj(o) if proj else o
        return x + o if res else o

    return f


def ok(y, H, B, c, n):
    return y.reshape(B, 3, H, c // H, n).mT.unbind(1)


def A(s, t):
    return row(s.abar, t)


def sk(f):

    def g(s, x0, xh, t, u):
        a, b = (A(s, t), A(s, u))
        c = 1 - a / b
        d = (x0 - xh).flatten(1)
        return f(a, b, c, d, (1 - b) / (1 - a) * c, b.sqrt() * c / (1 - a))

    return g


def un(
    cat=lambda h, s: torch.cat([h, s], 1),
    pop=lambda sk: sk.pop(),
    middle=True,
    skip_in=False,
    mode="nearest",
    out=True,
    upord=True,
    temb=lambda self, t: self.time_embedding(t),
    copyfirst=True,
):

    def f(self, x_t, t):
        emb = temb(self, t)
        h = self.conv_in(x_t)
        skips = []
        for i, blocks in enumerate(self.down):
            if i:
                h = self.downsample[i - 1](h)
            for b in blocks:
                if skip_in:
                    skips.append(h)
                h = b(h, emb)
                if not skip_in:
                    skips.append(h)
        if middle:
            h = self.middle(h, emb)
        for i in reversed(range(len(self.up))):
            for b in self.up[i]:
                h = b(cat(h, pop(skips)), emb)
            if i:
                if copyfirst:
                    h = self.upsample[i - 1](F.interpolate(h, scale_factor=2.0, mode=mode))
                else:
                    h = F.interpolate(self.upsample[i - 1](h), scale_factor=2.0, mode=mode)
        return self.conv_out(h) if out else h

    return f


right(
    "build.res_block",
    "modulation by addcmul",
    blk(lambda h, s, b: torch.addcmul(b.expand_as(h), h, 1 + s)),
)
right("build.res_block", "own silu", blk(act=lambda h: h * torch.sigmoid(h)))
wrong("build.res_block", "no 1+", blk(lambda h, s, b: h * s + b))
wrong("build.res_block", "shift and scale swapped", blk(lambda h, s, b: h * (1 + b) + s))
wrong("build.res_block", "relu", blk(act=F.relu))
wrong("build.res_block", "no shortcut", blk(sc=False))
wrong("build.res_block", "emb not activated", blk(emb_act=False))
wrong("build.res_block", "gelu", blk(act=F.gelu))


@wrong("build.res_block", "modulation before norm")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    s, b = self.emb_proj(F.silu(emb)).chunk(2, dim=1)
    h = self.norm_2(h * (1 + s[..., None, None]) + b[..., None, None])
    return self.shortcut(x) + self.conv_2(F.silu(h))


@wrong("build.res_block", "conv before norm")
def _(self, x, emb):
    h = (
        F.silu(self.norm_1(self.conv_1(x)))
        if self.conv_1.in_channels == self.conv_1.out_channels
        else F.silu(self.norm_2(self.conv_1(x)))
    )
    s, b = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + F.silu(self.norm_2(self.conv_2(h)) * (1 + s) + b)


@wrong("build.res_block", "modulation after silu")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    s, b = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    h = F.silu(self.norm_2(h)) * (1 + s) + b
    return self.shortcut(x) + self.conv_2(h)


@wrong("build.res_block", "first item's embedding")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    s, b = self.emb_proj(F.silu(emb[:1]))[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h) * (1 + s) + b))


@wrong("build.res_block", "x for shortcut(x)")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    s, b = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return x + self.conv_2(F.silu(self.norm_2(h) * (1 + s) + b))


@wrong("build.res_block", "no_grad")
def _(self, x, emb):
    with torch.no_grad():
        return blk()(self, x, emb)


wrong("build.attend", "no root", lambda q, k, v: (q @ k.mT).softmax(-1) @ v)
wrong("build.attend", "d not root", lambda q, k, v: (q @ k.mT / q.shape[-1]).softmax(-1) @ v)
wrong(
    "build.attend",
    "softmax axis -2",
    lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5).softmax(-2) @ v,
)
wrong("build.attend", "root of n", lambda q, k, v: (q @ k.mT / q.shape[-2] ** 0.5).softmax(-1) @ v)
wrong(
    "build.attend", "swapped q k", lambda q, k, v: (k @ q.mT / q.shape[-1] ** 0.5).softmax(-1) @ v
)
wrong(
    "build.attend", "after softmax", lambda q, k, v: (q @ k.mT).softmax(-1) / q.shape[-1] ** 0.5 @ v
)
wrong("build.attend", "root 8", lambda q, k, v: (q @ k.mT / 8**0.5).softmax(-1) @ v)
wrong(
    "build.attend",
    "heads in the root",
    lambda q, k, v: (q @ k.mT / (q.shape[-1] * q.shape[1]) ** 0.5).softmax(-1) @ v,
)
wrong(
    "build.attend",
    "causal",
    lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
)
wrong(
    "build.attend", "values = keys", lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ k
)
wrong(
    "build.attend", "exp not normalized", lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5).exp() @ v
)
right("build.attend", "sdpa", lambda q, k, v: F.scaled_dot_product_attention(q, k, v))
right(
    "build.attend",
    "einsum",
    lambda q, k, v: torch.einsum(
        "bhij,bhjd->bhid",
        torch.einsum("bhid,bhjd->bhij", q, k).div(math.sqrt(q.shape[-1])).softmax(-1),
        v,
    ),
)
right(
    "build.attend",
    "row by row",
    lambda q, k, v: torch.stack(
        [
            torch.softmax((q[:, :, i : i + 1] * k).sum(-1) / math.sqrt(q.shape[-1]), -1)
            .unsqueeze(-2)
            .matmul(v)
            .squeeze(-2)
            for i in range(q.shape[2])
        ],
        2,
    ),
)
right("build.attention", "unbind", at(ok))
right(
    "build.attention",
    "chunk",
    at(lambda y, H, B, c, n: [p.reshape(B, H, c // H, n).transpose(2, 3) for p in y.chunk(3, 1)]),
)


@right("build.attention", "loop over heads")
def _(self, x):
    B, c, h, w = x.shape
    d = c // self.heads
    q, k, v = self.qkv(self.norm(x)).flatten(2).split(c, 1)
    outs = [
        att(q[:, i : i + d].mT, k[:, i : i + d].mT, v[:, i : i + d].mT).mT for i in range(0, c, d)
    ]
    return x + self.proj(torch.cat(outs, 1).view(B, c, h, w))


wrong(
    "build.attention",
    "no transpose",
    at(
        lambda y, H, B, c, n: y.reshape(B, 3, H, n, c // H).unbind(1),
        lambda o, x: o.reshape(x.shape),
    ),
)
wrong("build.attention", "back without transpose", at(ok, lambda o, x: o.reshape(x.shape)))
wrong(
    "build.attention", "one head", at(lambda y, H, B, c, n: y.reshape(B, 3, 1, c, n).mT.unbind(1))
)
wrong(
    "build.attention",
    "heads before parts",
    at(lambda y, H, B, c, n: y.reshape(B, H, 3, c // H, n).mT.unbind(2)),
)
wrong(
    "build.attention",
    "heads interleaved",
    at(lambda y, H, B, c, n: y.reshape(B, 3, c // H, H, n).transpose(2, 3).mT.unbind(1)),
)
wrong("build.attention", "no norm", at(ok, norm=False))
wrong("build.attention", "no residual", at(ok, res=False))
wrong("build.attention", "no proj", at(ok, proj=False))
wrong(
    "build.attention",
    "k q v",
    at(
        lambda y, H, B, c, n: (lambda p: (p[1], p[0], p[2]))(
            y.reshape(B, 3, H, c // H, n).mT.unbind(1)
        )
    ),
)
wrong(
    "build.attention",
    "across channels",
    at(
        lambda y, H, B, c, n: y.reshape(B, 3, H, c // H, n).unbind(1),
        lambda o, x: o.reshape(x.shape),
    ),
)
right("build.unet", "ok", un())
right("build.unet", "repeat_interleave", un())
wrong("build.unet", "skip first", un(cat=lambda h, s: torch.cat([s, h], 1)))
wrong("build.unet", "no middle", un(middle=False))
wrong("build.unet", "skips before blocks", un(skip_in=True))
wrong("build.unet", "bilinear", un(mode="bilinear"))
wrong("build.unet", "upsample before copying", un(copyfirst=False))
wrong("build.unet", "t zero", un(temb=lambda self, t: self.time_embedding(torch.zeros_like(t))))
wrong("build.unet", "first t", un(temb=lambda self, t: self.time_embedding(t[:1].expand_as(t))))
wrong("build.unet", "skips ignored", un(cat=lambda h, s: torch.cat([h, h], 1)))
wrong("build.unet", "queue", un(pop=lambda sk: sk.pop(0)))
wrong("build.unet", "adds x_t", lambda self, x, t: x + un()(self, x, t))
wrong("build.unet", "skips detached", un(cat=lambda h, s: torch.cat([h, s.detach()], 1)))
