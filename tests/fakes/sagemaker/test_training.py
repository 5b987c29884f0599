"""Training jobs of SageMaker, through boto3."""

import io
import tarfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.fakes.sagemaker.algorithm import array_file, array_in
from tests.fakes.sagemaker.client_requests import NEAR, TOLERANCE, ClientRequests
from tests.fakes.sagemaker.service import NO_CAPACITY, SageMaker


def test_a_training_job_clusters_the_rows_of_its_channel(client_requests: ClientRequests) -> None:
    job = client_requests.train()
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    phases = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert phases == ["Starting", "Downloading", "Training", "Completed"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == client_requests.uri("models/run-1/output/model.tar.gz")
    # Each point is 0.25 from its centre.
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics == {"train:msd": pytest.approx(0.0625, rel=0.05), "train:ssd": pytest.approx(0.25, rel=0.05)}
    archive = client_requests.s3.get_object(Bucket=client_requests.bucket, Key="models/run-1/output/model.tar.gz")[
        "Body"
    ].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert tar.getnames() == ["model_algo-1"]
        member = tar.extractfile("model_algo-1")
        assert member is not None
        centroids = np.sort(array_in(member.read()), axis=0)
    np.testing.assert_allclose(centroids, [[0.0, 0.0, 0.25], [5.0, 5.0, 4.75]], atol=TOLERANCE)


def test_a_model_file_has_mxnets_layout() -> None:
    centroids = np.array([[1.0, 2.0]], dtype=np.float32)
    content = array_file(centroids)
    assert content[:44].hex() == (
        "120100000000000000000000000000000100000000000000c9fa93f900000000020000000100000000000000"
    )
    assert content[44:].hex() == "02000000000000000100000000000000000000000000803f00000040" + "00" * 8
    assert array_in(array_file(centroids, is_before_1_5=True)).tolist() == [[1.0, 2.0]]


def with_header(client_requests: ClientRequests) -> dict[str, Any]:
    client_requests.put("kmeans/train/part-0.csv", "recency,frequency,monetary\n" + NEAR)
    return {}


def with_extra_column(client_requests: ClientRequests) -> dict[str, Any]:
    client_requests.put("kmeans/train/part-1.csv", "1,2,3,4\n")
    return {}


def with_empty_channel(client_requests: ClientRequests) -> dict[str, Any]:
    for key in ("part-0.csv", "part-1.csv", "_SUCCESS"):
        client_requests.s3.delete_object(Bucket=client_requests.bucket, Key=f"kmeans/train/{key}")
    return {}


def without_label_size(client_requests: ClientRequests) -> dict[str, Any]:
    channels = client_requests.training_request()["InputDataConfig"]
    channels[0]["ContentType"] = "text/csv"
    return {"InputDataConfig": channels}


def hyperparameters(**changes: str | None) -> Callable[[ClientRequests], dict[str, Any]]:
    def members(_: ClientRequests) -> dict[str, Any]:
        values = {"k": "2", "feature_dim": "3"} | changes
        return {"HyperParameters": {name: value for name, value in values.items() if value is not None}}

    return members


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_header, "Please verify the data matches the requested content-type"),
        (with_extra_column, "Number of columns in channel 'train' (4) does not match feature_dim (3)"),
        (with_empty_channel, "No S3 objects found under S3 URL"),
        (without_label_size, "Requested content-type is 'text/csv'"),
        (hyperparameters(feature_dim="4"), "does not match feature_dim (4)"),
        (hyperparameters(k=None), "'k' is a required property"),
        (hyperparameters(k="two"), "'two' is not valid for 'k'"),
        (hyperparameters(seed="7"), "'seed' was unexpected"),
        (hyperparameters(eval_metrics="msd"), "not valid for 'eval_metrics'"),
        (hyperparameters(k="5"), "k (5) must not be greater than the number of examples (4)"),
    ],
)
def test_a_training_job_fails_as_the_algorithm_does(client_requests: ClientRequests, change: Any, message: str) -> None:
    job = client_requests.train(**change(client_requests))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert message in job["FailureReason"]
    assert "ModelArtifacts" not in job


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"RoleArn": "arn:aws:iam::123456789012:role/other"}, "Could not assume role"),
        (
            {"AlgorithmSpecification": {"TrainingImage": "x:1", "TrainingInputMode": "File"}},
            "Cannot find repository",
        ),
        ({"OutputDataConfig": {"S3OutputPath": "https://bucket/x"}}, "Invalid S3 URI"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds must be at least"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.tiny", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "one of [ml."),
        ({"TrainingJobName": "a_b"}, "regular expression pattern"),
    ],
)
def test_an_invalid_request_is_rejected_at_once(
    client_requests: ClientRequests, members: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match="ValidationException") as rejection:
        client_requests.client.create_training_job(**client_requests.training_request() | members)
    assert message in str(rejection.value)


def test_a_name_is_used_once(client_requests: ClientRequests) -> None:
    client_requests.train()
    with pytest.raises(ClientError, match="ResourceInUse"):
        client_requests.train()
    assert client_requests.train(name="run-2")["TrainingJobStatus"] == "Completed"


def test_a_job_fails_is_stopped_exceeds_its_runtime_or_gets_no_instances(
    sagemaker: SageMaker, client_requests: ClientRequests
) -> None:
    def end(name: str) -> tuple[str, str, str]:
        job = client_requests.train(name=name)
        return job["TrainingJobStatus"], job["SecondaryStatus"], job.get("FailureReason", "")

    sagemaker.fail_training("AlgorithmError: no")
    assert end("a") == ("Failed", "Failed", "AlgorithmError: no")
    sagemaker.stop_training()
    assert end("b") == ("Stopped", "Stopped", "")
    sagemaker.exceed_max_runtime()
    assert end("c") == ("Stopped", "MaxRuntimeExceeded", "")
    sagemaker.fail_for_capacity()
    assert end("d") == ("Failed", "Failed", NO_CAPACITY)
    sagemaker.exceed_limit()
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        client_requests.train(name="e")
    sagemaker.service.faults.throttle("DescribeTrainingJob", times=2)
    assert end("f") == ("Completed", "Completed", "")


def test_a_job_in_progress_can_be_stopped(sagemaker: SageMaker, client_requests: ClientRequests) -> None:
    sagemaker.training.is_paused = True
    client_requests.client.create_training_job(**client_requests.training_request())
    states = [
        client_requests.client.describe_training_job(TrainingJobName="run-1")["TrainingJobStatus"] for _ in range(5)
    ]
    assert states == ["InProgress"] * 5
    client_requests.client.stop_training_job(TrainingJobName="run-1")
    assert (
        client_requests.describe_until_end(client_requests.client.describe_training_job, TrainingJobName="run-1")[
            "TrainingJobStatus"
        ]
        == "Stopped"
    )
    with pytest.raises(ClientError, match="in status Stopped"):
        client_requests.client.stop_training_job(TrainingJobName="run-1")
