"""The transforms run unchanged on another engine, and give the rows that Spark gives."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.ingest import main
from jobs.sample import write_sample
from jobs.storage.local import LocalFolder
from tests.chain import TABLES, chain

AS_OF = "2018-06-30"
PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def run_folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that checked 2,000 orders, some of them after as_of."""
    folder = tmp_path_factory.mktemp("engines")
    write_sample(spark, LocalFolder(folder), orders=2_000, seed=7)
    run = f"{AS_OF}-engines"
    where = ["--input", str(folder), "--output", str(folder / "out")]
    assert main(["--as-of", AS_OF, *where, "--run-id", run]) == 0
    return folder / "out" / "runs" / run


def rows_of(frame: DataFrame) -> list[str]:
    """Sorted rows. Doubles have twelve digits, since engines may differ in the last bit."""
    columns = [
        F.round(name, 12).alias(name) if kind == "double" else F.col(name).cast("string").alias(name)
        for name, kind in frame.dtypes
    ]
    return sorted(map(str, frame.select(*columns).collect()))


@pytest.mark.long
def test_sail_gives_the_rows_that_spark_gives(spark: SparkSession, run_folder: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.sail_chain", str(run_folder), str(tmp_path), AS_OF],
        cwd=PROJECT,
        env={**os.environ, "TZ": "UTC"},
        check=True,
        timeout=240,
    )
    tables = {name: spark.read.parquet(str(run_folder / name)) for name in TABLES}
    for name, expected in chain(tables, as_of=date.fromisoformat(AS_OF)).items():
        result = spark.read.parquet(str(tmp_path / name))
        assert rows_of(result) == rows_of(expected), name
        assert result.dtypes == expected.dtypes, name
