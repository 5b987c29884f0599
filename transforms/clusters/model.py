"""The clusters of a run as a model in JSON, with which customers can be assigned later without training."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeVar, get_args

from transforms.bounded_text import JSONTextError, parse_object, shown
from transforms.clusters.assignments import HIGHEST_LABEL, Centroid
from transforms.rfm.dimensions import DIMENSIONS, ScoreCardError, is_number
from transforms.rfm.feature_scale import FeatureScale

SEED = 42
"""The seed of every random choice, as in the workshop."""

ORIGINAL_UNITS = {"recency": "weeks", "frequency": "purchases", "monetary": "currency_per_purchase"}
"""The key of each dimension's mean in JSON."""

TrainingEngine = Literal["spark", "sagemaker"]
ENGINES: tuple[TrainingEngine, ...] = get_args(TrainingEngine)

LONGEST = 8_000_000
"""Characters of a model. A cluster has some 500."""

LONGEST_NAME = 300
LARGEST_COUNT = 2**63 - 1

FARTHEST = 1e30
"""The largest coordinate of a point: what single precision holds, and squares of it are finite doubles."""

MONEY = re.compile(r"-?[0-9]{1,34}(\.[0-9]{1,4})?")
IN_WORDS: Mapping[type, str] = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}
Value = TypeVar("Value", str, int, list[Any], dict[str, Any])


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
            ModelError: The text is not JSON, exceeds a bound of `parse_object`, or lacks something that a model has.
        """
        try:
            content = parse_object(text, longest=LONGEST)
            clusters = _clusters(_field(content, "clusters", list))
            model = cls(
                run_id=_name(content, "run_id"),
                as_of=_date(content, "as_of"),
                engine=_engine(content),
                centroids_from=_name(content, "centroids_from"),
                seed=None if content.get("seed") is None else _count(content, "seed"),
                scale=FeatureScale.from_json(content.get("feature_scale")),
                inertia=_finite(content, "inertia"),
                clusters=clusters,
                next_id=_count(content, "next_cluster"),
                trained_in=_name(content, "trained_in"),
            )
        except (JSONTextError, ScoreCardError, ModelError) as error:
            raise ModelError(f"{error}; no run wrote it so") from None
        ids = [cluster.id for cluster in clusters]
        if not ids or len(set(ids)) != len(ids):
            raise ModelError(f"clusters {shown(ids)} (expected at least one, each with a different id)")
        if model.next_id <= max(ids):
            raise ModelError(
                f'"next_cluster" is {model.next_id} (expected a number above the last cluster, {max(ids)})'
            )
        return model


def _clusters(entries: Sequence[Any]) -> tuple[Cluster, ...]:
    if len(entries) > HIGHEST_LABEL:
        raise ModelError(f"found {len(entries):,} clusters, expected at most {HIGHEST_LABEL:,}")
    for entry in entries:
        if not isinstance(entry, dict):
            raise ModelError(f'"clusters" has {shown(entry)}, expected objects')
    customers = sum(_count(entry, "customers") for entry in entries)
    revenue = sum(_money(entry, "revenue") for entry in entries)
    return tuple(_cluster(entry, customers=customers, revenue=revenue) for entry in entries)


def _cluster(entry: Mapping[str, Any], *, customers: int, revenue: Decimal | int) -> Cluster:
    """A cluster with exact shares: those in JSON are rounded."""
    centroid, mean = _field(entry, "centroid", dict), _field(entry, "mean", dict)
    own_customers, own_revenue = _count(entry, "customers"), _money(entry, "revenue")
    return Cluster(
        id=_count(entry, "cluster"),
        label=_count(entry, "engine_label"),
        name=_name(entry, "name"),
        centroid=_point([centroid.get(name) for name in DIMENSIONS]),
        means=dict(zip(DIMENSIONS, _point([mean.get(ORIGINAL_UNITS[name]) for name in DIMENSIONS]), strict=True)),
        customers=own_customers,
        revenue=own_revenue,
        share_of_customers=own_customers / customers if customers else 0.0,
        share_of_revenue=float(own_revenue / revenue) if revenue else 0.0,
    )


def _field(content: Mapping[str, Any], name: str, kind: type[Value]) -> Value:
    """A field of the JSON type that it must have. A boolean is no number."""
    value = content.get(name)
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    actual = "is missing" if name not in content else f"is {shown(value)}"
    raise ModelError(f'"{name}" {actual}, expected {IN_WORDS[kind]}')


def _name(content: Mapping[str, Any], name: str) -> str:
    value = _field(content, name, str)
    if not value.isprintable() or len(value) > LONGEST_NAME:
        raise ModelError(f'"{name}" is {shown(value)}, expected at most {LONGEST_NAME} printable characters')
    return value


def _count(content: Mapping[str, Any], name: str) -> int:
    value = _field(content, name, int)
    if not 0 <= value <= LARGEST_COUNT:
        raise ModelError(f'"{name}" is {shown(value)}, expected 0 to {LARGEST_COUNT}')
    return value


def _finite(content: Mapping[str, Any], name: str) -> float:
    value: Any = content.get(name)
    if not is_number(value):
        raise ModelError(f'"{name}" is {shown(value)}, expected a number')
    return float(value)


def _money(content: Mapping[str, Any], name: str) -> Decimal:
    value = _field(content, name, str)
    if not MONEY.fullmatch(value):
        raise ModelError(f'"{name}" is {shown(value)}, expected an amount as text, such as "35.5000"')
    return Decimal(value)


def _date(content: Mapping[str, Any], name: str) -> date:
    value = _field(content, name, str)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ModelError(f'"{name}" is {shown(value)}, expected a date such as "2018-10-17"') from None


def _engine(content: Mapping[str, Any]) -> TrainingEngine:
    for engine in ENGINES:
        if content.get("engine") == engine:
            return engine
    raise ModelError(f'"engine" is {shown(content.get("engine"))}, expected {" or ".join(ENGINES)}')


def _point(values: Sequence[Any]) -> Centroid:
    if not all(is_number(value) and abs(value) <= FARTHEST for value in values):
        raise ModelError(f"invalid point {shown(list(values))} (expected three numbers within ±{FARTHEST:g})")
    recency, frequency, monetary = map(float, values)
    return recency, frequency, monetary
