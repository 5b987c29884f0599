"""Step Functions: executions that start and end as a test scripts them, and executions that a test finds in progress.

Like Step Functions, it rejects a second execution with the same name. An execution that was stopped leaves the list of
running ones after two more listings, since the job for which it waits has to stop first. moto's never fails.
"""

import json
from typing import Any

from tests.fakes.environment import ACCOUNT_ID, NOW, REGION
from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService
from tests.fakes.scripted_jobs import ScriptedJobs

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT_ID}:stateMachine:shop-nightly"
EXECUTION_PREFIX = f"arn:aws:states:{REGION}:{ACCOUNT_ID}:execution:shop-nightly:"


class StepFunctions(JsonService):
    """The service, with the nightly state machine.

    Attributes:
        jobs: The executions that the code under test starts.
        running_executions: The names of the executions that are in progress.
        started_by_schedule: The names of those that the schedule starts after the next listing.
        stopped: The number of listings since each execution was stopped.
        machine_exists: Whether the state machine exists.
        output: What an execution that succeeds hands back.
    """

    def __init__(self) -> None:
        self.jobs = ScriptedJobs()
        self.running_executions: list[str] = []
        self.started_by_schedule: list[str] = []
        self.stopped: dict[str, int] = {}
        self.machine_exists = True
        self.output: dict[str, str] = {"workgroup": "shop", "dashboard": "none"}
        operations = {
            "StartExecution": self._start_execution,
            "DescribeExecution": self._describe_execution,
            "GetExecutionHistory": self._get_execution_history,
            "ListExecutions": self._list_executions,
            "StopExecution": self._stop_execution,
        }
        super().__init__("stepfunctions", operations)

    def _start_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        if any(start["name"] == request["name"] for start in self.jobs.start_requests):
            raise ServiceError("ExecutionAlreadyExists", "Execution Already Exists")
        self.jobs.start_requests.append(request)
        return {"executionArn": EXECUTION_PREFIX + request["name"], "startDate": NOW}

    def _describe_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        state = self.jobs.next_state()
        starts = {EXECUTION_PREFIX + start["name"]: start for start in self.jobs.start_requests}
        execution = {
            "executionArn": request["executionArn"],
            "stateMachineArn": MACHINE,
            "status": state,
            "startDate": NOW,
            "input": starts[request["executionArn"]]["input"],
        }
        ends = {
            "FAILED": {"error": "States.TaskFailed", "cause": self.jobs.note},
            "SUCCEEDED": {"output": json.dumps(self.output)},
        }
        return execution | ends.get(state, {})

    def _get_execution_history(self, _: dict[str, Any]) -> dict[str, Any]:
        event = {"timestamp": NOW, "type": "TaskStateEntered", "id": 2, "stateEnteredEventDetails": {"name": "Train"}}
        return {"events": [event]}

    def _list_executions(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.machine_exists:
            raise ServiceError("StateMachineDoesNotExist", "State Machine Does Not Exist")
        assert request["statusFilter"] == "RUNNING"
        ended = {name for name, listings in self.stopped.items() if listings > 1}
        self.running_executions[:] = [name for name in self.running_executions if name not in ended]
        self.stopped = {name: listings + 1 for name, listings in self.stopped.items()}
        executions = [
            {
                "executionArn": EXECUTION_PREFIX + name,
                "stateMachineArn": request["stateMachineArn"],
                "name": name,
                "status": "RUNNING",
                "startDate": NOW,
            }
            for name in self.running_executions
        ]
        self.running_executions += self.started_by_schedule
        self.started_by_schedule = []
        return {"executions": executions}

    def _stop_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        self.stopped[request["executionArn"].removeprefix(EXECUTION_PREFIX)] = 0
        return {"stopDate": NOW}
