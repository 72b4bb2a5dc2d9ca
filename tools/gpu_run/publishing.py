"""Out of a run's folder into the course: networks, cards, logs, and the table of speeds."""

from __future__ import annotations

import json
from pathlib import Path

from ddpm_lab import training
from tools import publish_checkpoint
from tools.gpu_run import networks
from tools.gpu_run.report import Report

SPEEDS = "gpu_run.json"


def publish(report: Report, folder: Path) -> list[Path]:
    """Write the files that chapters read.

    Raises
    ------
    FileNotFoundError, ValueError
        If a network has not been trained and measured, or its parts are not whole.
    """
    ready = [(name, *_network(name, report)) for name in networks.NAMES]  # before any is written
    facts = speeds(report)
    written = [publish_checkpoint.store(name, *files, folder) for name, *files in ready]
    text = json.dumps(facts, indent=1) + "\n"
    return [*written, training.write_whole(folder / SPEEDS, text.encode())]


def _network(name: str, report: Report) -> tuple[bytes, bytes, dict]:
    """(network, log, card) of a network."""
    trained, card = report.result(f"train {name}"), report.result(f"measure {name}")["card"]
    log = "".join(json.dumps(line) + "\n" for line in trained["log"])
    return networks.joined(trained, report.folder), log.encode(), card


def speeds(report: Report) -> dict:
    """What the report says of the machine, its tests and its speed."""
    steps = report.found["steps"]
    rows = {n.partition(" ")[2]: each["result"] for n, each in steps.items() if n[:6] == "speed "}
    return {**report.result("machine"), "tests": report.result("tests"), "speeds": rows}


def table_row(name: str, card: dict) -> str:
    """The row of a network in the table of docs/training.md."""
    minutes, found = card["seconds"] / 60, card["metrics"]
    bits, floor = found["bits_per_dim"]["total"], found["frechet"]["baseline"]["median"]
    labeled, free = card["by_seed"]["frechet"], card.get("unlabeled_by_seed", {}).get("frechet", ())
    frechet, without = (", ".join(f"{value:.2f}" for value in each) for each in (labeled, free))
    nearer = ", ".join(f"{100 * share:.0f}" for share in card["by_seed"]["memorization_test"])
    return (
        f"| `{name}` | {card['weights'] / 1e6:.2f} M | {minutes:.{1 if minutes < 10 else 0}f} min "
        f"| {bits['value']:.2f} | {frechet} ({floor:.2f}) | {without or '–'} | {nearer} % |"
    )
