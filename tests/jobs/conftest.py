"""Runs of the whole pipeline that are made once, for all tests that look at them; and an empty folder in S3."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.storage.s3 import S3Folder
from tests.fakes.s3.service import S3Proxy
from tests.jobs.complete_runs import Ran, run
from tests.jobs.published import Runs, publish
from tests.raw_files import RawFiles


@pytest.fixture(scope="session")
def plain_run(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One run over the small raw data set as it is, without clusters; to look at."""
    assert spark is not None
    raw = RawFiles(tmp_path_factory.mktemp("plain") / "input")
    raw.write()
    return run(raw)


@pytest.fixture(scope="session")
def published(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one run of the whole pipeline over the shop; to look at."""
    assert spark is not None
    return publish(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def runs(published: Path, tmp_path: Path) -> Runs:
    """That output, copied for one test to add runs to."""
    return Runs(Path(shutil.copytree(published, tmp_path / "output")))


@pytest.fixture
def proxy(aws: pytest.MonkeyPatch, s3_endpoint: str) -> Iterator[S3Proxy]:
    """A proxy through which clients reach S3."""
    with S3Proxy(s3_endpoint).running() as proxy:
        aws.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


@pytest.fixture
def folder(bucket: str, proxy: S3Proxy) -> S3Folder:
    """An empty folder of an empty bucket."""
    assert proxy.injected == []
    return S3Folder(bucket, "some/folder")
