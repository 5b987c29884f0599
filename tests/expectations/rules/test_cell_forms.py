"""Cells in other forms: read where they can mean one thing only, and left as they stand otherwise."""

from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, IntegerType, StringType, TimestampType

from expectations.rules.cell_forms import ColumnForm, form_names, is_usual, read_cell
from tests.frames import frame

TIME, WHOLE, MONEY, TEXT = TimestampType(), IntegerType(), DecimalType(18, 4), StringType()
DAY, NOTATION = "day without a time", "time in another notation"
POINT, NOTHING, PADDED = "whole number with a point", "word for no value", "zeros put back"
US = "time as M/d/yyyy H:mm"


def read(
    spark: SparkSession, kind: DataType, cells: list[str | None], *, is_required: bool, declared: ColumnForm | None
) -> list[tuple[str | None, str | None]]:
    """Each cell as it is read, and the form in which it stood."""
    rows = frame(spark, "number int, cell string", *enumerate(cells))
    cell = read_cell(F.col("cell"), kind, is_required=is_required, declared=declared)
    ordered = sorted(rows.select("number", cell.text.alias("text"), cell.form.alias("form")).collect())
    return [(row["text"], row["form"]) for row in ordered]


READ: list[tuple[DataType, str, Any, str]] = [
    (TIME, "2017-10-18", "2017-10-18 00:00:00", DAY),
    (TIME, "2017-10-18T10:00:01", "2017-10-18 10:00:01", NOTATION),
    (TIME, "2018-01-01T10:00:00Z", "2018-01-01 10:00:00", NOTATION),
    (TIME, "2018-01-01 10:00:00 UTC", "2018-01-01 10:00:00", NOTATION),
    (TIME, "2018-01-01 10:00:00+00", "2018-01-01 10:00:00", NOTATION),
    (TIME, "2018-01-01T10:00:00.5+00:00", "2018-01-01 10:00:00.5", NOTATION),
    (TIME, "2018-01-01 10:00:00.0000000", "2018-01-01 10:00:00.000000", NOTATION),
    (TIME, "2018-01-01 10:00:00.123456000", "2018-01-01 10:00:00.123456", NOTATION),
    (TIME, "2018-01-01 10:05", "2018-01-01 10:05:00", NOTATION),
    (TIME, "2018-01-01 10:05+00", "2018-01-01 10:05:00", NOTATION),
    (WHOLE, "1.0", "1", POINT),
    (WHOLE, "-12.", "-12", POINT),
    (WHOLE, "3.000", "3", POINT),
    *[(kind, word, None, NOTHING) for kind in (TIME, WHOLE, MONEY) for word in ("\\N", "NULL", "NaN", "NaT", "<NA>")],
]
AS_IT_STANDS: list[tuple[DataType, str]] = [
    (TIME, "2018-01-01 10:00:00"),
    (TIME, "2018-01-01 10:00:00.5"),
    (TIME, "10/2/2017 10:56"),
    (TIME, "2018-01-01 10:00:00-03:00"),
    (TIME, "2018-01-01 10:00:00.1234567"),
    (TIME, "2018-01-01 10:000"),
    (TIME, "2018-01-01Z"),
    (TIME, "2018-01-01 "),
    (TIME, "20180101"),
    (TIME, "2018-01-01 10:00:00 BRT"),
    (WHOLE, "1.5"),
    (WHOLE, "1e3"),
    (WHOLE, "1,0"),
    (WHOLE, "1.0\n"),
    (WHOLE, "1." + "0" * 1000),
    (MONEY, "5,50"),
    (MONEY, "1.0E7"),
    (TEXT, "nan"),
    (TEXT, "1409"),
]


@pytest.mark.parametrize("kind", [TIME, WHOLE, MONEY, TEXT], ids=str)
def test_a_cell_is_read_where_it_can_mean_one_thing_only(spark: SparkSession, kind: DataType) -> None:
    expected = {cell: (text, form) for each, cell, text, form in READ if each is kind}
    expected |= {cell: (cell, None) for each, cell in AS_IT_STANDS if each is kind}
    cells = list(expected)
    assert dict(zip(cells, read(spark, kind, cells, is_required=False, declared=None), strict=True)) == expected


def test_a_cell_that_is_needed_may_not_hold_a_word_for_nothing(spark: SparkSession) -> None:
    cells = ["NaN", None, "1.0"]
    assert read(spark, WHOLE, cells, is_required=True, declared=None) == [("NaN", None), (None, None), ("1", POINT)]


