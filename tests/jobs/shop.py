"""A shop of ninety customers in three groups, whose clusters nobody can doubt."""

from datetime import date, timedelta
from pathlib import Path

from tests.raw_files import CUSTOMERS_HEADER, ORDERS_HEADER, PAYMENTS_HEADER, RawFiles

AS_OF = date(2018, 6, 30)

# Weeks since the last purchase, purchases, money per purchase; each customer is a little to the side of it.
GROUPS = ((4, 1, 40), (50, 1, 60), (10, 5, 400))
PER_GROUP = 30
PAID_IN_PARTS = 7
"""Each order with a multiple of this number is paid in two parts, the smaller one first."""


def shop(folder: Path) -> RawFiles:
    """Three files of customers who are, by their number modulo 3, in one of `GROUPS`. Some orders are paid in parts."""
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
            parts = (10, money + aside - 10) if order % PAID_IN_PARTS == 0 else (money + aside,)
            for sequential, part in enumerate(parts, start=1):
                cents = number if sequential == len(parts) else 0
                raw.payments.append(f'"o{order}",{sequential},credit_card,1,{part}.{cents:02}')
    raw.write()
    return raw
