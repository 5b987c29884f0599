"""How long each customer has been in a segment, carried on from the run before: docs/history.md has the rules."""

from collections.abc import Mapping
from typing import Any

from jobs.querying.views import literal
from jobs.verifying.audited import AuditedRun
from jobs.verifying.checks import Check, Fault
from jobs.verifying.comparing import Claim, Derivation, compare

TABLE = "segment_history"
COMPARED = "the segment of each customer, the one before, and since when"
SEGMENT, PREVIOUS, SINCE = f"{TABLE}: segment", f"{TABLE}: previous segment", f"{TABLE}: since when"
CLAIMS: Mapping[str, Claim] = {
    SEGMENT: ("the segment of rfm", ("segment_code", "segment")),
    PREVIOUS: ("the one before, carried on from the run before", ("previous_segment_code", "previous_segment")),
    SINCE: ("day and number of runs, carried on from the run before", ("segment_since", "runs_in_segment")),
}
PREDECESSOR = "manifest: the run before"
PREDECESSOR_COMPARED = "day and score card with those of that run"


def check_history(run: AuditedRun, before: AuditedRun | None, *, why_not: str | None) -> list[Check]:
    """Derive the history of each customer.

    Args:
        run: the run.
        before: the run before, opened; None where there is none.
        why_not: why the run before cannot be looked at, though there was one.
    """
    why = run.why_missing(TABLE, "rfm") or why_not
    begins = not (before and TABLE in before.manifest.tables)
    if why is None and before is not None:
        why = before.why_missing("rfm" if begins else TABLE)
        why = why and f"of run {before.manifest.run_id}: {why}"
    if why is not None:
        return [Check.skipped(TABLE, COMPARED, why=why)]
    day = f"date {literal(run.content['as_of'])}"
    # Every customer of a run without a history begins with it.
    earlier = """
        select null as customer_unique_id, null as segment_code, null as segment, null as previous_segment_code,
            null as previous_segment, null as segment_since, null as runs_in_segment where false
    """
    if before is not None:
        earlier = "select * from {before}.segment_history"
        if begins:
            earlier = f"""
                select customer_unique_id, segment_code, segment, null as previous_segment_code,
                    null as previous_segment, date {literal(before.content["as_of"])} as segment_since,
                    1 as runs_in_segment
                from {{before}}.rfm
            """
    stayed = "earlier.segment_code = rfm.segment_code"
    columns = f"""
        case when {stayed} then earlier.previous_segment_code else earlier.segment_code end as previous_segment_code,
        case when {stayed} then earlier.previous_segment else earlier.segment end as previous_segment,
        case when {stayed} then earlier.segment_since else {day} end as segment_since,
        case when {stayed} then earlier.runs_in_segment + 1 else 1 end as runs_in_segment
    """
    no_one = "" if before is not None else "and false"
    derivation = Derivation(
        table=TABLE,
        key=("customer_unique_id",),
        sql=f"""
            select rfm.customer_unique_id, rfm.segment_code, rfm.segment, {columns}
            from {{now}}.rfm left join ({earlier}) earlier
                on rfm.customer_unique_id = earlier.customer_unique_id {no_one}
        """,
        sources=("rfm",),
        claims=CLAIMS,
        before=None if before is None else (before, ("rfm",) if begins else (TABLE,)),
    )
    return compare(run, derivation)


def check_predecessor(run: AuditedRun, before: AuditedRun | None, since: Mapping[str, Any] | None) -> list[Check]:
    """Compare what the manifest says of the run before with that run's manifest.

    Args:
        run: the run.
        before: the run before.
        since: what the manifest says of it.
    """
    if before is None or since is None:
        return []
    entry = before.content.get("score_card") or {}
    expected: dict[str, Any] = {"as_of": before.content["as_of"], "card": entry.get("hash")}
    faults = [
        Fault({"run": since["run_id"]}, name, since.get(name), value)
        for name, value in expected.items()
        if value is not None and since.get(name) != value
    ]
    if before.content["as_of"] > run.content["as_of"]:
        faults.append(Fault({"run": since["run_id"]}, "as_of", before.content["as_of"], "no later day than this run's"))
    return [Check.of(PREDECESSOR, PREDECESSOR_COMPARED, rows=1, faults=faults)]
