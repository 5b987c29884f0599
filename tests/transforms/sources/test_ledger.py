"""The rows of a ledger: what each is, what it is worth, and what all of them add up to."""

from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import product
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tests.frames import assert_same_rows, at, frame, money
from tests.transforms.sources.ledgers import LONG_AFTER, entries, ledger, mapping
from transforms import schemas
from transforms.rates import Rates
from transforms.schemas import MONEY
from transforms.sources.ledger import (
    amount_of,
    attributed_entries,
    entry_totals,
    first_purchase_day,
    has_value,
    kind_of,
    ledger_schema,
    transactions,
)
from transforms.sources.mapping import LedgerMapping, Sign

NOON = at("2018-01-01 12:00:00")
PLACES = Decimal("0.0001")
MONEY_COLUMN = "amount decimal(18,4)"
WIDE = Context(prec=60, rounding=ROUND_HALF_UP)


def test_a_checked_ledger_has_the_columns_of_the_mapping_with_times_and_numbers_typed() -> None:
    of = mapping(monetary_value_col=("count", "price"), currency_col="code", keep={"price": ("1",), "count": ("2",)})
    assert ledger_schema(of).simpleString() == (
        "struct<order_id:string,customer_unique_id:string,order_purchase_time:timestamp,quantity:decimal(18,4),"
        "unit_price:decimal(18,4),currency:string,filtered_by_1:string,filtered_by_2:string>"
    )
    assert ledger_schema(mapping())["payment_value"].dataType == MONEY


TYPES = {"purchase": ("*",), "return": ("C*", "R"), "reversal": ("CX*", "a.b*"), "fee": ("CXF", "FEE", "C")}
KINDS = {
    "SALE": "purchase",
    "": "purchase",
    "c": "purchase",
    "FEES": "purchase",
    "axb": "purchase",
    "*": "purchase",
    "CASH": "return",
    "C*": "return",
    "R": "return",
    "CX": "reversal",
    "CXFF": "reversal",
    "a.bc": "reversal",
    "CXF": "fee",
    "C": "fee",
    "FEE": "fee",
    None: None,
}


def test_an_exact_type_decides_before_a_beginning_and_a_beginning_before_all_others(spark: SparkSession) -> None:
    some = {name: values for name, values in TYPES.items() if name != "purchase"} | {"purchase": ("SALE",)}
    rows = frame(spark, "type string", *[(each,) for each in KINDS])
    kinds = [
        kind_of(mapping(type_col="kind", types=types), amount=F.lit(-1), row_type=F.col("type"))
        for types in (TYPES, some)
    ]
    actual = {row[0]: (row[1], row[2]) for row in rows.select("type", *kinds).collect()}
    # Without an asterisk by itself, what is not named is of no kind.
    unnamed = {name: None if kind == "purchase" and name != "SALE" else kind for name, kind in KINDS.items()}
    assert actual == {name: (kind, unnamed[name]) for name, kind in KINDS.items()}


def test_signs_of_a_regular_expression_or_a_pattern_stand_for_themselves(spark: SparkSession) -> None:
    values = ["a.b*", ".*", "%", "_", "a'b", "a\\*", "(*"]
    texts = ["a.b", "axb", ".x", "%", "x", "_", "a'b", "a\\b", "(", "("]
    rows = frame(spark, "text string", *[(text,) for text in {*texts}])
    actual = {
        row[0]: list(row)[1:] for row in rows.select("text", *[has_value(F.col("text"), v) for v in values]).collect()
    }
    assert actual == {
        text: [text.startswith(v[:-1]) if v.endswith("*") else text == v for v in values] for text in {*texts}
    }


def test_without_types_the_sign_tells_returns_as_the_mapping_says(spark: SparkSession) -> None:
    signs: list[Sign] = ["all positive", "purchases positive", "debits negative"]
    rows = frame(spark, MONEY_COLUMN, (money("-1"),), (money("0"),), (money("1"),))
    kinds = [kind_of(mapping(sign=sign), amount=F.col("amount"), row_type=None) for sign in signs]
    actual = {int(row[0]): list(row)[1:] for row in rows.select("amount", *kinds).collect()}
    assert actual == {
        -1: ["purchase", "return", "purchase"],
        0: ["purchase"] * 3,
        1: ["purchase", "purchase", "return"],
    }


