"""Transactions of Olist's three tables, and what is excluded from them: docs/data-quality.md has the causes."""

from collections.abc import Mapping
from typing import Any

from jobs.querying.views import literal
from jobs.verifying.audited import AuditedRun
from jobs.verifying.checks import Check
from jobs.verifying.comparing import Derivation, compare
from jobs.verifying.totals import Boundary, check_boundaries

TABLES = ("customers", "orders", "payments")
STATUS, AFTER, BEFORE = "order_status_not_counted", "purchased_after_as_of", "purchased_before_window"
CAUSES_OF_ORDERS = (STATUS, AFTER, BEFORE)
UNPAID, RETURNED, WITHOUT_ORDER = "without_payments", "returns_alone", "without_orders"
CAUSES_OF_PEOPLE = (RETURNED, UNPAID, *CAUSES_OF_ORDERS, WITHOUT_ORDER)
"""Why somebody bought nothing. Of several causes the first counts."""

PAID, EXCLUDED = "transactions: customer, time and money", "manifest: what is excluded, by cause"
COMPARED = "payments of orders that count, with the person of the order"
COMPARED_CAUSES = "payments, orders and people that do not count, with the totals"


def check_transactions(run: AuditedRun) -> list[Check]:
    """Derive the transactions of a run from its orders, payments and customers."""
    why = run.why_missing("transactions", *TABLES)
    if why is not None:
        return [Check.skipped("transactions", COMPARED, why=why)]
    cause = cause_of_order(run.content["as_of"], run.configuration)
    derivation = Derivation(
        table="transactions",
        key=("order_id", "payment_sequential"),
        sql=f"""
            select payments.order_id, payment_sequential, customer_unique_id, order_purchase_time, payment_value
            from {{now}}.payments
                join (select order_id, customer_id, order_purchase_time from {{now}}.orders where ({cause}) is null)
                    using (order_id)
                join {{now}}.customers using (customer_id)
        """,
        sources=TABLES,
        claims={PAID: (COMPARED, ("customer_unique_id", "order_purchase_time", "payment_value"))},
    )
    checks = compare(run, derivation)
    why = run.why_not_stated("transactions")
    if why is not None:
        return [*checks, Check.skipped(EXCLUDED, COMPARED_CAUSES, why=why)]
    derived = _excluded(run, cause)
    if run.why_missing("purchases", "rfm") is None:
        derived |= _people(run, cause)
    return [*checks, check_boundaries(EXCLUDED, COMPARED_CAUSES, run, derived)]


def first_day(as_of: str, months: int | None) -> str | None:
    """The first day of the window, as SQL; None without a window. A month without such a day has its last one."""
    return (
        None
        if months is None
        else f"cast(date {literal(as_of)} - interval {int(months)} month + interval 1 day as date)"
    )


def cause_of_order(as_of: str, configuration: Mapping[str, Any]) -> str:
    """Why an order does not count, as SQL: the first cause that applies; null for an order that counts."""
    day, when = "cast(order_purchase_time as date)", []
    statuses = configuration.get("order_statuses", "all")
    if statuses != "all":
        counted = ", ".join(literal(status) for status in statuses)
        when.append(f"when order_status is null or order_status not in ({counted}) then '{STATUS}'")
    when.append(f"when {day} > date {literal(as_of)} then '{AFTER}'")
    start = first_day(as_of, configuration.get("window_months"))
    if start is not None:
        when.append(f"when {day} < {start} then '{BEFORE}'")
    return f"case {' '.join(when)} end"


def _excluded(run: AuditedRun, cause: str) -> dict[Boundary, dict[str, Any]]:
    """Payments and orders that do not count, by cause, and the orders that do."""
    now = run.with_quick("transactions", *TABLES)
    orders = dict(run.rows(f"select {cause}, count(*) from {now}.orders group by 1"))
    payments = {
        name: (rows, money)
        for name, rows, money in run.rows(f"""
            select cause, count(*), sum(payment_value) from {now}.payments join (
                select order_id, {cause} as cause from {now}.orders where ({cause}) is not null
            ) using (order_id) group by 1
        """)
    }
    [(with_transactions,)] = run.rows(f"select count(distinct order_id) from {now}.transactions")
    totals: dict[Boundary, dict[str, Any]] = {}
    for name in CAUSES_OF_ORDERS:
        rows, money = payments.get(name, (0, 0))
        totals["payments", "excluded", name] = {"rows": rows, "money": money or 0}
        totals["orders", "excluded", name] = {"rows": orders.get(name, 0)}
    totals["orders", "counted", None] = {"rows": with_transactions}
    totals["orders", "excluded", UNPAID] = {"rows": orders.get(None, 0) - with_transactions}
    return totals


def _people(run: AuditedRun, cause: str) -> dict[Boundary, dict[str, Any]]:
    """The people of the customers table, those who bought, and the others by cause."""
    now = run.with_quick("purchases", "rfm", *TABLES)
    [(ids, people, buyers)] = run.rows(f"""
        select * from (select count(*), count(distinct customer_unique_id) from {now}.customers),
            (select count(*) from {now}.rfm)
    """)
    places = " ".join(f"when '{name}' then {place}" for place, name in enumerate(CAUSES_OF_PEOPLE))
    by_cause = run.rows(f"""
        with others as (
            select customer_id, customer_unique_id from {now}.customers
            anti join {now}.rfm using (customer_unique_id)
        ), causes as (
            select customer_unique_id, coalesce({cause}, '{UNPAID}') as cause
                from others join {now}.orders using (customer_id)
            union all select customer_unique_id, '{WITHOUT_ORDER}' from others
            union all select customer_unique_id, '{RETURNED}' from others
                semi join {now}.purchases using (customer_unique_id)
        )
        select place, count(*) from (
            select customer_unique_id, min(case cause {places} end) as place from causes group by 1
        ) group by 1
    """)
    totals: dict[Boundary, dict[str, Any]] = {
        ("customers", "counted", None): {"rows": ids},
        ("customers", "people", None): {"rows": people},
        ("purchases", "people", None): {"rows": buyers},
    }
    rows_by_cause = {CAUSES_OF_PEOPLE[place]: rows for place, rows in by_cause}
    return totals | {("customers", "excluded", name): {"rows": rows_by_cause.get(name, 0)} for name in CAUSES_OF_PEOPLE}
