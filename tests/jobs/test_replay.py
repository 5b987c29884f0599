"""Rows that were quarantined, and were mended at the source."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs import ingest
from jobs.storage.uris import escape_glob
from tests.manifests import total
from tests.raw_files import RawFiles

pytestmark = pytest.mark.usefixtures("spark")

AS_OF = "2018-06-30"
TABLES = ("customers", "orders", "payments")
EVERYTHING = [name for table in TABLES for name in (table, f"quarantine/{table}")]


def check_in(raw: RawFiles, run_id: str, *arguments: str) -> dict[str, Any]:
    """Run ingest over the files and return the manifest."""
    raw.write()
    output = raw.folder.parent / "output"
    common = ["--as-of", AS_OF, "--input", str(raw.folder), "--output", str(output), "--max-quarantined", "1"]
    assert ingest.main([*common, "--run-id", f"{AS_OF}-{run_id}", *arguments]) == 0
    manifest: dict[str, Any] = json.loads((output / "runs" / f"{AS_OF}-{run_id}" / "manifest.json").read_text())
    return manifest


def content(spark: SparkSession, raw: RawFiles, manifest: dict[str, Any], name: str) -> list[str]:
    """The rows of a table, without the file they stood in, as text in order."""
    path = Path(raw.folder.parent / "output" / manifest["tables"][name])
    rows = spark.read.parquet(escape_glob(str(path))).drop("source_file").collect()
    return sorted(map(str, rows))


def spoil(raw: RawFiles) -> None:
    """A customer without a person, with an order and a payment that follow; and faults of several kinds besides."""
    raw.customers[2] = '"c2",,"09790",sao paulo,SP'
    raw.orders[1] = raw.orders[1].replace("2018-01-01 10:00:00", "2018-13-01 10:00:00")
    raw.orders += ['not-hex,"c3",delivered,2018-05-05 10:00:00,,,,', raw.orders[3]]
    raw.payments[4] = '"o3",1,debit_card,1'


def mend(raw: RawFiles) -> None:
    whole = RawFiles(raw.folder)
    raw.customers, raw.payments = whole.customers, whole.payments
    raw.orders = [*whole.orders, '"o4","c3",delivered,2018-05-05 10:00:00,,,,', whole.orders[3]]


@pytest.mark.long
@pytest.mark.usefixtures("great_expectations")
def test_corrected_rows_are_accepted_as_in_a_fresh_ingest_a_copy_stays_and_replaying_twice_changes_nothing(
    spark: SparkSession, raw: RawFiles
) -> None:
    spoil(raw)
    broken = check_in(raw, "broken")
    assert [total(broken, name)["rows"] for name in EVERYTHING] == [2, 1, 1, 4, 0, 4]
    mend(raw)
    replayed = check_in(raw, "replayed", "--replay", f"{AS_OF}-broken")
    fresh = check_in(raw, "fresh")
    assert [total(fresh, name)["rows"] for name in EVERYTHING] == [3, 0, 4, 1, 4, 0]
    twice = check_in(raw, "twice", "--replay", f"{AS_OF}-replayed")
    for name in EVERYTHING:
        expected = content(spark, raw, fresh, name)
        assert content(spark, raw, replayed, name) == content(spark, raw, twice, name) == expected
    assert replayed["inputs"]["replayed_run"] == f"{AS_OF}-broken"
    assert [check["passed"] for check in replayed["reconciliation"]] == [True] * 9


@pytest.mark.long
def test_only_corrected_rows_are_accepted_and_new_rows_are_not(spark: SparkSession, raw: RawFiles) -> None:
    raw.payments[3] = '"o2",1,boleto,1,-20.00'
    raw.payments[4] = '"o3",1,debit_card,1,R$ 5'
    check_in(raw, "broken")
    raw.payments[3] = '"o2",1,boleto,1,20.00'
    raw.payments.append('"o1",3,voucher,1,7.00')
    # A row that was accepted says something else now: that is a matter for a run of its own.
    raw.payments[1] = raw.payments[1].replace("10.00", "11.00")
    replayed = check_in(raw, "replayed", "--replay", f"{AS_OF}-broken")
    assert total(replayed, "payments") == {"rows": 3, "money": "35.5000"}
    assert total(replayed, "payments newly_accepted") == {"rows": 1, "money": "20.0000"}
    assert total(replayed, "quarantine/payments")["rows"] == 1
    [still] = content(spark, raw, replayed, "quarantine/payments")
    assert "R$ 5" in still


@pytest.mark.long
def test_rules_about_the_whole_table_are_held_against_all_of_it(
    raw: RawFiles, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    raw.payments[4] = '"o3",1,debit_card,1,R$ 5'
    raw.write()
    broken = check_in(raw, "broken")
    raw.payments[4] = '"o3",1,debit_card,1,4000.00'
    # Of 10.00, 5.50, 20.00 and 4,000.00: only all four together have this mean.
    rules = tmp_path / "rules.yaml"
    rules.write_text("payments:\n  add:\n    - {kind: mean_between, column: payment_value, high: 1000}\n")
    raw.write()
    output = raw.folder.parent / "output"
    where = ["--input", str(raw.folder), "--output", str(output), "--max-quarantined", "1", "--rules", str(rules)]
    assert ingest.main(["--as-of", AS_OF, *where, "--replay", f"{AS_OF}-broken", "--run-id", f"{AS_OF}-again"]) == 3
    assert "payments: mean_between(payment_value) fails (found 1008.875" in capfd.readouterr().err
    rules.write_text(rules.read_text().replace("high: 1000", "high: 1010"))
    manifest = check_in(raw, "kept", "--replay", f"{AS_OF}-broken", "--rules", str(rules))
    assert manifest["configuration"]["rules_of_settled_rows"] == [broken["configuration"]["rules"]]


def test_a_run_that_cannot_be_replayed(raw: RawFiles, capfd: pytest.CaptureFixture[str]) -> None:
    raw.write()
    output = str(raw.folder.parent / "output")
    arguments = ["--as-of", AS_OF, "--input", str(raw.folder), "--output", output, "--replay", "2018-01-01-x"]
    assert ingest.main(arguments) == 2
    assert "run 2018-01-01-x in" in capfd.readouterr().err
