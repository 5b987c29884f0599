"""The report made from a run's files, beside them: the page, and its figures as tables for a dashboard."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from jobs.cli import console
from jobs.cli.logs import log_event
from jobs.errors import DataError
from jobs.reports.customers import Customers, SmallCells, count_customers
from jobs.reports.earlier_runs import read_trend
from jobs.reports.figure_tables import figure_files
from jobs.reports.reported_run import ReportedRun, read_reported_run
from jobs.storage.store import RunStore
from jobs.storage.uris import escape_glob
from transforms import schemas

if TYPE_CHECKING:
    from jobs.reports.page import Report

log = logging.getLogger(__name__)

REPORT = "report.html"
JOB_GROUP = "report"


def make_report(session: SparkSession, store: RunStore, run_id: str, *, smallest_cell: int | None = None) -> str:
    """Make the page of a run from its files, and its figures, in place of those that are there.

    The page is written last, so a run with a page has the figures too.

    Two queries count rfm and purchases. Threads meanwhile load the page with its scripts, and read the trend.

    Args:
        session: a session.
        store: the runs.
        run_id: which run.
        smallest_cell: the fewest customers of whom a figure is shown; None for what the run was made with.

    Returns:
        Where the page is, for people.

    Raises:
        ConfigurationError: There is no such run, or it has no scores.
        DataError: A file of the run is missing, or was changed.
        OutsideSystemError: The page or its figures cannot be written.
    """
    started = time.monotonic()
    run = read_reported_run(store, run_id)
    session.sparkContext.setJobGroup(f"{run.run_id} {JOB_GROUP}", JOB_GROUP)
    with console.step_bar(session, JOB_GROUP), ThreadPoolExecutor(max_workers=2) as threads:
        page_code = threads.submit(_page_code)
        trend = threads.submit(read_trend, store, run)
        customers = count_customers(
            rfm=session.read.schema(schemas.RFM).parquet(_uri(store, run, "rfm")),
            purchases=session.read.schema(schemas.PURCHASES).parquet(_uri(store, run, "purchases")),
            as_of=run.as_of,
        )
        _check(customers, run)
        report_class, scripts = page_code.result()
        small_cells = SmallCells(smallest_cell or run.manifest.smallest_cell)
        report = report_class(run, store.output, customers, trend.result(), small_cells)
        page = report.to_html(scripts=scripts)
        store.write_texts(run.run_id, figure_files(report.segments))
        store.write_text(run.run_id, REPORT, page)
    seconds = round(time.monotonic() - started, 2)
    log_event(log, "report written", run_id=run.run_id, bytes=len(page.encode()), seconds=seconds)
    return store.display_path(run.run_id, REPORT)


def _page_code() -> "tuple[type[Report], str]":
    """The class of the page, and its scripts. Importing Altair takes half a second, which no start waits for."""
    report: type[Report] = import_module("jobs.reports.page").Report
    scripts: str = import_module("jobs.reports.scripts").chart_scripts()
    return report, scripts


def _uri(store: RunStore, run: ReportedRun, table: str) -> str:
    path = run.manifest.tables.get(table)
    if path is None:
        raise DataError(f"the manifest of run {run.run_id} names no table {table}, expected one. Name another run")
    return escape_glob(store.folder.uri(*path.split("/")))


def _check(customers: Customers, run: ReportedRun) -> None:
    """See that the customers that were counted are those of the manifest, segment by segment.

    Raises:
        DataError: They are not.
    """
    by_code = {each.code: each for each in run.segments.segments}
    for segment in run.card.scored_by.segment_map.segments:
        counted, stated = customers.of_cells(segment.cells), by_code.get(segment.code)
        if stated is None or (counted.customers, counted.revenue) != (stated.customers, stated.revenue):
            expected = f"{stated.customers:,} worth {stated.revenue:,.2f}" if stated else "none"
            raise DataError(
                f"rfm of run {run.run_id}: found {counted.customers:,} customers worth {counted.revenue:,.2f} in "
                f"segment {segment.code}, expected those of the manifest: {expected}. Files of a run are never edited: "
                "restore them"
            )
