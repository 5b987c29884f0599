"""The requests of the nightly run: valid in AWS's APIs, and to SageMaker those of the commands."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.sagemaker import requests as sagemaker_requests
from tests.deploy.state_machine.answers import (
    ARTIFACT,
    AS_OF,
    LEDGER_SHARES,
    NETWORK,
    ON_LEDGER,
    ON_SAGEMAKER,
    RUN,
    answers,
    failing,
    ingestion,
    shares,
    with_sagemaker,
)
from tests.deploy.state_machine.interpreter import SUBSTITUTIONS, Interpreter, Report, tasks
from tests.fakes.http.shapes import service_model, violations_of

pytestmark = pytest.mark.long

OPERATIONS = {
    "glue:startJobRun.sync": ("glue", "StartJobRun"),
    "emr-serverless:startJobRun.sync": ("emr-serverless", "StartJobRun"),
    "sagemaker:createTrainingJob.sync": ("sagemaker", "CreateTrainingJob"),
    "sagemaker:createModel": ("sagemaker", "CreateModel"),
    "sagemaker:createTransformJob.sync": ("sagemaker", "CreateTransformJob"),
    "sns:publish": ("sns", "Publish"),
    "aws-sdk:s3:getObject": ("s3", "GetObject"),
    "aws-sdk:cloudwatch:putMetricData": ("cloudwatch", "PutMetricData"),
    "aws-sdk:quicksight:createIngestion": ("quicksight", "CreateIngestion"),
    "aws-sdk:quicksight:describeIngestion": ("quicksight", "DescribeIngestion"),
}


def executions(nightly: Interpreter) -> Iterator[Report]:
    """Executions that try every task between them."""
    on_demand = {"Spot": "false", "CatalogueDatabase": ""}
    for engine in ("glue", "emr"):
        yield nightly.execute({**AS_OF, "engine": engine}, answers())
        yield nightly.execute({**ON_LEDGER, "engine": engine}, answers(ReadShares=shares(LEDGER_SHARES)))
        yield nightly.execute({**ON_SAGEMAKER, "engine": engine}, answers(), **on_demand)
        yield nightly.execute({**ON_SAGEMAKER, "engine": engine}, answers(), **NETWORK)
    yield nightly.execute(AS_OF, answers(ReadShares=failing("S3.NoSuchKeyException")))
    yield nightly.execute(AS_OF, answers(FollowRefresh=[ingestion("FAILED")]))
    yield nightly.execute(AS_OF, answers(Publish=failing("States.TaskFailed")))


def test_every_request_of_every_task_is_valid_in_its_api(nightly: Interpreter) -> None:
    resources = tasks()
    tried = set()
    for report in executions(nightly):
        for task, request in report.calls:
            service, operation = OPERATIONS[resources[task].removeprefix("arn:aws:states:::")]
            shape = service_model(service).operation_model(operation).input_shape
            assert violations_of(as_sent(service, request), shape) == [], task
            tried.add(task)
    assert tried == set(resources)


def as_sent(service: str, request: dict[str, Any]) -> dict[str, Any]:
    """A request as Step Functions sends it: it writes messages as JSON, and EMR's members in lower case."""
    if service == "sns":
        return {**request, "Message": json.dumps(request["Message"])}
    if service == "emr-serverless":
        lowered: dict[str, Any] = uncapitalised({"ClientToken": "made-by-step-functions", **request})
        return lowered
    return request


def uncapitalised(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: uncapitalised(item) for name, item in value.items()}
    return value


def test_the_longest_prefix_and_a_scheduled_executions_name_make_a_name_that_sagemaker_takes(
    nightly: Interpreter,
) -> None:
    scheduled = "01234567-89ab-cdef-0123-456789abcdef"
    named = nightly.execute(ON_SAGEMAKER, answers(), execution=scheduled).request_of("Train")["TrainingJobName"]
    longest = "a" * 20
    assert len(named.replace("shop", longest, 1)) == 57  # of 63


@pytest.mark.parametrize("spot", ["true", "false"])
@pytest.mark.parametrize("network", [{}, NETWORK])
def test_the_requests_to_sagemaker_are_those_of_the_commands(
    nightly: Interpreter, network: dict[str, str], spot: str
) -> None:
    run = nightly.execute(ON_SAGEMAKER, answers(), Spot=spot, **network)
    assert run.tried() == with_sagemaker("Glue", network=bool(network))
    placement = sagemaker_requests.Placement(
        role=SUBSTITUTIONS["SageMakerRoleArn"],
        image=SUBSTITUTIONS["KMeansImage"],
        kms_key=SUBSTITUTIONS["KeyArn"],
        subnets=("subnet-0a", "subnet-0b") if network else (),
        security_groups=("sg-0c",) if network else (),
        tags={"project": "olist-rfm-segments", "prefix": "shop", "cost-centre": "4711"},
    )
    features, name = f"s3://shop-data/output/runs/{RUN}/kmeans", "shop-nightly-1"
    where = "InNetwork" if network else ""
    assert run.request_of(f"Train{where}") == sagemaker_requests.training_request(
        name=name,
        features=f"{features}/train",
        output="s3://shop-data/models",
        placement=placement,
        training=sagemaker_requests.Training(k=5, max_wait=7200 if spot == "true" else None),
    )
    assert run.request_of(f"RegisterModel{where}") == sagemaker_requests.model_request(
        name=name, model_data=ARTIFACT, placement=placement
    )
    assert run.request_of("Transform") == sagemaker_requests.transform_request(
        name=name,
        model=name,
        features=f"{features}/score",
        output="s3://shop-data/assignments/nightly-1",
        placement=placement,
    )


def test_on_demand_machines_have_no_limit_of_a_wait(nightly: Interpreter) -> None:
    trained = nightly.execute(ON_SAGEMAKER, answers(), Spot="false").request_of("Train")
    assert trained["EnableManagedSpotTraining"] is False
    assert trained["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
