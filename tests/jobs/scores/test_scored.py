"""Segments of a run: the card that it fits or takes over, a window, a user's map, and what the run says of them."""

from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs import features, pipeline
from tests.frames import at, money
from tests.jobs.complete_runs import AS_OF, Ran, run
from tests.manifests import total
from tests.raw_files import RawFiles, key

pytestmark = pytest.mark.usefixtures("spark")

OWN = """\
name: mine
segments:
  - {name: Best, code: A1, advice: Call., cells: [{m: 5}]}
  - {name: Rest, code: B1, advice: Write., cells: [{m: 1-4}]}
"""


@pytest.mark.long
def test_a_run_takes_over_card_and_window_of_the_current_run_and_takes_another_map(
    spark: SparkSession, raw: RawFiles, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    raw.write()
    # No run is current yet, so the card is fitted. Five months up to the last of June begin on the last of January.
    first = run(raw, "--card", "current", "--window-months", "5")
    check_first(first, spark, capfd.readouterr().out)
    own = tmp_path / "map.yml"
    own.write_text(OWN)
    options = ["--as-of", AS_OF, "--output", str(first.output), "--card", "current", "--segments", str(own)]
    assert features.main(options) == 0
    check_second(first, Ran(first.output), spark, capfd.readouterr().out)


def test_returns_alone_are_no_customers_to_score(
    raw: RawFiles, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("payments: {change: {between(payment_value): {low: -1000}}}\n")
    raw.payments[1:] = ['"o1",1,voucher,1,-7.00']
    where = ["--input", raw.write(), "--output", str(tmp_path / "output"), "--rules", str(rules)]
    assert pipeline.main(["--as-of", AS_OF, *where]) == 3
    message = capfd.readouterr().err
    assert "nobody bought anything as of 2018-06-30: found 1 rows worth -7.00 in purchases, all of them ret" in message


def check_first(ran: Ran, spark: SparkSession, shown: str) -> None:
    """See that ann's purchase of New Year's Day is excluded by name, and what the run says of one purchase each."""
    assert total(ran.manifest, "payments excluded purchased_before_window") == {"rows": 2, "money": "15.5000"}
    assert total(ran.manifest, "orders excluded purchased_before_window") == {"rows": 1}
    [ann] = rfm(ran, spark).where(f"customer_unique_id = '{key('ann')}'").collect()
    assert (ann["first_purchase_time"], ann["total_value"]) == (at("2018-03-04 09:30:00"), money("20"))
    card = ran.manifest["score_card"]
    assert (card["applied"], card["window_months"]) == (None, 5)
    assert card["degenerate"]["purchase_count"] == {
        "distinct_values": 1,
        "commonest_value": 1,
        "commonest_share": 1.0,
        "bands": 1,
        "fallback": "counts",
    }
    segments = {each["code"]: each for each in ran.manifest["segments"]["segments"]}
    # ann: 5, 1 and 5. bob: 1, 1 and 1. One cut point each, at the better of two days and the lower of two amounts.
    assert (segments["RM01"]["customers"], segments["RM01"]["revenue"]) == (1, "20.0000")
    assert segments["RM09"]["share_of_revenue"] == 0.2
    assert ran.manifest["sufficiency"]["verdict"] == "limited"
    assert "Segments of customers (recency x monetary)" in shown
    assert "score card: fitted to these customers, purchases of 5 months" in shown
    assert "purchase_count is degenerate: 1 distinct value, 100.0% of customers have 1; up to 1 scores 1; 2 sc" in shown
    assert "total_value is degenerate: 2 distinct values, 50.0% of customers have 5.00; up to 5.00 scores 1; " in shown
    assert "Recent big spenders: Thank them" in shown
    assert "Cooling medium spenders: " not in shown  # nobody is one
    assert "fewer than 500 customers" in shown


def check_second(first: Ran, second: Ran, spark: SparkSession, shown: str) -> None:
    """See the cut points and the window of the first card with the map of the user."""
    card = second.manifest["score_card"]
    name = first.manifest["run_id"]
    assert (card["applied"], card["name"]) == (name, f"{name}, with segment map mine")
    assert card["hash"] != first.manifest["score_card"]["hash"]
    assert total(second.manifest, "payments excluded purchased_before_window") == {"rows": 2, "money": "15.5000"}
    scores = ["customer_unique_id", "rfm_score", "r_band", "f_band", "m_band"]
    assert sorted(rfm(second, spark).select(scores).collect()) == sorted(rfm(first, spark).select(scores).collect())
    assert second.manifest["segments"]["map"]["name"] == "mine"
    assert [(each["name"], each["customers"]) for each in second.manifest["segments"]["segments"]] == [
        ("Best", 1),
        ("Rest", 1),
    ]
    assert f"score card: {name}, with segment map mine, feature scale minmax, purchases of 5 months" in shown
    assert "purchase_count is degenerate (customers of 2018-06-30): 1 distinct value" in shown
    assert second.manifest["configuration"]["card"] == {"name": card["name"], "hash": card["hash"]}


def rfm(ran: Ran, spark: SparkSession) -> DataFrame:
    return spark.read.parquet(str(ran.output / ran.pointer["tables"]["rfm"]))
