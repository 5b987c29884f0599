"""Replay: which corrected rows replace quarantined ones, and which rows stay quarantined."""

import pytest
from pyspark.sql import DataFrame, SparkSession

from expectations.contracts.olist import PAYMENTS
from expectations.validation.replay import Replay, plan_replay
from tests.expectations.validation.raw_rows import raw_rows
from tests.frames import frame, money
from transforms import schemas

MALFORMED = ("has_all_fields", None, "o5,1", "expected as many fields as the header has")
NOT_A_NUMBER = ("parses_as", "payment_value", "x", "expected a number")
BAD_KEY = ("matches", "order_id", "o-3", "expected a text that matches ^[0-9a-f]{32}$")
COPY = ("unique", "order_id, payment_sequential", "o1, 1", "an exact copy of a row that was taken")


@pytest.fixture(scope="module")
def sorted_out(spark: SparkSession) -> Replay:
    """Five quarantined payments, each in another position, beside one accepted payment."""
    quarantined = frame(
        spark,
        PAYMENTS.quarantine_schema,
        ("o1", "1", "boleto", "1", "10", "old.csv", [COPY]),
        ("o2", "1", "boleto", "1", "x", "old.csv", [NOT_A_NUMBER]),
        ("o-3", "1", "boleto", "1", "30", "old.csv", [BAD_KEY]),
        ("o4", "1", "boleto", "1", "x", "old.csv", [NOT_A_NUMBER]),
        ("o5", "1", None, None, None, "old.csv", [MALFORMED]),
    )
    corrected = raw_rows(
        spark,
        PAYMENTS,
        ("o1", "1", "boleto", "1", "10"),
        ("o2", "01", "boleto", "1", "20"),
        ("o3", "1", "boleto", "1", "30"),
        ("o9", "1", "boleto", "1", "90"),
    )
    reused = frame(spark, schemas.PAYMENTS, ("o1", 1, "boleto", 1, money("10")))
    return plan_replay(corrected=corrected, quarantined=quarantined, reused=reused, contract=PAYMENTS)


def ids(rows: DataFrame) -> list[tuple[str, str]]:
    return sorted((row["order_id"], row["source_file"]) for row in rows.collect())


def test_a_row_is_replaced_by_the_row_with_its_key_or_with_its_content_if_its_key_was_at_fault(
    sorted_out: Replay,
) -> None:
    replaced = [order for order in ids(sorted_out.revalidated) if order[1] == "file.csv"]
    assert replaced == [("o2", "file.csv"), ("o3", "file.csv")]


def test_a_row_without_a_replacement_is_validated_again_with_the_text_of_its_fault(sorted_out: Replay) -> None:
    rows = [row for row in sorted_out.revalidated.collect() if row["source_file"] == "old.csv"]
    assert sorted((row["order_id"], row["malformed_row"]) for row in rows) == [("o4", None), ("o5", "o5,1")]


def test_a_copy_of_an_accepted_row_stays_quarantined(sorted_out: Replay) -> None:
    assert ids(sorted_out.unresolved) == [("o1", "old.csv")]
    assert sorted_out.unresolved.schema == PAYMENTS.quarantine_schema
