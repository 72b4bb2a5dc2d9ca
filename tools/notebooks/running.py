"""Run a notebook where nothing of the user's settings is seen, and keep what is always the same."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat

from tools import arithmetic
from tools.notebooks.sources import METADATA, ChapterError, kept_metadata
from tools.notebooks.stored import WIDGET_STATE, WIDGET_VIEW, texts


@contextmanager
def clean_room(root: Path) -> Iterator[dict[str, str]]:
    """The environment of every run: nothing of the user's settings, one thread, no network."""
    theirs = ("JUPYTER", "IPYTHON", "IPYKERNEL", "MPL", "MATPLOTLIB", "PYTHON", "LC_")
    dull = ("COLUMNS", "LINES", "LANG", "LANGUAGE")
    env = {k: v for k, v in os.environ.items() if not k.startswith(theirs) and k not in dull}
    with tempfile.TemporaryDirectory(prefix="chapters-") as folder:
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
            env[name] = str(Path(folder) / name.lower())
            Path(env[name]).mkdir()
        env.update(
            PYTHONPATH=str(root),  # the package beside these chapters, whatever is installed
            PYTHONHASHSEED="0",
            OPENBLAS_NUM_THREADS="1",
            CUDA_VISIBLE_DEVICES="",  # the same numbers on every machine, and on every processor:
            **arithmetic.SAME,
            DDPM_LAB_PROGRESS="off",  # these are no learner's tries
            LC_ALL="C.UTF-8",
            TZ="UTC",
        )
        for name in ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy"):
            env[name] = env[name.upper()] = "http://127.0.0.1:9"  # nobody listens there
        env["no_proxy"] = env["NO_PROXY"] = ""
        # matplotlib warns on stderr while it first lists the fonts: let it do so here, once.
        warm = "import matplotlib.font_manager"
        subprocess.run([sys.executable, "-c", warm], env=env, capture_output=True, check=False)
        yield env


async def execute(notebook, folder: Path, env: dict[str, str], timeout: float = 600) -> None:
    """Run a notebook in place, as if it lay in `folder`, by this Python and no other kernel."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    class Client(NotebookClient):
        @asynccontextmanager
        async def async_setup_kernel(self, **start):
            """Ends the kernel however we leave; nbclient's own would keep Ctrl-C from us."""
            try:
                await self.async_start_new_kernel(**start)
                await self.async_start_new_kernel_client()
                for channel in (self.kc.shell_channel, self.kc.iopub_channel):
                    look_again(channel)
                yield
            finally:
                if self.kc is not None:
                    self.kc.stop_channels()
                if self.km is not None and self.km.has_kernel:
                    await self.km.shutdown_kernel(now=True)

    kernel = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    if os.name != "nt":  # ports can be taken by another program between choosing and using them
        kernel.transport, kernel.ip = "ipc", f"{env['IPYTHONDIR']}/{id(kernel)}"
    client = Client(
        notebook,
        km=kernel,
        timeout=timeout,
        startup_timeout=180,
        record_timing=False,
        extra_arguments=["--log-level=50"],  # the kernel's own talk; errors of cells come anyway
    )
    try:
        await client.async_execute(cwd=str(folder), env=env)
    except (CellExecutionError, TimeoutError, RuntimeError) as error:  # failed, too slow, died
        raise ChapterError(re.sub(r"\x1b\[[0-9;]*m", "", str(error))) from None


SLICE = 5.0
"""Seconds after which a channel is looked at again."""


def look_again(channel: Any) -> None:
    """Wait for its messages in slices of time.

    On a busy machine a chapter once stood still for exactly the time of a cell, ten minutes, and
    then went on: the message was there, and nothing had told us to look.
    """
    whole = channel.get_msg

    async def get_msg(timeout: float | None = None) -> Any:
        until = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = max(0.0, until - time.monotonic())
            try:
                return await whole(timeout=min(SLICE, left))
            except Empty:
                if left <= SLICE:
                    raise

    channel.get_msg = get_msg


def settle(notebook) -> None:
    """Keep of a notebook that was run only what is the same on every run.

    An error inside a widget never reaches the cell, so it is looked for here, before the
    widgets' state is dropped. What cannot be settled, such as an address, is refused.
    """
    widgets = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for widget in widgets.values():
        for output in widget.get("state", {}).get("outputs", []):
            if output.get("output_type") == "error":
                what = f"{output.get('ename')}: {output.get('evalue')}"
                raise ChapterError(f"an error is hidden inside a widget: {what}")
    notebook.metadata = nbformat.from_dict(METADATA)
    seen: dict[str, str] = {}
    count = 0
    for cell in notebook.cells:
        cell.metadata = kept_metadata(cell)
        if cell.cell_type != "code":
            continue
        count += bool(cell.source.strip())
        cell.execution_count = count if cell.source.strip() else None
        kept: list = []
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            output.get("data", {}).pop(WIDGET_VIEW, None)  # needs a kernel; the picture does not
            if output.get("data") == {}:
                continue
            last = kept[-1] if kept else {}
            if "text" in output and output.get("name") == last.get("name"):
                last.text += output.text  # one stream may arrive in pieces
            else:
                kept.append(output)
        cell.outputs = kept
        for output in kept:
            for where, key, text in texts(output):
                address = re.search(r"[^\n]{0,60}\bat 0x[0-9a-fA-F]{6,}", text)
                if address:
                    what = f"a memory address differs on every run: {address[0]!r}"
                    raise ChapterError(f"cell {cell.id}: {what}")
                where[key] = _HEX32.sub(
                    lambda m: seen.setdefault(m[0], f"{len(seen) + 1:032x}"), text
                )


_HEX32 = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
