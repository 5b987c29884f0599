"""Job runs of AWS Glue. Each step has a job of its own, which runs once at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.aws.waiting import State, wait_until_final
from deploy.job_runs.arguments import STEPS, JobArguments, makes_run
from deploy.job_runs.outcomes import job_failure
from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError

FINAL_STATES = {"STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED"}


@dataclass(frozen=True)
class GlueJob:
    """The Glue job of a step.

    Attributes:
        aws: the account.
        prefix: of the stacks.
        step: the step that it runs.
    """

    aws: Aws
    prefix: str
    step: str

    @property
    def name(self) -> str:
        """The job's name in Glue."""
        return f"{self.prefix}-{self.step}"

    def start_request(self, arguments: JobArguments) -> Request:
        """The request that starts a job run."""
        return Request("glue", "start_job_run", {"JobName": self.name, "Arguments": arguments.as_pairs()})

    def describe_request(self, job_run: str) -> Request:
        """The request for the state of a job run."""
        return Request("glue", "get_job_run", {"JobName": self.name, "RunId": job_run})

    def start(self, arguments: JobArguments) -> str:
        """Start a job run, or find the one that does the same, and return its id.

        Glue has no client token, so the run id among the arguments serves as one. Glue refuses a second job run of a
        job. Whoever submits again, or lost the response, is refused and finds the job run of the first request.
        A run may be loaded again, so for `publish` only a job run in progress counts.

        Raises:
            OutsideSystemError: Another run of the job is in progress.
        """
        request = self.start_request(arguments)
        earlier = self._earlier(arguments)
        if earlier is not None:
            return earlier
        try:
            return str(self.aws.change(request)["JobRunId"])
        except RefusedError as error:
            if error.code != "ConcurrentRunsExceededException":
                raise
            earlier = self._earlier(arguments)
            if earlier is not None:
                return earlier
            raise OutsideSystemError(
                f"job {self.name}: another run is in progress, expected none. Wait for it: {self._list_command}"
            ) from None

    def describe(self, job_run: str) -> Mapping[str, Any]:
        """A job run as it is now.

        Raises:
            ConfigurationError: There is no such job run.
        """
        try:
            description: Mapping[str, Any] = self.aws.read(self.describe_request(job_run))["JobRun"]
        except RefusedError as error:
            if error.code != "EntityNotFoundException":
                raise
            raise ConfigurationError(
                f"{job_run}: job {self.name} has no such job run. List its job runs: {self._list_command}"
            ) from None
        return description

    def wait(self, job_run: str) -> Mapping[str, Any]:
        """Wait for the end of a job run, and return its description."""

        def poll() -> State:
            description = self.aws.read(self.describe_request(job_run))["JobRun"]
            state = description["JobRunState"]
            return State(state, is_final=state in FINAL_STATES, response=description)

        resume_command = self.follow_command(job_run)
        return wait_until_final(f"{self.name} {job_run}", poll, resume_command=resume_command).response

    def failure(self, description: Mapping[str, Any], *, bucket: str) -> PipelineError | None:
        """The error of a job run that ended; None if it succeeded or is in progress."""
        state, job_run = description["JobRunState"], description["Id"]
        if state == "SUCCEEDED" or state not in FINAL_STATES:
            return None
        options = self.aws.deployment_options(self.prefix)
        log_command = f"python -m deploy glue logs {options} --step {self.step} {job_run}"
        reason = description.get("ErrorMessage", "no reason given")
        return job_failure(
            self.aws,
            bucket=bucket,
            run_ids=[value for name, value in description.get("Arguments", {}).items() if name == "--run-id"],
            default_message=f"{self.name} {job_run} ended as {state}: {reason}. Its log: {log_command}",
        )

    def follow_command(self, job_run: str) -> str:
        """The command that waits for a job run."""
        options = self.aws.deployment_options(self.prefix)
        return f"python -m deploy glue status --wait {options} --step {self.step} {job_run}"

    @property
    def _list_command(self) -> str:
        return f"aws glue get-job-runs --job-name {self.name}"

    def _earlier(self, arguments: JobArguments) -> str | None:
        """The newest of the last 50 job runs that does the same; None if there is none."""
        parameters = {"JobName": self.name, "MaxResults": 50}
        job_runs = self.aws.read(Request("glue", "get_job_runs", parameters)).get("JobRuns", [])
        return next((str(job_run["Id"]) for job_run in job_runs if _is_same(job_run, arguments)), None)


def stop_job_runs(aws: Aws, prefix: str) -> None:
    """Stop the job runs of all steps for `down`, and wait for their end. A job that is gone has none."""

    def unfinished(job_name: str) -> list[str]:
        try:
            page = aws.read(Request("glue", "get_job_runs", {"JobName": job_name, "MaxResults": 50}))
        except RefusedError as error:
            if error.code != "EntityNotFoundException":
                raise
            return []
        return [str(run["Id"]) for run in page.get("JobRuns", []) if run["JobRunState"] not in FINAL_STATES]

    for job_name in (f"{prefix}-{step}" for step in STEPS):
        job_runs = unfinished(job_name)
        if not job_runs:
            continue
        aws.change(Request("glue", "batch_stop_job_run", {"JobName": job_name, "JobRunIds": job_runs}))
        if aws.is_dry_run:
            continue

        def poll(name: str = job_name) -> State:
            left = unfinished(name)
            return State("busy" if left else "idle", is_final=not left, detail=", ".join(left))

        resume_command = f"python -m deploy down {aws.deployment_options(prefix)}"
        wait_until_final(f"runs of {job_name}", poll, resume_command=resume_command)


def _is_same(job_run: Mapping[str, Any], arguments: JobArguments) -> bool:
    earlier_arguments = job_run.get("Arguments", {})
    if makes_run(arguments.step):
        return bool(earlier_arguments.get("--run-id") == arguments.name)
    is_same_load = (
        earlier_arguments.get("--run") == arguments.name and arguments.as_pairs().items() <= earlier_arguments.items()
    )
    return is_same_load and job_run["JobRunState"] not in FINAL_STATES
