"""A contender: the transforms of this project on Sail, a Spark Connect server in native code.

    python -m benchmarks.on_sail all --as-of DAY --tables FOLDER --results FOLDER

It writes each table from the table before it, as `jobs.features` does, and measures once for bounds and rfm. It has no
checks, so its time shows what the engine takes.
"""

import os
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

from pysail.spark import SparkConnectServer
from pyspark.sql import DataFrame, SparkSession

from benchmarks.contenders import contender_arguments
from benchmarks.workshop_sql import CHECKED_TABLES
from jobs.inputs.segment_maps import load_maps
from jobs.scores.fitting import fitted_scoring
from transforms.purchases import purchases
from transforms.rfm.measures import (
    apply_card,
    customers_with_purchases,
    fitted_bounds,
    measured_customers,
    scored_extremes,
)
from transforms.rfm.score_card import ScoreCard
from transforms.sources.counted import Counted
from transforms.sources.olist import attributed_payments, transactions


def all_tables(session: SparkSession, as_of: date, tables: Path, results: Path) -> None:
    """Write transactions, purchases and rfm of the checked tables."""

    def written(name: str, frame: DataFrame) -> DataFrame:
        frame.write.parquet(str(results / name))
        return session.read.parquet(str(results / name))

    checked = {name: session.read.parquet(str(tables / name)) for name in CHECKED_TABLES}
    counted = written("transactions", transactions(attributed=attributed_payments(**checked, counted=Counted(as_of))))
    merged = written("purchases", purchases(transactions=counted))
    measured = written("measures", measured_customers(purchases=merged, as_of=as_of))
    aggregates = {**fitted_bounds(), **scored_extremes()}
    extremes = measured.agg(*[value.alias(name) for name, value in aggregates.items()]).collect()[0].asDict()
    buyers = customers_with_purchases(measured=measured)
    scoring = fitted_scoring(buyers, totals=extremes, maps=load_maps(None))
    card = ScoreCard.fitted(extremes, name="fitted", as_of=as_of, rules={}, fit_configuration_hash="")
    written("rfm", apply_card(measures=buyers, card=replace(card, scoring=scoring)))


VARIANTS = {"all": all_tables}


def main() -> int:
    """Run one variant on a server of its own."""
    arguments = contender_arguments("benchmarks.on_sail", VARIANTS)
    os.environ["TZ"] = "UTC"
    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    VARIANTS[arguments.variant](session, arguments.as_of, arguments.tables, arguments.results)
    session.stop()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
