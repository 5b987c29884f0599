"""Lines of a CSV file to the records that the rules validate: each line is a record, whatever is in its neighbours.

What is counted is lines, and a line is split into fields by itself. So a stray quote spoils the line that it stands in,
and no other. A field of free text may hold line breaks inside quotes: its lines are joined first (`line_breaks`).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules.cell_forms import form_names, is_usual, read_cell
from expectations.rules.row_rules import ILL_QUOTED_ROW, MALFORMED_ROW, SOURCE_FILE, UNDECODED_ROW

LINE = "line"
LINES = "lines"
"""The column for the number of lines that a record takes in its file."""
FORMS = "forms"
"""The column for the cells that stood in another form, as ``column: form``; null for nearly all rows."""
IS_HEADER, IS_BLANK = "is_header", "is_blank"
"""The columns that mark lines which are no records."""

READ_COLUMNS = (SOURCE_FILE, MALFORMED_ROW, UNDECODED_ROW, ILL_QUOTED_ROW, LINES, FORMS)
"""The columns of a record beside its cells."""

LONGEST_LINE = 10_000_000
"""In bytes. A longer line is no record: it is rejected, and its beginning is kept."""
KEPT_OF_LONG_LINE = 1_000
LONGEST_BLANK_FIELD = 4
"""In bytes, with its comma: a pair of quotes, and a space."""
LONGEST_CHECKED_QUOTING = 20_000
"""In characters. A regular expression over a longer text could exhaust the stack."""

_QUOTED = r'"[^"]*+(?:""[^"]*+)*+"'

IS_USUAL = "is_usual"
MALFORMED = "malformed"
"""The field of `split_line` for a line with another number of fields than there are names."""
_DIALECT = {
    # As in Kaggle's files and RFC 4180: inside quotes a quote is doubled.
    "escape": '"',
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": MALFORMED,
    "maxColumns": "1000000",
}


@dataclass(frozen=True)
class Layout:
    """How the lines of a CSV file are laid out.

    Attributes:
        header: the columns of the file, in file order.
        separator: the character between fields.
    """

    header: tuple[str, ...]
    separator: str = ","

    @property
    def names(self) -> list[str]:
        """The columns under names of their own. Spark's names ignore case, and some signs mean something to it."""
        return [f"field_{position}" for position in range(len(self.header))]

    def name_of(self, file_name: str) -> str | None:
        """The name of its own that a column of the file has; None if there is no such column."""
        return self.names[self.header.index(file_name)] if file_name in self.header else None

    @property
    def well_quoted(self) -> str:
        """A line with quotes only around fields, and doubled inside of them."""
        sign = re.escape(self.separator)
        field = rf'(?:{_QUOTED}|[^"{sign}]*+)'
        return rf"^{field}(?:{sign}{field})*+\z"

    @property
    def open_at_the_end(self) -> str:
        """A line that ends inside a quoted field."""
        sign = re.escape(self.separator)
        return rf'^(?:(?:{_QUOTED}|[^"{sign}][^{sign}]*+|){sign})*+"[^"]*+(?:""[^"]*+)*+\z'


def is_blank(line: Column, *, layout: Layout) -> Column:
    """Whether a line holds no value: it is empty, or has commas, quotes and spaces alone, as spreadsheets write.

    A line that is longer than such a line can be is not looked into.
    """
    may_be_blank = F.octet_length(line) <= LONGEST_BLANK_FIELD * len(layout.header)
    return may_be_blank & (F.btrim(line, F.lit(f' {layout.separator}"\t')) == "")


def records(*, lines: DataFrame, contract: FileContract, layout: Layout) -> DataFrame:
    """Split each line into its cells.

    Grain in: one row per line, with ``line`` as the file's bytes have it, and ``source_file``; ``lines`` where lines
    were joined. Grain out: one row per line; the contract's source columns as text, null where the field is empty, and
    `READ_COLUMNS`. The marks of headers and blank lines stay, for one count of all.

    Args:
        lines: the lines.
        contract: of the table.
        layout: of the file. A column that the contract lacks is passed over.
    """
    line = F.col(LINE)
    is_short = F.octet_length(line) <= LONGEST_LINE
    kinds = [kind for kind in (IS_HEADER, IS_BLANK) if kind in lines.columns]
    split = lines.select(
        LINE,
        SOURCE_FILE,
        *kinds,
        *([LINES] if LINES in lines.columns else [F.lit(1).alias(LINES)]),
        is_short.alias("is_short"),
        split_line(F.when(is_short, line), layout).alias("cells"),
    )
    places = {name: layout.name_of(contract.file_name(name)) for name in contract.source_columns}
    cells = {name: F.col(f"cells.`{place}`") for name, place in places.items() if place is not None}
    has_stray_quote = reduce(or_, (F.coalesce(cell.contains('"'), F.lit(False)) for cell in cells.values()))
    is_suspect = F.col("is_short") & (has_stray_quote | _may_end_inside_quotes(line, layout))
    marked = split.select("*", is_suspect.alias("is_suspect"), _are_usual(cells, contract).alias(IS_USUAL))
    texts, forms = _read_cells(cells, contract, typed=())
    kept = F.when(F.col("is_short"), line).otherwise(F.substr(line, F.lit(1), F.lit(KEPT_OF_LONG_LINE)))
    readable = F.make_valid_utf8(kept)
    is_whole = F.col("cells").isNotNull() & F.col(f"cells.`{MALFORMED}`").isNull()
    # Spark evaluates what both sides of an "and" share before either. What stands behind a `when` waits for it, and
    # nearly no line is suspect.
    if_open = F.when(is_open_at_the_end(line, layout), readable)
    if_ill_quoted = F.when(~is_well_quoted(line, layout), readable)
    return marked.select(
        *texts,
        *kinds,
        SOURCE_FILE,
        F.when(~is_whole, readable).when(F.col("is_suspect"), if_open).alias(MALFORMED_ROW),
        F.when(~F.is_valid_utf8(line), readable).alias(UNDECODED_ROW),
        F.when(F.col("is_suspect"), if_ill_quoted).alias(ILL_QUOTED_ROW),
        LINES,
        forms.alias(FORMS),
    )


