"""Exports that thousands have on their disks, shaped as Online Retail II and as CDNOW, from a mapping alone."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from tests.frames import at
from tests.jobs.ledgers.ledger_runs import (
    QUARANTINE,
    assert_accounted,
    csv_text,
    measured,
    measures_in,
    run_ledger,
    summed,
)

pytestmark = pytest.mark.usefixtures("spark")

RETAIL = """
customer_id_col: Customer ID
datetime_col: InvoiceDate
datetime_format: M/d/yyyy H:mm
monetary_value_col: [Quantity, Price]
order_id_col: Invoice
type_col: Invoice
types: {purchase: ["*"], return: ["C*"]}
sign: purchases positive
returns: net
currency: GBP
customer_missing: leave out
drop: {Description: [Manual, "POSTAGE*"]}
"""
RETAIL_HEADER = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
UK = "United Kingdom"
# A jug was bought with other things, and returned. Two lines of an invoice are equal, as happens there.
RETAIL_ROWS = [
    ("489434", "85048", '15CM "CHRISTMAS" GLASS BALL, 20 LIGHTS', "12", "12/1/2009 7:45", "6.95", "13085.0", UK),
    ("489434", "79323P", "PINK CHERRY LIGHTS", "12", "12/1/2009 7:45", "6.75", "13085.0", UK),
    ("489434", "22041", 'RECORD FRAME 7" SINGLE SIZE', "48", "12/1/2009 7:45", "2.1", "13085.0", UK),
    ("489435", "22350", "CAT BOWL,\nWITH A LINE BREAK", "12", "12/1/2009 7:46", "2.55", "13085.0", UK),
    ("489436", "48173C", 'DOOR MAT "BLACK FLOCK"\nAND\n"RED"', "10", "12/1/2009 9:06", "5.95", "13078.0", UK),
    ("489436", "21755", "LOVE BUILDING BLOCK WORD", "18", "12/1/2009 9:06", "5.45", "13078.0", UK),
    ("489436", "21755", "LOVE BUILDING BLOCK WORD", "18", "12/1/2009 9:06", "5.45", "13078.0", UK),
    ("C489449", "22087", "PAPER BUNTING WHITE LACE", "-12", "12/1/2009 10:33", "2.95", "13078.0", "Australia"),
    ("C489459", "90200A", "PURPLE SWEETHEART BRACELET", "-3", "12/1/2009 11:44", "4.25", "17592.0", "Eire"),
    ("489464", "21733", "85123a mixed", "-96", "12/1/2009 10:52", "0", "", UK),
    ("489525", "85226C", "BLUE PULL BACK RACING CAR", "1", "12/1/2009 11:49", "0.55", "", UK),
    ("489526", "85049E", "SCANDINAVIAN REDS RIBBONS", "1000", "12/31/2009 23:59", "0.001", "12533.0", "Germany"),
    ("C489527", "M", "Manual", "-1", "1/1/2010 9:00", "373.57", "", UK),
    ("A506401", "B", "Adjust bad debt", "1", "4/29/2010 13:36", "-53594.36", "", UK),
    ("538000", "22423", "REGENCY CAKESTAND 3 TIER", "2", "12/9/2010 12:00", "12.75", "13085.0", UK),
]


def test_online_retail_runs_from_a_mapping_and_each_line_of_it_is_accounted_for(tmp_path: Path) -> None:
    file = tmp_path / "online_retail_II.csv"
    file.write_text(csv_text([RETAIL_HEADER, *RETAIL_ROWS]))
    run = run_ledger(tmp_path, RETAIL, file, as_of="2009-12-31")

    bought, taken_back, late, nobody, dropped, wrong = [], [], [], [], [], []
    for invoice, _, description, quantity, time, price, customer, _ in RETAIL_ROWS:
        amount, moment = Decimal(quantity) * Decimal(price), in_american(time)
        if amount < 0 and not invoice.startswith("C"):
            wrong.append(amount)
        elif description == "Manual":
            dropped.append(amount)
        elif not customer:
            nobody.append(amount)
        elif moment.year > 2009:
            late.append(amount)
        else:
            (taken_back if invoice.startswith("C") else bought).append((customer, moment, amount))
    assert [*map(len, (bought, taken_back, late, nobody, dropped, wrong))] == [8, 2, 1, 2, 1, 1]

    assert_accounted(run)
    assert run.at("ledger read") == of_one_currency([Decimal(row[3]) * Decimal(row[5]) for row in RETAIL_ROWS])
    assert run.at(QUARANTINE) == of_one_currency(wrong)
    assert run.reasons("order_id") == {"A506401": ["has_sign(quantity x unit_price)"]}
    assert run.parts("excluded") == {
        "Description dropped": of_one_currency(dropped),
        "without_customer": of_one_currency(nobody),
        "purchased_after_as_of": of_one_currency(late),
    }
    counted = {"purchase": money_of(bought), "return": money_of(taken_back)}
    assert run.parts("counted") == run.parts("converted") == counted
    assert measures_in(run) == measured([*bought, *taken_back])
    assert "17592.0" not in measures_in(run)  # who only returned something
    equal = run.query("select payment_sequential, payment_value from transactions where order_id = '489436'")
    assert sorted(equal) == [(1, Decimal("59.5")), (2, Decimal("98.1")), (3, Decimal("98.1"))]


CDNOW = """
csv: {delimiter: whitespace, header: [customer, date, count, amount]}
customer_id_col: customer
datetime_col: date
datetime_format: yyyyMMdd
monetary_value_col: amount
currency: USD
"""


def cdnow_lines() -> list[str]:
    """Lines as the file has them: a blank before the customer, figures set to the right, some days with two orders."""
    random = Random(17)
    lines = []
    for customer in range(1, 41):
        for _ in range(random.choice((1, 1, 2, 5))):
            day = f"1997{random.randint(1, 6):02}{random.randint(1, 28):02}"
            count, amount = random.randint(1, 5), random.choice(("0.00", "11.77", "14.37", "29.33", "126.00"))
            lines += [f" {customer:05} {day} {count:2} {amount:>7}"] * random.choice((1, 1, 1, 2))
    return lines


def test_cdnow_runs_from_a_mapping_and_gives_the_same_rows_whatever_the_order_of_its_lines(tmp_path: Path) -> None:
    lines = [*cdnow_lines(), " 00041 19970230  1   11.77", " 00042 19970701  1   12.00"]
    whole = tmp_path / "CDNOW_master.txt"
    whole.write_bytes("".join(f"{line}\r\n" for line in lines).encode())
    run = run_ledger(tmp_path, CDNOW, whole.rename(tmp_path / "CDNOW_master"), as_of="1997-06-30")

    valid = [line.split() for line in lines[:-2]]
    counted = [(customer, at(day), Decimal(amount)) for customer, day, _, amount in valid]
    assert_accounted(run)
    assert run.at(QUARANTINE) == (1, {"": Decimal("11.77")})
    assert run.parts("excluded") == {"purchased_after_as_of": (1, {"": Decimal(12)})}
    assert run.parts("counted") == {"purchase": money_of(counted)}
    assert measures_in(run) == measured(counted)

    parts = tmp_path / "parts"
    parts.mkdir()
    Random(1).shuffle(lines)
    for number in range(3):
        (parts / f"part-{number}").write_text("\n".join(lines[number::3]))
    again = run_ledger(tmp_path, CDNOW, parts, as_of="1997-06-30", run_id="again")
    for table in ("ledger", "transactions", "purchases", "rfm"):
        assert again.rows(table) == run.rows(table)
    assert again.card == run.card
    columns = "* exclude source_file"
    assert again.rows(QUARANTINE, columns) == run.rows(QUARANTINE, columns)


def in_american(text: str) -> datetime:
    """The time that a text such as 12/1/2009 7:45 is."""
    day, _, time = text.partition(" ")
    month, day_of_month, year = map(int, day.split("/"))
    return at(f"{year}-{month:02}-{day_of_month:02} {time:>05}")


def of_one_currency(amounts: Sequence[Decimal]) -> tuple[int, dict[str, Decimal]]:
    return summed([("", amount) for amount in amounts])


def money_of(transactions: Sequence[tuple[str, datetime, Decimal]]) -> tuple[int, dict[str, Decimal]]:
    return of_one_currency([amount for _, _, amount in transactions])
