"""AWS for the commands: fakes over HTTP, and no pause between two polls."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy import up
from deploy.aws import waiting
from deploy.packaging.bundle import SITE_PACKAGES, Bundle, build_bundle
from deploy.packaging.platforms import EMR, Platform
from tests.deploy.packaging.bundles import clean_environment
from tests.deploy.sagemaker.command_lines import Commands
from tests.deploy.submitting import AS_OF, NAMED, WAYS, Runner
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.emr.service import EmrCluster, EmrServerless
from tests.fakes.environment import CREDENTIALS, REGION, serving
from tests.fakes.glue.service import Glue
from tests.fakes.http.protocols import JsonService
from tests.fakes.logs.service import Logs
from tests.fakes.redshift.serverless import RedshiftServerless
from tests.fakes.sagemaker.client_requests import ClientRequests
from tests.fakes.step_functions.service import StepFunctions

PREFIX = "shop"
STATEMENT = "01234567-89ab-cdef-0123-456789abcdef"
BUCKETS = {"DataBucket": "shop-data", "ArtifactsBucket": "shop-artifacts", "AccessLogsBucket": "shop-logs"}
ROLES = ("Pipeline", "Segments", "SageMaker")
STEPS = ("Pipeline", "Segments", "Publish")
OUTPUTS = {
    "shop-storage": {**BUCKETS, "KeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1"},
    "shop-warehouse": {
        "Workgroup": "shop",
        "WorkgroupArn": "arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/1",
        "Namespace": "shop",
        "Database": "segments",
        "CopyRoleArn": "arn:aws:iam::123456789012:role/shop-copy",
    },
    "shop-jobs": {
        "ApplicationId": "00f1abcd",
        "ApplicationArn": "arn:aws:emr-serverless:eu-west-1:123456789012:/applications/00f1abcd",
        "CodePath": "s3://shop-artifacts/code/0a1b",
        "EmrSubmitParameters": "--py-files s3://shop-artifacts/code/0a1b/olist_rfm_segments.zip",
        "EmrLogGroup": "/shop/emr",
        "KMeansImage": "438346466558.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1",
        "PublishRoleName": "shop-publish",
        "CatalogueDatabase": "shop",
        "GlueLogPrefix": "/shop/glue",
        **{f"{step}LogPrefix": f"/shop/glue/shop-role/shop-{step.lower()}" for step in STEPS},
        **{f"{role}RoleArn": f"arn:aws:iam::123456789012:role/shop-{role.lower()}" for role in ROLES},
    },
    "shop-nightly": {
        "MachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:shop-nightly",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:shop",
        "Kmeans": "spark",
        "Schema": "marts",
    },
}
OPTIONAL_OUTPUTS = {
    "shop-network": {
        "NetworkVpc": "vpc-1",
        "NetworkSubnets": "subnet-1,subnet-2",
        "NetworkGroup": "sg-1",
        "NetworkZone": "eu-west-1a",
    },
    "shop-bi": {"DashboardId": "shop", "DashboardDataSets": "shop-segments,shop-grid", "AthenaWorkGroup": "shop"},
}


@pytest.fixture
def emr_serverless(aws: pytest.MonkeyPatch) -> Iterator[EmrServerless]:
    """The application of EMR Serverless, which nothing has started yet."""
    with serving(aws, "EMR_SERVERLESS", EmrServerless()) as service:
        yield service


@pytest.fixture
def step_functions(aws: pytest.MonkeyPatch) -> Iterator[StepFunctions]:
    """Step Functions, where nothing is in progress."""
    with serving(aws, "SFN", StepFunctions()) as service:
        yield service


@pytest.fixture
def glue(aws: pytest.MonkeyPatch) -> Iterator[Glue]:
    """Glue, without a job run."""
    with serving(aws, "GLUE", Glue()) as service:
        yield service


@pytest.fixture
def cloud_formation(
    aws: pytest.MonkeyPatch, emr_serverless: EmrServerless, step_functions: StepFunctions, glue: Glue, s3: Any
) -> Iterator[CloudFormation]:
    """CloudFormation, in an account where nothing was made yet."""
    del step_functions, glue
    aws.setattr(waiting, "POLL_SECONDS", 0.0)
    service = CloudFormation()
    service.outputs = OUTPUTS | OPTIONAL_OUTPUTS
    service.read_object = lambda bucket, key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    service.application_is_started = emr_serverless.application_is_started
    with serving(aws, "CLOUDFORMATION", service):
        yield service


@pytest.fixture
def deployed(cloud_formation: CloudFormation) -> CloudFormation:
    """CloudFormation in an account with the stacks of the prefix that are not optional."""
    for name, outputs in OUTPUTS.items():
        cloud_formation.stacks[name] = {
            "statuses": ["CREATE_COMPLETE"],
            "parameters": {"Prefix": PREFIX},
            "outputs": outputs,
            "body": "{}",
        }
    return cloud_formation


@pytest.fixture
def buckets(aws: pytest.MonkeyPatch, s3: Any) -> Iterator[Any]:
    """A client of S3, where the three versioned buckets exist."""
    del aws
    for name in BUCKETS.values():
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield s3
    resource = boto3.resource("s3", endpoint_url=s3.meta.endpoint_url, **CREDENTIALS)
    for name in BUCKETS.values():
        resource.Bucket(name).object_versions.all().delete()
        s3.delete_bucket(Bucket=name)


@pytest.fixture
def serverless(aws: pytest.MonkeyPatch) -> Iterator[RedshiftServerless]:
    """Redshift Serverless, without usage limits and snapshots."""
    with serving(aws, "REDSHIFT_SERVERLESS", RedshiftServerless()) as service:
        yield service


@pytest.fixture
def redshift(aws: pytest.MonkeyPatch, serverless: RedshiftServerless) -> Iterator[JsonService]:
    """The Data API, which accepts every statement, beside Redshift Serverless."""
    del serverless
    data = JsonService(
        "redshift-data",
        {
            "ExecuteStatement": lambda _: {"Id": STATEMENT},
            "DescribeStatement": lambda _: {"Id": STATEMENT, "Status": "FINISHED"},
        },
    )
    with serving(aws, "REDSHIFT_DATA", data):
        yield data


@pytest.fixture
def logs(aws: pytest.MonkeyPatch) -> Iterator[Logs]:
    """CloudWatch Logs, without a group."""
    with serving(aws, "CLOUDWATCH_LOGS", Logs()) as service:
        yield service


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for bundles, and small archives in place of those that pip fetches."""
    folder = tmp_path / "package"
    folder.mkdir()
    code = folder / "olist_rfm_segments-0.1.0-0a1b0a1b0a1b0a1b.zip"
    with zipfile.ZipFile(code, "w") as archive:
        for name in ("pipeline", "segments", "publish"):
            archive.writestr(f"jobs/{name}.py", f"# {name}\n")

    def build_small_bundle(platform: Platform, *, architecture: str, folder: Path) -> Bundle:
        ending = ".gluewheels.zip" if platform.name.startswith("glue") else ".zip"
        dependencies = folder / f"dependencies-{platform.name}-{architecture}-1a2b{ending}"
        dependencies.write_bytes(b"wheels of " + platform.name.encode())
        return Bundle(platform.name, architecture, code, code, dependencies, ())

    monkeypatch.setattr(up, "build_bundle", build_small_bundle)
    return folder


