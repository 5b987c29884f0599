"""Rows that were lost, doubled or changed on the way to Redshift: the load fails, and readers see the run before."""

from pathlib import Path
from typing import Any

import pytest

from jobs.warehouse import redshift
from tests.jobs.warehouse.conftest import IS_FEBRUARY, JUNE_RUN, InPostgres
from tests.jobs.warehouse.made_runs import JUNE, spoil

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
