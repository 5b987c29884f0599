"""Whether two contenders made the same tables; a benchmark of different results would mean nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.in_duckdb import connected
from jobs.errors import PipelineError

TOLERANCE = 1e-9


class DifferenceError(PipelineError):
    """Contenders do not agree; the message says where."""

    exit_code = 1


@dataclass(frozen=True)
class Comparison:
    """How a table is compared.

    Attributes:
        key: the columns that make a row's identity.
        exact: further columns, and the type that they are read as; compared exactly.
        within: further columns, by the largest difference that is none.
    """

    key: Mapping[str, str]
    exact: Mapping[str, str]
    within: Mapping[str, str]


# Timestamps come as INT64 in UTC from the project and DuckDB, and as INT96 from a Spark that nobody has told otherwise.
COMPARISONS = {
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
        # The average is rounded to four decimals, by DuckDB from a floating quotient.
        within={
            "average_purchase_value": "0.0001",
            **dict.fromkeys(("recency", "frequency", "monetary"), repr(TOLERANCE)),
        },
    ),
}


def assert_same(ours: Path, theirs: Path, *, tables: tuple[str, ...], name: str, spill: Path) -> dict[str, int]:
    """Compare tables that two contenders wrote, and return the rows of each.

    Raises:
        DifferenceError: A row is missing, doubled or different.
    """
    rows = {}
    with connected(spill) as con:
        for table in tables:
            for side, folder in (("ours", ours), ("theirs", theirs)):
                con.execute(f"create or replace view {side} as {_reading(COMPARISONS[table], folder / table)}")
            found = _differences(con, COMPARISONS[table])
            if found:
                raise DifferenceError(f"{table} of {name} is not ours: {'; '.join(found)}")
            rows[table] = int(con.execute("select count(*) from ours").fetchall()[0][0])
    return rows


def _reading(comparison: Comparison, folder: Path) -> str:
    typed = [f"cast({name} as {kind}) as {name}" for name, kind in {**comparison.key, **comparison.exact}.items()]
    return f"select {', '.join([*typed, *comparison.within])} from read_parquet('{folder}/*.parquet')"


def _differences(con: duckdb.DuckDBPyConnection, comparison: Comparison) -> list[str]:
    """What differs between the views ``ours`` and ``theirs``; nothing where they are the same set of rows."""
    if not comparison.within:
        # Exact tables are the same if their rows' hashes add up to the same: one pass each, in any order and in
        # little memory. Where they do not, the join below says what differs.
        columns = ", ".join({**comparison.key, **comparison.exact})
        sums = f"select count(*), sum(hash({columns})), bit_xor(hash({columns}))"
        if con.execute(f"{sums} from ours").fetchall() == con.execute(f"{sums} from theirs").fetchall():
            return []
    found = []
    key = ", ".join(comparison.key)
    for side in ("ours", "theirs"):
        # A doubled row finds its partner in the join as well as a single one.
        doubled = con.execute(f"select count(*) from (from {side} select {key} group by all having count(*) > 1)")
        found += _said(f"keys more than once in {side}", doubled.fetchall()[0][0])
    first = next(iter(comparison.key))
    both = f"o.{first} is not null and t.{first} is not null"
    # A null in a column that is compared within limits makes no difference of its own, unless it is on one side alone.
    claims = {f"rows with another {name}": f"o.{name} is distinct from t.{name}" for name in comparison.exact}
    for name, most in comparison.within.items():
        claims[f"rows with another {name}"] = (
            f"coalesce(abs(o.{name} - t.{name}) > {most}, (o.{name} is null) <> (t.{name} is null))"
        )
    counts = {
        "rows in ours alone": f"t.{first} is null",
        "rows in theirs alone": f"o.{first} is null",
        **{what: f"{both} and {claim}" for what, claim in claims.items()},
    }
    columns = ", ".join(f"count(*) filter (where {condition})" for condition in counts.values())
    joined = f"select {columns} from ours o full outer join theirs t using ({key})"
    for what, count in zip(counts, con.execute(joined).fetchall()[0], strict=True):
        found += _said(what, count)
    return found or ([] if comparison.within else ["hashes of the rows differ, though no row by its key does"])


def _said(what: str, count: int) -> list[str]:
    return [f"{what}: {count:,}"] if count else []
