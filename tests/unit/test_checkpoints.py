"""Checkpoints that are cut, foreign, forged or far too large: refused with words, never believed.

Truth: files that are damaged here on purpose, byte by byte; where a header is changed, its
checksum is made to fit again, so that each check has to stand for itself.
"""

import itertools
import json
import math
import os
import pickle
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrizations, prune

from ddpm_lab import networks, training
from ddpm_lab.training import _container, models

UNET = {"width": 8, "mults": [1, 2], "labels": 3}


def a_run(step=7, **config):
    net = networks.build(networks.UNet, seed=0, **{**UNET, **config})
    optimizer = training.adam(net)
    out = net(torch.ones(2, 1, 4, 4), torch.tensor([1, 2]), torch.tensor([0, 1]))
    out.square().sum().backward()
    optimizer.step()
    generators = {name: torch.Generator().manual_seed(3) for name in ("choice", "noise")}
    return training.Run(net, training.EMA(net), optimizer, generators, step, {"seconds": 1.5})


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """{writer: bytes} of a network and of a run."""
    folder, run = tmp_path_factory.mktemp("originals"), a_run()
    net = networks.build(networks.MLP, seed=0, width=8, depth=2)
    return {
        "save": training.save(folder / "net.safetensors", net, prediction_type="v").read_bytes(),
        "save_run": training.save_run(folder / "run.safetensors", run).read_bytes(),
    }


READERS = {"save": training.load, "save_run": training.load_run}
BOTH = pytest.mark.parametrize("writer", READERS)


def refused(writer, path, payload, why=""):
    path.write_bytes(payload)
    said = f"{path.name} must be a whole checkpoint written by training.{writer}; got one that"
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        READERS[writer](path)
    assert re.search(why, str(caught.value)), caught.value
    keep = is_whole(payload) or payload[8:9] not in (b"{", b"")  # or of another kind
    assert ("Delete it" in str(caught.value)) == (not keep), caught.value


def is_whole(payload):
    """A safetensors file of another program, or one of ours whose checksum fits: never to be
    deleted."""
    from safetensors.torch import load

    try:
        tensors, metadata = load(payload), taken_apart(payload)[0].get("__metadata__", {})
        text = metadata.get("ddpm_lab")
        return text is None or _container.digest(text, tensors) == metadata["sha256"]
    except Exception:
        return False


def taken_apart(payload):
    """(header as a dict, tensor bytes) of a safetensors file."""
    size = struct.unpack("<Q", payload[:8])[0]
    return json.loads(payload[8 : 8 + size]), payload[8 + size :]


def put_together(header, body):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def forged(writer, originals, tmp_path, **changes):
    """The file with other words in its own header, and a checksum that fits them."""
    header, body = taken_apart(originals[writer])
    ours = json.loads(header["__metadata__"]["ddpm_lab"])
    for name, value in changes.items():
        outer, _, inner = name.partition("__")
        if inner:
            ours[outer][inner] = value
        else:
            ours[outer] = value
    return with_text(header, body, json.dumps(ours), tmp_path)


def with_text(header, body, text, tmp_path):
    from safetensors.torch import load

    tensors = load(put_together(header, body))
    metadata = {"ddpm_lab": text, "sha256": _container.digest(text, tensors)}
    return put_together({**header, "__metadata__": metadata}, body)


# whole files


def test_a_run_comes_back_bit_by_bit(tmp_path):
    run = a_run()
    again = training.load_run(training.save_run(tmp_path / "run.safetensors", run))
    assert (again.step, again.facts, again.ema.steps) == (7, {"seconds": 1.5}, 0)
    assert again.ema.decay == run.ema.decay and again.net.config == run.net.config
    for ours, theirs in ((run.net, again.net), (run.ema.net, again.ema.net)):
        assert all(map(torch.equal, ours.state_dict().values(), theirs.state_dict().values()))
    ours, theirs = (each.optimizer.state_dict()["state"] for each in (run, again))
    assert ours.keys() == theirs.keys() and len(ours) == len(list(run.net.parameters()))
    for number, state in ours.items():
        assert all(torch.equal(state[name], theirs[number][name]) for name in state)
    for name, generator in run.generators.items():
        assert torch.equal(torch.rand(9, generator=generator), _drawn(again.generators[name]))
    assert not again.ema.net.training
    assert not any(weight.requires_grad for weight in again.ema.net.parameters())
    assert all(weight.requires_grad for weight in again.net.parameters())


