"""Cut points and scores, computed again by DuckDB: in SQL, with DuckDB's own percentiles.

DuckDB gets the customers from the source, and nothing from Spark: the files of a sample, and drawn measures.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.sample import write_sample
from jobs.scores.fitting import fit_bands
from jobs.storage.local import LocalFolder
from tests.chain import fitted
from tests.frames import at, frame
from transforms import schemas
from transforms.purchases import purchases
from transforms.rfm.measures import apply_card, customer_measures, fitted_bounds, scored_extremes
from transforms.rfm.scores import SCORED, Bands
from transforms.sources.counted import Counted
from transforms.sources.olist import attributed_payments, transactions

AS_OF = date(2018, 6, 30)
SAMPLE = "sample"
OTHER_PERCENTS = (0.1, 33.3, 55.0, 99.9)
"""As doubles, 0.1 and 99.9 are too high. Of a thousand customers, they would be one customer too far."""
MOST_MONEY = 10**18 - 1

Customer = tuple[int, int, int]
"""Days since the last purchase, purchases, and money in units of its last decimal."""

Measure = tuple[str, str]
"""The name of a data set, and the letter of a measure."""


def drawn_customers() -> dict[str, list[Customer]]:
    """Data sets by name: ties, few values, one customer, and money that is negative, wide or far apart."""
    draw = Random(15)
    bought = [1] * 60 + [2] * 12 + [3] * 4 + [4, 5, 9, 17]
    ends = (-MOST_MONEY, -MOST_MONEY, -1, 0, 3, MOST_MONEY - 1, MOST_MONEY)
    return {
        "ties": [
            (draw.choice((3, 3, 10, 11)), draw.choice(bought), draw.choice((50_000, 100_000, 100_000)))
            for _ in range(400)
        ],
        "regulars": [(draw.randrange(700), draw.randrange(1, 60), draw.randrange(1, 10**9)) for _ in range(1000)],
        "more than one purchase": [(each % 30, 2 + each % 4, 50_000 + each % 3) for each in range(120)],
        "up to four purchases": [(each, 1 + each % 4, each) for each in range(101)],
        "returns": [(draw.randrange(90), draw.choice(bought), draw.randrange(-(10**8), 10**6)) for _ in range(301)],
        "the widest money": [(0, 1, units) for units in ends],
        "far apart": [(1, 1, 0)] * 4 + [(60_000, 6, 40_000)],
        "five customers": [(each, each, each) for each in range(1, 6)],
        "one value": [(7, 2, 99_900)] * 20,
        "one customer": [(0, 6, -12_345)],
    }


DRAWN = drawn_customers()

CUSTOMERS = "create table customers (data_set text, customer text, r decimal(18,4), f decimal(18,4), m decimal(18,4))"

# By customer: days since the last purchase, purchases, and money.
SAMPLED = """
insert into customers
select '{sample}', '{sample}/' || customer_unique_id, date_diff('day', max(bought::date), date '{as_of}'),
    count(distinct bought), sum(payment_value)
from (select order_id, customer_id, order_purchase_timestamp bought from '{folder}/olist_orders_dataset.csv')
    join '{folder}/olist_customers_dataset.csv' using (customer_id)
    join (select order_id, payment_value::decimal(18,4) payment_value
        from read_csv('{folder}/olist_order_payments_dataset.csv', all_varchar = true)) using (order_id)
where bought::date <= date '{as_of}' group by customer_unique_id
"""

# Unless five bands are left: 1, 2, 3, 4 and more purchases, if no percentile is above 4; else what is left.
FIT = """
create table long as unpivot customers on r, f, m into name letter value value;
create table counts as select data_set, letter, value, count(*) customers from long group by all;
create table percentiles as
    select data_set, letter, count(*) customers, max(value) highest,
        quantile_disc(value, [0.2, 0.4, 0.6, 0.8]) fifths, quantile_disc(value, [0.001, 0.333, 0.55, 0.999]) others
    from long group by all;
create table bands as
    select *, case when letter = 'f' and len(left_over) < 4 and list_max(fifths) <= 4
        then [1, 2, 3, 4]::decimal(18,4)[] else left_over end cut_points
    from (select *, list_sort(list_distinct(list_filter(fifths, lambda value: value < highest))) left_over
        from percentiles);
