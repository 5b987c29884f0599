"""Hadoop's filesystem for S3 in the session of the tests, which was started without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from jobs.aws.environment import S3Settings
from jobs.spark.java import java_home
from jobs.spark.s3a import laptop_settings, s3a_jars
from tests.fakes.environment import CREDENTIALS

AT_ONCE = {
    "spark.hadoop.fs.s3a.retry.interval": "1ms",
    "spark.hadoop.fs.s3a.retry.throttle.interval": "1ms",
}
"""It asks again as often as for users, and does not wait before. For users that takes up to two minutes."""

SYSTEM_PROPERTIES = {
    "aws.accessKeyId": CREDENTIALS["aws_access_key_id"],
    "aws.secretAccessKey": CREDENTIALS["aws_secret_access_key"],
}
"""Java sees the environment in which it was started, and AWS's SDK for Java looks here first."""

HADOOP = "spark.hadoop."


@contextmanager
def s3_filesystem(session: SparkSession, bucket: str) -> Iterator[None]:
    """Let a session reach a bucket as one that was started for S3 does, with the settings of the product.

    Args:
        session: of this process.
        bucket: what is open of it is closed at the end, since the next test has another endpoint.
    """
    settings = {**laptop_settings(S3Settings.from_environment(), []), **AT_ONCE}
    del settings["spark.jars"]
    java: Any = session.sparkContext._jvm
    hadoop: Any = session.sparkContext._jsc.hadoopConfiguration()
    add_to_class_path(java, s3a_jars(java_home()))
    for name, value in SYSTEM_PROPERTIES.items():
        java.System.setProperty(name, value)
    for name, value in settings.items():
        if name.startswith(HADOOP):
            hadoop.set(name.removeprefix(HADOOP), value)
        else:
            session.conf.set(name, value)
    try:
        yield
    finally:
        java.org.apache.hadoop.fs.FileSystem.get(java.java.net.URI(f"s3a://{bucket}"), hadoop).close()
        for name in settings:
            if name.startswith(HADOOP):
                hadoop.unset(name.removeprefix(HADOOP))
            else:
                session.conf.unset(name)
        for name in SYSTEM_PROPERTIES:
            java.System.clearProperty(name)


def add_to_class_path(java: Any, jars: list[Path]) -> None:
    """Add jars to the loader that ``spark-submit`` made for those of ``spark.jars``."""
    loader = java.Thread.currentThread().getContextClassLoader()
    present = {url.toString() for url in loader.getURLs()}
    for jar in jars:
        url = java.java.io.File(str(jar)).toURI().toURL()
        if url.toString() not in present:
            loader.addURL(url)