def _drawn(generator):
    return torch.rand(9, generator=generator)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such permissions")
def test_a_checkpoint_may_be_read_by_all_who_may_read_other_files(tmp_path):
    net = networks.build(networks.MLP, seed=0, width=8)
    (tmp_path / "other").touch()
    path = training.save(tmp_path / "net.safetensors", net)
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_run_of_a_gpu_is_not_called_damaged(originals, tmp_path):
    header, body = taken_apart(originals["save_run"])
    header["generator.cuda.noise"] = header.pop("generator.cpu.noise")
    text = header["__metadata__"]["ddpm_lab"]
    path = tmp_path / "run.safetensors"
    path.write_bytes(with_text(header, body, text, tmp_path))
    with pytest.raises(ValueError, match=r"device must be cuda, where.* got cpu"):
        training.load_run(path)


# cut


@BOTH
def test_every_cut_is_refused(writer, tmp_path):
    net = networks.build(networks.MLP, seed=0, dim=1, width=2, depth=0, time_dim=2)
    path = tmp_path / "cut.safetensors"
    if writer == "save":
        training.save(path, net)
    else:
        training.save_run(path, training.Run(net, training.EMA(net), training.adam(net), {}, 0, {}))
    READERS[writer](path)
    payload = path.read_bytes()
    for length in range(len(payload)):
        refused(writer, path, payload[:length])


@BOTH
def test_bytes_after_the_end_are_refused(writer, originals, tmp_path):
    refused(writer, tmp_path / "long.safetensors", originals[writer] + b"\0" * 8)


# foreign


@BOTH
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0" * 100,
        b"\xff" * 100,
        b"PK\x03\x04" + b"0" * 100,
        b'{"config": 1}',
        pickle.dumps({"weight": 1}),
        put_together({}, b""),
        put_together({"__metadata__": {"format": "pt"}}, b""),
        put_together({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"\0" * 4),
    ],
    ids=range(9),
)
def test_foreign_files_are_refused(writer, payload, tmp_path):
    refused(writer, tmp_path / "foreign.safetensors", payload)


