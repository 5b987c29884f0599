"""A ledger of which days before the window were not read: a later step cannot have them count."""

from datetime import date
from pathlib import Path

import pytest

from jobs.cli.config import FeaturesConfig, SourceOptions
from jobs.errors import ConfigurationError
from jobs.sources.choosing import source_of, source_of_run
from jobs.sources.source import Source
from tests.jobs.sources.kept_ledgers import MAPPING, by_day, kept_by, manifest, opened, write
from transforms.sources.counted import Counted

DAY = date(2018, 10, 17)
# Two months up to the day begin on 2018-08-18.
TWO_MONTHS = Counted(DAY, window_months=2)
READ_FROM = "2018-08-16"


def ledger(folder: Path, mapping: str = MAPPING) -> Source:
    return source_of(SourceOptions("ledger", write(folder, mapping)))


def refused(source: Source, counted: Counted) -> str | None:
    """The message with which a step is refused; None if it may go on."""
    try:
        source.refuse_options(FeaturesConfig(), counted=counted)
    except ConfigurationError as error:
        return str(error)
    return None


MESSAGE = (
    f"the checked ledger begins with partitions of {READ_FROM}, since its run had a window; expected one as long, or "
    "shorter, by --window-months. Run jobs.pipeline for a longer one"
)
WINDOWS = [
    (TWO_MONTHS, None),
    (Counted(DAY, window_months=1), None),
    # These begin a month later, and on the same day.
    (Counted(date(2018, 11, 17), window_months=2), None),
    (Counted(date(2018, 11, 17), window_months=3), None),
    (Counted(DAY, window_months=3), MESSAGE),
    (Counted(date(2018, 10, 16), window_months=2), MESSAGE),
    (Counted(DAY), MESSAGE),
]


def check_windows(source: Source) -> None:
    assert [refused(source, counted) for counted, _ in WINDOWS] == [message for _, message in WINDOWS]


def test_days_that_were_not_read_cannot_count_in_a_later_step(tmp_path: Path) -> None:
    source, store = ledger(tmp_path), opened(tmp_path)
    place = by_day(tmp_path, "2018-10-17", "2018-08-16", "2018-08-15")
    # Before anything is read, any window is right.
    assert [refused(source, counted) for counted, _ in WINDOWS] == [None] * len(WINDOWS)
    [raw] = source.find(place, source.contracts, counted=TWO_MONTHS)
    assert (len(raw.paths), raw.not_opened and raw.not_opened.files) == (2, 1)
    check_windows(source)
    _, entries = kept_by(source, store)
    assert entries["source"]["read_from"] == READ_FROM
    # A step that continues the run has the source as the run kept it, and so has one that continues that.
    later = source_of_run(store, manifest(**entries))
    check_windows(later)
    _, entries = kept_by(later, store)
    check_windows(source_of_run(store, manifest(**entries)))


def test_of_a_table_too(tmp_path: Path) -> None:
    source = ledger(tmp_path)
    source.find("table:bank.ledger", source.contracts, counted=TWO_MONTHS)
    check_windows(source)


@pytest.mark.parametrize(
    ("mapping", "counted"),
    [
        (MAPPING, None),
        (MAPPING, Counted(DAY)),
        (MAPPING.replace("partitioned_by: day\n", ""), TWO_MONTHS),
    ],
)
def test_after_everything_was_read_any_window_can_count(tmp_path: Path, mapping: str, counted: Counted | None) -> None:
    source, store = ledger(tmp_path, mapping), opened(tmp_path)
    source.find(by_day(tmp_path, "2018-10-17", "2018-08-15"), source.contracts, counted=counted)
    _, entries = kept_by(source, store)
    assert entries["source"]["read_from"] is None
    for each in (source, source_of_run(store, manifest(**entries))):
        assert [refused(each, window) for window, _ in WINDOWS] == [None] * len(WINDOWS)
