"""Rules about all rows of a table together."""

from pyspark.sql import SparkSession

from expectations import rules
from tests.expectations.rules.reasons import table_reasons_of

ONE_OF_FOUR_IS_NULL = ("1", "2", "no number", None)


def test_a_table_has_as_many_rows_as_are_expected(spark: SparkSession) -> None:
    exactly, many = rules.RowCountBetween(low=4, high=4), rules.RowCountBetween(low=5)
    reasons = table_reasons_of(
        spark, ONE_OF_FOUR_IS_NULL, exactly, many, rules.RowCountBetween(low=1, high=1, of="orders")
    )
    as_many = "expected at least 1 and at most 1 rows, as many as orders"
    few, too_many = "expected at least 5 rows", ("row_count_between", "orders", "4", as_many)
    assert reasons == [None, ("row_count_between", None, "4", few), too_many]


def test_at_most_a_share_of_the_rows_has_no_value(spark: SparkSession) -> None:
    strict, generous = rules.NullShareAtMost("a", 0.2), rules.NullShareAtMost("a", 1)
    message = "expected no value in at most 20.00% of the rows"
    reasons = table_reasons_of(spark, ONE_OF_FOUR_IS_NULL, rules.NullShareAtMost("a", 0.25), strict)
    assert reasons == [None, ("null_share_at_most", "a", "0.25", message)]
    assert table_reasons_of(spark, (None, None), generous, strict) == [
        None,
        ("null_share_at_most", "a", "1.0", message),
    ]


def test_the_mean_skips_null_and_a_column_without_values_fails(spark: SparkSession) -> None:
    exactly, high = rules.MeanBetween("a", low=1.5, high=1.5), rules.MeanBetween("a", low=2)
    low = rules.MeanBetween("a", high=1)
    wrong = [("mean_between", "a", "1.5", f"expected a mean of {bound}") for bound in ("at least 2", "at most 1")]
    assert table_reasons_of(spark, ONE_OF_FOUR_IS_NULL, exactly, high, low) == [None, *wrong]
    assert table_reasons_of(spark, (None, "x"), low) == [("mean_between", "a", None, "expected a mean of at most 1")]


def test_a_table_without_rows_fails_every_rule_but_one_that_allows_none(spark: SparkSession) -> None:
    failing = (rules.RowCountBetween(low=1), rules.NullShareAtMost("a", 0.5), rules.MeanBetween("a", high=9))
    *reasons, allowed = table_reasons_of(spark, (), *failing, rules.RowCountBetween(high=0))
    assert [reason["value"] for reason in reasons] == ["0", "1.0", None]
    assert allowed is None


def test_one_row_has_at_most_a_share_of_all_where_the_sum_is_large_enough_to_tell(spark: SparkSession) -> None:
    few, many = rules.ShareOfOneAtMost("a", 0.5), rules.ShareOfOneAtMost("a", 0.5, least_sum=10)
    message = "expected at most 50.00% of all in one row"
    assert table_reasons_of(spark, ("6", "4", None), few, many) == [
        None,
        ("share_of_one_at_most", "a", "0.6", message),
    ]
    assert table_reasons_of(spark, ("5", "5"), many) == [None]


def test_what_was_excluded_is_validated_by_the_share_that_the_run_measured(spark: SparkSession) -> None:
    before, after = rules.ExcludedAtMost("orders", 0.01), rules.ExcludedAtMost("orders", 0.01, measured=0.02)
    reasons = table_reasons_of(spark, ("1",), before, after)
    assert reasons == [None, ("excluded_at_most", "orders", "0.02", "expected at most 1.00% excluded")]
