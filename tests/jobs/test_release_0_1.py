"""A run that release 0.1 made is read by the steps that continue from it.

``data/release-0.1`` holds its output over the small raw data set and one payment without an order. Data Docs and
checksum files are not part of it.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession

from jobs import features, publish, replay, segments
from tests.fakes.page import real_report
from tests.frames import assert_same_rows
from tests.jobs.complete_runs import Ran
from tests.manifests import total
from tests.raw_files import RawFiles, key

pytestmark = [pytest.mark.usefixtures("spark"), pytest.mark.long]

AS_OF, RUN = "2018-06-30", "2018-06-30-release-0.1"


@pytest.fixture(autouse=True)
def reports() -> Iterator[None]:
    """The steps leave the report that users get."""
    with real_report():
        yield


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The output folder of release 0.1, to add runs to."""
    return Path(shutil.copytree(Path(__file__).parent / "data" / "release-0.1", tmp_path / "output"))


def test_features_continue_from_its_checked_tables_and_find_the_same_rows(spark: SparkSession, output: Path) -> None:
    before = Ran(output)
    assert features.main(["--as-of", AS_OF, "--output", str(output), "--checked-run", RUN]) == 0
    after = Ran(output)
    assert after.pointer["tables"]["orders"] == f"runs/{RUN}/orders"
    assert (output / "runs" / after.pointer["run_id"] / "report.html").exists()
    assert total(after.manifest, "payments") == {"rows": 4, "money": "40.5000"}
    for table in ("transactions", "purchases"):
        assert after.rows(spark, table) == before.rows(spark, table)
    figures = spark.read.parquet(str(output / before.pointer["tables"]["rfm"]))
    again = spark.read.parquet(str(output / after.pointer["tables"]["rfm"])).select(figures.columns)
    assert_same_rows(again, figures)


def test_segments_continue_from_its_features_and_keep_its_cluster_ids(spark: SparkSession, output: Path) -> None:
    before = Ran(output)
    assert segments.main(["--output", str(output), "--k", "2", "--max-drift", "0"]) == 0
    after = Ran(output)
    assert after.manifest["kmeans"]["matched_to"] == RUN
    # Its customers have no scores.
    assert not (output / "runs" / after.pointer["run_id"] / "report.html").exists()
    assert after.rows(spark, "customer_segments") == before.rows(spark, "customer_segments")


def test_its_quarantine_is_replayed(output: Path, raw: RawFiles) -> None:
    raw.orders.append('"o9","c3",delivered,2018-04-04 10:00:00,,,,')
    raw.payments.append('"o9",1,boleto,1,100.00')
    where = ["--as-of", AS_OF, "--input", raw.write(), "--output", str(output), "--max-quarantined", "1"]
    assert replay.main([*where, "--replayed-run", RUN, "--run-id", f"{AS_OF}-replayed"]) == 0
    manifest: dict[str, Any] = json.loads((output / "runs" / f"{AS_OF}-replayed" / "manifest.json").read_text())
    assert total(manifest, "payments reused") == {"rows": 4, "money": "40.5000"}
    # The order of that payment was no row of the run, so it is none of the replay either.
    assert total(manifest, "quarantine/payments") == {"rows": 1, "money": "100.0000"}


def test_it_is_loaded_into_a_warehouse(output: Path) -> None:
    warehouse = output / "warehouse.duckdb"
    assert publish.main(["--output", str(output), "--warehouse", f"duckdb:{warehouse}"]) == 0
    with duckdb.connect(str(warehouse), read_only=True) as con:
        scored = con.execute("select count(*) from rfm where r_score is not null or segment is not null").fetchall()
        rows = con.execute("select customer_unique_id, total_value::varchar from rfm order by total_value").fetchall()
        [loaded] = con.execute("select run_id from pipeline_runs").fetchall()
    assert rows == [(key("bob"), "5.0000"), (key("ann"), "35.5000")]
    assert loaded == (RUN,)
    # It has no scores, so these columns are empty.
    assert scored == [(0,)]
