"""From CSV files to a warehouse: what Spark writes, the warehouse takes."""

import json
import shlex
from pathlib import Path

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs import features, ingest, pipeline, publish
from jobs.cli.config import RunConfig
from jobs.cli.main import program
from jobs.storage.uris import escape_glob
from tests.fakes.fixtures import COPY_ROLE
from tests.fakes.redshift.data_api import DataApi
from tests.frames import at, frame
from tests.jobs.whole_runs import AS_OF, WORKED_BY_HAND
from tests.raw_files import RawFiles
from transforms import schemas
from transforms.schemas import TABLES

pytestmark = pytest.mark.usefixtures("spark")

PHYSICAL = {
    "int": "INT32",
    "bigint": "INT64",
    "double": "DOUBLE",
    "timestamp": "INT96",
    "string": "BYTE_ARRAY",
    "decimal(18,4)": "FIXED_LEN_BYTE_ARRAY",
}
"""The types that COPY takes for our columns; `jobs.spark.session` says why two are not Spark's own way."""


@pytest.fixture
def output(raw: RawFiles) -> Path:
    raw.payments.append('"o9",1,boleto,1,100.00')
    raw.write()
    return raw.folder.parent / "output"


def run(output: Path, *arguments: str) -> int:
    folders = ["--input", str(output.parent / "input"), "--output", str(output), "--max-quarantined", "1"]
    return pipeline.main(["--as-of", AS_OF, *folders, *arguments])


def test_a_run_is_in_the_warehouse_when_the_pipeline_is_done(
    spark: SparkSession, output: Path, data_api: DataApi, bucket: str, database: str
) -> None:
    file = output.parent / "warehouse.duckdb"
    assert run(output, "--warehouse", f"duckdb:{file}") == 0
    pointer = json.loads((output / "current.json").read_text())
    with duckdb.connect(file, read_only=True) as connection:
        assert sorted(connection.execute("from rfm").fetchall()) == sorted(WORKED_BY_HAND)
        assert connection.execute("select run_id from pipeline_runs").fetchall() == [(pointer["run_id"],)]
    for table, schema in TABLES.items():
        for path in (output / pointer["tables"][table]).glob("*.parquet"):
            found = [column.physical_type for column in pq.ParquetFile(path).schema]
            assert found == [PHYSICAL[field.dataType.simpleString()] for field in schema]
    # The same files into Redshift, whose stand-in takes no other physical types than these.
    target = ["--warehouse", "redshift://segments/dev/rfm", "--staging", f"s3://{bucket}", "--iam-role", COPY_ROLE]
    assert publish.main(["--output", str(output), *target]) == 0
    assert not [execution.error for execution in data_api.executions if execution.error]
    with psycopg.connect(database) as connection:
        assert sorted(connection.execute("select * from rfm.rfm").fetchall()) == sorted(WORKED_BY_HAND)
    # An array of structs is laid out in the old way too: both engines still read it.
    quarantine = output / pointer["tables"]["quarantine/payments"]
    reasons = [row["reasons"][0]["rule"] for row in spark.read.parquet(escape_glob(str(quarantine))).collect()]
    assert reasons == ["refers_to"]
    assert duckdb.sql(f"select reasons[1].rule from '{quarantine}/*.parquet'").fetchall() == [(reasons[0],)]


def test_times_are_the_wall_clock_wherever_they_are_read(spark: SparkSession, tmp_path: Path) -> None:
    # Before the Gregorian calendar; before 1900; in the hour that summer time took from São Paulo; and the last of all.
    texts = ("1500-02-28 12:00:00", "1899-12-31 23:59:59", "2017-10-15 00:30:00", "9999-12-31 23:59:59")
    times = [at(text) for text in texts]
    rows = [("a", time, None) for time in times]
    frame(spark, schemas.PURCHASES, *rows).coalesce(1).write.parquet(str(tmp_path / "purchases"))
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'America/Sao_Paulo'")
        found = connection.execute(f"select order_purchase_time from '{tmp_path}/purchases/*.parquet'").fetchall()
    assert sorted(found) == [(time,) for time in times]
    assert sorted(row[1] for row in spark.read.parquet(str(tmp_path / "purchases")).collect()) == times


def test_a_bad_address_costs_no_run(output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(output, "--warehouse", "postgresql://host/dev") == 2
    assert "Expected duckdb:PATH" in capfd.readouterr().err
    assert not output.exists()


@pytest.mark.long
def test_a_warehouse_that_fails_unmakes_no_run(output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = output.parent / "warehouse.duckdb"
    file.write_text("these are no tables")
    assert run(output, "--warehouse", f"duckdb:{file}") == 4
    error = capfd.readouterr().err
    pointer = json.loads((output / "current.json").read_text())
    assert "not a valid DuckDB database" in error
    told = f"Run {pointer['run_id']} is whole; load it with: python -m jobs.publish "
    assert told in error
    assert (output / pointer["manifest"]).is_file()
    assert not (output / "runs" / pointer["run_id"] / "failure.json").exists()
    file.unlink()
    assert publish.main(shlex.split(error.partition(told)[2])) == 0


def test_ctrl_c_while_a_run_is_loaded_says_that_it_is_whole_and_how_to_load_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupted(_: publish.PublishConfig) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "publish", interrupted)
    config = RunConfig.from_argv(
        ["--as-of", AS_OF, "--input", "in", "--output", "out", "--warehouse", f"duckdb:{tmp_path}/w.duckdb"],
        step="pipeline",
    )
    publication = pipeline.publication_of(config)
    assert publication is not None
    assert program("pipeline", lambda: pipeline.load(publication, config, "2018-06-30-r")) == 130
    told = "Run 2018-06-30-r is whole; load it with: python -m jobs.publish --output out --run 2018-06-30-r"
    assert told in capfd.readouterr().err


@pytest.mark.long
def test_features_hand_on_what_ingest_recorded_of_the_checked_tables(
    output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    common = ["--as-of", AS_OF, "--output", str(output)]
    checked = ["--input", str(output.parent / "input"), "--run-id", f"{AS_OF}-checked", "--max-quarantined", "1"]
    assert ingest.main([*common, *checked]) == 0
    [path] = (output / "runs" / f"{AS_OF}-checked" / "orders").glob("*.parquet")
    assert features.main([*common, "--checked-run", f"{AS_OF}-checked"]) == 0
    to = ["--output", str(output), "--warehouse", f"duckdb:{output.parent}/warehouse.duckdb"]
    assert publish.main(to) == 0
    path.write_bytes(path.read_bytes() + b"x")
    assert publish.main(to) == 3
    assert "table orders: " in capfd.readouterr().err
