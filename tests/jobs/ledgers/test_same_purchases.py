"""The same purchases, as Olist's three files and as a ledger, are the same customers."""

import csv
from datetime import datetime
from pathlib import Path

import pytest

from tests.jobs.ledgers.ledger_runs import LedgerRun, assert_accounted, csv_text, run_ledger
from tests.jobs.published import FIRST, K
from tests.jobs.shop import AS_OF

pytestmark = pytest.mark.usefixtures("spark")

MAPPING = """
csv: {delimiter: ";", decimal: ","}
customer_id_col: Kunde
datetime_col: gekauft am
datetime_format: dd.MM.yyyy HH:mm:ss
monetary_value_col: Betrag
order_id_col: Bestellung
currency: BRL
"""


def as_ledger(raw: Path) -> str:
    """The payments of Olist's files, each with its customer and its time, as text of CSV in another notation."""

    def rows(name: str) -> list[dict[str, str]]:
        with (raw / f"olist_{name}_dataset.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    people = {row["customer_id"]: row["customer_unique_id"] for row in rows("customers")}
    orders = {row["order_id"]: row for row in rows("orders")}
    lines = [("Betrag", "Filiale", "Bestellung", "gekauft am", "Kunde")]
    for payment in rows("order_payments"):
        order = orders[payment["order_id"]]
        time = datetime.fromisoformat(order["order_purchase_timestamp"]).strftime("%d.%m.%Y %H:%M:%S")
        amount = payment["payment_value"].replace(".", ",")
        lines.append((amount, "Hof", payment["order_id"], time, people[order["customer_id"]]))
    return csv_text(lines, delimiter=";")


def test_olists_files_and_a_ledger_give_the_same_transactions_customers_scores_and_clusters(
    published: Path, tmp_path: Path
) -> None:
    file = tmp_path / "ledger.csv"
    file.write_text(as_ledger(published.parent / "input"))
    run = run_ledger(tmp_path, MAPPING, file, "--k", str(K), as_of=str(AS_OF))
    assert_accounted(run)
    olist = LedgerRun(published, FIRST)
    assert run.query("select count(*) from transactions where payment_sequential = 2") == [(30,)]
    for table in ("transactions", "purchases", "rfm", "customer_segments"):
        assert run.rows(table) == olist.rows(table), table
    assert run.card == olist.card
