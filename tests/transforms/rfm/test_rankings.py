"""Wilson's interval against published values, and Gini coefficients against pairs that are counted one by one."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from math import sqrt
from random import Random

import pytest

from transforms.intervals import Interval, wilson_interval
from transforms.rfm.rankings import (
    BestFifth,
    Group,
    Ranking,
    best_fifth,
    gini,
    gini_difference,
)

Person = tuple[int, int, bool]
"""The days and the score of a person, and whether that person bought again."""


def by_recency(group: Group) -> int:
    return -group.days


def by_sum(group: Group) -> int:
    return sum(group.cell)


def group(days: int, score: int, customers: int, buyers: int, revenue: str = "0") -> Group:
    return Group(days, (score, 1, 1), customers, buyers, Decimal(revenue))


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_rate_is_wilsons_as_newcombe_published_it(
    successes: int, trials: int, low: float, high: float
) -> None:
    # Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I.
    interval = wilson_interval(successes, trials)
    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_an_interval_stays_between_0_and_1_and_nobody_has_none() -> None:
    assert wilson_interval(0, 0) is None
    assert wilson_interval(0, 1) == Interval(0.0, pytest.approx(0.7935, abs=1e-4))
    assert wilson_interval(5, 5) == Interval(pytest.approx(0.5655, abs=1e-4), 1.0)


def test_a_gini_coefficient_is_pairs_won_less_pairs_lost() -> None:
    # Two bought again, at 1 and 3 days; two did not, at 2 and 3. Pairs: 1 beats 2 and 3; 3 loses to 2, and ties with 3.
    groups = [group(1, 5, 1, 1), group(2, 4, 1, 0), group(3, 3, 2, 1)]
    estimate = gini(groups, by_recency)
    assert estimate is not None
    assert estimate.value == (2 - 1) / 4


@pytest.mark.parametrize(
    ("groups", "value"),
    [
        ([group(1, 5, 3, 3), group(2, 4, 4, 0)], 1.0),
        ([group(1, 5, 3, 0), group(2, 4, 4, 4)], -1.0),
        ([group(1, 5, 7, 3)], 0.0),
    ],
    ids=["perfect", "the wrong way round", "all equal"],
)
def test_a_gini_coefficient_goes_from_the_wrong_way_round_to_perfect(groups: list[Group], value: float) -> None:
    estimate = gini(groups, by_recency)
    assert estimate is not None
    assert (estimate.value, estimate.interval) == (value, Interval(value, value))


@pytest.mark.parametrize(("buyers", "has_value"), [(0, False), (1, True), (4, True), (5, False)])
def test_one_person_of_a_kind_has_no_interval_and_nobody_has_no_coefficient(buyers: int, has_value: bool) -> None:
    estimate = gini([group(1, 5, 5, buyers)], by_recency)
    assert (estimate is not None) == has_value
    assert estimate is None or estimate.interval is None
    assert (gini_difference([group(1, 5, 5, buyers)], by_recency, by_sum) is not None) == has_value


def people_of(groups: Sequence[Group]) -> list[Person]:
    return [
        (each.days, sum(each.cell), number < each.repeat_buyers) for each in groups for number in range(each.customers)
    ]


def wins(people: list[Person], *, places: tuple[int, ...]) -> list[list[list[float]]]:
    """For each ranking, a table of who bought again by who did not: 1 where the first ranks higher, 0.5 in a tie."""
    again, others = [each for each in people if each[2]], [each for each in people if not each[2]]

    def won(one: Person, other: Person, place: int) -> float:
        ranks = [each[1] if place else -each[0] for each in (one, other)]
        return 0.5 if ranks[0] == ranks[1] else float(ranks[0] > ranks[1])

    return [[[won(one, other, place) for other in others] for one in again] for place in places]


def literal(tables: list[list[list[float]]], weights: Sequence[int]) -> tuple[float, float]:
    """The weighted sum of Gini coefficients and its standard error: DeLong's formulae, person by person."""
    rows, columns = len(tables[0]), len(tables[0][0])
    cells = [
        [
            sum(weight * table[row][column] for weight, table in zip(weights, tables, strict=True))
            for column in range(columns)
        ]
        for row in range(rows)
    ]
    of_rows = [sum(row) / columns for row in cells]
    of_columns = [sum(cells[row][column] for row in range(rows)) / rows for column in range(columns)]
    area = sum(of_rows) / rows
    variance = sum(
        sum((value - area) ** 2 for value in values) / (len(values) - 1) / len(values)
        for values in (of_rows, of_columns)
    )
    return 2 * area - sum(weights), 2 * sqrt(variance)


@pytest.mark.parametrize("seed", range(20))
def test_coefficients_and_intervals_are_those_of_persons_and_pairs_one_by_one(seed: int) -> None:
    draw = Random(seed)
    groups = [
        group(days, score, customers, draw.randrange(customers + 1))
        for days, score in product(range(6), range(1, 6))
        if (customers := draw.randrange(4))
    ]
    recency, scores = wins(people_of(groups), places=(0, 1))
    rankings: list[tuple[Ranking, list[list[float]]]] = [(by_recency, recency), (by_sum, scores)]
    for ranking, table in rankings:
        estimate = gini(groups, ranking)
        value, error = literal([table], [1])
        assert estimate is not None
        assert estimate.interval is not None
        assert estimate.value == pytest.approx(value)
        assert estimate.interval.low == pytest.approx(max(-1, value - 1.959963985 * error))
        assert estimate.interval.high == pytest.approx(min(1, value + 1.959963985 * error))
    difference = gini_difference(groups, by_sum, by_recency)
    value, error = literal([scores, recency], [1, -1])
    assert difference is not None
    assert difference.interval is not None
    assert difference.value == pytest.approx(value)
    assert difference.interval.high - difference.value == pytest.approx(1.959963985 * error)


def test_the_best_fifth_takes_its_part_of_customers_with_one_rank() -> None:
    # A fifth of ten is two: the one customer of the first rank, and one of the four of the second.
    groups = [group(1, 5, 1, 1, "10"), group(2, 4, 4, 2, "8"), group(3, 3, 5, 1, "2")]
    assert best_fifth(groups, by_recency) == BestFifth(repeat_buyers=(1 + 2 / 4) / 4, revenue=(10 + 8 / 4) / 20)


def test_shares_of_nothing_and_of_less_than_nothing_are_none() -> None:
    assert best_fifth([group(1, 5, 5, 0, "-3")], by_recency) == BestFifth(None, None)
