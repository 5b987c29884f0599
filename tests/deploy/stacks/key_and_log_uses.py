"""The services that use the customer-managed key or ship logs, and the rights that the role of each must have.

Fakes of AWS enforce neither IAM nor KMS, so a missing right shows in the first night only. Each need names the
page of AWS's documentation that asks for it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.deploy.stacks.rights import Resource, Right, Stacks
from tests.deploy.stacks.templates import as_list

DOCS = "https://docs.aws.amazon.com/"
WRITE_LOGS = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}


@dataclass(frozen=True)
class Need:
    """What a role must be allowed for the sake of a service.

    Attributes:
        service: the service, and in which use.
        actions: the actions.
        source: the page of the documentation, below `DOCS`.
        via: the service that may use the key in the role's name, where a statement has ``kms:ViaService``.
        conditions: condition keys under which a right still serves this need.
    """

    service: str
    actions: frozenset[str]
    source: str
    via: str = ""
    conditions: frozenset[str] = field(default=frozenset())

    def missing(self, rights: set[Right]) -> set[str]:
        """The actions that none of the rights allows."""
        return {action for action in self.actions if not any(self._serves(right, action) for right in rights)}

    def _serves(self, right: Right, action: str) -> bool:
        return right.action == action and all(
            key in self.conditions
            or key in ("kms:CallerAccount", "kms:GrantIsForAWSResource")
            or (key == "kms:ViaService" and bool(self.via) and f"{self.via}." in value)
            for key, value in right.conditions
        )


def need(service: str, actions: set[str], source: str, *, via: str = "", conditions: tuple[str, ...] = ()) -> Need:
    """A need of the table."""
    return Need(service, frozenset(actions), source, via, frozenset(conditions))


GLUE = need(
    "Glue job with a security configuration",
    WRITE_LOGS | {"logs:AssociateKmsKey", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"},
    "glue/latest/dg/monitor-continuous-logging.html, glue/latest/dg/encryption-security-configuration.html",
)
EMR = need(
    "EMR Serverless job with an encrypted log in CloudWatch",
    WRITE_LOGS | {"logs:AssociateKmsKey", "logs:DescribeLogGroups", "logs:DescribeLogStreams"},
    "emr/latest/EMR-Serverless-UserGuide/logging.html, and jobs-log-encryption.html there",
)
SAGEMAKER = need(
    "SageMaker training or transform with keys of volume and output",
    WRITE_LOGS
    | {"logs:DescribeLogStreams", "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"}
    | {"kms:GenerateDataKey"},
    "sagemaker/latest/dg/sagemaker-roles.html",
)
FLOW_LOGS = need(
    "VPC flow logs to CloudWatch",
    WRITE_LOGS | {"logs:DescribeLogGroups", "logs:DescribeLogStreams"},
    "vpc/latest/userguide/flow-logs-iam-role.html",
)
MACHINE_LOG = need(
    "state machine with a log",
    {
        *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups"),
        *("logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries"),
        *("logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
    },
    "step-functions/latest/dg/cw-logs.html",
)
MACHINE_KEY = need(
    "state machine encrypted with the key",
    {"kms:Decrypt", "kms:GenerateDataKey"},
    "step-functions/latest/dg/encryption-at-rest.html",
    conditions=("kms:EncryptionContext:aws:states:stateMachineArn",),
)
MACHINE_KEY_AND_LOG = need(
    "log of a state machine encrypted with the key",
    {"kms:GenerateDataKey"},
    "step-functions/latest/dg/encryption-at-rest.html",
    conditions=("kms:EncryptionContext:SourceArn",),
)
SCHEDULE = need(
    "schedule encrypted with the key",
    {"kms:Decrypt"},
    "scheduler/latest/UserGuide/encryption-rest.html",
    via="scheduler",
)
REDSHIFT = need(
    "COPY from an encrypted bucket",
    {"kms:Decrypt", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"},
    "redshift/latest/dg/copy-usage_notes-access-permissions.html",
)
QUICKSIGHT = need(
    "QuickSight through Athena over encrypted tables",
    {"kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:PutObject"},
    "athena/latest/ug/encryption.html",
)

BY_ACTION: dict[str, Need] = {
    "s3:GetObject": need(
        "reader of an encrypted bucket", {"kms:Decrypt"}, "kms/latest/developerguide/services-s3.html", via="s3"
    ),
    "s3:PutObject": need(
        "writer to an encrypted bucket, in parts too",
        {"kms:Decrypt", "kms:GenerateDataKey"},
        "AmazonS3/latest/userguide/mpuoverview.html",
        via="s3",
    ),
    "sns:Publish": need(
        "publisher on an encrypted topic",
        {"kms:Decrypt", "kms:GenerateDataKey"},
        "sns/latest/dg/sns-key-management.html",
        via="sns",
    ),
    "sqs:SendMessage": need(
        "sender to an encrypted queue",
        {"kms:Decrypt", "kms:GenerateDataKey"},
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
        via="sqs",
    ),
    "athena:StartQueryExecution": need(
        "query with encrypted results",
        {"kms:Decrypt", "kms:GenerateDataKey"},
        "athena/latest/ug/encrypting-query-results-stored-in-s3.html",
        via="s3",
    ),
    "logs:AssociateKmsKey": need(
        "caller that names the key of a log group",
        {
            *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
            *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
        },
        "AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
        via="logs",
    ),
    **dict.fromkeys(
        ("redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"),
        need(
            "caller of the Data API on a namespace with the key",
            {"kms:CreateGrant", "kms:DescribeKey"},
            "redshift/latest/mgmt/data-api-kms.html",
            via="redshift",
        ),
    ),
}
"""Needs of whoever may do an action."""

BY_PRINCIPAL: dict[str, Need | None] = {
    "emr-serverless.amazonaws.com": EMR,
    "glue.amazonaws.com": GLUE,
    "quicksight.amazonaws.com": QUICKSIGHT,
    "redshift-serverless.amazonaws.com": REDSHIFT,
    "redshift.amazonaws.com": REDSHIFT,
    "sagemaker.amazonaws.com": SAGEMAKER,
    "scheduler.amazonaws.com": None,  # by the schedule
    "states.amazonaws.com": None,  # by the state machine
    "vpc-flow-logs.amazonaws.com": FLOW_LOGS,
}
"""Needs of a role that a service may assume. The commands start jobs with the first of them too."""

Requirements = Iterator[tuple[Need, Any]]


def _glue_job(properties: dict[str, Any]) -> Requirements:
    if "SecurityConfiguration" in properties:
        yield GLUE, properties["Role"]


def _flow_log(properties: dict[str, Any]) -> Requirements:
    if "DeliverLogsPermissionArn" in properties:
        yield FLOW_LOGS, properties["DeliverLogsPermissionArn"]


def _namespace(properties: dict[str, Any]) -> Requirements:
    for role in properties.get("IamRoles", []):
        yield REDSHIFT, role


def _schedule(properties: dict[str, Any]) -> Requirements:
    if "KmsKeyArn" in properties:
        yield SCHEDULE, properties["Target"]["RoleArn"]


def _data_source(properties: dict[str, Any]) -> Requirements:
    athena = properties.get("DataSourceParameters", {}).get("AthenaParameters", {})
    if "RoleArn" in athena:
        yield QUICKSIGHT, athena["RoleArn"]


def _state_machine(properties: dict[str, Any]) -> Requirements:
    has_key, has_log = "EncryptionConfiguration" in properties, "LoggingConfiguration" in properties
    if has_log:
        yield MACHINE_LOG, properties["RoleArn"]
    if has_key:
        yield MACHINE_KEY, properties["RoleArn"]
    if has_key and has_log:
        yield MACHINE_KEY_AND_LOG, properties["RoleArn"]
    substitutions = properties["DefinitionSubstitutions"]
    for task in _tasks(json.loads(properties["DefinitionString"])):
        parameters = task.get("Parameters", {})
        for service, key in (("emr-serverless:startJobRun", "ExecutionRoleArn"), ("sagemaker:create", "RoleArn")):
            if service not in task["Resource"]:
                continue
            role = parameters.get(key) or parameters.get("ExecutionRoleArn")
            if role is not None:
                yield (EMR if "emr" in service else SAGEMAKER), substitutions[role.removeprefix("${").removesuffix("}")]


def _tasks(states: Any) -> Iterator[dict[str, Any]]:
    if isinstance(states, dict):
        if states.get("Type") == "Task":
            yield states
        for value in states.values():
            yield from _tasks(value)
    elif isinstance(states, list):
        for value in states:
            yield from _tasks(value)


BY_TYPE: dict[str, Callable[[dict[str, Any]], Requirements]] = {
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::Glue::Job": _glue_job,
    "AWS::QuickSight::DataSource": _data_source,
    "AWS::RedshiftServerless::Namespace": _namespace,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::StepFunctions::StateMachine": _state_machine,
}
"""Types of resources that use the key or ship logs under a role that they name."""

UNDER_OTHER_ROLES = {
    "AWS::Athena::WorkGroup": "its callers: athena:StartQueryExecution",
    "AWS::Glue::SecurityConfiguration": "its jobs: AWS::Glue::Job",
    "AWS::IAM::ManagedPolicy": "a policy",
    "AWS::IAM::Policy": "a policy",
    "AWS::IAM::Role": "a role",
    "AWS::IAM::RolePolicy": "a policy",
    "AWS::KMS::Alias": "the key itself",
    "AWS::Logs::LogGroup": "the key's own policy",
    "AWS::S3::Bucket": "readers and writers: s3:GetObject, s3:PutObject",
    "AWS::SNS::Topic": "publishers: sns:Publish, and the key's own policy",
    "AWS::SQS::Queue": "senders: sqs:SendMessage",
}
"""Types of resources that use the key, and whose role the need falls on."""


def uses(stacks: Stacks) -> Iterator[tuple[Resource, Need, Resource]]:
    """Each use of the key or of logs: where it is, what it needs, and under which role."""
    for resource, kind, properties in stacks.resources(*BY_TYPE):
        for requirement, reference in BY_TYPE[kind](properties):
            role = stacks.resolve(resource.stack, reference)
            assert role in stacks.roles, f"{resource}: {reference} is no role of the templates"
            yield resource, requirement, role
    for role, properties in stacks.roles.items():
        for principal in principals(properties):
            if (of_service := BY_PRINCIPAL.get(principal)) is not None:
                yield role, of_service, role
        for right in stacks.rights(role):
            if right.action in BY_ACTION:
                yield role, BY_ACTION[right.action], role


def principals(role: dict[str, Any]) -> set[str]:
    """The services that may assume a role."""
    return {
        service
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
        for service in as_list(statement["Principal"]["Service"])
    }


def missing_rights(stacks: Stacks) -> set[str]:
    """Each action that a role lacks, with the use that needs it and the documentation that says so."""
    return {
        f"{role.stack}/{role.name} lacks {action}: {requirement.service} ({requirement.source})"
        for _, requirement, role in uses(stacks)
        for action in requirement.missing(stacks.rights(role))
    }


def unmapped_resources(stacks: Stacks) -> set[str]:
    """Resources that name the key or a role, and whose type no table has."""
    return {
        f"{resource.stack}/{resource.name} ({kind})"
        for resource, kind, properties in stacks.resources()
        if kind not in BY_TYPE and kind not in UNDER_OTHER_ROLES
        if stacks.names_key(properties) or set(stacks.references(resource.stack, properties)) & set(stacks.roles)
    }
