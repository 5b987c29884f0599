"""From CSV files to a warehouse: both engines load what Spark writes."""

import json
import shlex
from pathlib import Path

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs import features, ingest, pipeline, publish
from jobs.cli.config import PipelineConfig
from jobs.cli.main import run_main
from jobs.errors import DataError
from jobs.storage.uris import escape_glob
from tests.fakes.environment import COPY_ROLE
from tests.fakes.redshift.data_api import DataApi
from tests.frames import at, frame
from tests.jobs.complete_runs import AS_OF, WORKED_BY_HAND
from tests.raw_files import RawFiles
from transforms import schemas
from transforms.schemas import TABLES

pytestmark = pytest.mark.usefixtures("spark")

PHYSICAL = {
    "int": "INT32",
    "bigint": "INT64",
    "double": "DOUBLE",
    "timestamp": "INT96",
    "date": "INT32",
    "string": "BYTE_ARRAY",
    "decimal(18,4)": "FIXED_LEN_BYTE_ARRAY",
}
"""The Parquet types that COPY loads into our columns. `jobs.spark.session` says why two are not Spark's default."""


@pytest.fixture
def output(raw: RawFiles) -> Path:
    raw.payments.append('"o9",1,boleto,1,100.00')
    raw.write()
    return raw.folder.parent / "output"


def run(output: Path, *arguments: str) -> int:
    folders = ["--input", str(output.parent / "input"), "--output", str(output), "--max-quarantined", "1"]
    return pipeline.main(["--as-of", AS_OF, *folders, *arguments])


def test_the_pipeline_loads_its_run_into_the_warehouse(
    spark: SparkSession, output: Path, data_api: DataApi, bucket: str, database: str
) -> None:
    file = output.parent / "warehouse.duckdb"
    assert run(output, "--warehouse", f"duckdb:{file}") == 0
    pointer = json.loads((output / "current.json").read_text())
    with duckdb.connect(file, read_only=True) as connection:
        assert sorted(connection.execute("from rfm").fetchall()) == sorted(WORKED_BY_HAND)
        assert connection.execute("select run_id from pipeline_runs").fetchall() == [(pointer["run_id"],)]
    # A first run has no changes.
    for table, schema in ((table, TABLES[table]) for table in TABLES.keys() - {"segment_changes"}):
        for path in (output / pointer["tables"][table]).glob("*.parquet"):
            types = [column.physical_type for column in pq.ParquetFile(path).schema]
            assert types == [PHYSICAL[field.dataType.simpleString()] for field in schema]
    # The same files load into the fake Redshift, which accepts only these physical types.
    target = ["--warehouse", "redshift://segments/dev/rfm", "--staging", f"s3://{bucket}", "--iam-role", COPY_ROLE]
    assert publish.main(["--output", str(output), *target]) == 0
    assert not [execution.error for execution in data_api.executions if execution.error]
    with psycopg.connect(database) as connection:
        assert sorted(connection.execute("select * from rfm.rfm").fetchall()) == sorted(WORKED_BY_HAND)
    # An array of structs has the legacy layout too. Both engines still read it.
    quarantine = output / pointer["tables"]["quarantine/payments"]
    reasons = [row["reasons"][0]["rule"] for row in spark.read.parquet(escape_glob(str(quarantine))).collect()]
    assert reasons == ["refers_to"]
    assert duckdb.sql(f"select reasons[1].rule from '{quarantine}/*.parquet'").fetchall() == [(reasons[0],)]


