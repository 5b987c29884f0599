"""The clusters of an earlier run, by the run's id or by the pointer."""

from contextlib import suppress
from dataclasses import dataclass

from jobs.errors import ConfigurationError, DataError
from jobs.storage.store import RunStore
from transforms.clusters.model import ClusterModel, ModelError

KMEANS_MODEL = "kmeans_model.json"

NO_MATCH = "none"
"""The value of ``--match`` that starts new stable cluster ids."""


@dataclass(frozen=True)
class PreviousClusters:
    """The clusters that new ones are matched to.

    Attributes:
        model: the clusters to match to; None for a first run.
        first_free: the first number that no current run has used.
    """

    model: ClusterModel | None
    first_free: int = 0


def previous_clusters(store: RunStore, match: str | None, *, applied: ClusterModel | None = None) -> PreviousClusters:
    """The clusters that those of a new run are matched to.

    Args:
        store: the runs.
        match: the value of ``--match``: a run, `NO_MATCH`, or None for the last clusters that a current run had.
        applied: the clusters that the new run applies as they are. Their ids may mean something else in clusters of
            another training. Drift is then measured against themselves, unless ``match`` names a run.

    Raises:
        ConfigurationError: The run does not exist, or has no clusters.
        DataError: The model that the pointer names is missing or invalid.
    """
    if match == NO_MATCH:
        return PreviousClusters(None)
    if match is None:
        last = previous_model(store)
        first_free = last.next_id if last else 0
        is_other_training = applied is not None and (last is None or last.trained_in != applied.trained_in)
        return PreviousClusters(applied if is_other_training else last, first_free)
    named = model_of(store, match, argument="--match")
    # Later runs may have used higher ids. If their model cannot be read, naming a run is the way to go on.
    with suppress(DataError):
        last = previous_model(store)
        return PreviousClusters(named, max(named.next_id, last.next_id if last else 0))
    return PreviousClusters(named, named.next_id)


def previous_model(store: RunStore) -> ClusterModel | None:
    """The last clusters that a current run had; None if there are none yet.

    Raises:
        DataError: The model that the pointer names is missing or invalid.
    """
    current = store.current()
    name = current.kmeans_model if current else None
    if name is None:
        return None
    text = store.read_file(name)
    if text is None:
        raise DataError(
            f"{store.output}: current.json names {name}, which does not exist. Restore it, name a run with --match, "
            "or start new ids with --match none"
        )
    try:
        return ClusterModel.from_json(text)
    except ModelError as error:
        raise DataError(
            f"{store.output}/{name}: {error}. Restore it, name another run with --match, or start new ids with "
            "--match none"
        ) from None


def model_of(store: RunStore, run_id: str, *, argument: str) -> ClusterModel:
    """The clusters of a run that an argument names.

    Raises:
        ConfigurationError: The run does not exist, or has no clusters.
    """
    store.manifest(run_id)
    text = store.folder.read("runs", run_id, KMEANS_MODEL)
    if text is None:
        raise ConfigurationError(
            f"{argument} {run_id}: no {KMEANS_MODEL} in that run. Name a run that has customer_segments"
        )
    try:
        return ClusterModel.from_json(text)
    except ModelError as error:
        raise ConfigurationError(f"{argument} {run_id}: its {KMEANS_MODEL}: {error}") from None
