"""Files that appear whole or not at all, and folders that serve one process at a time.

Truth: the operating system itself: links, permissions and devices as it shows them, processes that
are really killed, and errors injected where it would report them.
"""

import errno
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

from ddpm_lab import _files

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
ROOT = Path(__file__).parents[2]


# writing


@posix
def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "file", tmp_path / "link"
    for before in (None, b"old"):  # a link that leads nowhere yet; a link to a file
        link.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        if before is not None:
            target.write_bytes(before)
        link.symlink_to(target)
        assert _files.write_whole(link, b"new") == link
        assert link.is_symlink() and target.read_bytes() == b"new" and not target.is_symlink()
    assert [each.name for each in (tmp_path / "there").iterdir()] == ["file"]


@posix
def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for does in (lambda path: _files.write_whole(path, b"x"), _files.check_writable):
        with pytest.raises(OSError, match="must be writable; got"):
            does(tmp_path / "a")
    assert (tmp_path / "a").is_symlink() and (tmp_path / "b").is_symlink()


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_permissions_stay_and_new_files_get_the_usual_ones(mode, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    assert _files.write_whole(path, b"new").stat().st_mode & 0o777 == mode
    before = os.umask(0o027)
    try:
        assert _files.write_whole(tmp_path / "new", b"").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


@posix
def test_a_device_or_a_pipe_is_written_to_and_never_replaced(tmp_path):
    before = os.stat("/dev/null")
    link, pipe = tmp_path / "null", tmp_path / "pipe"
    link.symlink_to("/dev/null")
    for path in (Path("/dev/null"), link):
        _files.check_writable(path)
        _files.write_whole(path, b"gone")
    assert os.path.samestat(os.stat("/dev/null"), before) and link.is_symlink()
    assert not list(Path("/dev").glob("null.*"))
    os.mkfifo(pipe)
    reader, got = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), b""
    try:
        _files.write_whole(pipe, b"through")
        got = os.read(reader, 100)
    finally:
        os.close(reader)
    assert got == b"through" and pipe.is_fifo()


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "Free some space"), (errno.EACCES, "Check its permissions"), (errno.EIO, "")],
)
@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_an_error_of_the_system_names_the_file_and_leaves_the_old_one(
    number, said, where, tmp_path, monkeypatch
):
    path = _files.write_whole(tmp_path / "file", b"old")

    def fails(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, where, fails)
    with pytest.raises(OSError) as caught:
        _files.write_whole(path, b"new")
    assert str(path) in str(caught.value) and os.strerror(number) in str(caught.value)
    assert said in str(caught.value) and caught.value.errno == number
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


