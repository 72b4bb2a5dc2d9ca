"""MNIST and Fashion-MNIST: downloaded once, checked, cached.

Truth: a web server on this machine.
"""

import errno
import gzip
import hashlib
import http.server
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from idx_bytes import IMAGES, LABELS, MARKS
from refuses import OURS, refused

from ddpm_lab import datasets
from ddpm_lab.datasets import downloads

LOADERS = {"mnist": datasets.mnist, "fashion-mnist": datasets.fashion_mnist}
FILES = {
    f"{prefix}-{part}.gz": gzip.compress(content)
    for prefix in ("train", "t10k")
    for part, content in (("images-idx3-ubyte", IMAGES), ("labels-idx1-ubyte", LABELS))
}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and small files in the role of the published ones."""
    monkeypatch.setenv("DDPM_LAB_DATA", str(tmp_path / "cache"))
    sums = [sha256(content) for content in FILES.values()]
    table = {"train": (sums[0], sums[1]), "test": (sums[2], sums[3])}
    monkeypatch.setattr(downloads, "_SHA256", dict.fromkeys(LOADERS, table))
    return tmp_path / "cache"


@pytest.fixture
def no_network(monkeypatch):
    """Any attempt to reach out fails, as on a train."""

    def refuse(*args, **kwargs):
        raise OSError("the network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.fixture
def server(monkeypatch):
    """A web server on this machine that serves `files` and counts what it is asked for."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            content = server.files.get(self.path.rpartition("/")[2])
            self.send_response(404 if content is None else 200)
            content = content or b"<html>not found</html>"
            self.send_header("Content-Length", str(len(content) + server.missing))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.files, server.missing = [], dict(FILES), 0
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    root = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(downloads, "_URLS", {name: f"{root}/{name}/" for name in LOADERS})
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def held(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("split, prefix", [("train", "train"), ("test", "t10k")])
def test_a_download_happens_once(cache, server, name, split, prefix):
    wanted = [f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"]
    for _ in range(2):
        images, labels = LOADERS[name](split)
        assert images.shape == (5, 1, 3, 4) and labels.tolist() == MARKS.tolist()
        assert server.asked == [f"/{name}/{file}" for file in wanted]
        assert held(cache) == wanted and held(cache / name) == wanted


@pytest.mark.parametrize("name", LOADERS)
def test_files_put_into_the_cache_by_hand_need_no_network(cache, no_network, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "pooch", None)  # not even the downloader
    (cache / name).mkdir(parents=True)
    for file, content in FILES.items():
        (cache / name / file).write_bytes(content)
    for split in ("train", "test"):
        assert LOADERS[name](split)[1].tolist() == MARKS.tolist()


@pytest.mark.parametrize("name", LOADERS)
def test_offline_the_message_says_how_to_go_on(cache, no_network, name):
    with refused(
        ConnectionError,
        downloads._URLS[name] + "train-images-idx3-ubyte.gz",
        "Offline?",
        "datasets.digits",
        str(cache / name),
        "still gzipped",
    ):
        LOADERS[name]("train")
    assert held(cache) == []


def test_a_failed_download_leaves_nothing_behind(cache, server):
    file = "train-images-idx3-ubyte.gz"
    for content, missing in ((None, 0), (b"<html>log in</html>", 0), (FILES[file][:40], 40)):
        server.files[file], server.missing = content, missing
        with refused(ConnectionError, file, "published"):
            datasets.mnist("train")
        assert held(cache) == []
    server.files, server.missing = dict(FILES), 0
    assert len(datasets.mnist("train")[0]) == 5  # and the next try works


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such permissions")
@pytest.mark.parametrize("mask", [0o022, 0o007])
def test_what_was_downloaded_may_be_read_by_all_who_may_read_other_files(cache, server, mask):
    before = os.umask(mask)
    try:
        datasets.mnist("test")
    finally:
        os.umask(before)
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert [path.stat().st_mode & 0o777 for path in files] == [0o666 & ~mask] * 2


def test_a_download_removes_what_a_killed_one_left_and_nothing_else(cache, server):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    folder, name = cache / "mnist", "t10k-images-idx3-ubyte.gz"
    left = folder / f"{name}.download.{dead.pid}.part"
    left.mkdir(parents=True)
    (left / "tmp1234").write_bytes(b"half")
    (folder / f"{name}.{dead.pid}.part").write_bytes(b"half")
    (folder / "film.mp4.part").write_bytes(b"half")
    datasets.mnist("test")
    assert held(folder) == ["film.mp4.part", name, "t10k-labels-idx1-ubyte.gz"]
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_a_full_disk_is_not_called_an_unreachable_server(cache, server, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"must have room for t10k-images") as caught:
        datasets.mnist("test")
    assert not isinstance(caught.value, ConnectionError) and "DDPM_LAB_DATA" in str(caught.value)
    assert held(cache) == []


def test_a_cached_file_with_another_checksum_is_refused_and_kept(cache, no_network):
    folder = cache / "mnist"
    folder.mkdir(parents=True)
    for file in FILES:
        (folder / file).write_bytes(gzip.compress(IMAGES, compresslevel=1, mtime=0) + b"\0")
    path = folder / "t10k-images-idx3-ubyte.gz"
    with refused(ValueError, str(path), sha256(path.read_bytes()), "Delete", "datasets.idx("):
        datasets.mnist("test")
    assert held(cache) == sorted(FILES)


def test_a_cache_that_cannot_be_one_is_refused(cache, no_network, monkeypatch):
    folder = cache / "mnist"
    (folder / "train-images-idx3-ubyte.gz").mkdir(parents=True)
    with refused(FileNotFoundError, "a folder"):
        datasets.mnist("train")
    (cache / "fashion-mnist").write_text("a file where a folder belongs")
    with pytest.raises(OSError, match=OURS):
        datasets.fashion_mnist("train")


@pytest.mark.parametrize("name", LOADERS)
def test_downloads_refuse_another_split_first(cache, no_network, name):
    for split in ("all", "valid", None):
        with refused(ValueError, "split", "'train', 'test'"):
            LOADERS[name](split)


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    import pooch

    monkeypatch.setenv("DDPM_LAB_DATA", str(tmp_path))
    assert datasets.cache_folder() == tmp_path
    monkeypatch.setenv("DDPM_LAB_DATA", "~/data")
    assert datasets.cache_folder() == Path.home() / "data"
    for clear in (lambda: monkeypatch.setenv("DDPM_LAB_DATA", ""), monkeypatch.undo):
        clear()
        monkeypatch.delenv("DDPM_LAB_DATA", raising=False)
        assert datasets.cache_folder() == Path(pooch.os_cache("ddpm-lab"))
    monkeypatch.setitem(sys.modules, "pooch", None)
    with refused(ImportError, "pip install pooch"):
        datasets.cache_folder()


@pytest.mark.skipif("DDPM_LAB_MNIST" not in os.environ, reason="set DDPM_LAB_MNIST to a folder")
@pytest.mark.parametrize(
    "split, counts, sums",
    [
        (
            "train",
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
            (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
        ),
        (
            "test",
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
            (
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ),
    ],
)
def test_the_real_mnist_is_read_whole(split, counts, sums):
    # Truth: the published class counts and SHA-256 of the unpacked files, and the mean 0.1307
    # and standard deviation 0.3081 of the training pixels in [0, 1] that everyone quotes.
    images, labels = datasets.idx(os.environ["DDPM_LAB_MNIST"], split)
    assert images.shape == (sum(counts), 1, 28, 28) and labels.bincount().tolist() == counts
    pixels = ((images + 1) * 127.5).round().to(torch.uint8)
    header = struct.pack(">HBB3I", 0, 8, 3, len(images), 28, 28)
    assert sha256(header + pixels.numpy().tobytes()) == sums[0]
    header = struct.pack(">HBBI", 0, 8, 1, len(labels))
    assert sha256(header + labels.to(torch.uint8).numpy().tobytes()) == sums[1]
    if split == "train":
        unit = (images.double() + 1) / 2
        assert (round(float(unit.mean()), 4), round(float(unit.std()), 4)) == (0.1307, 0.3081)


def test_digits_and_planes_work_without_network(no_network):
    assert len(datasets.digits("all")[0]) == 1797
    assert len(datasets.concentric_circles(3, generator=torch.Generator())) == 3
