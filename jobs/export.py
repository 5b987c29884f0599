"""The list of an audience: whom to write to, or only what changed since an earlier run; and who is held back."""

import argparse
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, get_args

from jobs.audiences.audience import Audience, ListFormat
from jobs.cli import console
from jobs.cli.arguments import add_log_arguments, add_warehouse_arguments
from jobs.cli.logs import LOG_FORMATS, configure_logs
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version
from jobs.errors import ConfigurationError, PipelineError
from jobs.exporting.choice import Choice, check_same_segments, earlier_run, exported_run, segments_of
from jobs.exporting.destination import Destination, destination_at
from jobs.exporting.exported import Counts, Export, export_audience
from jobs.exporting.holdout import HOLDOUT_KEY, Draw, campaign_name, read_key, share_held_back
from jobs.storage.store import RunStore
from transforms.audiences.arms import ARMS, CHANGES

if TYPE_CHECKING:
    from jobs.warehouse.target import WarehouseTarget

EPILOG = f"""\
what an export is:
  A new folder with the list (treated customers, sorted by id), members.parquet (everybody who was chosen, in both arms)
  and audience.json (the record, written last). It is never edited (docs/lists.md).

names or codes:
  A list has the codes of segments. --names adds their names, which may tell what somebody is worth to you.

the key:
  --holdout draws who is held back by the customer, the campaign and a secret of 16 bytes or more: from --holdout-key
  FILE, or else from the environment variable {HOLDOUT_KEY}. It is in no output.

exit codes:
  0 done   2 bad arguments, or PATH exists   3 a file of a run is damaged   4 a disk or a service failed
"""


@dataclass(frozen=True)
class ExportConfig:
    """What is exported, and where.

    Attributes:
        output: folder that holds the runs.
        choice: who is on the list.
        form: of the list.
        to: the folder that is made.
        run: the run; None for the current one.
        changes_since: the run since which changes are listed; None for a full list.
        campaign: its name.
        holdout: the share in control; None where all are treated.
        holdout_key: file with the key; None for the environment.
        warehouse: where the members are loaded too; None for nowhere.
        load_arguments: those that name it, for the command that loads them again.
        log_format: form of the log lines of a load.
    """

    output: str
    choice: Choice
    form: ListFormat
    to: str
    run: str | None = None
    changes_since: str | None = None
    campaign: str | None = None
    holdout: Decimal | None = None
    holdout_key: str | None = None
    warehouse: "WarehouseTarget | None" = None
    load_arguments: tuple[str, ...] = ()
    log_format: str = LOG_FORMATS[0]

    def __post_init__(self) -> None:
        if self.holdout is not None and self.campaign is None:
            raise ConfigurationError(
                "--holdout without --campaign, expected a name. Each campaign draws its arms anew, so that the same "
                "customers are not held back for ever"
            )
        if self.holdout_key is not None and self.holdout is None:
            raise ConfigurationError("--holdout-key without --holdout, expected both. Add --holdout 10%")

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "ExportConfig":
        """Read the command line.

        Raises:
            ConfigurationError: An argument is missing or invalid, or --where is no condition; nothing was read yet.
        """
        parser = _parser()
        arguments = parser.parse_step(argv)
        load_arguments = {
            f"--{name}": value
            for name in ("warehouse", "staging", "iam-role")
            if (value := getattr(arguments, name.replace("-", "_"))) != parser.get_default(name.replace("-", "_"))
        }
        return cls(
            output=arguments.output,
            choice=Choice(tuple(arguments.segment), arguments.where, arguments.columns, arguments.names),
            form=arguments.format,
            to=arguments.to,
            run=arguments.run,
            changes_since=arguments.changes_since,
            campaign=arguments.campaign,
            holdout=arguments.holdout,
            holdout_key=arguments.holdout_key,
            warehouse=_warehouse(arguments, load_arguments),
            load_arguments=tuple(part for pair in load_arguments.items() for part in pair),
            log_format=arguments.log_format,
        )


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="python -m jobs.export",
        description="Export the list of an audience from a run: full, or what changed since an earlier run.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", required=True, metavar="FOLDER", help="where runs are kept")
    parser.add_argument("--run", metavar="ID", help="the run to list customers of (default: the current one)")
    parser.add_argument(
        "--segment",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="customers in these segments, by name or code, whatever the case; quote a name that has blanks",
    )
    parser.add_argument(
        "--where",
        metavar="SQL",
        help='customers for whom this condition over the columns of rfm holds, such as "total_value >= 100"',
    )
    parser.add_argument("--format", required=True, choices=get_args(ListFormat), help="of the list")
    parser.add_argument(
        "--to", required=True, metavar="PATH", help="the folder to make, on a disk or in S3; must not exist"
    )
    parser.add_argument(
        "--changes-since",
        metavar="RUN",
        help="list only who came, left, moved to another segment or was updated since that run",
    )
    parser.add_argument(
        "--columns", type=_columns, default=(), metavar="A,B", help="columns of rfm that the list has too"
    )
    parser.add_argument("--names", action="store_true", help="add the names of segments, beside their codes")
    parser.add_argument("--campaign", type=campaign_name, metavar="NAME", help="what the list is for; for --holdout")
    parser.add_argument(
        "--holdout", type=share_held_back, metavar="SHARE", help="keep this share of the customers back, such as 10%%"
    )
    parser.add_argument(
        "--holdout-key",
        metavar="FILE",
        help=f"a file with the key (default: the environment variable {HOLDOUT_KEY} is the key)",
    )
    add_warehouse_arguments(parser, is_required=False, what="the members of the audience, in both arms,")
    add_log_arguments(parser)
    add_version(parser)
    return parser


