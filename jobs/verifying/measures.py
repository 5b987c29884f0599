"""Purchases and measures of customers: README.md and docs/segments.md say what each of them means."""

from collections.abc import Mapping
from typing import Any

from jobs.querying.views import literal
from jobs.verifying.audited import AuditedRun
from jobs.verifying.checks import Check, Fault
from jobs.verifying.comparing import Claim, Derivation, compare
from jobs.verifying.totals import Boundary, check_boundaries

PURCHASES_VALUE, BOUGHT = "purchases: value", "rfm: purchases"
DAYS, AVERAGE = "rfm: days and weeks", "rfm: average purchase"
BOUNDARIES, SUFFICIENCY = "manifest: purchases of customers", "manifest: sufficiency"
TOLERANCE, HALF_A_DECIMAL = 1e-9, 0.0501

SUMS: Mapping[str, Claim] = {
    BOUGHT: (
        "first and last, number and money, with the purchases of the customer",
        ("first_purchase_time", "last_purchase_time", "purchase_count", "total_value"),
    )
}
"""What is claimed of the columns of rfm that add up purchases."""

FOLLOWING: Mapping[str, Claim] = {
    DAYS: (
        "the run's day, days since both, and Sundays since the last",
        ("as_of", "days_since_last_purchase", "tenure_days", "recency_weeks"),
    ),
    AVERAGE: ("money by number, rounded half up to four decimals", ("average_purchase_value",)),
}
"""What is claimed of the measures that follow from those in the same row."""


def check_purchases(run: AuditedRun) -> list[Check]:
    """Derive the purchases of a run from its transactions."""
    is_one_payment = run.configuration.get("purchase_value", "sum") == "any"
    compared = (
        "the payment with the lowest order_id and number of each customer and time"
        if is_one_payment
        else "the payments of each customer and time, added"
    )
    why = run.why_missing("transactions", "purchases")
    if why is not None:
        return [Check.skipped("purchases", compared, why=why)]
    value = (
        "arg_min(payment_value, (order_id, payment_sequential))"
        if is_one_payment
        else "cast(sum(payment_value) as decimal(18, 4))"
    )
    derivation = Derivation(
        table="purchases",
        key=("customer_unique_id", "order_purchase_time"),
        sql=f"""
            select customer_unique_id, order_purchase_time, {value} as value from {{now}}.transactions
            group by customer_unique_id, order_purchase_time
        """,
        sources=("transactions",),
        claims={PURCHASES_VALUE: (compared, ("value",))},
        needs_ids=is_one_payment,
    )
    return compare(run, derivation)


def sundays(start: str, end: str) -> str:
    """The number of Sundays after one day up to a later one, as SQL: of so many days, from that day of the week on."""
    return f"(date_diff('day', {start}, {end}) + dayofweek({start})) // 7"


def check_measures(run: AuditedRun) -> list[Check]:
    """Derive the measures of each customer from their purchases."""
    why = run.why_missing("purchases", "rfm")
    if why is not None:
        return [Check.skipped("rfm", "the measures of each customer", why=why)]
    present = set(run.columns("rfm"))
    [(name, (compared, columns))] = SUMS.items()
    derivation = Derivation(
        table="rfm",
        key=("customer_unique_id",),
        sql="""
            select * from (
                select customer_unique_id, min(order_purchase_time) filter (value >= 0) as first_purchase_time,
                    max(order_purchase_time) filter (value >= 0) as last_purchase_time,
                    count_if(value >= 0) as purchase_count, cast(sum(value) as decimal(18, 4)) as total_value
                from {now}.purchases group by customer_unique_id
            ) where purchase_count > 0
        """,
        sources=("purchases",),
        claims={name: (compared, [column for column in columns if column in present])},
    )
    return compare(run, derivation)


