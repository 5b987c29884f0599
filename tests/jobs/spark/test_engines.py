"""The choice of an engine: its settings, its memory, and where it is refused. None of it starts Spark."""

import platform
from datetime import date
from pathlib import Path

import pytest
from pyspark import SparkConf

from jobs.cli.config import RunOptions
from jobs.errors import ConfigurationError
from jobs.quality.active_rules import active_rules
from jobs.runs.run import open_run
from jobs.segments import main as segments
from jobs.spark import engines
from jobs.spark.engines import COMET, PLUGIN, EngineSetup, find_engine, memory_settings
from jobs.spark.session import Workload
from jobs.storage.store import RunStore

PLAIN = {"spark.plugins": ""}
WITH_COMET = {"spark.sql.extensions": "other.Extension,org.apache.comet.CometSparkSessionExtensions"}


def started(settings: dict[str, str]) -> SparkConf:
    """The settings that a session was started with."""
    return SparkConf(loadDefaults=False, _jvm=None).setAll(list(settings.items()))


@pytest.fixture
def on_linux(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that has native code, and the jar."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.34"))
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setattr(engines.SparkSession, "getActiveSession", lambda: None)
    jar = tmp_path / "comet.jar"
    jar.touch()
    monkeypatch.setenv("COMET_JAR", str(jar))
    return jar


@pytest.mark.parametrize(
    ("memory", "half"), [("4g", "2048m"), ("2G", "1024m"), ("1536m", "768m"), ("4096", "2048m"), ("1t", "524288m")]
)
def test_heap_and_native_memory_are_together_what_spark_alone_takes(memory: str, half: str) -> None:
    assert memory_settings(memory) == {"spark.driver.memory": half, "spark.memory.offHeap.size": half}


@pytest.mark.parametrize("memory", ["", "much", "-4g", "0g", "1k", "4 gigabytes"])
def test_a_memory_that_is_no_size_is_refused(memory: str) -> None:
    with pytest.raises(ConfigurationError, match="expected a size such as 4g"):
        memory_settings(memory)


def test_comet_gets_its_plugin_its_jar_and_half_of_the_memory(on_linux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "DRIVER_MEMORY", "4g")
    setup = find_engine("comet")
    assert setup.laptop == {**PLUGIN, **COMET, **memory_settings("4g"), "spark.driver.extraClassPath": str(on_linux)}
    for engine in ("spark", None):
        assert find_engine(engine).laptop == {}


@pytest.mark.parametrize(
    ("system", "machine", "libc"),
    [
        ("Darwin", "arm64", ("", "")),
        ("Windows", "AMD64", ("", "")),
        ("Linux", "i686", ("glibc", "2.36")),
        ("Linux", "ppc64le", ("glibc", "2.36")),
        ("Linux", "x86_64", ("", "")),  # musl
        ("Linux", "x86_64", ("glibc", "2.28")),
    ],
)
def test_a_machine_without_native_code_is_refused_and_told_what_was_found(
    on_linux: Path, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, libc: tuple[str, str]
) -> None:
    assert on_linux.exists()
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: libc)
    with pytest.raises(ConfigurationError, match=f"--engine comet: found {system} {machine}.*Use --engine spark"):
        find_engine("comet")


def test_a_job_without_the_jar_ends_with_2_and_makes_no_run(
    on_linux: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert on_linux.exists()
    monkeypatch.setenv("COMET_JAR", str(tmp_path / "nowhere"))
    store = RunStore(str(tmp_path / "out"))
    options = RunOptions(as_of=date(2018, 10, 17), output=str(tmp_path / "out"), engine="comet")
    with (
        pytest.raises(ConfigurationError, match=r"COMET_JAR=.*nowhere: found no jars"),
        open_run("features", options, store, active_rules(None), workload=Workload()),
    ):
        pass
    assert not (tmp_path / "out").exists()
    assert segments(["--output", str(tmp_path), "--engine", "duck"]) == 2
    assert "invalid --engine 'duck': expected one of" in capfd.readouterr().err


def test_a_submitted_job_runs_what_it_was_submitted_with() -> None:
    assert EngineSetup().for_session(started(PLAIN)) == {}
    assert EngineSetup("spark").for_session(started(PLAIN)) == {}
    assert EngineSetup().for_session(started(WITH_COMET)) == COMET
    assert EngineSetup("comet").for_session(started(WITH_COMET)) == COMET
    assert EngineSetup("spark").for_session(started(WITH_COMET)) == {"spark.comet.enabled": "false"}


def test_the_submitter_overrides_settings_of_comet() -> None:
    [name, *others] = COMET
    settings = EngineSetup().for_session(started({**WITH_COMET, name: "false"}))
    assert list(settings) == others


def test_comet_is_refused_where_the_job_was_submitted_without_it() -> None:
    with pytest.raises(ConfigurationError, match="this Spark was started without it"):
        EngineSetup("comet").for_session(started(PLAIN))
