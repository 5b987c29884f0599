"""SageMaker with the built-in k-means: training jobs, models, batch transform, endpoints.

What it does as the service does: requests of botocore's model, unique names, roles and images checked, states from
InProgress to an end, channels really read from S3 and really clustered, ``model.tar.gz`` and ``*.out`` really written
(see `algorithm`, `training`, `transform`, `models`, `runtime` for what each does not). A job's state moves when it is
described: the first description shows it as it was created, each later one goes on by one phase. ModelArtifacts is
absent until a training job has completed, though the model calls it required.

A test uses the fixture ``sagemaker``, by which ``boto3.client("sagemaker")``, ``boto3.client("sagemaker-runtime")``
and ``sagemaker.core.resources`` reach this; role `SAGEMAKER_ROLE`. It asks for trouble with `fail_training` and the
like, which are for the next job that is created, with ``sagemaker.training.gate.close()``, which keeps jobs from
ending, and with ``sagemaker.service.faults``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.json_service import JsonService
from tests.fakes.s3.objects import Buckets
from tests.fakes.sagemaker.account import Account
from tests.fakes.sagemaker.job_state import JobTrouble
from tests.fakes.sagemaker.models import Models
from tests.fakes.sagemaker.runtime import SageMakerRuntime
from tests.fakes.sagemaker.training import TrainingJobs
from tests.fakes.sagemaker.transform import TransformJobs

NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)


@dataclass
class SageMaker:
    """The service, its runtime, and what is to go wrong with the next job."""

    account: Account
    buckets: Buckets

    def __post_init__(self) -> None:
        self.models = Models(self.account, self.buckets)
        self.training = TrainingJobs(self.account, self.buckets)
        self.transform = TransformJobs(self.account, self.buckets, self.models)
        self.runtime = SageMakerRuntime(self.models)
        models = self.models
        self.service = JsonService(
            "sagemaker",
            {
                "CreateTrainingJob": self.training.create,
                "DescribeTrainingJob": self.training.describe,
                "StopTrainingJob": self.training.stop,
                "CreateTransformJob": self.transform.create,
                "DescribeTransformJob": self.transform.describe,
                "StopTransformJob": self.transform.stop,
                "CreateModel": models.create_model,
                "DescribeModel": models.describe_model,
                "DeleteModel": models.delete_model,
                "CreateEndpointConfig": models.create_endpoint_config,
                "DescribeEndpointConfig": models.describe_endpoint_config,
                "DeleteEndpointConfig": models.delete_endpoint_config,
                "CreateEndpoint": models.create_endpoint,
                "DescribeEndpoint": models.describe_endpoint,
                "DeleteEndpoint": models.delete_endpoint,
            },
            tolerated=frozenset({'Missing required parameter in input: "ModelArtifacts"'}),
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve both, until the block ends."""
        with self.service.running(), self.runtime.running():
            yield

    def fail_training(self, reason: str = "AlgorithmError: framework error") -> None:
        """Let the next training job fail for this reason."""
        self.training.next_trouble = JobTrouble(failure=reason)

    def stop_training(self) -> None:
        """Let somebody stop the next training job."""
        self.training.next_trouble = JobTrouble(stopped=True)

    def exceed_max_runtime(self) -> None:
        """Let the next training job run for longer than it may."""
        self.training.next_trouble = JobTrouble(exceeds_runtime=True)

    def have_no_capacity(self) -> None:
        """Let the next training job wait for machines in vain."""
        self.fail_training(NO_CAPACITY)

    def exceed_limit(self, operation: str = "CreateTrainingJob") -> None:
        """Answer the next call that the account may not have so many machines."""
        message = "The account-level service limit 'ml.m5.large for training job usage' is 0 Instances"
        self.service.faults.answer(operation, ServiceError("ResourceLimitExceeded", message))

    def fail_transform(self, reason: str = "InternalServerError: We encountered an internal error.") -> None:
        """Let the next transform job fail for this reason."""
        self.transform.next_trouble = JobTrouble(failure=reason)

    def stop_transform(self) -> None:
        """Let somebody stop the next transform job."""
        self.transform.next_trouble = JobTrouble(stopped=True)

    def lose_a_line(self) -> None:
        """Let the next transform job leave the last line of its first file out."""
        self.transform.next_trouble = JobTrouble(loses_line=True)

    def lose_a_file(self) -> None:
        """Let the next transform job leave its last file out."""
        self.transform.next_trouble = JobTrouble(loses_file=True)
