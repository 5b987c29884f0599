"""Stacks made and changed by change sets, so that nothing is touched that is as it was."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.job_runs.emr_application import come_to_rest
from deploy.job_runs.waiting import State, follow
from deploy.stacks.stacks import GONE, STUCK, Stack, parameters_of, stack, stack_name, template_body
from jobs.errors import ConfigurationError, OutsideSystemError

DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
APPLICATION = "Application"
"""The resource of the jobs stack that can be changed at rest alone."""


def change_set_request(
    prefix: str, name: str, *, given: Mapping[str, str], before: Stack | None, known: Mapping[str, str]
) -> Request:
    """The request for a change set.

    Args:
        prefix: of all names.
        name: the stack.
        given: what the user set.
        before: the stack as it is; what is neither given nor known keeps its value.
        known: what the stacks before give out, and what was packaged.
    """
    body = template_body(name)
    values: list[dict[str, Any]] = []
    for parameter, said in parameters_of(name).items():
        value = {"Prefix": prefix, **known, **given}.get(parameter)
        if value is not None:
            values.append({"ParameterKey": parameter, "ParameterValue": value})
        elif before is not None and parameter in before.parameters:
            values.append({"ParameterKey": parameter, "UsePreviousValue": True})
        elif "Default" not in said:
            raise ConfigurationError(f"{stack_name(prefix, name)}: {parameter} is not known. Run the whole of `up`")
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


def bring_up(aws: Aws, prefix: str, name: str, *, given: Mapping[str, str], known: Mapping[str, str]) -> Stack | None:
    """Make or change a stack and wait for it; None in a dry run of a stack that is not there.

    Raises:
        OutsideSystemError: CloudFormation could not make it, and put back what was there.
        ConfigurationError: It is stuck in a state that only a person can resolve, or a job runs that is in the way.
    """
    before = _at_rest(aws, prefix, name)
    if before is not None and before.status in STUCK:
        raise ConfigurationError(
            f"stack {stack_name(prefix, name)} is {before.status} ({before.reason}). Delete it with `down`, or mend it "
            "in the console of CloudFormation, then run `up` again"
        )
    request = change_set_request(prefix, name, given=given, before=before, known=known)
    if aws.is_dry_run:
        aws.change(request)
        return before
    changed = _changed_resources(aws, prefix, request)
    if changed is None:
        return before
    chosen = {key: request.parameters[key] for key in ("StackName", "ChangeSetName")}
    if before is not None and APPLICATION in changed:
        come_to_rest(aws, prefix, before.outputs["ApplicationId"], is_wanted=True)
    # Of this call and no other: CloudFormation takes a token once, and the same change may be made twice, as after a
    # cause was mended, or on the way back to an earlier release.
    token = f"up-{secrets.token_hex(8)}"
    aws.change(Request("cloudformation", "execute_change_set", {**chosen, "ClientRequestToken": token}))
    return _made(aws, prefix, name, token)


def _at_rest(aws: Aws, prefix: str, name: str) -> Stack | None:
    """The stack, once CloudFormation is done with what an earlier `up` began, which may have been interrupted."""
    found = stack(aws, prefix, name)
    if found is None or aws.is_dry_run or not found.status.endswith("_IN_PROGRESS"):
        return found
    _wait(aws, prefix, name)
    return stack(aws, prefix, name)


def _wait(aws: Aws, prefix: str, name: str) -> State:
    def look() -> State:
        found = stack(aws, prefix, name)
        status = GONE if found is None else found.status
        return State(status, is_final=not status.endswith("_IN_PROGRESS"))

    again = f"python -m deploy up {aws.options(prefix)}"
    return follow(f"stack {stack_name(prefix, name)}", look, how_to_follow=again)


def _made(aws: Aws, prefix: str, name: str, token: str) -> Stack:
    """Wait until CloudFormation is done with a stack.

    Raises:
        OutsideSystemError: It failed; the first resource that failed is named, with the reason.
    """
    called = stack_name(prefix, name)
    end = _wait(aws, prefix, name)
    made = stack(aws, prefix, name)
    if end.name not in DONE or made is None:
        first = " (after `down`, since CloudFormation changes no stack in this state)" if end.name in STUCK else ""
        raise OutsideSystemError(
            f"stack {called} ended as {end.name}: {_first_failure(aws, called, token)}. Mend the cause, then run `up` "
            f"again{first}"
        )
    return made


def _changed_resources(aws: Aws, prefix: str, request: Request) -> set[str] | None:
    """Make a change set and return the names of what it changes; None, and no change set, where that is nothing."""
    chosen = {key: request.parameters[key] for key in ("StackName", "ChangeSetName")}
    try:
        aws.change(request)
    except RefusedError as error:
        # Left over from an `up` that was interrupted.
        if error.code != "AlreadyExistsException":
            raise
        aws.change(Request("cloudformation", "delete_change_set", chosen))
        aws.change(request)
    described = Request("cloudformation", "describe_change_set", chosen)

    def look() -> State:
        found = aws.ask(described)
        return State(found["Status"], is_final=found["Status"] in ("CREATE_COMPLETE", "FAILED"), answer=found)

    again = f"python -m deploy up {aws.options(prefix)}"
    end = follow(f"changes of {chosen['StackName']}", look, how_to_follow=again)
    if end.name == "CREATE_COMPLETE":
        changes = [change.get("ResourceChange", {}) for change in end.answer.get("Changes", [])]
        return {change["LogicalResourceId"] for change in changes if "LogicalResourceId" in change}
    aws.change(Request("cloudformation", "delete_change_set", chosen))
    reason = end.answer.get("StatusReason", "")
    if any(text in reason for text in NO_CHANGES):
        return None
    raise OutsideSystemError(f"stack {chosen['StackName']}: CloudFormation refuses the changes: {reason}")


def _first_failure(aws: Aws, called: str, token: str) -> str:
    """The resource that failed first in what was begun with this token: its events are the newest, newest first."""
    failures, asked = [], {"StackName": called}
    try:
        while True:
            page = aws.ask(Request("cloudformation", "describe_stack_events", asked))
            own = [event for event in page["StackEvents"] if event.get("ClientRequestToken") == token]
            failures += [event for event in own if event["ResourceStatus"].endswith("_FAILED")]
            if "NextToken" not in page or len(own) < len(page["StackEvents"]):
                break
            asked = {"StackName": called, "NextToken": page["NextToken"]}
    except RefusedError:
        return "CloudFormation does not say why"
    if not failures:
        return "CloudFormation does not say why"
    first = failures[-1]
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {first.get('ResourceStatusReason', 'no reason')}"
