"""The workflows, forms and policies for GitHub, and the checks in `.ci` that they call.

Truth: what a workflow runs is looked up where it is defined (`.ci/run`, lab.py), the versions of
Python are those of pyproject.toml, and `.ci/run` itself is run with commands that only note how
they were called, or fail when told to.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import ddpm_lab

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
import lab  # noqa: E402  (it lies beside the package, not in it)
from tools import __main__ as authors  # noqa: E402
from tools.setup import obstacles, place  # noqa: E402
from tools.site.__main__ import BUILD  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
PARTS = re.search(r"^parts=\((.*)\)$", CI, re.M)[1].split()
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
needs_bash = pytest.mark.skipif(os.name == "nt", reason=".ci is for Linux and macOS")


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs():
    """(file, job's name, job) of every job."""
    return [(path.name, *job) for path in WORKFLOWS for job in read(path)["jobs"].items()]


def variants(job):
    """The values of a job's matrix, one dictionary for each job that GitHub starts."""
    matrix = job.get("strategy", {}).get("matrix", {})
    return [dict(zip(matrix, values)) for values in product(*matrix.values())]


def commands(job):
    """The words of every command that a job runs, its matrix filled in."""
    for values in variants(job):
        for step in job["steps"]:
            text = step.get("run", "")
            for name, value in values.items():
                text = text.replace(f"${{{{ matrix.{name} }}}}", value)
            yield from map(shlex.split, text.splitlines())


def words_of(part):
    """The commands of one part of `.ci/run`, as lists of words."""
    body = re.search(rf"^part_{part}\(\) \{{\n(.*?)^\}}$", CI, re.M | re.S)[1]
    lines = re.findall(r"^    section \d+ (.+)$", body.replace("\\\n", ""), re.M)
    return [shlex.split(line) for line in lines]


# --- What workflows run ---------------------------------------------------------------------------


def called_by(words):
    """What one command of a workflow calls: parts of `.ci/run`, or a command of lab.py."""
    match words:
        case [".ci/run", first, *more]:
            return [first, *more]
        case ["python", "lab.py", command, *_]:
            assert command in lab.COMMANDS, f"lab.py has no command {command}"
            return [part for part in PARTS if words_of(part) == [["make", command]]]
        case [".ci/tag", tag]:
            assert tag == "$GITHUB_REF_NAME"
            return []
    raise AssertionError(f"a workflow runs `{shlex.join(words)}`, which is not checked elsewhere")


def test_workflows_run_what_exists_and_every_part_of_ci():
    called = {path.name: set() for path in WORKFLOWS}
    for file, _, job in jobs():
        for words in commands(job):
            called[file].update(called_by(words))
    assert called.pop("release.yml") == {"test", "lint", "package"}
    assert set.union(*called.values()) == set(PARTS)  # on every pull request
    assert (ROOT / ".ci" / "tag").exists()


def test_a_command_that_exists_nowhere_is_noticed():
    assert called_by(["python", "lab.py", "test"]) == ["test"]
    for words in ([".ci/nowhere"], ["python", "lab.py", "tset"], ["curl", "x"]):
        with pytest.raises(AssertionError):
            called_by(words)


def test_the_parts_of_ci_call_what_exists():
    assert re.findall(r"^part_(\w+)\(\)", CI, re.M) == PARTS
    assert words_of("test") == [["make", "test"]] and PARTS[0] == "test"  # the README's, first
    for words in (words for part in PARTS for words in words_of(part)):
        if words[0] == "make":
            assert words[1] in {*lab.COMMANDS, *authors.COMMANDS}
        for path in (word.removeprefix("ARGS=") for word in words):
            if re.search(r"\.(py|txt|json)$", path):
                assert (ROOT / path).exists(), path


@pytest.mark.skipif(os.name == "nt", reason="Windows does not tell which file is a program")
@pytest.mark.parametrize("name", ["run", "tag"])
def test_the_checks_can_be_started(name):
    assert os.access(ROOT / ".ci" / name, os.X_OK)


# --- Which machines -------------------------------------------------------------------------------


def test_every_python_of_the_project_is_tested_on_every_system():
    (matrix,) = [job["strategy"]["matrix"] for name, _, job in jobs() if name == "tests.yml"]
    newest = re.search(r"python3\.(\d+)", obstacles.old_python((3, 6, 0), which=lambda name: name))[
        1
    ]
    minors = range(place.OLDEST[1], int(newest) + 1)
    assert matrix["python"] == [f"{place.OLDEST[0]}.{minor}" for minor in minors]
    assert PROJECT["requires-python"] == f">={matrix['python'][0]}"
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]


