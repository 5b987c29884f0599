"""``upload DATA``: puts the raw files where the nightly run reads them, in place of an earlier upload's files."""

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
ENDINGS = (".csv", ".csv.gz", ".parquet", "")
"""What may follow the name of a data set; a name without an ending is a folder of parts."""
RAW = "raw"


def add_upload(subparsers: Subparsers) -> None:
    """Add ``upload`` to the commands."""
    parser = subparsers.add_parser("upload", help="put the raw files where runs read them")
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with the three data sets")
    add_deployment_options(parser)
    parser.set_defaults(run=_run)


def raw_files(folder: Path) -> dict[str, Path]:
    """The files that a run would read from a folder, by the key that each gets in the bucket.

    Raises:
        ConfigurationError: One of the three data sets is missing, is there in two forms, or is a folder without parts.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"upload {folder}: no such folder. Give the folder that holds the three data sets")
    files: dict[str, Path] = {}
    for name in DATA_SETS:
        names = {f"{name}{ending}" for ending in ENDINGS}
        forms = sorted(path for path in folder.iterdir() if path.name.lower() in names)
        forms = [path for path in forms if path.name.lower() != name or path.is_dir()]
        if len(forms) != 1:
            present = " and ".join(path.name for path in forms) or "nothing"
            raise ConfigurationError(
                f"upload {folder}: found {present}, expected {name} once, as .csv, .csv.gz or .parquet. "
                "Add or remove a file"
            )
        (form,) = forms
        parts = sorted(path for path in form.rglob("*") if _is_part(path, form)) if form.is_dir() else [form]
        if not parts:
            raise ConfigurationError(f"upload {form}: no part in it, expected at least one. Check the folder")
        files |= {f"{RAW}/{path.relative_to(folder).as_posix()}": path for path in parts}
    return files


def _is_part(path: Path, folder: Path) -> bool:
    """Whether a run reads a file below a data set's folder. It passes over a writer's own, such as ``_SUCCESS``."""
    return path.is_file() and not any(name.startswith((".", "_")) for name in path.relative_to(folder).parts)


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
        for key in object_keys(aws, bucket, key_prefix=f"{RAW}/{name}"):
            is_of_data_set = key[len(f"{RAW}/{name}") :].startswith((".", "/"))
            if is_of_data_set and key not in new_keys:
                yield key
