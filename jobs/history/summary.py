"""What changed since the run before, as the summary of a run shows it."""

from jobs.cli import console
from jobs.history.changed import SegmentChanges
from transforms.changes import CAUSES, NEW, VANISHED, in_a_word, step_in_words

CUSTOMERS = {NEW: "new customers", VANISHED: "vanished customers"}


def show_changes(changes: SegmentChanges | None) -> None:
    """Print from which segment to which the customers went since the run before; nothing for a first run."""
    if changes is None:
        return
    codes = [each.code for each in changes.bridges]
    starts = [*((each.code, f"{each.code} {each.name}") for each in changes.bridges), (None, "new")]
    rows = [
        [words, *[_count(changes.transitions.get((start, end), 0)) for end in (*codes, None)]]
        for start, words in starts
    ]
    title = f"From the segments of run {changes.previous.run_id} (rows) to those of this run (columns)"
    console.show_table(title, ("customers", *codes, "vanished"), rows, notes=change_notes(changes))


def change_notes(changes: SegmentChanges) -> list[str]:
    """What became of the customers, why, and how far the segments drifted, one line each."""
    customers = changes.customers
    causes = ", ".join(
        f"{CUSTOMERS.get(cause) or step_in_words(cause)} {changes.causes[cause]:,}"
        for cause in CAUSES
        if changes.causes[cause]
    )
    settings = ", ".join(
        f"{name} ({before} before, {now} now)" for name, (before, now) in changes.settings_that_differ.items()
    )
    since = (
        f"since {changes.previous.as_of}: {customers['stayed']:,} customers stayed in their segment, "
        f"{customers['moved']:,} moved, {customers['new']:,} are new, {customers['vanished']:,} vanished"
    )
    return [
        since,
        *([f"causes: {causes}"] if causes else []),
        *([f"settings that differ: {settings}"] if settings else []),
        f"population stability index: {changes.stability_index:.4f} ({in_a_word(changes.stability_index)})",
    ]


def _count(customers: int) -> str:
    return f"{customers:,}" if customers else ""