IN_SAO_PAULO = "time with an offset, in America/Sao_Paulo"
# Two hours behind UTC in summer, three in winter.
WITH_OFFSET = {
    "2018-01-01T12:00:00Z": "2018-01-01 10:00:00",
    "2018-07-01 02:30:00+00": "2018-06-30 23:30:00",
    "2018-07-01 02:30:00 UTC": "2018-06-30 23:30:00",
    "2018-01-01 01:59:59 GMT": "2017-12-31 23:59:59",
    "2018-01-01 10:00:00-03:00": "2018-01-01 11:00:00",
    "2018-01-01T10:00:00.5-0330": "2018-01-01 11:30:00.500000",
    "2018-01-01 12:00:00.123456+00:00": "2018-01-01 10:00:00.123456",
    "2018-01-01T12:00:00.123456000Z": "2018-01-01 10:00:00.123456",
    "2018-01-01 12:00:00.0000000 UTC": "2018-01-01 10:00:00.000000",
    # Without seconds; the first has as many bytes as a time in the form of the rules.
    "2018-01-01 10:00-03": "2018-01-01 11:00:00",
    "2018-01-01 12:00UTC": "2018-01-01 10:00:00",
    "2018-01-01T10:00-03:30": "2018-01-01 11:30:00",
    "2018-01-01T12:00Z": "2018-01-01 10:00:00",
}
WITHOUT_OFFSET = {
    "2018-01-01T10:00:00": ("2018-01-01 10:00:00", NOTATION),
    "2018-01-01 10:00": ("2018-01-01 10:00:00", NOTATION),
    "2018-01-01": ("2018-01-01 00:00:00", DAY),
    **{
        text: (text, None)
        for text in (
            "2018-01-01 10:00:00",
            "2018-01-01 10:00:00 BRT",
            "2018-01-01 10:00:00+25:00",
            "2018-13-01 10:00:00Z",
            "2018-01-01Z",
            "2018-01-01 10:00:00 -03:00",
        )
    },
}


def test_a_time_with_an_offset_is_brought_to_the_zone_in_which_the_others_are_written(spark: SparkSession) -> None:
    form = ColumnForm(zone="America/Sao_Paulo")
    expected = {cell: (text, IN_SAO_PAULO) for cell, text in WITH_OFFSET.items()} | WITHOUT_OFFSET
    cells = list(expected)
    assert dict(zip(cells, read(spark, TIME, cells, is_required=True, declared=form), strict=True)) == expected


def test_a_day_without_a_time_is_no_value_where_times_are_moved_to_another_zone(spark: SparkSession) -> None:
    form = ColumnForm(zone="America/Sao_Paulo", has_time=True)
    others = {cell: read_as for cell, read_as in WITHOUT_OFFSET.items() if cell != "2018-01-01"}
    expected = (
        {cell: (text, IN_SAO_PAULO) for cell, text in WITH_OFFSET.items()}
        | others
        | {"2018-01-01": ("2018-01-01", None)}
    )
    cells = list(expected)
    assert dict(zip(cells, read(spark, TIME, cells, is_required=True, declared=form), strict=True)) == expected
    names = [
        form_names(TIME, is_required=True, declared=ColumnForm(zone="UTC", has_time=each)) for each in (True, False)
    ]
    assert names == [(NOTATION, "time with an offset, in UTC"), (DAY, NOTATION, "time with an offset, in UTC")]


def test_a_cell_that_is_read_in_another_form_never_passes_for_a_usual_one(spark: SparkSession) -> None:
    in_zone, us = ColumnForm(zone="America/Sao_Paulo"), ColumnForm(format="M/d/yyyy H:mm")
    offsets = [(TIME, cell, in_zone) for cell in WITH_OFFSET]
    offsets += [(TIME, cell, in_zone) for cell, (_, form) in WITHOUT_OFFSET.items() if form]
    without_seconds = [(TIME, f"2018-01-01 10:00{utc}", None) for utc in ("Z", "UTC", "+00", " UTC", "+00:00")]
    declared = [(TIME, "10/2/2017 10:56", us), (TEXT, "1409", ColumnForm(pad_zeros_to=5))]
    cells = [*[(kind, cell, None) for kind, cell, *_ in READ], *offsets, *without_seconds, *declared]
    one_row = frame(spark, "nothing int", (1,))
    usual = [is_usual(F.lit(cell), kind, form) for kind, cell, form in cells]
    assert [cell for cell, passes in zip(cells, one_row.select(*usual).collect()[0], strict=True) if passes] == []


def test_what_only_the_user_can_know_is_read_as_it_was_declared(spark: SparkSession) -> None:
    us = ColumnForm(format="M/d/yyyy H:mm")
    times = ["10/2/2017 10:56", "1/23/2018 0:00", "13/1/2018 0:00", "2018-01-01 10:00:00", "NaT"]
    assert read(spark, TIME, times, is_required=False, declared=us) == [
        ("2017-10-02 10:56:00", US),
        ("2018-01-23 00:00:00", US),
        ("13/1/2018 0:00", None),  # no thirteenth month: it is not guessed that the day came first
        ("2018-01-01 10:00:00", None),
        (None, NOTHING),
    ]
    zips = ["1409", "01409", "140", "14090-1", "123456", "", None]
    assert read(spark, TEXT, zips, is_required=True, declared=ColumnForm(pad_zeros_to=5)) == [
        ("01409", PADDED),
        ("01409", None),
        ("00140", PADDED),
        ("14090-1", None),
        ("123456", None),
        ("", None),
        (None, None),
    ]
