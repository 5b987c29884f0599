"""Rules about the text of a column."""

import pytest
from pyspark.sql import SparkSession

from expectations import rules
from expectations.contracts.olist import CUSTOMERS
from expectations.rules import Cells
from tests.expectations.rules.reasons import TEXT, raw_columns, reasons_of, texts


def test_a_text_matches_an_expression(spark: SparkSession) -> None:
    bad, message = ("1", "123", "x", "", None), "expected a text that matches ^[0-9]{2}$"
    reasons = reasons_of(spark, rules.Matches("a", "^[0-9]{2}$"), raw_columns(), *texts("12", *bad))
    assert reasons == [None, *[("matches", "a", text, message) for text in bad]]
    anywhere = rules.Matches("a", "(?<digit>[0-9])", null_passes=True)
    assert reasons_of(spark, anywhere, raw_columns(), *texts("x1y", None)) == [None, None]


@pytest.mark.parametrize(("column", "good"), [("customer_id", "0123abcd" * 4), ("customer_zip_code_prefix", "09790")])
def test_a_line_end_after_a_key_or_a_zip_code_fails(spark: SparkSession, column: str, good: str) -> None:
    rule = CUSTOMERS.rule(f"matches({column})")
    assert rule is not None
    rows = [{column: text} for text in (good, f"{good}\n", f"{good}\r", f"{good}\u2028")]
    reasons = reasons_of(spark, rule, Cells({column: TEXT}, are_text=True), *rows)
    assert [reason is None for reason in reasons] == [True, False, False, False]


def test_a_text_is_one_of_a_set(spark: SparkSession) -> None:
    reasons = reasons_of(spark, rules.InSet("a", ("SP", "BA")), raw_columns(), *texts("SP", "BA", "sp", "", None))
    assert reasons == [None, None, *[("in_set", "a", text, "expected one of SP, BA") for text in ("sp", "", None)]]
    assert reasons_of(spark, rules.InSet("a", ("SP",), null_passes=True), raw_columns(), *texts("SP", None)) == [
        None,
        None,
    ]
