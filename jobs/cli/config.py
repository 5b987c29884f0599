"""`RunConfig`: what a run is asked to do, typed and validated, from the command line."""

import hashlib
import json
import re
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from jobs.cli.arguments import (
    ALL_STATUSES,
    DEFAULT_K,
    DEFAULT_K_RANGE,
    MAX_QUARANTINED,
    KMeansOption,
    NumberOfClusters,
    PurchaseValue,
    Step,
    parser_of,
)
from jobs.errors import ConfigurationError
from jobs.storage.uris import is_in_s3
from transforms.rfm.feature_scale import ScaleKind

RUN_ID = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[A-Za-z0-9._-]*")


@dataclass(frozen=True)
class RunConfig:
    """One run's settings.

    Attributes:
        step: what runs.
        as_of: last day that counts, inclusive.
        output: folder that holds the runs.
        input: folder that holds the three CSV files; None for `features`, which reads an earlier run's tables.
        checked_run: for `features`, the run whose checked tables it reads; None for the current one.
        card: a shipped card's name or a card file's path; None fits a card from the data.
        purchase_value: whether payments of one purchase are added, or one is kept as in the workshop.
        order_statuses: statuses that count, sorted; None counts all.
        rules: file with rules of the user's own; None for the contracts as they are.
        max_quarantined: share of a table's rows, 0 to 1, that may be set aside before the run is stopped.
        replay: for `ingest`, the run whose quarantined rows are tried again; None checks all rows.
        kmeans: who clusters; ``none`` leaves the features to SageMaker, whose assignments `segments` takes.
        k: how many clusters.
        k_range: the numbers that ``auto`` tries, the first and the last.
        feature_scale: of what is clustered; None for the card's, which is minmax unless it says otherwise.
        max_drift: how far the clusters may have moved since the last run, see `clusters.drift`; None for any way.
        match: the run to whose clusters these are matched, or "none" for none; None for the last current run that had
            any.
        features_run: for `segments`, the run whose customers are put into clusters; None for the current one.
        assignments: for `segments`, a folder of what SageMaker's batch transform wrote.
        model_artifact: for `segments`, SageMaker's model.tar.gz beside them.
        score_with: for `segments`, a run whose clusters are applied as they are.
        run_id: the new run's id; None makes one.
        becomes_current: whether readers are pointed to the new run, once it is whole.
        warehouse: for `pipeline`, the address of the warehouse that the whole run is loaded into; None for none.
        staging: for Redshift, the folder in S3 that the load goes through.
        iam_role: for Redshift, the role that COPY reads it with.
        ignored_arguments: what stood on the command line and is none of ours (Glue adds its own).
    """

    step: Step
    as_of: date
    output: str
    input: str | None = None
    checked_run: str | None = None
    card: str | None = None
    purchase_value: PurchaseValue = "sum"
    order_statuses: tuple[str, ...] | None = None
    rules: str | None = None
    max_quarantined: float = MAX_QUARANTINED
    replay: str | None = None
    kmeans: KMeansOption = "spark"
    k: NumberOfClusters = DEFAULT_K
    k_range: tuple[int, int] = DEFAULT_K_RANGE
    feature_scale: ScaleKind | None = None
    max_drift: float | None = None
    match: str | None = None
    features_run: str | None = None
    assignments: str | None = None
    model_artifact: str | None = None
    score_with: str | None = None
    run_id: str | None = None
    becomes_current: bool = True
    warehouse: str | None = None
    staging: str | None = None
    iam_role: str = "default"
    ignored_arguments: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for setting in fields(self):
            if getattr(self, setting.name) == "" and setting.name != "run_id":
                raise ConfigurationError(f"--{setting.name.replace('_', '-')}: found nothing, expected a value")
        if self.warehouse is not None and not self.becomes_current:
            raise ConfigurationError(
                "--warehouse with --becomes-current no: readers of the warehouse would see the run. Leave one of them "
                "out; python -m jobs.publish --run RUN_ID loads a run later"
            )
        if self.run_id is not None and not RUN_ID.fullmatch(self.run_id):
            raise ConfigurationError(
                f"--run-id {self.run_id!r}: expected the as-of date and then letters, digits, '.', '_' or '-', "
                f"such as {self.as_of}-nightly"
            )
        if self.run_id is not None and not self.run_id.startswith(self.as_of.isoformat()):
            raise ConfigurationError(f"--run-id {self.run_id!r} does not start with the as-of date {self.as_of}")

    @classmethod
    def from_argv(
        cls, argv: Sequence[str] | None, *, step: Step, as_of: Callable[[Namespace], date] | None = None
    ) -> "RunConfig":
        """Read the command line of a step.

        Arguments that nobody here knows are left alone, since Glue puts its own beside ours; their names are kept in
        ``ignored_arguments``, and not their values, which may be anything.

        Args:
            argv: the command line; None for the program's own.
            step: what runs.
            as_of: finds the day where the command line need not say it.

        Raises:
            ConfigurationError: An argument is missing or does not parse; nothing was done yet.
        """
        known, ignored = parser_of(step).parse_ours(argv)
        if as_of is not None:
            known.as_of = as_of(known)
        return cls(step=step, ignored_arguments=ignored, **vars(known))

    @property
    def reaches_s3(self) -> bool:
        """Whether Spark reads or writes in S3."""
        return any(map(is_in_s3, (self.input, self.output, self.assignments)))

    def meaning(self) -> dict[str, Any]:
        """The settings that a customer's measures depend on."""
        statuses = ALL_STATUSES if self.order_statuses is None else list(self.order_statuses)
        return {"as_of": self.as_of.isoformat(), "order_statuses": statuses, "purchase_value": self.purchase_value}


def hash_of(settings: Any) -> str:
    """A hash of settings that does not depend on the order in which they are written down."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]
