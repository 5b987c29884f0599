"""Orders, people and returns of which rfm has no row: each is counted under its cause, and none vanishes."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.frames import at, money
from tests.jobs.complete_runs import run
from tests.manifests import totals_by_name
from tests.raw_files import RawFiles, key


def test_what_rfm_has_no_row_of_is_counted_by_cause_and_a_return_is_no_purchase(
    spark: SparkSession, raw: RawFiles, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    raw.customers += [
        '"c4","bob","20231",bahia,BA',  # who gave back more than nothing, later
        f'"c5",{key("cas")},"20231",bahia,BA',  # whose order has no payment
        f'"c6",{key("dan")},"20231",bahia,BA',  # who has no order
        f'"c7",{key("eva")},"20231",bahia,BA',  # who has nothing but a return
        f'"c8",{key("fay")},"20231",bahia,BA',  # who bought after the as-of date
    ]
    raw.orders += [
        '"o4","c4",delivered,2018-06-01 08:00:00,,,,',
        '"o5","c5",created,2018-06-01 08:00:00,,,,',
        '"o6","c7",delivered,2018-06-02 08:00:00,,,,',
        '"o7","c8",delivered,2018-07-01 00:00:00,,,,',
    ]
    # o4 has no payment of the number 1, so that the orders are counted exactly.
    raw.payments += ['"o4",2,voucher,1,-2.00', '"o6",1,voucher,1,-7.00', '"o7",1,boleto,1,9.00']
    rules = tmp_path / "rules.yml"
    rules.write_text("payments: {change: {between(payment_value): {low: -100000}}}\n")
    raw.write()
    ran = run(raw, "--rules", str(rules))

    rfm = spark.read.parquet(str(ran.output / ran.pointer["tables"]["rfm"]))
    [bob] = rfm.where("purchase_count = 1").collect()
    # One purchase, of 5.00 on the second of February. The return of June takes 2.00 from it, and is no visit.
    assert (bob["first_purchase_time"], bob["last_purchase_time"]) == (at("2018-02-02 08:00:00"),) * 2
    measures = ("customer_unique_id", "recency_weeks", "average_purchase_value", "total_value")
    assert tuple(bob[name] for name in measures) == (key("bob"), 21, money("3"), money("3"))

    totals = totals_by_name(ran.manifest)
    assert {name: figures["rows"] for name, figures in totals.items() if name.startswith(("orders", "customers "))} == {
        "orders read": 7,
        "orders": 7,
        "orders counted": 5,
        "orders excluded without_payments": 1,
        "orders excluded order_status_not_counted": 0,
        "orders excluded purchased_after_as_of": 1,
        "orders excluded purchased_before_window": 0,
        "customers read": 8,
        "customers counted": 8,
        "customers people": 6,
        "customers excluded returns_alone": 1,
        "customers excluded without_payments": 1,
        "customers excluded purchased_after_as_of": 1,
        "customers excluded without_orders": 1,
    }
    assert totals["purchases people"] == {"rows": 2}
    assert totals["purchases"] == {"rows": 5, "money": "31.5000"}
    assert totals["rfm measured"] == {"rows": 3, "money": "38.5000"}
    assert totals["purchases excluded returns_of_buyers"] == {"rows": 1, "money": "0.0000"}
    assert totals["purchases excluded returns_of_others"] == {"rows": 1, "money": "-7.0000"}
    # One of seven orders has no payment, which is more than the rule allows.
    assert list(ran.manifest["quality"]["tables"]["rfm"]["failed"]) == ["excluded_at_most(orders without payments)"]
    shown = capfd.readouterr().out
    assert "orders excluded: 1 rows (without payments)" in shown
    assert "customers excluded: 1 rows (without orders)" in shown
