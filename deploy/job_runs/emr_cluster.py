"""Job runs as steps of a cluster of EMR on EC2, which the user provides."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.aws.requests import Aws, Request, UnreachableError
from deploy.aws.waiting import State
from deploy.job_runs.arguments import JobArguments, run_id_in

FINAL_STATES = {"COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED"}
SERVERLESS_ONLY = "spark.emr-serverless."


@dataclass(frozen=True)
class Cluster:
    """A cluster of EMR on EC2 as a platform for job runs.

    Attributes:
        aws: the account.
        prefix: of the stacks.
        outputs: the outputs of the stacks.
        cluster_id: the id of the cluster, such as ``j-1K48QYI7PD4G3``.
    """

    aws: Aws
    prefix: str
    outputs: Mapping[str, str]
    cluster_id: str

    def submit_command(self, job: JobArguments) -> list[str]:
        """The command line of spark-submit, with YARN's settings in place of those of EMR Serverless.

        YARN's containers do not know the region. YARN starts a job once only: after a failed attempt the run's folder
        exists, and a second attempt would fail for that reason.
        """
        parameters = shlex.split(self.outputs["EmrSubmitParameters"])
        pairs = [pair for pair in zip(parameters[::2], parameters[1::2], strict=True) if SERVERLESS_ONLY not in pair[1]]
        return [
            *("spark-submit", "--deploy-mode", "cluster"),
            *(part for pair in pairs for part in pair),
            *("--conf", "spark.yarn.appMasterEnv.PYTHONPATH=./environment/site-packages"),
            *("--conf", "spark.yarn.appMasterEnv.PYSPARK_PYTHON=python3.11"),
            *("--conf", f"spark.yarn.appMasterEnv.AWS_REGION={self.aws.region}"),
            *("--conf", "spark.yarn.maxAppAttempts=1"),
            *(f"{self.outputs['CodePath']}/{job.step}.py", *job.arguments),
        ]

    def start_request(self, job: JobArguments) -> Request:
        """The request that adds a step. A step that fails leaves the cluster and its other steps alone."""
        step = {
            "Name": f"{self.prefix}-{job.step} {job.name}",
            "ActionOnFailure": "CONTINUE",
            "HadoopJarStep": {"Jar": "command-runner.jar", "Args": self.submit_command(job)},
        }
        parameters = {"JobFlowId": self.cluster_id, "Steps": [step]}
        return Request("emr", "add_job_flow_steps", parameters, may_repeat=False)

    def start(self, request: Request) -> str:
        """Add a step, unless the cluster has a step of that name, and return its id.

        EMR has no client token for steps, but a step's name holds the run that it makes. The request is therefore
        sent once. If no response comes, the cluster's steps show whether it arrived.
        """
        earlier = self._earlier(request)
        if earlier is not None:
            return earlier
        try:
            return str(self.aws.change(request)["StepIds"][0])
        except UnreachableError:
            step = self._earlier(request)
            if step is None:
                raise
            return step

    def describe_request(self, step: str) -> Request:
        """The request for the state of a step."""
        return Request("emr", "describe_step", {"ClusterId": self.cluster_id, "StepId": step})

    def state(self, step: str) -> State:
        """The state of a step."""
        description = self.aws.read(self.describe_request(step))["Step"]
        status = description["Status"]
        failure = status.get("FailureDetails", {})
        return State(
            status["State"],
            is_final=status["State"] in FINAL_STATES,
            detail=failure.get("Message") or failure.get("Reason") or "",
            run_id=run_id_in(description.get("Config", {}).get("Args", [])),
        )

    def follow_command(self, step: str) -> str:
        """The command that waits for a step."""
        options = f"{self.aws.deployment_options(self.prefix)} --cluster {self.cluster_id}"
        return f"python -m deploy emr status --wait {options} {step}"

    def log_command(self, step: str, _run_id: str) -> str:
        """The command that says where the cluster keeps the log of a step."""
        options = f"--region {self.aws.region} --cluster-id {self.cluster_id} --step-id {step}"
        return f"aws emr describe-step {options} (LogFile)"

    def _earlier(self, request: Request) -> str | None:
        (new_step,) = request.parameters["Steps"]
        steps = self.aws.read(Request("emr", "list_steps", {"ClusterId": self.cluster_id}))["Steps"]
        return next((str(step["Id"]) for step in steps if step["Name"] == new_step["Name"]), None)
