"""Requests to SageMaker, made as a user of boto3 makes them: of training, of a model, of batch transform."""

from collections.abc import Callable
from typing import Any

import boto3

from tests.fakes.fixtures import SAGEMAKER_ROLE

IMAGE = "438346466558.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1"
ABOUT = 0.05  # mini-batches come near the centres, as the service's do, and not onto them
MACHINES = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
NEAR = "0.0,0.0,0.0\n0.0,0.0,0.5\n"  # their centre is (0, 0, 0.25)
FAR = "5.0,5.0,5.0\n5.0,5.0,4.5\n"


class Hands:
    """Requests, made as a user of boto3 makes them."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self.s3, self.bucket = s3, bucket
        self.client = boto3.client("sagemaker")

    def put(self, key: str, text: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def text(self, key: str) -> str:
        return str(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode())

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def training_request(self, name: str = "run-1", **members: Any) -> dict[str, Any]:
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": self.uri("kmeans/train/"),
            "S3DataDistributionType": "ShardedByS3Key",
        }
        channel = {
            "ChannelName": "train",
            "ContentType": "text/csv;label_size=0",
            "DataSource": {"S3DataSource": source},
        }
        return {
            "TrainingJobName": name,
            "RoleArn": SAGEMAKER_ROLE,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": {
                "k": "2",
                "feature_dim": "3",
                "init_method": "kmeans++",
                "eval_metrics": '["msd", "ssd"]',
            },
            "InputDataConfig": [channel],
            "OutputDataConfig": {"S3OutputPath": self.uri("models")},
            "ResourceConfig": MACHINES | {"VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            **members,
        }

    def train(self, **members: Any) -> dict[str, Any]:
        """Create a training job and describe it until it ends."""
        request = self.training_request(**members)
        self.client.create_training_job(**request)
        return self.to_the_end(self.client.describe_training_job, TrainingJobName=request["TrainingJobName"])

    def to_the_end(self, describe: Callable[..., dict[str, Any]], **name: str) -> dict[str, Any]:
        for _ in range(10):
            found = describe(**name)
            status = found.get("TrainingJobStatus") or found.get("TransformJobStatus")
            if status in ("Completed", "Failed", "Stopped"):
                return found
        raise AssertionError("it does not end")

    def model(self) -> str:
        """Train, and make a model of it."""
        artifacts = self.train()["ModelArtifacts"]["S3ModelArtifacts"]
        container = {"Image": IMAGE, "ModelDataUrl": artifacts}
        self.client.create_model(ModelName="clusters", PrimaryContainer=container, ExecutionRoleArn=SAGEMAKER_ROLE)
        return "clusters"

    def transform(self, name: str = "score-1", **members: Any) -> dict[str, Any]:
        """Create a transform job and describe it until it ends."""
        source = {"S3DataType": "S3Prefix", "S3Uri": self.uri("kmeans/score/")}
        request = {
            "TransformJobName": name,
            "ModelName": "clusters",
            "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
            "TransformOutput": {"S3OutputPath": self.uri("out"), "Accept": "text/csv", "AssembleWith": "Line"},
            "TransformResources": MACHINES,
            "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$"},
            **members,
        }
        self.client.create_transform_job(**request)
        return self.to_the_end(self.client.describe_transform_job, TransformJobName=name)


def small_groups(hands: Hands) -> Hands:
    """Put two groups of two points each into the training channel, and three customers into the scoring one."""
    hands.put("kmeans/train/part-0.csv", NEAR)
    hands.put("kmeans/train/part-1.csv", FAR)
    hands.put("kmeans/train/_SUCCESS", "")
    hands.put("kmeans/score/part-0.csv", "ann,0.0,0.0,0.0\nbob,5.0,5.0,5.0\n")
    hands.put("kmeans/score/part-1.csv", "cleo,5.0,5.0,4.75\n")
    return hands
