"""Time the feature step against a notebook on the same Spark and against DuckDB, on the same files.

    python -m benchmarks.feature_step --orders 10000000

Each contender is a process of its own, timed from its start to its end; the contenders take turns, round by round, so
that a machine that slows down slows them all. In the first round every result is compared with ours.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks.contenders import CONTENDERS, OURS, Contender
from benchmarks.figures import MEGABYTE, show
from benchmarks.measurement import Measurement, measure
from benchmarks.notebook import HEAP
from benchmarks.prepared import REPOSITORY, checked_files, given_output, orders_in, prepared_output
from benchmarks.same_results import assert_same
from jobs.cli.main import program
from jobs.cli.parser import OneLineParser, at_least_one

SCRATCH = "bench-scratch"
READ_AT_ONCE = 16 * 2**20

EPILOG = """\
exit codes:
  0 done   1 a contender's result is not ours   2 bad arguments   4 a contender, or what makes the data, failed
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return program("feature_step", lambda: _benchmark(_arguments(argv)))


def _benchmark(given: argparse.Namespace) -> None:
    chosen = [contender for contender in CONTENDERS if given.only is None or contender.name in given.only]
    output = given_output(given.data) if given.data else prepared_output(given.orders)
    runs: dict[str, list[Measurement]] = {contender.name: [] for contender in chosen}
    if OURS not in runs:
        print(f"No ratios, and results are not compared: {OURS} does not run")
    for number in range(given.runs):
        with _empty(output / SCRATCH) as scratch:
            _one_round(chosen, output, scratch, runs, compare=number == 0 and OURS in runs)
    show(chosen, runs, orders=orders_in(output))


def _one_round(
    chosen: Sequence[Contender], output: Path, scratch: Path, runs: dict[str, list[Measurement]], *, compare: bool
) -> None:
    """Run every contender once, ours first; a result goes as soon as it is compared, ours at the end."""
    console = Console(highlight=False, soft_wrap=True)
    our_tables = None
    for contender in chosen:
        results = scratch / contender.name
        results.mkdir()
        figures = _run(contender, output, results)
        runs[contender.name].append(figures)
        said = (
            f"{contender.description:<32} {figures.wall_seconds:8.1f} s {figures.cpu_seconds:8.1f} s CPU "
            f"{figures.peak_bytes / MEGABYTE:8,.0f} MB"
        )
        if contender.name == OURS and compare:
            our_tables = contender.tables_in(results)
        else:
            if our_tables is not None:
                rows = assert_same(
                    our_tables,
                    contender.tables_in(results),
                    tables=contender.tables,
                    name=contender.name,
                    spill=scratch / "spill",
                )
                said += "   same as ours: " + ", ".join(f"{count:,} {table}" for table, count in rows.items())
            shutil.rmtree(results)
        console.print(said, markup=False)


def _run(contender: Contender, output: Path, results: Path) -> Measurement:
    command = contender.command(output, results)
    # Everyone starts with the input in memory and with nobody else's output still on its way to the disk.
    os.sync()
    for file in checked_files(output):
        with file.open("rb") as content:
            while content.read(READ_AT_ONCE):
                pass
    environment = {**os.environ, "SPARK_DRIVER_MEMORY": HEAP}
    return measure(command, folder=REPOSITORY, log=results.with_suffix(".log"), environment=environment)


@contextmanager
def _empty(folder: Path) -> Iterator[Path]:
    """A folder with nothing in it, which is gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        prog="python -m benchmarks.feature_step",
        description="Time the feature step (checked tables to transactions, purchases and normalised RFM) of three "
        "contenders: this project, the workshop's SQL on the same Spark, and the same SQL in DuckDB.",
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--orders", type=at_least_one, help="of the sample; made once, under build/bench-ORDERS")
    data.add_argument(
        "--data", type=Path, metavar="FOLDER", help="an output folder that holds a run 2018-10-17-checked"
    )
    names = [contender.name for contender in CONTENDERS]
    parser.add_argument("--runs", type=at_least_one, default=3, help="rounds; medians are shown (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of: {', '.join(names)}")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
