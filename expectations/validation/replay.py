"""The rows of a replay: which rows of corrected files replace quarantined rows, and which rows stay quarantined."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules import HasAllFields, IsText, IsWellQuoted, Unique
from expectations.rules.row_rules import ILL_QUOTED_ROW, MALFORMED_ROW, UNDECODED_ROW
from expectations.validation.duplicate_keys import key_of, with_key
from expectations.validation.records import FORMS, LINES, READ_COLUMNS
from expectations.validation.rows import REASONS

CONTENT = "content_without_key"
"""All columns but those of the key, as one text. It identifies a row whose key was at fault."""


@dataclass(frozen=True)
class Replay:
    """What happens to the rows of a table and of its quarantine.

    Attributes:
        reused: accepted rows, which stay as they are.
        revalidated: raw rows to validate again, as `validate_rows` takes them.
        unresolved: quarantined rows that stay as they are.
    """

    reused: DataFrame
    revalidated: DataFrame
    unresolved: DataFrame


def plan_replay(*, corrected: DataFrame, quarantined: DataFrame, reused: DataFrame, contract: FileContract) -> Replay:
    """Match the rows of corrected files with quarantined rows.

    1. A quarantined row whose key an accepted row has, such as a copy, is unresolved.
    2. Any other is replaced by the corrected rows with the same key.
    3. If its key was at fault, it is replaced by corrected rows that equal it in all other columns and whose key
       belongs to no accepted and no quarantined row.
    4. Without a replacement it is validated again as it is: the row that it refers to may exist by now.

    Corrected rows that replace nothing are not part of a replay.

    Grain in: one row per record; one per rejected record; one per accepted record. Grain out: see `Replay`.

    Args:
        corrected: the rows of the corrected files, as `validate_rows` takes them.
        quarantined: the quarantined rows of the table, the contract's ``quarantine_schema``.
        reused: the accepted rows of the table, the contract's schema.
        contract: the contract of the table.
    """
    keys = key_of(contract.key, contract.cells)
    names = list(keys)
    reused_keys = reused.select(
        *[F.col(contract.column_of(column)).alias(name) for name, column in zip(names, contract.key, strict=True)]
    )
    keyed = with_key(quarantined, keys)
    unresolved = keyed.join(reused_keys, on=names, how="left_semi")
    candidates = keyed.join(reused_keys, on=names, how="left_anti")

    content = F.to_json(F.struct(*[column for column in contract.source_columns if column not in contract.key]))
    new_rows = with_key(corrected, keys).withColumn(CONTENT, content)
    new_rows = new_rows.join(reused_keys, on=names, how="left_anti")
    candidate_keys = candidates.select(*names).distinct()
    same_key = new_rows.join(candidate_keys, on=names, how="left_semi")
    other_keys = new_rows.join(candidate_keys, on=names, how="left_anti")
    with_faulty_key = candidates.where(_has_faulty_key(contract)).select(content.alias(CONTENT)).distinct()
    same_content = other_keys.join(with_faulty_key, on=CONTENT, how="left_semi")

    without_same_key = candidates.join(same_key.select(*names).distinct(), on=names, how="left_anti")
    replacements = same_content.select(CONTENT, F.lit(True).alias("has_replacement")).distinct()
    is_replaced = F.coalesce(_has_faulty_key(contract) & F.col("has_replacement"), F.lit(False))
    not_replaced = (
        without_same_key.withColumn(CONTENT, content)
        .join(replacements, on=CONTENT, how="left")
        .where(~is_replaced)
        .withColumns(_as_it_was_read())
    )

    columns = [*contract.source_columns, *READ_COLUMNS]
    revalidated = same_key.select(*columns)
    for rows in (same_content, not_replaced):
        revalidated = revalidated.unionByName(rows.select(*columns))
    return Replay(reused=reused, revalidated=revalidated, unresolved=unresolved.select(*quarantined.columns))


def _has_faulty_key(contract: FileContract) -> Column:
    """Whether a quarantined row was rejected for the value of a column of its key."""
    return F.exists(REASONS, lambda reason: reason["column"].isin(*contract.key) & (reason["rule"] != Unique.kind))


def _as_it_was_read() -> dict[str, Column]:
    """What the reader of the file found out about a quarantined row, by its reasons."""
    kinds = {MALFORMED_ROW: HasAllFields.kind, UNDECODED_ROW: IsText.kind, ILL_QUOTED_ROW: IsWellQuoted.kind}
    texts = {column: _row_in_reason(kind) for column, kind in kinds.items()}
    return {**texts, LINES: F.lit(1), FORMS: F.lit(None).cast("array<string>")}


def _row_in_reason(kind: str) -> Column:
    """The text of a row that failed a rule about its text; null for other rows."""
    reasons = F.filter(REASONS, lambda reason: reason["rule"] == kind)
    return F.get(reasons, 0)["value"]
