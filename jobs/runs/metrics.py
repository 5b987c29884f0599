"""Rows counted and money added by the tasks that make a frame, with no pass over it of their own."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from jobs.runs.totals import NO_MONEY, Total

OBSERVED_MONEY = "decimal(38,4)"


def observe(
    frame: DataFrame, name: str, *, money: str | Column | None = None, also: Mapping[str, Column] | None = None
) -> tuple[DataFrame, Observation]:
    """Have whoever runs ``frame`` count its rows, add its money, and compute ``also``."""
    observation = Observation(name)
    columns = [F.count(F.lit(1)).alias("rows"), *[value.alias(alias) for alias, value in (also or {}).items()]]
    if money is not None:
        columns.append(F.sum(money).cast(OBSERVED_MONEY).alias("money"))
    return frame.observe(observation, *columns), observation


def total_of(figures: Mapping[str, Any], money: str | Column | None) -> Total:
    """The total in what was observed. No rows make no money, and not an unknown sum."""
    rows = figures.get("rows", 0)
    return Total(rows, None if money is None else figures.get("money") or NO_MONEY)
