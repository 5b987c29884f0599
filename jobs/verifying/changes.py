"""Who changed segment since the run before, and why: each scored again step by step, as docs/history.md says."""

from collections import Counter
from collections.abc import Mapping
from math import log
from typing import Any

from jobs.querying.views import literal
from jobs.verifying.audited import AuditedRun
from jobs.verifying.cards import Card
from jobs.verifying.checks import Check, Fault
from jobs.verifying.comparing import Claim, Derivation, compare
from jobs.verifying.olist import first_day

TABLE, HISTORY = "segment_changes", "segment_history"
NEW, VANISHED = "new_customer", "vanished_customer"
STEPS = ("past_data", "new_purchases", "time_passed", "cut_points", "segment_map")
AFTER = ("code_after_past_data", "code_after_new_purchases", "code_after_time", "code_after_cut_points")
WAY = ("from_segment_code", *AFTER, "to_segment_code")

ENDS, CODES, CAUSE = f"{TABLE}: from and to", f"{TABLE}: steps", f"{TABLE}: cause"
CLAIMS: Mapping[str, Claim] = {
    ENDS: (
        "the segments of both runs",
        ("from_as_of", "from_segment_code", "from_segment", "to_segment_code", "to_segment"),
    ),
    CODES: ("the segment after each step, by the cards of both runs", AFTER),
    CAUSE: ("the last step that changed the segment", ("cause",)),
}
COMPARED = "who changed, came or vanished since the run before, and why"
MANIFEST = "manifest: changes"
MANIFEST_COMPARED = "customers, causes, transitions and stability with both runs"
SETTINGS = ("order_statuses", "purchase_value", "window_months", "rules", "source")
SMALLEST_SHARE = 0.0001

Transition = tuple[str | None, str | None]
"""The code of a segment before and now; None for no segment."""
ROUNDING = 1e-6


def check_changes(
    run: AuditedRun,
    before: AuditedRun | None,
    cards: tuple[Card | None, Card | None],
    *,
    why_not: str | None,
) -> list[Check]:
    """Derive the changes of a run, and what its manifest says of them.

    Args:
        run: the run.
        before: the run before; None where there is none, or where it cannot be looked at.
        cards: of the run before, and of this run.
        why_not: why the run before cannot be looked at, though there was one.
    """
    earlier, now = cards
    has_table, entry = TABLE in run.manifest.tables, run.content.get("changes")
    if entry is not None and has_table != bool(entry["since"]):
        stated = "the run before" if entry["since"] else "no run before"
        return [Check.of(TABLE, COMPARED, rows=0, faults=[Fault({}, "table", has_table, f"{stated}, by the manifest")])]
    why = why_not or run.why_missing(TABLE, "rfm", "purchases")
    if why is None and before is not None:
        why = before.why_missing(*tables_of(before, run))
        why = why and f"of run {before.manifest.run_id}: {why}"
    if why is None and (earlier is None or now is None):
        why = "a score card of the two runs is missing"
    if why is not None or before is None or earlier is None or now is None:
        return [Check.skipped(TABLE, COMPARED, why=why or "there is no run before to derive them from")]
    derivation = Derivation(
        table=TABLE,
        key=("customer_unique_id",),
        sql=_changes(run, before, earlier, now),
        sources=("rfm", "purchases"),
        claims=CLAIMS,
        before=(before, tables_of(before, run)),
    )
    return [*compare(run, derivation), *_check_manifest(run, before, now)]


def tables_of(before: AuditedRun, run: AuditedRun) -> tuple[str, ...]:
    """The tables of the run before: its segments, and its purchases, of which some may have left this run's window."""
    segments = HISTORY if HISTORY in before.manifest.tables else "rfm"
    return (segments,) if run.configuration.get("window_months") is None else (segments, "purchases")


