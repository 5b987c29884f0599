"""The scale of the features that are clustered: how measures map to 0..5, so that distances can be compared.

- ``minmax``, the workshop's: ``(x - min) / (max - min) * 5``. One customer with 17 purchases sets the scale for all.
- ``log``: the same over ``log1p``, so that 10 and 20 are about as far apart as 100 and 200.
- ``rank``: the share of customers below, from exact percentiles. Equal values have equal ranks: a value at several
  percentiles gets the middle of them. No window over all rows, and no approximate percentile.

A measure outside the range that a scale was fitted to may give a feature outside 0..5.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any, Literal, get_args

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms import schemas
from transforms.bounded_text import shown
from transforms.rfm.dimensions import (
    DIMENSIONS,
    NORMALISED_RANGE,
    Bounds,
    ScoreCardError,
    bounds_as_json,
    bounds_of,
    dimensions,
    is_number,
    normalise,
)
from transforms.schemas import columns_of

ScaleKind = Literal["minmax", "log", "rank"]
SCALE_KINDS: tuple[ScaleKind, ...] = get_args(ScaleKind)

PERCENTILES = tuple(percent / 100 for percent in range(101))
"""The percentiles of the grid of a rank scale."""

CENTS = 2
"""Decimals of money in a rank scale, so that the distinct values stay few."""

LOWEST_LOGGED = -0.99
"""The value that ``log`` uses for any lower one, which a frozen card may meet: 1 + x has no logarithm from -1 down."""

Grid = tuple[tuple[float, float], ...]
"""Values in ascending order, each with its rank in 0..1. Ranks between two values are interpolated."""


@dataclass(frozen=True)
class FeatureScale:
    """How measures become features. The features of a customer depend on nothing else.

    Attributes:
        kind: which scale.
        bounds: the lowest and the highest value of each dimension, in its unit, for ``minmax`` and ``log``.
        grid: the ranks of each dimension, for ``rank``; empty for the others.
    """

    kind: ScaleKind
    bounds: Mapping[str, Bounds]
    grid: Mapping[str, Grid] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind == "log":
            for name in DIMENSIONS:
                if self.bounds[name].low < LOWEST_LOGGED:
                    raise ScoreCardError(
                        f'"{name}" has min {self.bounds[name].low} (expected {LOWEST_LOGGED} or more, to take the '
                        "logarithm of 1 + x)"
                    )
        if self.kind == "rank" and set(self.grid) != set(DIMENSIONS):
            raise ScoreCardError(
                f"rank scale with grids for {shown(sorted(self.grid))} (expected: {', '.join(DIMENSIONS)})"
            )

    def column(self, name: str, value: Column) -> Column:
        """The feature of a dimension, as a double, from its measure in its unit."""
        if self.kind == "minmax":
            return normalise(value, low=self.bounds[name].low, high=self.bounds[name].high)
        if self.kind == "log":
            low, high = (math.log1p(bound) for bound in (self.bounds[name].low, self.bounds[name].high))
            return normalise(F.log1p(F.greatest(value, F.lit(LOWEST_LOGGED))), low=low, high=high)
        rounded = F.round(value, CENTS) if name == "monetary" else value
        return _interpolated(rounded, self.grid[name]) * F.lit(NORMALISED_RANGE)

    def value(self, name: str, value: float) -> float:
        """The same as `column` for one value that is not in a frame."""
        if self.kind == "rank":
            return _rank(round(value, CENTS) if name == "monetary" else value, self.grid[name]) * NORMALISED_RANGE
        bounds = self.bounds[name]
        low, high, x = bounds.low, bounds.high, value
        if self.kind == "log":
            low, high, x = math.log1p(low), math.log1p(high), math.log1p(max(value, LOWEST_LOGGED))
        return 0.0 if low == high else (x - low) / (high - low) * NORMALISED_RANGE

    def as_json(self) -> dict[str, Any]:
        """The scale as JSON, which `from_json` restores bit by bit."""
        content: dict[str, Any] = {"kind": self.kind, "bounds": bounds_as_json(self.bounds)}
        if self.grid:
            content["grid"] = {name: [list(point) for point in self.grid[name]] for name in DIMENSIONS}
        return content

    @classmethod
    def from_json(cls, content: Any, *, bounds: Mapping[str, Bounds] | None = None) -> "FeatureScale":
        """Read a scale.

        Args:
            content: a scale as `as_json` has it.
            bounds: the bounds of the card; None if the scale has its own.

        Raises:
            ScoreCardError: The content is not a scale.
        """
        if not isinstance(content, dict) or content.get("kind") not in SCALE_KINDS:
            kind = content.get("kind") if isinstance(content, dict) else content
            raise ScoreCardError(
                f'"feature_scale" is of kind {shown(kind)} (expected one of: {", ".join(SCALE_KINDS)})'
            )
        if bounds is None:
            own_bounds = content.get("bounds")
            if not isinstance(own_bounds, dict):
                raise ScoreCardError('"feature_scale" has no "bounds"')
            bounds = {name: bounds_of(own_bounds, name) for name in DIMENSIONS}
        grid = content.get("grid") or {}
        if not isinstance(grid, dict):
            raise ScoreCardError(f'"grid" of "feature_scale" is {shown(grid)} (expected an object)')
        return cls(content["kind"], bounds, {name: _grid_of(points, name) for name, points in grid.items()})


def features(*, rfm: DataFrame, scale: FeatureScale) -> DataFrame:
    """Scale the measures of each customer to features.

    Grain in and out: one row per customer_unique_id; `schemas.MEASURES` (or `schemas.RFM`) in,
    `schemas.KMEANS_FEATURES` out: single precision, which is what SageMaker computes with.
    """
    return rfm.select("customer_unique_id", *scaled_dimensions(scale)).select(*columns_of(schemas.KMEANS_FEATURES))


def scaled_dimensions(scale: FeatureScale) -> list[Column]:
    """The three features in single precision, as columns over those of `schemas.MEASURES`."""
    return [scale.column(name, measure).cast("float").alias(name) for name, measure in dimensions().items()]


def percentiles(*, measures: DataFrame, dimension: str) -> DataFrame:
    """Compute the exact `PERCENTILES` of a dimension, from how often each value occurs.

    Grain in: one row per customer, `schemas.MEASURES`. Grain out: one row in all, with the array ``percentiles``.
    Memory grows with the distinct values, so money is rounded to cents.
    """
    measure = dimensions()[dimension]
    value = F.round(measure, CENTS) if dimension == "monetary" else measure
    counted = measures.groupBy(value.alias("value")).agg(F.count(F.lit(1)).alias("customers"))
    shares = F.array(*map(F.lit, PERCENTILES))
    return counted.agg(F.percentile("value", shares, F.col("customers")).alias("percentiles"))


def grid_of(values: Sequence[float]) -> Grid:
    """The grid of a rank scale, from the values at `PERCENTILES`.

    A value at several percentiles appears once, at the middle of them.
    """
    ranked = [
        (value, [rank for _, rank in points])
        for value, points in groupby(zip(values, PERCENTILES, strict=True), key=lambda point: point[0])
    ]
    return tuple((value, (ranks[0] + ranks[-1]) / 2) for value, ranks in ranked)


def _rank(value: float, grid: Grid) -> float:
    above = bisect_right([point[0] for point in grid], value)
    if above in (0, len(grid)):
        return grid[0][1] if above == 0 else grid[-1][1]
    (low, rank), (high, next_rank) = grid[above - 1], grid[above]
    return rank + (value - low) * ((next_rank - rank) / (high - low))


def _interpolated(value: Column, grid: Grid) -> Column:
    """`_rank` as a column: a tree of comparisons, seven deep for a hundred values, instead of a chain of a hundred."""
    leaves = [
        F.lit(grid[0][1]),
        *(
            F.lit(rank) + (value - F.lit(low)) * F.lit((next_rank - rank) / (high - low))
            for (low, rank), (high, next_rank) in pairwise(grid)
        ),
        F.lit(grid[-1][1]),
    ]
    return _choice(value, [point[0] for point in grid], leaves)


def _choice(value: Column, edges: Sequence[float], leaves: Sequence[Column]) -> Column:
    """The leaf of the range that a value is in. Range i is below edge i, and not below edge i - 1."""
    if not edges:
        return leaves[0]
    middle = len(edges) // 2
    below = _choice(value, edges[:middle], leaves[: middle + 1])
    return F.when(value < F.lit(edges[middle]), below).otherwise(
        _choice(value, edges[middle + 1 :], leaves[middle + 1 :])
    )


def _grid_of(points: Any, name: str) -> Grid:
    are_points = isinstance(points, list) and all(
        isinstance(point, list) and len(point) == 2 and all(map(is_number, point)) for point in points
    )
    if not are_points or not points or any(low >= high for low, high in pairwise(float(point[0]) for point in points)):
        raise ScoreCardError(f'"grid" of {shown(name)} is invalid (expected a list of [value, rank], values ascending)')
    return tuple((float(value), float(rank)) for value, rank in points)
