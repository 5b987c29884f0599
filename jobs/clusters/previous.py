"""The clusters of an earlier run, found by the run's id or by the pointer."""

from jobs.clusters.model import KMEANS_MODEL, ClusterModel, ModelError
from jobs.errors import ConfigurationError, DataError
from jobs.storage import RunStore


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
            f"{store.output}: current.json names {name}, which is not there. Put it back, or name a run with --match"
        )
    try:
        return ClusterModel.from_json(text)
    except ModelError as error:
        raise DataError(f"{store.output}/{name}: {error}. Restore it, or name another run with --match") from None


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
