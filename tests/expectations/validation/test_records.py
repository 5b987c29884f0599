"""Lines of CSV to records: each is validated by itself, and nothing that it holds can reach into another."""

from typing import Any

from pyspark.sql import SparkSession

from expectations.contracts.olist import CUSTOMERS, PAYMENTS
from expectations.validation.line_breaks import joined_lines
from expectations.validation.records import Layout, records
from tests.frames import frame

HEADER = PAYMENTS.source_columns
OF_CUSTOMERS = CUSTOMERS.source_columns


def read(spark: SparkSession, *lines: str, header: tuple[str, ...] = HEADER) -> list[dict[str, Any]]:
    """Records of payments, in the order of their lines."""
    numbered = frame(spark, "line string, source_file string", *[(line, "f.csv") for line in lines])
    rows = records(lines=numbered.coalesce(1), contract=PAYMENTS, layout=Layout(header)).collect()
    return [row.asDict(recursive=True) for row in rows]


def joined(spark: SparkSession, *lines: str, header: tuple[str, ...] = OF_CUSTOMERS) -> list[tuple[str, int]]:
    """Lines of customers after they were joined, and how many each was joined from."""
    numbered = [(line, "f.csv", position) for position, line in enumerate(lines)]
    rows = frame(spark, "line string, source_file string, position int", *numbered)
    result = joined_lines(lines=rows, contract=CUSTOMERS, layout=Layout(header)).collect()
    return sorted((row["line"], row["lines"]) for row in result)


def test_a_line_is_split_at_commas_outside_quotes(spark: SparkSession) -> None:
    [row] = read(spark, '"o1",1,"a ""b"", c",,"5.50"')
    assert [row[name] for name in HEADER] == ["o1", "1", 'a "b", c', None, "5.50"]
    marks = ("malformed_row", "undecoded_row", "ill_quoted_row", "forms")
    assert [row[mark] for mark in marks] == [None] * 4


def test_columns_may_be_in_any_order_and_ignored_ones_may_have_a_name_that_spark_confuses(
    spark: SparkSession,
) -> None:
    header = ("payment_value", "Order_ID", "order_id", "payment_type", "payment_sequential", "payment_installments")
    [row] = read(spark, "5.50,x,o1,boleto,1,2", header=header)
    assert [row[name] for name in HEADER] == ["o1", "1", "boleto", "2", "5.50"]


def test_a_quote_that_stays_open_spoils_its_own_line_alone(spark: SparkSession) -> None:
    open_quote = ['"o1,1,boleto,1,1.00', 'o1,1,"boleto,1,1.00', 'o1,1,boleto,1,"1.00', 'o1,1,"a""b"",1,"1.00']
    for line in open_quote:
        before, spoiled, after = read(spark, "o0,1,boleto,1,1.00", line, "o2,1,boleto,1,2.00")
        assert spoiled["malformed_row"] == line
        assert (before["malformed_row"], after["malformed_row"]) == (None, None)
        assert after["payment_value"] == "2.00"


def test_a_quote_inside_of_a_field_closes_nothing_and_is_told(spark: SparkSession) -> None:
    other_dialects = [r'o1,1,"a \"b\" c",1,1.00', 'o1,1,"d"oeste",1,1.00', 'o1,1,12" pipe,1,1.00', 'o1,1,"a"b,1,1.00']
    for line in other_dialects:
        [row] = read(spark, line)
        assert (row["malformed_row"], row["ill_quoted_row"]) == (None, line)
        assert row["payment_value"] == "1.00"


def test_a_line_of_too_many_or_too_few_fields_keeps_its_text(spark: SparkSession) -> None:
    lines = ["o1,1,boleto,1", "o1,1,boleto,1,1.00,more", "o1", "o1,1,bo\0leto"]
    assert [row["malformed_row"] for row in read(spark, *lines)] == lines


def test_cells_in_another_form_are_read_and_named(spark: SparkSession) -> None:
    plain, other = read(spark, "o1,1,boleto,1,1.00", "o1,2.0,boleto,NULL,1.00")
    assert plain["forms"] is None
    assert (other["payment_sequential"], other["payment_installments"]) == ("2", None)
    assert other["forms"] == [
        "payment_sequential: whole number with a point",
        "payment_installments: word for no value",
    ]


def test_bytes_that_are_not_utf_8_are_told_from_a_replacement_character_of_the_file(spark: SparkSession) -> None:
    lines = spark.sql(
        "select decode_line as line, 'f.csv' as source_file from values "
        "(cast(X'6F312C312C73E36F2C312C312E3030' as string)), ('o2,1,s\ufffdo,1,1.00') as t(decode_line)"
    )
    rows = {row["order_id"]: row for row in records(lines=lines, contract=PAYMENTS, layout=Layout(HEADER)).collect()}
    assert rows["o1"]["undecoded_row"] == "o1,1,s\ufffdo,1,1.00"
    assert rows["o2"]["undecoded_row"] is None


def test_a_line_of_more_than_ten_million_bytes_is_rejected_by_its_beginning(spark: SparkSession) -> None:
    long = spark.range(1).selectExpr("concat('o1,1,', repeat('x', 10000000), ',1,1.00') as line", "'f' as source_file")
    [row] = records(lines=long, contract=PAYMENTS, layout=Layout(HEADER)).collect()
    assert row["malformed_row"] == "o1,1," + "x" * 995
    assert row["order_id"] is None


def test_lines_of_one_record_are_joined_where_free_text_breaks(spark: SparkSession) -> None:
    lines = ['c1,ann,09790,"sao', 'paulo",SP', "c2,ann,09790,santos,SP", 'c3,bob,20231,"a', "", "b", 'c",BA']
    assert joined(spark, *lines) == [
        ('c1,ann,09790,"sao\npaulo",SP', 2),
        ("c2,ann,09790,santos,SP", 1),
        ('c3,bob,20231,"a\n\nb\nc",BA', 4),
    ]


def test_a_stray_quote_joins_nothing_and_does_not_hide_a_record_behind_it(spark: SparkSession) -> None:
    lines = ['c1,ann,09790,"sao paulo,SP', "c2,ann,09790,santos,SP", 'c3,bob,20231,"a', 'b",BA', "c4,bob,20231,x,BA"]
    assert joined(spark, *lines) == sorted([(lines[0], 1), (lines[1], 1), ('c3,bob,20231,"a\nb",BA', 2), (lines[4], 1)])


def test_lines_are_not_joined_where_an_identifier_would_break(spark: SparkSession) -> None:
    lines = ['"c1', 'x",ann,09790,santos,SP', 'c2,ann,"097', '90",santos,SP']
    assert joined(spark, *lines) == sorted((line, 1) for line in lines)


def test_an_ignored_column_may_break(spark: SparkSession) -> None:
    lines = ['c1,ann,09790,santos,SP,"a note', 'of two lines"']
    assert joined(spark, *lines, header=(*OF_CUSTOMERS, "note")) == [("\n".join(lines), 2)]
