"""Rows of a ledger that do not count: each has one cause."""

from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.frames import at, money
from tests.transforms.sources.ledgers import AS_OF, causes, entries, mapping
from transforms.sources.counted import Counted
from transforms.sources.ledger import exclusion_causes

NOON, LATE, EARLY = at("2018-06-30 12:00:00"), at("2018-07-01 00:00:00"), at("2017-06-30 23:59:59")
ONE = money("1")
TYPES = {"purchase": ("P",), "return": ("R",), "reversal": ("V",), "fee": ("F",), "other": ("O", "INTEREST*")}
FILTERED = mapping(
    type_col="kind",
    types=TYPES,
    status_col="status",
    keep={"status": ("booked", "paid*")},
    drop={"branch": ("test*", "9"), "kind": ("P-", "V-")},
    customer_missing="leave out",
)
YEAR = Counted(AS_OF, window_months=12)


def test_of_several_causes_the_first_is_recorded(spark: SparkSession) -> None:
    # id, customer, time, amount, status, type, branch
    good = ("good", "ann", NOON, ONE, "booked", "P", "1")
    actual = entries(
        spark,
        FILTERED,
        good,
        ("prefix", "ann", NOON, ONE, "paid in full", "P", None),
        ("all", None, LATE, ONE, "held", "F", "9"),
        ("dropped", None, LATE, ONE, "booked", "F", "9"),
        ("dropped by a beginning", None, LATE, ONE, "paid", "F", "tests"),
        ("nobody", None, LATE, ONE, "booked", "F", "1"),
        ("late", "ann", LATE, ONE, "booked", "F", "1"),
        ("early", "ann", EARLY, ONE, "booked", "F", "1"),
        ("fee", "ann", NOON, ONE, "booked", "F", "1"),
        ("interest", "ann", NOON, ONE, "booked", "INTEREST 2018", "1"),
        ("late interest", "ann", LATE, ONE, "booked", "O", "1"),
        ("return", "ann", NOON, ONE, "booked", "R", "1"),
        ("reversal", "ann", NOON, ONE, "booked", "V", "1"),
        ("other status", "ann", NOON, ONE, "Booked", "P", "1"),
        ("no status", "ann", NOON, ONE, None, "P", "1"),
        ("longer value", "ann", NOON, ONE, "booked", "P", "99"),
        counted=YEAR,
    )
    assert causes(actual) == {
        "good": None,
        "prefix": None,
        "all": "status not kept",
        "dropped": "branch dropped",
        "dropped by a beginning": "branch dropped",
        "nobody": "without_customer",
        "late": "purchased_after_as_of",
        "early": "purchased_before_window",
        "fee": "fees",
        "interest": "other_types",
        "late interest": "purchased_after_as_of",
        "return": "returns_ignored",
        "reversal": "reversals_ignored",
        "other status": "status not kept",
        "no status": "status not kept",
        "longer value": None,
    }


@pytest.mark.parametrize(
    ("returns", "last"),
    [
        ("ignore", ("fees", "other_types", "returns_ignored", "reversals_ignored")),
        ("net", ("fees", "other_types")),
        (
            "cancel",
            (
                "fees",
                "other_types",
                "returns_without_their_purchase",
                "returns_of_cancelled_purchases",
                "cancelled_purchases",
            ),
        ),
    ],
)
def test_the_causes_are_listed_in_the_order_in_which_they_are_recorded(returns: Any, last: tuple[str, ...]) -> None:
    of = replace(FILTERED, returns=returns, returned_transaction_col="of")
    assert exclusion_causes(of) == (
        "status not kept",
        "branch dropped",
        "kind dropped",
        "without_customer",
        "purchased_after_as_of",
        "purchased_before_window",
        *last,
    )


def test_a_filter_reads_numbers_and_times_as_the_file_has_them(spark: SparkSession) -> None:
    of = mapping(keep={"at": ("01.*",)}, drop={"amount": ("0", "0,00")})
    actual = entries(
        spark,
        of,
        ("kept", "ann", NOON, ONE, "01.06.2018", "1"),
        ("other day", "ann", NOON, ONE, "02.06.2018", "1"),
        ("free", "ann", NOON, money("0"), "01.06.2018", "0"),
        ("free too", "ann", NOON, money("0"), "01.06.2018", "0,00"),
        ("not listed", "ann", NOON, money("0"), "01.06.2018", "0.00"),
    )
    assert causes(actual) == {
        "kept": None,
        "other day": "at not kept",
        "free": "amount dropped",
        "free too": "amount dropped",
        "not listed": None,
    }


def test_an_asterisk_keeps_every_row_with_a_value(spark: SparkSession) -> None:
    of = mapping(keep={"branch": ("*",)})
    actual = entries(
        spark, of, ("a", "ann", NOON, ONE, "x"), ("b", "ann", NOON, ONE, ""), ("c", "ann", NOON, ONE, None)
    )
    assert causes(actual) == {"a": None, "b": None, "c": "branch not kept"}


