"""Attempts at the exercises of chapter 12b."""

import math

import torch
import torch.nn.functional as F

from ddpm_lab.networks import UNet
from ddpm_lab.networks.blocks import ResBlock
from tests.attempts import right, wrong

# 12b.1 build.res_block


@right("build.res_block", "step by step")
def _(self, x, emb):
    h = self.norm_1(x)
    h = F.silu(h)
    h = self.conv_1(h)
    e = self.emb_proj(F.silu(emb))
    half = e.shape[1] // 2
    scale, shift = e[:, :half], e[:, half:]
    h = self.norm_2(h)
    h = h * (1 + scale[:, :, None, None]) + shift[:, :, None, None]
    h = self.conv_2(F.silu(h))
    return h + self.shortcut(x)


@right("build.res_block", "x * sigmoid(x), view and torch.chunk")
def _(self, x, emb):
    def act(u):
        return u * torch.sigmoid(u)

    scale, shift = torch.chunk(self.emb_proj(act(emb)).view(len(x), -1, 1, 1), 2, 1)
    n = self.norm_2(self.conv_1(act(self.norm_1(x))))
    return self.conv_2(act(n + n * scale + shift)) + self.shortcut(x)


@right("build.res_block", "torch.addcmul and modules")
def _(self, x, emb):
    act = torch.nn.SiLU()
    h = self.conv_1(act(self.norm_1(x)))
    scale, shift = self.emb_proj(act(emb)).unsqueeze(-1).unsqueeze(-1).split(h.shape[1], dim=1)
    h = torch.addcmul(shift, self.norm_2(h), scale + 1)
    return self.shortcut(x).add(self.conv_2(act(h)))


@right("build.res_block", "the package's forward with a missing attribute filled in")
def _(self, x, emb):
    self.attention = None
    return ResBlock.forward(self, x, emb)


@wrong("build.res_block", "no residual")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))


@wrong("build.res_block", "x added without the shortcut's convolution")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return x + self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))


@wrong("build.res_block", "scale and shift without axes for the image")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.silu(emb)).chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))


@wrong("build.res_block", "one axis too few")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))


@wrong("build.res_block", "norm after the activation, in both halves")
def _(self, x, emb):
    h = self.conv_1(self.norm_1(F.silu(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(self.norm_2(F.silu(h)) * (1 + scale) + shift)


@wrong("build.res_block", "convolution first, as in the first ResNet")
def _(self, x, emb):
    h = F.silu(self.norm_1(self.conv_1(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))


@wrong("build.res_block", "Ho et al.: emb added, all of emb_proj")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    h = h + self.emb_proj(F.silu(emb))[:, :, None, None]
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h)))


@wrong("build.res_block", "scale without the 1")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h) * scale + shift))


@wrong("build.res_block", "shift before scale, as DiT's modulate lists them")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    shift, scale = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))


@wrong("build.res_block", "emb without silu")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(emb)[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))


@wrong("build.res_block", "modulation before the norm")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h * (1 + scale) + shift)))


@wrong("build.res_block", "halved along the batch")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2)
    return self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))


@wrong("build.res_block", "ReLU everywhere")
def _(self, x, emb):
    h = self.conv_1(F.relu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.relu(emb))[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(F.relu(self.norm_2(h) * (1 + scale) + shift))


@wrong("build.res_block", "no activation before conv_2, and no norm_1")
def _(self, x, emb):
    h = self.conv_1(F.silu(x))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    return self.shortcut(x) + self.conv_2(self.norm_2(h) * (1 + scale) + shift)


@wrong("build.res_block", "calls itself")
def _(self, x, emb):
    return self(x, emb)


@wrong("build.res_block", "forgets to return")
def _(self, x, emb):
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
    self.shortcut(x) + self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))


# 12b.2 build.attend


@right("build.attend", "as the formula")
def _(query, key, value):
    return F.softmax(query @ key.transpose(-1, -2) / query.size(-1) ** 0.5, dim=-1) @ value


@right("build.attend", "einsum, the largest score subtracted")
def _(query, key, value):
    scores = torch.einsum("bhqd,bhkd->bhqk", query, key) / math.sqrt(key.shape[3])
    weights = (scores - scores.amax(-1, keepdim=True)).exp()
    return torch.einsum("bhqk,bhkd->bhqd", weights / weights.sum(-1, keepdim=True), value)


