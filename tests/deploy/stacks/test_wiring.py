"""The templates as `up` joins them: what a stack takes from the stacks before it, and what an account must allow."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.checks.permissions import ACTIONS_BY_STACK
from deploy.stacks.settings import DERIVED, setting_stacks
from deploy.stacks.stacks import (
    OPTIONAL,
    STACKS,
    template_body,
    template_mapping,
    template_outputs,
    template_parameters,
)
from tests.deploy.conftest import OPTIONAL_OUTPUTS, OUTPUTS
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.http.protocols import JsonService

OF_THE_USER = {"network": {"OwnVpc", "OwnSubnets", "OwnZone"}, "bi": {"DashboardPrincipal"}}
"""The settings without a default: what an optional stack is about."""

PRINCIPAL = "arn:aws:quicksight:eu-west-1:123456789012:user/default/ann"
EVERY_STACK = (
    *("--only", ",".join(STACKS), "--set", "OwnVpc=vpc-1", "--set", "OwnSubnets=subnet-1,subnet-2"),
    *("--set", "OwnZone=eu-west-1a"),
    *("--set", f"DashboardPrincipal={PRINCIPAL}"),
)
SERVICES = {
    "Athena": "athena",
    "Budgets": "budgets",
    "CloudWatch": "cloudwatch",
    "EC2": "ec2",
    "EMRServerless": "emr-serverless",
    "Events": "events",
    "Glue": "glue",
    "IAM": "iam",
    "KMS": "kms",
    "Logs": "logs",
    "QuickSight": "quicksight",
    "RedshiftServerless": "redshift-serverless",
    "S3": "s3",
    "SNS": "sns",
    "SQS": "sqs",
    "Scheduler": "scheduler",
    "StepFunctions": "states",
}
"""The prefix of the actions on the resources of a service, by its name in CloudFormation."""


@pytest.fixture
def up(packaged: Path, buckets: Any, redshift: JsonService) -> Any:
    del buckets, redshift
    return lambda *arguments: main(["up", "--prefix", "shop", "--folder", str(packaged), *arguments])


@pytest.mark.parametrize("name", STACKS)
def test_a_parameter_without_a_default_is_an_output_of_a_stack_before_it(name: str) -> None:
    outputs = {output for stack in STACKS[: STACKS.index(name)] for output in template_outputs(stack)}
    required = {
        parameter for parameter, declaration in template_parameters(name).items() if "Default" not in declaration
    }
    assert required - outputs - DERIVED == OF_THE_USER.get(name, set())


@pytest.mark.parametrize("name", STACKS)
def test_only_a_stack_that_is_always_there_gives_what_another_cannot_do_without(name: str) -> None:
    givers = {
        giver
        for parameter, declaration in template_parameters(name).items()
        if "Default" not in declaration
        for giver in STACKS
        if parameter in template_outputs(giver) and giver != name
    }
    assert givers <= {"storage", "jobs"}
    assert not givers & OPTIONAL


def test_the_jobs_need_no_other_stack_than_the_buckets() -> None:
    outputs = {*template_outputs("network"), *template_outputs("warehouse")}
    declarations = template_parameters("jobs")
    assert {name for name in declarations if name in outputs and "Default" not in declarations[name]} == set()


@pytest.mark.parametrize("name", STACKS)
def test_the_outputs_that_the_tests_of_the_commands_have_are_those_of_the_template(name: str) -> None:
    assert set((OUTPUTS | OPTIONAL_OUTPUTS)[f"shop-{name}"]) == set(template_outputs(name))


def test_a_setting_has_one_default_in_all_stacks_that_have_it() -> None:
    for name, owners in setting_stacks().items():
        declared = [template_parameters(owner).get(name) for owner in owners]
        assert len({str(each["Default"]) for each in declared if each and "Default" in each}) <= 1, name


@pytest.mark.parametrize("name", STACKS)
def test_doctor_asks_for_a_permission_on_each_service_whose_resources_a_stack_has(name: str) -> None:
    services = {
        SERVICES[service] for service in re.findall(r"^    Type: AWS::(\w+)::", template_body(name), re.MULTILINE)
    }
    services -= {"events"}  # a rule is no more than its target
    assert services <= {action.partition(":")[0] for action in ACTIONS_BY_STACK[name]}


def test_doctor_knows_the_regions_of_sagemakers_kmeans() -> None:
    assert {"eu-west-1", "us-east-1"} <= set(template_mapping("jobs", "KMeansImage"))


def test_up_creates_every_stack_from_the_templates(up: Any, cloud_formation: CloudFormation, buckets: Any) -> None:
    assert up("--only", "storage,jobs") == 0
    assert up(*EVERY_STACK) == 0
    assert set(cloud_formation.stacks) == {f"shop-{name}" for name in STACKS}
    for name in STACKS:
        assert cloud_formation.stacks[f"shop-{name}"]["body"] == template_body(name)
    # What one stack lends, those after it take.
    assert cloud_formation.stacks["shop-jobs"]["parameters"]["NetworkSubnets"] == "subnet-1,subnet-2"
    assert cloud_formation.stacks["shop-nightly"]["parameters"]["CatalogueDatabase"] == "shop"
    large = {name for name in STACKS if len(template_body(name).encode()) > 51_200}
    pages = buckets.list_objects_v2(Bucket="shop-artifacts", Prefix="templates/").get("Contents", [])
    assert {each["Key"].partition("/")[2].rpartition("-")[0] for each in pages} == large
    cloud_formation.completed.clear()
    assert up() == 0
    assert cloud_formation.completed == []


def test_a_dry_run_of_every_stack_in_an_empty_account_finds_a_value_for_each_parameter(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up(*EVERY_STACK, "--dry-run") == 0
    printed = capsys.readouterr().out
    requests = [json.loads(part) for part in printed.replace("}\n{", "}\0{").split("\0")]
    assert [each["operation"] for each in requests].count("create_change_set") == 6
    assert "<PublishRoleName of shop-jobs>" in printed
    assert cloud_formation.completed == []
