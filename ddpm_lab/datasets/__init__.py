"""What is x_0? Four toy planes, small real digits, and files in the format of MNIST.

Everything here ends in **data units**, the units in which the noise of the chain has variance 1:

    planes   the shape without its blur lies in [-1.5, 1.5]^2, its mean is about 0
    images   x_0 = pixel / 127.5 - 1 for 8-bit pixels, so black is -1 and white is 1

The scale is no detail. The chain ends at N(0, I) whatever it started from, and the schedules are
tuned to data about as wide as that noise. Pixels in 0..255 would still be visible at t = T.

Nothing on the main path needs a network: the planes are formulas, and the 8x8 digits come with
scikit-learn. MNIST is there for the day you own a GPU; `idx` reads any files of its format.
Before this: the exact denoisers of `ideal_denoisers`, which need no training data. After this:
`training`. Opened by chapter 11 (planes), 12 (digits) and 13 (MNIST).
"""

import errno
import gzip
import hashlib
import math
import os
import re
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ddpm_lab import _checks, _files
from ddpm_lab.gaussians import normal_like
from ddpm_lab.types import Data

# ------------------------------------------------------------------------------ toy planes


def concentric_circles(n: int, *, generator: torch.Generator, std: float = 0.05) -> Data:
    """Three circles around the origin, drawn with an even pen and a little blur.

    x = r (cos a, sin a) + std z with a uniform on [0, 2 pi), z ~ N(0, I), and
    r in {0.5, 1, 1.5} with probabilities 1/6, 2/6, 3/6: longer circles get more points.
    Mean 0; E|x|^2 = 1.5 + 2 std^2.

    Parameters
    ----------
    n : int, at least 1
    generator : torch.Generator
        The points are drawn, and stay, on its device.
    std : float in [0, 1], data units
        Width of the pen; 0 gives the bare curve.

    Returns
    -------
    (n, 2) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless `n` is a whole number >= 1, `generator` a torch.Generator and 0 <= std <= 1.

    >>> x = concentric_circles(1000, generator=torch.Generator().manual_seed(0), std=0.0)
    >>> x.norm(dim=1).round(decimals=4).unique()
    tensor([0.5000, 1.0000, 1.5000])
    """
    n, rng = _asked(n, generator)
    radii = torch.tensor([0.5, 1.0, 1.5], dtype=torch.float32, device=rng.device)
    r = radii[torch.multinomial(radii, n, replacement=True, generator=rng)]
    return _blurred(r, 2 * math.pi * _uniform(n, rng), std, rng)


def moons(n: int, *, generator: torch.Generator, std: float = 0.05) -> Data:
    """Two half circles of radius 1 that reach into each other.

    x = s (cos a - 1/2, sin a - 1/4) + std z with a uniform on [0, pi), z ~ N(0, I), and a fair
    sign s in {-1, 1}: each moon is the other one turned by half a turn about the origin.
    Mean 0; E x_1^2 = 3/4 + std^2, E x_2^2 = 9/16 - 1/pi + std^2.

    Parameters
    ----------
    n : int, at least 1
    generator : torch.Generator
        The points are drawn, and stay, on its device.
    std : float in [0, 1], data units
        Width of the pen; 0 gives the bare curve.

    Returns
    -------
    (n, 2) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless `n` is a whole number >= 1, `generator` a torch.Generator and 0 <= std <= 1.

    >>> x = moons(1000, generator=torch.Generator().manual_seed(0), std=0.0)
    >>> bool((x[:, 0].abs() <= 1.5).all()), bool((x[:, 1].abs() <= 0.75).all())
    (True, True)
    """
    n, rng = _asked(n, generator)
    center = torch.tensor([0.5, 0.25], dtype=torch.float32, device=rng.device)
    s = 2 * torch.randint(2, (n, 1), generator=rng, device=rng.device) - 1
    half_circle = _blurred(1.0, math.pi * _uniform(n, rng), std, rng) - center
    return s * half_circle  # the blur is symmetric, so a turned blur is the same blur


