"""Lint, leaks and links on the toy course: content as it is, complaining when it is broken.

The truth is the break itself: each line of the tables below makes one known mistake.
"""

import json
from pathlib import Path

import nbformat
import pytest

from tools.notebooks import leaks, links, lint, mathematics, rules, stored

FIRST, SET_UP, FIGURE, EXERCISE, NUMBER, SLIDER = range(
    6
)  # the cells of the toy's learner's notebook


def test_the_toy_is_without_fault(built):
    assert lint.lint(built) == []
    assert leaks.leaks(built) == []
    assert links.links(built) == []


def broken(root: Path, change, name: str = "01_toy.ipynb") -> Path:
    """Change a stored notebook, as JSON, in place."""
    path = root / "chapters" / name
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def only(problems: list[str]) -> str:
    assert len(problems) == 1, problems
    return problems[0]


def source(number, text):
    return lambda notebook: notebook["cells"][number].update(source=text)


def printing(text, name="stdout"):
    new = {"output_type": "stream", "name": name, "text": text}
    return lambda notebook: notebook["cells"][NUMBER]["outputs"].append(new)


def showing(mime, data):
    new = {"output_type": "display_data", "data": {mime: data}, "metadata": {}}
    return lambda notebook: notebook["cells"][NUMBER]["outputs"].append(new)


def drop_printed(notebook):
    notebook["cells"][FIGURE]["outputs"].pop()


def say_without_number(notebook):
    picture, printed = notebook["cells"][FIGURE]["outputs"]
    picture["data"]["text/plain"] = "<Figure size 200x100 with 1 Axes>"
    picture["metadata"]["image/png"]["alt"] = "a parabola rising steeply"
    printed["text"] = "Figure: a parabola rising steeply\n"


def store_error(notebook):
    facts = {"ename": "ValueError", "evalue": "no", "traceback": []}
    notebook["cells"][NUMBER]["outputs"].append({"output_type": "error", **facts})


def tolerating(number, **tolerance):
    return lambda n: n["cells"][number]["metadata"].update(tolerance=tolerance)


