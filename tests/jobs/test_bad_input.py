"""What bad input gets: an exit code, one line that helps, and everything that was there before as it was."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from expectations.contracts.olist import FILE_CONTRACTS
from jobs.inputs.input_files import find_inputs
from jobs.pipeline import main
from tests.log_lines import without_logs
from tests.raw_files import PAYMENTS_HEADER, RawFiles

POINTER = '{"run_id": "2018-01-01-before"}\n'


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder that has a current run."""
    folder = tmp_path / "output"
    folder.mkdir()
    (folder / "current.json").write_text(POINTER)
    return folder


def fails(raw: RawFiles | str, output: Path, capfd: pytest.CaptureFixture[str], *arguments: str, code: int) -> str:
    """Run the pipeline, see that it fails as it should, and return the line it says."""
    folder = raw if isinstance(raw, str) else str(raw.folder)
    as_of = [] if "--as-of" in arguments else ["--as-of", "2018-12-31"]
    assert main([*as_of, "--input", folder, "--output", str(output), *arguments]) == code
    shown = capfd.readouterr()
    lines = without_logs(shown.err)
    assert len(lines) == 1, shown.err
    assert lines[0].startswith("pipeline: ")
    assert shown.out == ""
    assert (output / "current.json").read_text() == POINTER
    assert not list(output.glob("runs/*/manifest.json"))
    return lines[0]


