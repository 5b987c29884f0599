"""What a run over raw files needs of Spark, known before Spark starts."""

from collections.abc import Sequence

from jobs.inputs.input_files import RawInput
from jobs.spark.session import Workload
from jobs.storage.uris import is_in_s3

PACKED = 5
"""How many bytes of plain CSV a byte of gzip or Parquet holds, about."""

SMALL = 64 * 2**20
"""Bytes of plain CSV, of some 200,000 orders. Java's first compiler alone was no slower with 300,000."""


def workload_of(inputs: Sequence[RawInput], uri: str, output: str) -> Workload:
    """What Spark has to do for a run over these inputs.

    Args:
        inputs: that were found. The size of a table of the catalogue is not known yet, so it is not taken for small.
        uri: where; from ``--input``.
        output: the output folder.
    """
    return Workload(
        reaches_s3=is_in_s3(uri) or is_in_s3(output),
        is_small=all(raw.table is None for raw in inputs) and sum(map(_plain_size, inputs)) <= SMALL,
    )


def _plain_size(raw: RawInput) -> int:
    return sum(file.size * (1 if file.path.lower().endswith(".csv") else PACKED) for file in raw.files)
