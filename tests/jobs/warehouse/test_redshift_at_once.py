"""Publishers at once, and readers while they load: everybody sees one run, and no rows are mixed."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from jobs.warehouse import redshift
from tests.jobs.warehouse.conftest import FEBRUARY_RUN, IS_FEBRUARY, IS_JUNE, JUNE_RUN, InPostgres

SERIALIZATION = "ERROR: 1023\n  Detail: Serializable isolation violation on table - 108263"


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
