"""Lines of a CSV file to the records that the rules validate: each line is a record, whatever is in its neighbours.

What is counted is lines, and a line is split into fields by itself. So a stray quote spoils the line that it stands in,
and no other. A field of free text may hold line breaks inside quotes: its lines are joined first (`line_breaks`).
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules.cell_forms import is_usual, read_cell
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
_FIELD = rf'(?:{_QUOTED}|[^",]*+)'
WELL_QUOTED = rf"^{_FIELD}(?:,{_FIELD})*+\z"
OPEN_AT_THE_END = rf'^(?:(?:{_QUOTED}|[^",][^,]*+|),)*+"[^"]*+(?:""[^"]*+)*+\z'

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


def is_blank(line: Column, *, header: Sequence[str]) -> Column:
    """Whether a line holds no value: it is empty, or has commas, quotes and spaces alone, as spreadsheets write.

    A line that is longer than such a line can be is not looked into.
    """
    may_be_blank = F.octet_length(line) <= LONGEST_BLANK_FIELD * len(header)
    return may_be_blank & (F.btrim(line, F.lit(' ,"\t')) == "")


def records(*, lines: DataFrame, contract: FileContract, header: Sequence[str]) -> DataFrame:
    """Split each line into its cells.

    Grain in: one row per line, with ``line`` as the file's bytes have it, and ``source_file``; ``lines`` where lines
    were joined. Grain out: one row per line; the contract's source columns as text, null where the field is empty, and
    `READ_COLUMNS`. The marks of headers and blank lines stay, for one count of all.

    Args:
        lines: the lines.
        contract: of the table.
        header: the columns of the file. One that the contract lacks is passed over.
    """
    line = F.col(LINE)
    is_short = F.octet_length(line) <= LONGEST_LINE
    names = column_names(header, contract)
    kinds = [kind for kind in (IS_HEADER, IS_BLANK) if kind in lines.columns]
    split = lines.select(
        LINE,
        SOURCE_FILE,
        *kinds,
        *([LINES] if LINES in lines.columns else [F.lit(1).alias(LINES)]),
        is_short.alias("is_short"),
        split_line(F.when(is_short, line), names).alias("cells"),
    )
    cells = {name: F.col(f"cells.`{name}`") for name in names if name in contract.source_columns}
    has_stray_quote = reduce(or_, (F.coalesce(cell.contains('"'), F.lit(False)) for cell in cells.values()))
    is_suspect = F.col("is_short") & (has_stray_quote | _may_end_inside_quotes(line, F.col(f"cells.`{names[-1]}`")))
    marked = split.select("*", is_suspect.alias("is_suspect"), _are_usual(cells, contract).alias(IS_USUAL))
    texts, forms = _read_cells(cells, contract)
    kept = F.when(F.col("is_short"), line).otherwise(F.substr(line, F.lit(1), F.lit(KEPT_OF_LONG_LINE)))
    readable = F.make_valid_utf8(kept)
    is_whole = F.col("cells").isNotNull() & F.col(f"cells.`{MALFORMED}`").isNull()
    # Spark evaluates what both sides of an "and" share before either. What stands behind a `when` waits for it, and
    # nearly no line is suspect.
    if_open = F.when(is_open_at_the_end(line), readable)
    if_ill_quoted = F.when(~is_well_quoted(line), readable)
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

    Grain in: one row per record; source columns as text, and ``source_file``. Grain out: the same rows.
    """
    nothing = F.lit(None).cast("string")
    columns = {name: F.col(name) for name in cells.columns if name != SOURCE_FILE}
    texts, forms = _read_cells(columns, contract)
    return cells.select("*", _are_usual(columns, contract).alias(IS_USUAL)).select(
        *texts,
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


def is_open_at_the_end(line: Column) -> Column:
    """Whether a line ends inside a quoted field."""
    return F.when(F.length(line) <= LONGEST_CHECKED_QUOTING, line.rlike(OPEN_AT_THE_END)).otherwise(
        has_odd_quotes(line)
    )


def is_well_quoted(line: Column) -> Column:
    """Whether a record has quotes only around fields, and doubled inside of them."""
    return F.when(F.length(line) <= LONGEST_CHECKED_QUOTING, line.rlike(WELL_QUOTED)).otherwise(F.lit(False))


def _may_end_inside_quotes(line: Column, last_cell: Column) -> Column:
    """Whether a line may end inside a quoted field. The cheapest look comes first: nearly all lines end in a cell."""
    ends_in_cell = line.endswith(F.concat(F.lit(","), F.coalesce(last_cell, F.lit(""))))
    return ~ends_in_cell & (~line.endswith('"') | has_odd_quotes(line))


def split_line(line: Column, names: Sequence[str]) -> Column:
    """The fields of a line by their names, as text, and `MALFORMED`."""
    return F.from_csv(line, ", ".join(f"`{name}` string" for name in (*names, MALFORMED)), _DIALECT)


def column_names(header: Sequence[str], contract: FileContract) -> list[str]:
    """The columns of a file, in file order, under names of their own.

    Spark's names ignore case, so that an ignored column such as Order_ID would clash with order_id.
    """
    columns = contract.source_columns
    return [name if name in columns else f"ignored_{position}" for position, name in enumerate(header)]


def _read_cells(cells: Mapping[str, Column], contract: FileContract) -> tuple[list[Column], Column]:
    """The text of each source column, and the cells that stood in another form."""
    is_usual = F.col(IS_USUAL)
    texts, forms = [], []
    for name, data_type in contract.cells.types.items():
        if name not in cells:
            texts.append(F.lit(None).cast("string").alias(name))
            continue
        is_required = name in contract.required
        cell = read_cell(cells[name], data_type, is_required=is_required, declared=contract.forms.get(name))
        texts.append(F.when(is_usual, cells[name]).otherwise(cell.text).alias(name))
        forms.append(F.concat(F.lit(f"{name}: "), cell.form))
    return texts, F.when(~is_usual, F.nullif(F.array_compact(F.array(*forms)), F.array().cast("array<string>")))


def _are_usual(cells: Mapping[str, Column], contract: FileContract) -> Column:
    """Whether all cells of a row stand in the form of the rules, as far as a cheap look tells. Nearly all rows do."""
    types = contract.cells.types
    return reduce(and_, (is_usual(cells[name], types[name], contract.forms.get(name)) for name in cells), F.lit(True))
