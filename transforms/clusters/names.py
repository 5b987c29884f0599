"""Names of clusters: a table of words for where the customers of a cluster are, compared to all customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from transforms.rfm.dimensions import DIMENSIONS

CLEARLY_LESS, CLEARLY_MORE = 2 / 3, 4 / 3
"""A mean below two thirds of the mean of all customers is low; above four thirds it is high."""

Level = Literal["low", "middle", "high"]

RECENCY: Mapping[Level, str] = MappingProxyType({"low": "recent", "middle": "", "high": "lapsed"})
"""Recency is weeks since the last purchase: few are good."""

NAMES: Mapping[tuple[Level, Level], str] = MappingProxyType(
    {
        # (frequency, monetary)
        ("low", "low"): "rare small spenders",
        ("low", "middle"): "rare buyers",
        ("low", "high"): "rare big spenders",
        ("middle", "low"): "small spenders",
        ("middle", "middle"): "average buyers",
        ("middle", "high"): "big spenders",
        ("high", "low"): "frequent small spenders",
        ("high", "middle"): "frequent buyers",
        ("high", "high"): "frequent big spenders",
    }
)
"""The nine cells of frequency and monetary value. With a word of `RECENCY` in front, all 27 positions have a name."""

FIGURES = MappingProxyType(
    {
        "recency": "{:,.1f} weeks ago",
        "frequency": "{:,.2f} purchases",
        "monetary": "{:,.2f} a purchase",
    }
)
"""By dimension, the format of a figure that is added to a name."""


@dataclass(frozen=True)
class Position:
    """Where the customers of a cluster are: mean weeks, purchases and money per purchase, by dimension."""

    means: Mapping[str, float]

    def level(self, name: str, overall: float) -> Level:
        """Low, middle or high in a dimension, compared to the mean of all customers."""
        mean = self.means[name]
        if mean < overall * CLEARLY_LESS:
            return "low"
        return "high" if mean > overall * CLEARLY_MORE else "middle"


def cluster_names(*, clusters: Mapping[int, Position], overall: Position) -> dict[int, str]:
    """Name each cluster. Every cluster gets a name, and no two get the same.

    Clusters in one cell of the table each get a figure added, in the dimension in which they differ most. That is the
    one with the largest quotient of highest and lowest mean; the order recency, frequency, monetary breaks ties. If the
    names are still the same, the stable cluster id is added.

    Args:
        clusters: by stable cluster id.
        overall: the means of all customers.
    """
    plain = {cluster: _plain_name(position, overall) for cluster, position in clusters.items()}
    names = dict(plain)
    for name in set(plain.values()):
        namesakes = [cluster for cluster in sorted(clusters) if plain[cluster] == name]
        if len(namesakes) > 1:
            dimension = _most_different([clusters[cluster] for cluster in namesakes])
            for cluster in namesakes:
                names[cluster] = f"{name}, {FIGURES[dimension].format(clusters[cluster].means[dimension])}"
    all_names = list(names.values())
    return {
        cluster: name if all_names.count(name) == 1 else f"{name} (cluster {cluster})"
        for cluster, name in names.items()
    }


def _plain_name(position: Position, overall: Position) -> str:
    levels = {name: position.level(name, overall.means[name]) for name in DIMENSIONS}
    return f"{RECENCY[levels['recency']]} {NAMES[levels['frequency'], levels['monetary']]}".strip()


def _most_different(positions: Sequence[Position]) -> str:
    def spread(name: str) -> float:
        means = [position.means[name] for position in positions]
        return max(means) / max(min(means), 1e-9)

    return max(DIMENSIONS, key=spread)
