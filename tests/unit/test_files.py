"""Files that appear whole or not at all.

Truth: the operating system itself: links, permissions and devices as it shows them, processes that
are really killed, and errors injected where it would report them.
"""

import errno
import os
import subprocess
import sys
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
