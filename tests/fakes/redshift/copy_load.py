"""COPY carried out: objects fetched from the bucket, checked as Redshift does, and loaded inside the transaction.

A manifest's ``content_length`` must be the object's size, of Parquet it must be there; a mandatory object must exist.
Without MANIFEST every object whose key starts with the given one is loaded, as in Redshift, so that ``orders.csv``
brings ``orders.csv.bak`` along. A manifest without entries is refused, which Redshift's manual leaves open.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
from botocore.exceptions import ClientError
from psycopg import sql

from tests.fakes.redshift.columns import Column, columns_of
from tests.fakes.redshift.copy_statement import CopyStatement
from tests.fakes.redshift.csv_rows import BadRowError, csv_rows
from tests.fakes.redshift.errors import RedshiftError
from tests.fakes.redshift.parquet_rows import parquet_rows


@dataclass(frozen=True)
class Bucketeer:
    """Who fetches objects: a client of S3, and the roles that may be assumed for it."""

    s3: Any
    roles: frozenset[str]

    def object_at(self, url: str) -> bytes:
        """An object's content."""
        bucket, key = _bucket_and_key(url)
        try:
            content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise RedshiftError(f"ERROR: S3ServiceException:{error.response['Error']['Message']} ({url})") from None
        return content

    def urls_under(self, url: str) -> list[str]:
        """Every object whose key starts with this one's."""
        bucket, prefix = _bucket_and_key(url)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            urls = [f"s3://{bucket}/{found['Key']}" for page in pages for found in page.get("Contents", [])]
        except ClientError as error:
            raise RedshiftError(f"ERROR: S3ServiceException:{error.response['Error']['Message']} ({url})") from None
        if not urls:
            raise RedshiftError(f"ERROR: The specified S3 prefix '{prefix}' does not exist")
        return urls


def load(connection: psycopg.Connection, statement: CopyStatement, bucketeer: Bucketeer) -> int:
    """Load what a COPY names into its table and return the number of rows.

    Raises:
        RedshiftError: Something of it cannot be loaded; then nothing of it is.
    """
    role = statement.options["IAM_ROLE"]
    if role not in bucketeer.roles:
        raise RedshiftError(f"ERROR: User arn:aws:redshift:dbuser is not authorized to assume IAM Role {role}")
    columns = columns_of(connection, statement.table, statement.columns)
    if "MANIFEST" in statement.options:
        objects = _of_manifest(bucketeer, statement)
    else:
        objects = ((url, bucketeer.object_at(url)) for url in bucketeer.urls_under(statement.source))
    rows = _parquet(objects, columns, statement) if statement.is_parquet else _csv(objects, columns, statement)
    into = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*statement.table), sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    )
    count = 0
    with connection.cursor().copy(into) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _of_manifest(bucketeer: Bucketeer, statement: CopyStatement) -> Iterator[tuple[str, bytes]]:
    try:
        entries = json.loads(bucketeer.object_at(statement.source))["entries"]
        urls = [(entry["url"], entry.get("mandatory", False), entry.get("meta", {})) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError):
        urls = []
    if not urls:
        raise RedshiftError(f"ERROR: Manifest file is not in correct json format ({statement.source})")
    for url, mandatory, meta in urls:
        length = meta.get("content_length")
        if statement.is_parquet and not isinstance(length, int):
            raise RedshiftError(f"ERROR: Manifest entry without meta.content_length, which PARQUET needs ({url})")
        try:
            content = bucketeer.object_at(url)
        except RedshiftError:
            if mandatory:
                raise
            continue
        if length is not None and length != len(content):
            raise RedshiftError(f"ERROR: Manifest says content_length {length}, the object has {len(content)} ({url})")
        yield url, content


def _parquet(
    objects: Iterable[tuple[str, bytes]], columns: list[Column], statement: CopyStatement
) -> Iterator[tuple[Any, ...]]:
    for url, content in objects:
        yield from parquet_rows(content, columns, url=url, table=statement.name)


def _csv(
    objects: Iterable[tuple[str, bytes]], columns: list[Column], statement: CopyStatement
) -> Iterator[tuple[Any, ...]]:
    options = statement.options
    allowed, bad_rows = max(1, int(options.get("MAXERROR", "0"))), 0
    for _, content in objects:
        rows = csv_rows(
            gzip.decompress(content) if "GZIP" in options else content,
            columns,
            header_lines=int(options.get("IGNOREHEADER", "0")),
            empty_as_null="EMPTYASNULL" in options,
        )
        for row in rows:
            if not isinstance(row, BadRowError):
                yield row
                continue
            bad_rows += 1
            if bad_rows >= allowed:
                raise RedshiftError(
                    f"ERROR: Load into table '{statement.name}' failed. "
                    "Check 'sys_load_error_detail' system table for details."
                )


def _bucket_and_key(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise RedshiftError(f"ERROR: Invalid S3 URL '{url}'")
    return parts.netloc, url.removeprefix(f"s3://{parts.netloc}/")
