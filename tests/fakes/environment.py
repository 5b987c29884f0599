"""The AWS account that all fakes share, and how boto3 reaches the fakes in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from tests.fakes.http.service import HttpService

REGION = "eu-west-1"
ACCOUNT_ID = "123456789012"
CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": REGION}
SAGEMAKER_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/segments-sagemaker"
COPY_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/segments-copy"
PIPELINE_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/shop-pipeline"
CATALOGUE = "shop"
WORKGROUP = {"WorkgroupName": "segments", "Database": "dev"}

NOW = datetime(2026, 1, 2, tzinfo=UTC)
"""The time that fakes without a clock report."""

Service = TypeVar("Service", bound=HttpService)


@contextmanager
def serving(aws: pytest.MonkeyPatch, name: str, service: Service) -> Iterator[Service]:
    """Serve a fake, and point boto3 to it.

    Args:
        aws: The test's environment.
        name: The service's part of ``AWS_ENDPOINT_URL_<name>``, such as ``SFN``.
        service: The fake.
    """
    with service.running():
        aws.setenv(f"AWS_ENDPOINT_URL_{name}", service.url)
        yield service
