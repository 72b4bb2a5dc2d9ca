"""A run survives `kill -9` at any moment, and several processes do the work of one.

Truth: the same run, left alone, in one process. The kills come at random moments of a fixed seed;
`python tests/unit/test_kills_and_processes.py FOLDER KILLS SEED` is the program that does them: it
loads PyTorch once and forks, so that a kill costs tenths of a second.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from ddpm_lab import training
from ddpm_lab.training import _processes, models, trainer
from ddpm_lab.training.config import from_dict

# Groups of several features: a bias before a norm of one feature alone has gradient 0, and Adam
# would make whole steps out of the rounding of that 0.
CONFIG = {
    "data": {"name": "digits"}, "net": {"width": 8, "mults": [1, 2], "labels": 10, "groups": 2},
    "optimizer": {"warmup": 5}, "steps": 40, "batch": 16, "log_every": 5, "save_every": 3,
    "samples_every": 0, "precision": "float32", "held_out_every": 10, "keep": 2,
}  # fmt: skip
FILES = {"config.json", "log.jsonl", "net.safetensors", "run.safetensors", "best.safetensors"}
FILES |= {"net_000036.safetensors", "net_000039.safetensors"}
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


# the program


def in_a_fork(folder, limit=None, wait=0.0):
    """Run in a child; kill it `wait` seconds after it has worked for `limit` seconds.

    What counts is its processor time, so that a busy machine moves no kill to another place.
    Returns how long it has worked, or None if it was killed.
    """
    child = os.fork()
    if child == 0:
        try:
            trainer.train(from_dict(CONFIG), folder)
            os._exit(0)
        finally:
            os._exit(1)
    work = psutil.Process(child)
    while True:
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            if status:
                sys.exit(f"a run that nobody killed ended with {status}")
            return used.ru_utime + used.ru_stime
        if limit is not None and sum(work.cpu_times()[:2]) > limit:
            time.sleep(wait)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.0005)


def readable(folder):
    """The step of the stored run; all that is there must be whole."""
    if (folder / "config.json").exists():
        training.read_config(folder / "config.json")
    if (folder / "net.safetensors").exists():
        models.load(folder)
    state = folder / "run.safetensors"
    return training.load_run(state).step if state.exists() else 0


def program(folder, kills, seed):
    """Kill runs in one folder after the other until all kills are spent; then let the last end."""
    torch.set_num_threads(1)
    rng, steps, number = random.Random(seed), [], 0
    trainer.train(from_dict(CONFIG), folder / "whole")  # here, so that all is loaded
    length = in_a_fork(folder / "timed")
    tick = 1 / os.sysconf("SC_CLK_TCK")  # processor time is counted in these
    while len(steps) < kills:
        limit, wait = 0.7 * length * rng.random() ** 2, tick * rng.random()
        if in_a_fork(folder / f"run{number}", limit, wait) is None:
            steps.append(readable(folder / f"run{number}"))
        else:
            number += 1
    in_a_fork(folder / f"run{number}")
    print(json.dumps({"steps": steps, "runs": number + 1, "length": length}))


# the tests


def same_runs(one, other, **close):
    """Do two folders hold the same run, bit by bit, or as close as is said?"""
    from safetensors.torch import load_file

    older = {path.name for path in other.glob("net_*.safetensors")}
    assert {path.name for path in one.glob("net_*.safetensors")} == older and len(older) == 2
    for name in ("run.safetensors", "net.safetensors", "best.safetensors", *older):
        ours, theirs = load_file(one / name), load_file(other / name)
        assert ours.keys() == theirs.keys()
        for key in ours:
            if close and ours[key].is_floating_point():
                torch.testing.assert_close(ours[key], theirs[key], **close)
            else:
                assert torch.equal(ours[key], theirs[key]), key
    lines = [
        [
            [line["step"], line["loss"], line["grad_norm"], *line["loss_per_t"]]
            + [line[name] for name in ("held_out_loss",) if name in line]
            for line in log
        ]
        for log in (training.read_log(one), training.read_log(other))
    ]
    assert len(lines[0]) == len(lines[1]) > 0
    for ours, theirs in zip(*lines):
        assert ours == (pytest.approx(theirs, abs=2e-5) if close else theirs)


def killed(tmp_path, kills, seed):
    words = [sys.executable, __file__, tmp_path, kills, seed]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert len(found["steps"]) == kills
    assert len(set(found["steps"])) >= 6  # of 14: they came at many different places
    for number in range(found["runs"]):
        same_runs(tmp_path / f"run{number}", tmp_path / "whole")
        names = {path.name for path in (tmp_path / f"run{number}").iterdir()}
        assert names == {path.name for path in (tmp_path / "whole").iterdir()} == FILES
    return found


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@needs_fork
@pytest.mark.slow
def test_twenty_kills_change_not_a_bit(tmp_path):
    killed(tmp_path, kills=20, seed=1)


def command(out, *words):
    """`python -m ddpm_lab train` as a list of words, without the python."""
    config = out.parent / "config.json"
    config.write_text(json.dumps(CONFIG))
    line = ["-m", "ddpm_lab", "train", "--config", config, "--out", out, "--device", "cpu"]
    return [*map(str, line), "--set", "steps=8", "batch=12", *words]


def torchrun(*words, processes=2):
    """The words run in several processes on this machine."""
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.run(
        [sys.executable, *start, *words],
        capture_output=True, text=True, env=ENVIRONMENT,
    )  # fmt: skip


WATCHED = """
import atexit, sys
from ddpm_lab.cli import main
atexit.register(print, "Python winds down")
sys.exit(main(sys.argv[1:]))
"""


needs_gloo = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()),
    reason="this PyTorch has no gloo",
)


@needs_gloo
def test_two_processes_do_what_one_does_and_go_on_with_what_one_began(tmp_path):
    config = from_dict(CONFIG, steps=8, batch=12)
    one, two = tmp_path / "one", tmp_path / "two"
    trainer.train(config, one)
    trainer.train(config, two, on_step=lambda step: step.step == 3)  # one process
    done = torchrun(*command(two), "--resume")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("8 steps done") == 1  # one of them speaks
    # each takes half of a batch and the gradients are averaged: rounding alone may differ
    same_runs(two, one, rtol=1e-3, atol=1e-5)
    assert {path.name for path in two.iterdir()} == {path.name for path in one.iterdir()}


@needs_gloo
def test_three_processes_from_the_start(tmp_path):
    config = from_dict(CONFIG, steps=8, batch=12)
    one, three = tmp_path / "one", tmp_path / "three"
    trainer.train(config, one)
    (tmp_path / "watched.py").write_text(WATCHED)
    done = torchrun(tmp_path / "watched.py", *command(three)[2:], processes=3)
    assert done.returncode == 0, done.stderr[-3000:]
    same_runs(three, one, rtol=1e-3, atol=1e-5)
    # what could abort a process then: threads that DistributedDataParallel leaves behind
    assert "Python winds down" not in done.stdout


def test_processes_that_see_different_runs_are_refused(monkeypatch):
    """As on two machines whose folders only have the same name."""

    def gather(seen, ours):
        seen[:] = [ours, ours | {"step": 0}]

    monkeypatch.setattr(_processes, "place", lambda: (0, 2))
    monkeypatch.setattr(torch.distributed, "all_gather_object", gather, raising=False)
    said = r"must see the same step; got int 6, int 0\. .* that all machines share"
    with pytest.raises(ValueError, match=said):
        _processes.check_alike(step=6, data="digits")


DEADLY = """
import os, signal, sys
from pathlib import Path
from ddpm_lab.cli import main, train
from ddpm_lab.cli.progress import Progress

