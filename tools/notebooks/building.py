"""Build, check, sync, stamp: make the stored notebooks from the texts, or see if they are."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.notebooks import colab
from tools.notebooks.colab import with_set_up
from tools.notebooks.comparing import against, differences, keep_stored
from tools.notebooks.lessons import lessons
from tools.notebooks.reference import page_problems, pages, stored_pages
from tools.notebooks.running import clean_room, execute, settle
from tools.notebooks.sources import ROOT, Chapter, ChapterError, chapters, read
from tools.notebooks.stored import load, store, written


def build(
    root: Path = ROOT,
    wanted: Sequence[str] = (),
    *,
    jobs: int = 1,
    out: Path | None = None,
    solved_only: bool = False,
    fresh: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Run both readings of each chapter and store them; return what went wrong.

    `fresh` keeps nothing of the stored outputs, which is right after a network or data have
    changed: a new number that is near the old one would else stay old.

    `out` stores them in a folder like `chapters/` elsewhere; otherwise the pages of reference
    and the teacher's notes follow. A reading that fails leaves the notebook that was there.
    """
    home = root / "chapters"
    (home / "solutions").mkdir(parents=True, exist_ok=True)
    all_readings = [(c.source, p, s) for c in chapters(root, wanted) for p, s in c.readings()]
    tasks = [each for each in all_readings if each[2] or not solved_only]
    done: list[str] = []

    async def one(source: Path, path: Path, solved: bool, env, turn) -> str | None:
        name, problem = path.relative_to(root).as_posix(), None
        async with turn:
            start = time.monotonic()
            try:
                notebook = read(source, solved=solved)
                await execute(notebook, path.parent, env)
                settle(notebook)
                if not fresh:
                    keep_stored(path, notebook)
                text = written(notebook)
                store(path if out is None else out / path.relative_to(home), text)
                size = f"{len(text.encode()) / 1000:6.0f} kB"
            except ChapterError as error:
                problem, size = f"{name}: {error}", "   FAILED"
        done.append(name)
        say(f"[{len(done)}/{len(tasks)}] {time.monotonic() - start:6.1f} s {size}  {name}")
        return problem

    async def all_of_them(env) -> list[str | None]:
        turn = asyncio.Semaphore(max(1, jobs))
        return await asyncio.gather(*(one(*task, env, turn) for task in tasks))

    with clean_room(root) as env:
        problems = [problem for problem in asyncio.run(all_of_them(env)) if problem]
    return problems if out else problems + pages(root) + lessons(root)


def check(
    root: Path = ROOT,
    wanted: Sequence[str] = (),
    *,
    jobs: int = 1,
    solved_only: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Run everything again in the same places, store it elsewhere, compare the two.

    All must be the same to the byte but for numbers that are within the tolerance of their cell,
    and for a few pixels of a picture (any, where the cell states a tolerance).
    """
    wanted, problems = list(wanted), []
    with tempfile.TemporaryDirectory(prefix="chapters-") as folder:
        out = Path(folder)
        problems += build(root, wanted, jobs=jobs, out=out, solved_only=solved_only, say=say)
        for chapter in chapters(root, wanted):
            for path, _ in chapter.readings():
                name = path.relative_to(root).as_posix()
                fresh = out / path.relative_to(root / "chapters")
                if not fresh.exists():
                    continue  # the build has said why, or it was not asked for
                try:
                    found = against(path, fresh)
                except ChapterError as error:
                    found = [str(error)]
                problems += [f"{name}: {line}" for line in found]
                if found:
                    problems.append(f"{name}: if the new run is right, {_repair(chapter)}")
    return problems


def stamp(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[str]:
    """Give the stored notebooks the prose of their texts, and the set-up cell of this version.

    Nothing is run, and outputs stay; a notebook whose code is no longer that of its text is left
    as it is. What is stored counts as run from the first cell to the last, so the cells are
    numbered anew.
    """
    readings = [(c, path, solved) for c in chapters(root, wanted) for path, solved in c.readings()]
    problems = []
    for chapter, path, solved in readings:
        try:
            notebook = _with_outputs(read(chapter.source, solved=solved), load(path))
            settle(notebook)
            store(path, written(notebook))
        except ChapterError as error:
            problems.append(f"{path.relative_to(root).as_posix()}: {error}; {_repair(chapter)}")
    for path in stored_pages(root):
        store(path, written(with_set_up(load(path))))
    return problems


def _with_outputs(fresh, old):
    """The fresh reading with what the old one's code cells put out."""
    ours, theirs = (
        [cell for cell in notebook.cells if cell.cell_type == "code" and cell.id != colab.ID]
        for notebook in (fresh, old)
    )
    if [cell.source for cell in ours] != [cell.source for cell in theirs]:
        raise ChapterError("its code is not what its text gives")
    for cell, ran in zip(ours, theirs):
        cell.outputs = ran.outputs
    return fresh


def _repair(chapter: Chapter) -> str:
    return f"run `python tools/chapters.py build {chapter.number}`"


KEEP_WORK = """\
{name} is not what its text gives.
    Did you write answers or notes into it? Then this is your work, and nothing is wrong with it.
    To keep it beside the course's own copy:
        cp {name} chapters/my_{file} && git checkout -- {name}
    To test the course without touching your work, take a pristine copy of it:
        git worktree add --detach ../ddpm-lab-pristine && make -C ../ddpm-lab-pristine test
    If you changed the text, {repair}."""


def sync(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[str]:
    """Are the stored notebooks made from the texts as they are now? Nothing is run."""
    wanted, problems = list(wanted), []
    found = chapters(root, wanted)
    if not found:
        problems.append("chapters/source has no chapter (NN_slug.py) yet")
    for chapter in found:
        for path, solved in chapter.readings():
            name = path.relative_to(root).as_posix()
            if not path.exists():
                problems.append(f"{name} is missing: {_repair(chapter)}")
                continue
            try:
                fresh = read(chapter.source, solved=solved)
                cells = differences(load(path), fresh, outputs=False)
            except ChapterError as error:
                problems.append(f"{name}: {error}; {_repair(chapter)}")
                continue
            if cells and solved:
                problems.append(f"{name} is not what its text gives: {_repair(chapter)}")
            elif cells:
                facts = {"name": name, "file": path.name, "repair": _repair(chapter)}
                problems.append(KEEP_WORK.format(**facts))
            problems += [f"{name}: {cell}" for cell in cells]
    slugs = {c.slug for c in chapters(root)}
    for folder in () if wanted else (root / "chapters", root / "chapters" / "solutions"):
        for path in sorted(folder.glob("[0-9][0-9]*_*.ipynb")):
            if path.stem not in slugs:
                name = path.relative_to(root).as_posix()
                text = f"chapters/source/{path.stem}.py"
                problems.append(f"{name} has no text: write {text} and build, or delete {name}")
    return problems if wanted else problems + page_problems(root)
