"""Rows counted and money added by the tasks that write a frame, with no pass over it of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from jobs.runs.totals import NO_MONEY, Boundary, BoundaryTotal, Total

OBSERVED_MONEY = "decimal(38,4)"

Money = str | Column | Mapping[str, Column] | None
"""What is added up of rows: a column, an amount, the amounts of each currency, or nothing."""


@dataclass(frozen=True)
class Written:
    """A table of a run, as it was written.

    Attributes:
        table: its name.
        frame: the table, read from where it was written.
        total: its rows and its money.
        metrics: further aggregates over its rows, by name.
    """

    table: str
    frame: DataFrame
    total: Total
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry(self) -> BoundaryTotal:
        """The table's entry in the accounts."""
        return BoundaryTotal(Boundary(self.table), self.total)


def with_metrics(
    frame: DataFrame, name: str, *, money: Money = None, metrics: Mapping[str, Column] | None = None
) -> tuple[DataFrame, Observation]:
    """Have the query that runs ``frame`` count its rows, add its money and compute ``metrics``.

    A task that runs again after its machine was lost counts once if it writes. Rows that are observed before a shuffle
    may count twice.
    """
    observation = Observation(name)
    sums = [value.alias(alias) for alias, value in money_sums(money).items()]
    columns = [F.count(F.lit(1)).alias("rows"), *[value.alias(alias) for alias, value in (metrics or {}).items()]]
    return frame.observe(observation, *columns, *sums), observation


def money_sums(money: Money) -> dict[str, Column]:
    """Aggregates that add money up: ``money``, or one for each currency."""
    if money is None:
        return {}
    if isinstance(money, Mapping):
        # Numbered, since a currency may be called anything.
        return {f"money_{number}": _sum(amount) for number, amount in enumerate(money.values())}
    return {"money": _sum(money)}


def _sum(amount: str | Column) -> Column:
    return F.sum(amount).cast(OBSERVED_MONEY)


def total_of(metrics: Mapping[str, Any], money: Money) -> Total:
    """The total in observed metrics. No rows have no money, which is 0 and not an unknown sum."""
    rows = metrics.get("rows", 0)
    if money is None:
        return Total(rows)
    if isinstance(money, Mapping):
        sums = {name: metrics.get(f"money_{number}") or NO_MONEY for number, name in enumerate(money)}
        return Total(rows, None, sums)
    return Total(rows, metrics.get("money") or NO_MONEY)
