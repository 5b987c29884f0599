"""What the columns of a ledger are: the mapping that a user writes, typed and free of contradictions.

The words are those of pymc-marketing's ``clv.utils``: customer_id_col, datetime_col, monetary_value_col.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal
from zoneinfo import available_timezones

Sign = Literal["all positive", "purchases positive", "debits negative"]
Kind = Literal["purchase", "return", "reversal", "fee", "other"]
Returns = Literal["ignore", "net", "cancel"]
Customers = Literal["quarantine", "leave out"]
Delimiter = Literal[",", ";", "|", "tab", "whitespace"]
Encoding = Literal["utf-8", "iso-8859-1", "windows-1252"]

ANY_OTHER = "*"
"""The value of a type column that stands for all that no other kind names."""
FILTERED_BY = "filtered_by_"
"""What the names of columns in the checked ledger begin with that only decide which rows count. They may be anything,
such as descriptions."""
LONGEST_HOLD = 31
LONGEST_CURRENCY = 16
NO_ZONES = frozenset({"Factory", "localtime"})
"""Names that Python has for no zone, and Java not at all."""


class MappingError(ValueError):
    """A mapping contradicts itself.

    Attributes:
        key: of the mapping, at which it does.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class CsvForm:
    """How CSV is written.

    Attributes:
        delimiter: between fields; whitespace is any number of spaces and tabs.
        decimal: the decimal sign. With a comma, points may group thousands.
        encoding: of the text.
        header: the columns of files without a header line; None where the first line is the header.
    """

    delimiter: Delimiter = ","
    decimal: Literal[".", ","] = "."
    encoding: Encoding = "utf-8"
    header: tuple[str, ...] | None = None
    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.header is not None and len({*self.header}) < len(self.header):
            raise MappingError("header", "found a name twice, expected each column once")
        if self.header == ():
            raise MappingError("header", "found no names, expected the columns of files that have no header line")

    @property
    def separator(self) -> str:
        """The character between fields, once runs of whitespace are one tab."""
        return "\t" if self.delimiter in ("tab", "whitespace") else self.delimiter


