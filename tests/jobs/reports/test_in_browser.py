"""The report in Chromium, from a file and with the network cut: charts, figures, locales, keyboard and axe."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from pyspark.sql import SparkSession

from jobs import pipeline
from jobs.sample import write_sample
from jobs.storage.local import LocalFolder
from tests.fakes.gate import real_gate
from tests.fakes.page import real_report
from tests.jobs.reports.against_tables import RunTables, assert_same_figures
from tests.jobs.reports.chromium import chromium
from tests.jobs.reports.pages import Page

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

FIRST, SECOND = "2018-06-30-first", "2018-10-17-second"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
LOOKS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": WIDE},
    "phone": {"viewport": PHONE},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "print": {"viewport": WIDE},
}


@dataclass
class Opened:
    """A report in a tab, and what its console has, and what it asked for."""

    tab: Tab
    messages: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def output(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of a sample of 2,000 orders with a payment that is quarantined, and clusters in the second."""
    folder = tmp_path_factory.mktemp("browser")
    raw = folder / "raw"
    raw.mkdir()
    write_sample(spark, LocalFolder(raw), orders=2_000, seed=1)
    with (raw / "olist_order_payments_dataset.csv").open("a") as payments:
        payments.write('"0123456789abcdef0123456789abcdef",1,credit_card,1,12.00\n')
    arguments = ["--input", str(raw), "--output", str(folder / "output"), "--max-quarantined", "1"]
    with real_report(), real_gate():
        for run_id, kmeans in ((FIRST, "none"), (SECOND, "spark")):
            as_of = ["--as-of", run_id[:10], "--run-id", run_id, "--kmeans", kmeans, "--k", "3"]
            assert pipeline.main([*arguments, *as_of]) == 0
    return folder / "output"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def open_report(browser: Browser, path: Path, *, look: str = "wide", **options: Any) -> Opened:
    """The report in a tab of its own, once its charts are drawn."""
    context = browser.new_context(offline=True, **{**LOOKS[look], **options})
    opened = Opened(context.new_page())
    opened.tab.on("console", lambda message: opened.messages.append(f"{message.type}: {message.text}"))
    opened.tab.on("pageerror", lambda error: opened.messages.append(str(error)))
    opened.tab.on("request", lambda request: opened.requested.append(request.url))
    opened.tab.goto(path.as_uri())
    opened.tab.wait_for_function("document.documentElement.dataset.drawn", timeout=60_000)
    if look == "print":
        opened.tab.emulate_media(media="print")
    return opened


def report_of(output: Path, run_id: str = SECOND) -> Path:
    return output / "runs" / run_id / "report.html"


@pytest.mark.parametrize("look", LOOKS)
def test_every_chart_is_drawn_without_an_error_a_request_or_a_bar_to_scroll(
    output: Path, browser: Browser, look: str
) -> None:
    path = report_of(output)
    opened = open_report(browser, path, look=look)
    assert opened.messages == []
    assert opened.requested == [path.as_uri()]
    places = opened.tab.locator("[data-chart]")
    # Segments, three measures, months, nine trends, clusters and the flow of money.
    assert places.count() == 16
    for place in places.all():
        marks = place.locator("svg .mark-rect path, svg .mark-line path, svg .mark-symbol path")
        assert marks.count() > 0, place.get_attribute("data-chart")
        assert (place.bounding_box() or {"height": 0})["height"] > 40
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.tab.evaluate(width) == 0
    opened.tab.context.close()


def test_a_page_has_less_than_five_megabytes(output: Path) -> None:
    assert report_of(output).stat().st_size < 5_000_000


@pytest.mark.parametrize("run_id", [FIRST, SECOND])
def test_every_figure_in_the_browser_is_that_of_the_table_that_it_comes_from(
    output: Path, browser: Browser, run_id: str
) -> None:
    opened = open_report(browser, report_of(output, run_id))
    assert_same_figures(Page(opened.tab.content()), RunTables(output, run_id))
    # What people read is what the page has exactly.
    for figure in opened.tab.locator("data[data-kind=money]").all():
        value = float(figure.get_attribute("value") or "")
        assert (figure.text_content() or "").replace(",", "") == f"{value:.2f}".replace("-0.00", "0.00")
    opened.tab.context.close()


@pytest.mark.parametrize(
    ("locale", "number", "day"),
    [("en-GB", r"\d,\d{3}\.\d\d", r"17 October 2018"), ("de-DE", r"\d\.\d{3},\d\d", r"17\. \w+ 2018")],
)
def test_numbers_and_days_are_in_the_readers_locale(
    output: Path, browser: Browser, locale: str, number: str, day: str
) -> None:
    opened = open_report(browser, report_of(output), locale=locale)
    assert re.search(number, opened.tab.locator(".headline").inner_text())
    assert re.search(day, opened.tab.locator(".headline").inner_text())
    assert re.search(number, opened.tab.locator("[data-chart=flow]").inner_text())
    opened.tab.context.close()


@pytest.mark.parametrize("look", ["wide", "phone", "dark"])
def test_axe_finds_no_serious_fault(output: Path, browser: Browser, look: str) -> None:
    opened = open_report(browser, report_of(output), look=look)
    for details in opened.tab.locator("details").all():
        details.evaluate("element => { element.open = true; }")
    violations = Axe().run(opened.tab).response["violations"]
    assert [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in violations
        if each["impact"] in ("serious", "critical")
    ] == []
    opened.tab.context.close()


def test_hover_and_keyboard_give_the_exact_figures(output: Path, browser: Browser) -> None:
    opened = open_report(browser, report_of(output))
    totals = RunTables(output, SECOND).manifest["totals"]
    read = next(each["money"] for each in totals if (each["table"], each["kind"]) == ("payments", "read"))
    opened.tab.locator("[data-chart=flow] svg .mark-rect path").first.hover()
    assert f"{Decimal(read):,.2f}" in opened.tab.locator("#vg-tooltip-element").inner_text()
    summary = opened.tab.locator("summary").first
    summary.focus()
    opened.tab.keyboard.press("Enter")
    assert opened.tab.locator("details[open] table").first.is_visible()
    opened.tab.context.close()


def test_without_javascript_every_figure_is_there(output: Path, browser: Browser) -> None:
    context = browser.new_context(offline=True, java_script_enabled=False)
    tab = context.new_page()
    tab.goto(report_of(output).as_uri())
    [(customers, spent)] = RunTables(output, SECOND).query("select count(*), sum(total_value) from rfm")
    headline = tab.locator(".headline").inner_text()
    assert f"{customers:,}" in headline
    assert f"{spent:,.2f}" in headline
    assert "Each has its table" in tab.locator("noscript").inner_text()
    context.close()
