"""A shop of ninety customers in three groups, whose clusters nobody can doubt."""

from datetime import date, timedelta
from pathlib import Path

from tests.raw_files import CUSTOMERS_HEADER, ORDERS_HEADER, PAYMENTS_HEADER, RawFiles

AS_OF = date(2018, 6, 30)

# Weeks since the last purchase, purchases, money per purchase; each customer is a little to the side of it.
GROUPS = ((4, 1, 40), (50, 1, 60), (10, 5, 400))
PER_GROUP = 30


def shop(folder: Path) -> RawFiles:
    """Three files of customers who are, by their number modulo 3, in one of `GROUPS`."""
    raw = RawFiles(folder / "input")
    raw.customers, raw.orders, raw.payments = [CUSTOMERS_HEADER], [ORDERS_HEADER], [PAYMENTS_HEADER]
    order = 0
    for number in range(PER_GROUP * len(GROUPS)):
        weeks, purchases, money = GROUPS[number % len(GROUPS)]
        aside = number // len(GROUPS) % 5
        raw.customers.append(f'"c{number}","c{number}","09790",sao paulo,SP')
        for purchase in range(purchases):
            order += 1
            day = AS_OF - timedelta(weeks=weeks + aside + 3 * purchase)
            raw.orders.append(f'"o{order}","c{number}",delivered,{day} 10:00:00,,,,{day} 00:00:00')
            raw.payments.append(f'"o{order}",1,credit_card,1,{money + aside}.{number:02}')
    raw.write()
    return raw
