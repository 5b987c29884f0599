"""The fakes as fixtures, which `tests/conftest.py` loads for every test.

The fixture ``aws`` points plain ``boto3.client(...)`` to the fakes. The fixtures of services include it.
"""

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.loaders import JSONFileLoader
from botocore.retries.standard import ExponentialBackoff

from tests.fakes.environment import (
    CATALOGUE,
    COPY_ROLE,
    CREDENTIALS,
    REGION,
    SAGEMAKER_ROLE,
    serving,
)
from tests.fakes.glue.data_catalogue import DataCatalogue
from tests.fakes.redshift.copy_load import CopySource
from tests.fakes.redshift.data_api import DataApi
from tests.fakes.redshift.postgres import Postgres, postgres
from tests.fakes.s3.service import s3_server
from tests.fakes.sagemaker.account import Account, Buckets
from tests.fakes.sagemaker.client_requests import ClientRequests
from tests.fakes.sagemaker.service import SageMaker


@pytest.fixture
def data_catalogue(aws: pytest.MonkeyPatch, s3_endpoint: str) -> Iterator[DataCatalogue]:
    """The Glue Data Catalog with the empty database `CATALOGUE`."""
    service = DataCatalogue(s3_endpoint)
    service.moto.create_database(DatabaseInput={"Name": CATALOGUE})
    with serving(aws, "GLUE", service):
        yield service
    service.moto.delete_database(Name=CATALOGUE)


@pytest.fixture(scope="session", autouse=True)
def service_models_read_once() -> Iterator[None]:
    """A session of boto3 reads the models of its services anew, each for a quarter of a second. Here all share them."""
    load_file = cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: load_file(path))
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL for all tests."""
    with postgres() as server:
        yield server


@pytest.fixture
def database(postgres_server: Postgres) -> Iterator[str]:
    """The connection string of an empty database, with which a test reads what the code under test wrote."""
    with postgres_server.database() as conninfo:
        yield conninfo


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The endpoint of one S3 for all tests."""
    with s3_server() as url:
        yield url


@pytest.fixture(scope="session")
def s3(s3_endpoint: str) -> Any:
    """A client of S3."""
    return boto3.client("s3", endpoint_url=s3_endpoint, **CREDENTIALS)


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    """The name of an empty bucket, which is deleted with its objects after the test."""
    name = "segments-tests"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield name
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket=name, Key=item["Key"])
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, s3_endpoint: str) -> pytest.MonkeyPatch:
    """The environment in which clients of AWS reach the fakes, with false credentials.

    botocore sends a request up to three times, and does not sleep before it tries again.
    """
    for name, value in {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_RETRY_MODE": "standard",
        "AWS_MAX_ATTEMPTS": "3",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    return monkeypatch


@pytest.fixture
def data_api(aws: pytest.MonkeyPatch, database: str, s3: Any) -> Iterator[DataApi]:
    """The Redshift Data API: workgroup ``segments``, cluster ``segments-cluster``, database ``dev``."""
    api = DataApi(databases={"dev": database}, copy_source=CopySource(s3, frozenset({COPY_ROLE})))
    with serving(aws, "REDSHIFT_DATA", api.service):
        yield api
        api.stop()


@pytest.fixture
def sagemaker(aws: pytest.MonkeyPatch, s3: Any) -> Iterator[SageMaker]:
    """SageMaker and its runtime, which may assume `SAGEMAKER_ROLE`."""
    fake = SageMaker(Account(frozenset({SAGEMAKER_ROLE})), Buckets(s3))
    with serving(aws, "SAGEMAKER", fake.service), serving(aws, "SAGEMAKER_RUNTIME", fake.runtime):
        reset_sdk_clients()
        yield fake
    reset_sdk_clients()


@pytest.fixture
def client_requests(sagemaker: SageMaker, s3: Any, bucket: str) -> ClientRequests:
    """Requests to SageMaker, with two groups of customers to train on and three customers to score in S3."""
    del sagemaker
    requests = ClientRequests(s3, bucket)
    requests.put_small_groups()
    return requests


def reset_sdk_clients() -> None:
    """Have the SageMaker SDK create new clients. It caches them, with the endpoint of an earlier test."""
    sdk = sys.modules.get("sagemaker.core.utils.utils")
    if sdk:
        sdk.SageMakerClient.reset()
