"""A release: the bundles in the artifacts bucket, under the keys that the stacks give to Glue and EMR."""

import tempfile
import zipfile
from pathlib import Path

from deploy.aws.files import upload_if_new
from deploy.aws.requests import Aws
from deploy.job_runs.arguments import STEPS
from deploy.packaging.bundle import Bundle

CODE = "olist_rfm_segments.zip"


def release_keys(glue: Bundle, emr: Bundle) -> dict[str, str]:
    """The stack parameters that locate a release. Each key holds a hash of the content."""
    return {
        "CodeKey": f"code/{glue.code.stem.rpartition('-')[2]}",
        "GlueDependenciesKey": f"dependencies/{glue.dependencies.name}",
        "EmrDependenciesKey": f"dependencies/{emr.dependencies.name}",
        "EmrArchitecture": emr.architecture.upper(),
    }


def upload_release(aws: Aws, *, bucket: str, glue: Bundle, emr: Bundle) -> None:
    """Upload the files of a release that the bucket lacks. Earlier releases stay, for a way back."""
    keys = release_keys(glue, emr)
    upload_if_new(aws, glue.dependencies, bucket=bucket, key=keys["GlueDependenciesKey"])
    upload_if_new(aws, emr.dependencies, bucket=bucket, key=keys["EmrDependenciesKey"])
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(glue.code) as code:
        for step in STEPS:
            script = Path(folder, f"{step}.py")
            script.write_bytes(code.read(f"jobs/{step}.py"))
            upload_if_new(aws, script, bucket=bucket, key=f"{keys['CodeKey']}/{step}.py")
    upload_if_new(aws, glue.code, bucket=bucket, key=f"{keys['CodeKey']}/{CODE}")
