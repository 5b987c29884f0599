"""Rows that fail the rules of ledgers, written by hand: see `rule_failures`. Two ledgers have all kinds of rule."""

from datetime import date
from decimal import Decimal

from expectations.contracts.ledger import ledger_contract
from tests.expectations.gx.rule_failures import (
    BEFORE,
    BEYOND,
    NEW_YEAR,
    OF_ROWS,
    C,
    Case,
    Failure,
    X,
    too_long,
    unparsable,
    with_nul,
    without_value,
)
from tests.raw_files import key
from transforms.rates import Rates
from transforms.sources.mapping import CsvForm, LedgerMapping

AT = "order_purchase_time"
IS_MONEY = "is_money(quantity x unit_price)"
HAS_SIGN, HAS_KIND = "has_sign(quantity x unit_price)", "has_kind(transaction_type)"
LARGEST = "99999999999999.9999"
TOO_MUCH = "10.000.000.000,0001"
OF_PRODUCTS = Case(
    ledger_contract(
        LedgerMapping(
            "who",
            "at",
            ("count", "price"),
            "EUR",
            transaction_id_col="id",
            type_col="kind",
            currency_col="code",
            sign="purchases positive",
            types={"purchase": ("P",), "return": ("R",)},
            rates="rates.csv",
        ),
        Rates("EUR", date(2018, 1, 1), {"USD": [Decimal("0.83")]}, "ab"),
    ),
    "order_id",
    {
        "customer_unique_id": C,
        AT: NEW_YEAR,
        "quantity": "2",
        "unit_price": "1.50",
        "transaction_type": "P",
        "currency": "USD",
    },
    [
        *OF_ROWS,
        with_nul("customer_unique_id", "ann", f"{key('4')},ann\u2400,{NEW_YEAR},2,1.50,P,USD"),
        too_long("order_id", 64),
        too_long("customer_unique_id", 64),
        *without_value("order_id", "customer_unique_id", AT, "quantity", "unit_price", "currency"),
        *unparsable(AT, "quantity", "unit_price"),
        # The currency of the mapping has a rate on every day.
        *[Failure(f"between({AT})", {AT: time, "currency": "EUR"}, time) for time in (BEFORE, BEYOND)],
        # At 0.83, fifteen thousand million dollars are more than ten thousand million.
        Failure(IS_MONEY, {"quantity": "100000", "unit_price": "150000"}, "100000 x 150000"),
        Failure(
            IS_MONEY,
            {"quantity": "-100000", "unit_price": "150000", "transaction_type": "R"},
            "-100000 x 150000",
        ),
        Failure(IS_MONEY, {"quantity": LARGEST, "unit_price": LARGEST}, f"{LARGEST} x {LARGEST}"),
        Failure(HAS_SIGN, {"quantity": "-1"}, "-1 x 1.50"),
        Failure(HAS_KIND, {"transaction_type": "X"}, "X"),
        Failure(HAS_KIND, {"transaction_type": None}, ""),
        Failure(f"has_rate(currency, {AT})", {"currency": "GBP"}, f"GBP, {NEW_YEAR}"),
        Failure(f"has_rate(currency, {AT})", {AT: "2018-01-02 00:00:00"}, "USD, 2018-01-02 00:00:00"),
        Failure("unique(order_id)", {"order_id": X}, X),
    ],
    nulls=(HAS_KIND,),
)

OF_AMOUNTS = Case(
    ledger_contract(
        LedgerMapping(
            "who",
            "at",
            "amount",
            "EUR",
            currency_col="code",
            csv=CsvForm(decimal=","),
        ),
        None,
    ),
    "customer_unique_id",
    {AT: NEW_YEAR, "payment_value": "1.000,50", "currency": "EUR"},
    [
        *OF_ROWS,
        with_nul("customer_unique_id", "ann", f"ann\u2400,{NEW_YEAR},1.000,50,EUR"),
        too_long("customer_unique_id", 64),
        *without_value("customer_unique_id", AT, "payment_value", "currency"),
        *unparsable(AT, "payment_value"),
        Failure("parses_as(payment_value)", {"payment_value": "1.50"}, "1.50"),
        Failure(f"between({AT})", {AT: BEFORE}, BEFORE),
        Failure("is_money(payment_value)", {"payment_value": TOO_MUCH}, TOO_MUCH),
        Failure("has_sign(payment_value)", {"payment_value": "-0,01"}, "-0,01"),
        Failure("in_set(currency)", {"currency": "USD"}, "USD"),
    ],
    nulls=(),
)
LEDGERS = {"ledger of products": OF_PRODUCTS, "ledger of amounts": OF_AMOUNTS}
