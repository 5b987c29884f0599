"""The container of SageMaker's built-in k-means: it validates its data, clusters it, and predicts.

Like the container:

- It accepts the hyperparameters of the algorithm, as text, and no others.
- CSV needs the content type ``text/csv;label_size=0``, no header, no label, and ``feature_dim`` numbers per line.
- Numbers are 32-bit floats. Every job numbers its clusters anew.
- The model file has the layout of ``mx.nd.save`` in MXNet 1.9.

Unlike the container:

- scikit-learn's MiniBatchKMeans does the clustering.
- ``epochs``, ``extra_center_factor`` and the ``local_lloyd`` hyperparameters are validated and not used.
- Protobuf is rejected.

That the distance is Euclidean, and not its square, is an assumption.
"""

import importlib
import io
import json
import struct
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

CONTENT_TYPE = "text/csv;label_size=0"
FLOAT, INTEGER = float, int
HYPERPARAMETERS: dict[str, object] = {
    "k": INTEGER,
    "feature_dim": INTEGER,
    "mini_batch_size": INTEGER,
    "epochs": INTEGER,
    "extra_center_factor": INTEGER,
    "half_life_time_size": INTEGER,
    "init_method": ("random", "kmeans++"),
    "local_lloyd_init_method": ("random", "kmeans++"),
    "local_lloyd_max_iter": INTEGER,
    "local_lloyd_num_trials": INTEGER,
    "local_lloyd_tol": FLOAT,
    "eval_metrics": ("msd", "ssd"),
    "force_dense": ("True", "true", "False", "false"),
}
"""The type or the values of each hyperparameter. Numbers are positive, but ``half_life_time_size`` may be 0."""
AUTO_ALLOWED = {"extra_center_factor", "local_lloyd_num_trials"}

MODEL_FILE = "model_algo-1"
FILE_MAGIC = 0x112
ARRAY_MAGIC, ARRAY_MAGIC_BEFORE_1_5 = 0xF993FAC9, 0xF993FAC8
ON_CPU, FLOAT32 = 1, 0

Prediction = tuple[float, float]
"""``closest_cluster``, which the container writes as a float, and ``distance_to_cluster``."""


class AlgorithmError(Exception):
    """The job fails. The message is its FailureReason."""


@dataclass(frozen=True)
class TrainedModel:
    """The centroids, and the metrics of the job by name."""

    centroids: np.ndarray
    metrics: dict[str, float]


def check_hyperparameters(hyperparameters: Mapping[str, str]) -> None:
    """Validate names and values, all of which are text.

    Raises:
        AlgorithmError: A hyperparameter is missing, unknown or invalid.
    """
    for name in ("k", "feature_dim"):
        if name not in hyperparameters:
            raise AlgorithmError(f"ClientError: '{name}' is a required property (caused by ValidationError)")
    for name, text in hyperparameters.items():
        if name not in HYPERPARAMETERS:
            message = f"Additional properties are not allowed ('{name}' was unexpected)"
            raise AlgorithmError(f"ClientError: {message} (caused by ValidationError)")
        if not (name in AUTO_ALLOWED and text == "auto") and not _is_valid(name, text):
            raise AlgorithmError(f"ClientError: '{text}' is not valid for '{name}' (caused by ValidationError)")


def _is_valid(name: str, text: str) -> bool:
    expected = HYPERPARAMETERS[name]
    try:
        if name == "eval_metrics":
            metrics = json.loads(text)
            return isinstance(metrics, list) and bool(metrics) and set(metrics) <= {"msd", "ssd"}
        if isinstance(expected, tuple):
            return text in expected
        return float(text) > 0 if expected is FLOAT else int(text) >= (name != "half_life_time_size")
    except ValueError:
        return False


