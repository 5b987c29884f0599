"""The sample in the shape of a ledger: a drawn bank, with the same rows from the same arguments."""

import csv
import hashlib
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from ruamel.yaml import YAML

from jobs import sample
from jobs.sample_data.ledger_shape import LedgerShape
from jobs.storage.local import LocalFolder
from jobs.storage.s3 import S3Folder

ROWS, SHARE, HEAVIEST = 20_000, 0.1, "a00000000"
FIRST, LAST = date(2014, 10, 18), date(2018, 10, 17)
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
RETURNS = ("REFUND", "REVERSAL")

Row = dict[str, Any]


def rows_of(folder: Path) -> list[Row]:
    return sorted(pq.read_table(folder / "transactions").to_pylist(), key=lambda row: str(row["transaction_id"]))


def shares(rows: list[Row], column: str) -> dict[str, float]:
    return {value: count / len(rows) for value, count in Counter(row[column] for row in rows).items()}


def drawn(spark: SparkSession, shape: LedgerShape, *, partitions: int = 2) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in shape.transactions(spark, partitions=partitions).collect())


@pytest.fixture(scope="module")
def bank(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    sample.write_ledger(spark, LocalFolder(folder), LedgerShape(rows=ROWS, seed=42, heaviest=SHARE))
    return folder


@pytest.fixture(scope="module")
def rows(bank: Path) -> list[Row]:
    return rows_of(bank)


def test_ids_are_unique_and_in_the_order_of_time(rows: list[Row]) -> None:
    assert len({row["transaction_id"] for row in rows}) == len(rows) == ROWS
    times = [row["booked_at"] for row in rows]
    assert times == sorted(times)


def test_four_years_end_on_the_last_day_in_whole_seconds(rows: list[Row]) -> None:
    times = [row["booked_at"] for row in rows]
    assert {time.date() for time in times} == set(DAYS)
    assert not any(time.microsecond for time in times)
    assert len({time.time() for time in times}) > 10_000


def test_one_customer_has_exactly_the_heaviest_share_of_the_rows(rows: list[Row]) -> None:
    (heaviest, count), (_, next_count) = Counter(row["account_id"] for row in rows).most_common(2)
    assert (heaviest, count) == (HEAVIEST, ROWS * SHARE)
    assert next_count < 0.6 * count
    by_year = Counter(row["booked_at"].year for row in rows if row["account_id"] == HEAVIEST)
    assert all(450 < by_year[year] < 550 for year in (2015, 2016, 2017))


def test_a_customer_has_200_rows_on_average_but_some_have_few_and_some_many(rows: list[Row]) -> None:
    counts = sorted(Counter(row["account_id"] for row in rows if row["account_id"] != HEAVIEST).values())
    assert 180 < mean(counts) < 260
    assert counts[len(counts) // 10] < mean(counts) / 4
    assert counts[-1] > mean(counts) * 3


def test_customers_come_and_go(rows: list[Row]) -> None:
    times = defaultdict(list)
    for row in rows:
        times[row["account_id"]].append(row["booked_at"].date())
    assert 0.2 < mean(max(days) < date(2018, 1, 1) for days in times.values()) < 0.6
    assert 0.2 < mean(min(days) > date(2015, 6, 1) for days in times.values()) < 0.6


def test_the_first_and_last_days_of_a_month_have_three_times_the_transactions(rows: list[Row]) -> None:
    def is_busy(day: date) -> bool:
        return day.day <= 2 or (day + timedelta(days=2)).month != day.month

    per_day = Counter(row["booked_at"].date() for row in rows)
    busy, other = ([per_day[day] for day in DAYS if is_busy(day) is which] for which in (True, False))
    assert 2.9 < mean(busy) / mean(other) < 3.1


def test_a_folder_holds_a_month_and_is_named_by_its_last_day(bank: Path) -> None:
    folders = sorted((bank / "transactions").iterdir())
    assert len(folders) == 49
    for folder in folders:
        name, _, value = folder.name.partition("=")
        last_day = date.fromisoformat(value)
        days = {time.as_py().date() for time in pq.read_table(folder, columns=["booked_at"], partitioning=None)[0]}
        assert name == "until"
        assert {day.replace(day=1) for day in days} == {last_day.replace(day=1)}
        assert (last_day + timedelta(days=1)).day == 1
        assert [path.suffix for path in folder.iterdir()] == [".parquet"]


def test_times_and_amounts_are_whole_numbers_in_the_files_so_that_they_have_statistics(bank: Path) -> None:
    file = next((bank / "transactions").rglob("*.parquet"))
    types = {column.name: column.physical_type for column in pq.ParquetFile(file).schema}
    assert (types["booked_at"], types["amount"]) == ("INT64", "INT64")
    assert str(pq.read_schema(file).field("booked_at").type) == "timestamp[us, tz=UTC]"
    assert str(pq.read_schema(file).field("amount").type) == "decimal128(18, 2)"


def test_currencies_kinds_statuses_and_channels_have_a_banks_shares(rows: list[Row]) -> None:
    expected = {
        "currency": {"EUR": 0.85, "USD": 0.06, "GBP": 0.04, "CHF": 0.03, "BRL": 0.02},
        "kind": {"CARD": 0.698, "TRANSFER": 0.25, "FEE": 0.03, "REFUND": 0.02, "REVERSAL": 0.003},
        "status": {"BOOKED": 0.99, "PENDING": 0.01},
        "channel": {"POS": 0.45, "ONLINE": 0.40, "ATM": 0.10, "BRANCH": 0.05},
    }
    for column, shares_of in expected.items():
        assert shares(rows, column) == pytest.approx(shares_of, abs=0.01, rel=0.25)


def test_amounts_are_log_normal_and_larger_in_brazilian_reais(rows: list[Row]) -> None:
    def amounts(currency: str) -> list[Decimal]:
        return [row["amount"] for row in rows if row["currency"] == currency and row["kind"] in ("CARD", "TRANSFER")]

    euros = amounts("EUR")
    assert min(euros) > 0
    assert 28 < median(euros) < 32
    assert 1.8 < mean(euros) / median(euros) < 2.3
    assert 100 < median(amounts("BRL")) < 140


def test_every_return_takes_back_another_purchase_of_its_customer_from_the_weeks_before(rows: list[Row]) -> None:
    by_id = {row["transaction_id"]: row for row in rows}
    returns = [row for row in rows if row["original_id"] is not None]
    assert {row["transaction_id"] for row in returns} == {
        row["transaction_id"] for row in rows if row["kind"] in RETURNS
    }
    assert len({row["original_id"] for row in returns}) == len(returns)
    assert any(row["account_id"] == HEAVIEST for row in returns)
    for row in returns:
        original = by_id[row["original_id"]]
        assert original["kind"] in ("CARD", "TRANSFER")
        assert original["transaction_id"] < row["transaction_id"]
        assert row["booked_at"] - original["booked_at"] < timedelta(days=60)
        assert row["amount"] == -original["amount"] < 0
        for column in ("account_id", "currency", "status", "channel"):
            assert row[column] == original[column]


def test_rates_cover_each_day_and_currency_and_move_slowly(bank: Path, rows: list[Row]) -> None:
    with (bank / "rates.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    currencies = {row["currency"] for row in rows} - {"EUR"}
    assert [(record["currency"], record["date"]) for record in records] == [
        (currency, str(day)) for currency in ("USD", "GBP", "CHF", "BRL") for day in DAYS
    ]
    assert currencies == {record["currency"] for record in records}
    assert all(len(record["rate"].partition(".")[2]) == 6 for record in records)
    for currency in currencies:
        of_currency = [Decimal(record["rate"]) for record in records if record["currency"] == currency]
        steps = [abs(after / before - 1) for before, after in pairwise(of_currency)]
        assert max(steps) < 0.01
        assert len(set(of_currency)) > 700


def test_the_mapping_names_columns_and_kinds_that_are_there(bank: Path, rows: list[Row]) -> None:
    mapping = YAML(typ="safe").load(bank / "ledger.yml")
    assert {value for key, value in mapping.items() if key.endswith("_col")} < set(rows[0])
    assert {kind for kinds in mapping["types"].values() for kind in kinds} == {row["kind"] for row in rows}
    assert mapping["partitioned_by"] in rows[0]
    assert (bank / mapping["rates"]).is_file()
    assert mapping["keep"] == {"status": ["BOOKED"]}


def test_the_same_arguments_give_the_same_rows_in_any_number_of_partitions(spark: SparkSession) -> None:
    shape = LedgerShape(rows=600, seed=3, heaviest=0.05)
    rows = drawn(spark, shape, partitions=1)
    assert rows == drawn(spark, shape, partitions=7)
    # Recorded when first written: any other machine, core count or release must give the same rows.
    assert hashlib.sha256(repr(rows).encode()).hexdigest()[:16] == PINNED
    other = drawn(spark, LedgerShape(rows=600, seed=4, heaviest=0.05))
    assert [row[1] for row in other] != [row[1] for row in rows]


def test_a_share_of_nothing_leaves_no_heaviest_customer(spark: SparkSession) -> None:
    accounts = Counter(row[1] for row in drawn(spark, LedgerShape(rows=1_500, seed=1, heaviest=0.0)))
    assert HEAVIEST not in accounts
    assert sum(accounts.values()) == 1_500


@pytest.mark.parametrize(("rows", "heaviest", "of_heaviest"), [(1, 0.01, 0), (150, 0.5, 75)])
def test_a_sample_may_be_tiny(spark: SparkSession, rows: int, heaviest: float, of_heaviest: int) -> None:
    tiny = drawn(spark, LedgerShape(rows=rows, seed=1, heaviest=heaviest))
    assert [row[0] for row in tiny] == [f"t{number:010d}" for number in range(rows)]
    assert sum(row[1] == HEAVIEST for row in tiny) == of_heaviest


def test_no_row_is_lost_between_the_periods_of_a_large_ledger() -> None:
    periods = LedgerShape(rows=999_999_999, seed=1, heaviest=0.01).periods
    lengths = [after - before for before, after in pairwise(periods.first_rows)]
    assert (periods.first_rows[0], periods.first_rows[-1]) == (0, 999_999_999)
    assert 0 < min(lengths) <= max(lengths) <= 1_000_000
    assert periods.first_seconds == sorted(set(periods.first_seconds))
    assert datetime.fromisoformat("2018-10-18T00:00:00+00:00").timestamp() == periods.first_seconds[-1]


@pytest.mark.parametrize(("rows", "heaviest"), [(1_000_000_000, 0.5), (1_000_000_000, 0.01), (997, 0.3), (997, 0.0)])
def test_a_return_finds_any_row_by_its_number_among_its_customers_rows(
    spark: SparkSession, rows: int, heaviest: float
) -> None:
    shape = LedgerShape(rows=rows, seed=1, heaviest=heaviest)
    last_rows = spark.range(rows - 300, rows).withColumnRenamed("id", "row").transform(shape.with_ordinal)
    numbered = last_rows.select("row", "is_heaviest", "ordinal", shape._row_of("ordinal").alias("inverse")).collect()
    assert [row.inverse for row in numbered] == [row.row for row in numbered]
    ordinals = {
        is_heaviest: [row.ordinal for row in numbered if row.is_heaviest is is_heaviest]
        for is_heaviest in (True, False)
    }
    assert max(ordinals[False]) == rows - round(rows * heaviest) - 1
    assert max(ordinals[True], default=-1) == round(rows * heaviest) - 1


@pytest.mark.long
def test_an_earlier_sample_is_replaced_only_by_a_whole_one(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(rows: int) -> None:
        sample.write_ledger(spark, LocalFolder(tmp_path), LedgerShape(rows=rows, seed=1, heaviest=0.01))

    def fail(_: int) -> str:
        raise OSError(28, "No space left on device")

    (tmp_path / "notes.txt").write_text("not of the sample")
    write(3)
    with monkeypatch.context() as patch:
        patch.setattr(sample, "rates_csv", fail)
        with pytest.raises(OSError, match="No space"):
            write(2)
    assert len(rows_of(tmp_path)) == 3
    write(2)
    assert len(rows_of(tmp_path)) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"transactions", "rates.csv", "ledger.yml", "notes.txt"}


def test_the_session_keeps_its_settings(spark: SparkSession, bank: Path) -> None:
    assert bank.exists()
    assert spark.conf.get("spark.sql.parquet.outputTimestampType") == "INT96"
    assert spark.conf.get("spark.sql.parquet.writeLegacyFormat") == "true"


@pytest.mark.usefixtures("spark", "aws")
@pytest.mark.long
def test_a_ledger_in_s3_replaces_the_earlier_one(bucket: str) -> None:
    folder = S3Folder(bucket, "bank")
    for rows in ("2", "1"):
        assert sample.main(["--shape", "ledger", "--rows", rows, "--output", folder.display_path()]) == 0
    assert folder.names() == ["ledger.yml", "rates.csv", "transactions"]
    assert folder.names("transactions") == ["until=2018-10-31"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rows", "9"], "--rows belongs to --shape ledger: found --shape olist, which has --orders"),
        (["--heaviest", "0.1"], "--heaviest belongs to --shape ledger: found --shape olist, which has --orders"),
        (
            ["--shape", "ledger", "--orders", "9"],
            "--orders belongs to --shape olist: found --shape ledger, which has --rows and --heaviest",
        ),
        (["--shape", "ledger", "--heaviest", "0.6"], "invalid --heaviest '0.6': expected a share from 0 to 0.5"),
        (["--shape", "ledger", "--heaviest", "nan"], "invalid --heaviest 'nan': expected a share from 0 to 0.5"),
        (["--shape", "ledger", "--rows", "0"], "invalid --rows '0': expected a whole number, at least 1"),
        (["--shape", "ledger", "--rows", "9999999999"], "invalid --rows '9999999999': expected at most 1,000,000,000"),
        (["--shape", "shop"], "invalid --shape 'shop': expected one of"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    output = tmp_path / "output"
    assert sample.main([*arguments, "--output", str(output)]) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


PINNED = "5443b205738973e7"
