"""What the tasks of the nightly run answer, and the way that it takes when all of them succeed."""

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


def answers(**instead: list[Answer]) -> dict[str, list[Answer]]:
    """Every task succeeds, but for those that a test says something else of."""
    fine: dict[str, list[Answer]] = {
        f"{step}On{engine}": OK for step in ("Pipeline", "Segments") for engine in ("Glue", "Emr")
    }
    fine |= dict.fromkeys(
        ("MeasureQuality", "RegisterModel", "Transform", "Publish", "TellOfFailure", "TellOfNoMeasure"), OK
    )
    fine["ReadShares"] = [{"result": {"Body": json.dumps(SHARES)}}]
    fine["Train"] = [{"result": {"ModelArtifacts": {"S3ModelArtifacts": ARTIFACT}}}]
    return fine | instead


def failing(error: str, cause: str = "because", *, times: int = 0) -> list[Answer]:
    """A task that fails for ever, or so many times before it succeeds."""
    failure: Answer = {"error": error, "cause": cause}
    return [failure] * times + OK if times else [failure]


WHOLE_WAY = ["ReadShares", "MeasureQuality", "Train", "RegisterModel", "Transform"]


def whole_way(engine: str) -> list[str]:
    return [f"PipelineOn{engine}", *WHOLE_WAY, f"SegmentsOn{engine}", "Publish"]