class Spy:
    """Its pickle makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@BOTH
def test_a_pickle_is_refused_and_nothing_in_it_is_run(writer, tmp_path):
    trace = tmp_path / "trace"
    for payload in (pickle.dumps(Spy(trace)), pickle.dumps(Spy(trace), protocol=0)):
        refused(writer, tmp_path / "bad.safetensors", payload)
    torch.save({"net": Spy(trace)}, tmp_path / "torch.pt")
    refused(writer, tmp_path / "torch.pt", (tmp_path / "torch.pt").read_bytes())
    assert not trace.exists()


def test_a_network_is_no_run_and_a_run_is_no_network(originals, tmp_path):
    """And the message names the function that reads it, instead of the advice to delete it."""
    for ours, theirs in (("save", "save_run"), ("save_run", "save")):
        path = tmp_path / "other.safetensors"
        path.write_bytes(originals[theirs])
        right = re.escape(f"read it with training.{theirs.replace('save', 'load')}.")
        with pytest.raises(ValueError, match=right) as caught:
            READERS[ours](path)
        assert "Delete" not in str(caught.value)


# tampered with


@BOTH
def test_any_changed_byte_of_the_tensors_is_noticed(writer, originals, tmp_path):
    payload = originals[writer]
    begin = 8 + struct.unpack("<Q", payload[:8])[0]
    for at in {begin, len(payload) - 1, *range(begin, len(payload), (len(payload) - begin) // 25)}:
        changed = bytearray(payload)
        changed[at] ^= 1
        refused(writer, tmp_path / "bit.safetensors", bytes(changed), "checksum")


@BOTH
def test_any_changed_word_of_the_header_is_noticed(writer, originals, tmp_path):
    header, body = taken_apart(originals[writer])
    for name in ("ddpm_lab", "sha256"):
        metadata = dict(header["__metadata__"])
        metadata[name] = metadata[name].replace("8", "9", 1) + " "
        changed = put_together({**header, "__metadata__": metadata}, body)
        refused(writer, tmp_path / "word.safetensors", changed, "checksum")
        del metadata[name]
        changed = put_together({**header, "__metadata__": metadata}, body)
        refused(writer, tmp_path / "word.safetensors", changed)


@BOTH
def test_tensors_that_swap_their_names_or_change_their_kind_are_noticed(
    writer, originals, tmp_path
):
    header, body = taken_apart(originals[writer])

    def content(name):
        begin, end = header[name]["data_offsets"]
        return body[begin:end]

    names = [name for name in header if name.endswith("weight")]
    one, other = next(
        (one, other)
        for one, other in itertools.combinations(names, 2)
        if header[one]["shape"] == header[other]["shape"] and content(one) != content(other)
    )
    swapped = {**header, one: header[other], other: header[one]}
    refused(writer, tmp_path / "swap.safetensors", put_together(swapped, body), "checksum")
    ints = {**header, one: {**header[one], "dtype": "I32"}}
    refused(writer, tmp_path / "ints.safetensors", put_together(ints, body), "checksum")


# forged, with a checksum that fits


@BOTH
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"class": "Popen"}, "class must be one of"),
        ({"class": "Module"}, "class must be one of"),
        ({"class": "build"}, "class must be one of"),
        ({"class": ["MLP"]}, "class must be one of"),
        ({"class": "Classifier"}, ""),
        ({"config": []}, ""),
        ({"config": None}, ""),
        ({"config": {"unknown": 1}}, "unknown"),
        ({"config": {"width": 9}}, ""),
        ({"config__width": 1e300}, "width = float 1e.300 is no setting"),
        ({"config__width": float("nan")}, "width"),
        ({"config__width": 10**30}, "width = int 10+ is no setting"),
        ({"config__width": {"a": 1}}, "width"),
        ({"config__mults": [1] * 65}, ""),
        ({"facts": 3}, ""),
    ],
)
def test_a_forged_header_is_refused(writer, change, why, originals, tmp_path):
    payload = forged(writer, originals, tmp_path, **change)
    refused(writer, tmp_path / "forged.safetensors", payload, why)


@pytest.mark.parametrize(
    "change",
    [
        {"step": "7"},
        {"step": -1},
        {"step": 1.5},
        {"step": None},
        {"ema": None},
        {"ema__decay": 2.0},
        {"ema__decay": "0.9"},
        {"config__mults": []},
        {"config__patch": 0},
        {"config__patch": 2},
        {"config__groups": 0},
        {"config__norm": "batch"},
    ],
)
def test_a_run_with_forged_facts_is_refused(change, originals, tmp_path):
    payload = forged("save_run", originals, tmp_path, **change)
    refused("save_run", tmp_path / "forged.safetensors", payload)


@BOTH
def test_headers_that_are_no_json_objects_are_refused(writer, originals, tmp_path):
    header, body = taken_apart(originals[writer])
    for text in ("", "5", "[]", "null", "{", "[" * 100_000, '{"class": "MLP"}'):
        payload = with_text(header, body, text, tmp_path)
        refused(writer, tmp_path / "text.safetensors", payload)


def test_what_adam_remembers_must_have_names_that_are_numbers(originals, tmp_path):
    header, body = taken_apart(originals["save_run"])
    name = next(name for name in header if name.startswith("adam."))
    header["adam.first.exp_avg"] = header.pop(name)
    payload = with_text(header, body, header["__metadata__"]["ddpm_lab"], tmp_path)
    refused("save_run", tmp_path / "adam.safetensors", payload)


def test_a_generator_s_state_of_the_wrong_size_is_refused(originals, tmp_path):
    run = a_run()
    path = training.save_run(tmp_path / "run.safetensors", run)
    header, body = taken_apart(path.read_bytes())
    entry = header["generator.cpu.noise"]
    start = entry["data_offsets"][0]
    header["generator.cpu.noise"] = {**entry, "shape": [8], "data_offsets": [start, start + 8]}
    rest = {"dtype": "U8", "shape": [entry["shape"][0] - 8]}
    rest["data_offsets"] = [start + 8, entry["data_offsets"][1]]
    header["zz"] = rest
    payload = with_text(header, body, header["__metadata__"]["ddpm_lab"], tmp_path)
    refused("save_run", tmp_path / "state.safetensors", payload)


# far too large


def peak():
    """Bytes of memory that this process has needed so far, at most; 0 on Windows."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def refused_at_once(writer, path, payload):
    before = peak()
    refused(writer, path, payload)
    assert peak() - before < 200e6