class Deadly(Progress):
    def on_step(self, step):
        rank, machine = os.environ["RANK"], os.environ["MACHINE"]
        deaths = {5: ("worker", rank == "0"), 11: ("machine", machine == "second")}
        what, mine = deaths.get(step.step, ("", False))
        mark = Path(os.environ["MARKS"]) / f"{what} {step.step}"
        if mine and not mark.exists():
            mark.touch()
            if what == "machine":
                os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().on_step(step)

train.Progress = Deadly
sys.exit(main(sys.argv[1:]))
"""


JOINING = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
"""Without it no new agent can take a dead one's place: github.com/pytorch/pytorch/issues/135712"""


def machine(name, port, folder, *words):
    """One of two machines: an agent of torchrun with one worker, in a process of its own."""
    meet = f"is_host={name == 'first'},keep_alive_interval=1,keep_alive_max_attempt=3"
    start = ["-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1", "--max-restarts=3"]
    start += ["--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{port}", f"--rdzv-conf={meet}"]
    start += ["--rdzv-id=kills", "--local-addr=127.0.0.1"]
    with (folder / f"{name}.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, *start, *words], stdout=log, stderr=log,
            env=ENVIRONMENT | JOINING | {"MACHINE": name, "MARKS": str(folder)},
        )  # fmt: skip


@needs_fork
@needs_gloo
@pytest.mark.slow
def test_of_two_machines_a_worker_and_a_whole_one_die_and_come_back(tmp_path):
    """The worker has rank 0, and dies while it owns the folder; torchrun starts both again. Then
    the second machine goes, and waits until somebody starts it again. Nothing differs from a run
    with two processes that nobody disturbs: a sum of two numbers does not depend on their order.
    """
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    more = ["--set", "steps=20", "--resume"]  # --resume starts a run, too, where there is none
    script = tmp_path / "deadly.py"
    script.write_text(DEADLY)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [script, *command(killed, *more)[2:]]
    first, second = (machine(name, port, tmp_path, *words) for name in ("first", "second"))
    try:
        assert second.wait(timeout=300) == -signal.SIGKILL
        second = machine("second", port, tmp_path, *words)
        undisturbed = torchrun(*command(whole, *more))
        assert undisturbed.returncode == 0, undisturbed.stderr[-3000:]
        ended = [each.wait(timeout=300) for each in (first, second)]
    finally:
        first.kill(), second.kill()
    assert ended == [0, 0], (tmp_path / "first.log").read_text()[-3000:]
    assert {path.name for path in tmp_path.glob("* *")} == {"worker 5", "machine 11"}
    same_runs(killed, whole)
    assert {path.name for path in killed.iterdir()} == {path.name for path in whole.iterdir()}


if __name__ == "__main__":
    program(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
