"""Exchange rates of days, small enough to go into a plan, so that no row is moved for them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

RATE_TYPE = "decimal(18,8)"


class Rates:
    """What one unit of a currency is worth, day by day, in units of another.

    It is no dataclass: rules hold it, and are hashed field by field. Its text is what they are hashed by.
    """

    def __init__(
        self, target: str, first_day: date, by_currency: Mapping[str, Sequence[Decimal | None]], sha256: str
    ) -> None:
        """Take the rates of each currency.

        Args:
            target: the currency that amounts are converted to.
            first_day: the day of the first rate of each currency.
            by_currency: for each other currency its rates, one for each day from the first on; None for a day without.
            sha256: of the file that they come from.
        """
        self.target = target
        self.first_day = first_day
        self.by_currency = by_currency
        self.sha256 = sha256

    def __str__(self) -> str:
        return f"rates to {self.target}, sha256 {self.sha256}"

    def __deepcopy__(self, _: dict[int, Any]) -> "Rates":
        # Nothing changes them, and a copy of all would serve nobody.
        return self

    @property
    def currencies(self) -> tuple[str, ...]:
        """All currencies, that of the target first."""
        return (self.target, *sorted(self.by_currency))

    def on(self, day: Column, *, currency: Column) -> Column:
        """The rate of a day, `RATE_TYPE`; null where there is none. The target's is always 1."""
        rates = F.from_json(F.lit(self._json), f"map<string,array<{RATE_TYPE}>>")
        of_day = F.get(F.try_element_at(rates, currency), F.datediff(day, F.lit(self.first_day)))
        return F.when(currency == self.target, F.lit(1).cast(RATE_TYPE)).otherwise(of_day)

    @cached_property
    def _json(self) -> str:
        """The rates of each currency, for the plans that they go into: each rule and the conversion has them."""
        lists = {name: [None if rate is None else str(rate) for rate in of] for name, of in self.by_currency.items()}
        return json.dumps(lists)
