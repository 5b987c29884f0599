"""The validation of raw rows: each row is validated once, by all rules of its contract, and accepted or quarantined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules import RefersTo, RowRule, Unique
from expectations.rules.cells import parsed
from expectations.rules.row_rules import SOURCE_FILE
from transforms import schemas
from transforms.schemas import columns_of

REASONS = "reasons"
WARNINGS = "warnings"
FAILED = "failed"
"""The labels of all rules that a row fails, those that only warn included."""

CASCADED = "cascaded"
"""The key of `failure_counts` for cascaded rejections."""


@dataclass(frozen=True)
class Reference:
    """A table that other tables refer to.

    Attributes:
        accepted: its accepted rows.
        quarantined: its quarantined rows; None if there are none.
    """

    accepted: DataFrame
    quarantined: DataFrame | None = None


def validate_rows(*, raw: DataFrame, contract: FileContract, references: Mapping[str, Reference]) -> DataFrame:
    """Evaluate all rules of a contract but those of keys, for which see `duplicate_keys`.

    Grain in and out: one row per record of the file. No row is added or lost: the keys that a row is joined to are
    unique by their own contract, or made so here. Columns out:

    - the raw columns, and ``source_file``;
    - ``reasons``: a `schemas.REASONS` of the rules that reject the row; empty for a row that is accepted;
    - ``warnings``: the same for rules that only warn, whether the row is accepted or not;
    - ``failed``: the labels of both.

    Args:
        raw: the columns of the contract as the file names them, all text, with ``source_file`` and ``malformed_row``.
        contract: the contract of the table.
        references: the tables that the contract refers to, by name.
    """
    joined = raw
    for rule in contract.references:
        joined = _with_marks(joined, rule, references[rule.table])
    rules = [rule for rule in contract.row_rules if not isinstance(rule, Unique)]
    rejecting = [rule for rule in rules if rule.severity != "warn"]
    warning = [rule for rule in rules if rule.severity == "warn"]
    validated = joined.select(
        *contract.source_columns,
        SOURCE_FILE,
        _reasons(rejecting, contract).alias(REASONS),
        _reasons(warning, contract).alias(WARNINGS),
    )
    passes_all = (F.size(REASONS) == 0) & (F.size(WARNINGS) == 0)
    labels = F.transform(F.concat(REASONS, WARNINGS), _label_of)
    return validated.select("*", F.when(passes_all, F.array().cast("array<string>")).otherwise(labels).alias(FAILED))


def accepted(*, validated: DataFrame, contract: FileContract) -> DataFrame:
    """The rows that no rule rejects, typed.

    Grain in: `validate_rows`. Grain out: one row per accepted record, the contract's schema.
    """
    values = [
        parsed(F.col(contract.source_name(column.name)), column.dataType).alias(column.name)
        for column in contract.schema.fields
    ]
    return validated.where(F.size(REASONS) == 0).select(*values).select(*columns_of(contract.schema))


def quarantined(*, validated: DataFrame, contract: FileContract) -> DataFrame:
    """The rows that a rule rejects, as text, with the reasons of all rules that they fail, warnings included.

    Grain in: `validate_rows`. Grain out: one row per rejected record, the contract's ``quarantine_schema``.
    """
    rejected = validated.where(F.size(REASONS) > 0).withColumn(REASONS, F.concat(REASONS, WARNINGS))
    return rejected.select(*columns_of(contract.quarantine_schema))


def failure_counts(contract: FileContract) -> dict[str, Column]:
    """Aggregates over `validate_rows`: the rows that fail each row rule, by label, and the rejections that cascaded."""
    counts = {rule.label: F.count_if(fails(rule)) for rule in contract.row_rules}
    return {**counts, CASCADED: F.count_if(is_cascaded(contract))}


def is_cascaded(contract: FileContract) -> Column:
    """Whether a row of `validate_rows` is rejected only because a row that it refers to was quarantined."""
    if not contract.references:
        return F.lit(False)
    return (F.size(REASONS) > 0) & F.forall(REASONS, lambda reason: reason["rule"] == RefersTo.CASCADES)


def fails(rule: RowRule) -> Column:
    """Whether a row of `validate_rows` fails a rule of its contract."""
    return reduce(or_, (F.array_contains(FAILED, label) for label in _labels(rule)))


def failing_value(rule: RowRule) -> Column:
    """The value on which a row of `validate_rows` fails a rule: empty if there is no value, null if the row passes."""
    reasons = F.filter(F.concat(REASONS, WARNINGS), lambda reason: _label_of(reason).isin(*_labels(rule)))
    return F.when(fails(rule), F.coalesce(F.get(reasons, 0)["value"], F.lit("")))


def _labels(rule: RowRule) -> tuple[str, ...]:
    """The labels of a rule's reasons: a reference has one more, for cascaded rejections."""
    return (rule.label, rule.cascaded_label) if isinstance(rule, RefersTo) else (rule.label,)


def _with_marks(rows: DataFrame, rule: RefersTo, reference: Reference) -> DataFrame:
    """Mark the rows whose key an accepted row of the reference has, and those whose key a quarantined row has."""
    keys = reference.accepted.select(F.col(rule.key).alias(rule.column), F.lit(True).alias(rule.accepted_mark))
    marked = rows.join(keys, on=rule.column, how="left")
    if reference.quarantined is None:
        return marked.withColumn(rule.quarantined_mark, F.lit(False))
    keys = reference.quarantined.select(F.col(rule.key).alias(rule.column)).distinct()
    return marked.join(keys.withColumn(rule.quarantined_mark, F.lit(True)), on=rule.column, how="left")


def _reasons(rules: Sequence[RowRule], contract: FileContract) -> Column:
    """The reasons of the rules that a row fails.

    Nearly all rows pass all rules, and collecting no reasons would cost more than all checks. So that is tested first.
    """
    none = F.array().cast(schemas.REASONS)
    if not rules:
        return none
    reasons = [rule.reason(contract.cells) for rule in rules]
    passes_all = reduce(and_, (reason.isNull() for reason in reasons))
    return F.when(passes_all, none).otherwise(F.array_compact(F.array(*reasons)))


def _label_of(reason: Column) -> Column:
    """The label of the rule that a reason names, as `rule_label` builds it."""
    rule, column = reason["rule"], reason["column"]
    return F.when(column.isNull(), rule).otherwise(F.concat(rule, F.lit("("), column, F.lit(")")))
