"""Duplicate keys: copies and conflicts."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from expectations.contracts.computed import PURCHASES
from expectations.contracts.olist import CUSTOMERS, PAYMENTS
from expectations.validation.duplicate_keys import duplicate_keys, reject_duplicate_keys, with_duplicate_key
from expectations.validation.rows import accepted, failing_value, quarantined, validate_rows
from tests.expectations.validation.raw_rows import raw_rows
from tests.frames import at, frame, money
from tests.raw_files import key
from transforms import schemas

C1, ANN = key("c1"), key("ann")


def test_one_of_several_copies_is_accepted_all_conflicting_rows_are_rejected_and_rejected_rows_do_not_compete(
    spark: SparkSession,
) -> None:
    c2, c3, c4 = key("c2"), key("c3"), key("c4")
    good = ("09790", "x", "SP")
    rows = [
        *[(C1, ANN, *good)] * 3,
        (c2, ANN, *good),
        (c2, key("bob"), *good),
        (c3, ANN, *good),
        (c3, ANN, "0979", "x", "SP"),
        (c4, ANN, *good),
    ]
    validated = validate_rows(raw=raw_rows(spark, CUSTOMERS, *rows), contract=CUSTOMERS, references={})
    [unique] = CUSTOMERS.uniques
    duplicates = duplicate_keys(rows=validated, unique=unique, contract=CUSTOMERS)
    assert sorted(row["key_0"] for row in duplicates.collect()) == sorted([C1, c2])
    validated = reject_duplicate_keys(
        validated=validated, unique=unique, contract=CUSTOMERS, duplicates=duplicates
    ).cache()
    accepted_rows = accepted(validated=validated, contract=CUSTOMERS).collect()
    assert sorted(row["customer_id"] for row in accepted_rows) == sorted([C1, c3, c4])
    rejected_rows = quarantined(validated=validated, contract=CUSTOMERS).collect()
    assert sorted((row["customer_id"], row["reasons"][0]["rule"]) for row in rejected_rows) == sorted(
        [(C1, "unique"), (C1, "unique"), (c2, "unique"), (c2, "unique"), (c3, "matches")]
    )


def test_a_row_with_a_duplicate_key_shows_what_else_it_fails(spark: SparkSession) -> None:
    order = key("o1")
    rows = [(order, "1", "gold", "1", "5.00"), (order, "1", "boleto", "1", "6.00")]
    validated = validate_rows(raw=raw_rows(spark, PAYMENTS, *rows), contract=PAYMENTS)
    [unique] = PAYMENTS.uniques
    duplicates = duplicate_keys(rows=validated, unique=unique, contract=PAYMENTS)
    rejected = reject_duplicate_keys(validated=validated, unique=unique, contract=PAYMENTS, duplicates=duplicates)
    [of_type] = [rule for rule in PAYMENTS.row_rules if rule.label == "in_set(payment_type)"]
    shown = rejected.select("payment_type", failing_value(unique), failing_value(of_type)).collect()
    assert sorted(map(tuple, shown)) == [("boleto", f"{order}, 1", None), ("gold", f"{order}, 1", "gold")]


def test_every_row_of_a_computed_table_with_a_duplicate_key_shows_that_key_and_null_equals_null(
    spark: SparkSession,
) -> None:
    noon = at("2018-01-01 12:00:00")
    rows = frame(
        spark,
        schemas.PURCHASES,
        ("ann", noon, money("1")),
        ("ann", noon, money("2")),
        ("bob", noon, money("3")),
        (None, noon, money("4")),
        (None, noon, money("5")),
    )
    [unique] = PURCHASES.uniques
    duplicates = duplicate_keys(rows=rows, unique=unique, contract=PURCHASES)
    marked = with_duplicate_key(rows=rows, unique=unique, contract=PURCHASES, duplicates=duplicates)
    shown = marked.select("value", F.col(f"`{unique.label}`")).collect()
    assert dict(map(tuple, shown)) == {
        money("1"): "ann, 2018-01-01 12:00:00",
        money("2"): "ann, 2018-01-01 12:00:00",
        money("3"): None,
        money("4"): "2018-01-01 12:00:00",
        money("5"): "2018-01-01 12:00:00",
    }
