"""What a run says of the rows of a ledger: by what they are and by why they do not count."""

from decimal import Decimal
from typing import Any

from jobs.runs.totals import Total
from jobs.sources.ledger import EntryTotals


def row(currency: str, kind: str, rows: int, amount: str, worth: str, *, cause: str | None = None) -> dict[str, Any]:
    """A row of `entry_totals`."""
    return {
        "currency": currency,
        "kind": kind,
        "exclusion_cause": cause,
        "rows": rows,
        "amount": Decimal(amount),
        "worth": Decimal(worth),
    }


ROWS = [
    row("EUR", "purchase", 2, "-30", "30"),
    row("USD", "purchase", 1, "-30", "15"),
    row("USD", "return", 2, "9", "-4.5"),
    row("EUR", "fee", 1, "-7", "-7", cause="fees"),
    row("EUR", "fee", 1, "-1", "-1", cause="purchased_after_as_of"),
    row("USD", "purchase", 3, "-2", "1", cause="purchased_after_as_of"),
]


def test_rows_that_count_are_totalled_by_kind_and_others_by_cause_as_they_stand() -> None:
    totals = EntryTotals.of(ROWS, by_currency=True)
    assert totals.counted == {
        "purchase": Total(3, None, {"EUR": Decimal(-30), "USD": Decimal(-30)}),
        "return": Total(2, None, {"USD": Decimal(9)}),
    }
    assert totals.excluded == {
        "fees": Total(1, None, {"EUR": Decimal(-7)}),
        "purchased_after_as_of": Total(4, None, {"EUR": Decimal(-1), "USD": Decimal(-2)}),
    }
    # Converted, all of it is in one currency, whatever the rows are in.
    assert totals.converted == {"purchase": Total(3, Decimal(45)), "return": Total(2, Decimal("-4.5"))}


def test_rows_of_one_currency_have_one_sum() -> None:
    totals = EntryTotals.of([each for each in ROWS if each["currency"] == "EUR"], by_currency=False)
    assert totals.counted == {"purchase": Total(2, Decimal(-30))}
    assert totals.converted == {"purchase": Total(2, Decimal(30))}
    assert totals.excluded == {"fees": Total(1, Decimal(-7)), "purchased_after_as_of": Total(1, Decimal(-1))}


def test_a_ledger_without_rows_has_no_totals() -> None:
    nothing = EntryTotals.of([], by_currency=True)
    assert (nothing.counted, nothing.converted, nothing.excluded) == ({}, {}, {})
