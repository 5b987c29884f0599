"""Keys that more than one row has.

They are searched for before any row is touched, since that moves keys and no rows. Nearly always there are none, and
nothing else is to be done.
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

    Grain in: `validate_rows` for a raw table, whose rejected rows do not compete; the table itself for a computed one.
    Grain out: one row per duplicate key, as ``key_0``, ``key_1``, ... Costs one exchange of keys.
    """
    competing = rows.where(F.size(REASONS) == 0) if isinstance(contract, FileContract) else rows
    key = key_of(unique.key, contract.cells)
    return repeated(competing.select(*[value.alias(name) for name, value in key.items()]))


def repeated(values: DataFrame) -> DataFrame:
    """The values that stand in more than one row.

    Grain in: any number of rows per value; all columns together are the value. Grain out: one row per such value. Costs
    one exchange.
    """
    counted = values.groupBy(*values.columns).agg(F.count(F.lit(1)).alias("rows"))
    return counted.where(F.col("rows") > 1).drop("rows")


def duplicates_in_computed(*, rows: DataFrame, contract: Contract, surplus: int) -> dict[str, DataFrame]:
    """The duplicate keys of a computed table, by the label of their rule; no entry for a rule that all rows pass.

    The plan that computes the table makes its key unique, as a grouping by it does. So that key is searched only if
    the table has more rows than keys. A key that a user's rule adds is always searched.

    Args:
        rows: the table.
        contract: the contract of the table.
        surplus: rows of the table less its keys, as counted where the plan makes them unique.
    """
    searched = [unique for unique in contract.uniques if unique.label != contract.key_label or surplus > 0]
    keys = {unique.label: duplicate_keys(rows=rows, unique=unique, contract=contract) for unique in searched}
    return {label: duplicates for label, duplicates in keys.items() if duplicates.count()}


def reject_duplicate_keys(
    *, validated: DataFrame, unique: Unique, contract: FileContract, duplicates: DataFrame
) -> DataFrame:
    """Reject rows with a duplicate key: all but one of exact copies, and all of conflicting rows.

    Grain in and out: `validate_rows`.

    Args:
        validated: the rows, validated by all rules but those of keys.
        unique: the rule of the key.
        contract: the contract of the table.
        duplicates: `duplicate_keys` of the same rows.
    """
    competes = F.size(REASONS) == 0
    key = key_of(unique.key, contract.cells)
    keyed = with_key(validated, key)
    renamed, has_same_key = renamed_for_join(duplicates, {name: keyed[name] for name in key})
    competing = keyed.where(competes).join(renamed, on=has_same_key, how="left_semi")
    others = [keyed.where(competes).join(renamed, on=has_same_key, how="left_anti"), keyed.where(~competes)]
    passes = F.col("not_unique").isNull()
    failed = F.create_map(F.lit(unique.label), F.col("not_unique.value"))
    decided = competing.withColumn("not_unique", unique.reason(contract.cells)).withColumns(
        {
            REASONS: F.when(passes, F.col(REASONS)).otherwise(F.array("not_unique")),
            FAILED: F.when(passes, F.col(FAILED)).otherwise(F.coalesce(F.map_concat(FAILED, failed), failed)),
        }
    )
    rows = decided.select(*validated.columns)
    for frame in others:
        rows = rows.unionByName(frame.select(*validated.columns))
    return rows


def with_duplicate_key(*, rows: DataFrame, unique: Unique, contract: Contract, duplicates: DataFrame) -> DataFrame:
    """Add a column named after the rule of a key: the key if other rows have it too, else null.

    Grain in and out: the rows of a computed table.

    Args:
        rows: the table.
        unique: the rule of the key.
        contract: the contract of the table.
        duplicates: `duplicate_keys` of the same rows.
    """
    key = key_of(unique.key, contract.cells)
    keyed = with_key(rows, key)
    renamed, has_same_key = renamed_for_join(duplicates, {name: keyed[name] for name in key})
    marked = keyed.join(renamed.withColumn("is_duplicate", F.lit(True)), on=has_same_key, how="left")
    key_text = F.concat_ws(", ", *key)
    return marked.select(*rows.columns, F.when(F.col("is_duplicate"), key_text).alias(unique.label))


def key_of(key: Sequence[str], cells: Cells) -> dict[str, Column]:
    """The values of the columns of a key, as ``key_0``, ``key_1``, ..."""
    return {f"key_{position}": cells.value(column) for position, column in enumerate(key)}


def with_key(rows: DataFrame, key: Mapping[str, Column]) -> DataFrame:
    """The rows with the values of `key_of` beside their columns."""
    return rows.select("*", *[value.alias(name) for name, value in key.items()])


def renamed_for_join(
    keys: DataFrame, values: Mapping[str, Column], *, prefix: str = "other"
) -> tuple[DataFrame, Column]:
    """Keys under names of their own, and the condition by which rows are joined to them; null equals null.

    Args:
        keys: one row per key.
        values: the columns of the rows, by the column of ``keys`` that they are compared with.
        prefix: of the new names.
    """
    renamed = keys.withColumnsRenamed({name: f"{prefix}_{name}" for name in values})
    return renamed, reduce(and_, (value.eqNullSafe(renamed[f"{prefix}_{name}"]) for name, value in values.items()))
