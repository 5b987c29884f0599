"""A load plan holds what the run wrote, and all of it."""

from pathlib import Path

import pytest

from jobs import publish
from jobs.errors import ConfigurationError, DataError
from jobs.runs.totals import Total
from jobs.storage.store import RunStore
from jobs.warehouse.load_plan import REQUIRED_TABLES, run_to_load
from tests.frames import money
from tests.jobs.warehouse.small_runs import JUNE, JUNE_RUN, replace_first_file, write_run
from transforms.schemas import KEYS, MONEY_COLUMNS, TABLES


@pytest.fixture
def output(tmp_path: Path) -> Path:
    write_run(tmp_path, JUNE_RUN, JUNE)
    return tmp_path


def test_a_table_is_its_files_and_its_total(output: Path) -> None:
    tables = {table.name: table for table in run_to_load(RunStore(str(output)), None).tables}
    assert list(tables) == list(TABLES)
    assert tables["payments"].total == Total(4, money("40.50"))
    assert tables["customers"].total == Total(3)
    assert [file.name for file in tables["rfm"].files] == ["part-0.snappy.parquet", "part-1.snappy.parquet"]


def test_every_table_has_a_key_and_its_money_in_one_of_its_columns() -> None:
    assert set(TABLES) == set(KEYS)
    assert set(REQUIRED_TABLES) <= set(TABLES)
    assert all(column in TABLES[table].fieldNames() for table, column in MONEY_COLUMNS.items())


@pytest.mark.parametrize("table", JUNE)
def test_a_changed_file_is_rejected_with_both_sizes(
    output: Path, table: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = output / "runs" / JUNE_RUN / table / "part-1.snappy.parquet"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"x")
    assert publish.main(["--output", str(output), "--warehouse", f"duckdb:{output}/w.duckdb"]) == 3
    error = capfd.readouterr().err
    assert f"table {table}: part-1.snappy.parquet was changed: found {size + 1:,} bytes" in error
    assert f"expected {size:,} bytes" in error
    assert not (output / "w.duckdb").exists()


def test_a_file_of_the_same_size_and_other_content_is_rejected(output: Path) -> None:
    path = output / "runs" / JUNE_RUN / "rfm" / "part-0.snappy.parquet"
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"table rfm: part-0.snappy.parquet was changed: found .* SHA-256"):
        run_to_load(RunStore(str(output)), JUNE_RUN)


def test_a_missing_or_new_file_is_rejected(output: Path) -> None:
    folder = output / "runs" / JUNE_RUN / "orders"
    (folder / "part-0.snappy.parquet").rename(folder / "part-9.snappy.parquet")
    with pytest.raises(DataError, match=r"table orders: part-0.snappy.parquet is missing: found 2 files in .*orders"):
        run_to_load(RunStore(str(output)), JUNE_RUN)
    (folder / "part-0.snappy.parquet").write_bytes((folder / "part-9.snappy.parquet").read_bytes())
    with pytest.raises(DataError, match=r"part-9.snappy.parquet is new: found 3 files in .*, expected the 2"):
        run_to_load(RunStore(str(output)), JUNE_RUN)


def test_rows_of_another_run_in_a_file_are_rejected(output: Path) -> None:
    replace_first_file(output, JUNE_RUN, "payments", JUNE["payments"][2:], in_manifest=False)
    with pytest.raises(DataError, match=r"table payments: part-0.snappy.parquet was changed"):
        run_to_load(RunStore(str(output)), JUNE_RUN)


def test_a_run_with_only_checked_tables_is_not_published(tmp_path: Path) -> None:
    write_run(tmp_path, JUNE_RUN, {name: JUNE[name] for name in ("customers", "orders", "payments")})
    with pytest.raises(ConfigurationError, match="has no transactions, purchases, rfm, expected all of customers"):
        run_to_load(RunStore(str(tmp_path)), JUNE_RUN)
