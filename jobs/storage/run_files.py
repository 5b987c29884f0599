"""What runs leave for later runs to read, ``current.json`` and ``manifest.json``, each as a typed model.

A person may have edited such a file, and a full disk may have cut it short. So nothing in it is used before it has its
type and its form, and nothing in it is longer or deeper than a bound. What a path or an id may hold can be a name in a
folder, and in SQL. Keys that nobody reads back are taken as they are.
"""

import re
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from jobs.cli.run_ids import RUN_ID
from jobs.errors import DataError
from transforms.bounded_text import JSONTextError, cut, parse_object, shown

LONGEST_POINTER = 1_000_000
LONGEST_MANIFEST = 64_000_000
"""Characters. A manifest has some 150 for each file of a table."""

LONGEST_CAUSE = 200
LONGEST_TIME = 40

EXPECTED = {
    "model_type": "an object",
    "dict_type": "an object",
    "list_type": "a list",
    "string_type": "a text",
    "int_type": "a whole number",
}
"""What pydantic expected, by the type of its error, where its own words name Python's types."""

RUN_PATH = re.compile(rf"runs/{RUN_ID.pattern}(/[A-Za-z0-9_][A-Za-z0-9_.-]{{0,200}}){{1,8}}")
HASH = re.compile(r"[0-9a-f]{1,64}")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MONEY = re.compile(r"-?[0-9]{1,34}(\.[0-9]{1,4})?")
LARGEST_COUNT = 2**63 - 1


def _run_id(text: str) -> str:
    if not RUN_ID.fullmatch(text):
        raise ValueError("expected a run's id, such as 2018-10-17-nightly")
    return text


def _run_path(text: str) -> str:
    if not RUN_PATH.fullmatch(text):
        raise ValueError("expected a path below the folder of a run, such as runs/2018-10-17-nightly/orders")
    return text


def _hash(text: str) -> str:
    if not HASH.fullmatch(text):
        raise ValueError("expected a hash in hexadecimal digits")
    return text


def _file_name(text: str) -> str:
    if not text.isprintable() or "/" in text or "\\" in text or text.startswith("."):
        raise ValueError("expected the name of a file")
    return text


def _date(value: Any) -> Any:
    if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
        raise ValueError("expected a date such as 2018-10-17")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("expected a date of the calendar, such as 2018-10-17") from None


def _time(value: Any) -> Any:
    time = None
    if isinstance(value, str) and len(value) <= LONGEST_TIME:
        with suppress(ValueError):
            time = datetime.fromisoformat(value)
    if time is None or time.tzinfo is None:
        raise ValueError("expected a time with its zone, such as 2018-10-17T02:30:00+00:00")
    return time


def _money(value: Any) -> Any:
    if not isinstance(value, str) or not MONEY.fullmatch(value):
        raise ValueError('expected an amount as text, such as "16008872.1200"')
    return Decimal(value)


RunId = Annotated[str, AfterValidator(_run_id)]
RunPath = Annotated[str, AfterValidator(_run_path)]
Hash = Annotated[str, AfterValidator(_hash)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
FileName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_file_name)]
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
ISODate = Annotated[date, BeforeValidator(_date)]
Time = Annotated[datetime, BeforeValidator(_time)]
Money = Annotated[Decimal, BeforeValidator(_money)]


class _Read(BaseModel):
    """A part of a file of a run: typed strictly, never changed, with what later releases add to it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    def as_json(self) -> dict[str, Any]:
        """The part as it was in the file, for a later run's manifest to repeat."""
        return self.model_dump(mode="json", exclude_unset=True)


class OfRun(_Read):
    """A file of a run, or about one.

    Attributes:
        run_id: the run.
    """

    run_id: RunId


class Pointer(OfRun):
    """``current.json``.

    Attributes:
        kmeans_model: the path of the last clusters that a current run had.
    """

    kmeans_model: RunPath | None = None


class _Fingerprinted(_Read):
    """A file with its size and its SHA-256 or, in S3, its ETag."""

    size: Count
    sha256: Hash | None = None
    etag: Name | None = None

    @model_validator(mode="after")
    def _is_identified(self) -> Self:
        if self.sha256 is None and self.etag is None:
            raise ValueError("expected sha256 or etag")
        return self

    @property
    def digest(self) -> str:
        """The SHA-256 or the ETag."""
        return self.sha256 or self.etag or ""

    @property
    def fingerprint(self) -> tuple[int, str]:
        """What identifies the file's content: its size, and its SHA-256 or ETag."""
        return self.size, self.digest


class RecordedFile(_Fingerprinted):
    """A file of a table, by its name in the table's folder."""

    file: FileName


class RecordedInputFile(_Fingerprinted):
    """A file that the run read, by its path at that time."""

    path: Annotated[str, Field(max_length=5000)]


class RecordedCatalogueTable(_Read):
    """A table of the catalogue, and the snapshot of it that was read, if it has snapshots."""

    name: Name
    snapshot: Name | None = None


class RecordedInput(_Read):
    """The files that a raw table was read from, or the table of the catalogue."""

    table: Name
    files: list[RecordedInputFile]
    catalogue_table: RecordedCatalogueTable | None = None


class Inputs(_Read):
    """What a run started from: files, or an earlier run."""

    input: str | None = None
    files: list[RecordedInput] | None = None
    model_artifact: list[RecordedInputFile] | None = None
    features_run: RunId | None = None
    checked_run: RunId | None = None
    replayed_run: RunId | None = None


class RecordedTotal(_Read):
    """Rows and money at a boundary. Kinds that a later release adds are read too."""

    table: Name
    kind: Name
    part: Name | None = None
    rows: Count
    money: Money | None = None
    money_by_currency: dict[Name, Money] | None = None


