"""Whatever fails, readers see one run, nothing is loaded twice, and the error says where it was."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.warehouse import data_api as data_api_module
from jobs.warehouse import redshift
from tests.jobs.warehouse.conftest import FEBRUARY_RUN, IS_FEBRUARY, IS_JUNE, JUNE_RUN, InPostgres
from tests.jobs.warehouse.made_runs import JUNE, spoil
from tests.stand_ins.faults import Faults

SERIALIZATION = "ERROR: 1023\n  Detail: Serializable isolation violation on table - 108263"


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
        (lambda faults: faults.throttle("BatchExecuteStatement", times=99), "ThrottlingException: .*try again later"),
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


def test_while_a_statement_takes_long_readers_see_the_run_before(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds: list[Any] = []
    february.before_the_load(monkeypatch, lambda: holds.append(february.api.hold_statement(20)))
    with february.watched() as seen:
        publishing = threading.Thread(target=february.publish)
        publishing.start()
        wait_for(lambda: bool(holds))
        assert holds[0].reached.wait(20)
        assert february.tables() == IS_FEBRUARY
        holds[0].release()
        publishing.join(30)
    assert seen == [IS_FEBRUARY, IS_JUNE]


def test_of_two_publishers_at_once_one_waits_and_no_rows_are_mixed(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds: list[Any] = []

    def hold_the_first() -> None:
        if not holds:
            holds.append(february.api.hold_statement(12))

    february.before_the_load(monkeypatch, hold_the_first)
    codes: list[int] = []
    first, second = (
        threading.Thread(target=lambda run=run: codes.append(february.publish("--run", run)))
        for run in (JUNE_RUN, FEBRUARY_RUN)
    )
    with february.watched() as seen:
        first.start()
        wait_for(lambda: bool(holds))
        assert holds[0].reached.wait(20)
        second.start()
        wait_for(lambda: len(february.loads()) == 2)
        assert february.tables() == IS_FEBRUARY
        holds[0].release()
        first.join(30)
        second.join(30)
    assert codes == [0, 0]
    # On a busy machine the reader may sleep through the moment of June.
    assert seen in ([IS_FEBRUARY, IS_JUNE, IS_FEBRUARY], [IS_FEBRUARY])
    assert february.runs() == [FEBRUARY_RUN, JUNE_RUN, FEBRUARY_RUN]


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


@pytest.mark.parametrize("conflicts", [1, redshift.ATTEMPTS - 1, redshift.ATTEMPTS])
def test_a_load_that_another_ended_is_begun_anew_a_number_of_times(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch, conflicts: int, capfd: pytest.CaptureFixture[str]
) -> None:
    left = [conflicts]

    def conflict() -> None:
        if left[0]:
            left[0] -= 1
            february.api.fail_statement(4, SERIALIZATION)

    february.before_the_load(monkeypatch, conflict)
    is_too_much = conflicts == redshift.ATTEMPTS
    with february.watched() as seen:
        assert february.publish() == (4 if is_too_much else 0)
    assert seen == ([IS_FEBRUARY] if is_too_much else [IS_FEBRUARY, IS_JUNE])
    assert len({load.request["ClientToken"] for load in february.loads()}) == min(conflicts + 1, redshift.ATTEMPTS)
    assert ("1023" in capfd.readouterr().err) == is_too_much


def test_two_first_publishers_make_the_tables_once(warehouse: InPostgres) -> None:
    codes: list[int] = []
    publishers = [
        threading.Thread(target=lambda run=run: codes.append(warehouse.publish("--run", run)))
        for run in (JUNE_RUN, FEBRUARY_RUN)
    ]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join(60)
    assert codes == [0, 0]
    assert warehouse.tables() == {FEBRUARY_RUN: IS_FEBRUARY, JUNE_RUN: IS_JUNE}[warehouse.runs()[-1]]


SPOILED: list[tuple[str, list[tuple[Any, ...]], str]] = [
    ("customers", [], "2 rows arrived, expected 3 rows"),
    ("orders", [JUNE["orders"][0]] * 2, "4 rows arrived, expected 3 rows"),
    (
        "payments",
        [("o1", 1, "credit_card", 3, JUNE["payments"][0][4] * 2), JUNE["payments"][1]],
        "4 rows worth 50.50 arrived, expected 4 rows worth 40.50",
    ),
    ("transactions", JUNE["transactions"][:1], "3 rows worth 35.00 arrived, expected 4 rows worth 40.50"),
    ("purchases", JUNE["purchases"][:1] * 2, "4 rows worth 56.00 arrived, expected 3 rows worth 40.50"),
    ("rfm", [], "1 rows worth 5.00 arrived, expected 2 rows worth 40.50"),
]


@pytest.mark.parametrize(("table", "rows", "said"), SPOILED)
def test_a_row_lost_doubled_or_changed_on_the_way_fails_the_load(
    february: InPostgres, table: str, rows: list[tuple[Any, ...]], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil(february.output, JUNE_RUN, table, rows, is_told=True)
    assert february.publish() == 3
    assert f": table {table}: {said}. The tables are as they were before" in capfd.readouterr().err
    assert february.tables() == IS_FEBRUARY


def test_figures_that_cannot_be_read_are_said_to_differ_all_the_same(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil(february.output, JUNE_RUN, "rfm", [], is_told=True)
    faults = february.api.service.faults
    february.before_the_load(monkeypatch, lambda: faults.deny("GetStatementResult"))
    assert february.publish() == 3
    error = capfd.readouterr().err
    assert "division by zero); expected customers 3 rows, orders 3 rows, payments 4 rows worth 40.50" in error
    assert february.tables() == IS_FEBRUARY


def test_a_file_changed_after_it_was_looked_at_fails_the_load(
    february: InPostgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    put = redshift.staged

    def changed(folder: str, files: Any) -> Any:
        path = Path(files["orders"][0].path)
        path.write_bytes(path.read_bytes() + b" ")
        return put(folder, files)

    monkeypatch.setattr(redshift, "staged", changed)
    assert february.publish() == 4
    error = capfd.readouterr().err
    assert "could not copy orders into staging" in error
    assert february.tables() == IS_FEBRUARY


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
