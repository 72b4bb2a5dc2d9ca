"""Formulas in Markdown that Jupyter and GitHub can set."""

from __future__ import annotations

import re
from collections.abc import Iterator


def math_problems(markdown: str) -> Iterator[str]:
    """Why the LaTeX of a Markdown text could not be set by Jupyter or GitHub."""
    text = markdown.replace(r"\$", "")
    if text.count("$$") % 2:
        yield "a $$ has no partner"
        return
    formulas = re.findall(r"\$\$(.*?)\$\$", text, flags=re.S)
    prose = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    for paragraph in re.split(r"\n\s*\n", prose):
        if paragraph.count("$") % 2:
            yield f"a $ has no partner in {paragraph.strip()[:50]!r}"
            continue
        for formula in re.findall(r"\$([^$]*)\$", paragraph):
            formulas.append(formula)
            if formula != formula.strip():
                yield f"GitHub does not set ${formula}$: no blank just inside a dollar"
        if re.search(r"\\\\[(\[]|\\\(.*?\\\)", re.sub(r"\$[^$]*\$", "", paragraph)):
            yield r"write $...$ or $$...$$, not \( or \["
    for formula in formulas:
        where = f"in {formula.strip()[:50]!r}"
        bare = re.sub(r"\\[\\{}]", "", formula)
        if not formula.strip():
            yield "a formula is empty"
        if bare.count("{") != bare.count("}"):
            yield f"braces do not balance {where}"
        if len(re.findall(r"\\left\b", bare)) != len(re.findall(r"\\right\b", bare)):
            yield rf"\left and \right do not balance {where}"
        begins, ends = (re.findall(rf"\\{w}\s*{{([^}}]*)}}", formula) for w in ("begin", "end"))
        if sorted(begins) != sorted(ends):
            yield rf"\begin and \end do not balance {where}"
