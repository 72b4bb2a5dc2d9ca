"""The chapter machine: one text per chapter, and every notebook made from it.

    python tools/chapters.py build 05        run chapter 05, store both its notebooks
    python tools/chapters.py check           run all again elsewhere: is it the same?
    python tools/chapters.py sync            do texts and notebooks belong together?   (fast)
    python tools/chapters.py lint            house rules for what a notebook may hold  (fast)
    python tools/chapters.py links           does every link lead somewhere?           (fast)
    python tools/chapters.py leaks           solutions where they belong, verdicts right (fast)
    python tools/chapters.py release --out D nbgrader source notebooks for a class

A chapter is a text, `chapters/source/NN_slug.py`, in jupytext's percent format. It has two
readings: the learner's, `chapters/NN_slug.ipynb`, and the solved one,
`chapters/solutions/NN_slug.ipynb`. Both are run, and their outputs stored. Never edit a notebook
of the course: edit its text and build.

Rules for authors
-----------------
- `# %% [markdown]` and `# %%` begin cells; of a cell's metadata only its tags are kept, as in
  `# %% tags=["exercise"]`, and how far its numbers may differ on another machine, as in
  `# %% tolerance={"rel": 0.01}` (see `tools/printed.py`; `tools/machines.py` measures it).
  The first cell is Markdown and starts with `# Title`.
- An exercise is a code cell tagged "exercise". What the learner writes stands between the lines
  `### BEGIN SOLUTION` and `### END SOLUTION`; there they find `...  # your code here`, one per
  block. In the same cell, or in the next ones, follows one line per exercise at the left margin:
  `marginal = check("forward.marginal", my_marginal)`. A name is used once in a chapter. If a
  value is asked for, `my_value = ...` stands before the block, so that the name exists.
- Markdown tagged "solution" is an explanation for the solved reading only.
- A code cell tagged "demo" may call `check` on something that is not an exercise.
- Code is plain Python (no `%` or `!`), at most 15 lines, or 25 in an exercise (blank lines are
  free), 100 columns, and no closing `;`. It opens no file by a relative path: the two readings
  run in different folders.
- Markdown links are relative to `chapters/`; the solved reading gets them adjusted.
- A figure has alt text, as metadata `{"image/png": {"alt": ...}}`. JupyterLab does not hand it to
  screen readers, so the same cell also says it in words: in printed text, or in an HTML image.
  And the cell prints numbers of the figure, since nbval does not compare pictures.
- Nothing stored may differ between two runs: no times, addresses, paths or progress bars.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import base64
import difflib
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import jupytext
import nbformat
from PIL import Image, ImageChops, ImageStat

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tools import printed  # noqa: E402

BEGIN, END, HOLE = "### BEGIN SOLUTION", "### END SOLUTION", "...  # your code here"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class ChapterError(Exception):
    """A chapter cannot be read or run; the message says where and why."""


class Chapter(NamedTuple):
    """The three files of a chapter, whether or not they exist yet."""

    slug: str
    source: Path
    learner: Path
    solved: Path

    def readings(self) -> Iterator[tuple[Path, bool]]:
        """Each notebook's path, and whether it is the solved one."""
        yield self.learner, False
        yield self.solved, True


