"""Training jobs of the built-in k-means: from the channels in S3 to ``model.tar.gz``."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.http.faults import ServiceError, validation_error
from tests.fakes.http.shapes import echoed
from tests.fakes.sagemaker.account import Account, Buckets, bucket_and_key
from tests.fakes.sagemaker.algorithm import (
    CONTENT_TYPE,
    AlgorithmError,
    check_hyperparameters,
    features,
    model_archive,
    train,
)
from tests.fakes.sagemaker.jobs import ENDED, Job, JobFaults

PHASES = ("Starting", "Downloading", "Training")


@dataclass
class TrainingJobs:
    """The training jobs of an account.

    Each job has a seed of its own, so each one numbers its clusters anew.

    Attributes:
        account: The account.
        buckets: The objects in S3.
        is_paused: Whether jobs stay in progress however often they are described.
        jobs: The jobs by name.
        next_faults: The faults of the next job that is created.
    """

    account: Account
    buckets: Buckets
    is_paused: bool = False
    jobs: dict[str, Job] = field(default_factory=dict)
    next_faults: JobFaults = field(default_factory=JobFaults)

    def __post_init__(self) -> None:
        self._seeds = itertools.count(1)

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateTrainingJob."""
        name = request["TrainingJobName"]
        arn = self.account.arn("training-job", name)
        if name in self.jobs:
            message = "Training job names must be unique within an AWS account and region"
            raise ServiceError("ResourceInUse", f"{message}, and a training job with this name already exists ({arn})")
        self.account.check_role(request["RoleArn"])
        specification = request.get("AlgorithmSpecification", {})
        self.account.check_image(specification.get("TrainingImage"))
        missing = {"InputDataConfig", "ResourceConfig", "StoppingCondition"} - set(request)
        if missing:
            raise validation_error(f"{', '.join(sorted(missing))} must be given for a built-in algorithm")
        for channel in request["InputDataConfig"]:
            bucket_and_key(_source(channel)["S3Uri"])
        bucket_and_key(request["OutputDataConfig"]["S3OutputPath"])
        _check_spot(request)
        faults, self.next_faults = self.next_faults, JobFaults()
        self.jobs[name] = Job(request, arn, PHASES, self._work, faults, lambda: self.is_paused)
        return {"TrainingJobArn": arn}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTrainingJob, at which the job advances."""
        job = self._job(request["TrainingJobName"])
        job.advance()
        end_times = [time for _, time in job.transitions[1:]]
        transitions = [
            {"Status": phase, "StartTime": time, "StatusMessage": f"{phase} the training job"}
            | ({"EndTime": end_times[position]} if position < len(end_times) else {})
            for position, (phase, time) in enumerate(job.transitions)
        ]
        members = echoed("sagemaker", "DescribeTrainingJob", job.request) | {
            "TrainingJobArn": job.arn,
            "TrainingJobStatus": job.status,
            "SecondaryStatus": job.phase,
            "SecondaryStatusTransitions": transitions,
            "CreationTime": job.created,
            "LastModifiedTime": job.transitions[-1][1],
        }
        if job.ended:
            seconds = 1 + int((job.ended - job.created).total_seconds())
            members |= {
                "TrainingEndTime": job.ended,
                "TrainingTimeInSeconds": seconds,
                "BillableTimeInSeconds": seconds,
            }
        if job.failure:
            members["FailureReason"] = job.failure
        return members | job.result

    def stop(self, request: dict[str, Any]) -> None:
        """StopTrainingJob."""
        job = self._job(request["TrainingJobName"])
        if job.status in ENDED:
            raise validation_error(f"The request was rejected because the training job is in status {job.status}.")
        job.stop()

    def _job(self, name: str) -> Job:
        if name not in self.jobs:
            raise validation_error("Requested resource not found.")
        return self.jobs[name]

    def _work(self, job: Job) -> None:
        """Read the channels, cluster, and write the model.

        Raises:
            AlgorithmError: The algorithm rejects its hyperparameters or its data.
            NoObjectsError: A channel is empty, or the output bucket does not exist.
        """
        hyperparameters = job.request.get("HyperParameters", {})
        check_hyperparameters(hyperparameters)
        channels = {channel["ChannelName"]: channel for channel in job.request["InputDataConfig"]}
        if "train" not in channels:
            raise AlgorithmError("ClientError: 'train' is a required channel")
        rows = {}
        for name, channel in channels.items():
            _check_content_type(name, channel)
            lines = self.buckets.lines(_source(channel)["S3Uri"])
            rows[name] = features(lines, feature_dim=int(hyperparameters["feature_dim"]), channel=name)
        model = train(rows["train"], rows.get("test"), hyperparameters, seed=next(self._seeds))
        folder = job.request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        uri = f"{folder}/{job.request['TrainingJobName']}/output/model.tar.gz"
        self.buckets.write(uri, model_archive(model.centroids))
        job.result = {
            "ModelArtifacts": {"S3ModelArtifacts": uri},
            "FinalMetricDataList": [
                {"MetricName": name, "Value": value, "Timestamp": job.created} for name, value in model.metrics.items()
            ],
        }


def _source(channel: dict[str, Any]) -> dict[str, Any]:
    source: dict[str, Any] = channel["DataSource"].get("S3DataSource", {})
    if source.get("S3DataType") != "S3Prefix" or channel.get("CompressionType", "None") != "None":
        raise validation_error("the fake reads channels of S3Prefix without compression only")
    return source


def _check_content_type(name: str, channel: dict[str, Any]) -> None:
    content_type = channel.get("ContentType", "application/x-recordio-protobuf")
    if content_type.replace(" ", "") != CONTENT_TYPE:
        raise AlgorithmError(
            f"ClientError: Unable to read data channel '{name}'. Requested content-type is '{content_type}'. "
            f"Please verify the data matches the requested content-type. (expected {CONTENT_TYPE})"
        )


def _check_spot(request: dict[str, Any]) -> None:
    condition = request["StoppingCondition"]
    max_runtime = condition.get("MaxRuntimeInSeconds", 86400)
    wait = condition.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining") and (wait is None or wait < max_runtime):
        raise validation_error(
            "MaxWaitTimeInSeconds must be at least MaxRuntimeInSeconds when EnableManagedSpotTraining is on"
        )
    if not request.get("EnableManagedSpotTraining") and wait is not None:
        raise validation_error("MaxWaitTimeInSeconds is for managed spot training only")
