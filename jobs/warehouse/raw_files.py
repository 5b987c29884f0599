"""The three CSV files as they are, for tables of their own: what the workshop's COPY does, and nothing dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql.types import StructField, StructType

from expectations.contract import FileContract
from expectations.contracts import FILE_CONTRACTS
from jobs.errors import ConfigurationError, DataError
from jobs.outputs import OutputFile, fingerprint
from jobs.sources import Source, find_sources
from jobs.storage import RunStore

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
    files: tuple[OutputFile, ...]
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
        files=tuple(OutputFile(file.path, file.size) for file in source.files),
        rows=totals[f"raw {table}"]["rows"],
    )
