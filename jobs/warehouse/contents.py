"""What is loaded: the tables of one run, the files that hold them, and the rows and money that must arrive."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql.types import StructType

from jobs.account import totals_of
from jobs.config import RUN_ID
from jobs.errors import ConfigurationError
from jobs.outputs import OutputFile, unchanged_files
from jobs.storage import RunStore
from jobs.totals import Total
from transforms.schemas import MONEY_COLUMNS, TABLES

EVERY_RUN_HAS = ("customers", "orders", "payments", "transactions", "purchases", "rfm")
"""Without one of these a run is not published. Of a table that it may do without, the rows of the last run are taken
away: readers see one run, and never two."""


@dataclass(frozen=True)
class TableToLoad:
    """A table of the run, and what must be in it once it is loaded.

    Attributes:
        name: the table's.
        files: the Parquet files that hold it; none when the run does not have it.
        total: its rows, and its money where it has any.
    """

    name: str
    files: tuple[OutputFile, ...]
    total: Total

    @property
    def schema(self) -> StructType:
        """Its columns, in the order in which the files have them."""
        return TABLES[self.name]

    @property
    def money(self) -> str | None:
        """The column whose sum is its money."""
        return MONEY_COLUMNS.get(self.name)


@dataclass(frozen=True)
class RunToLoad:
    """A whole run, as its manifest tells of it."""

    run_id: str
    as_of: str
    configuration_hash: str
    tables: tuple[TableToLoad, ...]

    def totals_as_text(self) -> str:
        """Rows and money of each table as JSON, for `pipeline_runs`."""
        return json.dumps({table.name: table.total.as_json() for table in self.tables})


def run_to_load(store: RunStore, run_id: str | None) -> RunToLoad:
    """A run's tables, after their files were looked at.

    Args:
        store: where the runs are.
        run_id: which run; None takes the current one.

    Raises:
        ConfigurationError: There is no such run, it is not whole, or it has not every table.
        DataError: A file is not what the run wrote.
    """
    if run_id is not None and not RUN_ID.fullmatch(run_id):
        raise ConfigurationError(f"--run {run_id!r} is no run's id, expected one such as 2018-10-17-nightly")
    manifest = store.chosen(run_id, lacks="nothing to load", to_do="Run jobs.pipeline, or name a --run")
    totals, recorded = totals_of(manifest), manifest.get("outputs", {})
    missing = [name for name in EVERY_RUN_HAS if name not in recorded or name not in totals]
    if missing:
        raise ConfigurationError(
            f"run {manifest['run_id']} has no {', '.join(missing)}, expected all of {', '.join(EVERY_RUN_HAS)}. "
            "Name a run of jobs.pipeline or jobs.features"
        )
    return RunToLoad(
        run_id=manifest["run_id"],
        as_of=manifest["as_of"],
        configuration_hash=manifest["configuration_hash"],
        tables=tuple(_table(store, name, manifest["tables"], recorded, totals) for name in TABLES),
    )


def _table(
    store: RunStore,
    name: str,
    paths: Mapping[str, str],
    recorded: Mapping[str, Sequence[dict[str, Any]]],
    totals: Mapping[str, Total],
) -> TableToLoad:
    if name not in recorded:
        return TableToLoad(name, (), Total(0))
    files = unchanged_files(store.folder, table=name, table_path=paths[name], recorded=recorded[name])
    return TableToLoad(name, files, totals[name])
