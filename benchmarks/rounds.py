"""Rounds of a benchmark: the contenders take turns, and their results are compared in the first round."""

import argparse
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.contenders import Contender
from benchmarks.figures import MEGABYTE
from benchmarks.input_data import REPOSITORY
from benchmarks.measurement import Measurement, measure
from benchmarks.notebook import HEAP
from jobs.cli.parser import OneLineParser, at_least_one

READ_BYTES = 16 * 2**20

EPILOG = """\
exit codes:
  0 done   1 a result differs from ours   2 bad arguments   4 a contender or the preparation of the data failed
"""


def round_parser(
    module: str, description: str, contenders: Sequence[Contender], *, own_data: str, of: str
) -> OneLineParser:
    """A parser with the arguments of every such benchmark: its data, the number of rounds, and who runs.

    Args:
        module: The module of the benchmark.
        description: What it does.
        contenders: Who can run.
        own_data: The option that names data of the user's.
        of: What that data is, for the help.
    """
    parser = OneLineParser(
        prog=f"python -m benchmarks.{module}",
        description=description,
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument(
        "--orders", type=at_least_one, help="size of the sample, which is written once to build/bench-ORDERS"
    )
    data.add_argument(own_data, type=Path, metavar="FOLDER", help=of)
    parser.add_argument(
        "--runs",
        type=at_least_one,
        default=3,
        help="number of rounds, of which the medians are shown (default: %(default)s)",
    )
    names = [contender.name for contender in contenders]
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"contenders to run: {', '.join(names)}"
    )
    return parser


def chosen(contenders: Sequence[Contender], only: Sequence[str] | None) -> list[Contender]:
    """The contenders that ``--only`` names; by default those that run by default."""
    return [each for each in contenders if (each.is_default if only is None else each.name in only)]


def no_inspection(_contender: Contender, _results: Path, _measurement: Measurement) -> None:
    """Take nothing from the results of a contender."""


@dataclass(frozen=True)
class Rounds:
    """How the contenders of a benchmark take turns.

    Attributes:
        contenders: In their order.
        source: The input, for the contenders' command lines.
        files: The files of the input.
        scratch: A folder that the rounds may empty.
        reference: The name of the contender with whose tables the others are compared; None compares nothing. It comes
            first.
        compare: Compares the tables of the reference with those of a contender, with a folder for data that exceeds the
            memory. It returns what was compared, or raises.
        heap: The memory of Spark's driver.
        inspect: Looks at the results of a contender before they are deleted. ``log`` beside them has what it printed.
    """

    contenders: Sequence[Contender]
    source: Path
    files: Sequence[Path]
    scratch: Path
    reference: str | None
    compare: Callable[[Path, Path, Contender, Path], str]
    heap: str = HEAP
    inspect: Callable[[Contender, Path, Measurement], None] = no_inspection

    def run(self, number: int) -> dict[str, list[Measurement]]:
        """Run so many rounds, and return the measurements of each contender, by its name."""
        runs: dict[str, list[Measurement]] = {contender.name: [] for contender in self.contenders}
        for position in range(number):
            with _empty(self.scratch):
                self._one_round(runs, compare=position == 0 and self.reference is not None)
        return runs

    def _one_round(self, runs: dict[str, list[Measurement]], *, compare: bool) -> None:
        """Run each contender once. Each result is deleted after its comparison, and the reference's at the end."""
        console = Console(highlight=False, soft_wrap=True)
        tables_of_reference = None
        for contender in self.contenders:
            results = self.scratch / contender.name
            results.mkdir()
            figures = self._measure(contender, results)
            runs[contender.name].append(figures)
            self.inspect(contender, results, figures)
            line = (
                f"{contender.description:<32} {figures.wall_seconds:8.1f} s {figures.cpu_seconds:8.1f} s CPU "
                f"{figures.peak_bytes / MEGABYTE:8,.0f} MB"
            )
            if contender.name == self.reference and compare:
                tables_of_reference = contender.tables_in(results)
            else:
                if tables_of_reference is not None:
                    tables = contender.tables_in(results)
                    compared = self.compare(tables_of_reference, tables, contender, self.scratch / "spill")
                    line += f"   same as ours: {compared}"
                shutil.rmtree(results)
            console.print(line, markup=False)

    def _measure(self, contender: Contender, results: Path) -> Measurement:
        command = contender.command(self.source, results)
        # Every contender starts with its input in the page cache, and without unwritten output of the one before.
        os.sync()
        for file in self.files:
            with file.open("rb") as content:
                while content.read(READ_BYTES):
                    pass
        return measure(
            command,
            folder=contender.folder or REPOSITORY,
            log=log_of(results),
            environment={**os.environ, "SPARK_DRIVER_MEMORY": self.heap, **contender.environment(results)},
        )


def log_of(results: Path) -> Path:
    """The file with what a contender printed, beside the folder for its results."""
    return results.with_suffix(".log")


@contextmanager
def _empty(folder: Path) -> Iterator[None]:
    """Create an empty folder, and delete it when the block ends."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder)
