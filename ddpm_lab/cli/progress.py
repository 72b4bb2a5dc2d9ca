"""A progress bar, samples now and then, and a clean stop on Ctrl-C, while a run trains."""

import signal
import sys
from pathlib import Path


class Progress:
    """A progress bar, samples now and then, and a clean stop on Ctrl-C, while a run trains."""

    def __init__(self, config, folder: Path, *, alone: bool, quiet: bool):
        self.config, self.folder, self.quiet = config, folder, quiet
        self.signals = [signal.SIGINT, signal.SIGTERM] if alone else []
        self.bar, self.asked, self.before = None, False, {}

    def __enter__(self):
        self.before = {each: signal.signal(each, self._ask) for each in self.signals}

    def __exit__(self, *_):
        self._restore()
        if self.bar is not None:
            self.bar.close()

    def _restore(self):
        for each, handler in self.before.items():
            signal.signal(each, handler)

    def _ask(self, number, frame):
        self._restore()  # a second one ends it at once, and the last stored step counts
        self.asked = True
        print("\nStopping after this step. (Once more: at once.)", file=sys.stderr)

    def on_data(self, data) -> None:
        """Before the first step: what the run learns from, and what was done to it."""
        print(*data.notes, sep="\n", file=sys.stderr)

    def on_step(self, step) -> bool:
        """After each step: advance the bar; shall the run stop here?"""
        if self.bar is None and not self.quiet:
            from tqdm import tqdm

            done, batch = step.step - 1, self.config.batch
            self.bar = tqdm(
                total=self.config.steps * batch, initial=done * batch, unit=" images",
                unit_scale=True, dynamic_ncols=True, mininterval=0.5 if sys.stderr.isatty() else 30,
            )  # fmt: skip
        if self.bar is not None:
            self.bar.update(self.config.batch)
        return self.asked

    def on_log(self, line: dict) -> None:
        """After each line of the log."""
        said = {"loss": f"{line['loss']:.4f}", "step": line["step"]}
        if "held_out_loss" in line:
            said["held_out"] = f"{line['held_out_loss']:.4f}"
        if line["memory_mb"] is not None:
            said["memory"] = f"{line['memory_mb']} MB"
        if self.bar is not None:
            self.bar.set_postfix(said, refresh=False)

    def on_sample(self, run) -> None:
        """Samples from the same noise each time."""
        from ddpm_lab import training
        from ddpm_lab.cli import sheets
        from ddpm_lab.training import models
        from ddpm_lab.training.streams import stream

        model, rng = models.snapshot(self.config, run), stream(self.config.seed, "sample")
        path = self.folder / f"samples_{run.step:06d}.png"
        training.write_whole(path, sheets.sheet(model, generator=rng))
