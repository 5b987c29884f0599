"""The days as of which runs are made: every month or every week, counted from the first."""

import argparse
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice
from typing import Literal, get_args

from jobs.cli.argument_types import day
from jobs.errors import ConfigurationError

Every = Literal["month", "week"]

MOST_DATES = 400
"""A year has 53 weeks at most, so this is more than seven years of weeks, and 33 of months."""

MONTHS = 12
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Schedule:
    """The days from one to another.

    Attributes:
        first: the first day.
        last: no day is after it. It is a day itself only if it falls on one.
        every: the distance between two days.
        start_at: the day to begin with, of those of the schedule; None for the first.
    """

    first: date
    last: date
    every: Every
    start_at: date | None = None

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ConfigurationError(
                f"--from {self.first} is after --to {self.last}: expected an earlier day, or the same. Exchange them"
            )
        days = tuple(islice(self._all(), MOST_DATES + 1))
        if len(days) > MOST_DATES:
            raise ConfigurationError(
                f"--from {self.first} --to {self.last} --every {self.every}: found more than {MOST_DATES} days, "
                f"expected {MOST_DATES} at most. The first {MOST_DATES} end with --to {days[MOST_DATES - 1]}"
            )
        if self.start_at is not None and self.start_at not in days:
            raise ConfigurationError(
                f"--start-at {self.start_at}: expected one of the days {listed(days)}. Give one of them, or leave it "
                "out to begin with the first"
            )

    @property
    def days(self) -> tuple[date, ...]:
        """The days in their order, those before `start_at` passed over."""
        return tuple(day for day in self._all() if self.start_at is None or day >= self.start_at)

    def _all(self) -> Iterator[date]:
        for number in count():
            day = _months_after(self.first, number) if self.every == "month" else _weeks_after(self.first, number)
            if day is None or day > self.last:
                return
            yield day


def _months_after(first: date, months: int) -> date | None:
    """The same day of a later month, or the last day of a month that has no such day; None after the year 9999.

    It is counted from the first day, so a short month in between changes no later day.
    """
    year, month = divmod(first.year * MONTHS + first.month - 1 + months, MONTHS)
    if year > date.max.year:
        return None
    return date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))


def _weeks_after(first: date, weeks: int) -> date | None:
    return None if weeks * WEEK > date.max - first else first + weeks * WEEK


def listed(days: Sequence[date], *, most: int = 6) -> str:
    """Days for a message: all of them, or the first ones and the last."""
    shown = [day.isoformat() for day in days]
    return ", ".join(shown if len(shown) <= most else [*shown[: most - 1], "...", shown[-1]])


def add_day_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name the days of a backfill."""
    parser.add_argument(
        "--from", dest="first_day", type=day, required=True, metavar="YYYY-MM-DD", help="as-of date of the first run"
    )
    parser.add_argument(
        "--to",
        dest="last_day",
        type=day,
        required=True,
        metavar="YYYY-MM-DD",
        help="no run is as of a later day. It gets a run itself only if --every falls on it",
    )
    parser.add_argument(
        "--every",
        choices=get_args(Every),
        required=True,
        help="month: the same day of each month as --from, or the last day of a month that has no such day. week: "
        "every seven days",
    )
    parser.add_argument(
        "--start-at",
        type=day,
        metavar="YYYY-MM-DD",
        help="begin with this one of the days that --from, --to and --every give, to continue (default: the first)",
    )
