"""Whether the platforms can run the native engine that the settings name, and its jar is where they read it."""

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.checks.findings import Finding, Settings
from deploy.packaging.platforms import EMR, GLUE
from deploy.stacks.stacks import describe_stack

COMET_JAR = "comet-spark-spark4.1_2.13-1.2.0.jar"
"""The jar that `jobs.spark` pins. It has native code for Linux on x86_64 and on arm64."""

COMET_GLIBC = 30
"""Minor version of the glibc 2 that the native code asks for."""


def jar_request(bucket: str, key: str) -> Request:
    """The request for the head of Comet's jar."""
    return Request("s3", "head_object", {"Bucket": bucket, "Key": key})


def check_native_engine(aws: Aws, settings: Settings, prefix: str) -> Finding:
    """Whether the platforms can run the native engine that ``CometJar`` names, and its jar is where they read it."""
    check, key = "native engine", settings["CometJar"]
    if not key:
        return Finding(check, "ok", "none; Spark's own (CometJar is empty)")
    architecture = settings["EmrArchitecture"].lower()
    targets = {f"{GLUE.name} on x86_64": GLUE, f"{EMR.name} on {architecture}": EMR}
    unfit = [name for name, target in targets.items() if target.glibc < COMET_GLIBC]
    if unfit or not key.endswith(COMET_JAR):
        return Finding(
            check, "fault", f"{key}: expected {COMET_JAR}, and glibc 2.{COMET_GLIBC} on {', '.join(targets)}"
        )
    storage = describe_stack(aws, prefix, "storage")
    if storage is None:
        return Finding(check, "note", f"{key}: not looked for, since there is no bucket yet")
    place = f"s3://{storage.outputs['ArtifactsBucket']}/{key}"
    try:
        aws.read(jar_request(storage.outputs["ArtifactsBucket"], key))
    except RefusedError as error:
        if error.code not in ("404", "NoSuchKey"):
            raise
        return Finding(check, "fault", f"{place}: not there. Put the jar there, or set CometJar to nothing")
    return Finding(check, "ok", f"Comet, which has native code for {' and '.join(targets)}; {place}")
