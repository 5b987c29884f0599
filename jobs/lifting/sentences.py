"""A comparison as sentences that a marketer understands, and as the table above them."""

from collections.abc import Iterator
from decimal import Decimal
from math import floor, log10

from jobs.cli import console
from jobs.cli.printable import counted
from jobs.lifting.comparison import Comparison
from jobs.lifting.counting import Arms
from transforms.audiences.arms import CONTROL, TREATMENT
from transforms.audiences.lift import FEW_BUYERS, ArmFigures, Difference, Lift
from transforms.intervals import Interval

HEADER = ("arm", "members", "bought again", "rate", "revenue", "per customer")
MOST_DIGITS = 4
DAYS_OF_SILENCE = 7
"""Last days without a purchase of anybody, from which on the files may end before the run's day."""


def show_comparison(comparison: Comparison, arms: Arms) -> None:
    """Print the table of the arms, and the sentences."""
    days = comparison.days
    title = (
        f"{comparison.name}, {counted(days.number, 'day')} from {days.first} to {days.last}, run "
        f"{comparison.later.run_id}"
    )
    console.show_table(title, HEADER, _rows(arms.lift), notes=sentences(comparison, arms))


def sentences(comparison: Comparison, arms: Arms) -> list[str]:
    """What the comparison says: first the verdict, then the revenue, then what else a reader should know."""
    return [_verdict(arms.lift), *_money(arms.lift), *_absent(comparison, arms), *_silence(comparison)]


def _rows(lift: Lift) -> list[tuple[str, ...]]:
    rate, revenue = lift.repeat_rate, lift.revenue_per_customer
    digits = _digits(rate)
    rows = [_row("written to", lift.treatment, digits), _row("held back", lift.control, digits)]
    if rate is not None and revenue is not None and lift.verdict != "unusable":
        points = f"{100 * rate.value:+z.{digits}f} points"
        rows.append(("difference", "", "", points, "", f"{revenue.value:+z,.2f}"))
        intervals = (_interval(rate.interval, digits, scale=100), _interval(revenue.interval, 2))
        rows.append(("95 % interval", "", "", intervals[0], "", intervals[1]))
    return rows


def _row(name: str, arm: ArmFigures, digits: int) -> tuple[str, ...]:
    return (
        name,
        f"{arm.members:,}",
        f"{arm.buyers:,}",
        _percent(arm.repeat_rate, digits),
        f"{arm.revenue:,.2f}",
        _amount(arm.revenue_per_customer),
    )


def _verdict(lift: Lift) -> str:
    rate = lift.repeat_rate
    if rate is None:
        return _incomparable(lift)
    if lift.verdict == "unusable":
        ratio = lift.sample_ratio
        return (
            f"Do not use this comparison: {ratio.actual or 0:.1%} were held back, and {_share(ratio.expected)} were "
            "expected. Chance alone produces such a gap in fewer than 1 of 1,000 campaigns, so the arms are not alike. "
            "Find out who is missing."
        )
    digits = _digits(rate)
    both = (
        f"{_percent(lift.treatment.repeat_rate, digits)} of those written to bought again, and "
        f"{_percent(lift.control.repeat_rate, digits)} of those held back"
    )
    interval = f"95 % interval {_interval(rate.interval, digits, scale=100)}"
    size = f"{abs(100 * rate.value):.{digits}f} points"
    if lift.verdict == "more":
        return f"The campaign brought more customers back: {both}: {size} more ({interval})."
    if lift.verdict == "fewer":
        return f"Fewer customers came back with the campaign than without it: {both}: {size} fewer ({interval})."
    if lift.is_negligible:
        return f"Little difference, if any: {both} ({interval}). It may be chance."
    return f"Too early or too small to tell: {both}; the difference may be chance ({interval}). {_power(lift)}"


def _power(lift: Lift) -> str:
    smallest = lift.smallest_difference
    if smallest is None:
        return "Arms of these sizes show no difference, however large."
    points = 100 * smallest
    return (
        f"Arms of these sizes show a difference of {points:.{_digits_of(points)}f} points or more in at least four of "
        "five campaigns."
    )


def _incomparable(lift: Lift) -> str:
    if lift.members == 0:
        return "Nothing to compare: the audience has no members to count."
    who = "held back" if lift.control.members == 0 else "written to"
    return (
        f"Nothing to compare: nobody is {who}. Of {counted(lift.members, 'member')}, {_share(lift.holdout)} were to "
        "be held back."
    )


def _money(lift: Lift) -> Iterator[str]:
    revenue = lift.revenue_per_customer
    if revenue is None or lift.verdict == "unusable":
        return
    both = (
        f"Revenue per customer: {_amount(lift.treatment.revenue_per_customer)} of those written to, and "
        f"{_amount(lift.control.revenue_per_customer)} of those held back"
    )
    if revenue.interval is None:
        yield f"{both}. Too few bought for an interval."
        return
    direction = "less" if revenue.value < 0 else "more"
    rough = f"; rough, since fewer than {FEW_BUYERS} of an arm bought" if lift.is_money_rough else ""
    interval = _interval(revenue.interval, 2)
    yield f"{both}: {abs(revenue.value):,.2f} {direction} (95 % interval {interval}{rough}). No verdict rests on it."


def _absent(comparison: Comparison, arms: Arms) -> Iterator[str]:
    treated, held_back = arms.absent[TREATMENT], arms.absent[CONTROL]
    number = treated + held_back
    if not number:
        return
    some = ", ".join(arms.absent_ids[:3])
    such = f"such as {some}" if number > len(arms.absent_ids[:3]) else some
    state, result = ("is", "It counts") if number == 1 else ("are", "They count")
    yield (
        f"{counted(number, 'member')} {state} not in run {comparison.later.run_id} ({treated:,} written to, "
        f"{held_back:,} held back): {such}. {result} as having bought nothing."
    )


def _silence(comparison: Comparison) -> Iterator[str]:
    days = comparison.days_without_purchases
    if days >= DAYS_OF_SILENCE:
        last = comparison.days.last
        yield f"Nobody at all bought in the last {days:,} of these days. Do the files end before {last}?"


def _digits(rate: Difference | None) -> int:
    """Decimals of points: two digits of how far the interval reaches, and an end that is not 0 is not shown as 0."""
    if rate is None or rate.interval is None:
        return 1
    low, high = 100 * rate.interval.low, 100 * rate.interval.high
    digits = _digits_of((high - low) / 2)
    while rate.side and digits < MOST_DIGITS and 0.0 in (round(low, digits), round(high, digits)):
        digits += 1
    return digits


def _digits_of(points: float) -> int:
    return min(MOST_DIGITS, max(1, 1 - floor(log10(points)))) if points > 0 else 1


def _percent(share: float | None, digits: int) -> str:
    return "" if share is None else f"{share:.{digits}%}"


def _share(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}%"


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:z,.2f}"


def _interval(interval: Interval | None, digits: int, *, scale: int = 1) -> str:
    if interval is None:
        return ""
    return f"{scale * interval.low:z,.{digits}f} to {scale * interval.high:z,.{digits}f}"
