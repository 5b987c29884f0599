"""What S3A says when it fails, in the words that the rest of the project has for it."""

import re

from jobs.errors import OutsideSystemError, PipelineError
from jobs.storage.s3_failures import KINDS, named_code

CODES = tuple(code for kind in KINDS for code in kind.codes)
PLACE = re.compile(r"s3a?://[^\s:'`,)\]]+")
ANSWER = re.compile(r"\(Service: (?:Amazon )?S3[,;] Status Code: (\d+)")
"""As AWS's second and first SDK for Java put it; a platform's own filesystem may still have the first."""

NO_CREDENTIALS = re.compile(r"NoAuthWithAWSException|Unable to load credentials")
UNREACHED = (
    "Connection refused",
    "UnknownHostException",
    "ConnectTimeoutException",
    "SocketTimeoutException",
    "Connection reset",
    "NoHttpResponseException",
    "Premature end of Content-Length",
    "Unable to execute HTTP request",
)
"""What is said where no answer came, the more telling first."""


def named_failure(text: str) -> PipelineError | None:
    """The error for a failure of Spark that was one of S3; None for any other.

    Args:
        text: all that Spark says of it, causes too.
    """
    if not any(sign in text for sign in ("s3a", "awssdk", "Amazon S3")):
        return None
    found = PLACE.search(text)
    place = re.sub(r"^s3a:", "s3:", found[0]).rstrip(".") if found else "S3"
    if NO_CREDENTIALS.search(text):
        return OutsideSystemError(f"{place}: no AWS credentials for Spark. Log in, or set AWS_PROFILE, and run again")
    words = set(re.findall(r"\w+", text))
    status = ANSWER.search(text)
    code = next((code for code in CODES if code in words and not code.isdigit()), status[1] if status else "")
    known = named_code(place, code, asked="something by Spark")
    if known is not None:
        return known
    unreached = next((words for words in UNREACHED if words in text), None)
    if unreached:
        return OutsideSystemError(
            f"{place}: S3 cannot be reached by Spark ({unreached}). Check the network and AWS_ENDPOINT_URL"
        )
    return None
