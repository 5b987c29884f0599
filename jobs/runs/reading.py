"""The rows of a source, read and counted: its lines by one count, and the records made of them by another."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from expectations.rules.row_rules import MALFORMED_ROW, SOURCE_FILE
from expectations.validation.line_breaks import POSITION, joined_lines, may_hold_line_breaks
from expectations.validation.records import (
    IS_BLANK,
    IS_HEADER,
    LINE,
    LINES,
    is_blank,
    is_open_at_the_end,
    records,
    with_numbers,
)
from jobs.errors import DataError
from jobs.inputs.csv_files import BYTE_ORDER_MARK, has_bytes_after_gzip, why_not_unpacked
from jobs.inputs.decoding import decoded
from jobs.inputs.input_files import RawInput
from jobs.inputs.typed_rows import read_typed
from jobs.runs.endings import STAGE
from jobs.runs.metrics import Money, total_of, with_metrics
from jobs.runs.run import Run
from jobs.runs.totals import Total
from jobs.storage.uris import escape_glob

UNREADABLE = "FAILED_READ_FILE"


@dataclass(frozen=True)
class ReadFigures:
    """What was counted of a source while it was read.

    Attributes:
        total: records, and the money in them as far as it is a number.
        lines: all lines; of Parquet, the rows.
        blank_lines: those without any value, which are no records.
        header_lines: those that repeat the header.
        record_lines: those that the records take.
    """

    total: Total
    lines: int
    blank_lines: int
    header_lines: int
    record_lines: int

    def check(self, name: str) -> None:
        """See that every line is a header, blank, or in a record.

        Raises:
            DataError: A line is in none of them, or in two.
        """
        sum_of_parts = self.blank_lines + self.header_lines + self.record_lines
        if self.lines != sum_of_parts:
            raise DataError(
                f"{name}: found {self.lines:,} lines, expected {sum_of_parts:,}: {self.record_lines:,} of records, "
                f"{self.header_lines:,} of headers and {self.blank_lines:,} blank. Report it with this run's folder"
            )


class Reading:
    """One reading of a source. Each query over its rows counts what it reads."""

    def __init__(self, session: SparkSession, raw: RawInput, *, join: bool = False, name: str = "") -> None:
        self.raw = raw
        self._session = session
        self._join = join
        self._name = name or raw.contract.table
        self._lines: Observation | None = None
        self._observe(self._records() if raw.format == "csv" else read_typed(session, raw))

    def with_lines_joined(self) -> DataFrame | None:
        """The rows again, with the lines of records joined, once they were read line by line; None if that will do.

        It will not where a quote stays open at the end of a line, in a file that may hold line breaks inside quotes.
        """
        raw = self.raw
        if not may_hold_line_breaks(raw.contract, raw.layout) or not self._seen.get["open_lines"]:
            return None
        self._join = True
        self._observe(self._records())
        return self.rows

    def rows_at_once(self) -> DataFrame:
        """The rows for a query that cannot be run again; where lines may have to be joined, this reads the file."""
        if not may_hold_line_breaks(self.raw.contract, self.raw.layout):
            return self.rows
        self.rows.write.format("noop").mode("overwrite").save()
        return self.with_lines_joined() or self.rows

    def again(self) -> "Reading":
        """Another reading of the same files in the same way, which has read all rows."""
        other = Reading(self._session, self.raw, join=self._join, name=f"{self._name} again")
        other.rows.write.format("noop").mode("overwrite").save()
        return other

    def figures(self) -> ReadFigures:
        """What was counted, after a query has read the rows."""
        seen = self._seen.get
        lines = self._lines.get if self._lines else seen
        return ReadFigures(
            replace(total_of(seen, self.raw.contract.money), rows=seen["records"]),
            lines=lines["rows"],
            blank_lines=seen["blank_lines"],
            header_lines=lines["header_lines"],
            record_lines=seen["record_lines"] or 0,
        )

    def _observe(self, rows: DataFrame) -> None:
        """Count all lines, whatever they are, in one go; then keep the records, with the values of their cells.

        Spark moves no filter behind the counts. Above them, a filter by reasons would parse each cell once more.
        """
        contract = self.raw.contract
        rows, cells = contract.cells.with_values(rows)
        is_record = ~F.col(IS_HEADER) & ~F.col(IS_BLANK)
        is_open = (
            is_record & F.col(MALFORMED_ROW).isNotNull() & is_open_at_the_end(F.col(MALFORMED_ROW), self.raw.layout)
        )
        metrics = {
            "records": F.count_if(is_record),
            "record_lines": F.sum(F.when(is_record, F.col(LINES))),
            "open_lines": F.count_if(is_open),
            "header_lines": F.count_if(IS_HEADER),
            "blank_lines": F.count_if(IS_BLANK),
        }
        money = _of_records(contract.money_in(cells), is_record)
        observed, self._seen = with_metrics(rows, f"read {self._name}", money=money, metrics=metrics)
        records_alone = observed.where(is_record).drop(IS_HEADER, IS_BLANK)
        if contract.numbered in self.raw.missing_columns:
            records_alone = with_numbers(rows=records_alone, contract=contract)
        self.rows = records_alone

    def _records(self) -> DataFrame:
        raw = self.raw
        text = self._session.read.text([escape_glob(uri) for uri in raw.uris])
        place = F.struct(F.col("_metadata.file_block_start"), F.monotonically_increasing_id().alias("row"))
        line = F.col("value")
        lines = text.select(
            decoded(line, raw.form).alias(LINE),
            self._source_file().alias(SOURCE_FILE),
            *([place.alias(POSITION)] if self._join else []),
            self._is_header(line).alias(IS_HEADER),
        )
        if self._join:
            lines, self._lines = with_metrics(
                lines, f"lines of {self._name}", metrics={"header_lines": F.count_if(IS_HEADER)}
            )
            lines = lines.where(~F.col(IS_HEADER)).drop(IS_HEADER)
            joined = joined_lines(lines=lines, contract=raw.contract, layout=raw.layout)
            lines = joined.withColumn(IS_HEADER, F.lit(False))
        # A blank line within a record is a part of it, so that blank lines are told from others after they are joined.
        lines = lines.withColumn(IS_BLANK, is_blank(F.col(LINE), layout=raw.layout))
        return records(lines=lines, contract=raw.contract, layout=raw.layout)

    def _source_file(self) -> Column:
        """The file that a line is of; of a staged copy, the file that was copied."""
        name = path = F.col("_metadata.file_path")
        for number, uri in self.raw.staged.items():
            copy = uri[uri.index(STAGE) :]
            name = F.when(path.endswith(copy), self.raw.place.uri(*self.raw.paths[number])).otherwise(name)
        return name

    def _is_header(self, line: Column) -> Column:
        """Whether a line is a file's header. Files that were appended to one another repeat it."""
        headers = {file.header_line for file in self.raw.csv if file.header_line}
        spellings = sorted({prefix + header for header in headers for prefix in (b"", BYTE_ORDER_MARK)})
        is_header = F.lit(False)
        for spelling in spellings:
            is_header |= (F.octet_length(line) == len(spelling)) & (line.cast("binary") == F.lit(spelling))
        return is_header


