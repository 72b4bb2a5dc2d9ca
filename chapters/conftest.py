"""For nbval: what a cell prints is compared with what is stored, numbers within a tolerance.

`tools/printed.py` says what may differ: without a word in the cell's metadata, one unit of the last
printed decimal. And no number of seconds decides a result: on a busy machine tests are slow, not
red.
"""

import os
import sys
from pathlib import Path
from queue import Empty

from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools import printed

POLL = 5
"""Seconds between two looks at whether the kernel is still alive."""

exactly, once = IPyNbCell.compare_outputs, RunningKernel.get_message


def pytest_configure(config):
    config.option.nbval_kernel_startup_timeout = 3600
    os.environ["DDPM_LAB_PROGRESS"] = "off"  # these are no learner's tries


def compare_outputs(cell, test, ref, skip_compare=None):
    """nbval's own comparison, once the numbers that are near enough are the stored ones."""
    printed.settle_outputs(ref, test, printed.Tolerance.of(cell.cell.metadata))
    return exactly(cell, test, ref, skip_compare)


def get_message(kernel, stream, timeout=None):
    """Wait as long as the kernel lives; only nbval's own short looks end earlier."""
    if timeout is not None and timeout < POLL:
        return once(kernel, stream, timeout)
    while True:
        try:
            return once(kernel, stream, POLL)
        except Empty:
            if not kernel.is_alive():
                raise RuntimeError("The kernel has died while this cell ran.") from None


IPyNbCell.compare_outputs, RunningKernel.get_message = compare_outputs, get_message
