"""What the environment says: the platform that runs this process, the AWS region, and how S3 is reached."""

import os
from dataclasses import dataclass

from jobs.errors import ConfigurationError

YES, NO = ("true", "yes", "1"), ("false", "no", "0", "")


def is_submitted() -> bool:
    """Whether ``spark-submit`` (EMR, Glue, a cluster) started this process; master, memory and Java are then its."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


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
