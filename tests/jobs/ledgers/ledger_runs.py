"""Runs over ledgers: how a test makes one, and what DuckDB and plain Python say of it."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from jobs import pipeline
from tests.manifests import totals_by_name

AS_OF = "2018-06-30"
QUARANTINE = "quarantine/ledger"

Amounts = dict[str, Decimal]
"""Money by currency; with the key "" where all is in one."""


class LedgerRun:
    """A run that came to its end: its manifest, and its tables by DuckDB."""

    def __init__(self, output: Path, run_id: str) -> None:
        self.output = output
        self.folder = output / "runs" / run_id
        self.manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        self.totals = totals_by_name(self.manifest)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query over the tables."""
        with duckdb.connect() as connection:
            for name, path in self.manifest["tables"].items():
                connection.execute(f"create view \"{name}\" as from read_parquet('{self.output / path}/*.parquet')")
            return connection.execute(sql).fetchall()

    def rows(self, table: str, columns: str = "*") -> list[str]:
        """The rows of a table as text, in order."""
        return sorted(map(str, self.query(f'select {columns} from "{table}"')))

    def reasons(self, column: str) -> dict[str, list[str]]:
        """By the value of a column, the labels of the rules for which rows were quarantined."""
        labels = "[reason.rule || '(' || reason.column || ')' for reason in reasons]"
        rows = self.query(f'select {column}, {labels} from "{QUARANTINE}"')
        return dict(sorted((str(value), sorted(labels)) for value, labels in rows))

    @property
    def card(self) -> dict[str, Any]:
        """Bounds, cut points and map of the score card: what scores depend on."""
        card = json.loads((self.folder / "score_card.json").read_text())
        return {name: card[name] for name in ("bounds", "customers", "scores", "segment_map")}

    def parts(self, kind: str) -> dict[str, tuple[int, Amounts]]:
        """Rows and money of the ledger by cause or by kind of row."""
        prefix = f"ledger {kind} "
        return {name.removeprefix(prefix): self.at(name) for name in self.totals if name.startswith(prefix)}

    def at(self, name: str) -> tuple[int, Amounts]:
        """Rows and money at a boundary, by its name in `totals_by_name`."""
        entry = self.totals[name]
        if "money_by_currency" in entry:
            return entry["rows"], {currency: Decimal(text) for currency, text in entry["money_by_currency"].items()}
        return entry["rows"], {"": Decimal(entry["money"])}


def run_ledger(
    folder: Path,
    mapping: str,
    source: Path | str,
    *arguments: str,
    job: Callable[[Sequence[str]], int] = pipeline.main,
    run_id: str = "ledger",
    as_of: str = AS_OF,
    output: Path | None = None,
) -> LedgerRun:
    """Run a job over a ledger, without clusters unless the arguments name them.

    Args:
        folder: gets the mapping, and the runs below ``output``.
        mapping: its text.
        source: what ``--input`` names.
        arguments: further ones.
        job: the entry point.
        run_id: what follows the as-of date in the id of the run.
        as_of: the last day that counts.
        output: where the runs are instead.
    """
    output = output or folder / "output"
    command = [*ledger_arguments(folder, mapping, source, as_of=as_of), "--output", str(output)]
    if job is pipeline.main and "--k" not in arguments:
        command += ["--kmeans", "none"]
    if "--max-quarantined" not in arguments:
        command += ["--max-quarantined", "1"]
    assert job([*command, "--run-id", f"{as_of}-{run_id}", *arguments]) == 0
    return LedgerRun(output, f"{as_of}-{run_id}")


def ledger_arguments(folder: Path, mapping: str, source: Path | str, *, as_of: str = AS_OF) -> list[str]:
    """Write a mapping, and return the arguments of a run of it into ``folder``/output."""
    file = folder / "mapping.yml"
    file.write_text(mapping, encoding="utf-8")
    where = ["--input", str(source), "--output", str(folder / "output")]
    return ["--as-of", as_of, "--source", "ledger", "--mapping", str(file), *where]


