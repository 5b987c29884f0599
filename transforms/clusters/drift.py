"""How far the clusters moved since the last run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from transforms.clusters.matching import scaled
from transforms.clusters.model import ClusterModel
from transforms.rfm.dimensions import NORMALISED_RANGE

SMALLEST_SHARE = 1e-4
"""What an empty cluster counts for in the population stability index, whose logarithm has no zero."""


@dataclass(frozen=True)
class Drift:
    """What moved between two runs.

    Attributes:
        against: the earlier run.
        shifts: how far the mean of each cluster that both have moved (mean weeks, purchases and money, brought to the
            scale of the earlier model), as a part of the scale's range 0..5.
        share_changes: share of customers, this run less the earlier one, by cluster of either.
        stability_index: the population stability index of the shares, ``sum (p - q) ln (p / q)``; by custom, below 0.1
            is stable and above 0.25 is not.
    """

    against: str
    shifts: Mapping[int, float]
    share_changes: Mapping[int, float]
    stability_index: float

    @property
    def most(self) -> float:
        """The one figure that ``--max-drift`` limits, 0 for nothing moved.

        The larger of: the largest shift of a cluster, as a part of the scale's range; and the share of customers by
        which the clusters' sizes differ (half the sum of absolute changes).
        """
        moved = sum(map(abs, self.share_changes.values())) / 2
        return max([moved, *self.shifts.values()])

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry."""
        return {
            "against": self.against,
            "drift": round(self.most, 6),
            "shift_of_means": {str(cluster): round(shift, 6) for cluster, shift in self.shifts.items()},
            "share_change": {str(cluster): round(change, 6) for cluster, change in self.share_changes.items()},
            "population_stability_index": round(self.stability_index, 6),
        }


def drift_between(*, earlier: ClusterModel, current: ClusterModel) -> Drift:
    """Compare two models cluster by cluster, by the numbers that last.

    A cluster that only one of them has moved nowhere, and its whole share counts as changed.
    """
    old = {cluster.id: cluster for cluster in earlier.clusters}
    new = {cluster.id: cluster for cluster in current.clusters}
    both = sorted(old.keys() & new.keys())
    ids = sorted(old.keys() | new.keys())
    shifts: dict[int, float] = {}
    if both:
        then, now_at = (scaled([of[cluster].means for cluster in both], earlier.scale) for of in (old, new))
        moved = now_at - then
        lengths = np.sqrt((moved**2).sum(axis=1)) / NORMALISED_RANGE
        shifts = {cluster: float(length) for cluster, length in zip(both, lengths, strict=True)}
    shares = {
        cluster: (
            new[cluster].share_of_customers if cluster in new else 0.0,
            old[cluster].share_of_customers if cluster in old else 0.0,
        )
        for cluster in ids
    }
    p, q = np.maximum(np.array(list(shares.values())).T, SMALLEST_SHARE)
    return Drift(
        against=earlier.run_id,
        shifts=shifts,
        share_changes={cluster: now_share - old_share for cluster, (now_share, old_share) in shares.items()},
        stability_index=float(((p - q) * np.log(p / q)).sum()),
    )
