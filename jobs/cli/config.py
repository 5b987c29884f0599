"""The configuration of each step: typed, frozen, and validated before anything is read or written."""

import hashlib
import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from jobs.cli.argument_types import ALL_STATUSES, MAX_QUARANTINED, NumberOfClusters
from jobs.cli.arguments import (
    DEFAULT_K,
    DEFAULT_K_RANGE,
    FITTED_CARD,
    Engine,
    KMeansOption,
    PurchaseValue,
    SourceKind,
    parser_of,
)
from jobs.cli.logs import LOG_FORMATS
from jobs.cli.run_ids import RUN_ID
from jobs.errors import ConfigurationError
from transforms.rfm.feature_scale import ScaleKind
from transforms.small_cells import SMALLEST_CELL
from transforms.sources.counted import Counted


@dataclass(frozen=True)
class RunOptions:
    """What every run has, whatever its steps are.

    Attributes:
        as_of: last day that counts, inclusive.
        output: folder of the runs.
        run_id: id of the new run; None makes one.
        rules: file with rule overrides; None for the project's contracts as they are.
        max_quarantined: share of a table's rows, 0 to 1, that may be quarantined before the run is stopped.
        becomes_current: whether readers are pointed to the run once it is complete.
        log_format: form of the log lines.
        engine: what runs Spark's plans; None for what Spark was started with. The rows do not depend on it.
        smallest_cell: the fewest customers of whom the report shows a figure.
    """

    as_of: date
    output: str
    run_id: str | None = None
    rules: str | None = None
    max_quarantined: float = MAX_QUARANTINED
    becomes_current: bool = True
    log_format: str = LOG_FORMATS[0]
    engine: Engine | None = None
    smallest_cell: int = SMALLEST_CELL

    def __post_init__(self) -> None:
        if self.run_id is None:
            return
        if not RUN_ID.fullmatch(self.run_id):
            raise ConfigurationError(
                f"invalid --run-id {self.run_id!r}: expected the as-of date and then letters, digits, '.', '_' or '-', "
                f"such as {self.as_of}-nightly"
            )
        if not self.run_id.startswith(self.as_of.isoformat()):
            raise ConfigurationError(
                f"invalid --run-id {self.run_id!r}: expected an id that starts with the as-of date {self.as_of}"
            )

    @classmethod
    def of(cls, arguments: Namespace) -> "RunOptions":
        """The options that parsed arguments state."""
        return cls(
            as_of=arguments.as_of,
            output=arguments.output,
            run_id=arguments.run_id,
            rules=arguments.rules,
            max_quarantined=getattr(arguments, "max_quarantined", MAX_QUARANTINED),
            becomes_current=getattr(arguments, "becomes_current", True),
            log_format=arguments.log_format,
            engine=arguments.engine,
            smallest_cell=getattr(arguments, "smallest_cell", SMALLEST_CELL),
        )


@dataclass(frozen=True)
class SourceOptions:
    """Which kind of source ``--input`` is; a ledger has a file that maps its columns."""

    kind: SourceKind = "olist"
    mapping: str | None = None

    def __post_init__(self) -> None:
        if self.kind == "ledger" and self.mapping is None:
            raise ConfigurationError(
                "--source ledger without --mapping: expected the file that maps its columns (docs/ledger.md). "
                "python -m jobs.ledger propose FILE writes a first one"
            )
        if self.kind != "ledger" and self.mapping is not None:
            raise ConfigurationError("--mapping without --source ledger: only a ledger has one. Give both, or neither")

    @classmethod
    def of(cls, arguments: Namespace) -> "SourceOptions":
        """The options that parsed arguments state."""
        return cls(arguments.source, arguments.mapping)


@dataclass(frozen=True)
class IngestConfig:
    """Check the raw tables that are in ``input``."""

    run: RunOptions
    input: str
    source: SourceOptions = SourceOptions()


@dataclass(frozen=True)
class ReplayConfig:
    """Validate the quarantined rows of ``replayed_run`` again, as the files in ``input`` have them now."""

    run: RunOptions
    input: str
    replayed_run: str
    source: SourceOptions = SourceOptions()

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "ReplayConfig":
        """Read the command line of `jobs.replay`.

        Raises:
            ConfigurationError: An argument is missing or invalid; nothing was done yet.
        """
        arguments = parser_of("replay").parse_step(argv)
        source = SourceOptions.of(arguments)
        return cls(RunOptions.of(arguments), arguments.input, arguments.replayed_run, source)


