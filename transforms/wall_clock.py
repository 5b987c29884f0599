"""Wall-clock times of one time zone as those of another."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def in_zone(time: Column, *, written_in: str | None, zone: str | None) -> Column:
    """Bring a wall-clock time from the zone in which it is written to another zone.

    Times are kept as wall-clock in a session whose zone is UTC. An hour that summer time skips is read as the hour
    after; of an hour that comes twice, the first is meant.

    Args:
        time: a timestamp.
        written_in: the zone that its wall-clock is of; None for that of ``zone``.
        zone: the zone that is wanted; None leaves the time as it is.
    """
    if zone is None or written_in in (None, zone):
        return time
    return F.from_utc_timestamp(F.to_utc_timestamp(time, F.lit(written_in)), F.lit(zone))
