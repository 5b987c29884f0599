"""A folder in S3: the objects under a prefix."""

import io
import json
import mimetypes
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from jobs.aws.environment import S3Settings, is_submitted
from jobs.aws.errors import INTERRUPTED_ANSWERS, error_code, s3_errors
from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.storage.folder import LARGEST_TEXT, MARKER, Extent, Stored, StoredObject, WriteConflictError, decoded

CONTENT_TYPES = {"json": "application/json", "html": "text/html; charset=utf-8"}
"""Of text files, by the ending of their names; a browser shows others as they are."""

ATTEMPTS = 8
"""How often a call is made before it fails: with the waits of botocore's standard mode, about a minute."""

RANGE_BYTES = 256 * 1024
"""Bytes of one request: a header and many rows, in a request that takes no longer than the smallest."""

KEYS_PER_DELETE = 1000
WRITERS = 8
"""Objects that are written at a time; boto3 keeps up to ten connections."""

MISSING = ("NoSuchKey", "404")
PRECONDITION_FAILED = ("PreconditionFailed", "412", "NoSuchKey")
CHANGED_SINCE_OPENED = (*PRECONDITION_FAILED, "404")

with_retries = retry(
    retry=retry_if_exception_type(INTERRUPTED_ANSWERS),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(max=5),
    reraise=True,
)
"""Repeats a call whose answer broke off, which botocore does not."""


@cache
def s3_client(settings: S3Settings) -> Any:
    """The client of S3, one per process. boto3 finds credentials and profile in its usual places."""
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


class _ConcurrentWriteError(Exception):
    """S3 met two conditional writes of one object at once and asks that this one be repeated."""


