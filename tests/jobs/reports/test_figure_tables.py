"""The figures of the page as tables: exact, and hidden where the page hides them. No Spark."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.reports.customers import Customers, SmallCells, Sums
from jobs.reports.earlier_runs import Trend
from jobs.reports.figure_tables import figure_files
from jobs.reports.reported_run import ReportedQuality
from jobs.reports.segments import SegmentSection
from jobs.runs.totals import Boundary
from tests.jobs.reports.figure_rows import read_figures
from tests.jobs.reports.test_money_flow import EXCLUDED, TOTALS, total
from tests.jobs.reports.test_segments_section import BANDS, SETTINGS, earlier
from transforms.figure_schemas import FIGURES
from transforms.rfm.segments import Cell, SegmentMap

DAY = date(2018, 6, 30)
BY_MONEY = {"São Paulo’s “best”": ("A", 5), "B": ("B", 4), "C": ("C", "1-3")}
SEVEN_OF_A: dict[Cell, Sums] = {(5, 1, 5): Sums(7, 9, Decimal("100.00"), 70)}
PEOPLE: dict[Cell, Sums] = {
    **SEVEN_OF_A,
    (3, 1, 4): Sums(2, 2, Decimal(20), 50),
    (1, 1, 1): Sums(6, 6, Decimal(6), 300),
}
QUALITY = {
    "orders": ReportedQuality(
        rows=8, quarantined=3, cascaded=1, rules=5, failed={"known status": 2, "row count": None}
    ),
    "payments": ReportedQuality(rows=0, quarantined=0, rules=4, failed={}),
}


def write_figures(
    folder: Path, customers: dict[Cell, Sums], *, runs: Any = (), totals: Any = TOTALS, smallest: int = 5
) -> Path:
    """The figures of some customers, as files in a run's folder."""
    content = [
        {"name": name, "code": code, "advice": "Write.", "cells": [{"r": "1-5", "m": m}]}
        for name, (code, m) in BY_MONEY.items()
    ]
    scored_by = SimpleNamespace(segment_map=SegmentMap.from_content({"name": "mine", "segments": content}), bands=BANDS)
    run: Any = SimpleNamespace(
        as_of=DAY,
        card=SimpleNamespace(scored_by=scored_by),
        recorded_card=SimpleNamespace(hash="card"),
        manifest=SimpleNamespace(configuration=SimpleNamespace(measured_by=SETTINGS), changes=None),
        clusters=None,
        totals=totals,
        quality=lambda: iter([(table, quality, "a run") for table, quality in QUALITY.items()]),
    )
    files = figure_files(SegmentSection(run, Customers(customers, {}, ()), Trend(runs), SmallCells(smallest)))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_each_table_is_one_file_whose_columns_are_those_of_the_schema(tmp_path: Path) -> None:
    run = write_figures(tmp_path, PEOPLE)
    assert sorted(str(path.relative_to(run)) for path in run.rglob("*.*")) == sorted(
        f"figures/{table}/part-00000.json" for table in FIGURES
    )
    for table, schema in FIGURES.items():
        lines = (run / f"figures/{table}/part-00000.json").read_text().splitlines()
        assert {tuple(json.loads(line)) for line in lines} <= {tuple(schema.fieldNames())}
        assert bool(lines) == (table not in ("trend_figures", "cluster_figures"))


def test_a_segment_has_its_figures_and_a_small_one_and_what_would_give_it_away_have_none(tmp_path: Path) -> None:
    # B has 2 of 15 customers. C is the smaller of the others: it would give B away, so it is hidden too.
    first, *others = read_figures(write_figures(tmp_path, PEOPLE), "segment_figures")
    assert first == {
        "as_of": DAY,
        "segment_code": "A",
        "segment": "São Paulo’s “best”",
        "customers": 7,
        "share_of_customers": pytest.approx(7 / 15),
        "revenue": Decimal("100.0000"),
        "share_of_revenue": pytest.approx(100 / 126),
        "value_per_purchase": Decimal("11.1111"),
        "days_since_last_purchase": 10.0,
        "customers_change": None,
        "is_hidden": False,
    }
    assert [(row["segment_code"], row["is_hidden"]) for row in others] == [("B", True), ("C", True)]
    assert [set(list(row.values())[3:-1]) for row in others] == [{None}, {None}]


def test_the_change_is_that_since_the_last_compared_run(tmp_path: Path) -> None:
    everybody = {cell: Sums(20, 20, Decimal(20), 20) for cell in PEOPLE}
    before = earlier({"A": 25, "B": 3, "C": 30})
    rows = read_figures(write_figures(tmp_path, everybody, runs=[before, before]), "segment_figures")
    # Of the run before, B is small, and A is hidden with it.
    assert [(row["segment_code"], row["customers_change"]) for row in rows] == [("A", None), ("B", None), ("C", -10)]


