"""The clusters of an earlier run, found by the run's id or by the pointer."""

from contextlib import suppress
from dataclasses import dataclass

from jobs.errors import ConfigurationError, DataError
from jobs.storage.store import RunStore
from transforms.clusters.model import KMEANS_MODEL, ClusterModel, ModelError

NO_MATCH = "none"
"""``--match`` with this is a first run again."""


@dataclass(frozen=True)
class Earlier:
    """What was there before.

    Attributes:
        model: the clusters to match to; None for a first run.
        first_free: the first number that no current run has used.
    """

    model: ClusterModel | None
    first_free: int = 0


def previous_clusters(store: RunStore, match: str | None, *, applied: ClusterModel | None = None) -> Earlier:
    """What the clusters of a run are matched to.

    Args:
        store: the runs.
        match: of ``--match``: a run, `NO_MATCH`, or None for the last clusters that a current run had.
        applied: the clusters that are taken as they are. Their numbers need not mean the same in clusters of another
            training, so what moved is told against themselves then, unless ``match`` says otherwise.

    Raises:
        ConfigurationError: There is no such run, or it has none.
        DataError: What the pointer names is not there, or no model.
    """
    if match == NO_MATCH:
        return Earlier(None)
    if match is None:
        last = previous_model(store)
        first_free = last.next_id if last else 0
        is_of_another = applied is not None and (last is None or last.trained_in != applied.trained_in)
        return Earlier(applied if is_of_another else last, first_free)
    named = model_of(store, match, argument="--match")
    # An earlier run may be matched to after later ones had more clusters. If theirs cannot be read, that is what a
    # run is named for.
    with suppress(DataError):
        last = previous_model(store)
        return Earlier(named, max(named.next_id, last.next_id if last else 0))
    return Earlier(named, named.next_id)


def previous_model(store: RunStore) -> ClusterModel | None:
    """The last clusters that a current run had; None where there are none yet.

    Raises:
        DataError: What the pointer names is not there, or no model.
    """
    current = store.current()
    name = current.get("kmeans_model") if current else None
    if not isinstance(name, str):
        return None
    text = store.folder.read(*name.split("/"))
    if text is None:
        raise DataError(
            f"{store.output}: current.json names {name}, which is not there. Put it back, name a run with --match, "
            "or begin anew with --match none"
        )
    try:
        return ClusterModel.from_json(text)
    except ModelError as error:
        raise DataError(
            f"{store.output}/{name}: {error}. Restore it, name another run with --match, or begin anew with "
            "--match none"
        ) from None


def model_of(store: RunStore, run_id: str, *, argument: str) -> ClusterModel:
    """The clusters of a run that an argument names.

    Raises:
        ConfigurationError: There is no such run, or it has none.
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
