"""An explanation as sentences."""

from collections.abc import Iterator, Sequence

from jobs.cli.printable import counted
from jobs.explaining.explained_runs import ExplainedRun
from jobs.explaining.explanation import Explanation
from jobs.explaining.records import Records, Row
from jobs.explaining.rescoring import Step
from jobs.explaining.steps import CAUSES, step_sentences, why_new, why_vanished
from jobs.explaining.words import days_ago, named
from transforms.bounded_text import shown
from transforms.rfm.reasons import sentences
from transforms.rfm.scores import amount_in_words

INDENT = "  "


def story(explanation: Explanation) -> list[str]:
    """The explanation, a line for each sentence or so.

    First where the customer is, then the history and the cluster, then what moved them, step by step.
    """
    return [*_present(explanation), "", *_moved(explanation)]


def _present(explanation: Explanation) -> Iterator[str]:
    run, customer = explanation.runs.now, explanation.customer
    yield f"Customer {customer.id}, run {run.run_id}, as of {run.as_of}"
    if customer.prefix is not None:
        yield f"(the only customer whose id begins with {shown(customer.prefix)})"
    if customer.now.rfm is not None:
        yield from _state(run, customer.now, customer.now.rfm)
        yield _history(customer.now)
        if customer.now.cluster is not None:
            cluster = customer.now.cluster
            yield f"Cluster: {cluster['cluster_name']} ({cluster['cluster']})"
        return
    yield "This run does not have this customer."
    if explanation.runs.before is not None and customer.before is not None and customer.before.rfm is not None:
        yield f"In run {explanation.runs.before.run_id}, as of {explanation.runs.before.as_of}:"
        yield from _state(explanation.runs.before, customer.before, customer.before.rfm)
        yield _history(customer.before)


def _state(run: ExplainedRun, records: Records, rfm: Row) -> Iterator[str]:
    """Measures, scores and segment."""
    last = days_ago(rfm["days_since_last_purchase"], rfm["last_purchase_time"].date())
    bought = counted(rfm["purchase_count"], "purchase")
    returned = sum(purchase.is_return for purchase in records.side.purchases)
    net = f", less {counted(returned, 'return')}" if returned else ""
    window = f", counted from {run.first_day} on" if run.first_day else ""
    yield f"Measures: last purchase {last}; {bought}; {amount_in_words(rfm['total_value'])} in all{net}{window}"
    yield f"Scores {rfm['rfm_score']} (5 is best):"
    yield from (f"{INDENT}{line}" for line in sentences(rfm, run.scoring.bands))
    segment = records.side.place.segment
    advice = f". {segment.advice}" if segment else ""
    yield f"Segment: {named(rfm['segment'], rfm['segment_code'])}{advice}"


def _history(records: Records) -> str:
    row = records.history
    if row is None:
        return "History: this run has no table segment_history; an earlier release made it"
    runs = counted(row["runs_in_segment"], "run")
    before = "no other segment before"
    if row["previous_segment"] is not None:
        before = f"before that {named(row['previous_segment'], row['previous_segment_code'])}"
    return f"History: in this segment since {row['segment_since']}, for {runs}; {before}"


def _moved(explanation: Explanation) -> Iterator[str]:
    """What moved the customer, and each step."""
    runs, movement = explanation.runs, explanation.movement
    if runs.before is None or movement is None:
        yield from _without_run_before(explanation)
        return
    settings = dict(runs.moves.settings_that_differ) if runs.moves else {}
    since = f"Since run {runs.before.run_id}, as of {runs.before.as_of}"
    was, now = movement.before.place.segment, movement.now.place.segment
    if was is None:
        yield f"{since}: new."
        yield from (f"{INDENT}{line}" for line in why_new(movement))
    elif now is None:
        yield f"{since}: vanished from {named(was.name, was.code)}."
        yield from (f"{INDENT}{line}" for line in why_vanished(movement))
    else:
        cause = movement.cause
        if cause is None:
            yield f"{since}: {_stayed(explanation.steps)} {named(now.name, now.code)} in both."
        else:
            yield f"{since}: from {named(was.name, was.code)} to {named(now.name, now.code)}, because {CAUSES[cause]}."
        yield from (f"{INDENT}{line}" for line in step_sentences(movement, explanation.steps))
    if settings:
        yield f"{INDENT}Settings that differ between the two runs: {', '.join(settings)}."
    if explanation.is_checked:
        yield f"{INDENT}The run's table segment_changes says the same."


def _stayed(steps: Sequence[Step]) -> str:
    """Whether a customer of one segment in both runs was moved at all."""
    if any(step.changes_segment for step in steps):
        return "steps moved the customer, and others moved them back; the segment is"
    has_other_scores = any(step.before.scores != step.after.scores for step in steps)
    return "scores changed, and the segment is" if has_other_scores else "nothing moved; the segment is"


def _without_run_before(explanation: Explanation) -> Iterator[str]:
    """What the run itself says of the movement, if its files alone are there."""
    runs, row = explanation.runs, explanation.customer.now.change
    if runs.moves is not None:
        since = f"Since run {runs.moves.since.run_id}, as of {runs.moves.since.as_of}"
        yield f"{since}: {'the segment is the same' if row is None else _recorded(row)}, as segment_changes says."
        yield f"The steps cannot be worked out again: {runs.lacks}."
    else:
        yield f"What moved the customer is not known: {runs.lacks}."


def _recorded(row: Row) -> str:
    was, now = (
        named(row[f"{side}_segment"], row[f"{side}_segment_code"]) if row[f"{side}_segment"] else ""
        for side in ("from", "to")
    )
    if not was:
        return f"new, in {now}"
    if not now:
        return f"vanished from {was}"
    return f"from {was} to {now}, because {CAUSES.get(row['cause'], row['cause'])}"
