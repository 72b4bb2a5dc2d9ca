"""What tests of the package's source share: a rule is one test, which names all that break it.

A test for each file and each name would be thousands, and cost more than what they look at.
"""

import ast
from functools import cache
from pathlib import Path

import ddpm_lab

PACKAGE = Path(ddpm_lab.__file__).parent
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(path):
    """A file, parsed once for all rules."""
    return ast.parse(path.read_text(encoding="utf-8"))


def every(things):
    """Make one test of a rule, a function of one thing, for `things`: name -> thing."""

    assert things, "a rule for nothing holds nothing"

    def one_test(rule):
        def test():
            broken = {}
            for name, thing in things.items():
                try:
                    rule(thing)
                except Exception as error:  # a rule that cannot be asked is broken, too
                    broken[name] = (str(error) or type(error).__name__).splitlines()[0]
            assert not broken, "\n".join(f"{name}: {why}" for name, why in broken.items())

        test.__doc__ = rule.__doc__
        return test

    return one_test
