"""What is loaded is what the run wrote, and all of it."""

from pathlib import Path

import pytest

from jobs import publish
from jobs.errors import ConfigurationError, DataError
from jobs.runs.totals import Total
from jobs.storage.store import RunStore
from jobs.warehouse.load_plan import EVERY_RUN_HAS, run_to_load
from tests.frames import money
from tests.jobs.warehouse.made_runs import JUNE, make_run, spoil
from transforms.schemas import KEYS, MONEY_COLUMNS, TABLES

RUN = "2018-06-30-june"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    make_run(tmp_path, RUN, JUNE)
    return tmp_path


def test_a_table_is_its_files_and_its_total(output: Path) -> None:
    tables = {table.name: table for table in run_to_load(RunStore(str(output)), None).tables}
    assert list(tables) == list(TABLES)
    assert tables["payments"].total == Total(4, money("40.50"))
    assert tables["customers"].total == Total(3)
    assert [file.name for file in tables["rfm"].files] == ["part-0.snappy.parquet", "part-1.snappy.parquet"]


def test_every_table_has_a_key_and_its_money_in_one_of_its_columns() -> None:
    assert set(TABLES) == set(KEYS)
    assert set(EVERY_RUN_HAS) <= set(TABLES)
    assert all(column in TABLES[table].fieldNames() for table, column in MONEY_COLUMNS.items())


@pytest.mark.parametrize("table", JUNE)
def test_a_file_that_was_changed_is_refused_with_both_figures(
    output: Path, table: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = output / "runs" / RUN / table / "part-1.snappy.parquet"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"x")
    assert publish.main(["--output", str(output), "--warehouse", f"duckdb:{output}/w.duckdb"]) == 3
    error = capfd.readouterr().err
    assert f"table {table}: part-1.snappy.parquet was changed: found {size + 1:,} bytes" in error
    assert f"expected {size:,} bytes" in error
    assert not (output / "w.duckdb").exists()


def test_a_file_of_the_same_size_and_other_content_is_refused(output: Path) -> None:
    path = output / "runs" / RUN / "rfm" / "part-0.snappy.parquet"
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"table rfm: part-0.snappy.parquet was changed: found .* SHA-256"):
        run_to_load(RunStore(str(output)), RUN)


def test_a_file_that_is_missing_or_new_is_refused(output: Path) -> None:
    folder = output / "runs" / RUN / "orders"
    (folder / "part-0.snappy.parquet").rename(folder / "part-9.snappy.parquet")
    with pytest.raises(DataError, match=r"table orders: part-0.snappy.parquet is missing: found 2 files in .*orders"):
        run_to_load(RunStore(str(output)), RUN)
    (folder / "part-0.snappy.parquet").write_bytes((folder / "part-9.snappy.parquet").read_bytes())
    with pytest.raises(DataError, match=r"part-9.snappy.parquet is new: found 3 files in .*, expected the 2"):
        run_to_load(RunStore(str(output)), RUN)


def test_rows_of_another_run_in_a_file_are_refused(output: Path) -> None:
    spoil(output, RUN, "payments", JUNE["payments"][2:], is_told=False)
    with pytest.raises(DataError, match=r"table payments: part-0.snappy.parquet was changed"):
        run_to_load(RunStore(str(output)), RUN)


def test_a_run_of_checked_tables_alone_is_not_published(tmp_path: Path) -> None:
    make_run(tmp_path, RUN, {name: JUNE[name] for name in ("customers", "orders", "payments")})
    with pytest.raises(ConfigurationError, match="has no transactions, purchases, rfm, expected all of customers"):
        run_to_load(RunStore(str(tmp_path)), RUN)