class Configuration(_Read):
    """The settings that the rows of a run depend on, as far as a later run reads them one by one."""

    rules: Hash | None = None
    rules_of_checked_tables: Hash | None = None
    rules_of_settled_rows: list[Hash] | None = None
    source: dict[str, str] | None = None


class KeptFile(_Read):
    """A file that describes a source, as the run kept it; and the name by which the user gave it."""

    file: RunPath
    sha256: Hash
    given: str = ""


class RecordedSource(_Read):
    """A source other than Olist's files, as the run kept it."""

    kind: Name
    mapping: KeptFile
    rates: KeptFile | None = None
    currency: str | None = None
    time_zone: str | None = None
    read_from: ISODate | None = None


class RecordedCard(_Read):
    """The file of a run's score card."""

    file: RunPath


class RecordedSegment(_Read):
    """A segment, and how many customers are in it."""

    code: Name
    name: Name
    customers: Count


class RecordedMap(_Read):
    """A segment map, by a hash of what it means."""

    hash: Hash


class RecordedSegments(_Read):
    """The segments of a run, and the map that they are of."""

    map: RecordedMap | None = None
    segments: list[RecordedSegment]


class RecordedShards(_Read):
    """A folder of features."""

    path: RunPath


class RecordedFeatures(_Read):
    """The folders of the features to cluster."""

    train: RecordedShards
    score: RecordedShards


class RecordedClusters(_Read):
    """The file of a run's clusters."""

    file: RunPath


def _as_entries(stated: Any) -> Any:
    """Totals as a list. Release 0.1 stated them by name: ``"raw orders"`` for a file, ``"orders"`` for a table."""
    if not isinstance(stated, dict):
        return stated
    entries = []
    for name, figures in stated.items():
        kind, _, table = name.partition("raw ")
        of_file = not kind and table
        boundary = {"table": table if of_file else name, "kind": "read" if of_file else "written"}
        entries.append({**figures, **boundary} if isinstance(figures, dict) else figures)
    return entries


Totals = Annotated[list[RecordedTotal], BeforeValidator(_as_entries)]


class Manifest(OfRun):
    """``manifest.json``, as far as later steps read it. See the README for all of it."""

    as_of: ISODate
    configuration_hash: Hash
    configuration: Configuration = Configuration()
    inputs: Inputs = Inputs()
    totals: Totals = []
    tables: dict[Name, RunPath] = {}
    outputs: dict[Name, list[RecordedFile]] = {}
    source: RecordedSource | None = None
    score_card: RecordedCard | None = None
    kmeans_features: RecordedFeatures | None = None
    kmeans: RecordedClusters | None = None
    segments: RecordedSegments | None = None
    sufficiency: dict[str, Any] | None = None
    changes: dict[str, Any] | None = None
    validation: dict[str, Any] | None = None
    finished_at: Time | None = None
    job: Name | None = None
    becomes_current: bool = True

    @property
    def source_kind(self) -> str:
        """The kind of the source. Manifests of runs over Olist's files name none."""
        return self.source.kind if self.source else "olist"

    def paths(self) -> list[str]:
        """The paths of all that the run wrote or took over from earlier runs, from the output folder on."""
        features = self.kmeans_features
        return [
            *self.tables.values(),
            *([self.score_card.file] if self.score_card else []),
            *([features.train.path, features.score.path] if features else []),
            *([self.kmeans.file] if self.kmeans else []),
        ]


Record = TypeVar("Record", bound=BaseModel)
Model = TypeVar("Model", bound=OfRun)


def read_pointer(text: str, *, name: str) -> Pointer:
    """The content of ``current.json``.

    Args:
        text: the file's.
        name: where it is, for the message.

    Raises:
        DataError: This program did not write it so.
    """
    advice = (
        "Restore it, or remove it: then the next run becomes current, and --match RUN_ID keeps the cluster ids of a run"
    )
    return read_record(Pointer, text, longest=LONGEST_POINTER, name=name, advice=advice)


def read_manifest(text: str, *, name: str) -> Manifest:
    """The content of a ``manifest.json``; see `read_pointer`."""
    return read_manifest_as(Manifest, text, name=name)


def read_manifest_as(model: type[Model], text: str, *, name: str) -> Model:
    """The content of a ``manifest.json`` as far as a model has it; see `read_pointer`."""
    advice = "Files of a run are never edited: restore it, or name another run"
    return read_record(model, text, longest=LONGEST_MANIFEST, name=name, advice=advice)


def read_record(model: type[Record], text: str, *, longest: int, name: str, advice: str) -> Record:
    """The content of a file of JSON that this program wrote.

    Args:
        model: what it has.
        text: the file's.
        longest: characters that it may have.
        name: where it is, for the message.
        advice: what to do if it is another, for the message.

    Raises:
        DataError: This program did not write it so.
    """
    try:
        return model.model_validate(parse_object(text, longest=longest))
    except ValidationError as error:
        cause = _first_problem(error)
    except JSONTextError as error:
        cause = str(error)
    cause = cut(cause, longest=LONGEST_CAUSE)
    raise DataError(f"{name}: {cause}; it was not written by this program, or was changed since. {advice}")


def _first_problem(error: ValidationError) -> str:
    """The field, what was found, and what was expected."""
    problem = error.errors(include_url=False)[0]
    field = ".".join(cut(str(part), longest=40) for part in problem["loc"])
    if problem["type"] == "missing":
        return f'found no "{field}" (expected one)'
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ").removeprefix("expected ")
    expected = EXPECTED.get(problem["type"], message)
    return f'"{field}" is {shown(problem["input"])} (expected {expected})'
