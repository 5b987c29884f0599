import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

from jobs.spark.engines import PLUGIN
from tests.deploy.stacks.templates import PATHS, as_list, resources, statements, template, texts

BIN = Path(sys.executable).parent
CHECKOV = "checkov==3.3.30"
STACKS = [path.stem for path in PATHS]

UNSCOPED = {
    "cloudwatch:PutMetricData": "scoped by namespace, which a condition names",
    "ec2:DescribeDhcpOptions": "AWS scopes no description of a network",
    "ec2:DescribeNetworkInterfaces": "as above",
    "ec2:DescribeRouteTables": "as above",
    "ec2:DescribeSecurityGroups": "as above",
    "ec2:DescribeSubnets": "as above",
    "ec2:DescribeVpcAttribute": "as above",
    "ec2:DescribeVpcEndpoints": "as above",
    "ec2:DescribeVpcs": "as above",
    "ecr:GetAuthorizationToken": "logs in to registries as such",
    "logs:CreateLogDelivery": "the delivery of a state machine's log has no resource",
    "logs:DeleteLogDelivery": "as above",
    "logs:DescribeLogGroups": "lists; has no resource narrower than all groups",
    "logs:DescribeResourcePolicies": "as above",
    "logs:GetLogDelivery": "as above",
    "logs:ListLogDeliveries": "as above",
    "logs:PutResourcePolicy": "as above",
    "logs:UpdateLogDelivery": "as above",
    "redshift-data:CancelStatement": "scoped by the statement's owner, which a condition names",
    "redshift-data:DescribeStatement": "as above",
    "redshift-data:GetStatementResult": "as above",
    "xray:GetSamplingRules": "traces have no resource",
    "xray:GetSamplingTargets": "as above",
    "xray:PutTelemetryRecords": "as above",
    "xray:PutTraceSegments": "as above",
}
"""Actions that AWS scopes by a condition, or not at all, in place of a resource."""

CONDITIONED = {action for action, why in UNSCOPED.items() if action.startswith(("cloudwatch:", "redshift-data:"))}

SAY_NO_ACCOUNT = {("warehouse", "CopyRole"), ("bi", "AthenaRole")}
"""Roles of services whose documentation does not say that they name the account, so that a trust may not demand it."""

ACCEPTED = {
    (
        "CKV_AWS_18",
        "AWS::S3::Bucket.AccessLogs",
    ): "the access logs go there; a log of its own access would not end",
}
"""Accepted findings of checkov, with the reason."""


def allowing(name: str) -> list[dict[str, Any]]:
    return [statement for statement in statements(template(name)) if statement["Effect"] == "Allow"]