def ingest_config(argv: Sequence[str] | None) -> IngestConfig | ReplayConfig:
    """Read the command line of `jobs.ingest`, which takes ``--replay`` for what `jobs.replay` does.

    Raises:
        ConfigurationError: An argument is missing or invalid; nothing was done yet.
    """
    arguments = parser_of("ingest").parse_step(argv)
    run, source = RunOptions.of(arguments), SourceOptions.of(arguments)
    if arguments.replay is not None:
        return ReplayConfig(run, arguments.input, arguments.replay, source)
    return IngestConfig(run, arguments.input, source)


@dataclass(frozen=True)
class FeaturesConfig:
    """How a customer's features are computed.

    Attributes:
        order_statuses: statuses that count, sorted; None counts all.
        purchase_value: whether payments of one purchase are added, or one is kept as in the workshop.
        card: a shipped card's name or a card file's path, or `CURRENT_CARD`; None fits a card from the data.
        feature_scale: of what is clustered; None for the card's, which is minmax unless it says otherwise.
        window_months: the months up to the as-of date that count; None for the card's, or for all history.
        percentiles: at which measures are cut into bands; None for fifths.
        segments: the file of a segment map; None for the card's, or for the shipped map that fits the data.
        compare: the run that segments are compared with, or "none" to begin their history anew; None for the last run
            as of an earlier day.
        max_segment_drift: the highest population stability index of the segments since that run; None for any.
        validate_days: the last days whose purchases validate the scores of the day before them; None for no validation.
    """

    order_statuses: tuple[str, ...] | None = None
    purchase_value: PurchaseValue = "sum"
    card: str | None = None
    feature_scale: ScaleKind | None = None
    window_months: int | None = None
    percentiles: tuple[float, ...] | None = None
    segments: str | None = None
    compare: str | None = None
    max_segment_drift: float | None = None
    validate_days: int | None = None

    @classmethod
    def of(cls, arguments: Namespace) -> "FeaturesConfig":
        """The configuration that parsed arguments state."""
        return cls(
            order_statuses=arguments.order_statuses,
            purchase_value=arguments.purchase_value,
            card=None if arguments.card == FITTED_CARD else arguments.card,
            feature_scale=arguments.feature_scale,
            window_months=arguments.window_months,
            percentiles=arguments.score_percentiles,
            segments=arguments.segments,
            compare=arguments.compare,
            max_segment_drift=arguments.max_segment_drift,
            validate_days=arguments.validate_days,
        )

    def counted(self, *, as_of: date) -> Counted:
        """Which orders count, as of a day."""
        return Counted(as_of, self.order_statuses, self.window_months)

    def measured_by(self, *, as_of: date) -> dict[str, Any]:
        """The settings that a customer's measures depend on, with the as-of date of the run."""
        statuses = ALL_STATUSES if self.order_statuses is None else list(self.order_statuses)
        return {
            "as_of": as_of.isoformat(),
            "order_statuses": statuses,
            "purchase_value": self.purchase_value,
            "window_months": self.window_months,
        }


@dataclass(frozen=True)
class FeaturesRunConfig:
    """Compute features from the checked tables of ``checked_run``; None for the current run.

    With ``kmeans`` none they are also written for SageMaker.
    """

    run: RunOptions
    features: FeaturesConfig
    checked_run: str | None = None
    kmeans: KMeansOption = "spark"

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "FeaturesRunConfig":
        """Read the command line of `jobs.features`; errors are those of `ingest_config`."""
        arguments = parser_of("features").parse_step(argv)
        return cls(RunOptions.of(arguments), FeaturesConfig.of(arguments), arguments.checked_run, arguments.kmeans)


@dataclass(frozen=True)
class ClustersConfig:
    """How customers are clustered.

    Attributes:
        kmeans: who trains; with ``none`` SageMaker does.
        k: number of clusters.
        k_range: the first and the last number that ``auto`` tries.
        match: the run whose stable cluster ids are kept, or "none" for new ids; None for the last current run that had
            clusters.
        max_drift: how far the clusters may have drifted since that run (`transforms.clusters.drift`); None for any.
    """

    kmeans: KMeansOption = "spark"
    k: NumberOfClusters = DEFAULT_K
    k_range: tuple[int, int] = DEFAULT_K_RANGE
    match: str | None = None
    max_drift: float | None = None

    @classmethod
    def of(cls, arguments: Namespace) -> "ClustersConfig":
        """The configuration that parsed arguments state."""
        return cls(arguments.kmeans, arguments.k, arguments.k_range, arguments.match, arguments.max_drift)


