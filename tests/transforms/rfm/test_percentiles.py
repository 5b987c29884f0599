"""Exact percentiles, against the definition over a sorted list, and against counts that are worked out by hand."""

import io
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tests.frames import frame
from transforms.rfm.percentiles import MOST_RANGES, PercentileSearch, Span, range_counts, values_and_commonest

FIFTHS = tuple(map(Fraction, (20, 40, 60, 80)))
HUGE = 10**18

TIES = st.integers(-3, 3)
ANY_VALUE = st.one_of(TIES, st.integers(-100_000, 100_000), st.integers(-HUGE, HUGE), st.sampled_from((-HUGE, HUGE)))
LISTS = st.one_of(st.lists(TIES, min_size=1, max_size=60), st.lists(ANY_VALUE, min_size=1, max_size=60))
PERCENTS = st.one_of(
    st.just(FIFTHS),
    st.lists(st.integers(1, 999), min_size=1, max_size=6, unique=True).map(
        lambda tenths: tuple(Fraction(each, 10) for each in sorted(tenths))
    ),
)


def by_definition(values: Sequence[int], percent: Fraction) -> int:
    """The value that at least so many percent of the customers do not exceed, from a sorted list."""
    return sorted(values)[math.ceil(percent * len(values) / 100) - 1]


def counted(values: Sequence[int], search: PercentileSearch) -> dict[int, int]:
    """What `range_counts` returns for a measure, from a list."""
    return Counter(
        value - (value - span.low) % span.width
        for value in values
        for span in search.spans
        if span.low <= value <= span.high
    )


def searches(values: Sequence[int], percents: Sequence[Fraction] = FIFTHS) -> list[PercentileSearch]:
    """The search over all values of a list, and the search after each round; at most ten rounds."""
    search = PercentileSearch.between(min(values), max(values), percents=percents, customers=len(values))
    rounds = [search]
    while rounds[-1].is_open and len(rounds) <= 10:
        rounds.append(rounds[-1].narrowed(counted(values, rounds[-1])))
    return rounds


@settings(max_examples=300, deadline=None)
@given(values=LISTS, percents=PERCENTS)
def test_a_search_finds_the_values_of_the_definition(values: list[int], percents: tuple[Fraction, ...]) -> None:
    assert searches(values, percents)[-1].values == {percent: by_definition(values, percent) for percent in percents}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Of ten customers, the second, fourth, sixth and eighth.
        (range(1, 11), [2, 4, 6, 8]),
        # Of six, a fifth is 1.2 customers: the second, third, fourth and fifth.
        ([-70_000, -1, 0, 5, 40_000, 99_999], [-1, 0, 5, 40_000]),
        ([7], [7, 7, 7, 7]),
        ([-3] * 40, [-3, -3, -3, -3]),
        ([-HUGE, HUGE], [-HUGE, -HUGE, HUGE, HUGE]),
        ([1] * 97 + [2, 2, 17], [1, 1, 1, 1]),
    ],
    ids=["ten values", "six values", "one customer", "one value", "the widest span", "a long tail"],
)
def test_percentiles_are_values_that_customers_have(values: Sequence[int], expected: list[int]) -> None:
    assert list(searches(values)[-1].values.values()) == expected


def test_a_share_of_customers_is_exact() -> None:
    # In doubles, 55 % of a hundred is more than 55, and would be customer 56.
    assert math.ceil(0.55 * 100) == 56
    assert searches(range(1, 101), [Fraction(55)])[-1].values == {Fraction(55): 55}
    # 33.35 % of 1,000 is 333.5 customers.
    percent = Fraction("33.35")
    assert searches(range(1, 1001), [percent])[-1].values == {percent: 334}


@pytest.mark.parametrize(("bits", "most_rounds"), [(15, 1), (30, 2), (45, 3), (60, 4)])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_round_settles_fifteen_bits_of_the_values(bits: int, most_rounds: int, data: st.DataObject) -> None:
    highest = 2**bits - 1
    values = data.draw(st.lists(st.one_of(st.integers(0, highest), st.integers(0, 9)), max_size=40))
    rounds = searches([0, *values, highest])
    assert not rounds[-1].is_open
    assert len(rounds) - 1 <= most_rounds


@settings(max_examples=300, deadline=None)
@given(ends=st.tuples(st.integers(-HUGE, HUGE), st.integers(-HUGE, HUGE)).map(sorted))
def test_no_span_has_more_ranges_than_the_most(ends: list[int]) -> None:
    span = Span(*ends)
    last_range = (span.high - span.low) // span.width
    assert last_range + 1 <= MOST_RANGES


@settings(max_examples=100, deadline=None)
@given(values=LISTS, percents=PERCENTS)
def test_a_round_has_at_most_a_span_for_each_percentile(values: list[int], percents: tuple[Fraction, ...]) -> None:
    for search in searches(values, percents):
        assert len(search.spans) <= len(percents)
        for span in search.spans:
            assert span.below == sum(value < span.low for value in values)


def test_a_measure_of_few_values_has_all_its_counts() -> None:
    assert searches([4, 2, 4, 4, 9])[-1].counts == {2: 1, 4: 3, 9: 1}
    # The widest span that is counted value by value.
    assert searches([0, MOST_RANGES - 1])[-1].counts == {0: 1, MOST_RANGES - 1: 1}


