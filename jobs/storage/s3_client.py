"""The one client of S3, and the settings that it shares with Spark."""

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from jobs.errors import ConfigurationError
from jobs.storage.s3_failures import BROKEN_OFF, named_failures

ATTEMPTS = 8
"""How often a call is made before it is given up: with the waits of botocore's standard mode, about a minute."""

YES, NO = ("true", "yes", "1"), ("false", "no", "0", "")

asked_again = retry(
    retry=retry_if_exception_type(BROKEN_OFF),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(max=5),
    reraise=True,
)


@dataclass(frozen=True)
class S3Settings:
    """How S3 is reached, from the environment: for the client here and for Spark alike.

    Attributes:
        endpoint: another service than AWS's, as botocore takes it; None for AWS.
        region: of the buckets; None where the environment names none.
        path_style: whether the bucket stands in the path of a URL and not in its host name.
        kms_key: ARN or id of the key with which all that is written is encrypted; None leaves it to the bucket.
        requester_pays: whether the caller pays for what is read.
    """

    endpoint: str | None
    region: str | None
    path_style: bool
    kms_key: str | None
    requester_pays: bool

    @classmethod
    def from_environment(cls) -> "S3Settings":
        """Read the settings.

        Raises:
            ConfigurationError: A value is none of what it may be.
        """
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
        return cls(
            endpoint=endpoint,
            region=region(),
            # What stands in for S3 seldom has a host name for each bucket.
            path_style=_flag("S3_PATH_STYLE", default=endpoint is not None),
            kms_key=_own("S3_KMS_KEY") or None,
            requester_pays=_flag("S3_REQUESTER_PAYS", default=False),
        )

    def encryption(self) -> dict[str, str]:
        """What a write says of the key, where there is one."""
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key} if self.kms_key else {}

    def payer(self) -> dict[str, str]:
        """What a call says of who pays, where that is the caller."""
        return {"RequestPayer": "requester"} if self.requester_pays else {}


def region() -> str | None:
    """The region that the environment names: AWS_REGION, which botocore itself does not look at, comes first."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None


def _own(name: str) -> str:
    # Glue lets a job set no variable that does not start so.
    return os.environ.get(name) or os.environ.get(f"CUSTOMER_{name}") or ""


def _flag(name: str, *, default: bool) -> bool:
    value = _own(name).lower()
    if value not in YES + NO:
        raise ConfigurationError(f"{name}={value}: expected true or false")
    return default if not value else value in YES


@cache
def s3_client(settings: S3Settings) -> Any:
    """The client of S3. Credentials and profile are found as boto3 finds them."""
    attempts = int(os.environ.get("AWS_MAX_ATTEMPTS") or ATTEMPTS)
    with named_failures("S3"):
        return boto3.client(
            "s3",
            region_name=settings.region,
            config=Config(
                retries={"mode": "standard", "total_max_attempts": attempts},
                connect_timeout=10,
                read_timeout=60,
                s3={"addressing_style": "path"} if settings.path_style else None,
            ),
        )
