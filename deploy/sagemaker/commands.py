"""``python -m deploy sagemaker``: clusters by SageMaker's built-in k-means, trained and applied in batches.

train            kmeans/train in S3 to a model
transform        kmeans/score in S3 and that model to assignments, which `jobs.segments --assignments` takes
endpoint, predict, delete-endpoint
the same model behind an address, as in the workshop; paid for by the hour, and not needed here
"""

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from deploy.aws.requests import Aws, RefusedError, UnreachableError
from deploy.job_runs.waiting import State, follow
from deploy.sagemaker.arguments import add_commands, placement_of, training_of
from deploy.sagemaker.requests import (
    CSV,
    endpoint_config_request,
    endpoint_request,
    model_request,
    training_request,
    transform_request,
)
from deploy.sagemaker.sdk import create, delete, find, image_of, in_, sagemaker_errors
from jobs.errors import OutsideSystemError

JSON = "application/json"
JOB_ENDED = ("Completed", "Failed", "Stopped")
ENDPOINT_ENDED = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
LOG_GROUPS = {"TrainingJob": "/aws/sagemaker/TrainingJobs", "TransformJob": "/aws/sagemaker/TransformJobs"}
STATES = {
    "TrainingJob": ("training_job_status", "training-job"),
    "TransformJob": ("transform_job_status", "transform-job"),
    "Endpoint": ("endpoint_status", "endpoint"),
}
"""Where a resource keeps its state, and what the AWS command line calls it."""


def add_sagemaker(tree: Any) -> None:
    """Put the commands of SageMaker among the others."""
    add_commands(
        tree,
        {
            "train": train,
            "transform": transform,
            "endpoint": endpoint,
            "predict": predict,
            "delete-endpoint": delete_endpoint,
        },
    )


def train(given: Namespace) -> None:
    """Train, wait for the end, and print metrics and where the model is.

    Raises:
        OutsideSystemError: AWS refused, or the job failed or was stopped.
    """
    aws = _aws(given)
    request = training_request(
        name=given.name,
        features=given.features,
        output=given.output,
        placement=placement_of(given, image_of(aws.region)),
        training=training_of(given),
    )
    if given.dry_run:
        _tell_requests({"CreateTrainingJob": request})
        return
    job = create("TrainingJob", request, aws=aws)
    if given.no_wait:
        _tell(f"{given.name} is on its way. Follow it with: {_command(aws, 'TrainingJob', given)}")
        return
    _follow(aws, "TrainingJob", job, given)
    for metric in _list_of(job.final_metric_data_list):
        _tell(f"{metric.metric_name} {metric.value:g}")
    _tell(str(job.model_artifacts.s3_model_artifacts))


def transform(given: Namespace) -> None:
    """Put every line of the features through a model, wait for the end, and print where the assignments are.

    The model that is made for it is deleted when the job has ended: it is a name, and what the job wrote stays.

    Raises:
        OutsideSystemError: AWS refused, or the job failed or was stopped.
    """
    aws = _aws(given)
    placement = placement_of(given, image_of(aws.region))
    model = model_request(name=given.name, model_data=given.model_data, placement=placement)
    request = transform_request(
        name=given.name, model=given.name, features=given.features, output=given.output, placement=placement
    )
    if given.dry_run:
        _tell_requests({"CreateModel": model, "CreateTransformJob": request})
        return
    create("Model", model, aws=aws)
    try:
        job = create("TransformJob", request, aws=aws)
    except OutsideSystemError:
        _tidy_up(aws, given)
        raise
    if given.no_wait:
        _tell(f"{given.name} is on its way. Follow it with: {_command(aws, 'TransformJob', given)}")
        _tell(f"Its model stays until: {_deletion(aws, given)}")
        return
    try:
        _follow(aws, "TransformJob", job, given)
    except (RefusedError, UnreachableError):
        # Nobody knows whether it runs on, and it would need its model.
        raise
    except OutsideSystemError:
        _tidy_up(aws, given)
        raise
    _tell(given.output)
    _tidy_up(aws, given)


def _tidy_up(aws: Aws, given: Namespace) -> None:
    """Delete the model that was made for a job. That it cannot be deleted is told, and hides nothing of the job."""
    try:
        delete("Model", given.name, aws=aws)
    except OutsideSystemError as error:
        sys.stderr.write(f"{error} The model stays; it costs nothing, and is deleted by: {_deletion(aws, given)}\n")


def _deletion(aws: Aws, given: Namespace) -> str:
    return f"python -m deploy sagemaker delete-endpoint --name {given.name} {aws.place}"


