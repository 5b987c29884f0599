"""The clusters of a run: stable ids, names, sizes and money, and their drift."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, Row

from jobs.cli.config import ClustersConfig
from jobs.clusters.assigning import Assignments
from jobs.clusters.previous import KMEANS_MODEL, PreviousClusters
from jobs.errors import DataError
from transforms.clusters.assignments import Centroid, cluster_sums
from transforms.clusters.drift import Drift, drift_between
from transforms.clusters.matching import Means, first_ids, matched_ids
from transforms.clusters.model import SEED, Cluster, ClusterModel
from transforms.clusters.names import Position, cluster_names
from transforms.rfm.dimensions import DIMENSIONS
from transforms.rfm.feature_scale import FeatureScale

SAME_DISTANCE = 1e-3
"""How far a stated distance may be from ours and still be the same: SageMaker's are single precision."""

NOT_NEAREST = 1e-3
"""The share of customers that may be nearer to another centroid of the model that assigned them, by rounding.

If another model assigned them, it is most of them.
"""


@dataclass(frozen=True)
class RunClusters:
    """The clusters of a run.

    Attributes:
        config: how customers were clustered.
        model: the clusters.
        ids: the stable id of each cluster, by the engine's label.
        centroids: by the engine's label.
        previous: the model that they were matched to.
        drift: since then; None for a first run.
        assignments: how customers were assigned.
        stated_distance: what the engine's distances are: distance, square or neither; not known where its centroids
            are not.
    """

    config: ClustersConfig
    model: ClusterModel
    ids: Mapping[int, int]
    centroids: Mapping[int, Centroid]
    previous: ClusterModel | None
    drift: Drift | None
    assignments: Assignments
    stated_distance: str

    @property
    def names(self) -> dict[int, str]:
        """Each cluster's name, by its stable id."""
        return {cluster.id: cluster.name for cluster in self.model.clusters}

    def configuration(self) -> Mapping[str, Any]:
        """The settings that a customer's cluster depends on."""
        applied, config = self.assignments.applied, self.config
        is_trained_here = self.model.engine == "spark" and applied is None
        kmeans = {
            "engine": self.model.engine,
            "k": config.k if is_trained_here else None,
            "k_range": list(config.k_range) if is_trained_here and config.k == "auto" else None,
            "feature_scale": self.model.scale.kind,
            "score_with": applied.run_id if applied else None,
            "match": config.match,
        }
        return {"kmeans": kmeans}

    def manifest_entries(self) -> Mapping[str, Any]:
        """The clusters, and how they came about."""
        choice, applied = self.assignments.choice, self.assignments.applied
        kmeans = {
            "file": f"runs/{self.model.run_id}/{KMEANS_MODEL}",
            "engine": self.model.engine,
            "assignments": self.assignments.path,
            "centroids_from": self.model.centroids_from,
            "k": len(self.model.clusters),
            "k_asked": self.assignments.requested_k,
            "choice_of_k": choice.as_json() if choice else None,
            "inertia": self.model.inertia,
            "feature_scale": self.model.scale.kind,
            "applied": applied.run_id if applied else None,
            "matched_to": self.previous.run_id if self.previous and not applied else None,
            "stated_distance": self.stated_distance,
            "drift": self.drift.as_json() if self.drift else None,
            "clusters": [cluster.as_json() for cluster in self.model.clusters],
        }
        return {"kmeans": kmeans}


@dataclass(frozen=True)
class Origin:
    """The run of the clusters, the scale of their features, and the clusters that they are matched to."""

    run_id: str
    as_of: date
    scale: FeatureScale
    previous: PreviousClusters


@dataclass(frozen=True)
class Sums:
    """Sums over the customers of each cluster, by the engine's label: the rows of `cluster_sums`."""

    rows: Mapping[int, Row]

    @property
    def customers(self) -> int:
        """Customers of all clusters."""
        return sum(row["customers"] for row in self.rows.values())

    @property
    def revenue(self) -> Decimal:
        """What all customers spent."""
        return sum((row["revenue"] for row in self.rows.values()), Decimal(0))

    @property
    def means(self) -> dict[int, Means]:
        """Mean weeks, purchases and money per purchase of each cluster's customers."""
        return {label: {name: row[name] for name in DIMENSIONS} for label, row in self.rows.items()}


