"""The tables of a report against DuckDB, which reads the tables of the run by itself."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.jobs.reports.pages import Cell, Page
from transforms.changes import NEW, STEPS, VANISHED

GRID = "Customers by days since the last purchase and "
CLUSTERS = "Clusters, and the average customer of each"
MATRIX = "Customers by segment then and now"
FLOW = "The money, stage by stage"
ONE_IN = 1e-9


class RunTables:
    """The tables of a run, for DuckDB."""

    def __init__(self, output: Path, run_id: str) -> None:
        self.manifest: dict[str, Any] = json.loads((output / "runs" / run_id / "manifest.json").read_text())
        self._paths = {name: output / path for name, path in self.manifest["tables"].items()}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            for name in ("rfm", "purchases", "customer_segments", "segment_changes"):
                if name in self._paths:
                    connection.execute(f"create view {name} as from read_parquet('{self._paths[name]}/*.parquet')")
            return connection.execute(sql).fetchall()


def tokens(text: str) -> tuple[str | Decimal, ...]:
    """The words and numbers of a band, however numbers are written."""
    numbers = text.replace(",", "") if re.search(r"\d,\d", text) else text.replace(",", " ")
    return tuple(Decimal(each) if each[0].isdigit() else each for each in re.findall(r"[a-z]+|[\d.]+", numbers))


def is_hidden(cell: Cell) -> bool:
    return isinstance(cell, str)


def assert_segments(page: Page, run: RunTables) -> None:
    """Each segment that is shown has the figures of its customers, and those without customers have zeros."""
    [(customers, revenue)] = run.query("select count(*), sum(total_value) from rfm")
    expected = {
        code: (count, count / customers, money, money / revenue, per_purchase, days)
        for code, count, money, per_purchase, days in run.query(
            "select segment_code, count(*), sum(total_value), sum(total_value) / sum(purchase_count), "
            "avg(days_since_last_purchase) from rfm group by 1"
        )
    }
    *rows, total = page.tables["Segments"]
    assert total[1:4:2] == [customers, revenue]
    for name, *cells in rows:
        [code] = re.findall(r"\bR[FM]\d\d\b", str(name))
        if code not in expected:
            assert cells[:3:2] == [0, 0]
        elif not is_hidden(cells[0]):
            assert cells[:3:2] == list(expected[code][:3:2])
            assert list(map(float, cells[:6])) == pytest.approx(list(map(float, expected[code])), rel=ONE_IN)


def assert_grid(page: Page, run: RunTables) -> None:
    """Each cell that is shown has the number of customers with both bands."""
    [caption] = [caption for caption in page.tables if caption.startswith(GRID)]
    across = "f" if caption.endswith("and purchases") else "m"
    expected = {
        (tokens(r_band), tokens(band)): count
        for r_band, band, count in run.query(f"select r_band, {across}_band, count(*) from rfm group by all")
    }
    bands = [tokens(name.removesuffix(" purchases")) for name in page.headers[caption][1:]]
    shown = hidden = 0
    for r_band, *cells in page.tables[caption]:
        assert len(cells) == len(bands)
        for band, cell in zip(bands, cells, strict=True):
            customers = str(cell).split()[0]
            if customers.isdigit():
                assert int(customers) == expected.get((tokens(str(r_band).removesuffix(" days")), band), 0)
                shown += int(customers)
            else:
                hidden += 1
    assert (shown == sum(expected.values())) == (hidden == 0)
    assert hidden != 1


def assert_distributions(page: Page, run: RunTables) -> None:
    """Each range that is shown has the customers whose value is in it."""
    for name, column in (
        ("days since the last purchase", "days_since_last_purchase"),
        ("purchases", "purchase_count"),
        ("money spent in all", "total_value"),
    ):
        values = [row[0] for row in run.query(f"select {column} from rfm")]
        rows = page.tables[f"Customers by {name}"]
        for label, customers in rows:
            if isinstance(customers, Decimal):
                assert customers == sum(map(_is_in(str(label)), values)), label
        if not any(is_hidden(customers) for _, customers in rows):
            assert sum(customers for _, customers in rows if isinstance(customers, Decimal)) == len(values)


def _is_in(label: str) -> Any:
    """Whether a value is in the range of a label such as "14 to 27", "7 or more" or "10.00 to below 12.50"."""
    low, high = (Decimal(bound.replace(",", "")) for bound in (re.findall(r"[\d,.]+", label) * 2)[:2])
    if label == "below 0":
        return lambda value: value < 0
    if label.endswith("or more"):
        return lambda value: value >= low
    if "to below" in label:
        return lambda value: low <= value < high
    return lambda value: low <= value <= high


def assert_months(page: Page, run: RunTables) -> None:
    """Each month that is shown has its purchases and their money, and a month without any is there."""
    expected = {
        month: cells
        for month, *cells in run.query(
            "select strftime(order_purchase_time, '%Y-%m'), count(*) filter (value >= 0), sum(value) from purchases "
            "group by 1"
        )
    }
    rows = {str(month): cells for month, *cells in page.tables["Purchases by month"]}
    assert expected.keys() <= rows.keys()
    for month, cells in rows.items():
        if not is_hidden(cells[0]):
            assert cells == expected.get(month, [0, 0])


def assert_clusters(page: Page, run: RunTables) -> None:
    """Each cluster that is shown has the figures of its customers."""
    expected = {
        name: (customers, revenue, weeks, purchases)
        for name, customers, revenue, weeks, purchases in run.query(
            "select cluster_name, count(*), sum(total_value), avg(recency_weeks), avg(purchase_count) from rfm "
            "join customer_segments using (customer_unique_id) group by 1"
        )
    }
    shown = {str(name).rsplit(" ", 1)[0]: cells for name, *cells in page.tables[CLUSTERS]}
    assert len(shown) == len(expected)
    for name, cells in shown.items():
        # The name of a hidden cluster may have a figure of its customers in it.
        assert (name in expected) != is_hidden(cells[0])
        if name in expected:
            assert (cells[0], cells[2]) == expected[name][:2]
            assert [float(cells[place]) for place in (4, 5)] == pytest.approx(list(expected[name][2:]), rel=ONE_IN)


def assert_flow(page: Page, run: RunTables) -> None:
    """The first stage is the money in the files, the last what the customers spent, and all between add up."""
    [(spent,)] = run.query("select sum(total_value) from rfm")
    files = next(each for each in run.manifest["totals"] if (each["table"], each["kind"]) == ("payments", "read"))
    money = Decimal(0)
    for place, (stage, _, amount) in enumerate(page.tables[FLOW]):
        assert isinstance(amount, Decimal)
        if place == 0:
            money = amount
            assert money == Decimal(files["money"])
        elif str(stage).startswith("−"):
            money -= amount
        else:
            assert amount == money
    assert money == spent


def assert_changes(page: Page, run: RunTables) -> None:
    """What is shown of the changes is what the run's own tables have, and adds up to the customers now."""
    ways = {
        (start, end): count
        for start, end, count in run.query(
            "select from_segment_code, to_segment_code, count(*) from segment_changes group by all"
        )
    }
    stayed = "where customer_unique_id not in (select customer_unique_id from segment_changes) group by all"
    ways |= {(code, code): count for code, count in run.query(f"select segment_code, count(*) from rfm {stayed}")}
    codes = [*page.headers[MATRIX][1:-1], None]
    for (_, *cells), start in zip(page.tables[MATRIX], codes, strict=True):
        for cell, end in zip(cells, codes, strict=True):
            assert is_hidden(cell) or cell == ways.get((start, end), 0)
    causes = dict(run.query("select cause, count(*) from segment_changes group by all"))
    figures = [row[1] for row in page.tables["What became of the customers"][3:-1]]
    for figure, cause in zip(figures, (*STEPS, VANISHED, NEW), strict=True):
        assert is_hidden(figure) or figure == causes.get(cause, 0)
    now = dict(run.query("select segment_code, count(*) from rfm group by 1"))
    for name, then, *differences, customers in page.tables["Segments, from then to now"][:-1]:
        assert is_hidden(customers) or customers == now.get(str(name).rsplit(" ", 1)[1], 0)
        if not any(map(is_hidden, (then, *differences, customers))):
            assert sum(map(int, differences), int(then)) == customers


def assert_same_figures(page: Page, run: RunTables) -> None:
    """Every table of the page that counts customers or money has the figures of the run's tables."""
    for check in (assert_segments, assert_grid, assert_distributions, assert_months, assert_flow):
        check(page, run)
    if "customer_segments" in run.manifest["tables"]:
        assert_clusters(page, run)
    if "segment_changes" in run.manifest["tables"]:
        assert_changes(page, run)
