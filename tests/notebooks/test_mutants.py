"""Each planted mistake still finds its place: a line that stands exactly once in its module."""

import pytest

from tools import mutants


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_the_line_of_a_mutant_stands_once_in_its_module(mutant):
    text = (mutants.ROOT / "ddpm_lab" / f"{mutant.module}.py").read_text(encoding="utf-8")
    assert text.count(mutant.right) == 1
