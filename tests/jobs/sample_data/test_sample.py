"""The sample: the same bytes from the same arguments, in Olist's shape."""

import csv
import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from expectations.contracts.olist import FILE_CONTRACTS
from jobs import sample
from jobs.inputs.input_files import find_inputs
from jobs.sample import write_sample
from jobs.storage.local import LocalFolder

PROJECT = Path(__file__).parents[3]


def records(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"olist_{name}_dataset.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in sorted(folder.glob("*.csv"))}


@contextmanager
def compiled(spark: SparkSession) -> Iterator[None]:
    """Spark's own settings for code, since so many rows are worth compiling."""
    settings = ("spark.sql.codegen.wholeStage", "spark.sql.codegen.factoryMode")
    before = {setting: spark.conf.get(setting) for setting in settings}
    for setting in settings:
        spark.conf.unset(setting)
    try:
        yield
    finally:
        for setting, value in before.items():
            spark.conf.set(setting, value)


@pytest.fixture(scope="module")
def olist_sized(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("olist")
    with compiled(spark):
        write_sample(spark, LocalFolder(folder), orders=99_441, seed=42)
    return folder


def test_as_many_people_order_as_often_as_in_olist(olist_sized: Path) -> None:
    customers = records(olist_sized, "customers")
    assert len({row["customer_id"] for row in customers}) == len(customers) == 99_441
    orders_of = Counter(row["customer_unique_id"] for row in customers)
    assert len(orders_of) == 96_096
    assert sum(count > 1 for count in orders_of.values()) == 2_997
    assert max(orders_of.values()) == 17


def test_orders_have_olists_dates_and_statuses(olist_sized: Path) -> None:
    orders = records(olist_sized, "orders")
    times = [row["order_purchase_timestamp"] for row in orders]
    assert (min(times)[:10], max(times)[:10]) == ("2016-09-04", "2018-10-17")
    statuses = Counter(row["order_status"] for row in orders)
    assert len(statuses) == 8
    assert 0.965 < statuses["delivered"] / len(orders) < 0.975
    assert all(row["order_delivered_customer_date"] >= row["order_purchase_timestamp"]
               for row in orders if row["order_status"] == "delivered")  # fmt: skip


def test_payments_have_olists_rows_types_and_values(olist_sized: Path) -> None:
    payments = records(olist_sized, "order_payments")
    paid = Counter(row["order_id"] for row in payments)
    assert len(paid) == 99_440
    assert max(paid.values()) == 29
    assert 1.04 < len(payments) / 99_441 < 1.05
    types = {kind: count / len(payments) for kind, count in Counter(row["payment_type"] for row in payments).items()}
    assert 0.73 < types["credit_card"] < 0.75
    assert 0.185 < types["boleto"] < 0.195
    assert 0.05 < types["voucher"] < 0.06
    assert 0.014 < types["debit_card"] < 0.016
    assert 0 < types["not_defined"] < 0.0001
    values = sorted(Decimal(row["payment_value"]) for row in payments)
    assert values[-1] == Decimal("13664.08")
    assert 0 < sum(value == 0 for value in values) < 30
    assert 95 < values[len(values) // 2] < 105


def test_places_have_leading_zeros_accents_and_commas(olist_sized: Path) -> None:
    customers = records(olist_sized, "customers")
    codes = {row["customer_zip_code_prefix"] for row in customers}
    assert all(len(code) == 5 and code.isdigit() for code in codes)
    assert any(code.startswith("0") for code in codes)
    cities = {row["customer_city"] for row in customers}
    assert {"são josé dos campos", "arraial d'ajuda, porto seguro"} <= cities
    assert len({row["customer_state"] for row in customers}) == 27


def test_files_are_quoted_as_kaggles_are(olist_sized: Path) -> None:
    with (olist_sized / "olist_order_payments_dataset.csv").open() as file:
        header, first = file.readline(), file.readline()
    assert header == '"order_id","payment_sequential","payment_type","payment_installments","payment_value"\n'
    assert first.startswith('"')
    assert first.count('"') == 2


def test_the_same_arguments_give_the_same_bytes(spark: SparkSession, tmp_path: Path) -> None:
    write_sample(spark, LocalFolder(tmp_path), orders=500, seed=3)
    # Recorded when first written: any other machine, core count or release must give the same bytes.
    assert digests(tmp_path) == PINNED
    write_sample(spark, LocalFolder(tmp_path), orders=500, seed=4)
    assert not set(digests(tmp_path).values()) & set(PINNED.values())


def test_a_large_sample_is_folders_of_part_files_with_the_same_rows(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    one.mkdir()
    many.mkdir()
    write_sample(spark, LocalFolder(one), orders=1_000, seed=3)
    monkeypatch.setattr(sample, "MOST_ORDERS_IN_ONE_FILE", 500)
    monkeypatch.setattr(sample, "ORDERS_PER_PART_FILE", 400)
    write_sample(spark, LocalFolder(many), orders=1_000, seed=3)
    for source in find_inputs(str(many), FILE_CONTRACTS):
        assert len(source.files) == 3
        lines = [line for file in source.files for line in Path(file.path).read_text().splitlines()[1:]]
        assert lines == (one / f"{source.contract.file}.csv").read_text().splitlines()[1:]


@pytest.mark.long
def test_the_number_of_cores_does_not_change_a_byte(tmp_path: Path) -> None:
    code = (
        "from jobs.spark import session; session.LAPTOP['spark.master'] = '{}'; from jobs.sample import main; main({})"
    )
    written = []
    for cores in (1, 3):
        folder = tmp_path / str(cores)
        arguments = ["--orders", "120000", "--output", str(folder)]
        subprocess.run(
            [sys.executable, "-c", code.format(f"local[{cores}]", arguments)], cwd=PROJECT, check=True, env=os.environ
        )
        written.append(digests(folder))
        assert len(records(folder, "orders")) == 120_000
    assert written[0] == written[1]


PINNED = {
    "olist_customers_dataset.csv": "b820fff3bcec8a7b",
    "olist_order_payments_dataset.csv": "a1c7ebdbf2f7d349",
    "olist_orders_dataset.csv": "9013ff3660194ae1",
}
