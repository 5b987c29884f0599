"""Whole runs over a handful of rows: what is written, and what is said of it."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs import features, ingest, pipeline, segments
from jobs.storage import for_reading
from tests.frames import assert_same_rows, at, frame, money
from tests.raw_files import RawFiles, key
from transforms import schemas

pytestmark = pytest.mark.usefixtures("spark")

AS_OF = "2018-06-30"
TABLES = ("customers", "orders", "payments", "transactions", "purchases", "rfm")


# As of Saturday 2018-06-30. ann last bought on Sunday 2018-03-04: 16 Sundays later. bob on Friday 2018-02-02: 21.
WORKED_BY_HAND = (
    (key("ann"), at("2018-03-04 09:30:00"), 16, 2, money("17.75"), money("35.50"), 0.0, 5.0, 5.0),
    (key("bob"), at("2018-02-02 08:00:00"), 21, 1, money("5"), money("5"), 5.0, 0.0, 0.0),
)


class Ran:
    """A run that came to its end: its pointer, manifest and tables."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.pointer: dict[str, Any] = json.loads((output / "current.json").read_text())
        self.manifest: dict[str, Any] = json.loads((output / self.pointer["manifest"]).read_text())

    def rows(self, spark: SparkSession, table: str) -> list[str]:
        path = for_reading(str(self.output / self.pointer["tables"][table]))
        return sorted(map(str, spark.read.parquet(path).collect()))

    def content(self, spark: SparkSession) -> dict[str, list[str]]:
        return {table: self.rows(spark, table) for table in TABLES}


def run(raw: RawFiles, *arguments: str) -> Ran:
    output = raw.folder.parent / "output"
    as_of = [] if "--as-of" in arguments else ["--as-of", AS_OF]
    # One bad row of four is much; what the budget does has tests of its own.
    as_of += [] if "--max-quarantined" in arguments else ["--max-quarantined", "1"]
    # Clusters have tests of their own.
    as_of += [] if "--kmeans" in arguments else ["--kmeans", "none"]
    assert pipeline.main([*as_of, "--input", str(raw.folder), "--output", str(output), *arguments]) == 0
    return Ran(output)


def test_four_payments_become_two_customers_with_figures_worked_by_hand(spark: SparkSession, raw: RawFiles) -> None:
    raw.write()
    ran = run(raw)
    found = spark.read.parquet(str(ran.output / ran.pointer["tables"]["rfm"]))
    assert_same_rows(found, frame(spark, schemas.RFM, *WORKED_BY_HAND))


def test_the_manifest_accounts_for_rows_and_money_at_every_boundary(raw: RawFiles) -> None:
    raw.payments.append('"o9",1,boleto,1,100.00')
    raw.write()
    manifest = run(raw, "--order-statuses", "delivered", "--kmeans", "spark").manifest
    assert manifest["totals"] == {
        "raw customers": {"rows": 3},
        "customers": {"rows": 3},
        "quarantine/customers": {"rows": 0},
        "raw orders": {"rows": 3},
        "orders": {"rows": 3},
        "quarantine/orders": {"rows": 0},
        "raw payments": {"rows": 5, "money": "140.5000"},
        "payments": {"rows": 4, "money": "40.5000"},
        "quarantine/payments": {"rows": 1, "money": "100.0000"},
        "transactions": {"rows": 3, "money": "35.5000"},
        "left out: order_status_not_counted": {"rows": 1, "money": "5.0000"},
        "left out: purchased_after_as_of": {"rows": 0, "money": "0.0000"},
        "purchases": {"rows": 2, "money": "35.5000"},
        "rfm": {"rows": 1, "money": "35.5000"},
        "purchases of customers in rfm": {"rows": 2, "money": "35.5000"},
        "customer_segments": {"rows": 1},
        "cluster 0": {"rows": 1, "money": "35.5000"},
    }
    assert [next(iter(claim["whole"])) for claim in manifest["control_totals"]] == [
        "raw customers",
        "raw orders",
        "raw payments",
        "payments",
        "transactions",
        "purchases",
        "rfm",
        "customer_segments",
    ]
    assert {table: found["broken"] for table, found in manifest["quality"]["tables"].items() if found["broken"]} == {
        "payments": {"refers_to(order_id)": 1}
    }


def test_the_manifest_tells_what_made_the_run(raw: RawFiles) -> None:
    raw.payments[0] += ',"note"'
    raw.payments[1:] = [f"{line},x" for line in raw.payments[1:]]
    raw.write()
    ran = run(raw, "--JOB_NAME", "nightly")
    manifest = ran.manifest
    assert manifest["configuration"]["as_of"] == AS_OF
    assert manifest["ignored_arguments"] == ["--JOB_NAME"]
    assert len(manifest["code"]["source_sha256"]) == 64
    payments = manifest["inputs"]["files"][2]
    assert payments["ignored_columns"] == ["note"]
    assert payments["files"][0]["size"] == raw.payments_file.stat().st_size
    steps = {step["step"]: step for step in manifest["steps"]}
    assert list(steps) == [*TABLES, "kmeans_features"]
    assert all(step["seconds"] > 0 and step["spark_jobs"] > 0 for step in steps.values())
    assert not (ran.output / "runs" / manifest["run_id"] / "_stage").exists()


