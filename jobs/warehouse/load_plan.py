"""The load plan: the tables of one run, their files, and the rows and money that must arrive in a warehouse."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from pyspark.sql.types import StructField, StructType

from expectations.contracts.olist import FILE_CONTRACTS
from jobs.cli.run_ids import RUN_ID
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.input_files import RawInput, find_inputs
from jobs.runs.earlier import find_table
from jobs.runs.totals import NO_MONEY, BoundaryKind, Total, totals_of
from jobs.storage.run_files import Manifest, RecordedInputFile
from jobs.storage.store import RunStore
from jobs.storage.table_files import TableFile, fingerprint
from jobs.warehouse.members import AudienceToLoad
from transforms.schemas import ADDED_AFTER_0_1, MONEY_COLUMNS, TABLES

OLIST_TABLES = ("customers", "orders", "payments")
REQUIRED_TABLES = ("transactions", "purchases", "rfm")
"""Tables without which a run is not loaded; from Olist's files, `OLIST_TABLES` too. A table that a later release adds
is none, so earlier runs load too. A ledger stays where it is: its rows that count are transactions.

A load of a run without another table empties that, so that readers never see rows of two runs.
"""

RAW_SUFFIX = "_raw"


@dataclass(frozen=True)
class ExpectedTotal:
    """The rows and money that a table must hold before the transaction may commit.

    Attributes:
        table: the table's name in the warehouse.
        total: the rows and money in the run's manifest.
        money_column: the column whose sum is the money; None if the table has none.
    """

    table: str
    total: Total
    money_column: str | None = None

    def measured(self, rows: int, money: Decimal | str | None) -> Total:
        """The table's total from what SQL returned: its count, and its sum, which is null over no rows."""
        return Total(rows, None if self.money_column is None else Decimal(money or NO_MONEY))

    def difference(self, measured: Total) -> str | None:
        """Both totals in words if they differ, else None."""
        if measured == self.total:
            return None
        return f"table {self.table}: found {measured}, expected {self.total}"


@dataclass(frozen=True)
class TableToLoad:
    """A table of the run.

    Attributes:
        name: the table's name.
        files: the Parquet files that hold it; none if the run lacks the table.
        total: its rows, and its money if it has any.
        lacks: columns that its files do not have, since an earlier release wrote them. They are null then.
    """

    name: str
    files: tuple[TableFile, ...]
    total: Total
    lacks: frozenset[str] = frozenset()

    @property
    def schema(self) -> StructType:
        """The table's columns."""
        return TABLES[self.name]

    @property
    def columns_of_files(self) -> StructType:
        """The columns that the files have."""
        return StructType([column for column in self.schema if column.name not in self.lacks])

    @property
    def expected(self) -> ExpectedTotal:
        """What the warehouse's table must hold after the load."""
        return ExpectedTotal(self.name, self.total, MONEY_COLUMNS.get(self.name))


@dataclass(frozen=True)
class RunToLoad:
    """A complete run, as its manifest describes it."""

    run_id: str
    as_of: date
    configuration_hash: str
    tables: tuple[TableToLoad, ...]

    def totals_as_text(self) -> str:
        """Rows and money of each table as JSON, for `pipeline_runs`."""
        return json.dumps({table.name: table.total.as_json() for table in self.tables})


@dataclass(frozen=True)
class RawTable:
    """A raw table: the column names of the CSV file, with the types of the checked table.

    Attributes:
        table: the checked table's name.
        columns: the columns in the order of the checked table.
        header: the column names in the order of the file.
        files: the CSV files, plain or gzipped.
        rows: the number of rows that the run read from them.
    """

    table: str
    columns: StructType
    header: tuple[str, ...]
    files: tuple[TableFile, ...]
    rows: int

    @property
    def name(self) -> str:
        """The raw table's name, such as ``orders_raw``."""
        return f"{self.table}{RAW_SUFFIX}"

    @property
    def expected(self) -> ExpectedTotal:
        """What the warehouse's table must hold after the load."""
        return ExpectedTotal(self.name, Total(self.rows))


@dataclass(frozen=True)
class RawToLoad:
    """The raw tables of one run, which load together."""

    tables: tuple[RawTable, ...]


@dataclass(frozen=True)
class CommittedLoad:
    """A load that was committed.

    Attributes:
        load_id: the id of the load, as in the last row of ``pipeline_runs``.
    """

    load_id: str


class Warehouse(Protocol):
    """An engine that tables can be loaded into."""

    def load(self, run: RunToLoad) -> CommittedLoad:
        """Replace the last run's tables by this run's, in one transaction.

        Raises:
            DataError: The loaded rows or money differ from the run's manifest. The warehouse is unchanged.
            OutsideSystemError: The warehouse, or a service that it needs, failed. The warehouse is unchanged.
        """

    def load_raw(self, raw: RawToLoad) -> None:
        """Replace the raw tables by the rows of the raw files, in one transaction.

        Raises:
            DataError: The number of loaded rows differs from the run's manifest. The warehouse is unchanged.
            OutsideSystemError: The warehouse, or a service that it needs, failed. The warehouse is unchanged.
        """

    def load_audience(self, audience: AudienceToLoad) -> None:
        """Replace an audience's rows in the table of audiences by its file of members, in one transaction.

        Raises:
            DataError: The number of loaded members differs from the audience's record. The warehouse is unchanged.
            OutsideSystemError: The warehouse, or a service that it needs, failed. The warehouse is unchanged.
        """


