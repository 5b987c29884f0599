"""The answers of the nightly run's tasks, and the order of the tasks when all of them succeed."""

import json
from typing import Any

from tests.deploy.state_machine.interpreter import Answer

AS_OF = {"as_of": "2018-10-17"}
ON_SAGEMAKER = {**AS_OF, "kmeans": "sagemaker"}
MAPPING = "s3://shop-data/raw/ledger.yml"
ON_LEDGER = {**AS_OF, "source": "ledger", "mapping": MAPPING}
RUN = "2018-10-17-nightly-1"
NETWORK = {"NetworkSubnets": "subnet-0a,subnet-0b", "NetworkGroup": "sg-0c"}
SHARES = {
    "tables": {
        "customers": {"share_quarantined": 0.0},
        "orders": {"share_quarantined": 0.25},
        "payments": {"share_quarantined": 0.001},
    }
}
LEDGER_SHARES = {"tables": {"ledger": {"share_quarantined": 0.125}}}
OK: list[Answer] = [{"result": {}}]
ARTIFACT = "s3://shop-data/models/shop-nightly-1/output/model.tar.gz"


def ingestion(status: str, **members: Any) -> Answer:
    """The answer to a question for a refresh."""
    return {"result": {"Ingestion": {"IngestionStatus": status, **members}, "RequestId": "1", "Status": 200}}


def shares(content: dict[str, Any]) -> list[Answer]:
    """The answer to a request for the shares of a run."""
    return [{"result": {"Body": json.dumps(content)}}]


def answers(**exceptions: list[Answer]) -> dict[str, list[Answer]]:
    """The answers of all tasks: success, except for those that a test names."""
    succeeding = (
        *(f"{step}On{engine}" for step in ("Pipeline", "Segments") for engine in ("Glue", "Emr")),
        *("MeasureQuality", "MeasureQualityOfLedger", "RegisterModel", "RegisterModelInNetwork", "Transform"),
        *("Publish", "StartRefresh", "TellOfFailure", "TellOfNoMeasure", "TellOfNoRefresh"),
    )
    successes: dict[str, list[Answer]] = dict.fromkeys(succeeding, OK)
    successes["ReadShares"] = shares(SHARES)
    successes["FollowRefresh"] = [ingestion("RUNNING"), ingestion("COMPLETED")]
    trained: list[Answer] = [{"result": {"ModelArtifacts": {"S3ModelArtifacts": ARTIFACT}}}]
    successes |= dict.fromkeys(("Train", "TrainInNetwork"), trained)
    return successes | exceptions


def failing(error: str, cause: str = "because", *, times: int = 0) -> list[Answer]:
    """The answers of a task that always fails, or fails some times before it succeeds."""
    failure: Answer = {"error": error, "cause": cause}
    return [failure] * times + OK if times else [failure]


MEASURING = ["ReadShares", "MeasureQuality"]
REFRESHING = ["StartRefresh", "FollowRefresh", "FollowRefresh"]


def with_spark(engine: str) -> list[str]:
    """The tasks of a run that clusters with Spark."""
    return [f"PipelineOn{engine}", *MEASURING, "Publish", *REFRESHING]


def with_sagemaker(engine: str, *, network: bool = False) -> list[str]:
    """The tasks of a run that clusters with SageMaker."""
    training = [f"{task}InNetwork" if network else task for task in ("Train", "RegisterModel")]
    return [
        f"PipelineOn{engine}",
        *MEASURING,
        *training,
        "Transform",
        f"SegmentsOn{engine}",
        "Publish",
        *REFRESHING,
    ]
