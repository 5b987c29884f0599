"""A release: what was packaged, at the places in the bucket where Glue and EMR look for it."""

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from deploy.aws.files import put_if_new
from deploy.aws.requests import Aws
from deploy.job_runs.arguments import STEPS
from deploy.package import Bundle

CODE = "olist_rfm_segments.zip"


def keys_of(glue: Bundle, emr: Bundle) -> dict[str, str]:
    """The parameters of the stacks that say where a release is."""
    return {
        "CodeKey": f"code/{glue.code.stem.rpartition('-')[2]}",
        "GlueDependenciesKey": f"dependencies/{glue.dependencies.name}",
        "EmrDependenciesKey": f"dependencies/{emr.dependencies.name}",
        "EmrArchitecture": emr.architecture.upper(),
    }


def upload_release(aws: Aws, *, bucket: str, glue: Bundle, emr: Bundle) -> Mapping[str, str]:
    """Upload what is not there yet; earlier releases stay, for a way back."""
    keys = keys_of(glue, emr)
    put_if_new(aws, glue.dependencies, bucket=bucket, key=keys["GlueDependenciesKey"])
    put_if_new(aws, emr.dependencies, bucket=bucket, key=keys["EmrDependenciesKey"])
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(glue.code) as code:
        for name in STEPS:
            script = Path(place, f"{name}.py")
            script.write_bytes(code.read(f"jobs/{name}.py"))
            put_if_new(aws, script, bucket=bucket, key=f"{keys['CodeKey']}/{name}.py")
    put_if_new(aws, glue.code, bucket=bucket, key=f"{keys['CodeKey']}/{CODE}")
    return keys
