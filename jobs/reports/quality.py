"""Data quality on the page: rows accepted and quarantined, the rules that failed, and the money that adds up."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.quality.report import DATA_DOCS
from jobs.reports.figures import Figure, Link, Shown, Table, money
from jobs.reports.money_flow import Stage, adds_up, ledger_table, money_stages
from jobs.reports.reported_run import ReportedRun


@dataclass(frozen=True)
class QualitySection:
    """The quality of a run's data.

    Attributes:
        verdict: in a few words.
        tables: a row for each table.
        failed: a row for each failed rule; None where all passed.
        data_docs: the runs whose Data Docs have the details.
        stages: the money from the files to the segments.
        flow: the same as a table.
        adds_up: whether each stage is the one before, less what did not go on.
        ledger: what became of the rows of a ledger; None for another source.
    """

    verdict: str
    tables: Table
    failed: Table | None
    data_docs: Sequence[Link]
    stages: Sequence[Stage]
    flow: Table
    adds_up: bool
    ledger: Table | None


def quality_section(run: ReportedRun) -> QualitySection:
    """The quality of the run's tables, with those of the runs that it continues."""
    checked = list(run.quality())
    quarantined = sum(quality.quarantined - quality.cascaded for _, quality, _ in checked)
    failed: list[list[Shown]] = [
        [table, rule, Figure(rows) if rows is not None else "the table as a whole"]
        for table, quality, _ in checked
        for rule, rows in quality.failed.items()
    ]
    rows: list[list[Shown]] = [
        [
            table,
            Figure(quality.rows),
            Figure(quality.rows - quality.quarantined),
            Figure(quality.quarantined - quality.cascaded),
            Figure(quality.cascaded),
            Figure(quality.rules),
            Figure(len(quality.failed)),
        ]
        for table, quality, _ in checked
    ]
    header = ["table", "rows", "accepted", "quarantined", "cascaded", "rules", "failed rules"]
    stages = money_stages(run.totals)
    return QualitySection(
        verdict=_verdict(quarantined, len(failed)),
        tables=Table("Rows of each table", header, rows),
        failed=Table("Rules that failed", ["table", "rule", "rows"], failed, text_columns=2) if failed else None,
        data_docs=_data_docs(run, [run_id for _, _, run_id in checked]),
        stages=stages,
        flow=_flow(stages),
        adds_up=adds_up(stages),
        ledger=ledger_table(run.totals),
    )


def _verdict(quarantined: int, failed: int) -> str:
    if not failed:
        return "all rules passed"
    rules = f"{failed} rule{'' if failed == 1 else 's'} failed"
    return f"{rules}, {quarantined:,} row{'' if quarantined == 1 else 's'} quarantined" if quarantined else rules


def _data_docs(run: ReportedRun, run_ids: Sequence[str]) -> list[Link]:
    """Data Docs lie in the folder of the run that checked the tables, beside the report or in the next folder."""
    return [
        Link("Data Docs" if run_id == run.run_id else f"Data Docs of run {run_id}", _beside(run, run_id))
        for run_id in dict.fromkeys(run_ids)
    ]


def _beside(run: ReportedRun, run_id: str) -> str:
    return DATA_DOCS if run_id == run.run_id else f"../{run_id}/{DATA_DOCS}"


def _flow(stages: Sequence[Stage]) -> Table:
    """A row for each stage, and one for each cause for which money did not go on."""
    rows: list[Sequence[Shown]] = []
    for place, stage in enumerate(stages):
        causes = stage.removed.items() if place else ()
        rows += [[f"− {cause}", Figure(total.rows), money(total.money)] for cause, total in causes if total.rows]
        rows.append([f"{stage.name} ({stage.rows})", Figure(stage.total.rows), money(stage.money)])
    return Table("The money, stage by stage", ["stage", "rows", "money"], rows)
