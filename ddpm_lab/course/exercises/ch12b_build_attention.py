"""Exercises of chapter 12b: self-attention, by its formula and with its heads."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import mixed
from ddpm_lab.course.exercises._inputs import fresh, normal
from ddpm_lab.course.exercises._layers import awake, bare
from ddpm_lab.networks.blocks import SelfAttention

# build.attend: softmax(Q K^T / sqrt(d)) V -------------------------------------------------------


def _attend(query, key, value):
    """softmax(query key^T / sqrt(d)) value, the softmax over the keys."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return scores.softmax(dim=-1) @ value


def _attend_cases():
    rng = fresh(1222)
    for shape in ((2, 3, 5, 4), (1, 2, 4, 4), (2, 1, 3, 7)):
        query, key, value = (2 * normal(rng, *shape) for _ in range(3))
        yield Case(f"query of shape {shape}", (query, key, value))


def _attended(scores, weights, result):
    """Attention by its three steps."""

    def attend(query, key, value):
        w = weights(scores(query, key), query.shape[-1])
        return result(w, value, key)

    return attend


def _scaled(by):
    """Scores divided by a number that is made of the query's shape (B, heads, n, d)."""
    return lambda q, k: q @ k.mT / by(*q.shape)


_SCORES = {
    "": _scaled(lambda b, heads, n, d: d**0.5),
    "the scores are not divided by sqrt(d)": _scaled(lambda b, heads, n, d: 1.0),
    "divide by the root of d, not by d": _scaled(lambda b, heads, n, d: d),
    "d is the size of the last axis, the channels of one head; you take the number of positions": (
        _scaled(lambda b, heads, n, d: n**0.5)
    ),
    "d is the number of channels of one head, not of all heads together": (
        _scaled(lambda b, heads, n, d: (heads * d) ** 0.5)
    ),
    "divide by sqrt(d), do not multiply": _scaled(lambda b, heads, n, d: d**-0.5),
}
_WEIGHTS = {
    "": lambda s, d: s.softmax(-1),
    "the softmax runs over the keys, the last axis; yours runs over the queries": (
        lambda s, d: s.softmax(-2)
    ),
    "the softmax runs over the keys, the last axis; yours runs over the heads": (
        lambda s, d: s.softmax(1)
    ),
    "the softmax runs over the keys, the last axis; yours runs over the batch": (
        lambda s, d: s.softmax(0)
    ),
    "the softmax is missing": lambda s, d: s,
    "exp makes weights positive; divide them by their sum over the keys: softmax": (
        lambda s, d: s.exp()
    ),
    "every position may look at all others: no causal mask here": (
        lambda s, d: s.masked_fill(torch.ones_like(s).triu(1).bool(), -torch.inf).softmax(-1)
    ),
    "a sigmoid weights each key separately; softmax makes the weights sum to 1": (
        lambda s, d: s.sigmoid()
    ),
    "this is log_softmax; the weights themselves are wanted": lambda s, d: s.log_softmax(-1),
}
_RESULT = {
    "": lambda w, value, key: w @ value,
    "the weights average the values, not the keys": lambda w, value, key: w @ key,
    "the weights are transposed: row i belongs to query i": lambda w, value, key: w.mT @ value,
}

