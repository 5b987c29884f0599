"""The warehouse in a DuckDB file: for a laptop, and for whoever wants to look at a run with a tool of their own."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb
from duckdb import DuckDBPyConnection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from jobs import console
from jobs.errors import OutsideSystemError
from jobs.warehouse.address import WORKSHOP, DuckDBAddress
from jobs.warehouse.contents import RunToLoad
from jobs.warehouse.duckdb_tables import SCHEMA, fill, fill_raw, record_load
from jobs.warehouse.identifiers import identifier
from jobs.warehouse.loaded import Loaded, Warehouse
from jobs.warehouse.raw_files import RawToLoad
from jobs.warehouse.target import Target
from jobs.warehouse.workshop_views import VIEWS, create_view

STORAGE_VERSION = "v1.4.0"
"""What a new file is written for. DuckDB 2.0's own format is read by no older tool, its command line on PyPI (1.5)
included."""

SECONDS_FOR_THE_LOCK = 15.0
"""How long a load waits for a file that is open elsewhere: DuckDB lets one process write, or several read."""


class InDuckDB:
    """A DuckDB file that runs are loaded into.

    One load reads the run's files and writes as much; the file keeps the space of the run before until the next load
    fills it. While one process loads no other can open the file, and while another has it open no load begins.
    """

    def __init__(self, address: DuckDBAddress) -> None:
        self.address = address

    def load(self, run: RunToLoad) -> Loaded:
        """Put a run's tables in place of the last run's; see `Warehouse.load`."""
        load_id = secrets.token_hex(8)
        with self._transaction(f"load {run.run_id}", len(run.tables) + 2) as (connection, begin):
            for table in run.tables:
                begin(f"load {table.name}")
                fill(connection, table)
            begin("make the workshop's views")
            connection.execute(f"create schema if not exists {identifier(WORKSHOP)}")
            for view in VIEWS:
                connection.execute(create_view(view, schema=WORKSHOP, tables_schema=SCHEMA))
            begin("record the load")
            record_load(connection, run, load_id)
        return Loaded(load_id)

    def load_raw(self, raw: RawToLoad) -> None:
        """Put the raw files in place of the last ones; see `Warehouse.load_raw`."""
        with self._transaction("load raw files", len(raw.tables)) as (connection, begin):
            for table in raw.tables:
                begin(f"load {table.name}")
                fill_raw(connection, table)

    @contextmanager
    def _transaction(self, title: str, steps: int) -> Iterator[tuple[DuckDBPyConnection, Callable[[str], None]]]:
        """A transaction that is committed at the end, or leaves the file as it was.

        Yields:
            The connection, and what is told of each step when it begins.
        """
        step, done = "open the file", -1
        with console.statement_bar(title, steps) as show:

            def begin(name: str) -> None:
                nonlocal step, done
                step, done = name, done + 1
                show(done, name)

            try:
                with self._opened() as connection:
                    connection.begin()
                    yield connection, begin
                    begin("commit")
                    connection.commit()
            except duckdb.Error as error:
                raise OutsideSystemError(
                    f"{self.address}: could not {step}: {_line(error)}. The file is as it was before"
                ) from None

    def _opened(self) -> DuckDBPyConnection:
        path = self.address.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutsideSystemError(f"{self.address}: its folder cannot be made ({error.strerror})") from None
        patience = Retrying(
            retry=retry_if_exception_type(_InUseError),
            stop=stop_after_delay(SECONDS_FOR_THE_LOCK),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )

        def attempt() -> DuckDBPyConnection:
            try:
                return duckdb.connect(path, config={"storage_compatibility_version": STORAGE_VERSION})
            except duckdb.IOException as error:
                if "lock" in str(error):
                    raise _InUseError(
                        f"{self.address} is open in another program, and was for {SECONDS_FOR_THE_LOCK:.0f} s "
                        f"({_line(error)}). Close it there, and publish the run"
                    ) from None
                raise OutsideSystemError(f"{self.address} cannot be opened: {_line(error)}") from None

        return patience(attempt)


def opened(target: Target) -> Warehouse:
    """The DuckDB file that a target names."""
    if not isinstance(target.address, DuckDBAddress):
        raise TypeError(f"{target.address} is no DuckDB file")
    return InDuckDB(target.address)


class _InUseError(OutsideSystemError):
    """The file is open elsewhere."""


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
