"""The choice of k: figures for each candidate on a bounded sample, and the candidate that has the best structure.

Everything runs in numpy and scipy on at most `SAMPLE_SIZE` customers, so that nothing grows with the data.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.cluster.vq import kmeans2, vq

from transforms.clusters.model import SEED

SAMPLE_SIZE = 20_000
RESAMPLED = 4_000
"""The size of a bootstrap sample, and of a cloud."""

STARTS = 5
BOOTSTRAPS = 8
CLOUDS = 5
ITERATIONS = 50
"""Iterations of Lloyd's algorithm."""

MIN_GAIN = 0.05
MIN_AGREEMENT = 0.8
MIN_SHARE = 0.01


@dataclass(frozen=True)
class Candidate:
    """The figures of one number of clusters.

    Attributes:
        k: the number of clusters.
        inertia: the sum of squared distances to the centroids, over the sample.
        silhouette: the mean of ``1 - a / b``, with a the distance to the own centroid and b to the next one. This is
            the simplified silhouette, which needs no distances between customers.
        cloud: the mean silhouette of clouds: points without structure, as wide in each principal direction.
        margin: how far a silhouette may exceed that of the clouds by chance.
        smallest_share: the share of customers in the smallest cluster.
        agreement: the mean adjusted Rand index of the clusters and those of bootstrap samples; 1 if they are the same.
    """

    k: int
    inertia: float
    silhouette: float
    cloud: float
    margin: float
    smallest_share: float
    agreement: float

    @property
    def is_structure(self) -> bool:
        """Whether the clusters are tighter than those of clouds, come again in bootstraps, and are not tiny."""
        is_tighter = self.silhouette > self.cloud + self.margin
        return is_tighter and self.agreement >= MIN_AGREEMENT and self.smallest_share >= MIN_SHARE

    def as_json(self) -> dict[str, Any]:
        """The figures as JSON, rounded to four digits."""
        rounded = {name: round(value, 4) for name, value in vars(self).items() if name not in ("k", "inertia")}
        return {"k": self.k, "inertia": self.inertia, **rounded, "is_structure": self.is_structure}


@dataclass(frozen=True)
class ChoiceOfK:
    """The number of clusters that was chosen.

    Attributes:
        k: the number of clusters; the fallback if no candidate has structure.
        has_structure: whether any candidate does better than chance.
        sample: the number of customers in the sample.
        table: the candidates, in ascending order.
    """

    k: int
    has_structure: bool
    sample: int
    table: tuple[Candidate, ...]

    def as_json(self) -> dict[str, Any]:
        """The choice and its candidates as JSON."""
        verdict = "structure found" if self.has_structure else "no structure"
        candidates = [candidate.as_json() for candidate in self.table]
        return {"k": self.k, "verdict": verdict, "sample": self.sample, "tried": candidates}


def choose_k(points: np.ndarray, *, lowest: int, highest: int, fallback: int, seed: int = SEED) -> ChoiceOfK:
    """Choose the number of clusters: of the candidates with structure, the one with the highest silhouette.

    Args:
        points: the features of a sample of customers, one row each.
        lowest: the first candidate, at least 2.
        highest: the last candidate; reduced to the number of distinct points.
        fallback: the number if no candidate has structure.
        seed: the seed of all random choices, so that the same sample gives the same answer.
    """
    random = np.random.default_rng(seed)
    distinct = len(np.unique(points, axis=0))
    clouds = [_cloud(points, random) for _ in range(CLOUDS)] if distinct > 1 else []
    table = [_candidate(points, k, clouds, random) for k in range(lowest, min(highest, distinct) + 1)]
    structured = [candidate for candidate in table if candidate.is_structure]
    best = max(structured, key=lambda candidate: (candidate.silhouette, -candidate.k), default=None)
    return ChoiceOfK(best.k if best else fallback, best is not None, len(points), tuple(table))


