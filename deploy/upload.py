"""``upload DATA``: puts the raw CSV files where the nightly run reads them, in place of an earlier upload's files."""

import argparse
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from deploy.aws.files import object_keys, object_size, upload_file
from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws, Request
from deploy.stacks.stacks import stack_outputs
from jobs.errors import ConfigurationError

DATA_SETS = ("olist_customers_dataset", "olist_orders_dataset", "olist_order_payments_dataset")
ENDINGS = (".csv", ".csv.gz")
RAW = "raw"


def add_upload(subparsers: Subparsers) -> None:
    """Add ``upload`` to the commands."""
    parser = subparsers.add_parser("upload", help="put the raw CSV files where runs read them", allow_abbrev=False)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with the three Olist files")
    add_deployment_options(parser)
    parser.set_defaults(run=_run)


def raw_files(folder: Path) -> dict[str, Path]:
    """The files that a run would read from a folder, by the key that each gets in the bucket.

    Raises:
        ConfigurationError: One of the three data sets is missing, is there as ``.csv`` and ``.csv.gz``, or is a folder
            without parts.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"upload {folder}: no such folder. Give the folder that holds the three CSV files")
    files: dict[str, Path] = {}
    for name in DATA_SETS:
        forms = [folder / f"{name}{ending}" for ending in ENDINGS if (folder / f"{name}{ending}").exists()]
        if len(forms) != 1:
            number = "neither" if not forms else "both"
            raise ConfigurationError(
                f"upload {folder}: {number} of {name}.csv and {name}.csv.gz, expected one of them. Add or remove a file"
            )
        (form,) = forms
        parts = sorted(filter(_is_part, form.iterdir())) if form.is_dir() else [form]
        if not parts:
            raise ConfigurationError(
                f"upload {form}: no part *.csv or *.csv.gz in it, expected at least one. Check the folder"
            )
        files |= {f"{RAW}/{path.relative_to(folder).as_posix()}": path for path in parts}
    return files


def _is_part(path: Path) -> bool:
    """Whether a run reads a file of a data set's folder. It skips a writer's own files, such as ``_SUCCESS``."""
    return path.is_file() and path.name.endswith(ENDINGS) and not path.name.startswith((".", "_"))


def _run(options: argparse.Namespace) -> None:
    files = raw_files(options.data)
    aws = aws_of(options)
    bucket = stack_outputs(aws, options.prefix)["DataBucket"]
    for key, path in files.items():
        upload_file(aws, path, bucket=bucket, key=key)
        if not options.dry_run:
            sys.stdout.write(f"s3://{bucket}/{key}  {object_size(aws, bucket, key):,} bytes\n")
    for key in list(_stale_keys(aws, bucket, files)):
        aws.change(Request("s3", "delete_object", {"Bucket": bucket, "Key": key}))
        if not options.dry_run:
            sys.stdout.write(f"s3://{bucket}/{key}  deleted: of an earlier upload (its versions stay for 30 days)\n")


def _stale_keys(aws: Aws, bucket: str, new_keys: Collection[str]) -> Iterator[str]:
    """The keys that a run would read beside the new ones: other parts, or the other form of a file."""
    for name in DATA_SETS:
        for key in object_keys(aws, bucket, key_prefix=f"{RAW}/{name}{ENDINGS[0]}"):
            if key not in new_keys:
                yield key
