"""What is compared: an audience with a holdout, a later run of the same source, and the days to measure in it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from jobs.audiences.audience import Audience, read_audience
from jobs.errors import ConfigurationError
from jobs.inputs.score_cards import card_of_run
from jobs.storage.folder import Folder
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from transforms.sources.counted import Counted

PURCHASES = "purchases"
RESTORE_CARD = "Files of a run are never edited: restore it, or name another run"


@dataclass(frozen=True)
class Days:
    """The days that are measured, both ends included."""

    first: date
    last: date

    @property
    def number(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        audience: the record of the export.
        folder: where it is, with its members.
        holdout: the share that was to be held back.
        later: the run that tells what members did.
        days: what is measured of it.
    """

    audience: Audience
    folder: Folder
    holdout: Decimal
    later: Manifest
    days: Days

    @property
    def name(self) -> str:
        """The campaign, as a sentence begins with it."""
        return f"Campaign {self.audience.campaign or self.audience.audience_id}"

    @property
    def days_without_purchases(self) -> int:
        """The last days measured in which the run has no purchase of anybody, as far as its manifest tells."""
        stated = (self.later.sufficiency or {}).get("days_since_newest_purchase")
        if not isinstance(stated, int):
            return 0
        newest = self.later.as_of - timedelta(days=max(0, stated))
        return max(0, (self.days.last - newest).days)

    def as_json(self) -> dict[str, Any]:
        """Which audience, which run and which days."""
        audience = self.audience
        since = audience.changes_since
        return {
            "audience": {
                "audience_id": audience.audience_id,
                "campaign": audience.campaign,
                "run_id": audience.run_id,
                "as_of": audience.as_of.isoformat(),
                "changes_since": {"run_id": since.run_id, "as_of": since.as_of.isoformat()} if since else None,
            },
            "run": {"run_id": self.later.run_id, "as_of": self.later.as_of.isoformat()},
            "days": {
                "first": self.days.first.isoformat(),
                "last": self.days.last.isoformat(),
                "number": self.days.number,
            },
        }


def find_comparison(
    store: RunStore, folder: Folder, *, run_id: str | None, first: date | None, last: date | None
) -> Comparison:
    """Find out what is compared, before any table is read.

    Args:
        store: the runs.
        folder: of the export.
        run_id: the later run; None for the current one.
        first: the first day to measure; None for the day after that of the audience.
        last: the last day to measure; None for the day of the later run.

    Raises:
        ConfigurationError: There is no such audience or run, nobody is held back, or the run does not have those days.
        DataError: A record, a manifest or a card is damaged.
    """
    audience = read_audience(folder)
    if audience.holdout is None:
        raise ConfigurationError(
            f"{folder.display_path()}: found an audience of which nobody is held back, expected one with a holdout to "
            "compare with. Export the next one with --holdout 10% --holdout-key FILE --campaign NAME"
        )
    later = store.find_manifest(
        run_id, missing="nothing to compare the audience in", advice="Run jobs.pipeline first, or name a run with --run"
    )
    _check_source(store, audience, later)
    days = _days(audience, later, first, last)
    _check_window(store, later, days)
    return Comparison(audience, folder, audience.holdout.share, later, days)


def _check_source(store: RunStore, audience: Audience, later: Manifest) -> None:
    """See that the later run has purchases, and of the same kind of source as the run of the audience.

    Raises:
        ConfigurationError: It has not.
    """
    if PURCHASES not in later.tables:
        raise ConfigurationError(
            f"run {later.run_id} has no table purchases (it is one of jobs.{later.job or 'ingest'}), so it does not "
            "say who bought. Name a run of jobs.pipeline, jobs.features or jobs.segments with --run"
        )
    kind, earlier_kind = later.source_kind, None
    with suppress(ConfigurationError):  # old runs are pruned, and the audience outlives them
        earlier_kind = store.manifest(audience.run_id).source_kind
    if earlier_kind not in (None, kind):
        raise ConfigurationError(
            f"run {later.run_id} is of source {kind}, and the audience was chosen from run {audience.run_id} of source "
            f"{earlier_kind}: expected one source. Name a run of that source with --run"
        )


def _days(audience: Audience, later: Manifest, first: date | None, last: date | None) -> Days:
    """The days to measure.

    Raises:
        ConfigurationError: They are not all after the day of the audience, and up to that of the later run.
    """
    if later.as_of <= audience.as_of:
        raise ConfigurationError(
            f"run {later.run_id} is as of {later.as_of}, and the audience as of {audience.as_of}: expected a later "
            "run, which tells what its members did since. Name one with --run"
        )
    days = Days(first or audience.as_of + timedelta(days=1), last or later.as_of)
    if days.first <= audience.as_of:
        raise ConfigurationError(
            f"invalid --from {days.first}: members were chosen by what they did up to {audience.as_of}, expected a "
            "later day. Give the day on which the campaign began"
        )
    if days.last > later.as_of:
        raise ConfigurationError(
            f"invalid --to {days.last}: run {later.run_id} is as of {later.as_of}, expected a day up to that. Give an "
            "earlier day, or name a later run with --run"
        )
    if days.first > days.last:
        raise ConfigurationError(
            f"found days from {days.first} to {days.last}, expected the first one first. Check --from and --to, or "
            "name a later run with --run"
        )
    return days


def _check_window(store: RunStore, later: Manifest, days: Days) -> None:
    """See that the later run counts purchases from the first of the days on.

    Raises:
        ConfigurationError: It counts them from a later day on.
        DataError: Its card is damaged or gone.
    """
    first_days = [later.source.read_from] if later.source and later.source.read_from else []
    if later.score_card is not None:
        card = card_of_run(store, later.score_card.file, advice=RESTORE_CARD)
        months = card.scoring.window_months if card.scoring else None
        window = Counted(later.as_of, window_months=months).first_day
        first_days += [window] if window else []
    first_day = max(first_days, default=None)
    if first_day is not None and first_day > days.first:
        raise ConfigurationError(
            f"run {later.run_id} counts purchases from {first_day} on (--window-months), and the days to measure begin "
            f"on {days.first}: expected all of them. Name a run with a longer window, or give --from {first_day}"
        )
