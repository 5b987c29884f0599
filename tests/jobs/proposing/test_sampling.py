"""Which file of a ledger is looked at, and what is refused of it in one line."""

import gzip
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import ConfigurationError, DataError
from jobs.proposing import sampling
from jobs.proposing.mapping_text import propose
from jobs.proposing.sampling import sample_of
from tests.jobs.proposing.exports import bank_ledger, comment_at, mapping_at, online_retail, written

CSV = "customer,date,amount\nc1,2018-10-17,5.00\nc1,2018-10-18,6.00\n"
EMPTY = "empty, expected a header line and rows"
NO_ROWS = "a header and no rows, expected at least one"


def parquet_ledger(path: Path) -> Path:
    """Types of a warehouse, and an instant as Spark writes it."""
    moments = [datetime(2018, 10, 17, hour, tzinfo=UTC) for hour in (10, 11, 12)]
    table = pa.table(
        {
            "customer_id": ["c1", "c2", "c1"],
            "booked_at": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "amount": pa.array([Decimal("5.00"), Decimal("-1.50"), Decimal("7.25")], pa.decimal128(18, 4)),
            "id": pa.array([1, 2, 3], pa.int64()),
            "tags": [["a"], [], ["b"]],
        }
    )
    pq.write_table(table, path)
    return path


def test_a_packed_file_is_read_as_a_plain_one(tmp_path: Path) -> None:
    plain = written(tmp_path / "ledger.csv", bank_ledger())
    packed = tmp_path / "ledger.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert mapping_at(packed) == mapping_at(plain)


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    plain = written(tmp_path / "ledger.csv", bank_ledger())
    other = tmp_path / "excel.csv"
    other.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n"))
    assert mapping_at(other) == mapping_at(plain)


def test_parquet_is_mapped_by_its_values_without_a_csv_key(tmp_path: Path) -> None:
    file = parquet_ledger(tmp_path / "a [1]*.parquet")
    assert mapping_at(file) == {
        "customer_id_col": "customer_id",
        "datetime_col": "booked_at",
        "monetary_value_col": "amount",
        "transaction_id_col": "id",
        "sign": "purchases positive",
        "returns": "ignore",
        "currency": "EUR",
    }
    assert comment_at(propose(str(file)), "time_zone").startswith("? times are in UTC; for days of another")


def test_days_and_times_of_parquet_are_in_no_zone(tmp_path: Path) -> None:
    moments = pa.array([1_539_770_400 * 10**9], pa.timestamp("ns"))
    pq.write_table(
        pa.table({"customer": ["c"], "day": [date(2018, 10, 17)], "amount": [1.5]}), tmp_path / "day.parquet"
    )
    pq.write_table(pa.table({"customer": ["c"], "time": moments, "amount": [1.5]}), tmp_path / "time.parquet")
    for name in ("day", "time"):
        assert mapping_at(tmp_path / f"{name}.parquet")["datetime_col"] == name
        assert "zone" not in propose(str(tmp_path / f"{name}.parquet"))


def test_parquet_without_duckdb_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = parquet_ledger(tmp_path / "ledger.parquet")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "jobs.proposing.parquet_beginning", raising=False)
    with pytest.raises(
        ConfigurationError, match=r"package duckdb here. Run: pip install 'olist-rfm-segments\[duckdb\]"
    ):
        propose(str(file))


def test_the_first_file_with_rows_of_a_folder_is_looked_at(tmp_path: Path) -> None:
    for day in ("2018-10-17", "2018-10-18"):
        (tmp_path / f"day={day}").mkdir()
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "day=2018-10-17" / ".part-0.csv.crc").write_text("no data")
    (tmp_path / "day=2018-10-17" / "part-0.csv").touch()
    (tmp_path / "day=2018-10-17" / "part-1.csv").write_text("customer,date,amount\n")
    (tmp_path / "day=2018-10-18" / "part-0.csv").write_text(CSV)
    sample = sample_of(str(tmp_path))
    assert (sample.name, len(sample.rows), sample.goes_on) == (tmp_path.name, 2, False)
    assert sample.partitions == {"day": ("2018-10-18", "2018-10-18")}


