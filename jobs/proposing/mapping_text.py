"""The text of a mapping: YAML that a person reads and corrects."""

import textwrap
from collections.abc import Iterator, Sequence

from jobs.inputs.diagnosis import listed
from jobs.proposing.ledger import Ledger, percent, shown
from jobs.proposing.mapping_lines import Line, lines_of
from jobs.proposing.sampling import sample_of

WIDTH = 118
FIRST_COMMENT, LAST_COMMENT = 24, 46
"""Comments begin between these columns, below one another where the keys have room."""


def propose(uri: str) -> str:
    """A first mapping of a ledger.

    Args:
        uri: a file of CSV or Parquet, or a folder of such files, on a disk or in S3.

    Raises:
        ConfigurationError: There is no such file, or it cannot be read.
        DataError: The file is no ledger.
    """
    return mapping_text(Ledger.from_sample(sample_of(uri)))


def mapping_text(ledger: Ledger) -> str:
    """The mapping of a ledger: its keys, each with what speaks for it, and notes on what no key can say."""
    title = [
        f"# A first mapping of {shown(ledger.sample.name)}, by {ledger.rows}. Correct it before it is used.",
        '# "# ?" marks what the file cannot tell.',
    ]
    notes = [line for note in _notes(ledger) for line in _wrapped(note)]
    return "\n".join([*title, "", *_aligned(lines_of(ledger)), *([""] if notes else []), *notes]) + "\n"


def _aligned(lines: Sequence[Line]) -> Iterator[str]:
    longest = max((len(line.text) for line in lines if line.comment and len(line.text) < LAST_COMMENT), default=0)
    column = max(FIRST_COMMENT, longest + 2)
    for line in lines:
        if not line.comment:
            yield line.text
            continue
        mark = "# ? " if line.is_doubt else "# "
        start = max(column, len(line.text) + 2)
        yield f"{line.text:<{start}}{mark}{line.comment}"


def _wrapped(note: str) -> list[str]:
    return textwrap.wrap(
        note, WIDTH, initial_indent="# ", subsequent_indent="#   ", break_long_words=False, break_on_hyphens=False
    )


def _notes(ledger: Ledger) -> Iterator[str]:
    roles, rows = ledger.roles, len(ledger.sample.rows)
    form = ledger.sample.csv
    if form and form.uneven_rows:
        share = percent(form.uneven_rows / rows)
        yield f"? {share} of rows have another number of cells than there are columns. They are quarantined."
    unusable = [column.name for column in ledger.columns if not column.is_usable]
    if unusable:
        yield f"? Columns without a name of their own cannot be mapped: {_names(unusable)}. Rename them in the file."
    if roles.credit:
        yield (
            f"? Amounts stand in two columns, and those in {shown(roles.credit.name)} are not read. Rows of credits "
            "have no amount, and are quarantined. Export one signed amount."
        )
    if roles.clock:
        yield f"? The time of day is by itself in {shown(roles.clock.name)}, and is not read. Export it with the date."
    if not roles.transaction and not roles.order:
        yield "No column holds ids, so each row gets one from its content."
    mapped = [*roles.mapped, *([roles.credit] if roles.credit else [])]
    rest = [column.name for column in ledger.columns if column.is_usable and all(column is not each for each in mapped)]
    if rest:
        yield f"Not mapped: {_names(rest)}"


def _names(names: Sequence[str]) -> str:
    return listed([name or "(no name)" for name in names])
