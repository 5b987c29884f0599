"""Drawn values as columns: each depends on a seed, a purpose and numbers of its row, never on partitions."""

from collections.abc import Sequence
from itertools import accumulate

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def uniform(seed: int, purpose: str, *of: str) -> Column:
    """A number in (0, 1) that depends only on the seed, the purpose and the columns ``of``."""
    bits = F.shiftrightunsigned(F.xxhash64(F.lit(f"{seed} {purpose}"), *[F.col(name) for name in of]), 12)
    return (bits.cast("double") + F.lit(0.5)) * F.lit(2.0**-52)


def with_standard_normal(frame: DataFrame, name: str, *, share: str) -> DataFrame:
    """Add the quantile of the standard normal distribution (P. J. Acklam's approximation, relative error below 1.2e-9).

    It uses only arithmetic, ``log`` and ``sqrt``. Spark takes these from ``StrictMath``: the same bits on every
    machine. The Box-Muller transform would need ``cos``, which does not guarantee that.

    Args:
        frame: any.
        name: of the new column.
        share: the column with the probability, in (0, 1).
    """
    a = (
        -3.969683028665376e01,
        2.209460984245205e02,
        -2.759285104469687e02,
        1.383577518672690e02,
        -3.066479806614716e01,
        2.506628277459239e00,
    )
    b = (
        -5.447609879822406e01,
        1.615858368580409e02,
        -1.556989798598866e02,
        6.680131188771972e01,
        -1.328068155288572e01,
        1.0,
    )
    c = (
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e00,
        -2.549732539343734e00,
        4.374664141464968e00,
        2.938163982698783e00,
    )
    d = (7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e00, 3.754408661907416e00, 1.0)
    u = F.col(share)
    q = u - F.lit(0.5)
    # Columns of their own: a polynomial reads its argument many times. Java does not compile a method that is too long.
    steps = {
        f"{name}_tail": F.sqrt(F.log(F.least(u, F.lit(1.0) - u)) * F.lit(-2.0)),
        f"{name}_square": q * q,
    }
    tail, square = (F.col(step) for step in steps)
    beyond = F.signum(q) * (-_polynomial(c, tail) / _polynomial(d, tail))
    centre = _polynomial(a, square) * q / _polynomial(b, square)
    quantile = F.when((u < 0.02425) | (u > 0.97575), beyond).otherwise(centre)
    return frame.withColumns(steps).withColumns({name: quantile}).drop(*steps)


def _polynomial(coefficients: Sequence[float], x: Column) -> Column:
    total = F.lit(coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * x + F.lit(coefficient)
    return total


def index_drawn(share: str, shares: Sequence[float]) -> Column:
    """The index of the share into which a uniform number falls; beyond the last share, the number of shares."""
    index = F.lit(len(shares))
    for position, bound in reversed(list(enumerate(accumulate(shares)))):
        index = F.when(F.col(share) < F.lit(bound), F.lit(position)).otherwise(index)
    return index


def item(items: Sequence[object], index: str) -> Column:
    """The item at an index, from 0."""
    return F.get(F.array(*[F.lit(item) for item in items]), F.col(index))
