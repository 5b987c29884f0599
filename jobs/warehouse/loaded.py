"""What a load comes to, and the interface of those that load."""

from dataclasses import dataclass
from typing import Protocol

from jobs.warehouse.contents import RunToLoad
from jobs.warehouse.raw_files import RawToLoad


@dataclass(frozen=True)
class Loaded:
    """A load that was committed.

    Attributes:
        load_id: its own; the last row of ``pipeline_runs`` has it.
    """

    load_id: str


class Warehouse(Protocol):
    """Somewhere that tables can be loaded."""

    def load(self, run: RunToLoad) -> Loaded:
        """Put a run's tables in place of the last run's, in one transaction.

        Raises:
            DataError: What arrived is not what the run's manifest says.
            OutsideSystemError: The warehouse, or what it depends on, failed; it is as it was before.
        """

    def load_raw(self, raw: RawToLoad) -> None:
        """Put the raw files, as they are, in place of what `load_raw` put there last, in one transaction.

        Raises:
            DataError: Not every row arrived.
            OutsideSystemError: The warehouse, or what it depends on, failed; it is as it was before.
        """
