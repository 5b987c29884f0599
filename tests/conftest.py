"""One Spark session for all tests, and a small raw data set to spoil."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.spark import session as session_settings
from jobs.spark.session import spark_session
from tests.raw_files import RawFiles

pytest_plugins = ["tests.fakes.fixtures"]

SMALL = {
    "spark.master": "local[2]",
    "spark.driver.memory": "2g",
    # Two shuffle partitions: enough for a row to be in the wrong one, few enough to be quick.
    "spark.sql.shuffle.partitions": "2",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A session with the project's settings, made small."""
    session_settings.LAPTOP.update(SMALL)
    with spark_session("tests") as session:
        yield session


@pytest.fixture
def raw(tmp_path: Path) -> RawFiles:
    """Three files of two customers, three orders and four payments, worth 40.50."""
    return RawFiles(tmp_path / "input")
