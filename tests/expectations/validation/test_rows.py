"""The validation of raw rows: each row is accepted or quarantined once, with every reason."""

import pytest
from pyspark.sql import SparkSession

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import CUSTOMERS, ORDERS, PAYMENT_TYPES, PAYMENTS
from expectations.contracts.overrides import with_overrides
from expectations.validation.rows import (
    CASCADED,
    ROWS_BLANKED,
    Reference,
    accepted,
    blanked_rows,
    failure_counts,
    quarantined,
    validate_rows,
)
from tests.expectations.validation.raw_rows import raw_rows
from tests.frames import assert_same_rows, frame, money
from tests.raw_files import key
from transforms import schemas

O1, O2, O9 = key("o1"), key("o2"), key("o9")
C1, ANN = key("c1"), key("ann")


@pytest.fixture(scope="module")
def orders(spark: SparkSession) -> Reference:
    """Two accepted orders, and one quarantined."""
    accepted_orders = frame(spark, schemas.ORDERS, *[(order, C1, "delivered", *[None] * 5) for order in (O1, O2)])
    rejected = frame(spark, ORDERS.quarantine_schema, (key("o3"), *[None] * 7, "file.csv", []))
    return Reference(accepted_orders, rejected)


def test_an_accepted_row_is_typed_and_a_rejected_one_keeps_its_text_and_all_its_reasons(
    spark: SparkSession, orders: Reference
) -> None:
    rows = ((O1, "1", "boleto", "1", "10.5"), (O9, "one", None, "2", None))
    validated = validate_rows(raw=raw_rows(spark, PAYMENTS, *rows), contract=PAYMENTS, references={"orders": orders})

    assert_same_rows(
        accepted(validated=validated, contract=PAYMENTS),
        frame(spark, schemas.PAYMENTS, (O1, 1, "boleto", 1, money("10.5"))),
    )
    assert_same_rows(
        quarantined(validated=validated, contract=PAYMENTS),
        frame(
            spark,
            PAYMENTS.quarantine_schema,
            (
                *rows[1],
                "file.csv",
                [
                    ("not_null", "payment_value", None, "expected a value, found none"),
                    ("parses_as", "payment_sequential", "one", "expected a whole number of at most 2,147,483,647"),
                    ("refers_to", "order_id", O9, "expected the order_id of an accepted row of orders"),
                    ("in_set", "payment_type", None, f"expected one of {', '.join(PAYMENT_TYPES)}"),
                ],
            ),
        ),
    )


def test_rows_are_counted_by_the_rule_that_they_fail_and_cascaded_rejections_apart(
    spark: SparkSession, orders: Reference
) -> None:
    rows = [
        (O1, "1", "boleto", "1", "1"),
        (O2, "1", "cheque", "1", "1"),  # a new type of payment warns, and is accepted
        (O9, "1", "boleto", "1", None),  # no such order, and no value
        (key("o8"), "1", "boleto", "1", "1"),  # no such order
        (key("o3"), "1", "boleto", "1", "1"),  # rejected with its order
        (key("o3"), "2", "boleto", "1", "-1"),  # rejected for a fault of its own too
    ]
    validated = validate_rows(raw=raw_rows(spark, PAYMENTS, *rows), contract=PAYMENTS, references={"orders": orders})
    aggregates = [count.alias(label) for label, count in failure_counts(PAYMENTS).items()]
    counts = validated.agg(*aggregates).collect()[0].asDict()
    assert {label: count for label, count in counts.items() if count} == {
        "refers_to(order_id)": 4,
        "not_null(payment_value)": 1,
        "between(payment_value)": 1,
        "in_set(payment_type)": 1,
        CASCADED: 1,
    }
    assert accepted(validated=validated, contract=PAYMENTS).count() == 2


def test_a_row_that_refers_to_several_quarantined_copies_stays_one_row(spark: SparkSession) -> None:
    customers = frame(spark, schemas.CUSTOMERS, (C1, ANN, None, None, None))
    # Two copies of the customer were quarantined.
    rejected = frame(spark, CUSTOMERS.quarantine_schema, *[(C1, ANN, None, None, None, "file.csv", [])] * 2)
    rows = [(key(f"o{n}"), C1, "delivered", "2018-01-01 00:00:00", None, None, None, None) for n in range(5)]
    references = {"customers": Reference(customers, rejected)}
    validated = validate_rows(raw=raw_rows(spark, ORDERS, *rows), contract=ORDERS, references=references)
    assert sorted(row["order_id"] for row in validated.collect()) == sorted(key(f"o{n}") for n in range(5))
    assert accepted(validated=validated, contract=ORDERS).count() == 5


def test_a_blank_key_and_a_missing_person_have_different_reasons(spark: SparkSession) -> None:
    rows = [(None, ANN, "09790", "x", "SP"), (C1, None, "09790", "x", "SP")]
    validated = validate_rows(raw=raw_rows(spark, CUSTOMERS, *rows), contract=CUSTOMERS, references={})
    reasons = {row["customer_id"]: [reason["column"] for reason in row["reasons"]] for row in validated.collect()}
    assert reasons == {None: ["customer_id"], C1: ["customer_unique_id"]}


def test_a_rule_that_blanks_lets_the_row_in_without_the_cell_and_keeps_its_text_and_reason(
    spark: SparkSession, orders: Reference
) -> None:
    change = "payments: {change: {between(payment_installments): {severity: blank, high: 24}}}"
    contract = with_overrides(contracts={"payments": PAYMENTS}, text=change, name="rules.yml")["payments"]
    assert isinstance(contract, FileContract)
    rows = [(O1, "1", "boleto", "99", "10.5"), (O1, "2", "boleto", "24", "1"), (O9, "1", "boleto", "99", "1")]
    validated = validate_rows(raw=raw_rows(spark, contract, *rows), contract=contract, references={"orders": orders})

    assert_same_rows(
        accepted(validated=validated, contract=contract),
        frame(
            spark,
            schemas.PAYMENTS,
            (O1, 1, "boleto", None, money("10.5")),
            (O1, 2, "boleto", 24, money("1")),
        ),
    )
    reason = ("between", "payment_installments", "99", "expected at least 0 and at most 24")
    assert_same_rows(
        blanked_rows(validated=validated, contract=contract),
        frame(spark, contract.blanked_schema, (O1, "1", "file.csv", [reason])),
    )
    # A row that another rule rejects is quarantined with its whole text, and tells of both.
    [rejected] = quarantined(validated=validated, contract=contract).collect()
    assert rejected["payment_installments"] == "99"
    assert [each["rule"] for each in rejected["reasons"]] == ["refers_to", "between"]
    counts = failure_counts(contract)
    figures = validated.agg(*[count.alias(label) for label, count in counts.items()]).collect()[0]
    assert (figures[ROWS_BLANKED], figures["between(payment_installments)"]) == (1, 2)
