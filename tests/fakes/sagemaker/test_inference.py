"""Batch transform and endpoints of SageMaker's stand-in, through boto3 and through the SDK."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.fakes.sagemaker.client_requests import ABOUT, Hands, small_groups
from tests.fakes.sagemaker.service import SageMaker

pytestmark = pytest.mark.usefixtures("sagemaker")


@pytest.fixture
def hands(s3: Any, bucket: str) -> Hands:
    return small_groups(Hands(s3, bucket))


def test_a_transform_job_gives_each_line_back_with_its_cluster_and_distance(hands: Hands) -> None:
    hands.model()
    assert hands.transform()["TransformJobStatus"] == "Completed"
    lines = (hands.text("out/part-0.csv.out") + hands.text("out/part-1.csv.out")).splitlines()
    rows = {line.split(",")[0]: line.split(",")[1:] for line in lines}
    assert list(rows) == ["ann", "bob", "cleo"]
    assert (rows["ann"][:3], rows["bob"][:3]) == (["0.0", "0.0", "0.0"], ["5.0", "5.0", "5.0"])
    assert [float(row[4]) for row in rows.values()] == pytest.approx([0.25, 0.25, 0.0], abs=ABOUT)
    assert {rows["ann"][3], rows["bob"][3]} == {"0.0", "1.0"}
    assert rows["bob"][3] == rows["cleo"][3]


def test_the_output_filter_chooses_columns_of_the_joined_line(hands: Hands) -> None:
    hands.model()
    hands.transform(DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"})
    name, distance = hands.text("out/part-1.csv.out").rstrip("\n").split(",")
    assert (name, float(distance)) == ("cleo", pytest.approx(0.0, abs=ABOUT))


def test_a_transform_job_fails_is_stopped_or_leaves_something_out(sagemaker: SageMaker, hands: Hands) -> None:
    hands.model()
    sagemaker.fail_transform("ClientError: no")
    found = hands.transform("a")
    assert (found["TransformJobStatus"], found["FailureReason"]) == ("Failed", "ClientError: no")
    sagemaker.stop_transform()
    assert hands.transform("b")["TransformJobStatus"] == "Stopped"
    sagemaker.lose_a_line()
    assert hands.transform("c")["TransformJobStatus"] == "Completed"
    assert len(hands.text("out/part-0.csv.out").splitlines()) == 1
    hands.s3.delete_object(Bucket=hands.bucket, Key="out/part-1.csv.out")
    sagemaker.lose_a_file()
    assert hands.transform("d")["TransformJobStatus"] == "Completed"
    listed = hands.s3.list_objects_v2(Bucket=hands.bucket, Prefix="out/")["Contents"]
    assert [found["Key"] for found in listed] == ["out/part-0.csv.out"]
    found = hands.transform("e", DataProcessing={"JoinSource": "Input"})  # the id is a column too many
    assert found["FailureReason"] == "ClientError: See job logs for more information"


def test_an_endpoint_serves_a_model_and_is_deleted(hands: Hands) -> None:
    variant = {"VariantName": "AllTraffic", "ModelName": hands.model(), "InitialInstanceCount": 1}
    hands.client.create_endpoint_config(
        EndpointConfigName="config", ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}]
    )
    hands.client.create_endpoint(EndpointName="live", EndpointConfigName="config")
    states = [hands.client.describe_endpoint(EndpointName="live")["EndpointStatus"] for _ in range(2)]
    assert states == ["Creating", "InService"]
    runtime = boto3.client("sagemaker-runtime")

    def ask(body: str, kind: str, accept: str) -> str:
        answer = runtime.invoke_endpoint(EndpointName="live", Body=body, ContentType=kind, Accept=accept)
        assert answer["ContentType"] == accept
        return str(answer["Body"].read().decode())

    found = json.loads(ask("0,0,0.25\n5,5,5\n", "text/csv", "application/json"))["predictions"]
    assert [row["distance_to_cluster"] for row in found] == pytest.approx([0.0, 0.25], abs=ABOUT)
    assert {row["closest_cluster"] for row in found} == {0.0, 1.0}
    body = json.dumps({"instances": [{"features": [0, 0, 0.25]}]})
    expected = f"{found[0]['closest_cluster']},{found[0]['distance_to_cluster']}\n"
    assert ask(body, "application/json", "text/csv") == expected
    with pytest.raises(ClientError, match="ModelError"):
        ask("1,2\n", "text/csv", "text/csv")
    hands.client.delete_endpoint(EndpointName="live")
    hands.client.delete_endpoint_config(EndpointConfigName="config")
    hands.client.delete_model(ModelName="clusters")
    with pytest.raises(ClientError, match="Endpoint live of account"):
        ask("0,0,0\n", "text/csv", "text/csv")
    with pytest.raises(ClientError, match="Could not find model"):
        hands.client.describe_model(ModelName="clusters")
