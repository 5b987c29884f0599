"""The contract of a ledger, built from the mapping of its columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, TimestampType

from expectations.contracts.contract import FileContract, file_contract
from expectations.rules import Between, Cells, InSet, Rule
from expectations.rules.cell_forms import ColumnForm
from expectations.rules.ledger_rules import HasKind, HasRate, HasSign, IsMoney
from transforms import schemas
from transforms.rates import Rates
from transforms.sources.ledger import amount_of, ledger_schema
from transforms.sources.mapping import FILTERED_BY, LedgerMapping

TABLE = "ledger"


@dataclass(frozen=True, eq=False)
class LedgerContract(FileContract):
    """What is expected of a ledger. Its rules name the columns of the checked ledger, which the mapping renames.

    Attributes:
        mapping: of the ledger.
        rates: of its currencies; None where all amounts are in one.
    """

    mapping: LedgerMapping = field(kw_only=True)
    rates: Rates | None = field(kw_only=True)

    @property
    def key(self) -> tuple[str, ...]:
        """The id of a row; nothing for a ledger without one."""
        return ("order_id",) if self.mapping.transaction_id_col else ()

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies whose money is added, each by itself; none where all amounts are in one."""
        if self.mapping.currency_col is None:
            return ()
        return self.rates.currencies if self.rates else (self.mapping.currency,)

    def money_in(self, cells: Cells) -> Column | Mapping[str, Column]:
        """The amount of a row; by currency, where rows have different ones. Those without a rate are not added up."""
        amount = amount_of([cells.value(column) for column in self.mapping.amount_columns])
        if not self.currencies:
            return amount
        return {name: F.when(F.col("currency") == name, amount) for name in self.currencies}

    def type_incompatibility(self, column: str, data_type: DataType) -> str | None:
        """Why a column of the ledger cannot have a type; None if it can."""
        mapping = self.mapping
        if column != "order_purchase_time":
            return None
        if isinstance(data_type, DateType) and mapping.moves_times:
            return f"{mapping.datetime_col} has days, expected times: a day cannot be brought to another time zone"
        is_plain = mapping.time_zone is None or mapping.datetime_zone is not None
        if is_plain or not isinstance(data_type, TimestampType):
            return None
        return (
            f"{mapping.datetime_col} is a timestamp that Spark shows in UTC, expected the zone that it is in: "
            f"datetime_zone: UTC brings it to {mapping.time_zone}; datetime_zone: {mapping.time_zone} takes it as it is"
        )

    def incompatibility(self, rule: Rule) -> str | None:
        """Why the contract cannot have a rule; None if it can."""
        if rule.severity == "warn" and isinstance(rule, HasKind | HasRate | HasSign | IsMoney):
            return "severity is warn, expected quarantine or stop: what a row that fails it is worth is not known"
        if isinstance(rule, InSet) and rule.column == "currency" and self.currencies and self.rates is None:
            only = self.mapping.currency
            if rule.severity == "warn" or rule.values != (only,):
                return f"expected {only} alone, and quarantine or stop: amounts in other currencies need rates"
        return super().incompatibility(rule)

    def form_incompatibility(self, column: str, form: ColumnForm) -> str | None:
        """Why a column cannot be declared to have a form; None if it can."""
        if form.may_be_missing:
            return f"{column}: may_be_missing, expected a mapping of the ledger that does not name the column"
        if form.format is not None or form.zone is not None:
            return f"{column}: format, expected in the mapping of the ledger, as datetime_format"
        return super().form_incompatibility(column, form)


def ledger_contract(mapping: LedgerMapping, rates: Rates | None) -> LedgerContract:
    """Build the contract of a ledger.

    Args:
        mapping: of its columns.
        rates: of its currencies; None where the mapping names no file of rates.
    """
    rate = _rate_of(mapping, rates)
    contract = LedgerContract(
        table=TABLE,
        file=TABLE,
        schema=ledger_schema(mapping),
        file_names=mapping.columns,
        free_text=tuple(name for name in mapping.columns if name.startswith(FILTERED_BY)),
        rules=(
            Between("order_purchase_time", low=schemas.FIRST_TIME, high=schemas.LAST_TIME, null_passes=True),
            *_rules_of_amounts(mapping, rate),
            *([HasKind(mapping)] if mapping.types else []),
            *_rules_of_currencies(mapping, rate),
        ),
        forms={"order_purchase_time": _form_of_times(mapping)},
        decimal_comma=mapping.csv.decimal == ",",
        mapping=mapping,
        rates=rates,
    )
    return file_contract(contract, required=_required(mapping))


def _required(mapping: LedgerMapping) -> list[str]:
    """The columns without which a row is rejected."""
    needed = ["order_id"] if mapping.id_col else []
    if mapping.customer_missing == "quarantine":
        needed.append("customer_unique_id")
    needed += ["order_purchase_time", *mapping.amount_columns]
    return needed + (["currency"] if mapping.currency_col else [])


def _form_of_times(mapping: LedgerMapping) -> ColumnForm:
    """How times are written. One with an offset is brought to the zone in which the others are written."""
    zone = mapping.datetime_zone or mapping.time_zone
    return ColumnForm(format=mapping.datetime_format, zone=zone, has_time=mapping.moves_times)


def _rules_of_amounts(mapping: LedgerMapping, rate: HasRate | None) -> list[Rule]:
    factors = mapping.amount_columns
    sign: Literal["at least 0", "at most 0"] = "at most 0" if mapping.sign == "debits negative" else "at least 0"
    rules: list[Rule] = [IsMoney(factors, rate)]
    if mapping.types:
        rules.append(HasSign(factors, sign, of_purchases=mapping))
    elif mapping.sign == "all positive":
        rules.append(HasSign(factors, sign))
    return rules


def _rate_of(mapping: LedgerMapping, rates: Rates | None) -> HasRate | None:
    if rates is None:
        return None
    return HasRate("currency", "order_purchase_time", rates, (mapping.datetime_zone, mapping.time_zone))


def _rules_of_currencies(mapping: LedgerMapping, rate: HasRate | None) -> list[Rule]:
    if rate is not None:
        return [rate]
    return [InSet("currency", (mapping.currency,), null_passes=True)] if mapping.currency_col else []
