"""The split: each raw row is judged once, by all rules of its contract, and lands in exactly one place."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts import Contract
from expectations.rules import IS_REFUSED, SOURCE_FILE, parsed
from transforms.schemas import columns_of


def judge(*, raw: DataFrame, contract: Contract, fields: int, references: Mapping[str, DataFrame]) -> DataFrame:
    """Give each raw row the reasons for which it is rejected.

    Grain in and out: one row per record of the file. Out come the raw columns, ``source_file`` and ``reasons``
    (`schemas.REASONS`): empty for a row that is accepted. No row is added or lost: what it is joined to is unique by
    its own contract.

    Args:
        raw: the contract's columns by the file's names, all text, with ``source_file`` and ``malformed_row``.
        contract: the table's.
        fields: how many fields the file's header has.
        references: the accepted rows of the tables that the contract refers to, by name.
    """
    joined = raw
    for reference in contract.refers_to:
        keys = references[reference.table].select(
            F.col(reference.key).alias(reference.column), F.lit(True).alias(reference.found)
        )
        joined = joined.join(keys, on=reference.column, how="left")
    refused = F.array_compact(F.array(*[rule.reason() for rule in contract.rules(fields=fields)]))
    judged = joined.select(*contract.source_columns, SOURCE_FILE, refused.alias("reasons"))
    rivals = judged.withColumn(IS_REFUSED, F.size("reasons") > 0)
    unique = contract.unique.reason()
    return rivals.withColumn("not_unique", unique).select(
        *contract.source_columns,
        SOURCE_FILE,
        F.when(F.col("not_unique").isNull(), F.col("reasons")).otherwise(F.array("not_unique")).alias("reasons"),
    )


def accepted(*, judged: DataFrame, contract: Contract) -> DataFrame:
    """The rows without a reason, typed.

    Grain in: `judge`. Grain out: one row per accepted record, the contract's schema.
    """
    values = [
        parsed(F.col(contract.source_name(column.name)), column.dataType).alias(column.name)
        for column in contract.schema.fields
    ]
    return judged.where(F.size("reasons") == 0).select(*values).select(*columns_of(contract.schema))


def quarantined(*, judged: DataFrame, contract: Contract) -> DataFrame:
    """The rows with a reason, as text.

    Grain in: `judge`. Grain out: one row per rejected record, the contract's ``quarantine_schema``.
    """
    return judged.where(F.size("reasons") > 0).select(*columns_of(contract.quarantine_schema))


def rows_broken_by(label: str) -> Column:
    """An aggregate over `judge` or `quarantined`: how many rows broke the rule of that label."""
    return F.count_if(F.exists("reasons", lambda reason: label_of(reason) == label))


def label_of(reason: Column) -> Column:
    """The label of the rule that a reason names; see `rules.Rule.label`."""
    rule, column = reason["rule"], reason["column"]
    return F.when(column.isNull(), rule).otherwise(F.concat(rule, F.lit("("), column, F.lit(")")))
