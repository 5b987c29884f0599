"""How many clusters there are: figures for each number, on a bounded sample, and what follows from them.

All of it is done in numpy and scipy on at most `SAMPLE_SIZE` customers: nothing here grows with the data.
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
"""Customers of the sample that a bootstrap, or a cloud to compare with, is made of."""

STARTS = 5
BOOTSTRAPS = 8
CLOUDS = 5
ROUNDS = 50
"""Of Lloyd's algorithm."""

LEAST_GAIN = 0.05
LEAST_AGREEMENT = 0.8
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Figures:
    """What was found for one number of clusters.

    Attributes:
        k: the number.
        inertia: sum of squared distances to the centroids, over the sample.
        silhouette: mean of ``1 - a / b``, where a is the distance to the own centroid and b that to the next one (the
            simplified silhouette, which needs no distances between customers).
        cloud: the same of clouds without structure that are as wide in each principal direction: their mean.
        margin: how far above it is taken for chance.
        smallest_share: of the customers, in the smallest cluster.
        agreement: mean adjusted Rand index of the clusters and those of bootstrap samples; 1 for the same ones.
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
        """Whether the clusters are tighter than a cloud's, come again, and are none of a few odd customers."""
        is_tighter = self.silhouette > self.cloud + self.margin
        return is_tighter and self.agreement >= LEAST_AGREEMENT and self.smallest_share >= LEAST_SHARE

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry."""
        rounded = {name: round(value, 4) for name, value in vars(self).items() if name not in ("k", "inertia")}
        return {"k": self.k, "inertia": self.inertia, **rounded, "is_structure": self.is_structure}


@dataclass(frozen=True)
class ChoiceOfK:
    """The number of clusters that was chosen.

    Attributes:
        k: the number; that of the fallback where no structure was found.
        has_structure: whether any number of clusters did better than chance.
        sample: how many customers were looked at.
        table: the figures of each number tried.
    """

    k: int
    has_structure: bool
    sample: int
    table: tuple[Figures, ...]

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry."""
        verdict = "structure found" if self.has_structure else "no structure"
        tried = [figures.as_json() for figures in self.table]
        return {"k": self.k, "verdict": verdict, "sample": self.sample, "tried": tried}


def choose_k(points: np.ndarray, *, lowest: int, highest: int, fallback: int, seed: int = SEED) -> ChoiceOfK:
    """Choose the number of clusters: of those that are structure, the one of the highest silhouette.

    Args:
        points: features of a sample of customers, one row each.
        lowest: first number tried, at least 2.
        highest: last number tried; no more than there are distinct points.
        fallback: the number taken where none is structure.
        seed: of all random choices, so that the same sample gives the same answer.
    """
    random = np.random.default_rng(seed)
    distinct = len(np.unique(points, axis=0))
    clouds = [_cloud(points, random) for _ in range(CLOUDS)] if distinct > 1 else []
    table = [_figures(points, k, clouds, random) for k in range(lowest, min(highest, distinct) + 1)]
    found = [figures for figures in table if figures.is_structure]
    best = max(found, key=lambda figures: (figures.silhouette, -figures.k), default=None)
    return ChoiceOfK(best.k if best else fallback, best is not None, len(points), tuple(table))


def adjusted_rand(one: np.ndarray, other: np.ndarray) -> float:
    """How far two labellings of the same rows agree: 1 for the same groups, about 0 for chance (Hubert and Arabie)."""
    _, rows = np.unique(one, return_inverse=True)
    _, columns = np.unique(other, return_inverse=True)
    together = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(together, (rows, columns), 1)
    pairs, by_row, by_column = (
        _pairs(counts).sum() for counts in (together, together.sum(axis=1), together.sum(axis=0))
    )
    expected = by_row * by_column / _pairs(np.array(len(one)))
    highest = (by_row + by_column) / 2
    return 1.0 if highest == expected else float((pairs - expected) / (highest - expected))


def _pairs(counts: np.ndarray) -> np.ndarray:
    halved: np.ndarray = counts * (counts - 1) / 2
    return halved


def _figures(points: np.ndarray, k: int, clouds: Sequence[np.ndarray], random: np.random.Generator) -> Figures:
    centroids = _centroids(points, k, random, starts=STARTS)
    labels, distances = vq(points, centroids)
    sizes = np.bincount(labels, minlength=k)
    of_clouds = [_silhouette(cloud, _centroids(cloud, k, random, starts=2)) for cloud in clouds]
    return Figures(
        k=k,
        inertia=float((distances**2).sum()),
        silhouette=_silhouette(points, centroids),
        cloud=float(np.mean(of_clouds)),
        margin=max(LEAST_GAIN, 3 * float(np.std(of_clouds))),
        smallest_share=float(sizes.min() / len(points)),
        agreement=_agreement(points, labels, k, random),
    )


def _agreement(points: np.ndarray, labels: np.ndarray, k: int, random: np.random.Generator) -> float:
    found = []
    for _ in range(BOOTSTRAPS):
        drawn = points[random.integers(0, len(points), size=min(len(points), RESAMPLED))]
        again, _ = vq(points, _centroids(drawn, k, random, starts=2))
        found.append(adjusted_rand(labels, again))
    return float(np.mean(found))


def _silhouette(points: np.ndarray, centroids: np.ndarray) -> float:
    distances = np.sqrt(((points[:, None, :] - centroids[None, :, :]) ** 2).sum(axis=2))
    distances.partition(1, axis=1)
    own, other = distances[:, 0], distances[:, 1]
    return float(np.mean(1 - np.divide(own, other, out=np.ones_like(own), where=other > 0)))


def _cloud(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Points without structure: even along each principal direction, as wide as the middle half of the sample says.

    Neither its bounding box nor its variance: a few customers far out stretch both, and a cloud that is wide in
    directions in which nearly all customers are alike makes slices of one line look like groups.
    """
    centred = points - points.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    along = centred @ directions.T
    lower, upper = np.quantile(along, [0.25, 0.75], axis=0)
    widths = 2 * (upper - lower)
    if not widths.any():  # more than half the customers are one point
        widths = np.std(along, axis=0) * math.sqrt(12)
    size = (min(len(points), RESAMPLED), along.shape[1])
    cloud: np.ndarray = (random.random(size) - 0.5) * widths
    return cloud


def _centroids(points: np.ndarray, k: int, random: np.random.Generator, *, starts: int) -> np.ndarray:
    """The best of several runs of Lloyd's algorithm, each started by k-means++."""
    best, lowest = points[:k], math.inf
    for _ in range(starts):
        with warnings.catch_warnings():
            # A cluster that ends up empty keeps its place; the run with the lowest inertia is taken anyway.
            warnings.simplefilter("ignore")
            centroids, _ = kmeans2(points, k, iter=ROUNDS, minit="++", rng=random)
        inertia = float((vq(points, centroids)[1] ** 2).sum())
        if inertia < lowest:
            best, lowest = centroids, inertia
    return best
