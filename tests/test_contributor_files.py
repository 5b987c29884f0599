"""The files for contributors say what the Makefile, CI and the package say."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

PROJECT = Path(__file__).parent.parent
RECORDS = sorted((PROJECT / "docs" / "decisions").glob("[0-9]*.md"))


def yaml(name: str) -> Any:
    return YAML(typ="safe").load(PROJECT / name)


def commands_of_lint() -> list[str]:
    """The commands of `make lint` in their order, as somebody would type them."""
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"^lint[a-z-]*:.*\n((?:\t.*\n)*)", makefile, re.MULTILINE)
    lines = [line.strip().removeprefix("@") for recipe in recipes for line in recipe.splitlines()]
    return [line.replace("$(RUN)", "$(VENV)/bin/python").replace("$(VENV)", ".venv") for line in lines]


def test_the_pre_commit_hooks_are_the_commands_of_make_lint() -> None:
    (local,) = yaml(".pre-commit-config.yaml")["repos"]
    assert [hook["entry"] for hook in local["hooks"]] == commands_of_lint()
    assert all(hook["language"] == "unsupported" and not hook["pass_filenames"] for hook in local["hooks"])


def test_the_workflow_runs_what_ci_runs_on_any_machine() -> None:
    (job,) = yaml(".github/workflows/ci.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_the_newest_release_of_the_changelog_is_the_version_of_the_package() -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    setup = configparser.ConfigParser()
    setup.read(PROJECT / "setup.cfg", encoding="utf-8")
    unreleased, newest, *_ = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert (unreleased, newest) == ("Unreleased", setup["metadata"]["version"])


@pytest.mark.parametrize("form", ["bug_report.yml", "feature_request.yml"])
def test_each_field_of_an_issue_form_has_a_name_and_an_id_of_its_own(form: str) -> None:
    fields = [field for field in yaml(f".github/ISSUE_TEMPLATE/{form}")["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert len({field["attributes"]["label"] for field in fields}) == len(fields)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_record_is_short_complete_and_listed(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "Alternatives"]
    assert text.startswith(f"# {record.stem[:4]}: ")
    assert len(text.splitlines()) <= 45
    assert f"({record.name})" in (record.parent / "README.md").read_text(encoding="utf-8")