def test_the_window_and_the_as_of_date_are_days_of_the_zone_that_counts(spark: SparkSession) -> None:
    # In June, Sao Paulo is three hours behind UTC: its last of June ends at 03:00 of the first of July.
    # Twelve months up to the last of June begin on the first of July a year before.
    of = mapping(datetime_zone="UTC", time_zone="America/Sao_Paulo")
    actual = entries(
        spark,
        of,
        ("last second", "ann", at("2018-07-01 02:59:59"), ONE),
        ("a second later", "ann", at("2018-07-01 03:00:00"), ONE),
        ("half past eleven", "ann", at("2018-07-01 02:30:00"), ONE),
        ("first second", "ann", at("2017-07-01 03:00:00"), ONE),
        ("a second earlier", "ann", at("2017-07-01 02:59:59"), ONE),
        counted=YEAR,
    )
    assert causes(actual) == {
        "last second": None,
        "a second later": "purchased_after_as_of",
        "half past eleven": None,
        "first second": None,
        "a second earlier": "purchased_before_window",
    }
    assert actual["half past eleven"]["order_purchase_time"] == at("2018-06-30 23:30:00")
    # Written in the zone whose days count, the same texts are other days.
    as_written = entries(
        spark,
        mapping(time_zone="America/Sao_Paulo"),
        ("a", "ann", at("2018-06-30 23:59:59"), ONE),
        ("b", "ann", at("2018-07-01 02:30:00"), ONE),
        counted=YEAR,
    )
    assert causes(as_written) == {"a": None, "b": "purchased_after_as_of"}


CANCEL = mapping(
    type_col="kind", types=TYPES, returns="cancel", returned_transaction_col="of", customer_missing="leave out"
)
BOTH, ALONE = "returns_of_cancelled_purchases", "returns_without_their_purchase"


def test_a_return_takes_back_the_purchase_of_its_customer_that_it_names(spark: SparkSession) -> None:
    # id, customer, time, amount, type, the purchase that it names
    actual = entries(
        spark,
        CANCEL,
        ("p1", "ann", NOON, money("10"), "P", None),
        ("r1", "ann", NOON, money("0.01"), "R", "p1"),
        ("p2", "ann", NOON, money("10"), "P", None),
        ("v2", "ann", NOON, money("10"), "V", "p2"),
        ("p3", "ann", NOON, money("10"), "P", None),
        ("r3 twice", "ann", NOON, money("10"), "R", "p3"),
        ("r3 again", "ann", NOON, money("10"), "R", "p3"),
        ("p4", "ann", NOON, money("10"), "P", None),
        ("r4 of bob", "bob", NOON, money("10"), "R", "p4"),
        ("p5", "ann", NOON, money("10"), "P", None),
        ("r5 late", "ann", LATE, money("10"), "R", "p5"),
        ("r of nothing", "ann", NOON, money("10"), "R", None),
        ("r of nobody", None, NOON, money("10"), "R", "p4"),
        ("r of another", "ann", NOON, money("10"), "R", "p9"),
        ("r of a return", "ann", NOON, money("10"), "R", "r1"),
        ("f", "ann", NOON, money("10"), "F", "p4"),
        ("r of a fee", "ann", NOON, money("10"), "R", "f"),
        ("o names p4", "ann", NOON, money("10"), "O", "p4"),
        ("r of interest", "ann", NOON, money("10"), "R", "o names p4"),
        ("p6 names p4", "ann", NOON, money("10"), "P", "p4"),
        ("p7 late", "ann", LATE, money("10"), "P", None),
        ("r7 before", "ann", NOON, money("10"), "R", "p7 late"),
        counted=Counted(AS_OF),
    )
    assert causes(actual) == {
        "p1": "cancelled_purchases",
        "r1": BOTH,
        "p2": "cancelled_purchases",
        "v2": BOTH,
        "p3": "cancelled_purchases",
        "r3 twice": BOTH,
        "r3 again": BOTH,
        "p4": None,
        "r4 of bob": ALONE,
        "p5": None,
        "r5 late": "purchased_after_as_of",
        "r of nothing": ALONE,
        "r of nobody": "without_customer",
        "r of another": ALONE,
        "r of a return": ALONE,
        "f": "fees",
        "r of a fee": ALONE,
        "o names p4": "other_types",
        "r of interest": ALONE,
        "p6 names p4": None,
        "p7 late": "purchased_after_as_of",
        "r7 before": BOTH,
    }


def test_returns_that_are_told_by_their_sign_cancel_too(spark: SparkSession) -> None:
    of = mapping(sign="debits negative", returns="cancel", returned_transaction_col="of")
    actual = entries(
        spark,
        of,
        ("p1", "ann", NOON, money("-10"), None),
        ("r1", "ann", NOON, money("10"), "p1"),
        ("p2", "ann", NOON, money("-5"), None),
    )
    assert causes(actual) == {"p1": "cancelled_purchases", "r1": BOTH, "p2": None}
    assert actual["p2"]["payment_value"] == money("5")
