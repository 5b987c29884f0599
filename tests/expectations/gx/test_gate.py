"""The gate: what it costs, what it looks at twice, and the pages that it writes."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import great_expectations as gx
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from expectations.contracts.contract import Contract
from expectations.contracts.olist import CONTRACTS
from expectations.gx.gate import MOST_DETAILED, MOST_EXAMPLES, Gate, build_suite
from expectations.rules import Between, InSet, Matches, MeanBetween, NotAfter, NotNull, NullShareAtMost, RowCountBetween

NETWORK = re.compile(r"\s*((https?:)?//|javascript:)", re.IGNORECASE)
SCRIPT = "<script>alert(1)</script>"
TEMPLATE = "R$ 5 ${name} $name {name} {{ 7 * 7 }} {% raw %} %s $$ &amp;"
BAD = (SCRIPT, TEMPLATE, "unknown % of it")
LIMIT = "<b onclick='alert(1)'>"

TEXTS = StructType([StructField("name", StringType()), StructField("state", StringType())])
BROKEN = Contract("orders", TEXTS, (Matches("name", "^[a-z]+$"), InSet("state", ("SP", LIMIT)), NotNull("name")))
KEPT = Contract("payments", TEXTS, (NotNull("name"), RowCountBetween(low=1)))


def wide(columns: int) -> Contract:
    """A contract of five expectations a column, of five kinds."""
    numbers = [StructField(f"n{place}", IntegerType()) for place in range(columns)]
    texts = [StructField(f"t{place}", StringType()) for place in range(columns)]
    rules = [
        rule
        for number, text in zip(numbers, texts, strict=True)
        for rule in (
            NotNull(number.name, severity="stop"),
            Matches(text.name, "^x", null_passes=True, severity="warn"),
            Between(number.name, low=0, high=9, null_passes=True, severity="stop"),
            NotAfter(number.name, "n0", null_passes=True, severity="stop"),
            MeanBetween(number.name, low=0) if number.name < "n4" else NullShareAtMost(number.name, 0.5),
        )
    ]
    return Contract(f"wide_{columns}", StructType([*numbers, *texts]), tuple(rules))


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return Gate(tmp_path_factory.mktemp("gate"), run_id="2018-10-17")


def test_forty_expectations_cost_as_many_spark_jobs_as_five(spark: SparkSession, gate: Gate) -> None:
    jobs = {}
    context = spark.sparkContext
    for contract in (wide(1), wide(8)):
        columns = len(contract.schema) // 2
        rows = spark.createDataFrame([(*[1] * columns, *["x"] * columns)] * 3, contract.schema).localCheckpoint()
        context.setJobGroup(contract.table, contract.table)
        verdicts = gate.examine(rows=rows, contract=contract)
        assert all(verdict.passed for verdict in verdicts.values())
        jobs[len(build_suite(contract).expectations)] = len(context.statusTracker().getJobIdsForGroup(contract.table))
    assert list(jobs) == [5, 40]
    assert jobs[5] == jobs[40] > 0


def test_only_some_of_the_failed_expectations_are_looked_at_twice_for_some_examples(
    spark: SparkSession, gate: Gate
) -> None:
    names = [f"c{place}" for place in range(MOST_DETAILED + 5)]
    schema = StructType([StructField(name, StringType()) for name in names])
    bad = [tuple(f"{name} {row}" for name in names) for row in range(MOST_EXAMPLES + 5)]
    contract = Contract("failing", schema, tuple(Matches(name, "^good") for name in names))
    verdicts = gate.examine(rows=spark.createDataFrame(bad, schema).localCheckpoint(), contract=contract)

    assert not any(verdict.passed for verdict in verdicts.values())
    examples = {label: verdict.examples for label, verdict in verdicts.items() if verdict.examples}
    assert {label: len(found) for label, found in examples.items()} == {
        f"matches({name})": MOST_EXAMPLES for name in names[:MOST_DETAILED]
    }
    # Each rule has its own, whatever the order in which results come.
    assert all(f"matches({example.split()[0]})" == label for label, found in examples.items() for example in found)


@pytest.mark.parametrize("table", CONTRACTS)
def test_a_suite_has_every_expectation_of_its_contract(table: str) -> None:
    contract = CONTRACTS[table]
    expected = [expected.type for rule in contract.rules for expected in rule.expected(contract.cells)]
    assert [each.expectation_type for each in build_suite(contract).expectations] == expected


class Page(HTMLParser):
    """A page as a browser reads it: elements with their attributes, and the text that is seen."""

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


@pytest.fixture(scope="module")
def project(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a gate that has seen a table that breaks its rules and one that keeps them."""
    folder = tmp_path_factory.mktemp("quality")
    gate = Gate(folder, run_id="2018-10-17")
    rows = spark.createDataFrame([*((bad, bad) for bad in BAD), ("ann", "SP")], TEXTS).localCheckpoint()
    gate.examine(rows=rows, contract=BROKEN)
    gate.examine(rows=rows, contract=KEPT)
    gate.build_data_docs()
    return folder


@pytest.fixture(scope="module")
def pages(project: Path) -> dict[str, Page]:
    """The pages, by their place in the site."""
    site = project / "data_docs"
    return {str(file.relative_to(site)): Page(file) for file in sorted(site.rglob("*.html"))}


def results_of(pages: dict[str, Page], table: str) -> Page:
    (page,) = [page for name, page in pages.items() if name.startswith(f"validations/{table}/")]
    return page


def test_the_site_has_an_index_and_for_each_table_its_rules_and_what_was_found(pages: dict[str, Page]) -> None:
    folders = sorted("/".join(Path(name).parts[:2]) for name in pages)
    assert folders == [
        *("expectations/orders.html", "expectations/payments.html", "index.html"),
        *("validations/orders", "validations/payments"),
    ]
    assert {"orders", "payments"} <= set(re.findall(r"\w+", pages["index.html"].text))


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


def test_a_page_names_the_broken_rule_and_shows_what_broke_it(pages: dict[str, Page]) -> None:
    seen = results_of(pages, "orders").text
    for label in ("matches(name)", "in_set(state)"):
        assert label in seen
    assert "expected a text that matches ^[a-z]+$" in seen
    assert "alert(1)" not in results_of(pages, "payments").text


@pytest.mark.parametrize("value", BAD)
def test_a_value_is_shown_as_it_is_whatever_it_would_mean_to_a_browser_or_a_template(
    pages: dict[str, Page], value: str
) -> None:
    # Once for each of the two rules that it breaks.
    assert results_of(pages, "orders").text.count(value) >= 2


def test_what_a_rule_says_is_no_markup_either(pages: dict[str, Page]) -> None:
    for page in (results_of(pages, "orders"), pages["expectations/orders.html"]):
        assert LIMIT in page.text
        assert not any(attributes.get("onclick") for _, attributes in page.elements)


def test_a_suite_on_disk_is_one_that_great_expectations_reads(project: Path) -> None:
    for contract in (BROKEN, KEPT):
        stored: dict[str, Any] = json.loads((project / "gx" / "expectations" / f"{contract.table}.json").read_text())
        suite = gx.ExpectationSuite(**stored)
        rules = [each.meta["rule"] for each in suite.expectations if each.meta]
        assert sorted(set(rules)) == sorted(rule.label for rule in contract.rules)
        assert len(rules) == sum(len(rule.expected(contract.cells)) for rule in contract.rules)


def test_great_expectations_sends_nothing_home(project: Path) -> None:
    settings = (project / "gx" / "great_expectations.yml").read_text()
    assert re.search(r"^analytics_enabled: false$", settings, re.MULTILINE)
