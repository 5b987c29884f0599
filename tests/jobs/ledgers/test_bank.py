"""A bank's ledger, from its file to the warehouse and the report; each figure against plain Python."""

import re
import shlex
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from jobs import features, publish, replay
from jobs.cli.config import PipelineConfig
from jobs.sources.choosing import source_of
from tests.fakes.page import real_report
from tests.jobs.ledgers.bank import AS_OF, MAPPING, Entry, entries, with_causes, write_bank
from tests.jobs.ledgers.ledger_runs import (
    QUARANTINE,
    LedgerRun,
    assert_accounted,
    measured,
    measures_in,
    run_ledger,
    summed,
)
from tests.jobs.reports.pages import Page

pytestmark = pytest.mark.usefixtures("spark")

LEDGER = "The ledger, as it stands"


@pytest.fixture(scope="module")
def rows() -> list[Entry]:
    return entries()


@pytest.fixture(scope="module")
def bank(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, rows: list[Entry]) -> LedgerRun:
    """A run over the bank's ledger, with the report that users get."""
    assert spark is not None
    folder = tmp_path_factory.mktemp("bank")
    with real_report():
        return run_ledger(folder, MAPPING, write_bank(folder, rows))


def test_each_row_and_each_cent_of_every_currency_is_accounted_for(bank: LedgerRun, rows: list[Entry]) -> None:
    assert_accounted(bank)
    assert bank.at("ledger read") == summed(row.money for row in rows)
    assert bank.at("ledger") == summed(row.money for row in rows if row.lost is None)
    assert bank.at(QUARANTINE) == summed(row.money for row in rows if row.lost)
    explained = with_causes(rows)
    causes = {cause for _, cause in explained if cause}
    assert bank.parts("excluded") == {
        cause: summed(row.money for row, its in explained if its == cause) for cause in causes
    }
    assert len(causes) == 8
    counted = [row for row, cause in explained if cause is None]
    assert bank.parts("counted") == {"purchase": summed(row.money for row in counted)}
    assert bank.parts("converted") == {"purchase": summed(("", row.worth) for row in counted)}


def test_each_transaction_is_worth_its_amount_at_the_rate_of_its_day(bank: LedgerRun, rows: list[Entry]) -> None:
    counted = [row for row, cause in with_causes(rows) if cause is None]
    rows_of_table = bank.query(
        "select order_id, customer_unique_id, order_purchase_time, payment_value from transactions"
    )
    assert sorted(rows_of_table) == sorted((row.entry, row.account, row.time, row.worth) for row in counted)
    worth = {entry: value for entry, *_, value in rows_of_table}
    # 0.5 yen at 0.0075 or 0.00812345, rounded half up; 100 francs at Friday's rate.
    assert worth["small"] in (Decimal("0.0038"), Decimal("0.0041"))
    assert worth["sunday"] in (Decimal("90.9091"), Decimal("83"))
    assert measures_in(bank) == measured((row.account, row.time, row.worth) for row in counted)


def test_rows_are_rejected_with_their_reasons_and_of_a_copy_one_stays(bank: LedgerRun, rows: list[Entry]) -> None:
    assert sorted((row.entry, row.lost) for row in rows if row.lost) == sorted(
        (entry, label)
        for entry, [label] in bank.query(
            f"select order_id, [reason.rule || '(' || reason.column || ')' for reason in reasons] from \"{QUARANTINE}\""
        )
    )
    [(message,)] = bank.query(f"select reasons[1].message from \"{QUARANTINE}\" where order_id = 'no rate'")
    assert message == "expected a currency with a rate to EUR on that day (EUR, CHF, JPY, USD)"
    assert bank.query("select count(*) from ledger where order_id = 'copied'") == [(1,)]
    assert bank.query("select count(*) from ledger where order_id = 'twice'") == [(0,)]


