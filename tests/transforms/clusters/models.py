"""Cluster models that a test writes down in a line."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from transforms.clusters.model import Cluster, ClusterModel
from transforms.rfm.dimensions import Bounds
from transforms.rfm.feature_scale import FeatureScale

# Weeks 0..100, purchases 1..11, money 0..1000: one unit of 0..5 is 20 weeks, 2 purchases or 200.
SCALE = FeatureScale("minmax", {"recency": Bounds(0, 100), "frequency": Bounds(1, 11), "monetary": Bounds(0, 1000)})


def means(recency: float, frequency: float, monetary: float) -> dict[str, float]:
    return {"recency": recency, "frequency": frequency, "monetary": monetary}


def model(
    clusters: Mapping[int, tuple[float, float, float]], *, sizes: Mapping[int, int] | None = None, next_id: int = 0
) -> ClusterModel:
    """A model with clusters at these means: weeks, purchases and money per purchase."""
    sizes = sizes or dict.fromkeys(clusters, 1)
    customers = sum(sizes.values())
    entries = []
    for cluster, (recency, frequency, monetary) in clusters.items():
        at = (recency / 20, (frequency - 1) / 2, monetary / 200)
        share = sizes[cluster] / customers
        entries.append(
            Cluster(
                id=cluster,
                label=cluster,
                name=f"cluster {cluster}",
                centroid=at,
                means=means(recency, frequency, monetary),
                customers=sizes[cluster],
                revenue=Decimal("1.0000"),
                share_of_customers=share,
                share_of_revenue=1 / len(clusters),
            )
        )
    return ClusterModel(
        run_id="2018-06-30-earlier",
        as_of=date(2018, 6, 30),
        engine="spark",
        centroids_from="training by Spark ML",
        seed=42,
        scale=SCALE,
        inertia=0.5,
        clusters=tuple(entries),
        next_id=next_id or max(clusters) + 1,
        trained_in="2018-06-30-earlier",
    )
