"""Glossary, page of formulas and cheat sheet say what the chapters and the package say.

Truth: the chapters' texts, in which a term is introduced in **bold** and a formula carries a \\tag;
the package, where every name must exist; diffusers itself, where it is installed; references.bib.
"""

import importlib
import inspect
import re

import pytest

from ddpm_lab.course import formulas, glossary
from tools.notebooks import reference
from tools.notebooks.sources import ROOT

BOLD = reference.introductions()
TERMS = list(glossary.TERMS.values())
TAGGED = reference.tagged()


def found(dotted, package="ddpm_lab"):
    """What a dotted name stands for; fields of dataclasses and named tuples count as names."""
    words = dotted.split(".")
    for n in range(len(words), -1, -1):
        try:
            thing = importlib.import_module(".".join([package, *words[:n]]))
            break
        except ModuleNotFoundError:
            continue
    for word in words[n:]:
        if word in getattr(thing, "__annotations__", {}):
            return thing.__annotations__[word]
        thing = getattr(thing, word)
    return thing


# Glossary -----------------------------------------------------------------------------------------


def test_every_term_is_introduced_in_bold_by_some_chapter():
    missing = {term.name for term in TERMS if not reference.introduced(term, BOLD)}
    assert missing == set(), "write it in **bold** where a chapter introduces it"


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_an_entry_is_whole(term):
    assert re.search(r"[\u4e00-\u9fff]|^(U-Net|β-VAE)$", term.chinese)
    assert re.fullmatch(r"[A-Z].*[.]", term.meaning) and len(term.meaning) <= 160
    for name in term.code:
        found(name)


def test_a_name_belongs_to_one_term():
    names = [reference.plain(name) for term in TERMS for name in (term.name, *term.also)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("term", [t for t in TERMS if t.diffusers], ids=lambda term: term.name)
def test_names_in_diffusers_exist(term):
    """`DDIMScheduler.step(eta=)` has that argument; with a value, the call works."""
    diffusers = pytest.importorskip("diffusers")
    name, _, arguments = term.diffusers.partition("(")
    thing = found(name, "diffusers")
    if arguments and not arguments.endswith("=)"):
        assert eval(term.diffusers, vars(diffusers) | {name: thing})
    elif arguments:
        assert arguments.removesuffix("=)") in inspect.signature(thing).parameters


def test_a_bold_phrase_is_found_with_its_plural_and_its_brackets():
    part = reference.Part("01_x", "X", "One section", "")
    term = glossary.TERMS["evidence lower bound"]
    for phrase in ("evidence lower bound (ELBO)", "Evidence lower bounds", "ELBO."):
        assert reference.introduced(term, {reference.plain(phrase): part}) is part
    assert reference.introduced(term, {reference.plain("lower bound"): part}) is None
    assert part.link() == "[01 · One section](01_x.ipynb#One-section)"


# Formulas -----------------------------------------------------------------------------------------


def test_every_numbered_formula_has_its_names_and_every_name_a_formula():
    there, known = {formula.key for formula in TAGGED}, set(formulas.FORMULAS)
    assert there - known == set(), "add these to ddpm_lab/course/formulas.py"
    assert known - there == set(), "no chapter holds these: ddpm_lab/course/formulas.py"


def test_a_formula_carries_the_number_of_its_chapter():
    for formula in TAGGED:
        assert re.search(rf"\\tag\{{{int(formula.part.slug[:2])}b?\.\d+\}}", formula.latex)


def test_a_chapter_that_is_cut_in_two_keeps_its_formulas(tmp_path):
    text = "# %% [markdown]\n# # T\n#\n# $$a \\tag{7.1}$$\n"
    for name, tags in {"07_first": "7.1", "07b_second": "7.2", "08_third": "8.1"}.items():
        path = tmp_path / f"chapters/source/{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("7.1", tags), "utf-8")
    keys = [formula.key for formula in reference.tagged(tmp_path)]
    assert keys == [("first", "1"), ("first", "2"), ("third", "1")]


@pytest.mark.parametrize("names", sorted({n for f in formulas.FORMULAS.values() for n in f.code}))
def test_the_functions_of_formulas_exist(names):
    found(names)


def test_the_papers_of_formulas_are_in_the_bibliography():
    keys = re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text("utf-8"), flags=re.M)
    papers = {formula.paper for formula in formulas.FORMULAS.values() if formula.paper}
    for paper in papers:
        assert re.fullmatch(r"\w+(, (Eq\. \d+(-\d+)?|Algorithm \d|Sec\. \d))?", paper)
        assert paper.partition(",")[0] in keys


def equations(text):
    """The numbered equations of papers in a text such as [Ho20, Eq. 6-7]: ("Ho20", 6) and 7."""
    for key, first, last in re.findall(r"\b([A-Z]\w+\d\d\w?), Eq\. (\d+)(?:-(\d+))?", text):
        yield from ((key, number) for number in range(int(first), int(last or first) + 1))


def test_every_equation_that_a_docstring_of_the_library_cites_is_on_the_page():
    library = ROOT / "ddpm_lab"
    files = [p for p in library.rglob("*.py") if library / "course" not in p.parents]
    cited = {found for path in files for found in equations(path.read_text("utf-8"))}
    papers = " ".join(formula.paper for formula in formulas.FORMULAS.values())
    assert len(cited) >= 10
    assert cited - set(equations(papers)) == {("Gre12", 3)}  # the MMD, which no chapter writes out


# The pages ----------------------------------------------------------------------------------------


def test_the_pages_are_what_the_sources_give():
    assert reference.page_problems() == []


def test_every_name_on_the_cheat_sheet_exists():
    (path,) = (path for path in reference.stored_pages() if path.stem == "cheat_sheet")
    markdown = [
        c.source for c in reference.page(ROOT, path.stem).cells if c.cell_type == "markdown"
    ]
    names = re.findall(r"`((?:\w+\.)+\w+)(?:\(.*?\))?`", "\n".join(markdown))
    assert len(names) > 20
    for name in names:
        found(name.replace("schedule.", "schedules.Schedule."))
    for name in ("transition", "marginal", "posterior", "convert", "simple", "bound", "guided"):
        assert any(each.endswith(name) for each in names)


def test_tables_on_the_pages_have_as_many_cells_in_every_row():
    for path in reference.stored_pages():
        for cell in reference.page(ROOT, path.stem).cells:
            for table in re.findall(r"(?:^\|.*\n?)+", cell.source, flags=re.M):
                bars = {len(re.findall(r"(?<!\\)\|", row)) for row in table.strip().split("\n")}
                assert len(bars) == 1, table.split("\n")[0]


def test_pages_that_are_behind_are_reported_and_built(tmp_path):
    """In a project of its own: one chapter, the pages, then a new section title."""
    for name in ("references.bib", "chapters/source/cheat_sheet.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    text = "# %% [markdown]\n# # T\n#\n# ## Old\n#\n# A **prior**.\n"
    chapter = tmp_path / "chapters/source/01_t.py"
    chapter.write_text(text, "utf-8")
    for path in reference.stored_pages():
        (tmp_path / "chapters" / path.name).write_text(path.read_text("utf-8"), "utf-8")
    assert len(reference.page_problems(tmp_path)) == 2
    assert reference.pages(tmp_path) == []
    assert reference.page_problems(tmp_path) == []
    assert "01_t.ipynb#Old" in (tmp_path / "chapters/glossary.ipynb").read_text("utf-8")
    chapter.write_text(text.replace("Old", "New"), "utf-8")
    (problem,) = reference.page_problems(tmp_path)
    assert problem.startswith("chapters/glossary.ipynb is not what the sources give")