def cells_as_read(*, cells: DataFrame, contract: FileContract) -> DataFrame:
    """Give rows whose cells are text already, as of Parquet, the columns of `records`: none is a header or blank.

    A value that is typed already is not parsed from its text.

    Grain in: one row per record; source columns as text, ``source_file``, and values that are typed already
    (`Cells.value_column`). Grain out: the same rows.
    """
    nothing = F.lit(None).cast("string")
    values = {name: contract.cells.value_column(name) for name in contract.cells.parsed_columns}
    typed = {name: value for name, value in values.items() if value in cells.columns}
    columns = {name: F.col(name) for name in contract.source_columns if name in cells.columns}
    to_read = {name: column for name, column in columns.items() if name not in typed}
    texts, forms = _read_cells(columns, contract, typed=typed)
    return cells.select("*", _are_usual(to_read, contract).alias(IS_USUAL)).select(
        *texts,
        *[F.col(f"`{value}`") for value in typed.values()],
        SOURCE_FILE,
        *[nothing.alias(name) for name in (MALFORMED_ROW, UNDECODED_ROW, ILL_QUOTED_ROW)],
        F.lit(1).alias(LINES),
        forms.alias(FORMS),
        *[F.lit(False).alias(mark) for mark in (IS_HEADER, IS_BLANK)],
    )


def with_numbers(*, rows: DataFrame, contract: FileContract) -> DataFrame:
    """Number the rows of a table whose files lack the column for that, within the rest of the key and by content.

    Exact copies get numbers of their own, so that none of them is taken for a copy. Costs an exchange by the key.

    Grain in and out: `records`, without the value of the number.
    """
    if contract.numbered is None:
        return rows
    rest = [column for column in contract.key if column != contract.numbered]
    content = [column for column in contract.source_columns if column != contract.numbered]
    number = F.row_number().over(Window.partitionBy(*rest).orderBy(*content))
    unnumbered = rows.drop(contract.cells.value_column(contract.numbered))
    return unnumbered.withColumn(contract.numbered, number.cast("string"))


def has_odd_quotes(line: Column) -> Column:
    """Whether a line has an odd number of quotes, so that one of them may stay open at its end."""
    return (F.octet_length(line) - F.octet_length(F.replace(line, F.lit('"'), F.lit("")))) % 2 == 1


def is_open_at_the_end(line: Column, layout: Layout) -> Column:
    """Whether a line ends inside a quoted field."""
    return F.when(F.length(line) <= LONGEST_CHECKED_QUOTING, line.rlike(layout.open_at_the_end)).otherwise(
        has_odd_quotes(line)
    )


def is_well_quoted(line: Column, layout: Layout) -> Column:
    """Whether a record has quotes only around fields, and doubled inside of them."""
    return F.when(F.length(line) <= LONGEST_CHECKED_QUOTING, line.rlike(layout.well_quoted)).otherwise(F.lit(False))


def _may_end_inside_quotes(line: Column, layout: Layout) -> Column:
    """Whether a line may end inside a quoted field. The cheapest look comes first: nearly all lines end in a cell."""
    last_cell = F.col(f"cells.`{layout.names[-1]}`")
    ends_in_cell = line.endswith(F.concat(F.lit(layout.separator), F.coalesce(last_cell, F.lit(""))))
    return ~ends_in_cell & (~line.endswith('"') | has_odd_quotes(line))


def split_line(line: Column, layout: Layout) -> Column:
    """The fields of a line by their names in the layout, as text, and `MALFORMED`."""
    fields = ", ".join(f"`{name}` string" for name in (*layout.names, MALFORMED))
    return F.from_csv(line, fields, {**_DIALECT, "sep": layout.separator})


def _read_cells(
    cells: Mapping[str, Column], contract: FileContract, *, typed: Collection[str]
) -> tuple[list[Column], Column]:
    """The text of each source column, and the cells that stood in another form; those typed already are in none."""
    is_usual = F.col(IS_USUAL)
    texts, forms = [], []
    for name, data_type in contract.cells.types.items():
        if name not in cells:
            texts.append(F.lit(None).cast("string").alias(name))
            continue
        if name in typed:
            texts.append(cells[name].alias(name))
            continue
        is_required = name in contract.required
        cell = read_cell(cells[name], data_type, is_required=is_required, declared=contract.forms.get(name))
        texts.append(F.when(is_usual, cells[name]).otherwise(cell.text).alias(name))
        forms.append(F.concat(F.lit(f"{name}: "), cell.form))
    return texts, F.when(~is_usual, F.nullif(F.array_compact(F.array(*forms)), F.array().cast("array<string>")))


def possible_forms(contract: FileContract) -> list[str]:
    """What `FORMS` may hold: each column with the other forms in which it is read."""
    return [
        f"{name}: {form}"
        for name, data_type in contract.cells.types.items()
        for form in form_names(data_type, is_required=name in contract.required, declared=contract.forms.get(name))
    ]


def _are_usual(cells: Mapping[str, Column], contract: FileContract) -> Column:
    """Whether all cells of a row stand in the form of the rules, as far as a cheap look tells. Nearly all rows do."""
    types = contract.cells.types
    return reduce(and_, (is_usual(cells[name], types[name], contract.forms.get(name)) for name in cells), F.lit(True))
