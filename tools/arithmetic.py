"""How the stored chapters compute, so that other processors print the same numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

SAME = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE", "OMP_NUM_THREADS": "1"}


def with_the_same(main: Callable[[], int]) -> int:
    """The status of `main`, in a process whose torch computes like the stored chapters."""
    if SAME.items() - os.environ.items():  # must be there before torch is imported
        return subprocess.call([sys.executable, *sys.argv], env={**os.environ, **SAME})
    return main()
