"""Keys that fail a rule about other rows, as they are found in the typed table."""

from collections.abc import Collection, Mapping

import pytest
from pyspark.sql import DataFrame, SparkSession

from expectations.contracts.olist import ORDERS, PAYMENTS
from expectations.validation.failing_keys import FailingKeys, failing_keys, failing_rules, keys_referred_to
from expectations.validation.rows import Reference, validate_rows
from tests.expectations.validation.raw_rows import raw_rows
from tests.frames import frame, money
from tests.raw_files import key
from transforms import schemas

O1, O2, O3, O9 = (key(name) for name in ("o1", "o2", "o3", "o9"))
REFERS, UNIQUE = "refers_to(order_id)", "unique(order_id, payment_sequential)"


@pytest.fixture(scope="module")
def references(spark: SparkSession) -> Mapping[str, Reference]:
    """Three accepted orders and a quarantined one."""
    orders = [(order, key("c1"), "delivered", *[None] * 5) for order in (O1, O2, O3)]
    rejected = frame(spark, ORDERS.quarantine_schema, (key("o8"), *[None] * 7, "file.csv", []))
    return {"orders": Reference(frame(spark, schemas.ORDERS, *orders), rejected)}


def payments(spark: SparkSession, *keys: tuple[str, int]) -> DataFrame:
    return frame(spark, schemas.PAYMENTS, *[(order, number, "boleto", 1, money("1")) for order, number in keys])


def search(table: DataFrame, references: Mapping[str, Reference], labels: Collection[str] | None = None) -> FailingKeys:
    if labels is None:
        rows = failing_rules(table=table, contract=PAYMENTS, references=references).collect()
        labels = {row["label"] for row in rows}
    return failing_keys(table=table, contract=PAYMENTS, references=references, labels=labels)


def keys_of(failing: FailingKeys) -> dict[str, list[tuple[object, ...]]]:
    return {rule.label: sorted(map(tuple, keys.collect())) for rule, keys in failing.by_rule.items()}


def test_no_key_fails_where_each_is_there_once_and_refers_to_an_accepted_row(
    spark: SparkSession, references: Mapping[str, Reference]
) -> None:
    assert not search(payments(spark, (O1, 1), (O1, 2), (O2, 1)), references).by_rule


def test_orphans_and_duplicates_are_found_and_an_orphan_does_not_compete(
    spark: SparkSession, references: Mapping[str, Reference]
) -> None:
    table = payments(spark, (O1, 1), (O2, 1), (O2, 1), (O3, 2), (O9, 1), (O9, 1), (key("o8"), 3))
    failing = search(table, references)
    assert keys_of(failing) == {REFERS: sorted([(O9,), (key("o8"),)]), UNIQUE: [(O2, 1)]}
    assert sorted(row["order_id"] for row in failing.rows_without(table).collect()) == sorted([O1, O3])


def test_a_hash_that_two_keys_share_makes_neither_of_them_fail(
    spark: SparkSession, references: Mapping[str, Reference]
) -> None:
    failing = search(payments(spark, (O1, 1), (O2, 1)), references, labels={UNIQUE})
    assert keys_of(failing) == {UNIQUE: []}


def test_one_of_several_copies_is_taken_of_the_rows_that_pass(
    spark: SparkSession, references: Mapping[str, Reference]
) -> None:
    failing = search(payments(spark, (O1, 1), (O2, 1), (O2, 1), (O3, 1), (O3, 1)), references)
    # All rows with the key of order 3 conflict, so that none of them passes.
    assert [row["order_id"] for row in failing.rows_taken(payments(spark, (O1, 1), (O2, 1))).collect()] == [O2]


def test_raw_rows_are_marked_by_the_value_of_their_key_whether_they_are_accepted_or_not(
    spark: SparkSession, references: Mapping[str, Reference]
) -> None:
    failing = search(payments(spark, (O2, 1), (O2, 1), (O9, 1)), references)
    rows = [
        (O1, "1", "boleto", "1", "1"),
        (O2, "01", "boleto", "1", "1"),
        (O2, "1", "boleto", "1", None),
        (O2, "2", "boleto", "1", "1"),
        (O9, "7", "boleto", "1", "1"),
        (None, "1", "boleto", "1", "1"),
    ]
    validated = validate_rows(raw=raw_rows(spark, PAYMENTS, *rows), contract=PAYMENTS)
    marked, has_failing_key = failing.marked(validated)
    with_key = marked.where(has_failing_key).select("order_id", "payment_sequential").collect()
    assert sorted(map(tuple, with_key)) == sorted([(O2, "01"), (O2, "1"), (O9, "7")])


def test_only_keys_that_rows_refer_to_are_looked_up(spark: SparkSession, references: Mapping[str, Reference]) -> None:
    rows = raw_rows(spark, PAYMENTS, *[(order, "1", "boleto", "1", "1") for order in (O1, O9, key("o8"), None)])
    [rule] = PAYMENTS.references
    few = keys_referred_to(rows=rows, rule=rule, reference=references["orders"])
    assert [row["order_id"] for row in few.accepted.collect()] == [O1]
    assert few.quarantined is not None
    assert [row["order_id"] for row in few.quarantined.collect()] == [key("o8")]
