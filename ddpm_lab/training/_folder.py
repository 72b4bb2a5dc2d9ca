"""What does a run leave in its folder, and how is it found again?

    config.json          all that decides the result; the same file gives the same run
    run.safetensors      where it stands: written every so often, whole or not at all
    log.jsonl            what happened, one JSON object in a line
    net.safetensors      the averaged network at that time, which is all that samples need
    best.safetensors     the averaged network when its held-out loss was lowest
    net_000500.safetensors   older ones, as many as `RunConfig.keep` says
    data.json            where the data of your own were, if the run was given some
    run.lock             while a process works there: who it is; a second one is refused

Whatever ends a process, and whenever: the next one finds the state that was stored last, and puts
the rest in order.
"""

import json
import math
import os
from collections.abc import Sequence
from inspect import signature
from pathlib import Path

import torch
from torch import nn

from ddpm_lab import _checks, _files, networks
from ddpm_lab.training.checkpoints import load, save
from ddpm_lab.training.config import RunConfig, UNetConfig, from_dict, read_config, to_dict
from ddpm_lab.training.log import read_log
from ddpm_lab.training.state import Run, load_run, save_run

_FILES = (
    "config.json", "log.jsonl", "run.safetensors", "net.safetensors", "metrics.json", "data.json",
    "best.safetensors", "net_[0-9]*.safetensors", "judge.safetensors", "samples_[0-9]*.png",
)  # fmt: skip


def holds_run(folder: Path) -> bool:
    """Has a run been started in the folder?

    >>> holds_run(Path("no such folder"))
    False
    """
    return any((folder / name).exists() for name in ("config.json", "run.safetensors"))


def stored(config: RunConfig, folder: Path, device: str | torch.device = "cpu") -> Run | None:
    """The run of a folder as it was stored last; None if there is none yet.

    Raises
    ------
    ValueError, OSError
        If it is another run than the configuration's, a damaged one, or none that can go on.

    >>> stored(RunConfig(), Path("no such folder")) is None
    True
    """
    path, state, net = (folder / f for f in ("config.json", "run.safetensors", "net.safetensors"))
    run = load_run(state, device) if state.exists() else None
    if path.exists() or (run is not None and run.step > 0):  # a kill may leave a first state alone
        _check_same(config, read_config(path), folder)
    if run is None:
        if os.path.lexists(state) or os.path.lexists(net):
            raise FileNotFoundError(
                f"{state} must be there to go on with the run; the folder holds "
                f"{'only a link to it' if os.path.lexists(state) else 'its network alone'}. "
                "Put it back, or take another folder (--init starts from a trained network)."
            )
        return None
    facts = dict(run.facts)
    if "config" in facts:  # states of older versions do not say
        _check_same(config, noted_config(facts, state.name), folder)
        del facts["config"]
    _check_resumable(run, config.steps, state.name)
    check_settings(run.net, config.net, state.name)
    return run._replace(facts=facts)


def store(config: RunConfig, folder: Path, run: Run) -> None:
    """Write the state, and then the averaged network: a network alone is no run."""
    facts = run.facts | {"config": to_dict(config)}
    save_run(folder / "run.safetensors", run._replace(facts=facts))
    _store_net_and_older(config, folder, run)


def _store_net_and_older(config, folder, run):
    _keep_older(folder, config.keep, run.step)
    _store_net(config, folder, run)


def store_best(config: RunConfig, folder: Path, run: Run) -> None:
    """Write the averaged network as the best one so far."""
    _store_net(config, folder, run, "best.safetensors")


def _keep_older(folder, keep, step):
    """Let the network that is about to be replaced stay under a name of its own, for a while."""
    before = _step_of_net(folder) if keep else None
    if before is not None and before < step:
        payload = _files.read(folder / "net.safetensors")
        _files.write_whole(folder / f"net_{before:06d}.safetensors", payload)
    numbers = {p: p.stem.removeprefix("net_") for p in folder.glob("net_[0-9]*.safetensors")}
    older = sorted((int(n), p) for p, n in numbers.items() if n.isdecimal())
    for _, path in older[:-keep] if keep else ():
        path.unlink()


def remember_data(folder: Path, source) -> None:
    """Note where the data of your own are, for whoever resumes or evaluates the run."""
    text = json.dumps({"path": os.path.abspath(_checks.path_of(source))})
    _files.write_whole(folder / "data.json", text.encode())


