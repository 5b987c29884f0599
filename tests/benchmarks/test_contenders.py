"""How contenders are started, and which of them run."""

import sys
from pathlib import Path

import pytest

from benchmarks import contenders as of_the_feature_step
from benchmarks import pipelines
from benchmarks.feature_step import with_sail_of
from benchmarks.pipelines import other_checkout, pipeline
from jobs.errors import ConfigurationError


def test_a_run_is_started_as_a_user_starts_it_and_logs_in_json(tmp_path: Path) -> None:
    command = pipeline("comet", "", engine="comet").command(Path("in"), tmp_path)
    assert command[:3] == [sys.executable, "-m", "jobs.pipeline"]
    assert command[3:] == [
        *("--as-of", "2018-10-17", "--input", "in", "--output", str(tmp_path / "output")),
        *("--log-format", "json", "--engine", "comet"),
    ]
    assert "--engine" not in pipeline("spark", "").command(Path("in"), tmp_path)


@pytest.mark.parametrize("contenders", [of_the_feature_step.CONTENDERS, pipelines.CONTENDERS])
def test_comet_runs_only_if_it_is_named(contenders: tuple[of_the_feature_step.Contender, ...]) -> None:
    assert [each.name for each in contenders if not each.is_default] == ["comet"]


def test_another_checkout_runs_in_its_folder_with_its_own_environment_if_it_has_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"found no jobs/pipeline\.py"):
        other_checkout(tmp_path, None)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "pipeline.py").touch()

    def python_of(chosen: str | None) -> str:
        other = other_checkout(tmp_path, chosen)
        assert other.folder == tmp_path
        return other.command(Path("in"), Path("out"))[0]

    assert python_of(None) == sys.executable
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.touch()
    assert python_of(None) == str(own)
    assert python_of("python3.12") == "python3.12"


def test_sail_runs_in_the_python_that_has_it_and_is_said_to_be_missing_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, code in (("with", 0), ("without", 1)):
        python = tmp_path / name
        python.write_text(f"#!/bin/sh\nexit {code}\n")
        python.chmod(0o755)
    contenders = of_the_feature_step.CONTENDERS
    sail = with_sail_of(str(tmp_path / "with"), contenders)[-1]
    assert sail.command(Path("out"), Path("results"))[0] == str(tmp_path / "with")
    assert capsys.readouterr().out == ""
    assert "sail" not in [each.name for each in with_sail_of(str(tmp_path / "without"), contenders)]
    with pytest.raises(ConfigurationError, match="sail does not run"):
        with_sail_of(str(tmp_path / "without"), contenders[-1:])
    assert capsys.readouterr().out.startswith(f"sail does not run: {tmp_path / 'without'} lacks one of pysail, pyspark")
