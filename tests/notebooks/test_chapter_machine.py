"""The chapter machine on a toy course: two readings of one text, run, compared, released.

The truth is in the toy (conftest.py), whose exercise, figure and slider are known, and in the
rules that nbgrader's manual states for the cells of a source notebook.
"""

import asyncio
import base64
import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from queue import Empty

import nbformat
import pytest

import ddpm_lab
from tools import chapters
from tools.notebooks import building, colab, comparing, release, running, sources, stored

ROOT = sources.ROOT


def text_of(path: Path) -> str:
    return "\n".join(cell.source for cell in stored.load(path).cells)


def outputs(path: Path) -> str:
    cells = stored.load(path).cells
    return "".join(t for c in cells for o in c.get("outputs", []) for *_, t in stored.texts(o))


# ------------------------------------------------------------------------------- two readings


def test_the_learner_gets_a_hole_and_the_solved_reading_no_markers(built):
    learner, solved = (text_of(path) for path, _ in sources.chapters(built)[0].readings())
    assert '    """The square of `x`."""\n    ...  # your code here\n\n\nsquare = ' in learner
    assert "squared_value" not in learner and "Multiplying" not in learner
    assert "    squared_value = x * x\n    return squared_value\n\n\nsquare = " in solved
    assert "Multiplying" in solved
    assert "SOLUTION" not in learner + solved


def test_a_cell_has_the_same_id_in_both_readings(built):
    text = sources.chapters(built)[0].source.read_text(encoding="utf-8")
    ids = [[c.id for c in sources.reading(text, solved=s).cells] for s in (False, True)]
    assert ids[1] == [f"c00{i}" for i in range(6)]
    assert ids[0] == [i for i in ids[1] if i != "c003"]  # c003 is tagged solution


def test_both_readings_run_and_say_so(built):
    chapter = sources.chapters(built)[0]
    assert "○ toy.square: not yet\n25\n" in outputs(chapter.learner)
    assert "✓ toy.square\n25\n" in outputs(chapter.solved)


def test_the_solved_reading_lies_one_folder_down_and_its_links_know(built):
    solved = text_of(sources.chapters(built)[0].solved)
    assert "[readme](../../README.md#the-toy)" in solved
    assert "[next](02_more.ipynb)" in solved  # that chapter's solved reading lies there too


def test_code_and_formulas_are_not_taken_for_links():
    text = '# %% [markdown]\n# $a[i](t)$ and `f[i](t)` but [a](b.md "t") and <img src="p.png">\n'
    cell = sources.reading(text, solved=True).cells[0].source
    assert cell == '$a[i](t)$ and `f[i](t)` but [a](../b.md "t") and <img src="../p.png">'


@pytest.mark.parametrize(
    "lines",
    [
        [sources.BEGIN, "x = 1"],
        ["x = 1", sources.END],
        [sources.BEGIN, sources.BEGIN, "x = 1", sources.END],
    ],
)
def test_a_marker_without_partner_is_refused(lines):
    with pytest.raises(sources.ChapterError, match=r"c000.*no partner"):
        sources.reading("# %%\n" + "\n".join(lines), solved=False)


def test_raw_cells_are_refused():
    with pytest.raises(sources.ChapterError, match="Markdown and code"):
        sources.reading("# %% [raw]\n# text\n", solved=False)


def test_chapters_are_picked_by_number_or_name(built):
    assert [c.slug for c in sources.chapters(built, ["02"])] == ["02_more"]
    assert [c.slug for c in sources.chapters(built, ["01_toy"])] == ["01_toy"]
    with pytest.raises(sources.ChapterError, match="there are: 01_toy, 02_more"):
        sources.chapters(built, ["1"])


# -------------------------------------------------------------------------------- set-up cell


def test_notebooks_with_code_begin_with_the_set_up_cell_folded_and_idle(built):
    first, second = sources.chapters(built)
    for path, _ in first.readings():
        title, cell, *others = stored.load(path).cells
        assert title.source.startswith("# Toys") and cell.id == colab.ID
        assert cell.metadata["jupyter"]["source_hidden"] and cell.outputs == []
        assert f"ddpm-lab=={ddpm_lab.__version__}" in cell.source
        assert not any(other.id == colab.ID for other in others)
    assert [cell.id for cell in stored.load(second.learner).cells] == ["c000"]  # no code, no need


