"""EMR Serverless, with one application, and EMR on EC2: jobs that start and end as a test scripts them.

Like EMR Serverless, a client token starts one job run, and an application with active job runs does not stop. moto's
EMR never fails a job.
"""

from typing import Any

from tests.fakes.environment import ACCOUNT_ID, NOW, PIPELINE_ROLE, REGION
from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService, RestService
from tests.fakes.scripted_jobs import ScriptedJobs

APPLICATION_ID = "00f1abcd"
RELEASE = "emr-spark-8.1.0"


class EmrServerless(RestService):
    """EMR Serverless.

    Attributes:
        jobs: The job runs that the code under test starts.
        application_states: The states through which the application passes, one per description.
        active_job_runs: The ids of the job runs that are active when a test begins.
        cancelled_job_runs: The ids of those that were cancelled.
    """

    def __init__(self) -> None:
        self.jobs = ScriptedJobs()
        self.application_states = ["CREATED"]
        self.active_job_runs: list[str] = []
        self.cancelled_job_runs: list[str] = []
        operations = {
            "GetApplication": self._get_application,
            "StopApplication": self._stop_application,
            "StartJobRun": self._start_job_run,
            "GetJobRun": self._get_job_run,
            "ListJobRuns": self._list_job_runs,
            "CancelJobRun": self._cancel_job_run,
        }
        super().__init__("emr-serverless", operations)

    def application_is_started(self) -> bool:
        """Whether the application can be neither changed nor deleted."""
        return self.application_states[0] not in ("CREATED", "STOPPED")

    def _get_application(self, _: dict[str, Any]) -> dict[str, Any]:
        state = self.application_states[0]
        if len(self.application_states) > 1:
            self.application_states.pop(0)
        application = {
            "applicationId": APPLICATION_ID,
            "arn": _application_arn(APPLICATION_ID),
            "releaseLabel": RELEASE,
            "type": "SPARK",
            "state": state,
            "createdAt": NOW,
            "updatedAt": NOW,
        }
        return {"application": application}

    def _stop_application(self, _: dict[str, Any]) -> dict[str, Any]:
        if self.active_job_runs:
            raise ServiceError("ValidationException", "Application has job runs that are not in a terminal state")
        self.application_states = ["STOPPING", "STOPPED"]
        return {}

    def _start_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        token = request["clientToken"]
        if token not in self.jobs.tokens:
            self.jobs.start_requests.append(request)
            self.jobs.tokens[token] = len(self.jobs.start_requests)
        number, application_id = self.jobs.tokens[token], request["applicationId"]
        arn = f"{_application_arn(application_id)}/jobruns/{number}"
        return {"applicationId": application_id, "jobRunId": f"0{number}", "arn": arn}

    def _get_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        job_run = {
            **_job_run(request["applicationId"], request["jobRunId"]),
            "jobRunId": request["jobRunId"],
            "state": self.jobs.next_state(),
            "stateDetails": self.jobs.note or "no details",
            "jobDriver": self.jobs.start_requests[-1]["jobDriver"],
        }
        return {"jobRun": job_run}

    def _list_job_runs(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "jobRuns": [
                {**_job_run(APPLICATION_ID, job_run), "id": job_run, "state": "RUNNING", "stateDetails": "no details"}
                for job_run in self.active_job_runs
            ]
        }

    def _cancel_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        self.active_job_runs.remove(request["jobRunId"])
        self.cancelled_job_runs.append(request["jobRunId"])
        return {"applicationId": APPLICATION_ID, "jobRunId": request["jobRunId"]}


class EmrCluster(JsonService):
    """EMR on EC2: the steps of one cluster, found by their names."""

    def __init__(self) -> None:
        self.jobs = ScriptedJobs()
        operations = {
            "AddJobFlowSteps": self._add_job_flow_steps,
            "DescribeStep": self._describe_step,
            "ListSteps": self._list_steps,
        }
        super().__init__("emr", operations)

    def _add_job_flow_steps(self, request: dict[str, Any]) -> dict[str, Any]:
        self.jobs.start_requests.append(request)
        return {"StepIds": [f"s-{len(self.jobs.start_requests)}"]}

    def _list_steps(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "Steps": [
                {"Id": f"s-{number}", "Name": start["Steps"][0]["Name"]}
                for number, start in enumerate(self.jobs.start_requests, 1)
            ]
        }

    def _describe_step(self, request: dict[str, Any]) -> dict[str, Any]:
        number = int(request["StepId"].removeprefix("s-"))
        jar = self.jobs.start_requests[number - 1]["Steps"][0]["HadoopJarStep"]
        status = {"State": self.jobs.next_state(), "FailureDetails": {"Message": self.jobs.note}}
        return {"Step": {"Id": request["StepId"], "Status": status, "Config": {"Args": jar["Args"]}}}


def _application_arn(application_id: str) -> str:
    return f"arn:aws:emr-serverless:{REGION}:{ACCOUNT_ID}:/applications/{application_id}"


def _job_run(application_id: str, job_run: str) -> dict[str, Any]:
    """The members that GetJobRun and ListJobRuns share."""
    return {
        "applicationId": application_id,
        "arn": f"{_application_arn(application_id)}/jobruns/{job_run}",
        "createdBy": PIPELINE_ROLE,
        "createdAt": NOW,
        "updatedAt": NOW,
        "executionRole": PIPELINE_ROLE,
        "releaseLabel": RELEASE,
    }
