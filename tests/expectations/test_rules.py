"""Every kind of rule: a row that passes, one that does not, and one with nothing there."""

from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StringType, StructField, TimestampType

from expectations.rules import HasAllFields, IsText, NotNull, ParsesAs, RefersTo, Rule, Unique, parsed
from tests.frames import at, money
from transforms.schemas import MONEY

ROW = "a string, b string, malformed_row string, found_in_orders boolean, source_file string, is_refused boolean"


def verdicts(spark: SparkSession, rule: Rule, *rows: dict[str, Any]) -> list[Any]:
    """For each row the reason that the rule gives, or None, in the order of the rows."""
    names = [part.split()[0] for part in ROW.split(", ")]
    numbered = [(*[row.get(name) for name in names], number) for number, row in enumerate(rows)]
    frame = spark.createDataFrame(numbered, ROW + ", number int")
    found = frame.select("number", rule.reason().alias("reason")).collect()
    return [row["reason"] for row in sorted(found, key=lambda row: row["number"])]


def test_a_value_is_required(spark: SparkSession) -> None:
    passes, fails = verdicts(spark, NotNull("a"), {"a": "x"}, {"a": None})
    assert passes is None
    assert fails == ("not_null", "a", None, "expected a value, found none")


def test_a_row_has_as_many_fields_as_the_header(spark: SparkSession) -> None:
    passes, fails = verdicts(spark, HasAllFields(3), {}, {"malformed_row": "1,2"})
    assert passes is None
    assert fails == ("has_all_fields", None, "1,2", "expected 3 fields, as in the header")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (IntegerType(), ["1", "-1", "+7", "007"], ["1.5", "1e3", "x", " 1", "2147483648", ""]),
        (
            MONEY,
            ["1", "-1.5", "0.0001", "99999999999999.9999", "99.9000000"],
            ["0.00001", "0.0000000000001", "99.90000000000001", "1e2", "100000000000000", "NaN", "R$ 1", " 1"],
        ),
        (
            TimestampType(),
            ["2018-02-28 00:00:00", "2020-02-29 23:59:59", "2018-01-01 00:00:00.5"],
            ["2018-02-29 00:00:00", "2018-01-01", "2018-01-01 24:00:00", "2018-01-01T00:00:00Z", "01/02/2018 10:00:00"],
        ),
    ],
    ids=["whole number", "money", "time"],
)
def test_text_parses_exactly_or_not_at_all(spark: SparkSession, kind: Any, good: list[str], bad: list[str]) -> None:
    rows = [{"a": text} for text in (*good, *bad, None)]
    found = verdicts(spark, ParsesAs("a", kind), *rows)
    assert found[: len(good)] == [None] * len(good)
    assert [reason and reason["value"] for reason in found[len(good) : -1]] == bad
    assert found[-1] is None


def test_what_a_text_stands_for(spark: SparkSession) -> None:
    texts = spark.createDataFrame([("7", "0.1", "2018-01-01 00:00:01", "")], "i string, m string, t string, s string")
    columns = [
        parsed(F.col("i"), IntegerType()),
        parsed(F.col("m"), MONEY),
        parsed(F.col("t"), TimestampType()),
        parsed(F.col("s"), StringType()),
    ]
    assert texts.select(*columns).first() == (7, money("0.1"), at("2018-01-01 00:00:01"), "")


def test_a_reference_is_found_or_not_and_none_is_not_its_matter(spark: SparkSession) -> None:
    passes, fails, nothing = verdicts(
        spark,
        RefersTo("a", table="orders", key="order_id"),
        {"a": "o1", "found_in_orders": True},
        {"a": "o9", "found_in_orders": None},
        {"a": None, "found_in_orders": None},
    )
    assert passes is None
    assert fails == ("refers_to", "a", "o9", "expected the order_id of an accepted row of orders")
    assert nothing is None


def test_bytes_that_are_no_utf_8_are_refused_with_the_row(spark: SparkSession) -> None:
    passes, fails, nothing = verdicts(spark, IsText(("a", "b")), {"a": "s\u00e3o"}, {"a": "s\ufffdo", "b": "x"}, {})
    assert passes is None
    assert fails == ("is_text", None, "s\ufffdo,x", "expected UTF-8, found other bytes")
    assert nothing is None


TEXT, NUMBER = StructField("a", StringType()), StructField("b", IntegerType())
CONFLICT = "expected one row with this key, found several that differ; none was taken"
COPY = "an exact copy of a row that was taken"


def messages(found: list[Any]) -> list[str | None]:
    return [reason and reason["message"] for reason in found]


def row(a: str, b: str | None, *, is_refused: bool = False) -> dict[str, Any]:
    return {"a": a, "b": b, "is_refused": is_refused}


def test_of_exact_copies_one_passes(spark: SparkSession) -> None:
    found = verdicts(spark, Unique((TEXT,), ("a", "b")), *[row("k", "1")] * 3, row("l", "1"))
    assert sorted(map(str, messages(found[:3]))) == sorted(map(str, [None, COPY, COPY]))
    assert found[3] is None
    assert {reason["value"] for reason in found if reason} == {"k"}


def test_of_rows_that_share_a_key_and_differ_none_passes_not_even_copies(spark: SparkSession) -> None:
    found = verdicts(spark, Unique((TEXT,), ("a", "b")), row("k", "1"), row("k", "1"), row("k", None))
    assert messages(found) == [CONFLICT] * 3


def test_a_key_is_what_its_text_stands_for(spark: SparkSession) -> None:
    found = verdicts(spark, Unique((TEXT, NUMBER), ("a", "b")), row("o1", "1"), row("o1", "01"), row("o1", "2"))
    assert messages(found) == [CONFLICT, CONFLICT, None]


def test_a_row_that_was_refused_is_nobodys_rival(spark: SparkSession) -> None:
    rule = Unique((TEXT,), ("a", "b"))
    refused = row("k", "1", is_refused=True)
    other = row("k", "2", is_refused=True)
    assert messages(verdicts(spark, rule, row("k", "1"), refused, other)) == [None, None, None]
