"""Roles have what AWS's documentation asks of them where a service uses the customer-managed key or ships logs.

No fake of AWS enforces this. The tables are in `key_and_log_uses`.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.stacks.key_and_log_uses import (
    BY_PRINCIPAL,
    missing_rights,
    principals,
    unmapped_resources,
    uses,
)
from tests.deploy.stacks.rights import Stacks, conditions_of
from tests.deploy.stacks.templates import FOLDER, as_list, statements

VALUES = {
    "Prefix": "shop",
    "RolePath": "/",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
}


@pytest.fixture
def stacks() -> Stacks:
    return Stacks(FOLDER)


def text_of(value: Any) -> str:
    """A value of a template for the deployment ``shop`` in eu-west-1."""
    text: str = value["Fn::Sub"] if isinstance(value, dict) else value
    return re.sub(r"\$\{([\w:]+)\}", lambda name: VALUES[name[1]], text)


def key_policy(stacks: Stacks) -> list[dict[str, Any]]:
    statements_of_key: list[dict[str, Any]] = stacks.templates["storage"]["Resources"]["Key"]["Properties"][
        "KeyPolicy"
    ]["Statement"]
    return statements_of_key


def for_service(stacks: Stacks, service: str) -> dict[str, Any]:
    """The key's statement for a service."""
    (statement,) = (
        statement for statement in key_policy(stacks) if text_of(statement["Principal"].get("Service", "")) == service
    )
    return statement


def test_each_role_has_the_rights_that_its_services_need_over_the_key_and_for_logs(stacks: Stacks) -> None:
    assert missing_rights(stacks) == set()


def test_each_resource_that_takes_the_key_or_a_role_is_in_a_table(stacks: Stacks) -> None:
    assert unmapped_resources(stacks) == set()


def test_each_role_is_checked_for_a_service(stacks: Stacks) -> None:
    assert {service for role in stacks.roles.values() for service in principals(role)} <= set(BY_PRINCIPAL)
    assert {role for _, _, role in uses(stacks)} == set(stacks.roles)
    assert len(stacks.roles) >= 8


def test_the_keys_policy_delegates_each_action_that_a_role_is_allowed(stacks: Stacks) -> None:
    """It names actions one by one. What it does not name, no role's policy can allow."""
    (delegated,) = (set(statement["Action"]) for statement in key_policy(stacks) if "AWS" in statement["Principal"])
    allowed = {
        right.action for role in stacks.roles for right in stacks.rights(role) if right.action.startswith("kms:")
    }
    assert "kms:CreateGrant" in allowed
    assert allowed <= delegated


def test_a_role_that_makes_grants_for_a_warehouse_makes_them_for_aws_alone(stacks: Stacks) -> None:
    """SageMaker's role needs them without that condition, for the volumes of its machines."""
    unconditional = {
        role.name
        for role in stacks.roles
        for right in stacks.rights(role)
        if right.action == "kms:CreateGrant" and ("kms:GrantIsForAWSResource", "true") not in right.conditions
    }
    assert unconditional == {"SageMakerRole"}


def test_the_keys_policy_names_every_log_group_of_the_stacks(stacks: Stacks) -> None:
    statement = for_service(stacks, "logs.eu-west-1.amazonaws.com")
    assert {*statement["Action"]} >= {
        *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom"),
        "kms:ReEncryptTo",
    }
    patterns = [
        re.compile(re.escape(text_of(pattern)).replace(r"\*", ".*"))
        for pattern in statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    ]
    names = {text_of(properties["LogGroupName"]) for _, _, properties in stacks.resources("AWS::Logs::LogGroup")}
    assert {"/shop/glue/shop-role/shop-pipeline/error", "/aws/redshift/shop/connectionlog", "/shop/emr"} <= names
    for name in names:
        arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:{name}"
        assert any(pattern.fullmatch(arn) for pattern in patterns), name


def test_every_log_group_has_the_key_and_a_retention_and_goes_with_its_stack(stacks: Stacks) -> None:
    for resource, _, properties in stacks.resources("AWS::Logs::LogGroup"):
        assert stacks.names_key(properties["KmsKeyId"]), resource
        assert properties["RetentionInDays"] >= 365, resource
        assert stacks.templates[resource.stack]["Resources"][resource.name]["DeletionPolicy"] == "Delete", resource


def test_glue_writes_into_the_log_groups_of_the_stack(stacks: Stacks) -> None:
    """AWS names the groups <prefix>/<security configuration>-role/<role>/error and /output."""
    names = {text_of(properties["LogGroupName"]) for _, _, properties in stacks.resources("AWS::Logs::LogGroup")}
    outputs = stacks.templates["jobs"]["Outputs"]
    for resource, _, job in stacks.resources("AWS::Glue::Job"):
        role = stacks.resolve("jobs", job["Role"])
        security = stacks.resolve("jobs", job["SecurityConfiguration"])
        assert role is not None
        assert security is not None
        configuration = stacks.templates["jobs"]["Resources"][security.name]["Properties"]["Name"]
        group = f"{text_of(job['DefaultArguments']['--custom-logGroup-prefix'])}/{text_of(configuration)}-role"
        of_job = f"{group}/{text_of(stacks.roles[role]['RoleName'])}"
        assert {f"{of_job}/error", f"{of_job}/output"} <= names
        assert text_of(outputs[resource.name.replace("OnGlue", "LogPrefix")]["Value"]) == of_job
    assert text_of(outputs["GlueLogPrefix"]["Value"]) == "/shop/glue"


