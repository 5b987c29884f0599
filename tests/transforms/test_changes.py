"""History and changes of segments, worked out by hand: each cause alone, and several after each other."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.frames import assert_same_rows, at, frame, money
from transforms import schemas
from transforms.changes import (
    begun_history,
    change_counts,
    gone_purchases,
    past_measures,
    population_stability_index,
    segment_changes,
    segment_history,
    tracked_customers,
)
from transforms.rfm.measures import measured_customers
from transforms.rfm.score_card import DEFAULT_PERCENTS, Scoring
from transforms.rfm.scores import SCORED, Bands
from transforms.rfm.segments import SegmentMap

SINCE, AS_OF = date(2018, 6, 30), date(2018, 7, 30)

QUARTERS = {
    "near rich": {"code": "NR", "cells": [{"r": "3-5", "m": "3-5"}]},
    "near poor": {"code": "NP", "cells": [{"r": "3-5", "m": "1-2"}]},
    "far rich": {"code": "FR", "cells": [{"r": "1-2", "m": "3-5"}]},
}
FAR_POOR = {"far poor": {"code": "FP", "cells": [{"r": "1-2", "m": "1-2"}]}}
FAR_POOR_BY_PURCHASES = {
    "far poor": {"code": "FP", "cells": [{"r": "1-2", "f": "1", "m": "1-2"}]},
    "far regular": {"code": "FX", "cells": [{"r": "1-2", "f": "2-5", "m": "1-2"}]},
}


def scoring(money_cut: str, segments: dict[str, dict[str, Any]]) -> Scoring:
    """Up to 30 days score 5 and more score 1; one purchase scores 1 and more score 5; money above the cut scores 5."""
    bands = {
        "r": Bands(SCORED["r"], (Decimal(30),), (5, 1)),
        "f": Bands(SCORED["f"], (Decimal(1),), (1, 5)),
        "m": Bands(SCORED["m"], (Decimal(money_cut),), (1, 5)),
    }
    content = [{"name": name, "advice": "write", **fields} for name, fields in segments.items()]
    return Scoring(bands, DEFAULT_PERCENTS, SegmentMap.from_content({"name": "quarters", "segments": content}))


BEFORE = scoring("100", QUARTERS | FAR_POOR)
NOW = scoring("150", QUARTERS | FAR_POOR_BY_PURCHASES)

PURCHASES = [
    ("stays", "2018-01-01", "200"),
    ("time", "2018-06-25", "200"),  # 5 days before the run before, 35 before this one
    ("buys", "2018-01-01", "200"),
    ("buys", "2018-07-20", "10"),
    ("restated", "2018-01-01", "200"),  # far poor in the run before, which did not have all of it
    ("cut", "2018-01-01", "120"),
    ("map", "2018-01-01", "20"),
    ("map", "2018-01-02", "20"),
    ("new", "2018-07-15", "10"),
    ("late", "2018-06-01", "10"),  # not in the run before, although it is older
    ("returned", "2018-07-03", "-50"),  # its purchase is gone, and the return is new
    ("there and back", "2018-01-01", "90"),  # near rich before; without its purchase of June it is far poor
    ("there and back", "2018-07-20", "90"),
    ("all", "2018-06-25", "120"),  # near poor before
    ("all", "2018-07-01", "-1"),
]

HISTORY = [
    ("stays", "FR", "far rich", "NR", "near rich", date(2018, 4, 30), 3),
    ("time", "NR", "near rich", None, None, date(2018, 6, 30), 1),
    ("buys", "FR", "far rich", None, None, date(2018, 5, 30), 2),
    ("restated", "FP", "far poor", None, None, date(2018, 5, 30), 2),
    ("cut", "FR", "far rich", None, None, date(2018, 5, 30), 2),
    ("map", "FP", "far poor", "NP", "near poor", date(2018, 5, 30), 2),
    ("returned", "FR", "far rich", None, None, date(2018, 5, 30), 2),
    ("vanished", "NP", "near poor", None, None, date(2018, 5, 30), 2),
    ("there and back", "NR", "near rich", None, None, date(2018, 6, 30), 1),
    ("all", "NP", "near poor", "FP", "far poor", date(2018, 5, 30), 2),
]

CHANGES = [
    # customer, from, to, cause, and the codes after past data, new purchases, time and cut points
    ("time", "NR", "FR", "time_passed", "NR", "NR", "FR", "FR"),
    ("buys", "FR", "NR", "new_purchases", "FR", "NR", "NR", "NR"),
    ("restated", "FP", "FR", "past_data", "FR", "FR", "FR", "FR"),
    ("cut", "FR", "FP", "cut_points", "FR", "FR", "FR", "FP"),
    ("map", "FP", "FX", "segment_map", "FP", "FP", "FP", "FP"),
    ("new", None, "NP", "new_customer", None, "NP", "NP", "NP"),
    ("late", None, "FP", "new_customer", "NP", "NP", "FP", "FP"),
    ("returned", "FR", None, "vanished_customer", None, None, None, None),
    ("vanished", "NP", None, "vanished_customer", None, None, None, None),
    # 120 is rich by the cut point before, and poor by this one.
    ("all", "NP", "FP", "cut_points", "NR", "NR", "FR", "FP"),
]
NAMES = {"NR": "near rich", "NP": "near poor", "FR": "far rich", "FP": "far poor", "FX": "far regular", None: None}


def purchases(spark: SparkSession, rows: list[tuple[str, str, str]]) -> DataFrame:
    return frame(
        spark, schemas.PURCHASES, *[(customer, at(f"{day} 10:00:00"), money(value)) for customer, day, value in rows]
    )


def tracked(
    spark: SparkSession, bought: list[tuple[str, str, str]], history: list[tuple[Any, ...]], gone: DataFrame | None
) -> DataFrame:
    measured = measured_customers(purchases=purchases(spark, bought), as_of=AS_OF, further=past_measures(until=SINCE))
    return tracked_customers(
        measured=measured, history=frame(spark, schemas.SEGMENT_HISTORY, *history), gone=gone
    ).localCheckpoint()


@pytest.fixture(scope="module")
def both_runs(spark: SparkSession) -> DataFrame:
    return tracked(spark, PURCHASES, HISTORY, None)


def changes_of(customers: DataFrame) -> DataFrame:
    return segment_changes(tracked=customers, before=BEFORE, current=NOW, since=SINCE, as_of=AS_OF)


def test_each_cause_alone_and_all_together_is_told_by_scoring_again_step_by_step(
    spark: SparkSession, both_runs: DataFrame
) -> None:
    expected = [
        (customer, SINCE, start, NAMES[start], end, NAMES[end], *rest) for customer, start, end, *rest in CHANGES
    ]
    assert_same_rows(changes_of(both_runs), frame(spark, schemas.SEGMENT_CHANGES, *expected))


def test_a_history_is_carried_on_while_the_segment_stays_and_begins_again_when_it_changes(
    spark: SparkSession, both_runs: DataFrame
) -> None:
    assert_same_rows(
        segment_history(tracked=both_runs, current=NOW, as_of=AS_OF),
        frame(
            spark,
            schemas.SEGMENT_HISTORY,
            ("stays", "FR", "far rich", "NR", "near rich", date(2018, 4, 30), 4),
            ("time", "FR", "far rich", "NR", "near rich", AS_OF, 1),
            ("buys", "NR", "near rich", "FR", "far rich", AS_OF, 1),
            ("restated", "FR", "far rich", "FP", "far poor", AS_OF, 1),
            ("cut", "FP", "far poor", "FR", "far rich", AS_OF, 1),
            ("map", "FX", "far regular", "FP", "far poor", AS_OF, 1),
            ("new", "NP", "near poor", None, None, AS_OF, 1),
            ("late", "FP", "far poor", None, None, AS_OF, 1),
            # It moved on the way, and came back: it is where it was.
            ("there and back", "NR", "near rich", None, None, date(2018, 6, 30), 2),
            ("all", "FP", "far poor", "NP", "near poor", AS_OF, 1),
        ),
    )


def test_changes_are_counted_by_cause_and_step_by_step(both_runs: DataFrame) -> None:
    counted = {
        (row["counted"], row["from_code"], row["to_code"]): row["customers"]
        for row in change_counts(changes=changes_of(both_runs)).collect()
    }
    assert counted == {
        ("cause time_passed", "NR", "FR"): 1,
        ("cause new_purchases", "FR", "NR"): 1,
        ("cause past_data", "FP", "FR"): 1,
        ("cause cut_points", "FR", "FP"): 1,
        ("cause cut_points", "NP", "FP"): 1,
        ("cause segment_map", "FP", "FX"): 1,
        ("cause new_customer", None, "NP"): 1,
        ("cause new_customer", None, "FP"): 1,
        ("cause vanished_customer", "FR", None): 1,
        ("cause vanished_customer", "NP", None): 1,
        ("step past_data", "FP", "FR"): 1,
        ("step past_data", "NP", "NR"): 1,
        ("step new_purchases", "FR", "NR"): 1,
        ("step time_passed", "NR", "FR"): 2,
        ("step cut_points", "FR", "FP"): 2,
        ("step segment_map", "FP", "FX"): 1,
    }


def test_what_leaves_the_window_is_time_that_passed_and_no_restated_data(spark: SparkSession) -> None:
    # A year up to 2018-07-30 begins on 2017-07-31. The run before had the purchases of July 2017 too.
    before = purchases(spark, [("one of two", "2017-07-10", "90"), ("one of two", "2018-01-01", "90")])
    before = before.unionByName(purchases(spark, [("both", "2017-07-10", "200"), ("stays", "2018-06-29", "200")]))
    # With a return alone, it was no customer of the run before.
    before = before.unionByName(purchases(spark, [("returned", "2017-07-10", "-50")]))
    gone = gone_purchases(purchases=before, first_day=date(2017, 7, 31))
    assert_same_rows(
        gone,
        frame(
            spark,
            "customer_unique_id string, gone_last_purchase_time timestamp, gone_purchase_count bigint, "
            "gone_value decimal(18,4)",
            ("one of two", at("2017-07-10 10:00:00"), 1, money("90")),
            ("both", at("2017-07-10 10:00:00"), 1, money("200")),
            ("returned", None, 0, money("-50")),
        ),
    )
    history = [
        ("one of two", "FR", "far rich", None, None, SINCE, 1),  # 180 in all
        ("both", "FR", "far rich", None, None, SINCE, 1),
    ]
    bought = [("one of two", "2018-01-01", "90"), ("returned", "2018-07-20", "120")]
    customers = tracked(spark, bought, history, gone)
    assert_same_rows(
        segment_changes(tracked=customers, before=BEFORE, current=BEFORE, since=SINCE, as_of=AS_OF),
        frame(
            spark,
            schemas.SEGMENT_CHANGES,
            ("one of two", SINCE, "FR", "far rich", "FP", "far poor", "time_passed", "FR", "FR", "FP", "FP"),
            ("both", SINCE, "FR", "far rich", None, None, "vanished_customer", "FR", "FR", None, None),
            # 120 less 50 is poor, until the return has left the window.
            ("returned", SINCE, None, None, "NR", "near rich", "new_customer", None, "NP", "NR", "NR"),
        ),
    )


def test_a_first_run_begins_the_history(spark: SparkSession) -> None:
    rfm = frame(spark, "customer_unique_id string, segment_code string, segment string", ("ann", "NR", "near rich"))
    assert_same_rows(
        begun_history(rfm=rfm, as_of=AS_OF),
        frame(spark, schemas.SEGMENT_HISTORY, ("ann", "NR", "near rich", None, None, AS_OF, 1)),
    )


def test_the_population_stability_index_is_0_for_equal_shares_and_bounded_for_empty_ones() -> None:
    assert population_stability_index([(0.5, 0.5), (0.5, 0.5)]) == 0
    # 0.2 ln(0.7 / 0.5) - 0.2 ln(0.3 / 0.5) = 0.2 * 0.336472 + 0.2 * 0.510826
    assert population_stability_index([(0.7, 0.5), (0.3, 0.5)]) == pytest.approx(0.169459, abs=1e-6)
    # (1 - 0.0001) ln(10000), twice
    assert population_stability_index([(1.0, 0.0), (0.0, 1.0)]) == pytest.approx(2 * 0.9999 * 9.210340, abs=1e-5)
