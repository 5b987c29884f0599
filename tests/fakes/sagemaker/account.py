"""An AWS account as SageMaker sees it: roles that it may assume, images that it may pull, and objects in S3."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from tests.fakes.environment import ACCOUNT_ID, REGION
from tests.fakes.http.faults import validation_error

KMEANS_REGISTRIES = {
    "us-east-1": "382416733822",
    "us-east-2": "404615174143",
    "us-west-2": "174872318107",
    "eu-west-1": "438346466558",
    "eu-central-1": "664544806723",
}
"""The account of the registry with the built-in k-means, by region.

Source: ``image_uri_config/kmeans.json`` of the SageMaker SDK.
"""


class NoObjectsError(Exception):
    """A bucket or the objects under a prefix do not exist. The message is the job's FailureReason."""


@dataclass(frozen=True)
class Account:
    """The account in which SageMaker creates resources, and its roles."""

    roles: frozenset[str]

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource of a kind, such as ``training-job``."""
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:{kind}/{name}"

    def check_role(self, role: str | None) -> None:
        """Reject a role that the account does not have.

        Raises:
            ServiceError: The role does not exist.
        """
        if role not in self.roles:
            raise validation_error(
                f"Could not assume role {role}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            )

    def check_image(self, image: str | None) -> None:
        """Reject an image other than the built-in k-means of the region.

        Raises:
            ServiceError: The image is another one.
        """
        expected = f"{KMEANS_REGISTRIES[REGION]}.dkr.ecr.{REGION}.amazonaws.com/kmeans"
        if image not in (f"{expected}:1", f"{expected}:latest"):
            raise validation_error(f"Cannot find repository of image {image} (the fake has {expected}:1 alone)")


@dataclass(frozen=True)
class Buckets:
    """The objects in S3, which SageMaker's jobs read and write by their URIs."""

    s3: Any

    def keys(self, uri: str) -> list[str]:
        """The keys that start with the key of a URI, in order, without those of folders.

        Raises:
            NoObjectsError: There is no such key.
        """
        bucket, prefix = bucket_and_key(uri)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        except ClientError:
            keys = []
        keys = [key for key in keys if not key.endswith("/")]
        if not keys:
            raise NoObjectsError(
                f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data '
                f"source. Please ensure that the bucket exists in the selected region ({REGION}), that objects "
                "exist under that S3 prefix, and that the role has s3:ListBucket permissions on the bucket."
            )
        return keys

    def read(self, bucket: str, key: str) -> bytes:
        """The content of an object."""
        content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def lines(self, uri: str) -> list[str]:
        """The lines of all objects whose key starts with the key of a URI, in the order of the keys.

        Raises:
            NoObjectsError: There is no such object.
        """
        bucket, _ = bucket_and_key(uri)
        return [line for key in self.keys(uri) for line in lines_of(self.read(bucket, key))]

    def write(self, uri: str, content: bytes) -> None:
        """Put an object.

        Raises:
            NoObjectsError: The bucket does not exist.
        """
        bucket, key = bucket_and_key(uri)
        try:
            self.s3.put_object(Bucket=bucket, Key=key, Body=content)
        except ClientError as error:
            raise NoObjectsError(f"ClientError: Data upload failed: {error.response['Error']['Message']}") from None

    def exists(self, uri: str) -> bool:
        """Whether an object exists."""
        bucket, key = bucket_and_key(uri)
        try:
            self.s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            return False
        return True


def lines_of(content: bytes) -> list[str]:
    """The lines of a file. The last one needs no line feed."""
    return content.decode("utf-8").splitlines()


def bucket_and_key(uri: str) -> tuple[str, str]:
    """The bucket and the key of an S3 URI.

    Raises:
        ServiceError: The URI is not one of S3.
    """
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise validation_error(f"Invalid S3 URI: {uri}")
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").removeprefix("/")
