"""Control totals: what holds, and what is said when it does not."""

from decimal import Decimal

import pytest

from jobs.errors import DataError
from jobs.runs.totals import Account, Total, totals_of


def account(**totals: Total) -> Account:
    return Account(totals=dict(totals))


def test_a_whole_that_is_the_sum_of_its_parts_holds() -> None:
    made = account(raw=Total(3, Decimal("10.00")), good=Total(2, Decimal("9.99")), bad=Total(1, Decimal("0.01")))
    made.claim("raw", "good", "bad")
    assert made.as_json()["control_totals"][0]["holds"] is True


@pytest.mark.parametrize(
    ("good", "difference"),
    [
        (Total(1, Decimal("9.99")), "1 rows worth 0.00"),
        (Total(2, Decimal("9.98")), "0 rows worth 0.01"),
        (Total(3, Decimal("19.99")), "-1 rows worth -10.00"),
    ],
    ids=["a row lost", "a cent lost", "a row doubled"],
)
def test_a_lost_or_doubled_row_or_cent_stops_the_run_and_names_the_boundary(good: Total, difference: str) -> None:
    made = account(raw=Total(3, Decimal("10.00")), good=good, bad=Total(1, Decimal("0.01")))
    with pytest.raises(DataError) as error:
        made.claim("raw", "good", "bad")
    assert f"raw (3 rows worth 10.00) is not good ({good}) + bad (1 rows worth 0.01)" in str(error.value)
    assert f"the difference is {difference}" in str(error.value)


def test_where_rows_merge_money_alone_is_compared() -> None:
    made = account(payments=Total(3, Decimal(10)), purchases=Total(2, Decimal(10)))
    made.claim("payments", "purchases", money_only=True)
    with pytest.raises(DataError):
        made.claim("payments", "purchases")


def test_totals_come_back_from_a_manifest_exactly() -> None:
    made = account(payments=Total(3, Decimal("0.1000")), customers=Total(2))
    assert totals_of(made.as_json()) == made.totals
