"""Time a ledger to rfm at several sizes, and with one customer who has a large share of all rows.

    python -m benchmarks.ledger --rows 10000000 100000000 --heaviest 0 0.2

Each case is two processes, ``jobs.ingest`` and ``jobs.features``, over the sample of a bank in Parquet. The cost of a
row is of the steps, without the start of Python and Java, which would flatter the larger size.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders import AS_OF
from benchmarks.figures import MEGABYTE, machine
from benchmarks.input_data import REPOSITORY
from benchmarks.measurement import Measurement, measure
from jobs.cli.console import show_table
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, at_least_one
from jobs.errors import OutsideSystemError

HEAP = "4g"
CHECKED, SCORED = f"{AS_OF}-checked", f"{AS_OF}-scored"
USUAL = 0.01
"""The share of the heaviest customer in the sample of a bank."""

HEADER = ("rows", "heaviest", "wall s", "CPU s", "peak MB", "steps s", "microseconds a row", "against the first")


@dataclass(frozen=True)
class Case:
    """A size, and the share of all rows that one customer has."""

    rows: int
    heaviest: float

    def sample(self) -> Path:
        """The folder of the sample, which is written if it does not exist."""
        folder = REPOSITORY / "build" / f"bench-ledger-{self.rows}-{self.heaviest:g}"
        if not (folder / ".whole").exists():
            options = ["--shape", "ledger", "--rows", str(self.rows), "--heaviest", f"{self.heaviest:g}"]
            command = [sys.executable, "-m", "jobs.sample", *options, "--output", str(folder)]
            process = subprocess.run(command, cwd=REPOSITORY, check=False)
            if process.returncode != 0:
                raise OutsideSystemError(f"jobs.sample ended with exit code {process.returncode}")
            (folder / ".whole").touch()
        return folder


@dataclass(frozen=True)
class Cost:
    """What a case took.

    Attributes:
        processes: of ingest and of features.
        step_seconds: of all steps up to rfm.
    """

    processes: tuple[Measurement, ...]
    step_seconds: float

    def as_row(self, case: Case, first: tuple[Case, "Cost"]) -> tuple[str, ...]:
        """The row of the table, beside the first case."""
        per_row = self.step_seconds / case.rows
        return (
            f"{case.rows:,}",
            f"{case.heaviest:.0%}",
            f"{sum(each.wall_seconds for each in self.processes):.1f}",
            f"{sum(each.cpu_seconds for each in self.processes):.1f}",
            f"{max(each.peak_bytes for each in self.processes) / MEGABYTE:,.0f}",
            f"{self.step_seconds:.1f}",
            f"{per_row * 1_000_000:.2f}",
            f"{per_row / (first[1].step_seconds / first[0].rows):.2f}",
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return run_main("ledger", lambda: _benchmark(_arguments(argv)))


def _benchmark(arguments: argparse.Namespace) -> None:
    cases = [Case(rows, heaviest) for rows in arguments.rows for heaviest in arguments.heaviest]
    costs = [(case, _cost_of(case, heap=arguments.heap)) for case in cases]
    rows = [cost.as_row(case, costs[0]) for case, cost in costs]
    show_table(f"A ledger to rfm, heap {arguments.heap}; {machine()}", HEADER, rows, text_columns=0)


def _cost_of(case: Case, *, heap: str) -> Cost:
    sample = case.sample()
    with TemporaryDirectory(dir=sample, prefix="output-") as name:
        output = Path(name)
        mapping = [
            "--source",
            "ledger",
            "--mapping",
            str(sample / "ledger.yml"),
            "--input",
            str(sample / "transactions"),
        ]
        where = ["--as-of", AS_OF.isoformat(), "--output", name, "--run-id"]
        commands = (["ingest", *where, CHECKED, *mapping], ["features", *where, SCORED, "--checked-run", CHECKED])
        processes = tuple(
            measure(
                [sys.executable, "-m", f"jobs.{step}", *options],
                folder=REPOSITORY,
                log=output / f"{step}.log",
                environment={**os.environ, "SPARK_DRIVER_MEMORY": heap},
            )
            for step, *options in commands
        )
        return Cost(processes, sum(_step_seconds(output, run) for run in (CHECKED, SCORED)))


def _step_seconds(output: Path, run: str) -> float:
    manifest = json.loads((output / "runs" / run / "manifest.json").read_text(encoding="utf-8"))
    return sum(step["seconds"] for step in manifest["steps"])


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        prog="python -m benchmarks.ledger",
        description="Time jobs.ingest and jobs.features over the sample of a bank, in Parquet.",
        allow_abbrev=False,
    )
    parser.add_argument("--rows", type=at_least_one, nargs="+", required=True, help="sizes, each written once")
    parser.add_argument(
        "--heaviest", type=float, nargs="+", default=[USUAL], help="shares of the heaviest customer (default: 0.01)"
    )
    parser.add_argument("--heap", default=HEAP, help="memory of Spark's driver (default: %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