@dataclass(frozen=True)
class SegmentsConfig:
    """Assign the customers of an earlier run to clusters.

    Attributes:
        output: folder of the runs.
        clusters: how customers are clustered.
        as_of: the as-of date that the command line states; None for that of the features run.
        run_id, rules, becomes_current, log_format, engine, smallest_cell: see `RunOptions`.
        features_run: the run of the customers; None for the current one.
        assignments: folder of the output of SageMaker's batch transform.
        model_artifact: SageMaker's model.tar.gz of the same training.
        score_with: a run whose clusters are applied as they are.
        catalogue: the database of the Glue Data Catalog in which the run is registered; None for none.
    """

    output: str
    clusters: ClustersConfig
    as_of: date | None = None
    run_id: str | None = None
    rules: str | None = None
    becomes_current: bool = True
    log_format: str = LOG_FORMATS[0]
    engine: Engine | None = None
    smallest_cell: int = SMALLEST_CELL
    features_run: str | None = None
    assignments: str | None = None
    model_artifact: str | None = None
    score_with: str | None = None
    catalogue: str | None = None

    def __post_init__(self) -> None:
        is_assigned = self.assignments is not None or self.score_with is not None
        if self.clusters.kmeans == "none" and not is_assigned:
            raise ConfigurationError(
                "--kmeans none: expected --assignments or --score-with, since nothing is trained. Give one of them, or "
                "choose --kmeans spark"
            )
        if self.model_artifact is not None and self.assignments is None:
            raise ConfigurationError(
                "--model-artifact without --assignments: name the folder of what that model assigned"
            )

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "SegmentsConfig":
        """Read the command line of `jobs.segments`; errors are those of `ingest_config`."""
        arguments = parser_of("segments").parse_step(argv)
        return cls(
            output=arguments.output,
            clusters=ClustersConfig.of(arguments),
            as_of=arguments.as_of,
            run_id=arguments.run_id,
            rules=arguments.rules,
            becomes_current=arguments.becomes_current,
            log_format=arguments.log_format,
            engine=arguments.engine,
            smallest_cell=arguments.smallest_cell,
            features_run=arguments.features_run,
            assignments=arguments.assignments,
            model_artifact=arguments.model_artifact,
            score_with=arguments.score_with,
            catalogue=arguments.catalogue,
        )

    def run_options(self, *, features_run: str, as_of: date) -> RunOptions:
        """The options of the new run, which has the as-of date of the features run.

        Raises:
            ConfigurationError: The command line states another date, or its run id does not start with this one.
        """
        if self.as_of not in (None, as_of):
            raise ConfigurationError(
                f"invalid --as-of '{self.as_of}': run {features_run} is as of {as_of}. Leave --as-of out"
            )
        return RunOptions(
            as_of=as_of,
            output=self.output,
            run_id=self.run_id,
            rules=self.rules,
            becomes_current=self.becomes_current,
            log_format=self.log_format,
            engine=self.engine,
            smallest_cell=self.smallest_cell,
        )


@dataclass(frozen=True)
class PipelineConfig:
    """All steps in one run, and the warehouse that it is loaded into; None for none.

    Attributes:
        run: the options of the run.
        input: folder of the raw files.
        features: how features are computed.
        clusters: how customers are clustered.
        warehouse: address of the warehouse.
        staging: for Redshift, the folder in S3 that the load goes through.
        iam_role: for Redshift, the role with which COPY reads it.
        source: which kind of source ``input`` is.
        catalogue: the database of the Glue Data Catalog in which the run is registered; None for none.
    """

    run: RunOptions
    input: str
    features: FeaturesConfig
    clusters: ClustersConfig
    warehouse: str | None = None
    staging: str | None = None
    iam_role: str = "default"
    source: SourceOptions = SourceOptions()
    catalogue: str | None = None

    def __post_init__(self) -> None:
        if self.warehouse is not None and not self.run.becomes_current:
            raise ConfigurationError(
                "--warehouse with --becomes-current no: readers of the warehouse would see the run. Leave one of them "
                "out; python -m jobs.publish --run RUN_ID loads a run later"
            )

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "PipelineConfig":
        """Read the command line of `jobs.pipeline`.

        Raises:
            ConfigurationError: An argument is missing or invalid; nothing was done yet.
        """
        arguments = parser_of("pipeline").parse_step(argv)
        return cls(
            run=RunOptions.of(arguments),
            input=arguments.input,
            features=FeaturesConfig.of(arguments),
            clusters=ClustersConfig.of(arguments),
            warehouse=arguments.warehouse,
            staging=arguments.staging,
            iam_role=arguments.iam_role,
            source=SourceOptions.of(arguments),
            catalogue=arguments.catalogue,
        )


def hash_of(settings: Any) -> str:
    """A hash of settings that does not depend on the order in which they are written down."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]
