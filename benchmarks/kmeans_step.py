"""Time the clustering of customers at several sizes, to compare memory and the cost per customer.

    python -m benchmarks.kmeans_step --orders 1000000 10000000

Each size is a process (``python -m jobs.segments``), measured from its start to its end. It clusters the customers of a
sample with that many orders, about 0.97 customers per order.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders import AS_OF, CHECKED_RUN
from benchmarks.figures import MEGABYTE, machine
from benchmarks.input_data import REPOSITORY, sample_output
from benchmarks.measurement import Measurement, measure
from jobs.cli.console import show_table
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, at_least_one
from jobs.errors import OutsideSystemError
from jobs.runs.totals import Boundary, totals_of
from jobs.storage.store import RunStore

FEATURES_RUN = f"{AS_OF}-features"
HEAP = "2g"
"""Spark's heap. The goal is 4 GB for all processes, and a JVM uses all of its heap. Spark spills the rest to disk."""

LIMIT_MB = 4_000
HEADER = ("customers", "wall s", "CPU s", "peak MB", "microseconds per customer")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return run_main("kmeans_step", lambda: _benchmark(_arguments(argv)))


def _benchmark(arguments: argparse.Namespace) -> None:
    rows = []
    for orders in sorted(arguments.orders):
        output = sample_output(orders)
        customers = _customers_in(output)
        rows.append(_row(customers, _measure_clustering(output, k=arguments.k, heap=arguments.heap)))
    title = f"Clusters of customers, k = {arguments.k}, heap {arguments.heap}, goal {LIMIT_MB:,} MB; {machine()}"
    show_table(title, HEADER, rows, text_columns=0)


def _customers_in(output: Path) -> int:
    """Write the run with the features if it does not exist, and return its number of customers."""
    manifest = output / "runs" / FEATURES_RUN / "manifest.json"
    if not manifest.exists():
        shutil.rmtree(manifest.parent, ignore_errors=True)  # an interrupted attempt
        options = ["--as-of", AS_OF.isoformat(), "--output", str(output), "--run-id", FEATURES_RUN]
        command = [sys.executable, "-m", "jobs.features", *options, "--checked-run", CHECKED_RUN]
        process = subprocess.run(command, cwd=REPOSITORY, check=False)
        if process.returncode != 0:
            raise OutsideSystemError(
                f"jobs.features ended with exit code {process.returncode} while preparing the data"
            )
    return totals_of(RunStore(str(output)).manifest(FEATURES_RUN))[Boundary("rfm")].rows


def _measure_clustering(output: Path, *, k: str, heap: str) -> Measurement:
    """Cluster into a temporary output folder, which has a link to the run with the features."""
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


def _row(customers: int, measurement: Measurement) -> tuple[str, ...]:
    return (
        f"{customers:,}",
        f"{measurement.wall_seconds:.1f}",
        f"{measurement.cpu_seconds:.1f}",
        f"{measurement.peak_bytes / MEGABYTE:,.0f}",
        f"{measurement.wall_seconds / customers * 1_000_000:.1f}",
    )


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        prog="python -m benchmarks.kmeans_step",
        description="Time python -m jobs.segments over samples of several sizes, with the memory of all its processes.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--orders", type=at_least_one, nargs="+", required=True, help="sizes of the samples, each written once"
    )
    parser.add_argument("--k", default="5", help="number of clusters, or auto (default: %(default)s)")
    parser.add_argument("--heap", default=HEAP, help="memory of Spark's driver (default: %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
