"""The one client of S3, the settings that it shares with Spark, and the failures of S3 in words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from urllib3.exceptions import ProtocolError

from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError

ATTEMPTS = 8
"""How often a call is made before it is given up: with the waits of botocore's standard mode, about a minute."""

YES, NO = ("true", "yes", "1"), ("false", "no", "0", "")

PERMISSIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
}
"""What a caller has to be allowed for each operation that is called here."""


@dataclass(frozen=True)
class Kind:
    """Codes of S3 that mean one thing to whoever has to mend it, and what that is."""

    codes: tuple[str, ...]
    error: type[PipelineError]
    means: str
    to_do: str


KINDS = (
    Kind(("NoSuchBucket",), ConfigurationError, "found no such bucket", "Check the URI, and whose account this is"),
    Kind(
        ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
        ConfigurationError,
        "the bucket is in another region than the one that was asked",
        "Set AWS_REGION to that of the bucket",
    ),
    Kind(
        ("AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden", "403"),
        OutsideSystemError,
        "access denied",
        "Give the user or role that runs this what it needs (docs/s3.md), the KMS key too",
    ),
    Kind(
        ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired", "InvalidToken"),
        OutsideSystemError,
        "the AWS credentials have expired",
        "Renew them, and run again",
    ),
    Kind(
        # The answer to HEAD has no body to say more in.
        ("400",),
        OutsideSystemError,
        "S3 refused a request without a reason, as it does when AWS credentials have expired",
        "Renew them, and run again",
    ),
    Kind(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch"),
        OutsideSystemError,
        "S3 does not accept the AWS credentials",
        "Check them, and run again",
    ),
    Kind(
        ("SlowDown", "ServiceUnavailable", "InternalError", "RequestLimitExceeded", "500", "502", "503"),
        OutsideSystemError,
        "S3 is busy or failing, and was asked several times",
        "Run again later",
    ),
)
NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.ProfileNotFound,
    exceptions.SSOError,
    exceptions.LoginError,
    exceptions.TokenRetrievalError,
)
BROKEN_OFF = (
    exceptions.IncompleteReadError,
    exceptions.ReadTimeoutError,
    exceptions.ResponseStreamingError,
    ProtocolError,
)
"""An answer that began well and broke off, which botocore does not ask for again."""

UNREACHED = (exceptions.ConnectionError, exceptions.HTTPClientError, *BROKEN_OFF)

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


@contextmanager
def named_failures(place: str) -> Iterator[None]:
    """Turn what boto3 raises into an error that ends a run with the right code and one line.

    Raises:
        ConfigurationError: The bucket is not there, or is in another region.
        OutsideSystemError: S3 refuses, does not answer, or cannot be reached.
    """
    try:
        yield
    except ClientError as error:
        raise named(place, error) from None
    except S3UploadFailedError as error:
        # Told in words of boto3's own, with what S3 answered behind it.
        cause = error.__context__
        if isinstance(cause, ClientError):
            raise named(place, cause) from None
        raise OutsideSystemError(f"{place}: {_in_a_line(error)}. Run again") from None
    except exceptions.NoRegionError:
        raise ConfigurationError(f"{place}: no AWS region is set. Set AWS_REGION to that of the bucket") from None
    except NO_CREDENTIALS as error:
        raise OutsideSystemError(
            f"{place}: no AWS credentials ({_in_a_line(error)}). Log in, or set AWS_PROFILE, and run again"
        ) from None
    except UNREACHED as error:
        raise OutsideSystemError(
            f"{place}: S3 cannot be reached ({_in_a_line(error)}). Check the network and AWS_ENDPOINT_URL"
        ) from None
    except BotoCoreError as error:
        raise OutsideSystemError(f"{place}: S3 failed ({_in_a_line(error)}). Run again") from None


def code_of(error: ClientError) -> str:
    """The code by which S3 names an error; the HTTP status where it has no body to name it in."""
    return str(error.response.get("Error", {}).get("Code", ""))


def named(place: str, error: ClientError) -> PipelineError:
    """What S3 answered, as the error that ends the run."""
    code, operation = code_of(error), error.operation_name
    permission = PERMISSIONS.get(operation, "")
    known = named_code(place, code, asked=f"{operation}, for which {permission} is needed" if permission else operation)
    message = error.response.get("Error", {}).get("Message", "")
    return known or OutsideSystemError(f"{place}: S3 refused {operation} ({code}: {message}). Run again")


def named_code(place: str, code: str, *, asked: str) -> PipelineError | None:
    """An error code of S3 in words; None for one that means nothing in particular.

    Args:
        place: what was read or written.
        code: S3's.
        asked: what S3 was asked for.
    """
    for kind in KINDS:
        if code in kind.codes:
            return kind.error(f"{place}: {kind.means} ({code}, asked for {asked}). {kind.to_do}")
    return None


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
