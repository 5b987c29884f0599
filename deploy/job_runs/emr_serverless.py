"""Job runs of EMR Serverless, and its application, which changes and is deleted only while it is stopped.

The application stops by itself after an idle time, and starts by itself for the next job.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.aws.waiting import State, wait_until_final
from deploy.job_runs.arguments import JobArguments, run_id_in
from jobs.errors import ConfigurationError

FINAL_STATES = {"SUCCESS", "FAILED", "CANCELLED"}
UNFINISHED_STATES = ("SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING", "CANCELLING")
STOPPED_STATES = {"CREATED", "STOPPED", "TERMINATED"}
"""States in which an application can be changed and deleted."""

TIMEOUT_MINUTES = 240


@dataclass(frozen=True)
class Application:
    """The application of EMR Serverless as a platform for job runs.

    Attributes:
        aws: the account.
        prefix: of the stacks.
        outputs: the outputs of the stacks.
        tags: the tags of each job run.
    """

    aws: Aws
    prefix: str
    outputs: Mapping[str, str]
    tags: Mapping[str, str]

    def start_request(self, job: JobArguments) -> Request:
        """The request that starts a job run.

        The client token is a hash of application, step and run. Whoever submits again, or lost the response, gets the
        same job run.
        """
        application = self.outputs["ApplicationId"]
        token = hashlib.sha256(f"{application} {job.step} {job.name}".encode()).hexdigest()
        return Request(
            "emr-serverless",
            "start_job_run",
            {
                "applicationId": application,
                "clientToken": token,
                "executionRoleArn": self.outputs[f"{job.step.capitalize()}RoleArn"],
                "executionTimeoutMinutes": TIMEOUT_MINUTES,
                "name": f"{self.prefix}-{job.step}",
                "jobDriver": {
                    "sparkSubmit": {
                        "entryPoint": f"{self.outputs['CodePath']}/{job.step}.py",
                        "entryPointArguments": list(job.arguments),
                        "sparkSubmitParameters": self.outputs["EmrSubmitParameters"],
                    }
                },
                "configurationOverrides": {
                    "monitoringConfiguration": {
                        "cloudWatchLoggingConfiguration": {
                            "enabled": True,
                            "logGroupName": self.outputs["EmrLogGroup"],
                            # No encryptionKeyArn: the stack's group has its key already, and to associate one takes
                            # rights over the group and the key that a step does not need.
                            "logStreamNamePrefix": job.name,
                        }
                    }
                },
                "tags": dict(self.tags),
            },
        )

    def start(self, request: Request) -> str:
        """Start a job run and return its id."""
        return str(self.aws.change(request)["jobRunId"])

    def describe_request(self, job_run: str) -> Request:
        """The request for the state of a job run."""
        parameters = {"applicationId": self.outputs["ApplicationId"], "jobRunId": job_run}
        return Request("emr-serverless", "get_job_run", parameters)

    def state(self, job_run: str) -> State:
        """The state of a job run."""
        description = self.aws.read(self.describe_request(job_run))["jobRun"]
        return State(
            description["state"],
            is_final=description["state"] in FINAL_STATES,
            detail=description.get("stateDetails", ""),
            run_id=run_id_in(description["jobDriver"]["sparkSubmit"].get("entryPointArguments", [])),
        )

    def follow_command(self, job_run: str) -> str:
        """The command that waits for a job run."""
        return f"python -m deploy emr status --wait {self.aws.deployment_options(self.prefix)} {job_run}"

    def log_command(self, _job_run: str, run_id: str) -> str:
        """The command that prints the log of a job run, which lies under the id of the run that it makes."""
        return f"python -m deploy emr logs {self.aws.deployment_options(self.prefix)} {run_id or 'RUN_ID'}"


def stop_application(aws: Aws, prefix: str, application: str, *, verb: Literal["up", "down"]) -> None:
    """Stop the application for `up` or `down`, and wait until it has stopped. One that is gone counts as stopped.

    Args:
        aws: the account.
        prefix: of the stacks.
        application: its id.
        verb: `up` leaves job runs in progress alone, and `down` cancels them.

    Raises:
        ConfigurationError: A job run is in progress, and the verb is `up`.
    """
    job_runs = _unfinished_job_runs(aws, application)
    if job_runs and verb == "up":
        raise ConfigurationError(
            f"EMR Serverless application {application} runs {', '.join(job_runs)}, and changes only while it is "
            "stopped. Wait for the end, then run `up` again; its stack was not changed"
        )
    for job_run in job_runs:
        aws.change(Request("emr-serverless", "cancel_job_run", {"applicationId": application, "jobRunId": job_run}))
    if aws.is_dry_run:
        aws.change(_stop_request(application))
        return

    def poll_job_runs() -> State:
        unfinished = _unfinished_job_runs(aws, application)
        return State("busy" if unfinished else "idle", is_final=not unfinished, detail=", ".join(unfinished))

    def poll_application() -> State:
        state = _application_state(aws, application)
        if state == "STARTED":
            aws.change(_stop_request(application))
        return State(state, is_final=state in STOPPED_STATES)

    resume_command = f"python -m deploy {verb} {aws.deployment_options(prefix)}"
    title = f"application {application}"
    wait_until_final(f"runs of {title}", poll_job_runs, resume_command=resume_command)
    wait_until_final(title, poll_application, resume_command=resume_command)


def _stop_request(application: str) -> Request:
    return Request("emr-serverless", "stop_application", {"applicationId": application})


def _unfinished_job_runs(aws: Aws, application: str) -> list[str]:
    parameters: dict[str, Any] = {
        "applicationId": application,
        "states": list(UNFINISHED_STATES),
        "maxResults": 50,
    }
    try:
        job_runs = aws.read(Request("emr-serverless", "list_job_runs", parameters))["jobRuns"]
    except RefusedError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return []
    return [str(job_run["id"]) for job_run in job_runs]


def _application_state(aws: Aws, application: str) -> str:
    try:
        description = aws.read(Request("emr-serverless", "get_application", {"applicationId": application}))
    except RefusedError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return "TERMINATED"
    return str(description["application"]["state"])