@pytest.mark.parametrize("sign", ["purchases positive", "debits negative"])
def test_a_purchase_is_worth_its_amount_and_a_return_that_much_less_whatever_their_signs(
    spark: SparkSession, sign: Sign
) -> None:
    of = mapping(sign=sign, returns="net")
    one = -1 if sign == "debits negative" else 1
    actual = entries(
        spark,
        of,
        ("bought", "ann", NOON, money("10.50") * one),
        ("returned", "ann", NOON, money("-4.25") * one),
        ("nothing", "ann", NOON, money("0")),
    )
    assert {name: (row["kind"], row["payment_value"], row["amount"]) for name, row in actual.items()} == {
        "bought": ("purchase", money("10.50"), money("10.50") * one),
        "returned": ("return", money("-4.25"), money("-4.25") * one),
        "nothing": ("purchase", money("0"), money("0")),
    }


@pytest.mark.parametrize("sign", ["all positive", "purchases positive"])
def test_of_types_returns_and_reversals_are_worth_less_than_nothing_however_they_are_signed(
    spark: SparkSession, sign: Sign
) -> None:
    types = {"purchase": ("P",), "return": ("R",), "reversal": ("V",), "fee": ("F",), "other": ("O",)}
    of = mapping(type_col="kind", types=types, returns="net", sign=sign)
    rows = [
        (f"{kind}{amount}", "ann", NOON, money(amount), kind)
        for kind, amount in product("PRVFO", ("2.00", "-2.00"))
        if (kind, amount) != ("P", "-2.00")
    ]
    actual = entries(spark, of, *rows)
    assert {name: row["payment_value"] for name, row in actual.items()} == {
        "P2.00": money("2"),
        **dict.fromkeys(["R2.00", "R-2.00", "V2.00", "V-2.00"], money("-2")),
        **dict.fromkeys(["F2.00", "F-2.00", "O2.00", "O-2.00"], money("-2")),
    }
    of_kinds = {name: row["exclusion_cause"] for name, row in actual.items()}
    assert {name: cause for name, cause in of_kinds.items() if cause is not None} == {
        **dict.fromkeys(["F2.00", "F-2.00"], "fees"),
        **dict.fromkeys(["O2.00", "O-2.00"], "other_types"),
    }


FACTORS = ["0.0001", "-0.0001", "0.5", "0.4999", "-0.5", "3", "-7.1235", "0.00", "99999999999999.9999", "1.0005"]


def half_up(one: Decimal, other: Decimal) -> Decimal | None:
    """A product as the table holds it, or nothing if it is too large."""
    rounded = WIDE.multiply(one, other).quantize(PLACES, context=WIDE)
    return rounded if abs(rounded) < 10**14 else None


def test_a_product_is_rounded_half_up_to_four_decimals_and_is_nothing_if_it_is_too_large(spark: SparkSession) -> None:
    pairs = [(money(one), money(other)) for one, other in product(FACTORS, repeat=2)]
    rows = frame(spark, "quantity decimal(18,4), unit_price decimal(18,4)", *pairs)
    amount = amount_of([F.col("quantity"), F.col("unit_price")])
    actual = {(row[0], row[1]): row[2] for row in rows.select("quantity", "unit_price", amount).collect()}
    assert actual == {(one, other): half_up(one, other) for one, other in pairs}
    # 0.0001 x 0.5 is 0.00005, and 0.0001 x 0.4999 is 0.00004999.
    tiny = [actual[money("0.0001"), money(other)] for other in ("0.5", "0.4999", "-0.5")]
    assert tiny == [money("0.0001"), money("0"), money("-0.0001")]


MONDAY = date(2018, 1, 1)
RATES = Rates(
    "EUR",
    MONDAY,
    {
        "USD": [Decimal("0.83333333"), Decimal("0.5")],
        "JPY": [Decimal("0.00740000"), Decimal("0.00005")],
        "BTC": [Decimal("9999999999.99999999"), None],
    },
    "ab",
)


def test_amounts_are_converted_at_the_rate_of_their_day_and_rounded_half_up(spark: SparkSession) -> None:
    of = mapping(currency_col="code", rates="rates.csv", sign="purchases positive", returns="net")
    amounts = ["1", "-1", "0.0001", "-0.0001", "1234567.8912", "0.6", "3", "1000000000000"]
    rows = [
        (f"{code} {amount} {day}", "ann", at(f"2018-01-0{day} 23:59:59"), money(amount), code)
        for code, amount, day in product(("EUR", "USD", "JPY"), amounts, (1, 2))
    ]
    too_large = ("BTC", "ann", NOON, money("1000000000000"), "BTC")
    actual = entries(spark, of, *rows, too_large, rates=RATES)
    # What no table holds is rejected by the rules of transactions.
    assert actual.pop("BTC")["payment_value"] is None

    def worth(name: str) -> Decimal | None:
        code, amount, day = name.split()
        rate = Decimal(1) if code == "EUR" else RATES.by_currency[code][int(day) - 1]
        return half_up(Decimal(amount), rate or Decimal(0))

    assert {name: row["payment_value"] for name, row in actual.items()} == {name: worth(name) for name in actual}
    assert actual["USD 0.0001 2"]["payment_value"] == money("0.0001")
    assert {row["currency"] for row in actual.values()} == {"EUR", "USD", "JPY"}


