"""Data Docs: pages that load nothing, run nothing and show every value as text."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import great_expectations as gx
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from expectations.contracts.contract import Contract
from expectations.gx.front_page import CheckedTable, FailedRule, FrontPage
from expectations.gx.gate import Gate
from expectations.rules import InSet, Matches, NotNull, RowCountBetween
from tests.expectations.gx.gated import validate
from tests.frames import frame

NETWORK = re.compile(r"\s*((https?:)?//|javascript:)", re.IGNORECASE)
SCRIPT = "<script>alert(1)</script>"
TEMPLATE = "R$ 5 ${name} $name {name} {{ 7 * 7 }} {% raw %} %s $$ &amp;"
BAD = (SCRIPT, TEMPLATE, "unknown % of it")
LIMIT = "<b onclick='alert(1)'>"

TEXTS = StructType([StructField("name", StringType()), StructField("state", StringType())])
FAILED = Contract("orders", TEXTS, (Matches("name", "^[a-z]+$"), InSet("state", ("SP", LIMIT)), NotNull("name")))
PASSED = Contract("payments", TEXTS, (NotNull("name"), RowCountBetween(low=1)))


class Page(HTMLParser):
    """A page as a browser reads it: elements with their attributes, and the visible text."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.styles = ""
        self.text = ""
        self.html = file.read_text(encoding="utf-8")
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "style":
            self.styles += data
        self.text += data

    def attributes(self) -> list[tuple[str, str]]:
        return [each for _, attributes in self.elements for each in attributes.items()]


FRONT_PAGE = FrontPage(
    run_id="2018-10-17",
    stopped_by=["orders: 4 of 5 rows quarantined"],
    tables=[CheckedTable("orders", rows=1005, quarantined=4, rules=2), CheckedTable("payments", 5, 0, 1)],
    failed=[FailedRule("orders", "matches(<b>name</b>)", "quarantine", "a text", "for 4 rows")],
)


@pytest.fixture(scope="module")
def project(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a gate that has validated a table that fails its rules and one that passes them."""
    folder = tmp_path_factory.mktemp("quality")
    gate = Gate(folder, run_id="2018-10-17")
    rows = frame(spark, TEXTS, *((bad, bad) for bad in BAD), ("ann", "SP"))
    validate(gate, rows, FAILED)
    validate(gate, rows, PASSED)
    gate.build_data_docs(FRONT_PAGE)
    return folder


@pytest.fixture(scope="module")
def pages(project: Path) -> dict[str, Page]:
    """The pages, by their path in the site."""
    site = project / "data_docs"
    return {str(file.relative_to(site)): Page(file) for file in sorted(site.rglob("*.html"))}


def results_of(pages: dict[str, Page], table: str) -> Page:
    (page,) = [page for name, page in pages.items() if name.startswith(f"validations/{table}/")]
    return page


def test_the_site_has_an_index_and_for_each_table_its_rules_and_its_results(pages: dict[str, Page]) -> None:
    folders = sorted("/".join(Path(name).parts[:2]) for name in pages)
    assert folders == [
        *("expectations/orders.html", "expectations/payments.html", "index.html"),
        *("validations/orders", "validations/payments"),
    ]
    assert {"orders", "payments"} <= set(re.findall(r"\w+", pages["index.html"].text))


def test_the_front_page_says_what_failed_and_how_often_before_it_lists_suites(pages: dict[str, Page]) -> None:
    text = " ".join(pages["index.html"].text.split())
    parts = [
        "1 rule failed",
        "The run was stopped: orders: 4 of 5 rows quarantined",
        "orders matches(<b>name</b>) quarantine for 4 rows a text",
        "orders 1,005 1,001 4 2",
        "Every rule of every table",
    ]
    places = [text.index(each) for each in parts]
    assert places == sorted(places)
    assert all("1 rule failed" not in page.text for name, page in pages.items() if name != "index.html")


def test_every_link_leads_to_a_page_of_the_site(project: Path, pages: dict[str, Page]) -> None:
    site, reached = (project / "data_docs").resolve(), set()
    for page in pages.values():
        targets = [value for name, value in page.attributes() if name == "href" and not value.startswith("#")]
        files = [(page.file.parent / target.split("#")[0]).resolve() for target in targets]
        assert [str(file) for file in files if not (file.is_file() and file.is_relative_to(site))] == []
        reached |= set(files)
    assert {page.file.resolve() for page in pages.values()} == reached


def test_the_pages_load_nothing_and_run_nothing(project: Path, pages: dict[str, Page]) -> None:
    assert len(pages) == 5
    for page in pages.values():
        tags = {tag for tag, _ in page.elements}
        assert tags.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form"})
        assert "<script" not in page.html.lower()
        assert [
            each for each in page.attributes() if each[0].startswith("on") or "javascript:" in each[1].lower()
        ] == []
        assert [value for _, value in page.attributes() if NETWORK.match(value)] == []
        assert not re.search(r"url\(|@import", page.styles + "".join(v for n, v in page.attributes() if n == "style"))
    assert {file.suffix for file in (project / "data_docs").rglob("*") if file.is_file()} == {".html"}


def test_a_page_names_the_failed_rule_and_shows_the_values_that_failed(pages: dict[str, Page]) -> None:
    text = results_of(pages, "orders").text
    for label in ("matches(name)", "in_set(state)"):
        assert label in text
    assert "expected a text that matches ^[a-z]+$" in text
    assert "alert(1)" not in results_of(pages, "payments").text


@pytest.mark.parametrize("value", BAD)
def test_a_value_is_shown_as_text_whatever_it_means_to_a_browser_or_a_template(
    pages: dict[str, Page], value: str
) -> None:
    # Once for each of the two rules that it fails.
    assert results_of(pages, "orders").text.count(value) >= 2


def test_the_values_of_a_rule_are_shown_as_text_too(pages: dict[str, Page]) -> None:
    for page in (results_of(pages, "orders"), pages["expectations/orders.html"]):
        assert LIMIT in page.text
        assert not any(attributes.get("onclick") for _, attributes in page.elements)


def test_great_expectations_reads_the_suites_on_disk(project: Path) -> None:
    for contract in (FAILED, PASSED):
        stored: dict[str, Any] = json.loads((project / "gx" / "expectations" / f"{contract.table}.json").read_text())
        suite = gx.ExpectationSuite(**stored)
        rules = [each.meta["rule"] for each in suite.expectations if each.meta]
        assert sorted(set(rules)) == sorted(rule.label for rule in contract.rules)
        assert len(rules) == sum(len(rule.gx_expectations(contract.cells)) for rule in contract.rules)


def test_great_expectations_sends_no_usage_statistics(project: Path) -> None:
    settings = (project / "gx" / "great_expectations.yml").read_text()
    assert re.search(r"^analytics_enabled: false$", settings, re.MULTILINE)
