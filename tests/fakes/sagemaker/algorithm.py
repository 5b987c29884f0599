"""What SageMaker's built-in k-means does with its data: checks it as the algorithm does, and really clusters it.

As the algorithm does: the hyperparameters it knows, as text; ``text/csv;label_size=0`` alone for CSV; no header, no
label, exactly ``feature_dim`` numbers a line; 32-bit floats; a numbering of clusters that changes with each job. Not
as the algorithm does: the clustering itself is scikit-learn's MiniBatchKMeans, ``epochs``, ``extra_center_factor``
and the ``local_lloyd`` ones are checked and not used, and protobuf is refused. That the distance is Euclid's, and not
its square, is assumed.
"""

import importlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.fakes.sagemaker.ndarray_file import array_in, ndarray_file

CONTENT_TYPE = "text/csv;label_size=0"
FLOATS, POSITIVE = float, int
HYPERPARAMETERS: dict[str, object] = {
    "k": POSITIVE,
    "feature_dim": POSITIVE,
    "mini_batch_size": POSITIVE,
    "epochs": POSITIVE,
    "extra_center_factor": POSITIVE,
    "half_life_time_size": int,
    "init_method": ("random", "kmeans++"),
    "local_lloyd_init_method": ("random", "kmeans++"),
    "local_lloyd_max_iter": POSITIVE,
    "local_lloyd_num_trials": POSITIVE,
    "local_lloyd_tol": FLOATS,
    "eval_metrics": ("msd", "ssd"),
    "force_dense": ("True", "true", "False", "false"),
}
OR_AUTO = {"extra_center_factor", "local_lloyd_num_trials"}


class AlgorithmError(Exception):
    """The job fails; the message is the job's FailureReason."""


@dataclass(frozen=True)
class Trained:
    """Centroids, and the metrics of the job by name."""

    centroids: np.ndarray
    metrics: dict[str, float]


def check_hyperparameters(given: Mapping[str, str]) -> None:
    """Check names and values, all of them text.

    Raises:
        AlgorithmError: One is missing, unknown or not what it has to be.
    """
    for name in ("k", "feature_dim"):
        if name not in given:
            raise AlgorithmError(f"ClientError: '{name}' is a required property (caused by ValidationError)")
    for name, text in given.items():
        if name not in HYPERPARAMETERS:
            message = f"Additional properties are not allowed ('{name}' was unexpected)"
            raise AlgorithmError(f"ClientError: {message} (caused by ValidationError)")
        if not (name in OR_AUTO and text == "auto") and not _is_valid(name, text):
            raise AlgorithmError(f"ClientError: '{text}' is not valid for '{name}' (caused by ValidationError)")


def _is_valid(name: str, text: str) -> bool:
    expected = HYPERPARAMETERS[name]
    try:
        if name == "eval_metrics":
            metrics = json.loads(text)
            return isinstance(metrics, list) and bool(metrics) and set(metrics) <= {"msd", "ssd"}
        if isinstance(expected, tuple):
            return text in expected
        return float(text) > 0 if expected is FLOATS else int(text) >= (name != "half_life_time_size")
    except ValueError:
        return False


def features(lines: Sequence[str], *, feature_dim: int, channel: str) -> np.ndarray:
    """Rows of features.

    Raises:
        AlgorithmError: A line has another number of columns, or something that is no number: a header, say.
    """
    rows = [line.split(",") for line in lines]
    for row in rows:
        if len(row) != feature_dim:
            raise AlgorithmError(
                f"ClientError: Number of columns in channel '{channel}' ({len(row)}) "
                f"does not match feature_dim ({feature_dim})"
            )
    try:
        values = np.array(rows, dtype=np.float32)
    except ValueError:
        values = np.array([[np.nan]])
    if not np.isfinite(values).all():
        raise AlgorithmError(
            f"ClientError: Unable to read data channel '{channel}'. Requested content-type is 'text/csv'. "
            "Please verify the data matches the requested content-type. (caused by MXNetError)"
        )
    return values.reshape(len(rows), feature_dim)


def train(rows: np.ndarray, test_rows: np.ndarray | None, hyperparameters: Mapping[str, str], *, seed: int) -> Trained:
    """Cluster the rows of the train channel, and measure both channels.

    Raises:
        AlgorithmError: There are fewer rows than clusters.
    """
    k = int(hyperparameters["k"])
    if len(rows) < k:
        raise AlgorithmError(f"ClientError: k ({k}) must not be greater than the number of examples ({len(rows)})")
    # Loaded here: it takes seconds, and the fixtures are there for every test.
    model = (
        importlib.import_module("sklearn.cluster")
        .MiniBatchKMeans(
            k,
            init="random" if hyperparameters.get("init_method") == "random" else "k-means++",
            batch_size=int(hyperparameters.get("mini_batch_size", "5000")),
            n_init=10,
            random_state=seed,
        )
        .fit(rows)
    )
    centroids = np.random.default_rng(seed).permutation(model.cluster_centers_.astype(np.float32))
    metrics = {}
    for channel, values in (("train", rows), ("test", test_rows)):
        if values is None:
            continue
        squares = nearest(values, centroids)[1] ** 2
        figures = {"msd": float(squares.mean()), "ssd": float(squares.sum())}
        for name in json.loads(hyperparameters.get("eval_metrics", '["msd"]')):
            metrics[f"{channel}:{name}"] = figures[name]
    return Trained(centroids, metrics)


def nearest(rows: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the number of its nearest centroid, and how far away that is."""
    distances = np.linalg.norm(rows[:, None, :] - centroids[None, :, :], axis=2)
    return distances.argmin(axis=1), distances.min(axis=1)


def model_archive(centroids: np.ndarray, *, old_layout: bool = False) -> bytes:
    """``model.tar.gz``."""
    content, archive = ndarray_file(centroids, old_layout=old_layout), io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("model_algo-1")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def centroids_in(archive: bytes) -> np.ndarray:
    """The centroids of a ``model.tar.gz``.

    Raises:
        AlgorithmError: It is no such archive.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            member = tar.extractfile("model_algo-1")
            return array_in(member.read() if member else b"")
    except (tarfile.TarError, KeyError, OSError):
        raise AlgorithmError("ClientError: unable to load the model: no model_algo-1") from None
