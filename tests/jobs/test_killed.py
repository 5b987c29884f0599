"""A run that dies at any moment changes nothing for readers, and its remains do not disturb the next run."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jobs import pipeline
from tests.jobs.dying import Killed, life
from tests.log_lines import without_logs
from tests.raw_files import RawFiles

PROJECT = Path(__file__).parent.parent.parent
SECONDS_TO_REACH_A_MOMENT = 120
BEFORE = {"run_id": "2018-12-31-before", "manifest": "runs/2018-12-31-before/manifest.json"}


def arguments(raw: RawFiles, output: Path, run_id: str) -> list[str]:
    return ["--as-of", "2018-12-31", "--input", str(raw.folder), "--output", str(output), "--run-id", run_id]


def start(raw: RawFiles, output: Path, run_id: str) -> subprocess.Popen[bytes]:
    """Start a run in a process of its own."""
    command = [sys.executable, "-m", "jobs.pipeline", *arguments(raw, output, run_id)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def current(output: Path) -> str:
    """The id of the current run, whose manifest has to be there and be whole."""
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


def kill_when(is_reached: Callable[[Path], bool], raw: RawFiles, output: Path) -> None:
    """Start a run, and kill it as soon as its folder shows a moment."""
    run_id = "2018-12-31-killed"
    with start(raw, output, run_id) as process:
        give_up = time.monotonic() + SECONDS_TO_REACH_A_MOMENT
        while not is_reached(output / "runs" / run_id):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < give_up
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)


def next_run_becomes_current(raw: RawFiles, output: Path) -> bool:
    assert pipeline.main([*arguments(raw, output, "2018-12-31-next"), "--kmeans", "none"]) == 0
    return current(output) == "2018-12-31-next"


@pytest.mark.usefixtures("spark")
def test_a_run_that_dies_before_the_pointer_moves_leaves_the_current_one(raw: RawFiles, output: Path) -> None:
    with life(in_place_of="move_pointer"), pytest.raises(Killed):
        pipeline.main([*arguments(raw, output, "2018-12-31-killed"), "--kmeans", "none"])
    assert (output / "runs" / "2018-12-31-killed" / "manifest.json").exists()
    assert current(output) == BEFORE["run_id"]


@pytest.mark.long
@pytest.mark.usefixtures("spark")
def test_a_run_killed_while_it_works_leaves_the_current_one_and_the_next_succeeds(raw: RawFiles, output: Path) -> None:
    kill_when(lambda run: (run / "_stage" / "measures").is_dir(), raw, output)
    assert current(output) == BEFORE["run_id"]
    assert next_run_becomes_current(raw, output)


@pytest.mark.long
@pytest.mark.usefixtures("spark")
def test_a_run_killed_between_manifest_and_pointer_leaves_one_complete_run_current(raw: RawFiles, output: Path) -> None:
    kill_when(lambda run: (run / "manifest.json").exists(), raw, output)
    # It may have moved the pointer before the signal came, and either side of that is right.
    assert current(output) in (BEFORE["run_id"], "2018-12-31-killed")
    assert next_run_becomes_current(raw, output)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("spark")
def test_a_run_that_dies_before_any_call_to_the_store_leaves_the_current_one(raw: RawFiles, output: Path) -> None:
    with life() as whole:
        # Into a folder of its own, only to learn which calls a run makes.
        assert pipeline.main(arguments(raw, output.parent / "another", "2018-12-31-whole")) == 0
    moves = whole.calls.index("move_pointer")
    assert {"open_run", "table_uri customers", "table_uri _stage/measures", "copy_in quality"} < set(whole.calls)
    for number, call in enumerate(whole.calls[: moves + 1]):
        with life(after=number) as lived, pytest.raises(Killed):
            pipeline.main(arguments(raw, output, f"2018-12-31-killed-{number}"))
        assert lived.calls == whole.calls[:number]
        assert current(output) == BEFORE["run_id"], call
    assert next_run_becomes_current(raw, output)


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
    assert line.startswith("pipeline: Spark's process died (its log: ")
    assert json.loads((output / "runs" / "2018-12-31-orphan" / "failure.json").read_text())["exit_code"] == 4
