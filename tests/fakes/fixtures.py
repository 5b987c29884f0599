"""The stand-ins as fixtures; `tests/conftest.py` loads them for every test.

``aws`` is the environment in which plain ``boto3.client(...)`` reaches them over HTTP; ask for it beside the service
that a test needs (``data_api``, ``bucket``).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import boto3
import botocore.session
import pytest
from botocore.loaders import Loader
from botocore.retries.standard import ExponentialBackoff

from tests.fakes.http.service import HttpService
from tests.fakes.redshift.copy_load import Bucketeer
from tests.fakes.redshift.data_api import DataApi
from tests.fakes.redshift.postgres import Postgres, postgres
from tests.fakes.s3.objects import Buckets
from tests.fakes.s3.server import s3_server
from tests.fakes.sagemaker.account import Account
from tests.fakes.sagemaker.service import SageMaker

REGION = "eu-west-1"
SAGEMAKER_ROLE = "arn:aws:iam::123456789012:role/segments-sagemaker"
COPY_ROLE = "arn:aws:iam::123456789012:role/segments-copy"
CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": REGION}


MODELS = Loader(include_default_search_paths=True)
"""What botocore has read of the services: a quarter of a second each, which sessions of their own would spend anew."""


Service = TypeVar("Service", bound=HttpService)


@contextmanager
def serving(aws: pytest.MonkeyPatch, name: str, service: Service) -> Iterator[Service]:
    """Serve where boto3 looks for the service of that name, as the environment has it (``SFN``, say)."""
    with service.running():
        aws.setenv(f"AWS_ENDPOINT_URL_{name}", service.url)
        yield service


def session_with(models: Loader) -> botocore.session.Session:
    """A session that knows no credentials yet and reads no model twice."""
    session = botocore.session.Session()
    session.register_component("data_loader", models)
    return session


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL for all tests."""
    with postgres() as server:
        yield server


@pytest.fixture
def database(postgres_server: Postgres) -> Iterator[str]:
    """The connection string of an empty database: readers of a test look in here."""
    with postgres_server.database() as conninfo:
        yield conninfo


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """One S3 for all tests."""
    with s3_server() as url:
        yield url


@pytest.fixture(scope="session")
def s3(s3_endpoint: str) -> Any:
    """A client of the S3 that stands in."""
    return boto3.client("s3", endpoint_url=s3_endpoint, **CREDENTIALS)


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    """An empty bucket of the test's own, of which nothing is left afterwards."""
    name = "segments-tests"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield name
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for found in page.get("Contents", []):
            s3.delete_object(Bucket=name, Key=found["Key"])
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, s3_endpoint: str) -> pytest.MonkeyPatch:
    """The environment in which clients of AWS reach the stand-ins, with no credentials but false ones.

    botocore retries as often as ever and does not sleep in between.
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
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(botocore_session=session_with(MODELS)))
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    return monkeypatch


@pytest.fixture
def data_api(aws: pytest.MonkeyPatch, database: str, s3: Any) -> Iterator[DataApi]:
    """The Redshift Data API: workgroup ``segments``, cluster ``segments-cluster``, database ``dev``."""
    api = DataApi(databases={"dev": database}, bucketeer=Bucketeer(s3, frozenset({COPY_ROLE})))
    with serving(aws, "REDSHIFT_DATA", api.service):
        yield api
        api.stop()


@pytest.fixture
def sagemaker(aws: pytest.MonkeyPatch, s3: Any) -> Iterator[SageMaker]:
    """SageMaker and its runtime."""
    stand_in = SageMaker(Account(REGION, frozenset({SAGEMAKER_ROLE})), Buckets(s3, REGION))
    with stand_in.running():
        aws.setenv("AWS_ENDPOINT_URL_SAGEMAKER", stand_in.service.url)
        aws.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", stand_in.runtime.url)
        forget_clients_of_sdk()
        yield stand_in
    forget_clients_of_sdk()


def forget_clients_of_sdk() -> None:
    """The SDK keeps the clients that it makes; those of the test before speak to a server that has stopped."""
    sdk = sys.modules.get("sagemaker.core.utils.utils")
    if sdk:
        sdk.SageMakerClient.reset()
