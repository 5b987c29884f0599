"""The files of a load in S3, for as long as the load takes. Redshift's COPY reads from S3 only."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from jobs.aws.environment import S3Settings
from jobs.cli import console
from jobs.storage.s3 import s3_client
from jobs.storage.table_files import TableFile
from jobs.storage.uris import is_in_s3
from jobs.warehouse.aws_errors import aws_failures
from jobs.warehouse.data_api import UnknownOutcomeError

MAX_KEYS_PER_DELETE = 1000
"""S3's limit for one call."""


@dataclass(frozen=True)
class StagedFile:
    """An object that COPY reads.

    Attributes:
        url: the object's ``s3://`` URL.
        size: its size in bytes.
    """

    url: str
    size: int


@contextmanager
def staged_files(folder: str, files: Mapping[str, Sequence[TableFile]]) -> Iterator[dict[str, str]]:
    """Upload files to S3, and delete them at the end, unless Redshift may still be reading them.

    Args:
        folder: a folder of this load's own, as ``s3://bucket/prefix``.
        files: the files of each COPY, by its name. Files that are in S3 already stay where they are.

    Yields:
        By name, the URL of the COPY manifest, which lists these files and nothing beside them. A COPY without files
        has no manifest.

    Raises:
        OutsideSystemError: S3 refused a request, or could not be reached.
    """
    settings = S3Settings.from_environment()
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    with aws_failures(f"put files into {folder}"):
        staging = _StagingFolder(s3_client(settings), bucket, prefix, {**settings.encryption(), **settings.payer()})
    try:
        with aws_failures(f"put files into {folder}"):
            manifests = _stage(staging, files)
        yield manifests
    except UnknownOutcomeError:
        # The batch may still be running, and its COPY reading the files.
        raise
    except BaseException:
        staging.clear()
        raise
    else:
        staging.clear()


def copy_manifest(files: Sequence[StagedFile]) -> str:
    """The JSON that COPY reads in place of a prefix. Each file must exist, and have this size."""
    entries = [{"url": file.url, "mandatory": True, "meta": {"content_length": file.size}} for file in files]
    return json.dumps({"entries": entries})


@dataclass
class _StagingFolder:
    """The folder of one load.

    A key is listed before its object is written, so that an interrupted upload is deleted too.
    """

    client: Any
    bucket: str
    prefix: str
    write_options: Mapping[str, str]
    keys: list[str] = field(default_factory=list)

    def upload(self, name: str, path: str) -> str:
        """Upload a local file, and return its URL."""
        key = self._new_key(name)
        self.client.upload_file(path, self.bucket, key, ExtraArgs=dict(self.write_options))
        return f"s3://{self.bucket}/{key}"

    def write(self, name: str, text: str) -> str:
        """Write a text, and return its URL."""
        key = self._new_key(name)
        self.client.put_object(Bucket=self.bucket, Key=key, Body=text.encode(), **self.write_options)
        return f"s3://{self.bucket}/{key}"

    def clear(self) -> None:
        """Delete all objects, as far as S3 allows."""
        # The outcome of the load stands by now. The bucket's lifecycle rule deletes what remains here.
        with suppress(ClientError, BotoCoreError):
            for start in range(0, len(self.keys), MAX_KEYS_PER_DELETE):
                objects = [{"Key": key} for key in self.keys[start : start + MAX_KEYS_PER_DELETE]]
                self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True})

    def _new_key(self, name: str) -> str:
        self.keys.append(f"{self.prefix}/{name}")
        return self.keys[-1]


def _stage(staging: _StagingFolder, files: Mapping[str, Sequence[TableFile]]) -> dict[str, str]:
    """Upload the files that are on a local disk, and write the manifest of each COPY."""
    manifests = {}
    files_done = 0
    with console.statement_bar("upload", sum(map(len, files.values()))) as show:
        for name, files_of_copy in files.items():
            staged = []
            for file in files_of_copy:
                show(files_done, file.name)
                url = file.path if is_in_s3(file.path) else staging.upload(f"{name}/{file.name}", file.path)
                staged.append(StagedFile(url, file.size))
                files_done += 1
            if staged:
                manifests[name] = staging.write(f"{name}.manifest", copy_manifest(staged))
    return manifests
