"""The exercises of chapter 12b: a forward pass is a function of `self`, tried on bare layers.

Truth: the package's networks, which have the same layers and a forward pass of their own.
"""

import pytest
import torch

from ddpm_lab.course import exercises
from ddpm_lab.course.exercises import check
from ddpm_lab.course.exercises._layers import awake, bare
from ddpm_lab.course.exercises.grading import grade
from ddpm_lab.gaussians import seeded
from ddpm_lab.networks import UNet
from ddpm_lab.networks.blocks import ResBlock, SelfAttention

ATTEND = """
def attend(query, key, value):
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    return scores.softmax(-1) @ value
"""


def normal(*shape):
    return torch.randn(shape, generator=seeded(1), dtype=torch.float64)


@pytest.mark.parametrize("sizes", [{"mults": (1,)}, {"mults": (1, 2, 2), "attention": (1, 2)}])
def test_the_reference_is_the_forward_pass_of_the_package(sizes):
    net = awake(UNet(width=8, groups=2, blocks=2, **sizes), seeded(2))
    x_t, t = normal(2, 1, 8, 4), torch.tensor([3, 900])
    forward = exercises.exercise("build.unet").reference
    assert torch.equal(forward(bare(net), x_t, t), net(x_t, t))


def test_the_references_of_the_parts_are_the_forward_passes_of_the_package():
    block = awake(ResBlock(4, 6, emb_dim=5, groups=2), seeded(3))
    x, emb = normal(2, 4, 3, 5), normal(2, 5)
    assert torch.equal(
        exercises.exercise("build.res_block").reference(block, x, emb), block(x, emb)
    )
    layer = awake(SelfAttention(8, groups=2, head_dim=4), seeded(4))
    x = normal(2, 8, 3, 2)
    ours, theirs = exercises.exercise("build.attention").reference(layer, x), layer(x)
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)  # the products in another order


def test_an_accepted_forward_pass_becomes_a_method(capsys):
    def mine(self, x):
        return x + SelfAttention.forward(self, x) - x

    class Layer(SelfAttention):
        forward = check("build.attention", mine)

    assert capsys.readouterr().out.startswith("✓")
    x = torch.ones(2, 16, 2, 2)
    assert torch.allclose(Layer(16)(x), x, atol=1e-6)  # proj starts at 0


def test_grading_takes_a_method_and_refuses_the_package_s_own():
    source = "def mine(query, key, value):\n    return attend(query, key, value)\n"
    assert grade("build.attend", ATTEND + source, seed=3).status == "passed"
    cheat = "from ddpm_lab.networks.blocks import SelfAttention\n"
    cheat += "def mine(self, x):\n    return SelfAttention.forward(self, x)\n"
    given = grade("build.attention", cheat)
    assert given.status == "wrong" and "blocks.SelfAttention.forward" in given.message


def attend(query, key, value):
    """Written and checked in an earlier cell."""
    return (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1) @ value


checked = check("build.attend", attend)


def attention(self, x):
    """Uses it under the name that it was given there."""
    b, c, h, w = x.shape
    qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
    query, key, value = qkv.mT.unbind(1)
    return x + self.proj(checked(query, key, value).mT.reshape(b, c, h, w))


def test_grading_takes_along_what_check_returned():
    assert grade("build.attention", attention).status == "passed"
