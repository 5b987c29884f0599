"""The beginning of a ledger as text: its columns, some rows, and how its files are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

MOST_ROWS = 10_000
MOST_CELLS = 500_000
"""Of a file with many columns fewer rows are looked at."""
MOST_COLUMNS = 2_000
LONGEST_CELL = 200
"""In characters. What follows is cut off: neither ids nor times nor amounts are that long."""

WHITESPACE = "whitespace"


@dataclass(frozen=True)
class CsvForm:
    """How a CSV file is written.

    Attributes:
        delimiter: one of ``, ; |``, or the word for it in a mapping: ``tab`` or ``whitespace``.
        encoding: as a mapping names it.
        has_header: whether the first line names the columns.
        uneven_rows: rows of the sample with another number of cells than there are columns.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    has_header: bool = True
    uneven_rows: int = 0


@dataclass(frozen=True)
class Sample:
    """What is known of a ledger.

    Attributes:
        columns: their names; numbered where the file has none.
        rows: as many cells as there are columns, each without spaces around it. An empty one has no value.
        csv: how CSV is written; None for Parquet.
        goes_on: whether the ledger has more rows.
        instants: columns of Parquet that hold instants, which are in UTC.
        name: of the file or the folder.
        partitions: by the key of folders such as ``day=2018-10-17``, the value for each row.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    csv: CsvForm | None
    goes_on: bool
    instants: frozenset[str] = frozenset()
    name: str = ""
    partitions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def is_like(self, other: "Sample") -> bool:
        """Whether two files are parts of one ledger: of one form, with the same columns and the same partitions."""
        forms = [(form.delimiter, form.has_header) if form else None for form in (self.csv, other.csv)]
        columns = (self.columns, other.columns)
        return forms[0] == forms[1] and columns[0] == columns[1] and [*self.partitions] == [*other.partitions]

    @property
    def is_full(self) -> bool:
        """Whether it has as many rows as are looked at."""
        return len(self.rows) >= rows_to_read(self.columns)


def joined(samples: Sequence[Sample]) -> Sample:
    """The sample of a ledger in several files; see `Sample.is_like`."""
    first, most = samples[0], rows_to_read(samples[0].columns)
    forms = [sample.csv for sample in samples if sample.csv]
    encodings = [form.encoding for form in forms if form.encoding != CsvForm.encoding]
    values = {key: [value for sample in samples for value in sample.partitions[key]] for key in first.partitions}
    return replace(
        first,
        rows=tuple(row for sample in samples for row in sample.rows)[:most],
        csv=replace(
            forms[0],
            encoding=(encodings or [CsvForm.encoding])[0],
            uneven_rows=sum(form.uneven_rows for form in forms),
        )
        if forms
        else None,
        partitions={key: tuple(of_rows[:most]) for key, of_rows in values.items()},
    )


def rows_to_read(columns: Sequence[object]) -> int:
    """How many rows of a file with these columns are looked at."""
    return max(1, min(MOST_ROWS, MOST_CELLS // max(1, len(columns))))


def numbered(columns: int) -> tuple[str, ...]:
    """Names of columns that have none: ``column_1`` and so on."""
    return tuple(f"column_{number}" for number in range(1, columns + 1))
