"""The members of an audience, joined in DuckDB with what they bought in a later run, and added up by arm."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.audiences.members_file import RESTORE, members_file
from jobs.errors import ConfigurationError, DataError
from jobs.lifting.comparison import PURCHASES, Comparison
from jobs.querying.engine import duckdb_package, first_line
from jobs.querying.views import QueriedRun, open_runs, rows_of_parquet
from jobs.storage.store import RunStore
from transforms.audiences.arms import CONTROL, TREATMENT, Arm
from transforms.audiences.lift import ArmFigures, Lift

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LATER = "later"

MEMBERS = """
select customer_unique_id, arm, change, audience_id from {file}
"""

CHECK = """
select
    count(*),
    count(distinct customer_unique_id),
    count(*) filter (arm = 'treatment'),
    count(*) filter (arm = 'control'),
    count(*) filter (audience_id is distinct from $audience_id)
from members
"""

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
where change in ('came', 'moved') or not $is_of_changes
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
        _read_members(connection, Path(file.path), comparison)
        parameters = {
            "first": comparison.days.first,
            "last": comparison.days.last,
            "is_of_changes": comparison.audience.changes_since is not None,
        }
        rows = {row[0]: row[1:] for row in connection.execute(COUNTS, parameters).fetchall()}
    arms: tuple[Arm, Arm] = (TREATMENT, CONTROL)
    figures = {arm: ArmFigures(*rows.get(arm, NOBODY)[:4]) for arm in arms}
    absent = {arm: int(rows.get(arm, NOBODY)[4]) for arm in arms}
    members = sum(arm.members for arm in figures.values())
    if members and sum(absent.values()) == members:
        raise ConfigurationError(
            f"run {comparison.later.run_id} has no purchase of any of the {members:,} members, expected those of the "
            f"customers of run {comparison.audience.run_id}. Check --output and --run"
        )
    lift = Lift(figures[TREATMENT], figures[CONTROL], comparison.holdout)
    ids = sorted(customer for arm in arms for customer in rows.get(arm, NOBODY)[5])
    return Arms(lift, absent, tuple(ids))


def _read_members(connection: "DuckDBPyConnection", file: Path, comparison: Comparison) -> None:
    """Make a view of the members, after a check of who is in it.

    Raises:
        DataError: It is no Parquet file, or does not have the members that the record of the audience states.
    """
    duckdb, recorded = duckdb_package(), comparison.audience.members
    name = comparison.folder.display_path(recorded.name)
    try:
        connection.execute(f"create view members as {MEMBERS.format(file=rows_of_parquet([file]))}")
    except duckdb.Error as error:
        raise DataError(f"{name}: cannot be read as the members ({first_line(error)}). {RESTORE}") from None
    row = connection.execute(CHECK, {"audience_id": comparison.audience.audience_id}).fetchone()
    rows, customers, treatment, control, of_others = row or (0,) * 5
    if of_others:
        raise DataError(f"{name}: found {of_others:,} members of another audience, expected none. {RESTORE}")
    actual = (rows, customers, treatment, control)
    if actual != (recorded.rows, recorded.rows, recorded.treatment, recorded.control):
        raise DataError(
            f"{name}: found {rows:,} rows, {customers:,} customers, {treatment:,} in treatment and {control:,} in "
            f"control, expected {recorded.rows:,} customers, {recorded.treatment:,} and {recorded.control:,}. {RESTORE}"
        )
