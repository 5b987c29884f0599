"""Two publishers at once, and readers during a load: everybody sees the rows of one run."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from jobs.warehouse import redshift
from tests.jobs.warehouse.conftest import FEBRUARY_TABLES, JUNE_TABLES, RedshiftPublication
from tests.jobs.warehouse.small_runs import FEBRUARY_RUN, JUNE_RUN

SERIALIZATION = "ERROR: 1023\n  Detail: Serializable isolation violation on table - 108263"


def test_readers_see_the_previous_run_during_a_slow_statement(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds: list[Any] = []
    february.before_each_load(monkeypatch, lambda: holds.append(february.api.hold_statement(20)))
    with february.states_seen() as states:
        publishing = threading.Thread(target=february.publish)
        publishing.start()
        wait_for(lambda: bool(holds))
        assert holds[0].reached.wait(20)
        assert february.tables() == FEBRUARY_TABLES
        holds[0].release()
        publishing.join(30)
    assert states == [FEBRUARY_TABLES, JUNE_TABLES]


def test_two_publishers_at_once_load_one_after_the_other(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds: list[Any] = []

    def hold_first_load() -> None:
        if not holds:
            holds.append(february.api.hold_statement(12))

    february.before_each_load(monkeypatch, hold_first_load)
    codes: list[int] = []
    first, second = (
        threading.Thread(target=lambda run=run: codes.append(february.publish("--run", run)))
        for run in (JUNE_RUN, FEBRUARY_RUN)
    )
    with february.states_seen() as states:
        first.start()
        wait_for(lambda: bool(holds))
        assert holds[0].reached.wait(20)
        second.start()
        wait_for(lambda: len(february.loads()) == 2)
        assert february.tables() == FEBRUARY_TABLES
        holds[0].release()
        first.join(30)
        second.join(30)
    assert codes == [0, 0]
    # On a busy machine the reader may miss the short time of June.
    assert states in ([FEBRUARY_TABLES, JUNE_TABLES, FEBRUARY_TABLES], [FEBRUARY_TABLES])
    assert february.runs() == [FEBRUARY_RUN, JUNE_RUN, FEBRUARY_RUN]


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("the condition did not hold within 20 s")


@pytest.mark.parametrize("conflicts", [1, redshift.MAX_ATTEMPTS - 1, redshift.MAX_ATTEMPTS])
def test_a_load_is_retried_after_a_conflict_up_to_the_limit(
    february: RedshiftPublication, monkeypatch: pytest.MonkeyPatch, conflicts: int, capfd: pytest.CaptureFixture[str]
) -> None:
    remaining = [conflicts]

    def conflict() -> None:
        if remaining[0]:
            remaining[0] -= 1
            february.api.fail_statement(4, SERIALIZATION)

    february.before_each_load(monkeypatch, conflict)
    is_over_limit = conflicts == redshift.MAX_ATTEMPTS
    with february.states_seen() as states:
        assert february.publish() == (4 if is_over_limit else 0)
    assert states == ([FEBRUARY_TABLES] if is_over_limit else [FEBRUARY_TABLES, JUNE_TABLES])
    assert len({load.request["ClientToken"] for load in february.loads()}) == min(conflicts + 1, redshift.MAX_ATTEMPTS)
    assert ("1023" in capfd.readouterr().err) == is_over_limit


def test_two_first_publishers_create_the_tables_once(warehouse: RedshiftPublication) -> None:
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
    assert warehouse.tables() == {FEBRUARY_RUN: FEBRUARY_TABLES, JUNE_RUN: JUNE_TABLES}[warehouse.runs()[-1]]
