"""The split: each row in exactly one place, with every reason."""

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from expectations.contracts import CONTRACTS, CUSTOMERS, ORDERS, PAYMENTS, Contract
from expectations.split import accepted, judge, quarantined, rows_broken_by
from tests.frames import assert_same_rows, frame, money
from transforms import schemas


def raw_rows(spark: SparkSession, contract: Contract, *rows: tuple[Any, ...]) -> DataFrame:
    names = (*contract.source_columns, "source_file", "malformed_row")
    return spark.createDataFrame(
        [(*row, "file.csv", None) for row in rows], ", ".join(f"{name} string" for name in names)
    )


@pytest.fixture(scope="module")
def orders(spark: SparkSession) -> DataFrame:
    return frame(spark, schemas.ORDERS, *[(order_id, "c1", "delivered", *[None] * 5) for order_id in ("o1", "o2")])


def test_an_accepted_row_is_typed_and_a_rejected_one_keeps_its_text_and_all_its_reasons(
    spark: SparkSession, orders: DataFrame
) -> None:
    rows = (("o1", "1", "boleto", "1", "10.5"), ("o9", "one", None, None, None))
    judged = judge(raw=raw_rows(spark, PAYMENTS, *rows), contract=PAYMENTS, fields=5, references={"orders": orders})

    assert_same_rows(
        accepted(judged=judged, contract=PAYMENTS),
        frame(spark, schemas.PAYMENTS, ("o1", 1, "boleto", 1, money("10.5"))),
    )
    assert_same_rows(
        quarantined(judged=judged, contract=PAYMENTS),
        frame(
            spark,
            PAYMENTS.quarantine_schema,
            (
                *rows[1],
                "file.csv",
                [
                    ("not_null", "payment_value", None, "expected a value, found none"),
                    ("parses_as", "payment_sequential", "one", "expected a whole number of at most 2,147,483,647"),
                    ("refers_to", "order_id", "o9", "expected the order_id of an accepted row of orders"),
                ],
            ),
        ),
    )


def test_rows_are_counted_by_the_rule_that_they_broke(spark: SparkSession, orders: DataFrame) -> None:
    rows = [("o1", "1", "boleto", "1", "1"), ("o9", "1", "boleto", "1", None), ("o8", "1", "boleto", "1", "1")]
    judged = judge(raw=raw_rows(spark, PAYMENTS, *rows), contract=PAYMENTS, fields=5, references={"orders": orders})
    labels = ("refers_to(order_id)", "not_null(payment_value)", "unique(order_id, payment_sequential)")
    assert judged.agg(*[rows_broken_by(label) for label in labels]).first() == (2, 1, 0)


def test_a_row_is_never_doubled_by_what_it_refers_to(spark: SparkSession) -> None:
    customers = frame(spark, schemas.CUSTOMERS, ("c1", "ann", None, None, None))
    rows = [(f"o{n}", "c1", "delivered", "2018-01-01 00:00:00", None, None, None, None) for n in range(5)]
    judged = judge(raw=raw_rows(spark, ORDERS, *rows), contract=ORDERS, fields=8, references={"customers": customers})
    assert sorted(row["order_id"] for row in judged.collect()) == ["o0", "o1", "o2", "o3", "o4"]


def test_a_blank_key_and_a_missing_person_are_told_apart(spark: SparkSession) -> None:
    rows = [(None, "ann", None, None, None), ("c1", None, None, None, None)]
    judged = judge(raw=raw_rows(spark, CUSTOMERS, *rows), contract=CUSTOMERS, fields=5, references={})
    reasons = {row["customer_id"]: [reason["column"] for reason in row["reasons"]] for row in judged.collect()}
    assert reasons == {None: ["customer_id"], "c1": ["customer_unique_id"]}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)
def test_a_contracts_key_is_the_tables_key_and_its_rules_have_labels_of_their_own(contract: Contract) -> None:
    assert contract.key == schemas.KEYS[contract.table]
    labels = contract.labels(fields=5)
    assert len(labels) == len(set(labels))