def checkerboard(n: int, *, generator: torch.Generator) -> Data:
    """The dark cells of a 4 x 4 board, filled evenly: a density with hard edges.

    The board is [-1.5, 1.5]^2, a cell is 0.75 wide. Count columns i and rows j from 0 at the
    lower left corner: x is uniform on the eight cells with i + j even.
    Mean 0; each coordinate is uniform on [-1.5, 1.5], variance 3/4; E x_1 x_2 = 9/64.

    Parameters
    ----------
    n : int, at least 1
    generator : torch.Generator
        The points are drawn, and stay, on its device.

    Returns
    -------
    (n, 2) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless `n` is a whole number >= 1 and `generator` a torch.Generator.

    >>> x = checkerboard(1000, generator=torch.Generator().manual_seed(0))
    >>> cell = ((x + 1.5) / 0.75).floor()
    >>> (cell.sum(dim=1) % 2).unique()
    tensor([0.])
    """
    n, rng = _asked(n, generator)
    column = torch.randint(4, (n,), generator=rng, device=rng.device)
    row = 2 * torch.randint(2, (n,), generator=rng, device=rng.device) + column % 2
    inside = torch.rand(n, 2, generator=rng, dtype=torch.float32, device=rng.device)
    return 0.75 * (torch.stack([column, row], dim=1) + inside) - 1.5


def swiss_roll(n: int, *, generator: torch.Generator, std: float = 0.05) -> Data:
    """A spiral of two turns: one long thread that a blurred guess easily takes for a disc.

    x = r (cos a, sin a) + std z with a uniform on [pi, 5 pi), r = 1.5 a / (5 pi), z ~ N(0, I):
    the radius grows evenly from 0.3 to 1.5, neighboring turns are 0.6 apart.
    Mean (0, 0.3 / pi); E|x|^2 = 0.93 + 2 std^2.

    Parameters
    ----------
    n : int, at least 1
    generator : torch.Generator
        The points are drawn, and stay, on its device.
    std : float in [0, 1], data units
        Width of the pen; 0 gives the bare curve.

    Returns
    -------
    (n, 2) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless `n` is a whole number >= 1, `generator` a torch.Generator and 0 <= std <= 1.

    >>> x = swiss_roll(1000, generator=torch.Generator().manual_seed(0), std=0.0)
    >>> bool((0.299 < x.norm(dim=1)).all()), bool((x.norm(dim=1) < 1.501).all())
    (True, True)
    """
    n, rng = _asked(n, generator)
    angle = math.pi * (1 + 4 * _uniform(n, rng))
    return _blurred(1.5 * angle / (5 * math.pi), angle, std, rng)


def _asked(n, generator):
    n = _checks.count(n, "n", highest=_checks.MANY, advice="It counts points: try 1000.")
    return n, _checks.generator(generator)


def _uniform(n, rng):
    return torch.rand(n, generator=rng, dtype=torch.float32, device=rng.device)


def _blurred(radius, angle, std, rng):
    """Polar to Cartesian, plus the width of the pen."""
    std = _checks.between(std, 0.0, 1.0, "std", advice="It is the width of the pen; try 0.05.")
    curve = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    return curve + std * normal_like(curve, generator=rng)


# ------------------------------------------------------------------------------ 8x8 digits


def digits(split: str) -> tuple[Data, Tensor]:
    """1,797 real handwritten digits, 8x8 pixels, bundled with scikit-learn: no download.

    x_0 = pixel / 8 - 1: the pixels are whole numbers 0..16, so -1 is paper and 1 is ink.

    The split is drawn once and fixed: the first 896 entries of
    `numpy.random.RandomState(0).permutation(1797)` train, the other 901 test. NumPy has frozen
    that stream for good, so every machine has the same halves. Taking every second row would be
    shorter and wrong: the file opens with 0, 1, ..., 9, 0, 1, ..., 9, and there the even rows
    hold only even digits. Still, the same people wrote both halves: a test digit is new, its
    writer may not be.

    Parameters
    ----------
    split : "train" (896), "test" (901) or "all" (1,797: train, then test)

    Returns
    -------
    images : (N, 1, 8, 8) float32 in [-1, 1]
    labels : (N,) int64 in 0..9

    Raises
    ------
    ValueError
        For another `split`.
    ImportError
        If scikit-learn is missing.

    >>> images, labels = digits("train")
    >>> images.shape, labels[:5].tolist()
    (torch.Size([896, 1, 8, 8]), [2, 8, 2, 6, 6])
    """
    _checks.choice(split, ("train", "test", "all"), "split")
    sklearn = _needed("sklearn.datasets", "scikit-learn", "it carries the 8x8 digits")
    from numpy.random import RandomState  # scikit-learn brings NumPy

    bundle = sklearn.load_digits()
    order = torch.from_numpy(RandomState(0).permutation(1797))
    rows = {"train": order[:896], "test": order[896:], "all": order}[split]
    images = torch.from_numpy(bundle.images).float() / 8 - 1
    return images[rows].unsqueeze(1), torch.from_numpy(bundle.target).long()[rows]


