"""The IDX format, in which MNIST and its relatives are published: one file of bytes."""

import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ddpm_lab import _checks

_AGAIN = "Download the file again."


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
    shape = _announced(file, ndim, path)
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


def _announced(file, ndim, path):
    """The sizes in the header of an open IDX stream."""
    _check_magic(file.read(4), ndim, path)
    header = file.read(4 * ndim)
    if len(header) < 4 * ndim:
        raise _broken(path, f"hold {ndim} sizes of 4 bytes", f"{len(header)} bytes of them")
    return struct.unpack(f">{ndim}I", header)


def _check_magic(magic, ndim, path):
    """The first four bytes say: IDX, of unsigned bytes, with so many axes."""
    if magic[:2] != bytes(2)[: len(magic)]:
        came, advice = _looks_like(magic)
        raise _broken(path, "start with two zero bytes (IDX)", came, advice)
    if len(magic) < 4:
        raise _broken(path, "hold an IDX header", f"{len(magic)} bytes in all")
    if magic[2] != 8:
        kind = f"type code {magic[2]} ({_TYPES.get(magic[2], 'not an IDX type')})"
        advice = "Save 8-bit pixels or labels instead."
        raise _broken(path, "hold unsigned bytes (type code 8)", kind, advice)
    if magic[3] != ndim:
        raise _broken(path, f"have {ndim} axes", f"{magic[3]}", _AXES.get((ndim, magic[3]), _AGAIN))


_TYPES = {9: "signed byte", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}
_HOW_MANY = "Give 3 for images, 1 for labels."
_AXES = {
    (3, 1): "One axis is a labels file: are the two names swapped?",
    (1, 3): "Three axes is an images file: are the two names swapped?",
    (3, 4): "Four axes is color or volumes: only gray images are read.",
}
_UNPACK, _GIVE = "Unpack it first.", "Give a file in MNIST's format instead."
_STARTS = {  # what another kind of file begins with, and what to do about it
    b"\x89PNG": ("a PNG image", _GIVE),
    b"\xff\xd8\xff": ("a JPEG image", _GIVE),
    b"GIF8": ("a GIF image", _GIVE),
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
def _readable(path: Path) -> Iterator[None]:
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
