"""The segments of a run, as its summary shows them."""

from jobs.cli import console
from jobs.scores.scored import ScoredCustomers
from transforms.rfm.scores import Bands, amount_in_words

HEADER = ("segment", "customers", "share", "revenue", "of revenue")


def show_segments(scored: ScoredCustomers) -> None:
    """Print a line for each segment: its customers, what they spent, and advice; then what the scores rest on."""
    customers, revenue = scored.rfm.total.rows, scored.rfm.total.money
    rows = [
        (
            each.segment.name,
            f"{each.total.rows:,}",
            f"{each.total.rows / customers:.1%}",
            f"{each.revenue:,.2f}",
            f"{each.revenue / revenue:.1%}" if revenue else "",
        )
        for each in scored.segments
    ]
    title = f"Segments of customers ({scored.card.scored_by.segment_map.name})"
    console.show_table(title, HEADER, rows, notes=segment_notes(scored))


def segment_notes(scored: ScoredCustomers) -> list[str]:
    """Advice for each segment that has customers, and what the scores rest on, one line each."""
    return [
        *[f"{each.segment.name}: {each.segment.advice}" for each in scored.segments if each.total.rows],
        _about_card(scored),
        *[_about_degeneracy(bands, scored) for bands in scored.card.scored_by.degenerate],
        f"data: {scored.sufficiency.verdict}",
    ]


def _about_card(scored: ScoredCustomers) -> str:
    named, months = scored.choice.named, scored.card.scored_by.window_months
    window = "" if months is None else f", purchases of {months} months"
    if named is None:
        return f"score card: fitted to these customers{window}"
    other = "; ".join(f"{name}: {was} in the card, {now} in this run" for name, was, now in scored.other_settings)
    other = f"; {other}" if other else ""
    if named.scoring is None:
        return (
            f"score card: {named.name} has bounds alone; its cut points were fitted to these customers{window}{other}"
        )
    if named.hash == scored.card.hash:
        return f"score card: {named.name}, applied as it is{window}{other}"
    parts = f"segment map {scored.card.scored_by.segment_map.name}, feature scale {scored.card.clustered_by.kind}"
    return f"score card: {named.name}, with {parts}{window}{other}"


def _about_degeneracy(bands: Bands, scored: ScoredCustomers) -> str:
    degeneracy = bands.degeneracy
    if degeneracy is None:
        return ""
    values = f"{degeneracy.distinct_values:,} distinct value{'' if degeneracy.distinct_values == 1 else 's'}"
    commonest = degeneracy.commonest_value
    amount = amount_in_words(commonest) if bands.measure.decimals else f"{commonest:,}"
    is_of_card = scored.choice.named is not None and scored.choice.named.scoring is not None
    when = f" (customers of {scored.card.as_of})" if is_of_card else ""
    words = "; ".join(f"{bands.in_words(place)} scores {score}" for place, score in enumerate(bands.scores))
    return (
        f"{bands.measure.column} is degenerate{when}: {values}, {degeneracy.commonest_share:.1%} of customers have "
        f"{amount}; {words}"
    )
