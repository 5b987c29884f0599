"""The figures of the page as tables for a dashboard, made from the sections of the page: the two cannot differ."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from pyspark.sql.types import StructType

from jobs.reports.clusters import cluster_table
from jobs.reports.customers import SmallCells
from jobs.reports.figures import Figure, Named, Table
from jobs.reports.money_flow import money_stages
from jobs.reports.reported_run import ReportedRun
from jobs.reports.segments import SegmentSection
from transforms.figure_schemas import FIGURES
from transforms.schemas import MONEY

FOLDER = "figures"
FILE = "part-00000.json"
"""The one file of each table: the figures are a few hundred rows."""

SMALLEST_AMOUNT = Decimal(1).scaleb(-MONEY.scale)

NOTHING_LOST = (None, None)

Value = str | int | float | Decimal | date | None
Row = Mapping[str, Value]

MEASURES: Mapping[str, str] = {"f": "frequency", "m": "monetary"}
"""The measure across the grid, by letter."""

SEGMENT_COLUMNS: Mapping[str, str] = {
    "customers": "customers",
    "share_of_customers": "of customers",
    "revenue": "revenue",
    "share_of_revenue": "of revenue",
    "value_per_purchase": "per purchase",
    "days_since_last_purchase": "days since last",
    "customers_change": "change",
}
"""The columns of `segment_figures`, and those of the page's table that they are."""

CLUSTER_COLUMNS: Mapping[str, str] = {
    "customers": "customers",
    "share_of_customers": "of customers",
    "revenue": "revenue",
    "recency": "weeks since last",
    "frequency": "purchases",
    "monetary": "per purchase",
}
"""The columns of `cluster_figures`, and those of the page's table that they are."""


def figure_files(section: SegmentSection) -> Mapping[str, str]:
    """The figures of a run as JSON, a row to a line, by the name of the file in the run's folder.

    A page that hides all figures lacks the sections about them. Then no table has a row.

    Args:
        section: the segments of the page, with the run and what may not be shown of it.
    """
    run = section.run
    rows: dict[str, Iterator[Row]] = {}
    if not section.all_hidden:
        rows = {
            "segment_figures": _segments(section),
            "grid_figures": _grid(section),
            "trend_figures": _trend(section),
            "cluster_figures": _clusters(run, section.small_cells),
            "quality_figures": _quality(run),
            "rule_figures": _rules(run),
            "money_figures": _money(run),
        }
    return {
        f"{FOLDER}/{table}/{FILE}": "".join(_line(row, schema, run.as_of) for row in rows.get(table, ()))
        for table, schema in FIGURES.items()
    }


def _segments(section: SegmentSection) -> Iterator[Row]:
    for named, values in _rows(section.table(), SEGMENT_COLUMNS):
        is_hidden = named.code in section.hidden
        yield {"segment_code": named.code, "segment": named.name, **values, "is_hidden": is_hidden}


def _grid(section: SegmentSection) -> Iterator[Row]:
    grid, bands = section.grid(), section.run.card.scored_by.bands
    for score, (recency, cells) in zip(bands["r"].scores, grid.rows, strict=True):
        for other_score, other, cell in zip(bands[grid.across].scores, grid.columns, cells, strict=True):
            yield {
                "recency_score": score,
                "recency": recency.text,
                "other_measure": MEASURES[grid.across],
                "other_score": other_score,
                "other": other.text,
                "segments": ", ".join(cell.segments),
                "customers": cell.customers.value,
                "value_per_customer": cell.per_customer.value,
                "is_hidden": cell.customers.value is None,
            }


def _trend(section: SegmentSection) -> Iterator[Row]:
    for segment, points in section.trends:
        for day, figure in points:
            # A share has no value for no customers either, and then nothing is hidden.
            yield {
                "as_of": date.fromisoformat(day),
                "segment": segment,
                "share_of_customers": figure.value,
                "is_hidden": bool(figure.instead),
            }


def _clusters(run: ReportedRun, small_cells: SmallCells) -> Iterator[Row]:
    for named, values in _rows(cluster_table(run, small_cells), CLUSTER_COLUMNS):
        is_hidden = values["customers"] is None
        yield {"cluster": int(named.code), "cluster_name": named.name, **values, "is_hidden": is_hidden}


def _quality(run: ReportedRun) -> Iterator[Row]:
    for table, quality, _ in run.quality():
        quarantined = quality.quarantined - quality.cascaded
        yield {
            "table_name": table,
            "rows_read": quality.rows,
            "rows_accepted": quality.rows - quality.quarantined,
            "rows_quarantined": quarantined,
            "rows_cascaded": quality.cascaded,
            "share_quarantined": quarantined / quality.rows if quality.rows else None,
        }


def _rules(run: ReportedRun) -> Iterator[Row]:
    for table, quality, _ in run.quality():
        for rule, rows in quality.failed.items():
            yield {"table_name": table, "rule": rule, "failed_rows": rows}


def _money(run: ReportedRun) -> Iterator[Row]:
    """A row for each stage, and one for each further cause. Only the first of a stage has its money: so it adds up."""
    for number, stage in enumerate(money_stages(run.totals), start=1):
        causes = stage.removed.items() if number > 1 else ()
        lost = [(cause, total.money) for cause, total in causes if total.rows]
        for place, (cause, amount) in enumerate(lost or [NOTHING_LOST]):
            money = None if place else stage.money
            yield {"stage_number": number, "stage": stage.name, "money": money, "lost": amount, "cause": cause}


def _rows(table: Table, columns: Mapping[str, str]) -> Iterator[tuple[Named, dict[str, Value]]]:
    """The rows of a table of the page: what each is about, and its figures under other names. No column, no figure."""
    for named, *cells in table.rows:
        values = dict(zip(table.header[1:], [cell.value for cell in cells if isinstance(cell, Figure)], strict=True))
        if isinstance(named, Named):
            yield named, {column: values.get(header) for column, header in columns.items()}


def _line(row: Row, schema: StructType, as_of: date) -> str:
    values = {"as_of": as_of, **row}
    return "{" + ", ".join(f'"{name}": {_as_json(values[name])}' for name in schema.fieldNames()) + "}\n"


def _as_json(value: Value) -> str:
    """A value as JSON. An amount is a number with all its places, and a day is a text: so Athena reads both exactly."""
    if isinstance(value, Decimal):
        return f"{value.quantize(SMALLEST_AMOUNT, ROUND_HALF_UP):f}"
    return json.dumps(value.isoformat() if isinstance(value, date) else value, ensure_ascii=False, allow_nan=False)