@pytest.mark.long
def test_cfn_lint_has_no_findings() -> None:
    completed = subprocess.run([BIN / "cfn-lint", *PATHS], check=False, capture_output=True, text=True)
    assert (completed.returncode, completed.stdout) == (0, "")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_checkov_has_the_accepted_findings_alone(tmp_path: Path) -> None:
    environment = Path("build", "checkov").resolve()
    if not (environment / "bin" / "checkov").exists():
        subprocess.run([BIN / "uv", "venv", "--quiet", "--clear", "--python", sys.executable, environment], check=True)
        install = ("pip", "install", "--quiet", "--python", environment / "bin" / "python", CHECKOV)
        subprocess.run([BIN / "uv", *install], check=True)
    folder = PATHS[0].parent
    options = ("--directory", folder, "--framework", "cloudformation", "--quiet", "--skip-download", "--output", "json")
    completed = subprocess.run(
        [environment / "bin" / "checkov", *options], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    report = json.loads(completed.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 100
    failed = {(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]}
    assert failed == set(ACCEPTED)


@pytest.mark.parametrize("name", STACKS)
def test_a_template_fits_into_a_request_or_else_into_a_bucket(name: str) -> None:
    """The stack of the buckets is made first, so its template has to fit into a request."""
    assert (PATHS[0].parent / f"{name}.yaml").stat().st_size <= (51_200 if name == "storage" else 1_000_000)


@pytest.mark.parametrize("name", STACKS)
def test_policies_name_each_action(name: str) -> None:
    for statement in allowing(name):
        assert "NotAction" not in statement
        for action in as_list(statement["Action"]):
            assert "*" not in action, statement


@pytest.mark.parametrize("name", STACKS)
def test_policies_name_their_resources_where_aws_allows_it(name: str) -> None:
    for statement in allowing(name):
        if "*" not in as_list(statement.get("Resource", [])) or "Principal" in statement:
            continue
        actions = set(as_list(statement["Action"]))
        assert actions <= set(UNSCOPED), statement
        assert not actions & CONDITIONED or "Condition" in statement, statement


def test_a_policy_that_is_open_to_a_principal_is_one_of_a_key_or_of_the_network() -> None:
    """There ``*`` stands for this key, or for everyone in this network and account."""
    open_statements = {
        (name, str(statement["Sid"]))
        for name in STACKS
        for statement in allowing(name)
        if "Principal" in statement and "*" in (*as_list(statement.get("Resource", [])), statement["Principal"])
    }
    assert open_statements == {
        ("storage", "AccountAdministersTheKeyAndDelegatesItsUse"),
        ("storage", "LogGroupsOfThisPrefixAreEncryptedWithIt"),
        ("storage", "AlarmsReachTheEncryptedTopic"),
        ("storage", "LogsOfAnEncryptedStateMachineAreDelivered"),
        ("warehouse", "TheDataOfThisPrefix"),
    }


@pytest.mark.parametrize("name", STACKS)
def test_only_services_for_this_account_may_assume_a_role(name: str) -> None:
    for role, properties in resources(template(name), "AWS::IAM::Role").items():
        for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
            assert set(statement["Principal"]) == {"Service"}, role
            operator = "StringEqualsIfExists" if (name, role) in SAY_NO_ACCOUNT else "StringEquals"
            assert statement["Condition"][operator]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}, role


@pytest.mark.parametrize("name", STACKS)
def test_each_role_takes_a_permissions_boundary_and_a_path(name: str) -> None:
    content = template(name)
    boundary = [{"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]
    for role, properties in resources(content, "AWS::IAM::Role").items():
        assert properties["PermissionsBoundary"]["Fn::If"][1:] == boundary, role
        assert content["Parameters"]["RolePath"]["Default"] == "/", role
        assert content["Parameters"]["PermissionsBoundary"]["Default"] == "", role


@pytest.mark.parametrize("name", STACKS)
def test_a_role_or_policy_without_a_path_of_its_own_has_no_path_so_that_an_older_one_is_not_replaced(name: str) -> None:
    """A path makes CloudFormation replace it, even the path that it has anyway. A thing with a name is not replaced."""
    content = template(name)
    path = {"Fn::If": ["HasRolePath", {"Ref": "RolePath"}, {"Ref": "AWS::NoValue"}]}
    named = resources(content, "AWS::IAM::Role") | resources(content, "AWS::IAM::ManagedPolicy")
    for logical_name, properties in named.items():
        assert properties["Path"] == path, logical_name
        assert content["Conditions"]["HasRolePath"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "RolePath"}, "/"]}]}


@pytest.mark.parametrize("name", STACKS)
def test_descriptions_of_security_groups_have_the_characters_that_ec2_takes(name: str) -> None:
    content = template(name)
    groups = resources(content, "AWS::EC2::SecurityGroup")
    rules = resources(content, "AWS::EC2::SecurityGroupIngress") | resources(content, "AWS::EC2::SecurityGroupEgress")
    inline = [rule for group in groups.values() for rule in group.get("SecurityGroupEgress", [])]
    descriptions = [group["GroupDescription"]["Fn::Sub"].replace("${Prefix}", "shop") for group in groups.values()]
    descriptions += [rule["Description"] for rule in (*rules.values(), *inline)]
    assert len(descriptions) == {"network": 4, "warehouse": 2}.get(name, 0)
    for description in descriptions:
        assert re.fullmatch(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}", description), description


@pytest.mark.parametrize("name", STACKS)
def test_no_template_writes_the_arn_of_a_role_which_its_path_would_change(name: str) -> None:
    assert not [text for text in texts(template(name)) if re.search(r":iam::[^:]*:role/", text)]


@pytest.mark.parametrize("name", STACKS)
def test_no_secret_stands_in_a_template(name: str) -> None:
    secret = re.compile(r"(?i)password|secret|AKIA[0-9A-Z]{16}|NoEcho|BEGIN .*KEY")
    matches = {text for text in texts(template(name)) if secret.search(text)}
    assert matches <= {
        *("ManageAdminPassword", "AdminPasswordSecretKmsKeyId"),
        *("SecretsManagerEndpoint", "com.amazonaws.${AWS::Region}.secretsmanager"),
    }


NAMED = re.compile(r"(Name|RoleName|\w+GroupName|AliasName|TopicName|BucketName|NamespaceName|WorkgroupName)$")
NOT_NAMES = {
    "AWS::CloudWatch::Alarm": {"MetricName"},
    "AWS::EC2::VPCEndpoint": {"ServiceName"},
    "AWS::IAM::RolePolicy": {"PolicyName"},  # each role has its own
    "AWS::RedshiftServerless::Namespace": {"DbName"},  # each namespace has its own
}


@pytest.mark.parametrize("name", STACKS)
def test_every_name_has_the_prefix_so_that_two_deployments_live_side_by_side(name: str) -> None:
    for resource, content in template(name)["Resources"].items():
        names = {key: value for key, value in content["Properties"].items() if NAMED.search(key)}
        for key, value in names.items():
            if key not in NOT_NAMES.get(content["Type"], ()):
                assert "Prefix" in str(value) or "Ref" in str(value), (resource, key)