@BOTH
@pytest.mark.parametrize(
    "change",
    [
        {"config": {"width": 65_536, "mults": [65_536] * 60}, "class": "UNet"},
        {"config": {"blocks": 65_536}, "class": "UNet"},
        {"config": {"blocks": 1000, "mults": [1] * 64}, "class": "UNet"},
        {"config": {"labels": 65_536, "T": 65_536, "time": "table"}, "class": "UNet"},
        {"config": {"depth": 65_536}, "class": "MLP"},
        {"config": {"depth": 60_000}, "class": "VAE"},
        {"config": {"shape": [65_536] * 60}, "class": "VAE"},
        {"config": {"mults": [65_536] * 60, "width": 65_536}, "class": "Classifier"},
    ],
    ids=lambda change: f"{change['class']}-{next(iter(change['config']))}",
)
def test_a_network_far_larger_than_its_file_is_never_made(writer, change, originals, tmp_path):
    payload = forged(writer, originals, tmp_path, **change)
    refused_at_once(writer, tmp_path / "large.safetensors", payload)


@BOTH
def test_declared_sizes_that_the_file_does_not_hold_are_refused(writer, originals, tmp_path):
    header, body = taken_apart(originals[writer])
    name = next(name for name in header if name != "__metadata__")
    path = tmp_path / "large.safetensors"
    for shape in ([2**62], [2**40, 2**40], [2**33], [-1]):
        entry = {**header[name], "shape": shape}
        refused_at_once(writer, path, put_together({**header, name: entry}, body))
        entry["data_offsets"] = [0, 2**62]
        refused_at_once(writer, path, put_together({**header, name: entry}, body))
    for size in (2**63, 2**64 - 1, 2**40, len(originals[writer])):
        refused_at_once(writer, path, struct.pack("<Q", size) + originals[writer][8:])


