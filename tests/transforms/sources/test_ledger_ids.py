"""The key of a ledger's row: the id that it has, or one that depends on nothing but its content."""

from collections import Counter
from typing import Any

from pyspark.sql import SparkSession

from tests.frames import at, money
from tests.transforms.sources.ledgers import NAMES, ledger, mapping
from transforms.sources.ledger import with_ids
from transforms.sources.mapping import LedgerMapping

MORNING, NOON = at("2018-01-01 10:00:00"), at("2018-01-01 12:00:00")


def keyed(spark: SparkSession, of: LedgerMapping, *rows: tuple[Any, ...], partitions: int = 1) -> list[tuple[Any, ...]]:
    """Each row after its key, in the order of the keys."""
    spread = ledger(spark, of, *rows).repartition(partitions)
    key = ["order_id", "payment_sequential"]
    columns = [name for name in of.columns if name != "order_id"]
    return sorted(map(tuple, with_ids(ledger=spread, mapping=of).select(*key, *columns).collect()), key=str)


def test_the_id_of_a_transaction_is_its_key(spark: SparkSession) -> None:
    rows = [("t2", "ann", NOON, money("1")), ("t1", "ann", NOON, money("1"))]
    assert [row[:2] for row in keyed(spark, mapping(), *rows)] == [("t1", 1), ("t2", 1)]


def test_the_rows_of_an_order_are_numbered_by_their_time_and_then_by_their_content(spark: SparkSession) -> None:
    of = LedgerMapping(**NAMES, order_id_col="invoice", channel_col="channel")
    rows = [
        ("o1", "bob", NOON, money("2"), "web"),
        ("o1", "ann", NOON, money("10"), "web"),
        ("o1", "ann", NOON, money("9"), None),
        ("o1", "zoe", MORNING, money("99"), "web"),
        ("o2", "ann", NOON, money("5"), "web"),
        ("o2", "ann", NOON, money("5"), "web"),
    ]
    numbered = [
        ("o1", 1, "zoe", MORNING, money("99"), "web"),
        ("o1", 2, "ann", NOON, money("9"), None),
        ("o1", 3, "ann", NOON, money("10"), "web"),
        ("o1", 4, "bob", NOON, money("2"), "web"),
        ("o2", 1, "ann", NOON, money("5"), "web"),
        ("o2", 2, "ann", NOON, money("5"), "web"),
    ]
    assert keyed(spark, of, *rows) == numbered
    assert keyed(spark, of, *reversed(rows), partitions=5) == numbered


def test_rows_without_an_id_get_one_of_their_content_and_equal_rows_are_numbered(spark: SparkSession) -> None:
    of = LedgerMapping(**NAMES, channel_col="channel")
    rows = [
        *[("ann", NOON, money("5"), "web")] * 3,
        ("ann", NOON, money("5"), None),
        ("ann", NOON, money("5"), ""),
        (None, NOON, money("5"), "web"),
        ("ann", MORNING, money("5"), "web"),
        ("ann", NOON, money("5.0001"), "web"),
        # Line breaks stand between the columns in what is hashed.
        ("ann\nweb", NOON, money("5"), "x"),
        ("ann", NOON, money("5"), "web\nx"),
    ]
    one_way = keyed(spark, of, *rows)
    assert one_way == keyed(spark, of, *reversed(rows), partitions=7)
    assert sorted(Counter(row[0] for row in one_way).values()) == [1, 1, 1, 1, 1, 1, 1, 3]
    assert sorted(row[1] for row in one_way if row[2:] == rows[0]) == [1, 2, 3]
    assert len({row[:2] for row in one_way}) == len(rows)
    assert {len(row[0]) for row in one_way} == {32}
    # A row more does not change the ids of the others.
    more = keyed(spark, of, ("eve", NOON, money("1"), "web"), *rows)
    assert {*one_way} < {*more}
    assert len(more) == len(rows) + 1
