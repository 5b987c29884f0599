"""One customer, scored again step by step between two runs, in the order of ``docs/history.md``.

This is arithmetic over the customer's purchases and two score cards. It is written a second time, in plain Python, so
that it checks what `segment_changes` has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from transforms.changes import NEW, STEPS, VANISHED
from transforms.rfm.score_card import Scoring
from transforms.rfm.scores import SCORED
from transforms.rfm.segments import Segment


@dataclass(frozen=True, order=True)
class Purchase:
    """A row of `schemas.PURCHASES`: when, and for how much. A value below 0 is a return."""

    time: datetime
    value: Decimal

    @property
    def day(self) -> date:
        """The day of it."""
        return self.time.date()

    @property
    def is_return(self) -> bool:
        """Whether money went back to the customer."""
        return self.value < 0


@dataclass(frozen=True)
class Measures:
    """The measures of a customer that are scored.

    Attributes:
        last_purchase: its day; a return is none.
        days_since_last_purchase: from then to a day, and 0 for one after it.
        purchase_count: purchases, without returns.
        total_value: their money, less returns.
    """

    last_purchase: date
    days_since_last_purchase: int
    purchase_count: int
    total_value: Decimal

    @classmethod
    def of(cls, purchases: Sequence[Purchase], *, as_of: date) -> "Measures | None":
        """The measures of purchases as of a day; None without any purchase."""
        bought = [purchase for purchase in purchases if not purchase.is_return]
        if not bought:
            return None
        last = max(purchase.day for purchase in bought)
        total = sum((purchase.value for purchase in purchases), Decimal(0))
        return cls(last, max((as_of - last).days, 0), len(bought), total)

    def of_letter(self, letter: str) -> Decimal | int:
        """The measure of a letter of `SCORED`."""
        value: Decimal | int = getattr(self, SCORED[letter].column)
        return value


@dataclass(frozen=True)
class Place:
    """Where a customer is at a step.

    Attributes:
        scoring: the cut points and the segment map that apply.
        measures: None where there is no purchase, and then there are neither scores nor a segment.
        scores: by letter.
        segment: of these scores.
    """

    scoring: Scoring
    measures: Measures | None
    scores: Mapping[str, int]
    segment: Segment | None

    @classmethod
    def of(cls, measures: Measures | None, scoring: Scoring) -> "Place":
        """The place of measures by cut points and a map."""
        if measures is None:
            return cls(scoring, None, {}, None)
        positions = {letter: each.position(measures.of_letter(letter)) for letter, each in scoring.bands.items()}
        scores = {letter: each.scores[positions[letter]] for letter, each in scoring.bands.items()}
        return cls(scoring, measures, scores, scoring.segment_map.by_cell[scores["r"], scores["f"], scores["m"]])

    @property
    def code(self) -> str | None:
        """The code of the segment."""
        return self.segment.code if self.segment else None


@dataclass(frozen=True)
class Side:
    """A customer in a run.

    Attributes:
        as_of: the run's day.
        first_day: the first day of its window; None for all history.
        scoring: its cut points and its segment map.
        purchases: the customer's.
    """

    as_of: date
    first_day: date | None
    scoring: Scoring
    purchases: Sequence[Purchase]

    @property
    def place(self) -> Place:
        """Where the customer is in the run."""
        return Place.of(Measures.of(self.purchases, as_of=self.as_of), self.scoring)


@dataclass(frozen=True)
class Differences:
    """How the purchases up to the earlier run's day differ between two runs.

    Attributes:
        added: those that the later run has alone.
        gone: those that the earlier one has alone.
        revalued: those that both have, at one time and with another value: then and now.
    """

    added: Sequence[Purchase]
    gone: Sequence[Purchase]
    revalued: Sequence[tuple[Purchase, Purchase]]

    @classmethod
    def between(cls, then: Sequence[Purchase], now: Sequence[Purchase]) -> "Differences":
        """The differences of two lists. A time is the key of a customer's purchases."""
        old, new = ({purchase.time: purchase for purchase in purchases} for purchases in (then, now))
        return cls(
            added=[new[time] for time in sorted(new.keys() - old.keys())],
            gone=[old[time] for time in sorted(old.keys() - new.keys())],
            revalued=[
                (old[time], new[time]) for time in sorted(old.keys() & new.keys()) if old[time].value != new[time].value
            ],
        )

    def __bool__(self) -> bool:
        return bool(self.added or self.gone or self.revalued)


@dataclass(frozen=True)
class Step:
    """A step from one run to the next.

    Attributes:
        name: one of `STEPS`.
        before: where the customer was.
        after: where the step brought them.
    """

    name: str
    before: Place
    after: Place

    @property
    def changes_segment(self) -> bool:
        """Whether it brought the customer to another segment, by code."""
        return self.before.code != self.after.code


@dataclass(frozen=True)
class Movement:
    """A customer between two runs.

    Attributes:
        before: the customer in the earlier run.
        now: the customer in the later one.
    """

    before: Side
    now: Side

    @property
    def purchases_that_left(self) -> Sequence[Purchase]:
        """Those of the earlier run that are before the window of the later one."""
        first = self.now.first_day
        return [each for each in self.before.purchases if first is not None and each.day < first]

    @property
    def past(self) -> Sequence[Purchase]:
        """The purchases up to the earlier day, as the later run has them, and those that left its window meanwhile."""
        kept = [each for each in self.now.purchases if each.day <= self.before.as_of]
        return [*self.purchases_that_left, *kept]

    @property
    def new_purchases(self) -> Sequence[Purchase]:
        """Those after the earlier day."""
        return [each for each in self.now.purchases if each.day > self.before.as_of]

    @property
    def differences(self) -> Differences:
        """What the later run says otherwise of the past."""
        return Differences.between(self.before.purchases, self.past)

    def steps(self) -> list[Step]:
        """Where each step brought the customer: `STEPS`, in their order.

        The last one ends where the later run has the customer.
        """
        old, new = self.before.scoring, self.now.scoring
        past, then = self.past, self.before.as_of
        measured_now = Measures.of(self.now.purchases, as_of=self.now.as_of)
        places = [
            self.before.place,
            Place.of(Measures.of(past, as_of=then), old),
            Place.of(Measures.of([*past, *self.new_purchases], as_of=then), old),
            Place.of(measured_now, old),
            Place.of(measured_now, replace(old, bands=new.bands)),
            Place.of(measured_now, new),
        ]
        return [Step(name, *places[number : number + 2]) for number, name in enumerate(STEPS)]

    @property
    def cause(self) -> str | None:
        """Why the segment is another one: as in `segment_changes`; None where it is the same."""
        was, now = self.before.place.code, self.now.place.code
        if was == now:
            return None
        if was is None or now is None:
            return NEW if was is None else VANISHED
        return next(step.name for step in reversed(self.steps()) if step.changes_segment)