def test_what_costs_while_it_works_or_stores_has_the_tag_of_its_cost_centre() -> None:
    value = {"Fn::If": ["HasCostCentre", {"Ref": "CostCentre"}, {"Ref": "Prefix"}]}
    tagged = [{"Key": "cost-centre", "Value": value}]
    for name, kind, number in (
        ("storage", "AWS::S3::Bucket", 3),
        ("storage", "AWS::KMS::Key", 1),
        ("jobs", "AWS::EMRServerless::Application", 1),
        ("warehouse", "AWS::RedshiftServerless::Namespace", 1),
        ("warehouse", "AWS::RedshiftServerless::Workgroup", 1),
    ):
        assert [properties["Tags"] for properties in resources(template(name), kind).values()] == [tagged] * number
    jobs = resources(template("jobs"), "AWS::Glue::Job").values()
    assert [job["Tags"] for job in jobs] == [{"cost-centre": value}] * 3


def test_every_resource_that_can_cost_has_a_cap() -> None:
    jobs, warehouse = template("jobs"), template("warehouse")
    (application,) = resources(jobs, "AWS::EMRServerless::Application").values()
    assert set(application["MaximumCapacity"]) == {"Cpu", "Memory", "Disk"}
    assert application["AutoStopConfiguration"]["Enabled"]
    for job in resources(jobs, "AWS::Glue::Job").values():
        assert {"NumberOfWorkers", "Timeout"} <= set(job)
        assert job["GlueVersion"] == "6.0"
    (workgroup,) = resources(warehouse, "AWS::RedshiftServerless::Workgroup").values()
    assert "MaxCapacity" in workgroup
    assert workgroup["PubliclyAccessible"] is False


def test_the_accounts_of_the_kmeans_image_are_those_of_the_sagemaker_sdk_in_every_region() -> None:
    """A region that is missing from a mapping would fail the stack, also for those who cluster with Spark."""
    spec = find_spec("sagemaker")  # the import would take seconds
    assert spec is not None
    (package,) = spec.submodule_search_locations or ()
    image_config = json.loads(Path(package, "core", "image_uri_config", "kmeans.json").read_text())
    accounts = image_config["versions"]["1"]["registries"]
    mapped = {region: entry["Account"] for region, entry in template("jobs")["Mappings"]["KMeansImage"].items()}
    regions = get_session().get_available_regions("ec2")
    assert mapped == {region: accounts.get(region, "none") for region in regions}
    assert mapped["us-west-1"] == "632365934929"
    assert mapped["mx-central-1"] == "none"


def test_a_region_without_the_kmeans_image_names_none() -> None:
    jobs = template("jobs")
    account = {"Fn::FindInMap": ["KMeansImage", {"Ref": "AWS::Region"}, "Account"]}
    assert jobs["Conditions"]["HasKMeansImage"] == {"Fn::Not": [{"Fn::Equals": [account, "none"]}]}
    condition, _, otherwise = jobs["Outputs"]["KMeansImage"]["Value"]["Fn::If"]
    assert (condition, otherwise) == ("HasKMeansImage", "none")


def test_emr_serverless_fits_the_quota_of_a_new_account() -> None:
    """16 vCPUs: a driver and three executors of 4 vCPUs each."""
    defaults = {name: declaration.get("Default") for name, declaration in template("jobs")["Parameters"].items()}
    assert (defaults["EmrCpus"], defaults["EmrExecutors"]) == (16, 3)
    assert (defaults["EmrMemory"], defaults["EmrDisk"]) == (96, 320)


def test_glue_and_emr_start_the_native_engine_by_the_settings_of_a_laptop() -> None:
    jobs = template("jobs")
    started = set(PLUGIN.items())
    arguments = [
        jobs["Resources"][name]["Properties"]["DefaultArguments"] for name in ("PipelineOnGlue", "SegmentsOnGlue")
    ]
    parameters = jobs["Outputs"]["EmrSubmitParameters"]["Value"]["Fn::Join"][1][-1]["Fn::If"]
    for name, (condition, value, otherwise), prefix in (
        *(("glue", argument["--conf"]["Fn::If"], "") for argument in arguments),
        ("emr", parameters, "--conf "),
    ):
        assert (condition, otherwise) == ("HasComet", {"Ref": "AWS::NoValue"}), name
        texts_of = [part if isinstance(part, str) else part["Fn::Sub"] for part in value["Fn::Join"][1]]
        pairs = [tuple(text.removeprefix(prefix).split("=", 1)) for text in texts_of if not text.startswith("--jars")]
        assert started <= set(pairs), name
        assert dict(pairs)["spark.memory.offHeap.size"] == "${CometMemory}"
    assert all("--extra-jars" in argument for argument in arguments)
    assert "--conf" not in jobs["Resources"]["PublishOnGlue"]["Properties"]["DefaultArguments"]
