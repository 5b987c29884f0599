"""Objects by their S3 URIs, as SageMaker's jobs read and write them."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from tests.fakes.http.faults import invalid


class NoObjectsError(Exception):
    """There is nothing under a prefix, or no bucket; the message is a job's FailureReason."""


@dataclass(frozen=True)
class Buckets:
    """The buckets of the S3 that stands in."""

    s3: Any
    region: str

    def keys(self, uri: str) -> list[str]:
        """The keys that start with a URI's, in order; those of folders, which end in a slash, are left out.

        Raises:
            NoObjectsError: There is none.
        """
        bucket, prefix = bucket_and_key(uri)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        except ClientError:
            keys = []
        keys = [key for key in keys if not key.endswith("/")]
        if not keys:
            raise NoObjectsError(
                f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data '
                f"source. Please ensure that the bucket exists in the selected region ({self.region}), that objects "
                "exist under that S3 prefix, and that the role has s3:ListBucket permissions on the bucket."
            )
        return keys

    def read(self, bucket: str, key: str) -> bytes:
        """An object's content."""
        content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def lines(self, uri: str) -> list[str]:
        """The lines of every object under a URI, in the keys' order."""
        bucket, _ = bucket_and_key(uri)
        return [line for key in self.keys(uri) for line in lines_of(self.read(bucket, key))]

    def write(self, uri: str, content: bytes) -> None:
        """Put an object.

        Raises:
            NoObjectsError: There is no such bucket.
        """
        bucket, key = bucket_and_key(uri)
        try:
            self.s3.put_object(Bucket=bucket, Key=key, Body=content)
        except ClientError as error:
            raise NoObjectsError(f"ClientError: Data upload failed: {error.response['Error']['Message']}") from None

    def exists(self, uri: str) -> bool:
        """Whether there is such an object."""
        bucket, key = bucket_and_key(uri)
        try:
            self.s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            return False
        return True


def lines_of(content: bytes) -> list[str]:
    """A file's lines; the last may end without a line feed."""
    return content.decode("utf-8").splitlines()


def bucket_and_key(uri: str) -> tuple[str, str]:
    """What an S3 URI names.

    Raises:
        ServiceError: It is no S3 URI.
    """
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise invalid(f"Invalid S3 URI: {uri}")
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").removeprefix("/")
