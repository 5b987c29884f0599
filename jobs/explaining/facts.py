"""An explanation as JSON: the facts of the sentences, under keys that stay. Money is text, and days are ISO dates."""

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.explaining.explained_runs import ExplainedRun
from jobs.explaining.explanation import Explanation
from jobs.explaining.records import Records, Row
from jobs.explaining.rescoring import Movement, Place, Purchase, Step
from jobs.explaining.story import story
from transforms.rfm.scores import SCORED
from transforms.rfm.segments import Segment

Facts = dict[str, Any]


def facts_of(explanation: Explanation) -> Facts:
    """All facts of an explanation.

    ``movement`` is null without a run before. Its ``cause`` is as in `segment_changes`, and null for a customer whose
    segment is the same.
    """
    runs, customer = explanation.runs, explanation.customer
    return {
        "customer_unique_id": customer.id,
        "matched_by": "prefix" if customer.prefix is not None else "id",
        "run": _run(runs.now),
        "before": _run(runs.before) if runs.before else None,
        "now": _records(customer.now, runs.now),
        "then": _records(customer.before, runs.before) if runs.before and customer.before else None,
        "movement": _movement(explanation.movement, explanation) if explanation.movement else None,
        "lacks": runs.lacks or None,
        "sentences": [line for line in story(explanation) if line],
    }


def _run(run: ExplainedRun) -> Facts:
    return {
        "run_id": run.run_id,
        "as_of": run.as_of.isoformat(),
        "card": run.card.hash,
        "first_day": run.first_day.isoformat() if run.first_day else None,
    }


def _records(records: Records, run: ExplainedRun) -> Facts | None:
    """A customer in a run; null where the run does not have them."""
    rfm = records.rfm
    if rfm is None:
        return None
    return {
        "measures": {
            "first_purchase": rfm["first_purchase_time"].date().isoformat(),
            "last_purchase": rfm["last_purchase_time"].date().isoformat(),
            "days_since_last_purchase": rfm["days_since_last_purchase"],
            "purchase_count": rfm["purchase_count"],
            "total_value": f"{rfm['total_value']:f}",
        },
        "scores": {letter: _score(rfm, letter, run) for letter in SCORED},
        "rfm_score": rfm["rfm_score"],
        "segment": _segment(records.side.place.segment),
        "history": _history(records.history),
        "cluster": _cluster(records.cluster),
    }


def _score(rfm: Row, letter: str, run: ExplainedRun) -> Facts:
    measure, bands = SCORED[letter], run.scoring.bands[letter]
    place = bands.position(rfm[measure.column]) + (-1 if measure.low_is_best else 1)
    to_next = rfm[f"{letter}_to_next"]
    return {
        "score": rfm[measure.score],
        "band": rfm[f"{letter}_band"],
        "to_next": f"{to_next:f}" if measure.decimals and to_next is not None else to_next,
        "next_score": None if to_next is None else bands.scores[place],
    }


def _segment(segment: Segment | None) -> Facts | None:
    return None if segment is None else {"code": segment.code, "name": segment.name, "advice": segment.advice}


def _history(row: Row | None) -> Facts | None:
    if row is None:
        return None
    return {
        "previous_segment_code": row["previous_segment_code"],
        "previous_segment": row["previous_segment"],
        "segment_since": row["segment_since"].isoformat(),
        "runs_in_segment": row["runs_in_segment"],
    }


def _cluster(row: Row | None) -> Facts | None:
    return None if row is None else {"cluster": row["cluster"], "cluster_name": row["cluster_name"]}


def _movement(movement: Movement, explanation: Explanation) -> Facts:
    moves, differences = explanation.runs.moves, movement.differences
    return {
        "from_segment_code": movement.before.place.code,
        "to_segment_code": movement.now.place.code,
        "cause": movement.cause,
        "equals_segment_changes": True if explanation.is_checked else None,
        "settings_that_differ": dict(moves.settings_that_differ) if moves else None,
        "past_purchases": {
            "added": _purchases(differences.added),
            "gone": _purchases(differences.gone),
            "revalued": [
                {"time": now.time.isoformat(sep=" "), "then": f"{then.value:f}", "now": f"{now.value:f}"}
                for then, now in differences.revalued
            ],
        },
        "new_purchases": _purchases(movement.new_purchases),
        "purchases_that_left_the_window": _purchases(movement.purchases_that_left),
        "start": _place(movement.before.place),
        "steps": [_step(step) for step in explanation.steps],
    }


def _step(step: Step) -> Facts:
    return {"step": step.name, "changes_segment": step.changes_segment, **_place(step.after)}


def _place(place: Place) -> Mapping[str, Any]:
    measures = place.measures
    return {
        "days_since_last_purchase": measures.days_since_last_purchase if measures else None,
        "purchase_count": measures.purchase_count if measures else 0,
        "total_value": f"{measures.total_value:f}" if measures else None,
        "scores": {letter: place.scores.get(letter) for letter in SCORED},
        "segment_code": place.code,
        "segment": place.segment.name if place.segment else None,
    }


def _purchases(purchases: Sequence[Purchase]) -> list[Facts]:
    return [{"time": each.time.isoformat(sep=" "), "value": f"{each.value:f}"} for each in purchases]
