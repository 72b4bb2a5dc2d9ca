"""A run's folder serves one process at a time.

Truth: the operating system itself: processes that are really killed, and locks that it holds.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from ddpm_lab.training import _ownership

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
ROOT = Path(__file__).parents[2]


def test_a_folder_is_owned_by_one_thread_and_free_afterwards(tmp_path):
    folder, said = tmp_path / "a" / "run", []

    def other():
        try:
            with _ownership.owned(folder):
                said.append("in")
        except ValueError as error:
            said.append(str(error))

    with _ownership.owned(folder) as ours:
        assert ours
        with _ownership.owned(folder) as again:
            assert not again  # further up in this very thread
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert f"process {os.getpid()} on " in said[0] and str(folder) in said[0]
        (folder / "file").touch()
    assert [each.name for each in folder.iterdir()] == ["file"]
    other()
    assert said[1:] == ["in"]


def test_folders_that_were_made_and_not_used_are_removed(tmp_path):
    with pytest.raises(KeyError), _ownership.owned(tmp_path / "a" / "b" / "run"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()  # the user's own
    with _ownership.owned(tmp_path / "empty"):
        pass
    assert (tmp_path / "empty").is_dir()


HOLD = """
import signal, sys
from ddpm_lab.training import _ownership
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
with _ownership.owned(sys.argv[1]):
    print("in", flush=True)
    sys.stdin.read()
"""


def holding(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout.readline() == "in\n"
    return process


def ended(process):
    process.communicate()
    return process.returncode


@pytest.mark.parametrize("locks", [True, False])
def test_another_process_is_refused_until_it_ends_however_it_ends(locks, tmp_path, monkeypatch):
    if not locks:
        if not Path("/proc/self/stat").exists():
            pytest.skip("without locks the number and start time of a process are needed")
        monkeypatch.setattr(_ownership, "_lock", lambda file: None)
    process = holding(tmp_path)
    try:
        said = rf"one process at a time; got one in use by process {process.pid} on .* Wait until"
        with pytest.raises(ValueError, match=said), _ownership.owned(tmp_path):
            pass
        left = (tmp_path / "run.lock").read_bytes()
    finally:
        process.kill()
        ended(process)
    for lock in (left, b"", b"\0" * 99, b"[]", b'{"pid": 1}', b"\xff"):  # what crashes leave
        (tmp_path / "run.lock").write_bytes(lock)
        with _ownership.owned(tmp_path) as ours:
            assert ours
        assert not (tmp_path / "run.lock").exists()


@pytest.mark.parametrize("change", [{"started": "1"}, {"boot": "another"}])
@pytest.mark.parametrize("locks", [True, False])
def test_a_number_that_another_process_has_now_blocks_nobody(change, locks, tmp_path, monkeypatch):
    """The lock of a dead process whose number was given again, or of the time before a reboot."""
    if not locks:
        monkeypatch.setattr(_ownership, "_lock", lambda file: None)
    if not locks and not Path("/proc/self/stat").exists():
        pytest.skip("without locks the number and start time of a process are needed")
    lock = {**_ownership._us(), "pid": os.getppid(), **change}
    (tmp_path / "run.lock").write_text(json.dumps(lock))
    with _ownership.owned(tmp_path) as ours:
        assert ours


def test_the_owner_on_another_machine_is_named_with_what_to_do(tmp_path):
    lock = {**_ownership._us(), "host": "node7", "boot": "another", "pid": 123}
    (tmp_path / "run.lock").write_text(json.dumps(lock))
    said = r"process 123 on node7 .* cannot be seen from this machine.* delete .*run\.lock"
    with pytest.raises(ValueError, match=said), _ownership.owned(tmp_path):
        pass
    (tmp_path / "run.lock").unlink()
    with _ownership.owned(tmp_path) as ours:
        assert ours


JOBS = [
    ("digits", "digits", True),
    ("digits", "x", False),
    ("none", "none", False),
    ("", "", False),
]


@pytest.mark.parametrize(("theirs", "ours", "free"), JOBS)
def test_torchrun_may_start_the_owner_again_on_another_machine(
    theirs, ours, free, tmp_path, monkeypatch
):
    """The owner has died with its machine; the job is known by the name that torchrun hands on."""
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", theirs)
    lock = {**_ownership._us(), "host": "node7", "boot": "another", "pid": 123}
    (tmp_path / "run.lock").write_text(json.dumps(lock))
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", ours)
    refused = nullcontext() if free else pytest.raises(ValueError, match="seen from this machine")
    with refused, _ownership.owned(tmp_path) as taken:
        assert taken


def test_what_an_owner_of_the_same_job_has_left_is_waited_for(tmp_path, monkeypatch):
    """What it has forked, to read images, holds the lock until it sees that it is alone."""
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "digits")
    process = holding(tmp_path)
    try:
        monkeypatch.setattr(_ownership, "PATIENCE", 0.3)
        began = time.monotonic()
        with pytest.raises(ValueError, match="in use by process"), _ownership.owned(tmp_path):
            pass
        assert time.monotonic() - began >= 0.3
        monkeypatch.setattr(_ownership, "PATIENCE", 60.0)
        end = threading.Timer(0.5, process.kill)
        end.start()
        with _ownership.owned(tmp_path) as ours:
            assert ours and end.finished.is_set()
    finally:
        process.kill()
        ended(process)


@posix
def test_a_process_that_ends_by_a_signal_gives_the_folder_back(tmp_path):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        process = holding(tmp_path)
        process.send_signal(number)
        assert ended(process) != 0
    with _ownership.owned(tmp_path) as ours:
        assert ours
