"""Requests that a boto3 user sends to SageMaker: training, a model, batch transform."""

from collections.abc import Callable
from typing import Any

import boto3

from tests.fakes.environment import SAGEMAKER_ROLE
from tests.fakes.sagemaker.jobs import ENDED

IMAGE = "438346466558.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1"
TOLERANCE = 0.05  # mini-batches approximate the centres, as the service's do
INSTANCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
NEAR = "0.0,0.0,0.0\n0.0,0.0,0.5\n"  # the centre is (0, 0, 0.25)
FAR = "5.0,5.0,5.0\n5.0,5.0,4.5\n"


class ClientRequests:
    """The requests, with their data in a bucket."""

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
            "ResourceConfig": INSTANCES | {"VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            **members,
        }

    def train(self, **members: Any) -> dict[str, Any]:
        """Create a training job, and describe it until it ends."""
        request = self.training_request(**members)
        self.client.create_training_job(**request)
        return self.describe_until_end(self.client.describe_training_job, TrainingJobName=request["TrainingJobName"])

    def describe_until_end(self, describe: Callable[..., dict[str, Any]], **name: str) -> dict[str, Any]:
        for _ in range(10):
            job = describe(**name)
            if (job.get("TrainingJobStatus") or job.get("TransformJobStatus")) in ENDED:
                return job
        raise AssertionError(f"{name} has not ended after 10 descriptions")

    def model(self) -> str:
        """Train, create a model from the artifacts, and return its name."""
        artifacts = self.train()["ModelArtifacts"]["S3ModelArtifacts"]
        container = {"Image": IMAGE, "ModelDataUrl": artifacts}
        self.client.create_model(ModelName="clusters", PrimaryContainer=container, ExecutionRoleArn=SAGEMAKER_ROLE)
        return "clusters"

    def transform(self, name: str = "score-1", **members: Any) -> dict[str, Any]:
        """Create a transform job, and describe it until it ends."""
        source = {"S3DataType": "S3Prefix", "S3Uri": self.uri("kmeans/score/")}
        request = {
            "TransformJobName": name,
            "ModelName": "clusters",
            "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
            "TransformOutput": {"S3OutputPath": self.uri("out"), "Accept": "text/csv", "AssembleWith": "Line"},
            "TransformResources": INSTANCES,
            "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$"},
            **members,
        }
        self.client.create_transform_job(**request)
        return self.describe_until_end(self.client.describe_transform_job, TransformJobName=name)

    def put_small_groups(self) -> None:
        """Put two groups of two points into the training channel, and three customers into the scoring channel."""
        self.put("kmeans/train/part-0.csv", NEAR)
        self.put("kmeans/train/part-1.csv", FAR)
        self.put("kmeans/train/_SUCCESS", "")
        self.put("kmeans/score/part-0.csv", "ann,0.0,0.0,0.0\nbob,5.0,5.0,5.0\n")
        self.put("kmeans/score/part-1.csv", "cleo,5.0,5.0,4.75\n")
