"""Creation and change of stacks through change sets, so that a stack without changes is not touched."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.aws.waiting import State, wait_until_final
from deploy.job_runs.emr_serverless import stop_application
from deploy.stacks.stacks import (
    STUCK,
    Stack,
    describe_stack,
    stack_name,
    template_parameters,
    wait_for_stack,
)
from deploy.stacks.tags import default_tags
from deploy.stacks.template_source import template_source
from jobs.errors import ConfigurationError, OutsideSystemError

SUCCEEDED = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
APPLICATION = "Application"
"""The resource of the stack `jobs` that changes only while it is stopped."""

OF_EARLIER_VERSIONS = {"Kmeans": "sagemaker", "LogGroups": "false"}
"""The values of parameters in a stack that an earlier version made, where a default would change what it does, or fail.

An older nightly run always used SageMaker. Redshift has made the log groups of an older warehouse itself, and
CloudFormation makes none that is there.
"""

NO_REASON = "CloudFormation gives no reason"


@dataclass(frozen=True)
class StackOptions:
    """What a user asks of the stacks of a call.

    Attributes:
        settings: the user's settings.
        shared: the settings that other stacks of the prefix have, for a stack that does not have them yet.
        tags: the user's tags.
        service_role: the ARN of the role with which CloudFormation works; empty for the role that a stack has, or the
            caller's rights.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    service_role: str = ""


