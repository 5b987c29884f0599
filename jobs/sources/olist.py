"""Olist's three tables: customers, orders and payments."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.computed import with_unpaid_orders
from expectations.contracts.contract import Contract, FileContract
from expectations.contracts.olist import FILE_CONTRACTS
from jobs.cli.arguments import SourceKind
from jobs.cli.config import FeaturesConfig
from jobs.errors import DataError
from jobs.inputs.input_files import RawInput, find_inputs
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.computed_tables import write_computed
from jobs.runs.manifest import Reused, StepResult
from jobs.runs.metrics import Written, with_metrics
from jobs.runs.run import Run
from jobs.runs.totals import NO_MONEY, Boundary, BoundaryKind, BoundaryTotal, Total, excluded_by_cause
from jobs.sources.source import SourcedTransactions
from transforms.rfm.measures import customers_without_purchases
from transforms.sources.counted import Counted
from transforms.sources.olist import (
    CAUSES_OF_PEOPLE,
    COUNTED_ORDERS,
    EXCLUSION_CAUSES,
    WITHOUT_PAYMENTS,
    attributed_payments,
    causes_of_people,
    customer_ids_of,
    excluded_orders,
    exclusion_totals,
    first_purchase_day,
    order_totals,
    transactions,
)

MOST_BROADCAST = 200_000
"""The most customer_ids of people who bought nothing that are copied to each machine: some 30 MB."""


class OlistSource:
    """The source that Olist's three tables are."""

    kind: SourceKind = "olist"
    contracts: tuple[FileContract, ...] = FILE_CONTRACTS

    def find(self, uri: str, contracts: Sequence[FileContract], *, counted: Counted | None = None) -> list[RawInput]:
        """Find the files of the three tables; see `find_inputs`. All of them are read, whatever counts."""
        del counted
        return find_inputs(uri, contracts)

    settings: Mapping[str, str] | None = None

    def refuse_options(self, config: FeaturesConfig, *, counted: Counted) -> None:
        """None: every option is about Olist too."""

    def keep(self, run: Run) -> StepResult:
        """Nothing: the code knows all of Olist."""
        del run
        return Reused({}, {})

    def first_purchase_day(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        """The day of the first order; see `Source`."""
        return first_purchase_day(orders=tables["orders"])

    def transactions(self, run: Run, checked: CheckedTables, config: FeaturesConfig) -> SourcedTransactions:
        """Write the payments that count, and account for the others, and for each order; see `Source`."""
        counted = config.counted(as_of=run.as_of)
        return SourcedTransactions(
            written=_write_transactions(run, checked, counted),
            people=checked.tables["customers"].frame,
            account_for_people=partial(_account_for_people, run, checked, counted),
            contract_of_rfm=partial(_with_unpaid_orders, run),
            settings=checked.configuration(),
        )


def _write_transactions(run: Run, checked: CheckedTables, counted: Counted) -> Written:
    payments = checked.tables["payments"]
    frames = {name: table.frame for name, table in checked.tables.items()}
    with run.step("transactions") as step:
        attributed, observed = with_metrics(
            attributed_payments(**frames, counted=counted),
            "attributed payments",
            metrics={**exclusion_totals(), **order_totals()},
        )
        rows_in = payments.total.rows
        written = write_computed(
            run,
            run.rules.contracts["transactions"],
            transactions(attributed=attributed),
            # The key is that of payments, each of which is joined to one order.
            keys=lambda: rows_in - sum(observed.get[cause]["rows"] for cause in EXCLUSION_CAUSES),
        )
        excluded = [_excluded(cause, observed.get) for cause in EXCLUSION_CAUSES]
        run.reconcile(payments.entry, written.entry, *excluded)
        _account_for_orders(run, checked, written, counted, seen=observed.get)
        step.record(rows_in=rows_in, out=written.total, not_passed_on=rows_in - written.total.rows)
    if not written.total.rows:
        causes = "; ".join(f"{entry.boundary.part}: {entry.total}" for entry in excluded)
        raise DataError(
            f"no payment counts as of {run.as_of}: found {payments.total} in the checked payments, expected some to "
            f"count ({causes}). Check --as-of, --order-statuses, --window-months and the run's quarantine"
        )
    return written


def _account_for_orders(
    run: Run, checked: CheckedTables, transactions_written: Written, counted: Counted, *, seen: Mapping[str, Any]
) -> None:
    """Check that each order has a transaction, or a cause for which it has none.

    The `order_totals` that were ``seen`` on the write count disjoint sets of orders. If they add up to all orders, each
    is accounted for. Otherwise the orders are counted exactly, in a pass over each of the two tables.
    """
    orders = checked.tables["orders"]
    totals = {name: seen[name] for name in order_totals()}
    if sum(totals.values()) != orders.total.rows:
        excluded = excluded_orders(counted)
        totals |= orders.frame.agg(*[count.alias(name) for name, count in excluded.items()]).collect()[0].asDict()
        totals[COUNTED_ORDERS] = transactions_written.frame.select(F.count_distinct("order_id")).collect()[0][0]
    with_transactions = Total(totals.pop(COUNTED_ORDERS))
    causes = {name.removeprefix("orders_"): rows for name, rows in totals.items()}
    run.reconcile(
        orders.entry,
        BoundaryTotal(Boundary("orders", BoundaryKind.COUNTED), with_transactions),
        *excluded_by_cause("orders", causes),
    )


def _excluded(cause: str, totals: Mapping[str, Any]) -> BoundaryTotal:
    boundary = Boundary("payments", BoundaryKind.EXCLUDED, cause)
    return BoundaryTotal(boundary, Total(totals[cause]["rows"], totals[cause]["money"] or NO_MONEY))


def _account_for_people(
    run: Run, checked: CheckedTables, counted: Counted, measures: DataFrame, totals: Mapping[str, Any]
) -> int:
    """Check that each person bought something, or has a cause for having bought nothing; return how many bought.

    Raises:
        DataError: Somebody is neither.
    """
    people: int = totals["people"]
    buyers: int = totals["buyers"]
    customers = checked.tables["customers"]
    ids = BoundaryTotal(Boundary("customers", BoundaryKind.COUNTED), Total(totals["customer_ids"]))
    run.reconcile(customers.entry, ids)
    causes = {}
    if people > buyers:
        hinted = F.broadcast if totals["other_customer_ids"] <= MOST_BROADCAST else _unhinted
        others = customers_without_purchases(measured=measures)
        by_person = causes_of_people(
            others=others,
            customer_ids=hinted(customer_ids_of(people=hinted(others), customers=customers.frame)),
            orders=checked.tables["orders"].frame,
            counted=counted,
        )
        causes = {row["cause"]: row["count"] for row in by_person.groupBy("cause").count().collect()}
    run.reconcile(
        BoundaryTotal(Boundary("customers", BoundaryKind.PEOPLE), Total(people)),
        BoundaryTotal(Boundary("purchases", BoundaryKind.PEOPLE), Total(buyers)),
        *excluded_by_cause("customers", {cause: causes[cause] for cause in CAUSES_OF_PEOPLE if cause in causes}),
    )
    return buyers


def _unhinted(frame: DataFrame) -> DataFrame:
    return frame


def _with_unpaid_orders(run: Run, contract: Contract) -> Contract:
    totals = run.accounts.totals
    unpaid = totals[Boundary("orders", BoundaryKind.EXCLUDED, WITHOUT_PAYMENTS)].rows
    return with_unpaid_orders(contract, share=unpaid / max(totals[Boundary("orders")].rows, 1))
