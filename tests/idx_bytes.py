"""Files in the format of MNIST, written byte by byte for tests of those who read them."""

import struct

import numpy as np


def idx_bytes(values, code=8):
    """The format as its page describes it, with struct alone: the independent writer."""
    values = np.asarray(values)
    head = struct.pack(">HBB", 0, code, values.ndim)
    return head + b"".join(struct.pack(">I", n) for n in values.shape) + values.tobytes()


PIXELS = np.random.RandomState(7).randint(0, 256, (5, 3, 4), dtype=np.uint8)
MARKS = np.array([3, 0, 255, 9, 3], dtype=np.uint8)
IMAGES, LABELS = idx_bytes(PIXELS), idx_bytes(MARKS)


def folder_with(folder, prefix="train", images=IMAGES, labels=LABELS, dot="-", end=""):
    if images is not None:
        (folder / f"{prefix}-images{dot}idx3-ubyte{end}").write_bytes(images)
    if labels is not None:
        (folder / f"{prefix}-labels{dot}idx1-ubyte{end}").write_bytes(labels)
    return folder
