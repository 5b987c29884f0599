"""Stacks by name, and what a cloud team sets on all of them: tags, a service role, templates of any size."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.stacks import stacks
from deploy.stacks.template_source import LARGEST_BODY
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.http.protocols import JsonService

BASE = {"project": "olist-rfm-segments", "prefix": "shop", "cost-centre": "shop"}
PRINCIPAL = "arn:aws:quicksight:eu-west-1:123456789012:user/default/ann"
ROLE = "arn:aws:iam::123456789012:role/teams/cloudformation"


@pytest.fixture
def up(packaged: Path, buckets: Any, redshift: JsonService) -> Any:
    del buckets, redshift
    return lambda *arguments: main(["up", "--prefix", "shop", "--folder", str(packaged), *arguments])


def test_two_stacks_need_no_warehouse_and_wake_none(
    up: Any, cloud_formation: CloudFormation, redshift: JsonService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up("--only", "jobs,storage") == 0
    assert cloud_formation.completed == ["shop-storage", "shop-jobs"]
    assert redshift.calls == []
    assert capsys.readouterr().out == (
        "shop is up in eu-west-1. Next: python -m deploy upload DATA --prefix shop --region eu-west-1, then "
        "python -m deploy glue submit --prefix shop --region eu-west-1 --as-of YYYY-MM-DD\n"
    )


def test_a_later_stack_takes_the_outputs_of_those_that_exist(
    up: Any, cloud_formation: CloudFormation, redshift: JsonService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up("--only", "storage,jobs") == 0
    assert up("--only", "warehouse") == 0
    assert cloud_formation.stacks["shop-warehouse"]["parameters"]["PublishRoleName"] == "shop-publish"
    assert 'create user "IAMR:shop-publish"' in redshift.calls[0].request["Sql"]
    capsys.readouterr()
    assert up("--only", "nightly") == 0
    assert cloud_formation.stacks["shop-nightly"]["parameters"]["Database"] == "segments"
    assert cloud_formation.completed == ["shop-storage", "shop-jobs", "shop-warehouse", "shop-nightly"]
    assert "python -m deploy run --prefix shop --region eu-west-1 --as-of YYYY-MM-DD" in capsys.readouterr().out


def test_the_bucket_alone_is_built_without_a_bundle_and_names_what_comes_next(
    up: Any, cloud_formation: CloudFormation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.up.build_bundle", None)
    assert up("--only", "storage") == 0
    assert cloud_formation.completed == ["shop-storage"]
    assert "Next: python -m deploy up --prefix shop --region eu-west-1 --only jobs" in capsys.readouterr().out


def test_optional_stacks_come_by_name_and_are_changed_with_the_others_from_then_on(
    up: Any, cloud_formation: CloudFormation
) -> None:
    assert up() == 0
    assert "shop-network" not in cloud_formation.stacks
    settings = ("OwnVpc=vpc-1", "OwnSubnets=subnet-1,subnet-2", "OwnZone=eu-west-1a")
    assert up("--only", "network", *(part for setting in settings for part in ("--set", setting))) == 0
    cloud_formation.completed.clear()
    assert up("--set", "Endpoints=true") == 0
    # The network changed, and its outputs reach the stacks that were made before it.
    assert cloud_formation.completed == ["shop-network", "shop-jobs", "shop-warehouse", "shop-nightly"]
    for name in ("jobs", "warehouse", "nightly"):
        assert cloud_formation.stacks[f"shop-{name}"]["parameters"]["NetworkSubnets"] == "subnet-1,subnet-2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--only", "storage,glue"),
            "invalid --only 'storage,glue': expected names from storage, network, jobs, warehouse, bi, nightly",
        ),
        (("--only", ","), "invalid --only ',': expected names from storage, network"),
        (
            ("--only", "jobs"),
            "Create all: python -m deploy up --prefix shop --region eu-west-1 --only storage,jobs. Nothing was",
        ),
        (
            ("--only", "storage,warehouse"),
            "stack shop-warehouse needs PublishRoleName of shop-jobs, which does not exist",
        ),
        (
            ("--only", "bi", "--set", f"DashboardPrincipal={PRINCIPAL}"),
            (
                "stack shop-bi needs DataBucket of shop-storage, which does not exist; shop-bi needs CatalogueDatabase "
                "of shop-jobs, which does not exist. Create all: python -m deploy up --prefix shop --region eu-west-1 "
                "--only storage,jobs,bi. Nothing"
            ),
        ),
        (
            ("--only", "storage,jobs,bi"),
            "stack shop-bi needs a value of DashboardPrincipal, and has none. Give it: --set DashboardPrincipal=VALUE",
        ),
        (
            ("--only", "storage,jobs", "--set", "Kmeans=sagemaker"),
            "--set Kmeans: a setting of nightly, expected one of storage, jobs, since it would do nothing here",
        ),
        (("--set", "OwnVpc=vpc-1"), "--set OwnVpc: a setting of network, expected one of storage, jobs, warehouse"),
        (("--only", "storage", "--set", "RpuHoursPerMonth=9"), "--set RpuHoursPerMonth: a setting of warehouse"),
        (("--set", "RpuHoursPerMonth=-1"), "invalid --set RpuHoursPerMonth=-1: expected a whole number of RPU-hours"),
        (("--only", "storage", "--arch", "arm64"), "--arch arm64: of the stack jobs, expected it in --only"),
        (("--tag", "owner"), "invalid --tag 'owner': expected NAME=VALUE"),
        (("--tag", "aws:owner=x"), "invalid --tag 'aws:owner=x': expected NAME=VALUE"),
        (("--tag", "prefix=x"), "invalid --tag 'prefix=x': expected another name than project, prefix, cost-centre"),
        (("--service-role", "cloudformation"), "invalid --service-role 'cloudformation': expected the ARN of a role"),
    ],
)
def test_a_call_that_cannot_succeed_is_refused_in_one_line_before_anything_changes(
    up: Any,
    cloud_formation: CloudFormation,
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert up(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert {call.operation for call in cloud_formation.calls} <= {"DescribeStacks"}


def test_a_stack_of_an_earlier_version_that_lacks_an_output_is_named(
    up: Any, deployed: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployed.stacks["shop-warehouse"]
    jobs = deployed.stacks["shop-jobs"]
    jobs["outputs"] = {name: value for name, value in jobs["outputs"].items() if name != "PublishRoleName"}
    assert up("--only", "warehouse") == 2
    assert "needs PublishRoleName of shop-jobs, which does not have it yet. Create all" in capsys.readouterr().err


def test_a_warehouse_of_an_earlier_version_keeps_the_log_groups_that_redshift_made(
    up: Any, deployed: CloudFormation
) -> None:
    """Their names are those of the template, and CloudFormation makes no group that is there."""
    parameters = deployed.stacks["shop-warehouse"]["parameters"]
    deployed.stacks["shop-warehouse"]["parameters"] = {
        name: value for name, value in parameters.items() if name != "LogGroups"
    }
    assert up("--only", "warehouse") == 0
    assert deployed.stacks["shop-warehouse"]["parameters"]["LogGroups"] == "false"
    assert up("--only", "warehouse") == 0
    assert deployed.stacks["shop-warehouse"]["parameters"]["LogGroups"] == "false"


def test_a_nightly_run_of_an_earlier_version_goes_on_with_sagemaker(up: Any, deployed: CloudFormation) -> None:
    assert "Kmeans" not in deployed.stacks["shop-nightly"]["parameters"]
    assert up("--only", "nightly") == 0
    assert deployed.stacks["shop-nightly"]["parameters"]["Kmeans"] == "sagemaker"


def test_new_stacks_make_the_log_groups_of_redshift_and_cluster_with_spark(
    up: Any, cloud_formation: CloudFormation
) -> None:
    assert up() == 0
    assert cloud_formation.stacks["shop-warehouse"]["parameters"]["LogGroups"] == "true"
    assert cloud_formation.stacks["shop-nightly"]["parameters"]["Kmeans"] == "spark"


def test_the_key_under_the_data_is_never_changed(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    assert up("--only", "storage") == 0
    assert up("--only", "storage", "--set", f"OwnKeyArn={key}") == 2
    assert capsys.readouterr().err.endswith(
        "deploy: --set OwnKeyArn: the data are encrypted with the key that the stack made, expected no other key. "
        "Choose the key with the first `up` of a prefix. Nothing was changed\n"
    )
    assert cloud_formation.completed == ["shop-storage"]


def test_a_dry_run_of_two_stacks_prints_their_requests_alone(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up("--only", "storage,jobs", "--dry-run") == 0
    requests = requests_in(capsys.readouterr().out)
    changed = [each["parameters"]["StackName"] for each in requests if each["operation"] == "create_change_set"]
    assert changed == ["shop-storage", "shop-jobs"]
    assert {each["service"] for each in requests} == {"cloudformation", "s3"}
    assert cloud_formation.completed == []


def requests_in(printed: str) -> list[dict[str, Any]]:
    return [json.loads(part) for part in printed.replace("}\n{", "}\0{").split("\0")]


def test_tags_reach_every_stack_and_stay(up: Any, cloud_formation: CloudFormation) -> None:
    assert up("--tag", "owner=marketing", "--tag", "data=personal=yes") == 0
    assert up("--tag", "owner=risk", "--set", "GlueWorkers=6") == 0
    tags = [stack["tags"] for stack in cloud_formation.stacks.values()]
    assert tags == [BASE | {"owner": "risk", "data": "personal=yes"}] * 4
    cloud_formation.completed.clear()
    assert up() == 0
    assert cloud_formation.completed == []


def test_the_cost_centre_and_the_boundary_of_one_stack_are_those_of_the_next(
    up: Any, cloud_formation: CloudFormation
) -> None:
    boundary = "arn:aws:iam::123456789012:policy/teams"
    settings = ("--set", "CostCentre=4711", "--set", f"PermissionsBoundary={boundary}")
    assert up("--only", "storage,jobs", *settings) == 0
    assert up() == 0
    assert {stack["tags"]["cost-centre"] for stack in cloud_formation.stacks.values()} == {"4711"}
    for name in ("jobs", "warehouse", "nightly"):
        assert cloud_formation.stacks[f"shop-{name}"]["parameters"]["PermissionsBoundary"] == boundary


def test_an_output_that_a_stack_gives_no_more_is_withdrawn_from_those_that_took_it(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up() == 0
    assert up("--only", "bi", "--set", f"DashboardPrincipal={PRINCIPAL}") == 0
    assert cloud_formation.stacks["shop-nightly"]["parameters"]["CatalogueDatabase"] == "shop"
    jobs = cloud_formation.outputs["shop-jobs"]
    without_catalogue = {name: value for name, value in jobs.items() if name != "CatalogueDatabase"}
    cloud_formation.outputs = {**cloud_formation.outputs, "shop-jobs": without_catalogue}
    assert up("--only", "jobs,nightly", "--set", "Catalogue=false") == 0
    assert cloud_formation.stacks["shop-nightly"]["parameters"]["CatalogueDatabase"] == ""
    assert up() == 2
    assert "stack shop-bi: parameter CatalogueDatabase has no value, expected an output of that name" in (
        capsys.readouterr().err
    )


def test_a_service_role_is_given_once_and_kept_by_cloudformation(up: Any, cloud_formation: CloudFormation) -> None:
    assert up("--only", "storage,jobs", "--service-role", ROLE) == 0
    assert up("--only", "jobs", "--set", "GlueWorkers=6") == 0
    requests = [call.request for call in cloud_formation.calls if call.operation == "CreateChangeSet"]
    assert [request.get("RoleARN") for request in requests] == [ROLE, ROLE, None]
    assert cloud_formation.stacks["shop-jobs"]["role"] == ROLE


def pad_template(monkeypatch: pytest.MonkeyPatch, folder: Path, *, size: int) -> int:
    """Have a template of the jobs of this size, in a copy of all templates."""
    shutil.copytree(str(stacks.TEMPLATES), folder)
    monkeypatch.setattr(stacks, "TEMPLATES", folder)
    file = folder / "jobs.yaml"
    body = file.read_bytes()
    file.write_bytes(body + b"#" * (size - len(body)))
    return len(file.read_bytes())


@pytest.fixture
def large_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """A template of the jobs that is one byte too large for a request."""
    return pad_template(monkeypatch, tmp_path / "templates", size=LARGEST_BODY + 1)


def test_a_template_too_large_for_a_request_goes_through_the_bucket(
    up: Any, cloud_formation: CloudFormation, buckets: Any, large_template: int
) -> None:
    assert large_template == 51_201
    assert up("--only", "storage,jobs") == 0
    first, second = (call.request for call in cloud_formation.calls if call.operation == "CreateChangeSet")
    assert "TemplateBody" in first
    assert "TemplateBody" not in second
    (key,) = (each["Key"] for each in buckets.list_objects_v2(Bucket="shop-artifacts", Prefix="templates/")["Contents"])
    assert second["TemplateURL"] == f"https://shop-artifacts.s3.eu-west-1.amazonaws.com/{key}"
    assert cloud_formation.stacks["shop-jobs"]["body"] == stacks.template_body("jobs")
    cloud_formation.completed.clear()
    assert up("--only", "storage,jobs") == 0
    assert cloud_formation.completed == []
    assert len(buckets.list_object_versions(Bucket="shop-artifacts", Prefix="templates/")["Versions"]) == 1


def test_a_template_of_the_largest_size_goes_into_the_request(
    up: Any, cloud_formation: CloudFormation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert pad_template(monkeypatch, tmp_path / "templates", size=LARGEST_BODY) == 51_200
    assert up("--only", "storage,jobs") == 0
    requests = [call.request for call in cloud_formation.calls if call.operation == "CreateChangeSet"]
    assert [len(request["TemplateBody"]) == 51_200 for request in requests] == [False, True]


def test_a_template_that_is_not_in_the_bucket_is_refused_by_cloudformation(
    up: Any, cloud_formation: CloudFormation, large_template: int, capsys: pytest.CaptureFixture[str]
) -> None:
    del large_template

    def elsewhere(bucket: str, key: str) -> str:
        return read_object(f"{bucket}-elsewhere", key)

    read_object = cloud_formation.read_object
    assert read_object is not None
    cloud_formation.read_object = elsewhere
    assert up("--only", "storage,jobs") == 4
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("deploy: cloudformation create_change_set: ")
    assert "S3 error: The specified bucket does not exist" in line


@pytest.mark.parametrize(
    "host",
    ["s3.us-east-1.amazonaws.com", "s3.us-gov-west-1.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn"],
)
def test_the_address_of_a_template_is_that_of_its_partition(
    up: Any,
    deployed: CloudFormation,
    large_template: int,
    host: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del deployed, large_template
    assert up("--only", "jobs", "--dry-run", "--region", host.split(".")[1]) == 0
    (request,) = (each for each in requests_in(capsys.readouterr().out) if each["operation"] == "create_change_set")
    assert request["parameters"]["TemplateURL"].startswith(f"https://shop-artifacts.{host}/templates/jobs-")
