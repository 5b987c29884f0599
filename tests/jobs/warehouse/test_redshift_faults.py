"""Whatever fails, readers see one run, nothing is loaded twice, and the error says where it was."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from jobs.warehouse import data_api as data_api_module
from jobs.warehouse import redshift
from tests.fakes.http.faults import Faults
from tests.jobs.warehouse.conftest import FEBRUARY_RUN, IS_FEBRUARY, IS_JUNE, JUNE_RUN, InPostgres


def test_a_fault_at_any_statement_leaves_the_run_before(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    number = 0
    names = february.before_the_load(monkeypatch, lambda: february.api.fail_statement(number))
    with february.watched() as seen:
        while number == 0 or number < len(names):
            number += 1
            assert february.publish() == (3 if names[number - 1 : number] == [redshift.CHECK] else 4)
            error = capfd.readouterr().err
            failed = names[number - 1]
            assert (failed in error and "Disk Full" in error) or failed == redshift.CHECK
            assert "as they were before" in error
            assert error.count("\n") == 1
    assert number == len(names) > 25
    assert seen == [IS_FEBRUARY]
    assert february.runs() == [FEBRUARY_RUN]
    assert february.staged() == []


def test_a_fault_at_the_commit_leaves_the_run_before(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    february.before_the_load(monkeypatch, february.api.fail_commit)
    assert february.publish() == 4
    assert "could not commit, and so not load run 2018-06-30-june: " in capfd.readouterr().err
    assert february.tables() == IS_FEBRUARY


@pytest.mark.parametrize(
    "ask",
    [
        lambda faults: faults.fail("BatchExecuteStatement", times=2),
        lambda faults: faults.throttle("BatchExecuteStatement", times=3),
        lambda faults: faults.drop_before("BatchExecuteStatement", times=2),
        lambda faults: faults.throttle("DescribeStatement", times=3),
        lambda faults: faults.drop_before("DescribeStatement", times=2),
        lambda faults: faults.fail("DescribeStatement", times=2),
    ],
    ids=["errors", "throttling", "broken-connections", "throttled-looks", "broken-looks", "failing-looks"],
)
def test_what_passes_is_lived_through(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Faults], None]
) -> None:
    february.before_the_load(monkeypatch, lambda: ask(february.api.service.faults))
    with february.watched() as seen:
        assert february.publish() == 0
    assert seen == [IS_FEBRUARY, IS_JUNE]
    assert len(february.loads()) == 1
    assert february.runs() == [FEBRUARY_RUN, JUNE_RUN]


def test_a_connection_lost_after_the_commit_is_no_second_load(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    february.before_the_load(monkeypatch, february.api.drop_after_commit)
    with february.watched() as seen:
        assert february.publish() == 0
    assert seen == [IS_FEBRUARY, IS_JUNE]
    assert len(february.loads()) == 1
    assert february.runs() == [FEBRUARY_RUN, JUNE_RUN]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda faults: faults.deny("BatchExecuteStatement"), "AccessDeniedException: User: .* Grant what docs"),
        (lambda faults: faults.expire("BatchExecuteStatement"), "ExpiredTokenException: .* Renew the credentials"),
        (lambda faults: faults.throttle("BatchExecuteStatement", times=99), "ThrottlingException: .*Run again later"),
    ],
    ids=["denied", "expired", "throttled"],
)
def test_what_does_not_pass_ends_in_a_line_that_says_what_to_do(
    february: InPostgres,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Faults], None],
    said: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    february.before_the_load(monkeypatch, lambda: ask(february.api.service.faults))
    assert february.publish() == 4
    error = capfd.readouterr().err
    assert f"could not load run {JUNE_RUN}: " in error
    assert error.count("\n") == 1
    assert re.search(said, error)
    assert february.tables() == IS_FEBRUARY
    assert february.staged() == []


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda faults: faults.fail("BatchExecuteStatement", times=99), "InternalServerException"),
        (lambda faults: faults.drop_before("BatchExecuteStatement", times=99), "Check the network and the region"),
    ],
    ids=["broken", "unreachable"],
)
def test_a_load_of_which_nothing_is_heard_is_said_to_be_open(
    february: InPostgres,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Faults], None],
    said: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    february.before_the_load(monkeypatch, lambda: ask(february.api.service.faults))
    assert february.publish() == 4
    error = capfd.readouterr().err
    assert said in error
    assert "Whether it was begun is not known: see pipeline_runs" in error
    assert february.tables() == IS_FEBRUARY
    assert february.staged() != []


def test_a_load_of_which_nothing_more_is_heard_is_said_to_be_open(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    faults = february.api.service.faults
    february.before_the_load(monkeypatch, lambda: faults.fail("DescribeStatement", times=99))
    assert february.publish() == 4
    error = capfd.readouterr().err
    [load] = february.loads()
    assert f"Batch {load.id} was begun, and how it ends is not known: see pipeline_runs" in error
    load.done.wait(10)
    assert february.tables() == IS_JUNE


def test_ctrl_c_stops_the_load_and_leaves_the_run_before(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    holds: list[Any] = []
    february.before_the_load(monkeypatch, lambda: holds.append(february.api.hold_statement(10)))
    ended = data_api_module.DataApi._ended

    def interrupted(client: Any, statement_id: str, statements: Any, *, title: str) -> None:
        if holds:
            assert holds[0].reached.wait(20)
            raise KeyboardInterrupt
        ended(client, statement_id, statements, title=title)

    monkeypatch.setattr(data_api_module.DataApi, "_ended", interrupted)
    assert february.publish() == 130
    assert "interrupted; what was there before is as it was" in capfd.readouterr().err
    assert february.loads()[0].status == "ABORTED"
    assert february.tables() == IS_FEBRUARY
    assert february.staged() == []


def test_ctrl_c_after_the_commit_does_not_say_that_nothing_was_done(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ended = data_api_module.DataApi._ended

    def interrupted(client: Any, statement_id: str, statements: Any, *, title: str) -> None:
        ended(client, statement_id, statements, title=title)
        if title.startswith("load run"):
            raise KeyboardInterrupt

    monkeypatch.setattr(data_api_module.DataApi, "_ended", interrupted)
    assert february.publish() == 4
    assert "interrupted, but load run 2018-06-30-june is FINISHED" in capfd.readouterr().err
    assert february.tables() == IS_JUNE
