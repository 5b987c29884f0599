"""The measures of every person, on disk, and what was observed of them."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame

from jobs.history.tracking import Comparison
from jobs.runs.metrics import Written, with_metrics
from jobs.runs.run import Run
from jobs.sources.source import SourcedTransactions
from transforms.rfm.measures import (
    fitted_bounds,
    measured_customers,
    people_totals,
    purchases_of_people,
    returns_totals,
    scored_extremes,
)
from transforms.rfm.sufficiency import sufficiency_totals


def measure(
    run: Run, purchases_written: Written, sourced: SourcedTransactions, comparison: Comparison
) -> tuple[DataFrame, Mapping[str, Any]]:
    """The measures of every person beside the history of the run before, and what was observed of them.

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
    measures = measured_customers(purchases=by_person, as_of=run.as_of, further=comparison.further_measures())
    # Counted before the join, which adds those whom the run before alone has.
    measured, observed = with_metrics(measures, "measures", metrics=metrics)
    tracked = comparison.beside_history(run, measured)
    return run.stage("measures", tracked, schema=comparison.schema), observed.get
