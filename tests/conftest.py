"""One Spark session for all tests, the gate of their runs, and a small raw data set that a test can change."""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from jobs.spark import session as session_settings
from jobs.spark.session import spark_session
from tests.fakes.gate import fake_gate, real_gate
from tests.fakes.page import fake_report
from tests.raw_files import RawFiles
from tests.verified import verified_runs

pytest_plugins = ["tests.fakes.fixtures"]

LESS_CARE = "-XX:TieredStopAtLevel=1"
"""Java compiles fast, to code that is not the fastest. A run of 2,000 orders then takes a third less processor time."""

SMALL = {
    "spark.master": "local[2]",
    "spark.driver.memory": "2g",
    # Two partitions can separate rows that belong together, and are quick.
    "spark.sql.shuffle.partitions": "2",
    # A tenth of Java's time went to collecting a small young generation, and to sweeping a code cache that was full.
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:+UseSerialGC -Xmn256m -XX:ReservedCodeCacheSize=256m",
    # A query over a few rows costs what it takes to plan and compile it. So each is planned once and interpreted. Most
    # tests that start a process of their own, all of them long, plan and generate code as for users.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}

FAKES = Path(__file__).parent / "fakes"
SHARED_RUNS = {
    "published": (
        *("tests/jobs/test_segments", "tests/jobs/test_report", "tests/jobs/outcomes/", "tests/jobs/verifying/test_"),
        "tests/jobs/ledgers/test_same_purchases.py",
    ),
    "plain_run": ("tests/jobs/test_pipeline.py", "tests/jobs/test_step_by_step.py"),
}
"""Fixtures that make a run once for several files, and how the names of these files begin."""


LONGEST_FILES = (
    "tests/test_readme.py",
    "tests/jobs/test_malformed_input.py",
    "tests/jobs/ledgers/test_malformed_ledgers.py",
    "tests/deploy/test_standalone_cluster.py",
    "tests/jobs/test_s3.py",
    "tests/jobs/test_interrupted.py",
)
"""Files whose tests take minutes. They begin first, so that no process waits for the last of them at the end."""


class OneProcessForEachRun(LoadFileScheduling):
    """The tests of a file run in one process, and so do those of all files that share a run."""

    def _split_scope(self, nodeid: str) -> str:
        shared = [run for run, files in SHARED_RUNS.items() if nodeid.startswith(files)]
        return shared[0] if shared else super()._split_scope(nodeid)


def pytest_configure() -> None:
    """Have each Java that inherits the environment of the tests compile so."""
    os.environ["JDK_JAVA_OPTIONS"] = f"{os.environ.get('JDK_JAVA_OPTIONS', '')} {LESS_CARE}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneProcessForEachRun:
    return OneProcessForEachRun(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, and leave the others in their order."""
    places = {file: place for place, file in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test by what it uses: Spark, or a fake of a service. A test of a fake itself is long."""
    fixtures = getattr(item, "fixturenames", ())
    if "spark" in fixtures:
        item.add_marker(pytest.mark.spark)
    if not {"aws", "database", "s3_endpoint"}.isdisjoint(fixtures):
        item.add_marker(pytest.mark.services)
    if item.path.is_relative_to(FAKES):
        item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def no_spark_without_the_mark(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is not marked `spark` cannot start it, so that `make test-quick` needs no Java."""
    if request.node.get_closest_marker("spark") is None:

        def refuse(*_: object) -> None:
            pytest.fail("this test starts Spark: have it use the fixture spark")

        monkeypatch.setattr(session_settings, "_start", refuse)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A session with the project's settings, on two cores and with little memory."""
    session_settings.LAPTOP.update(SMALL)
    with spark_session("tests") as session:
        yield session


@pytest.fixture
def raw(tmp_path: Path) -> RawFiles:
    """Three files: three customer rows of two people, three orders, and four payments that add up to 40.50."""
    return RawFiles(tmp_path / "input")


@pytest.fixture(scope="session", autouse=True)
def runs_with_a_fake_gate_and_report() -> Iterator[None]:
    """Runs in this process have a gate that evaluates nothing, and a report that counts nothing."""
    with fake_gate(), fake_report():
        yield


@pytest.fixture(scope="session", autouse=True)
def runs_that_are_verified() -> Iterator[None]:
    """Where the variable `VERIFY_RUNS` says so, each complete run in this process is derived again, and must hold."""
    with verified_runs() if os.environ.get("VERIFY_RUNS") == "1" else nullcontext():
        yield


@pytest.fixture
def great_expectations() -> Iterator[None]:
    """The runs of one test have the real gate."""
    with real_gate():
        yield