_ALONE = {
    "the scores are divided by sqrt(d) before the softmax, not the weights after it": (
        lambda q, k, v: (q @ k.mT).softmax(-1) / q.shape[-1] ** 0.5 @ v
    ),
    "softmax comes before the product with the values": (
        lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5 @ v).softmax(-1)
    ),
    "the softmax is over all pairs at once; each query has weights of its own": (
        lambda q, k, v: (
            (q @ k.mT / q.shape[-1] ** 0.5).flatten(2).softmax(2).reshape(*q.shape[:3], -1) @ v
        )
    ),
    "you return the weights; multiply them by the values": (
        lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
    ),
    "you return the scores; softmax and values are missing": (
        lambda q, k, v: q @ k.mT / q.shape[-1] ** 0.5
    ),
    "the positions attend to each other, not the channels: query @ key.transpose(-2, -1)": (
        lambda q, k, v: v @ (q.mT @ k / q.shape[-1] ** 0.5).softmax(-1)
    ),
    "channels attend to channels in yours; the table of scores is (n, n)": (
        lambda q, k, v: (((q.mT @ k) / q.shape[-1] ** 0.5).softmax(-1) @ v.mT).mT
    ),
    "each query takes only its best key; softmax gives every key some weight": (
        lambda q, k, v: torch.nn.functional.one_hot((q @ k.mT).argmax(-1), k.shape[-2]).to(v) @ v
    ),
    "you multiply number by number; the scores are all products of a query and a key, with @": (
        lambda q, k, v: (q * k / q.shape[-1] ** 0.5).softmax(-1) * v
    ),
    "the value is not used: queries meet keys for the weights, and these average the values": (
        lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ q
    ),
}

ATTEND = Exercise(
    reference=_attend,
    cases=_attend_cases,
    wrong=_ALONE | mixed(_attended, _SCORES, _WEIGHTS, _RESULT),
    stops={
        r"mat1|mat2|must match|batch2|expected size|size of tensor": (
            "two shapes do not fit: the scores are query @ key.transpose(-2, -1), an (n, n) table"
        ),
    },
    gradients=("query", "key", "value"),
)

# build.attention: the heads, and the way there and back -----------------------------------------


def _attention(self, x):
    """x + proj(attention of the heads), the positions of the grid in one axis."""
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.transpose(-1, -2).unbind(1)
    out = _attend(query, key, value)
    return x + self.proj(out.transpose(-1, -2).reshape(b, c, h, w))


def _attention_cases():
    rng = fresh(1223)
    for b, c, head_dim, h, w in ((2, 6, 3, 2, 3), (1, 8, 2, 4, 2), (2, 4, 4, 3, 2)):
        layer = SelfAttention(c, groups=2, head_dim=head_dim)
        layers, heads = bare(awake(layer, rng), heads=layer.heads), layer.heads
        x = 2 * normal(rng, b, c, h, w)
        yield Case(f"x of shape {tuple(x.shape)}, {heads} heads", (layers, x))


