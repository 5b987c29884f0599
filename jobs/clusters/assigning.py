"""How customers are assigned to clusters: by Spark ML, by an earlier run's model, or by SageMaker."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from pyspark.sql import DataFrame

from jobs.cli.arguments import DEFAULT_K
from jobs.cli.config import ClustersConfig, SegmentsConfig
from jobs.clusters.artifact import centroids_in
from jobs.clusters.feature_files import read_shards
from jobs.errors import ConfigurationError, DataError
from jobs.runs.run import Run
from jobs.storage.folder import Folder, Stored
from jobs.storage.uris import folder_at
from transforms.clusters.assignments import ASSIGNMENT_LINES, Centroid, sample_of
from transforms.clusters.choose_k import SAMPLE_SIZE, ChoiceOfK, choose_k
from transforms.clusters.model import ClusterModel, TrainingEngine
from transforms.rfm.dimensions import DIMENSIONS


@dataclass(frozen=True)
class Assignments:
    """How the customers of a run are assigned to clusters.

    Attributes:
        engine: the engine that trained.
        centroids_from: where the centroids come from, in words.
        centroids: by the engine's label; None where they are not known.
        lines: what the engine assigned, one line per customer, not checked yet (`ASSIGNMENT_LINES`); None where each
            customer is assigned to the nearest centroid here.
        path: folder of the lines.
        requested_k: number of clusters that was asked of the training; None where it did not happen here.
        choice: how that number was chosen, if it was.
        applied: the model, where an earlier run's was applied as it is.
    """

    engine: TrainingEngine
    centroids_from: str
    centroids: Mapping[int, Centroid] | None = None
    lines: DataFrame | None = None
    path: str | None = None
    requested_k: int | None = None
    choice: ChoiceOfK | None = None
    applied: ClusterModel | None = None

    @property
    def source(self) -> str:
        """What messages call them: their folder, or where their centroids come from."""
        return self.path or self.centroids_from


def assign_by_spark(features: DataFrame, *, customers: int, config: ClustersConfig) -> Assignments:
    """Train on the features of all customers, to assign each to the nearest centroid.

    Args:
        features: `schemas.KMEANS_FEATURES`.
        customers: how many they are.
        config: how customers are clustered.
    """
    choice = _choice_of_k(features, config) if config.k == "auto" else None
    k = choice.k if choice else int(config.k)
    return Assignments(
        engine="spark",
        centroids_from="training by Spark ML",
        centroids=_train(features, customers=customers, k=k),
        requested_k=k,
        choice=choice,
    )


def _train(features: DataFrame, *, customers: int, k: int) -> dict[int, Centroid]:
    """The centroids that Spark ML finds. Importing it takes half a second, which no start waits for."""
    centroids: dict[int, Centroid] = import_module("jobs.clusters.training").train(
        features=features, customers=customers, k=k
    )
    return centroids


def assign_by_model(model: ClusterModel) -> Assignments:
    """Assign each customer to the nearest centroid of an earlier run's model. Nothing is trained."""
    return Assignments(
        engine=model.engine,
        centroids_from=f"run {model.run_id}",
        centroids=model.centroids,
        applied=model,
    )


def read_sagemaker_assignments(
    run: Run, uri: str, *, path: str, centroids: Mapping[int, Centroid] | None
) -> Assignments:
    """Read what SageMaker's batch transform wrote.

    Args:
        run: the run.
        uri: where Spark reads it.
        path: where it is, as the user named it.
        centroids: of the model artifact; None where none is given.
    """
    return Assignments(
        engine="sagemaker",
        centroids_from="the model artifact" if centroids else "the means of the assigned customers",
        centroids=centroids,
        lines=read_shards(run.session, uri, schema=ASSIGNMENT_LINES),
        path=path,
    )


def artifact_centroids(model_artifact: str | None) -> dict[int, Centroid] | None:
    """The centroids in the file that ``--model-artifact`` names; None where none is named.

    Raises:
        ConfigurationError: There is no such file, or it is no such model.
    """
    if model_artifact is None:
        return None
    return centroids_in(folder_at(model_artifact, argument="--model-artifact"))


@dataclass(frozen=True)
class ExternalFiles:
    """The files of an engine elsewhere, as they were before anyone read them: assignments, and their model."""

    files: Mapping[str, tuple[Folder, tuple[Stored, ...]]]

    @property
    def assignments_uri(self) -> str | None:
        """Where Spark reads the assignments; None where none are named."""
        return self.files["assignments"][0].uri() if "assignments" in self.files else None

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry.

        Raises:
            DataError: A file has changed since, so that nobody knows what was read.
        """
        for name, (folder, files) in self.files.items():
            paths = [file.path for file in files]
            if name == "assignments" and paths != [folder.display_path(*parts) for parts in _shards(folder)]:
                raise DataError(
                    f"{folder.display_path()}: files came or went while it was read, expected none to. Run again"
                )
            for file in files:
                if not folder.is_unchanged(file):
                    raise DataError(f"{file.path}: changed while it was read, expected it to stay. Run again")
        return {name: [file.as_json() for file in files] for name, (_, files) in self.files.items()}


def find_external_files(config: SegmentsConfig) -> ExternalFiles:
    """Look up the files that ``--assignments`` and ``--model-artifact`` name, before anyone reads them.

    Raises:
        ConfigurationError: One cannot be read, or the folder has no assignments.
    """
    files: dict[str, tuple[Folder, tuple[Stored, ...]]] = {}
    if config.assignments is not None:
        folder = folder_at(config.assignments, argument="--assignments")
        with _readable("--assignments", config.assignments):
            files["assignments"] = (folder, tuple(folder.describe(*parts) for parts in _shards(folder)))
        if not files["assignments"][1]:
            raise ConfigurationError(
                f"--assignments {config.assignments}: no file *.out or *.csv there. Give the folder that SageMaker's "
                "batch transform wrote to"
            )
    if config.model_artifact is not None:
        folder = folder_at(config.model_artifact, argument="--model-artifact")
        with _readable("--model-artifact", config.model_artifact):
            if folder.exists():  # if not, `artifact_centroids` says what to do
                files["model_artifact"] = (folder, (folder.describe(),))
    return ExternalFiles(files)


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


def _choice_of_k(features: DataFrame, config: ClustersConfig) -> ChoiceOfK:
    lowest, highest = config.k_range
    drawn = sample_of(features=features, size=SAMPLE_SIZE).select(*DIMENSIONS).collect()
    return choose_k(np.array(drawn, dtype=float), lowest=lowest, highest=highest, fallback=DEFAULT_K)
