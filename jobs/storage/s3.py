"""A folder in S3: the objects under a prefix."""

import io
import json
import mimetypes
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import ClientError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from jobs.aws.environment import S3Settings, is_submitted
from jobs.aws.errors import error_code, s3_errors
from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.storage.folder import ChangedMeanwhileError, Stored, StoredObject
from jobs.storage.s3_client import PIECE, ObjectReader, asked_again, s3_client, whole_object

MARKER = "_opened.json"
"""What makes a folder exist from the moment that it is made: S3 has no folders, only objects."""

NOT_THERE = ("NoSuchKey", "404")
WRITTEN_MEANWHILE = ("PreconditionFailed", "412", "NoSuchKey")
MOST_DELETED_AT_ONCE = 1000


class TwoAtOnceError(Exception):
    """S3 saw another conditional write of the same object and carried out neither or one: ask again."""


class S3Folder:
    """The objects of a bucket under a prefix; see `Folder` for what its methods promise."""

    def __init__(self, bucket: str, prefix: str = "", settings: S3Settings | None = None) -> None:
        self.bucket, self.prefix = bucket, prefix
        settings = settings or S3Settings.from_environment()
        self._client = s3_client(settings)
        self._pays, self._encrypted = settings.payer(), settings.encryption()

    def uri(self, *parts: str) -> str:
        """``s3:`` where a platform brings its own filesystem for it; Hadoop's own is called ``s3a:``."""
        return f"{'s3' if is_submitted() else 's3a'}://{self._path(*parts)}"

    def shown(self, *parts: str) -> str:
        """The ``s3://`` URI."""
        return f"s3://{self._path(*parts)}"

    def names(self, *parts: str) -> list[str]:
        """The names right under the prefix, sorted."""
        start = len(self._below(*parts))
        return sorted(key[start:].rstrip("/") for key in self._listed(*parts) if key[start:])

    def exists(self, *parts: str) -> bool:
        """Whether there is such an object, or one below it."""
        return self._head(*parts) is not None or self.is_folder(*parts)

    def is_folder(self, *parts: str) -> bool:
        """Whether there are objects below it."""
        with s3_errors(self.shown(*parts)):
            found = self._asked("list_objects_v2", Prefix=self._below(*parts), MaxKeys=1)
        return bool(found["KeyCount"])

    def read(self, *parts: str) -> str | None:
        """An object's text, or None when there is none."""
        return self.read_version(*parts)[0]

    def read_version(self, *parts: str) -> tuple[str | None, str | None]:
        """An object's text and its ETag."""
        with s3_errors(self.shown(*parts)):
            try:
                content, etag = whole_object(self._client, **self._object(*parts), **self._pays)
            except ClientError as error:
                if error_code(error) in NOT_THERE:
                    return None, None
                raise
        try:
            return content.decode(), etag
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{self.shown(*parts)}: cannot be read as text ({error})") from None

    def opened(self, *parts: str) -> IO[bytes]:
        """An object, to be read from its beginning."""
        found = self.stored(*parts)
        request = {**self._object(*parts), **self._pays, "IfMatch": f'"{found.etag}"'}
        return io.BufferedReader(ObjectReader(self._client, found.path, size=found.size, **request), PIECE)

    def stored(self, *parts: str) -> StoredObject:
        """An object's URI, size, ETag and version.

        Raises:
            ConfigurationError: There is no such object.
        """
        head = self._head(*parts)
        if head is None:
            raise ConfigurationError(f"{self.shown(*parts)}: no such object. Check the URI")
        etag = head["ETag"].strip('"')
        return StoredObject(self.shown(*parts), head["ContentLength"], etag, head.get("VersionId"))

    def stored_files(self, *parts: str) -> list[StoredObject]:
        """The data files of a table's folder, by one listing and so without their versions."""
        start = len(self._below(*parts))
        files = {key[start:]: found for key, found in self._listed(*parts).items() if not key.endswith("/")}
        return [
            StoredObject(self.shown(*parts, name), found["Size"], found["ETag"].strip('"'))
            for name, found in sorted(files.items())
            if not name.startswith((".", "_"))
        ]

    def is_unchanged(self, file: Stored) -> bool:
        """Whether an object has the ETag that it had."""
        below = file.path.removeprefix(self.shown()).strip("/")
        head = self._head(*below.split("/")) if below else self._head()
        return isinstance(file, StoredObject) and head is not None and head["ETag"].strip('"') == file.etag

    def make(self, *parts: str) -> None:
        """Make a folder: an object that only one can be the first to write."""
        if self.exists(*parts):
            raise FileExistsError(self.shown(*parts))
        opened = {"opened_at": datetime.now(UTC).isoformat(timespec="seconds"), "by": secrets.token_hex(8)}
        try:
            self.exchange(json.dumps(opened) + "\n", *parts, MARKER, version=None)
        except ChangedMeanwhileError:
            raise FileExistsError(self.shown(*parts)) from None

    def remove(self, *parts: str) -> None:
        """Remove the object and all below it. A bucket that keeps versions keeps them."""
        with s3_errors(self.shown(*parts)):
            keys = [{"Key": key} for key in (*self._all_below(*parts), *([self._key(*parts)] if parts else []))]
            for first in range(0, len(keys), MOST_DELETED_AT_ONCE):
                some = {"Objects": keys[first : first + MOST_DELETED_AT_ONCE], "Quiet": True}
                answer = self._asked("delete_objects", Delete=some)
                for failed in answer.get("Errors", []):
                    raise ClientError({"Error": failed}, "DeleteObjects")

    def take_in(self, folder: Path, *parts: str) -> None:
        """Put the files of a local folder there, each with the type by which a browser shows it."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            content_type, _ = mimetypes.guess_type(file.name)
            self._put_file(file, content_type, *parts, *file.relative_to(folder).parts)

    def replace(self, text: str, *parts: str) -> None:
        """Write an object, of which readers find the old content or the new as S3 has it."""
        with s3_errors(self.shown(*parts)):
            self._put(text, *parts)

    def exchange(self, text: str, *parts: str, version: str | None) -> str:
        """`replace` an object that still has an ETag, by one conditional write."""
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        with s3_errors(self.shown(*parts)):
            try:
                return self._put_alone(text, *parts, **condition)
            except TwoAtOnceError:
                raise OutsideSystemError(f"{self.shown(*parts)}: many write it at once. Run again later") from None
            except ClientError as error:
                if error_code(error) not in WRITTEN_MEANWHILE:
                    raise
        # An answer that was lost on its way makes botocore write a second time, which then finds the first.
        content, etag = self.read_version(*parts)
        if content != text or etag is None:
            raise ChangedMeanwhileError
        return etag

    @retry(
        retry=retry_if_exception_type(TwoAtOnceError),
        stop=stop_after_attempt(8),
        wait=wait_random_exponential(max=2),
        reraise=True,
    )
    def _put_alone(self, text: str, *parts: str, **condition: str) -> str:
        try:
            return self._put(text, *parts, **condition)
        except ClientError as error:
            if error_code(error) in ("ConditionalRequestConflict", "409"):
                raise TwoAtOnceError from None
            raise

    def _put(self, text: str, *parts: str, **condition: str) -> str:
        kind = "application/json" if parts[-1].endswith(".json") else "text/plain; charset=utf-8"
        request = {"Key": self._key(*parts), "Body": text.encode(), "ContentType": kind, **self._encrypted, **condition}
        etag: str = self._asked("put_object", **request)["ETag"]
        return etag

    def _put_file(self, file: Path, content_type: str | None, *parts: str) -> None:
        extra = {**self._encrypted, **self._pays, "ContentType": content_type or "application/octet-stream"}
        with s3_errors(self.shown(*parts)):
            self._client.upload_file(str(file), self.bucket, self._key(*parts), ExtraArgs=extra)

    def _head(self, *parts: str) -> dict[str, Any] | None:
        with s3_errors(self.shown(*parts)):
            try:
                head: dict[str, Any] = self._asked("head_object", Key=self._key(*parts))
            except ClientError as error:
                if error_code(error) in NOT_THERE:
                    return None
                raise
        return head

    def _listed(self, *parts: str) -> dict[str, dict[str, Any]]:
        """What is right under a prefix: objects by their keys, and prefixes, which end in a slash."""
        with s3_errors(self.shown(*parts)):
            pages = self._pages(Prefix=self._below(*parts), Delimiter="/")
            found: dict[str, dict[str, Any]] = {}
            for page in pages:
                found |= {entry["Prefix"]: {} for entry in page.get("CommonPrefixes", [])}
                found |= {entry["Key"]: entry for entry in page.get("Contents", [])}
        return found

    def _all_below(self, *parts: str) -> Iterator[str]:
        for page in self._pages(Prefix=self._below(*parts)):
            yield from (entry["Key"] for entry in page.get("Contents", []))

    def _pages(self, **request: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **request, **self._pays)
        return asked_again(lambda: list(pages))()

    def _asked(self, operation: str, **request: Any) -> dict[str, Any]:
        call: Callable[..., dict[str, Any]] = getattr(self._client, operation)
        return asked_again(call)(Bucket=self.bucket, **request, **self._pays)

    def _object(self, *parts: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self._key(*parts)}

    def _key(self, *parts: str) -> str:
        return "/".join((*([self.prefix] if self.prefix else []), *parts))

    def _below(self, *parts: str) -> str:
        key = self._key(*parts)
        return f"{key}/" if key else ""

    def _path(self, *parts: str) -> str:
        return "/".join((self.bucket, *([self.prefix] if self.prefix else []), *parts))
