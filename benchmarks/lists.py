"""Time exports of everybody, beside a plain COPY by DuckDB of the same columns in the same order.

    python -m benchmarks.lists --customers 10000000

The run has an rfm of that many customers, which DuckDB makes; nothing is scored. Each export is a process of its own
(``python -m jobs.export``), and so is each copy. The copy checks no file, draws nobody, and writes no members.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks.figures import MEGABYTE, machine
from benchmarks.input_data import REPOSITORY
from benchmarks.measurement import Measurement, measure
from jobs.cli.console import show_table
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, at_least_one

RUN = "2018-10-17-lists"
FILES = 20
SEGMENTS = 9
COPY = "import duckdb, sys; duckdb.sql(\"set memory_limit = '1GB'\"); duckdb.sql(sys.argv[1])"
CODES = "customer_unique_id, segment_code"
FURTHER = ("total_value", "last_purchase_time", "as_of")
HOLDOUT = ("--campaign", "benchmark", "--holdout", "10%")
KEY = "a key of a benchmark, and no secret"
HEADER = ("list", "wall s", "of the copy's", "CPU s", "of the copy's", "peak MB")

# Customers come in no order, as a run stores them. Columns that no list here reads are missing.
CUSTOMERS = f"""
select md5(i::varchar) as customer_unique_id,
    timestamp '2018-10-17 23:59:59' as as_of,
    timestamp '2018-01-01 10:00:00' + to_seconds(i % 20000000) as last_purchase_time,
    ((i * 7919) % 100000 / 3)::decimal(18, 4) as total_value,
    concat('RM0', 1 + i % {SEGMENTS}) as segment_code,
    concat('Segment number ', 1 + i % {SEGMENTS}) as segment
from range({{first}}, {{customers}}, {FILES}) t(i)"""


@dataclass(frozen=True)
class Case:
    """A list: its form, and what it has beside the codes."""

    form: str
    is_wide: bool = False
    has_holdout: bool = False

    @property
    def name(self) -> str:
        """For the table and for files."""
        return self.form + (", names and 3 columns" if self.is_wide else "") + (", 10 % held back" * self.has_holdout)

    def export(self, output: Path, to: Path) -> list[str]:
        """The command that exports it."""
        wide = ("--names", "--columns", ",".join(FURTHER)) if self.is_wide else ()
        options = ["--where", "true", "--format", self.form, *wide, *(HOLDOUT if self.has_holdout else ())]
        return [sys.executable, "-m", "jobs.export", "--output", str(output), "--to", str(to), *options]

    def copy(self, output: Path, to: Path) -> list[str]:
        """The command that copies the same columns."""
        columns = ", ".join((CODES, *(("segment", *FURTHER) if self.is_wide else ())))
        rfm = f"'{output}/runs/{RUN}/rfm/*.parquet'"
        query = f"copy (select {columns} from {rfm} order by customer_unique_id) to '{to}' (format {self.form})"
        return [sys.executable, "-c", COPY, query]


CASES = (
    *(Case(form, has_holdout=has_holdout) for form in ("csv", "parquet") for has_holdout in (False, True)),
    Case("csv", is_wide=True),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return run_main("lists", lambda: _benchmark(_arguments(argv).customers))


def _benchmark(customers: int) -> None:
    output = written_run(REPOSITORY / "build" / f"bench-lists-{customers}", customers)
    rows = [row for case in CASES for row in _rows(case, output)]
    show_table(f"Lists of {customers:,} customers; {machine()}", HEADER, rows)


def _rows(case: Case, output: Path) -> list[tuple[str, ...]]:
    with TemporaryDirectory(dir=output, prefix="lists-") as name:
        folder = Path(name)
        copied = _measured(case.copy(output, folder / "copy"), folder)
        exported = _measured(case.export(output, folder / "list"), folder)
    return [as_row(case.name, exported, beside=copied), as_row("    the copy", copied, beside=copied)]


def as_row(name: str, cost: Measurement, *, beside: Measurement) -> tuple[str, ...]:
    """The row of the table, beside the copy."""
    return (
        name,
        f"{cost.wall_seconds:.1f}",
        f"{cost.wall_seconds / beside.wall_seconds:.2f}",
        f"{cost.cpu_seconds:.1f}",
        f"{cost.cpu_seconds / beside.cpu_seconds:.2f}",
        f"{cost.peak_bytes / MEGABYTE:,.0f}",
    )


def _measured(command: Sequence[str], folder: Path) -> Measurement:
    return measure(command, folder=REPOSITORY, log=folder / "log", environment={**os.environ, "HOLDOUT_KEY": KEY})


def written_run(output: Path, customers: int) -> Path:
    """An output folder with a run of so many customers, which is written if it is not there."""
    current = output / "current.json"
    if current.exists():
        return output
    folder = output / "runs" / RUN
    (folder / "rfm").mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(FILES):
        file = folder / "rfm" / f"part-{number:05d}.parquet"
        duckdb.sql(f"copy ({CUSTOMERS.format(first=number, customers=customers)}) to '{file}' (format parquet)")
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        files.append({"file": file.name, "size": file.stat().st_size, "sha256": sha256})
    segments = [
        {"code": f"RM0{number}", "name": f"Segment number {number}", "customers": 1}
        for number in range(1, SEGMENTS + 1)
    ]
    manifest = {
        "run_id": RUN,
        "as_of": RUN[:10],
        "configuration_hash": "ab",
        "tables": {"rfm": f"runs/{RUN}/rfm"},
        "outputs": {"rfm": files},
        "segments": {"segments": segments},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    current.write_text(json.dumps({"run_id": RUN}), encoding="utf-8")
    return output


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        prog="python -m benchmarks.lists",
        description="Time lists of all customers of a run, beside plain copies by DuckDB.",
        allow_abbrev=False,
    )
    parser.add_argument("--customers", type=at_least_one, required=True, help="of the run, which is written once")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
