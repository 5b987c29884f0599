"""Lines of CSV that is not comma-separated UTF-8: decoded, split, and validated as all lines are."""

from collections.abc import Sequence
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from expectations.contracts.ledger import ledger_contract
from expectations.validation.line_breaks import joined_lines, may_hold_line_breaks
from expectations.validation.records import Layout, is_blank, records
from jobs.inputs.decoding import decoded
from tests.frames import frame
from transforms.sources.mapping import CsvForm, Delimiter, LedgerMapping

CONTRACT = ledger_contract(LedgerMapping("who", "at", "amount", "EUR", transaction_id_col="id"), None)
HEADER = ("id", "who", "at", "amount")
MARKS = ("malformed_row", "undecoded_row", "ill_quoted_row")
AT = "2018-01-01 10:00:00"


def layout(delimiter: Delimiter, header: tuple[str, ...] = HEADER) -> Layout:
    return Layout(header, CsvForm(delimiter).separator)


def read(spark: SparkSession, lines: Sequence[str], delimiter: Delimiter, **changes: Any) -> list[dict[str, Any]]:
    """Records of a ledger, in the order of their lines."""
    form = CsvForm(delimiter, **changes)
    rows = frame(spark, "line string, source_file string", *[(line, "f.csv") for line in lines]).coalesce(1)
    decoded_lines = rows.select(decoded(F.col("line"), form).alias("line"), "source_file")
    split = records(lines=decoded_lines, contract=CONTRACT, layout=layout(delimiter, form.header or HEADER)).collect()
    return [row.asDict(recursive=True) for row in split]


def cells(row: dict[str, Any]) -> list[str | None]:
    return [row[name] for name in CONTRACT.source_columns]


def marks(row: dict[str, Any]) -> list[str | None]:
    return [row[mark] for mark in MARKS]


@pytest.mark.parametrize(("delimiter", "sign"), [(",", ","), (";", ";"), ("|", "|"), ("tab", "\t")])
def test_a_line_is_split_at_its_separator_outside_quotes_alone(
    spark: SparkSession, delimiter: Delimiter, sign: str
) -> None:
    others = "".join(each for each in ",;|\t" if each != sign)
    lines = [
        sign.join(["t1", "ann", AT, "5.50"]),
        sign.join(["t2", f'"a{sign}""b""{sign}"', AT, '"5.50"']),
        sign.join(["t3", f"a{others}b", AT, "5.50"]),
        sign.join(["t4", "", AT, ""]),
        sign.join(["t5", " ann ", AT, "1"]),
        # Each of these spoils its own line alone.
        sign.join(["t6", '"ann', AT, "5.50"]),
        sign.join(["t7", 'a"n"n', AT, "5.50"]),
        sign.join(["t8", "ann", AT]),
        sign.join(["t9", "ann", AT, "5.50", ""]),
        sign.join(["t10", '"ann"x', AT, "5.50"]),
        sign.join(["t11", "ann", AT, "5.50"]),
    ]
    rows = read(spark, lines, delimiter)
    assert [cells(row) for row in rows[:5]] == [
        ["t1", "ann", AT, "5.50"],
        ["t2", f'a{sign}"b"{sign}', AT, "5.50"],
        ["t3", f"a{others}b", AT, "5.50"],
        ["t4", None, AT, None],
        ["t5", " ann ", AT, "1"],
    ]
    nothing = [None, None, None]
    assert [marks(row) for row in rows[:5]] == [nothing] * 5
    assert [row["malformed_row"] for row in rows[5:]] == [lines[5], None, lines[7], lines[8], None, None]
    assert [row["ill_quoted_row"] for row in rows[6:]] == [lines[6], None, None, lines[9], None]
    assert cells(rows[10]) == ["t11", "ann", AT, "5.50"]


def test_columns_between_spaces_have_any_number_of_them(spark: SparkSession) -> None:
    header = ("id", "who", "amount", "at")
    lines = ["t1 ann 5.50 20180101", "  t2\t \tann     5.50   20180101\t ", "t3 ann 5.50", "t4 ann 5.50 2018 0101"]
    rows = read(spark, lines, "whitespace", header=header)
    assert [cells(row) for row in rows[:2]] == [["t1", "ann", "20180101", "5.50"], ["t2", "ann", "20180101", "5.50"]]
    # Kept as they were split.
    assert [row["malformed_row"] for row in rows] == [None, None, "t3\tann\t5.50", "t4\tann\t5.50\t2018\t0101"]


BLANK = ["", " ", "{0}{0}{0}", ' "" {0} {0}\t', '""{0}""{0}""{0}""']
NOT_BLANK = ["{0}{0}x{0}", "0", "{0}'{0}", "{0}.{0}"]


def test_a_line_of_separators_quotes_and_spaces_alone_is_blank(spark: SparkSession) -> None:
    actual = {}
    for sign in (",", ";", "|", "\t"):
        texts = [text.format(sign) for text in (*BLANK, *NOT_BLANK)]
        rows = frame(spark, "line string", *[(text,) for text in texts]).coalesce(1)
        blank = is_blank(F.col("line"), layout=Layout(HEADER, sign))
        actual[sign] = [row[0] for row in rows.select(blank).collect()]
    expected = [True] * len(BLANK) + [False] * len(NOT_BLANK)
    assert actual == dict.fromkeys((",", ";", "|", "\t"), expected)
    # Another separator is a value.
    commas = frame(spark, "line string", (",,,",)).select(is_blank(F.col("line"), layout=Layout(HEADER, ";")))
    assert commas.collect()[0][0] is False


@pytest.mark.parametrize(("delimiter", "sign"), [(";", ";"), ("|", "|"), ("tab", "\t")])
def test_a_line_break_within_quotes_may_be_in_a_column_that_is_passed_over_and_in_no_other(
    spark: SparkSession, delimiter: Delimiter, sign: str
) -> None:
    lines = [
        sign.join(["t1", "ann", AT, "1", '"a note']),
        f'of {sign} lines"',
        sign.join(["t2", "ann", AT, "2", "x"]),
        sign.join(["t3", '"an', ""]),
        sign.join(['n"', AT, "3", "x"]),
    ]
    form = layout(delimiter, (*HEADER, "note"))
    numbered = [(line, "f.csv", position) for position, line in enumerate(lines)]
    rows = frame(spark, "line string, source_file string, position int", *numbered)
    joined = joined_lines(lines=rows, contract=CONTRACT, layout=form).collect()
    assert sorted((row["line"], row["lines"]) for row in joined) == sorted(
        [("\n".join(lines[:2]), 2), *[(line, 1) for line in lines[2:]]]
    )
    assert may_hold_line_breaks(CONTRACT, form)
    assert not may_hold_line_breaks(CONTRACT, layout(delimiter))


def test_columns_may_have_names_that_mean_something_to_spark(spark: SparkSession) -> None:
    names = ("a.b", "a`b", "A.B", "id", "a b: c")
    of = ledger_contract(LedgerMapping("a.b", "a b: c", "a`b", "EUR", order_id_col="id"), None)
    lines = frame(spark, "line string, source_file string", ("ann;1;other;o1;2018", "f.csv"))
    [row] = records(lines=lines, contract=of, layout=Layout(names, ";")).collect()
    assert [row[name] for name in of.source_columns] == ["o1", "ann", "2018", "1"]