def test_the_keys_policy_lets_cloudwatch_and_the_delivery_of_logs_use_it(stacks: Stacks) -> None:
    alarms = for_service(stacks, "cloudwatch.amazonaws.com")
    assert set(alarms["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert dict(conditions_of(alarms)).keys() == {"aws:SourceAccount"}
    delivery = for_service(stacks, "delivery.logs.amazonaws.com")
    assert (delivery["Action"], "Condition" in delivery) == ("kms:Decrypt", False)


def without(content: Any, action: str) -> None:
    """Take an action out of every statement of a template."""
    for statement in list(statements(content)):
        statement["Action"] = [kept for kept in as_list(statement["Action"]) if kept != action]


@pytest.mark.parametrize(
    ("stack", "action", "lacking"),
    [
        ("warehouse", "kms:CreateGrant", {"PublishRole": "caller of the Data API on a namespace with the key"}),
        (
            "jobs",
            "kms:ReEncryptTo",
            dict.fromkeys(("PipelineRole", "PublishRole", "SegmentsRole"), "caller that names the key of a log group"),
        ),
        ("warehouse", "logs:DescribeLogGroups", {"FlowLogRole": "VPC flow logs to CloudWatch"}),
        ("warehouse", "kms:Decrypt", {"CopyRole": "COPY from an encrypted bucket"}),
    ],
)
def test_a_right_that_is_taken_away_is_missed(stacks: Stacks, stack: str, action: str, lacking: dict[str, str]) -> None:
    without(stacks.templates[stack], action)
    missing = missing_rights(stacks)
    for role, service in lacking.items():
        assert any(f"/{role} lacks {action}: {service} (" in line for line in missing)
    lines = [re.search(r"/(\w+) lacks (\S+):", line) for line in missing]
    assert {line and line.groups() for line in lines} == {(role, action) for role in lacking}


TEMPLATE = """
Parameters:
  KeyArn:
    Type: String
Resources:
{resources}
Outputs:
  RoleName:
    Value: !Ref Publisher
"""
PUBLISHER = """
  Publisher:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: states.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: publish
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: sns:Publish, Resource: "*"}
              - Effect: Allow
                Action: [kms:Decrypt, kms:GenerateDataKey]
                Resource: !Ref KeyArn
                CONDITION
"""


def write_template(folder: Path, name: str, resources: str) -> None:
    (folder / f"{name}.yaml").write_text(TEMPLATE.replace("{resources}", resources))


def test_a_right_under_another_services_condition_does_not_count(tmp_path: Path) -> None:
    condition = "Condition: {StringEquals: {kms:EncryptionContext:aws:states:stateMachineArn: x}}"
    write_template(tmp_path, "one", PUBLISHER.replace("CONDITION", condition))
    source = "sns/latest/dg/sns-key-management.html"
    assert missing_rights(Stacks(tmp_path)) == {
        f"one/Publisher lacks {action}: publisher on an encrypted topic ({source})"
        for action in ("kms:Decrypt", "kms:GenerateDataKey")
    }
    condition = "Condition: {StringEquals: {kms:ViaService: sns.eu-west-1.amazonaws.com}}"
    write_template(tmp_path, "one", PUBLISHER.replace("CONDITION", condition))
    assert missing_rights(Stacks(tmp_path)) == set()


def test_a_policy_of_another_stack_counts(tmp_path: Path) -> None:
    write_template(tmp_path, "one", PUBLISHER.replace("kms:GenerateDataKey", "kms:Encrypt").replace("CONDITION", ""))
    assert len(missing_rights(Stacks(tmp_path))) == 1
    policy = """
  More:
    Type: AWS::IAM::RolePolicy
    Properties:
      RoleName: !Ref RoleName
      PolicyName: more
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: kms:GenerateDataKey, Resource: !Ref KeyArn}
"""
    (tmp_path / "two.yaml").write_text(
        TEMPLATE.replace("{resources}", policy).partition("Outputs:")[0] + "Outputs: {}\n"
    )
    assert missing_rights(Stacks(tmp_path)) == set()


def test_a_type_of_resource_that_is_in_no_table_is_reported(tmp_path: Path) -> None:
    stream = """
  Stream:
    Type: AWS::Kinesis::Stream
    Properties:
      StreamEncryption: {EncryptionType: KMS, KeyId: !Ref KeyArn}
"""
    write_template(tmp_path, "one", PUBLISHER.replace("CONDITION", "") + stream)
    assert unmapped_resources(Stacks(tmp_path)) == {"one/Stream (AWS::Kinesis::Stream)"}