def test_the_rate_is_that_of_the_day_in_the_zone_that_counts(spark: SparkSession) -> None:
    of = mapping(currency_col="code", rates="r.csv", datetime_zone="UTC", time_zone="America/Sao_Paulo")
    # Two hours behind UTC: the second of January begins there at two in the morning.
    actual = entries(
        spark,
        of,
        ("before", "ann", at("2018-01-02 01:59:59"), money("100"), "USD"),
        ("after", "ann", at("2018-01-02 02:00:00"), money("100"), "USD"),
        rates=RATES,
    )
    assert [actual[name]["payment_value"] for name in ("before", "after")] == [money("83.3333"), money("50")]
    assert [actual[name]["order_purchase_time"] for name in ("before", "after")] == [
        at("2018-01-01 23:59:59"),
        at("2018-01-02 00:00:00"),
    ]


def test_the_day_of_the_first_row_is_that_in_the_zone_that_counts(spark: SparkSession) -> None:
    of = mapping(datetime_zone="UTC", time_zone="America/Sao_Paulo")
    rows = [("a", "ann", at("2018-01-02 01:59:59"), money("5")), ("b", "ann", NOON.replace(month=2), money("-5"))]
    days = first_purchase_day(ledger=ledger(spark, of, *rows), mapping=of).collect()
    assert [str(row["day"]) for row in days] == ["2018-01-01"]
    [empty] = first_purchase_day(ledger=ledger(spark, of), mapping=of).collect()
    assert empty["day"] is None


def test_transactions_are_the_rows_that_count_with_the_columns_of_their_table(spark: SparkSession) -> None:
    of = mapping(sign="purchases positive")
    rows = ledger(spark, of, ("a", "ann", NOON, money("5")), ("b", "ann", NOON, money("-5")))
    attributed = attributed_entries(ledger=rows, mapping=of, rates=None, counted=LONG_AFTER)
    expected = frame(spark, schemas.TRANSACTIONS, ("a", 1, "ann", NOON, money("5")))
    assert_same_rows(transactions(entries=attributed), expected)


def totals_of(spark: SparkSession, of: LedgerMapping, rates: Rates | None, *rows: tuple[Any, ...]) -> set[Any]:
    attributed = attributed_entries(ledger=ledger(spark, of, *rows), mapping=of, rates=rates, counted=LONG_AFTER)
    return {tuple(row) for row in entry_totals(entries=attributed).collect()}


def test_rows_are_totalled_by_currency_kind_and_cause_as_they_stand_and_as_they_count(spark: SparkSession) -> None:
    of = mapping(
        currency_col="code",
        rates="rates.csv",
        type_col="kind",
        types={"purchase": ("P",), "return": ("R",), "fee": ("F",)},
        sign="debits negative",
        returns="net",
    )
    monday, tuesday = NOON, at("2018-01-02 12:00:00")
    actual = totals_of(
        spark,
        of,
        RATES,
        ("1", "ann", monday, money("-10"), "P", "EUR"),
        ("2", "ann", monday, money("-20"), "P", "EUR"),
        ("3", "ann", tuesday, money("-30"), "P", "USD"),
        ("4", "bob", tuesday, money("10"), "R", "USD"),
        ("5", "bob", tuesday, money("-1"), "R", "USD"),
        ("6", "bob", tuesday, money("-7"), "F", "USD"),
    )
    # currency, kind, cause, rows, amount as it stands, worth
    assert actual == {
        ("EUR", "purchase", None, 2, money("-30"), money("30")),
        ("USD", "purchase", None, 1, money("-30"), money("15")),
        ("USD", "return", None, 2, money("9"), money("-5.5")),
        ("USD", "fee", "fees", 1, money("-7"), money("-3.5")),
    }


def test_rows_without_a_currency_of_their_own_are_totalled_in_that_of_the_mapping(spark: SparkSession) -> None:
    actual = totals_of(spark, mapping(), None, ("1", "ann", NOON, money("10")), ("2", "ann", NOON, money("1")))
    assert actual == {("EUR", "purchase", None, 2, money("11"), money("11"))}
