"""Figures, scores, segments and reasons of each customer, from the row's measures and the run's score card alone."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jobs.verifying.audited import AuditedRun
from jobs.verifying.cards import CELLS, MEASURES, Card, in_cell
from jobs.verifying.checks import Check, Fault
from jobs.verifying.comparing import Claim, Projection, compare_within
from jobs.verifying.measures import FOLLOWING, following
from jobs.verifying.totals import Boundary, check_boundaries, totals_in

FIGURES, SCORES, SEGMENT = "rfm: figures 0..5", "rfm: scores", "rfm: segment"
WORDS, MISSING = "rfm: bands in words", "rfm: what is missing to the next band"
CLAIMS: Mapping[str, Claim] = {
    FIGURES: ("recency, frequency, monetary with the bounds of the card", ("recency", "frequency", "monetary")),
    SCORES: ("r, f, m and the three together with the cut points", ("r_score", "f_score", "m_score", "rfm_score")),
    SEGMENT: ("code and name with the map of the card", ("segment_code", "segment")),
    WORDS: ("which values have the score", ("r_band", "f_band", "m_band")),
    MISSING: ("days, purchases and money to the next better score", ("r_to_next", "f_to_next", "m_to_next")),
}
RANGE, MAP = "manifest: figures outside 0..5", "score card: segment map"
MANIFEST = "manifest: segments"
TOLERANCE = 1e-9

DIMENSIONS = {
    "recency": "cast(recency_weeks as double)",
    "frequency": "cast(purchase_count as double)",
    "monetary": "cast(total_value as double) / purchase_count",
}
"""The measure that each figure is of, in the unit of the card's bounds."""


def check_rows(run: AuditedRun, card: Card | None) -> list[Check]:
    """Derive what follows within a row of rfm: days, average, and what the card makes of the customer.

    Args:
        run: the run.
        card: its score card; None if it has none that can be read.
    """
    why = run.why_missing("rfm")
    if why is not None:
        return [Check.skipped("rfm: scores", "figures, scores, segment and reasons", why=why)]
    present = set(run.columns("rfm"))
    columns = following(run.content["as_of"])
    has_scores = card is not None and "scores" in card.content and "r_score" in present
    if card is not None:
        columns |= _figures(card) | (_scored(card) if has_scores else {})
    columns = {name: column for name, column in columns.items() if name in present}
    claims = {
        name: (compared, [column for column in of_claim if column in columns])
        for name, (compared, of_claim) in {**FOLLOWING, **CLAIMS}.items()
        if any(column in columns for column in of_claim)
    }
    checks = compare_within(run, Projection("rfm", ("customer_unique_id",), columns, claims))
    if card is None:
        return [*checks, Check.skipped(FIGURES, "what the card makes of a customer", why="the run has no score card")]
    checks.append(_check_range(run))
    if not has_scores:
        return [*checks, Check.skipped(SCORES, "scores, segment and reasons", why="the run has none, as release 0.1")]
    return [*checks, *_check_map(run, card)]


def _check_range(run: AuditedRun) -> Check:
    """Count the customers with a figure outside 0..5, whom a card has that was fitted to others."""
    compared = "how many customers have one, with the manifest"
    inside = " and ".join(f"{name} between 0 and 5" for name in DIMENSIONS)
    [(rows, outside)] = run.rows(f"select count(*), count_if(not ({inside})) from {run.schema}.rfm")
    stated = run.content["score_card"]["customers_outside_its_range"]
    faults = [] if stated == outside else [Fault({}, "customers_outside_its_range", stated, outside)]
    return Check.of(RANGE, compared, rows=rows, faults=faults)


def normalised(sql: str, low: float, high: float) -> str:
    """A measure brought to 0..5 by two bounds, as SQL; 0 where they are equal."""
    if low == high:
        return "cast(0 as double)"
    return f"({sql} - cast({low!r} as double)) / cast({high - low!r} as double) * 5"


def to_cents(sql: str) -> str:
    """Money in double precision rounded half up to cents, as SQL: by its digits, since 2.675 is a little less."""
    return f"cast(cast(cast({sql} as varchar) as decimal(38, 2)) as double)"


def _figures(card: Card) -> dict[str, tuple[str, bool]]:
    bounds = card.content["bounds"]
    return {
        name: (normalised(sql, float(bounds[name]["min"]), float(bounds[name]["max"])), True)
        for name, sql in DIMENSIONS.items()
    }


