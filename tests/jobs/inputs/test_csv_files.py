"""Input files in other forms (packed, in parts, with other columns or odd names) give the same rows."""

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs.storage.uris import escape_glob
from tests.frames import assert_same_rows, frame
from tests.jobs.complete_runs import WORKED_BY_HAND, run
from tests.raw_files import RawFiles, key
from transforms import schemas

pytestmark = pytest.mark.usefixtures("spark")


def gzip_all(raw: RawFiles) -> None:
    for file in (raw.customers_file, raw.orders_file, raw.payments_file):
        file.with_suffix(".csv.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()


def cut_into_parts(raw: RawFiles) -> None:
    for file in (raw.customers_file, raw.orders_file, raw.payments_file):
        header, *lines = file.read_bytes().splitlines(keepends=True)
        file.unlink()
        file.mkdir()
        for number, line in enumerate(lines):
            (file / f"part-{number}.csv").write_bytes(header + line)
        (file / "_SUCCESS").touch()


def mark_and_crlf(raw: RawFiles) -> None:
    for file in (raw.customers_file, raw.orders_file, raw.payments_file):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))


def turn_columns_round(raw: RawFiles) -> None:
    lines = [line.split(",")[::-1] for line in raw.payments_file.read_text().splitlines()]
    raw.payments_file.write_text("".join(",".join(line) + "\n" for line in lines))


def add_columns(raw: RawFiles) -> None:
    lines = raw.payments_file.read_text().splitlines()
    # One of them differs from a contract's column only in case, which Spark ignores.
    raw.payments_file.write_text("".join(f'"{n or "Order_ID"}",{line}\n' for n, line in enumerate(lines)))


def as_parquet(raw: RawFiles) -> None:
    """Pandas' own types: times in nanoseconds, whole numbers with gaps as floating-point numbers."""
    for file in (raw.customers_file, raw.orders_file, raw.payments_file):
        table = pd.read_csv(file, dtype={"customer_zip_code_prefix": str})
        for name in table.columns:
            if name.endswith(("_timestamp", "_at", "_date")):
                table[name] = pd.to_datetime(table[name])
        pq.write_table(pa.Table.from_pandas(table), file.with_suffix(".parquet"))
        file.unlink()


def odd_but_clear(raw: RawFiles) -> None:
    """Forms that spreadsheets, pandas and databases give the same values."""
    texts = raw.payments_file.read_text()
    raw.payments_file.write_text(texts.replace(",1,", ",1.0,").replace(",2,", ",2.0,") + ",,,,\n" * 30)
    orders = raw.orders_file.read_text().replace(" 00:00:00", "").replace("2018-01-01 10:00:00", "2018-01-01T10:00:00Z")
    raw.orders_file.write_bytes(gzip.compress(orders.replace(",,,", ",NULL,NaT,").encode()))
    header, *lines = raw.customers_file.read_bytes().splitlines()
    raw.customers_file.write_bytes(header + b"\r\n" + b"\n".join([*lines[:2], header]) + b"\r" + lines[2])


@pytest.mark.long
@pytest.mark.parametrize(
    "forms", [(turn_columns_round, gzip_all), (mark_and_crlf, cut_into_parts), (add_columns,), (as_parquet,)]
)
def test_the_form_of_the_files_does_not_matter(spark: SparkSession, raw: RawFiles, forms: tuple[Any, ...]) -> None:
    raw.write()
    for change in forms:
        change(raw)
    ran = run(raw)
    rfm = spark.read.parquet(str(ran.output / ran.pointer["tables"]["rfm"]))
    assert_same_rows(rfm, frame(spark, schemas.RFM, *WORKED_BY_HAND))


def test_clear_forms_of_other_programs_are_read_and_counted(spark: SparkSession, raw: RawFiles) -> None:
    raw.write()
    odd_but_clear(raw)
    ran = run(raw)
    rfm = spark.read.parquet(str(ran.output / ran.pointer["tables"]["rfm"]))
    assert_same_rows(rfm, frame(spark, schemas.RFM, *WORKED_BY_HAND))
    tables = ran.manifest["quality"]["tables"]
    assert {table: figures.get("other_forms") for table, figures in tables.items() if "other_forms" in figures} == {
        "orders": {
            "order_approved_at: word for no value": 2,
            "order_delivered_carrier_date: word for no value": 3,
            "order_delivered_customer_date: word for no value": 1,
            "order_estimated_delivery_date: day without a time": 3,
            "order_purchase_timestamp: time in another notation": 1,
        },
        "payments": {
            "payment_installments: whole number with a point": 3,
            "payment_sequential: whole number with a point": 4,
        },
    }


def test_a_folder_may_have_any_name_and_commas_quotes_and_line_breaks_inside_quotes_are_text(
    spark: SparkSession, tmp_path: Path
) -> None:
    odd = RawFiles(tmp_path / "a b [1] {x,y} é dt=1 50%" / "in*put")
    odd.customers[1] = '"c1","ann","09790","são ""p"",\npaulo",SP'
    odd.write()
    ran = run(odd)
    assert len(ran.rows(spark, "rfm")) == 2
    assert sorted(path.name for path in odd.folder.parent.iterdir()) == ["in*put", "output"]
    customers = spark.read.parquet(escape_glob(str(ran.output / ran.pointer["tables"]["customers"])))
    [first] = [row for row in customers.collect() if row["customer_id"] == key("c1")]
    assert first == (key("c1"), key("ann"), "09790", 'são "p",\npaulo', "SP")