def _needed(module, package, why):
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{package} must be installed: {why}; got {error}. Run: pip install {package}"
        ) from error


# ------------------------------------------------------------------------------ IDX files

_PREFIX = {"train": "train", "test": "t10k"}
_SPLITS = {"train": ("train",), "test": ("t10k", "test")}
_IMAGES, _LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
_AGAIN = "Download the file again."


def idx(folder: str | Path, split: str) -> tuple[Data, Tensor]:
    """Images and labels from files in the format of MNIST, gzipped or not.

    x_0 = pixel / 127.5 - 1. For "train" the folder holds `train-images-idx3-ubyte` and
    `train-labels-idx1-ubyte`, for "test" the same with `t10k` (the ten thousand). Each name may
    end in `.gz`, and may be spelled with a dot, `train-images.idx3-ubyte`, as some mirrors do.
    If a folder holds several spellings, the first of this list is read. Fashion-MNIST, KMNIST
    and the like come in the same format; images may have any height and width. If there are no
    such names, those of one data set are found that begin with its name and say `test`, such as
    `emnist-digits-test-images-idx3-ubyte`. (EMNIST stores its images transposed.)

    Parameters
    ----------
    folder : path of the folder that holds the files
    split : "train" or "test"

    Returns
    -------
    images : (N, 1, H, W) float32 in [-1, 1]
    labels : (N,) int64

    Raises
    ------
    OSError
        If the folder or a file is missing or cannot be read.
    ValueError
        For another `split`, a file that is broken in any way, or unequal counts.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     pixels, marks = bytes([0, 0, 255, 255, 255, 0]), bytes([7])
    ...     image_header = bytes([0, 0, 8, 3]) + struct.pack(">3I", 1, 2, 3)
    ...     label_header = bytes([0, 0, 8, 1]) + struct.pack(">I", 1)
    ...     _ = Path(folder, "train-images-idx3-ubyte").write_bytes(image_header + pixels)
    ...     _ = Path(folder, "train-labels-idx1-ubyte").write_bytes(label_header + marks)
    ...     idx(folder, "train")
    (tensor([[[[-1., -1.,  1.],
              [ 1.,  1., -1.]]]]), tensor([7]))
    """
    _checks.choice(split, tuple(_SPLITS), "split")
    folder = _checks.path_of(folder, "folder")
    images, labels = _find(folder, split, _IMAGES), _find(folder, split, _LABELS)
    if images.name.split("images")[0] != labels.name.split("labels")[0]:
        raise ValueError(
            f"{folder} must hold images and labels of one data set; got {images.name} and "
            f"{labels.name}. Give each data set a folder of its own."
        )
    return _pair(images, labels)


def read_idx(path: str | Path, ndim: int) -> Tensor:
    """One IDX file of bytes, gzipped or not, checked before a single pixel is believed.

    The format: two zero bytes, a type code (8: unsigned byte), the number of axes, one
    big-endian 32-bit size per axis, then the values, last axis fastest. Whether the file is
    gzipped is read from its first bytes, not from its name. Sizes that the file on disk cannot
    hold are refused before any memory is taken for them.

    Parameters
    ----------
    path : path of the file
    ndim : number of axes the file must have: 3 for images, 1 for labels

    Returns
    -------
    uint8 tensor with `ndim` axes

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not a whole, undamaged IDX file of unsigned bytes with `ndim` axes.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "three-labels")
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1,  0, 0, 0, 3,  5, 0, 4]))
    ...     read_idx(path, ndim=1)
    tensor([5, 0, 4], dtype=torch.uint8)
    """
    path, ndim = _checks.path_of(path), _checks.count(ndim, "ndim", advice=_HOW_MANY)
    with _readable(path), path.open("rb") as file:
        disk = os.fstat(file.fileno()).st_size
        if file.peek(2)[:2] != b"\x1f\x8b":
            return _parse(file, disk, ndim, path)
        try:
            # Deflate cannot shrink data by more than 1032 to 1, so this bounds what is inside.
            return _parse(gzip.GzipFile(fileobj=file), 1032 * disk, ndim, path)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _broken(path, "be a whole gzip file", f"a damaged one ({error})") from error


