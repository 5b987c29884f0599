"""The rows of one customer in the tables of runs, and the search for a customer by id."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.cli.printable import counted
from jobs.errors import ConfigurationError, DataError, PipelineError
from jobs.explaining.explained_runs import ExplainedRun, ExplainedRuns, other_runs
from jobs.explaining.rescoring import Purchase, Side
from jobs.querying.views import QueriedRun, open_runs
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.table_files import RESTORE
from jobs.storage.uris import is_in_s3
from transforms.bounded_text import shown

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NOW, BEFORE = "now", "before"
TABLES = ("rfm", "purchases", "segment_history", "segment_changes", "customer_segments")
"""The tables that a customer is explained by, as far as a run has them."""

SHORTEST_PREFIX = 8
"""The fewest characters of an id that name a customer, if there is one alone whose id begins with them."""

MOST_IDS = 3
LONGEST_ID = 100
MOST_RUNS, MOST_RUNS_IN_S3 = 20, 3
"""Other runs in which an unknown customer is looked for. In S3 the table of each is copied for it."""

SEARCHES = {
    "rfm": (
        "select customer_unique_id from rfm where customer_unique_id = $1 limit 1",
        "select customer_unique_id from rfm where starts_with(customer_unique_id, $1) order by 1 limit 4",
    ),
    "segment_changes": (
        "select customer_unique_id from segment_changes where customer_unique_id = $1 limit 1",
        "select customer_unique_id from segment_changes where starts_with(customer_unique_id, $1) order by 1 limit 4",
    ),
}
"""How a customer is looked for in a table: by the id, and by its beginning. One id more than `MOST_IDS` will do."""

ROWS = {
    "rfm": "select * from rfm where customer_unique_id = $1",
    "segment_history": "select * from segment_history where customer_unique_id = $1",
    "segment_changes": "select * from segment_changes where customer_unique_id = $1",
    "customer_segments": "select * from customer_segments where customer_unique_id = $1",
}
"""The rows of a customer in each table with one row a customer."""

PURCHASES = "select order_purchase_time, value from purchases where customer_unique_id = $1 order by 1"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Records:
    """A customer's rows in a run.

    Attributes:
        rfm: None for a customer whom the run does not have.
        side: the customer's purchases, with the run's day, window and rules.
        history: of the segment.
        change: of the segment, since the run before.
        cluster: of the customer.
    """

    rfm: Row | None
    side: Side
    history: Row | None
    change: Row | None
    cluster: Row | None

    @property
    def code(self) -> str | None:
        """The code of the segment, as rfm has it."""
        return self.rfm["segment_code"] if self.rfm else None


@dataclass(frozen=True)
class CustomerRecords:
    """A customer in one run or in two.

    Attributes:
        id: the customer_unique_id.
        prefix: the beginning of the id by which the customer was named; None for the id itself.
        now: the rows in the run.
        before: the rows in the run before; None without such a run.
    """

    id: str
    prefix: str | None
    now: Records
    before: Records | None


def read_customer(store: RunStore, runs: ExplainedRuns, customer: str) -> CustomerRecords:
    """The rows of a customer, after a check of the files that they are in.

    Args:
        store: the runs.
        runs: the run, and the one before it.
        customer: the id, or the beginning of one.

    Raises:
        ConfigurationError: Neither run has such a customer, or several have ids that begin so. Or the package duckdb is
            not installed.
        DataError: A file is not what the manifest says, or a customer has two rows.
        OutsideSystemError: A file cannot be read.
    """
    explained = {NOW: runs.now} | ({BEFORE: runs.before} if runs.before else {})
    queried = [QueriedRun(schema, run.manifest, _tables_of(run.manifest)) for schema, run in explained.items()]
    with open_runs(store, queried, check_files=True) as connection:
        # Who vanished is in the changes too, should the run before be gone.
        places = [(schema, "rfm") for schema in explained]
        places += [(NOW, "segment_changes")] if runs.moves and "segment_changes" in queried[0].tables else []
        customer_id = _search(connection, places, customer)
        if customer_id is not None:
            records = {schema: _records(connection, schema, run, customer_id) for schema, run in explained.items()}
            prefix = None if customer_id == customer else customer
            return CustomerRecords(customer_id, prefix, records[NOW], records.get(BEFORE))
        rows = len(_purchases(connection, NOW, customer))
    raise ConfigurationError(_unknown(store, runs, customer, rows=rows))


def _tables_of(manifest: Manifest) -> tuple[str, ...]:
    return tuple(table for table in TABLES if table in manifest.tables)


def _search(connection: "DuckDBPyConnection", places: Sequence[tuple[str, str]], customer: str) -> str | None:
    """The id of a customer: the text as it is, or the only id that begins with it.

    Args:
        connection: with the tables.
        places: the schema and the table of each place to look in, one of `SEARCHES`.
        customer: the text.

    Raises:
        ConfigurationError: Several ids begin so.
    """
    if any(_query(connection, schema, SEARCHES[table][0], customer) for schema, table in places):
        return customer
    if len(customer) < SHORTEST_PREFIX:
        return None
    rows = [row for schema, table in places for row in _query(connection, schema, SEARCHES[table][1], customer)]
    ids = sorted({row["customer_unique_id"] for row in rows})
    if len(ids) > 1:
        more = ", and more" if len(ids) > MOST_IDS else ""
        raise ConfigurationError(
            f"customer {_shown(customer)}: found several ids that begin so: {', '.join(map(_shown, ids[:MOST_IDS]))}"
            f"{more}; expected one. Give more of the id"
        )
    return ids[0] if ids else None


def _records(connection: "DuckDBPyConnection", schema: str, run: ExplainedRun, customer: str) -> Records:
    rows = {
        table: _query(connection, schema, query, customer)
        for table, query in ROWS.items()
        if table in run.manifest.tables
    }
    for table, each in rows.items():
        if len(each) > 1:
            raise DataError(
                f"{table} of run {run.run_id}: found {len(each)} rows of customer {_shown(customer)}, expected one at "
                f"most. {RESTORE}"
            )
    of_table: Mapping[str, Row] = {table: each[0] for table, each in rows.items() if each}
    return Records(
        rfm=of_table.get("rfm"),
        side=Side(run.as_of, run.first_day, run.scoring, _purchases(connection, schema, customer)),
        history=of_table.get("segment_history"),
        change=of_table.get("segment_changes"),
        cluster=of_table.get("customer_segments"),
    )


def _purchases(connection: "DuckDBPyConnection", schema: str, customer: str) -> list[Purchase]:
    return [Purchase(*row.values()) for row in _query(connection, schema, PURCHASES, customer)]


def _query(connection: "DuckDBPyConnection", schema: str, query: str, customer: str) -> list[dict[str, Any]]:
    """The rows of a query over the tables of one run."""
    connection.execute(f'use "{schema}"')
    result = connection.execute(query, [customer])
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _shown(customer: str) -> str:
    return shown(customer, longest=LONGEST_ID)


def _unknown(store: RunStore, runs: ExplainedRuns, customer: str, *, rows: int) -> str:
    """Where an unknown customer was looked for, and which other run has them."""
    runs_read = [run for run in (runs.now, runs.before) if run]
    where = " and ".join(f"run {run.run_id} (as of {run.as_of})" for run in runs_read)
    lines = [f"customer {_shown(customer)}: found no such id in the rfm of {where}"]
    if rows:
        lines.append(f"though the run has {counted(rows, 'return')} and no purchase of them")
    elif len(customer) < SHORTEST_PREFIX:
        lines.append(f"expected an id, or {SHORTEST_PREFIX} or more of its first characters")
    else:
        lines.append("nor one that begins so")
    others = other_runs(
        store,
        but=[run.run_id for run in runs_read],
        most=MOST_RUNS_IN_S3 if is_in_s3(store.output) else MOST_RUNS,
    )
    having = next((manifest for manifest in others if _has(store, manifest, customer)), None)
    if having is not None:
        return f"{', '.join(lines)}. Run {having.run_id} (as of {having.as_of}) has them: --run {having.run_id}"
    searched = ["There is no other run with scores", "The one other run does not have them either"]
    many = f"The {len(others)} newest of the other runs do not have them either"
    return f"{', '.join(lines)}. {[*searched, many][min(len(others), 2)]}. Check the id"


def _has(store: RunStore, manifest: Manifest, customer: str) -> bool:
    """Whether a run has a customer, by its files as they are; not if they cannot be read."""
    with (
        suppress(PipelineError),
        open_runs(store, [QueriedRun(NOW, manifest, ("rfm",))], check_files=False) as connection,
    ):
        with suppress(ConfigurationError):
            return _search(connection, [(NOW, "rfm")], customer) is not None
        return True
    return False
