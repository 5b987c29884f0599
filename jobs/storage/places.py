"""Which place a command-line argument names."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jobs.errors import ConfigurationError
from jobs.storage.folder import Folder
from jobs.storage.local import LocalFolder
from jobs.storage.s3 import S3Folder

S3_URI = re.compile(r"s3a?://(?P<bucket>[^/]*)/*(?P<prefix>.*?)/*", re.IGNORECASE | re.DOTALL)
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
EXPECTED = "expected a local folder, a file:// URI or an s3:// URI"


def is_in_s3(uri: str | None) -> bool:
    """Whether an argument names a place in S3."""
    return uri is not None and S3_URI.fullmatch(uri) is not None


def folder_at(uri: str, *, argument: str) -> Folder:
    """The folder (or file) that a command-line argument names: a path, a ``file:`` URI, or one of ``s3:``, ``s3a:``.

    Keys in S3 are taken for what they say and not percent-decoded, as Hadoop and the AWS command line do.

    Raises:
        ConfigurationError: The URI is of a kind that is not served, or names no bucket.
    """
    if not uri:
        raise ConfigurationError(f"{argument}: found nothing, {EXPECTED}")
    in_s3 = S3_URI.fullmatch(uri)
    if in_s3:
        return _s3_folder(in_s3["bucket"], in_s3["prefix"], uri=uri, argument=argument)
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        try:
            return LocalFolder(Path(unquote(parts.path) if parts.scheme else uri).expanduser())
        except RuntimeError as error:
            raise ConfigurationError(f"{argument} {uri}: {error}") from None
    raise ConfigurationError(f"{argument} {uri}: found {parts.scheme}://, {EXPECTED}")


def _s3_folder(bucket: str, prefix: str, *, uri: str, argument: str) -> S3Folder:
    if not BUCKET.fullmatch(bucket):
        raise ConfigurationError(
            f"{argument} {uri}: found {bucket!r} for a bucket, expected its name, such as s3://my-bucket/folder"
        )
    if prefix and {"", ".", ".."} & set(prefix.split("/")):
        # Spark's filesystem would go by another key than this one.
        raise ConfigurationError(f"{argument} {uri}: a part of the path is empty, '.' or '..', expected names alone")
    return S3Folder(bucket, prefix)


def escape_glob(uri: str) -> str:
    """The same place for Spark to read, which takes what it reads for a pattern and what it writes for a name."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", uri)
