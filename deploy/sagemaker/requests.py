"""What SageMaker is asked for, in the API's own shape: pure functions.

The state machine has the same requests in its own language (`cloudformation/nightly.yaml`); a test holds them equal.

The built-in k-means, its channel and its hyperparameters are those of AWS's manual (k-means, k-means-api-config,
batch-transform-data-processing). It takes no seed: two trainings number their clusters differently, which is why
`jobs.segments` matches them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FEATURES = 3
"""Recency, frequency, monetary: the columns of ``kmeans/train``."""

CSV = "text/csv"
CSV_WITHOUT_LABEL = f"{CSV};label_size=0"
"""CSV means the first column is a label, unless it says so."""

TRAIN_CHANNEL = "train"
METRICS = ("msd", "ssd")
"""Mean, and sum, of squared distances."""

MAX_PAYLOAD_MB = 6
"""Of one request to the model: some 90,000 lines of ``kmeans/score``. The algorithm chooses how many at once."""


@dataclass(frozen=True)
class Placement:
    """Where a job runs, as whom, and under which keys.

    Attributes:
        role: ARN of the role that SageMaker assumes.
        image: the built-in k-means of the region.
        instance_type, instance_count: the machines.
        volume_gb: disk of each, for training.
        kms_key: key for the disks and for what is written; None for the account's defaults.
        subnets, security_groups: of the VPC; both empty for none.
        tags: on everything that is made.
    """

    role: str
    image: str
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    volume_gb: int = 20
    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def vpc(self) -> dict[str, Any]:
        """The request's part about the VPC; nothing without one."""
        if not self.subnets:
            return {}
        return {"VpcConfig": {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.security_groups)}}

    def tag_list(self) -> dict[str, Any]:
        """The request's part about tags; nothing without any."""
        if not self.tags:
            return {}
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(self.tags.items())]}


@dataclass(frozen=True)
class Training:
    """How k-means is trained.

    Attributes:
        k: how many clusters.
        epochs: passes over the data. SageMaker's default of 1 sees each customer once.
        mini_batch_size, init_method, extra_center_factor: see AWS's manual.
        max_runtime: seconds that the machines may be busy.
        max_wait: seconds to wait for spot machines and the work together; None for on-demand machines.
    """

    k: int
    epochs: int = 10
    mini_batch_size: int = 5000
    init_method: str = "kmeans++"
    extra_center_factor: str = "auto"
    max_runtime: int = 3600
    max_wait: int | None = 7200

    def hyperparameters(self) -> dict[str, str]:
        """As SageMaker takes them: text."""
        return {
            "k": str(self.k),
            "feature_dim": str(FEATURES),
            "mini_batch_size": str(self.mini_batch_size),
            "init_method": self.init_method,
            "epochs": str(self.epochs),
            "extra_center_factor": self.extra_center_factor,
            "eval_metrics": json.dumps(list(METRICS)),
        }


def training_request(
    *, name: str, features: str, output: str, placement: Placement, training: Training
) -> dict[str, Any]:
    """CreateTrainingJob: ``kmeans/train`` to ``output/NAME/output/model.tar.gz``.

    Several machines share the shards out. On spot machines there are no checkpoints: the algorithm writes none, and
    an interrupted job starts again, which for minutes of work costs less than keeping them.
    """
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": as_prefix(features),
        "S3DataDistributionType": "ShardedByS3Key",
    }
    stopping = {"MaxRuntimeInSeconds": training.max_runtime}
    if training.max_wait is not None:
        stopping["MaxWaitTimeInSeconds"] = training.max_wait
    return {
        "TrainingJobName": name,
        "RoleArn": placement.role,
        "AlgorithmSpecification": {"TrainingImage": placement.image, "TrainingInputMode": "File"},
        "HyperParameters": training.hyperparameters(),
        "InputDataConfig": [
            {
                "ChannelName": TRAIN_CHANNEL,
                "ContentType": CSV_WITHOUT_LABEL,
                "DataSource": {"S3DataSource": source},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": output.rstrip("/")} | _key(placement, "KmsKeyId"),
        "ResourceConfig": {
            "InstanceType": placement.instance_type,
            "InstanceCount": placement.instance_count,
            "VolumeSizeInGB": placement.volume_gb,
        }
        | _key(placement, "VolumeKmsKeyId"),
        "StoppingCondition": stopping,
        "EnableManagedSpotTraining": training.max_wait is not None,
        **placement.vpc(),
        **placement.tag_list(),
    }


def model_request(*, name: str, model_data: str, placement: Placement) -> dict[str, Any]:
    """CreateModel: the container with what a training job wrote."""
    return {
        "ModelName": name,
        "ExecutionRoleArn": placement.role,
        "PrimaryContainer": {"Image": placement.image, "ModelDataUrl": model_data},
        **placement.vpc(),
        **placement.tag_list(),
    }


def transform_request(*, name: str, model: str, features: str, output: str, placement: Placement) -> dict[str, Any]:
    """CreateTransformJob: each line of ``kmeans/score`` comes back with cluster and distance behind it.

    The model sees all but the customer's id (``$[1:]``); its answer is joined to the whole line.
    """
    return {
        "TransformJobName": name,
        "ModelName": model,
        "MaxPayloadInMB": MAX_PAYLOAD_MB,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": as_prefix(features)}},
            "ContentType": CSV,
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": output.rstrip("/"), "Accept": CSV, "AssembleWith": "Line"}
        | _key(placement, "KmsKeyId"),
        "TransformResources": {
            "InstanceType": placement.instance_type,
            "InstanceCount": placement.instance_count,
        }
        | _key(placement, "VolumeKmsKeyId"),
        "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$"},
        **placement.tag_list(),
    }


def endpoint_config_request(*, name: str, model: str, placement: Placement) -> dict[str, Any]:
    """CreateEndpointConfig: one variant of the model, on machines that are paid for until the endpoint is deleted."""
    variant = {
        "VariantName": "all",
        "ModelName": model,
        "InstanceType": placement.instance_type,
        "InitialInstanceCount": placement.instance_count,
    }
    return {
        "EndpointConfigName": name,
        "ProductionVariants": [variant],
        **_key(placement, "KmsKeyId"),
        **placement.tag_list(),
    }


def endpoint_request(*, name: str, placement: Placement) -> dict[str, Any]:
    """CreateEndpoint, by the configuration of the same name."""
    return {"EndpointName": name, "EndpointConfigName": name, **placement.tag_list()}


def as_prefix(uri: str) -> str:
    """The folder that a URI names, so that ``kmeans/train`` does not take ``kmeans/train-old`` along."""
    return uri.rstrip("/") + "/"


def _key(placement: Placement, member: str) -> dict[str, str]:
    return {} if placement.kms_key is None else {member: placement.kms_key}