def test_files_are_looked_at_until_they_have_enough_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.proposing.sample.MOST_ROWS", 5)
    for number, day in enumerate(("2018-10-17", "2018-10-18", "2018-10-19", "2018-10-20")):
        (tmp_path / f"day={day}").mkdir()
        rows = f"c{number},{day},-1.00\nc{number},{day},2.00\n"
        (tmp_path / f"day={day}" / "part-0.csv").write_text("customer,date,amount\n" + rows)
    sample = sample_of(str(tmp_path))
    assert [row[0] for row in sample.rows] == ["c0", "c0", "c1", "c1", "c2"]
    assert sample.goes_on
    assert mapping_at(tmp_path)["partitioned_by"] == "day"


def test_files_with_other_columns_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.csv").write_text("rate,date\n1,2018-10-17\n")
    (tmp_path / "c.csv").write_bytes(CSV.encode() + "Müller,2018-10-17,5.00\n".encode("windows-1252"))
    sample = sample_of(str(tmp_path))
    assert len(sample.rows) == 5
    assert sample.csv
    assert sample.csv.encoding == "windows-1252"


@pytest.mark.parametrize(
    ("folder", "partitioned_by", "comment"),
    [
        ("day=2018-10-18", "day", "rows come on their day or later"),
        ("day=2018-10-17", None, ""),
        ("region=south", None, ""),
        ("loaded=2018-11-01", "loaded", "rows come on their day or later"),
    ],
)
def test_a_partition_is_named_if_no_row_is_later_than_its_day(
    tmp_path: Path, folder: str, partitioned_by: str | None, comment: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "part-0.csv").write_text(CSV)
    assert mapping_at(tmp_path).get("partitioned_by") == partitioned_by
    assert comment_at(propose(str(tmp_path)), "partitioned_by") == comment


def test_ten_thousand_rows_are_looked_at_and_no_more(tmp_path: Path) -> None:
    lines = [f"c{n % 9},2018-10-17,{n}.50" for n in range(10_000)]
    (tmp_path / "ledger.csv").write_text("\n".join(["customer,date,amount", *lines, *["c1,2018-10-17,-1.00"] * 9_000]))
    text = propose(str(tmp_path / "ledger.csv"))
    assert text.startswith("# A first mapping of ledger.csv, by the first 10,000 rows.")
    assert comment_at(text, "sign") == "no negative amount in the first 10,000 rows"


def test_a_row_that_the_end_of_the_sample_cuts_is_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "PIECE", 1)
    monkeypatch.setattr(sampling, "LARGEST_BEGINNING", len(CSV) + 40)
    (tmp_path / "ledger.csv").write_text(CSV + '"a customer\nof two lines\nand a third",2018-10-17,5.00\n')
    sample = sample_of(str(tmp_path / "ledger.csv"))
    assert [row[0] for row in sample.rows] == ["c1", "c1"]
    assert sample.goes_on


