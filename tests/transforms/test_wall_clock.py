"""Wall-clock times of one zone as those of another, against Python's own rules of zones."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tests.frames import at, frame
from transforms.wall_clock import in_zone

SAO_PAULO, BERLIN = "America/Sao_Paulo", "Europe/Berlin"
CHANGES = {
    # The days on which summer time began and ended, and the ends of months and of a year.
    SAO_PAULO: ("2017-10-15", "2018-02-18", "2018-11-04", "2019-02-17", "2018-01-01", "2018-03-01"),
    BERLIN: ("2018-03-25", "2018-10-28", "2019-03-31", "2018-01-01", "2018-03-01", "2018-11-01"),
}
WAYS = [("UTC", SAO_PAULO), (SAO_PAULO, "UTC"), ("UTC", BERLIN), (BERLIN, "UTC"), (SAO_PAULO, BERLIN)]


def around(days: tuple[str, ...]) -> Iterator[datetime]:
    """Every half hour, for a day before and a day after the beginning of each day."""
    for day in days:
        for half_hours in range(-48, 48):
            yield at(day) + timedelta(minutes=30 * half_hours)


def exists_once(time: datetime, zone: str) -> bool:
    """Whether a wall-clock time is shown once by the clocks of a zone: neither skipped nor repeated."""
    first, second = (time.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    return first == second


def converted(time: datetime, written_in: str, zone: str) -> datetime:
    return time.replace(tzinfo=ZoneInfo(written_in)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def test_times_are_brought_to_another_zone_as_the_clocks_there_show_them(spark: SparkSession) -> None:
    times = sorted({time for days in CHANGES.values() for time in around(days)})
    rows = frame(spark, "time timestamp", *[(time,) for time in times])
    ways = [
        in_zone(F.col("time"), written_in=one, zone=other).alias(f"way_{number}")
        for number, (one, other) in enumerate(WAYS)
    ]
    actual = {row["time"]: row for row in rows.select("time", *ways).collect()}
    assert len(actual) > 900
    wrong = [
        (one, other, time, actual[time][f"way_{number}"])
        for number, (one, other) in enumerate(WAYS)
        for time in times
        if exists_once(time, one) and actual[time][f"way_{number}"] != converted(time, one, other)
    ]
    assert wrong == []
    # Each way was tried on times that do not exist, or exist twice, but for those from UTC.
    assert [all(exists_once(time, one) for time in times) for one, _ in WAYS] == [True, False, True, False, False]


def test_an_evening_of_sao_paulo_lies_on_its_own_day_whatever_the_day_is_in_utc(spark: SparkSession) -> None:
    # Three hours behind UTC in winter, two in summer.
    rows = frame(
        spark,
        "number int, utc timestamp",
        (1, at("2018-07-01 02:30:00")),
        (2, at("2018-01-01 01:30:00")),
        (3, at("2018-01-01 02:00:00")),
    )
    local = in_zone(F.col("utc"), written_in="UTC", zone=SAO_PAULO)
    result = rows.select("number", local.alias("local"), F.to_date(local).cast("string").alias("day")).collect()
    assert [tuple(row) for row in sorted(result)] == [
        (1, at("2018-06-30 23:30:00"), "2018-06-30"),
        (2, at("2017-12-31 23:30:00"), "2017-12-31"),
        (3, at("2018-01-01 00:00:00"), "2018-01-01"),
    ]


def test_a_time_that_is_written_in_the_zone_that_is_wanted_stays_as_it_is(spark: SparkSession) -> None:
    # Half past midnight did not exist in Sao Paulo on that day.
    skipped = at("2018-11-04 00:30:00")
    rows = frame(spark, "time timestamp", (skipped,))
    ways = [(None, None), (None, SAO_PAULO), (SAO_PAULO, SAO_PAULO), (BERLIN, None)]
    columns = [in_zone(F.col("time"), written_in=one, zone=other) for one, other in ways]
    assert tuple(rows.select(*columns).collect()[0]) == (skipped,) * 4
