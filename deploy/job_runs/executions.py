"""Executions of the nightly state machine that are in progress, for whoever is about to change or delete it."""

from typing import Any

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.job_runs.waiting import State, follow
from jobs.errors import ConfigurationError


def see_that_none_runs(aws: Aws, machine: str) -> None:
    """See that no night is in progress, which would go on with other code than it began with.

    Raises:
        ConfigurationError: One is.
    """
    running = _running(aws, machine)
    if running:
        raise ConfigurationError(
            f"{', '.join(running)}: in progress, expected none: it would go on with other code than it began with. "
            "Wait for it, then run `up` again; nothing was changed"
        )


def stop_all(aws: Aws, prefix: str, machine: str) -> None:
    """Stop what is in progress, with the jobs that it waits for, and wait until nothing is.

    A state machine is gone only when all its executions are, and what they started writes into the bucket until then.
    """
    stopped: set[str] = set()

    def look() -> State:
        left = _running(aws, machine)
        for execution in left:
            if execution not in stopped:  # the schedule may start another meanwhile
                asked = {"executionArn": execution, "cause": "the stacks are taken down"}
                aws.change(Request("stepfunctions", "stop_execution", asked))
                stopped.add(execution)
        return State("busy" if left else "idle", is_final=not left, note=", ".join(left))

    if aws.is_dry_run:
        look()
        return
    again = f"python -m deploy down {aws.options(prefix)}"
    follow(f"runs of {machine.rpartition(':')[2]}", look, how_to_follow=again)


def _running(aws: Aws, machine: str) -> list[str]:
    asked: dict[str, Any] = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
    try:
        found = aws.ask(Request("stepfunctions", "list_executions", asked))["executions"]
    except RefusedError as error:
        if error.code != "StateMachineDoesNotExist":
            raise
        return []
    return [str(each["executionArn"]) for each in found]