def adjusted_rand(one: np.ndarray, other: np.ndarray) -> float:
    """The adjusted Rand index of two labellings (Hubert and Arabie): 1 for the same groups, about 0 for chance."""
    _, rows = np.unique(one, return_inverse=True)
    _, columns = np.unique(other, return_inverse=True)
    contingency = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(contingency, (rows, columns), 1)
    pairs, by_row, by_column = (
        _pairs(counts).sum() for counts in (contingency, contingency.sum(axis=1), contingency.sum(axis=0))
    )
    expected = by_row * by_column / _pairs(np.array(len(one)))
    highest = (by_row + by_column) / 2
    return 1.0 if highest == expected else float((pairs - expected) / (highest - expected))


def _pairs(counts: np.ndarray) -> np.ndarray:
    pairs: np.ndarray = counts * (counts - 1) / 2
    return pairs


def _candidate(points: np.ndarray, k: int, clouds: Sequence[np.ndarray], random: np.random.Generator) -> Candidate:
    centroids = _centroids(points, k, random, starts=STARTS)
    labels, distances = vq(points, centroids)
    sizes = np.bincount(labels, minlength=k)
    cloud_silhouettes = [_silhouette(cloud, _centroids(cloud, k, random, starts=2)) for cloud in clouds]
    return Candidate(
        k=k,
        inertia=float((distances**2).sum()),
        silhouette=_silhouette(points, centroids),
        cloud=float(np.mean(cloud_silhouettes)),
        margin=max(MIN_GAIN, 3 * float(np.std(cloud_silhouettes))),
        smallest_share=float(sizes.min() / len(points)),
        agreement=_agreement(points, labels, k, random),
    )


def _agreement(points: np.ndarray, labels: np.ndarray, k: int, random: np.random.Generator) -> float:
    indexes = []
    for _ in range(BOOTSTRAPS):
        drawn = points[random.integers(0, len(points), size=min(len(points), RESAMPLED))]
        resampled_labels, _ = vq(points, _centroids(drawn, k, random, starts=2))
        indexes.append(adjusted_rand(labels, resampled_labels))
    return float(np.mean(indexes))


def _silhouette(points: np.ndarray, centroids: np.ndarray) -> float:
    distances = np.sqrt(((points[:, None, :] - centroids[None, :, :]) ** 2).sum(axis=2))
    distances.partition(1, axis=1)
    own, other = distances[:, 0], distances[:, 1]
    return float(np.mean(1 - np.divide(own, other, out=np.ones_like(own), where=other > 0)))


def _cloud(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Points without structure: uniform along each principal direction, with the width of the sample's middle half.

    The bounding box or the variance would not do: a few outliers stretch both. A cloud that is wide where nearly all
    customers are alike makes slices of one line look like groups.
    """
    centred = points - points.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    along = centred @ directions.T
    lower, upper = np.quantile(along, [0.25, 0.75], axis=0)
    widths = 2 * (upper - lower)
    if not widths.any():  # more than half of the customers are one point
        widths = np.std(along, axis=0) * math.sqrt(12)
    size = (min(len(points), RESAMPLED), along.shape[1])
    cloud: np.ndarray = (random.random(size) - 0.5) * widths
    return cloud


def _centroids(points: np.ndarray, k: int, random: np.random.Generator, *, starts: int) -> np.ndarray:
    """The best of several runs of Lloyd's algorithm, each initialised by k-means++."""
    best, lowest = points[:k], math.inf
    for _ in range(starts):
        with warnings.catch_warnings():
            # A cluster that becomes empty keeps its place. The run with the lowest inertia wins anyway.
            warnings.simplefilter("ignore")
            centroids, _ = kmeans2(points, k, iter=ITERATIONS, minit="++", rng=random)
        inertia = float((vq(points, centroids)[1] ** 2).sum())
        if inertia < lowest:
            best, lowest = centroids, inertia
    return best