def test_two_runs_give_the_same_content_in_folders_of_their_own(spark: SparkSession, raw: RawFiles) -> None:
    raw.write()
    first, second = run(raw), run(raw)
    assert first.pointer["run_id"] != second.pointer["run_id"]
    assert first.content(spark) == second.content(spark)
    assert first.manifest["configuration_hash"] == second.manifest["configuration_hash"]


def gzip_all(raw: RawFiles) -> None:
    for file in (raw.customers_file, raw.orders_file, raw.payments_file):
        file.with_suffix(".csv.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()


def cut_into_parts(raw: RawFiles) -> None:
    for file in (raw.customers_file, raw.orders_file, raw.payments_file):
        header, *lines = file.read_bytes().splitlines(keepends=True)
        file.unlink()
        file.mkdir()
        for number, line in enumerate(lines):
            (file / f"part-{number}.csv").write_bytes(header + line)
        (file / "_SUCCESS").touch()


def mark_and_crlf(raw: RawFiles) -> None:
    for file in (raw.customers_file, raw.orders_file, raw.payments_file):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))


def turn_columns_round(raw: RawFiles) -> None:
    lines = [line.split(",")[::-1] for line in raw.payments_file.read_text().splitlines()]
    raw.payments_file.write_text("".join(",".join(line) + "\n" for line in lines))


def add_columns(raw: RawFiles) -> None:
    lines = raw.payments_file.read_text().splitlines()
    # One of them differs from ours by the case alone, which is the same to Spark.
    raw.payments_file.write_text("".join(f'"{n or "Order_ID"}",{line}\n' for n, line in enumerate(lines)))


@pytest.mark.long
@pytest.mark.parametrize("forms", [(turn_columns_round, gzip_all), (mark_and_crlf, cut_into_parts), (add_columns,)])
def test_the_form_of_the_files_does_not_matter(spark: SparkSession, raw: RawFiles, forms: tuple[Any, ...]) -> None:
    raw.write()
    for change in forms:
        change(raw)
    ran = run(raw)
    found = spark.read.parquet(str(ran.output / ran.pointer["tables"]["rfm"]))
    assert_same_rows(found, frame(spark, schemas.RFM, *WORKED_BY_HAND))


def test_a_folder_may_have_any_name(spark: SparkSession, tmp_path: Path) -> None:
    odd = RawFiles(tmp_path / "a b [1] {x,y} é dt=1 50%" / "in*put")
    odd.write()
    ran = run(odd)
    assert len(ran.rows(spark, "rfm")) == 2
    assert sorted(path.name for path in odd.folder.parent.iterdir()) == ["in*put", "output"]


def test_commas_quotes_and_line_breaks_inside_quotes_are_text(spark: SparkSession, raw: RawFiles) -> None:
    raw.customers[1] = '"c1","ann","09790","são ""p"",\npaulo",SP'
    raw.write()
    ran = run(raw)
    customers = spark.read.parquet(str(ran.output / ran.pointer["tables"]["customers"]))
    [first] = [row for row in customers.collect() if row["customer_id"] == key("c1")]
    assert first == (key("c1"), key("ann"), "09790", 'são "p",\npaulo', "SP")


def test_ingest_and_features_one_after_the_other_are_the_pipeline(
    spark: SparkSession, raw: RawFiles, tmp_path: Path
) -> None:
    raw.write()
    whole = run(raw)
    apart = tmp_path / "apart"
    common = ["--as-of", AS_OF, "--output", str(apart)]
    assert ingest.main([*common, "--input", str(raw.folder), "--run-id", f"{AS_OF}-checked"]) == 0
    assert not (apart / "current.json").exists()
    assert features.main([*common, "--checked-run", f"{AS_OF}-checked"]) == 0
    ran = Ran(apart)
    assert ran.content(spark) == whole.content(spark)
    assert ran.pointer["tables"]["orders"] == f"runs/{AS_OF}-checked/orders"
    assert ran.manifest["inputs"] == {"checked_run": f"{AS_OF}-checked"}
    assert ran.manifest["configuration_hash"] == whole.manifest["configuration_hash"]


def test_a_run_may_be_whole_and_not_the_one_that_readers_see(raw: RawFiles, tmp_path: Path) -> None:
    raw.write()
    output = tmp_path / "output"
    where = ["--as-of", AS_OF, "--input", str(raw.folder), "--output", str(output), "--run-id", f"{AS_OF}-first"]
    assert pipeline.main([*where, "--kmeans", "none", "--becomes-current", "no"]) == 0
    assert not (output / "current.json").exists()
    assert (output / "runs" / f"{AS_OF}-first" / "manifest.json").exists()
    shares = json.loads((output / "runs" / f"{AS_OF}-first" / "quality_shares.json").read_text())
    assert shares["tables"] == {table: {"share_quarantined": 0.0} for table in TABLES}
    assert segments.main(["--output", str(output), "--features-run", f"{AS_OF}-first", "--k", "2"]) == 0
    assert set(TABLES) < set(Ran(output).pointer["tables"])


