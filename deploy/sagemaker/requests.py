"""Requests to SageMaker in the shape of its API, built by pure functions.

The state machine holds the same requests in its own language (`cloudformation/nightly.yaml`). A test compares them.

The image, the channel and the hyperparameters of the built-in k-means follow AWS's manual (k-means, k-means-api-config,
batch-transform-data-processing). The algorithm takes no seed, so two trainings number their clusters differently. That
is why `jobs.segments` matches cluster ids.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FEATURES = 3
"""Recency, frequency, monetary: the columns of ``kmeans/train``."""

CSV = "text/csv"
CSV_WITHOUT_LABEL = f"{CSV};label_size=0"
"""Without ``label_size=0`` the first column of a CSV is a label."""

TRAIN_CHANNEL = "train"
METRICS = ("msd", "ssd")
"""Mean and sum of squared distances."""

MAX_PAYLOAD_MB = 6
"""Of one request to the model: about 90,000 lines of ``kmeans/score``. SageMaker chooses the concurrency."""


@dataclass(frozen=True)
class Placement:
    """The machines, role, keys and network of a job.

    Attributes:
        role: ARN of the role that SageMaker assumes.
        image: the image of the region's built-in k-means.
        instance_type, instance_count: the machines.
        volume_gb: disk of each machine in training, in GB.
        kms_key: encrypts disks and results; None for the account's default keys.
        subnets, security_groups: of the VPC; both empty without a VPC.
        tags: on every resource.
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

    def network(self) -> dict[str, Any]:
        """The members of a request that name the VPC and isolate the container; none without a VPC.

        SageMaker copies data and model through the VPC. The algorithm itself reaches nothing, and needs nothing.
        """
        if not self.subnets:
            return {}
        vpc = {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.security_groups)}
        return {"VpcConfig": vpc, "EnableNetworkIsolation": True}

    def tag_list(self) -> dict[str, Any]:
        """The members of a request that hold the tags; none without tags."""
        if not self.tags:
            return {}
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(self.tags.items())]}


@dataclass(frozen=True)
class Training:
    """The settings of the k-means algorithm and of its machines' time.

    Attributes:
        k: the number of clusters.
        epochs: passes over the data. SageMaker's default of 1 sees each customer once.
        mini_batch_size, init_method, extra_center_factor: see AWS's manual.
        max_runtime: seconds of work at most.
        max_wait: seconds at most for the wait for spot machines and the work together; None for on-demand machines.
    """

    k: int
    epochs: int = 10
    mini_batch_size: int = 5000
    init_method: str = "kmeans++"
    extra_center_factor: str = "auto"
    max_runtime: int = 3600
    max_wait: int | None = 7200

    def hyperparameters(self) -> dict[str, str]:
        """The hyperparameters as text, which is all that SageMaker takes."""
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
    """CreateTrainingJob: turns ``kmeans/train`` into ``output/NAME/output/model.tar.gz``.

    Several machines share the files out. Spot machines keep no checkpoints, since the algorithm writes none. An
    interrupted job starts again, which costs little for minutes of work.
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
        **placement.network(),
        **placement.tag_list(),
    }


def model_request(*, name: str, model_data: str, placement: Placement) -> dict[str, Any]:
    """CreateModel: the image with the artifact of a training job."""
    return {
        "ModelName": name,
        "ExecutionRoleArn": placement.role,
        "PrimaryContainer": {"Image": placement.image, "ModelDataUrl": model_data},
        **placement.network(),
        **placement.tag_list(),
    }


def transform_request(*, name: str, model: str, features: str, output: str, placement: Placement) -> dict[str, Any]:
    """CreateTransformJob: appends cluster and distance to each line of ``kmeans/score``.

    The model sees all columns but the customer's id (``$[1:]``). SageMaker joins its output to the complete line.
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
    """CreateEndpointConfig: one variant of the model, on machines that cost money until the endpoint is deleted."""
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
    """CreateEndpoint: an endpoint with the configuration of the same name."""
    return {"EndpointName": name, "EndpointConfigName": name, **placement.tag_list()}


def as_prefix(uri: str) -> str:
    """A URI with a slash at its end, so that ``kmeans/train`` does not match ``kmeans/train-old`` too."""
    return uri.rstrip("/") + "/"


def _key(placement: Placement, member: str) -> dict[str, str]:
    return {} if placement.kms_key is None else {member: placement.kms_key}
