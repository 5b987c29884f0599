"""The clusters of a run as a model in JSON, with which customers can be assigned later without training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from transforms.clusters.assignments import Centroid
from transforms.rfm.dimensions import DIMENSIONS, ScoreCardError, is_number
from transforms.rfm.feature_scale import FeatureScale

SEED = 42
"""The seed of every random choice, as in the workshop."""

ORIGINAL_UNITS = {"recency": "weeks", "frequency": "purchases", "monetary": "currency_per_purchase"}
"""The key of each dimension's mean in JSON."""

TrainingEngine = Literal["spark", "sagemaker"]


class ModelError(ValueError):
    """The text is not a model. The message states what was found and what was expected."""


@dataclass(frozen=True)
class Cluster:
    """One cluster.

    Attributes:
        id: the stable cluster id: the same from run to run.
        label: the number that the engine gave it.
        name: the name for people.
        centroid: in the scale of the features, single precision.
        means: the means of its customers, by dimension in its unit.
        customers: the number of customers.
        revenue: the sum of their spending, exact.
        share_of_customers, share_of_revenue: its shares of the run's totals, 0 to 1.
    """

    id: int
    label: int
    name: str
    centroid: Centroid
    means: Mapping[str, float]
    customers: int
    revenue: Decimal
    share_of_customers: float
    share_of_revenue: float

    def as_json(self) -> dict[str, Any]:
        """The cluster as JSON. Shares are rounded, for people; `ClusterModel.from_json` computes them again."""
        return {
            "cluster": self.id,
            "name": self.name,
            "customers": self.customers,
            "share_of_customers": round(self.share_of_customers, 6),
            "revenue": str(self.revenue),
            "share_of_revenue": round(self.share_of_revenue, 6),
            "mean": {ORIGINAL_UNITS[name]: self.means[name] for name in DIMENSIONS},
            "centroid": dict(zip(DIMENSIONS, self.centroid, strict=True)),
            "engine_label": self.label,
        }


@dataclass(frozen=True)
class ClusterModel:
    """All clusters of a run, and their origin.

    Attributes:
        run_id: the run.
        as_of: the as-of date of the run.
        engine: the engine that trained the model.
        centroids_from: the origin of the centroids, in words.
        seed: the seed of the training; None if the engine takes none.
        scale: the scale of the features.
        inertia: the sum of squared distances of customers to their centroids, in units of the features.
        clusters: in the order of their ids.
        next_id: the id of the next new cluster. An id is never given to another cluster.
        trained_in: the run that trained the model: this one, or an earlier one whose model was applied.
    """

    run_id: str
    as_of: date
    engine: TrainingEngine
    centroids_from: str
    seed: int | None
    scale: FeatureScale
    inertia: float
    clusters: tuple[Cluster, ...]
    next_id: int
    trained_in: str

    @property
    def centroids(self) -> dict[int, Centroid]:
        """The centroids by stable cluster id."""
        return {cluster.id: cluster.centroid for cluster in self.clusters}

    def to_json(self) -> str:
        """The model as JSON that people can read."""
        content = {
            "run_id": self.run_id,
            "as_of": self.as_of.isoformat(),
            "engine": self.engine,
            "trained_in": self.trained_in,
            "centroids_from": self.centroids_from,
            "k": len(self.clusters),
            "seed": self.seed,
            "inertia": self.inertia,
            "next_cluster": self.next_id,
            "clusters": [cluster.as_json() for cluster in self.clusters],
            "feature_scale": self.scale.as_json(),
        }
        return json.dumps(content, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ClusterModel":
        """Read a model; the inverse of `to_json`.

        Raises:
            ModelError: The text is not JSON, or lacks something that a model has.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelError(f"invalid JSON: {error}") from None
        try:
            clusters = _clusters(content["clusters"])
            model = cls(
                run_id=str(content["run_id"]),
                as_of=date.fromisoformat(content["as_of"]),
                engine=content["engine"],
                centroids_from=str(content["centroids_from"]),
                seed=content["seed"],
                scale=FeatureScale.from_json(content["feature_scale"]),
                inertia=float(content["inertia"]),
                clusters=clusters,
                next_id=int(content["next_cluster"]),
                trained_in=str(content["trained_in"]),
            )
        except (KeyError, TypeError, ValueError, ArithmeticError, ScoreCardError) as error:
            problem = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise ModelError(f"{problem} (expected a model that an earlier run wrote)") from None
        ids = [cluster.id for cluster in clusters]
        if not ids or len(set(ids)) != len(ids):
            raise ModelError(f"clusters {ids} (expected at least one, each with a different id)")
        return model


def _clusters(entries: Sequence[Mapping[str, Any]]) -> tuple[Cluster, ...]:
    customers = sum(int(entry["customers"]) for entry in entries)
    revenue = sum(Decimal(entry["revenue"]) for entry in entries)
    return tuple(_cluster(entry, customers=customers, revenue=revenue) for entry in entries)


def _cluster(entry: Mapping[str, Any], *, customers: int, revenue: Decimal | int) -> Cluster:
    """A cluster with exact shares: those in JSON are rounded."""
    centroid, mean = entry["centroid"], entry["mean"]
    return Cluster(
        id=int(entry["cluster"]),
        label=int(entry["engine_label"]),
        name=str(entry["name"]),
        centroid=_point([centroid[name] for name in DIMENSIONS]),
        means=dict(zip(DIMENSIONS, _point([mean[ORIGINAL_UNITS[name]] for name in DIMENSIONS]), strict=True)),
        customers=int(entry["customers"]),
        revenue=Decimal(entry["revenue"]),
        share_of_customers=int(entry["customers"]) / customers if customers else 0.0,
        share_of_revenue=float(Decimal(entry["revenue"]) / revenue) if revenue else 0.0,
    )


def _point(values: Sequence[Any]) -> Centroid:
    if not all(map(is_number, values)):
        raise ModelError(f"invalid point {list(values)} (expected three numbers)")
    recency, frequency, monetary = map(float, values)
    return recency, frequency, monetary
