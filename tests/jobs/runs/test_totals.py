"""Reconciliation checks: which pass, and what a failed one says."""

import json
from decimal import Decimal
from typing import Any

import pytest

from jobs.errors import DataError
from jobs.runs.totals import Accounts, Boundary, BoundaryKind, BoundaryTotal, Total, totals_of
from jobs.storage.run_files import Manifest, read_manifest

RAW = Boundary("orders", BoundaryKind.READ)
GOOD, BAD = Boundary("orders"), Boundary("quarantine/orders")


def entry(boundary: Boundary, rows: int, money: str) -> BoundaryTotal:
    return BoundaryTotal(boundary, Total(rows, Decimal(money)))


def test_a_whole_that_is_the_sum_of_its_parts_passes() -> None:
    accounts = Accounts()
    accounts.reconcile(entry(RAW, 3, "10.00"), entry(GOOD, 2, "9.99"), entry(BAD, 1, "0.01"))
    [check] = accounts.as_json()["reconciliation"]
    assert check["passed"] is True
    assert check["whole"] == {"table": "orders", "kind": "read", "rows": 3, "money": "10.00"}


@pytest.mark.parametrize(
    ("good", "difference"),
    [
        (entry(GOOD, 1, "9.99"), "1 rows worth 0.00"),
        (entry(GOOD, 2, "9.98"), "0 rows worth 0.01"),
        (entry(GOOD, 3, "19.99"), "-1 rows worth -10.00"),
    ],
    ids=["a row lost", "a cent lost", "a row doubled"],
)
def test_a_lost_or_doubled_row_or_cent_stops_the_run_and_names_the_boundary(
    good: BoundaryTotal, difference: str
) -> None:
    with pytest.raises(DataError) as error:
        Accounts().reconcile(entry(RAW, 3, "10.00"), good, entry(BAD, 1, "0.01"))
    whole, parts = "orders read (3 rows worth 10.00)", f"orders ({good.total}) + quarantine/orders (1 rows worth 0.01)"
    assert f"{whole} is not {parts}" in str(error.value)
    assert f"the difference is {difference}" in str(error.value)


def test_where_rows_merge_money_alone_is_compared() -> None:
    payments, purchases = entry(Boundary("payments"), 3, "10"), entry(Boundary("purchases"), 2, "10")
    Accounts().reconcile(payments, purchases, money_only=True)
    with pytest.raises(DataError):
        Accounts().reconcile(payments, purchases)


def manifest(totals: Any) -> Manifest:
    required = {"run_id": "2018-10-17-r", "as_of": "2018-10-17", "configuration_hash": "0123456789abcdef"}
    return read_manifest(json.dumps({**required, "totals": totals}), name="manifest.json")


def test_a_total_of_nothing_adds_nothing() -> None:
    assert Total() + Total(3, Decimal("9.99")) == Total(3, Decimal("9.99"))


@pytest.mark.parametrize(
    ("whole", "money_only", "compared"),
    [
        (Total(3, Decimal(10)), False, ["rows", "money"]),
        (Total(3), False, ["rows"]),
        (Total(3, Decimal(10)), True, ["money"]),
    ],
)
def test_a_check_states_what_was_compared(whole: Total, money_only: bool, compared: list[str]) -> None:
    accounts = Accounts()
    accounts.reconcile(BoundaryTotal(RAW, whole), BoundaryTotal(GOOD, whole), money_only=money_only)
    [check] = accounts.as_json()["reconciliation"]
    assert check["compared"] == compared


def test_totals_come_back_from_a_manifest_exactly() -> None:
    accounts = Accounts()
    accounts.record(
        entry(Boundary("payments"), 3, "0.1000"),
        BoundaryTotal(Boundary("customers"), Total(2)),
        entry(Boundary("payments", BoundaryKind.EXCLUDED, "purchased_after_as_of"), 1, "5.0000"),
    )
    assert totals_of(manifest(accounts.as_json()["totals"])) == accounts.totals


def test_the_totals_of_files_and_tables_are_read_from_a_manifest_of_release_0_1() -> None:
    stated = {"raw orders": {"rows": 4}, "orders": {"rows": 3}, "quarantine/orders": {"rows": 1, "money": "2.5000"}}
    assert totals_of(manifest(stated)) == {
        RAW: Total(4),
        GOOD: Total(3),
        BAD: Total(1, Decimal("2.5")),
    }
