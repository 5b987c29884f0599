"""The settings of a session that is started on a laptop, as its workload asks for them."""

from pathlib import Path
from typing import Any

import pytest

from jobs.spark import session
from jobs.spark.session import Workload, spark_session

FIRST_COMPILER_ALONE = "-XX:TieredStopAtLevel=1"


class NotStartedError(Exception):
    """In place of Spark."""


def java_options_for(workload: Workload, monkeypatch: pytest.MonkeyPatch) -> str:
    return settings_for(workload, monkeypatch)["spark.driver.extraJavaOptions"]


def settings_for(workload: Workload, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    started_with: dict[str, str] = {}

    def start(_: str, __: Path | None, settings: dict[str, str], *___: Any) -> None:
        started_with.update(settings)
        raise NotStartedError

    monkeypatch.setattr(session.SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setattr(session, "is_submitted", lambda: False)
    monkeypatch.setattr(session, "create_log", lambda: None)
    monkeypatch.setattr(session, "_start", start)
    with pytest.raises(NotStartedError), spark_session("small", workload=workload):
        pass
    return started_with


def test_java_compiles_fast_for_little_work_and_well_for_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "java_home", lambda: "/usr/lib/jvm/java-17")
    assert FIRST_COMPILER_ALONE in java_options_for(Workload(is_small=True), monkeypatch)
    assert FIRST_COMPILER_ALONE not in java_options_for(Workload(), monkeypatch)


def test_little_work_is_exchanged_by_few_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "java_home", lambda: "/usr/lib/jvm/java-17")
    partitions = [
        settings_for(Workload(is_small=is_small), monkeypatch)["spark.sql.shuffle.partitions"]
        for is_small in (True, False)
    ]
    assert partitions == ["8", session.LAPTOP["spark.sql.shuffle.partitions"]]


def test_java_reads_the_archive_of_classes_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "java_home", lambda: "/usr/lib/jvm/java-17")
    monkeypatch.setattr(session, "java_options", lambda home, class_path: f"archive of {home} and [{class_path}]")
    assert "archive of /usr/lib/jvm/java-17 and []" in java_options_for(Workload(), monkeypatch)