def test_no_such_folder(output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = fails("/nowhere/at/all", output, capfd, code=2)
    assert "--input /nowhere/at/all: found nothing, expected a folder with the CSV files" in line


def test_a_file_in_place_of_the_folder(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.write()
    assert "found a file" in fails(str(raw.orders_file), output, capfd, code=2)


def test_a_place_that_is_not_served(output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = fails("ftp://host/olist", output, capfd, code=2)
    assert "found ftp://, expected a local folder, a file:// URI or an s3:// URI" in line


def test_a_missing_file(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.write()
    raw.payments_file.unlink()
    line = fails(raw, output, capfd, code=2)
    assert "no olist_order_payments_dataset.csv (found: olist_customers_dataset.csv, olist_orders_dataset.csv)" in line


def test_a_file_that_is_there_twice(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.write()
    (raw.folder / "olist_orders_dataset.csv.gz").touch()
    line = fails(raw, output, capfd, code=2)
    assert "found olist_orders_dataset.csv and olist_orders_dataset.csv.gz, expected one of them" in line


@pytest.mark.parametrize(("name", "cause"), [("part:0.csv", "has a colon"), ("part-\udcff.csv", "is not UTF-8")])
def test_a_part_file_that_spark_cannot_read_is_named_before_it_starts(
    raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str], name: str, cause: str
) -> None:
    raw.write()
    lines = raw.payments_file.read_bytes()
    raw.payments_file.unlink()
    raw.payments_file.mkdir()
    (raw.payments_file / name).write_bytes(lines)
    line = fails(raw, output, capfd, code=2)
    assert f"its name {cause}" in line
    assert line.endswith("Rename it")


def test_a_header_short_of_a_column(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.payments[0] = raw.payments[0].replace("payment_value", "value")
    raw.write()
    line = fails(raw, output, capfd, code=3)
    assert (
        "olist_order_payments_dataset.csv: no column 'payment_value' "
        "(found: order_id, payment_sequential, payment_type, payment_installments, value)" in line
    )


def test_a_header_with_a_column_twice(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.payments[0] += ",order_id"
    raw.write()
    assert "column order_id is in the header more than once" in fails(raw, output, capfd, code=3)


def test_an_empty_file(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.customers = []
    raw.write()
    line = fails(raw, output, capfd, code=3)
    assert "olist_customers_dataset.csv: empty, expected a header line and rows" in line


def test_a_header_and_no_rows(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.orders = [raw.orders[0], "", ""]
    raw.write()
    assert "olist_orders_dataset.csv: a header and no rows" in fails(raw, output, capfd, code=3)


def test_a_huge_field_in_the_first_row_is_left_to_the_rules(raw: RawFiles) -> None:
    # Python's own reader of CSV takes no field of more than 131,072 characters.
    raw.payments[1] = raw.payments[1].replace("credit_card", "x" * 200_000)
    assert [source.contract.table for source in find_inputs(raw.write(), FILE_CONTRACTS)] == [
        *("customers", "orders", "payments")
    ]


def test_what_is_no_gzip(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.write()
    raw.orders_file.rename(raw.folder / "olist_orders_dataset.csv.gz")
    assert "olist_orders_dataset.csv.gz: found no gzip, expected what its name says" in fails(
        raw, output, capfd, code=3
    )


def test_an_output_that_cannot_be_written(raw: RawFiles, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.write()
    (tmp_path / "file").touch()
    assert main(["--as-of", "2018-12-31", "--input", str(raw.folder), "--output", str(tmp_path / "file")]) == 2
    [line] = without_logs(capfd.readouterr().err)
    assert "cannot create a folder there (Not a directory" in line


def test_a_run_id_that_is_taken(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.write()
    (output / "runs" / "2018-12-31-x").mkdir(parents=True)
    line = fails(raw, output, capfd, "--run-id", "2018-12-31-x", code=2)
    assert "run 2018-12-31-x exists" in line


def test_an_unknown_card(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.write()
    line = fails(raw, output, capfd, "--card", "workshop-2020", code=2)
    assert "--card workshop-2020: no such file, and no card of that name (shipped: workshop-2021)" in line


@pytest.mark.parametrize(
    ("recency", "says"),
    [({"min": 1}, '"max" of "recency" is missing'), ({"min": 2, "max": 1}, '"recency" has min 2 above max 1')],
    ids=["a bound missing", "min above max"],
)
def test_a_card_that_is_none(
    raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str], recency: dict[str, int], says: str
) -> None:
    raw.write()
    bounds = {"recency": recency, "frequency": {"min": 1, "max": 2}, "monetary": {"min": 0, "max": 1}}
    card = raw.folder / "card.json"
    card.write_text(json.dumps({"as_of": "2018-01-01", "bounds": bounds}))
    assert says in fails(raw, output, capfd, "--card", str(card), code=2)


@pytest.mark.usefixtures("spark")
def test_parquet_that_is_cut_off(raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw.write()
    raw.customers_file.unlink()
    raw.customers_file.with_suffix(".parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    line = fails(raw, output, capfd, code=3)
    assert "olist_customers_dataset.parquet: damaged or cut off, expected a Parquet file. Get it anew" in line


def late(raw: RawFiles) -> None:
    """Every purchase is after the as-of date that the test gives."""


def broken_dates(raw: RawFiles) -> None:
    raw.orders[1:] = [line.replace("2018-0", "2018-9") for line in raw.orders[1:]]


def strangers(raw: RawFiles) -> None:
    raw.payments = [PAYMENTS_HEADER, '"o7",1,boleto,1,1.00']


@pytest.mark.parametrize(
    ("spoil", "as_of"),
    [
        (late, "2010-01-01"),
        pytest.param(broken_dates, "2018-12-31", marks=pytest.mark.long),
        pytest.param(strangers, "2018-12-31", marks=pytest.mark.long),
    ],
    ids=["as_of before all purchases", "no date is a date", "no payment has an order"],
)
@pytest.mark.usefixtures("spark")
def test_data_of_which_nothing_counts(
    raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str], spoil: Callable[[RawFiles], None], as_of: str
) -> None:
    spoil(raw)
    raw.write()
    line = fails(raw, output, capfd, "--as-of", as_of, "--max-quarantined", "1", code=3)
    assert f"no payment counts as of {as_of}" in line
    [failure] = output.glob("runs/*/failure.json")
    assert json.loads(failure.read_text())["exit_code"] == 3


def test_money_beyond_any_table_is_an_error_of_the_data(
    spark: SparkSession, raw: RawFiles, output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    raw.payments += ['"o1",8,boleto,1,99999999999999.99', '"o1",9,boleto,1,99999999999999.99']
    raw.write()
    any_amount = raw.folder / "rules.yml"
    any_amount.write_text("payments: {change: {between(payment_value): {high: 1.0e+15}}}\n")
    line = fails(raw, output, capfd, "--rules", str(any_amount), code=3)
    assert "the data is not fit to use: [NUMERIC_VALUE_OUT_OF_RANGE" in line
    assert spark.range(1).count() == 1
