"""python -m tools.slides [05 07 ...] [--out DIR]: slides of all chapters, or of those named."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from nbconvert.exporters import SlidesExporter
from traitlets.config import Config

from ddpm_lab._checks import path_of
from tools.notebooks.sources import ROOT, chapters
from tools.slides.decks import deck

HERE = Path(__file__).resolve().parent
ASSETS = {"reveal.js": "reveal.js@5.2.1", "mathjax": "mathjax@3.2.2"}


def assets(folder):
    """Put reveal.js and MathJax there, from npm, unless they are there."""
    for name, package in ASSETS.items():
        if not (folder / name).exists():
            words = ["npm", "install", "--silent", "--no-save", "--prefix", folder / "npm", package]
            subprocess.run([*map(str, words)], check=True)
            shutil.copytree(folder / "npm" / "node_modules" / name, folder / name)
    shutil.rmtree(folder / "npm", ignore_errors=True)


def exporter():
    """nbconvert's, with our template."""
    settings = Config()
    settings.SlidesExporter.reveal_url_prefix = "assets/reveal.js"
    settings.SlidesExporter.reveal_theme = "white"  # its fonts lie beside it
    settings.SlidesExporter.template_name = "slides"
    settings.SlidesExporter.extra_template_basedirs = [str(HERE.parent)]
    return SlidesExporter(config=settings)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m tools.slides", description=__doc__)
    parser.add_argument("chapters", nargs="*", metavar="NN", help="default: all")
    parser.add_argument(
        "--out", type=path_of, default=ROOT / "build" / "slides", help="%(default)s"
    )
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    assets(args.out / "assets")
    make = exporter()
    for chapter in chapters(ROOT, args.chapters):
        notebook = deck(chapter.learner)
        page, _ = make.from_notebook_node(notebook)
        (args.out / f"{chapter.slug}.html").write_text(page, encoding="utf-8")
        print(f"{len(notebook.cells):3} slides  {args.out / chapter.slug}.html", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
