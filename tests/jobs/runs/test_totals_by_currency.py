"""Totals of rows in several currencies: each is added and compared by itself."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.errors import DataError
from jobs.runs.metrics import money_sums, total_of, with_metrics
from jobs.runs.totals import Accounts, Boundary, BoundaryKind, BoundaryTotal, StepMetrics, Total, totals_of
from jobs.storage.run_files import Manifest, read_manifest
from tests.frames import frame, money

READ, ACCEPTED, REJECTED = Boundary("ledger", BoundaryKind.READ), Boundary("ledger"), Boundary("quarantine/ledger")


def total(rows: int, **currencies: str) -> Total:
    return Total(rows, None, {name: Decimal(amount) for name, amount in currencies.items()})


def reconcile(whole: Total, *parts: Total) -> Accounts:
    accounts = Accounts()
    boundaries = (ACCEPTED, REJECTED)
    accounts.reconcile(BoundaryTotal(READ, whole), *map(BoundaryTotal, boundaries, parts))
    return accounts


@pytest.mark.parametrize(
    ("one", "other", "sum_of_both"),
    [
        (total(1, EUR="1.50", USD="2"), total(2, USD="3", BRL="-1"), total(3, EUR="1.50", USD="5", BRL="-1")),
        # What adds up to nothing is not there, in whatever order and however it came about.
        (total(1, EUR="1.50"), total(1, EUR="-1.5000"), total(2)),
        (total(1, EUR="0.00"), total(0), total(1)),
        (Total(), total(1, EUR="1"), total(1, EUR="1")),
        (total(1, EUR="1"), Total(2), total(3, EUR="1")),
    ],
)
def test_totals_are_added_currency_by_currency(one: Total, other: Total, sum_of_both: Total) -> None:
    assert one + other == other + one == sum_of_both


def test_a_total_of_no_money_in_any_currency_is_not_one_without_currencies() -> None:
    assert total(1) != Total(1)
    assert (total(1).by_currency, Total(1).by_currency) == ({}, None)


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (total(1234, USD="-1234567.891", EUR="0.5"), "1,234 rows worth EUR 0.50 + USD -1,234,567.89"),
        (total(2, EUR="10"), "2 rows worth EUR 10.00"),
        (total(2), "2 rows worth nothing"),
        (Total(2), "2 rows"),
    ],
)
def test_a_total_names_each_currency_in_words(of: Total, words: str) -> None:
    assert str(of) == words


def test_a_whole_is_the_sum_of_its_parts_in_every_currency() -> None:
    accounts = reconcile(total(3, EUR="3", USD="10"), total(2, USD="10.00", EUR="2"), total(1, EUR="1"))
    [check] = accounts.as_json()["reconciliation"]
    assert check == {
        "whole": {
            "table": "ledger",
            "kind": "read",
            "rows": 3,
            "money_by_currency": {"EUR": "3", "USD": "10"},
        },
        "parts": [
            {
                "table": "ledger",
                "kind": "written",
                "rows": 2,
                "money_by_currency": {"EUR": "2", "USD": "10.00"},
            },
            {"table": "quarantine/ledger", "kind": "written", "rows": 1, "money_by_currency": {"EUR": "1"}},
        ],
        "compared": ["rows", "money"],
        "passed": True,
    }


WHOLE = total(3, EUR="10", USD="10")


@pytest.mark.parametrize(
    ("part", "difference"),
    [
        # What one currency lacks, another has too much of.
        (total(3, EUR="9", USD="11"), "0 rows worth EUR 1.00 + USD -1.00"),
        (total(3, EUR="10"), "0 rows worth USD 10.00"),
        (total(3, EUR="10", USD="10", BRL="0.01"), "0 rows worth BRL -0.01"),
        (total(3, EUR="20"), "0 rows worth EUR -10.00 + USD 10.00"),
        (Total(3), "0 rows worth EUR 10.00 + USD 10.00"),
        (total(2, EUR="10", USD="10"), "1 rows worth nothing"),
    ],
)
def test_a_currency_that_is_off_stops_the_run_whatever_the_others_are(part: Total, difference: str) -> None:
    with pytest.raises(DataError) as error:
        reconcile(WHOLE, part)
    assert str(error.value) == (
        f"reconciliation failed: ledger read (3 rows worth EUR 10.00 + USD 10.00) is not ledger ({part}); the "
        f"difference is {difference}. Rows were lost or doubled on the way: report it with this run's folder"
    )


def manifest(totals: Any) -> Manifest:
    required = {"run_id": "2018-10-17-r", "as_of": "2018-10-17", "configuration_hash": "0123456789abcdef"}
    return read_manifest(json.dumps({**required, "totals": totals}), name="manifest.json")


def test_totals_by_currency_come_back_from_a_manifest_exactly() -> None:
    accounts = Accounts()
    accounts.record(
        BoundaryTotal(READ, total(3, EUR="0.1000", USD="-99999999999999.9999")),
        BoundaryTotal(Boundary("ledger", BoundaryKind.EXCLUDED, "fees"), total(1)),
        BoundaryTotal(Boundary("ledger", BoundaryKind.COUNTED, "purchase"), total(2, **{"R$ old": "1.0000"})),
        BoundaryTotal(Boundary("ledger", BoundaryKind.CONVERTED, "purchase"), Total(2, Decimal("5.0000"))),
    )
    read = totals_of(manifest(accounts.as_json()["totals"]))
    assert read == accounts.totals
    assert read[READ].by_currency == {"EUR": Decimal("0.1"), "USD": Decimal("-99999999999999.9999")}


@pytest.mark.parametrize("amount", [1.5, "1,50", "1e3", "NaN", None])
def test_a_manifest_with_money_that_is_no_amount_is_refused(amount: Any) -> None:
    entry = {"table": "ledger", "kind": "read", "rows": 1, "money_by_currency": {"EUR": amount}}
    with pytest.raises(DataError, match=r"manifest.json: \"totals.0.money_by_currency.EUR\" is .*expected an amount"):
        manifest([entry])


def test_a_step_shows_the_money_of_each_currency_that_it_wrote() -> None:
    step = StepMetrics("ledger", 4, total(3, EUR="1234.5", USD="1"), 1, 2.04, 1)
    assert step.as_row() == ("ledger", "4", "3", "1", "EUR 1,234.50, USD 1.00", "2.0")
    entry = step.as_json()
    assert (entry["money_out"], entry["money_out_by_currency"]) == (None, {"EUR": "1234.5", "USD": "1"})
    nothing = StepMetrics("ledger", 4, total(3), 1, 2.04, 1)
    assert nothing.as_row()[4] == ""
    assert "money_out_by_currency" not in nothing.as_json()


def test_excluded_rows_are_listed_with_the_money_of_each_currency() -> None:
    accounts = Accounts()
    accounts.record(
        BoundaryTotal(Boundary("ledger", BoundaryKind.EXCLUDED, "returns_ignored"), total(2, EUR="-5", USD="-1")),
        BoundaryTotal(Boundary("ledger", BoundaryKind.EXCLUDED, "fees"), total(0)),
    )
    assert accounts.excluded() == ["ledger excluded: 2 rows worth EUR -5.00 + USD -1.00 (returns ignored)"]


def test_money_is_added_by_currency_while_rows_are_written_whatever_a_currency_is_called(spark: SparkSession) -> None:
    rows = frame(
        spark,
        "currency string, amount decimal(18,4)",
        ("rows", money("1")),
        ("a.b", money("2")),
        ("rows", money("0.5")),
        ("x", None),
        ("`", money("8")),
    )
    amounts = {name: F.when(F.col("currency") == name, F.col("amount")) for name in ("rows", "a.b", "`", "x", "nobody")}
    observed, seen = with_metrics(rows, "by currency", money=amounts)
    observed.write.format("noop").mode("overwrite").save()
    assert total_of(seen.get, amounts) == Total(5, None, {"rows": money("1.5"), "a.b": money("2"), "`": money("8")})
    # No rows have no money.
    assert total_of({"rows": 0}, amounts) == total(0)
    assert money_sums(None) == {}