def features(lines: Sequence[str], *, feature_dim: int, channel: str) -> np.ndarray:
    """Parse lines of CSV: one row of features per line.

    Raises:
        AlgorithmError: A line has another number of columns, or a field is not a number, as in a header.
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


def train(
    rows: np.ndarray, test_rows: np.ndarray | None, hyperparameters: Mapping[str, str], *, seed: int
) -> TrainedModel:
    """Cluster the rows of the train channel, and compute the metrics of both channels.

    Raises:
        AlgorithmError: There are fewer rows than clusters.
    """
    k = int(hyperparameters["k"])
    if len(rows) < k:
        raise AlgorithmError(f"ClientError: k ({k}) must not be greater than the number of examples ({len(rows)})")
    # Imported here because it takes seconds, and every test loads the fixtures.
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
        squares = _nearest(values, centroids)[1] ** 2
        figures = {"msd": float(squares.mean()), "ssd": float(squares.sum())}
        for name in json.loads(hyperparameters.get("eval_metrics", '["msd"]')):
            metrics[f"{channel}:{name}"] = figures[name]
    return TrainedModel(centroids, metrics)


def predictions(lines: Sequence[str], centroids: np.ndarray) -> list[Prediction]:
    """Predict the cluster of each line of CSV.

    Raises:
        AlgorithmError: A line does not have the model's features.
    """
    rows = features(lines, feature_dim=centroids.shape[1], channel="inference")
    if not len(rows):
        return []
    clusters, distances = _nearest(rows, centroids)
    return [(float(cluster), float(distance)) for cluster, distance in zip(clusters, distances, strict=True)]


def _nearest(rows: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of the nearest centroid for each row, and the distance to it."""
    distances = np.linalg.norm(rows[:, None, :] - centroids[None, :, :], axis=2)
    return distances.argmin(axis=1), distances.min(axis=1)


def csv_lines(body: bytes, content_type: str) -> list[str]:
    """The rows of a request to an endpoint, as lines of CSV.

    Raises:
        AlgorithmError: The container does not read the content type, or the body is not of it.
    """
    text, media_type = body.decode("utf-8"), content_type.partition(";")[0].strip()
    if media_type == "text/csv":
        return text.splitlines()
    if media_type == "application/json":
        try:
            return [",".join(map(str, row["features"])) for row in json.loads(text)["instances"]]
        except (ValueError, KeyError, TypeError):
            raise AlgorithmError("unable to evaluate payload provided") from None
    raise AlgorithmError(f"content-type {content_type} is not supported")


def encoded_predictions(rows: Sequence[Prediction], accept: str) -> str:
    """Encode predictions in the format that the client accepts.

    Raises:
        AlgorithmError: The container does not write the format.
    """
    if accept == "text/csv":
        return "".join(f"{cluster},{distance}\n" for cluster, distance in rows)
    members = [{"distance_to_cluster": distance, "closest_cluster": cluster} for cluster, distance in rows]
    if accept in ("application/json", "*/*"):
        return json.dumps({"predictions": members})
    if accept == "application/jsonlines":
        return "".join(f"{json.dumps(row)}\n" for row in members)
    raise AlgorithmError(f"accept type {accept} is not supported")


def model_archive(centroids: np.ndarray) -> bytes:
    """The ``model.tar.gz`` of a training job."""
    content, archive = array_file(centroids), io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo(MODEL_FILE)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def centroids_in(archive: bytes) -> np.ndarray:
    """Read the centroids of a ``model.tar.gz``.

    Raises:
        AlgorithmError: The archive has no model.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            member = tar.extractfile(MODEL_FILE)
            return array_in(member.read() if member else b"")
    except (tarfile.TarError, KeyError, OSError):
        raise AlgorithmError(f"ClientError: unable to load the model: no {MODEL_FILE}") from None


def array_file(array: np.ndarray, *, is_before_1_5: bool = False) -> bytes:
    """An MXNet file with one array of 32-bit floats, without a name.

    Args:
        array: The array.
        is_before_1_5: Whether to write the layout of MXNet before 1.5, with another magic number and 32-bit sizes.
    """
    array = np.ascontiguousarray(array, dtype="<f4")
    sizes = f"<I{array.ndim}{'I' if is_before_1_5 else 'q'}"
    return b"".join(
        [
            struct.pack("<QQQ", FILE_MAGIC, 0, 1),
            struct.pack("<Ii", ARRAY_MAGIC_BEFORE_1_5 if is_before_1_5 else ARRAY_MAGIC, 0),
            struct.pack(sizes, array.ndim, *array.shape),
            struct.pack("<iii", ON_CPU, 0, FLOAT32),
            array.tobytes(),
            struct.pack("<Q", 0),
        ]
    )


def array_in(content: bytes) -> np.ndarray:
    """Read the array of a file that `array_file` wrote."""
    magic, ndim = struct.unpack_from("<I", content, 24)[0], struct.unpack_from("<I", content, 32)[0]
    size = "I" if magic == ARRAY_MAGIC_BEFORE_1_5 else "q"
    shape = struct.unpack_from(f"<{ndim}{size}", content, 36)
    start = 36 + struct.calcsize(f"<{ndim}{size}") + 12
    return np.frombuffer(content, "<f4", count=int(np.prod(shape)), offset=start).reshape(shape)
