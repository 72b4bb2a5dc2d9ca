"""What larger networks cost, as `tools.scale` counts it, and the page that says so.

Truth: layer by layer by hand; what PyTorch itself keeps when the network really runs; a ring of
lists that pass numbers on; diffusers' own autoencoder.
"""

import re
import shlex
from pathlib import Path

import pytest
import torch
from torch import nn

from ddpm_lab import networks, training
from ddpm_lab.cli import train
from ddpm_lab.networks.blocks import SelfAttention
from ddpm_lab.training import pretrained
from tools.scale import __main__ as command
from tools.scale import cases, tables
from tools.scale.counting import _fake, count, memory

SMALL = {"width": 16, "mults": (1, 2), "attention": (1,), "blocks": 2}
SHAPE = (3, 16, 24)
PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")


def small():
    return networks.build(networks.UNet, seed=0, channels=3, **SMALL)


def run(net):
    """The network on two images, as it is trained: channels last."""
    net = net.to(memory_format=torch.channels_last)
    return net(torch.zeros(2, *SHAPE), torch.ones(2, dtype=torch.int64))


# counting


def test_the_operations_are_those_of_the_layers():
    net, work, pairs = small(), [], []

    def convolution(layer, inputs, out):
        taps = layer.weight[0].numel()  # inputs of a number
        work.append(2 * taps * out[0].numel())

    for each in net.modules():
        if isinstance(each, (nn.Conv2d, nn.Linear)):
            each.register_forward_hook(convolution)
        if isinstance(each, SelfAttention):  # each position asks all, and takes from all
            each.register_forward_hook(lambda layer, inputs, out: pairs.append(
                2 * 2 * out[0, 0].numel() ** 2 * out.shape[1]))  # fmt: skip
    run(net)
    found = count(SHAPE, **SMALL)
    assert found.forward == sum(work) + sum(pairs) and found.attention == sum(pairs) > 0
    assert found.weights == sum(each.numel() for each in net.parameters())
    # backward: a product for the weights and one for the inputs, but for the first layer's inputs
    assert 2.9 < found.training / found.forward < 3


def test_the_memory_is_what_pytorch_keeps():
    net, kept = small(), {}
    own = {each.data_ptr() for each in net.to(memory_format=torch.channels_last).parameters()}

    def keep(x):
        if x.untyped_storage().data_ptr() not in own:
            kept[x.untyped_storage().data_ptr()] = x.untyped_storage()
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        out = run(net)
    each = sum(storage.nbytes() for storage in kept.values()) / len(out)
    found, half = memory(SHAPE, bits=32, **SMALL), count(SHAPE, **SMALL)
    assert found == pytest.approx(each, rel=0.02)
    throughout = memory(SHAPE, bits=16, norms=16, **SMALL)
    assert found / 2 < throughout < half.kept < found
    assert half.checkpointed < half.kept / 2


def test_attention_keeps_nothing_for_pairs_of_positions():
    """Neither in training, where channels come last and the kernel is a fused one."""
    plain, extra = SMALL | {"attention": ()}, []
    for side in (16, 32):
        with_it, without = (memory((3, side, side), 32, **each) for each in (SMALL, plain))
        extra.append(with_it - without)
    assert extra[1] == pytest.approx(4 * extra[0], rel=0.02)  # as positions; pairs: 16 times


# what GPUs tell each other


@pytest.mark.parametrize("n", [2, 3, 8])
def test_a_ring_adds_up_with_so_many_bytes(n):
    """Each has n parts; in each round all pass one part on to the next, who adds or copies it."""
    rows = [[float(10 * k + part) for part in range(n)] for k in range(n)]
    wanted, sent = [sum(column) for column in zip(*rows)], 0
    for moves, add in ((n - 1, True), (n - 1, False)):
        for move in range(moves):
            first = 0 if add else 1
            parts = [(k, (k + first - move) % n) for k in range(n)]
            passed = [(k, part, rows[k][part]) for k, part in parts]
            for k, part, value in passed:
                after = rows[(k + 1) % n]
                after[part] = after[part] + value if add else value
            sent += 1 / n  # of the whole, by each
    assert rows == [wanted] * n
    assert sent == pytest.approx(tables.ring(n, 1.0))


