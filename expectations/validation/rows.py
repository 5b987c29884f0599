"""The validation of raw rows: each row is validated once, by all rules of its contract, and accepted or quarantined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules import RefersTo, RowRule, Unique
from expectations.rules.cells import Cells
from expectations.rules.row_rules import SOURCE_FILE
from expectations.validation.records import FORMS, LINES, READ_COLUMNS
from transforms import schemas
from transforms.schemas import columns_of, name_of

REASONS = "reasons"
WARNINGS = "warnings"
BLANKED = "blanked"
"""The reasons for which cells of an accepted row are emptied."""
FAILED = "failed"
"""The labels of all rules that a row fails, those that only warn included, with the values that it fails on."""

CASCADED = "cascaded"
"""The key of `failure_counts` for cascaded rejections."""
ROWS_BLANKED = "rows_blanked"
"""The key of `failure_counts` for accepted rows that lost a cell."""


@dataclass(frozen=True)
class Reference:
    """A table that other tables refer to.

    Attributes:
        accepted: its accepted rows.
        quarantined: its quarantined rows; None if there are none.
    """

    accepted: DataFrame
    quarantined: DataFrame | None = None


def validate_rows(
    *, raw: DataFrame, contract: FileContract, references: Mapping[str, Reference] | None = None
) -> DataFrame:
    """Evaluate all rules of a contract but those of keys, for which see `duplicate_keys`.

    Grain in and out: one row per record of the file. No row is added or lost: the keys that a row is joined to are
    unique by their own contract, or made so here. Columns out:

    - the raw columns as `records` returns them, but ``lines``: so a row can be validated again;
    - ``reasons``: a `schemas.REASONS` of the rules that reject the row; empty for a row that is accepted;
    - ``warnings``: the same for rules that only warn, whether the row is accepted or not;
    - ``blanked``: the same for rules that empty a cell;
    - ``failed``: the values in all three by the labels of their rules, empty where there is none; null for a row that
      passes all rules;
    - the values of the cells that are not text (`Cells.value_column`).

    Args:
        raw: as `records` returns them.
        contract: the contract of the table.
        references: the tables that the contract refers to, by name. None evaluates the rules about the row alone;
            for the others see `failing_keys`.
    """
    joined = raw
    if references is not None:
        for rule in contract.references:
            joined = _with_marks(joined, rule, references[rule.table])
    about_other_rows = (Unique, RefersTo) if references is None else Unique
    rules = [rule for rule in contract.row_rules if not isinstance(rule, about_other_rows)]
    rejecting = [rule for rule in rules if rule.severity in ("quarantine", "stop")]
    parsed_rows, cells = contract.cells.with_values(joined)
    validated = parsed_rows.select(
        *raw_columns(contract),
        _reasons(rejecting, cells).alias(REASONS),
        _reasons([rule for rule in rules if rule.severity == "warn"], cells).alias(WARNINGS),
        _reasons([rule for rule in rules if rule.severity == "blank"], cells).alias(BLANKED),
        *[cells.value(column) for column in cells.parsed_columns],
    )
    passes_all = (F.size(REASONS) == 0) & (F.size(WARNINGS) == 0) & (F.size(BLANKED) == 0)
    values = F.map_from_entries(F.transform(F.concat(REASONS, WARNINGS, BLANKED), _label_and_value))
    return validated.select("*", F.when(~passes_all, values).alias(FAILED))


def raw_columns(contract: FileContract) -> tuple[str, ...]:
    """The columns of a raw row by which it can be validated."""
    return (*contract.source_columns, *(column for column in READ_COLUMNS if column != LINES))


def accepted(*, validated: DataFrame, contract: FileContract) -> DataFrame:
    """The rows that no rule rejects, typed, without the cells that a rule empties.

    Grain in: `validate_rows`. Grain out: one row per accepted record, the contract's schema.
    """
    values = [
        _kept_cell(contract, contract.source_name(column.name)).alias(column.name) for column in contract.schema.fields
    ]
    return validated.where(F.size(REASONS) == 0).select(*values).select(*columns_of(contract.schema))


def _kept_cell(contract: FileContract, name: str) -> Column:
    value = F.col(f"`{contract.cells.value_column(name)}`")
    if not any(rule.severity == "blank" and rule.columns == (name,) for rule in contract.row_rules):
        return value
    return F.when(~F.exists(BLANKED, lambda reason: reason["column"] == name), value)


def blanked_rows(*, validated: DataFrame, contract: FileContract) -> DataFrame:
    """The accepted rows that lost a cell, with its text and the reason.

    Grain in: `validate_rows`. Grain out: one row per accepted record with such a cell, the contract's
    ``blanked_schema``.
    """
    lost = validated.where((F.size(REASONS) == 0) & (F.size(BLANKED) > 0))
    return lost.select(*contract.key, SOURCE_FILE, F.col(BLANKED).alias(REASONS)).select(
        *columns_of(contract.blanked_schema)
    )


def quarantined(*, validated: DataFrame, contract: FileContract) -> DataFrame:
    """The rows that a rule rejects, as text, with the reasons of all rules that they fail, warnings included.

    Grain in: `validate_rows`. Grain out: one row per rejected record, the contract's ``quarantine_schema``.
    """
    rejected = validated.where(F.size(REASONS) > 0).withColumn(REASONS, F.concat(REASONS, WARNINGS, BLANKED))
    return rejected.select(*columns_of(contract.quarantine_schema))


def failure_counts(contract: FileContract) -> dict[str, Column]:
    """Aggregates over `validate_rows`, by key: rows that fail each row rule, by its label, and rows of other kinds."""
    counts = {rule.label: F.count_if(fails(rule)) for rule in contract.row_rules}
    return {
        **counts,
        CASCADED: F.count_if(is_cascaded(contract)),
        ROWS_BLANKED: F.count_if((F.size(REASONS) == 0) & (F.size(BLANKED) > 0)),
    }


def fails_any() -> Column:
    """Whether a row of `validate_rows` fails a rule, be it one that only warns."""
    return F.col(FAILED).isNotNull()


def form_counts(*, rows: DataFrame) -> DataFrame:
    """How many cells stood in which other form.

    Grain in: `records`. Grain out: one row per column and form: ``form``, as ``column: form``, and ``cells``.
    """
    forms = rows.where(F.col(FORMS).isNotNull()).select(F.explode(FORMS).alias("form"))
    return forms.groupBy("form").agg(F.count(F.lit(1)).alias("cells"))


def is_cascaded(contract: FileContract) -> Column:
    """Whether a row of `validate_rows` is rejected only because a row that it refers to was quarantined."""
    if not contract.references:
        return F.lit(False)
    return (F.size(REASONS) > 0) & F.forall(REASONS, lambda reason: reason["rule"] == RefersTo.CASCADES)


def fails(rule: RowRule) -> Column:
    """Whether a row of `validate_rows` fails a rule of its contract."""
    return failing_value(rule).isNotNull()


def failing_value(rule: RowRule) -> Column:
    """The value on which a row of `validate_rows` fails a rule: empty if there is no value, null if the row passes."""
    value = F.col(FAILED)[rule.label]
    return F.coalesce(value, F.col(FAILED)[rule.cascaded_label]) if isinstance(rule, RefersTo) else value


def _with_marks(rows: DataFrame, rule: RefersTo, reference: Reference) -> DataFrame:
    """Mark the rows whose key an accepted row of the reference has, and those whose key a quarantined row has."""
    keys = reference.accepted.select(F.col(rule.key).alias(rule.column), F.lit(True).alias(rule.accepted_mark))
    marked = rows.join(keys, on=rule.column, how="left")
    if reference.quarantined is None:
        return marked.withColumn(rule.quarantined_mark, F.lit(False))
    keys = reference.quarantined.select(F.col(rule.key).alias(rule.column)).distinct()
    return marked.join(keys.withColumn(rule.quarantined_mark, F.lit(True)), on=rule.column, how="left")


def _reasons(rules: Sequence[RowRule], cells: Cells) -> Column:
    """The reasons of the rules that a row fails.

    Nearly all rows pass all rules, and collecting no reasons would cost more than all checks. So that is tested first.
    """
    none = F.array().cast(name_of(schemas.REASONS))
    if not rules:
        return none
    reasons = [rule.reason(cells) for rule in rules]
    passes_all = reduce(and_, (reason.isNull() for reason in reasons))
    return F.when(passes_all, none).otherwise(F.array_compact(F.array(*reasons)))


def _label_and_value(reason: Column) -> Column:
    """The label of the rule that a reason names, as `rule_label` builds it, and the value; empty if none."""
    rule, column = reason["rule"], reason["column"]
    label = F.when(column.isNull(), rule).otherwise(F.concat(rule, F.lit("("), column, F.lit(")")))
    return F.struct(label, F.coalesce(reason["value"], F.lit("")))
