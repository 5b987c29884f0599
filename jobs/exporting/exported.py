"""An export: the rows that a query chose, each in its arm, written in one pass to the list and to the members."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.audiences.audience import (
    MEMBERS_FILE,
    Audience,
    ExportedFile,
    ExportedList,
    ListFormat,
    Members,
    SegmentOfAudience,
)
from jobs.cli.code_version import code_version
from jobs.errors import ConfigurationError, DataError
from jobs.exporting.choice import BEFORE, CHANGE, CODE, CUSTOMER, NOW, PREVIOUS, Choice, list_query
from jobs.exporting.destination import Destination
from jobs.exporting.holdout import Draw
from jobs.exporting.list_files import ParquetFile, arrow, closing, list_files
from jobs.querying.engine import MEMORY, duckdb_package, first_line
from jobs.querying.views import QueriedRun, open_runs
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from transforms.audiences.arms import ARMS, CHANGES, CONTROL, TREATMENT
from transforms.bounded_text import shown
from transforms.schemas import AUDIENCES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_AT_A_TIME = 65_536

Counts = Counter[tuple[str | None, str | None, str]]
"""Members by segment code, change and arm."""


@dataclass(frozen=True)
class Export:
    """What is exported.

    Attributes:
        run: the manifest of the run.
        choice: who is on the list.
        segments: the chosen segments of that run; empty for all.
        form: of the list.
        before: the manifest of the run since which changes are listed; None for a full list.
        campaign: its name; None without one.
        draw: how customers are held back; None where all are treated.
    """

    run: Manifest
    choice: Choice
    segments: Sequence[SegmentOfAudience]
    form: ListFormat
    before: Manifest | None = None
    campaign: str | None = None
    draw: Draw | None = None

    @property
    def columns(self) -> list[str]:
        """The columns of the list, in their order."""
        return [CUSTOMER, CODE, *self.choice.further, *((CHANGE, PREVIOUS) if self.before else ())]

    @property
    def audience_id(self) -> str:
        """The same for the same choice of the same run, in whatever form it is written.

        Further columns count in a list of changes alone, where they decide who is on it.
        """
        holdout = self.draw.record() if self.draw else None
        choice = {
            "run": [self.run.run_id, self.run.configuration_hash],
            "segments": sorted(each.code for each in self.segments),
            "where": self.choice.where,
            "changes_since": [self.before.run_id, *self.choice.further] if self.before else None,
            "campaign": self.campaign,
            "holdout": [str(holdout.share), holdout.key_id] if holdout else None,
        }
        return hashlib.sha256(json.dumps(choice, sort_keys=True).encode()).hexdigest()


def export_audience(store: RunStore, export: Export, destination: Destination) -> tuple[Audience, Counts]:
    """Write an audience, whole or not at all.

    The customers are read once. What does not fit into memory while they are sorted goes to a temporary folder.

    Returns:
        The record, and how many members there are by segment, change and arm.

    Raises:
        ConfigurationError: The condition fails on a row, rfm lacks a column, a package is not installed, or the
            destination exists.
        DataError: A file of a run is not as its manifest says.
        OutsideSystemError: A disk, a service or DuckDB failed; nothing is left that could be taken for an export.
    """
    arrow()
    runs = [QueriedRun(NOW, export.run, ("rfm",))]
    if export.before is not None:
        runs.append(QueriedRun(BEFORE, export.before, ("rfm",)))
    with destination.opened() as folder:
        with open_runs(store, runs, check_files=True) as connection:
            connection.execute(f"set memory_limit = '{MEMORY}'")
            for run in runs:
                _check_columns(connection, run, export.choice)
            exported, members, counts = _write(connection, export, folder)
        audience = _record(export, exported, members, counts)
        destination.complete(folder, audience)
    return audience, counts


def _check_columns(connection: "DuckDBPyConnection", run: QueriedRun, choice: Choice) -> None:
    """See that the rfm of a run has the columns that the list needs.

    Raises:
        ConfigurationError: It lacks one.
    """
    present = {row[0] for row in connection.execute(f"describe {run.schema}.rfm").fetchall()}
    missing = sorted(choice.read - present)
    if missing:
        raise ConfigurationError(
            f"run {run.manifest.run_id}: rfm has no column {', '.join(missing)}, expected it for this list; an earlier "
            "release made the run. Run the pipeline again, or list other columns"
        )


def _write(
    connection: "DuckDBPyConnection", export: Export, folder: Path
) -> tuple[list[ExportedFile], ExportedFile, Counts]:
    query = list_query(export.choice, export.segments, has_before=export.before is not None)
    duckdb = duckdb_package()
    try:
        with connection.sql(query).to_arrow_reader(batch_size=ROWS_AT_A_TIME) as batches:
            return _write_batches(batches, export, folder)
    except (duckdb.DataError, duckdb.ProgrammingError) as error:
        if export.choice.where is None:
            raise
        raise ConfigurationError(
            f"--where {shown(export.choice.where)}: {first_line(error)}, expected a condition that has a value for "
            "every row of rfm. try_cast and nullif keep a row from failing"
        ) from None


def _write_batches(batches: Any, export: Export, folder: Path) -> tuple[list[ExportedFile], ExportedFile, Counts]:
    pa = arrow()
    of_list = pa.schema([batches.schema.field(name) for name in export.columns])
    constant = _constant_columns(export)
    counts: Counts = Counter()
    members = ParquetFile(folder / MEMBERS_FILE, _members_schema())
    with closing(members), list_files(folder, export.form, of_list) as listed:
        for batch in batches:
            rows = pa.Table.from_batches([batch])
            arms = _arms(export.draw, rows[CUSTOMER])
            members.write(_members(rows, arms, constant))
            counts += _counted(rows, arms)
            rows = rows.select(export.columns)
            listed.write(rows if export.draw is None else rows.filter(arrow("pyarrow.compute").equal(arms, TREATMENT)))
        return listed.finish(), members.finish()[0], counts


def _arms(draw: Draw | None, customers: Any) -> Any:
    pa = arrow()
    if draw is None:
        return pa.repeat(pa.scalar(TREATMENT), len(customers))
    return pa.array(draw.arms(customers.to_pylist()), pa.string())


def _members_schema() -> Any:
    """The columns of `transforms.schemas.AUDIENCES` as Arrow has them."""
    pa = arrow()
    types = {"string": pa.string(), "date": pa.date32()}
    return pa.schema([(field.name, types[field.dataType.simpleString()]) for field in AUDIENCES.fields])


def _constant_columns(export: Export) -> Mapping[str, Any]:
    pa = arrow()
    return {
        "audience_id": pa.scalar(export.audience_id),
        "campaign": pa.scalar(export.campaign, pa.string()),
        "run_id": pa.scalar(export.run.run_id),
        "as_of": pa.scalar(export.run.as_of, pa.date32()),
    }


def _members(rows: Any, arms: Any, constant: Mapping[str, Any]) -> Any:
    pa = arrow()
    columns = {name: pa.repeat(value, rows.num_rows) for name, value in constant.items()}
    columns |= {name: rows[name] for name in (CUSTOMER, CODE, CHANGE, PREVIOUS)}
    return pa.table({**columns, "arm": arms}, schema=_members_schema())


def _counted(rows: Any, arms: Any) -> Counts:
    keys = arrow().table({CODE: rows[CODE], CHANGE: rows[CHANGE], "arm": arms})
    counted = keys.group_by([CODE, CHANGE, "arm"]).aggregate([([], "count_all")])
    return Counter({(row[CODE], row[CHANGE], row["arm"]): row["count_all"] for row in counted.to_pylist()})


def _record(export: Export, exported: list[ExportedFile], members: ExportedFile, counts: Counts) -> Audience:
    arms = {arm: sum(count for (_, _, of), count in counts.items() if of == arm) for arm in ARMS}
    rows = sum(file.rows for file in exported)
    if (rows, members.rows) != (arms[TREATMENT], sum(arms.values())):
        raise DataError(
            f"the list of run {export.run.run_id} does not reconcile: found {rows:,} rows in it and {members.rows:,} "
            f"members, expected {arms[TREATMENT]:,} and {sum(arms.values()):,}. Nothing was exported; run again"
        )
    changes = {
        change: sum(n for (_, of, arm), n in counts.items() if (of, arm) == (change, TREATMENT)) for change in CHANGES
    }
    before = export.before
    return Audience.model_validate(
        {
            "audience_id": export.audience_id,
            "campaign": export.campaign,
            "run_id": export.run.run_id,
            "as_of": export.run.as_of.isoformat(),
            "segments": list(export.segments),
            "where": export.choice.where,
            "columns": export.columns,
            "changes_since": {"run_id": before.run_id, "as_of": before.as_of.isoformat()} if before else None,
            "holdout": export.draw.record() if export.draw else None,
            "exported": ExportedList(
                format=export.form, rows=rows, files=exported, changes=changes if before else None
            ),
            "members": Members(**members.model_dump(), treatment=arms[TREATMENT], control=arms[CONTROL]),
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "code": code_version(),
        }
    )
