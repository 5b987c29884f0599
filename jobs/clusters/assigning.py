"""Who says which customer is in which cluster: Spark ML, an earlier run's model, or SageMaker."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyspark.sql import DataFrame

from jobs.cli.arguments import DEFAULT_K
from jobs.cli.config import RunConfig
from jobs.clusters.artifact import centroids_in
from jobs.clusters.feature_files import ASSIGNMENTS, read_shards, write_shards
from jobs.clusters.training import train
from jobs.errors import ConfigurationError, DataError
from jobs.runs.run import Run
from jobs.storage.folder import Folder, Stored
from jobs.storage.uris import folder_at
from transforms.clusters.assignments import ASSIGNMENT_LINES, Centroid, assignments, sample_of
from transforms.clusters.choose_k import SAMPLE_SIZE, ChoiceOfK, choose_k
from transforms.clusters.model import ClusterModel, TrainingEngine
from transforms.rfm.dimensions import DIMENSIONS


@dataclass(frozen=True)
class Assigned:
    """What an engine said, before anyone has looked at it.

    Attributes:
        lines: one per customer, as text (`ASSIGNMENT_LINES`).
        engine: who trained.
        centroids: by the engine's own number; None where nobody told.
        centroids_from: where they come from, in words.
        asked: how many clusters were asked for; None where that was not here.
        choice: how that number was chosen, if it was.
        applied: the model, where an earlier run's was applied as it is.
        path: the folder of the lines.
    """

    lines: DataFrame
    engine: TrainingEngine
    path: str
    centroids_from: str
    centroids: Mapping[int, Centroid] | None = None
    asked: int | None = None
    choice: ChoiceOfK | None = None
    applied: ClusterModel | None = None


def assign_by_spark(this: Run, features: DataFrame, *, customers: int) -> Assigned:
    """Train on the features of this run, and write who is nearest to which centroid."""
    config = this.config
    choice = _choice_of_k(features, config) if config.k == "auto" else None
    k = choice.k if choice else int(config.k)
    centroids = train(features=features, customers=customers, k=k)
    write_shards(this, ASSIGNMENTS, assignments(features=features, centroids=centroids))
    return Assigned(
        lines=read_shards(this.session, this.uri(ASSIGNMENTS), schema=ASSIGNMENT_LINES),
        engine="spark",
        path=this.path(ASSIGNMENTS),
        centroids_from="training by Spark ML",
        centroids=centroids,
        asked=k,
        choice=choice,
    )


def assign_by_model(this: Run, features: DataFrame, *, model: ClusterModel) -> Assigned:
    """Apply the clusters of an earlier run as they are."""
    write_shards(this, ASSIGNMENTS, assignments(features=features, centroids=model.centroids))
    return Assigned(
        lines=read_shards(this.session, this.uri(ASSIGNMENTS), schema=ASSIGNMENT_LINES),
        engine=model.engine,
        path=this.path(ASSIGNMENTS),
        centroids_from=f"run {model.run_id}",
        centroids=model.centroids,
        applied=model,
    )


def artifact_of(config: RunConfig) -> dict[int, Centroid] | None:
    """The centroids in what ``--model-artifact`` names; None where nothing is named.

    Raises:
        ConfigurationError: There is no such file, or it is no such model.
    """
    if config.model_artifact is None:
        return None
    return centroids_in(folder_at(config.model_artifact, argument="--model-artifact"))


@dataclass(frozen=True)
class ExternalFiles:
    """The files of an engine elsewhere: assignments, and the model that they are of; as they were when found."""

    found: Mapping[str, tuple[Folder, tuple[Stored, ...]]]

    @property
    def assignments(self) -> str | None:
        """Where Spark is to read the assignments; None where none are named."""
        return self.found["assignments"][0].uri() if "assignments" in self.found else None

    def as_json(self) -> dict[str, Any]:
        """What the manifest says of them.

        Raises:
            DataError: One is not any more what it was, so that nobody knows what was read.
        """
        for name, (folder, files) in self.found.items():
            if name == "assignments" and [file.path for file in files] != [
                folder.display_path(*at) for at in _shards(folder)
            ]:
                raise DataError(
                    f"{folder.display_path()}: files came or went while it was read, expected none to. Run again"
                )
            for file in files:
                if not folder.is_unchanged(file):
                    raise DataError(f"{file.path}: changed while it was read, expected it to stay. Run again")
        return {name: [file.as_json() for file in files] for name, (_, files) in self.found.items()}


def external_files(config: RunConfig) -> ExternalFiles:
    """Look up the files that ``--assignments`` and ``--model-artifact`` name, before anyone reads them.

    Raises:
        ConfigurationError: One cannot be read, the folder has no assignments, or there are none to go with a model.
    """
    if config.model_artifact is not None and config.assignments is None:
        raise ConfigurationError("--model-artifact without --assignments: name the folder of what that model assigned")
    found: dict[str, tuple[Folder, tuple[Stored, ...]]] = {}
    if config.assignments is not None:
        folder = folder_at(config.assignments, argument="--assignments")
        with _readable("--assignments", config.assignments):
            found["assignments"] = (folder, tuple(folder.describe(*parts) for parts in _shards(folder)))
        if not found["assignments"][1]:
            raise ConfigurationError(
                f"--assignments {config.assignments}: no file *.out or *.csv there. Give the folder that SageMaker's "
                "batch transform wrote to"
            )
    if config.model_artifact is not None:
        folder = folder_at(config.model_artifact, argument="--model-artifact")
        with _readable("--model-artifact", config.model_artifact):
            if folder.exists():  # if not, whoever reads it says what to do
                found["model_artifact"] = (folder, (folder.describe(),))
    return ExternalFiles(found)


@contextmanager
def _readable(argument: str, place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{argument} {place}: cannot be read ({error.strerror}: {error.filename})") from None


def _shards(folder: Folder, *parts: str) -> Iterator[tuple[str, ...]]:
    """The shards in a folder and anywhere below it."""
    for name in folder.names(*parts):
        if folder.is_folder(*parts, name):
            yield from _shards(folder, *parts, name)
        elif name.endswith((".out", ".csv")):
            yield (*parts, name)


def read_sagemaker_assignments(this: Run, uri: str, *, centroids: Mapping[int, Centroid] | None) -> Assigned:
    """Take what SageMaker's batch transform wrote."""
    return Assigned(
        lines=read_shards(this.session, uri, schema=ASSIGNMENT_LINES),
        engine="sagemaker",
        path=str(this.config.assignments),
        centroids_from="the model artifact" if centroids else "the means of the assigned customers",
        centroids=centroids,
    )


def _choice_of_k(features: DataFrame, config: RunConfig) -> ChoiceOfK:
    lowest, highest = config.k_range
    drawn = sample_of(features=features, size=SAMPLE_SIZE).select(*DIMENSIONS).collect()
    return choose_k(np.array(drawn, dtype=float), lowest=lowest, highest=highest, fallback=DEFAULT_K)