def test_times_are_wall_clock_in_every_time_zone(spark: SparkSession, tmp_path: Path) -> None:
    # Before the Gregorian calendar; before 1900; in the hour that São Paulo skipped for summer time; the latest time.
    texts = ("1500-02-28 12:00:00", "1899-12-31 23:59:59", "2017-10-15 00:30:00", "9999-12-31 23:59:59")
    times = [at(text) for text in texts]
    purchases = [("a", time, None) for time in times]
    frame(spark, schemas.PURCHASES, *purchases).coalesce(1).write.parquet(str(tmp_path / "purchases"))
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'America/Sao_Paulo'")
        rows = connection.execute(f"select order_purchase_time from '{tmp_path}/purchases/*.parquet'").fetchall()
    assert sorted(rows) == [(time,) for time in times]
    assert sorted(row[1] for row in spark.read.parquet(str(tmp_path / "purchases")).collect()) == times


def test_an_invalid_address_stops_the_pipeline_before_it_writes(
    output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(output, "--warehouse", "postgresql://host/dev") == 2
    assert "Expected duckdb:PATH" in capfd.readouterr().err
    assert not output.exists()


@pytest.mark.long
def test_a_failed_load_leaves_the_run_complete(output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = output.parent / "warehouse.duckdb"
    file.write_text("these are no tables")
    assert run(output, "--warehouse", f"duckdb:{file}") == 4
    error = capfd.readouterr().err
    pointer = json.loads((output / "current.json").read_text())
    assert "not a valid DuckDB database" in error
    advice = f"Run {pointer['run_id']} is complete; load it with: python -m jobs.publish "
    assert advice in error
    assert (output / pointer["manifest"]).is_file()
    assert not (output / "runs" / pointer["run_id"] / "failure.json").exists()
    file.unlink()
    assert publish.main(shlex.split(error.partition(advice)[2])) == 0


def test_a_run_whose_files_were_changed_before_its_load_is_not_called_complete(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def changed(_: publish.PublishConfig) -> None:
        raise DataError("table rfm: part-0.snappy.parquet is missing")

    monkeypatch.setattr(pipeline, "publish", changed)
    config = PipelineConfig.from_argv(
        ["--as-of", AS_OF, "--input", "in", "--output", "out", "--warehouse", f"duckdb:{tmp_path}/w.duckdb"]
    )
    publication = pipeline.publication_of(config)
    assert publication is not None
    assert run_main("pipeline", lambda: pipeline.load(publication, config, "2018-06-30-r")) == 3
    [line] = capfd.readouterr().err.splitlines()
    assert line.endswith("is missing. Nothing of run 2018-06-30-r was loaded, and current.json names it")
    assert "complete" not in line


def test_ctrl_c_during_a_load_reports_the_complete_run_and_how_to_load_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupted(_: publish.PublishConfig) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "publish", interrupted)
    config = PipelineConfig.from_argv(
        ["--as-of", AS_OF, "--input", "in", "--output", "out", "--warehouse", f"duckdb:{tmp_path}/w.duckdb"]
    )
    publication = pipeline.publication_of(config)
    assert publication is not None
    assert run_main("pipeline", lambda: pipeline.load(publication, config, "2018-06-30-r")) == 130
    advice = "Run 2018-06-30-r is complete; load it with: python -m jobs.publish --output out --run 2018-06-30-r"
    assert advice in capfd.readouterr().err


@pytest.mark.long
def test_features_pass_on_the_files_that_ingest_recorded(output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments_of_steps = ["--as-of", AS_OF, "--output", str(output)]
    checked = ["--input", str(output.parent / "input"), "--run-id", f"{AS_OF}-checked", "--max-quarantined", "1"]
    assert ingest.main([*arguments_of_steps, *checked]) == 0
    [path] = (output / "runs" / f"{AS_OF}-checked" / "orders").glob("*.parquet")
    assert features.main([*arguments_of_steps, "--checked-run", f"{AS_OF}-checked"]) == 0
    arguments = ["--output", str(output), "--warehouse", f"duckdb:{output.parent}/warehouse.duckdb"]
    assert publish.main(arguments) == 0
    path.write_bytes(path.read_bytes() + b"x")
    assert publish.main(arguments) == 3
    assert "table orders: " in capfd.readouterr().err
