"""The files of the raw tables: found, and refused by name where a run could not read them whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from pyspark.sql import SparkSession

from expectations.contracts.contract import FileContract
from expectations.validation.records import Layout
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.catalogue import CatalogueTable, table_name
from jobs.inputs.csv_files import CsvFile, open_csv
from jobs.inputs.diagnosis import listed
from jobs.storage.folder import Folder, Stored
from jobs.storage.uris import folder_at, unreadable_name
from transforms.sources.mapping import CsvForm

Format = Literal["csv", "parquet", "table"]

SUFFIXES = (".csv", ".csv.gz", ".parquet", "")
"""What may follow the name of a table's file or folder. Upper case is the same; a name without a suffix is a folder."""

PART_SUFFIXES = (".csv", ".csv.gz", ".gz", ".parquet")
"""What the name of a part file may end in. It may also have no dot: Redshift and Hadoop write such names."""


@dataclass(frozen=True)
class NotOpened:
    """Files of days before the window, which hold nothing that counts.

    Attributes:
        partition: by day.
        before: the first day whose files are read.
        files: how many were not opened; None of a table, whose files the catalogue finds.
    """

    partition: str
    before: date
    files: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The entry in the manifest."""
        return {"partition": self.partition, "before": self.before.isoformat(), "files": self.files}


@dataclass(frozen=True)
class RawInput:
    """What one raw table is read from: files that were found and have a valid header, or a table of the catalogue.

    Attributes:
        contract: the table's, without the rules about columns that the files lack.
        format: of all files, or that of a table.
        files: in name order, as the manifest records them.
        folder: where the files are.
        paths: of the files, each as its parts below the folder.
        csv: of CSV, what is known of each file; none of Parquet.
        passed_over: hidden and marker files beside part files, which are not read.
        staged: by the number of a file, the URI of its copy under a name by which Spark reads it.
        form: in which CSV is written.
        not_opened: what is not read, since nothing of it counts; None where everything is read.
        table: of the catalogue; None of files.
    """

    contract: FileContract
    format: Format
    files: tuple[Stored, ...] = ()
    folder: Folder | None = None
    paths: tuple[tuple[str, ...], ...] = ()
    csv: tuple[CsvFile, ...] = ()
    passed_over: tuple[str, ...] = ()
    staged: Mapping[int, str] = field(default_factory=dict)
    form: CsvForm = field(default_factory=CsvForm)
    not_opened: NotOpened | None = None
    table: CatalogueTable | None = None

    @property
    def header(self) -> tuple[str, ...]:
        """The columns of every CSV file, in file order."""
        return next((file.header for file in self.csv if file.header), ())

    @property
    def layout(self) -> Layout:
        """How the lines of CSV files are laid out."""
        return Layout(self.header, self.form.separator)

    @property
    def place(self) -> Folder:
        """The folder of the files.

        Raises:
            TypeError: There are none, which is a fault of the code.
        """
        if self.folder is None:
            raise TypeError(f"{self.contract.table} is read from a table, expected files")
        return self.folder

    @property
    def uris(self) -> tuple[str, ...]:
        """What Spark reads, in name order."""
        return tuple(self.staged.get(number, self.place.uri(*path)) for number, path in enumerate(self.paths))

    @property
    def ignored_columns(self) -> list[str]:
        """Columns of a CSV file that the contract does not have."""
        used = {self.contract.file_name(name) for name in self.contract.source_columns}
        return [name for name in self.header if name not in used]

    @property
    def missing_columns(self) -> list[str]:
        """Columns of the contract that the CSV files lack, as the rules allow."""
        names = self.contract.source_columns
        return [name for name in names if self.header and self.contract.file_name(name) not in self.header]

    def as_json(self) -> dict[str, Any]:
        """The source's entry in the manifest.

        Raises:
            DataError: A file changed since it was found, so what was read is not known.
        """
        for file in self.files:
            if not self.place.is_unchanged(file):
                raise DataError(f"{file.path}: changed while it was read, expected it to stay. Run again")
        return {
            "table": self.contract.table,
            "format": self.format,
            "files": [file.as_json() for file in self.files],
            "ignored_columns": self.ignored_columns,
            "missing_columns": self.missing_columns,
            "passed_over": list(self.passed_over),
            **({"not_opened": self.not_opened.as_json()} if self.not_opened else {}),
            **({"catalogue_table": self.table.as_json()} if self.table else {}),
        }


def find_inputs(uri: str, contracts: Sequence[FileContract]) -> list[RawInput]:
    """Find each contract's files in a folder, and check the headers of CSV, before Spark starts.

    ``table:DATABASE`` names tables of Spark's catalogue instead. They are found when Spark has started (`pinned`).

    Args:
        uri: the folder or the database, from ``--input``.
        contracts: of the raw tables.

    Raises:
        ConfigurationError: There is no such folder, a file is missing, is there in two forms, or has a name that
            tells of no form that is read.
        DataError: A file is empty, has no rows, is no CSV, or its header lacks a column.
    """
    database = table_name(uri)
    if database is not None:
        tables = [CatalogueTable(f"{database}.{contract.file}") for contract in contracts]
        return [RawInput(each, "table", table=table) for each, table in zip(contracts, tables, strict=True)]
    folder = folder_at(uri, argument="--input")
    try:
        if not folder.is_folder():
            state = "a file" if folder.exists() else "nothing"
            raise ConfigurationError(f"--input {uri}: found {state}, expected a folder with the CSV files. Check it")
        return [_find_source(folder, contract) for contract in contracts]
    except OSError as error:
        raise ConfigurationError(f"--input {uri}: cannot be read ({error.strerror}: {error.filename})") from None


def pinned(inputs: Sequence[RawInput], session: SparkSession) -> list[RawInput]:
    """The inputs, with each table of the catalogue as it is now.

    Raises:
        ConfigurationError: The catalogue has no such table.
    """
    return [raw if raw.table is None else replace(raw, table=raw.table.pinned(session)) for raw in inputs]


def inputs_of(uri: str, inputs: Sequence[RawInput]) -> dict[str, Any]:
    """The manifest's entry for what was read.

    Args:
        uri: from ``--input``.
        inputs: that were found there.

    Raises:
        DataError: A file changed since it was found.
    """
    place = uri if table_name(uri) else folder_at(uri, argument="--input").display_path()
    return {"input": place, "files": [raw.as_json() for raw in inputs]}


def _find_source(folder: Folder, contract: FileContract) -> RawInput:
    name = _file_name(folder, contract)
    if folder.is_folder(name):
        paths, passed_over = part_files(folder, (name,))
        if not paths:
            raise DataError(f"{name}: a folder without part files, expected files of CSV or Parquet. Check the export")
    else:
        paths, passed_over = ((name,),), ()
    source = RawInput(
        contract=contract,
        format=_format_of(paths),
        files=tuple(folder.describe(*path) for path in paths),
        folder=folder,
        paths=paths,
        passed_over=passed_over,
    )
    return source if source.format == "parquet" else with_csv(source, name)


def _file_name(folder: Folder, contract: FileContract) -> str:
    """The name of the table's file, or of the folder of its parts."""
    names = folder.names()
    possible = {f"{contract.file}{suffix}" for suffix in SUFFIXES}
    present = [name for name in names if name.lower() in possible]
    present = [name for name in present if name.lower() != contract.file or folder.is_folder(name)]
    if not present:
        raise ConfigurationError(
            f"{folder.display_path()}: no {contract.file}.csv (found: {listed(names) or 'nothing'}). "
            "Put the file there, plain, as .csv.gz or as .parquet, or give another --input"
        )
    if len(present) > 1:
        raise ConfigurationError(
            f"{folder.display_path()}: found {' and '.join(present)}, expected one of them. Remove the other"
        )
    return present[0]


