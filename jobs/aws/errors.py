"""The failures of S3 in words: what was asked of it, what it said, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from boto3.exceptions import S3UploadFailedError
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import ProtocolError

from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError

NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.ProfileNotFound,
    exceptions.SSOError,
    exceptions.LoginError,
    exceptions.TokenRetrievalError,
)
"""What botocore raises where there are no credentials to use: nothing that asking again would mend."""

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
    advice: str


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
BROKEN_OFF = (
    exceptions.IncompleteReadError,
    exceptions.ReadTimeoutError,
    exceptions.ResponseStreamingError,
    ProtocolError,
)
"""An answer that began well and broke off, which botocore does not ask for again."""

UNREACHED = (exceptions.ConnectionError, exceptions.HTTPClientError, *BROKEN_OFF)


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
