"""The days of a backfill: the same day of each month, or every seven days, counted from the first."""

from datetime import date

import pytest

from jobs.cli.schedule import MOST_DATES, Every, Schedule
from jobs.errors import ConfigurationError


def days(first: str, last: str, every: Every, start_at: str | None = None) -> list[str]:
    start = date.fromisoformat(start_at) if start_at else None
    return [str(day) for day in Schedule(date.fromisoformat(first), date.fromisoformat(last), every, start).days]


def test_a_month_without_the_day_has_its_last_day_and_later_months_have_the_day_again() -> None:
    assert days("2018-01-31", "2018-05-31", "month") == [
        "2018-01-31",
        "2018-02-28",
        "2018-03-31",
        "2018-04-30",
        "2018-05-31",
    ]
    assert days("2020-01-30", "2020-03-31", "month") == ["2020-01-30", "2020-02-29", "2020-03-30"]
    assert days("2018-11-15", "2019-02-14", "month") == ["2018-11-15", "2018-12-15", "2019-01-15"]


def test_a_week_has_seven_days() -> None:
    assert days("2018-12-24", "2019-01-08", "week") == ["2018-12-24", "2018-12-31", "2019-01-07"]


@pytest.mark.parametrize("every", ["month", "week"])
def test_the_last_day_counts_if_it_falls_on_one(every: Every) -> None:
    assert days("2018-01-31", "2018-01-31", every) == ["2018-01-31"]
    assert days("2018-01-31", "2018-02-01", every) == ["2018-01-31"]
    assert days("2018-01-31", "2018-02-28", every)[-1] == {"month": "2018-02-28", "week": "2018-02-28"}[every]


def test_the_calendar_ends_with_the_year_9999() -> None:
    assert days("9999-11-30", "9999-12-31", "month") == ["9999-11-30", "9999-12-30"]
    assert days("9999-12-20", "9999-12-31", "week") == ["9999-12-20", "9999-12-27"]


def test_a_continued_schedule_has_the_days_that_it_would_have_had() -> None:
    whole = days("2018-01-30", "2018-12-31", "month")
    for day in whole:
        assert days("2018-01-30", "2018-12-31", "month", day) == whole[whole.index(day) :]


@pytest.mark.parametrize(
    ("first", "last", "start_at", "says"),
    [
        ("2018-02-01", "2018-01-31", None, "--from 2018-02-01 is after --to 2018-01-31"),
        ("2018-01-31", "2018-03-31", "2018-03-01", "expected one of the days 2018-01-31, 2018-02-28, 2018-03-31"),
        ("2018-01-31", "2018-03-31", "2018-04-30", "--start-at 2018-04-30: expected one of the days"),
        ("0001-01-01", "9999-12-31", None, f"found more than {MOST_DATES} days"),
    ],
)
def test_days_that_make_no_sense_are_refused(first: str, last: str, start_at: str | None, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        days(first, last, "month", start_at)


def test_a_refusal_of_too_many_days_names_the_last_that_is_accepted() -> None:
    with pytest.raises(ConfigurationError, match="The first 400 end with --to ") as error:
        days("1900-01-31", "2018-03-31", "month")
    last = str(error.value).rpartition(" ")[2]
    assert len(days("1900-01-31", last, "month")) == MOST_DATES
