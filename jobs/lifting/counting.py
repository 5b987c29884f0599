"""The members of an audience, joined in DuckDB with what they bought in a later run, and added up by arm."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.audiences.member_counts import RESTORE_RECORD, MemberCounts, count_query
from jobs.audiences.members_file import members_file
from jobs.errors import ConfigurationError, DataError
from jobs.lifting.comparison import PURCHASES, Comparison
from jobs.querying.engine import MEMORY, duckdb_package, first_line
from jobs.querying.views import QueriedRun, literal, open_runs, rows_of_parquet
from jobs.storage.store import RunStore
from transforms.audiences.arms import ARMS, CONTROL, TREATMENT, WRITTEN_TO, Arm
from transforms.audiences.lift import ArmFigures, Lift

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LATER = "later"

COUNTS = """
with bought as (
    select
        customer_unique_id,
        count(*) filter (is_measured and value >= 0) as purchases,
        coalesce(sum(value) filter (is_measured), 0)::decimal(19, 4) as value
    from (
        select *, order_purchase_time::date between $first and $last as is_measured
        from later.purchases
        where customer_unique_id in (select customer_unique_id from members)
    )
    group by customer_unique_id
)
select
    arm,
    count(*),
    count(*) filter (purchases > 0),
    coalesce(sum(value), 0),
    coalesce(sum(value * value), 0),
    count(*) filter (bought.customer_unique_id is null),
    coalesce(min(customer_unique_id, 3) filter (bought.customer_unique_id is null), [])
from members left join bought using (customer_unique_id)
where list_contains($written_to, change) or not $is_of_changes
group by arm
"""
"""By arm: members, buyers, money and its squares, and who has no purchase at all. A return counts in money alone."""

NOBODY: tuple[Any, ...] = (0, 0, Decimal(0), Decimal(0), 0, [])
"""The figures of an arm without members."""


@dataclass(frozen=True)
class Arms:
    """What the members of both arms did.

    Attributes:
        lift: their figures beside each other.
        absent: by arm, how many members the later run does not have; they count as having bought nothing.
        absent_ids: the first of their ids.
    """

    lift: Lift
    absent: Mapping[Arm, int]
    absent_ids: tuple[str, ...]


def count_arms(store: RunStore, comparison: Comparison) -> Arms:
    """Count what the members of both arms bought in the days that are measured.

    All members count as they were assigned. Of an audience of changes, those count who came or moved, since nothing
    new reached the others.

    Args:
        store: the runs.
        comparison: the audience, the run and the days.

    Raises:
        ConfigurationError: The run has none of the members. Or the package duckdb is not installed.
        DataError: A file of the audience or of the run is not the one that was written.
        OutsideSystemError: A file cannot be read.
    """
    run = QueriedRun(LATER, comparison.later, (PURCHASES,))
    with (
        members_file(comparison.folder, comparison.audience.members, on_disk=True) as file,
        open_runs(store, [run], check_files=True) as connection,
    ):
        connection.execute(f"set memory_limit = '{MEMORY}'")
        _read_members(connection, Path(file.path), comparison)
        parameters = {
            "first": comparison.days.first,
            "last": comparison.days.last,
            "written_to": list(WRITTEN_TO),
            "is_of_changes": comparison.audience.changes_since is not None,
        }
        rows = {row[0]: row[1:] for row in connection.execute(COUNTS, parameters).fetchall()}
    figures = {arm: ArmFigures(*rows.get(arm, NOBODY)[:4]) for arm in ARMS}
    absent = {arm: int(rows.get(arm, NOBODY)[4]) for arm in ARMS}
    members = sum(arm.members for arm in figures.values())
    if members and sum(absent.values()) == members:
        raise ConfigurationError(
            f"run {comparison.later.run_id} has no purchase of any of the {members:,} members, expected those of the "
            f"customers of run {comparison.audience.run_id}. Check --output and --run"
        )
    lift = Lift(figures[TREATMENT], figures[CONTROL], comparison.holdout)
    ids = sorted(customer for arm in ARMS for customer in rows.get(arm, NOBODY)[5])
    return Arms(lift, absent, tuple(ids))


def _read_members(connection: "DuckDBPyConnection", file: Path, comparison: Comparison) -> None:
    """Make a view of the members, after a check of who is in it.

    Raises:
        DataError: It is no Parquet file, or does not have the members that the record of the audience states.
    """
    duckdb, audience = duckdb_package(), comparison.audience
    name = comparison.folder.display_path(audience.members.name)
    condition = f"audience_id = {literal(audience.audience_id)}"
    try:
        connection.execute(
            "create view members as\nselect customer_unique_id, arm, change, audience_id\n"
            f"from {rows_of_parquet([file])}\nwhere {condition}"
        )
    except duckdb.Error as error:
        raise DataError(f"{name}: cannot be read as the members ({first_line(error)}); {RESTORE_RECORD}") from None
    [counts] = connection.execute(count_query("members", condition)).fetchall()
    difference = MemberCounts(*counts).difference(MemberCounts.of(audience))
    if difference:
        raise DataError(f"{name}: {difference}; {RESTORE_RECORD}")
