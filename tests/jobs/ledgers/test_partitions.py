"""A ledger in one folder for each day: what a window does not count is not opened."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.inputs.typed_rows import read_typed
from tests.frames import at
from tests.jobs.ledgers.ledger_runs import assert_accounted, run_ledger, summed

pytestmark = pytest.mark.usefixtures("spark")

AS_OF = "2018-06-30"
FIRST, FIRST_READ = date(2018, 5, 31), date(2018, 5, 29)
"""The first day that counts of the month until then, and the first that is read: a folder's may be another zone's."""
MAPPING = """
customer_id_col: who
datetime_col: at
monetary_value_col: paid
transaction_id_col: id
currency: EUR
"""

Row = tuple[int, str, str, Decimal]


def moves() -> list[Row]:
    """Rows from April to July: some on each day."""
    random = Random(3)
    days = [date(2018, 4, 15) + timedelta(days=number) for number in range(80)]
    rows = []
    for number in range(320):
        day, hour = days[number % len(days)], random.choice(("00:00:00", "12:30:00", "23:59:59"))
        rows.append((number, f"c{random.randrange(40)}", f"{day} {hour}", Decimal(random.randrange(1, 99999)) / 100))
    return rows


def write_parquet(file: Path, rows: Sequence[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    ids, people, times, paid = zip(*rows, strict=True)
    columns = {
        "id": pa.array(ids),
        "who": pa.array(people),
        "at": pa.array([at(time) for time in times], pa.timestamp("us")),
        "paid": pa.array(paid, pa.decimal128(12, 2)),
    }
    pq.write_table(pa.table(columns), file)


def by_day(rows: Sequence[Row]) -> dict[str, list[Row]]:
    days: dict[str, list[Row]] = {}
    for row in rows:
        days.setdefault(row[2][:10], []).append(row)
    return days


@pytest.mark.long
def test_files_of_days_before_the_window_are_not_opened_and_nobody_misses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, folder, opened = moves(), tmp_path / "moves", []
    for day, of_day in by_day(rows).items():
        file = folder / f"day={day}" / "part-0.parquet"
        write_parquet(file, of_day)
        # The folder of the day before the window is read too, since it may be that of another time zone.
        if date.fromisoformat(day) < FIRST_READ:
            file.write_bytes(b"no Parquet")
    write_parquet(tmp_path / "whole.parquet", rows)

    def noted(*arguments: object) -> object:
        frame = read_typed(*arguments)
        opened.append(frame.inputFiles())
        return frame

    monkeypatch.setattr("jobs.runs.reading.read_typed", noted)
    window = ("--window-months", "1")
    run = run_ledger(tmp_path, f"{MAPPING}partitioned_by: day\n", folder, *window)
    monkeypatch.undo()

    unread = [day for day in by_day(rows) if date.fromisoformat(day) < FIRST_READ]
    [files] = run.manifest["inputs"]["files"]
    assert files["not_opened"] == {"partition": "day", "before": str(FIRST_READ), "files": len(unread)}
    read = {Path(file["path"]).parent.name for file in files["files"]}
    assert read == {f"day={day}" for day in by_day(rows)} - {f"day={day}" for day in unread}
    assert {Path(file).parent.name for each in opened for file in each} == read
    assert_accounted(run)
    kept = [row for row in rows if row[2][:10] not in unread]
    assert run.at("ledger read") == summed(("", row[3]) for row in kept)
    assert run.parts("excluded") == {
        "purchased_after_as_of": summed(("", row[3]) for row in rows if row[2][:10] > AS_OF),
        "purchased_before_window": summed(("", row[3]) for row in rows if str(FIRST_READ) <= row[2][:10] < str(FIRST)),
    }

    whole = run_ledger(tmp_path, MAPPING, tmp_path / "whole.parquet", *window, run_id="whole")
    assert_accounted(whole)
    assert "not_opened" not in whole.manifest["inputs"]["files"][0]
    for table in ("transactions", "purchases", "rfm"):
        assert run.rows(table) == whole.rows(table)
    assert run.card == whole.card
