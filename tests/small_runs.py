"""What tests of training share: a run that takes a moment, and when two runs are equal."""

import torch

from ddpm_lab.training.config import from_dict

SMALL = {"width": 8, "mults": [1, 2], "labels": 10}


def small(**changes):
    """A configuration of six steps on the digits, in float32."""
    plain = {"data": {"name": "digits"}, "net": SMALL, "optimizer": {"warmup": 2}}
    plain |= {"steps": 6, "batch": 8, "log_every": 2, "save_every": 3, "samples_every": 0}
    return from_dict(plain | {"precision": "float32"}, **changes)


def tensors(run):
    """Every number that decides how a run goes on, by name."""
    found = {f"net.{name}": each for name, each in run.net.state_dict().items()}
    found |= {f"ema.{name}": each for name, each in run.ema.net.state_dict().items()}
    for number, state in run.optimizer.state_dict()["state"].items():
        found |= {f"adam.{number}.{name}": each for name, each in state.items()}
    return found | {name: each.get_state() for name, each in run.generators.items()}


def assert_equal_runs(one, other):
    """Bit by bit."""
    ours, theirs = tensors(one), tensors(other)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    assert (one.step, one.ema.steps) == (other.step, other.ema.steps)
