"""The measures of every person, on disk, and an account of the people who bought nothing."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.cli.config import FeaturesConfig
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.metrics import Written, with_metrics
from jobs.runs.run import Run
from jobs.runs.totals import Boundary, BoundaryKind, BoundaryTotal, Total, excluded_by_cause
from transforms.rfm.measures import (
    MEASURED,
    customers_without_purchases,
    fitted_bounds,
    measured_customers,
    people_totals,
    purchases_of_people,
    returns_totals,
    scored_extremes,
)
from transforms.rfm.sufficiency import sufficiency_totals
from transforms.sources.olist import CAUSES_OF_PEOPLE, causes_of_people, customer_ids_of

MOST_BROADCAST = 200_000
"""The most customer_ids of people who bought nothing that are copied to each machine: some 30 MB."""


def measure(run: Run, purchases_written: Written, checked: CheckedTables) -> tuple[DataFrame, Mapping[str, Any]]:
    """The measures of every person, and what was observed of them.

    They are staged on disk. Bounds, cut points and the number of customers must be known before rfm is written, and
    those who bought nothing are read for their causes. From disk that is cheaper than measuring again.
    """
    customers = checked.tables["customers"].frame
    everything = purchases_of_people(purchases=purchases_written.frame, customers=customers)
    # Nearly every row is a group of its own before it is moved: moved first, it is smaller, and grouped once.
    by_person = everything.repartition("customer_unique_id")
    metrics = {
        **people_totals(),
        **returns_totals(),
        **fitted_bounds(),
        **scored_extremes(),
        **sufficiency_totals(),
    }
    measured, observed = with_metrics(
        measured_customers(purchases=by_person, as_of=run.as_of), "measures", metrics=metrics
    )
    return run.stage("measures", measured, schema=MEASURED), observed.get


def account_for_people(
    run: Run, checked: CheckedTables, measures: DataFrame, config: FeaturesConfig, *, totals: Mapping[str, Any]
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
            counted=config.counted(as_of=run.as_of),
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
