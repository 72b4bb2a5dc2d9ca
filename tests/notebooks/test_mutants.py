"""Each planted mistake still finds its place: a line that stands exactly once in its module."""

import re

import pytest

from tools import mutants


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_the_line_of_a_mutant_stands_once_in_its_module(mutant):
    text = (mutants.ROOT / "ddpm_lab" / f"{mutant.module}.py").read_text(encoding="utf-8")
    assert text.count(mutant.right) == 1


def test_the_copy_holds_every_folder_that_a_test_reads():
    for folder in mutants.TESTS:
        for path in (mutants.ROOT / folder).glob("test_*.py"):
            text = path.read_text(encoding="utf-8")
            read = set(re.findall(r'(?:ROOT|parents\[2\]) / "([a-z_]+)"', text))
            assert path.name in mutants.SKIPPED or read <= {*mutants.COPIED}, path.name
