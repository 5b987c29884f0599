"""Rules of a ledger: that an amount is money, that sign and type are plain, and that a rate is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import mul, or_
from typing import ClassVar, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.rules.cells import Cells
from expectations.rules.rule import RowRule
from transforms.rates import Rates
from transforms.sources.ledger import PURCHASE, amount_of, kind_of
from transforms.sources.mapping import LedgerMapping
from transforms.wall_clock import in_zone

TYPE = "transaction_type"

LARGEST_WORTH = 10_000_000_000
"""In the currency of the mapping. Beyond it an amount is taken for an error. Ten thousand of them fit into a sum."""


@dataclass(frozen=True)
class AmountRule(RowRule):
    """A rule about an amount, or about a product that is one. A row without one of its values passes.

    Attributes:
        factors: the column of the amount, or the columns whose product it is.
    """

    factors: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The columns."""
        return " x ".join(self.factors)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns."""
        return self.factors

    def shown(self, cells: Cells, /) -> Column:
        """The amount, or its factors."""
        return F.concat_ws(" x ", *[cells.text(column) for column in self.factors])

    def _product(self, cells: Cells) -> Column:
        return reduce(mul, [cells.value(column) for column in self.factors])


@dataclass(frozen=True)
class IsMoney(AmountRule):
    """What an amount is worth in the currency of the mapping is no more than `LARGEST_WORTH`, either way.

    Attributes:
        rate: what it is converted by; None where all amounts are in that currency.
    """

    rate: "HasRate | None" = None
    kind: ClassVar[str] = "is_money"
    __pydantic_config__: ClassVar[Mapping[str, bool]] = {"arbitrary_types_allowed": True}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, and those of the rate."""
        return (*self.factors, *(self.rate.columns if self.rate else ()))

    @property
    def expectation(self) -> str:
        """The largest worth."""
        currency = f" {self.rate.rates.target}" if self.rate else ""
        return f"an amount worth at most {LARGEST_WORTH:,}{currency}, either way"

    def passes(self, cells: Cells, /) -> Column:
        """Whether the worth is no more; a row without a rate passes."""
        # Null if no table holds it. A product of all digits, times a rate, could be more than Spark holds.
        amount = amount_of([cells.value(column) for column in self.factors])
        rate = F.lit(1) if self.rate is None else self.rate.of(cells)
        is_none = reduce(or_, [cells.value(column).isNull() for column in self.factors])
        return is_none | rate.isNull() | F.coalesce(F.abs(amount * rate) <= LARGEST_WORTH, F.lit(False))


@dataclass(frozen=True)
class HasSign(AmountRule):
    """An amount has the sign that the ledger's purchases have.

    Attributes:
        sign: which.
        of_purchases: the mapping whose types say which rows are purchases; None where every row has to have the sign.
    """

    sign: Literal["at least 0", "at most 0"]
    of_purchases: LedgerMapping | None = None
    kind: ClassVar[str] = "has_sign"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, and that of the type."""
        return (*self.factors, *([TYPE] if self.of_purchases else []))

    @property
    def expectation(self) -> str:
        """The sign."""
        of = "" if self.of_purchases is None else " of a purchase"
        return f"an amount{of} of {self.sign}, as the mapping says by sign"

    def passes(self, cells: Cells, /) -> Column:
        """Whether the amount has the sign."""
        product = self._product(cells)
        passes = product >= 0 if self.sign == "at least 0" else product <= 0
        if self.of_purchases is not None:
            kind = kind_of(self.of_purchases, amount=product, row_type=F.col(TYPE))
            passes = passes | F.coalesce(kind != PURCHASE, F.lit(True))
        return product.isNull() | passes


@dataclass(frozen=True)
class HasKind(RowRule):
    """The type of a row is one that the mapping names.

    Attributes:
        mapping: with the types.
    """

    mapping: LedgerMapping
    kind: ClassVar[str] = "has_kind"

    @property
    def subject(self) -> str:
        """The column of the type."""
        return TYPE

    @property
    def expectation(self) -> str:
        """The types."""
        values = [value for value, _ in self.mapping.kinds_by_value()]
        return f"a type that the mapping names: {', '.join(values)}"

    def passes(self, _cells: Cells, /) -> Column:
        """Whether it is one of them."""
        return kind_of(self.mapping, amount=F.lit(0), row_type=F.col(TYPE)).isNotNull()

    def shown(self, _cells: Cells, /) -> Column:
        """The type."""
        return F.col(TYPE)


@dataclass(frozen=True)
class HasRate(RowRule):
    """The currency of a row has an exchange rate on its day. A row without a currency or a time passes.

    Attributes:
        currency: the column of the currency.
        time: the column of the time.
        rates: the rates.
        zones: the zone in which times are written, and the one whose days count.
    """

    currency: str
    time: str
    rates: Rates
    zones: tuple[str | None, str | None] = (None, None)
    kind: ClassVar[str] = "has_rate"
    # Rates are of a class that Pydantic does not know.
    __pydantic_config__: ClassVar[Mapping[str, bool]] = {"arbitrary_types_allowed": True}

    @property
    def subject(self) -> str:
        """Both columns."""
        return f"{self.currency}, {self.time}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.currency, self.time)

    @property
    def expectation(self) -> str:
        """The rate."""
        return f"a currency with a rate to {self.rates.target} on that day ({', '.join(self.rates.currencies)})"

    def of(self, cells: Cells) -> Column:
        """The rate of a row; null where there is none."""
        written_in, zone = self.zones
        day = F.to_date(in_zone(cells.value(self.time), written_in=written_in, zone=zone))
        return self.rates.on(day, currency=F.col(self.currency))

    def passes(self, cells: Cells, /) -> Column:
        """Whether there is a rate."""
        return F.col(self.currency).isNull() | cells.value(self.time).isNull() | self.of(cells).isNotNull()

    def shown(self, cells: Cells, /) -> Column:
        """The currency and the time."""
        return F.concat_ws(", ", F.col(self.currency), cells.text(self.time))
