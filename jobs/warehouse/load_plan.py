"""What is loaded: the tables of one run, the files that hold them, and the rows and money that must arrive."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql.types import StructField, StructType

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import FILE_CONTRACTS
from jobs.cli.config import RUN_ID
from jobs.errors import ConfigurationError, DataError
from jobs.runs.totals import Total, totals_of
from jobs.sources.csv_files import Source, find_sources
from jobs.storage.store import RunStore
from jobs.storage.table_files import TableFile, fingerprint, verify_table_files
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
    files: tuple[TableFile, ...]
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
    manifest = store.find_manifest(run_id, missing="nothing to load", advice="Run jobs.pipeline, or name a --run")
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
    files = verify_table_files(store.folder, table=name, table_path=paths[name], recorded=recorded[name])
    return TableToLoad(name, files, totals[name])


ENDING = "_raw"


@dataclass(frozen=True)
class RawTable:
    """A raw table: the columns of its file by the file's names, each with the type of our checked column.

    Attributes:
        table: the checked table's name.
        columns: in the order of the checked table.
        header: their names in the order of the file.
        files: the CSV files, plain or gzipped.
        rows: how many rows the run read from them.
    """

    table: str
    columns: StructType
    header: tuple[str, ...]
    files: tuple[TableFile, ...]
    rows: int

    @property
    def name(self) -> str:
        """The raw table's name."""
        return f"{self.table}{ENDING}"


@dataclass(frozen=True)
class RawToLoad:
    """The raw tables of one run."""

    tables: tuple[RawTable, ...]


def raw_to_load(uri: str, store: RunStore, run_id: str) -> RawToLoad:
    """The files under ``--input``, after it was made sure that they are those that the run came from.

    A run of features or segments goes on from an earlier one, and that from the files.

    Raises:
        ConfigurationError: There is no such folder or file, or the run came from no files, or not from them alone.
        DataError: A file is not what the run read, or has a column that the table does not know.
    """
    manifest = store.manifest(run_id)
    while "files" not in manifest["inputs"]:
        earlier = manifest["inputs"].get("features_run") or manifest["inputs"].get("checked_run")
        if earlier is None:
            raise ConfigurationError(
                f"--raw-copy: run {manifest['run_id']} came from no files. Name another with --run"
            )
        manifest = store.manifest(earlier)
    if "replayed_run" in manifest["inputs"]:
        raise ConfigurationError(
            f"--raw-copy: run {manifest['run_id']} came from corrected files and the quarantine of run "
            f"{manifest['inputs']['replayed_run']}, expected one that came from files alone. Name another with --run"
        )
    read = {entry["table"]: entry["files"] for entry in manifest["inputs"]["files"]}
    return RawToLoad(
        tuple(
            _raw_table(source, read=read[source.contract.table], totals=manifest["totals"])
            for source in find_sources(uri, FILE_CONTRACTS)
        )
    )


def raw_columns(contract: FileContract) -> StructType:
    """The columns of a raw table: the file's names, the types of the checked columns."""
    return StructType([StructField(name, kind) for name, kind in contract.cells.types.items()])


def _raw_table(source: Source, *, read: Sequence[Mapping[str, Any]], totals: Mapping[str, Any]) -> RawTable:
    table = source.contract.table
    if source.ignored_columns:
        raise DataError(
            f"{source.contract.file}: column {', '.join(source.ignored_columns)} is none of {table}{ENDING}'s, "
            f"expected {', '.join(source.contract.source_columns)} alone. Leave it out, or do without --raw-copy"
        )
    found = [fingerprint(file.as_json()) for file in source.files]
    expected = [fingerprint(file) for file in read]
    if found != expected:
        raise DataError(
            f"{source.contract.file}: found {len(found)} files of {sum(size for size, _ in found):,} bytes in --input, "
            f"expected the {len(expected)} of {sum(size for size, _ in expected):,} bytes that the run read, to the "
            "byte. Give the --input of that run"
        )
    return RawTable(
        table=table,
        columns=raw_columns(source.contract),
        header=source.header,
        files=tuple(TableFile(file.path, file.size) for file in source.files),
        rows=totals[f"raw {table}"]["rows"],
    )


@dataclass(frozen=True)
class Loaded:
    """A load that was committed.

    Attributes:
        load_id: its own; the last row of ``pipeline_runs`` has it.
    """

    load_id: str


class Warehouse(Protocol):
    """Somewhere that tables can be loaded."""

    def load(self, run: RunToLoad) -> Loaded:
        """Put a run's tables in place of the last run's, in one transaction.

        Raises:
            DataError: What arrived is not what the run's manifest says.
            OutsideSystemError: The warehouse, or what it depends on, failed; it is as it was before.
        """

    def load_raw(self, raw: RawToLoad) -> None:
        """Put the raw files, as they are, in place of what `load_raw` put there last, in one transaction.

        Raises:
            DataError: Not every row arrived.
            OutsideSystemError: The warehouse, or what it depends on, failed; it is as it was before.
        """
