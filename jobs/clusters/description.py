"""What the clusters of a run are: numbers that last, names, sizes and money, and how far they moved."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, Row

from jobs.clusters.assigning import Assigned
from jobs.clusters.previous import Earlier
from jobs.errors import DataError
from transforms.clusters.assignments import Centroid, cluster_sums
from transforms.clusters.drift import Drift, drift_between
from transforms.clusters.matching import Means, first_ids, matched_ids
from transforms.clusters.model import SEED, Cluster, ClusterModel
from transforms.clusters.names import Position, cluster_names
from transforms.rfm.dimensions import DIMENSIONS
from transforms.rfm.feature_scale import FeatureScale

AGREES = 1e-3
"""How far a stated distance may be from ours and still be taken for the same: SageMaker's are single precision."""

NOT_NEAREST = 1e-3
"""The part of the customers that may be nearer to another centroid of the model that assigned them. Of another model
it is most of them."""


@dataclass(frozen=True)
class Found:
    """The clusters of a run.

    Attributes:
        model: the clusters.
        ids: the number that lasts, by the engine's own.
        centroids: by the engine's own number.
        previous: the model that they were matched to.
        drift: since then; None for a first run.
        assigned: what the engine said.
        stated_distance: what the engine's own distances are: distance, square, or neither; not known where its
            centroids are not.
    """

    model: ClusterModel
    ids: Mapping[int, int]
    centroids: Mapping[int, Centroid]
    previous: ClusterModel | None
    drift: Drift | None
    assigned: Assigned
    stated_distance: str

    @property
    def names(self) -> dict[int, str]:
        """What each is called, by the number that lasts."""
        return {cluster.id: cluster.name for cluster in self.model.clusters}

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry."""
        choice, applied = self.assigned.choice, self.assigned.applied
        return {
            "engine": self.model.engine,
            "assignments": self.assigned.path,
            "centroids_from": self.model.centroids_from,
            "k": len(self.model.clusters),
            "k_asked": self.assigned.asked,
            "choice_of_k": choice.as_json() if choice else None,
            "inertia": self.model.inertia,
            "feature_scale": self.model.scale.kind,
            "applied": applied.run_id if applied else None,
            "matched_to": self.previous.run_id if self.previous and not applied else None,
            "stated_distance": self.stated_distance,
            "drift": self.drift.as_json() if self.drift else None,
            "clusters": [cluster.as_json() for cluster in self.model.clusters],
        }


@dataclass(frozen=True)
class Origin:
    """Which run the clusters are of, in which scale, and what they are matched to."""

    run_id: str
    as_of: date
    scale: FeatureScale
    earlier: Earlier


@dataclass(frozen=True)
class Sums:
    """What the clusters add up to, by the engine's own number: the rows of `cluster_sums`."""

    rows: Mapping[int, Row]

    @property
    def customers(self) -> int:
        """All of them."""
        return sum(row["customers"] for row in self.rows.values())

    @property
    def revenue(self) -> Decimal:
        """All that they spent."""
        return sum((row["revenue"] for row in self.rows.values()), Decimal(0))

    @property
    def means(self) -> dict[int, Means]:
        """Where the clusters are, in weeks, purchases and money."""
        return {label: {name: row[name] for name in DIMENSIONS} for label, row in self.rows.items()}


