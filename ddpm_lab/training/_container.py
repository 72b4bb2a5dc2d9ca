"""One safetensors file: tensors, a JSON header, and a checksum over both.

Private to `training`. The file appears whole or not at all, reading it executes nothing, and
whatever is wrong with it becomes one clear error.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ddpm_lab import _checks, _files

_LONGEST = 40_000_000  # characters of a header: safetensors reads 100 MB, escapes counted twice


def as_json(values, name):
    """A text; numbers of NumPy and PyTorch become plain ones."""
    try:
        _check_keys(values)
        return json.dumps(values, default=lambda value: value.tolist())
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:  # or too deep
        raise TypeError(
            f"{name} must be what JSON can hold: texts, numbers, lists, named values; got: "
            f"{error}. Convert the others."
        ) from error


def _check_keys(values):
    """JSON would make texts of other keys, and give those back."""
    inside = values.values() if isinstance(values, dict) else values
    for key in values if isinstance(values, dict) else ():
        if not isinstance(key, str):
            raise TypeError(f"the key {_checks.say(key)}, which is no text")
    for each in inside if isinstance(values, (dict, list, tuple)) else ():
        _check_keys(each)


def write(path, tensors: dict, header: dict):
    """Write tensors and a header that JSON can hold; returns the path."""
    from safetensors.torch import save as to_bytes

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = as_json(header, "facts")
    if len(text) > _LONGEST:
        raise ValueError(
            f"facts must be short; got {len(text):,} characters. Store them in another file."
        )
    metadata = {"ddpm_lab": text, "sha256": digest(text, tensors)}
    return _files.write_whole(path, to_bytes(tensors, metadata=metadata))


@contextmanager
def reading(path, writer: str) -> Iterator[tuple[dict, dict]]:
    """(tensors, header) of what `training.WRITER` has written; what is raised inside is explained.

    A file can be wrong in more ways than anybody can list: each becomes a ValueError that names it.
    """
    path, advice = _checks.path_of(path), "Delete it and train or copy it again."
    if not path.is_file():
        raise FileNotFoundError(
            f"path must name a checkpoint; there is no file {path}. Train first, or check the name."
        )
    payload = _files.read(path)
    try:
        if len(payload) > 8 and payload[8:9] != b"{":  # where the header of each of them begins
            advice = "Give a file that ends in .safetensors."
            raise ValueError("it is of another kind")
        tensors, metadata = _taken_apart(payload)
        if "ddpm_lab" not in metadata:
            advice = "Keep it for the program that it belongs to, and give another file."
            raise ValueError("another program has written it")
        if digest(metadata["ddpm_lab"], tensors) != metadata["sha256"]:
            raise ValueError("its checksum does not fit its content")
        advice = "Its checksum fits, so keep it: another version may read it."
        header = json.loads(metadata["ddpm_lab"])
        written = "save_run" if "ema" in header else "save" if "facts" in header else writer
        if written != writer:
            advice = f"It is whole: read it with training.{written.replace('save', 'load')}."
            raise ValueError(f"training.{written} has written it")
        yield tensors, header
    except (OSError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(
            f"{path.name} must be a whole checkpoint written by training.{writer}; got one that "
            f"cannot be read ({_checks.one_line(error)}). {advice}"
        ) from error


def _taken_apart(payload):
    """The tensors of a safetensors file, in memory of their own, and its metadata."""
    from safetensors.torch import load as from_bytes

    tensors = from_bytes(payload)  # first: it knows the format, and refuses all that is not whole
    size = int.from_bytes(payload[:8], "little")
    return tensors, json.loads(payload[8 : 8 + size]).get("__metadata__", {})


def digest(text: str, tensors: dict) -> str:
    """SHA-256 over the header's text and every tensor's name, dtype, shape and bytes."""
    found = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()
