"""The registration of a run that is complete. If it fails, the run stays as it is, and can be loaded."""

import logging
import re
import shlex
from types import TracebackType

from jobs.cli import console, interruptions
from jobs.cli.logs import log_event
from jobs.errors import ConfigurationError, PipelineError
from jobs.registering.glue import GlueCatalogue
from jobs.registering.registration import Registered, register
from jobs.storage.store import RunStore
from jobs.storage.uris import is_in_s3
from transforms.bounded_text import shown

log = logging.getLogger(__name__)

DATABASE = re.compile(r"[a-z0-9_]{1,255}")
"""Names that Athena takes too. It folds upper case, and a hyphen would have to be quoted in every query."""


def open_catalogue(database: str, *, output: str) -> GlueCatalogue:
    """A client of the catalogue. Nothing is called yet.

    Raises:
        ConfigurationError: The name is invalid, the runs are not in S3, or there is no region.
        OutsideSystemError: The AWS SDK failed.
    """
    if not DATABASE.fullmatch(database):
        raise ConfigurationError(
            f"invalid --catalogue {shown(database)}: expected the name of a database of the Glue Data Catalog, in "
            "lower-case letters, digits and _"
        )
    if not is_in_s3(output):
        raise ConfigurationError(
            f"--catalogue {database} with --output {output}: found a local folder, expected an s3:// URI, since the "
            "catalogue's readers find files in S3 alone. Name a folder in S3, or do without the catalogue"
        )
    return GlueCatalogue(database)


def catalogue_for(database: str | None, *, output: str, becomes_current: bool) -> GlueCatalogue | None:
    """The catalogue in which a new run is registered; None for none. It is needed only once the run is complete.

    Args:
        database: its name.
        output: the folder of the runs.
        becomes_current: whether the new run becomes the current one.

    Raises:
        ConfigurationError: See `open_catalogue`; or the run is not to become the current one.
        OutsideSystemError: The AWS SDK failed.
    """
    if database is None:
        return None
    if not becomes_current:
        raise ConfigurationError(
            "--catalogue with --becomes-current no: readers of the catalogue would see the run. Leave one of them out; "
            "python -m jobs.catalogue --run RUN_ID registers a run later"
        )
    return open_catalogue(database, output=output)


class LeftRegistration:
    """The registration of a run that is complete, or why it failed. In a ``with`` block it takes the error of it.

    Attributes:
        failure: why the run could not be registered; None where it was, or was not to be.
    """

    def __init__(self, store: RunStore, run_id: str, *, database: str) -> None:
        self.failure: Exception | None = None
        self._run_id = run_id
        words = ["--output", store.output, "--run", run_id, "--catalogue", database]
        self._advice = f"Run {run_id} is complete; register it with: python -m jobs.catalogue {shlex.join(words)}"

    def __enter__(self) -> "LeftRegistration":
        return self

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> bool:
        if isinstance(error, KeyboardInterrupt):
            interruptions.tidy_up()
            raise KeyboardInterrupt(f"a part of it may be in the catalogue. {self._advice}") from None
        if not isinstance(error, Exception):
            return False
        interruptions.check()  # perhaps a library made another error of a signal
        # A load that fails too, or a report that did, ends the program with its own line: this one is in the log.
        figures = {"run_id": self._run_id, "error": type(error).__name__, "reason": " ".join(str(error).split())}
        log_event(log, "registration failed", level=logging.ERROR, **figures)
        self.failure = error
        if isinstance(error, PipelineError):
            self.failure = type(error)(f"{str(error).rstrip('.')}. {self._advice}")
        return True

    def raise_if_failed(self) -> None:
        """End the program as the failure says.

        Raises:
            PipelineError: The run could not be registered.
            Exception: Registering it found a fault of this code.
        """
        if self.failure is not None:
            raise self.failure


def leave_in_catalogue(store: RunStore, catalogue: GlueCatalogue | None, run_id: str) -> LeftRegistration:
    """Register a run that is complete, if there is a catalogue.

    Raises:
        KeyboardInterrupt: A signal arrived. Its line has the command that registers the run.
    """
    left = LeftRegistration(store, run_id, database=catalogue.database if catalogue else "")
    with left:
        if catalogue is not None:
            show_registered(register(store, catalogue, run_id), catalogue)
    return left


def show_registered(registered: Registered, catalogue: GlueCatalogue) -> None:
    """Print what a registration left."""
    current = f"the tables with _current show run {registered.current}" if registered.current else "no run is current"
    removed = f"; partitions of {len(registered.removed)} runs that are gone were removed" if registered.removed else ""
    console.say(
        f"Database {catalogue.database} of the Glue Data Catalog: run {registered.run_id} is in "
        f"{len(registered.tables)} tables; {current}{removed}"
    )
