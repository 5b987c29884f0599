"""A run of the whole pipeline that is registered when it is complete, or that could not be."""

import json
from pathlib import Path

import duckdb
import pytest

from jobs import catalogue, pipeline
from jobs.registering import leaving
from tests.fakes.environment import CATALOGUE
from tests.fakes.glue.data_catalogue import DataCatalogue
from tests.raw_files import RawFiles

pytestmark = pytest.mark.usefixtures("spark")


@pytest.fixture
def arguments(raw: RawFiles, tmp_path: Path, aws: pytest.MonkeyPatch) -> list[str]:
    """A pipeline into a local folder that counts as one in S3, and into a warehouse."""
    aws.setattr(leaving, "is_in_s3", lambda _: True)
    return [
        *("--as-of", "2018-06-30", "--input", raw.write(), "--output", str(tmp_path / "output"), "--kmeans", "none"),
        *("--warehouse", f"duckdb:{tmp_path / 'warehouse.duckdb'}", "--catalogue", CATALOGUE),
    ]


def current_of(tmp_path: Path) -> str:
    run_id: str = json.loads((tmp_path / "output" / "current.json").read_text())["run_id"]
    return run_id


def test_the_run_is_registered_once_it_is_current_and_before_it_is_loaded(
    arguments: list[str], data_catalogue: DataCatalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    data_catalogue.before("GetTables", lambda: seen.append(current_of(tmp_path)))
    assert pipeline.main(arguments) == 0
    run_id = current_of(tmp_path)
    assert seen == [run_id]
    table = data_catalogue.moto.get_table(DatabaseName=CATALOGUE, Name="rfm_current")["Table"]
    assert table["StorageDescriptor"]["Location"] == f"{tmp_path}/output/runs/{run_id}/rfm/"
    shown = capsys.readouterr().out
    assert shown.index("Report: ") < shown.index(f"Database {CATALOGUE} of the Glue") < shown.index("In duckdb:")


@pytest.mark.long
def test_a_run_that_could_not_be_registered_is_complete_and_loaded_and_ends_with_the_command(
    arguments: list[str], data_catalogue: DataCatalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_catalogue.faults.deny("CreateTable")
    assert pipeline.main(arguments) == 4
    run_id = current_of(tmp_path)
    *_, error = lines = capsys.readouterr().err.splitlines()
    # Whatever fails after it, the log has the reason.
    assert [line for line in lines if 'event="registration failed"' in line and 'reason="could not create' in line]
    assert "access denied (CreateTable: AccessDeniedException" in error
    command = f"python -m jobs.catalogue --output {tmp_path / 'output'} --run {run_id} --catalogue {CATALOGUE}"
    assert error.endswith(f". Run {run_id} is complete; register it with: {command}")
    assert not (tmp_path / "output" / "runs" / run_id / "failure.json").exists()
    with duckdb.connect(tmp_path / "warehouse.duckdb", read_only=True) as connection:
        assert connection.execute("select run_id from pipeline_runs").fetchall() == [(run_id,)]
    assert catalogue.main(command.split()[3:]) == 0
    assert data_catalogue.moto.get_table(DatabaseName=CATALOGUE, Name="rfm_current")
