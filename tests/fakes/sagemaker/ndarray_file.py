"""MXNet's file of arrays, as SageMaker's k-means keeps its centroids in: ``model_algo-1``.

The layout is that of ``mx.nd.save`` in MXNet 1.9. What an older MXNet may write, and the service with it, has another
mark and 32-bit sizes; `ndarray_file` writes that too when asked, so that a reader can be tried on both.
"""

import struct

import numpy as np

MARK_OF_FILE = 0x112
MARK_OF_ARRAY, MARK_BEFORE_1_5 = 0xF993FAC9, 0xF993FAC8
ON_CPU, FLOAT32 = 1, 0


def ndarray_file(array: np.ndarray, *, old_layout: bool = False) -> bytes:
    """A file with one array of 32-bit floats, without a name."""
    array = np.ascontiguousarray(array, dtype="<f4")
    sizes = f"<I{array.ndim}{'I' if old_layout else 'q'}"
    return b"".join(
        [
            struct.pack("<QQQ", MARK_OF_FILE, 0, 1),
            struct.pack("<Ii", MARK_BEFORE_1_5 if old_layout else MARK_OF_ARRAY, 0),
            struct.pack(sizes, array.ndim, *array.shape),
            struct.pack("<iii", ON_CPU, 0, FLOAT32),
            array.tobytes(),
            struct.pack("<Q", 0),
        ]
    )


def array_in(content: bytes) -> np.ndarray:
    """The array of a file that `ndarray_file` wrote."""
    mark, ndim = struct.unpack_from("<I", content, 24)[0], struct.unpack_from("<I", content, 32)[0]
    size = "I" if mark == MARK_BEFORE_1_5 else "q"
    shape = struct.unpack_from(f"<{ndim}{size}", content, 36)
    start = 36 + struct.calcsize(f"<{ndim}{size}") + 12
    return np.frombuffer(content, "<f4", count=int(np.prod(shape)), offset=start).reshape(shape)
