"""What AWS and its SDK refuse, as an error of one line that says what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoRegionError
from botocore.exceptions import ConnectionError as NoConnectionError

from jobs.aws.errors import NO_CREDENTIALS
from jobs.errors import OutsideSystemError

RENEW = "Renew the credentials (aws login, or the job's role) and try again"
GRANT = "Grant what docs/warehouse.md lists under permissions, or use another role"
LATER = "It was tried several times; try again later"

ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "AccessDenied": GRANT,
        "AccessDeniedException": GRANT,
        "ActiveStatementsExceededException": "Too many statements are running; try again later",
        "ExpiredToken": RENEW,
        "ExpiredTokenException": RENEW,
        "InternalServerException": LATER,
        "InvalidAccessKeyId": RENEW,
        "NoSuchBucket": "Check --staging",
        "RequestLimitExceeded": LATER,
        "SignatureDoesNotMatch": RENEW,
        "SlowDown": LATER,
        "ThrottlingException": LATER,
        "UnrecognizedClientException": RENEW,
        "ValidationException": "Check --warehouse, and the region (AWS_REGION)",
    }
)
"""What to do, by the service's code for what is wrong."""


class NoAnswerError(OutsideSystemError):
    """A service did not say what became of a request, and it was asked several times."""


@contextmanager
def aws_failures(what: str) -> Iterator[None]:
    """Name what could not be done, and why, when AWS or its SDK refuses.

    Args:
        what: follows "could not".

    Raises:
        NoAnswerError: Nothing was heard, or the service itself failed; so it may have been done.
        OutsideSystemError: It was refused.
    """
    try:
        yield
    except ClientError as error:
        found = error.response.get("Error", {})
        code = found.get("Code", "no code")
        advice = ADVICE.get(code, "See what the service says, and try again")
        kind = NoAnswerError if code in ("500", "InternalServerException") else OutsideSystemError
        raise kind(f"could not {what}: {code}: {found.get('Message', '').rstrip('.')}. {advice}") from None
    except NO_CREDENTIALS as error:
        raise OutsideSystemError(f"could not {what}: {error}. {RENEW}") from None
    except NoRegionError:
        raise OutsideSystemError(f"could not {what}: no AWS region is set. Set AWS_REGION") from None
    except (NoConnectionError, HTTPClientError) as error:
        raise NoAnswerError(f"could not {what}: {str(error).rstrip('.')}. Check the network and the region") from None
    except (BotoCoreError, S3UploadFailedError) as error:
        raise OutsideSystemError(f"could not {what}: {error}") from None