def test_the_set_up_cell_counts_no_minutes(built, monkeypatch):
    source = sources.chapters(built)[0].source
    without = sources.minutes_of(source)
    monkeypatch.setattr(colab, "SOURCE", "x = 1\n" * 1000)
    assert sources.minutes_of(source) == without


def test_the_set_up_cell_asks_pip_for_the_wheel_only_where_the_course_is_missing(monkeypatch):
    asked = []
    monkeypatch.setattr(subprocess, "run", lambda words, check: asked.append((words, check)))
    source = colab.SOURCE.format(version="1.2.3")
    exec(source, {})
    assert asked == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(source, {})
    wanted = ["ddpm-lab==1.2.3", "ipywidgets", "scipy", "sympy"]
    assert asked == [([sys.executable, "-m", "pip", "install", "-q", *wanted], True)]


def test_a_new_version_is_stamped_without_a_run(toy, monkeypatch):
    path = sources.chapters(toy)[0].learner
    before = stored.load(path)
    assert building.stamp(toy) == [] and stored.load(path) == before
    monkeypatch.setattr(ddpm_lab, "__version__", "7.7")
    assert any("cell setup differs" in problem for problem in building.sync(toy))
    monkeypatch.setattr(building, "execute", None)
    assert building.stamp(toy) == [] == building.sync(toy)
    after = stored.load(path)
    assert "ddpm-lab==7.7" in after.cells[1].source
    assert after.cells[2:] == before.cells[2:]


def test_changed_prose_is_stamped_and_changed_code_is_not(toy, monkeypatch):
    chapter = sources.chapters(toy)[0]
    before = stored.load(chapter.learner)
    text = chapter.source.read_text(encoding="utf-8")
    monkeypatch.setattr(building, "execute", None)
    chapter.source.write_text(text.replace("# # Toys", "# # Toys and tools"), encoding="utf-8")
    assert building.stamp(toy) == [] == building.sync(toy)
    after = stored.load(chapter.learner)
    assert after.cells[0].source.startswith("# Toys and tools")
    assert [c.get("outputs") for c in after.cells] == [c.get("outputs") for c in before.cells]
    chapter.source.write_text(text + "\n# %%\nnew = 1\n", encoding="utf-8")
    problems = building.stamp(toy)
    assert problems and all("build" in problem for problem in problems)
    assert stored.load(chapter.learner) == after


# ------------------------------------------------------------------------------ build and check


def test_a_rebuild_gives_the_same_bytes_whatever_the_users_settings(toy, tmp_path, monkeypatch):
    rc = tmp_path / "matplotlibrc"
    rc.write_text("lines.linewidth: 9\n")
    profile = tmp_path / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "00.py").write_text("print('hello from my profile')\n")
    monkeypatch.setenv("MATPLOTLIBRC", str(rc))
    monkeypatch.setenv("MPLBACKEND", "svg")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    before = {p.name: p.read_bytes() for p in toy.glob("chapters/**/*.ipynb")}
    said = []
    assert building.build(toy, ["01"], jobs=2, say=said.append) == []
    assert {p.name: p.read_bytes() for p in toy.glob("chapters/**/*.ipynb")} == before
    assert len(said) == 2 and all(re.search(r"\d+\.\d s +\d+ kB  chapters/", li) for li in said)
    assert not list(toy.glob("chapters/**/.*"))  # no half a file is left


def test_a_fresh_build_keeps_no_number_that_is_near_the_new_one(toy, monkeypatch):
    """As after a network of the course has changed, with no line of code."""
    path = sources.chapters(toy)[0].solved
    for printed, fresh, shown in (
        ("0.684", 0, "0.684"),
        ("0.683", 0, "0.684"),
        ("0.683", 1, "0.683"),
    ):

        async def execute(notebook, *_, printed=printed):
            output = nbformat.v4.new_output("stream", name="stdout", text=printed)
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.outputs = [output]

        monkeypatch.setattr(building, "execute", execute)
        building.build(toy, ["01"], solved_only=True, fresh=bool(fresh))
        assert set(re.findall(r"0\.68\d", path.read_text(encoding="utf-8"))) == {shown}


