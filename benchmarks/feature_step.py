"""Time the feature step against a notebook on the same Spark and against DuckDB, on the same files.

    python -m benchmarks.feature_step --orders 10000000

Each contender is a process, timed from its start to its end. The contenders take turns, so a machine that slows down
slows all of them. In the first round, every result is compared with ours.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks.comparison import assert_same
from benchmarks.contenders import CONTENDERS, OURS, Contender
from benchmarks.figures import MEGABYTE, show
from benchmarks.input_data import REPOSITORY, checked_files, existing_output, orders_in, sample_output
from benchmarks.measurement import Measurement, measure
from benchmarks.notebook import HEAP
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, at_least_one

SCRATCH = "bench-scratch"
READ_BYTES = 16 * 2**20

EPILOG = """\
exit codes:
  0 done   1 a result differs from ours   2 bad arguments   4 a contender or the preparation of the data failed
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return run_main("feature_step", lambda: _benchmark(_arguments(argv)))


def _benchmark(arguments: argparse.Namespace) -> None:
    contenders = [contender for contender in CONTENDERS if arguments.only is None or contender.name in arguments.only]
    output = existing_output(arguments.data) if arguments.data else sample_output(arguments.orders)
    runs: dict[str, list[Measurement]] = {contender.name: [] for contender in contenders}
    if OURS not in runs:
        print(f"No ratios and no comparison of results: {OURS} does not run")
    for number in range(arguments.runs):
        with _empty(output / SCRATCH) as scratch:
            _one_round(contenders, output, scratch, runs, compare=number == 0 and OURS in runs)
    show(contenders, runs, orders=orders_in(output))


def _one_round(
    contenders: Sequence[Contender], output: Path, scratch: Path, runs: dict[str, list[Measurement]], *, compare: bool
) -> None:
    """Run every contender once, ours first. Each result is deleted after its comparison, and ours at the end."""
    console = Console(highlight=False, soft_wrap=True)
    our_tables = None
    for contender in contenders:
        results = scratch / contender.name
        results.mkdir()
        figures = _run(contender, output, results)
        runs[contender.name].append(figures)
        line = (
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
                line += "   same as ours: " + ", ".join(f"{count:,} {table}" for table, count in rows.items())
            shutil.rmtree(results)
        console.print(line, markup=False)


def _run(contender: Contender, output: Path, results: Path) -> Measurement:
    command = contender.command(output, results)
    # Every contender starts with its input in the page cache, and without unwritten output of the one before.
    os.sync()
    for file in checked_files(output):
        with file.open("rb") as content:
            while content.read(READ_BYTES):
                pass
    environment = {**os.environ, "SPARK_DRIVER_MEMORY": HEAP}
    return measure(command, folder=REPOSITORY, log=results.with_suffix(".log"), environment=environment)


@contextmanager
def _empty(folder: Path) -> Iterator[Path]:
    """Create an empty folder, and delete it when the block ends."""
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
    data.add_argument(
        "--orders", type=at_least_one, help="size of the sample, which is written once to build/bench-ORDERS"
    )
    data.add_argument("--data", type=Path, metavar="FOLDER", help="output folder with a run 2018-10-17-checked")
    names = [contender.name for contender in CONTENDERS]
    parser.add_argument(
        "--runs",
        type=at_least_one,
        default=3,
        help="number of rounds, of which the medians are shown (default: %(default)s)",
    )
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"contenders to run: {', '.join(names)}"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
