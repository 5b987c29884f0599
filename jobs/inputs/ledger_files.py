"""The files of a ledger, or its table: found, and those of days before the window passed by."""

import re
from datetime import date, timedelta

from expectations.contracts.contract import FileContract
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.catalogue import CatalogueTable, table_name
from jobs.inputs.input_files import NotOpened, RawInput, one_format, part_files, refuse_unreadable, with_csv
from jobs.storage.folder import Folder
from jobs.storage.uris import folder_at
from transforms.sources.counted import Counted
from transforms.sources.mapping import LedgerMapping

WITHOUT_DAY = "__HIVE_DEFAULT_PARTITION__"
DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
TWO_DAYS = timedelta(days=2)


def find_ledger(uri: str, contract: FileContract, mapping: LedgerMapping, counted: Counted | None) -> RawInput:
    """Find the files of a ledger, and check the headers of CSV, before Spark starts.

    Args:
        uri: from ``--input``: a file, a folder of part files, or ``table:NAME``.
        contract: the ledger's.
        mapping: of its columns.
        counted: which purchases count; files of days before them are not opened. None reads everything.

    Raises:
        ConfigurationError: There is nothing of this name, or a name tells of no form that is read.
        DataError: A file is empty, is no CSV, or lacks a column of the mapping.
    """
    first_day = first_partition(mapping, counted)
    name = table_name(uri)
    if name is not None:
        table = CatalogueTable(name, partition=mapping.partitioned_by, first_day=first_day)
        not_opened = NotOpened(mapping.partitioned_by, first_day) if mapping.partitioned_by and first_day else None
        return RawInput(contract, "table", table=table, not_opened=not_opened)
    try:
        return _find_files(uri, contract, mapping, first_day)
    except OSError as error:
        raise ConfigurationError(f"--input {uri}: cannot be read ({error.strerror}: {error.filename})") from None


def _find_files(uri: str, contract: FileContract, mapping: LedgerMapping, first_day: date | None) -> RawInput:
    folder, paths, passed_over = _files_of(uri)
    refuse_unreadable(paths)
    read, not_opened = paths, None
    if mapping.partitioned_by is not None:
        days = {path: _day_of(path, mapping.partitioned_by, uri) for path in paths}
        if first_day is not None:
            read = tuple(path for path, day in days.items() if day is None or day >= first_day)
            not_opened = NotOpened(mapping.partitioned_by, first_day, files=len(paths) - len(read))
    if not read:
        raise DataError(
            f"--input {uri}: found {len(paths)} files, all of days before {first_day}, expected some of the window. "
            "Check --as-of and --window-months"
        )
    raw = RawInput(
        contract=contract,
        format=one_format(read),
        files=tuple(folder.describe(*path) for path in read),
        folder=folder,
        paths=read,
        passed_over=passed_over,
        form=mapping.csv,
        not_opened=not_opened,
    )
    return raw if raw.format == "parquet" else with_csv(raw, read[0][-1] if len(read) == 1 else uri)


def _files_of(uri: str) -> tuple[Folder, tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The folder, the paths of its files, and what is passed over; of a file, the folder that it is in."""
    folder = folder_at(uri, argument="--input")
    if folder.is_folder():
        paths, passed_over = part_files(folder)
        if not paths:
            raise DataError(f"--input {uri}: a folder without files, expected some of CSV or Parquet. Check the export")
        return folder, paths, passed_over
    above, _, name = uri.rstrip("/").rpartition("/")
    parent = folder_at(above or ("/" if uri.startswith("/") else "."), argument="--input")
    if not name or not parent.exists(name):
        raise ConfigurationError(f"--input {uri}: found nothing, expected a file, a folder or table:NAME. Check it")
    return parent, ((name,),), ()


def first_partition(mapping: LedgerMapping, counted: Counted | None) -> date | None:
    """The first day whose partition may hold what counts.

    The day of a partition may be that of another time zone, of which two are up to 26 hours apart.
    """
    if mapping.partitioned_by is None or counted is None or counted.first_day is None:
        return None
    return max(counted.first_day, date.min + TWO_DAYS) - TWO_DAYS


def _day_of(path: tuple[str, ...], partition: str, uri: str) -> date | None:
    """The day of the partition that a file lies in; None of the partition for rows without a day."""
    values = [part.partition("=")[2] for part in path[:-1] if part.partition("=")[0] == partition]
    if not values:
        raise ConfigurationError(
            f"--input {uri}: found {'/'.join(path)}, expected files in folders {partition}=2018-10-17, as the mapping "
            "says by partitioned_by. Correct the mapping, or --input"
        )
    match = DAY.fullmatch(values[-1])
    try:
        return None if values[-1] == WITHOUT_DAY else date(*map(int, match.groups() if match else ()))
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"--input {uri}: found {partition}={values[-1]}, expected a day such as {partition}=2018-10-17. Correct "
            "partitioned_by in the mapping"
        ) from None
