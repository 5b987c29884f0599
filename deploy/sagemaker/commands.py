"""``python -m deploy sagemaker``: clusters by SageMaker's built-in k-means, trained and applied in batches.

- ``train`` turns kmeans/train in S3 into a model.
- ``transform`` turns kmeans/score in S3 and a model into assignments, which `jobs.segments --assignments` reads.
- ``endpoint``, ``predict`` and ``delete-endpoint`` put the same model behind an address, as in the workshop. An
  endpoint is paid for by the hour, and the pipeline does not need one.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from deploy.aws.options import Subparsers, aws_of
from deploy.aws.requests import Aws, RefusedError, UnreachableError
from deploy.aws.waiting import State, wait_until_final
from deploy.sagemaker.arguments import add_parsers, placement_of, training_of
from deploy.sagemaker.requests import (
    CSV,
    endpoint_config_request,
    endpoint_request,
    model_request,
    training_request,
    transform_request,
)
from deploy.sagemaker.sdk import account_arguments, create, delete, find, image_of, sagemaker_errors
from jobs.errors import OutsideSystemError

JSON = "application/json"
FINAL_JOB_STATES = ("Completed", "Failed", "Stopped")
FINAL_ENDPOINT_STATES = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
LOG_GROUPS = {"TrainingJob": "/aws/sagemaker/TrainingJobs", "TransformJob": "/aws/sagemaker/TransformJobs"}
STATES = {
    "TrainingJob": ("training_job_status", "training-job"),
    "TransformJob": ("transform_job_status", "transform-job"),
    "Endpoint": ("endpoint_status", "endpoint"),
}
"""The attribute of a resource that holds its state, and the resource's name on the AWS command line."""


def add_sagemaker(subparsers: Subparsers) -> None:
    """Add ``sagemaker`` to the commands."""
    add_parsers(
        subparsers,
        {
            "train": train,
            "transform": transform,
            "endpoint": endpoint,
            "predict": predict,
            "delete-endpoint": delete_endpoint,
        },
    )


def train(options: Namespace) -> None:
    """Train a model, wait for the end, and print the metrics and the model's address.

    Raises:
        OutsideSystemError: AWS refused the job, or the job failed or was stopped.
    """
    aws = aws_of(options)
    request = training_request(
        name=options.name,
        features=options.features,
        output=options.output,
        placement=placement_of(options, image_of(aws.region)),
        training=training_of(options),
    )
    if options.dry_run:
        _print_requests({"CreateTrainingJob": request})
        return
    job = create("TrainingJob", request, aws=aws)
    if options.no_wait:
        _print(f"{options.name} was started. Follow it with: {_describe_command(aws, 'TrainingJob', options)}")
        return
    _wait(aws, "TrainingJob", job, options)
    for metric in _as_list(job.final_metric_data_list):
        _print(f"{metric.metric_name} {metric.value:g}")
    _print(str(job.model_artifacts.s3_model_artifacts))


def transform(options: Namespace) -> None:
    """Assign every customer of the features to a cluster, wait for the end, and print the folder of the assignments.

    SageMaker needs a named model for the job. It is deleted after the job, and the assignments stay.

    Raises:
        OutsideSystemError: AWS refused the job, or the job failed or was stopped.
    """
    aws = aws_of(options)
    placement = placement_of(options, image_of(aws.region))
    model = model_request(name=options.name, model_data=options.model_data, placement=placement)
    request = transform_request(
        name=options.name, model=options.name, features=options.features, output=options.output, placement=placement
    )
    if options.dry_run:
        _print_requests({"CreateModel": model, "CreateTransformJob": request})
        return
    create("Model", model, aws=aws)
    try:
        job = create("TransformJob", request, aws=aws)
    except OutsideSystemError:
        _delete_model(aws, options)
        raise
    if options.no_wait:
        _print(f"{options.name} was started. Follow it with: {_describe_command(aws, 'TransformJob', options)}")
        _print(f"Its model stays until: {_delete_command(aws, options)}")
        return
    try:
        _wait(aws, "TransformJob", job, options)
    except (RefusedError, UnreachableError):
        # The job may still run, and would need its model.
        raise
    except OutsideSystemError:
        _delete_model(aws, options)
        raise
    _print(options.output)
    _delete_model(aws, options)


def endpoint(options: Namespace) -> None:
    """Put a model behind an address, and wait until it answers.

    Raises:
        OutsideSystemError: AWS refused the endpoint, or the endpoint did not start.
    """
    aws = aws_of(options)
    placement = placement_of(options, image_of(aws.region))
    model = model_request(name=options.name, model_data=options.model_data, placement=placement)
    config = endpoint_config_request(name=options.name, model=options.name, placement=placement)
    request = endpoint_request(name=options.name, placement=placement)
    if options.dry_run:
        _print_requests({"CreateModel": model, "CreateEndpointConfig": config, "CreateEndpoint": request})
        return
    create("Model", model, aws=aws)
    create("EndpointConfig", config, aws=aws)
    resource = create("Endpoint", request, aws=aws)
    # Printed before the wait: the endpoint costs money however the wait ends.
    _print(f"{options.name}: paid for by the hour until: {_delete_command(aws, options)}")
    if not options.no_wait:
        _wait(aws, "Endpoint", resource, options)