def test_the_report_names_the_currency_and_has_the_rows_of_the_ledger_by_what_became_of_them(
    bank: LedgerRun, rows: list[Entry]
) -> None:
    page = Page((bank.folder / "report.html").read_text())
    assert "Money, EUR" in page.text
    assert page.headers[LEDGER] == ["rows of the ledger", "rows", "CHF", "EUR", "JPY", "USD"]
    shown = {str(name): (count, *amounts) for name, count, *amounts in page.tables[LEDGER]}
    explained = with_causes(rows)
    expected = {
        "in the files": rows,
        "− quarantined": [row for row in rows if row.lost],
        "accepted": [row for row in rows if not row.lost],
        **{
            f"− {cause.replace('_', ' ')}": [row for row, its in explained if its == cause]
            for cause in {cause for _, cause in explained if cause}
        },
        "counts as purchase": [row for row, cause in explained if cause is None],
    }
    assert shown == {name: figures(some) for name, some in expected.items()}


def figures(rows: list[Entry]) -> tuple[int | Decimal, ...]:
    count, amounts = summed(row.money for row in rows)
    return (count, *[amounts.get(currency, Decimal(0)) for currency in ("CHF", "EUR", "JPY", "USD")])


def test_the_command_of_the_report_finds_the_ledger_its_mapping_and_its_rates(bank: LedgerRun) -> None:
    page = Page((bank.folder / "report.html").read_text())
    [command] = re.findall(r"python -m jobs\.pipeline (.*?) Cells of fewer", page.text)
    config = PipelineConfig.from_argv(shlex.split(command))
    assert config.input == str(bank.output.parent / "buchungen.csv")
    [contract] = source_of(config.source).contracts
    assert contract.file_names["currency"] == "Währung"


def test_the_warehouse_has_the_customers_of_the_run(bank: LedgerRun, tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    assert publish.main(["--output", str(bank.output), "--warehouse", f"duckdb:{file}"]) == 0
    with duckdb.connect(str(file), read_only=True) as warehouse:
        for table in ("transactions", "purchases", "rfm"):
            loaded = warehouse.execute(f"select * from {table}").fetchall()
            assert sorted(map(str, loaded)) == bank.rows(table)


def test_features_go_on_from_the_mapping_and_the_rates_that_the_run_kept(bank: LedgerRun) -> None:
    for name in ("mapping.yml", "kurse.csv", "buchungen.csv"):
        (bank.output.parent / name).rename(bank.output.parent / f"{name}.away")
    try:
        arguments = ["--as-of", str(AS_OF), "--output", str(bank.output), "--run-id", f"{AS_OF}-again"]
        assert features.main([*arguments, "--checked-run", bank.folder.name, "--becomes-current", "no"]) == 0
    finally:
        for name in ("mapping.yml", "kurse.csv", "buchungen.csv"):
            (bank.output.parent / f"{name}.away").rename(bank.output.parent / name)
    again = LedgerRun(bank.output, f"{AS_OF}-again")
    for table in ("transactions", "purchases", "rfm"):
        assert again.rows(table) == bank.rows(table)
    assert again.card == bank.card
    assert (again.folder / "mapping.yml").read_text() == MAPPING


def test_corrected_rows_are_accepted_by_their_ids_in_a_replay(
    bank: LedgerRun, rows: list[Entry], tmp_path: Path
) -> None:
    corrected = [
        Entry(row.entry, row.account or "DE0007", row.time, f"-{row.amount.removeprefix('-')}", "EUR", "Karte")
        for row in rows
        if row.lost and row.entry not in ("unknown", "copied")
    ]
    by_id = {row.entry: row for row in corrected}
    file = write_bank(tmp_path, by_id.values())
    replayed = run_ledger(
        tmp_path,
        MAPPING,
        file,
        "--replayed-run",
        bank.folder.name,
        job=replay.main,
        run_id="replayed",
        output=bank.output,
    )
    accepted = [row for row in rows if row.lost is None]
    assert replayed.at("ledger") == summed(row.money for row in [*accepted, *by_id.values()])
    assert replayed.at("ledger newly_accepted") == summed(row.money for row in by_id.values())
    still = [row for row in rows if row.entry == "unknown" or (row.entry == "copied" and row.lost)]
    assert replayed.at(QUARANTINE) == summed(row.money for row in still)
    assert all(check["passed"] for check in replayed.manifest["reconciliation"])
