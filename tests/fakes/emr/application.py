"""An application of EMR Serverless as a stand-in: it starts, runs jobs, and stops, one step for each look at it."""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.rest_service import RestService

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ID = "00f1abcd"
ARN = f"arn:aws:emr-serverless:eu-west-1:123456789012:/applications/{ID}"
ROLE = "arn:aws:iam::123456789012:role/shop-pipeline"


class EmrApplication(RestService):
    """The service, with one application.

    A test says how it stands (``steps``) and what it runs (``runs``), and reads what was cancelled.
    """

    def __init__(self) -> None:
        self.steps = ["CREATED"]
        self.runs: list[str] = []
        self.cancelled: list[str] = []
        operations = {
            "GetApplication": self.get_application,
            "StopApplication": self.stop_application,
            "ListJobRuns": self.list_job_runs,
            "CancelJobRun": self.cancel_job_run,
        }
        super().__init__("emr-serverless", operations)

    def is_started(self) -> bool:
        """Whether it can neither be changed nor deleted."""
        return self.steps[0] not in ("CREATED", "STOPPED")

    def get_application(self, _: dict[str, Any]) -> dict[str, Any]:
        """The application, which comes one step nearer to its end each time that somebody looks."""
        state = self.steps[0]
        if len(self.steps) > 1:
            self.steps.pop(0)
        application = {"applicationId": ID, "arn": ARN, "releaseLabel": "emr-spark-8.1.0", "type": "SPARK"}
        return {"application": application | {"state": state, "createdAt": NOW, "updatedAt": NOW}}

    def stop_application(self, _: dict[str, Any]) -> dict[str, Any]:
        """Stop it, unless something runs."""
        if self.runs:
            raise ServiceError("ValidationException", "Application has job runs that are not in a terminal state")
        self.steps = ["STOPPING", "STOPPED"]
        return {}

    def list_job_runs(self, _: dict[str, Any]) -> dict[str, Any]:
        """What it runs."""
        run = {
            "applicationId": ID,
            "arn": ARN,
            "createdBy": ROLE,
            "createdAt": NOW,
            "updatedAt": NOW,
            "state": "RUNNING",
        }
        more = {"executionRole": ROLE, "stateDetails": "as ever", "releaseLabel": "emr-spark-8.1.0"}
        return {"jobRuns": [{**run, **more, "id": name, "arn": f"{ARN}/jobruns/{name}"} for name in self.runs]}

    def cancel_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Cancel what it runs."""
        self.runs.remove(request["jobRunId"])
        self.cancelled.append(request["jobRunId"])
        return {"applicationId": ID, "jobRunId": request["jobRunId"]}