LINT = {
    "too large": (lambda n: n["cells"][FIRST].update(source="# T\n" + "x" * 2_600_000), "2.6 MB"),
    "format 3": (lambda n: n.update(nbformat=3), "not in notebook format 4"),
    "no outputs key": (lambda n: n["cells"][FIGURE].pop("outputs"), "not a valid notebook"),
    "kernel": (lambda n: n["metadata"]["kernelspec"].update(name="ddpm"), "not named python3"),
    "widget state": (lambda n: n["metadata"].update(widgets={}), "state of widgets"),
    "metadata": (lambda n: n["metadata"].update(author="me"), "'author'"),
    "no title": (source(FIRST, "Toys"), "# Title"),
    "same id": (lambda n: n["cells"][SLIDER].update(id="c001"), "two cells have the id c001"),
    "unknown check": (
        source(NUMBER, 'x = check("toy.cube", my_square)'),
        "'toy.cube', which is not in 01_toy.py",
    ),
    "twice": (source(NUMBER, 'x = check("toy.square", my_square)'), "'toy.square' twice"),
    "not run": (lambda n: n["cells"][NUMBER].update(execution_count=None), "not run in order"),
    "hiding tag": (lambda n: n["cells"][NUMBER]["metadata"].update(tags=["nbval-skip"]), "hide"),
    "site's tag": (
        lambda n: n["cells"][NUMBER]["metadata"].update(tags=["remove-cell"]),
        "unknown tag",
    ),
    "odd tag": (lambda n: n["cells"][NUMBER]["metadata"].update(tags=["fun"]), "unknown tag"),
    "wide tolerance": (tolerating(NUMBER, rel=0.9), "rel must lie in 0..0.5"),
    "negative tolerance": (tolerating(NUMBER, abs=-1.0), "abs be >= 0"),
    "misspelt tolerance": (
        tolerating(NUMBER, relative=0.1),
        "must state rel, abs or units",
    ),
    "silent tolerance": (tolerating(FIRST, rel=0.1), "states a tolerance, but prints nothing"),
    "home in text": (source(NUMBER, "open('/home/me/data')"), "'/home'"),
    "Windows home": (source(NUMBER, r"open(r'C:\Users\me')"), "path of one machine"),
    "package path": (printing("lib/python3/site-packages/torch\n"), "'site-packages'"),
    "temporary path": (printing("wrote /tmp/x.png\n"), "'/tmp'"),
    "semicolon": (source(NUMBER, "square(5);"), "closing ';'"),
    "semicolon, comment": (source(NUMBER, "square(5);  # hush"), "closing ';'"),
    "magic": (source(NUMBER, "%time square(5)"), "not plain Python"),
    "hiding comment": (source(NUMBER, "# NBVAL_IGNORE_OUTPUT\nsquare(5)"), "hide it"),
    "long": (source(NUMBER, "\n".join(["x = 1"] * 16)), "16 lines of code; at most 15"),
    "long exercise": (
        source(EXERCISE, 'check("toy.square", x)\n' + "\n".join(["x = 1"] * 25)),
        "26 lines of code; at most 25",
    ),
    "wide": (source(NUMBER, "x = " + "1" * 97), "101 columns"),
    "error": (store_error, "stores an error: ValueError: no"),
    "warning": (
        printing("a\nFutureWarning: b\n", "stderr"),
        "stores a warning: 'FutureWarning: b'",
    ),
    "wide print": (printing("1 " * 45 + "\n"), "prints a line of 90 columns; at most 88"),
    "progress bar": (printing("10%\r20%\n"), "progress bar"),
    "widget view": (showing(stored.WIDGET_VIEW, {"model_id": "1"}), "widget view"),
    "JavaScript": (showing("application/javascript", "alert(1)"), "stores application/javascript"),
    "script": (showing("text/html", "<script>alert(1)</script>"), "script or a frame"),
    "HTML image": (showing("text/html", '<img src="a.png" alt="">'), "HTML image without alt"),
    "no alt text": (
        lambda n: n["cells"][FIGURE]["outputs"][0].update(metadata={}),
        "a picture has no alt text",
    ),
    "silent alt text": (drop_printed, "JupyterLab hides the alt text"),
    "no numbers": (say_without_number, "prints no number"),
    "Markdown image": (source(FIRST, "# T\n![](../README.md)"), "an image has no alt text"),
    "image tag": (source(FIRST, '# T\n<img src="a.png">'), "an image has no alt text"),
    "mathematics": (source(FIRST, "# T\nprice $x"), "a $ has no partner"),
}


@pytest.mark.parametrize("change, complaint", LINT.values(), ids=LINT)
def test_lint_complains(toy, change, complaint):
    broken(toy, change)
    problem = only(lint.lint(toy))
    assert problem.startswith("chapters/01_toy.ipynb: ") and complaint in problem


def test_a_lost_notebook_is_a_problem_of_lint_and_leaks_too(toy):
    (toy / "chapters" / "01_toy.ipynb").unlink()
    for rule in (lint.lint, leaks.leaks):
        assert only(rule(toy)) == "chapters/01_toy.ipynb: is missing: build the chapter"


def test_lint_sees_this_machine_in_outputs(toy, monkeypatch):
    monkeypatch.setattr(lint.platform, "node", lambda: "gpu-box-7")
    broken(toy, printing("trained on gpu-box-7\n"))
    assert "names the machine that ran it: 'gpu-box-7'" in only(lint.lint(toy))


def test_lint_sees_the_projects_own_folder_wherever_it_lies():
    cell = nbformat.v4.new_markdown_cell("saved in /srv/course/chapters")
    assert "'/srv/course'" in only(list(lint._lint_machine(cell, Path("/srv/course"))))


