"""Loads an exported audience into the table `audiences` of a warehouse, in place of its own rows and no others."""

import logging
import time

from jobs.audiences.audience import Audience
from jobs.audiences.members_file import members_file
from jobs.cli.logs import log_event
from jobs.storage.folder import Folder
from jobs.warehouse.members import AudienceToLoad
from jobs.warehouse.target import DuckDBAddress, WarehouseTarget

log = logging.getLogger(__name__)


def load_audience(target: WarehouseTarget, audience: Audience, folder: Folder) -> None:
    """Load the members of an exported audience, both arms, into the table ``audiences``.

    It replaces the rows of this audience, in one transaction. Other audiences and the tables of runs stay as they are.
    A load that fails, or is killed, leaves the table as it was. The table is created if there is none.

    Args:
        target: the warehouse.
        audience: the record of the export.
        folder: the export, on a disk or in S3. Redshift reads a file in S3 where it is. For DuckDB it is copied to a
            temporary folder.

    Raises:
        ConfigurationError: The warehouse's package is not installed.
        DataError: The file of members is not the one that was exported, or the loaded rows differ from the record.
        OutsideSystemError: The warehouse, the disk or a service failed.
    """
    warehouse = target.open_warehouse()
    audience_id, address = audience.audience_id, target.address
    log_event(log, "load started", audience_id=audience_id, warehouse=address)
    started = time.monotonic()
    try:
        with members_file(folder, audience.members, on_disk=isinstance(target.address, DuckDBAddress)) as file:
            warehouse.load_audience(AudienceToLoad.of(audience, file))
    except BaseException:
        log_event(log, "load failed", level=logging.ERROR, audience_id=audience_id, warehouse=address)
        raise
    rows, seconds = audience.members.rows, round(time.monotonic() - started, 2)
    log_event(log, "load complete", audience_id=audience_id, rows=rows, seconds=seconds)
