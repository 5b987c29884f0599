"""A ledger in one time zone whose days are those of another."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

from expectations.rules.cell_forms import ColumnForm, read_cell
from tests.frames import at, frame
from tests.jobs.ledgers.ledger_runs import assert_accounted, csv_text, measured, measures_in, run_ledger

pytestmark = pytest.mark.usefixtures("spark")

AS_OF = "2018-11-30"
MAPPING = """
customer_id_col: who
datetime_col: at
datetime_zone: UTC
time_zone: America/Sao_Paulo
monetary_value_col: paid
transaction_id_col: id
currency: BRL
currency_col: coin
rates: rates.csv
"""
RATES = [("USD", "2018-06-15", "3.7"), ("USD", "2018-06-16", "4"), ("USD", "2018-11-30", "2")]
# In 2018 summer time, two hours behind UTC, ended on 18 February at midnight, and began on 4 November at midnight.
ROWS = [
    ("half past eleven", "2018-06-16 02:30:00", "2018-06-15 23:30:00"),
    ("with an offset", "2018-06-15T23:30:00-03:00", "2018-06-15 23:30:00"),
    ("with another offset", "2018-06-16 04:30+02:00", "2018-06-15 23:30:00"),
    ("with a Z", "2018-06-16T02:30:00.250Z", "2018-06-15 23:30:00.250"),
    ("the last second of June", "2018-07-01 02:59:59", "2018-06-30 23:59:59"),
    ("the first of July", "2018-07-01T03:00:00Z", "2018-07-01 00:00:00"),
    ("in summer time", "2018-02-18 01:30:00", "2018-02-17 23:30:00"),
    ("an hour after", "2018-02-18 02:30:00", "2018-02-17 23:30:00"),
    ("before summer time", "2018-11-04 02:59:59", "2018-11-03 23:59:59"),
    ("as summer time begins", "2018-11-04 03:00:00", "2018-11-04 01:00:00"),
    ("the last second that counts", "2018-12-01 01:59:59", "2018-11-30 23:59:59"),
    ("too late", "2018-12-01 02:00:00", "2018-12-01 00:00:00"),
    ("too late with an offset", "2018-11-30 23:00:00-03:00", "2018-12-01 00:00:00"),
]
IN_DOLLARS = {"half past eleven": "3.7", "the last second that counts": "2"}
"""By what is paid in dollars, the rate of the day in São Paulo."""


def test_each_time_is_brought_to_the_zone_whose_days_count(tmp_path: Path) -> None:
    for name, written, local in ROWS:
        instant = datetime.fromisoformat(written)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo("UTC"))
        assert instant.astimezone(ZoneInfo("America/Sao_Paulo")).replace(tzinfo=None) == at(local), name
    (tmp_path / "rates.csv").write_text(csv_text([("currency", "date", "rate"), *RATES]))
    file = tmp_path / "ledger.csv"
    # Who paid within and after summer time is one customer, whose clock showed the same time twice.
    people = {"an hour after": "in summer time"}
    cells = [
        (name, people.get(name, name), written, "10.00", "USD" if name in IN_DOLLARS else "BRL")
        for name, written, _ in ROWS
    ]
    file.write_text(csv_text([("id", "who", "at", "paid", "coin"), *cells]))
    run = run_ledger(tmp_path, MAPPING, file, as_of=AS_OF)
    assert_accounted(run)
    assert run.at("quarantine/ledger")[0] == 0
    counted = [
        (name, at(local), Decimal(10) * Decimal(IN_DOLLARS.get(name, "1")))
        for name, _, local in ROWS
        if "late" not in name
    ]
    rows = run.query("select order_id, order_purchase_time, payment_value from transactions")
    assert sorted(rows) == sorted(counted)
    assert run.parts("excluded") == {"purchased_after_as_of": (2, {"BRL": Decimal(20)})}
    expected = measured((people.get(name, name), time, value) for name, time, value in counted)
    assert measures_in(run) == expected
    assert expected["in summer time"] == (1, at("2018-02-17 23:30:00"), Decimal(20))
    [(days,)] = run.query("select days_since_last_purchase from rfm where customer_unique_id = 'half past eleven'")
    assert days == (at(AS_OF) - at("2018-06-15")).days


@pytest.mark.parametrize(
    "written",
    [
        *("2018-06-16 02:30Z", "2018-06-16T02:30 UTC", "2018-06-16 04:30+0200", "2018-06-15 23:30-03"),
        *("2018-06-16T02:30:00.0000000Z", "2018-06-16T02:30:00+00", "2018-06-16T04:30:00.000+02:00"),
    ],
)
def test_an_offset_is_heeded_in_whatever_notation_of_time_it_stands(spark: SparkSession, written: str) -> None:
    declared = ColumnForm(zone="America/Sao_Paulo")
    texts = frame(spark, "written string", (written,))
    cell = read_cell(F.col("written"), TimestampType(), is_required=True, declared=declared)
    [(text,)] = texts.select(cell.text).collect()
    assert at(text) == at("2018-06-15 23:30:00")