def predict(options: Namespace) -> None:
    """Send lines of three features from stdin to an endpoint, and print its clusters as JSON.

    Raises:
        OutsideSystemError: There is no such endpoint, or it refused the lines.
    """
    aws = aws_of(options)
    lines = sys.stdin.read()
    if options.dry_run:
        request = {"EndpointName": options.name, "ContentType": CSV, "Accept": JSON, "Body": lines}
        _print_requests({"InvokeEndpoint": request})
        return
    resource = find("Endpoint", options.name, aws=aws)
    with sagemaker_errors(f"endpoint {options.name}"):
        response = resource.invoke(body=lines.encode(), content_type=CSV, accept=JSON, **account_arguments(aws))
    _print(json.dumps(json.loads(response.body.read()), indent=2))


def delete_endpoint(options: Namespace) -> None:
    """Delete an endpoint with its configuration and its model. What does not exist is reported, and is no error.

    Raises:
        OutsideSystemError: AWS refused a deletion.
    """
    aws = aws_of(options)
    if options.dry_run:
        _print_requests(
            {
                "DeleteEndpoint": {"EndpointName": options.name},
                "DeleteEndpointConfig": {"EndpointConfigName": options.name},
                "DeleteModel": {"ModelName": options.name},
            }
        )
        return
    for kind in ("Endpoint", "EndpointConfig", "Model"):
        existed = delete(kind, options.name, aws=aws)
        _print(f"{kind} {options.name}: {'deleted' if existed else 'was not there'}")


def _delete_model(aws: Aws, options: Namespace) -> None:
    """Delete the model of a transform job. A failure is reported on stderr, and does not hide the job's own result."""
    try:
        delete("Model", options.name, aws=aws)
    except OutsideSystemError as error:
        command = _delete_command(aws, options)
        reason = str(error).rstrip(".")
        sys.stderr.write(f"{reason}. The model stays, at no cost. Delete it with: {command}\n")


def _wait(aws: Aws, kind: str, resource: Any, options: Namespace) -> None:
    attribute, _ = STATES[kind]
    title, resume_command = f"{kind} {options.name}", _describe_command(aws, kind, options)
    final_states = FINAL_ENDPOINT_STATES if kind == "Endpoint" else FINAL_JOB_STATES

    def poll() -> State:
        with sagemaker_errors(f"{title} cannot be followed"):
            state = str(getattr(resource.refresh(), attribute))
        return State(state, is_final=state in final_states)

    try:
        end = wait_until_final(title, poll, resume_command=resume_command, seconds=options.poll)
    except RefusedError as error:
        message = f"{error.args[0].rstrip('.')}. It may still run. Follow it with: {resume_command}"
        raise RefusedError(message, error.code) from None
    if end.name not in ("Completed", "InService"):
        raise OutsideSystemError(_failure_message(aws, kind, resource, end.name, options))


def _failure_message(aws: Aws, kind: str, resource: Any, state: str, options: Namespace) -> str:
    """The message for a resource that failed or was stopped: its state, the reason, and the address of its log."""
    failure_reason = getattr(resource, "failure_reason", None)
    reason = f": {str(failure_reason).rstrip('.')}" if isinstance(failure_reason, str) else ""
    # A training job that ran out of time is Stopped, and its secondary status says why.
    secondary_status = getattr(resource, "secondary_status", None)
    if state == "Stopped" and secondary_status in ("MaxRuntimeExceeded", "MaxWaitTimeExceeded"):
        reason = f": {secondary_status}; give it more time (--max-runtime, --max-wait)"
    log = f". Its log: {_log_link(aws, LOG_GROUPS[kind], options)}" if kind in LOG_GROUPS else ""
    return f"{kind} {options.name} is {state}, expected it to complete{reason}{log}"


def _log_link(aws: Aws, group: str, options: Namespace) -> str:
    # The console writes a slash in a link this way.
    encoded = group.replace("/", "$252F")
    return (
        f"https://{aws.region}.console.aws.amazon.com/cloudwatch/home?region={aws.region}"
        f"#logsV2:log-groups/log-group/{encoded}$3FlogStreamNameFilter$3D{options.name}"
    )


def _describe_command(aws: Aws, kind: str, options: Namespace) -> str:
    _, name = STATES[kind]
    name_option = "--endpoint-name" if kind == "Endpoint" else f"--{name}-name"
    return f"aws sagemaker describe-{name} {name_option} {options.name} {aws.account_options}"


def _delete_command(aws: Aws, options: Namespace) -> str:
    return f"python -m deploy sagemaker delete-endpoint --name {options.name} {aws.account_options}"


def _as_list(value: Any) -> list[Any]:
    """A list of the SDK's. The SDK has an object of its own for a list that is missing in the response."""
    return value if isinstance(value, list) else []


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _print_requests(requests: Mapping[str, Mapping[str, Any]]) -> None:
    _print(json.dumps(requests, indent=2))
