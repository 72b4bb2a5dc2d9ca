"""MNIST and Fashion-MNIST: downloaded once, checked against the published SHA-256, then cached."""

import errno
import hashlib
import os
import shutil
from pathlib import Path

from torch import Tensor

from ddpm_lab import _checks, _files
from ddpm_lab.datasets._imports import needed
from ddpm_lab.datasets.idx_files import IMAGES, LABELS, PREFIX, _pair
from ddpm_lab.datasets.idx_format import _readable
from ddpm_lab.types import Data

_URLS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
}
# SHA-256 of the gzipped files as first published, images then labels: whoever serves them, these
# are the ones. (A mirror that packs the same pixels anew has other sums: `idx` reads its files.)
_SHA256 = {
    "mnist": {
        "train": (
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        "test": (
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    },
    "fashion-mnist": {
        "train": (
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        "test": (
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    },
}


def mnist(split: str) -> tuple[Data, Tensor]:
    """MNIST: 60,000 + 10,000 handwritten digits of 28x28 pixels; downloaded once, then cached.

    x_0 = pixel / 127.5 - 1. The files come from a mirror of the originals, about 11 MB, into
    `cache_folder() / "mnist"`, and count only if their SHA-256 is the published one. If they
    already lie there, no network is touched.

    Parameters
    ----------
    split : "train" (60,000) or "test" (10,000)

    Returns
    -------
    images : (N, 1, 28, 28) float32 in [-1, 1]
    labels : (N,) int64 in 0..9

    Raises
    ------
    ValueError
        For another `split`, or a cached file with another checksum.
    OSError
        If a file is neither in the cache nor to be had from the network.
    ImportError
        If a download is needed and pooch is missing.

    >>> images, labels = mnist("test")       # doctest: +SKIP
    >>> images.shape                         # doctest: +SKIP
    torch.Size([10000, 1, 28, 28])
    """
    return _cached("mnist", split)


def fashion_mnist(split: str) -> tuple[Data, Tensor]:
    """Fashion-MNIST: 60,000 + 10,000 images of clothes, 28x28; downloaded once, then cached.

    x_0 = pixel / 127.5 - 1. About 31 MB into `cache_folder() / "fashion-mnist"`; otherwise like
    `mnist`. Labels 0..9: T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag,
    ankle boot.

    Parameters
    ----------
    split : "train" (60,000) or "test" (10,000)

    Returns
    -------
    images : (N, 1, 28, 28) float32 in [-1, 1]
    labels : (N,) int64 in 0..9

    Raises
    ------
    ValueError, OSError, ImportError
        As `mnist`.

    >>> images, labels = fashion_mnist("test")     # doctest: +SKIP
    >>> images.shape                               # doctest: +SKIP
    torch.Size([10000, 1, 28, 28])
    """
    return _cached("fashion-mnist", split)


def cache_folder() -> Path:
    """Where downloads are kept: $DDPM_LAB_DATA if set, else this system's place for caches.

    Returns
    -------
    Path; it need not exist yet

    Raises
    ------
    ImportError
        If DDPM_LAB_DATA is not set and pooch, which knows the system's place, is missing.

    >>> isinstance(cache_folder(), Path)
    True
    """
    chosen = os.environ.get("DDPM_LAB_DATA")
    if chosen:
        return _checks.path_of(chosen, "DDPM_LAB_DATA")
    return Path(_pooch().os_cache("ddpm-lab"))


def _pooch():
    return needed("pooch", "pooch", "it finds the cache and downloads into it")


def _cached(name, split):
    _checks.choice(split, tuple(PREFIX), "split")
    prefix = PREFIX[split]
    folder, url = cache_folder() / name, _URLS[name]
    images, labels = _SHA256[name][split]
    return _pair(
        _fetched(url, folder / f"{prefix}-{IMAGES}.gz", images),
        _fetched(url, folder / f"{prefix}-{LABELS}.gz", labels),
    )


def _fetched(url, path, sha256):
    """The path of a file that is there and has the published checksum."""
    if not os.path.lexists(path):
        _download(url + path.name, path, sha256)
    with _readable(path):
        came = hashlib.sha256(path.read_bytes()).hexdigest()
    if came != sha256:
        raise ValueError(
            f"{path} must have the SHA-256 {sha256}; got {came}. Delete the file and it is "
            f"downloaded again; or, if you trust it, read it with "
            f'datasets.idx("{path.parent.as_posix()}", split).'
        )
    return path


def _download(url, path, sha256):
    pooch = _pooch()
    _files.check_writable(path)
    _files.remove_dead_drafts(path.parent, [path.name, f"{path.name}.download"])
    draft = path.with_name(f"{path.name}.download.{os.getpid()}.part")  # a folder for pooch
    try:
        # pooch keeps what it downloads to its user alone; here others may read it, as any file.
        found = pooch.retrieve(url, f"sha256:{sha256}", path.name, draft, progressbar=True)
        _files.write_whole(path, _files.read(found))
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise type(error)(
                f"{path.parent} must have room for {path.name}; got: {error}. Free some space, or "
                "choose another folder with the environment variable DDPM_LAB_DATA."
            ) from error
        raise ConnectionError(
            f"{url} must be reachable, and its file the published one, to fill the cache; "
            f"got {type(error).__name__}: {error}. Offline? The course does not need this file: "
            f"datasets.digits comes with scikit-learn and will do. To have it all the same, fetch "
            f"{path.name} elsewhere and put it, still gzipped, into {path.parent}."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
