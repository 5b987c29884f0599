"""A run that a signal ends at any moment, or whose Java dies: a true line, the right code, and nothing left over."""

import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobs import pipeline
from jobs.cli import interruptions
from jobs.storage.store import RunStore
from tests.jobs.dying import CALLS
from tests.log_lines import without_logs
from tests.raw_files import RawFiles

PROJECT = Path(__file__).parents[2]
AS_OF = "2018-12-31"
BEFORE = "2018-12-31-before"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Signalled:
    """Sends a signal to this process before or after one of a run's calls to its store.

    Attributes:
        calls: each call so far.
    """

    def __init__(self, number: int, *, at: int, after: bool) -> None:
        self._number, self._at, self._after = number, at, after
        self.calls: list[str] = []

    def call(self, name: str, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self.calls.append(name)
        is_moment = len(self.calls) - 1 == self._at
        if is_moment and not self._after:
            os.kill(os.getpid(), self._number)
        result = method(*arguments, **named)
        if is_moment and self._after:
            os.kill(os.getpid(), self._number)
        return result


@contextmanager
def signalled(number: int, *, at: int, after: bool = False) -> Iterator[Signalled]:
    sender = Signalled(number, at=at, after=after)

    def call(store: RunStore, name: str, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return sender.call(name, method, store, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(RunStore, name, functools.partialmethod(call, name, getattr(RunStore, name)))
        yield sender


@pytest.fixture
def output(raw: RawFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a current run, raw files for another, and a temporary folder of its own."""
    raw.write()
    output = tmp_path / "output"
    (output / "runs" / BEFORE).mkdir(parents=True)
    pointer = {"run_id": BEFORE, "manifest": f"runs/{BEFORE}/manifest.json"}
    (output / pointer["manifest"]).write_text(json.dumps(pointer))
    (output / "current.json").write_text(json.dumps(pointer))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return output


def arguments(raw: RawFiles, output: Path, run_id: str) -> list[str]:
    return ["--as-of", AS_OF, "--input", str(raw.folder), "--output", str(output), "--run-id", run_id]


def current(output: Path) -> str:
    return str(json.loads((output / "current.json").read_text())["run_id"])


def leftovers(output: Path) -> list[str]:
    hidden = [path.name for path in output.rglob(".*.json.*")]
    return [
        *hidden,
        *[path.name for path in output.glob("runs/*/_stage")],
        *(path.name for path in (output.parent / "temporary").iterdir()),
    ]


def assert_is_true(line: str, output: Path, run_id: str) -> None:
    """What the last line says is what readers find."""
    run = output / "runs" / run_id
    is_complete = (run / "manifest.json").exists()
    if current(output) == run_id:
        assert f"run {run_id} is complete and current" in line
    else:
        assert interruptions.UNCHANGED in line
        assert current(output) == BEFORE
    assert (run / "failure.json").exists() == (run.exists() and not is_complete)


def interrupt(raw: RawFiles, output: Path, number: int, *, at: int, after: bool = False) -> tuple[int, list[str]]:
    run_id = f"{AS_OF}-{number}-{at}-{after}"
    with signalled(number, at=at, after=after) as sender:
        code = pipeline.main([*arguments(raw, output, run_id), "--kmeans", "none"])
    return code, sender.calls


@pytest.mark.usefixtures("spark")
@pytest.mark.long
def test_a_signal_at_the_moments_that_change_what_readers_see_ends_in_a_true_line(
    raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, whole = interrupt(raw, output.parent / "another", signal.SIGINT, at=-1)
    assert code == 0
    moments = [
        (signal.SIGTERM, whole.index("open_run"), True),
        (signal.SIGINT, whole.index("table_uri") + 1, True),
        (signal.SIGTERM, whole.index("write_manifest"), False),
        (signal.SIGINT, whole.index("write_manifest"), True),
        (signal.SIGTERM, whole.index("move_pointer"), True),
    ]
    capfd.readouterr()
    for number, at, after in moments:
        run_id = f"{AS_OF}-{number}-{at}-{after}"
        code, _ = interrupt(raw, output, number, at=at, after=after)
        [line] = without_logs(capfd.readouterr().err)
        assert code == CODES[number], (whole[at], after, line)
        assert_is_true(line, output, run_id)
        assert leftovers(output) == []
    assert current(output) == run_id


@pytest.mark.usefixtures("spark")
def test_the_failure_of_an_interrupted_run_has_the_code_and_the_line(raw: RawFiles, output: Path) -> None:
    assert interrupt(raw, output, signal.SIGTERM, at=2)[0] == 143
    failure = json.loads((output / "runs" / f"{AS_OF}-15-2-False" / "failure.json").read_text())
    assert failure == {"exit_code": 143, "error": "terminated; what was there before is as it was"}


@pytest.mark.usefixtures("spark")
def test_a_signal_of_which_a_library_makes_another_error_is_still_one(
    raw: RawFiles, output: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def swallow(*_: Any, **__: Any) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            raise RuntimeError("an error while sending") from None

    monkeypatch.setattr(RunStore, "table_uri", swallow)
    code, _ = interrupt(raw, output, signal.SIGTERM, at=-1)
    [line] = without_logs(capfd.readouterr().err)
    assert (code, line) == (143, "pipeline: terminated; what was there before is as it was")
    assert json.loads((output / "runs" / f"{AS_OF}-15--1-False" / "failure.json").read_text())["exit_code"] == 143


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("spark")
def test_a_signal_at_any_call_to_the_store_ends_in_a_true_line(
    raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, whole = interrupt(raw, output.parent / "another", signal.SIGINT, at=-1)
    assert code == 0
    capfd.readouterr()
    end = whole.index("move_pointer")
    for at in range(end + 1):
        # Each call meets one signal: of neighbours one is SIGINT and one SIGTERM, and of pairs one before the call.
        number, after = (signal.SIGINT, signal.SIGTERM)[at % 2], at // 2 % 2 == 1
        before = current(output)
        code, _ = interrupt(raw, output, number, at=at, after=after)
        [line] = without_logs(capfd.readouterr().err)
        assert code == CODES[number], (at, whole[at])
        run_id = f"{AS_OF}-{number}-{at}-{after}"
        if current(output) == before:
            assert interruptions.UNCHANGED in line
        else:
            assert f"run {run_id} is complete and current" in line
        assert leftovers(output) == []
    assert interrupt(raw, output, signal.SIGINT, at=-1)[0] == 0


def start(raw: RawFiles, output: Path, run_id: str) -> subprocess.Popen[str]:
    """Start a run in a process of its own."""
    command = [sys.executable, "-m", "jobs.pipeline", *arguments(raw, output, run_id)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def lines_until(process: subprocess.Popen[str], moment: str) -> list[str]:
    """What a run has written to stderr when a log line has this text."""
    lines: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line.rstrip())
        if moment in line:
            return lines
    pytest.fail(f"no line with {moment}: {lines}")


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "moment", "seconds"),
    [
        (signal.SIGTERM, "run started", 0.5),
        (signal.SIGINT, "run started", 3.0),
        (signal.SIGINT, "step=customers", 0.5),
        (signal.SIGTERM, "step=rfm", 0.7),
    ],
)
def test_a_process_that_is_told_to_end_does_so_within_seconds_and_leaves_nothing(
    raw: RawFiles, output: Path, number: int, moment: str, seconds: float
) -> None:
    run_id = f"{AS_OF}-ended"
    with start(raw, output, run_id) as process:
        java_before = psutil.Process(process.pid)
        lines = lines_until(process, moment)
        time.sleep(seconds)
        children = java_before.children(recursive=True)
        sent = time.monotonic()
        process.send_signal(number)
        process.send_signal(number)  # as an impatient person does
        lines += (process.communicate(timeout=60)[1]).splitlines()
    assert time.monotonic() - sent < interruptions.SECONDS_TO_TIDY_UP + 5
    assert process.returncode == CODES[number], lines
    [line] = without_logs("\n".join(lines))
    assert_is_true(line, output, run_id)
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    assert leftovers(output) == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("moment", "seconds"),
    [("run started", 3.0), ("step=orders", 0.3), ("step=transactions", 1.0), ("step=kmeans", 0.2)],
)
def test_a_run_whose_java_is_killed_ends_with_advice(raw: RawFiles, output: Path, moment: str, seconds: float) -> None:
    run_id = f"{AS_OF}-orphan"
    with start(raw, output, run_id) as process:
        lines = lines_until(process, moment)
        time.sleep(seconds)
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        lines += (process.communicate(timeout=120)[1]).splitlines()
    assert process.returncode == 4, lines
    [line] = without_logs("\n".join(lines))
    assert "process died" in line or "Spark did not start" in line
    assert "log" in line
    assert interruptions.UNCHANGED in line or "did not start" in line
    assert json.loads((output / "runs" / run_id / "failure.json").read_text())["exit_code"] == 4
    assert [name for name in leftovers(output) if not name.endswith(".log")] == []
