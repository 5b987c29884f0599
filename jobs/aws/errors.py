"""One table of AWS errors: what each code means, which exit code it ends a run with, and what to do.

Jobs and deploy share the table. Each caller adds its own advice, such as the page that lists the permissions, and its
own exception classes.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from textwrap import shorten
from types import MappingProxyType
from typing import Any

from boto3.exceptions import Boto3Error, S3UploadFailedError
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import ProtocolError

from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError

INTERRUPTED_ANSWERS = (
    exceptions.IncompleteReadError,
    exceptions.ReadTimeoutError,
    exceptions.ResponseStreamingError,
    ProtocolError,
)
"""An answer that began well and broke off. botocore does not retry these."""


@dataclass(frozen=True)
class Meaning:
    """A row of the table: codes and exceptions that call for the same action.

    Attributes:
        summary: what happened.
        error: the class that ends the run, and with it the exit code.
        advice: what to do, unless the caller knows better.
        codes: of the services. S3 answers HEAD without a body; its code is then the HTTP status.
        exceptions: of botocore, where no service answered.
    """

    summary: str
    error: type[PipelineError]
    advice: str
    codes: tuple[str, ...] = ()
    exceptions: tuple[type[Exception], ...] = ()


NO_BUCKET = Meaning(
    "no such bucket", ConfigurationError, "Check the name, and which account owns the bucket", codes=("NoSuchBucket",)
)
WRONG_REGION = Meaning(
    "the bucket is in another region",
    ConfigurationError,
    "Set AWS_REGION to the region of the bucket",
    codes=("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
)
EXPIRED = Meaning(
    "the AWS credentials have expired",
    OutsideSystemError,
    "Renew the credentials and run again",
    codes=("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired", "InvalidToken"),
)
INVALID_CREDENTIALS = Meaning(
    "the AWS credentials are not accepted",
    OutsideSystemError,
    "Check the credentials and run again",
    codes=("InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"),
)
UNEXPLAINED = Meaning(
    # The answer to HEAD has no body. S3 answers so when a token has expired.
    "the service gave no reason, as it does when AWS credentials have expired",
    OutsideSystemError,
    "Renew the credentials and run again",
    codes=("400",),
)
DENIED = Meaning(
    "access denied",
    OutsideSystemError,
    "Ask for the permission, or use other credentials",
    codes=(
        *("AccessDenied", "AccessDeniedException", "AllAccessDisabled", "AuthorizationError", "Forbidden"),
        *("UnauthorizedOperation", "403"),
    ),
)
THROTTLED = Meaning(
    "too many requests",
    OutsideSystemError,
    "Run again later",
    codes=(
        *("ActiveStatementsExceededException", "RequestLimitExceeded", "SlowDown", "Throttling"),
        *("ThrottledException", "ThrottlingException", "TooManyRequestsException"),
    ),
)
UNAVAILABLE = Meaning(
    "the service failed",
    OutsideSystemError,
    "Run again later",
    codes=(
        *("InternalError", "InternalFailure", "InternalServerException", "InternalServiceException"),
        *("OperationTimeoutException", "ServiceUnavailable", "500", "502", "503"),
    ),
)
INVALID_REQUEST = Meaning(
    "the request is not valid",
    OutsideSystemError,
    "Check the options and the region",
    codes=("InvalidInputException", "ValidationError", "ValidationException"),
)
NO_CREDENTIALS = Meaning(
    # Nothing here is cured by a retry.
    "no AWS credentials",
    OutsideSystemError,
    "Log in, or set AWS_PROFILE, and run again",
    exceptions=(
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.SSOError,
        exceptions.LoginError,
        exceptions.TokenRetrievalError,
    ),
)
NO_REGION = Meaning(
    "no AWS region", ConfigurationError, "Set AWS_REGION and run again", exceptions=(exceptions.NoRegionError,)
)
UNREACHABLE = Meaning(
    "the service cannot be reached",
    OutsideSystemError,
    "Check the network and the region",
    exceptions=(exceptions.ConnectionError, exceptions.HTTPClientError, *INTERRUPTED_ANSWERS),
)

UNREADABLE = Meaning(
    "the answer is none of AWS's",
    OutsideSystemError,
    "Check the network: a proxy may answer in place of AWS",
    exceptions=(ResponseParserError,),
)

TABLE = (
    UNREADABLE,
    NO_BUCKET,
    WRONG_REGION,
    EXPIRED,
    INVALID_CREDENTIALS,
    UNEXPLAINED,
    DENIED,
    THROTTLED,
    UNAVAILABLE,
    INVALID_REQUEST,
    NO_CREDENTIALS,
    NO_REGION,
    UNREACHABLE,
)

REFUSED = Meaning("the request was refused", OutsideSystemError, "See what the service reports, and run again")
"""The meaning of a code that the table does not have."""

SDK_FAILED = Meaning("the AWS SDK failed", OutsideSystemError, "Run again")
"""The meaning of an exception that the table does not have."""

PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "GetObject": "s3:GetObject",
        "HeadObject": "s3:GetObject",
        "ListObjectsV2": "s3:ListBucket",
        "PutObject": "s3:PutObject",
        "CreateMultipartUpload": "s3:PutObject",
        "UploadPart": "s3:PutObject",
        "DeleteObjects": "s3:DeleteObject",
    }
)
"""The IAM action behind each operation of S3, which S3 itself does not name. Other services name it."""

MOST_OF_A_DETAIL = 500
"""The characters of a detail that are shown: a proxy answers with a page."""

Advice = Mapping[Meaning, str]

S3_ADVICE: Advice = MappingProxyType(
    {
        DENIED: "Grant what docs/s3.md lists, and the use of the KMS key",
        UNREACHABLE: "Check the network and AWS_ENDPOINT_URL",
    }
)


@dataclass(frozen=True)
class AwsFailure:
    """A call that failed.

    Attributes:
        meaning: its row of the table.
        message: one line for the user: subject, summary, what AWS reported, advice.
        code: the service's; without an answer, the name of the exception.
        is_answer: whether the service answered. Without an answer the work may have been done.
    """

    meaning: Meaning
    message: str
    code: str
    is_answer: bool

    def as_error(self) -> PipelineError:
        """The exception that the table names."""
        return self.meaning.error(self.message)


@contextmanager
def aws_errors(
    subject: str,
    *,
    advice: Advice = MappingProxyType({}),
    error_of: Callable[[AwsFailure], PipelineError] | None = None,
) -> Iterator[None]:
    """Turn an exception of boto3 or botocore into a `PipelineError` of one line.

    Args:
        subject: what the message begins with: a place, or an action that could not be done.
        advice: replaces the table's advice, by meaning.
        error_of: builds the exception, for a caller with classes of its own; by default the table's class.

    Raises:
        PipelineError: The call failed.
    """
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error, ProtocolError, ResponseParserError) as error:
        failure = failure_of(error, subject, advice)
        raise (failure.as_error() if error_of is None else error_of(failure)) from error


def s3_errors(place: str) -> AbstractContextManager[None]:
    """`aws_errors` for a place in S3.

    Raises:
        ConfigurationError: The bucket does not exist or is in another region, or no region is set.
        OutsideSystemError: S3 refuses, fails, or cannot be reached.
    """
    return aws_errors(place, advice=S3_ADVICE)


def failure_of(error: Exception, subject: str, advice: Advice) -> AwsFailure:
    """Look an exception of boto3 or botocore up in the table, and word its message."""
    cause = _cause_of(error)
    meaning = meaning_of(cause)
    if isinstance(cause, ClientError):
        return AwsFailure(meaning, error_line(subject, meaning, _answer(cause), advice), error_code(cause), True)
    return AwsFailure(meaning, error_line(subject, meaning, str(cause), advice), type(cause).__name__, False)


def meaning_of(error: BaseException) -> Meaning:
    """The row of an exception of boto3 or botocore."""
    if isinstance(error, ClientError):
        by_code = next((row for row in TABLE if error_code(error) in row.codes), None)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return by_code or (UNAVAILABLE if status >= 500 else REFUSED)
    return next((row for row in TABLE if isinstance(error, row.exceptions)), SDK_FAILED)


def error_code(error: ClientError) -> str:
    """The service's code; S3 answers HEAD without a body, and the code is then the HTTP status."""
    return str(_reported(error).get("Code", "no code"))