# trouble with the file itself


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    for reader in READERS.values():
        for path in (tmp_path, tmp_path / "missing.safetensors"):
            with pytest.raises(FileNotFoundError, match="path must name a checkpoint"):
                reader(path)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root"
)
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = training.save(tmp_path / "net.safetensors", networks.build(networks.MLP, seed=0))
    path.chmod(0)
    with pytest.raises(PermissionError):
        training.load(path)


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    path = training.write_whole(tmp_path / "log.txt", b"old")
    monkeypatch.setattr(os, "fsync", lambda number: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        training.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["log.txt"]


# what was loaded is a copy


@BOTH
def test_what_happens_to_a_file_later_changes_nothing(writer, originals, tmp_path):
    path = tmp_path / "file.safetensors"
    path.write_bytes(originals[writer])
    loaded = READERS[writer](path)
    weights = [*loaded[0].parameters()]
    before = [weight.detach().clone() for weight in weights]
    maps = Path("/proc/self/maps")
    assert not maps.exists() or path.name not in maps.read_text()
    with path.open("r+b") as file:  # as `cp` writes over a file
        file.write(b"\xff" * len(originals[writer]))
    path.write_bytes(b"")
    assert all(map(torch.equal, weights, before))


# only what can be loaded is saved


class MLP(networks.MLP):
    """A subclass that has the name of its class."""


def changed(change, cls=networks.MLP, **config):
    net = networks.build(cls, seed=0, **{"width": 8, "depth": 2, **config})
    return change(net) or net


def tied(net):
    net.layers[1][1].weight = net.layers[0][1].weight


def deeper(values, depth=100_000):
    for _ in range(depth):
        values = [values]
    return values


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        (lambda net: MLP(width=8), TypeError, "networks.build"),
        (lambda net: changed(lambda net: None, MLP), TypeError, "ddpm_lab.networks itself"),
        (
            lambda net: networks.build(
                networks.pixel_head.PixelHead, seed=0, levels=4, hidden_features=2, T=3
            ),
            TypeError,
            "ddpm_lab.networks itself",
        ),
        (lambda net: setattr(net, "more", torch.nn.Linear(2, 2)), ValueError, "was changed since"),
        (lambda net: net.layers.__delitem__(1), ValueError, "was changed since"),
        (lambda net: net.layers[0].__setitem__(0, torch.nn.GELU()), ValueError, "its layers are"),
        (tied, ValueError, "share their weights"),
        (
            lambda net: setattr(net, "proj_in", torch.compile(net.proj_in)),
            ValueError,
            "was changed",
        ),
        (lambda net: parametrizations.weight_norm(net.proj_in) and None, ValueError, "was changed"),
        (
            lambda net: prune.random_unstructured(net.proj_in, "weight", 0.5) and None,
            ValueError,
            "was",
        ),
        (lambda net: net.proj_in.double() and None, ValueError, "mix torch.float32, torch.float64"),
        (lambda net: net.config.update(width=16), ValueError, "was changed since"),
        (lambda net: net.config.update(width=8j), TypeError, "must be what JSON can hold"),
    ],
    ids=range(13),
)
def test_a_network_that_load_could_not_rebuild_is_not_saved(change, error, why, tmp_path):
    path = tmp_path / "net.safetensors"
    net = changed(change)
    with pytest.raises(error or ValueError, match=why):
        training.save(path, net)
    mean = training.EMA(changed(lambda net: None))
    with pytest.raises(error or ValueError, match=why):
        training.save_run(path, training.Run(net, mean, training.adam(net), {}, 0, {}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrap",
    [torch.compile, torch.nn.DataParallel, lambda net: training.EMA(torch.compile(net)).net],
    ids=["compile", "parallel", "average"],
)
def test_what_wraps_a_network_is_left_out(wrap, tmp_path):
    net = changed(lambda net: None)
    again, _ = training.load(training.save(tmp_path / "net.safetensors", wrap(net)))
    assert type(again) is networks.MLP and again.config == net.config
    assert all(map(torch.equal, again.state_dict().values(), net.state_dict().values()))


@pytest.mark.parametrize(
    ("cls", "config"),
    [
        (networks.MLP, {"dim": 3 * 256 * 256, "width": 2}),
        (networks.UNet, {"width": 8, "mults": (1,), "time": "table", "T": 100_000}),
        (networks.UNet, {"width": np.int64(8), "mults": [np.int32(1), 2], "groups": np.uint8(4)}),
        (networks.VAE, {"shape": (1, 300, 300), "width": 2, "var": np.float32(1e6)}),
        (networks.Classifier, {"width": 8, "mults": (1,), "labels": 70_000}),
    ],
    ids=range(5),
)
def test_large_sizes_and_numbers_of_numpy_come_back(cls, config, tmp_path):
    net = networks.build(cls, seed=0, **config)
    facts = {"loss": np.float32(0.5), "steps": np.int64(3), "all": np.arange(2), "ok": np.True_}
    again, told = training.load(training.save(tmp_path / "net.safetensors", net, **facts))
    assert told == {"loss": 0.5, "steps": 3, "all": [0, 1], "ok": True}
    assert all(map(torch.equal, again.state_dict().values(), net.state_dict().values()))
    flags = [[each.requires_grad for each in made.parameters()] for made in (net, again)]
    assert flags[0] == flags[1]  # the variance of a VAE is learned only if that was asked for


@pytest.mark.parametrize(
    ("fact", "error"),
    [
        (object(), TypeError), ({1j: 0}, TypeError), ({1, 2}, TypeError), (deeper(0), TypeError),
        ("x" * 50_000_000, ValueError),
    ],
    ids=range(5),
)  # fmt: skip
def test_facts_that_no_header_holds_are_named(fact, error, tmp_path):
    with pytest.raises(error, match="facts must be"):
        training.save(tmp_path / "net.safetensors", changed(lambda net: None), fact=fact)
    assert list(tmp_path.iterdir()) == []


def test_an_optimizer_that_load_run_would_not_bring_back_is_refused(tmp_path):
    net = changed(lambda net: None)
    for optimizer in (
        torch.optim.SGD(net.parameters(), 0.1),
        torch.optim.Adam(net.parameters(), weight_decay=0.1),  # not AdamW
        torch.optim.Adam(net.parameters(), betas=(0.5, 0.9)),
        torch.optim.Adam(net.parameters(), amsgrad=True),
        torch.optim.Adam([{"params": [each]} for each in net.parameters()]),
    ):
        with pytest.raises(ValueError, match=r"must be that of training\.adam"):
            run = training.Run(net, training.EMA(net), optimizer, {}, 0, {})
            training.save_run(tmp_path / "run.safetensors", run)


# forged tensors of a run, with a checksum that fits


def with_tensors(payload, change):
    """The file with other tensors; `change` gets them by name."""
    from safetensors.torch import load, save

    tensors, text = load(payload), taken_apart(payload)[0]["__metadata__"]["ddpm_lab"]
    change(tensors)
    return save(tensors, {"ddpm_lab": text, "sha256": _container.digest(text, tensors)})


def without(*names):
    return lambda tensors: [tensors.pop(name) for name in [*tensors] if name.startswith(names)]


def becomes(name, tensor):
    return lambda tensors: tensors.update({name: tensor(tensors[name])})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (without("adam.3.exp_avg_sq"), "what Adam remembers of weight 3 does not fit"),
        (without("adam.3.step"), "what Adam remembers of weight 3 does not fit"),
        (without("adam.3."), r"Adam must remember all \d+ weights"),
        (becomes("adam.0.step", lambda step: -step), "Adam must have done 1, 2"),
        (becomes("adam.0.step", lambda step: step * math.nan), "Adam must have done 1, 2"),
        (becomes("adam.0.step", lambda step: step * math.inf), "Adam must have done 1, 2"),
        (becomes("adam.0.step", lambda step: step + 0.5), "Adam must have done 1, 2"),
        (becomes("adam.0.step", lambda step: step.long()), "weight 0 does not fit"),
        (becomes("adam.0.step", lambda step: step.repeat(2)), "weight 0 does not fit"),
        (becomes("adam.0.exp_avg", lambda mean: mean.flatten()[:1]), "weight 0 does not fit"),
        (becomes("adam.0.exp_avg", lambda mean: mean.double()), "weight 0 does not fit"),
        (lambda tensors: tensors.update({"adam.999.step": torch.ones(())}), "Adam must remember"),
        (lambda tensors: tensors.update({"adam.0.more": torch.ones(())}), "weight 0 does not fit"),
        (becomes("net.conv_in.weight", lambda weight: weight.int()), "holds torch.int32"),
        (becomes("net.conv_in.weight", lambda weight: weight.double()), "mix"),
        (becomes("ema.conv_in.weight", lambda weight: weight.to(torch.complex64)), "complex64"),
        (without("ema.conv_in.weight"), "conv_in.weight"),
        (becomes("generator.cpu.noise", lambda state: state.int()), ""),
        (becomes("generator.cpu.noise", lambda state: state * 0), ""),
    ],
    ids=range(19),
)
def test_a_run_with_forged_tensors_is_refused(change, why, originals, tmp_path):
    payload = with_tensors(originals["save_run"], change)
    refused("save_run", tmp_path / "forged.safetensors", payload, why)


