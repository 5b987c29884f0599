"""Batch transform and endpoints of SageMaker, through boto3."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.fakes.sagemaker.client_requests import TOLERANCE, ClientRequests
from tests.fakes.sagemaker.service import SageMaker


def test_a_transform_job_returns_each_line_with_its_cluster_and_distance(client_requests: ClientRequests) -> None:
    client_requests.model()
    assert client_requests.transform()["TransformJobStatus"] == "Completed"
    lines = (client_requests.text("out/part-0.csv.out") + client_requests.text("out/part-1.csv.out")).splitlines()
    rows = {line.split(",")[0]: line.split(",")[1:] for line in lines}
    assert list(rows) == ["ann", "bob", "cleo"]
    assert (rows["ann"][:3], rows["bob"][:3]) == (["0.0", "0.0", "0.0"], ["5.0", "5.0", "5.0"])
    assert [float(row[4]) for row in rows.values()] == pytest.approx([0.25, 0.25, 0.0], abs=TOLERANCE)
    assert {rows["ann"][3], rows["bob"][3]} == {"0.0", "1.0"}
    assert rows["bob"][3] == rows["cleo"][3]


def test_the_output_filter_selects_columns_of_the_joined_line(client_requests: ClientRequests) -> None:
    client_requests.model()
    client_requests.transform(DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"})
    name, distance = client_requests.text("out/part-1.csv.out").rstrip("\n").split(",")
    assert (name, float(distance)) == ("cleo", pytest.approx(0.0, abs=TOLERANCE))


def test_a_transform_job_fails_is_stopped_or_omits_output(
    sagemaker: SageMaker, client_requests: ClientRequests
) -> None:
    client_requests.model()
    sagemaker.fail_transform("ClientError: no")
    job = client_requests.transform("a")
    assert (job["TransformJobStatus"], job["FailureReason"]) == ("Failed", "ClientError: no")
    sagemaker.stop_transform()
    assert client_requests.transform("b")["TransformJobStatus"] == "Stopped"
    sagemaker.omit_line()
    assert client_requests.transform("c")["TransformJobStatus"] == "Completed"
    assert len(client_requests.text("out/part-0.csv.out").splitlines()) == 1
    client_requests.s3.delete_object(Bucket=client_requests.bucket, Key="out/part-1.csv.out")
    sagemaker.omit_file()
    assert client_requests.transform("d")["TransformJobStatus"] == "Completed"
    objects = client_requests.s3.list_objects_v2(Bucket=client_requests.bucket, Prefix="out/")["Contents"]
    assert [item["Key"] for item in objects] == ["out/part-0.csv.out"]
    job = client_requests.transform("e", DataProcessing={"JoinSource": "Input"})  # the id is an extra column
    assert job["FailureReason"] == "ClientError: See job logs for more information"


def test_an_endpoint_serves_a_model_and_is_deleted(client_requests: ClientRequests) -> None:
    variant = {"VariantName": "AllTraffic", "ModelName": client_requests.model(), "InitialInstanceCount": 1}
    client_requests.client.create_endpoint_config(
        EndpointConfigName="config", ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}]
    )
    client_requests.client.create_endpoint(EndpointName="live", EndpointConfigName="config")
    states = [client_requests.client.describe_endpoint(EndpointName="live")["EndpointStatus"] for _ in range(2)]
    assert states == ["Creating", "InService"]
    runtime = boto3.client("sagemaker-runtime")

    def invoke(body: str, content_type: str, accept: str) -> str:
        response = runtime.invoke_endpoint(EndpointName="live", Body=body, ContentType=content_type, Accept=accept)
        assert response["ContentType"] == accept
        return str(response["Body"].read().decode())

    predictions = json.loads(invoke("0,0,0.25\n5,5,5\n", "text/csv", "application/json"))["predictions"]
    assert [row["distance_to_cluster"] for row in predictions] == pytest.approx([0.0, 0.25], abs=TOLERANCE)
    assert {row["closest_cluster"] for row in predictions} == {0.0, 1.0}
    body = json.dumps({"instances": [{"features": [0, 0, 0.25]}]})
    expected = f"{predictions[0]['closest_cluster']},{predictions[0]['distance_to_cluster']}\n"
    assert invoke(body, "application/json", "text/csv") == expected
    with pytest.raises(ClientError, match="ModelError"):
        invoke("1,2\n", "text/csv", "text/csv")
    client_requests.client.delete_endpoint(EndpointName="live")
    client_requests.client.delete_endpoint_config(EndpointConfigName="config")
    client_requests.client.delete_model(ModelName="clusters")
    with pytest.raises(ClientError, match="Endpoint live of account"):
        invoke("0,0,0\n", "text/csv", "text/csv")
    with pytest.raises(ClientError, match="Could not find model"):
        client_requests.client.describe_model(ModelName="clusters")
