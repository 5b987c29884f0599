"""Every kind of rule: rows that keep it, rows that do not and why, and rows with nothing there."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, IntegerType, StringType, TimestampType

from expectations import rules
from expectations.contracts.olist import CUSTOMERS
from expectations.rules import Cells, Rule
from expectations.rules.text import parsed
from tests.frames import at, money
from transforms.schemas import MONEY

MARKS = "malformed_row string, a_found_in_orders boolean, a_quarantined_in_orders boolean, source_file string"
TEXT, WHOLE, TIME = StringType(), IntegerType(), TimestampType()


def raw(a: DataType = TEXT, b: DataType = TEXT) -> Cells:
    """The columns of a raw table, whose texts stand for values of these types."""
    return Cells({"a": a, "b": b}, are_text=True)


def verdicts(spark: SparkSession, rule: Rule, cells: Cells, *rows: dict[str, Any]) -> list[Any]:
    """For each row the reason that the rule gives, or None, in the order of the rows."""
    types = [f"{name} {'string' if cells.are_text else kind.simpleString()}" for name, kind in cells.types.items()]
    names = [*cells.types, *(part.split()[0] for part in MARKS.split(", "))]
    numbered = [(number, *[row.get(name) for name in names]) for number, row in enumerate(rows)]
    frame = spark.createDataFrame(numbered, ", ".join(["number int", *types, MARKS]))
    found = frame.select("number", rule.reason(cells).alias("reason")).collect()
    return [row["reason"] for row in sorted(found, key=lambda row: row["number"])]


def on_all(spark: SparkSession, texts: Sequence[str | None], *table_rules: Rule) -> list[Any]:
    """The reason that each rule about all rows gives, or None."""
    reasons = [rule.reason(raw(WHOLE)).alias(rule.label) for rule in table_rules]
    frame = spark.createDataFrame([(text,) for text in texts], "a string")
    return list(frame.select(*reasons).collect()[0])


def of_a(*texts: str | None) -> list[dict[str, Any]]:
    return [{"a": text} for text in texts]


def test_a_value_is_required(spark: SparkSession) -> None:
    found = verdicts(spark, rules.NotNull("a"), raw(), *of_a("x", "", None))
    assert found == [None, None, ("not_null", "a", None, "expected a value, found none")]


def test_a_row_has_as_many_fields_as_the_header(spark: SparkSession) -> None:
    found = verdicts(spark, rules.HasAllFields(), raw(), {"a": "1"}, {"malformed_row": "1,2,3"}, {})
    assert found == [None, ("has_all_fields", None, "1,2,3", "expected as many fields as the header has"), None]


def test_bytes_that_are_no_utf_8_are_refused_with_the_row(spark: SparkSession) -> None:
    rows = [{"a": "s\u00e3o"}, {"a": "s\ufffdo", "b": "x"}, {"a": None, "b": "\ufffd"}, {}]
    found = verdicts(spark, rules.IsText(("a", "b")), raw(), *rows)
    message = "expected UTF-8, found other bytes"
    assert found == [None, ("is_text", None, "s\ufffdo,x", message), ("is_text", None, "\ufffd", message), None]


GOOD_TEXTS = {
    WHOLE: ["1", "-1", "+7", "007", "2147483647"],
    MONEY: ["1", "-1.5", "0.0001", "99999999999999.9999", "99.9000000"],
    TIME: ["2018-02-28 00:00:00", "2020-02-29 23:59:59", "2018-01-01 00:00:00.5"],
}
BAD_TEXTS = {
    WHOLE: ["1.5", "1e3", "x", " 1", "1 ", "1\n", "1\r", "2147483648", "", "\u0661"],
    MONEY: ["0.00001", "0.0000000000001", "100000000000000", "1e2", "NaN", "R$ 1", " 1", "1\n"],
    TIME: ["2018-02-29 00:00:00", "2018-01-01", "2018-01-01 24:00:00", "2018-01-01 00:00:00\n", "01/02/2018 10:00:00"],
}
FORMS = {
    WHOLE: "expected a whole number of at most 2,147,483,647",
    MONEY: "expected a number with at most 14 digits before the point and 4 after it",
    TIME: "expected a time such as 2018-10-17 17:30:18",
}


@pytest.mark.parametrize("kind", [WHOLE, MONEY, TIME], ids=["whole number", "money", "time"])
def test_text_parses_exactly_or_not_at_all(spark: SparkSession, kind: DataType) -> None:
    good, bad = GOOD_TEXTS[kind], BAD_TEXTS[kind]
    found = verdicts(spark, rules.ParsesAs("a", kind), raw(kind), *of_a(*good, None, *bad))
    refused = [("parses_as", "a", text, FORMS[kind]) for text in bad]
    assert found == [*[None] * len(good), None, *refused]


def test_what_a_text_stands_for(spark: SparkSession) -> None:
    texts = spark.createDataFrame([("7", "0.1", "2018-01-01 00:00:01", "")], "i string, m string, t string, s string")
    columns = [parsed(F.col(name), kind) for name, kind in (("i", WHOLE), ("m", MONEY), ("t", TIME), ("s", TEXT))]
    assert texts.select(*columns).first() == (7, money("0.1"), at("2018-01-01 00:00:01"), "")


def test_a_text_matches_an_expression(spark: SparkSession) -> None:
    bad, message = ("1", "123", "x", "", None), "expected a text that matches ^[0-9]{2}$"
    found = verdicts(spark, rules.Matches("a", "^[0-9]{2}$"), raw(), *of_a("12", *bad))
    assert found == [None, *[("matches", "a", text, message) for text in bad]]
    anywhere = rules.Matches("a", "(?<digit>[0-9])", null_passes=True)
    assert verdicts(spark, anywhere, raw(), *of_a("x1y", None)) == [None, None]


@pytest.mark.parametrize(("column", "good"), [("customer_id", "0123abcd" * 4), ("customer_zip_code_prefix", "09790")])
def test_a_line_end_behind_a_key_or_a_zip_code_is_not_overlooked(spark: SparkSession, column: str, good: str) -> None:
    rule = CUSTOMERS.rule(f"matches({column})")
    assert rule is not None
    rows = [{column: text} for text in (good, f"{good}\n", f"{good}\r", f"{good}\u2028")]
    found = verdicts(spark, rule, Cells({column: TEXT}, are_text=True), *rows)
    assert [reason is None for reason in found] == [True, False, False, False]


def test_a_text_is_one_of_a_set(spark: SparkSession) -> None:
    found = verdicts(spark, rules.InSet("a", ("SP", "BA")), raw(), *of_a("SP", "BA", "sp", "", None))
    assert found == [None, None, *[("in_set", "a", text, "expected one of SP, BA") for text in ("sp", "", None)]]
    assert verdicts(spark, rules.InSet("a", ("SP",), null_passes=True), raw(), *of_a("SP", None)) == [None, None]


def test_a_number_is_between_its_bounds_which_are_in_it(spark: SparkSession) -> None:
    texts = of_a("0", "10.0000", "-0.0001", "10.0001", None)
    found = verdicts(spark, rules.Between("a", low=0, high=10), raw(MONEY), *texts)
    message = "expected at least 0 and at most 10"
    assert found == [None, None, *[("between", "a", row["a"], message) for row in texts[2:]]]
    found = verdicts(spark, rules.Between("a", low=1, null_passes=True), raw(WHOLE), *of_a("1", None, "0"))
    assert found == [None, None, ("between", "a", "0", "expected at least 1")]
    # What is no number is refused for that, and not a second time.
    assert verdicts(spark, rules.Between("a", low=0), raw(WHOLE), *of_a("one")) == [None]


def test_a_time_is_bounded_by_days_of_which_the_last_one_counts_to_its_end(spark: SparkSession) -> None:
    rule = rules.Between("a", low=date(2016, 1, 1), high=date(2018, 12, 31))
    good = ["2016-01-01 00:00:00", "2018-12-31 23:59:59.999999"]
    bad = ["2015-12-31 23:59:59.999999", "2019-01-01 00:00:00", None]
    message = "expected at least 2016-01-01 and at most 2018-12-31"
    found = verdicts(spark, rule, raw(TIME), *of_a(*good, *bad))
    assert found == [None, None, *[("between", "a", text, message) for text in bad]]


def test_a_time_does_not_come_after_another(spark: SparkSession) -> None:
    early, late = "2018-01-01 00:00:00", "2018-01-01 00:00:01"
    good = [(early, other) for other in (late, early, None, "x")]
    rows = [{"a": a, "b": b} for a, b in (*good, (late, early), (None, late), (None, None))]
    reasons = [("not_after", "a, b", shown, "expected a not after b") for shown in (f"{late}, {early}", late, "")]
    times = raw(TIME, TIME)
    assert verdicts(spark, rules.NotAfter("a", "b"), times, *rows) == [*[None] * 4, *reasons]
    passes_null = rules.NotAfter("a", "b", null_passes=True)
    assert verdicts(spark, passes_null, times, *rows) == [*[None] * 4, reasons[0], None, None]


def test_a_reference_is_to_an_accepted_row_and_none_is_not_its_matter(spark: SparkSession) -> None:
    rule = rules.RefersTo("a", table="orders", key="order_id")
    rows = [("o1", True, None), ("o9", None, None), ("o9", None, False), (None, None, None)]
    marked = [dict(zip(("a", rule.found, rule.quarantined), row, strict=True)) for row in rows]
    orphan = ("refers_to", "a", "o9", "expected the order_id of an accepted row of orders")
    assert verdicts(spark, rule, raw(), *marked) == [None, orphan, orphan, None]


def test_a_row_follows_a_quarantined_one_unless_that_ones_twin_was_accepted(spark: SparkSession) -> None:
    rule = rules.RefersTo("a", table="orders", key="order_id")
    follower = {"a": "o2", rule.found: None, rule.quarantined: True}
    of_a_twin = {"a": "o3", rule.found: True, rule.quarantined: True}
    message = "expected the order_id of an accepted row of orders; that row was quarantined"
    assert verdicts(spark, rule, raw(), follower, of_a_twin) == [("follows", "a", "o2", message), None]


CONFLICT = "expected one row with this key, found several that differ; none was taken"
COPY = "an exact copy of a row that was taken"


def test_of_exact_copies_the_one_of_the_first_file_passes_and_of_rows_that_differ_none(spark: SparkSession) -> None:
    copies = [{"a": "k", "b": "1", "source_file": file} for file in ("2.csv", "1.csv", "3.csv")]
    differing = [{"a": "l", "b": b, "source_file": "1.csv"} for b in ("1", "1", None)]
    found = verdicts(spark, rules.Unique(("a",)), raw(), *copies, *differing, {"a": "m", "source_file": "1.csv"})
    copy, conflict = ("unique", "a", "k", COPY), ("unique", "a", "l", CONFLICT)
    assert found == [copy, None, copy, *[conflict] * 3, None]


def test_a_key_is_what_its_text_stands_for(spark: SparkSession) -> None:
    rows = [{"a": "o1", "b": b} for b in ("1", "01", "2", "+2", "3")]
    found = verdicts(spark, rules.Unique(("a", "b")), raw(TEXT, WHOLE), *rows)
    conflicts = [("unique", "a, b", shown, CONFLICT) for shown in ("o1, 1", "o1, 01", "o1, 2", "o1, +2")]
    assert found == [*conflicts, None]


ONE_OF_FOUR_IS_NULL = ("1", "2", "no number", None)


def test_a_table_has_as_many_rows_as_are_expected(spark: SparkSession) -> None:
    exactly, many = rules.RowCountBetween(low=4, high=4), rules.RowCountBetween(low=5)
    found = on_all(spark, ONE_OF_FOUR_IS_NULL, exactly, many, rules.RowCountBetween(low=1, high=1, of="orders"))
    as_many = "expected at least 1 and at most 1 rows, as many as orders"
    few, too_many = "expected at least 5 rows", ("row_count_between", "orders", "4", as_many)
    assert found == [None, ("row_count_between", None, "4", few), too_many]


def test_nothing_stands_in_a_column_in_at_most_a_share_of_the_rows(spark: SparkSession) -> None:
    strict, generous = rules.NullShareAtMost("a", 0.2), rules.NullShareAtMost("a", 1)
    message = "expected no value in at most 20.00% of the rows"
    found = on_all(spark, ONE_OF_FOUR_IS_NULL, rules.NullShareAtMost("a", 0.25), strict)
    assert found == [None, ("null_share_at_most", "a", "0.25", message)]
    assert on_all(spark, (None, None), generous, strict) == [None, ("null_share_at_most", "a", "1.0", message)]


def test_the_mean_is_that_of_the_values_there_are_and_without_any_there_is_none(spark: SparkSession) -> None:
    exactly, high = rules.MeanBetween("a", low=1.5, high=1.5), rules.MeanBetween("a", low=2)
    low = rules.MeanBetween("a", high=1)
    wrong = [("mean_between", "a", "1.5", f"expected a mean of {bound}") for bound in ("at least 2", "at most 1")]
    assert on_all(spark, ONE_OF_FOUR_IS_NULL, exactly, high, low) == [None, *wrong]
    assert on_all(spark, (None, "x"), low) == [("mean_between", "a", None, "expected a mean of at most 1")]


def test_without_rows_every_rule_about_all_of_them_is_broken_but_one_that_allows_none(spark: SparkSession) -> None:
    broken = (rules.RowCountBetween(low=1), rules.NullShareAtMost("a", 0.5), rules.MeanBetween("a", high=9))
    *reasons, allowed = on_all(spark, (), *broken, rules.RowCountBetween(high=0))
    assert [reason["value"] for reason in reasons] == ["0", "1.0", None]
    assert allowed is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rules.Matches("a", "("), r"pattern is no regular expression \(missing \)"),
        (lambda: rules.Matches("a", "(?P<x>1)"), r"pattern has \(\?P, which Python alone knows"),
        (lambda: rules.InSet("a", ()), "values is empty, so that nothing could pass"),
        (lambda: rules.Between("a"), "neither low nor high is given, so that everything would pass"),
        (lambda: rules.Between("a", low=2, high=1), "low 2 is above high 1, so that nothing could pass"),
        (lambda: rules.Between("a", low=1, high=date(2018, 1, 1)), "low 1 and high 2018-01-01 are not of one kind"),
        (lambda: rules.RowCountBetween(low=2, high=1), "low 2 is above high 1"),
        (lambda: rules.MeanBetween("a"), "neither low nor high is given"),
        (lambda: rules.NullShareAtMost("a", 1.5), "share is 1.5, expected 0 to 1"),
        (lambda: rules.NullShareAtMost("a", float("nan")), "share is nan, expected 0 to 1"),
        (lambda: rules.RowCountBetween(low=1, severity="quarantine"), "expected stop or warn: there is no row to set"),
    ],
)
def test_a_rule_that_could_mean_nothing_is_not_made(make: Callable[[], Rule], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("rule", "cells", "why_not"),
    [
        (rules.Between("a", low=0), raw(), "a is text, expected a column of numbers or times"),
        (rules.Between("a", low=0), raw(TIME), "bound 0, expected a day"),
        (rules.Between("a", high=date(2018, 1, 1)), raw(WHOLE), "bound 2018-01-01, expected a number"),
        (rules.NotAfter("a", "b"), raw(TIME, WHOLE), "a is timestamp and b int"),
        (rules.MeanBetween("a", low=0), raw(), "a is string, expected a number"),
        (rules.Between("a", low=0), raw(MONEY), None),
    ],
)
def test_a_rule_says_why_columns_of_a_type_cannot_have_it(rule: Rule, cells: Cells, why_not: str | None) -> None:
    assert rule.why_not(cells) == why_not