@pytest.mark.parametrize("steps", ["7", -1, 1.5, None, True])
def test_a_run_whose_average_has_odd_steps_is_refused(steps, originals, tmp_path):
    payload = forged("save_run", originals, tmp_path, ema__steps=steps)
    refused("save_run", tmp_path / "forged.safetensors", payload)


def test_a_run_whose_optimizer_has_not_begun_comes_back(originals, tmp_path):
    path = tmp_path / "run.safetensors"
    path.write_bytes(with_tensors(originals["save_run"], without("adam.")))
    assert training.load_run(path).optimizer.state_dict()["state"] == {}


# forged facts of a run's network


DIGITS = {"name": "digits"}


def trained_file(tmp_path, **changes):
    """net.safetensors as a run writes it, with some of its facts changed."""
    net = networks.build(networks.UNet, seed=0, **UNET)
    facts = {"config": {"data": DIGITS, "net": UNET}, "step": 3, "shape": [1, 8, 8]} | changes
    config = facts["config"]
    facts["config"] = {"data": DIGITS, "net": UNET, **config} if config else config
    return training.save(tmp_path / "net.safetensors", net, **facts)


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"schedule": {"name": "cosine", "T": 10**9}}},
        {"config": {"schedule": {"name": "log_snr", "first": 9, "last": -9, "T": 10**12}}},
        {"config": {"schedule": {"name": "cosine", "T": 10**400}}},
        {"config": {"schedule": [1]}},
        {"config": {"net": UNET | {"blocks": 10**9}}},
        {"config": {"net": UNET | {"width": 10**9}}},
        {"config": {"net": UNET | {"labels": 10**9}}},
        {"config": {"net": UNET | {"labels": 4}}},
        {"config": {"net": UNET | {"mults": [1] * 10**5}}},
        {"config": {"net": 3}},
        {"config": {"data": {"pad": 10**9}}},
        {"config": {"data": {"name": "digits", "pad": 4}}},
        {"config": {"steps": "many"}},
        {"config": {"unknown": 1}},
        {"shape": [10**6, 10**6, 10**6]},
        {"shape": [1, 10**6, 10**6]},
        {"shape": [1, -8, 8]},
        {"shape": [1, 7, 8]},
        {"shape": [1, 8]},
        {"shape": 8},
        {"shape": "888"},
        {"size": 8},
        {"size": [8]},
        {"size": [9, 8]},
        {"size": "88"},
        {"step": -1},
        {"step": "3"},
        {"step": None},
        {"config": None},
    ],
    ids=str,
)
def test_a_network_with_forged_facts_is_refused_at_once(changes, tmp_path):
    path = trained_file(tmp_path)
    assert models.load(path).shape == (1, 8, 8)
    path = trained_file(tmp_path, **changes)
    before = peak()
    with pytest.raises(ValueError, match=r"net\.safetensors must (hold|say)") as caught:
        models.load(path)
    assert peak() - before < 200e6
    assert len(str(caught.value).splitlines()) == 1
