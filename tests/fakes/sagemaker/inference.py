"""What the k-means container answers for rows of features: CSV, JSON, or JSON lines."""

import json
from collections.abc import Sequence

import numpy as np

from tests.fakes.sagemaker.algorithm import AlgorithmError, features, nearest

Prediction = tuple[float, float]
"""``closest_cluster``, which the container gives as a floating number, and ``distance_to_cluster``."""


def predictions(lines: Sequence[str], centroids: np.ndarray) -> list[Prediction]:
    """One prediction for each line of CSV.

    Raises:
        AlgorithmError: A line is not of the model's features.
    """
    rows = features(lines, feature_dim=centroids.shape[1], channel="inference")
    if not len(rows):
        return []
    clusters, distances = nearest(rows, centroids)
    return [(float(cluster), float(distance)) for cluster, distance in zip(clusters, distances, strict=True)]


def lines_of_request(body: bytes, content_type: str) -> list[str]:
    """The rows of a request to an endpoint, as lines of CSV.

    Raises:
        AlgorithmError: It is not of a content type that the container reads.
    """
    text, kind = body.decode("utf-8"), content_type.partition(";")[0].strip()
    if kind == "text/csv":
        return text.splitlines()
    if kind == "application/json":
        try:
            return [",".join(map(str, row["features"])) for row in json.loads(text)["instances"]]
        except (ValueError, KeyError, TypeError):
            raise AlgorithmError("unable to evaluate payload provided") from None
    raise AlgorithmError(f"content-type {content_type} is not supported")


def as_accepted(found: Sequence[Prediction], accept: str) -> str:
    """Predictions in a format that the container writes.

    Raises:
        AlgorithmError: It writes no such format.
    """
    if accept == "text/csv":
        return "".join(f"{cluster},{distance}\n" for cluster, distance in found)
    rows = [{"distance_to_cluster": distance, "closest_cluster": cluster} for cluster, distance in found]
    if accept in ("application/json", "*/*"):
        return json.dumps({"predictions": rows})
    if accept == "application/jsonlines":
        return "".join(f"{json.dumps(row)}\n" for row in rows)
    raise AlgorithmError(f"accept type {accept} is not supported")