class S3Folder:
    """The objects of a bucket under a prefix; see `Folder` for what its methods promise."""

    def __init__(self, bucket: str, prefix: str = "", settings: S3Settings | None = None) -> None:
        self.bucket, self.prefix = bucket, prefix
        settings = settings or S3Settings.from_environment()
        self._client = s3_client(settings)
        self._payer, self._encryption = settings.payer(), settings.encryption()

    def uri(self, *parts: str) -> str:
        """``s3:`` where a platform brings its own filesystem for it; Hadoop's own is called ``s3a:``."""
        return f"{'s3' if is_submitted() else 's3a'}://{self._path(*parts)}"

    def display_path(self, *parts: str) -> str:
        """The ``s3://`` URI."""
        return f"s3://{self._path(*parts)}"

    def names(self, *parts: str) -> list[str]:
        """The names directly under the prefix, sorted."""
        start = len(self._children_prefix(*parts))
        return sorted(key[start:].rstrip("/") for key in self._list_children(*parts) if key[start:])

    def exists(self, *parts: str) -> bool:
        """Whether there is such an object, or one below it."""
        return self._head(*parts) is not None or self.is_folder(*parts)

    def is_folder(self, *parts: str) -> bool:
        """Whether there are objects below it."""
        with s3_errors(self.display_path(*parts)):
            listing = self._call("list_objects_v2", Prefix=self._children_prefix(*parts), MaxKeys=1)
        return bool(listing["KeyCount"])

    def extent(self, *parts: str) -> Extent | None:
        """The size and the newest change of the objects below the prefix, by one listing; not of older versions."""
        with s3_errors(self.display_path(*parts)):
            objects = list(self._list_all(*parts))
        if not objects:
            return None
        changed_at = max(entry["LastModified"] for entry in objects)
        return Extent(sum(entry["Size"] for entry in objects), changed_at)

    def read(self, *parts: str) -> str | None:
        """An object's text, or None where there is none."""
        return self.read_version(*parts)[0]

    def read_version(self, *parts: str) -> tuple[str | None, str | None]:
        """An object's text and its ETag."""
        with s3_errors(self.display_path(*parts)):
            try:
                content, etag = self._get(*parts)
            except ClientError as error:
                if error_code(error) in MISSING:
                    return None, None
                raise
        return decoded(content, name=self.display_path(*parts)), etag

    def open_file(self, *parts: str) -> BufferedReader:
        """An object, open for reading from its beginning."""
        opened = self.describe(*parts)
        request = {"Bucket": self.bucket, "Key": self._key(*parts), **self._payer, "IfMatch": f'"{opened.etag}"'}
        return io.BufferedReader(_ObjectReader(self._client, opened, request), RANGE_BYTES)

    def describe(self, *parts: str) -> StoredObject:
        """An object's URI, size, ETag and version.

        Raises:
            ConfigurationError: There is no such object.
        """
        head = self._head(*parts)
        if head is None:
            raise ConfigurationError(f"{self.display_path(*parts)}: no such object. Check the URI")
        return StoredObject(self.display_path(*parts), head["ContentLength"], _etag(head), head.get("VersionId"))

    def data_files(self, *parts: str) -> list[StoredObject]:
        """The data files of a table's folder, by one listing and so without their versions."""
        start = len(self._children_prefix(*parts))
        objects = {key[start:]: entry for key, entry in self._list_children(*parts).items() if not key.endswith("/")}
        return [
            StoredObject(self.display_path(*parts, name), entry["Size"], _etag(entry))
            for name, entry in sorted(objects.items())
            if not name.startswith((".", "_"))
        ]

    def is_unchanged(self, file: Stored) -> bool:
        """Whether an object has the ETag that it had."""
        path = file.path.removeprefix(self.display_path()).strip("/")
        head = self._head(*path.split("/")) if path else self._head()
        return isinstance(file, StoredObject) and head is not None and _etag(head) == file.etag

    def create_folder(self, *parts: str) -> None:
        """Create a folder: an object that only one writer can be the first to write."""
        if self.exists(*parts):
            raise FileExistsError(self.display_path(*parts))
        marker = {"opened_at": datetime.now(UTC).isoformat(timespec="seconds"), "by": secrets.token_hex(8)}
        try:
            self.write_if_unchanged(json.dumps(marker) + "\n", *parts, MARKER, version=None)
        except WriteConflictError:
            raise FileExistsError(self.display_path(*parts)) from None

    def remove(self, *parts: str) -> None:
        """Remove the object and all below it. A versioned bucket keeps the versions."""
        with s3_errors(self.display_path(*parts)):
            keys = [{"Key": entry["Key"]} for entry in self._list_all(*parts)]
            keys += [{"Key": self._key(*parts)}] if parts else []
            for first in range(0, len(keys), KEYS_PER_DELETE):
                batch = {"Objects": keys[first : first + KEYS_PER_DELETE], "Quiet": True}
                answer = self._call("delete_objects", Delete=batch)
                for failure in answer.get("Errors", []):
                    raise ClientError({"Error": failure}, "DeleteObjects")

    def copy_in(self, folder: Path, *parts: str) -> None:
        """Upload the files of a local folder, each with the content type by which a browser shows it."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            content_type, _ = mimetypes.guess_type(file.name)
            self._upload(file, content_type, *parts, *file.relative_to(folder).parts)

    def write_text(self, text: str, *parts: str) -> None:
        """Write an object. S3 shows readers the old content or the new."""
        with s3_errors(self.display_path(*parts)):
            self._put(text, *parts)

    def write_texts(self, texts: Mapping[str, str], *parts: str) -> None:
        """Write objects by their paths below the prefix, all at a time: each write takes a tenth of a second."""
        with ThreadPoolExecutor(max_workers=WRITERS) as writers:
            list(writers.map(lambda path: self.write_text(texts[path], *parts, *path.split("/")), texts))

    def write_if_unchanged(self, text: str, *parts: str, version: str | None) -> str:
        """`write_text` over an object that still has the ETag ``version``, by one conditional write."""
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        with s3_errors(self.display_path(*parts)):
            try:
                return self._put_conditionally(text, *parts, **condition)
            except _ConcurrentWriteError:
                raise OutsideSystemError(
                    f"{self.display_path(*parts)}: too many writers at once. Run again later"
                ) from None
            except ClientError as error:
                if error_code(error) not in PRECONDITION_FAILED:
                    raise
        # botocore repeats a write whose answer was lost. The second write then meets the first, which is this one.
        content, etag = self.read_version(*parts)
        if content != text or etag is None:
            raise WriteConflictError
        return etag

    @retry(
        retry=retry_if_exception_type(_ConcurrentWriteError),
        stop=stop_after_attempt(8),
        wait=wait_random_exponential(max=2),
        reraise=True,
    )
    def _put_conditionally(self, text: str, *parts: str, **condition: str) -> str:
        try:
            return self._put(text, *parts, **condition)
        except ClientError as error:
            if error_code(error) in ("ConditionalRequestConflict", "409"):
                raise _ConcurrentWriteError from None
            raise

    def _put(self, text: str, *parts: str, **condition: str) -> str:
        content_type = CONTENT_TYPES.get(parts[-1].rpartition(".")[2], "text/plain; charset=utf-8")
        answer = self._call(
            "put_object",
            Key=self._key(*parts),
            Body=text.encode(),
            ContentType=content_type,
            **self._encryption,
            **condition,
        )
        return str(answer["ETag"])

    def _upload(self, file: Path, content_type: str | None, *parts: str) -> None:
        extra = {**self._encryption, **self._payer, "ContentType": content_type or "application/octet-stream"}
        with s3_errors(self.display_path(*parts)):
            self._client.upload_file(str(file), self.bucket, self._key(*parts), ExtraArgs=extra)

    @with_retries
    def _get(self, *parts: str) -> tuple[bytes, str]:
        """An object's content and its ETag. The body is read inside the retry, since it may break off."""
        answer = self._client.get_object(Bucket=self.bucket, Key=self._key(*parts), **self._payer)
        # Without a number of bytes, botocore notices a body that broke off. One that is too large is read no further.
        is_too_large = answer["ContentLength"] > LARGEST_TEXT
        return answer["Body"].read(LARGEST_TEXT + 1 if is_too_large else None), answer["ETag"]

    def _head(self, *parts: str) -> dict[str, Any] | None:
        with s3_errors(self.display_path(*parts)):
            try:
                return self._call("head_object", Key=self._key(*parts))
            except ClientError as error:
                if error_code(error) in MISSING:
                    return None
                raise

    def _list_children(self, *parts: str) -> dict[str, dict[str, Any]]:
        """What is directly under a prefix: objects by their keys, and prefixes, which end in a slash."""
        children: dict[str, dict[str, Any]] = {}
        with s3_errors(self.display_path(*parts)):
            for page in self._pages(Prefix=self._children_prefix(*parts), Delimiter="/"):
                children |= {entry["Prefix"]: {} for entry in page.get("CommonPrefixes", [])}
                children |= {entry["Key"]: entry for entry in page.get("Contents", [])}
        return children

    def _list_all(self, *parts: str) -> Iterator[dict[str, Any]]:
        for page in self._pages(Prefix=self._children_prefix(*parts)):
            yield from page.get("Contents", [])

    def _pages(self, **request: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **request, **self._payer)
        return with_retries(lambda: list(pages))()

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        call: Callable[..., dict[str, Any]] = getattr(self._client, operation)
        return with_retries(call)(Bucket=self.bucket, **request, **self._payer)

    def _key(self, *parts: str) -> str:
        return "/".join((*([self.prefix] if self.prefix else []), *parts))

    def _children_prefix(self, *parts: str) -> str:
        key = self._key(*parts)
        return f"{key}/" if key else ""

    def _path(self, *parts: str) -> str:
        return "/".join((self.bucket, *([self.prefix] if self.prefix else []), *parts))


