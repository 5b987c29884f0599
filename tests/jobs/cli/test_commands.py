"""``olist-rfm``: one name for every step."""

import configparser
from importlib import import_module
from pathlib import Path

import pytest

from jobs.__main__ import STEPS, main
from jobs.cli.version import version

PROJECT = Path(__file__).parents[3]


def test_the_console_scripts_are_functions_that_exist() -> None:
    setup = configparser.ConfigParser()
    setup.read(PROJECT / "setup.cfg")
    scripts = dict(line.split(" = ") for line in setup["options.entry_points"]["console_scripts"].split("\n") if line)
    assert set(scripts) == {"olist-rfm", "olist-rfm-deploy"}
    for target in scripts.values():
        module, _, function = target.partition(":")
        assert callable(getattr(import_module(module), function))


def test_every_entry_point_of_the_jobs_has_a_word() -> None:
    entry_points = {path.stem for path in (PROJECT / "jobs").glob("*.py")} - {"__init__", "__main__", "errors"}
    assert {module for module, _ in STEPS.values()} == entry_points


def test_help_and_version_need_no_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert main(["--version"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {word} " in shown for word in STEPS)
    assert shown.endswith(f"olist-rfm {version()}\n")


def test_a_step_gets_the_arguments_after_its_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "--as-of", "2018-02-30", "--output", "out"]) == 2
    assert capsys.readouterr().err.startswith("features: invalid --as-of '2018-02-30'")


def test_each_step_prints_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    for word in STEPS:
        with pytest.raises(SystemExit) as ended:
            main([word, "--version"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.endswith(f" {version()}\n")


def test_an_unknown_step_is_named_with_what_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment"]) == 2
    assert capsys.readouterr().err.startswith("olist-rfm: invalid step 'segment': expected one of run, ingest")
