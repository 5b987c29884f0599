"""What the quality of the data does to a run."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from expectations.contracts.olist import PAYMENTS
from expectations.gx.results import RuleResult
from jobs import pipeline
from jobs.quality.report import RowCounts, TableQuality
from tests.log_lines import without_logs
from tests.manifests import total
from tests.raw_files import RawFiles, key

pytestmark = pytest.mark.usefixtures("spark")

AS_OF = "2018-06-30"


class Run:
    """A run by name, whole or not."""

    def __init__(self, raw: RawFiles, name: str) -> None:
        self.output = raw.folder.parent / "output"
        self.folder = self.output / "runs" / f"{AS_OF}-{name}"

    def json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / name).read_text())
        return content

    def current(self) -> str:
        return (self.output / "current.json").read_text()


def run(raw: RawFiles, name: str, *arguments: str, code: int = 0) -> Run:
    raw.write()
    ran = Run(raw, name)
    common = ["--as-of", AS_OF, "--input", str(raw.folder), "--output", str(ran.output)]
    assert pipeline.main([*common, "--kmeans", "none", "--run-id", f"{AS_OF}-{name}", *arguments]) == code
    return ran


@pytest.mark.usefixtures("great_expectations")
def test_more_bad_rows_than_allowed_stop_the_run_and_leave_all_that_explains_it(
    spark: SparkSession, raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    before = '{"run_id": "2018-01-01-before"}'
    output = raw.folder.parent / "output"
    output.mkdir()
    (output / "current.json").write_text(before)
    raw.payments[2] = '"o1",2,voucher,1,minus five'
    stopped = run(raw, "bad", code=3)
    front_page = (stopped.folder / "quality" / "data_docs" / "index.html").read_text()
    parts = (
        "1 rule failed",
        "The run was stopped: payments: 1 of 4 rows",
        "parses_as(payment_value)",
        "1 row<",
        "Suites",
    )
    places = [front_page.index(each) for each in parts]
    assert places == sorted(places)
    assert stopped.current() == before
    [line] = without_logs(capfd.readouterr().err)
    assert (
        "payments: 1 of 4 rows quarantined (25.00%; most fail parses_as(payment_value): 1), "
        "expected at most 1.00% (--max-quarantined)"
    ) in line
    assert str(stopped.folder / "quality" / "data_docs" / "index.html") in line
    [refused] = spark.read.parquet(str(stopped.folder / "quarantine" / "payments")).collect()
    assert refused["payment_value"] == "minus five"
    quality = stopped.json("quality.json")
    assert len(quality["stopped_by"]) == 1
    rules = {rule["rule"]: rule for rule in quality["tables"]["payments"]["rules"]}
    assert rules["parses_as(payment_value)"]["rows_failed"] == 1
    assert rules["parses_as(payment_value)"]["examples"] == ["minus five"]
    assert rules["not_null(payment_value)"] == {
        "rule": "not_null(payment_value)",
        "severity": "quarantine",
        "expected": "a value, found none",
        "passed": True,
        "rows_failed": 0,
    }
    pages = [page.read_text() for page in (stopped.folder / "quality" / "data_docs").rglob("spark-payments.html")]
    assert "minus five" in pages[0]
    assert stopped.json("failure.json")["exit_code"] == 3
    assert not (stopped.folder / "manifest.json").exists()


def test_the_counts_decide_on_a_rule_that_the_gate_did_not_evaluate() -> None:
    counts = RowCounts(rows=4, failed={"parses_as(payment_value)": 1, "between(payment_value)": 0})
    quality = TableQuality(
        PAYMENTS, counts, results={"between(payment_value)": RuleResult(passed=True)}, gate_seconds=0
    )
    assert [rule.label for rule in quality.failed_rules] == ["parses_as(payment_value)"]
    assert quality.disagreements() == []
    of_gate = TableQuality(
        PAYMENTS, counts, results={"between(payment_value)": RuleResult(passed=False)}, gate_seconds=0
    )
    assert of_gate.disagreements() == ["between(payment_value)"]


def test_the_budget_is_about_the_rows_with_a_fault_of_their_own() -> None:
    assert RowCounts(rows=4, quarantined=3, cascaded=2).share == 0.25
    assert RowCounts(rows=4, quarantined=3, cascaded=3).share == 0
    assert RowCounts(rows=0).share == 0


@pytest.mark.long
def test_cascaded_rejections_do_not_count_against_the_budget(raw: RawFiles) -> None:
    # One customer of three is refused; two of three orders and three of four payments are cascaded rejections.
    raw.customers[1:3] = ['"c1","ann",,sao paulo,SP', '"c2","ann","09790",sao paulo,SP']
    raw.orders[2] = raw.orders[2].replace('"c2"', '"c1"')
    ran = run(raw, "cascaded", "--max-quarantined", "0.34")
    tables = ran.json("manifest.json")["quality"]["tables"]
    assert {table: actual["cascaded"] for table, actual in tables.items() if actual["quarantined"]} == {
        "customers": 0,
        "orders": 2,
        "payments": 3,
    }
    assert tables["payments"]["share_quarantined"] == 0.0


OVERRIDES = """\
payments:
  change:
    between(payment_value): {high: 15, severity: warn}
  add:
    - {kind: mean_between, column: payment_value, low: 10}