def _of_records(money: Money, is_record: Column) -> Money:
    """The money of those rows that are records."""
    if isinstance(money, Mapping):
        return {currency: F.when(is_record, amount) for currency, amount in money.items()}
    return F.when(is_record, money) if isinstance(money, Column) else money


def _file_in(error: Exception) -> str:
    """The name of the file that Spark could not read."""
    match = re.search(r"while reading file (\S+?)\.?\s", str(error))
    return match[1].rpartition("/")[2] if match else "a file of --input"


@contextmanager
def readable(raw: RawInput) -> Iterator[None]:
    """Tell why Spark could not read a file of a source to its end.

    Raises:
        DataError: A file is cut off or damaged.
    """
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        if UNREADABLE not in str(error):
            raise
        if raw.format != "csv":
            raise DataError(f"{_file_in(error)}: damaged or cut off, expected a Parquet file. Get it anew") from None
        for path, csv in zip(raw.paths, raw.csv, strict=False):
            cause = why_not_unpacked(raw.place, path) if csv.is_gzip else None
            if cause is not None:
                raise DataError(
                    f"{csv.name}: {cause}, expected a whole file. Test it with gunzip -t, and get it anew"
                ) from None
            if csv.is_gzip and has_bytes_after_gzip(raw.place, path):
                raise DataError(
                    f"{csv.name}: zeros follow the gzip data, expected nothing behind it. Unpack it and pack it anew"
                ) from None
        raise


def under_their_names(run: Run, raw: RawInput) -> RawInput:
    """Let Spark, which goes by the name, read packed files that are not named so.

    They are copied to the run's staging folder under a name that tells how they are packed.
    """
    misnamed = [number for number, file in enumerate(raw.csv) if file.header and not file.is_named_as_packed]
    if not misnamed:
        return raw
    stage = f"{STAGE}/input/{raw.contract.table}"
    with TemporaryDirectory(prefix="input-") as folder:
        for number in misnamed:
            with (
                raw.place.open_file(*raw.paths[number]) as content,
                (Path(folder) / f"{number}.csv.gz").open("wb") as copy,
            ):
                shutil.copyfileobj(content, copy)
        run.copy_in(stage, Path(folder))
    return replace(raw, staged={number: run.uri(f"{stage}/{number}.csv.gz") for number in misnamed})
