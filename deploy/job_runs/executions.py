"""Executions of the nightly state machine: one is started by `run`, and `up` and `down` mind those in progress."""

import json
from collections.abc import Mapping
from typing import Any

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.aws.waiting import State, wait_until_final
from jobs.errors import ConfigurationError

FINAL_STATES = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def start_request(machine: str, *, name: str, execution_input: Mapping[str, str]) -> Request:
    """The request that starts an execution. Step Functions starts one execution per name."""
    parameters = {"stateMachineArn": machine, "name": name, "input": json.dumps(execution_input)}
    return Request("stepfunctions", "start_execution", parameters)


def start(aws: Aws, request: Request) -> str:
    """Start an execution, or find the one of the same name and input, and return its ARN.

    Raises:
        ConfigurationError: The execution of that name has another input.
    """
    try:
        return str(aws.change(request)["executionArn"])
    except RefusedError as error:
        if error.code != "ExecutionAlreadyExists":
            raise
    name, machine = request.parameters["name"], str(request.parameters["stateMachineArn"])
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    earlier_input = _describe(aws, execution).get("input", "{}")
    if json.loads(earlier_input) != json.loads(request.parameters["input"]):
        raise ConfigurationError(
            f"--name {name}: a run of that name has the input {earlier_input}, expected "
            f"{request.parameters['input']}. Give another name, or none"
        )
    return execution


def state(aws: Aws, execution: str) -> State:
    """The state of an execution, with the step that it is in."""
    description = _describe(aws, execution)
    status = description["status"]
    is_final = status in FINAL_STATES
    detail = "" if is_final else _current_step(aws, execution)
    return State(status, is_final=is_final, detail=detail, response=description)


def check_none_in_progress(aws: Aws, machine: str) -> None:
    """Check that no execution is in progress, since it would continue with other code than it began with.

    Raises:
        ConfigurationError: An execution is in progress.
    """
    executions = _in_progress(aws, machine)
    if executions:
        raise ConfigurationError(
            f"{', '.join(executions)}: in progress, expected none, since it would continue with other code than it "
            "began with. Wait for its end, then run `up` again; nothing was changed"
        )


def stop_executions(aws: Aws, prefix: str, machine: str) -> None:
    """Stop the executions in progress, with the jobs that they wait for, and wait for their end.

    Step Functions deletes a state machine after its last execution. Until then their jobs write into the bucket.
    """
    stopped: set[str] = set()

    def poll() -> State:
        executions = _in_progress(aws, machine)
        for execution in executions:
            if execution not in stopped:  # the schedule may start another one meanwhile
                parameters = {"executionArn": execution, "cause": "the stacks are taken down"}
                aws.change(Request("stepfunctions", "stop_execution", parameters))
                stopped.add(execution)
        return State("busy" if executions else "idle", is_final=not executions, detail=", ".join(executions))

    if aws.is_dry_run:
        poll()
        return
    resume_command = f"python -m deploy down {aws.deployment_options(prefix)}"
    wait_until_final(f"runs of {machine.rpartition(':')[2]}", poll, resume_command=resume_command)


def _describe(aws: Aws, execution: str) -> Mapping[str, Any]:
    description: Mapping[str, Any] = aws.read(
        Request("stepfunctions", "describe_execution", {"executionArn": execution})
    )
    return description


def _current_step(aws: Aws, execution: str) -> str:
    parameters = {"executionArn": execution, "reverseOrder": True, "maxResults": 20}
    events = aws.read(Request("stepfunctions", "get_execution_history", parameters))["events"]
    entered = (event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event)
    return next(entered, "")


def _in_progress(aws: Aws, machine: str) -> list[str]:
    parameters: dict[str, Any] = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
    try:
        executions = aws.read(Request("stepfunctions", "list_executions", parameters))["executions"]
    except RefusedError as error:
        if error.code != "StateMachineDoesNotExist":
            raise
        return []
    return [str(execution["executionArn"]) for execution in executions]
