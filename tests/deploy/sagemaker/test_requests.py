"""Requests to SageMaker, as botocore's model of the service has them."""

from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from deploy.sagemaker.requests import (
    FEATURES,
    Placement,
    Training,
    endpoint_config_request,
    endpoint_request,
    model_request,
    training_request,
    transform_request,
)
from transforms.rfm.dimensions import DIMENSIONS

PLAIN = Placement(role="arn:aws:iam::123456789012:role/segments", image="1.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1")
CAREFUL = Placement(
    role=PLAIN.role,
    image=PLAIN.image,
    instance_count=2,
    kms_key="alias/segments",
    subnets=("subnet-1",),
    security_groups=("sg-1", "sg-2"),
    tags={"stack": "segments", "cost": "marketing"},
)
SPOT, ON_DEMAND = Training(k=5), Training(k=5, max_wait=None)


def trained(placement: Placement = PLAIN, training: Training = SPOT) -> dict[str, Any]:
    return training_request(
        name="run-1", features="s3://b/kmeans/train", output="s3://b/models/", placement=placement, training=training
    )


def transformed(placement: Placement = PLAIN) -> dict[str, Any]:
    return transform_request(
        name="score-1", model="run-1", features="s3://b/kmeans/score/", output="s3://b/out", placement=placement
    )


@pytest.mark.parametrize("placement", [PLAIN, CAREFUL], ids=["plain", "careful"])
def test_every_request_is_one_of_the_api(placement: Placement) -> None:
    service = botocore.session.Session().get_service_model("sagemaker")
    for operation, request in {
        "CreateTrainingJob": trained(placement),
        "CreateModel": model_request(name="run-1", model_data="s3://b/model.tar.gz", placement=placement),
        "CreateTransformJob": transformed(placement),
        "CreateEndpointConfig": endpoint_config_request(name="run-1", model="run-1", placement=placement),
        "CreateEndpoint": endpoint_request(name="run-1", placement=placement),
    }.items():
        validate_parameters(request, service.operation_model(operation).input_shape)


def test_the_channel_is_csv_without_a_label_in_shards_and_no_neighbour_of_its_folder() -> None:
    [channel] = trained()["InputDataConfig"]
    assert channel["ContentType"] == "text/csv;label_size=0"
    assert channel["DataSource"]["S3DataSource"] == {
        "S3DataType": "S3Prefix",
        "S3Uri": "s3://b/kmeans/train/",
        "S3DataDistributionType": "ShardedByS3Key",
    }


def test_hyperparameters_are_text_and_count_the_features_there_are() -> None:
    assert len(DIMENSIONS) == FEATURES
    assert trained()["HyperParameters"] == {
        "k": "5",
        "feature_dim": "3",
        "mini_batch_size": "5000",
        "init_method": "kmeans++",
        "epochs": "10",
        "extra_center_factor": "auto",
        "eval_metrics": '["msd", "ssd"]',
    }


def test_spot_machines_are_waited_for_without_checkpoints_and_others_are_not() -> None:
    spot, on_demand = trained(), trained(training=ON_DEMAND)
    assert spot["EnableManagedSpotTraining"]
    assert spot["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    assert "CheckpointConfig" not in spot
    assert not on_demand["EnableManagedSpotTraining"]
    assert on_demand["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}


def test_the_model_does_not_see_the_customer_and_each_line_comes_back_whole() -> None:
    assert transformed()["DataProcessing"] == {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$"}
    assert transformed()["TransformInput"]["SplitType"] == "Line"
    assert transformed()["TransformOutput"]["AssembleWith"] == "Line"


def test_keys_network_and_tags_are_on_what_takes_them() -> None:
    request, score = trained(CAREFUL), transformed(CAREFUL)
    assert request["OutputDataConfig"]["KmsKeyId"] == request["ResourceConfig"]["VolumeKmsKeyId"] == "alias/segments"
    assert score["TransformOutput"]["KmsKeyId"] == score["TransformResources"]["VolumeKmsKeyId"] == "alias/segments"
    assert request["Tags"] == [{"Key": "cost", "Value": "marketing"}, {"Key": "stack", "Value": "segments"}]
    assert not {"VpcConfig", "EnableNetworkIsolation", "Tags"} & set(trained())


def test_in_a_network_of_ones_own_the_algorithm_is_isolated_in_training_and_with_the_model() -> None:
    model = model_request(name="run-1", model_data="s3://b/model.tar.gz", placement=CAREFUL)
    for request in (trained(CAREFUL), model):
        assert request["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1", "sg-2"]}
        assert request["EnableNetworkIsolation"] is True