def _scored(card: Card) -> dict[str, tuple[str, bool]]:
    scores = {letter: card.score(letter, measure) for letter, measure in MEASURES.items()}
    columns = {
        **{f"{letter}_score": sql for letter, sql in scores.items()},
        "rfm_score": in_cell({cell: "".join(map(str, cell)) for cell in CELLS}, scores),
        "segment_code": card.of_cell(0, scores),
        "segment": card.of_cell(1, scores),
        **{f"{letter}_band": card.words(letter, measure) for letter, measure in MEASURES.items()},
        **{f"{letter}_to_next": card.to_next(letter, measure) for letter, measure in MEASURES.items()},
    }
    return {name: (sql, False) for name, sql in columns.items()}


def _check_map(run: AuditedRun, card: Card) -> list[Check]:
    """Check that each cell is in one segment, and that the manifest has the segments of the map and of rfm."""
    compared = "each of the 125 cells is in one segment, and its hash"
    faults = [
        Fault({"cell": "".join(map(str, cell))}, "segments", len(codes), 1)
        for cell in CELLS
        if len(codes := [code for code, _, cells in card.segments if cell in cells]) != 1
    ]
    entry = (run.content.get("segments") or {}).get("map") or {}
    meaning = [
        (segment["name"], segment["code"], segment["advice"], sorted(cells))
        for segment, (_, _, cells) in zip(card.content["segment_map"]["segments"], card.segments, strict=True)
    ]
    name = card.content["segment_map"]["name"]
    actual = hashlib.sha256(json.dumps([name, meaning]).encode()).hexdigest()[:16]
    if entry.get("hash", actual) != actual:
        faults.append(Fault({"map": name}, "hash of the map", actual, f"{entry['hash']}, as in the manifest"))
    return [Check.of(MAP, compared, rows=len(CELLS), faults=faults), *_check_manifest(run, card)]


def _check_manifest(run: AuditedRun, card: Card) -> list[Check]:
    compared = "customers, revenue and shares with rfm, names with the card"
    entry = run.content.get("segments")
    if not entry:
        return [Check.skipped(MANIFEST, compared, why="the manifest has no segments")]
    place = f"{run.with_quick('rfm')}.rfm"
    rows = run.rows(f"select segment_code, count(*), sum(total_value) from {place} group by 1")
    by_code = {code: (customers, revenue) for code, customers, revenue in rows}
    customers = sum(each for each, _ in by_code.values())
    revenue = sum((each for _, each in by_code.values()), Decimal(0))
    faults = []
    stated = {each["code"]: each for each in entry["segments"]}
    for code in [*(code for code, _, _ in card.segments), *(by_code.keys() - {code for code, _, _ in card.segments})]:
        name = next((name for each, name, _ in card.segments if each == code), None)
        own_customers, own_revenue = by_code.get(code, (0, Decimal(0)))
        expected: dict[str, Any] = {
            "name": name,
            "customers": own_customers,
            "revenue": own_revenue,
            "share_of_customers": own_customers / customers if customers else 0.0,
            "share_of_revenue": float(own_revenue / revenue) if revenue else 0.0,
        }
        actual = stated.pop(code, {})
        faults += [
            Fault({"segment": code}, name, actual.get(name), value)
            for name, value in expected.items()
            if not _is_equal(actual.get(name), value)
        ]
    faults += [Fault({"segment": code}, "segment in the manifest", "one", None) for code in stated]
    derived: dict[Boundary, dict[str, Any]] = {
        ("rfm", "segment", code): {"rows": rows, "money": money} for code, (rows, money) in by_code.items()
    }
    derived |= {
        boundary: {"rows": 0, "money": 0}
        for boundary in totals_in(run.content)
        if boundary[:2] == ("rfm", "segment") and boundary not in derived
    }
    check, of_totals = Check.of(MANIFEST, compared, rows=len(card.segments), faults=faults), f"{MANIFEST}, totals"
    compared = "rows and money of each segment with rfm"
    why = run.why_not_stated("rfm")
    if why is not None:
        return [check, Check.skipped(of_totals, compared, why=why)]
    return [check, check_boundaries(of_totals, compared, run, derived)]


def _is_equal(actual: Any, expected: Any) -> bool:
    if isinstance(expected, str) or expected is None or actual is None:
        return bool(actual == expected)
    if isinstance(expected, float):
        return abs(float(actual) - expected) <= TOLERANCE * max(1.0, abs(expected))
    return Decimal(actual) == Decimal(expected)
