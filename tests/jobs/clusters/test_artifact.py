"""SageMaker's model.tar.gz: all layouts, and what is none."""

import io
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jobs.clusters.artifact import LARGEST, centroids_in
from jobs.errors import ConfigurationError
from jobs.storage.local import LocalFolder

CENTRES = np.array([[0.5, 0.25, 4.0], [1.0, 2.0, 3.0]])


def mxnet(array: np.ndarray, *, mark: int | None = 0xF993FAC9, kind: int = 0) -> bytes:
    """A list of one array: as MXNet 1.9.1 was seen to write it, and as its source reads what older ones wrote."""
    starts = {0xF993FAC9: struct.pack("<Ii", 0xF993FAC9, 0), 0xF993FAC8: struct.pack("<I", 0xF993FAC8), None: b""}
    shape = struct.pack(f"<I{array.ndim}{'q' if mark else 'I'}", array.ndim, *array.shape)
    values = array.astype("<f4" if kind == 0 else "<f8").tobytes()
    body = starts[mark] + shape + struct.pack("<iii", 1, 0, kind) + values
    return struct.pack("<QQQ", 0x112, 0, 1) + body + struct.pack("<Q", 0)


def packed(path: Path, content: bytes, *, name: str = "model_algo-1") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("mark", [0xF993FAC9, 0xF993FAC8, None])
@pytest.mark.parametrize("kind", [0, 1])
def test_centroids_are_the_rows_of_the_first_array(tmp_path: Path, mark: int | None, kind: int) -> None:
    path = packed(tmp_path / "model.tar.gz", mxnet(CENTRES, mark=mark, kind=kind))
    assert centroids_in(LocalFolder(path)) == {0: (0.5, 0.25, 4.0), 1: (1.0, 2.0, 3.0)}


def test_two_equal_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = packed(tmp_path / "model.tar.gz", mxnet(np.array([[1.0, 1, 1], [1, 1, 1], [2, 2, 2]])))
    assert list(centroids_in(LocalFolder(path))) == [0, 1, 2]


def truncated(content: bytes) -> bytes:
    return content[:-20]


def of_another_kind(_: bytes) -> bytes:
    return b"PK\x03\x04" + bytes(100)


def of_four_features(_: bytes) -> bytes:
    return mxnet(np.ones((2, 4)))


def not_a_number(_: bytes) -> bytes:
    return mxnet(np.array([[1.0, float("nan"), 2.0]]))


def of_boundless_shape(content: bytes) -> bytes:
    return content.replace(struct.pack("<q", 2), struct.pack("<q", 2**40), 1)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (truncated, "buffer"),
        (of_another_kind, "starts with"),
        (of_four_features, "array of 2x4"),
        (not_a_number, "not a finite number"),
        (of_boundless_shape, "shape"),
    ],
)
def test_what_is_no_such_model_is_told(tmp_path: Path, spoil: Callable[[bytes], bytes], says: str) -> None:
    path = packed(tmp_path / "model.tar.gz", spoil(mxnet(CENTRES)))
    with pytest.raises(ConfigurationError, match=says):
        centroids_in(LocalFolder(path))


def test_an_archive_without_the_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no model_algo-1"):
        centroids_in(LocalFolder(packed(tmp_path / "model.tar.gz", b"", name="../../model_algo-1")))


def test_a_model_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected at most"):
        centroids_in(LocalFolder(packed(tmp_path / "model.tar.gz", bytes(LARGEST + 1))))


@pytest.mark.parametrize("content", [None, b"not an archive"])
def test_no_archive_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.tar.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="--model-artifact"):
        centroids_in(LocalFolder(path))
