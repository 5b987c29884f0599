"""Training jobs of SageMaker's stand-in, through boto3."""

import io
import tarfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.fakes.sagemaker.client_requests import ABOUT, NEAR, Hands, small_groups
from tests.fakes.sagemaker.ndarray_file import array_in, ndarray_file
from tests.fakes.sagemaker.service import NO_CAPACITY, SageMaker

pytestmark = pytest.mark.usefixtures("sagemaker")


@pytest.fixture
def hands(s3: Any, bucket: str) -> Hands:
    return small_groups(Hands(s3, bucket))


def test_a_training_job_clusters_what_is_in_its_channel(hands: Hands) -> None:
    found = hands.train()
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Completed", "Completed")
    phases = [transition["Status"] for transition in found["SecondaryStatusTransitions"]]
    assert phases == ["Starting", "Downloading", "Training", "Completed"]
    assert found["ModelArtifacts"]["S3ModelArtifacts"] == hands.uri("models/run-1/output/model.tar.gz")
    # Each point is 0.25 from its centre.
    metrics = {metric["MetricName"]: metric["Value"] for metric in found["FinalMetricDataList"]}
    assert metrics == {"train:msd": pytest.approx(0.0625, rel=0.05), "train:ssd": pytest.approx(0.25, rel=0.05)}
    archive = hands.s3.get_object(Bucket=hands.bucket, Key="models/run-1/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert tar.getnames() == ["model_algo-1"]
        member = tar.extractfile("model_algo-1")
        assert member is not None
        found_centroids = np.sort(array_in(member.read()), axis=0)
    np.testing.assert_allclose(found_centroids, [[0.0, 0.0, 0.25], [5.0, 5.0, 4.75]], atol=ABOUT)


def test_a_file_of_arrays_is_laid_out_as_mxnet_does() -> None:
    centroids = np.array([[1.0, 2.0]], dtype=np.float32)
    content = ndarray_file(centroids)
    assert content[:44].hex() == (
        "120100000000000000000000000000000100000000000000c9fa93f900000000020000000100000000000000"
    )
    assert content[44:].hex() == "02000000000000000100000000000000000000000000803f00000040" + "00" * 8
    assert array_in(ndarray_file(centroids, old_layout=True)).tolist() == [[1.0, 2.0]]


def no_header(hands: Hands) -> dict[str, Any]:
    hands.put("kmeans/train/part-0.csv", "recency,frequency,monetary\n" + NEAR)
    return {}


def one_column_more(hands: Hands) -> dict[str, Any]:
    hands.put("kmeans/train/part-1.csv", "1,2,3,4\n")
    return {}


def nothing_there(hands: Hands) -> dict[str, Any]:
    for key in ("part-0.csv", "part-1.csv", "_SUCCESS"):
        hands.s3.delete_object(Bucket=hands.bucket, Key=f"kmeans/train/{key}")
    return {}


def with_labels(hands: Hands) -> dict[str, Any]:
    channels = hands.training_request()["InputDataConfig"]
    channels[0]["ContentType"] = "text/csv"
    return {"InputDataConfig": channels}


def hyperparameters(**changed: str | None) -> Callable[[Hands], dict[str, Any]]:
    def members(_: Hands) -> dict[str, Any]:
        given = {"k": "2", "feature_dim": "3"} | changed
        return {"HyperParameters": {name: value for name, value in given.items() if value is not None}}

    return members


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_header, "Please verify the data matches the requested content-type"),
        (one_column_more, "Number of columns in channel 'train' (4) does not match feature_dim (3)"),
        (nothing_there, "No S3 objects found under S3 URL"),
        (with_labels, "Requested content-type is 'text/csv'"),
        (hyperparameters(feature_dim="4"), "does not match feature_dim (4)"),
        (hyperparameters(k=None), "'k' is a required property"),
        (hyperparameters(k="two"), "'two' is not valid for 'k'"),
        (hyperparameters(seed="7"), "'seed' was unexpected"),
        (hyperparameters(eval_metrics="msd"), "not valid for 'eval_metrics'"),
        (hyperparameters(k="5"), "k (5) must not be greater than the number of examples (4)"),
    ],
)
def test_a_training_job_fails_as_the_algorithm_does(hands: Hands, spoil: Any, words: str) -> None:
    found = hands.train(**spoil(hands))
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("ClientError: ")
    assert words in found["FailureReason"]
    assert "ModelArtifacts" not in found


@pytest.mark.parametrize(
    ("members", "words"),
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
def test_what_is_no_request_is_refused_at_once(hands: Hands, members: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match="ValidationException") as refused:
        hands.client.create_training_job(**hands.training_request() | members)
    assert words in str(refused.value)


def test_a_name_is_used_once(hands: Hands) -> None:
    hands.train()
    with pytest.raises(ClientError, match="ResourceInUse"):
        hands.train()
    assert hands.train(name="run-2")["TrainingJobStatus"] == "Completed"


def test_training_fails_is_stopped_runs_too_long_or_gets_no_machines(sagemaker: SageMaker, hands: Hands) -> None:
    def end(name: str) -> tuple[str, str, str]:
        found = hands.train(name=name)
        return found["TrainingJobStatus"], found["SecondaryStatus"], found.get("FailureReason", "")

    sagemaker.fail_training("AlgorithmError: no")
    assert end("a") == ("Failed", "Failed", "AlgorithmError: no")
    sagemaker.stop_training()
    assert end("b") == ("Stopped", "Stopped", "")
    sagemaker.exceed_max_runtime()
    assert end("c") == ("Stopped", "MaxRuntimeExceeded", "")
    sagemaker.have_no_capacity()
    assert end("d") == ("Failed", "Failed", NO_CAPACITY)
    sagemaker.exceed_limit()
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        hands.train(name="e")
    sagemaker.service.faults.throttle("DescribeTrainingJob", times=2)
    assert end("f") == ("Completed", "Completed", "")


def test_a_job_that_takes_long_can_be_stopped(sagemaker: SageMaker, hands: Hands) -> None:
    sagemaker.training.gate.close()
    hands.client.create_training_job(**hands.training_request())
    states = [hands.client.describe_training_job(TrainingJobName="run-1")["TrainingJobStatus"] for _ in range(5)]
    assert states == ["InProgress"] * 5
    hands.client.stop_training_job(TrainingJobName="run-1")
    assert (
        hands.to_the_end(hands.client.describe_training_job, TrainingJobName="run-1")["TrainingJobStatus"] == "Stopped"
    )
    with pytest.raises(ClientError, match="in status Stopped"):
        hands.client.stop_training_job(TrainingJobName="run-1")
