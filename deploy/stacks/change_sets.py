"""Creation and change of stacks through change sets, so that a stack without changes is not touched."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.aws.waiting import State, wait_until_final
from deploy.job_runs.emr_serverless import stop_application
from deploy.stacks.stacks import (
    STUCK,
    Stack,
    describe_stack,
    stack_name,
    template_body,
    template_parameters,
    wait_for_stack,
)
from jobs.errors import ConfigurationError, OutsideSystemError

SUCCEEDED = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
APPLICATION = "Application"
"""The resource of the stack `jobs` that changes only while it is stopped."""

NO_REASON = "CloudFormation gives no reason"


def change_set_request(
    prefix: str, name: str, *, settings: Mapping[str, str], before: Stack | None, outputs: Mapping[str, str]
) -> Request:
    """The request for a change set.

    A parameter has the user's setting, else an output, else its present value, else its default.

    Args:
        prefix: of all names.
        name: the stack.
        settings: the user's settings.
        before: the stack as it is; None if it does not exist.
        outputs: the outputs of the stacks before it, and the keys of the release.

    Raises:
        ConfigurationError: A parameter has no value.
    """
    body = template_body(name)
    values: list[dict[str, Any]] = []
    for parameter, declaration in template_parameters(name).items():
        value = {"Prefix": prefix, **outputs, **settings}.get(parameter)
        if value is not None:
            values.append({"ParameterKey": parameter, "ParameterValue": value})
        elif before is not None and parameter in before.parameters:
            values.append({"ParameterKey": parameter, "UsePreviousValue": True})
        elif "Default" not in declaration:
            raise ConfigurationError(
                f"stack {stack_name(prefix, name)}: parameter {parameter} has no value. Run `up` to the end"
            )
    digest = hashlib.sha256(f"{body}\0{sorted(map(str, values))}".encode()).hexdigest()[:16]
    return Request(
        "cloudformation",
        "create_change_set",
        {
            "StackName": stack_name(prefix, name),
            "ChangeSetName": f"change-{digest}",
            "ChangeSetType": "CREATE" if before is None else "UPDATE",
            "TemplateBody": body,
            "Parameters": values,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": "project", "Value": "olist-rfm-segments"}, {"Key": "prefix", "Value": prefix}],
        },
    )


def create_or_update(
    aws: Aws, prefix: str, name: str, *, settings: Mapping[str, str], outputs: Mapping[str, str]
) -> Stack | None:
    """Create or change a stack and wait for it.

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
    request = change_set_request(prefix, name, settings=settings, before=before, outputs=outputs)
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