EXERCISES = {
    "no tag": ('# %% tags=["exercise"]', "# %%", "belong together"),
    "no block": ("### BEGIN SOLUTION\n", "", "no partner"),
    "no check": ('square = check("toy.square", my_square)', "square = my_square", "has no check"),
    "check in a block": (
        'square = check("toy.square", my_square)',
        'if True:\n    square = check("toy.square", my_square)',
        "left margin",
    ),
    "not a name": ('"toy.square", my_square)', '"toy.square", lambda x: 9)', "name of an attempt"),
    "two, one check": (
        '# %% tags=["exercise"]\n',
        '# %% tags=["exercise"]\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n\n'
        '# %% tags=["exercise"]\n',
        "before the next exercise",
    ),
    "code tagged solution": (
        "# %%\nprint(square(5))",
        '# %% tags=["solution"]\nprint(square(5))',
        "only Markdown may be tagged solution",
    ),
}


@pytest.mark.parametrize("old, new, complaint", EXERCISES.values(), ids=EXERCISES)
def test_lint_reads_the_exercises_of_the_text(toy, old, new, complaint):
    path = toy / "chapters" / "source" / "01_toy.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert any(complaint in problem for problem in lint.lint(toy))


@pytest.mark.parametrize(
    "text",
    [
        r"costs \$5, and $x_0$ with $\{a\}$ and $$\left(\frac{1}{2}\right)$$",
        "$$\n\\begin{aligned} a &= b \\\\[2pt] c &= d \\end{aligned}\n$$",
        "see \\[Ho20\\], `echo $HOME`\n\n```\n$ make test\n```\nand ``a ` $``",
    ],
)
def test_mathematics_that_can_be_set(text):
    assert list(mathematics.math_problems(rules.without_code(text))) == []


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("$$ x", "a $$ has no partner"),
        ("one $x\n\nand $y$", "a $ has no partner in 'one $x'"),
        ("$ x$", "no blank"),
        (r"$\frac{1}{2$", "braces"),
        (r"$$\left( x$$", "left and"),
        (r"$$\begin{aligned} x$$", "begin and"),
        (r"\(x\)", "write $...$"),
        (r"\\[x\\]", "write $...$"),
        ("$$$$", "empty"),
    ],
)
def test_mathematics_that_cannot(text, complaint):
    assert complaint in only(list(mathematics.math_problems(text)))


# ------------------------------------------------------------------------------------- leaks


LEAKS = {
    "marker": ("01_toy.ipynb", source(NUMBER, "### BEGIN SOLUTION\nx = 1"), "solution marker"),
    "line": (
        "01_toy.ipynb",
        source(NUMBER, "if True:\n        return   squared_value"),
        "line of the solution in cell c002: 'return squared_value'",
    ),
    "printed": ("01_toy.ipynb", printing("    squared_value = x * x\n"), "line of the solution"),
    "explanation": (
        "01_toy.ipynb",
        printing("Multiplying a number by itself squares it; see [the toy](../README.md).\n"),
        "line of the solution in cell c003",
    ),
    "tag": (
        "01_toy.ipynb",
        lambda n: n["cells"][NUMBER]["metadata"].update(tags=["solution"]),
        "tagged solution",
    ),
    "solved by the learner's": (
        "01_toy.ipynb",
        lambda n: n["cells"][EXERCISE]["outputs"][0].update(text="✓ toy.square\n"),
        "should store the verdict '○ toy.square: not yet'",
    ),
    "no verdict": (
        "01_toy.ipynb",
        lambda n: n["cells"][EXERCISE].update(outputs=[]),
        "it stores none",
    ),
    "two verdicts": ("01_toy.ipynb", printing("○ toy.square: not yet\n"), "should store"),
    "unsolved solution": (
        "solutions/01_toy.ipynb",
        lambda n: n["cells"][EXERCISE]["outputs"][0].update(text="✗ toy.square: square it\n"),
        "should store the verdict '✓ toy.square'",
    ),
    "no check": (
        "solutions/01_toy.ipynb",
        source(EXERCISE, "square = my_square"),
        "has no check of 'toy.square'",
    ),
}


