"""Batch transform jobs: each object under a prefix becomes ``<key below the prefix>.out``, one output per line.

The service was observed to keep the key below the prefix. The one example in its manual omits a folder, so a reader
should list the output.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.fakes.http.faults import ServiceError, validation_error
from tests.fakes.http.shapes import echoed
from tests.fakes.sagemaker.account import Account, Buckets, bucket_and_key, lines_of
from tests.fakes.sagemaker.algorithm import AlgorithmError, encoded_predictions, predictions
from tests.fakes.sagemaker.hosting import Models
from tests.fakes.sagemaker.jobs import ENDED, Job, JobFaults

PHASES = ("Starting", "Transforming")
SEE_LOGS = "ClientError: See job logs for more information"

SLICE = re.compile(r"\$\[(-?\d+)?:(-?\d+)?\]")
INDICES = re.compile(r"\$\[(-?\d+(?:,\s*-?\d+)*)\]")


@dataclass
class TransformJobs:
    """The transform jobs of an account, by name, and the faults of the next one."""

    account: Account
    buckets: Buckets
    models: Models
    jobs: dict[str, Job] = field(default_factory=dict)
    next_faults: JobFaults = field(default_factory=JobFaults)

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateTransformJob."""
        name = request["TransformJobName"]
        arn = self.account.arn("transform-job", name)
        if name in self.jobs:
            message = "Job name must be unique within an AWS account and region"
            raise ServiceError("ResourceInUse", f"{message}, and a job with this name already exists ({arn})")
        self.models.describe_model({"ModelName": request["ModelName"]})
        _check(request)
        faults, self.next_faults = self.next_faults, JobFaults()
        self.jobs[name] = Job(request, arn, PHASES, self._work, faults)
        return {"TransformJobArn": arn}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTransformJob, at which the job advances."""
        job = self._job(request["TransformJobName"])
        job.advance()
        members = echoed("sagemaker", "DescribeTransformJob", job.request) | {
            "TransformJobArn": job.arn,
            "TransformJobStatus": job.status,
            "CreationTime": job.created,
        }
        if job.ended:
            members |= {"TransformStartTime": job.created, "TransformEndTime": job.ended}
        if job.failure:
            members["FailureReason"] = job.failure
        return members

    def stop(self, request: dict[str, Any]) -> None:
        """StopTransformJob."""
        job = self._job(request["TransformJobName"])
        if job.status in ENDED:
            raise validation_error(f"The request was rejected because the transform job is in status {job.status}.")
        job.stop()

    def _job(self, name: str) -> Job:
        if name not in self.jobs:
            raise validation_error(f"Could not find requested job with name: {name}")
        return self.jobs[name]

    def _work(self, job: Job) -> None:
        """Transform every object.

        Raises:
            AlgorithmError: The model rejects a line.
            NoObjectsError: There is no input, or the output bucket does not exist.
        """
        request = job.request
        centroids = self.models.centroids_of(request["ModelName"])
        source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        bucket, prefix = bucket_and_key(source)
        keys = self.buckets.keys(source)
        if job.faults.omits_file:
            keys = keys[:-1]
        for number, key in enumerate(keys):
            try:
                lines = _transformed(request, lines_of(self.buckets.read(bucket, key)), centroids)
            except (AlgorithmError, UnicodeDecodeError, ServiceError) as error:
                job.result = {"log": f"{key}: {error}"}
                raise AlgorithmError(SEE_LOGS) from None
            if job.faults.omits_line and number == 0:
                lines = lines[:-1]
            below = key[len(prefix) :].lstrip("/") or key.rpartition("/")[2]
            end = "\n" if request["TransformOutput"].get("AssembleWith") == "Line" else ""
            target = f"{request['TransformOutput']['S3OutputPath'].rstrip('/')}/{below}.out"
            self.buckets.write(target, "".join(line + end for line in lines).encode())


def _transformed(request: dict[str, Any], lines: list[str], centroids: np.ndarray) -> list[str]:
    processing = request.get("DataProcessing", {})
    rows = [line.split(",") for line in lines]
    inputs = [",".join(_filtered(row, processing.get("InputFilter", "$"))) for row in rows]
    clusters = predictions(inputs, centroids)
    accept = request["TransformOutput"].get("Accept", "application/jsonlines")
    if accept != "text/csv":
        return encoded_predictions(clusters, accept).splitlines()
    outputs = [[str(cluster), str(distance)] for cluster, distance in clusters]
    if processing.get("JoinSource", "None") == "Input":
        outputs = [row + output for row, output in zip(rows, outputs, strict=True)]
    return [",".join(_filtered(row, processing.get("OutputFilter", "$"))) for row in outputs]


def _filtered(columns: Sequence[str], path: str) -> list[str]:
    """Select columns by a JSONPath for CSV: ``$``, ``$[3]``, ``$[0,-2,-1]`` or ``$[1:]``."""
    if path == "$":
        return list(columns)
    bounds = SLICE.fullmatch(path)
    if bounds:
        start, end = (int(number) if number else None for number in bounds.groups())
        return list(columns[start:end])
    indices = INDICES.fullmatch(path)
    if not indices:
        raise validation_error(f"Invalid JSONPath for CSV: {path}")
    numbers = [int(number) for number in indices[1].split(",")]
    if any(not -len(columns) <= number < len(columns) for number in numbers):
        raise validation_error(f"JSONPath {path} names a column that does not exist: there are {len(columns)}")
    return [columns[number] for number in numbers]


def _check(request: dict[str, Any]) -> None:
    input_spec, output_spec = request["TransformInput"], request["TransformOutput"]
    source = input_spec["DataSource"]["S3DataSource"]
    bucket_and_key(source["S3Uri"])
    bucket_and_key(output_spec["S3OutputPath"])
    if source["S3DataType"] != "S3Prefix" or input_spec.get("CompressionType", "None") != "None":
        raise validation_error("the fake transforms an S3Prefix without compression only")
    if input_spec.get("ContentType") != "text/csv" or input_spec.get("SplitType", "None") != "Line":
        raise validation_error("the fake transforms text/csv with SplitType Line only")
    processing = request.get("DataProcessing", {})
    is_csv_out = output_spec.get("Accept") == "text/csv"
    if processing.get("JoinSource", "None") == "Input" and not (
        is_csv_out and output_spec.get("AssembleWith") == "Line"
    ):
        raise validation_error("JoinSource Input needs Accept of the same type as ContentType, and AssembleWith Line")
    for path in (processing.get("InputFilter", "$"), processing.get("OutputFilter", "$")):
        if not path.startswith("$"):
            raise validation_error(f"Invalid JSONPath: {path}")