def _layered(normed, split, merged, joined):
    """Self-attention by its parts: what is asked for, the heads, their way back, the sum."""

    def forward(self, x):
        b, c, h, w = x.shape
        qkv = self.qkv(normed(self, x)).reshape(b, 3 * c, h * w)
        out = _attend(*split(qkv, b, self.heads, c // self.heads, h * w))
        return joined(self, x, merged(out, b, c, h, w))

    return forward


def _heads(qkv, b, heads, d, n):
    """Query, key and value, each (B, heads, n, d)."""
    return qkv.reshape(b, 3, heads, d, n).mT.unbind(1)


_NORMED = {
    "": lambda a, x: a.norm(x),
    "the norm is missing: qkv is fed self.norm(x)": lambda a, x: x,
}
_SPLIT = {
    "": _heads,
    "query, key and value are in another order: the first third of the channels is the query": (
        lambda qkv, *s: (lambda q, k, v: (k, v, q))(*_heads(qkv, *s))
    ),
    "the first third of the channels is the query, the second the key: you swap these two": (
        lambda qkv, *s: (lambda q, k, v: (k, q, v))(*_heads(qkv, *s))
    ),
    "the first third of the channels is the query, the last the value; yours are reversed": (
        lambda qkv, *s: _heads(qkv, *s)[::-1]
    ),
    "the 3 comes before the heads: reshape(b, 3, heads, …), not (b, heads, 3, …)": (
        lambda qkv, b, heads, d, n: qkv.reshape(b, heads, 3, d, n).mT.unbind(2)
    ),
    "reshape tears channels and positions apart: make (…, d, h w), then swap the last two axes": (
        lambda qkv, b, heads, d, n: qkv.reshape(b, 3, heads, n, d).unbind(1)
    ),
    "a head has neighboring channels: (…, heads, d, …), not (…, d, heads, …)": (
        lambda qkv, b, heads, d, n: qkv.reshape(b, 3, d, heads, n).transpose(2, 3).mT.unbind(1)
    ),
    "query, key and value stand one after the other; in yours they take turns": (
        lambda qkv, b, heads, d, n: qkv.reshape(b, heads, d, 3, n).movedim(3, 1).mT.unbind(1)
    ),
}
_MERGED = {
    "": lambda out, b, c, h, w: out.mT.reshape(b, c, h, w),
    "on the way back the axes must be swapped before reshape: (…, n, d) to (…, d, n)": (
        lambda out, b, c, h, w: out.reshape(b, c, h, w)
    ),
    "(B, n, C) is no image yet: channels must come before positions when you reshape": (
        lambda out, b, c, h, w: out.transpose(1, 2).reshape(b, c, h, w)
    ),
    "height and width are swapped on the way back": (
        lambda out, b, c, h, w: out.mT.reshape(b, c, w, h).mT
    ),
}
_JOINED = {
    "": lambda a, x, h: x + a.proj(h),
    "no residual connection: add x": lambda a, x, h: a.proj(h),
    "proj is missing": lambda a, x, h: x + h,
    "proj and the residual connection are missing: x + self.proj(…)": lambda a, x, h: h,
    "the residual connection adds x itself, not the normalized x": (
        lambda a, x, h: a.norm(x) + a.proj(h)
    ),
    "proj belongs to the correction only: x + self.proj(out)": lambda a, x, h: a.proj(x + h),
}


def _crossed(self, x):
    """Channels attend to channels: the last two axes are not swapped."""
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    return x + self.proj(_attend(*qkv.unbind(1)).reshape(b, c, h, w))


def _one_head(self, x):
    """All channels in one head."""
    b, c, h, w = x.shape
    out = _attend(*_heads(self.qkv(self.norm(x)), b, 1, c, h * w))
    return x + self.proj(out.mT.reshape(b, c, h, w))


def _scaled_by_all(self, x):
    """Scores divided by the root of all channels."""
    b, c, h, w = x.shape
    query, key, value = _heads(self.qkv(self.norm(x)), b, self.heads, c // self.heads, h * w)
    out = _attend(query / self.heads**0.5, key, value)
    return x + self.proj(out.mT.reshape(b, c, h, w))


def _each_row(self, x):
    """Each pixel attends to the pixels of its row only."""
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h, w)
    query, key, value = qkv.movedim(3, -1).unbind(1)
    return x + self.proj(_attend(query, key, value).movedim(-1, 2).reshape(b, c, h, w))


ATTENTION = Exercise(
    reference=_attention,
    cases=_attention_cases,
    wrong={
        "the channels of a head attend to each other in yours; swap the last two axes first": (
            _crossed
        ),
        "self.heads is not used: all channels are in one head": _one_head,
        "d is the number of channels of one head, c // heads, not of all": _scaled_by_all,
        "each pixel sees its own row only; join height and width into one axis, h * w": _each_row,
        "reshape tears channels and positions apart, there and back: swap the last two axes": (
            _layered(
                _NORMED[""],
                lambda qkv, b, heads, d, n: qkv.reshape(b, 3, heads, n, d).unbind(1),
                lambda out, b, c, h, w: out.reshape(b, c, h, w),
                _JOINED[""],
            )
        ),
        **mixed(_layered, _NORMED, _SPLIT, _MERGED, _JOINED),
    },
    stops={
        r"invalid for input of size": (
            "the numbers do not fit that shape: qkv has 3 * c channels, for each head c // heads "
            "of them, and h * w positions"
        ),
        r"to have \d+ channels|Expected weight to be a vector|expected input": (
            "norm, qkv and proj take (B, c, h, w); bring the heads back to that shape first"
        ),
        r"forward": "self(…) would call the function that you are writing; call its layers instead",
    },
    forbidden=(SelfAttention.forward,),
    gradients=("x",),
)
