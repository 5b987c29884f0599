"""Who is chosen: segments and a condition, over the rfm of one run, or over two to see who changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from jobs.audiences.audience import SegmentOfAudience
from jobs.errors import ConfigurationError
from jobs.exporting.condition import check_condition
from jobs.querying.views import literal, quoted
from jobs.storage.run_files import Manifest, RecordedSegment
from jobs.storage.store import RunStore
from transforms.audiences.arms import CAME, LEFT, MOVED, UPDATED
from transforms.bounded_text import shown
from transforms.schemas import RFM

CUSTOMER, CODE, NAME = "customer_unique_id", "segment_code", "segment"
CHANGE, PREVIOUS = "change", "previous_segment_code"
NOW, BEFORE = "now", "before"
"""The schemas of the two runs in DuckDB."""

MAKE_SEGMENTS = "Name a run of jobs.pipeline, jobs.features or jobs.segments that scored its customers"
MOST_SHOWN = 50


@dataclass(frozen=True)
class Choice:
    """Who is on a list, and what it says of them.

    Attributes:
        segments: names or codes; empty for all.
        where: a condition in SQL over the columns of rfm; None without one.
        columns: columns of rfm that the list has too.
        has_names: whether it has the names of segments, beside their codes.
        read: the columns of rfm that the list needs.
    """

    segments: tuple[str, ...] = ()
    where: str | None = None
    columns: tuple[str, ...] = ()
    has_names: bool = False
    read: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        if not self.segments and self.where is None:
            raise ConfigurationError("found neither --segment nor --where, expected who is to be on the list")
        for position, column in enumerate(self.columns):
            if column not in RFM.fieldNames():
                raise ConfigurationError(
                    f"invalid --columns {shown(column)}: expected columns of rfm ({', '.join(RFM.fieldNames())})"
                )
            if column in (CUSTOMER, CODE, *self.columns[:position]) or (column == NAME and self.has_names):
                raise ConfigurationError(
                    f"invalid --columns {column}: the list has it already. Remove it; every list has {CUSTOMER} and "
                    f"{CODE}, and --names adds {NAME}"
                )
        condition = frozenset[str]() if self.where is None else check_condition(self.where)
        object.__setattr__(self, "read", condition | {CUSTOMER, CODE, *self.further})

    @property
    def further(self) -> tuple[str, ...]:
        """The columns of the list after the customer and the code, in their order."""
        return (*((NAME,) if self.has_names else ()), *self.columns)


def exported_run(store: RunStore, run_id: str | None) -> Manifest:
    """The manifest of a run whose customers can be listed.

    Args:
        store: the runs.
        run_id: which one; None for the current run.

    Raises:
        ConfigurationError: There is no such run, it is not complete, or its customers have no segments.
        DataError: Its manifest is damaged.
    """
    manifest = store.find_manifest(
        run_id, missing="no customers to list", advice="Run jobs.pipeline first, or name a run with --run"
    )
    if manifest.segments is None or "rfm" not in manifest.tables:
        raise ConfigurationError(
            f"run {manifest.run_id} has no segments (it is one of jobs.{manifest.job or 'pipeline'}, or of release "
            f"0.1), expected some to list. {MAKE_SEGMENTS}"
        )
    return manifest


def earlier_run(store: RunStore, run_id: str, *, later: Manifest) -> Manifest:
    """The manifest of the run since which changes are listed.

    Raises:
        ConfigurationError: It is gone, is the same run or a later one, has no segments, or is of another source.
        DataError: Its manifest is damaged.
    """
    if run_id == later.run_id:
        raise ConfigurationError(
            f"--changes-since {run_id}: found the run that is exported, expected an earlier one. Name the run of the "
            "list that was exported last"
        )
    try:
        earlier = exported_run(store, run_id)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"--changes-since: {error}. Without --changes-since the full list is exported"
        ) from None
    if earlier.as_of > later.as_of:
        raise ConfigurationError(
            f"--changes-since {run_id}: found a run as of {earlier.as_of}, expected one before that of {later.run_id}, "
            f"{later.as_of}. Give --run {run_id} --changes-since {later.run_id}"
        )
    if earlier.source_kind != later.source_kind:
        raise ConfigurationError(
            f"--changes-since {run_id}: found a run of the source {earlier.source_kind}, expected {later.source_kind} "
            f"as for {later.run_id}: their customers are not the same. Export the full list, without --changes-since"
        )
    return earlier


def segments_of(manifest: Manifest, texts: Sequence[str]) -> list[SegmentOfAudience]:
    """The segments of a run that some names or codes mean, in the run's order, whatever their case; empty for none.

    Raises:
        ConfigurationError: The run has no such segment. The message lists those that it has.
    """
    recorded = _recorded(manifest)
    by_text = {each.name.strip().casefold(): each for each in recorded}
    by_text |= {each.code.strip().casefold(): each for each in recorded}
    for text in texts:
        if text.strip().casefold() not in by_text:
            segments = [f"{each.code} ({shown(each.name)})" for each in recorded[:MOST_SHOWN]]
            raise ConfigurationError(
                f"invalid --segment {shown(text)}: run {manifest.run_id} has no such segment, expected one of "
                f"{', '.join(segments) or 'none'}. Quote a name that has blanks"
            )
    chosen = {by_text[text.strip().casefold()].code for text in texts}
    return [SegmentOfAudience(code=each.code, name=each.name) for each in recorded if each.code in chosen]


def check_same_segments(earlier: Manifest, later: Manifest, chosen: Iterable[SegmentOfAudience]) -> None:
    """See that codes mean in an earlier run what they mean in a later one.

    Args:
        earlier: a run.
        later: one after it.
        chosen: the segments of the later one whose names are compared; empty for all. Maps are compared as a whole.

    Raises:
        ConfigurationError: The earlier run had another segment map.
    """
    names = {each.code: each.name for each in _recorded(earlier)}
    for segment in list(chosen) or _recorded(later):
        if names.get(segment.code) != segment.name:
            state = f"{shown(names[segment.code])} there" if segment.code in names else "not there"
            raise ConfigurationError(
                f"--changes-since {earlier.run_id}: segment {segment.code} ({shown(segment.name)}) is {state}, "
                "expected the same segments in both runs: their segment maps differ. Export the full list, without "
                "--changes-since"
            )
    maps = [each.segments.map for each in (earlier, later) if each.segments and each.segments.map]
    if len({each.hash for each in maps}) > 1:
        raise ConfigurationError(
            f"--changes-since {earlier.run_id}: found a segment map of hash {maps[0].hash}, expected {maps[1].hash} as "
            f"for {later.run_id}: the same codes mean other scores. Export the full list, without --changes-since"
        )


def _recorded(manifest: Manifest) -> Sequence[RecordedSegment]:
    return manifest.segments.segments if manifest.segments else []


def list_query(choice: Choice, chosen: Sequence[SegmentOfAudience], *, has_before: bool) -> str:
    """The rows of a list in SQL, sorted by customer; one row per customer.

    Columns: customer_unique_id, segment_code, the further columns, change, previous_segment_code. The last two are
    null in a full list.

    Args:
        choice: who is chosen.
        chosen: the segments; empty for all.
        has_before: whether the rows are the changes from the schema `BEFORE` to `NOW`; else all of `NOW`.
    """
    columns = [quoted(name) for name in (CUSTOMER, CODE, *choice.further)]
    if not has_before:
        return (
            f"select {', '.join(columns)}, null::varchar as {CHANGE}, null::varchar as {PREVIOUS}\n"
            f"from ({_chosen(choice, chosen, NOW)})\norder by {CUSTOMER}"
        )
    updated = " or ".join(["false", *(f"l.{name} is distinct from e.{name}" for name in columns[2:])])
    return f"""select coalesce(l.{CUSTOMER}, e.{CUSTOMER}) as {CUSTOMER},
    {", ".join(f"l.{name} as {name}" for name in columns[1:])},
    case when e.{CUSTOMER} is null then '{CAME}'
         when l.{CUSTOMER} is null then '{LEFT}'
         when l.{CODE} is distinct from e.{CODE} then '{MOVED}'
         else '{UPDATED}' end as {CHANGE},
    e.{CODE} as {PREVIOUS}
from ({_chosen(choice, chosen, NOW)}) l
full join ({_chosen(choice, chosen, BEFORE)}) e on l.{CUSTOMER} = e.{CUSTOMER}
where e.{CUSTOMER} is null or l.{CUSTOMER} is null or l.{CODE} is distinct from e.{CODE} or {updated}
order by 1"""


def _chosen(choice: Choice, chosen: Sequence[SegmentOfAudience], schema: str) -> str:
    columns = ", ".join(quoted(name) for name in (CUSTOMER, CODE, *choice.further))
    codes = ", ".join(literal(each.code) for each in chosen)
    conditions = [*([f"{CODE} in ({codes})"] if chosen else []), *([f"(\n{choice.where}\n)"] if choice.where else [])]
    return f"select {columns} from {schema}.rfm where {' and '.join(conditions) or 'true'}"
