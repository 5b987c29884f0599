"""Performs COPY: reads the objects from the bucket, validates them as Redshift does, and loads them in the transaction.

A manifest's ``content_length`` must be the object's size, and Parquet requires it. A mandatory object must exist.
Without MANIFEST, every object whose key starts with the key in the statement is loaded, so ``orders.csv`` includes
``orders.csv.bak``. A manifest without entries is rejected; Redshift's manual leaves this open.
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

from tests.fakes.redshift.copy_files import BadRowError, Column, columns_of, csv_rows, parquet_rows
from tests.fakes.redshift.copy_statement import CopyStatement
from tests.fakes.redshift.errors import RedshiftError


@dataclass(frozen=True)
class CopySource:
    """The S3 from which COPY reads, and the roles that it may assume."""

    s3: Any
    roles: frozenset[str]

    def read(self, url: str) -> bytes:
        """Read an object.

        Raises:
            RedshiftError: The object cannot be read.
        """
        bucket, key = _bucket_and_key(url)
        try:
            content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise RedshiftError(f"ERROR: S3ServiceException:{error.response['Error']['Message']} ({url})") from None
        return content

    def urls_under(self, url: str) -> list[str]:
        """The URLs of all objects whose key starts with the key of a URL.

        Raises:
            RedshiftError: There is no such object.
        """
        bucket, prefix = _bucket_and_key(url)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            urls = [f"s3://{bucket}/{item['Key']}" for page in pages for item in page.get("Contents", [])]
        except ClientError as error:
            raise RedshiftError(f"ERROR: S3ServiceException:{error.response['Error']['Message']} ({url})") from None
        if not urls:
            raise RedshiftError(f"ERROR: The specified S3 prefix '{prefix}' does not exist")
        return urls


def load(connection: psycopg.Connection, statement: CopyStatement, source: CopySource) -> int:
    """Load the objects of a COPY into its table.

    Returns:
        The number of rows loaded.

    Raises:
        RedshiftError: An object or a row cannot be loaded. No row is loaded then.
    """
    role = statement.options["IAM_ROLE"]
    if role not in source.roles:
        raise RedshiftError(f"ERROR: User arn:aws:redshift:dbuser is not authorized to assume IAM Role {role}")
    columns = columns_of(connection, statement.table, statement.columns)
    if "MANIFEST" in statement.options:
        objects = _manifest_objects(source, statement)
    else:
        objects = ((url, source.read(url)) for url in source.urls_under(statement.source))
    rows = (
        _parquet_rows(objects, columns, statement) if statement.is_parquet else _csv_rows(objects, columns, statement)
    )
    into = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*statement.table), sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    )
    count = 0
    with connection.cursor().copy(into) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _manifest_objects(source: CopySource, statement: CopyStatement) -> Iterator[tuple[str, bytes]]:
    try:
        entries = json.loads(source.read(statement.source))["entries"]
        objects = [(entry["url"], entry.get("mandatory", False), entry.get("meta", {})) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError):
        objects = []
    if not objects:
        raise RedshiftError(f"ERROR: Manifest file is not in correct json format ({statement.source})")
    for url, is_mandatory, meta in objects:
        length = meta.get("content_length")
        if statement.is_parquet and not isinstance(length, int):
            raise RedshiftError(f"ERROR: Manifest entry without meta.content_length, which PARQUET needs ({url})")
        try:
            content = source.read(url)
        except RedshiftError:
            if is_mandatory:
                raise
            continue
        if length is not None and length != len(content):
            raise RedshiftError(f"ERROR: Manifest says content_length {length}, the object has {len(content)} ({url})")
        yield url, content


def _parquet_rows(
    objects: Iterable[tuple[str, bytes]], columns: list[Column], statement: CopyStatement
) -> Iterator[tuple[Any, ...]]:
    for url, content in objects:
        yield from parquet_rows(content, columns, url=url, table=statement.name)


def _csv_rows(
    objects: Iterable[tuple[str, bytes]], columns: list[Column], statement: CopyStatement
) -> Iterator[tuple[Any, ...]]:
    options = statement.options
    max_errors, bad_rows = max(1, int(options.get("MAXERROR", "0"))), 0
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
            if bad_rows >= max_errors:
                raise RedshiftError(
                    f"ERROR: Load into table '{statement.name}' failed. "
                    "Check 'sys_load_error_detail' system table for details."
                )


def _bucket_and_key(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise RedshiftError(f"ERROR: Invalid S3 URL '{url}'")
    return parts.netloc, url.removeprefix(f"s3://{parts.netloc}/")
