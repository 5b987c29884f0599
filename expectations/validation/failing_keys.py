"""Keys of a raw table that fail a rule about other rows: keys of no row that is referred to, and duplicate keys.

They are searched for in the typed table, once its rows are written: that moves keys, and no rows. Nearly always there
are none, and nothing else is to be done.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules import RefersTo, Unique
from expectations.validation.duplicate_keys import renamed_for_join, repeated
from expectations.validation.rows import Reference

KeyRule = RefersTo | Unique


@dataclass(frozen=True)
class FailingKeys:
    """Keys that rows must not have, or that one row alone may have.

    Attributes:
        contract: the table's.
        by_rule: one row per failing key, under the names of the table's columns, by the rule that it fails.
    """

    contract: FileContract
    by_rule: Mapping[KeyRule, DataFrame]

    @property
    def uniques(self) -> list[Unique]:
        """The rules of keys that some of them fail."""
        return [rule for rule in self.by_rule if isinstance(rule, Unique)]

    def rows_without(self, table: DataFrame) -> DataFrame:
        """The rows of the table that have none of the keys."""
        for keys in self.by_rule.values():
            table = _with_or_without(table, keys, how="left_anti")
        return table

    def rows_taken(self, passing: DataFrame) -> DataFrame:
        """Of the rows that pass all rules, those with a duplicate key: the one of several copies that is taken."""
        taken = passing.limit(0)
        for unique in self.uniques:
            keys = self.by_rule[unique]
            taken = taken.unionByName(_with_or_without(passing, keys, how="left_semi"))
            passing = _with_or_without(passing, keys, how="left_anti")
        return taken

    def marked(self, validated: DataFrame) -> tuple[DataFrame, Column]:
        """The rows of `validate_rows` with columns that mark the keys, and whether a row has any of them."""
        rows, marks = validated, [F.lit(False)]
        for position, keys in enumerate(self.by_rule.values()):
            mark = f"failing_key_{position}"
            values = {name: self._value(name) for name in keys.columns}
            renamed, has_same_key = renamed_for_join(keys, values, prefix=mark)
            rows = rows.join(renamed.withColumn(mark, F.lit(True)), on=has_same_key, how="left")
            marks.append(F.col(mark).isNotNull())
        return rows, reduce(or_, marks)

    def _value(self, column: str) -> Column:
        return F.col(f"`{self.contract.cells.value_column(self.contract.source_name(column))}`")


def failing_rules(*, table: DataFrame, contract: FileContract, references: Mapping[str, Reference]) -> DataFrame | None:
    """The rules about other rows that may fail; None for a contract without any.

    Hashes of keys are compared in place of keys, so that no duplicate is passed over. Two keys with one hash seem to be
    duplicates, until `failing_keys` compares the keys themselves.

    Grain in: one row per record, the contract's schema. Grain out: one row per rule that may fail, its ``label``. Costs
    an exchange of eight bytes a row for each key, and one of keys on either side for each reference.
    """
    labels = [
        *(_label(unique, _shared_hashes(table, unique, contract)) for unique in contract.uniques),
        *(_label(rule, _orphans(table, rule, contract, references)) for rule in contract.references),
    ]
    if not labels:
        return None
    return reduce(DataFrame.unionByName, labels).groupBy("label").count().select("label")


def failing_keys(
    *, table: DataFrame, contract: FileContract, references: Mapping[str, Reference], labels: Collection[str]
) -> FailingKeys:
    """The keys that fail a rule about other rows.

    A row that refers to nothing does not compete for its key.

    Grain in: as for `failing_rules`. Grain out: see `FailingKeys`. Costs the same exchanges, with whole keys.

    Args:
        table: the typed table.
        contract: its contract.
        references: the tables that it refers to, by name.
        labels: `failing_rules`.
    """
    by_rule: dict[KeyRule, DataFrame] = {}
    for rule in contract.references:
        if rule.label in labels:
            by_rule[rule] = _orphans(table, rule, contract, references).distinct()
            table = _with_or_without(table, by_rule[rule], how="left_anti")
    for unique in contract.uniques:
        if unique.label in labels:
            by_rule[unique] = repeated(table.select(*_columns_of(unique, contract)))
    return FailingKeys(contract, by_rule)


def keys_referred_to(*, rows: DataFrame, rule: RefersTo, reference: Reference) -> Reference:
    """Those keys of another table that rows refer to: few if the rows are few, and then nothing large is moved.

    Grain in: raw rows; see `Reference`. Grain out: `Reference`, of the key alone.
    """
    values = rows.select(F.col(rule.column).alias(rule.key)).where(F.col(rule.key).isNotNull()).distinct()

    def of(table: DataFrame) -> DataFrame:
        return table.select(rule.key).join(values, on=rule.key, how="left_semi")

    return Reference(of(reference.accepted), of(reference.quarantined) if reference.quarantined is not None else None)


def _label(rule: KeyRule, failing: DataFrame) -> DataFrame:
    return failing.select(F.lit(rule.label).alias("label"))


def _shared_hashes(table: DataFrame, unique: Unique, contract: FileContract) -> DataFrame:
    """The hashes of keys that more than one row has."""
    return repeated(table.select(F.xxhash64(*_columns_of(unique, contract)).alias("hash")))


def _orphans(
    table: DataFrame, rule: RefersTo, contract: FileContract, references: Mapping[str, Reference]
) -> DataFrame:
    """The values that no accepted row of the other table has as its key, one row per row of this table."""
    column = contract.column_of(rule.column)
    keys = references[rule.table].accepted.select(F.col(rule.key).alias(column))
    return table.where(F.col(column).isNotNull()).select(column).join(keys, on=column, how="left_anti")


def _columns_of(unique: Unique, contract: FileContract) -> list[str]:
    """The columns of a key, by their names in the table."""
    return [contract.column_of(column) for column in unique.key]


def _with_or_without(rows: DataFrame, keys: DataFrame, *, how: str) -> DataFrame:
    """The rows with one of the keys (``left_semi``) or with none (``left_anti``); null equals null."""
    renamed, has_same_key = renamed_for_join(keys, {name: rows[name] for name in keys.columns})
    return rows.join(renamed, on=has_same_key, how=how)
