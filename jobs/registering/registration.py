"""A run put into the Glue Data Catalog: its partitions, and then the tables that show the current run.

A registration may be repeated, and so may a part of one. Each table changes at once, but not all of them together. So a
registration ends only when ``current.json`` still names the run to which it moved the tables. Of two at once, the one
that writes last has then read the pointer last, and every table shows the same run.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from jobs.cli.logs import log_event
from jobs.cli.run_ids import RUN_ID
from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.registering.columns import REGISTERED
from jobs.registering.glue import ChangedMeanwhileError, GlueCatalogue
from jobs.registering.table_inputs import (
    CURRENT,
    OUTPUT,
    Json,
    RegisteredTable,
    RunInCatalogue,
    holds,
    output_of,
)
from jobs.storage.store import RunStore

log = logging.getLogger(__name__)

ATTEMPTS = 20
LONGEST_WAIT = 5.0
"""How often a registration starts again because another one or ``current.json`` moved, and seconds between two."""


@dataclass(frozen=True)
class Registered:
    """What a registration left.

    Attributes:
        run_id: the run whose partitions are there.
        tables: the tables that it has a partition in.
        current: the run that the tables of the current run show; None while no run is current.
        removed: runs that are gone, whose partitions were removed.
    """

    run_id: str
    tables: Sequence[str]
    current: str | None
    removed: Sequence[str]


class Registration:
    """The registration of one run in a database."""

    def __init__(self, store: RunStore, catalogue: GlueCatalogue, run_id: str) -> None:
        """Find the run.

        Raises:
            ConfigurationError: There is no such run, or it is not complete.
            DataError: This program did not write its manifest so.
        """
        self._store, self._catalogue = store, catalogue
        self._run = RunInCatalogue(store, store.manifest(run_id))
        self._tables = [RegisteredTable(name, output_of(store)) for name in REGISTERED]
        self._removed: set[str] = set()

    def make(self) -> Registered:
        """Register the run, and let the tables of the current run follow ``current.json``.

        Raises:
            ConfigurationError: There is no such database, or a table of it is not of these runs; nothing was changed
                then.
            DataError: This program did not write the pointer or a manifest so.
            OutsideSystemError: The catalogue failed or refused, or others changed it again and again.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(ChangedMeanwhileError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=LONGEST_WAIT),
            reraise=True,
        )
        try:
            return retrying(self._make_once)
        except ChangedMeanwhileError as error:
            raise OutsideSystemError(
                f"database {self._catalogue.database} of the Glue Data Catalog, or current.json, changed {ATTEMPTS} "
                f"times while run {self._run.run_id} was registered ({error}), expected both to stay as they are for "
                "a moment. Register it again later"
            ) from None

    def _make_once(self) -> Registered:
        present = self._catalogue.tables([name for each in self._tables for name in _names(each)])
        self._refuse_others_tables(present)
        current = self._current()
        runs = [self._run, *([current] if current and current.run_id != self._run.run_id else [])]
        for table in self._tables:
            self._put(table.of_all_runs, present)
        self._put_partitions(runs)
        if current is not None:
            for table in self._tables:
                self._put(table.of_current_run(current), present)
        now = self._store.current()
        if (now and now.run_id) != (current and current.run_id):
            raise ChangedMeanwhileError(f"current.json names run {now.run_id if now else 'none'}")
        return Registered(
            self._run.run_id, self._run.tables, current.run_id if current else None, sorted(self._removed)
        )

    def _current(self) -> RunInCatalogue | None:
        pointer = self._store.current()
        return RunInCatalogue(self._store, self._store.manifest(pointer.run_id)) if pointer else None

    def _refuse_others_tables(self, present: Mapping[str, Json]) -> None:
        """Refuse a database that has a table of the same name from elsewhere, before anything is changed.

        Raises:
            ConfigurationError: It has.
        """
        for table in self._tables:
            for name in _names(table):
                owner = present.get(name, {}).get("Parameters", {}).get(OUTPUT, "something else")
                if name in present and owner != table.output:
                    raise ConfigurationError(
                        f"--catalogue {self._catalogue.database}: table {name} there is of {owner}, expected one of "
                        f"{table.output}. Nothing was changed; name a database for the runs of this folder alone"
                    )

    def _put(self, table: Json, present: Mapping[str, Json]) -> None:
        """Create a table, or change it where it differs."""
        there = present.get(table["Name"])
        if there is None:
            self._catalogue.create_table(table)
        elif not holds(there, table):
            self._catalogue.update_table(table, present=there)

    def _put_partitions(self, runs: Sequence[RunInCatalogue]) -> None:
        """Add the partitions of runs, give all the columns of their table, and remove those of runs that are gone."""
        present = {table.name: self._catalogue.partitions(table.name) for table in self._tables}
        # Read after the partitions: a run that has one, and is not there any more, is gone.
        run_ids = set(self._store.run_ids())
        for table in self._tables:
            there = present[table.name]
            expected = {run.run_id: table.partition(run) for run in runs if table.name in run.tables}
            kept = {run_id: _with_columns(of, table) for run_id, of in there.items() if run_id in run_ids}
            changed = [of for run_id, of in {**kept, **expected}.items() if not holds(there.get(run_id), of)]
            gone = sorted(run_id for run_id in there.keys() - run_ids if RUN_ID.fullmatch(run_id))
            self._catalogue.create_partitions(table.name, [of for of in changed if of["Values"][0] not in there])
            self._catalogue.update_partitions(table.name, [of for of in changed if of["Values"][0] in there])
            self._catalogue.delete_partitions(table.name, gone)
            self._removed |= set(gone)


def register(store: RunStore, catalogue: GlueCatalogue, run_id: str) -> Registered:
    """Register a run; see `Registration`."""
    registered = Registration(store, catalogue, run_id).make()
    log_event(
        log,
        "run registered",
        run_id=run_id,
        database=catalogue.database,
        tables=len(registered.tables),
        current=registered.current,
        runs_removed=len(registered.removed),
    )
    return registered


def _names(table: RegisteredTable) -> tuple[str, str]:
    return table.name, f"{table.name}{CURRENT}"


def _with_columns(partition: Json, table: RegisteredTable) -> Json:
    """A partition of an earlier run with the columns that its table has now, by whose places Athena reads JSON."""
    return {
        "Values": partition["Values"],
        "StorageDescriptor": {**partition["StorageDescriptor"], "Columns": table.columns},
        "Parameters": partition.get("Parameters", {}),
    }
