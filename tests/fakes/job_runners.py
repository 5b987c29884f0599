"""Glue, EMR Serverless, EMR on EC2 and Step Functions as stand-ins that start jobs and end them as a test says."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.json_service import JsonService
from tests.fakes.http.rest_service import Json10Service, RestService

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/shop-pipeline"


class Runners:
    """The services. ``states`` is what a job goes through, one state for each look at it."""

    def __init__(self, states: list[str], note: str = "") -> None:
        self.states, self.note = states, note
        self.started: list[dict[str, Any]] = []
        self.tokens: dict[str, int] = {}
        self.looks = 0
        self.glue = JsonService(
            "glue", {"StartJobRun": self.start_glue, "GetJobRun": self.look_glue, "GetJobRuns": self.list_glue}
        )
        self.serverless = RestService(
            "emr-serverless", {"StartJobRun": self.start_serverless, "GetJobRun": self.look_serverless}
        )
        self.cluster = JsonService(
            "emr", {"AddJobFlowSteps": self.add_step, "DescribeStep": self.look_step, "ListSteps": self.list_steps}
        )
        self.machine = Json10Service(
            "stepfunctions",
            {
                "StartExecution": self.start_execution,
                "DescribeExecution": self.look_execution,
                "GetExecutionHistory": self.history,
            },
        )

    @contextmanager
    def running(self) -> Iterator[dict[str, str]]:
        """Serve; gives the environment in which boto3 finds the services."""
        services = {
            "GLUE": self.glue,
            "EMR_SERVERLESS": self.serverless,
            "EMR": self.cluster,
            "SFN": self.machine,
        }
        with ExitStack() as stack:
            for service in services.values():
                stack.enter_context(service.running())
            yield {f"AWS_ENDPOINT_URL_{name}": service.url for name, service in services.items()}

    def _next(self) -> str:
        state = self.states[min(self.looks, len(self.states) - 1)]
        self.looks += 1
        return state

    def _is_running(self) -> bool:
        return bool(self.started) and self.looks < len(self.states)

    def _state_of(self, number: int) -> str:
        """Where a job stands, without a look at it: those before the last are over."""
        is_last = number == len(self.started)
        return self.states[max(min(self.looks, len(self.states)) - 1, 0)] if is_last else self.states[-1]

    # Glue: one run at a time, no tokens.
    def start_glue(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._is_running():
            raise ServiceError("ConcurrentRunsExceededException", "Concurrent runs exceeded")
        self.started.append(request)
        return {"JobRunId": f"jr_{len(self.started)}"}

    def look_glue(self, request: dict[str, Any]) -> dict[str, Any]:
        number = int(request["RunId"].removeprefix("jr_"))
        if number > len(self.started):
            raise ServiceError("EntityNotFoundException", "no such job run")
        arguments = self.started[number - 1].get("Arguments", {})
        found = {"Id": request["RunId"], "JobRunState": self._next(), "Arguments": arguments, "StartedOn": NOW}
        return {"JobRun": found | ({"ErrorMessage": self.note} if self.note else {})}

    def list_glue(self, request: dict[str, Any]) -> dict[str, Any]:
        numbered = enumerate(self.started, 1)
        return {
            "JobRuns": [
                {"Id": f"jr_{number}", "Arguments": each["Arguments"], "JobRunState": self._state_of(number)}
                for number, each in numbered
                if each["JobName"] == request["JobName"]
            ]
        }

    # EMR Serverless: a token for each job run.
    def start_serverless(self, request: dict[str, Any]) -> dict[str, Any]:
        token = request["clientToken"]
        if token not in self.tokens:
            self.started.append(request)
            self.tokens[token] = len(self.started)
        application = request["applicationId"]
        arn = f"arn:aws:emr-serverless:eu-west-1:123456789012:/applications/{application}/jobruns/{self.tokens[token]}"
        return {"applicationId": application, "jobRunId": f"0{self.tokens[token]}", "arn": arn}

    def look_serverless(self, request: dict[str, Any]) -> dict[str, Any]:
        application = request["applicationId"]
        found = {
            "applicationId": application,
            "jobRunId": request["jobRunId"],
            "arn": f"arn:aws:emr-serverless:eu-west-1:123456789012:/applications/{application}/jobruns/01",
            "createdBy": ROLE,
            "createdAt": NOW,
            "updatedAt": NOW,
            "executionRole": ROLE,
            "state": self._next(),
            "stateDetails": self.note or "as ever",
            "releaseLabel": "emr-spark-8.1.0",
            "jobDriver": self.started[-1]["jobDriver"],
        }
        return {"jobRun": found}

    # EMR on EC2: steps by name.
    def add_step(self, request: dict[str, Any]) -> dict[str, Any]:
        self.started.append(request)
        return {"StepIds": [f"s-{len(self.started)}"]}

    def list_steps(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"Steps": [{"Id": f"s-{n}", "Name": each["Steps"][0]["Name"]} for n, each in enumerate(self.started, 1)]}

    def look_step(self, request: dict[str, Any]) -> dict[str, Any]:
        status = {"State": self._next(), "FailureDetails": {"Message": self.note}}
        number = int(request["StepId"].removeprefix("s-"))
        jar = self.started[number - 1]["Steps"][0]["HadoopJarStep"]
        return {"Step": {"Id": request["StepId"], "Status": status, "Config": {"Args": jar["Args"]}}}

    # Step Functions: executions by name.
    def start_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        if any(each["name"] == request["name"] for each in self.started):
            raise ServiceError("ExecutionAlreadyExists", "Execution Already Exists")
        self.started.append(request)
        return {"executionArn": execution_arn(request["name"]), "startDate": NOW}

    def look_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        state = self._next()
        found = {
            "executionArn": request["executionArn"],
            "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:shop-nightly",
            "status": state,
            "startDate": NOW,
            "input": next(each["input"] for each in self.started if request["executionArn"].endswith(each["name"])),
        }
        return found | ({"error": "States.TaskFailed", "cause": self.note} if state == "FAILED" else {})

    def history(self, _: dict[str, Any]) -> dict[str, Any]:
        entered = {"timestamp": NOW, "type": "TaskStateEntered", "id": 2, "stateEnteredEventDetails": {"name": "Train"}}
        return {"events": [entered]}


def execution_arn(name: str) -> str:
    return f"arn:aws:states:eu-west-1:123456789012:execution:shop-nightly:{name}"
