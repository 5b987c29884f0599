"""Failed loads and changed rows: readers see one run, nothing loads twice, and the error names the cause."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.warehouse import data_api as data_api_module
from jobs.warehouse import redshift
from tests.fakes.http.faults import Faults
from tests.jobs.warehouse.conftest import FEBRUARY_TABLES, JUNE_TABLES, RedshiftPublication
from tests.jobs.warehouse.small_runs import CHANGED_ROWS, FEBRUARY_RUN, JUNE_RUN, replace_first_file
from tests.log_lines import without_logs


@pytest.mark.long
def test_a_failure_at_any_statement_leaves_the_previous_run(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    number = 0
    names = february.before_each_load(monkeypatch, lambda: february.api.fail_statement(number))
    with february.states_seen() as states:
        while number == 0 or number < len(names):
            number += 1
            assert february.publish() == (3 if names[number - 1 : number] == [redshift.CHECK_TOTALS] else 4)
            error = capfd.readouterr().err
            failed = names[number - 1]
            assert (failed in error and "Disk Full" in error) or failed == redshift.CHECK_TOTALS
            assert "unchanged" in error
            assert len(without_logs(error)) == 1
    assert number == len(names) > 25
    assert states == [FEBRUARY_TABLES]
    assert february.runs() == [FEBRUARY_RUN]
    assert february.staged_keys() == []


def test_a_failure_at_the_commit_leaves_the_previous_run(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    february.before_each_load(monkeypatch, february.api.fail_commit)
    assert february.publish() == 4
    assert "could not load run 2018-06-30-june: could not commit: " in capfd.readouterr().err
    assert february.tables() == FEBRUARY_TABLES


@pytest.mark.parametrize(
    "set_fault",
    [
        lambda faults: faults.fail("BatchExecuteStatement", times=2),
        lambda faults: faults.throttle("BatchExecuteStatement", times=3),
        lambda faults: faults.drop_before("BatchExecuteStatement", times=2),
        lambda faults: faults.throttle("DescribeStatement", times=3),
        lambda faults: faults.drop_before("DescribeStatement", times=2),
        lambda faults: faults.fail("DescribeStatement", times=2),
    ],
    ids=["errors", "throttling", "broken-connections", "throttled-polls", "broken-polls", "failing-polls"],
)
def test_temporary_faults_are_retried(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch, set_fault: Callable[[Faults], None]
) -> None:
    february.before_each_load(monkeypatch, lambda: set_fault(february.api.service.faults))
    with february.states_seen() as states:
        assert february.publish() == 0
    assert states == [FEBRUARY_TABLES, JUNE_TABLES]
    assert len(february.loads()) == 1
    assert february.runs() == [FEBRUARY_RUN, JUNE_RUN]


def test_a_connection_lost_after_the_commit_causes_no_second_load(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch
) -> None:
    february.before_each_load(monkeypatch, february.api.drop_after_commit)
    with february.states_seen() as states:
        assert february.publish() == 0
    assert states == [FEBRUARY_TABLES, JUNE_TABLES]
    assert len(february.loads()) == 1
    assert february.runs() == [FEBRUARY_RUN, JUNE_RUN]


@pytest.mark.parametrize(
    ("set_fault", "problem"),
    [
        (lambda faults: faults.deny("BatchExecuteStatement"), "AccessDeniedException: User: .* Grant what docs"),
        (lambda faults: faults.expire("BatchExecuteStatement"), "ExpiredTokenException: .* Renew the credentials"),
        (lambda faults: faults.throttle("BatchExecuteStatement", times=99), "ThrottlingException: .*Run again later"),
    ],
    ids=["denied", "expired", "throttled"],
)
def test_a_permanent_fault_ends_in_one_line_that_says_what_to_do(
    february: RedshiftPublication,
    monkeypatch: pytest.MonkeyPatch,
    set_fault: Callable[[Faults], None],
    problem: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    february.before_each_load(monkeypatch, lambda: set_fault(february.api.service.faults))
    assert february.publish() == 4
    error = capfd.readouterr().err
    assert f"could not load run {JUNE_RUN}: " in error
    assert len(without_logs(error)) == 1
    assert re.search(problem, error)
    assert february.tables() == FEBRUARY_TABLES
    assert february.staged_keys() == []


@pytest.mark.parametrize(
    ("set_fault", "problem"),
    [
        (lambda faults: faults.fail("BatchExecuteStatement", times=99), "InternalServerException"),
        (lambda faults: faults.drop_before("BatchExecuteStatement", times=99), "Check the network and the region"),
    ],
    ids=["broken", "unreachable"],
)
def test_an_unanswered_load_is_reported_as_possibly_started(
    february: RedshiftPublication,
    monkeypatch: pytest.MonkeyPatch,
    set_fault: Callable[[Faults], None],
    problem: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    february.before_each_load(monkeypatch, lambda: set_fault(february.api.service.faults))
    assert february.publish() == 4
    error = capfd.readouterr().err
    assert problem in error
    assert "The batch may have started; check pipeline_runs" in error
    assert february.tables() == FEBRUARY_TABLES
    assert february.staged_keys() != []


def test_a_load_that_cannot_be_followed_is_reported_as_started(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    faults = february.api.service.faults
    february.before_each_load(monkeypatch, lambda: faults.fail("DescribeStatement", times=99))
    assert february.publish() == 4
    error = capfd.readouterr().err
    [load] = february.loads()
    assert f"Batch {load.id} has started, and its outcome is unknown; check pipeline_runs" in error
    load.done.wait(10)
    assert february.tables() == JUNE_TABLES


def test_ctrl_c_cancels_the_load_and_leaves_the_previous_run(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    holds: list[Any] = []
    february.before_each_load(monkeypatch, lambda: holds.append(february.api.hold_statement(10)))
    wait = data_api_module.DataApiClient._wait

    def interrupted_wait(client: Any, statement_id: str, statements: Any, *, title: str) -> None:
        if holds:
            assert holds[0].reached.wait(20)
            raise KeyboardInterrupt
        wait(client, statement_id, statements, title=title)

    monkeypatch.setattr(data_api_module.DataApiClient, "_wait", interrupted_wait)
    assert february.publish() == 130
    assert "interrupted; what was there before is as it was" in capfd.readouterr().err
    assert february.loads()[0].status == "ABORTED"
    assert february.tables() == FEBRUARY_TABLES
    assert february.staged_keys() == []


def test_ctrl_c_after_the_commit_reports_the_committed_load(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wait = data_api_module.DataApiClient._wait

    def interrupted_wait(client: Any, statement_id: str, statements: Any, *, title: str) -> None:
        wait(client, statement_id, statements, title=title)
        if title.startswith("load run"):
            raise KeyboardInterrupt

    monkeypatch.setattr(data_api_module.DataApiClient, "_wait", interrupted_wait)
    assert february.publish() == 4
    assert "interrupted, but load run 2018-06-30-june is FINISHED" in capfd.readouterr().err
    assert february.tables() == JUNE_TABLES


@pytest.mark.parametrize(("table", "rows", "difference"), CHANGED_ROWS)
def test_a_lost_duplicated_or_changed_row_fails_the_load(
    february: RedshiftPublication,
    table: str,
    rows: list[tuple[Any, ...]],
    difference: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    replace_first_file(february.output, JUNE_RUN, table, rows, in_manifest=True)
    assert february.publish() == 3
    assert f": table {table}: {difference} as in the run's manifest. The tables are unchanged" in capfd.readouterr().err
    assert february.tables() == FEBRUARY_TABLES


def test_a_difference_is_reported_even_if_the_totals_cannot_be_read(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    replace_first_file(february.output, JUNE_RUN, "rfm", [], in_manifest=True)
    faults = february.api.service.faults
    february.before_each_load(monkeypatch, lambda: faults.deny("GetStatementResult"))
    assert february.publish() == 3
    error = capfd.readouterr().err
    assert "division by zero), expected customers 3 rows, orders 3 rows, payments 4 rows worth 40.50" in error
    assert february.tables() == FEBRUARY_TABLES


def test_a_file_that_changes_after_its_check_fails_the_load(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    staged_files = redshift.staged_files

    def staged_after_change(folder: str, files: Any) -> Any:
        path = Path(files["orders"][0].path)
        path.write_bytes(path.read_bytes() + b" ")
        return staged_files(folder, files)

    monkeypatch.setattr(redshift, "staged_files", staged_after_change)
    assert february.publish() == 4
    error = capfd.readouterr().err
    assert "could not copy orders into staging" in error
    assert february.tables() == FEBRUARY_TABLES