def _changes(run: AuditedRun, before: AuditedRun, earlier: Card, now: Card) -> str:
    """The changes, from the segments of both runs and the purchases of those whose segments differ."""
    then, today = (f"date {literal(each.content['as_of'])}" for each in (before, run))
    start = first_day(run.content["as_of"], run.configuration.get("window_months"))
    day = "cast(order_purchase_time as date)"
    segments = tables_of(before, run)[0]
    bought = "select customer_unique_id, order_purchase_time, value, true as is_now from {now}.purchases"
    if start is not None:
        bought += f"""
            union all
            select customer_unique_id, order_purchase_time, value, false from {{before}}.purchases where {day} < {start}
        """
    with_gone = {"last": "greatest(last_{0}, last_gone)", "f": "n_{0} + n_gone", "m": "money_{0} + money_gone"}

    def measures(when: str, days: str) -> dict[str, str]:
        last, f, m = (with_gone[part].format(when) for part in ("last", "f", "m"))
        return {"r": days.format(last), "f": f, "m": m}

    past = measures("past", f"date_diff('day', {{0}}, {then})")
    with_new = measures("now", f"greatest(date_diff('day', {{0}}, {then}), 0)")
    of_now = {"r": f"date_diff('day', last_now, {today})", "f": "n_now", "m": "money_now"}
    mixed = Card({**earlier.content, "scores": now.content["scores"]})
    codes = (earlier.code(past), earlier.code(with_new), earlier.code(of_now), mixed.code(of_now))
    listed = ", ".join(f"{code} as {name}" for code, name in zip(codes, AFTER, strict=True))
    moved = " ".join(
        f"when {end} is distinct from {begin} then '{step}'"
        for step, begin, end in reversed(list(zip(STEPS, WAY, WAY[1:], strict=False)))
    )
    parts = {"past": f"is_now and {day} <= {then}", "now": "is_now", "gone": "not is_now"}
    sums = ", ".join(
        f"max({day}) filter ({which} and value >= 0) as last_{name}, "
        f"count_if({which} and value >= 0) as n_{name}, "
        f"coalesce(sum(value) filter ({which}), 0) as money_{name}"
        for name, which in parts.items()
    )
    return f"""
        with changed as (
            select coalesce(now.customer_unique_id, was.customer_unique_id) as customer_unique_id,
                was.segment_code as from_segment_code, was.segment as from_segment,
                now.segment_code as to_segment_code, now.segment as to_segment
            from {{now}}.rfm now full join {{before}}.{segments} was on now.customer_unique_id = was.customer_unique_id
            where now.segment_code is distinct from was.segment_code
        ), bought as (
            {bought}
        ), measured as (
            select customer_unique_id, {sums} from bought semi join changed using (customer_unique_id) group by 1
        ), scored as (
            select changed.*, {then} as from_as_of, {listed}
            from changed left join measured using (customer_unique_id)
        )
        select *, case when from_segment_code is null then '{NEW}' when to_segment_code is null then '{VANISHED}'
            {moved} end as cause from scored
    """


def _check_manifest(run: AuditedRun, before: AuditedRun, card: Card) -> list[Check]:
    entry = run.content["changes"]
    now = run.with_quick("rfm", TABLE)
    # Both tables were compared with their derivations. Who is in no row of the changes stayed.
    transitions: dict[Transition, int] = {
        (start, end): rows
        for start, end, rows in run.rows(
            f"select from_segment_code, to_segment_code, count(*) from {now}.{TABLE} group by 1, 2"
        )
    }
    for code, rows in run.rows(f"select segment_code, count(*) from {now}.rfm group by 1"):
        stays = rows - sum(moved for (_, end), moved in transitions.items() if end == code)
        transitions |= {(code, code): stays} if stays else {}
    causes = dict.fromkeys((NEW, VANISHED, *STEPS), 0)
    causes |= dict(run.rows(f"select cause, count(*) from {now}.{TABLE} group by 1"))
    stayed = sum(rows for (start, end), rows in transitions.items() if start == end)
    moved = sum(rows for (start, end), rows in transitions.items() if start and end and start != end)
    faults = [
        *_off(
            "customers",
            entry["customers"],
            {
                "before": stayed + moved + causes[VANISHED],
                "stayed": stayed,
                "moved": moved,
                "new": sum(rows for (start, _), rows in transitions.items() if start is None),
                "vanished": sum(rows for (_, end), rows in transitions.items() if end is None),
                "now": stayed + moved + causes[NEW],
            },
        ),
        *_off("causes", entry["causes"], causes),
        *_off(
            "transitions",
            {_arrow(each["from"], each["to"]): each["customers"] for each in entry["transitions"]},
            {_arrow(start, end): rows for (start, end), rows in transitions.items()},
        ),
        *_bridges(run, entry, transitions, card),
        *_stability(entry, transitions),
        *_settings(run, before, entry),
    ]
    return [Check.of(MANIFEST, MANIFEST_COMPARED, rows=sum(transitions.values()), faults=faults)]


