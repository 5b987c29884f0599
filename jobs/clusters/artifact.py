"""SageMaker's own model: the centroids in ``model.tar.gz``.

The archive holds ``model_algo-1``, a list of arrays as MXNet's ``nd.save`` writes it. Its first array has a row per
cluster. AWS documents the file but not its layout, which is MXNet's, little-endian:

    u64 0x112, u64 0, u64 arrays
    per array: its shape, in one of three layouts (`_shape`); i32 device type, i32 device id; i32 type; the values
    u64 names, ...

Nothing in the archive is unpacked to disk or run.
"""

import struct
import tarfile
import zlib
from typing import IO

import numpy as np

from jobs.errors import ConfigurationError
from jobs.storage.folder import Folder
from transforms.clusters.assignments import HIGHEST_LABEL, Centroid, single_precision
from transforms.rfm.dimensions import DIMENSIONS

MEMBER = "model_algo-1"
LARGEST = 16 * 2**20
"""Bytes of it that are read at most. A thousand centroids of three dimensions have 12 kB."""

LIST = 0x112
WITH_STORAGE_TYPE = 0xF993FAC9
LONG_LENGTHS = 0xF993FAC8
DENSE = 0
TYPES = {0: "<f4", 1: "<f8"}


def centroids_in(artifact: Folder) -> dict[int, Centroid]:
    """The centroids of a model that SageMaker trained, by its labels.

    Raises:
        ConfigurationError: The file does not exist, or is not such a model.
    """
    named = f"--model-artifact {artifact.display_path()}"
    try:
        with artifact.open_file() as file:
            content = _member(file)
        centres = _first_array(content)
    except FileNotFoundError:
        raise ConfigurationError(
            f"{named}: no such file. Give the model.tar.gz of the training job, or leave it out to "
            "compute centroids from the assignments"
        ) from None
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError, struct.error) as error:
        raise ConfigurationError(
            f"{named}: {error}; expected SageMaker's model.tar.gz with {MEMBER}, an MXNet list of "
            f"arrays. Leave it out to compute centroids from the assignments"
        ) from None
    if centres.ndim != 2 or centres.shape[1] != len(DIMENSIONS) or not 0 < len(centres) <= HIGHEST_LABEL:
        raise ConfigurationError(
            f"{named}: an array of {'x'.join(map(str, centres.shape))}, expected one row per cluster "
            f"and {len(DIMENSIONS)} columns ({', '.join(DIMENSIONS)}). Was it trained on kmeans/train?"
        )
    if not np.isfinite(centres).all():
        raise ConfigurationError(f"{named}: found a centroid that is not a finite number. Train again, or leave it out")
    # A label is a row of the array, even if two rows are equal: customers were assigned by it.
    return {label: single_precision(centre) for label, centre in enumerate(centres)}


def _member(packed: IO[bytes]) -> bytes:
    with tarfile.open(fileobj=packed, mode="r|gz") as archive:
        for entry in archive:
            if entry.name.removeprefix("./") == MEMBER and entry.isfile():
                if entry.size > LARGEST:
                    raise ValueError(f"{MEMBER} has {entry.size:,} bytes, expected at most {LARGEST:,}")
                file: IO[bytes] | None = archive.extractfile(entry)
                return b"" if file is None else file.read(LARGEST)
            if archive.offset > LARGEST:
                break
    raise ValueError(f"no {MEMBER} in the first {LARGEST:,} bytes")


def _first_array(content: bytes) -> np.ndarray:
    magic, _, arrays = struct.unpack_from("<QQQ", content)
    if magic != LIST or not arrays:
        raise ValueError(f"a file that starts with {magic:#x} and {arrays} arrays")
    shape, at = _shape(content, struct.calcsize("<QQQ"))
    *_, kind = struct.unpack_from("<iii", content, at)
    at += 12
    if kind not in TYPES or any(length < 0 or length > LARGEST for length in shape):
        raise ValueError(f"an array of type {kind} and shape {shape}")
    count = int(np.prod(shape, dtype=object))
    return np.frombuffer(content, dtype=TYPES[kind], count=count, offset=at).reshape(shape)


def _shape(content: bytes, at: int) -> tuple[tuple[int, ...], int]:
    """The lengths of an array that starts at a position, and the position after them.

    MXNet has three layouts. Since 1.0: a mark, the storage type, u32 dimensions, i64 lengths. Before that: another
    mark, no storage type. The oldest has no mark: u32 dimensions, u32 lengths.
    """
    (mark,) = struct.unpack_from("<I", content, at)
    if mark == WITH_STORAGE_TYPE:
        storage, dimensions = struct.unpack_from("<iI", content, at + 4)
        if storage != DENSE:
            raise ValueError(f"an array of storage type {storage}")
        size, at = "q", at + 12
    elif mark == LONG_LENGTHS:
        (dimensions,) = struct.unpack_from("<I", content, at + 4)
        size, at = "q", at + 8
    else:
        dimensions, size, at = mark, "I", at + 4
    if dimensions > 2:
        raise ValueError(f"an array that starts with {mark:#x} and has {dimensions} dimensions")
    return struct.unpack_from(f"<{dimensions}{size}", content, at), at + struct.calcsize(f"<{dimensions}{size}")
