"""Keys that more than one row has.

They are looked for by themselves, since that moves keys and no rows. Nearly always there is none, and that is all.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import Contract, FileContract
from expectations.rules import Cells, Unique
from expectations.validation.rows import FAILED, REASONS


def duplicate_keys(*, rows: DataFrame, unique: Unique, contract: Contract) -> DataFrame:
    """The keys that more than one row has.

    Grain in: `validate_rows` for a raw table, whose rejected rows do not compete; the table itself for a computed
    one. Grain out: one row per such key, as ``key_0``, ``key_1``, ... Costs one exchange of keys.
    """
    rivals = rows.where(F.size(REASONS) == 0) if isinstance(contract, FileContract) else rows
    key = key_of(unique.key, contract.cells)
    return (
        rivals.select(*[value.alias(name) for name, value in key.items()])
        .groupBy(*key)
        .agg(F.count(F.lit(1)).alias("rows"))
        .where(F.col("rows") > 1)
        .select(*key)
    )


def reject_duplicate_keys(
    *, validated: DataFrame, unique: Unique, contract: FileContract, twice: DataFrame
) -> DataFrame:
    """Refuse rows for their key: of exact copies all but one, of rows that differ all.

    Grain in and out: `validate_rows`.

    Args:
        validated: the rows, judged by all rules but those of keys.
        unique: the rule of the key.
        contract: the table's.
        twice: `duplicate_keys` of the same rows.
    """
    is_rival = F.size(REASONS) == 0
    key = key_of(unique.key, contract.cells)
    keyed = with_key(validated, key)
    theirs, is_theirs = _renamed(twice, keyed)
    rivals = keyed.where(is_rival).join(theirs, on=is_theirs, how="left_semi")
    others = [
        keyed.where(is_rival).join(theirs, on=is_theirs, how="left_anti"),
        keyed.where(~is_rival),
    ]
    reason = unique.reason(contract.cells)
    refused = rivals.withColumn("not_unique", reason).withColumns(
        {
            REASONS: F.when(F.col("not_unique").isNull(), F.col(REASONS)).otherwise(F.array("not_unique")),
            FAILED: F.when(F.col("not_unique").isNull(), F.col(FAILED)).otherwise(
                F.array_append(FAILED, F.lit(unique.label))
            ),
        }
    )
    together = refused.select(*validated.columns)
    for frame in others:
        together = together.unionByName(frame.select(*validated.columns))
    return together


def with_duplicate_key(*, rows: DataFrame, unique: Unique, contract: Contract, twice: DataFrame | None) -> DataFrame:
    """The rows of a computed table with a column of the rule's name: null where the key is the row's own, else the key.

    Args:
        rows: the table.
        unique: the rule of the key.
        contract: the table's.
        twice: `duplicate_keys` of the same rows; None when there is no such key.
    """
    if twice is None:
        return rows.withColumn(unique.label, F.lit(None).cast("string"))
    key = key_of(unique.key, contract.cells)
    keyed = with_key(rows, key)
    theirs, is_theirs = _renamed(twice, keyed)
    marked = keyed.join(theirs.withColumn("is_twice", F.lit(True)), on=is_theirs, how="left")
    shown = F.concat_ws(", ", *key)
    return marked.select(*rows.columns, F.when(F.col("is_twice"), shown).alias(unique.label))


def key_of(key: Sequence[str], cells: Cells) -> dict[str, Column]:
    """The values of a key's columns, as ``key_0``, ``key_1``, ..."""
    return {f"key_{place}": cells.value(column) for place, column in enumerate(key)}


def with_key(rows: DataFrame, key: Mapping[str, Column]) -> DataFrame:
    """The rows with the values of `key_of` beside their columns."""
    return rows.select("*", *[value.alias(name) for name, value in key.items()])


def _renamed(twice: DataFrame, keyed: DataFrame) -> tuple[DataFrame, Column]:
    """The keys under names of their own, and the condition by which they are a row's: null is null."""
    theirs = twice.toDF(*[f"twice_{name}" for name in twice.columns])
    return theirs, reduce(and_, (keyed[name].eqNullSafe(theirs[f"twice_{name}"]) for name in twice.columns))