def describe_clusters(
    assigned: DataFrame,
    *,
    assignments: Assignments,
    centroids: Mapping[int, Centroid],
    origin: Origin,
    config: ClustersConfig,
) -> RunClusters:
    """Add up the clusters, match them to the previous ones, and name them.

    Grain in: one row per customer, `ASSIGNED_CUSTOMERS`. One query, whose result has a row per cluster.

    Raises:
        DataError: A customer is in a cluster that the model does not have, another model assigned the customers, or
            a distance is not a number.
    """
    sums = Sums({row["cluster"]: row for row in cluster_sums(assigned=assigned, centroids=centroids).collect()})
    unknown = sorted(sums.rows.keys() - centroids.keys())
    if unknown:
        raise DataError(
            f"{assignments.source}: found customers in cluster {unknown[0]}, expected the model's 0 to "
            f"{max(centroids)}. Give the assignments and the model of one training job"
        )
    _raise_if_other_model(sums, assignments)
    applied, previous = assignments.applied, origin.previous.model
    first_free = max(origin.previous.first_free, applied.next_id if applied else 0)
    inhabited = {label: at for label, at in centroids.items() if label in sums.rows or applied}
    if applied:
        ids = {label: label for label in inhabited}
    else:
        ids = matched_ids(sums.means, previous, first_free=first_free) if previous else first_ids(sums.means)
    model = ClusterModel(
        run_id=origin.run_id,
        as_of=origin.as_of,
        engine=assignments.engine,
        centroids_from=assignments.centroids_from,
        seed=applied.seed if applied else SEED if assignments.engine == "spark" else None,
        scale=origin.scale,
        inertia=_inertia(sums, assignments),
        clusters=_clusters(sums, ids=ids, centroids=inhabited, applied=applied),
        next_id=max([first_free, *(number + 1 for number in ids.values())]),
        trained_in=applied.trained_in if applied else origin.run_id,
    )
    return RunClusters(
        config=config,
        model=model,
        ids=ids,
        centroids=inhabited,
        previous=previous,
        drift=drift_between(earlier=previous, current=model) if previous else None,
        assignments=assignments,
        stated_distance=_stated_distance(sums) if assignments.centroids else "not known",
    )


def _raise_if_other_model(sums: Sums, assignments: Assignments) -> None:
    """Engines assign a customer to the nearest centroid. One who is nearer to another was assigned by another model.

    Raises:
        DataError: More customers are nearer to another centroid than rounding explains.
    """
    misplaced = sum(row["not_nearest"] for row in sums.rows.values())
    if assignments.centroids is not None and misplaced > NOT_NEAREST * sums.customers:
        raise DataError(
            f"{assignments.source}: {misplaced:,} of {sums.customers:,} customers are nearer to another centroid of "
            f"{assignments.centroids_from} than to their own. Give the assignments and the model of one training job"
        )


def _inertia(sums: Sums, assignments: Assignments) -> float:
    """The sum of squared distances.

    Raises:
        DataError: It is not finite, as with features that single precision cannot hold.
    """
    inertia = math.fsum(row["squares"] for row in sums.rows.values())
    if not math.isfinite(inertia):
        raise DataError(
            f"{assignments.source}: the squared distances to the centroids add up to {inertia}, expected a number. "
            "Compare rfm with the bounds in the score card: features are too large for single precision"
        )
    return inertia


def _clusters(
    sums: Sums, *, ids: Mapping[int, int], centroids: Mapping[int, Centroid], applied: ClusterModel | None
) -> tuple[Cluster, ...]:
    applied_clusters = {cluster.id: cluster for cluster in applied.clusters} if applied else {}
    names = {cluster.id: cluster.name for cluster in applied_clusters.values()} or _names(sums, ids)
    clusters = []
    for label, at in centroids.items():
        row = sums.rows.get(label)
        money = row["revenue"] if row else Decimal("0.0000")
        customers = row["customers"] if row else 0
        clusters.append(
            Cluster(
                id=ids[label],
                label=label,
                name=names[ids[label]],
                centroid=at,
                # A cluster without customers today stays where it was.
                means=sums.means[label] if row else applied_clusters[label].means,
                customers=customers,
                revenue=money,
                share_of_customers=customers / sums.customers,
                share_of_revenue=float(money / sums.revenue) if sums.revenue else 0.0,
            )
        )
    return tuple(sorted(clusters, key=lambda cluster: cluster.id))


def _names(sums: Sums, ids: Mapping[int, int]) -> dict[int, str]:
    overall = {
        name: math.fsum(row[name] * row["customers"] for row in sums.rows.values()) / sums.customers
        for name in DIMENSIONS
    }
    positions = {ids[label]: Position(mean) for label, mean in sums.means.items()}
    return cluster_names(clusters=positions, overall=Position(overall))


def _stated_distance(sums: Sums) -> str:
    """What the engine states as a distance: AWS's manual does not say whether it is squared, so it is compared."""
    for name, off in (("distance", "off_distance"), ("square", "off_square")):
        if max(row[off] for row in sums.rows.values()) <= SAME_DISTANCE:
            return name
    return "neither"