@settings(max_examples=200, deadline=None)
@given(values=LISTS, percents=PERCENTS)
def test_counts_are_those_of_all_customers_or_none(values: list[int], percents: tuple[Fraction, ...]) -> None:
    assert searches(values, percents)[-1].counts in (None, Counter(values))


def test_counts_of_a_part_of_the_values_are_not_taken_for_all() -> None:
    # Ranges of two values: all percentiles are in 0..1, whose counts do not include the customer at 40,000.
    assert searches([0, 0, 0, 0, 40_000])[-1].counts != {0: 4}


def test_a_search_that_finds_fewer_customers_than_there_were_stays_open_without_a_span() -> None:
    search = PercentileSearch.between(0, 9, percents=FIFTHS, customers=10).narrowed({0: 1, 5: 4})
    assert search.values == {FIFTHS[0]: 5, FIFTHS[1]: 5}
    assert search.is_open
    assert not search.spans


@pytest.fixture(scope="module")
def customers(spark: SparkSession) -> DataFrame:
    """Six customers: `small` is counted value by value, and `large` in ranges of six values."""
    rows = [(-2, -70_000), (-2, -1), (0, 0), (0, 5), (0, 40_000), (7, 99_999)]
    return frame(spark, "small bigint, large bigint", *rows).repartition(3)


def both(customers: int = 6) -> dict[str, PercentileSearch]:
    return {
        "small": PercentileSearch.between(-2, 7, percents=FIFTHS, customers=customers),
        "large": PercentileSearch.between(-70_000, 99_999, percents=FIFTHS, customers=customers),
    }


def counts_of(customers: DataFrame, searches: dict[str, PercentileSearch]) -> dict[str, dict[int, int]]:
    counts: dict[str, dict[int, int]] = {name: {} for name in searches}
    rows = range_counts(measures=customers, values={name: F.col(name) for name in searches}, searches=searches)
    for row in rows.collect():
        assert row["low"] not in counts[row["measure"]]
        counts[row["measure"]][row["low"]] = row["customers"]
    return counts


def test_two_measures_are_counted_in_one_pass_and_the_wide_one_is_refined(customers: DataFrame) -> None:
    # 170,000 values are 28,334 ranges of six, from -70,000 on: -1 and 0 are in -4..1, and 40,000 is in 39,998..40,003.
    counts = counts_of(customers, both())
    assert counts == {
        "small": {-2: 2, 0: 3, 7: 1},
        "large": {-70_000: 1, -4: 2, 2: 1, 39_998: 1, 99_998: 1},
    }
    narrowed = {name: search.narrowed(counts[name]) for name, search in both().items()}
    assert list(narrowed["small"].values.values()) == [-2, 0, 0, 0]
    assert narrowed["small"].counts == counts["small"]
    assert narrowed["large"].spans == (Span(-4, 1, below=1), Span(2, 7, below=3), Span(39_998, 40_003, below=4))

    # The customers at -70,000 and 99,999 are in no range of a percentile.
    large = {"large": narrowed["large"]}
    counts = counts_of(customers, large)
    assert counts == {"large": {-1: 1, 0: 1, 5: 1, 40_000: 1}}
    assert list(large["large"].narrowed(counts["large"]).values.values()) == [-1, 0, 5, 40_000]


def test_values_of_sixty_bits_are_counted_without_overflow(spark: SparkSession) -> None:
    values = [-HUGE, -HUGE, -1, 0, 3, HUGE - 1, HUGE]
    wide = frame(spark, "wide bigint", *[(value,) for value in values])
    search = PercentileSearch.between(-HUGE, HUGE, percents=FIFTHS, customers=len(values))
    assert counts_of(wide, {"wide": search})["wide"] == counted(values, search)
    # Of seven, a fifth is 1.4 customers: the second, third, fifth and sixth.
    while search.is_open:
        search = search.narrowed(counts_of(wide, {"wide": search})["wide"])
    assert list(search.values.values()) == [-HUGE, -1, 3, HUGE - 1]


def test_distinct_values_and_the_commonest_are_counted_and_of_two_the_lower_is_taken(customers: DataFrame) -> None:
    counts = {}
    for name in ("small", "large"):
        parts = values_and_commonest(measures=customers, value=F.col(name)).collect()
        commonest = max(part["commonest"] for part in parts)
        counts[name] = (sum(part["distinct"] for part in parts), commonest["customers"], -commonest["negative"])
    assert counts == {"small": (3, 3, 0), "large": (6, 1, -70_000)}


def plan_of(frame: DataFrame) -> str:
    with redirect_stdout(io.StringIO()) as text:
        frame.explain()
    return text.getvalue()


def test_no_count_needs_a_window_or_all_rows_in_one_task(customers: DataFrame) -> None:
    values = {name: F.col(name) for name in both()}
    for counts in (
        range_counts(measures=customers, values=values, searches=both()),
        values_and_commonest(measures=customers, value=F.col("large")),
    ):
        plan = plan_of(counts)
        assert "Exchange hashpartitioning" in plan
        assert "Window" not in plan
        assert "SinglePartition" not in plan
