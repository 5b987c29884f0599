"""A run that is killed at any moment changes nothing for readers, and the next run does not mind the wreck."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.log_lines import without_logs
from tests.raw_files import RawFiles

PROJECT = Path(__file__).parent.parent.parent
SECONDS_TO_REACH_A_MOMENT = 120

MOMENTS: dict[str, Callable[[Path], bool]] = {
    "before its folder is made": lambda _: True,
    "its folder is there": lambda run: run.is_dir(),
    "the first table is being written": lambda run: (run / "customers").is_dir(),
    "the first table is written": lambda run: any((run / "customers").glob("*.parquet")),
    "quarantine is being written": lambda run: (run / "quarantine" / "orders").is_dir(),
    "the checked tables are written": lambda run: any((run / "payments").glob("*.parquet")),
    "transactions are being written": lambda run: (run / "transactions").is_dir(),
    "measures are put aside": lambda run: (run / "_stage" / "measures").is_dir(),
    "rfm is written": lambda run: any((run / "rfm").glob("*.parquet")),
    "the score card is written": lambda run: (run / "score_card.json").exists(),
    "who is in which cluster is being written": lambda run: (run / "kmeans" / "assignments").is_dir(),
    "the clusters are written": lambda run: (run / "kmeans_model.json").exists(),
    "the pages of quality are there": lambda run: (run / "quality").is_dir(),
    "the manifest is written": lambda run: (run / "manifest.json").exists(),
}
BEFORE_THE_MANIFEST = [moment for moment in MOMENTS if moment != "the manifest is written"]
BEFORE = {"run_id": "2018-12-31-before", "manifest": "runs/2018-12-31-before/manifest.json"}


def start(raw: RawFiles, output: Path, run_id: str, *more: str) -> subprocess.Popen[bytes]:
    arguments = ["--as-of", "2018-12-31", "--input", str(raw.folder), "--output", str(output), "--run-id", run_id]
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.pipeline", *arguments, *more],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


@pytest.mark.long
def test_a_failing_run_says_one_line_and_nothing_of_java(raw: RawFiles, tmp_path: Path) -> None:
    raw.write()
    command = [sys.executable, "-m", "jobs.pipeline", "--input", str(raw.folder), "--output", str(tmp_path / "output")]
    as_of = ["--as-of", "2010-01-01"]
    ran = subprocess.run([*command, *as_of], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=200)
    assert ran.returncode == 3
    [line] = without_logs(ran.stderr)
    assert line.startswith("pipeline: no payment counts as of 2010-01-01")
    assert ran.stdout == ""


@pytest.mark.long
def test_a_run_whose_java_dies_ends_with_the_code_of_a_failed_system(raw: RawFiles, tmp_path: Path) -> None:
    raw.write()
    output = tmp_path / "output"
    with start(raw, output, "2018-12-31-orphan") as process:
        while not any((output / "runs" / "2018-12-31-orphan" / "customers").glob("*.parquet")):
            assert process.poll() is None
            time.sleep(0.01)
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        _, shown = process.communicate(timeout=120)
    assert process.returncode == 4, shown
    [line] = without_logs(shown.decode())
    assert line.startswith("pipeline: Spark failed: ")
    assert json.loads((output / "runs" / "2018-12-31-orphan" / "failure.json").read_text())["exit_code"] == 4


def current(output: Path) -> str:
    """The id of the current run; its manifest has to be there and be whole."""
    pointer = json.loads((output / "current.json").read_text())
    assert json.loads((output / pointer["manifest"]).read_text())["run_id"] == pointer["run_id"]
    return str(pointer["run_id"])


@pytest.fixture
def output(raw: RawFiles, tmp_path: Path) -> Path:
    """A folder with a current run, and the raw files for another."""
    raw.write()
    output = tmp_path / "output"
    (output / "runs" / BEFORE["run_id"]).mkdir(parents=True)
    (output / BEFORE["manifest"]).write_text(json.dumps(BEFORE))
    (output / "current.json").write_text(json.dumps(BEFORE))
    return output


def kill_at(moment: str, raw: RawFiles, output: Path, run_id: str) -> None:
    """Start a run, and kill it the moment it has come so far."""
    with start(raw, output, run_id) as process:
        give_up = time.monotonic() + SECONDS_TO_REACH_A_MOMENT
        while not MOMENTS[moment](output / "runs" / run_id):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < give_up
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)


def succeeds_after_wrecks(raw: RawFiles, output: Path) -> bool:
    with start(raw, output, "2018-12-31-next", "--kmeans", "none") as process:
        assert process.wait() == 0
    return current(output) == "2018-12-31-next"


def test_a_run_killed_while_it_works_leaves_the_current_one_and_the_next_succeeds(raw: RawFiles, output: Path) -> None:
    kill_at("measures are put aside", raw, output, "2018-12-31-killed")
    assert current(output) == BEFORE["run_id"]
    assert succeeds_after_wrecks(raw, output)


@pytest.mark.long
def test_a_run_killed_between_manifest_and_pointer_leaves_one_complete_run_current(raw: RawFiles, output: Path) -> None:
    kill_at("the manifest is written", raw, output, "2018-12-31-killed")
    # It may have moved the pointer before the signal came, and either side of that is right.
    assert current(output) in (BEFORE["run_id"], "2018-12-31-killed")
    assert succeeds_after_wrecks(raw, output)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_no_moment_at_which_a_run_is_killed_moves_the_pointer_and_a_run_minds_no_wreck(
    raw: RawFiles, output: Path
) -> None:
    for number, moment in enumerate(BEFORE_THE_MANIFEST):
        kill_at(moment, raw, output, f"2018-12-31-killed-{number}")
        assert current(output) == BEFORE["run_id"], moment
    assert succeeds_after_wrecks(raw, output)