@dataclass(frozen=True)
class LedgerMapping:
    """The columns of a ledger and what they mean. docs/ledger.md explains each.

    Attributes:
        customer_id_col, datetime_col: the columns of the customer and of the time.
        monetary_value_col: the column of the amount, or two columns whose product it is.
        currency: of all amounts; with ``currency_col``, that to which they are converted.
        transaction_id_col: the column with an id for each row.
        order_id_col: the column with an id that the rows of an order share.
        status_col, type_col, channel_col, currency_col: further columns.
        returned_transaction_col: the column in which a return names what it takes back.
        datetime_format: of the time, in Spark's letters.
        datetime_zone: in which the time is written.
        time_zone: whose days count.
        sign: of amounts.
        types: values of ``type_col``, by what a row with it is.
        returns: what returns do.
        rates: the file of exchange rates, beside the mapping.
        rates_hold_days: for how many more days a rate holds.
        customer_missing: what happens to a row without a customer.
        keep, drop: by column of the file, the values whose rows alone count, or do not count.
        partitioned_by: the partition by day.
        csv: how CSV is written.
    """

    customer_id_col: str
    datetime_col: str
    monetary_value_col: str | tuple[str, str]
    currency: str
    transaction_id_col: str | None = None
    order_id_col: str | None = None
    status_col: str | None = None
    type_col: str | None = None
    channel_col: str | None = None
    currency_col: str | None = None
    returned_transaction_col: str | None = None
    datetime_format: str | None = None
    datetime_zone: str | None = None
    time_zone: str | None = None
    sign: Sign = "all positive"
    types: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    returns: Returns = "ignore"
    rates: str | None = None
    rates_hold_days: int = 0
    customer_missing: Customers = "quarantine"
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drop: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    partitioned_by: str | None = None
    csv: CsvForm = CsvForm()
    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        self._check_ids()
        self._check_types()
        self._check_currency()
        self._check_zones()
        both = {*self.keep} & {*self.drop}
        if both:
            raise MappingError("drop", f"found {min(both)} in keep too, expected each column in one of them")
        for key in ("keep", "drop", "types"):
            if not all(getattr(self, key).values()):
                raise MappingError(key, "found no values, expected a list of them for each")

    def _check_ids(self) -> None:
        if self.transaction_id_col and self.order_id_col:
            raise MappingError(
                "order_id_col", "found transaction_id_col too, expected one: an id for each row, or for several rows"
            )
        if self.returns == "cancel" and not (self.returned_transaction_col and self.transaction_id_col):
            raise MappingError(
                "returns",
                "cancel: expected returned_transaction_col, in which a return names what it takes back, and "
                "transaction_id_col, which has that name. Without them returns can be net or ignore",
            )

    def _check_types(self) -> None:
        if self.types and self.type_col is None:
            raise MappingError("types", "found no type_col, expected the column with these values")
        if self.type_col is not None and "purchase" not in self.types:
            raise MappingError(
                "type_col", 'expected types with the values that are purchases, such as types: {purchase: ["*"]}'
            )
        seen: dict[str, str] = {}
        for kind, values in self.types.items():
            for value in values:
                if value in seen:
                    raise MappingError("types", f"found {value} as {seen[value]} and as {kind}, expected it once")
                seen[value] = kind
        if self.returns != "ignore" and self.sign == "all positive" and not {"return", "reversal"} & {*self.types}:
            raise MappingError(
                "returns",
                f"{self.returns}: expected what tells returns: sign: purchases positive, or types with return",
            )

    def _check_currency(self) -> None:
        if not 1 <= len(self.currency) <= LONGEST_CURRENCY or not self.currency.isprintable():
            raise MappingError("currency", f"expected a code of at most {LONGEST_CURRENCY} characters, such as EUR")
        if self.rates is not None and self.currency_col is None:
            raise MappingError("rates", "found no currency_col, expected the column that says the currency of a row")
        if not 0 <= self.rates_hold_days <= LONGEST_HOLD:
            raise MappingError("rates_hold_days", f"expected a number of days from 0 to {LONGEST_HOLD}")

    def _check_zones(self) -> None:
        for key in ("datetime_zone", "time_zone"):
            zone = getattr(self, key)
            if zone is not None and zone not in available_timezones() - NO_ZONES:
                raise MappingError(key, f"found no time zone {zone}, expected one such as America/Sao_Paulo")
        if self.datetime_zone is not None and self.time_zone is None:
            raise MappingError("datetime_zone", "found no time_zone, expected the zone whose days count too")
        if self.moves_times and self.datetime_format and not {*"Hh"} & {*self.datetime_format}:
            raise MappingError(
                "datetime_zone",
                f"found datetime_format {self.datetime_format}, expected one with hours: a day cannot be brought to "
                "another time zone",
            )

    @property
    def moves_times(self) -> bool:
        """Whether times are brought from one zone to another, so that a day alone will not do."""
        return self.datetime_zone not in (None, self.time_zone)

    @property
    def factors(self) -> tuple[str, ...]:
        """The columns of the file whose product is the amount, or the one that it is."""
        return (self.monetary_value_col,) if isinstance(self.monetary_value_col, str) else self.monetary_value_col

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the checked ledger, each with its column in the file."""
        optional = {
            "order_status": self.status_col,
            "transaction_type": self.type_col,
            "channel": self.channel_col,
            "currency": self.currency_col,
            "returned_order_id": self.returned_transaction_col,
        }
        columns = {
            **({"order_id": self.id_col} if self.id_col else {}),
            "customer_unique_id": self.customer_id_col,
            "order_purchase_time": self.datetime_col,
            **dict(zip(self.amount_columns, self.factors, strict=True)),
            **{name: column for name, column in optional.items() if column is not None},
        }
        typed = {self.datetime_col, *self.factors}
        others = [column for column in (*self.keep, *self.drop) if column in typed or column not in columns.values()]
        return {**columns, **{f"{FILTERED_BY}{number}": column for number, column in enumerate(others, start=1)}}

    @property
    def id_col(self) -> str | None:
        """The column with the id of a row, or of its order."""
        return self.transaction_id_col or self.order_id_col

    @property
    def amount_columns(self) -> tuple[str, ...]:
        """The columns of the checked ledger whose product is the amount, or the one that it is."""
        return ("payment_value",) if len(self.factors) == 1 else ("quantity", "unit_price")

    def column_of(self, file_column: str) -> str:
        """The column of the checked ledger with the text of a column of the file, as it stands there."""
        typed = {"order_purchase_time", *self.amount_columns}
        return next(name for name, column in self.columns.items() if column == file_column and name not in typed)

    def kinds_by_value(self) -> Sequence[tuple[str, Kind]]:
        """The values of the type column with what they are: exact ones first, then beginnings from the longest on."""
        pairs = [(value, kind) for kind, values in self.types.items() for value in values]
        return sorted(pairs, key=lambda pair: (pair[0].endswith(ANY_OTHER), -len(pair[0]), pair[0]))
