"""One run of the whole pipeline with clusters, for all tests that go on from it."""

import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.jobs.published import Runs, publish


@pytest.fixture(scope="session")
def published(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one run of the whole pipeline over the shop; to look at."""
    assert spark is not None
    return publish(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def runs(published: Path, tmp_path: Path) -> Runs:
    """That output, copied for one test to add runs to."""
    return Runs(Path(shutil.copytree(published, tmp_path / "output")))