class _ObjectReader(io.RawIOBase):
    """An object as a file that is read once, from its beginning to its end, by one request per range of bytes.

    Every request names the ETag that the object had when it was opened, so two contents never mix.
    """

    def __init__(self, client: Any, opened: StoredObject, request: dict[str, str]) -> None:
        super().__init__()
        self._client, self._opened, self._request = client, opened, request
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with the next bytes, at most one range of them; 0 at the end.

        Raises:
            DataError: The object was overwritten meanwhile.
        """
        if self._position >= self._opened.size:
            return 0
        with s3_errors(self._opened.path):
            try:
                content = self._next_range()
            except ClientError as error:
                if error_code(error) in CHANGED_SINCE_OPENED:
                    raise DataError(
                        f"{self._opened.path}: changed while it was read, expected it to stay. Run again"
                    ) from None
                raise
        taken = content[: len(buffer)]
        buffer[: len(taken)] = taken
        self._position += len(taken)
        return len(taken)

    @with_retries
    def _next_range(self) -> bytes:
        last = self._position + RANGE_BYTES - 1
        content: bytes = self._client.get_object(Range=f"bytes={self._position}-{last}", **self._request)["Body"].read()
        return content


def _etag(answer: dict[str, Any]) -> str:
    return str(answer["ETag"]).strip('"')
