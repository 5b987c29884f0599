"""What a cluster is called: a table of rules over where its customers are on average, beside all customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from transforms.rfm.dimensions import DIMENSIONS

CLEARLY_LESS, CLEARLY_MORE = 2 / 3, 4 / 3
"""A mean below two thirds of all customers' mean is low, one above four thirds is high."""

Level = Literal["low", "middle", "high"]

RECENCY: Mapping[Level, str] = MappingProxyType({"low": "recent", "middle": "", "high": "lapsed"})
"""Recency is weeks since the last purchase: few is good."""

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
"""All nine cells of frequency and monetary; with `RECENCY` before them, all 27 positions have a name."""

TELLING = MappingProxyType(
    {
        "recency": "{:,.1f} weeks ago",
        "frequency": "{:,.2f} purchases",
        "monetary": "{:,.2f} a purchase",
    }
)
"""How a figure of a dimension is told, to tell two clusters of one name apart."""


@dataclass(frozen=True)
class Position:
    """Where a cluster's customers are: mean weeks, purchases and money per purchase, by dimension."""

    means: Mapping[str, float]

    def level(self, name: str, overall: float) -> Level:
        """Low, middle or high, beside the mean of all customers."""
        mean = self.means[name]
        if mean < overall * CLEARLY_LESS:
            return "low"
        return "high" if mean > overall * CLEARLY_MORE else "middle"


def cluster_names(*, clusters: Mapping[int, Position], overall: Position) -> dict[int, str]:
    """Name each cluster; every one gets a name, and no two the same.

    Where two are in one cell of the table, each is told by its figure in the dimension in which the cell's clusters
    differ most (the largest by the smallest, in the order recency, frequency, monetary), and where even that reads the
    same, by its number.

    Args:
        clusters: by the number that lasts.
        overall: the means of all customers.
    """
    plain = {cluster: _plain_name(position, overall) for cluster, position in clusters.items()}
    named = dict(plain)
    for name in set(plain.values()):
        alike = [cluster for cluster in sorted(clusters) if plain[cluster] == name]
        if len(alike) > 1:
            dimension = _most_different([clusters[cluster] for cluster in alike])
            for cluster in alike:
                named[cluster] = f"{name}, {TELLING[dimension].format(clusters[cluster].means[dimension])}"
    told = list(named.values())
    return {
        cluster: name if told.count(name) == 1 else f"{name} (cluster {cluster})" for cluster, name in named.items()
    }


def _plain_name(position: Position, overall: Position) -> str:
    levels = {name: position.level(name, overall.means[name]) for name in DIMENSIONS}
    return f"{RECENCY[levels['recency']]} {NAMES[levels['frequency'], levels['monetary']]}".strip()


def _most_different(positions: Sequence[Position]) -> str:
    def spread(name: str) -> float:
        means = [position.means[name] for position in positions]
        return max(means) / max(min(means), 1e-9)

    return max(DIMENSIONS, key=spread)