def test_each_python_that_a_workflow_sets_up_can_run_the_project():
    asked = [
        step["with"]["python-version"]
        for _, _, job in jobs()
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/setup-python@")
    ]
    assert len(asked) == len(WORKFLOWS)
    supported = SpecifierSet(PROJECT["requires-python"])
    for version in {*asked} - {"${{ matrix.python }}"}:
        assert isinstance(version, str)  # a bare 3.10 in YAML is the number 3.1
        assert Version(version) in supported


def test_the_cache_of_downloads_follows_the_lists_of_packages():
    for _, _, job in jobs():
        for step in job["steps"]:
            lists = step.get("with", {}).get("cache-dependency-path", "").split()
            if lists:
                assert step["with"]["cache"] == "pip"
                assert {"constraints.txt", "lock.txt"} <= set(lists)
                assert set(lists) <= set(place.LISTS)


# --- What workflows may do ------------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_few_rights_and_an_end(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    group = workflow["concurrency"]
    assert "${{ github.workflow }}" in group["group"] and "${{ github.ref }}" in group["group"]
    assert group["cancel-in-progress"] == (path.name != "release.yml")
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 90
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@((release/)?v\d+|[0-9a-f]{40})", step["uses"])
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"] == {"persist-credentials": False}


def test_text_from_outside_never_becomes_a_command():
    """A branch may be called `$(rm -rf ~)`: only a matrix is filled into a command by GitHub."""
    for _, _, job in jobs():
        for step in job["steps"]:
            for name in re.findall(r"\$\{\{(.*?)\}\}", step.get("run", "")):
                assert name.strip().startswith("matrix.")


def test_only_a_release_can_publish():
    workflow = read(ROOT / ".github" / "workflows" / "release.yml")
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads the key `on` as true
    with_rights = [(file, name) for file, name, job in jobs() if "permissions" in job]
    assert with_rights == [("release.yml", "publish"), ("site.yml", "deploy")]
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert [".ci/tag", "$GITHUB_REF_NAME"] in list(commands(build))
    assert publish["needs"] == "build" and publish["environment"]["name"] == "pypi"
    assert publish["permissions"] == {"id-token": "write"}
    names = [step["uses"].partition("@")[0] for step in publish["steps"]]
    assert names == ["actions/download-artifact", "pypa/gh-action-pypi-publish"]


def test_only_main_can_change_the_web_pages():
    workflow = read(ROOT / ".github" / "workflows" / "site.yml")
    build, deploy = workflow["jobs"]["build"], workflow["jobs"]["deploy"]
    assert list(commands(build)) == [[".ci/run", "site"]]
    assert build["steps"][-1]["with"]["path"] == BUILD.relative_to(ROOT).as_posix() + "/html"
    assert deploy["needs"] == "build" and deploy["environment"]["name"] == "github-pages"
    assert "github.ref == 'refs/heads/main'" in deploy["if"]
    assert "github.event_name != 'pull_request'" in deploy["if"]
    assert deploy["permissions"] == {"pages": "write", "id-token": "write"}
    assert [step["uses"].partition("@")[0] for step in deploy["steps"]] == ["actions/deploy-pages"]


@needs_bash
def test_a_release_is_tagged_with_its_version():
    def tag(*words):
        return subprocess.run([ROOT / ".ci" / "tag", *words], capture_output=True, text=True)

    version = ddpm_lab.__version__
    assert tag(f"v{version}").returncode == 0
    for other in [[version], [f"v{version}.1"], [f"v{version}rc1"], ["v9.9.9"], ["v"], [""], []]:
        ran = tag(*other)
        assert ran.returncode == 1 and f"must be v{version}" in ran.stderr, other


# --- .ci/run itself -------------------------------------------------------------------------------

NOTE = """#!/bin/sh
name=$(basename "$0")
echo "$name $*" >> "$NOTES"
case "$name $*" in
    "python -m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
esac
case " $FAIL " in
    *" $name $1 "*) exit 3 ;;
esac
"""


@pytest.fixture
def ci(tmp_path):
    """`.ci/run` in a folder where every command only notes its words; the names in `fail` fail."""
    for folder in (".ci", ".venv/bin", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "bin/timeout").write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    for name in ("bin/make", ".venv/bin/python"):
        (tmp_path / name).write_text(NOTE)
    for name in ("bin/timeout", "bin/make", ".venv/bin/python"):
        (tmp_path / name).chmod(0o755)

    def run(*parts, fail=""):
        notes = tmp_path / "notes"
        notes.write_text("")
        env = os.environ | {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "TMPDIR": str(tmp_path),
            "CHROMIUM": "there",
            "NOTES": str(notes),
            "FAIL": fail,
        }
        command = ["bash", str(tmp_path / ".ci" / "run"), *parts]
        ran = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True)
        return ran, re.sub(r"/tmp\.\w+", "/tmp.X", notes.read_text()).splitlines()

    return run


