"""Reading an object of S3 from its beginning, piece by piece: who wants its header fetches no gigabytes."""

import io
from typing import Any

from botocore.exceptions import ClientError

from jobs.errors import DataError
from jobs.storage.s3_client import asked_again
from jobs.storage.s3_failures import code_of, named_failures

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
        with named_failures(self._place):
            try:
                piece = piece_of(self._client, self._at, **self._request)
            except ClientError as error:
                if code_of(error) in ("PreconditionFailed", "412", "NoSuchKey", "404"):
                    raise DataError(
                        f"{self._place}: changed while it was read, expected it to stay. Run again"
                    ) from None
                raise
        taken = piece[: len(buffer)]
        buffer[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)