@posix
def test_a_file_that_may_not_be_read_is_named():
    """Tried by a user who may not; whoever runs the tests may be allowed everything."""
    code = """
import os, sys, tempfile
from ddpm_lab import _files, training
folder = tempfile.mkdtemp()
path = f"{folder}/net.safetensors"
open(path, "w").close()
os.chmod(path, 0)
if os.geteuid() == 0:
    os.chmod(folder, 0o755)
    os.setuid(65534)
readers = _files.read, training.load, training.load_run, training.read_config, _files.check_writable
for read in readers:
    try:
        read(path)
    except PermissionError as error:
        assert path in str(error) and "must be" in str(error) and "Check its" in str(error), error
    else:
        sys.exit(f"{read} raised nothing")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_what_cannot_be_written_is_refused_before_the_work_and_leaves_no_trace(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    for path in (tmp_path, tmp_path / "file" / "inside", tmp_path / "file" / "deep" / "inside"):
        with pytest.raises(OSError, match="must be writable; got ") as caught:
            _files.check_writable(path)
        assert str(path) in str(caught.value)
    for path in (tmp_path / "new", tmp_path / "some" / "new" / "place", tmp_path / "file"):
        _files.check_writable(path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"x"


# drafts


def test_only_drafts_of_these_files_and_of_dead_processes_are_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    alive = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    kept = {"film.mp4.part", "film.mp4.1.part", "log.jsonl.part", "log.jsonl.x.part", "log.jsonl"}
    kept |= {f"film.mp4.{dead.pid}.part", f"my.log.jsonl.{dead.pid}.part", f"log.{dead.pid}.part"}
    kept |= {f"log.jsonl.mine.{dead.pid}.part"}
    kept |= {f"log.jsonl.{alive.pid}.part"} if os.name != "nt" else set()  # there it must be open
    gone = {f"log.jsonl.{dead.pid}.part", f"log.jsonl.{os.getpid()}.part", f"a_3.{dead.pid}.part"}
    try:
        for name in kept | gone:
            (tmp_path / name).write_bytes(b"half")
        _files.remove_dead_drafts(tmp_path, ["log.jsonl", "a_*"])
    finally:
        alive.communicate(b"\n")
    assert {each.name for each in tmp_path.iterdir()} == kept


def test_in_a_folder_of_ones_own_every_draft_of_these_files_is_dead(tmp_path):
    """The number of a process that was killed may belong to a later one, such as our parent."""
    for name in (f"log.jsonl.{os.getppid()}.part", f"film.mp4.{os.getppid()}.part"):
        (tmp_path / name).write_bytes(b"half")
    _files.remove_dead_drafts(tmp_path, ["log.jsonl"], alone=True)
    assert [each.name for each in tmp_path.iterdir()] == [f"film.mp4.{os.getppid()}.part"]


# one process


def test_a_folder_is_owned_by_one_thread_and_free_afterwards(tmp_path):
    folder, said = tmp_path / "a" / "run", []

    def other():
        try:
            with _files.owned(folder):
                said.append("in")
        except ValueError as error:
            said.append(str(error))

    with _files.owned(folder) as ours:
        assert ours
        with _files.owned(folder) as again:
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
    with pytest.raises(KeyError), _files.owned(tmp_path / "a" / "b" / "run"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()  # the user's own
    with _files.owned(tmp_path / "empty"):
        pass
    assert (tmp_path / "empty").is_dir()


HOLD = """
import signal, sys
from ddpm_lab import _files
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
with _files.owned(sys.argv[1]):
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
        monkeypatch.setattr(_files, "_lock", lambda file: None)
    process = holding(tmp_path)
    try:
        said = rf"one process at a time; got one in use by process {process.pid} on .* Wait until"
        with pytest.raises(ValueError, match=said), _files.owned(tmp_path):
            pass
        left = (tmp_path / "run.lock").read_bytes()
    finally:
        process.kill()
        ended(process)
    for lock in (left, b"", b"\0" * 99, b"[]", b'{"pid": 1}', b"\xff"):  # what crashes leave
        (tmp_path / "run.lock").write_bytes(lock)
        with _files.owned(tmp_path) as ours:
            assert ours
        assert not (tmp_path / "run.lock").exists()


@pytest.mark.parametrize("change", [{"started": "1"}, {"boot": "another"}])
@pytest.mark.parametrize("locks", [True, False])
def test_a_number_that_another_process_has_now_blocks_nobody(change, locks, tmp_path, monkeypatch):
    """The lock of a dead process whose number was given again, or of the time before a reboot."""
    if not locks:
        monkeypatch.setattr(_files, "_lock", lambda file: None)
    if not locks and not Path("/proc/self/stat").exists():
        pytest.skip("without locks the number and start time of a process are needed")
    lock = {**_files._us(), "pid": os.getppid(), **change}
    (tmp_path / "run.lock").write_text(json.dumps(lock))
    with _files.owned(tmp_path) as ours:
        assert ours


def test_the_owner_on_another_machine_is_named_with_what_to_do(tmp_path):
    lock = {**_files._us(), "host": "node7", "boot": "another", "pid": 123}
    (tmp_path / "run.lock").write_text(json.dumps(lock))
    said = r"process 123 on node7 .* cannot be seen from this machine.* delete .*run\.lock"
    with pytest.raises(ValueError, match=said), _files.owned(tmp_path):
        pass
    (tmp_path / "run.lock").unlink()
    with _files.owned(tmp_path) as ours:
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
    lock = {**_files._us(), "host": "node7", "boot": "another", "pid": 123}
    (tmp_path / "run.lock").write_text(json.dumps(lock))
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", ours)
    refused = nullcontext() if free else pytest.raises(ValueError, match="seen from this machine")
    with refused, _files.owned(tmp_path) as taken:
        assert taken


def test_what_an_owner_of_the_same_job_has_left_is_waited_for(tmp_path, monkeypatch):
    """What it has forked, to read images, holds the lock until it sees that it is alone."""
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "digits")
    process = holding(tmp_path)
    try:
        monkeypatch.setattr(_files, "PATIENCE", 0.3)
        began = time.monotonic()
        with pytest.raises(ValueError, match="in use by process"), _files.owned(tmp_path):
            pass
        assert time.monotonic() - began >= 0.3
        monkeypatch.setattr(_files, "PATIENCE", 60.0)
        end = threading.Timer(0.5, process.kill)
        end.start()
        with _files.owned(tmp_path) as ours:
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
    with _files.owned(tmp_path) as ours:
        assert ours