def part_files(folder: Folder, path: tuple[str, ...] = ()) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The paths of the part files below a folder, and what is passed over beside them."""
    parts = list(_below(folder, path))
    passed_over = tuple("/".join(part) for part in parts if _is_passed_over(part, below=len(path)))
    return tuple(part for part in parts if not _is_passed_over(part, below=len(path))), passed_over


def _below(folder: Folder, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every file below a folder, each as the parts of its path."""
    for name in folder.names(*path):
        child = (*path, name)
        if not folder.is_folder(*child):
            yield child
        elif not _is_passed_over(child, below=len(path)):
            yield from _below(folder, child)


def _is_passed_over(path: tuple[str, ...], *, below: int) -> bool:
    """Whether a file is one that writers leave beside their parts: hidden, or a marker such as ``_SUCCESS``."""
    return any(part.startswith((".", "_")) for part in path[below:])


def _format_of(paths: Sequence[tuple[str, ...]]) -> Format:
    unknown = ["/".join(path) for path in paths if not _is_part_name(path[-1])]
    if unknown:
        raise ConfigurationError(
            f"{listed(unknown)}: in no form that is read, expected names that end in {', '.join(PART_SUFFIXES)}, or "
            "have no dot. Remove what is no part, or export it in such a form"
        )
    refuse_unreadable(paths)
    return one_format(paths)


