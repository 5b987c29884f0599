"""Records that take several lines of a CSV file, since their free text holds line breaks inside quotes."""

from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules.row_rules import SOURCE_FILE
from expectations.validation.records import (
    LINE,
    LINES,
    MALFORMED,
    Layout,
    has_odd_quotes,
    is_open_at_the_end,
    is_well_quoted,
    split_line,
)

POSITION = "position"
"""The column for what puts the lines of a file in order."""

MOST_LINES_OF_A_RECORD = 50


def may_hold_line_breaks(contract: FileContract, layout: Layout) -> bool:
    """Whether a record of a file may take several lines: it has free text, or a column that is passed over."""
    used = {contract.file_name(name) for name in contract.source_columns}
    return bool(contract.free_text) or not used >= {*layout.header}


def joined_lines(*, lines: DataFrame, contract: FileContract, layout: Layout) -> DataFrame:
    """Join the lines of a record whose free text holds line breaks inside quotes.

    A line with an open quote may begin a record, which the next line with an odd number of quotes ends. They are joined
    if the whole is well quoted, has as many fields as the header, and breaks in free text alone. Otherwise each line
    stays by itself. A record has at most `MOST_LINES_OF_A_RECORD` lines.

    Costs a sort of each file's lines by one task. So it is for files in which a quote stays open.

    Grain in: one row per line, with ``line``, ``source_file`` and ``position``. Grain out: one row per record, with
    ``line`` and ``source_file``, and ``lines``, how many it was joined from.

    Args:
        lines: neither headers nor blank lines.
        contract: of the table.
        layout: of the file.
    """
    in_file = Window.partitionBy(SOURCE_FILE).orderBy(POSITION)
    # A section begins with a line of an odd number of quotes, and ends before the next such line.
    in_sections = lines.select(
        "*",
        F.sum(has_odd_quotes(F.col(LINE)).cast("int")).over(in_file).alias("section"),
    )
    in_section = Window.partitionBy(SOURCE_FILE, "section").orderBy(POSITION)
    numbered = in_sections.select("*", F.row_number().over(in_section).alias("number"))
    sections = (
        numbered.where(F.col("number") <= MOST_LINES_OF_A_RECORD)
        .groupBy(SOURCE_FILE, "section")
        .agg(F.sort_array(F.collect_list(F.struct("number", LINE))).alias("beginning"))
        .join(numbered.groupBy(SOURCE_FILE, "section").agg(F.max("number").alias("count")), [SOURCE_FILE, "section"])
    )
    by_section = Window.partitionBy(SOURCE_FILE).orderBy("section")
    next_line = F.lead(F.get("beginning", F.lit(0))[LINE]).over(by_section)
    texts = F.transform("beginning", lambda each: each[LINE])
    candidates = sections.select(
        SOURCE_FILE,
        "section",
        (F.col("count") + 1).alias(LINES),
        F.when(
            (F.col("section") > 0) & (F.col("count") < MOST_LINES_OF_A_RECORD),
            F.concat_ws("\n", texts, next_line),
        ).alias("record"),
        (is_open_at_the_end(F.get(texts, F.lit(0)), layout) & next_line.isNotNull()).alias("may_join"),
    )
    is_record = F.col("may_join") & F.coalesce(_is_one_record(F.col("record"), contract, layout), F.lit(False))
    # Of overlapping candidates the first wins: in a run of them, every other one from the first on.
    marked = candidates.select("*", is_record.alias("is_record"))
    other = F.sum((~F.col("is_record")).cast("int")).over(by_section)
    runs = marked.select("*", other.alias("run"))
    in_run = Window.partitionBy(SOURCE_FILE, "run").orderBy("section")
    turn = F.sum(F.col("is_record").cast("int")).over(in_run)
    joins = runs.select(
        SOURCE_FILE, "section", LINES, "record", (F.col("is_record") & (turn % 2 == 1)).alias("joins")
    ).select("*", F.coalesce(F.lag("joins").over(by_section), F.lit(False)).alias("gave_its_first"))
    placed = numbered.join(joins, [SOURCE_FILE, "section"])
    is_first = F.col("number") == 1
    is_taken = (F.col("joins") & ~is_first) | (F.col("gave_its_first") & is_first)
    return placed.where(~is_taken).select(
        F.when(F.col("joins"), F.col("record")).otherwise(F.col(LINE)).alias(LINE),
        SOURCE_FILE,
        F.when(F.col("joins"), F.col(LINES)).otherwise(F.lit(1)).cast("int").alias(LINES),
    )


def _is_one_record(record: Column, contract: FileContract, layout: Layout) -> Column:
    """Whether joined lines are one record, with line breaks in free text or in ignored columns alone."""
    cells = split_line(record, layout)
    strict = [contract.file_name(name) for name in contract.source_columns if name not in contract.free_text]
    places = [place for place in map(layout.name_of, strict) if place is not None]
    breaks = (F.coalesce(cells[place].contains("\n"), F.lit(False)) for place in places)
    return is_well_quoted(record, layout) & cells[MALFORMED].isNull() & ~reduce(or_, breaks, F.lit(False))
