"""Comparison of the tables of two contenders, since times of different results cannot be compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.in_duckdb import connected
from benchmarks.script_in_duckdb import QUARANTINE
from jobs.errors import PipelineError

TOLERANCE = 1e-9

ORDER_TIMES = (
    *("order_purchase_time", "order_approved_at", "order_delivered_carrier_date"),
    *("order_delivered_customer_date", "order_estimated_delivery_date"),
)


class DifferenceError(PipelineError):
    """The tables of two contenders differ. The message lists the differences."""

    exit_code = 1


@dataclass(frozen=True)
class Comparison:
    """The columns of a table, and how each one is compared.

    Attributes:
        key: The key's columns, and the type as which each one is read.
        exact: The columns that must be equal, and the type as which each one is read.
        within: The columns that may differ, and the largest difference of each one.
    """

    key: Mapping[str, str]
    exact: Mapping[str, str]
    within: Mapping[str, str]


# The project and DuckDB write timestamps as INT64 in UTC. Spark writes INT96 by default.
COMPARISONS = {
    "customers": Comparison(
        key={"customer_id": "varchar"},
        exact=dict.fromkeys(("customer_unique_id", "zip_code", "customer_city", "state"), "varchar"),
        within={},
    ),
    "orders": Comparison(
        key={"order_id": "varchar"},
        exact={
            **dict.fromkeys(("customer_id", "order_status"), "varchar"),
            **dict.fromkeys(ORDER_TIMES, "timestamptz"),
        },
        within={},
    ),
    "payments": Comparison(
        key={"order_id": "varchar", "payment_sequential": "integer"},
        exact={"payment_type": "varchar", "payment_installments": "integer", "payment_value": "decimal(18, 4)"},
        within={},
    ),
    "transactions": Comparison(
        key={"order_id": "varchar", "payment_sequential": "integer"},
        exact={
            "customer_unique_id": "varchar",
            "order_purchase_time": "timestamptz",
            "payment_value": "decimal(18, 4)",
        },
        within={},
    ),
    "purchases": Comparison(
        key={"customer_unique_id": "varchar", "order_purchase_time": "timestamptz"},
        exact={"value": "decimal(18, 4)"},
        within={},
    ),
    "rfm": Comparison(
        key={"customer_unique_id": "varchar"},
        exact={
            "last_purchase_time": "timestamptz",
            "recency_weeks": "integer",
            "purchase_count": "bigint",
            "total_value": "decimal(18, 4)",
        },
        # The average is rounded to four decimals. DuckDB rounds a floating-point quotient.
        within={
            "average_purchase_value": "0.0001",
            **dict.fromkeys(("recency", "frequency", "monetary"), repr(TOLERANCE)),
        },
    ),
}


def assert_same(ours: Path, theirs: Path, *, tables: tuple[str, ...], name: str, spill: Path) -> dict[str, int]:
    """Compare the tables of two contenders.

    Args:
        ours: The folder of our tables.
        theirs: The folder of the other contender's tables.
        tables: The names of the tables to compare.
        name: The other contender's name, for the message.
        spill: A folder for data that exceeds the memory.

    Returns:
        The number of rows per table.

    Raises:
        DifferenceError: A row is missing, duplicated or different.
    """
    rows = {}
    with connected(spill) as con:
        for table in tables:
            for side, folder in (("ours", ours), ("theirs", theirs)):
                con.execute(f"create or replace view {side} as {_typed_query(COMPARISONS[table], folder / table)}")
            differences = _differences(con, COMPARISONS[table])
            if differences:
                raise DifferenceError(f"{table} of {name} differs from ours: {'; '.join(differences)}")
            rows[table] = int(con.execute("select count(*) from ours").fetchall()[0][0])
    return rows


def assert_as_many_rejected(ours: Path, theirs: Path, *, tables: tuple[str, ...], name: str) -> dict[str, int]:
    """Compare how many rows two contenders rejected.

    Args:
        ours: The folder of our tables, with those of rejected rows below `QUARANTINE`.
        theirs: The same of the other contender.
        tables: The names of the tables whose rejected rows are counted.
        name: The other contender's name, for the message.

    Returns:
        The number of rejected rows per table.

    Raises:
        DifferenceError: The numbers differ.
    """
    rejected = {}
    for table in tables:
        counts = [_rows_in(folder / QUARANTINE / table) for folder in (ours, theirs)]
        if counts[0] != counts[1]:
            raise DifferenceError(f"{name} rejects {counts[1]:,} rows of {table}, expected our {counts[0]:,}")
        rejected[table] = counts[0]
    return rejected


def _rows_in(folder: Path) -> int:
    """The number of rows in a folder of Parquet files, which may have none."""
    if not any(folder.glob("*.parquet")):
        return 0
    return int(duckdb.execute(f"select count(*) from read_parquet('{folder}/*.parquet')").fetchall()[0][0])


def _typed_query(comparison: Comparison, folder: Path) -> str:
    typed = [f"cast({name} as {kind}) as {name}" for name, kind in {**comparison.key, **comparison.exact}.items()]
    return f"select {', '.join([*typed, *comparison.within])} from read_parquet('{folder}/*.parquet')"


def _differences(con: duckdb.DuckDBPyConnection, comparison: Comparison) -> list[str]:
    """The differences between the views ``ours`` and ``theirs``; empty if they have the same rows."""
    if not comparison.within:
        # Tables without tolerances have the same rows if the sums of their row hashes are equal. That takes one pass
        # each and little memory. If the sums differ, the join below finds the differences.
        columns = ", ".join({**comparison.key, **comparison.exact})
        sums = f"select count(*), sum(hash({columns})), bit_xor(hash({columns}))"
        if con.execute(f"{sums} from ours").fetchall() == con.execute(f"{sums} from theirs").fetchall():
            return []
    differences = []
    key = ", ".join(comparison.key)
    for side in ("ours", "theirs"):
        # The join below matches a duplicate like a single row.
        duplicates = con.execute(f"select count(*) from (from {side} select {key} group by all having count(*) > 1)")
        differences += _if_any(f"duplicate keys in {side}", duplicates.fetchall()[0][0])
    first = next(iter(comparison.key))
    both = f"o.{first} is not null and t.{first} is not null"
    # In a column with a tolerance, a null differs only if the other side is not null.
    conditions = {f"rows with a different {name}": f"o.{name} is distinct from t.{name}" for name in comparison.exact}
    for name, tolerance in comparison.within.items():
        conditions[f"rows with a different {name}"] = (
            f"coalesce(abs(o.{name} - t.{name}) > {tolerance}, (o.{name} is null) <> (t.{name} is null))"
        )
    counts = {
        "rows in ours only": f"t.{first} is null",
        "rows in theirs only": f"o.{first} is null",
        **{label: f"{both} and {condition}" for label, condition in conditions.items()},
    }
    columns = ", ".join(f"count(*) filter (where {condition})" for condition in counts.values())
    joined = f"select {columns} from ours o full outer join theirs t using ({key})"
    for label, count in zip(counts, con.execute(joined).fetchall()[0], strict=True):
        differences += _if_any(label, count)
    return differences or ([] if comparison.within else ["hashes of the rows differ, though no row by its key does"])


def _if_any(label: str, count: int) -> list[str]:
    return [f"{label}: {count:,}"] if count else []
