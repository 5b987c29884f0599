"""Transactions of a ledger, each looked up in the accepted ledger: docs/ledger.md has the rules of its ids and days."""

from jobs.querying.views import quoted
from jobs.verifying.audited import AuditedRun
from jobs.verifying.checks import MOST_FAULTS, Check, Fault
from jobs.verifying.totals import amount_of_ledger

NAME_IDS = "transactions: entries of the ledger"
COMPARED_IDS = "id, customer, day and amount of each transaction with the accepted ledger"
KEY = ("order_id", "customer_unique_id", "day", "amount")


def check_transactions(run: AuditedRun) -> list[Check]:
    """Look for each transaction in the accepted ledger, as often as it is there."""
    why = run.why_missing("ledger", "transactions")
    if why is not None:
        return [Check.skipped(NAME_IDS, COMPARED_IDS, why=why)]
    source = run.content.get("source") or {}
    # In another time zone or currency a day or an amount is another one. What they are is in the mapping.
    is_same_day, is_same_amount = source.get("time_zone") is None, "rates" not in source
    run.execute(f"""
        create table quick_{run.schema}.entries as
        select {_id_of(run)} as order_id, customer_unique_id,
            {_day(is_same_day)} as day, {_amount(amount_of_ledger(run.columns("ledger")), is_same_amount)} as amount,
            count(*) as rows
        from {run.schema}.ledger group by all;
        create table quick_{run.schema}.counted as
        select order_id, customer_unique_id, {_day(is_same_day)} as day,
            {_amount("payment_value", is_same_amount)} as amount, count(*) as rows
        from {run.schema}.transactions group by all
    """)
    is_off = "coalesce(entries.rows, 0) < counted.rows"
    joined = f"from quick_{run.schema}.counted left join quick_{run.schema}.entries on " + " and ".join(
        f"counted.{name} is not distinct from entries.{name}" for name in KEY
    )
    [(rows, off)] = run.rows(f"select sum(counted.rows), count_if({is_off}) {joined}")
    listed = ", ".join(f"counted.{name}" for name in KEY)
    faults = [
        Fault(dict(zip(KEY, row, strict=False)), "rows", row[-2], f"at most {row[-1]}, as many as the ledger has")
        for row in run.rows(f"""
            select {listed}, counted.rows, coalesce(entries.rows, 0) {joined} where {is_off}
            order by {listed} limit {MOST_FAULTS}
        """)
    ]
    run.execute(f"drop table quick_{run.schema}.entries; drop table quick_{run.schema}.counted")
    return [
        Check.of(NAME_IDS, COMPARED_IDS, rows=rows or 0, faults=faults, off=off),
        *_check_days(run, is_same_day=is_same_day),
    ]


def _id_of(run: AuditedRun) -> str:
    """The id of a row of a ledger: its own or, without one, the hash of all that the mapping reads of it."""
    columns = run.columns("ledger")
    if "order_id" in columns:
        return "order_id"
    content = ", ".join(f"coalesce(cast({quoted(name)} as varchar), chr(0))" for name in columns)
    return f"md5(concat_ws(chr(10), {content}))"


def _day(is_same: bool) -> str:
    return "cast(order_purchase_time as date)" if is_same else "cast(null as date)"


def _amount(amount: str, is_same: bool) -> str:
    """An amount without its sign, which says in a ledger what the mapping lets it say."""
    return f"abs({amount})" if is_same else "cast(null as decimal(18, 4))"


def _check_days(run: AuditedRun, *, is_same_day: bool) -> list[Check]:
    """Where times are brought to another zone, check that a transaction lies no further than a day from its entry."""
    name, compared = "transactions: days", "the day of each transaction with that of its entry, within a day"
    if is_same_day:
        return []
    if "order_id" not in run.columns("ledger"):
        return [Check.skipped(name, compared, why="the ledger has no ids")]
    is_off = """
        abs(date_diff('day', cast(transactions.order_purchase_time as date), cast(ledger.order_purchase_time as date)))
    """
    joined = f"""
        from {run.schema}.transactions join {run.schema}.ledger using (order_id, customer_unique_id)
        group by order_id, payment_sequential having min({is_off}) > 1
    """
    off = run.rows(f"""
        select order_id, payment_sequential, any_value(transactions.order_purchase_time),
            any_value(ledger.order_purchase_time) {joined} order by all
    """)
    faults = [
        Fault(
            {"order_id": order, "payment_sequential": number}, "order_purchase_time", actual, f"{stated} within a day"
        )
        for order, number, actual, stated in off[:MOST_FAULTS]
    ]
    [(rows,)] = run.rows(f"select count(*) from {run.schema}.transactions")
    return [Check.of(name, compared, rows=rows, faults=faults, off=len(off))]
