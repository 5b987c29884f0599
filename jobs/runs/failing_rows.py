"""Rows that fail a rule, few as they mostly are: validated by all rules, counted, and written to the quarantine."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from expectations.contracts.contract import FileContract
from expectations.rules import Unique
from expectations.validation.duplicate_keys import duplicate_keys, reject_duplicate_keys
from expectations.validation.failing_keys import keys_referred_to
from expectations.validation.rows import (
    CASCADED,
    ROWS_BLANKED,
    Reference,
    blanked_rows,
    failure_counts,
    form_counts,
    validate_rows,
)
from jobs.quality.report import RowCounts
from jobs.runs.metrics import Money
from jobs.runs.run import Run

Stage = Callable[[DataFrame], DataFrame]
"""Puts a frame that is read several times on disk, and returns it read from there; see `staging`."""


def staging(run: Run, contract: FileContract) -> Stage:
    """Stage what the check of a raw table reads several times.

    A query over the frame that comes back is planned as one over a table. The plan of rows that are validated is large,
    and each query over rows that are only persisted would analyse it anew.
    """
    numbers = count()

    def stage(frame: DataFrame) -> DataFrame:
        return run.stage(f"failing/{contract.table}/{next(numbers)}", frame, schema=frame.schema)

    return stage


@dataclass(frozen=True)
class Quarantine:
    """The table of a raw table's rejected rows, as a contract for writing."""

    table: str
    schema: StructType
    money: Money


def quarantine_of(contract: FileContract) -> Quarantine:
    """The quarantine of a raw table."""
    return Quarantine(contract.quarantine, contract.quarantine_schema, raw_money(contract))


def raw_money(contract: FileContract) -> Money:
    """The money of a raw row, as far as its text is a number."""
    return contract.money_in(contract.cells)


def validated_with_references(
    rows: DataFrame, *, contract: FileContract, references: Mapping[str, Reference], stage: Stage
) -> DataFrame:
    """Validate raw rows by all rules but those of keys.

    Grain in: raw rows. Grain out: `validate_rows`, staged.
    """
    if contract.references:
        # They are read for each table that they refer to, and then to be validated.
        rows = stage(rows)
    referred_to = {
        rule.table: keys_referred_to(rows=rows, rule=rule, reference=references[rule.table])
        for rule in contract.references
    }
    return stage(validate_rows(raw=rows, contract=contract, references=referred_to))


def without_duplicates(
    validated: DataFrame, uniques: Iterable[Unique], *, contract: FileContract, stage: Stage
) -> DataFrame:
    """Reject rows with a duplicate key of one of these rules.

    Grain in: `validate_rows`, staged, among them all rows with a duplicate key that one of them has. Grain out: the
    same.
    """
    for unique in uniques:
        duplicates = duplicate_keys(rows=validated, unique=unique, contract=contract)
        if duplicates.count():
            validated = stage(
                reject_duplicate_keys(validated=validated, unique=unique, contract=contract, duplicates=duplicates)
            )
    return validated


def counts_of(
    validated: DataFrame | None, *, contract: FileContract, rows: int, quarantined: int, reasons: Mapping[str, Any]
) -> RowCounts:
    """The counts of a raw table, but those of `forms_in`.

    Args:
        validated: the rows that fail a rule, validated by all rules; None if there are none.
        contract: the table's.
        rows: all its rows.
        quarantined: those that were quarantined.
        reasons: why the table fails a rule about all its rows.
    """
    counts = failure_counts(contract)
    failures: dict[str, int] = dict.fromkeys(counts, 0)
    if validated is not None:
        failures |= validated.agg(*[count.alias(label) for label, count in counts.items()]).collect()[0].asDict()
    return RowCounts(
        rows=rows,
        quarantined=quarantined,
        cascaded=failures[CASCADED],
        failed={rule.label: failures[rule.label] for rule in contract.row_rules},
        reasons=reasons,
        blanked=failures[ROWS_BLANKED],
    )


def forms_in(rows: DataFrame) -> dict[str, int]:
    """How many cells of raw rows stood in which other form."""
    return {row["form"]: row["cells"] for row in sorted(form_counts(rows=rows).collect())}


def write_blanked(run: Run, contract: FileContract, validated: DataFrame) -> None:
    """Keep the text of the cells that accepted rows lost, with the reasons."""
    blanked = Quarantine(contract.blanked, contract.blanked_schema, None)
    run.write(blanked, blanked_rows(validated=validated, contract=contract))