def error_line(subject: str, meaning: Meaning, detail: str, advice: Advice) -> str:
    """The line for the user.

    Args:
        subject: a place or an action.
        meaning: the row of the table.
        detail: what AWS reported.
        advice: replaces the table's, by meaning.
    """
    in_a_line = shorten(detail, MOST_OF_A_DETAIL, placeholder=" [...]").rstrip(".")
    return f"{subject}: {meaning.summary} ({in_a_line}). {advice.get(meaning, meaning.advice)}"


def _cause_of(error: Exception) -> Exception:
    # boto3 wraps S3's answer to an upload in a message without its code.
    cause = error.__context__ if isinstance(error, S3UploadFailedError) else None
    return cause if isinstance(cause, ClientError | BotoCoreError) else error


def _answer(error: ClientError) -> str:
    """Operation, code and message; where they help, the missing permission and the number of attempts."""
    operation = error.operation_name
    parts = (operation, error_code(error), str(_reported(error).get("Message") or "").rstrip("."))
    answer = ": ".join(part for part in parts if part)
    if meaning_of(error) is DENIED and operation in PERMISSIONS:
        answer += f"; needs {PERMISSIONS[operation]}"
    retries = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
    return f"{answer}; {retries + 1} attempts" if retries else answer


def _reported(error: ClientError) -> Mapping[str, Any]:
    reported: Mapping[str, Any] = error.response.get("Error", {})
    return reported