def parameter_values(
    prefix: str, name: str, *, options: StackOptions, before: Stack | None, outputs: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The values of a stack's parameters.

    A parameter has the user's setting, else an output, else its present value, else that of another stack, else that of
    `OF_EARLIER_VERSIONS` if the stack exists, else its default.

    Args:
        prefix: of all names.
        name: the stack.
        options: what the user asks.
        before: the stack as it is; None if it does not exist.
        outputs: the outputs of the stacks before it, and the keys of the release. An output that a stack could give and
            does not is empty.

    Raises:
        ConfigurationError: A parameter has no value.
    """
    values: list[dict[str, Any]] = []
    for parameter, declaration in template_parameters(name).items():
        value = {"Prefix": prefix, **outputs, **options.settings}.get(parameter)
        is_withdrawn = value == "" and "Default" not in declaration
        is_new = before is None or parameter not in before.parameters
        if value is None and is_new:
            value = options.shared.get(parameter, OF_EARLIER_VERSIONS.get(parameter) if before else None)
        if value is not None and not is_withdrawn:
            values.append({"ParameterKey": parameter, "ParameterValue": value})
        elif not is_new and not is_withdrawn:
            values.append({"ParameterKey": parameter, "UsePreviousValue": True})
        elif "Default" not in declaration:
            raise ConfigurationError(
                f"stack {stack_name(prefix, name)}: parameter {parameter} has no value, expected an output of that "
                "name from a stack before it. Run `up` to the end"
            )
    return values


def change_set_request(
    full_name: str, *, is_new: bool, values: list[dict[str, Any]], tags: Mapping[str, str], source: Mapping[str, str]
) -> Request:
    """The request for a change set.

    Args:
        full_name: the stack's name in CloudFormation.
        is_new: whether the stack does not exist yet.
        values: of the parameters.
        tags: all tags that the stack will have.
        source: the parameters that have the template and the role.
    """
    content = f"{sorted(source.items())}\0{sorted(map(str, values))}\0{sorted(tags.items())}"
    return Request(
        "cloudformation",
        "create_change_set",
        {
            "StackName": full_name,
            "ChangeSetName": f"change-{hashlib.sha256(content.encode()).hexdigest()[:16]}",
            "ChangeSetType": "CREATE" if is_new else "UPDATE",
            **source,
            "Parameters": values,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        },
    )


def _tags(prefix: str, options: StackOptions, before: Stack | None) -> dict[str, str]:
    """The tags that a stack will have: CloudFormation takes those of a request in place of the present ones."""
    present = before if before is not None else Stack("", "", {}, {})
    values = {**options.shared, **present.parameters, **options.settings}
    return {**present.tags, **default_tags(prefix, cost_centre=values.get("CostCentre", "")), **options.tags}


def create_or_update(
    aws: Aws, prefix: str, name: str, *, options: StackOptions, outputs: Mapping[str, str]
) -> Stack | None:
    """Create or change a stack and wait for it.

    Args:
        aws: the account.
        prefix: of all names.
        name: the stack.
        options: what the user asks.
        outputs: the outputs of the stacks before it, and the keys of the release.

    Returns:
        The stack; None in a dry run if it does not exist.

    Raises:
        OutsideSystemError: CloudFormation failed, and restored the state before the change.
        ConfigurationError: The stack is in a state that only a person can resolve, or a job run is in the way.
    """
    before = _settled_stack(aws, prefix, name)
    if before is not None and before.status in STUCK:
        raise ConfigurationError(
            f"stack {stack_name(prefix, name)} is {before.status} ({before.reason}). Delete it with `down`, or repair "
            "it in the CloudFormation console, then run `up` again"
        )
    values = parameter_values(prefix, name, options=options, before=before, outputs=outputs)
    role = {"RoleARN": options.service_role} if options.service_role else {}
    request = change_set_request(
        stack_name(prefix, name),
        is_new=before is None,
        values=values,
        tags=_tags(prefix, options, before),
        source=template_source(aws, name, outputs) | role,
    )
    if aws.is_dry_run:
        aws.change(request)
        return before
    resources = _create_change_set(aws, prefix, request)
    if resources is None:
        return before
    if before is not None and APPLICATION in resources:
        stop_application(aws, prefix, before.outputs["ApplicationId"], verb="up")
    # A new token for each call. CloudFormation takes a token once, but the same change may be made twice: after its
    # cause of failure is removed, or on the way back to an earlier release.
    token = f"up-{secrets.token_hex(8)}"
    aws.change(Request("cloudformation", "execute_change_set", {**_names(request), "ClientRequestToken": token}))
    return _wait_for_change(aws, prefix, name, token)


def _settled_stack(aws: Aws, prefix: str, name: str) -> Stack | None:
    """The stack after the end of what an earlier `up`, perhaps an interrupted one, began."""
    stack = describe_stack(aws, prefix, name)
    if stack is None or aws.is_dry_run or not stack.status.endswith("_IN_PROGRESS"):
        return stack
    wait_for_stack(aws, prefix, name, resume_command=_resume_command(aws, prefix))
    return describe_stack(aws, prefix, name)


def _resume_command(aws: Aws, prefix: str) -> str:
    return f"python -m deploy up {aws.deployment_options(prefix)}"


def _names(request: Request) -> dict[str, str]:
    return {key: request.parameters[key] for key in ("StackName", "ChangeSetName")}


def _wait_for_change(aws: Aws, prefix: str, name: str, token: str) -> Stack:
    """Wait for the end of a change.

    Raises:
        OutsideSystemError: The change failed; the message has the first resource that failed, and the reason.
    """
    full_name = stack_name(prefix, name)
    end = wait_for_stack(aws, prefix, name, resume_command=_resume_command(aws, prefix))
    stack = describe_stack(aws, prefix, name)
    if end.name not in SUCCEEDED or stack is None:
        advice = (
            "run `down`, since CloudFormation changes no stack in this state, then" if end.name in STUCK else "then"
        )
        raise OutsideSystemError(
            f"stack {full_name} ended as {end.name}: {_first_failure(aws, full_name, token)}. Remove the cause, "
            f"{advice} run `up` again"
        )
    return stack


def _create_change_set(aws: Aws, prefix: str, request: Request) -> set[str] | None:
    """Create a change set.

    Returns:
        The names of the resources that it changes. None if it changes none; the change set is then deleted.
    """
    names = _names(request)
    try:
        aws.change(request)
    except RefusedError as error:
        # An interrupted `up` left it.
        if error.code != "AlreadyExistsException":
            raise
        aws.change(Request("cloudformation", "delete_change_set", names))
        aws.change(request)
    describe_request = Request("cloudformation", "describe_change_set", names)

    def poll() -> State:
        description = aws.read(describe_request)
        status = description["Status"]
        return State(status, is_final=status in ("CREATE_COMPLETE", "FAILED"), response=description)

    title = f"changes of {names['StackName']}"
    end = wait_until_final(title, poll, resume_command=_resume_command(aws, prefix))
    if end.name == "CREATE_COMPLETE":
        changes = [change.get("ResourceChange", {}) for change in end.response.get("Changes", [])]
        return {change["LogicalResourceId"] for change in changes if "LogicalResourceId" in change}
    aws.change(Request("cloudformation", "delete_change_set", names))
    reason = end.response.get("StatusReason", "")
    if any(text in reason for text in NO_CHANGES):
        return None
    raise OutsideSystemError(f"stack {names['StackName']}: CloudFormation refused the changes: {reason}")


def _first_failure(aws: Aws, full_name: str, token: str) -> str:
    """The resource that failed first in the change with this token.

    Its events are the newest of the stack, and the newest comes first.
    """
    failures, parameters = [], {"StackName": full_name}
    try:
        while True:
            page = aws.read(Request("cloudformation", "describe_stack_events", parameters))
            own_events = [event for event in page["StackEvents"] if event.get("ClientRequestToken") == token]
            failures += [event for event in own_events if event["ResourceStatus"].endswith("_FAILED")]
            if "NextToken" not in page or len(own_events) < len(page["StackEvents"]):
                break
            parameters = {"StackName": full_name, "NextToken": page["NextToken"]}
    except RefusedError:
        return NO_REASON
    if not failures:
        return NO_REASON
    first = failures[-1]
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {first.get('ResourceStatusReason', 'no reason')}"
