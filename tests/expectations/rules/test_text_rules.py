"""Rules about the text of a column."""

import pytest
from pyspark.sql import SparkSession

from expectations import rules
from expectations.contracts.olist import CUSTOMERS, FILE_CONTRACTS
from expectations.rules import Cells
from jobs.warehouse.ddl import redshift_type
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


def test_a_text_has_at_most_so_many_bytes_of_utf_8(spark: SparkSession) -> None:
    good, bad = ("", "abcd", "éé", "\U0001f600"), ("abcde", "ééa", "\U0001f600a")
    reasons = reasons_of(spark, rules.MaxBytes("a", 4, null_passes=True), raw_columns(), *texts(*good, None, *bad))
    message = "expected a text of at most 4 bytes"
    assert reasons == [None] * 5 + [("max_bytes", "a", f"{text}... (5 bytes)", message) for text in bad]
    [none, long] = reasons_of(spark, rules.MaxBytes("a", 4), raw_columns(), *texts(None, "x" * 400))
    assert none == ("max_bytes", "a", None, message)
    assert long == ("max_bytes", "a", f"{'x' * 40}... (400 bytes)", message)


def test_a_nul_in_any_cell_fails_the_row_and_is_shown_as_a_sign(spark: SparkSession) -> None:
    rows = [{"a": first, "b": second} for first, second in (("x", None), ("", "\u2400"), ("\0", None), ("x", "y\0z"))]
    reasons = reasons_of(spark, rules.HasNoNul(("a", "b")), Cells({"a": TEXT, "b": TEXT}, are_text=True), *rows)
    message = "expected text without NUL characters, which warehouses refuse"
    assert reasons[:2] == [None, None]
    assert reasons[2:] == [("has_no_nul", None, text, message) for text in ("\u2400", "x,y\u2400z")]


def test_every_text_column_of_a_file_has_the_length_that_the_warehouse_has() -> None:
    for contract in FILE_CONTRACTS:
        limits = {rule.column: rule.limit for rule in contract.rules if isinstance(rule, rules.MaxBytes)}
        declared = {field.name: redshift_type(field) for field in contract.schema if field.dataType == TEXT}
        assert {contract.source_name(name): kind for name, kind in declared.items()} == {
            column: f"varchar({limit})" for column, limit in limits.items()
        }