def _parse(file, capacity, ndim, path):
    """The values of an open IDX stream that cannot hold more than `capacity` bytes."""
    magic = file.read(4)
    if magic[:2] != bytes(2)[: len(magic)]:
        came, advice = _looks_like(magic)
        raise _broken(path, "start with two zero bytes (IDX)", came, advice)
    if len(magic) < 4:
        raise _broken(path, "hold an IDX header", f"{len(magic)} bytes in all")
    if magic[2] != 8:
        raise _broken(
            path,
            "hold unsigned bytes (type code 8)",
            f"type code {magic[2]} ({_TYPES.get(magic[2], 'not an IDX type')})",
            "Save 8-bit pixels or labels instead.",
        )
    if magic[3] != ndim:
        raise _broken(path, f"have {ndim} axes", f"{magic[3]}", _AXES.get((ndim, magic[3]), _AGAIN))
    header = file.read(4 * ndim)
    if len(header) < 4 * ndim:
        raise _broken(path, f"hold {ndim} sizes of 4 bytes", f"{len(header)} bytes of them")
    shape = struct.unpack(f">{ndim}I", header)
    size = math.prod(shape)
    if size == 0:
        raise _broken(path, "hold at least one value", f"sizes {_by(shape)}")
    if size > capacity - 4 - 4 * ndim:
        room = f"a file that can hold at most {capacity:,}"
        raise _broken(path, f"hold the {_by(shape)} = {size:,} bytes it announces", room)
    values = bytearray()  # grown piece by piece: an announced size is never trusted with memory
    while len(values) <= size and (piece := file.read(min(1 << 20, size + 1 - len(values)))):
        values += piece
    if len(values) != size:
        came = "more" if len(values) > size else f"{len(values):,} bytes"
        raise _broken(path, f"hold exactly {_by(shape)} = {size:,} bytes after its header", came)
    return torch.frombuffer(values, dtype=torch.uint8).reshape(shape)


_TYPES = {9: "signed byte", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}
_HOW_MANY = "Give 3 for images, 1 for labels."
_AXES = {
    (3, 1): "One axis is a labels file: are the two names swapped?",
    (1, 3): "Three axes is an images file: are the two names swapped?",
    (3, 4): "Four axes is color or volumes: only gray images are read.",
}
_UNPACK, _GIVE = "Unpack it first.", "Give a file in MNIST's format instead."
_STARTS = {  # what another kind of file begins with, and what to do about it
    b"\x89PNG": ("a PNG picture", _GIVE),
    b"\xff\xd8\xff": ("a JPEG picture", _GIVE),
    b"GIF8": ("a GIF picture", _GIVE),
    b"\x93NUM": ("a NumPy file", _GIVE),
    b"\x89HDF": ("an HDF5 file", _GIVE),
    b"MATL": ("a MATLAB file", _GIVE),
    b"PAR1": ("a Parquet file", _GIVE),
    b"%PDF": ("a PDF document", _GIVE),
    b"\x80": ("a Python pickle", _GIVE),
    b"PK": ("a zip archive: unpack it first", _UNPACK),
    b"\xfd7zX": ("an xz archive", _UNPACK),
    b"BZh": ("a bzip2 archive", _UNPACK),
    b"7z\xbc\xaf": ("a 7z archive", _UNPACK),
    b"Rar!": ("a RAR archive", _UNPACK),
    b"\x1f\x8b": ("gzip inside gzip: unpack it once", "Unpack it once."),
    b"<": ("a web page, perhaps an error message saved under this name", _AGAIN),
    b"{": ("JSON, perhaps an error message saved under this name", _AGAIN),
    b"vers": ("a Git LFS pointer, which only names the file", "Fetch it with: git lfs pull."),
}


def _looks_like(magic):
    text = magic.removeprefix(b"\xef\xbb\xbf").lstrip()  # text may begin with a mark or with space
    for start, (what, advice) in _STARTS.items():
        if magic.startswith(start) or text.startswith(start):
            return f"{magic!r} ({what})", advice
    return f"{magic!r}", _AGAIN


def _by(shape):
    return " x ".join(f"{size:,}" for size in shape)


def _broken(path, must, came, advice=_AGAIN):
    return ValueError(f"{path} must {must}; got {came}. {advice}")


