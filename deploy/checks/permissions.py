"""Whether IAM allows the caller what `up` and the other commands do."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.checks.findings import Finding, Settings

ACTIONS_BY_STACK: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "storage": (
            "cloudformation:CreateChangeSet",
            "cloudformation:ExecuteChangeSet",
            "kms:CreateKey",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "s3:CreateBucket",
            "s3:PutObject",
        ),
        "network": ("ec2:CreateSecurityGroup", "ec2:CreateVpcEndpoint"),
        "jobs": (
            "emr-serverless:CreateApplication",
            "emr-serverless:StartJobRun",
            "glue:CreateDatabase",
            "glue:CreateJob",
            "glue:CreateSecurityConfiguration",
            "glue:StartJobRun",
            "iam:CreateRole",
            "iam:PassRole",
            "logs:CreateLogGroup",
        ),
        "warehouse": (
            "ec2:CreateVpc",
            "iam:CreateRole",
            "iam:PassRole",
            "kms:CreateGrant",
            "logs:CreateLogGroup",
            "redshift-data:ExecuteStatement",
            "redshift-serverless:CreateNamespace",
            "redshift-serverless:CreateUsageLimit",
            "redshift-serverless:CreateWorkgroup",
        ),
        "bi": (
            "athena:CreateWorkGroup",
            "iam:CreateRole",
            "iam:PassRole",
            "quicksight:CreateDashboard",
            "quicksight:CreateDataSet",
            "quicksight:CreateDataSource",
            "quicksight:CreateTheme",
        ),
        "nightly": (
            "budgets:ModifyBudget",
            "cloudwatch:PutMetricAlarm",
            "iam:CreateRole",
            "iam:PassRole",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "logs:CreateLogGroup",
            "scheduler:CreateSchedule",
            "sns:CreateTopic",
            "sqs:CreateQueue",
            "states:CreateStateMachine",
            "states:StartExecution",
        ),
    }
)
"""For each stack, one action for each kind of resource that it has, and those of the commands that use it."""


def all_actions(chosen: Sequence[str]) -> list[str]:
    """The actions of the stacks of a call, whatever their settings are."""
    return sorted({action for stack in chosen for action in ACTIONS_BY_STACK[stack]})


def needed_actions(chosen: Sequence[str], settings: Settings, *, has_network: bool) -> list[str]:
    """The actions that the stacks of a call need, without those for resources that their settings do not make."""
    spared = set()
    if settings["OwnKeyArn"]:
        spared.add("kms:CreateKey")
    if has_network:
        spared.add("ec2:CreateVpc")
    if settings["MonthlyBudget"] in ("", "0"):
        spared.add("budgets:ModifyBudget")
    return [action for action in all_actions(chosen) if action not in spared]


def simulation_request(principal: str, actions: Sequence[str]) -> Request:
    """The request that asks IAM whether a principal is allowed each action."""
    parameters = {"PolicySourceArn": principal, "ActionNames": list(actions)}
    return Request("iam", "simulate_principal_policy", parameters)


def role_request(name: str) -> Request:
    """The request for a role. Its ARN may have a path, which the ARN of its session lacks."""
    return Request("iam", "get_role", {"RoleName": name})


def check_permissions(aws: Aws, arn: str, actions: Sequence[str]) -> Finding:
    """Whether IAM allows the caller the actions, as far as it can tell without a request."""
    results = aws.read(simulation_request(_principal(aws, arn), actions))["EvaluationResults"]
    denied = [result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"]
    if denied:
        return Finding("permissions", "fault", f"not allowed: {', '.join(denied)}. Ask for them; see docs/deploy.md")
    return Finding("permissions", "ok", f"{len(results)} actions are allowed, as far as IAM can simulate them")


def _principal(aws: Aws, arn: str) -> str:
    """The principal whose policies apply: for a session of a role, the role."""
    session = re.fullmatch(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    if session is None:
        return arn
    partition, account, role = session.groups()
    try:
        return str(aws.read(role_request(role))["Role"]["Arn"])
    except RefusedError:
        return f"arn:{partition}:iam::{account}:role/{role}"
