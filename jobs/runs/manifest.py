"""The manifest of a run, built in one place from what its steps returned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from jobs.cli.config import RunOptions, hash_of
from jobs.quality.report import QualityReport
from jobs.runs.totals import Accounts


class StepResult(Protocol):
    """What a step returned, as far as the manifest tells of it."""

    def configuration(self) -> Mapping[str, Any]:
        """The settings that the rows of the step's tables depend on."""

    def manifest_entries(self) -> Mapping[str, Any]:
        """Entries of the manifest that the step alone has, such as its score card."""


@dataclass(frozen=True)
class Reused:
    """What a run takes over from an earlier run's manifest, as the result of a step that did not run again."""

    settings: Mapping[str, Any]
    entries: Mapping[str, Any]

    def configuration(self) -> Mapping[str, Any]:
        """The settings under which it was made."""
        return self.settings

    def manifest_entries(self) -> Mapping[str, Any]:
        """The earlier run's entries."""
        return self.entries


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run when its last table is written.

    Attributes:
        run_id: the run's id.
        job: the job that made it.
        options: of the run.
        becomes_current: whether readers are to be pointed to it.
        accounts: its totals, checks and steps.
        quality: its quality report.
        started, finished: wall-clock times in UTC.
        seconds: between the two by a clock that nobody sets.
        code: the version of the code (`code_version`).
        platform: versions of what it ran on.
        tables: paths of the tables, from the output folder on, by name.
        outputs: files of the tables, by name.
    """

    run_id: str
    job: str
    options: RunOptions
    becomes_current: bool
    accounts: Accounts
    quality: QualityReport
    started: datetime
    finished: datetime
    seconds: float
    code: Mapping[str, Any]
    platform: Mapping[str, str]
    tables: Mapping[str, str]
    outputs: Mapping[str, Any]


def build_manifest(facts: RunFacts, *, inputs: Mapping[str, Any], results: Sequence[StepResult]) -> dict[str, Any]:
    """Build the content of ``manifest.json``.

    ``configuration_hash`` is the hash of ``configuration``: the settings that the rows of the run depend on, and no
    others.
    """
    as_of = facts.options.as_of.isoformat()
    configuration: dict[str, Any] = {"as_of": as_of, "rules": facts.quality.rules.hash}
    entries: dict[str, Any] = {}
    for result in results:
        configuration |= result.configuration()
        entries |= result.manifest_entries()
    return {
        "run_id": facts.run_id,
        "as_of": as_of,
        "job": facts.job,
        "becomes_current": facts.becomes_current,
        "smallest_cell": facts.options.smallest_cell,
        "started_at": facts.started.isoformat(timespec="seconds"),
        "finished_at": facts.finished.isoformat(timespec="seconds"),
        "seconds": facts.seconds,
        "configuration": configuration,
        "configuration_hash": hash_of(configuration),
        "code": facts.code,
        "platform": facts.platform,
        "inputs": inputs,
        **facts.accounts.as_json(),
        **entries,
        "quality": facts.quality.as_json(),
        "tables": facts.tables,
        "outputs": facts.outputs,
    }