@contextmanager
def _readable(path):
    """Refuse what is no file, and put the system's reason into a sentence."""
    try:
        if not path.is_file():  # also keeps us from waiting on a pipe
            raise FileNotFoundError("a folder" if path.is_dir() else "no file of that name")
        yield
    except OSError as error:
        raise type(error)(
            f"{path} must be a readable file; got {error.strerror or error}. "
            "Check the path and its permissions."
        ) from error


def _find(folder, split, part):
    """The first spelling of a file's name that the folder holds."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise type(error)(
            f"{folder} must be a readable folder with MNIST-format files; got {error.strerror}. "
            "Give the folder that holds them, not a file, and check its permissions."
        ) from error
    plain = f"{_PREFIX[split]}-{part}"
    dotted = plain.replace("-idx", ".idx")
    ends = "|".join(_SPLITS[split])
    name_of = re.compile(rf"([^.].*-)?({ends})-{part.replace('-idx', '[-.]idx')}(\.gz)?")
    found = [match for match in map(name_of.fullmatch, names) if match]
    # Some archives nest file in folder.
    found = [match for match in found if not os.path.isdir(folder / match[0])]
    if not found:
        held = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        raise FileNotFoundError(
            f"{folder} must hold {plain} or {dotted}, with or without .gz and a data set's name "
            f"in front; got {held or 'an empty folder'}. {_where_to_look(names)}"
        )
    sets = {match[1] for match in found}
    if len(sets) > 1 and None not in sets:
        raise ValueError(
            f"{folder} must hold one data set; got {', '.join(match[0] for match in found)}. "
            "Give each data set a folder of its own."
        )
    order = [match for match in found if None not in sets or match[1] is None]
    return (
        folder
        / min(
            order, key=lambda match: (match[2] == "test", ".idx" in match[0], match[3] is not None)
        )[0]
    )


def _where_to_look(names):
    if any("labels-idx2-int" in name for name in names):
        return (
            "QMNIST's labels are tables of int32, labels-idx2-int: write their first column as "
            "bytes into a file labels-idx1-ubyte."
        )
    return "Put the file there, or give another folder."


def _pair(images_path, labels_path):
    images, labels = read_idx(images_path, ndim=3), read_idx(labels_path, ndim=1)
    if len(images) != len(labels):
        raise ValueError(
            f"{images_path} and {labels_path} must hold as many images as labels; "
            f"got {len(images):,} and {len(labels):,}. Take both files from one data set."
        )
    return images.unsqueeze(1).float().div_(127.5).sub_(1), labels.long()


# ------------------------------------------------------------------------------ downloads

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
    """Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28x28; downloaded once, then cached.

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
    return _needed("pooch", "pooch", "it finds the cache and downloads into it")


