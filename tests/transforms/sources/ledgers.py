"""Ledgers of a few rows, as the tests of their transforms write them down."""

from datetime import date
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession

from tests.frames import frame
from transforms.rates import Rates
from transforms.sources.counted import Counted
from transforms.sources.ledger import attributed_entries, ledger_schema
from transforms.sources.mapping import LedgerMapping

AS_OF = date(2018, 6, 30)
LONG_AFTER = Counted(date(2030, 12, 31))
NAMES = {"customer_id_col": "who", "datetime_col": "at", "monetary_value_col": "amount", "currency": "EUR"}


def mapping(**changes: Any) -> LedgerMapping:
    """A mapping of a ledger with ids, with changes."""
    return LedgerMapping(**{**NAMES, "transaction_id_col": "id", **changes})


def ledger(spark: SparkSession, of: LedgerMapping, *rows: tuple[Any, ...]) -> DataFrame:
    """A checked ledger: the columns of the mapping, in its order."""
    return frame(spark, ledger_schema(of), *rows)


def entries(
    spark: SparkSession,
    of: LedgerMapping,
    *rows: tuple[Any, ...],
    counted: Counted = LONG_AFTER,
    rates: Rates | None = None,
) -> dict[str, Row]:
    """The entries of a ledger, by their ids."""
    attributed = attributed_entries(ledger=ledger(spark, of, *rows), mapping=of, rates=rates, counted=counted)
    return {row["order_id"]: row for row in attributed.collect()}


def causes(actual: dict[str, Row]) -> dict[str, str | None]:
    """The cause of each entry's exclusion."""
    return {name: row["exclusion_cause"] for name, row in actual.items()}
