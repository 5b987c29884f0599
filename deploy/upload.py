"""``upload DATA``: the raw CSV files to where the nightly run reads them, in place of those that were there."""

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from deploy.aws.files import put_file, size_in_s3
from deploy.aws.options import Commands, add_aws_options
from deploy.aws.requests import Aws, Request
from deploy.stacks.stacks import outputs
from jobs.errors import ConfigurationError

DATA_SETS = ("olist_customers_dataset", "olist_orders_dataset", "olist_order_payments_dataset")
ENDINGS = (".csv", ".csv.gz")
RAW = "raw"


def add_upload(commands: Commands) -> None:
    """Add ``upload`` to the commands."""
    parser = commands.add_parser("upload", help="put the raw CSV files where runs read them", allow_abbrev=False)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with the three Olist files")
    add_aws_options(parser)
    parser.set_defaults(run=_run)


def files_of(folder: Path) -> dict[str, Path]:
    """The files that a run would read from a folder, by the key that each gets.

    Raises:
        ConfigurationError: One of the three is not there, is there twice, or is a folder with nothing to read.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"upload {folder}: no such folder. Give the folder that holds the three CSV files")
    found: dict[str, Path] = {}
    for name in DATA_SETS:
        forms = [folder / f"{name}{ending}" for ending in ENDINGS if (folder / f"{name}{ending}").exists()]
        if len(forms) != 1:
            what = "neither" if not forms else "both"
            raise ConfigurationError(f"upload {folder}: {what} of {name}.csv and {name}.csv.gz, expected one of them")
        (form,) = forms
        parts = sorted(filter(_is_read, form.iterdir())) if form.is_dir() else [form]
        if not parts:
            raise ConfigurationError(f"upload {form}: no part *.csv or *.csv.gz in it, expected at least one")
        found |= {f"{RAW}/{path.relative_to(folder).as_posix()}": path for path in parts}
    return found


def _is_read(path: Path) -> bool:
    """Whether a run reads a file of a data set's folder; what a writer left beside its parts it does not."""
    return path.is_file() and path.name.endswith(ENDINGS) and not path.name.startswith((".", "_"))


def _run(given: argparse.Namespace) -> None:
    files = files_of(given.data)
    aws = Aws(region=given.region, profile=given.profile, dry_run=given.dry_run)
    bucket = outputs(aws, given.prefix)["DataBucket"]
    for key, path in files.items():
        put_file(aws, path, bucket=bucket, key=key)
        if not given.dry_run:
            size = size_in_s3(aws, bucket, key)
            sys.stdout.write(f"s3://{bucket}/{key}  {size:,} bytes\n")
    for key in _left_over(aws, bucket, files):
        aws.change(Request("s3", "delete_object", {"Bucket": bucket, "Key": key}))
        if not given.dry_run:
            sys.stdout.write(f"s3://{bucket}/{key}  deleted: of an earlier upload (its versions stay for 30 days)\n")


def _left_over(aws: Aws, bucket: str, files: Collection[str]) -> list[str]:
    """Keys that a run would read beside those that were uploaded: other parts, or the other form of a file."""
    found: list[str] = []
    for name in DATA_SETS:
        asked: dict[str, Any] = {"Bucket": bucket, "Prefix": f"{RAW}/{name}{ENDINGS[0]}"}
        while True:
            page = aws.ask(Request("s3", "list_objects_v2", asked))
            found += [each["Key"] for each in page.get("Contents", []) if each["Key"] not in files]
            if not page.get("IsTruncated"):
                break
            asked["ContinuationToken"] = page["NextContinuationToken"]
    return found
