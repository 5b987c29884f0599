"""Which rows of corrected files answer for quarantined ones, and which quarantined rows nothing answers for."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules import HasAllFields, Unique
from expectations.rules.of_rows import MALFORMED_ROW, SOURCE_FILE
from expectations.validation.duplicate_keys import key_of, with_key
from expectations.validation.rows import REASONS


@dataclass(frozen=True)
class Replay:
    """What becomes of a table's quarantined rows.

    Attributes:
        tried: raw rows to judge again, as `validate_rows` takes them.
        left: quarantined rows that stay as they are.
    """

    tried: DataFrame
    left: DataFrame


def replay(*, fixed: DataFrame, quarantined: DataFrame, settled: DataFrame, contract: FileContract) -> Replay:
    """Sort out what is tried again.

    A quarantined row whose key an accepted row has (a copy, say) stays. For each other one the corrected files
    answer with the rows of its key; or, if its key is among what was wrong with it, with rows that are its like in all
    other columns and whose key is nobody's yet. Where they have no answer the row is tried again as it is: what it
    refers to may be there by now. Rows of the files that answer for nothing are none of a replay's.

    Args:
        fixed: the corrected files' rows, as `validate_rows` takes them.
        quarantined: the table's quarantined rows, the contract's ``quarantine_schema``.
        settled: the table's accepted rows, the contract's schema.
        contract: the table's.
    """
    keys = key_of(contract.key, contract.cells)
    names = list(keys)
    of_settled = settled.select(
        *[F.col(column).alias(name) for name, column in zip(names, _key(contract), strict=True)]
    )
    old = with_key(quarantined, keys)
    left = old.join(of_settled, on=names, how="left_semi")
    open_rows = old.join(of_settled, on=names, how="left_anti")

    likeness = F.to_json(F.struct(*[column for column in contract.source_columns if column not in contract.key]))
    new = with_key(fixed, keys).withColumn("likeness", likeness)
    new = new.join(of_settled, on=names, how="left_anti")
    of_open = open_rows.select(*names).distinct()
    by_key = new.join(of_open, on=names, how="left_semi")
    strangers = new.join(of_open, on=names, how="left_anti")
    with_wrong_key = open_rows.where(_has_a_wrong_key(contract)).select(likeness.alias("likeness")).distinct()
    by_likeness = strangers.join(with_wrong_key, on="likeness", how="left_semi")

    no_answer = open_rows.join(by_key.select(*names).distinct(), on=names, how="left_anti")
    is_alike = _has_a_wrong_key(contract) & F.col("is_like_an_answer")
    alike = by_likeness.select("likeness", F.lit(True).alias("is_like_an_answer")).distinct()
    no_answer = no_answer.withColumn("likeness", likeness).join(alike, on="likeness", how="left")
    no_answer = no_answer.where(~F.coalesce(is_alike, F.lit(False))).withColumn(MALFORMED_ROW, _malformed_row())

    columns = [*contract.source_columns, SOURCE_FILE, MALFORMED_ROW]
    tried = by_key.select(*columns)
    for others in (by_likeness, no_answer):
        tried = tried.unionByName(others.select(*columns))
    return Replay(tried=tried, left=left.select(*quarantined.columns))


def _key(contract: FileContract) -> list[str]:
    """The key's columns by the table's names."""
    names = {contract.source_name(column): column for column in contract.schema.fieldNames()}
    return [names[column] for column in contract.key]


def _has_a_wrong_key(contract: FileContract) -> Column:
    """Whether a quarantined row was refused for what stands in a column of its key."""
    return F.exists(REASONS, lambda reason: reason["column"].isin(*contract.key) & (reason["rule"] != Unique.kind))


def _malformed_row() -> Column:
    """The text of a row that was refused for its number of fields; null for others."""
    own = F.filter(REASONS, lambda reason: reason["rule"] == HasAllFields.kind)
    return F.get(own, 0)["value"]
