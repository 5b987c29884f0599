"""Stable cluster ids: which cluster of a new training is which cluster of the previous model."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from transforms.clusters.model import ClusterModel
from transforms.rfm.dimensions import DIMENSIONS
from transforms.rfm.feature_scale import FeatureScale

Means = Mapping[str, float]
"""The mean weeks, purchases and money per purchase of a cluster's customers, by dimension."""


def matched_ids(means: Mapping[int, Means], previous: ClusterModel, *, first_free: int = 0) -> dict[int, int]:
    """Match clusters to those of a previous model, and give each its stable cluster id.

    Clusters are compared by the mean weeks, purchases and money of their customers, both in the scale of the *previous*
    model. The new scale is fitted to other customers: in it, a single new big spender would move every old cluster.

    The pairs have the least total squared distance (the assignment problem). New clusters without a partner get the
    next free ids. Old ids without a partner are not used again.

    Args:
        means: the means of each cluster, by label of the engine.
        previous: the clusters to match to.
        first_free: the lowest id that was never used, if it is above that of the previous model.

    Returns:
        The stable cluster id, by label.
    """
    first_free = max(first_free, previous.next_id)
    labels = sorted(means)
    old = previous.clusters
    new_points = scaled([means[label] for label in labels], previous.scale)
    old_points = scaled([cluster.means for cluster in old], previous.scale)
    costs = ((new_points[:, None, :] - old_points[None, :, :]) ** 2).sum(axis=2)
    rows, columns = linear_sum_assignment(costs)
    ids = {labels[row]: old[column].id for row, column in zip(rows, columns, strict=True)}
    unmatched = [label for label in labels if label not in ids]
    by_money = sorted(unmatched, key=lambda label: (-means[label]["monetary"], label))
    return ids | {label: first_free + position for position, label in enumerate(by_money)}


def first_ids(means: Mapping[int, Means]) -> dict[int, int]:
    """The ids of a first run, by label: 0 for the cluster that spends most per purchase, and so on."""
    by_money = sorted(means, key=lambda label: (-means[label]["monetary"], label))
    return {label: position for position, label in enumerate(by_money)}


def scaled(means: Sequence[Means], scale: FeatureScale) -> np.ndarray:
    """Means in a scale of features, one row each."""
    return np.array([[scale.value(name, point[name]) for name in DIMENSIONS] for point in means], dtype=float)
