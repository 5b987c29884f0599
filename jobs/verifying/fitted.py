"""A score card that a run fitted: bounds, cut points and segment map, found again among its customers."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import Any

from jobs.verifying.audited import AuditedRun, guarded
from jobs.verifying.cards import MEASURES, SPREAD, Card
from jobs.verifying.checks import Check, Fault
from jobs.verifying.scores import DIMENSIONS, to_cents

BOUNDS, CUT_POINTS, DEGENERATE = "score card: bounds", "score card: cut points", "score card: degenerate measures"
CHOICE, GRID = "score card: which map", "score card: grid of ranks"
COMPARED: Mapping[str, str] = {
    BOUNDS: "the lowest and highest measures of the customers",
    CUT_POINTS: "percentiles of the customers by quantile_disc, scores of the bands",
    DEGENERATE: "distinct values, the commonest, the fallback, in card and manifest",
    CHOICE: "by whether purchase_count is degenerate, or that of --segments",
    GRID: "a hundred percentiles of each measure",
}
BY_FREQUENCY, BY_MONEY = "recency x frequency", "recency x monetary"
COUNTS = [1, 2, 3, 4]
TOLERANCE = 1e-9

Percentiles = Callable[[], tuple[int, dict[str, tuple[list[Decimal], Decimal]]]]
"""Gives the number of customers; and of each measure, its percentiles and its highest value."""


def check_fitted(run: AuditedRun, card: Card | None) -> list[Check]:
    """Fit the card of a run again, as far as the run fitted it.

    A run that applies a card with bounds alone fits the cut points.
    """
    why = run.why_missing("rfm")
    configuration = run.configuration
    if card is None or "scores" not in card.content:
        why = "the run has no card with cut points"
    elif "scores" not in configuration:
        why = "the card was applied, not fitted; its customers are not here"
    if why is not None or card is None:
        return [Check.skipped("score card: fit", "bounds, cut points and choice of map", why=why or "")]
    measured = cache(lambda: _percentiles(run, card))
    checks: list[tuple[str, Callable[[AuditedRun, Card, Percentiles], Check]]] = [
        (CUT_POINTS, _check_cut_points),
        (DEGENERATE, _check_degenerate),
        (CHOICE, _check_choice),
    ]
    if configuration.get("card") == "fitted":
        checks.insert(0, (BOUNDS, _check_bounds))
        if "grid" in card.content.get("feature_scale", {}):
            checks.append((GRID, _check_grid))
    listed = []
    for name, check in checks:
        listed += guarded(name, COMPARED[name], partial(_alone, check, run, card, measured))
    return listed


def _alone(
    check: Callable[[AuditedRun, Card, Percentiles], Check], run: AuditedRun, card: Card, measured: Percentiles
) -> list[Check]:
    return [check(run, card, measured)]


def _check_bounds(run: AuditedRun, card: Card, _: Percentiles) -> Check:
    columns = ", ".join(f"min({sql}) as {name}_min, max({sql}) as {name}_max" for name, sql in DIMENSIONS.items())
    actual = run.row(f"select count(*) as customers, {columns} from {run.with_quick('rfm')}.rfm")
    faults = []
    for name in DIMENSIONS:
        for end in ("min", "max"):
            stated, value = float(card.content["bounds"][name][end]), actual[f"{name}_{end}"]
            if abs(stated - value) > TOLERANCE * max(1.0, abs(value)):
                faults.append(Fault({"measure": name}, end, stated, value))
    if card.content.get("customers") != actual["customers"]:
        faults.append(Fault({}, "customers", card.content.get("customers"), actual["customers"]))
    return Check.of(BOUNDS, COMPARED[BOUNDS], rows=actual["customers"], faults=faults)


def _percentiles(run: AuditedRun, card: Card) -> tuple[int, dict[str, tuple[list[Decimal], Decimal]]]:
    """The number of customers; and of each measure, its percentiles and its highest value."""
    # As decimals: in double precision, 99.9 % of a thousand customers would be one too far.
    percents = ", ".join(str(Decimal(str(percent)) / 100) for percent in card.content["scores"]["percentiles"])
    columns = ", ".join(
        f"quantile_disc({name}, [{percents}]) as {letter}, max({name}) as {letter}_highest"
        for letter, name in MEASURES.items()
    )
    row = run.row(f"select count(*) as customers, {columns} from {run.with_quick('rfm')}.rfm")
    values = {
        letter: ([Decimal(each) for each in row[letter]], Decimal(row[f"{letter}_highest"])) for letter in MEASURES
    }
    return row["customers"], values


def bands_of(letter: str, percentiles: list[Decimal], highest: Decimal) -> tuple[list[Decimal], int, str | None]:
    """The cut points that percentiles make, the number of bands without a fallback, and the fallback, if one applies.

    Percentiles that coincide are one cut point, and nobody is above the highest value. A measure with fewer than five
    bands is degenerate. Then purchases are counted, if the highest percentile is 4 or less.
    """
    cut_points = [value for value in sorted(set(percentiles)) if value < highest]
    bands = len(cut_points) + 1
    if bands == len(SPREAD):
        return cut_points, bands, None
    if letter == "f" and max(percentiles) <= max(COUNTS):
        return [Decimal(count) for count in COUNTS], bands, "counts"
    return cut_points, bands, "fewer_bands"


def _check_cut_points(_run: AuditedRun, card: Card, measured: Percentiles) -> Check:
    customers, by_letter = measured()
    faults = []
    for letter, (percentiles, highest) in by_letter.items():
        cut_points, _, _ = bands_of(letter, percentiles, highest)
        scores = SPREAD[len(cut_points) + 1]
        of_measure = card.content["scores"][letter]
        compared: dict[str, tuple[list[Any], list[Any]]] = {
            "cut_points": ([Decimal(str(value)) for value in of_measure["cut_points"]], cut_points),
            "scores": (of_measure["scores"], scores[::-1] if letter == "r" else scores),
        }
        faults += [
            Fault({"measure": MEASURES[letter]}, what, _listed(stated), _listed(derived))
            for what, (stated, derived) in compared.items()
            if stated != derived
        ]
    return Check.of(CUT_POINTS, COMPARED[CUT_POINTS], rows=customers, faults=faults)


def _listed(values: list[Any]) -> str:
    return ", ".join(map(str, values)) or "none"


def _check_degenerate(run: AuditedRun, card: Card, measured: Percentiles) -> Check:
    customers, by_letter = measured()
    in_manifest = run.content["score_card"]["degenerate"]
    faults = []
    for letter, (percentiles, highest) in by_letter.items():
        _, bands, fallback = bands_of(letter, percentiles, highest)
        name = MEASURES[letter]
        expected = None if fallback is None else _degeneracy(run, name, bands, fallback)
        for where, stated in (
            ("the card", card.content["scores"][letter].get("degenerate")),
            ("the manifest", in_manifest.get(name)),
        ):
            if not _is_same(stated, expected):
                faults.append(Fault({"measure": name}, f"degenerate in {where}", stated, expected))
    return Check.of(DEGENERATE, COMPARED[DEGENERATE], rows=customers, faults=faults)


def _degeneracy(run: AuditedRun, name: str, bands: int, fallback: str) -> dict[str, Any]:
    """Of equally common values, the lowest."""
    [(value, customers, distinct, in_all)] = run.rows(f"""
        select {name}, customers, count(*) over (), sum(customers) over () from (
            select {name}, count(*) as customers from {run.with_quick("rfm")}.rfm group by 1
        ) order by customers desc, {name} limit 1
    """)
    return {
        "distinct_values": distinct,
        "commonest_value": value,
        "commonest_share": customers / int(in_all),
        "bands": bands,
        "fallback": fallback,
    }


def _is_same(stated: Mapping[str, Any] | None, expected: Mapping[str, Any] | None) -> bool:
    if stated is None or expected is None:
        return stated is expected
    return all(
        stated[name] == value
        if isinstance(value, str)
        else abs(Decimal(str(stated[name])) - Decimal(str(value))) < TOLERANCE
        for name, value in expected.items()
    )


def _check_choice(run: AuditedRun, card: Card, measured: Percentiles) -> Check:
    is_degenerate = bands_of("f", *measured()[1]["f"])[2] is not None
    setting = run.configuration["scores"]["segment_map"]
    entry = run.content["segments"]["map"]
    actual = card.content["segment_map"]["name"]
    faults = []
    if setting == "shipped":
        expected = BY_MONEY if is_degenerate else BY_FREQUENCY
        if actual != expected:
            faults.append(Fault({}, "segment map of the card", actual, expected))
    elif entry["hash"] != setting:
        faults.append(Fault({}, "hash of the segment map", entry["hash"], f"{setting}, that of --segments"))
    if entry["name"] != actual:
        faults.append(Fault({}, "segment map of the manifest", entry["name"], actual))
    return Check.of(CHOICE, COMPARED[CHOICE], rows=1, faults=faults)


def _check_grid(run: AuditedRun, card: Card, _: Percentiles) -> Check:
    """Percentiles 0 to 100, interpolated. A value at several of them is there once, at the middle of them."""
    grid = card.content["feature_scale"]["grid"]
    faults = []
    for name, sql in DIMENSIONS.items():
        measure = to_cents(sql) if name == "monetary" else sql
        [(values,)] = run.rows(f"""
            select quantile_cont({measure}, [{", ".join(str(at / 100) for at in range(101))}])
            from {run.with_quick("rfm")}.rfm
        """)
        ranks: dict[float, list[float]] = {}
        for at, value in enumerate(values):
            ranks.setdefault(value, []).append(at / 100)
        expected = [(value, (at[0] + at[-1]) / 2) for value, at in ranks.items()]
        actual = [(float(value), float(rank)) for value, rank in grid[name]]
        if len(actual) != len(expected) or any(
            abs(one - other) > TOLERANCE * max(1.0, abs(other))
            for left, right in zip(actual, expected, strict=True)
            for one, other in zip(left, right, strict=True)
        ):
            faults.append(
                Fault({"measure": name}, "grid", f"{len(actual)} points", f"{len(expected)} points, as measured")
            )
    return Check.of(GRID, COMPARED[GRID], rows=len(DIMENSIONS), faults=faults)
