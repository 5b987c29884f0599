"""Rows that fail a rule, few as they mostly are: validated by all rules, counted, and written to the quarantine."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from expectations.contracts.contract import FileContract
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

Persist = Callable[[DataFrame], DataFrame]
"""Persists a frame that is read several times, here and now."""


@contextmanager
def persisting() -> Iterator[Persist]:
    """Persist frames until the block ends.

    Rows that are lost with a machine are computed again from the same files, with the same result: it depends on a
    row's text alone.
    """
    with ExitStack() as stack:

        def persist(frame: DataFrame) -> DataFrame:
            persisted = frame.persist(StorageLevel.MEMORY_AND_DISK)
            stack.callback(persisted.unpersist)
            # This fills the cache, and Spark then knows how few rows there are.
            persisted.count()
            return persisted

        yield persist


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


def validated_by_all_rules(
    rows: DataFrame, *, contract: FileContract, references: Mapping[str, Reference], persist: Persist
) -> DataFrame:
    """Validate raw rows by the rules about a row and about other rows.

    Grain in: raw rows, among them all with a duplicate key that one of them has. Grain out: `validate_rows`, persisted.
    """
    referred_to = {
        rule.table: keys_referred_to(rows=rows, rule=rule, reference=references[rule.table])
        for rule in contract.references
    }
    validated = persist(validate_rows(raw=rows, contract=contract, references=referred_to))
    for unique in contract.uniques:
        duplicates = duplicate_keys(rows=validated, unique=unique, contract=contract)
        if duplicates.count():
            validated = persist(
                reject_duplicate_keys(validated=validated, unique=unique, contract=contract, duplicates=duplicates)
            )
    return validated


def counts_of(
    validated: DataFrame | None, *, contract: FileContract, rows: int, quarantined: int, reasons: Mapping[str, Any]
) -> RowCounts:
    """The counts of a raw table, but those of `forms_in`.

    Args:
        validated: `validated_by_all_rules` of the rows that fail a rule; None if there are none.
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
