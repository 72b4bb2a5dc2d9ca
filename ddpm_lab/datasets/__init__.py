"""What is x_0? Toy planes, small real images, MNIST, and images of your own.

Everything here ends in **data units**, the units in which the noise of the chain has variance 1:

    planes   the curve without its blur lies in [-1.5, 1.5]^2, its mean is about 0
    images   x_0 = pixel / 127.5 - 1 for 8-bit pixels, so black is -1 and white is 1

The scale matters. The chain ends at N(0, I) whatever it started from, and the schedules are tuned
to data about as wide as that noise. Pixels in 0..255 would still be visible at t = T.

Nothing on the main path needs a network connection: the planes are formulas, the 8x8 digits come
with scikit-learn, and 32x32 emoji in color come with the course. `load` opens any data set of
images, by name or from your own files, as a `Dataset` record that says what it holds. Before this:
the ideal denoisers of `ideal_denoisers`, which need no training data. After this: `training`.
Opened by chapters 10 and 11 (planes), 12 (digits) and 13 (MNIST).

One job a file: `planes`, `bundled`, `idx_format` and `idx_files`, `downloads`, `batching`,
`augmentation`,
`pixels`, `record`; and for `load`: `named`, `folders`, `decoding`, `image_files`, `arrays`,
`array_pixels`, `fitting`, `splitting`, `loading`. Folders larger than memory: `streaming`.
"""

from ddpm_lab.datasets.augmentation import SHIFTS, augment_shifts
from ddpm_lab.datasets.batching import batches
from ddpm_lab.datasets.bundled import digits, emoji
from ddpm_lab.datasets.downloads import cache_folder, fashion_mnist, mnist
from ddpm_lab.datasets.idx_files import idx
from ddpm_lab.datasets.idx_format import read_idx
from ddpm_lab.datasets.loading import load
from ddpm_lab.datasets.named import NAMES
from ddpm_lab.datasets.pixels import level_counts
from ddpm_lab.datasets.planes import checkerboard, concentric_circles, moons, swiss_roll
from ddpm_lab.datasets.record import Dataset
from ddpm_lab.datasets.streaming import ImageFolder, open_folder, streamed

__all__ = [
    "NAMES",
    "SHIFTS",
    "Dataset",
    "ImageFolder",
    "augment_shifts",
    "batches",
    "cache_folder",
    "checkerboard",
    "concentric_circles",
    "digits",
    "emoji",
    "fashion_mnist",
    "idx",
    "level_counts",
    "load",
    "mnist",
    "moons",
    "open_folder",
    "read_idx",
    "streamed",
    "swiss_roll",
]