@needs_bash
def test_ci_runs_every_part_in_order_or_all_but_the_long_ones(ci):
    ran, notes = ci("all")
    assert ran.returncode == 0 and ran.stdout.endswith("All checks passed.\n"), ran.stderr
    of_each = {part: [n for n in ci(part)[1] if n != "make setup"] for part in PARTS}
    assert notes == [note for part in PARTS for note in of_each[part]]
    assert notes[:2] == ["make test", "make lint"]
    long = re.search(r'^long="(.+)"$', CI, re.M)[1].split()
    some = re.search(r'from_the_wheel="(--only .+)"$', CI, re.M)[1]
    usual = [note for part in PARTS if part not in long for note in of_each[part]]
    assert [note.removesuffix(f" {some}") for note in ci()[1]] == usual
    assert [note for note in ci()[1] if note.endswith(some)] == [
        f"{note} {some}" for note in usual if "-m ddpm_lab test" in note
    ]


@needs_bash
@pytest.mark.parametrize("part", PARTS)
def test_one_part_sets_up_what_it_needs_and_runs_alone(ci, part):
    ran, notes = ci(part)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    own = [Path(words[0]).name for words in words_of(part)]  # make or python
    before = [] if part == "test" else ["make"]
    assert [note.split()[0] for note in notes] == before + own
    assert notes[0] == ("make test" if part == "test" else "make setup")


@needs_bash
def test_ci_goes_on_to_the_end_and_lists_what_failed(ci):
    ran, notes = ci("all", fail="make lint python tools/mutants.py")
    assert ran.returncode == 1
    assert notes == ci("all")[1]  # nothing was left out
    failed = re.findall(r"^FAILED: (.+)$", ran.stdout, re.M)
    assert failed == ["make lint", ".venv/bin/python tools/mutants.py --sample 2"]
    assert "All checks passed" not in ran.stdout


@needs_bash
def test_a_part_that_does_not_exist_is_named_before_anything_runs(ci):
    for parts in (["lnit"], ["lint", "lnit"], ["test lint"], [""]):
        ran, notes = ci(*parts)
        assert ran.returncode == 2 and notes == []
        assert f"no part '{parts[-1]}'" in ran.stderr and " ".join(PARTS) in ran.stderr


# --- Forms and policies ---------------------------------------------------------------------------


def test_dependabot_looks_monthly_at_actions_and_leaves_generated_lists_alone():
    updates = read(ROOT / ".github" / "dependabot.yml")["updates"]
    assert [update["package-ecosystem"] for update in updates] == ["github-actions"]
    for name in ("constraints.txt", "lock.txt"):
        assert (ROOT / name).read_text(encoding="utf-8").startswith("# Made from pyproject.toml by")
    for update in updates:
        assert update["schedule"]["interval"] == "monthly" and len(update["groups"]) == 1


def test_forms_ask_for_what_is_needed():
    assert [path.stem for path in FORMS] == ["config", "defect", "idea", "sentence"]
    for path in FORMS[1:]:
        form = read(path)
        assert form["name"] and form["description"]
        assert set(form["labels"]) <= {"bug", "documentation", "enhancement"}  # every project's
        fields = [field for field in form["body"] if field["type"] != "markdown"]
        assert len({field["id"] for field in fields}) == len(fields)
        assert all(field["attributes"]["label"] for field in fields)
        assert any(field.get("validations", {}).get("required") for field in fields)


def test_no_address_is_made_up():
    """No place of the repository on the web and no e-mail address is known, so none is named."""
    files = [ROOT / name for name in ("SECURITY.md", "CODE_OF_CONDUCT.md")]
    files += [path for path in (ROOT / ".github").rglob("*") if path.is_file()]
    for path in files:
        text = path.read_text(encoding="utf-8")
        hosts = set(re.findall(r"https?://([\w.-]+)", text))
        assert hosts <= {"pypi.org", "www.contributor-covenant.org"}, path.name
        assert not re.search(r"[\w.]+@[\w-]+\.[a-z]{2,}", text), path.name


def test_private_reports_have_a_way():
    for name in ("SECURITY.md", "CODE_OF_CONDUCT.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "**Security** tab" in text and "**Report a vulnerability**" in text
