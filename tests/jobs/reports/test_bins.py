"""The ranges of a measure as the page shows them."""

from decimal import Decimal

from jobs.reports.bins import bins_of
from jobs.reports.customers import SmallCells, Sums
from transforms.rfm.scores import SCORED, Bands

FIVE = SmallCells(5)
BANDS = {letter: Bands(measure, (), (3,)) for letter, measure in SCORED.items()}
"""One band for all values."""


def shown(letter: str, customers: dict[int, int]) -> list[tuple[str, str]]:
    ranges = {key: Sums(count, 0, Decimal(0), 0) for key, count in customers.items()}
    return [(each.label.text, each.customers.text) for each in bins_of(BANDS[letter], ranges, small_cells=FIVE)]


def test_days_have_no_gaps_and_small_weeks_are_hidden() -> None:
    # Week 2 has one customer; week 0, the smallest of the others, goes with it.
    assert shown("r", {0: 7, 2: 1, 3: 9}) == [
        ("0 to 6", "hidden"),
        ("7 to 13", "0"),
        ("14 to 20", "< 5"),
        ("21 to 27", "9"),
    ]


def test_more_than_sixty_weeks_are_taken_two_or_more_to_a_bar() -> None:
    bars = shown("r", dict.fromkeys(range(121), 10))
    assert (len(bars), bars[0], bars[-1]) == (31, ("0 to 27", "40"), ("840 to 867", "10"))


def test_the_highest_numbers_of_purchases_are_one_range_if_each_has_few_customers() -> None:
    # Three with 4 purchases, one with 12 and one with 17: five together.
    assert shown("f", {1: 100, 2: 20, 4: 3, 20: 1, 22: 1}) == [("1", "100"), ("2", "20"), ("4 or more", "5")]
    assert shown("f", {1: 100, 20: 6}) == [("1", "100"), ("10 to 12", "6")]
    assert shown("f", {1: 2}) == [("1", "< 5")]


def test_money_has_ranges_that_grow_and_tells_of_nothing_and_less() -> None:
    # 100 and 160 are keys 70 and 72, in units of 0.0001.
    assert shown("m", {-1: 6, 0: 5, 70: 8, 72: 9}) == [
        ("below 0", "6"),
        ("0", "5"),
        ("100.00 to below 125.00", "8"),
        ("125.00 to below 160.00", "0"),
        ("160.00 to below 200.00", "9"),
    ]