def csv_text(rows: Iterable[Sequence[object]], **dialect: Any) -> str:
    """Rows as CSV, with quotes where they are needed."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", **dialect).writerows(rows)
    return text.getvalue()


def summed(amounts: Iterable[tuple[str, Decimal]]) -> tuple[int, Amounts]:
    """The number of amounts, and their sum by currency; a currency whose sum is 0 is not mentioned, as in a manifest.

    Args:
        amounts: each with its currency; "" where all are in one, whose sum is always mentioned.
    """
    listed = list(amounts)
    sums: Amounts = {}
    for currency, amount in listed:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return len(listed), {currency: total for currency, total in sums.items() if total or not currency}


def added(parts: Iterable[tuple[int, Amounts]]) -> tuple[int, Amounts]:
    """The sum of rows and money, as `summed` has it."""
    rows, amounts = 0, []
    for count, money in parts:
        rows += count
        amounts += list(money.items())
    return rows, summed(amounts)[1]


def assert_accounted(run: LedgerRun) -> None:
    """See that each row of a ledger is in one place, and that no cent is lost from place to place.

    The manifest is compared with the tables on disk, and its parts with their whole.
    """
    read, accepted, quarantined = (run.at(name) for name in ("ledger read", "ledger", QUARANTINE))
    assert read == added([accepted, quarantined])
    for table, (rows, _) in (("ledger", accepted), (QUARANTINE, quarantined)):
        assert run.query(f'select count(*) from "{table}"') == [(rows,)]
    if "transactions" not in run.totals:
        return
    counted, excluded, converted = (run.parts(kind) for kind in ("counted", "excluded", "converted"))
    assert accepted == added([*counted.values(), *excluded.values()])
    assert run.at("transactions") == added(converted.values())
    assert {kind: rows for kind, (rows, _) in counted.items()} == {kind: rows for kind, (rows, _) in converted.items()}
    of_transactions = run.query("select count(*), sum(payment_value) from transactions")
    assert of_transactions == [(run.at("transactions")[0], run.at("transactions")[1][""])]
    assert run.query("select sum(value) from purchases") == [(run.at("transactions")[1][""],)]
    [(of_customers,)] = run.query("select sum(total_value) from rfm")
    [(of_others,)] = run.query(
        "select coalesce(sum(value), 0) from purchases where customer_unique_id not in "
        "(select customer_unique_id from rfm)"
    )
    assert of_customers + of_others == run.at("transactions")[1][""]
    assert all(check["passed"] for check in run.manifest["reconciliation"])


def measured(transactions: Iterable[tuple[str, datetime, Decimal]]) -> dict[str, tuple[int, datetime, Decimal]]:
    """By customer: purchases, the last one, and the money in all. Who bought nothing is not there.

    Args:
        transactions: the customer, the time and the money of each; what one customer moved at one time is one thing.
    """
    moved: dict[tuple[str, datetime], Decimal] = {}
    for customer, time, value in transactions:
        moved[customer, time] = moved.get((customer, time), Decimal(0)) + value
    customers: dict[str, list[tuple[datetime, Decimal]]] = {}
    for (customer, time), value in moved.items():
        customers.setdefault(customer, []).append((time, value))
    return {
        customer: (
            sum(value >= 0 for _, value in things),
            max(time for time, value in things if value >= 0),
            sum((value for _, value in things), Decimal(0)),
        )
        for customer, things in customers.items()
        if any(value >= 0 for _, value in things)
    }


def measures_in(run: LedgerRun) -> dict[str, tuple[int, datetime, Decimal]]:
    """The same figures, as the run has them."""
    columns = "customer_unique_id, purchase_count, last_purchase_time, total_value"
    return {customer: tuple(figures) for customer, *figures in run.query(f"select {columns} from rfm")}
