"""A step on a cluster of EMR on EC2 that somebody else keeps."""

import shlex
from collections.abc import Mapping

from deploy.aws.requests import Aws, Request, UnreachableError
from deploy.job_runs.arguments import JobArguments, run_id_in
from deploy.job_runs.waiting import State

FINAL = {"COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED"}
SERVERLESS_ONLY = "spark.emr-serverless."


def submit_command(job: JobArguments, known: Mapping[str, str], region: str) -> list[str]:
    """The command line of spark-submit; what EMR Serverless alone understands is said in YARN's words.

    YARN's containers do not know the region. A job that failed is not tried again: its run is there by then.
    """
    parameters = shlex.split(known["EmrSubmitParameters"])
    pairs = [pair for pair in zip(parameters[::2], parameters[1::2], strict=True) if SERVERLESS_ONLY not in pair[1]]
    return [
        *("spark-submit", "--deploy-mode", "cluster"),
        *(part for pair in pairs for part in pair),
        *("--conf", "spark.yarn.appMasterEnv.PYTHONPATH=./environment/site-packages"),
        *("--conf", "spark.yarn.appMasterEnv.PYSPARK_PYTHON=python3.11"),
        *("--conf", f"spark.yarn.appMasterEnv.AWS_REGION={region}"),
        *("--conf", "spark.yarn.maxAppAttempts=1"),
        *(f"{known['CodePath']}/{job.step}.py", *job.arguments),
    ]


def start_request(prefix: str, cluster: str, job: JobArguments, known: Mapping[str, str], *, region: str) -> Request:
    """The request that adds a step. A step that failed leaves the cluster and its other steps alone."""
    jar = {"Jar": "command-runner.jar", "Args": submit_command(job, known, region)}
    step = {"Name": f"{prefix}-{job.step} {job.name}", "ActionOnFailure": "CONTINUE", "HadoopJarStep": jar}
    return Request("emr", "add_job_flow_steps", {"JobFlowId": cluster, "Steps": [step]}, may_repeat=False)


def look_request(cluster: str, step: str) -> Request:
    """The request for how a step stands."""
    return Request("emr", "describe_step", {"ClusterId": cluster, "StepId": step})


def started(aws: Aws, cluster: str, request: Request) -> str:
    """Add a step, unless the cluster has one of its name, and return its id.

    EMR has no client token for steps; the name holds the run that the step makes. So the request is sent once, and when
    no answer comes the cluster is asked whether it arrived.
    """
    earlier = _earlier(aws, cluster, request)
    if earlier is not None:
        return earlier
    try:
        return str(aws.change(request)["StepIds"][0])
    except UnreachableError:
        arrived = _earlier(aws, cluster, request)
        if arrived is None:
            raise
        return arrived


def _earlier(aws: Aws, cluster: str, request: Request) -> str | None:
    (step,) = request.parameters["Steps"]
    steps = aws.ask(Request("emr", "list_steps", {"ClusterId": cluster}))["Steps"]
    return next((str(found["Id"]) for found in steps if found["Name"] == step["Name"]), None)


def state(aws: Aws, cluster: str, step: str) -> State:
    """How a step stands."""
    found = aws.ask(look_request(cluster, step))["Step"]
    status, run_id = found["Status"], run_id_in(found.get("Config", {}).get("Args", []))
    failure = status.get("FailureDetails", {})
    note = failure.get("Message") or failure.get("Reason") or ""
    is_final = status["State"] in FINAL
    return State(status["State"], is_final=is_final, note=note, run_id=run_id)