@right("build.attend", "PyTorch's own")
def _(query, key, value):
    return F.scaled_dot_product_attention(query, key, value)


@right("build.attend", "a loop over batch, heads and queries")
def _(query, key, value):
    out = torch.zeros_like(value)
    for b in range(len(query)):
        for head in range(query.shape[1]):
            for i, q in enumerate(query[b, head]):
                w = torch.softmax(key[b, head].mv(q) / len(q) ** 0.5, 0)
                out[b, head, i] = w @ value[b, head]
    return out


@wrong("build.attend", "no sqrt(d)")
def _(query, key, value):
    return (query @ key.transpose(-2, -1)).softmax(-1) @ value


@wrong("build.attend", "divided by d")
def _(query, key, value):
    return (query @ key.transpose(-2, -1) / query.shape[-1]).softmax(-1) @ value


@wrong("build.attend", "sqrt of the number of positions")
def _(query, key, value):
    return (query @ key.transpose(-2, -1) / query.shape[-2] ** 0.5).softmax(-1) @ value


@wrong("build.attend", "softmax over the queries")
def _(query, key, value):
    return (query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(-2) @ value


@wrong("build.attend", "softmax over axis 1")
def _(query, key, value):
    return torch.softmax(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, 1) @ value


@wrong("build.attend", "the key is not transposed")
def _(query, key, value):
    return (query @ key / query.shape[-1] ** 0.5).softmax(-1) @ value


@wrong("build.attend", "key.T, which swaps all axes")
def _(query, key, value):
    return (query @ key.permute(3, 2, 1, 0) / query.shape[-1] ** 0.5).softmax(-1) @ value


@wrong("build.attend", "key and query swapped")
def _(query, key, value):
    return (key @ query.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(-1) @ value


@wrong("build.attend", "no softmax")
def _(query, key, value):
    return query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5 @ value


@wrong("build.attend", "scaled after the softmax")
def _(query, key, value):
    return (query @ key.transpose(-2, -1)).softmax(-1) / query.shape[-1] ** 0.5 @ value


@wrong("build.attend", "the weights only")
def _(query, key, value):
    return (query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(-1)


@wrong("build.attend", "channels attend")
def _(query, key, value):
    scores = query.transpose(-2, -1) @ key / query.shape[-1] ** 0.5
    return value @ scores.softmax(-1)


@wrong("build.attend", "elementwise product")
def _(query, key, value):
    return (query * key / query.shape[-1] ** 0.5).softmax(-1) * value


@wrong("build.attend", "math.sqrt of the tensor")
def _(query, key, value):
    return (query @ key.transpose(-2, -1) / math.sqrt(query)).softmax(-1) @ value


# 12b.3 build.attention


@right("build.attention", "chunk, then heads one by one")
def _(self, x):
    b, c, h, w = x.shape
    query, key, value = self.qkv(self.norm(x)).chunk(3, dim=1)

    def split(u):
        return u.reshape(b, self.heads, c // self.heads, h * w).transpose(2, 3)

    out = F.scaled_dot_product_attention(split(query), split(key), split(value))
    return x + self.proj(out.transpose(2, 3).reshape(b, c, h, w))


@right("build.attention", "a loop over the heads")
def _(self, x):
    b, c, h, w = x.shape
    query, key, value = self.qkv(self.norm(x)).flatten(2).split(c, dim=1)
    d, parts = c // self.heads, []
    for k in range(self.heads):
        q, m, v = (u[:, k * d : (k + 1) * d] for u in (query, key, value))  # (B, d, n)
        weights = (q.transpose(1, 2) @ m / d**0.5).softmax(-1)
        parts.append(v @ weights.transpose(1, 2))
    return self.proj(torch.cat(parts, dim=1).view(b, c, h, w)) + x


@right("build.attention", "einsum, no transpose at all")
def _(self, x):
    b, c = x.shape[:2]
    d = c // self.heads
    query, key, value = self.qkv(self.norm(x)).view(b, 3, self.heads, d, -1).unbind(1)
    weights = torch.einsum("bhdq,bhdk->bhqk", query, key).mul(d**-0.5).softmax(-1)
    return x + self.proj(torch.einsum("bhqk,bhdk->bhdq", weights, value).reshape(x.shape))


def _attended(query, key, value):
    return F.scaled_dot_product_attention(query, key, value)


@wrong("build.attention", "no residual")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    out = _attended(query, key, value).transpose(-1, -2).reshape(b, c, h, w)
    return self.proj(out)


@wrong("build.attention", "no norm")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(x).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    out = _attended(query, key, value).transpose(-1, -2).reshape(b, c, h, w)
    return x + self.proj(out)


@wrong("build.attention", "reshape in place of a transpose on the way in")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, h * w, c // self.heads)
    query, key, value = qkv.unbind(1)
    out = _attended(query, key, value).transpose(-1, -2).reshape(b, c, h, w)
    return x + self.proj(out)


@wrong("build.attention", "no transpose on the way out")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    return x + self.proj(_attended(query, key, value).reshape(b, c, h, w))


@wrong("build.attention", "the text models' way out: (B, n, C), then straight to the image")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    out = _attended(query, key, value).transpose(1, 2).reshape(b, h * w, c)
    return x + self.proj(out.reshape(b, c, h, w))


@wrong("build.attention", "heads before the 3, the legacy order of guided-diffusion")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, self.heads, 3, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(2)
    out = _attended(query, key, value).transpose(-1, -2).reshape(b, c, h, w)
    return x + self.proj(out)


@wrong("build.attention", "the heads take every heads-th channel")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, c // self.heads, self.heads, h * w)
    query, key, value = qkv.permute(1, 0, 3, 4, 2)
    out = _attended(query, key, value).transpose(-1, -2).reshape(b, c, h, w)
    return x + self.proj(out)


@wrong("build.attention", "value first")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    value, key, query = qkv.transpose(-1, -2).unbind(1)
    out = _attended(query, key, value).transpose(-1, -2).reshape(b, c, h, w)
    return x + self.proj(out)


@wrong("build.attention", "one head")
def _(self, x):
    b, c, h, w = x.shape
    query, key, value = self.qkv(self.norm(x)).reshape(b, 3, c, h * w).transpose(-1, -2).unbind(1)
    out = _attended(query, key, value).transpose(-1, -2).reshape(b, c, h, w)
    return x + self.proj(out)


@wrong("build.attention", "channels attend to channels")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.unbind(1)
    return x + self.proj(_attended(query, key, value).reshape(b, c, h, w))


@wrong("build.attention", "sqrt of all channels")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    weights = (query @ key.transpose(-1, -2) / math.sqrt(c)).softmax(-1)
    return x + self.proj((weights @ value).transpose(-1, -2).reshape(b, c, h, w))


@wrong("build.attention", "proj left out")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    return x + _attended(query, key, value).transpose(-1, -2).reshape(b, c, h, w)


@wrong("build.attention", "the sum goes through proj")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    return self.proj(x + _attended(query, key, value).transpose(-1, -2).reshape(b, c, h, w))


@wrong("build.attention", "forgets that qkv has three parts")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, self.heads, c // self.heads, h * w)
    out = _attended(qkv, qkv, qkv).reshape(b, c, h, w)
    return x + self.proj(out)


@wrong("build.attention", "proj on rows of positions")
def _(self, x):
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    out = _attended(query, key, value).transpose(1, 2).reshape(b, h * w, c)
    return x + self.proj(out)


# 12b.4 build.unet


@right("build.unet", "by index, downsampling after the blocks")
def _(self, x_t, t):
    emb, h, skips = self.time_embedding(t), self.conv_in(x_t), []
    last = len(self.down) - 1
    for i in range(last + 1):
        for block in self.down[i]:
            h = block(h, emb)
            skips.append(h)
        if i < last:
            h = self.downsample[i](h)
    h = self.middle(h, emb)
    for i in range(last, -1, -1):
        for block in self.up[i]:
            h = block(torch.cat((h, skips.pop()), 1), emb)
        if i > 0:
            h = F.interpolate(h, scale_factor=2)
            h = self.upsample[i - 1](h)
    return self.conv_out(h)


@right("build.unet", "recursion: a U-Net is two blocks around a smaller U-Net")
def _(self, x_t, t):
    emb = self.time_embedding(t)

    def inside(h, i):
        skips = []
        for block in self.down[i]:
            skips.append(h := block(h, emb))
        if i + 1 < len(self.down):
            low = inside(self.downsample[i](h), i + 1)
            h = self.upsample[i](low.repeat_interleave(2, 2).repeat_interleave(2, 3))
        else:
            h = self.middle(h, emb)
        for block, skip in zip(self.up[i], reversed(skips)):
            h = block(torch.cat([h, skip], dim=1), emb)
        return h

    return self.conv_out(inside(self.conv_in(x_t), 0))


@right("build.unet", "a dictionary of skips, size in place of a factor")
def _(self, x_t, t):
    emb, h, kept = self.time_embedding(t), self.conv_in(x_t), {}
    for i, blocks in enumerate(self.down):
        h = h if i == 0 else self.downsample[i - 1](h)
        for k, block in enumerate(blocks):
            h = kept[i, k] = block(h, emb)
    h = self.middle(h, emb)
    for i in reversed(range(len(self.up))):
        for k, block in enumerate(self.up[i]):
            h = block(torch.cat([h, kept[i, len(self.up[i]) - 1 - k]], dim=1), emb)
        if i:
            size = kept[i - 1, 0].shape[2:]
            h = self.upsample[i - 1](F.interpolate(h, size=size, mode="nearest"))
    return self.conv_out(h)


@right("build.unet", "the package's forward with its other attributes filled in")
def _(self, x_t, t):
    net = UNet(x_t.shape[1], width=4, mults=(1,) * len(self.down), groups=2).to(x_t.dtype)
    for name, part in self.named_children():
        setattr(net, name, part)
    return net(x_t, t)


def _passed(self, x_t, t, *, put=None, take=None, join=None, grow=None, up=None):
    """The right pass with one thing done in another way, to keep the attempts short."""
    put, take = put or (lambda s, h: s.append(h)), take or (lambda s: s.pop())
    join = join or (lambda h, skip: torch.cat([h, skip], dim=1))
    grow = grow or (lambda h, conv: conv(F.interpolate(h, scale_factor=2.0)))
    emb, h, skips = self.time_embedding(t), self.conv_in(x_t), []
    for i, blocks in enumerate(self.down):
        if i:
            h = self.downsample[i - 1](h)
        for block in blocks:
            h = block(h, emb)
            put(skips, h)
    h = self.middle(h, emb)
    order = list(enumerate(self.up))
    for i, blocks in order if up else reversed(order):
        for block in blocks:
            h = block(join(h, take(skips)), emb)
        if i:
            h = grow(h, self.upsample[i - 1])
    return self.conv_out(h)


@wrong("build.unet", "first in, first out")
def _(self, x_t, t):
    return _passed(self, x_t, t, take=lambda skips: skips.pop(0))


@wrong("build.unet", "never pops")
def _(self, x_t, t):
    return _passed(self, x_t, t, take=lambda skips: skips[-1])


@wrong("build.unet", "concatenates along the batch")
def _(self, x_t, t):
    return _passed(self, x_t, t, join=lambda h, skip: torch.cat([h, skip]))


@wrong("build.unet", "concatenates along the height")
def _(self, x_t, t):
    return _passed(self, x_t, t, join=lambda h, skip: torch.cat([h, skip], dim=2))


@wrong("build.unet", "skip first")
def _(self, x_t, t):
    return _passed(self, x_t, t, join=lambda h, skip: torch.cat([skip, h], dim=1))


@wrong("build.unet", "adds the skip")
def _(self, x_t, t):
    return _passed(self, x_t, t, join=lambda h, skip: h + skip)


@wrong("build.unet", "convolution before enlarging")
def _(self, x_t, t):
    def grow(h, conv):
        return F.interpolate(conv(h), scale_factor=2.0)

    return _passed(self, x_t, t, grow=grow)


@wrong("build.unet", "no enlarging")
def _(self, x_t, t):
    return _passed(self, x_t, t, grow=lambda h, conv: conv(h))


@wrong("build.unet", "bilinear")
def _(self, x_t, t):
    def grow(h, conv):
        return conv(F.interpolate(h, scale_factor=2.0, mode="bilinear"))

    return _passed(self, x_t, t, grow=grow)


@wrong("build.unet", "no convolution after enlarging")
def _(self, x_t, t):
    return _passed(self, x_t, t, grow=lambda h, conv: F.interpolate(h, scale_factor=2.0))


@wrong("build.unet", "up from the finest resolution")
def _(self, x_t, t):
    return _passed(self, x_t, t, up=True)


@wrong("build.unet", "skip kept before the block")
def _(self, x_t, t):
    emb, h, skips = self.time_embedding(t), self.conv_in(x_t), []
    for i, blocks in enumerate(self.down):
        if i:
            h = self.downsample[i - 1](h)
        for block in blocks:
            skips.append(h)
            h = block(h, emb)
    h = self.middle(h, emb)
    for i, blocks in reversed(list(enumerate(self.up))):
        for block in blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), emb)
        if i:
            h = self.upsample[i - 1](F.interpolate(h, scale_factor=2.0))
    return self.conv_out(h)


@wrong("build.unet", "skip kept after downsampling")
def _(self, x_t, t):
    emb, h, skips = self.time_embedding(t), self.conv_in(x_t), []
    for i, blocks in enumerate(self.down):
        for block in blocks:
            h = block(h, emb)
        if i < len(self.downsample):
            h = self.downsample[i](h)
        for _block in blocks:
            skips.append(h)
    h = self.middle(h, emb)
    for i, blocks in reversed(list(enumerate(self.up))):
        for block in blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), emb)
        if i:
            h = self.upsample[i - 1](F.interpolate(h, scale_factor=2.0))
    return self.conv_out(h)


