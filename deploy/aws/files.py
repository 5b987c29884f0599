"""Files in S3: uploads that S3 checks against a checksum, sizes, and the deletion of every version."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from deploy.aws.requests import Aws, RefusedError, Request, print_request, request_errors
from jobs.errors import OutsideSystemError

MISSING_OBJECT = {"404", "NoSuchKey", "NotFound"}
MISSING_BUCKET = {"404", "NoSuchBucket"}


def object_size(aws: Aws, bucket: str, key: str) -> int | None:
    """The size of an object in bytes; None if there is no such object."""
    try:
        return int(aws.read(Request("s3", "head_object", {"Bucket": bucket, "Key": key}))["ContentLength"])
    except RefusedError as error:
        if error.code in MISSING_OBJECT:
            return None
        raise


def upload_file(aws: Aws, path: Path, *, bucket: str, key: str) -> None:
    """Upload a file. A large one goes up in parts, and a part that was lost is sent again.

    Raises:
        OutsideSystemError: S3 refused the file, or could not be reached.
    """
    request = Request("s3", "upload_file", {"Filename": str(path), "Bucket": bucket, "Key": key})
    if aws.is_dry_run:
        print_request(request)
        return
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(path.name, total=path.stat().st_size)
        with request_errors(request):
            aws.client("s3").upload_file(
                str(path),
                bucket,
                key,
                ExtraArgs={"ChecksumAlgorithm": "CRC32"},
                Callback=lambda count: progress.update(task, advance=count),
            )


def upload_if_new(aws: Aws, path: Path, *, bucket: str, key: str) -> bool:
    """Upload a file whose key holds a hash of its content, unless it is there; return whether it was uploaded."""
    if not aws.is_dry_run and object_size(aws, bucket, key) == path.stat().st_size:
        return False
    upload_file(aws, path, bucket=bucket, key=key)
    if not aws.is_dry_run:
        sys.stderr.write(f"uploaded s3://{bucket}/{key}\n")
    return True


def bucket_exists(aws: Aws, bucket: str) -> bool:
    """Whether a bucket exists.

    Raises:
        RefusedError: S3 does not let the caller see it.
    """
    try:
        aws.read(Request("s3", "head_bucket", {"Bucket": bucket}))
    except RefusedError as error:
        if error.code in MISSING_BUCKET:
            return False
        raise
    return True


def object_keys(aws: Aws, bucket: str, *, key_prefix: str) -> Iterator[str]:
    """The keys of a bucket that start with a prefix."""
    parameters: dict[str, Any] = {"Bucket": bucket, "Prefix": key_prefix}
    while True:
        page = aws.read(Request("s3", "list_objects_v2", parameters))
        yield from (entry["Key"] for entry in page.get("Contents", []))
        if not page.get("IsTruncated"):
            return
        parameters["ContinuationToken"] = page["NextContinuationToken"]


def object_versions(aws: Aws, bucket: str) -> Iterator[list[dict[str, str]]]:
    """The versions and delete markers of a bucket, in pages of up to 1,000."""
    marker: dict[str, Any] = {}
    while True:
        page = aws.read(Request("s3", "list_object_versions", {"Bucket": bucket, **marker}))
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if versions:
            yield [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        if not page.get("IsTruncated"):
            return
        marker = {"KeyMarker": page["NextKeyMarker"]}
        if page.get("NextVersionIdMarker"):
            marker["VersionIdMarker"] = page["NextVersionIdMarker"]


def empty_bucket(aws: Aws, bucket: str) -> None:
    """Delete every version of every object of a bucket.

    Raises:
        OutsideSystemError: S3 did not delete some of them.
    """
    for page in object_versions(aws, bucket):
        parameters = {"Bucket": bucket, "Delete": {"Objects": page, "Quiet": True}}
        response = aws.change(Request("s3", "delete_objects", parameters))
        errors = response.get("Errors", []) if response else []
        if errors:
            first = errors[0]
            raise OutsideSystemError(
                f"bucket {bucket}: {len(errors)} objects could not be deleted, such as {first['Key']} "
                f"({first['Code']}). Remove the cause, then run `down` again"
            )
