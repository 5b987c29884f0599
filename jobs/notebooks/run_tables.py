"""The tables of a run by their names: which there are, how many rows they have, and whether their files are there."""

from dataclasses import dataclass
from functools import cached_property

from jobs.errors import ConfigurationError, DataError
from jobs.runs.totals import Boundary, Total, totals_of
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.table_files import verify_file_names, verify_table_files
from transforms.bounded_text import shown


@dataclass(frozen=True)
class RunTables:
    """The tables of a run.

    Attributes:
        store: the runs.
        manifest: of the run.
        checks_content: whether the content of files is compared with the manifest, and not their names alone.
    """

    store: RunStore
    manifest: Manifest
    checks_content: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tables, as the manifest has them."""
        return tuple(self.manifest.tables)

    def stated_rows(self, table: str) -> int | None:
        """The rows of a table by the manifest; None where it does not state them."""
        total = self._totals.get(Boundary(table))
        return None if total is None else total.rows

    def path(self, table: str) -> str:
        """The folder of a table, from the output folder on.

        Raises:
            ConfigurationError: The run has no such table.
        """
        path = self.manifest.tables.get(table)
        if path is None:
            raise ConfigurationError(
                f"run {self.manifest.run_id} has no table {shown(table)}, expected one of {', '.join(self.names)}"
            )
        return path

    def checked_path(self, table: str) -> str:
        """The folder of a table, after a check of the files in it.

        Raises:
            ConfigurationError: The run has no such table.
            DataError: The manifest states no files of it, or a file is missing, was added, or was changed.
            OutsideSystemError: A file cannot be read.
        """
        path, recorded = self.path(table), self.manifest.outputs.get(table)
        if not recorded:
            raise DataError(
                f"the manifest of run {self.manifest.run_id} states no files of table {table}, expected some. Open "
                "another run"
            )
        verify = verify_table_files if self.checks_content else verify_file_names
        verify(self.store.folder, table=table, table_path=path, recorded=recorded)
        return path

    @cached_property
    def _totals(self) -> dict[Boundary, Total]:
        return totals_of(self.manifest)
