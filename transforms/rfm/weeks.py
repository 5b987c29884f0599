"""Calendar weeks as Redshift counts them: the Sundays crossed."""

from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

FIRST_SUNDAY = date(1970, 1, 4)


def week_index(day: Column) -> Column:
    """Whole weeks since Sunday 1970-01-04, so that the difference of two is the number of Sundays crossed.

    Redshift's ``DATEDIFF(week, a, b)`` counts boundaries, not elapsed days divided by 7: from Saturday to the next day
    is one week. Its manual does not say that weeks start on Sunday, but the workshop's constants show it. With Sunday
    weeks, 161 and 271 weeks hold for the run dates 2021-11-14..20; with Monday weeks they hold for no date.
    """
    return F.floor(F.datediff(day, F.lit(FIRST_SUNDAY)) / 7)


def weeks_between(earlier: Column, later: Column) -> Column:
    """Sundays crossed from ``earlier`` to ``later``; negative if ``later`` comes first."""
    return week_index(later) - week_index(earlier)
