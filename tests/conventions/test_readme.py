"""What the README promises a newcomer.

Truth: its own example is run; the picture it shows is drawn again; its table is held against the
chapters that exist.
"""

import re
from pathlib import Path

import torch

from tools import readme_figure

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


def test_the_picture_is_drawn_by_the_course_itself():
    figure = readme_figure.draw()
    assert len(figure.axes) == 2 * len(readme_figure.WANTED)
    assert (ROOT / "docs" / "walk.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "docs/walk.png" in README
