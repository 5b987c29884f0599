"""One run of the whole pipeline with clusters, for all tests that go on from it; and an empty folder in S3."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.storage.s3 import S3Folder
from tests.fakes.s3.proxy import S3Proxy
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


@pytest.fixture
def proxy(aws: pytest.MonkeyPatch, s3_endpoint: str) -> Iterator[S3Proxy]:
    """A proxy through which clients reach S3."""
    with S3Proxy(s3_endpoint).running() as proxy:
        aws.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


@pytest.fixture
def folder(bucket: str, proxy: S3Proxy) -> S3Folder:
    """An empty folder of an empty bucket."""
    assert proxy.met == []
    return S3Folder(bucket, "some/folder")
