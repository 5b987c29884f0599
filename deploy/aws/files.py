"""Files into S3: whole, checked by S3 against a checksum, and not again when they are there."""

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from deploy.aws.requests import Aws, RefusedError, Request, request_errors, show

NOT_FOUND = {"404", "NoSuchKey", "NotFound"}


def size_in_s3(aws: Aws, bucket: str, key: str) -> int | None:
    """The size of an object in bytes; None where there is none."""
    try:
        return int(aws.ask(Request("s3", "head_object", {"Bucket": bucket, "Key": key}))["ContentLength"])
    except RefusedError as error:
        if error.code in NOT_FOUND:
            return None
        raise


def put_file(aws: Aws, path: Path, *, bucket: str, key: str) -> None:
    """Upload a file, in parts where it is large; a part that was lost is sent again.

    Raises:
        OutsideSystemError: S3 refused it, or could not be reached.
    """
    request = Request("s3", "upload_file", {"Filename": str(path), "Bucket": bucket, "Key": key})
    if aws.is_dry_run:
        show(request)
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


def put_if_new(aws: Aws, path: Path, *, bucket: str, key: str) -> bool:
    """Upload a file whose key names its content, unless it is there; say whether it was not."""
    if not aws.is_dry_run and size_in_s3(aws, bucket, key) == path.stat().st_size:
        return False
    put_file(aws, path, bucket=bucket, key=key)
    if not aws.is_dry_run:
        sys.stderr.write(f"uploaded s3://{bucket}/{key}\n")
    return True