def describe_clusters(
    checked: DataFrame, *, assigned: Assigned, centroids: Mapping[int, Centroid], origin: Origin
) -> Found:
    """Add up the clusters, match them to the previous ones, and name them.

    Grain in: one row per customer, `CHECKED_ASSIGNMENTS` without faults. One query, whose result has a row per cluster.

    Raises:
        DataError: A customer is in a cluster that the model does not have, or the model is of another training.
    """
    sums = Sums({row["cluster"]: row for row in cluster_sums(checked=checked, centroids=centroids).collect()})
    strangers = sorted(sums.rows.keys() - centroids.keys())
    if strangers:
        raise DataError(
            f"{assigned.path}: customers in cluster {strangers[0]}, expected 0 to {max(centroids)} as the model has "
            "it. Take the assignments and the model of one training job"
        )
    _raise_if_of_another_training(sums, assigned)
    applied, previous = assigned.applied, origin.earlier.model
    first_free = max(origin.earlier.first_free, applied.next_id if applied else 0)
    inhabited = {label: at for label, at in centroids.items() if label in sums.rows or applied}
    if applied:
        ids = {label: label for label in inhabited}
    else:
        ids = matched_ids(sums.means, previous, first_free=first_free) if previous else first_ids(sums.means)
    model = ClusterModel(
        run_id=origin.run_id,
        as_of=origin.as_of,
        engine=assigned.engine,
        centroids_from=assigned.centroids_from,
        seed=applied.seed if applied else SEED if assigned.engine == "spark" else None,
        scale=origin.scale,
        inertia=math.fsum(row["squares"] for row in sums.rows.values()),
        clusters=_clusters(sums, ids=ids, centroids=inhabited, applied=applied),
        next_id=max([first_free, *(number + 1 for number in ids.values())]),
        trained_in=applied.trained_in if applied else origin.run_id,
    )
    return Found(
        model=model,
        ids=ids,
        centroids=inhabited,
        previous=previous,
        drift=drift_between(earlier=previous, current=model) if previous else None,
        assigned=assigned,
        stated_distance=_stated_distance(sums) if assigned.centroids else "not known",
    )


def _raise_if_of_another_training(sums: Sums, assigned: Assigned) -> None:
    """Engines assign to the nearest centroid; who is nearer to another one was assigned by another model.

    Raises:
        DataError: More customers are than rounding makes.
    """
    astray = sum(row["not_nearest"] for row in sums.rows.values())
    if assigned.centroids is not None and astray > NOT_NEAREST * sums.customers:
        raise DataError(
            f"{assigned.path}: {astray:,} of {sums.customers:,} customers are nearer to another centroid of "
            f"{assigned.centroids_from} than to their own. Take the assignments and the model of one training job"
        )


def _clusters(
    sums: Sums, *, ids: Mapping[int, int], centroids: Mapping[int, Centroid], applied: ClusterModel | None
) -> tuple[Cluster, ...]:
    known = {cluster.id: cluster for cluster in applied.clusters} if applied else {}
    names = {cluster.id: cluster.name for cluster in known.values()} or _names(sums, ids)
    found = []
    for label, at in centroids.items():
        row = sums.rows.get(label)
        money = row["revenue"] if row else Decimal("0.0000")
        customers = row["customers"] if row else 0
        found.append(
            Cluster(
                id=ids[label],
                label=label,
                name=names[ids[label]],
                centroid=at,
                # A cluster that nobody is in today is where it was.
                means=sums.means[label] if row else known[label].means,
                customers=customers,
                revenue=money,
                share_of_customers=customers / sums.customers,
                share_of_revenue=float(money / sums.revenue) if sums.revenue else 0.0,
            )
        )
    return tuple(sorted(found, key=lambda cluster: cluster.id))


def _names(sums: Sums, ids: Mapping[int, int]) -> dict[int, str]:
    overall = {
        name: math.fsum(row[name] * row["customers"] for row in sums.rows.values()) / sums.customers
        for name in DIMENSIONS
    }
    positions = {ids[label]: Position(mean) for label, mean in sums.means.items()}
    return cluster_names(clusters=positions, overall=Position(overall))


def _stated_distance(sums: Sums) -> str:
    """What the engine calls a distance: AWS's manual does not say whether it is squared, so it is looked at."""
    for name, off in (("distance", "off_distance"), ("square", "off_square")):
        if max(row[off] for row in sums.rows.values()) <= AGREES:
            return name
    return "neither"
