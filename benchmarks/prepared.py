"""The data that all contenders read: checked tables, made once per size."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.contenders import AS_OF, CHECKED_RUN
from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.runs.totals import Boundary, totals_of

REPOSITORY = Path(__file__).resolve().parent.parent


def prepared_output(orders: int) -> Path:
    """The output folder with the checked run of a sample of that many orders; made where it is missing.

    Raises:
        OutsideSystemError: A step that makes it failed, and has said why.
    """
    folder = REPOSITORY / "build" / f"bench-{orders}"
    output = folder / "output"
    checked = output / "runs" / CHECKED_RUN
    if (checked / "manifest.json").exists():
        return output
    if checked.exists():
        shutil.rmtree(checked)  # the wreck of an attempt that did not come to its end
    options = ["--as-of", AS_OF.isoformat(), "--run-id", CHECKED_RUN]
    _run_step("ingest", *options, "--input", str(sample_files(orders)), "--output", str(output))
    return output


def sample_files(orders: int) -> Path:
    """The folder with the CSV files of a sample of that many orders; made where it is missing.

    Raises:
        OutsideSystemError: They could not be made; the step has said why.
    """
    folder = REPOSITORY / "build" / f"bench-{orders}" / "csv"
    whole = folder / ".whole"
    if not whole.exists():
        _run_step("sample", "--orders", str(orders), "--output", str(folder))
        whole.touch()
    return folder


def given_output(folder: Path) -> Path:
    """An output folder that somebody else has filled.

    Raises:
        ConfigurationError: There is no whole checked run in it.
    """
    output = folder.resolve()
    if not (output / "runs" / CHECKED_RUN / "manifest.json").is_file():
        raise ConfigurationError(
            f"--data {folder}: no whole run {CHECKED_RUN} there. Make it with: "
            f"python -m jobs.ingest --as-of {AS_OF} --input CSV_FOLDER --output {folder} --run-id {CHECKED_RUN}"
        )
    return output


def orders_in(output: Path) -> int:
    """Rows of the checked orders table, as its manifest states them."""
    manifest = json.loads((output / "runs" / CHECKED_RUN / "manifest.json").read_text())
    return totals_of(manifest)[Boundary("orders")].rows


def checked_files(output: Path) -> list[Path]:
    """The Parquet files of the checked tables."""
    return sorted((output / "runs" / CHECKED_RUN).glob("[!_]*/*.parquet"))


def _run_step(step: str, *options: str) -> None:
    ended = subprocess.run([sys.executable, "-m", f"jobs.{step}", *options], cwd=REPOSITORY, check=False)
    if ended.returncode != 0:
        raise OutsideSystemError(f"jobs.{step} ended with exit code {ended.returncode} while making the data")
