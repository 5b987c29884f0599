"""The files of a load in S3, for as long as it takes: Redshift's COPY reads from nowhere else."""

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

MOST_KEYS = 1000
"""How many objects one call removes."""


@dataclass(frozen=True)
class StagedFile:
    """An object that COPY reads.

    Attributes:
        url: where it is.
        size: in bytes.
    """

    url: str
    size: int


@contextmanager
def staged(folder: str, files: Mapping[str, Sequence[TableFile]]) -> Iterator[dict[str, str]]:
    """Put files into S3, and take them away at the end, unless it is not known that they are not read any more.

    Args:
        folder: where, as ``s3://bucket/prefix``. Nothing else is there: it is the load's own.
        files: by what they are loaded as. Those that are in S3 are read where they are. Of nothing there is no
            manifest.

    Yields:
        The address of a COPY manifest for each, which lists its files and nothing that lies beside them.

    Raises:
        OutsideSystemError: S3 refuses.
    """
    settings = S3Settings.from_environment()
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    with aws_failures(f"put files into {folder}"):
        place = _Place(s3_client(settings), bucket, prefix, {**settings.encryption(), **settings.payer()})
    try:
        with aws_failures(f"put files into {folder}"):
            manifests = _put(place, files)
        yield manifests
    except UnknownOutcomeError:
        # COPY may be reading them.
        raise
    except BaseException:
        place.clear()
        raise
    else:
        place.clear()


@dataclass
class _Place:
    """Where a load puts its objects, and the key of each from before it is there."""

    client: Any
    bucket: str
    prefix: str
    extra: Mapping[str, str]
    keys: list[str] = field(default_factory=list)

    def upload(self, name: str, path: str) -> str:
        """Put a local file there, and return its address."""
        self.keys.append(f"{self.prefix}/{name}")
        self.client.upload_file(path, self.bucket, self.keys[-1], ExtraArgs=dict(self.extra))
        return f"s3://{self.bucket}/{self.keys[-1]}"

    def write(self, name: str, text: str) -> str:
        """Put a text there, and return its address."""
        self.keys.append(f"{self.prefix}/{name}")
        self.client.put_object(Bucket=self.bucket, Key=self.keys[-1], Body=text.encode(), **self.extra)
        return f"s3://{self.bucket}/{self.keys[-1]}"

    def clear(self) -> None:
        """Take all of it away."""
        # The load is what it is by now. What stays does no harm, and a lifecycle rule of the bucket takes care of it.
        with suppress(ClientError, BotoCoreError):
            for start in range(0, len(self.keys), MOST_KEYS):
                objects = [{"Key": key} for key in self.keys[start : start + MOST_KEYS]]
                self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True})


def _put(place: _Place, files: Mapping[str, Sequence[TableFile]]) -> dict[str, str]:
    """Upload what is on a local disk, and write for each table the manifest that COPY reads."""
    manifests = {}
    with console.statement_bar("upload", sum(map(len, files.values()))) as show:
        done = 0
        for name, of_table in files.items():
            staged_files = []
            for file in of_table:
                show(done, file.name)
                url = file.path if is_in_s3(file.path) else place.upload(f"{name}/{file.name}", file.path)
                staged_files.append(StagedFile(url, file.size))
                done += 1
            if staged_files:
                manifests[name] = place.write(f"{name}.manifest", copy_manifest(staged_files))
    return manifests


def copy_manifest(files: Sequence[StagedFile]) -> str:
    """What COPY reads in place of all that has a prefix: each file, which must be there and of this size."""
    entries = [{"url": file.url, "mandatory": True, "meta": {"content_length": file.size}} for file in files]
    return json.dumps({"entries": entries})
