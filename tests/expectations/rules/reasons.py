"""The reasons that a rule gives for rows that a test writes down in a line."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.types import DataType, IntegerType, StringType, TimestampType

from expectations.rules import Cells, RowRule, Rule
from tests.frames import frame

MARKS = (
    "malformed_row string, undecoded_row string, ill_quoted_row string, source_file string, "
    "a_accepted_in_orders boolean, a_quarantined_in_orders boolean"
)
TEXT, WHOLE, TIME = StringType(), IntegerType(), TimestampType()


def raw_columns(a: DataType = TEXT, b: DataType = TEXT) -> Cells:
    """Columns a and b of a raw table, whose texts stand for values of these types."""
    return Cells({"a": a, "b": b}, are_text=True)


def reasons_of(spark: SparkSession, rule: Rule, cells: Cells, *rows: dict[str, Any]) -> list[Any]:
    """For each row the reason of the rule, or None if the row passes. Its check alone must tell the same rows."""
    types = [f"{name} {'string' if cells.are_text else kind.simpleString()}" for name, kind in cells.types.items()]
    names = [*cells.types, *(mark.split()[0] for mark in MARKS.split(", "))]
    numbered = [(number, *[row.get(name) for name in names]) for number, row in enumerate(rows)]
    rows_of_cells = frame(spark, ", ".join(["number int", *types, MARKS]), *numbered)
    fails = rule.fails(cells) if isinstance(rule, RowRule) else rule.reason(cells).isNotNull()
    evaluated = rows_of_cells.select("number", rule.reason(cells).alias("reason"), fails.alias("fails")).collect()
    assert [row["fails"] for row in evaluated] == [row["reason"] is not None for row in evaluated]
    return [row["reason"] for row in sorted(evaluated, key=lambda row: row["number"])]


def table_reasons_of(spark: SparkSession, texts: Sequence[str | None], *rules: Rule) -> list[Any]:
    """For each rule about the table its reason, or None if the table passes. The texts stand for whole numbers."""
    reasons = [rule.reason(raw_columns(WHOLE)).alias(rule.label) for rule in rules]
    column = frame(spark, "a string", *[(text,) for text in texts])
    return list(column.select(*reasons).collect()[0])


def texts(*texts: str | None) -> list[dict[str, Any]]:
    """One row for each text, in column a."""
    return [{"a": text} for text in texts]
