"""The one client of S3, and the settings that it shares with Spark."""

import io
import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from jobs.aws.environment import S3Settings
from jobs.aws.errors import INTERRUPTED_ANSWERS, error_code, s3_errors
from jobs.errors import DataError

ATTEMPTS = 8
"""How often a call is made before it is given up: with the waits of botocore's standard mode, about a minute."""

asked_again = retry(
    retry=retry_if_exception_type(INTERRUPTED_ANSWERS),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(max=5),
    reraise=True,
)


@cache
def s3_client(settings: S3Settings) -> Any:
    """The client of S3. Credentials and profile are found as boto3 finds them."""
    attempts = int(os.environ.get("AWS_MAX_ATTEMPTS") or ATTEMPTS)
    with s3_errors("S3"):
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


PIECE = 256 * 1024
"""Bytes of a request: the header and many rows, in one that takes no longer than the smallest."""


@asked_again
def whole_object(client: Any, **request: str) -> tuple[bytes, str]:
    """An object's content and its ETag."""
    answer = client.get_object(**request)
    return answer["Body"].read(), answer["ETag"]


@asked_again
def piece_of(client: Any, first: int, **request: str) -> bytes:
    """A piece of an object, from byte ``first`` on."""
    body: bytes = client.get_object(Range=f"bytes={first}-{first + PIECE - 1}", **request)["Body"].read()
    return body


class ObjectReader(io.RawIOBase):
    """An object as a file that can be read once, from its beginning to its end.

    All pieces are asked for by the ETag of the object as it was found, so that two contents are never mixed.

    Raises:
        DataError: The object was written anew meanwhile.
    """

    def __init__(self, client: Any, place: str, *, size: int, **request: str) -> None:
        super().__init__()
        self._client, self._place, self._size, self._request = client, place, size, request
        self._at = 0

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with the next bytes, as far as one piece has them; 0 at the end."""
        if self._at >= self._size:
            return 0
        with s3_errors(self._place):
            try:
                piece = piece_of(self._client, self._at, **self._request)
            except ClientError as error:
                if error_code(error) in ("PreconditionFailed", "412", "NoSuchKey", "404"):
                    raise DataError(
                        f"{self._place}: changed while it was read, expected it to stay. Run again"
                    ) from None
                raise
        taken = piece[: len(buffer)]
        buffer[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)
