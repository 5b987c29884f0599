"""Complete runs over a handful of rows: the tables, and the manifest."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs import ingest
from tests.frames import assert_same_rows, frame
from tests.jobs.complete_runs import AS_OF, TABLES, WORKED_BY_HAND, Ran, run
from tests.log_lines import fields_of
from tests.manifests import total, totals_by_name
from tests.raw_files import RawFiles
from transforms import schemas

pytestmark = pytest.mark.usefixtures("spark")


def test_four_payments_become_two_customers_with_figures_worked_by_hand(spark: SparkSession, plain_run: Ran) -> None:
    actual = spark.read.parquet(str(plain_run.output / plain_run.pointer["tables"]["rfm"]))
    assert_same_rows(actual, frame(spark, schemas.RFM, *WORKED_BY_HAND))


@pytest.mark.usefixtures("great_expectations")
def test_the_manifest_accounts_for_rows_and_money_and_tells_what_made_the_run(
    raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    raw.payments.append('"o9",1,boleto,1,100.00')
    raw.payments[0] += ',"note"'
    raw.payments[1:] = [f"{line},x" for line in raw.payments[1:]]
    raw.write()
    ran = run(raw, "--order-statuses", "delivered", "--kmeans", "spark", "--JOB_NAME", "nightly")
    check_boundaries(ran.manifest)
    check_log(ran.manifest, capfd.readouterr().err)
    check_origin(ran.manifest, raw)
    assert not (ran.output / "runs" / ran.manifest["run_id"] / "_stage").exists()


def check_boundaries(manifest: dict[str, Any]) -> None:
    """See the rows and the money of every table, every check, and the one rule that fails."""
    assert totals_by_name(manifest) == {
        "customers read": {"rows": 3},
        "customers": {"rows": 3},
        "quarantine/customers": {"rows": 0},
        "orders read": {"rows": 3},
        "orders": {"rows": 3},
        "quarantine/orders": {"rows": 0},
        "payments read": {"rows": 5, "money": "140.5000"},
        "payments": {"rows": 4, "money": "40.5000"},
        "quarantine/payments": {"rows": 1, "money": "100.0000"},
        "transactions": {"rows": 3, "money": "35.5000"},
        "payments excluded order_status_not_counted": {"rows": 1, "money": "5.0000"},
        "payments excluded purchased_after_as_of": {"rows": 0, "money": "0.0000"},
        "payments excluded purchased_before_window": {"rows": 0, "money": "0.0000"},
        "orders counted": {"rows": 2},
        "orders excluded without_payments": {"rows": 0},
        "orders excluded order_status_not_counted": {"rows": 1},
        "orders excluded purchased_after_as_of": {"rows": 0},
        "orders excluded purchased_before_window": {"rows": 0},
        "customers counted": {"rows": 3},
        "customers people": {"rows": 2},
        "purchases people": {"rows": 1},
        "customers excluded order_status_not_counted": {"rows": 1},
        "purchases excluded returns_of_buyers": {"rows": 0, "money": "0.0000"},
        "purchases excluded returns_of_others": {"rows": 0, "money": "0.0000"},
        "purchases": {"rows": 2, "money": "35.5000"},
        "rfm": {"rows": 1, "money": "35.5000"},
        "rfm measured": {"rows": 2, "money": "35.5000"},
        **{f"rfm segment RM0{number}": {"rows": 0, "money": "0.0000"} for number in (*range(1, 5), *range(6, 10))},
        # One customer is neither better nor worse than others: 3 and 3, and two purchases score 2.
        "rfm segment RM05": {"rows": 1, "money": "35.5000"},
        "segment_history": {"rows": 1},
        "customer_segments": {"rows": 1},
        "customer_segments cluster 0": {"rows": 1, "money": "35.5000"},
    }
    wholes = [(check["whole"]["table"], check["whole"]["kind"]) for check in manifest["reconciliation"]]
    assert wholes == [
        ("customers", "read"),
        ("orders", "read"),
        ("payments", "read"),
        ("payments", "written"),
        ("orders", "written"),
        ("transactions", "written"),
        ("customers", "written"),
        ("customers", "people"),
        ("purchases", "written"),
        ("rfm", "written"),
        ("rfm", "written"),
        ("customer_segments", "written"),
    ]
    assert all(check["passed"] for check in manifest["reconciliation"])
    assert {table: actual["failed"] for table, actual in manifest["quality"]["tables"].items() if actual["failed"]} == {
        "payments": {"refers_to(order_id)": 1}
    }


def check_log(manifest: dict[str, Any], shown: str) -> None:
    """See that the log has each step and the failed rule."""
    events = [fields_of(line) for line in shown.splitlines()]
    assert {event["run_id"] for event in events} == {manifest["run_id"]}
    finished = [event for event in events if event["event"] == "step finished"]
    assert [event["step"] for event in finished] == [step["step"] for step in manifest["steps"]]
    assert [event.get("money_out") for event in finished] == [step["money_out"] for step in manifest["steps"]]
    [failed] = [event for event in events if event["event"] == "rule failed"]
    assert (failed["table"], failed["rule"], failed["rows"]) == ("payments", "refers_to(order_id)", "1")


def check_origin(manifest: dict[str, Any], raw: RawFiles) -> None:
    """See the arguments, the code, the files and the steps."""
    assert manifest["configuration"]["as_of"] == AS_OF
    assert len(manifest["code"]["source_sha256"]) == 64
    payments = manifest["inputs"]["files"][2]
    assert payments["ignored_columns"] == ["note"]
    assert payments["files"][0]["size"] == raw.payments_file.stat().st_size
    steps = {step["step"]: step for step in manifest["steps"]}
    assert list(steps) == [*TABLES, "history", "kmeans", "segments"]
    assert all(step["seconds"] > 0 and step["spark_jobs"] > 0 for step in steps.values())


@pytest.mark.long
def test_two_runs_give_the_same_content_in_folders_of_their_own(
    spark: SparkSession, raw: RawFiles, plain_run: Ran
) -> None:
    raw.write()
    shutil.copytree(plain_run.output, raw.folder.parent / "output")
    second = run(raw)
    assert (second.output / plain_run.pointer["manifest"]).is_file()
    assert second.pointer["run_id"] != plain_run.pointer["run_id"]
    assert second.content(spark) == plain_run.content(spark)
    assert second.manifest["configuration_hash"] == plain_run.manifest["configuration_hash"]


def test_a_rejected_row_takes_no_valid_row_with_it(raw: RawFiles, tmp_path: Path) -> None:
    # A copy of o1's first payment with a field too many, and a copy that is cut off.
    raw.payments += ['"o1",1,credit_card,3,10.00,extra', '"o1",1,credit_card']
    where = ["--input", raw.write(), "--output", str(tmp_path / "output"), "--run-id", f"{AS_OF}-checked"]
    assert ingest.main(["--as-of", AS_OF, *where, "--max-quarantined", "1"]) == 0
    manifest = json.loads((tmp_path / "output" / "runs" / f"{AS_OF}-checked" / "manifest.json").read_text())
    assert total(manifest, "payments") == {"rows": 4, "money": "40.5000"}
    assert manifest["quality"]["tables"]["payments"]["failed"] == {
        "has_all_fields": 2,
        "not_null(payment_value)": 1,
        "between(payment_installments)": 1,
    }


@pytest.mark.long
def test_one_payment_written_in_two_ways_is_not_taken_twice(raw: RawFiles) -> None:
    raw.payments.append('"o2",01,boleto,1,20.00')
    raw.write()
    manifest = run(raw).manifest
    assert total(manifest, "payments") == {"rows": 3, "money": "20.5000"}
    assert manifest["quality"]["tables"]["payments"]["failed"] == {"unique(order_id, payment_sequential)": 2}


@pytest.mark.long
def test_a_card_that_a_run_fitted_gives_the_same_figures_when_it_is_applied(spark: SparkSession, raw: RawFiles) -> None:
    raw.write()
    fitted = run(raw)
    card = fitted.output / fitted.manifest["score_card"]["file"]
    applied = run(raw, "--card", str(card))
    assert applied.content(spark) == fitted.content(spark)
    assert applied.manifest["score_card"]["customers_outside_its_range"] == 0


@pytest.mark.long
def test_the_workshops_way_says_what_it_loses_and_who_is_outside_its_range(raw: RawFiles) -> None:
    raw.write()
    manifest = run(raw, "--purchase-value", "any", "--card", "workshop-2021").manifest
    assert total(manifest, "purchases") == {"rows": 3, "money": "35.0000"}
    assert total(manifest, "transactions excluded other_payments_of_the_purchase") == {"rows": 1, "money": "5.5000"}
    # 16 and 21 weeks are less than the workshop's 161, so both figures are below 0.
    assert manifest["score_card"]["customers_outside_its_range"] == 2


@pytest.mark.long
def test_every_accepted_payment_belongs_to_a_customer_in_rfm(spark: SparkSession, raw: RawFiles) -> None:
    raw.customers[2] = '"c2",,"09790",sao paulo,SP'
    raw.write()
    ran = run(raw)
    # c2 has no person, so its order o2 follows it into quarantine, and o2's payment follows the order.
    actual = ran.manifest["quality"]["tables"]
    assert actual["customers"]["failed"] == {"not_null(customer_unique_id)": 1}
    assert actual["orders"]["failed"] == {"refers_to(customer_id)": 1}
    assert actual["payments"]["failed"] == {"refers_to(order_id)": 1}
    assert [actual[table]["cascaded"] for table in ("customers", "orders", "payments")] == [0, 1, 1]
    assert total(ran.manifest, "rfm") == {"rows": 2, "money": "20.5000"}
    assert len(ran.rows(spark, "quarantine/payments")) == 1
