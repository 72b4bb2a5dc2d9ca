"""What has been done so far: one JSON file, written whole after each step, and tables for people.

>>> tables({"head": {"size": "toy"}, "steps": {}}).splitlines()[0]
'# A run on a GPU (toy size: no result)'
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ddpm_lab import training

JSON, TABLES = "report.json", "report.md"


class Report:
    """The results of a folder, by the names of the steps."""

    def __init__(self, folder: Path, found: dict) -> None:
        self.folder, self.found = folder, found

    def done(self, name: str) -> bool:
        return name in self.found["steps"]

    def result(self, name: str) -> dict:
        """What a step has found; ValueError if it was not done."""
        if not self.done(name):
            done = ", ".join(self.found["steps"]) or "nothing"
            raise ValueError(
                f"the step '{name}' must be done first; {self.folder} holds {done}. Call again "
                "without --half."
            )
        return self.found["steps"][name]["result"]

    def add(self, name: str, seconds: float, result: dict) -> None:
        """Keep what a step has found; it is on the disk when this returns."""
        entry = {"seconds": round(seconds, 1), "result": result}
        self.found["steps"][name] = entry
        self._write()

    def forget(self, names: list[str]) -> None:
        """The next call does these steps again."""
        for name in names:
            self.result(name)
            del self.found["steps"][name]
        self._write()

    def _write(self) -> None:
        text = json.dumps(self.found, indent=1) + "\n"
        training.write_whole(self.folder / JSON, text.encode())
        training.write_whole(self.folder / TABLES, tables(self.found).encode())


def opened(folder: Path, head: dict | None = None) -> Report:
    """The report of a folder; a new one, if `head` says of what.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none, or one of another kind of run.
    """
    path = folder / JSON
    if not path.is_file():
        if head is None:
            raise FileNotFoundError(
                f"--out must be the folder of a run; {folder} holds no {JSON}. Check the path."
            )
        folder.mkdir(parents=True, exist_ok=True)
        return Report(folder, {"head": head, "steps": {}})
    found = _read(path)
    if head is not None and found["head"] != head:
        differ = [name for name in head if found["head"].get(name) != head[name]]
        was = ", ".join(f"{name} = {found['head'].get(name)}" for name in differ)
        raise ValueError(
            f"--out must be a folder of the same kind of run; {folder} has {was}. Take another "
            "folder."
        )
    return Report(folder, found)


def _read(path: Path) -> dict:
    """What a run has written so far."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found["head"], dict) and isinstance(found["steps"], dict):
            return found
        got = "something else"
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        got = str(error)
    raise ValueError(
        f"{path} must hold the results of a run; got {got}. Put back a copy of it, or take another "
        "folder."
    )


def tables(found: dict) -> str:
    """All results as Markdown."""
    toy = " (toy size: no result)" if found["head"]["size"] == "toy" else ""
    parts = [[f"# A run on a GPU{toy}"], _machine(found), _networks(found), _speeds(found)]
    lines = (line for part in parts for line in [*part, ""])
    return "\n".join(lines).rstrip() + "\n"


def _results(found: dict, kind: str) -> Iterator[tuple[str, dict]]:
    """(what is left of the name, result) of the steps whose names begin with `kind`."""
    for name, entry in found["steps"].items():
        if name.split()[0] == kind:
            yield name.partition(" ")[2], entry["result"]


def _machine(found: dict) -> Iterator[str]:
    for _, facts in _results(found, "machine"):
        yield f"- machine: {facts['machine']}"
        limit = facts["limit"]
        yield (
            f"- products of {limit['side']} x {limit['side']} matrices in {limit['dtype']}: "
            f"{limit['tflops']:.3g} TFLOP/s, the limit below"
        )
    for _, ran in _results(found, "tests"):
        failed = f" ({', '.join(ran['failed'])})" if ran["failed"] else ""
        yield (
            f"- tests: {ran['passed']} passed, {len(ran['failed'])} failed{failed}, "
            f"{ran['skipped']} skipped"
        )
    took = sum(entry["seconds"] for entry in found["steps"].values())
    yield f"- {len(found['steps'])} steps in {took:.0f} s"


def _networks(found: dict) -> Iterator[str]:
    rows = list(_results(found, "measure"))
    if not rows:
        return
    yield (
        "| network | weights | steps | trained for | images/s | bits/dim "
        "| Fréchet with labels (floor) | without | nearer to the training images |"
    )
    yield "|---|" + 8 * "--:|"
    for name, measured in rows:
        yield _network_row(name, measured["card"])


def _network_row(name: str, card: dict) -> str:
    bits = card["metrics"]["bits_per_dim"]["total"]
    floor = card["metrics"]["frechet"]["baseline"]["median"]
    said, unsaid = card["by_seed"], card["unlabeled_by_seed"]
    frechet, without = (_listed(each["frechet"], "{:.2f}") for each in (said, unsaid))
    nearer = _listed([100 * share for share in said["memorization_test"]], "{:.0f}")
    speed = card["step"] * card["config"]["batch"] / card["seconds"]
    return (
        f"| `{name}` | {card['weights'] / 1e6:.2f} M | {card['step']:,} | {card['seconds']:.0f} s "
        f"| {speed:,.0f} | {bits['value']:.3f} ± {bits['stderr']:.3f} | {frechet} ({floor:.2f}) "
        f"| {without} | {nearer} % |"
    )


def _listed(values: list[float], form: str) -> str:
    return ", ".join(map(form.format, values))


def _speeds(found: dict) -> Iterator[str]:
    rows = list(_results(found, "speed"))
    if not rows:
        return
    yield "| images/s | weights | training | of the limit | sampling | of the limit |"
    yield "|---|" + 5 * "--:|"
    for name, row in rows:
        if "left_out" in row:
            yield f"| {name} | left out: {row['left_out']} | | | | |"
            continue
        both = (f"{row[kind]['images_per_second']:,.0f} | {row[kind]['of_limit']:.1%}"
                for kind in ("training", "sampling"))  # fmt: skip
        yield f"| {name} | {row['weights'] / 1e6:.2f} M | {' | '.join(both)} |"
