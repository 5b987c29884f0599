"""A ledger: one table of transactions, whose columns a mapping names."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from pyspark.sql import DataFrame

from expectations.contracts.computed import without_unpaid_orders
from expectations.contracts.contract import FileContract
from expectations.contracts.ledger import TABLE, ledger_contract
from jobs.cli.arguments import SourceKind
from jobs.cli.config import FeaturesConfig, hash_of
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.input_files import RawInput
from jobs.inputs.ledger_files import find_ledger, first_partition
from jobs.inputs.ledger_mapping import LedgerFiles
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.computed_tables import write_computed
from jobs.runs.manifest import Reused, StepResult
from jobs.runs.metrics import Written
from jobs.runs.run import Run
from jobs.runs.totals import Boundary, BoundaryKind, BoundaryTotal, Total
from jobs.sources.source import SourcedTransactions
from transforms.sources.counted import Counted
from transforms.sources.ledger import (
    attributed_entries,
    entry_totals,
    exclusion_causes,
    first_purchase_day,
    transactions,
)

SOURCE = "source"
MAPPING_FILE, RATES_FILE = "mapping.yml", "rates.csv"


@dataclass(frozen=True)
class EntryTotals:
    """What the rows of a ledger are, by kind and cause: of the rows, and of what they are worth in transactions.

    Attributes:
        counted: as they stand in the ledger, by kind, of the rows that count.
        converted: the same rows, by kind, with the sign and in the currency of transactions.
        excluded: as they stand in the ledger, by cause.
    """

    counted: Mapping[str, Total]
    converted: Mapping[str, Total]
    excluded: Mapping[str, Total]

    @classmethod
    def of(cls, rows: Sequence[Any], *, by_currency: bool) -> "EntryTotals":
        """Add up the rows of `entry_totals`.

        Args:
            rows: one per currency, kind and cause.
            by_currency: whether the rows of the ledger have currencies of their own.
        """
        counted: dict[str, Total] = {}
        converted: dict[str, Total] = {}
        excluded: dict[str, Total] = {}
        for row in rows:
            amount: Decimal = row["amount"]
            total = Total(row["rows"], None, {row["currency"]: amount}) if by_currency else Total(row["rows"], amount)
            if row["exclusion_cause"] is None:
                counted[row["kind"]] = counted.get(row["kind"], Total()) + total
                worth = Total(row["rows"], row["worth"])
                converted[row["kind"]] = converted.get(row["kind"], Total()) + worth
            else:
                excluded[row["exclusion_cause"]] = excluded.get(row["exclusion_cause"], Total()) + total
        return cls(counted, converted, excluded)


class LedgerSource:
    """The source that a ledger is: its mapping and its rates, and the name by which the user gave the mapping."""

    kind: SourceKind = "ledger"

    def __init__(self, files: LedgerFiles, *, name: str, read_from: date | None = None) -> None:
        """Take what describes the ledger.

        Args:
            files: mapping and rates.
            name: of the mapping's file, as the user gave it.
            read_from: the first day of the partitions that an earlier run read; None for all.
        """
        self._files = files
        self._mapping = files.mapping
        self._name = name
        self._read_from = read_from

    @property
    def settings(self) -> Mapping[str, str] | None:
        """Hashes of the mapping and of the rates."""
        files = self._files
        rates = {} if files.rates is None else {"rates": files.rates.sha256[:16]}
        return {"kind": self.kind, "mapping": hash_of(asdict(files.mapping)), **rates}

    @cached_property
    def contracts(self) -> tuple[FileContract, ...]:
        """The ledger's contract, built from the mapping."""
        return (ledger_contract(self._mapping, self._files.rates),)

    def find(self, uri: str, contracts: Sequence[FileContract], *, counted: Counted | None = None) -> list[RawInput]:
        """Find the files of the ledger, or its table; see `find_ledger`."""
        inputs = [find_ledger(uri, contract, self._mapping, counted) for contract in contracts]
        self._read_from = next((raw.not_opened.before for raw in inputs if raw.not_opened), None)
        return inputs

    def refuse_options(self, config: FeaturesConfig, *, counted: Counted) -> None:
        """Refuse Olist's statuses, since the mapping says which rows count, and days that an earlier run did not read.

        Raises:
            ConfigurationError: The options ask for either.
        """
        if config.order_statuses is not None:
            raise ConfigurationError(
                "--order-statuses with a ledger: expected the statuses in its mapping, such as "
                "keep: {status: [booked]}. Leave --order-statuses out"
            )
        first_day = first_partition(self._mapping, counted)
        if self._read_from is not None and (first_day is None or first_day < self._read_from):
            raise ConfigurationError(
                f"the checked ledger begins with partitions of {self._read_from}, since its run had a window; expected "
                "one as long, or shorter, by --window-months. Run jobs.pipeline for a longer one"
            )

    def keep(self, run: Run) -> StepResult:
        """Keep the mapping and the rates in the run, as they are."""
        files, mapping = self._files, self._mapping
        run.write_text(MAPPING_FILE, files.text)
        entry: dict[str, Any] = {
            "kind": self.kind,
            "currency": mapping.currency,
            "time_zone": mapping.time_zone,
            "read_from": self._read_from.isoformat() if self._read_from else None,
            "mapping": {"file": run.path(MAPPING_FILE), "sha256": files.sha256, "given": self._name},
        }
        if files.rates is not None and files.rates_text is not None:
            run.write_text(RATES_FILE, files.rates_text)
            entry["rates"] = {"file": run.path(RATES_FILE), "sha256": files.rates.sha256, "given": mapping.rates}
        return Reused({SOURCE: self.settings}, {SOURCE: entry})

    def first_purchase_day(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        """The day of the first row, in the mapping's time zone; see `Source`."""
        return first_purchase_day(ledger=tables[TABLE], mapping=self._mapping)

    def transactions(self, run: Run, checked: CheckedTables, config: FeaturesConfig) -> SourcedTransactions:
        """Write the rows that count, and account for the others, each by its cause and currency; see `Source`."""
        return SourcedTransactions(
            written=self._write_transactions(run, checked.tables[TABLE], config.counted(as_of=run.as_of)),
            people=None,
            account_for_people=partial(_account_for_people, run),
            contract_of_rfm=without_unpaid_orders,
            settings=checked.configuration(),
        )

    def _write_transactions(self, run: Run, ledger: Written, counted: Counted) -> Written:
        mapping = self._mapping
        with run.step("transactions") as step:
            entries = attributed_entries(ledger=ledger.frame, mapping=mapping, rates=self._files.rates, counted=counted)
            rows = entry_totals(entries=entries).collect()
            totals = EntryTotals.of(rows, by_currency=mapping.currency_col is not None)
            rows_counted = sum(total.rows for total in totals.counted.values())
            written = write_computed(
                run,
                run.rules.contracts["transactions"],
                transactions(entries=entries),
                # The key is the id of the ledger, which its contract has checked, or a number within a group.
                keys=lambda: rows_counted,
            )
            causes = [cause for cause in exclusion_causes(mapping) if cause in totals.excluded]
            self._reconcile(run, ledger, written, totals, causes)
            step.record(
                rows_in=ledger.total.rows, out=written.total, not_passed_on=ledger.total.rows - written.total.rows
            )
        if not written.total.rows:
            listed = "; ".join(f"{cause}: {totals.excluded[cause]}" for cause in causes)
            raise DataError(
                f"no row of the ledger counts as of {run.as_of}: found {ledger.total} in the checked ledger, expected "
                f"some to count ({listed}). Check --as-of, --window-months, and keep, drop and types in the mapping"
            )
        return written

    def _reconcile(
        self, run: Run, ledger: Written, written: Written, totals: EntryTotals, causes: Sequence[str]
    ) -> None:
        """Check that each row of the ledger counts or has a cause, and that transactions are worth what counts."""
        run.reconcile(
            ledger.entry,
            *[BoundaryTotal(_counted(kind), total) for kind, total in sorted(totals.counted.items())],
            *[BoundaryTotal(Boundary(TABLE, BoundaryKind.EXCLUDED, cause), totals.excluded[cause]) for cause in causes],
        )
        run.reconcile(
            written.entry,
            *[
                BoundaryTotal(replace(_counted(kind), kind=BoundaryKind.CONVERTED), total)
                for kind, total in sorted(totals.converted.items())
            ],
        )


def _counted(kind: str) -> Boundary:
    return Boundary(TABLE, BoundaryKind.COUNTED, kind)


def _account_for_people(run: Run, measures: DataFrame, totals: Mapping[str, Any]) -> int:
    """Check that each person with a transaction bought something or has returns alone; return how many bought.

    Who has no transaction is not known as a person: a ledger lists transactions, and rows that are excluded are
    accounted for as rows.

    Raises:
        DataError: Somebody is neither.
    """
    del measures
    people, buyers, others = totals["people"], totals["buyers"], totals["people_with_returns_alone"]
    run.reconcile(
        BoundaryTotal(Boundary("customers", BoundaryKind.PEOPLE), Total(people)),
        BoundaryTotal(Boundary("purchases", BoundaryKind.PEOPLE), Total(buyers)),
        BoundaryTotal(Boundary("customers", BoundaryKind.EXCLUDED, "returns_alone"), Total(others)),
    )
    return int(buyers)