def _cached(name, split):
    prefix = _PREFIX[_checks.choice(split, tuple(_PREFIX), "split")]
    folder, url = cache_folder() / name, _URLS[name]
    images, labels = _SHA256[name][split]
    return _pair(
        _fetched(url, folder / f"{prefix}-{_IMAGES}.gz", images),
        _fetched(url, folder / f"{prefix}-{_LABELS}.gz", labels),
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


# ------------------------------------------------------------------------------ batches


def batches(
    x: Data,
    size: int,
    *,
    generator: torch.Generator,
    labels: Tensor | None = None,
    start: int = 0,
) -> Iterator:
    """Shuffled batches without end: every epoch is a new permutation of the data.

    Within an epoch no example comes twice. The last N mod size examples of an epoch are
    dropped, so that each batch has the same size and the same noise in its mean; the next
    permutation leaves out others. The permutation is drawn when an epoch's first batch is asked
    for, on the generator's device.

    Parameters
    ----------
    x : (N, *D) float, data units
    size : int in 1..N
    generator : torch.Generator
    labels : (N, ...) Tensor, optional
        Shuffled along with `x`; on the same device.
    start : int
        So many batches are left out: where a run with the same seed had stopped, it goes on.

    Returns
    -------
    Iterator of (size, *D) tensors, or of pairs (x, labels) if `labels` are given

    Raises
    ------
    TypeError, ValueError
        At once, not at the first batch: unless `x` is a float tensor with a batch axis,
        1 <= size <= N, `generator` a torch.Generator, and there is one label per example.

    >>> x = torch.arange(6.0).reshape(6, 1)
    >>> stream = batches(x, 3, generator=torch.Generator().manual_seed(0))
    >>> epoch = torch.cat([next(stream), next(stream)])
    >>> epoch.flatten().sort().values
    tensor([0., 1., 2., 3., 4., 5.])
    """
    _checks.data(x, empty=True)  # a size of 1..N says that there are none
    rng = _checks.generator(generator)
    size = _checks.count(size, "size", advice="A batch holds at least one example.")
    if size > len(x):
        raise ValueError(
            f"size must be at most the number of examples, N = {len(x)}; got {size}. "
            "Take smaller batches or more data."
        )
    if labels is not None:
        _check_labels(labels, x)
    start = _checks.count(start, "start", lowest=0, advice="0 begins at the first batch.")
    chosen = islice(_epochs(len(x), size, rng, x.device), start, None)
    return ((x[rows] if labels is None else (x[rows], labels[rows])) for rows in chosen)


def level_counts(x: Data, levels: int = 256) -> Tensor:
    """How often does each gray level occur?

    Parameters
    ----------
    x : (N, *D) float, pixels in [-1, 1] on the levels -1 + 2 k / (levels - 1)
    levels : int >= 2

    Returns
    -------
    (levels,) int64, adding up to the number of pixels

    Raises
    ------
    ValueError
        Unless there are pixels, all in [-1, 1], and at least two levels.

    >>> level_counts(torch.tensor([[-1.0, 0.0, 1.0, 1.0]]), levels=3)
    tensor([1, 1, 2])
    """
    levels = _checks.count(
        levels, "levels", lowest=2, highest=_checks.SIZE, advice="8-bit pixels have 256."
    )
    k = (_checks.pixels(_checks.data(x)) + 1) * (levels - 1) / 2
    return torch.bincount(k.round().long().flatten(), minlength=levels)


def augment_shifts(x: Data, labels: Tensor, classes: int) -> tuple[Data, Tensor]:
    """Pictures as they are, and moved by a pixel under labels of their own.

    A small set of pictures is soon learned by heart. Moved ones have the same strokes at other
    places, so they teach more than they cost; and since their labels differ, whoever asks for
    class 3 still gets a 3 at its place  [Kar22, Section 5, in a simpler form].

    Each picture comes 16 times: 7 times with its label y, once with the label 2 classes, which
    tells a network nothing, and moved in each of 8 directions with the label classes + y. What
    moves in at the edge is paper, -1.

    Parameters
    ----------
    x : (N, C, H, W) float, data units
    labels : (N,) int64 in 0..classes-1
    classes : int

    Returns
    -------
    pictures : (16 N, C, H, W)
    labels : (16 N,) int64, for a network with 2 classes labels

    Raises
    ------
    TypeError, ValueError
        Unless there is one label of 0..classes-1 for each picture.

    >>> x, labels = augment_shifts(torch.zeros(3, 1, 8, 8), torch.tensor([0, 1, 1]), 2)
    >>> x.shape, labels.bincount().tolist()
    (torch.Size([48, 1, 8, 8]), [7, 14, 8, 16, 3])
    """
    _check_labels(labels, _checks.data(x))
    kinds = int(labels.max()) + 1
    classes = _checks.count(
        classes, "classes", lowest=kinds, advice=f"The largest label is {kinds - 1}."
    )
    labels = _checks.labels(labels, len(x), classes, x.device, name="labels", none=False)
    moved = [
        F.pad(x, (1 + right, 1 - right, 1 + down, 1 - down), value=-1.0)[..., 1:-1, 1:-1]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if (down, right) != (0, 0)
    ]
    silent = torch.full_like(labels, 2 * classes)
    told = [labels] * 7 + [silent] + [labels + classes] * 8
    return torch.cat([x] * 8 + moved), torch.cat(told)


def _check_labels(labels, x):
    if not isinstance(labels, Tensor):
        raise TypeError(
            f"labels must be a torch tensor; got {type(labels).__name__}. Use torch.as_tensor."
        )
    if labels.dim() == 0 or len(labels) != len(x) or labels.device != x.device:
        raise ValueError(
            f"labels must hold one entry per example, N = {len(x)}, on {x.device}; "
            f"got shape {tuple(labels.shape)} on {labels.device}. Cut or move them together with x."
        )


def _epochs(n, size, rng, device):
    """Batches of row numbers: each pass over the n rows is a new permutation of them."""
    while True:
        order = torch.randperm(n, generator=rng, device=rng.device).to(device)
        yield from order[: n // size * size].split(size)
