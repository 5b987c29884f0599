"""Whether there is enough data for segments that hold: a verdict after the limits that public CRM tools document.

Klaviyo computes its forecasts for a shop with 500 customers or more, 180 days of history, an order in the last 30 days,
and customers with three orders or more. The share of repeat buyers is a limit of ours: below a fifth, the best fifth of
customers by frequency includes people who bought once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from transforms.rfm.measures import bought

LEAST_CUSTOMERS = 500
LEAST_DAYS_OF_HISTORY = 180
MOST_DAYS_SINCE_NEWEST = 30
THIRD_PURCHASE = 3
LEAST_SHARE_OF_REPEAT_BUYERS = 0.2
DAYS_OF_MONTH = 365.25 / 12


def sufficiency_totals() -> dict[str, Column]:
    """Aggregates over `measures.measured_customers`, of those who bought something."""
    return {
        "repeat_buyers": F.count_if(F.col("purchase_count") > 1),
        "third_buyers": F.count_if(F.col("purchase_count") >= THIRD_PURCHASE),
        "oldest_purchase": F.min(F.when(bought(), F.col("first_purchase_time"))),
        "newest_purchase": F.max(F.when(bought(), F.col("last_purchase_time"))),
    }


@dataclass(frozen=True)
class Sufficiency:
    """What the data of a run is enough for.

    Attributes:
        customers: those who bought something.
        days_of_history: from the oldest purchase to the run's day.
        days_since_newest: from the newest purchase to the run's day.
        repeat_buyers: customers with two purchases or more.
        third_buyers: customers with three or more.
    """

    customers: int
    days_of_history: int
    days_since_newest: int
    repeat_buyers: int
    third_buyers: int

    @classmethod
    def of(cls, totals: Mapping[str, Any], *, customers: int, as_of: date) -> "Sufficiency":
        """The figures of a run.

        Args:
            totals: the values of `sufficiency_totals`.
            customers: those who bought something; at least one.
            as_of: the run's day.
        """
        oldest, newest = (totals[name].date() for name in ("oldest_purchase", "newest_purchase"))
        return cls(
            customers, (as_of - oldest).days, (as_of - newest).days, totals["repeat_buyers"], totals["third_buyers"]
        )

    @property
    def share_of_repeat_buyers(self) -> float:
        """Of all customers."""
        return self.repeat_buyers / self.customers

    @property
    def months_of_history(self) -> float:
        """Months from the oldest purchase to the run's day."""
        return self.days_of_history / DAYS_OF_MONTH

    @property
    def shortfalls(self) -> list[str]:
        """What there is too little of; empty if there is enough of everything."""
        checks = (
            (self.customers < LEAST_CUSTOMERS, f"fewer than {LEAST_CUSTOMERS} customers"),
            (self.days_of_history < LEAST_DAYS_OF_HISTORY, f"less than {LEAST_DAYS_OF_HISTORY} days of history"),
            (self.days_since_newest > MOST_DAYS_SINCE_NEWEST, f"no purchase in the last {MOST_DAYS_SINCE_NEWEST} days"),
            (not self.third_buyers, f"no customer with {THIRD_PURCHASE} purchases"),
            (
                self.share_of_repeat_buyers < LEAST_SHARE_OF_REPEAT_BUYERS,
                f"fewer than {LEAST_SHARE_OF_REPEAT_BUYERS:.0%} of customers came back",
            ),
        )
        return [text for falls_short, text in checks if falls_short]

    @property
    def verdict(self) -> str:
        """Whether the segments rest on enough data, in one line."""
        shortfalls = self.shortfalls
        # Rounded down, so that a share below the limit is never shown as the limit.
        came_back = math.floor(self.share_of_repeat_buyers * 1000) / 1000
        return (
            f"{'limited: ' + ', '.join(shortfalls) if shortfalls else 'sufficient'} ({self.customers:,} "
            f"customer{'' if self.customers == 1 else 's'}, {self.months_of_history:.1f} months of history, newest "
            f"purchase {self.days_since_newest} days ago, {came_back:.1%} came back)"
        )

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry."""
        return {
            "verdict": "limited" if self.shortfalls else "sufficient",
            "shortfalls": self.shortfalls,
            "customers": self.customers,
            "months_of_history": round(self.months_of_history, 1),
            "share_of_repeat_buyers": self.share_of_repeat_buyers,
            "customers_with_three_purchases": self.third_buyers,
            "days_since_newest_purchase": self.days_since_newest,
        }