def following(as_of: str) -> dict[str, tuple[str, bool]]:
    """The measures that follow from the times, the number and the money of the purchases of a row, as SQL.

    Args:
        as_of: the run's day.
    """
    day = f"date {literal(as_of)}"
    first, last = ("cast(first_purchase_time as date)", "cast(last_purchase_time as date)")
    # In units of the last decimal, so that a half is a half.
    units = "cast(cast(total_value as decimal(22, 4)) * 10000 as bigint)"
    rounded = f"sign({units}) * ((2 * abs({units}) + purchase_count) // (2 * purchase_count))"
    average = f"cast(cast({rounded} as decimal(22, 0)) * 0.0001 as decimal(18, 4))"
    columns = {
        "as_of": f"timestamp '{as_of} 23:59:59'",
        "days_since_last_purchase": f"date_diff('day', {last}, {day})",
        "tenure_days": f"date_diff('day', {first}, {day})",
        "recency_weeks": sundays(last, day),
        # Most customers of most shops bought once, which spares the division.
        "average_purchase_value": f"case purchase_count when 1 then total_value else {average} end",
    }
    return {name: (sql, False) for name, sql in columns.items()}


def check_sufficiency(run: AuditedRun) -> list[Check]:
    """Derive the figures by which the manifest says whether there is enough data."""
    compared = "customers, history, newest purchase, repeat buyers, with rfm"
    stated = run.content.get("sufficiency")
    why = run.why_missing("rfm") or (None if stated else "the manifest has none, as release 0.1")
    if why is not None or not stated:
        return [Check.skipped(SUFFICIENCY, compared, why=why or "")]
    day = f"date {literal(run.content['as_of'])}"
    figures = run.row(f"""
        select count(*) as customers, count_if(purchase_count >= 3) as customers_with_three_purchases,
            count_if(purchase_count > 1) / count(*) as share_of_repeat_buyers,
            date_diff('day', cast(max(last_purchase_time) as date), {day}) as days_since_newest_purchase,
            date_diff('day', cast(min(first_purchase_time) as date), {day}) * 12 / 365.25 as months_of_history
        from {run.with_quick("rfm")}.rfm
    """)
    faults = [
        Fault({}, name, stated[name], value)
        for name, value in figures.items()
        if abs(stated[name] - value) > (HALF_A_DECIMAL if name == "months_of_history" else TOLERANCE)
    ]
    return [Check.of(SUFFICIENCY, compared, rows=figures["customers"], faults=faults)]


def check_boundaries_of_purchases(run: AuditedRun) -> list[Check]:
    """Derive what the manifest says of payments, purchases and returns on the way to customers."""
    compared = "purchases, returns and other payments, with the totals"
    why = run.why_missing("transactions", "purchases", "rfm")
    if why is None:
        why = run.why_not_stated("rfm")
    if why is not None:
        return [Check.skipped(BOUNDARIES, compared, why=why)]
    now = run.with_quick("transactions", "purchases", "rfm")
    figures = run.row(f"""
        select * from (select count(*) as payments, sum(payment_value) as paid from {now}.transactions),
            (select count(*) as purchases, sum(value) as worth, count_if(value < 0) as returns from {now}.purchases),
            (select sum(purchase_count) as measured, sum(total_value) as spent from {now}.rfm)
    """)
    others = {"rows": 0, "money": 0}
    if figures["returns"]:
        others = run.row(f"""
            select count(*) as rows, coalesce(sum(value), 0) as money
            from {now}.purchases anti join {now}.rfm using (customer_unique_id)
        """)
    derived: dict[Boundary, dict[str, Any]] = {
        ("rfm", "measured", None): {"rows": figures["measured"] or 0, "money": figures["spent"] or 0},
        ("purchases", "excluded", "returns_of_buyers"): {"rows": figures["returns"] - others["rows"], "money": 0},
        ("purchases", "excluded", "returns_of_others"): others,
    }
    if run.configuration.get("purchase_value") == "any":
        derived["transactions", "excluded", "other_payments_of_the_purchase"] = {
            "rows": figures["payments"] - figures["purchases"],
            "money": (figures["paid"] or 0) - (figures["worth"] or 0),
        }
    return [check_boundaries(BOUNDARIES, compared, run, derived)]
