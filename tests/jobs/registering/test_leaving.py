"""The registration that a run leaves, where it is broken off: the run is complete, and the line says how to go on."""

from typing import Any

import pytest

from jobs.registering import leaving
from jobs.registering.glue import GlueCatalogue
from jobs.registering.leaving import leave_in_catalogue
from jobs.storage.store import RunStore
from tests.fakes.environment import CATALOGUE
from tests.jobs.registering.catalogued import MONDAY, Lake, places


def test_a_signal_ends_the_registration_with_the_command(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    lake.put_run(MONDAY)
    monkeypatch.setattr(GlueCatalogue, "partitions", interrupt)
    command = f"python -m jobs.catalogue --output {lake.output} --run {MONDAY} --catalogue {CATALOGUE}"
    with pytest.raises(KeyboardInterrupt) as interrupted:
        leave_in_catalogue(RunStore(lake.output), GlueCatalogue(CATALOGUE), MONDAY)
    assert str(interrupted.value) == (
        f"a part of it may be in the catalogue. Run {MONDAY} is complete; register it with: {command}"
    )


def test_a_fault_of_this_code_waits_for_what_follows_and_stays_what_it_is(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = ValueError("a fault of the registration")

    def fail(*_: Any) -> None:
        raise fault

    lake.put_run(MONDAY)
    monkeypatch.setattr(leaving, "register", fail)
    left = leave_in_catalogue(RunStore(lake.output), GlueCatalogue(CATALOGUE), MONDAY)
    with pytest.raises(ValueError, match="a fault of the registration") as raised:
        left.raise_if_failed()
    assert raised.value is fault


def test_a_run_without_a_catalogue_leaves_nothing(lake: Lake) -> None:
    lake.put_run(MONDAY)
    leave_in_catalogue(RunStore(lake.output), None, MONDAY).raise_if_failed()
    assert lake.service.calls == []
    leave_in_catalogue(RunStore(lake.output), GlueCatalogue(CATALOGUE), MONDAY).raise_if_failed()
    assert lake.current() == places(MONDAY)
