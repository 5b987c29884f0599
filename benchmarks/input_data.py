"""The input of the benchmarks: samples of CSV files and runs with checked tables, each written once per size."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.contenders import AS_OF, CHECKED_RUN
from expectations.contracts.olist import FILE_CONTRACTS
from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.inputs.input_files import find_inputs
from jobs.runs.totals import Boundary, totals_of
from jobs.storage.store import RunStore

REPOSITORY = Path(__file__).resolve().parent.parent


def sample_output(orders: int) -> Path:
    """The output folder with the checked run of a sample, which is written if it does not exist.

    Args:
        orders: The number of orders in the sample.

    Raises:
        OutsideSystemError: A step failed. It has printed the reason.
    """
    folder = REPOSITORY / "build" / f"bench-{orders}"
    output = folder / "output"
    checked = output / "runs" / CHECKED_RUN
    if (checked / "manifest.json").exists():
        return output
    if checked.exists():
        shutil.rmtree(checked)  # an interrupted attempt
    options = ["--as-of", AS_OF.isoformat(), "--run-id", CHECKED_RUN]
    _run_step("ingest", *options, "--input", str(sample_files(orders)), "--output", str(output))
    return output


def sample_files(orders: int) -> Path:
    """The folder with the CSV files of a sample, which are written if they do not exist.

    Args:
        orders: The number of orders in the sample.

    Raises:
        OutsideSystemError: The step failed. It has printed the reason.
    """
    folder = REPOSITORY / "build" / f"bench-{orders}" / "csv"
    marker = folder / ".whole"
    if not marker.exists():
        _run_step("sample", "--orders", str(orders), "--output", str(folder))
        marker.touch()
    return folder


def csv_files(folder: Path) -> list[Path]:
    """The files of the raw tables in a folder, part files included.

    Raises:
        PipelineError: One is missing, or cannot be read.
    """
    sources = find_inputs(str(folder), FILE_CONTRACTS)
    return [folder.joinpath(*path) for source in sources for path in source.paths]


def existing_output(folder: Path) -> Path:
    """Check an output folder that a user has prepared.

    Raises:
        ConfigurationError: The folder has no complete checked run.
    """
    output = folder.resolve()
    if not (output / "runs" / CHECKED_RUN / "manifest.json").is_file():
        raise ConfigurationError(
            f"invalid --data {folder}: expected a complete run {CHECKED_RUN} in it. Write it with: "
            f"python -m jobs.ingest --as-of {AS_OF} --input CSV_FOLDER --output {folder} --run-id {CHECKED_RUN}"
        )
    return output


def orders_in(output: Path) -> int:
    """The number of rows in the checked orders table, from the manifest."""
    return totals_of(RunStore(str(output)).manifest(CHECKED_RUN))[Boundary("orders")].rows


def checked_files(output: Path) -> list[Path]:
    """The Parquet files of the checked tables."""
    return sorted((output / "runs" / CHECKED_RUN).glob("[!_]*/*.parquet"))


def _run_step(step: str, *options: str) -> None:
    process = subprocess.run([sys.executable, "-m", f"jobs.{step}", *options], cwd=REPOSITORY, check=False)
    if process.returncode != 0:
        raise OutsideSystemError(f"jobs.{step} ended with exit code {process.returncode} while preparing the data")