def remembered_data(folder: Path) -> str | None:
    """Where the data of your own were; None if the run was given none, or does not know.

    >>> remembered_data(Path("no such folder")) is None
    True
    """
    try:
        source = json.loads(_files.read(folder / "data.json"))["path"]
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    return source if isinstance(source, str) else None


def prepare(config: RunConfig, folder: Path, run: Run) -> None:
    """Make the folder fit the stored state: no drafts, and log and network of its step."""
    log, path = read_log(folder), folder / "config.json"
    if run.step == 0 and "init" in run.facts:  # a restart would not know the weights
        store(config, folder, run)
    if not path.exists() or read_config(path).steps != config.steps:
        _files.write_whole(path, json.dumps(to_dict(config), indent=1).encode())
    if run.step > 0 and _step_of_net(folder) != run.step:  # killed between the two files
        _store_net_and_older(config, folder, run)
    elif run.step == config.steps:
        return  # nothing is left to do, and nothing to be put in order
    _files.remove_dead_drafts(folder, _FILES, alone=True)
    kept = [json.dumps(line) + "\n" for line in log if line["step"] <= run.step]
    _files.write_whole(folder / "log.jsonl", "".join(kept).encode())


def net_file(path, name="path"):
    """The file of a run's averaged network, given that or the run's folder.

    >>> net_file("runs/digits.safetensors").name
    'digits.safetensors'
    """
    path = _checks.path_of(path, name)
    return path / "net.safetensors" if path.is_dir() else path


def noted_config(facts: dict, where: str) -> RunConfig:
    """The settings that a file of a run has noted.

    Raises
    ------
    ValueError
        If there are none, or others.

    >>> noted_config({"config": {"steps": 5}}, "net.safetensors").steps
    5
    """
    try:
        return from_dict(facts["config"], "config")
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(
            f"{where} must hold the settings of a run; got others: {error} Take another file."
        ) from error


def check_settings(
    net: nn.Module, config: UNetConfig, where: str = "init_from (--from)", free: Sequence[str] = ()
) -> None:
    """Has a network the settings of a configuration, named or left at their usual values?

    Parameters
    ----------
    free : settings that may differ

    Raises
    ------
    ValueError
        If not: it says which.

    >>> check_settings(networks.build(networks.UNet, seed=0), UNetConfig())
    """
    usual = {n: each.default for n, each in signature(networks.UNet).parameters.items()}
    theirs = _plain(usual | dict(net.config))  # type: ignore[arg-type]
    ours = _plain(config.settings(theirs["channels"]))
    names = (ours | theirs).keys() - set(free)
    differ = sorted(name for name in names if ours.get(name) != theirs.get(name))
    differ = differ if isinstance(net, networks.UNet) else ["class"]
    if differ:
        raise ValueError(
            f"{where} must hold a network with the settings of config.net; got another "
            f"{', '.join(differ)}. Take that network's settings, or another file."
        )


def _plain(values):
    return json.loads(json.dumps(values, default=lambda number: number.tolist()))


def _store_net(config, folder, run, name="net.safetensors"):
    facts = {"config": to_dict(config), "step": run.step} | run.facts
    save(folder / name, run.ema.net, **facts)


def _step_of_net(folder):
    try:
        return load(folder / "net.safetensors")[1].get("step")
    except (FileNotFoundError, ValueError):
        return None


def _check_same(config, other, folder):
    """The same settings, or the same with more steps."""
    differ = list(_differences(to_dict(config), to_dict(other)))
    if differ and not (differ == ["steps"] and config.steps > other.steps):
        raise ValueError(
            f"config must be that of the run in {folder}; got another {', '.join(differ)}. "
            "Take another folder."
        )


def _differences(ours, theirs, prefix=""):
    for name in dict.fromkeys([*ours, *theirs]):
        one, other = ours.get(name), theirs.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differences(one, other, f"{name}.")
        elif one != other:
            yield prefix + name


def _check_resumable(run, steps, where):
    """A stored run with all that its next step needs."""
    names, seconds = {"time", "noise"}, run.facts.get("seconds")
    if run.generators.keys() != names:
        what = f"the generators {', '.join(sorted(run.generators)) or 'of none'}"
    elif run.step > steps:
        what = f"step {run.step} of {steps}"
    elif type(seconds) not in (int, float) or not 0 <= seconds < math.inf:
        what = f"seconds = {_checks.say(seconds)}"
    else:
        return
    raise ValueError(
        f"{where} must hold a run with the generators {', '.join(sorted(names))}, at most at step "
        f"{steps}; got {what}. Take the state that the run has stored itself."
    )
