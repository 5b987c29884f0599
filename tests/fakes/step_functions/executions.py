"""Executions of the nightly state machine as a stand-in: those that run, and what is stopped."""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.rest_service import Json10Service

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:shop-nightly:"


class Nights(Json10Service):
    """Step Functions, with executions in progress (``running_now``); each is over two looks after it was stopped.

    ``starts_meanwhile`` is what the schedule starts once somebody has looked.
    """

    def __init__(self) -> None:
        self.running_now: list[str] = []
        self.stopped: dict[str, int] = {}
        self.starts_meanwhile: list[str] = []
        self.has_machine = True
        super().__init__(
            "stepfunctions", {"ListExecutions": self.list_executions, "StopExecution": self.stop_execution}
        )

    def list_executions(self, request: dict[str, Any]) -> dict[str, Any]:
        """Those in progress."""
        if not self.has_machine:
            raise ServiceError("StateMachineDoesNotExist", "State Machine Does Not Exist")
        assert request["statusFilter"] == "RUNNING"
        machine = request["stateMachineArn"]
        for name in [name for name, looks in self.stopped.items() if looks > 1 and name in self.running_now]:
            self.running_now.remove(name)
        self.stopped = {name: looks + 1 for name, looks in self.stopped.items()}
        listed = list(self.running_now)
        self.running_now += self.starts_meanwhile
        self.starts_meanwhile = []
        return {
            "executions": [
                {
                    "executionArn": EXECUTION + name,
                    "stateMachineArn": machine,
                    "name": name,
                    "status": "RUNNING",
                    "startDate": NOW,
                }
                for name in listed
            ]
        }

    def stop_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        """Stop one; the job that it waits for is stopped too, which takes a while."""
        self.stopped[request["executionArn"].removeprefix(EXECUTION)] = 0
        return {"stopDate": NOW}
