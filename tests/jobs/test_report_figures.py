"""The figures that a report leaves for a dashboard: those of the page, and none where there is no page."""

import json
import shutil
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from jobs import pipeline, report
from tests.fakes.page import real_report
from tests.jobs.complete_runs import Ran
from tests.jobs.published import FIRST
from tests.jobs.reports.against_tables import CLUSTERS, FLOW
from tests.jobs.reports.figure_rows import read_figures
from tests.jobs.reports.pages import Cell, Page
from tests.jobs.shop import AS_OF
from tests.raw_files import RawFiles
from transforms.figure_schemas import FIGURES

pytestmark = pytest.mark.usefixtures("spark")

DAY = date(2018, 6, 30)
SHARED = ("customers", "share_of_customers", "revenue")


def make(output: Path, run_id: str, *arguments: str) -> Path:
    """Make the report of a run, and return the folder of the run."""
    with real_report():
        assert report.main(["--output", str(output), "--run", run_id, *arguments]) == 0
    return output / "runs" / run_id


def in_figures(cell: Cell) -> Decimal | None:
    """A figure of the page with as many places as an amount has."""
    return cell.quantize(Decimal("0.0001"), ROUND_HALF_UP) if isinstance(cell, Decimal) else None


@pytest.mark.parametrize("smallest", ["1", "5", "31", "61"])
def test_each_figure_is_that_of_the_page_and_hidden_with_it(published: Path, tmp_path: Path, smallest: str) -> None:
    output = Path(shutil.copytree(published, tmp_path / "output"))
    run = make(output, FIRST, "--smallest-cell", smallest)
    page = Page((run / "report.html").read_text())
    compared = {
        # The last row of the page's segments is that of all customers.
        ("segment_figures", "segment"): (page.tables["Segments"][:-1], (*SHARED, "share_of_revenue")),
        ("cluster_figures", "cluster_name"): (page.tables[CLUSTERS], SHARED),
    }
    for (table, title), (on_page, columns) in compared.items():
        for row, (name, *cells) in zip(read_figures(run, table), on_page, strict=True):
            assert row["as_of"] == AS_OF
            assert str(name).startswith(row[title])
            assert row["is_hidden"] == isinstance(cells[0], str)
            for column, cell in zip(columns, cells, strict=False):
                expected = in_figures(cell)
                assert (row[column] is None) == (expected is None), (table, column)
                if expected is not None:
                    assert float(row[column]) == pytest.approx(float(expected), abs=0.00005)
                    assert not isinstance(row[column], Decimal) or row[column] == expected
    [caption] = [
        caption for caption in page.tables if caption.startswith("Customers by days since the last purchase a")
    ]
    counts = [str(cell).split()[0] for _, *cells in page.tables[caption] for cell in cells]
    grid = read_figures(run, "grid_figures")
    assert [row["customers"] for row in grid] == [int(count) if count.isdigit() else None for count in counts]
    assert [row["money"] for row in read_figures(run, "money_figures")] == [row[2] for row in page.tables[FLOW]]


def test_three_groups_of_thirty_are_three_clusters_worked_by_hand(published: Path, tmp_path: Path) -> None:
    run = make(Path(shutil.copytree(published, tmp_path / "output")), FIRST)
    clusters = read_figures(run, "cluster_figures")
    assert [(row["customers"], row["share_of_customers"]) for row in clusters] == [(30, pytest.approx(1 / 3))] * 3
    # Weeks are 4, 50 or 10, and 0 to 4 more by the customer's number: 2 on average. Each third customer buys 5 times.
    assert sorted((row["recency"], row["frequency"]) for row in clusters) == [(6.0, 1.0), (12.0, 5.0), (52.0, 1.0)]
    # Single purchases of 40 and of 60, and 2 more on average. The cents are the numbers 0, 3 ... 87 and 1, 4 ... 88.
    single = sorted(row["revenue"] for row in clusters)[:2]
    assert single == [Decimal("30") * 42 + Decimal("13.05"), Decimal("30") * 62 + Decimal("13.35")]


def test_a_run_of_two_customers_is_worked_by_hand(plain_run: Ran, tmp_path: Path) -> None:
    output = Path(shutil.copytree(plain_run.output, tmp_path / "output"))
    run = make(output, plain_run.pointer["run_id"], "--smallest-cell", "1")
    segments = {row.pop("segment_code"): row for row in read_figures(run, "segment_figures")}
    ann, bob = segments.pop("RM01"), segments.pop("RM09")
    assert tuple(ann.values()) == (
        *(DAY, "Recent big spenders", 1, 0.5, Decimal("35.5"), pytest.approx(35.5 / 40.5), Decimal("17.75"), 118.0),
        *(None, False),
    )
    assert tuple(bob.values()) == (
        *(DAY, "Lapsed small spenders", 1, 0.5, Decimal(5), pytest.approx(5 / 40.5), Decimal(5), 148.0),
        *(None, False),
    )
    assert {(row["customers"], row["revenue"], row["value_per_purchase"]) for row in segments.values()} == {
        (0, 0, None)
    }
    assert [tuple(row.values())[1:4] for row in read_figures(run, "quality_figures")][:3] == [
        *(("customers", 3, 3), ("orders", 3, 3), ("payments", 4, 4)),
    ]
    assert {row["money"] for row in read_figures(run, "money_figures")} == {Decimal("40.5")}
    assert read_figures(run, "cluster_figures") == read_figures(run, "rule_figures") == []


def test_the_figures_of_fewer_than_five_customers_are_no_figures(plain_run: Ran, tmp_path: Path) -> None:
    output = Path(shutil.copytree(plain_run.output, tmp_path / "output"))
    run = make(output, plain_run.pointer["run_id"])
    assert {path.read_text() for path in run.glob("figures/*/*")} == {""}
    assert {path.parent.name for path in run.glob("figures/*/*")} == set(FIGURES)


def test_the_pipeline_leaves_them_too(raw: RawFiles, tmp_path: Path) -> None:
    output = tmp_path / "output"
    arguments = ["--as-of", "2018-06-30", "--input", raw.write(), "--output", str(output), "--kmeans", "none"]
    with real_report():
        assert pipeline.main([*arguments, "--smallest-cell", "1"]) == 0
    run = output / "runs" / json.loads((output / "current.json").read_text())["run_id"]
    assert sum(row["customers"] for row in read_figures(run, "segment_figures")) == 2


def test_without_a_report_there_are_no_figures(published: Path, tmp_path: Path) -> None:
    output = Path(shutil.copytree(published, tmp_path / "output"))
    [part, *_] = (output / "runs" / FIRST / "rfm").glob("*.parquet")
    part.unlink()
    with real_report():
        assert report.main(["--output", str(output), "--run", FIRST]) == 3
    assert not (output / "runs" / FIRST / "figures").exists()
