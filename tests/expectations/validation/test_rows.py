"""The split: each row in exactly one place, with every reason."""

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import CONTRACTS, CUSTOMERS, FILE_CONTRACTS, ORDERS, PAYMENT_TYPES, PAYMENTS
from expectations.validation.duplicate_keys import duplicate_keys, reject_duplicate_keys
from expectations.validation.rows import CASCADED, Reference, accepted, failure_counts, quarantined, validate_rows
from tests.frames import assert_same_rows, frame, money
from tests.raw_files import key
from transforms import schemas

O1, O2, O9 = key("o1"), key("o2"), key("o9")
C1, ANN = key("c1"), key("ann")


def raw_rows(spark: SparkSession, contract: FileContract, *rows: tuple[Any, ...]) -> DataFrame:
    names = (*contract.source_columns, "source_file", "malformed_row")
    return spark.createDataFrame(
        [(*row, "file.csv", None) for row in rows], ", ".join(f"{name} string" for name in names)
    )


@pytest.fixture(scope="module")
def orders(spark: SparkSession) -> Reference:
    """Two accepted orders, and one that was quarantined."""
    accepted_orders = frame(spark, schemas.ORDERS, *[(order, C1, "delivered", *[None] * 5) for order in (O1, O2)])
    refused = frame(spark, ORDERS.quarantine_schema, (key("o3"), *[None] * 7, "file.csv", []))
    return Reference(accepted_orders, refused)


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


def test_rows_are_counted_by_the_rule_that_they_broke_and_followers_apart(
    spark: SparkSession, orders: Reference
) -> None:
    rows = [
        (O1, "1", "boleto", "1", "1"),
        (O2, "1", "cheque", "1", "1"),  # a new type of payment is told, and taken
        (O9, "1", "boleto", "1", None),  # an orphan, and without a value
        (key("o8"), "1", "boleto", "1", "1"),  # an orphan
        (key("o3"), "1", "boleto", "1", "1"),  # follows its order
        (key("o3"), "2", "boleto", "1", "-1"),  # would follow, but is wrong itself
    ]
    validated = validate_rows(raw=raw_rows(spark, PAYMENTS, *rows), contract=PAYMENTS, references={"orders": orders})
    found = (
        validated.agg(*[value.alias(label) for label, value in failure_counts(PAYMENTS).items()]).collect()[0].asDict()
    )
    assert {label: rows for label, rows in found.items() if rows} == {
        "refers_to(order_id)": 4,
        "not_null(payment_value)": 1,
        "between(payment_value)": 1,
        "in_set(payment_type)": 1,
        CASCADED: 1,
    }
    assert accepted(validated=validated, contract=PAYMENTS).count() == 2


def test_a_row_is_never_doubled_by_what_it_refers_to(spark: SparkSession) -> None:
    customers = frame(spark, schemas.CUSTOMERS, (C1, ANN, None, None, None))
    # The customer was quarantined twice more, as copies.
    refused = frame(spark, CUSTOMERS.quarantine_schema, *[(C1, ANN, None, None, None, "file.csv", [])] * 2)
    rows = [(key(f"o{n}"), C1, "delivered", "2018-01-01 00:00:00", None, None, None, None) for n in range(5)]
    references = {"customers": Reference(customers, refused)}
    validated = validate_rows(raw=raw_rows(spark, ORDERS, *rows), contract=ORDERS, references=references)
    assert sorted(row["order_id"] for row in validated.collect()) == sorted(key(f"o{n}") for n in range(5))
    assert accepted(validated=validated, contract=ORDERS).count() == 5


def test_a_blank_key_and_a_missing_person_are_told_apart(spark: SparkSession) -> None:
    rows = [(None, ANN, "09790", "x", "SP"), (C1, None, "09790", "x", "SP")]
    validated = validate_rows(raw=raw_rows(spark, CUSTOMERS, *rows), contract=CUSTOMERS, references={})
    reasons = {row["customer_id"]: [reason["column"] for reason in row["reasons"]] for row in validated.collect()}
    assert reasons == {None: ["customer_id"], C1: ["customer_unique_id"]}


def test_of_copies_one_is_taken_of_conflicting_rows_none_and_a_refused_row_is_no_rival(spark: SparkSession) -> None:
    c2, c3, c4 = key("c2"), key("c3"), key("c4")
    good = ("09790", "x", "SP")
    rows = [
        *[(C1, ANN, *good)] * 3,
        (c2, ANN, *good),
        (c2, key("bob"), *good),
        (c3, ANN, *good),
        (c3, ANN, "0979", "x", "SP"),
        (c4, ANN, *good),
    ]
    validated = validate_rows(raw=raw_rows(spark, CUSTOMERS, *rows), contract=CUSTOMERS, references={})
    [unique] = CUSTOMERS.uniques
    twice = duplicate_keys(rows=validated, unique=unique, contract=CUSTOMERS)
    assert sorted(row["key_0"] for row in twice.collect()) == sorted([C1, c2])
    validated = reject_duplicate_keys(validated=validated, unique=unique, contract=CUSTOMERS, twice=twice).cache()
    taken = accepted(validated=validated, contract=CUSTOMERS).collect()
    assert sorted(row["customer_id"] for row in taken) == sorted([C1, c3, c4])
    refused = quarantined(validated=validated, contract=CUSTOMERS).collect()
    assert sorted((row["customer_id"], row["reasons"][0]["rule"]) for row in refused) == sorted(
        [(C1, "unique"), (C1, "unique"), (c2, "unique"), (c2, "unique"), (c3, "matches")]
    )


@pytest.mark.parametrize("contract", FILE_CONTRACTS, ids=lambda contract: contract.table)
def test_a_files_key_is_the_tables_key(contract: FileContract) -> None:
    assert contract.key == schemas.KEYS[contract.table]


@pytest.mark.parametrize("table", CONTRACTS)
def test_the_rules_of_a_contract_have_labels_of_their_own_and_could_be_its_own(table: str) -> None:
    contract = CONTRACTS[table]
    labels = [rule.label for rule in contract.rules]
    assert len(labels) == len(set(labels))
    assert [contract.why_not(rule) for rule in contract.rules] == [None] * len(labels)
