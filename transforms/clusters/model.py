"""The clusters of a run as JSON: with it, customers can be assigned next year without training."""

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
"""Of every random choice, as in the workshop."""

KMEANS_MODEL = "kmeans_model.json"

ORIGINAL_UNITS = {"recency": "weeks", "frequency": "purchases", "monetary": "currency_per_purchase"}
"""What a dimension's mean is called in the file."""

TrainingEngine = Literal["spark", "sagemaker"]


class ModelError(ValueError):
    """The text is no model; the message says what was found and what was expected."""


@dataclass(frozen=True)
class Cluster:
    """One cluster.

    Attributes:
        id: the number that lasts from run to run.
        label: the engine's own number.
        name: what people call it.
        centroid: in the features' scale, single precision.
        means: of its customers, by dimension in its unit.
        customers: how many they are.
        revenue: all that they spent, exact.
        share_of_customers, share_of_revenue: of all of this run, 0 to 1.
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
        """The cluster's entry in the file."""
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
    """All clusters of a run, and how they were found.

    Attributes:
        run_id: the run.
        as_of: its day.
        engine: who trained.
        centroids_from: where the centroids come from, in words.
        seed: of the training; None where the engine takes none.
        scale: of the features.
        inertia: sum of squared distances of customers to their centroids, in units of the features.
        clusters: in the order of their ids.
        next_id: the number that the next new cluster gets; none is ever used for another one again.
        trained_in: the run that trained it: this one, unless it was only applied here.
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
        """The centroids by the ids that last."""
        return {cluster.id: cluster.centroid for cluster in self.clusters}

    def to_json(self) -> str:
        """The model as text that people can read and `from_json` gives back."""
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
            ModelError: It is none.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelError(f"no JSON: {error}") from None
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
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise ModelError(f"{what} (expected a file that an earlier run wrote)") from None
        ids = [cluster.id for cluster in clusters]
        if not ids or len(set(ids)) != len(ids):
            raise ModelError(f"clusters {ids} (expected at least one, each with a number of its own)")
        return model


def _clusters(entries: Sequence[Mapping[str, Any]]) -> tuple[Cluster, ...]:
    customers = sum(int(entry["customers"]) for entry in entries)
    revenue = sum(Decimal(entry["revenue"]) for entry in entries)
    return tuple(_cluster(entry, customers=customers, revenue=revenue) for entry in entries)


def _cluster(entry: Mapping[str, Any], *, customers: int, revenue: Decimal | int) -> Cluster:
    """A cluster, its shares to the last digit: those in the file are rounded, for people."""
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
        raise ModelError(f"{list(values)} is no point (expected three numbers)")
    recency, frequency, monetary = map(float, values)
    return recency, frequency, monetary
