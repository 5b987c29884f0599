"""The AWS errors of a load, by the table in `jobs.aws.errors`."""

from contextlib import AbstractContextManager
from types import MappingProxyType

from jobs.aws import errors
from jobs.errors import OutsideSystemError

RENEW = "Renew the credentials (aws login, or the job's role) and try again"

ADVICE: errors.Advice = MappingProxyType(
    {
        errors.DENIED: "Grant what docs/warehouse.md lists under permissions, or use another role",
        errors.EXPIRED: RENEW,
        errors.INVALID_CREDENTIALS: RENEW,
        errors.INVALID_REQUEST: "Check --warehouse, and the region (AWS_REGION)",
        errors.NO_BUCKET: "Check --staging",
        errors.NO_CREDENTIALS: RENEW,
    }
)


class NoAnswerError(OutsideSystemError):
    """No answer came, or the service itself failed: the request may have been carried out."""


def aws_failures(action: str) -> AbstractContextManager[None]:
    """Turn what AWS or its SDK raises into an error of one line.

    Args:
        action: follows "could not".

    Raises:
        NoAnswerError: No answer came, or the service itself failed.
        OutsideSystemError: Anything else. A load may be open by then, so nothing is a `ConfigurationError`.
    """
    return errors.aws_errors(f"could not {action}", advice=ADVICE, error_of=_error_of)


def _error_of(failure: errors.AwsFailure) -> OutsideSystemError:
    may_be_done = failure.meaning in (errors.UNAVAILABLE, errors.UNREACHABLE)
    return (NoAnswerError if may_be_done else OutsideSystemError)(failure.message)
