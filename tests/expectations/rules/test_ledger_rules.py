"""Rules of a ledger: what its amounts, its types and its currencies must be."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from expectations.rules import Cells, Rule
from expectations.rules.ledger_rules import HasKind, HasRate, HasSign, IsMoney
from tests.expectations.rules.reasons import TEXT, TIME, reasons_of
from transforms.rates import Rates
from transforms.schemas import MONEY
from transforms.sources.mapping import LedgerMapping

CELLS = Cells({"amount": MONEY, "price": MONEY, "transaction_type": TEXT, "currency": TEXT, "at": TIME}, are_text=True)


def of_types(**types: tuple[str, ...]) -> LedgerMapping:
    named = {"return" if name == "returns" else name: values for name, values in types.items()}
    return LedgerMapping("who", "at", "amount", "EUR", type_col="kind", types=named)  # type: ignore[arg-type]


def failed(spark: SparkSession, rule: Rule, *rows: dict[str, Any]) -> list[str | None]:
    """The value in the reason of each row that fails; None for a row that passes."""
    reasons = reasons_of(spark, rule, CELLS, *rows)
    sources = {(reason["rule"], reason["column"], reason["message"]) for reason in reasons if reason is not None}
    assert sources <= {(rule.kind, rule.subject, f"expected {rule.expectation}")}
    return [reason and reason["value"] for reason in reasons]


def amounts(*texts: str | None) -> list[dict[str, Any]]:
    return [{"amount": text} for text in texts]


def test_an_amount_has_the_sign_that_the_mapping_says(spark: SparkSession) -> None:
    texts = ["1.00", "0", "-0", "0.00", "-0.01", None, "x"]
    # What is no number fails another rule.
    assert failed(spark, HasSign(("amount",), "at least 0"), *amounts(*texts)) == [*[None] * 4, "-0.01", None, None]
    assert failed(spark, HasSign(("amount",), "at most 0"), *amounts(*texts)) == ["1.00", *[None] * 6]


def test_a_product_has_a_sign_too(spark: SparkSession) -> None:
    rows = [{"amount": one, "price": other} for one, other in [("-1", "2"), ("-1", "-2"), ("0", "-2"), (None, "-2")]]
    actual = failed(spark, HasSign(("amount", "price"), "at least 0"), *rows)
    assert actual == ["-1 x 2", None, None, None]


def test_with_types_purchases_alone_must_have_the_sign(spark: SparkSession) -> None:
    rule = HasSign(("amount",), "at most 0", of_purchases=of_types(purchase=("P*",), returns=("R",)))
    types = ["P", "PX", "R", "unknown", None]
    rows = [{"amount": "5", "transaction_type": each} for each in types]
    # A type that is not named, or none, fails another rule.
    assert failed(spark, rule, *rows) == ["5", "5", None, None, None]
    assert failed(spark, rule, {"amount": "-5", "transaction_type": "P"}) == [None]
    assert rule.columns == ("amount", "transaction_type")


@pytest.mark.parametrize(
    ("rule", "label", "expectation"),
    [
        (
            HasSign(("amount",), "at least 0"),
            "has_sign(amount)",
            "an amount of at least 0, as the mapping says by sign",
        ),
        (
            HasSign(("amount", "price"), "at most 0", of_purchases=of_types(purchase=("*",))),
            "has_sign(amount x price)",
            "an amount of a purchase of at most 0, as the mapping says by sign",
        ),
        (
            IsMoney(("amount", "price")),
            "is_money(amount x price)",
            "an amount worth at most 10,000,000,000, either way",
        ),
        (
            IsMoney(("amount",), HasRate("currency", "at", Rates("EUR", date(2018, 1, 1), {"USD": []}, "ab"))),
            "is_money(amount)",
            "an amount worth at most 10,000,000,000 EUR, either way",
        ),
        (
            HasKind(of_types(purchase=("*", "CASH"), returns=("C*",))),
            "has_kind(transaction_type)",
            "a type that the mapping names: CASH, C*, *",
        ),
        (
            HasRate("currency", "at", Rates("EUR", date(2018, 1, 1), {"USD": [], "BRL": []}, "ab")),
            "has_rate(currency, at)",
            "a currency with a rate to EUR on that day (EUR, BRL, USD)",
        ),
    ],
)
def test_a_rule_is_named_after_its_columns_and_says_what_it_expects(rule: Rule, label: str, expectation: str) -> None:
    assert (rule.label, rule.expectation) == (label, expectation)


LARGEST = "99999999999999.9999"
"""What the column of an amount, or of a factor, holds."""


def test_an_amount_of_more_than_ten_thousand_million_is_no_money_either_way(spark: SparkSession) -> None:
    few = ["0", "10000000000", "-10000000000.0000", None, "x"]
    many = ["10000000000.0001", "-10000000000.0001", LARGEST, f"-{LARGEST}"]
    rule = IsMoney(("amount",))
    # What is no number, or has more digits than the column holds, fails another rule.
    actual = failed(spark, rule, *amounts(*few, "100000000000000", *many))
    assert actual == [*[None] * 6, *many]
    assert rule.columns == ("amount",)


def test_a_product_is_held_against_the_largest_amount_however_many_digits_it_has(spark: SparkSession) -> None:
    pairs = {
        ("100000", "100000"): None,
        ("-100000", "100000"): None,
        ("100000.0001", "100000"): "100000.0001 x 100000",
        ("1000000", "-10000.0001"): "1000000 x -10000.0001",
        ("0.0001", "0.0001"): None,
        # Of 28 digits before the point.
        (LARGEST, LARGEST): f"{LARGEST} x {LARGEST}",
        (LARGEST, "0.0001"): None,
        (None, LARGEST): None,
        (LARGEST, "x"): None,
    }
    rows = [{"amount": one, "price": other} for one, other in pairs]
    assert failed(spark, IsMoney(("amount", "price")), *rows) == list(pairs.values())


WORTH = Rates(
    "EUR",
    date(2018, 6, 29),
    {"USD": [Decimal("0.5"), None], "IRR": [Decimal("0.00000001")], "BTC": [Decimal("9999999999.99999999")]},
    "ab",
)
FRIDAY = "2018-06-29 12:00:00"


def test_an_amount_is_held_against_the_largest_by_what_it_is_worth_on_its_day(spark: SparkSession) -> None:
    rule = IsMoney(("amount",), HasRate("currency", "at", WORTH))
    cases: list[tuple[str | None, str | None, str | None, str | None]] = [
        ("20000000000", "USD", FRIDAY, None),
        ("20000000000.0001", "USD", FRIDAY, "20000000000.0001"),
        ("-20000000000.0001", "USD", FRIDAY, "-20000000000.0001"),
        ("10000000000", "EUR", "1999-01-01 00:00:00", None),
        ("10000000000.0001", "EUR", "1999-01-01 00:00:00", "10000000000.0001"),
        # A million, and twice ten thousand million.
        (LARGEST, "IRR", FRIDAY, None),
        ("1", "BTC", FRIDAY, None),
        ("2", "BTC", FRIDAY, "2"),
        (LARGEST, "BTC", FRIDAY, LARGEST),
        # Without a rate it is worth nothing that is known, and another rule rejects the row.
        (LARGEST, "USD", "2018-06-30 12:00:00", None),
        (LARGEST, "GBP", FRIDAY, None),
        (LARGEST, None, FRIDAY, None),
        (LARGEST, "USD", None, None),
        (None, "USD", FRIDAY, None),
    ]
    rows = [{"amount": amount, "currency": currency, "at": time} for amount, currency, time, _ in cases]
    assert failed(spark, rule, *rows) == [case[-1] for case in cases]
    assert rule.columns == ("amount", "currency", "at")


def test_the_worth_of_a_product_of_more_digits_than_spark_holds_is_too_large_and_stops_nothing(
    spark: SparkSession,
) -> None:
    rule = IsMoney(("amount", "price"), HasRate("currency", "at", WORTH))
    cases = [
        # 10^28 times nearly 10^10 has 38 digits before the point.
        (LARGEST, LARGEST, "BTC", f"{LARGEST} x {LARGEST}"),
        (f"-{LARGEST}", LARGEST, "BTC", f"-{LARGEST} x {LARGEST}"),
        (LARGEST, LARGEST, "IRR", f"{LARGEST} x {LARGEST}"),
        # Worth ten million; but no table holds an amount of 10^15, of whatever it is.
        ("10000000", "100000000", "IRR", "10000000 x 100000000"),
        ("10000000", "9999999", "IRR", None),
        (LARGEST, LARGEST, "GBP", None),
    ]
    rows = [{"amount": one, "price": other, "currency": code, "at": FRIDAY} for one, other, code, _ in cases]
    assert failed(spark, rule, *rows) == [case[-1] for case in cases]


def test_a_type_must_be_one_that_the_mapping_names_and_none_is_not(spark: SparkSession) -> None:
    def types(*texts: str | None) -> list[dict[str, Any]]:
        return [{"transaction_type": text} for text in texts]

    some = HasKind(of_types(purchase=("SALE",), returns=("C*",)))
    actual = failed(spark, some, *types("SALE", "C", "CX", "sale", "", "SALE "))
    assert actual == [None, None, None, "sale", "", "SALE "]
    assert failed(spark, HasKind(of_types(purchase=("*",))), *types("SALE", "", "x")) == [None] * 3
    [reason] = reasons_of(spark, HasKind(of_types(purchase=("*",))), CELLS, {})
    assert (reason["value"], reason["message"]) == (None, "expected a type that the mapping names: *")


# 2018-06-30 was a Saturday, and has no rate.
RATES = Rates("EUR", date(2018, 6, 29), {"USD": [Decimal("0.86"), None, Decimal("0.85")]}, "ab")
TEN_DAYS = [date(2018, 6, 25) + timedelta(days=number) for number in range(10)]


def test_a_currency_must_have_a_rate_on_the_day_of_its_row(spark: SparkSession) -> None:
    rule = HasRate("currency", "at", RATES)
    usd = [{"currency": "USD", "at": f"{day} 23:59:59"} for day in TEN_DAYS]
    with_rate = {"2018-06-29 23:59:59", "2018-07-01 23:59:59"}
    without = [None if row["at"] in with_rate else f"USD, {row['at']}" for row in usd]
    others = [
        {"currency": "EUR", "at": "1999-01-01 00:00:00"},
        {"currency": "usd", "at": "2018-06-29 00:00:00"},
        {"currency": None, "at": "2018-06-29 00:00:00"},
        {"currency": "GBP", "at": None},
        {"currency": "GBP", "at": "no time"},
    ]
    assert failed(spark, rule, *usd, *others) == [*without, None, "usd, 2018-06-29 00:00:00", None, None, None]
    assert rule.columns == ("currency", "at")


def test_the_day_of_a_rate_is_one_of_the_zone_that_counts(spark: SparkSession) -> None:
    # Three hours behind UTC, the 29th lasts until 03:00 of the 30th.
    rule = HasRate("currency", "at", RATES, ("UTC", "America/Sao_Paulo"))
    times = ["2018-06-29 02:59:59", "2018-06-29 03:00:00", "2018-06-30 02:59:59", "2018-06-30 03:00:00"]
    actual = failed(spark, rule, *[{"currency": "USD", "at": time} for time in times])
    assert actual == [f"USD, {times[0]}", None, None, f"USD, {times[3]}"]
