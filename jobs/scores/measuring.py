"""The measures of every person, on disk, and what was observed of them."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame

from jobs.runs.metrics import Written, with_metrics
from jobs.runs.run import Run
from jobs.sources.source import SourcedTransactions
from transforms.rfm.measures import (
    MEASURED,
    fitted_bounds,
    measured_customers,
    people_totals,
    purchases_of_people,
    returns_totals,
    scored_extremes,
)
from transforms.rfm.sufficiency import sufficiency_totals


def measure(run: Run, purchases_written: Written, sourced: SourcedTransactions) -> tuple[DataFrame, Mapping[str, Any]]:
    """The measures of every person, and what was observed of them.

    They are staged on disk. Bounds, cut points and the number of customers must be known before rfm is written, and
    those who bought nothing are read for their causes. From disk that is cheaper than measuring again.
    """
    everything = purchases_written.frame
    if sourced.people is not None:
        everything = purchases_of_people(purchases=everything, customers=sourced.people)
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