def test_stored_notebooks_hold_pictures_but_no_widgets(built):
    text = sources.chapters(built)[0].learner.read_text(encoding="utf-8")
    assert text.count('"image/png": "') == 2  # the figure, and the slider's still
    assert "jupyter.widget" not in text and "iopub" not in text and "model_id" not in text


def test_check_says_what_changed(toy):
    (toy / "ddpm_lab" / "course" / "figures.py").write_text(
        (toy / "ddpm_lab" / "course" / "figures.py").read_text().replace("x**power", "x**power + 1")
    )
    stub = toy / "ddpm_lab" / "course" / "exercises.py"
    stub.write_text(stub.read_text().replace("lambda x: x * x", "lambda x: x * x + 1"))
    before = (toy / "chapters" / "01_toy.ipynb").read_bytes()
    problems = "\n".join(building.check(toy, ["01"], jobs=2))
    assert "chapters/01_toy.ipynb: cell c001 differs in its picture only" in problems
    assert "cell c004 differs\n    -text: 25\n    +text: 26" in problems
    assert "python tools/chapters.py build 01" in problems
    assert (toy / "chapters" / "01_toy.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    "code, complaint",
    [
        ("1 / 0", "ZeroDivisionError"),
        ("print(object())", "memory address differs"),
        (
            "import ipywidgets\n\ndef plot(x):\n    return 1 / 0\n\n"
            "_ = ipywidgets.interact(plot, x=(1, 3))",
            "hidden inside a widget: ZeroDivisionError",
        ),
        (
            "import urllib.request\nurllib.request.urlopen('http://example.org', timeout=20)",
            "URLError",
        ),
    ],
)
def test_a_chapter_that_must_not_be_stored_leaves_the_old_notebook(toy, code, complaint):
    chapter = sources.chapters(toy)[1]
    before = chapter.learner.read_bytes()
    chapter.source.write_text(f"# %% [markdown]\n# # Bad\n\n# %%\n{code}\n", encoding="utf-8")
    problems = building.build(toy, ["02"], jobs=2)
    assert len(problems) == 2 and all(complaint in problem for problem in problems)
    assert chapter.learner.read_bytes() == before


def test_a_lost_wake_up_call_costs_seconds(monkeypatch):
    """A channel that says nothing while one waits for it, and has the message the next time."""
    asked = []

    class Channel:
        async def get_msg(self, timeout):
            asked.append(timeout)
            if len(asked) < 3:
                raise Empty
            return "the message"

    channel = Channel()
    running.look_again(channel)
    assert asyncio.run(channel.get_msg(timeout=600)) == "the message"
    assert asked == [running.SLICE] * 3
    asked.clear()
    monkeypatch.setattr(running, "SLICE", 0.01)
    with pytest.raises(Empty):
        asyncio.run(channel.get_msg(timeout=0.0))
    assert asked == [0.0]
    assert asyncio.run(channel.get_msg()) == "the message"  # however long it takes


def test_settle_keeps_only_what_is_the_same_on_every_run():
    ids = ["0123456789abcdef" * 2, "fedcba9876543210" * 2]
    v4 = nbformat.v4
    cell = v4.new_code_cell("x", id="a", metadata={"tags": ["demo"], "collapsed": True})
    cell.outputs = [
        v4.new_output("stream", name="stdout", text="one "),
        v4.new_output("stream", name="stdout", text=f"stream {ids[1]}\n"),
        v4.new_output("display_data", data={stored.WIDGET_VIEW: {}}),
        v4.new_output("execute_result", data={"text/html": f"{ids[0]} {ids[1]}"}),
    ]
    notebook = v4.new_notebook(
        cells=[cell], metadata={"language_info": {"name": "python", "version": "3.11.7"}}
    )
    running.settle(notebook)
    first, second = f"{1:032x}", f"{2:032x}"
    assert [o.output_type for o in cell.outputs] == ["stream", "execute_result"]
    assert cell.outputs[0].text == f"one stream {first}\n"
    assert cell.outputs[1].data["text/html"] == f"{second} {first}"
    assert cell.execution_count == cell.outputs[1].execution_count == 1
    assert cell.metadata == {"tags": ["demo"]}
    assert notebook.metadata == sources.METADATA


