"""The report of a run: each figure is that of the table that it comes from, and nobody can be singled out."""

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs import explain, features, pipeline, report
from jobs.cli.config import PipelineConfig
from jobs.errors import OutsideSystemError
from jobs.reports import leaving
from tests.fakes.page import real_report
from tests.jobs.complete_runs import Ran
from tests.jobs.published import FIRST
from tests.jobs.reports.against_tables import (
    CLUSTERS,
    FLOW,
    MATRIX,
    RunTables,
    assert_changes,
    assert_clusters,
    assert_distributions,
    assert_flow,
    assert_grid,
    assert_months,
    assert_segments,
)
from tests.jobs.reports.pages import Cell, Page
from tests.jobs.shop import AS_OF
from tests.raw_files import RawFiles

pytestmark = pytest.mark.usefixtures("spark")

MARKUP = "<img src=x onerror=alert(1)>"


def page_of(output: Path, run_id: str, *arguments: str) -> Page:
    """The report of a run, made again."""
    with real_report():
        assert report.main(["--output", str(output), "--run", run_id, *arguments]) == 0
    return Page((output / "runs" / run_id / "report.html").read_text())


@pytest.fixture(scope="module")
def shop(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's output, with a report."""
    return Path(shutil.copytree(published, tmp_path_factory.mktemp("report") / "output"))


@pytest.fixture(scope="module")
def page(shop: Path) -> Page:
    """The report of the shop: ninety customers in three groups, and three clusters."""
    return page_of(shop, FIRST)


@pytest.mark.parametrize(
    "check", [assert_segments, assert_grid, assert_distributions, assert_months, assert_clusters, assert_flow]
)
def test_every_figure_is_that_of_the_table_that_it_comes_from(
    shop: Path, page: Page, check: Callable[[Page, RunTables], None]
) -> None:
    check(page, RunTables(shop, FIRST))


def values_of(page: Page, chart: str) -> list[dict[str, Any]]:
    """The data of a chart: the longest list of figures in its specification."""
    charts = json.loads(re.findall(r'id="charts">(.*?)</script>', page.html, re.DOTALL)[0])
    lists: list[list[dict[str, Any]]] = []

    def collect(part: Any) -> None:
        if (
            isinstance(part, list)
            and part
            and isinstance(part[0], dict)
            and {"share", "customers", "money"} & {*part[0]}
        ):
            lists.append(part)
        for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            collect(each)

    collect(charts[chart])
    return max(lists, key=len)


def figures(rows: list[list[Cell]], column: int) -> list[float | None]:
    """A column of a table as a chart has it: nothing where it is hidden."""
    return [float(row[column]) if isinstance(row[column], Decimal) else None for row in rows]


def test_every_chart_has_the_figures_of_its_table_and_nothing_that_the_table_hides(page: Page) -> None:
    for chart, caption, columns in (("segments", "Segments", (2, 4)), ("clusters", CLUSTERS, (2, 4))):
        rows = page.tables[caption][:9] if chart == "segments" else page.tables[caption]
        values = values_of(page, chart)
        for of, column in zip(("customers", "revenue"), columns, strict=True):
            assert [each["share"] for each in values if each["of"] == of] == figures(rows, column)
    for place, name in enumerate(("days since the last purchase", "purchases", "money spent in all")):
        rows = page.tables[f"Customers by {name}"]
        assert [each["customers"] for each in values_of(page, f"measure-{place}")] == figures(rows, 1)
    months = page.tables["Purchases by month"]
    assert [(each["purchases"], each["money"]) for each in values_of(page, "months")] == list(
        zip(figures(months, 1), figures(months, 2), strict=True)
    )
    assert [each["money"] for each in values_of(page, "flow")] == figures(page.tables[FLOW], 2)


def test_the_shop_has_three_clusters_and_two_numbers_of_purchases(page: Page) -> None:
    assert len(page.tables[CLUSTERS]) == 3
    assert page.tables["Customers by purchases"] == [[1, 60], [5, 30]]
    assert "The money adds up" in page.text


def test_a_month_without_purchases_is_shown_and_told(page: Page) -> None:
    empty = [month for month, purchases, _ in page.tables["Purchases by month"] if purchases == 0]
    assert empty
    assert f"No purchase in {len(empty)} of {len(page.tables['Purchases by month'])} months" in page.text


def test_the_page_needs_no_network_and_tells_what_made_the_run(shop: Path, page: Page) -> None:
    html = page.markup
    assert "default-src 'none'" in html
    assert re.findall(r"<(?:img|link|iframe)\b|(?:src|href)=[\"']?(?:https?:)?//", html) == []
    manifest = json.loads((shop / "runs" / FIRST / "manifest.json").read_text())
    for text in (FIRST, manifest["score_card"]["hash"], manifest["configuration_hash"], str(AS_OF)):
        assert text in page.text
    assert 'href="quality/data_docs/index.html"' in html
    assert "No run as of an earlier day has this segment map" in page.text


def test_the_command_of_the_page_has_the_configuration_of_the_run(shop: Path, page: Page) -> None:
    [command] = re.findall(r"python -m jobs\.pipeline (.*?) Cells of fewer", page.text)
    config = PipelineConfig.from_argv(shlex.split(command))
    manifest = json.loads((shop / "runs" / FIRST / "manifest.json").read_text())
    files = [Path(file["path"]) for each in manifest["inputs"]["files"] for file in each["files"]]
    assert {file.parent for file in files} == {Path(config.input)}
    assert (config.run.as_of, config.clusters.k, config.features.card) == (AS_OF, 3, None)


def test_a_report_that_is_made_again_is_the_same_page(shop: Path, page: Page) -> None:
    assert page_of(shop, FIRST).html == page.html


def test_a_later_run_shows_the_change_and_the_trend(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = Path(shutil.copytree(published, tmp_path / "output"))
    # The same customers a month later: those of the first group are not recent any more.
    later = "2018-07-31-later"
    arguments = ["--output", str(output), "--checked-run", FIRST, "--as-of", "2018-07-31", "--run-id", later]
    assert features.main([*arguments, "--card", "current", "--smallest-cell", "1"]) == 0
    page = page_of(output, later, "--smallest-cell", "1")
    by_code = "select segment_code, count(*) from rfm group by 1"
    moved, before = (dict(RunTables(output, run_id).query(by_code)) for run_id in (later, FIRST))
    changes = {str(row[0]): row[-1] for row in page.tables["Segments"][:-1]}
    assert len(changes) > len(moved)
    for name, change in changes.items():
        [code] = [word for word in name.split() if re.fullmatch(r"R[FM]\d\d", word)]
        assert change == moved.get(code, 0) - before.get(code, 0)
    assert any(changes.values())
    assert "Both runs have the same cut points" in page.text
    assert [row[0] for row in page.tables["Share of customers, run by run"]] == ["2018-07-31", str(AS_OF)]
    assert page.html.count('data-chart="trend-') == len(changes)
    assert "This run has no clusters" in page.text
    assert f"Compared with run {FIRST}, as of {AS_OF}" in page.text
    assert_changes(page, RunTables(output, later))
    assert all(isinstance(cell, Decimal) for _, *cells in page.tables[MATRIX][:-1] for cell in cells)
    assert_explained(output, later, capsys)


def assert_explained(output: Path, run_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A customer of each way is explained as segment_changes has them, from files that Spark wrote."""
    query = "select any_value(customer_unique_id), cause from segment_changes group by cause, to_segment_code"
    for customer, cause in RunTables(output, run_id).query(query):
        capsys.readouterr()
        assert explain.main([customer, "--output", str(output), "--json"]) == 0
        movement = json.loads(capsys.readouterr().out)["movement"]
        assert (movement["cause"], movement["equals_segment_changes"]) == (cause, True)


def test_of_fewer_than_five_customers_no_figure_is_shown(plain_run: Ran, tmp_path: Path) -> None:
    output = Path(shutil.copytree(plain_run.output, tmp_path / "output"))
    run_id = plain_run.pointer["run_id"]
    page = page_of(output, run_id)
    assert "Fewer than 5 customers" in page.text
    targets, places = re.findall(r'href="#(\w+)"', page.markup), re.findall(r' id="(\w+)"', page.markup)
    assert set(targets) <= set(places)
    assert json.loads(re.findall(r'id="charts">(.*?)</script>', page.html)[0]) == {}
    # ann spent 35.50 and bob 5.00.
    assert [figure for figure in ("35.5", "40.5", "5.00", "118", "148") if figure in page.text] == []
    shown = page_of(output, run_id, "--smallest-cell", "1")
    assert {row[1] for row in shown.tables["Segments"]} >= {1, 2}
    assert "Degenerate" in shown.text


def test_text_of_the_data_is_no_markup(raw: RawFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw.customers[1] = f'"c1","ann","09790",{MARKUP},SP'
    segments = tmp_path / "map.yml"
    segments.write_text(
        f'name: "{MARKUP}"\nsegments:\n- {{name: "{MARKUP}", code: ALL, advice: "{MARKUP}", cells: [{{r: 1-5}}]}}\n'
    )
    output, run_id = tmp_path / "output", "2018-06-30-markup"
    arguments = ["--as-of", "2018-06-30", "--input", raw.write(), "--output", str(output), "--run-id", run_id]
    with real_report():
        assert pipeline.main([*arguments, "--segments", str(segments), "--smallest-cell", "1", "--kmeans", "none"]) == 0
    path = output / "runs" / run_id / "report.html"
    # The report is named first of all.
    assert capsys.readouterr().out.splitlines()[0] == f"Report: {path}"
    markup = Page(path.read_text()).markup
    assert markup.count("&lt;img src=x") >= 3
    assert markup.count("\\u003cimg src=x") >= 1
    assert "<img" not in markup


@pytest.fixture
def copy(published: Path, tmp_path: Path) -> Iterator[Path]:
    """The shop's output, for a test to damage."""
    with real_report():
        yield Path(shutil.copytree(published, tmp_path / "output"))


def test_a_run_without_scores_is_refused(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy / "runs" / FIRST / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in manifest.items() if key != "segments"}))
    assert report.main(["--output", str(copy)]) == 2
    assert "has no customers with scores" in capsys.readouterr().err.splitlines()[-1]


def test_a_table_that_was_changed_is_refused_and_the_old_report_stays(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = copy / "runs" / FIRST / "report.html"
    old.write_text("the report of last night")
    [part, *_] = (copy / "runs" / FIRST / "rfm").glob("*.parquet")
    part.unlink()
    assert report.main(["--output", str(copy)]) == 3
    assert part.name in capsys.readouterr().err
    assert old.read_text() == "the report of last night"


def test_segments_that_are_not_those_of_the_table_are_refused(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy / "runs" / FIRST / "manifest.json"
    manifest = json.loads(path.read_text())
    first = next(each for each in manifest["segments"]["segments"] if each["customers"])
    first["customers"] += 1
    path.write_text(json.dumps(manifest))
    assert report.main(["--output", str(copy)]) == 3
    assert f"segment {first['code']}" in capsys.readouterr().err


def test_a_run_whose_report_cannot_be_made_is_complete_and_ends_with_4(
    raw: RawFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise OutsideSystemError("cannot write report.html in out: No space left on device")

    monkeypatch.setattr(leaving, "make_report", fail)
    output = tmp_path / "output"
    arguments = ["--as-of", "2018-06-30", "--input", raw.write(), "--output", str(output), "--kmeans", "none"]
    warehouse = tmp_path / "warehouse.duckdb"
    assert pipeline.main([*arguments, "--warehouse", f"duckdb:{warehouse}"]) == 4
    error = capsys.readouterr().err.splitlines()[-1]
    run_id = json.loads((output / "current.json").read_text())["run_id"]
    assert f"python -m jobs.report --output {output} --run {run_id}" in error
    assert "is complete and current" in error
    assert warehouse.exists()


def test_a_fault_of_the_report_leaves_the_run_complete_and_keeps_its_traceback(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise ValueError("a fault of the page")

    monkeypatch.setattr(leaving, "make_report", fail)
    run_id = "2018-07-31-later"
    arguments = ["--output", str(copy), "--checked-run", FIRST, "--as-of", "2018-07-31", "--run-id", run_id]
    with pytest.raises(ValueError, match="a fault of the page"):
        features.main(arguments)
    assert json.loads((copy / "current.json").read_text())["run_id"] == run_id
    assert not (copy / "runs" / run_id / "failure.json").exists()


def test_a_report_is_made_again_with_what_the_run_was_to_hide(copy: Path) -> None:
    path = copy / "runs" / FIRST / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "smallest_cell": 91}))
    assert "Fewer than 91 customers" in page_of(copy, FIRST).text
    assert "Fewer than 91 customers" not in page_of(copy, FIRST, "--smallest-cell", "5").text


def test_open_shows_the_report_that_is_there(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(report.webbrowser, "open", lambda uri: opened.append(uri) or True)
    path = copy / "runs" / FIRST / "report.html"
    path.write_text("made before")
    assert report.main(["--output", str(copy), "--open"]) == 0
    assert (opened, path.read_text()) == ([path.absolute().as_uri()], "made before")


def test_a_report_in_s3_is_not_opened(capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(["--output", "s3://bucket/runs", "--open"]) == 2
    assert "a browser opens no s3:// URI" in capsys.readouterr().err
