"""What Spark's event log tells of an application: its jobs, and the bytes that it shuffled and spilled."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import OutsideSystemError

LOGS = "spark-events"
CONFIGURATION = "spark-conf"
JOB, TASK = "SparkListenerJobStart", "SparkListenerTaskEnd"


@dataclass(frozen=True)
class SparkFigures:
    """What all tasks of an application add up to, failed attempts included.

    Attributes:
        jobs: The number of Spark jobs.
        shuffled_bytes: What was written for shuffles.
        spilled_bytes: What went to disk since memory was not enough.
    """

    jobs: int
    shuffled_bytes: int
    spilled_bytes: int


def logging_environment(results: Path) -> dict[str, str]:
    """Have the Spark of a process log its events below a folder: environment variables, and the files they name."""
    configuration, logs = results / CONFIGURATION, results / LOGS
    configuration.mkdir()
    logs.mkdir()
    settings = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": logs.as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
    }
    text = "".join(f"{name} {value}\n" for name, value in settings.items())
    (configuration / "spark-defaults.conf").write_text(text)
    return {"SPARK_CONF_DIR": str(configuration)}


def logged_figures(results: Path) -> SparkFigures:
    """The figures of the application that logged its events below a folder.

    Raises:
        OutsideSystemError: It logged none.
    """
    logs = [path for path in (results / LOGS).iterdir() if not path.name.startswith(".")]
    if len(logs) != 1:
        raise OutsideSystemError(f"found {len(logs)} event logs of Spark in {results / LOGS}, expected 1")
    with logs[0].open(encoding="utf-8") as lines:
        return figures_of(lines)


def figures_of(lines: Iterable[str]) -> SparkFigures:
    """Add up the events of a log, one JSON object a line. Most lines are of other events and are not parsed."""
    jobs = shuffled = spilled = 0
    for line in lines:
        if line.startswith(f'{{"Event":"{JOB}"'):
            jobs += 1
        elif line.startswith(f'{{"Event":"{TASK}"'):
            metrics = json.loads(line).get("Task Metrics") or {}
            shuffled += metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0)
            spilled += metrics.get("Disk Bytes Spilled", 0)
    return SparkFigures(jobs, shuffled, spilled)
