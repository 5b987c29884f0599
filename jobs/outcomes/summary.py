"""Whether the segments predict, as the summary of a run shows it."""

from jobs.cli import console
from jobs.outcomes.validating import Validated, Validation
from jobs.runs.totals import NO_MONEY
from transforms.rfm.prediction import Outcome
from transforms.rfm.rankings import Estimate

HEADER = ("segment", "customers", "bought again", "rate", "95 % interval", "lift", "revenue", "per customer")


def show_validation(validation: Validation | None) -> None:
    """Print a line for each segment at the cut and what its customers did after it, and the verdict."""
    if validation is None:
        return
    if not isinstance(validation, Validated):
        console.say(validation.verdict)
        return
    prediction = validation.prediction
    whole = prediction.all
    rows = [_row(segment.name, outcome, whole) for segment, outcome in prediction.segments]
    rows.append(_row("all customers", whole, whole))
    title = f"Does it predict? Segments of {prediction.cut}, and the {prediction.days} days after it"
    console.show_table(title, HEADER, rows, notes=validation_notes(validation))


def validation_notes(validation: Validated) -> list[str]:
    """The verdict with its figures, and what else a reader should know, one line each."""
    prediction, later = validation.prediction, validation.later
    everyone, new = sum((total.money or NO_MONEY for total in later.values()), NO_MONEY), later["new_customers"]
    unlike = [
        f"{word} it: {', '.join(segment.name for segment in segments)}"
        for word, segments in (("above", prediction.unlike_all(1)), ("below", prediction.unlike_all(-1)))
        if segments
    ]
    ginis = [f"{_name(name)} {_estimate(estimate)}" for name, estimate in prediction.ginis.items() if estimate]
    beyond = [
        f"{_name(name)} less recency {_estimate(estimate)}"
        for name, estimate in prediction.beyond_recency.items()
        if estimate
    ]
    fifths = [
        f"by {_name(name)} {shares.repeat_buyers:.1%}" + (f" and {shares.revenue:.1%}" if shares.revenue else "")
        for name, shares in prediction.best_fifths.items()
        if shares.repeat_buyers is not None
    ]
    return [
        prediction.verdict,
        *([f"Gini for who buys again: {', '.join([*ginis, *beyond])}"] if ginis else []),
        *([f"Of who bought again and of revenue, the best fifth has: {', '.join(fifths)}"] if fifths else []),
        *(
            [f"Segments whose interval does not reach the rate of all customers: {'; '.join(unlike) or 'none'}"]
            if prediction.is_enough
            else []
        ),
        f"New customers: {validation.new_customers:,}, with {new.money:,.2f} of the {everyone:,.2f} after the cut",
        *(
            [f"Returns of people who bought nothing: {later['other_customers']}"]
            if later["other_customers"].rows
            else []
        ),
        *validation.notes,
        validation.card.in_words(),
    ]


def _name(ranking: str) -> str:
    return ranking.replace("_", " ")


def _estimate(estimate: Estimate) -> str:
    interval = estimate.interval
    return f"{estimate.value:z.2f}" + (f" ({interval.low:z.2f} to {interval.high:z.2f})" if interval else "")


def _row(name: str, outcome: Outcome, whole: Outcome) -> tuple[str, ...]:
    rate, interval, lift = outcome.repeat_rate, outcome.interval, outcome.lift(whole)
    per_customer = outcome.revenue_per_customer
    return (
        name,
        f"{outcome.customers:,}",
        f"{outcome.repeat_buyers:,}",
        "" if rate is None else f"{rate:.2%}",
        f"{interval.low:.2%} to {interval.high:.2%}" if interval else "",
        "" if lift is None else f"{lift:.2f}",
        f"{outcome.revenue:,.2f}",
        "" if per_customer is None else f"{per_customer:,.2f}",
    )
