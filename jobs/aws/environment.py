"""What environment variables set: the platform that runs this process, the AWS region, and access to S3."""

import os
from dataclasses import dataclass

from jobs.errors import ConfigurationError

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0", "")


def is_submitted() -> bool:
    """Whether ``spark-submit`` (EMR, Glue, a cluster) started this process; it then sets master, memory and Java."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


@dataclass(frozen=True)
class S3Settings:
    """Access to S3, the same for boto3 and for Spark.

    Attributes:
        endpoint: URL of a service other than AWS; None for AWS.
        region: of the buckets; None where the environment names none.
        path_style: whether the bucket is in the path of a URL, not in its host name.
        kms_key: ARN or id of the key that encrypts what is written; None leaves encryption to the bucket.
        requester_pays: whether the caller pays for reads.
    """

    endpoint: str | None
    region: str | None
    path_style: bool
    kms_key: str | None
    requester_pays: bool

    @classmethod
    def from_environment(cls) -> "S3Settings":
        """Read the settings; docs/s3.md lists the variables.

        Raises:
            ConfigurationError: A flag is neither true nor false.
        """
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
        return cls(
            endpoint=endpoint,
            region=region(),
            # Services other than AWS seldom have a host name for each bucket.
            path_style=_flag("S3_PATH_STYLE", default=endpoint is not None),
            kms_key=_own_variable("S3_KMS_KEY") or None,
            requester_pays=_flag("S3_REQUESTER_PAYS", default=False),
        )

    def encryption(self) -> dict[str, str]:
        """The arguments of a write that name the key; none without a key."""
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key} if self.kms_key else {}

    def payer(self) -> dict[str, str]:
        """The arguments of any call that name the payer; none where the bucket's owner pays."""
        return {"RequestPayer": "requester"} if self.requester_pays else {}


def region() -> str | None:
    """The region that the environment names. AWS_REGION comes first; botocore itself ignores it."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None


def _own_variable(name: str) -> str:
    # Glue lets a job set only variables with this prefix.
    return os.environ.get(name) or os.environ.get(f"CUSTOMER_{name}") or ""


def _flag(name: str, *, default: bool) -> bool:
    value = _own_variable(name).lower()
    if value not in TRUE + FALSE:
        raise ConfigurationError(f"invalid {name}={value}: expected true or false")
    return default if not value else value in TRUE
