"""``audience.json``: what was exported, from which run, to whom; the last file of an export, and never edited."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from jobs.errors import ConfigurationError
from jobs.storage.folder import Folder
from jobs.storage.run_files import Count, FileName, Hash, ISODate, Name, RunId, Time, read_record

AUDIENCE_FILE = "audience.json"
MEMBERS_FILE = "members.parquet"
"""The members of an audience, on the list and held back, in the columns of `transforms.schemas.AUDIENCES`."""

LONGEST_AUDIENCE = 1_000_000
"""Characters."""

RESTORE = "Exports are never edited: restore it, or export again to another folder"
SHARE = re.compile(r"0\.[0-9]{1,12}")

ListFormat = Literal["csv", "parquet", "braze"]
"""The form of a list. ``braze`` is CSV with ``external_id`` first."""


def _share(value: Any) -> Any:
    text = f"{value:f}" if isinstance(value, Decimal) else value
    if not isinstance(text, str) or not SHARE.fullmatch(text) or not Decimal(text):
        raise ValueError('expected a share between 0 and 1 as text, such as "0.10"')
    return Decimal(text)


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="allow")


class SegmentOfAudience(_Part):
    """A segment of the audience, by its code and by its name in the run."""

    code: Name
    name: Name


class EarlierRun(_Part):
    """The run since which changes were exported."""

    run_id: RunId
    as_of: ISODate


class Holdout(_Part):
    """How customers were held back.

    Attributes:
        share: of all members, as it was asked for.
        key_id: tells two keys apart, and tells nothing of either.
    """

    share: Annotated[Decimal, BeforeValidator(_share)]
    key_id: Hash


class ExportedFile(_Part):
    """A file of the export."""

    name: FileName
    rows: Count
    size: Count
    sha256: Hash


class ExportedList(_Part):
    """The files for the marketer's tool: customers who are treated, one row each; none who is held back.

    Attributes:
        changes: for a list of changes, how many rows came, left, moved or were updated.
    """

    format: ListFormat
    rows: Count
    files: list[ExportedFile]
    changes: dict[str, Count] | None = None


class Members(ExportedFile):
    """The file of all members, and how many of them are in each arm."""

    treatment: Count
    control: Count


class Audience(_Part):
    """``audience.json``.

    Attributes:
        audience_id: the same for the same choice of the same run, and another for any other.
        campaign: its name; None where nothing was held back and none was given.
        run_id: the run that the members were chosen from.
        as_of: the day of that run.
        segments: the chosen segments; empty for all.
        where: the condition in SQL; None without one.
        columns: of the list, in their order.
        changes_since: for a list of changes, the earlier run; None for a full list.
        exported: the list itself.
        members: everybody who was chosen, in both arms.
        holdout: None where everybody is treated.
        code: version and commit of the code that exported it.
    """

    audience_id: Hash
    campaign: Name | None = None
    run_id: RunId
    as_of: ISODate
    segments: list[SegmentOfAudience]
    where: str | None = None
    columns: list[Name]
    changes_since: EarlierRun | None = None
    holdout: Holdout | None = None
    exported: ExportedList
    members: Members
    exported_at: Time
    code: dict[str, Any] = {}


def read_audience(folder: Folder) -> Audience:
    """The record of an export.

    Args:
        folder: what ``jobs.export --to`` named.

    Raises:
        ConfigurationError: There is no export, or none that is complete.
        DataError: The record was not written by this program, or was changed since.
    """
    path = folder.display_path(AUDIENCE_FILE)
    text = folder.read(AUDIENCE_FILE)
    if text is None:
        raise ConfigurationError(
            f"{path}: found no such file, expected that of a complete export. Name the folder that jobs.export --to "
            "named, or export again"
        )
    return read_record(Audience, text, longest=LONGEST_AUDIENCE, name=path, advice=RESTORE)
