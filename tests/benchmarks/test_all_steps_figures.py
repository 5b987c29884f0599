"""The figures of all steps, as they are shown."""

from pathlib import Path

from benchmarks.all_steps_figures import AFTER, BEFORE, HEADER, Figures, row, step_rows
from benchmarks.contenders import Contender
from benchmarks.event_log import SparkFigures
from benchmarks.figures import markdown, ratio
from benchmarks.measurement import Measurement
from benchmarks.run_record import RunRecord


def contender(name: str) -> Contender:
    return Contender(name, name.upper(), (), lambda _source, _results: [], Path)


def measurement(wall: float) -> Measurement:
    return Measurement(wall, cpu_seconds=2 * wall, peak_bytes=3_000_000, written_bytes=4_000_000, started_at=0.0)


def record(*, to_rfm: float, **steps: float) -> RunRecord:
    spark = SparkFigures(jobs=130, shuffled_bytes=5_000_000, spilled_bytes=0)
    return RunRecord(steps, seconds_to_start=3.0, seconds_to_rfm=to_rfm, spark=spark)


def figures() -> Figures:
    taken = Figures()
    for wall, to_rfm, peer in ((40.0, 24.0, 6.0), (50.0, 30.0, 5.0), (44.0, 27.0, 9.0)):
        taken.add("spark", measurement(wall), record(to_rfm=to_rfm, orders=wall / 4, rfm=2.0))
        taken.add("duckdb", measurement(peer), None)
        taken.add("other", measurement(2 * wall), record(to_rfm=2 * to_rfm, orders=wall, rfm=3.0, old=1.0))
    return taken


def test_a_run_has_the_medians_and_the_ratios_to_the_peer_and_to_the_other_checkout() -> None:
    assert dict(zip(HEADER, row(contender("spark"), figures()), strict=True)) == {
        "contender": "SPARK",
        "to rfm s": "27.0",
        "all s": "44.0",
        "CPU s": "88.0",
        "peak MB": "3",
        "written MB": "4",
        "shuffled MB": "5",
        "spilled MB": "0",
        "Spark jobs": "130",
        "to rfm/DuckDB": "4.50 (3.00..6.00)",
        "all/DuckDB": "7.33 (4.89..10.00)",
        "all/other": "0.50 (0.50..0.50)",
    }


def test_the_peer_has_no_figures_of_spark_and_ends_with_rfm() -> None:
    assert row(contender("duckdb"), figures()) == ("DUCKDB", "6.0", "", "12.0", "3", "4", "", "", "", "", "", "")


def test_steps_are_shown_beside_each_other_with_what_is_outside_of_them() -> None:
    # The rest of a round: its seconds without those before the first step and those of the steps.
    assert step_rows([contender("spark"), contender("other")], figures()) == [
        (BEFORE, "3.0", "3.0"),
        ("orders", "11.0", "44.0"),
        ("rfm", "2.0", "3.0"),
        ("old", "", "1.0"),
        (AFTER, "28.0", "37.0"),
    ]


def test_a_ratio_of_one_round_has_no_range() -> None:
    assert ratio([3.0], [2.0]) == "1.50"


def test_the_markdown_table_aligns_figures_to_the_right() -> None:
    assert markdown("Title", ("name", "s"), [("a", "1.0")], text_columns=1) == [
        "Title.",
        "",
        "| name | s |",
        "| --- | ---: |",
        "| a | 1.0 |",
    ]
