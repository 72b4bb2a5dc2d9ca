"""The students' edition: notebooks of chosen chapters, with points, and without solutions.

Its exercises are open, and it runs to its end all the same: `check` of an open exercise gives the
course's own answer, with which the chapter goes on. (In nbgrader's edition, which asserts, a run
stops at the first open exercise.)
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ddpm_lab import _checks, _files, _installed
from ddpm_lab.cli.classroom import handins
from ddpm_lab.cli.classroom.roster import Settings, new_secret, settings_of

PAGES = ("cheat_sheet", "formulas", "glossary")
TWO = """
bayes.posterior bayes.two_coins distributions.chain_rule estimators.gaussian_nll
elbo.reconstruction elbo.loss forward.merge forward.marginal forward.prior_bits
schedules.zero_terminal posterior.var posterior.mean posterior.eps_mean posterior.optimal_var
bound.step_kl bound.weight_eps bound.pixel_cost predictions.eps_to_x0 sampling.dataset_denoiser
sampling.ancestral_step sampling.follow_variance sampling.ddim_step learning.loss
unet.time_embedding unet.group_norm unet.unshuffle build.res_block build.attention
training.ema_weights measuring.bits measuring.energy measuring.baseline measuring.memorization
measuring.verdict guidance.learned_var guidance.slerp
"""
"""Exercises worth two points: their solution has three lines to five. (Shorter: one point.)"""
THREE = " sampling.encode build.unet"
"""Worth three points: the solution is longer."""
POINTS: dict[str, int] = {name: 3 if name in THREE.split() else 2 for name in (TWO + THREE).split()}
NOTE = (
    "> **Students' edition.** Write your answers into the cells of the exercises; hand in this "
    "notebook under its name, `{name}`. *Run All* runs to the end, also while exercises are open. "
    "`check` tries each answer on its own inputs; for the marks it is tried on others."
)


def chapters() -> dict[str, Path]:
    """The course's own notebooks, by slug.

    >>> "05_forward" in chapters()
    True
    """
    found = sorted(_installed.course_folder().glob("[0-9][0-9]*_*.ipynb"))
    return {path.stem: path for path in found}


def chosen(words: Sequence[str]) -> list[str]:
    """The slugs that somebody means by "05" or "05_forward"; all chapters, if nothing is said.

    >>> chosen(["05"])
    ['05_forward']
    """
    known, found = chapters(), []
    for word in words:
        hits = [slug for slug in known if {word, f"0{word}"} & {slug, slug.split("_")[0]}]
        if not hits:
            near = _checks.nearest([word], known, f"There are: {', '.join(known)}.")
            raise ValueError(f"--chapters must name chapters of the course; got {word}. {near}")
        found += hits
    return sorted({*found}) if words else list(known)


def release(folder: Path, words: Sequence[str] = ()) -> Settings:
    """Write release/ and class.json; points that stand there already, and the secret, stay.

    Parameters
    ----------
    words : chapters such as "05"
    """
    before = settings_of(folder) if (folder / "class.json").exists() else None
    known, slugs = chapters(), chosen(words)
    texts = {slug: known[slug].read_text(encoding="utf-8") for slug in slugs}
    points = {slug: _exercises(text, _of(before, slug)) for slug, text in texts.items()}
    settings = Settings(points, before.secret if before else new_secret())
    pages = {name: _installed.course_folder() / f"{name}.ipynb" for name in PAGES}
    texts |= {name: path.read_text(encoding="utf-8") for name, path in pages.items()}
    for name, text in texts.items():
        made = edition(text, name, {*texts}, settings.chapters.get(name))
        _files.write_whole(folder / "release" / f"{name}.ipynb", made.encode())
    return settings


def _of(before, slug):
    return before.chapters.get(slug, {}) if before else {}


def _exercises(text, before):
    return {
        name: before.get(name, {"attempt": attempt, "points": POINTS.get(name, 1)})
        for name, attempt in handins.exercises_in(text).items()
    }


def edition(text: str, slug: str, there: set[str], wanted: Mapping[str, Any] | None = None) -> str:
    """A notebook of the course as its students get it.

    Parameters
    ----------
    there : the notebooks of the edition; a link to another one is left as plain words
    wanted : the chapter's exercises with their points; None for a page of reference
    """
    notebook = json.loads(text)
    told = None
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = _linked(source, there)
            told = cell
        elif told is not None and "demo" not in cell["metadata"].get("tags", []):
            names = [n for n in wanted or () if f'check("{n}"' in source]
            if names and wanted:
                worth = sum(float(wanted[name]["points"]) for name in names)
                told["source"] += f"\n\n**{worth:g} point{'s' if worth != 1 else ''}**"
    if wanted is not None:
        first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "markdown")
        first["source"] += "\n\n" + NOTE.format(name=f"{slug}.ipynb")
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


LINK = re.compile(r"\[([^\[\]]*)\]\((?!https?:|mailto:|#)([^()\s]+)\)")
"""A link to another file: its words, and its target."""


def _linked(markdown, there):
    """Links to notebooks of the edition stay; of other links, the words."""

    def settled(match):
        target = match[2].partition("#")[0]
        return match[0] if target.removesuffix(".ipynb") in there else match[1]

    return LINK.sub(settled, markdown)