@wrong("build.unet", "one skip for each resolution")
def _(self, x_t, t):
    emb, h, skips = self.time_embedding(t), self.conv_in(x_t), []
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


@wrong("build.unet", "one skip for each resolution, taken by all its blocks")
def _(self, x_t, t):
    emb, h, skips = self.time_embedding(t), self.conv_in(x_t), []
    for i, blocks in enumerate(self.down):
        if i:
            h = self.downsample[i - 1](h)
        for block in blocks:
            h = block(h, emb)
        skips.append(h)
    h = self.middle(h, emb)
    for i, blocks in reversed(list(enumerate(self.up))):
        skip = skips.pop()
        for block in blocks:
            h = block(torch.cat([h, skip], dim=1), emb)
        if i:
            h = self.upsample[i - 1](F.interpolate(h, scale_factor=2.0))
    return self.conv_out(h)


@wrong("build.unet", "no middle block")
def _(self, x_t, t):
    emb, h, skips = self.time_embedding(t), self.conv_in(x_t), []
    for i, blocks in enumerate(self.down):
        if i:
            h = self.downsample[i - 1](h)
        for block in blocks:
            h = block(h, emb)
            skips.append(h)
    for i, blocks in reversed(list(enumerate(self.up))):
        for block in blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), emb)
        if i:
            h = self.upsample[i - 1](F.interpolate(h, scale_factor=2.0))
    return self.conv_out(h)


