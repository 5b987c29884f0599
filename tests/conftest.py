"""One Spark session for all tests, and a small raw data set that a test can change."""

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
    # Two partitions can separate rows that belong together, and are quick.
    "spark.sql.shuffle.partitions": "2",
}


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
