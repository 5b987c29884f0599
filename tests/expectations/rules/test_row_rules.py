"""Rules about a row as a whole, or about a row and other rows."""

from pyspark.sql import SparkSession

from expectations import rules
from tests.expectations.rules.reasons import TEXT, WHOLE, raw_columns, reasons_of

FIELDS = "expected as many fields as the header has, each quote closed on its line"


def test_a_row_has_as_many_fields_as_the_header(spark: SparkSession) -> None:
    reasons = reasons_of(spark, rules.HasAllFields(), raw_columns(), {"a": "1"}, {"malformed_row": "1,2,3"}, {})
    assert reasons == [None, ("has_all_fields", None, "1,2,3", FIELDS), None]


def test_bytes_that_are_not_utf_8_fail_with_the_row_as_text(spark: SparkSession) -> None:
    # A replacement character that stands in the file is text as any other.
    rows = [{"a": "s\u00e3o"}, {"a": "s\ufffdo"}, {"a": "s\ufffdo", "undecoded_row": "s\ufffdo,x"}]
    reasons = reasons_of(spark, rules.IsText(), raw_columns(), *rows)
    assert reasons == [None, None, ("is_text", None, "s\ufffdo,x", "expected UTF-8, found other bytes")]


def test_a_row_in_another_dialect_fails_with_its_text(spark: SparkSession) -> None:
    rows = [{"a": 'rio "de" janeiro'}, {"a": "x", "ill_quoted_row": r'"rio \"de\" janeiro"'}]
    message = "expected quotes around a field only, doubled inside (RFC 4180)"
    reasons = reasons_of(spark, rules.IsWellQuoted(), raw_columns(), *rows)
    assert reasons == [None, ("is_well_quoted", None, r'"rio \"de\" janeiro"', message)]


def test_a_reference_is_to_an_accepted_row_and_null_passes(spark: SparkSession) -> None:
    rule = rules.RefersTo("a", table="orders", key="order_id")
    rows = [("o1", True, None), ("o9", None, None), ("o9", None, False), (None, None, None)]
    marked = [dict(zip(("a", rule.accepted_mark, rule.quarantined_mark), row, strict=True)) for row in rows]
    orphaned = ("refers_to", "a", "o9", "expected the order_id of an accepted row of orders")
    assert reasons_of(spark, rule, raw_columns(), *marked) == [None, orphaned, orphaned, None]


def test_a_rejection_cascades_unless_a_copy_of_the_quarantined_row_was_accepted(spark: SparkSession) -> None:
    rule = rules.RefersTo("a", table="orders", key="order_id")
    cascaded = {"a": "o2", rule.accepted_mark: None, rule.quarantined_mark: True}
    of_a_copy = {"a": "o3", rule.accepted_mark: True, rule.quarantined_mark: True}
    message = "expected the order_id of an accepted row of orders; that row was quarantined"
    assert reasons_of(spark, rule, raw_columns(), cascaded, of_a_copy) == [("follows", "a", "o2", message), None]


CONFLICT = "expected one row with this key, found several that differ; none was taken"
COPY = "an exact copy of a row that was taken"


def test_the_copy_of_the_first_file_passes_and_conflicting_rows_all_fail(spark: SparkSession) -> None:
    copies = [{"a": "k", "b": "1", "source_file": file} for file in ("2.csv", "1.csv", "3.csv")]
    differing = [{"a": "l", "b": b, "source_file": "1.csv"} for b in ("1", "1", None)]
    reasons = reasons_of(
        spark, rules.Unique(("a",)), raw_columns(), *copies, *differing, {"a": "m", "source_file": "1.csv"}
    )
    copy, conflict = ("unique", "a", "k", COPY), ("unique", "a", "l", CONFLICT)
    assert reasons == [copy, None, copy, *[conflict] * 3, None]


def test_keys_are_compared_as_values(spark: SparkSession) -> None:
    rows = [{"a": "o1", "b": b} for b in ("1", "01", "2", "+2", "3")]
    reasons = reasons_of(spark, rules.Unique(("a", "b")), raw_columns(TEXT, WHOLE), *rows)
    conflicts = [("unique", "a, b", shown, CONFLICT) for shown in ("o1, 1", "o1, 01", "o1, 2", "o1, +2")]
    assert reasons == [*conflicts, None]
