"""The answers of the nightly run's tasks, and the order of the tasks when all of them succeed."""

import json

from tests.deploy.state_machine.interpreter import Answer

AS_OF = {"as_of": "2018-10-17"}
RUN = "2018-10-17-nightly-1"
SHARES = {
    "tables": {
        "customers": {"share_quarantined": 0.0},
        "orders": {"share_quarantined": 0.25},
        "payments": {"share_quarantined": 0.001},
    }
}
OK: list[Answer] = [{"result": {}}]
ARTIFACT = "s3://shop-data/models/shop-nightly-1/output/model.tar.gz"


def answers(**exceptions: list[Answer]) -> dict[str, list[Answer]]:
    """The answers of all tasks: success, except for those that a test names."""
    successes: dict[str, list[Answer]] = {
        f"{step}On{engine}": OK for step in ("Pipeline", "Segments") for engine in ("Glue", "Emr")
    }
    successes |= dict.fromkeys(
        ("MeasureQuality", "RegisterModel", "Transform", "Publish", "TellOfFailure", "TellOfNoMeasure"), OK
    )
    successes["ReadShares"] = [{"result": {"Body": json.dumps(SHARES)}}]
    successes["Train"] = [{"result": {"ModelArtifacts": {"S3ModelArtifacts": ARTIFACT}}}]
    return successes | exceptions


def failing(error: str, cause: str = "because", *, times: int = 0) -> list[Answer]:
    """The answers of a task that always fails, or fails some times before it succeeds."""
    failure: Answer = {"error": error, "cause": cause}
    return [failure] * times + OK if times else [failure]


WHOLE_WAY = ["ReadShares", "MeasureQuality", "Train", "RegisterModel", "Transform"]


def whole_way(engine: str) -> list[str]:
    return [f"PipelineOn{engine}", *WHOLE_WAY, f"SegmentsOn{engine}", "Publish"]