def test_the_trend_has_each_compared_run_under_its_own_day(tmp_path: Path) -> None:
    runs = [earlier({"A": 25, "B": 3, "C": 30}), earlier({"A": 50, "B": 50, "C": 0})]
    rows = read_figures(write_figures(tmp_path, PEOPLE, runs=runs), "trend_figures")
    assert {row["as_of"] for row in rows} == {date(2018, 1, 1)}
    assert [(row["segment"][:1], row["share_of_customers"], row["is_hidden"]) for row in rows] == [
        *(("S", None, True), ("S", 0.5, False)),
        *(("B", None, True), ("B", 0.5, False)),
        *(("C", pytest.approx(30 / 58), False), ("C", 0.0, False)),
    ]


def test_the_grid_has_every_pair_of_scores_with_the_values_that_have_them(tmp_path: Path) -> None:
    rows = read_figures(write_figures(tmp_path, {**SEVEN_OF_A, (1, 1, 1): Sums(6, 6, Decimal(7), 9)}), "grid_figures")
    assert [(row["recency_score"], row["other_score"]) for row in rows] == [
        (recency, other) for recency in (5, 4, 3, 2, 1) for other in (1, 2, 3, 4, 5)
    ]
    by_score = {(row["recency_score"], row["other_score"]): row for row in rows}
    assert by_score[5, 5] == {
        "as_of": DAY,
        "recency_score": 5,
        "recency": "up to 10",
        "other_measure": "monetary",
        "other_score": 5,
        "other": "above 80.00",
        "segments": "São Paulo’s “best”",
        "customers": 7,
        "value_per_customer": Decimal("14.2857"),
        "is_hidden": False,
    }
    assert (by_score[1, 1]["customers"], by_score[1, 1]["value_per_customer"]) == (6, Decimal("1.1667"))
    assert (by_score[3, 3]["customers"], by_score[3, 3]["value_per_customer"]) == (0, None)


def test_quality_tells_faults_of_a_row_from_those_of_what_it_refers_to(tmp_path: Path) -> None:
    run = write_figures(tmp_path, PEOPLE)
    assert [tuple(row.values()) for row in read_figures(run, "quality_figures")] == [
        (DAY, "orders", 8, 5, 2, 1, 0.25),
        (DAY, "payments", 0, 0, 0, 0, None),
    ]
    assert [tuple(row.values()) for row in read_figures(run, "rule_figures")] == [
        (DAY, "orders", "known status", 2),
        (DAY, "orders", "row count", None),
    ]


def test_money_adds_up_by_stage_also_where_a_stage_has_two_causes(tmp_path: Path) -> None:
    totals = {**TOTALS, Boundary("payments", EXCLUDED, "order_status"): total(1, "0.5")}
    rows = read_figures(write_figures(tmp_path, PEOPLE, totals=totals), "money_figures")
    assert [(row["stage_number"], row["stage"], row["money"], row["lost"], row["cause"]) for row in rows] == [
        (1, "in the files", Decimal(100), None, None),
        (2, "accepted", Decimal(90), Decimal(10), "quarantined"),
        (3, "transactions", Decimal(70), Decimal(20), "purchased after as of"),
        (3, "transactions", None, Decimal("0.5"), "order status"),
        (4, "purchases", Decimal(70), None, None),
        (5, "customers", Decimal(75), Decimal(-5), "returns of others"),
        (6, "segments", Decimal(75), None, None),
    ]


def test_an_amount_keeps_its_places_also_where_a_float_would_not(tmp_path: Path) -> None:
    rich = {(5, 1, 5): Sums(7, 8, Decimal("99999999999999.0001"), 70)}
    text = (write_figures(tmp_path, rich) / "figures/segment_figures/part-00000.json").read_text()
    [row, *_] = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
    assert row["revenue"] == Decimal("99999999999999.0001")
    assert str(row["value_per_purchase"]) == "12499999999999.8750"
    # Half of the last place is rounded up, as in the tables.
    half = {(5, 1, 5): Sums(7, 8, Decimal("0.0004"), 70)}
    [row, *_] = read_figures(write_figures(tmp_path / "half", half), "segment_figures")
    assert row["value_per_purchase"] == Decimal("0.0001")


def test_of_customers_who_are_all_hidden_no_table_has_a_row(tmp_path: Path) -> None:
    run = write_figures(tmp_path, PEOPLE, smallest=16)
    assert [table for table in FIGURES if read_figures(run, table)] == []