@pytest.fixture(scope="session")
def emr(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The real bundle for EMR."""
    return build_bundle(EMR, architecture="x86_64", folder=tmp_path_factory.mktemp("emr"))


@pytest.fixture(scope="session")
def emr_packages(emr: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the unpacked dependencies that goes on PYTHONPATH."""
    folder = tmp_path_factory.mktemp("environment")
    shutil.unpack_archive(emr.dependencies, folder, format="zip")
    return folder / SITE_PACKAGES


@pytest.fixture(scope="session")
def emr_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of EMR's version that has Spark alone."""
    return clean_environment(tmp_path_factory.mktemp("emr-python") / "python", EMR)


@pytest.fixture
def emr_cluster(aws: pytest.MonkeyPatch) -> Iterator[EmrCluster]:
    """EMR on EC2, with a cluster without steps."""
    with serving(aws, "EMR", EmrCluster()) as service:
        yield service


@pytest.fixture(params=WAYS)
def runner(request: pytest.FixtureRequest, deployed: CloudFormation, buckets: Any) -> Runner:
    del deployed
    fixtures = {"glue": "glue", "emr": "emr_serverless", "cluster": "emr_cluster", "run": "step_functions"}
    service = request.getfixturevalue(fixtures[request.param])
    command, named, start, describe, states = {
        "glue": (("glue", "submit"), NAMED, "StartJobRun", "GetJobRun", {}),
        "emr": (("emr", "submit"), NAMED, "StartJobRun", "GetJobRun", {"SUCCEEDED": "SUCCESS"}),
        "cluster": (
            ("emr", "submit", "--cluster", "j-1"),
            NAMED,
            "AddJobFlowSteps",
            "DescribeStep",
            {"SUCCEEDED": "COMPLETED"},
        ),
        "run": (("run",), (*AS_OF, "--name", "nightly"), "StartExecution", "DescribeExecution", {}),
    }[request.param]
    return Runner(command, named, start, describe, states, service, service.jobs, buckets)


@pytest.fixture
def commands(client_requests: ClientRequests, capfd: pytest.CaptureFixture[str]) -> Commands:
    return Commands(client_requests, capfd)