"""
SCORES = """
select customer, letter,
    (if(letter = 'r', list_reverse(spread), spread))[1 + len(list_filter(cut_points, lambda x: value > x))]
from long join (
    select data_set, letter, cut_points, case len(cut_points) when 4 then [1, 2, 3, 4, 5] when 3 then [1, 2, 4, 5]
        when 2 then [1, 3, 5] when 1 then [1, 5] else [3] end spread from bands
) using (data_set, letter)
"""

# The lowest value that so many percent of the customers do not exceed, from a running total.
BY_DEFINITION = """
select data_set, letter, list(lowest order by percent) from (
    select data_set, letter, percent, min(value) lowest
    from (select *, sum(customers) over (partition by data_set, letter order by value) up_to,
            sum(customers) over (partition by data_set, letter) in_all from counts),
        (select unnest({percents}::decimal(6,3)[]) percent)
    where up_to * 100 >= percent * in_all group by all
) group by all
"""
DEGENERATE = """
select data_set, letter, count(*), arg_min(value, (-counts.customers, value)),
    max(counts.customers) / any_value(bands.customers), any_value(len(left_over) + 1),
    case when any_value(left_over = cut_points) then 'fewer_bands' else 'counts' end
from counts join bands using (data_set, letter) where len(left_over) < 4 group by all
"""


QUERIES = {
    "fifths": "select data_set, letter, fifths from percentiles",
    "fifths by definition": BY_DEFINITION.format(percents=[20, 40, 60, 80]),
    "others": "select data_set, letter, others from percentiles",
    "others by definition": BY_DEFINITION.format(percents=list(OTHER_PERCENTS)),
    "highest": "select data_set, letter, highest from percentiles",
    "cut points": "select data_set, letter, cut_points from bands",
    "degenerate": DEGENERATE,
    "scores": SCORES,
}


@dataclass(frozen=True)
class Computed:
    """What Spark computed of each data set, and what DuckDB computed.

    Attributes:
        bands: by measure.
        scores: by customer and letter.
        other_cut_points: by measure, those at `OTHER_PERCENTS`, of some data sets.
        by_duckdb: by query of `QUERIES`, what its rows say of a measure, or of a customer and letter.
    """

    bands: dict[Measure, Bands]
    scores: dict[tuple[str, str], int]
    other_cut_points: dict[Measure, tuple[Decimal, ...]]
    by_duckdb: dict[str, dict[tuple[str, str], Any]]


def money_of(units: int) -> Decimal:
    return Decimal(units).scaleb(-schemas.MONEY.scale)


def drawn_measures(spark: SparkSession, name: str) -> DataFrame:
    """`schemas.MEASURES` of a drawn data set. What is not scored is left at nothing."""
    then = at("2018-01-01 10:00:00")
    rows = [
        (f"{name}/{number}", then, then, then, days, 0, 0, purchases, Decimal(0), money_of(units))
        for number, (days, purchases, units) in enumerate(DRAWN[name])
    ]
    return frame(spark, schemas.MEASURES, *rows)


def sampled_measures(spark: SparkSession, folder: Path) -> DataFrame:
    """`schemas.MEASURES` of the people of a sample, by the chain of transforms."""
    customers, orders, payments = (
        spark.read.csv(str(folder / f"olist_{name}_dataset.csv"), header=True)
        for name in ("customers", "orders", "order_payments")
    )
    counted = transactions(
        attributed=attributed_payments(
            customers=customers,
            orders=orders.withColumn("order_purchase_time", F.to_timestamp("order_purchase_timestamp")),
            payments=payments.withColumn("payment_value", F.col("payment_value").cast(schemas.MONEY)),
            counted=Counted(AS_OF),
        )
    )
    measures = customer_measures(purchases=purchases(transactions=counted), as_of=AS_OF)
    person = F.concat(F.lit(f"{SAMPLE}/"), "customer_unique_id")
    # Computed once, although each round of a fit reads it.
    rows = measures.withColumn("customer_unique_id", person).toArrow()
    return spark.createDataFrame(rows, schemas.MEASURES)


def computed_by_duckdb(folder: Path) -> dict[str, dict[tuple[str, str], Any]]:
    """The rows of each query, by their first two columns; of a single third column, its value."""
    drawn = [
        (name, f"{name}/{number}", days, purchases, money_of(units))
        for name, customers in DRAWN.items()
        for number, (days, purchases, units) in enumerate(customers)
    ]
    with duckdb.connect() as database:
        database.execute(CUSTOMERS)
        database.execute(SAMPLED.format(sample=SAMPLE, folder=folder, as_of=AS_OF))
        database.executemany("insert into customers values (?, ?, ?, ?, ?)", drawn)
        database.execute(FIT)
        rows = {name: database.execute(query).fetchall() for name, query in QUERIES.items()}
    return {
        name: {(first, second): rest[0] if len(rest) == 1 else tuple(rest) for first, second, *rest in each}
        for name, each in rows.items()
    }


def bands_at(measures: DataFrame, percents: tuple[float, ...]) -> dict[str, Bands]:
    aggregates = {**fitted_bounds(), **scored_extremes()}
    [totals] = measures.agg(*[value.alias(name) for name, value in aggregates.items()]).collect()
    return fit_bands(measures, totals=totals.asDict(), percents=percents)


@pytest.fixture(scope="module")
def computed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Computed:
    """Every data set, fitted and scored."""
    folder = tmp_path_factory.mktemp("scores")
    write_sample(spark, LocalFolder(folder), orders=2_000, seed=7)
    measures = {name: drawn_measures(spark, name) for name in DRAWN} | {SAMPLE: sampled_measures(spark, folder)}
    cards = {name: fitted(each, as_of=AS_OF) for name, each in measures.items()}
    scores = [measure.score for measure in SCORED.values()]
    scored = [
        apply_card(measures=measures[name], card=card).select("customer_unique_id", *scores)
        for name, card in cards.items()
    ]
    others = {name: bands_at(measures[name], OTHER_PERCENTS) for name in ("regulars", "returns")}
    return Computed(
        {(name, letter): bands for name, card in cards.items() for letter, bands in card.scored_by.bands.items()},
        {
            (row["customer_unique_id"], letter): row[measure.score]
            for row in reduce(DataFrame.unionAll, scored).collect()
            for letter, measure in SCORED.items()
        },
        {(name, letter): bands.cut_points for name, each in others.items() for letter, bands in each.items()},
        computed_by_duckdb(folder),
    )


@pytest.mark.parametrize("percentiles", ["fifths", "others"])
def test_duckdbs_percentiles_are_those_of_the_definition(computed: Computed, percentiles: str) -> None:
    values = computed.by_duckdb[percentiles]
    assert len(values) == 3 * len([*DRAWN, SAMPLE])
    assert values == computed.by_duckdb[f"{percentiles} by definition"]


def test_cut_points_are_those_of_duckdb(computed: Computed) -> None:
    expected = {measure: tuple(values) for measure, values in computed.by_duckdb["cut points"].items()}
    assert {measure: bands.cut_points for measure, bands in computed.bands.items()} == expected


def test_cut_points_at_other_percentiles_are_those_of_duckdb(computed: Computed) -> None:
    percentiles, highest = computed.by_duckdb["others"], computed.by_duckdb["highest"]
    assert computed.other_cut_points == {
        measure: tuple(sorted({value for value in percentiles[measure] if value < highest[measure]}))
        for measure in computed.other_cut_points
    }


def test_every_customer_has_the_scores_of_duckdb(computed: Computed) -> None:
    expected = computed.by_duckdb["scores"]
    assert len(expected) > 3 * 3_000
    assert computed.scores.keys() == expected.keys()
    assert {key: score for key, score in computed.scores.items() if score != expected[key]} == {}


def test_degenerate_measures_are_declared_with_the_figures_of_duckdb(computed: Computed) -> None:
    declared = {
        measure: (
            bands.degeneracy.distinct_values,
            bands.degeneracy.commonest_value,
            bands.degeneracy.commonest_share,
            bands.degeneracy.bands,
            bands.degeneracy.fallback,
        )
        for measure, bands in computed.bands.items()
        if bands.degeneracy is not None
    }
    assert declared == computed.by_duckdb["degenerate"]