@wrong("build.unet", "gives the blocks t in place of its embedding")
def _(self, x_t, t):
    h, skips = self.conv_in(x_t), []
    for i, blocks in enumerate(self.down):
        if i:
            h = self.downsample[i - 1](h)
        for block in blocks:
            h = block(h, t)
            skips.append(h)
    return self.conv_out(h)


@wrong("build.unet", "gives the blocks no emb")
def _(self, x_t, t):
    h, skips = self.conv_in(x_t), []
    for i, blocks in enumerate(self.down):
        if i:
            h = self.downsample[i - 1](h)
        for block in blocks:
            h = block(h)
            skips.append(h)
    return self.conv_out(h)


@wrong("build.unet", "calls a list of blocks")
def _(self, x_t, t):
    emb, h, skips = self.time_embedding(t), self.conv_in(x_t), []
    for blocks in self.down:
        h = blocks(h, emb)
        skips.append(h)
    return self.conv_out(h)


@wrong("build.unet", "stops at the bottom")
def _(self, x_t, t):
    emb, h = self.time_embedding(t), self.conv_in(x_t)
    for i, blocks in enumerate(self.down):
        if i:
            h = self.downsample[i - 1](h)
        for block in blocks:
            h = block(h, emb)
    return self.conv_out(self.middle(h, emb))


@wrong("build.unet", "conv_out left out")
def _(self, x_t, t):
    emb, h, skips = self.time_embedding(t), self.conv_in(x_t), []
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
    return h


@wrong("build.unet", "under no_grad, as for sampling")
def _(self, x_t, t):
    with torch.no_grad():
        return _passed(self, x_t, t)
