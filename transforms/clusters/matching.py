"""Which cluster of this run is which of the last one: numbers that stay with their customers."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from transforms.clusters.model import ClusterModel
from transforms.rfm.dimensions import DIMENSIONS
from transforms.rfm.feature_scale import FeatureScale

Means = Mapping[str, float]
"""Mean weeks, purchases and money per purchase of a cluster's customers, by dimension."""


def matched_ids(means: Mapping[int, Means], previous: ClusterModel, *, first_free: int = 0) -> dict[int, int]:
    """The number that lasts of each cluster, by the engine's own number.

    Clusters are compared where they are in the real world: by the mean weeks, purchases and money of their customers,
    both sides brought to the scale of the *previous* model. The new run's own scale will not do: it is fitted to other
    customers, and a single new big spender would move every old cluster in it.

    The pairing is the one of least total squared distance (the assignment problem). With more clusters than before,
    those left over get the next numbers; with fewer, the numbers left over rest. No number is used again for another
    cluster.

    Args:
        means: where the clusters are, by the engine's own number.
        previous: the clusters that they are matched to.
        first_free: the first number that no run has used, where that is known to be above the previous model's own.
    """
    first_free = max(first_free, previous.next_id)
    labels = sorted(means)
    old = previous.clusters
    new_points = scaled([means[label] for label in labels], previous.scale)
    old_points = scaled([cluster.means for cluster in old], previous.scale)
    costs = ((new_points[:, None, :] - old_points[None, :, :]) ** 2).sum(axis=2)
    rows, columns = linear_sum_assignment(costs)
    ids = {labels[row]: old[column].id for row, column in zip(rows, columns, strict=True)}
    left_over = [label for label in labels if label not in ids]
    by_money = sorted(left_over, key=lambda label: (-means[label]["monetary"], label))
    return ids | {label: first_free + position for position, label in enumerate(by_money)}


def first_ids(means: Mapping[int, Means]) -> dict[int, int]:
    """The numbers of a first run: 0 for the cluster whose customers spend most per purchase, and so on down."""
    by_money = sorted(means, key=lambda label: (-means[label]["monetary"], label))
    return {label: position for position, label in enumerate(by_money)}


def scaled(means: Sequence[Means], scale: FeatureScale) -> np.ndarray:
    """Means in a scale of features, one row each."""
    return np.array([[scale.value(name, point[name]) for name in DIMENSIONS] for point in means], dtype=float)
