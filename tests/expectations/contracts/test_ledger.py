"""The contract of a ledger: rules and columns that follow from its mapping."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, StringType, TimestampNTZType, TimestampType

from expectations.contracts.ledger import LedgerContract, ledger_contract
from expectations.contracts.overrides import OverridesError, with_overrides
from expectations.rules import Between, InSet, Rule
from expectations.rules.cell_forms import ColumnForm
from expectations.rules.ledger_rules import HasKind, HasRate, HasSign, IsMoney
from expectations.validation.records import possible_forms
from expectations.validation.rows import validate_rows
from tests.expectations.validation.raw_rows import raw_rows
from tests.frames import at, frame, money
from transforms.rates import Rates
from transforms.sources.mapping import CsvForm, LedgerMapping

RATES = Rates("EUR", date(2018, 1, 1), {"USD": [Decimal("0.5")], "BRL": [Decimal("0.25")]}, "ab")
TYPES = {"purchase": ("P",), "return": ("R",)}
IDS, CODES = {"transaction_id_col": "id"}, {"currency_col": "code", "rates": "rates.csv"}


def mapping(**changes: Any) -> LedgerMapping:
    needed = {"customer_id_col": "who", "datetime_col": "at", "monetary_value_col": "amount", "currency": "EUR"}
    return LedgerMapping(**{**needed, **changes})


def contract(rates: Rates | None = None, /, **changes: Any) -> LedgerContract:
    return ledger_contract(mapping(**changes), rates)


WHO, AT, AMOUNT = "customer_unique_id", "order_purchase_time", "payment_value"


@pytest.mark.parametrize(
    ("changes", "required"),
    [
        ({}, (WHO, AT, AMOUNT)),
        ({"customer_missing": "leave out"}, (AT, AMOUNT)),
        (IDS, ("order_id", WHO, AT, AMOUNT)),
        ({"order_id_col": "invoice"}, ("order_id", WHO, AT, AMOUNT)),
        ({"monetary_value_col": ("count", "price")}, (WHO, AT, "quantity", "unit_price")),
        ({"currency_col": "code"}, (WHO, AT, AMOUNT, "currency")),
        ({"status_col": "s", "channel_col": "c", "keep": {"b": ("1",)}}, (WHO, AT, AMOUNT)),
    ],
)
def test_a_row_without_an_id_a_customer_a_time_an_amount_or_a_currency_is_rejected_if_there_is_a_column_for_it(
    changes: dict[str, Any], required: tuple[str, ...]
) -> None:
    assert contract(**changes).required == required


def special(of: LedgerContract) -> list[Rule]:
    """The rules that only a ledger has, and those of bounds and sets."""
    return [rule for rule in of.rules if isinstance(rule, Between | InSet | IsMoney | HasSign | HasKind | HasRate)]


TIME = Between(AT, low=date(1900, 1, 1), high=date(2262, 4, 10), null_passes=True)


def test_the_rules_follow_from_the_mapping() -> None:
    is_money = IsMoney((AMOUNT,))
    assert special(contract()) == [TIME, is_money, HasSign((AMOUNT,), "at least 0")]
    # Without types, the sign tells returns, and any is right.
    assert special(contract(sign="purchases positive")) == [TIME, is_money]
    assert special(contract(sign="debits negative")) == [TIME, is_money]
    typed = mapping(sign="debits negative", type_col="kind", types=TYPES)
    assert special(ledger_contract(typed, None)) == [
        TIME,
        is_money,
        HasSign((AMOUNT,), "at most 0", of_purchases=typed),
        HasKind(typed),
    ]
    # With types, returns and fees may have either sign, whatever that of purchases is.
    for sign in ("all positive", "purchases positive"):
        positive = mapping(sign=sign, type_col="kind", types=TYPES)
        assert special(ledger_contract(positive, None))[2:] == [
            HasSign((AMOUNT,), "at least 0", of_purchases=positive),
            HasKind(positive),
        ]
    both = ("quantity", "unit_price")
    assert special(contract(monetary_value_col=("count", "price"), currency_col="code")) == [
        TIME,
        IsMoney(both),
        HasSign(both, "at least 0"),
        InSet("currency", ("EUR",), null_passes=True),
    ]
    zones = {"datetime_zone": "UTC", "time_zone": "America/Sao_Paulo"}
    rate = HasRate("currency", AT, RATES, ("UTC", "America/Sao_Paulo"))
    assert special(contract(RATES, **CODES, **zones)) == [
        TIME,
        IsMoney((AMOUNT,), rate),
        HasSign((AMOUNT,), "at least 0"),
        rate,
    ]


@pytest.mark.parametrize("changes", [{}, IDS, {"order_id_col": "invoice"}])
def test_only_an_id_of_each_row_is_a_key(changes: dict[str, Any]) -> None:
    of = contract(**changes)
    assert of.key == (("order_id",) if changes == IDS else ())
    assert [rule.label for rule in of.uniques] == (["unique(order_id)"] if changes == IDS else [])


def test_the_rules_have_different_labels_and_fit_the_columns() -> None:
    of = contract(
        RATES, **IDS, **CODES, monetary_value_col=("count", "price"), type_col="kind", types=TYPES, keep={"at": ("2*",)}
    )
    labels = [rule.label for rule in of.rules]
    assert len(labels) == len({*labels})
    assert [of.incompatibility(rule) for rule in of.rules] == [None] * len(labels)
    assert (of.table, of.file, of.file_name("unit_price")) == ("ledger", "ledger", "price")
    assert of.quarantine_schema.fieldNames() == [*of.mapping.columns, "source_file", "reasons"]


def test_money_is_added_currency_by_currency_and_what_is_in_no_known_one_is_not(spark: SparkSession) -> None:
    raw = frame(
        spark,
        "payment_value string, currency string",
        *[("1.5", "EUR"), ("2", "USD"), ("-0.5", "USD"), ("4", "GBP"), ("8", None), ("x", "EUR"), (None, "GBP")],
    )
    with_rates, alone, plain = contract(RATES, **CODES), contract(currency_col="code"), contract()

    def sums(of: LedgerContract) -> dict[str, Decimal | None]:
        amounts = of.money_in(of.cells)
        assert isinstance(amounts, dict)
        row = raw.select(*[F.sum(amount) for amount in amounts.values()]).collect()[0]
        return dict(zip(amounts, row, strict=True))

    # Neither the pounds nor the row without a currency are in any sum.
    assert sums(with_rates) == {"EUR": money("1.5"), "BRL": None, "USD": money("1.5")}
    assert sums(alone) == {"EUR": money("1.5")}
    total = plain.money_in(plain.cells)
    assert not isinstance(total, dict)
    assert raw.select(F.sum(total)).collect()[0][0] == money("15")
    assert (with_rates.currencies, alone.currencies, plain.currencies) == (("EUR", "BRL", "USD"), ("EUR",), ())


def test_the_money_of_a_product_is_rounded_and_that_of_the_typed_table_is_the_same(spark: SparkSession) -> None:
    of = contract(monetary_value_col=("count", "price"))
    raw, typed = of.money_in(of.cells), of.money
    texts = frame(spark, "quantity string, unit_price string", ("0.5", "0.0001"), ("99999999999999", "10"))
    values = texts.selectExpr(
        "cast(quantity as decimal(18,4)) quantity", "cast(unit_price as decimal(18,4)) unit_price"
    )
    assert [row[0] for row in texts.select(raw).collect()] == [money("0.0001"), None]
    assert [row[0] for row in values.select(typed).collect()] == [money("0.0001"), None]


@pytest.mark.usefixtures("spark")
def test_times_are_read_in_the_format_and_brought_to_the_zone_that_the_mapping_names() -> None:
    assert contract().forms[AT] == ColumnForm()
    assert contract(datetime_format="dd.MM.yyyy").forms[AT] == ColumnForm(format="dd.MM.yyyy")
    zone = {"time_zone": "America/Sao_Paulo"}
    assert contract(**zone).forms[AT] == ColumnForm(zone="America/Sao_Paulo")
    in_that_zone = contract(**zone, datetime_zone="America/Sao_Paulo")
    assert in_that_zone.forms[AT] == ColumnForm(zone="America/Sao_Paulo")
    moved = contract(**zone, datetime_zone="UTC")
    assert moved.forms[AT] == ColumnForm(zone="UTC", has_time=True)
    assert "order_purchase_time: time with an offset, in UTC" in possible_forms(moved)
    day = "order_purchase_time: day without a time"
    assert [day in possible_forms(each) for each in (contract(), contract(**zone), in_that_zone, moved)] == [
        *(True, True, True, False)
    ]


def test_days_alone_are_refused_where_they_would_be_brought_to_another_zone() -> None:
    zones = {"time_zone": "America/Sao_Paulo", "datetime_zone": "UTC"}
    assert contract(**zones).type_incompatibility(AT, DateType()) == (
        "at has days, expected times: a day cannot be brought to another time zone"
    )
    for same in ({}, {"time_zone": "UTC"}, {"time_zone": "UTC", "datetime_zone": "UTC"}):
        assert contract(**same).type_incompatibility(AT, DateType()) is None
    assert contract(**zones).type_incompatibility("filtered_by_1", DateType()) is None


def test_an_instant_needs_to_be_told_its_zone_where_days_are_those_of_one() -> None:
    zone = {"time_zone": "America/Sao_Paulo"}
    assert contract(**zone).type_incompatibility(AT, TimestampType()) == (
        "at is a timestamp that Spark shows in UTC, expected the zone that it is in: datetime_zone: UTC brings it to "
        "America/Sao_Paulo; datetime_zone: America/Sao_Paulo takes it as it is"
    )
    fine = [
        contract(**zone).type_incompatibility(AT, TimestampNTZType()),
        contract(**zone).type_incompatibility(AT, DateType()),
        contract(**zone).type_incompatibility(AT, StringType()),
        contract(**zone).type_incompatibility("order_id", TimestampType()),
        contract(**zone, datetime_zone="UTC").type_incompatibility(AT, TimestampType()),
        contract().type_incompatibility(AT, TimestampType()),
    ]
    assert fine == [None] * len(fine)


def test_rows_are_typed_or_quarantined_by_the_mapping(spark: SparkSession) -> None:
    of = contract(
        RATES,
        **IDS,
        **CODES,
        sign="purchases positive",
        type_col="kind",
        types=TYPES,
        csv=CsvForm(decimal=","),
        datetime_zone="UTC",
        time_zone="America/Sao_Paulo",
    )
    rows = {
        # In Sao Paulo the first of January 2018, whose rates are known, begins at 02:00 UTC and ends a day later.
        "good": ("ann", "2018-01-01 02:00:00", "1.234,5", "P", "USD"),
        "last": ("ann", "2018-01-02 01:59:59", "-1,00", "R", "BRL"),
        "home": ("ann", "2020-01-01 00:00:00", "0", "P", "EUR"),
        "early": ("ann", "2018-01-01 01:59:59", "1,00", "P", "USD"),
        "late": ("ann", "2018-01-02 02:00:00", "1,00", "P", "USD"),
        "point": ("ann", "2018-01-01 12:00:00", "12.50", "P", "EUR"),
        "grouped": ("ann", "2018-01-01 12:00:00", "1.23,4", "P", "EUR"),
        "minus": ("ann", "2018-01-01 12:00:00", "-1,00", "P", "EUR"),
        "plus": ("ann", "2018-01-01 12:00:00", "1,00", "R", "EUR"),
        # At 0.5, these dollars are worth ten thousand million, and a little more.
        "large": ("ann", "2018-01-01 12:00:00", "20.000.000.000", "P", "USD"),
        "too large": ("ann", "2018-01-01 12:00:00", "-20.000.000.000,0002", "R", "USD"),
        "too large and late": ("ann", "2018-01-02 02:00:00", "20000000001", "P", "USD"),
        # In UTC a day has no time that tells the day in Sao Paulo.
        "day": ("ann", "2018-01-01", "1,00", "P", "EUR"),
        "kind": ("ann", "2018-01-01 12:00:00", "-1,00", "X", "EUR"),
        "code": ("ann", "2018-01-01 12:00:00", "1,00", "P", "GBP"),
        "nobody": (None, "2018-01-01 12:00:00", "1,00", "P", None),
    }
    raw = raw_rows(spark, of, *[(name, *row) for name, row in rows.items()])
    validated = validate_rows(raw=raw, contract=of, references={}).collect()
    reasons = {row["order_id"]: [reason["rule"] for reason in row["reasons"] or []] for row in validated}
    assert {name: found for name, found in reasons.items() if found} == {
        "early": ["has_rate"],
        "late": ["has_rate"],
        "point": ["parses_as"],
        "grouped": ["parses_as"],
        "minus": ["has_sign"],
        "too large": ["is_money"],
        "too large and late": ["has_rate"],
        "day": ["parses_as"],
        "kind": ["has_kind"],
        "code": ["has_rate"],
        "nobody": ["not_null", "not_null"],
    }


OVER_TYPES = {**IDS, "type_col": "kind", "types": TYPES, "monetary_value_col": ("count", "price")}
NO_WARNING = "severity is warn, expected quarantine or stop: what a row that fails it is worth is not known"
ALONE = "expected EUR alone, and quarantine or stop: amounts in other currencies need rates"
NAMED = "may_be_missing, expected a mapping of the ledger that does not name the column"
IN_MAPPING = "format, expected in the mapping of the ledger, as datetime_format"


@pytest.mark.parametrize(
    ("changes", "rates", "text", "message"),
    [
        *[
            (
                OVER_TYPES | CODES,
                RATES,
                f'change: {{"{label}": {{severity: warn}}}}',
                f"ledger: {label}: {NO_WARNING}",
            )
            for label in (
                "has_kind(transaction_type)",
                "has_sign(quantity x unit_price)",
                "is_money(quantity x unit_price)",
                "has_rate(currency, order_purchase_time)",
            )
        ],
        *[
            (
                {"currency_col": "code"},
                None,
                f"change: {{in_set(currency): {{{change}}}}}",
                f"ledger: in_set(currency): {ALONE}",
            )
            for change in ("severity: warn", "values: [EUR, USD]", "values: [USD]")
        ],
        (
            OVER_TYPES,
            None,
            'change: {"has_sign(quantity x unit_price)": {sign: at most 0}}',
            "has_sign(quantity x unit_price) has no 'sign' to change (expected: severity)",
        ),
        (
            CODES,
            RATES,
            'change: {"has_rate(currency, order_purchase_time)": {rates: x}}',
            "has_rate(currency, order_purchase_time) has no 'rates' to change (expected: severity)",
        ),
        # Without the rate, amounts in any currency would be held against the largest in one.
        *[
            (
                CODES,
                RATES,
                f'change: {{"is_money(payment_value)": {{rate: {value}}}}}',
                "is_money(payment_value) has no 'rate' to change (expected: severity)",
            )
            for value in ("null", "x")
        ],
        ({}, None, "columns: {order_purchase_time: {format: d/M/yyyy}}", f"order_purchase_time: {IN_MAPPING}"),
        (OVER_TYPES, None, "columns: {transaction_type: {may_be_missing: true}}", f"transaction_type: {NAMED}"),
        (
            {"customer_missing": "leave out"},
            None,
            "columns: {customer_unique_id: {may_be_missing: true}}",
            f"customer_unique_id: {NAMED}",
        ),
        (
            {},
            None,
            "add: [{kind: has_kind, column: payment_value}]",
            (
                "kind is 'has_kind' (expected one of: not_null, matches, in_set, max_bytes, between, not_after, "
                "unique, refers_to, row_count_between, null_share_at_most, mean_between, share_of_one_at_most)"
            ),
        ),
    ],
)
def test_rules_that_the_mapping_makes_cannot_be_undone_by_a_file_of_rules(
    changes: dict[str, Any], rates: Rates | None, text: str, message: str
) -> None:
    contracts = {"ledger": contract(rates, **changes)}
    with pytest.raises(OverridesError) as error:
        with_overrides(contracts=contracts, text=f"ledger: {{{text}}}\n", name="mine.yml")
    assert str(error.value) == f"mine.yml, line 1: {message}"


def test_a_file_of_rules_may_make_the_rules_of_a_ledger_stricter() -> None:
    text = (
        'ledger:\n  change:\n    "has_rate(currency, order_purchase_time)": {severity: stop}\n'
        '    "has_kind(transaction_type)": {severity: stop}\n'
        '    "is_money(quantity x unit_price)": {severity: stop}\n'
        "  add:\n    - {kind: between, column: quantity, high: 1000, null_passes: true}\n"
        "    - {kind: in_set, column: currency, values: [EUR, USD], severity: warn}\n"
        "  columns:\n    order_id: {pad_zeros_to: 5}\n"
    )
    before = contract(RATES, **OVER_TYPES, **CODES)
    after = with_overrides(contracts={"ledger": before}, text=text, name="mine.yml")["ledger"]
    assert isinstance(after, LedgerContract)
    severities = {rule.label: rule.severity for rule in after.rules}
    assert severities["has_kind(transaction_type)"] == "stop"
    rate = HasRate("currency", AT, RATES, (None, None))
    assert after.rule("has_rate(currency, order_purchase_time)") == replace(rate, severity="stop")
    assert after.rule("is_money(quantity x unit_price)") == IsMoney(("quantity", "unit_price"), rate, severity="stop")
    assert after.rule("between(quantity)") == Between("quantity", high=1000, null_passes=True)
    assert "in_set(currency)" in severities
    assert after.forms["order_id"] == ColumnForm(pad_zeros_to=5)


def test_times_are_those_of_the_tables() -> None:
    # A row of the last day that every reader knows passes.
    assert TIME.high == at("2262-04-10 00:00:00").date()