def _warehouse(arguments: argparse.Namespace, load_arguments: Iterable[str]) -> "WarehouseTarget | None":
    """The warehouse of the command line, whose package has to be there before anything is written.

    Raises:
        ConfigurationError: It is none, or its package is not installed.
    """
    if arguments.warehouse is None:
        for name in load_arguments:
            raise ConfigurationError(f"{name} without --warehouse, expected both. Add --warehouse, or remove it")
        return None
    # Imported here because an export without a warehouse needs nothing of one.
    target: WarehouseTarget = import_module("jobs.warehouse.target").WarehouseTarget.from_arguments(arguments)
    target.open_warehouse()
    return target


def _columns(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def main(argv: Sequence[str] | None = None) -> int:
    """Export a list; see ``--help``."""
    return run_main("export", lambda: _run(ExportConfig.from_argv(argv)))


def _run(config: ExportConfig) -> None:
    if config.warehouse is not None:
        configure_logs(config.log_format)
    destination = destination_at(config.to)
    draw = None
    if config.holdout is not None and config.campaign is not None:
        draw = Draw(config.campaign, config.holdout, read_key(config.holdout_key))
    store = RunStore(config.output)
    run = exported_run(store, config.run)
    segments = segments_of(run, config.choice.segments)
    before = None
    if config.changes_since is not None:
        before = earlier_run(store, config.changes_since, later=run)
        check_same_segments(before, run, segments)
    export = Export(run, config.choice, segments, config.form, before, config.campaign, draw)
    audience, counts = export_audience(store, export, destination)
    _show(audience, counts, path=destination.folder.display_path())
    if config.warehouse is not None:
        _load(config.warehouse, config.load_arguments, audience, destination)


def _load(target: "WarehouseTarget", arguments: Sequence[str], audience: Audience, destination: Destination) -> None:
    """Load the members of a complete export into a warehouse.

    Raises:
        PipelineError: The load failed. The export is complete, and the message says how to load it again.
    """
    command = ["python", "-m", "jobs.publish", "--audience", destination.folder.display_path(), *arguments]
    try:
        import_module("jobs.warehouse.audiences").load_audience(target, audience, destination.folder)
    except PipelineError as error:
        raise type(error)(
            f"{str(error).rstrip('.')}. The export is complete; this loads it again: {shlex.join(command)}"
        ) from None


def _show(audience: Audience, counts: Counts, *, path: str) -> None:
    """Print how many customers are on the list and held back, by segment or by change; and the files."""
    since = audience.changes_since
    by_change = since is not None
    codes = [each.code for each in audience.segments] or sorted({code or "" for code, _, _ in counts})
    groups = CHANGES if by_change else codes
    names = {each.code: f"{each.code} {each.name}" for each in audience.segments}
    rows = [
        (names.get(group, group), *(f"{_members(counts, arm, group, by_change=by_change):,}" for arm in ARMS))
        for group in groups
    ]
    members = audience.members
    console.show_table(
        f"{path}: run {audience.run_id}, as of {audience.as_of}{f', changes since {since.run_id}' if since else ''}",
        ("change" if by_change else "segment", "on the list", "held back"),
        [*rows, ("all", f"{members.treatment:,}", f"{members.control:,}")],
        notes=[
            f"{file.name}: {file.rows:,} {'row' if file.rows == 1 else 'rows'}, {file.size:,} bytes"
            for file in audience.exported.files
        ],
    )


def _members(counts: Counts, arm: str, group: str, *, by_change: bool) -> int:
    return sum(
        count
        for (code, change, drawn), count in counts.items()
        if drawn == arm and group == ((change if by_change else code) or "")
    )


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