def _arrow(start: str | None, end: str | None) -> str:
    return f"{start or 'none'} to {end or 'none'}"


def _off(what: str, actual: Mapping[str, Any], expected: Mapping[str, Any]) -> list[Fault]:
    return [
        Fault({what: name}, "customers", actual.get(name), expected.get(name))
        for name in sorted(actual.keys() | expected.keys())
        if actual.get(name) != expected.get(name)
    ]


def _bridges(
    run: AuditedRun, entry: Mapping[str, Any], transitions: Mapping[Transition, int], card: Card
) -> list[Fault]:
    """What is off in the segments: customers before, the difference by each cause, and customers now."""
    place = f"{run.with_quick(TABLE)}.{TABLE}"
    steps = run.rows(f"select cause, {', '.join(WAY)}, count(*) from {place} group by all")
    differences: Counter[tuple[str, str]] = Counter()
    for cause, *way, rows in steps:
        # Who comes or vanishes does so in one step; the others may enter and leave segments on the way.
        moves = [(cause, way[0], way[-1])] if cause in (NEW, VANISHED) else zip(STEPS, way, way[1:], strict=False)
        for step, start, end in moves:
            if start != end:
                differences.update({(start, step): -rows} if start is not None else {})
                differences.update({(end, step): rows} if end is not None else {})
    before, now = _by_segment(transitions)
    names = {code: name for code, name, _ in card.segments}
    faults: list[Fault] = []
    stated = {each["code"]: each for each in entry["by_segment"]}
    for code in sorted(before.keys() | now.keys() | stated.keys() | names.keys()):
        expected = {"before": before[code], "now": now[code]}
        expected |= {cause: differences[code, cause] for cause in (NEW, VANISHED, *STEPS)}
        actual = stated.get(code) or dict.fromkeys(expected, 0)
        if code in names and actual.get("name", names[code]) != names[code]:
            faults.append(Fault({"segment": code}, "name", actual["name"], names[code]))
        faults += [
            Fault({"segment": code}, name, actual.get(name), value)
            for name, value in expected.items()
            if actual.get(name) != value
        ]
    return faults


def _by_segment(transitions: Mapping[Transition, int]) -> tuple[Counter[str], Counter[str]]:
    """The customers of each segment, before and now."""
    before: Counter[str] = Counter()
    now: Counter[str] = Counter()
    for (start, end), rows in transitions.items():
        before.update({start: rows} if start is not None else {})
        now.update({end: rows} if end is not None else {})
    return before, now


def _stability(entry: Mapping[str, Any], transitions: Mapping[Transition, int]) -> list[Fault]:
    """The sum of (p - q) ln(p / q) over the segments of either run; an empty share counts as 0.0001."""
    before, now = _by_segment(transitions)
    index = 0.0
    for code in before.keys() | now.keys():
        p = max(now[code] / max(now.total(), 1), SMALLEST_SHARE)
        q = max(before[code] / max(before.total(), 1), SMALLEST_SHARE)
        index += (p - q) * log(p / q)
    stated = entry["population_stability_index"]
    return [] if abs(stated - index) <= ROUNDING else [Fault({}, "population_stability_index", stated, round(index, 6))]


def _settings(run: AuditedRun, before: AuditedRun, entry: Mapping[str, Any]) -> list[Fault]:
    earlier, now = before.configuration, run.configuration
    expected = {
        name: [earlier[name], now.get(name)] for name in SETTINGS if name in earlier and earlier[name] != now.get(name)
    }
    actual = entry["settings_that_differ"]
    return [
        Fault({"setting": name}, "before and now", actual.get(name), expected.get(name))
        for name in sorted(actual.keys() | expected.keys())
        if actual.get(name) != expected.get(name)
    ]
