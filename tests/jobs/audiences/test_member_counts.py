"""How many members there are: counted by SQL, as the record states them, and in words where they differ."""

from pathlib import Path

import duckdb

from jobs.audiences.audience import read_audience
from jobs.audiences.member_counts import MemberCounts, count_query
from jobs.storage.local import LocalFolder
from tests.jobs.audiences.written_audiences import DAILY_ROWS, SPRING, SPRING_ROWS, write_audience


def counted(folder: Path, rows: list[tuple[object, ...]]) -> MemberCounts:
    members = write_audience(folder, rows) / "members.parquet"
    query = count_query(f"read_parquet('{members}')", f"audience_id = '{SPRING}'")
    [counts] = duckdb.sql(query).fetchall()
    return MemberCounts(*counts)


def test_members_of_the_audience_are_counted_by_arm(tmp_path: Path) -> None:
    assert counted(tmp_path / "both", [*SPRING_ROWS, *DAILY_ROWS]) == MemberCounts(3, 3, 2, 1)
    assert counted(tmp_path / "none", DAILY_ROWS) == MemberCounts(0, 0, 0, 0)
    assert counted(tmp_path / "twice", [*SPRING_ROWS, SPRING_ROWS[0]]) == MemberCounts(4, 3, 3, 1)


def test_a_record_states_as_many_customers_as_members(tmp_path: Path) -> None:
    audience = read_audience(LocalFolder(write_audience(tmp_path / "spring", SPRING_ROWS)))
    assert MemberCounts.of(audience) == MemberCounts(3, 3, 2, 1)


def test_a_difference_has_both_counts_in_words() -> None:
    expected = MemberCounts(3000, 3000, 2000, 1000)
    assert MemberCounts(3000, 3000, 2000, 1000).difference(expected) is None
    assert MemberCounts(3000, 2999, 2000, 1000).difference(expected) == (
        "found 3,000 members of 2,999 customers (2,000 treatment, 1,000 control), expected 3,000 members "
        "(2,000 treatment, 1,000 control) as in audience.json"
    )
