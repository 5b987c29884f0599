"""Training jobs of the built-in k-means: from a channel in S3 to ``model.tar.gz``."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.http.faults import ServiceError, invalid
from tests.fakes.http.json_service import echoed
from tests.fakes.s3.objects import Buckets, bucket_and_key
from tests.fakes.sagemaker.account import Account
from tests.fakes.sagemaker.algorithm import (
    CONTENT_TYPE,
    AlgorithmError,
    check_hyperparameters,
    features,
    model_archive,
    train,
)
from tests.fakes.sagemaker.job_state import ENDED, Gate, Job, JobTrouble

PHASES = ("Starting", "Downloading", "Training")


@dataclass
class TrainingJobs:
    """The training jobs of an account. Seeds are counted up, so that clusters are numbered anew each time."""

    account: Account
    buckets: Buckets
    gate: Gate = field(default_factory=Gate)
    old_model_layout: bool = False
    jobs: dict[str, Job] = field(default_factory=dict)
    next_trouble: JobTrouble = field(default_factory=JobTrouble)

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
            raise invalid(f"{', '.join(sorted(missing))} must be given for a built-in algorithm")
        for channel in request["InputDataConfig"]:
            bucket_and_key(_source(channel)["S3Uri"])
        bucket_and_key(request["OutputDataConfig"]["S3OutputPath"])
        _check_spot(request)
        trouble, self.next_trouble = self.next_trouble, JobTrouble()
        self.jobs[name] = Job(request, arn, PHASES, self._work, self.gate, trouble)
        return {"TrainingJobArn": arn}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTrainingJob. The job moves on by one phase."""
        job = self._job(request["TrainingJobName"])
        job.move()
        later = [moment for _, moment in job.transitions[1:]]
        transitions = [
            {"Status": phase, "StartTime": moment, "StatusMessage": f"{phase} the training job"}
            | ({"EndTime": later[position]} if position < len(later) else {})
            for position, (phase, moment) in enumerate(job.transitions)
        ]
        answer = echoed("sagemaker", "DescribeTrainingJob", job.request) | {
            "TrainingJobArn": job.arn,
            "TrainingJobStatus": job.status,
            "SecondaryStatus": job.phase,
            "SecondaryStatusTransitions": transitions,
            "CreationTime": job.created,
            "LastModifiedTime": job.transitions[-1][1],
        }
        if job.ended:
            seconds = 1 + int((job.ended - job.created).total_seconds())
            answer |= {
                "TrainingEndTime": job.ended,
                "TrainingTimeInSeconds": seconds,
                "BillableTimeInSeconds": seconds,
            }
        if job.failure:
            answer["FailureReason"] = job.failure
        return answer | job.result

    def stop(self, request: dict[str, Any]) -> None:
        """StopTrainingJob."""
        job = self._job(request["TrainingJobName"])
        if job.status in ENDED:
            raise invalid(f"The request was rejected because the training job is in status {job.status}.")
        job.stop()

    def _job(self, name: str) -> Job:
        if name not in self.jobs:
            raise invalid("Requested resource not found.")
        return self.jobs[name]

    def _work(self, job: Job) -> None:
        """Read the channels, cluster, and write the model.

        Raises:
            AlgorithmError: The algorithm cannot, and says why.
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
        trained = train(rows["train"], rows.get("test"), hyperparameters, seed=next(self._seeds))
        folder = job.request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        uri = f"{folder}/{job.request['TrainingJobName']}/output/model.tar.gz"
        self.buckets.write(uri, model_archive(trained.centroids, old_layout=self.old_model_layout))
        job.result = {
            "ModelArtifacts": {"S3ModelArtifacts": uri},
            "FinalMetricDataList": [
                {"MetricName": name, "Value": value, "Timestamp": job.created}
                for name, value in trained.metrics.items()
            ],
        }


def _source(channel: dict[str, Any]) -> dict[str, Any]:
    source: dict[str, Any] = channel["DataSource"].get("S3DataSource", {})
    if source.get("S3DataType") != "S3Prefix" or channel.get("CompressionType", "None") != "None":
        raise invalid("the stand-in reads channels of S3Prefix without compression only")
    return source


def _check_content_type(name: str, channel: dict[str, Any]) -> None:
    found = channel.get("ContentType", "application/x-recordio-protobuf")
    if found.replace(" ", "") != CONTENT_TYPE:
        raise AlgorithmError(
            f"ClientError: Unable to read data channel '{name}'. Requested content-type is '{found}'. "
            f"Please verify the data matches the requested content-type. (expected {CONTENT_TYPE})"
        )


def _check_spot(request: dict[str, Any]) -> None:
    condition = request["StoppingCondition"]
    longest = condition.get("MaxRuntimeInSeconds", 86400)
    wait = condition.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining") and (wait is None or wait < longest):
        raise invalid("MaxWaitTimeInSeconds must be at least MaxRuntimeInSeconds when EnableManagedSpotTraining is on")
    if not request.get("EnableManagedSpotTraining") and wait is not None:
        raise invalid("MaxWaitTimeInSeconds is for managed spot training only")