@pytest.mark.long
def test_features_go_on_from_the_current_run_with_another_date(spark: SparkSession, raw: RawFiles) -> None:
    raw.write()
    first = run(raw)
    assert features.main(["--as-of", "2018-02-28", "--output", str(first.output)]) == 0
    second = Ran(first.output)
    assert second.pointer["tables"]["orders"] == first.pointer["tables"]["orders"]
    found = spark.read.parquet(str(second.output / second.pointer["tables"]["rfm"]))
    totals = {row["customer_unique_id"]: row["total_value"] for row in found.collect()}
    assert totals == {key("ann"): money("15.50"), key("bob"): money("5")}
    assert second.manifest["totals"]["left out: purchased_after_as_of"] == {"rows": 1, "money": "20.0000"}


def test_features_without_a_run_to_start_from_say_what_to_do(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert features.main(["--as-of", AS_OF, "--output", str(tmp_path)]) == 2
    assert "no current run there" in capfd.readouterr().err
    assert features.main(["--as-of", AS_OF, "--output", str(tmp_path), "--checked-run", "2018-01-01-x"]) == 2
    assert "run 2018-01-01-x in" in capfd.readouterr().err


def test_features_in_a_place_that_holds_no_runs_say_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    assert features.main(["--as-of", AS_OF, "--output", str(file)]) == 2
    assert "cannot be read as text (" in capfd.readouterr().err
    (tmp_path / "current.json").write_text("{}")
    assert features.main(["--as-of", AS_OF, "--output", str(tmp_path)]) == 3
    assert "names no run_id" in capfd.readouterr().err


def test_a_row_that_is_refused_takes_no_good_row_with_it(raw: RawFiles) -> None:
    # A copy of o1's first payment with a field too many, and a copy that is cut off.
    raw.payments += ['"o1",1,credit_card,3,10.00,extra', '"o1",1,credit_card']
    raw.write()
    manifest = run(raw).manifest
    assert manifest["totals"]["payments"] == {"rows": 4, "money": "40.5000"}
    assert manifest["quality"]["tables"]["payments"]["broken"] == {
        "has_all_fields": 2,
        "not_null(payment_value)": 1,
        "between(payment_installments)": 1,
    }


@pytest.mark.long
def test_one_payment_written_in_two_ways_is_not_taken_twice(raw: RawFiles) -> None:
    raw.payments.append('"o2",01,boleto,1,20.00')
    raw.write()
    manifest = run(raw).manifest
    assert manifest["totals"]["payments"] == {"rows": 3, "money": "20.5000"}
    assert manifest["quality"]["tables"]["payments"]["broken"] == {"unique(order_id, payment_sequential)": 2}


@pytest.mark.long
def test_a_card_that_a_run_fitted_gives_the_same_figures_when_it_is_applied(spark: SparkSession, raw: RawFiles) -> None:
    raw.write()
    fitted = run(raw)
    card = fitted.output / fitted.manifest["score_card"]["file"]
    applied = run(raw, "--card", str(card))
    assert applied.content(spark) == fitted.content(spark)
    assert applied.manifest["score_card"]["customers_outside_its_range"] == 0


def test_customers_outside_a_cards_range_are_counted(raw: RawFiles) -> None:
    raw.write()
    # 16 and 21 weeks are less than the workshop's 161, so both figures are below 0.
    assert run(raw, "--card", "workshop-2021").manifest["score_card"]["customers_outside_its_range"] == 2


def test_the_workshops_way_says_what_it_loses(raw: RawFiles) -> None:
    raw.write()
    manifest = run(raw, "--purchase-value", "any").manifest
    assert manifest["totals"]["purchases"] == {"rows": 3, "money": "35.0000"}
    assert manifest["totals"]["left out: other payments of the purchase"] == {"rows": 1, "money": "5.5000"}


def test_every_payment_that_is_not_refused_belongs_to_a_customer_in_rfm(spark: SparkSession, raw: RawFiles) -> None:
    raw.customers[2] = '"c2",,"09790",sao paulo,SP'
    raw.write()
    ran = run(raw)
    # c2 has no person, so its order o2 follows it into quarantine, and o2's payment follows the order.
    found = ran.manifest["quality"]["tables"]
    assert found["customers"]["broken"] == {"not_null(customer_unique_id)": 1}
    assert found["orders"]["broken"] == {"refers_to(customer_id)": 1}
    assert found["payments"]["broken"] == {"refers_to(order_id)": 1}
    assert [found[table]["of_these_followers"] for table in ("customers", "orders", "payments")] == [0, 1, 1]
    assert ran.manifest["totals"]["rfm"] == {"rows": 2, "money": "20.5000"}
    assert len(ran.rows(spark, "quarantine/payments")) == 1
