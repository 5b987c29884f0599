"""The tables of an earlier run: what its manifest says of them, once the files are found to be what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.errors import DataError
from jobs.runs.totals import Boundary, Total, totals_of
from jobs.storage.folder import Folder
from jobs.storage.run_files import Manifest
from jobs.storage.table_files import TableFile, verify_table_files
from transforms.schemas import MONEY_COLUMNS


@dataclass(frozen=True)
class EarlierTable:
    """A table of an earlier run.

    Attributes:
        name: the table's, or its quarantine's.
        path: its folder, from the output folder on.
        files: its files.
        recorded: the manifest's entries for them.
        total: its rows and its money.
    """

    name: str
    path: str
    files: tuple[TableFile, ...]
    recorded: list[Mapping[str, Any]]
    total: Total


def find_table(folder: Folder, earlier: Manifest, table: str) -> EarlierTable:
    """A table of an earlier run, after a check that its files are those that the run wrote.

    On a local disk this reads each file once, since it compares checksums. In S3 it is one listing.

    Args:
        folder: the output folder.
        earlier: the manifest of the run that wrote the table.
        table: its name.

    Raises:
        DataError: The manifest has no path, files or total of the table. Or a file is missing, was added, or was
            changed.
        OutsideSystemError: A file cannot be read.
    """
    path, recorded = earlier.tables.get(table), earlier.outputs.get(table)
    total = totals_of(earlier).get(Boundary(table))
    lacks_money = total is not None and total.money is None and table in MONEY_COLUMNS
    if path is None or recorded is None or total is None or lacks_money:
        lacks = "folder" if path is None else "files" if recorded is None else "money" if total else "total"
        raise DataError(
            f"the manifest of run {earlier.run_id} states no {lacks} of table {table}, expected one. Name another run, "
            "or run the pipeline again"
        )
    files = verify_table_files(folder, table=table, table_path=path, recorded=recorded)
    return EarlierTable(table, path, files, [file.as_json() for file in recorded], total)
