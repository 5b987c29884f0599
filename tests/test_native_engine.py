"""A complete run on Comet: the rows, totals and exit codes of Spark's own engine, and what Comet leaves to Spark."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.sample import write_sample
from jobs.storage.local import LocalFolder
from tests.test_second_engine import rows_of

pytestmark = pytest.mark.long

AS_OF = "2018-06-30"
PROJECT = Path(__file__).parent.parent
ENGINES = ("spark", "comet")
FILES = {name: f"olist_{name}_dataset.csv" for name in ("customers", "orders", "order_payments")}
BAD_ROWS = {
    # A state that is none, a repeated key, and a column too few.
    "customers": ["{id},{id},01151,sao paulo,XX", "{line}", "{id},{id}"],
    # A customer that is not there, a time that is none, and a status that is none.
    "orders": [
        "{id},{id},delivered,2018-01-02 10:00:00,,,,2018-01-20 00:00:00",
        "{id},{known},delivered,yesterday,,,,2018-01-20 00:00:00",
        "{id},{known},lost,2018-01-02 10:00:00,,,,2018-01-20 00:00:00",
    ],
    # An order that is not there, an amount that is none, and one with too many digits.
    "order_payments": ["{id},1,voucher,1,10.00", "{known},9,voucher,1,much", "{known},8,voucher,1,1e99"],
}


def run_module(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A job as a user starts it, with the memory of the other tests."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=PROJECT,
        env={**os.environ, "SPARK_DRIVER_MEMORY": "2g"},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


@pytest.fixture(scope="module")
def raw(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3,000 orders, and three bad rows of each table."""
    folder = tmp_path_factory.mktemp("raw")
    write_sample(spark, LocalFolder(folder), orders=3_000, seed=7)
    first_lines = {name: (folder / file).read_text().splitlines()[1] for name, file in FILES.items()}
    for name, rows in BAD_ROWS.items():
        key = first_lines["customers" if name == "orders" else "orders"].split(",")[0].strip('"')
        lines = [
            row.format(id=f"{number:032x}", known=key, line=first_lines[name])
            for number, row in enumerate(rows, start=1)
        ]
        with (folder / FILES[name]).open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))
    return folder


@pytest.fixture(scope="module")
def manifests(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The manifest of one run per engine, with the run's folder."""
    manifests = {}
    for engine in ENGINES:
        output = tmp_path_factory.mktemp(engine)
        where = ["--as-of", AS_OF, "--input", str(raw), "--output", str(output), "--run-id", f"{AS_OF}-one"]
        done = run_module("jobs.pipeline", *where, "--engine", engine)
        assert done.returncode == 0, done.stderr
        folder = output / "runs" / f"{AS_OF}-one"
        manifests[engine] = {**json.loads((folder / "manifest.json").read_text()), "folder": folder}
    return manifests


def test_the_manifest_names_the_engine_and_its_hash_does_not(manifests: dict[str, dict[str, Any]]) -> None:
    assert {name: manifest["platform"]["engine"] for name, manifest in manifests.items()} == {
        "spark": "spark",
        "comet": "comet 1.2.0",
    }
    spark, comet = (manifests[engine] for engine in ENGINES)
    for manifest in (spark, comet):
        for table in manifest["quality"]["tables"].values():
            table.pop("gate_seconds", None)
    for entry in ("configuration", "configuration_hash", "totals", "reconciliation", "quality"):
        assert comet[entry] == spark[entry], entry
    assert {table["quarantined"] for table in spark["quality"]["tables"].values() if table.get("quarantined")}


def test_every_table_has_the_same_rows(spark: SparkSession, manifests: dict[str, dict[str, Any]]) -> None:
    folders = [manifests[engine]["folder"] for engine in ENGINES]
    tables = sorted(str(path.parent.relative_to(folders[0])) for path in folders[0].glob("**/part-*.parquet"))
    assert len(set(tables)) >= 10
    for table in set(tables):
        expected, result = (spark.read.parquet(str(folder / table)) for folder in folders)
        assert rows_of(result) == rows_of(expected), table
        assert result.dtypes == expected.dtypes, table


def test_bad_data_stops_a_run_with_3_on_both_engines(raw: Path, tmp_path: Path) -> None:
    for engine in ENGINES:
        where = ["--as-of", AS_OF, "--input", str(raw), "--output", str(tmp_path / engine)]
        done = run_module("jobs.ingest", *where, "--max-quarantined", "0", "--engine", engine)
        assert done.returncode == 3, done.stderr
        assert not (tmp_path / engine / "current.json").exists()


def test_a_library_that_cannot_be_fetched_ends_a_job_with_2(raw: Path, tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path), "DEFAULT_ARTIFACT_REPOSITORY": "http://127.0.0.1:9/maven2"}
    where = ["--as-of", AS_OF, "--input", str(raw), "--output", str(tmp_path / "out"), "--engine", "comet"]
    done = subprocess.run(
        [sys.executable, "-m", "jobs.ingest", *where],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Comet's library cannot be fetched from http://127.0.0.1:9/maven2" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_comet_leaves_to_spark_what_the_docs_state_and_no_more(
    manifests: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    result = tmp_path / "plans.json"
    tables = manifests["spark"]["folder"]
    done = run_module("tests.comet_plans", str(tables), str(result))
    assert done.returncode == 0, done.stderr
    plans = json.loads(result.read_text())
    assert set(plans) == {"transactions", "purchases", "rfm"}
    page = (PROJECT / "docs" / "engines.md").read_text()
    section = page.partition("## What stays with Spark")[2].partition("\n## ")[0]
    stated = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", section, re.MULTILINE))
    for table, plan in plans.items():
        assert {operator for operator in plan["operators"] if not operator.startswith("Comet")} == set(stated), table
        assert plan["reasons"] == sorted(reason for reason in stated.values() if reason != "no reason of its own"), (
            table
        )
