"""What a kind of source is to the steps: its raw tables, and its way from checked tables to transactions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql import DataFrame

from expectations.contracts.contract import Contract, FileContract
from jobs.cli.arguments import SourceKind
from jobs.cli.config import FeaturesConfig
from jobs.inputs.input_files import RawInput
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.manifest import StepResult
from jobs.runs.metrics import Written
from jobs.runs.run import Run
from transforms.sources.counted import Counted


@dataclass(frozen=True)
class SourcedTransactions:
    """The transactions of a source, as they were written, and what else is known of its people.

    Attributes:
        written: the table.
        people: who may have bought nothing, one row per customer_id with its ``customer_unique_id``; None where the
            source lists no people.
        account_for_people: checks that each person bought something or has a cause, and returns how many bought. It
            takes the measures of all people, and what was observed of them.
        contract_of_rfm: completes the contract of rfm by what the source measured.
        settings: what the checked tables depend on.
    """

    written: Written
    people: DataFrame | None
    account_for_people: Callable[[DataFrame, Mapping[str, Any]], int]
    contract_of_rfm: Callable[[Contract], Contract]
    settings: Mapping[str, Any]


class Source(Protocol):
    """A kind of source."""

    @property
    def kind(self) -> SourceKind:
        """Its name on the command line and in manifests."""

    @property
    def contracts(self) -> tuple[FileContract, ...]:
        """The contracts of its raw tables, in the order in which they are checked."""

    def find(self, uri: str, contracts: Sequence[FileContract], *, counted: Counted | None = None) -> list[RawInput]:
        """Find what ``--input`` names, before Spark starts.

        Args:
            uri: the argument.
            contracts: of the raw tables, with a user's rules.
            counted: which purchases count, so that what holds none of them need not be read; None reads everything.

        Raises:
            ConfigurationError: Something is missing.
            DataError: A file is not fit to be read.
        """

    @property
    def settings(self) -> Mapping[str, str] | None:
        """What the rows depend on of what describes the source, as hashes; None if nothing but the code does."""

    def refuse_options(self, config: FeaturesConfig, *, counted: Counted) -> None:
        """Refuse options that mean nothing to this source, or that ask for what an earlier run did not read.

        Raises:
            ConfigurationError: There is one.
        """

    def keep(self, run: Run) -> StepResult:
        """Keep in a run what a later run needs to continue it, and return what the manifest tells of the source."""

    def first_purchase_day(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        """The day before which nobody bought anything: one row, ``day``. It takes one column of one checked table."""

    def transactions(self, run: Run, checked: CheckedTables, config: FeaturesConfig) -> SourcedTransactions:
        """Write the transactions of a run, and reconcile them with its checked tables.

        Raises:
            DataError: No transaction counts, or a reconciliation check fails.
        """
