"""Time the clustering of customers at several sizes, and see that memory holds and the cost per customer does not grow.

    python -m benchmarks.kmeans_step --orders 1000000 10000000

Each size is a process of its own (``python -m jobs.segments``), measured from its start to its end, over the rfm and
the features of a sample of that many orders (about 0.97 customers an order).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders import AS_OF, CHECKED_RUN
from benchmarks.figures import MEGABYTE, machine
from benchmarks.measurement import Measurement, measure
from benchmarks.prepared import REPOSITORY, prepared_output
from jobs.cli.console import summary
from jobs.cli.main import program
from jobs.cli.parser import OneLineParser, at_least_one
from jobs.errors import OutsideSystemError
from jobs.runs.totals import Boundary, totals_of

FEATURES_RUN = f"{AS_OF}-features"
HEAP = "2g"
"""The goal is 4 GB for the whole process, and a JVM takes what it is given. What does not fit goes to disk."""

LIMIT_MB = 4_000
HEADER = ("customers", "wall s", "CPU s", "peak MB", "microseconds a customer")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return program("kmeans_step", lambda: _benchmark(_arguments(argv)))


def _benchmark(given: argparse.Namespace) -> None:
    rows = []
    for orders in sorted(given.orders):
        output = prepared_output(orders)
        customers = _featured(output)
        rows.append(_row(customers, _measured(output, k=given.k, heap=given.heap)))
    title = f"Clusters of customers, k = {given.k}, heap {given.heap}, goal {LIMIT_MB:,} MB; {machine()}"
    summary(title, HEADER, rows, text_columns=0)


def _featured(output: Path) -> int:
    """Make the run with the features, where it is missing, and return how many customers it has."""
    manifest = output / "runs" / FEATURES_RUN / "manifest.json"
    if not manifest.exists():
        shutil.rmtree(manifest.parent, ignore_errors=True)  # the wreck of an attempt
        options = ["--as-of", AS_OF.isoformat(), "--output", str(output), "--run-id", FEATURES_RUN]
        command = [sys.executable, "-m", "jobs.features", *options, "--checked-run", CHECKED_RUN]
        ended = subprocess.run(command, cwd=REPOSITORY, check=False)
        if ended.returncode != 0:
            raise OutsideSystemError(f"jobs.features ended with exit code {ended.returncode} while making the data")
    return totals_of(json.loads(manifest.read_text()))[Boundary("rfm")].rows


def _measured(output: Path, *, k: str, heap: str) -> Measurement:
    """Cluster into an output folder of its own, which holds the features run by a link and is gone afterwards."""
    with TemporaryDirectory(dir=output, prefix="bench-kmeans-") as name:
        scratch = Path(name)
        (scratch / "runs").mkdir()
        (scratch / "runs" / FEATURES_RUN).symlink_to(output / "runs" / FEATURES_RUN)
        options = ["--output", str(scratch), "--features-run", FEATURES_RUN, "--k", k]
        return measure(
            [sys.executable, "-m", "jobs.segments", *options],
            folder=REPOSITORY,
            log=scratch / "log",
            environment={**os.environ, "SPARK_DRIVER_MEMORY": heap},
        )


def _row(customers: int, found: Measurement) -> tuple[str, ...]:
    return (
        f"{customers:,}",
        f"{found.wall_seconds:.1f}",
        f"{found.cpu_seconds:.1f}",
        f"{found.peak_bytes / MEGABYTE:,.0f}",
        f"{found.wall_seconds / customers * 1_000_000:.1f}",
    )


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        prog="python -m benchmarks.kmeans_step",
        description="Time python -m jobs.segments over samples of several sizes, with the memory of all its processes.",
        allow_abbrev=False,
    )
    parser.add_argument("--orders", type=at_least_one, nargs="+", required=True, help="of the samples, made once each")
    parser.add_argument("--k", default="5", help="how many clusters, or auto (default: %(default)s)")
    parser.add_argument("--heap", default=HEAP, help="of Spark's driver (default: %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