def test_the_same_file_gives_the_same_text(tmp_path: Path) -> None:
    file = written(tmp_path / "ledger.csv", online_retail())
    assert propose(str(file)) == propose(str(file))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", EMPTY),
        (b"\n,,\n", EMPTY),
        (b"customer,date,amount\n", NO_ROWS),
        (b"PK\x03\x04...", "found a ZIP archive"),
        ("customer,date\n".encode("utf-16"), "found UTF-16 text"),
        (b'[{"customer": 1}]', "found JSON"),
        (b"PAR1 and no more", "cannot be read as Parquet"),
        (b"\x1f\x8b\x08", "cut off before its end"),
        (gzip.compress(b"customer,date,amount\n" * 100, mtime=0)[:-20], "cut off before its end"),
        (gzip.compress(b"x", mtime=0)[:-8] + b"12345678", "the gzip data is damaged"),
        (b"x" * 1_100_000, "no line end in the first 1,000,000 bytes"),
        (b"a,b\n" + b"x" * 200_000 + b",1\n", "cannot be read as CSV"),
        (b"a,b\nc,d\n", "no column holds times, and none holds amounts"),
        (b"Account,,\n\ncustomer,date,amount\nc1,2018-10-17,5\nc2,2018-10-18,6\n", "found a line above the header"),
        (b"Account;1\n\ncustomer;date;amount\nc1;2018-10-17;5\nc2;2018-10-18;6\n", "found a line above the header"),
        (b",".join([b"a"] * 2_001) + b"\n" + b",".join([b"1"] * 2_001) + b"\n", "found 2,001 columns"),
    ],
)
def test_what_is_no_ledger_ends_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "ledger.csv").write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        propose(str(tmp_path / "ledger.csv"))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("ledger.csv: ")


def test_a_name_that_promises_gzip_is_checked(tmp_path: Path) -> None:
    (tmp_path / "ledger.csv.gz").write_text(CSV)
    with pytest.raises(DataError, match="found no gzip, expected what its name says"):
        propose(str(tmp_path / "ledger.csv.gz"))


def test_a_folder_without_data_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "_SUCCESS").touch()
    with pytest.raises(DataError, match="a folder without data files"):
        propose(str(tmp_path))


def test_a_folder_of_empty_files_is_refused_by_the_first(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"^a.csv: empty"):
        propose(str(tmp_path))


def test_parquet_without_rows_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"customer": pa.array([], pa.string())}), tmp_path / "ledger.parquet")
    with pytest.raises(DataError, match=r"^ledger.parquet: no rows, expected at least one"):
        propose(str(tmp_path / "ledger.parquet"))


def test_what_is_neither_utf_8_nor_windows_1252_is_read_as_latin_1_and_doubted(tmp_path: Path) -> None:
    (tmp_path / "ledger.csv").write_bytes(CSV.encode() + b"c\x81,2018-10-17,5.00\n")
    text = propose(str(tmp_path / "ledger.csv"))
    assert comment_at(text, "  encoding").startswith("? it is not UTF-8")
    assert mapping_at(tmp_path / "ledger.csv")["csv"] == {"encoding": "iso-8859-1"}


@pytest.mark.parametrize(
    ("uri", "message"),
    [("missing.csv", "no such file or folder"), ("ftp://host/x", "found ftp://"), ("", "found nothing")],
)
def test_what_is_not_there_is_refused(tmp_path: Path, uri: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        propose(str(tmp_path / uri) if uri == "missing.csv" else uri)


@pytest.mark.usefixtures("aws")
def test_files_in_s3_are_read_as_those_on_a_disk(tmp_path: Path, s3: Any, bucket: str) -> None:
    plain, parquet = written(tmp_path / "ledger.csv", bank_ledger()), parquet_ledger(tmp_path / "ledger.parquet")
    s3.put_object(Bucket=bucket, Key="in/ledger.csv.gz", Body=gzip.compress(plain.read_bytes()))
    s3.put_object(Bucket=bucket, Key="parts/day=2018-10-18/part-0.parquet", Body=parquet.read_bytes())
    s3.put_object(Bucket=bucket, Key="parts/_SUCCESS", Body=b"")
    assert sample_of(f"s3://{bucket}/in/ledger.csv.gz").rows == sample_of(str(plain)).rows
    sample = sample_of(f"s3://{bucket}/parts")
    assert sample.rows == sample_of(str(parquet)).rows
    assert sample.partitions == {"day": ("2018-10-18",) * 3}
    with pytest.raises(ConfigurationError, match="no such file or folder"):
        sample_of(f"s3://{bucket}/missing.csv")
