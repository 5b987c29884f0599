"""SageMaker with the built-in k-means: training jobs, models, batch transform and endpoints.

Like the service, it validates requests, names, roles and images. It reads the channels from S3, clusters them, and
writes ``model.tar.gz`` and ``*.out`` to S3. A job advances when it is described: the first description shows the job as
it was created, and each later one shows the next phase. ModelArtifacts is absent until a training job has completed,
although botocore's model requires it. `algorithm`, `transform` and `hosting` state where they differ from the service.

A test uses the fixture ``sagemaker``. Then ``boto3.client("sagemaker")``, ``boto3.client("sagemaker-runtime")`` and
``sagemaker.core.resources`` reach the fake. Methods such as `SageMaker.fail_training` inject a fault into the next job.
``sagemaker.training.is_paused`` keeps jobs in progress, and ``sagemaker.service.faults`` fails calls.
"""

from dataclasses import dataclass

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService
from tests.fakes.sagemaker.account import Account, Buckets
from tests.fakes.sagemaker.hosting import Models, SageMakerRuntime
from tests.fakes.sagemaker.jobs import JobFaults
from tests.fakes.sagemaker.training import TrainingJobs
from tests.fakes.sagemaker.transform import TransformJobs

NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)


@dataclass
class SageMaker:
    """The service, its runtime, and the faults of the next job."""

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

    def fail_training(self, reason: str = "AlgorithmError: framework error") -> None:
        """Fail the next training job."""
        self.training.next_faults = JobFaults(failure=reason)

    def stop_training(self) -> None:
        """Stop the next training job before it completes."""
        self.training.next_faults = JobFaults(is_stopped=True)

    def exceed_max_runtime(self) -> None:
        """Have the next training job exceed its maximum runtime."""
        self.training.next_faults = JobFaults(exceeds_runtime=True)

    def fail_for_capacity(self) -> None:
        """Fail the next training job because there are no instances."""
        self.fail_training(NO_CAPACITY)

    def exceed_limit(self, operation: str = "CreateTrainingJob") -> None:
        """Reject the next call because the account's quota of instances is exceeded."""
        message = "The account-level service limit 'ml.m5.large for training job usage' is 0 Instances"
        self.service.faults.respond_with(operation, ServiceError("ResourceLimitExceeded", message))

    def fail_transform(self, reason: str = "InternalServerError: We encountered an internal error.") -> None:
        """Fail the next transform job."""
        self.transform.next_faults = JobFaults(failure=reason)

    def stop_transform(self) -> None:
        """Stop the next transform job before it completes."""
        self.transform.next_faults = JobFaults(is_stopped=True)

    def omit_line(self) -> None:
        """Have the next transform job omit the last line of its first file."""
        self.transform.next_faults = JobFaults(omits_line=True)

    def omit_file(self) -> None:
        """Have the next transform job omit its last file."""
        self.transform.next_faults = JobFaults(omits_file=True)
