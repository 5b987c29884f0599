"""The folder that a path or URI of the command line names."""

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from jobs.errors import ConfigurationError
from jobs.storage.folder import Folder
from jobs.storage.local import LocalFolder
from transforms.bounded_text import shown

if TYPE_CHECKING:
    from jobs.storage.s3 import S3Folder

S3_URI = re.compile(r"s3a?://(?P<bucket>[^/]*)/*(?P<prefix>.*?)/*", re.IGNORECASE | re.DOTALL)
FILE_URI = re.compile(r"file:(//(?P<host>[^/]*))?(?P<path>.*)", re.IGNORECASE | re.DOTALL)
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
EXPECTED = "expected a local folder, a file:// URI or an s3:// URI"


def is_in_s3(uri: str | None) -> bool:
    """Whether a path or URI names a place in S3."""
    return uri is not None and S3_URI.fullmatch(uri) is not None


def folder_at(uri: str, *, argument: str) -> Folder:
    """The folder (or file) that an argument names: a path, or a URI with ``file:``, ``s3:`` or ``s3a:``.

    Keys in S3 are taken literally, not percent-decoded, as Hadoop and the AWS command line take them.

    Args:
        uri: the argument's value.
        argument: its name, for the message.

    Raises:
        ConfigurationError: The scheme is another one, or the URI names no bucket.
    """
    if not uri:
        raise ConfigurationError(f"{argument}: found nothing, {EXPECTED}")
    if CONTROL.search(unquote(uri)):
        raise ConfigurationError(f"{argument} {shown(uri)}: found a control character, {EXPECTED}")
    match = S3_URI.fullmatch(uri)
    if match:
        return _s3_folder(match["bucket"], match["prefix"], argument=f"{argument} {uri}")
    scheme = _scheme_of(uri, argument=argument)
    if scheme not in ("", "file"):
        raise ConfigurationError(f"{argument} {uri}: found {scheme}://, {EXPECTED}")
    try:
        return LocalFolder(local_path(uri))
    except ValueError as error:
        raise ConfigurationError(f"{argument} {uri}: {error}, {EXPECTED}") from None


def local_path(text: str) -> Path:
    """The path that a text names: itself, with ``~`` expanded, or that of a ``file:`` URI, percent-decoded.

    Raises:
        ValueError: The URI names another machine, or there is no such user.
    """
    match = FILE_URI.fullmatch(text)
    if match is None:
        try:
            return Path(text).expanduser()
        except RuntimeError as error:
            raise ValueError(f"{error}".rstrip(".")) from None
    if match["host"] not in (None, "", "localhost"):
        raise ValueError(f"found {match['host']!r} as the machine of a file: URI, which starts with file:///")
    return Path(unquote(match["path"]))


def _scheme_of(uri: str, *, argument: str) -> str:
    try:
        return urlsplit(uri).scheme
    except ValueError as error:
        raise ConfigurationError(f"{argument} {shown(uri)}: neither a path nor a URI ({error}), {EXPECTED}") from None


def escape_glob(uri: str) -> str:
    """Escape a path for Spark's readers, which take it as a glob pattern. Spark's writers take it literally."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", uri)


def unreadable_name(name: str) -> str | None:
    """Why Spark cannot read a file of this name, in a folder or in S3, and what to do; None if it can.

    With `escape_glob` it reads all others, such as those with ``%``, ``#``, ``?``, brackets, quotes and line breaks.
    """
    if ":" in name:
        return "its name has a colon, which Hadoop takes for the end of a scheme. Rename it"
    if name.startswith((".", "_")):
        return "its name begins with a dot or an underscore, and Spark passes over such files. Rename it"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8, which Java cannot open. Rename it"
    return None


def _s3_folder(bucket: str, prefix: str, *, argument: str) -> "S3Folder":
    if not BUCKET.fullmatch(bucket):
        raise ConfigurationError(
            f"{argument}: found {bucket!r} as the bucket, expected its name, such as s3://my-bucket/folder"
        )
    if prefix and {"", ".", ".."} & set(prefix.split("/")):
        # Spark's filesystem would normalize the path to another key.
        raise ConfigurationError(f"{argument}: a part of the path is empty, '.' or '..', expected only names")
    # boto3 takes half a second to load, which a run on a disk does without.
    s3: type[S3Folder] = import_module("jobs.storage.s3").S3Folder
    return s3(bucket, prefix)