def chapters(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[Chapter]:
    """The chapters that have a text, in order; `wanted` picks some by number or slug."""
    folder = root / "chapters"
    found = [
        Chapter(p.stem, p, folder / f"{p.stem}.ipynb", folder / "solutions" / f"{p.stem}.ipynb")
        for p in sorted((folder / "source").glob("[0-9][0-9]_*.py"))
    ]
    chosen = []
    for want in wanted:
        hits = [c for c in found if c.slug == want or c.slug.startswith(f"{want}_")]
        if not hits:
            known = ", ".join(c.slug for c in found) or "none yet"
            raise ChapterError(f"no chapter {want!r} in chapters/source; there are: {known}")
        chosen += hits
    return sorted(set(chosen)) if chosen else found


# ------------------------------------------------------------------ from text to two notebooks


def reading(text: str, *, solved: bool, markers: bool = False):
    """A chapter's text as a notebook that has not been run.

    Cell ids count the cells of the text, so a cell has the same id in both readings.
    With `markers`, solutions keep their marker lines, along which graders cut, and links stay.
    """
    notebook = jupytext.reads(text, fmt="py:percent")
    cells = []
    for number, cell in enumerate(notebook.cells):
        name = f"c{number:03d}"
        if cell.cell_type not in ("markdown", "code"):
            raise ChapterError(f"cell {name}: a chapter has Markdown and code cells only")
        if "solution" in tags(cell) and not solved:
            continue
        source = cell.source
        if cell.cell_type == "code" and not markers:
            source = _solution(source, name, solved)
        elif cell.cell_type == "markdown" and solved and not markers:
            source = _one_folder_down(source)
        code = cell.cell_type == "code"
        make = nbformat.v4.new_code_cell if code else nbformat.v4.new_markdown_cell
        cells.append(make(source, id=name, metadata=_kept(cell)))
    return nbformat.v4.new_notebook(cells=cells, metadata=nbformat.from_dict(METADATA))


def _kept(cell) -> dict:
    kept = {"tags": list(tags(cell))} if tags(cell) else {}
    tolerance = cell.metadata.get("tolerance")
    return kept | ({"tolerance": dict(tolerance)} if tolerance else {})


def read(source: Path, **how):
    """The reading of a chapter's file."""
    return reading(source.read_text(encoding="utf-8"), **how)


def solution_lines(source: str, name: str = "?") -> Iterator[tuple[bool, str]]:
    """Each line of a code cell, and whether it is part of a solution (its markers too)."""
    inside = False
    for line in source.split("\n"):
        mark = line.strip()
        if mark in (BEGIN, END) and (mark == BEGIN) == inside:
            raise ChapterError(f"cell {name}: {mark!r} has no partner")
        inside = inside or mark == BEGIN
        yield inside, line
        inside = inside and mark != END
    if inside:
        raise ChapterError(f"cell {name}: {BEGIN!r} has no partner")


def _solution(source: str, name: str, keep: bool) -> str:
    """The cell without markers: with its solutions, or with a hole for each."""
    lines = []
    for inside, line in solution_lines(source, name):
        if not inside or (keep and line.strip() not in (BEGIN, END)):
            lines.append(line)
        elif not keep and line.strip() == BEGIN:
            lines.append(line.replace(BEGIN, HOLE))
    return "\n".join(lines)


_TARGET = re.compile(r"""(\]\(|\b(?:src|href)="|^\[[^^\]]+\]: +)([^)\s"]+)""", re.M)
_CODE_OR_MATH = re.compile(r"(```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$)", re.S)


def _one_folder_down(markdown: str) -> str:
    """Relative links as seen from chapters/solutions; other chapters lie there too."""

    def adjust(match):
        start, target = match.groups()
        sibling = re.match(r"[0-9][0-9]_\w+\.ipynb(#|$)", target)
        stays = sibling or re.match(r"[#/]|\w+:", target)  # an anchor here, or an address
        return match[0] if stays else f"{start}../{target}"

    parts = _CODE_OR_MATH.split(markdown)  # every other part is code or a formula
    parts[::2] = [_TARGET.sub(adjust, part) for part in parts[::2]]
    return "".join(parts)


# --------------------------------------------------------------------------------- running it


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
            OMP_NUM_THREADS="1",
            OPENBLAS_NUM_THREADS="1",
            CUDA_VISIBLE_DEVICES="",  # the same numbers on every machine, and on every processor:
            ATEN_CPU_CAPABILITY="avx2",  # as in chapters/conftest.py, for nbval
            MKL_CBWR="COMPATIBLE",
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
        cell.metadata = _kept(cell)
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


def texts(output) -> Iterator[tuple[dict, str, str]]:
    """Everything readable in an output, as (holder, key, text); pictures left out."""
    if "text" in output:
        yield output, "text", output["text"]
    for mime, text in output.get("data", {}).items():
        if isinstance(text, str) and not mime.startswith("image/"):
            yield output["data"], mime, text


def written(notebook) -> str:
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _store(path: Path, text: str) -> None:
    """All of the file or nothing of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)


def build(
    root: Path = ROOT,
    wanted: Sequence[str] = (),
    *,
    jobs: int = 1,
    out: Path | None = None,
    solved_only: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Run both readings of each chapter and store them; return what went wrong.

    `out` stores them in a folder like `chapters/` elsewhere. A reading that fails leaves the
    notebook that was there.
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
                keep_stored(path, notebook)
                text = written(notebook)
                _store(path if out is None else out / path.relative_to(home), text)
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
        return [problem for problem in asyncio.run(all_of_them(env)) if problem]


# --------------------------------------------------------------- comparing stored and rebuilt


def load(path: Path):
    """A stored notebook, as it is; ChapterError if it is none of format 4."""
    if not path.exists():
        raise ChapterError("is missing: build the chapter")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.get("nbformat") != 4:
            raise ChapterError("is not in notebook format 4")
        for error in nbformat.validator.iter_validate(raw):
            raise ChapterError(f"is not a valid notebook: {str(error).splitlines()[0]}")
        return nbformat.v4.reads(json.dumps(raw))
    except (OSError, ValueError, AttributeError) as error:
        raise ChapterError(f"is not a notebook that can be read: {error}") from None


def _shown(cell, outputs: bool) -> list[str]:
    """A cell as lines to compare: its kind and text and, if wanted, what it shows."""
    lines = [f"[{cell.cell_type}]", *cell.source.split("\n")]
    for output in cell.get("outputs", []) if outputs else []:
        lines.append(f"[{output.output_type}]")
        for _, key, text in texts(output):
            lines += [f"{key}: {line}" for line in text.rstrip("\n").split("\n")]
        for mime, data in output.get("data", {}).items():
            if mime.startswith("image/"):
                digest = hashlib.sha256(str(data).encode()).hexdigest()[:8]
                lines.append(f"picture {mime} {digest}")
        if output.get("metadata"):
            lines.append(f"metadata: {json.dumps(output.metadata, sort_keys=True)}")
        if output.output_type == "error":
            lines.append(f"error: {output.ename}: {output.evalue}")
    return lines


def differences(stored, fresh, *, outputs: bool) -> list[str]:
    """Cell by cell, how a stored notebook differs from a fresh one ('-' stored, '+' fresh)."""
    old = [_shown(c, outputs) for c in stored.cells]
    new = [_shown(c, outputs) for c in fresh.cells]
    found = []
    matcher = difflib.SequenceMatcher(
        a=[tuple(c) for c in old], b=[tuple(c) for c in new], autojunk=False
    )
    for what, i, i_end, j, j_end in matcher.get_opcodes():
        if what == "equal":
            continue
        for k in range(max(i_end - i, j_end - j)):
            a = old[i + k] if i + k < i_end else []
            b = new[j + k] if j + k < j_end else []
            cell = stored.cells[i + k] if a else fresh.cells[j + k]
            lines = [
                line[:160]
                for line in difflib.unified_diff(a, b, n=0, lineterm="")
                if not line.startswith(("---", "+++", "@@"))
            ]
            kind = "is stored but not in the text" if not b else "differs"
            kind = "is missing in the stored notebook" if not a else kind
            if all(line[1:].startswith("picture") for line in lines):
                kind = "differs in its picture only"
            more = [f"... {len(lines) - 12} more lines"] if len(lines) > 12 else []
            found.append("\n    ".join([f"cell {cell.get('id', '?')} {kind}", *lines[:12], *more]))
    return found


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
                    found = _against(path, fresh)
                except ChapterError as error:
                    found = [str(error)]
                problems += [f"{name}: {line}" for line in found]
                if found:
                    problems.append(f"{name}: if the new run is right, {_repair(chapter)}")
    return problems


def _against(path: Path, again: Path) -> list[str]:
    """How a stored notebook differs from one that was built anew, cell by cell."""
    stored, fresh = load(path), load(again)
    if written(stored) == written(fresh):
        return []
    return differences(stored, fresh, outputs=True) or ["metadata, ids or layout differ"]


def keep_stored(path: Path, notebook) -> None:
    """What another machine may print in another way stays as it is stored.

    So a chapter that is built on another machine changes only where it has really changed.
    """
    try:
        code = {cell.id: cell for cell in load(path).cells if cell.cell_type == "code"}
    except ChapterError:  # none yet, or a broken one
        return
    for cell in notebook.cells:
        old = code.get(cell.id)
        if cell.cell_type == "code" and old is not None and old.source == cell.source:
            _keep_outputs(old, cell)


def _keep_outputs(stored, fresh):
    printed.settle_outputs(stored.outputs, fresh.outputs, printed.Tolerance.of(fresh.metadata))
    for old, new in zip(_pictures(stored), _pictures(fresh)):
        if "tolerance" in fresh.metadata or _alike(old["image/png"], new["image/png"]):
            new["image/png"] = old["image/png"]


def _pictures(cell) -> list[dict]:
    return [o.data for o in cell.outputs if "image/png" in o.get("data", {})]


FEW_PIXELS = 0.005
"""Share of the pixels that may differ visibly: rounding moves the edge of a line, no more."""


def _alike(stored: str, fresh: str) -> bool:
    """Do two pictures differ by rounding only? A wrong curve differs in far more pixels."""
    if stored == fresh:
        return True
    a, b = (Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB") for png in (stored, fresh))
    if a.size != b.size:
        return False
    visible = ImageChops.difference(a, b).convert("L").point(lambda level: 255 * (level > 32))
    return ImageStat.Stat(visible).mean[0] / 255 <= FEW_PIXELS


def _repair(chapter: Chapter) -> str:
    return f"run `python tools/chapters.py build {chapter.slug[:2]}`"


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
        for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
            if path.stem not in slugs:
                name = path.relative_to(root).as_posix()
                text = f"chapters/source/{path.stem}.py"
                problems.append(f"{name} has no text: write {text} and build, or delete {name}")
    return problems


# ---------------------------------------------------------------------------------- exercises


class Check(NamedTuple):
    """One line `target = check("name", attempt)`, at lines first..last of its cell."""

    name: str
    attempt: str
    target: str
    first: int
    last: int


def checks_in(source: str) -> list[Check]:
    """The exercise checks at the left margin of a code cell; none if it is not plain Python."""
    found: list[Check] = []
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return found
    for node in statements:
        call = getattr(node, "value", None)
        if not (isinstance(node, (ast.Assign, ast.Expr)) and isinstance(call, ast.Call)):
            continue
        function = call.func
        called = getattr(function, "id", None) or getattr(function, "attr", None)
        arguments = call.args
        if called != "check" or len(arguments) < 2 or not isinstance(arguments[0], ast.Constant):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        found.append(
            Check(
                str(arguments[0].value),
                ast.unparse(arguments[1]),
                ast.unparse(target) if target is not None else "verdict",
                node.lineno,
                node.end_lineno or node.lineno,
            )
        )
    return found


def exercises(notebook) -> list[Check]:
    """All checks of a reading that are exercises, in order."""
    code = [c for c in notebook.cells if c.cell_type == "code" and "demo" not in tags(c)]
    return [found for cell in code for found in checks_in(cell.source)]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


# ----------------------------------------------------------------------------------- release


NBGRADER_CONFIG = """\
# nbgrader_config.py, beside the folder source/: what learners find in place of a solution.
c = get_config()  # noqa: F821
c.ClearSolutions.code_stub = {"python": "...  # your code here"}
c.ExecutePreprocessor.timeout = 120
"""


def graded(source: Path):
    """A chapter as nbgrader source notebook: solution cells, and locked cells worth points.

    A check becomes a cell of its own, which fails unless `check` hands the learner's own
    function back; it does so only when that is right.
    """
    notebook = read(source, solved=True, markers=True)
    answers: list = []
    cells = []
    for cell in notebook.cells:
        if "solution" in tags(cell):
            continue
        if cell.cell_type == "markdown":
            cells.append(cell)
            continue
        for part, found in _parts(cell):
            new = nbformat.v4.new_code_cell(part, id=f"{cell.id}-{len(cells)}")
            cells.append(new)
            if found:
                name = re.sub(r"\W+", "-", found.name)
                new.metadata["nbgrader"] = _grading(name, points=1)
                for i, answer in enumerate(answers):
                    tail = f"-{i + 1}" if i else ""
                    answer.metadata["nbgrader"] = _grading(f"{name}-answer{tail}")
                answers = []
            elif BEGIN in part:
                answers.append(new)
    notebook.cells = cells
    return notebook


def _parts(cell) -> Iterator[tuple[str, Check | None]]:
    """A code cell cut at its checks, each with the line that asserts the verdict."""
    lines, start = cell.source.split("\n"), 0
    for found in checks_in(cell.source) if "demo" not in tags(cell) else ():
        before = "\n".join(lines[start : found.first - 1]).strip("\n")
        if before:
            yield before, None
        call = f"{found.target} = check({found.name!r}, {found.attempt})"
        verdict = f"assert {found.target} is {found.attempt}, {found.name + ': not right yet'!r}"
        yield f"from ddpm_lab.course.exercises import check\n\n{call}\n{verdict}", found
        start = found.last
    after = "\n".join(lines[start:]).strip("\n")
    if after:
        yield after, None


def _grading(name: str, points: int = 0) -> dict:
    """nbgrader's metadata of a cell, schema 3: a locked test if it has points, or an answer."""
    kind = {"grade": bool(points), "locked": bool(points), "solution": not points, "task": False}
    worth = {"points": points} if points else {}
    return {"schema_version": 3, "grade_id": name, **kind, **worth}


def release(root: Path = ROOT, wanted: Sequence[str] = (), *, out: Path) -> list[Path]:
    """Write `out/source/NN_slug/NN_slug.ipynb`, the layout of an nbgrader course."""
    paths = []
    for chapter in chapters(root, wanted):
        path = out / "source" / chapter.slug / f"{chapter.slug}.ipynb"
        _store(path, written(graded(chapter.source)))
        paths.append(path)
    _store(out / "nbgrader_config.py", NBGRADER_CONFIG)
    return paths


# --------------------------------------------------------------------------------- command line


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/chapters.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name in ("build", "check", "sync", "lint", "links", "leaks", "release"):
        command = commands.add_parser(name)
        command.add_argument("chapters", nargs="*", metavar="NN", help="chapters; default: all")
        command.add_argument("--root", type=Path, default=ROOT, help="the project's folder")
        if name in ("build", "check"):
            command.add_argument("--jobs", type=int, default=2, help="notebooks at a time")
            command.add_argument("--solved", action="store_true", help="solved notebooks only")
        if name == "release":
            command.add_argument("--out", type=Path, required=True, help="a folder to write to")
    args = parser.parse_args(argv)
    root = args.root.resolve()

    def say(line: str) -> None:
        print(line, flush=True)

    try:
        if args.command == "release":
            for path in release(root, args.chapters, out=args.out):
                say(str(path))
            return 0
        from tools import chapter_rules

        run = globals().get(args.command) or getattr(chapter_rules, args.command)
        more = {}
        if args.command in ("build", "check"):
            more = {"jobs": args.jobs, "solved_only": args.solved, "say": say}
        problems = run(root, args.chapters, **more)
    except ChapterError as error:
        problems = [str(error)]
    for problem in problems:
        say(problem)
    say(f"{args.command}: {len(problems)} problem(s)" if problems else f"{args.command}: fine")
    return 1 if problems else 0


if __name__ == "__main__":
    from tools import chapters as this  # the one copy that chapter_rules knows too

    sys.exit(this.main())
