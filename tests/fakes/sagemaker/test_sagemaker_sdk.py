"""SageMaker through its own SDK, whose models parse every response."""

import json

import pytest
from sagemaker.core import image_uris
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob, TransformJob
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    Channel,
    ContainerDefinition,
    DataProcessing,
    DataSource,
    OutputDataConfig,
    ProductionVariant,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
    TransformDataSource,
    TransformInput,
    TransformOutput,
    TransformResources,
    TransformS3DataSource,
)
from sagemaker.core.utils.exceptions import FailedStatusError

from tests.fakes.environment import REGION, SAGEMAKER_ROLE
from tests.fakes.sagemaker.account import KMEANS_REGISTRIES
from tests.fakes.sagemaker.client_requests import ClientRequests
from tests.fakes.sagemaker.service import SageMaker

NO_DELAY = 0
IMAGE = image_uris.retrieve("kmeans", REGION)


def training_job(client_requests: ClientRequests, name: str) -> TrainingJob:
    source = S3DataSource(
        s3_data_type="S3Prefix", s3_uri=client_requests.uri("kmeans/train/"), s3_data_distribution_type="ShardedByS3Key"
    )
    return TrainingJob.create(
        training_job_name=name,
        role_arn=SAGEMAKER_ROLE,
        algorithm_specification=AlgorithmSpecification(training_image=IMAGE, training_input_mode="File"),
        hyper_parameters={"k": "2", "feature_dim": "3"},
        input_data_config=[
            Channel(
                channel_name="train",
                content_type="text/csv;label_size=0",
                data_source=DataSource(s3_data_source=source),
            )
        ],
        output_data_config=OutputDataConfig(s3_output_path=client_requests.uri("models")),
        resource_config=ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),
    )


def test_the_sdk_trains_transforms_and_serves(client_requests: ClientRequests) -> None:
    job = training_job(client_requests, "run-1")
    assert job.training_job_status == "InProgress"
    job.wait(poll=NO_DELAY)
    assert job.final_metric_data_list[0].metric_name == "train:msd"
    data = job.model_artifacts.s3_model_artifacts
    container = ContainerDefinition(image=IMAGE, model_data_url=data)
    model = Model.create(model_name="clusters", primary_container=container, execution_role_arn=SAGEMAKER_ROLE)

    transform = TransformJob.create(
        transform_job_name="score-1",
        model_name=model.model_name,
        transform_input=TransformInput(
            data_source=TransformDataSource(
                s3_data_source=TransformS3DataSource(
                    s3_data_type="S3Prefix", s3_uri=client_requests.uri("kmeans/score/")
                )
            ),
            content_type="text/csv",
            split_type="Line",
        ),
        transform_output=TransformOutput(
            s3_output_path=client_requests.uri("out"), accept="text/csv", assemble_with="Line"
        ),
        transform_resources=TransformResources(instance_type="ml.m5.large", instance_count=1),
        data_processing=DataProcessing(input_filter="$[1:]", join_source="Input", output_filter="$"),
    )
    transform.wait(poll=NO_DELAY)
    assert transform.transform_job_status == "Completed"
    assert [line.split(",")[0] for line in client_requests.text("out/part-0.csv.out").splitlines()] == ["ann", "bob"]

    variant = ProductionVariant(
        variant_name="AllTraffic", model_name="clusters", initial_instance_count=1, instance_type="ml.m5.large"
    )
    EndpointConfig.create(endpoint_config_name="config", production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name="live", endpoint_config_name="config")
    endpoint.wait_for_status("InService", poll=NO_DELAY)
    response = endpoint.invoke(body="0,0,0\n", content_type="text/csv", accept="application/json")
    assert len(json.loads(response.body.read())["predictions"]) == 1
    endpoint.delete()
    endpoint.wait_for_delete(poll=NO_DELAY)


def test_a_failed_job_is_an_error_of_the_sdk_with_the_reason(
    sagemaker: SageMaker, client_requests: ClientRequests
) -> None:
    sagemaker.fail_training("AlgorithmError: no")
    job = training_job(client_requests, "run-1")
    with pytest.raises(FailedStatusError, match="AlgorithmError: no"):
        job.wait(poll=NO_DELAY)


def test_the_registries_are_those_of_the_sdk() -> None:
    for region, account in KMEANS_REGISTRIES.items():
        assert image_uris.retrieve("kmeans", region) == f"{account}.dkr.ecr.{region}.amazonaws.com/kmeans:1"
