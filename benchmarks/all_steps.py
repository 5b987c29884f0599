"""Time all steps, from CSV files to clusters, against DuckDB doing the same work up to rfm, on the same files.

    python -m benchmarks.all_steps --orders 1000000

Each contender is a process, timed from its start to its end. The contenders take turns, so a machine that slows down
slows all of them. In the first round, checked tables, transactions, purchases and rfm are compared, and the numbers of
rejected rows. ``--other`` adds an earlier commit of this project.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.all_steps_figures import Figures, show
from benchmarks.comparison import assert_as_many_rejected, assert_same
from benchmarks.contenders import Contender
from benchmarks.input_data import REPOSITORY, csv_files, sample_files
from benchmarks.measurement import Measurement
from benchmarks.notebook import HEAP
from benchmarks.pipelines import CONTENDERS, DUCKDB, OTHER, other_checkout
from benchmarks.rounds import Rounds, chosen, log_of, round_parser
from benchmarks.run_record import record_of
from benchmarks.workshop_sql import CHECKED_TABLES
from jobs.cli.main import run_main

SCRATCH = REPOSITORY / "build" / "bench-run-scratch"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return run_main("all_steps", lambda: _benchmark(_arguments(argv)))


def _benchmark(arguments: argparse.Namespace) -> None:
    contenders = _contenders(arguments)
    files = arguments.input.resolve() if arguments.input else sample_files(arguments.orders)
    figures = Figures()
    reference = contenders[0].name
    if reference == DUCKDB:
        print("No ratios and no comparison of results: DuckDB alone runs")

    def inspect(contender: Contender, results: Path, measurement: Measurement) -> None:
        record = None
        if contender.name != DUCKDB:
            run = contender.tables_in(results)
            record = record_of(run, results, log_of(results), started_at=measurement.started_at)
        figures.add(contender.name, measurement, record)

    rounds = Rounds(
        contenders,
        source=files,
        files=csv_files(files),
        scratch=SCRATCH,
        reference=None if reference == DUCKDB else reference,
        compare=_compared,
        heap=arguments.heap,
        inspect=inspect,
    )
    rounds.run(arguments.runs)
    what = f"{arguments.orders:,} orders" if arguments.orders else str(arguments.input)
    show(contenders, figures, what=what, rounds=arguments.runs)


def _contenders(arguments: argparse.Namespace) -> list[Contender]:
    """The contenders, those of this project first: the first one's tables are what others are compared with."""
    own = chosen(CONTENDERS, arguments.only)
    if arguments.other is None:
        return own
    other = other_checkout(arguments.other, arguments.other_python)
    return sorted([*own, other], key=lambda each: each.name == DUCKDB)


def _compared(ours: Path, theirs: Path, contender: Contender, spill: Path) -> str:
    rows = assert_same(ours, theirs, tables=contender.tables, name=contender.name, spill=spill)
    rejected = assert_as_many_rejected(ours, theirs, tables=CHECKED_TABLES, name=contender.name)
    tables = ", ".join(f"{count:,} {table}" for table, count in rows.items())
    return f"{tables}; {sum(rejected.values()):,} rejected"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = round_parser(
        "all_steps",
        "Time all steps (CSV files to clusters of customers) of this project, and DuckDB doing the same work up to "
        "rfm.",
        CONTENDERS,
        own_data="--input",
        of="folder with the three CSV files",
    )
    parser.add_argument("--heap", default=HEAP, help="memory of Spark's driver (default: %(default)s)")
    parser.add_argument(
        "--other", type=Path, metavar="FOLDER", help=f"another checkout of this project, as one more contender: {OTHER}"
    )
    parser.add_argument(
        "--other-python",
        metavar="PATH",
        help="the Python for --other (default: that of its .venv, or this one if it has none)",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
