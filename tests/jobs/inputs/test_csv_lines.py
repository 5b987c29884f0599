"""Whatever stands in CSV files, every line and every cent of them is accepted or quarantined; two readers agree."""

import json
import os
import re
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from jobs.ingest import main
from tests.csv_lines import ORDER, Parts, customers, payments
from tests.manifests import totals_by_name
from tests.raw_files import ORDERS_HEADER, key

pytestmark = pytest.mark.usefixtures("spark")

MARK = re.compile(r"m\d{6}x")
RUN = "2018-12-31-lines"
ORDERS = f"{ORDERS_HEADER}\n{ORDER},{key('m000001x')},delivered,2018-01-01 10:00:00,,,,\n"


def marks_in(folder: Path) -> list[str]:
    """The marks of a table, one for each row, as often as they are there."""
    rows = [row for file in sorted(folder.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    return [mark for row in rows for mark in sorted(set(MARK.findall(str(row))))]


def check(parts: Parts, table: str, run: Path) -> None:
    """See that each record is in one place, and that those which are valid are accepted."""
    accepted, quarantined = marks_in(run / table), marks_in(run / "quarantine" / table)
    assert len(accepted) == len(set(accepted))
    assert not set(accepted) & set(quarantined)
    assert set(accepted) | set(quarantined) == {*parts.good, *parts.spoiled}
    assert set(parts.good) <= set(accepted)


def read(seed: int, folder: Path, *, parts: int) -> None:
    """Ingest random files, and compare what became of them with what another reader finds in them."""
    random = Random(seed)
    paid, shoppers = payments(random, parts=parts, rows=20), customers(random, parts=parts, rows=20)
    paid.write(folder / "input" / "olist_order_payments_dataset.csv")
    shoppers.write(folder / "input" / "olist_customers_dataset")
    (folder / "input" / "olist_orders_dataset.csv").write_text(ORDERS)
    where = ["--input", str(folder / "input"), "--output", str(folder / "output"), "--run-id", RUN]
    assert main(["--as-of", "2018-12-31", "--max-quarantined", "1", *where]) == 0

    run = folder / "output" / "runs" / RUN
    check(paid, "payments", run)
    check(shoppers, "customers", run)
    totals = totals_by_name(json.loads((run / "manifest.json").read_text()))
    assert totals["payments read"]["rows"] == paid.lines()
    assert totals["payments"]["rows"] + totals["quarantine/payments"]["rows"] == paid.lines()
    table = pq.ParquetDataset(run / "payments").read().to_pylist()
    values = {row["payment_type"]: row["payment_value"] for row in table}
    assert {mark: values[mark] for mark in paid.good} == paid.good


def test_each_line_of_40_random_files_is_in_one_place_with_its_money(tmp_path: Path) -> None:
    read(1, tmp_path, parts=20)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(10))
def test_each_line_of_400_random_files_is_in_one_place_with_its_money(tmp_path: Path, number: int) -> None:
    read(int(os.environ["SOAK_SEED"]) + number, tmp_path, parts=20)
