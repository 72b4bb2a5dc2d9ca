"""What the README promises a newcomer.

Truth: its own example is run; the picture it shows is drawn again; its table is held against the
chapters that exist.
"""

import re
import xml.etree.ElementTree as xml
from pathlib import Path

import torch

from ddpm_lab.course.claims import LEDGER
from tools import badges, readme_figure

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_five_lines_run_and_make_eight_blobs():
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names = {}
    exec(code, names)
    centers = names["ideal_denoisers"].circle_mixture(8).mean
    distance, blob = torch.cdist(names["x_0"].double(), centers).min(dim=1)
    assert names["x_0"].shape == (2000, 2)
    assert float((distance < 0.15).double().mean()) > 0.95
    assert len(blob.unique()) == 8


def test_every_chapter_stands_in_the_table_with_its_minutes():
    for path in sorted((ROOT / "chapters").glob("[0-9]*.ipynb")):
        row = re.search(rf"\]\(chapters/{path.name}\).*", README)
        assert row, f"{path.name} is missing in the README"
        assert re.search(r"\d+ min", row.group())


def test_what_it_counts_is_as_many():
    hours = sum(map(int, re.findall(r"\) (\d+) min", README))) / 60
    assert f"about {hours:.0f} hours in all" in README
    assert f"[ledger of {len(LEDGER)} claims]" in README
    route = sum(map(int, re.findall(r"★ \[[^\]]*\]\([^)]*\) (\d+) min", README))) / 60
    assert round(route) == 6 and "six-hour route" in README


def test_a_newcomer_reads_it_in_five_minutes():
    assert len(badges.LINE.sub(badges.line("someone/ddpm-lab"), README).split()) <= 900


def test_the_badges_are_there_without_an_address_and_say_what_is_so():
    (line,) = badges.LINE.findall(README)
    assert line == badges.line(badges.repository_of(README))
    for path in re.findall(r"\]\(((?!https:)[^)]+)\)", badges.line("someone/ddpm-lab")):
        assert (ROOT / path).is_file(), path
    for name, text in badges.drawings().items():
        assert (ROOT / "docs" / "badges" / name).read_text(encoding="utf-8") == text, name
        width, right = (int(n) for n in re.findall(r'width="(\d+)"', text)[:2])
        assert width == right > 0 and xml.fromstring(text).tag.endswith("svg")
    lowest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert f"[![Python {lowest[1]}–" in line


def test_with_an_address_the_badges_ask_it(tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    monkeypatch.setattr(badges, "README", readme)
    monkeypatch.setattr(badges, "FOLDER", tmp_path)
    assert badges.main(["someone/ddpm-lab"]) == 0
    once = readme.read_text(encoding="utf-8")
    for target in ("someone/ddpm-lab/actions/workflows/tests.yml/badge.svg",
                   "github/someone/ddpm-lab/blob/main/chapters/00_start_here.ipynb",
                   "gh/someone/ddpm-lab/main?labpath=chapters/00_start_here.ipynb"):  # fmt: skip
        assert target in once
    assert badges.main([]) == 0 and readme.read_text(encoding="utf-8") == once
    assert badges.main(["no address"]) == 1


def test_the_pictures_are_there_and_say_what_they_show():
    plain = badges.LINE.sub("", README)
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", plain)
    assert len(pictures) >= 4
    for alt, path in pictures:
        assert len(alt.split()) >= 8 and (ROOT / path).stat().st_size < 800_000


def test_the_pictures_are_drawn_by_the_course_itself():
    figure = readme_figure.draw()
    assert len(figure.axes) == 2 * len(readme_figure.WANTED)
    frames = readme_figure.designer()
    assert len({picture.size for picture in frames}) == 1
    assert len({picture.tobytes() for picture in frames}) == len(readme_figure.STOPS)
