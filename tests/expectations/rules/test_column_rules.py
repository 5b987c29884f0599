"""Rules about one column or two: rows that pass, rows that fail, and null."""

from datetime import date

from pyspark.sql import SparkSession

from expectations import rules
from tests.expectations.rules.reasons import TIME, WHOLE, raw_columns, reasons_of, texts
from transforms.schemas import MONEY


def test_a_value_is_required(spark: SparkSession) -> None:
    reasons = reasons_of(spark, rules.NotNull("a"), raw_columns(), *texts("x", "", None))
    assert reasons == [None, None, ("not_null", "a", None, "expected a value, found none")]


def test_a_number_is_between_its_bounds_inclusively(spark: SparkSession) -> None:
    numbers = texts("0", "10.0000", "-0.0001", "10.0001", None)
    reasons = reasons_of(spark, rules.Between("a", low=0, high=10), raw_columns(MONEY), *numbers)
    message = "expected at least 0 and at most 10"
    assert reasons == [None, None, *[("between", "a", row["a"], message) for row in numbers[2:]]]
    reasons = reasons_of(spark, rules.Between("a", low=1, null_passes=True), raw_columns(WHOLE), *texts("1", None, "0"))
    assert reasons == [None, None, ("between", "a", "0", "expected at least 1")]
    # A text that is not a number fails parses_as alone.
    assert reasons_of(spark, rules.Between("a", low=0), raw_columns(WHOLE), *texts("one")) == [None]


def test_the_last_day_of_a_bound_counts_to_its_end(spark: SparkSession) -> None:
    rule = rules.Between("a", low=date(2016, 1, 1), high=date(2018, 12, 31))
    good = ["2016-01-01 00:00:00", "2018-12-31 23:59:59.999999"]
    bad = ["2015-12-31 23:59:59.999999", "2019-01-01 00:00:00", None]
    message = "expected at least 2016-01-01 and at most 2018-12-31"
    reasons = reasons_of(spark, rule, raw_columns(TIME), *texts(*good, *bad))
    assert reasons == [None, None, *[("between", "a", text, message) for text in bad]]


def test_a_time_does_not_come_after_another(spark: SparkSession) -> None:
    early, late = "2018-01-01 00:00:00", "2018-01-01 00:00:01"
    good = [(early, other) for other in (late, early, None, "x")]
    rows = [{"a": a, "b": b} for a, b in (*good, (late, early), (None, late), (None, None))]
    reasons = [("not_after", "a, b", shown, "expected a not after b") for shown in (f"{late}, {early}", late, "")]
    times = raw_columns(TIME, TIME)
    assert reasons_of(spark, rules.NotAfter("a", "b"), times, *rows) == [*[None] * 4, *reasons]
    passes_null = rules.NotAfter("a", "b", null_passes=True)
    assert reasons_of(spark, passes_null, times, *rows) == [*[None] * 4, reasons[0], None, None]
