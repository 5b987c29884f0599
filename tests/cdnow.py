"""Purchases of CDNOW's shape, drawn: the data set itself is not part of this project.

Its published sample has 2,357 customers, who first bought in the first quarter of 1997, and their 6,919 transactions
until June 1998. Here customers buy as the BG/NBD model has it, with the parameters that Fader, Hardie and Lee (2005)
fitted to that sample, in weeks. The rate is from a gamma distribution. The chance to stay away for good after a repeat
purchase is from a beta distribution.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from tests.frames import at, money

CUSTOMERS = 2_357
FIRST_DAY, LAST_DAY = at("1997-01-01"), at("1998-06-30")
DAYS_OF_FIRST_PURCHASES = 84
R, ALPHA, A, B = 0.243, 4.414, 0.793, 2.426

Purchase = tuple[str, datetime, Decimal]
"""A row of `schemas.PURCHASES`."""


def cdnow_purchases(customers: int = CUSTOMERS) -> list[Purchase]:
    """The purchases of some customers. One in fifty is followed by another on the same day."""
    draw = Random(2005)
    rows: list[Purchase] = []
    for number in range(customers):
        for moment in _moments(draw):
            late = moment.replace(hour=23, minute=59, second=59)
            of_one_day = {moment, late} if draw.random() < 0.02 else {moment}
            rows += [(f"customer-{number:05}", each, money(str(draw.randrange(5, 90)))) for each in sorted(of_one_day)]
    return rows


def _moments(draw: Random) -> list[datetime]:
    """When a customer bought, each time later than before."""
    a_week, end = timedelta(weeks=1), LAST_DAY + timedelta(days=1)
    rate, chance_to_leave = draw.gammavariate(R, 1 / ALPHA), draw.betavariate(A, B)
    moments = [FIRST_DAY + timedelta(seconds=draw.randrange(DAYS_OF_FIRST_PURCHASES * 24 * 3600))]
    while len(moments) == 1 or draw.random() >= chance_to_leave:
        weeks = draw.expovariate(max(rate, 1e-6))
        moment = (moments[-1] + weeks * a_week).replace(microsecond=0) if weeks < 100 else end
        if moment >= end:
            break
        moments.append(moment)
    return moments