def run_to_load(store: RunStore, run_id: str | None) -> RunToLoad:
    """Read a run's manifest, and check its files against it.

    Args:
        store: the output folder that holds the runs.
        run_id: the run's id; None takes the current run.

    Raises:
        ConfigurationError: The run does not exist, is not complete, or lacks a required table.
        DataError: A file is not as the run wrote it.
    """
    if run_id is not None and not RUN_ID.fullmatch(run_id):
        raise ConfigurationError(f"invalid --run {run_id!r}: expected a run's id, such as 2018-10-17-nightly")
    manifest = store.find_manifest(run_id, missing="nothing to load", advice="Run jobs.pipeline, or name a --run")
    totals = _totals_by_table(manifest, BoundaryKind.WRITTEN)
    required = REQUIRED_TABLES if manifest.source else (*OLIST_TABLES, *REQUIRED_TABLES)
    missing = [name for name in required if name not in manifest.outputs or name not in totals]
    if missing:
        raise ConfigurationError(
            f"run {manifest.run_id} has no {', '.join(missing)}, expected all of {', '.join(required)}. "
            "Name a run of jobs.pipeline or jobs.features"
        )
    return RunToLoad(
        run_id=manifest.run_id,
        as_of=manifest.as_of,
        configuration_hash=manifest.configuration_hash,
        tables=tuple(_table(store, manifest, name) for name in TABLES),
    )


def raw_to_load(uri: str, store: RunStore, run_id: str) -> RawToLoad:
    """Find the raw files under ``--input``, and check that the run read exactly these.

    A run of features or segments starts from an earlier run, so the check follows the runs back to the files.

    Args:
        uri: the folder of CSV files.
        store: the output folder that holds the runs.
        run_id: the run's id.

    Raises:
        ConfigurationError: A folder or file is missing, or the run did not read its rows only from files.
        DataError: A file is not as the run read it, or has a column that the table lacks.
    """
    manifest = _manifest_of_files(store, run_id)
    if manifest.source is not None:
        raise ConfigurationError(
            f"--raw-copy: run {manifest.run_id} read a ledger, expected Olist's three files. Leave --raw-copy out"
        )
    recorded = {entry.table: entry.files for entry in manifest.inputs.files or ()}
    totals = _totals_by_table(manifest, BoundaryKind.READ)
    unknown = [contract.table for contract in FILE_CONTRACTS if not {contract.table} <= recorded.keys() & totals.keys()]
    if unknown:
        raise DataError(
            f"--raw-copy: the manifest of run {manifest.run_id} states no files or no rows of {', '.join(unknown)}, "
            "expected both. Name another --run"
        )
    return RawToLoad(
        tuple(
            _raw_table(source, recorded=recorded[source.contract.table], rows=totals[source.contract.table].rows)
            for source in find_inputs(uri, FILE_CONTRACTS)
        )
    )


def _totals_by_table(manifest: Manifest, kind: BoundaryKind) -> dict[str, Total]:
    return {boundary.table: total for boundary, total in totals_of(manifest).items() if boundary.kind is kind}


def _table(store: RunStore, manifest: Manifest, name: str) -> TableToLoad:
    if name not in manifest.outputs:
        return TableToLoad(name, (), Total(0, NO_MONEY if name in MONEY_COLUMNS else None))
    table = find_table(store.folder, manifest, name)
    lacks = ADDED_AFTER_0_1.get(name, frozenset()) if manifest.segments is None else frozenset()
    return TableToLoad(name, table.files, table.total, lacks)


def _manifest_of_files(store: RunStore, run_id: str) -> Manifest:
    """The manifest of the run that read the files: this run, or the run that it started from."""
    manifest = store.manifest(run_id)
    seen = {run_id}
    while manifest.inputs.files is None:
        earlier = manifest.inputs.features_run or manifest.inputs.checked_run
        if earlier is None:
            raise ConfigurationError(
                f"--raw-copy: run {manifest.run_id} read no files, expected a run that did. Name another --run"
            )
        if earlier in seen:
            raise DataError(
                f"--raw-copy: run {manifest.run_id} started from run {earlier} by its manifest, and that one from it; "
                "expected a run that read files. Restore the manifests, or name another --run"
            )
        seen.add(earlier)
        manifest = store.manifest(earlier)
    if manifest.inputs.replayed_run is not None:
        raise ConfigurationError(
            f"--raw-copy: run {manifest.run_id} read corrected files and the quarantine of run "
            f"{manifest.inputs.replayed_run}, expected a run that read only files. Name another --run"
        )
    return manifest


def _raw_table(source: RawInput, *, recorded: Sequence[RecordedInputFile], rows: int) -> RawTable:
    contract = source.contract
    if source.format != "csv" or not all(file.is_named_as_packed for file in source.csv):
        raise DataError(
            f"{contract.file}: found files that COPY does not read by their names, expected .csv or .csv.gz. "
            "Leave --raw-copy out"
        )
    if source.ignored_columns:
        raise DataError(
            f"{contract.file}: column {', '.join(source.ignored_columns)} is not in {contract.table}{RAW_SUFFIX}, "
            f"expected only {', '.join(contract.source_columns)}. Remove the column, or leave --raw-copy out"
        )
    present = [fingerprint(file.as_json()) for file in source.files]
    expected = [file.fingerprint for file in recorded]
    if present != expected:
        raise DataError(
            f"{contract.file}: found {_in_words(present)} in --input, expected the {_in_words(expected)} that the run "
            "read, with the same content. Give the --input of that run"
        )
    return RawTable(
        table=contract.table,
        columns=StructType([StructField(name, data_type) for name, data_type in contract.cells.types.items()]),
        header=source.header,
        files=tuple(TableFile(file.path, file.size) for file in source.files),
        rows=rows,
    )


def _in_words(fingerprints: Sequence[tuple[int, str]]) -> str:
    return f"{len(fingerprints)} files ({sum(size for size, _ in fingerprints):,} bytes)"
