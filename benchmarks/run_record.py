"""What a run of the pipeline tells of itself: the seconds of its steps, and when rfm was written."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.event_log import SparkFigures, logged_figures
from jobs.errors import OutsideSystemError

LAST_STEP_TO_RFM = "rfm"


@dataclass(frozen=True)
class RunRecord:
    """What is known of a run beside what it cost.

    Attributes:
        steps: The seconds of each step, in order.
        seconds_to_start: Seconds from the start of the process to its first step.
        seconds_to_rfm: Seconds from the start of the process to the end of the step that writes rfm.
        spark: What its Spark did.
    """

    steps: Mapping[str, float]
    seconds_to_start: float
    seconds_to_rfm: float
    spark: SparkFigures


def record_of(run: Path, results: Path, log: Path, *, started_at: float) -> RunRecord:
    """Read the record of a run.

    Args:
        run: The folder of the run.
        results: The folder below which its Spark logged events.
        log: What its process printed, with ``--log-format json``.
        started_at: When its process was started, in seconds since 1970.

    Raises:
        OutsideSystemError: The log or the event log lacks what is expected.
    """
    manifest = json.loads((run / "manifest.json").read_text())
    first, last = step_times(log.read_text(errors="replace"))
    return RunRecord(
        steps={step["step"]: float(step["seconds"]) for step in manifest["steps"]},
        seconds_to_start=first - started_at,
        seconds_to_rfm=last - started_at,
        spark=logged_figures(results),
    )


def step_times(log: str) -> tuple[float, float]:
    """When the first step began, and when rfm was written, in seconds since 1970.

    Raises:
        OutsideSystemError: The log has no such lines.
    """
    first = last = None
    for event in _events(log):
        if event.get("event") == "step started" and first is None:
            first = _seconds(event)
        if event.get("event") == "step finished" and event.get("step") == LAST_STEP_TO_RFM:
            last = _seconds(event)
    if first is None or last is None:
        raise OutsideSystemError("the log of a run has no lines about its steps, expected JSON with their times")
    return first, last


def _events(log: str) -> Iterator[dict[str, Any]]:
    """The lines of a log that are JSON; its summary and Spark's warnings are none."""
    for line in log.splitlines():
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue


def _seconds(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()