# ----------------------------------------------------------------------------------- in step


def test_sync_is_content_with_what_build_made(built):
    assert building.sync(built) == []


def test_sync_tells_a_learner_that_answers_are_their_work(toy):
    path = toy / "chapters" / "01_toy.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][3]["source"] = "def my_square(x):\n    return x**2"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    message, cell = building.sync(toy)
    assert "this is your work, and nothing is wrong with it" in message
    assert "cp chapters/01_toy.ipynb chapters/my_01_toy.ipynb" in message
    assert "git worktree add" in message and "pristine" in message
    assert "cell c002 differs" in cell and "-    return x**2" in cell


def test_sync_sees_a_changed_text_and_names_the_repair(toy):
    chapter = sources.chapters(toy)[0]
    text = chapter.source.read_text(encoding="utf-8")
    chapter.source.write_text(text.replace("x * x", "x ** 2"), encoding="utf-8")
    problems = building.sync(toy)  # only the solved reading holds that line
    assert "chapters/solutions/01_toy.ipynb is not what its text gives" in problems[0]
    assert "python tools/chapters.py build 01" in problems[0]
    assert not any("chapters/01_toy.ipynb" in problem for problem in problems)


def test_sync_misses_lost_files_and_orphans(toy):
    first, second = sources.chapters(toy)
    first.learner.unlink()
    second.source.unlink()
    first.solved.write_text("{", encoding="utf-8")
    problems = "\n".join(building.sync(toy))
    assert "chapters/01_toy.ipynb is missing: run `python tools/chapters.py build 01`" in problems
    assert "chapters/solutions/01_toy.ipynb: is not a notebook" in problems
    assert "chapters/02_more.ipynb has no text" in problems
    assert "chapters/solutions/02_more.ipynb has no text" in problems
    first.source.unlink()
    assert "no chapter" in building.sync(toy)[0]


# ---------------------------------------------------------------------------------- nbgrader


def test_released_notebooks_keep_nbgraders_rules(built, tmp_path):
    path, other = release.release(built, out=tmp_path)
    assert path == tmp_path / "source" / "01_toy" / "01_toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    grading = [c.metadata["nbgrader"] for c in notebook.cells if "nbgrader" in c.metadata]
    flags = {"grade": bool, "locked": bool, "solution": bool, "task": bool}
    for facts in grading:
        assert facts["schema_version"] == 3
        assert all(isinstance(facts[key], kind) for key, kind in flags.items())
        assert re.fullmatch(r"[A-Za-z0-9_-]+", facts["grade_id"])
        assert facts["grade"] == (facts.get("points", 0) > 0) == facts["locked"]
        assert facts["grade"] != facts["solution"]
    names = [facts["grade_id"] for facts in grading]
    assert names == ["toy-square-answer", "toy-square"]  # unique, and stable from year to year
    assert "Multiplying" not in path.read_text(encoding="utf-8")
    assert "nbgrader" not in other.read_text(encoding="utf-8")
    compile((tmp_path / "nbgrader_config.py").read_text(), "nbgrader_config.py", "exec")


def test_a_released_cell_checks_and_only_its_hidden_test_can_fail(built):
    (chapter, _) = sources.chapters(built)
    notebook = release.graded(chapter.source, "secret", ["01_toy"])
    (cell,) = [c for c in notebook.cells if "points" in c.metadata.get("nbgrader", {})]
    begin, end = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"  # as nbgrader's manual has them
    seen, _, rest = cell.source.partition(begin)
    hidden, _, after = rest.partition(end)
    assert seen.split("\n")[-2] == "square = check('toy.square', my_square)"
    assert "assert" not in seen and "secret" not in seen and not after.strip()
    assert "require('toy.square', 'my_square', In, secret='secret')" in hidden


def test_links_lead_where_nbgrader_puts_the_notebooks(built):
    words = release.linked("[on](02_more.ipynb#a) [r](../../README.md) [g](../glossary.ipynb)", ())
    assert words == "on r [g](../reference/glossary.ipynb)"
    (first, second) = sources.chapters(built)
    back = release.graded(second.source, "secret", [first.slug]).cells[0].source
    assert "[squares](../01_toy/01_toy.ipynb#Toys" in back


