"""Exported audiences in the fake Redshift: each replaces its own rows and no others, in one transaction."""

from pathlib import Path
from typing import Any

import pytest

from jobs import publish
from jobs.storage.s3 import S3Folder
from jobs.warehouse import data_api as data_api_module
from jobs.warehouse import redshift_statements
from tests.fakes.environment import COPY_ROLE
from tests.jobs.audiences.written_audiences import (
    DAILY_ROWS,
    DIFFERENCES,
    SPRING,
    SPRING_ROWS,
    Difference,
    write_audience,
)
from tests.jobs.warehouse.conftest import FEBRUARY_TABLES, JUNE_TABLES, RedshiftPublication
from tests.jobs.warehouse.small_runs import FEBRUARY_RUN, JUNE_RUN
from tests.jobs.warehouse.test_redshift_statements import AUDIENCE_LOAD
from tests.log_lines import without_logs

ROWS = "select * from rfm.audiences order by audience_id, customer_unique_id"


def load(warehouse: RedshiftPublication, audience: Path | str) -> int:
    target = ("--warehouse", "redshift://segments/dev/rfm", "--staging", f"s3://{warehouse.bucket}/staging")
    return publish.main(["--audience", str(audience), *target, "--iam-role", COPY_ROLE])


@pytest.fixture
def spring(tmp_path: Path) -> Path:
    return write_audience(tmp_path / "spring", SPRING_ROWS)


@pytest.fixture
def daily(tmp_path: Path) -> Path:
    return write_audience(tmp_path / "daily", DAILY_ROWS)


def test_an_empty_warehouse_takes_an_audience_and_staging_is_empty_then(
    warehouse: RedshiftPublication, spring: Path
) -> None:
    assert load(warehouse, spring) == 0
    assert warehouse.query(ROWS) == SPRING_ROWS
    assert warehouse.staged_keys() == []


def test_two_audiences_are_side_by_side_and_loads_of_runs_leave_them(
    february: RedshiftPublication, spring: Path, daily: Path
) -> None:
    assert [load(february, spring), load(february, daily), load(february, spring)] == [0, 0, 0]
    assert february.query(ROWS) == [*SPRING_ROWS, *DAILY_ROWS]
    assert february.tables() == FEBRUARY_TABLES
    assert february.publish() == 0
    assert february.query(ROWS) == [*SPRING_ROWS, *DAILY_ROWS]
    assert february.tables() == JUNE_TABLES
    assert february.runs() == [FEBRUARY_RUN, JUNE_RUN]


def test_an_export_in_s3_is_read_where_it_is(warehouse: RedshiftPublication, spring: Path) -> None:
    S3Folder(warehouse.bucket).copy_in(spring, "lists", "spring")
    before = warehouse.staged_keys()
    assert load(warehouse, f"s3://{warehouse.bucket}/lists/spring") == 0
    assert warehouse.query(ROWS) == SPRING_ROWS
    assert warehouse.staged_keys() == before


def test_a_changed_object_is_refused(
    warehouse: RedshiftPublication, spring: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (spring / "members.parquet").write_bytes(b"others")
    S3Folder(warehouse.bucket).copy_in(spring, "lists", "spring")
    assert load(warehouse, f"s3://{warehouse.bucket}/lists/spring") == 3
    assert "lists/spring/members.parquet was changed: found 6 bytes" in capfd.readouterr().err
    assert warehouse.api.executions == []


@pytest.mark.parametrize("case", DIFFERENCES[::2], ids=["too-few", "a-customer-twice"])
def test_counts_that_differ_from_the_record_roll_the_load_back(
    february: RedshiftPublication, tmp_path: Path, daily: Path, case: Difference, capfd: pytest.CaptureFixture[str]
) -> None:
    rows, recorded, difference = case
    assert load(february, daily) == 0
    assert load(february, write_audience(tmp_path / "other", rows, recorded)) == 3
    [line] = without_logs(capfd.readouterr().err)
    assert f"audience {SPRING}: {difference} as in audience.json. The tables are unchanged (batch " in line
    assert "; members.parquet has the checksum in audience.json, so the latter was changed: restore" in line
    assert february.query(ROWS) == DAILY_ROWS


@pytest.mark.long
def test_a_failure_at_any_statement_leaves_the_table_as_it_was(
    february: RedshiftPublication,
    spring: Path,
    daily: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert load(february, daily) == 0
    run_batch = data_api_module.DataApiClient.run_batch
    numbers = iter(range(1, len(AUDIENCE_LOAD) + 1))

    def run_and_fail(client: Any, title: str, statements: Any, *, token: str) -> None:
        assert [statement.name for statement in statements] == [statement.name for statement in AUDIENCE_LOAD]
        february.api.fail_statement(next(numbers))
        run_batch(client, title, statements, token=token)

    monkeypatch.setattr(data_api_module.DataApiClient, "run_batch", run_and_fail)
    for statement in AUDIENCE_LOAD:
        is_check = statement.name == redshift_statements.CHECK_MEMBERS
        assert load(february, spring) == (3 if is_check else 4)
        assert ("found other totals" if is_check else f"could not {statement.name}: ") in capfd.readouterr().err
        assert february.query(ROWS) == DAILY_ROWS
    assert february.staged_keys() == []


def test_grants_survive_and_a_second_load_creates_nothing(
    february: RedshiftPublication, spring: Path, daily: Path
) -> None:
    assert load(february, spring) == 0
    february.execute("grant select on rfm.audiences to public")
    february.api.executions.clear()
    assert load(february, daily) == 0
    granted = "select table_name from information_schema.role_table_grants where grantee = 'PUBLIC'"
    assert february.query(f"{granted} and table_schema = 'rfm'") == [("audiences",)]
    sent = [statement.sql for execution in february.api.executions for statement in execution.statements]
    assert not [sql for sql in sent if sql.startswith(("create table", "create schema", "alter", "drop"))]
