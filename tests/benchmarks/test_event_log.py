"""What the benchmark takes from Spark's event log."""

import json
from pathlib import Path

import pytest

from benchmarks.event_log import LOGS, SparkFigures, figures_of, logged_figures, logging_environment
from jobs.errors import OutsideSystemError


def event(kind: str, **fields: object) -> str:
    return json.dumps({"Event": kind, **fields}, separators=(",", ":"))


def task(*, shuffled: int, spilled: int) -> str:
    metrics = {"Shuffle Write Metrics": {"Shuffle Bytes Written": shuffled}, "Disk Bytes Spilled": spilled}
    return event("SparkListenerTaskEnd", **{"Task Metrics": metrics})


LOG = [
    event("SparkListenerLogStart"),
    event("SparkListenerJobStart", **{"Job ID": 0}),
    task(shuffled=100, spilled=0),
    task(shuffled=20, spilled=7),
    event("SparkListenerTaskEnd", **{"Task End Reason": {"Reason": "Killed"}}),
    event("SparkListenerJobEnd", **{"Job ID": 0}),
    event("SparkListenerJobStart", **{"Job ID": 1}),
]


def test_jobs_are_counted_and_the_bytes_of_all_tasks_added() -> None:
    assert figures_of(LOG) == SparkFigures(jobs=2, shuffled_bytes=120, spilled_bytes=7)


def test_a_process_logs_its_events_below_the_folder_of_its_results(tmp_path: Path) -> None:
    settings = (Path(logging_environment(tmp_path)["SPARK_CONF_DIR"]) / "spark-defaults.conf").read_text()
    assert f"spark.eventLog.dir {(tmp_path / LOGS).as_uri()}\n" in settings
    with pytest.raises(OutsideSystemError, match="found 0 event logs"):
        logged_figures(tmp_path)
    (tmp_path / LOGS / "local-1").write_text("\n".join(LOG))
    assert logged_figures(tmp_path).jobs == 2
