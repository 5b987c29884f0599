"""The files of a load in S3, for as long as it takes: Redshift's COPY reads from nowhere else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from jobs import console
from jobs.outputs import OutputFile
from jobs.storage import is_in_s3
from jobs.warehouse.aws_errors import said_plainly
from jobs.warehouse.data_api import RETRIES, UnknownOutcomeError

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
def staged(folder: str, files: Mapping[str, Sequence[OutputFile]]) -> Iterator[dict[str, str]]:
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
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    with said_plainly(f"put files into {folder}"):
        client: Any = boto3.client("s3", config=RETRIES)
    keys: list[str] = []
    try:
        with said_plainly(f"put files into {folder}"):
            manifests = _put(client, bucket, prefix, files, keys)
        yield manifests
    except UnknownOutcomeError:
        # COPY may be reading them.
        raise
    except BaseException:
        _remove(client, bucket, keys)
        raise
    else:
        _remove(client, bucket, keys)


def _remove(client: Any, bucket: str, keys: Sequence[str]) -> None:
    # The load is what it is by now. What stays does no harm, and a lifecycle rule of the bucket takes care of it.
    with suppress(ClientError, BotoCoreError):
        for start in range(0, len(keys), MOST_KEYS):
            objects = [{"Key": key} for key in keys[start : start + MOST_KEYS]]
            client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})


def _put(
    client: Any, bucket: str, prefix: str, files: Mapping[str, Sequence[OutputFile]], keys: list[str]
) -> dict[str, str]:
    """Upload files and manifests; ``keys`` gets the key of each before it is there."""
    manifests = {}
    with console.statement_bar("upload", sum(map(len, files.values()))) as show:
        done = 0
        for name, of_table in files.items():
            staged_files = []
            for file in of_table:
                show(done, file.name)
                if is_in_s3(file.path):
                    staged_files.append(StagedFile(file.path, file.size))
                else:
                    keys.append(f"{prefix}/{name}/{file.name}")
                    client.upload_file(file.path, bucket, keys[-1])
                    staged_files.append(StagedFile(f"s3://{bucket}/{keys[-1]}", file.size))
                done += 1
            if staged_files:
                keys.append(f"{prefix}/{name}.manifest")
                client.put_object(Bucket=bucket, Key=keys[-1], Body=copy_manifest(staged_files).encode())
                manifests[name] = f"s3://{bucket}/{keys[-1]}"
    return manifests


def copy_manifest(files: Sequence[StagedFile]) -> str:
    """What COPY reads in place of all that has a prefix: each file, which must be there and of this size."""
    entries = [{"url": file.url, "mandatory": True, "meta": {"content_length": file.size}} for file in files]
    return json.dumps({"entries": entries})