def endpoint(given: Namespace) -> None:
    """Put a model behind an address, and wait until it answers.

    Raises:
        OutsideSystemError: AWS refused, or the endpoint does not come up.
    """
    aws = _aws(given)
    placement = placement_of(given, image_of(aws.region))
    model = model_request(name=given.name, model_data=given.model_data, placement=placement)
    config = endpoint_config_request(name=given.name, model=given.name, placement=placement)
    request = endpoint_request(name=given.name, placement=placement)
    if given.dry_run:
        _tell_requests({"CreateModel": model, "CreateEndpointConfig": config, "CreateEndpoint": request})
        return
    create("Model", model, aws=aws)
    create("EndpointConfig", config, aws=aws)
    made = create("Endpoint", request, aws=aws)
    # Before the wait, which may end in many ways.
    _tell(f"{given.name}: paid for by the hour until: {_deletion(aws, given)}")
    if not given.no_wait:
        _follow(aws, "Endpoint", made, given)


def predict(given: Namespace) -> None:
    """Ask an endpoint for the clusters of some lines of three features, and print what it answers, as JSON.

    Raises:
        OutsideSystemError: There is no such endpoint, or it refuses the lines.
    """
    aws = _aws(given)
    lines = sys.stdin.read()
    if given.dry_run:
        asked = {"EndpointName": given.name, "ContentType": CSV, "Accept": JSON, "Body": lines}
        _tell_requests({"InvokeEndpoint": asked})
        return
    found = find("Endpoint", given.name, aws=aws)
    with sagemaker_errors(f"endpoint {given.name}"):
        answer = found.invoke(body=lines.encode(), content_type=CSV, accept=JSON, **in_(aws))
    _tell(json.dumps(json.loads(answer.body.read()), indent=2))


def delete_endpoint(given: Namespace) -> None:
    """Delete an endpoint with its configuration and model; what is not there is said, and no fault.

    Raises:
        OutsideSystemError: AWS refused.
    """
    aws = _aws(given)
    if given.dry_run:
        names = {"EndpointName": given.name}, {"EndpointConfigName": given.name}, {"ModelName": given.name}
        _tell_requests(dict(zip(("DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"), names, strict=True)))
        return
    for kind in ("Endpoint", "EndpointConfig", "Model"):
        was_there = delete(kind, given.name, aws=aws)
        _tell(f"{kind} {given.name}: {'deleted' if was_there else 'was not there'}")


def _aws(given: Namespace) -> Aws:
    return Aws(region=given.region, profile=given.profile)


def _follow(aws: Aws, kind: str, resource: Any, given: Namespace) -> None:
    attribute, _ = STATES[kind]
    title, again = f"{kind} {given.name}", _command(aws, kind, given)
    ended = ENDPOINT_ENDED if kind == "Endpoint" else JOB_ENDED

    def look() -> State:
        with sagemaker_errors(f"{title} cannot be followed"):
            state = str(getattr(resource.refresh(), attribute))
        return State(state, is_final=state in ended)

    try:
        end = follow(title, look, how_to_follow=again, seconds=given.poll)
    except RefusedError as error:
        raise RefusedError(f"{error.args[0].rstrip('.')}. It may run on. Follow it with: {again}", error.code) from None
    if end.name not in ("Completed", "InService"):
        raise OutsideSystemError(_why(aws, kind, resource, end.name, given))


def _why(aws: Aws, kind: str, resource: Any, state: str, given: Namespace) -> str:
    """Why it did not come to a good end, and where its log is."""
    reason = getattr(resource, "failure_reason", None)
    told = f": {str(reason).rstrip('.')}" if isinstance(reason, str) else ""
    # A training that ran out of time is Stopped, with this behind it.
    second = getattr(resource, "secondary_status", None)
    if state == "Stopped" and second in ("MaxRuntimeExceeded", "MaxWaitTimeExceeded"):
        told = f": {second}; give it more time (--max-runtime, --max-wait)"
    log = f". Its log: {_log_link(aws, LOG_GROUPS[kind], given)}" if kind in LOG_GROUPS else ""
    return f"{kind} {given.name} is {state}, expected it to complete{told}{log}"


def _log_link(aws: Aws, group: str, given: Namespace) -> str:
    # The console's own way to write a slash in a link.
    encoded = group.replace("/", "$252F")
    return (
        f"https://{aws.region}.console.aws.amazon.com/cloudwatch/home?region={aws.region}"
        f"#logsV2:log-groups/log-group/{encoded}$3FlogStreamNameFilter$3D{given.name}"
    )


def _command(aws: Aws, kind: str, given: Namespace) -> str:
    _, name = STATES[kind]
    option = "--endpoint-name" if kind == "Endpoint" else f"--{name}-name"
    return f"aws sagemaker describe-{name} {option} {given.name} {aws.place}"


def _list_of(found: Any) -> list[Any]:
    """What the SDK has no list for, it says with an object of its own."""
    return found if isinstance(found, list) else []


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _tell_requests(requests: Mapping[str, Mapping[str, Any]]) -> None:
    _tell(json.dumps(requests, indent=2))
