"""Drift: how far the clusters moved between two runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from transforms.changes import population_stability_index
from transforms.clusters.matching import scaled
from transforms.clusters.model import ClusterModel
from transforms.rfm.dimensions import NORMALISED_RANGE


@dataclass(frozen=True)
class Drift:
    """What moved between two runs.

    Attributes:
        against: the id of the earlier run.
        shifts: by cluster of both runs, how far its mean moved, as a share of the range 0..5. Mean weeks, purchases and
            money are compared in the scale of the earlier model.
        share_changes: by cluster of either run, its share of customers now less its share before.
        stability_index: the `population_stability_index` of the shares.
    """

    against: str
    shifts: Mapping[int, float]
    share_changes: Mapping[int, float]
    stability_index: float

    @property
    def magnitude(self) -> float:
        """The drift as one figure; 0 if nothing moved.

        It is the larger of two: the largest shift of a cluster; and the share of customers that would have to change
        clusters (half the sum of absolute changes).
        """
        moved_share = sum(map(abs, self.share_changes.values())) / 2
        return max([moved_share, *self.shifts.values()])

    def as_json(self) -> dict[str, Any]:
        """The drift as JSON, rounded to six digits."""
        return {
            "against": self.against,
            "drift": round(self.magnitude, 6),
            "shift_of_means": {str(cluster): round(shift, 6) for cluster, shift in self.shifts.items()},
            "share_change": {str(cluster): round(change, 6) for cluster, change in self.share_changes.items()},
            "population_stability_index": round(self.stability_index, 6),
        }


def drift_between(*, earlier: ClusterModel, current: ClusterModel) -> Drift:
    """Compare two models cluster by cluster, by stable cluster id.

    A cluster that only one of them has did not shift, and its whole share counts as changed.
    """
    old = {cluster.id: cluster for cluster in earlier.clusters}
    new = {cluster.id: cluster for cluster in current.clusters}
    in_both = sorted(old.keys() & new.keys())
    ids = sorted(old.keys() | new.keys())
    shifts: dict[int, float] = {}
    if in_both:
        before, after = (scaled([model[cluster].means for cluster in in_both], earlier.scale) for model in (old, new))
        lengths = np.sqrt(((after - before) ** 2).sum(axis=1)) / NORMALISED_RANGE
        shifts = {cluster: float(length) for cluster, length in zip(in_both, lengths, strict=True)}
    shares = {
        cluster: (
            new[cluster].share_of_customers if cluster in new else 0.0,
            old[cluster].share_of_customers if cluster in old else 0.0,
        )
        for cluster in ids
    }
    return Drift(
        against=earlier.run_id,
        shifts=shifts,
        share_changes={cluster: new_share - old_share for cluster, (new_share, old_share) in shares.items()},
        stability_index=population_stability_index(shares.values()),
    )