rfm:
  add:
    - {kind: between, column: total_value, high: 30, severity: warn}
"""


@pytest.mark.usefixtures("great_expectations")
def test_a_rule_that_warns_rejects_no_row_and_overrides_are_active_and_in_the_manifest(
    raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = Path(raw.folder.parent / "mine.yml")
    mine.write_text(OVERRIDES)
    raw.payments[4] = '"o3",1,cheque,1,5.00'
    raw.orders[1] = raw.orders[1].replace(",,,2018-01-20", ",,2017-12-31 00:00:00,2018-01-20")
    manifest = run(raw, "warned", "--rules", str(mine)).json("manifest.json")
    shown = capfd.readouterr().out
    assert "payments: in_set(payment_type) (warn) fails for 1 row" in shown
    assert "orders: not_after(order_purchase_timestamp, order_delivered_customer_date) (warn) fails" in shown
    quality = manifest["quality"]
    assert quality["tables"]["payments"]["failed"] == {"between(payment_value)": 1, "in_set(payment_type)": 1}
    assert quality["tables"]["rfm"]["failed"] == {"between(total_value)": 1}
    assert quality["stopped_by"] == []
    assert quality["rules"]["file"] == str(mine)
    assert len(quality["rules"]["sha256"]) == 64
    assert total(manifest, "payments") == {"rows": 4, "money": "40.5000"}
    assert total(manifest, "rfm") == {"rows": 2, "money": "40.5000"}


def test_a_rule_about_the_whole_table_stops_the_run(raw: RawFiles, capfd: pytest.CaptureFixture[str]) -> None:
    mine = Path(raw.folder.parent / "mine.yml")
    mine.write_text(OVERRIDES.replace("low: 10", "low: 100"))
    run(raw, "stopped", "--rules", str(mine), code=3)
    line = capfd.readouterr().err
    assert "payments: mean_between(payment_value) fails (found 10.125" in line
    assert "expected a mean of at least 100" in line


def test_a_mistake_in_rule_overrides_is_reported_with_its_line_before_anything_is_written(
    raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = Path(raw.folder.parent / "mine.yml")
    raw.write()
    mine.write_text("payments:\n  change:\n    between(payment_value):\n      high: many\n")
    ran = run(raw, "never", "--rules", str(mine), code=2)
    [line] = without_logs(capfd.readouterr().err)
    assert line.startswith(f"pipeline: --rules {mine}, line 4: between(payment_value): high is 'many'")
    assert not ran.output.exists()


@pytest.mark.usefixtures("great_expectations")
def test_a_truncated_file_leaves_the_quality_report_of_the_files_before_it(
    raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    raw.payments += [f'"{key(str(number))}",1,boleto,1,1.00' for number in range(20_000)]
    raw.write()
    whole = gzip.compress(raw.payments_file.read_bytes())
    raw.payments_file.unlink()
    raw.payments_file.with_suffix(".csv.gz").write_bytes(whole[: len(whole) * 9 // 10])
    output = raw.folder.parent / "output"
    where = ["--input", str(raw.folder), "--output", str(output), "--run-id", "2018-06-30-cut"]
    assert pipeline.main(["--as-of", AS_OF, *where]) == 3
    shown = "olist_order_payments_dataset.csv.gz: the gzip data is cut off before its end, expected a whole file"
    assert shown in capfd.readouterr().err
    run = output / "runs" / "2018-06-30-cut"
    assert list(json.loads((run / "quality.json").read_text())["tables"]) == ["customers", "orders"]
    assert (run / "quality" / "data_docs" / "index.html").is_file()
    assert not (run / "manifest.json").exists()


@pytest.mark.long
def test_refunds_have_no_logarithm_and_that_is_reported_in_one_line(
    raw: RawFiles, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("payments:\n  change:\n    between(payment_value): {low: -100000}\n")
    raw.payments[3] = '"o2",1,boleto,1,-50.00'
    stopped = run(raw, "log", "--rules", str(rules), "--feature-scale", "log", code=3)
    assert '--feature-scale log: "monetary" has min -34.5' in capfd.readouterr().err
    assert stopped.json("failure.json")["exit_code"] == 3
    run(raw, "minmax", "--rules", str(rules))
