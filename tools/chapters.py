"""The chapter machine: one text per chapter, and every notebook made from it.

    python tools/chapters.py build 05        run chapter 05, store both its notebooks
    python tools/chapters.py build 05 --fresh   ... and keep no old output that is near the new
    python tools/chapters.py check           run all again elsewhere: is it the same?
    python tools/chapters.py sync            do texts and notebooks belong together?   (fast)
    python tools/chapters.py lint            house rules for what a notebook may hold  (fast)
    python tools/chapters.py links           does every link lead somewhere?           (fast)
    python tools/chapters.py minutes         how long does each take? into the README's table
    python tools/chapters.py topics          where is each topic of the syllabus taught?
    python tools/chapters.py leaks           solutions where they belong, verdicts right (fast)
    python tools/chapters.py stamp           new prose or version: into what is stored (fast)
    python tools/chapters.py pages           build glossary, formulas and cheat sheet from the texts
    python tools/chapters.py lessons         write docs/lessons.md, notes for teachers (fast)
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
  The first cell is Markdown and starts with `# Title`. After it the build puts the set-up cell
  (`tools/notebooks/colab.py`), which no text holds.
- An exercise is a code cell tagged "exercise". What the learner writes stands between the lines
  `### BEGIN SOLUTION` and `### END SOLUTION`; there they find `...  # your code here`, one per
  block. In the same cell, or in the next ones, follows one line per exercise at the left margin:
  `marginal = check("forward.marginal", my_marginal)`. A name is used once in a chapter. If a
  value is asked for, `my_value = ...` stands before the block, so that the name exists.
- Markdown tagged "solution" is an explanation for the solved reading only.
- A section that nothing later needs is a detour: a heading `## Detour · Title` (or `###`), alone in
  its cell but for a paragraph. JupyterLab opens it folded; the next heading of its level ends it.
  No cell outside of it may read a name that only a detour defines.
- No minutes are typed: the first cell says `{road}`, and `{detours}` if there are some; the build
  counts (`tools/notebooks/minutes.py`). A main road has at most 75 minutes.
- The first cell of a section names what it teaches of the syllabus (`chapters/source/topics.txt`):
  `# %% [markdown] topics="C079 C080"`.
- Bookkeeping stands in lines `# eq: 5.3` and `# claim: E66` at the top of a code cell; the build
  moves it into the cell's metadata.
- A code cell tagged "demo" may call `check` on something that is not an exercise.
- Code is plain Python (no `%` or `!`), at most 15 lines, or 25 in an exercise (blank lines and
  imports are free), 100 columns, and no closing `;`. It opens no file by a relative path: the
  two readings run in different folders.
- Markdown links are relative to `chapters/`; the solved reading gets them adjusted.
- A figure has alt text, as metadata `{"image/png": {"alt": ...}}`. JupyterLab does not hand it to
  screen readers, so the same cell also says it in words: in printed text, or in an HTML image.
  And the cell prints numbers of the figure, since nbval does not compare pictures.
- What a cell prints is at most 88 columns wide, but for source that `show_source` shows.
- Nothing stored may differ between two runs: no times, addresses, paths or progress bars.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":  # run as a program: find the packages beside tools/
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ddpm_lab._checks import path_of
from tools.notebooks.building import build, check, stamp, sync
from tools.notebooks.leaks import leaks
from tools.notebooks.lessons import lessons
from tools.notebooks.links import links
from tools.notebooks.lint import lint
from tools.notebooks.readme import write_minutes
from tools.notebooks.reference import pages
from tools.notebooks.release import release
from tools.notebooks.sources import ROOT, ChapterError
from tools.notebooks.topics import print_topics

COMMANDS = {
    "build": build,
    "check": check,
    "sync": sync,
    "lint": lint,
    "links": links,
    "leaks": leaks,
    "minutes": write_minutes,
    "topics": print_topics,
    "pages": pages,
    "stamp": stamp,
    "lessons": lessons,
}


def options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/chapters.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name in (*COMMANDS, "release"):
        command = commands.add_parser(name)
        command.add_argument("chapters", nargs="*", metavar="NN", help="chapters; default: all")
        command.add_argument("--root", type=path_of, default=ROOT, help="the project's folder")
        if name in ("build", "check"):
            command.add_argument("--jobs", type=int, default=2, help="notebooks at a time")
            command.add_argument("--solved", action="store_true", help="solved notebooks only")
        if name == "build":
            command.add_argument("--fresh", action="store_true", help="keep no stored output")
        if name == "release":
            command.add_argument("--out", type=path_of, required=True, help="a folder to write to")
    return parser.parse_args(argv)


def say(line: str) -> None:
    print(line, flush=True)


def problems_of(args: argparse.Namespace) -> list[str]:
    """What a command finds wrong."""
    root, more = args.root.resolve(), {}
    if args.command in ("build", "check"):
        more = {"jobs": args.jobs, "solved_only": args.solved, "say": say}
        more |= {"fresh": args.fresh} if args.command == "build" else {}
    try:
        if args.command == "release":
            for path in release(root, args.chapters, out=args.out):
                say(str(path))
            return []
        return COMMANDS[args.command](root, args.chapters, **more)
    except ChapterError as error:
        return [str(error)]


def main(argv: list[str] | None = None) -> int:
    args = options(argv)
    problems = problems_of(args)
    for problem in problems:
        say(problem)
    say(f"{args.command}: {len(problems)} problem(s)" if problems else f"{args.command}: fine")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