def test_a_step_waits_only_for_what_the_backward_pass_does_not_hide():
    case = cases.PLANNED[0]
    fast, slow = tables.step(case, 8), tables.step(case, 8, speed=cases.ETHERNET)
    assert fast.waiting == 0 and slow.computing == fast.computing
    behind = slow.sent / cases.ETHERNET - slow.waiting
    assert behind == pytest.approx(2 / 3 * slow.computing)


def test_a_batch_goes_in_as_few_parts_as_fit():
    for case in cases.PLANNED:
        for gpus in cases.GPUS:
            step = tables.step(case, gpus)
            assert step.images % step.parts == 0 and step.memory <= 0.9 * cases.MEMORY
            whole = step.memory + tables.counted(case.name).kept * step.images * (
                1 - 1 / step.parts
            )
            assert step.parts == 1 or whole > 0.9 * cases.MEMORY


# the autoencoder of latent diffusion


def test_the_autoencoder_costs_what_is_noted():
    diffusers = pytest.importorskip("diffusers")
    from torch.utils.flop_counter import FlopCounterMode

    with _fake(), FlopCounterMode(display=False) as flop:
        parts = {"down_block_types": 4 * ("DownEncoderBlock2D",),
                 "up_block_types": 4 * ("UpDecoderBlock2D",)}  # fmt: skip
        vae = diffusers.AutoencoderKL(
            **parts, block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4
        )
        code = vae.encode(torch.zeros(1, 3, 256, 256)).latent_dist.mode()
        encoder = flop.get_total_flops()
        vae.decode(code)
    assert code.shape == (1, *cases.PLANNED[-1].shape)
    assert encoder == pytest.approx(cases.ENCODER, rel=0.01)
    assert flop.get_total_flops() - encoder == pytest.approx(cases.DECODER, rel=0.01)


# the page


@pytest.mark.slow
def test_the_page_says_what_the_tool_finds(capsys):
    found = tables.all_tables()
    assert command.written(PAGE, found) == PAGE
    assert re.findall(r"<!-- table: (\w+) -->", PAGE) == list(found)
    with pytest.raises(ValueError, match="one place for the table networks"):
        command.written("# No marks\n", found)


def test_its_prose_says_what_follows_from_the_assumptions():
    per_weight = sum(tables.PER_WEIGHT.values()) + tables.BUCKETS
    largest = max(tables.counted(case.name).weights for case in cases.PLANNED)
    assert f"take {per_weight * largest / 1e9:.0f} GB" in PAGE
    assert f"at {per_weight} bytes for each weight, beyond five billion" in PAGE
    assert int(cases.MEMORY / per_weight / 1e9) == 5
    assert f"is {0.9999 ** (2048 / 128):.4f} at 2048" in PAGE
    said = " ".join(PAGE.split())
    assert f"({cases.PEAK / 1e12:.0f} TFLOP/s in bfloat16)" in said
    assert f"**assumed utilization of {cases.UTILIZATION:.0%}**".replace("%", " %") in said


def test_its_commands_are_ones_that_train_takes():
    lines = re.findall(r"^ddpm-lab train (?:.*\\\n)*.*", PAGE, flags=re.M)
    assert len(lines) == 2
    for line, planned in zip(lines, (cases.PLANNED[0], cases.PLANNED[2])):
        words = shlex.split(line.replace("\\\n", " "))
        changes = dict(train._setting(word) for word in words[words.index("--set") + 1 :])
        path = pretrained.FOLDER.parent / "configs" / "mnist_gpu.json"
        config = training.read_config(path, **changes)
        net = config.net.settings(channels=3)
        assert all(net[name] == value for name, value in planned.settings.items())
        assert config.steps * config.batch == planned.images
        block = config.data.size // 32
        assert config.schedule.snr_factor == 1 / block**2
