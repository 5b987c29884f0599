"""What Spark is told of S3: how to reach it, and how to write there."""

from pathlib import Path

from jobs.storage.s3_client import S3Settings

CLOUD = "org.apache.spark.internal.io.cloud"

# How tables are written on a laptop; platforms bring committers of their own, or this one.
#
# A task's files must not be seen before the task is done, nor those of a task that died. On a disk that is a rename; in
# S3 a rename is a copy. The magic committer needs none: a task uploads its files in parts under their final names, and
# S3 shows none of them until the upload is completed, which the driver does when all tasks are done. What a killed run
# leaves are uploads that were never completed, which a lifecycle rule of the bucket removes.
COMMITTER = {
    "spark.hadoop.fs.s3a.committer.name": "magic",
    "spark.sql.sources.commitProtocolClass": f"{CLOUD}.PathOutputCommitProtocol",
    "spark.sql.parquet.output.committer.class": f"{CLOUD}.BindingParquetOutputCommitter",
}

# How long Spark goes on asking. S3A waits twice as long each time, without an upper bound: its own twenty tries where
# S3 is busy would last longer than a night. These are given up after some two minutes.
PATIENCE = {
    "spark.hadoop.fs.s3a.retry.throttle.limit": "9",
    "spark.hadoop.fs.s3a.retry.limit": "6",
    "spark.hadoop.fs.s3a.attempts.maximum": "3",
    # A connection that nobody answers: S3A's own 30 s, several times over, is long for a laptop without a network.
    "spark.hadoop.fs.s3a.connection.establish.timeout": "10s",
}

# Credentials as boto3 finds them: environment, profile, log-in, the machine's role. S3A's own list knows no profiles.
CREDENTIALS = {
    "spark.hadoop.fs.s3a.aws.credentials.provider": (
        "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
    ),
}


def reaching(settings: S3Settings) -> dict[str, str]:
    """What holds wherever S3A is the filesystem, on a platform too: only what the environment names."""
    wanted: dict[str, str] = {}
    if settings.endpoint:
        wanted["spark.hadoop.fs.s3a.endpoint"] = settings.endpoint
        # A service elsewhere has no regions, but each request is signed for one.
        wanted["spark.hadoop.fs.s3a.endpoint.region"] = settings.region or "us-east-1"
        wanted["spark.hadoop.fs.s3a.path.style.access"] = str(settings.path_style).lower()
    elif settings.region:
        wanted["spark.hadoop.fs.s3a.endpoint.region"] = settings.region
    if settings.kms_key:
        wanted["spark.hadoop.fs.s3a.encryption.algorithm"] = "SSE-KMS"
        wanted["spark.hadoop.fs.s3a.encryption.key"] = settings.kms_key
    if settings.requester_pays:
        wanted["spark.hadoop.fs.s3a.requester.pays.enabled"] = "true"
    return wanted


def on_a_laptop(settings: S3Settings, jars: list[Path]) -> dict[str, str]:
    """All that Spark needs where nobody else brings it a filesystem for S3."""
    libraries = {"spark.jars": ",".join(map(str, jars))}
    return {**libraries, **COMMITTER, **PATIENCE, **CREDENTIALS, **reaching(settings)}