def refuse_unreadable(paths: Sequence[tuple[str, ...]]) -> None:
    """Refuse files whose names keep Spark from reading them.

    Raises:
        ConfigurationError: There is one.
    """
    for path in paths:
        cause = unreadable_name(path[-1])
        if cause is not None:
            raise ConfigurationError(f"{listed(['/'.join(path)])}: {cause}")


def one_format(paths: Sequence[tuple[str, ...]]) -> Format:
    """The format of part files by their names: Parquet, or CSV.

    Raises:
        ConfigurationError: They have both.
    """
    are_parquet = {path[-1].lower().endswith(".parquet") for path in paths}
    if len(are_parquet) > 1:
        raise ConfigurationError(
            f"{paths[0][0]}: found parts of CSV and of Parquet, expected one form. Remove the other"
        )
    return "parquet" if are_parquet == {True} else "csv"


def _is_part_name(name: str) -> bool:
    return name.lower().endswith(PART_SUFFIXES) or "." not in name


def with_csv(source: RawInput, name: str) -> RawInput:
    """The source with the headers of its files, and with the rules that they can answer."""
    opened = tuple(open_csv(source.place, path, source.form) for path in source.paths)
    with_header = [file for file in opened if file.header]
    if not with_header:
        raise DataError(f"{name}: empty, expected a header line and rows. Check how the file was exported")
    first = with_header[0]
    for file in with_header:
        if file.header != first.header:
            raise DataError(
                f"{file.name}: found the header {listed(file.header)}, expected that of {first.name}: "
                f"{listed(first.header)}. Export all part files alike, each with its header"
            )
    contract = _contract_for(name, first, source)
    if not any(file.has_rows for file in with_header):
        raise DataError(f"{name}: a header and no rows, expected at least one. Check how the file was exported")
    return replace(source, contract=contract, csv=opened)


def _contract_for(name: str, file: CsvFile, source: RawInput) -> FileContract:
    """The contract without the rules about columns that may be missing, and that the file lacks."""
    contract = source.contract
    names = {column: contract.file_name(column) for column in contract.source_columns}
    missing = [column for column, in_file in names.items() if in_file not in file.header]
    refused = [column for column in missing if not contract.may_be_missing(column)]
    if refused:
        raise DataError(_no_column(name, refused, file, source))
    duplicates = sorted({in_file for in_file in names.values() if file.header.count(in_file) > 1})
    if duplicates:
        raise DataError(
            f"{name}: column {', '.join(duplicates)} is in the header more than once, expected once. Remove the others"
        )
    return contract.without_columns(missing)


def _no_column(name: str, missing: Sequence[str], file: CsvFile, source: RawInput) -> str:
    contract, other = source.contract, file.other_separator(source.form)
    if other and source.form == CsvForm() and not contract.file_names:
        return (
            f"{name}: columns separated by {other}, expected commas. "
            "Export it with commas, and with a point in decimal numbers"
        )
    columns = ", ".join(f"'{contract.file_name(column)}'" for column in missing)
    if other:
        return f"{name}: columns separated by {other}, expected what the mapping says by csv: delimiter. Correct it"
    if contract.file_names:
        return f"{name}: no column {columns} (found: {listed(file.header)}). Correct the mapping, or the file"
    advice = f"Rename the column, or check that this is the {contract.table} file"
    optional = [column for column in missing if column not in contract.needed]
    if optional == list(missing):
        advice += ". RFM does without it: may_be_missing in a file of --rules lets it (docs/data-quality.md)"
    return f"{name}: no column {columns} (found: {listed(file.header)}). {advice}"