@pytest.mark.parametrize("name, change, complaint", LEAKS.values(), ids=LEAKS)
def test_leaks_complains(toy, name, change, complaint):
    broken(toy, change, name)
    problem = only(leaks.leaks(toy))
    assert problem.startswith(f"chapters/{name}: ") and complaint in problem


def test_a_line_that_the_text_shows_anyway_is_no_leak(toy):
    path = toy / "chapters" / "source" / "01_toy.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n# %%\nsquared_value = x * x\n", encoding="utf-8")
    broken(toy, printing("squared_value = x * x\n"))
    assert leaks.leaks(toy, ["01"]) == []


# ------------------------------------------------------------------------------------- links


LINKS = {
    "no file": ("[a](03_planned.ipynb)", "leads to no file"),
    "no file one level up": ("[a](../ddpm_lab/samplers.py)", "leads to no file"),
    "image": ("![a plot](plot.png)", "leads to no file"),
    "HTML": ('<a href="nothing.md">x</a>', "leads to no file"),
    "reference": ("see [a]\n\n[a]: nothing.md", "leads to no file"),
    "anchor here": ("[a](#No-such-heading)", "no heading"),
    "anchor there": ("[a](02_more.ipynb#Less)", "no heading"),
    "anchor in Markdown": ("[a](../README.md#The-Toy)", "no heading"),
    "line": ("[a](../ddpm_lab/course/figures.py#L999)", "names line 999"),
    "outside": ("[a](../../other/README.md)", "leaves the project"),
    "absolute": ("[a](/README.md)", "neither relative"),
    "scheme": ("[a](file:///etc/hosts)", "neither relative"),
    "address": ("[a](https://arxiv)", "not an address"),
    "brackets": ("[a](https://[arxiv)", "not an address"),
    "empty": ("[a]()", "neither relative"),
}


@pytest.mark.parametrize("text, complaint", LINKS.values(), ids=LINKS)
def test_links_complains(toy, text, complaint):
    (toy.parent / "other").mkdir()
    (toy.parent / "other" / "README.md").write_text("# Other\n")
    path = toy / "chapters" / "source" / "02_more.py"
    commented = "".join(f"# {line}\n" for line in text.split("\n"))
    path.write_text(f"# %% [markdown]\n# # More\n#\n{commented}", encoding="utf-8")
    learner, solved = links.links(toy, ["02"])
    assert learner.startswith("chapters/02_more.ipynb: cell c000: link ")
    assert solved.startswith("chapters/solutions/02_more.ipynb: cell c000: link ")
    assert complaint in learner and complaint in solved


def test_links_of_the_readme_are_followed(toy):
    (toy / "README.md").write_text("# A `b`\n## A b\n[up](#a-b-1) [dead](gone.md) `[x](y)`\n")
    problems = links.links(toy)
    assert [p for p in problems if p.startswith("README.md")] == [
        "README.md: link 'gone.md' leads to no file"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[a](https://arxiv.org/abs/2006.11239) and [b](#More:-and-code)",
        "[a](../ddpm_lab/course/figures.py#L3-L5), [folder](../ddpm_lab)",
        "`[a](b)` and $f[i](t)$ and\n\n```\n[a](b)\n```",
        '[a](02_more.ipynb "title"), <a id="here"></a>[b](../README.md)',
    ],
)
def test_good_links(toy, text):
    head = "# %% [markdown]\n# # More: and `code`\n#\n"
    commented = "".join(f"# {line}\n" for line in text.split("\n"))
    (toy / "chapters" / "source" / "02_more.py").write_text(head + commented, encoding="utf-8")
    for name in ("02_more.ipynb", "solutions/02_more.ipynb"):
        broken(toy, source(0, "# More: and `code`"), name)
    assert links.links(toy, ["02"]) == []
