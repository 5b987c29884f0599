"""What moved one customer, worked out from purchases and cards, and compared with what the run itself says."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.errors import DataError
from jobs.explaining.explained_runs import ExplainedRuns
from jobs.explaining.records import CustomerRecords, Records, read_customer
from jobs.explaining.rescoring import Movement, Step
from jobs.storage.store import RunStore
from transforms.bounded_text import shown
from transforms.changes import CODES


@dataclass(frozen=True)
class Explanation:
    """A customer, and what moved them.

    Attributes:
        runs: the run that is asked about, and the one before it.
        customer: the rows of both.
        movement: from one to the other; None without a run before.
        steps: of the movement.
        is_checked: whether the run's own `segment_changes` is about the same two runs, and says the same.
    """

    runs: ExplainedRuns
    customer: CustomerRecords
    movement: Movement | None = None
    steps: Sequence[Step] = ()
    is_checked: bool = False


def explain_customer(store: RunStore, runs: ExplainedRuns, customer: str) -> Explanation:
    """Explain a customer by a run, and by the run before it.

    Args:
        store: the runs.
        runs: which ones.
        customer: the id, or the beginning of one.

    Raises:
        ConfigurationError: There is no such customer, or there are several.
        DataError: A file of a run is damaged, or says another thing than the customer's purchases and the cards do.
        OutsideSystemError: A file cannot be read.
    """
    records = read_customer(store, runs, customer)
    _check_segment(records.now, runs.now.run_id, records.id)
    if runs.before is None or records.before is None:
        return Explanation(runs, records)
    _check_segment(records.before, runs.before.run_id, records.id)
    movement = Movement(records.before.side, records.now.side)
    steps = movement.steps()
    is_recorded = runs.moves is not None and "segment_changes" in runs.now.manifest.tables
    if is_recorded:
        _check_change(records, movement, steps, run_id=runs.now.run_id)
    return Explanation(runs, records, movement, steps, is_checked=is_recorded)


def _check_segment(records: Records, run_id: str, customer: str) -> None:
    """See that the segment in rfm is that of the purchases.

    Raises:
        DataError: It is another one.
    """
    expected = records.side.place.code
    if records.code != expected:
        raise DataError(
            f"rfm of run {run_id}: found segment {records.code or 'none'} of customer {shown(customer)}, expected "
            f"{expected or 'none'} by its purchases and its card. python -m jobs.verify {run_id} says what is off"
        )


def _check_change(records: CustomerRecords, movement: Movement, steps: Sequence[Step], *, run_id: str) -> None:
    """See that `segment_changes` tells the same story.

    Raises:
        DataError: It tells another one.
    """
    row = records.now.change
    codes = [movement.before.place.code, *(step.after.code for step in steps)]
    expected = None if movement.cause is None else (movement.cause, dict(zip(CODES, codes, strict=True)))
    actual = None if row is None else (row["cause"], {name: row[name] for name in CODES})
    if actual != expected:
        raise DataError(
            f"segment_changes of run {run_id}: found {_in_words(actual)} for customer {shown(records.id)}, expected "
            f"{_in_words(expected)} by the purchases and the cards of both runs. python -m jobs.verify {run_id} says "
            "what is off"
        )


def _in_words(change: tuple[str, dict[str, str | None]] | None) -> str:
    if change is None:
        return "no row"
    cause, codes = change
    return f"{cause} ({' > '.join(code or 'none' for code in codes.values())})"