# ------------------------------------------------------------------------------ command line


def test_the_commands_say_what_they_found(toy, capsys):
    def command(*words):
        code, said = chapters.main([*words, "--root", str(toy)]), capsys.readouterr()
        assert said.err == ""
        return code, said.out

    line = [sys.executable, str(ROOT / "tools" / "chapters.py"), "lint", "--root", str(toy)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "lint: fine\n", "")
    assert command("sync", "02") == (0, "sync: fine\n")
    (toy / "chapters" / "02_more.ipynb").unlink()
    code, said = command("sync")
    assert code == 1 and "02_more.ipynb is missing" in said and "sync: 1 problem(s)" in said
    assert command("leaks", "7")[0] == 1


@pytest.mark.parametrize("option, collected", [((), 0), (("--nbval", "--nbval-current-env"), 10)])
def test_pytest_runs_notebooks_only_when_asked(built, option, collected):
    """And never a chapter's text, with this project's own settings."""
    words = ["--collect-only", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    line = [sys.executable, "-m", "pytest", *words, f"--rootdir={built}", *option, "chapters"]
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(line, cwd=built, env=env, capture_output=True, text=True, check=False)
    items = [text for text in done.stdout.splitlines() if "::" in text]
    assert len(items) == collected, done.stdout + done.stderr
    assert "source" not in done.stdout


def curve(scale):
    """A sine, and beside it a cosine of some height, as the course draws curves."""
    from ddpm_lab.course import figures

    x = [k / 50 for k in range(300)]
    curves = {"a": [math.sin(t) for t in x], "b": [scale * math.cos(t) for t in x]}
    picture = figures.png(figures.curves(x, curves, xlabel="x", ylabel="y"))
    return base64.b64encode(picture).decode()


def test_rounding_does_not_change_a_picture_and_a_wrong_curve_does():
    right = curve(1.0)
    assert comparing.alike(right, curve(1 + 1e-7))
    assert comparing.alike(right, curve(1 + 1e-4))
    assert not comparing.alike(right, curve(1.1))
    assert not comparing.alike(right, curve(-1.0))


def test_a_build_keeps_what_another_machine_may_print_in_another_way(tmp_path):
    def notebook(*cells):
        made = nbformat.v4.new_notebook(metadata=sources.METADATA)
        for number, (source, text) in enumerate(cells):
            output = nbformat.v4.new_output("stream", name="stdout", text=text)
            made.cells.append(nbformat.v4.new_code_cell(source, id=f"c{number}", outputs=[output]))
        return made

    path = tmp_path / "stored.ipynb"
    old = [(name, "0.684") for name in "abcd"]
    path.write_text(stored.written(notebook(*old)))
    fresh = notebook(("a", "0.683"), ("b", "0.700"), ("changed", "0.683"), ("d", "0.683"))
    comparing.keep_stored(path, fresh)
    shown = [cell.outputs[0].text for cell in fresh.cells]
    assert shown == ["0.684", "0.700", "0.683", "0.683"]  # after a change of the code all is new
    comparing.keep_stored(tmp_path / "none.ipynb", fresh)  # the first build


def test_after_a_change_of_the_code_no_old_picture_stays(tmp_path):
    """A cell with a tolerance may show another picture on another machine; not by other code."""

    def notebook(first, picture):
        made, tolerance = nbformat.v4.new_notebook(metadata=sources.METADATA), {"rel": 0.01}
        made.cells.append(nbformat.v4.new_code_cell(first, id="c0"))
        output = nbformat.v4.new_output("display_data", data={"image/png": picture})
        how = {"id": "c1", "outputs": [output], "metadata": {"tolerance": tolerance}}
        made.cells.append(nbformat.v4.new_code_cell("draw()", **how))
        return made

    path, old, new = tmp_path / "stored.ipynb", curve(1.0), curve(1.1)
    path.write_text(stored.written(notebook("train(1000)", old)))
    for first, kept in (("train(1000)", old), ("train(600)", new)):
        fresh = notebook(first, new)
        comparing.keep_stored(path, fresh)
        assert fresh.cells[1].outputs[0].data["image/png"] == kept
