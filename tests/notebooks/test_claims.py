"""Every claim that a chapter settles has a cell that settles it.

The course keeps a ledger of claims that circulate, E01 … E121: wrong ones, loose ones, surprising
ones. A code cell that settles one says so, `# claim: E66`. Truth: the table below, made from the
ledger, entry by entry; the chapters must name these claims and no others.
"""

import re
from pathlib import Path

import pytest

from tools.notebooks.sources import cells_of

SOURCES = sorted((Path(__file__).parents[2] / "chapters" / "source").glob("[0-9]*.py"))
NAMED = re.compile(r"^# claim:(.*)$", re.MULTILINE)
LAST = 121  # of the ledger

CLAIMS = {
    "01": "E27 E28 E29 E30 E31 E32 E33 E34",
    "02": "E35 E97 E108 E109 E112",
    "03": "E36 E37 E46 E47 E51 E52 E53 E54 E86",
    "04": "E18 E38 E44 E45 E48 E49 E50 E56 E57 E58 E59",
    "05": "E06 E15 E19 E26 E60 E62 E70 E88 E106 E108 E120",
    "06": "E01 E10 E15 E42 E62 E69 E90 E91 E92 E93 E94 E95 E96 E110",
    "07": "E02 E03 E05 E07 E08 E19 E41 E71 E97 E98 E99 E100 E101 E104 E111 E113 E114 E115 E116",
    "08": "E04 E11 E12 E17 E20 E25 E26 E61 E63 E64 E65 E66 E72 E77 E86 E89 E100 E102 E119",
    "09": "E16 E40 E79 E80 E81 E83 E84",
    "10": "E16 E21 E22 E39 E40 E41 E67 E68 E73 E74 E75 E76 E103 E105 E107 E117 E118 E121",
    "11": "E14 E55 E82 E87",
    "12": "E09 E24 E87",
    "13": "E23",
    "14": "E20 E43",
    "15": "E21 E75 E101",
    "17": "E08 E13 E25 E85 E99 E100 E101 E121",
    "18": "E78",
}
"""Chapter -> the entries of the ledger that it settles."""


def named(path):
    """The claims that the code cells of a chapter name, in order; an id may come twice."""
    code = [cell.source for cell in cells_of(path) if cell.cell_type == "code"]
    found = [ids for source in code for ids in NAMED.findall(source)]
    return [name.strip() for ids in found for name in ids.split(",")]


def by_number():
    """Chapter -> the claims that it names; two parts such as 07 and 07b are one chapter."""
    found = {}
    for path in SOURCES:
        found.setdefault(path.stem[:2], set()).update(named(path))
    return found


def well_formed(name):
    number = re.fullmatch(r"E(\d{2}|1\d{2})", name)
    return bool(number) and 1 <= int(number[1]) <= LAST


@pytest.mark.parametrize("number, got", by_number().items())
def test_the_claims_of_a_chapter_are_those_of_the_table(number, got):
    want = set(CLAIMS.get(number, "").split())
    assert want - got == set(), "no code cell of the chapter names these claims"
    assert got - want == set(), "named by a cell, and missing in CLAIMS above"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_claim_is_named_in_one_way(path):
    """`# claim: E66` or `# claim: E66, E12`, at the left margin of a code cell, nowhere else."""
    assert [name for name in named(path) if not well_formed(name)] == []
    text = path.read_text(encoding="utf-8")
    mentions = re.findall(r"#\s*claims?\s*:.*", text, flags=re.IGNORECASE)
    assert len(mentions) == len(NAMED.findall(text)), "a mention that this test does not read"
    counted = sum(line.count(",") + 1 for line in NAMED.findall(text))
    assert counted == len(named(path)), "a claim is named outside a code cell"


def test_every_claim_of_the_ledger_is_settled_by_a_cell():
    settled = {name for ids in by_number().values() for name in ids}
    assert settled == {f"E{number:02}" for number in range(1, LAST + 1)}


def test_the_table_is_in_order_and_knows_its_chapters():
    for number, ids in CLAIMS.items():
        ids = ids.split()
        assert all(map(well_formed, ids)), number
        assert ids == sorted(set(ids), key=lambda name: int(name[1:])), number
    assert set(CLAIMS) <= {path.stem[:2] for path in SOURCES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_chapter_corrects_at_most_three_popular_claims(path):
    """Under one heading; chapter 18 has all the others."""
    _, *sections = path.read_text(encoding="utf-8").split("Popular claims, checked")
    assert len(sections) == 1
    section = re.split(r"^# (?:##|\*\*Exercises)", sections[0], maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^# (?:- \*\*|\| (?!what holds))", section, flags=re.MULTILINE)
    assert 1 <= len(rows) <= 3
