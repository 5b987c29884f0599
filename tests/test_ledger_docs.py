"""docs/ledger.md is correct: each worked example runs from its mapping alone, and ends in the tables that it shows."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs.pipeline import main

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("spark")]

PAGE = (Path(__file__).parent.parent / "docs" / "ledger.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^### (.*?)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(csv|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"^\|([^\n]*)\|\n\|[-:| ]+\|\n((?:\|[^\n]*\|\n)+)", re.MULTILINE)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def tables_of(text: str) -> list[tuple[list[str], list[list[str]]]]:
    """The header and the rows of each table of an example."""
    return [(cells(head), [cells(line) for line in body.splitlines()]) for head, body in TABLE.findall(text)]


def amount(text: str) -> str:
    return f"{float(text):,.2f}"


def entries_of(manifest: dict[str, Any], currencies: list[str]) -> dict[str, list[str]]:
    """What the manifest says of the ledger's rows, by the words of the page."""
    words = {"read": "in the files", "counted": "counts as {}", "excluded": "{}"}
    figures_by_name = {}
    for entry in manifest["totals"]:
        kind, part = entry["kind"], entry.get("part", "").replace("_", " ")
        if entry["table"] == "quarantine/ledger":
            name = "quarantined"
        elif entry["table"] == "ledger" and kind in words:
            name = words[kind].format(part)
        else:
            continue
        money = entry.get("money_by_currency", {})
        sums = [entry["money"]] if "money" in entry else [money.get(currency, "0") for currency in currencies]
        figures_by_name[name] = [f"{entry['rows']:,}", *map(amount, sums)]
    return {name: figures for name, figures in figures_by_name.items() if figures[0] != "0"}


@pytest.mark.parametrize(("title", "text"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_an_example_runs_from_its_mapping_alone_and_ends_as_the_page_shows(
    tmp_path: Path, title: str, text: str
) -> None:
    blocks = BLOCK.findall(text)
    [ledger, *rates] = [content for kind, content in blocks if kind == "csv"]
    [mapping] = [content for kind, content in blocks if kind == "yaml"]
    (tmp_path / "export.csv").write_text(ledger, encoding="utf-8")
    (tmp_path / "ledger.yml").write_text(mapping, encoding="utf-8")
    for content in rates:
        (tmp_path / "rates.csv").write_text(content, encoding="utf-8")
    source = ["--source", "ledger", "--mapping", str(tmp_path / "ledger.yml"), "--input", str(tmp_path / "export.csv")]
    output = ["--output", str(tmp_path / "output"), "--max-quarantined", "0.5", "--kmeans", "none"]
    assert main(["--as-of", "2018-10-17", *source, *output]) == 0, title
    [run] = (tmp_path / "output" / "runs").iterdir()
    (header, rows), (_, customers) = tables_of(text)
    manifest = json.loads((run / "manifest.json").read_text())
    assert entries_of(manifest, header[2:]) == {name: figures for name, *figures in rows}
    query = f"""
        select customer_unique_id, purchase_count, last_purchase_time, total_value
        from '{run}/rfm/*.parquet' order by customer_unique_id
    """
    written = [
        [customer, f"{count}", f"{last:%Y-%m-%d %H:%M:%S}", f"{total:,.2f}"]
        for customer, count, last, total in duckdb.sql(query).fetchall()
    ]
    assert written == customers
    assert manifest["source"]["currency"] in tables_of(text)[1][0][-1]


def test_the_page_has_three_examples() -> None:
    assert len(EXAMPLES) == 3
