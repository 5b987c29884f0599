"""Glue: job runs that start and end as a test scripts them.

Like Glue, it runs one job run at a time and has no client tokens. moto's Glue never fails a job run.
"""

from typing import Any

from tests.fakes.environment import NOW
from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService
from tests.fakes.scripted_jobs import ScriptedJobs


class Glue(JsonService):
    """The service. A test scripts ``jobs`` and reads the start requests from it."""

    def __init__(self) -> None:
        self.jobs = ScriptedJobs()
        operations = {
            "StartJobRun": self._start_job_run,
            "GetJobRun": self._get_job_run,
            "GetJobRuns": self._get_job_runs,
            "BatchStopJobRun": self._batch_stop_job_run,
        }
        super().__init__("glue", operations)

    def _start_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.jobs.is_running():
            raise ServiceError("ConcurrentRunsExceededException", "Concurrent runs exceeded")
        self.jobs.start_requests.append(request)
        return {"JobRunId": f"jr_{len(self.jobs.start_requests)}"}

    def _get_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        number = int(request["RunId"].removeprefix("jr_"))
        if number > len(self.jobs.start_requests):
            raise ServiceError("EntityNotFoundException", "no such job run")
        arguments = self.jobs.start_requests[number - 1].get("Arguments", {})
        state = self.jobs.next_state()
        job_run = {"Id": request["RunId"], "JobRunState": state, "Arguments": arguments, "StartedOn": NOW}
        return {"JobRun": job_run | ({"ErrorMessage": self.jobs.note} if self.jobs.note else {})}

    def _get_job_runs(self, request: dict[str, Any]) -> dict[str, Any]:
        return {
            "JobRuns": [
                {"Id": f"jr_{number}", "Arguments": start["Arguments"], "JobRunState": self.jobs.state_of(number)}
                for number, start in enumerate(self.jobs.start_requests, 1)
                if start["JobName"] == request["JobName"]
            ]
        }

    def _batch_stop_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        self.jobs.states, self.jobs.descriptions = ["STOPPED"], 1
        name = request["JobName"]
        stopped = [{"JobName": name, "JobRunId": job_run} for job_run in request["JobRunIds"]]
        return {"SuccessfulSubmissions": stopped, "Errors": []}
