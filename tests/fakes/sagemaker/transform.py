"""Batch transform jobs: every object under a prefix, line by line through the model, to ``<key below the prefix>.out``.

That the key below the prefix is kept is how the service was seen to work; its manual's one example leaves a folder
out. Read the output by listing it.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.http.faults import ServiceError, invalid
from tests.fakes.http.json_service import echoed
from tests.fakes.s3.objects import Buckets, bucket_and_key, lines_of
from tests.fakes.sagemaker.account import Account
from tests.fakes.sagemaker.algorithm import AlgorithmError
from tests.fakes.sagemaker.csv_filters import filtered
from tests.fakes.sagemaker.inference import as_accepted, predictions
from tests.fakes.sagemaker.job_state import ENDED, Gate, Job, JobTrouble
from tests.fakes.sagemaker.models import Models

PHASES = ("Starting", "Transforming")
SEE_LOGS = "ClientError: See job logs for more information"


@dataclass
class TransformJobs:
    """The transform jobs of an account."""

    account: Account
    buckets: Buckets
    models: Models
    gate: Gate = field(default_factory=Gate)
    jobs: dict[str, Job] = field(default_factory=dict)
    next_trouble: JobTrouble = field(default_factory=JobTrouble)

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateTransformJob."""
        name = request["TransformJobName"]
        arn = self.account.arn("transform-job", name)
        if name in self.jobs:
            message = "Job name must be unique within an AWS account and region"
            raise ServiceError("ResourceInUse", f"{message}, and a job with this name already exists ({arn})")
        self.models.describe_model({"ModelName": request["ModelName"]})
        _check(request)
        trouble, self.next_trouble = self.next_trouble, JobTrouble()
        self.jobs[name] = Job(request, arn, PHASES, self._work, self.gate, trouble)
        return {"TransformJobArn": arn}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTransformJob. The job moves on by one phase."""
        job = self._job(request["TransformJobName"])
        job.move()
        answer = echoed("sagemaker", "DescribeTransformJob", job.request) | {
            "TransformJobArn": job.arn,
            "TransformJobStatus": job.status,
            "CreationTime": job.created,
        }
        if job.ended:
            answer |= {"TransformStartTime": job.created, "TransformEndTime": job.ended}
        if job.failure:
            answer["FailureReason"] = job.failure
        return answer

    def stop(self, request: dict[str, Any]) -> None:
        """StopTransformJob."""
        job = self._job(request["TransformJobName"])
        if job.status in ENDED:
            raise invalid(f"The request was rejected because the transform job is in status {job.status}.")
        job.stop()

    def _job(self, name: str) -> Job:
        if name not in self.jobs:
            raise invalid(f"Could not find requested job with name: {name}")
        return self.jobs[name]

    def _work(self, job: Job) -> None:
        """Transform every object.

        Raises:
            AlgorithmError: A line is not what the model takes.
        """
        request = job.request
        centroids = self.models.centroids_of(request["ModelName"])
        source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        bucket, prefix = bucket_and_key(source)
        keys = self.buckets.keys(source)
        if job.trouble.loses_file:
            keys = keys[:-1]
        for number, key in enumerate(keys):
            try:
                lines = self._transformed(request, lines_of(self.buckets.read(bucket, key)), centroids)
            except (AlgorithmError, UnicodeDecodeError, ServiceError) as error:
                job.result = {"log": f"{key}: {error}"}
                raise AlgorithmError(SEE_LOGS) from None
            if job.trouble.loses_line and number == 0:
                lines = lines[:-1]
            below = key[len(prefix) :].lstrip("/") or key.rpartition("/")[2]
            end = "\n" if request["TransformOutput"].get("AssembleWith") == "Line" else ""
            target = f"{request['TransformOutput']['S3OutputPath'].rstrip('/')}/{below}.out"
            self.buckets.write(target, "".join(line + end for line in lines).encode())

    def _transformed(self, request: dict[str, Any], lines: list[str], centroids: Any) -> list[str]:
        processing = request.get("DataProcessing", {})
        rows = [line.split(",") for line in lines]
        inputs = [",".join(filtered(row, processing.get("InputFilter", "$"))) for row in rows]
        found = predictions(inputs, centroids)
        accept = request["TransformOutput"].get("Accept", "application/jsonlines")
        if accept != "text/csv":
            return as_accepted(found, accept).splitlines()
        outputs = [[str(cluster), str(distance)] for cluster, distance in found]
        if processing.get("JoinSource", "None") == "Input":
            outputs = [row + output for row, output in zip(rows, outputs, strict=True)]
        return [",".join(filtered(row, processing.get("OutputFilter", "$"))) for row in outputs]


def _check(request: dict[str, Any]) -> None:
    given, wanted = request["TransformInput"], request["TransformOutput"]
    source = given["DataSource"]["S3DataSource"]
    bucket_and_key(source["S3Uri"])
    bucket_and_key(wanted["S3OutputPath"])
    if source["S3DataType"] != "S3Prefix" or given.get("CompressionType", "None") != "None":
        raise invalid("the stand-in transforms what is under an S3Prefix without compression only")
    if given.get("ContentType") != "text/csv" or given.get("SplitType", "None") != "Line":
        raise invalid("the stand-in transforms text/csv with SplitType Line only")
    processing = request.get("DataProcessing", {})
    is_csv_out = wanted.get("Accept") == "text/csv"
    if processing.get("JoinSource", "None") == "Input" and not (is_csv_out and wanted.get("AssembleWith") == "Line"):
        raise invalid("JoinSource Input needs Accept of the same type as ContentType, and AssembleWith Line")
    for path in (processing.get("InputFilter", "$"), processing.get("OutputFilter", "$")):
        if not path.startswith("$"):
            raise invalid(f"Invalid JSONPath: {path}")
