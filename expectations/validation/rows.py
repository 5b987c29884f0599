"""The split: each raw row is judged once, by all rules of its contract, and lands in exactly one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules import RefersTo, RowRule, Unique
from expectations.rules.of_rows import SOURCE_FILE
from expectations.rules.text import parsed
from transforms import schemas
from transforms.schemas import columns_of

REASONS = "reasons"
WARNINGS = "warnings"
FAILED = "failed"
"""The labels of all rules that a row broke, refused for it or not."""


@dataclass(frozen=True)
class Reference:
    """A table that others refer to.

    Attributes:
        accepted: its accepted rows.
        quarantined: its quarantined rows; None when there are none.
    """

    accepted: DataFrame
    quarantined: DataFrame | None = None


def validate_rows(*, raw: DataFrame, contract: FileContract, references: Mapping[str, Reference]) -> DataFrame:
    """Give each raw row the reasons for which it is rejected, and those for which someone should look at it.

    By all rules but those of keys, for which see `keys`.

    Grain in and out: one row per record of the file. Out come the raw columns, ``source_file``, ``reasons``
    (`schemas.REASONS`; empty for a row that is accepted), ``warnings`` (likewise; a row has them wherever it lands) and
    ``broken`` (the labels of both). No row is added or lost: what it is joined to is unique by its own contract, or
    made so here.

    Args:
        raw: the contract's columns by the file's names, all text, with ``source_file`` and ``malformed_row``.
        contract: the table's.
        references: the tables that the contract refers to, by name.
    """
    joined = raw
    for rule in contract.references:
        joined = _looked_up(joined, rule, references[rule.table])
    rules = [rule for rule in contract.row_rules if not isinstance(rule, Unique)]
    refusing = [rule for rule in rules if rule.severity != "warn"]
    warning = [rule for rule in rules if rule.severity == "warn"]
    validated = joined.select(
        *contract.source_columns,
        SOURCE_FILE,
        _reasons_of(refusing, contract).alias(REASONS),
        _reasons_of(warning, contract).alias(WARNINGS),
    )
    keeps_all = (F.size(REASONS) == 0) & (F.size(WARNINGS) == 0)
    labels = F.transform(F.concat(REASONS, WARNINGS), _label_of)
    return validated.select("*", F.when(keeps_all, F.array().cast("array<string>")).otherwise(labels).alias(FAILED))


def accepted(*, validated: DataFrame, contract: FileContract) -> DataFrame:
    """The rows without a reason, typed.

    Grain in: `validate_rows`. Grain out: one row per accepted record, the contract's schema.
    """
    values = [
        parsed(F.col(contract.source_name(column.name)), column.dataType).alias(column.name)
        for column in contract.schema.fields
    ]
    return validated.where(F.size(REASONS) == 0).select(*values).select(*columns_of(contract.schema))


def quarantined(*, validated: DataFrame, contract: FileContract) -> DataFrame:
    """The rows with a reason, as text, and all rules that they broke: those that only warn too.

    Grain in: `validate_rows`. Grain out: one row per rejected record, the contract's ``quarantine_schema``.
    """
    refused = validated.where(F.size(REASONS) > 0).withColumn(REASONS, F.concat(REASONS, WARNINGS))
    return refused.select(*columns_of(contract.quarantine_schema))


def failure_counts(contract: FileContract) -> dict[str, Column]:
    """Aggregates over `validate_rows`: rows that failed each row rule, by its label, and cascaded rejections."""
    broken = {rule.label: F.count_if(fails(rule)) for rule in contract.row_rules}
    return {**broken, CASCADED: F.count_if(is_cascaded(contract))}


CASCADED = "followers"
"""Under which `failure_counts` has the rows that were refused only because the row they refer to was."""


def is_cascaded(contract: FileContract) -> Column:
    """Whether a row of `validate_rows` was refused only because a row that it refers to was quarantined."""
    if not contract.references:
        return F.lit(False)
    return (F.size(REASONS) > 0) & F.forall(REASONS, lambda reason: reason["rule"] == RefersTo.CASCADES)


def fails(rule: RowRule) -> Column:
    """Whether a row of `validate_rows` breaks a rule of its contract."""
    return reduce(or_, (F.array_contains(FAILED, label) for label in _labels(rule)))


def failing_value(rule: RowRule) -> Column:
    """The value with which a row of `validate_rows` fails a rule; empty for no value, null where the row passes."""
    own = F.filter(F.concat(REASONS, WARNINGS), lambda reason: _label_of(reason).isin(*_labels(rule)))
    return F.when(fails(rule), F.coalesce(F.get(own, 0)["value"], F.lit("")))


def _labels(rule: RowRule) -> tuple[str, ...]:
    """The labels under which a rule's reasons go."""
    return (rule.label, rule.cascaded_label) if isinstance(rule, RefersTo) else (rule.label,)


def _looked_up(rows: DataFrame, rule: RefersTo, reference: Reference) -> DataFrame:
    """Mark the rows whose counterpart was accepted, and those whose counterpart was quarantined."""
    keys = reference.accepted.select(F.col(rule.key).alias(rule.column), F.lit(True).alias(rule.found))
    marked = rows.join(keys, on=rule.column, how="left")
    if reference.quarantined is None:
        return marked.withColumn(rule.quarantined, F.lit(False))
    keys = reference.quarantined.select(F.col(rule.key).alias(rule.column)).distinct()
    return marked.join(keys.withColumn(rule.quarantined, F.lit(True)), on=rule.column, how="left")


def _reasons_of(rules: Sequence[RowRule], contract: FileContract) -> Column:
    """The reasons of the rules that a row breaks.

    Whether there is any is asked first: nearly all rows break none, and collecting nothing costs more than all checks.
    """
    none = F.array().cast(schemas.REASONS)
    if not rules:
        return none
    reasons = [rule.reason(contract.cells) for rule in rules]
    keeps_all = reduce(and_, (reason.isNull() for reason in reasons))
    return F.when(keeps_all, none).otherwise(F.array_compact(F.array(*reasons)))


def _label_of(reason: Column) -> Column:
    """The label of the rule that a reason names; see `rules.Rule.label`."""
    rule, column = reason["rule"], reason["column"]
    return F.when(column.isNull(), rule).otherwise(F.concat(rule, F.lit("("), column, F.lit(")")))
