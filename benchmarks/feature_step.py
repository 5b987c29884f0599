"""Time the feature step against a notebook on the same Spark, DuckDB and Sail, on the same files.

    python -m benchmarks.feature_step --orders 10000000

Each contender is a process, timed from its start to its end. The contenders take turns, so a machine that slows down
slows all of them. In the first round, every result is compared with ours.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparison import assert_same
from benchmarks.contenders import CONTENDERS, OURS, SAIL, SAIL_PACKAGES, Contender, has_sail, on_sail
from benchmarks.figures import show
from benchmarks.input_data import checked_files, existing_output, orders_in, sample_output
from benchmarks.rounds import Rounds, chosen, round_parser
from jobs.cli.main import run_main
from jobs.errors import ConfigurationError

SCRATCH = "bench-scratch"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return run_main("feature_step", lambda: _benchmark(_arguments(argv)))


def _benchmark(arguments: argparse.Namespace) -> None:
    contenders = with_sail_of(arguments.sail_python, chosen(CONTENDERS, arguments.only))
    output = existing_output(arguments.data) if arguments.data else sample_output(arguments.orders)
    has_ours = OURS in [contender.name for contender in contenders]
    if not has_ours:
        print(f"No ratios and no comparison of results: {OURS} does not run")
    rounds = Rounds(
        contenders,
        source=output,
        files=checked_files(output),
        scratch=output / SCRATCH,
        reference=OURS if has_ours else None,
        compare=_compared,
    )
    show(contenders, rounds.run(arguments.runs), orders=orders_in(output))


def with_sail_of(python: str, contenders: Sequence[Contender]) -> list[Contender]:
    """The contenders, with Sail in the environment of a Python; without it if that has no Sail.

    Raises:
        ConfigurationError: No contender is left.
    """
    if SAIL not in [contender.name for contender in contenders] or has_sail(python):
        return [on_sail(python) if contender.name == SAIL else contender for contender in contenders]
    missing = f"{SAIL} does not run: {python} lacks one of {', '.join(SAIL_PACKAGES)}. Name another: --sail-python PATH"
    others = [contender for contender in contenders if contender.name != SAIL]
    if not others:
        raise ConfigurationError(missing)
    print(missing)
    return others


def _compared(ours: Path, theirs: Path, contender: Contender, spill: Path) -> str:
    rows = assert_same(ours, theirs, tables=contender.tables, name=contender.name, spill=spill)
    return ", ".join(f"{count:,} {table}" for table, count in rows.items())


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = round_parser(
        "feature_step",
        "Time the feature step (checked tables to transactions, purchases and normalised RFM) of this project, the "
        "workshop's SQL on the same Spark, the same SQL in DuckDB, and this project's transforms on Sail.",
        CONTENDERS,
        own_data="--data",
        of="output folder with a run 2018-10-17-checked",
    )
    parser.add_argument(
        "--sail-python",
        default=sys.executable,
        metavar="PATH",
        help=f"the Python that has pysail, for {SAIL} (default: this one)",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
