"""Week arithmetic, compared to a calendar."""

from datetime import date, timedelta

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tests.frames import frame
from transforms.rfm.weeks import weeks_between

CASES = {
    "the same day": ("2018-10-17", "2018-10-17", 0),
    "Sunday to the Saturday after it": ("2018-10-14", "2018-10-20", 0),
    "Saturday to the Sunday after it": ("2018-10-13", "2018-10-14", 1),
    "Sunday to the next Sunday": ("2018-10-14", "2018-10-21", 1),
    "Saturday to Saturday": ("2018-10-13", "2018-10-20", 1),
    "backwards over a Sunday": ("2018-10-14", "2018-10-13", -1),
    "over a year's end within a week (2019-12-29 was a Sunday)": ("2019-12-29", "2020-01-04", 0),
    "over a year's end and a Sunday": ("2016-12-31", "2017-01-01", 1),
    "a leap day that is a Saturday, to the Sunday after it": ("2020-02-29", "2020-03-01", 1),
    "a leap day that is a Thursday, to the Saturday after it": ("2024-02-29", "2024-03-02", 0),
    "the Saturday before a leap year's 1 March that is a Friday": ("2024-02-24", "2024-03-01", 1),
    "before 1970": ("1969-12-27", "1969-12-28", 1),
    "from before 1970 to the first Sunday after it": ("1969-12-31", "1970-01-04", 1),
    "the workshop's shortest recency": ("2018-10-17", "2021-11-17", 161),
    "the workshop's longest recency": ("2016-09-04", "2021-11-17", 271),
}


@pytest.fixture(scope="module")
def weeks(spark: SparkSession) -> dict[str, int]:
    rows = [(name, date.fromisoformat(a), date.fromisoformat(b)) for name, (a, b, _) in CASES.items()]
    dates = frame(spark, "name string, earlier date, later date", *rows)
    counts = dates.select("name", weeks_between(F.col("earlier"), F.col("later")).alias("weeks"))
    return {row["name"]: row["weeks"] for row in counts.collect()}


@pytest.mark.parametrize("name", CASES)
def test_weeks_are_the_sundays_crossed(weeks: dict[str, int], name: str) -> None:
    assert weeks[name] == CASES[name][2]


def test_both_sides_of_a_sunday_midnight_are_a_week_apart(spark: SparkSession) -> None:
    moments = spark.sql("select timestamp'2018-10-13 23:59:59.999999' a, timestamp'2018-10-14 00:00:00' b")
    assert moments.select(weeks_between(F.to_date("a"), F.to_date("b"))).first() == (1,)


def test_every_day_of_thirty_years_agrees_with_a_count_of_sundays(spark: SparkSession) -> None:
    start, days = date(1999, 12, 31), 365 * 30
    frame = spark.range(days).select(F.date_add(F.lit(start), F.col("id").cast("int")).alias("day"))
    weeks = frame.select("day", weeks_between(F.lit(start), F.col("day")).alias("weeks")).collect()
    sundays, expected = 0, {}
    for offset in range(days):
        day = start + timedelta(days=offset)
        sundays += offset > 0 and day.isoweekday() == 7
        expected[day] = sundays
    assert {row["day"]: row["weeks"] for row in weeks} == expected
