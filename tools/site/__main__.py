"""Build the site: `python -m tools.site` (or `make site`), into build/site/html.

Words that follow go on to sphinx-build. Drawings of explorers are kept in build/site/films as long
as the package does not change.
"""

import hashlib
import json
import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tools.notebooks.sources import ROOT
from tools.site import frames, pages

BUILD = ROOT / "build" / "site"


def films(folder: Path, jobs: int) -> dict[str, dict]:
    """Explorer -> what its page needs; drawn unless that was done for the same package.

    Parameters
    ----------
    folder : where drawings are kept
    jobs : how many explorers are drawn at a time, each by a process of its own if more than 1
    """
    stamp = _digest()
    missing = [name for name in frames.STOPS if _kept(folder, name).get("stamp") != stamp]
    draw = partial(_draw, folder, stamp)
    if jobs > 1 and len(missing) > 1:
        with ProcessPoolExecutor(jobs) as pool:
            list(pool.map(draw, missing))
    else:
        for name in missing:
            draw(name)
    return {name: _kept(folder, name)["film"] for name in frames.STOPS}


def _kept(folder: Path, name: str) -> dict:
    path = folder / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _draw(folder: Path, stamp: str, name: str) -> None:
    print(f"drawing {name}", flush=True)
    film = frames.film(name)
    size = frames.write(film, folder)
    kept = {"stamp": stamp, "bytes": size, "film": pages.described(film)}
    (folder / f"{name}.json").write_text(json.dumps(kept), encoding="utf-8")


def _digest() -> str:
    """One name for all that a drawing depends on."""
    sources = [*(ROOT / "ddpm_lab").rglob("*.py"), Path(frames.__file__)]
    total = hashlib.sha256()
    for path in sorted(sources):
        total.update(path.read_bytes())
    return total.hexdigest()


def main(words: list[str]) -> int:
    """Draw, assemble, build; the exit status of sphinx-build."""
    from sphinx.cmd.build import main as sphinx

    source = BUILD / "source"
    drawn = films(BUILD / "films", os.cpu_count() or 1)
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    pages.assemble(source, drawn)
    static = source / "_static"
    shutil.copytree(BUILD / "films", static / "explorers", ignore=shutil.ignore_patterns("*.json"))
    shutil.move(source / "chapters" / "pictures", static / "pictures")
    status = sphinx(["-b", "html", "-q", *words, str(source), str(BUILD / "html")])
    if not status:
        print(f"The site: {BUILD / 'html' / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
